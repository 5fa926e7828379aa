/* train/test_optimiser.c: twenty steps against the rules in double; threads; padding.
 * SPDX-License-Identifier: MIT */
#include "support/support.h"

#include "base/random.h"
#include "train/optimiser.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Odd lengths that span several pieces of work and end within one. */
static const ic_parameter_sizes sizes = {.decayed = 40000, .trained = 58007, .total = 58999};
enum { STEPS = 20 };
static const double rate = 0.05, momentum = 0.9, decay = 0.01;

static float *numbers(uint64_t stream, int64_t count)
{
    float *made = malloc((size_t)count * sizeof(float));
    ic_random random = ic_random_at(7, IC_USE_WEIGHTS, stream, 0);
    assert_non_null(made);
    for (int64_t i = 0; i < count; i++)
        made[i] = (float)ic_random_normal(&random);
    return made;
}

/* Gradients that change from step to step. */
static double gradient_at(const float *base, int64_t i, int step)
{
    return (double)(base[i] * (float)(1 + (step * 7 + i) % 5));
}

/* Runs the optimiser; returns its parameters (to be freed). */
static float *run(ic_optimizer_kind kind, int32_t threads, const float *start, const float *base)
{
    ic_context *context = test_context(threads);
    ic_optimiser *optimiser;
    assert_ok(ic_optimiser_create(context, kind, sizes, start, &optimiser));
    for (int step = 0; step < STEPS; step++) {
        for (int64_t i = 0; i < sizes.trained; i++)
            optimiser->gradients[i] = (float)gradient_at(base, i, step);
        assert_ok(ic_optimiser_step(optimiser, rate, momentum, decay, step));
    }
    float *result = malloc((size_t)sizes.total * sizeof(float));
    assert_non_null(result);
    memcpy(result, optimiser->parameters, (size_t)sizes.total * sizeof(float));
    ic_optimiser_free(optimiser);
    ic_context_free(context);
    return result;
}

static double sgd_in_double(const float *base, int64_t i, double p)
{
    double v = 0, wd = i < sizes.decayed ? decay : 0;
    for (int step = 0; step < STEPS; step++) {
        double g = gradient_at(base, i, step);
        v = momentum * v + g;
        p = p * (1 - rate * wd) - rate * (g + momentum * v);
    }
    return p;
}

static double adamw_in_double(const float *base, int64_t i, double p)
{
    double m = 0, s = 0, wd = i < sizes.decayed ? decay : 0;
    for (int step = 0; step < STEPS; step++) {
        double g = gradient_at(base, i, step);
        m = momentum * m + (1 - momentum) * g;
        s = 0.999 * s + 0.001 * g * g;
        double mean = m / (1 - pow(momentum, step + 1));
        double square = s / (1 - pow(0.999, step + 1));
        p = p * (1 - rate * wd) - rate * mean / (sqrt(square) + 1e-8);
    }
    return p;
}

static void follows_its_rule(void **state)
{
    float *start = numbers(1, sizes.total), *base = numbers(2, sizes.trained);
    const ic_optimizer_kind kinds[] = {IC_OPTIMIZER_SGD, IC_OPTIMIZER_ADAMW};
    for (int k = 0; k < 2; k++) {
        float *one = run(kinds[k], 1, start, base);
        float *three = run(kinds[k], 3, start, base);
        assert_memory_equal(one, three, (size_t)sizes.total * sizeof(float));
        for (int64_t i = 0; i < sizes.trained; i++) {
            double begin = (double)start[i];
            double expected = kinds[k] == IC_OPTIMIZER_SGD ? sgd_in_double(base, i, begin)
                                                           : adamw_in_double(base, i, begin);
            assert_true(fabs((double)one[i] - expected) <= 1e-5 * (1 + fabs(expected)));
        }
        /* Statistics are not its business. */
        assert_memory_equal(one + sizes.trained, start + sizes.trained,
                            (size_t)(sizes.total - sizes.trained) * sizeof(float));
        free(one);
        free(three);
    }
    free(start);
    free(base);
}

/* A second optimiser that takes over all arrays goes on with the same bits. */
static void check_arrays(ic_optimizer_kind kind, int32_t count)
{
    ic_context *context = test_context(1);
    ic_optimiser *pair[2];
    ic_optimiser_array arrays[2][IC_OPTIMISER_ARRAYS_MAX];
    float *start = numbers(1, sizes.total);
    for (int i = 0; i < 2; i++) {
        assert_ok(ic_optimiser_create(context, kind, sizes, start, &pair[i]));
        assert_int_equal(ic_optimiser_arrays(pair[i], arrays[i]), count);
    }
    memcpy(pair[0]->gradients, start, (size_t)sizes.trained * sizeof(float));
    memcpy(pair[1]->gradients, start, (size_t)sizes.trained * sizeof(float));
    assert_ok(ic_optimiser_step(pair[0], rate, momentum, decay, 0));
    for (int32_t i = 0; i < count; i++) {
        assert_string_equal(arrays[0][i].name, arrays[1][i].name);
        memcpy(arrays[1][i].data, arrays[0][i].data, (size_t)arrays[0][i].count * sizeof(float));
    }
    for (int i = 0; i < 2; i++)
        assert_ok(ic_optimiser_step(pair[i], rate, momentum, decay, 1));
    assert_memory_equal(pair[0]->parameters, pair[1]->parameters,
                        (size_t)sizes.total * sizeof(float));
    for (int i = 0; i < 2; i++)
        ic_optimiser_free(pair[i]);
    free(start);
    ic_context_free(context);
}

static void arrays_are_all_that_is_kept(void **state)
{
    check_arrays(IC_OPTIMIZER_SGD, 2);
    check_arrays(IC_OPTIMIZER_ADAMW, 3);
}

static ic_status create(ic_context *context, void *payload)
{
    ic_optimiser *optimiser = NULL;
    ic_status status = ic_optimiser_create(context, IC_OPTIMIZER_ADAMW, sizes, payload, &optimiser);
    ic_optimiser_free(optimiser);
    return status;
}

static void survives_no_memory(void **state)
{
    float *start = numbers(1, sizes.total);
    assert_true(test_fail_each_allocation(create, start) >= 2);
    free(start);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(follows_its_rule),
        cmocka_unit_test(arrays_are_all_that_is_kept),
        cmocka_unit_test(survives_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

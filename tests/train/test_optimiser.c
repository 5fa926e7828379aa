/* train/test_optimiser.c: twenty steps against the rules in double; threads; padding.
 * SPDX-License-Identifier: MIT */
#include "support/support.h"

#include "base/random.h"
#include "train/optimiser.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Of the graph below: several pieces of work that end within one, and no gaps. */
static ic_parameter_sizes sizes;
enum { STEPS = 20 };
static const double rate = 0.05, momentum = 0.9, decay = 0.01;

static ic_training_recipe recipe_of(ic_optimizer_kind kind)
{
    return (ic_training_recipe){.optimizer = kind,
                                .learning_rate = rate,
                                .sgd_rate = rate,
                                .momentum = momentum,
                                .weight_decay = decay,
                                .accumulate = 1};
}

/* Two linear layers with a norm between them. */
static ic_graph *make_graph(ic_context *context)
{
    ic_graph *graph;
    assert_ok(ic_graph_create(context, (ic_shape){1, 1, 208}, &graph));
    ic_node x = ic_graph_linear(graph, "fc1", ic_graph_input(graph), 192, true);
    x = ic_graph_batch_norm(graph, "norm", x);
    assert_ok(ic_graph_finish(graph, ic_graph_linear(graph, "fc2", x, 96, true)));
    return graph;
}

static int set_sizes(void **state)
{
    ic_context *context = test_context(1);
    ic_graph *graph = make_graph(context);
    sizes = ic_graph_parameter_sizes(graph);
    ic_graph_free(graph);
    ic_context_free(context);
    return 0;
}

static ic_update update_of(int64_t step)
{
    return (ic_update){
        .rate = rate, .step = step, .share = (double)(step + 1) / STEPS, .batches = 1};
}

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
    ic_graph *graph = make_graph(context);
    ic_training_recipe recipe = recipe_of(kind);
    ic_optimiser *optimiser;
    assert_ok(ic_optimiser_create(context, &recipe, graph, start, &optimiser));
    for (int step = 0; step < STEPS; step++) {
        for (int64_t i = 0; i < sizes.trained; i++)
            optimiser->gradients[i] = (float)gradient_at(base, i, step);
        ic_update update = update_of(step);
        assert_ok(ic_optimiser_step(optimiser, &update));
    }
    float *result = malloc((size_t)sizes.total * sizeof(float));
    assert_non_null(result);
    memcpy(result, optimiser->parameters, (size_t)sizes.total * sizeof(float));
    ic_optimiser_free(optimiser);
    ic_graph_free(graph);
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
static void check_arrays(const ic_training_recipe *recipe, int32_t count)
{
    ic_context *context = test_context(1);
    ic_graph *graph = make_graph(context);
    ic_optimiser *pair[2];
    ic_optimiser_array arrays[2][IC_OPTIMISER_ARRAYS_MAX];
    float *start = numbers(1, sizes.total);
    ic_update first = update_of(0), second = update_of(1);
    for (int i = 0; i < 2; i++) {
        assert_ok(ic_optimiser_create(context, recipe, graph, start, &pair[i]));
        assert_int_equal(ic_optimiser_arrays(pair[i], arrays[i]), count);
    }
    memcpy(ic_optimiser_target(pair[0], 0), start, (size_t)sizes.trained * sizeof(float));
    assert_ok(ic_optimiser_step(pair[0], &first));
    for (int32_t i = 0; i < count; i++) {
        assert_string_equal(arrays[0][i].name, arrays[1][i].name);
        memcpy(arrays[1][i].data, arrays[0][i].data, (size_t)arrays[0][i].count * sizeof(float));
    }
    for (int i = 0; i < 2; i++) {
        memcpy(ic_optimiser_target(pair[i], 0), start, (size_t)sizes.trained * sizeof(float));
        assert_ok(ic_optimiser_step(pair[i], &second));
    }
    for (int32_t i = 0; i < count; i++)
        assert_memory_equal(arrays[0][i].data, arrays[1][i].data,
                            (size_t)arrays[0][i].count * sizeof(float));
    for (int i = 0; i < 2; i++)
        ic_optimiser_free(pair[i]);
    free(start);
    ic_graph_free(graph);
    ic_context_free(context);
}

static void arrays_are_all_that_is_kept(void **state)
{
    ic_training_recipe recipe = recipe_of(IC_OPTIMIZER_SGD);
    check_arrays(&recipe, 2);
    recipe.optimizer = IC_OPTIMIZER_MUON;
    check_arrays(&recipe, 2);
    recipe.optimizer = IC_OPTIMIZER_ADAMW;
    check_arrays(&recipe, 3);
    recipe.accumulate = 2;
    recipe.average = IC_AVERAGE_EMA;
    recipe.ema_decay = 0.9;
    check_arrays(&recipe, 5);
}

static ic_status create(ic_context *context, void *payload)
{
    ic_optimiser *optimiser = NULL;
    ic_graph *graph = NULL;
    ic_training_recipe recipe = recipe_of(IC_OPTIMIZER_MUON);
    recipe.clip_norm = 1;
    ic_status status = ic_graph_create(context, (ic_shape){1, 1, 16}, &graph);
    if (status != IC_OK)
        return status;
    ic_node x = ic_graph_linear(graph, "fc1", ic_graph_input(graph), 16, true);
    status = ic_graph_finish(graph, ic_graph_linear(graph, "fc2", x, 4, true));
    if (status == IC_OK)
        status = ic_optimiser_create(context, &recipe, graph, payload, &optimiser);
    ic_optimiser_free(optimiser);
    ic_graph_free(graph);
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
    return cmocka_run_group_tests(tests, set_sizes, NULL);
}

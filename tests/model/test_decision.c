/* model/test_decision.c: what mistakes cost, kept and used. SPDX-License-Identifier: MIT */
#include "fixture.h"

#include "base/json.h"
#include "base/random.h"

#include <math.h>
#include <string.h>

/* Random probabilities of three classes, as often as wanted. */
static void draw(ic_random *random, float probabilities[3])
{
    float sum = 0;
    for (int32_t c = 0; c < 3; c++)
        sum += probabilities[c] = (float)ic_random_unit(random) + 0.001F;
    for (int32_t c = 0; c < 3; c++)
        probabilities[c] /= sum;
}

static int32_t decide(const ic_model *model, const float *probabilities)
{
    int32_t index = -1;
    assert_ok(ic_model_decide(model, probabilities, &index));
    return index;
}

static void a_threshold_is_one(void **state)
{
    static const double thresholds[] = {0.02, 0.3, 0.5, 0.97};
    ic_context *context = test_context(1);
    ic_model *model = fixture_make(context, "lenet5", 28, 1, 3, 1);
    ic_random random = ic_random_at(5, IC_USE_SPLIT, 0, 0);
    int32_t called = 0, others = 0;
    for (int32_t i = 0; i < 4000; i++) {
        int32_t index = i % 3, first = (index + 1) % 3, second = (index + 2) % 3;
        double threshold = thresholds[i % 4];
        float p[3];
        draw(&random, p);
        if (fabs((double)p[index] - threshold) < 1e-4 || p[first] == p[second])
            continue;
        assert_ok(ic_model_set_threshold(model, index, threshold));
        int32_t other = p[first] > p[second] ? first : second;
        int32_t wanted = (double)p[index] > threshold ? index : other;
        assert_int_equal(decide(model, p), wanted);
        called += wanted == index;
        others += wanted != index;
    }
    assert_true(called > 500 && others > 500);
    ic_model_free(model);
    ic_context_free(context);
}

/* Thresholds come from operating points, which are probabilities of pictures that are to be called.
 */
static void a_picture_on_the_threshold_is_called(void **state)
{
    ic_context *context = test_context(1);
    ic_model *two = fixture_make(context, "tiny", 0, 0, 2, 1);
    ic_model *three = fixture_make(context, "lenet5", 28, 1, 3, 1);
    ic_random random = ic_random_at(7, IC_USE_SPLIT, 0, 0);
    for (int32_t i = 0; i < 2000; i++) {
        float p[3], scale = i % 2 ? 1e-3F : 1;
        draw(&random, p);
        p[1] *= scale;
        p[2] = 1 - p[0] - p[1];
        assert_ok(ic_model_set_threshold(three, 1, (double)p[1]));
        assert_int_equal(decide(three, p), 1);
        p[0] = 1 - p[1];
        assert_ok(ic_model_set_threshold(two, 1, (double)p[1]));
        assert_int_equal(decide(two, p), 1);
    }
    ic_model_free(two);
    ic_model_free(three);
    ic_context_free(context);
}

static void the_lowest_expected_cost_wins(void **state)
{
    const double costs[] = {0, 1, 4, 2, 0, 1, 10, 3, 0};
    ic_context *context = test_context(1);
    ic_model *model = fixture_make(context, "lenet5", 28, 1, 3, 1);
    ic_random random = ic_random_at(6, IC_USE_SPLIT, 0, 0);
    assert_ok(ic_model_set_costs(model, costs));
    for (int32_t i = 0; i < 1000; i++) {
        double least = INFINITY, chosen = INFINITY;
        float p[3];
        draw(&random, p);
        int32_t index = decide(model, p);
        for (int32_t j = 0; j < 3; j++) {
            double cost = 0;
            for (int32_t k = 0; k < 3; k++)
                cost += (double)p[k] * costs[3 * k + j];
            least = cost < least ? cost : least;
            chosen = j == index ? cost : chosen;
        }
        assert_true(chosen <= least);
    }
    ic_model_free(model);
    ic_context_free(context);
}

static void the_file_keeps_them(void **state)
{
    const double costs[] = {0, 0.25, 7, 0};
    double read[4] = {-1, -1, -1, -1};
    ic_context *context = test_context(1);
    ic_model *model = fixture_make(context, "tiny", 0, 0, 2, 1), *loaded;
    ic_buffer plain = fixture_bytes(model);
    assert_fails(IC_ERROR_STATE, "no costs", ic_model_costs(model, read));
    assert_ok(ic_model_set_costs(model, costs));
    ic_buffer bytes = fixture_bytes(model);
    assert_ok(ic_model_load_memory(context, bytes.bytes, bytes.size, &loaded));
    assert_ok(ic_model_costs(loaded, read));
    assert_memory_equal(read, costs, sizeof costs);
    char json[4096];
    size_t size;
    assert_ok(ic_model_json(loaded, json, sizeof json, &size));
    assert_non_null(strstr(json, "\"costs\":[[0.0,0.25],[7.0,0.0]]"));
    assert_ok(ic_model_set_costs(model, NULL));
    ic_buffer again = fixture_bytes(model);
    assert_int_equal(again.size, plain.size);
    assert_memory_equal(again.bytes, plain.bytes, plain.size);
    ic_buffer_free(&plain);
    ic_buffer_free(&bytes);
    ic_buffer_free(&again);
    ic_model_free(loaded);
    ic_model_free(model);
    ic_context_free(context);
}

static void impossible_costs_are_refused(void **state)
{
    static const double bad[][4] = {
        {0, -1, 1, 0}, {0, (double)NAN, 1, 0}, {0, (double)INFINITY, 1, 0}, {0.5, 1, 1, 0}};
    const float p[] = {0.5F, 0.5F};
    double costs[4];
    int32_t index = 7;
    ic_context *context = test_context(1);
    ic_model *model = fixture_make(context, "tiny", 0, 0, 2, 1);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_fails(IC_ERROR_ARGUMENT, "cost", ic_model_set_costs(model, bad[i]));
    assert_fails(IC_ERROR_ARGUMENT, "class 2 of 2", ic_model_set_threshold(model, 2, 0.5));
    assert_fails(IC_ERROR_ARGUMENT, "threshold", ic_model_set_threshold(model, 0, 1));
    assert_fails(IC_ERROR_ARGUMENT, "threshold", ic_model_set_threshold(model, 0, (double)NAN));
    assert_fails(IC_ERROR_ARGUMENT, "model", ic_model_set_threshold(NULL, 0, 0.5));
    assert_ok(ic_model_set_threshold(model, 0, 0.5));
    assert_fails(IC_ERROR_ARGUMENT, "number 1 ",
                 ic_model_decide(model, (const float[]){0.5F, NAN}, &index));
    assert_fails(IC_ERROR_ARGUMENT, "number 0 ",
                 ic_model_decide(model, (const float[]){-0.5F, 1}, &index));
    assert_int_equal(index, 7);
    assert_ok(ic_model_set_costs(model, NULL));
    assert_fails(IC_ERROR_ARGUMENT, "model", ic_model_set_costs(NULL, costs));
    assert_fails(IC_ERROR_ARGUMENT, "costs", ic_model_costs(model, NULL));
    assert_fails(IC_ERROR_ARGUMENT, "probabilities", ic_model_decide(model, NULL, &index));
    assert_fails(IC_ERROR_STATE, "no costs", ic_model_decide(model, p, &index));
    assert_int_equal(index, 7);
    ic_model_free(model);
    ic_context_free(context);
}

static ic_status keep_and_read(ic_context *context, void *payload)
{
    ic_model *model = NULL, *loaded = NULL;
    ic_buffer bytes = {.context = context};
    ic_status status = fixture_model(context, "tiny", 0, 0, 2, 1, &model);
    if (status >= 0)
        status = ic_model_set_threshold(model, 1, 0.25);
    if (status >= 0)
        status = ic_model_write(model, NULL, &bytes);
    if (status >= 0)
        status = ic_model_load_memory(context, bytes.bytes, bytes.size, &loaded);
    ic_buffer_free(&bytes);
    ic_model_free(loaded);
    ic_model_free(model);
    return status;
}

static void no_allocation_is_missed(void **state)
{
    assert_true(test_fail_each_allocation(keep_and_read, NULL) > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_threshold_is_one),
        cmocka_unit_test(a_picture_on_the_threshold_is_called),
        cmocka_unit_test(the_lowest_expected_cost_wins),
        cmocka_unit_test(the_file_keeps_them),
        cmocka_unit_test(impossible_costs_are_refused),
        cmocka_unit_test(no_allocation_is_missed),
    };
    return cmocka_run_group_tests_name("model/decision", tests, NULL, NULL);
}

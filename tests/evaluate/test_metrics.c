/* evaluate/test_metrics.c: figures of merit against hand-computed ones. SPDX-License-Identifier:
 * MIT */
#include "support/support.h"

#include "base/random.h"
#include "base/status.h"
#include "evaluate/metrics.h"

#include <math.h>
#include <string.h>

#define CLOSE(a, b) assert_true(fabs((a) - (b)) < 1e-12)

static ic_metrics measure(ic_context *context, int32_t classes, int64_t count,
                          const int32_t *labels, const float *probabilities)
{
    float losses[64];
    ic_metrics metrics;
    for (int64_t i = 0; i < count; i++)
        losses[i] = (float)i;
    ic_scores scores = {classes, count, labels, probabilities, losses};
    assert_ok(ic_metrics_measure(context, &scores, &metrics));
    return metrics;
}

/*
 * Six pictures of three classes; predictions 0 1 | 1 1 | 2 0:
 *              predicted        precision  recall  f1
 *   actual 0    1  1  0         1/2        1/2     2 / (2 + 2)
 *          1    0  2  0         2/3        1       4 / (2 + 3)
 *          2    1  0  1         1          1/2     2 / (2 + 1)
 * Areas, as pairs (positive above negative, ties a half): class 0: .7 beats 4 and .3 beats 3 of 4:
 * 7/8; class 1: 8/8; class 2: .6 beats 4, .25 beats 2 and ties with 1: 6.5/8.
 */
static void test_three_classes(void **state)
{
    const int32_t labels[] = {0, 0, 1, 1, 2, 2};
    const float probabilities[] = {.7f,  .2f, .1f,  .3f, .4f, .3f, .1f, .8f,  .1f,
                                   .25f, .5f, .25f, .2f, .2f, .6f, .5f, .25f, .25f};
    const int64_t confusion[] = {1, 1, 0, 0, 2, 0, 1, 0, 1};
    ic_context *context = test_context(1);
    ic_metrics m = measure(context, 3, 6, labels, probabilities);
    assert_int_equal(m.count, 6);
    assert_memory_equal(m.confusion, confusion, sizeof confusion);
    CLOSE(m.figures[IC_ACCURACY], 4.0 / 6);
    CLOSE(m.figures[IC_TOP5], 1); /* of three classes, all are among the first five */
    CLOSE(m.figures[IC_LOSS], 15.0 / 6);
    CLOSE(m.per_class[0].figures[IC_CLASS_PRECISION], 0.5);
    CLOSE(m.per_class[1].figures[IC_CLASS_PRECISION], 2.0 / 3);
    CLOSE(m.per_class[2].figures[IC_CLASS_PRECISION], 1);
    CLOSE(m.per_class[0].figures[IC_CLASS_RECALL], 0.5);
    CLOSE(m.per_class[1].figures[IC_CLASS_RECALL], 1);
    CLOSE(m.per_class[2].figures[IC_CLASS_RECALL], 0.5);
    CLOSE(m.per_class[0].figures[IC_CLASS_F1], 0.5);
    CLOSE(m.per_class[1].figures[IC_CLASS_F1], 0.8);
    CLOSE(m.per_class[2].figures[IC_CLASS_F1], 2.0 / 3);
    CLOSE(m.per_class[0].figures[IC_CLASS_AUC], 7.0 / 8);
    CLOSE(m.per_class[1].figures[IC_CLASS_AUC], 1);
    CLOSE(m.per_class[2].figures[IC_CLASS_AUC], 6.5 / 8);
    CLOSE(m.figures[IC_AUC], (7 + 8 + 6.5) / 24);
    CLOSE(m.figures[IC_PRECISION], 13.0 / 18);
    CLOSE(m.figures[IC_RECALL], 2.0 / 3);
    CLOSE(m.figures[IC_F1], 59.0 / 90);
    for (int c = 0; c < 3; c++)
        assert_int_equal(m.per_class[c].support, 2);
    ic_metrics_free(context, &m);
    ic_context_free(context);
}

/*
 * Four pictures of class 0, one of class 1, none of class 2; predictions 0 0 0 2 | 0. Class 0:
 * precision 3/4, recall 3/4, f1 6/8; class 1: nothing; class 2 has no pictures: it is in no mean.
 */
static void test_a_class_without_pictures(void **state)
{
    const int32_t labels[] = {0, 0, 0, 0, 1};
    const float probabilities[] = {.8f, .1f, .1f, .8f, .1f, .1f, .8f, .1f,
                                   .1f, .1f, .1f, .8f, .6f, .3f, .1f};
    ic_context *context = test_context(1);
    ic_metrics m = measure(context, 3, 5, labels, probabilities);
    CLOSE(m.figures[IC_ACCURACY], 0.6);
    CLOSE(m.per_class[0].figures[IC_CLASS_PRECISION], 0.75);
    CLOSE(m.per_class[0].figures[IC_CLASS_RECALL], 0.75);
    CLOSE(m.per_class[0].figures[IC_CLASS_F1], 0.75);
    CLOSE(m.per_class[1].figures[IC_CLASS_PRECISION], 0);
    CLOSE(m.per_class[2].figures[IC_CLASS_PRECISION], 0);
    CLOSE(m.per_class[2].figures[IC_CLASS_RECALL], 0);
    assert_int_equal(m.per_class[2].support, 0);
    CLOSE(m.figures[IC_PRECISION], 0.375);
    CLOSE(m.figures[IC_RECALL], 0.375);
    CLOSE(m.figures[IC_WEIGHTED_PRECISION], 0.6);
    CLOSE(m.figures[IC_WEIGHTED_RECALL], 0.6);
    CLOSE(m.figures[IC_WEIGHTED_F1], 0.6);
    assert_true(isnan(m.per_class[2].figures[IC_CLASS_AUC]));
    CLOSE(m.per_class[0].figures[IC_CLASS_AUC], 3.0 / 4); /* .8 three times above .6, .1 below */
    CLOSE(m.per_class[1].figures[IC_CLASS_AUC], 1);
    CLOSE(m.figures[IC_AUC], (0.75 + 1) / 2);
    ic_metrics_free(context, &m);
    ic_context_free(context);
}

static void test_binary_area_is_that_of_class_1(void **state)
{
    /* Of the four pairs (positive, negative), .35 is below .4: 3/4. */
    const int32_t labels[] = {0, 0, 1, 1};
    const float probabilities[] = {.9f, .1f, .6f, .4f, .65f, .35f, .2f, .8f};
    const int32_t one_kind[] = {1, 1, 1, 1};
    ic_context *context = test_context(1);
    ic_metrics m = measure(context, 2, 4, labels, probabilities);
    CLOSE(m.figures[IC_AUC], 0.75);
    CLOSE(m.per_class[1].figures[IC_CLASS_AUC], 0.75);
    ic_metrics_free(context, &m);
    m = measure(context, 2, 4, one_kind, probabilities);
    assert_true(isnan(m.figures[IC_AUC]));
    ic_metrics_free(context, &m);
    ic_context_free(context);
}

static void test_ties_go_to_the_lower_class(void **state)
{
    /* Seven classes of one probability: 0 is predicted, 0..4 are the first five. */
    float probabilities[7 * 7];
    int32_t labels[7];
    for (int i = 0; i < 49; i++)
        probabilities[i] = 1.0f / 7;
    for (int32_t i = 0; i < 7; i++)
        labels[i] = i;
    ic_context *context = test_context(1);
    ic_metrics m = measure(context, 7, 7, labels, probabilities);
    CLOSE(m.figures[IC_ACCURACY], 1.0 / 7);
    CLOSE(m.figures[IC_TOP5], 5.0 / 7);
    for (int c = 0; c < 7; c++) {
        assert_int_equal(m.confusion[c * 7], 1);
        CLOSE(m.per_class[c].figures[IC_CLASS_AUC], 0.5);
    }
    CLOSE(m.figures[IC_AUC], 0.5);
    ic_metrics_free(context, &m);
    ic_context_free(context);
}

/* The definition: the share of pairs with the positive above the negative, ties a half. */
static double auc_by_pairs(const ic_scores *scores, int32_t class_index)
{
    double won = 0, pairs = 0;
    for (int64_t i = 0; i < scores->count; i++)
        for (int64_t j = 0; j < scores->count; j++) {
            if (scores->labels[i] != class_index || scores->labels[j] == class_index)
                continue;
            float a = scores->probabilities[i * scores->classes + class_index];
            float b = scores->probabilities[j * scores->classes + class_index];
            won += a > b ? 1 : a == b ? 0.5 : 0;
            pairs++;
        }
    return won / pairs;
}

static void test_area_against_pairs(void **state)
{
    enum { COUNT = 157, CLASSES = 3 };
    int32_t labels[COUNT];
    float probabilities[COUNT * CLASSES], losses[COUNT] = {0};
    ic_context *context = test_context(1);
    for (int levels = 1; levels <= 1000; levels *= 10) { /* from all tied to hardly any */
        ic_random random = ic_random_at(3, IC_USE_SHUFFLE, (uint64_t)levels, 0);
        for (int i = 0; i < COUNT; i++)
            labels[i] = (int32_t)ic_random_below(&random, CLASSES);
        for (int i = 0; i < COUNT * CLASSES; i++)
            probabilities[i] = (float)ic_random_below(&random, (uint64_t)levels) / 1000;
        ic_scores scores = {CLASSES, COUNT, labels, probabilities, losses};
        ic_metrics m;
        assert_ok(ic_metrics_measure(context, &scores, &m));
        for (int32_t c = 0; c < CLASSES; c++)
            CLOSE(m.per_class[c].figures[IC_CLASS_AUC], auc_by_pairs(&scores, c));
        ic_metrics_free(context, &m);
    }
    ic_context_free(context);
}

static ic_status measure_flow(ic_context *context, void *payload)
{
    ic_metrics metrics;
    IC_TRY(ic_metrics_measure(context, payload, &metrics));
    ic_metrics_free(context, &metrics);
    return IC_OK;
}

static void test_out_of_memory(void **state)
{
    const int32_t labels[] = {0, 1};
    const float probabilities[] = {1, 0, 0.5f, 0.5f}, losses[] = {0, 1};
    ic_scores scores = {2, 2, labels, probabilities, losses};
    assert_true(test_fail_each_allocation(measure_flow, &scores) >= 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_three_classes),
        cmocka_unit_test(test_a_class_without_pictures),
        cmocka_unit_test(test_binary_area_is_that_of_class_1),
        cmocka_unit_test(test_ties_go_to_the_lower_class),
        cmocka_unit_test(test_area_against_pairs),
        cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

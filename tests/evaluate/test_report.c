/*
 * evaluate/test_report.c: what reports say as a whole: every picture, JSON, resampling, comparisons
 * of two. SPDX-License-Identifier: MIT
 */
#include "evaluate/scores.h"

#include "base/status.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Pictures and JSON ---- */

static json_t *json_of(const ic_report *report)
{
    size_t size;
    assert_ok(ic_report_json(report, NULL, 0, &size));
    char *text = malloc(size);
    assert_ok(ic_report_json(report, text, size, &size));
    json_t *json = json_loads(text, 0, NULL);
    assert_non_null(json);
    free(text);
    return json;
}

static double number_at(const json_t *array, size_t index)
{
    assert_true(index < json_array_size(array));
    return json_number_value(json_array_get(array, index));
}

static void test_pictures_and_json(void **state)
{
    ic_context *context = test_context(1);
    made_scores m = random_scores(3, 900, 1, 1000);
    ic_report *report = make_report(context, &m.scores, 30);
    json_t *json = json_of(report), *pictures = json_object_get(json, "pictures");
    int64_t cells[3][3] = {{0}}, counted;
    assert_int_equal(json_array_size(pictures), 900);
    for (int64_t i = 0; i < 900; i++) {
        const char *origin;
        int32_t actual, predicted, classes;
        float probability;
        const float *row;
        const json_t *entry = json_array_get(pictures, (size_t)i);
        assert_ok(ic_report_picture(report, i, &origin, &actual, &predicted, &probability));
        assert_ok(ic_report_probabilities(report, i, &row, &classes));
        assert_int_equal(classes, 3);
        assert_memory_equal(row, m.probabilities + 3 * i, 3 * sizeof *row);
        assert_true(actual == m.labels[i] && row[predicted] == probability);
        assert_string_equal(json_string_value(json_object_get(entry, "file")), origin);
        assert_true(json_integer_value(json_object_get(entry, "predicted")) == predicted);
        assert_true(json_real_value(json_object_get(entry, "loss")) == (double)m.losses[i]);
        cells[actual][predicted]++;
    }
    for (int32_t a = 0; a < 3; a++)
        for (int32_t p = 0; p < 3; p++) {
            assert_ok(ic_report_confusion(report, a, p, &counted));
            assert_int_equal(counted, cells[a][p]);
        }
    const json_t *intervals = json_object_get(json, "intervals");
    for (int f = 0; f < IC_FIGURES; f++) {
        double low, high;
        assert_ok(ic_report_interval(report, ic_figure_names[f], &low, &high));
        const json_t *pair = json_object_get(intervals, ic_figure_names[f]);
        assert_true(number_at(pair, 0) == low && number_at(pair, 1) == high);
    }
    const json_t *third = json_array_get(json_object_get(json, "per_class"), 2);
    const json_t *roc = json_object_get(third, "roc");
    const json_t *rates = json_object_get(roc, "true_positive_rate");
    assert_int_equal(json_array_size(rates), 200); /* thinned, with both ends */
    assert_true(number_at(rates, 0) == 0 && number_at(rates, 199) == 1);
    assert_true(json_is_null(json_array_get(json_object_get(roc, "threshold"), 0)));
    assert_int_equal(json_object_size(json_object_get(third, "intervals")), IC_CLASS_FIGURES);
    assert_int_equal(
        json_array_size(json_object_get(json_object_get(json, "calibration"), "share")), 15);
    assert_fails(IC_ERROR_ARGUMENT, "picture 900, but the pictures are 0..899",
                 ic_report_picture(report, 900, NULL, NULL, NULL, NULL));
    assert_fails(IC_ERROR_ARGUMENT, "picture -1", ic_report_probabilities(report, -1, NULL, NULL));
    json_decref(json);
    ic_report_free(report);
    free_scores(&m);
    ic_context_free(context);
}

static void test_without_resamples(void **state)
{
    ic_context *context = test_context(1);
    made_scores m = random_scores(2, 30, 1, 100);
    ic_report *report = make_report(context, &m.scores, 0);
    double low, high;
    assert_ok(ic_report_interval(report, "accuracy", &low, &high));
    assert_ok(ic_report_class_interval(report, 1, "specificity", &low, &high));
    assert_fails(IC_ERROR_NOT_FOUND, "the option resamples is 0",
                 ic_report_interval(report, "auc", &low, &high));
    assert_fails(IC_ERROR_NOT_FOUND, "the option resamples is 0",
                 ic_report_class_interval(report, 1, "f1", &low, &high));
    assert_fails(IC_ERROR_NOT_FOUND, "no interval of \"count\"",
                 ic_report_interval(report, "count", &low, &high));
    assert_fails(IC_ERROR_NOT_FOUND, "\"support\"",
                 ic_report_class_interval(report, 1, "support", &low, &high));
    assert_fails(IC_ERROR_ARGUMENT, "class 2",
                 ic_report_class_interval(report, 2, "f1", &low, &high));
    json_t *json = json_of(report);
    assert_int_equal(json_object_size(json_object_get(json, "intervals")), 2);
    json_decref(json);
    ic_report_free(report);
    free_scores(&m);
    ic_context_free(context);
}

static int32_t stop(const ic_progress *progress, void *payload)
{
    assert_string_equal(ic_progress_phase(progress), "resample");
    (*(int *)payload)++;
    return 1;
}

static void test_resampling_can_be_stopped(void **state)
{
    ic_context *context = test_context(1);
    made_scores m = random_scores(2, 30, 1, 100);
    ic_report *report = make_report(context, &m.scores, 100);
    double low = 7, high = 7;
    int calls = 0;
    assert_ok(ic_context_set_progress(context, stop, &calls));
    assert_ok(ic_report_interval(report, "accuracy", &low, &high)); /* takes no resamples */
    low = high = 7;
    assert_fails(IC_ERROR_CANCELLED, "resample", ic_report_interval(report, "auc", &low, &high));
    assert_true(calls == 1 && low == 7 && high == 7);
    assert_ok(ic_context_set_progress(context, NULL, NULL));
    assert_ok(ic_report_interval(report, "auc", &low, &high));
    assert_true(low < high);
    ic_report_free(report);
    free_scores(&m);
    ic_context_free(context);
}

/* ---- Decisions ---- */

/* Costs that make the third class worth calling at a quarter of its probability. */
static void test_decisions(void **state)
{
    static const double costs[9] = {0, 1, 1, 1, 0, 2, 4, 3, 0};
    ic_context *context = test_context(1);
    made_scores m = random_scores(3, 200, 1, 1000);
    ic_report *report = make_report(context, &m.scores, 4);
    int64_t counts[3][3] = {{0}}, right = 0, got;
    double paid = 0, value;
    assert_fails(IC_ERROR_NOT_FOUND, "imgcls decide", ic_report_decision(report, 0, 0, &got));
    assert_fails(IC_ERROR_NOT_FOUND, "no costs", ic_report_value(report, "decision_cost", &value));
    assert_ok(ic_model_set_costs(report->model, costs));
    assert_ok(ic_report_decide(report));
    for (int64_t i = 0; i < 200; i++) {
        int32_t called;
        assert_ok(ic_model_decide(report->model, m.probabilities + 3 * i, &called));
        counts[m.labels[i]][called]++;
        right += called == m.labels[i];
        paid += costs[3 * m.labels[i] + called];
    }
    json_t *json = json_of(report), *decisions = json_object_get(json, "decisions");
    const json_t *rows = json_object_get(decisions, "confusion");
    for (int32_t a = 0; a < 3; a++)
        for (int32_t c = 0; c < 3; c++) {
            assert_ok(ic_report_decision(report, a, c, &got));
            assert_int_equal(got, counts[a][c]);
            assert_true(number_at(json_array_get(rows, (size_t)a), (size_t)c) == (double)got);
        }
    check_close(value_of(report, "decision_accuracy"), (double)right / 200, 1e-12, "accuracy", 0);
    check_close(value_of(report, "decision_cost"), paid / 200, 1e-12, "cost", 0);
    assert_true(value_of(report, "decision_accuracy") != value_of(report, "accuracy"));
    assert_fails(IC_ERROR_ARGUMENT, "class 3", ic_report_decision(report, 0, 3, &got));
    assert_fails(IC_ERROR_NOT_FOUND, "\"decision_x\"",
                 ic_report_value(report, "decision_x", &value));
    json_decref(json);
    assert_ok(ic_model_set_costs(report->model, NULL));
    assert_ok(ic_report_decide(report));
    assert_fails(IC_ERROR_NOT_FOUND, "no costs", ic_report_decision(report, 0, 0, &got));
    json = json_of(report);
    assert_true(json_is_null(json_object_get(json, "decisions")));
    json_decref(json);
    ic_report_free(report);
    free_scores(&m);
    ic_context_free(context);
}

/* ---- Comparisons ---- */

static double compared(const ic_comparison *comparison, const char *name)
{
    double value;
    assert_ok(ic_comparison_value(comparison, name, &value));
    return value;
}

/* A model that has the classes in another order. */
static void turn_classes(ic_report *report)
{
    char **names = report->model->classes, *first = names[0];
    names[0] = names[1];
    names[1] = names[2];
    names[2] = first;
}

static void keep_warning(int32_t level, const char *message, void *payload)
{
    if (level == IC_LOG_WARNING)
        snprintf(payload, 400, "%s", message);
}

/*
 * Twelve pictures before, ten after; picture 9 has another class there. Of the nine others,
 * memory#1..9, both have 5 right, 3 are lost, and 1 is gained.
 */
static void test_comparison(void **state)
{
    char warning[400] = "";
    ic_context *context = test_context(1);
    made_scores before = make_scores(3, 12), after = make_scores(3, 10);
    for (int32_t i = 0; i < 12; i++) {
        int32_t label = i % 3, wrong = (label + 1) % 3;
        before.labels[i] = label;
        set_prediction(&before, i, i == 8 ? wrong : label);
        if (i >= 10)
            continue;
        after.labels[i] = (label + 2) % 3; /* in the order of turned classes */
        set_prediction(&after, i, (i < 3 ? wrong + 2 : label + 2) % 3);
    }
    after.labels[9] = (after.labels[9] + 1) % 3;
    after.probabilities[1 * 3 + (1 + 1 + 2) % 3] = 0.875f; /* the surest mistake */
    ic_report *first = make_report(context, &before.scores, 0);
    ic_report *second = make_report(context, &after.scores, 0);
    ic_comparison *comparison;
    turn_classes(second);
    assert_ok(ic_context_set_log(context, keep_warning, warning));
    assert_ok(ic_report_compare(first, second, &comparison));
    ic_report_free(first);
    ic_report_free(second);
    assert_non_null(strstr(warning, "9 pictures are compared, of 12 measured before and 10 after"));
    assert_true(compared(comparison, "count") == 9 && compared(comparison, "both_right") == 5);
    assert_true(compared(comparison, "only_before_right") == 3);
    assert_true(compared(comparison, "only_after_right") == 1);
    assert_true(compared(comparison, "both_wrong") == 0);
    assert_true(compared(comparison, "unmatched_before") == 2);
    assert_true(compared(comparison, "unmatched_after") == 0);
    assert_true(compared(comparison, "relabelled") == 1);
    check_close(compared(comparison, "accuracy_before"), 8.0 / 9, 1e-12, "before", 0);
    check_close(compared(comparison, "accuracy_after"), 6.0 / 9, 1e-12, "after", 0);
    check_close(compared(comparison, "p_value"), 0.625, 1e-12, "p", 0); /* 2 (1 + 4) / 16 */
    check_close(compared(comparison, "chi_square"), 0.25, 1e-12, "chi-square", 0);
    const char *texts[4];
    double chances[2];
    static const char *const wanted[3][4] = {{"memory#2", "class 1", "class 1", "class 2"},
                                             {"memory#1", "class 0", "class 0", "class 1"},
                                             {"memory#3", "class 2", "class 2", "class 0"}};
    for (int64_t i = 0; i < 3; i++) {
        assert_ok(ic_comparison_change(comparison, "regressions", i, &texts[0], &texts[1],
                                       &texts[2], &chances[0], &texts[3], &chances[1]));
        assert_true(chances[0] == 0.75 && chances[1] == (i == 0 ? 0.875 : 0.75));
        for (int t = 0; t < 4; t++)
            assert_string_equal(texts[t], wanted[i][t]);
    }
    assert_ok(
        ic_comparison_change(comparison, "gains", 0, &texts[0], NULL, NULL, NULL, &texts[3], NULL));
    assert_string_equal(texts[0], "memory#9");
    assert_string_equal(texts[3], "class 2");
    assert_fails(IC_ERROR_ARGUMENT, "gains has 1 entries, no 1",
                 ic_comparison_change(comparison, "gains", 1, NULL, NULL, NULL, NULL, NULL, NULL));
    assert_fails(IC_ERROR_NOT_FOUND, "regressions and gains",
                 ic_comparison_change(comparison, "count", 0, NULL, NULL, NULL, NULL, NULL, NULL));
    double value;
    assert_fails(IC_ERROR_NOT_FOUND, "\"gains\"", ic_comparison_value(comparison, "gains", &value));
    size_t size;
    assert_ok(ic_comparison_json(comparison, NULL, 0, &size));
    char *text = malloc(size);
    assert_ok(ic_comparison_json(comparison, text, size, &size));
    assert_non_null(strstr(text,
                           "{\"file\":\"memory#9\",\"class\":\"class 2\",\"before\":\"class 0\","
                           "\"before_probability\":0.75,\"after\":\"class 2\","
                           "\"after_probability\":0.75}"));
    free(text);
    ic_comparison_free(comparison);
    ic_comparison_free(NULL);
    free_scores(&before);
    free_scores(&after);
    ic_context_free(context);
}

static void test_nothing_in_common(void **state)
{
    ic_context *context = test_context(1);
    made_scores m = random_scores(3, 1, 1, 100);
    ic_report *first = make_report(context, &m.scores, 0);
    m.labels[0] = (m.labels[0] + 1) % 3;
    ic_report *second = make_report(context, &m.scores, 0);
    ic_comparison *comparison = NULL;
    assert_fails(IC_ERROR_DATA, "no picture in common",
                 ic_report_compare(first, second, &comparison));
    assert_null(comparison);
    assert_fails(IC_ERROR_ARGUMENT, "after is NULL", ic_report_compare(first, NULL, &comparison));
    ic_report_free(first);
    ic_report_free(second);
    free_scores(&m);
    ic_context_free(context);
}

/* ---- Memory ---- */

static ic_status whole_flow(ic_context *context, void *payload)
{
    ic_report *report = NULL, *other = NULL;
    ic_comparison *comparison = NULL;
    const made_scores *both = payload;
    double value, low, high;
    size_t size;
    ic_status status;
    IC_TRY_CLEAN(create_report(context, &both[0].scores, 4, &report));
    IC_TRY_CLEAN(create_report(context, &both[1].scores, 4, &other));
    IC_TRY_CLEAN(ic_report_value(report, "ece_limit", &value));
    IC_TRY_CLEAN(ic_report_interval(report, "auc", &low, &high));
    IC_TRY_CLEAN(ic_report_operating_point(report, 1, "sensitivity", 0.9, &value, NULL, NULL));
    IC_TRY_CLEAN(ic_report_compare(report, other, &comparison));
    IC_TRY_CLEAN(ic_comparison_json(comparison, NULL, 0, &size));
    status = ic_report_json(other, NULL, 0, &size);
cleanup:
    ic_comparison_free(comparison);
    ic_report_free(report);
    ic_report_free(other);
    return status;
}

static void test_out_of_memory(void **state)
{
    made_scores both[2] = {random_scores(2, 7, 1, 100), random_scores(2, 7, 1, 100)};
    for (int64_t i = 0; i < 7; i++)
        set_prediction(&both[1], i, (int32_t)(i % 2));
    assert_true(test_fail_each_allocation(whole_flow, both) > 60);
    free_scores(&both[0]);
    free_scores(&both[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pictures_and_json),
        cmocka_unit_test(test_without_resamples),
        cmocka_unit_test(test_resampling_can_be_stopped),
        cmocka_unit_test(test_decisions),
        cmocka_unit_test(test_comparison),
        cmocka_unit_test(test_nothing_in_common),
        cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

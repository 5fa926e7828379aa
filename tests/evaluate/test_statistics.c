/*
 * evaluate/test_statistics.c: figures, their intervals and curves against scikit-learn, SciPy and
 * statsmodels, and against what they must be whatever the scores. SPDX-License-Identifier: MIT
 */
#include "evaluate/scores.h"

#include "base/maths.h"
#include "base/random.h"
#include "evaluate/goldens_statistics.h"
#include "evaluate/reliability.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const curve_kinds[] = {"roc", "precision_recall", "calibration"};

static made_scores golden_scores(const golden *g)
{
    made_scores m = make_scores(g->classes, g->count);
    memcpy(m.labels, g->labels, (size_t)g->count * sizeof *m.labels);
    for (int64_t i = 0; i < g->count * g->classes; i++)
        m.probabilities[i] = (float)g->units[i] / (float)g->scale;
    add_losses(&m);
    return m;
}

/* ---- Against others ---- */

static int32_t *golden_indices(int64_t count)
{
    int32_t *indices = malloc((size_t)count * GOLDEN_RESAMPLES * sizeof *indices);
    uint32_t state = 1;
    for (int64_t i = 0; i < count * GOLDEN_RESAMPLES; i++) {
        state = state * 1664525u + 1013904223u;
        indices[i] = (int32_t)((state >> 16) % (uint32_t)count);
    }
    return indices;
}

static void check_figures(const golden *g, const ic_metrics *metrics)
{
    for (int f = 0; f < IC_FIGURES; f++)
        check_close(metrics->figures[f], g->figures[f], f == IC_LOSS ? 1e-6 : 1e-9, g->name, f);
    for (int64_t i = 0; i < g->classes * IC_CLASS_FIGURES; i++)
        check_close(metrics->per_class[i / IC_CLASS_FIGURES].figures[i % IC_CLASS_FIGURES],
                    g->classes_figures[i], 1e-9, g->name, 100 + i);
}

static void check_intervals(const golden *g, const ic_intervals *intervals)
{
    for (int f = 0; f < IC_FIGURES; f++) {
        double tolerance = f == IC_LOSS ? 1e-6 : 1e-9;
        check_close(intervals->figures[f].low, g->intervals[2 * f], tolerance, g->name, 200 + f);
        check_close(intervals->figures[f].high, g->intervals[2 * f + 1], tolerance, g->name,
                    300 + f);
    }
    for (int64_t i = 0; i < g->classes * IC_CLASS_FIGURES; i++) {
        const ic_interval *one = &intervals->per_class[i / IC_CLASS_FIGURES][i % IC_CLASS_FIGURES];
        check_close(one->low, g->class_intervals[2 * i], 1e-9, g->name, 400 + i);
        check_close(one->high, g->class_intervals[2 * i + 1], 1e-9, g->name, 500 + i);
    }
}

static void test_figures_and_intervals(void **state)
{
    ic_context *context = test_context(2);
    for (size_t i = 0; i < sizeof goldens / sizeof *goldens; i++) {
        const golden *g = &goldens[i];
        made_scores m = golden_scores(g);
        int32_t *indices = golden_indices(g->count);
        ic_resampling resampling = {GOLDEN_LEVEL, GOLDEN_RESAMPLES, 0, indices};
        ic_metrics metrics;
        ic_intervals intervals;
        assert_ok(ic_metrics_measure(context, &m.scores, &metrics));
        check_figures(g, &metrics);
        assert_ok(ic_intervals_create(context, &metrics, GOLDEN_LEVEL, &intervals));
        assert_ok(ic_intervals_resample(context, &m.scores, &resampling, &intervals));
        check_intervals(g, &intervals);
        ic_intervals_free(context, &intervals);
        ic_metrics_free(context, &metrics);
        free(indices);
        free_scores(&m);
    }
    ic_context_free(context);
}

static void test_curves(void **state)
{
    ic_context *context = test_context(1);
    for (size_t i = 0; i < sizeof goldens / sizeof *goldens; i++) {
        const golden *g = &goldens[i];
        made_scores m = golden_scores(g);
        ic_report *report = make_report(context, &m.scores, 0);
        for (int k = 0; k < 3; k++) {
            const double *values[3], *again;
            int64_t count;
            assert_ok(ic_report_curve(report, curve_kinds[k], 1, &values[0], &values[1], &values[2],
                                      &count));
            assert_int_equal(count, g->sizes[k]);
            for (int64_t j = 0; j < 3 * count; j++)
                check_close(values[j / count][j % count], g->curves[k][j], 1e-9, curve_kinds[k], j);
            assert_ok(ic_report_curve(report, curve_kinds[k], 1, &again, NULL, NULL, &count));
            assert_ptr_equal(again, values[0]);
        }
        ic_report_free(report);
        free_scores(&m);
    }
    ic_context_free(context);
}

static void test_distributions(void **state)
{
    const double *g = golden_mcnemar;
    for (size_t i = 0; i < sizeof golden_mcnemar / sizeof *g; i += 5) {
        double p, chi_square = ic_mcnemar_chi_square((int64_t)g[i], (int64_t)g[i + 1], &p);
        double exact = ic_mcnemar_exact((int64_t)g[i], (int64_t)g[i + 1]);
        check_close(exact / g[i + 2], 1, 1e-9, "exact", (int64_t)i);
        check_close(chi_square, g[i + 3], 1e-9, "chi-square", (int64_t)i);
        check_close(p / g[i + 4], 1, 1e-9, "its p", (int64_t)i);
    }
    double p;
    assert_true(ic_mcnemar_exact(0, 0) == 1 && ic_mcnemar_chi_square(0, 0, &p) == 0 && p == 1);
    for (size_t i = 0; i < sizeof golden_above / sizeof *g; i += 2)
        check_close(ic_normal_above(golden_above[i]) / golden_above[i + 1], 1, 1e-12, "above",
                    (int64_t)i);
    for (size_t i = 0; i < sizeof golden_z / sizeof *g; i += 2)
        check_close(ic_normal_z(golden_z[i]), golden_z[i + 1], 1e-12, "z", (int64_t)i);
    g = golden_wilson;
    for (size_t i = 0; i < sizeof golden_wilson / sizeof *g; i += 5) {
        ic_interval interval = ic_wilson(g[i], g[i + 1], ic_normal_z(g[i + 2]));
        check_close(interval.low, g[i + 3], 1e-12, "Wilson", (int64_t)i);
        check_close(interval.high, g[i + 4], 1e-12, "Wilson", (int64_t)i);
    }
    assert_true(isnan(ic_wilson(0, 0, 1.96).low));
}

/* ---- What must hold ---- */

/* The trapezoids below the ROC curve are the AUC, the steps of the other the average precision. */
static void test_areas_lie_below_the_curves(void **state)
{
    ic_context *context = test_context(1);
    for (int levels = 1; levels <= 1000; levels *= 10) {
        made_scores m = random_scores(3, 211, 1, levels);
        ic_report *report = make_report(context, &m.scores, 0);
        for (int32_t c = 0; c < 3; c++) {
            const double *x, *y, *third;
            int64_t count;
            double area = 0, steps = 0, auc, average_precision;
            assert_ok(ic_report_curve(report, "roc", c, &x, &y, &third, &count));
            for (int64_t i = 1; i < count; i++) {
                area += (x[i] - x[i - 1]) * (y[i] + y[i - 1]) / 2;
                assert_true(third[i] < third[i - 1] && x[i] >= x[i - 1] && y[i] >= y[i - 1]);
            }
            assert_true(x[0] == 0 && y[0] == 0 && x[count - 1] == 1 && y[count - 1] == 1);
            assert_ok(ic_report_class_value(report, c, "auc", &auc));
            check_close(area, auc, 1e-12, "auc", c);
            assert_ok(ic_report_curve(report, "precision_recall", c, &x, &y, &third, &count));
            for (int64_t i = 1; i < count; i++)
                steps += (x[i - 1] - x[i]) * y[i - 1];
            assert_ok(ic_report_class_value(report, c, "average_precision", &average_precision));
            check_close(steps, average_precision, 1e-12, "average precision", c);
        }
        ic_report_free(report);
        free_scores(&m);
    }
    ic_context_free(context);
}

/* Sensitivity, specificity and precision of a threshold, counted. */
static void count_rates(const ic_scores *s, int32_t c, double threshold, double out[3])
{
    double hits = 0, alarms = 0, positives = 0;
    for (int64_t i = 0; i < s->count; i++) {
        bool called = (double)s->probabilities[i * s->classes + c] >= threshold;
        positives += s->labels[i] == c;
        hits += called && s->labels[i] == c;
        alarms += called && s->labels[i] != c;
    }
    out[0] = hits / positives;
    out[1] = 1 - alarms / ((double)s->count - positives);
    out[2] = hits > 0 ? hits / (hits + alarms) : 0;
}

/* No other threshold has what is wanted and more of what is left to choose. */
static void test_operating_points_are_the_best(void **state)
{
    static const char *const kinds[] = {"sensitivity", "specificity", "precision"};
    static const int other[] = {1, 0, 0};
    static const double wanted[] = {0, 0.5, 0.8, 0.95, 1};
    ic_context *context = test_context(1);
    made_scores m = random_scores(3, 150, 2, 20);
    ic_report *report = make_report(context, &m.scores, 0);
    for (int i = 0; i < 15; i++) {
        int kind = i / 5;
        double threshold, reached[3], best[3], want = wanted[i % 5];
        assert_ok(ic_report_operating_point(report, 2, kinds[kind], want, &threshold, &reached[0],
                                            &reached[1]));
        count_rates(&m.scores, 2, threshold, best);
        check_close(reached[0], best[0], 1e-12, kinds[kind], i);
        check_close(reached[1], best[1], 1e-12, kinds[kind], i);
        assert_true(best[kind] >= want - 1e-12);
        for (int64_t j = 0; j < m.scores.count; j++) {
            double rates[3];
            count_rates(&m.scores, 2, (double)m.probabilities[j * 3 + 2], rates);
            assert_true(rates[kind] < want - 1e-12 ||
                        rates[other[kind]] <= best[other[kind]] + 1e-12);
        }
    }
    ic_report_free(report);
    free_scores(&m);
    ic_context_free(context);
}

/* Class 1 is the least probable wherever it is true: nothing but the whole gives it precision. */
static void test_points_out_of_reach(void **state)
{
    ic_context *context = test_context(1);
    made_scores m = random_scores(2, 40, 0, 1000);
    for (int64_t i = 0; i < 40; i++) {
        m.labels[i] = i < 4;
        m.probabilities[2 * i + 1] = i < 4 ? 0.1f : 0.2f + 0.01f * (float)i;
    }
    ic_report *report = make_report(context, &m.scores, 0);
    double threshold = 7, sensitivity, specificity;
    assert_fails(IC_ERROR_NOT_FOUND, "class 1 has a precision of 0.5: the best has 0.1",
                 ic_report_operating_point(report, 1, "precision", 0.5, &threshold, NULL, NULL));
    assert_fails(IC_ERROR_NOT_FOUND, "there are sensitivity, specificity and precision",
                 ic_report_operating_point(report, 1, "luck", 0.5, &threshold, NULL, NULL));
    assert_fails(IC_ERROR_ARGUMENT, "from 0 to 1",
                 ic_report_operating_point(report, 1, "precision", 95, &threshold, NULL, NULL));
    assert_fails(IC_ERROR_ARGUMENT, "class 2",
                 ic_report_operating_point(report, 2, "precision", 0.5, &threshold, NULL, NULL));
    assert_true(threshold == 7);
    assert_ok(ic_report_operating_point(report, 1, "specificity", 1, &threshold, &sensitivity,
                                        &specificity));
    assert_true(isinf(threshold) && sensitivity == 0 && specificity == 1);
    ic_report_free(report);
    free_scores(&m);
    ic_context_free(context);
}

static void test_a_single_picture(void **state)
{
    static const char *const undefined[] = {"auc", "kappa"};
    ic_context *context = test_context(1);
    made_scores m = make_scores(2, 1);
    m.probabilities[0] = 0.75f;
    m.probabilities[1] = 0.25f;
    add_losses(&m);
    ic_report *report = make_report(context, &m.scores, 50);
    double low, high, value;
    int64_t count;
    const double *x, *y, *share;
    assert_true(value_of(report, "accuracy") == 1 && value_of(report, "mcc") == 0);
    assert_true(value_of(report, "ece") == 0.25 && value_of(report, "brier") == 0.0625);
    assert_true(value_of(report, "ece_limit") == 0.75); /* a quarter of the draws is wrong */
    assert_ok(ic_report_interval(report, "accuracy", &low, &high));
    check_close(low, 0.20654931437723745, 1e-12, "accuracy", 0);
    assert_true(high == 1);
    assert_ok(ic_report_interval(report, "brier", &low, &high));
    assert_true(low == 0.0625 && high == 0.0625);
    for (int i = 0; i < 2; i++) {
        assert_fails(IC_ERROR_NOT_FOUND, "not defined",
                     ic_report_value(report, undefined[i], &value));
        assert_fails(IC_ERROR_NOT_FOUND, "not defined",
                     ic_report_interval(report, undefined[i], &low, &high));
    }
    assert_fails(IC_ERROR_NOT_FOUND, "the curve roc of class 1: it is not defined here",
                 ic_report_curve(report, "roc", 1, &x, &y, &share, &count));
    assert_fails(IC_ERROR_NOT_FOUND, "precision_recall",
                 ic_report_curve(report, "lift", 1, &x, &y, &share, &count));
    assert_ok(ic_report_curve(report, "calibration", 99, &x, &y, &share, &count));
    assert_true(count == 1 && x[0] == 0.75 && y[0] == 1 && share[0] == 1);
    assert_fails(IC_ERROR_NOT_FOUND, "not defined here",
                 ic_report_operating_point(report, 1, "precision", 0.5, NULL, NULL, NULL));
    ic_report_free(report);
    free_scores(&m);
    ic_context_free(context);
}

static void test_all_right(void **state)
{
    static const char *const perfect[] = {
        "accuracy", "auc", "average_precision", "f1", "balanced_accuracy", "mcc", "kappa"};
    ic_context *context = test_context(2);
    made_scores m = make_scores(4, 60);
    for (int64_t i = 0; i < 60; i++) {
        m.labels[i] = (int32_t)(i % 4);
        m.probabilities[i * 4 + i % 4] = 1;
    }
    ic_report *report = make_report(context, &m.scores, 200);
    for (size_t i = 0; i < sizeof perfect / sizeof *perfect; i++) {
        double low, high;
        assert_true(value_of(report, perfect[i]) == 1);
        assert_ok(ic_report_interval(report, perfect[i], &low, &high));
        assert_true(high == 1 && (i == 0 ? low > 0.9 && low < 1 : low == 1));
    }
    assert_true(value_of(report, "ece") == 0 && value_of(report, "brier") == 0);
    assert_true(value_of(report, "ece_limit") == 0);
    ic_report_free(report);
    free_scores(&m);
    ic_context_free(context);
}

/* Intervals hold their figure, narrow with more pictures, widen with the level. */
static void test_intervals_behave(void **state)
{
    ic_context *context = test_context(2);
    double widths[2][IC_FIGURES];
    for (int more = 0; more < 2; more++) {
        made_scores m = random_scores(3, more ? 1600 : 100, 1, 1000);
        ic_report *report = make_report(context, &m.scores, 500);
        for (int f = 0; f < IC_FIGURES; f++) {
            double low, high, value = value_of(report, ic_figure_names[f]);
            assert_ok(ic_report_interval(report, ic_figure_names[f], &low, &high));
            assert_true(low <= high && (f == IC_ECE || (low <= value && value <= high)));
            widths[more][f] = high - low;
        }
        ic_report_free(report);
        report = make_report(context, &m.scores, 500);
        report->resampling.level = 0.6;
        double low, high;
        assert_ok(ic_report_interval(report, "auc", &low, &high));
        assert_true(high - low < 0.6 * widths[more][IC_AUC]);
        ic_report_free(report);
        free_scores(&m);
    }
    for (int f = 0; f < IC_FIGURES; f++) /* by sqrt(16); the ECE is bounded by what chance adds */
        assert_true(f == IC_TOP5 || f == IC_ECE ||
                    (widths[1][f] < widths[0][f] / 2.5 && widths[1][f] > widths[0][f] / 6));
    ic_context_free(context);
}

static void test_threads_do_not_show(void **state)
{
    made_scores m = random_scores(5, 300, 1, 100);
    ic_intervals all[3];
    double limits[3];
    for (int32_t t = 0; t < 3; t++) {
        ic_context *context = test_context(t + 1);
        ic_report *report = make_report(context, &m.scores, 70);
        assert_ok(ic_report_resample(report));
        assert_ok(ic_report_find_ece_limit(report, &limits[t]));
        memcpy(all[t].figures, report->intervals.figures, sizeof all[t].figures);
        if (t > 0) {
            assert_memory_equal(all[t].figures, all[0].figures, sizeof all[t].figures);
            assert_true(limits[t] == limits[0]);
        }
        ic_report_free(report);
        ic_context_free(context);
    }
    free_scores(&m);
}

/* Labels drawn from the probabilities exceed the limit about once in twenty times. */
static void test_the_limit_is_what_chance_gives(void **state)
{
    enum { TRIES = 100 };
    ic_context *context = test_context(2);
    made_scores m = random_scores(3, 400, 2, 1000);
    double limit;
    int above = 0;
    ic_random random = ic_random_at(5, IC_USE_SHUFFLE, 0, 0);
    assert_ok(ic_calibration_limit(context, &m.scores, 1, &limit));
    for (int t = 0; t < TRIES; t++) {
        ic_metrics metrics;
        for (int64_t i = 0; i < 400; i++) {
            double left = ic_random_unit(&random);
            int32_t c = 0;
            while (c < 2 && (left -= (double)m.probabilities[i * 3 + c]) >= 0)
                c++;
            m.labels[i] = c;
        }
        assert_ok(ic_metrics_measure(context, &m.scores, &metrics));
        above += metrics.figures[IC_ECE] > limit;
        ic_metrics_free(context, &metrics);
    }
    assert_true(above >= 1 && above <= 12);
    free_scores(&m);
    ic_context_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_figures_and_intervals),
        cmocka_unit_test(test_curves),
        cmocka_unit_test(test_distributions),
        cmocka_unit_test(test_areas_lie_below_the_curves),
        cmocka_unit_test(test_operating_points_are_the_best),
        cmocka_unit_test(test_points_out_of_reach),
        cmocka_unit_test(test_a_single_picture),
        cmocka_unit_test(test_all_right),
        cmocka_unit_test(test_intervals_behave),
        cmocka_unit_test(test_threads_do_not_show),
        cmocka_unit_test(test_the_limit_is_what_chance_gives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

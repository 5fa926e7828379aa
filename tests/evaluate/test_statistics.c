/*
 * evaluate/test_statistics.c: figures, their intervals, curves and comparisons against
 * scikit-learn, SciPy and statsmodels, and against what they must be whatever the scores.
 * SPDX-License-Identifier: MIT
 */
#include "model/fixture.h"

#include "base/maths.h"
#include "base/random.h"
#include "base/status.h"
#include "evaluate/evaluation.h"
#include "evaluate/goldens_statistics.h"
#include "evaluate/reliability.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const curve_kinds[] = {"roc", "precision_recall", "calibration"};

static void check_close(double got, double wanted, double tolerance, const char *what, int64_t at)
{
    if (isnan(got) && isnan(wanted))
        return;
    if (got != wanted && !(fabs(got - wanted) <= tolerance))
        fail_msg("%s, %lld: %.17g, not %.17g", what, (long long)at, got, wanted);
}

/* ---- Scores, and reports of them ---- */

typedef struct made_scores {
    ic_scores scores;
    int32_t *labels;
    float *probabilities, *losses;
} made_scores;

static made_scores make_scores(int32_t classes, int64_t count)
{
    made_scores m = {{classes, count}};
    m.scores.labels = m.labels = calloc((size_t)count, sizeof *m.labels);
    m.scores.losses = m.losses = calloc((size_t)count, sizeof *m.losses);
    m.scores.probabilities = m.probabilities =
        calloc((size_t)(count * classes), sizeof *m.probabilities);
    return m;
}

static void free_scores(made_scores *m)
{
    free(m->labels);
    free(m->losses);
    free(m->probabilities);
}

static void add_losses(made_scores *m)
{
    for (int64_t i = 0; i < m->scores.count; i++)
        m->losses[i] =
            (float)-ic_ln((double)m->probabilities[i * m->scores.classes + m->labels[i]]);
}

static made_scores golden_scores(const golden *g)
{
    made_scores m = make_scores(g->classes, g->count);
    memcpy(m.labels, g->labels, (size_t)g->count * sizeof *m.labels);
    for (int64_t i = 0; i < g->count * g->classes; i++)
        m.probabilities[i] = (float)g->units[i] / (float)g->scale;
    add_losses(&m);
    return m;
}

/* Probabilities that favour the label by `skill`; rounded to so many levels, for ties. */
static made_scores random_scores(int32_t classes, int64_t count, double skill, int levels)
{
    made_scores m = make_scores(classes, count);
    ic_random random = ic_random_at(7, IC_USE_SHUFFLE, (uint64_t)count, (uint64_t)classes);
    for (int64_t i = 0; i < count; i++) {
        float *row = m.probabilities + i * classes;
        double sum = 0;
        m.labels[i] = (int32_t)ic_random_below(&random, (uint64_t)classes);
        for (int32_t c = 0; c < classes; c++) {
            double power = ic_random_normal(&random) + (c == m.labels[i] ? skill : 0);
            row[c] = (float)(1 + floor(levels * ic_exp(power)));
            sum += (double)row[c];
        }
        for (int32_t c = 0; c < classes; c++)
            row[c] = (float)((double)row[c] / sum);
    }
    add_losses(&m);
    return m;
}

static ic_status copy_array(ic_context *context, const void *from, size_t size, void *out)
{
    void *copy;
    IC_TRY(ic_allocate(context, size, &copy));
    memcpy(copy, from, size);
    *(void **)out = copy;
    return IC_OK;
}

static ic_status fill_report(ic_report *report, const ic_scores *s)
{
    ic_context *context = report->context;
    size_t count = (size_t)s->count;
    ic_image *image;
    IC_TRY(ic_dataset_create(context, NULL, &report->dataset));
    for (int64_t i = 0; i < s->count; i++) {
        const unsigned char pixel[2] = {(unsigned char)i, (unsigned char)(i >> 8)};
        IC_TRY(ic_image_from_pixels(context, pixel, 2, 1, 0, IC_PIXELS_GREY8, &image));
        ic_status status = ic_dataset_add_image(report->dataset, image, "any");
        ic_image_free(image);
        IC_TRY(status);
    }
    IC_TRY(ic_allocate_array(context, count, sizeof *report->items, &report->items));
    for (int64_t i = 0; i < s->count; i++)
        report->items[i] = i;
    report->scores.classes = s->classes;
    report->scores.count = s->count;
    IC_TRY(copy_array(context, s->labels, count * sizeof *s->labels, &report->scores.labels));
    IC_TRY(copy_array(context, s->losses, count * sizeof *s->losses, &report->scores.losses));
    IC_TRY(copy_array(context, s->probabilities,
                      count * (size_t)s->classes * sizeof *s->probabilities,
                      &report->scores.probabilities));
    report->split = "all";
    IC_TRY(ic_metrics_measure(context, &report->scores, &report->metrics));
    return ic_intervals_create(context, &report->metrics, report->resampling.level,
                               &report->intervals);
}

static ic_status create_report(ic_context *context, const ic_scores *scores, int64_t resamples,
                               ic_report **out)
{
    ic_model *model;
    ic_report *report;
    ic_status status = scores->classes == 2
                           ? fixture_model(context, "tiny", 0, 0, 0, 5, &model)
                           : fixture_model(context, "lenet5", 28, 1, scores->classes, 5, &model);
    IC_TRY(status);
    status = ic_report_create(model, &report);
    ic_model_free(model);
    IC_TRY(status);
    report->resampling = (ic_resampling){.level = 0.95, .resamples = resamples, .seed = 1};
    status = fill_report(report, scores);
    if (status < 0)
        ic_report_free(report);
    else
        *out = report;
    return status;
}

static ic_report *make_report(ic_context *context, const ic_scores *scores, int64_t resamples)
{
    ic_report *report;
    assert_ok(create_report(context, scores, resamples, &report));
    return report;
}

static double value_of(const ic_report *report, const char *name)
{
    double value;
    assert_ok(ic_report_value(report, name, &value));
    return value;
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

/* ---- Comparisons ---- */

static double compared(const ic_comparison *comparison, const char *name)
{
    double value;
    assert_ok(ic_comparison_value(comparison, name, &value));
    return value;
}

static void set_prediction(made_scores *m, int64_t index, int32_t predicted)
{
    for (int32_t c = 0; c < m->scores.classes; c++)
        m->probabilities[index * m->scores.classes + c] = c == predicted ? 0.75f : 0.125f;
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
        cmocka_unit_test(test_pictures_and_json),
        cmocka_unit_test(test_without_resamples),
        cmocka_unit_test(test_resampling_can_be_stopped),
        cmocka_unit_test(test_comparison),
        cmocka_unit_test(test_nothing_in_common),
        cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* evaluate/curve.c: curves of a report, and points on them. SPDX-License-Identifier: MIT */
#include "base/memory.h"
#include "base/status.h"
#include "base/text.h"
#include "evaluate/evaluation.h"
#include "evaluate/ranking.h"
#include "evaluate/reliability.h"

#include <math.h>

/* ---- Points ---- */

enum { ROC, PRECISION_RECALL, CALIBRATION, KINDS };
static const char kind_names[KINDS][20] = {"roc", "precision_recall", "calibration"};

/*
 * Whether a cut is a corner: one between two others on a straight line is left out. Between equal
 * steps the ROC curve is straight; without a new true positive before or behind, the
 * precision-recall curve goes straight down. The first and the last probability always stay.
 */
static bool is_corner(int32_t kind, const ic_cut *cuts, int64_t i, int64_t count)
{
    if (i <= 1 || i == count - 1)
        return true;
    int64_t before = cuts[i].true_positives - cuts[i - 1].true_positives;
    int64_t behind = cuts[i + 1].true_positives - cuts[i].true_positives;
    if (kind == PRECISION_RECALL)
        return before != 0 || behind != 0;
    return before != behind || cuts[i].false_positives - cuts[i - 1].false_positives !=
                                   cuts[i + 1].false_positives - cuts[i].false_positives;
}

/* Room for a curve; its points are the caller's to fill. */
static ic_status create_curve(ic_context *context, int32_t kind, int32_t class_index, int64_t count,
                              ic_curve **out)
{
    ic_curve *curve;
    size_t size;
    if (!ic_multiply_size((size_t)count, 3 * sizeof *curve->values, &size) ||
        !ic_add_size(size, sizeof *curve, &size))
        return ic_fail(IC_ERROR_MEMORY, "out of memory for a curve of %lld points",
                       (long long)count);
    IC_TRY(ic_allocate(context, size, &curve));
    *curve = (ic_curve){NULL, kind, class_index, count};
    *out = curve;
    return IC_OK;
}

static void put_point(ic_curve *curve, int64_t at, double x, double y, double third)
{
    curve->values[at] = x;
    curve->values[curve->count + at] = y;
    curve->values[2 * curve->count + at] = third;
}

static void fill_roc(const ic_cut *cuts, int64_t count, ic_curve *curve)
{
    double positives = (double)cuts[count - 1].true_positives;
    double negatives = (double)cuts[count - 1].false_positives;
    for (int64_t i = 0, at = 0; i < count; i++)
        if (is_corner(ROC, cuts, i, count))
            put_point(curve, at++, (double)cuts[i].false_positives / negatives,
                      (double)cuts[i].true_positives / positives, cuts[i].threshold);
}

/* From the lowest threshold up; the last point stands for calling nothing positive. */
static void fill_precision_recall(const ic_cut *cuts, int64_t count, ic_curve *curve)
{
    double positives = (double)cuts[count - 1].true_positives;
    int64_t at = 0;
    for (int64_t i = count - 1; i > 0; i--) {
        double hits = (double)cuts[i].true_positives;
        if (is_corner(PRECISION_RECALL, cuts, i, count))
            put_point(curve, at++, hits / positives,
                      hits / (hits + (double)cuts[i].false_positives), cuts[i].threshold);
    }
    put_point(curve, at, 0, 1, cuts[0].threshold);
}

/* The cut that calls everything positive has all pictures of the class, and all others. */
static ic_status check_both_sides(const ic_cut *all)
{
    if (all->true_positives == 0 || all->false_positives == 0)
        return ic_fail(IC_ERROR_NOT_FOUND,
                       "it is not defined here: it takes pictures of the class and of others, and "
                       "there are %lld and %lld",
                       (long long)all->true_positives, (long long)all->false_positives);
    return IC_OK;
}

static ic_status trace_class(const ic_report *report, int32_t kind, int32_t class_index,
                             ic_curve **out)
{
    ic_cut *cuts;
    int64_t count, corners = 0;
    ic_status status;
    IC_TRY(ic_cuts_create(report->context, &report->scores, class_index, &cuts, &count));
    IC_TRY_CLEAN(check_both_sides(&cuts[count - 1]));
    for (int64_t i = 0; i < count; i++)
        corners += is_corner(kind, cuts, i, count);
    IC_TRY_CLEAN(create_curve(report->context, kind, class_index, corners, out));
    (kind == ROC ? fill_roc : fill_precision_recall)(cuts, count, *out);
cleanup:
    ic_free(report->context, cuts);
    return status;
}

static ic_status trace_calibration(const ic_report *report, ic_curve **out)
{
    ic_bin bins[IC_BINS];
    ic_tally tally;
    int64_t filled = report->scores.count < IC_BINS ? report->scores.count : IC_BINS;
    IC_TRY(ic_tally_create(report->context, &report->scores, false, &tally));
    ic_bins_fill(&tally, tally.once, bins);
    ic_tally_free(report->context, &tally);
    IC_TRY(create_curve(report->context, CALIBRATION, 0, filled, out));
    for (int64_t b = 0; b < filled; b++)
        put_point(*out, b, bins[b].confidence / bins[b].count, bins[b].right / bins[b].count,
                  bins[b].count / (double)report->scores.count);
    return IC_OK;
}

/* Curves are kept with the report, which does not change to a caller's eyes: see report.c. */
static ic_status find_curve(const ic_report *report, int32_t kind, int32_t class_index,
                            const ic_curve **out)
{
    ic_curve *curve = report->curves;
    while (curve != NULL && (curve->kind != kind || curve->class_index != class_index))
        curve = curve->next;
    if (curve == NULL) {
        IC_TRY(kind == CALIBRATION ? trace_calibration(report, &curve)
                                   : trace_class(report, kind, class_index, &curve));
        curve->next = report->curves;
        ((ic_report *)report)->curves = curve;
    }
    *out = curve;
    return IC_OK;
}

ic_status ic_report_curve(const ic_report *report, const char *kind, int32_t class_index,
                          const double **x, const double **y, const double **third, int64_t *count)
{
    if (report == NULL || kind == NULL || count == NULL)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_report_curve: %s is NULL",
                       report == NULL ? "report"
                       : kind == NULL ? "kind"
                                      : "count");
    const ic_curve *curve;
    int32_t which = ic_report_find_name(kind_names, KINDS, kind);
    if (which < 0)
        return ic_fail(IC_ERROR_NOT_FOUND,
                       "a report has no curve named \"%s\": there are roc, precision_recall and "
                       "calibration",
                       kind);
    if (which == CALIBRATION)
        class_index = 0; /* it is about the predicted class, whichever that is */
    IC_TRY(ic_report_check_class(report, class_index, "ic_report_curve"));
    ic_status status = find_curve(report, which, class_index, &curve);
    if (status < 0)
        return ic_fail_prefix(status, "the curve %s of %s: ", kind,
                              ic_model_class_name(report->model, class_index));
    if (x != NULL)
        *x = curve->values;
    if (y != NULL)
        *y = curve->values + curve->count;
    if (third != NULL)
        *third = curve->values + 2 * curve->count;
    *count = curve->count;
    return IC_OK;
}

/* ---- Operating points ---- */

typedef enum goal { SENSITIVITY, SPECIFICITY, PRECISION, GOALS } goal;
static const char goal_names[GOALS][20] = {"sensitivity", "specificity", "precision"};

typedef struct rates {
    double values[GOALS];
} rates;

static rates rates_at(const ic_cut *cut, const ic_cut *all)
{
    double hits = (double)cut->true_positives, false_alarms = (double)cut->false_positives;
    double negatives = (double)all->false_positives;
    return (rates){{hits / (double)all->true_positives, (negatives - false_alarms) / negatives,
                    hits > 0 ? hits / (hits + false_alarms) : 0}};
}

/*
 * The highest threshold of enough sensitivity; the lowest of enough specificity or precision. -1:
 * none is enough.
 */
static int64_t choose_cut(const ic_cut *cuts, int64_t count, goal kind, double wanted, double *best)
{
    int64_t chosen = -1;
    for (int64_t i = 0; i < count; i++) {
        double reached = rates_at(&cuts[i], &cuts[count - 1]).values[kind];
        *best = reached > *best ? reached : *best;
        if (reached >= wanted && (kind != SENSITIVITY || chosen < 0))
            chosen = i;
    }
    return chosen;
}

static ic_status fail_goal(const ic_report *report, int32_t class_index, double wanted, double best)
{
    char wanted_text[IC_TEXT_FLOAT_MAX], best_text[IC_TEXT_FLOAT_MAX];
    return ic_fail(IC_ERROR_NOT_FOUND, "no threshold of %s has a precision of %s: the best has %s",
                   ic_model_class_name(report->model, class_index),
                   ic_text_float(wanted, 4, wanted_text), ic_text_float(best, 4, best_text));
}

static ic_status check_point(const ic_report *report, int32_t class_index, const char *kind,
                             double wanted, goal *out)
{
    if (report == NULL || kind == NULL)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_report_operating_point: %s is NULL",
                       report == NULL ? "report" : "kind");
    IC_TRY(ic_report_check_class(report, class_index, "ic_report_operating_point"));
    int32_t found = ic_report_find_name(goal_names, GOALS, kind);
    if (found < 0)
        return ic_fail(IC_ERROR_NOT_FOUND,
                       "no operating point is chosen by \"%s\": there are sensitivity, specificity "
                       "and precision",
                       kind);
    if (!(wanted >= 0 && wanted <= 1))
        return ic_fail(IC_ERROR_ARGUMENT,
                       "ic_report_operating_point: the %s wanted is a share from 0 to 1", kind);
    *out = (goal)found;
    return IC_OK;
}

ic_status ic_report_operating_point(const ic_report *report, int32_t class_index, const char *kind,
                                    double wanted, double *threshold, double *sensitivity,
                                    double *specificity)
{
    goal chosen_goal;
    ic_cut *cuts;
    int64_t count;
    double best = 0;
    ic_status status;
    IC_TRY(check_point(report, class_index, kind, wanted, &chosen_goal));
    IC_TRY(ic_cuts_create(report->context, &report->scores, class_index, &cuts, &count));
    IC_TRY_CLEAN(check_both_sides(&cuts[count - 1]));
    int64_t chosen = choose_cut(cuts, count, chosen_goal, wanted, &best);
    if (chosen < 0) {
        status = fail_goal(report, class_index, wanted, best);
        goto cleanup;
    }
    rates reached = rates_at(&cuts[chosen], &cuts[count - 1]);
    if (threshold != NULL)
        *threshold = cuts[chosen].threshold;
    if (sensitivity != NULL)
        *sensitivity = reached.values[SENSITIVITY];
    if (specificity != NULL)
        *specificity = reached.values[SPECIFICITY];
cleanup:
    ic_free(report->context, cuts);
    return status;
}

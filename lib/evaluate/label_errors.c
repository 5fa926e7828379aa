/*
 * evaluate/label_errors.c: labels that are likely wrong, by confident learning (Northcutt, Jiang,
 * Chuang 2021, arXiv:1911.00068): a picture is counted to class k if its probability of k is at
 * least the mean that pictures labelled k have; where the most probable of such classes is not its
 * label, the label is doubted. The mean of each class as its threshold makes up for classes that a
 * model is surer of than of others. SPDX-License-Identifier: MIT
 */
#include "base/memory.h"
#include "base/status.h"
#include "evaluate/evaluation.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Of the rows of one picture (one, or one of each repetition) the mean probabilities. */
static int64_t average_rows(const ic_report *report, int64_t first, double *mean)
{
    const ic_scores *scores = &report->scores;
    int64_t end = first;
    memset(mean, 0, (size_t)scores->classes * sizeof *mean);
    for (; end < scores->count && report->items[end] == report->items[first]; end++)
        for (int32_t c = 0; c < scores->classes; c++)
            mean[c] += (double)scores->probabilities[end * scores->classes + c];
    for (int32_t c = 0; c < scores->classes; c++)
        mean[c] /= (double)(end - first);
    return end;
}

/* Of each class the mean probability that its pictures have of it; a class without any: infinity.
 */
static void find_thresholds(const ic_scores *scores, double *thresholds, int64_t *counts)
{
    for (int32_t c = 0; c < scores->classes; c++) {
        thresholds[c] = 0;
        counts[c] = 0;
    }
    for (int64_t i = 0; i < scores->count; i++) {
        int32_t label = scores->labels[i];
        thresholds[label] += (double)scores->probabilities[i * scores->classes + label];
        counts[label]++;
    }
    for (int32_t c = 0; c < scores->classes; c++)
        thresholds[c] = counts[c] > 0 ? thresholds[c] / (double)counts[c] : (double)INFINITY;
}

/* The most probable class that a picture may be counted to, of equal ones its label; -1: none. */
static int32_t confident_class(const double *probabilities, const double *thresholds,
                               int32_t classes, int32_t label)
{
    int32_t best = probabilities[label] >= thresholds[label] ? label : -1;
    for (int32_t c = 0; c < classes; c++)
        if (probabilities[c] >= thresholds[c] &&
            (best < 0 || probabilities[c] > probabilities[best]))
            best = c;
    return best;
}

/* The surest first. */
static int compare_doubts(const void *a, const void *b)
{
    const ic_label_doubt *x = a, *y = b;
    if (x->margin != y->margin)
        return x->margin > y->margin ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

static ic_status find_doubts(ic_report *report, double *mean, double *thresholds, int64_t *counts)
{
    const ic_scores *scores = &report->scores;
    size_t capacity = 0;
    find_thresholds(scores, thresholds, counts);
    for (int64_t row = 0, end; row < scores->count; row = end) {
        end = average_rows(report, row, mean);
        int32_t label = scores->labels[row];
        int32_t sure = confident_class(mean, thresholds, scores->classes, label);
        if (sure < 0 || sure == label)
            continue;
        IC_TRY(ic_grow(report->context, &report->doubts, &capacity, (size_t)report->doubt_count + 1,
                       sizeof *report->doubts));
        report->doubts[report->doubt_count++] =
            (ic_label_doubt){row, sure, mean[sure] - mean[label]};
    }
    if (report->doubt_count > 0)
        qsort(report->doubts, (size_t)report->doubt_count, sizeof *report->doubts, compare_doubts);
    return IC_OK;
}

/* Lists the doubts once; a report does not change. */
static ic_status list_doubts(const ic_report *report)
{
    ic_report *kept = (ic_report *)report;
    const size_t classes = (size_t)report->scores.classes;
    double *means = NULL;
    int64_t *counts = NULL;
    ic_status status = IC_OK;
    if (report->doubted)
        return IC_OK;
    kept->doubt_count = 0;
    IC_TRY_CLEAN(ic_allocate_array(report->context, 2 * classes, sizeof *means, &means));
    IC_TRY_CLEAN(ic_allocate_array(report->context, classes, sizeof *counts, &counts));
    IC_TRY_CLEAN(find_doubts(kept, means, means + classes, counts));
    kept->doubted = true;
cleanup:
    ic_free(report->context, means);
    ic_free(report->context, counts);
    return status;
}

ic_status ic_report_label_error_count(const ic_report *report, int64_t *out)
{
    if (report == NULL || out == NULL)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_report_label_error_count: %s is NULL",
                       report == NULL ? "report" : "out");
    IC_TRY(list_doubts(report));
    *out = report->doubt_count;
    return IC_OK;
}

ic_status ic_report_label_error(const ic_report *report, int64_t index, const char **origin,
                                int32_t *label, int32_t *suggested, double *margin)
{
    if (report == NULL)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_report_label_error: report is NULL");
    IC_TRY(list_doubts(report));
    if (index < 0 || index >= report->doubt_count)
        return ic_fail(IC_ERROR_ARGUMENT,
                       "ic_report_label_error: %lld, but there are %lld doubtful labels",
                       (long long)index, (long long)report->doubt_count);
    const ic_label_doubt *doubt = &report->doubts[index];
    if (origin != NULL)
        *origin = ic_report_origin(report, doubt->row);
    if (label != NULL)
        *label = report->scores.labels[doubt->row];
    if (suggested != NULL)
        *suggested = doubt->suggested;
    if (margin != NULL)
        *margin = doubt->margin;
    return IC_OK;
}

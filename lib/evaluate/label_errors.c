/*
 * evaluate/label_errors.c: labels that are likely wrong, by confident learning (Northcutt, Jiang,
 * Chuang 2021, arXiv:1911.00068): a picture is counted to class k if its probability of k is at
 * least the mean that pictures labelled k have; where the most probable of such classes is not its
 * label, the label is doubted. The mean of each class as its threshold makes up for classes that a
 * model is surer of than of others.
 *
 * Pictures that reach no threshold are not counted. Wrong labels are taken to be as frequent among
 * them as among the others of their label (the calibration of the paper's joint distribution), and
 * so many more, those with the largest margins, are doubted. SPDX-License-Identifier: MIT
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

/* What is known of the pictures of a label. */
typedef struct label_facts {
    double threshold; /* the mean probability that they have of it; none: infinity */
    int64_t rows;
    int64_t pictures, counted; /* and those that reach the threshold of any class */
} label_facts;

static void find_thresholds(const ic_scores *scores, label_facts *facts)
{
    for (int64_t i = 0; i < scores->count; i++) {
        int32_t label = scores->labels[i];
        facts[label].threshold += (double)scores->probabilities[i * scores->classes + label];
        facts[label].rows++;
    }
    for (int32_t c = 0; c < scores->classes; c++)
        facts[c].threshold =
            facts[c].rows > 0 ? facts[c].threshold / (double)facts[c].rows : (double)INFINITY;
}

/* The most probable class that a picture may be counted to, of equal ones its label; -1: none. */
static int32_t confident_class(const double *probabilities, const label_facts *facts,
                               int32_t classes, int32_t label)
{
    int32_t best = probabilities[label] >= facts[label].threshold ? label : -1;
    for (int32_t c = 0; c < classes; c++)
        if (probabilities[c] >= facts[c].threshold &&
            (best < 0 || probabilities[c] > probabilities[best]))
            best = c;
    return best;
}

static int32_t most_probable(const double *probabilities, int32_t classes, int32_t label)
{
    int32_t best = label;
    for (int32_t c = 0; c < classes; c++)
        if (probabilities[c] > probabilities[best])
            best = c;
    return best;
}

/* All pictures whose label may be doubted. */
static ic_status find_doubts(ic_report *report, double *mean, label_facts *facts)
{
    const ic_scores *scores = &report->scores;
    size_t capacity = 0;
    find_thresholds(scores, facts);
    for (int64_t row = 0, end; row < scores->count; row = end) {
        end = average_rows(report, row, mean);
        int32_t label = scores->labels[row];
        int32_t counted = confident_class(mean, facts, scores->classes, label);
        int32_t other = counted >= 0 ? counted : most_probable(mean, scores->classes, label);
        facts[label].pictures++;
        facts[label].counted += counted >= 0;
        if (other == label)
            continue;
        IC_TRY(ic_grow(report->context, &report->doubts, &capacity, (size_t)report->doubt_count + 1,
                       sizeof *report->doubts));
        report->doubts[report->doubt_count++] =
            (ic_label_doubt){row, label, other, counted >= 0, mean[other] - mean[label]};
    }
    return IC_OK;
}

/* The surest first. */
static int compare_doubts(const void *a, const void *b)
{
    const ic_label_doubt *x = a, *y = b;
    if (x->margin != y->margin)
        return x->margin > y->margin ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

/* Doubts of one label and one suggestion side by side, of these the sure ones first. */
static int compare_pairs(const void *a, const void *b)
{
    const ic_label_doubt *x = a, *y = b;
    if (x->label != y->label)
        return x->label < y->label ? -1 : 1;
    if (x->suggested != y->suggested)
        return x->suggested < y->suggested ? -1 : 1;
    if (x->sure != y->sure)
        return x->sure ? -1 : 1;
    return compare_doubts(a, b);
}

static void sort(ic_report *report, int (*compare)(const void *, const void *))
{
    if (report->doubt_count > 0)
        qsort(report->doubts, (size_t)report->doubt_count, sizeof *report->doubts, compare);
}

/* Keeps of each label and suggestion as many as are likely wrong among all of the label. */
static void keep_likely(ic_report *report, const label_facts *facts)
{
    ic_label_doubt *doubts = report->doubts;
    int64_t kept = 0;
    sort(report, compare_pairs);
    for (int64_t i = 0, end; i < report->doubt_count; i = end) {
        const label_facts *label = &facts[doubts[i].label];
        int64_t sure = 0;
        for (end = i; end < report->doubt_count && doubts[end].label == doubts[i].label &&
                      doubts[end].suggested == doubts[i].suggested;
             end++)
            sure += doubts[end].sure;
        double likely =
            sure == 0 ? 0 : (double)sure * (double)label->pictures / (double)label->counted;
        for (int64_t k = i; k < end && (double)(k - i) + 0.5 <= likely; k++)
            doubts[kept++] = doubts[k];
    }
    report->doubt_count = kept;
    sort(report, compare_doubts);
}

/* Lists the doubts once; a report does not change. */
static ic_status list_doubts(const ic_report *report)
{
    ic_report *kept = (ic_report *)report;
    const size_t classes = (size_t)report->scores.classes;
    double *mean = NULL;
    label_facts *facts = NULL;
    ic_status status = IC_OK;
    if (report->doubted)
        return IC_OK;
    kept->doubt_count = 0;
    IC_TRY_CLEAN(ic_allocate_array(report->context, classes, sizeof *mean, &mean));
    IC_TRY_CLEAN(ic_allocate_zero(report->context, classes * sizeof *facts, &facts));
    IC_TRY_CLEAN(find_doubts(kept, mean, facts));
    keep_likely(kept, facts);
    kept->doubted = true;
cleanup:
    ic_free(report->context, mean);
    ic_free(report->context, facts);
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
        *label = doubt->label;
    if (suggested != NULL)
        *suggested = doubt->suggested;
    if (margin != NULL)
        *margin = doubt->margin;
    return IC_OK;
}

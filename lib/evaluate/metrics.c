/* evaluate/metrics.c: figures of merit, from labels and scores alone. SPDX-License-Identifier: MIT
 */
#include "evaluate/metrics.h"

#include "base/memory.h"
#include "base/status.h"

#include <math.h>
#include <stdlib.h>

enum { TOP = 5 };

/* ---- Counting ---- */

/* How many classes rank before the label: more probable, or as probable with a lower number. */
static int32_t rank_of_label(const float *probabilities, int32_t classes, int32_t label)
{
    int32_t before = 0;
    for (int32_t c = 0; c < classes; c++)
        before += probabilities[c] > probabilities[label] ||
                  (probabilities[c] == probabilities[label] && c < label);
    return before;
}

static int32_t first_of_ranks(const float *probabilities, int32_t classes)
{
    int32_t best = 0;
    for (int32_t c = 1; c < classes; c++)
        if (probabilities[c] > probabilities[best])
            best = c;
    return best;
}

static void count_pictures(const ic_scores *scores, ic_metrics *metrics)
{
    int32_t classes = scores->classes;
    int64_t right = 0, near_right = 0;
    double loss = 0;
    for (int64_t i = 0; i < scores->count; i++) {
        const float *probabilities = scores->probabilities + i * classes;
        int32_t label = scores->labels[i];
        int32_t predicted = first_of_ranks(probabilities, classes);
        metrics->confusion[(int64_t)label * classes + predicted]++;
        right += predicted == label;
        near_right += rank_of_label(probabilities, classes, label) < TOP;
        loss += (double)scores->losses[i];
    }
    metrics->accuracy = (double)right / (double)scores->count;
    metrics->top5_accuracy = (double)near_right / (double)scores->count;
    metrics->loss = loss / (double)scores->count;
}

static double share(int64_t part, int64_t whole)
{
    return whole > 0 ? (double)part / (double)whole : 0;
}

static void measure_class(const ic_metrics *metrics, int32_t index, ic_class_metrics *out)
{
    int64_t hits = metrics->confusion[(int64_t)index * metrics->classes + index];
    int64_t actual = 0, predicted = 0;
    for (int32_t other = 0; other < metrics->classes; other++) {
        actual += metrics->confusion[(int64_t)index * metrics->classes + other];
        predicted += metrics->confusion[(int64_t)other * metrics->classes + index];
    }
    out->support = actual;
    out->precision = share(hits, predicted);
    out->recall = share(hits, actual);
    out->f1 = share(2 * hits, actual + predicted);
}

static void add_weighted(const ic_class_metrics *figures, double weight, ic_averages *sum)
{
    sum->precision += weight * figures->precision;
    sum->recall += weight * figures->recall;
    sum->f1 += weight * figures->f1;
}

static void average(ic_metrics *metrics)
{
    int32_t filled = 0;
    for (int32_t c = 0; c < metrics->classes; c++)
        filled += metrics->per_class[c].support > 0;
    for (int32_t c = 0; c < metrics->classes; c++) {
        const ic_class_metrics *figures = &metrics->per_class[c];
        if (figures->support > 0)
            add_weighted(figures, 1.0 / filled, &metrics->macro);
        add_weighted(figures, share(figures->support, metrics->count), &metrics->weighted);
    }
}

/* ---- Areas under ROC curves ---- */

typedef struct scored {
    float score;
    bool positive;
} scored;

static int compare_scores(const void *left, const void *right)
{
    const scored *a = left, *b = right;
    return (a->score > b->score) - (a->score < b->score);
}

/* Twice the sum of the positives' ranks (from 1), so that mean ranks of ties stay whole. */
static double doubled_rank_sum(const scored *sorted, int64_t count)
{
    double sum = 0;
    for (int64_t first = 0, next; first < count; first = next) {
        int64_t positives = 0;
        for (next = first; next < count && sorted[next].score == sorted[first].score; next++)
            positives += sorted[next].positive;
        sum += (double)positives * (double)(first + 1 + next);
    }
    return sum;
}

ic_status ic_metrics_auc(ic_context *context, const ic_scores *scores, int32_t class_index,
                         double *out)
{
    scored *sorted;
    double positives = 0;
    IC_TRY(ic_allocate_array(context, (size_t)scores->count, sizeof *sorted, &sorted));
    for (int64_t i = 0; i < scores->count; i++) {
        bool positive = scores->labels[i] == class_index;
        sorted[i] = (scored){scores->probabilities[i * scores->classes + class_index], positive};
        positives += positive;
    }
    double negatives = (double)scores->count - positives;
    qsort(sorted, (size_t)scores->count, sizeof *sorted, compare_scores);
    double doubled = doubled_rank_sum(sorted, scores->count) - positives * (positives + 1);
    *out = positives > 0 && negatives > 0 ? doubled / (2 * positives * negatives) : (double)NAN;
    ic_free(context, sorted);
    return IC_OK;
}

static ic_status measure_areas(ic_context *context, const ic_scores *scores, ic_metrics *metrics)
{
    double sum = 0;
    int32_t defined = 0;
    for (int32_t c = 0; c < metrics->classes; c++) {
        double *auc = &metrics->per_class[c].auc;
        IC_TRY(ic_metrics_auc(context, scores, c, auc));
        if (!isnan(*auc)) {
            sum += *auc;
            defined++;
        }
    }
    if (metrics->classes == 2)
        metrics->auc = metrics->per_class[1].auc;
    else
        metrics->auc = defined > 0 ? sum / defined : (double)NAN;
    return IC_OK;
}

/* ---- The interface ---- */

ic_status ic_metrics_measure(ic_context *context, const ic_scores *scores, ic_metrics *out)
{
    ic_metrics metrics = {.classes = scores->classes, .count = scores->count};
    size_t classes = (size_t)scores->classes;
    size_t cells;
    ic_status status;
    if (!ic_multiply_size(classes * classes, sizeof *metrics.confusion, &cells))
        return ic_fail(IC_ERROR_MEMORY, "out of memory for the confusion of %zu classes", classes);
    IC_TRY_CLEAN(ic_allocate_zero(context, cells, &metrics.confusion));
    IC_TRY_CLEAN(
        ic_allocate_array(context, classes, sizeof *metrics.per_class, &metrics.per_class));
    count_pictures(scores, &metrics);
    for (int32_t c = 0; c < metrics.classes; c++)
        measure_class(&metrics, c, &metrics.per_class[c]);
    average(&metrics);
    IC_TRY_CLEAN(measure_areas(context, scores, &metrics));
    *out = metrics;
    return IC_OK;
cleanup:
    ic_metrics_free(context, &metrics);
    return status;
}

void ic_metrics_free(ic_context *context, ic_metrics *metrics)
{
    ic_free(context, metrics->confusion);
    ic_free(context, metrics->per_class);
    metrics->confusion = NULL;
    metrics->per_class = NULL;
}

/* evaluate/metrics.c: figures of merit, from labels and scores alone. SPDX-License-Identifier: MIT
 */
#include "evaluate/metrics.h"

#include "base/maths.h"
#include "base/memory.h"
#include "base/pool.h"
#include "base/status.h"
#include "evaluate/ranking.h"
#include "evaluate/reliability.h"

#include <math.h>
#include <string.h>

enum { TOP = 5 };

const char ic_figure_names[IC_FIGURES][20] = {"accuracy",
                                              "top5_accuracy",
                                              "loss",
                                              "auc",
                                              "average_precision",
                                              "precision",
                                              "recall",
                                              "f1",
                                              "weighted_precision",
                                              "weighted_recall",
                                              "weighted_f1",
                                              "balanced_accuracy",
                                              "mcc",
                                              "kappa",
                                              "ece",
                                              "brier"};

const char ic_class_figure_names[IC_CLASS_FIGURES][20] = {
    "precision", "recall", "f1", "auc", "average_precision", "specificity"};

/* ---- Making ready ---- */

/* How many classes rank before the label: more probable, or as probable with a lower number. */
static int32_t rank_of_label(const float *probabilities, int32_t classes, int32_t label)
{
    int32_t before = 0;
    for (int32_t c = 0; c < classes; c++)
        before += probabilities[c] > probabilities[label] ||
                  (probabilities[c] == probabilities[label] && c < label);
    return before;
}

int32_t ic_scores_predicted(const ic_scores *scores, int64_t index)
{
    return ic_largest(scores->probabilities + index * scores->classes, scores->classes);
}

/* Of two classes only class 1 counts. */
static double brier_score(const float *probabilities, int32_t classes, int32_t label)
{
    double sum = 0;
    for (int32_t c = classes == 2; c < classes; c++) {
        double off = (double)probabilities[c] - (c == label);
        sum += off * off;
    }
    return sum;
}

static void judge_pictures(const ic_scores *scores, ic_tally *tally, uint64_t *keys)
{
    int32_t classes = scores->classes;
    for (int64_t i = 0; i < scores->count; i++) {
        const float *probabilities = scores->probabilities + i * classes;
        int32_t label = scores->labels[i];
        tally->predicted[i] = ic_scores_predicted(scores, i);
        tally->near[i] = rank_of_label(probabilities, classes, label) < TOP;
        tally->brier[i] = brier_score(probabilities, classes, label);
        tally->confidence[i] = probabilities[tally->predicted[i]];
        tally->once[i] = 1;
        keys[i] = ic_ranking_key(tally->confidence[i], i);
    }
    ic_ranking_sort(keys, scores->count);
    for (int64_t i = 0; i < scores->count; i++)
        tally->by_confidence[i] = (uint32_t)keys[i];
}

typedef struct rank_work {
    const ic_tally *tally;
    uint64_t *keys; /* [threads][count] */
} rank_work;

static ic_status rank_class(void *arguments, int64_t unit, int32_t worker)
{
    const rank_work *work = arguments;
    const ic_scores *scores = work->tally->scores;
    ic_rank(scores, (int32_t)unit, work->keys + worker * scores->count,
            work->tally->ranked + unit * scores->count);
    return IC_OK;
}

ic_status ic_tally_create(ic_context *context, const ic_scores *scores, bool ranked, ic_tally *out)
{
    ic_tally tally = {.scores = scores};
    rank_work work = {&tally, NULL};
    size_t count = (size_t)scores->count, row = (size_t)scores->classes * sizeof *tally.ranked;
    ic_pool *pool;
    ic_status status;
    if (scores->count > (int64_t)1 << 30)
        return ic_fail(IC_ERROR_LIMIT,
                       "%lld pictures are too many to measure at once: 2^30 are not",
                       (long long)scores->count);
    IC_TRY(ic_context_pool(context, &pool));
    IC_TRY_CLEAN(ic_allocate_array(context, count, sizeof *tally.predicted, &tally.predicted));
    IC_TRY_CLEAN(ic_allocate_array(context, count, sizeof *tally.near, &tally.near));
    IC_TRY_CLEAN(ic_allocate_array(context, count, sizeof *tally.brier, &tally.brier));
    IC_TRY_CLEAN(ic_allocate_array(context, count, sizeof *tally.confidence, &tally.confidence));
    IC_TRY_CLEAN(
        ic_allocate_array(context, count, sizeof *tally.by_confidence, &tally.by_confidence));
    IC_TRY_CLEAN(ic_allocate_array(context, count, sizeof *tally.once, &tally.once));
    IC_TRY_CLEAN(ic_allocate_array(context, count,
                                   (size_t)ic_pool_threads(pool) * sizeof *work.keys, &work.keys));
    judge_pictures(scores, &tally, work.keys);
    if (ranked) {
        IC_TRY_CLEAN(ic_allocate_array(context, count, row, &tally.ranked));
        IC_TRY_CLEAN(ic_pool_run(pool, scores->classes, rank_class, &work));
    }
    *out = tally;
cleanup:
    ic_free(context, work.keys);
    if (status < 0)
        ic_tally_free(context, &tally);
    return status;
}

void ic_tally_free(ic_context *context, ic_tally *tally)
{
    ic_free(context, tally->predicted);
    ic_free(context, tally->near);
    ic_free(context, tally->brier);
    ic_free(context, tally->confidence);
    ic_free(context, tally->by_confidence);
    ic_free(context, tally->once);
    ic_free(context, tally->ranked);
}

/* ---- Counting ---- */

static double share(int64_t part, int64_t whole)
{
    return whole > 0 ? (double)part / (double)whole : 0;
}

static void count_pictures(const ic_tally *tally, const uint32_t *weights, ic_metrics *metrics)
{
    const ic_scores *scores = tally->scores;
    ic_class_metrics *classes = metrics->per_class;
    int64_t right = 0, near_right = 0;
    double loss = 0, brier = 0;
    for (int32_t c = 0; c < metrics->classes; c++)
        classes[c].support = classes[c].predicted = classes[c].hits = 0;
    metrics->count = 0;
    for (int64_t i = 0; i < scores->count; i++) {
        int64_t weight = weights[i];
        int32_t label = scores->labels[i], predicted = tally->predicted[i];
        classes[label].support += weight;
        classes[predicted].predicted += weight;
        classes[label].hits += predicted == label ? weight : 0;
        metrics->count += weight;
        right += predicted == label ? weight : 0;
        near_right += tally->near[i] ? weight : 0;
        loss += (double)weight * (double)scores->losses[i];
        brier += (double)weight * tally->brier[i];
    }
    metrics->figures[IC_ACCURACY] = share(right, metrics->count);
    metrics->figures[IC_TOP5] = share(near_right, metrics->count);
    metrics->figures[IC_LOSS] = loss / (double)metrics->count;
    metrics->figures[IC_BRIER] = brier / (double)metrics->count;
}

static void fill_confusion(const ic_tally *tally, ic_metrics *metrics)
{
    const ic_scores *scores = tally->scores;
    size_t cells = (size_t)metrics->classes * (size_t)metrics->classes;
    memset(metrics->confusion, 0, cells * sizeof *metrics->confusion);
    for (int64_t i = 0; i < scores->count; i++)
        metrics->confusion[(int64_t)scores->labels[i] * metrics->classes + tally->predicted[i]]++;
}

static void measure_class(int64_t count, ic_class_metrics *out)
{
    int64_t hits = out->hits, actual = out->support, predicted = out->predicted;
    int64_t others = count - actual;
    out->figures[IC_CLASS_PRECISION] = share(hits, predicted);
    out->figures[IC_CLASS_RECALL] = share(hits, actual);
    out->figures[IC_CLASS_F1] = share(2 * hits, actual + predicted);
    out->figures[IC_CLASS_SPECIFICITY] = share(others - (predicted - hits), others);
}

static void average(ic_metrics *metrics)
{
    double *figures = metrics->figures;
    int32_t filled = 0;
    for (int32_t c = 0; c < metrics->classes; c++)
        filled += metrics->per_class[c].support > 0;
    memset(figures + IC_PRECISION, 0, 6 * sizeof *figures);
    for (int32_t c = 0; c < metrics->classes; c++) {
        const ic_class_metrics *one = &metrics->per_class[c];
        double weight = share(one->support, metrics->count);
        for (int f = IC_CLASS_PRECISION; f <= IC_CLASS_F1; f++) {
            figures[IC_PRECISION + f] += one->support > 0 ? 1.0 / filled * one->figures[f] : 0;
            figures[IC_WEIGHTED_PRECISION + f] += weight * one->figures[f];
        }
    }
    figures[IC_BALANCED_ACCURACY] = figures[IC_RECALL];
}

/* How far label and prediction go together, beyond what their frequencies alone would give. */
static void measure_agreement(ic_metrics *metrics)
{
    double n = (double)metrics->count, both = 0, actual = 0, predicted = 0;
    double right = n * metrics->figures[IC_ACCURACY];
    for (int32_t c = 0; c < metrics->classes; c++) {
        double t = (double)metrics->per_class[c].support;
        double p = (double)metrics->per_class[c].predicted;
        both += t * p;
        actual += t * t;
        predicted += p * p;
    }
    double together = right * n - both, spread = (n * n - predicted) * (n * n - actual);
    metrics->figures[IC_MCC] = spread > 0 ? together / sqrt(spread) : 0;
    metrics->figures[IC_KAPPA] = n * n > both ? together / (n * n - both) : (double)NAN;
}

/* ---- Areas ---- */

/* Two classes: the figure of class 1; else the mean of the defined ones. */
static double mean_of_defined(const ic_metrics *metrics, ic_class_figure figure)
{
    double sum = 0;
    int32_t defined = 0;
    if (metrics->classes == 2)
        return metrics->per_class[1].figures[figure];
    for (int32_t c = 0; c < metrics->classes; c++) {
        double value = metrics->per_class[c].figures[figure];
        sum += isnan(value) ? 0 : value;
        defined += !isnan(value);
    }
    return defined > 0 ? sum / defined : (double)NAN;
}

static void measure_areas(const ic_tally *tally, const uint32_t *weights, ic_metrics *metrics)
{
    for (int32_t c = 0; c < metrics->classes; c++) {
        double *figures = metrics->per_class[c].figures;
        ic_ranking_areas(tally->ranked + c * tally->scores->count, tally->scores->count, weights,
                         &figures[IC_CLASS_AUC], &figures[IC_CLASS_AVERAGE_PRECISION]);
    }
    metrics->figures[IC_AUC] = mean_of_defined(metrics, IC_CLASS_AUC);
    metrics->figures[IC_AVERAGE_PRECISION] = mean_of_defined(metrics, IC_CLASS_AVERAGE_PRECISION);
}

/* ---- The interface ---- */

void ic_tally_measure(const ic_tally *tally, const uint32_t *weights, ic_metrics *metrics)
{
    ic_bin bins[IC_BINS];
    count_pictures(tally, weights, metrics);
    for (int32_t c = 0; c < metrics->classes; c++)
        measure_class(metrics->count, &metrics->per_class[c]);
    average(metrics);
    measure_agreement(metrics);
    measure_areas(tally, weights, metrics);
    ic_bins_fill(tally, weights, bins);
    metrics->figures[IC_ECE] = ic_bins_error(bins);
}

ic_status ic_metrics_create(ic_context *context, int32_t classes, ic_metrics *out)
{
    *out = (ic_metrics){.classes = classes};
    return ic_allocate_array(context, (size_t)classes, sizeof *out->per_class, &out->per_class);
}

ic_status ic_metrics_measure(ic_context *context, const ic_scores *scores, ic_metrics *out)
{
    ic_metrics metrics;
    ic_tally tally = {0};
    size_t row = (size_t)scores->classes * sizeof *metrics.confusion;
    ic_status status;
    IC_TRY(ic_metrics_create(context, scores->classes, &metrics));
    IC_TRY_CLEAN(ic_allocate_array(context, (size_t)scores->classes, row, &metrics.confusion));
    IC_TRY_CLEAN(ic_tally_create(context, scores, true, &tally));
    ic_tally_measure(&tally, tally.once, &metrics);
    fill_confusion(&tally, &metrics);
    *out = metrics;
    metrics = (ic_metrics){0};
cleanup:
    ic_tally_free(context, &tally);
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

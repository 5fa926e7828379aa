/* evaluate/interval.c: how sure the figures are. SPDX-License-Identifier: MIT */
#include "evaluate/interval.h"

#include "base/maths.h"
#include "base/memory.h"
#include "base/pool.h"
#include "base/random.h"
#include "base/status.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Resamples of each thread between two looks at the clock and at whether to stop. */
enum { ROUND = 16 };

static const ic_interval none = {NAN, NAN};

/* ---- Shares ---- */

/* Newton's steps from 0 never pass the root, as the probability bends down from there on. */
double ic_normal_z(double level)
{
    double z = 0, above = (1 - level) / 2;
    for (int i = 0; i < 40; i++)
        z += (ic_normal_above(z) - above) / ic_normal_density(z);
    return z;
}

ic_interval ic_wilson(double hits, double n, double z)
{
    if (!(n > 0))
        return none;
    double half = z * sqrt(hits * (n - hits) / n + z * z / 4);
    double centre = hits + z * z / 2, below = centre - half, above = centre + half;
    return (ic_interval){hits > 0 ? below / (n + z * z) : 0, hits < n ? above / (n + z * z) : 1};
}

static void interval_shares(const ic_metrics *metrics, double z, ic_intervals *out)
{
    double n = (double)metrics->count;
    static const ic_figure shares[] = {IC_ACCURACY, IC_TOP5};
    for (int i = 0; i < 2; i++)
        out->figures[shares[i]] = ic_wilson(metrics->figures[shares[i]] * n, n, z);
    for (int32_t c = 0; c < metrics->classes; c++) {
        const ic_class_metrics *one = &metrics->per_class[c];
        double hits = (double)one->hits;
        double actual = (double)one->support, predicted = (double)one->predicted;
        ic_interval *row = out->per_class[c];
        row[IC_CLASS_PRECISION] = ic_wilson(hits, predicted, z);
        row[IC_CLASS_RECALL] = ic_wilson(hits, actual, z);
        row[IC_CLASS_SPECIFICITY] = ic_wilson(n - actual - (predicted - hits), n - actual, z);
    }
}

/* ---- Disagreement ---- */

/* The terms of the sum from the largest, C(n, m) / 2^n, down. */
double ic_mcnemar_exact(int64_t b, int64_t c)
{
    int64_t n = b + c, m = b < c ? b : c;
    double logarithm = -(double)n * ic_ln(2), term = 1, sum = 1;
    for (int64_t i = 1; i <= m; i++)
        logarithm += ic_ln((double)(n - m + i) / (double)i);
    for (int64_t k = m; k > 0; k--) {
        term *= (double)k / (double)(n - k + 1);
        sum += term;
    }
    return fmin(1, 2 * sum * ic_exp(logarithm));
}

double ic_mcnemar_chi_square(int64_t b, int64_t c, double *p)
{
    double apart = fabs((double)(b - c)) - 1;
    double statistic = b + c > 0 ? apart * apart / (double)(b + c) : 0;
    *p = 2 * ic_normal_above(sqrt(statistic));
    return statistic;
}

/* ---- The bootstrap ---- */

/* What is kept of a class for each resample. */
static const ic_class_figure kept[] = {IC_CLASS_F1, IC_CLASS_AUC, IC_CLASS_AVERAGE_PRECISION};
enum { KEPT = 3 };

typedef struct bootstrap {
    ic_context *context;
    ic_tally tally;
    const ic_resampling *resampling;
    int64_t first; /* resample of the round */
    int32_t threads;
    uint32_t *weights;   /* [threads][count] */
    ic_metrics *metrics; /* [threads] */
    double *values;      /* [IC_FIGURES + classes * KEPT][resamples] */
} bootstrap;

static void draw_sample(const bootstrap *b, int64_t resample, uint32_t *weights)
{
    int64_t count = b->tally.scores->count;
    const int32_t *indices = b->resampling->indices;
    ic_random random = ic_random_at(b->resampling->seed, IC_USE_RESAMPLE, (uint64_t)resample, 0);
    memset(weights, 0, (size_t)count * sizeof *weights);
    for (int64_t i = 0; i < count; i++) {
        uint64_t drawn = indices != NULL ? (uint64_t)indices[resample * count + i]
                                         : ic_random_below(&random, (uint64_t)count);
        weights[drawn]++;
    }
}

static ic_status measure_resample(void *arguments, int64_t unit, int32_t worker)
{
    const bootstrap *b = arguments;
    ic_metrics *metrics = &b->metrics[worker];
    uint32_t *weights = b->weights + worker * b->tally.scores->count;
    int64_t stride = b->resampling->resamples;
    double *values = b->values + b->first + unit;
    draw_sample(b, b->first + unit, weights);
    ic_tally_measure(&b->tally, weights, metrics);
    for (int f = 0; f < IC_FIGURES; f++, values += stride)
        *values = metrics->figures[f];
    for (int32_t c = 0; c < metrics->classes; c++)
        for (int k = 0; k < KEPT; k++, values += stride)
            *values = metrics->per_class[c].figures[kept[k]];
    return IC_OK;
}

static ic_status prepare(bootstrap *b)
{
    ic_context *context = b->context;
    const ic_scores *scores = b->tally.scores;
    size_t threads = (size_t)b->threads, count = (size_t)scores->count;
    size_t rows = IC_FIGURES + (size_t)scores->classes * KEPT;
    IC_TRY(ic_allocate_zero(context, threads * sizeof *b->metrics, &b->metrics));
    for (int32_t t = 0; t < b->threads; t++)
        IC_TRY(ic_metrics_create(context, scores->classes, &b->metrics[t]));
    IC_TRY(ic_allocate_array(context, count, threads * sizeof *b->weights, &b->weights));
    return ic_allocate_array(context, (size_t)b->resampling->resamples, rows * sizeof *b->values,
                             &b->values);
}

static void finish(bootstrap *b)
{
    for (int32_t t = 0; b->metrics != NULL && t < b->threads; t++)
        ic_metrics_free(b->context, &b->metrics[t]);
    ic_free(b->context, b->metrics);
    ic_free(b->context, b->weights);
    ic_free(b->context, b->values);
    ic_tally_free(b->context, &b->tally);
}

static ic_status resample_all(bootstrap *b, ic_pool *pool)
{
    int64_t total = b->resampling->resamples, round = ROUND * (int64_t)b->threads;
    double started = ic_clock_seconds(), last = started;
    for (b->first = 0; b->first < total; b->first += round) {
        int64_t left = total - b->first, units = left < round ? left : round;
        IC_TRY(ic_pool_run(pool, units, measure_resample, b));
        IC_TRY(ic_progress_step(b->context, "resample", b->first + units, total, started, &last));
    }
    return IC_OK;
}

/* Sorts the values in place. */
static ic_interval between_quantiles(double *values, int64_t count, double level)
{
    int64_t defined = 0;
    for (int64_t i = 0; i < count; i++)
        if (!isnan(values[i]))
            values[defined++] = values[i];
    if (defined == 0)
        return none;
    qsort(values, (size_t)defined, sizeof *values, ic_compare_doubles);
    return (ic_interval){ic_quantile(values, defined, (1 - level) / 2),
                         ic_quantile(values, defined, (1 + level) / 2)};
}

static void interval_values(const bootstrap *b, ic_intervals *out)
{
    int64_t resamples = b->resampling->resamples;
    double *values = b->values, level = b->resampling->level;
    for (int f = 0; f < IC_FIGURES; f++, values += resamples)
        if (f != IC_ACCURACY && f != IC_TOP5)
            out->figures[f] = between_quantiles(values, resamples, level);
    for (int32_t c = 0; c < b->tally.scores->classes; c++)
        for (int k = 0; k < KEPT; k++, values += resamples)
            out->per_class[c][kept[k]] = between_quantiles(values, resamples, level);
}

/* ---- The interface ---- */

ic_status ic_intervals_create(ic_context *context, const ic_metrics *metrics, double level,
                              ic_intervals *out)
{
    IC_TRY(ic_allocate_array(context, (size_t)metrics->classes, sizeof *out->per_class,
                             &out->per_class));
    for (int f = 0; f < IC_FIGURES; f++)
        out->figures[f] = none;
    for (int32_t c = 0; c < metrics->classes; c++)
        for (int f = 0; f < IC_CLASS_FIGURES; f++)
            out->per_class[c][f] = none;
    interval_shares(metrics, ic_normal_z(level), out);
    return IC_OK;
}

ic_status ic_intervals_resample(ic_context *context, const ic_scores *scores,
                                const ic_resampling *resampling, ic_intervals *intervals)
{
    bootstrap b = {.context = context, .resampling = resampling};
    ic_pool *pool;
    ic_status status;
    if (resampling->resamples == 0)
        return IC_OK;
    IC_TRY(ic_context_pool(context, &pool));
    b.threads = ic_pool_threads(pool);
    IC_TRY_CLEAN(ic_tally_create(context, scores, true, &b.tally));
    IC_TRY_CLEAN(prepare(&b));
    IC_TRY_CLEAN(resample_all(&b, pool));
    interval_values(&b, intervals);
cleanup:
    finish(&b);
    return status;
}

void ic_intervals_free(ic_context *context, ic_intervals *intervals)
{
    ic_free(context, intervals->per_class);
}

/* evaluate/interval.h: how sure the figures are. SPDX-License-Identifier: MIT */
#ifndef EVALUATE_INTERVAL_H
#define EVALUATE_INTERVAL_H

#include "evaluate/metrics.h"

/* How a bootstrap draws. */
typedef struct ic_resampling {
    double level; /* of confidence, 0.95 say */
    int64_t resamples;
    uint64_t seed;
    const int32_t *indices; /* [resamples][count]: the draws themselves, for tests; NULL: by seed */
} ic_resampling;

typedef struct ic_interval {
    double low, high; /* NaN: there is none */
} ic_interval;

typedef struct ic_intervals {
    ic_interval figures[IC_FIGURES];
    ic_interval (*per_class)[IC_CLASS_FIGURES];
} ic_intervals;

/*
 * Intervals of what is a share of pictures, by Wilson: accuracy, top5_accuracy, and of a class
 * precision, recall and specificity. The others are none as yet. Free them with ic_intervals_free.
 */
ic_status ic_intervals_create(ic_context *context, const ic_metrics *metrics, double level,
                              ic_intervals *out);
void ic_intervals_free(ic_context *context, ic_intervals *intervals);

/*
 * The others, by the percentile bootstrap (Efron 1979): pictures are drawn with replacement, as
 * many as there are, and the interval lies between the quantiles of the figure; draws in which it
 * is undefined do not count. Resamples are spread over the pool; reports progress ("resample").
 */
ic_status ic_intervals_resample(ic_context *context, const ic_scores *scores,
                                const ic_resampling *resampling, ic_intervals *intervals);

/*
 * Wilson's score interval (1927) of a share of hits out of n, z the normal quantile of the level:
 * (h + z^2/2 +- z sqrt(h (n - h) / n + z^2/4)) / (n + z^2). None when n is 0.
 */
ic_interval ic_wilson(double hits, double n, double z);

/*
 * McNemar's test (1947) of whether b and c, the pictures that one model alone has right and those
 * that the other has, are equally frequent. Exact: twice the binomial probability of at most
 * min(b, c) of b + c, 1 at most. Chi-square: (|b - c| - 1)^2 / (b + c), with the continuity
 * correction of Edwards (1948), and its p; 0 and 1 when both are 0.
 */
double ic_mcnemar_exact(int64_t b, int64_t c);
double ic_mcnemar_chi_square(int64_t b, int64_t c, double *p);

/* The z for which a normal variable lies within +-z with this probability, 0 < level < 1. */
double ic_normal_z(double level);

#endif

/*
 * evaluate/reliability.h: whether 90 % sure means 90 % right. Pictures are sorted by the
 * probability of the predicted class (ties in the order of the pictures) and cut into bins of equal
 * mass; the first ones take one more where the number does not divide. The expected calibration
 * error is the mean over the pictures of |mean confidence - accuracy| of their bin (Naeini, Cooper,
 * Hauskrecht 2015, with bins of equal mass: Nixon et al. 2019). SPDX-License-Identifier: MIT
 */
#ifndef EVALUATE_RELIABILITY_H
#define EVALUATE_RELIABILITY_H

#include "evaluate/metrics.h"

/* Of so many draws the 95th percentile is known to half a per cent of itself. */
enum { IC_BINS = 15, IC_CHANCE_DRAWS = 5000 };

/* Sums over the pictures of one bin. */
typedef struct ic_bin {
    double count, confidence, right;
} ic_bin;

/* The bins of a sample; those that get no picture are zero. */
void ic_bins_fill(const ic_tally *tally, const uint32_t *weights, ic_bin bins[IC_BINS]);

double ic_bins_error(const ic_bin bins[IC_BINS]);

/*
 * What a perfectly calibrated model would still show: the 95th percentile of the calibration error
 * over IC_CHANCE_DRAWS draws in which each picture is right with the probability that the model
 * gives it.
 */
ic_status ic_calibration_limit(ic_context *context, const ic_scores *scores, uint64_t seed,
                               double *out);

#endif

/* model/calibrate.h: probabilities that are as often right as they say. SPDX-License-Identifier:
 * MIT
 */
#ifndef MODEL_CALIBRATE_H
#define MODEL_CALIBRATE_H

#include "base/context.h"

/* Logits of pictures whose classes are known. */
typedef struct ic_judged {
    const float *logits;   /* [count][classes] */
    const int32_t *labels; /* [count] */
    int64_t count;         /* at least 1 */
    int32_t classes;
} ic_judged;

#define IC_TEMPERATURE_MIN 0.05
#define IC_TEMPERATURE_MAX 20.0

/*
 * From pictures that were looked at `looks` times each, so that `count` is that many times theirs,
 * in any order: as they are, and changed a little (Tomani et al. 2021, arXiv:2012.10988: what comes
 * later is never quite like them). What they prove is what one look each would.
 *
 * The temperature T of softmax(logits / T), within the bounds above: that of the least
 * cross-entropy (Guo et al. 2017, arXiv:1706.04599), raised to the upper end of its one-sided 95 %
 * interval (by the likelihood's ratio, Wilks 1938): as far as so few pictures cannot tell, answers
 * are rather less sure than too sure. These pictures chose the epoch that is kept, and what comes
 * later is rarely easier. Where they prove nothing, it is the largest. As in Platt 1999, the labels
 * are smoothed by 1 / (pictures + 1), for when all pictures are right.
 */
double ic_temperature_fit(const ic_judged *pictures, int32_t looks);

/*
 * The expected calibration error of softmax(logits / T): pictures in order of the probability of
 * their likeliest class, cut into 15 bins of as many pictures each; the mean over the pictures of
 * how far a bin's mean probability is from the share that is right.
 */
ic_status ic_calibration_error(ic_context *context, const ic_judged *pictures, double temperature,
                               double *out);

#endif

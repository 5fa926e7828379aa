/* train/loops.h: the optimiser's loops over numbers that are not in ic_kernels.
 * SPDX-License-Identifier: MIT */
#ifndef TRAIN_LOOPS_H
#define TRAIN_LOOPS_H

#include <stdint.h>

/* The sum of x^2, in double and in a fixed order. */
double ic_square_sum(int64_t count, const float *x);

/* y += share (x - y): equal values stay what they are. */
void ic_lerp(int64_t count, float share, const float *x, float *y);

/* p -= rate (decay p + direction) */
void ic_descend(int64_t count, float rate, float decay, const float *direction, float *parameters);

#endif

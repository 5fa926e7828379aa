/* train/loops.c: the optimiser's loops over numbers that are not in ic_kernels.
 * SPDX-License-Identifier: MIT */
#include "train/loops.h"

enum { LANES = 8 }; /* sums side by side, for the vectoriser */

double ic_square_sum(int64_t count, const float *x)
{
    double sums[LANES] = {0}, sum = 0;
    int64_t i = 0;
    for (; i + LANES <= count; i += LANES)
        for (int lane = 0; lane < LANES; lane++)
            sums[lane] += (double)x[i + lane] * (double)x[i + lane];
    for (; i < count; i++)
        sum += (double)x[i] * (double)x[i];
    for (int lane = 0; lane < LANES; lane++)
        sum += sums[lane];
    return sum;
}

void ic_lerp(int64_t count, float share, const float *restrict x, float *restrict y)
{
    for (int64_t i = 0; i < count; i++)
        y[i] += share * (x[i] - y[i]);
}

void ic_descend(int64_t count, float rate, float decay, const float *restrict direction,
                float *restrict parameters)
{
    for (int64_t i = 0; i < count; i++)
        parameters[i] -= rate * (decay * parameters[i] + direction[i]);
}

/*
 * kernels/depthwise.h: the inner loops of convolutions that keep the channels apart.
 * SPDX-License-Identifier: MIT
 */
#ifndef KERNELS_DEPTHWISE_H
#define KERNELS_DEPTHWISE_H

#include <stdbool.h>
#include <stdint.h>

/* Strides in floats between rows, taps and outputs; every pixel has c channels side by side. */
typedef struct ic_depthwise_sum {
    int32_t rows, taps;
    int32_t c;
    int64_t x_row, x_tap, x_step;
    int64_t w_row, w_tap;
    int64_t y_step;
    bool accumulate;
} ic_depthwise_sum;

enum { IC_DEPTHWISE_TAPS = 9 }; /* of one correlation, at most */

/* Sums over outputs (i, j) of one block for taps that begin at x + offset[tap]. */
typedef struct ic_depthwise_correlation {
    int32_t taps; /* 9, 8, 3 or 1 */
    int32_t rows, columns;
    int32_t c;
    int64_t offset[IC_DEPTHWISE_TAPS];
    int64_t x_row, x_step;
    int64_t y_row, y_step;
    bool accumulate;
} ic_depthwise_correlation;

typedef struct ic_depthwise_kernels {
    /*
     * y[j][c] = sum over r < rows, s < taps of x[r*x_row + s*x_tap + j*x_step + c] * w[r*w_row +
     * s*w_tap + c] for j < count, each one chain of multiply-adds in the order of (r, s).
     */
    void (*convolve)(const ic_depthwise_sum *sum, int64_t count, const float *x, const float *w,
                     float *y);
    /* d_w[tap][c] = sum over i, j of x[offset[tap] + i*x_row + j*x_step + c] * d_y[i*y_row +
     * j*y_step + c]. */
    void (*correlate)(const ic_depthwise_correlation *sum, const float *x, const float *d_y,
                      float *d_w);
} ic_depthwise_kernels;

extern const ic_depthwise_kernels ic_depthwise_c;
extern const ic_depthwise_kernels ic_depthwise_neon;
extern const ic_depthwise_kernels ic_depthwise_sse41;
extern const ic_depthwise_kernels ic_depthwise_avx2;
extern const ic_depthwise_kernels ic_depthwise_avx512;

#endif

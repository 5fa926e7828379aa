/*
 * kernels/picture.h: the inner loops over samples of pictures, of one CPU level. They give the same
 * bits at every level: no product is fused with a sum. Reached through ic_kernels.picture.
 * SPDX-License-Identifier: MIT
 */
#ifndef KERNELS_PICTURE_H
#define KERNELS_PICTURE_H

#include <stddef.h>
#include <stdint.h>

/* For each of `length` output pixels: the first pixel of a row, how many, and their weights. */
typedef struct ic_picture_taps {
    int32_t length;
    int32_t most; /* weights kept for each */
    int32_t *first, *count;
    float *weights;
} ic_picture_taps;

typedef struct ic_picture_kernels {
    /* y[i] = sum over k of weights[k] * rows[k stride + i], within 0..most */
    void (*mix_rows_8)(int32_t taps, const float *weights, const uint8_t *rows, size_t stride,
                       size_t count, float most, float *y);
    void (*mix_rows_float)(int32_t taps, const float *weights, const float *rows, size_t stride,
                           size_t count, float most, float *y);

    /*
     * Resamples a row of 3 channels: y[x] = sum over k of weights[x][k] * row[first[x] - left + k],
     * within 0..most. Reads one float behind the row and writes one behind y.
     */
    void (*mix_columns_3)(const ic_picture_taps *taps, int32_t left, const float *row, float most,
                          float *y);

    /* y[i] = x[i], which is within 0..255, rounded to the nearest, halves upwards */
    void (*round_8)(size_t count, const float *x, uint8_t *y);
} ic_picture_kernels;

#endif

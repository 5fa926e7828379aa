/*
 * kernels/depthwise_tiles.h: the inner loops of depthwise convolutions of common sizes: a few rows
 * at a time, the padding left out. SPDX-License-Identifier: MIT
 */
#ifndef KERNELS_DEPTHWISE_TILES_H
#define KERNELS_DEPTHWISE_TILES_H

#include <stdbool.h>
#include <stdint.h>

enum {
    IC_DEPTHWISE_COLUMNS = 4, /* of a tile; a row has at least as many */
    IC_DEPTHWISE_ROWS = 20    /* of input for a strip, at most */
};

/*
 * A strip of `height` rows of outputs. Input column of output j, tap s: origin + j*step + s. Only
 * the outer taps/2 columns that a tile reads may lie outside the input. Tiles and vectors that
 * would go beyond the end begin earlier, so that some outputs are computed twice.
 */
typedef struct ic_depthwise_strip {
    int32_t height;
    int32_t rows;            /* of the filter */
    int32_t taps, step;      /* of one of its rows: 1, 2, 3, 5 with step 1; 3, 5 with step 2 */
    int32_t origin, in;      /* columns of input: of the first output's first tap, and all */
    int32_t first, last;     /* columns of outputs; last >= IC_DEPTHWISE_COLUMNS */
    int32_t channel, end, c; /* channels [channel, end) of c; a vector at least */
    int64_t y_row, y_column; /* floats between outputs; input columns are c apart */
    int64_t w_row, w_tap;
    const float *x[IC_DEPTHWISE_ROWS]; /* input rows, of output row i, tap r: i*step + r; NULL: 0 */
} ic_depthwise_strip;

typedef struct ic_depthwise_tiles {
    int32_t lanes;  /* channels in a vector */
    int32_t height; /* of the tallest tile */
    /* y[i][j][c] = sum over r, s of x[i*step + r][origin + j*step + s][c] * w[r][s][c], each one
     * chain of multiply-adds in the order of (r, s). y: of column 0. */
    void (*convolve)(const ic_depthwise_strip *strip, const float *w, float *y);
    /* d_w[r][s][c] = sum over i, j of x[i*step + r][origin + j*step + s][c] * d_y[i][j][c]. */
    void (*correlate)(const ic_depthwise_strip *strip, bool accumulate, const float *d_y,
                      float *d_w);
} ic_depthwise_tiles;

extern const ic_depthwise_tiles ic_depthwise_tiles_c;
extern const ic_depthwise_tiles ic_depthwise_tiles_neon;
extern const ic_depthwise_tiles ic_depthwise_tiles_sse41;
extern const ic_depthwise_tiles ic_depthwise_tiles_avx2;
extern const ic_depthwise_tiles ic_depthwise_tiles_avx512;

#endif

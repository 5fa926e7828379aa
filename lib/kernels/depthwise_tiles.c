/*
 * kernels/depthwise_tiles.c: depthwise sums over tiles of outputs, the channels in vectors. The
 * loops over a tile and the taps of a row have constant bounds: they unroll, and what they sum
 * stays in registers. SPDX-License-Identifier: MIT
 */
#include "kernels/depthwise_tiles.h"
#include "kernels/ref/level.h"
#include "kernels/vector.h"

/* Accumulators, a row of weights or of gradients and an input must fit the registers. */
#if defined(IC_SMALL)
enum { HEIGHT = 1, TAP_ROWS = 2 };
#elif defined(__AVX512F__) || defined(__aarch64__)
enum { HEIGHT = 4, TAP_ROWS = 5 };
#else
enum { HEIGHT = 2, TAP_ROWS = 2 };
#endif

enum { COLUMNS = IC_DEPTHWISE_COLUMNS, TAPS_MAX = 5 };

#define UNROLL _Pragma("GCC unroll 16")

static const float zeros[IC_LANES] = {0};

/* The vector of column `column` of a tile that begins at column `base`; 0 where there is no input.
 */
IC_VECTOR_INLINE ic_vector load_column(const int columns, const int edge,
                                       const ic_depthwise_strip *p, const float *row, int32_t base,
                                       const int column)
{
    const float *from = row + column * (int64_t)p->c;
    if (column < edge)
        from = base + column < 0 ? zeros : from;
    if (column >= columns - edge)
        from = base + column >= p->in ? zeros : from;
    return ic_load(from);
}

/* The first `height` rows of a tile: one copy of the code for any number of them. */
IC_VECTOR_INLINE void convolve_tile(const int taps, const int step, const ic_depthwise_strip *p,
                                    int32_t height, const float *const *rows, int32_t base,
                                    int64_t offset, const float *w, float *y)
{
    const int columns = (COLUMNS - 1) * step + taps;
    ic_vector sum[HEIGHT][COLUMNS], weight[TAPS_MAX];
    UNROLL for (int i = 0; i < HEIGHT; ++i) UNROLL for (int j = 0; j < COLUMNS; ++j) sum[i][j] =
        ic_zero();
    for (int32_t r = 0; r < p->rows; ++r, w += p->w_row) {
        UNROLL for (int s = 0; s < taps; ++s) weight[s] = ic_load(w + s * p->w_tap);
        UNROLL for (int i = 0; i < HEIGHT; ++i)
        {
            const float *row = i < height ? rows[i * step + r] : NULL;
            if (row == NULL)
                continue;
            UNROLL for (int k = 0; k < columns; ++k)
            {
                ic_vector x = load_column(columns, taps / 2, p, row + offset, base, k);
                UNROLL for (int j = 0; j < COLUMNS; ++j) if (k >= j * step && k < j * step + taps)
                    ic_multiply_add(sum[i][j], x, weight[k - j * step]);
            }
        }
    }
    UNROLL for (int i = 0; i < HEIGHT; ++i) UNROLL for (int j = 0; j < COLUMNS; ++j) if (i < height)
        ic_store(y + i * p->y_row + j * p->y_column, sum[i][j]);
}

IC_VECTOR_INLINE void convolve_tiles(const int taps, const int step, const ic_depthwise_strip *p,
                                     int32_t height, const float *const *rows, const float *w,
                                     float *y)
{
    for (int32_t j = p->first; j < p->last; j += COLUMNS) {
        int32_t column = j + COLUMNS <= p->last ? j : p->last - COLUMNS;
        int32_t base = p->origin + column * step;
        for (int32_t c = p->channel; c < p->end; c += IC_LANES) {
            int32_t from = c + IC_LANES <= p->c ? c : p->c - IC_LANES;
            convolve_tile(taps, step, p, height, rows, base, (int64_t)base * p->c + from, w + from,
                          y + column * p->y_column + from);
        }
    }
}

IC_VECTOR_INLINE void convolve_strip(const int taps, const int step, const ic_depthwise_strip *p,
                                     const float *w, float *y)
{
    for (int32_t i = 0; i < p->height; i += HEIGHT) {
        int32_t left = p->height - i, height = left < HEIGHT ? left : HEIGHT;
        convolve_tiles(taps, step, p, height, p->x + i * step, w, y + i * p->y_row);
    }
}

static void convolve(const ic_depthwise_strip *p, const float *w, float *y)
{
    if (p->step == 2 && p->taps == 5)
        convolve_strip(5, 2, p, w, y);
    else if (p->step == 2)
        convolve_strip(3, 2, p, w, y);
    else if (p->taps == 5)
        convolve_strip(5, 1, p, w, y);
    else if (p->taps == 3)
        convolve_strip(3, 1, p, w, y);
    else if (p->taps == 2)
        convolve_strip(2, 1, p, w, y);
    else
        convolve_strip(1, 1, p, w, y);
}

/* The taps [first, first + rows) of rows of the filter, from the outputs of one tile of one row. */
IC_VECTOR_INLINE void correlate_rows(const int rows, const int taps, const int step,
                                     const ic_depthwise_strip *p, int32_t first, bool accumulate,
                                     int64_t channel, const float *d_y, float *d_w)
{
    const int columns = (COLUMNS - 1) * step + taps;
    ic_vector sum[TAPS_MAX][TAPS_MAX], gradient[COLUMNS];
    UNROLL for (int r = 0; r < rows; ++r) UNROLL for (int s = 0; s < taps; ++s) sum[r][s] =
        accumulate ? ic_load(d_w + r * p->w_row + s * p->w_tap) : ic_zero();
    for (int32_t i = 0; i < p->height; ++i) {
        const float *const *x = p->x + i * step + first;
        for (int32_t j = p->first; j < p->last; j += COLUMNS) {
            int32_t column = j + COLUMNS <= p->last ? j : p->last - COLUMNS;
            int32_t base = p->origin + column * step, done = j - column;
            const float *with = d_y + i * p->y_row + column * p->y_column;
            UNROLL for (int k = 0; k < COLUMNS; ++k) gradient[k] =
                ic_load(k < done ? zeros : with + k * p->y_column);
            UNROLL for (int r = 0; r < rows; ++r)
            {
                if (x[r] == NULL)
                    continue;
                const float *row = x[r] + (int64_t)base * p->c + channel;
                UNROLL for (int k = 0; k < columns; ++k)
                {
                    ic_vector value = load_column(columns, taps / 2, p, row, base, k);
                    UNROLL for (int s = 0; s < taps;
                                ++s) if (k >= s && (k - s) % step == 0 && (k - s) / step < COLUMNS)
                        ic_multiply_add(sum[r][s], value, gradient[(k - s) / step]);
                }
            }
        }
    }
    UNROLL for (int r = 0; r < rows; ++r) UNROLL for (int s = 0; s < taps; ++s)
        ic_store(d_w + r * p->w_row + s * p->w_tap, sum[r][s]);
}

IC_VECTOR_INLINE void correlate_strip(const int all, const int step, const ic_depthwise_strip *p,
                                      bool accumulate, const float *d_y, float *d_w)
{
    const int most = all == 3 ? 3 : TAP_ROWS, rest = all % most;
    for (int32_t c = p->channel; c < p->end; c += IC_LANES) {
        int64_t from = c + IC_LANES <= p->c ? c : p->c - IC_LANES;
        int32_t r = 0;
        for (; r + most <= all; r += most)
            correlate_rows(most, all, step, p, r, accumulate, from, d_y + from,
                           d_w + r * p->w_row + c);
        if (rest != 0)
            correlate_rows(rest, all, step, p, r, accumulate, from, d_y + from,
                           d_w + r * p->w_row + c);
    }
}

static void correlate(const ic_depthwise_strip *p, bool accumulate, const float *d_y, float *d_w)
{
    if (p->step == 2 && p->taps == 5)
        correlate_strip(5, 2, p, accumulate, d_y, d_w);
    else if (p->step == 2)
        correlate_strip(3, 2, p, accumulate, d_y, d_w);
    else if (p->taps == 5)
        correlate_strip(5, 1, p, accumulate, d_y, d_w);
    else
        correlate_strip(3, 1, p, accumulate, d_y, d_w);
}

const ic_depthwise_tiles IC_AT_LEVEL(ic_depthwise_tiles) = {
    .lanes = IC_LANES, .height = HEIGHT, .convolve = convolve, .correlate = correlate};

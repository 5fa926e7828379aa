/*
 * kernels/ref/pool_tiled.h: maxima of 2x2 pixels side by side, of pictures with few channels.
 * SPDX-License-Identifier: MIT
 *
 * A row of pixels is taken as one row of floats, whatever the channels, so that all lanes of a
 * vector have work: forward the maximum is found for every pixel as the first of a window, and that
 * of every other one is kept; backward each pixel's gradient and winner are written twice, side by
 * side, and compared with the place of each float.
 */
#ifndef KERNELS_REF_POOL_TILED_H
#define KERNELS_REF_POOL_TILED_H

#include "kernels/ref/level.h"

#include <string.h>

#if defined(__AVX512BW__)
#include "kernels/x86/pool_avx512.h"
#else

enum {
    TILED_CHANNELS = 32,
    TILED_FLOATS = 512, /* of input that are worked on at a time */
    TILED_COPY = 8
};

/* Copies c floats and bytes; given room as whole vectors, whose rest the next copy overwrites. */
static IC_ALWAYS_INLINE void copy_channels(int32_t c, bool room, const float *x,
                                           const uint8_t *index, float *y, uint8_t *place)
{
    if (room && c <= TILED_COPY) {
        memcpy(y, x, TILED_COPY * sizeof(float));
        memcpy(place, index, TILED_COPY);
        return;
    }
    for (int32_t k = 0; k < c; k++) {
        y[k] = x[k];
        place[k] = index[k];
    }
}

/* best[j], place[j] of the window that begins at float j of two rows; c floats are a pixel. */
static IC_ALWAYS_INLINE void max_of_rows(int32_t count, int32_t c, const float *top,
                                         const float *bottom, float *best, uint8_t *place)
{
    IC_VECTOR_LOOP
    for (int32_t j = 0; j < count; j++) {
        const float a = top[j], b = top[j + c], d = bottom[j], e = bottom[j + c];
        float value = a;
        int32_t winner = 0;
        const bool b_wins = (b > value) | (b != b);
        value = b_wins ? b : value;
        winner = b_wins ? 1 : winner;
        const bool d_wins = (d > value) | (d != d);
        value = d_wins ? d : value;
        winner = d_wins ? 2 : winner;
        const bool e_wins = (e > value) | (e != e);
        best[j] = e_wins ? e : value;
        place[j] = (uint8_t)(e_wins ? 3 : winner);
    }
}

static inline void max_tiled(const ic_window *window, int32_t first, int32_t last, const float *x,
                             float *y, uint8_t *index)
{
    const int32_t c = window->c, step = TILED_FLOATS / (2 * c);
    float best[TILED_FLOATS + TILED_COPY];
    uint8_t place[TILED_FLOATS + TILED_COPY];
    for (int32_t oh = first; oh < last; oh++)
        for (int32_t ow = 0; ow < window->ow; ow += step) {
            const int32_t pixels = window->ow - ow < step ? window->ow - ow : step;
            const float *top = x + ((int64_t)2 * oh * window->w + 2 * ow) * c;
            const int64_t out = ((int64_t)oh * window->ow + ow) * c;
            max_of_rows((2 * pixels - 1) * c, c, top, top + (int64_t)window->w * c, best, place);
            for (int32_t p = 0; p < pixels; p++)
                copy_channels(c, (pixels - p) * c >= TILED_COPY, best + 2 * p * c,
                              place + 2 * p * c, y + out + p * c, index + out + p * c);
        }
}

/* One row of d_x: what has won at place[j]. */
static IC_ALWAYS_INLINE void spread_row(int32_t count, const float *d_y, const uint8_t *index,
                                        const uint8_t *place, int32_t row, float *d_x)
{
    IC_VECTOR_LOOP
    for (int32_t j = 0; j < count; j++)
        d_x[j] += index[j] == place[j] + row ? d_y[j] : 0.0f;
}

static inline void spread_windows(const ic_window *window, const float *d_y, const uint8_t *index,
                                  float *d_x)
{
    const int32_t c = window->c, step = TILED_FLOATS / (2 * c);
    float gradient[TILED_FLOATS + TILED_COPY];
    uint8_t winner[TILED_FLOATS + TILED_COPY], place[TILED_FLOATS];
    for (int32_t j = 0; j < 2 * step * c; j++)
        place[j] = (uint8_t)(j / c % 2);
    for (int32_t oh = 0; oh < window->oh; oh++)
        for (int32_t ow = 0; ow < window->ow; ow += step) {
            const int32_t pixels = window->ow - ow < step ? window->ow - ow : step;
            const int64_t out = ((int64_t)oh * window->ow + ow) * c;
            for (int32_t p = 0; p < 2 * pixels; p++)
                copy_channels(c, (pixels - p / 2) * c >= TILED_COPY, d_y + out + p / 2 * c,
                              index + out + p / 2 * c, gradient + p * c, winner + p * c);
            float *top = d_x + ((int64_t)2 * oh * window->w + 2 * ow) * c;
            spread_row(2 * pixels * c, gradient, winner, place, 0, top);
            spread_row(2 * pixels * c, gradient, winner, place, 2, top + (int64_t)window->w * c);
        }
}

#endif

/* Where code is kept small, single pixels do. */
#if defined(IC_SMALL)
enum { HAS_TILED = 0 };
#else
enum { HAS_TILED = 1 };
#endif

static inline bool is_tiled(const ic_window *window)
{
    return HAS_TILED && window->r == 2 && window->s == 2 && window->stride_h == 2 &&
           window->stride_w == 2 && window->pad_h == 0 && window->pad_w == 0 &&
           window->oh * 2 <= window->h && window->ow * 2 <= window->w &&
           window->c <= TILED_CHANNELS;
}

#endif

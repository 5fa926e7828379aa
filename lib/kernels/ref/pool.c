/*
 * kernels/ref/pool.c: maximum and average over windows. SPDX-License-Identifier: MIT
 *
 * For each output pixel the taps of its window that lie inside the picture are listed; then one
 * loop over the channels takes them all together (four and nine taps: 2x2 and 3x3), or there is a
 * loop for each.
 */
#include "kernels/ref/level.h"

enum { MAX_TAPS = 256 }; /* of one window: r * s */

/* The part of a window that lies inside the picture; its offsets are in floats. */
typedef struct taps {
    int32_t count;
    int64_t offset[MAX_TAPS];
    uint8_t place[MAX_TAPS]; /* row * s + column */
} taps;

static void find_taps(const ic_window *window, int32_t oh, int32_t ow, taps *out)
{
    const int32_t top = oh * window->stride_h - window->pad_h;
    const int32_t left = ow * window->stride_w - window->pad_w;
    int32_t count = 0;
    for (int32_t row = 0; row < window->r; row++) {
        const int32_t h = top + row;
        if (h < 0 || h >= window->h)
            continue;
        for (int32_t column = 0; column < window->s; column++) {
            const int32_t w = left + column;
            if (w < 0 || w >= window->w)
                continue;
            out->offset[count] = ((int64_t)h * window->w + w) * window->c;
            out->place[count++] = (uint8_t)(row * window->s + column);
        }
    }
    out->count = count;
}

/* A later value wins only when it is greater, so a tie goes to the first place; NaN always wins. */
static IC_ALWAYS_INLINE bool wins(float value, float best)
{
    return (value > best) | (value != value);
}

/* `count` is a constant at every call of the next three, so that the loop over taps unrolls. */
static IC_ALWAYS_INLINE void max_of(int32_t count, const taps *inside, int32_t c,
                                    const float *restrict x, float *restrict y)
{
    const float *tap[9];
    for (int32_t i = 0; i < count; i++)
        tap[i] = x + inside->offset[i];
    for (int32_t k = 0; k < c; k++) {
        float best = tap[0][k];
        for (int32_t i = 1; i < count; i++)
            best = wins(tap[i][k], best) ? tap[i][k] : best;
        y[k] = best;
    }
}

static IC_ALWAYS_INLINE void max_place_of(int32_t count, const taps *inside, int32_t c,
                                          const float *restrict x, float *restrict y,
                                          uint8_t *restrict index)
{
    const float *tap[9];
    int32_t place[9];
    for (int32_t i = 0; i < count; i++) {
        tap[i] = x + inside->offset[i];
        place[i] = inside->place[i];
    }
    for (int32_t k = 0; k < c; k++) {
        float best = tap[0][k];
        int32_t best_place = place[0];
        for (int32_t i = 1; i < count; i++) {
            const float value = tap[i][k];
            const bool better = wins(value, best);
            best = better ? value : best;
            best_place = better ? place[i] : best_place;
        }
        y[k] = best;
        index[k] = (uint8_t)best_place;
    }
}

static IC_ALWAYS_INLINE void sum_of(int32_t count, const taps *inside, int32_t c, float divisor,
                                    const float *restrict x, float *restrict y)
{
    const float *tap[9];
    for (int32_t i = 0; i < count; i++)
        tap[i] = x + inside->offset[i];
    for (int32_t k = 0; k < c; k++) {
        float sum = tap[0][k];
        for (int32_t i = 1; i < count; i++)
            sum += tap[i][k];
        y[k] = sum / divisor;
    }
}

static void max_of_any(const taps *inside, int32_t c, const float *restrict x, float *restrict y)
{
    max_of(1, inside, c, x, y);
    for (int32_t i = 1; i < inside->count; i++) {
        const float *tap = x + inside->offset[i];
        for (int32_t k = 0; k < c; k++)
            y[k] = wins(tap[k], y[k]) ? tap[k] : y[k];
    }
}

static void max_place_of_any(const taps *inside, int32_t c, const float *restrict x,
                             float *restrict y, uint8_t *restrict index)
{
    max_place_of(1, inside, c, x, y, index);
    for (int32_t i = 1; i < inside->count; i++) {
        const float *tap = x + inside->offset[i];
        const uint8_t place = inside->place[i];
        for (int32_t k = 0; k < c; k++) {
            const bool better = wins(tap[k], y[k]);
            y[k] = better ? tap[k] : y[k];
            index[k] = better ? place : index[k];
        }
    }
}

static void sum_of_any(const taps *inside, int32_t c, float divisor, const float *restrict x,
                       float *restrict y)
{
    sum_of(1, inside, c, 1.0f, x, y);
    for (int32_t i = 1; i < inside->count; i++) {
        const float *tap = x + inside->offset[i];
        for (int32_t k = 0; k < c; k++)
            y[k] += tap[k];
    }
    for (int32_t k = 0; k < c; k++)
        y[k] /= divisor;
}

void IC_AT_LEVEL(ic_max_pool)(const ic_window *window, int32_t first, int32_t last, const float *x,
                              float *y, uint8_t *index)
{
    const int32_t c = window->c;
    taps inside;
    for (int32_t oh = first; oh < last; oh++) {
        for (int32_t ow = 0; ow < window->ow; ow++) {
            const int64_t out = ((int64_t)oh * window->ow + ow) * c;
            find_taps(window, oh, ow, &inside);
            if (index == NULL && inside.count == 4)
                max_of(4, &inside, c, x, y + out);
            else if (index == NULL && inside.count == 9)
                max_of(9, &inside, c, x, y + out);
            else if (index == NULL)
                max_of_any(&inside, c, x, y + out);
            else if (inside.count == 4)
                max_place_of(4, &inside, c, x, y + out, index + out);
            else if (inside.count == 9)
                max_place_of(9, &inside, c, x, y + out, index + out);
            else
                max_place_of_any(&inside, c, x, y + out, index + out);
        }
    }
}

void IC_AT_LEVEL(ic_max_pool_backward)(const ic_window *window, const float *d_y,
                                       const uint8_t *index, float *d_x)
{
    const int32_t c = window->c;
    taps inside;
    for (int32_t oh = 0; oh < window->oh; oh++) {
        for (int32_t ow = 0; ow < window->ow; ow++) {
            const int64_t out = ((int64_t)oh * window->ow + ow) * c;
            const float *restrict from = d_y + out;
            const uint8_t *restrict won = index + out;
            find_taps(window, oh, ow, &inside);
            for (int32_t i = 0; i < inside.count; i++) {
                float *restrict to = d_x + inside.offset[i];
                const int32_t place = inside.place[i];
                IC_VECTOR_LOOP
                for (int32_t k = 0; k < c; k++)
                    to[k] += won[k] == place ? from[k] : 0.0f;
            }
        }
    }
}

/* By how much the average of a window is divided. */
static float divisor_of(const ic_window *window, const taps *inside)
{
    return (float)(window->count_padding ? window->r * window->s : inside->count);
}

void IC_AT_LEVEL(ic_average_pool)(const ic_window *window, int32_t first, int32_t last,
                                  const float *x, float *y)
{
    const int32_t c = window->c;
    taps inside;
    for (int32_t oh = first; oh < last; oh++) {
        for (int32_t ow = 0; ow < window->ow; ow++) {
            float *to = y + ((int64_t)oh * window->ow + ow) * c;
            find_taps(window, oh, ow, &inside);
            const float divisor = divisor_of(window, &inside);
            if (inside.count == 4)
                sum_of(4, &inside, c, divisor, x, to);
            else if (inside.count == 9)
                sum_of(9, &inside, c, divisor, x, to);
            else
                sum_of_any(&inside, c, divisor, x, to);
        }
    }
}

void IC_AT_LEVEL(ic_average_pool_backward)(const ic_window *window, const float *d_y, float *d_x)
{
    const int32_t c = window->c;
    taps inside;
    for (int32_t oh = 0; oh < window->oh; oh++) {
        for (int32_t ow = 0; ow < window->ow; ow++) {
            const float *restrict from = d_y + ((int64_t)oh * window->ow + ow) * c;
            find_taps(window, oh, ow, &inside);
            const float divisor = divisor_of(window, &inside);
            for (int32_t i = 0; i < inside.count; i++) {
                float *restrict to = d_x + inside.offset[i];
                IC_VECTOR_LOOP
                for (int32_t k = 0; k < c; k++)
                    to[k] += from[k] / divisor;
            }
        }
    }
}

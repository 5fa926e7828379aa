/*
 * kernels/ref/pool.c: maximum over windows. SPDX-License-Identifier: MIT
 *
 * For each output pixel the taps of its window that lie inside the picture are listed; then one
 * loop over the channels takes them all together (four and nine taps: 2x2 and 3x3), or there is a
 * loop for each.
 */
#include "kernels/ref/pool_narrow.h"
#include "kernels/ref/pool_tiled.h"

/* A later value wins only when it is greater, so a tie goes to the first place; NaN always wins. */
static IC_ALWAYS_INLINE bool wins(float value, float best)
{
    return (value > best) | (value != value);
}

/* `count` is a constant at every call of the next two, so that the loop over taps unrolls. */
static IC_ALWAYS_INLINE void max_of(int32_t count, const taps *inside, int32_t c, const float *x,
                                    float *y)
{
    const float *tap[9];
    UNROLL_TAPS
    for (int32_t i = 0; i < count; i++)
        tap[i] = x + inside->corner + inside->offset[i];
    IC_VECTOR_LOOP
    for (int32_t k = 0; k < c; k++) {
        float best = tap[0][k];
        UNROLL_TAPS
        for (int32_t i = 1; i < count; i++)
            best = wins(tap[i][k], best) ? tap[i][k] : best;
        y[k] = best;
    }
}

static IC_ALWAYS_INLINE void max_place_of(int32_t count, const taps *inside, int32_t c,
                                          const float *x, float *y, uint8_t *index)
{
    const float *tap[9];
    int32_t place[9];
    UNROLL_TAPS
    for (int32_t i = 0; i < count; i++) {
        tap[i] = x + inside->corner + inside->offset[i];
        place[i] = inside->place[i];
    }
    IC_VECTOR_LOOP
    for (int32_t k = 0; k < c; k++) {
        float best = tap[0][k];
        int32_t best_place = place[0];
        UNROLL_TAPS
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

static void max_of_any(const taps *inside, int32_t c, const float *x, float *y)
{
    max_of(1, inside, c, x, y);
    for (int32_t i = 1; i < inside->count; i++) {
        const float *tap = x + inside->corner + inside->offset[i];
        IC_VECTOR_LOOP
        for (int32_t k = 0; k < c; k++)
            y[k] = wins(tap[k], y[k]) ? tap[k] : y[k];
    }
}

static void max_place_of_any(const taps *inside, int32_t c, const float *x, float *y,
                             uint8_t *index)
{
    max_place_of(1, inside, c, x, y, index);
    for (int32_t i = 1; i < inside->count; i++) {
        const float *tap = x + inside->corner + inside->offset[i];
        const uint8_t place = inside->place[i];
        IC_VECTOR_LOOP
        for (int32_t k = 0; k < c; k++) {
            const bool better = wins(tap[k], y[k]);
            y[k] = better ? tap[k] : y[k];
            index[k] = better ? place : index[k];
        }
    }
}

static inline void max_pixel(const taps *inside, int32_t c, const float *x, float *y)
{
    if (c >= 4 && c < 16) /* less than one vector, or little more */
        max_place_narrow(inside->count, inside, c, x, y, NULL);
    else if (inside->count == 4)
        max_of(4, inside, c, x, y);
    else if (inside->count == 9)
        max_of(9, inside, c, x, y);
    else
        max_of_any(inside, c, x, y);
}

static inline void max_place_pixel(const taps *inside, int32_t c, const float *x, float *y,
                                   uint8_t *index)
{
    if (c >= 4 && c < NARROW)
        max_place_narrow(inside->count, inside, c, x, y, index);
    else if (inside->count == 4)
        max_place_of(4, inside, c, x, y, index);
    else if (inside->count == 9)
        max_place_of(9, inside, c, x, y, index);
    else
        max_place_of_any(inside, c, x, y, index);
}

void IC_AT_LEVEL(ic_max_pool)(const ic_window *window, int32_t first, int32_t last, const float *x,
                              float *y, uint8_t *index)
{
    taps inside;
    inside.count = 0;
    if (index != NULL && is_tiled(window)) {
        max_tiled(window, first, last, x, y, index);
        return;
    }
    for (int32_t oh = first; oh < last; oh++) {
        for (int32_t ow = 0; ow < window->ow; ow++) {
            const int64_t out = ((int64_t)oh * window->ow + ow) * window->c;
            find_taps(window, oh, ow, &inside);
            if (index == NULL)
                max_pixel(&inside, window->c, x, y + out);
            else
                max_place_pixel(&inside, window->c, x, y + out, index + out);
        }
    }
}

static inline void spread_pixel(const taps *inside, int32_t c, const float *d_y,
                                const uint8_t *index, float *d_x)
{
    if (c >= 4 && c < NARROW_BACKWARD) {
        spread_narrow(inside->count, inside, c, d_y, index, d_x);
        return;
    }
    for (int32_t i = 0; i < inside->count; i++) {
        float *to = d_x + inside->corner + inside->offset[i];
        const int32_t place = inside->place[i];
        IC_VECTOR_LOOP
        for (int32_t k = 0; k < c; k++)
            to[k] += index[k] == place ? d_y[k] : 0.0f;
    }
}

void IC_AT_LEVEL(ic_max_pool_backward)(const ic_window *window, bool accumulate, const float *d_y,
                                       const uint8_t *index, float *d_x)
{
    taps inside;
    inside.count = 0;
    if (!accumulate)
        memset(d_x, 0, (size_t)window->h * (size_t)window->w * (size_t)window->c * sizeof(float));
    if (is_tiled(window)) {
        spread_windows(window, d_y, index, d_x);
        return;
    }
    for (int32_t oh = 0; oh < window->oh; oh++) {
        for (int32_t ow = 0; ow < window->ow; ow++) {
            const int64_t out = ((int64_t)oh * window->ow + ow) * window->c;
            find_taps(window, oh, ow, &inside);
            spread_pixel(&inside, window->c, d_y + out, index + out, d_x);
        }
    }
}

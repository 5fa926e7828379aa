/* kernels/ref/average.c: average over windows, tap by tap. SPDX-License-Identifier: MIT */
#include "kernels/ref/taps.h"

static void average_pixel(const taps *inside, int32_t c, float divisor, const float *x, float *y)
{
    const float *first = x + inside->corner + inside->offset[0];
    IC_VECTOR_LOOP
    for (int32_t k = 0; k < c; k++)
        y[k] = first[k];
    for (int32_t i = 1; i < inside->count; i++) {
        const float *tap = x + inside->corner + inside->offset[i];
        IC_VECTOR_LOOP
        for (int32_t k = 0; k < c; k++)
            y[k] += tap[k];
    }
    IC_VECTOR_LOOP
    for (int32_t k = 0; k < c; k++)
        y[k] /= divisor;
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
    inside.count = 0;
    for (int32_t oh = first; oh < last; oh++) {
        for (int32_t ow = 0; ow < window->ow; ow++) {
            float *to = y + ((int64_t)oh * window->ow + ow) * c;
            find_taps(window, oh, ow, &inside);
            const float divisor = divisor_of(window, &inside);
            average_pixel(&inside, c, divisor, x, to);
        }
    }
}

void IC_AT_LEVEL(ic_average_pool_backward)(const ic_window *window, const float *d_y, float *d_x)
{
    const int32_t c = window->c;
    taps inside;
    inside.count = 0;
    for (int32_t oh = 0; oh < window->oh; oh++) {
        for (int32_t ow = 0; ow < window->ow; ow++) {
            const float *from = d_y + ((int64_t)oh * window->ow + ow) * c;
            find_taps(window, oh, ow, &inside);
            const float divisor = divisor_of(window, &inside);
            for (int32_t i = 0; i < inside.count; i++) {
                float *to = d_x + inside.corner + inside.offset[i];
                IC_VECTOR_LOOP
                for (int32_t k = 0; k < c; k++)
                    to[k] += from[k] / divisor;
            }
        }
    }
}

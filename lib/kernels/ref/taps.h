/*
 * kernels/ref/taps.h: the pixels under a pooling window. SPDX-License-Identifier: MIT
 */
#ifndef KERNELS_REF_TAPS_H
#define KERNELS_REF_TAPS_H

#include "kernels/ref/level.h"

enum { MAX_TAPS = 256 }; /* of one window: r * s */

/*
 * Before a loop over the taps of a window, in a loop over channels: where their count is a
 * constant, it must unroll before the loop around it can be vectorised (12 in place of 1.5 G
 * floats/s for 2x2 of 64 channels).
 */
#if defined(IC_SMALL)
#define UNROLL_TAPS
#else
#define UNROLL_TAPS _Pragma("GCC unroll 9")
#endif

/*
 * The part of a window that lies inside the picture. Offsets are in floats from the window's first
 * corner, so that the list holds for all windows that are cut in the same way.
 */
typedef struct taps {
    int64_t corner; /* from the picture's start; negative in the padding */
    int32_t top, bottom, left, right;
    int32_t count;
    int64_t offset[MAX_TAPS];
    uint8_t place[MAX_TAPS]; /* row * s + column */
} taps;

static inline void list_taps(const ic_window *window, taps *out)
{
    int32_t count = 0;
    for (int32_t row = out->top; row < out->bottom; row++) {
        for (int32_t column = out->left; column < out->right; column++) {
            out->offset[count] = ((int64_t)row * window->w + column) * window->c;
            out->place[count++] = (uint8_t)(row * window->s + column);
        }
    }
    out->count = count;
}

/* Moves `out` to the window of an output pixel; it starts as {.count = 0}. */
static inline void find_taps(const ic_window *window, int32_t oh, int32_t ow, taps *out)
{
    const int32_t h = oh * window->stride_h - window->pad_h;
    const int32_t w = ow * window->stride_w - window->pad_w;
    const int32_t top = h < 0 ? -h : 0, left = w < 0 ? -w : 0;
    const int32_t bottom = h + window->r > window->h ? window->h - h : window->r;
    const int32_t right = w + window->s > window->w ? window->w - w : window->s;
    out->corner = ((int64_t)h * window->w + w) * window->c;
    if (out->count > 0 && top == out->top && bottom == out->bottom && left == out->left &&
        right == out->right)
        return;
    out->top = top;
    out->bottom = bottom;
    out->left = left;
    out->right = right;
    list_taps(window, out);
}

#endif

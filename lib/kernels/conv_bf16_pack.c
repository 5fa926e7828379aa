/*
 * kernels/conv_bf16_pack.c: the weights of forward and backward data in bfloat16, and the depth and
 * steps that inputs share with them. SPDX-License-Identifier: MIT
 *
 * Packed weights: [grid][panel][tap h][tap w][pair of channels][32][2].
 */
#include "kernels/conv_bf16.h"

#include <string.h>

enum { PACKED_ROWS = 16 }; /* channels that are packed at a time */

int32_t ic_conv_bf16_depth(int32_t channels)
{
    int32_t steps = (channels + IC_BF16_DEPTH - 1) / IC_BF16_DEPTH;
    return steps * 2 * ((channels + 2 * steps - 1) / (2 * steps));
}

int32_t ic_conv_bf16_step(int64_t depth)
{
    int64_t steps = ic_conv_divide_up(depth, IC_BF16_DEPTH);
    while (steps > 0 && depth / 2 % steps != 0)
        ++steps;
    return steps > 0 ? (int32_t)(depth / steps) : IC_BF16_DEPTH;
}

static int64_t packed_of_taps(const ic_conv_grid *grid, int64_t taps)
{
    int64_t panels = ic_conv_divide_up(grid->columns, IC_BF16_WIDTH);
    return panels * taps * ic_conv_bf16_depth(grid->depth) * IC_BF16_WIDTH;
}

int64_t ic_conv_bf16_packed_before(const ic_conv *conv, ic_conv_pass pass, int32_t index)
{
    int64_t sum = 0;
    for (int32_t i = 0; i < index; ++i) {
        ic_conv_grid grid;
        ic_conv_grid_at(conv, pass, i, &grid);
        sum += packed_of_taps(&grid, (int64_t)grid.h.taps * grid.w.taps);
    }
    return sum;
}

int64_t ic_conv_bf16_pack_units(const ic_conv *conv, ic_conv_pass pass)
{
    int32_t columns = pass == IC_CONV_BACKWARD_DATA ? conv->shape.c : conv->shape.k;
    return ic_conv_divide_up(columns, IC_BF16_WIDTH);
}

/* Where weights lie that belong to channel in d and channel out n of a grid. */
typedef struct weight_strides {
    int64_t in, out;
} weight_strides;

/* Channels [first, first + count) of one tap. */
static void pack_tap(const ic_bf16_kernels *kernels, const float *weights, weight_strides strides,
                     int32_t first, int32_t count, int32_t columns, uint16_t *packed)
{
    float block[PACKED_ROWS * IC_BF16_WIDTH];
    const float *rows[PACKED_ROWS] = {NULL};
    for (int32_t d = 0; d < count; ++d) {
        const float *from = weights + (first + d) * strides.in;
        rows[d] = block + d * IC_BF16_WIDTH;
        for (int32_t n = 0; n < columns; ++n)
            block[d * IC_BF16_WIDTH + n] = from[n * strides.out];
    }
    kernels->pair((count + 1) / 2, columns, rows, 0, packed);
}

static void pack_panel(const ic_conv *conv, const ic_conv_grid *grid, const float *weights,
                       weight_strides strides, int32_t columns, uint16_t *packed)
{
    int32_t depth = ic_conv_bf16_depth(grid->depth);
    for (int32_t first = 0; first < depth; first += PACKED_ROWS) {
        int32_t count = depth - first < PACKED_ROWS ? depth - first : PACKED_ROWS;
        int32_t there = grid->depth - first < count ? grid->depth - first : count;
        for (int32_t i = 0; i < grid->h.taps; ++i)
            for (int32_t j = 0; j < grid->w.taps; ++j) {
                int64_t r = grid->h.tap_first + i * grid->h.tap_stride;
                int64_t tap = r * conv->shape.s + grid->w.tap_first + j * grid->w.tap_stride;
                uint16_t *to =
                    packed + (((int64_t)i * grid->w.taps + j) * depth + first) * IC_BF16_WIDTH;
                int32_t full = there > 0 ? (there + 1) / 2 * 2 : 0;
                if (there > 0)
                    pack_tap(conv->kernels->bf16, weights + tap, strides, first, there, columns,
                             to);
                memset(to + full * IC_BF16_WIDTH, 0,
                       (size_t)(count - full) * IC_BF16_WIDTH * sizeof *to);
            }
    }
}

void ic_conv_bf16_pack(const ic_conv *conv, ic_conv_pass pass, int64_t unit, const float *weights,
                       float *packed)
{
    const ic_conv_shape *s = &conv->shape;
    bool forward = pass == IC_CONV_FORWARD;
    int64_t filter = (int64_t)s->r * s->s, row = filter * s->c;
    weight_strides strides = {.in = forward ? filter : row, .out = forward ? row : filter};
    for (int32_t index = 0; index < ic_conv_grid_count(s, pass); ++index) {
        ic_conv_grid grid;
        ic_conv_grid_at(conv, pass, index, &grid);
        int32_t first = (int32_t)unit * IC_BF16_WIDTH;
        int32_t columns =
            grid.columns - first < IC_BF16_WIDTH ? grid.columns - first : IC_BF16_WIDTH;
        int64_t panel =
            (int64_t)grid.h.taps * grid.w.taps * ic_conv_bf16_depth(grid.depth) * IC_BF16_WIDTH;
        pack_panel(conv, &grid, weights + first * strides.out, strides, columns,
                   (uint16_t *)(void *)packed + ic_conv_bf16_packed_before(conv, pass, index) +
                       unit * panel);
    }
}

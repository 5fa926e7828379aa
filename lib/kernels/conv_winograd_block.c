/*
 * kernels/conv_winograd_block.c: a block of tiles of forward or backward data: their inputs brought
 * to V, their products M brought to the output. SPDX-License-Identifier: MIT
 */
#include "kernels/conv_winograd.h"

#include <math.h>

ic_winograd_block ic_winograd_block_of(const ic_conv *conv, ic_conv_pass pass,
                                       const ic_conv_arguments *arguments, int64_t index)
{
    ic_winograd_block b = {.conv = conv, .pass = pass, .arguments = arguments};
    const ic_conv_plan *plan = &conv->plans[pass];
    ic_conv_grid_at(conv, pass, 0, &b.grid);
    b.tiles = ic_winograd_tiles_of(conv->kernels, plan, &b.grid);
    int64_t block = plan->block[IC_WINOGRAD_BLOCK_TILES];
    b.first = index * block;
    b.count = b.tiles.count - b.first < block ? b.tiles.count - b.first : block;
    return b;
}

ic_winograd_plane ic_winograd_inputs(const ic_winograd_block *b, int32_t first, int32_t count)
{
    bool forward = b->pass == IC_CONV_FORWARD;
    return (ic_winograd_plane){.values = forward ? b->arguments->x : b->arguments->d_y,
                               .h = b->grid.h.in,
                               .w = b->grid.w.in,
                               .channels = b->grid.depth,
                               .first = first,
                               .count = count};
}

ic_winograd_plane ic_winograd_outputs(const ic_winograd_block *b, int64_t first_panel,
                                      int64_t last_panel)
{
    int32_t width = b->conv->kernels->gemm->wide.width, columns = b->grid.columns;
    int32_t first = (int32_t)first_panel * width, last = (int32_t)last_panel * width;
    return (ic_winograd_plane){.values = b->arguments->out,
                               .h = b->grid.h.out,
                               .w = b->grid.w.out,
                               .channels = columns,
                               .first = first,
                               .count = (last < columns ? last : columns) - first};
}

void ic_winograd_load(const ic_winograd_block *b, int64_t first, int64_t last, int32_t channel,
                      int32_t channels, float *room)
{
    const ic_conv_grid *grid = &b->grid;
    const ic_winograd_plane in = ic_winograd_inputs(b, channel, channels);
    const ic_prologue *prologue = b->pass == IC_CONV_FORWARD ? b->arguments->prologue : NULL;
    ic_winograd_reader reader = ic_winograd_reader_of(b->conv->kernels, prologue, &in,
                                                      b->tiles.kernels->in, b->v_tap, room);
    for (int64_t tile = first; tile < last; ++tile) {
        const float *pixels[IC_WINOGRAD_TAPS_MAX];
        float inside[IC_WINOGRAD_TAPS_MAX];
        ic_winograd_place place = ic_winograd_place_of(&b->tiles, tile);
        bool whole = ic_winograd_pixels(&reader, place.image, grid->h.origin + place.row,
                                        grid->w.origin + place.column, pixels, inside);
        b->tiles.kernels->input(&reader.how, whole, pixels, inside,
                                b->v + (tile - b->first) * b->v_pitch);
    }
}

/* How the outputs of some channels are written. */
static ic_winograd_output output_of(const ic_winograd_block *b, int32_t channel, int32_t channels)
{
    const ic_epilogue *epilogue = b->pass == IC_CONV_FORWARD ? b->arguments->epilogue : NULL;
    ic_winograd_output out = {.k = channels,
                              .tap_stride = b->m_tap,
                              .pixel = b->grid.columns,
                              .row = (int64_t)b->grid.w.out * b->grid.columns,
                              .accumulate = b->arguments->accumulate,
                              .low = -INFINITY,
                              .high = INFINITY};
    if (epilogue != NULL) {
        out.bias = epilogue->bias != NULL ? epilogue->bias + channel : NULL;
        ic_conv_limits(epilogue->activation, &out.low, &out.high); /* others are left over */
    }
    out.finished = epilogue != NULL || out.accumulate;
    return out;
}

static int32_t outputs_left(const ic_winograd_block *b, int32_t count, int32_t first)
{
    int32_t left = count - first, most = b->tiles.kernels->out;
    return left < most ? left : most;
}

/*
 * What the transform leaves over: activations that are no clamp, norms' gradients. Of tiles side by
 * side, so that whole stretches of pixels are read.
 */
static void finish_tiles(const ic_winograd_block *b, int64_t index, ic_winograd_place place,
                         int32_t end, int32_t channel, int32_t channels)
{
    const ic_conv_grid *grid = &b->grid;
    const ic_epilogue *epilogue = b->pass == IC_CONV_FORWARD ? b->arguments->epilogue : NULL;
    int64_t c = grid->columns, columns = end - place.column;
    int64_t first = ((int64_t)place.image * grid->h.out + place.row) * grid->w.out + place.column;
    for (int32_t i = outputs_left(b, grid->h.count, place.row); i > 0; --i, first += grid->w.out) {
        float *y = b->arguments->out + first * c + channel;
        if (b->arguments->gradient != NULL)
            ic_conv_finish(b->conv, b->pass, b->arguments, index, first, columns, channel,
                           channels);
        for (int64_t j = 0; epilogue != NULL && j < columns; ++j, y += c)
            b->conv->kernels->activate((ic_activation)epilogue->activation, channels, y, y);
    }
}

static bool is_left_over(const ic_winograd_block *b)
{
    if (b->pass == IC_CONV_BACKWARD_DATA)
        return b->arguments->gradient != NULL;
    float low, high;
    return b->arguments->epilogue != NULL &&
           !ic_conv_limits(b->arguments->epilogue->activation, &low, &high);
}

void ic_winograd_store(const ic_winograd_block *b, int64_t index, int64_t first, int64_t last,
                       int64_t first_panel, int64_t last_panel)
{
    const ic_conv_grid *grid = &b->grid;
    const ic_winograd_plane plane = ic_winograd_outputs(b, first_panel, last_panel);
    int32_t channel = plane.first, channels = plane.count;
    bool forward = b->pass == IC_CONV_FORWARD;
    const float *residual =
        forward && b->arguments->epilogue != NULL ? b->arguments->epilogue->residual : NULL;
    float *sums = forward ? b->arguments->sums : NULL;
    if (sums != NULL)
        sums += 2 * index * grid->columns + channel;
    ic_winograd_output out = output_of(b, channel, channels);
    ic_conv_clear_sums(b->conv, b->pass, b->arguments, index, channel, channels);
    bool left_over = is_left_over(b);
    ic_winograd_place begin = ic_winograd_place_of(&b->tiles, first);
    for (int64_t tile = first; tile < last; ++tile) {
        ic_winograd_place place = ic_winograd_place_of(&b->tiles, tile);
        int32_t rows = outputs_left(b, grid->h.count, place.row);
        int32_t columns = outputs_left(b, grid->w.count, place.column);
        int64_t at =
            (((int64_t)place.image * grid->h.out + place.row) * grid->w.out + place.column) *
                grid->columns +
            channel;
        b->tiles.kernels->output(&out, rows, columns, b->m + (tile - b->first) * b->m_pitch,
                                 residual != NULL ? residual + at : NULL, b->arguments->out + at,
                                 sums, grid->columns);
        int32_t end = place.column + columns;
        if (!left_over || (end < grid->w.count && tile + 1 < last))
            continue;
        finish_tiles(b, index, begin, end, channel, channels);
        begin = ic_winograd_place_of(&b->tiles, tile + 1);
    }
}

/*
 * kernels/conv_patches.c: convolution of any shape as a product with patches: the inputs of a few
 * dozen pixels are laid side by side, tap by tap, and multiplied while they are in the cache. A 1x1
 * of stride 1 needs no copy. SPDX-License-Identifier: MIT
 */
#include "kernels/conv_grid.h"

#include <string.h>

/* The plan's cut. */
enum {
    PIXELS, /* of a block */
    SPLITS, /* of the panels of a group, so that few pixels still give enough units */
    TAPS    /* whose inputs are copied at a time */
};

enum {
    WANTED_UNITS = 16,
    SKEW = 16 /* floats */
};

/* Copies `count` floats; the short runs of narrow layers are not worth a call. */
static void copy_run(float *to, const float *from, int64_t count)
{
    if (count > 16) {
        memcpy(to, from, (size_t)count * sizeof(float));
        return;
    }
    for (int64_t i = 0; i < count; ++i)
        to[i] = from[i];
}

/* The taps [first, last) of one filter row of one output: zeros, inputs, zeros. */
static void patch_row(const ic_kernels *kernels, const ic_conv_grid *grid,
                      const ic_prologue *prologue, int32_t channel, const float *row, int32_t x,
                      int32_t first, int32_t last, float *out)
{
    int64_t depth = grid->depth;
    int64_t channels = depth * grid->groups;
    int32_t begin, end;
    ic_conv_axis_inside(&grid->w, x, &begin, &end);
    begin = begin < first ? first : begin;
    end = end > last ? last : end;
    if (row == NULL || begin >= end) {
        memset(out, 0, (size_t)((last - first) * depth) * sizeof(float));
        return;
    }
    if (begin > first)
        memset(out, 0, (size_t)((begin - first) * depth) * sizeof(float));
    if (last > end)
        memset(out + (end - first) * depth, 0, (size_t)((last - end) * depth) * sizeof(float));
    const float *from =
        row +
        (grid->w.origin + (int64_t)x * grid->w.step + (int64_t)begin * grid->w.spread) * channels;
    float *to = out + (begin - first) * depth;
    if (depth == channels && grid->w.spread == 1) {
        if (prologue == NULL)
            copy_run(to, from, (end - begin) * depth);
        else
            ic_conv_load(kernels, prologue, channel, end - begin, (int32_t)depth, from, to);
        return;
    }
    for (int32_t j = begin; j < end; ++j) {
        if (prologue == NULL)
            copy_run(to, from, depth);
        else
            ic_conv_load(kernels, prologue, channel, 1, (int32_t)depth, from, to);
        to += depth;
        from += grid->w.spread * channels;
    }
}

/*
 * Floats from a patch to the next one. Not a multiple of 1 KB: the rows of a tile would share few
 * sets of the first cache (256 -> 512 channels of stride 2 on 6x6: 6.2 in place of 7.6 ms).
 */
static int64_t patch_pitch(int64_t floats)
{
    return floats % 256 == 0 ? floats + SKEW : floats;
}

/*
 * out[pixel][tap][channel of the group] for the pixels [first, first + count) of the grid, counted
 * over pictures, rows and columns, and the taps [first_tap, last_tap); pixels are patch_pitch
 * apart.
 */
static void make_patches(const ic_kernels *kernels, const ic_conv_grid *grid,
                         const ic_prologue *prologue, int32_t group, const float *in, int64_t first,
                         int64_t count, int32_t first_tap, int32_t last_tap, float *out)
{
    int64_t channels = (int64_t)grid->depth * grid->groups;
    int64_t plane = (int64_t)grid->h.in * grid->w.in * channels;
    int32_t channel = group * grid->depth;
    int32_t x = (int32_t)(first % grid->w.count);
    int32_t y = (int32_t)(first / grid->w.count % grid->h.count);
    const float *image = in + first / grid->w.count / grid->h.count * plane + channel;
    const int64_t floats = (last_tap - first_tap) * (int64_t)grid->depth;
    for (int64_t p = 0; p < count; ++p, out += patch_pitch(floats) - floats) {
        for (int32_t tap = first_tap; tap < last_tap;) {
            int32_t i = tap / grid->w.taps;
            int32_t j = tap - i * grid->w.taps;
            int32_t end = grid->w.taps;
            if (end - j > last_tap - tap)
                end = j + last_tap - tap;
            int32_t iy = grid->h.origin + y * grid->h.step + i * grid->h.spread;
            const float *row = NULL;
            if (iy >= 0 && iy < grid->h.in)
                row = image + (int64_t)iy * grid->w.in * channels;
            patch_row(kernels, grid, prologue, channel, row, x, j, end, out);
            out += (int64_t)(end - j) * grid->depth;
            tap += end - j;
        }
        if (++x == grid->w.count) {
            x = 0;
            if (++y == grid->h.count) {
                y = 0;
                image += plane;
            }
        }
    }
}

static int64_t grid_pixels(const ic_conv_grid *grid)
{
    return (int64_t)grid->n * grid->h.count * grid->w.count;
}

/* Output that does not lie side by side is computed aside and then spread. */
static bool is_spread(const ic_conv_grid *grid)
{
    return grid->h.stride != 1 || grid->w.stride != 1;
}

static double patches_cost(const ic_conv *conv, const ic_conv_grid *grid)
{
    const ic_gemm_kernels *gemm = conv->kernels->gemm;
    double taps = (double)grid->h.taps * grid->w.taps;
    double pixels = (double)grid_pixels(grid);
    double cost = ic_conv_tile_cost(&gemm->wide, grid_pixels(grid), taps * grid->depth) *
                  ic_conv_padded_columns(gemm, grid->columns);
    bool whole_rows = grid->groups == 1 && grid->w.spread == 1;
    if (!ic_conv_is_pointwise(grid))
        cost += pixels * (taps * grid->depth * IC_CONV_COPY_COST +
                          (whole_rows ? grid->h.taps : taps) * IC_CONV_RUN_COST);
    if (is_spread(grid))
        cost += pixels * (grid->columns * IC_CONV_COPY_COST + IC_CONV_RUN_COST);
    return cost * grid->groups;
}

static double plan_patches(const ic_conv *conv, ic_conv_pass pass, ic_conv_plan *plan)
{
    if (pass == IC_CONV_BACKWARD_WEIGHTS)
        return -1;
    const ic_gemm_kernels *gemm = conv->kernels->gemm;
    ic_conv_grid grid;
    double cost = 0;
    int64_t pixels = 1;
    int32_t taps = 1;
    bool spread = false;
    for (int32_t i = 0; i < ic_conv_grid_count(&conv->shape, pass); ++i) {
        ic_conv_grid_at(conv, pass, i, &grid);
        cost += patches_cost(conv, &grid);
        pixels = grid_pixels(&grid) > pixels ? grid_pixels(&grid) : pixels;
        taps = grid.h.taps * grid.w.taps > taps ? grid.h.taps * grid.w.taps : taps;
        spread = spread || is_spread(&grid);
    }
    int64_t tile = gemm->wide.rows;
    int64_t block = gemm->block_floats / ((int64_t)taps * grid.depth) / tile * tile;
    block = block < 4 * tile ? 4 * tile : block > 16 * tile ? 16 * tile : block;
    block = block > pixels ? pixels : block;
    int32_t panels = ic_conv_panel_count(gemm, grid.columns);
    int64_t blocks = ic_conv_divide_up(pixels, block) * grid.groups;
    int32_t splits = 1, wanted = ic_conv_wanted_units(conv, WANTED_UNITS);
    while (splits < panels && blocks * splits < wanted)
        ++splits;
    while (blocks * splits < wanted && block > 2 * tile) {
        block -= tile;
        blocks = ic_conv_divide_up(pixels, block) * grid.groups;
    }
    int64_t copied = gemm->block_floats / (block * grid.depth + 1);
    copied = copied < 1 ? 1 : copied > taps ? taps : copied;
    bool copies = !ic_conv_is_pointwise(&grid) || pass == IC_CONV_FORWARD;
    plan->phases = 1;
    plan->block[PIXELS] = (int32_t)block;
    plan->block[SPLITS] = splits;
    plan->block[TAPS] = (int32_t)copied;
    plan->packed_floats = ic_conv_packed_floats(conv, pass);
    plan->shared_floats = 0;
    plan->scratch_floats = (copies ? (size_t)(block * (copied * grid.depth + SKEW)) : 0) +
                           (spread ? (size_t)(block * grid.columns) : 0);
    plan->sum_blocks = spread ? 0 : (int32_t)ic_conv_divide_up(pixels, block);
    return cost;
}

static int64_t grid_units(const ic_conv_plan *plan, const ic_conv_grid *grid)
{
    return ic_conv_divide_up(grid_pixels(grid), plan->block[PIXELS]) * grid->groups *
           plan->block[SPLITS];
}

static int64_t count_units(const ic_conv *conv, ic_conv_pass pass, int32_t phase)
{
    return ic_conv_count_units(conv, pass, grid_units);
}

/* A block of pixels of one group, and the panels [first, last) of its channels out. */
typedef struct patch_block {
    const ic_conv *conv;
    const ic_conv_grid *grid;
    const ic_conv_arguments *arguments;
    const ic_prologue *prologue;
    const float *in;
    int64_t pixel, pixels;
    int32_t group;
    int32_t first_panel, last_panel;
    int32_t first_column, columns; /* of these panels, within the group */
    ic_gemm_clamp clamp;           /* what the tiles do behind the products */
} patch_block;

/* Adds the products of taps [first, last) to c, or sets it. */
static void multiply_taps(const patch_block *block, const float *a, int64_t lda, int32_t first,
                          int32_t last, bool accumulate, float *c, int64_t ldc)
{
    const ic_conv_grid *grid = block->grid;
    const ic_gemm_kernels *gemm = block->conv->kernels->gemm;
    int64_t depth = grid->depth;
    int64_t all_taps = (int64_t)grid->h.taps * grid->w.taps;
    int64_t padded = ic_conv_padded_columns(gemm, grid->columns);
    const float *packed =
        block->arguments->packed + grid->packed + all_taps * depth * padded * block->group;
    for (int32_t i = block->first_panel; i < block->last_panel; ++i) {
        ic_conv_panel panel = ic_conv_panel_at(gemm, grid->columns, i);
        ic_gemm_rows sum = {.segments = 1,
                            .depth = (last - first) * depth,
                            .lda = lda,
                            .ldc = ldc,
                            .columns = panel.columns,
                            .accumulate = accumulate};
        if (last == all_taps)
            sum.clamp =
                ic_gemm_clamp_at(block->clamp, (int64_t)block->group * grid->columns + panel.first);
        ic_conv_tiles(panel.tile, &sum, block->pixels, a,
                      packed + all_taps * depth * panel.offset + first * depth * panel.tile->width,
                      c + panel.first - block->first_column);
    }
}

/* Moves a block that was computed aside to its places in the output. */
static void spread_block(const patch_block *block, const float *c)
{
    const ic_conv_grid *grid = block->grid;
    const ic_kernels *kernels = block->conv->kernels;
    int64_t channels = (int64_t)grid->columns * grid->groups;
    int64_t plane = (int64_t)grid->h.count * grid->w.count;
    for (int64_t i = 0; i < block->pixels; ++i) {
        int64_t p = block->pixel + i;
        int64_t y = grid->h.first + p % plane / grid->w.count * grid->h.stride;
        int64_t x = grid->w.first + p % grid->w.count * grid->w.stride;
        float *to = block->arguments->out +
                    ((p / plane * grid->h.out + y) * grid->w.out + x) * channels +
                    (int64_t)block->group * grid->columns + block->first_column;
        const float *from = c + i * block->columns;
        if (block->arguments->accumulate)
            kernels->accumulate(block->columns, from, to);
        else
            memcpy(to, from, (size_t)block->columns * sizeof(float));
    }
}

static void run_block(const patch_block *block, int32_t step, float *scratch)
{
    const ic_conv *conv = block->conv;
    const ic_conv_grid *grid = block->grid;
    const ic_conv_arguments *arguments = block->arguments;
    int64_t channels_in = (int64_t)grid->depth * grid->groups;
    int64_t channels_out = (int64_t)grid->columns * grid->groups;
    int32_t channel = block->group * grid->columns + block->first_column;
    bool spread = is_spread(grid);
    bool accumulate = arguments->accumulate && !spread;
    float *c = spread ? scratch : arguments->out + block->pixel * channels_out + channel;
    int64_t ldc = spread ? block->columns : channels_out;
    float *patches = spread ? scratch + block->pixels * block->columns : scratch;
    int32_t taps = grid->h.taps * grid->w.taps;

    if (taps == 0)
        memset(c, 0, (size_t)(block->pixels * block->columns) * sizeof(float));
    if (ic_conv_is_pointwise(grid) && block->prologue == NULL) {
        multiply_taps(block, block->in + block->pixel * channels_in + block->group * grid->depth,
                      channels_in, 0, 1, accumulate, c, ldc);
        taps = 0;
    }
    for (int32_t tap = 0; tap < taps; tap += step) {
        int32_t last = tap + step < taps ? tap + step : taps;
        make_patches(conv->kernels, grid, block->prologue, block->group, block->in, block->pixel,
                     block->pixels, tap, last, patches);
        multiply_taps(block, patches, patch_pitch((last - tap) * (int64_t)grid->depth), tap, last,
                      accumulate || tap > 0, c, ldc);
    }
    if (spread)
        spread_block(block, c);
}

static void run_unit(const ic_conv *conv, ic_conv_pass pass, int32_t phase, int64_t unit,
                     const ic_conv_arguments *arguments, float *scratch)
{
    const ic_conv_plan *plan = &conv->plans[pass];
    ic_conv_grid grid;
    unit = ic_conv_find_grid(conv, pass, grid_units, unit, &grid);
    int32_t splits = plan->block[SPLITS];
    int32_t panels = ic_conv_panel_count(conv->kernels->gemm, grid.columns);
    int32_t split = (int32_t)(unit % splits);
    int64_t first = unit / splits / grid.groups * plan->block[PIXELS];
    int64_t left = grid_pixels(&grid) - first;
    patch_block block = {.conv = conv,
                         .grid = &grid,
                         .arguments = arguments,
                         .prologue = pass == IC_CONV_FORWARD ? arguments->prologue : NULL,
                         .in = pass == IC_CONV_FORWARD ? arguments->x : arguments->d_y,
                         .pixel = first,
                         .pixels = left < plan->block[PIXELS] ? left : plan->block[PIXELS],
                         .group = (int32_t)(unit / splits % grid.groups),
                         .first_panel = (int32_t)ic_conv_cut(panels, splits, split),
                         .last_panel = (int32_t)ic_conv_cut(panels, splits, split + 1)};
    ic_conv_panel begin = ic_conv_panel_at(conv->kernels->gemm, grid.columns, block.first_panel);
    ic_conv_panel end = ic_conv_panel_at(conv->kernels->gemm, grid.columns, block.last_panel - 1);
    block.first_column = begin.first;
    block.columns = end.first + end.columns - begin.first;
    if (pass == IC_CONV_FORWARD)
        block.clamp = ic_conv_clamp(conv, arguments);
    run_block(&block, plan->block[TAPS], scratch);
    if (plan->sum_blocks == 0 || block.clamp.bias != NULL)
        return;
    int64_t index = first / plan->block[PIXELS];
    int32_t channel = block.group * grid.columns + block.first_column;
    ic_conv_clear_sums(conv, pass, arguments, index, channel, block.columns);
    ic_conv_finish(conv, pass, arguments, index, first, block.pixels, channel, block.columns);
}

const ic_conv_algorithm ic_conv_patches = {.name = "patches",
                                           .plan = plan_patches,
                                           .pack_units = ic_conv_grid_pack_units,
                                           .pack = ic_conv_grid_pack,
                                           .units = count_units,
                                           .run = run_unit};

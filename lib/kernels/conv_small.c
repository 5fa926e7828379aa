/*
 * kernels/conv_small.c: the weights' gradient of first layers, whose filters read a few inputs only
 * (5x5 of one channel, 3x3 of three). All r*s*c of them are laid side by side for each pixel of a
 * block; the gradient is a product of these patches with d_y, whichever of the two leaves fewer
 * lanes idle as the vector. SPDX-License-Identifier: MIT
 */
#include "kernels/conv_grid.h"

#include <string.h>

/* The plan's cut. */
enum {
    ROWS,  /* of outputs of one image in a block */
    PARTS, /* of all blocks; one sum each */
    TURNED /* the patches are the vectors, d_y is broadcast */
};

enum {
    BLOCK_PIXELS = 256,
    WANTED_UNITS = 16,
    RUN_COST = 16 /* of the copy of a filter row's inputs, in products */
};

/* The floats from patch to patch: a vector, or as wide as a panel. */
static int32_t patch_pitch(const ic_conv *conv, const ic_conv_grid *grid)
{
    const ic_gemm_kernels *gemm = conv->kernels->gemm;
    int32_t floats = grid->h.taps * grid->w.taps * grid->depth;
    return floats <= gemm->narrow.width ? gemm->narrow.width : gemm->wide.width;
}

static int64_t patch_floats(const ic_conv_grid *grid)
{
    return (int64_t)grid->h.taps * grid->w.taps * grid->depth;
}

/* The floats of a padded row, and what the copies behind its end may read. */
static int64_t row_pitch(const ic_conv_grid *grid)
{
    return ic_conv_padded_pixels(grid) * grid->depth + IC_GEMM_GATHER_MAX;
}

static int64_t rows_floats(const ic_conv_grid *grid, int64_t rows)
{
    return ic_conv_rows_read(grid, rows) * row_pitch(grid);
}

static int64_t patches_floats(const ic_conv *conv, const ic_conv_grid *grid, int64_t rows)
{
    return rows * grid->w.count * patch_pitch(conv, grid) + IC_GEMM_GATHER_MAX;
}

static int64_t row_pieces(const ic_conv_plan *plan, const ic_conv_grid *grid)
{
    return ic_conv_divide_up(grid->h.count, plan->block[ROWS]);
}

/* The sums of one part: [k][pitch] when turned, else panels of [patch][width]. */
static int64_t sum_floats(const ic_conv *conv, const ic_conv_grid *grid, bool turned)
{
    if (turned)
        return (int64_t)grid->columns * patch_pitch(conv, grid);
    return patch_floats(grid) * ic_conv_padded_columns(conv->kernels->gemm, grid->columns);
}

/* Products of one pixel. */
static double product_cost(const ic_conv *conv, const ic_conv_grid *grid, int64_t rows,
                           int64_t columns)
{
    const ic_gemm_kernels *gemm = conv->kernels->gemm;
    ic_conv_panel last =
        ic_conv_panel_at(gemm, (int32_t)columns, ic_conv_panel_count(gemm, (int32_t)columns) - 1);
    double pixels = (double)BLOCK_PIXELS;
    return (ic_conv_tile_cost(&gemm->wide, rows, pixels) * last.offset +
            ic_conv_tile_cost(last.tile, rows, pixels) * last.tile->width) /
           pixels;
}

static double plan_small(const ic_conv *conv, ic_conv_pass pass, ic_conv_plan *plan)
{
    const ic_gemm_kernels *gemm = conv->kernels->gemm;
    ic_conv_grid grid;
    ic_conv_grid_at(conv, pass, 0, &grid);
    if (pass != IC_CONV_BACKWARD_WEIGHTS || grid.groups != 1 || grid.w.spread != 1 ||
        grid.h.spread != 1 || grid.h.taps == 1 || grid.h.taps > IC_GEMM_GATHER_ROWS ||
        grid.w.taps * grid.depth > IC_GEMM_GATHER_MAX || patch_floats(&grid) > gemm->wide.width)
        return -1;
    int64_t rows = BLOCK_PIXELS / grid.w.count;
    rows = rows < 1 ? 1 : rows > grid.h.count ? grid.h.count : rows;
    rows = ic_conv_divide_up(grid.h.count, ic_conv_divide_up(grid.h.count, rows));
    plan->block[ROWS] = (int32_t)rows;
    int64_t blocks = grid.n * row_pieces(plan, &grid);
    double pixels = (double)grid.n * grid.h.count * grid.w.count;
    double copied = (double)rows_floats(&grid, rows) / (double)(rows * grid.w.count);
    double cost = copied * IC_CONV_COPY_COST + grid.h.taps * RUN_COST;
    double turned = product_cost(conv, &grid, grid.columns, patch_floats(&grid));
    double straight = product_cost(conv, &grid, patch_floats(&grid), grid.columns) + grid.columns;
    plan->phases = 2;
    plan->block[PARTS] = (int32_t)(blocks < WANTED_UNITS ? blocks : WANTED_UNITS);
    plan->block[TURNED] = turned < straight;
    plan->packed_floats = 0;
    plan->shared_floats = (size_t)(plan->block[PARTS] * sum_floats(conv, &grid, turned < straight));
    plan->scratch_floats = (size_t)(rows_floats(&grid, rows) + patches_floats(conv, &grid, rows) +
                                    rows * grid.w.count * gemm->wide.width);
    return pixels * (cost + (turned < straight ? turned : straight));
}

static int64_t count_units(const ic_conv *conv, ic_conv_pass pass, int32_t phase)
{
    return phase == 0 ? conv->plans[pass].block[PARTS] : 1;
}

/* Rows [first, last) of the outputs of one image. */
typedef struct small_block {
    const ic_conv *conv;
    const ic_conv_grid *grid;
    const ic_conv_arguments *arguments;
    int32_t image, first, last;
    int64_t pixel, pixels;
} small_block;

static void place_block(const ic_conv_plan *plan, int64_t index, small_block *block)
{
    const ic_conv_grid *grid = block->grid;
    int64_t pieces = row_pieces(plan, grid);
    int32_t rows = plan->block[ROWS];
    block->image = (int32_t)(index / pieces);
    block->first = (int32_t)(index % pieces) * rows;
    block->last = block->first + rows < grid->h.count ? block->first + rows : grid->h.count;
    block->pixel = ((int64_t)block->image * grid->h.count + block->first) * grid->w.count;
    block->pixels = (int64_t)(block->last - block->first) * grid->w.count;
}

/* The rows that the block reads, padded, and from them a patch for each pixel. */
static void make_patches(const small_block *block, float *rows, float *patches)
{
    const ic_conv_grid *grid = block->grid;
    const ic_kernels *kernels = block->conv->kernels;
    int64_t pitch = row_pitch(grid), in_row = (int64_t)grid->w.in * grid->depth;
    int64_t patch = patch_pitch(block->conv, grid);
    int32_t begin = grid->h.origin + block->first * grid->h.step;
    int32_t count = (int32_t)ic_conv_rows_read(grid, block->last - block->first);
    const float *image = block->arguments->x + (int64_t)block->image * grid->h.in * in_row;
    for (int32_t i = 0; i < count; ++i) {
        float *to = rows + i * pitch;
        int32_t row = begin + i;
        if (row < 0 || row >= grid->h.in)
            memset(to, 0, (size_t)(pitch - IC_GEMM_GATHER_MAX) * sizeof *to);
        else
            ic_conv_load_row(kernels, grid, block->arguments->prologue, image + row * in_row, to);
        memset(to + pitch - IC_GEMM_GATHER_MAX, 0, IC_GEMM_GATHER_MAX * sizeof *to);
    }
    for (int32_t i = block->first; i < block->last; ++i, patches += grid->w.count * patch)
        kernels->gemm->gather(grid->w.count, (int64_t)grid->w.step * grid->depth, grid->h.taps,
                              grid->w.taps * grid->depth,
                              rows + (int64_t)(i - block->first) * grid->h.step * pitch, pitch,
                              patch, patches);
}

/* Adds the block to the sums of its part, or sets them. */
static void add_block(const small_block *block, bool turned, bool accumulate, const float *patches,
                      float *packed, float *sums)
{
    const ic_conv_grid *grid = block->grid;
    const ic_gemm_kernels *gemm = block->conv->kernels->gemm;
    const float *d_y = block->arguments->d_y + block->pixel * grid->columns;
    int64_t pitch = patch_pitch(block->conv, grid);
    ic_gemm_run run = {0};
    ic_gemm_columns sum = {
        .runs = &run, .count = 1, .depth = block->pixels, .accumulate = accumulate};
    if (turned) {
        sum.lda = grid->columns;
        sum.ldb = sum.ldc = pitch;
        ic_conv_column_tiles(pitch == gemm->wide.width ? &gemm->wide : &gemm->narrow, &sum,
                             grid->columns, d_y, patches, sums);
        return;
    }
    sum.lda = pitch;
    for (int32_t i = 0; i < ic_conv_panel_count(gemm, grid->columns); ++i) {
        ic_conv_panel panel = ic_conv_panel_at(gemm, grid->columns, i);
        bool direct = panel.columns == panel.tile->width;
        sum.ldc = panel.tile->width;
        sum.ldb = direct ? grid->columns : panel.tile->width;
        if (!direct)
            gemm->pack_panel(block->pixels, panel.columns, panel.tile->width, d_y + panel.first,
                             grid->columns, packed);
        ic_conv_column_tiles(panel.tile, &sum, patch_floats(grid), patches,
                             direct ? d_y + panel.first : packed,
                             sums + panel.offset * patch_floats(grid));
    }
}

/* Adds the parts in order, and writes the sums in the order of the weights. */
static void add_parts(const ic_conv *conv, const ic_conv_grid *grid,
                      const ic_conv_arguments *arguments)
{
    const ic_conv_plan *plan = &conv->plans[IC_CONV_BACKWARD_WEIGHTS];
    bool turned = plan->block[TURNED];
    int64_t floats = sum_floats(conv, grid, turned), pitch = patch_pitch(conv, grid);
    int64_t taps = (int64_t)grid->h.taps * grid->w.taps, patch = patch_floats(grid);
    float *sums = arguments->shared, *out = arguments->out;
    for (int64_t part = 1; part < plan->block[PARTS]; ++part)
        conv->kernels->accumulate(floats, sums + part * floats, sums);
    for (int32_t n = 0; n < grid->columns; ++n) {
        ic_conv_panel panel = ic_conv_panel_at(conv->kernels->gemm, grid->columns,
                                               n / conv->kernels->gemm->wide.width);
        for (int32_t c = 0; c < grid->depth; ++c)
            for (int64_t tap = 0; tap < taps; ++tap) {
                int64_t i = tap * grid->depth + c;
                *out++ = turned
                             ? sums[n * pitch + i]
                             : sums[panel.offset * patch + i * panel.tile->width + n - panel.first];
            }
    }
}

static void run_unit(const ic_conv *conv, ic_conv_pass pass, int32_t phase, int64_t unit,
                     const ic_conv_arguments *arguments, float *scratch)
{
    const ic_conv_plan *plan = &conv->plans[pass];
    ic_conv_grid grid;
    ic_conv_grid_at(conv, pass, 0, &grid);
    if (phase == 1) {
        add_parts(conv, &grid, arguments);
        return;
    }
    small_block block = {.conv = conv, .grid = &grid, .arguments = arguments};
    bool turned = plan->block[TURNED];
    float *patches = scratch + rows_floats(&grid, plan->block[ROWS]);
    float *packed = patches + patches_floats(conv, &grid, plan->block[ROWS]);
    int64_t blocks = grid.n * row_pieces(plan, &grid);
    int64_t begin = ic_conv_cut(blocks, plan->block[PARTS], unit);
    int64_t end = ic_conv_cut(blocks, plan->block[PARTS], unit + 1);
    for (int64_t i = begin; i < end; ++i) {
        place_block(plan, i, &block);
        make_patches(&block, scratch, patches);
        add_block(&block, turned, i > begin, patches, packed,
                  arguments->shared + unit * sum_floats(conv, &grid, turned));
    }
}

const ic_conv_algorithm ic_conv_small = {
    .name = "small", .plan = plan_small, .units = count_units, .run = run_unit};

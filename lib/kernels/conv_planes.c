/*
 * kernels/conv_planes.c: convolution to few channels (LeNet's first layer, gradients of narrow
 * inputs), which would leave most lanes of a panel idle. A few rows of input are turned into
 * planes, one for each channel; vectors then hold the pixels of a row of outputs, several images at
 * a time where rows are short, and each tap of each channel in is one step of their sums.
 * SPDX-License-Identifier: MIT
 */
#include "kernels/conv_grid.h"
#include "kernels/planes.h"
#include "kernels/transpose.h"

#include <string.h>

/* The plan's cut. */
enum {
    ROWS,  /* of outputs of a grid in a unit */
    IMAGES /* in a unit */
};

enum { WANTED_UNITS = 16, ROWS_MIN = 4, IMAGES_MAX = 16 };

static int64_t vectors_across(const ic_conv_grid *grid, int32_t lanes)
{
    return ic_conv_divide_up(grid->w.count, lanes);
}

/* Floats of one channel of one row: what whole vectors read. */
static int64_t plane_pitch(const ic_conv_grid *grid, int32_t lanes)
{
    int64_t taps = grid->w.taps > 0 ? grid->w.taps : 1;
    return vectors_across(grid, lanes) * lanes + taps - 1;
}

static int64_t step_count(const ic_conv_grid *grid)
{
    return (int64_t)grid->h.taps * grid->w.taps * grid->depth;
}

static double plan_planes(const ic_conv *conv, ic_conv_pass pass, ic_conv_plan *plan)
{
    const ic_conv_shape *s = &conv->shape;
    const int32_t lanes = conv->kernels->planes->lanes;
    const int64_t block_floats = conv->kernels->gemm->block_floats;
    if (pass == IC_CONV_BACKWARD_WEIGHTS || s->groups != 1)
        return -1;
    ic_conv_grid grid;
    double cost = 0;
    int64_t pitch = 1, pixels = 1, span = 1, count = 1, steps = 1;
    for (int32_t i = 0; i < ic_conv_grid_count(s, pass); ++i) {
        ic_conv_grid_at(conv, pass, i, &grid);
        if (grid.columns > IC_PLANES_COLUMNS || grid.w.step != 1 || grid.w.spread != 1 ||
            grid.h.step != 1)
            return -1;
        double outputs = (double)grid.n * grid.h.count;
        double across = (double)vectors_across(&grid, lanes) * lanes;
        cost += outputs * across * grid.columns * ((double)step_count(&grid) + IC_CONV_COPY_COST);
        cost += outputs * across * grid.depth * IC_CONV_COPY_COST;
        pitch = plane_pitch(&grid, lanes) > pitch ? plane_pitch(&grid, lanes) : pitch;
        pixels = ic_conv_padded_pixels(&grid) > pixels ? ic_conv_padded_pixels(&grid) : pixels;
        span = ic_conv_rows_read(&grid, 1) > span ? ic_conv_rows_read(&grid, 1) : span;
        count = grid.h.count > count ? grid.h.count : count;
        steps = step_count(&grid) > steps ? step_count(&grid) : steps;
    }
    int64_t rows = block_floats / (pitch * grid.depth) - span + 1;
    rows = rows < ROWS_MIN ? ROWS_MIN : rows;
    int64_t pieces = ic_conv_divide_up(count, rows);
    rows = ic_conv_divide_up(count, pieces);
    int64_t floats = (rows - 1 + span) * pitch * grid.depth; /* of an image's planes */
    int64_t images = pieces > 1 ? 1 : block_floats / floats;
    images = images > s->n / WANTED_UNITS ? s->n / WANTED_UNITS : images;
    images = images > IMAGES_MAX ? IMAGES_MAX : images < 1 ? 1 : images;
    while (pieces * ic_conv_divide_up(s->n, images) < WANTED_UNITS && rows > ROWS_MIN) {
        pieces = ic_conv_divide_up(count, rows - 1);
        rows = ic_conv_divide_up(count, pieces);
    }
    plan->phases = 1;
    plan->block[ROWS] = (int32_t)rows;
    plan->block[IMAGES] = (int32_t)images;
    plan->packed_floats = ic_conv_packed_floats(conv, pass);
    plan->shared_floats = 0;
    plan->scratch_floats = (size_t)(images * floats + pixels * grid.depth + steps);
    bool whole = ic_conv_grid_count(s, pass) == 1; /* a unit's outputs lie side by side */
    plan->sum_blocks = whole ? (int32_t)(ic_conv_divide_up(s->n, images) * pieces) : 0;
    return cost;
}

static int64_t grid_units(const ic_conv_plan *plan, const ic_conv_grid *grid)
{
    if (grid->w.count == 0)
        return 0; /* narrower than the stride */
    return ic_conv_divide_up(grid->n, plan->block[IMAGES]) *
           ic_conv_divide_up(grid->h.count, plan->block[ROWS]);
}

static int64_t count_units(const ic_conv *conv, ic_conv_pass pass, int32_t phase)
{
    return ic_conv_count_units(conv, pass, grid_units);
}

/* Rows [first, last) of the outputs of some images. */
typedef struct planes_block {
    const ic_conv *conv;
    const ic_conv_grid *grid;
    const ic_conv_arguments *arguments;
    const ic_prologue *prologue;
    const float *in;
    const float *packed;
    int32_t first_image, last_image;
    int32_t first, last;
    const float *planes; /* [image][row from first_row on][channel][pitch] */
    int32_t first_row;
    int64_t pitch, plane; /* from channel to channel, from image to image */
} planes_block;

/* Turns the rows that the block reads into planes, zeros where there is no input. */
static void load_planes(planes_block *block, float *planes, float *row_copy)
{
    const ic_conv_grid *grid = block->grid;
    const ic_conv_axis *h = &grid->h;
    int64_t pixels = ic_conv_padded_pixels(grid), depth = grid->depth;
    int64_t in_row = grid->w.in * depth;
    int32_t count = (int32_t)ic_conv_rows_read(grid, block->last - block->first);
    block->planes = planes;
    block->first_row = h->origin + block->first;
    block->plane = count * depth * block->pitch;
    const float *image = block->in + (int64_t)block->first_image * h->in * in_row;
    for (int32_t n = block->first_image; n < block->last_image; ++n, image += h->in * in_row)
        for (int32_t i = 0; i < count; ++i, planes += depth * block->pitch) {
            int32_t row = block->first_row + i;
            if (row < 0 || row >= h->in) /* no tap that is inside reads it */
                continue;
            float *to = depth == 1 ? planes : row_copy;
            ic_conv_load_row(block->conv->kernels, grid, block->prologue, image + row * in_row, to);
            if (depth > 1)
                ic_transpose(pixels, depth, row_copy, depth, planes, block->pitch);
            for (int64_t d = 0; d < depth; ++d)
                memset(planes + d * block->pitch + pixels, 0,
                       (size_t)(block->pitch - pixels) * sizeof(float));
        }
}

/* Where the steps of the sums begin in the planes, from the first row that is read. */
static void list_offsets(const planes_block *block, int32_t *offset)
{
    const ic_conv_grid *grid = block->grid;
    for (int32_t i = 0; i < grid->h.taps; ++i)
        for (int32_t j = 0; j < grid->w.taps; ++j)
            for (int32_t d = 0; d < grid->depth; ++d)
                *offset++ = (int32_t)((i * grid->h.spread * grid->depth + d) * block->pitch + j);
}

/* Vector `index` of a row of outputs, all images' vectors counted, goes to its place. */
static void store_vector(const planes_block *block, int32_t row, int64_t index, const float *y)
{
    const ic_conv_grid *grid = block->grid;
    const ic_conv_axis *h = &grid->h, *w = &grid->w;
    const int32_t lanes = block->conv->kernels->planes->lanes;
    int64_t across = vectors_across(grid, lanes), columns = grid->columns;
    int64_t image = block->first_image + index / across, first = index % across * lanes;
    int64_t count = w->count - first < lanes ? w->count - first : lanes;
    int64_t out_row = image * h->out + h->first + (int64_t)row * h->stride;
    float *out =
        block->arguments->out + (out_row * w->out + w->first + first * w->stride) * columns;
    int64_t step = w->stride * columns;
    if (!block->arguments->accumulate) {
        ic_transpose(columns, count, y, lanes, out, step);
        return;
    }
    for (int64_t p = 0; p < count; ++p)
        for (int64_t n = 0; n < columns; ++n)
            out[p * step + n] += y[n * lanes + p];
}

/* One row of outputs of all images. */
static void run_row(const planes_block *block, int32_t row, const int32_t *offset)
{
    const ic_conv_grid *grid = block->grid;
    const ic_planes_kernels *kernels = block->conv->kernels->planes;
    const int32_t lanes = kernels->lanes, columns = grid->columns;
    const int32_t vectors = kernels->vectors[columns];
    float y[IC_PLANES_SUMS * IC_PLANES_LANES];
    int32_t begin, end;
    ic_conv_axis_inside(&grid->h, row, &begin, &end);
    int64_t row_steps = (int64_t)grid->w.taps * grid->depth;
    int64_t width = ic_conv_panel_at(block->conv->kernels->gemm, columns, 0).tile->width;
    int64_t across = vectors_across(grid, lanes);
    int64_t all = across * (block->last_image - block->first_image);
    const float *planes =
        block->planes + (int64_t)(row - block->first) * grid->depth * block->pitch;
    for (int64_t index = 0; index < all; index += vectors) {
        const float *x[IC_PLANES_VECTORS];
        int64_t count = all - index < vectors ? all - index : vectors;
        for (int64_t v = 0; v < vectors; ++v) {
            int64_t at = index + (v < count ? v : count - 1);
            x[v] = planes + at / across * block->plane + at % across * lanes;
        }
        kernels->tile[columns]((end - begin) * row_steps, offset + begin * row_steps,
                               block->packed + begin * row_steps * width, width, x, y);
        for (int64_t v = 0; v < count; ++v)
            store_vector(block, row, index + v, y + v * columns * lanes);
    }
}

static void run_unit(const ic_conv *conv, ic_conv_pass pass, int32_t phase, int64_t unit,
                     const ic_conv_arguments *arguments, float *scratch)
{
    const ic_conv_plan *plan = &conv->plans[pass];
    bool forward = pass == IC_CONV_FORWARD;
    ic_conv_grid grid;
    unit = ic_conv_find_grid(conv, pass, grid_units, unit, &grid);
    int32_t images = plan->block[IMAGES], rows = plan->block[ROWS];
    int64_t pieces = ic_conv_divide_up(grid.h.count, rows);
    int32_t image = (int32_t)(unit / pieces) * images;
    int32_t first = (int32_t)(unit % pieces) * rows;
    planes_block block = {.conv = conv,
                          .grid = &grid,
                          .arguments = arguments,
                          .prologue = forward ? arguments->prologue : NULL,
                          .in = forward ? arguments->x : arguments->d_y,
                          .packed = arguments->packed + grid.packed,
                          .first_image = image,
                          .last_image = image + images < grid.n ? image + images : grid.n,
                          .first = first,
                          .last = first + rows < grid.h.count ? first + rows : grid.h.count,
                          .pitch = plane_pitch(&grid, conv->kernels->planes->lanes)};
    int32_t *offset = (int32_t *)(void *)scratch;
    float *row_copy = scratch + step_count(&grid);
    load_planes(&block, row_copy + ic_conv_padded_pixels(&grid) * grid.depth, row_copy);
    list_offsets(&block, offset);
    for (int32_t row = block.first; row < block.last; ++row)
        run_row(&block, row, offset);
    if (plan->sum_blocks == 0)
        return;
    ic_conv_clear_sums(conv, pass, arguments, unit, 0, grid.columns);
    for (int32_t n = block.first_image; n < block.last_image; ++n)
        ic_conv_finish(conv, pass, arguments, unit,
                       ((int64_t)n * grid.h.out + block.first) * grid.w.out,
                       (int64_t)(block.last - block.first) * grid.w.out, 0, grid.columns);
}

const ic_conv_algorithm ic_conv_planes = {.name = "planes",
                                          .plan = plan_planes,
                                          .pack_units = ic_conv_grid_pack_units,
                                          .pack = ic_conv_grid_pack,
                                          .units = count_units,
                                          .run = run_unit};

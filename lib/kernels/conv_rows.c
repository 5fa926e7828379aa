/*
 * kernels/conv_rows.c: convolution row by row. A zero-padded copy of a few rows is enough: what a
 * filter row reads for one output is contiguous there, s taps of c channels, and the next output
 * begins stride*c further on. SPDX-License-Identifier: MIT
 */
#include "kernels/conv_grid.h"

/* The plan's cut. */
enum {
    ROWS,   /* of outputs of a grid in a unit */
    IMAGES, /* in a unit */
    SPLITS  /* of the panels */
};

enum { WANTED_UNITS = 16, UNIT_PRODUCTS = 2000000, ROWS_MIN = 4 };

/* The rows of input that `rows` rows of output read. */
static int64_t rows_read(const ic_conv_grid *grid, int64_t rows)
{
    return (rows - 1) * grid->h.step + (int64_t)(grid->h.taps - 1) * grid->h.spread + 1;
}

/* Products of a row of outputs, in the time of full tiles: low ones wait for b. */
static double row_cost(const ic_conv *conv, const ic_conv_grid *grid)
{
    const ic_gemm_kernels *gemm = conv->kernels->gemm;
    ic_conv_panel last =
        ic_conv_panel_at(gemm, grid->columns, ic_conv_panel_count(gemm, grid->columns) - 1);
    double reads = (double)grid->h.taps * grid->w.taps * grid->depth;
    return ic_conv_tile_cost(&gemm->wide, grid->w.count, reads) * last.first +
           ic_conv_tile_cost(last.tile, grid->w.count, reads) * last.tile->width;
}

static double plan_rows(const ic_conv *conv, ic_conv_pass pass, ic_conv_plan *plan)
{
    const ic_conv_shape *s = &conv->shape;
    const ic_gemm_kernels *gemm = conv->kernels->gemm;
    if (pass == IC_CONV_BACKWARD_WEIGHTS || s->groups != 1)
        return -1;
    ic_conv_grid grid;
    double cost = 0, products = 0;
    int64_t pixels = 0, span = 0, step = 1, count = 0;
    for (int32_t i = 0; i < ic_conv_grid_count(s, pass); ++i) {
        ic_conv_grid_at(conv, pass, i, &grid);
        if (grid.w.spread != 1 && grid.w.taps > 1)
            return -1;
        double outputs = (double)grid.n * grid.h.count;
        cost += outputs * row_cost(conv, &grid);
        cost += outputs * grid.h.step * (double)ic_conv_padded_pixels(&grid) * grid.depth *
                IC_CONV_COPY_COST;
        products += (double)grid.h.count * grid.w.count * grid.h.taps * grid.w.taps * grid.depth *
                    grid.columns;
        pixels = ic_conv_padded_pixels(&grid) > pixels ? ic_conv_padded_pixels(&grid) : pixels;
        span = rows_read(&grid, 1) > span ? rows_read(&grid, 1) : span;
        count = grid.h.count > count ? grid.h.count : count;
        step = grid.h.step;
    }
    int64_t rows = (gemm->block_floats / (pixels * grid.depth) - span) / step + 1;
    rows = rows < ROWS_MIN ? ROWS_MIN : rows;
    int64_t pieces = ic_conv_divide_up(count, rows);
    rows = ic_conv_divide_up(count, pieces > 0 ? pieces : 1);
    double wanted = UNIT_PRODUCTS / (products + 1);
    int64_t images = wanted > s->n / WANTED_UNITS ? s->n / WANTED_UNITS : (int64_t)wanted;
    images = images < 1 || pieces > 1 ? 1 : images;
    int32_t splits = 1;
    int32_t panels = ic_conv_panel_count(gemm, grid.columns);
    while (splits < panels && ic_conv_divide_up(s->n, images) * pieces * splits < WANTED_UNITS)
        ++splits;
    plan->phases = 1;
    plan->block[ROWS] = (int32_t)rows;
    plan->block[IMAGES] = (int32_t)images;
    plan->block[SPLITS] = splits;
    plan->packed_floats = ic_conv_packed_floats(conv, pass);
    plan->shared_floats = 0;
    plan->scratch_floats = (size_t)(((rows - 1) * step + span) * pixels * grid.depth);
    return cost;
}

static int64_t grid_units(const ic_conv_plan *plan, const ic_conv_grid *grid)
{
    return ic_conv_divide_up(grid->n, plan->block[IMAGES]) *
           ic_conv_divide_up(grid->h.count, plan->block[ROWS]) * plan->block[SPLITS];
}

static int64_t count_units(const ic_conv *conv, ic_conv_pass pass, int32_t phase)
{
    int64_t count = 0;
    for (int32_t i = 0; i < ic_conv_grid_count(&conv->shape, pass); ++i) {
        ic_conv_grid grid;
        ic_conv_grid_at(conv, pass, i, &grid);
        count += grid_units(&conv->plans[pass], &grid);
    }
    return count;
}

/* Rows [first, last) of a picture's outputs, and the panels [first_panel, last_panel). */
typedef struct row_block {
    const ic_conv *conv;
    const ic_conv_grid *grid;
    const ic_conv_arguments *arguments;
    const ic_prologue *prologue;
    const float *in;
    int32_t image, first, last;
    int32_t first_panel, last_panel;
} row_block;

/* The rows that the block reads, padded; row 0 of the result is input row *first_row. */
static const float *load_rows(const row_block *block, float *scratch, int64_t *pitch,
                              int32_t *first_row)
{
    const ic_conv_grid *grid = block->grid;
    const ic_conv_axis *w = &grid->w;
    int64_t pixels = ic_conv_padded_pixels(grid);
    int64_t in_row = (int64_t)w->in * grid->depth;
    const float *image = block->in + (int64_t)block->image * grid->h.in * in_row;
    int32_t row = grid->h.origin + block->first * grid->h.step;
    int32_t last = row + (int32_t)rows_read(grid, block->last - block->first);
    *first_row = row;
    if (block->prologue == NULL && w->origin >= 0 && w->origin + pixels <= w->in) {
        *pitch = in_row;
        return image + row * in_row + (int64_t)w->origin * grid->depth;
    }
    *pitch = pixels * grid->depth;
    for (float *to = scratch; row < last; ++row, to += *pitch)
        if (row >= 0 && row < grid->h.in) /* no tap that is inside reads the others */
            ic_conv_load_row(block->conv->kernels, grid, block->prologue, image + row * in_row, to);
    return scratch;
}

static void run_block(const row_block *block, float *scratch)
{
    const ic_conv_grid *grid = block->grid;
    const ic_gemm_kernels *gemm = block->conv->kernels->gemm;
    int64_t pitch;
    int32_t first_row;
    const float *rows = load_rows(block, scratch, &pitch, &first_row);
    int64_t depth = (int64_t)grid->w.taps * grid->depth;
    for (int32_t p = block->first_panel; p < block->last_panel; ++p) {
        ic_conv_panel panel = ic_conv_panel_at(gemm, grid->columns, p);
        const float *packed =
            block->arguments->packed + grid->packed + grid->h.taps * depth * panel.offset;
        ic_gemm_rows sum = {.depth = depth,
                            .lda = (int64_t)grid->w.step * grid->depth,
                            .a_segment = grid->h.spread * pitch,
                            .b_segment = depth * panel.tile->width,
                            .ldc = (int64_t)grid->w.stride * grid->columns,
                            .columns = panel.columns,
                            .accumulate = block->arguments->accumulate};
        for (int32_t i = block->first; i < block->last; ++i) {
            int32_t begin, end;
            ic_conv_axis_inside(&grid->h, i, &begin, &end);
            sum.segments = end - begin;
            int64_t row = grid->h.origin + i * grid->h.step + begin * grid->h.spread - first_row;
            int64_t out_row =
                (int64_t)block->image * grid->h.out + grid->h.first + i * grid->h.stride;
            ic_conv_tiles(
                panel.tile, &sum, grid->w.count, rows + row * pitch, packed + begin * sum.b_segment,
                block->arguments->out + (out_row * grid->w.out + grid->w.first) * grid->columns +
                    panel.first);
        }
    }
}

static void run_unit(const ic_conv *conv, ic_conv_pass pass, int32_t phase, int64_t unit,
                     const ic_conv_arguments *arguments, float *scratch)
{
    const ic_conv_plan *plan = &conv->plans[pass];
    ic_conv_grid grid;
    int32_t index = 0;
    ic_conv_grid_at(conv, pass, 0, &grid);
    while (unit >= grid_units(plan, &grid)) {
        unit -= grid_units(plan, &grid);
        ic_conv_grid_at(conv, pass, ++index, &grid);
    }
    int32_t splits = plan->block[SPLITS];
    int32_t panels = ic_conv_panel_count(conv->kernels->gemm, grid.columns);
    int64_t pieces = ic_conv_divide_up(grid.h.count, plan->block[ROWS]);
    int32_t first_image = (int32_t)(unit / splits / pieces * plan->block[IMAGES]);
    int32_t last_image = first_image + plan->block[IMAGES];
    int32_t first = (int32_t)(unit / splits % pieces) * plan->block[ROWS];
    int32_t last = first + plan->block[ROWS];
    row_block block = {.conv = conv,
                       .grid = &grid,
                       .arguments = arguments,
                       .prologue = pass == IC_CONV_FORWARD ? arguments->prologue : NULL,
                       .in = pass == IC_CONV_FORWARD ? arguments->x : arguments->d_y,
                       .first = first,
                       .last = last < grid.h.count ? last : grid.h.count,
                       .first_panel = (int32_t)ic_conv_cut(panels, splits, unit % splits),
                       .last_panel = (int32_t)ic_conv_cut(panels, splits, unit % splits + 1)};
    ic_conv_panel begin = ic_conv_panel_at(conv->kernels->gemm, grid.columns, block.first_panel);
    ic_conv_panel end = ic_conv_panel_at(conv->kernels->gemm, grid.columns, block.last_panel - 1);
    for (block.image = first_image; block.image < last_image && block.image < grid.n;
         ++block.image) {
        run_block(&block, scratch);
        if (pass == IC_CONV_FORWARD)
            ic_conv_finish(conv, arguments,
                           ((int64_t)block.image * grid.h.out + block.first) * grid.w.out,
                           (int64_t)(block.last - block.first) * grid.w.out, begin.first,
                           end.first + end.columns - begin.first);
    }
}

const ic_conv_algorithm ic_conv_rows = {.name = "rows",
                                        .plan = plan_rows,
                                        .pack_units = ic_conv_grid_pack_units,
                                        .pack = ic_conv_grid_pack,
                                        .units = count_units,
                                        .run = run_unit};

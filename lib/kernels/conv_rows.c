/*
 * kernels/conv_rows.c: convolution row by row. A zero-padded copy of a few rows is enough: what a
 * filter row reads for one output is contiguous there, s taps of c channels, and the next output
 * begins stride*c further on. SPDX-License-Identifier: MIT
 */
#include "kernels/conv_grid.h"

/* The plan's cut. */
enum {
    ROWS,   /* of outputs of a grid in a unit */
    IMAGES, /* in a unit: they share its turn of the weights */
    SPLITS  /* of the panels */
};

enum { WANTED_UNITS = 16, ROWS_MIN = 4 };

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
    double cost = 0;
    int64_t pixels = 1, span = 1, step = 1, count = 1;
    for (int32_t i = 0; i < ic_conv_grid_count(s, pass); ++i) {
        ic_conv_grid_at(conv, pass, i, &grid);
        if (grid.w.spread != 1 && grid.w.taps > 1)
            return -1;
        double outputs = (double)grid.n * grid.h.count;
        cost += outputs * row_cost(conv, &grid);
        cost += outputs * grid.h.step * (double)ic_conv_padded_pixels(&grid) * grid.depth *
                IC_CONV_COPY_COST;
        pixels = ic_conv_padded_pixels(&grid) > pixels ? ic_conv_padded_pixels(&grid) : pixels;
        span = ic_conv_rows_read(&grid, 1) > span ? ic_conv_rows_read(&grid, 1) : span;
        count = grid.h.count > count ? grid.h.count : count;
        step = grid.h.step;
    }
    int64_t rows = (gemm->block_floats / (pixels * grid.depth) - span) / step + 1;
    rows = rows < ROWS_MIN ? ROWS_MIN : rows;
    int64_t pieces = ic_conv_divide_up(count, rows);
    rows = ic_conv_divide_up(count, pieces);
    int64_t floats = ((rows - 1) * step + span) * pixels * grid.depth; /* of an image's copy */
    int64_t wanted = ic_conv_wanted_units(conv, WANTED_UNITS);
    int64_t images = pieces > 1 ? 1 : gemm->block_floats / floats;
    images = images > s->n / wanted ? s->n / wanted : images;
    images = images < 1 ? 1 : images;
    int32_t splits = 1;
    int32_t panels = ic_conv_panel_count(gemm, grid.columns);
    while (splits < panels && ic_conv_divide_up(s->n, images) * pieces * splits < wanted)
        ++splits;
    while (ic_conv_divide_up(s->n, images) * pieces * splits < wanted && rows > ROWS_MIN) {
        pieces = ic_conv_divide_up(count, rows - 1);
        rows = ic_conv_divide_up(count, pieces);
    }
    floats = ((rows - 1) * step + span) * pixels * grid.depth;
    plan->phases = 1;
    plan->block[ROWS] = (int32_t)rows;
    plan->block[IMAGES] = (int32_t)images;
    plan->block[SPLITS] = splits;
    plan->packed_floats = ic_conv_packed_floats(conv, pass);
    plan->shared_floats = 0;
    plan->scratch_floats = (size_t)(images * floats);
    bool whole = ic_conv_grid_count(s, pass) == 1; /* a unit's outputs lie side by side */
    plan->sum_blocks = whole ? (int32_t)(ic_conv_divide_up(s->n, images) * pieces) : 0;
    return cost;
}

static int64_t grid_units(const ic_conv_plan *plan, const ic_conv_grid *grid)
{
    if (grid->w.count == 0)
        return 0; /* narrower than the stride */
    return ic_conv_divide_up(grid->n, plan->block[IMAGES]) *
           ic_conv_divide_up(grid->h.count, plan->block[ROWS]) * plan->block[SPLITS];
}

static int64_t count_units(const ic_conv *conv, ic_conv_pass pass, int32_t phase)
{
    return ic_conv_count_units(conv, pass, grid_units);
}

/* Rows [first, last) of the outputs of some images, and the panels [first_panel, last_panel). */
typedef struct row_block {
    const ic_conv *conv;
    const ic_conv_grid *grid;
    const ic_conv_arguments *arguments;
    const ic_prologue *prologue;
    const float *in;
    int32_t first_image, last_image;
    int32_t first, last;
    int32_t first_panel, last_panel;
    const float *rows; /* what they read: image after image, padded rows from first_row on */
    int32_t first_row;
    int64_t pitch, plane; /* from row to row, from image to image */
    ic_gemm_clamp clamp;  /* what the tiles do behind the products */
} row_block;

/* Finds the rows where they lie, or makes padded copies. */
static void load_rows(row_block *block, float *scratch)
{
    const ic_conv_grid *grid = block->grid;
    const ic_conv_axis *h = &grid->h, *w = &grid->w;
    int64_t pixels = ic_conv_padded_pixels(grid);
    int64_t in_row = (int64_t)w->in * grid->depth;
    const float *image = block->in + (int64_t)block->first_image * h->in * in_row;
    int32_t first = h->origin + block->first * h->step;
    int32_t count = (int32_t)ic_conv_rows_read(grid, block->last - block->first);
    if (block->prologue == NULL && w->origin >= 0 && w->origin + pixels <= w->in) {
        block->rows = image + (int64_t)w->origin * grid->depth;
        block->first_row = 0;
        block->pitch = in_row;
        block->plane = h->in * in_row;
        return;
    }
    block->rows = scratch;
    block->first_row = first;
    block->pitch = pixels * grid->depth;
    block->plane = count * block->pitch;
    for (int32_t n = block->first_image; n < block->last_image; ++n, image += h->in * in_row) {
        for (int32_t row = first; row < first + count; ++row, scratch += block->pitch)
            if (row >= 0 && row < h->in) /* no tap that is inside reads the others */
                ic_conv_load_row(block->conv->kernels, grid, block->prologue, image + row * in_row,
                                 scratch);
    }
}

/* The rows of one image, with one panel of the weights. */
static void multiply_rows(const row_block *block, const ic_conv_panel *panel, int32_t image)
{
    const ic_conv_grid *grid = block->grid;
    const ic_conv_axis *h = &grid->h, *w = &grid->w;
    int64_t depth = (int64_t)w->taps * grid->depth;
    const float *packed = block->arguments->packed + grid->packed + h->taps * depth * panel->offset;
    const float *rows = block->rows + (image - block->first_image) * block->plane;
    ic_gemm_rows sum = {.depth = depth,
                        .lda = (int64_t)w->step * grid->depth,
                        .a_segment = h->spread * block->pitch,
                        .b_segment = depth * panel->tile->width,
                        .ldc = (int64_t)w->stride * grid->columns,
                        .columns = panel->columns,
                        .accumulate = block->arguments->accumulate,
                        .clamp = ic_gemm_clamp_at(block->clamp, panel->first)};
    for (int32_t i = block->first; i < block->last; ++i) {
        int32_t begin, end;
        ic_conv_axis_inside(h, i, &begin, &end);
        sum.segments = end - begin;
        int64_t row = h->origin + i * h->step + begin * h->spread - block->first_row;
        int64_t out_row = (int64_t)image * h->out + h->first + i * h->stride;
        ic_conv_tiles(
            panel->tile, &sum, w->count, rows + row * block->pitch, packed + begin * sum.b_segment,
            block->arguments->out + (out_row * w->out + w->first) * grid->columns + panel->first);
    }
}

static void run_block(row_block *block, float *scratch)
{
    load_rows(block, scratch);
    for (int32_t p = block->first_panel; p < block->last_panel; ++p) {
        ic_conv_panel panel = ic_conv_panel_at(block->conv->kernels->gemm, block->grid->columns, p);
        for (int32_t n = block->first_image; n < block->last_image; ++n)
            multiply_rows(block, &panel, n);
    }
}

/* index: of the block among those whose sums may be wanted. */
static void finish_block(const row_block *block, ic_conv_pass pass, int64_t index)
{
    const ic_conv_grid *grid = block->grid;
    const ic_gemm_kernels *gemm = block->conv->kernels->gemm;
    ic_conv_panel begin = ic_conv_panel_at(gemm, grid->columns, block->first_panel);
    ic_conv_panel end = ic_conv_panel_at(gemm, grid->columns, block->last_panel - 1);
    int32_t columns = end.first + end.columns - begin.first;
    int64_t pixels = (int64_t)(block->last - block->first) * grid->w.out;
    ic_conv_clear_sums(block->conv, pass, block->arguments, index, begin.first, columns);
    for (int32_t n = block->first_image; n < block->last_image; ++n)
        ic_conv_finish(block->conv, pass, block->arguments, index,
                       ((int64_t)n * grid->h.out + block->first) * grid->w.out, pixels, begin.first,
                       columns);
}

static void run_unit(const ic_conv *conv, ic_conv_pass pass, int32_t phase, int64_t unit,
                     const ic_conv_arguments *arguments, float *scratch)
{
    const ic_conv_plan *plan = &conv->plans[pass];
    bool forward = pass == IC_CONV_FORWARD;
    ic_conv_grid grid;
    unit = ic_conv_find_grid(conv, pass, grid_units, unit, &grid);
    int32_t splits = plan->block[SPLITS], images = plan->block[IMAGES], rows = plan->block[ROWS];
    int32_t panels = ic_conv_panel_count(conv->kernels->gemm, grid.columns);
    int64_t pieces = ic_conv_divide_up(grid.h.count, rows);
    int32_t image = (int32_t)(unit / splits / pieces) * images;
    int32_t first = (int32_t)(unit / splits % pieces) * rows;
    row_block block = {.conv = conv,
                       .grid = &grid,
                       .arguments = arguments,
                       .prologue = forward ? arguments->prologue : NULL,
                       .in = forward ? arguments->x : arguments->d_y,
                       .first_image = image,
                       .last_image = image + images < grid.n ? image + images : grid.n,
                       .first = first,
                       .last = first + rows < grid.h.count ? first + rows : grid.h.count,
                       .first_panel = (int32_t)ic_conv_cut(panels, splits, unit % splits),
                       .last_panel = (int32_t)ic_conv_cut(panels, splits, unit % splits + 1)};
    if (forward)
        block.clamp = ic_conv_clamp(conv, arguments);
    run_block(&block, scratch);
    if (plan->sum_blocks > 0 && block.clamp.bias == NULL)
        finish_block(&block, pass, unit / splits);
}

const ic_conv_algorithm ic_conv_rows = {.name = "rows",
                                        .plan = plan_rows,
                                        .pack_units = ic_conv_grid_pack_units,
                                        .pack = ic_conv_grid_pack,
                                        .units = count_units,
                                        .run = run_unit};

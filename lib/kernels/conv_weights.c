/*
 * kernels/conv_weights.c: the weights' gradient, d_w[tap][c][k] = sum over outputs p of x[p's input
 * at tap][c] * d_y[p][k]. SPDX-License-Identifier: MIT
 *
 * A block of output rows has its d_y packed, panel by panel. For each tap it is multiplied with the
 * rows of x that the tap reads, where they lie; rows and columns that read padding are left out.
 * The blocks are cut into parts by shape; each part has a sum of its own, and a second phase adds
 * the parts in order.
 */
#include "kernels/conv_grid.h"
#include "kernels/transpose.h"

/* The plan's cut. */
enum {
    ROWS,    /* of outputs in a block: of one image, or all rows of whole images */
    COLUMNS, /* of outputs in a block: all, but for a 1x1 convolution, which is one long row */
    PARTS,   /* of all blocks; one sum each */
    SPLITS,  /* of the panels of a group */
    MERGED   /* narrow layers: a filter row's s*c inputs, in a padded copy of x, are one tap */
};

enum {
    BLOCK_PIXELS = 256,
    BLOCK_ROWS = 128,
    MERGED_DEPTH = 8,
    DIRECT_ROWS = 64,     /* of sums, up to which it does not pay to pack d_y first */
    DIRECT_COLUMNS = 256, /* of d_y, where its rows do not yet meet in the cache */
    WANTED_UNITS = 16,
    UNIT_SUM_FLOATS = 128 * 1024,    /* of one unit: what stays in the second cache */
    SUM_FLOATS_MAX = 4 * 1024 * 1024 /* of all units */
};

/* The whole convolution as a grid; a 1x1 of stride 1 is one row of all pixels. */
static ic_conv_grid weights_grid(const ic_conv *conv)
{
    ic_conv_grid grid;
    ic_conv_grid_at(conv, IC_CONV_BACKWARD_WEIGHTS, 0, &grid);
    if (ic_conv_is_pointwise(&grid)) {
        int32_t pixels = grid.n * grid.h.count * grid.w.count;
        grid.n = grid.h.count = grid.h.in = 1;
        grid.w.count = grid.w.in = pixels;
    }
    return grid;
}

static int64_t patch_floats(const ic_conv_grid *grid)
{
    return (int64_t)grid->h.taps * grid->w.taps * grid->depth;
}

static int64_t block_count(const ic_conv_plan *plan, const ic_conv_grid *grid)
{
    int64_t rows = plan->block[ROWS], all = grid->h.count;
    int64_t row_blocks = rows < all ? grid->n * ic_conv_divide_up(all, rows)
                                    : ic_conv_divide_up(grid->n, rows / all);
    return row_blocks * ic_conv_divide_up(grid->w.count, plan->block[COLUMNS]);
}

/* Chooses the block, and what a copy of its part of x takes. */
static int64_t plan_block(const ic_conv_grid *grid, ic_conv_plan *plan)
{
    int64_t pixels = BLOCK_PIXELS;
    int64_t all = grid->h.count, columns = grid->w.count;
    if (grid->n * all == 1)
        columns = ic_conv_divide_up(columns, ic_conv_divide_up(columns, pixels));
    int64_t rows = pixels / columns > BLOCK_ROWS ? BLOCK_ROWS : pixels / columns;
    rows = rows < 1 ? 1 : rows;
    if (rows < all)
        rows = ic_conv_divide_up(all, ic_conv_divide_up(all, rows));
    else
        rows = (rows / all < grid->n ? rows / all : grid->n) * all;
    bool merged =
        grid->groups == 1 && grid->w.spread == 1 && grid->w.taps > 1 && grid->depth <= MERGED_DEPTH;
    plan->block[ROWS] = (int32_t)rows;
    plan->block[COLUMNS] = (int32_t)columns;
    plan->block[MERGED] = merged;
    int64_t rows_read = rows < all ? ic_conv_rows_read(grid, rows) : rows / all * grid->h.in;
    int64_t width = merged                    ? ic_conv_padded_pixels(grid)
                    : columns < grid->w.count ? columns
                                              : grid->w.in;
    return rows_read * width * grid->depth * grid->groups;
}

static double weights_cost(const ic_gemm_kernels *gemm, const ic_conv_plan *plan,
                           const ic_conv_grid *grid)
{
    double pixels = (double)grid->n * grid->h.count * grid->w.count;
    int32_t columns = grid->columns;
    ic_conv_panel last = ic_conv_panel_at(gemm, columns, ic_conv_panel_count(gemm, columns) - 1);
    int64_t taps = (int64_t)grid->h.taps * (plan->block[MERGED] ? 1 : grid->w.taps);
    int64_t rows = patch_floats(grid) / taps;
    double products = ic_conv_tile_cost(&gemm->wide, rows, BLOCK_PIXELS) * last.offset +
                      ic_conv_tile_cost(last.tile, rows, BLOCK_PIXELS) * last.tile->width;
    return pixels * grid->groups * (products / BLOCK_PIXELS * (double)taps + columns);
}

static double plan_weights(const ic_conv *conv, ic_conv_pass pass, ic_conv_plan *plan)
{
    if (pass != IC_CONV_BACKWARD_WEIGHTS)
        return -1;
    const ic_gemm_kernels *gemm = conv->kernels->gemm;
    ic_conv_grid grid = weights_grid(conv);
    int64_t copy = plan_block(&grid, plan);
    int64_t sum = patch_floats(&grid) * ic_conv_padded_columns(gemm, grid.columns);
    int64_t panels = ic_conv_panel_count(gemm, grid.columns);
    int64_t splits = ic_conv_divide_up(sum, UNIT_SUM_FLOATS);
    splits = splits > panels ? panels : splits;
    int64_t blocks = block_count(plan, &grid);
    int64_t parts = ic_conv_divide_up(WANTED_UNITS, splits * grid.groups);
    parts = parts > blocks ? blocks : parts;
    while (parts > 1 && parts * sum * grid.groups > SUM_FLOATS_MAX)
        --parts;
    while (splits < panels && parts * grid.groups * splits < WANTED_UNITS)
        ++splits;
    plan->phases = 2;
    plan->block[PARTS] = (int32_t)parts;
    plan->block[SPLITS] = (int32_t)splits;
    plan->packed_floats = 0;
    plan->shared_floats = (size_t)(parts * sum * grid.groups);
    plan->scratch_floats =
        (size_t)((int64_t)plan->block[ROWS] * plan->block[COLUMNS] * gemm->wide.width + copy);
    return weights_cost(gemm, plan, &grid);
}

static int64_t count_units(const ic_conv *conv, ic_conv_pass pass, int32_t phase)
{
    const ic_conv_plan *plan = &conv->plans[pass];
    int64_t groups = conv->shape.groups;
    if (phase == 0)
        return plan->block[PARTS] * groups * plan->block[SPLITS];
    return groups * ic_conv_panel_count(conv->kernels->gemm, conv->shape.k / conv->shape.groups);
}

/* A block of outputs, and where its inputs lie. Rows are counted over all images. */
typedef struct weights_block {
    const ic_conv *conv;
    const ic_conv_grid *grid;
    int32_t group;
    int32_t first_row, last_row;
    int32_t first_column, last_column;
    const float *x; /* row 0 is row first_in, column 0 is column column_in */
    int32_t first_in, column_in;
    int64_t pitch;
} weights_block;

/* The outputs of block `index`. */
static void place_block(const ic_conv_plan *plan, int64_t index, weights_block *block)
{
    const ic_conv_grid *grid = block->grid;
    int32_t rows = plan->block[ROWS], columns = plan->block[COLUMNS], all = grid->h.count;
    int64_t across = ic_conv_divide_up(grid->w.count, columns);
    int64_t down = index / across;
    block->first_column = (int32_t)(index % across) * columns;
    block->last_column = block->first_column + columns;
    if (block->last_column > grid->w.count)
        block->last_column = grid->w.count;
    int32_t limit = grid->n * all;
    block->first_row = (int32_t)down * rows;
    if (rows < all) {
        int64_t pieces = ic_conv_divide_up(all, rows);
        block->first_row = (int32_t)(down / pieces) * all + (int32_t)(down % pieces) * rows;
        limit = (int32_t)(down / pieces + 1) * all;
    }
    block->last_row = block->first_row + rows < limit ? block->first_row + rows : limit;
}

/* Finds the block's inputs in x, or in a copy with the prologue applied or the columns padded. */
static void load_block(const ic_conv_plan *plan, const ic_conv_arguments *arguments,
                       weights_block *block, float *copy)
{
    const ic_conv_grid *grid = block->grid;
    const ic_kernels *kernels = block->conv->kernels;
    const ic_conv_axis *h = &grid->h, *w = &grid->w;
    int64_t channels = (int64_t)grid->depth * grid->groups;
    bool merged = plan->block[MERGED];
    block->x = arguments->x;
    block->first_in = 0;
    block->column_in = 0;
    block->pitch = w->in * channels;
    if (!merged && arguments->prologue == NULL)
        return;
    int32_t last = block->last_row - 1;
    int32_t begin = h->origin + block->first_row % h->count * h->step;
    int32_t end = h->origin + last % h->count * h->step + (h->taps - 1) * h->spread + 1;
    begin = block->first_row / h->count * h->in + (begin > 0 ? begin : 0);
    end = last / h->count * h->in + (end < h->in ? end : h->in);
    block->first_in = begin;
    block->x = copy;
    if (!merged) {
        bool part = block->last_column - block->first_column < w->count;
        block->column_in = part ? block->first_column : 0;
        block->pitch = (part ? block->last_column - block->first_column : w->in) * channels;
        ic_conv_load(kernels, arguments->prologue, 0, (end - begin) * block->pitch / channels,
                     (int32_t)channels,
                     arguments->x + (int64_t)begin * w->in * channels + block->column_in * channels,
                     copy);
        return;
    }
    block->column_in = w->origin;
    block->pitch = ic_conv_padded_pixels(grid) * channels;
    for (int32_t row = begin; row < end; ++row, copy += block->pitch)
        ic_conv_load_row(kernels, grid, arguments->prologue,
                         arguments->x + (int64_t)row * w->in * channels, copy);
}

/* The runs of tap (i, j): outputs whose input is inside; returns their pixels, all runs alike. */
static int64_t tap_runs(const weights_block *block, int32_t i, int32_t j, bool merged, int64_t ldb,
                        ic_gemm_run *runs, int64_t *count)
{
    const ic_conv_grid *grid = block->grid;
    const ic_conv_axis *h = &grid->h, *w = &grid->w;
    int64_t channels = (int64_t)grid->depth * grid->groups;
    int32_t begin = block->first_column, end = block->last_column;
    int32_t at = w->origin + j * w->spread; /* input of output 0 */
    if (!merged) {
        int32_t low = at < 0 ? (int32_t)ic_conv_divide_up(-at, w->step) : 0;
        int32_t high = at < w->in ? (w->in - 1 - at) / w->step + 1 : 0;
        begin = begin < low ? low : begin;
        end = end > high ? high : end;
    }
    *count = 0;
    if (begin >= end)
        return 0;
    int64_t column = (at + (int64_t)begin * w->step - block->column_in) * channels +
                     (int64_t)block->group * grid->depth;
    int64_t columns = block->last_column - block->first_column;
    for (int32_t row = block->first_row; row < block->last_row; ++row) {
        int32_t y = h->origin + row % h->count * h->step + i * h->spread;
        if (y < 0 || y >= h->in)
            continue;
        int64_t in_row = (int64_t)(row / h->count) * h->in + y - block->first_in;
        runs[(*count)++] = (ic_gemm_run){
            .a = in_row * block->pitch + column,
            .b = ((row - block->first_row) * columns + begin - block->first_column) * ldb};
    }
    return end - begin;
}

/* Adds the block to the sums of one panel, or sets them. */
static void add_panel(const ic_conv_plan *plan, const ic_conv_arguments *arguments,
                      const weights_block *block, const ic_conv_panel *panel, bool accumulate,
                      float *sums, float *packed)
{
    const ic_conv_grid *grid = block->grid;
    int64_t channels_out = (int64_t)grid->columns * grid->groups;
    int64_t channels_in = (int64_t)grid->depth * grid->groups;
    int64_t pixels =
        (int64_t)(block->last_row - block->first_row) * (block->last_column - block->first_column);
    int32_t width = panel->tile->width;
    bool merged = plan->block[MERGED];
    int32_t taps = merged ? 1 : grid->w.taps;
    int64_t rows = merged ? (int64_t)grid->w.taps * grid->depth : grid->depth;
    const float *b =
        arguments->d_y +
        ((int64_t)block->first_row * grid->w.count + block->first_column) * channels_out +
        (int64_t)block->group * grid->columns + panel->first;
    bool direct = panel->columns == width && grid->h.taps * taps * rows <= DIRECT_ROWS &&
                  (channels_out <= DIRECT_COLUMNS || channels_out == width);
    if (!direct) {
        block->conv->kernels->gemm->pack_panel(pixels, panel->columns, width, b, channels_out,
                                               packed);
        b = packed;
    }
    ic_gemm_run runs[BLOCK_ROWS];
    ic_gemm_columns sum = {.runs = runs,
                           .lda = grid->w.step * channels_in,
                           .ldb = direct ? channels_out : width,
                           .ldc = width,
                           .accumulate = accumulate};
    for (int32_t i = 0; i < grid->h.taps; ++i)
        for (int32_t j = 0; j < taps; ++j) {
            sum.depth = tap_runs(block, i, j, merged, sum.ldb, runs, &sum.count);
            ic_conv_column_tiles(panel->tile, &sum, rows, block->x, b, sums);
            sums += rows * width;
        }
}

static void sum_part(const ic_conv *conv, int64_t unit, const ic_conv_arguments *arguments,
                     float *scratch)
{
    const ic_conv_plan *plan = &conv->plans[IC_CONV_BACKWARD_WEIGHTS];
    const ic_gemm_kernels *gemm = conv->kernels->gemm;
    ic_conv_grid grid = weights_grid(conv);
    int64_t splits = plan->block[SPLITS], parts = plan->block[PARTS];
    int64_t split = unit % splits;
    int64_t part = unit / splits / grid.groups;
    int64_t patch = patch_floats(&grid);
    int64_t panels = ic_conv_panel_count(gemm, grid.columns);
    weights_block block = {
        .conv = conv, .grid = &grid, .group = (int32_t)(unit / splits % grid.groups)};
    float *sums = arguments->shared + (part * grid.groups + block.group) * patch *
                                          ic_conv_padded_columns(gemm, grid.columns);
    int64_t blocks = block_count(plan, &grid);
    int64_t begin = ic_conv_cut(blocks, parts, part);
    int64_t end = ic_conv_cut(blocks, parts, part + 1);
    float *copy = scratch + (int64_t)plan->block[ROWS] * plan->block[COLUMNS] * gemm->wide.width;
    for (int64_t i = begin; i < end; ++i) {
        place_block(plan, i, &block);
        load_block(plan, arguments, &block, copy);
        for (int64_t p = ic_conv_cut(panels, splits, split);
             p < ic_conv_cut(panels, splits, split + 1); ++p) {
            ic_conv_panel panel = ic_conv_panel_at(gemm, grid.columns, (int32_t)p);
            add_panel(plan, arguments, &block, &panel, i > begin, sums + panel.offset * patch,
                      scratch);
        }
    }
}

/* out[n][c][tap] = sums[tap][c][n]. */
static void transpose_panel(const ic_conv_grid *grid, const ic_conv_panel *panel, const float *sums,
                            float *out)
{
    int64_t taps = (int64_t)grid->h.taps * grid->w.taps;
    int64_t depth = grid->depth, width = panel->tile->width;
    if (taps == 1)
        ic_transpose(depth, panel->columns, sums, width, out, depth);
    for (int64_t c = 0; taps > 1 && c < depth; ++c)
        ic_transpose(taps, panel->columns, sums + c * width, depth * width, out + c * taps,
                     depth * taps);
}

void ic_conv_add_parts(const ic_conv *conv, int32_t parts, int64_t unit,
                       const ic_conv_arguments *arguments)
{
    const ic_gemm_kernels *gemm = conv->kernels->gemm;
    ic_conv_grid grid = weights_grid(conv);
    int32_t panels = ic_conv_panel_count(gemm, grid.columns);
    int64_t group = unit / panels;
    ic_conv_panel panel = ic_conv_panel_at(gemm, grid.columns, (int32_t)(unit % panels));
    int64_t patch = patch_floats(&grid);
    int64_t padded = ic_conv_padded_columns(gemm, grid.columns);
    int64_t part_floats = patch * padded * grid.groups;
    float *sums = arguments->shared + (group * padded + panel.offset) * patch;
    for (int64_t part = 1; part < parts; ++part)
        conv->kernels->accumulate(patch * panel.tile->width, sums + part * part_floats, sums);
    transpose_panel(&grid, &panel, sums,
                    arguments->out + (group * grid.columns + panel.first) * patch);
}

static void run_unit(const ic_conv *conv, ic_conv_pass pass, int32_t phase, int64_t unit,
                     const ic_conv_arguments *arguments, float *scratch)
{
    if (phase == 0)
        sum_part(conv, unit, arguments, scratch);
    else
        ic_conv_add_parts(conv, conv->plans[pass].block[PARTS], unit, arguments);
}

const ic_conv_algorithm ic_conv_weights = {
    .name = "runs", .plan = plan_weights, .units = count_units, .run = run_unit};

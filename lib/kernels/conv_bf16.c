/*
 * kernels/conv_bf16.c: forward and backward data in bfloat16, row by row as in conv_rows.c: what a
 * filter row reads for one output is contiguous in a zero-padded copy, which here is rounded to
 * bfloat16 too. A 1x1 of stride 1 is one long row of all pixels, cut into chunks. Where rows are
 * so short that they would leave matrix tiles half empty, the copy holds for each output what a
 * filter row reads ("laid out"): then all outputs of an image follow each other.
 * SPDX-License-Identifier: MIT
 */
#include "kernels/conv_bf16.h"

#include <math.h>
#include <string.h>

/* The plan's cut. */
enum {
    ROWS,   /* of outputs of a grid in a unit */
    IMAGES, /* in a unit: they share its turn of the weights */
    SPLITS, /* of the panels */
    CHUNK,  /* pixels that count as a row of a 1x1; 0: a filter */
    LAID    /* out: see above */
};

enum {
    WANTED_UNITS = 16,
    ROWS_MIN = 4,
    CHUNK_TILES = 4,        /* of pixels that count as a row of a 1x1 */
    BLOCK_MIN = 512 * 1024, /* bytes of a unit's copy and outputs that stay in the second cache */
    BLOCK_MAX = 2048 * 1024,
    TILES = 64 /* that are listed at a time */
};

/* The grid with a 1x1 of stride 1 as rows of chunk pixels; the last one may be shorter. */
static ic_conv_grid chunked(const ic_conv_grid *grid, int32_t chunk)
{
    ic_conv_grid out = *grid;
    if (chunk == 0)
        return out;
    int64_t pixels = (int64_t)grid->n * grid->h.count * grid->w.count;
    out.n = 1;
    out.h.in = out.h.out = out.h.count = (int32_t)ic_conv_divide_up(pixels, chunk);
    out.w.in = out.w.out = out.w.count = chunk;
    return out;
}

static ic_conv_grid grid_at(const ic_conv *conv, ic_conv_pass pass, int32_t index, int32_t chunk)
{
    ic_conv_grid grid;
    ic_conv_grid_at(conv, pass, index, &grid);
    grid = chunked(&grid, chunk);
    return grid;
}

/* Whether tiles over single rows would waste a quarter of the time, and whole images would not. */
static bool wants_laying_out(const ic_conv *conv, const ic_conv_grid *grid)
{
    int64_t rows = conv->kernels->bf16->rows, width = grid->w.count;
    return rows == IC_BF16_ROWS && !ic_conv_is_pointwise(grid) && grid->w.stride == 1 &&
           grid->h.stride == 1 && grid->h.step == 1 &&
           ic_conv_divide_up(width, rows) * rows * 4 > 5 * width;
}

/* Values of one row of the copy. */
static int64_t row_values(const ic_conv_grid *grid, bool laid)
{
    int64_t pixels = laid ? (int64_t)grid->w.count * grid->w.taps : ic_conv_padded_pixels(grid);
    return pixels * ic_conv_bf16_depth(grid->depth);
}

/*
 * Bytes of a unit. Weights that are much larger than the second cache come from further away for
 * each unit: then larger units cost less.
 */
static int64_t block_bytes(int64_t packed)
{
    int64_t bytes = packed * (int64_t)sizeof(uint16_t) / 4;
    return bytes < BLOCK_MIN ? BLOCK_MIN : bytes > BLOCK_MAX ? BLOCK_MAX : bytes;
}

double ic_conv_bf16_cost(const ic_conv *conv)
{
    const ic_conv_shape *s = &conv->shape;
    double pixels = (double)s->n * s->oh * s->ow;
    return pixels * s->k * s->c * s->r * s->s * (double)conv->kernels->bf16->cost;
}

static double plan_bf16(const ic_conv *conv, ic_conv_pass pass, ic_conv_plan *plan)
{
    const ic_conv_shape *s = &conv->shape;
    if (conv->kernels->bf16 == NULL || pass == IC_CONV_BACKWARD_WEIGHTS || s->groups != 1)
        return -1;
    ic_conv_grid grid;
    int64_t values = 1, pixels = 1, span = 1, step = 1, count = 1;
    ic_conv_grid_at(conv, pass, 0, &grid);
    bool laid = wants_laying_out(conv, &grid);
    int32_t chunk = ic_conv_is_pointwise(&grid) ? CHUNK_TILES * conv->kernels->bf16->rows : 0;
    for (int32_t i = 0; i < ic_conv_grid_count(s, pass); ++i) {
        grid = grid_at(conv, pass, i, chunk);
        if (grid.w.spread != 1 && grid.w.taps > 1)
            return -1;
        int64_t read = ic_conv_padded_pixels(&grid);
        pixels = read > pixels ? read : pixels;
        values = row_values(&grid, laid) > values ? row_values(&grid, laid) : values;
        span = ic_conv_rows_read(&grid, 1) > span ? ic_conv_rows_read(&grid, 1) : span;
        count = grid.h.count > count ? grid.h.count : count;
        step = grid.h.step;
    }
    int64_t packed = ic_conv_bf16_packed_before(conv, pass, ic_conv_grid_count(s, pass));
    int64_t block = block_bytes(packed);
    int64_t row_bytes = 2 * step * values + 4 * (int64_t)grid.w.count * grid.columns;
    int64_t rows = (block - 2 * (span - step) * values) / row_bytes;
    rows = rows < ROWS_MIN ? ROWS_MIN : rows;
    int64_t pieces = ic_conv_divide_up(count, rows);
    int64_t panels = ic_conv_divide_up(grid.columns, IC_BF16_WIDTH);
    int64_t units = ic_conv_wanted_units(conv, WANTED_UNITS);
    int64_t wanted = chunk > 0 ? units : ic_conv_divide_up(units, grid.n * panels);
    if (pieces < wanted)
        pieces = count < wanted ? count : wanted;
    rows = ic_conv_divide_up(count, pieces);
    pieces = ic_conv_divide_up(count, rows);
    int64_t copy = ((rows - 1) * step + span) * values; /* of an image */
    int64_t splits = 1;
    int64_t bytes = 2 * copy + 4 * rows * grid.w.count * grid.columns;
    int64_t images = pieces > 1 || bytes > block ? 1 : block / bytes;
    images = ic_conv_divide_up(grid.n, ic_conv_divide_up(grid.n, images));
    while (images > 1 && ic_conv_divide_up(grid.n, images) * panels < units)
        --images;
    while (splits < panels && ic_conv_divide_up(grid.n, images) * pieces * splits < units)
        ++splits;
    plan->phases = 1;
    plan->block[ROWS] = (int32_t)rows;
    plan->block[IMAGES] = (int32_t)images;
    plan->block[SPLITS] = (int32_t)splits;
    plan->block[CHUNK] = chunk;
    plan->block[LAID] = laid;
    plan->packed_floats = (size_t)packed / 2;
    plan->shared_floats = 0;
    bool whole = ic_conv_grid_count(s, pass) == 1; /* a unit's outputs lie side by side */
    plan->sum_blocks = whole ? (int32_t)(ic_conv_divide_up(grid.n, images) * pieces) : 0;
    /* Tiles read 16 pixels whatever their height. A row with the prologue is made aside, and so is
     * one that is to be laid out. */
    int64_t depth = ic_conv_bf16_depth(grid.depth), aside = pixels * depth;
    int64_t beyond = IC_BF16_ROWS * depth * (laid ? grid.w.taps : grid.w.step);
    plan->scratch_floats = (size_t)(aside + (images * copy + beyond + (laid ? aside : 0)) / 2);
    return ic_conv_bf16_cost(conv);
}

/* ---- Running ---- */

static int64_t grid_units(const ic_conv_plan *plan, const ic_conv_grid *whole)
{
    ic_conv_grid grid = chunked(whole, plan->block[CHUNK]);
    if (grid.w.count == 0)
        return 0; /* narrower than the stride */
    return ic_conv_divide_up(grid.n, plan->block[IMAGES]) *
           ic_conv_divide_up(grid.h.count, plan->block[ROWS]) * plan->block[SPLITS];
}

static int64_t count_units(const ic_conv *conv, ic_conv_pass pass, int32_t phase)
{
    return ic_conv_count_units(conv, pass, grid_units);
}

/* Rows [first, last) of the outputs of some images, and the panels [first_panel, last_panel). */
typedef struct bf16_block {
    const ic_conv *conv;
    const ic_conv_grid *grid;
    const ic_conv_arguments *arguments;
    const ic_prologue *prologue;
    const float *in;
    const uint16_t *packed;
    int64_t pixels; /* of all chunks of a 1x1; 0: a filter, whose rows are whole */
    int32_t first_image, last_image;
    int32_t first, last;
    int32_t first_panel, last_panel;
    int32_t depth; /* of a pixel of the copy */
    bool laid;
    int64_t lda; /* from output to output of the copy */
    uint16_t *rows;
    int64_t pitch, plane; /* from row to row of the copy, from image to image */
    ic_gemm_clamp clamp;  /* what the kernels do behind the products, where that is all there is */
    int32_t tile_count;
    ic_bf16_tile tiles[TILES];
} bf16_block;

/* The outputs of row i: all but for the last chunk. */
static int32_t row_count(const bf16_block *block, int32_t i)
{
    const ic_conv_axis *w = &block->grid->w;
    int64_t left = block->pixels - (int64_t)i * w->count;
    return block->pixels > 0 && left < w->count ? (int32_t)left : w->count;
}

/* One padded row of the copy: zeros, the inputs with the prologue applied, zeros. */
static void load_row(const bf16_block *block, const float *row, int64_t available, float *aside,
                     uint16_t *out)
{
    const ic_conv_grid *grid = block->grid;
    int64_t pixels = ic_conv_padded_pixels(grid), origin = grid->w.origin;
    int64_t left = origin < 0 ? -origin : 0, from = origin > 0 ? origin : 0;
    left = left < pixels ? left : pixels;
    int64_t inside = available - from < pixels - left ? available - from : pixels - left;
    inside = inside > 0 && row != NULL ? inside : 0;
    if (row != NULL)
        row += from * grid->depth;
    if (block->prologue != NULL && inside > 0) {
        ic_conv_load(block->conv->kernels, block->prologue, 0, inside, grid->depth, row, aside);
        row = aside;
    }
    memset(out, 0, (size_t)(left * block->depth) * sizeof *out);
    out += left * block->depth;
    if (inside > 0)
        block->conv->kernels->bf16->convert(inside, grid->depth, block->depth, row, out);
    memset(out + inside * block->depth, 0,
           (size_t)((pixels - left - inside) * block->depth) * sizeof *out);
}

/* What each output of a row reads, side by side. */
static void lay_out(const bf16_block *block, const uint16_t *row, uint16_t *out)
{
    const ic_conv_axis *w = &block->grid->w;
    for (int32_t i = 0; i < w->count; ++i, out += block->lda, row += w->step * block->depth)
        memcpy(out, row, (size_t)block->lda * sizeof *out);
}

static void load_rows(bf16_block *block, float *scratch)
{
    const ic_conv_grid *grid = block->grid;
    const ic_conv_axis *h = &grid->h;
    int32_t first = h->origin + block->first * h->step;
    int32_t count = (int32_t)ic_conv_rows_read(grid, block->last - block->first);
    int64_t aside = ic_conv_padded_pixels(grid) * block->depth;
    block->pitch = row_values(grid, block->laid);
    block->plane = count * block->pitch;
    block->lda = (int64_t)(block->laid ? grid->w.taps : grid->w.step) * block->depth;
    uint16_t *whole = (uint16_t *)(void *)(scratch + (aside > 0 ? aside : 0));
    block->rows = whole + (block->laid ? aside : 0);
    if (h->taps == 0 || grid->w.taps == 0)
        return;
    uint16_t *to = block->rows;
    for (int32_t n = block->first_image; n < block->last_image; ++n)
        for (int32_t row = first; row < first + count; ++row, to += block->pitch) {
            if ((row - first) % h->step > (h->taps - 1) * h->spread)
                continue; /* between the rows that are read */
            bool inside = row >= 0 && row < h->in;
            const float *from =
                inside ? block->in + ((int64_t)n * h->in + row) * grid->w.in * grid->depth : NULL;
            int32_t available = block->pixels > 0 && inside ? row_count(block, row) : grid->w.in;
            load_row(block, from, available, scratch, block->laid ? whole : to);
            if (block->laid)
                lay_out(block, whole, to);
        }
}

/* All panels of the tiles that are listed. */
static void multiply_list(bf16_block *block)
{
    const ic_conv_grid *grid = block->grid;
    int64_t depth = (int64_t)grid->w.taps * block->depth;
    ic_bf16_sum sum = {.segments = depth > 0 ? grid->h.taps : 0,
                       .depth = depth,
                       .step = ic_conv_bf16_step(depth),
                       .lda = block->lda,
                       .a_segment = grid->h.spread * block->pitch,
                       .b_segment = depth * IC_BF16_WIDTH,
                       .ldc = (int64_t)grid->w.stride * grid->columns,
                       .accumulate = block->arguments->accumulate,
                       .low = block->clamp.bias != NULL ? block->clamp.low : -INFINITY,
                       .high = block->clamp.bias != NULL ? block->clamp.high : INFINITY};
    for (int32_t p = block->first_panel; p < block->last_panel; ++p) {
        int32_t left = grid->columns - p * IC_BF16_WIDTH;
        sum.columns = left < IC_BF16_WIDTH ? left : IC_BF16_WIDTH;
        sum.bias = ic_gemm_clamp_at(block->clamp, p * IC_BF16_WIDTH).bias;
        block->conv->kernels->bf16->multiply(&sum, block->tile_count, block->tiles,
                                             block->packed + p * grid->h.taps * sum.b_segment);
        for (int32_t i = 0; i < block->tile_count; ++i)
            block->tiles[i].c += IC_BF16_WIDTH;
    }
    block->tile_count = 0;
}

/*
 * Lists `left` outputs from row i of an image on as tiles, and multiplies when the list is full.
 */
static void add_outputs(bf16_block *block, int32_t image, int32_t i, int64_t left)
{
    const ic_conv_axis *h = &block->grid->h, *w = &block->grid->w;
    int64_t out_row = (int64_t)image * h->out + h->first + i * h->stride;
    int64_t ldc = (int64_t)w->stride * block->grid->columns;
    float *c = block->arguments->out + (out_row * w->out + w->first) * block->grid->columns +
               block->first_panel * IC_BF16_WIDTH;
    const uint16_t *a = block->rows + (image - block->first_image) * block->plane +
                        (i - block->first) * h->step * block->pitch;
    while (left > 0) {
        int64_t height = ic_conv_bf16_height(block->conv->kernels->bf16, left);
        block->tiles[block->tile_count++] =
            (ic_bf16_tile){.a = a, .c = c, .height = (int32_t)height};
        if (block->tile_count == TILES)
            multiply_list(block);
        a += height * block->lda;
        c += height * ldc;
        left -= height;
    }
}

static void run_block(bf16_block *block, float *scratch)
{
    const ic_bf16_kernels *kernels = block->conv->kernels->bf16;
    const ic_conv_grid *grid = block->grid;
    load_rows(block, scratch);
    kernels->begin(ic_conv_bf16_step((int64_t)grid->w.taps * block->depth));
    for (int32_t n = block->first_image; n < block->last_image; ++n) {
        if (block->laid)
            add_outputs(block, n, block->first,
                        (int64_t)(block->last - block->first) * grid->w.count);
        for (int32_t i = block->first; i < block->last && !block->laid; ++i)
            add_outputs(block, n, i, row_count(block, i));
    }
    multiply_list(block);
    kernels->end();
}

/* index: of the block among those whose sums may be wanted. */
static void finish_block(const bf16_block *block, ic_conv_pass pass, int64_t index)
{
    const ic_conv_grid *grid = block->grid;
    int32_t channel = block->first_panel * IC_BF16_WIDTH;
    int32_t end = block->last_panel * IC_BF16_WIDTH;
    int32_t columns = (end < grid->columns ? end : grid->columns) - channel;
    int64_t first = (int64_t)block->first * grid->w.out, last = (int64_t)block->last * grid->w.out;
    if (block->pixels > 0 && last > block->pixels)
        last = block->pixels;
    ic_conv_clear_sums(block->conv, pass, block->arguments, index, channel, columns);
    for (int32_t n = block->first_image; n < block->last_image; ++n)
        ic_conv_finish(block->conv, pass, block->arguments, index,
                       (int64_t)n * grid->h.out * grid->w.out + first, last - first, channel,
                       columns);
}

/* The grid that a unit belongs to: its number, and the unit within it. */
static int32_t find_grid(const ic_conv *conv, ic_conv_pass pass, int64_t *unit)
{
    for (int32_t i = 0;; ++i) {
        ic_conv_grid grid;
        ic_conv_grid_at(conv, pass, i, &grid);
        int64_t count = grid_units(&conv->plans[pass], &grid);
        if (*unit < count)
            return i;
        *unit -= count;
    }
}

static void run_unit(const ic_conv *conv, ic_conv_pass pass, int32_t phase, int64_t unit,
                     const ic_conv_arguments *arguments, float *scratch)
{
    const ic_conv_plan *plan = &conv->plans[pass];
    const ic_conv_shape *s = &conv->shape;
    bool forward = pass == IC_CONV_FORWARD;
    int32_t index = find_grid(conv, pass, &unit), chunk = plan->block[CHUNK];
    ic_conv_grid grid = grid_at(conv, pass, index, chunk);
    int32_t splits = plan->block[SPLITS], images = plan->block[IMAGES], rows = plan->block[ROWS];
    int32_t panels = (int32_t)ic_conv_divide_up(grid.columns, IC_BF16_WIDTH);
    int64_t pieces = ic_conv_divide_up(grid.h.count, rows);
    int32_t image = (int32_t)(unit / splits / pieces) * images;
    int32_t first = (int32_t)(unit / splits % pieces) * rows;
    const uint16_t *packed = (const uint16_t *)(const void *)arguments->packed;
    bf16_block block = {.conv = conv,
                        .grid = &grid,
                        .arguments = arguments,
                        .prologue = forward ? arguments->prologue : NULL,
                        .in = forward ? arguments->x : arguments->d_y,
                        .packed = packed + ic_conv_bf16_packed_before(conv, pass, index),
                        .pixels = chunk > 0 ? (int64_t)s->n * s->oh * s->ow : 0,
                        .first_image = image,
                        .last_image = image + images < grid.n ? image + images : grid.n,
                        .first = first,
                        .last = first + rows < grid.h.count ? first + rows : grid.h.count,
                        .first_panel = (int32_t)ic_conv_cut(panels, splits, unit % splits),
                        .last_panel = (int32_t)ic_conv_cut(panels, splits, unit % splits + 1),
                        .depth = ic_conv_bf16_depth(grid.depth),
                        .laid = plan->block[LAID] != 0};
    if (forward && conv->kernels->bf16->finishes)
        block.clamp = ic_conv_clamp(conv, arguments);
    run_block(&block, scratch);
    if (plan->sum_blocks > 0 && block.clamp.bias == NULL)
        finish_block(&block, pass, unit / splits);
}

const ic_conv_algorithm ic_conv_bf16 = {.name = "bf16 rows",
                                        .plan = plan_bf16,
                                        .pack_units = ic_conv_bf16_pack_units,
                                        .pack = ic_conv_bf16_pack,
                                        .units = count_units,
                                        .run = run_unit};

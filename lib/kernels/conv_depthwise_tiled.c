/*
 * kernels/conv_depthwise_tiled.c: depthwise convolutions of 3x3 and 5x5 with strides 1 and 2, a few
 * rows at a time. SPDX-License-Identifier: MIT
 *
 * A unit goes down its rows of outputs, as many together as a tile is high. Rows that are read
 * through a prologue go through it once, into a ring of the rows in hand; the rows of the padding
 * are left out. In backward data with stride 2 all four grids take their turn at the rows in hand,
 * so that d_y is read and d_x written once.
 *
 * In a chain (ic_conv_chain) the rows of the ring are made by the pointwise convolution before,
 * and those of the outputs go through the one behind as soon as they are finished.
 */
#include "kernels/conv_chain.h"
#include "kernels/conv_depthwise.h"
#include "kernels/depthwise_tiles.h"

/* The plan's cut. */
enum {
    ROWS,     /* of a grid's outputs in a unit, or in a block of the weights' gradient */
    PARTS,    /* of the blocks of the weights' gradient; one sum each */
    HEIGHT,   /* rows of outputs together, at most */
    STRIP,    /* columns of outputs together */
    CHANNELS, /* together */
    RING      /* rows of input, or of d_x that are kept apart to be added */
};

enum {
    WANTED_UNITS = 32,
    WANTED_PARTS = 16,
    PARTS_MIN = 4,
    ROWS_MIN = 2,
    CACHE_FLOATS = 5 * 1024,   /* of the first cache, for the columns in hand */
    GRIDS_FLOATS = 1024,       /* of a row of d_y, for the grids that read it in turns */
    RING_FLOATS = 64 * 1024,   /* of the second one, for the rows in hand */
    CHAIN_FLOATS = 112 * 1024, /* of the second one, for the rows in hand of a chain */
    SUM_CHANNELS = 64          /* in a unit that adds the parts */
};

static int32_t at_most(int64_t value, int32_t limit)
{
    return value < limit ? (int32_t)value : limit;
}

static int32_t at_least(int64_t value, int32_t limit)
{
    return value > limit ? (int32_t)value : limit;
}

/* Channels of the weights' gradient, in whole vectors. */
static int64_t sum_width(const ic_conv *conv)
{
    int32_t lanes = conv->kernels->depthwise_tiles->lanes;
    return ic_conv_divide_up(conv->shape.c, lanes) * lanes;
}

/* What the kernels ask of an axis of columns: see ic_depthwise_strip. */
static bool columns_fit(const ic_conv_axis *w)
{
    int32_t edge = w->taps / 2, last = w->origin + (w->count - 1) * w->step + w->taps - 1;
    bool known = w->step == 1 ? w->taps >= 1 && w->taps <= 5 && w->taps != 4
                              : w->step == 2 && (w->taps == 3 || w->taps == 5);
    return known && w->spread == 1 && w->count >= IC_DEPTHWISE_COLUMNS && w->origin >= -edge &&
           last <= w->in - 1 + edge;
}

static bool pass_fits(const ic_conv *conv, ic_conv_pass pass)
{
    const ic_conv_shape *s = &conv->shape;
    bool fits = s->groups == s->c && s->k == s->c && s->r == s->s && (s->r == 3 || s->r == 5) &&
                s->stride_h == s->stride_w && s->stride_h <= 2 && s->dilation_h == 1 &&
                s->dilation_w == 1 && s->c >= conv->kernels->depthwise_tiles->lanes;
    for (int32_t i = 0; fits && i < ic_conv_grid_count(s, pass); ++i) {
        ic_conv_grid grid;
        ic_conv_grid_at(conv, pass, i, &grid);
        fits = columns_fit(&grid.w) && grid.h.count > 0 && grid.h.taps > 0;
    }
    return fits;
}

/* The weights' gradient: the rows together, and how many of their columns stay near. */
static void plan_weights(const ic_conv *conv, const ic_conv_grid *grid, ic_conv_plan *plan)
{
    const ic_conv_shape *s = &conv->shape;
    int32_t lanes = conv->kernels->depthwise_tiles->lanes;
    int32_t height = (IC_DEPTHWISE_ROWS - s->r) / s->stride_h + 1;
    height = at_most(height, at_least(RING_FLOATS / ((int64_t)s->stride_h * s->w * s->c), 1));
    height = at_most(height, plan->block[ROWS]);
    int32_t lines = (int32_t)ic_conv_rows_read(grid, height) * s->stride_w + height;
    int64_t parts = s->n * ic_conv_divide_up(grid->h.count, plan->block[ROWS]);
    plan->phases = 2;
    plan->block[HEIGHT] = height;
    plan->block[STRIP] = at_least(CACHE_FLOATS / (lines * lanes) / 4 * 4, 8);
    plan->block[CHANNELS] = s->c;
    /* Few enough that adding them up is little beside reading the pictures. */
    int64_t worth = s->n * ((int64_t)s->h * s->w + (int64_t)s->oh * s->ow) / (8 * s->r * s->s);
    plan->block[PARTS] = at_most(parts, at_least(worth, PARTS_MIN));
    plan->block[PARTS] = at_most(plan->block[PARTS], WANTED_PARTS);
    plan->block[RING] = (int32_t)ic_conv_rows_read(grid, height);
    plan->shared_floats = (size_t)(plan->block[PARTS] * s->r * s->s) * (size_t)sum_width(conv);
}

/*
 * Memory is read best in its order: all channels of a pixel together. Only 5x5 with stride 1 is
 * bound by arithmetic, and wants the columns that the next tile reads again in the first cache.
 * Where four grids share d_y, they take turns after so few columns that d_x is still there, too.
 */
static void plan_strips(const ic_conv *conv, const ic_conv_grid *grid, ic_conv_plan *plan)
{
    const ic_depthwise_tiles *kernels = conv->kernels->depthwise_tiles;
    int32_t c = conv->shape.c;
    plan->block[STRIP] = grid->w.count;
    plan->block[CHANNELS] = c;
    if (grid->w.stride > 1) {
        plan->block[STRIP] = at_least(GRIDS_FLOATS / c / 4 * 4, IC_DEPTHWISE_COLUMNS);
    } else if (grid->w.step == 1 && grid->w.taps == 5) {
        int32_t lines =
            (int32_t)ic_conv_rows_read(grid, kernels->height) * (IC_DEPTHWISE_COLUMNS + 4);
        int32_t vectors = at_least(CACHE_FLOATS / (lines * kernels->lanes), 4);
        plan->block[CHANNELS] = vectors * kernels->lanes;
    }
}

static double plan_tiled(const ic_conv *conv, ic_conv_pass pass, ic_conv_plan *plan)
{
    if (!pass_fits(conv, pass))
        return -1;
    const ic_conv_shape *s = &conv->shape;
    const ic_depthwise_tiles *kernels = conv->kernels->depthwise_tiles;
    ic_conv_grid grid; /* the first has the most rows */
    ic_conv_grid_at(conv, pass, 0, &grid);
    int32_t wanted = pass == IC_CONV_BACKWARD_WEIGHTS ? WANTED_PARTS : WANTED_UNITS;
    int64_t pieces = ic_conv_divide_up(wanted, s->n);
    int32_t rows = at_least(ic_conv_divide_up(grid.h.count, pieces), ROWS_MIN);
    if (rows > kernels->height)
        rows = (int32_t)ic_conv_divide_up(rows, kernels->height) * kernels->height;
    plan->block[ROWS] = rows;
    if (pass == IC_CONV_BACKWARD_WEIGHTS) {
        plan_weights(conv, &grid, plan);
    } else {
        plan_strips(conv, &grid, plan);
        int32_t read = (int32_t)ic_conv_rows_read(&grid, kernels->height);
        plan->phases = 1;
        plan->block[HEIGHT] = kernels->height;
        plan->block[RING] = pass == IC_CONV_FORWARD ? read : kernels->height * conv->shape.stride_h;
        plan->packed_floats = (size_t)(s->r * s->s) * (size_t)s->c;
        plan->sum_blocks = s->n * (int32_t)ic_conv_divide_up(grid.h.count, rows);
    }
    plan->scratch_floats = (size_t)plan->block[RING] * (size_t)s->w * (size_t)s->c;
    return 0; /* nothing else comes near */
}

/* Floats of the rows that `height` rows of outputs of a chain read, and of these. */
static size_t ring_floats(const ic_conv *conv, const ic_conv_grid *grid, int32_t height)
{
    return (size_t)ic_conv_rows_read(grid, height) * (size_t)conv->shape.w * (size_t)conv->shape.c;
}

static size_t made_floats(const ic_conv *conv, int32_t height)
{
    return (size_t)height * (size_t)conv->shape.ow * (size_t)conv->shape.c;
}

bool ic_conv_chain(ic_conv *conv, const ic_conv *before, const ic_conv *after, int32_t pieces,
                   ic_conv *row_before, ic_conv *row_after)
{
    ic_conv_plan *plan = &conv->plans[IC_CONV_FORWARD];
    size_t links = 0;
    if (plan->algorithm != &ic_conv_depthwise_tiled ||
        (before != NULL && !ic_conv_joins(&before->shape, &conv->shape)) ||
        (after != NULL && !ic_conv_joins(&conv->shape, &after->shape)) ||
        !ic_conv_link_prepare(before, row_before, &links) ||
        !ic_conv_link_prepare(after, row_after, &links))
        return false;
    ic_conv_grid grid;
    ic_conv_grid_at(conv, IC_CONV_FORWARD, 0, &grid);
    int64_t rows = ic_conv_divide_up(grid.h.count, pieces);
    int32_t height = conv->kernels->depthwise_tiles->height;
    while (height > 1 &&
           (height > rows ||
            ring_floats(conv, &grid, height) + made_floats(conv, height) > CHAIN_FLOATS))
        height /= 2;
    plan->block[ROWS] = (int32_t)ic_conv_divide_up(rows, height) * height;
    plan->block[HEIGHT] = height;
    plan->block[RING] = (int32_t)ic_conv_rows_read(&grid, height);
    plan->scratch_floats = ring_floats(conv, &grid, height) + made_floats(conv, height) + links;
    return true;
}

static int64_t count_units(const ic_conv *conv, ic_conv_pass pass, int32_t phase)
{
    const ic_conv_plan *plan = &conv->plans[pass];
    ic_conv_grid grid;
    ic_conv_grid_at(conv, pass, 0, &grid);
    if (pass != IC_CONV_BACKWARD_WEIGHTS)
        return grid.n * ic_conv_divide_up(grid.h.count, plan->block[ROWS]);
    return phase == 0 ? plan->block[PARTS] : ic_conv_divide_up(sum_width(conv), SUM_CHANNELS);
}

/* The rows of one picture, and how far they went through the prologue or a link into the ring. */
typedef struct reader {
    const ic_conv *conv;
    const ic_prologue *prologue;
    const ic_conv_link *before; /* then the picture is its input */
    const float *picture;
    float *ring, *scratch; /* the latter is the link's */
    int32_t ring_rows, loaded;
} reader;

/* Floats of a row of the picture. */
static int64_t picture_row(const reader *r, const ic_conv_grid *grid)
{
    const ic_conv *conv = r->before != NULL ? r->before->conv : r->conv;
    return (int64_t)grid->w.in * conv->shape.c;
}

static void load_row(const reader *r, const float *x, float *slot)
{
    const ic_conv_shape *s = &r->conv->shape;
    if (r->before != NULL)
        ic_conv_link_run(r->before, 0, x, slot, r->scratch);
    else
        ic_conv_load(r->conv->kernels, r->prologue, 0, s->w, s->c, x, slot);
}

/* Points at the input rows of outputs [row, row + height) of the grid. */
static void read_rows(reader *r, const ic_conv_grid *grid, int32_t row, int32_t height,
                      const float **x)
{
    int64_t in_row = grid->w.in * (int64_t)r->conv->shape.c, row_floats = picture_row(r, grid);
    int32_t first = grid->h.origin + row * grid->h.step,
            count = (int32_t)ic_conv_rows_read(grid, height);
    for (int32_t i = 0; i < count; ++i) {
        int32_t at = first + i;
        bool inside = at >= 0 && at < grid->h.in;
        x[i] = inside ? r->picture + at * row_floats : NULL;
        if (!inside || (r->prologue == NULL && r->before == NULL))
            continue;
        float *slot = r->ring + at % r->ring_rows * in_row;
        if (at >= r->loaded) {
            load_row(r, x[i], slot);
            r->loaded = at + 1;
        }
        x[i] = slot;
    }
}

/* What stays the same from strip to strip: a grid's filter and columns; y has rows of `y_row`. */
static ic_depthwise_strip strip_of(const ic_conv *conv, const ic_conv_grid *grid, int64_t y_row)
{
    int32_t c = conv->shape.c;
    return (ic_depthwise_strip){.rows = grid->h.taps,
                                .taps = grid->w.taps,
                                .step = grid->w.step,
                                .origin = grid->w.origin,
                                .in = grid->w.in,
                                .c = c,
                                .y_row = y_row,
                                .y_column = (int64_t)grid->w.stride * c,
                                .w_row = (int64_t)grid->h.tap_stride * conv->shape.s * c,
                                .w_tap = (int64_t)grid->w.tap_stride * c};
}

/* Rows [row, row + height) of every grid; y is where output row `row` of the first grid is. */
static void convolve_rows(const ic_conv *conv, ic_conv_pass pass, reader *r, const float *packed,
                          int32_t row, int32_t height, float *y)
{
    const ic_conv_plan *plan = &conv->plans[pass];
    const ic_conv_shape *s = &conv->shape;
    enum { GRIDS_MAX = 4 };
    int32_t grids = ic_conv_grid_count(s, pass), columns = 0;
    ic_conv_grid grid[GRIDS_MAX];
    ic_depthwise_strip strip[GRIDS_MAX];
    for (int32_t i = 0; i < grids; ++i) {
        ic_conv_grid_at(conv, pass, i, &grid[i]);
        strip[i] = strip_of(conv, &grid[i], (int64_t)grid[i].h.stride * grid[i].w.out * s->c);
        strip[i].height = at_most(grid[i].h.count - row, height);
        read_rows(r, &grid[i], row, strip[i].height, strip[i].x);
        columns = at_least(grid[i].w.count, columns);
    }
    for (int32_t c = 0; c < s->c; c += plan->block[CHANNELS])
        for (int32_t j = 0; j < columns; j += plan->block[STRIP])
            for (int32_t i = 0; i < grids; ++i) {
                strip[i].channel = c;
                strip[i].end = at_most(c + plan->block[CHANNELS], s->c);
                strip[i].first = j;
                strip[i].last = at_most(j + plan->block[STRIP], grid[i].w.count);
                const ic_conv_axis *h = &grid[i].h, *w = &grid[i].w;
                int64_t out = ((int64_t)h->first * w->out + w->first) * s->c;
                int64_t tap = (int64_t)h->tap_first * s->s + w->tap_first;
                conv->kernels->depthwise_tiles->convolve(&strip[i], packed + tap * s->c, y + out);
            }
}

/* What a unit of outputs works with. */
typedef struct output_block {
    const ic_conv *conv;
    ic_conv_pass pass;
    const ic_conv_arguments *arguments;
    ic_conv_grid grid; /* the first one */
    int64_t unit, image;
    int32_t first, last; /* of the grid's rows */
    reader reader;
    float *aside; /* room for the rows in hand */
} output_block;

/* Rows that were convolved aside, from output row `row` on, are finished there and passed on. */
static void pass_on(const output_block *b, int64_t row, int32_t rows)
{
    const ic_conv_arguments *arguments = b->arguments;
    const ic_conv_shape *s = &b->conv->shape;
    ic_conv_arguments aside = {.out = b->aside, .epilogue = arguments->epilogue};
    int64_t in = (int64_t)s->ow * s->c, out = (int64_t)s->ow * arguments->after->conv->shape.k;
    ic_conv_finish(b->conv, IC_CONV_FORWARD, &aside, 0, 0, (int64_t)rows * s->ow, 0, s->c);
    for (int32_t i = 0; i < rows; ++i)
        ic_conv_link_run(arguments->after, row + i, b->aside + i * in,
                         arguments->out + (row + i) * out, b->reader.scratch);
}

/* Rows [first, first + height) of the grid, and what other grids have between them. */
static void convolve_block(output_block *b, int32_t first, int32_t height)
{
    const ic_conv *conv = b->conv;
    const ic_conv_grid *grid = &b->grid;
    const ic_conv_arguments *arguments = b->arguments;
    int32_t row = first * grid->h.stride;
    int32_t rows = at_most(height * (int64_t)grid->h.stride, grid->h.out - row);
    int64_t out_row = grid->w.out * (int64_t)conv->shape.c, at = b->image * grid->h.out + row;
    bool add = b->pass != IC_CONV_FORWARD && arguments->accumulate;
    bool apart = add || arguments->after != NULL;
    float *y = apart ? b->aside : arguments->out + at * out_row;
    convolve_rows(conv, b->pass, &b->reader, arguments->packed, first, height, y);
    if (arguments->after != NULL) {
        pass_on(b, at, rows);
        return;
    }
    if (add)
        conv->kernels->accumulate(rows * out_row, y, arguments->out + at * out_row);
    ic_conv_finish(conv, b->pass, arguments, b->unit, at * grid->w.out, (int64_t)rows * grid->w.out,
                   0, conv->shape.c);
}

static void convolve_unit(const ic_conv *conv, ic_conv_pass pass, int64_t unit,
                          const ic_conv_arguments *arguments, float *scratch)
{
    const ic_conv_plan *plan = &conv->plans[pass];
    bool forward = pass == IC_CONV_FORWARD;
    output_block b = {.conv = conv, .pass = pass, .arguments = arguments, .unit = unit};
    ic_conv_grid_at(conv, pass, 0, &b.grid);
    int64_t pieces = ic_conv_divide_up(b.grid.h.count, plan->block[ROWS]);
    b.image = unit / pieces;
    b.first = (int32_t)(unit % pieces) * plan->block[ROWS];
    b.last = at_most(b.first + plan->block[ROWS], b.grid.h.count);
    b.reader = (reader){.conv = conv,
                        .prologue = forward ? arguments->prologue : NULL,
                        .before = arguments->before,
                        .picture = forward ? arguments->x : arguments->d_y,
                        .ring = scratch,
                        .ring_rows = plan->block[RING]};
    b.reader.picture += b.image * b.grid.h.in * picture_row(&b.reader, &b.grid);
    b.aside = scratch;
    if (arguments->before != NULL || arguments->after != NULL) {
        b.aside += ring_floats(conv, &b.grid, plan->block[HEIGHT]);
        b.reader.scratch = b.aside + made_floats(conv, plan->block[HEIGHT]);
    }
    ic_conv_clear_sums(conv, pass, arguments, unit, 0, conv->shape.c);
    for (int32_t i = b.first, height; i < b.last; i += height) {
        height = at_most(b.last - i, plan->block[HEIGHT]);
        convolve_block(&b, i, height);
    }
}

/* ---- The weights' gradient: sums [part][tap][channels], a vector of which may overlap ---- */

/* Adds block `block` to the sums, or sets them. */
static void correlate_block(const ic_conv *conv, const ic_conv_grid *grid, int64_t block,
                            const ic_conv_arguments *arguments, bool accumulate, float *sums,
                            float *scratch)
{
    const ic_conv_plan *plan = &conv->plans[IC_CONV_BACKWARD_WEIGHTS];
    int64_t c = conv->shape.c, y_row = grid->w.count * c;
    int64_t pieces = ic_conv_divide_up(grid->h.count, plan->block[ROWS]);
    int64_t image = block / pieces;
    int32_t first = (int32_t)(block % pieces) * plan->block[ROWS];
    int32_t last = at_most(first + plan->block[ROWS], grid->h.count);
    reader r = {.conv = conv,
                .prologue = arguments->prologue,
                .picture = arguments->x + image * grid->h.in * grid->w.in * c,
                .ring = scratch,
                .ring_rows = plan->block[RING]};
    ic_depthwise_strip strip = strip_of(conv, grid, y_row);
    strip.w_tap = sum_width(conv);
    strip.w_row = strip.taps * strip.w_tap;
    strip.end = (int32_t)c;
    for (int32_t i = first; i < last; i += plan->block[HEIGHT]) {
        strip.height = at_most(last - i, plan->block[HEIGHT]);
        read_rows(&r, grid, i, strip.height, strip.x);
        for (int32_t j = 0; j < grid->w.count; j += plan->block[STRIP], accumulate = true) {
            strip.first = j;
            strip.last = at_most(j + plan->block[STRIP], grid->w.count);
            conv->kernels->depthwise_tiles->correlate(
                &strip, accumulate, arguments->d_y + (image * grid->h.count + i) * y_row, sums);
        }
    }
}

static void correlate_part(const ic_conv *conv, int64_t part, const ic_conv_arguments *arguments,
                           float *scratch)
{
    const ic_conv_plan *plan = &conv->plans[IC_CONV_BACKWARD_WEIGHTS];
    ic_conv_grid grid;
    ic_conv_grid_at(conv, IC_CONV_BACKWARD_WEIGHTS, 0, &grid);
    int64_t blocks = grid.n * ic_conv_divide_up(grid.h.count, plan->block[ROWS]);
    int64_t begin = ic_conv_cut(blocks, plan->block[PARTS], part);
    int64_t end = ic_conv_cut(blocks, plan->block[PARTS], part + 1);
    float *sums =
        arguments->shared + part * (int64_t)conv->shape.r * conv->shape.s * sum_width(conv);
    for (int64_t i = begin; i < end; ++i)
        correlate_block(conv, &grid, i, arguments, i > begin, sums, scratch);
}

/*
 * Channels that are not of a whole vector are in the last one, which ends with the last channel:
 * what it holds before them is there twice.
 */
static void add_parts(const ic_conv *conv, int64_t unit, const ic_conv_arguments *arguments)
{
    int64_t taps = (int64_t)conv->shape.r * conv->shape.s, width = sum_width(conv);
    int64_t c = conv->shape.c, whole = c - c % conv->kernels->depthwise_tiles->lanes;
    int64_t first = unit * SUM_CHANNELS, count = width - first;
    count = count < SUM_CHANNELS ? count : SUM_CHANNELS;
    for (int64_t tap = 0; tap < taps; ++tap) {
        float *sum = arguments->shared + tap * width + first;
        for (int64_t part = 1; part < conv->plans[IC_CONV_BACKWARD_WEIGHTS].block[PARTS]; ++part)
            conv->kernels->accumulate(count, sum + part * taps * width, sum);
        for (int64_t i = 0; i < count; ++i) {
            int64_t at = first + i, channel = at < whole ? at : at - (width - c);
            if (at < whole || channel >= whole)
                arguments->out[channel * taps + tap] = sum[i];
        }
    }
}

static void run_unit(const ic_conv *conv, ic_conv_pass pass, int32_t phase, int64_t unit,
                     const ic_conv_arguments *arguments, float *scratch)
{
    if (pass != IC_CONV_BACKWARD_WEIGHTS)
        convolve_unit(conv, pass, unit, arguments, scratch);
    else if (phase == 0)
        correlate_part(conv, unit, arguments, scratch);
    else
        add_parts(conv, unit, arguments);
}

const ic_conv_algorithm ic_conv_depthwise_tiled = {.name = "depthwise tiled",
                                                   .plan = plan_tiled,
                                                   .pack_units = ic_conv_depthwise_pack_units,
                                                   .pack = ic_conv_depthwise_pack,
                                                   .units = count_units,
                                                   .run = run_unit};

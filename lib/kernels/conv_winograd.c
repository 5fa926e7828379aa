/*
 * kernels/conv_winograd.c: forward and backward data of 3x3 convolutions of stride 1 by Winograd's
 * F(4x4, 3x3); the maths is at the top of kernels/winograd.h. SPDX-License-Identifier: MIT
 *
 * A block of tiles is transformed into V [tap][tile][c], multiplied tap by tap with the weights U
 * [tap][panel][c][width] into M [tap][tile][k], and transformed back: all three stay in the second
 * cache. Where a picture has too few tiles to make blocks for several threads, the three parts are
 * phases of their own, cut by tiles, by taps and panels, and by tiles again.
 */
#include "kernels/conv_winograd.h"

#include <math.h>
#include <string.h>

/* The plan's cut. */
enum {
    TILES,  /* of a block */
    PANELS, /* of the weights whose products are kept at a time */
    PHASED  /* 1: in three phases */
};

enum { INPUT, PRODUCTS, OUTPUT }; /* the phases */

enum {
    WANTED_UNITS = 4,
    PHASED_TILES = 4,              /* in a unit of the first and the last phase */
    ROOM_FLOATS = 128 * 1024,      /* that V and M should take: with the weights of 64 channels, the cache */
    WEIGHTS_FLOATS = 384 * 1024,   /* beyond this, U streams by for every block: larger ones */
    PACK_DEPTH = 8                 /* channels of a unit of packing */
};

static int64_t padded_columns(const ic_conv *conv, const ic_conv_grid *grid)
{
    return ic_conv_padded_columns(conv->kernels->gemm, grid->columns);
}

/* Floats between two taps of U. */
static int64_t weights_stride(const ic_conv *conv, const ic_conv_grid *grid)
{
    return grid->depth * padded_columns(conv, grid) + IC_WINOGRAD_SKEW;
}

/* Floats of a tile in V, and in M for `panels` panels. */
static int64_t v_pitch(const ic_conv_grid *grid)
{
    return ic_winograd_pitch(grid->depth);
}

static int64_t m_pitch(const ic_conv *conv, int64_t panels)
{
    return panels * conv->kernels->gemm->wide.width + IC_WINOGRAD_SKEW;
}

/* Products of a whole pass, in the time of full tiles. */
static double pass_cost(const ic_conv *conv, const ic_conv_grid *grid, int64_t block)
{
    double count = (double)ic_winograd_tiles_of(grid).count;
    double rows = count < (double)block ? count : (double)block;
    double padded = (double)padded_columns(conv, grid);
    double weights = IC_WINOGRAD_TAPS * (double)grid->depth * padded;
    double multiply = IC_WINOGRAD_TAPS * padded * count / rows *
                      ic_conv_tile_cost(&conv->kernels->gemm->wide, (int64_t)rows, grid->depth);
    double transform =
        count * (grid->depth * IC_WINOGRAD_INPUT_COST + padded * IC_WINOGRAD_OUTPUT_COST);
    return multiply + transform +
           weights * (1 - 9.0 / IC_WINOGRAD_TAPS) * IC_WINOGRAD_MEMORY_COST;
}

static int64_t block_tiles(const ic_conv *conv, const ic_conv_grid *grid)
{
    int64_t tile = conv->kernels->gemm->wide.rows;
    int64_t each = IC_WINOGRAD_TAPS * (v_pitch(grid) + m_pitch(conv, 1));
    int64_t weights = IC_WINOGRAD_TAPS * (int64_t)grid->depth * grid->columns;
    int64_t least = tile >= 14 ? 2 * tile : 4 * tile;
    least = weights > WEIGHTS_FLOATS ? 2 * least : least;
    int64_t block = ROOM_FLOATS / each / tile * tile;
    return block < least ? least : block > 8 * tile ? 8 * tile : block;
}

/* How many panels of products fit beside V. */
static int64_t block_panels(const ic_conv *conv, const ic_conv_grid *grid, int64_t block)
{
    int64_t panels = ic_conv_panel_count(conv->kernels->gemm, grid->columns);
    int64_t width = conv->kernels->gemm->wide.width;
    int64_t fits = ROOM_FLOATS / (IC_WINOGRAD_TAPS * block * width);
    fits = fits < 2 ? 2 : fits;
    int64_t rounds = ic_conv_divide_up(panels, fits);
    return ic_conv_divide_up(panels, rounds);
}

static double plan_winograd(const ic_conv *conv, ic_conv_pass pass, ic_conv_plan *plan)
{
    ic_conv_grid grid;
    ic_conv_grid_at(conv, pass, 0, &grid);
    if (pass == IC_CONV_BACKWARD_WEIGHTS || ic_conv_grid_count(&conv->shape, pass) != 1 ||
        !ic_winograd_can(&grid))
        return -1;
    ic_winograd_tiles tiles = ic_winograd_tiles_of(&grid);
    int64_t panels = ic_conv_panel_count(conv->kernels->gemm, grid.columns);
    int64_t block = block_tiles(conv, &grid);
    double cost = pass_cost(conv, &grid, block);
    bool phased = ic_conv_divide_up(tiles.count, block) < WANTED_UNITS;
    block = phased || block > tiles.count ? tiles.count : block;
    int64_t kept = phased ? panels : block_panels(conv, &grid, block);
    size_t room =
        (size_t)(IC_WINOGRAD_TAPS * (block * (v_pitch(&grid) + m_pitch(conv, kept)) +
                                     2 * IC_WINOGRAD_SKEW));
    plan->phases = phased ? 3 : 1;
    plan->sum_blocks =
        (int32_t)ic_conv_divide_up(tiles.count, phased ? PHASED_TILES : block);
    plan->block[TILES] = (int32_t)block;
    plan->block[PANELS] = (int32_t)kept;
    plan->block[PHASED] = phased;
    plan->packed_floats = (size_t)(IC_WINOGRAD_TAPS * weights_stride(conv, &grid));
    plan->shared_floats = phased ? room : 0;
    plan->scratch_floats =
        ic_winograd_reader_floats(IC_WINOGRAD_IN, grid.depth) + (phased ? 0 : room);
    return cost;
}

/* ---- Weights ---- */

static int64_t pack_units(const ic_conv *conv, ic_conv_pass pass)
{
    ic_conv_grid grid;
    ic_conv_grid_at(conv, pass, 0, &grid);
    return (int64_t)ic_conv_panel_count(conv->kernels->gemm, grid.columns) *
           ic_conv_divide_up(grid.depth, PACK_DEPTH);
}

/* filters[d][tap][n] of the channels first + d in, panel.first + n out; zeros beyond the panel. */
static void gather_filters(const ic_conv *conv, const ic_conv_grid *grid,
                           const ic_conv_panel *panel, bool forward, int64_t first, int64_t count,
                           const float *weights, float *filters)
{
    int64_t width = panel->tile->width;
    int64_t out_stride = (int64_t)(forward ? conv->shape.c : 1) * IC_WINOGRAD_FILTER;
    int64_t in_stride = (int64_t)(forward ? 1 : conv->shape.c) * IC_WINOGRAD_FILTER;
    memset(filters, 0, (size_t)(count * IC_WINOGRAD_FILTER * width) * sizeof(float));
    for (int64_t n = 0; n < panel->columns; ++n)
        for (int64_t d = 0; d < count; ++d) {
            const float *from = weights + (panel->first + n) * out_stride + (first + d) * in_stride;
            float *to = filters + d * IC_WINOGRAD_FILTER * width + n;
            for (int64_t tap = 0; tap < IC_WINOGRAD_FILTER; ++tap)
                to[tap * width] = from[forward ? tap : IC_WINOGRAD_FILTER - 1 - tap];
        }
}

static void pack(const ic_conv *conv, ic_conv_pass pass, int64_t unit, const float *weights,
                 float *packed)
{
    float filters[PACK_DEPTH * IC_WINOGRAD_FILTER * IC_GEMM_WIDTH_MAX];
    const ic_gemm_kernels *gemm = conv->kernels->gemm;
    ic_conv_grid grid;
    ic_conv_grid_at(conv, pass, 0, &grid);
    int64_t pieces = ic_conv_divide_up(grid.depth, PACK_DEPTH);
    ic_conv_panel panel = ic_conv_panel_at(gemm, grid.columns, (int32_t)(unit / pieces));
    int64_t first = unit % pieces * PACK_DEPTH;
    int64_t count = grid.depth - first < PACK_DEPTH ? grid.depth - first : PACK_DEPTH;
    int32_t width = panel.tile->width;
    gather_filters(conv, &grid, &panel, pass == IC_CONV_FORWARD, first, count, weights, filters);
    for (int64_t d = 0; d < count; ++d)
        conv->kernels->winograd->weights(
            width, filters + d * IC_WINOGRAD_FILTER * width, weights_stride(conv, &grid),
            packed + (int64_t)panel.offset * grid.depth + (first + d) * width);
}

/* ---- The three parts ---- */

/* A block of tiles and the places of its transforms. */
typedef struct tile_block {
    const ic_conv *conv;
    const ic_conv_plan *plan;
    const ic_conv_arguments *arguments;
    ic_conv_grid grid;
    ic_winograd_tiles tiles;
    bool forward;
    int64_t first, count;    /* of the tiles whose V and M these are */
    int64_t v_tap, m_tap;    /* floats between taps */
    int64_t m_pitch;
    float *v, *m;
} tile_block;

static tile_block block_of(const ic_conv *conv, ic_conv_pass pass,
                           const ic_conv_arguments *arguments, int64_t index, float *room)
{
    tile_block b = {.conv = conv,
                    .plan = &conv->plans[pass],
                    .arguments = arguments,
                    .forward = pass == IC_CONV_FORWARD};
    ic_conv_grid_at(conv, pass, 0, &b.grid);
    b.tiles = ic_winograd_tiles_of(&b.grid);
    int64_t block = b.plan->block[TILES];
    b.first = index * block;
    b.count = b.tiles.count - b.first < block ? b.tiles.count - b.first : block;
    b.v_tap = block * v_pitch(&b.grid) + IC_WINOGRAD_SKEW;
    b.m_pitch = m_pitch(conv, b.plan->block[PANELS]);
    b.m_tap = block * b.m_pitch + IC_WINOGRAD_SKEW;
    b.v = room;
    b.m = room + IC_WINOGRAD_TAPS * b.v_tap;
    return b;
}

static void transform_inputs(const tile_block *b, int64_t first, int64_t last, float *scratch)
{
    const ic_conv_grid *grid = &b->grid;
    const ic_conv_arguments *arguments = b->arguments;
    ic_winograd_reader reader = ic_winograd_reader_of(
        b->conv->kernels, b->forward ? arguments->prologue : NULL,
        b->forward ? arguments->x : arguments->d_y, grid->h.in, grid->w.in, grid->depth,
        0, grid->depth, IC_WINOGRAD_IN, b->v_tap, scratch);
    for (int64_t tile = first; tile < last; ++tile) {
        const float *pixels[IC_WINOGRAD_TAPS];
        float inside[IC_WINOGRAD_TAPS];
        ic_winograd_place place = ic_winograd_place_of(&b->tiles, tile);
        const float *partly =
            ic_winograd_pixels(&reader, place.image, grid->h.origin + place.row,
                               grid->w.origin + place.column, pixels, inside);
        b->conv->kernels->winograd->input(&reader.how, pixels, partly,
                                          b->v + (tile - b->first) * v_pitch(grid));
    }
}

/* M of the panels [first, last) at one tap; M begins with panel `base`. */
static void multiply_tap(const tile_block *b, int64_t tap, int64_t first, int64_t last,
                         int64_t base)
{
    const ic_gemm_kernels *gemm = b->conv->kernels->gemm;
    int64_t depth = b->grid.depth;
    const float *u = b->arguments->packed + tap * weights_stride(b->conv, &b->grid);
    for (int64_t i = first; i < last; ++i) {
        ic_conv_panel panel = ic_conv_panel_at(gemm, b->grid.columns, (int32_t)i);
        ic_gemm_rows sum = {.segments = 1,
                            .depth = depth,
                            .lda = v_pitch(&b->grid),
                            .ldc = b->m_pitch,
                            .columns = panel.tile->width};
        ic_conv_tiles(panel.tile, &sum, b->count, b->v + tap * b->v_tap, u + panel.offset * depth,
                      b->m + tap * b->m_tap + (i - base) * gemm->wide.width);
    }
}

/* How the outputs of channels [channel, channel + columns) are finished. */
static ic_winograd_output output_of(const tile_block *b, int32_t channel, int32_t columns)
{
    const ic_epilogue *epilogue = b->forward ? b->arguments->epilogue : NULL;
    ic_winograd_output out = {.k = columns,
                              .tap_stride = b->m_tap,
                              .pixel = b->grid.columns,
                              .row = (int64_t)b->grid.w.out * b->grid.columns,
                              .accumulate = b->arguments->accumulate,
                              .low = -INFINITY,
                              .high = INFINITY};
    if (epilogue != NULL) {
        out.bias = epilogue->bias != NULL ? epilogue->bias + channel : NULL;
        if (epilogue->activation == IC_ACTIVATION_RELU ||
            epilogue->activation == IC_ACTIVATION_RELU6)
            out.low = 0;
        if (epilogue->activation == IC_ACTIVATION_RELU6)
            out.high = 6;
    }
    out.finished = epilogue != NULL || out.accumulate;
    return out;
}

/* What the transform leaves over for one tile: activations that are no clamp, norms' gradients. */
static void finish_tile(const tile_block *b, int64_t index, int64_t first, int32_t rows,
                        int32_t columns, int32_t channel, int32_t channels)
{
    const ic_epilogue *epilogue = b->forward ? b->arguments->epilogue : NULL;
    int64_t c = b->grid.columns;
    for (int32_t i = 0; i < rows; ++i, first += b->grid.w.out) {
        float *y = b->arguments->out + first * c + channel;
        if (b->arguments->gradient != NULL)
            ic_conv_finish(b->conv, IC_CONV_BACKWARD_DATA, b->arguments, index, first, columns,
                           channel, channels);
        for (int32_t j = 0; epilogue != NULL && j < columns; ++j, y += c)
            b->conv->kernels->activate((ic_activation)epilogue->activation, channels, y, y);
    }
}

/*
 * The outputs of tiles [first, last) in the panels [base, end), whose products are in M; index: of
 * the block among those whose sums may be wanted.
 */
static void transform_outputs(const tile_block *b, int64_t index, int64_t first, int64_t last,
                              int64_t base, int64_t end)
{
    const ic_conv_grid *grid = &b->grid;
    const ic_gemm_kernels *gemm = b->conv->kernels->gemm;
    const ic_epilogue *epilogue = b->forward ? b->arguments->epilogue : NULL;
    const float *residual = epilogue != NULL ? epilogue->residual : NULL;
    int32_t channel = (int32_t)base * gemm->wide.width;
    int32_t limit = (int32_t)end * gemm->wide.width;
    int32_t channels = (limit < grid->columns ? limit : grid->columns) - channel;
    ic_winograd_output out = output_of(b, channel, channels);
    bool left = b->forward ? epilogue != NULL && epilogue->activation > IC_ACTIVATION_RELU6
                           : b->arguments->gradient != NULL;
    float *sums = b->forward ? b->arguments->sums : NULL;
    if (sums != NULL)
        sums += 2 * index * grid->columns + channel;
    ic_conv_clear_sums(b->conv, b->forward ? IC_CONV_FORWARD : IC_CONV_BACKWARD_DATA, b->arguments,
                       index, channel, channels);
    for (int64_t tile = first; tile < last; ++tile) {
        ic_winograd_place place = ic_winograd_place_of(&b->tiles, tile);
        int32_t rows = grid->h.count - place.row, columns = grid->w.count - place.column;
        rows = rows < IC_WINOGRAD_OUT ? rows : IC_WINOGRAD_OUT;
        columns = columns < IC_WINOGRAD_OUT ? columns : IC_WINOGRAD_OUT;
        int64_t pixel =
            ((int64_t)place.image * grid->h.out + place.row) * grid->w.out + place.column;
        int64_t at = pixel * grid->columns + channel;
        b->conv->kernels->winograd->output(&out, rows, columns,
                                           b->m + (tile - b->first) * b->m_pitch,
                                           residual != NULL ? residual + at : NULL,
                                           b->arguments->out + at, sums, grid->columns);
        if (left)
            finish_tile(b, index, pixel, rows, columns, channel, channels);
    }
}

/* ---- Units ---- */

static int64_t count_units(const ic_conv *conv, ic_conv_pass pass, int32_t phase)
{
    ic_conv_grid grid;
    ic_conv_grid_at(conv, pass, 0, &grid);
    const ic_conv_plan *plan = &conv->plans[pass];
    int64_t tiles = ic_winograd_tiles_of(&grid).count;
    if (!plan->block[PHASED])
        return ic_conv_divide_up(tiles, plan->block[TILES]);
    if (phase == PRODUCTS)
        return IC_WINOGRAD_TAPS;
    return ic_conv_divide_up(tiles, PHASED_TILES);
}

static void run_block(const ic_conv *conv, ic_conv_pass pass, int64_t unit,
                      const ic_conv_arguments *arguments, float *scratch)
{
    ic_conv_grid grid;
    ic_conv_grid_at(conv, pass, 0, &grid);
    tile_block b = block_of(conv, pass, arguments, unit,
                            scratch + ic_winograd_reader_floats(IC_WINOGRAD_IN, grid.depth));
    int64_t panels = ic_conv_panel_count(conv->kernels->gemm, grid.columns);
    int64_t kept = b.plan->block[PANELS];
    transform_inputs(&b, b.first, b.first + b.count, scratch);
    for (int64_t base = 0; base < panels; base += kept) {
        int64_t end = base + kept < panels ? base + kept : panels;
        for (int64_t tap = 0; tap < IC_WINOGRAD_TAPS; ++tap)
            multiply_tap(&b, tap, base, end, base);
        transform_outputs(&b, unit, b.first, b.first + b.count, base, end);
    }
}

static void run_phase(const ic_conv *conv, ic_conv_pass pass, int32_t phase, int64_t unit,
                      const ic_conv_arguments *arguments, float *scratch)
{
    tile_block b = block_of(conv, pass, arguments, 0, arguments->shared);
    int64_t panels = ic_conv_panel_count(conv->kernels->gemm, b.grid.columns);
    int64_t first = unit * PHASED_TILES;
    int64_t last = first + PHASED_TILES < b.count ? first + PHASED_TILES : b.count;
    if (phase == INPUT)
        transform_inputs(&b, first, last, scratch);
    else if (phase == PRODUCTS)
        multiply_tap(&b, unit, 0, panels, 0);
    else
        transform_outputs(&b, unit, first, last, 0, panels);
}

static void run_unit(const ic_conv *conv, ic_conv_pass pass, int32_t phase, int64_t unit,
                     const ic_conv_arguments *arguments, float *scratch)
{
    if (conv->plans[pass].block[PHASED])
        run_phase(conv, pass, phase, unit, arguments, scratch);
    else
        run_block(conv, pass, unit, arguments, scratch);
}

const ic_conv_algorithm ic_conv_winograd = {.name = "winograd",
                                            .plan = plan_winograd,
                                            .pack_units = pack_units,
                                            .pack = pack,
                                            .units = count_units,
                                            .run = run_unit};

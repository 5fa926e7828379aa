/*
 * kernels/conv_winograd.c: forward and backward data of 3x3 convolutions of stride 1 by Winograd's
 * F(4x4, 3x3) or F(3x3, 3x3), where the transformed weights are few enough to be kept; the maths is
 * at the top of kernels/winograd.h. SPDX-License-Identifier: MIT
 *
 * A block of tiles is transformed into V [tap][tile][c], multiplied tap by tap with the weights U
 * [panel][tap][c][width] into M [tap][tile][k], and transformed back: all three stay in the second
 * cache. Where there are too few tiles to make blocks for several threads, V is made first, and the
 * rest is cut by panels of U.
 */
#include "kernels/conv_winograd.h"

/* The plan's cut. */
enum {
    TILES = IC_WINOGRAD_BLOCK_TILES,
    PANELS, /* of the weights whose products are kept at a time */
    PHASED  /* 1: V in a phase of its own */
};

enum {
    WANTED_UNITS = 4,
    PANEL_UNITS = 16,             /* that the panels are cut into, if there are so many */
    LOAD_TILES = 4,               /* in a unit of the first phase */
    ROOM_FLOATS = 128 * 1024,     /* that V and M should take: half of a cache of 1 MB */
    PACK_DEPTH = 8,               /* channels of a unit of packing */
    WEIGHTS_MAX = 6 * 1024 * 1024 /* floats of U */
};

static int64_t padded_columns(const ic_conv *conv, const ic_conv_grid *grid)
{
    return ic_conv_padded_columns(conv->kernels->gemm, grid->columns);
}

/* Where the filters of a panel begin in U, and the floats between two taps of them. */
static int64_t panel_at(int64_t taps, const ic_conv_grid *grid, int32_t offset, int64_t index)
{
    return taps * ((int64_t)grid->depth * offset + index * IC_WINOGRAD_SKEW);
}

static int64_t tap_stride(const ic_conv_grid *grid, int32_t width)
{
    return (int64_t)grid->depth * width + IC_WINOGRAD_SKEW;
}

/* Floats of a tile in M for `panels` panels. */
static int64_t m_pitch(const ic_conv *conv, int64_t panels)
{
    return panels * conv->kernels->gemm->wide.width + IC_WINOGRAD_SKEW;
}

/* Products of a whole pass, in the time of full tiles. */
static double pass_cost(const ic_conv *conv, const ic_conv_grid *grid,
                        const ic_winograd_tiles *tiles, int64_t block)
{
    double count = (double)tiles->count, taps = tiles->kernels->taps;
    double rows = count < (double)block ? count : (double)block;
    double padded = (double)padded_columns(conv, grid);
    double multiply = taps * padded * count / rows *
                      ic_conv_tile_cost(&conv->kernels->gemm->wide, (int64_t)rows, grid->depth);
    double transform =
        count * (grid->depth * ic_winograd_cost(tiles->kernels, IC_WINOGRAD_INPUT_COST) +
                 padded * ic_winograd_cost(tiles->kernels, IC_WINOGRAD_OUTPUT_COST));
    double weights = taps * (double)grid->depth * padded;
    return multiply + transform + weights * (1 - 9.0 / taps) * IC_WINOGRAD_MEMORY_COST;
}

static int64_t block_tiles(const ic_conv *conv, const ic_conv_grid *grid,
                           const ic_winograd_tiles *tiles)
{
    int64_t tile = conv->kernels->gemm->wide.rows;
    int64_t each = tiles->kernels->taps * (ic_winograd_pitch(grid->depth) + m_pitch(conv, 1));
    int64_t least = tile >= 14 ? 2 * tile : 4 * tile;
    least = ic_winograd_weights(conv, grid, tiles) > 384 * 1024 ? 2 * least : least;
    int64_t block = ROOM_FLOATS / each / tile * tile;
    return block < least ? least : block > 8 * tile ? 8 * tile : block;
}

/* How many panels of products fit beside V. */
static int64_t block_panels(const ic_conv *conv, const ic_conv_grid *grid, int64_t taps,
                            int64_t block)
{
    int64_t panels = ic_conv_panel_count(conv->kernels->gemm, grid->columns);
    int64_t fits = ROOM_FLOATS / (taps * block * conv->kernels->gemm->wide.width);
    fits = fits < 2 ? 2 : fits;
    return ic_conv_divide_up(panels, ic_conv_divide_up(panels, fits));
}

/* Of V or M. */
static size_t tap_floats(int64_t taps, int64_t tiles, int64_t pitch)
{
    return (size_t)(taps * (tiles * pitch + IC_WINOGRAD_SKEW));
}

static double plan_winograd(const ic_conv *conv, ic_conv_pass pass, ic_conv_plan *plan)
{
    ic_conv_grid grid;
    ic_winograd_tiles tiles;
    if (pass == IC_CONV_BACKWARD_WEIGHTS || !ic_winograd_can(conv, pass, plan, &grid, &tiles) ||
        ic_winograd_weights(conv, &grid, &tiles) > WEIGHTS_MAX)
        return -1;
    int64_t taps = tiles.kernels->taps;
    int64_t block = block_tiles(conv, &grid, &tiles);
    double cost = pass_cost(conv, &grid, &tiles, block);
    int64_t panels = ic_conv_panel_count(conv->kernels->gemm, grid.columns);
    bool phased = ic_conv_divide_up(tiles.count, block) < WANTED_UNITS;
    block = phased || block > tiles.count ? tiles.count : block;
    int64_t kept =
        phased ? ic_conv_divide_up(panels, PANEL_UNITS) : block_panels(conv, &grid, taps, block);
    size_t v = tap_floats(taps, block, ic_winograd_pitch(grid.depth));
    size_t m = tap_floats(taps, block, m_pitch(conv, kept));
    plan->phases = phased ? 2 : 1;
    plan->block[TILES] = (int32_t)block;
    plan->block[PANELS] = (int32_t)kept;
    plan->block[PHASED] = phased;
    plan->packed_floats = (size_t)panel_at(taps, &grid, padded_columns(conv, &grid), panels);
    plan->shared_floats = phased ? v : 0;
    plan->scratch_floats =
        ic_winograd_reader_floats(tiles.kernels->in, grid.depth) + m + (phased ? 0 : v);
    plan->sum_blocks = (int32_t)ic_conv_divide_up(tiles.count, block);
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

static void pack(const ic_conv *conv, ic_conv_pass pass, int64_t unit, const float *weights,
                 float *packed)
{
    float filters[PACK_DEPTH * IC_WINOGRAD_FILTER * IC_GEMM_WIDTH_MAX];
    ic_conv_grid grid;
    ic_conv_grid_at(conv, pass, 0, &grid);
    int64_t pieces = ic_conv_divide_up(grid.depth, PACK_DEPTH);
    ic_conv_panel panel =
        ic_conv_panel_at(conv->kernels->gemm, grid.columns, (int32_t)(unit / pieces));
    int64_t first = unit % pieces * PACK_DEPTH;
    int64_t count = grid.depth - first < PACK_DEPTH ? grid.depth - first : PACK_DEPTH;
    int32_t width = panel.tile->width;
    ic_winograd_tiles tiles = ic_winograd_tiles_of(conv->kernels, &conv->plans[pass], &grid);
    int64_t at = panel_at(tiles.kernels->taps, &grid, panel.offset, unit / pieces);
    ic_winograd_gather(conv, pass, &panel, first, count, weights, filters);
    ic_winograd_transform(&tiles, count, width, filters, tap_stride(&grid, width),
                          packed + at + first * width);
}

/* ---- Units ---- */

static int64_t count_units(const ic_conv *conv, ic_conv_pass pass, int32_t phase)
{
    ic_conv_grid grid;
    ic_conv_grid_at(conv, pass, 0, &grid);
    const ic_conv_plan *plan = &conv->plans[pass];
    int64_t tiles = ic_winograd_tiles_of(conv->kernels, plan, &grid).count;
    if (!plan->block[PHASED])
        return ic_conv_divide_up(tiles, plan->block[TILES]);
    if (phase == 0)
        return ic_conv_divide_up(tiles, LOAD_TILES);
    return ic_conv_divide_up(ic_conv_panel_count(conv->kernels->gemm, grid.columns),
                             plan->block[PANELS]);
}

/* A block of tiles with room for its V and M. */
static ic_winograd_block block_of(const ic_conv *conv, ic_conv_pass pass,
                                  const ic_conv_arguments *arguments, int64_t index, float *v,
                                  float *m)
{
    const ic_conv_plan *plan = &conv->plans[pass];
    ic_winograd_block b = ic_winograd_block_of(conv, pass, arguments, index);
    b.v_pitch = ic_winograd_pitch(b.grid.depth);
    b.v_tap = plan->block[TILES] * b.v_pitch + IC_WINOGRAD_SKEW;
    b.m_pitch = m_pitch(conv, plan->block[PANELS]);
    b.m_tap = plan->block[TILES] * b.m_pitch + IC_WINOGRAD_SKEW;
    b.v = v;
    b.m = m;
    return b;
}

/* M of the panels [first, last) at one tap; M begins with panel `first`. */
static void multiply_tap(const ic_winograd_block *b, int64_t tap, int64_t first, int64_t last)
{
    const ic_gemm_kernels *gemm = b->conv->kernels->gemm;
    int64_t depth = b->grid.depth;
    for (int64_t i = first; i < last; ++i) {
        ic_conv_panel panel = ic_conv_panel_at(gemm, b->grid.columns, (int32_t)i);
        ic_gemm_rows sum = {.segments = 1,
                            .depth = depth,
                            .lda = b->v_pitch,
                            .ldc = b->m_pitch,
                            .columns = panel.tile->width};
        const float *u = b->arguments->packed +
                         panel_at(b->tiles.kernels->taps, &b->grid, panel.offset, i) +
                         tap * tap_stride(&b->grid, panel.tile->width);
        ic_conv_tiles(panel.tile, &sum, b->count, b->v + tap * b->v_tap, u,
                      b->m + tap * b->m_tap + (i - first) * gemm->wide.width);
    }
}

/* From V to the outputs, for the panels from `first` on whose M is kept at a time. */
static void run_panels(const ic_winograd_block *b, int64_t index, int64_t first)
{
    int64_t panels = ic_conv_panel_count(b->conv->kernels->gemm, b->grid.columns);
    int64_t last = first + b->conv->plans[b->pass].block[PANELS];
    last = last < panels ? last : panels;
    int64_t taps = b->tiles.kernels->taps, end = b->first + b->count;
    int64_t next_end = end + b->count < b->tiles.count ? end + b->count : b->tiles.count;
    const ic_winograd_plane outputs = ic_winograd_outputs(b, first, last);
    const ic_winograd_plane inputs = ic_winograd_inputs(b, 0, b->grid.depth);
    for (int64_t tap = 0; tap < taps; ++tap) {
        multiply_tap(b, tap, first, last);
        ic_winograd_ask(&b->tiles, &outputs, b->first, end, tap, taps);
        if (last == panels) /* what the next unit will read, which a thread does next */
            ic_winograd_ask(&b->tiles, &inputs, end, next_end, tap, taps);
    }
    ic_winograd_store(b, index, b->first, end, first, last);
}

static void run_unit(const ic_conv *conv, ic_conv_pass pass, int32_t phase, int64_t unit,
                     const ic_conv_arguments *arguments, float *scratch)
{
    const ic_conv_plan *plan = &conv->plans[pass];
    ic_conv_grid grid;
    ic_conv_grid_at(conv, pass, 0, &grid);
    bool phased = plan->block[PHASED];
    const ic_winograd_kernels *kernels = &conv->kernels->winograd[plan->algorithm->tiles];
    float *room = scratch + ic_winograd_reader_floats(kernels->in, grid.depth);
    size_t v = tap_floats(kernels->taps, plan->block[TILES], ic_winograd_pitch(grid.depth));
    ic_winograd_block b = block_of(conv, pass, arguments, phased ? 0 : unit,
                                   phased ? arguments->shared : room, phased ? room : room + v);
    if (!phased) {
        ic_winograd_load(&b, b.first, b.first + b.count, 0, grid.depth, scratch);
        for (int64_t i = 0; i < ic_conv_panel_count(conv->kernels->gemm, grid.columns);
             i += plan->block[PANELS])
            run_panels(&b, unit, i);
    } else if (phase == 0) {
        int64_t first = unit * LOAD_TILES, end = first + LOAD_TILES;
        ic_winograd_load(&b, first, end < b.count ? end : b.count, 0, grid.depth, scratch);
    } else {
        run_panels(&b, 0, unit * plan->block[PANELS]);
    }
}

const ic_conv_algorithm ic_conv_winograd = {.name = "winograd",
                                            .tiles = IC_WINOGRAD_4,
                                            .plan = plan_winograd,
                                            .pack_units = pack_units,
                                            .pack = pack,
                                            .units = count_units,
                                            .run = run_unit};

const ic_conv_algorithm ic_conv_winograd_3 = {.name = "winograd_3",
                                              .tiles = IC_WINOGRAD_3,
                                              .plan = plan_winograd,
                                              .pack_units = pack_units,
                                              .pack = pack,
                                              .units = count_units,
                                              .run = run_unit};

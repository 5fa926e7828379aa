/*
 * kernels/conv_winograd_half.c: forward by Winograd's F(4x4, 3x3) in inference, for layers of many
 * channels: their transformed weights U are four times as many as the weights, and one picture
 * alone would wait for the memory that they come from. SPDX-License-Identifier: MIT
 *
 * So half of the transform is kept, T = G g of U = T G^T (kernels/winograd.h), which is twice as
 * many as the weights, in the order in which it is read: [panel][step][row][vector][c][3][lanes].
 * The inputs V of a block of tiles are made in a phase of their own; then a unit takes one panel of
 * channels out, and adds the products of a step of channels in to M [tap][tile][width], row by row
 * of the 6x6 places. For few tiles U never leaves the registers, for many it is made first.
 */
#include "kernels/conv_winograd.h"

/* The plan's cut. */
enum { TILES = IC_WINOGRAD_BLOCK_TILES };

enum {
    TILES_MAX = 64,
    FEW_TILES = 8,
    TAPS = 36,                    /* of a tile of 4x4: places of U, V and M */
    ROWS = 6,                     /* that they lie in */
    LOAD_TILES = 4,               /* in a unit of V */
    STEP_FLOATS = 8192,           /* of a place of U: six of them take 192 KB */
    HALF_TAPS = 18,               /* of T */
    HALF_COST = 100,              /* of a filter's other half */
    PACK_DEPTH = 8,               /* channels whose filters are packed at a time */
    WEIGHTS_MIN = 4 * 1024 * 1024 /* floats of U */
};

static double pass_cost(const ic_conv *conv, const ic_conv_grid *grid,
                        const ic_winograd_tiles *tiles, const ic_conv_plan *plan)
{
    const ic_gemm_kernels *gemm = conv->kernels->gemm;
    double count = (double)tiles->count;
    double blocks = count / plan->block[TILES];
    double padded = (double)ic_conv_padded_columns(gemm, grid->columns);
    double products = ic_conv_tile_cost(&gemm->wide, plan->block[TILES], grid->depth);
    return blocks * padded * (TAPS * products + (double)grid->depth * HALF_COST) +
           count * (grid->depth * IC_WINOGRAD_INPUT_COST + padded * IC_WINOGRAD_OUTPUT_COST);
}

/* The channels of a step. */
static int32_t step_channels(const ic_conv *conv)
{
    return STEP_FLOATS / conv->kernels->gemm->wide.width;
}

/* Floats of a place in U, in V and in M. */
enum { U_TAP = STEP_FLOATS + IC_WINOGRAD_SKEW };

static int64_t v_tap(const ic_conv_grid *grid, const ic_conv_plan *plan)
{
    return plan->block[TILES] * ic_winograd_pitch(grid->depth) + IC_WINOGRAD_SKEW;
}

static int64_t m_tap(const ic_conv *conv, const ic_conv_plan *plan)
{
    return (int64_t)plan->block[TILES] * conv->kernels->gemm->wide.width + IC_WINOGRAD_SKEW;
}

static double plan_half(const ic_conv *conv, ic_conv_pass pass, ic_conv_plan *plan)
{
    ic_conv_grid grid;
    ic_winograd_tiles tiles;
    if (conv->use == IC_CONV_TRAINING || conv->kernels->bf16 != NULL || pass != IC_CONV_FORWARD ||
        !ic_winograd_can(conv, pass, plan, &grid, &tiles) ||
        ic_winograd_weights(conv, &grid, &tiles) <= WEIGHTS_MIN)
        return -1;
    int64_t blocks = ic_conv_divide_up(tiles.count, TILES_MAX);
    plan->block[TILES] = (int32_t)ic_conv_divide_up(tiles.count, blocks);
    plan->sum_blocks = (int32_t)ic_conv_divide_up(tiles.count, plan->block[TILES]);
    plan->phases = 2 * plan->sum_blocks;
    plan->packed_floats = (size_t)HALF_TAPS * (size_t)grid.depth *
                          (size_t)ic_conv_padded_columns(conv->kernels->gemm, grid.columns);
    plan->shared_floats = (size_t)(TAPS * v_tap(&grid, plan));
    size_t load = ic_winograd_reader_floats(ROWS, grid.depth);
    size_t multiply = (size_t)(TAPS * m_tap(conv, plan) + ROWS * U_TAP);
    plan->scratch_floats = load > multiply ? load : multiply;
    return pass_cost(conv, &grid, &tiles, plan);
}

/* ---- Weights ---- */

/* Where T of a panel and of the step that begins with the channel `first` begins. */
static int64_t half_at(const ic_conv_grid *grid, const ic_conv_panel *panel, int64_t first)
{
    return HALF_TAPS * (panel->offset * (int64_t)grid->depth + first * panel->tile->width);
}

static int64_t pack_units(const ic_conv *conv, ic_conv_pass pass)
{
    ic_conv_grid grid;
    ic_conv_grid_at(conv, pass, 0, &grid);
    return (int64_t)ic_conv_panel_count(conv->kernels->gemm, grid.columns) *
           ic_conv_divide_up(grid.depth, step_channels(conv));
}

static void pack(const ic_conv *conv, ic_conv_pass pass, int64_t unit, const float *weights,
                 float *packed)
{
    float filters[PACK_DEPTH * IC_WINOGRAD_FILTER * IC_GEMM_WIDTH_MAX];
    ic_conv_grid grid;
    ic_conv_grid_at(conv, pass, 0, &grid);
    int64_t step = step_channels(conv), steps = ic_conv_divide_up(grid.depth, step);
    ic_conv_panel panel =
        ic_conv_panel_at(conv->kernels->gemm, grid.columns, (int32_t)(unit / steps));
    int64_t first = unit % steps * step;
    int64_t count = grid.depth - first < step ? grid.depth - first : step;
    float *half = packed + half_at(&grid, &panel, first);
    for (int64_t d = 0; d < count; d += PACK_DEPTH) {
        int64_t depth = count - d < PACK_DEPTH ? count - d : PACK_DEPTH;
        ic_winograd_gather(conv, pass, &panel, first + d, depth, weights, filters);
        conv->kernels->winograd_filters[IC_WINOGRAD_4].half(d, depth, count, panel.tile->width,
                                                            filters, half);
    }
}

/* ---- Units: of V in even phases, of panels in odd ones ---- */

static int64_t count_units(const ic_conv *conv, ic_conv_pass pass, int32_t phase)
{
    ic_winograd_block b = ic_winograd_block_of(conv, pass, NULL, phase / 2);
    return phase % 2 == 0 ? ic_conv_divide_up(b.count, LOAD_TILES)
                          : ic_conv_panel_count(conv->kernels->gemm, b.grid.columns);
}

/* The products of one row of places, whose T is `half`; u: room for U. */
static void multiply_row(const ic_winograd_block *b, const ic_conv_panel *panel,
                         const ic_winograd_row *row, const float *half, const float *v, float *m,
                         float *u)
{
    const ic_winograd_filters *filters = b->tiles.filters;
    if (row->tiles <= FEW_TILES) {
        filters->multiply(row, half, v, m);
        return;
    }
    filters->whole(row->depth, row->width, half, U_TAP, u);
    ic_gemm_rows sum = {.segments = 1,
                        .depth = row->depth,
                        .lda = row->v_pitch,
                        .ldc = row->m_pitch,
                        .columns = row->width,
                        .accumulate = row->accumulate};
    for (int32_t i = 0; i < ROWS; ++i)
        ic_conv_tiles(panel->tile, &sum, row->tiles, v + i * row->v_tap, u + i * U_TAP,
                      m + i * row->m_tap);
}

/* From V to the outputs of one panel. */
static void run_panel(const ic_winograd_block *b, int64_t index, int64_t unit, float *u)
{
    const ic_conv *conv = b->conv;
    ic_conv_panel panel = ic_conv_panel_at(conv->kernels->gemm, b->grid.columns, (int32_t)unit);
    const float *half = b->arguments->packed + half_at(&b->grid, &panel, 0);
    ic_winograd_row row = {.width = panel.tile->width,
                           .tiles = (int32_t)b->count,
                           .v_tap = b->v_tap,
                           .v_pitch = b->v_pitch,
                           .m_tap = b->m_tap,
                           .m_pitch = b->m_pitch};
    int32_t step = step_channels(conv), depth = b->grid.depth;
    for (int32_t first = 0; first < depth; first += step) {
        row.depth = depth - first < step ? depth - first : step;
        row.accumulate = first > 0;
        for (int32_t i = 0; i < ROWS; ++i) {
            const float *after = half + row.depth * 3 * row.width;
            bool alike = i + 1 < ROWS || depth - first >= 2 * step;
            row.next = alike ? after : half;
            multiply_row(b, &panel, &row, half, b->v + i * ROWS * b->v_tap + first,
                         b->m + i * ROWS * b->m_tap, u);
            half = after;
        }
    }
    ic_winograd_store(b, index, b->first, b->first + b->count, unit, unit + 1);
}

static void run_unit(const ic_conv *conv, ic_conv_pass pass, int32_t phase, int64_t unit,
                     const ic_conv_arguments *arguments, float *scratch)
{
    const ic_conv_plan *plan = &conv->plans[pass];
    ic_winograd_block b = ic_winograd_block_of(conv, pass, arguments, phase / 2);
    b.v_pitch = ic_winograd_pitch(b.grid.depth);
    b.v_tap = v_tap(&b.grid, plan);
    b.m_pitch = conv->kernels->gemm->wide.width;
    b.m_tap = m_tap(conv, plan);
    b.v = arguments->shared;
    b.m = scratch;
    if (phase % 2 == 0) {
        int64_t first = b.first + unit * LOAD_TILES, end = b.first + b.count;
        int64_t last = first + LOAD_TILES < end ? first + LOAD_TILES : end;
        ic_winograd_load(&b, first, last, 0, b.grid.depth, scratch);
    } else {
        run_panel(&b, phase / 2, unit, scratch + TAPS * b.m_tap);
    }
}

const ic_conv_algorithm ic_conv_winograd_half = {.name = "winograd_half",
                                                 .tiles = IC_WINOGRAD_4,
                                                 .plan = plan_half,
                                                 .pack_units = pack_units,
                                                 .pack = pack,
                                                 .units = count_units,
                                                 .run = run_unit};

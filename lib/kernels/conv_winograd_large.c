/*
 * kernels/conv_winograd_large.c: forward and backward data by Winograd's F(4x4, 3x3) or F(3x3, 3x3)
 * in the training of layers of many channels: their transformed weights, three or four times as
 * many as the weights, would go to memory in each step and come back for every block of tiles.
 * SPDX-License-Identifier: MIT
 *
 * So a unit takes the filters of a few dozen channels at a time, as they are in the weights,
 * transforms them and the same channels of its tiles, and adds the products to M [tap][tile][k]:
 * everything stays in the second cache, and what is done again (the tiles' transforms for other
 * channels out, the filters' for other tiles) is little beside the products.
 */
#include "kernels/conv_winograd.h"

/* The plan's cut. */
enum { TILES = IC_WINOGRAD_BLOCK_TILES, PANELS, DEPTH };

enum {
    TILES_MAX = 64,
    CHANNELS = 64, /* in and out, of a step: U of a panel is 288 KB, V 720, M 720 */
    FILTER_COST = 300,
    GATHER_DEPTH = 16, /* channels whose filters are gathered at a time */
    WEIGHTS_MIN = 1024 * 1024
};

static double pass_cost(const ic_conv *conv, const ic_conv_grid *grid,
                        const ic_winograd_tiles *tiles, const ic_conv_plan *plan)
{
    const ic_gemm_kernels *gemm = conv->kernels->gemm;
    const ic_winograd_kernels *kernels = tiles->kernels;
    double count = (double)tiles->count, rows = plan->block[TILES];
    double padded = (double)ic_conv_padded_columns(gemm, grid->columns);
    double rounds =
        (double)ic_conv_divide_up(ic_conv_panel_count(gemm, grid->columns), plan->block[PANELS]);
    double blocks = count / rows;
    return blocks * padded *
               (kernels->taps *
                    ic_conv_tile_cost(&gemm->wide, plan->block[TILES], 1.1 * grid->depth) +
                (double)grid->depth * ic_winograd_cost(kernels, FILTER_COST)) +
           count * (rounds * grid->depth * ic_winograd_cost(kernels, IC_WINOGRAD_INPUT_COST) +
                    padded * ic_winograd_cost(kernels, IC_WINOGRAD_OUTPUT_COST));
}

static int64_t v_pitch(const ic_conv_plan *plan)
{
    return ic_winograd_pitch(plan->block[DEPTH]);
}

static int64_t m_pitch(const ic_conv *conv, const ic_conv_plan *plan)
{
    return (int64_t)plan->block[PANELS] * conv->kernels->gemm->wide.width + IC_WINOGRAD_SKEW;
}

/* Floats of a tap in U (of one panel), in V and in M. */
static int64_t u_tap(const ic_conv *conv, const ic_conv_plan *plan)
{
    return (int64_t)plan->block[DEPTH] * conv->kernels->gemm->wide.width + IC_WINOGRAD_SKEW;
}

static int64_t v_tap(const ic_conv_plan *plan)
{
    return plan->block[TILES] * v_pitch(plan) + IC_WINOGRAD_SKEW;
}

static int64_t m_tap(const ic_conv *conv, const ic_conv_plan *plan)
{
    return plan->block[TILES] * m_pitch(conv, plan) + IC_WINOGRAD_SKEW;
}

static double plan_large(const ic_conv *conv, ic_conv_pass pass, ic_conv_plan *plan)
{
    ic_conv_grid grid;
    ic_winograd_tiles tiles;
    if (pass == IC_CONV_BACKWARD_WEIGHTS || !ic_winograd_can(conv, pass, plan, &grid, &tiles) ||
        conv->use != IC_CONV_TRAINING || ic_winograd_weights(conv, &grid, &tiles) <= WEIGHTS_MIN)
        return -1;
    const ic_gemm_kernels *gemm = conv->kernels->gemm;
    int64_t panels = ic_conv_panel_count(gemm, grid.columns);
    int64_t rounds = ic_conv_divide_up(panels, CHANNELS / gemm->wide.width);
    int64_t blocks = ic_conv_divide_up(tiles.count, TILES_MAX);
    plan->block[TILES] = (int32_t)ic_conv_divide_up(tiles.count, blocks);
    plan->block[PANELS] = (int32_t)ic_conv_divide_up(panels, rounds);
    plan->block[DEPTH] =
        (int32_t)ic_conv_divide_up(grid.depth, ic_conv_divide_up(grid.depth, CHANNELS));
    plan->phases = 1;
    plan->packed_floats = 0;
    plan->shared_floats = 0;
    plan->scratch_floats =
        (size_t)(tiles.kernels->taps * (u_tap(conv, plan) + v_tap(plan) + m_tap(conv, plan))) +
        ic_winograd_reader_floats(tiles.kernels->in, plan->block[DEPTH]);
    plan->sum_blocks = (int32_t)ic_conv_divide_up(tiles.count, plan->block[TILES]);
    return pass_cost(conv, &grid, &tiles, plan);
}

static int64_t count_units(const ic_conv *conv, ic_conv_pass pass, int32_t phase)
{
    ic_conv_grid grid;
    ic_conv_grid_at(conv, pass, 0, &grid);
    const ic_conv_plan *plan = &conv->plans[pass];
    return plan->sum_blocks *
           ic_conv_divide_up(ic_conv_panel_count(conv->kernels->gemm, grid.columns),
                             plan->block[PANELS]);
}

/* U of the channels [first, first + count) in and of one panel out. */
static void transform_filters(const ic_winograd_block *b, const ic_conv_panel *panel, int64_t first,
                              int64_t count, int64_t tap_stride, float *u)
{
    float filters[GATHER_DEPTH * IC_WINOGRAD_FILTER * IC_GEMM_WIDTH_MAX];
    int32_t width = panel->tile->width;
    for (int64_t d = 0; d < count; d += GATHER_DEPTH) {
        int64_t depth = count - d < GATHER_DEPTH ? count - d : GATHER_DEPTH;
        ic_winograd_gather(b->conv, b->pass, panel, first + d, depth, b->arguments->packed,
                           filters);
        ic_winograd_transform(&b->tiles, depth, width, filters, tap_stride, u + d * width);
    }
}

/* Adds the products of the channels [first, first + count) to M, or sets it. */
static void multiply(const ic_winograd_block *b, int64_t first_panel, int64_t last_panel,
                     int64_t first, int64_t count, float *u)
{
    const ic_gemm_kernels *gemm = b->conv->kernels->gemm;
    const ic_conv_plan *plan = &b->conv->plans[b->pass];
    int64_t tap_stride = u_tap(b->conv, plan), taps = b->tiles.kernels->taps;
    int64_t next = first + count, left = b->grid.depth - next;
    const ic_winograd_plane asked =
        left > 0
            ? ic_winograd_inputs(b, (int32_t)next,
                                 (int32_t)(left < plan->block[DEPTH] ? left : plan->block[DEPTH]))
            : ic_winograd_outputs(b, first_panel, last_panel);
    for (int64_t i = first_panel; i < last_panel; ++i) {
        ic_conv_panel panel = ic_conv_panel_at(gemm, b->grid.columns, (int32_t)i);
        int64_t column = (i - first_panel) * gemm->wide.width;
        transform_filters(b, &panel, first, count, tap_stride, u);
        ic_gemm_rows sum = {.segments = 1,
                            .depth = count,
                            .lda = b->v_pitch,
                            .ldc = b->m_pitch,
                            .columns = panel.tile->width,
                            .accumulate = first > 0};
        for (int64_t tap = 0; tap < taps; ++tap) {
            ic_conv_tiles(panel.tile, &sum, b->count, b->v + tap * b->v_tap, u + tap * tap_stride,
                          b->m + tap * b->m_tap + column);
            ic_winograd_ask(&b->tiles, &asked, b->first, b->first + b->count,
                            (i - first_panel) * taps + tap, (last_panel - first_panel) * taps);
        }
    }
}

static void run_unit(const ic_conv *conv, ic_conv_pass pass, int32_t phase, int64_t unit,
                     const ic_conv_arguments *arguments, float *scratch)
{
    const ic_conv_plan *plan = &conv->plans[pass];
    int64_t blocks = plan->sum_blocks, index = unit % blocks;
    ic_winograd_block b = ic_winograd_block_of(conv, pass, arguments, index);
    int64_t panels = ic_conv_panel_count(conv->kernels->gemm, b.grid.columns);
    int64_t first_panel = unit / blocks * plan->block[PANELS];
    int64_t last_panel = first_panel + plan->block[PANELS];
    last_panel = last_panel < panels ? last_panel : panels;
    b.v_pitch = v_pitch(plan);
    b.v_tap = v_tap(plan);
    b.m_pitch = m_pitch(conv, plan);
    b.m_tap = m_tap(conv, plan);
    b.v = scratch;
    b.m = b.v + b.tiles.kernels->taps * b.v_tap;
    float *u = b.m + b.tiles.kernels->taps * b.m_tap;
    float *room = u + b.tiles.kernels->taps * u_tap(conv, plan);
    for (int32_t first = 0; first < b.grid.depth; first += plan->block[DEPTH]) {
        int32_t left = b.grid.depth - first;
        int32_t count = left < plan->block[DEPTH] ? left : plan->block[DEPTH];
        ic_winograd_load(&b, b.first, b.first + b.count, first, count, room);
        multiply(&b, first_panel, last_panel, first, count, u);
    }
    ic_winograd_store(&b, index, b.first, b.first + b.count, first_panel, last_panel);
}

const ic_conv_algorithm ic_conv_winograd_large = {.name = "winograd_large",
                                                  .tiles = IC_WINOGRAD_4,
                                                  .plan = plan_large,
                                                  .units = count_units,
                                                  .run = run_unit};

const ic_conv_algorithm ic_conv_winograd_large_3 = {.name = "winograd_large_3",
                                                    .tiles = IC_WINOGRAD_3,
                                                    .plan = plan_large,
                                                    .units = count_units,
                                                    .run = run_unit};

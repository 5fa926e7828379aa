/*
 * kernels/conv_winograd_weights.c: the weights' gradient of 3x3 convolutions of stride 1 by
 * Winograd's F(4x4, 3x3) or F(3x3, 3x3): d_g = G^T [sum over tiles of (B^T d B) . (A d_y A^T)] G;
 * see kernels/winograd.h. SPDX-License-Identifier: MIT
 *
 * The layer is taken as many small ones, of a few dozen channels in and out, so that the sums of
 * one, [tap][panel][c][width], stay in the second cache while all tiles go by: that is worth doing
 * the transforms of the tiles, V [tap][tile][c] and W [tap][panel][tile][width], once for each of
 * them. Where these are too few, the tiles are cut into parts too; a second phase adds the parts'
 * filters in order.
 */
#include "kernels/conv_winograd.h"

#include <string.h>

/* The plan's cut. */
enum {
    DEPTH,  /* channels in, of a small layer */
    PANELS, /* of channels out */
    PARTS,  /* of the tiles */
    TILES   /* that are transformed at a time */
};

enum {
    CHANNELS = 64,               /* of a small layer, in and out: its sums are 576 KB at most */
    ROOM_TILES = 28,             /* transformed at a time, give or take what is left over */
    PART_TILES = 4 * ROOM_TILES, /* the least of a part: its sums must be turned back */
    WANTED_UNITS = 16,
    FILTER_DEPTH = 8 /* channels that are turned back at a time */
};

static int32_t pieces_of(int32_t total, int32_t piece)
{
    return (int32_t)ic_conv_divide_up(total, piece);
}

static int64_t room_columns(const ic_conv *conv, const ic_conv_plan *plan)
{
    return (int64_t)plan->block[PANELS] * conv->kernels->gemm->wide.width;
}

/* Floats of a tap in V, in W and in the sums. */
static int64_t v_tap_floats(const ic_conv_plan *plan)
{
    return plan->block[TILES] * ic_winograd_pitch(plan->block[DEPTH]) + IC_WINOGRAD_SKEW;
}

static int64_t w_tap_floats(const ic_conv *conv, const ic_conv_plan *plan)
{
    return plan->block[TILES] * room_columns(conv, plan) + IC_WINOGRAD_SKEW;
}

static int64_t sum_tap_floats(const ic_conv *conv, const ic_conv_plan *plan)
{
    return plan->block[DEPTH] * room_columns(conv, plan) + IC_WINOGRAD_SKEW;
}

static double pass_cost(const ic_conv *conv, const ic_conv_plan *plan, const ic_winograd_tiles *all)
{
    const ic_conv_shape *s = &conv->shape;
    double tiles = (double)all->count;
    double padded = ic_conv_padded_columns(conv->kernels->gemm, s->k);
    double rounds_in = pieces_of(s->c, plan->block[DEPTH]);
    double rounds_out =
        pieces_of(ic_conv_panel_count(conv->kernels->gemm, s->k), plan->block[PANELS]);
    double sums = all->kernels->taps * (double)s->c * padded;
    return sums * tiles * 1.1 +
           tiles * rounds_out * s->c * ic_winograd_cost(all->kernels, IC_WINOGRAD_INPUT_COST) +
           tiles * rounds_in * padded * ic_winograd_cost(all->kernels, IC_WINOGRAD_OUTPUT_COST) +
           sums * IC_WINOGRAD_MEMORY_COST / 2 * plan->block[PARTS];
}

static double plan_weights(const ic_conv *conv, ic_conv_pass pass, ic_conv_plan *plan)
{
    ic_conv_grid grid;
    ic_winograd_tiles all;
    if (pass != IC_CONV_BACKWARD_WEIGHTS || !ic_winograd_can(conv, pass, plan, &grid, &all))
        return -1;
    const ic_gemm_kernels *gemm = conv->kernels->gemm;
    int64_t tiles = all.count;
    int32_t panels = ic_conv_panel_count(gemm, grid.columns);
    int32_t rounds_in = pieces_of(grid.depth, CHANNELS);
    int32_t rounds_out = pieces_of(panels, CHANNELS / gemm->wide.width);
    plan->block[DEPTH] = pieces_of(grid.depth, rounds_in);
    plan->block[PANELS] = pieces_of(panels, rounds_out);
    int64_t times = (tiles + ROOM_TILES / 2) / ROOM_TILES;
    plan->block[TILES] = (int32_t)ic_conv_divide_up(tiles, times < 1 ? 1 : times);
    int64_t parts = ic_conv_divide_up(WANTED_UNITS, (int64_t)rounds_in * rounds_out);
    int64_t most = ic_conv_divide_up(tiles, PART_TILES);
    plan->block[PARTS] = (int32_t)(parts < most ? parts : most);
    plan->phases = plan->block[PARTS] > 1 ? 2 : 1;
    size_t weights = (size_t)grid.columns * (size_t)grid.depth * IC_WINOGRAD_FILTER;
    plan->packed_floats = 0;
    plan->shared_floats = plan->block[PARTS] > 1 ? weights * (size_t)plan->block[PARTS] : 0;
    plan->scratch_floats =
        (size_t)(all.kernels->taps *
                 (v_tap_floats(plan) + w_tap_floats(conv, plan) + sum_tap_floats(conv, plan))) +
        ic_winograd_reader_floats(all.kernels->in, plan->block[DEPTH]) +
        ic_winograd_reader_floats(all.kernels->out, (int32_t)room_columns(conv, plan));
    return pass_cost(conv, plan, &all);
}

static int64_t small_layers(const ic_conv *conv, const ic_conv_plan *plan)
{
    return (int64_t)pieces_of(conv->shape.c, plan->block[DEPTH]) *
           pieces_of(ic_conv_panel_count(conv->kernels->gemm, conv->shape.k), plan->block[PANELS]);
}

static int64_t count_units(const ic_conv *conv, ic_conv_pass pass, int32_t phase)
{
    const ic_conv_plan *plan = &conv->plans[pass];
    return phase == 0 ? small_layers(conv, plan) * plan->block[PARTS] : conv->shape.k;
}

/* A small layer and a part of the tiles, and the places of its transforms and sums. */
typedef struct small_layer {
    const ic_conv *conv;
    const ic_conv_plan *plan;
    const ic_conv_arguments *arguments;
    ic_conv_grid grid;
    ic_winograd_tiles tiles;
    int32_t first_channel, depth;                           /* in */
    int32_t first_panel, last_panel, first_column, columns; /* out */
    ic_winograd_plane x, d_y;                               /* these channels of them */
    int64_t first_tile, last_tile;
    int64_t v_tap, w_tap, sum_tap; /* floats between taps */
    float *v, *w, *sums, *spare;
    float *out; /* filters of the whole layer, of this part */
} small_layer;

static int32_t smaller(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

static small_layer layer_of(const ic_conv *conv, const ic_conv_arguments *arguments, int64_t unit,
                            float *scratch)
{
    const ic_conv_plan *plan = &conv->plans[IC_CONV_BACKWARD_WEIGHTS];
    const ic_gemm_kernels *gemm = conv->kernels->gemm;
    small_layer l = {.conv = conv, .plan = plan, .arguments = arguments};
    ic_conv_grid_at(conv, IC_CONV_BACKWARD_WEIGHTS, 0, &l.grid);
    l.tiles = ic_winograd_tiles_of(conv->kernels, plan, &l.grid);
    int64_t taps = l.tiles.kernels->taps;
    int64_t parts = plan->block[PARTS], part = unit % parts, index = unit / parts;
    int32_t rounds_in = pieces_of(l.grid.depth, plan->block[DEPTH]);
    l.first_channel = (int32_t)(index % rounds_in) * plan->block[DEPTH];
    l.depth = smaller(plan->block[DEPTH], l.grid.depth - l.first_channel);
    l.first_panel = (int32_t)(index / rounds_in) * plan->block[PANELS];
    l.last_panel =
        smaller(l.first_panel + plan->block[PANELS], ic_conv_panel_count(gemm, l.grid.columns));
    l.first_column = l.first_panel * gemm->wide.width;
    l.columns = smaller(l.last_panel * gemm->wide.width, l.grid.columns) - l.first_column;
    l.x = (ic_winograd_plane){.values = arguments->x,
                              .h = l.grid.h.in,
                              .w = l.grid.w.in,
                              .channels = l.grid.depth,
                              .first = l.first_channel,
                              .count = l.depth};
    l.d_y = (ic_winograd_plane){.values = arguments->d_y,
                                .h = l.grid.h.count,
                                .w = l.grid.w.count,
                                .channels = l.grid.columns,
                                .first = l.first_column,
                                .count = l.columns};
    l.first_tile = ic_conv_cut(l.tiles.count, parts, part);
    l.last_tile = ic_conv_cut(l.tiles.count, parts, part + 1);
    l.v_tap = v_tap_floats(plan);
    l.w_tap = w_tap_floats(conv, plan);
    l.sum_tap = sum_tap_floats(conv, plan);
    l.v = scratch;
    l.w = l.v + taps * l.v_tap;
    l.sums = l.w + taps * l.w_tap;
    l.spare = l.sums + taps * l.sum_tap;
    l.out = parts == 1 ? arguments->out
                       : arguments->shared +
                             part * (int64_t)l.grid.columns * l.grid.depth * IC_WINOGRAD_FILTER;
    return l;
}

static void transform_inputs(const small_layer *l, int64_t first, int64_t last)
{
    const ic_conv_grid *grid = &l->grid;
    ic_winograd_reader reader = ic_winograd_reader_of(
        l->conv->kernels, l->arguments->prologue, &l->x, l->tiles.kernels->in, l->v_tap, l->spare);
    for (int64_t tile = first; tile < last; ++tile) {
        const float *pixels[IC_WINOGRAD_TAPS_MAX];
        float inside[IC_WINOGRAD_TAPS_MAX];
        ic_winograd_place place = ic_winograd_place_of(&l->tiles, tile);
        bool whole = ic_winograd_pixels(&reader, place.image, grid->h.origin + place.row,
                                        grid->w.origin + place.column, pixels, inside);
        l->tiles.kernels->input(&reader.how, whole, pixels, inside,
                                l->v + (tile - first) * ic_winograd_pitch(l->depth));
    }
}

static void transform_gradients(const small_layer *l, int64_t first, int64_t last)
{
    const ic_conv_grid *grid = &l->grid;
    const ic_gemm_kernels *gemm = l->conv->kernels->gemm;
    ic_winograd_reader reader = ic_winograd_reader_of(l->conv->kernels, NULL, &l->d_y,
                                                      l->tiles.kernels->out, l->w_tap, l->spare);
    for (int64_t tile = first; tile < last; ++tile) {
        const float *pixels[IC_WINOGRAD_OUT_MAX * IC_WINOGRAD_OUT_MAX];
        float inside[IC_WINOGRAD_OUT_MAX * IC_WINOGRAD_OUT_MAX];
        ic_winograd_place place = ic_winograd_place_of(&l->tiles, tile);
        ic_winograd_pixels(&reader, place.image, place.row, place.column, pixels, inside);
        for (int32_t i = l->first_panel; i < l->last_panel; ++i) {
            ic_conv_panel panel = ic_conv_panel_at(gemm, grid->columns, i);
            l->tiles.kernels->gradient(
                l->w_tap, pixels, panel.first - l->first_column, panel.columns,
                l->w + (panel.offset - l->first_column) * (int64_t)l->plan->block[TILES] +
                    (tile - first) * panel.tile->width);
        }
    }
}

/*
 * sums[tap][panel] += V[tap]^T W[tap][panel] of the tiles [first, last), or = for the first ones;
 * meanwhile asks for the pixels of as many more.
 */
static void multiply(const small_layer *l, int64_t first, int64_t last)
{
    const ic_gemm_kernels *gemm = l->conv->kernels->gemm;
    int64_t taps = l->tiles.kernels->taps, after = last + (last - first);
    after = after < l->last_tile ? after : l->last_tile;
    ic_gemm_run run = {0, 0};
    ic_gemm_columns sum = {.runs = &run,
                           .count = 1,
                           .depth = last - first,
                           .lda = ic_winograd_pitch(l->depth),
                           .accumulate = first > l->first_tile};
    for (int64_t tap = 0; tap < taps; ++tap) {
        for (int32_t i = l->first_panel; i < l->last_panel; ++i) {
            ic_conv_panel panel = ic_conv_panel_at(gemm, l->grid.columns, i);
            int64_t offset = panel.offset - l->first_column;
            sum.ldb = sum.ldc = panel.tile->width;
            ic_conv_column_tiles(panel.tile, &sum, l->depth, l->v + tap * l->v_tap,
                                 l->w + tap * l->w_tap + offset * l->plan->block[TILES],
                                 l->sums + tap * l->sum_tap + offset * l->depth);
        }
        ic_winograd_ask(&l->tiles, &l->x, last, after, tap, taps);
        ic_winograd_ask(&l->tiles, &l->d_y, last, after, tap, taps);
    }
}

/* The filters of some channels of a panel, in the order of the weights. */
static void make_filters(const small_layer *l, const ic_conv_panel *panel, int64_t first)
{
    float filters[FILTER_DEPTH * IC_WINOGRAD_FILTER * IC_GEMM_WIDTH_MAX];
    int64_t width = panel->tile->width;
    int64_t count = l->depth - first < FILTER_DEPTH ? l->depth - first : FILTER_DEPTH;
    const float *sums = l->sums + (int64_t)(panel->offset - l->first_column) * l->depth;
    for (int64_t d = 0; d < count; ++d)
        l->tiles.filters->gradient(panel->tile->width, sums + (first + d) * width, l->sum_tap,
                                   filters + d * IC_WINOGRAD_FILTER * width);
    for (int64_t n = 0; n < panel->columns; ++n) {
        float *to =
            l->out + ((panel->first + n) * (int64_t)l->grid.depth + l->first_channel + first) *
                         IC_WINOGRAD_FILTER;
        for (int64_t i = 0; i < count * IC_WINOGRAD_FILTER; ++i)
            to[i] = filters[i * width + n];
    }
}

static void run_layer(const small_layer *l)
{
    int64_t step = l->plan->block[TILES];
    for (int64_t first = l->first_tile; first < l->last_tile; first += step) {
        int64_t last = first + step < l->last_tile ? first + step : l->last_tile;
        transform_inputs(l, first, last);
        transform_gradients(l, first, last);
        multiply(l, first, last);
    }
    for (int32_t i = l->first_panel; i < l->last_panel; ++i) {
        ic_conv_panel panel = ic_conv_panel_at(l->conv->kernels->gemm, l->grid.columns, i);
        for (int64_t first = 0; first < l->depth; first += FILTER_DEPTH)
            make_filters(l, &panel, first);
    }
}

/* The filters of one channel out: the parts, added in order. */
static void add_parts(const ic_conv *conv, int64_t unit, const ic_conv_arguments *arguments)
{
    const ic_conv_plan *plan = &conv->plans[IC_CONV_BACKWARD_WEIGHTS];
    int64_t each = (int64_t)conv->shape.c * IC_WINOGRAD_FILTER, all = each * conv->shape.k;
    float *out = arguments->out + unit * each;
    memcpy(out, arguments->shared + unit * each, (size_t)each * sizeof(float));
    for (int64_t part = 1; part < plan->block[PARTS]; ++part)
        conv->kernels->accumulate(each, arguments->shared + part * all + unit * each, out);
}

static void run_unit(const ic_conv *conv, ic_conv_pass pass, int32_t phase, int64_t unit,
                     const ic_conv_arguments *arguments, float *scratch)
{
    if (phase == 1) {
        add_parts(conv, unit, arguments);
        return;
    }
    small_layer layer = layer_of(conv, arguments, unit, scratch);
    run_layer(&layer);
}

const ic_conv_algorithm ic_conv_winograd_weights = {.name = "winograd",
                                                    .tiles = IC_WINOGRAD_4,
                                                    .plan = plan_weights,
                                                    .units = count_units,
                                                    .run = run_unit};

const ic_conv_algorithm ic_conv_winograd_weights_3 = {.name = "winograd_3",
                                                      .tiles = IC_WINOGRAD_3,
                                                      .plan = plan_weights,
                                                      .units = count_units,
                                                      .run = run_unit};

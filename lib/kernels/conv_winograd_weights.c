/*
 * kernels/conv_winograd_weights.c: the weights' gradient of 3x3 convolutions of stride 1 by
 * Winograd's F(4x4, 3x3): d_g = G^T [sum over tiles of (B^T d B) . (A d_y A^T)] G; see
 * kernels/winograd.h. SPDX-License-Identifier: MIT
 *
 * The tiles are cut into chunks, each two phases: both transforms of every tile, V [tap][tile][c]
 * and W [tap][panel][tile][width]; then, for each tap and panel, the product of the two over the
 * chunk's tiles, added to the sums [tap][panel][c][width]. The last phase turns the sums back into
 * filters. Every sum has one owner and a fixed order.
 */
#include "kernels/conv_winograd.h"

#include <string.h>

/* The plan's cut. */
enum {
    TILES, /* of a chunk */
    GROUP  /* tiles of a unit of the first phase */
};

enum {
    TILES_MIN = 112,
    TILES_MAX = 448,
    ROOM_FLOATS = 768 * 1024, /* that V and W should take */
    WANTED_UNITS = 16,
    FILTER_DEPTH = 8 /* channels of a unit of the last phase */
};

static int64_t panel_count(const ic_conv *conv)
{
    return ic_conv_panel_count(conv->kernels->gemm, conv->shape.k);
}

static int64_t padded_columns(const ic_conv *conv)
{
    return ic_conv_padded_columns(conv->kernels->gemm, conv->shape.k);
}

static int64_t v_tap_floats(const ic_conv *conv, int64_t tiles)
{
    return tiles * ic_winograd_pitch(conv->shape.c) + IC_WINOGRAD_SKEW;
}

static int64_t w_tap_floats(const ic_conv *conv, int64_t tiles)
{
    return tiles * padded_columns(conv) + IC_WINOGRAD_SKEW;
}

static int64_t sum_tap_floats(const ic_conv *conv)
{
    return conv->shape.c * padded_columns(conv) + IC_WINOGRAD_SKEW;
}


static double pass_cost(const ic_conv *conv, double tiles, double chunks)
{
    const ic_conv_shape *s = &conv->shape;
    double padded = (double)padded_columns(conv);
    double sums = IC_WINOGRAD_TAPS * (double)s->c * padded;
    return sums * tiles +
           tiles * (s->c * IC_WINOGRAD_INPUT_COST + padded * IC_WINOGRAD_OUTPUT_COST) +
           sums * (2 * chunks + 1) * IC_WINOGRAD_MEMORY_COST / 2;
}

static double plan_weights(const ic_conv *conv, ic_conv_pass pass, ic_conv_plan *plan)
{
    ic_conv_grid grid;
    ic_conv_grid_at(conv, pass, 0, &grid);
    if (pass != IC_CONV_BACKWARD_WEIGHTS || !ic_winograd_can(&grid))
        return -1;
    ic_winograd_tiles tiles = ic_winograd_tiles_of(&grid);
    int64_t each = IC_WINOGRAD_TAPS * (ic_winograd_pitch(grid.depth) + padded_columns(conv));
    int64_t chunk = ROOM_FLOATS / each;
    chunk = chunk < TILES_MIN ? TILES_MIN : chunk > TILES_MAX ? TILES_MAX : chunk;
    int64_t chunks = ic_conv_divide_up(tiles.count, chunk);
    chunk = ic_conv_divide_up(tiles.count, chunks);
    int64_t group = ic_conv_divide_up(chunk, WANTED_UNITS);
    plan->phases = (int32_t)(2 * chunks + 1);
    plan->block[TILES] = (int32_t)chunk;
    plan->block[GROUP] = (int32_t)group;
    plan->packed_floats = 0;
    plan->shared_floats =
        (size_t)(IC_WINOGRAD_TAPS * (sum_tap_floats(conv) + v_tap_floats(conv, chunk) +
                                     w_tap_floats(conv, chunk)));
    plan->scratch_floats = ic_winograd_reader_floats(IC_WINOGRAD_IN, grid.depth) +
                           ic_winograd_reader_floats(IC_WINOGRAD_OUT, grid.columns);
    return pass_cost(conv, (double)tiles.count, (double)chunks);
}

static int64_t count_units(const ic_conv *conv, ic_conv_pass pass, int32_t phase)
{
    const ic_conv_plan *plan = &conv->plans[pass];
    if (phase == plan->phases - 1)
        return panel_count(conv) * ic_conv_divide_up(conv->shape.c, FILTER_DEPTH);
    if (phase % 2 == 0)
        return ic_conv_divide_up(plan->block[TILES], plan->block[GROUP]);
    return IC_WINOGRAD_TAPS * panel_count(conv);
}

/* One chunk of tiles and the places of its transforms and of all sums. */
typedef struct tile_chunk {
    const ic_conv *conv;
    const ic_conv_arguments *arguments;
    ic_conv_grid grid;
    ic_winograd_tiles tiles;
    int64_t first, last; /* of all tiles */
    int64_t room;        /* tiles of a full chunk: the pitch of panels in W */
    int64_t v_tap, w_tap, sum_tap;
    float *v, *w, *sums;
} tile_chunk;

static tile_chunk chunk_of(const ic_conv *conv, const ic_conv_arguments *arguments, int64_t index)
{
    tile_chunk chunk = {.conv = conv, .arguments = arguments};
    ic_conv_grid_at(conv, IC_CONV_BACKWARD_WEIGHTS, 0, &chunk.grid);
    chunk.tiles = ic_winograd_tiles_of(&chunk.grid);
    chunk.room = conv->plans[IC_CONV_BACKWARD_WEIGHTS].block[TILES];
    chunk.first = index * chunk.room;
    chunk.last = chunk.first + chunk.room;
    chunk.last = chunk.last < chunk.tiles.count ? chunk.last : chunk.tiles.count;
    chunk.v_tap = v_tap_floats(conv, chunk.room);
    chunk.w_tap = w_tap_floats(conv, chunk.room);
    chunk.sum_tap = sum_tap_floats(conv);
    chunk.sums = arguments->shared;
    chunk.v = chunk.sums + IC_WINOGRAD_TAPS * chunk.sum_tap;
    chunk.w = chunk.v + IC_WINOGRAD_TAPS * chunk.v_tap;
    return chunk;
}

static void transform_gradient(const tile_chunk *chunk, const ic_winograd_reader *reader,
                               int64_t tile, ic_winograd_place place)
{
    const ic_gemm_kernels *gemm = chunk->conv->kernels->gemm;
    const float *pixels[IC_WINOGRAD_OUT * IC_WINOGRAD_OUT];
    float inside[IC_WINOGRAD_OUT * IC_WINOGRAD_OUT];
    const float *partly =
        ic_winograd_pixels(reader, place.image, place.row, place.column, pixels, inside);
    for (int64_t i = 0; i < panel_count(chunk->conv); ++i) {
        ic_conv_panel panel = ic_conv_panel_at(gemm, chunk->grid.columns, (int32_t)i);
        chunk->conv->kernels->winograd->gradient(
            &reader->how, pixels, partly, panel.first, panel.columns,
            chunk->w + panel.offset * chunk->room + (tile - chunk->first) * panel.tile->width);
    }
}

static void transform_tiles(const tile_chunk *chunk, int64_t unit, float *scratch)
{
    const ic_conv_grid *grid = &chunk->grid;
    const ic_conv *conv = chunk->conv;
    const ic_conv_arguments *arguments = chunk->arguments;
    int64_t group = conv->plans[IC_CONV_BACKWARD_WEIGHTS].block[GROUP];
    int64_t first = chunk->first + unit * group;
    int64_t last = first + group < chunk->last ? first + group : chunk->last;
    ic_winograd_reader of_x = ic_winograd_reader_of(
        conv->kernels, arguments->prologue, arguments->x, grid->h.in, grid->w.in, grid->depth,
        IC_WINOGRAD_IN, chunk->v_tap, scratch);
    ic_winograd_reader of_d_y = ic_winograd_reader_of(
        conv->kernels, NULL, arguments->d_y, grid->h.count, grid->w.count, grid->columns,
        IC_WINOGRAD_OUT, chunk->w_tap,
        scratch + ic_winograd_reader_floats(IC_WINOGRAD_IN, grid->depth));
    for (int64_t tile = first; tile < last; ++tile) {
        const float *pixels[IC_WINOGRAD_TAPS];
        float inside[IC_WINOGRAD_TAPS];
        ic_winograd_place place = ic_winograd_place_of(&chunk->tiles, tile);
        const float *partly =
            ic_winograd_pixels(&of_x, place.image, grid->h.origin + place.row,
                               grid->w.origin + place.column, pixels, inside);
        conv->kernels->winograd->input(&of_x.how, pixels, partly,
                                       chunk->v +
                                           (tile - chunk->first) * ic_winograd_pitch(grid->depth));
        transform_gradient(chunk, &of_d_y, tile, place);
    }
}

/* sums[tap][panel] += V[tap]^T W[tap][panel], or = for the first chunk. */
static void multiply(const tile_chunk *chunk, int64_t unit)
{
    const ic_conv *conv = chunk->conv;
    int64_t panels = panel_count(conv), tap = unit / panels, depth = chunk->grid.depth;
    ic_conv_panel panel =
        ic_conv_panel_at(conv->kernels->gemm, chunk->grid.columns, (int32_t)(unit % panels));
    ic_gemm_run run = {0, 0};
    ic_gemm_columns sum = {.runs = &run,
                           .count = 1,
                           .depth = chunk->last - chunk->first,
                           .lda = ic_winograd_pitch(depth),
                           .ldc = panel.tile->width,
                           .accumulate = chunk->first > 0};
    ic_conv_column_tiles(panel.tile, &sum, depth, chunk->v + tap * chunk->v_tap,
                         chunk->w + tap * chunk->w_tap + panel.offset * chunk->room,
                         chunk->sums + tap * chunk->sum_tap + panel.offset * depth);
}

/* The filters of some channels of a panel, in the order of the weights. */
static void make_filters(const tile_chunk *chunk, int64_t unit)
{
    float filters[FILTER_DEPTH * IC_WINOGRAD_FILTER * IC_GEMM_WIDTH_MAX];
    const ic_conv *conv = chunk->conv;
    int64_t depth = chunk->grid.depth;
    int64_t pieces = ic_conv_divide_up(depth, FILTER_DEPTH);
    ic_conv_panel panel =
        ic_conv_panel_at(conv->kernels->gemm, chunk->grid.columns, (int32_t)(unit / pieces));
    int64_t first = unit % pieces * FILTER_DEPTH, width = panel.tile->width;
    int64_t count = depth - first < FILTER_DEPTH ? depth - first : FILTER_DEPTH;
    for (int64_t d = 0; d < count; ++d)
        conv->kernels->winograd->weights_gradient(
            panel.tile->width, chunk->sums + panel.offset * depth + (first + d) * width,
            chunk->sum_tap, filters + d * IC_WINOGRAD_FILTER * width);
    for (int64_t n = 0; n < panel.columns; ++n) {
        float *to = chunk->arguments->out +
                    ((panel.first + n) * depth + first) * IC_WINOGRAD_FILTER;
        for (int64_t i = 0; i < count * IC_WINOGRAD_FILTER; ++i)
            to[i] = filters[i * width + n];
    }
}

static void run_unit(const ic_conv *conv, ic_conv_pass pass, int32_t phase, int64_t unit,
                     const ic_conv_arguments *arguments, float *scratch)
{
    tile_chunk chunk = chunk_of(conv, arguments, phase / 2);
    if (phase == conv->plans[pass].phases - 1)
        make_filters(&chunk, unit);
    else if (phase % 2 == 0)
        transform_tiles(&chunk, unit, scratch);
    else
        multiply(&chunk, unit);
}

static int64_t no_units(const ic_conv *conv, ic_conv_pass pass)
{
    return 0;
}

static void pack_nothing(const ic_conv *conv, ic_conv_pass pass, int64_t unit, const float *weights,
                         float *packed)
{
}

const ic_conv_algorithm ic_conv_winograd_weights = {.name = "winograd",
                                                    .plan = plan_weights,
                                                    .pack_units = no_units,
                                                    .pack = pack_nothing,
                                                    .units = count_units,
                                                    .run = run_unit};

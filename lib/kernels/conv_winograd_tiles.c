/* kernels/conv_winograd_tiles.c: the tiles of a picture and their pixels. SPDX-License-Identifier:
 * MIT */
#include "kernels/conv_winograd.h"
#include "kernels/transpose.h"

#include <math.h>
#include <string.h>

static bool axis_can(const ic_conv_axis *axis)
{
    return axis->taps == 3 && axis->step == 1 && axis->spread == 1 && axis->stride == 1;
}

ic_winograd_tiles ic_winograd_tiles_of(const ic_kernels *kernels, const ic_conv_plan *plan,
                                       const ic_conv_grid *grid)
{
    int32_t size = plan->algorithm->tiles;
    ic_winograd_tiles tiles = {.kernels = &kernels->winograd[size],
                               .filters = &kernels->winograd_filters[size]};
    tiles.down = (int32_t)ic_conv_divide_up(grid->h.count, tiles.kernels->out);
    tiles.across = (int32_t)ic_conv_divide_up(grid->w.count, tiles.kernels->out);
    tiles.count = (int64_t)grid->n * tiles.down * tiles.across;
    return tiles;
}

bool ic_winograd_can(const ic_conv *conv, ic_conv_pass pass, const ic_conv_plan *plan,
                     ic_conv_grid *grid, ic_winograd_tiles *tiles)
{
    ic_conv_grid_at(conv, pass, 0, grid);
    if (conv->kernels->winograd[plan->algorithm->tiles].out == 0 ||
        ic_conv_grid_count(&conv->shape, pass) != 1 || grid->groups != 1 || !axis_can(&grid->h) ||
        !axis_can(&grid->w))
        return false;
    *tiles = ic_winograd_tiles_of(conv->kernels, plan, grid);
    return true;
}

int64_t ic_winograd_weights(const ic_conv *conv, const ic_conv_grid *grid,
                            const ic_winograd_tiles *tiles)
{
    return tiles->kernels->taps * (int64_t)grid->depth *
           ic_conv_padded_columns(conv->kernels->gemm, grid->columns);
}

ic_winograd_place ic_winograd_place_of(const ic_winograd_tiles *tiles, int64_t tile)
{
    int64_t each = (int64_t)tiles->down * tiles->across;
    int64_t rest = tile % each;
    return (ic_winograd_place){.image = (int32_t)(tile / each),
                               .row = (int32_t)(rest / tiles->across) * tiles->kernels->out,
                               .column = (int32_t)(rest % tiles->across) * tiles->kernels->out};
}

size_t ic_winograd_reader_floats(int32_t side, int32_t c)
{
    return (size_t)ic_winograd_pitch(c) * (size_t)(side * side + 1);
}

ic_winograd_reader ic_winograd_reader_of(const ic_kernels *kernels, const ic_prologue *prologue,
                                         const ic_winograd_plane *plane, int32_t side,
                                         int64_t tap_stride, float *room)
{
    ic_winograd_reader r = {.kernels = kernels,
                            .prologue = prologue,
                            .plane = *plane,
                            .side = side,
                            .zeros = room,
                            .made = room + ic_winograd_pitch(plane->count),
                            .how = {.c = plane->count, .tap_stride = tap_stride}};
    memset(room, 0, (size_t)plane->count * sizeof(float));
    if (prologue == NULL)
        return r;
    /* A prologue whose activation is a clamp is applied in registers. */
    bool clamp = ic_conv_limits(prologue->activation, &r.how.low, &r.how.high);
    r.aside = !clamp || prologue->scale == NULL;
    if (!r.aside) {
        r.how.scale = prologue->scale + plane->first;
        r.how.shift = prologue->shift + plane->first;
    }
    return r;
}

/* Where a pixel's channels begin. */
static const float *pixel_at(const ic_winograd_plane *plane, int32_t image, int64_t row,
                             int64_t column)
{
    return plane->values +
           ((image * (int64_t)plane->h + row) * plane->w + column) * plane->channels + plane->first;
}

bool ic_winograd_pixels(const ic_winograd_reader *reader, int32_t image, int32_t row,
                        int32_t column, const float **pixels, float *inside)
{
    const ic_winograd_plane *plane = &reader->plane;
    const int32_t side = reader->side, h = plane->h, w = plane->w;
    const float *first = pixel_at(plane, image, row, column);
    const bool whole = row >= 0 && column >= 0 && row + side <= h && column + side <= w;
    for (int32_t i = 0; i < side; ++i)
        for (int32_t j = 0; j < side; ++j) {
            const int32_t at = i * side + j;
            const bool in =
                whole || (row + i >= 0 && row + i < h && column + j >= 0 && column + j < w);
            pixels[at] = in ? first + ((int64_t)i * w + j) * plane->channels : reader->zeros;
            inside[at] = in ? 1.0f : 0.0f;
            if (in && reader->aside) {
                float *made = reader->made + at * ic_winograd_pitch(plane->count);
                ic_conv_load(reader->kernels, reader->prologue, plane->first, 1, plane->count,
                             pixels[at], made);
                pixels[at] = made;
            }
        }
    return whole;
}

void ic_winograd_ask(const ic_winograd_tiles *tiles, const ic_winograd_plane *plane, int64_t first,
                     int64_t last, int64_t part, int64_t parts)
{
    const int32_t out = tiles->kernels->out;
    const int64_t end = first + ic_conv_cut(last - first, parts, part + 1);
    for (int64_t tile = first + ic_conv_cut(last - first, parts, part); tile < end; ++tile) {
        const ic_winograd_place at = ic_winograd_place_of(tiles, tile);
        for (int32_t i = at.row; i < at.row + out && i < plane->h; ++i)
            for (int32_t j = at.column; j < at.column + out && j < plane->w; ++j) {
                const float *pixel = pixel_at(plane, at.image, i, j);
                for (int32_t k = 0; k < plane->count; k += IC_CONV_LINE_FLOATS)
                    __builtin_prefetch(pixel + k, 0, 2);
            }
    }
}

void ic_winograd_gather(const ic_conv *conv, ic_conv_pass pass, const ic_conv_panel *panel,
                        int64_t first, int64_t count, const float *weights, float *filters)
{
    int64_t width = panel->tile->width, columns = panel->columns;
    int64_t row = (int64_t)conv->shape.c * IC_WINOGRAD_FILTER;
    if (columns < width)
        memset(filters, 0, (size_t)(count * IC_WINOGRAD_FILTER * width) * sizeof(float));
    if (pass == IC_CONV_FORWARD) {
        ic_transpose(columns, count * IC_WINOGRAD_FILTER,
                     weights + panel->first * row + first * IC_WINOGRAD_FILTER, row, filters,
                     width);
        return;
    }
    const float *from = weights + first * row + (int64_t)panel->first * IC_WINOGRAD_FILTER;
    float *last_tap = filters + (IC_WINOGRAD_FILTER - 1) * width; /* the taps are turned round */
    for (int64_t d = 0; d < count; ++d)
        ic_transpose(columns, IC_WINOGRAD_FILTER, from + d * row, IC_WINOGRAD_FILTER,
                     last_tap + d * IC_WINOGRAD_FILTER * width, -width);
}

void ic_winograd_transform(const ic_winograd_tiles *tiles, int64_t count, int32_t width,
                           const float *filters, int64_t tap_stride, float *u)
{
    enum { DEPTH = 8, HALF_MAX = IC_WINOGRAD_IN_MAX * 3 };
    float half[DEPTH * HALF_MAX * IC_GEMM_WIDTH_MAX];
    const int32_t in = tiles->kernels->in;
    for (int64_t d = 0; d < count; d += DEPTH) {
        int64_t depth = count - d < DEPTH ? count - d : DEPTH;
        tiles->filters->half(0, depth, depth, width, filters + d * IC_WINOGRAD_FILTER * width,
                             half);
        for (int32_t i = 0; i < in; ++i)
            tiles->filters->whole(depth, width, half + i * depth * 3 * width, tap_stride,
                                  u + i * in * tap_stride + d * width);
    }
}

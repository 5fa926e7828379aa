/* kernels/conv_grid.c: grids, packed weights and tiles. SPDX-License-Identifier: MIT */
#include "kernels/conv_grid.h"
#include "kernels/transpose.h"

#include <math.h>
#include <string.h>

int32_t ic_conv_grid_count(const ic_conv_shape *shape, ic_conv_pass pass)
{
    return pass == IC_CONV_BACKWARD_DATA ? shape->stride_h * shape->stride_w : 1;
}

static int32_t greatest_common_divisor(int32_t a, int32_t b)
{
    while (b != 0) {
        int32_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

static ic_conv_axis forward_axis(int32_t in, int32_t out, int32_t taps, int32_t stride, int32_t pad,
                                 int32_t dilation)
{
    return (ic_conv_axis){.in = in,
                          .out = out,
                          .count = out,
                          .first = 0,
                          .stride = 1,
                          .taps = taps,
                          .origin = -pad,
                          .step = stride,
                          .spread = dilation,
                          .tap_first = 0,
                          .tap_stride = 1};
}

/* The grid of the outputs that leave `remainder`: taps flipped, so that inputs ascend with j. */
static ic_conv_axis backward_axis(int32_t in, int32_t out, int32_t taps, int32_t stride,
                                  int32_t pad, int32_t dilation, int32_t remainder)
{
    int32_t common = greatest_common_divisor(stride, dilation);
    int32_t tap_step = stride / common;
    int32_t first_tap = 0;
    while (first_tap < tap_step && (remainder + pad - first_tap * dilation) % stride != 0)
        ++first_tap;
    int32_t used = 0;
    if (first_tap < tap_step && first_tap < taps)
        used = (taps - 1 - first_tap) / tap_step + 1;
    int32_t spread = dilation / common;
    int32_t last_tap = first_tap + (used - 1) * tap_step;
    return (ic_conv_axis){.in = in,
                          .out = out,
                          .count = out > remainder ? (out - remainder - 1) / stride + 1 : 0,
                          .first = remainder,
                          .stride = stride,
                          .taps = used,
                          .origin = used > 0 ? (remainder + pad - last_tap * dilation) / stride : 0,
                          .step = 1,
                          .spread = spread,
                          .tap_first = last_tap,
                          .tap_stride = -tap_step};
}

void ic_conv_grid_at(const ic_conv *conv, ic_conv_pass pass, int32_t index, ic_conv_grid *out)
{
    const ic_conv_shape *s = &conv->shape;
    out->n = s->n;
    out->groups = s->groups;
    if (pass != IC_CONV_BACKWARD_DATA) {
        out->h = forward_axis(s->h, s->oh, s->r, s->stride_h, s->pad_h, s->dilation_h);
        out->w = forward_axis(s->w, s->ow, s->s, s->stride_w, s->pad_w, s->dilation_w);
        out->depth = s->c / s->groups;
        out->columns = s->k / s->groups;
        out->packed = 0;
        return;
    }
    out->depth = s->k / s->groups;
    out->columns = s->c / s->groups;
    size_t tap_floats =
        (size_t)s->k * (size_t)ic_conv_padded_columns(conv->kernels->gemm, out->columns);
    size_t packed = 0;
    for (int32_t i = 0; i <= index; ++i) {
        out->h =
            backward_axis(s->oh, s->h, s->r, s->stride_h, s->pad_h, s->dilation_h, i / s->stride_w);
        out->w =
            backward_axis(s->ow, s->w, s->s, s->stride_w, s->pad_w, s->dilation_w, i % s->stride_w);
        out->packed = packed;
        packed += (size_t)out->h.taps * (size_t)out->w.taps * tap_floats;
    }
}

int64_t ic_conv_count_units(const ic_conv *conv, ic_conv_pass pass, ic_conv_grid_units_fn units)
{
    int64_t count = 0;
    for (int32_t i = 0; i < ic_conv_grid_count(&conv->shape, pass); ++i) {
        ic_conv_grid grid;
        ic_conv_grid_at(conv, pass, i, &grid);
        count += units(&conv->plans[pass], &grid);
    }
    return count;
}

int64_t ic_conv_find_grid(const ic_conv *conv, ic_conv_pass pass, ic_conv_grid_units_fn units,
                          int64_t unit, ic_conv_grid *grid)
{
    for (int32_t i = 0;; ++i) {
        ic_conv_grid_at(conv, pass, i, grid);
        int64_t count = units(&conv->plans[pass], grid);
        if (unit < count)
            return unit;
        unit -= count;
    }
}

void ic_conv_axis_inside(const ic_conv_axis *axis, int32_t i, int32_t *begin, int32_t *end)
{
    int32_t base = axis->origin + i * axis->step;
    int32_t low = 0, high = axis->taps;
    if (base < 0)
        low = (int32_t)ic_conv_divide_up(-base, axis->spread);
    if (base >= axis->in)
        high = 0;
    else if (high > (axis->in - 1 - base) / axis->spread + 1)
        high = (axis->in - 1 - base) / axis->spread + 1;
    *begin = low < high ? low : high;
    *end = high;
}

bool ic_conv_is_pointwise(const ic_conv_grid *grid)
{
    const ic_conv_axis *h = &grid->h, *w = &grid->w;
    return h->taps == 1 && w->taps == 1 && h->origin == 0 && w->origin == 0 && h->step == 1 &&
           w->step == 1 && h->stride == 1 && w->stride == 1 && h->count == h->in &&
           w->count == w->in;
}

int32_t ic_conv_panel_count(const ic_gemm_kernels *gemm, int32_t columns)
{
    return (columns + gemm->wide.width - 1) / gemm->wide.width;
}

ic_conv_panel ic_conv_panel_at(const ic_gemm_kernels *gemm, int32_t columns, int32_t index)
{
    int32_t first = index * gemm->wide.width;
    int32_t left = columns - first;
    bool narrow = left <= gemm->narrow.width;
    return (ic_conv_panel){.tile = narrow ? &gemm->narrow : &gemm->wide,
                           .first = first,
                           .columns = left < gemm->wide.width ? left : gemm->wide.width,
                           .offset = first};
}

int32_t ic_conv_padded_columns(const ic_gemm_kernels *gemm, int32_t columns)
{
    ic_conv_panel last = ic_conv_panel_at(gemm, columns, ic_conv_panel_count(gemm, columns) - 1);
    return last.offset + last.tile->width;
}

size_t ic_conv_packed_floats(const ic_conv *conv, ic_conv_pass pass)
{
    const ic_conv_shape *s = &conv->shape;
    int32_t columns = (pass == IC_CONV_BACKWARD_DATA ? s->c : s->k) / s->groups;
    int32_t depth = pass == IC_CONV_BACKWARD_DATA ? s->k : s->c;
    return (size_t)s->r * (size_t)s->s * (size_t)depth *
           (size_t)ic_conv_padded_columns(conv->kernels->gemm, columns);
}

int64_t ic_conv_grid_pack_units(const ic_conv *conv, ic_conv_pass pass)
{
    ic_conv_grid grid;
    ic_conv_grid_at(conv, pass, 0, &grid);
    return (int64_t)grid.groups * ic_conv_panel_count(conv->kernels->gemm, grid.columns);
}

/* Forward: packed[tap][c][n] = weights[n][c][tap]. */
static void pack_forward(const ic_conv_grid *grid, const ic_conv_panel *panel, const float *weights,
                         float *packed)
{
    int64_t width = panel->tile->width, depth = grid->depth;
    int64_t taps = (int64_t)grid->h.taps * grid->w.taps;
    if (taps == 1)
        ic_transpose(panel->columns, depth, weights, depth, packed, width);
    for (int64_t d = 0; taps > 1 && d < depth; ++d)
        ic_transpose(panel->columns, taps, weights + d * taps, depth * taps, packed + d * width,
                     depth * width);
}

/* Backward data: packed[tap][k][n] = weights[k][n][the grid's tap]; k's are k_stride apart. */
static void pack_backward(const ic_conv_grid *grid, const ic_conv_panel *panel, int64_t filter_h,
                          int64_t filter_w, const float *weights, int64_t k_stride, float *packed)
{
    int64_t width = panel->tile->width, depth = grid->depth;
    int64_t filter = filter_h * filter_w;
    if (filter > 1 && grid->h.taps == filter_h && grid->w.taps == filter_w) {
        packed += (filter - 1) * depth * width; /* all taps, the last one first */
        for (int64_t k = 0; k < depth; ++k, weights += k_stride, packed += width)
            ic_transpose(panel->columns, filter, weights, filter, packed, -depth * width);
        return;
    }
    for (int64_t k = 0; k < depth; ++k, weights += k_stride) {
        float *to = packed + k * width;
        for (int64_t i = 0; i < grid->h.taps; ++i)
            for (int64_t j = 0; j < grid->w.taps; ++j) {
                int64_t r = grid->h.tap_first + i * grid->h.tap_stride;
                int64_t s = grid->w.tap_first + j * grid->w.tap_stride;
                const float *from = weights + r * filter_w + s;
                for (int64_t n = 0; n < panel->columns; ++n)
                    to[n] = from[n * filter];
                to += depth * width;
            }
    }
}

void ic_conv_grid_pack(const ic_conv *conv, ic_conv_pass pass, int64_t unit, const float *weights,
                       float *packed)
{
    const ic_conv_shape *s = &conv->shape;
    int64_t filter = (int64_t)s->r * s->s;
    int64_t k_stride = filter * (s->c / s->groups);
    for (int32_t index = 0; index < ic_conv_grid_count(s, pass); ++index) {
        ic_conv_grid grid;
        ic_conv_grid_at(conv, pass, index, &grid);
        int32_t panels = ic_conv_panel_count(conv->kernels->gemm, grid.columns);
        int64_t group = unit / panels;
        ic_conv_panel panel =
            ic_conv_panel_at(conv->kernels->gemm, grid.columns, (int32_t)(unit % panels));
        int64_t reads = (int64_t)grid.h.taps * grid.w.taps * grid.depth;
        int64_t padded = ic_conv_padded_columns(conv->kernels->gemm, grid.columns);
        float *to = packed + grid.packed + reads * (group * padded + panel.offset);
        const float *from = weights + group * (s->k / s->groups) * k_stride;
        if (panel.columns < panel.tile->width)
            memset(to, 0, (size_t)(reads * panel.tile->width) * sizeof(float));
        if (pass == IC_CONV_BACKWARD_DATA)
            pack_backward(&grid, &panel, s->r, s->s, from + panel.first * filter, k_stride, to);
        else
            pack_forward(&grid, &panel, from + panel.first * k_stride, to);
    }
}

double ic_conv_tile_cost(const ic_gemm_tile *tile, int64_t rows, double reads)
{
    double tiles = (double)ic_conv_divide_up(rows, tile->rows);
    double height = (double)rows / tiles;
    return tiles * ((height > tile->busy ? height : tile->busy) * reads + IC_CONV_TILE_STEPS);
}

/* Asks for rows of c that will be written: stores that miss the caches hold up what follows. */
static void ask_rows(const ic_gemm_rows *sum, int64_t rows, const float *c)
{
    for (int64_t i = 0; i < rows; ++i, c += sum->ldc)
        for (int32_t k = 0; k < sum->columns; k += IC_CONV_LINE_FLOATS)
            __builtin_prefetch(c + k, 1, 3);
}

void ic_conv_tiles(const ic_gemm_tile *tile, const ic_gemm_rows *sum, int64_t rows, const float *a,
                   const float *b, float *c)
{
    int64_t tiles = ic_conv_divide_up(rows, tile->rows);
    for (int64_t left = tiles; left > 0; --left) {
        int64_t height = ic_conv_divide_up(rows, left);
        if (left > 1)
            ask_rows(sum, height, c + height * sum->ldc);
        tile->rows_fn[height](sum, a, b, c);
        a += height * sum->lda;
        c += height * sum->ldc;
        rows -= height;
    }
}

void ic_conv_column_tiles(const ic_gemm_tile *tile, const ic_gemm_columns *sum, int64_t rows,
                          const float *a, const float *b, float *c)
{
    int64_t tiles = ic_conv_divide_up(rows, tile->rows);
    for (int64_t left = tiles; left > 0; --left) {
        int64_t height = ic_conv_divide_up(rows, left);
        tile->columns_fn[height](sum, a, b, c);
        a += height;
        c += height * sum->ldc;
        rows -= height;
    }
}

void ic_conv_load(const ic_kernels *kernels, const ic_prologue *prologue, int32_t channel,
                  int64_t rows, int32_t c, const float *x, float *y)
{
    if (prologue == NULL)
        memcpy(y, x, (size_t)rows * (size_t)c * sizeof(float));
    else if (prologue->scale == NULL)
        kernels->activate((ic_activation)prologue->activation, rows * c, x, y);
    else
        kernels->affine(rows, c, x, prologue->scale + channel, prologue->shift + channel,
                        (ic_activation)prologue->activation, y);
}

void ic_conv_load_row(const ic_kernels *kernels, const ic_conv_grid *grid,
                      const ic_prologue *prologue, const float *row, float *out)
{
    const ic_conv_axis *w = &grid->w;
    int64_t depth = grid->depth;
    int64_t pixels = ic_conv_padded_pixels(grid);
    int64_t left = w->origin < 0 ? -(int64_t)w->origin : 0;
    int64_t from = w->origin > 0 ? w->origin : 0;
    left = left < pixels ? left : pixels;
    int64_t inside = w->in - from < pixels - left ? w->in - from : pixels - left;
    inside = inside > 0 ? inside : 0;
    int64_t right = pixels - left - inside;
    memset(out, 0, (size_t)(left * depth) * sizeof(float));
    ic_conv_load(kernels, prologue, 0, inside, grid->depth, row + from * depth, out + left * depth);
    memset(out + (left + inside) * depth, 0, (size_t)(right * depth) * sizeof(float));
}

static void apply_epilogue(const ic_conv *conv, const ic_epilogue *epilogue, float *out,
                           int64_t first, int64_t rows, int32_t channel, int32_t columns)
{
    int64_t k = conv->shape.k;
    float *y = out + first * k + channel;
    const float *bias = epilogue->bias != NULL ? epilogue->bias + channel : NULL;
    const float *residual =
        epilogue->residual != NULL ? epilogue->residual + first * k + channel : NULL;
    bool relu = epilogue->activation == IC_ACTIVATION_RELU;
    if (!relu && epilogue->activation != IC_ACTIVATION_NONE && bias != NULL && residual == NULL) {
        conv->kernels->activate_rows((ic_activation)epilogue->activation, rows, columns, k, bias,
                                     y);
        return;
    }
    if (bias != NULL || residual != NULL || relu)
        conv->kernels->gemm->finish(rows, columns, k, bias, residual, relu ? 0.0f : -INFINITY, y);
    if (relu || epilogue->activation == IC_ACTIVATION_NONE)
        return;
    bool whole = columns == k; /* then the rows are one */
    int64_t count = whole ? rows * k : columns;
    for (int64_t i = 0; i < (whole ? 1 : rows); ++i)
        conv->kernels->activate((ic_activation)epilogue->activation, count, y + i * k, y + i * k);
}

bool ic_conv_limits(int32_t activation, float *low, float *high)
{
    bool relu6 = activation == IC_ACTIVATION_RELU6, relu = activation == IC_ACTIVATION_RELU;
    *low = relu || relu6 ? 0 : -INFINITY;
    *high = relu6 ? 6 : INFINITY;
    return relu || relu6 || activation == IC_ACTIVATION_NONE;
}

ic_gemm_clamp ic_conv_clamp(const ic_conv *conv, const ic_conv_arguments *arguments)
{
    const ic_epilogue *e = arguments->epilogue;
    ic_gemm_clamp clamp = {0};
    if (conv->kernels->gemm->clamps && e != NULL && e->residual == NULL &&
        arguments->sums == NULL && ic_conv_limits(e->activation, &clamp.low, &clamp.high))
        clamp.bias = e->bias;
    return clamp;
}

/* Channels of the output, of which each block has two sums. */
static int64_t output_channels(const ic_conv *conv, ic_conv_pass pass)
{
    return pass == IC_CONV_BACKWARD_DATA ? conv->shape.c : conv->shape.k;
}

void ic_conv_finish(const ic_conv *conv, ic_conv_pass pass, const ic_conv_arguments *arguments,
                    int64_t block, int64_t first, int64_t rows, int32_t channel, int32_t columns)
{
    int64_t channels = output_channels(conv, pass), at = first * channels + channel;
    float *y = arguments->out + at;
    float *sums = arguments->sums;
    if (sums != NULL)
        sums += 2 * block * channels + channel;
    const ic_norm_gradient *g = arguments->gradient;
    if (pass == IC_CONV_BACKWARD_DATA) {
        if (g != NULL)
            conv->kernels->norm_gradient(rows, columns, channels, g->x + at, g->scale + channel,
                                         g->shift + channel, g->mean + channel,
                                         (ic_activation)g->activation, y, y, sums, sums + channels);
        return;
    }
    if (arguments->epilogue != NULL)
        apply_epilogue(conv, arguments->epilogue, arguments->out, first, rows, channel, columns);
    if (sums != NULL)
        conv->kernels->gemm->sum(rows, columns, channels, y, sums, sums + channels);
}

void ic_conv_clear_sums(const ic_conv *conv, ic_conv_pass pass, const ic_conv_arguments *arguments,
                        int64_t block, int32_t channel, int32_t columns)
{
    if (arguments->sums == NULL)
        return;
    int64_t channels = output_channels(conv, pass);
    float *sums = arguments->sums + 2 * block * channels + channel;
    memset(sums, 0, (size_t)columns * sizeof(float));
    memset(sums + channels, 0, (size_t)columns * sizeof(float));
}

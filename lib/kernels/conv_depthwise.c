/*
 * kernels/conv_depthwise.c: convolutions with one filter for each channel, any size and stride.
 * Packed weights are [tap][c]; the taps that read padding are left out. SPDX-License-Identifier:
 * MIT
 */
#include "kernels/conv_depthwise.h"
#include "kernels/depthwise.h"

#include <string.h>

/* The plan's cut. */
enum {
    ROWS, /* of outputs in a unit, or in a block of the weights' gradient */
    PARTS /* of the blocks of the weights' gradient; one sum each */
};

enum { WANTED_UNITS = 16, BLOCK_FLOATS = 16 * 1024, ROWS_MIN = 4 };

/* The columns of input between the first tap of the first output and the last tap of the last one.
 */
static int64_t columns_read(const ic_conv_grid *grid)
{
    return (int64_t)(grid->w.count - 1) * grid->w.step +
           (int64_t)(grid->w.taps - 1) * grid->w.spread + 1;
}

static double plan_depthwise(const ic_conv *conv, ic_conv_pass pass, ic_conv_plan *plan)
{
    const ic_conv_shape *s = &conv->shape;
    if (s->groups != s->c || s->k != s->c)
        return -1;
    ic_conv_grid grid;
    ic_conv_grid_at(conv, pass, 0, &grid);
    bool weights = pass == IC_CONV_BACKWARD_WEIGHTS;
    int64_t width = weights ? columns_read(&grid) : grid.w.in;
    int64_t rows = BLOCK_FLOATS / (width * grid.h.step * s->c) + 1;
    rows = rows < ROWS_MIN ? ROWS_MIN : rows > grid.h.count ? grid.h.count : rows;
    int64_t blocks = s->n * ic_conv_divide_up(grid.h.count, rows);
    int64_t sum = (int64_t)s->r * s->s * s->c;
    plan->phases = weights ? 2 : 1;
    plan->block[ROWS] = (int32_t)rows;
    plan->block[PARTS] = (int32_t)(blocks < WANTED_UNITS ? blocks : WANTED_UNITS);
    plan->packed_floats = weights ? 0 : (size_t)sum;
    plan->sum_blocks = ic_conv_grid_count(s, pass) == 1 ? (int32_t)blocks : 0;
    plan->shared_floats = weights ? (size_t)(plan->block[PARTS] * sum) : 0;
    int64_t copied = weights || grid.h.step * rows < s->h ? ic_conv_rows_read(&grid, rows) : s->h;
    plan->scratch_floats = pass == IC_CONV_BACKWARD_DATA ? 0 : (size_t)(copied * width * s->c);
    return 0; /* nothing else comes near */
}

int64_t ic_conv_depthwise_pack_units(const ic_conv *conv, ic_conv_pass pass)
{
    return pass == IC_CONV_BACKWARD_WEIGHTS ? 0 : 1;
}

void ic_conv_depthwise_pack(const ic_conv *conv, ic_conv_pass pass, int64_t unit,
                            const float *weights, float *packed)
{
    int64_t taps = (int64_t)conv->shape.r * conv->shape.s;
    for (int64_t tap = 0; tap < taps; ++tap)
        for (int64_t c = 0; c < conv->shape.c; ++c)
            *packed++ = weights[c * taps + tap];
}

static int64_t grid_blocks(const ic_conv_plan *plan, const ic_conv_grid *grid)
{
    return grid->n * ic_conv_divide_up(grid->h.count, plan->block[ROWS]);
}

static int64_t count_units(const ic_conv *conv, ic_conv_pass pass, int32_t phase)
{
    const ic_conv_plan *plan = &conv->plans[pass];
    if (pass == IC_CONV_BACKWARD_WEIGHTS)
        return phase == 0 ? plan->block[PARTS] : 1;
    return ic_conv_count_units(conv, pass, grid_blocks);
}

/* Output row i of a picture; x is row 0 of the input, y of the output. */
static void convolve_row(const ic_conv *conv, const ic_conv_grid *grid, const float *packed,
                         bool accumulate, int32_t i, const float *x, float *y)
{
    const ic_depthwise_kernels *kernels = conv->kernels->depthwise;
    const ic_conv_axis *h = &grid->h, *w = &grid->w;
    int64_t c = conv->shape.c, in_row = w->in * c;
    int32_t top, bottom, begin, end;
    ic_conv_axis_inside(h, i, &top, &bottom);
    ic_depthwise_sum sum = {.rows = bottom - top,
                            .c = (int32_t)c,
                            .x_row = h->spread * in_row,
                            .x_tap = w->spread * c,
                            .x_step = w->step * c,
                            .w_row = (int64_t)h->tap_stride * conv->shape.s * c,
                            .w_tap = w->tap_stride * c,
                            .y_step = w->stride * c,
                            .accumulate = accumulate};
    x += (h->origin + i * h->step + top * h->spread) * in_row;
    y += (int64_t)(h->first + i * h->stride) * w->out * c + w->first * c;
    packed += ((int64_t)(h->tap_first + top * h->tap_stride) * conv->shape.s + w->tap_first) * c;
    for (int32_t j = 0; j < w->count;) {
        ic_conv_axis_inside(w, j, &begin, &end);
        int32_t next = j + 1; /* outputs whose taps are all inside go together */
        if (end - begin == w->taps) {
            int32_t last = (w->in - 1 - (w->taps - 1) * w->spread - w->origin) / w->step;
            next = last + 1 < w->count ? last + 1 : w->count;
            next = next > j ? next : j + 1;
        }
        sum.taps = end - begin;
        kernels->convolve(&sum, next - j, x + (w->origin + j * w->step + begin * w->spread) * c,
                          packed + begin * sum.w_tap, y + j * sum.y_step);
        j = next;
    }
}

static void convolve_block(const ic_conv *conv, ic_conv_pass pass, int64_t unit,
                           const ic_conv_arguments *arguments, float *scratch)
{
    const ic_conv_plan *plan = &conv->plans[pass];
    bool forward = pass == IC_CONV_FORWARD;
    ic_conv_grid grid;
    unit = ic_conv_find_grid(conv, pass, grid_blocks, unit, &grid);
    int64_t c = conv->shape.c, in_row = grid.w.in * c;
    int64_t pieces = ic_conv_divide_up(grid.h.count, plan->block[ROWS]);
    int64_t image = unit / pieces;
    int32_t first = (int32_t)(unit % pieces) * plan->block[ROWS];
    int32_t last = first + plan->block[ROWS];
    last = last < grid.h.count ? last : grid.h.count;
    const float *x = (forward ? arguments->x : arguments->d_y) + image * grid.h.in * in_row;
    float *y = arguments->out + image * grid.h.out * grid.w.out * c;
    int32_t from = 0;
    if (forward && arguments->prologue != NULL) {
        int32_t begin = grid.h.origin + first * grid.h.step;
        int32_t end = begin + (int32_t)ic_conv_rows_read(&grid, last - first);
        from = begin < 0 ? 0 : begin < grid.h.in ? begin : grid.h.in;
        end = end < from ? from : end < grid.h.in ? end : grid.h.in;
        ic_conv_load(conv->kernels, arguments->prologue, 0, (int64_t)(end - from) * grid.w.in,
                     (int32_t)c, x + from * in_row, scratch);
        x = scratch;
    }
    ic_conv_grid shifted = grid; /* input row 0 is row `from` of the picture */
    shifted.h.origin -= from;
    shifted.h.in -= from;
    for (int32_t i = first; i < last; ++i)
        convolve_row(conv, &shifted, arguments->packed, arguments->accumulate, i, x, y);
    if (plan->sum_blocks == 0)
        return;
    int64_t pixel = (image * grid.h.out + first) * grid.w.out;
    int64_t pixels = (int64_t)(last - first) * grid.w.out;
    ic_conv_clear_sums(conv, pass, arguments, unit, 0, (int32_t)c);
    ic_conv_finish(conv, pass, arguments, unit, pixel, pixels, 0, (int32_t)c);
}

/* The input rows of the block, padded on all sides. */
static void load_padded(const ic_conv *conv, const ic_conv_grid *grid,
                        const ic_conv_arguments *arguments, int64_t image, int32_t first,
                        int32_t rows, float *copy)
{
    int64_t c = conv->shape.c, width = columns_read(grid);
    ic_conv_grid one = *grid; /* as if one filter over all channels, all columns in one span */
    one.depth = (int32_t)c;
    one.w.count = 1;
    one.w.taps = (int32_t)width;
    int32_t row = grid->h.origin + first * grid->h.step;
    for (int64_t i = ic_conv_rows_read(grid, rows); i > 0; --i, ++row, copy += width * c) {
        if (row < 0 || row >= grid->h.in)
            memset(copy, 0, (size_t)(width * c) * sizeof(float));
        else
            ic_conv_load_row(conv->kernels, &one, arguments->prologue,
                             arguments->x + (image * grid->h.in + row) * grid->w.in * c, copy);
    }
}

/* How many of the taps that are left go together: 9; 9 8 8; 9 8 8 8 8 8. */
static int32_t taps_together(int32_t left)
{
    if (left >= 8)
        return left % 8 == 0 ? 8 : 9;
    return left >= 3 ? 3 : 1;
}

/* Adds block `block` to the sums [tap][c], or sets them. */
static void correlate_block(const ic_conv *conv, const ic_conv_grid *grid, int64_t block,
                            const ic_conv_arguments *arguments, bool accumulate, float *sums,
                            float *scratch)
{
    const ic_conv_plan *plan = &conv->plans[IC_CONV_BACKWARD_WEIGHTS];
    int64_t c = conv->shape.c, width = columns_read(grid);
    int64_t pieces = ic_conv_divide_up(grid->h.count, plan->block[ROWS]);
    int64_t image = block / pieces;
    int32_t first = (int32_t)(block % pieces) * plan->block[ROWS];
    int32_t rows = grid->h.count - first;
    rows = rows < plan->block[ROWS] ? rows : plan->block[ROWS];
    load_padded(conv, grid, arguments, image, first, rows, scratch);
    ic_depthwise_correlation sum = {.rows = rows,
                                    .columns = grid->w.count,
                                    .c = (int32_t)c,
                                    .x_row = grid->h.step * width * c,
                                    .x_step = grid->w.step * c,
                                    .y_row = grid->w.count * c,
                                    .y_step = c,
                                    .accumulate = accumulate};
    int32_t taps = grid->h.taps * grid->w.taps;
    for (int32_t tap = 0; tap < taps; tap += sum.taps) {
        sum.taps = taps_together(taps - tap);
        for (int32_t t = 0; t < sum.taps; ++t) {
            int64_t r = (tap + t) / grid->w.taps, s = (tap + t) % grid->w.taps;
            sum.offset[t] = (r * grid->h.spread * width + s * grid->w.spread) * c;
        }
        conv->kernels->depthwise->correlate(
            &sum, scratch, arguments->d_y + (image * grid->h.count + first) * grid->w.count * c,
            sums + tap * c);
    }
}

static void correlate_part(const ic_conv *conv, int64_t part, const ic_conv_arguments *arguments,
                           float *scratch)
{
    const ic_conv_plan *plan = &conv->plans[IC_CONV_BACKWARD_WEIGHTS];
    ic_conv_grid grid;
    ic_conv_grid_at(conv, IC_CONV_BACKWARD_WEIGHTS, 0, &grid);
    int64_t blocks = grid_blocks(plan, &grid);
    int64_t begin = ic_conv_cut(blocks, plan->block[PARTS], part);
    int64_t end = ic_conv_cut(blocks, plan->block[PARTS], part + 1);
    float *sums = arguments->shared + part * (int64_t)conv->shape.r * conv->shape.s * conv->shape.c;
    for (int64_t i = begin; i < end; ++i)
        correlate_block(conv, &grid, i, arguments, i > begin, sums, scratch);
}

static void add_parts(const ic_conv *conv, const ic_conv_arguments *arguments)
{
    int64_t taps = (int64_t)conv->shape.r * conv->shape.s, c = conv->shape.c;
    for (int64_t part = 1; part < conv->plans[IC_CONV_BACKWARD_WEIGHTS].block[PARTS]; ++part)
        conv->kernels->accumulate(taps * c, arguments->shared + part * taps * c, arguments->shared);
    for (int64_t i = 0; i < c; ++i)
        for (int64_t tap = 0; tap < taps; ++tap)
            arguments->out[i * taps + tap] = arguments->shared[tap * c + i];
}

static void run_unit(const ic_conv *conv, ic_conv_pass pass, int32_t phase, int64_t unit,
                     const ic_conv_arguments *arguments, float *scratch)
{
    if (pass != IC_CONV_BACKWARD_WEIGHTS)
        convolve_block(conv, pass, unit, arguments, scratch);
    else if (phase == 0)
        correlate_part(conv, unit, arguments, scratch);
    else
        add_parts(conv, arguments);
}

const ic_conv_algorithm ic_conv_depthwise = {.name = "depthwise",
                                             .plan = plan_depthwise,
                                             .pack_units = ic_conv_depthwise_pack_units,
                                             .pack = ic_conv_depthwise_pack,
                                             .units = count_units,
                                             .run = run_unit};

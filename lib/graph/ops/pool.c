/* graph/ops/pool.c: maximum and average over windows, and the maximum over whole pictures.
 * SPDX-License-Identifier: MIT */
#include "graph/elementwise.h"
#include "graph/lowering.h"

#include <string.h>

enum { WINDOW_PLACES_MAX = 256 }; /* as in the kernels: the winner of a maximum is a byte */

static ic_status infer_window(const ic_graph *graph, ic_graph_node *node)
{
    char label[IC_NODE_LABEL_MAX];
    const ic_attributes *a = &node->attributes;
    ic_shape x = ic_graph_input_of(graph, node, 0);
    if (a->padding > a->size / 2)
        return ic_fail(IC_ERROR_ARGUMENT, "%s: padding %d is more than half its window of %d",
                       ic_graph_label(node, label), a->padding, a->size);
    if (a->size * a->size > WINDOW_PLACES_MAX)
        return ic_fail(IC_ERROR_LIMIT, "%s: its window is %d pixels wide, the limit is 16",
                       ic_graph_label(node, label), a->size);
    IC_TRY(ic_graph_window_size(node, x.h, &node->shape.h));
    IC_TRY(ic_graph_window_size(node, x.w, &node->shape.w));
    node->shape.c = x.c;
    return IC_OK;
}

static ic_status infer_global(const ic_graph *graph, ic_graph_node *node)
{
    ic_shape x = ic_graph_input_of(graph, node, 0);
    if (x.h > WINDOW_PLACES_MAX || x.w > WINDOW_PLACES_MAX)
        return ic_fail(IC_ERROR_LIMIT,
                       "global_max_pool: its input is %d x %d pixels, the limit is %d a side", x.h,
                       x.w, WINDOW_PLACES_MAX);
    node->shape = (ic_shape){.h = 1, .w = 1, .c = x.c};
    return IC_OK;
}

/*
 * ---- Steps. Forward, a unit is `piece` rows of output of one picture, or `count` whole small
 * pictures; backward, `count` pictures ----
 */

static void cut_pictures(ic_step *step, int32_t batch)
{
    enum { UNIT_FLOATS = 32768 };
    const ic_window *w = &step->window;
    int64_t row = (int64_t)w->c * w->w * w->h / w->oh; /* of input, for a row of output */
    int64_t rows = row < UNIT_FLOATS ? UNIT_FLOATS / row : 1;
    step->rows = batch;
    step->piece = rows < w->oh ? rows : w->oh;
    int64_t pictures = rows / w->oh;
    step->count = (int32_t)(pictures < 1 ? 1 : pictures < batch ? pictures : batch);
}

static int64_t picture_blocks(const ic_step *step)
{
    return (step->rows + step->count - 1) / step->count;
}

static int64_t row_blocks(const ic_step *step)
{
    return (step->window.oh + step->piece - 1) / step->piece;
}

static int64_t forward_units(const ic_run *run, const ic_step *step, int32_t phase)
{
    return picture_blocks(step) * row_blocks(step);
}

static int64_t backward_units(const ic_run *run, const ic_step *step, int32_t phase)
{
    return picture_blocks(step);
}

static ic_piece pictures_of(const ic_step *step, int64_t block)
{
    int64_t first = block * step->count, left = step->rows - first;
    return (ic_piece){.first = first, .rows = left < step->count ? left : step->count};
}

static int64_t input_floats(const ic_window *w)
{
    return (int64_t)w->h * w->w * w->c;
}

static int64_t output_floats(const ic_window *w)
{
    return (int64_t)w->oh * w->ow * w->c;
}

/* The memory of winners is bytes; a window without one is an average. */
static uint8_t *index_at(const ic_run *run, int32_t tensor, int64_t picture, const ic_window *w)
{
    uint8_t *index = (uint8_t *)ic_at(run, tensor);
    return index != NULL ? index + picture * output_floats(w) : NULL;
}

/* The input rows that output rows [first, last) read. */
static ic_piece rows_read(const ic_window *w, int32_t first, int32_t last)
{
    int32_t begin = first * w->stride_h - w->pad_h,
            end = (last - 1) * w->stride_h - w->pad_h + w->r;
    begin = begin > 0 ? begin : 0;
    end = end < w->h ? end : w->h;
    return (ic_piece){.first = begin, .rows = end - begin};
}

/* The window of output rows [first, last) over the input rows that they read. */
static ic_window part_window(const ic_window *w, int32_t first, int32_t last)
{
    ic_piece rows = rows_read(w, first, last);
    ic_window part = *w;
    part.h = (int32_t)rows.rows;
    part.oh = last - first;
    part.pad_h = (int32_t)rows.first - (first * w->stride_h - w->pad_h);
    return part;
}

static bool reads_value(const ic_step *step)
{
    return step->x[0].tensor >= 0;
}

/* Rows of a value whose scale, shift and activation wait: they are applied into scratch. */
static void pool_value(const ic_run *run, const ic_step *step, int64_t picture, int32_t first,
                       int32_t last, float *y, uint8_t *index, float *scratch)
{
    const ic_kernels *kernels = run->program->kernels;
    const ic_window *w = &step->window;
    ic_window part = part_window(w, first, last);
    int64_t row = (int64_t)w->w * w->c, out_row = (int64_t)w->ow * w->c;
    const float *x = ic_at(run, step->x[0].tensor) + picture * input_floats(w) +
                     rows_read(w, first, last).first * row;
    kernels->affine((int64_t)part.h * w->w, w->c, x, ic_at(run, step->x[0].scale),
                    ic_at(run, step->x[0].shift), step->x[0].activation, scratch);
    kernels->max_pool(&part, 0, part.oh, scratch, y + first * out_row,
                      index != NULL ? index + first * out_row : NULL);
}

static void run_forward(const ic_run *run, const ic_step *step, int64_t unit, bool maximum,
                        float *scratch)
{
    const ic_kernels *kernels = run->program->kernels;
    const ic_window *w = &step->window;
    ic_piece pictures = pictures_of(step, unit / row_blocks(step));
    int32_t first = (int32_t)(unit % row_blocks(step) * step->piece);
    int32_t last = first + (int32_t)step->piece < w->oh ? first + (int32_t)step->piece : w->oh;
    for (int64_t i = pictures.first; i < pictures.first + pictures.rows; i++) {
        float *y = ic_at(run, step->writes[0]) + i * output_floats(w);
        uint8_t *index = maximum ? index_at(run, step->writes[1], i, w) : NULL;
        if (reads_value(step)) {
            pool_value(run, step, i, first, last, y, index, scratch);
            continue;
        }
        const float *x = ic_at(run, step->reads[0]) + i * input_floats(w);
        if (maximum)
            kernels->max_pool(w, first, last, x, y, index);
        else
            kernels->average_pool(w, first, last, x, y);
    }
}

static void run_max(const ic_run *run, const ic_step *step, int32_t phase, int64_t unit,
                    float *scratch)
{
    run_forward(run, step, unit, true, scratch);
}

static void run_average(const ic_run *run, const ic_step *step, int32_t phase, int64_t unit,
                        float *scratch)
{
    run_forward(run, step, unit, false, scratch);
}

static void run_backward(const ic_run *run, const ic_step *step, int64_t unit, bool maximum)
{
    const ic_kernels *kernels = run->program->kernels;
    const ic_window *w = &step->window;
    ic_piece pictures = pictures_of(step, unit);
    float *d_x = ic_at(run, step->writes[0]) + pictures.first * input_floats(w);
    if (!step->accumulate && !maximum)
        memset(d_x, 0, (size_t)(pictures.rows * input_floats(w)) * sizeof *d_x);
    for (int64_t i = pictures.first; i < pictures.first + pictures.rows; i++) {
        const float *d_y = ic_at(run, step->reads[0]) + i * output_floats(w);
        if (maximum)
            kernels->max_pool_backward(w, step->accumulate, d_y,
                                       index_at(run, step->reads[1], i, w), d_x);
        else
            kernels->average_pool_backward(w, d_y, d_x);
        d_x += input_floats(w);
    }
}

/* Ends rows [first, last) of a picture's gradient, whose windows are done, by the batch norm's. */
static void finish_rows(const ic_run *run, const ic_step *step, int64_t picture, int32_t first,
                        int32_t last, float *sums)
{
    const ic_window *w = &step->window;
    ic_norm_gradient g = ic_step_norm_gradient(run, step);
    int64_t at = picture * input_floats(w) + (int64_t)first * w->w * w->c;
    float *d_x = ic_at(run, step->writes[0]) + at;
    run->program->kernels->norm_gradient((int64_t)(last - first) * w->w, w->c, w->c, g.x + at,
                                         g.scale, g.shift, g.mean, (ic_activation)g.activation, d_x,
                                         d_x, sums, sums + w->c);
}

/*
 * A picture a few rows at a time: each row is cleared, filled by the windows that reach it, and
 * ended while it is in the cache.
 */
static void backward_picture(const ic_run *run, const ic_step *step, int64_t picture, float *sums)
{
    const ic_window *w = &step->window;
    int64_t row = (int64_t)w->w * w->c, out_row = (int64_t)w->ow * w->c;
    float *d_x = ic_at(run, step->writes[0]) + picture * input_floats(w);
    const float *d_y = ic_at(run, step->reads[0]) + picture * output_floats(w);
    const uint8_t *index = index_at(run, step->reads[1], picture, w);
    int32_t cleared = 0, finished = 0;
    for (int32_t i = 0; i < w->oh; i++) {
        ic_piece rows = rows_read(w, i, i + 1);
        ic_window part = part_window(w, i, i + 1);
        int32_t end = (int32_t)(rows.first + rows.rows);
        int32_t next = i + 1 < w->oh ? (i + 1) * w->stride_h - w->pad_h : w->h;
        end = i + 1 < w->oh ? end : w->h;
        if (!step->accumulate && end > cleared)
            memset(d_x + cleared * row, 0, (size_t)((end - cleared) * row) * sizeof *d_x);
        cleared = end > cleared ? end : cleared;
        run->program->kernels->max_pool_backward(&part, true, d_y + i * out_row,
                                                 index + i * out_row, d_x + rows.first * row);
        if (next > finished) {
            next = next < cleared ? next : cleared;
            finish_rows(run, step, picture, finished, next, sums);
            finished = next;
        }
    }
}

static void run_max_backward(const ic_run *run, const ic_step *step, int32_t phase, int64_t unit,
                             float *scratch)
{
    if (step->writes[IC_WRITE_GRADIENT_SUMS] < 0) {
        run_backward(run, step, unit, true);
        return;
    }
    ic_piece pictures = pictures_of(step, unit);
    int64_t c = step->window.c;
    float *sums = ic_at(run, step->writes[IC_WRITE_GRADIENT_SUMS]) + unit * 2 * c;
    memset(sums, 0, 2 * (size_t)c * sizeof *sums);
    for (int64_t i = pictures.first; i < pictures.first + pictures.rows; i++)
        backward_picture(run, step, i, sums);
}

static void run_average_backward(const ic_run *run, const ic_step *step, int32_t phase,
                                 int64_t unit, float *scratch)
{
    run_backward(run, step, unit, false);
}

static const ic_step_kind step_max = {"max pool", forward_units, run_max};
static const ic_step_kind step_average = {"average pool", forward_units, run_average};
static const ic_step_kind step_max_backward = {"max pool backward", backward_units,
                                               run_max_backward};
static const ic_step_kind step_average_backward = {"average pool backward", backward_units,
                                                   run_average_backward};

/* ---- Lowering ---- */

static ic_window window_of(const ic_lowering *l, int32_t node)
{
    const ic_graph_node *n = ic_lower_node(l, node);
    const ic_attributes *a = &n->attributes;
    ic_shape x = ic_graph_input_of(l->graph, n, 0);
    ic_window w = {.h = x.h, .w = x.w, .c = x.c, .oh = n->shape.h, .ow = n->shape.w};
    bool global = n->op == &ic_operator_global_max_pool;
    w.r = global ? x.h : a->size;
    w.s = global ? x.w : a->size;
    w.stride_h = w.stride_w = global ? 1 : a->stride;
    w.pad_h = w.pad_w = global ? 0 : a->padding;
    w.count_padding = true;
    return w;
}

static bool is_maximum(const ic_lowering *l, int32_t node)
{
    const ic_operator *op = ic_lower_node(l, node)->op;
    return op == &ic_operator_max_pool || op == &ic_operator_global_max_pool;
}

/*
 * Windows of more places than a byte counts (global maxima of large pictures) go in two steps: the
 * maxima of columns, then of the row that is left. part 0 is the first of them.
 */
static bool goes_in_two(const ic_window *w)
{
    return w->r * w->s > WINDOW_PLACES_MAX;
}

static ic_window part_of(const ic_window *whole, int32_t part)
{
    ic_window w = *whole;
    w.r = part == 0 ? whole->r : 1;
    w.s = part == 0 ? 1 : whole->s;
    w.h = part == 0 ? whole->h : 1;
    w.ow = part == 0 ? whole->w : 1;
    return w;
}

/* The step of a window over x, a value that waits only for a maximum. */
static ic_status lower_window(ic_lowering *l, int32_t node, const ic_window *window, ic_value x,
                              int32_t *index, int32_t *y)
{
    bool maximum = is_maximum(l, node);
    ic_shape shape = {.h = window->oh, .w = window->ow, .c = window->c};
    ic_step step = ic_step_of(maximum ? &step_max : &step_average, node);
    step.window = *window;
    cut_pictures(&step, l->program->batch);
    if (ic_value_is_plain(x)) {
        step.reads[0] = x.tensor;
    } else {
        int64_t rows = rows_read(window, 0, (int32_t)step.piece).rows + window->pad_h;
        step.x[0] = x;
        step.scratch_bytes = (size_t)(rows * window->w * window->c) * sizeof(float);
    }
    IC_TRY(ic_lower_tensor(l, shape, &step.writes[0]));
    if (maximum && ic_lower_trains(l))
        IC_TRY(ic_lower_bytes(l, l->program->tensors[step.writes[0]].bytes / sizeof(float),
                              &step.writes[1]));
    *index = step.writes[1];
    *y = step.writes[0];
    return ic_lower_step(l, &step);
}

/* A maximum that alone reads a value with scale and shift applies them on its way. */
static ic_status lower_input(ic_lowering *l, int32_t node, bool maximum, ic_value *x)
{
    int32_t source = ic_lower_node(l, node)->inputs[0], plain = l->nodes[source].plain;
    *x = l->nodes[source].value;
    if (maximum && plain < 0 && x->scale >= 0 && ic_lower_only_consumer(l, source) >= 0)
        return IC_OK;
    IC_TRY(ic_lower_plain(l, source, &plain));
    *x = ic_value_of(plain);
    return IC_OK;
}

static ic_status forward(ic_lowering *l, int32_t node)
{
    ic_window window = window_of(l, node);
    ic_lowered_node *n = &l->nodes[node];
    bool in_two = is_maximum(l, node) && goes_in_two(&window);
    ic_value x;
    int32_t y = IC_NO_TENSOR;
    IC_TRY(lower_input(l, node, is_maximum(l, node) && !in_two, &x));
    if (in_two) {
        ic_window columns = part_of(&window, 0), rest = part_of(&window, 1);
        IC_TRY(lower_window(l, node, &columns, x, &n->saved[1], &y));
        IC_TRY(lower_window(l, node, &rest, ic_value_of(y), &n->saved[0], &y));
    } else {
        IC_TRY(lower_window(l, node, &window, x, &n->saved[0], &y));
    }
    ic_lower_set(l, node, y);
    return IC_OK;
}

static ic_step backward_step(const ic_lowering *l, int32_t node, const ic_window *window,
                             int32_t d_y, int32_t index)
{
    ic_step step =
        ic_step_of(is_maximum(l, node) ? &step_max_backward : &step_average_backward, node);
    step.window = *window;
    cut_pictures(&step, l->program->batch);
    step.reads[0] = d_y;
    step.reads[1] = index;
    return step;
}

static ic_status backward(ic_lowering *l, int32_t node)
{
    ic_window window = window_of(l, node);
    const ic_lowered_node *n = &l->nodes[node];
    int32_t d_y = ic_lower_take_gradient(l, node);
    ic_step step;
    if (is_maximum(l, node) && goes_in_two(&window)) {
        ic_window columns = part_of(&window, 0), rest = part_of(&window, 1);
        step = backward_step(l, node, &rest, d_y, n->saved[0]);
        IC_TRY(ic_lower_tensor(l, (ic_shape){.h = 1, .w = rest.w, .c = rest.c}, &step.writes[0]));
        IC_TRY(ic_lower_step(l, &step));
        step = backward_step(l, node, &columns, step.writes[0], n->saved[1]);
    } else {
        step = backward_step(l, node, &window, d_y, n->saved[0]);
    }
    int32_t input = ic_lower_node(l, node)->inputs[0];
    IC_TRY(ic_lower_gradient_target(l, input, &step.writes[0], &step.accumulate));
    if (is_maximum(l, node) && !goes_in_two(&window))
        IC_TRY(ic_lower_norm_gradient(l, input, (int32_t)picture_blocks(&step), &step));
    return ic_lower_step(l, &step);
}

const ic_operator ic_operator_max_pool = {
    .name = "max_pool",
    .inputs = 1,
    .attributes = IC_HAS_SIZE | IC_HAS_STRIDE | IC_HAS_PADDING,
    .infer = infer_window,
    .forward = forward,
    .backward = backward,
};

const ic_operator ic_operator_average_pool = {
    .name = "average_pool",
    .inputs = 1,
    .attributes = IC_HAS_SIZE | IC_HAS_STRIDE | IC_HAS_PADDING,
    .infer = infer_window,
    .forward = forward,
    .backward = backward,
};

const ic_operator ic_operator_global_max_pool = {
    .name = "global_max_pool",
    .inputs = 1,
    .infer = infer_global,
    .forward = forward,
    .backward = backward,
};

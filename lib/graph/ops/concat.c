/* graph/ops/concat.c: joins channels. SPDX-License-Identifier: MIT */
#include "graph/elementwise.h"
#include "graph/lowering.h"

#include <string.h>

static ic_status infer(const ic_graph *graph, ic_graph_node *node)
{
    node->shape = ic_graph_input_of(graph, node, 0);
    for (int32_t i = 1; i < node->input_count; i++) {
        ic_shape x = ic_graph_input_of(graph, node, i);
        if (x.h != node->shape.h || x.w != node->shape.w)
            return ic_fail(IC_ERROR_ARGUMENT,
                           "concat: input %d is %d x %d pixels, the first one %d x %d", i, x.h, x.w,
                           node->shape.h, node->shape.w);
        if (x.c > IC_GRAPH_PICTURE_FLOATS_MAX - node->shape.c)
            return ic_fail(IC_ERROR_LIMIT, "concat: too many channels");
        node->shape.c += x.c;
    }
    return IC_OK;
}

/* ---- Steps: channels [first, first + count) of the c of the joined tensor ---- */

static void copy_channels(const float *x, int64_t x_stride, float *y, int64_t y_stride,
                          int64_t rows, int32_t count)
{
    for (int64_t row = 0; row < rows; row++)
        memcpy(y + row * y_stride, x + row * x_stride, (size_t)count * sizeof *y);
}

static void run_join(const ic_run *run, const ic_step *step, int32_t phase, int64_t unit,
                     float *scratch)
{
    ic_piece piece = ic_step_piece(step, unit);
    copy_channels(ic_at(run, step->reads[0]) + piece.first * step->count, step->count,
                  ic_at(run, step->writes[0]) + piece.first * step->c + step->first, step->c,
                  piece.rows, step->count);
}

static void run_split(const ic_run *run, const ic_step *step, int32_t phase, int64_t unit,
                      float *scratch)
{
    ic_piece piece = ic_step_piece(step, unit);
    copy_channels(ic_at(run, step->reads[0]) + piece.first * step->c + step->first, step->c,
                  ic_at(run, step->writes[0]) + piece.first * step->count, step->count, piece.rows,
                  step->count);
}

static const ic_step_kind step_join = {"concat", ic_piece_units, run_join};
static const ic_step_kind step_split = {"concat backward", ic_piece_units, run_split};

/* ---- Lowering ---- */

static ic_status forward(ic_lowering *l, int32_t node)
{
    const ic_graph_node *n = ic_lower_node(l, node);
    int32_t y = IC_NO_TENSOR, first = 0;
    IC_TRY(ic_lower_tensor(l, n->shape, &y));
    for (int32_t i = 0; i < n->input_count; i++) {
        ic_step step = ic_step_of(&step_join, node);
        ic_step_cut(&step, ic_lower_rows(l, n->shape), n->shape.c);
        step.first = first;
        step.count = ic_graph_input_of(l->graph, n, i).c;
        step.writes[0] = y;
        IC_TRY(ic_lower_plain(l, n->inputs[i], &step.reads[0]));
        IC_TRY(ic_lower_step(l, &step));
        first += step.count;
    }
    ic_lower_set(l, node, y);
    return IC_OK;
}

static ic_status backward(ic_lowering *l, int32_t node)
{
    const ic_graph_node *n = ic_lower_node(l, node);
    int32_t d_y = ic_lower_take_gradient(l, node), first = 0;
    for (int32_t i = 0; i < n->input_count; i++) {
        ic_shape shape = ic_graph_input_of(l->graph, n, i);
        ic_step step = ic_step_of(&step_split, node);
        ic_step_cut(&step, ic_lower_rows(l, n->shape), n->shape.c);
        step.first = first;
        step.count = shape.c;
        step.reads[0] = d_y;
        first += step.count;
        if (!l->nodes[n->inputs[i]].wants_gradient)
            continue;
        IC_TRY(ic_lower_tensor(l, shape, &step.writes[0]));
        IC_TRY(ic_lower_step(l, &step));
        IC_TRY(ic_lower_give_gradient(l, n->inputs[i], step.writes[0]));
    }
    return IC_OK;
}

const ic_operator ic_operator_concat = {
    .name = "concat",
    .inputs = 0,
    .infer = infer,
    .forward = forward,
    .backward = backward,
};

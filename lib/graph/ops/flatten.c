/*
 * graph/ops/flatten.c: a picture as one row of values, in torch's order [c][h][w].
 * SPDX-License-Identifier: MIT
 *
 * Where only a linear layer reads it there is nothing to do: that one reorders its weights
 * (linear.c).
 */
#include "graph/elementwise.h"
#include "graph/lowering.h"
#include "graph/pack.h"

static ic_status infer(const ic_graph *graph, ic_graph_node *node)
{
    ic_shape x = ic_graph_input_of(graph, node, 0);
    node->shape = (ic_shape){.h = 1, .w = 1, .c = x.h * x.w * x.c};
    return IC_OK;
}

/* window h, w, c: the picture's shape; one row a picture */
static void run_reorder(const ic_run *run, const ic_step *step, int32_t phase, int64_t unit,
                        float *scratch)
{
    ic_piece piece = ic_step_piece(step, unit);
    ic_shape shape = {.h = step->window.h, .w = step->window.w, .c = step->window.c};
    int64_t start = piece.first * step->c;
    ic_permute_weights(piece.rows, shape, ic_at(run, step->reads[0]) + start,
                       ic_at(run, step->writes[0]) + start);
}

/* The gradient's way back: [c][h][w] to [h][w][c]. */
static const ic_step_kind step_reorder = {"flatten backward", ic_piece_units, run_reorder};

static bool is_left_to_linear(const ic_lowering *l, int32_t node)
{
    int32_t consumer = ic_lower_only_consumer(l, node);
    return consumer >= 0 && ic_lower_node(l, consumer)->op == &ic_operator_linear;
}

static bool keeps_order(ic_shape shape)
{
    return shape.h * shape.w == 1 || shape.c == 1;
}

static ic_status lower_reorder(ic_lowering *l, int32_t node, const ic_step_kind *kind, int32_t x,
                               int32_t *y)
{
    const ic_graph_node *n = ic_lower_node(l, node);
    ic_shape shape = ic_graph_input_of(l->graph, n, 0);
    ic_step step = ic_step_of(kind, node);
    ic_step_cut(&step, l->program->batch, n->shape.c);
    step.window = (ic_window){.h = shape.h, .w = shape.w, .c = shape.c};
    step.reads[0] = x;
    IC_TRY(ic_lower_tensor(l, shape, &step.writes[0]));
    *y = step.writes[0];
    return ic_lower_step(l, &step);
}

static ic_status forward(ic_lowering *l, int32_t node)
{
    const ic_graph_node *n = ic_lower_node(l, node);
    if (is_left_to_linear(l, node))
        return IC_OK;
    int32_t x = IC_NO_TENSOR;
    IC_TRY(ic_lower_plain(l, n->inputs[0], &x));
    if (!keeps_order(ic_graph_input_of(l->graph, n, 0)))
        IC_TRY(lower_reorder(l, node, &ic_step_unpermute, x, &x));
    ic_lower_set(l, node, x);
    return IC_OK;
}

static ic_status backward(ic_lowering *l, int32_t node)
{
    const ic_graph_node *n = ic_lower_node(l, node);
    if (is_left_to_linear(l, node))
        return IC_OK;
    int32_t d_x = ic_lower_take_gradient(l, node);
    if (!keeps_order(ic_graph_input_of(l->graph, n, 0)))
        IC_TRY(lower_reorder(l, node, &step_reorder, d_x, &d_x));
    return ic_lower_give_gradient(l, n->inputs[0], d_x);
}

const ic_operator ic_operator_flatten = {
    .name = "flatten",
    .inputs = 1,
    .infer = infer,
    .forward = forward,
    .backward = backward,
};

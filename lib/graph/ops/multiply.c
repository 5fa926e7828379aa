/*
 * graph/ops/multiply.c: y = a * b, of equal shapes, or b one value a channel (squeeze-and-excite).
 * SPDX-License-Identifier: MIT
 *
 * d_a = d_y * b; d_b = d_y * a, summed over the picture where b is one value a channel.
 */
#include "graph/elementwise.h"
#include "graph/ops/squeeze.h"

static ic_status infer(const ic_graph *graph, ic_graph_node *node)
{
    ic_shape a = ic_graph_input_of(graph, node, 0), b = ic_graph_input_of(graph, node, 1);
    bool equal = a.h == b.h && a.w == b.w && a.c == b.c;
    bool gate = b.h == 1 && b.w == 1 && a.c == b.c;
    if (!equal && !gate)
        return ic_fail(IC_ERROR_ARGUMENT,
                       "multiply: its inputs are %d x %d x %d and %d x %d x %d; the second must be "
                       "of the same shape or 1 x 1 x %d",
                       a.h, a.w, a.c, b.h, b.w, b.c, a.c);
    node->shape = a;
    return IC_OK;
}

/* ---- Steps. Equal shapes: pieces; a gate: pieces of pictures, its gradient: whole ones ---- */

static void run_multiply(const ic_run *run, const ic_step *step, int32_t phase, int64_t unit,
                         float *scratch)
{
    ic_piece piece = ic_step_piece(step, unit);
    int64_t start = piece.first * step->c;
    run->program->kernels->multiply(piece.rows * step->c, ic_at(run, step->reads[0]) + start,
                                    ic_at(run, step->reads[1]) + start,
                                    ic_at(run, step->writes[0]) + start);
}

static void run_gate(const ic_run *run, const ic_step *step, int32_t phase, int64_t unit,
                     float *scratch)
{
    ic_picture_piece piece = ic_step_picture_piece(step, unit);
    int64_t c = step->c;
    run->program->kernels->gate(piece.rows, step->c, ic_at(run, step->reads[0]) + piece.first * c,
                                ic_at(run, step->reads[1]) + piece.picture * c,
                                ic_at(run, step->writes[0]) + piece.first * c);
}

static int64_t picture_units(const ic_run *run, const ic_step *step, int32_t phase)
{
    return step->count;
}

static void run_gate_backward(const ic_run *run, const ic_step *step, int32_t phase, int64_t unit,
                              float *scratch)
{
    int64_t c = step->c, each = step->rows * c;
    run->program->kernels->gate_backward(
        step->rows, step->c, ic_at(run, step->reads[0]) + unit * each,
        ic_at(run, step->reads[1]) + unit * each, ic_at(run, step->writes[0]) + unit * c);
}

static const ic_step_kind step_multiply = {"multiply", ic_piece_units, run_multiply};
static const ic_step_kind step_gate = {"gate", ic_picture_units, run_gate};
static const ic_step_kind step_gate_backward = {"gate backward", picture_units, run_gate_backward};

/* ---- Lowering ---- */

static bool is_gate(const ic_lowering *l, int32_t node)
{
    const ic_graph_node *n = ic_lower_node(l, node);
    ic_shape b = ic_graph_input_of(l->graph, n, 1);
    return b.h * b.w < n->shape.h * n->shape.w;
}

/* writes[0], of this shape, from reads[0] and reads[1]. */
static ic_status lower_product(ic_lowering *l, int32_t node, const ic_step_kind *kind, int32_t a,
                               int32_t b, ic_shape out, int32_t *y)
{
    ic_shape shape = ic_lower_node(l, node)->shape;
    ic_step step = ic_step_of(kind, node);
    if (kind == &step_multiply)
        ic_step_cut(&step, ic_lower_rows(l, shape), shape.c);
    else
        ic_step_cut_pictures(&step, l->program->batch, (int64_t)shape.h * shape.w, shape.c);
    step.reads[0] = a;
    step.reads[1] = b;
    step.in_place = kind == &step_gate_backward || a == b ? IC_NO_TENSOR : a;
    IC_TRY(ic_lower_tensor(l, out, &step.writes[0]));
    *y = step.writes[0];
    return ic_lower_step(l, &step);
}

static ic_status forward(ic_lowering *l, int32_t node)
{
    if (ic_squeezed_norm(l, node) >= 0)
        return ic_lower_squeezed_product(l, node);
    const ic_graph_node *n = ic_lower_node(l, node);
    ic_lowered_node *state = &l->nodes[node];
    int32_t y = IC_NO_TENSOR;
    IC_TRY(ic_lower_plain(l, n->inputs[0], &state->saved[0]));
    IC_TRY(ic_lower_plain(l, n->inputs[1], &state->saved[1]));
    const ic_step_kind *kind = is_gate(l, node) ? &step_gate : &step_multiply;
    IC_TRY(lower_product(l, node, kind, state->saved[0], state->saved[1], n->shape, &y));
    ic_lower_set(l, node, y);
    return IC_OK;
}

static ic_status backward(ic_lowering *l, int32_t node)
{
    int32_t norm = ic_squeezed_norm(l, node);
    if (norm >= 0)
        return ic_lower_squeezed_product_backward(l, node, norm);
    const ic_graph_node *n = ic_lower_node(l, node);
    const int32_t *inputs = n->inputs, *saved = l->nodes[node].saved;
    bool gate = is_gate(l, node);
    int32_t d_y = ic_lower_take_gradient(l, node), d_a = IC_NO_TENSOR, d_b = IC_NO_TENSOR;
    if (l->nodes[inputs[1]].wants_gradient) {
        ic_shape shape = ic_graph_input_of(l->graph, n, 1);
        /* d_y is read again below: the first factor, whose place may be taken, is a */
        IC_TRY(gate ? lower_product(l, node, &step_gate_backward, saved[0], d_y, shape, &d_b)
                    : lower_product(l, node, &step_multiply, saved[0], d_y, shape, &d_b));
        IC_TRY(ic_lower_give_gradient(l, inputs[1], d_b));
    }
    if (l->nodes[inputs[0]].wants_gradient) {
        IC_TRY(lower_product(l, node, gate ? &step_gate : &step_multiply, d_y, saved[1], n->shape,
                             &d_a));
        IC_TRY(ic_lower_give_gradient(l, inputs[0], d_a));
    }
    return IC_OK;
}

const ic_operator ic_operator_multiply = {
    .name = "multiply",
    .inputs = 2,
    .infer = infer,
    .forward = forward,
    .backward = backward,
};

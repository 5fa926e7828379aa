/* graph/ops/scale.c: y = factor x, and so back. SPDX-License-Identifier: MIT */
#include "graph/elementwise.h"
#include "graph/lowering.h"

static ic_status infer(const ic_graph *graph, ic_graph_node *node)
{
    node->shape = ic_graph_input_of(graph, node, 0);
    return IC_OK;
}

static void run_scale(const ic_run *run, const ic_step *step, int32_t phase, int64_t unit,
                      float *scratch)
{
    ic_piece piece = ic_step_piece(step, unit);
    float *y = ic_at(run, step->writes[0]) + piece.first * step->c;
    ic_value_apply(run, step->x[0], piece, step->c, y);
    run->program->kernels->scale(piece.rows * step->c, (float)step->factor, y, y);
}

static const ic_step_kind step_scale = {"scale", ic_piece_units, run_scale};

static ic_status lower_scale(ic_lowering *l, int32_t node, ic_value x, int32_t *y)
{
    const ic_graph_node *n = ic_lower_node(l, node);
    ic_step step = ic_step_of(&step_scale, node);
    ic_step_cut(&step, ic_lower_rows(l, n->shape), n->shape.c);
    step.factor = n->attributes.factor;
    step.x[0] = x;
    step.in_place = x.tensor;
    IC_TRY(ic_lower_tensor(l, n->shape, &step.writes[0]));
    *y = step.writes[0];
    return ic_lower_step(l, &step);
}

static ic_status forward(ic_lowering *l, int32_t node)
{
    int32_t y = IC_NO_TENSOR;
    IC_TRY(lower_scale(l, node, ic_lower_value(l, ic_lower_node(l, node)->inputs[0]), &y));
    ic_lower_set(l, node, y);
    return IC_OK;
}

static ic_status backward(ic_lowering *l, int32_t node)
{
    int32_t gradient = ic_lower_take_gradient(l, node);
    IC_TRY(lower_scale(l, node, ic_value_of(gradient), &gradient));
    return ic_lower_give_gradient(l, ic_lower_node(l, node)->inputs[0], gradient);
}

const ic_operator ic_operator_scale = {
    .name = "scale",
    .inputs = 1,
    .attributes = IC_HAS_FACTOR,
    .infer = infer,
    .forward = forward,
    .backward = backward,
};

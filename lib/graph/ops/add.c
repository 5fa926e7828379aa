/* graph/ops/add.c: y = a + b, of equal shapes. SPDX-License-Identifier: MIT */
#include "graph/elementwise.h"
#include "graph/lowering.h"

static ic_status infer(const ic_graph *graph, ic_graph_node *node)
{
    ic_shape a = ic_graph_input_of(graph, node, 0), b = ic_graph_input_of(graph, node, 1);
    if (a.h != b.h || a.w != b.w || a.c != b.c)
        return ic_fail(IC_ERROR_ARGUMENT, "add: its inputs differ, %d x %d x %d and %d x %d x %d",
                       a.h, a.w, a.c, b.h, b.w, b.c);
    node->shape = a;
    return IC_OK;
}

static ic_status forward(ic_lowering *l, int32_t node)
{
    const ic_graph_node *n = ic_lower_node(l, node);
    ic_step step = ic_step_of(&ic_step_add, node);
    ic_step_cut(&step, ic_lower_rows(l, n->shape), n->shape.c);
    step.x[0] = ic_lower_value(l, n->inputs[0]);
    step.x[1] = ic_lower_value(l, n->inputs[1]);
    step.activation = ic_lower_absorb_activation(
        l, node, ic_lower_trains(l) ? ic_activation_from_output : ic_activation_any);
    if (step.x[0].tensor != step.x[1].tensor)
        step.in_place = step.x[0].tensor;
    if (!ic_value_is_plain(step.x[1]))
        step.scratch_bytes = ic_step_add_scratch(n->shape.c);
    IC_TRY(ic_lower_tensor(l, n->shape, &step.writes[0]));
    IC_TRY(ic_lower_step(l, &step));
    ic_lower_set(l, l->nodes[node].tail, step.writes[0]);
    l->nodes[node].saved[0] = step.writes[0];
    return IC_OK;
}

/* d_a = d_b = d_y: both inputs get the same tensor. */
static ic_status backward(ic_lowering *l, int32_t node)
{
    const ic_graph_node *n = ic_lower_node(l, node);
    int32_t tail = l->nodes[node].tail;
    int32_t d_y = ic_lower_take_gradient(l, node);
    if (tail != node) {
        ic_step step = ic_step_of(&ic_step_activation_backward, node);
        ic_step_cut(&step, ic_lower_rows(l, n->shape), n->shape.c);
        step.activation = ic_lower_node(l, tail)->attributes.function;
        step.x[0] = ic_value_of(l->nodes[node].saved[0]);
        step.reads[0] = step.in_place = d_y;
        IC_TRY(ic_lower_tensor(l, n->shape, &step.writes[0]));
        IC_TRY(ic_lower_step(l, &step));
        d_y = step.writes[0];
    }
    IC_TRY(ic_lower_give_gradient(l, n->inputs[0], d_y));
    return ic_lower_give_gradient(l, n->inputs[1], d_y);
}

const ic_operator ic_operator_add = {
    .name = "add",
    .inputs = 2,
    .infer = infer,
    .forward = forward,
    .backward = backward,
};

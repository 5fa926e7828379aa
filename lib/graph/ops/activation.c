/* graph/ops/activation.c: y = f(x), value by value. SPDX-License-Identifier: MIT */
#include "graph/elementwise.h"
#include "graph/lowering.h"

const char *ic_activation_name(ic_activation function)
{
    static const char *const names[IC_ACTIVATION_COUNT] = {
        "none", "relu", "relu6", "silu", "gelu", "sigmoid", "hard_sigmoid", "hard_swish"};
    return (int)function >= 0 && function < IC_ACTIVATION_COUNT ? names[function] : NULL;
}

static ic_status infer(const ic_graph *graph, ic_graph_node *node)
{
    node->shape = ic_graph_input_of(graph, node, 0);
    return IC_OK;
}

/* No step: the consumers apply f as they read, or have it applied once. */
static ic_status forward(ic_lowering *l, int32_t node)
{
    const ic_graph_node *n = ic_lower_node(l, node);
    int32_t x = IC_NO_TENSOR;
    IC_TRY(ic_lower_plain(l, n->inputs[0], &x));
    l->nodes[node].saved[0] = x;
    l->nodes[node].value = ic_value_of(x);
    l->nodes[node].value.activation = n->attributes.function;
    return IC_OK;
}

/* d_x = d_y f'(x) */
static ic_status backward(ic_lowering *l, int32_t node)
{
    const ic_graph_node *n = ic_lower_node(l, node);
    ic_step step = ic_step_of(&ic_step_activation_backward, node);
    ic_step_cut(&step, ic_lower_rows(l, n->shape), n->shape.c);
    int32_t d_y = ic_lower_take_gradient(l, node);
    step.activation = n->attributes.function;
    step.x[0] = ic_value_of(l->nodes[node].saved[0]);
    step.reads[0] = step.in_place = d_y;
    IC_TRY(ic_lower_tensor(l, n->shape, &step.writes[0]));
    IC_TRY(ic_lower_step(l, &step));
    return ic_lower_give_gradient(l, n->inputs[0], step.writes[0]);
}

const ic_operator ic_operator_activation = {
    .name = "activation",
    .inputs = 1,
    .attributes = IC_HAS_FUNCTION,
    .infer = infer,
    .forward = forward,
    .backward = backward,
};

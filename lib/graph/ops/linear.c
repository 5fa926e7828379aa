/*
 * graph/ops/linear.c: linear layers, y = W x + b, as 1x1 convolutions over w = batch.
 * SPDX-License-Identifier: MIT
 *
 * torch flattens pictures as [c][h][w], ours lie as [h][w][c]. A linear layer behind a flatten
 * takes the picture as it lies and reorders its weights instead, as they are packed: the
 * activations are never moved.
 */
#include "graph/ops/convolution.h"

static ic_status infer(const ic_graph *graph, ic_graph_node *node)
{
    char label[IC_NODE_LABEL_MAX];
    ic_shape x = ic_graph_input_of(graph, node, 0);
    if (x.h != 1 || x.w != 1)
        return ic_fail(IC_ERROR_ARGUMENT,
                       "%s: its input is %d x %d x %d; flatten or pool it to 1 x 1 first",
                       ic_graph_label(node, label), x.h, x.w, x.c);
    node->shape = (ic_shape){.h = 1, .w = 1, .c = node->attributes.channels};
    return IC_OK;
}

static ic_status declare(ic_graph *graph, const ic_graph_node *node)
{
    int64_t weight[4] = {node->attributes.channels, ic_graph_input_of(graph, node, 0).c};
    IC_TRY(ic_graph_declare(graph, node, "weight", IC_ROLE_WEIGHT, 2, weight));
    return node->attributes.bias ? ic_graph_declare(graph, node, "bias", IC_ROLE_BIAS, 1, weight)
                                 : IC_OK;
}

/* The node that is read: the input, or what is before a flatten; *permuted its shape if it needs
 * reordering. */
static int32_t source_of(const ic_lowering *l, int32_t node, ic_shape *permuted)
{
    int32_t source = ic_lower_node(l, node)->inputs[0];
    const ic_graph_node *flatten = ic_lower_node(l, source);
    *permuted = (ic_shape){0};
    if (flatten->op != &ic_operator_flatten || l->nodes[source].uses != 1)
        return source;
    ic_shape x = ic_graph_input_of(l->graph, flatten, 0);
    if (x.h * x.w > 1 && x.c > 1)
        *permuted = x;
    return flatten->inputs[0];
}

static ic_status forward(ic_lowering *l, int32_t node)
{
    const ic_graph_node *n = ic_lower_node(l, node);
    ic_shape permuted;
    int32_t source = source_of(l, node, &permuted);
    ic_conv_shape shape = {.n = 1,
                           .h = 1,
                           .w = l->program->batch,
                           .c = ic_graph_input_of(l->graph, n, 0).c,
                           .oh = 1,
                           .ow = l->program->batch,
                           .k = n->attributes.channels,
                           .r = 1,
                           .s = 1,
                           .stride_h = 1,
                           .stride_w = 1,
                           .dilation_h = 1,
                           .dilation_w = 1,
                           .groups = 1};
    return ic_lower_convolution(l, node, source, &shape, permuted);
}

static ic_status backward(ic_lowering *l, int32_t node)
{
    ic_shape permuted;
    int32_t source = source_of(l, node, &permuted);
    return ic_lower_convolution_backward(l, node, source, permuted);
}

const ic_operator ic_operator_linear = {
    .name = "linear",
    .inputs = 1,
    .named = true,
    .attributes = IC_HAS_CHANNELS | IC_HAS_BIAS,
    .infer = infer,
    .declare = declare,
    .forward = forward,
    .backward = backward,
};

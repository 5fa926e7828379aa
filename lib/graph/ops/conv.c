/*
 * graph/ops/conv.c: convolution. SPDX-License-Identifier: MIT
 *
 * y[n][i][j][k] = bias[k] + sum over r, s, c of x[n][i*stride + r*dilation - padding][j*stride +
 * …][c] * w[k][c][r][s] within each group of channels.
 */
#include "graph/ops/convolution.h"

static ic_status infer(const ic_graph *graph, ic_graph_node *node)
{
    char label[IC_NODE_LABEL_MAX];
    const ic_attributes *a = &node->attributes;
    ic_shape x = ic_graph_input_of(graph, node, 0);
    if (x.c % a->groups != 0 || a->channels % a->groups != 0)
        return ic_fail(IC_ERROR_ARGUMENT,
                       "%s: %d groups divide neither evenly its %d input channels nor its %d "
                       "output channels; both must be multiples",
                       ic_graph_label(node, label), a->groups, x.c, a->channels);
    IC_TRY(ic_graph_window_size(node, x.h, &node->shape.h));
    IC_TRY(ic_graph_window_size(node, x.w, &node->shape.w));
    node->shape.c = a->channels;
    return IC_OK;
}

static ic_status declare(ic_graph *graph, const ic_graph_node *node)
{
    const ic_attributes *a = &node->attributes;
    int64_t c = ic_graph_input_of(graph, node, 0).c / a->groups;
    int64_t weight[4] = {a->channels, c, a->size, a->size};
    IC_TRY(ic_graph_declare(graph, node, "weight", IC_ROLE_WEIGHT, 4, weight));
    return a->bias ? ic_graph_declare(graph, node, "bias", IC_ROLE_BIAS, 1, weight) : IC_OK;
}

static ic_status forward(ic_lowering *l, int32_t node)
{
    const ic_graph_node *n = ic_lower_node(l, node);
    const ic_attributes *a = &n->attributes;
    ic_shape x = ic_graph_input_of(l->graph, n, 0);
    ic_conv_shape shape = {.n = l->program->batch,
                           .h = x.h,
                           .w = x.w,
                           .c = x.c,
                           .oh = n->shape.h,
                           .ow = n->shape.w,
                           .k = a->channels,
                           .r = a->size,
                           .s = a->size,
                           .stride_h = a->stride,
                           .stride_w = a->stride,
                           .pad_h = a->padding,
                           .pad_w = a->padding,
                           .dilation_h = a->dilation,
                           .dilation_w = a->dilation,
                           .groups = a->groups};
    return ic_lower_convolution(l, node, n->inputs[0], &shape, (ic_shape){0});
}

static ic_status backward(ic_lowering *l, int32_t node)
{
    return ic_lower_convolution_backward(l, node, ic_lower_node(l, node)->inputs[0], (ic_shape){0});
}

const ic_operator ic_operator_conv = {
    .name = "conv",
    .inputs = 1,
    .named = true,
    .attributes = IC_HAS_CHANNELS | IC_HAS_SIZE | IC_HAS_STRIDE | IC_HAS_PADDING | IC_HAS_DILATION |
                  IC_HAS_GROUPS | IC_HAS_BIAS,
    .infer = infer,
    .declare = declare,
    .forward = forward,
    .backward = backward,
};

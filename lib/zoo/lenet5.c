/*
 * zoo/lenet5.c: LeNet-5 (LeCun et al. 1998) in today's form, with ReLU and maxima.
 * SPDX-License-Identifier: MIT
 */
#include "zoo/inside.h"

static ic_node conv_block(ic_graph *graph, const char *name, ic_node x, int32_t k, int32_t padding)
{
    ic_conv_options conv = {.k = k, .size = 5, .padding = padding, .bias = true};
    x = ic_graph_conv(graph, name, x, &conv);
    x = ic_graph_activation(graph, x, IC_ACTIVATION_RELU);
    return ic_graph_max_pool(graph, x, 2, 2, 0);
}

static ic_node linear_block(ic_graph *graph, const char *name, ic_node x, int32_t k)
{
    x = ic_graph_linear(graph, name, x, k, true);
    return ic_graph_activation(graph, x, IC_ACTIVATION_RELU);
}

ic_node ic_zoo_lenet5(ic_graph *graph, int32_t classes)
{
    ic_node x = conv_block(graph, "conv1", ic_graph_input(graph), 6, 2);
    x = conv_block(graph, "conv2", x, 16, 0);
    x = ic_graph_flatten(graph, x);
    x = linear_block(graph, "fc1", x, 120);
    x = linear_block(graph, "fc2", x, 84);
    return ic_graph_linear(graph, "fc3", x, classes, true);
}

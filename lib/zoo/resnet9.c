/*
 * zoo/resnet9.c: a residual network of nine layers for small pictures, after David Page's DAWNBench
 * entry (2018). SPDX-License-Identifier: MIT
 */
#include "zoo/inside.h"

static ic_node block(ic_graph *graph, const char *name, ic_node x, int32_t k)
{
    ic_conv_options conv = {.k = k, .size = 3, .padding = 1};
    x = ic_graph_conv(graph, ic_zoo_join(name, "conv").text, x, &conv);
    x = ic_graph_batch_norm(graph, ic_zoo_join(name, "norm").text, x);
    return ic_graph_activation(graph, x, IC_ACTIVATION_RELU);
}

static ic_node pooled_block(ic_graph *graph, const char *name, ic_node x, int32_t k)
{
    return ic_graph_max_pool(graph, block(graph, name, x, k), 2, 2, 0);
}

static ic_node residual(ic_graph *graph, const char *name, ic_node x, int32_t k)
{
    ic_node branch = block(graph, ic_zoo_join_number(name, 0, "").text, x, k);
    branch = block(graph, ic_zoo_join_number(name, 1, "").text, branch, k);
    return ic_graph_add(graph, x, branch);
}

ic_node ic_zoo_resnet9(ic_graph *graph, int32_t classes)
{
    ic_node x = block(graph, "prep", ic_graph_input(graph), 64);
    x = pooled_block(graph, "layer1", x, 128);
    x = residual(graph, "res1", x, 128);
    x = pooled_block(graph, "layer2", x, 256);
    x = pooled_block(graph, "layer3", x, 512);
    x = residual(graph, "res3", x, 512);
    x = ic_graph_global_max_pool(graph, x);
    return ic_graph_linear(graph, "fc", x, classes, true);
}

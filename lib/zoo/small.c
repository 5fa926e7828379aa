/*
 * zoo/small.c: three 3x3 convolutions, each pooled, and one linear layer that sees where things
 * are: quick to train on many small pictures. SPDX-License-Identifier: MIT
 */
#include "zoo/inside.h"

static ic_node block(ic_graph *graph, int32_t number, ic_node x, int32_t k)
{
    ic_conv_options conv = {.k = k, .size = 3, .padding = 1};
    x = ic_graph_conv(graph, ic_zoo_join_number("blocks", number, "conv").text, x, &conv);
    x = ic_graph_max_pool(graph, x, 2, 2, 0); /* first, so that the norm sees a quarter */
    x = ic_graph_batch_norm(graph, ic_zoo_join_number("blocks", number, "norm").text, x);
    return ic_graph_activation(graph, x, IC_ACTIVATION_RELU);
}

ic_node ic_zoo_small(ic_graph *graph, int32_t classes)
{
    ic_node x = block(graph, 0, ic_graph_input(graph), 32);
    x = block(graph, 1, x, 64);
    x = block(graph, 2, x, 128);
    x = ic_graph_dropout(graph, ic_graph_flatten(graph, x), 0.1F);
    return ic_graph_linear(graph, "fc", x, classes, true);
}

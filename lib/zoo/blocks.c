/*
 * zoo/blocks.c: what MobileNetV3 and EfficientNet share: a convolution with its norm, squeeze and
 * excite (Hu, Shen, Sun 2017), and the inverted residual around both. SPDX-License-Identifier: MIT
 */
#include "zoo/blocks.h"

ic_node ic_zoo_conv_norm(ic_graph *graph, const char *prefix, ic_node x,
                         const ic_conv_options *conv, const ic_zoo_style *style,
                         ic_activation activation)
{
    x = ic_graph_conv(graph, ic_zoo_join(prefix, "0").text, x, conv);
    x = ic_graph_batch_norm_tuned(graph, ic_zoo_join(prefix, "1").text, x, style->epsilon,
                                  style->momentum);
    return activation != IC_ACTIVATION_NONE ? ic_graph_activation(graph, x, activation) : x;
}

ic_node ic_zoo_squeeze_excite(ic_graph *graph, const char *prefix, ic_node x, int32_t c,
                              int32_t squeezed, const ic_zoo_style *style)
{
    ic_conv_options squeeze = {.k = squeezed, .size = 1, .bias = true};
    ic_conv_options excite = {.k = c, .size = 1, .bias = true};
    ic_node gate = ic_graph_global_pool(graph, x);
    gate = ic_graph_conv(graph, ic_zoo_join(prefix, "fc1").text, gate, &squeeze);
    gate = ic_graph_activation(graph, gate, style->squeeze);
    gate = ic_graph_conv(graph, ic_zoo_join(prefix, "fc2").text, gate, &excite);
    gate = ic_graph_activation(graph, gate, style->gate);
    return ic_graph_multiply(graph, x, gate);
}

ic_node ic_zoo_inverted_residual(ic_graph *graph, const char *prefix, ic_node x,
                                 const ic_zoo_inverted *block, const ic_zoo_style *style)
{
    int32_t place = 0;
    ic_conv_options expand = {.k = block->wide, .size = 1};
    ic_conv_options depthwise = {.k = block->wide,
                                 .size = block->size,
                                 .stride = block->stride,
                                 .padding = block->size / 2,
                                 .groups = block->wide};
    ic_conv_options project = {.k = block->k, .size = 1};
    ic_node y = x;
    if (block->wide != block->c)
        y = ic_zoo_conv_norm(graph, ic_zoo_join_number(prefix, place++, "").text, y, &expand, style,
                             block->activation);
    y = ic_zoo_conv_norm(graph, ic_zoo_join_number(prefix, place++, "").text, y, &depthwise, style,
                         block->activation);
    if (block->squeezed > 0)
        y = ic_zoo_squeeze_excite(graph, ic_zoo_join_number(prefix, place++, "").text, y,
                                  block->wide, block->squeezed, style);
    y = ic_zoo_conv_norm(graph, ic_zoo_join_number(prefix, place, "").text, y, &project, style,
                         IC_ACTIVATION_NONE);
    if (block->stride != 1 || block->c != block->k)
        return y;
    if (block->drop > 0)
        y = ic_graph_stochastic_depth(graph, y, block->drop);
    return ic_graph_add(graph, x, y);
}

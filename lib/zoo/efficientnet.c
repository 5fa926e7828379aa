/*
 * zoo/efficientnet.c: EfficientNet-B0 (Tan, Le 2019), with torchvision's tensor names.
 * SPDX-License-Identifier: MIT
 *
 * Training leaves out whole branches (Huang et al. 2016), the deeper the more: block i of 16 with a
 * probability of i/16 of 0.2.
 */
#include "zoo/blocks.h"

static ic_node stage(ic_graph *graph, int32_t number, ic_node x, ic_zoo_inverted block,
                     int32_t expansion, int32_t repeats, int32_t *done, const ic_zoo_style *style)
{
    enum { BLOCKS = 16 };
    ic_zoo_name base = ic_zoo_join_number("features", number, "");
    for (int32_t i = 0; i < repeats; i++) {
        block.wide = block.c * expansion;
        block.squeezed = block.c / 4;
        block.drop = 0.2 * (*done)++ / BLOCKS;
        x = ic_zoo_inverted_residual(graph, ic_zoo_join_number(base.text, i, "block").text, x,
                                     &block, style);
        block.c = block.k;
        block.stride = 1;
    }
    return x;
}

ic_node ic_zoo_efficientnet_b0(ic_graph *graph, int32_t classes)
{
    static const struct {
        int32_t expansion, size, stride, k, repeats;
    } stages[] = {{1, 3, 1, 16, 1},  {6, 3, 2, 24, 2},  {6, 5, 2, 40, 2}, {6, 3, 2, 80, 3},
                  {6, 5, 1, 112, 3}, {6, 5, 2, 192, 4}, {6, 3, 1, 320, 1}};
    static const ic_zoo_style style = {.epsilon = IC_NORM_EPSILON,
                                       .momentum = IC_NORM_MOMENTUM,
                                       .squeeze = IC_ACTIVATION_SILU,
                                       .gate = IC_ACTIVATION_SIGMOID};
    ic_conv_options stem = {.k = 32, .size = 3, .stride = 2, .padding = 1};
    ic_conv_options head = {.k = 1280, .size = 1};
    int32_t c = 32, number = 1, done = 0;
    ic_node x = ic_zoo_conv_norm(graph, "features.0", ic_graph_input(graph), &stem, &style,
                                 IC_ACTIVATION_SILU);
    for (size_t i = 0; i < sizeof stages / sizeof *stages; i++) {
        ic_zoo_inverted block = {.c = c,
                                 .k = stages[i].k,
                                 .size = stages[i].size,
                                 .stride = stages[i].stride,
                                 .activation = IC_ACTIVATION_SILU};
        x = stage(graph, number++, x, block, stages[i].expansion, stages[i].repeats, &done, &style);
        c = block.k;
    }
    x = ic_zoo_conv_norm(graph, "features.8", x, &head, &style, IC_ACTIVATION_SILU);
    x = ic_graph_global_pool(graph, x);
    x = ic_graph_dropout(graph, x, 0.2f);
    return ic_graph_linear(graph, "classifier.1", x, classes, true);
}

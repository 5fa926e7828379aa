/*
 * zoo/mobilenet_v3.c: MobileNetV3-Large (Howard et al. 2019) at width 1, with torchvision's tensor
 * names. SPDX-License-Identifier: MIT
 */
#include "zoo/blocks.h"

/* A quarter as a multiple of 8, but not less than nine tenths of it. */
static int32_t quarter(int32_t wide)
{
    int32_t c = wide / 4, rounded = (c + 4) / 8 * 8;
    rounded = rounded < 8 ? 8 : rounded;
    return 10 * rounded < 9 * c ? rounded + 8 : rounded;
}

ic_node ic_zoo_mobilenet_v3_large(ic_graph *graph, int32_t classes)
{
    static const ic_activation RE = IC_ACTIVATION_RELU, HS = IC_ACTIVATION_HARD_SWISH;
    const struct {
        int32_t size, wide, k;
        bool excite;
        ic_activation activation;
        int32_t stride;
    } blocks[] = {{3, 16, 16, 0, RE, 1},   {3, 64, 24, 0, RE, 2},   {3, 72, 24, 0, RE, 1},
                  {5, 72, 40, 1, RE, 2},   {5, 120, 40, 1, RE, 1},  {5, 120, 40, 1, RE, 1},
                  {3, 240, 80, 0, HS, 2},  {3, 200, 80, 0, HS, 1},  {3, 184, 80, 0, HS, 1},
                  {3, 184, 80, 0, HS, 1},  {3, 480, 112, 1, HS, 1}, {3, 672, 112, 1, HS, 1},
                  {5, 672, 160, 1, HS, 2}, {5, 960, 160, 1, HS, 1}, {5, 960, 160, 1, HS, 1}};
    static const ic_zoo_style style = {.epsilon = 1e-3,
                                       .momentum = 0.01,
                                       .squeeze = IC_ACTIVATION_RELU,
                                       .gate = IC_ACTIVATION_HARD_SIGMOID};
    ic_conv_options stem = {.k = 16, .size = 3, .stride = 2, .padding = 1};
    ic_conv_options head = {.k = 960, .size = 1};
    int32_t c = 16, number = 1;
    ic_node x = ic_zoo_conv_norm(graph, "features.0", ic_graph_input(graph), &stem, &style, HS);
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
        ic_zoo_inverted block = {.c = c,
                                 .wide = blocks[i].wide,
                                 .k = blocks[i].k,
                                 .size = blocks[i].size,
                                 .stride = blocks[i].stride,
                                 .squeezed = blocks[i].excite ? quarter(blocks[i].wide) : 0,
                                 .activation = blocks[i].activation};
        ic_zoo_name prefix = ic_zoo_join_number("features", number++, "block");
        x = ic_zoo_inverted_residual(graph, prefix.text, x, &block, &style);
        c = block.k;
    }
    x = ic_zoo_conv_norm(graph, "features.16", x, &head, &style, HS);
    x = ic_graph_global_pool(graph, x);
    x = ic_graph_linear(graph, "classifier.0", x, 1280, true);
    x = ic_graph_activation(graph, x, HS);
    x = ic_graph_dropout(graph, x, 0.2f);
    return ic_graph_linear(graph, "classifier.3", x, classes, true);
}

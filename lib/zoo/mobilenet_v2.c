/*
 * zoo/mobilenet_v2.c: MobileNetV2 (Sandler et al. 2018) at width 1, with torchvision's tensor
 * names. SPDX-License-Identifier: MIT
 *
 * At width 1 every channel count of the paper is a multiple of 8 already, so none needs rounding.
 */
#include "zoo/inside.h"

/* Convolution, norm and ReLU6, as modules `conv` and `norm` below a prefix; size 1 or 3. */
static ic_node block(ic_graph *graph, const char *conv, const char *norm, ic_node x,
                     const ic_conv_options *options, bool activation)
{
    x = ic_graph_batch_norm(graph, norm, ic_graph_conv(graph, conv, x, options));
    return activation ? ic_graph_activation(graph, x, IC_ACTIVATION_RELU6) : x;
}

static ic_node expand(ic_graph *graph, const char *prefix, ic_node x, int32_t c)
{
    ic_conv_options conv = {.k = c, .size = 1};
    return block(graph, ic_zoo_join(prefix, "conv.0.0").text, ic_zoo_join(prefix, "conv.0.1").text,
                 x, &conv, true);
}

static ic_node depthwise(ic_graph *graph, const char *prefix, int32_t place, ic_node x, int32_t c,
                         int32_t stride)
{
    ic_conv_options conv = {.k = c, .size = 3, .stride = stride, .padding = 1, .groups = c};
    ic_zoo_name base = ic_zoo_join(prefix, "conv");
    return block(graph, ic_zoo_join_number(base.text, place, "0").text,
                 ic_zoo_join_number(base.text, place, "1").text, x, &conv, true);
}

static ic_node project(ic_graph *graph, const char *prefix, int32_t place, ic_node x, int32_t k)
{
    ic_conv_options conv = {.k = k, .size = 1};
    ic_zoo_name base = ic_zoo_join(prefix, "conv");
    return block(graph, ic_zoo_join_number(base.text, place, "").text,
                 ic_zoo_join_number(base.text, place + 1, "").text, x, &conv, false);
}

static ic_node inverted_residual(ic_graph *graph, int32_t number, ic_node x, int32_t c, int32_t k,
                                 int32_t stride, int32_t expansion)
{
    ic_zoo_name prefix = ic_zoo_join_number("features", number, "");
    int32_t wide = c * expansion, place = expansion != 1 ? 1 : 0;
    ic_node y = expansion != 1 ? expand(graph, prefix.text, x, wide) : x;
    y = depthwise(graph, prefix.text, place, y, wide, stride);
    y = project(graph, prefix.text, place + 1, y, k);
    return stride == 1 && c == k ? ic_graph_add(graph, x, y) : y;
}

ic_node ic_zoo_mobilenet_v2(ic_graph *graph, int32_t classes)
{
    static const struct {
        int32_t expansion, k, repeats, stride;
    } stages[] = {{1, 16, 1, 1}, {6, 24, 2, 2},  {6, 32, 3, 2}, {6, 64, 4, 2},
                  {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}};
    ic_conv_options stem = {.k = 32, .size = 3, .stride = 2, .padding = 1};
    ic_node x = block(graph, "features.0.0", "features.0.1", ic_graph_input(graph), &stem, true);
    int32_t c = 32, number = 1;
    for (size_t i = 0; i < sizeof stages / sizeof *stages; i++)
        for (int32_t j = 0; j < stages[i].repeats; j++) {
            x = inverted_residual(graph, number++, x, c, stages[i].k, j == 0 ? stages[i].stride : 1,
                                  stages[i].expansion);
            c = stages[i].k;
        }
    ic_conv_options head = {.k = 1280, .size = 1};
    x = block(graph, "features.18.0", "features.18.1", x, &head, true);
    x = ic_graph_global_pool(graph, x);
    x = ic_graph_dropout(graph, x, 0.2f);
    return ic_graph_linear(graph, "classifier.1", x, classes, true);
}

/*
 * zoo/resnet18.c: ResNet-18 (He, Zhang, Ren, Sun 2015), with torchvision's tensor names. The last
 * scale of each residual branch starts at zero (Goyal et al. 2017). SPDX-License-Identifier: MIT
 */
#include "zoo/inside.h"

static ic_node conv3x3(ic_graph *graph, ic_zoo_name name, ic_node x, int32_t k, int32_t stride)
{
    ic_conv_options conv = {.k = k, .size = 3, .stride = stride, .padding = 1};
    return ic_graph_conv(graph, name.text, x, &conv);
}

/* The way around the branch: x itself, or where its shape changes, a 1x1 convolution of it. */
static ic_node shortcut(ic_graph *graph, const char *block, ic_node x, int32_t k, int32_t stride)
{
    if (stride == 1)
        return x;
    ic_conv_options conv = {.k = k, .size = 1, .stride = stride};
    x = ic_graph_conv(graph, ic_zoo_join(block, "downsample.0").text, x, &conv);
    return ic_graph_batch_norm(graph, ic_zoo_join(block, "downsample.1").text, x);
}

static ic_node basic_block(ic_graph *graph, const char *block, ic_node x, int32_t k, int32_t stride)
{
    ic_node branch = conv3x3(graph, ic_zoo_join(block, "conv1"), x, k, stride);
    branch = ic_graph_batch_norm(graph, ic_zoo_join(block, "bn1").text, branch);
    branch = ic_graph_activation(graph, branch, IC_ACTIVATION_RELU);
    branch = conv3x3(graph, ic_zoo_join(block, "conv2"), branch, k, 1);
    branch = ic_graph_batch_norm_zero(graph, ic_zoo_join(block, "bn2").text, branch);
    x = ic_graph_add(graph, branch, shortcut(graph, block, x, k, stride));
    return ic_graph_activation(graph, x, IC_ACTIVATION_RELU);
}

static ic_node layer(ic_graph *graph, const char *name, ic_node x, int32_t k, int32_t stride)
{
    x = basic_block(graph, ic_zoo_join_number(name, 0, "").text, x, k, stride);
    return basic_block(graph, ic_zoo_join_number(name, 1, "").text, x, k, 1);
}

ic_node ic_zoo_resnet18(ic_graph *graph, int32_t classes)
{
    ic_conv_options stem = {.k = 64, .size = 7, .stride = 2, .padding = 3};
    ic_node x = ic_graph_conv(graph, "conv1", ic_graph_input(graph), &stem);
    x = ic_graph_batch_norm(graph, "bn1", x);
    x = ic_graph_activation(graph, x, IC_ACTIVATION_RELU);
    x = ic_graph_max_pool(graph, x, 3, 2, 1);
    x = layer(graph, "layer1", x, 64, 1);
    x = layer(graph, "layer2", x, 128, 2);
    x = layer(graph, "layer3", x, 256, 2);
    x = layer(graph, "layer4", x, 512, 2);
    x = ic_graph_global_pool(graph, x);
    return ic_graph_linear(graph, "fc", x, classes, true);
}

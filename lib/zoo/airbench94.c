/*
 * zoo/airbench94.c: a network for small pictures that learns in few epochs (Jordan 2024,
 * arXiv:2404.00498): a whitening layer that the pictures give and training leaves alone, then three
 * groups of two convolutions that start as identities. SPDX-License-Identifier: MIT
 */
#include "base/random.h"
#include "zoo/inside.h"

#include <math.h>
#include <string.h>

enum { WHITENING_SIZE = 2 };

/* On the logits in the paper, here on what they are made of, which is the same. */
static const double logit_scale = 1.0 / 9;

static ic_node norm(ic_graph *graph, const char *group, const char *name, ic_node x)
{
    x = ic_graph_batch_norm_tuned(graph, ic_zoo_join(group, name).text, x, 1e-12, 0.4);
    return ic_graph_activation(graph, x, IC_ACTIVATION_GELU);
}

static ic_node group(ic_graph *graph, const char *name, ic_node x, int32_t k)
{
    ic_conv_options conv = {.k = k, .size = 3, .padding = 1};
    x = ic_graph_conv(graph, ic_zoo_join(name, "conv1").text, x, &conv);
    x = ic_graph_max_pool(graph, x, 2, 2, 0);
    x = norm(graph, name, "norm1", x);
    x = ic_graph_conv(graph, ic_zoo_join(name, "conv2").text, x, &conv);
    return norm(graph, name, "norm2", x);
}

ic_node ic_zoo_airbench94(ic_graph *graph, int32_t classes)
{
    int32_t patch = ic_graph_input_shape(graph).c * WHITENING_SIZE * WHITENING_SIZE;
    ic_conv_options whiten = {.k = 2 * patch, .size = WHITENING_SIZE, .bias = true};
    ic_node x = ic_graph_conv(graph, IC_ZOO_WHITENING, ic_graph_input(graph), &whiten);
    x = ic_graph_activation(graph, x, IC_ACTIVATION_GELU);
    x = group(graph, "group1", x, 64);
    x = group(graph, "group2", x, 256);
    x = group(graph, "group3", x, 256);
    x = ic_graph_global_max_pool(graph, x);
    x = ic_graph_scale(graph, x, logit_scale);
    return ic_graph_linear(graph, "head", x, classes, false);
}

/* The first filters pass their channel on as it is; the others are torch's uniform ones. */
static void start_conv(const ic_parameter *p, uint64_t seed, float *weight)
{
    int64_t k = p->shape[0], c = p->shape[1], taps = p->shape[2] * p->shape[3];
    double bound = 1 / sqrt((double)(c * taps));
    ic_random random = ic_random_at(seed, IC_USE_WEIGHTS, (uint64_t)p->offset, 1);
    for (int64_t i = 0; i < p->count; i++)
        weight[i] = (float)ic_random_range(&random, -bound, bound);
    int64_t passing = c < k ? c : k;
    memset(weight, 0, (size_t)(passing * c * taps) * sizeof *weight);
    for (int64_t i = 0; i < passing; i++)
        weight[(i * c + i) * taps + taps / 2] = 1;
}

void ic_zoo_start_airbench94(const ic_graph *graph, uint64_t seed, float *parameters)
{
    for (int32_t i = 0; i < ic_graph_parameter_count(graph); i++) {
        const ic_parameter *p = ic_graph_parameter(graph, i);
        if (p->rank == 4 && strncmp(p->name, "group", strlen("group")) == 0)
            start_conv(p, seed, parameters + p->offset);
    }
}

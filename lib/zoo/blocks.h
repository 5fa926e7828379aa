/* zoo/blocks.h: blocks that several networks share. SPDX-License-Identifier: MIT */
#ifndef ZOO_BLOCKS_H
#define ZOO_BLOCKS_H

#include "zoo/inside.h"

/* What is the same all through a network. */
typedef struct ic_zoo_style {
    double epsilon, momentum;    /* of its norms */
    ic_activation squeeze, gate; /* of squeeze and excite: between its layers, and behind them */
} ic_zoo_style;

/* Convolution `prefix.0`, norm `prefix.1` and an activation, or none. */
ic_node ic_zoo_conv_norm(ic_graph *graph, const char *prefix, ic_node x,
                         const ic_conv_options *conv, const ic_zoo_style *style,
                         ic_activation activation);

/*
 * x times a gate for each channel of each picture: two layers, `prefix.fc1` and `prefix.fc2`, over
 * the means of x.
 */
ic_node ic_zoo_squeeze_excite(ic_graph *graph, const char *prefix, ic_node x, int32_t c,
                              int32_t squeezed, const ic_zoo_style *style);

/* c channels widened to `wide`, a depthwise convolution, squeeze and excite, and down to k. */
typedef struct ic_zoo_inverted {
    int32_t c, wide, k;
    int32_t size, stride; /* of the depthwise convolution */
    int32_t squeezed;     /* channels between the layers of squeeze and excite; 0: without it */
    ic_activation activation;
    double drop; /* the probability that training leaves the branch out; 0: never */
} ic_zoo_inverted;

/* `prefix.0` and so on; adds x where the shape is the same. */
ic_node ic_zoo_inverted_residual(ic_graph *graph, const char *prefix, ic_node x,
                                 const ic_zoo_inverted *block, const ic_zoo_style *style);

#endif

/* zoo/zoo.h: the stock networks by name. SPDX-License-Identifier: MIT */
#ifndef ZOO_ZOO_H
#define ZOO_ZOO_H

#include "graph/graph.h"

/*
 * Builds and finishes a stock network: "airbench94", "lenet5", "plain", "small", "resnet9",
 * "resnet18", "mobilenet_v2", "mobilenet_v3_large", "efficientnet_b0".
 * IC_ERROR_ARGUMENT: no such name, or an input that is too small for it (the message says the
 * least).
 */
ic_status ic_zoo_build(ic_context *context, const char *name, ic_shape input, int32_t classes,
                       ic_graph **out);

/* Fresh weights of a stock network, a function of seed and names only; the name may be none of
 * ours. pool NULL: drawn by the caller alone. */
void ic_zoo_initialise(ic_pool *pool, const char *name, const ic_graph *graph, uint64_t seed,
                       float *parameters);

/*
 * The convolution that a network wants filled with the whitening filters of its pictures, before it
 * is trained: its square kernel of the size of the parameter's shape; NULL: it has none.
 */
#define IC_ZOO_WHITENING "whiten"
const ic_parameter *ic_zoo_whitening(const ic_graph *graph);

#endif

/* zoo/zoo.h: the stock networks by name. SPDX-License-Identifier: MIT */
#ifndef ZOO_ZOO_H
#define ZOO_ZOO_H

#include "graph/graph.h"

/*
 * Builds and finishes a stock network: "lenet5", "plain", "small", "resnet9", "resnet18",
 * "mobilenet_v2", "mobilenet_v3_large", "efficientnet_b0".
 * IC_ERROR_ARGUMENT: no such name, or an input that is too small for it (the message says the
 * least).
 */
ic_status ic_zoo_build(ic_context *context, const char *name, ic_shape input, int32_t classes,
                       ic_graph **out);

#endif

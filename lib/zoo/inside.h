/* zoo/inside.h: the networks, one function and one file each. SPDX-License-Identifier: MIT */
#ifndef ZOO_INSIDE_H
#define ZOO_INSIDE_H

#include "base/status.h"
#include "zoo/zoo.h"

/* Appends a network behind the graph's input; returns its logits, or an error. */
ic_node ic_zoo_airbench94(ic_graph *graph, int32_t classes);
ic_node ic_zoo_lenet5(ic_graph *graph, int32_t classes);
ic_node ic_zoo_plain(ic_graph *graph, int32_t classes);
ic_node ic_zoo_small(ic_graph *graph, int32_t classes);
ic_node ic_zoo_resnet9(ic_graph *graph, int32_t classes);
ic_node ic_zoo_resnet18(ic_graph *graph, int32_t classes);
ic_node ic_zoo_mobilenet_v2(ic_graph *graph, int32_t classes);
ic_node ic_zoo_mobilenet_v3_large(ic_graph *graph, int32_t classes);
ic_node ic_zoo_efficientnet_b0(ic_graph *graph, int32_t classes);

/* Weights that start otherwise than ic_graph_initialise has it, over those that it has set. */
void ic_zoo_start_airbench94(const ic_graph *graph, uint64_t seed, float *parameters);

/* "prefix.suffix" as the name of a node; too long a name ends up refused by the graph. */
typedef struct ic_zoo_name {
    char text[64];
} ic_zoo_name;
ic_zoo_name ic_zoo_join(const char *prefix, const char *suffix);

/* The same with a number between: "features.3.conv". */
ic_zoo_name ic_zoo_join_number(const char *prefix, int32_t number, const char *suffix);

#endif

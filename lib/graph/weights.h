/* graph/weights.h: the inside of weights that are ready for inference. SPDX-License-Identifier: MIT
 */
#ifndef GRAPH_WEIGHTS_H
#define GRAPH_WEIGHTS_H

#include "graph/program.h"

struct ic_weights {
    atomic_int references;
    ic_context *context;
    ic_graph *graph;
    float *parameters;
    unsigned char *constants; /* where IC_BASE_CONSTANTS points */
    size_t constant_bytes;
};

/* Scale and shift of channel i of a batch norm with its running values. */
void ic_norm_channel(const ic_graph *graph, const float *parameters, int32_t norm, int64_t i,
                     double *scale, double *shift);

#endif

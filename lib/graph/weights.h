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

#endif

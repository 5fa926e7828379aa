/*
 * support/hashed_parameters.h: a network's parameters from hashes of their names, as
 * tests/tools/goldens.py makes them. SPDX-License-Identifier: MIT
 */
#ifndef TESTS_SUPPORT_HASHED_PARAMETERS_H
#define TESTS_SUPPORT_HASHED_PARAMETERS_H

#include "graph/graph.h"
#include "support/hashed.h"

#include <string.h>

static inline bool ends(const char *text, const char *ending)
{
    size_t a = strlen(text), b = strlen(ending);
    return a >= b && strcmp(text + a - b, ending) == 0;
}

static inline double parameter_value(const ic_parameter *p, bool norm, double v)
{
    if (p->rank > 1) {
        double scale = 1;
        while (6 < (double)(p->count / p->shape[0]) * scale * scale)
            scale /= 2;
        return v * scale;
    }
    if (ends(p->name, "running_var"))
        return 1 + 0.5 * v;
    if (norm && ends(p->name, "bias"))
        return v > -0.9375 ? 3 + 0.5 * v : v + 1;
    return ends(p->name, "running_mean") || ends(p->name, "bias") ? 0.25 * v : 1 + 0.25 * v;
}

static inline void hashed_parameters(const ic_graph *graph, float *parameters)
{
    for (int32_t i = 0; i < ic_graph_parameter_count(graph); i++) {
        const ic_parameter *p = ic_graph_parameter(graph, i);
        uint64_t hash = name_hash("", p->name);
        bool norm = i + 1 < ic_graph_parameter_count(graph) &&
                    ends(ic_graph_parameter(graph, i + 1)->name, "running_mean");
        for (int64_t j = 0; j < p->count; j++)
            parameters[p->offset + j] = (float)parameter_value(p, norm, value_at(hash, j));
    }
}

#endif

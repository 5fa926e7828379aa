/* zoo/zoo.c: the list of stock networks. SPDX-License-Identifier: MIT */
#include "zoo/inside.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    int32_t least; /* side of the input, pixels */
    ic_node (*build)(ic_graph *graph, int32_t classes);
    void (*start)(const ic_graph *graph, uint64_t seed, float *parameters); /* NULL: as usual */
} networks[] = {
    {"airbench94", 9, ic_zoo_airbench94, ic_zoo_start_airbench94},
    {"lenet5", 12, ic_zoo_lenet5, NULL},
    {"plain", 4, ic_zoo_plain, NULL},
    {"small", 8, ic_zoo_small, NULL},
    {"resnet9", 8, ic_zoo_resnet9, NULL},
    {"resnet18", 32, ic_zoo_resnet18, NULL},
    {"mobilenet_v2", 32, ic_zoo_mobilenet_v2, NULL},
    {"mobilenet_v3_large", 32, ic_zoo_mobilenet_v3_large, NULL},
    {"efficientnet_b0", 32, ic_zoo_efficientnet_b0, NULL},
};

ic_zoo_name ic_zoo_join(const char *prefix, const char *suffix)
{
    ic_zoo_name name;
    snprintf(name.text, sizeof name.text, "%s.%s", prefix, suffix);
    return name;
}

ic_zoo_name ic_zoo_join_number(const char *prefix, int32_t number, const char *suffix)
{
    ic_zoo_name name;
    snprintf(name.text, sizeof name.text, "%s.%d%s%s", prefix, number, *suffix ? "." : "", suffix);
    return name;
}

static int32_t find(const char *name)
{
    for (size_t i = 0; i < sizeof networks / sizeof *networks; i++)
        if (strcmp(networks[i].name, name) == 0)
            return (int32_t)i;
    return -1;
}

ic_status ic_zoo_build(ic_context *context, const char *name, ic_shape input, int32_t classes,
                       ic_graph **out)
{
    if (context == NULL || name == NULL || out == NULL)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_zoo_build: no argument may be NULL");
    int32_t index = find(name);
    if (index < 0)
        return ic_fail(IC_ERROR_ARGUMENT,
                       "there is no network %.40s; there are airbench94, lenet5, plain, small, "
                       "resnet9, resnet18, "
                       "mobilenet_v2, mobilenet_v3_large and efficientnet_b0",
                       name);
    int32_t least = networks[index].least;
    if (input.h < least || input.w < least)
        return ic_fail(IC_ERROR_ARGUMENT,
                       "%s needs an input of at least %d x %d pixels, not %d x %d", name, least,
                       least, input.w, input.h);
    ic_graph *graph = NULL;
    IC_TRY(ic_graph_create(context, input, &graph));
    ic_node logits = networks[index].build(graph, classes);
    ic_status status = ic_graph_finish(graph, logits);
    if (status < 0) {
        ic_graph_free(graph);
        return status;
    }
    *out = graph;
    return IC_OK;
}

void ic_zoo_initialise(ic_pool *pool, const char *name, const ic_graph *graph, uint64_t seed,
                       float *parameters)
{
    int32_t index = find(name);
    ic_graph_initialise(pool, graph, seed, parameters);
    if (index >= 0 && networks[index].start)
        networks[index].start(graph, seed, parameters);
}

const ic_parameter *ic_zoo_whitening(const ic_graph *graph)
{
    for (int32_t i = 0; i < ic_graph_parameter_count(graph); i++)
        if (strcmp(ic_graph_parameter(graph, i)->name, IC_ZOO_WHITENING ".weight") == 0)
            return ic_graph_parameter(graph, i);
    return NULL;
}

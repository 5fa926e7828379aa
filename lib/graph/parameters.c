/* graph/parameters.c: the flat array of parameters: layout and fresh values.
 * SPDX-License-Identifier: MIT */
#include "base/maths.h"
#include "base/pool.h"
#include "base/random.h"
#include "graph/node.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    ALIGNMENT = 16, /* floats: a cache line */
    PIECE = 1 << 15 /* values that a thread draws at a time */
};

ic_status ic_graph_declare(ic_graph *graph, const ic_graph_node *node, const char *suffix,
                           ic_parameter_role role, int32_t rank, const int64_t shape[4])
{
    char name[IC_GRAPH_NAME_MAX + 32];
    snprintf(name, sizeof name, "%s.%s", node->name, suffix);
    ic_parameter parameter = {.role = role, .rank = rank, .count = 1};
    for (int32_t i = 0; i < rank; i++) {
        parameter.shape[i] = shape[i];
        if (shape[i] > IC_GRAPH_PARAMETER_FLOATS_MAX / parameter.count)
            return ic_fail(IC_ERROR_LIMIT, "%s has more than the limit of %d values", name,
                           IC_GRAPH_PARAMETER_FLOATS_MAX);
        parameter.count *= shape[i];
    }
    IC_TRY(ic_grow(graph->context, &graph->parameters, &graph->parameter_capacity,
                   graph->parameter_count + 1, sizeof parameter));
    char *copy = NULL;
    IC_TRY(ic_copy_text(graph->context, name, &copy));
    parameter.name = copy;
    graph->parameters[graph->parameter_count++] = parameter;
    return IC_OK;
}

/* Gives places to all parameters of a role, from *end on. */
static ic_status place_role(ic_graph *graph, ic_parameter_role role, int64_t *end)
{
    for (size_t i = 0; i < graph->parameter_count; i++) {
        ic_parameter *p = &graph->parameters[i];
        if (p->role != role)
            continue;
        p->offset = *end;
        *end += (p->count + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        if (*end > IC_GRAPH_PARAMETER_FLOATS_MAX)
            return ic_fail(IC_ERROR_LIMIT, "the network has more than the limit of %d parameters",
                           IC_GRAPH_PARAMETER_FLOATS_MAX);
    }
    return IC_OK;
}

ic_status ic_graph_lay_out(ic_graph *graph)
{
    for (size_t i = 0; i < graph->node_count; i++) {
        ic_graph_node *node = &graph->nodes[i];
        node->first_parameter = (int32_t)graph->parameter_count;
        if (node->op->declare != NULL)
            IC_TRY(node->op->declare(graph, node));
    }
    int64_t end = 0;
    IC_TRY(place_role(graph, IC_ROLE_WEIGHT, &end));
    graph->sizes.decayed = end;
    IC_TRY(place_role(graph, IC_ROLE_BIAS, &end));
    graph->sizes.trained = end;
    IC_TRY(place_role(graph, IC_ROLE_STATISTIC, &end));
    graph->sizes.total = end;
    return IC_OK;
}

int32_t ic_graph_parameter_count(const ic_graph *graph)
{
    return (int32_t)graph->parameter_count;
}

const ic_parameter *ic_graph_parameter(const ic_graph *graph, int32_t index)
{
    return &graph->parameters[index];
}

ic_parameter_sizes ic_graph_parameter_sizes(const ic_graph *graph)
{
    return graph->sizes;
}

/* ---- Fresh values ---- */

/* FNV-1a: a name as a number, so that a tensor's values depend on its name and not on its place. */
static uint64_t hash_name(const char *name)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (; *name != '\0'; name++)
        hash = (hash ^ (unsigned char)*name) * 0x100000001b3u;
    return hash;
}

static void fill(float *values, int64_t count, float value)
{
    for (int64_t i = 0; i < count; i++)
        values[i] = value;
}

typedef struct normals {
    ic_random random;
    double deviation;
    int64_t count;
    float *values;
} normals;

static ic_status fill_piece(void *arguments, int64_t unit, int32_t worker)
{
    const normals *all = arguments;
    int64_t first = unit * PIECE, last = first + PIECE < all->count ? first + PIECE : all->count;
    ic_random random = all->random;
    random.counter = (uint64_t)first * IC_RANDOM_BITS_OF_NORMAL;
    (void)worker;
    for (int64_t i = first; i < last; i++)
        all->values[i] = (float)(all->deviation * ic_random_normal(&random));
    return IC_OK;
}

/* He, Zhang, Ren, Sun 2015: deviation sqrt(2 / fan-out). */
static void fill_he_normal(ic_pool *pool, const ic_graph_node *node, const ic_parameter *p,
                           const ic_random *random, float *values)
{
    double fan_out =
        (double)p->shape[0] * (double)(p->shape[2] * p->shape[3]) / node->attributes.groups;
    normals all = {
        .random = *random, .deviation = sqrt(2.0 / fan_out), .count = p->count, .values = values};
    int64_t pieces = (p->count + PIECE - 1) / PIECE;
    if (pool != NULL)
        ic_pool_run(pool, pieces, fill_piece, &all); /* nothing in it fails */
    for (int64_t i = 0; pool == NULL && i < pieces; i++)
        fill_piece(&all, i, 0);
}

/* Uniform within 1/sqrt(fan-in), weights and biases, as torch.nn.Linear starts. */
static void fill_uniform(int64_t fan_in, const ic_parameter *p, ic_random *random, float *values)
{
    double bound = 1.0 / sqrt((double)fan_in);
    for (int64_t i = 0; i < p->count; i++)
        values[i] = (float)ic_random_range(random, -bound, bound);
}

static void initialise_node(ic_pool *pool, const ic_graph *graph, const ic_graph_node *node,
                            int32_t end, uint64_t seed, float *parameters)
{
    const ic_parameter *weight = &graph->parameters[node->first_parameter];
    for (int32_t i = node->first_parameter; i < end; i++) {
        const ic_parameter *p = &graph->parameters[i];
        float *values = parameters + p->offset;
        ic_random random = ic_random_at(seed, IC_USE_WEIGHTS, hash_name(p->name), 0);
        bool is_weight = p == weight;
        if (node->op == &ic_operator_linear)
            fill_uniform(weight->shape[1], p, &random, values);
        else if (node->op == &ic_operator_conv && is_weight)
            fill_he_normal(pool, node, p, &random, values);
        else if (node->op == &ic_operator_batch_norm && is_weight)
            fill(values, p->count, node->attributes.zero ? 0.0f : 1.0f);
        else if (strcmp(p->name + strlen(node->name), ".running_var") == 0)
            fill(values, p->count, 1.0f);
    }
}

void ic_graph_initialise(ic_pool *pool, const ic_graph *graph, uint64_t seed, float *parameters)
{
    fill(parameters, graph->sizes.total, 0.0f);
    for (size_t i = 0; i < graph->node_count; i++) {
        int32_t end = i + 1 < graph->node_count ? graph->nodes[i + 1].first_parameter
                                                : (int32_t)graph->parameter_count;
        if (end > graph->nodes[i].first_parameter)
            initialise_node(pool, graph, &graph->nodes[i], end, seed, parameters);
    }
}

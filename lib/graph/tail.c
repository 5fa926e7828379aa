/* graph/tail.c: the end of a network as a network of its own. SPDX-License-Identifier: MIT */
#include "graph/node.h"
#include "graph/weights.h"

#include <string.h>

ic_node ic_graph_last_map(const ic_graph *graph)
{
    int32_t earliest = INT32_MAX; /* that a node behind i reads */
    for (int32_t i = (int32_t)graph->node_count - 1; i > 0; i--) {
        const ic_graph_node *node = &graph->nodes[i];
        if (node->shape.h * node->shape.w > 1 && earliest >= i)
            return i;
        for (int32_t k = 0; k < node->input_count; k++)
            earliest = node->inputs[k] < earliest ? node->inputs[k] : earliest;
    }
    return 0;
}

/* What inference does not do. */
static bool is_nothing(const ic_graph_node *node)
{
    return node->op == &ic_operator_dropout || node->op == &ic_operator_stochastic_depth;
}

/* Appends the twin of a node whose inputs' twins are known. */
static ic_node append_twin(ic_graph *tail, const ic_graph_node *node, const int32_t *twins)
{
    ic_node inputs[IC_GRAPH_INPUTS_MAX];
    ic_attributes attributes = node->attributes;
    for (int32_t k = 0; k < node->input_count; k++) {
        inputs[k] = twins[node->inputs[k]];
        if (inputs[k] < 0)
            return ic_fail(IC_ERROR_UNSUPPORTED,
                           "the network does not lead through the node alone that it is cut at");
    }
    if (is_nothing(node))
        return inputs[0];
    if (node->op != &ic_operator_batch_norm)
        return ic_graph_append(tail, node->op, node->name, inputs, node->input_count, &attributes);
    ic_conv_options conv = {.k = node->shape.c, .size = 1, .groups = node->shape.c, .bias = true};
    return ic_graph_conv(tail, node->name, inputs[0], &conv);
}

static ic_status append_all(const ic_graph *graph, ic_node node, int32_t *twins, ic_graph *tail)
{
    for (int32_t i = 0; i < node; i++)
        twins[i] = -1;
    twins[node] = 0;
    for (int32_t i = node + 1; i < (int32_t)graph->node_count; i++) {
        twins[i] = append_twin(tail, &graph->nodes[i], twins);
        if (twins[i] < 0)
            return twins[i];
    }
    return ic_graph_finish(tail, twins[graph->node_count - 1]);
}

/* The parameters of node i, for its twin, of which the first is *to. */
static void copy_parameters(const ic_graph *graph, int32_t i, const float *parameters,
                            const ic_parameter *to, float *tail_parameters)
{
    const ic_graph_node *node = &graph->nodes[i];
    const ic_parameter *from = &graph->parameters[node->first_parameter];
    if (node->op == &ic_operator_batch_norm) {
        for (int64_t c = 0; c < node->shape.c; c++) {
            double scale, shift;
            ic_norm_channel(graph, parameters, i, c, &scale, &shift);
            tail_parameters[to[0].offset + c] = (float)scale;
            tail_parameters[to[1].offset + c] = (float)shift;
        }
        return;
    }
    for (int32_t k = 0; k < 1 + node->attributes.bias; k++)
        memcpy(tail_parameters + to[k].offset, parameters + from[k].offset,
               (size_t)to[k].count * sizeof *parameters);
}

ic_status ic_graph_tail(const ic_graph *graph, ic_node node, const float *parameters,
                        ic_graph **out, float **tail_parameters)
{
    ic_context *context = graph->context;
    ic_graph *tail = NULL;
    float *made = NULL;
    int32_t *twins = NULL;
    ic_status status;
    IC_TRY_CLEAN(ic_graph_create(context, graph->nodes[node].shape, &tail));
    IC_TRY_CLEAN(ic_allocate_array(context, graph->node_count, sizeof *twins, &twins));
    IC_TRY_CLEAN(append_all(graph, node, twins, tail));
    IC_TRY_CLEAN(ic_allocate_zero(context, (size_t)tail->sizes.total * sizeof *made, &made));
    for (int32_t i = node + 1; i < (int32_t)graph->node_count; i++)
        if (graph->nodes[i].op->declare != NULL)
            copy_parameters(graph, i, parameters,
                            &tail->parameters[tail->nodes[twins[i]].first_parameter], made);
    *out = tail;
    *tail_parameters = made;
    tail = NULL;
cleanup:
    ic_free(context, twins);
    ic_graph_free(tail);
    return status;
}

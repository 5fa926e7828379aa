/*
 * graph/tap.c: a network that tells, beside its logits, how its maps respond.
 * SPDX-License-Identifier: MIT
 *
 * What is tapped is the end of what a convolution absorbs: the steps of the logits stay as they
 * are, and weights that were packed for the one graph fit the other.
 */
#include "graph/node.h"

#include "base/memory.h"

typedef struct tapping {
    const ic_graph *graph;
    ic_graph *made;
    int32_t *number;                  /* [nodes] in what is made */
    bool *tapped;                     /* [nodes] */
    int32_t head;                     /* the node that the last layer weighs */
    ic_node outputs[IC_TAPS_MAX + 1]; /* the logits first */
    ic_taps taps;
} tapping;

/* What only lays out or scales the vector of the last layer is passed over. */
static int32_t find_head(const ic_graph *graph)
{
    const ic_graph_node *node = &graph->nodes[graph->node_count - 1];
    if (node->op != &ic_operator_linear)
        return -1;
    int32_t at = node->inputs[0];
    for (; at > 0; at = node->inputs[0]) {
        node = &graph->nodes[at];
        if (node->op != &ic_operator_flatten && node->op != &ic_operator_dropout &&
            node->op != &ic_operator_scale)
            break;
    }
    return at;
}

static bool is_map(const ic_graph *graph, int32_t node)
{
    ic_shape shape = graph->nodes[node].shape;
    return shape.h > 1 || shape.w > 1;
}

/* The last activation of each size of maps, but those that come last in any case. */
static void choose(tapping *t)
{
    const ic_graph *graph = t->graph;
    const ic_graph_node *head = &graph->nodes[t->head];
    int32_t stages[IC_TAPS_MAX - 1], count = 0;
    for (size_t i = 1; i < graph->node_count; i++) {
        ic_shape shape = graph->nodes[i].shape;
        if (graph->nodes[i].op != &ic_operator_activation || !is_map(graph, (int32_t)i))
            continue;
        ic_shape last = count > 0 ? graph->nodes[stages[count - 1]].shape : (ic_shape){0};
        count += (last.h != shape.h || last.w != shape.w) && count < IC_TAPS_MAX - 1;
        stages[count - 1] = (int32_t)i;
    }
    for (int32_t i = 0; i < count; i++)
        t->tapped[stages[i]] = true;
    t->tapped[t->head] = false;
    if (head->op == &ic_operator_global_pool || head->op == &ic_operator_global_max_pool)
        t->tapped[head->inputs[0]] = false;
}

/* The means over the pixels of a node's channels. */
static ic_status tap(tapping *t, int32_t node)
{
    ic_node out = t->number[node];
    if (is_map(t->graph, node))
        out = ic_graph_global_pool(t->made, out);
    t->taps.channels[t->taps.count++] = t->graph->nodes[node].shape.c;
    t->outputs[t->taps.count] = out;
    return out < 0 ? out : IC_OK;
}

static ic_status append_node(tapping *t, int32_t index)
{
    const ic_graph_node *node = &t->graph->nodes[index];
    int32_t *inputs;
    IC_TRY(
        ic_allocate_array(t->graph->context, (size_t)node->input_count, sizeof *inputs, &inputs));
    for (int32_t i = 0; i < node->input_count; i++)
        inputs[i] = t->number[node->inputs[i]];
    t->number[index] = ic_graph_append(t->made, node->op, node->name, inputs, node->input_count,
                                       &node->attributes);
    ic_free(t->graph->context, inputs);
    return t->number[index] < 0 ? t->number[index] : IC_OK;
}

static ic_status append_all(tapping *t)
{
    int32_t last = (int32_t)t->graph->node_count - 1;
    for (int32_t i = 0; i <= last; i++) {
        if (i > 0)
            IC_TRY(append_node(t, i));
        if (t->tapped[i])
            IC_TRY(tap(t, i));
    }
    IC_TRY(tap(t, t->head));
    t->outputs[0] = t->number[last];
    ic_node all = ic_graph_concat(t->made, t->outputs, t->taps.count + 1);
    return all < 0 ? all : ic_graph_finish(t->made, all);
}

ic_status ic_graph_tap(const ic_graph *graph, ic_taps *taps, ic_graph **out)
{
    ic_context *context = graph->context;
    tapping t = {.graph = graph, .head = find_head(graph)};
    ic_status status;
    if (t.head < 0)
        return ic_fail(IC_ERROR_UNSUPPORTED, "the network does not end with a linear layer");
    IC_TRY_CLEAN(ic_allocate_zero(context, graph->node_count * sizeof *t.number, &t.number));
    IC_TRY_CLEAN(ic_allocate_zero(context, graph->node_count * sizeof *t.tapped, &t.tapped));
    IC_TRY_CLEAN(ic_graph_create(context, graph->nodes[0].shape, &t.made));
    choose(&t);
    IC_TRY_CLEAN(append_all(&t));
    t.made->origin = ic_graph_retain((ic_graph *)graph);
    *taps = t.taps;
    *out = t.made;
    t.made = NULL;
cleanup:
    ic_graph_free(t.made);
    ic_free(context, t.number);
    ic_free(context, t.tapped);
    return status;
}

int32_t ic_graph_logits(const ic_graph *graph)
{
    return ic_graph_classes(graph->origin != NULL ? graph->origin : graph);
}

/* graph/remake.c: the same network for another input or other classes. SPDX-License-Identifier: MIT
 */
#include "graph/node.h"

static ic_status append_all(const ic_graph *graph, int32_t classes, ic_graph *made)
{
    for (size_t i = 1; i < graph->node_count; i++) {
        const ic_graph_node *node = &graph->nodes[i];
        ic_attributes attributes = node->attributes;
        if (i + 1 == graph->node_count && node->op == &ic_operator_linear)
            attributes.channels = classes;
        ic_node number = ic_graph_append(made, node->op, node->name, node->inputs,
                                         node->input_count, &attributes);
        if (number < 0)
            return number;
    }
    return ic_graph_finish(made, (ic_node)graph->node_count - 1);
}

const char *ic_graph_classifier(const ic_graph *graph)
{
    const ic_graph_node *last = &graph->nodes[graph->node_count - 1];
    return last->op == &ic_operator_linear ? last->name : NULL;
}

ic_status ic_graph_remake(const ic_graph *graph, ic_shape input, int32_t classes, ic_graph **out)
{
    ic_graph *made = NULL;
    if (classes != ic_graph_classes(graph) && !ic_graph_classifier(graph))
        return ic_fail(IC_ERROR_UNSUPPORTED,
                       "the network does not end with a linear layer, so that the number of its "
                       "classes cannot change");
    IC_TRY(ic_graph_create(graph->context, input, &made));
    ic_status status = append_all(graph, classes, made);
    if (status < 0)
        ic_graph_free(made);
    else
        *out = made;
    return status;
}

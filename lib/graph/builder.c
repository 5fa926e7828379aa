/* graph/builder.c: building a network node by node, with every shape checked.
 * SPDX-License-Identifier: MIT */
#include "base/text.h"
#include "graph/node.h"

#include <stdio.h>
#include <string.h>

const char *ic_graph_label(const ic_graph_node *node, char buffer[IC_NODE_LABEL_MAX])
{
    const char *name = node->name != NULL ? node->name : "";
    snprintf(buffer, IC_NODE_LABEL_MAX, "%s%s%s", node->op->name, *name != '\0' ? " " : "", name);
    return buffer;
}

ic_shape ic_graph_input_of(const ic_graph *graph, const ic_graph_node *node, int32_t index)
{
    return graph->nodes[node->inputs[index]].shape;
}

ic_status ic_graph_window_size(const ic_graph_node *node, int32_t input, int32_t *out)
{
    char label[IC_NODE_LABEL_MAX];
    const ic_attributes *a = &node->attributes;
    int32_t span = a->dilation * (a->size - 1) + 1;
    int32_t padded = input + 2 * a->padding;
    if (span > padded)
        return ic_fail(IC_ERROR_ARGUMENT,
                       "%s: its window spans %d pixels, more than its padded input of %d; use a "
                       "larger input",
                       ic_graph_label(node, label), span, padded);
    *out = (padded - span) / a->stride + 1;
    return IC_OK;
}

/* ---- Life of a graph ---- */

static ic_status check_shape(const ic_graph_node *node)
{
    char label[IC_NODE_LABEL_MAX];
    ic_shape s = node->shape;
    bool sane =
        s.h >= 1 && s.w >= 1 && s.c >= 1 && s.h <= IC_GRAPH_SIDE_MAX && s.w <= IC_GRAPH_SIDE_MAX;
    if (!sane || (int64_t)s.h * s.w > IC_GRAPH_PICTURE_FLOATS_MAX / s.c)
        return ic_fail(IC_ERROR_LIMIT,
                       "%s: a tensor of %d x %d x %d a picture; the limits are %d a side and %d "
                       "values",
                       ic_graph_label(node, label), s.h, s.w, s.c, IC_GRAPH_SIDE_MAX,
                       IC_GRAPH_PICTURE_FLOATS_MAX);
    return IC_OK;
}

static void free_node(ic_context *context, ic_graph_node *node)
{
    ic_free(context, node->name);
    ic_free(context, node->inputs);
}

ic_status ic_graph_create(ic_context *context, ic_shape input, ic_graph **out)
{
    if (context == NULL || out == NULL)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_graph_create: context and out must not be NULL");
    ic_graph_node first = {.op = &ic_operator_input, .shape = input};
    IC_TRY(check_shape(&first));
    ic_graph *graph = NULL;
    IC_TRY(ic_allocate_zero(context, sizeof *graph, &graph));
    ic_status status = ic_grow(context, &graph->nodes, &graph->node_capacity, 1, sizeof first);
    if (status < 0) {
        ic_free(context, graph);
        return status;
    }
    graph->nodes[graph->node_count++] = first;
    atomic_init(&graph->references, 1);
    graph->context = ic_context_retain(context);
    *out = graph;
    return IC_OK;
}

ic_graph *ic_graph_retain(ic_graph *graph)
{
    atomic_fetch_add(&graph->references, 1);
    return graph;
}

void ic_graph_free(ic_graph *graph)
{
    if (graph == NULL || atomic_fetch_sub(&graph->references, 1) != 1)
        return;
    ic_context *context = graph->context;
    for (size_t i = 0; i < graph->node_count; i++)
        free_node(context, &graph->nodes[i]);
    for (size_t i = 0; i < graph->parameter_count; i++)
        ic_free(context, (void *)graph->parameters[i].name);
    ic_free(context, graph->nodes);
    ic_free(context, graph->parameters);
    ic_graph_free(graph->origin);
    ic_free(context, graph);
    ic_context_free(context);
}

/* ---- Nodes ---- */

/* Names become keys of model files: letters, digits and . _ - only, and no two alike. */
static ic_status check_name(const ic_graph *graph, const ic_operator *op, const char *name)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    if (!op->named)
        return name == NULL ? IC_OK
                            : ic_fail(IC_ERROR_ARGUMENT,
                                      "%s: it has no parameters and takes no name", op->name);
    size_t length = name != NULL ? strlen(name) : 0;
    if (length == 0 || length > IC_GRAPH_NAME_MAX || strspn(name, allowed) != length)
        return ic_fail(IC_ERROR_ARGUMENT,
                       "%s: a name is 1 to %d letters, digits, dots, dashes and underscores",
                       op->name, IC_GRAPH_NAME_MAX);
    for (size_t i = 0; i < graph->node_count; i++)
        if (graph->nodes[i].name != NULL && strcmp(graph->nodes[i].name, name) == 0)
            return ic_fail(IC_ERROR_ARGUMENT, "%s: the name %s is taken by an earlier node",
                           op->name, name);
    return IC_OK;
}

static ic_status check_inputs(const ic_graph *graph, const ic_operator *op, const ic_node *inputs,
                              int32_t count)
{
    int32_t least = op->inputs != 0 ? op->inputs : 1;
    int32_t most = op->inputs != 0 ? op->inputs : IC_GRAPH_INPUTS_MAX;
    if (count < least || count > most)
        return ic_fail(IC_ERROR_ARGUMENT, "%s: it has %d inputs and takes %d to %d", op->name,
                       count, least, most);
    for (int32_t i = 0; i < count; i++)
        if (inputs[i] < 0 || (size_t)inputs[i] >= graph->node_count)
            return ic_fail(IC_ERROR_ARGUMENT,
                           "%s: input %d is node %d, and there are nodes 0 to %zu", op->name, i,
                           inputs[i], graph->node_count - 1);
    return IC_OK;
}

static ic_status check_range(const ic_operator *op, const char *what, int32_t value, int32_t low,
                             int32_t high)
{
    if (value < low || value > high)
        return ic_fail(IC_ERROR_ARGUMENT, "%s: %s is %d, must be %d to %d", op->name, what, value,
                       low, high);
    return IC_OK;
}

/* Written so that a NaN is refused too. */
static ic_status check_norm(const ic_operator *op, const ic_attributes *a)
{
    char text[IC_TEXT_FLOAT_MAX];
    if (!(a->epsilon >= 1e-12 && a->epsilon <= 1))
        return ic_fail(IC_ERROR_ARGUMENT, "%s: epsilon is %s, must be 1e-12 to 1", op->name,
                       ic_text_float(a->epsilon, 6, text));
    if (!(a->momentum >= 0 && a->momentum <= 1))
        return ic_fail(IC_ERROR_ARGUMENT, "%s: momentum is %s, must be 0 to 1", op->name,
                       ic_text_float(a->momentum, 6, text));
    return IC_OK;
}

static ic_status check_attributes(const ic_operator *op, const ic_attributes *a)
{
    if (op->attributes & IC_HAS_CHANNELS)
        IC_TRY(check_range(op, "channels", a->channels, 1, IC_GRAPH_CHANNELS_MAX));
    if (op->attributes & IC_HAS_SIZE)
        IC_TRY(check_range(op, "size", a->size, 1, IC_GRAPH_WINDOW_MAX));
    if (op->attributes & IC_HAS_STRIDE)
        IC_TRY(check_range(op, "stride", a->stride, 1, IC_GRAPH_WINDOW_MAX));
    if (op->attributes & IC_HAS_PADDING)
        IC_TRY(check_range(op, "padding", a->padding, 0, IC_GRAPH_WINDOW_MAX));
    if (op->attributes & IC_HAS_DILATION)
        IC_TRY(check_range(op, "dilation", a->dilation, 1, IC_GRAPH_WINDOW_MAX));
    if (op->attributes & IC_HAS_GROUPS)
        IC_TRY(check_range(op, "groups", a->groups, 1, IC_GRAPH_CHANNELS_MAX));
    if (op->attributes & IC_HAS_BIAS)
        IC_TRY(check_range(op, "bias", a->bias, 0, 1));
    if (op->attributes & IC_HAS_ZERO)
        IC_TRY(check_range(op, "zero", a->zero, 0, 1));
    if (op->attributes & IC_HAS_FUNCTION)
        IC_TRY(check_range(op, "function", (int32_t)a->function, IC_ACTIVATION_NONE + 1,
                           IC_ACTIVATION_COUNT - 1));
    if (op->attributes & IC_HAS_NORM)
        IC_TRY(check_norm(op, a));
    if ((op->attributes & IC_HAS_FACTOR) && !(a->factor >= -1e6 && a->factor <= 1e6)) {
        char text[IC_TEXT_FLOAT_MAX];
        return ic_fail(IC_ERROR_ARGUMENT, "%s: the factor is %s, must be -1e6 to 1e6", op->name,
                       ic_text_float(a->factor, 6, text));
    }
    if ((op->attributes & IC_HAS_PROBABILITY) && !(a->probability >= 0 && a->probability < 1)) {
        char text[IC_TEXT_FLOAT_MAX];
        return ic_fail(IC_ERROR_ARGUMENT, "%s: the probability is %s, must be 0 to below 1",
                       op->name, ic_text_float(a->probability, 6, text));
    }
    return IC_OK;
}

ic_node ic_graph_append(ic_graph *graph, const ic_operator *op, const char *name,
                        const ic_node *inputs, int32_t input_count, const ic_attributes *attributes)
{
    if (graph == NULL)
        return ic_fail(IC_ERROR_ARGUMENT, "%s: graph must not be NULL", op->name);
    if (graph->finished)
        return ic_fail(IC_ERROR_STATE, "%s: the graph is finished and takes no more nodes",
                       op->name);
    for (int32_t i = 0; i < input_count && i < IC_GRAPH_INPUTS_MAX; i++)
        if (inputs[i] < 0)
            return inputs[i]; /* the call that made it has already set the message */
    if (graph->node_count >= IC_GRAPH_NODES_MAX)
        return ic_fail(IC_ERROR_LIMIT, "%s: a graph has at most %d nodes", op->name,
                       IC_GRAPH_NODES_MAX);
    IC_TRY(check_inputs(graph, op, inputs, input_count));
    IC_TRY(check_name(graph, op, name));
    IC_TRY(check_attributes(op, attributes));

    ic_context *context = graph->context;
    ic_graph_node node = {.op = op, .attributes = *attributes, .input_count = input_count};
    ic_status status = IC_OK;
    IC_TRY_CLEAN(
        ic_grow(context, &graph->nodes, &graph->node_capacity, graph->node_count + 1, sizeof node));
    if (name != NULL)
        IC_TRY_CLEAN(ic_copy_text(context, name, &node.name));
    IC_TRY_CLEAN(
        ic_allocate_array(context, (size_t)input_count, sizeof *node.inputs, &node.inputs));
    memcpy(node.inputs, inputs, (size_t)input_count * sizeof *inputs);
    IC_TRY_CLEAN(op->infer(graph, &node));
    IC_TRY_CLEAN(check_shape(&node));
    graph->nodes[graph->node_count] = node;
    return (ic_node)graph->node_count++;
cleanup:
    free_node(context, &node);
    return status;
}

ic_node ic_graph_input(ic_graph *graph)
{
    return graph != NULL ? 0 : ic_fail(IC_ERROR_ARGUMENT, "ic_graph_input: graph is NULL");
}

ic_node ic_graph_conv(ic_graph *graph, const char *name, ic_node x, const ic_conv_options *options)
{
    ic_attributes a = {.channels = options->k,
                       .size = options->size,
                       .stride = options->stride != 0 ? options->stride : 1,
                       .padding = options->padding,
                       .dilation = options->dilation != 0 ? options->dilation : 1,
                       .groups = options->groups != 0 ? options->groups : 1,
                       .bias = options->bias};
    return ic_graph_append(graph, &ic_operator_conv, name, &x, 1, &a);
}

ic_node ic_graph_linear(ic_graph *graph, const char *name, ic_node x, int32_t k, bool bias)
{
    ic_attributes a = {.channels = k, .bias = bias};
    return ic_graph_append(graph, &ic_operator_linear, name, &x, 1, &a);
}

ic_node ic_graph_batch_norm(ic_graph *graph, const char *name, ic_node x)
{
    return ic_graph_batch_norm_tuned(graph, name, x, IC_NORM_EPSILON, IC_NORM_MOMENTUM);
}

ic_node ic_graph_batch_norm_tuned(ic_graph *graph, const char *name, ic_node x, double epsilon,
                                  double momentum)
{
    ic_attributes a = {.epsilon = epsilon, .momentum = momentum};
    return ic_graph_append(graph, &ic_operator_batch_norm, name, &x, 1, &a);
}

ic_node ic_graph_batch_norm_zero(ic_graph *graph, const char *name, ic_node x)
{
    ic_attributes a = {.zero = 1, .epsilon = IC_NORM_EPSILON, .momentum = IC_NORM_MOMENTUM};
    return ic_graph_append(graph, &ic_operator_batch_norm, name, &x, 1, &a);
}

ic_node ic_graph_activation(ic_graph *graph, ic_node x, ic_activation kind)
{
    ic_attributes a = {.function = kind};
    return ic_graph_append(graph, &ic_operator_activation, NULL, &x, 1, &a);
}

static ic_node append_pool(ic_graph *graph, const ic_operator *op, ic_node x, int32_t size,
                           int32_t stride, int32_t padding)
{
    ic_attributes a = {.size = size, .stride = stride, .padding = padding, .dilation = 1};
    return ic_graph_append(graph, op, NULL, &x, 1, &a);
}

ic_node ic_graph_max_pool(ic_graph *graph, ic_node x, int32_t size, int32_t stride, int32_t padding)
{
    return append_pool(graph, &ic_operator_max_pool, x, size, stride, padding);
}

ic_node ic_graph_average_pool(ic_graph *graph, ic_node x, int32_t size, int32_t stride,
                              int32_t padding)
{
    return append_pool(graph, &ic_operator_average_pool, x, size, stride, padding);
}

ic_node ic_graph_global_pool(ic_graph *graph, ic_node x)
{
    return ic_graph_append(graph, &ic_operator_global_pool, NULL, &x, 1, &(ic_attributes){0});
}

ic_node ic_graph_global_max_pool(ic_graph *graph, ic_node x)
{
    return ic_graph_append(graph, &ic_operator_global_max_pool, NULL, &x, 1, &(ic_attributes){0});
}

ic_node ic_graph_add(ic_graph *graph, ic_node a, ic_node b)
{
    ic_node inputs[2] = {a, b};
    return ic_graph_append(graph, &ic_operator_add, NULL, inputs, 2, &(ic_attributes){0});
}

ic_node ic_graph_multiply(ic_graph *graph, ic_node a, ic_node b)
{
    ic_node inputs[2] = {a, b};
    return ic_graph_append(graph, &ic_operator_multiply, NULL, inputs, 2, &(ic_attributes){0});
}

ic_node ic_graph_concat(ic_graph *graph, const ic_node *inputs, int32_t count)
{
    return ic_graph_append(graph, &ic_operator_concat, NULL, inputs, count, &(ic_attributes){0});
}

ic_node ic_graph_flatten(ic_graph *graph, ic_node x)
{
    return ic_graph_append(graph, &ic_operator_flatten, NULL, &x, 1, &(ic_attributes){0});
}

ic_node ic_graph_dropout(ic_graph *graph, ic_node x, float probability)
{
    ic_attributes a = {.probability = probability};
    return ic_graph_append(graph, &ic_operator_dropout, NULL, &x, 1, &a);
}

ic_node ic_graph_scale(ic_graph *graph, ic_node x, double factor)
{
    ic_attributes a = {.factor = factor};
    return ic_graph_append(graph, &ic_operator_scale, NULL, &x, 1, &a);
}

ic_node ic_graph_stochastic_depth(ic_graph *graph, ic_node x, double probability)
{
    ic_attributes a = {.probability = probability};
    return ic_graph_append(graph, &ic_operator_stochastic_depth, NULL, &x, 1, &a);
}

/* ---- The end of building ---- */

/* Every node but the last must be an input of a later one. */
static ic_status check_uses(const ic_graph *graph)
{
    char label[IC_NODE_LABEL_MAX];
    bool *used = NULL;
    ic_status status = IC_OK;
    IC_TRY(ic_allocate_zero(graph->context, graph->node_count * sizeof *used, &used));
    for (size_t i = 0; i < graph->node_count; i++)
        for (int32_t k = 0; k < graph->nodes[i].input_count; k++)
            used[graph->nodes[i].inputs[k]] = true;
    for (size_t i = 0; i + 1 < graph->node_count && status == IC_OK; i++)
        if (!used[i])
            status = ic_fail(IC_ERROR_ARGUMENT, "node %zu (%s) does not lead to the logits", i,
                             ic_graph_label(&graph->nodes[i], label));
    ic_free(graph->context, used);
    return status;
}

ic_status ic_graph_finish(ic_graph *graph, ic_node logits)
{
    if (graph == NULL)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_graph_finish: graph must not be NULL");
    if (logits < 0)
        return logits;
    if (graph->finished)
        return ic_fail(IC_ERROR_STATE, "ic_graph_finish: the graph is already finished");
    if (logits == 0 || (size_t)logits + 1 != graph->node_count)
        return ic_fail(IC_ERROR_ARGUMENT, "the logits are node %d, must be the last of %zu nodes",
                       logits, graph->node_count);
    ic_shape shape = graph->nodes[logits].shape;
    if (shape.h != 1 || shape.w != 1)
        return ic_fail(IC_ERROR_ARGUMENT, "the logits are %d x %d x %d, must be 1 x 1 x classes",
                       shape.h, shape.w, shape.c);
    IC_TRY(check_uses(graph));
    IC_TRY(ic_graph_lay_out(graph));
    graph->finished = true;
    return IC_OK;
}

ic_shape ic_graph_input_shape(const ic_graph *graph)
{
    return graph->nodes[0].shape;
}

int32_t ic_graph_classes(const ic_graph *graph)
{
    return graph->nodes[graph->node_count - 1].shape.c;
}

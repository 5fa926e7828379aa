/* graph/json.c: a graph as JSON, and back from files that nobody vouches for.
 * SPDX-License-Identifier: MIT */
#include "graph/node.h"

#include <stddef.h>
#include <string.h>

/* Whole-number attributes: their key, their set bit, and where they are kept. Ranges are the
 * builder's. */
static const struct {
    const char *key;
    unsigned bit;
    size_t offset;
} whole[] = {
    {"channels", IC_HAS_CHANNELS, offsetof(ic_attributes, channels)},
    {"size", IC_HAS_SIZE, offsetof(ic_attributes, size)},
    {"stride", IC_HAS_STRIDE, offsetof(ic_attributes, stride)},
    {"padding", IC_HAS_PADDING, offsetof(ic_attributes, padding)},
    {"dilation", IC_HAS_DILATION, offsetof(ic_attributes, dilation)},
    {"groups", IC_HAS_GROUPS, offsetof(ic_attributes, groups)},
    {"bias", IC_HAS_BIAS, offsetof(ic_attributes, bias)},
    {"zero", IC_HAS_ZERO, offsetof(ic_attributes, zero)},
};
enum { WHOLE_COUNT = sizeof whole / sizeof *whole };

/* What norms may say besides; left out where it is the usual value, as all files once did. */
static const struct {
    const char *key;
    double usual;
    size_t offset;
} norm[] = {
    {"epsilon", IC_NORM_EPSILON, offsetof(ic_attributes, epsilon)},
    {"momentum", IC_NORM_MOMENTUM, offsetof(ic_attributes, momentum)},
};
enum { NORM_COUNT = sizeof norm / sizeof *norm };

static double *norm_at(const ic_attributes *a, size_t i)
{
    return (double *)((char *)a + norm[i].offset);
}

static const ic_operator *const operators[] = {
    &ic_operator_conv,        &ic_operator_linear,           &ic_operator_batch_norm,
    &ic_operator_activation,  &ic_operator_max_pool,         &ic_operator_average_pool,
    &ic_operator_global_pool, &ic_operator_global_max_pool,  &ic_operator_add,
    &ic_operator_multiply,    &ic_operator_concat,           &ic_operator_flatten,
    &ic_operator_dropout,     &ic_operator_stochastic_depth, &ic_operator_scale,
};

const ic_operator *ic_operator_named(const char *name)
{
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++)
        if (strcmp(operators[i]->name, name) == 0)
            return operators[i];
    return NULL;
}

/* ---- Writing ---- */

static ic_status write_attributes(const ic_graph_node *node, json_t *object)
{
    const ic_attributes *a = &node->attributes;
    unsigned has = node->op->attributes;
    for (size_t i = 0; i < WHOLE_COUNT; i++) {
        const int32_t *value = (const int32_t *)((const char *)a + whole[i].offset);
        if (has & whole[i].bit)
            IC_TRY(ic_json_set(object, whole[i].key, json_integer(*value)));
    }
    if (has & IC_HAS_FUNCTION)
        IC_TRY(ic_json_set(object, "function", json_string(ic_activation_name(a->function))));
    if (has & IC_HAS_PROBABILITY)
        IC_TRY(ic_json_set(object, "probability", json_real(a->probability)));
    if (has & IC_HAS_FACTOR)
        IC_TRY(ic_json_set(object, "factor", json_real(a->factor)));
    for (size_t i = 0; i < NORM_COUNT && (has & IC_HAS_NORM); i++)
        if (*norm_at(a, i) != norm[i].usual)
            IC_TRY(ic_json_set(object, norm[i].key, json_real(*norm_at(a, i))));
    return IC_OK;
}

static ic_status write_node(const ic_graph_node *node, json_t *nodes)
{
    json_t *object = json_object();
    IC_TRY(ic_json_append(nodes, object));
    IC_TRY(ic_json_set(object, "op", json_string(node->op->name)));
    if (node->name != NULL)
        IC_TRY(ic_json_set(object, "name", json_string(node->name)));
    json_t *inputs = json_array();
    IC_TRY(ic_json_set(object, "inputs", inputs));
    for (int32_t i = 0; i < node->input_count; i++)
        IC_TRY(ic_json_append(inputs, json_integer(node->inputs[i])));
    return write_attributes(node, object);
}

static ic_status write_graph(const ic_graph *graph, json_t *root)
{
    ic_shape shape = ic_graph_input_shape(graph);
    json_t *input = json_object();
    IC_TRY(ic_json_set(root, "input", input));
    IC_TRY(ic_json_set(input, "height", json_integer(shape.h)));
    IC_TRY(ic_json_set(input, "width", json_integer(shape.w)));
    IC_TRY(ic_json_set(input, "channels", json_integer(shape.c)));
    json_t *nodes = json_array();
    IC_TRY(ic_json_set(root, "nodes", nodes));
    for (size_t i = 1; i < graph->node_count; i++)
        IC_TRY(write_node(&graph->nodes[i], nodes));
    return IC_OK;
}

ic_status ic_graph_to_json(const ic_graph *graph, json_t **out)
{
    if (graph == NULL || out == NULL || !graph->finished)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_graph_to_json: takes a finished graph and an output");
    json_t *root = json_object();
    if (root == NULL)
        return ic_fail(IC_ERROR_MEMORY, "no memory for the graph as JSON");
    ic_status status = write_graph(graph, root);
    if (status < 0) {
        json_decref(root);
        return status;
    }
    *out = root;
    return IC_OK;
}

/* ---- Reading ---- */

static ic_status read_function(const char *text, ic_activation *out)
{
    const char *name = NULL;
    for (int32_t i = IC_ACTIVATION_NONE + 1; (name = ic_activation_name((ic_activation)i)) != NULL;
         i++)
        if (strcmp(name, text) == 0) {
            *out = (ic_activation)i;
            return IC_OK;
        }
    return ic_fail(IC_ERROR_FORMAT, "graph: there is no activation function %.40s", text);
}

static ic_status read_attributes(const json_t *object, unsigned has, ic_attributes *a)
{
    a->dilation = 1; /* pooling windows have none in their JSON */
    for (size_t i = 0; i < WHOLE_COUNT; i++) {
        if (!(has & whole[i].bit))
            continue;
        int64_t value = 0;
        IC_TRY(ic_json_int(object, whole[i].key, INT32_MIN, INT32_MAX, "graph node", &value));
        *(int32_t *)((char *)a + whole[i].offset) = (int32_t)value;
    }
    if (has & IC_HAS_FUNCTION) {
        const char *text = NULL;
        IC_TRY(ic_json_text(object, "function", "graph node", &text));
        IC_TRY(read_function(text, &a->function));
    }
    if (has & IC_HAS_PROBABILITY)
        IC_TRY(ic_json_float(object, "probability", "graph node", &a->probability));
    if (has & IC_HAS_FACTOR)
        IC_TRY(ic_json_float(object, "factor", "graph node", &a->factor));
    for (size_t i = 0; i < NORM_COUNT && (has & IC_HAS_NORM); i++) {
        *norm_at(a, i) = norm[i].usual;
        if (json_object_get(object, norm[i].key) != NULL)
            IC_TRY(ic_json_float(object, norm[i].key, "graph node", norm_at(a, i)));
    }
    return IC_OK;
}

static ic_status read_inputs(const json_t *object, ic_context *context, ic_node **inputs,
                             int32_t *count)
{
    json_t *array = NULL;
    IC_TRY(ic_json_array(object, "inputs", "graph node", &array));
    size_t size = json_array_size(array);
    if (size < 1 || size > IC_GRAPH_INPUTS_MAX)
        return ic_fail(IC_ERROR_FORMAT, "graph node: it has %zu inputs, must have 1 to %d", size,
                       IC_GRAPH_INPUTS_MAX);
    ic_node *list = NULL;
    IC_TRY(ic_allocate_array(context, size, sizeof *list, &list));
    for (size_t i = 0; i < size; i++) {
        const json_t *item = json_array_get(array, i);
        json_int_t value = json_is_integer(item) ? json_integer_value(item) : -1;
        if (value < 0 || value >= IC_GRAPH_NODES_MAX) {
            ic_free(context, list);
            return ic_fail(IC_ERROR_FORMAT, "graph node: inputs must be numbers of earlier nodes");
        }
        list[i] = (ic_node)value;
    }
    *inputs = list;
    *count = (int32_t)size;
    return IC_OK;
}

static ic_status read_node(const json_t *object, ic_graph *graph)
{
    const char *op_name = NULL, *name = NULL;
    IC_TRY(ic_json_text(object, "op", "graph node", &op_name));
    const ic_operator *op = ic_operator_named(op_name);
    if (op == NULL)
        return ic_fail(IC_ERROR_UNSUPPORTED, "graph: this version has no operator %.40s", op_name);
    if (op->named)
        IC_TRY(ic_json_text(object, "name", "graph node", &name));
    ic_attributes attributes = {0};
    IC_TRY(read_attributes(object, op->attributes, &attributes));
    ic_node *inputs = NULL;
    int32_t count = 0;
    IC_TRY(read_inputs(object, graph->context, &inputs, &count));
    ic_node node = ic_graph_append(graph, op, name, inputs, count, &attributes);
    ic_free(graph->context, inputs);
    return node < 0 ? node : IC_OK;
}

static ic_status read_graph(const json_t *json, ic_context *context, ic_graph **out)
{
    json_t *input = NULL, *nodes = NULL;
    int64_t h = 0, w = 0, c = 0;
    IC_TRY(ic_json_object(json, "input", "graph", &input));
    IC_TRY(ic_json_int(input, "height", 1, IC_GRAPH_SIDE_MAX, "graph input", &h));
    IC_TRY(ic_json_int(input, "width", 1, IC_GRAPH_SIDE_MAX, "graph input", &w));
    IC_TRY(ic_json_int(input, "channels", 1, IC_GRAPH_CHANNELS_MAX, "graph input", &c));
    IC_TRY(ic_json_array(json, "nodes", "graph", &nodes));
    ic_shape shape = {.h = (int32_t)h, .w = (int32_t)w, .c = (int32_t)c};
    ic_graph *graph = NULL;
    IC_TRY(ic_graph_create(context, shape, &graph));
    ic_status status = IC_OK;
    for (size_t i = 0; i < json_array_size(nodes); i++)
        IC_TRY_CLEAN(read_node(json_array_get(nodes, i), graph));
    IC_TRY_CLEAN(ic_graph_finish(graph, (ic_node)graph->node_count - 1));
    *out = graph;
    return IC_OK;
cleanup:
    ic_graph_free(graph);
    return status;
}

ic_status ic_graph_from_json(ic_context *context, const json_t *json, ic_graph **out)
{
    if (context == NULL || json == NULL || out == NULL)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_graph_from_json: no argument may be NULL");
    ic_status status = read_graph(json, context, out);
    /* What the builder calls a wrong argument is here a wrong file. */
    return status == IC_ERROR_ARGUMENT ? ic_fail_prefix(IC_ERROR_FORMAT, "graph: ") : status;
}

/* graph/test_json.c: graphs as JSON, from our own hand and from hostile ones.
 * SPDX-License-Identifier: MIT */
#include "support/support.h"

#include "graph/node.h"
#include "zoo/zoo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static ic_context *context;

static int set_up(void **state)
{
    context = test_context(1);
    return 0;
}

static int tear_down(void **state)
{
    ic_context_free(context);
    return 0;
}

/* A node of every operator. */
static ic_graph *every_operator(ic_context *in)
{
    ic_graph *graph = NULL;
    if (ic_graph_create(in, (ic_shape){8, 9, 4}, &graph) < 0)
        return NULL;
    ic_conv_options options = {
        .k = 4, .size = 3, .stride = 1, .padding = 2, .dilation = 2, .groups = 2, .bias = true};
    ic_node a = ic_graph_conv(graph, "c", ic_graph_input(graph), &options);
    ic_node b = ic_graph_activation(graph, ic_graph_batch_norm_zero(graph, "n", a),
                                    IC_ACTIVATION_HARD_SWISH);
    ic_node gate = ic_graph_global_pool(graph, b);
    b = ic_graph_stochastic_depth(graph, ic_graph_multiply(graph, b, gate), 0.1);
    b = ic_graph_batch_norm_tuned(graph, "m", b, 1e-3, 0.01);
    b = ic_graph_add(graph, b, ic_graph_average_pool(graph, a, 3, 1, 1));
    ic_node both[2] = {b, ic_graph_max_pool(graph, a, 3, 1, 1)};
    b = ic_graph_concat(graph, both, 2);
    ic_node heads[2] = {ic_graph_global_max_pool(graph, b), ic_graph_flatten(graph, b)};
    b = ic_graph_dropout(graph, ic_graph_concat(graph, heads, 2), 0.3f);
    b = ic_graph_scale(graph, b, 1.0 / 9);
    if (ic_graph_finish(graph, ic_graph_linear(graph, "f", b, 7, false)) < 0) {
        ic_graph_free(graph);
        return NULL;
    }
    return graph;
}

static char *text_of(const ic_graph *graph)
{
    json_t *json = NULL;
    assert_ok(ic_graph_to_json(graph, &json));
    char *text = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    assert_non_null(text);
    return text;
}

static void check_round_trip(ic_graph *graph)
{
    json_t *json = NULL;
    ic_graph *copy = NULL;
    assert_non_null(graph);
    assert_ok(ic_graph_to_json(graph, &json));
    assert_ok(ic_graph_from_json(context, json, &copy));
    char *a = text_of(graph), *b = text_of(copy);
    assert_string_equal(a, b);
    assert_int_equal(ic_graph_parameter_count(graph), ic_graph_parameter_count(copy));
    for (int32_t i = 0; i < ic_graph_parameter_count(graph); i++) {
        const ic_parameter *p = ic_graph_parameter(graph, i), *q = ic_graph_parameter(copy, i);
        assert_string_equal(p->name, q->name);
        assert_int_equal(p->offset, q->offset);
        assert_int_equal(p->count, q->count);
    }
    free(a);
    free(b);
    json_decref(json);
    ic_graph_free(graph);
    ic_graph_free(copy);
}

static void round_trips(void **state)
{
    static const char *const names[] = {"lenet5",         "plain",        "resnet9",
                                        "resnet18",       "mobilenet_v2", "mobilenet_v3_large",
                                        "efficientnet_b0"};
    check_round_trip(every_operator(context));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        ic_graph *graph = NULL;
        assert_ok(ic_zoo_build(context, names[i], (ic_shape){48, 40, 3}, 5, &graph));
        check_round_trip(graph);
    }
}

/* Norms say what is unusual about them, and nothing else, as in files of earlier versions. */
static void norms(void **state)
{
    ic_graph *graph = NULL, *copy = NULL;
    json_t *json = NULL;
    assert_ok(ic_graph_create(context, (ic_shape){1, 1, 4}, &graph));
    ic_node usual = ic_graph_batch_norm(graph, "n", ic_graph_input(graph));
    assert_ok(ic_graph_finish(graph, ic_graph_batch_norm_tuned(graph, "m", usual, 1e-3, 0.01)));
    assert_ok(ic_graph_to_json(graph, &json));
    json_t *nodes = json_object_get(json, "nodes");
    assert_null(json_object_get(json_array_get(nodes, 0), "epsilon"));
    assert_null(json_object_get(json_array_get(nodes, 0), "momentum"));
    assert_ok(ic_graph_from_json(context, json, &copy));
    for (int32_t i = 1; i <= 2; i++) {
        const ic_attributes *a = &copy->nodes[i].attributes;
        assert_true(a->epsilon == (i == 1 ? IC_NORM_EPSILON : 1e-3));
        assert_true(a->momentum == (i == 1 ? IC_NORM_MOMENTUM : 0.01));
    }
    json_decref(json);
    ic_graph_free(graph);
    ic_graph_free(copy);
}

/* Reads text and expects an error with these words. */
static void assert_refused(ic_status code, const char *words, const char *text)
{
    json_error_t error;
    ic_graph *graph = NULL;
    json_t *json = json_loads(text, 0, &error);
    if (json == NULL)
        fail_msg("the test's JSON is wrong: %s", error.text);
    assert_fails(code, words, ic_graph_from_json(context, json, &graph));
    assert_null(graph);
    json_decref(json);
}

#define INPUT  "{\"input\":{\"height\":8,\"width\":8,\"channels\":4},\"nodes\":["
#define LINEAR "{\"op\":\"linear\",\"name\":\"f\",\"inputs\":[1],\"channels\":3,\"bias\":1}]}"
#define CONV(fields)                                                                               \
    INPUT "{\"op\":\"conv\",\"name\":\"c\",\"inputs\":[0]," fields                                 \
          "},{\"op\":\"global_pool\",\"inputs\":[1]}]}"

static void wrong_structure(void **state)
{
    assert_refused(IC_ERROR_FORMAT, "", "{}");
    assert_refused(IC_ERROR_FORMAT, "", "[1,2,3]");
    assert_refused(IC_ERROR_FORMAT, "", "{\"input\":7,\"nodes\":[]}");
    assert_refused(IC_ERROR_FORMAT, "", "{\"input\":{\"height\":8,\"width\":8},\"nodes\":[]}");
    assert_refused(IC_ERROR_FORMAT, "", INPUT "]}");
    assert_refused(IC_ERROR_FORMAT, "", INPUT "5]}");
    assert_refused(IC_ERROR_FORMAT, "", INPUT "{\"inputs\":[0]}]}");
    assert_refused(IC_ERROR_UNSUPPORTED, "no operator teleport",
                   INPUT "{\"op\":\"teleport\",\"inputs\":[0]}]}");
    assert_refused(IC_ERROR_UNSUPPORTED, "no operator input",
                   INPUT "{\"op\":\"input\",\"inputs\":[]}]}");
    assert_refused(IC_ERROR_FORMAT, "", INPUT "{\"op\":\"global_pool\"}]}");
    assert_refused(IC_ERROR_FORMAT, "inputs", INPUT "{\"op\":\"global_pool\",\"inputs\":[]}]}");
    assert_refused(IC_ERROR_FORMAT, "it has 2 inputs",
                   INPUT "{\"op\":\"global_pool\",\"inputs\":[0,0]}]}");
    assert_refused(IC_ERROR_FORMAT, "does not lead",
                   INPUT
                   "{\"op\":\"flatten\",\"inputs\":[0]},{\"op\":\"flatten\",\"inputs\":[0]}]}");
}

/* An input must be an earlier node: no cycles, nothing out of range. */
static void wrong_inputs(void **state)
{
    static const char *const inputs[] = {"1",   "2",     "-1",   "4095", "4096", "1000000000000",
                                         "0.0", "\"0\"", "null", "[0]"};
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++) {
        char text[256];
        snprintf(text, sizeof text, INPUT "{\"op\":\"flatten\",\"inputs\":[%s]}]}", inputs[i]);
        assert_refused(IC_ERROR_FORMAT, "", text);
    }
}

static void wrong_attributes(void **state)
{
    static const char *const conv = "\"channels\":4,\"size\":3,\"stride\":1,\"padding\":1,"
                                    "\"dilation\":1,\"groups\":1,\"bias\":0";
    static const struct {
        const char *from, *to;
    } changes[] = {
        {"\"channels\":4", "\"channels\":0"},
        {"\"channels\":4", "\"channels\":-4"},
        {"\"channels\":4", "\"channels\":65537"},
        {"\"channels\":4", "\"channels\":4294967300"},
        {"\"channels\":4", "\"channels\":\"4\""},
        {"\"channels\":4", "\"channels\":4.0"},
        {"\"channels\":4", "\"channel\":4"},
        {"\"size\":3", "\"size\":0"},
        {"\"size\":3", "\"size\":2147483647"},
        {"\"size\":3", "\"size\":11"},
        {"\"stride\":1", "\"stride\":0"},
        {"\"stride\":1", "\"stride\":-1"},
        {"\"padding\":1", "\"padding\":-1"},
        {"\"padding\":1", "\"padding\":2147483647"},
        {"\"dilation\":1", "\"dilation\":0"},
        {"\"dilation\":1", "\"dilation\":255"},
        {"\"groups\":1", "\"groups\":0"},
        {"\"groups\":1", "\"groups\":3"},
        {"\"bias\":0", "\"bias\":2"},
        {"\"bias\":0", "\"bias\":true"},
    };
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        char fields[256], text[512];
        const char *at = strstr(conv, changes[i].from);
        snprintf(fields, sizeof fields, "%.*s%s%s", (int)(at - conv), conv, changes[i].to,
                 at + strlen(changes[i].from));
        snprintf(text, sizeof text, CONV("%s"), fields);
        assert_refused(IC_ERROR_FORMAT, "", text);
    }
    assert_refused(IC_ERROR_FORMAT, "no activation function frob",
                   INPUT "{\"op\":\"activation\",\"inputs\":[0],\"function\":\"frob\"}]}");
    assert_refused(IC_ERROR_FORMAT, "",
                   INPUT "{\"op\":\"activation\",\"inputs\":[0],\"function\":\"none\"}]}");
    assert_refused(IC_ERROR_FORMAT, "probability",
                   INPUT "{\"op\":\"dropout\",\"inputs\":[0],\"probability\":-0.5}]}");
    assert_refused(IC_ERROR_FORMAT, "probability",
                   INPUT "{\"op\":\"dropout\",\"inputs\":[0],\"probability\":1e300}]}");
    assert_refused(IC_ERROR_FORMAT, "epsilon is 0,",
                   INPUT "{\"op\":\"batch_norm\",\"name\":\"x\",\"inputs\":[0],\"zero\":0,"
                         "\"epsilon\":0.0}]}");
    assert_refused(IC_ERROR_FORMAT, "momentum is -1,",
                   INPUT "{\"op\":\"batch_norm\",\"name\":\"x\",\"inputs\":[0],\"zero\":0,"
                         "\"momentum\":-1.0}]}");
    assert_refused(IC_ERROR_FORMAT, "",
                   INPUT "{\"op\":\"batch_norm\",\"name\":\"x\",\"inputs\":[0],\"zero\":0,"
                         "\"epsilon\":\"small\"}]}");
    assert_refused(IC_ERROR_FORMAT, "a name is",
                   INPUT "{\"op\":\"batch_norm\",\"name\":\"../x\",\"inputs\":[0],\"zero\":0}]}");
}

/* Files that ask for more than any machine has: refused before memory is asked for. */
static void too_large(void **state)
{
    assert_refused(IC_ERROR_FORMAT, "",
                   "{\"input\":{\"height\":32769,\"width\":8,\"channels\":3},\"nodes\":[]}");
    assert_refused(
        IC_ERROR_LIMIT, "",
        "{\"input\":{\"height\":32768,\"width\":32768,\"channels\":65536},\"nodes\":[]}");
    assert_refused(
        IC_ERROR_LIMIT, "a.weight",
        "{\"input\":{\"height\":512,\"width\":512,\"channels\":3},\"nodes\":["
        "{\"op\":\"flatten\",\"inputs\":[0]},"
        "{\"op\":\"linear\",\"name\":\"a\",\"inputs\":[1],\"channels\":65536,\"bias\":0}]}");
}

static void too_many_nodes(void **state)
{
    ic_graph *graph = NULL;
    json_t *json = json_loads(INPUT "]}", 0, NULL);
    assert_non_null(json);
    for (int i = 0; i < IC_GRAPH_NODES_MAX + 5; i++)
        json_array_append_new(json_object_get(json, "nodes"),
                              json_pack("{s:s,s:[i]}", "op", "flatten", "inputs", i));
    assert_fails(IC_ERROR_LIMIT, "at most 4096", ic_graph_from_json(context, json, &graph));
    json_t *inputs = json_array();
    for (int i = 0; i < 300; i++)
        json_array_append_new(inputs, json_integer(0));
    json_array_clear(json_object_get(json, "nodes"));
    json_array_append_new(json_object_get(json, "nodes"),
                          json_pack("{s:s,s:o}", "op", "concat", "inputs", inputs));
    assert_fails(IC_ERROR_FORMAT, "300 inputs", ic_graph_from_json(context, json, &graph));
    json_decref(json);
}

static ic_status read_back(ic_context *in, void *payload)
{
    ic_graph *graph = NULL;
    ic_status status = ic_graph_from_json(in, payload, &graph);
    ic_graph_free(graph);
    return status;
}

static void out_of_memory(void **state)
{
    json_t *json = NULL;
    ic_graph *graph = every_operator(context);
    assert_non_null(graph);
    assert_ok(ic_graph_to_json(graph, &json));
    assert_true(test_fail_each_allocation(read_back, json) > 10);
    json_decref(json);
    ic_graph_free(graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trips),      cmocka_unit_test(norms),
        cmocka_unit_test(wrong_structure),  cmocka_unit_test(wrong_inputs),
        cmocka_unit_test(wrong_attributes), cmocka_unit_test(too_large),
        cmocka_unit_test(too_many_nodes),   cmocka_unit_test(out_of_memory),
    };
    return cmocka_run_group_tests_name("graph/json", tests, set_up, tear_down);
}

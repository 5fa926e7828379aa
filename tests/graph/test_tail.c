/*
 * graph/test_tail.c: values kept inside a network, and its end as a network of its own, for all of
 * the zoo. SPDX-License-Identifier: MIT
 */
#include "rig.h"
#include "support/hashed_parameters.h"

#include "graph/node.h"
#include "zoo/zoo.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CLASSES = 7, BATCH = 5 };

static const struct {
    const char *name;
    int32_t side, channels;
} networks[] = {{"lenet5", 20, 1},
                {"small", 16, 3},
                {"small", 8, 3},
                {"plain", 12, 1},
                {"plain", 130, 1}, /* a batch in groups */
                {"airbench94", 17, 3},
                {"resnet9", 24, 3},
                {"resnet18", 32, 3},
                {"resnet18", 72, 3},
                {"mobilenet_v2", 32, 3},
                {"mobilenet_v2", 64, 3},
                {"efficientnet_b0", 40, 3},
                {"mobilenet_v3_large", 64, 3}};
enum { NETWORKS = sizeof networks / sizeof *networks };

typedef struct network {
    ic_graph *graph;
    ic_shape shape;
    ic_weights *weights;
} network;

static network open_network(ic_context *context, int i)
{
    network n = {.shape = {networks[i].side, networks[i].side, networks[i].channels}};
    float *parameters;
    assert_ok(ic_zoo_build(context, networks[i].name, n.shape, CLASSES, &n.graph));
    parameters = calloc((size_t)ic_graph_parameter_sizes(n.graph).total, sizeof *parameters);
    hashed_parameters(n.graph, parameters);
    assert_ok(ic_weights_create(context, n.graph, parameters, &n.weights));
    free(parameters);
    return n;
}

static void close_network(network *n)
{
    ic_weights_free(n->weights);
    ic_graph_free(n->graph);
}

/* Picture number `first` and those behind it, through the network. */
static void infer(const network *n, ic_executor *executor, int32_t first, int32_t count)
{
    int64_t size = (int64_t)n->shape.h * n->shape.w * n->shape.c;
    for (int64_t i = 0; i < count * size; i++)
        ic_executor_input(executor)[i] = (float)value_at(name_hash("", "input"), first * size + i);
    assert_ok(ic_executor_infer(executor, n->weights, count));
}

static size_t floats_of(const network *n, ic_node node)
{
    ic_shape shape = n->graph->nodes[node].shape;
    return (size_t)shape.h * (size_t)shape.w * (size_t)shape.c;
}

/* Keeping a value changes no bit of the logits, and is the same alone and in a batch. */
static void test_kept_values(void **state)
{
    (void)state;
    for (int32_t threads = 1; threads <= 2; threads++) {
        ic_context *context = test_context(threads);
        for (int i = 0; i < NETWORKS; i++) {
            network n = open_network(context, i);
            ic_node map = ic_graph_last_map(n.graph);
            size_t kept = floats_of(&n, map);
            ic_executor *plain, *alone, *batch;
            assert_ok(ic_executor_create(context, n.graph, 1, IC_INFERENCE, &plain));
            assert_ok(ic_executor_create_tapped(context, n.graph, 1, map, &alone));
            assert_ok(ic_executor_create_tapped(context, n.graph, BATCH, map, &batch));
            infer(&n, batch, 0, BATCH);
            for (int32_t k = 0; k < BATCH; k++) {
                infer(&n, plain, k, 1);
                infer(&n, alone, k, 1);
                assert_memory_equal(ic_executor_logits(alone), ic_executor_logits(plain),
                                    CLASSES * sizeof(float));
                assert_memory_equal(ic_executor_logits(batch) + k * CLASSES,
                                    ic_executor_logits(plain), CLASSES * sizeof(float));
                assert_memory_equal(ic_executor_tap(batch) + (size_t)k * kept,
                                    ic_executor_tap(alone), kept * sizeof(float));
            }
            ic_executor_free(batch);
            ic_executor_free(alone);
            ic_executor_free(plain);
            close_network(&n);
        }
        ic_context_free(context);
    }
}

/* The logits that the tail makes of a kept value are the network's. */
static void expect_same_logits(const network *n, ic_node node)
{
    ic_context *context = n->graph->context;
    ic_graph *tail;
    float *parameters;
    ic_executor *executor, *end;
    assert_ok(ic_executor_create_tapped(context, n->graph, 1, node, &executor));
    infer(n, executor, 0, 1);
    assert_ok(ic_graph_tail(n->graph, node, ic_weights_parameters(n->weights), &tail, &parameters));
    assert_ok(ic_executor_create(context, tail, 1, IC_TRAINING_TO_INPUT, &end));
    memcpy(ic_executor_input(end), ic_executor_tap(executor), floats_of(n, node) * sizeof(float));
    assert_ok(ic_executor_forward(end, parameters, 1, 2));
    double most = 0, error = 0;
    for (int32_t i = 0; i < CLASSES; i++) {
        double wanted = (double)ic_executor_logits(executor)[i];
        most = fmax(most, fabs(wanted));
        error = fmax(error, fabs((double)ic_executor_logits(end)[i] - wanted));
    }
    if (!(error <= 1e-4 * most))
        fail_msg("from node %d on: an error of %.2e of %.2e", (int)node, error, most);
    ic_executor_free(end);
    ic_executor_free(executor);
    ic_free(context, parameters);
    ic_graph_free(tail);
}

static void test_tails(void **state)
{
    ic_context *context = test_context(2);
    (void)state;
    for (int i = 0; i < NETWORKS; i++) {
        network n = open_network(context, i);
        ic_node map = ic_graph_last_map(n.graph);
        ic_shape shape = n.graph->nodes[map].shape;
        assert_true(map > 0 && shape.h > 1 && shape.w > 1);
        expect_same_logits(&n, map);
        expect_same_logits(&n, 0); /* all of it, norms and residuals included */
        close_network(&n);
    }
    ic_context_free(context);
}

/* ---- By hand ---- */

/* A picture, and a way around its last map: x -> conv -> relu -> ... and x's mean beside it. */
static ic_graph *with_a_way_around(ic_context *context)
{
    ic_graph *graph;
    ic_conv_options conv = {.k = 3, .size = 3, .padding = 1};
    assert_ok(ic_graph_create(context, (ic_shape){4, 4, 3}, &graph));
    ic_node first = ic_graph_conv(graph, "conv1", ic_graph_input(graph), &conv);
    ic_node last =
        ic_graph_activation(graph, ic_graph_conv(graph, "conv2", first, &conv), IC_ACTIVATION_RELU);
    ic_node sum =
        ic_graph_add(graph, ic_graph_global_pool(graph, last), ic_graph_global_pool(graph, first));
    assert_ok(ic_graph_finish(graph, ic_graph_linear(graph, "fc", sum, 2, true)));
    return graph;
}

static void test_ways_around(void **state)
{
    ic_context *context = test_context(1);
    ic_graph *graph = with_a_way_around(context), *tail = NULL;
    float parameters[1024] = {0}, *made = NULL;
    (void)state;
    assert_int_equal(ic_graph_last_map(graph), 1); /* conv1: all behind it is made of it alone */
    assert_fails(IC_ERROR_UNSUPPORTED, "does not lead through the node",
                 ic_graph_tail(graph, 3, parameters, &tail, &made));
    assert_null(tail);
    assert_null(made);
    assert_ok(ic_graph_tail(graph, 1, parameters, &tail, &made));
    assert_int_equal(ic_graph_classes(tail), 2);
    ic_free(context, made);
    ic_graph_free(tail);
    ic_graph_free(graph);
    ic_context_free(context);
}

static void test_a_network_without_maps(void **state)
{
    ic_context *context = test_context(1);
    ic_graph *graph;
    (void)state;
    assert_ok(ic_graph_create(context, (ic_shape){2, 3, 1}, &graph));
    ic_node x = ic_graph_flatten(graph, ic_graph_input(graph));
    assert_ok(ic_graph_finish(graph, ic_graph_linear(graph, "fc", x, 2, true)));
    assert_int_equal(ic_graph_last_map(graph), 0);
    ic_graph_free(graph);
    ic_context_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kept_values),
        cmocka_unit_test(test_tails),
        cmocka_unit_test(test_ways_around),
        cmocka_unit_test(test_a_network_without_maps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

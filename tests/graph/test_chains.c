/*
 * graph/test_chains.c: bottlenecks, whose wide values are never whole: the same bits, and only
 * where they are bottlenecks. SPDX-License-Identifier: MIT
 */
#include "rig.h"

#include "graph/node.h"
#include "graph/profile.h"

#include <stdlib.h>
#include <string.h>

/* Of one picture, when the value of node `kept` is kept (IC_NO_TAP: none); returns the steps. */
static int32_t infer_kept(ic_context *context, const ic_graph *graph, const float *parameters,
                          ic_node kept, float *logits)
{
    ic_executor *executor = NULL;
    ic_weights *weights = NULL;
    test_numbers numbers = {.state = 9};
    ic_shape shape = ic_graph_input_shape(graph);
    assert_ok(ic_weights_create(context, graph, parameters, &weights));
    assert_ok(ic_executor_create_tapped(context, graph, 1, kept, &executor));
    numbers_fill_unit(&numbers, ic_executor_input(executor), shape.h * shape.w * shape.c);
    assert_ok(ic_executor_infer(executor, weights, 1));
    memcpy(logits, ic_executor_logits(executor), 10 * sizeof *logits);
    int32_t steps = ic_executor_step_count(executor);
    ic_executor_free(executor);
    ic_weights_free(weights);
    return steps;
}

/* links: pointwise convolutions that chains take in. */
static void check_chains(const char *name, int32_t threads, int32_t links)
{
    ic_context *context = test_context(threads);
    ic_graph *graph = zoo(context, name, 160, 3);
    float *parameters = zeroed(ic_graph_parameter_sizes(graph).total), chained[10], other[10];
    ic_graph_initialise(NULL, graph, 4, parameters);
    int32_t steps = infer_kept(context, graph, parameters, IC_NO_TAP, chained), broken = 0;
    for (size_t i = 0; i < graph->node_count; i++) {
        const ic_graph_node *node = &graph->nodes[i];
        if (node->op != &ic_operator_conv || node->shape.h < 20)
            continue;
        broken += infer_kept(context, graph, parameters, node->inputs[0], other) - steps;
        assert_memory_equal(chained, other, sizeof chained);
    }
    assert_int_equal(broken, links);
    free(parameters);
    ic_graph_free(graph);
    ic_context_free(context);
}

/* 64 channels between, a depthwise convolution in the middle, and behind it what is no chain. */
static void check_no_chain(bool adds)
{
    ic_context *context = test_context(2);
    ic_graph *graph = NULL;
    ic_conv_options wide = {.k = 64, .size = 1, .bias = true};
    ic_conv_options filter = {.k = 64, .size = 3, .padding = 1, .groups = 64, .bias = true};
    assert_ok(ic_graph_create(context, (ic_shape){64, 64, 64}, &graph));
    ic_node before = ic_graph_conv(graph, "before", ic_graph_input(graph), &wide);
    ic_node x = ic_graph_conv(graph, "filter", before, &filter);
    if (adds)
        x = ic_graph_global_pool(graph, ic_graph_add(graph, x, ic_graph_input(graph)));
    x = ic_graph_flatten(graph, x);
    assert_ok(ic_graph_finish(graph, ic_graph_linear(graph, "fc", x, 10, true)));
    float *parameters = zeroed(ic_graph_parameter_sizes(graph).total), chained[10], other[10];
    ic_graph_initialise(NULL, graph, 4, parameters);
    infer_kept(context, graph, parameters, IC_NO_TAP, chained);
    infer_kept(context, graph, parameters, before, other);
    assert_memory_equal(chained, other, sizeof chained);
    free(parameters);
    ic_graph_free(graph);
    ic_context_free(context);
}

/* A sum with a depthwise convolution, and a linear layer of all that it makes. */
static void what_looks_like_a_chain_is_none(void **state)
{
    check_no_chain(true);
    check_no_chain(false);
}

/* Where the value that a chain would pass over is wanted, step by step: the bits are the same. */
static void chains_do_not_show(void **state)
{
    for (int32_t threads = 1; threads <= 3; threads++) {
        check_chains("mobilenet_v2", threads, 7);
        check_chains("efficientnet_b0", threads, 3);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chains_do_not_show),
        cmocka_unit_test(what_looks_like_a_chain_is_none),
    };
    return cmocka_run_group_tests_name("graph/chains", tests, NULL, NULL);
}

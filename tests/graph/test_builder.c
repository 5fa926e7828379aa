/* graph/test_builder.c: shapes, checks, the layout and the fresh values of parameters.
 * SPDX-License-Identifier: MIT */
#include "support/support.h"

#include "graph/node.h"

#include <math.h>
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

static ic_graph *new_graph(int32_t h, int32_t w, int32_t c)
{
    ic_graph *graph = NULL;
    assert_ok(ic_graph_create(context, (ic_shape){h, w, c}, &graph));
    return graph;
}

static void assert_shape(const ic_graph *graph, ic_node node, int32_t h, int32_t w, int32_t c)
{
    if (node < 0)
        fail_msg("%s", ic_last_error());
    ic_shape shape = graph->nodes[node].shape;
    if (shape.h != h || shape.w != w || shape.c != c)
        fail_msg("the shape is %d x %d x %d, should be %d x %d x %d", shape.h, shape.w, shape.c, h,
                 w, c);
}

static ic_node conv(ic_graph *graph, const char *name, ic_node x, int32_t k, int32_t size,
                    int32_t stride, int32_t padding, int32_t dilation, int32_t groups)
{
    ic_conv_options options = {.k = k,
                               .size = size,
                               .stride = stride,
                               .padding = padding,
                               .dilation = dilation,
                               .groups = groups};
    return ic_graph_conv(graph, name, x, &options);
}

static void shapes(void **state)
{
    ic_graph *graph = new_graph(23, 30, 6);
    ic_node x = ic_graph_input(graph);
    assert_shape(graph, x, 23, 30, 6);
    assert_shape(graph, conv(graph, "a", x, 9, 3, 0, 0, 0, 0), 21, 28, 9);
    assert_shape(graph, conv(graph, "b", x, 9, 3, 2, 1, 0, 0), 12, 15, 9);
    assert_shape(graph, conv(graph, "c", x, 9, 7, 2, 3, 0, 3), 12, 15, 9);
    assert_shape(graph, conv(graph, "d", x, 4, 3, 1, 2, 2, 2), 23, 30, 4);
    assert_shape(graph, conv(graph, "e", x, 4, 1, 3, 0, 1, 1), 8, 10, 4);
    assert_shape(graph, ic_graph_max_pool(graph, x, 3, 2, 1), 12, 15, 6);
    assert_shape(graph, ic_graph_average_pool(graph, x, 2, 2, 0), 11, 15, 6);
    assert_shape(graph, ic_graph_global_pool(graph, x), 1, 1, 6);
    assert_shape(graph, ic_graph_global_max_pool(graph, x), 1, 1, 6);
    assert_shape(graph, ic_graph_batch_norm(graph, "n", x), 23, 30, 6);
    assert_shape(graph, ic_graph_activation(graph, x, IC_ACTIVATION_GELU), 23, 30, 6);
    assert_shape(graph, ic_graph_add(graph, x, x), 23, 30, 6);
    ic_node gate = ic_graph_global_pool(graph, x);
    assert_shape(graph, ic_graph_multiply(graph, x, gate), 23, 30, 6);
    ic_node inputs[3] = {x, x, ic_graph_add(graph, x, x)};
    assert_shape(graph, ic_graph_concat(graph, inputs, 3), 23, 30, 18);
    ic_node flat = ic_graph_flatten(graph, x);
    assert_shape(graph, flat, 1, 1, 23 * 30 * 6);
    assert_shape(graph, ic_graph_dropout(graph, flat, 0.5f), 1, 1, 23 * 30 * 6);
    assert_shape(graph, ic_graph_stochastic_depth(graph, x, 0.2), 23, 30, 6);
    assert_shape(graph, ic_graph_linear(graph, "l", flat, 11, true), 1, 1, 11);
    ic_graph_free(graph);
}

static void wrong_nodes(void **state)
{
    ic_graph *graph = new_graph(5, 6, 4), *none = NULL;
    ic_node x = ic_graph_input(graph), other = conv(graph, "c", x, 6, 1, 1, 0, 1, 1);
    ic_node inputs[2] = {x, ic_graph_global_pool(graph, x)};
    assert_fails(IC_ERROR_ARGUMENT, "conv big: its window spans 9 pixels, more than its padded",
                 conv(graph, "big", x, 4, 9, 1, 1, 1, 1));
    assert_fails(IC_ERROR_ARGUMENT, "spans 9 pixels", conv(graph, "w", x, 4, 5, 1, 1, 2, 1));
    assert_fails(IC_ERROR_ARGUMENT, "3 groups", conv(graph, "g", x, 6, 3, 1, 1, 1, 3));
    assert_fails(IC_ERROR_ARGUMENT, "groups", conv(graph, "g", x, 6, 3, 1, 1, 1, 4));
    assert_fails(IC_ERROR_ARGUMENT, "channels is 0", conv(graph, "k", x, 0, 3, 1, 1, 1, 1));
    assert_fails(IC_ERROR_ARGUMENT, "size is 256", conv(graph, "s", x, 4, 256, 1, 1, 1, 1));
    assert_fails(IC_ERROR_ARGUMENT, "stride is -1", conv(graph, "s", x, 4, 3, -1, 1, 1, 1));
    assert_fails(IC_ERROR_ARGUMENT, "padding is -1", conv(graph, "s", x, 4, 3, 1, -1, 1, 1));
    assert_fails(IC_ERROR_ARGUMENT, "dilation is -2", conv(graph, "s", x, 4, 3, 1, 1, -2, 1));
    assert_fails(IC_ERROR_ARGUMENT, "5 x 6 x 4 and 5 x 6 x 6", ic_graph_add(graph, x, other));
    assert_fails(IC_ERROR_ARGUMENT, "multiply: its inputs", ic_graph_multiply(graph, x, other));
    assert_fails(IC_ERROR_ARGUMENT, "concat: input 1", ic_graph_concat(graph, inputs, 2));
    assert_fails(IC_ERROR_ARGUMENT, "it has 0 inputs", ic_graph_concat(graph, inputs, 0));
    assert_fails(IC_ERROR_ARGUMENT, "flatten or pool", ic_graph_linear(graph, "l", x, 3, true));
    assert_fails(IC_ERROR_ARGUMENT, "padding 2 is more", ic_graph_max_pool(graph, x, 3, 1, 2));
    assert_fails(IC_ERROR_LIMIT, "17 pixels wide", ic_graph_max_pool(graph, x, 17, 1, 8));
    assert_fails(IC_ERROR_LIMIT, "17 pixels wide", ic_graph_average_pool(graph, x, 17, 1, 8));
    assert_fails(IC_ERROR_ARGUMENT, "probability is 1,", ic_graph_dropout(graph, x, 1));
    assert_fails(IC_ERROR_ARGUMENT, "probability is 1,", ic_graph_stochastic_depth(graph, x, 1));
    assert_fails(IC_ERROR_ARGUMENT, "epsilon is 0,",
                 ic_graph_batch_norm_tuned(graph, "n", x, 0, 0.1));
    assert_fails(IC_ERROR_ARGUMENT, "momentum is 1.5,",
                 ic_graph_batch_norm_tuned(graph, "n", x, 1e-5, 1.5));
    assert_fails(IC_ERROR_ARGUMENT, "function is 0", ic_graph_activation(graph, x, 0));
    assert_fails(IC_ERROR_ARGUMENT, "node 77", ic_graph_add(graph, x, 77));
    assert_fails(IC_ERROR_ARGUMENT, "graph must not be NULL", ic_graph_add(NULL, 0, 0));
    assert_fails(IC_ERROR_LIMIT, "input", ic_graph_create(context, (ic_shape){0, 3, 3}, &none));
    assert_fails(IC_ERROR_LIMIT, "input",
                 ic_graph_create(context, (ic_shape){30000, 30000, 3}, &none));
    assert_fails(IC_ERROR_ARGUMENT, "NULL", ic_graph_create(NULL, (ic_shape){3, 3, 3}, &none));
    assert_null(none);
    ic_graph_free(graph);
}

static void names(void **state)
{
    ic_graph *graph = new_graph(5, 5, 4);
    char longest[IC_GRAPH_NAME_MAX + 2];
    memset(longest, 'n', sizeof longest);
    longest[IC_GRAPH_NAME_MAX + 1] = '\0';
    assert_fails(IC_ERROR_ARGUMENT, "a name is", ic_graph_batch_norm(graph, NULL, 0));
    assert_fails(IC_ERROR_ARGUMENT, "a name is", ic_graph_batch_norm(graph, "", 0));
    assert_fails(IC_ERROR_ARGUMENT, "a name is", ic_graph_batch_norm(graph, "a b", 0));
    assert_fails(IC_ERROR_ARGUMENT, "a name is", ic_graph_batch_norm(graph, "\xc3\xa4", 0));
    assert_fails(IC_ERROR_ARGUMENT, "a name is", ic_graph_batch_norm(graph, longest, 0));
    longest[IC_GRAPH_NAME_MAX] = '\0';
    assert_true(ic_graph_batch_norm(graph, longest, 0) == 1);
    assert_true(ic_graph_batch_norm(graph, "layer1.0.bn-1_x", 1) == 2);
    assert_fails(IC_ERROR_ARGUMENT, "is taken", ic_graph_batch_norm(graph, "layer1.0.bn-1_x", 2));
    ic_graph_free(graph);
}

/* An error goes through the calls that follow it, with its message, so that builders need not check
 * each. */
static void errors_pass_on(void **state)
{
    ic_graph *graph = new_graph(5, 5, 4);
    ic_node x = conv(graph, "c", 0, 4, 9, 1, 0, 1, 1);
    x = ic_graph_activation(graph, ic_graph_batch_norm(graph, "n", x), IC_ACTIVATION_RELU);
    x = ic_graph_add(graph, 0, x);
    assert_fails(IC_ERROR_ARGUMENT, "conv c: its window", ic_graph_finish(graph, x));
    ic_graph_free(graph);
}

static void finishing(void **state)
{
    ic_graph *graph = new_graph(5, 5, 4);
    assert_fails(IC_ERROR_ARGUMENT, "must be the last", ic_graph_finish(graph, 0));
    ic_node a = ic_graph_global_pool(graph, 0), b = ic_graph_flatten(graph, 0);
    assert_fails(IC_ERROR_ARGUMENT, "does not lead to the logits", ic_graph_finish(graph, b));
    ic_node inputs[2] = {a, b};
    ic_node c = ic_graph_concat(graph, inputs, 2);
    assert_fails(IC_ERROR_ARGUMENT, "must be the last", ic_graph_finish(graph, b));
    assert_ok(ic_graph_finish(graph, c));
    assert_int_equal(ic_graph_classes(graph), 104);
    assert_fails(IC_ERROR_STATE, "finished", ic_graph_finish(graph, c));
    assert_fails(IC_ERROR_STATE, "takes no more nodes", ic_graph_flatten(graph, c));
    ic_graph_free(graph);
    graph = new_graph(5, 5, 4);
    a = ic_graph_activation(graph, 0, IC_ACTIVATION_RELU);
    assert_fails(IC_ERROR_ARGUMENT, "5 x 5 x 4, must be 1 x 1", ic_graph_finish(graph, a));
    ic_graph_free(graph);
}

/* Sizes that only together are too large: found at the end, before any memory is asked for. */
static void too_many_parameters(void **state)
{
    ic_graph *graph = new_graph(64, 64, 8);
    ic_node x = ic_graph_flatten(graph, 0);
    x = ic_graph_linear(graph, "a", x, 65536, true);
    assert_fails(IC_ERROR_LIMIT, "a.weight", ic_graph_finish(graph, x));
    ic_graph_free(graph);
    graph = new_graph(1, 1, 65536);
    x = ic_graph_linear(graph, "a", 0, 16384, false);
    x = ic_graph_linear(graph, "b", x, 65536, false);
    assert_fails(IC_ERROR_LIMIT, "parameters", ic_graph_finish(graph, x));
    ic_graph_free(graph);
}

static ic_graph *small_network(void)
{
    ic_graph *graph = new_graph(7, 5, 3);
    ic_conv_options options = {.k = 10, .size = 3, .groups = 1, .bias = true};
    ic_node x = ic_graph_conv(graph, "conv", ic_graph_input(graph), &options);
    x = ic_graph_batch_norm(graph, "norm", x);
    x = ic_graph_batch_norm_zero(graph, "silent", x);
    x = ic_graph_linear(graph, "fc", ic_graph_flatten(graph, x), 9, true);
    assert_ok(ic_graph_finish(graph, x));
    return graph;
}

static void parameter_layout(void **state)
{
    static const struct {
        const char *name;
        ic_parameter_role role;
        int32_t rank;
        int64_t shape[4], offset;
    } wanted[] = {
        {"conv.weight", IC_ROLE_WEIGHT, 4, {10, 3, 3, 3}, 0},
        {"conv.bias", IC_ROLE_BIAS, 1, {10}, 1632},
        {"norm.weight", IC_ROLE_BIAS, 1, {10}, 1648},
        {"norm.bias", IC_ROLE_BIAS, 1, {10}, 1664},
        {"norm.running_mean", IC_ROLE_STATISTIC, 1, {10}, 1728},
        {"norm.running_var", IC_ROLE_STATISTIC, 1, {10}, 1744},
        {"silent.weight", IC_ROLE_BIAS, 1, {10}, 1680},
        {"silent.bias", IC_ROLE_BIAS, 1, {10}, 1696},
        {"silent.running_mean", IC_ROLE_STATISTIC, 1, {10}, 1760},
        {"silent.running_var", IC_ROLE_STATISTIC, 1, {10}, 1776},
        {"fc.weight", IC_ROLE_WEIGHT, 2, {9, 150}, 272},
        {"fc.bias", IC_ROLE_BIAS, 1, {9}, 1712},
    };
    ic_graph *graph = small_network();
    assert_int_equal(ic_graph_parameter_count(graph), sizeof wanted / sizeof *wanted);
    for (int32_t i = 0; i < ic_graph_parameter_count(graph); i++) {
        const ic_parameter *p = ic_graph_parameter(graph, i);
        int64_t count = 1;
        assert_string_equal(p->name, wanted[i].name);
        assert_int_equal(p->role, wanted[i].role);
        assert_int_equal(p->rank, wanted[i].rank);
        for (int32_t j = 0; j < p->rank; count *= p->shape[j++])
            assert_int_equal(p->shape[j], wanted[i].shape[j]);
        assert_int_equal(p->count, count);
        assert_int_equal(p->offset, wanted[i].offset);
    }
    ic_parameter_sizes sizes = ic_graph_parameter_sizes(graph);
    assert_int_equal(sizes.decayed, 1632);
    assert_int_equal(sizes.trained, 1728);
    assert_int_equal(sizes.total, 1792);
    ic_graph_free(graph);
}

static void fresh_values(void **state)
{
    ic_graph *graph = small_network();
    size_t total = (size_t)ic_graph_parameter_sizes(graph).total;
    float *a = malloc(total * sizeof *a), *b = malloc(total * sizeof *b);
    assert_non_null(a);
    assert_non_null(b);
    memset(a, 0xff, total * sizeof *a);
    ic_graph_initialise(NULL, graph, 3, a);
    ic_graph_initialise(NULL, graph, 3, b);
    assert_memory_equal(a, b, total * sizeof *a);
    ic_graph_initialise(NULL, graph, 4, b);
    assert_true(memcmp(a, b, total * sizeof *a) != 0);

    const ic_parameter *conv_weight = ic_graph_parameter(graph, 0);
    const ic_parameter *linear = ic_graph_parameter(graph, 10);
    double square = 0, largest = 0;
    for (int64_t i = 0; i < conv_weight->count; i++)
        square += (double)a[i] * (double)a[i];
    assert_float_equal(sqrt(square / (double)conv_weight->count), sqrt(2.0 / 90), 0.02);
    for (int64_t i = 0; i < linear->count; i++)
        largest = fmax(largest, fabs((double)a[linear->offset + i]));
    assert_true(largest <= 1 / sqrt(150.0) && largest > 0.95 / sqrt(150.0));
    for (int32_t i = 0; i < 10; i++) {
        assert_true(a[1632 + i] == 0 && a[1648 + i] == 1 && a[1664 + i] == 0);
        assert_true(a[1728 + i] == 0 && a[1744 + i] == 1 && a[1680 + i] == 0);
    }
    for (int64_t i = conv_weight->count; i < linear->offset; i++)
        assert_true(a[i] == 0); /* the gap */
    free(a);
    free(b);
    ic_graph_free(graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shapes),
        cmocka_unit_test(wrong_nodes),
        cmocka_unit_test(names),
        cmocka_unit_test(errors_pass_on),
        cmocka_unit_test(finishing),
        cmocka_unit_test(too_many_parameters),
        cmocka_unit_test(parameter_layout),
        cmocka_unit_test(fresh_values),
    };
    return cmocka_run_group_tests_name("graph/builder", tests, set_up, tear_down);
}

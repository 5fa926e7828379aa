/*
 * graph/test_adjoint.c: gradients of linear operators, exactly. SPDX-License-Identifier: MIT
 *
 * For a linear y = L x, <L x, g> = <x, L' g>: the gradient that backward gives for any g must
 * satisfy it. On small whole numbers every float sum is exact, so the two sides are equal, whatever
 * the order of summation. The same holds for what is linear once the input has chosen (maxima,
 * ReLU, dropout), and for each factor of a product.
 */
#include "rig.h"

#include <math.h>

#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 3 };

typedef ic_node (*tail_fn)(ic_graph *graph, ic_node x);

static ic_graph *build(ic_context *context, ic_shape shape, tail_fn tail)
{
    ic_graph *graph = NULL;
    assert_ok(ic_graph_create(context, shape, &graph));
    ic_node x = tail(graph, ic_graph_input(graph));
    ic_node logits = ic_graph_flatten(graph, x);
    if (logits < 0)
        fail_msg("%s", ic_last_error());
    assert_ok(ic_graph_finish(graph, logits));
    return graph;
}

/*
 * Sums of whole numbers are exact, but not in Winograd's convolutions, whose filters are multiples
 * of 1/24; there the two sides agree within rounding.
 */
static bool sums_are_exact = true;

static void assert_same(double a, double b)
{
    if (sums_are_exact)
        assert_true(a == b);
    else
        assert_true(fabs(a - b) <= 1e-5 * (fabs(a) + fabs(b)) + 0.05);
}

/* <y, g> = <x, d_x>; and where there are parameters that y is linear in, = <w, d_w> for each. */
static void check_adjoint(tail_fn tail, ic_shape shape, int32_t batch, bool parameters)
{
    test_rig rig;
    ic_context *context = test_context(1);
    rig_open(&rig, build(context, shape, tail), batch);
    test_numbers numbers = {.state = (uint64_t)(shape.h * 131 + shape.w * 17 + shape.c)};
    float *g = malloc((size_t)rig.outputs * sizeof *g), *x = malloc((size_t)rig.inputs * sizeof *x);
    assert_non_null(g);
    assert_non_null(x);
    for (int round = 0; round < ROUNDS; round++) {
        numbers_fill_whole(&numbers, 3, x, rig.inputs);
        numbers_fill_whole(&numbers, 3, g, rig.outputs);
        for (int32_t i = 0; i < ic_graph_parameter_count(rig.graph); i++) {
            const ic_parameter *p = ic_graph_parameter(rig.graph, i);
            numbers_fill_whole(&numbers, 2, rig.parameters + p->offset, p->count);
        }
        memcpy(ic_executor_input(rig.executor), x, (size_t)rig.inputs * sizeof *x);
        rig_forward(&rig);
        double forward = dot(ic_executor_logits(rig.executor), g, rig.outputs);
        rig_backward(&rig, g);
        double to_input = dot(x, ic_executor_input_gradients(rig.executor), rig.inputs);
        assert_same(forward, to_input);
        for (int32_t i = 0; parameters && i < ic_graph_parameter_count(rig.graph); i++) {
            const ic_parameter *p = ic_graph_parameter(rig.graph, i);
            double to_weights =
                dot(rig.parameters + p->offset, rig.gradients + p->offset, p->count);
            assert_same(forward, to_weights);
        }
    }
    free(g);
    free(x);
    rig_close(&rig);
    ic_context_free(context);
}

/* ---- Convolutions: odd sizes, strides, paddings, dilations, groups ---- */

static ic_conv_options conv_options;

static ic_node conv_tail(ic_graph *graph, ic_node x)
{
    return ic_graph_conv(graph, "conv", x, &conv_options);
}

static void convolutions(void **state)
{
    static const struct {
        ic_conv_options options;
        ic_shape shape;
        int32_t batch;
    } cases[] = {
        {{.k = 5, .size = 3}, {7, 9, 3}, 2},
        {{.k = 33, .size = 3, .padding = 1}, {11, 6, 17}, 3},
        {{.k = 8, .size = 5, .padding = 2}, {9, 13, 1}, 1},
        {{.k = 7, .size = 3, .stride = 2, .padding = 1}, {13, 10, 5}, 2},
        {{.k = 16, .size = 7, .stride = 2, .padding = 3}, {21, 18, 3}, 2},
        {{.k = 6, .size = 1, .stride = 2}, {9, 7, 10}, 2},
        {{.k = 40, .size = 1}, {5, 3, 19}, 4},
        {{.k = 4, .size = 3, .stride = 3}, {10, 11, 4}, 1},
        {{.k = 9, .size = 3, .padding = 2, .dilation = 2}, {9, 8, 4}, 2},
        {{.k = 6, .size = 2, .stride = 2, .padding = 1, .dilation = 3}, {12, 11, 3}, 2},
        {{.k = 12, .size = 3, .padding = 1, .groups = 3}, {7, 6, 9}, 2},
        {{.k = 10, .size = 3, .stride = 2, .padding = 1, .groups = 2}, {9, 9, 6}, 1},
        {{.k = 19, .size = 3, .padding = 1, .groups = 19}, {8, 11, 19}, 2},
        {{.k = 24, .size = 5, .stride = 2, .padding = 2, .groups = 24}, {13, 9, 24}, 2},
        {{.k = 12, .size = 3, .padding = 1, .groups = 6}, {6, 7, 6}, 2},
        {{.k = 3, .size = 4, .stride = 1, .padding = 3}, {1, 1, 2}, 3},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        conv_options = cases[i].options;
        sums_are_exact = !(conv_options.size == 3 && conv_options.stride <= 1 &&
                           conv_options.dilation <= 1 && conv_options.groups <= 1);
        check_adjoint(conv_tail, cases[i].shape, cases[i].batch, true);
    }
    sums_are_exact = true;
}

static ic_node linear_tail(ic_graph *graph, ic_node x)
{
    return ic_graph_linear(graph, "fc", ic_graph_flatten(graph, x), 13, false);
}

static void linear(void **state)
{
    check_adjoint(linear_tail, (ic_shape){1, 1, 37}, 5, true);
    check_adjoint(linear_tail, (ic_shape){3, 5, 7}, 3, true);
    check_adjoint(linear_tail, (ic_shape){4, 3, 1}, 2, true);
}

/* ---- Pools ---- */

static int32_t pool_size, pool_stride, pool_padding;

static ic_node max_tail(ic_graph *graph, ic_node x)
{
    return ic_graph_max_pool(graph, x, pool_size, pool_stride, pool_padding);
}

static ic_node average_tail(ic_graph *graph, ic_node x)
{
    return ic_graph_average_pool(graph, x, pool_size, pool_stride, pool_padding);
}

static ic_node global_tail(ic_graph *graph, ic_node x)
{
    return ic_graph_global_pool(graph, x);
}

static ic_node global_max_tail(ic_graph *graph, ic_node x)
{
    return ic_graph_global_max_pool(graph, x);
}

static void pools(void **state)
{
    static const int32_t windows[][3] = {{2, 2, 0}, {3, 2, 1}, {2, 1, 1}, {5, 3, 2}, {3, 3, 0}};
    for (size_t i = 0; i < sizeof windows / sizeof *windows; i++) {
        pool_size = windows[i][0];
        pool_stride = windows[i][1];
        pool_padding = windows[i][2];
        check_adjoint(max_tail, (ic_shape){11, 8, 5}, 3, false);
        check_adjoint(max_tail, (ic_shape){7, 13, 33}, 2, false);
    }
    pool_size = pool_stride = 2; /* sixteenths and quarters are exact */
    pool_padding = 1;
    check_adjoint(average_tail, (ic_shape){9, 6, 7}, 3, false);
    pool_size = 4;
    pool_stride = 3;
    check_adjoint(average_tail, (ic_shape){8, 11, 18}, 2, false);
    check_adjoint(global_tail, (ic_shape){4, 8, 21}, 3, false);
    check_adjoint(global_tail, (ic_shape){64, 32, 33}, 2, false); /* in pieces */
    check_adjoint(global_max_tail, (ic_shape){5, 7, 9}, 3, false);
    check_adjoint(global_max_tail, (ic_shape){18, 19, 3}, 2, false); /* in two steps */
}

/* ---- Sums, products, joins ---- */

static ic_node depthwise(ic_graph *graph, const char *name, ic_node x, int32_t c)
{
    ic_conv_options options = {.k = c, .size = 3, .padding = 1, .groups = c};
    return ic_graph_conv(graph, name, x, &options);
}

/* x + conv(x) + x: gradients that share a tensor and are added to. */
static ic_node residual_tail(ic_graph *graph, ic_node x)
{
    ic_node y = ic_graph_add(graph, x, depthwise(graph, "a", x, 6));
    return ic_graph_add(graph, y, x);
}

static ic_node twice_tail(ic_graph *graph, ic_node x)
{
    return ic_graph_add(graph, x, x);
}

/* Two branches from one convolution, each read twice. */
static ic_node diamond_tail(ic_graph *graph, ic_node x)
{
    ic_node a = depthwise(graph, "a", x, 6);
    ic_node b = ic_graph_add(graph, depthwise(graph, "b", a, 6), a);
    ic_node c = ic_graph_add(graph, ic_graph_max_pool(graph, a, 3, 1, 1), b);
    return ic_graph_add(graph, ic_graph_add(graph, c, b), a);
}

static ic_node concat_tail(ic_graph *graph, ic_node x)
{
    ic_node a = ic_graph_max_pool(graph, x, 3, 1, 1);
    ic_node inputs[4] = {x, a, x, depthwise(graph, "b", a, 6)};
    return ic_graph_concat(graph, inputs, 4);
}

static ic_node relu_tail(ic_graph *graph, ic_node x)
{
    return ic_graph_activation(graph, x, IC_ACTIVATION_RELU);
}

static ic_node dropout_tail(ic_graph *graph, ic_node x)
{
    return ic_graph_dropout(graph, ic_graph_dropout(graph, x, 0.5f), 0);
}

static ic_node depth_tail(ic_graph *graph, ic_node x)
{
    ic_node y = ic_graph_stochastic_depth(graph, depthwise(graph, "a", x, 6), 0.5);
    return ic_graph_add(graph, x, y);
}

static ic_node scale_tail(ic_graph *graph, ic_node x)
{
    return ic_graph_scale(graph, ic_graph_scale(graph, depthwise(graph, "a", x, 6), 0.25), -2);
}

static ic_node add_relu_tail(ic_graph *graph, ic_node x)
{
    ic_node y = ic_graph_add(graph, ic_graph_max_pool(graph, x, 3, 1, 1), x);
    return ic_graph_activation(graph, y, IC_ACTIVATION_RELU);
}

static ic_node conv_relu_tail(ic_graph *graph, ic_node x)
{
    return ic_graph_activation(graph, depthwise(graph, "a", x, 6), IC_ACTIVATION_RELU);
}

static void sums_and_joins(void **state)
{
    static const tail_fn tails[] = {residual_tail, twice_tail,     diamond_tail,
                                    concat_tail,   relu_tail,      dropout_tail,
                                    add_relu_tail, conv_relu_tail, depth_tail, scale_tail};
    for (size_t i = 0; i < sizeof tails / sizeof *tails; i++)
        check_adjoint(tails[i], (ic_shape){7, 5, 6}, 3, false);
}

/*
 * y = a b has <y, g> = <a, d_a> = <b, d_b>, so for both made from x by linear maps <x, d_x> is
 * twice <y, g>; here twice as large again, as the maxima behind are homogeneous. g is halved to
 * show it.
 */
static void check_product(tail_fn tail, ic_shape shape)
{
    test_rig rig;
    ic_context *context = test_context(1);
    rig_open(&rig, build(context, shape, tail), 3);
    test_numbers numbers = {.state = 5};
    float *g = malloc((size_t)rig.outputs * sizeof *g), *x = malloc((size_t)rig.inputs * sizeof *x);
    assert_non_null(g);
    assert_non_null(x);
    numbers_fill_whole(&numbers, 3, x, rig.inputs);
    numbers_fill_whole(&numbers, 3, g, rig.outputs);
    memcpy(ic_executor_input(rig.executor), x, (size_t)rig.inputs * sizeof *x);
    rig_forward(&rig);
    double forward = dot(ic_executor_logits(rig.executor), g, rig.outputs);
    rig_backward(&rig, g);
    double to_input = dot(x, ic_executor_input_gradients(rig.executor), rig.inputs);
    assert_true(2 * forward == to_input);
    free(g);
    free(x);
    rig_close(&rig);
    ic_context_free(context);
}

static ic_node square_tail(ic_graph *graph, ic_node x)
{
    return ic_graph_multiply(graph, x, x);
}

static ic_node product_tail(ic_graph *graph, ic_node x)
{
    return ic_graph_multiply(graph, ic_graph_max_pool(graph, x, 3, 1, 1), x);
}

static ic_node gate_tail(ic_graph *graph, ic_node x)
{
    return ic_graph_multiply(graph, x, ic_graph_global_max_pool(graph, x));
}

static void products(void **state)
{
    check_product(square_tail, (ic_shape){3, 5, 7});
    check_product(product_tail, (ic_shape){6, 5, 4});
    check_product(gate_tail, (ic_shape){5, 7, 19});
}

/* The gradient of a bias is the sum of the gradients of what it is added to. */
static ic_node bias_tail(ic_graph *graph, ic_node x)
{
    ic_conv_options options = {.k = 5, .size = 3, .stride = 2, .bias = true};
    return ic_graph_conv(graph, "conv", x, &options);
}

static void biases(void **state)
{
    test_rig rig;
    ic_context *context = test_context(1);
    rig_open(&rig, build(context, (ic_shape){9, 7, 4}, bias_tail), 3);
    test_numbers numbers = {.state = 9};
    const ic_parameter *bias = ic_graph_parameter(rig.graph, 1);
    assert_string_equal(bias->name, "conv.bias");
    numbers_fill_whole(&numbers, 2, rig.parameters + bias->offset, 5);
    float *g = malloc((size_t)rig.outputs * sizeof *g);
    assert_non_null(g);
    numbers_fill_whole(&numbers, 3, g, rig.outputs);
    rig_forward(&rig); /* the input is zero: the bias alone comes out, in torch's order [c][h][w] */
    const float *logits = ic_executor_logits(rig.executor);
    int64_t pixels = 4 * 3;
    double sums[5] = {0};
    for (int64_t i = 0; i < rig.outputs; i++) {
        int64_t k = i / pixels % 5;
        assert_true(logits[i] == rig.parameters[bias->offset + k]);
        sums[k] += g[i];
    }
    rig_backward(&rig, g);
    for (int k = 0; k < 5; k++)
        assert_true(rig.gradients[bias->offset + k] == sums[k]);
    for (int64_t i = bias->offset + 5; i < rig.sizes.trained; i++)
        assert_true(rig.gradients[i] == 0);
    free(g);
    rig_close(&rig);
    ic_context_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(convolutions),   cmocka_unit_test(linear),   cmocka_unit_test(pools),
        cmocka_unit_test(sums_and_joins), cmocka_unit_test(products), cmocka_unit_test(biases),
    };
    return cmocka_run_group_tests_name("graph/adjoint", tests, NULL, NULL);
}

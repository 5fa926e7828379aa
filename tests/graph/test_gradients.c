/*
 * graph/test_gradients.c: gradients of curved operators by 4-point differences.
 * SPDX-License-Identifier: MIT
 *
 * For the loss <g, y> and a random direction v, the derivative along v,
 * (8 (l(h) - l(-h)) - (l(2h) - l(-2h))) / 12h, must be <d, v> with d the gradient of backward: for
 * the input and for every parameter.
 */
#include "rig.h"

#include "graph/node.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double STEP = 1.0 / 32;

typedef ic_node (*tail_fn)(ic_graph *graph, ic_node x);

static ic_graph *build(ic_context *context, ic_shape shape, tail_fn tail)
{
    ic_graph *graph = NULL;
    assert_ok(ic_graph_create(context, shape, &graph));
    ic_node logits = ic_graph_flatten(graph, tail(graph, ic_graph_input(graph)));
    if (logits < 0)
        fail_msg("%s", ic_last_error());
    assert_ok(ic_graph_finish(graph, logits));
    return graph;
}

/* The loss with `count` values of `target` moved by t along v; target is the input if NULL. */
static double loss_at(test_rig *rig, const float *x, float *target, int64_t count, const float *v,
                      double t, const float *g)
{
    float *input = ic_executor_input(rig->executor);
    memcpy(input, x, (size_t)rig->inputs * sizeof *x);
    float *moved = target != NULL ? target : input;
    float *kept = malloc((size_t)count * sizeof *kept);
    assert_non_null(kept);
    memcpy(kept, moved, (size_t)count * sizeof *kept);
    for (int64_t i = 0; i < count; i++)
        moved[i] = (float)(moved[i] + t * v[i]);
    rig_forward(rig);
    double loss = dot(ic_executor_logits(rig->executor), g, rig->outputs);
    memcpy(moved, kept, (size_t)count * sizeof *kept);
    free(kept);
    return loss;
}

static void check_direction(test_rig *rig, const char *what, const float *x, float *target,
                            int64_t count, const float *gradient, const float *g,
                            test_numbers *numbers)
{
    float *v = malloc((size_t)count * sizeof *v);
    assert_non_null(v);
    numbers_fill_unit(numbers, v, count);
    double h = STEP / sqrt((double)count);
    double near =
        loss_at(rig, x, target, count, v, h, g) - loss_at(rig, x, target, count, v, -h, g);
    double far =
        loss_at(rig, x, target, count, v, 2 * h, g) - loss_at(rig, x, target, count, v, -2 * h, g);
    double measured = (8 * near - far) / (12 * h);
    double computed = dot(gradient, v, count);
    double size = sqrt(dot(gradient, gradient, count) * dot(v, v, count) / (double)count) + 0.02;
    if (!(fabs(measured - computed) <= 3e-3 * size))
        fail_msg("%s: measured %g, computed %g, of size %g", what, measured, computed, size);
    free(v);
}

static void check(const char *what, tail_fn tail, ic_shape shape, int32_t batch)
{
    test_rig rig;
    ic_context *context = test_context(1);
    rig_open(&rig, build(context, shape, tail), batch);
    test_numbers numbers = {.state = 11};
    float *x = malloc((size_t)rig.inputs * sizeof *x), *g = malloc((size_t)rig.outputs * sizeof *g);
    float *d_x = malloc((size_t)rig.inputs * sizeof *d_x);
    assert_non_null(x);
    assert_non_null(g);
    assert_non_null(d_x);
    numbers_fill_unit(&numbers, x, rig.inputs);
    numbers_fill_unit(&numbers, g, rig.outputs);
    for (int32_t i = 0; i < ic_graph_parameter_count(rig.graph); i++) {
        const ic_parameter *p = ic_graph_parameter(rig.graph, i);
        numbers_fill_unit(&numbers, rig.parameters + p->offset, p->count);
    }
    memcpy(ic_executor_input(rig.executor), x, (size_t)rig.inputs * sizeof *x);
    rig_forward(&rig);
    rig_backward(&rig, g);
    memcpy(d_x, ic_executor_input_gradients(rig.executor), (size_t)rig.inputs * sizeof *d_x);
    check_direction(&rig, what, x, NULL, rig.inputs, d_x, g, &numbers);
    for (int32_t i = 0; i < ic_graph_parameter_count(rig.graph); i++) {
        const ic_parameter *p = ic_graph_parameter(rig.graph, i);
        if (p->role != IC_ROLE_STATISTIC)
            check_direction(&rig, what, x, rig.parameters + p->offset, p->count,
                            rig.gradients + p->offset, g, &numbers);
    }
    free(x);
    free(g);
    free(d_x);
    rig_close(&rig);
    ic_context_free(context);
}

/* ---- Activations alone, behind a norm, behind a convolution, behind a sum ---- */

static ic_activation function;

static ic_node scaled(ic_graph *graph, ic_node x, int32_t c)
{
    ic_conv_options options = {.k = c, .size = 1, .bias = true};
    return ic_graph_conv(graph, "conv", x, &options);
}

static ic_node alone_tail(ic_graph *graph, ic_node x)
{
    return ic_graph_activation(graph, x, function);
}

static ic_node norm_tail(ic_graph *graph, ic_node x)
{
    x = ic_graph_batch_norm(graph, "norm", scaled(graph, x, 5));
    return ic_graph_activation(graph, x, function);
}

static ic_node conv_tail(ic_graph *graph, ic_node x)
{
    return ic_graph_activation(graph, scaled(graph, x, 5), function);
}

static ic_node sum_tail(ic_graph *graph, ic_node x)
{
    return ic_graph_activation(graph, ic_graph_add(graph, scaled(graph, x, 3), x), function);
}

/* The value of a function read by two others, so that nothing can be absorbed. */
static ic_node forked_tail(ic_graph *graph, ic_node x)
{
    ic_node n = ic_graph_batch_norm(graph, "norm", x);
    ic_node f = ic_graph_activation(graph, n, function);
    return ic_graph_add(graph, ic_graph_multiply(graph, f, n), f);
}

static void activations(void **state)
{
    static const ic_activation smooth[] = {IC_ACTIVATION_SILU, IC_ACTIVATION_GELU,
                                           IC_ACTIVATION_SIGMOID};
    for (size_t i = 0; i < sizeof smooth / sizeof *smooth; i++) {
        function = smooth[i];
        check("activation", alone_tail, (ic_shape){3, 5, 7}, 2);
        check("norm + activation", norm_tail, (ic_shape){5, 3, 4}, 3);
        check("conv + activation", conv_tail, (ic_shape){5, 3, 4}, 3);
        check("add + activation", sum_tail, (ic_shape){5, 3, 3}, 3);
        check("forked activation", forked_tail, (ic_shape){4, 3, 5}, 3);
    }
}

/* Functions of straight pieces: one value at a time, kept away from the corners. */
static void bent_activations(void **state)
{
    static const float places[] = {-4.5f, -2.5f, -0.5f, 0.5f, 2.0f, 2.5f, 3.5f, 5.5f, 6.5f};
    static const ic_activation bent[] = {IC_ACTIVATION_RELU, IC_ACTIVATION_RELU6,
                                         IC_ACTIVATION_HARD_SIGMOID, IC_ACTIVATION_HARD_SWISH};
    enum { PLACES = sizeof places / sizeof *places };
    for (size_t i = 0; i < sizeof bent / sizeof *bent; i++) {
        function = bent[i];
        test_rig rig;
        ic_context *context = test_context(1);
        rig_open(&rig, build(context, (ic_shape){1, PLACES, 1}, alone_tail), 1);
        float *input = ic_executor_input(rig.executor), ones[PLACES], values[2][PLACES];
        double h = 1.0 / 64;
        for (int side = 0; side < 2; side++) {
            for (int j = 0; j < PLACES; j++)
                input[j] = (float)(places[j] + (side == 0 ? -h : h));
            rig_forward(&rig);
            memcpy(values[side], ic_executor_logits(rig.executor), sizeof ones);
        }
        for (int j = 0; j < PLACES; j++) {
            input[j] = places[j];
            ones[j] = 1;
        }
        rig_forward(&rig);
        rig_backward(&rig, ones);
        const float *d_x = ic_executor_input_gradients(rig.executor);
        for (int j = 0; j < PLACES; j++)
            assert_float_equal(d_x[j], (values[1][j] - values[0][j]) / (2 * h), 2e-4);
        rig_close(&rig);
        ic_context_free(context);
    }
}

/* ---- Norms and what is built around them ---- */

static ic_node norm_alone_tail(ic_graph *graph, ic_node x)
{
    return ic_graph_batch_norm(graph, "norm", x);
}

static ic_conv_options conv3x3(int32_t k, int32_t stride)
{
    return (ic_conv_options){.k = k, .size = 3, .stride = stride, .padding = 1};
}

/* A residual block as ResNet's, with a smooth function in place of ReLU. */
static ic_node residual_tail(ic_graph *graph, ic_node x)
{
    ic_conv_options strided = conv3x3(6, 2), plain = conv3x3(6, 1), around = {.k = 6, .size = 1};
    around.stride = 2;
    ic_node y = ic_graph_batch_norm(graph, "n1", ic_graph_conv(graph, "c1", x, &strided));
    y = ic_graph_activation(graph, y, IC_ACTIVATION_SILU);
    y = ic_graph_batch_norm(graph, "n2", ic_graph_conv(graph, "c2", y, &plain));
    x = ic_graph_batch_norm(graph, "n3", ic_graph_conv(graph, "c3", x, &around));
    return ic_graph_activation(graph, ic_graph_add(graph, y, x), IC_ACTIVATION_SILU);
}

/* Squeeze and excite (Hu et al. 2017), behind a depthwise convolution. */
static ic_node squeeze_tail(ic_graph *graph, ic_node x)
{
    ic_conv_options wide = {.k = 7, .size = 3, .padding = 1, .groups = 7};
    ic_conv_options down = {.k = 3, .size = 1, .bias = true},
                    up = {.k = 7, .size = 1, .bias = true};
    ic_node y = ic_graph_batch_norm(graph, "n1", ic_graph_conv(graph, "c1", x, &wide));
    y = ic_graph_activation(graph, y, IC_ACTIVATION_SILU);
    ic_node gate = ic_graph_conv(graph, "down", ic_graph_global_pool(graph, y), &down);
    gate = ic_graph_activation(graph, gate, IC_ACTIVATION_SILU);
    gate = ic_graph_conv(graph, "up", gate, &up);
    gate = ic_graph_activation(graph, gate, IC_ACTIVATION_SIGMOID);
    return ic_graph_add(graph, x, ic_graph_multiply(graph, y, gate));
}

/* Norm and function before the convolution, and a norm whose value is read three times. */
static ic_node preactivation_tail(ic_graph *graph, ic_node x)
{
    ic_conv_options plain = conv3x3(4, 1);
    ic_node n = ic_graph_batch_norm(graph, "n1", x);
    ic_node y =
        ic_graph_conv(graph, "c1", ic_graph_activation(graph, n, IC_ACTIVATION_GELU), &plain);
    ic_node joined[3] = {n, y, ic_graph_average_pool(graph, n, 3, 1, 1)};
    return ic_graph_concat(graph, joined, 3);
}

static ic_node head_tail(ic_graph *graph, ic_node x)
{
    x = ic_graph_linear(graph, "f1", ic_graph_flatten(graph, x), 11, true);
    x = ic_graph_activation(graph, x, IC_ACTIVATION_SIGMOID);
    x = ic_graph_dropout(graph, x, 0.25f);
    return ic_graph_linear(graph, "f2", x, 5, true);
}

/* A norm read straight by a linear layer, whose channels are then whole pictures. */
static ic_node norm_head_tail(ic_graph *graph, ic_node x)
{
    x = ic_graph_activation(graph, ic_graph_batch_norm(graph, "n", x), IC_ACTIVATION_SILU);
    return ic_graph_linear(graph, "f", ic_graph_flatten(graph, x), 5, true);
}

static void networks(void **state)
{
    check("norm", norm_alone_tail, (ic_shape){5, 7, 3}, 2);
    check("norm of one pixel", norm_alone_tail, (ic_shape){1, 1, 37}, 6);
    check("residual", residual_tail, (ic_shape){7, 9, 5}, 3);
    check("squeeze and excite", squeeze_tail, (ic_shape){5, 6, 7}, 3);
    check("squeeze and excite in pieces", squeeze_tail, (ic_shape){120, 100, 7}, 2);
    check("norm first", preactivation_tail, (ic_shape){6, 5, 4}, 3);
    check("norm and linear", norm_head_tail, (ic_shape){3, 4, 5}, 3);
    check("norm and linear of one channel", norm_head_tail, (ic_shape){3, 4, 1}, 3);
    check("norm and linear of one pixel", norm_head_tail, (ic_shape){1, 1, 5}, 6);
    check("linear head", head_tail, (ic_shape){3, 4, 5}, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(activations),
        cmocka_unit_test(bent_activations),
        cmocka_unit_test(networks),
    };
    return cmocka_run_group_tests_name("graph/gradients", tests, NULL, NULL);
}

/*
 * graph/test_recompute.c: a limit of memory costs time and changes no bit. SPDX-License-Identifier:
 * MIT
 */
#include "rig.h"

#include "zoo/zoo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- A few steps of training, remembered ---- */

enum { STEPS = 2 };

typedef struct trace {
    float *logits, *parameters, *gradients; /* of the last step, parameters after it */
    int64_t logit_count, total, trained;
    size_t memory;
} trace;

static void free_trace(trace *t)
{
    free(t->logits);
    free(t->parameters);
    free(t->gradients);
}

static void run_steps(ic_executor *executor, trace *t)
{
    for (uint64_t step = 0; step < STEPS; step++) {
        assert_ok(ic_executor_forward(executor, t->parameters, 3, step));
        memcpy(t->logits, ic_executor_logits(executor), (size_t)t->logit_count * sizeof(float));
        float *gradients = ic_executor_logit_gradients(executor);
        for (int64_t i = 0; i < t->logit_count; i++)
            gradients[i] = (t->logits[i] - (i % 7 == 0 ? 1.0f : 0.0f)) / (float)t->logit_count;
        assert_ok(ic_executor_backward(executor, t->parameters, t->gradients));
        for (int64_t i = 0; i < t->trained; i++)
            t->parameters[i] -= 0.01f * t->gradients[i];
    }
}

static void train(const char *network, ic_shape input, int32_t batch, int32_t threads, size_t limit,
                  trace *t)
{
    ic_context *context = test_context(threads);
    ic_graph *graph = NULL;
    ic_executor *executor = NULL;
    test_numbers numbers = {.state = 5};
    assert_ok(ic_zoo_build(context, network, input, 10, &graph));
    assert_ok(ic_executor_create_training(context, graph, batch, NULL, limit, &executor));
    ic_parameter_sizes sizes = ic_graph_parameter_sizes(graph);
    *t = (trace){.logit_count = batch * 10,
                 .total = sizes.total,
                 .trained = sizes.trained,
                 .memory = ic_executor_memory(executor)};
    t->logits = zeroed(t->logit_count);
    t->parameters = zeroed(t->total);
    t->gradients = zeroed(t->trained);
    ic_graph_initialise(NULL, graph, 2, t->parameters);
    numbers_fill_unit(&numbers, ic_executor_input(executor),
                      (int64_t)batch * input.h * input.w * input.c);
    run_steps(executor, t);
    ic_executor_free(executor);
    ic_graph_free(graph);
    ic_context_free(context);
}

/* ---- The tests ---- */

static size_t least_memory(const char *network, ic_shape input, int32_t batch, int32_t threads)
{
    ic_context *context = test_context(threads);
    ic_graph *graph = NULL;
    ic_executor *executor = NULL;
    int32_t least = 0;
    assert_ok(ic_zoo_build(context, network, input, 10, &graph));
    assert_fails(IC_ERROR_LIMIT,
                 "raise memory_limit, or lower batch_size or the model's input_size",
                 ic_executor_create_training(context, graph, batch, NULL, 1, &executor));
    assert_null(executor);
    const char *text = strstr(ic_last_error(), "at least ");
    assert_non_null(text);
    assert_int_equal(sscanf(text, "at least %d MiB", &least), 1);
    ic_graph_free(graph);
    ic_context_free(context);
    return (size_t)least << 20;
}

static void same_bits(const trace *a, const trace *b)
{
    assert_memory_equal(a->logits, b->logits, (size_t)a->logit_count * sizeof(float));
    assert_memory_equal(a->gradients, b->gradients, (size_t)a->trained * sizeof(float));
    assert_memory_equal(a->parameters, b->parameters, (size_t)a->total * sizeof(float));
}

/* Takes most memory at the gradient of its first layer, where nothing else is left. */
static bool is_shallow(const char *network)
{
    return strcmp(network, "lenet5") == 0 || strcmp(network, "small") == 0;
}

static void check_network(const char *network, ic_shape input, int32_t batch)
{
    static const int32_t threads[] = {1, 1, 2, 3, 7};
    trace whole, limited;
    train(network, input, batch, 1, 0, &whole);
    for (size_t i = 0; i < sizeof threads / sizeof *threads; i++) {
        size_t least = least_memory(network, input, batch, threads[i]);
        size_t limit = i == 0 ? (least + whole.memory) / 2 : least;
        train(network, input, batch, threads[i], limit, &limited);
        assert_true(limited.memory <= limit);
        assert_true(limited.memory < whole.memory || threads[i] > 1 || is_shallow(network));
        same_bits(&whole, &limited);
        free_trace(&limited);
    }
    free_trace(&whole);
}

static void limits_change_no_bit(void **state)
{
    check_network("lenet5", (ic_shape){28, 28, 1}, 16);
    check_network("plain", (ic_shape){28, 28, 1}, 24);
    check_network("small", (ic_shape){28, 28, 1}, 16);
    check_network("resnet9", (ic_shape){16, 16, 3}, 8);
    check_network("resnet18", (ic_shape){48, 48, 3}, 8);
    check_network("mobilenet_v2", (ic_shape){48, 48, 3}, 4);
    check_network("mobilenet_v3_large", (ic_shape){48, 48, 3}, 4);
    check_network("efficientnet_b0", (ic_shape){48, 48, 3}, 4);
}

/* A limit that leaves room enough changes nothing. */
static void large_limits_do_nothing(void **state)
{
    trace whole, limited;
    train("plain", (ic_shape){28, 28, 1}, 4, 2, 0, &whole);
    train("plain", (ic_shape){28, 28, 1}, 4, 2, whole.memory, &limited);
    assert_int_equal(whole.memory, limited.memory);
    free_trace(&limited);
    train("plain", (ic_shape){28, 28, 1}, 4, 2, (size_t)1 << 40, &limited);
    assert_int_equal(whole.memory, limited.memory);
    free_trace(&limited);
    free_trace(&whole);
}

/* ---- Memory ---- */

static ic_status make_deep(ic_context *context, void *payload)
{
    ic_graph *graph = NULL;
    ic_executor *executor = NULL;
    ic_status status = ic_zoo_build(context, "resnet9", (ic_shape){8, 8, 3}, 10, &graph);
    if (status == IC_OK)
        status =
            ic_executor_create_training(context, graph, 4, NULL, *(size_t *)payload, &executor);
    ic_executor_free(executor);
    ic_graph_free(graph);
    return status;
}

static void out_of_memory(void **state)
{
    size_t limit = least_memory("resnet9", (ic_shape){8, 8, 3}, 4, 1);
    assert_true(test_fail_each_allocation(make_deep, &limit) > 100);
}

static void count_lines(int32_t level, const char *message, void *payload)
{
    *(int *)payload += strstr(message, "the backward pass computes ") != NULL;
}

static void steady_steps_allocate_nothing(void **state)
{
    test_allocator allocator = {0};
    int lines = 0;
    ic_context *context = test_context_with(&allocator, 2);
    size_t limit = least_memory("plain", (ic_shape){28, 28, 1}, 32, 2);
    ic_graph *graph = NULL;
    ic_executor *executor = NULL;
    assert_ok(ic_zoo_build(context, "plain", (ic_shape){28, 28, 1}, 10, &graph));
    assert_ok(ic_context_set_log(context, count_lines, &lines));
    assert_ok(ic_executor_create_training(context, graph, 32, NULL, limit, &executor));
    assert_int_equal(lines, 1);
    float *parameters = zeroed(ic_graph_parameter_sizes(graph).total);
    float *gradients = zeroed(ic_graph_parameter_sizes(graph).trained);
    int64_t calls = allocator.calls;
    for (uint64_t step = 0; step < 3; step++) {
        assert_ok(ic_executor_forward(executor, parameters, 1, step));
        assert_ok(ic_executor_backward(executor, parameters, gradients));
    }
    assert_int_equal(allocator.calls, calls);
    free(parameters);
    free(gradients);
    ic_executor_free(executor);
    ic_graph_free(graph);
    ic_context_free(context);
    assert_int_equal(allocator.live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limits_change_no_bit),
        cmocka_unit_test(large_limits_do_nothing),
        cmocka_unit_test(out_of_memory),
        cmocka_unit_test(steady_steps_allocate_nothing),
    };
    return cmocka_run_group_tests_name("graph/recompute", tests, NULL, NULL);
}

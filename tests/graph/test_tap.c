/*
 * graph/test_tap.c: tapped networks: the bits of their logits, and what they tell besides.
 * SPDX-License-Identifier: MIT
 */
#include "rig.h"

#include "zoo/zoo.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CLASSES = 10, BATCH = 5 };

typedef struct tapped {
    ic_context *context;
    ic_graph *plain, *graph;
    ic_taps taps;
    ic_weights *weights;
    float *parameters, *pictures;
    size_t size; /* floats of a picture */
} tapped;

static tapped make(const char *network, int32_t side, int32_t channels, int32_t threads)
{
    tapped t = {.context = test_context(threads)};
    test_numbers numbers = {.state = 7};
    t.size = (size_t)side * (size_t)side * (size_t)channels;
    assert_ok(
        ic_zoo_build(t.context, network, (ic_shape){side, side, channels}, CLASSES, &t.plain));
    size_t total = (size_t)ic_graph_parameter_sizes(t.plain).total;
    t.parameters = calloc(total, sizeof(float));
    ic_zoo_initialise(NULL, network, t.plain, 3, t.parameters);
    assert_ok(ic_weights_create(t.context, t.plain, t.parameters, &t.weights));
    assert_ok(ic_graph_tap(t.plain, &t.taps, &t.graph));
    t.pictures = malloc(BATCH * t.size * sizeof(float));
    numbers_fill_unit(&numbers, t.pictures, (int64_t)(BATCH * t.size));
    return t;
}

static void unmake(tapped *t)
{
    ic_weights_free(t->weights);
    ic_graph_free(t->plain);
    ic_graph_free(t->graph);
    ic_context_free(t->context);
    free(t->parameters);
    free(t->pictures);
}

/* The outputs of the pictures, `batch` of them at once (to be freed). */
static float *run(const tapped *t, const ic_graph *graph, int32_t batch)
{
    ic_executor *executor;
    size_t width = (size_t)ic_graph_classes(graph);
    float *out = malloc(BATCH * width * sizeof *out);
    assert_ok(ic_executor_create(t->context, graph, batch, IC_INFERENCE, &executor));
    for (int32_t first = 0; first < BATCH; first += batch) {
        memcpy(ic_executor_input(executor), t->pictures + (size_t)first * t->size,
               (size_t)batch * t->size * sizeof(float));
        assert_ok(ic_executor_infer(executor, t->weights, batch));
        memcpy(out + (size_t)first * width, ic_executor_logits(executor),
               (size_t)batch * width * sizeof *out);
    }
    ic_executor_free(executor);
    return out;
}

static const struct {
    const char *name;
    int32_t side, channels, stages, features;
} networks[] = {
    {"lenet5", 28, 1, 3, 84},
    {"plain", 20, 1, 3, 128},
    {"small", 32, 3, 3, 128},
    {"airbench94", 32, 3, 4, 256},
    {"resnet9", 32, 3, 5, 512},
    {"resnet18", 40, 3, 5, 512},
    {"mobilenet_v2", 64, 3, 5, 1280},
    {"mobilenet_v3_large", 64, 3, 6, 1280},
    {"efficientnet_b0", 72, 3, 5, 1280},
};
enum { NETWORKS = sizeof networks / sizeof *networks };

static void logits_keep_their_bits(void **state)
{
    for (size_t n = 0; n < NETWORKS; n++) {
        tapped t = make(networks[n].name, networks[n].side, networks[n].channels, 2);
        float *plain = run(&t, t.plain, BATCH), *told = run(&t, t.graph, BATCH);
        float *single = run(&t, t.graph, 1);
        size_t width = (size_t)ic_graph_classes(t.graph);
        assert_int_equal(ic_graph_logits(t.graph), CLASSES);
        assert_int_equal(ic_graph_logits(t.plain), CLASSES);
        for (size_t i = 0; i < BATCH; i++)
            assert_memory_equal(plain + i * CLASSES, told + i * width, CLASSES * sizeof *plain);
        assert_memory_equal(told, single, BATCH * width * sizeof *told);
        free(plain);
        free(told);
        free(single);
        unmake(&t);
    }
}

static void tells_of_each_size_of_maps_and_of_the_last_layer(void **state)
{
    for (size_t n = 0; n < NETWORKS; n++) {
        tapped t = make(networks[n].name, networks[n].side, networks[n].channels, 1);
        int32_t sum = CLASSES;
        for (int32_t i = 0; i < t.taps.count; i++)
            sum += t.taps.channels[i];
        assert_int_equal(sum, ic_graph_classes(t.graph));
        assert_int_equal(t.taps.count, networks[n].stages);
        assert_int_equal(t.taps.channels[t.taps.count - 1], networks[n].features);
        unmake(&t);
    }
}

/* The features are what the last layer weighs: the logits can be made from them. */
static void features_give_the_logits(void **state)
{
    tapped t = make("resnet18", 40, 3, 3);
    float *told = run(&t, t.graph, BATCH);
    int32_t width = ic_graph_classes(t.graph), count = t.taps.channels[t.taps.count - 1];
    const ic_parameter *weight = NULL, *bias = NULL;
    for (int32_t i = 0; i < ic_graph_parameter_count(t.plain); i++) {
        const ic_parameter *p = ic_graph_parameter(t.plain, i);
        weight = strcmp(p->name, "fc.weight") == 0 ? p : weight;
        bias = strcmp(p->name, "fc.bias") == 0 ? p : bias;
    }
    for (int32_t i = 0; i < BATCH; i++)
        for (int32_t k = 0; k < CLASSES; k++) {
            const float *features = told + (i + 1) * width - count;
            double sum = (double)t.parameters[bias->offset + k];
            for (int32_t c = 0; c < count; c++)
                sum += (double)features[c] * (double)t.parameters[weight->offset + k * count + c];
            assert_true(fabs(sum - (double)told[i * width + k]) < 1e-4);
        }
    free(told);
    unmake(&t);
}

static void threads_do_not_show(void **state)
{
    tapped one = make("resnet9", 32, 3, 1), three = make("resnet9", 32, 3, 3);
    float *a = run(&one, one.graph, BATCH), *b = run(&three, three.graph, BATCH);
    assert_memory_equal(a, b, BATCH * (size_t)ic_graph_classes(one.graph) * sizeof *a);
    free(a);
    free(b);
    unmake(&one);
    unmake(&three);
}

static void wants_a_linear_layer_at_the_end(void **state)
{
    ic_context *context = test_context(1);
    ic_graph *graph, *out = NULL;
    ic_taps taps = {.count = 77};
    assert_ok(ic_graph_create(context, (ic_shape){8, 8, 3}, &graph));
    assert_ok(ic_graph_finish(graph, ic_graph_global_pool(graph, ic_graph_input(graph))));
    assert_fails(IC_ERROR_UNSUPPORTED, "linear layer", ic_graph_tap(graph, &taps, &out));
    assert_true(out == NULL && taps.count == 77);
    ic_graph_free(graph);
    ic_context_free(context);
}

/* Weights of another network of the same shape are still refused. */
static void takes_no_other_weights(void **state)
{
    tapped t = make("lenet5", 28, 1, 1), other = make("lenet5", 28, 1, 1);
    ic_executor *executor;
    assert_ok(ic_executor_create(t.context, t.graph, 1, IC_INFERENCE, &executor));
    assert_fails(IC_ERROR_ARGUMENT, "another network",
                 ic_executor_infer(executor, other.weights, 1));
    ic_executor_free(executor);
    unmake(&t);
    unmake(&other);
}

static ic_status tap_once(ic_context *context, void *payload)
{
    ic_graph *graph = NULL, *out = NULL;
    ic_taps taps;
    ic_status status = ic_zoo_build(context, "plain", (ic_shape){12, 12, 1}, 3, &graph);
    if (status >= 0)
        status = ic_graph_tap(graph, &taps, &out);
    ic_graph_free(out);
    ic_graph_free(graph);
    return status;
}

static void each_allocation_may_fail(void **state)
{
    assert_true(test_fail_each_allocation(tap_once, NULL) > 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(logits_keep_their_bits),
        cmocka_unit_test(tells_of_each_size_of_maps_and_of_the_last_layer),
        cmocka_unit_test(features_give_the_logits),
        cmocka_unit_test(threads_do_not_show),
        cmocka_unit_test(wants_a_linear_layer_at_the_end),
        cmocka_unit_test(takes_no_other_weights),
        cmocka_unit_test(each_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

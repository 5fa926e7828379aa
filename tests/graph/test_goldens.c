/*
 * graph/test_goldens.c: the stock networks against PyTorch. SPDX-License-Identifier: MIT
 *
 * goldens/NETWORK.json is what PyTorch computes in float64 (tests/tools/goldens.py, which says what
 * is in it) from weights and pictures that both sides make from the same hash. Each tensor must
 * agree within the relative L2 error of its kind, measured on the sampled values and on the norm.
 */
#include "rig.h"
#include "support/hashed.h"
#include "support/hashed_parameters.h"

#include "base/file.h"
#include "base/json.h"
#include "graph/node.h"
#include "zoo/zoo.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double VALUE_ERROR = 1e-4, GRADIENT_ERROR = 1e-3;

/* ---- Pictures, as in goldens.py ---- */

static void fill_input(ic_executor *executor)
{
    ic_shape shape = ic_graph_input_shape(ic_executor_graph(executor));
    int64_t count = (int64_t)ic_executor_batch(executor) * shape.h * shape.w * shape.c;
    uint64_t hash = name_hash("", "input");
    for (int64_t i = 0; i < count; i++)
        ic_executor_input(executor)[i] = (float)value_at(hash, i);
}

/* ---- Comparing ---- */

/* Values in memory; where shape.h > 0, maps of [c][h][w] that the golden has as [h][w][c]. */
typedef struct found {
    const float *values;
    int64_t count;
    ic_shape shape;
} found;

static double found_at(const found *f, int64_t i)
{
    if (f->shape.h == 0)
        return (double)f->values[i];
    int64_t c = f->shape.c, pixels = (int64_t)f->shape.h * f->shape.w;
    int64_t picture = i / (c * pixels), pixel = i / c % pixels;
    return (double)f->values[(picture * c + i % c) * pixels + pixel];
}

static void compare(const char *network, const char *kind, const char *name, const json_t *golden,
                    const found *f, double tolerance)
{
    const json_t *values = json_object_get(golden, "values");
    uint64_t hash = name_hash("sample:", name);
    double norm = 0, difference = 0, size = 0;
    for (int64_t i = 0; i < f->count; i++)
        norm += (double)f->values[i] * (double)f->values[i];
    norm = sqrt(norm);
    double wanted_norm = json_number_value(json_object_get(golden, "norm"));
    size_t samples = json_array_size(values);
    assert_true(samples > 0);
    for (size_t i = 0; i < samples; i++) {
        double wanted = json_number_value(json_array_get(values, i));
        double got = found_at(f, (int64_t)(bits_at(hash, (int64_t)i) % (uint64_t)f->count));
        difference += (got - wanted) * (got - wanted);
        size += wanted * wanted;
    }
    /*
     * A sample that happens to be small is measured against the tensor's mean size, and a gradient
     * that is zero in exact arithmetic (a shift that a later norm takes out) against 1e-3.
     */
    double scale = fmax(wanted_norm, 1e-3);
    double mean_size = scale * sqrt((double)samples / (double)f->count);
    double error = sqrt(difference) / fmax(sqrt(size), mean_size);
    double norm_error = fabs(norm - wanted_norm) / scale;
    if (!(error <= tolerance && norm_error <= tolerance))
        fail_msg("%s: %s of %s: relative error %.2e of samples, %.2e of the norm; limit %.0e",
                 network, kind, name, error, norm_error, tolerance);
}

/* ---- One network ---- */

static json_t *read_golden(ic_context *context, const char *network)
{
    char path[1024];
    ic_buffer text = {0};
    json_t *golden = NULL;
    snprintf(path, sizeof path, "%s/%s.json", GOLDENS, network);
    text.context = context;
    assert_ok(ic_file_read(context, path, 1 << 20, &text));
    assert_ok(ic_json_parse((const char *)text.bytes, text.size, path, &golden));
    ic_buffer_free(&text);
    return golden;
}

/* The network without dropout, which no two libraries draw alike. */
static ic_graph *build(ic_context *context, const json_t *golden)
{
    int32_t size = (int32_t)json_integer_value(json_object_get(golden, "size"));
    int32_t channels = (int32_t)json_integer_value(json_object_get(golden, "channels"));
    const char *network = json_string_value(json_object_get(golden, "network"));
    ic_graph *stock = NULL, *graph = NULL;
    json_t *json = NULL;
    assert_ok(ic_zoo_build(context, network, (ic_shape){size, size, channels}, 10, &stock));
    assert_ok(ic_graph_to_json(stock, &json));
    size_t index;
    json_t *node;
    json_array_foreach(json_object_get(json, "nodes"), index,
                       node) if (json_object_get(node, "probability") != NULL)
        json_object_set_new(node, "probability", json_real(0));
    assert_ok(ic_graph_from_json(context, json, &graph));
    json_decref(json);
    ic_graph_free(stock);
    return graph;
}

/* The first nodes of a network, up to `last`, flattened into logits. */
static ic_graph *cut(ic_context *context, const ic_graph *whole, int32_t last)
{
    json_t *json = NULL;
    ic_graph *graph = NULL;
    assert_ok(ic_graph_to_json(whole, &json));
    json_t *nodes = json_object_get(json, "nodes");
    while ((int32_t)json_array_size(nodes) > last)
        json_array_remove(nodes, json_array_size(nodes) - 1);
    json_array_append_new(nodes, json_pack("{s:s,s:[i]}", "op", "flatten", "inputs", (int)last));
    assert_ok(ic_graph_from_json(context, json, &graph));
    json_decref(json);
    return graph;
}

static float *new_parameters(const ic_graph *graph)
{
    float *parameters = calloc((size_t)ic_graph_parameter_sizes(graph).total, sizeof *parameters);
    assert_non_null(parameters);
    hashed_parameters(graph, parameters);
    return parameters;
}

/* Runs inference; the executor is for the caller to read and free. */
static ic_executor *infer(ic_context *context, const ic_graph *graph, int32_t batch)
{
    ic_executor *executor = NULL;
    ic_weights *weights = NULL;
    float *parameters = new_parameters(graph);
    assert_ok(ic_weights_create(context, graph, parameters, &weights));
    assert_ok(ic_executor_create(context, graph, batch, IC_INFERENCE, &executor));
    fill_input(executor);
    assert_ok(ic_executor_infer(executor, weights, batch));
    ic_weights_free(weights);
    free(parameters);
    return executor;
}

static void check_inference(ic_context *context, const ic_graph *graph, const json_t *golden,
                            const char *network, int32_t batch)
{
    ic_executor *executor = infer(context, graph, batch);
    const json_t *logits = json_object_get(golden, "logits");
    double difference = 0, size = 0;
    for (size_t i = 0; i < json_array_size(logits); i++) {
        double wanted = json_number_value(json_array_get(logits, i));
        double got = (double)ic_executor_logits(executor)[i];
        difference += (got - wanted) * (got - wanted);
        size += wanted * wanted;
    }
    assert_int_equal(json_array_size(logits), batch * 10);
    if (!(sqrt(difference / size) <= VALUE_ERROR))
        fail_msg("%s: logits: relative error %.2e", network, sqrt(difference / size));
    ic_executor_free(executor);
}

static void check_layers(ic_context *context, const ic_graph *graph, const json_t *golden,
                         const char *network, int32_t batch)
{
    size_t index;
    const json_t *layer;
    json_array_foreach(json_object_get(golden, "layers"), index, layer)
    {
        int32_t node = (int32_t)json_integer_value(json_object_get(layer, "node"));
        ic_graph *part = cut(context, graph, node);
        ic_executor *executor = infer(context, part, batch);
        char name[32];
        snprintf(name, sizeof name, "layer:%d", node);
        found f = {.values = ic_executor_logits(executor),
                   .count = (int64_t)batch * ic_graph_classes(part),
                   .shape = graph->nodes[node].shape};
        compare(network, "values", name, layer, &f, VALUE_ERROR);
        ic_executor_free(executor);
        ic_graph_free(part);
    }
}

/* Mean cross-entropy, and its gradient, in plain double. */
static double cross_entropy(ic_executor *executor, int32_t batch)
{
    const float *logits = ic_executor_logits(executor);
    float *gradients = ic_executor_logit_gradients(executor);
    double loss = 0;
    for (int32_t i = 0; i < batch; i++, logits += 10, gradients += 10) {
        int32_t label = i * 7 % 10;
        double sum = 0;
        for (int32_t k = 0; k < 10; k++)
            sum += exp((double)logits[k]);
        loss += (log(sum) - (double)logits[label]) / batch;
        for (int32_t k = 0; k < 10; k++)
            gradients[k] = (float)((exp((double)logits[k]) / sum - (k == label)) / batch);
    }
    return loss;
}

static void check_step(ic_context *context, const ic_graph *graph, const json_t *golden,
                       const char *network, int32_t batch)
{
    ic_executor *executor = NULL;
    ic_parameter_sizes sizes = ic_graph_parameter_sizes(graph);
    float *parameters = new_parameters(graph);
    float *gradients = calloc((size_t)sizes.trained, sizeof *gradients);
    float *velocity = calloc((size_t)sizes.trained, sizeof *velocity);
    assert_non_null(gradients);
    assert_non_null(velocity);
    assert_ok(ic_executor_create(context, graph, batch, IC_TRAINING, &executor));
    fill_input(executor);
    assert_ok(ic_executor_forward(executor, parameters, 0, 0));
    double loss = cross_entropy(executor, batch);
    double wanted = json_number_value(json_object_get(golden, "loss"));
    if (!(fabs(loss - wanted) <= VALUE_ERROR * wanted))
        fail_msg("%s: the loss is %.8f, PyTorch's %.8f", network, loss, wanted);
    assert_ok(ic_executor_backward(executor, parameters, gradients));
    const ic_kernels *kernels = ic_kernels_at(IC_CPU_C);
    kernels->sgd(sizes.trained, 0.005f, 0.9f, 0, gradients, velocity, parameters);
    for (int32_t i = 0; i < ic_graph_parameter_count(graph); i++) {
        const ic_parameter *p = ic_graph_parameter(graph, i);
        const json_t *gradient = json_object_get(json_object_get(golden, "gradients"), p->name);
        const json_t *stepped = json_object_get(json_object_get(golden, "stepped"), p->name);
        found after = {.values = parameters + p->offset, .count = p->count};
        found slope = {.values = gradients + p->offset, .count = p->count};
        assert_non_null(stepped);
        compare(network, "value after the step", p->name, stepped, &after, VALUE_ERROR);
        if (p->role == IC_ROLE_STATISTIC)
            continue;
        assert_non_null(gradient);
        compare(network, "gradient", p->name, gradient, &slope, GRADIENT_ERROR);
    }
    ic_executor_free(executor);
    free(parameters);
    free(gradients);
    free(velocity);
}

static void check_network(void **state)
{
    const char *network = *state;
    ic_context *context = test_context(0);
    json_t *golden = read_golden(context, network);
    int32_t batch = (int32_t)json_integer_value(json_object_get(golden, "batch"));
    ic_graph *graph = build(context, golden);
    check_inference(context, graph, golden, network, batch);
    check_layers(context, graph, golden, network, batch);
    check_step(context, graph, golden, network, batch);
    json_decref(golden);
    ic_graph_free(graph);
    ic_context_free(context);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        {"lenet5", check_network, NULL, NULL, "lenet5"},
        {"plain", check_network, NULL, NULL, "plain"},
        {"resnet9", check_network, NULL, NULL, "resnet9"},
        {"airbench94", check_network, NULL, NULL, "airbench94"},
        {"resnet18", check_network, NULL, NULL, "resnet18"},
        {"mobilenet_v2", check_network, NULL, NULL, "mobilenet_v2"},
        {"mobilenet_v3_large", check_network, NULL, NULL, "mobilenet_v3_large"},
        {"efficientnet_b0", check_network, NULL, NULL, "efficientnet_b0"},
    };
    return cmocka_run_group_tests_name("graph/goldens", tests, NULL, NULL);
}

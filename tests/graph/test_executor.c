/*
 * graph/test_executor.c: the same bits for any number of threads and any batch, dropout,
 * statistics, errors, memory. SPDX-License-Identifier: MIT
 */
#include "rig.h"

#include "graph/profile.h"
#include "zoo/zoo.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- Threads ---- */

typedef struct trained {
    float *parameters, *gradients;
    ic_parameter_sizes sizes;
} trained;

/* Two steps of training and what they leave. */
static trained train(const char *name, int32_t size, int32_t channels, int32_t batch,
                     int32_t threads)
{
    ic_context *context = test_context(threads);
    ic_graph *graph = zoo(context, name, size, channels);
    ic_executor *executor = NULL;
    trained t = {.sizes = ic_graph_parameter_sizes(graph)};
    test_numbers numbers = {.state = 3};
    t.parameters = zeroed(t.sizes.total);
    t.gradients = zeroed(t.sizes.trained);
    ic_graph_initialise(NULL, graph, 5, t.parameters);
    assert_ok(ic_executor_create(context, graph, batch, IC_TRAINING, &executor));
    for (uint64_t step = 0; step < 2; step++) {
        numbers_fill_unit(&numbers, ic_executor_input(executor),
                          (int64_t)batch * size * size * channels);
        assert_ok(ic_executor_forward(executor, t.parameters, 1, step));
        numbers_fill_unit(&numbers, ic_executor_logit_gradients(executor), (int64_t)batch * 10);
        assert_ok(ic_executor_backward(executor, t.parameters, t.gradients));
        for (int64_t i = 0; i < t.sizes.trained; i++)
            t.parameters[i] -= 0.01f * t.gradients[i];
    }
    ic_executor_free(executor);
    ic_graph_free(graph);
    ic_context_free(context);
    return t;
}

static void free_trained(trained *t)
{
    free(t->parameters);
    free(t->gradients);
}

static void threads_do_not_show(void **state)
{
    static const struct {
        const char *name;
        int32_t size, channels, batch;
    } cases[] = {
        {"lenet5", 28, 1, 33},         {"plain", 20, 1, 5},        {"resnet9", 16, 3, 3},
        {"resnet18", 40, 3, 2},        {"mobilenet_v2", 40, 3, 2}, {"mobilenet_v3_large", 48, 3, 3},
        {"efficientnet_b0", 72, 3, 3},
    };
    static const int32_t threads[] = {2, 3, 7};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        trained one = train(cases[i].name, cases[i].size, cases[i].channels, cases[i].batch, 1);
        for (size_t j = 0; j < sizeof threads / sizeof *threads; j++) {
            trained many =
                train(cases[i].name, cases[i].size, cases[i].channels, cases[i].batch, threads[j]);
            assert_memory_equal(one.parameters, many.parameters,
                                (size_t)one.sizes.total * sizeof(float));
            assert_memory_equal(one.gradients, many.gradients,
                                (size_t)one.sizes.trained * sizeof(float));
            free_trained(&many);
        }
        for (int64_t i2 = 0; i2 < one.sizes.total; i2++)
            assert_true(isfinite(one.parameters[i2]));
        free_trained(&one);
    }
}

/* ---- Batches ---- */

enum { PICTURES = 7 };

/* The logits of PICTURES pictures, computed `batch` at a time. */
static void infer_all(ic_context *context, const ic_graph *graph, const ic_weights *weights,
                      const float *pictures, int64_t each, int32_t batch, float *logits)
{
    ic_executor *executor = NULL;
    assert_ok(ic_executor_create(context, graph, batch, IC_INFERENCE, &executor));
    for (int32_t first = 0; first < PICTURES; first += batch) {
        int32_t count = PICTURES - first < batch ? PICTURES - first : batch;
        memcpy(ic_executor_input(executor), pictures + first * each,
               (size_t)(count * each) * sizeof(float));
        assert_ok(ic_executor_infer(executor, weights, count));
        memcpy(logits + first * 10, ic_executor_logits(executor),
               (size_t)count * 10 * sizeof(float));
    }
    ic_executor_free(executor);
}

static void check_batches(const char *name, int32_t size, int32_t channels)
{
    static const int32_t batches[] = {2, 3, 5, 7, 16};
    ic_context *context = test_context(2);
    ic_graph *graph = zoo(context, name, size, channels);
    ic_weights *weights = NULL;
    int64_t each = (int64_t)size * size * channels;
    float *parameters = zeroed(ic_graph_parameter_sizes(graph).total);
    float *pictures = zeroed(PICTURES * each), one[PICTURES * 10], many[PICTURES * 10];
    test_numbers numbers = {.state = 8};
    ic_graph_initialise(NULL, graph, 2, parameters);
    numbers_fill_unit(&numbers, pictures, PICTURES * each);
    assert_ok(ic_weights_create(context, graph, parameters, &weights));
    infer_all(context, graph, weights, pictures, each, 1, one);
    for (size_t i = 0; i < sizeof batches / sizeof *batches; i++) {
        infer_all(context, graph, weights, pictures, each, batches[i], many);
        assert_memory_equal(one, many, sizeof one);
    }
    assert_true(memcmp(one, one + 10, 10 * sizeof *one) != 0);
    free(parameters);
    free(pictures);
    ic_weights_free(weights);
    ic_graph_free(graph);
    ic_context_free(context);
}

/* At 224 pixels a group is one picture: the last of seven is spread over the threads. */
static void groups_do_not_show(void **state)
{
    check_batches("mobilenet_v2", 224, 3);
}

static void batches_do_not_show(void **state)
{
    check_batches("lenet5", 28, 1);
    check_batches("plain", 23, 1);
    check_batches("resnet9", 16, 3);
    check_batches("resnet18", 48, 3);
    check_batches("mobilenet_v2", 48, 3);
    check_batches("mobilenet_v3_large", 48, 3);
    check_batches("efficientnet_b0", 48, 3);
}

/* ---- Dropout ---- */

static void dropout(void **state)
{
    enum { COUNT = 20000 };
    ic_context *context = test_context(1);
    ic_graph *graph = NULL;
    test_rig rig;
    assert_ok(ic_graph_create(context, (ic_shape){1, 1, COUNT}, &graph));
    assert_ok(ic_graph_finish(graph, ic_graph_dropout(graph, 0, 0.25f)));
    rig_open(&rig, graph, 1);
    float *ones = zeroed(COUNT), *first = zeroed(COUNT);
    for (int32_t i = 0; i < COUNT; i++)
        ones[i] = ic_executor_input(rig.executor)[i] = 1;
    assert_ok(ic_executor_forward(rig.executor, rig.parameters, 1, 0));
    memcpy(first, ic_executor_logits(rig.executor), COUNT * sizeof *first);
    int32_t kept = 0;
    for (int32_t i = 0; i < COUNT; i++) {
        kept += first[i] != 0;
        assert_true(first[i] == 0 || first[i] == (float)(1 / 0.75));
    }
    assert_true(kept > 0.73 * COUNT && kept < 0.77 * COUNT);
    rig_backward(&rig, ones); /* the same places */
    assert_memory_equal(ic_executor_input_gradients(rig.executor), first, COUNT * sizeof *first);
    assert_ok(ic_executor_forward(rig.executor, rig.parameters, 1, 1));
    assert_true(memcmp(ic_executor_logits(rig.executor), first, COUNT * sizeof *first) != 0);
    assert_ok(ic_executor_forward(rig.executor, rig.parameters, 2, 0));
    assert_true(memcmp(ic_executor_logits(rig.executor), first, COUNT * sizeof *first) != 0);
    assert_ok(ic_executor_forward(rig.executor, rig.parameters, 1, 0));
    assert_memory_equal(ic_executor_logits(rig.executor), first, COUNT * sizeof *first);
    free(ones);
    free(first);
    rig_close(&rig);
    ic_context_free(context);
}

/* Whole pictures are left out, a quarter of them; what stays is divided by three quarters. */
static void stochastic_depth(void **state)
{
    enum { BATCH = 4000, EACH = 2 * 3 * 5, COUNT = BATCH * EACH };
    ic_context *context = test_context(1);
    ic_graph *graph = NULL;
    test_rig rig;
    assert_ok(ic_graph_create(context, (ic_shape){2, 3, 5}, &graph));
    ic_node y = ic_graph_stochastic_depth(graph, ic_graph_stochastic_depth(graph, 0, 0.25), 0);
    assert_ok(ic_graph_finish(graph, ic_graph_flatten(graph, y)));
    rig_open(&rig, graph, BATCH);
    float *ones = zeroed(COUNT), *first = zeroed(COUNT);
    for (int32_t i = 0; i < COUNT; i++)
        ones[i] = ic_executor_input(rig.executor)[i] = 1;
    assert_ok(ic_executor_forward(rig.executor, rig.parameters, 1, 0));
    memcpy(first, ic_executor_logits(rig.executor), COUNT * sizeof *first);
    int32_t kept = 0;
    for (int32_t i = 0; i < COUNT; i++) {
        kept += first[i] != 0;
        assert_true(first[i] == 0 || first[i] == (float)(1 / 0.75));
        assert_true(first[i] == first[i - i % EACH]);
    }
    assert_true(kept > 0.72 * COUNT && kept < 0.78 * COUNT);
    rig_backward(&rig, ones); /* the same pictures */
    assert_memory_equal(ic_executor_input_gradients(rig.executor), first, COUNT * sizeof *first);
    assert_ok(ic_executor_forward(rig.executor, rig.parameters, 1, 1));
    assert_true(memcmp(ic_executor_logits(rig.executor), first, COUNT * sizeof *first) != 0);
    assert_ok(ic_executor_forward(rig.executor, rig.parameters, 2, 0));
    assert_true(memcmp(ic_executor_logits(rig.executor), first, COUNT * sizeof *first) != 0);
    free(ones);
    free(first);
    rig_close(&rig);
    ic_context_free(context);
}

/* ---- Norms ---- */

/* Channel values 1..4 over four pictures: mean 2.5, variance 1.25, unbiased 5/3. */
static void running_statistics(void **state)
{
    ic_context *context = test_context(1);
    ic_graph *graph = NULL;
    test_rig rig;
    assert_ok(ic_graph_create(context, (ic_shape){1, 1, 1}, &graph));
    assert_ok(ic_graph_finish(graph, ic_graph_batch_norm(graph, "n", 0)));
    rig_open(&rig, graph, 4);
    ic_graph_initialise(NULL, graph, 1, rig.parameters);
    for (int32_t i = 0; i < 4; i++)
        ic_executor_input(rig.executor)[i] = (float)(i + 1);
    rig_forward(&rig);
    for (int32_t i = 0; i < 4; i++)
        assert_float_equal(ic_executor_logits(rig.executor)[i], (i - 1.5) / sqrt(1.25 + 1e-5),
                           1e-6);
    const float *mean = rig.parameters + ic_graph_parameter(graph, 2)->offset;
    const float *var = rig.parameters + ic_graph_parameter(graph, 3)->offset;
    assert_float_equal(*mean, 0.25, 1e-7);
    assert_float_equal(*var, 0.9 + 0.1 * 5 / 3, 1e-6);

    ic_weights *weights = NULL;
    ic_executor *executor = NULL;
    assert_ok(ic_weights_create(rig.context, graph, rig.parameters, &weights));
    assert_ok(ic_executor_create(rig.context, graph, 1, IC_INFERENCE, &executor));
    *ic_executor_input(executor) = 3;
    assert_ok(ic_executor_infer(executor, weights, 1));
    assert_float_equal(*ic_executor_logits(executor), (3 - *mean) / sqrt(*var + 1e-5), 1e-6);
    ic_executor_free(executor);
    ic_weights_free(weights);
    rig_close(&rig);
    ic_context_free(context);
}

/* ---- Errors ---- */

static void wrong_calls(void **state)
{
    ic_context *context = test_context(1);
    ic_graph *graph = zoo(context, "lenet5", 28, 1), *other = zoo(context, "lenet5", 28, 1);
    ic_graph *open = NULL;
    ic_executor *executor = NULL, *training = NULL;
    ic_weights *weights = NULL, *foreign = NULL;
    float *parameters = zeroed(ic_graph_parameter_sizes(graph).total);
    assert_ok(ic_graph_create(context, (ic_shape){3, 3, 3}, &open));
    assert_fails(IC_ERROR_ARGUMENT, "batch of 0",
                 ic_executor_create(context, graph, 0, IC_INFERENCE, &executor));
    assert_fails(IC_ERROR_ARGUMENT, "batch of 65537",
                 ic_executor_create(context, graph, 65537, IC_INFERENCE, &executor));
    assert_fails(IC_ERROR_ARGUMENT, "finished graph",
                 ic_executor_create(context, open, 1, IC_INFERENCE, &executor));
    assert_fails(IC_ERROR_ARGUMENT, "NULL", ic_weights_create(context, graph, NULL, &weights));
    assert_null(executor);
    assert_ok(ic_executor_create(context, graph, 4, IC_INFERENCE, &executor));
    assert_ok(ic_executor_create(context, graph, 4, IC_TRAINING, &training));
    assert_ok(ic_weights_create(context, graph, parameters, &weights));
    assert_ok(ic_weights_create(context, other, parameters, &foreign));
    assert_fails(IC_ERROR_ARGUMENT, "of 0 pictures", ic_executor_infer(executor, weights, 0));
    assert_fails(IC_ERROR_ARGUMENT, "1 to 4", ic_executor_infer(executor, weights, 5));
    assert_fails(IC_ERROR_ARGUMENT, "another network", ic_executor_infer(executor, foreign, 4));
    assert_fails(IC_ERROR_STATE, "for training", ic_executor_infer(training, weights, 4));
    assert_fails(IC_ERROR_STATE, "for inference", ic_executor_forward(executor, parameters, 1, 0));
    assert_fails(IC_ERROR_STATE, "no forward run",
                 ic_executor_backward(training, parameters, parameters));
    assert_fails(IC_ERROR_ARGUMENT, "NULL", ic_executor_forward(training, NULL, 1, 0));
    assert_int_equal(ic_executor_batch(executor), 4);
    assert_ptr_equal(ic_executor_graph(executor), graph);
    assert_true(ic_executor_memory(training) > ic_executor_memory(executor));
    free(parameters);
    ic_graph_free(open);
    ic_graph_free(other);
    ic_graph_free(graph); /* objects keep what they need: any order will do */
    ic_weights_free(ic_weights_retain(weights));
    ic_weights_free(weights);
    ic_weights_free(foreign);
    ic_context_free(context);
    ic_executor_free(executor);
    ic_executor_free(training);
    ic_executor_free(NULL);
    ic_weights_free(NULL);
    ic_graph_free(NULL);
}

/* ---- Memory ---- */

static ic_status whole_life(ic_context *context, void *payload)
{
    ic_graph *graph = NULL;
    ic_executor *training = NULL, *inference = NULL;
    ic_weights *weights = NULL;
    float *parameters = NULL, *gradients = NULL;
    ic_status status = ic_zoo_build(context, payload, (ic_shape){32, 32, 3}, 10, &graph);
    if (status == IC_OK) {
        parameters = zeroed(ic_graph_parameter_sizes(graph).total);
        gradients = zeroed(ic_graph_parameter_sizes(graph).trained);
        ic_graph_initialise(NULL, graph, 1, parameters);
        status = ic_executor_create(context, graph, 2, IC_TRAINING, &training);
    }
    if (status == IC_OK)
        status = ic_weights_create(context, graph, parameters, &weights);
    if (status == IC_OK)
        status = ic_executor_create(context, graph, 2, IC_INFERENCE, &inference);
    if (status == IC_OK)
        status = ic_executor_forward(training, parameters, 1, 0);
    if (status == IC_OK)
        status = ic_executor_backward(training, parameters, gradients);
    if (status == IC_OK)
        status = ic_executor_infer(inference, weights, 2);
    free(parameters);
    free(gradients);
    ic_executor_free(training);
    ic_executor_free(inference);
    ic_weights_free(weights);
    ic_graph_free(graph);
    return status;
}

static void out_of_memory(void **state)
{
    assert_true(test_fail_each_allocation(whole_life, "lenet5") > 20);
}

static void steady_steps_allocate_nothing(void **state)
{
    test_allocator allocator = {0};
    ic_context *context = test_context_with(&allocator, 2);
    ic_graph *graph = zoo(context, "resnet9", 16, 3);
    ic_executor *training = NULL, *inference = NULL;
    ic_weights *weights = NULL;
    float *parameters = zeroed(ic_graph_parameter_sizes(graph).total);
    float *gradients = zeroed(ic_graph_parameter_sizes(graph).trained);
    ic_graph_initialise(NULL, graph, 1, parameters);
    assert_ok(ic_executor_create(context, graph, 2, IC_TRAINING, &training));
    assert_ok(ic_executor_create(context, graph, 2, IC_INFERENCE, &inference));
    assert_ok(ic_weights_create(context, graph, parameters, &weights));
    int64_t calls = allocator.calls;
    for (uint64_t step = 0; step < 3; step++) {
        assert_ok(ic_executor_forward(training, parameters, 1, step));
        assert_ok(ic_executor_backward(training, parameters, gradients));
        assert_ok(ic_executor_infer(inference, weights, 2));
    }
    assert_int_equal(allocator.calls, calls);
    free(parameters);
    free(gradients);
    ic_executor_free(training);
    ic_executor_free(inference);
    ic_weights_free(weights);
    ic_graph_free(graph);
    ic_context_free(context);
    assert_int_equal(allocator.live, 0);
}

/* Training, and validation in its memory: the bits of an executor of its own. */
static void works_beside_another(void **state)
{
    test_allocator allocator = {0};
    ic_context *context = test_context_with(&allocator, 2);
    ic_graph *graph = zoo(context, "plain", 28, 1);
    ic_executor *training = NULL, *alone = NULL, *beside = NULL;
    ic_weights *weights = NULL;
    float *parameters = zeroed(ic_graph_parameter_sizes(graph).total);
    float *gradients = zeroed(ic_graph_parameter_sizes(graph).trained);
    test_numbers numbers = {.state = 4};
    float pictures[2 * 28 * 28], kept[20];
    numbers_fill_unit(&numbers, pictures, 2 * 28 * 28);
    ic_graph_initialise(NULL, graph, 1, parameters);
    assert_ok(ic_weights_create(context, graph, parameters, &weights));
    assert_ok(ic_executor_create(context, graph, 2, IC_TRAINING, &training));
    assert_ok(ic_executor_create(context, graph, 2, IC_INFERENCE, &alone));
    assert_ok(ic_executor_create_beside(training, graph, IC_INFERENCE, &beside));
    float *place = ic_executor_input(beside), *memory = ic_executor_input(training);
    assert_true(place >= memory - ic_executor_memory(training) / sizeof(float) &&
                place < memory + ic_executor_memory(training) / sizeof(float));
    memcpy(ic_executor_input(alone), pictures, sizeof pictures);
    assert_ok(ic_executor_infer(alone, weights, 2));
    memcpy(kept, ic_executor_logits(alone), sizeof kept);
    assert_ok(ic_executor_forward(training, parameters, 1, 0));
    memcpy(ic_executor_input(beside), pictures, sizeof pictures);
    assert_ok(ic_executor_infer(beside, weights, 2));
    assert_memory_equal(kept, ic_executor_logits(beside), sizeof kept);
    assert_fails(IC_ERROR_STATE, "no forward run",
                 ic_executor_backward(training, parameters, gradients));
    free(parameters);
    free(gradients);
    ic_executor_free(beside);
    ic_executor_free(alone);
    ic_executor_free(training);
    ic_weights_free(weights);
    ic_graph_free(graph);
    ic_context_free(context);
    assert_int_equal(allocator.live, 0);
}

static void profile(void **state)
{
    test_rig rig;
    ic_context *context = test_context(1);
    rig_open(&rig, zoo(context, "lenet5", 28, 1), 2);
    int32_t steps = ic_executor_step_count(rig.executor);
    double *seconds = calloc((size_t)steps, sizeof *seconds), sum = 0;
    float g[20] = {0};
    assert_non_null(seconds);
    ic_executor_set_profile(rig.executor, seconds);
    rig_forward(&rig);
    rig_backward(&rig, g);
    bool found = false;
    for (int32_t i = 0; i < steps; i++) {
        const char *kind = NULL, *node = NULL;
        ic_executor_step(rig.executor, i, &kind, &node);
        found = found || (strcmp(kind, "convolution") == 0 && strcmp(node, "conv2") == 0);
        sum += seconds[i];
    }
    assert_true(found);
    assert_true(sum > 0);
    free(seconds);
    rig_close(&rig);
    ic_context_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_do_not_show),
        cmocka_unit_test(batches_do_not_show),
        cmocka_unit_test(groups_do_not_show),
        cmocka_unit_test(dropout),
        cmocka_unit_test(stochastic_depth),
        cmocka_unit_test(running_statistics),
        cmocka_unit_test(wrong_calls),
        cmocka_unit_test(out_of_memory),
        cmocka_unit_test(steady_steps_allocate_nothing),
        cmocka_unit_test(works_beside_another),
        cmocka_unit_test(profile),
    };
    return cmocka_run_group_tests_name("graph/executor", tests, NULL, NULL);
}

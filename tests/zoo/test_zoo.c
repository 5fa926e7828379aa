/* zoo/test_zoo.c: the stock networks: sizes, names, limits. SPDX-License-Identifier: MIT */
#include "support/support.h"

#include "zoo/zoo.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static ic_graph *build(ic_context *context, const char *name, int32_t h, int32_t w, int32_t c,
                       int32_t classes)
{
    ic_graph *graph = NULL;
    assert_ok(ic_zoo_build(context, name, (ic_shape){h, w, c}, classes, &graph));
    assert_int_equal(ic_graph_classes(graph), classes);
    return graph;
}

/* The number of trained values, as torch counts them, and of tensors with the statistics. */
static void check_counts(const char *name, int32_t size, int32_t c, int32_t classes,
                         int64_t trained, int32_t tensors)
{
    ic_context *context = test_context(1);
    ic_graph *graph = build(context, name, size, size, c, classes);
    int64_t count = 0;
    for (int32_t i = 0; i < ic_graph_parameter_count(graph); i++)
        if (ic_graph_parameter(graph, i)->role != IC_ROLE_STATISTIC)
            count += ic_graph_parameter(graph, i)->count;
    assert_int_equal(count, trained);
    assert_int_equal(ic_graph_parameter_count(graph), tensors);
    ic_graph_free(graph);
    ic_context_free(context);
}

static void counts(void **state)
{
    check_counts("lenet5", 28, 1, 10, 61706, 10);
    check_counts("plain", 28, 1, 10, 140458, 5 * 5 + 2);
    check_counts("resnet9", 32, 3, 10, 6573130, 8 * 5 + 2);
    check_counts("resnet18", 224, 3, 1000, 11689512, 20 * 5 + 2);
    check_counts("mobilenet_v2", 224, 3, 1000, 3504872, 52 * 5 + 2);
    check_counts("mobilenet_v3_large", 224, 3, 1000, 5483032, 46 * 5 + 8 * 4 + 4);
    check_counts("efficientnet_b0", 224, 3, 1000, 5288548, 49 * 5 + 16 * 4 + 2);
}

static const ic_parameter *named(const ic_graph *graph, const char *name)
{
    for (int32_t i = 0; i < ic_graph_parameter_count(graph); i++)
        if (strcmp(ic_graph_parameter(graph, i)->name, name) == 0)
            return ic_graph_parameter(graph, i);
    fail_msg("there is no %s", name);
    return NULL;
}

static void assert_tensor(const ic_graph *graph, const char *name, int64_t k, int64_t c, int64_t r)
{
    const ic_parameter *p = named(graph, name);
    assert_int_equal(p->shape[0], k);
    assert_int_equal(p->shape[1], c);
    if (p->rank == 4) {
        assert_int_equal(p->shape[2], r);
        assert_int_equal(p->shape[3], r);
    }
}

/* torchvision's names and shapes, so that its weights can be read as they are. */
static void torchvision_names(void **state)
{
    ic_context *context = test_context(1);
    ic_graph *graph = build(context, "resnet18", 224, 224, 3, 1000);
    assert_tensor(graph, "conv1.weight", 64, 3, 7);
    assert_tensor(graph, "layer1.0.conv2.weight", 64, 64, 3);
    assert_tensor(graph, "layer2.0.downsample.0.weight", 128, 64, 1);
    assert_int_equal(named(graph, "layer4.0.downsample.1.running_var")->count, 512);
    assert_int_equal(named(graph, "layer3.1.bn2.bias")->count, 256);
    assert_tensor(graph, "fc.weight", 1000, 512, 0);
    ic_graph_free(graph);
    graph = build(context, "mobilenet_v2", 224, 224, 3, 1000);
    assert_tensor(graph, "features.0.0.weight", 32, 3, 3);
    assert_tensor(graph, "features.1.conv.0.0.weight", 32, 1, 3);
    assert_tensor(graph, "features.1.conv.1.weight", 16, 32, 1);
    assert_tensor(graph, "features.2.conv.1.0.weight", 96, 1, 3);
    assert_tensor(graph, "features.17.conv.2.weight", 320, 960, 1);
    assert_int_equal(named(graph, "features.17.conv.3.running_mean")->count, 320);
    assert_tensor(graph, "features.18.0.weight", 1280, 320, 1);
    assert_tensor(graph, "classifier.1.weight", 1000, 1280, 0);
    ic_graph_free(graph);
    graph = build(context, "mobilenet_v3_large", 224, 224, 3, 1000);
    assert_tensor(graph, "features.1.block.0.0.weight", 16, 1, 3);
    assert_tensor(graph, "features.4.block.1.0.weight", 72, 1, 5);
    assert_tensor(graph, "features.4.block.2.fc1.weight", 24, 72, 1);
    assert_tensor(graph, "features.15.block.2.fc2.weight", 960, 240, 1);
    assert_int_equal(named(graph, "features.7.block.2.1.running_mean")->count, 80);
    assert_tensor(graph, "features.16.0.weight", 960, 160, 1);
    assert_tensor(graph, "classifier.0.weight", 1280, 960, 0);
    assert_tensor(graph, "classifier.3.weight", 1000, 1280, 0);
    ic_graph_free(graph);
    graph = build(context, "efficientnet_b0", 224, 224, 3, 1000);
    assert_tensor(graph, "features.1.0.block.0.0.weight", 32, 1, 3);
    assert_tensor(graph, "features.1.0.block.1.fc1.weight", 8, 32, 1);
    assert_tensor(graph, "features.2.0.block.2.fc1.weight", 4, 96, 1);
    assert_tensor(graph, "features.6.3.block.1.0.weight", 1152, 1, 5);
    assert_tensor(graph, "features.7.0.block.3.0.weight", 320, 1152, 1);
    assert_int_equal(named(graph, "features.8.1.running_var")->count, 1280);
    assert_tensor(graph, "classifier.1.weight", 1000, 1280, 0);
    ic_graph_free(graph);
    ic_context_free(context);
}

/* Every network takes one and three channels, and sides that are not those of its paper. */
static void odd_inputs(void **state)
{
    static const char *const names[] = {
        "airbench94",         "lenet5",         "plain", "resnet9", "resnet18", "mobilenet_v2",
        "mobilenet_v3_large", "efficientnet_b0"};
    ic_context *context = test_context(1);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        for (int32_t c = 1; c <= 3; c += 2) {
            ic_graph_free(build(context, names[i], 37, 61, c, 2));
            ic_graph_free(build(context, names[i], 129, 96, c, 137));
        }
    ic_context_free(context);
}

/* The first filters pass their channel on, as the paper's do; the others are small numbers. */
static void airbench94_starts_as_identities(void **state)
{
    ic_context *context = test_context(1);
    ic_graph *graph = build(context, "airbench94", 32, 32, 3, 10);
    float *parameters = calloc((size_t)ic_graph_parameter_sizes(graph).total, sizeof *parameters);
    assert_non_null(parameters);
    ic_zoo_initialise(NULL, "airbench94", graph, 1, parameters);
    const ic_parameter *p = named(graph, "group2.conv1.weight");
    const float *weight = parameters + p->offset, bound = 1 / sqrtf(64 * 9);
    for (int64_t k = 0; k < 256; k++)
        for (int64_t c = 0; c < 64; c++)
            for (int64_t tap = 0; tap < 9; tap++) {
                float value = weight[(k * 64 + c) * 9 + tap];
                if (k < 64)
                    assert_true(value == (k == c && tap == 4 ? 1 : 0));
                else
                    assert_true(value >= -bound && value <= bound);
            }
    assert_string_equal(ic_zoo_whitening(graph)->name, "whiten.weight");
    assert_tensor(graph, "whiten.weight", 24, 3, 2);
    free(parameters);
    ic_graph_free(graph);
    ic_context_free(context);
}

static void wrong_arguments(void **state)
{
    ic_context *context = test_context(1);
    ic_graph *graph = NULL;
    ic_shape shape = {32, 32, 3}, small = {31, 32, 3}, tiny = {11, 28, 1};
    assert_fails(IC_ERROR_ARGUMENT, "no network resnet19; there are airbench94",
                 ic_zoo_build(context, "resnet19", shape, 10, &graph));
    assert_fails(IC_ERROR_ARGUMENT, "at least 32 x 32 pixels, not 32 x 31",
                 ic_zoo_build(context, "resnet18", small, 10, &graph));
    assert_fails(IC_ERROR_ARGUMENT, "at least 12 x 12",
                 ic_zoo_build(context, "lenet5", tiny, 10, &graph));
    assert_fails(IC_ERROR_ARGUMENT, "channels is 0",
                 ic_zoo_build(context, "lenet5", shape, 0, &graph));
    assert_fails(IC_ERROR_ARGUMENT, "NULL", ic_zoo_build(context, NULL, shape, 10, &graph));
    assert_fails(IC_ERROR_ARGUMENT, "NULL", ic_zoo_build(context, "plain", shape, 10, NULL));
    assert_null(graph);
    ic_context_free(context);
}

static void least_sizes(void **state)
{
    ic_context *context = test_context(1);
    ic_graph_free(build(context, "lenet5", 12, 12, 1, 3));
    ic_graph_free(build(context, "plain", 4, 4, 1, 3));
    ic_graph_free(build(context, "resnet9", 8, 8, 3, 3));
    ic_graph_free(build(context, "resnet18", 32, 32, 3, 3));
    ic_graph_free(build(context, "mobilenet_v2", 32, 32, 3, 3));
    ic_graph_free(build(context, "mobilenet_v3_large", 32, 32, 3, 3));
    ic_graph_free(build(context, "efficientnet_b0", 32, 32, 3, 3));
    ic_context_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts),          cmocka_unit_test(torchvision_names),
        cmocka_unit_test(odd_inputs),      cmocka_unit_test(airbench94_starts_as_identities),
        cmocka_unit_test(wrong_arguments), cmocka_unit_test(least_sizes),
    };
    return cmocka_run_group_tests_name("zoo", tests, NULL, NULL);
}

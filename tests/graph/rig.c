/* graph/rig.c: a network under test. SPDX-License-Identifier: MIT */
#include "rig.h"

#include "zoo/zoo.h"

#include <stdlib.h>
#include <string.h>

float *zeroed(int64_t count)
{
    float *values = calloc((size_t)count + 1, sizeof *values);
    assert_non_null(values);
    return values;
}

ic_graph *zoo(ic_context *context, const char *name, int32_t size, int32_t channels)
{
    ic_graph *graph = NULL;
    assert_ok(ic_zoo_build(context, name, (ic_shape){size, size, channels}, 10, &graph));
    return graph;
}

void rig_open(test_rig *rig, ic_graph *graph, int32_t batch)
{
    memset(rig, 0, sizeof *rig);
    rig->graph = graph;
    rig->context = test_context(1);
    assert_ok(ic_executor_create(rig->context, graph, batch, IC_TRAINING_TO_INPUT, &rig->executor));
    rig->sizes = ic_graph_parameter_sizes(graph);
    rig->parameters = zeroed(rig->sizes.total);
    rig->gradients = zeroed(rig->sizes.trained);
    ic_shape shape = ic_graph_input_shape(graph);
    rig->inputs = (int64_t)batch * shape.h * shape.w * shape.c;
    rig->outputs = (int64_t)batch * ic_graph_classes(graph);
}

void rig_close(test_rig *rig)
{
    ic_executor_free(rig->executor);
    ic_graph_free(rig->graph);
    ic_context_free(rig->context);
    free(rig->parameters);
    free(rig->gradients);
}

/* Steele, Lea, Flood 2014: SplitMix64. */
static uint64_t next(test_numbers *numbers)
{
    uint64_t z = numbers->state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

int32_t numbers_whole(test_numbers *numbers, int32_t range)
{
    return (int32_t)(next(numbers) % (uint64_t)(2 * range + 1)) - range;
}

float numbers_unit(test_numbers *numbers)
{
    return (float)(next(numbers) >> 40) / 8388608.0f - 1.0f;
}

void numbers_fill_whole(test_numbers *numbers, int32_t range, float *values, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        values[i] = (float)numbers_whole(numbers, range);
}

void numbers_fill_unit(test_numbers *numbers, float *values, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        values[i] = numbers_unit(numbers);
}

void rig_forward(test_rig *rig)
{
    assert_ok(ic_executor_forward(rig->executor, rig->parameters, 7, 3));
}

void rig_backward(test_rig *rig, const float *d_logits)
{
    memcpy(ic_executor_logit_gradients(rig->executor), d_logits,
           (size_t)rig->outputs * sizeof(float));
    assert_ok(ic_executor_backward(rig->executor, rig->parameters, rig->gradients));
}

double dot(const float *a, const float *b, int64_t count)
{
    double sum = 0;
    for (int64_t i = 0; i < count; i++)
        sum += (double)a[i] * (double)b[i];
    return sum;
}

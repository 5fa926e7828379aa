/* graph/rig.h: a network under test: its executor, parameters, and numbers to fill them with.
 * SPDX-License-Identifier: MIT */
#ifndef TESTS_GRAPH_RIG_H
#define TESTS_GRAPH_RIG_H

#include "support/support.h"

#include "graph/executor.h"

/* To be freed. */
float *zeroed(int64_t count);

/* A network of the zoo for square pictures and ten classes. */
ic_graph *zoo(ic_context *context, const char *name, int32_t size, int32_t channels);

typedef struct test_rig {
    ic_context *context;
    ic_graph *graph;
    ic_executor *executor; /* of training, with the gradient of the input */
    float *parameters, *gradients;
    ic_parameter_sizes sizes;
    int64_t inputs, outputs; /* values in a batch */
} test_rig;

/* Takes over the graph. */
void rig_open(test_rig *rig, ic_graph *graph, int32_t batch);
void rig_close(test_rig *rig);

/* Random numbers of a sequence of their own: whole ones in -range..range, or uniform in [-1, 1). */
typedef struct test_numbers {
    uint64_t state;
} test_numbers;
int32_t numbers_whole(test_numbers *numbers, int32_t range);
float numbers_unit(test_numbers *numbers);
void numbers_fill_whole(test_numbers *numbers, int32_t range, float *values, int64_t count);
void numbers_fill_unit(test_numbers *numbers, float *values, int64_t count);

void rig_forward(test_rig *rig);
void rig_backward(test_rig *rig, const float *d_logits);

double dot(const float *a, const float *b, int64_t count);

#endif

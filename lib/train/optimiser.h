/* train/optimiser.h: the flat parameters in training and the rule that moves them.
 * SPDX-License-Identifier: MIT */
#ifndef TRAIN_OPTIMISER_H
#define TRAIN_OPTIMISER_H

#include "base/pool.h"
#include "graph/graph.h"
#include "recipe/recipe.h"

/* Parameters, gradients and moments, each flat and aligned, in one block of memory. */
typedef struct ic_optimiser {
    ic_context *context;
    ic_pool *pool;
    const ic_kernels *kernels;
    ic_optimizer_kind kind;
    ic_parameter_sizes sizes;
    float *parameters; /* sizes.total: trained ones, then statistics */
    float *gradients;  /* sizes.trained, as the next two */
    float *first;      /* velocity of sgd, first moment of adamw */
    float *second;     /* second moment of adamw; NULL for sgd */
} ic_optimiser;

/* Begins at `parameters` (copied) with moments of zero. */
ic_status ic_optimiser_create(ic_context *context, ic_optimizer_kind kind, ic_parameter_sizes sizes,
                              const float *parameters, ic_optimiser **out);
void ic_optimiser_free(ic_optimiser *optimiser);

/*
 * One step along the gradients; `step` counts from 0. The weight decay applies to weights alone,
 * and is decoupled: a weight shrinks by rate * decay a step.
 */
ic_status ic_optimiser_step(ic_optimiser *optimiser, double rate, double momentum, double decay,
                            int64_t step);

/* One of the arrays that a training goes on from. */
typedef struct ic_optimiser_array {
    const char *name; /* static: "parameters", "first" */
    float *data;
    int64_t count;
} ic_optimiser_array;

enum { IC_OPTIMISER_ARRAYS_MAX = 5 };

/*
 * Lists all arrays that outlive a step, and returns how many they are: what a checkpoint holds.
 * Which ones there are follows from the settings alone.
 */
int32_t ic_optimiser_arrays(const ic_optimiser *optimiser,
                            ic_optimiser_array out[IC_OPTIMISER_ARRAYS_MAX]);

#endif

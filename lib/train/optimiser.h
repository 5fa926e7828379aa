/* train/optimiser.h: the flat parameters in training and the rule that moves them.
 * SPDX-License-Identifier: MIT */
#ifndef TRAIN_OPTIMISER_H
#define TRAIN_OPTIMISER_H

#include "base/pool.h"
#include "graph/graph.h"
#include "recipe/recipe.h"
#include "train/muon.h"
#include "train/rates.h"

/* Parameters, gradients and moments, each flat and aligned, in one block of memory. */
typedef struct ic_optimiser {
    ic_context *context;
    ic_pool *pool;
    const ic_kernels *kernels;
    const ic_training_recipe *recipe;
    ic_parameter_sizes sizes;
    ic_parameter_run
        *runs;          /* the trained parameters, and behind them the statistics as a frozen run */
    int32_t run_count;  /* without that one */
    ic_muon *muon;      /* NULL: another kind */
    double *squares;    /* of each piece's gradients; NULL: no clipping */
    float *parameters;  /* sizes.total: trained ones, then statistics */
    float *gradients;   /* sizes.trained, as the next three */
    float *first;       /* velocity of sgd and muon, first moment of adamw */
    float *second;      /* second moment of adamw; NULL for the others */
    float *accumulated; /* sum of the gradients of several batches; NULL: of one only */
    float *average;     /* sizes.total; NULL: none */
} ic_optimiser;

/*
 * Begins at `parameters` (copied) with moments of zero, and with averages that are the parameters.
 * Keeps the recipe, which must not move. IC_ERROR_OPTION: its rates do not fit the graph.
 */
ic_status ic_optimiser_create(ic_context *context, const ic_training_recipe *recipe,
                              const ic_graph *graph, const float *parameters, ic_optimiser **out);
void ic_optimiser_free(ic_optimiser *optimiser);

/* Where the gradients of batch `nth` (from 0) of a step's batches go. */
float *ic_optimiser_target(const ic_optimiser *optimiser, int32_t nth);

/* Adds the gradients of a batch behind the first to the sum; those of what trains in the epoch. */
ic_status ic_optimiser_accumulate(ic_optimiser *optimiser, int64_t epoch);

/* One step of a training. */
typedef struct ic_update {
    double rate;
    int64_t step;    /* this one, from 0 */
    double share;    /* of the training that is done with it, up to 1; 0: averages stay */
    int64_t epoch;   /* from 0 */
    int32_t batches; /* whose gradients are there: their mean is taken */
} ic_update;

/*
 * One step along the gradients, clipped as torch's clip_grad_norm_ does (without those of frozen
 * parameters). The weight decay applies to weights alone, and is decoupled: a weight shrinks by
 * rate * decay a step, with the rate of its own. What is frozen keeps its bits, and its moments.
 * Then the averages move, those of norm statistics too.
 */
ic_status ic_optimiser_step(ic_optimiser *optimiser, const ic_update *update);

/* What the training has come to, sizes.total: the moving averages, or the parameters. */
const float *ic_optimiser_result(const ic_optimiser *optimiser);

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

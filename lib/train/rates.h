/*
 * train/rates.h: which learning rate each parameter has. SPDX-License-Identifier: MIT
 */
#ifndef TRAIN_RATES_H
#define TRAIN_RATES_H

#include "graph/graph.h"
#include "recipe/recipe.h"

/* A stretch of the flat parameters that one rule moves. */
typedef struct ic_parameter_run {
    int64_t offset, count;
    double factor;         /* on the learning rate; 0: frozen */
    int64_t epochs;        /* trained for so many from the first */
    bool decays;           /* weights, not biases and norms */
    int32_t rows, columns; /* a filter matrix that muon moves as a whole; 0: number by number */
} ic_parameter_run;

/*
 * Cuts the trained parameters of a graph into runs by the recipe's rates, in the order of the flat
 * array. Without any there are two, or with muon one more for each matrix: convolutions and linear
 * layers as [k][c*r*s], but for the last layer, which does not look for features but weighs them.
 * Behind the `count` of them stands one more, of factor 0: the statistics. IC_ERROR_OPTION: a
 * pattern that is none, or that fits no parameter. Free *out.
 */
ic_status ic_rates_resolve(ic_context *context, const ic_graph *graph,
                           const ic_training_recipe *recipe, ic_parameter_run **out,
                           int32_t *count);

/* Whether a run trains in an epoch, from 0. */
static inline bool ic_run_trains(const ic_parameter_run *run, int64_t epoch)
{
    return run->factor > 0 && epoch < run->epochs;
}

/* Sets trained[], by parameter of the graph, for an epoch; returns whether any was otherwise. */
bool ic_rates_trained(const ic_parameter_run *runs, const ic_graph *graph, int64_t epoch,
                      bool *trained);

#endif

/* recipe/probe.c: how fast this machine trains. SPDX-License-Identifier: MIT */
#include "base/memory.h"
#include "base/status.h"
#include "graph/executor.h"
#include "recipe/recipe.h"
#include "zoo/zoo.h"

#include <string.h>

/*
 * What is tried: enough work to keep the kernels busy, little enough to be over at once. A step of
 * so few pictures is mostly about weights, so that it has a time of its own on the reference
 * machine, which cost.h does not tell.
 */
enum { SIDE = 64, BATCH = 8, CLASSES = 2, LEAST_TRIALS = 3, MOST_TRIALS = 12 };
static const char network[] = "resnet18";
static const double reference_seconds = 0.031, enough_seconds = 0.5;

static ic_status time_step(ic_executor *executor, float *parameters, float *gradients, double *out)
{
    double began = ic_clock_seconds();
    IC_TRY(ic_executor_forward(executor, parameters, 1, 0));
    memset(ic_executor_logit_gradients(executor), 0, BATCH * CLASSES * sizeof(float));
    IC_TRY(ic_executor_backward(executor, parameters, gradients));
    *out = ic_clock_seconds() - began;
    return IC_OK;
}

/* Seconds of the quickest of some steps: the first ones meet new memory and a slow clock. */
static ic_status time_steps(ic_executor *executor, float *parameters, float *gradients, double *out)
{
    double began = ic_clock_seconds();
    memset(ic_executor_input(executor), 0, (size_t)BATCH * SIDE * SIDE * 3 * sizeof(float));
    for (int32_t i = 0; i < MOST_TRIALS; i++) {
        double took = 0;
        if (i >= LEAST_TRIALS && ic_clock_seconds() - began > enough_seconds)
            break;
        IC_TRY(time_step(executor, parameters, gradients, &took));
        *out = i == 0 || took < *out ? took : *out;
    }
    return IC_OK;
}

ic_status ic_recipe_probe(ic_context *context, double *slowness)
{
    ic_status status = IC_OK;
    ic_graph *graph = NULL;
    ic_executor *executor = NULL;
    float *parameters = NULL;
    double seconds = 0;
    IC_TRY(ic_zoo_build(context, network, (ic_shape){SIDE, SIDE, 3}, CLASSES, &graph));
    size_t total = (size_t)ic_graph_parameter_sizes(graph).total;
    IC_TRY_CLEAN(ic_allocate_zero(context, 2 * total * sizeof *parameters, &parameters));
    IC_TRY_CLEAN(ic_executor_create(context, graph, BATCH, IC_TRAINING, &executor));
    IC_TRY_CLEAN(time_steps(executor, parameters, parameters + total, &seconds));
    *slowness = seconds / reference_seconds;
cleanup:
    ic_executor_free(executor);
    ic_free(context, parameters);
    ic_graph_free(graph);
    return status;
}

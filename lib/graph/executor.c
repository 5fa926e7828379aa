/* graph/executor.c: executors and what their callers see. SPDX-License-Identifier: MIT */
#include "graph/executor.h"

#include "graph/executor_state.h"
#include "graph/profile.h"
#include "graph/weights.h"

#include <string.h>

enum { BATCH_MAX = 65536 };

/* ---- Life ---- */

/* What not every executor has. */
typedef struct extras {
    const bool *trained;
    size_t limit;
    ic_executor *host;
    ic_node tap;
} extras;

static ic_status create(ic_context *context, const ic_graph *graph, int32_t batch,
                        ic_executor_mode mode, const extras *with, ic_executor **out)
{
    if (context == NULL || graph == NULL || out == NULL || !graph->finished)
        return ic_fail(IC_ERROR_ARGUMENT,
                       "ic_executor_create: takes a context, a finished graph and an output");
    if (batch < 1 || batch > BATCH_MAX)
        return ic_fail(IC_ERROR_ARGUMENT, "a batch of %d pictures, must be 1 to %d", batch,
                       BATCH_MAX);
    ic_executor *e = NULL;
    ic_status status = IC_OK;
    IC_TRY(ic_allocate_zero(context, sizeof *e, &e));
    e->host = with->host;
    e->context = ic_context_retain(context);
    e->graph = ic_graph_retain((ic_graph *)graph);
    e->batch = batch;
    e->lanes = 1;
    IC_TRY_CLEAN(ic_context_pool(context, &e->pool));
    if (mode == IC_INFERENCE)
        IC_TRY_CLEAN(ic_executor_create_groups(e, with->tap));
    else
        IC_TRY_CLEAN(
            ic_program_create(context, graph, batch, mode, with->trained, with->tap, &e->program));
    IC_TRY_CLEAN(ic_executor_allocate(e, with->limit));
    *out = e;
    e = NULL;
cleanup:
    ic_executor_free(e);
    return status;
}

ic_status ic_executor_create(ic_context *context, const ic_graph *graph, int32_t batch,
                             ic_executor_mode mode, ic_executor **out)
{
    return create(context, graph, batch, mode, &(extras){.tap = IC_NO_TAP}, out);
}

ic_status ic_executor_create_tapped(ic_context *context, const ic_graph *graph, int32_t batch,
                                    ic_node tap, ic_executor **out)
{
    return create(context, graph, batch, IC_INFERENCE, &(extras){.tap = tap}, out);
}

ic_status ic_executor_create_training(ic_context *context, const ic_graph *graph, int32_t batch,
                                      const bool *trained, size_t limit, ic_executor **out)
{
    const extras with = {.trained = trained, .limit = limit, .tap = IC_NO_TAP};
    return create(context, graph, batch, IC_TRAINING, &with, out);
}

ic_status ic_executor_create_beside(ic_executor *host, const ic_graph *graph, ic_executor_mode mode,
                                    ic_executor **out)
{
    return create(host->context, graph, host->batch, mode,
                  &(extras){.host = host, .tap = IC_NO_TAP}, out);
}

void ic_executor_free(ic_executor *executor)
{
    if (executor == NULL)
        return;
    ic_context *context = executor->context;
    ic_program_free(executor->program);
    if (executor->host == NULL)
        ic_free(context, executor->memory);
    ic_graph_free(executor->graph);
    ic_free(context, executor);
    ic_context_free(context);
}

/* ---- What the caller sees ---- */

int32_t ic_executor_batch(const ic_executor *executor)
{
    return executor->batch;
}

const ic_graph *ic_executor_graph(const ic_executor *executor)
{
    return executor->graph;
}

size_t ic_executor_memory(const ic_executor *executor)
{
    return executor->memory_bytes;
}

float *ic_executor_input(ic_executor *executor)
{
    return executor->input;
}

const float *ic_executor_logits(const ic_executor *executor)
{
    return executor->logits;
}

const float *ic_executor_tap(const ic_executor *executor)
{
    return executor->tap;
}

float *ic_executor_logit_gradients(ic_executor *executor)
{
    return ic_at(&executor->run, executor->program->logit_gradients);
}

const float *ic_executor_input_gradients(const ic_executor *executor)
{
    return ic_at(&executor->run, executor->program->input_gradients);
}

/* ---- Running ---- */

ic_status ic_executor_infer(ic_executor *executor, const ic_weights *weights, int32_t count)
{
    if (executor == NULL || weights == NULL)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_executor_infer: no argument may be NULL");
    const ic_program *p = executor->program;
    if (p->mode != IC_INFERENCE)
        return ic_fail(IC_ERROR_STATE, "ic_executor_infer: this executor was made for training");
    if (count < 1 || count > executor->batch)
        return ic_fail(IC_ERROR_ARGUMENT, "inference of %d pictures, must be 1 to %d", count,
                       executor->batch);
    const ic_graph *graph = executor->graph;
    if (weights->graph != (graph->origin != NULL ? graph->origin : graph) ||
        weights->constant_bytes != p->constant_bytes)
        return ic_fail(IC_ERROR_ARGUMENT, "the weights belong to another network");
    executor->run.bases[IC_BASE_PARAMETERS] = (unsigned char *)weights->parameters;
    executor->run.bases[IC_BASE_CONSTANTS] = weights->constants;
    if (executor->host != NULL)
        executor->host->ready_for_backward = false; /* what it kept is written over */
    if (ic_executor_in_groups(executor))
        return ic_executor_run_groups(executor, count);
    return ic_executor_run_steps(executor, 0, p->forward_count);
}

ic_status ic_executor_forward(ic_executor *executor, float *parameters, uint64_t seed,
                              uint64_t step)
{
    if (executor == NULL || parameters == NULL)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_executor_forward: no argument may be NULL");
    if (executor->program->mode == IC_INFERENCE)
        return ic_fail(IC_ERROR_STATE, "ic_executor_forward: this executor was made for inference");
    executor->run.bases[IC_BASE_PARAMETERS] = (unsigned char *)parameters;
    executor->run.seed = seed;
    executor->run.step = step;
    executor->ready_for_backward = false;
    IC_TRY(ic_executor_run_steps(executor, 0, executor->program->forward_count));
    executor->ready_for_backward = true;
    return IC_OK;
}

/* Gaps between parameters are there for alignment; an optimiser reads them as gradients of zero. */
static void clear_gaps(const ic_graph *graph, float *gradients)
{
    for (int32_t i = 0; i < ic_graph_parameter_count(graph); i++) {
        const ic_parameter *p = ic_graph_parameter(graph, i);
        int64_t end = p->offset + p->count;
        if (p->role != IC_ROLE_STATISTIC)
            memset(gradients + end, 0, (size_t)((16 - end % 16) % 16) * sizeof *gradients);
    }
}

ic_status ic_executor_backward(ic_executor *executor, const float *parameters, float *gradients)
{
    if (executor == NULL || parameters == NULL || gradients == NULL)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_executor_backward: no argument may be NULL");
    if (!executor->ready_for_backward)
        return ic_fail(IC_ERROR_STATE, "ic_executor_backward: there was no forward run before it");
    const ic_program *p = executor->program;
    executor->ready_for_backward = false; /* the run overwrites what it reads */
    executor->run.bases[IC_BASE_PARAMETERS] = (unsigned char *)parameters;
    executor->run.bases[IC_BASE_GRADIENTS] = (unsigned char *)gradients;
    clear_gaps(executor->graph, gradients);
    return ic_executor_run_steps(executor, p->forward_count, p->step_count);
}

/* ---- Profile ---- */

void ic_executor_set_profile(ic_executor *executor, double *seconds)
{
    executor->profile = seconds;
}

int32_t ic_executor_step_count(const ic_executor *executor)
{
    return (int32_t)executor->program->step_count;
}

void ic_executor_step(const ic_executor *executor, int32_t index, const char **kind,
                      const char **node)
{
    const ic_step *step = &executor->program->steps[index];
    const char *name = executor->graph->nodes[step->node].name;
    *kind = step->kind->name;
    *node = name != NULL ? name : executor->graph->nodes[step->node].op->name;
}

/*
 * graph/executor.c: running the steps of a program over the pool. SPDX-License-Identifier: MIT
 *
 * Training spreads each step over the threads. Inference cuts a batch into groups of a few pictures
 * that go through the whole network one after the other, so that what lies between the layers stays
 * in the caches; threads take groups of their own, each in a lane of memory of its own, and what
 * does not come out even is spread step by step.
 */
#include "graph/executor.h"

#include "base/pool.h"
#include "graph/pack.h"
#include "graph/profile.h"
#include "graph/program.h"
#include "graph/recompute.h"
#include "graph/weights.h"

#include <math.h>
#include <string.h>

enum { BATCH_MAX = 65536, ALIGNMENT = 64 };

struct ic_executor {
    ic_context *context;
    ic_graph *graph;
    ic_program *program;
    ic_pool *pool;
    unsigned char *memory; /* arena of each lane, scratch of each worker, pictures and logits */
    ic_executor *host;     /* whose memory it is; NULL: its own */
    size_t memory_bytes;
    int32_t batch; /* the caller's; the program's is that of a group */
    int32_t lanes;
    size_t arena_stride, scratch_stride;
    unsigned char *scratch;
    float *input, *logits; /* of the batch: of their own where there are groups */
    ic_run run;            /* in lane 0 */
    bool ready_for_backward;
    double *profile; /* seconds by step; NULL: not wanted */
};

/* ---- Life ---- */

static size_t align_up(size_t bytes)
{
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static const double MIB = 1024 * 1024;

static void log_repeated(const ic_executor *e, size_t limit)
{
    const ic_program *p = e->program;
    int32_t again = 0;
    for (size_t i = 0; i < p->step_count; i++)
        again += p->steps[i].again && p->steps[i].kind != &ic_step_pack;
    if (again > 0)
        ic_log(e->context, IC_LOG_INFO,
               "to keep within %.0f MiB, the backward pass computes %d of the %d steps of the "
               "forward pass again",
               floor((double)limit / MIB), (int)again, (int)p->forward_count);
}

/* Has the program compute activations again, where its arena and the scratch go over a limit. */
static ic_status keep_within(ic_executor *e, size_t limit)
{
    size_t least = 0, scratch = e->scratch_stride * (size_t)ic_pool_threads(e->pool);
    ic_status status = ic_program_limit(e->program, limit > scratch ? limit - scratch : 0, &least);
    if (status == IC_ERROR_LIMIT)
        return ic_fail(IC_ERROR_LIMIT,
                       "memory_limit is %.0f MiB, but a training step of this network on %d "
                       "pictures takes at least %.0f MiB: raise memory_limit, or lower batch_size "
                       "or the model's input_size",
                       floor((double)limit / MIB), e->program->batch,
                       ceil((double)(least + scratch) / MIB));
    IC_TRY(status);
    log_repeated(e, limit);
    return IC_OK;
}

static bool in_groups(const ic_executor *e)
{
    return e->program->batch < e->batch;
}

static size_t input_floats(const ic_executor *e)
{
    ic_shape shape = ic_graph_input_shape(e->graph);
    return (size_t)shape.h * (size_t)shape.w * (size_t)shape.c;
}

static size_t logit_floats(const ic_executor *e)
{
    return (size_t)ic_graph_classes(e->graph);
}

/* Of the batch's pictures and logits, where they do not lie in the arena. */
static size_t value_bytes(const ic_executor *e)
{
    return in_groups(e) ? (size_t)e->batch * (input_floats(e) + logit_floats(e)) * sizeof(float)
                        : 0;
}

static ic_status allocate_memory(ic_executor *e, size_t limit)
{
    const ic_program *p = e->program;
    size_t scratch = 0, bytes = 0;
    e->scratch_stride = align_up(p->scratch_bytes);
    if (!ic_multiply_size(e->scratch_stride, (size_t)ic_pool_threads(e->pool), &scratch))
        return ic_fail(IC_ERROR_LIMIT, "the network is too large for this machine");
    if (limit > 0)
        IC_TRY(keep_within(e, limit));
    size_t arenas = 0, values = value_bytes(e);
    e->arena_stride = align_up(p->arena_bytes);
    if (!ic_multiply_size(e->arena_stride, (size_t)e->lanes, &arenas) ||
        !ic_add_size(arenas, scratch, &bytes) || !ic_add_size(bytes, values, &bytes))
        return ic_fail(IC_ERROR_LIMIT, "the network is too large for this machine");
    if (e->host != NULL && e->host->memory_bytes < bytes)
        e->host = NULL;
    if (e->host != NULL)
        e->memory = e->host->memory;
    else
        IC_TRY(ic_allocate_zero(e->context, bytes, &e->memory));
    e->memory_bytes = bytes;
    e->run = (ic_run){.program = p};
    e->run.bases[IC_BASE_ARENA] = e->memory;
    e->scratch = e->memory + arenas;
    e->input = ic_at(&e->run, p->input);
    e->logits = ic_at(&e->run, p->logits);
    if (in_groups(e)) {
        e->input = (float *)(void *)(e->scratch + scratch);
        e->logits = e->input + (size_t)e->batch * input_floats(e);
    }
    return IC_OK;
}

/*
 * The pictures of a group: so many that their arena stays in the third cache. But where the weights
 * are much more than the arena, they are what comes from memory: once for the whole batch then.
 */
static int32_t group_size(const ic_program *one, int32_t batch)
{
    enum { ARENA_BYTES = 8 << 20, MUCH_MORE = 4 };
    size_t fits = ARENA_BYTES / (one->arena_bytes + 1);
    if (one->constant_bytes > MUCH_MORE * one->arena_bytes || fits >= (size_t)batch)
        return batch;
    return fits < 1 ? 1 : (int32_t)fits;
}

/* The program of a group, and the lanes, for inference. */
static ic_status create_groups(ic_executor *e)
{
    int32_t threads = ic_pool_threads(e->pool);
    IC_TRY(ic_program_create(e->context, e->graph, 1, IC_INFERENCE, &e->program));
    int32_t group = group_size(e->program, e->batch);
    int32_t groups = (e->batch + group - 1) / group;
    e->lanes = groups < threads ? 1 : threads;
    if (group == 1)
        return IC_OK;
    ic_program_free(e->program);
    e->program = NULL;
    return ic_program_create(e->context, e->graph, group, IC_INFERENCE, &e->program);
}

static ic_status create(ic_context *context, const ic_graph *graph, int32_t batch,
                        ic_executor_mode mode, size_t limit, ic_executor *host, ic_executor **out)
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
    e->host = host;
    e->context = ic_context_retain(context);
    e->graph = ic_graph_retain((ic_graph *)graph);
    e->batch = batch;
    e->lanes = 1;
    IC_TRY_CLEAN(ic_context_pool(context, &e->pool));
    if (mode == IC_INFERENCE)
        IC_TRY_CLEAN(create_groups(e));
    else
        IC_TRY_CLEAN(ic_program_create(context, graph, batch, mode, &e->program));
    IC_TRY_CLEAN(allocate_memory(e, limit));
    *out = e;
    e = NULL;
cleanup:
    ic_executor_free(e);
    return status;
}

ic_status ic_executor_create(ic_context *context, const ic_graph *graph, int32_t batch,
                             ic_executor_mode mode, ic_executor **out)
{
    return create(context, graph, batch, mode, 0, NULL, out);
}

ic_status ic_executor_create_within(ic_context *context, const ic_graph *graph, int32_t batch,
                                    ic_executor_mode mode, size_t limit, ic_executor **out)
{
    return create(context, graph, batch, mode, limit, NULL, out);
}

ic_status ic_executor_create_beside(ic_executor *host, ic_executor_mode mode, ic_executor **out)
{
    return create(host->context, host->graph, host->batch, mode, 0, host, out);
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

float *ic_executor_logit_gradients(ic_executor *executor)
{
    return ic_at(&executor->run, executor->program->logit_gradients);
}

const float *ic_executor_input_gradients(const ic_executor *executor)
{
    return ic_at(&executor->run, executor->program->input_gradients);
}

/* ---- Running ---- */

typedef struct phase_job {
    ic_executor *executor;
    const ic_step *step;
    int32_t phase;
} phase_job;

static float *scratch_of(ic_executor *e, int32_t worker)
{
    return (float *)(void *)(e->scratch + (size_t)worker * e->scratch_stride);
}

static ic_status run_unit(void *arguments, int64_t unit, int32_t worker)
{
    const phase_job *job = arguments;
    job->step->kind->run(&job->executor->run, job->step, job->phase, unit,
                         scratch_of(job->executor, worker));
    return IC_OK;
}

static ic_status run_step(ic_executor *e, const ic_step *step)
{
    e->run.shared = ic_at(&e->run, step->shared);
    for (int32_t phase = 0; phase < step->phases; phase++) {
        int64_t units = step->kind->units(&e->run, step, phase);
        phase_job job = {.executor = e, .step = step, .phase = phase};
        if (units == 1)
            step->kind->run(&e->run, step, phase, 0, scratch_of(e, 0));
        else if (units > 1)
            IC_TRY(ic_pool_run(e->pool, units, run_unit, &job));
    }
    return IC_OK;
}

static ic_status run_steps(ic_executor *e, size_t first, size_t last)
{
    for (size_t i = first; i < last; i++) {
        double start = e->profile != NULL ? ic_clock_seconds() : 0;
        IC_TRY(run_step(e, &e->program->steps[i]));
        if (e->profile != NULL)
            e->profile[i] += ic_clock_seconds() - start;
    }
    return IC_OK;
}

/* ---- Inference in groups ---- */

typedef struct group_job {
    ic_executor *executor;
    int32_t count; /* of pictures */
} group_job;

/* Group `index` of the batch in a lane: its pictures into the arena, its logits out of it. */
static ic_status run_group(const group_job *job, ic_run *run, int64_t index,
                           ic_status (*run_all)(ic_executor *e, ic_run *run, int32_t worker),
                           int32_t worker)
{
    ic_executor *e = job->executor;
    const ic_program *p = e->program;
    size_t first = (size_t)(index * p->batch), left = (size_t)job->count - first;
    size_t count = left < (size_t)p->batch ? left : (size_t)p->batch;
    memcpy(ic_at(run, p->input), e->input + first * input_floats(e),
           count * input_floats(e) * sizeof(float));
    IC_TRY(run_all(e, run, worker));
    memcpy(e->logits + first * logit_floats(e), ic_at(run, p->logits),
           count * logit_floats(e) * sizeof(float));
    return IC_OK;
}

static ic_status run_alone(ic_executor *e, ic_run *run, int32_t worker)
{
    for (size_t i = 0; i < e->program->forward_count; i++) {
        const ic_step *step = &e->program->steps[i];
        run->shared = ic_at(run, step->shared);
        for (int32_t phase = 0; phase < step->phases; phase++) {
            int64_t units = step->kind->units(run, step, phase);
            for (int64_t unit = 0; unit < units; unit++)
                step->kind->run(run, step, phase, unit, scratch_of(e, worker));
        }
    }
    return IC_OK;
}

static ic_status run_spread(ic_executor *e, ic_run *run, int32_t worker)
{
    return run_steps(e, 0, e->program->forward_count);
}

static ic_status run_group_in_lane(void *arguments, int64_t unit, int32_t worker)
{
    const group_job *job = arguments;
    ic_run run = job->executor->run;
    run.bases[IC_BASE_ARENA] += (size_t)worker * job->executor->arena_stride;
    return run_group(job, &run, unit, run_alone, worker);
}

/* Whole rounds of groups go side by side, one a thread; what is left over is spread. */
static ic_status run_groups(ic_executor *e, int32_t count)
{
    group_job job = {.executor = e, .count = count};
    int64_t groups = (count + e->program->batch - 1) / e->program->batch;
    int64_t aside = e->lanes > 1 && e->profile == NULL ? groups / e->lanes * e->lanes : 0;
    IC_TRY(ic_pool_run(e->pool, aside, run_group_in_lane, &job));
    for (int64_t i = aside; i < groups; i++)
        IC_TRY(run_group(&job, &e->run, i, run_spread, 0));
    return IC_OK;
}

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
    if (weights->graph != executor->graph || weights->constant_bytes != p->constant_bytes)
        return ic_fail(IC_ERROR_ARGUMENT, "the weights belong to another network");
    executor->run.bases[IC_BASE_PARAMETERS] = (unsigned char *)weights->parameters;
    executor->run.bases[IC_BASE_CONSTANTS] = weights->constants;
    if (executor->host != NULL)
        executor->host->ready_for_backward = false; /* what it kept is written over */
    if (in_groups(executor))
        return run_groups(executor, count);
    return run_steps(executor, 0, p->forward_count);
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
    IC_TRY(run_steps(executor, 0, executor->program->forward_count));
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
    return run_steps(executor, p->forward_count, p->step_count);
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

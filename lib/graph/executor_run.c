/*
 * graph/executor_run.c: the steps of a program, done. SPDX-License-Identifier: MIT
 *
 * Training spreads each step over the threads. Inference cuts a batch into groups of a few pictures
 * that go through the whole network one after the other, so that what lies between the layers stays
 * in the caches; threads take groups of their own, each in a lane of memory of its own, and what
 * does not come out even is spread step by step.
 */
#include "graph/executor_state.h"
#include "graph/profile.h"

#include <string.h>

enum { ALL_WORKERS = -1 };

typedef struct phase_job {
    const ic_executor *executor;
    const ic_run *run;
    const ic_step *step;
    int32_t phase;
} phase_job;

static ic_status run_unit(void *arguments, int64_t unit, int32_t worker)
{
    const phase_job *job = arguments;
    const ic_executor *e = job->executor;
    float *scratch = (float *)(void *)(e->scratch + (size_t)worker * e->scratch_stride);
    job->step->kind->run(job->run, job->step, job->phase, unit, scratch);
    return IC_OK;
}

/* By one worker, or by all. */
static ic_status run_step(const ic_executor *e, ic_run *run, const ic_step *step, int32_t worker)
{
    run->shared = ic_at(run, step->shared);
    for (int32_t phase = 0; phase < step->phases; phase++) {
        int64_t units = step->kind->units(run, step, phase);
        phase_job job = {.executor = e, .run = run, .step = step, .phase = phase};
        if (worker == ALL_WORKERS && units > 1) {
            IC_TRY(ic_pool_run(e->pool, units, run_unit, &job));
            continue;
        }
        for (int64_t unit = 0; unit < units; unit++)
            run_unit(&job, unit, worker == ALL_WORKERS ? 0 : worker);
    }
    return IC_OK;
}

ic_status ic_executor_run_steps(ic_executor *e, size_t first, size_t last)
{
    for (size_t i = first; i < last; i++) {
        double start = e->profile != NULL ? ic_clock_seconds() : 0;
        IC_TRY(run_step(e, &e->run, &e->program->steps[i], ALL_WORKERS));
        if (e->profile != NULL)
            e->profile[i] += ic_clock_seconds() - start;
    }
    return IC_OK;
}

/* ---- Groups ---- */

typedef struct group_job {
    ic_executor *executor;
    int32_t count; /* of pictures */
} group_job;

/* Group `index` of the batch: its pictures into the arena, its logits out of it. */
static ic_status run_group(const group_job *job, ic_run *run, int64_t index, int32_t worker)
{
    ic_executor *e = job->executor;
    const ic_program *p = e->program;
    size_t pixels = ic_executor_input_floats(e), logits = ic_executor_logit_floats(e);
    size_t kept = ic_executor_tap_floats(e);
    size_t first = (size_t)(index * p->batch), left = (size_t)job->count - first;
    size_t count = left < (size_t)p->batch ? left : (size_t)p->batch;
    memcpy(ic_at(run, p->input), e->input + first * pixels, count * pixels * sizeof(float));
    if (worker == ALL_WORKERS)
        IC_TRY(ic_executor_run_steps(e, 0, p->forward_count));
    for (size_t i = 0; worker != ALL_WORKERS && i < p->forward_count; i++)
        IC_TRY(run_step(e, run, &p->steps[i], worker));
    memcpy(e->logits + first * logits, ic_at(run, p->logits), count * logits * sizeof(float));
    if (kept > 0)
        memcpy(e->tap + first * kept, ic_at(run, p->tap), count * kept * sizeof(float));
    return IC_OK;
}

static ic_status run_group_in_lane(void *arguments, int64_t unit, int32_t worker)
{
    const group_job *job = arguments;
    ic_run run = job->executor->run;
    run.bases[IC_BASE_ARENA] += (size_t)worker * job->executor->arena_stride;
    return run_group(job, &run, unit, worker);
}

/*
 * Whole rounds of groups go side by side, one a thread; what is left over is spread, unless the
 * program is cut for one thread.
 */
ic_status ic_executor_run_groups(ic_executor *e, int32_t count)
{
    group_job job = {.executor = e, .count = count};
    int64_t groups = (count + e->program->batch - 1) / e->program->batch;
    bool alone = e->program->threads == 1;
    int64_t aside = alone ? groups : groups / e->lanes * e->lanes;
    if (e->lanes == 1 || e->profile != NULL)
        aside = 0;
    IC_TRY(ic_pool_run(e->pool, aside, run_group_in_lane, &job));
    for (int64_t i = aside; i < groups; i++)
        IC_TRY(run_group(&job, &e->run, i, ALL_WORKERS));
    return IC_OK;
}

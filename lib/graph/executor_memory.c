/*
 * graph/executor_memory.c: what an executor keeps in memory: arenas, scratch, and the pictures and
 * logits of a batch that goes in groups. SPDX-License-Identifier: MIT
 */
#include "graph/executor_state.h"
#include "graph/pack.h"
#include "graph/recompute.h"

#include <math.h>

enum { ALIGNMENT = 64 };

static size_t align_up(size_t bytes)
{
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

enum { MIB = 1024 * 1024 };

static void log_repeated(const ic_executor *e, size_t limit)
{
    const ic_program *p = e->program;
    int32_t again = 0;
    for (size_t i = 0; i < p->step_count; i++)
        again += p->steps[i].again && p->steps[i].kind != &ic_step_pack;
    if (again > 0)
        ic_log(e->context, IC_LOG_INFO,
               "to keep within %lld MiB, the backward pass computes %d of the %d steps of the "
               "forward pass again",
               (long long)(limit / MIB), (int)again, (int)p->forward_count);
}

/* Has the program compute activations again, where its arena and the scratch go over a limit. */
static ic_status keep_within(ic_executor *e, size_t limit)
{
    size_t least = 0, scratch = e->scratch_stride * (size_t)ic_pool_threads(e->pool);
    ic_status status = ic_program_limit(e->program, limit > scratch ? limit - scratch : 0, &least);
    if (status == IC_ERROR_LIMIT)
        return ic_fail(IC_ERROR_LIMIT,
                       "memory_limit is %lld MiB, but a training step of this network on %d "
                       "pictures takes at least %lld MiB: raise memory_limit, or lower batch_size "
                       "or the model's input_size",
                       (long long)(limit / MIB), e->program->batch,
                       (long long)((least + scratch + MIB - 1) / MIB));
    IC_TRY(status);
    log_repeated(e, limit);
    return IC_OK;
}

/* Of the batch's pictures and logits, where they do not lie in the arena. */
static size_t value_bytes(const ic_executor *e)
{
    return ic_executor_in_groups(e)
               ? (size_t)e->batch *
                     (ic_executor_input_floats(e) + ic_executor_logit_floats(e) +
                      ic_executor_tap_floats(e)) *
                     sizeof(float)
               : 0;
}

ic_status ic_executor_allocate(ic_executor *e, size_t limit)
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
    e->tap = ic_at(&e->run, p->tap);
    if (ic_executor_in_groups(e)) {
        e->input = (float *)(void *)(e->scratch + scratch);
        e->logits = e->input + (size_t)e->batch * ic_executor_input_floats(e);
        e->tap = e->logits + (size_t)e->batch * ic_executor_logit_floats(e);
    }
    return IC_OK;
}

/*
 * The pictures of a group: so many that their arena stays in the second and third cache, but enough
 * to share much larger weights. What the last group has too many is computed in vain: that is
 * kept below a sixteenth.
 */
static int32_t group_size(const ic_program *one, int32_t batch)
{
    enum { ARENA_BYTES = 6 << 20, WEIGHT_BYTES = 24 << 20, SHARE = 16, WASTE = 16 };
    size_t fits = ARENA_BYTES / (one->arena_bytes + 1);
    size_t share = one->constant_bytes / (one->arena_bytes + 1);
    share = share < SHARE ? share : SHARE;
    if (one->constant_bytes > WEIGHT_BYTES && fits < share)
        fits = share;
    if (fits >= (size_t)batch)
        return batch;
    int32_t size = fits < 1 ? 1 : (int32_t)fits;
    while ((batch + size - 1) / size * size > batch + batch / WASTE)
        --size;
    return size;
}

/* Where the groups come out even, each thread has some of its own; what is left over is shared. */
ic_status ic_executor_create_groups(ic_executor *e, ic_node tap)
{
    int32_t threads = ic_pool_threads(e->pool);
    IC_TRY(ic_program_create(e->context, e->graph, 1, IC_INFERENCE, NULL, tap, &e->program));
    int32_t group = group_size(e->program, e->batch);
    int32_t groups = (e->batch + group - 1) / group;
    e->lanes = groups < threads ? 1 : threads;
    bool alone = threads > 1 && groups % threads == 0;
    if (group == 1 && !alone)
        return IC_OK;
    ic_program_free(e->program);
    e->program = NULL;
    return alone ? ic_program_create_alone(e->context, e->graph, group, tap, &e->program)
                 : ic_program_create(e->context, e->graph, group, IC_INFERENCE, NULL, tap,
                                     &e->program);
}

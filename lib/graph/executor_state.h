/* graph/executor_state.h: the inside of an executor. SPDX-License-Identifier: MIT */
#ifndef GRAPH_EXECUTOR_STATE_H
#define GRAPH_EXECUTOR_STATE_H

#include "base/pool.h"
#include "graph/executor.h"
#include "graph/program.h"

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
    float *input, *logits, *tap; /* of the batch: of their own where there are groups */
    ic_run run;                  /* in lane 0 */
    bool ready_for_backward;
    double *profile; /* seconds by step; NULL: not wanted */
};

static inline size_t ic_executor_input_floats(const ic_executor *e)
{
    ic_shape shape = ic_graph_input_shape(e->graph);
    return (size_t)shape.h * (size_t)shape.w * (size_t)shape.c;
}

static inline size_t ic_executor_logit_floats(const ic_executor *e)
{
    return (size_t)ic_graph_classes(e->graph);
}

/* Of the value of a picture that is kept. */
static inline size_t ic_executor_tap_floats(const ic_executor *e)
{
    const ic_program *p = e->program;
    return p->tap < 0 ? 0 : p->tensors[p->tap].bytes / sizeof(float) / (size_t)p->batch;
}

/* Whether the program is one of a few pictures, not of the batch. */
static inline bool ic_executor_in_groups(const ic_executor *e)
{
    return e->program->batch < e->batch;
}

/* The program of a group of pictures, and the lanes, for inference. */
ic_status ic_executor_create_groups(ic_executor *e, ic_node tap);

/* Takes the memory: the host's where it is enough. limit: see ic_executor_create_training. */
ic_status ic_executor_allocate(ic_executor *e, size_t limit);

/* Steps [first, last) in lane 0, each over all threads. */
ic_status ic_executor_run_steps(ic_executor *e, size_t first, size_t last);

/* The whole network for the first `count` pictures of the batch, group by group. */
ic_status ic_executor_run_groups(ic_executor *e, int32_t count);

#endif

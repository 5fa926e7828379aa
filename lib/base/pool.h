/* base/pool.h: threads that share work. SPDX-License-Identifier: MIT */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include "base/context.h"
#include "base/status.h"

/*
 * A pool of threads-1 helper threads beside the caller; threads == 1 starts none. Work is
 * claimed in units atomically; which thread does a unit never shows in the result, as units are
 * cut by shape alone. Helpers spin briefly, then sleep.
 */

/*
 * One unit of work. worker is in 0..threads-1, and no two units of one run that share it are under
 * way at the same time: an index into scratch memory. That memory must belong to the run (to its
 * caller), as another run, done by its caller alone while the pool is busy, has a worker 0 too.
 */
typedef ic_status (*ic_unit_fn)(void *arguments, int64_t unit, int32_t worker);

int32_t ic_pool_threads(const ic_pool *pool);

/*
 * Does units 0..count-1 and returns when all are done. When the pool is busy with another caller's
 * work, and inside a unit or a helper's job, the calling thread does everything itself (as worker
 * 0); likewise in a child after fork(), where the helpers do not exist. On errors: the status and
 * text of the lowest failing unit; all units before it have been done, those after it may have
 * been.
 */
ic_status ic_pool_run(ic_pool *pool, int64_t count, ic_unit_fn unit, void *arguments);

/*
 * Work for later: helpers do queued jobs, in order, when no ic_pool_run needs them; with one thread
 * ic_pool_wait does them. The job's memory belongs to the pool until ic_pool_wait or
 * ic_pool_withdraw came back. One thread waits for a job. Free the pool's context only when no job
 * is out.
 */
typedef struct ic_job {
    ic_status (*run)(void *arguments);
    void *arguments;
    /* private to the pool */
    struct ic_job *next;
    int32_t state;
    ic_status status;
    char error[IC_ERROR_TEXT_MAX];
} ic_job;

void ic_pool_post(ic_pool *pool, ic_job *job);

/* Returns the job's status once it is done; does it on this thread if nobody has begun. */
ic_status ic_pool_wait(ic_pool *pool, ic_job *job);

/* Takes a job back: not begun: it never runs; under way: waits for its end. */
void ic_pool_withdraw(ic_pool *pool, ic_job *job);

/* Made and unmade by the context. */
ic_status ic_pool_create(ic_context *context, int32_t threads, ic_pool **out);
void ic_pool_free(ic_context *context, ic_pool *pool);

/* A lock for the few places outside base that need one. */
typedef struct ic_lock ic_lock;
ic_status ic_lock_create(ic_context *context, ic_lock **out);
void ic_lock_take(ic_lock *lock);
void ic_lock_give(ic_lock *lock);
void ic_lock_free(ic_context *context, ic_lock *lock);

#endif

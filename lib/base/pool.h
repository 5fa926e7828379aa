/* base/pool.h: threads that share work. SPDX-License-Identifier: MIT */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include "base/context.h"

/*
 * A pool of threads-1 helper threads beside the caller; threads == 1 starts none. Work is
 * claimed in units atomically; which thread does a unit never shows in the result, as units are
 * cut by shape alone. Helpers spin briefly, then sleep.
 */

/* One unit of work; worker is in 0..threads-1, no two at a time share one: an index for scratch
 * memory. */
typedef ic_status (*ic_unit_fn)(void *arguments, int64_t unit, int32_t worker);

int32_t ic_pool_threads(const ic_pool *pool);

/*
 * Does units 0..count-1 and returns when all are done. When the pool is busy with another
 * caller's work, the calling thread does everything itself (as worker 0). On errors: the status and
 * text of the lowest failing unit; units after it may or may not have been done.
 */
ic_status ic_pool_run(ic_pool *pool, int64_t count, ic_unit_fn unit, void *arguments);

/*
 * Work for later: helpers do queued jobs, in order, when no ic_pool_run needs them. The job's
 * memory belongs to the caller until ic_pool_wait or ic_pool_withdraw came back.
 */
typedef struct ic_job {
    ic_status (*run)(void *arguments);
    void *arguments;
    /* private to the pool */
    struct ic_job *next;
    int32_t state;
    ic_status status;
    char error[256];
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

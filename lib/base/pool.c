/*
 * base/pool.c: threads that share work. A run is published through one atomic word, the gate: the
 * number of the run, whether it is open, and how many helpers are inside. Helpers join while it is
 * open; the caller works along, closes the gate when nothing is left to claim and waits for the
 * last helper to leave. A helper that sleeps late or is inside a job just does not join.
 * SPDX-License-Identifier: MIT
 */
#define _POSIX_C_SOURCE 200809L
#include "base/pool.h"

#include "base/cpu.h"
#include "base/memory.h"
#include "base/status.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/* The gate: helpers inside in the low bits, then the open bit, then the run's number. */
#define GATE_INSIDE ((uint64_t)0xFFFF)
#define GATE_OPEN   ((uint64_t)1 << 16)
#define GATE_RUN    ((uint64_t)1 << 17)

/* A sleeping thread takes about 50 us to come back: worth a wait of that order. */
#define SPIN_SECONDS 40e-6

enum { JOB_IDLE = 0, JOB_QUEUED, JOB_RUNNING, JOB_DONE };

/*
 * The units of a run are cut into as many stretches as there are threads. Each thread takes those
 * of its own stretch first, then what is left of the others: so runs over the same data, one after
 * the other, find most of it in the cache of the core that wrote it.
 */
typedef struct stretch {
    _Alignas(64) _Atomic int64_t next; /* the first unit that nobody has claimed */
    int64_t end;
} stretch;

typedef struct helper {
    ic_pool *pool;
    pthread_t thread;
    int32_t worker;
} helper;

struct ic_pool {
    int32_t threads;
    int32_t started;     /* helpers under way */
    pid_t process;       /* the maker: threads do not survive a fork */
    double spin_seconds; /* 0 when there are more threads than cores */
    atomic_flag busy;    /* taken by the caller of the run under way */
    _Atomic uint64_t gate;

    /* The run under way: written before the gate opens, read by those who joined. */
    ic_unit_fn unit;
    void *arguments;
    stretch *stretches;     /* by worker */
    _Atomic int64_t failed; /* the lowest failing unit so far, count when none */

    pthread_mutex_t lock; /* guards what is below, and sleeping */
    pthread_cond_t wake;  /* for helpers: there is work, or the end */
    pthread_cond_t done;  /* for callers: a run or a job is done */
    atomic_int sleeping;  /* helpers that wait for `wake` */
    atomic_int waiting;   /* callers that wait for the gate to empty */
    atomic_bool stop;
    atomic_int queued;
    ic_job *first_job, *last_job;
    ic_status failed_status;
    char failed_text[IC_ERROR_TEXT_MAX];
    helper helpers[];
};

/* The pool whose helper this thread is: a helper never leads a run. */
static _Thread_local const ic_pool *helper_of;

static void pause_briefly(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* Keeps the error of the lowest failing unit. */
static void record_failure(ic_pool *pool, int64_t unit, ic_status status)
{
    pthread_mutex_lock(&pool->lock);
    if (unit < atomic_load(&pool->failed)) {
        atomic_store(&pool->failed, unit);
        pool->failed_status = status;
        ic_error_copy(pool->failed_text, sizeof pool->failed_text);
    }
    pthread_mutex_unlock(&pool->lock);
}

/*
 * Claims and does units until none are left. Every unit below the lowest failing one is done, so
 * which error the caller sees does not depend on timing.
 */
static void work(ic_pool *pool, int32_t worker)
{
    for (int32_t i = 0; i < pool->threads; i++) {
        stretch *from = &pool->stretches[(worker + i) % pool->threads];
        for (;;) {
            int64_t unit = atomic_fetch_add_explicit(&from->next, 1, memory_order_relaxed);
            if (unit >= from->end ||
                unit > atomic_load_explicit(&pool->failed, memory_order_relaxed))
                break;
            ic_status status = pool->unit(pool->arguments, unit, worker);
            if (status < 0)
                record_failure(pool, unit, status);
        }
    }
}

static ic_status work_alone(int64_t count, ic_unit_fn unit, void *arguments)
{
    for (int64_t i = 0; i < count; i++)
        IC_TRY(unit(arguments, i, 0));
    return IC_OK;
}

/* Enters an open run that this helper has not been in (run number `last`). */
static bool join_run(ic_pool *pool, uint64_t *last)
{
    uint64_t gate = atomic_load(&pool->gate);
    while ((gate & GATE_OPEN) != 0 && gate / GATE_RUN != *last)
        if (atomic_compare_exchange_weak(&pool->gate, &gate, gate + 1)) {
            *last = gate / GATE_RUN;
            return true;
        }
    return false;
}

static void leave_run(ic_pool *pool)
{
    uint64_t gate = atomic_fetch_sub(&pool->gate, 1) - 1;
    if ((gate & (GATE_OPEN | GATE_INSIDE)) == 0 && atomic_load(&pool->waiting) != 0) {
        pthread_mutex_lock(&pool->lock);
        pthread_cond_broadcast(&pool->done);
        pthread_mutex_unlock(&pool->lock);
    }
}

/* Under the lock: takes the first job from the queue, NULL when it is empty. */
static ic_job *take_first_job(ic_pool *pool)
{
    ic_job *job = pool->first_job;
    if (job == NULL)
        return NULL;
    pool->first_job = job->next;
    if (pool->first_job == NULL)
        pool->last_job = NULL;
    atomic_fetch_sub(&pool->queued, 1);
    job->state = JOB_RUNNING;
    return job;
}

static bool do_queued_job(ic_pool *pool)
{
    if (atomic_load(&pool->queued) == 0)
        return false;
    pthread_mutex_lock(&pool->lock);
    ic_job *job = take_first_job(pool);
    pthread_mutex_unlock(&pool->lock);
    if (job == NULL)
        return false;
    ic_status status = job->run(job->arguments);
    if (status < 0)
        ic_error_copy(job->error, sizeof job->error);
    pthread_mutex_lock(&pool->lock);
    job->status = status;
    job->state = JOB_DONE;
    pthread_cond_broadcast(&pool->done);
    pthread_mutex_unlock(&pool->lock);
    return true;
}

static bool has_work(ic_pool *pool, uint64_t last)
{
    uint64_t gate = atomic_load(&pool->gate);
    return ((gate & GATE_OPEN) != 0 && gate / GATE_RUN != last) || atomic_load(&pool->queued) > 0 ||
           atomic_load(&pool->stop);
}

/* Spins, then sleeps, until there is something to do. */
static void await_work(ic_pool *pool, uint64_t last)
{
    double until = ic_clock_seconds() + pool->spin_seconds;
    do {
        for (int i = 0; i < 32; i++) {
            if (has_work(pool, last))
                return;
            pause_briefly();
        }
    } while (ic_clock_seconds() < until);

    pthread_mutex_lock(&pool->lock);
    atomic_fetch_add(&pool->sleeping, 1);
    while (!has_work(pool, last))
        pthread_cond_wait(&pool->wake, &pool->lock);
    atomic_fetch_sub(&pool->sleeping, 1);
    pthread_mutex_unlock(&pool->lock);
}

static void *help(void *argument)
{
    helper *self = argument;
    ic_pool *pool = self->pool;
    uint64_t last = 0;
    helper_of = pool;
    while (!atomic_load(&pool->stop)) {
        if (join_run(pool, &last)) {
            work(pool, self->worker);
            leave_run(pool);
        } else if (!do_queued_job(pool)) {
            await_work(pool, last);
        }
    }
    return NULL;
}

/* Callers look at `sleeping` after they have published work, helpers for work after they count as
 * sleeping. */
static void wake_helpers(ic_pool *pool)
{
    if (atomic_load(&pool->sleeping) == 0)
        return;
    pthread_mutex_lock(&pool->lock);
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->lock);
}

static bool gate_empty(ic_pool *pool)
{
    return (atomic_load(&pool->gate) & GATE_INSIDE) == 0;
}

static void await_helpers(ic_pool *pool)
{
    double until = ic_clock_seconds() + pool->spin_seconds;
    do {
        for (int i = 0; i < 32; i++) {
            if (gate_empty(pool))
                return;
            pause_briefly();
        }
    } while (ic_clock_seconds() < until);

    pthread_mutex_lock(&pool->lock);
    atomic_fetch_add(&pool->waiting, 1);
    while (!gate_empty(pool))
        pthread_cond_wait(&pool->done, &pool->lock);
    atomic_fetch_sub(&pool->waiting, 1);
    pthread_mutex_unlock(&pool->lock);
}

static bool has_helpers(const ic_pool *pool)
{
    return pool->threads > 1 && pool->process == getpid();
}

ic_status ic_pool_run(ic_pool *pool, int64_t count, ic_unit_fn unit, void *arguments)
{
    if (count <= 1 || helper_of == pool || !has_helpers(pool) ||
        atomic_flag_test_and_set(&pool->busy))
        return work_alone(count, unit, arguments);
    pool->unit = unit;
    pool->arguments = arguments;
    for (int32_t i = 0; i < pool->threads; i++) {
        atomic_store(&pool->stretches[i].next, count * i / pool->threads);
        pool->stretches[i].end = count * (i + 1) / pool->threads;
    }
    atomic_store(&pool->failed, count);
    atomic_fetch_add(&pool->gate, GATE_RUN + GATE_OPEN);
    wake_helpers(pool);

    work(pool, 0);
    atomic_fetch_and(&pool->gate, ~GATE_OPEN);
    await_helpers(pool);

    ic_status status = IC_OK;
    if (atomic_load(&pool->failed) < count) {
        status = pool->failed_status;
        ic_error_set(pool->failed_text);
    }
    atomic_flag_clear(&pool->busy);
    return status;
}

void ic_pool_post(ic_pool *pool, ic_job *job)
{
    job->next = NULL;
    job->status = IC_OK;
    job->error[0] = '\0';
    job->state = JOB_QUEUED;
    if (!has_helpers(pool))
        return;
    pthread_mutex_lock(&pool->lock);
    if (pool->last_job != NULL)
        pool->last_job->next = job;
    else
        pool->first_job = job;
    pool->last_job = job;
    atomic_fetch_add(&pool->queued, 1);
    pthread_cond_signal(&pool->wake);
    pthread_mutex_unlock(&pool->lock);
}

/* Under the lock: takes a job out of the middle of the queue. */
static void unlink_job(ic_pool *pool, ic_job *job)
{
    ic_job *before = NULL;
    for (ic_job *at = pool->first_job; at != NULL; before = at, at = at->next) {
        if (at != job)
            continue;
        if (before != NULL)
            before->next = job->next;
        else
            pool->first_job = job->next;
        if (pool->last_job == job)
            pool->last_job = before;
        atomic_fetch_sub(&pool->queued, 1);
        return;
    }
}

/*
 * Takes a job that nobody has begun out of the queue, else waits for its end. Returns the state it
 * was left in: JOB_QUEUED (now the caller's), JOB_DONE or JOB_IDLE; JOB_RUNNING only in a forked
 * child, where whoever ran it is gone (and the lock may be held for ever, so it is not touched).
 */
static int32_t settle_job(ic_pool *pool, ic_job *job)
{
    if (!has_helpers(pool))
        return job->state;
    pthread_mutex_lock(&pool->lock);
    while (job->state == JOB_RUNNING)
        pthread_cond_wait(&pool->done, &pool->lock);
    int32_t state = job->state;
    if (state == JOB_QUEUED)
        unlink_job(pool, job);
    pthread_mutex_unlock(&pool->lock);
    return state;
}

ic_status ic_pool_wait(ic_pool *pool, ic_job *job)
{
    int32_t state = settle_job(pool, job);
    if (state == JOB_QUEUED) {
        job->status = job->run(job->arguments);
        if (job->status < 0)
            ic_error_copy(job->error, sizeof job->error);
        job->state = JOB_DONE;
        return job->status;
    }
    if (state != JOB_DONE)
        return ic_fail(IC_ERROR_STATE, "a background job is waited for that was not posted in this "
                                       "process");
    if (job->status < 0)
        ic_error_set(job->error);
    return job->status;
}

void ic_pool_withdraw(ic_pool *pool, ic_job *job)
{
    settle_job(pool, job);
    job->state = JOB_IDLE;
}

int32_t ic_pool_threads(const ic_pool *pool)
{
    return pool->threads;
}

/* Helpers run with all signals blocked: the host's handlers stay on the host's threads. */
static ic_status start_helpers(ic_pool *pool)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = 0;
    for (int32_t i = 0; i < pool->threads - 1 && error == 0; i++) {
        pool->helpers[i].pool = pool;
        pool->helpers[i].worker = i + 1;
        error = pthread_create(&pool->helpers[i].thread, NULL, help, &pool->helpers[i]);
        pool->started += error == 0;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error != 0)
        return ic_fail(IC_ERROR_MEMORY,
                       "the system refused to start thread %d of %d (error %d): set the option "
                       "\"threads\" lower",
                       pool->started + 2, pool->threads, error);
    return IC_OK;
}

ic_status ic_pool_create(ic_context *context, int32_t threads, ic_pool **out)
{
    ic_pool *pool;
    size_t helpers = (size_t)(threads - 1) * sizeof(helper);
    IC_TRY(ic_allocate_zero(context, sizeof *pool + helpers, &pool));
    pool->threads = threads;
    pool->process = getpid();
    pool->spin_seconds = threads <= ic_cpu_count() ? SPIN_SECONDS : 0;
    atomic_flag_clear(&pool->busy);
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->wake, NULL);
    pthread_cond_init(&pool->done, NULL);
    ic_status status =
        ic_allocate_array(context, (size_t)threads, sizeof *pool->stretches, &pool->stretches);
    if (status == IC_OK)
        status = start_helpers(pool);
    if (status < 0)
        ic_pool_free(context, pool);
    else
        *out = pool;
    return status;
}

void ic_pool_free(ic_context *context, ic_pool *pool)
{
    if (pool == NULL)
        return;
    if (pool->process == getpid()) {
        atomic_store(&pool->stop, true);
        pthread_mutex_lock(&pool->lock);
        pthread_cond_broadcast(&pool->wake);
        pthread_mutex_unlock(&pool->lock);
        for (int32_t i = 0; i < pool->started; i++)
            pthread_join(pool->helpers[i].thread, NULL);
        pthread_cond_destroy(&pool->done);
        pthread_cond_destroy(&pool->wake);
        pthread_mutex_destroy(&pool->lock);
    }
    ic_free(context, pool->stretches);
    ic_free(context, pool);
}

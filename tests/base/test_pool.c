/* test_pool.c: shared runs, errors, nesting, background jobs, forks. SPDX-License-Identifier: MIT
 */
#define _POSIX_C_SOURCE 200809L
#include "base/pool.h"
#include "base/status.h"
#include "support/support.h"

#include <pthread.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { UNITS = 500 };

/* What the units of one run write down. */
typedef struct work {
    atomic_int hits[UNITS];
    atomic_int workers[8]; /* under way with this index */
    int32_t threads;
    int64_t fail_at[2];
    ic_pool *pool;
} work;

static void spend(int64_t nanoseconds)
{
    struct timespec time = {0, (long)nanoseconds};
    nanosleep(&time, NULL);
}

static ic_pool *pool_of(ic_context *context)
{
    ic_pool *pool;
    assert_ok(ic_context_pool(context, &pool));
    return pool;
}

static ic_status count_unit(void *arguments, int64_t unit, int32_t worker)
{
    work *it = arguments;
    if (worker < 0 || worker >= it->threads || atomic_fetch_add(&it->workers[worker], 1) != 0)
        return ic_fail(IC_ERROR_INTERNAL, "worker %d is shared", worker);
    atomic_fetch_add(&it->hits[unit], 1);
    ic_status status = IC_OK;
    if (unit == it->fail_at[0] || unit == it->fail_at[1])
        status = ic_fail(IC_ERROR_DATA, "unit %lld", (long long)unit);
    atomic_fetch_sub(&it->workers[worker], 1);
    return status;
}

static void test_every_unit_once(void **state)
{
    (void)state;
    for (int32_t threads = 1; threads <= 4; threads++) {
        ic_context *context = test_context(threads);
        ic_pool *pool = pool_of(context);
        assert_int_equal(ic_pool_threads(pool), threads);
        work it = {.threads = threads, .fail_at = {-1, -1}};
        ic_error_set("untouched");
        for (int run = 0; run < 300; run++) {
            assert_ok(ic_pool_run(pool, run % UNITS, count_unit, &it));
            if (run % 50 == 0)
                spend(300000); /* long enough for helpers to fall asleep */
        }
        for (int i = 0; i < UNITS; i++)
            assert_int_equal(it.hits[i], i < 299 ? 299 - i : 0);
        assert_string_equal(ic_last_error(), "untouched");
        ic_context_free(context);
    }
}

static void test_lowest_failing_unit_wins(void **state)
{
    (void)state;
    for (int32_t threads = 1; threads <= 4; threads += 3) {
        ic_context *context = test_context(threads);
        for (int run = 0; run < 100; run++) {
            work it = {.threads = threads, .fail_at = {321, 123 + run}};
            int64_t lowest = it.fail_at[0] < it.fail_at[1] ? it.fail_at[0] : it.fail_at[1];
            assert_int_equal(ic_pool_run(pool_of(context), UNITS, count_unit, &it), IC_ERROR_DATA);
            char wanted[32] = "unit ";
            size_t length = strlen(wanted);
            wanted[length] = (char)('0' + lowest / 100);
            wanted[length + 1] = (char)('0' + lowest / 10 % 10);
            wanted[length + 2] = (char)('0' + lowest % 10);
            assert_string_equal(ic_last_error(), wanted);
            for (int64_t i = 0; i <= lowest; i++)
                assert_int_equal(it.hits[i], 1);
            int after = 0;
            for (int64_t i = lowest + 1; i < UNITS; i++)
                after += it.hits[i];
            assert_true(threads > 1 || after == 0);
        }
        ic_context_free(context);
    }
}

static ic_status nest(void *arguments, int64_t unit, int32_t worker)
{
    work *it = arguments;
    work inner = {.threads = 1, .fail_at = {-1, -1}};
    IC_TRY(count_unit(arguments, unit, worker));
    IC_TRY(ic_pool_run(it->pool, 20, count_unit, &inner));
    for (int i = 0; i < 20; i++)
        if (inner.hits[i] != 1)
            return ic_fail(IC_ERROR_INTERNAL, "an inner unit was done %d times", inner.hits[i]);
    return IC_OK;
}

static void test_nested_runs_are_done_inline(void **state)
{
    (void)state;
    ic_context *context = test_context(3);
    work it = {.threads = 3, .fail_at = {-1, -1}, .pool = pool_of(context)};
    assert_ok(ic_pool_run(it.pool, UNITS, nest, &it));
    for (int i = 0; i < UNITS; i++)
        assert_int_equal(it.hits[i], 1);
    ic_context_free(context);
}

typedef struct caller {
    ic_context *context;
    int32_t failures;
} caller;

static void *call_often(void *payload)
{
    caller *self = payload;
    ic_pool *pool;
    if (ic_context_pool(self->context, &pool) != IC_OK)
        self->failures++;
    for (int run = 0; run < 100; run++) {
        work it = {.threads = 3, .fail_at = {run % 2 ? 40 : -1, -1}};
        ic_status status = ic_pool_run(pool, 100, count_unit, &it);
        self->failures += status != (run % 2 ? IC_ERROR_DATA : IC_OK);
        self->failures += status < 0 && strcmp(ic_last_error(), "unit 40") != 0;
        for (int i = 0; i <= 40; i++)
            self->failures += it.hits[i] != 1;
    }
    return NULL;
}

/* Several callers of one pool, which also race for its making. */
static void test_callers_share_a_pool(void **state)
{
    (void)state;
    enum { CALLERS = 4 };
    ic_context *context = test_context(3);
    pthread_t threads[CALLERS];
    caller callers[CALLERS];
    for (int i = 0; i < CALLERS; i++) {
        callers[i] = (caller){context, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, call_often, &callers[i]), 0);
    }
    for (int i = 0; i < CALLERS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(callers[i].failures, 0);
    }
    ic_context_free(context);
}

typedef struct task {
    ic_job job;
    ic_pool *pool;
    atomic_int *order; /* counts the tasks begun */
    int32_t place, times;
    ic_status result;
    int64_t nanoseconds;
    atomic_int *held; /* the task lasts until it is 0; NULL: it does not wait */
} task;

static ic_status do_task(void *arguments)
{
    task *self = arguments;
    self->place = atomic_fetch_add(self->order, 1);
    self->times++;
    spend(self->nanoseconds);
    while (self->held != NULL && atomic_load(self->held) != 0)
        spend(1000);
    return self->result < 0 ? ic_fail(self->result, "task %d", self->times) : self->result;
}

static void post(ic_pool *pool, task *it, atomic_int *order)
{
    it->job.run = do_task;
    it->job.arguments = it;
    it->order = order;
    ic_pool_post(pool, &it->job);
}

static void test_jobs_are_done_once_and_in_order(void **state)
{
    (void)state;
    enum { TASKS = 40 };
    for (int32_t threads = 1; threads <= 3; threads++) {
        ic_context *context = test_context(threads);
        ic_pool *pool = pool_of(context);
        for (int round = 0; round < 20; round++) {
            atomic_int order = 0;
            task tasks[TASKS] = {{.result = IC_OK}};
            tasks[7].result = IC_ERROR_IO;
            for (int i = 0; i < TASKS; i++)
                post(pool, &tasks[i], &order);
            if (round % 4 == 0)
                spend(1000000);
            work it = {.threads = threads, .fail_at = {-1, -1}};
            assert_ok(ic_pool_run(pool, UNITS, count_unit, &it));
            for (int i = 0; i < TASKS; i++) {
                ic_error_set("");
                assert_int_equal(ic_pool_wait(pool, &tasks[i].job), i == 7 ? IC_ERROR_IO : IC_OK);
                assert_string_equal(ic_last_error(), i == 7 ? "task 1" : "");
                assert_int_equal(tasks[i].times, 1);
                assert_true(threads > 2 || tasks[i].place == i);
            }
            assert_int_equal(ic_pool_wait(pool, &tasks[7].job), IC_ERROR_IO); /* remembers */
        }
        ic_context_free(context);
    }
}

/* Paths can be long: what was wrong stands behind them. */
static ic_status fail_at_length(void *arguments)
{
    atomic_store((atomic_int *)arguments, 1);
    return ic_fail(IC_ERROR_IO, "%0600d: the end", 0);
}

static void test_a_long_message_comes_back_whole(void **state)
{
    (void)state;
    ic_context *context = test_context(2);
    ic_pool *pool = pool_of(context);
    atomic_int begun = 0;
    ic_job job = {.run = fail_at_length, .arguments = &begun};
    ic_pool_post(pool, &job);
    while (atomic_load(&begun) == 0) /* on the helper */
        spend(100000);
    assert_fails(IC_ERROR_IO, "0: the end", ic_pool_wait(pool, &job));
    ic_context_free(context);
}

static void test_one_thread_does_jobs_in_wait_only(void **state)
{
    (void)state;
    ic_context *context = test_context(1);
    ic_pool *pool = pool_of(context);
    atomic_int order = 0;
    task it = {.result = IC_DONE}, dropped = {.result = IC_OK};
    post(pool, &it, &order);
    post(pool, &dropped, &order);
    spend(1000000);
    assert_int_equal(it.times, 0);
    assert_int_equal(ic_pool_wait(pool, &it.job), IC_DONE);
    ic_pool_withdraw(pool, &dropped.job);
    assert_int_equal(dropped.times, 0);
    assert_fails(IC_ERROR_STATE, "not posted", ic_pool_wait(pool, &dropped.job));
    ic_context_free(context);
}

static void test_withdraw(void **state)
{
    (void)state;
    ic_context *context = test_context(2);
    ic_pool *pool = pool_of(context);
    for (int round = 0; round < 30; round++) {
        atomic_int order = 0, held = round % 2 == 0;
        task slow = {.nanoseconds = 100000, .held = &held}, middle = {.result = IC_OK},
             last = {.result = IC_OK};
        post(pool, &slow, &order);
        while (round % 2 == 0 && atomic_load(&order) == 0)
            spend(1000);
        post(pool, &middle, &order);
        post(pool, &last, &order);
        ic_pool_withdraw(pool, &middle.job); /* the only helper is at `slow` */
        atomic_store(&held, 0);
        ic_pool_withdraw(pool, &slow.job);
        if (round % 2 == 0) {
            assert_int_equal(slow.times, 1); /* was under way: its end was awaited */
            assert_int_equal(middle.times, 0);
        }
        assert_ok(ic_pool_wait(pool, &last.job));
        assert_int_equal(last.times, 1);
    }
    ic_context_free(context);
}

static ic_status run_inside(void *arguments)
{
    task *self = arguments;
    work it = {.threads = 3, .fail_at = {-1, -1}};
    IC_TRY(ic_pool_run(self->pool, UNITS, count_unit, &it));
    for (int i = 0; i < UNITS; i++)
        if (it.hits[i] != 1)
            return ic_fail(IC_ERROR_INTERNAL, "unit %d was done %d times", i, it.hits[i]);
    return IC_OK;
}

static void test_jobs_may_run_units(void **state)
{
    (void)state;
    ic_context *context = test_context(3);
    task tasks[10] = {{.result = IC_OK}};
    for (int i = 0; i < 10; i++) {
        tasks[i].pool = pool_of(context);
        tasks[i].job.run = run_inside;
        tasks[i].job.arguments = &tasks[i];
        ic_pool_post(tasks[i].pool, &tasks[i].job);
    }
    for (int i = 9; i >= 0; i--)
        assert_ok(ic_pool_wait(tasks[i].pool, &tasks[i].job));
    ic_context_free(context);
}

/* Exits of the child say which check failed; it must not return into CMocka. */
static int in_child(ic_context *context, ic_pool *pool, ic_job *queued)
{
    work it = {.threads = 1, .fail_at = {-1, -1}};
    if (ic_pool_run(pool, UNITS, count_unit, &it) != IC_OK || it.hits[UNITS - 1] != 1)
        return 1;
    atomic_int order = 0;
    task own = {.result = IC_DONE};
    post(pool, &own, &order);
    if (ic_pool_wait(pool, &own.job) != IC_DONE || own.times != 1)
        return 2;
    ic_status status = ic_pool_wait(pool, queued);
    if (status != IC_OK && status != IC_ERROR_STATE)
        return 3;
    ic_context_free(context);
    return 0;
}

static void test_child_of_a_fork_works_alone(void **state)
{
    (void)state;
    for (int round = 0; round < 20; round++) {
        ic_context *context = test_context(3);
        ic_pool *pool = pool_of(context);
        atomic_int order = 0;
        task it = {.nanoseconds = 100000};
        post(pool, &it, &order);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            _exit(in_child(context, pool, &it.job));
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
        assert_ok(ic_pool_wait(pool, &it.job));
        ic_context_free(context);
    }
}

/* Helpers that have nothing to do sleep: a while after its last work a pool takes no time at all.
 */
static void test_a_pool_at_rest_takes_no_time(void **state)
{
    (void)state;
    ic_context *context = test_context(3);
    ic_pool *pool = pool_of(context);
    work it = {.threads = 3, .fail_at = {-1, -1}};
    for (int32_t run = 0; run < 100; run++)
        assert_ok(ic_pool_run(pool, UNITS, count_unit, &it));
    spend(50000000);          /* until the helpers are asleep */
    clock_t before = clock(); /* of all threads of the process */
    spend(500000000);
    assert_true((double)(clock() - before) / CLOCKS_PER_SEC < 0.005);
    ic_context_free(context);
}

static ic_status make_pool(ic_context *context, void *payload)
{
    (void)payload;
    ic_pool *pool;
    return ic_context_pool(context, &pool);
}

static void test_running_out(void **state)
{
    (void)state;
    assert_int_equal(test_fail_each_allocation(make_pool, NULL), 2);
}

static void test_locks(void **state)
{
    (void)state;
    ic_context *context = test_context(1);
    ic_lock *lock;
    assert_ok(ic_lock_create(context, &lock));
    ic_lock_take(lock);
    ic_lock_give(lock);
    ic_lock_take(lock);
    ic_lock_give(lock);
    ic_lock_free(context, lock);
    ic_lock_free(context, NULL);
    ic_context_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_unit_once),
        cmocka_unit_test(test_lowest_failing_unit_wins),
        cmocka_unit_test(test_nested_runs_are_done_inline),
        cmocka_unit_test(test_callers_share_a_pool),
        cmocka_unit_test(test_jobs_are_done_once_and_in_order),
        cmocka_unit_test(test_a_long_message_comes_back_whole),
        cmocka_unit_test(test_one_thread_does_jobs_in_wait_only),
        cmocka_unit_test(test_withdraw),
        cmocka_unit_test(test_jobs_may_run_units),
        cmocka_unit_test(test_child_of_a_fork_works_alone),
        cmocka_unit_test(test_a_pool_at_rest_takes_no_time),
        cmocka_unit_test(test_running_out),
        cmocka_unit_test(test_locks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

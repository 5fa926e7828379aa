/*
 * train/test_steady.c: a training in full swing calls no malloc, neither the library's nor one of
 * a library below it. SPDX-License-Identifier: MIT
 */
#include "shapes.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define INTERPOSED 1
#else
#define INTERPOSED 0
#endif

#if INTERPOSED

/* glibc's own, under the names that it keeps for programs that bring their malloc. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *block, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

static atomic_llong calls; /* of all threads */

void *malloc(size_t size)
{
    calls++;
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    calls++;
    return __libc_calloc(count, size);
}

void *realloc(void *block, size_t size)
{
    calls++;
    return __libc_realloc(block, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    calls++;
    return __libc_memalign(alignment, size);
}

/* The mallocs of 12 steps in the second epoch, when all pictures are decoded. */
static long long steady_calls(const char *network, const char *limit, const char *optimizer)
{
    enum { EPOCH = 17 + 3 }; /* 153 pictures in steps of 9, and 27 of validation */
    const char *const pairs[] = {
        "network",    network, "epochs",       "2",   "input_size", "32",
        "batch_size", "9",     "memory_limit", limit, "optimizer",  optimizer,
        "average",    "ema",   "clip_norm",    "1",   NULL};
    ic_context *context = test_context(2);
    ic_options *options = shapes_options(context, pairs);
    ic_dataset *data;
    ic_model *model;
    ic_trainer *trainer;
    assert_ok(shapes_dataset(context, 0, 60, &data));
    assert_ok(ic_model_create(context, data, options, &model));
    assert_ok(ic_trainer_create(model, data, NULL, options, &trainer));
    long long before = calls;
    assert_true(before > 0);
    for (int32_t i = 0; i < EPOCH + 4; i++)
        assert_ok(ic_train_step(trainer));
    assert_true(calls > before); /* the first epoch does: the count counts */
    before = calls;
    for (int32_t i = 0; i < 12; i++)
        assert_ok(ic_train_step(trainer));
    long long made = calls - before;
    ic_trainer_free(trainer);
    ic_model_free(model);
    ic_dataset_free(data);
    ic_options_free(options);
    ic_context_free(context);
    return made;
}

static void steady_steps_call_no_malloc(void **state)
{
    assert_int_equal(steady_calls("lenet5", "0", "sgd"), 0);
    assert_int_equal(steady_calls("plain", "0", "sgd"), 0);
    assert_int_equal(steady_calls("plain", "0", "muon"), 0);
    assert_int_equal(steady_calls("mobilenet_v2", "0", "sgd"), 0);
    assert_int_equal(steady_calls("mobilenet_v2", "6", "sgd"),
                     0); /* with activations computed again */
}

#else

static void steady_steps_call_no_malloc(void **state)
{
    print_message("malloc belongs to somebody else here: skipped\n");
    skip();
}

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(steady_steps_call_no_malloc)};
    return cmocka_run_group_tests_name("train/steady", tests, NULL, NULL);
}

/*
 * test_out_of_memory.c: the whole path with every single malloc failing in turn, once and from
 * there on, also those that libpng, libjpeg, jansson and zlib make: the answer is IC_ERROR_MEMORY,
 * and nothing is left behind. SPDX-License-Identifier: MIT
 */
#include "path.h"

#include "support/support.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define INTERPOSED 1
#else
#define INTERPOSED 0
#endif

static const char *folder;

#if INTERPOSED

/* glibc's own, under the names that it keeps for programs that bring their malloc. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *block, size_t size);
extern void __libc_free(void *block);

static struct {
    int on, once;
    int64_t calls, fail_at, live;
} sweep;

static int refuse(void)
{
    if (!sweep.on)
        return 0;
    sweep.calls++;
    int refused = sweep.once ? sweep.calls == sweep.fail_at : sweep.calls >= sweep.fail_at;
    if (refused)
        errno = ENOMEM;
    return refused;
}

static void *count(void *block)
{
    sweep.live += sweep.on && block != NULL;
    return block;
}

void *malloc(size_t size)
{
    return refuse() ? NULL : count(__libc_malloc(size));
}

void *calloc(size_t n, size_t size)
{
    return refuse() ? NULL : count(__libc_calloc(n, size));
}

void *realloc(void *block, size_t size)
{
    if (refuse())
        return NULL;
    void *moved = __libc_realloc(block, size);
    sweep.live += sweep.on && block == NULL && moved != NULL;
    sweep.live -= sweep.on && block != NULL && moved == NULL; /* size 0 */
    return moved;
}

void free(void *block)
{
    sweep.live -= sweep.on && block != NULL;
    __libc_free(block);
}

static ic_status attempt(int64_t fail_at, int once)
{
    ic_context *context = NULL;
    ic_options *options = NULL;
    sweep.fail_at = fail_at;
    sweep.once = once;
    sweep.calls = 0;
    sweep.live = 0;
    sweep.on = 1;
    ic_status status = ic_context_create(&context);
    if (status >= 0)
        status = ic_options_create(context, &options);
    if (status >= 0)
        status = ic_options_set_int(options, "threads", 1); /* no thread: all mallocs are ours */
    if (status >= 0)
        status = ic_context_configure(context, options);
    if (status >= 0)
        status = path_whole(context, folder);
    ic_options_free(options);
    ic_context_free(context);
    sweep.on = 0;
    return status;
}

static void every_malloc_fails(void **state)
{
    (void)state;
    assert_ok(
        attempt(INT64_MAX, 0)); /* what the C library and others keep for themselves is made now */
    assert_ok(attempt(INT64_MAX, 0));
    int64_t calls = sweep.calls;
    assert_int_equal(sweep.live, 0);
    assert_true(calls > 1000);
    int64_t refused = 0;
    for (int once = 0; once < 2; once++)
        for (int64_t at = 1; at <= calls; at++) {
            ic_status status = attempt(at, once);
            if (status >= 0 && once)
                continue; /* a library found another way (qsort sorts in place, say) */
            if (status != IC_ERROR_MEMORY || strlen(ic_last_error()) == 0)
                fail_msg("malloc %lld of %lld, once %d: %s, %s", (long long)at, (long long)calls,
                         once, ic_status_name(status), ic_last_error());
            if (sweep.live != 0)
                fail_msg("malloc %lld, once %d: %lld blocks left", (long long)at, once,
                         (long long)sweep.live);
            refused++;
        }
    print_message("%lld mallocs, %lld refusals answered\n", (long long)calls, (long long)refused);
    assert_true(refused > calls);
}

#else

static void every_malloc_fails(void **state)
{
    (void)state;
    print_message("malloc belongs to somebody else here: skipped\n");
    skip();
}

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_malloc_fails)};
    folder = test_folder();
    path_write_pictures(folder, 12);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    test_folder_remove(folder);
    return failed;
}

/* support/support.h: what test programs share. SPDX-License-Identifier: MIT */
#ifndef SUPPORT_SUPPORT_H
#define SUPPORT_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h> /* needs the four above */

#include <imgcls/context.h>
#include <imgcls/options.h>

#include <stdatomic.h>

/* The call returns IC_OK; its message is printed when it does not. */
#define assert_ok(call) test_expect(IC_OK, (call), "", #call, __FILE__, __LINE__)

/* The call returns `code` and its message contains `words`. */
#define assert_fails(code, words, call)                                                            \
    test_expect((code), (call), (words), #call, __FILE__, __LINE__)

void test_expect(ic_status wanted, ic_status got, const char *words, const char *call,
                 const char *file, int line);

/*
 * An allocator that counts, and fails on demand. Zero-initialise; fail_at N > 0 fails the N-th
 * allocation from there on (growing counts as one), only that one when `once` is set. Thread-safe;
 * freeing never fails.
 */
typedef struct test_allocator {
    int64_t fail_at;
    int once;
    _Atomic int64_t calls;  /* allocations asked for so far */
    _Atomic int64_t failed; /* how many of them were refused */
    _Atomic int64_t live;   /* blocks not yet freed: 0 at the end, or something leaked */
} test_allocator;

/* An ic_allocate_fn; payload: a test_allocator. */
void *test_allocate(void *block, size_t size, void *payload);

/*
 * A context with this many threads (0: all cores) and, when one is given, this allocator. Fails the
 * test when it cannot be made.
 */
ic_context *test_context(int32_t threads);
ic_context *test_context_with(test_allocator *allocator, int32_t threads);

/*
 * Runs `flow` with the first allocation failing, then the second, and so on until it passes, in
 * both modes. Each failure must be IC_ERROR_MEMORY and leave no block behind. flow(context,
 * payload) gets a fresh context of one thread each time. Returns how many allocations the flow
 * makes.
 */
int64_t test_fail_each_allocation(ic_status (*flow)(ic_context *context, void *payload),
                                  void *payload);

/* A new empty folder under TMPDIR or /tmp. Static text, valid until the program ends. */
const char *test_folder(void);

/* Removes a folder made by test_folder and all that is in it. */
void test_folder_remove(const char *folder);

/* "folder/name" in one of a few static buffers, used in turn. */
const char *test_path(const char *folder, const char *name);

/* Writes a file, and reads one whole (the caller frees it with free; a zero stands behind it). */
void test_write(const char *path, const void *bytes, size_t size);
void *test_read_file(const char *path, size_t *size);

/*
 * A pack of real pictures, "flowers" say: its path, or NULL (and a line saying that this part is
 * skipped) when IMGCLS_TEST_DATA is not set or does not have it.
 */
const char *test_data(const char *pack);

#endif

/* support/support.c: allocator, folders and checks of the test programs. SPDX-License-Identifier:
 * MIT */
#define _XOPEN_SOURCE 700 /* nftw, mkdtemp */
#include "support/support.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PATH_LENGTH = 1024, PATHS = 16 };

void test_expect(ic_status wanted, ic_status got, const char *words, const char *call,
                 const char *file, int line)
{
    const char *message = ic_last_error();
    if (got == wanted && (got >= 0 || strstr(message, words) != NULL))
        return;
    print_error("%s\n  returned %s: %s\n  expected %s%s%s\n", call, ic_status_name(got),
                got < 0 ? message : "", ic_status_name(wanted), words[0] != '\0' ? ": " : "",
                words);
    _fail(file, line);
}

void *test_allocate(void *block, size_t size, void *payload)
{
    test_allocator *allocator = payload;
    if (size == 0) {
        if (block != NULL)
            atomic_fetch_sub(&allocator->live, 1);
        free(block);
        return NULL;
    }
    int64_t call = atomic_fetch_add(&allocator->calls, 1) + 1;
    int64_t at = allocator->fail_at;
    if (at > 0 && (call == at || (call > at && !allocator->once))) {
        atomic_fetch_add(&allocator->failed, 1);
        return NULL;
    }
    void *result = realloc(block, size);
    if (result != NULL && block == NULL)
        atomic_fetch_add(&allocator->live, 1);
    return result;
}

static void set_threads(ic_context *context, int32_t threads)
{
    ic_options *options;
    assert_ok(ic_options_create(context, &options));
    assert_ok(ic_options_set_int(options, "threads", threads));
    assert_ok(ic_context_configure(context, options));
    ic_options_free(options);
}

ic_context *test_context(int32_t threads)
{
    ic_context *context;
    assert_ok(ic_context_create(&context));
    set_threads(context, threads);
    return context;
}

ic_context *test_context_with(test_allocator *allocator, int32_t threads)
{
    ic_context *context;
    assert_ok(ic_context_create_with_allocator(test_allocate, allocator, &context));
    set_threads(context, threads);
    return context;
}

/* One attempt; true when the flow came through without meeting the failing allocation. */
static int attempt(ic_status (*flow)(ic_context *context, void *payload), void *payload,
                   int64_t fail_at, int once)
{
    test_allocator allocator = {0};
    ic_context *context = test_context_with(&allocator, 1);
    allocator.fail_at = allocator.calls + fail_at;
    allocator.once = once;
    ic_status status = flow(context, payload);
    int64_t failed = allocator.failed;
    ic_context_free(context);
    if (allocator.live != 0)
        fail_msg("%lld blocks leaked when allocation %lld failed", (long long)allocator.live,
                 (long long)fail_at);
    if (failed == 0)
        assert_ok(status);
    else if (status != IC_ERROR_MEMORY)
        fail_msg("allocation %lld failed, and the flow returned %s: %s", (long long)fail_at,
                 ic_status_name(status), ic_last_error());
    return failed == 0;
}

int64_t test_fail_each_allocation(ic_status (*flow)(ic_context *context, void *payload),
                                  void *payload)
{
    int64_t fail_at = 1;
    for (int once = 0; once < 2; once++)
        for (fail_at = 1; !attempt(flow, payload, fail_at, once);)
            fail_at++;
    return fail_at - 1;
}

const char *test_path(const char *folder, const char *name)
{
    static char paths[PATHS][PATH_LENGTH];
    static int next;
    char *path = paths[next++ % PATHS];
    if (snprintf(path, PATH_LENGTH, "%s/%s", folder, name) >= PATH_LENGTH)
        fail_msg("%s/%s is too long", folder, name);
    return path;
}

const char *test_folder(void)
{
    static char folders[PATHS][PATH_LENGTH];
    static int next;
    const char *parent = getenv("TMPDIR");
    char *folder = folders[next++ % PATHS];
    snprintf(folder, PATH_LENGTH, "%s/imgcls-test-XXXXXX", parent != NULL ? parent : "/tmp");
    if (mkdtemp(folder) == NULL)
        fail_msg("cannot make the folder %s", folder);
    return folder;
}

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *walk)
{
    (void)about, (void)kind, (void)walk;
    return remove(path);
}

void test_folder_remove(const char *folder)
{
    nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void test_write(const char *path, const void *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    if (file == NULL || fwrite(bytes, 1, size, file) != size || fclose(file) != 0)
        fail_msg("cannot write %s", path);
}

void *test_read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    struct stat about;
    if (file == NULL || stat(path, &about) != 0)
        fail_msg("cannot read %s", path);
    *size = (size_t)about.st_size;
    char *bytes = malloc(*size + 1);
    if (bytes == NULL || fread(bytes, 1, *size, file) != *size)
        fail_msg("cannot read %s", path);
    bytes[*size] = '\0';
    fclose(file);
    return bytes;
}

const char *test_data(const char *pack)
{
    const char *data = getenv("IMGCLS_TEST_DATA");
    const char *path = data != NULL ? test_path(data, pack) : NULL;
    struct stat about;
    if (path != NULL && stat(path, &about) == 0)
        return path;
    print_message("IMGCLS_TEST_DATA/%s is missing: skipping what needs it\n", pack);
    return NULL;
}

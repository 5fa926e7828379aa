/*
 * test_file_faults.c: every system call of reading and saving fails in turn. The linker's --wrap
 * puts the functions below in place of the system's. SPDX-License-Identifier: MIT
 */
#define _POSIX_C_SOURCE 200809L
#include "base/file.h"
#include "base/status.h"
#include "support/support.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

enum operation { OPEN, READ, WRITE, FSYNC, CLOSE, RENAME, READDIR, OPERATIONS };
enum { SHORTER = -1 }; /* instead of an errno: the transfer moves one byte only */

/* The fault: the `at`-th call of the operation fails with `error`; 0: none does. */
static struct fault {
    enum operation operation;
    int at, error;
} fault;
static int calls[OPERATIONS];

static int hits(enum operation operation)
{
    calls[operation]++;
    if (operation != fault.operation || calls[operation] != fault.at || fault.error == SHORTER)
        return 0;
    errno = fault.error;
    return 1;
}

static size_t shortened(enum operation operation, size_t size)
{
    int hit = operation == fault.operation && calls[operation] == fault.at;
    return hit && fault.error == SHORTER && size > 1 ? 1 : size;
}

int __real_open64(const char *path, int flags, unsigned mode);
ssize_t __real_read(int file, void *bytes, size_t size);
ssize_t __real_write(int file, const void *bytes, size_t size);
int __real_fsync(int file);
int __real_close(int file);
int __real_rename(const char *from, const char *to);
struct dirent *__real_readdir64(DIR *folder);

int __wrap_open64(const char *path, int flags, unsigned mode);
ssize_t __wrap_read(int file, void *bytes, size_t size);
ssize_t __wrap_write(int file, const void *bytes, size_t size);
int __wrap_fsync(int file);
int __wrap_close(int file);
int __wrap_rename(const char *from, const char *to);
struct dirent *__wrap_readdir64(DIR *folder);

int __wrap_open64(const char *path, int flags, unsigned mode)
{
    return hits(OPEN) ? -1 : __real_open64(path, flags, mode);
}

ssize_t __wrap_read(int file, void *bytes, size_t size)
{
    return hits(READ) ? -1 : __real_read(file, bytes, shortened(READ, size));
}

ssize_t __wrap_write(int file, const void *bytes, size_t size)
{
    return hits(WRITE) ? -1 : __real_write(file, bytes, shortened(WRITE, size));
}

int __wrap_fsync(int file)
{
    return hits(FSYNC) ? -1 : __real_fsync(file);
}

/* As the system does: the descriptor is gone, whatever close says. */
int __wrap_close(int file)
{
    int result = __real_close(file);
    return hits(CLOSE) ? -1 : result;
}

int __wrap_rename(const char *from, const char *to)
{
    return hits(RENAME) ? -1 : __real_rename(from, to);
}

struct dirent *__wrap_readdir64(DIR *folder)
{
    return hits(READDIR) ? NULL : __real_readdir64(folder);
}

static void set_fault(enum operation operation, int at, int error)
{
    memset(calls, 0, sizeof calls);
    fault = (struct fault){operation, at, error};
}

static ic_context *context;
static const char *folder, *path;

/* How many entries a folder has, dot files included. */
static int entries(const char *where)
{
    DIR *dir = opendir(where);
    int count = -2; /* . and .. */
    assert_non_null(dir);
    while (__real_readdir64(dir) != NULL)
        count++;
    closedir(dir);
    return count;
}

static void check_content(const char *wanted)
{
    size_t size;
    char *bytes = test_read_file(path, &size);
    assert_string_equal(bytes, wanted);
    free(bytes);
}

static void test_save_fails_cleanly(void **state)
{
    (void)state;
    static const struct {
        enum operation operation;
        int at, error;
        const char *words;
    } cases[] = {
        {OPEN, 1, EACCES, "cannot create"},   {OPEN, 1, ENOSPC, "No space left"},
        {WRITE, 1, ENOSPC, "No space left"},  {WRITE, 1, EIO, "cannot write"},
        {FSYNC, 1, EIO, "cannot write"},      {FSYNC, 1, ENOSPC, "No space left"},
        {CLOSE, 1, EIO, "cannot write"},      {RENAME, 1, EIO, "cannot replace"},
        {RENAME, 1, EPERM, "cannot replace"},
    };
    int descriptors = entries("/proc/self/fd");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        test_write(path, "old", 3);
        set_fault(cases[i].operation, cases[i].at, cases[i].error);
        ic_status status = ic_file_save(context, path, "new one", 7);
        set_fault(OPEN, 0, 0);
        assert_fails(IC_ERROR_IO, cases[i].words, status);
        assert_non_null(strstr(ic_last_error(), path));
        check_content("old");
        assert_int_equal(entries(folder), 1);
        assert_int_equal(entries("/proc/self/fd"), descriptors);
    }
}

static void test_save_rides_over(void **state)
{
    (void)state;
    static const struct fault cases[] = {
        {OPEN, 1, EINTR},   {OPEN, 1, EEXIST},   {OPEN, 2, EACCES}, {OPEN, 2, EINTR},
        {WRITE, 1, EINTR},  {WRITE, 1, SHORTER}, {WRITE, 2, EINTR}, {FSYNC, 1, EINTR},
        {FSYNC, 1, EINVAL}, {FSYNC, 2, EINVAL},  {FSYNC, 2, EINTR}, {CLOSE, 1, EINTR},
    };
    int descriptors = entries("/proc/self/fd");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        test_write(path, "old", 3);
        set_fault(cases[i].operation, cases[i].at, cases[i].error);
        ic_status status = ic_file_save(context, path, "new one", 7);
        set_fault(OPEN, 0, 0);
        assert_ok(status);
        check_content("new one");
        assert_int_equal(entries(folder), 1);
        assert_int_equal(entries("/proc/self/fd"), descriptors);
    }
}

/* The new file stands by then; that it may not survive a power cut is still said. */
static void test_folder_cannot_be_made_durable(void **state)
{
    (void)state;
    set_fault(FSYNC, 2, EIO);
    ic_status status = ic_file_save(context, path, "new one", 7);
    set_fault(OPEN, 0, 0);
    assert_fails(IC_ERROR_IO, "cannot make durable", status);
    check_content("new one");
    assert_int_equal(entries(folder), 1);
}

static void test_read_and_list(void **state)
{
    (void)state;
    ic_buffer buffer = {0};
    ic_listing listing = {0};
    test_write(path, "content", 7);
    int descriptors = entries("/proc/self/fd");
    for (int at = 1; at <= 3; at++) {
        set_fault(READ, at, at < 3 ? EINTR : SHORTER);
        assert_ok(ic_file_read(context, path, 100, &buffer));
        assert_string_equal((char *)buffer.bytes, "content");
        ic_buffer_free(&buffer);
    }
    set_fault(READ, 1, SHORTER);
    assert_ok(ic_file_read(context, path, 100, &buffer));
    assert_string_equal((char *)buffer.bytes, "content");
    ic_buffer_free(&buffer);
    for (int at = 1; at <= 2; at++) {
        set_fault(READ, at, EIO);
        assert_fails(IC_ERROR_IO, "cannot read", ic_file_read(context, path, 100, &buffer));
        set_fault(READDIR, at, EIO);
        assert_fails(IC_ERROR_IO, "cannot list", ic_folder_list(context, folder, &listing));
    }
    assert_null(buffer.bytes);
    assert_null(listing.names);
    set_fault(OPEN, 1, ENOMEM);
    assert_fails(IC_ERROR_MEMORY, "cannot open", ic_file_read(context, path, 100, &buffer));
    set_fault(OPEN, 1, EMFILE);
    assert_fails(IC_ERROR_IO, "Too many open files", ic_file_read(context, path, 100, &buffer));
    set_fault(OPEN, 0, 0);
    assert_int_equal(entries("/proc/self/fd"), descriptors);
}

static int set_up(void **state)
{
    (void)state;
    context = test_context(1);
    folder = test_folder();
    path = test_path(folder, "model");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    test_folder_remove(folder);
    ic_context_free(context);
    return 0;
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_save_fails_cleanly),
        TEST(test_save_rides_over),
        TEST(test_folder_cannot_be_made_durable),
        TEST(test_read_and_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

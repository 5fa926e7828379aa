/* base/file.c: files and folders by POSIX. SPDX-License-Identifier: MIT */
#define _XOPEN_SOURCE 700 /* POSIX 2008 with realpath */
#include "base/file.h"

#include "base/status.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { IO_PART = 1 << 30 }; /* systems refuse or cut larger transfers */

/* "cannot read x.png: Permission denied", with the code that fits errno. */
static ic_status fail_system(const char *action, const char *path, int error)
{
    char reason[128];
    if (strerror_r(error, reason, sizeof reason) != 0)
        snprintf(reason, sizeof reason, "system error %d", error);
    ic_status code = error == ENOENT || error == ENOTDIR ? IC_ERROR_NOT_FOUND
                     : error == ENOMEM                   ? IC_ERROR_MEMORY
                                                         : IC_ERROR_IO;
    return ic_fail(code, "cannot %s %s: %s", action, path, reason);
}

static ic_status fail_limit(const char *path, int64_t limit)
{
    return ic_fail(IC_ERROR_LIMIT, "cannot read %s: it is larger than the limit of %lld bytes",
                   path, (long long)limit);
}

static int open_again(const char *path, int flags, mode_t mode)
{
    int file;
    do {
        file = open(path, flags | O_CLOEXEC, mode);
    } while (file < 0 && errno == EINTR);
    return file;
}

/* Reads to the end, at most limit bytes; size is what the system says, which may be too little. */
static ic_status read_all(int file, const char *path, int64_t size, int64_t limit,
                          ic_buffer *buffer)
{
    size_t needed = (size_t)size + 1; /* so that a final zero fits, and the end shows at once */
    for (;;) {
        IC_TRY(ic_grow(buffer->context, &buffer->bytes, &buffer->capacity, needed, 1));
        size_t room = buffer->capacity - buffer->size;
        ssize_t got = read(file, buffer->bytes + buffer->size, room < IO_PART ? room : IO_PART);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return fail_system("read", path, errno);
        buffer->size += (size_t)got;
        if (buffer->size > (uint64_t)limit)
            return fail_limit(path, limit);
        needed = buffer->size + 1;
        if (got == 0)
            break;
    }
    IC_TRY(ic_grow(buffer->context, &buffer->bytes, &buffer->capacity, needed, 1));
    buffer->bytes[buffer->size] = '\0';
    return IC_OK;
}

ic_status ic_file_read(ic_context *context, const char *path, int64_t limit, ic_buffer *out)
{
    /* Without O_NONBLOCK, opening a FIFO would wait for a writer. */
    int file = open_again(path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
    if (file < 0)
        return fail_system("open", path, errno);
    ic_status status = IC_OK;
    ic_buffer buffer = {.context = context};
    struct stat about;
    if (fstat(file, &about) != 0)
        status = fail_system("read", path, errno);
    else if (!S_ISREG(about.st_mode))
        status = ic_fail(IC_ERROR_IO, "cannot read %s: it is %s, not a file", path,
                         S_ISDIR(about.st_mode) ? "a folder" : "a device or pipe");
    else if (about.st_size > limit)
        status = fail_limit(path, limit);
    IC_TRY_CLEAN(status);
    IC_TRY_CLEAN(read_all(file, path, about.st_size, limit, &buffer));
    *out = buffer;
cleanup:
    if (status < 0)
        ic_buffer_free(&buffer);
    close(file);
    return status;
}

static ic_status write_all(int file, const char *path, const void *bytes, size_t size)
{
    const unsigned char *at = bytes;
    while (size > 0) {
        ssize_t put = write(file, at, size < IO_PART ? size : IO_PART);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return fail_system("write", path, put < 0 ? errno : ENOSPC);
        at += put;
        size -= (size_t)put;
    }
    return IC_OK;
}

/* The folder that a path lies in: "." for a bare name. */
static ic_status folder_of(ic_context *context, const char *path, char **out)
{
    size_t length = (size_t)(ic_path_name(path) - path);
    if (length == 0)
        return ic_copy_text(context, ".", out);
    return ic_copy_text_part(context, path, length > 1 ? length - 1 : 1, out);
}

/*
 * A new file for what will replace the target, -1 where there is one. It takes the target's
 * permissions over, and never has more: what was private stays so.
 */
static int open_new(const char *path, const char *target)
{
    struct stat about;
    if (stat(target, &about) != 0)
        return open_again(path, O_WRONLY | O_CREAT | O_EXCL, 0666);
    unsigned mode = about.st_mode & 0777;
    int file = open_again(path, O_WRONLY | O_CREAT | O_EXCL, mode);
    if (file >= 0)
        (void)!fchmod(file, mode); /* what the umask took; file systems without them refuse */
    return file;
}

/*
 * A new file in the folder, under a name that nobody has, with the permissions of the target;
 * *file and *path are set together.
 */
static ic_status create_temporary(ic_context *context, const char *folder, const char *target,
                                  int *file, char **path)
{
    for (int attempt = 0; attempt < 1000; attempt++) {
        char name[64];
        snprintf(name, sizeof name, ".imgcls-%lld-%d.tmp", (long long)getpid(), attempt);
        char *candidate;
        IC_TRY(ic_path_join(context, folder, name, &candidate));
        *file = open_new(candidate, target);
        if (*file >= 0) {
            *path = candidate;
            return IC_OK;
        }
        int error = errno;
        ic_free(context, candidate);
        if (error != EEXIST)
            return fail_system("create", target, error);
    }
    return ic_fail(IC_ERROR_IO, "cannot save %s: its folder is full of .imgcls-*.tmp files",
                   target);
}

/* Waits until the disk has it; errno, or 0, also where the file system knows no such thing. */
static int sync_file(int file)
{
    int result;
    do {
        result = fsync(file);
    } while (result != 0 && errno == EINTR);
    return result == 0 || errno == EINVAL || errno == ENOSYS ? 0 : errno;
}

/*
 * Makes the rename itself durable. The new file stands already, so only a failing disk is an error,
 * not a file system that cannot sync folders.
 */
static ic_status sync_folder(const char *folder, const char *target)
{
    int file = open_again(folder, O_RDONLY | O_DIRECTORY, 0);
    if (file < 0)
        return IC_OK;
    int error = sync_file(file);
    close(file);
    if (error == EIO)
        return fail_system("make durable", target, error);
    return IC_OK;
}

static ic_status check_target(const char *path)
{
    ic_path_kind kind = ic_path_kind_of(path);
    if (path[0] == '\0')
        return ic_fail(IC_ERROR_IO, "cannot save: the path is empty");
    if (ic_path_name(path)[0] == '\0' || kind == IC_PATH_FOLDER)
        return ic_fail(IC_ERROR_IO, "cannot save %s: it is a folder", path);
    if (kind == IC_PATH_OTHER)
        return ic_fail(IC_ERROR_IO, "cannot save %s: it is a device or pipe, not a file", path);
    return IC_OK;
}

/* Writes, makes durable and closes; the file is closed in any case. */
static ic_status fill_temporary(int file, const char *path, const void *bytes, size_t size)
{
    ic_status status = write_all(file, path, bytes, size);
    int error = status == IC_OK ? sync_file(file) : 0;
    if (close(file) != 0 && errno != EINTR && error == 0)
        error = errno;
    if (status == IC_OK && error != 0)
        status = fail_system("write", path, error);
    return status;
}

/* The file behind a link, which the link goes on leading to; else the path itself. */
static const char *behind_link(const char *path, char resolved[PATH_MAX])
{
    struct stat about;
    if (lstat(path, &about) != 0 || !S_ISLNK(about.st_mode) || realpath(path, resolved) == NULL)
        return path;
    return resolved;
}

ic_status ic_file_save(ic_context *context, const char *path, const void *bytes, size_t size)
{
    ic_status status = IC_OK;
    char *folder = NULL, *temporary = NULL;
    char resolved[PATH_MAX];
    int file;
    path = behind_link(path, resolved);
    IC_TRY_CLEAN(check_target(path));
    IC_TRY_CLEAN(folder_of(context, path, &folder));
    IC_TRY_CLEAN(create_temporary(context, folder, path, &file, &temporary));
    status = fill_temporary(file, path, bytes, size);
    if (status == IC_OK && rename(temporary, path) != 0)
        status = fail_system("replace", path, errno);
    if (status < 0)
        unlink(temporary);
    else
        status = sync_folder(folder, path);
cleanup:
    ic_free(context, temporary);
    ic_free(context, folder);
    return status;
}

ic_path_kind ic_path_kind_of(const char *path)
{
    struct stat about;
    if (stat(path, &about) != 0)
        return IC_PATH_NONE;
    return S_ISREG(about.st_mode)   ? IC_PATH_FILE
           : S_ISDIR(about.st_mode) ? IC_PATH_FOLDER
                                    : IC_PATH_OTHER;
}

bool ic_path_same(const char *a, const char *b)
{
    struct stat first, second;
    return stat(a, &first) == 0 && stat(b, &second) == 0 && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino;
}

ic_status ic_path_join(ic_context *context, const char *folder, const char *name, char **out)
{
    size_t length = strlen(folder), name_length = strlen(name);
    size_t slash = length > 0 && folder[length - 1] != '/';
    char *path;
    IC_TRY(ic_allocate(context, length + slash + name_length + 1, &path));
    memcpy(path, folder, length);
    path[length] = '/';
    memcpy(path + length + slash, name, name_length + 1);
    *out = path;
    return IC_OK;
}

const char *ic_path_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static ic_status read_names(DIR *folder, const char *path, ic_listing *listing)
{
    size_t capacity = 0;
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(folder);
        if (entry == NULL && errno != 0)
            return fail_system("list", path, errno);
        if (entry == NULL)
            return IC_OK;
        if (entry->d_name[0] == '.' || strcmp(entry->d_name, "Thumbs.db") == 0)
            continue;
        IC_TRY(ic_grow(listing->context, &listing->names, &capacity, listing->count + 1,
                       sizeof *listing->names));
        IC_TRY(ic_copy_text(listing->context, entry->d_name, &listing->names[listing->count]));
        listing->count++;
    }
}

ic_status ic_folder_list(ic_context *context, const char *path, ic_listing *out)
{
    DIR *folder = opendir(path);
    if (folder == NULL && errno == ENOTDIR)
        return ic_fail(IC_ERROR_NOT_FOUND, "cannot list %s: it is not a folder", path);
    if (folder == NULL)
        return fail_system("list", path, errno);
    ic_listing listing = {.context = context};
    ic_status status = read_names(folder, path, &listing);
    closedir(folder);
    if (status < 0) {
        ic_listing_free(&listing);
        return status;
    }
    if (listing.count > 0)
        qsort(listing.names, listing.count, sizeof *listing.names, compare_names);
    *out = listing;
    return IC_OK;
}

void ic_listing_free(ic_listing *listing)
{
    for (size_t i = 0; i < listing->count; i++)
        ic_free(listing->context, listing->names[i]);
    ic_free(listing->context, listing->names);
    listing->names = NULL;
    listing->count = 0;
}

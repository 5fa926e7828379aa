/* base/file.h: the only door to the disk; paths are UTF-8. SPDX-License-Identifier: MIT */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/memory.h"

/*
 * Reads a whole regular file; IC_ERROR_LIMIT when it is larger than limit bytes. *out is
 * overwritten; a zero that size does not count stands behind the bytes.
 */
ic_status ic_file_read(ic_context *context, const char *path, int64_t limit, ic_buffer *out);

/*
 * Replaces a file, all or nothing: a temporary in the same folder, write, fsync, rename, fsync of
 * the folder. On any error the old file stands and the temporary is gone; the new file has the old
 * one's permissions. Folders, devices and pipes are refused; a symbolic link is replaced, not
 * followed.
 */
ic_status ic_file_save(ic_context *context, const char *path, const void *bytes, size_t size);

typedef enum ic_path_kind {
    IC_PATH_NONE,
    IC_PATH_FILE,
    IC_PATH_FOLDER,
    IC_PATH_OTHER
} ic_path_kind;

/* What lies at path; symbolic links are followed. */
ic_path_kind ic_path_kind_of(const char *path);

/* Whether both lead to one file or folder; symbolic links are followed. */
bool ic_path_same(const char *a, const char *b);

/* folder + "/" + name. */
ic_status ic_path_join(ic_context *context, const char *folder, const char *name, char **out);

/* The part after the last slash, borrowed. */
const char *ic_path_name(const char *path);

/* The names in a folder, sorted by bytes, without those that begin with a dot. */
typedef struct ic_listing {
    ic_context *context;
    char **names;
    size_t count;
} ic_listing;

ic_status ic_folder_list(ic_context *context, const char *path, ic_listing *out);
void ic_listing_free(ic_listing *listing);

/*
 * Inflates gzip bytes, all members, and appends them to out (which has its context set);
 * IC_ERROR_LIMIT past limit bytes.
 */
ic_status ic_gunzip(const void *bytes, size_t size, int64_t limit, ic_buffer *out);

#endif

/* imgcls/status.h: status codes, the last error, the version. SPDX-License-Identifier: MIT */
#ifndef IMGCLS_STATUS_H
#define IMGCLS_STATUS_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__) || defined(__clang__)
#define IC_API __attribute__((visibility("default")))
#else
#define IC_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* The one place of the version; meson.build and the soname read it from here. */
#define IC_VERSION_MAJOR 0
#define IC_VERSION_MINOR 2
#define IC_VERSION_PATCH 0

/*
 * What every function that can fail returns: 0 is done, positive is news, negative is an error.
 * On an error ic_last_error() holds the text, and the outputs are left untouched (but *size with
 * IC_ERROR_LIMIT, which says how much it takes). No pointer may be NULL (IC_ERROR_ARGUMENT) but
 * options, payloads, what is given to a function that frees, counts or names, and what a comment
 * allows. Paths are the bytes that the system takes, all other texts UTF-8. The values are pinned:
 * they never change, new ones are appended.
 */
typedef int32_t ic_status;

enum {
    IC_OK = 0,
    IC_DONE = 1,               /* ic_train_step: the training is finished */
    IC_ERROR_ARGUMENT = -1,    /* a NULL or nonsensical argument */
    IC_ERROR_MEMORY = -2,      /* the allocator returned NULL */
    IC_ERROR_IO = -3,          /* the system could not read or write a file */
    IC_ERROR_NOT_FOUND = -4,   /* no such file, folder, part, class or value */
    IC_ERROR_FORMAT = -5,      /* the bytes are damaged or are not what they claim to be */
    IC_ERROR_UNSUPPORTED = -6, /* sound, but of a kind that this version does not read */
    IC_ERROR_LIMIT = -7,       /* larger than a limit of the context allows */
    IC_ERROR_OPTION = -8,      /* an unknown option, or a value that it does not take */
    IC_ERROR_DATA = -9,        /* a data set that cannot be trained or measured on */
    IC_ERROR_DIVERGED = -10,   /* the loss is no longer a finite number */
    IC_ERROR_CANCELLED = -11,  /* the progress callback asked to stop */
    IC_ERROR_STATE = -12,      /* the object is not in a state for this call */
    IC_ERROR_INTERNAL = -13    /* a defect of imgcls: please report it */
};

/*
 * The text of the last error on the calling thread: what was wrong, with which file, value and
 * limit, and what to do, in UTF-8 (other bytes in names of files become '?'). Never NULL; "" before
 * the first error. Valid until the next imgcls call on this thread; successful calls leave it
 * alone.
 */
IC_API const char *ic_last_error(void);

/* The name of a status, "IC_ERROR_IO"; "unknown status" for other values. Static. */
IC_API const char *ic_status_name(ic_status status);

/* The version of the library that is running: "0.2.0". Static. */
IC_API const char *ic_version(void);

#ifdef __cplusplus
}
#endif

#endif

/* base/status.h: failing with a message, and passing failures on. SPDX-License-Identifier: MIT */
#ifndef BASE_STATUS_H
#define BASE_STATUS_H

#include <imgcls/status.h>

/* Room for the text of an error, the final zero included; longer texts are cut. */
enum { IC_ERROR_TEXT_MAX = 1024 };

/*
 * ic_fail(code, format, …) sets the calling thread's last error and is code. The format takes %s %d
 * %lld %zu and the like; not %f or %g (they follow the host's locale: see ic_text_float in
 * base/text.h). A macro, so that the compiler sees which paths fail and leave outputs unset.
 */
#define ic_fail(code, ...) (ic_error_format(__VA_ARGS__), ic_error_code(code))

static inline ic_status ic_error_code(ic_status code)
{
    return code;
}

#if defined(__GNUC__) || defined(__clang__)
__attribute__((format(printf, 1, 2)))
#endif
void ic_error_format(const char *format, ...);

/* Puts words before the last error's text, "cannot open photos/cat.jpg: " say; returns code. */
#if defined(__GNUC__) || defined(__clang__)
__attribute__((format(printf, 2, 3)))
#endif
ic_status
ic_fail_prefix(ic_status code, const char *format, ...);

/* The thread's message, to carry it from a pool worker to the caller. */
void ic_error_copy(char *buffer, size_t capacity);
void ic_error_set(const char *text);

/* Returns from the function with the error of expression, if it is one. */
#define IC_TRY(expression)                                                                         \
    do {                                                                                           \
        ic_status ic_try_status_ = (expression);                                                   \
        if (ic_try_status_ < 0)                                                                    \
            return ic_try_status_;                                                                 \
    } while (0)

/* Goes to the label cleanup with `status` set, if expression is an error. */
#define IC_TRY_CLEAN(expression)                                                                   \
    do {                                                                                           \
        status = (expression);                                                                     \
        if (status < 0)                                                                            \
            goto cleanup;                                                                          \
    } while (0)

#endif

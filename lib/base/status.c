/* base/status.c: the calling thread's last error. SPDX-License-Identifier: MIT */
#include "base/status.h"

#include "base/text.h"

#include <stdarg.h>
#include <string.h>

static _Thread_local char last_error[IC_ERROR_TEXT_MAX];

/* Formats into a buffer of its own first, as the arguments may point into last_error. */
static void set_formatted(const char *format, va_list arguments)
{
    char text[IC_ERROR_TEXT_MAX];
    ic_text_format(text, sizeof text, format, arguments);
    strcpy(last_error, text);
}

void ic_error_format(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    set_formatted(format, arguments);
    va_end(arguments);
}

ic_status ic_fail_prefix(ic_status code, const char *format, ...)
{
    char old[IC_ERROR_TEXT_MAX];
    memcpy(old, last_error, sizeof old);
    va_list arguments;
    va_start(arguments, format);
    set_formatted(format, arguments);
    va_end(arguments);
    size_t length = strlen(last_error);
    ic_text_copy(last_error + length, sizeof last_error - length, old);
    return code;
}

void ic_error_copy(char *buffer, size_t capacity)
{
    ic_text_copy(buffer, capacity, last_error);
}

void ic_error_set(const char *text)
{
    ic_text_copy(last_error, sizeof last_error, text);
}

const char *ic_last_error(void)
{
    return last_error;
}

const char *ic_status_name(ic_status status)
{
    switch (status) {
#define NAME(code)                                                                                 \
    case code:                                                                                     \
        return #code
        NAME(IC_OK);
        NAME(IC_DONE);
        NAME(IC_ERROR_ARGUMENT);
        NAME(IC_ERROR_MEMORY);
        NAME(IC_ERROR_IO);
        NAME(IC_ERROR_NOT_FOUND);
        NAME(IC_ERROR_FORMAT);
        NAME(IC_ERROR_UNSUPPORTED);
        NAME(IC_ERROR_LIMIT);
        NAME(IC_ERROR_OPTION);
        NAME(IC_ERROR_DATA);
        NAME(IC_ERROR_DIVERGED);
        NAME(IC_ERROR_CANCELLED);
        NAME(IC_ERROR_STATE);
        NAME(IC_ERROR_INTERNAL);
#undef NAME
    default:
        return "unknown status";
    }
}

#define TEXT(number)                 #number
#define VERSION(major, minor, patch) TEXT(major) "." TEXT(minor) "." TEXT(patch)

const char *ic_version(void)
{
    return VERSION(IC_VERSION_MAJOR, IC_VERSION_MINOR, IC_VERSION_PATCH);
}

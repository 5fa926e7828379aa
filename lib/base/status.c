/* base/status.c: the calling thread's last error. SPDX-License-Identifier: MIT */
#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static _Thread_local char last_error[IC_ERROR_TEXT_MAX];

/* Copies text cut to fit, never in the middle of a UTF-8 sequence. */
static void copy_cut(char *buffer, size_t capacity, const char *text)
{
    if (capacity == 0)
        return;
    size_t length = strlen(text);
    if (length >= capacity) {
        length = capacity - 1;
        while (length > 0 && ((unsigned char)text[length] & 0xC0) == 0x80)
            length--;
    }
    memmove(buffer, text, length);
    buffer[length] = '\0';
}

/*
 * Formats into a buffer of its own first, as the arguments may point into last_error. One byte more
 * than last_error holds, so that copy_cut sees where a long text was cut.
 */
static void set_formatted(const char *format, va_list arguments)
{
    char text[IC_ERROR_TEXT_MAX + 1];
    if (vsnprintf(text, sizeof text, format, arguments) < 0)
        text[0] = '\0';
    copy_cut(last_error, sizeof last_error, text);
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
    copy_cut(last_error + length, sizeof last_error - length, old);
    return code;
}

void ic_error_copy(char *buffer, size_t capacity)
{
    copy_cut(buffer, capacity, last_error);
}

void ic_error_set(const char *text)
{
    copy_cut(last_error, sizeof last_error, text);
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

/* base/text.c: UTF-8, distances and endings of names. SPDX-License-Identifier: MIT */
#include "base/text.h"

#include "base/status.h"

#include <stdio.h>
#include <string.h>

/* Unicode 15, table 3-7. */
size_t ic_utf8_step(const char *bytes, size_t left)
{
    const unsigned char *text = (const unsigned char *)bytes;
    unsigned char first = text[0];
    if (first < 0x80)
        return 1;
    size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC2 || first > 0xF4 || length > left)
        return 0;
    unsigned char low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;  /* overlong */
    unsigned char high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF; /* surrogates, end */
    if (text[1] < low || text[1] > high)
        return 0;
    for (size_t i = 2; i < length; i++)
        if ((text[i] & 0xC0) != 0x80)
            return 0;
    return length;
}

bool ic_utf8_valid(const char *text, size_t length)
{
    for (size_t i = 0; i < length;) {
        size_t step = ic_utf8_step(text + i, length - i);
        if (step == 0)
            return false;
        i += step;
    }
    return true;
}

void ic_text_copy(char *buffer, size_t capacity, const char *text)
{
    size_t length = strlen(text), at = 0;
    while (at < length) {
        size_t step = ic_utf8_step(text + at, length - at);
        if (at + (step > 0 ? step : 1) >= capacity)
            break;
        if (step > 0)
            memmove(buffer + at, text + at, step);
        else
            buffer[at] = '?';
        at += step > 0 ? step : 1;
    }
    if (capacity > 0)
        buffer[at] = '\0';
}

void ic_text_format(char *buffer, size_t capacity, const char *format, va_list arguments)
{
    char text[IC_ERROR_TEXT_MAX + 3]; /* the last character that fits is whole in it */
    if (vsnprintf(text, sizeof text, format, arguments) < 0)
        text[0] = '\0';
    ic_text_copy(buffer, capacity, text);
}

enum { DISTANCE_TEXT_MAX = 64 };

static int32_t least(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

int32_t ic_text_distance(const char *a, const char *b, int32_t limit)
{
    size_t a_length = strlen(a), b_length = strlen(b);
    size_t difference = a_length > b_length ? a_length - b_length : b_length - a_length;
    if (a_length >= DISTANCE_TEXT_MAX || b_length >= DISTANCE_TEXT_MAX ||
        difference > (size_t)limit)
        return limit + 1;

    /* Rows i-2, i-1 and i of the table of distances between the beginnings of a and b. */
    int32_t rows[3][DISTANCE_TEXT_MAX];
    for (size_t j = 0; j <= b_length; j++)
        rows[0][j] = (int32_t)j;
    for (size_t i = 1; i <= a_length; i++) {
        int32_t *row = rows[i % 3];
        const int32_t *above = rows[(i + 2) % 3], *above2 = rows[(i + 1) % 3];
        row[0] = (int32_t)i;
        for (size_t j = 1; j <= b_length; j++) {
            int32_t change = above[j - 1] + (a[i - 1] != b[j - 1]);
            row[j] = least(change, least(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], above2[j - 2] + 1);
        }
    }
    return least(rows[a_length % 3][b_length], limit + 1);
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool ic_text_ends(const char *text, const char *ending)
{
    size_t length = strlen(text), ending_length = strlen(ending);
    if (ending_length > length)
        return false;
    for (size_t i = 0; i < ending_length; i++)
        if (lower(text[length - ending_length + i]) != lower(ending[i]))
            return false;
    return true;
}

/* base/text.h: numbers and names as text, whatever the host's locale. SPDX-License-Identifier: MIT
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "base/memory.h"

#include <stdarg.h>

/*
 * Writes value with at most `digits` digits after the point, trailing zeros cut ("0.05", "12"), a
 * point in every locale; "nan", "inf" and "-inf" for those. Returns buffer, for use in messages.
 */
enum { IC_TEXT_FLOAT_MAX = 64 };
const char *ic_text_float(double value, int digits, char buffer[IC_TEXT_FLOAT_MAX]);

/*
 * The same in the fewest digits that give the value back when they are read: 0.35, not
 * 0.34999999999999998; of a float, those that give the float back. False: 20 do not.
 */
bool ic_text_shortest(double value, char buffer[IC_TEXT_FLOAT_MAX]);
bool ic_text_shortest_float(float value, char buffer[IC_TEXT_FLOAT_MAX]);

/* ic_text_float for whole numbers. */
const char *ic_text_int(int64_t value, char buffer[IC_TEXT_FLOAT_MAX]);

/* Whole text to a number, locale-free; false when anything is left over or out of range. */
bool ic_parse_float(const char *text, double *out);
bool ic_parse_int(const char *text, int64_t *out);

/* Bytes of the character that text begins with, `left` at most; 0: it is not valid UTF-8. */
size_t ic_utf8_step(const char *text, size_t left);

/* Valid UTF-8 without overlong forms and surrogates. */
bool ic_utf8_valid(const char *text, size_t length);

/*
 * A copy that is valid UTF-8 whatever the text: other bytes (in the names of files, say) become
 * '?', and what does not fit is cut between characters. buffer may be text itself.
 */
void ic_text_copy(char *buffer, size_t capacity, const char *text);

/* As vsnprintf, with a result as ic_text_copy's; capacity is IC_ERROR_TEXT_MAX at most. */
void ic_text_format(char *buffer, size_t capacity, const char *format, va_list arguments);

/* Optimal-string-alignment distance, for suggestions; at most limit + 1. */
int32_t ic_text_distance(const char *a, const char *b, int32_t limit);

/* Case-insensitive (ASCII) ending: ic_text_ends("a.PNG", ".png"). */
bool ic_text_ends(const char *text, const char *ending);

#endif

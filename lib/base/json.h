/* base/json.h: the glue to jansson: strict reading, stable writing. SPDX-License-Identifier: MIT */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/memory.h"

#include <jansson.h>

/*
 * Parses text (duplicates refused, depth limited by jansson); `what` names it in messages. Release
 * with json_decref.
 */
ic_status ic_json_parse(const char *text, size_t length, const char *what, json_t **out);

/*
 * Text of a value: compact, keys in their order of insertion, reals with 17 significant digits at
 * most: the same value gives the same text. The buffer holds the text and a final zero (size counts
 * it not).
 */
ic_status ic_json_print(const json_t *value, ic_buffer *out);

/* The text into the caller's buffer, final zero included: see ic_give_bytes. */
ic_status ic_json_give(ic_context *context, const json_t *value, char *buffer, size_t capacity,
                       size_t *size);

/* Members with a check of their type; the message names `what` and the key. */
ic_status ic_json_int(const json_t *object, const char *key, int64_t low, int64_t high,
                      const char *what, int64_t *out);
ic_status ic_json_float(const json_t *object, const char *key, const char *what, double *out);
ic_status ic_json_text(const json_t *object, const char *key, const char *what,
                       const char **out); /* borrowed */
ic_status ic_json_array(const json_t *object, const char *key, const char *what,
                        json_t **out); /* borrowed */
ic_status ic_json_object(const json_t *object, const char *key, const char *what,
                         json_t **out); /* borrowed */

/*
 * Sets a member and takes over `value`. NULL value (out of memory in json_integer(…) and its like)
 * is IC_ERROR_MEMORY, so calls can be nested without checks. json_real is NULL for NaN and infinity
 * too: check numbers that may be so before.
 */
ic_status ic_json_set(json_t *object, const char *key, json_t *value);
ic_status ic_json_append(json_t *array, json_t *value);

#endif

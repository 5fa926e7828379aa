/* base/memory.h: allocation through the context, checked sizes. SPDX-License-Identifier: MIT */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include "base/context.h"

#include <stdbool.h>

/* out = a * b or a + b; false (and out untouched) when it does not fit. */
bool ic_multiply_size(size_t a, size_t b, size_t *out);
bool ic_add_size(size_t a, size_t b, size_t *out);

/*
 * Blocks are aligned to 64 bytes. Size 0 gives a valid block. `out` and `block` are the address of
 * a pointer of any type. On failure IC_ERROR_MEMORY with a message that says how much was asked
 * for, and *block is still valid. ic_free takes NULL.
 */
ic_status ic_allocate(ic_context *context, size_t size, void *out);
ic_status ic_allocate_zero(ic_context *context, size_t size, void *out);
ic_status ic_allocate_array(ic_context *context, size_t count, size_t item_size, void *out);
ic_status ic_reallocate(ic_context *context, size_t size, void *block);
void ic_free(ic_context *context, void *block);

/* A copy of text, or of length bytes of it with a zero behind. */
ic_status ic_copy_text(ic_context *context, const char *text, char **out);
ic_status ic_copy_text_part(ic_context *context, const char *text, size_t length, char **out);

/*
 * Makes room for at least `needed` items in a growing array: *items (address of the pointer), its
 * *capacity, doubling.
 */
ic_status ic_grow(ic_context *context, void *items, size_t *capacity, size_t needed,
                  size_t item_size);

/* Bytes that grow. Zero-initialise with the context; ic_buffer_free empties it. */
typedef struct ic_buffer {
    ic_context *context;
    unsigned char *bytes;
    size_t size;
    size_t capacity;
} ic_buffer;

ic_status ic_buffer_append(ic_buffer *buffer, const void *bytes, size_t size);
#if defined(__GNUC__) || defined(__clang__)
__attribute__((format(printf, 2, 3)))
#endif
ic_status
ic_buffer_print(ic_buffer *buffer, const char *format, ...); /* no %f or %g: locale */
void ic_buffer_free(ic_buffer *buffer);

/*
 * What every "into the caller's buffer" function ends with: *size_out = size; copies when it fits;
 * IC_ERROR_LIMIT when a buffer was given that is too small.
 */
ic_status ic_give_bytes(const void *bytes, size_t size, void *buffer, size_t capacity,
                        size_t *size_out);

#endif

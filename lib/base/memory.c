/*
 * base/memory.c: aligned blocks on the host's allocator. SPDX-License-Identifier: MIT
 *
 * Networks stream through blocks of many megabytes. In pages of 4 KB each start of a page waits for
 * its address, and the CPU fetches ahead only within a page; in huge pages a training step takes 3
 * to 8 % less time (tests/bench/README.md). So large blocks begin at the bounds of such pages.
 */
#define _DEFAULT_SOURCE /* madvise */

#include "base/memory.h"

#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#ifdef __linux__
#include <sys/mman.h>
#endif

/* Stands right before each block: the host's own pointer, and the size that was asked for. */
typedef struct block_header {
    void *origin;
    size_t size;
} block_header;

enum { ALIGNMENT = 64, HUGE_PAGE = 2 << 20 };

static size_t alignment_of(const ic_context *context, size_t size)
{
    return context->huge_pages && size >= HUGE_PAGE ? HUGE_PAGE : ALIGNMENT;
}

static size_t overhead_of(const ic_context *context, size_t size)
{
    return alignment_of(context, size) + sizeof(block_header);
}

bool ic_multiply_size(size_t a, size_t b, size_t *out)
{
    if (b != 0 && a > SIZE_MAX / b)
        return false;
    *out = a * b;
    return true;
}

bool ic_add_size(size_t a, size_t b, size_t *out)
{
    if (a > SIZE_MAX - b)
        return false;
    *out = a + b;
    return true;
}

static block_header *header_of(void *block)
{
    return (block_header *)((unsigned char *)block - sizeof(block_header));
}

/* The first aligned address in the host's block that leaves room for the header. */
static unsigned char *aligned_in(void *origin, size_t alignment)
{
    uintptr_t first = (uintptr_t)origin + sizeof(block_header);
    uintptr_t aligned = (first + alignment - 1) & ~(uintptr_t)(alignment - 1);
    return (unsigned char *)origin + (aligned - (uintptr_t)origin);
}

/* Only a wish: a system without huge pages, or without any left, changes nothing. */
static void ask_for_huge_pages(unsigned char *block, size_t size)
{
#ifdef MADV_HUGEPAGE
    madvise(block, size / HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE);
#else
    (void)block;
    (void)size;
#endif
}

static ic_status fail_size(size_t size)
{
    return ic_fail(IC_ERROR_MEMORY, "out of memory: %zu bytes were asked for", size);
}

/* `out` is the address of any kind of pointer: written bytewise, as void ** may not alias it. */
static void put_pointer(void *out, const void *block)
{
    memcpy(out, &block, sizeof block);
}

ic_status ic_reallocate(ic_context *context, size_t size, void *block)
{
    unsigned char *old;
    memcpy(&old, block, sizeof old);
    void *old_origin = old ? header_of(old)->origin : NULL;
    size_t old_size = old ? header_of(old)->size : 0;
    size_t old_shift = old ? (size_t)(old - (unsigned char *)old_origin) : 0;
    size_t overhead = overhead_of(context, size);
    overhead = overhead < old_shift ? old_shift : overhead; /* nothing that moves is cut off */
    if (size > PTRDIFF_MAX - overhead)
        return fail_size(size);

    void *origin = context->allocate(old_origin, size + overhead, context->allocate_payload);
    if (origin == NULL)
        return fail_size(size);
    size_t alignment = alignment_of(context, size);
    unsigned char *result = aligned_in(origin, alignment);
    unsigned char *moved = (unsigned char *)origin + old_shift;
    if (old != NULL && moved != result)
        memmove(result, moved, old_size < size ? old_size : size);
    if (alignment == HUGE_PAGE)
        ask_for_huge_pages(result, size);
    *header_of(result) = (block_header){origin, size};
    put_pointer(block, result);
    return IC_OK;
}

ic_status ic_allocate(ic_context *context, size_t size, void *out)
{
    void *block = NULL;
    IC_TRY(ic_reallocate(context, size, &block));
    put_pointer(out, block);
    return IC_OK;
}

ic_status ic_allocate_zero(ic_context *context, size_t size, void *out)
{
    void *block;
    IC_TRY(ic_allocate(context, size, &block));
    memset(block, 0, size);
    put_pointer(out, block);
    return IC_OK;
}

ic_status ic_allocate_array(ic_context *context, size_t count, size_t item_size, void *out)
{
    size_t size;
    if (!ic_multiply_size(count, item_size, &size))
        return ic_fail(IC_ERROR_MEMORY, "out of memory: %zu items of %zu bytes were asked for",
                       count, item_size);
    return ic_allocate(context, size, out);
}

void ic_free(ic_context *context, void *block)
{
    if (block != NULL)
        context->allocate(header_of(block)->origin, 0, context->allocate_payload);
}

ic_status ic_copy_text(ic_context *context, const char *text, char **out)
{
    return ic_copy_text_part(context, text, strlen(text), out);
}

ic_status ic_copy_text_part(ic_context *context, const char *text, size_t length, char **out)
{
    char *copy;
    IC_TRY(ic_allocate(context, length + 1, &copy));
    memcpy(copy, text, length);
    copy[length] = '\0';
    *out = copy;
    return IC_OK;
}

ic_status ic_grow(ic_context *context, void *items, size_t *capacity, size_t needed,
                  size_t item_size)
{
    if (needed <= *capacity)
        return IC_OK;
    size_t wanted = *capacity <= SIZE_MAX / 2 ? *capacity * 2 : needed;
    if (wanted < needed)
        wanted = needed;
    if (wanted < 8)
        wanted = 8;
    size_t size;
    if (!ic_multiply_size(wanted, item_size, &size))
        return ic_fail(IC_ERROR_MEMORY, "out of memory: %zu items of %zu bytes were asked for",
                       wanted, item_size);
    IC_TRY(ic_reallocate(context, size, items));
    *capacity = wanted;
    return IC_OK;
}

ic_status ic_buffer_append(ic_buffer *buffer, const void *bytes, size_t size)
{
    size_t needed;
    if (!ic_add_size(buffer->size, size, &needed))
        return fail_size(size);
    IC_TRY(ic_grow(buffer->context, &buffer->bytes, &buffer->capacity, needed, 1));
    if (size > 0)
        memcpy(buffer->bytes + buffer->size, bytes, size);
    buffer->size = needed;
    return IC_OK;
}

ic_status ic_buffer_print(ic_buffer *buffer, const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    ic_status status = IC_OK;
    int length = vsnprintf(NULL, 0, format, arguments);
    if (length < 0) {
        status = ic_fail(IC_ERROR_INTERNAL, "a text could not be formatted");
        goto cleanup;
    }
    size_t needed = buffer->size + (size_t)length + 1;
    IC_TRY_CLEAN(ic_grow(buffer->context, &buffer->bytes, &buffer->capacity, needed, 1));
    vsnprintf((char *)buffer->bytes + buffer->size, (size_t)length + 1, format, again);
    buffer->size += (size_t)length;
cleanup:
    va_end(again);
    va_end(arguments);
    return status;
}

void ic_buffer_free(ic_buffer *buffer)
{
    ic_free(buffer->context, buffer->bytes);
    buffer->bytes = NULL;
    buffer->size = 0;
    buffer->capacity = 0;
}

ic_status ic_give_bytes(const void *bytes, size_t size, void *buffer, size_t capacity,
                        size_t *size_out)
{
    if (size_out != NULL)
        *size_out = size;
    if (buffer == NULL)
        return IC_OK;
    if (capacity < size)
        return ic_fail(IC_ERROR_LIMIT, "the buffer of %zu bytes is too small: %zu are needed",
                       capacity, size);
    memcpy(buffer, bytes, size);
    return IC_OK;
}

/* image/png_memory.h: what reading and writing PNG share: our allocator, and byte order.
 * SPDX-License-Identifier: MIT */
#ifndef IMAGE_PNG_MEMORY_H
#define IMAGE_PNG_MEMORY_H

#include "base/memory.h"

#include <png.h>

typedef struct ic_png_memory {
    ic_context *context;
    bool failed; /* some allocation did; libpng's own message does not tell */
} ic_png_memory;

static inline png_voidp ic_png_allocate(png_structp png, png_alloc_size_t size)
{
    ic_png_memory *memory = png_get_mem_ptr(png);
    void *block = NULL;

    if (ic_allocate(memory->context, size, &block) < 0)
        memory->failed = true;
    return block;
}

static inline void ic_png_free(png_structp png, png_voidp block)
{
    ic_png_memory *memory = png_get_mem_ptr(png);

    ic_free(memory->context, block);
}

/* 16-bit samples are big-endian in the file. */
static inline bool ic_png_must_swap(void)
{
    const uint16_t one = 1;

    return *(const unsigned char *)&one == 1;
}

#endif

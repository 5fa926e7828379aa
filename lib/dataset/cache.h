/* dataset/cache.h: canvases for reading, from memory where they are. Inside of this folder only.
 * SPDX-License-Identifier: MIT */
#ifndef DATASET_CACHE_H
#define DATASET_CACHE_H

#include "dataset/loader.h"

/* The canvases of one source under one pipeline. */
typedef struct ic_cache_table ic_cache_table;

/* The table for a set's pictures, made when it is new; lives as long as the cache. */
ic_status ic_cache_attach(ic_cache *cache, const ic_dataset *dataset, const ic_pipeline *pipeline,
                          ic_cache_table **out);

/* Says once in the log if memory has ended before the cache's limit. Not on pool threads; NULL does
 * nothing. */
void ic_cache_tell(ic_cache *cache);

/* A canvas that somebody else holds (the cache or the set), or one of its own. */
typedef struct ic_canvas {
    ic_image view;
    ic_image *own;
} ic_canvas;

static inline const ic_image *ic_canvas_image(const ic_canvas *canvas)
{
    return canvas->own != NULL ? canvas->own : &canvas->view;
}

/*
 * The canvas of picture `index`: from the set itself, from the table (may be NULL), or made, and
 * put into the table when there is room. Thread-safe. Release with ic_canvas_release.
 */
ic_status ic_canvas_take(const ic_dataset *dataset, int64_t index, const ic_pipeline *pipeline,
                         ic_cache_table *table, ic_canvas *out);
void ic_canvas_release(ic_canvas *canvas);

#endif

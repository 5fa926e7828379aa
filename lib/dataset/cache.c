/*
 * dataset/cache.c: canvases in memory. They lie packed in large slabs; a table per source finds
 * them by key. Entries appear and never go, so reading takes no lock. SPDX-License-Identifier: MIT
 */
#include "dataset/cache.h"

#include "base/pool.h"
#include "base/status.h"
#include "dataset/source.h"

#include <string.h>

/*
 * Canvases are laid into slabs of at least this size. In front of each stands its depth, in as many
 * bytes as leave 16-bit samples at even addresses.
 */
enum { SLAB_BYTES = 4 << 20, DEPTH_BYTES = 2 };

typedef struct slab {
    struct slab *next;
    size_t used, size;
    unsigned char *bytes;
} slab;

struct ic_cache_table {
    struct ic_cache_table *next;
    ic_cache *cache;
    ic_source *source; /* one reference, so that its address stays its own */
    ic_pipeline pipeline;
    size_t count;
    _Atomic(unsigned char *) *canvases; /* by key, see taken(); NULL: not there */
};

struct ic_cache {
    ic_context *context;
    ic_lock *lock;     /* guards all below */
    size_t bytes_left; /* that may still be allocated */
    bool ran_out;      /* the memory ended before the limit, and nobody was told yet */
    slab *slabs;
    ic_cache_table *tables;
};

ic_status ic_cache_create(ic_context *context, int64_t bytes, ic_cache **out)
{
    ic_cache *cache;
    IC_TRY(ic_allocate_zero(context, sizeof *cache, &cache));
    ic_status status = ic_lock_create(context, &cache->lock);
    if (status < 0) {
        ic_free(context, cache);
        return status;
    }
    cache->context = ic_context_retain(context);
    cache->bytes_left = bytes < 0 ? 0 : (size_t)bytes;
    *out = cache;
    return IC_OK;
}

static void free_table(ic_context *context, ic_cache_table *table)
{
    ic_source_release(table->source);
    ic_free(context, (void *)table->canvases);
    ic_free(context, table);
}

void ic_cache_free(ic_cache *cache)
{
    if (cache == NULL)
        return;
    ic_context *context = cache->context;
    while (cache->slabs != NULL) {
        slab *next = cache->slabs->next;
        ic_free(context, cache->slabs->bytes);
        ic_free(context, cache->slabs);
        cache->slabs = next;
    }
    while (cache->tables != NULL) {
        ic_cache_table *next = cache->tables->next;
        free_table(context, cache->tables);
        cache->tables = next;
    }
    ic_lock_free(context, cache->lock);
    ic_free(context, cache);
    ic_context_free(context);
}

/* Whether two pipelines make the same canvases. */
static bool same_prefix(const ic_pipeline *a, const ic_pipeline *b)
{
    return a->decode == b->decode && a->channels == b->channels &&
           a->canvas_width == b->canvas_width && a->canvas_height == b->canvas_height &&
           a->resize == b->resize && a->filter == b->filter && a->denoise == b->denoise &&
           a->denoise_strength == b->denoise_strength;
}

static ic_status create_table(ic_cache *cache, ic_source *source, const ic_pipeline *pipeline,
                              ic_cache_table **out)
{
    ic_context *context = cache->context;
    ic_cache_table *table;
    ic_status status = IC_OK;
    IC_TRY(ic_allocate_zero(context, sizeof *table, &table));
    table->count = source->count;
    IC_TRY_CLEAN(
        ic_allocate_array(context, table->count, sizeof *table->canvases, &table->canvases));
    for (size_t i = 0; i < table->count; i++)
        atomic_init(&table->canvases[i], NULL);
    table->cache = cache;
    table->pipeline = *pipeline;
    atomic_fetch_add(&source->references, 1);
    table->source = source;
    *out = table;
cleanup:
    if (status < 0)
        free_table(context, table);
    return status;
}

ic_status ic_cache_attach(ic_cache *cache, const ic_dataset *dataset, const ic_pipeline *pipeline,
                          ic_cache_table **out)
{
    ic_source *source = dataset->source;
    ic_status status = IC_OK;
    ic_lock_take(cache->lock);
    ic_cache_table *table = cache->tables;
    while (table != NULL && (table->source != source || !same_prefix(&table->pipeline, pipeline)))
        table = table->next;
    if (table == NULL) {
        status = create_table(cache, source, pipeline, &table);
        if (status >= 0) {
            table->next = cache->tables;
            cache->tables = table;
        }
    }
    ic_lock_give(cache->lock);
    if (status >= 0)
        *out = table;
    return status;
}

static ic_status add_slab(ic_cache *cache, size_t size)
{
    slab *added;
    IC_TRY(ic_allocate(cache->context, sizeof *added, &added));
    ic_status status = ic_allocate(cache->context, size, &added->bytes);
    if (status < 0) {
        ic_free(cache->context, added);
        return status;
    }
    added->used = 0;
    added->size = size;
    added->next = cache->slabs;
    cache->slabs = added;
    cache->bytes_left -= size;
    return IC_OK;
}

/*
 * Under the lock: a slab with room for size bytes; NULL when the limit is reached. A lack of memory
 * is one, too: what is not kept is made again each time, and no error of anybody's.
 */
static slab *slab_with_room(ic_cache *cache, size_t size)
{
    if (cache->slabs != NULL && cache->slabs->size - cache->slabs->used >= size)
        return cache->slabs;
    size_t wanted = size > SLAB_BYTES ? size : SLAB_BYTES;
    if (wanted > cache->bytes_left)
        wanted = cache->bytes_left;
    if (wanted < size)
        return NULL;
    char before[IC_ERROR_TEXT_MAX];
    ic_error_copy(before, sizeof before);
    if (add_slab(cache, wanted) == IC_OK)
        return cache->slabs;
    ic_error_set(before);
    cache->bytes_left = 0;
    cache->ran_out = true;
    return NULL;
}

/* Room for size bytes, an even number as 16-bit samples need; NULL when the limit is reached. */
static unsigned char *take_room(ic_cache *cache, size_t size)
{
    unsigned char *room = NULL;
    ic_lock_take(cache->lock);
    slab *found = slab_with_room(cache, size);
    if (found != NULL) {
        room = found->bytes + found->used;
        found->used += size;
    }
    ic_lock_give(cache->lock);
    return room;
}

void ic_cache_tell(ic_cache *cache)
{
    if (cache == NULL)
        return;
    ic_lock_take(cache->lock);
    const bool ran_out = cache->ran_out;
    cache->ran_out = false; /* and will not be again: nothing is left to allocate */
    ic_lock_give(cache->lock);
    if (ran_out)
        ic_log(
            cache->context, IC_LOG_INFO,
            "no memory is left to keep more decoded pictures: the others are decoded again every "
            "epoch; a smaller cache_mb leaves more to the rest of the program");
}

/* What stands in the table for a canvas that somebody is about to put there. */
static unsigned char *taken(ic_cache_table *table)
{
    return (unsigned char *)table;
}

/* A picture may be made by several jobs at once (it stands in a batch twice, say): the first one
 * keeps it. */
static void put_canvas(ic_cache_table *table, int64_t key, const ic_image *canvas)
{
    unsigned char *nothing = NULL;
    if (!atomic_compare_exchange_strong(&table->canvases[key], &nothing, taken(table)))
        return;
    size_t row = (size_t)canvas->width * (size_t)canvas->channels * (size_t)(canvas->depth / 8);
    size_t size = DEPTH_BYTES + row * (size_t)canvas->height;
    unsigned char *room = take_room(table->cache, size + size % 2);
    if (room != NULL) {
        room[0] = (unsigned char)canvas->depth;
        for (int32_t y = 0; y < canvas->height; y++)
            memcpy(room + DEPTH_BYTES + (size_t)y * row, ic_image_row(canvas, y), row);
    }
    atomic_store_explicit(&table->canvases[key], room, memory_order_release);
}

static bool get_canvas(ic_cache_table *table, int64_t key, ic_image *view)
{
    unsigned char *room = atomic_load_explicit(&table->canvases[key], memory_order_acquire);
    if (room == NULL || room == taken(table))
        return false;
    view->width = table->pipeline.canvas_width;
    view->height = table->pipeline.canvas_height;
    view->channels = table->pipeline.channels;
    view->depth = room[0];
    view->stride = (size_t)view->width * (size_t)view->channels * (size_t)(view->depth / 8);
    view->pixels = room + DEPTH_BYTES;
    return true;
}

/* Whether the set holds the picture as raw samples that are its canvas already. */
static bool is_canvas(const ic_record *record, const ic_pipeline *pipeline)
{
    const ic_item *item = &record->item;
    return (record->samples != NULL || record->image != NULL) &&
           item->width == pipeline->canvas_width && item->height == pipeline->canvas_height &&
           item->channels == pipeline->channels && pipeline->denoise == IC_DENOISE_NONE;
}

ic_status ic_dataset_canvas(const ic_dataset *dataset, int64_t index, const ic_pipeline *pipeline,
                            ic_image **out)
{
    ic_decode_options options = ic_pipeline_decoding(pipeline);
    ic_image *image;
    options.centre = pipeline->resize == IC_RESIZE_CROP; /* nobody sees but the pipeline */
    IC_TRY(ic_dataset_decode(dataset, index, &options, &image));
    ic_status status = ic_pipeline_canvas(pipeline, image, out);
    ic_image_free(image);
    return status;
}

ic_status ic_canvas_take(const ic_dataset *dataset, int64_t index, const ic_pipeline *pipeline,
                         ic_cache_table *table, ic_canvas *out)
{
    int64_t key = dataset->records[index];
    const ic_record *record = &dataset->source->records[key];
    out->own = NULL;
    if (is_canvas(record, pipeline)) {
        ic_record_view(record, &out->view);
        return IC_OK;
    }
    if (table != NULL && get_canvas(table, key, &out->view))
        return IC_OK;
    ic_status status = ic_dataset_canvas(dataset, index, pipeline, &out->own);
    if (status < 0)
        return ic_fail_prefix(status, "%s cannot be read any more: ", record->item.origin);
    if (table != NULL)
        put_canvas(table, key, out->own);
    return IC_OK;
}

void ic_canvas_release(ic_canvas *canvas)
{
    ic_image_free(canvas->own);
    canvas->own = NULL;
}

/* dataset/source.c: texts, classes and records that all parts of a data set share.
 * SPDX-License-Identifier: MIT */
#include "dataset/source.h"

#include "base/options.h"
#include "base/status.h"

#include <stdlib.h>
#include <string.h>

enum { TEXT_BLOCK = 64 * 1024 };

typedef struct text_block {
    struct text_block *next;
    size_t used, size;
    char bytes[];
} text_block;

ic_status ic_source_create(ic_context *context, const ic_options *options, ic_source **out)
{
    ic_source *source;
    IC_TRY(ic_allocate_zero(context, sizeof *source, &source));
    atomic_init(&source->references, 1);
    source->context = ic_context_retain(context);
    source->header_only = ic_option_is(options, "verify", "header");
    ic_status status = ic_grouping_set(source, options);
    if (status < 0)
        ic_source_release(source);
    else
        *out = source;
    return status;
}

void ic_source_release(ic_source *source)
{
    if (source == NULL || atomic_fetch_sub(&source->references, 1) != 1)
        return;
    ic_context *context = source->context;
    while (source->texts != NULL) {
        text_block *next = source->texts->next;
        ic_free(context, source->texts);
        source->texts = next;
    }
    for (size_t i = 0; i < source->count; i++)
        ic_image_free(source->records[i].image);
    for (size_t i = 0; i < source->blob_count; i++)
        ic_free(context, source->blobs[i]);
    ic_free(context, source->blobs);
    ic_free(context, source->broken);
    ic_free(context, source->records);
    ic_free(context, source->by_name);
    ic_free(context, source->empty_classes);
    ic_free(context, source->classes);
    ic_free(context, source);
    ic_context_free(context);
}

/* Room for size bytes of text. A text too large for a block gets one of its own, behind the first.
 */
static ic_status take_text(ic_source *source, size_t size, char **out)
{
    text_block *block = source->texts;
    if (block == NULL || block->size - block->used < size) {
        size_t room = size > TEXT_BLOCK / 4 ? size : TEXT_BLOCK;
        IC_TRY(ic_allocate(source->context, sizeof *block + room, &block));
        block->used = 0;
        block->size = room;
        if (room != TEXT_BLOCK && source->texts != NULL) {
            block->next = source->texts->next;
            source->texts->next = block;
        } else {
            block->next = source->texts;
            source->texts = block;
        }
    }
    *out = block->bytes + block->used;
    block->used += size;
    return IC_OK;
}

ic_status ic_source_text(ic_source *source, const char *text, size_t length, const char **out)
{
    char *copy;
    IC_TRY(take_text(source, length + 1, &copy));
    memcpy(copy, text, length);
    copy[length] = '\0';
    *out = copy;
    return IC_OK;
}

ic_status ic_source_text_join(ic_source *source, const char *a, const char *between, const char *b,
                              const char **out)
{
    size_t lengths[3] = {strlen(a), strlen(between), strlen(b)};
    char *text;
    IC_TRY(take_text(source, lengths[0] + lengths[1] + lengths[2] + 1, &text));
    memcpy(text, a, lengths[0]);
    memcpy(text + lengths[0], between, lengths[1]);
    memcpy(text + lengths[0] + lengths[1], b, lengths[2] + 1);
    *out = text;
    return IC_OK;
}

/* The place in by_name where the name is, or where it belongs. */
static size_t name_place(const ic_source *source, const char *name, bool *found)
{
    size_t low = 0, high = source->class_count;
    *found = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(source->classes[source->by_name[middle]].name, name);
        if (order == 0) {
            *found = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

ic_status ic_source_class(ic_source *source, const char *name, int64_t rank, int32_t *out)
{
    bool found;
    size_t place = name_place(source, name, &found);
    if (found) {
        *out = source->by_name[place];
        return IC_OK;
    }
    size_t count = source->class_count;
    if (count >= INT32_MAX)
        return ic_fail(IC_ERROR_LIMIT, "more than %d classes", INT32_MAX);
    IC_TRY(ic_grow(source->context, &source->classes, &source->class_capacity, count + 1,
                   sizeof *source->classes));
    IC_TRY(ic_grow(source->context, &source->by_name, &source->by_name_capacity, count + 1,
                   sizeof *source->by_name));
    ic_class *added = &source->classes[count];
    IC_TRY(ic_source_text(source, name, strlen(name), &added->name));
    added->rank = rank;
    memmove(source->by_name + place + 1, source->by_name + place,
            (count - place) * sizeof *source->by_name);
    source->by_name[place] = (int32_t)count;
    source->class_count = count + 1;
    *out = (int32_t)count;
    return IC_OK;
}

ic_status ic_source_add(ic_source *source, const ic_record *record)
{
    IC_TRY(ic_grow(source->context, &source->records, &source->capacity, source->count + 1,
                   sizeof *source->records));
    source->records[source->count++] = *record;
    return IC_OK;
}

ic_status ic_source_add_broken(ic_source *source, const char *path, const char *reason,
                               ic_part part)
{
    IC_TRY(ic_grow(source->context, &source->broken, &source->broken_capacity,
                   source->broken_count + 1, sizeof *source->broken));
    ic_broken *broken = &source->broken[source->broken_count];
    broken->path = path;
    broken->part = part;
    IC_TRY(ic_source_text(source, reason, strlen(reason), &broken->reason));
    source->broken_count++;
    return IC_OK;
}

ic_status ic_source_keep(ic_source *source, unsigned char *blob)
{
    IC_TRY(ic_grow(source->context, &source->blobs, &source->blob_capacity, source->blob_count + 1,
                   sizeof *source->blobs));
    source->blobs[source->blob_count++] = blob;
    return IC_OK;
}

/* A class on its way to its final index. */
typedef struct sorted_class {
    ic_class class;
    int32_t old;
    int64_t pictures;
} sorted_class;

/* Classes with pictures first, by rank and name; the empty ones last. */
static int compare_classes(const void *a, const void *b)
{
    const sorted_class *x = a, *y = b;
    if ((x->pictures == 0) != (y->pictures == 0))
        return x->pictures == 0 ? 1 : -1;
    if (x->class.rank != y->class.rank)
        return x->class.rank < y->class.rank ? -1 : 1;
    return strcmp(x->class.name, y->class.name);
}

/* A class that no picture is left of. */
static ic_status add_empty(ic_source *source, const char *name)
{
    IC_TRY(ic_grow(source->context, &source->empty_classes, &source->empty_capacity,
                   source->empty_count + 1, sizeof *source->empty_classes));
    source->empty_classes[source->empty_count++] = name;
    ic_log(source->context, IC_LOG_WARNING, "class %s is passed over: it has no readable picture",
           name);
    return IC_OK;
}

ic_status ic_source_sort_classes(ic_source *source)
{
    ic_status status = IC_OK;
    sorted_class *sorted = NULL;
    int32_t *renamed = NULL;
    size_t count = source->class_count;
    IC_TRY_CLEAN(ic_allocate_array(source->context, count, sizeof *sorted, &sorted));
    IC_TRY_CLEAN(ic_allocate_array(source->context, count, sizeof *renamed, &renamed));
    for (size_t i = 0; i < count; i++)
        sorted[i] = (sorted_class){source->classes[i], (int32_t)i, 0};
    for (size_t i = 0; i < source->count; i++)
        sorted[source->records[i].item.class_index].pictures++;
    if (count > 0)
        qsort(sorted, count, sizeof *sorted, compare_classes);

    for (size_t i = 0; i < count; i++) {
        source->classes[i] = sorted[i].class;
        renamed[sorted[i].old] = (int32_t)i;
    }
    for (size_t i = 0; i < count; i++)
        source->by_name[i] = renamed[source->by_name[i]];
    for (size_t i = 0; i < source->count; i++) {
        int32_t *index = &source->records[i].item.class_index;
        *index = renamed[*index];
    }
    const size_t all = count;
    while (count > 0 && sorted[count - 1].pictures == 0)
        count--;
    for (size_t i = count; i < all; i++)
        IC_TRY_CLEAN(add_empty(source, source->classes[i].name));
    size_t kept = 0;
    for (size_t i = 0; i < source->class_count; i++)
        if ((size_t)source->by_name[i] < count)
            source->by_name[kept++] = source->by_name[i];
    source->class_count = count;
cleanup:
    ic_free(source->context, renamed);
    ic_free(source->context, sorted);
    return status;
}

/* dataset/dataset.c: a data set as a view on its source; what can be asked of it.
 * SPDX-License-Identifier: MIT */
#include "base/file.h"
#include "base/status.h"
#include "base/text.h"
#include "dataset/source.h"

#include <string.h>

/* A view with room for `capacity` pictures; takes over the reference of the source, also on errors.
 */
static ic_status create_view(ic_source *source, size_t capacity, ic_dataset **out)
{
    ic_dataset *dataset;
    ic_status status = ic_allocate_zero(source->context, sizeof *dataset, &dataset);
    if (status < 0) {
        ic_source_release(source);
        return status;
    }
    atomic_init(&dataset->references, 1);
    dataset->source = source;
    status = ic_grow(source->context, &dataset->records, &dataset->capacity, capacity,
                     sizeof *dataset->records);
    if (status < 0)
        ic_dataset_free(dataset);
    else
        *out = dataset;
    return status;
}

/* Counts the pictures of each class of a filled view and hands it out; frees it on an error. */
static ic_status finish_view(ic_dataset *view, ic_dataset **out)
{
    const ic_source *source = view->source;
    ic_status status = ic_grow(source->context, &view->class_counts, &view->class_capacity,
                               source->class_count, sizeof *view->class_counts);
    if (status < 0) {
        ic_dataset_free(view);
        return status;
    }
    if (view->class_capacity > 0)
        memset(view->class_counts, 0, view->class_capacity * sizeof *view->class_counts);
    for (size_t i = 0; i < view->count; i++)
        view->class_counts[source->records[view->records[i]].item.class_index]++;
    *out = view;
    return IC_OK;
}

ic_status ic_dataset_of_source(ic_source *source, ic_dataset **out)
{
    ic_dataset *dataset;
    IC_TRY(create_view(source, source->count, &dataset));
    for (size_t i = 0; i < source->count; i++)
        dataset->records[i] = (int64_t)i;
    dataset->count = source->count;
    dataset->broken_count = source->broken_count;
    return finish_view(dataset, out);
}

ic_status ic_dataset_select(const ic_dataset *dataset, bool (*keep)(void *payload, int64_t index),
                            void *payload, ic_dataset **out)
{
    size_t kept = 0;
    for (size_t i = 0; i < dataset->count; i++)
        kept += keep(payload, (int64_t)i);
    atomic_fetch_add(&dataset->source->references, 1);
    ic_dataset *view;
    IC_TRY(create_view(dataset->source, kept, &view));
    for (size_t i = 0; i < dataset->count; i++)
        if (keep(payload, (int64_t)i))
            view->records[view->count++] = dataset->records[i];
    view->broken_first = dataset->broken_first;
    view->broken_count = dataset->broken_count;
    return finish_view(view, out);
}

bool ic_dataset_is_kin(const ic_dataset *a, const ic_dataset *b)
{
    return a->source == b->source;
}

/* Both are in ascending order, and so is what comes out. */
static void merge_records(const ic_dataset *a, const ic_dataset *b, ic_dataset *out)
{
    size_t i = 0, j = 0;
    while (i < a->count || j < b->count) {
        bool from_a = j == b->count || (i < a->count && a->records[i] <= b->records[j]);
        int64_t record = from_a ? a->records[i++] : b->records[j++];
        if (out->count == 0 || out->records[out->count - 1] != record)
            out->records[out->count++] = record;
    }
}

/* The broken pictures of both, and those between the two ranges. */
static void join_broken(const ic_dataset *a, const ic_dataset *b, ic_dataset *out)
{
    if (a->broken_count == 0 || (b->broken_count > 0 && b->broken_first < a->broken_first)) {
        const ic_dataset *first = b;
        b = a;
        a = first;
    }
    size_t a_end = a->broken_first + a->broken_count, b_end = b->broken_first + b->broken_count;
    out->broken_first = a->broken_first;
    out->broken_count = (b->broken_count > 0 && b_end > a_end ? b_end : a_end) - a->broken_first;
}

ic_status ic_dataset_join(const ic_dataset *a, const ic_dataset *b, ic_dataset **out)
{
    if (!ic_dataset_is_kin(a, b))
        return ic_fail(IC_ERROR_ARGUMENT, "only parts of one data set can be joined");
    atomic_fetch_add(&a->source->references, 1);
    ic_dataset *view;
    IC_TRY(create_view(a->source, a->count + b->count, &view));
    merge_records(a, b, view);
    join_broken(a, b, view);
    return finish_view(view, out);
}

const char *const ic_part_names[] = {"", "train", "validation", "test"};

bool ic_name_is(const char *name, const char *word)
{
    return strlen(name) == strlen(word) && ic_text_ends(name, word);
}

ic_part ic_part_of_name(const char *name)
{
    static const struct {
        const char *word;
        ic_part part;
    } words[] = {{"train", IC_PART_TRAIN},
                 {"training", IC_PART_TRAIN},
                 {"val", IC_PART_VALIDATION},
                 {"valid", IC_PART_VALIDATION},
                 {"validation", IC_PART_VALIDATION},
                 {"dev", IC_PART_VALIDATION},
                 {"test", IC_PART_TEST},
                 {"testing", IC_PART_TEST},
                 {"eval", IC_PART_TEST}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (ic_name_is(name, words[i].word))
            return words[i].part;
    return IC_PART_NONE;
}

void ic_dataset_count_parts(const ic_dataset *dataset, int64_t counts[IC_PART_TEST + 1])
{
    memset(counts, 0, (IC_PART_TEST + 1) * sizeof *counts);
    for (size_t i = 0; i < dataset->count; i++)
        counts[ic_dataset_at(dataset, (int64_t)i)->part]++;
}

typedef struct part_filter {
    const ic_dataset *dataset;
    ic_part part;
} part_filter;

static bool in_part(void *payload, int64_t index)
{
    const part_filter *filter = payload;
    return ic_dataset_at(filter->dataset, index)->part == filter->part;
}

static bool not_in_part(void *payload, int64_t index)
{
    return !in_part(payload, index);
}

ic_status ic_dataset_without(const ic_dataset *dataset, ic_part part, ic_dataset **out)
{
    part_filter filter = {dataset, part};
    return ic_dataset_select(dataset, not_in_part, &filter, out);
}

bool ic_dataset_declares(const ic_dataset *dataset, ic_part part)
{
    for (int64_t i = 0; i < ic_dataset_count(dataset); i++)
        if (ic_dataset_at(dataset, i)->part == part)
            return true;
    return false;
}

/* Leaves those broken pictures that lay in the part: they stand in a row, as parts are scanned one
 * after another. */
static void narrow_broken(ic_dataset *view, ic_part part)
{
    const ic_broken *broken = view->source->broken;
    while (view->broken_count > 0 && broken[view->broken_first].part != part) {
        view->broken_first++;
        view->broken_count--;
    }
    while (view->broken_count > 0 &&
           broken[view->broken_first + view->broken_count - 1].part != part)
        view->broken_count--;
}

ic_status ic_dataset_part(const ic_dataset *dataset, const char *part, ic_dataset **out)
{
    if (dataset == NULL || part == NULL || out == NULL)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_dataset_part: data set, part and out must be given");
    part_filter filter = {dataset, IC_PART_NONE};
    for (int32_t i = IC_PART_TRAIN; i <= IC_PART_TEST; i++)
        if (strcmp(part, ic_part_names[i]) == 0)
            filter.part = (ic_part)i;
    if (filter.part == IC_PART_NONE)
        return ic_fail(IC_ERROR_NOT_FOUND,
                       "there is no part called \"%s\": it is train, validation or test", part);
    for (size_t i = 0; i < dataset->count; i++)
        if (in_part(&filter, (int64_t)i)) {
            IC_TRY(ic_dataset_select(dataset, in_part, &filter, out));
            narrow_broken(*out, filter.part);
            return IC_OK;
        }
    return ic_fail(IC_ERROR_NOT_FOUND,
                   "the data declares no %s part: use ic_dataset_split, or put the pictures into "
                   "folders train, validation and test (in a CSV file: a column split)",
                   part);
}

const char *ic_dataset_grouping(const ic_dataset *dataset)
{
    return dataset->source->grouping.text;
}

ic_dataset *ic_dataset_retain(ic_dataset *dataset)
{
    atomic_fetch_add(&dataset->references, 1);
    return dataset;
}

ic_context *ic_dataset_context(const ic_dataset *dataset)
{
    return dataset->source->context;
}

void ic_dataset_free(ic_dataset *dataset)
{
    if (dataset == NULL || atomic_fetch_sub(&dataset->references, 1) != 1)
        return;
    ic_source *source = dataset->source;
    ic_free(source->context, dataset->class_counts);
    ic_free(source->context, dataset->records);
    ic_free(source->context, dataset);
    ic_source_release(source);
}

const ic_item *ic_dataset_at(const ic_dataset *dataset, int64_t index)
{
    return &dataset->source->records[dataset->records[index]].item;
}

int64_t ic_dataset_key(const ic_dataset *dataset, int64_t index)
{
    return dataset->records[index];
}

int64_t ic_dataset_count(const ic_dataset *dataset)
{
    return dataset == NULL ? 0 : (int64_t)dataset->count;
}

int32_t ic_dataset_class_count(const ic_dataset *dataset)
{
    return dataset == NULL ? 0 : (int32_t)dataset->source->class_count;
}

ic_status ic_dataset_class(const ic_dataset *dataset, int32_t index, const char **name,
                           int64_t *count)
{
    if (dataset == NULL)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_dataset_class: the data set is NULL");
    if (index < 0 || index >= ic_dataset_class_count(dataset))
        return ic_fail(IC_ERROR_ARGUMENT, "there is no class %d: the data set has %d", index,
                       ic_dataset_class_count(dataset));
    if (name != NULL)
        *name = dataset->source->classes[index].name;
    if (count != NULL)
        *count = dataset->class_counts[index];
    return IC_OK;
}

static ic_status check_index(const ic_dataset *dataset, int64_t index, const char *function)
{
    if (dataset == NULL)
        return ic_fail(IC_ERROR_ARGUMENT, "%s: the data set is NULL", function);
    if (index < 0 || index >= ic_dataset_count(dataset))
        return ic_fail(IC_ERROR_ARGUMENT, "there is no picture %lld: the data set has %lld",
                       (long long)index, (long long)ic_dataset_count(dataset));
    return IC_OK;
}

ic_status ic_dataset_item(const ic_dataset *dataset, int64_t index, const char **origin,
                          int32_t *class_index)
{
    IC_TRY(check_index(dataset, index, "ic_dataset_item"));
    const ic_item *item = ic_dataset_at(dataset, index);
    if (origin != NULL)
        *origin = item->origin;
    if (class_index != NULL)
        *class_index = item->class_index;
    return IC_OK;
}

ic_status ic_dataset_group(const ic_dataset *dataset, int64_t index, int64_t *out)
{
    if (out == NULL)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_dataset_group: out is NULL");
    IC_TRY(check_index(dataset, index, "ic_dataset_group"));
    *out = (int64_t)(ic_dataset_at(dataset, index)->group >> 1);
    return IC_OK;
}

void ic_record_view(const ic_record *record, ic_image *view)
{
    const ic_item *item = &record->item;
    if (record->image != NULL) {
        const ic_image *image = record->image;
        view->width = image->width;
        view->height = image->height;
        view->channels = image->channels;
        view->depth = image->depth;
        view->stride = image->stride;
        view->pixels = image->pixels;
        return;
    }
    view->width = item->width;
    view->height = item->height;
    view->channels = item->channels;
    view->depth = item->depth;
    view->stride = (size_t)item->width;
    view->pixels = (unsigned char *)record->samples;
}

/* A picture of its own with the samples of an IDX record. */
static ic_status copy_samples(ic_context *context, const ic_record *record, ic_image **out)
{
    ic_image *image;
    const ic_item *item = &record->item;
    IC_TRY(ic_image_create(context, item->width, item->height, 1, 8, &image));
    for (int32_t y = 0; y < item->height; y++)
        memcpy(ic_image_row(image, y), record->samples + (size_t)y * (size_t)item->width,
               (size_t)item->width);
    *out = image;
    return IC_OK;
}

/* NULL where the source has a file instead. */
static ic_status take_samples(const ic_source *source, const ic_record *record, ic_image **out)
{
    *out = NULL;
    if (record->samples != NULL)
        return copy_samples(source->context, record, out);
    if (record->image != NULL)
        *out = ic_image_retain(record->image);
    return IC_OK;
}

ic_status ic_dataset_decode(const ic_dataset *dataset, int64_t index,
                            const ic_decode_options *options, ic_image **out)
{
    const ic_source *source = dataset->source;
    ic_context *context = source->context;
    const ic_record *record = &source->records[dataset->records[index]];
    ic_buffer bytes = {.context = context};
    IC_TRY(take_samples(source, record, out));
    if (*out != NULL)
        return IC_OK;
    IC_TRY(ic_file_read(context, record->item.origin, context->limits.file_bytes, &bytes));
    ic_status status = ic_image_decode_with(context, bytes.bytes, bytes.size, options, NULL, out);
    ic_buffer_free(&bytes);
    return status;
}

ic_status ic_dataset_give(const ic_dataset *dataset, int64_t index,
                          const ic_decode_options *options, const char *function, ic_image **out)
{
    IC_TRY(check_index(dataset, index, function));
    const ic_source *source = dataset->source;
    const ic_record *record = &source->records[dataset->records[index]];
    ic_image *image;
    IC_TRY(take_samples(source, record, &image));
    if (image == NULL)
        IC_TRY(ic_image_read(source->context, record->item.origin, options, &image));
    *out = image;
    return IC_OK;
}

ic_status ic_dataset_image(const ic_dataset *dataset, int64_t index, ic_image **out)
{
    if (out == NULL)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_dataset_image: out is NULL");
    return ic_dataset_give(dataset, index, NULL, "ic_dataset_image", out);
}

int64_t ic_dataset_broken_count(const ic_dataset *dataset)
{
    return dataset == NULL ? 0 : (int64_t)dataset->broken_count;
}

ic_status ic_dataset_broken(const ic_dataset *dataset, int64_t index, const char **path,
                            const char **reason)
{
    if (dataset == NULL)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_dataset_broken: the data set is NULL");
    if (index < 0 || index >= ic_dataset_broken_count(dataset))
        return ic_fail(IC_ERROR_ARGUMENT, "there is no broken picture %lld: %lld were set aside",
                       (long long)index, (long long)ic_dataset_broken_count(dataset));
    const ic_broken *broken = &dataset->source->broken[dataset->broken_first + (size_t)index];
    if (path != NULL)
        *path = broken->path;
    if (reason != NULL)
        *reason = broken->reason;
    return IC_OK;
}

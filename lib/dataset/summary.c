/* dataset/summary.c: a data set in a few words, and its digest. SPDX-License-Identifier: MIT */
#include "base/json.h"
#include "base/status.h"
#include "base/text.h"
#include "dataset/inspection.h"
#include "dataset/source.h"

#include <string.h>

/*
 * The sum, modulo 2^256, of one hash for each (class name, picture): no order can show in it,
 * nothing has to be sorted, and it cannot run out of memory. The hash over it and the count ends
 * it.
 */
typedef struct digest_sum {
    unsigned char sum[IC_SHA256_BYTES];
    uint64_t count;
} digest_sum;

static void add_pictures(digest_sum *total, const ic_dataset *dataset)
{
    for (size_t i = 0; i < dataset->count; i++) {
        const ic_item *item = ic_dataset_at(dataset, (int64_t)i);
        const char *name = dataset->source->classes[item->class_index].name;
        unsigned char one[IC_SHA256_BYTES];
        ic_sha256 hash;
        ic_sha256_begin(&hash);
        ic_sha256_add(&hash, item->digest, sizeof item->digest);
        ic_sha256_add(&hash, name, strlen(name));
        ic_sha256_end(&hash, one);
        uint32_t carry = 0;
        for (size_t k = 0; k < sizeof one; k++) {
            carry += (uint32_t)total->sum[k] + one[k];
            total->sum[k] = (unsigned char)carry;
            carry >>= 8;
        }
    }
    total->count += dataset->count;
}

static void end_digest(const digest_sum *total, unsigned char digest[IC_SHA256_BYTES])
{
    unsigned char bytes[IC_SHA256_BYTES + 8];
    memcpy(bytes, total->sum, sizeof total->sum);
    for (size_t k = 0; k < 8; k++)
        bytes[IC_SHA256_BYTES + k] = (unsigned char)(total->count >> (8 * k));
    ic_sha256_of(bytes, sizeof bytes, digest);
}

void ic_dataset_digest(const ic_dataset *dataset, unsigned char digest[IC_SHA256_BYTES])
{
    digest_sum total = {{0}, 0};
    add_pictures(&total, dataset);
    end_digest(&total, digest);
}

void ic_dataset_digest_both(const ic_dataset *a, const ic_dataset *b,
                            unsigned char digest[IC_SHA256_BYTES])
{
    digest_sum total = {{0}, 0};
    add_pictures(&total, a);
    add_pictures(&total, b);
    end_digest(&total, digest);
}

static ic_status add_classes(const ic_dataset *dataset, json_t *root)
{
    json_t *classes = json_array();
    IC_TRY(ic_json_set(root, "classes", classes));
    for (int32_t i = 0; i < ic_dataset_class_count(dataset); i++) {
        json_t *class = json_object();
        IC_TRY(ic_json_append(classes, class));
        IC_TRY(ic_json_set(class, "class", json_string(dataset->source->classes[i].name)));
        IC_TRY(ic_json_set(class, "count", json_integer(dataset->class_counts[i])));
    }
    return ic_json_set(root, "count", json_integer((json_int_t)dataset->count));
}

static ic_status add_parts(const ic_dataset *dataset, json_t *root)
{
    int64_t counts[IC_PART_TEST + 1];
    ic_dataset_count_parts(dataset, counts);
    json_t *parts = json_object();
    IC_TRY(ic_json_set(root, "parts", parts));
    for (int32_t i = IC_PART_TRAIN; i <= IC_PART_TEST; i++)
        if (counts[i] > 0)
            IC_TRY(ic_json_set(parts, ic_part_names[i], json_integer(counts[i])));
    return IC_OK;
}

/* JSON text of a path, which may be any bytes: what is not UTF-8 becomes question marks. */
ic_status ic_json_set_path(ic_context *context, json_t *object, const char *key, const char *path)
{
    char *copy;
    size_t size = strlen(path) + 1;
    IC_TRY(ic_allocate(context, size, &copy));
    ic_text_copy(copy, size, path);
    ic_status status = ic_json_set(object, key, json_string(copy));
    ic_free(context, copy);
    return status;
}

static ic_status add_broken(const ic_dataset *dataset, json_t *root)
{
    ic_context *context = ic_dataset_context(dataset);
    json_t *list = json_array();
    IC_TRY(ic_json_set(root, "broken", list));
    for (size_t i = 0; i < dataset->broken_count; i++) {
        const ic_broken *broken = &dataset->source->broken[dataset->broken_first + i];
        json_t *entry = json_object();
        IC_TRY(ic_json_append(list, entry));
        IC_TRY(ic_json_set_path(context, entry, "file", broken->path));
        IC_TRY(ic_json_set(entry, "reason", json_string(broken->reason)));
    }
    return IC_OK;
}

typedef struct size_range {
    int64_t min_width, max_width, min_height, max_height;
    int64_t grey, deep; /* pictures with one channel; with 16 bits */
} size_range;

static size_range measure_sizes(const ic_dataset *dataset)
{
    size_range range = {INT32_MAX, 0, INT32_MAX, 0, 0, 0};
    for (size_t i = 0; i < dataset->count; i++) {
        const ic_item *item = ic_dataset_at(dataset, (int64_t)i);
        range.min_width = item->width < range.min_width ? item->width : range.min_width;
        range.max_width = item->width > range.max_width ? item->width : range.max_width;
        range.min_height = item->height < range.min_height ? item->height : range.min_height;
        range.max_height = item->height > range.max_height ? item->height : range.max_height;
        range.grey += item->channels == 1 || item->channels == 2;
        range.deep += item->depth == 16;
    }
    return range;
}

static ic_status add_sizes(const ic_dataset *dataset, json_t *root)
{
    json_t *sizes = json_object();
    IC_TRY(ic_json_set(root, "sizes", sizes));
    if (dataset->count == 0)
        return IC_OK;
    size_range range = measure_sizes(dataset);
    IC_TRY(ic_json_set(sizes, "min_width", json_integer(range.min_width)));
    IC_TRY(ic_json_set(sizes, "max_width", json_integer(range.max_width)));
    IC_TRY(ic_json_set(sizes, "min_height", json_integer(range.min_height)));
    IC_TRY(ic_json_set(sizes, "max_height", json_integer(range.max_height)));
    IC_TRY(ic_json_set(sizes, "grey", json_integer(range.grey)));
    return ic_json_set(sizes, "sixteen_bit", json_integer(range.deep));
}

ic_status ic_dataset_describe(const ic_dataset *dataset, json_t *root)
{
    IC_TRY(add_classes(dataset, root));
    IC_TRY(add_broken(dataset, root));
    IC_TRY(add_parts(dataset, root));
    return add_sizes(dataset, root);
}

ic_status ic_dataset_json(const ic_dataset *dataset, char *buffer, size_t capacity, size_t *size)
{
    if (dataset == NULL || size == NULL)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_dataset_json: data set and size must be given");
    ic_status status = IC_OK;
    json_t *root = json_object();
    if (root == NULL)
        return ic_fail(IC_ERROR_MEMORY, "out of memory for the summary of a data set");
    IC_TRY_CLEAN(ic_dataset_describe(dataset, root));
    status = ic_json_give(ic_dataset_context(dataset), root, buffer, capacity, size);
cleanup:
    json_decref(root);
    return status;
}

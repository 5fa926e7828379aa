/*
 * dataset/split.c: holding pictures out, by class and by content. Which ones depends on digests,
 * classes, seed and share alone: not on names, order, or where the files lie.
 * SPDX-License-Identifier: MIT
 */
#include "base/options.h"
#include "base/random.h"
#include "base/status.h"
#include "dataset/source.h"

#include <stdlib.h>
#include <string.h>

/* A picture in the order in which pictures are picked. */
typedef struct split_entry {
    uint64_t order;
    const ic_item *item;
    int64_t index;
    bool held_out;
} split_entry;

typedef struct split_class {
    int64_t wanted, taken;          /* pictures to hold out, and those that are */
    int64_t groups_left, groups_in; /* of one content each: still in training; in all */
} split_class;

typedef struct splitter {
    split_entry *entries;
    size_t count;
    split_class *classes;
} splitter;

static uint64_t little_endian(const unsigned char *bytes)
{
    uint64_t value = 0;
    for (int32_t i = 7; i >= 0; i--)
        value = value << 8 | bytes[i];
    return value;
}

static uint64_t order_of(const ic_item *item, uint64_t seed)
{
    ic_random random = ic_random_at(seed, IC_USE_SPLIT, little_endian(item->digest),
                                    little_endian(item->digest + 8));
    return ic_random_bits(&random);
}

/* By order, then such that equal content stands together. */
static int compare_entries(const void *a, const void *b)
{
    const split_entry *x = a, *y = b;
    if (x->order != y->order)
        return x->order < y->order ? -1 : 1;
    int digests = memcmp(x->item->digest, y->item->digest, IC_SHA256_BYTES);
    if (digests != 0)
        return digests;
    if (x->item->class_index != y->item->class_index)
        return x->item->class_index < y->item->class_index ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

/* The end of the group that begins at `first`: all pictures of the same content. */
static size_t group_end(const splitter *split, size_t first)
{
    size_t end = first + 1;
    while (end < split->count && memcmp(split->entries[end].item->digest,
                                        split->entries[first].item->digest, IC_SHA256_BYTES) == 0)
        end++;
    return end;
}

/* One content filed under two classes: it can prove nothing and stays in training. */
static bool has_two_classes(const splitter *split, size_t first, size_t end)
{
    return split->entries[first].item->class_index != split->entries[end - 1].item->class_index;
}

static void count_groups(splitter *split, double share)
{
    for (size_t i = 0; i < split->count; i++)
        split->classes[split->entries[i].item->class_index].wanted++;
    for (size_t first = 0, end; first < split->count; first = end) {
        end = group_end(split, first);
        int32_t last = -1;
        for (size_t i = first; i < end; i++) {
            int32_t index = split->entries[i].item->class_index;
            split->classes[index].groups_in += index != last;
            last = index;
        }
    }
    for (size_t i = 0; i < split->count; i++) {
        split_class *class = &split->classes[split->entries[i].item->class_index];
        if (class->groups_left != 0)
            continue;
        class->groups_left = class->groups_in;
        class->wanted = (int64_t)((double)class->wanted * share + 0.5);
        if (class->wanted == 0 && class->groups_in >= 2)
            class->wanted = 1;
    }
}

/* Whether holding out the group brings its class nearer to the share without emptying it. */
static bool takes_group(const split_class *class, int64_t size, bool at_any_size)
{
    if (class->groups_left < 2 || class->taken >= class->wanted)
        return false;
    int64_t over = class->taken + size - class->wanted;
    return at_any_size ? class->taken == 0 : over < class->wanted - class->taken;
}

/* Goes over all groups; at_any_size: for classes whose groups are all too large to fit the share.
 */
static void hold_out(splitter *split, bool at_any_size)
{
    for (size_t first = 0, end; first < split->count; first = end) {
        end = group_end(split, first);
        split_class *class = &split->classes[split->entries[first].item->class_index];
        if (has_two_classes(split, first, end) ||
            !takes_group(class, (int64_t)(end - first), at_any_size))
            continue;
        class->taken += (int64_t)(end - first);
        class->groups_left--;
        for (size_t i = first; i < end; i++)
            split->entries[i].held_out = true;
    }
}

typedef struct side_filter {
    const bool *held_out; /* by index in the data set */
    bool side;
} side_filter;

static bool on_side(void *payload, int64_t index)
{
    const side_filter *filter = payload;
    return filter->held_out[index] == filter->side;
}

static ic_status make_sides(const ic_dataset *dataset, const splitter *split, bool *held_out,
                            ic_dataset **train, ic_dataset **validation)
{
    int64_t count = 0;
    for (size_t i = 0; i < split->count; i++) {
        held_out[split->entries[i].index] = split->entries[i].held_out;
        count += split->entries[i].held_out;
    }
    if (count == 0)
        return ic_fail(IC_ERROR_DATA, "nothing can be held out for validation: no class has two "
                                      "different pictures; add pictures");
    ic_dataset *kept, *taken;
    IC_TRY(ic_dataset_select(dataset, on_side, &(side_filter){held_out, false}, &kept));
    ic_status status = ic_dataset_select(dataset, on_side, &(side_filter){held_out, true}, &taken);
    if (status < 0) {
        ic_dataset_free(kept);
        return status;
    }
    *train = kept;
    *validation = taken;
    return IC_OK;
}

/*
 * What is held out where nobody says how much: 15 %, but of many pictures no more than tell half a
 * per cent apart, and 3 % at least.
 */
static double share_of(double asked, size_t pictures)
{
    const double usual = 0.15, least = 0.03, enough = 1500;
    double share = enough / (double)pictures;
    if (asked > 0)
        return asked;
    return share > usual ? usual : share < least ? least : share;
}

ic_status ic_dataset_split_by(const ic_dataset *dataset, uint64_t seed, double validation_share,
                              ic_dataset **train, ic_dataset **validation)
{
    ic_context *context = ic_dataset_context(dataset);
    splitter split = {.count = dataset->count};
    bool *held_out = NULL;
    ic_status status = IC_OK;
    IC_TRY_CLEAN(ic_allocate_array(context, split.count, sizeof *split.entries, &split.entries));
    IC_TRY_CLEAN(ic_allocate_zero(
        context, (size_t)ic_dataset_class_count(dataset) * sizeof *split.classes, &split.classes));
    IC_TRY_CLEAN(ic_allocate_array(context, split.count, sizeof *held_out, &held_out));
    for (size_t i = 0; i < split.count; i++) {
        const ic_item *item = ic_dataset_at(dataset, (int64_t)i);
        split.entries[i] = (split_entry){order_of(item, seed), item, (int64_t)i, false};
    }
    if (split.count > 0)
        qsort(split.entries, split.count, sizeof *split.entries, compare_entries);
    count_groups(&split, share_of(validation_share, split.count));
    hold_out(&split, false);
    hold_out(&split, true);
    IC_TRY_CLEAN(make_sides(dataset, &split, held_out, train, validation));
cleanup:
    ic_free(context, held_out);
    ic_free(context, split.classes);
    ic_free(context, split.entries);
    return status;
}

typedef struct parts_filter {
    const ic_dataset *dataset;
    uint32_t parts; /* bit i: part i */
} parts_filter;

static bool in_parts(void *payload, int64_t index)
{
    const parts_filter *filter = payload;
    return (filter->parts >> ic_dataset_at(filter->dataset, index)->part & 1) != 0;
}

static const uint32_t training_parts = 1u << IC_PART_NONE | 1u << IC_PART_TRAIN;

/* Training and validation as the data declares them. */
static ic_status split_declared(const ic_dataset *dataset, ic_dataset **train,
                                ic_dataset **validation)
{
    ic_dataset *first, *second;
    IC_TRY(ic_dataset_select(dataset, in_parts, &(parts_filter){dataset, training_parts}, &first));
    ic_status status = ic_dataset_select(
        dataset, in_parts, &(parts_filter){dataset, 1u << IC_PART_VALIDATION}, &second);
    if (status < 0) {
        ic_dataset_free(first);
        return status;
    }
    *train = first;
    *validation = second;
    return IC_OK;
}

ic_status ic_dataset_split(const ic_dataset *dataset, const ic_options *options, ic_dataset **train,
                           ic_dataset **validation)
{
    if (dataset == NULL || train == NULL || validation == NULL)
        return ic_fail(IC_ERROR_ARGUMENT,
                       "ic_dataset_split: data set, train and validation must be given");
    int64_t counts[IC_PART_TEST + 1];
    ic_dataset_count_parts(dataset, counts);
    int64_t trainable = counts[IC_PART_NONE] + counts[IC_PART_TRAIN];
    if (trainable > 0 && counts[IC_PART_VALIDATION] > 0)
        return split_declared(dataset, train, validation);

    /* Without a training part, the next best one has to serve. */
    parts_filter pool = {dataset, training_parts};
    if (trainable == 0)
        pool.parts = 1u << (counts[IC_PART_VALIDATION] > 0 ? IC_PART_VALIDATION : IC_PART_TEST);
    ic_dataset *trained;
    IC_TRY(ic_dataset_select(dataset, in_parts, &pool, &trained));
    ic_status status =
        ic_dataset_split_by(trained, (uint64_t)ic_option_int(options, "seed"),
                            ic_option_float(options, "validation_share"), train, validation);
    ic_dataset_free(trained);
    return status;
}

/* dataset/units.c: finds the pictures that no split may part. SPDX-License-Identifier: MIT */
#include "dataset/units.h"

#include "base/random.h"
#include "base/status.h"

#include <stdlib.h>
#include <string.h>

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

static int compare_groups(const void *a, const void *b)
{
    const ic_unit_entry *x = a, *y = b;
    if (x->item->group != y->item->group)
        return x->item->group < y->item->group ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

static int compare_content(const void *a, const void *b)
{
    const ic_unit_entry *x = a, *y = b;
    int digests = memcmp(x->item->digest, y->item->digest, IC_SHA256_BYTES);
    if (digests != 0)
        return digests;
    if (x->item->class_index != y->item->class_index)
        return x->item->class_index < y->item->class_index ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

/* By order of the units, then such that equal content stands together. */
static int compare_units(const void *a, const void *b)
{
    const ic_unit_entry *x = a, *y = b;
    if (x->order != y->order)
        return x->order < y->order ? -1 : 1;
    if (x->unit != y->unit)
        return x->unit < y->unit ? -1 : 1;
    return compare_content(a, b);
}

static bool same_group(const ic_unit_entry *a, const ic_unit_entry *b)
{
    return a->item->group != 0 && a->item->group == b->item->group;
}

bool ic_same_content(const ic_unit_entry *a, const ic_unit_entry *b)
{
    return memcmp(a->item->digest, b->item->digest, IC_SHA256_BYTES) == 0;
}

int64_t ic_root_of(int64_t *parents, int64_t index)
{
    while (parents[index] != index) {
        parents[index] = parents[parents[index]];
        index = parents[index];
    }
    return index;
}

void ic_join_roots(int64_t *parents, int64_t a, int64_t b)
{
    int64_t x = ic_root_of(parents, a), y = ic_root_of(parents, b);
    parents[x > y ? x : y] = x > y ? y : x;
}

static void bind(const ic_units *units, int64_t *parents,
                 bool (*same)(const ic_unit_entry *, const ic_unit_entry *))
{
    for (size_t i = 1; i < units->count; i++) {
        const ic_unit_entry *a = &units->entries[i - 1], *b = &units->entries[i];
        if (!same(a, b))
            continue;
        ic_join_roots(parents, a->index, b->index);
    }
}

static void sort(const ic_units *units, int (*compare)(const void *, const void *))
{
    if (units->count > 0)
        qsort(units->entries, units->count, sizeof *units->entries, compare);
}

/* Binds by content, and by group where there are any; a unit's order is the least of its pictures'.
 */
static void find_units(const ic_units *units, const ic_dataset *dataset, uint64_t seed,
                       int64_t *parents, uint64_t *orders)
{
    bool grouped = false;
    for (size_t i = 0; i < units->count; i++) {
        const ic_item *item = ic_dataset_at(dataset, (int64_t)i);
        units->entries[i] = (ic_unit_entry){.item = item, .index = (int64_t)i};
        grouped |= item->group != 0;
        parents[i] = (int64_t)i;
        orders[i] = order_of(item, seed);
    }
    sort(units, compare_content);
    bind(units, parents, ic_same_content);
    if (grouped) {
        sort(units, compare_groups);
        bind(units, parents, same_group);
    }
    for (size_t i = 0; i < units->count; i++) {
        int64_t root = ic_root_of(parents, (int64_t)i);
        orders[root] = orders[i] < orders[root] ? orders[i] : orders[root];
    }
    for (size_t i = 0; i < units->count; i++) {
        ic_unit_entry *entry = &units->entries[i];
        entry->unit = ic_root_of(parents, entry->index);
        entry->order = orders[entry->unit];
    }
    sort(units, compare_units);
}

ic_status ic_units_create(const ic_dataset *dataset, uint64_t seed, ic_units *out)
{
    ic_units units = {.context = ic_dataset_context(dataset),
                      .count = (size_t)ic_dataset_count(dataset)};
    int64_t *parents = NULL;
    uint64_t *orders = NULL;
    ic_status status = IC_OK;
    IC_TRY_CLEAN(
        ic_allocate_array(units.context, units.count, sizeof *units.entries, &units.entries));
    IC_TRY_CLEAN(ic_allocate_array(units.context, units.count, sizeof *parents, &parents));
    IC_TRY_CLEAN(ic_allocate_array(units.context, units.count, sizeof *orders, &orders));
    find_units(&units, dataset, seed, parents, orders);
    *out = units;
    units.entries = NULL;
cleanup:
    ic_free(units.context, orders);
    ic_free(units.context, parents);
    ic_units_free(&units);
    return status;
}

void ic_units_free(ic_units *units)
{
    ic_free(units->context, units->entries);
    units->entries = NULL;
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

ic_status ic_units_part(const ic_dataset *dataset, const ic_units *units, int32_t side,
                        ic_dataset **train, ic_dataset **validation)
{
    bool *held_out;
    ic_dataset *kept = NULL, *taken = NULL;
    ic_status status = IC_OK;
    IC_TRY(ic_allocate_array(units->context, units->count, sizeof *held_out, &held_out));
    for (size_t i = 0; i < units->count; i++)
        held_out[units->entries[i].index] = units->entries[i].side == side;
    IC_TRY_CLEAN(ic_dataset_select(dataset, on_side, &(side_filter){held_out, false}, &kept));
    IC_TRY_CLEAN(ic_dataset_select(dataset, on_side, &(side_filter){held_out, true}, &taken));
    *train = kept;
    *validation = taken;
    kept = NULL;
cleanup:
    ic_dataset_free(kept);
    ic_free(units->context, held_out);
    return status;
}

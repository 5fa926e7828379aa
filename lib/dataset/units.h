/*
 * dataset/units.h: pictures that no split may part: those of one content, those of one group, and
 * what both bind together. Inside of this folder only. SPDX-License-Identifier: MIT
 */
#ifndef DATASET_UNITS_H
#define DATASET_UNITS_H

#include "dataset/dataset.h"

/* A picture in the order in which units are taken. */
typedef struct ic_unit_entry {
    uint64_t order; /* of its unit: random, by content and seed alone */
    int64_t unit;   /* the same number for all pictures of a unit */
    const ic_item *item;
    int64_t index;
    int32_t side; /* for the caller; 0 */
} ic_unit_entry;

typedef struct ic_units {
    ic_context *context;
    ic_unit_entry *entries; /* units one after another, equal content of a unit side by side */
    size_t count;           /* of entries */
} ic_units;

ic_status ic_units_create(const ic_dataset *dataset, uint64_t seed, ic_units *out);
void ic_units_free(ic_units *units);

/*
 * Sets that grow together: parents[i] <= i leads from each member to the first one of its set, from
 * there to itself.
 */
int64_t ic_root_of(int64_t *parents, int64_t index);
void ic_join_roots(int64_t *parents, int64_t a, int64_t b);

bool ic_same_content(const ic_unit_entry *a, const ic_unit_entry *b);

/* The end of the unit that begins at `first`. */
static inline size_t ic_unit_end(const ic_units *units, size_t first)
{
    size_t end = first + 1;
    while (end < units->count && units->entries[end].unit == units->entries[first].unit)
        end++;
    return end;
}

/*
 * The two sets of a split: validation is the pictures whose entry has this side. Neither is set on
 * an error.
 */
ic_status ic_units_part(const ic_dataset *dataset, const ic_units *units, int32_t side,
                        ic_dataset **train, ic_dataset **validation);

#endif

/*
 * dataset/duplicates.h: the same picture twice: the same bytes, the same pixels in other bytes, or
 * re-encoded, resized, slightly cropped or mirrored. SPDX-License-Identifier: MIT
 */
#ifndef DATASET_DUPLICATES_H
#define DATASET_DUPLICATES_H

#include "dataset/dataset.h"

/* The pictures of some sets in a row: those of the first, then those of the second … */
enum { IC_PICTURES_SETS = 3 };
typedef struct ic_pictures {
    const ic_dataset *sets[IC_PICTURES_SETS]; /* kept by the caller; NULL: none */
} ic_pictures;

int64_t ic_pictures_count(const ic_pictures *pictures);
/* The set of a picture, and its index there. */
const ic_dataset *ic_pictures_find(const ic_pictures *pictures, int64_t *index);
const ic_item *ic_pictures_at(const ic_pictures *pictures, int64_t index);

typedef struct ic_duplicate {
    int64_t first, second; /* first < second */
    bool near;             /* else the same bytes or pixels */
    bool mirrored;
    double score; /* 1: the same in every detail */
} ic_duplicate;

typedef struct ic_duplicates {
    ic_context *context;
    ic_duplicate *pairs;
    size_t count, capacity;
} ic_duplicates;

/* Adds the pictures of the same bytes, each with the first of them. */
ic_status ic_duplicates_exact(const ic_pictures *pictures, ic_duplicates *out);

/*
 * Adds those that are the same picture in other bytes: of each picture the nearest few. Each is
 * decoded once (progress "duplicates", can be cancelled), candidates twice (progress "compare");
 * what cannot be read is left out. Takes some 400 bytes a picture.
 */
ic_status ic_duplicates_near(const ic_pictures *pictures, ic_duplicates *out);

/* In ascending order of the pictures. */
void ic_duplicates_sort(ic_duplicates *duplicates);

void ic_duplicates_free(ic_duplicates *duplicates);

#endif

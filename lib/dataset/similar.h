/* dataset/similar.h: which sketches are near to which. Inside of this folder only.
 * SPDX-License-Identifier: MIT */
#ifndef DATASET_SIMILAR_H
#define DATASET_SIMILAR_H

#include "dataset/sketch.h"

/* One sketch that a view of another is near to. */
typedef struct ic_similar {
    int32_t other; /* -1: none */
    int32_t distance;
    int32_t view; /* of the one that was asked for */
} ic_similar;

enum { IC_SIMILAR_MOST = 4 }; /* of one sketch */

/*
 * The nearest others of each sketch, nearest first, found[count][IC_SIMILAR_MOST]; most of those
 * that are near are found, and each is looked for without a look at all others. On the pool; can be
 * cancelled.
 */
ic_status ic_similar_find(ic_context *context, const ic_sketch *sketches, int32_t count,
                          ic_similar *found);

#endif

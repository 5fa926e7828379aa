/*
 * dataset/order.h: which pictures an epoch of a loader shows, and in which order. Inside of this
 * folder only. SPDX-License-Identifier: MIT
 */
#ifndef DATASET_ORDER_H
#define DATASET_ORDER_H

#include "dataset/loader.h"

typedef struct ic_order {
    const ic_dataset *dataset; /* kept by the caller */
    uint64_t seed;
    bool shuffled, balanced; /* balanced: classes come equally often */
    int64_t count;           /* pictures of the set, and places of an epoch */
    int64_t epoch;           /* the one that is set; -1: none */
    int64_t *places;         /* picture + count * how often it came before; use the two below */
    int32_t present;         /* classes with pictures; balanced only, as all below */
    int64_t *starts;         /* of each of these among the members, and the end: [present + 1] */
    int64_t *members;        /* pictures, class by class */
    int64_t *turn;           /* the same in the order in which this epoch takes them */
} ic_order;

/* Of the loader's options training, sampling and seed count. Free it also after an error. */
ic_status ic_order_init(ic_order *order, ic_context *context, const ic_dataset *dataset,
                        const ic_loader_options *options);
void ic_order_free(ic_order *order, ic_context *context);

/* The order of an epoch, a function of (seed, epoch) alone. Allocates nothing. */
void ic_order_set(ic_order *order, int64_t epoch);

static inline int64_t ic_order_picture(const ic_order *order, int64_t place)
{
    return order->places[place] % order->count;
}

static inline int32_t ic_order_repeat(const ic_order *order, int64_t place)
{
    return (int32_t)(order->places[place] / order->count);
}

#endif

/* dataset/order.c: which pictures an epoch shows, and in which order. SPDX-License-Identifier: MIT
 */
#include "dataset/order.h"

#include "base/memory.h"
#include "base/random.h"
#include "base/status.h"

#include <string.h>

/* The pictures of class after class, as the set has them, and where each class begins. */
static ic_status sort_members(ic_order *order)
{
    int64_t start = 0;
    for (int32_t k = 0; k < ic_dataset_class_count(order->dataset); k++) {
        int64_t size = 0;
        IC_TRY(ic_dataset_class(order->dataset, k, NULL, &size));
        order->turn[k] = start;
        if (size > 0)
            order->starts[order->present++] = start;
        start += size;
    }
    order->starts[order->present] = start;
    for (int64_t i = 0; i < order->count; i++)
        order->members[order->turn[ic_dataset_at(order->dataset, i)->class_index]++] = i;
    return IC_OK;
}

ic_status ic_order_init(ic_order *order, ic_context *context, const ic_dataset *dataset,
                        const ic_loader_options *options)
{
    *order = (ic_order){.dataset = dataset,
                        .seed = options->seed,
                        .shuffled = options->training,
                        .balanced = options->training && options->balanced,
                        .count = ic_dataset_count(dataset),
                        .epoch = -1};
    size_t count = (size_t)order->count, classes = (size_t)ic_dataset_class_count(dataset) + 1;
    IC_TRY(ic_allocate_array(context, count, sizeof *order->places, &order->places));
    if (!order->balanced)
        return IC_OK;
    IC_TRY(ic_allocate_array(context, classes, sizeof *order->starts, &order->starts));
    IC_TRY(ic_allocate_array(context, count, sizeof *order->members, &order->members));
    IC_TRY(ic_allocate_array(context, count > classes ? count : classes, sizeof *order->turn,
                             &order->turn));
    return sort_members(order);
}

void ic_order_free(ic_order *order, ic_context *context)
{
    ic_free(context, order->places);
    ic_free(context, order->starts);
    ic_free(context, order->members);
    ic_free(context, order->turn);
}

/* Fisher and Yates' shuffle. */
static void shuffle(ic_random *random, int64_t *numbers, int64_t count)
{
    for (int64_t i = count - 1; i > 0; i--) {
        int64_t other = (int64_t)ic_random_below(random, (uint64_t)i + 1);
        int64_t kept = numbers[i];
        numbers[i] = numbers[other];
        numbers[other] = kept;
    }
}

/*
 * Classes in turn, each from its own shuffled list, over and over: so within an epoch the pictures
 * of a class come equally often, too, up to one.
 */
static void deal(ic_order *order, ic_random *random)
{
    const int64_t *starts = order->starts;
    memcpy(order->turn, order->members, (size_t)order->count * sizeof *order->turn);
    for (int32_t k = 0; k < order->present; k++)
        shuffle(random, order->turn + starts[k], starts[k + 1] - starts[k]);
    int64_t first = (int64_t)ic_random_below(random, (uint64_t)order->present);
    for (int64_t i = 0; i < order->count; i++) {
        int64_t k = (i + first) % order->present, round = i / order->present;
        int64_t size = starts[k + 1] - starts[k];
        order->places[i] = order->turn[starts[k] + round % size] + order->count * (round / size);
    }
}

void ic_order_set(ic_order *order, int64_t epoch)
{
    if (order->epoch == epoch)
        return;
    ic_random random = ic_random_at(order->seed, IC_USE_SHUFFLE, (uint64_t)epoch, 0);
    for (int64_t i = 0; i < order->count && !order->balanced; i++)
        order->places[i] = i;
    if (order->balanced)
        deal(order, &random);
    if (order->shuffled)
        shuffle(&random, order->places, order->count);
    order->epoch = epoch;
}

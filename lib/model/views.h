/*
 * model/views.h: one answer from several views of each picture: test-time augmentation. The logits
 * of the views are averaged; how far they lie apart is known here alone. SPDX-License-Identifier:
 * MIT
 */
#ifndef MODEL_VIEWS_H
#define MODEL_VIEWS_H

#include "graph/executor.h"

/*
 * Which views, and the memory for them, which is kept. Zero-initialise with the context, choose,
 * and ic_views_free in the end.
 */
typedef struct ic_views {
    ic_context *context;
    int32_t shifts, sides; /* each shift is seen from each side */
    float *tensors, *logits;
    size_t tensor_capacity, logit_capacity;
} ic_views;

/*
 * 1: the picture as it is; 2: and its mirror image; 6: these two, and both shifted by a pixel up
 * and left, and down and right, which count half as much (Jordan 2024). Without mirrored views
 * there are 1, 1 and 3. IC_ERROR_ARGUMENT: another number.
 */
ic_status ic_views_choose(ic_views *views, int64_t count, bool mirrored);

/* How many there are. */
int32_t ic_views_count(const ic_views *views);

/* Where the pictures of a batch go before ic_views_infer: [batch][h][w][c]. */
ic_status ic_views_input(ic_views *views, ic_executor *executor, float **tensors);

/* As ic_executor_infer for the first `count` of them: their averaged logits, until the next run. */
ic_status ic_views_infer(ic_views *views, ic_executor *executor, const ic_weights *weights,
                         int32_t count, const float **logits);

void ic_views_free(ic_views *views);

#endif

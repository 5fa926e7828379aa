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
    float scale;           /* of the averaged logits: 1 as chosen, and then the caller's */
    float *tensors, *logits, *outputs;
    size_t tensor_capacity, logit_capacity, output_capacity;
    int64_t output_stride; /* floats of a view of a batch in `outputs` */
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

/*
 * As ic_executor_infer for the first `count` of them: their averaged logits times the scale,
 * [count][logits], until the next run. The graph may be a tapped one.
 */
ic_status ic_views_infer(ic_views *views, ic_executor *executor, const ic_weights *weights,
                         int32_t count, const float **logits);

/* All that a view gave for a picture of that run: logits as they are, and taps. The first view is
 * the picture as it is. */
const float *ic_views_output(const ic_views *views, const ic_executor *executor, int32_t view,
                             int32_t picture);

/* What a view counts in the average: they are 1 together. */
float ic_views_weight(const ic_views *views, int32_t view);

void ic_views_free(ic_views *views);

#endif

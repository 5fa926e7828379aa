/* model/views.c: predictions averaged over views. SPDX-License-Identifier: MIT */
#include "model/views.h"

#include "base/memory.h"
#include "base/pool.h"
#include "base/status.h"
#include "preprocess/pipeline.h"

#include <string.h>

ic_status ic_views_choose(ic_views *views, int64_t count, bool mirrored)
{
    if (count != 1 && count != 2 && count != 6)
        return ic_fail(
            IC_ERROR_ARGUMENT,
            "%lld views: there are 1 (the picture as it is), 2 (and mirrored) or 6 (both "
            "also shifted by a pixel)",
            (long long)count);
    views->shifts = count == 6 ? 3 : 1;
    views->sides = count > 1 && mirrored ? 2 : 1;
    return IC_OK;
}

int32_t ic_views_count(const ic_views *views)
{
    return views->shifts * views->sides;
}

/* The floats of a picture. */
static size_t picture_size(const ic_executor *executor)
{
    ic_shape shape = ic_graph_input_shape(ic_executor_graph(executor));
    return (size_t)shape.h * (size_t)shape.w * (size_t)shape.c;
}

ic_status ic_views_input(ic_views *views, ic_executor *executor, float **tensors)
{
    size_t batch = (size_t)ic_executor_batch(executor);
    size_t classes = (size_t)ic_graph_classes(ic_executor_graph(executor));
    if (ic_views_count(views) == 1) {
        *tensors = ic_executor_input(executor);
        return IC_OK;
    }
    IC_TRY(ic_grow(views->context, &views->tensors, &views->tensor_capacity,
                   batch * picture_size(executor), sizeof *views->tensors));
    IC_TRY(ic_grow(views->context, &views->logits, &views->logit_capacity, batch * classes,
                   sizeof *views->logits));
    *tensors = views->tensors;
    return IC_OK;
}

typedef struct viewing {
    ic_view view;
    ic_shape shape;
    size_t size; /* floats of a picture */
    const float *tensors;
    float *out;
} viewing;

static ic_status view_picture(void *arguments, int64_t unit, int32_t worker)
{
    const viewing *v = arguments;
    size_t at = (size_t)unit * v->size;
    (void)worker;
    ic_tensor_view(v->shape.w, v->shape.h, v->shape.c, v->tensors + at, &v->view, v->out + at);
    return IC_OK;
}

/* Adds the logits of one view. Its weight is a power of two: products are exact. */
static ic_status add_view(ic_views *views, ic_executor *executor, const ic_weights *weights,
                          int32_t count, ic_view view)
{
    const ic_graph *graph = ic_executor_graph(executor);
    viewing work = {view, ic_graph_input_shape(graph), picture_size(executor), views->tensors,
                    ic_executor_input(executor)};
    ic_pool *pool;
    IC_TRY(ic_context_pool(views->context, &pool));
    IC_TRY(ic_pool_run(pool, count, view_picture, &work));
    IC_TRY(ic_executor_infer(executor, weights, count));
    const float *logits = ic_executor_logits(executor);
    const float whole = views->shifts == 1 ? 1 : view.shift == 0 ? 0.5f : 0.25f;
    const float weight = whole / (float)views->sides;
    for (int64_t i = 0; i < (int64_t)count * ic_graph_classes(graph); i++)
        views->logits[i] += weight * logits[i];
    return IC_OK;
}

ic_status ic_views_infer(ic_views *views, ic_executor *executor, const ic_weights *weights,
                         int32_t count, const float **logits)
{
    static const int32_t shifts[] = {0, -1, 1};
    if (ic_views_count(views) == 1) {
        IC_TRY(ic_executor_infer(executor, weights, count));
        *logits = ic_executor_logits(executor);
        return IC_OK;
    }
    memset(views->logits, 0,
           (size_t)count * (size_t)ic_graph_classes(ic_executor_graph(executor)) * sizeof **logits);
    for (int32_t i = 0; i < ic_views_count(views); i++) {
        ic_view view = {.mirrored = i % views->sides == 1, .shift = shifts[i / views->sides]};
        IC_TRY(add_view(views, executor, weights, count, view));
    }
    *logits = views->logits;
    return IC_OK;
}

void ic_views_free(ic_views *views)
{
    ic_free(views->context, views->tensors);
    ic_free(views->context, views->logits);
}

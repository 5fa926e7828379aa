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
    views->scale = 1;
    return IC_OK;
}

int32_t ic_views_count(const ic_views *views)
{
    return views->shifts * views->sides;
}

float ic_views_weight(const ic_views *views, int32_t view)
{
    int32_t shift = view / views->sides;
    const float whole = views->shifts == 1 ? 1 : shift == 0 ? 0.5f : 0.25f;
    return whole / (float)views->sides;
}

/* The floats of a picture. */
static size_t picture_size(const ic_executor *executor)
{
    return ic_shape_floats(ic_graph_input_shape(ic_executor_graph(executor)));
}

ic_status ic_views_input(ic_views *views, ic_executor *executor, float **tensors)
{
    const ic_graph *graph = ic_executor_graph(executor);
    size_t batch = (size_t)ic_executor_batch(executor);
    size_t outputs = batch * (size_t)ic_graph_classes(graph);
    IC_TRY(ic_grow(views->context, &views->logits, &views->logit_capacity,
                   batch * (size_t)ic_graph_logits(graph), sizeof *views->logits));
    views->output_stride = (int64_t)outputs;
    *tensors = ic_executor_input(executor);
    if (ic_views_count(views) == 1)
        return IC_OK;
    IC_TRY(ic_grow(views->context, &views->outputs, &views->output_capacity,
                   outputs * (size_t)ic_views_count(views), sizeof *views->outputs));
    IC_TRY(ic_grow(views->context, &views->tensors, &views->tensor_capacity,
                   batch * picture_size(executor), sizeof *views->tensors));
    *tensors = views->tensors;
    return IC_OK;
}

const float *ic_views_output(const ic_views *views, const ic_executor *executor, int32_t view,
                             int32_t picture)
{
    const float *outputs = ic_views_count(views) == 1
                               ? ic_executor_logits(executor)
                               : views->outputs + view * views->output_stride;
    return outputs + (int64_t)picture * ic_graph_classes(ic_executor_graph(executor));
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

/* The outputs of one view, which stay where ic_views_output finds them. */
static ic_status run_view(ic_views *views, ic_executor *executor, const ic_weights *weights,
                          int32_t count, int32_t index)
{
    static const int32_t shifts[] = {0, -1, 1};
    const ic_graph *graph = ic_executor_graph(executor);
    viewing work = {{.mirrored = index % views->sides == 1, .shift = shifts[index / views->sides]},
                    ic_graph_input_shape(graph),
                    picture_size(executor),
                    views->tensors,
                    ic_executor_input(executor)};
    ic_pool *pool;
    if (ic_views_count(views) == 1)
        return ic_executor_infer(executor, weights, count);
    IC_TRY(ic_context_pool(views->context, &pool));
    IC_TRY(ic_pool_run(pool, count, view_picture, &work));
    IC_TRY(ic_executor_infer(executor, weights, count));
    memcpy(views->outputs + index * views->output_stride, ic_executor_logits(executor),
           (size_t)count * (size_t)ic_graph_classes(graph) * sizeof *views->outputs);
    return IC_OK;
}

/* Adds the logits of one view. Its weight is a power of two: products are exact. */
static void add_view(ic_views *views, const ic_executor *executor, int32_t count, int32_t index)
{
    int32_t classes = ic_graph_logits(ic_executor_graph(executor));
    const float weight = ic_views_weight(views, index);
    for (int32_t i = 0; i < count; i++) {
        const float *from = ic_views_output(views, executor, index, i);
        float *to = views->logits + (int64_t)i * classes;
        for (int32_t k = 0; k < classes; k++)
            to[k] = (index > 0 ? to[k] : 0) + weight * from[k];
    }
}

ic_status ic_views_infer(ic_views *views, ic_executor *executor, const ic_weights *weights,
                         int32_t count, const float **logits)
{
    for (int32_t i = 0; i < ic_views_count(views); i++) {
        IC_TRY(run_view(views, executor, weights, count, i));
        add_view(views, executor, count, i);
    }
    for (int64_t i = 0; i < (int64_t)count * ic_graph_logits(ic_executor_graph(executor)); i++)
        views->logits[i] *= views->scale;
    *logits = views->logits;
    return IC_OK;
}

void ic_views_free(ic_views *views)
{
    ic_free(views->context, views->tensors);
    ic_free(views->context, views->logits);
    ic_free(views->context, views->outputs);
}

/*
 * model/predict.c: from pictures to the answers of one model: executors that are kept, pixels to
 * tensors, probabilities, notes and ranks. SPDX-License-Identifier: MIT
 */
#include "base/maths.h"
#include "base/status.h"
#include "model/prediction.h"

#include <math.h>

/* ---- Executors ---- */

void ic_prediction_drop(ic_kept_executor *kept)
{
    ic_executor_free(kept->executor);
    ic_graph_free(kept->graph);
    *kept = (ic_kept_executor){0};
}

/* The executor of a graph and a batch size: one that is kept, or a new one in the place of the
 * longest unused. */
static ic_status find_executor(ic_prediction *prediction, ic_graph *graph, int32_t batch,
                               ic_executor **out)
{
    ic_kept_executor *oldest = &prediction->kept[0];
    prediction->clock++;
    for (int32_t i = 0; i < IC_PREDICTION_EXECUTORS; i++) {
        ic_kept_executor *kept = &prediction->kept[i];
        if (kept->graph == graph && ic_executor_batch(kept->executor) == batch) {
            kept->used = prediction->clock;
            *out = kept->executor;
            return IC_OK;
        }
        if (kept->used < oldest->used)
            oldest = kept;
    }
    ic_prediction_drop(oldest);
    IC_TRY(ic_executor_create(prediction->context, graph, batch, IC_INFERENCE, &oldest->executor));
    oldest->graph = ic_graph_retain(graph);
    oldest->used = prediction->clock;
    *out = oldest->executor;
    return IC_OK;
}

/* ---- Pixels to tensors, a picture a unit ---- */

typedef struct preparation {
    ic_prediction *prediction;
    const ic_pipeline *pipeline;
    const ic_image *const *images;
    float *tensors;
    bool textured; /* textures are wanted, too */
} preparation;

static ic_status prepare_picture(void *arguments, int64_t unit, int32_t worker)
{
    const preparation *work = arguments;
    const ic_pipeline *pipeline = work->pipeline;
    size_t size = ic_pipeline_floats(pipeline);
    ic_prediction *prediction = work->prediction;
    float *tensor = work->tensors + (size_t)unit * size;
    IC_TRY(ic_pipeline_apply(pipeline, work->images[unit], prediction->workspaces[worker], tensor));
    if (work->textured)
        ic_texture_measure(pipeline, tensor,
                           prediction->scratch + (size_t)worker * ic_texture_scratch(pipeline),
                           prediction->textures[unit]);
    return IC_OK;
}

/* ---- Results ---- */

ic_status ic_result_reserve(ic_context *context, int32_t count, int32_t classes, ic_result *made)
{
    size_t needed;
    if (!ic_multiply_size((size_t)count, (size_t)classes, &needed))
        return ic_fail(IC_ERROR_MEMORY, "out of memory for the results of %d pictures", (int)count);
    IC_TRY(ic_grow(context, &made->probabilities, &made->probability_capacity, needed,
                   sizeof *made->probabilities));
    IC_TRY(
        ic_grow(context, &made->ranking, &made->ranking_capacity, needed, sizeof *made->ranking));
    return ic_grow(context, &made->notes, &made->note_capacity, (size_t)count, sizeof *made->notes);
}

ic_status ic_result_make_room(ic_context *context, int32_t count, int32_t classes, ic_result *made)
{
    IC_TRY(ic_result_reserve(context, count, classes, made));
    made->count = count;
    made->classes = classes;
    return IC_OK;
}

void ic_result_free(ic_context *context, const ic_result *made)
{
    ic_free(context, made->probabilities);
    ic_free(context, made->ranking);
    ic_free(context, made->notes);
}

/* Whether class a comes behind class b: less probable, or as probable with a higher number. */
static bool ranks_behind(const float *probabilities, int32_t a, int32_t b)
{
    if (probabilities[a] != probabilities[b])
        return probabilities[a] < probabilities[b];
    return a > b;
}

/* Puts heap[root] in its place among its descendants; parents rank behind their children. */
static void sift_down(const float *probabilities, int32_t *heap, int32_t root, int32_t count)
{
    for (;;) {
        int32_t child = 2 * root + 1;
        if (child >= count)
            return;
        if (child + 1 < count && ranks_behind(probabilities, heap[child + 1], heap[child]))
            child++;
        if (!ranks_behind(probabilities, heap[child], heap[root]))
            return;
        int32_t moved = heap[root];
        heap[root] = heap[child];
        heap[child] = moved;
        root = child;
    }
}

/* Heap sort: qsort may allocate. */
static void rank(const float *probabilities, int32_t *ranking, int32_t classes)
{
    for (int32_t i = 0; i < classes; i++)
        ranking[i] = i;
    for (int32_t root = classes / 2 - 1; root >= 0; root--)
        sift_down(probabilities, ranking, root, classes);
    for (int32_t last = classes - 1; last > 0; last--) {
        int32_t lowest = ranking[0];
        ranking[0] = ranking[last];
        ranking[last] = lowest;
        sift_down(probabilities, ranking, 0, last);
    }
}

ic_status ic_model_check_logits(const float *logits, int32_t count, int32_t classes)
{
    for (int64_t i = 0; i < (int64_t)count * classes; i++)
        if (!isfinite(logits[i]))
            return ic_fail(IC_ERROR_DIVERGED,
                           "the network's output is not a finite number: its weights are unusable");
    return IC_OK;
}

/* How far the views of a picture are apart about its likeliest class, `top`. */
static float view_spread(ic_prediction *prediction, const ic_executor *executor, int32_t picture,
                         int32_t classes, int32_t top)
{
    const ic_views *views = &prediction->views;
    const ic_kernels *kernels = ic_kernels_at(prediction->context->cpu_level);
    float *scaled = prediction->scratch;
    double mean = 0, square = 0;
    for (int32_t v = 0; v < ic_views_count(views); v++) {
        const float *logits = ic_views_output(views, executor, v, picture);
        for (int32_t k = 0; k < classes; k++)
            scaled[k] = views->scale * logits[k];
        kernels->softmax(1, classes, scaled, scaled);
        double weight = (double)ic_views_weight(views, v), p = (double)scaled[top];
        mean += weight * p;
        square += weight * p * p;
    }
    return (float)sqrt(square > mean * mean ? square - mean * mean : 0);
}

/* The memory that textures and views take. */
static ic_status make_scratch(ic_prediction *prediction, const ic_model *model)
{
    size_t needed = ic_texture_scratch(&model->pipeline) * (size_t)prediction->worker_count;
    size_t classes = (size_t)model->class_count;
    return ic_grow(prediction->context, &prediction->scratch, &prediction->scratch_capacity,
                   needed > classes ? needed : classes, sizeof *prediction->scratch);
}

/* What a model says besides classes about picture `picture` of the part in hand. */
static ic_note make_note(ic_prediction *prediction, const ic_executor *executor,
                         const ic_confidence *confidence, int32_t picture, int32_t classes,
                         const float *probabilities)
{
    ic_note made = {0, 0};
    if (confidence != NULL && confidence->tapped != NULL) {
        double signs[IC_SIGNS];
        ic_unknown_signs(&confidence->unknown, prediction->textures[picture],
                         ic_views_output(&prediction->views, executor, 0, picture), classes,
                         &confidence->taps, signs);
        made.score = (float)ic_unknown_score(&confidence->unknown, signs);
    }
    if (ic_views_count(&prediction->views) > 1)
        made.spread =
            view_spread(prediction, executor, picture, classes, ic_largest(probabilities, classes));
    return made;
}

/* Pictures first..first+count-1 of the result, count <= the executor's batch. */
static ic_status predict_part(const ic_model *model, const ic_published *published,
                              const ic_image *const *images, int32_t first, int32_t count,
                              ic_prediction *prediction, ic_result *made)
{
    ic_executor *executor;
    int32_t classes = made->classes;
    preparation work = {prediction, &model->pipeline, images + first, NULL, made->scored};
    IC_TRY(find_executor(prediction, ic_published_graph(model, published),
                         count == 1 ? 1 : IC_PREDICTION_BATCH, &executor));
    IC_TRY(ic_views_input(&prediction->views, executor, &work.tensors));
    IC_TRY(ic_pool_run(prediction->pool, count, prepare_picture, &work));
    const float *logits;
    IC_TRY(ic_views_infer(&prediction->views, executor, published->weights, count, &logits));
    IC_TRY(ic_model_check_logits(logits, count, classes));
    float *probabilities = made->probabilities + (size_t)first * (size_t)classes;
    ic_kernels_at(prediction->context->cpu_level)->softmax(count, classes, logits, probabilities);
    for (int32_t i = 0; i < count; i++)
        made->notes[first + i] = make_note(prediction, executor, published->confidence, i, classes,
                                           probabilities + (size_t)i * (size_t)classes);
    return IC_OK;
}

ic_status ic_prediction_run(const ic_model *model, const ic_image *const *images, int32_t count,
                            ic_prediction *prediction, ic_result *made)
{
    ic_status status = IC_OK;
    if (model->context != prediction->context)
        return ic_fail(IC_ERROR_ARGUMENT, "the model and the prediction are of different contexts: "
                                          "make the prediction in the model's");
    IC_TRY(ic_result_make_room(prediction->context, count, model->class_count, made));
    IC_TRY(make_scratch(prediction, model));
    ic_published published = ic_model_published(model);
    const ic_confidence *confidence = published.confidence;
    made->scored = confidence != NULL && confidence->tapped != NULL;
    made->threshold = made->scored ? (float)confidence->unknown.threshold : 0;
    IC_TRY_CLEAN(ic_views_choose(&prediction->views, prediction->view_count, published.mirrored));
    prediction->views.scale = ic_published_scale(&published);
    for (int32_t first = 0; first < count; first += IC_PREDICTION_BATCH) {
        int32_t part = count - first < IC_PREDICTION_BATCH ? count - first : IC_PREDICTION_BATCH;
        IC_TRY_CLEAN(predict_part(model, &published, images, first, part, prediction, made));
    }
cleanup:
    ic_published_free(&published);
    return status;
}

void ic_prediction_finish(ic_prediction *prediction, ic_result *made)
{
    for (int32_t i = 0; i < made->count; i++) {
        size_t row = (size_t)i * (size_t)made->classes;
        rank(made->probabilities + row, made->ranking + row, made->classes);
    }
    prediction->current = !prediction->current;
}

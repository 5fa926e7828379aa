/* model/prediction.c: classifying pictures with memory that is kept. SPDX-License-Identifier: MIT
 */
#include "base/status.h"
#include "model/model.h"
#include "model/views.h"

#include <imgcls/prediction.h>
#include <math.h>
#include <string.h>

/*
 * Executors are made for one picture or for BATCH; larger batches go through in parts, so that
 * memory stays bounded. EXECUTORS of them are kept, so that a few models can be used in turn.
 */
enum { BATCH = 16, EXECUTORS = 4 };

typedef struct kept_executor {
    ic_executor *executor; /* NULL: free */
    ic_graph *graph;
    uint64_t used; /* when, by the prediction's clock */
} kept_executor;

typedef struct result {
    int32_t count, classes;
    float *probabilities; /* [count][classes] */
    int32_t *ranking;     /* [count][classes]: classes by falling probability */
    size_t probability_capacity, ranking_capacity;
} result;

struct ic_prediction {
    ic_context *context;
    ic_pool *pool;
    ic_pipeline_workspace **workspaces; /* one for each worker of the pool */
    int32_t worker_count;
    kept_executor kept[EXECUTORS];
    uint64_t clock;
    int32_t view_count; /* as asked for */
    ic_views views;
    result results[2]; /* the last good one, and the one that is being made */
    int32_t current;
};

/* ---- Life ---- */

static ic_status create_workspaces(ic_prediction *prediction)
{
    ic_context *context = prediction->context;
    int32_t count = ic_pool_threads(prediction->pool);
    IC_TRY(ic_allocate_array(context, (size_t)count, sizeof *prediction->workspaces,
                             &prediction->workspaces));
    for (; prediction->worker_count < count; prediction->worker_count++)
        IC_TRY(ic_pipeline_workspace_create(context,
                                            &prediction->workspaces[prediction->worker_count]));
    return IC_OK;
}

ic_status ic_prediction_create(ic_context *context, ic_prediction **out)
{
    if (context == NULL || out == NULL)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_prediction_create: %s is NULL",
                       context == NULL ? "context" : "out");
    ic_prediction *prediction;
    ic_status status;
    IC_TRY(ic_allocate_zero(context, sizeof *prediction, &prediction));
    prediction->context = ic_context_retain(context);
    prediction->view_count = 1;
    prediction->views.context = context;
    IC_TRY_CLEAN(ic_context_pool(context, &prediction->pool));
    IC_TRY_CLEAN(create_workspaces(prediction));
    *out = prediction;
    return IC_OK;
cleanup:
    ic_prediction_free(prediction);
    return status;
}

static void drop_executor(kept_executor *kept)
{
    ic_executor_free(kept->executor);
    ic_graph_free(kept->graph);
    *kept = (kept_executor){0};
}

void ic_prediction_free(ic_prediction *prediction)
{
    if (prediction == NULL)
        return;
    ic_context *context = prediction->context;
    for (int32_t i = 0; i < prediction->worker_count; i++)
        ic_pipeline_workspace_free(prediction->workspaces[i]);
    ic_free(context, prediction->workspaces);
    for (int32_t i = 0; i < EXECUTORS; i++)
        drop_executor(&prediction->kept[i]);
    ic_views_free(&prediction->views);
    for (int32_t i = 0; i < 2; i++) {
        ic_free(context, prediction->results[i].probabilities);
        ic_free(context, prediction->results[i].ranking);
    }
    ic_free(context, prediction);
    ic_context_free(context);
}

/* ---- Executors ---- */

/* The executor of a graph and a batch size: one that is kept, or a new one in the place of the
 * longest unused. */
static ic_status find_executor(ic_prediction *prediction, ic_graph *graph, int32_t batch,
                               ic_executor **out)
{
    kept_executor *oldest = &prediction->kept[0];
    prediction->clock++;
    for (int32_t i = 0; i < EXECUTORS; i++) {
        kept_executor *kept = &prediction->kept[i];
        if (kept->graph == graph && ic_executor_batch(kept->executor) == batch) {
            kept->used = prediction->clock;
            *out = kept->executor;
            return IC_OK;
        }
        if (kept->used < oldest->used)
            oldest = kept;
    }
    drop_executor(oldest);
    IC_TRY(ic_executor_create(prediction->context, graph, batch, IC_INFERENCE, &oldest->executor));
    oldest->graph = ic_graph_retain(graph);
    oldest->used = prediction->clock;
    *out = oldest->executor;
    return IC_OK;
}

/* ---- Pixels to tensors, a picture a unit ---- */

typedef struct preparation {
    const ic_prediction *prediction;
    const ic_pipeline *pipeline;
    const ic_image *const *images;
    float *tensors;
} preparation;

static ic_status prepare_picture(void *arguments, int64_t unit, int32_t worker)
{
    const preparation *work = arguments;
    const ic_pipeline *pipeline = work->pipeline;
    size_t size = (size_t)pipeline->width * (size_t)pipeline->height * (size_t)pipeline->channels;
    return ic_pipeline_apply(pipeline, work->images[unit], work->prediction->workspaces[worker],
                             work->tensors + (size_t)unit * size);
}

/* ---- Results ---- */

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

static ic_status make_room(ic_context *context, int32_t count, int32_t classes, result *made)
{
    size_t needed;
    if (!ic_multiply_size((size_t)count, (size_t)classes, &needed))
        return ic_fail(IC_ERROR_MEMORY, "out of memory for the results of %d pictures", (int)count);
    IC_TRY(ic_grow(context, &made->probabilities, &made->probability_capacity, needed,
                   sizeof *made->probabilities));
    IC_TRY(
        ic_grow(context, &made->ranking, &made->ranking_capacity, needed, sizeof *made->ranking));
    made->count = count;
    made->classes = classes;
    return IC_OK;
}

ic_status ic_model_check_logits(const float *logits, int32_t count, int32_t classes)
{
    for (int64_t i = 0; i < (int64_t)count * classes; i++)
        if (!isfinite(logits[i]))
            return ic_fail(IC_ERROR_DIVERGED,
                           "the network's output is not a finite number: its weights are unusable");
    return IC_OK;
}

/* Pictures first..first+count-1 of the result, count <= the executor's batch. */
static ic_status predict_part(const ic_model *model, const ic_weights *weights,
                              const ic_image *const *images, int32_t first, int32_t count,
                              ic_prediction *prediction, result *made)
{
    ic_executor *executor;
    int32_t classes = made->classes;
    IC_TRY(find_executor(prediction, model->graph, count == 1 ? 1 : BATCH, &executor));
    preparation work = {prediction, &model->pipeline, images + first, NULL};
    IC_TRY(ic_views_input(&prediction->views, executor, &work.tensors));
    IC_TRY(ic_pool_run(prediction->pool, count, prepare_picture, &work));
    const float *logits;
    IC_TRY(ic_views_infer(&prediction->views, executor, weights, count, &logits));
    IC_TRY(ic_model_check_logits(logits, count, classes));
    float *probabilities = made->probabilities + (size_t)first * (size_t)classes;
    int32_t *ranking = made->ranking + (size_t)first * (size_t)classes;
    ic_kernels_at(prediction->context->cpu_level)->softmax(count, classes, logits, probabilities);
    for (int32_t i = 0; i < count; i++)
        rank(probabilities + (size_t)i * (size_t)classes, ranking + (size_t)i * (size_t)classes,
             classes);
    return IC_OK;
}

static ic_status predict_all(const ic_model *model, const ic_image *const *images, int32_t count,
                             ic_prediction *prediction)
{
    result *made = &prediction->results[!prediction->current];
    ic_status status;
    if (model->context != prediction->context)
        return ic_fail(IC_ERROR_ARGUMENT, "the model and the prediction are of different contexts");
    IC_TRY(make_room(prediction->context, count, model->class_count, made));
    bool mirrored;
    ic_weights *weights = ic_model_published(model, &mirrored);
    IC_TRY_CLEAN(ic_views_choose(&prediction->views, prediction->view_count, mirrored));
    for (int32_t first = 0; first < count; first += BATCH) {
        int32_t part = count - first < BATCH ? count - first : BATCH;
        IC_TRY_CLEAN(predict_part(model, weights, images, first, part, prediction, made));
    }
    prediction->current = !prediction->current;
    status = IC_OK;
cleanup:
    ic_weights_free(weights);
    return status;
}

/* ---- The interface ---- */

ic_status ic_predict(const ic_model *model, const ic_image *image, ic_prediction *prediction)
{
    if (model == NULL || image == NULL || prediction == NULL)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_predict: %s is NULL",
                       model == NULL   ? "model"
                       : image == NULL ? "image"
                                       : "prediction");
    return predict_all(model, &image, 1, prediction);
}

ic_status ic_predict_batch(const ic_model *model, const ic_image *const *images, int32_t count,
                           ic_prediction *prediction)
{
    if (model == NULL || images == NULL || prediction == NULL)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_predict_batch: %s is NULL",
                       model == NULL    ? "model"
                       : images == NULL ? "images"
                                        : "prediction");
    if (count < 1)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_predict_batch: %d pictures", (int)count);
    for (int32_t i = 0; i < count; i++)
        if (images[i] == NULL)
            return ic_fail(IC_ERROR_ARGUMENT, "ic_predict_batch: picture %d is NULL", (int)i);
    return predict_all(model, images, count, prediction);
}

ic_status ic_prediction_set_views(ic_prediction *prediction, int32_t views)
{
    if (prediction == NULL)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_prediction_set_views: prediction is NULL");
    IC_TRY(ic_views_choose(&prediction->views, views, true));
    prediction->view_count = views;
    return IC_OK;
}

int32_t ic_prediction_count(const ic_prediction *prediction)
{
    return prediction != NULL ? prediction->results[prediction->current].count : 0;
}

static ic_status find_picture(const ic_prediction *prediction, int32_t picture, const char *caller,
                              const result **out)
{
    if (prediction == NULL)
        return ic_fail(IC_ERROR_ARGUMENT, "%s: prediction is NULL", caller);
    const result *last = &prediction->results[prediction->current];
    if (last->count == 0)
        return ic_fail(IC_ERROR_STATE, "%s: nothing has been predicted yet", caller);
    if (picture < 0 || picture >= last->count)
        return ic_fail(IC_ERROR_ARGUMENT, "%s: picture %d of %d", caller, (int)picture,
                       (int)last->count);
    *out = last;
    return IC_OK;
}

ic_status ic_prediction_class(const ic_prediction *prediction, int32_t rank_wanted,
                              int32_t *class_index, float *probability)
{
    return ic_prediction_batch_class(prediction, 0, rank_wanted, class_index, probability);
}

ic_status ic_prediction_batch_class(const ic_prediction *prediction, int32_t picture,
                                    int32_t rank_wanted, int32_t *class_index, float *probability)
{
    const result *last;
    IC_TRY(find_picture(prediction, picture, "ic_prediction_class", &last));
    if (rank_wanted < 0 || rank_wanted >= last->classes)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_prediction_class: rank %d, but the ranks are 0..%d",
                       (int)rank_wanted, (int)last->classes - 1);
    size_t start = (size_t)picture * (size_t)last->classes;
    int32_t index = last->ranking[start + (size_t)rank_wanted];
    if (class_index != NULL)
        *class_index = index;
    if (probability != NULL)
        *probability = last->probabilities[start + (size_t)index];
    return IC_OK;
}

ic_status ic_prediction_probabilities(const ic_prediction *prediction, int32_t picture,
                                      const float **probabilities, int32_t *count)
{
    const result *last;
    IC_TRY(find_picture(prediction, picture, "ic_prediction_probabilities", &last));
    if (probabilities != NULL)
        *probabilities = last->probabilities + (size_t)picture * (size_t)last->classes;
    if (count != NULL)
        *count = last->classes;
    return IC_OK;
}

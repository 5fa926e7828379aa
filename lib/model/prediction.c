/* model/prediction.c: classifying pictures with memory that is kept. SPDX-License-Identifier: MIT
 */
#include "base/maths.h"
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

/* What is said of a picture beside its classes. */
typedef struct note {
    float score; /* how unlike the training pictures it is */
    float spread;
} note;

typedef struct result {
    int32_t count, classes;
    float *probabilities; /* [count][classes] */
    int32_t *ranking;     /* [count][classes]: classes by falling probability */
    note *notes;          /* [count] */
    bool scored;          /* the notes have scores, */
    float threshold;      /* beyond which pictures are unknown */
    size_t probability_capacity, ranking_capacity, note_capacity;
} result;

/* Sums over the members of an ensemble, for each class of each picture. */
typedef struct member_sums {
    double probability, square;
} member_sums;

struct ic_prediction {
    ic_context *context;
    ic_pool *pool;
    ic_pipeline_workspace **workspaces; /* one for each worker of the pool */
    int32_t worker_count;
    kept_executor kept[EXECUTORS];
    uint64_t clock;
    int32_t view_count; /* as asked for */
    ic_views views;
    double textures[BATCH][IC_TEXTURE_MAX]; /* of the part in hand */
    float *scratch; /* of each worker, for textures; and for the probabilities of a view */
    size_t scratch_capacity;
    result results[2]; /* the last good one, and the one that is being made */
    int32_t current;
    result member; /* of an ensemble */
    member_sums *sums;
    int32_t *map; /* class of the member -> of the first one */
    size_t sum_capacity, map_capacity;
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

static void free_result(ic_context *context, const result *made)
{
    ic_free(context, made->probabilities);
    ic_free(context, made->ranking);
    ic_free(context, made->notes);
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
    for (int32_t i = 0; i < 2; i++)
        free_result(context, &prediction->results[i]);
    free_result(context, &prediction->member);
    ic_free(context, prediction->scratch);
    ic_free(context, prediction->sums);
    ic_free(context, prediction->map);
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
    size_t size = (size_t)pipeline->width * (size_t)pipeline->height * (size_t)pipeline->channels;
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
    IC_TRY(
        ic_grow(context, &made->notes, &made->note_capacity, (size_t)count, sizeof *made->notes));
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
static note make_note(ic_prediction *prediction, const ic_executor *executor,
                      const ic_confidence *confidence, int32_t picture, int32_t classes,
                      const float *probabilities)
{
    note made = {0, 0};
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
                              ic_prediction *prediction, result *made)
{
    ic_executor *executor;
    int32_t classes = made->classes;
    preparation work = {prediction, &model->pipeline, images + first, NULL, made->scored};
    IC_TRY(find_executor(prediction, ic_published_graph(model, published), count == 1 ? 1 : BATCH,
                         &executor));
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

/* All that one model says of the pictures, but for the ranking. */
static ic_status run_model(const ic_model *model, const ic_image *const *images, int32_t count,
                           ic_prediction *prediction, result *made)
{
    ic_status status = IC_OK;
    if (model->context != prediction->context)
        return ic_fail(IC_ERROR_ARGUMENT, "the model and the prediction are of different contexts");
    IC_TRY(make_room(prediction->context, count, model->class_count, made));
    IC_TRY(make_scratch(prediction, model));
    ic_published published = ic_model_published(model);
    const ic_confidence *confidence = published.confidence;
    made->scored = confidence != NULL && confidence->tapped != NULL;
    made->threshold = made->scored ? (float)confidence->unknown.threshold : 0;
    IC_TRY_CLEAN(ic_views_choose(&prediction->views, prediction->view_count, published.mirrored));
    prediction->views.scale = ic_published_scale(&published);
    for (int32_t first = 0; first < count; first += BATCH) {
        int32_t part = count - first < BATCH ? count - first : BATCH;
        IC_TRY_CLEAN(predict_part(model, &published, images, first, part, prediction, made));
    }
cleanup:
    ic_published_free(&published);
    return status;
}

/* Ranks the classes, and makes the result the last good one. */
static void finish(ic_prediction *prediction, result *made)
{
    for (int32_t i = 0; i < made->count; i++) {
        size_t row = (size_t)i * (size_t)made->classes;
        rank(made->probabilities + row, made->ranking + row, made->classes);
    }
    prediction->current = !prediction->current;
}

static ic_status predict_all(const ic_model *model, const ic_image *const *images, int32_t count,
                             ic_prediction *prediction)
{
    result *made = &prediction->results[!prediction->current];
    IC_TRY(run_model(model, images, count, prediction, made));
    finish(prediction, made);
    return IC_OK;
}

/* ---- Ensembles ---- */

static ic_status map_classes(const ic_model *first, const ic_model *member, int32_t number,
                             int32_t *map)
{
    if (member->class_count != first->class_count)
        return ic_fail(IC_ERROR_ARGUMENT,
                       "the models of an ensemble have the same classes, but model 1 has %d and "
                       "model %d has %d",
                       (int)first->class_count, (int)number, (int)member->class_count);
    for (int32_t k = 0; k < member->class_count; k++) {
        map[k] = ic_model_find_class(first, member->classes[k]);
        if (map[k] < 0)
            return ic_fail(IC_ERROR_ARGUMENT,
                           "the models of an ensemble have the same classes, but model 1 does not "
                           "know \"%s\" of model %d",
                           member->classes[k], (int)number);
    }
    return IC_OK;
}

/* Adds one more member's answers to the sums, and to the scores of the result. */
static void add_member(ic_prediction *prediction, result *made)
{
    const result *member = &prediction->member;
    int32_t classes = made->classes;
    for (int32_t i = 0; i < made->count; i++) {
        made->notes[i].score += member->notes[i].score;
        for (int32_t k = 0; k < classes; k++) {
            int64_t row = (int64_t)i * classes;
            double p = (double)member->probabilities[row + k];
            member_sums *sums = &prediction->sums[row + prediction->map[k]];
            sums->probability += p;
            sums->square += p * p;
        }
    }
    made->scored = made->scored && member->scored;
    made->threshold += member->threshold;
}

/* Sums to means, and the spread of the members about the likeliest class of each picture. */
static void average_members(const ic_prediction *prediction, int32_t members, result *made)
{
    made->threshold /= (float)members;
    for (int32_t i = 0; i < made->count; i++) {
        const member_sums *sums = prediction->sums + (int64_t)i * made->classes;
        float *probabilities = made->probabilities + (int64_t)i * made->classes;
        for (int32_t k = 0; k < made->classes; k++)
            probabilities[k] = (float)(sums[k].probability / members);
        const member_sums *top = &sums[ic_largest(probabilities, made->classes)];
        double mean = top->probability / members, variance = top->square / members - mean * mean;
        made->notes[i].score /= (float)members;
        made->notes[i].spread = (float)sqrt(variance > 0 ? variance : 0);
    }
}

static ic_status predict_together(const ic_model *const *models, int32_t members,
                                  const ic_image *const *images, int32_t count,
                                  ic_prediction *prediction)
{
    result *made = &prediction->results[!prediction->current];
    size_t classes = (size_t)models[0]->class_count;
    IC_TRY(make_room(prediction->context, count, models[0]->class_count, made));
    IC_TRY(ic_grow(prediction->context, &prediction->map, &prediction->map_capacity, classes,
                   sizeof *prediction->map));
    IC_TRY(ic_grow(prediction->context, &prediction->sums, &prediction->sum_capacity,
                   (size_t)count * classes, sizeof *prediction->sums));
    memset(prediction->sums, 0, (size_t)count * classes * sizeof *prediction->sums);
    memset(made->notes, 0, (size_t)count * sizeof *made->notes);
    made->scored = true;
    made->threshold = 0;
    for (int32_t i = 0; i < members; i++) {
        IC_TRY(map_classes(models[0], models[i], i + 1, prediction->map));
        IC_TRY(run_model(models[i], images, count, prediction, &prediction->member));
        add_member(prediction, made);
    }
    average_members(prediction, members, made);
    finish(prediction, made);
    return IC_OK;
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

static ic_status check_images(const ic_image *const *images, int32_t count, const char *caller)
{
    if (count < 1)
        return ic_fail(IC_ERROR_ARGUMENT, "%s: %d pictures", caller, (int)count);
    for (int32_t i = 0; i < count; i++)
        if (images[i] == NULL)
            return ic_fail(IC_ERROR_ARGUMENT, "%s: picture %d is NULL", caller, (int)i);
    return IC_OK;
}

ic_status ic_predict_batch(const ic_model *model, const ic_image *const *images, int32_t count,
                           ic_prediction *prediction)
{
    if (model == NULL || images == NULL || prediction == NULL)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_predict_batch: %s is NULL",
                       model == NULL    ? "model"
                       : images == NULL ? "images"
                                        : "prediction");
    IC_TRY(check_images(images, count, "ic_predict_batch"));
    return predict_all(model, images, count, prediction);
}

ic_status ic_predict_ensemble(const ic_model *const *models, int32_t model_count,
                              const ic_image *const *images, int32_t count,
                              ic_prediction *prediction)
{
    static const char caller[] = "ic_predict_ensemble";
    if (models == NULL || images == NULL || prediction == NULL)
        return ic_fail(IC_ERROR_ARGUMENT, "%s: %s is NULL", caller,
                       models == NULL   ? "models"
                       : images == NULL ? "images"
                                        : "prediction");
    if (model_count < 1)
        return ic_fail(IC_ERROR_ARGUMENT, "%s: %d models", caller, (int)model_count);
    for (int32_t i = 0; i < model_count; i++)
        if (models[i] == NULL)
            return ic_fail(IC_ERROR_ARGUMENT, "%s: model %d is NULL", caller, (int)i);
    IC_TRY(check_images(images, count, caller));
    return predict_together(models, model_count, images, count, prediction);
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

ic_status ic_prediction_unknown(const ic_prediction *prediction, int32_t picture, float *score,
                                float *threshold)
{
    const result *last;
    IC_TRY(find_picture(prediction, picture, "ic_prediction_unknown", &last));
    if (!last->scored)
        return ic_fail(IC_ERROR_STATE,
                       "the model cannot tell unknown pictures: it was trained with unknown=off, "
                       "with too few validation pictures, or by an older imgcls");
    if (score != NULL)
        *score = last->notes[picture].score;
    if (threshold != NULL)
        *threshold = last->threshold;
    return IC_OK;
}

ic_status ic_prediction_spread(const ic_prediction *prediction, int32_t picture, float *spread)
{
    const result *last;
    IC_TRY(find_picture(prediction, picture, "ic_prediction_spread", &last));
    if (spread != NULL)
        *spread = last->notes[picture].spread;
    return IC_OK;
}

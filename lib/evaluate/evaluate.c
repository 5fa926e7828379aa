/* evaluate/evaluate.c: a model against labelled pictures. SPDX-License-Identifier: MIT */
#include "base/memory.h"
#include "base/options.h"
#include "base/status.h"
#include "dataset/loader.h"
#include "evaluate/evaluation.h"
#include "model/views.h"

#include <math.h>
#include <string.h>

enum { REASON_MAX = 256 };

/* One picture of the batch that is being worked on. */
typedef struct slot {
    bool sound;
    char reason[REASON_MAX]; /* when it is not */
} slot;

typedef struct evaluation {
    ic_context *context;
    const ic_model *model;
    const ic_dataset *dataset; /* the part to measure */
    ic_report *report;
    ic_pool *pool;
    ic_published published;
    ic_executor *executor;
    ic_views views;
    ic_confidence *stranger;            /* which has a score for strangers; NULL: none */
    double (*textures)[IC_TEXTURE_MAX]; /* of the batch; with it [threads][of ic_texture_scratch] */
    float *scratch;
    float *tensors;     /* of the batch, as they are */
    int32_t *class_map; /* class of the data set -> of the model, or -1 */
    int32_t batch;
    slot *slots;       /* [batch] */
    int64_t *pictures; /* those of known classes */
    int64_t picture_count;
    /* Of the pictures that could be read, in order; the report takes them over. */
    int64_t measured;
    int64_t *items;
    int32_t *labels;
    float *probabilities;
    float *losses;
    float *unknown; /* NULL: the model has no score */
} evaluation;

/* ---- Preparing ---- */

/* Lists the pictures to measure; those of classes that the model does not know are skipped. */
static ic_status list_pictures(evaluation *e)
{
    int64_t count = ic_dataset_count(e->dataset);
    IC_TRY(ic_model_class_map(e->model, e->dataset, &e->class_map));
    IC_TRY(ic_allocate_array(e->context, (size_t)count, sizeof *e->pictures, &e->pictures));
    for (int64_t i = 0; i < count; i++) {
        const ic_item *item = ic_dataset_at(e->dataset, i);
        if (e->class_map[item->class_index] >= 0)
            e->pictures[e->picture_count++] = i;
        else
            IC_TRY(ic_report_skip(e->report, item->origin, "the model does not know its class"));
    }
    if (e->picture_count > 0)
        return IC_OK;
    char classes[IC_CLASS_LIST_MAX];
    if (count > 0)
        return ic_fail(
            IC_ERROR_DATA,
            "none of the %lld pictures is of a class that the model knows: its classes are %s",
            (long long)count, ic_model_list_classes(e->model, classes));
    return ic_fail(IC_ERROR_DATA, "there is no picture to measure on");
}

static ic_status list_broken(evaluation *e)
{
    for (int64_t i = 0; i < ic_dataset_broken_count(e->dataset); i++) {
        const char *path, *reason;
        IC_TRY(ic_dataset_broken(e->dataset, i, &path, &reason));
        IC_TRY(ic_report_skip(e->report, path, reason));
    }
    return IC_OK;
}

/* Takes the published weights, the views that suit them, and their temperature. */
static ic_status take_weights(evaluation *e, const ic_options *options)
{
    const int64_t wanted = ic_option_int(options, "views");
    const bool mirrored = e->published.mirrored;
    e->views.context = e->context;
    IC_TRY(ic_views_choose(&e->views, wanted, mirrored));
    e->views.scale = ic_published_scale(&e->published);
    if (wanted > 1 && !mirrored)
        ic_log(e->context, IC_LOG_INFO,
               "%d of %d views: the training mirrored no pictures, so none is looked at mirrored",
               (int)ic_views_count(&e->views), (int)wanted);
    return ic_views_input(&e->views, e->executor, &e->tensors);
}

/* What scores for unknown pictures take. */
static ic_status prepare_unknown(evaluation *e)
{
    ic_confidence *confidence = e->published.confidence;
    const size_t threads = (size_t)ic_pool_threads(e->pool);
    if (confidence == NULL || confidence->tapped == NULL)
        return IC_OK;
    e->stranger = confidence;
    IC_TRY(ic_allocate_array(e->context, (size_t)e->batch, sizeof *e->textures, &e->textures));
    IC_TRY(ic_allocate_array(e->context, threads * ic_texture_scratch(&e->model->pipeline),
                             sizeof *e->scratch, &e->scratch));
    return ic_allocate_array(e->context, (size_t)e->picture_count, sizeof *e->unknown, &e->unknown);
}

static ic_status prepare(evaluation *e, const ic_options *options)
{
    ic_context *context = e->context;
    IC_TRY(list_broken(e));
    IC_TRY(list_pictures(e));
    int64_t batch = ic_option_int(options, "evaluation_batch");
    e->batch = (int32_t)(batch < e->picture_count ? batch : e->picture_count);
    size_t count = (size_t)e->picture_count, slots = (size_t)e->batch;
    size_t row = (size_t)e->model->class_count * sizeof *e->probabilities;
    IC_TRY(ic_allocate_array(context, slots, sizeof *e->slots, &e->slots));
    IC_TRY(ic_allocate_array(context, count, sizeof *e->items, &e->items));
    IC_TRY(ic_allocate_array(context, count, sizeof *e->labels, &e->labels));
    IC_TRY(ic_allocate_array(context, count, sizeof *e->losses, &e->losses));
    IC_TRY(ic_allocate_array(context, count, row, &e->probabilities));
    IC_TRY(ic_context_pool(context, &e->pool));
    IC_TRY(prepare_unknown(e));
    IC_TRY(ic_executor_create(context, ic_published_graph(e->model, &e->published), e->batch,
                              IC_INFERENCE, &e->executor));
    return take_weights(e, options);
}

static void finish(evaluation *e)
{
    ic_context *context = e->context;
    ic_published_free(&e->published);
    ic_executor_free(e->executor);
    ic_views_free(&e->views);
    ic_free(context, e->class_map);
    ic_free(context, e->slots);
    ic_free(context, e->pictures);
    ic_free(context, e->items);
    ic_free(context, e->labels);
    ic_free(context, e->probabilities);
    ic_free(context, e->losses);
    ic_free(context, e->unknown);
    ic_free(context, e->textures);
    ic_free(context, e->scratch);
}

/* ---- One batch ---- */

static ic_status read_tensor(const evaluation *e, int64_t index, float *tensor)
{
    const ic_pipeline *pipeline = &e->model->pipeline;
    ic_image *canvas;
    IC_TRY(ic_dataset_canvas(e->dataset, index, pipeline, &canvas));
    ic_pipeline_tensor(pipeline, canvas, tensor);
    ic_image_free(canvas);
    return IC_OK;
}

typedef struct batch_work {
    evaluation *evaluation;
    int64_t first; /* into pictures */
} batch_work;

/* A picture that cannot be read is noted and passed over; only a lack of memory ends the work. */
static ic_status read_picture(void *arguments, int64_t unit, int32_t worker)
{
    const batch_work *work = arguments;
    evaluation *e = work->evaluation;
    const ic_pipeline *pipeline = &e->model->pipeline;
    size_t size = (size_t)pipeline->width * (size_t)pipeline->height * (size_t)pipeline->channels;
    float *tensor = e->tensors + (size_t)unit * size;
    slot *place = &e->slots[unit];
    ic_status status = read_tensor(e, e->pictures[work->first + unit], tensor);
    place->sound = status >= 0;
    if (status == IC_ERROR_MEMORY)
        return status;
    if (!place->sound) {
        ic_error_copy(place->reason, sizeof place->reason);
        memset(tensor, 0, size * sizeof *tensor);
    } else if (e->stranger != NULL) {
        ic_texture_measure(pipeline, tensor,
                           e->scratch + (size_t)worker * ic_texture_scratch(pipeline),
                           e->textures[unit]);
    }
    return IC_OK;
}

/* How unlike the training's the picture in a place of the batch is, as ic_predict says it. */
static float score_unknown(const evaluation *e, int32_t place)
{
    double signs[IC_SIGNS];
    ic_unknown_signs(&e->stranger->unknown, e->textures[place],
                     ic_views_output(&e->views, e->executor, 0, place), e->model->class_count,
                     &e->stranger->taps, signs);
    return (float)ic_unknown_score(&e->stranger->unknown, signs);
}

/* Puts one picture's scores behind the others. */
static ic_status keep_scores(evaluation *e, int64_t picture, int32_t place, const float *logits)
{
    const ic_item *item = ic_dataset_at(e->dataset, picture);
    const ic_kernels *kernels = ic_kernels_at(e->context->cpu_level);
    int32_t classes = e->model->class_count;
    int64_t at = e->measured;
    e->items[at] = picture;
    e->labels[at] = e->class_map[item->class_index];
    kernels->softmax(1, classes, logits, e->probabilities + at * classes);
    const ic_targets target = {.labels = &e->labels[at]};
    kernels->cross_entropy(1, classes, logits, &target, 0, NULL, 0, &e->losses[at], NULL);
    if (!isfinite(e->losses[at]))
        return ic_fail(IC_ERROR_DIVERGED,
                       "%s: the network's output is not a finite number: its weights are unusable",
                       item->origin);
    if (e->stranger != NULL)
        e->unknown[at] = score_unknown(e, place);
    e->measured++;
    return IC_OK;
}

static ic_status measure_batch(evaluation *e, int64_t first, int32_t count)
{
    batch_work work = {e, first};
    IC_TRY(ic_pool_run(e->pool, count, read_picture, &work));
    const float *logits;
    IC_TRY(ic_views_infer(&e->views, e->executor, e->published.weights, count, &logits));
    for (int32_t i = 0; i < count; i++) {
        int64_t picture = e->pictures[first + i];
        if (e->slots[i].sound)
            IC_TRY(keep_scores(e, picture, i, logits + (int64_t)i * e->model->class_count));
        else
            IC_TRY(ic_report_skip(e->report, ic_dataset_at(e->dataset, picture)->origin,
                                  e->slots[i].reason));
    }
    return IC_OK;
}

static ic_status measure_all(evaluation *e)
{
    double started = ic_clock_seconds(), last = started;
    const int64_t before = e->report->skipped_count;
    for (int64_t first = 0; first < e->picture_count; first += e->batch) {
        int64_t left = e->picture_count - first;
        int32_t count = (int32_t)(left < e->batch ? left : e->batch);
        IC_TRY(measure_batch(e, first, count));
        IC_TRY(ic_progress_step(e->context, "evaluate", first + count, e->picture_count, started,
                                &last));
    }
    if (e->measured == 0)
        return ic_fail(IC_ERROR_DATA, "none of the %lld pictures could be read: %s",
                       (long long)e->picture_count, e->report->skipped[before].reason);
    return IC_OK;
}

/* Hands what was measured to the report, and draws the figures from it. */
static ic_status conclude(evaluation *e, const ic_options *options)
{
    ic_report *report = e->report;
    report->items = e->items;
    report->scores =
        (ic_scores){e->model->class_count, e->measured, e->labels, e->probabilities, e->losses};
    e->items = NULL;
    e->labels = NULL;
    e->probabilities = e->losses = NULL;
    report->unknown = e->unknown;
    e->unknown = NULL;
    if (e->stranger != NULL) {
        report->threshold = e->stranger->unknown.threshold;
        report->share = e->stranger->unknown.share;
    }
    if (ic_option_is_set(options, "command"))
        IC_TRY(ic_copy_text(e->context, ic_option_text(options, "command"), &report->command));
    report->dataset = ic_dataset_retain((ic_dataset *)e->dataset);
    report->resampling = (ic_resampling){.level = ic_option_float(options, "interval"),
                                         .resamples = ic_option_int(options, "resamples"),
                                         .seed = (uint64_t)ic_option_int(options, "seed")};
    return ic_report_conclude(report);
}

/* Pictures that were left out for another reason than being broken, which the data set has told. */
static void tell_skipped(const evaluation *e)
{
    const ic_report *report = e->report;
    size_t told = (size_t)ic_dataset_broken_count(e->dataset);
    if (report->skipped_count > told)
        ic_log(e->context, IC_LOG_WARNING, "%zu of %lld pictures were left out; the first: %s: %s",
               report->skipped_count - told, (long long)ic_dataset_count(e->dataset),
               report->skipped[told].file, report->skipped[told].reason);
}

/* ---- The interface ---- */

ic_status ic_evaluate(const ic_model *model, const ic_dataset *dataset, const ic_options *options,
                      ic_report **out)
{
    if (model == NULL || dataset == NULL || out == NULL)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_evaluate: %s is NULL",
                       model == NULL     ? "model"
                       : dataset == NULL ? "dataset"
                                         : "out");
    evaluation e = {.context = model->context, .model = model};
    e.published = ic_model_published(model);
    ic_dataset *part = NULL;
    ic_status status;
    IC_TRY_CLEAN(ic_report_create((ic_model *)model, &e.report));
    IC_TRY_CLEAN(ic_evaluation_part(model, dataset, ic_option_text(options, "split"), &part,
                                    &e.report->split, &e.report->split_known));
    e.dataset = part;
    IC_TRY_CLEAN(prepare(&e, options));
    IC_TRY_CLEAN(measure_all(&e));
    IC_TRY_CLEAN(conclude(&e, options));
    tell_skipped(&e);
    *out = e.report;
    e.report = NULL;
cleanup:
    finish(&e);
    ic_dataset_free(part);
    ic_report_free(e.report);
    return status;
}

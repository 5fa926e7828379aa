/*
 * model/prediction.c: predictions as callers see them: made once, filled again and again, read.
 * SPDX-License-Identifier: MIT
 */
#include "model/prediction.h"
#include "base/status.h"

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

void ic_prediction_free(ic_prediction *prediction)
{
    if (prediction == NULL)
        return;
    ic_context *context = prediction->context;
    for (int32_t i = 0; i < prediction->worker_count; i++)
        ic_pipeline_workspace_free(prediction->workspaces[i]);
    ic_free(context, prediction->workspaces);
    for (int32_t i = 0; i < IC_PREDICTION_EXECUTORS; i++)
        ic_prediction_drop(&prediction->kept[i]);
    ic_views_free(&prediction->views);
    for (int32_t i = 0; i < 2; i++)
        ic_result_free(context, &prediction->results[i]);
    ic_result_free(context, &prediction->member);
    ic_free(context, prediction->scratch);
    ic_free(context, prediction->sums);
    ic_free(context, prediction->map);
    ic_free(context, prediction);
    ic_context_free(context);
}

static ic_status predict_all(const ic_model *model, const ic_image *const *images, int32_t count,
                             ic_prediction *prediction)
{
    ic_result *made = &prediction->results[!prediction->current];
    IC_TRY(ic_prediction_run(model, images, count, prediction, made));
    ic_result *last = &prediction->results[prediction->current]; /* which the next call fills */
    IC_TRY(ic_result_reserve(prediction->context, count, model->class_count, last));
    ic_prediction_finish(prediction, made);
    return IC_OK;
}

ic_status ic_predict(const ic_model *model, const ic_image *image, ic_prediction *prediction)
{
    if (model == NULL || image == NULL || prediction == NULL)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_predict: %s is NULL",
                       model == NULL   ? "model"
                       : image == NULL ? "image"
                                       : "prediction");
    return predict_all(model, &image, 1, prediction);
}

ic_status ic_check_images(const ic_image *const *images, int32_t count, const char *caller)
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
    IC_TRY(ic_check_images(images, count, "ic_predict_batch"));
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
                              const ic_result **out)
{
    if (prediction == NULL)
        return ic_fail(IC_ERROR_ARGUMENT, "%s: prediction is NULL", caller);
    const ic_result *last = &prediction->results[prediction->current];
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
    const ic_result *last;
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
    const ic_result *last;
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
    const ic_result *last;
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
    const ic_result *last;
    IC_TRY(find_picture(prediction, picture, "ic_prediction_spread", &last));
    if (spread != NULL)
        *spread = last->notes[picture].spread;
    return IC_OK;
}

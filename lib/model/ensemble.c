/*
 * model/ensemble.c: several models that answer together: the mean of their probabilities, and how
 * far they are apart. SPDX-License-Identifier: MIT
 */
#include "base/maths.h"
#include "base/status.h"
#include "model/prediction.h"

#include <math.h>
#include <string.h>

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
static void add_member(ic_prediction *prediction, ic_result *made)
{
    const ic_result *member = &prediction->member;
    int32_t classes = made->classes;
    for (int32_t i = 0; i < made->count; i++) {
        made->notes[i].score += member->notes[i].score;
        for (int32_t k = 0; k < classes; k++) {
            int64_t row = (int64_t)i * classes;
            double p = (double)member->probabilities[row + k];
            ic_member_sums *sums = &prediction->sums[row + prediction->map[k]];
            sums->probability += p;
            sums->square += p * p;
        }
    }
    made->scored = made->scored && member->scored;
    made->threshold += member->threshold;
}

/* Sums to means, and the spread of the members about the likeliest class of each picture. */
static void average_members(const ic_prediction *prediction, int32_t members, ic_result *made)
{
    made->threshold /= (float)members;
    for (int32_t i = 0; i < made->count; i++) {
        const ic_member_sums *sums = prediction->sums + (int64_t)i * made->classes;
        float *probabilities = made->probabilities + (int64_t)i * made->classes;
        for (int32_t k = 0; k < made->classes; k++)
            probabilities[k] = (float)(sums[k].probability / members);
        const ic_member_sums *top = &sums[ic_largest(probabilities, made->classes)];
        double mean = top->probability / members, variance = top->square / members - mean * mean;
        made->notes[i].score /= (float)members;
        made->notes[i].spread = (float)sqrt(variance > 0 ? variance : 0);
    }
}

static ic_status predict_together(const ic_model *const *models, int32_t members,
                                  const ic_image *const *images, int32_t count,
                                  ic_prediction *prediction)
{
    ic_result *made = &prediction->results[!prediction->current];
    size_t classes = (size_t)models[0]->class_count;
    ic_result *last = &prediction->results[prediction->current]; /* which the next call fills */
    IC_TRY(ic_result_make_room(prediction->context, count, models[0]->class_count, made));
    IC_TRY(ic_result_reserve(prediction->context, count, models[0]->class_count, last));
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
        IC_TRY(ic_prediction_run(models[i], images, count, prediction, &prediction->member));
        add_member(prediction, made);
    }
    average_members(prediction, members, made);
    ic_prediction_finish(prediction, made);
    return IC_OK;
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
    IC_TRY(ic_check_images(images, count, caller));
    return predict_together(models, model_count, images, count, prediction);
}

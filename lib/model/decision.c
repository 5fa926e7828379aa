/*
 * model/decision.c: which class to act on, when mistakes are not equally bad: the one of the lowest
 * expected cost. SPDX-License-Identifier: MIT
 */
#include "model/decision.h"

#include "base/json.h"
#include "base/memory.h"
#include "base/status.h"
#include "model/model.h"

#include <math.h>
#include <string.h>

/* Of mistakes between classes other than the one with a threshold, beside the threshold's own: only
 * to choose among those. */
static const double slight = 1e-6;

/* A threshold is mostly the probability of a picture that is to be called: rounding must not undo
 * that. */
static const double hair = 4.0 / (1 << 23);

static const double most_cost = 1e12;

static size_t cells(int32_t classes)
{
    return (size_t)classes * (size_t)classes;
}

ic_status ic_costs_check(const double *costs, int32_t classes)
{
    for (int32_t i = 0; i < classes; i++)
        for (int32_t j = 0; j < classes; j++, costs++)
            if (!(*costs >= 0 && *costs <= most_cost) || (i == j && *costs != 0))
                return ic_fail(IC_ERROR_ARGUMENT,
                               "the cost of calling class %d class %d cannot be: costs are 0 to a "
                               "million millions, and 0 for what is right",
                               (int)i, (int)j);
    return IC_OK;
}

int32_t ic_costs_decide(const double *costs, int32_t classes, const float *probabilities)
{
    int32_t best = 0;
    double least = 0;
    for (int32_t j = 0; j < classes; j++) {
        double cost = 0;
        for (int32_t i = 0; i < classes; i++)
            cost += (double)probabilities[i] * costs[(size_t)i * (size_t)classes + (size_t)j];
        if (j > 0 && cost >= least)
            continue;
        best = j;
        least = cost;
    }
    return best;
}

/* ---- In the model's file ---- */

ic_status ic_costs_to_json(const double *costs, int32_t classes, json_t **out)
{
    json_t *rows = json_array();
    ic_status status = rows ? IC_OK : ic_fail(IC_ERROR_MEMORY, "out of memory for the costs");
    for (int32_t i = 0; i < classes && status >= 0; i++) {
        json_t *row = json_array();
        status = ic_json_append(rows, row);
        for (int32_t j = 0; j < classes && status >= 0; j++)
            status = ic_json_append(row, json_real(*costs++));
    }
    if (status < 0)
        json_decref(rows);
    else
        *out = rows;
    return status;
}

ic_status ic_costs_from_json(ic_context *context, const json_t *json, int32_t classes, double **out)
{
    double *costs;
    ic_status status = IC_OK;
    if (json_array_size(json) != (size_t)classes)
        return ic_fail(IC_ERROR_FORMAT, "there is not one row for each of %d classes",
                       (int)classes);
    IC_TRY(ic_allocate_array(context, cells(classes), sizeof *costs, &costs));
    for (int32_t i = 0; i < classes && status >= 0; i++) {
        const json_t *row = json_array_get(json, (size_t)i);
        if (json_array_size(row) != (size_t)classes)
            status = ic_fail(IC_ERROR_FORMAT, "row %d has not %d numbers", (int)i, (int)classes);
        for (int32_t j = 0; j < classes && status >= 0; j++) {
            const json_t *cost = json_array_get(row, (size_t)j);
            costs[(size_t)i * (size_t)classes + (size_t)j] =
                json_is_number(cost) ? json_number_value(cost) : (double)NAN;
        }
    }
    if (status >= 0 && ic_costs_check(costs, classes) < 0)
        status = ic_fail(IC_ERROR_FORMAT, "a cost is no number of 0 or more");
    if (status < 0)
        ic_free(context, costs);
    else
        *out = costs;
    return status;
}

/* ---- The interface ---- */

/* Puts costs in place of what was there; takes them over. */
static void replace_costs(ic_model *model, double *costs)
{
    ic_lock_take(model->lock);
    double *old = model->costs;
    model->costs = costs;
    ic_lock_give(model->lock);
    ic_free(model->context, old);
}

ic_status ic_model_costs_copy(const ic_model *model, double **out)
{
    size_t count = cells(model->class_count);
    double *costs = NULL;
    ic_status status = IC_OK;
    ic_lock_take(model->lock);
    if (model->costs != NULL)
        status = ic_allocate_array(model->context, count, sizeof *costs, &costs);
    if (costs != NULL)
        memcpy(costs, model->costs, count * sizeof *costs);
    ic_lock_give(model->lock);
    *out = costs;
    return status;
}

ic_status ic_model_set_costs(ic_model *model, const double *costs)
{
    if (model == NULL)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_model_set_costs: model is NULL");
    double *copy = NULL;
    if (costs != NULL) {
        size_t count = cells(model->class_count);
        IC_TRY(ic_costs_check(costs, model->class_count));
        IC_TRY(ic_allocate_array(model->context, count, sizeof *copy, &copy));
        memcpy(copy, costs, count * sizeof *copy);
    }
    replace_costs(model, copy);
    return IC_OK;
}

ic_status ic_model_set_threshold(ic_model *model, int32_t class_index, double threshold)
{
    if (model == NULL || class_index < 0 || class_index >= model->class_count)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_model_set_threshold: class %d of %d: %s",
                       (int)class_index, model == NULL ? 0 : (int)model->class_count,
                       model == NULL ? "model is NULL" : "the first one is 0");
    if (!(threshold > 0 && threshold < 1))
        return ic_fail(
            IC_ERROR_ARGUMENT,
            "ic_model_set_threshold: a threshold lies between 0 and 1, or its class would "
            "be called always or never");
    const size_t classes = (size_t)model->class_count, called = (size_t)class_index;
    const double cut = threshold * (1 - hair), other = slight * (cut < 1 - cut ? cut : 1 - cut);
    double *costs;
    IC_TRY(ic_allocate_array(model->context, cells(model->class_count), sizeof *costs, &costs));
    for (size_t i = 0; i < classes; i++)
        for (size_t j = 0; j < classes; j++)
            costs[i * classes + j] = i == j ? 0 : i == called ? 1 - cut : j == called ? cut : other;
    replace_costs(model, costs);
    return IC_OK;
}

static ic_status check_given(bool given)
{
    return given
               ? IC_OK
               : ic_fail(IC_ERROR_STATE, "the model has no costs: its most probable class counts");
}

ic_status ic_model_costs(const ic_model *model, double *costs)
{
    if (model == NULL || costs == NULL)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_model_costs: %s is NULL",
                       model == NULL ? "model" : "costs");
    ic_lock_take(model->lock);
    bool given = model->costs != NULL;
    if (given)
        memcpy(costs, model->costs, cells(model->class_count) * sizeof *costs);
    ic_lock_give(model->lock);
    return check_given(given);
}

ic_status ic_model_decide(const ic_model *model, const float *probabilities, int32_t *class_index)
{
    if (model == NULL || probabilities == NULL || class_index == NULL)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_model_decide: %s is NULL",
                       model == NULL           ? "model"
                       : probabilities == NULL ? "probabilities"
                                               : "class_index");
    for (int32_t i = 0; i < model->class_count; i++)
        if (!(probabilities[i] >= 0 && probabilities[i] <= 1))
            return ic_fail(IC_ERROR_ARGUMENT,
                           "ic_model_decide: number %d of the probabilities is not from 0 to 1",
                           (int)i);
    ic_lock_take(model->lock);
    bool given = model->costs != NULL;
    if (given)
        *class_index = ic_costs_decide(model->costs, model->class_count, probabilities);
    ic_lock_give(model->lock);
    return check_given(given);
}

/* model/decision.h: what mistakes cost: [actual][called], 0 for what is right.
 * SPDX-License-Identifier: MIT */
#ifndef MODEL_DECISION_H
#define MODEL_DECISION_H

#include "base/context.h"

#include <imgcls/model.h>
#include <jansson.h>

/* IC_ERROR_ARGUMENT: negative, not finite, or not 0 for what is right. */
ic_status ic_costs_check(const double *costs, int32_t classes);

/* The class whose expected cost is lowest; of equal ones the lower. */
int32_t ic_costs_decide(const double *costs, int32_t classes, const float *probabilities);

ic_status ic_costs_to_json(const double *costs, int32_t classes, json_t **out);
ic_status ic_costs_from_json(ic_context *context, const json_t *json, int32_t classes,
                             double **out);

/* The costs of a model, to be freed with ic_free; NULL: it has none. */
ic_status ic_model_costs_copy(const ic_model *model, double **out);

#endif

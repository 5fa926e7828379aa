/* model/confidence.c: what a model knows about its own answers, in memory and in its file.
 * SPDX-License-Identifier: MIT */
#include "model/confidence.h"

#include "base/memory.h"
#include "base/status.h"
#include "model/calibrate.h"

static const char what[] = "confidence";

ic_confidence *ic_confidence_retain(ic_confidence *confidence)
{
    if (confidence != NULL)
        atomic_fetch_add_explicit(&confidence->references, 1, memory_order_relaxed);
    return confidence;
}

void ic_confidence_free(ic_confidence *confidence)
{
    if (confidence == NULL ||
        atomic_fetch_sub_explicit(&confidence->references, 1, memory_order_acq_rel) != 1)
        return;
    ic_context *context = confidence->context;
    ic_graph_free(confidence->tapped);
    ic_free(context, confidence);
    ic_context_free(context);
}

/* ---- As JSON ---- */

static ic_status set_temperature(const ic_confidence *c, json_t *json)
{
    IC_TRY(ic_json_set(json, "pictures", json_integer(c->pictures)));
    if (!c->calibrated)
        return IC_OK;
    IC_TRY(ic_json_set(json, "temperature", json_real(c->temperature)));
    IC_TRY(ic_json_set(json, "calibration_error_before", json_real(c->error_before)));
    return ic_json_set(json, "calibration_error", json_real(c->error_after));
}

ic_status ic_confidence_to_json(const ic_confidence *confidence, json_t **out)
{
    json_t *json = json_object(), *unknown;
    ic_status status;
    IC_TRY_CLEAN(set_temperature(confidence, json));
    if (confidence->tapped != NULL) {
        IC_TRY_CLEAN(ic_unknown_to_json(&confidence->unknown, &unknown));
        IC_TRY_CLEAN(ic_json_set(json, "unknown", unknown));
    }
    *out = json;
    return IC_OK;
cleanup:
    json_decref(json);
    return status;
}

ic_status ic_confidence_describe(const ic_confidence *confidence, json_t *object)
{
    json_t *json = json_object();
    IC_TRY(ic_json_set(object, "confidence", json));
    IC_TRY(set_temperature(confidence, json));
    if (confidence->tapped == NULL)
        return IC_OK;
    return ic_json_set(json, "unknown",
                       json_pack("{s:f, s:f}", "threshold", confidence->unknown.threshold, "share",
                                 confidence->unknown.share));
}

static ic_status read_temperature(const json_t *json, ic_confidence *c)
{
    IC_TRY(ic_json_int(json, "pictures", 1, INT64_C(1) << 40, what, &c->pictures));
    c->temperature = 1;
    c->calibrated = json_object_get(json, "temperature") != NULL;
    if (!c->calibrated)
        return IC_OK;
    IC_TRY(ic_json_float(json, "temperature", what, &c->temperature));
    IC_TRY(ic_json_float(json, "calibration_error_before", what, &c->error_before));
    IC_TRY(ic_json_float(json, "calibration_error", what, &c->error_after));
    if (!(c->temperature >= IC_TEMPERATURE_MIN && c->temperature <= IC_TEMPERATURE_MAX))
        return ic_fail(IC_ERROR_FORMAT, "%s: no model has such a temperature", what);
    return IC_OK;
}

static ic_status read_unknown(const json_t *json, const ic_graph *graph,
                              const ic_pipeline *pipeline, ic_confidence *c)
{
    json_t *unknown;
    IC_TRY(ic_json_object(json, "unknown", what, &unknown));
    if (!ic_fitting_can(graph, pipeline))
        return ic_fail(IC_ERROR_FORMAT, "%s: strangers cannot be told by this network", what);
    IC_TRY(ic_unknown_from_json(unknown, ic_texture_count(pipeline), &c->unknown));
    return ic_graph_tap(graph, &c->taps, &c->tapped);
}

ic_status ic_confidence_from_json(const json_t *json, const ic_graph *graph,
                                  const ic_pipeline *pipeline, ic_context *context,
                                  ic_confidence **out)
{
    ic_confidence *made = NULL;
    ic_status status;
    IC_TRY_CLEAN(ic_allocate_zero(context, sizeof *made, &made));
    atomic_init(&made->references, 1);
    made->context = ic_context_retain(context);
    IC_TRY_CLEAN(read_temperature(json, made));
    if (json_object_get(json, "unknown") != NULL)
        IC_TRY_CLEAN(read_unknown(json, graph, pipeline, made));
    *out = made;
    made = NULL;
cleanup:
    ic_confidence_free(made);
    return status;
}

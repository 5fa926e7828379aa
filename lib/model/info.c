/* model/info.c: what a model is, as numbers and as JSON. SPDX-License-Identifier: MIT */
#include "base/memory.h"
#include "base/status.h"
#include "model/decision.h"
#include "model/model.h"

ic_status ic_model_input(const ic_model *model, int32_t *width, int32_t *height, int32_t *channels)
{
    if (model == NULL)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_model_input: model is NULL");
    if (width != NULL)
        *width = model->pipeline.width;
    if (height != NULL)
        *height = model->pipeline.height;
    if (channels != NULL)
        *channels = model->pipeline.channels;
    return IC_OK;
}

/* Trained numbers; the running statistics of norms do not count, as is the custom. */
static int64_t count_parameters(const ic_graph *graph)
{
    int64_t count = 0;
    for (int32_t i = 0; i < ic_graph_parameter_count(graph); i++) {
        const ic_parameter *parameter = ic_graph_parameter(graph, i);
        if (parameter->role != IC_ROLE_STATISTIC)
            count += parameter->count;
    }
    return count;
}

static ic_status describe_input(const ic_model *model, json_t *object)
{
    const ic_pipeline *pipeline = &model->pipeline;
    return ic_json_set(object, "input",
                       json_pack("{s:i, s:i, s:i}", "width", (int)pipeline->width, "height",
                                 (int)pipeline->height, "channels", (int)pipeline->channels));
}

static ic_status describe_classes(const ic_model *model, json_t *object)
{
    json_t *classes = json_array();
    IC_TRY(ic_json_set(object, "classes", classes));
    for (int32_t i = 0; i < model->class_count; i++)
        IC_TRY(ic_json_append(classes, json_string(model->classes[i])));
    return IC_OK;
}

static ic_status describe_confidence(const ic_model *model, json_t *object)
{
    ic_published published = ic_model_published(model);
    ic_status status = IC_OK;
    if (published.confidence != NULL)
        status = ic_confidence_describe(published.confidence, object);
    ic_published_free(&published);
    return status;
}

static ic_status describe_costs(const ic_model *model, json_t *object)
{
    double *costs;
    json_t *rows = NULL;
    IC_TRY(ic_model_costs_copy(model, &costs));
    if (costs == NULL)
        return IC_OK;
    ic_status status = ic_costs_to_json(costs, model->class_count, &rows);
    ic_free(model->context, costs);
    return status < 0 ? status : ic_json_set(object, "costs", rows);
}

/* Of a trained model, the flags that repeat its training. */
static ic_status describe_flags(const ic_model *model, json_t *object)
{
    const json_t *training = json_object_get(object, "training");
    char *flags;
    size_t size;
    if (!json_is_object(json_object_get(training, "options")))
        return IC_OK;
    IC_TRY(ic_model_flags(model, NULL, 0, &size));
    IC_TRY(ic_allocate(model->context, size, &flags));
    ic_status status = ic_model_flags(model, flags, size, &size);
    if (status >= 0)
        status = ic_json_set(object, "flags", json_string(flags));
    ic_free(model->context, flags);
    return status;
}

static ic_status describe(const ic_model *model, json_t *object)
{
    json_t *part;
    IC_TRY(ic_json_set(object, "network", json_string(model->network)));
    IC_TRY(ic_json_set(object, "parameters", json_integer(count_parameters(model->graph))));
    IC_TRY(describe_input(model, object));
    IC_TRY(describe_classes(model, object));
    IC_TRY(ic_pipeline_to_json(&model->pipeline, &part));
    IC_TRY(ic_json_set(object, "pipeline", part));
    IC_TRY(describe_confidence(model, object));
    IC_TRY(describe_costs(model, object));
    IC_TRY(ic_model_record(model, &part));
    IC_TRY(ic_json_set(object, "training", part));
    return describe_flags(model, object);
}

ic_status ic_model_describe(const ic_model *model, json_t **out)
{
    json_t *object = json_object();
    ic_status status;
    IC_TRY_CLEAN(describe(model, object));
    *out = object;
    return IC_OK;
cleanup:
    json_decref(object);
    return status;
}

ic_status ic_model_json(const ic_model *model, char *buffer, size_t capacity, size_t *size)
{
    json_t *object;
    if (model == NULL || size == NULL)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_model_json: %s is NULL",
                       model == NULL ? "model" : "size");
    IC_TRY(ic_model_describe(model, &object));
    ic_status status = ic_json_give(model->context, object, buffer, capacity, size);
    json_decref(object);
    return status;
}

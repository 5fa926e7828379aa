/* model/write.c: a model as the bytes of a .safetensors file. SPDX-License-Identifier: MIT */
#include "base/file.h"
#include "base/status.h"
#include "base/text.h"
#include "model/decision.h"
#include "model/file.h"
#include "model/model.h"

#include <string.h>

/* What a model file is made from: one published state, taken at once. */
typedef struct snapshot {
    const ic_model *model;
    ic_weights *weights;
    ic_confidence *confidence;
    double *costs;
    json_t *record;
    int64_t steps; /* what num_batches_tracked holds */
    ic_tensor_entry *tensors;
    int32_t count;
    char **names; /* of the num_batches_tracked */
    int32_t name_count;
} snapshot;

static ic_status take_snapshot(const ic_model *model, int32_t extra, snapshot *state)
{
    *state = (snapshot){.model = model};
    ic_lock_take(model->lock);
    state->weights = ic_weights_retain(model->weights);
    state->confidence = ic_confidence_retain(model->confidence);
    state->record = json_incref(model->record);
    ic_lock_give(model->lock);
    state->steps = json_integer_value(json_object_get(state->record, "steps"));
    IC_TRY(ic_model_costs_copy(model, &state->costs));
    size_t most = 2 * (size_t)ic_graph_parameter_count(model->graph) + (size_t)extra;
    IC_TRY(ic_allocate_array(model->context, most, sizeof *state->tensors, &state->tensors));
    return ic_allocate_array(model->context, most, sizeof *state->names, &state->names);
}

static void drop_snapshot(snapshot *state)
{
    ic_context *context = state->model->context;
    for (int32_t i = 0; i < state->name_count; i++)
        ic_free(context, state->names[i]);
    ic_free(context, state->names);
    ic_free(context, state->tensors);
    json_decref(state->record);
    ic_weights_free(state->weights);
    ic_confidence_free(state->confidence);
    ic_free(context, state->costs);
}

/* ---- Metadata: JSON as text ---- */

static ic_status set_text(json_t *metadata, const char *key, ic_context *context,
                          const json_t *value)
{
    ic_buffer text = {.context = context};
    ic_status status;
    IC_TRY_CLEAN(ic_json_print(value, &text));
    status = ic_json_set(metadata, key, json_stringn((const char *)text.bytes, text.size));
cleanup:
    ic_buffer_free(&text);
    return status;
}

static ic_status set_graph(json_t *metadata, const ic_model *model)
{
    json_t *graph;
    IC_TRY(ic_graph_to_json(model->graph, &graph));
    ic_status status = set_text(metadata, IC_KEY_GRAPH, model->context, graph);
    json_decref(graph);
    return status;
}

static ic_status set_classes(json_t *metadata, const ic_model *model)
{
    json_t *classes = json_array();
    ic_status status;
    for (int32_t i = 0; i < model->class_count; i++)
        IC_TRY_CLEAN(ic_json_append(classes, json_string(model->classes[i])));
    status = set_text(metadata, IC_KEY_CLASSES, model->context, classes);
cleanup:
    json_decref(classes);
    return status;
}

static ic_status set_pipeline(json_t *metadata, const ic_model *model)
{
    json_t *pipeline;
    IC_TRY(ic_pipeline_to_json(&model->pipeline, &pipeline));
    ic_status status = set_text(metadata, IC_KEY_PIPELINE, model->context, pipeline);
    json_decref(pipeline);
    return status;
}

static ic_status set_confidence(json_t *metadata, const snapshot *state)
{
    json_t *confidence;
    if (state->confidence == NULL)
        return IC_OK;
    IC_TRY(ic_confidence_to_json(state->confidence, &confidence));
    ic_status status = set_text(metadata, IC_KEY_CONFIDENCE, state->model->context, confidence);
    json_decref(confidence);
    return status;
}

static ic_status set_costs(json_t *metadata, const snapshot *state)
{
    const ic_model *model = state->model;
    json_t *costs;
    if (state->costs == NULL)
        return IC_OK;
    IC_TRY(ic_costs_to_json(state->costs, model->class_count, &costs));
    ic_status status = set_text(metadata, IC_KEY_COSTS, model->context, costs);
    json_decref(costs);
    return status;
}

static ic_status fill_metadata(json_t *metadata, const snapshot *state)
{
    const ic_model *model = state->model;
    IC_TRY(ic_json_set(metadata, "format", json_string("pt")));
    IC_TRY(ic_json_set(metadata, IC_KEY_VERSION, json_string(IC_MODEL_FILE_VERSION)));
    const bool needs = model->pipeline.normalise == IC_NORMALISE_PICTURE;
    IC_TRY(ic_json_set(metadata, IC_KEY_REQUIRES,
                       json_string(needs ? "[\"" IC_NEEDS_NORMALISE "\"]" : "[]")));
    IC_TRY(ic_json_set(metadata, IC_KEY_NETWORK, json_string(model->network)));
    IC_TRY(set_graph(metadata, model));
    IC_TRY(set_classes(metadata, model));
    IC_TRY(set_pipeline(metadata, model));
    IC_TRY(set_confidence(metadata, state));
    IC_TRY(set_costs(metadata, state));
    return set_text(metadata, IC_KEY_TRAINING, model->context, state->record);
}

/* ---- Tensors ---- */

/*
 * torch's batch norms count the batches that they have seen; a state dict without that count does
 * not load strictly. Follows each running mean, "bn1.running_mean" say, with
 * "bn1.num_batches_tracked".
 */
static ic_status add_batch_count(snapshot *state, const char *mean_name)
{
    size_t stem = strlen(mean_name) - strlen(IC_RUNNING_MEAN);
    ic_buffer name = {.context = state->model->context};
    IC_TRY(ic_buffer_print(&name, "%.*s" IC_BATCHES_TRACKED, (int)stem, mean_name));
    state->names[state->name_count++] = (char *)name.bytes;
    state->tensors[state->count++] = (ic_tensor_entry){
        .name = (char *)name.bytes,
        .dtype = IC_I64,
        .count = 1,
        .data = (const unsigned char *)&state->steps,
    };
    return IC_OK;
}

static ic_status list_tensors(snapshot *state)
{
    const ic_graph *graph = state->model->graph;
    const float *parameters = ic_weights_parameters(state->weights);
    for (int32_t i = 0; i < ic_graph_parameter_count(graph); i++) {
        const ic_parameter *parameter = ic_graph_parameter(graph, i);
        ic_tensor_entry *tensor = &state->tensors[state->count++];
        *tensor = (ic_tensor_entry){
            .name = parameter->name,
            .dtype = IC_F32,
            .rank = parameter->rank,
            .count = parameter->count,
            .data = (const unsigned char *)(parameters + parameter->offset),
        };
        memcpy(tensor->shape, parameter->shape, (size_t)parameter->rank * sizeof *tensor->shape);
        if (ic_text_ends(parameter->name, IC_RUNNING_MEAN))
            IC_TRY(add_batch_count(state, parameter->name));
    }
    return IC_OK;
}

static ic_status add_extra(snapshot *state, const ic_model_extra *extra, json_t *metadata)
{
    for (int32_t i = 0; i < extra->count; i++)
        state->tensors[state->count++] = extra->tensors[i];
    return set_text(metadata, IC_KEY_TRAINER, state->model->context, extra->json);
}

/* ---- The interface ---- */

ic_status ic_model_write(const ic_model *model, const ic_model_extra *extra, ic_buffer *out)
{
    json_t *metadata = json_object();
    snapshot state;
    ic_status status;
    IC_TRY_CLEAN(take_snapshot(model, extra ? extra->count : 0, &state));
    IC_TRY_CLEAN(fill_metadata(metadata, &state));
    IC_TRY_CLEAN(list_tensors(&state));
    if (extra)
        IC_TRY_CLEAN(add_extra(&state, extra, metadata));
    status = ic_safetensors_write(model->context, metadata, state.tensors, state.count, out);
cleanup:
    drop_snapshot(&state);
    json_decref(metadata);
    return status;
}

ic_status ic_model_save(const ic_model *model, const char *path)
{
    if (model == NULL || path == NULL)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_model_save: %s is NULL",
                       model == NULL ? "model" : "path");
    ic_buffer bytes = {.context = model->context};
    ic_status status = ic_model_write(model, NULL, &bytes);
    if (status >= 0)
        status = ic_file_save(model->context, path, bytes.bytes, bytes.size);
    ic_buffer_free(&bytes);
    return status;
}

ic_status ic_model_save_memory(const ic_model *model, void *buffer, size_t capacity, size_t *size)
{
    if (model == NULL || size == NULL)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_model_save_memory: %s is NULL",
                       model == NULL ? "model" : "size");
    ic_buffer bytes = {.context = model->context};
    ic_status status = ic_model_write(model, NULL, &bytes);
    if (status >= 0)
        status = ic_give_bytes(bytes.bytes, bytes.size, buffer, capacity, size);
    ic_buffer_free(&bytes);
    return status;
}

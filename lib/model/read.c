/* model/read.c: a model from the bytes of a .safetensors file that nobody vouches for.
 * SPDX-License-Identifier: MIT */
#include "base/file.h"
#include "base/status.h"
#include "base/text.h"
#include "model/decision.h"
#include "model/file.h"
#include "model/model.h"

#include <string.h>

/* ---- Metadata ---- */

static ic_status need_text(const ic_safetensors *file, const char *key, const char **out)
{
    const char *text = ic_safetensors_metadata(file, key);
    if (text == NULL)
        return ic_fail(IC_ERROR_FORMAT, "not a model of imgcls: its metadata has no %s", key);
    *out = text;
    return IC_OK;
}

static ic_status need_json(const ic_safetensors *file, const char *key, json_t **out)
{
    const char *text;
    IC_TRY(need_text(file, key, &text));
    return ic_json_parse(text, strlen(text), key, out);
}

static ic_status check_version(const ic_safetensors *file)
{
    const char *text;
    int64_t version, known;
    IC_TRY(need_text(file, IC_KEY_VERSION, &text));
    if (!ic_parse_int(text, &version) || version < 1)
        return ic_fail(IC_ERROR_FORMAT, IC_KEY_VERSION " is not a version: %s", text);
    if (ic_parse_int(IC_MODEL_FILE_VERSION, &known) && version > known)
        return ic_fail(IC_ERROR_UNSUPPORTED,
                       "written by a newer imgcls: the file is of version %s, and this library "
                       "reads up to " IC_MODEL_FILE_VERSION,
                       text);
    return IC_OK;
}

static ic_status check_requires(const ic_safetensors *file)
{
    json_t *needs;
    IC_TRY(need_json(file, IC_KEY_REQUIRES, &needs));
    ic_status status = IC_OK;
    if (!json_is_array(needs))
        status = ic_fail(IC_ERROR_FORMAT, IC_KEY_REQUIRES " is not an array");
    for (size_t i = 0; status == IC_OK && i < json_array_size(needs); i++) {
        const char *need = json_string_value(json_array_get(needs, i));
        if (need == NULL)
            status = ic_fail(IC_ERROR_FORMAT, IC_KEY_REQUIRES " holds what is not a text");
        else if (strcmp(need, IC_NEEDS_NORMALISE) != 0)
            status = ic_fail(IC_ERROR_UNSUPPORTED,
                             "written by a newer imgcls: the file requires \"%s\", which this "
                             "library does not know",
                             need);
    }
    json_decref(needs);
    return status;
}

static ic_status read_graph(const ic_safetensors *file, ic_model *model)
{
    json_t *json;
    IC_TRY(need_json(file, IC_KEY_GRAPH, &json));
    ic_status status = ic_graph_from_json(model->context, json, &model->graph);
    json_decref(json);
    return status < 0 ? ic_fail_prefix(status, IC_KEY_GRAPH ": ") : status;
}

static ic_status name_by_json(ic_model *model, const char *network, const json_t *classes)
{
    size_t count = json_array_size(classes);
    const char **names = NULL;
    ic_status status = IC_OK;
    if (!json_is_array(classes) || count != (size_t)ic_graph_classes(model->graph))
        return ic_fail(IC_ERROR_FORMAT, "%zu class names, but the network tells %d classes apart",
                       count, (int)ic_graph_classes(model->graph));
    IC_TRY(ic_allocate_array(model->context, count, sizeof *names, &names));
    for (size_t i = 0; i < count; i++) {
        names[i] = json_string_value(json_array_get(classes, i));
        if (names[i] == NULL)
            IC_TRY_CLEAN(ic_fail(IC_ERROR_FORMAT, "class %zu is not a text", i));
    }
    status = ic_model_name(model, network, names, (int32_t)count);
    if (status == IC_ERROR_DATA) /* of the file now, not of a data set */
        status = IC_ERROR_FORMAT;
cleanup:
    ic_free(model->context, names);
    return status;
}

static ic_status read_names(const ic_safetensors *file, ic_model *model)
{
    const char *network;
    json_t *classes;
    IC_TRY(need_text(file, IC_KEY_NETWORK, &network));
    IC_TRY(need_json(file, IC_KEY_CLASSES, &classes));
    ic_status status = name_by_json(model, network, classes);
    json_decref(classes);
    return status < 0 ? ic_fail_prefix(status, IC_KEY_CLASSES ": ") : status;
}

static ic_status read_pipeline(const ic_safetensors *file, ic_model *model)
{
    json_t *json;
    IC_TRY(need_json(file, IC_KEY_PIPELINE, &json));
    ic_status status = ic_pipeline_from_json(json, &model->pipeline);
    json_decref(json);
    if (status < 0)
        return ic_fail_prefix(status, IC_KEY_PIPELINE ": ");
    const ic_pipeline *pipeline = &model->pipeline;
    ic_shape input = ic_graph_input_shape(model->graph);
    if (pipeline->width != input.w || pipeline->height != input.h || pipeline->channels != input.c)
        return ic_fail(IC_ERROR_FORMAT,
                       IC_KEY_PIPELINE " gives %d x %d x %d, but the network takes %d x %d x %d",
                       (int)pipeline->width, (int)pipeline->height, (int)pipeline->channels,
                       (int)input.w, (int)input.h, (int)input.c);
    return IC_OK;
}

static ic_status read_record(const ic_safetensors *file, ic_model *model)
{
    json_t *record;
    IC_TRY(need_json(file, IC_KEY_TRAINING, &record));
    if (!json_is_object(record)) {
        json_decref(record);
        return ic_fail(IC_ERROR_FORMAT, IC_KEY_TRAINING " is not an object");
    }
    json_decref(model->record);
    model->record = record;
    model->pretrained = json_object_get(record, "steps") != NULL;
    return IC_OK;
}

/* Models that nobody has calibrated have none. */
static ic_status read_confidence(const ic_safetensors *file, ic_model *model)
{
    json_t *json;
    if (ic_safetensors_metadata(file, IC_KEY_CONFIDENCE) == NULL)
        return IC_OK;
    IC_TRY(need_json(file, IC_KEY_CONFIDENCE, &json));
    ic_status status = ic_confidence_from_json(json, model->graph, &model->pipeline, model->context,
                                               &model->confidence);
    json_decref(json);
    return status < 0 ? ic_fail_prefix(status, IC_KEY_CONFIDENCE ": ") : status;
}

/* Most models have none. */
static ic_status read_costs(const ic_safetensors *file, ic_model *model)
{
    json_t *json;
    if (ic_safetensors_metadata(file, IC_KEY_COSTS) == NULL)
        return IC_OK;
    IC_TRY(need_json(file, IC_KEY_COSTS, &json));
    ic_status status = ic_costs_from_json(model->context, json, model->class_count, &model->costs);
    json_decref(json);
    return status < 0 ? ic_fail_prefix(status, IC_KEY_COSTS ": ") : status;
}

/* ---- Tensors ---- */

static ic_status check_parameter(const ic_tensor_entry *tensor, const ic_parameter *parameter)
{
    if (tensor == NULL)
        return ic_fail(IC_ERROR_FORMAT, "tensor %s is missing", parameter->name);
    bool same = tensor->rank == parameter->rank;
    for (int32_t i = 0; same && i < parameter->rank; i++)
        same = tensor->shape[i] == parameter->shape[i];
    if (!same)
        return ic_fail(IC_ERROR_FORMAT, "tensor %s has another shape than the graph gives it",
                       parameter->name);
    return IC_OK;
}

/* "bn1.num_batches_tracked" beside the parameter "bn1.running_mean": one I64 number. */
static bool is_batch_count(const ic_safetensors *file, const ic_tensor_entry *tensor)
{
    char mean[256];
    size_t length = strlen(tensor->name);
    if (tensor->dtype != IC_I64 || tensor->rank != 0 || length >= sizeof mean ||
        !ic_text_ends(tensor->name, "." IC_BATCHES_TRACKED))
        return false;
    memcpy(mean, tensor->name, length + 1);
    strcpy(mean + length - strlen(IC_BATCHES_TRACKED), IC_RUNNING_MEAN);
    return ic_safetensors_find(file, mean) != NULL;
}

/* Of a checkpoint: for the trainer to read. */
static bool is_extra(const ic_safetensors *file, const ic_tensor_entry *tensor)
{
    return strncmp(tensor->name, IC_EXTRA_PREFIX, strlen(IC_EXTRA_PREFIX)) == 0 &&
           ic_safetensors_metadata(file, IC_KEY_TRAINER) != NULL;
}

/* Every parameter is there once, with its shape, and nothing else is. */
static ic_status check_tensors(const ic_safetensors *file, const ic_model *model)
{
    int32_t count = ic_safetensors_count(file);
    bool *taken;
    ic_status status = IC_OK;
    IC_TRY(ic_allocate_zero(model->context, (size_t)count, &taken));
    for (int32_t i = 0; i < ic_graph_parameter_count(model->graph); i++) {
        const ic_parameter *parameter = ic_graph_parameter(model->graph, i);
        const ic_tensor_entry *tensor = ic_safetensors_find(file, parameter->name);
        IC_TRY_CLEAN(check_parameter(tensor, parameter));
        ptrdiff_t place = tensor - ic_safetensors_at(file, 0);
        if (taken[place])
            IC_TRY_CLEAN(ic_fail(IC_ERROR_FORMAT, IC_KEY_GRAPH ": it names tensor %s twice",
                                 parameter->name));
        taken[place] = true;
    }
    for (int32_t i = 0; i < count; i++) {
        const ic_tensor_entry *tensor = ic_safetensors_at(file, i);
        if (!taken[i] && !is_batch_count(file, tensor) && !is_extra(file, tensor))
            IC_TRY_CLEAN(
                ic_fail(IC_ERROR_FORMAT, "tensor %s is not of this network", tensor->name));
    }
cleanup:
    ic_free(model->context, taken);
    return status;
}

static ic_status fill_parameter(const ic_safetensors *file, const ic_parameter *parameter,
                                float *out)
{
    IC_TRY(ic_tensor_floats(ic_safetensors_find(file, parameter->name), out));
    if (!ic_text_ends(parameter->name, "." IC_RUNNING_VAR))
        return IC_OK;
    for (int64_t i = 0; i < parameter->count; i++)
        if (out[i] < 0)
            return ic_fail(IC_ERROR_FORMAT, "tensor %s: element %lld is a negative variance",
                           parameter->name, (long long)i);
    return IC_OK;
}

/* The file has been proved to hold every parameter, so the array is no larger than the file. */
static ic_status read_weights(const ic_safetensors *file, ic_model *model)
{
    const ic_graph *graph = model->graph;
    IC_TRY(check_tensors(file, model));
    size_t total = (size_t)ic_graph_parameter_sizes(graph).total;
    float *parameters;
    ic_status status = IC_OK;
    IC_TRY(ic_allocate_array(model->context, total, sizeof *parameters, &parameters));
    memset(parameters, 0, total * sizeof *parameters);
    for (int32_t i = 0; i < ic_graph_parameter_count(graph); i++) {
        const ic_parameter *parameter = ic_graph_parameter(graph, i);
        IC_TRY_CLEAN(fill_parameter(file, parameter, parameters + parameter->offset));
    }
    status = ic_weights_create(model->context, graph, parameters, &model->weights);
cleanup:
    ic_free(model->context, parameters);
    return status;
}

/* ---- The interface ---- */

static ic_status fill_from_file(const ic_safetensors *file, ic_model *model)
{
    IC_TRY(ic_safetensors_check_hash(file));
    IC_TRY(check_version(file));
    IC_TRY(check_requires(file));
    IC_TRY(read_graph(file, model));
    IC_TRY(read_names(file, model));
    IC_TRY(read_pipeline(file, model));
    IC_TRY(read_record(file, model));
    IC_TRY(read_confidence(file, model));
    IC_TRY(read_costs(file, model));
    return read_weights(file, model);
}

ic_status ic_model_read(ic_context *context, const ic_safetensors *file, ic_model **out)
{
    ic_model *model = NULL;
    IC_TRY(ic_model_begin(context, &model));
    ic_status status = fill_from_file(file, model);
    if (status < 0)
        ic_model_free(model);
    else
        *out = model;
    return status;
}

ic_status ic_model_load_memory(ic_context *context, const void *bytes, size_t size, ic_model **out)
{
    if (context == NULL || bytes == NULL || out == NULL)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_model_load_memory: %s is NULL",
                       context == NULL ? "context"
                       : bytes == NULL ? "bytes"
                                       : "out");
    ic_safetensors *file = NULL;
    IC_TRY(ic_safetensors_open(context, bytes, size, &file));
    ic_status status = ic_model_read(context, file, out);
    ic_safetensors_free(file);
    return status;
}

ic_status ic_model_load(ic_context *context, const char *path, ic_model **out)
{
    if (context == NULL || path == NULL || out == NULL)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_model_load: %s is NULL",
                       context == NULL ? "context"
                       : path == NULL  ? "path"
                                       : "out");
    ic_buffer bytes = {.context = context};
    ic_status status = ic_file_read(context, path, IC_MODEL_FILE_MAX, &bytes);
    if (status >= 0) {
        status = ic_model_load_memory(context, bytes.bytes, bytes.size, out);
        if (status < 0)
            ic_fail_prefix(status, "%s: ", path);
    }
    ic_buffer_free(&bytes);
    return status;
}

/* preprocess/pipeline_json.c: the pipeline in the model file. SPDX-License-Identifier: MIT */
#include "base/status.h"
#include "preprocess/pipeline.h"

#include <string.h>

/* Names in files, by value; never changed, only appended to. */
static const char *const decode_names[] = {
    [IC_DECODE_FULL] = "full", [IC_DECODE_SHRINK] = "shrink"};
static const char *const resize_names[] = {
    [IC_RESIZE_STRETCH] = "stretch", [IC_RESIZE_CROP] = "crop"};
static const char *const denoise_names[] = {[IC_DENOISE_NONE] = "none",
                                            [IC_DENOISE_MEDIAN] = "median",
                                            [IC_DENOISE_GAUSSIAN] = "gaussian",
                                            [IC_DENOISE_BILATERAL] = "bilateral"};
static const char *const normalise_names[] = {
    [IC_NORMALISE_DATASET] = "dataset", [IC_NORMALISE_PICTURE] = "picture"};
static const char *const filter_names[] = {
    [IC_FILTER_BILINEAR] = "bilinear", [IC_FILTER_BICUBIC] = "bicubic"};
static const char what[] = "preprocessing";

static ic_status set_floats(json_t *object, const char *key, const float *values, int32_t count)
{
    json_t *array = json_array();
    IC_TRY(ic_json_set(object, key, array));
    for (int32_t i = 0; i < count; i++)
        IC_TRY(ic_json_append(array, json_real(values[i])));
    return IC_OK;
}

static ic_status write_members(const ic_pipeline *pipeline, json_t *object)
{
    IC_TRY(ic_json_set(object, "decode", json_string(decode_names[pipeline->decode])));
    IC_TRY(ic_json_set(object, "width", json_integer(pipeline->width)));
    IC_TRY(ic_json_set(object, "height", json_integer(pipeline->height)));
    IC_TRY(ic_json_set(object, "channels", json_integer(pipeline->channels)));
    IC_TRY(ic_json_set(object, "canvas_width", json_integer(pipeline->canvas_width)));
    IC_TRY(ic_json_set(object, "canvas_height", json_integer(pipeline->canvas_height)));
    IC_TRY(ic_json_set(object, "resize", json_string(resize_names[pipeline->resize])));
    IC_TRY(ic_json_set(object, "filter", json_string(filter_names[pipeline->filter])));
    IC_TRY(ic_json_set(object, "denoise", json_string(denoise_names[pipeline->denoise])));
    if (pipeline->denoise != IC_DENOISE_NONE)
        IC_TRY(ic_json_set(object, "denoise_strength", json_real(pipeline->denoise_strength)));
    IC_TRY(ic_json_set(object, "normalise", json_string(normalise_names[pipeline->normalise])));
    IC_TRY(set_floats(object, "mean", pipeline->mean, pipeline->channels));
    return set_floats(object, "deviation", pipeline->deviation, pipeline->channels);
}

ic_status ic_pipeline_to_json(const ic_pipeline *pipeline, json_t **out)
{
    json_t *object = json_object();
    if (object == NULL)
        return ic_fail(IC_ERROR_MEMORY, "out of memory for the description of a pipeline");
    ic_status status = write_members(pipeline, object);
    if (status < 0)
        json_decref(object);
    else
        *out = object;
    return status;
}

/* A whole number within limits. */
static ic_status read_int(const json_t *json, const char *key, int32_t low, int32_t high,
                          int32_t *out)
{
    int64_t value;
    IC_TRY(ic_json_int(json, key, low, high, what, &value));
    *out = (int32_t)value;
    return IC_OK;
}

/* One of the names, as its index. Holes in the table are skipped. */
static ic_status read_name_of(const json_t *json, const char *key, const char *const *names,
                              size_t count, int32_t *out)
{
    const char *text;
    IC_TRY(ic_json_text(json, key, what, &text));
    for (size_t i = 0; i < count; i++)
        if (names[i] != NULL && strcmp(text, names[i]) == 0) {
            *out = (int32_t)i;
            return IC_OK;
        }
    return ic_fail(IC_ERROR_UNSUPPORTED,
                   "%s: %s \"%.40s\" is not known to this version: update imgcls", what, key, text);
}

#define read_name(json, key, names, out)                                                           \
    read_name_of(json, key, names, sizeof(names) / sizeof *(names), out)

/* One number a channel, each within low..high (NaN is not). */
static ic_status read_floats(const json_t *json, const char *key, int32_t count, double low,
                             double high, float *out)
{
    json_t *array;
    float values[3];
    IC_TRY(ic_json_array(json, key, what, &array));
    if (json_array_size(array) != (size_t)count)
        return ic_fail(IC_ERROR_FORMAT, "%s: %s has %zu numbers, but there are %d channels", what,
                       key, json_array_size(array), count);
    for (int32_t i = 0; i < count; i++) {
        const json_t *number = json_array_get(array, (size_t)i);
        double value = json_number_value(number);
        if (!json_is_number(number) || !(value >= low && value <= high))
            return ic_fail(IC_ERROR_FORMAT, "%s: number %d of %s is not in its range", what, i + 1,
                           key);
        values[i] = (float)value;
    }
    memcpy(out, values, (size_t)count * sizeof *out);
    return IC_OK;
}

static ic_status read_sizes(const json_t *json, ic_pipeline *out)
{
    const int32_t most = IC_PIPELINE_SIDE_MAX;
    IC_TRY(read_int(json, "width", 1, most, &out->width));
    IC_TRY(read_int(json, "height", 1, most, &out->height));
    IC_TRY(read_int(json, "channels", 1, 3, &out->channels));
    IC_TRY(read_int(json, "canvas_width", out->width, most, &out->canvas_width));
    IC_TRY(read_int(json, "canvas_height", out->height, most, &out->canvas_height));
    if (out->channels == 2)
        return ic_fail(IC_ERROR_FORMAT, "%s: channels is 2: it can be 1 or 3", what);
    return IC_OK;
}

static ic_status read_denoise(const json_t *json, ic_pipeline *out)
{
    int32_t kind;
    double strength = 1;
    IC_TRY(read_name(json, "denoise", denoise_names, &kind));
    if (kind != IC_DENOISE_NONE)
        IC_TRY(ic_json_float(json, "denoise_strength", what, &strength));
    if (!(strength >= 0.05 && strength <= 10))
        return ic_fail(IC_ERROR_FORMAT, "%s: denoise_strength is not in 0.05..10", what);
    out->denoise = (ic_denoise)kind;
    out->denoise_strength = (float)strength;
    return IC_OK;
}

ic_status ic_pipeline_from_json(const json_t *json, ic_pipeline *out)
{
    ic_pipeline pipeline = {0};
    int32_t decode, resize, normalise = IC_NORMALISE_DATASET; /* which 0.1 leaves out */
    if (!json_is_object(json))
        return ic_fail(IC_ERROR_FORMAT, "%s is not an object", what);
    IC_TRY(read_name(json, "decode", decode_names, &decode));
    pipeline.decode = (ic_decode)decode;
    IC_TRY(read_sizes(json, &pipeline));
    IC_TRY(read_name(json, "resize", resize_names, &resize));
    pipeline.resize = (ic_resize_mode)resize;
    IC_TRY(read_name(json, "filter", filter_names, &pipeline.filter));
    IC_TRY(read_denoise(json, &pipeline));
    if (json_object_get(json, "normalise") != NULL)
        IC_TRY(read_name(json, "normalise", normalise_names, &normalise));
    pipeline.normalise = (ic_normalise)normalise;
    IC_TRY(read_floats(json, "mean", pipeline.channels, -1000, 1000, pipeline.mean));
    IC_TRY(read_floats(json, "deviation", pipeline.channels, 1e-6, 1000, pipeline.deviation));
    *out = pipeline;
    return IC_OK;
}

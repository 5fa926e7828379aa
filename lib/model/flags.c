/* model/flags.c: the options that repeat a training. SPDX-License-Identifier: MIT */
#include "base/memory.h"
#include "base/options.h"
#include "base/status.h"
#include "base/text.h"
#include "model/model.h"
#include "preprocess/pipeline.h"

#include <string.h>

/* As a shell takes it, in quotes where it needs them; the text may come from anybody's file. */
static ic_status add_text(ic_buffer *text, const char *value)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:,=@-";
    if (value[0] != '\0' && value[strspn(value, plain)] == '\0')
        return ic_buffer_print(text, "%s", value);
    IC_TRY(ic_buffer_print(text, "'"));
    for (; *value; value++)
        IC_TRY(*value == '\'' ? ic_buffer_print(text, "'\\''")
                              : ic_buffer_print(text, "%c", *value));
    return ic_buffer_print(text, "'");
}

static ic_status add_number(ic_buffer *text, const json_t *value)
{
    char number[IC_TEXT_FLOAT_MAX];
    ic_buffer digits = {.context = text->context};
    if (ic_text_shortest(json_number_value(value), number))
        return ic_buffer_print(text, "%s", number);
    ic_status status = ic_json_print(value, &digits);
    if (status >= 0)
        status = ic_buffer_print(text, "%s", (const char *)digits.bytes);
    ic_buffer_free(&digits);
    return status;
}

static bool is_option(const char *name)
{
    const char *known;
    for (int32_t i = 0; i < ic_option_count(); i++)
        if (ic_option_info(i, &known, NULL, NULL, NULL, NULL, NULL) == IC_OK &&
            strcmp(name, known) == 0)
            return true;
    return false;
}

/* " --learning-rate 0.05": names with dashes. What is no option is left out. */
static ic_status add_flag(ic_buffer *text, const char *name, const json_t *value)
{
    if (!is_option(name))
        return IC_OK;
    IC_TRY(ic_buffer_print(text, " --"));
    for (const char *c = name; *c; c++)
        IC_TRY(ic_buffer_print(text, "%c", *c == '_' ? '-' : *c));
    IC_TRY(ic_buffer_print(text, " "));
    return json_is_string(value) ? add_text(text, json_string_value(value))
                                 : add_number(text, value);
}

static ic_status add_numbers(ic_buffer *text, const char *flag, const float *values, int32_t count)
{
    char number[IC_TEXT_FLOAT_MAX];
    IC_TRY(ic_buffer_print(text, " %s", flag));
    for (int32_t i = 0; i < count; i++) {
        ic_text_shortest_float(values[i], number);
        IC_TRY(ic_buffer_print(text, "%c%s", i > 0 ? ',' : ' ', number));
    }
    return IC_OK;
}

/* What the network sees, which was chosen too. */
static ic_status add_pipeline(ic_buffer *text, const ic_pipeline *pipeline)
{
    json_t *json = NULL;
    IC_TRY(ic_pipeline_to_json(pipeline, &json));
    ic_status status = IC_OK;
    const char *const same_names[] = {"decode",  "resize",           "filter",
                                      "denoise", "denoise_strength", "normalise"};
    IC_TRY_CLEAN(ic_buffer_print(text, " --input-size %d --channels %s", (int)pipeline->width,
                                 pipeline->channels == 1 ? "grey" : "colour"));
    for (size_t i = 0; i < sizeof same_names / sizeof *same_names; i++) {
        const json_t *value = json_object_get(json, same_names[i]);
        if (value != NULL)
            IC_TRY_CLEAN(add_flag(text, same_names[i], value));
    }
    IC_TRY_CLEAN(add_numbers(text, "--mean", pipeline->mean, pipeline->channels));
    IC_TRY_CLEAN(add_numbers(text, "--deviation", pipeline->deviation, pipeline->channels));
cleanup:
    json_decref(json);
    return status;
}

/* Groups that the host gave one by one are no option, and auto needs none. */
static ic_status add_group(ic_buffer *text, const char *grouping)
{
    if (grouping == NULL)
        return ic_buffer_print(text, " --group none");
    if (strcmp(grouping, "given") == 0 || strcmp(grouping, "auto") == 0)
        return IC_OK;
    IC_TRY(ic_buffer_print(text, " --group "));
    return add_text(text, grouping);
}

static ic_status add_flags(const ic_model *model, const json_t *options, const json_t *group,
                           ic_buffer *text)
{
    const char *name;
    json_t *value;
    IC_TRY(ic_buffer_print(text, "--network "));
    IC_TRY(add_text(text, model->network)); /* '' for a network of the host's own */
    IC_TRY(add_pipeline(text, &model->pipeline));
    json_object_foreach((json_t *)options, name, value) IC_TRY(add_flag(text, name, value));
    return add_group(text, json_string_value(group));
}

ic_status ic_model_flags(const ic_model *model, char *buffer, size_t capacity, size_t *size)
{
    ic_buffer text = {0};
    json_t *record = NULL;
    ic_status status = IC_OK;
    if (model == NULL || size == NULL)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_model_flags: %s is NULL",
                       model == NULL ? "model" : "size");
    text.context = model->context;
    IC_TRY(ic_model_record(model, &record));
    const json_t *options = json_object_get(record, "options");
    const json_t *group = json_object_get(json_object_get(record, "data"), "group");
    if (!json_is_object(options))
        IC_TRY_CLEAN(ic_fail(IC_ERROR_STATE, "the model has not been trained: there is nothing to "
                                             "repeat"));
    IC_TRY_CLEAN(add_flags(model, options, group, &text));
    status = ic_give_bytes(text.bytes, text.size + 1, buffer, capacity, size);
cleanup:
    ic_buffer_free(&text);
    json_decref(record);
    return status;
}

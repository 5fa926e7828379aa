/* model/flags.c: the options that repeat a training. SPDX-License-Identifier: MIT */
#include "base/memory.h"
#include "base/status.h"
#include "base/text.h"
#include "model/model.h"

#include <string.h>

/* A number in as few digits as give it back: 0.2, not 0.20000000000000001; false: none do. */
static bool short_number(double value, char text[IC_TEXT_FLOAT_MAX])
{
    double read = 0;
    for (int32_t digits = 6; digits <= 17; digits++)
        if (ic_parse_float(ic_text_float(value, digits, text), &read) && read == value)
            return true;
    return false;
}

static ic_status add_number(ic_buffer *text, const json_t *value)
{
    char number[IC_TEXT_FLOAT_MAX];
    ic_buffer digits = {.context = text->context};
    if (short_number(json_number_value(value), number))
        return ic_buffer_print(text, " %s", number);
    ic_status status = ic_json_print(value, &digits);
    if (status >= 0)
        status = ic_buffer_print(text, " %s", (const char *)digits.bytes);
    ic_buffer_free(&digits);
    return status;
}

/* " --learning-rate 0.05": names with dashes, texts in quotes that a shell takes as they are. */
static ic_status add_flag(ic_buffer *text, const char *name, const json_t *value)
{
    IC_TRY(ic_buffer_print(text, " --"));
    for (const char *c = name; *c; c++)
        IC_TRY(ic_buffer_print(text, "%c", *c == '_' ? '-' : *c));
    if (json_is_string(value))
        return ic_buffer_print(text, " '%s'", json_string_value(value));
    return add_number(text, value);
}

/* The network and what it sees were chosen too; the rest of the pipeline follows from the data. */
static ic_status add_flags(const ic_model *model, const json_t *options, const json_t *group,
                           ic_buffer *text)
{
    const char *name;
    json_t *value;
    IC_TRY(ic_buffer_print(text, "--network %s --input-size %d", model->network,
                           (int)model->pipeline.width));
    json_object_foreach((json_t *)options, name, value) IC_TRY(add_flag(text, name, value));
    /* Groups that the host gave one by one are no option, and auto needs none. */
    const char *grouping = json_string_value(group);
    if (grouping == NULL || strcmp(grouping, "given") == 0 || strcmp(grouping, "auto") == 0)
        return IC_OK;
    return add_flag(text, "group", group);
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

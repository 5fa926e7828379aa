/* model/flags.c: the options that repeat a training. SPDX-License-Identifier: MIT */
#include "base/memory.h"
#include "base/status.h"
#include "model/model.h"

/* " --learning-rate 0.05": names with dashes, texts in quotes that a shell takes as they are. */
static ic_status add_flag(ic_buffer *text, const char *name, const json_t *value)
{
    ic_buffer number = {.context = text->context};
    ic_status status = IC_OK;
    IC_TRY(ic_buffer_print(text, "%s--", text->size > 0 ? " " : ""));
    for (const char *c = name; *c; c++)
        IC_TRY(ic_buffer_print(text, "%c", *c == '_' ? '-' : *c));
    if (json_is_string(value))
        return ic_buffer_print(text, " '%s'", json_string_value(value));
    IC_TRY_CLEAN(ic_json_print(value, &number));
    status = ic_buffer_print(text, " %s", (const char *)number.bytes);
cleanup:
    ic_buffer_free(&number);
    return status;
}

/* The network and what it sees were chosen too; the rest of the pipeline follows from the data. */
static ic_status add_flags(const ic_model *model, const json_t *options, ic_buffer *text)
{
    const char *name;
    json_t *value;
    IC_TRY(ic_buffer_print(text, "--network %s --input-size %d", model->network,
                           (int)model->pipeline.width));
    json_object_foreach((json_t *)options, name, value) IC_TRY(add_flag(text, name, value));
    return IC_OK;
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
    if (!json_is_object(options))
        IC_TRY_CLEAN(ic_fail(IC_ERROR_STATE, "the model has not been trained: there is nothing to "
                                             "repeat"));
    IC_TRY_CLEAN(add_flags(model, options, &text));
    status = ic_give_bytes(text.bytes, text.size + 1, buffer, capacity, size);
cleanup:
    ic_buffer_free(&text);
    json_decref(record);
    return status;
}

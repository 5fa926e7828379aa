/* base/json.c: jansson behind statuses and messages. SPDX-License-Identifier: MIT */
#include "base/json.h"

#include "base/status.h"

ic_status ic_json_parse(const char *text, size_t length, const char *what, json_t **out)
{
    json_error_t error;
    json_t *value = json_loadb(text, length, JSON_REJECT_DUPLICATES, &error);
    if (value == NULL && json_error_code(&error) == json_error_out_of_memory)
        return ic_fail(IC_ERROR_MEMORY, "out of memory while reading %s", what);
    if (value == NULL)
        return ic_fail(IC_ERROR_FORMAT, "%s is not valid JSON: line %d, column %d: %s", what,
                       error.line, error.column, error.text);
    *out = value;
    return IC_OK;
}

typedef struct printing {
    ic_buffer *buffer;
    ic_status status;
} printing;

static int append_part(const char *bytes, size_t size, void *payload)
{
    printing *state = payload;
    if (state->status == IC_OK) /* jansson goes on after a key that could not be written */
        state->status = ic_buffer_append(state->buffer, bytes, size);
    return state->status < 0 ? -1 : 0;
}

ic_status ic_json_print(const json_t *value, ic_buffer *out)
{
    size_t size_before = out->size;
    printing state = {out, IC_OK};
    int failed = json_dump_callback(value, append_part, &state,
                                    JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(17));
    ic_status status = state.status;
    if (failed && status == IC_OK)
        status = ic_fail(IC_ERROR_MEMORY, "out of memory while writing JSON");
    if (status == IC_OK)
        status = ic_buffer_append(out, "", 1);
    if (status < 0) {
        out->size = size_before;
        return status;
    }
    out->size--; /* the final zero stays behind the text */
    return IC_OK;
}

ic_status ic_json_give(ic_context *context, const json_t *value, char *buffer, size_t capacity,
                       size_t *size)
{
    ic_buffer text = {.context = context};
    ic_status status = ic_json_print(value, &text);
    if (status >= 0)
        status = ic_give_bytes(text.bytes, text.size + 1, buffer, capacity, size);
    ic_buffer_free(&text);
    return status;
}

static ic_status member(const json_t *object, const char *key, const char *what, json_t **out)
{
    json_t *value = json_object_get(object, key);
    if (value == NULL)
        return ic_fail(IC_ERROR_FORMAT, "%s: \"%s\" is missing", what, key);
    *out = value;
    return IC_OK;
}

static ic_status fail_type(const char *what, const char *key, const char *type)
{
    return ic_fail(IC_ERROR_FORMAT, "%s: \"%s\" must be %s", what, key, type);
}

ic_status ic_json_int(const json_t *object, const char *key, int64_t low, int64_t high,
                      const char *what, int64_t *out)
{
    json_t *value;
    IC_TRY(member(object, key, what, &value));
    if (!json_is_integer(value))
        return fail_type(what, key, "a whole number");
    int64_t number = json_integer_value(value);
    if (number < low || number > high)
        return ic_fail(IC_ERROR_FORMAT, "%s: \"%s\" must be %lld..%lld, not %lld", what, key,
                       (long long)low, (long long)high, (long long)number);
    *out = number;
    return IC_OK;
}

ic_status ic_json_float(const json_t *object, const char *key, const char *what, double *out)
{
    json_t *value;
    IC_TRY(member(object, key, what, &value));
    if (!json_is_number(value))
        return fail_type(what, key, "a number");
    *out = json_number_value(value);
    return IC_OK;
}

ic_status ic_json_text(const json_t *object, const char *key, const char *what, const char **out)
{
    json_t *value;
    IC_TRY(member(object, key, what, &value));
    if (!json_is_string(value))
        return fail_type(what, key, "a text");
    *out = json_string_value(value);
    return IC_OK;
}

ic_status ic_json_array(const json_t *object, const char *key, const char *what, json_t **out)
{
    json_t *value;
    IC_TRY(member(object, key, what, &value));
    if (!json_is_array(value))
        return fail_type(what, key, "an array");
    *out = value;
    return IC_OK;
}

ic_status ic_json_object(const json_t *object, const char *key, const char *what, json_t **out)
{
    json_t *value;
    IC_TRY(member(object, key, what, &value));
    if (!json_is_object(value))
        return fail_type(what, key, "an object");
    *out = value;
    return IC_OK;
}

ic_status ic_json_set(json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, value) != 0)
        return ic_fail(IC_ERROR_MEMORY, "out of memory while writing \"%s\" of a JSON object", key);
    return IC_OK;
}

ic_status ic_json_append(json_t *array, json_t *value)
{
    if (json_array_append_new(array, value) != 0)
        return ic_fail(IC_ERROR_MEMORY, "out of memory while writing a JSON array");
    return IC_OK;
}

/* serialize/safetensors_read.c: opening a container that nobody vouches for.
 * SPDX-License-Identifier: MIT */
#include "base/status.h"
#include "base/text.h"
#include "serialize/safetensors.h"

#include <stdlib.h>
#include <string.h>

struct ic_safetensors {
    ic_context *context;
    const unsigned char *bytes;
    size_t size;
    size_t header_size;
    json_t *header;
    const json_t *metadata;   /* in the header; NULL: none */
    ic_tensor_entry *tensors; /* names are the header's */
    int32_t count;
};

/* ---- The header as a whole ---- */

/* The length at the start of the file, proved against the file and the limit. */
static ic_status read_length(const unsigned char *bytes, size_t size, size_t *out)
{
    uint64_t length = 0;
    if (size < IC_TENSOR_LENGTH_BYTES)
        return ic_fail(IC_ERROR_FORMAT, "not a safetensors file: only %zu bytes long", size);
    for (int i = IC_TENSOR_LENGTH_BYTES - 1; i >= 0; i--)
        length = length << 8 | bytes[i];
    if (length > IC_TENSOR_HEADER_MAX)
        return ic_fail(IC_ERROR_FORMAT,
                       "not a safetensors file: a header of %llu bytes, where at most %d are read",
                       (unsigned long long)length, IC_TENSOR_HEADER_MAX);
    if (length > size - IC_TENSOR_LENGTH_BYTES)
        return ic_fail(IC_ERROR_FORMAT,
                       "the file is cut short: its header of %llu bytes goes past its end of %zu",
                       (unsigned long long)length, size);
    *out = (size_t)length;
    return IC_OK;
}

static ic_status read_header(ic_safetensors *file)
{
    IC_TRY(read_length(file->bytes, file->size, &file->header_size));
    const char *text = (const char *)file->bytes + IC_TENSOR_LENGTH_BYTES;
    if (file->header_size == 0 || text[0] != '{')
        return ic_fail(IC_ERROR_FORMAT, "not a safetensors file: the header does not begin with {");
    if (!ic_utf8_valid(text, file->header_size))
        return ic_fail(IC_ERROR_FORMAT, "the header is not valid UTF-8");
    return ic_json_parse(text, file->header_size, "the header", &file->header);
}

static ic_status read_metadata(ic_safetensors *file)
{
    const char *key;
    json_t *value;
    json_t *metadata = json_object_get(file->header, "__metadata__");
    if (metadata == NULL)
        return IC_OK;
    if (!json_is_object(metadata))
        return ic_fail(IC_ERROR_FORMAT, "__metadata__ is not an object");
    json_object_foreach(metadata, key, value)
    {
        if (!json_is_string(value))
            return ic_fail(IC_ERROR_FORMAT, "__metadata__: %s is not a text", key);
    }
    file->metadata = metadata;
    return IC_OK;
}

/* ---- One tensor ---- */

static ic_status read_dtype(const json_t *entry, ic_tensor_entry *tensor)
{
    const char *name;
    IC_TRY(ic_json_text(entry, "dtype", tensor->name, &name));
    for (int dtype = IC_F32; dtype <= IC_U8; dtype++) {
        if (strcmp(name, ic_dtype_name((ic_dtype)dtype)) == 0) {
            tensor->dtype = (ic_dtype)dtype;
            return IC_OK;
        }
    }
    return ic_fail(IC_ERROR_UNSUPPORTED, "tensor %s is of type %s, which is not read here",
                   tensor->name, name);
}

static ic_status read_shape(const json_t *entry, ic_tensor_entry *tensor)
{
    json_t *shape;
    IC_TRY(ic_json_array(entry, "shape", tensor->name, &shape));
    size_t rank = json_array_size(shape);
    size_t count = 1;
    if (rank > IC_TENSOR_RANK_MAX)
        return ic_fail(IC_ERROR_FORMAT, "tensor %s has %zu dimensions, where at most %d are read",
                       tensor->name, rank, IC_TENSOR_RANK_MAX);
    for (size_t i = 0; i < rank; i++) {
        const json_t *extent = json_array_get(shape, i);
        if (!json_is_integer(extent) || json_integer_value(extent) < 0)
            return ic_fail(IC_ERROR_FORMAT,
                           "tensor %s: its shape holds something that is not a size", tensor->name);
        tensor->shape[i] = json_integer_value(extent);
        if (!ic_multiply_size(count, (size_t)tensor->shape[i], &count) || count > INT64_MAX)
            return ic_fail(IC_ERROR_FORMAT, "tensor %s: its shape is larger than any memory",
                           tensor->name);
    }
    tensor->rank = (int32_t)rank;
    tensor->count = (int64_t)count;
    return IC_OK;
}

/* data_offsets, proved against the shape and the end of the file. */
static ic_status read_place(const ic_safetensors *file, const json_t *entry,
                            ic_tensor_entry *tensor)
{
    const unsigned char *data = file->bytes + IC_TENSOR_LENGTH_BYTES + file->header_size;
    size_t data_size = file->size - IC_TENSOR_LENGTH_BYTES - file->header_size;
    json_t *offsets;
    size_t needed;
    IC_TRY(ic_json_array(entry, "data_offsets", tensor->name, &offsets));
    const json_t *begin = json_array_get(offsets, 0), *end = json_array_get(offsets, 1);
    if (json_array_size(offsets) != 2 || !json_is_integer(begin) || !json_is_integer(end) ||
        json_integer_value(begin) < 0 || json_integer_value(end) < json_integer_value(begin))
        return ic_fail(IC_ERROR_FORMAT, "tensor %s: data_offsets is not a begin and an end",
                       tensor->name);
    if ((uint64_t)json_integer_value(end) > data_size)
        return ic_fail(IC_ERROR_FORMAT,
                       "the file is cut short: tensor %s ends at %lld of %zu bytes of data",
                       tensor->name, (long long)json_integer_value(end), data_size);
    if (!ic_multiply_size((size_t)tensor->count, ic_dtype_size(tensor->dtype), &needed) ||
        needed != (size_t)(json_integer_value(end) - json_integer_value(begin)))
        return ic_fail(IC_ERROR_FORMAT, "tensor %s: its shape does not fit its %lld bytes",
                       tensor->name,
                       (long long)(json_integer_value(end) - json_integer_value(begin)));
    tensor->data = data + json_integer_value(begin);
    return IC_OK;
}

static ic_status read_tensor(const ic_safetensors *file, const char *name, const json_t *entry,
                             ic_tensor_entry *tensor)
{
    tensor->name = name;
    if (!json_is_object(entry) || json_object_size(entry) != 3)
        return ic_fail(IC_ERROR_FORMAT,
                       "tensor %s is not described by dtype, shape and data_offsets alone", name);
    IC_TRY(read_dtype(entry, tensor));
    IC_TRY(read_shape(entry, tensor));
    return read_place(file, entry, tensor);
}

/* ---- All tensors ---- */

static ic_status read_tensors(ic_safetensors *file)
{
    const char *name;
    json_t *entry;
    size_t count = json_object_size(file->header) - (file->metadata != NULL);
    if (count > IC_TENSOR_COUNT_MAX)
        return ic_fail(IC_ERROR_FORMAT, "%zu tensors, where at most %d are read", count,
                       IC_TENSOR_COUNT_MAX);
    IC_TRY(ic_allocate_array(file->context, count, sizeof *file->tensors, &file->tensors));
    json_object_foreach(file->header, name, entry)
    {
        if (entry != file->metadata)
            IC_TRY(read_tensor(file, name, entry, &file->tensors[file->count++]));
    }
    return IC_OK;
}

static size_t bytes_of(const ic_tensor_entry *tensor)
{
    return (size_t)tensor->count * ic_dtype_size(tensor->dtype);
}

/* By place; of those at one place the empty ones first. */
static int compare_places(const void *left, const void *right)
{
    const ic_tensor_entry *a = left, *b = right;
    if (a->data != b->data)
        return a->data < b->data ? -1 : 1;
    return (bytes_of(a) > bytes_of(b)) - (bytes_of(a) < bytes_of(b));
}

static int compare_names(const void *left, const void *right)
{
    const ic_tensor_entry *a = left, *b = right;
    return strcmp(a->name, b->name);
}

/* The tensors cover the data from its first to its last byte, each byte once. Leaves them in order
 * of names. */
static ic_status check_cover(ic_safetensors *file)
{
    const unsigned char *end = file->bytes + IC_TENSOR_LENGTH_BYTES + file->header_size;
    qsort(file->tensors, (size_t)file->count, sizeof *file->tensors, compare_places);
    for (int32_t i = 0; i < file->count; i++) {
        const ic_tensor_entry *tensor = &file->tensors[i];
        if (tensor->data != end)
            return ic_fail(IC_ERROR_FORMAT, "tensor %s %s", tensor->name,
                           tensor->data < end ? "overlaps another one"
                                              : "leaves a hole before it in the data");
        end += bytes_of(tensor);
    }
    if (end != file->bytes + file->size)
        return ic_fail(IC_ERROR_FORMAT, "%zu bytes behind the last tensor belong to none",
                       (size_t)(file->bytes + file->size - end));
    qsort(file->tensors, (size_t)file->count, sizeof *file->tensors, compare_names);
    return IC_OK;
}

/* ---- The interface ---- */

ic_status ic_safetensors_open(ic_context *context, const void *bytes, size_t size,
                              ic_safetensors **out)
{
    ic_safetensors *file;
    ic_status status;
    IC_TRY(ic_allocate_zero(context, sizeof *file, &file));
    file->context = context;
    file->bytes = bytes;
    file->size = size;
    IC_TRY_CLEAN(read_header(file));
    IC_TRY_CLEAN(read_metadata(file));
    IC_TRY_CLEAN(read_tensors(file));
    IC_TRY_CLEAN(check_cover(file));
    *out = file;
    return IC_OK;
cleanup:
    ic_safetensors_free(file);
    return status;
}

void ic_safetensors_free(ic_safetensors *file)
{
    if (file == NULL)
        return;
    json_decref(file->header);
    ic_free(file->context, file->tensors);
    ic_free(file->context, file);
}

int32_t ic_safetensors_count(const ic_safetensors *file)
{
    return file->count;
}

const ic_tensor_entry *ic_safetensors_at(const ic_safetensors *file, int32_t index)
{
    return &file->tensors[index];
}

const ic_tensor_entry *ic_safetensors_find(const ic_safetensors *file, const char *name)
{
    ic_tensor_entry wanted = {.name = name};
    return bsearch(&wanted, file->tensors, (size_t)file->count, sizeof wanted, compare_names);
}

const char *ic_safetensors_metadata(const ic_safetensors *file, const char *key)
{
    return json_string_value(json_object_get(file->metadata, key));
}

ic_status ic_safetensors_check_hash(const ic_safetensors *file)
{
    const char *stored = ic_safetensors_metadata(file, "imgcls.sha256");
    char hash[IC_SHA256_TEXT];
    size_t digits;
    if (stored == NULL)
        return IC_OK;
    if (!ic_safetensors_find_digits((const char *)file->bytes + IC_TENSOR_LENGTH_BYTES,
                                    file->header_size, &digits))
        return ic_fail(IC_ERROR_FORMAT, "imgcls.sha256 is not a hash of 64 hexadecimal digits");
    ic_safetensors_hash(file->bytes, file->size, IC_TENSOR_LENGTH_BYTES + digits, hash);
    if (strcmp(hash, stored) != 0)
        return ic_fail(IC_ERROR_FORMAT,
                       "the file was altered or damaged: its hash is %.12s.., "
                       "but it says %.12s..",
                       hash, stored);
    return IC_OK;
}

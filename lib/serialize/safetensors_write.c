/* serialize/safetensors_write.c: writing a container. SPDX-License-Identifier: MIT */
#include "base/status.h"
#include "serialize/safetensors.h"

#include <stdlib.h>
#include <string.h>

static const char sixty_four_zeros[] =
    "0000000000000000000000000000000000000000000000000000000000000000";

/* Larger elements first, so that each tensor is aligned to its element; then by name. */
static int compare_for_file(const void *left, const void *right)
{
    const ic_tensor_entry *a = *(const ic_tensor_entry *const *)left;
    const ic_tensor_entry *b = *(const ic_tensor_entry *const *)right;
    size_t size_a = ic_dtype_size(a->dtype), size_b = ic_dtype_size(b->dtype);
    if (size_a != size_b)
        return size_a > size_b ? -1 : 1;
    return strcmp(a->name, b->name);
}

static size_t tensor_bytes(const ic_tensor_entry *tensor)
{
    return (size_t)tensor->count * ic_dtype_size(tensor->dtype);
}

/* {"dtype":"F32","shape":[6,1,5,5],"data_offsets":[0,600]} */
static ic_status describe(json_t *header, const ic_tensor_entry *tensor, size_t begin)
{
    json_t *entry = json_object();
    ic_status status;
    if (json_object_get(header, tensor->name) != NULL) {
        status = ic_fail(IC_ERROR_INTERNAL, "tensor %s is to be written twice", tensor->name);
        goto cleanup;
    }
    IC_TRY_CLEAN(ic_json_set(entry, "dtype", json_string(ic_dtype_name(tensor->dtype))));
    IC_TRY_CLEAN(ic_json_set(entry, "shape", json_array()));
    for (int32_t i = 0; i < tensor->rank; i++)
        IC_TRY_CLEAN(
            ic_json_append(json_object_get(entry, "shape"), json_integer(tensor->shape[i])));
    IC_TRY_CLEAN(ic_json_set(
        entry, "data_offsets",
        json_pack("[I, I]", (json_int_t)begin, (json_int_t)(begin + tensor_bytes(tensor)))));
    status = ic_json_set(header, tensor->name, json_incref(entry));
cleanup:
    json_decref(entry);
    return status;
}

static ic_status print_header(const json_t *metadata, const ic_tensor_entry *const *order,
                              int32_t count, ic_buffer *text)
{
    json_t *header = json_object();
    json_t *copy = json_copy((json_t *)metadata);
    size_t begin = 0;
    ic_status status;
    IC_TRY_CLEAN(ic_json_set(copy, "imgcls.sha256", json_string(sixty_four_zeros)));
    IC_TRY_CLEAN(ic_json_set(header, "__metadata__", json_incref(copy)));
    for (int32_t i = 0; i < count; i++) {
        IC_TRY_CLEAN(describe(header, order[i], begin));
        begin += tensor_bytes(order[i]);
    }
    status = ic_json_print(header, text);
cleanup:
    json_decref(copy);
    json_decref(header);
    return status;
}

/* Spaces behind the header, so that the data starts at a multiple of IC_TENSOR_DATA_ALIGNMENT. */
static ic_status pad(ic_buffer *text)
{
    static const char spaces[IC_TENSOR_DATA_ALIGNMENT + 1] =
        "                                                                ";
    size_t over = (IC_TENSOR_LENGTH_BYTES + text->size) % IC_TENSOR_DATA_ALIGNMENT;
    return over == 0 ? IC_OK : ic_buffer_append(text, spaces, IC_TENSOR_DATA_ALIGNMENT - over);
}

static ic_status join(const ic_buffer *text, const ic_tensor_entry *const *order, int32_t count,
                      ic_buffer *out)
{
    unsigned char length[IC_TENSOR_LENGTH_BYTES];
    for (int i = 0; i < IC_TENSOR_LENGTH_BYTES; i++)
        length[i] = (unsigned char)((uint64_t)text->size >> (8 * i));
    IC_TRY(ic_buffer_append(out, length, IC_TENSOR_LENGTH_BYTES));
    IC_TRY(ic_buffer_append(out, text->bytes, text->size));
    for (int32_t i = 0; i < count; i++)
        IC_TRY(ic_buffer_append(out, order[i]->data, tensor_bytes(order[i])));
    return IC_OK;
}

/* Puts the hash of all the bytes over the zeros that stand for it. */
static ic_status seal(size_t header_size, ic_buffer *out)
{
    char hash[IC_SHA256_TEXT];
    size_t digits;
    if (!ic_safetensors_find_digits((const char *)out->bytes + IC_TENSOR_LENGTH_BYTES, header_size,
                                    &digits))
        return ic_fail(IC_ERROR_INTERNAL, "the header has no place for its hash");
    digits += IC_TENSOR_LENGTH_BYTES;
    ic_safetensors_hash(out->bytes, out->size, digits, hash);
    memcpy(out->bytes + digits, hash, IC_SHA256_TEXT - 1);
    return IC_OK;
}

ic_status ic_safetensors_write(ic_context *context, const json_t *metadata,
                               const ic_tensor_entry *tensors, int32_t count, ic_buffer *out)
{
    const ic_tensor_entry **order = NULL;
    ic_buffer text = {.context = context};
    ic_status status;
    if (count > IC_TENSOR_COUNT_MAX)
        return ic_fail(IC_ERROR_LIMIT, "%d tensors: a file holds at most %d", (int)count,
                       IC_TENSOR_COUNT_MAX);
    IC_TRY_CLEAN(ic_allocate_array(context, (size_t)count, sizeof *order, &order));
    for (int32_t i = 0; i < count; i++)
        order[i] = &tensors[i];
    qsort(order, (size_t)count, sizeof *order, compare_for_file);
    IC_TRY_CLEAN(print_header(metadata, order, count, &text));
    IC_TRY_CLEAN(pad(&text));
    if (text.size > IC_TENSOR_HEADER_MAX)
        IC_TRY_CLEAN(ic_fail(IC_ERROR_LIMIT, "the header takes %zu bytes: a file holds at most %d",
                             text.size, IC_TENSOR_HEADER_MAX));
    IC_TRY_CLEAN(join(&text, order, count, out));
    status = seal(text.size, out);
cleanup:
    ic_buffer_free(&text);
    ic_free(context, order);
    return status;
}

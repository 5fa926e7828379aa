/*
 * serialize/safetensors.h: the .safetensors container: read with every size proved before use,
 * written so that the same content gives the same bytes. SPDX-License-Identifier: MIT
 *
 * A file is: 8 bytes of header length (little-endian), the header, the data. The header is one JSON
 * object: its key "__metadata__" holds an object of texts, every other key names a tensor by its
 * dtype, shape and place in the data.
 */
#ifndef SERIALIZE_SAFETENSORS_H
#define SERIALIZE_SAFETENSORS_H

#include "base/hash.h"
#include "base/json.h"

typedef enum ic_dtype { IC_F32, IC_F16, IC_BF16, IC_F64, IC_I64, IC_I32, IC_U8 } ic_dtype;

enum {
    IC_TENSOR_LENGTH_BYTES = 8, /* of the header's length, at the start of the file */
    IC_TENSOR_RANK_MAX = 8,
    IC_TENSOR_COUNT_MAX = 65536,
    IC_TENSOR_HEADER_MAX = 16 * 1024 * 1024, /* bytes */
    IC_TENSOR_DATA_ALIGNMENT = 64            /* where the data of a written file starts */
};

/* A tensor in a file that was read (data points into its bytes, unaligned), or to be written. */
typedef struct ic_tensor_entry {
    const char *name;
    ic_dtype dtype;
    int32_t rank;
    int64_t shape[IC_TENSOR_RANK_MAX];
    int64_t count; /* elements: the product of the shape, 1 for rank 0 */
    const unsigned char *data;
} ic_tensor_entry;

/* The name in the file ("BF16") and the bytes of one element. */
const char *ic_dtype_name(ic_dtype dtype);
size_t ic_dtype_size(ic_dtype dtype);

/* An opened container: borrows the bytes. */
typedef struct ic_safetensors ic_safetensors;

ic_status ic_safetensors_open(ic_context *context, const void *bytes, size_t size,
                              ic_safetensors **out);
void ic_safetensors_free(ic_safetensors *file);

int32_t ic_safetensors_count(const ic_safetensors *file);
/* In the order of names. */
const ic_tensor_entry *ic_safetensors_at(const ic_safetensors *file, int32_t index);
/* NULL when there is none of that name. */
const ic_tensor_entry *ic_safetensors_find(const ic_safetensors *file, const char *name);

/* A text of __metadata__, borrowed; NULL when there is none. */
const char *ic_safetensors_metadata(const ic_safetensors *file, const char *key);

/* The elements as float32 (from F32, F16, BF16, F64); NaN and infinity are IC_ERROR_FORMAT. */
ic_status ic_tensor_floats(const ic_tensor_entry *tensor, float *out);

/*
 * Writes a container: metadata is an object of texts; tensors in any order (in the file: by
 * descending size of element, then by name). Adds "imgcls.sha256" to the metadata: the hash of the
 * whole file with its own 64 digits as zeros. `out` must be empty.
 */
ic_status ic_safetensors_write(ic_context *context, const json_t *metadata,
                               const ic_tensor_entry *tensors, int32_t count, ic_buffer *out);

/* The hash in the metadata against the bytes: missing is IC_OK, wrong is IC_ERROR_FORMAT. */
ic_status ic_safetensors_check_hash(const ic_safetensors *file);

/*
 * The hash of a container's bytes with the 64 digits at `digits` taken as zeros.
 */
void ic_safetensors_hash(const void *bytes, size_t size, size_t digits, char text[IC_SHA256_TEXT]);

/*
 * Where in a header (JSON text) the digits of "imgcls.sha256" stand, from its start; false:
 * nowhere, or not as 64 hexadecimal digits.
 */
bool ic_safetensors_find_digits(const char *header, size_t size, size_t *digits);

#endif

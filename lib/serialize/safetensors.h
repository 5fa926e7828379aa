/*
 * serialize/safetensors.h: the .safetensors container: read with every size proved before use, written so that the
 * same content gives the same bytes. Limits: research in lib/README.md. SPDX-License-Identifier: MIT
 */
#ifndef SERIALIZE_SAFETENSORS_H
#define SERIALIZE_SAFETENSORS_H

#include "base/json.h"

typedef enum ic_dtype { IC_F32, IC_F16, IC_BF16, IC_F64, IC_I64, IC_I32, IC_U8 } ic_dtype;

enum { IC_TENSOR_RANK_MAX = 8 };

/* A tensor in a file that was read (data points into its bytes), or to be written. */
typedef struct ic_tensor_entry {
    const char *name;
    ic_dtype dtype;
    int32_t rank;
    int64_t shape[IC_TENSOR_RANK_MAX];
    int64_t count; /* elements */
    const unsigned char *data;
} ic_tensor_entry;

/* An opened container: borrows the bytes. */
typedef struct ic_safetensors ic_safetensors;

ic_status ic_safetensors_open(ic_context *context, const void *bytes, size_t size,
                              ic_safetensors **out);
void ic_safetensors_free(ic_safetensors *file);

int32_t ic_safetensors_count(const ic_safetensors *file);
const ic_tensor_entry *ic_safetensors_at(const ic_safetensors *file, int32_t index); /* by name order */
const ic_tensor_entry *ic_safetensors_find(const ic_safetensors *file, const char *name); /* or NULL */

/* A text of __metadata__, borrowed; NULL when there is none. */
const char *ic_safetensors_metadata(const ic_safetensors *file, const char *key);

/* The elements as float32 (from F32, F16, BF16, F64); NaN and infinity are IC_ERROR_FORMAT. */
ic_status ic_tensor_floats(const ic_tensor_entry *tensor, float *out);

/*
 * Writes a container: metadata is an object of texts; tensors in any order. Adds "imgcls.sha256" to the metadata: the hash of the
 * whole file with its own 64 digits as zeros.
 */
ic_status ic_safetensors_write(ic_context *context, const json_t *metadata,
                               const ic_tensor_entry *tensors, int32_t count, ic_buffer *out);

/* The hash in the metadata against the bytes: missing is IC_OK, wrong is IC_ERROR_FORMAT. */
ic_status ic_safetensors_check_hash(const ic_safetensors *file);

#endif

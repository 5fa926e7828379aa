/* serialize/dtype.c: the element types of a container and their way to float32.
 * SPDX-License-Identifier: MIT */
#include "base/status.h"
#include "serialize/safetensors.h"

#include <math.h>
#include <string.h>

/* A container is little-endian; its bytes are taken as they lie, so the machine has to be so too.
 */
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "serialize/ is written for little-endian machines"
#endif

const char *ic_dtype_name(ic_dtype dtype)
{
    static const char *const names[] = {"F32", "F16", "BF16", "F64", "I64", "I32", "U8"};
    return names[dtype];
}

size_t ic_dtype_size(ic_dtype dtype)
{
    static const unsigned char sizes[] = {4, 2, 2, 8, 8, 4, 1};
    return sizes[dtype];
}

static float float_of_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* IEEE 754 binary16: 1 sign, 5 exponent (bias 15), 10 fraction; every value is exact in float32. */
static float float_of_half(uint16_t half)
{
    uint32_t sign = (uint32_t)(half >> 15) << 31;
    uint32_t exponent = (half >> 10) & 31;
    uint32_t fraction = half & 1023;
    if (exponent == 0) { /* zero or subnormal: fraction * 2^-24 */
        float magnitude = (float)fraction * 0x1p-24f;
        return sign ? -magnitude : magnitude;
    }
    if (exponent == 31)
        return float_of_bits(sign | 0x7F800000u | fraction << 13);
    return float_of_bits(sign | (exponent + 127 - 15) << 23 | fraction << 13);
}

static float element_as_float(ic_dtype dtype, const unsigned char *bytes)
{
    uint16_t half;
    float single;
    double number;
    switch (dtype) {
    case IC_F16:
        memcpy(&half, bytes, sizeof half);
        return float_of_half(half);
    case IC_BF16: /* the upper half of a float32 */
        memcpy(&half, bytes, sizeof half);
        return float_of_bits((uint32_t)half << 16);
    case IC_F64:
        memcpy(&number, bytes, sizeof number);
        return (float)number;
    default:
        memcpy(&single, bytes, sizeof single);
        return single;
    }
}

ic_status ic_tensor_floats(const ic_tensor_entry *tensor, float *out)
{
    if (tensor->dtype > IC_F64)
        return ic_fail(IC_ERROR_FORMAT,
                       "tensor %s holds %s, where floating-point numbers are needed", tensor->name,
                       ic_dtype_name(tensor->dtype));
    size_t size = ic_dtype_size(tensor->dtype);
    for (int64_t i = 0; i < tensor->count; i++) {
        float value = element_as_float(tensor->dtype, tensor->data + (size_t)i * size);
        if (!isfinite(value))
            return ic_fail(IC_ERROR_FORMAT, "tensor %s: element %lld is not a finite float32",
                           tensor->name, (long long)i);
        out[i] = value;
    }
    return IC_OK;
}

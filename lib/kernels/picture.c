/*
 * kernels/picture.c: resampling of pictures, compiled once per CPU level. Sums are added tap by
 * tap in a block that stays in registers. SPDX-License-Identifier: MIT
 */
#include "kernels/picture.h"

#include "kernels/ref/level.h"

#include <string.h>

/* Samples of a row that are added up at a time. */
enum { BLOCK = 64 };

static IC_ALWAYS_INLINE float within(float value, float most)
{
    value = value > 0 ? value : 0;
    return value < most ? value : most;
}

/* The same sums over bytes and over floats; inlined with a constant count in the fast case. */
#define MIX_BLOCK(taps, weights, rows, stride, count, most, y)                                     \
    do {                                                                                           \
        float sums[BLOCK];                                                                         \
        for (size_t i = 0; i < (count); i++)                                                       \
            sums[i] = (weights)[0] * (float)(rows)[i];                                             \
        for (int32_t k = 1; k < (taps); k++)                                                       \
            for (size_t i = 0; i < (count); i++)                                                   \
                sums[i] += (weights)[k] * (float)(rows)[(size_t)k * (stride) + i];                 \
        for (size_t i = 0; i < (count); i++)                                                       \
            (y)[i] = within(sums[i], most);                                                        \
    } while (0)

static void mix_rows_8(int32_t taps, const float *restrict weights, const uint8_t *restrict rows,
                       size_t stride, size_t count, float most, float *restrict y)
{
    size_t at = 0;
    for (; at + BLOCK <= count; at += BLOCK)
        MIX_BLOCK(taps, weights, rows + at, stride, (size_t)BLOCK, most, y + at);
    MIX_BLOCK(taps, weights, rows + at, stride, count - at, most, y + at);
}

static void mix_rows_float(int32_t taps, const float *restrict weights, const float *restrict rows,
                           size_t stride, size_t count, float most, float *restrict y)
{
    size_t at = 0;
    for (; at + BLOCK <= count; at += BLOCK)
        MIX_BLOCK(taps, weights, rows + at, stride, (size_t)BLOCK, most, y + at);
    MIX_BLOCK(taps, weights, rows + at, stride, count - at, most, y + at);
}

/* Four neighbouring floats: a pixel and the red of the next. */
typedef float quad __attribute__((vector_size(16)));

static IC_ALWAYS_INLINE quad load_quad(const float *p)
{
    quad value;
    memcpy(&value, p, sizeof value);
    return value;
}

static IC_ALWAYS_INLINE quad quad_of(float value)
{
    return (quad){value, value, value, value};
}

static void mix_columns_3(const ic_picture_taps *taps, int32_t left, const float *restrict row,
                          float most, float *restrict y)
{
    const float *weights = taps->weights;
    for (int32_t x = 0; x < taps->length; x++, weights += taps->most, y += 3) {
        const float *from = row + (size_t)(taps->first[x] - left) * 3;
        quad sum = quad_of(0);
        for (int32_t k = 0; k < taps->count[x]; k++)
            sum += quad_of(weights[k]) * load_quad(from + 3 * (size_t)k);
        for (int32_t c = 0; c < 4; c++)
            sum[c] = within(sum[c], most);
        memcpy(y, &sum, sizeof sum);
    }
}

static void round_8(size_t count, const float *restrict x, uint8_t *restrict y)
{
    for (size_t i = 0; i < count; i++)
        y[i] = (uint8_t)(int32_t)(x[i] + 0.5f);
}

const ic_picture_kernels IC_AT_LEVEL(ic_picture) = {
    .mix_rows_8 = mix_rows_8,
    .mix_rows_float = mix_rows_float,
    .mix_columns_3 = mix_columns_3,
    .round_8 = round_8,
};

/* kernels/ref/gemm_rows.c: what surrounds the micro-kernels, row by row. SPDX-License-Identifier:
 * MIT */
#include "kernels/gemm.h"
#include "kernels/ref/level.h"

static IC_ALWAYS_INLINE void copy_full(int64_t rows, int32_t width, const float *x, int64_t ldx,
                                       float *out)
{
    for (int64_t i = 0; i < rows; ++i, x += ldx, out += width) {
        IC_VECTOR_LOOP
        for (int32_t n = 0; n < width; ++n)
            out[n] = x[n];
    }
}

void IC_AT_LEVEL(ic_gemm_pack_panel)(int64_t rows, int32_t columns, int32_t width, const float *x,
                                     int64_t ldx, float *out)
{
    if (columns == 32 && width == 32) {
        copy_full(rows, 32, x, ldx, out);
        return;
    }
    if (columns == 16 && width == 16) {
        copy_full(rows, 16, x, ldx, out);
        return;
    }
    for (int64_t i = 0; i < rows; ++i, x += ldx, out += width) {
        for (int32_t n = 0; n < columns; ++n)
            out[n] = x[n];
        for (int32_t n = columns; n < width; ++n)
            out[n] = 0.0f;
    }
}

static IC_ALWAYS_INLINE void finish(int64_t rows, int32_t columns, int64_t ld, const float *bias,
                                    const float *residual, float floor, float *y)
{
    for (int64_t i = 0; i < rows; ++i) {
        IC_VECTOR_LOOP
        for (int32_t n = 0; n < columns; ++n) {
            float value = y[i * ld + n];
            if (bias != NULL)
                value += bias[n];
            if (residual != NULL)
                value += residual[i * ld + n];
            y[i * ld + n] = value < floor ? floor : value;
        }
    }
}

void IC_AT_LEVEL(ic_gemm_finish)(int64_t rows, int32_t columns, int64_t ld, const float *bias,
                                 const float *residual, float floor, float *y)
{
    if (residual == NULL && bias == NULL)
        finish(rows, columns, ld, NULL, NULL, floor, y);
    else if (residual == NULL)
        finish(rows, columns, ld, bias, NULL, floor, y);
    else if (bias == NULL)
        finish(rows, columns, ld, NULL, residual, floor, y);
    else
        finish(rows, columns, ld, bias, residual, floor, y);
}

/*
 * kernels/ref/squeeze.c: squeeze and excite (Hu, Shen, Sun 2017) over values that wait for their
 * scale, shift and activation. SPDX-License-Identifier: MIT
 */
#include "kernels/ref/activation.h"
#include "kernels/ref/rows.h"

static IC_ALWAYS_INLINE float value_of(ic_activation activation, bool scaled, float x, float scale,
                                       float shift)
{
    return ic_activation_value(activation, scaled ? IC_FMA(x, scale, shift) : x);
}

static IC_ALWAYS_INLINE void sum_rows(ic_activation activation, bool scaled, int64_t rows,
                                      int32_t c, const float *x, const float *scale,
                                      const float *shift, float *sum)
{
    float sum_room[IC_WIDE_ROW], scale_room[IC_WIDE_ROW], shift_room[IC_WIDE_ROW];
    const int32_t joined = ic_rows_joined(rows, c);
    float *s = joined == 1 ? sum : sum_room;
    const float *f = scaled ? ic_repeat(scale, c, joined, scale_room) : s;
    const float *o = scaled ? ic_repeat(shift, c, joined, shift_room) : s;
    const int64_t total = rows * c, wide = (int64_t)joined * c;
    for (int64_t i = 0; i < wide; i++)
        s[i] = 0.0f;
    int64_t at = 0;
    for (; at + 4 * wide <= total; at += 4 * wide) {
        const float *x0 = x + at, *x1 = x0 + wide, *x2 = x1 + wide, *x3 = x2 + wide;
        IC_VECTOR_LOOP
        for (int64_t i = 0; i < wide; i++)
            s[i] += (value_of(activation, scaled, x0[i], f[i], o[i]) +
                     value_of(activation, scaled, x1[i], f[i], o[i])) +
                    (value_of(activation, scaled, x2[i], f[i], o[i]) +
                     value_of(activation, scaled, x3[i], f[i], o[i]));
    }
    for (; at < total; at += wide) {
        const int64_t count = ic_smaller(wide, total - at);
        const float *x0 = x + at;
        IC_VECTOR_LOOP
        for (int64_t i = 0; i < count; i++)
            s[i] += value_of(activation, scaled, x0[i], f[i], o[i]);
    }
    ic_fold(s, c, joined, sum);
}

void IC_AT_LEVEL(ic_value_sum)(int64_t rows, int32_t c, const float *x, const float *scale,
                               const float *shift, ic_activation activation, float *sum)
{
#define SUM(constant)                                                                              \
    if (scale != NULL)                                                                             \
        sum_rows(constant, true, rows, c, x, scale, shift, sum);                                   \
    else                                                                                           \
        sum_rows(constant, false, rows, c, x, NULL, NULL, sum)
    IC_FOR_ACTIVATION(activation, SUM)
#undef SUM
}

/* kernels/ref/elementwise.c: sums, products and gates. SPDX-License-Identifier: MIT */
#include "kernels/ref/level.h"
#include "kernels/ref/rows.h"

void IC_AT_LEVEL(ic_add)(int64_t count, const float *a, const float *b, float *y)
{
    IC_VECTOR_LOOP
    for (int64_t i = 0; i < count; i++)
        y[i] = a[i] + b[i];
}

void IC_AT_LEVEL(ic_multiply)(int64_t count, const float *a, const float *b, float *y)
{
    IC_VECTOR_LOOP
    for (int64_t i = 0; i < count; i++)
        y[i] = a[i] * b[i];
}

void IC_AT_LEVEL(ic_accumulate)(int64_t count, const float *x, float *y)
{
    IC_VECTOR_LOOP
    for (int64_t i = 0; i < count; i++)
        y[i] += x[i];
}

void IC_AT_LEVEL(ic_scale)(int64_t count, float factor, const float *x, float *y)
{
    IC_VECTOR_LOOP
    for (int64_t i = 0; i < count; i++)
        y[i] = factor * x[i];
}

void IC_AT_LEVEL(ic_gate)(int64_t rows, int32_t c, const float *x, const float *gate, float *y)
{
    float room[IC_WIDE_ROW];
    const int32_t joined = ic_rows_joined(rows, c);
    const float *factor = ic_repeat(gate, c, joined, room);
    const int64_t total = rows * c, wide = (int64_t)joined * c;
    for (int64_t at = 0; at < total; at += wide) {
        const int64_t count = ic_smaller(wide, total - at);
        const float *from = x + at;
        float *to = y + at;
        IC_VECTOR_LOOP
        for (int64_t i = 0; i < count; i++)
            to[i] = from[i] * factor[i];
    }
}

void IC_AT_LEVEL(ic_gate_backward)(int64_t rows, int32_t c, const float *x, const float *d_y,
                                   float *d_gate)
{
    float room[IC_WIDE_ROW];
    const int32_t joined = ic_rows_joined(rows, c);
    float *sum = joined == 1 ? d_gate : room;
    const int64_t total = rows * c, wide = (int64_t)joined * c;
    for (int64_t i = 0; i < wide; i++)
        sum[i] = 0.0f;
    int64_t at = 0;
    for (; at + 4 * wide <= total; at += 4 * wide) {
        const float *x0 = x + at, *x1 = x0 + wide, *x2 = x1 + wide, *x3 = x2 + wide;
        const float *y0 = d_y + at, *y1 = y0 + wide, *y2 = y1 + wide, *y3 = y2 + wide;
        IC_VECTOR_LOOP
        for (int64_t i = 0; i < wide; i++) {
            const float low = IC_FMA(x1[i], y1[i], x0[i] * y0[i]);
            const float high = IC_FMA(x3[i], y3[i], x2[i] * y2[i]);
            sum[i] += low + high;
        }
    }
    for (; at < total; at += wide) {
        const int64_t count = ic_smaller(wide, total - at);
        const float *x0 = x + at, *y0 = d_y + at;
        IC_VECTOR_LOOP
        for (int64_t i = 0; i < count; i++)
            sum[i] = IC_FMA(x0[i], y0[i], sum[i]);
    }
    ic_fold_rows(sum, c, joined, d_gate);
}

/*
 * kernels/ref/squeeze.c: squeeze and excite (Hu, Shen, Sun 2017) over values that wait for their
 * scale, shift and activation. SPDX-License-Identifier: MIT
 */
#include "kernels/ref/activation.h"
#include "kernels/ref/rows.h"

static IC_ALWAYS_INLINE void sum_loop(ic_activation activation, int64_t first, int64_t last,
                                      const float *x, const float *scale, const float *shift,
                                      float *sum)
{
    IC_VECTOR_LOOP
    for (int64_t i = first; i < last; i++)
        sum[i] += ic_activation_value(activation, IC_FMA(x[i], scale[i], shift[i]));
}

static IC_NOINLINE void sum_row(ic_activation activation, int64_t count, const float *x,
                                const float *scale, const float *shift, float *sum)
{
#define SUM(constant, first, last) sum_loop(constant, first, last, x, scale, shift, sum)
    IC_FOR_ACTIVATIONS(IC_SQUEEZED_ACTIVATIONS, activation, count, SUM);
#undef SUM
}

static IC_ALWAYS_INLINE void plain_sum_loop(ic_activation activation, int64_t first, int64_t last,
                                            const float *x, float *sum)
{
    IC_VECTOR_LOOP
    for (int64_t i = first; i < last; i++)
        sum[i] += ic_activation_value(activation, x[i]);
}

static IC_NOINLINE void plain_sum_row(ic_activation activation, int64_t count, const float *x,
                                      float *sum)
{
#define SUM(constant, first, last) plain_sum_loop(constant, first, last, x, sum)
    IC_FOR_ACTIVATIONS(IC_SQUEEZED_ACTIVATIONS, activation, count, SUM);
#undef SUM
}

void IC_AT_LEVEL(ic_value_sum)(int64_t rows, int32_t c, const float *x, const float *scale,
                               const float *shift, ic_activation f, float *sum)
{
    float sum_room[IC_WIDE_ROW], scale_room[IC_WIDE_ROW], shift_room[IC_WIDE_ROW];
    const int32_t joined = ic_rows_joined(rows, c);
    float *s = joined == 1 ? sum : sum_room;
    const int64_t total = rows * c, wide = (int64_t)joined * c;
    for (int64_t i = 0; i < wide; i++)
        s[i] = 0.0f;
    if (scale == NULL) {
        for (int64_t at = 0; at < total; at += wide)
            plain_sum_row(f, ic_smaller(wide, total - at), x + at, s);
    } else {
        const float *factor = ic_repeat(scale, c, joined, scale_room);
        const float *offset = ic_repeat(shift, c, joined, shift_room);
        for (int64_t at = 0; at < total; at += wide)
            sum_row(f, ic_smaller(wide, total - at), x + at, factor, offset, s);
    }
    ic_fold_rows(s, c, joined, sum);
}

static IC_ALWAYS_INLINE void gate_loop(ic_activation activation, int64_t first, int64_t last,
                                       const float *x, const float *scale, const float *shift,
                                       const float *gate, float *y)
{
    IC_VECTOR_LOOP
    for (int64_t i = first; i < last; i++)
        y[i] = ic_activation_value(activation, IC_FMA(x[i], scale[i], shift[i])) * gate[i];
}

static IC_NOINLINE void gate_row(ic_activation activation, int64_t count, const float *x,
                                 const float *scale, const float *shift, const float *gate,
                                 float *y)
{
#define GATE(constant, first, last) gate_loop(constant, first, last, x, scale, shift, gate, y)
    IC_FOR_ACTIVATIONS(IC_SQUEEZED_ACTIVATIONS, activation, count, GATE);
#undef GATE
}

void IC_AT_LEVEL(ic_value_gate)(int64_t rows, int32_t c, const float *x, const float *scale,
                                const float *shift, ic_activation f, const float *gate, float *y)
{
    float scale_room[IC_WIDE_ROW], shift_room[IC_WIDE_ROW], gate_room[IC_WIDE_ROW];
    const int32_t joined = ic_rows_joined(rows, c);
    const float *factor = ic_repeat(scale, c, joined, scale_room);
    const float *offset = ic_repeat(shift, c, joined, shift_room);
    const float *g = ic_repeat(gate, c, joined, gate_room);
    const int64_t total = rows * c, wide = (int64_t)joined * c;
    for (int64_t at = 0; at < total; at += wide)
        gate_row(f, ic_smaller(wide, total - at), x + at, factor, offset, g, y + at);
}

/* Adds to the five sums, each `wide` long. */
static IC_ALWAYS_INLINE void squeeze_loop(ic_activation activation, int64_t wide, int64_t first,
                                          int64_t last, const float *x, const float *d_y,
                                          const float *scale, const float *shift, const float *mean,
                                          float *sums)
{
    float *s0 = sums, *s1 = s0 + wide, *s2 = s1 + wide, *s3 = s2 + wide, *s4 = s3 + wide;
    IC_VECTOR_LOOP
    for (int64_t i = first; i < last; i++) {
        const float z = IC_FMA(x[i], scale[i], shift[i]), away = x[i] - mean[i];
        const float slope = ic_activation_gradient(activation, z, 1.0f);
        const float d_z = d_y[i] * slope;
        s0[i] = IC_FMA(d_y[i], ic_activation_value(activation, z), s0[i]);
        s1[i] += d_z;
        s2[i] = IC_FMA(d_z, away, s2[i]);
        s3[i] += slope;
        s4[i] = IC_FMA(slope, away, s4[i]);
    }
}

static IC_NOINLINE void squeeze_row(ic_activation activation, int64_t wide, int64_t count,
                                    const float *x, const float *d_y, const float *scale,
                                    const float *shift, const float *mean, float *sums)
{
#define SUMS(constant, first, last)                                                                \
    squeeze_loop(constant, wide, first, last, x, d_y, scale, shift, mean, sums)
    IC_FOR_ACTIVATIONS(IC_SQUEEZED_ACTIVATIONS, activation, count, SUMS);
#undef SUMS
}

void IC_AT_LEVEL(ic_squeeze_sums)(ic_activation f, int64_t rows, int32_t c, const float *x,
                                  const float *d_y, const float *scale, const float *shift,
                                  const float *mean, float *sums)
{
    float scale_room[IC_WIDE_ROW], shift_room[IC_WIDE_ROW], mean_room[IC_WIDE_ROW];
    float sum_room[IC_SQUEEZE_SUMS * IC_WIDE_ROW];
    const int32_t joined = ic_rows_joined(rows, c);
    const float *factor = ic_repeat(scale, c, joined, scale_room);
    const float *offset = ic_repeat(shift, c, joined, shift_room);
    const float *centre = ic_repeat(mean, c, joined, mean_room);
    float *s = joined == 1 ? sums : sum_room;
    const int64_t total = rows * c, wide = (int64_t)joined * c;
    for (int64_t i = 0; i < IC_SQUEEZE_SUMS * wide; i++)
        s[i] = 0.0f;
    for (int64_t at = 0; at < total; at += wide)
        squeeze_row(f, wide, ic_smaller(wide, total - at), x + at, d_y + at, factor, offset, centre,
                    s);
    for (int32_t k = 0; k < IC_SQUEEZE_SUMS; k++)
        ic_fold_rows(s + k * wide, c, joined, sums + (int64_t)k * c);
}

static IC_ALWAYS_INLINE void slope_loop(ic_activation activation, int64_t first, int64_t last,
                                        const float *x, const float *d_y,
                                        const ic_squeeze_slopes *p, float *d_x)
{
    const float *scale = p->scale, *shift = p->shift, *factor = p->factor, *offset = p->offset;
    const float *b = p->b, *e = p->e;
    IC_VECTOR_LOOP
    for (int64_t i = first; i < last; i++) {
        const float z = IC_FMA(x[i], scale[i], shift[i]);
        const float d = IC_FMA(factor[i], d_y[i], offset[i]);
        d_x[i] = ic_activation_gradient(activation, z, d) + IC_FMA(b[i], x[i], e[i]);
    }
}

static IC_NOINLINE void slope_row(ic_activation activation, int64_t count, const float *x,
                                  const float *d_y, const ic_squeeze_slopes *slopes, float *d_x)
{
#define SLOPES(constant, first, last) slope_loop(constant, first, last, x, d_y, slopes, d_x)
    IC_FOR_ACTIVATIONS(IC_SQUEEZED_ACTIVATIONS, activation, count, SLOPES);
#undef SLOPES
}

void IC_AT_LEVEL(ic_squeeze_backward)(ic_activation f, int64_t rows, int32_t c, const float *x,
                                      const float *d_y, const ic_squeeze_slopes *slopes, float *d_x)
{
    float room[6][IC_WIDE_ROW];
    const int32_t joined = ic_rows_joined(rows, c);
    const ic_squeeze_slopes repeated = {
        .scale = ic_repeat(slopes->scale, c, joined, room[0]),
        .shift = ic_repeat(slopes->shift, c, joined, room[1]),
        .factor = ic_repeat(slopes->factor, c, joined, room[2]),
        .offset = ic_repeat(slopes->offset, c, joined, room[3]),
        .b = ic_repeat(slopes->b, c, joined, room[4]),
        .e = ic_repeat(slopes->e, c, joined, room[5]),
    };
    const int64_t total = rows * c, wide = (int64_t)joined * c;
    for (int64_t at = 0; at < total; at += wide)
        slope_row(f, ic_smaller(wide, total - at), x + at, d_y + at, &repeated, d_x + at);
}

/*
 * kernels/ref/squeeze.c: squeeze and excite (Hu, Shen, Sun 2017) over values that wait for their
 * scale, shift and activation. SPDX-License-Identifier: MIT
 */
#include "kernels/ref/activation.h"
#include "kernels/ref/rows.h"

/* A loop for each activation, but where the code is to be small. */
#if defined(IC_SMALL)
#define EACH_ACTIVATION(kind, CALL) CALL(kind)
#else
/* Loops of their own for what stands before squeeze and excite in the stock networks. */
#define EACH_ACTIVATION(kind, CALL)                                                                \
    switch (kind) {                                                                                \
    case IC_ACTIVATION_RELU:                                                                       \
        CALL(IC_ACTIVATION_RELU);                                                                  \
        break;                                                                                     \
    case IC_ACTIVATION_SILU:                                                                       \
        CALL(IC_ACTIVATION_SILU);                                                                  \
        break;                                                                                     \
    case IC_ACTIVATION_HARD_SWISH:                                                                 \
        CALL(IC_ACTIVATION_HARD_SWISH);                                                            \
        break;                                                                                     \
    default:                                                                                       \
        CALL(kind);                                                                                \
        break;                                                                                     \
    }
#endif

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
    for (int64_t at = 0; at < total; at += wide) {
        const int64_t count = ic_smaller(wide, total - at);
        const float *from = x + at;
        IC_VECTOR_LOOP
        for (int64_t i = 0; i < count; i++)
            s[i] += value_of(activation, scaled, from[i], f[i], o[i]);
    }
    ic_fold(s, c, joined, sum);
}

void IC_AT_LEVEL(ic_value_sum)(int64_t rows, int32_t c, const float *x, const float *scale,
                               const float *shift, ic_activation f, float *sum)
{
#define SUM(constant)                                                                              \
    if (scale != NULL)                                                                             \
        sum_rows(constant, true, rows, c, x, scale, shift, sum);                                   \
    else                                                                                           \
        sum_rows(constant, false, rows, c, x, NULL, NULL, sum)
    EACH_ACTIVATION(f, SUM);
#undef SUM
}

static IC_ALWAYS_INLINE void gate_rows(ic_activation activation, int64_t rows, int32_t c,
                                       const float *x, const float *scale, const float *shift,
                                       const float *gate, float *y)
{
    float scale_room[IC_WIDE_ROW], shift_room[IC_WIDE_ROW], gate_room[IC_WIDE_ROW];
    const int32_t joined = ic_rows_joined(rows, c);
    const float *f = ic_repeat(scale, c, joined, scale_room);
    const float *o = ic_repeat(shift, c, joined, shift_room);
    const float *g = ic_repeat(gate, c, joined, gate_room);
    const int64_t total = rows * c, wide = (int64_t)joined * c;
    for (int64_t at = 0; at < total; at += wide) {
        const int64_t count = ic_smaller(wide, total - at);
        const float *from = x + at;
        float *to = y + at;
        IC_VECTOR_LOOP
        for (int64_t i = 0; i < count; i++)
            to[i] = value_of(activation, true, from[i], f[i], o[i]) * g[i];
    }
}

void IC_AT_LEVEL(ic_value_gate)(int64_t rows, int32_t c, const float *x, const float *scale,
                                const float *shift, ic_activation f, const float *gate, float *y)
{
#define GATE(constant) gate_rows(constant, rows, c, x, scale, shift, gate, y)
    EACH_ACTIVATION(f, GATE);
#undef GATE
}

/* Adds to the five sums, each `wide` long. */
static IC_ALWAYS_INLINE void add_squeezed(ic_activation activation, int64_t wide, int64_t count,
                                          const float *x, const float *d_y, const float *f,
                                          const float *o, const float *m, float *sums)
{
    float *s0 = sums, *s1 = s0 + wide, *s2 = s1 + wide, *s3 = s2 + wide, *s4 = s3 + wide;
    IC_VECTOR_LOOP
    for (int64_t i = 0; i < count; i++) {
        const float z = IC_FMA(x[i], f[i], o[i]), away = x[i] - m[i];
        const float slope = ic_activation_gradient(activation, z, 1.0f);
        const float d_z = d_y[i] * slope;
        s0[i] = IC_FMA(d_y[i], ic_activation_value(activation, z), s0[i]);
        s1[i] += d_z;
        s2[i] = IC_FMA(d_z, away, s2[i]);
        s3[i] += slope;
        s4[i] = IC_FMA(slope, away, s4[i]);
    }
}

static IC_ALWAYS_INLINE void sum_squeezed(ic_activation activation, int64_t rows, int32_t c,
                                          const float *x, const float *d_y, const float *scale,
                                          const float *shift, const float *mean, float *sums)
{
    float scale_room[IC_WIDE_ROW], shift_room[IC_WIDE_ROW], mean_room[IC_WIDE_ROW];
    float sum_room[IC_SQUEEZE_SUMS * IC_WIDE_ROW];
    const int32_t joined = ic_rows_joined(rows, c);
    const float *f = ic_repeat(scale, c, joined, scale_room);
    const float *o = ic_repeat(shift, c, joined, shift_room);
    const float *m = ic_repeat(mean, c, joined, mean_room);
    float *s = joined == 1 ? sums : sum_room;
    const int64_t total = rows * c, wide = (int64_t)joined * c;
    for (int64_t i = 0; i < IC_SQUEEZE_SUMS * wide; i++)
        s[i] = 0.0f;
    for (int64_t at = 0; at < total; at += wide)
        add_squeezed(activation, wide, ic_smaller(wide, total - at), x + at, d_y + at, f, o, m, s);
    for (int32_t k = 0; k < IC_SQUEEZE_SUMS; k++)
        ic_fold(s + k * wide, c, joined, sums + (int64_t)k * c);
}

void IC_AT_LEVEL(ic_squeeze_sums)(ic_activation f, int64_t rows, int32_t c, const float *x,
                                  const float *d_y, const float *scale, const float *shift,
                                  const float *mean, float *sums)
{
#define SUMS(constant) sum_squeezed(constant, rows, c, x, d_y, scale, shift, mean, sums)
    EACH_ACTIVATION(f, SUMS);
#undef SUMS
}

static IC_ALWAYS_INLINE void slope_rows(ic_activation activation, int64_t rows, int32_t c,
                                        const float *x, const float *d_y,
                                        const ic_squeeze_slopes *p, float *d_x)
{
    float room[6][IC_WIDE_ROW];
    const int32_t joined = ic_rows_joined(rows, c);
    const float *f = ic_repeat(p->scale, c, joined, room[0]);
    const float *o = ic_repeat(p->shift, c, joined, room[1]);
    const float *factor = ic_repeat(p->factor, c, joined, room[2]);
    const float *offset = ic_repeat(p->offset, c, joined, room[3]);
    const float *b = ic_repeat(p->b, c, joined, room[4]);
    const float *e = ic_repeat(p->e, c, joined, room[5]);
    const int64_t total = rows * c, wide = (int64_t)joined * c;
    for (int64_t at = 0; at < total; at += wide) {
        const int64_t count = ic_smaller(wide, total - at);
        const float *from_x = x + at, *from_d = d_y + at;
        float *to = d_x + at;
        IC_VECTOR_LOOP
        for (int64_t i = 0; i < count; i++) {
            const float z = IC_FMA(from_x[i], f[i], o[i]);
            const float d = IC_FMA(factor[i], from_d[i], offset[i]);
            to[i] = ic_activation_gradient(activation, z, d) + IC_FMA(b[i], from_x[i], e[i]);
        }
    }
}

void IC_AT_LEVEL(ic_squeeze_backward)(ic_activation f, int64_t rows, int32_t c, const float *x,
                                      const float *d_y, const ic_squeeze_slopes *slopes, float *d_x)
{
#define SLOPES(constant) slope_rows(constant, rows, c, x, d_y, slopes, d_x)
    EACH_ACTIVATION(f, SLOPES);
#undef SLOPES
}

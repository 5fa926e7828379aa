/*
 * kernels/ref/norm.c: per-channel sums and affine maps over [rows][c]. SPDX-License-Identifier: MIT
 *
 * Batch normalisation (Ioffe, Szegedy 2015) over the rows, y = g (x - m) / s + o with mean m and
 * s^2 = variance + epsilon, is affine() with scale = g/s, shift = o - m g/s. Its gradient with sums
 * S = sum d_y and D = sum d_y (x - m) over N rows is d_x = (g/s) (d_y - S/N - (x - m) D / (N s^2)):
 * norm_backward() with a = g/s, b = -a D / (N s^2), e = -a S/N - b m.
 *
 * Sums take four wide rows at a time, so that the running sums are read and written once for four.
 */
#include "kernels/ref/activation.h"
#include "kernels/ref/rows.h"

void IC_AT_LEVEL(ic_channel_sums)(int64_t rows, int32_t c, const float *x, float *sum,
                                  float *square_sum)
{
    float sum_room[IC_WIDE_ROW], square_room[IC_WIDE_ROW];
    const int32_t joined = ic_rows_joined(rows, c);
    float *s = joined == 1 ? sum : sum_room, *q = joined == 1 ? square_sum : square_room;
    const int64_t total = rows * c, wide = (int64_t)joined * c;
    for (int64_t i = 0; i < wide; i++)
        s[i] = q[i] = 0.0f;
    int64_t at = 0;
    for (; at + 4 * wide <= total; at += 4 * wide) {
        const float *x0 = x + at, *x1 = x0 + wide, *x2 = x1 + wide, *x3 = x2 + wide;
        IC_VECTOR_LOOP
        for (int64_t i = 0; i < wide; i++) {
            s[i] += (x0[i] + x1[i]) + (x2[i] + x3[i]);
            const float low = IC_FMA(x1[i], x1[i], x0[i] * x0[i]);
            const float high = IC_FMA(x3[i], x3[i], x2[i] * x2[i]);
            q[i] += low + high;
        }
    }
    for (; at < total; at += wide) {
        const int64_t count = ic_smaller(wide, total - at);
        const float *x0 = x + at;
        IC_VECTOR_LOOP
        for (int64_t i = 0; i < count; i++) {
            s[i] += x0[i];
            q[i] = IC_FMA(x0[i], x0[i], q[i]);
        }
    }
    ic_fold_rows(s, c, joined, sum);
    ic_fold_rows(q, c, joined, square_sum);
}

void IC_AT_LEVEL(ic_channel_sum)(int64_t rows, int32_t c, const float *x, float *sum)
{
    float room[IC_WIDE_ROW];
    const int32_t joined = ic_rows_joined(rows, c);
    float *s = joined == 1 ? sum : room;
    const int64_t total = rows * c, wide = (int64_t)joined * c;
    for (int64_t i = 0; i < wide; i++)
        s[i] = 0.0f;
    int64_t at = 0;
    for (; at + 4 * wide <= total; at += 4 * wide) {
        const float *x0 = x + at, *x1 = x0 + wide, *x2 = x1 + wide, *x3 = x2 + wide;
        IC_VECTOR_LOOP
        for (int64_t i = 0; i < wide; i++)
            s[i] += (x0[i] + x1[i]) + (x2[i] + x3[i]);
    }
    for (; at < total; at += wide) {
        const int64_t count = ic_smaller(wide, total - at);
        const float *x0 = x + at;
        IC_VECTOR_LOOP
        for (int64_t i = 0; i < count; i++)
            s[i] += x0[i];
    }
    ic_fold_rows(s, c, joined, sum);
}

static IC_ALWAYS_INLINE void affine_loop(ic_activation activation, int64_t first, int64_t last,
                                         const float *x, const float *scale, const float *shift,
                                         float *y)
{
    if (IC_IS_CLAMP(activation)) {
        for (int64_t i = first; i < last; i += IC_LANES)
            ic_store(y + i, ic_clamp_vector(activation, ic_fused(ic_load(x + i), ic_load(scale + i),
                                                                 ic_load(shift + i))));
        return;
    }
    IC_VECTOR_LOOP
    for (int64_t i = first; i < last; i++)
        y[i] = ic_activation_value(activation, IC_FMA(x[i], scale[i], shift[i]));
}

static IC_NOINLINE void affine_row(ic_activation activation, int64_t count, const float *x,
                                   const float *scale, const float *shift, float *y)
{
#define AFFINE(constant, first, last) affine_loop(constant, first, last, x, scale, shift, y)
    IC_FOR_ACTIVATIONS(IC_NORM_ACTIVATIONS, activation, count, AFFINE);
#undef AFFINE
}

void IC_AT_LEVEL(ic_affine)(int64_t rows, int32_t c, const float *x, const float *scale,
                            const float *shift, ic_activation activation, float *y)
{
    float scale_room[IC_WIDE_ROW], shift_room[IC_WIDE_ROW];
    const int32_t joined = ic_rows_joined(rows, c);
    const float *factor = ic_repeat(scale, c, joined, scale_room);
    const float *offset = ic_repeat(shift, c, joined, shift_room);
    const int64_t total = rows * c, wide = (int64_t)joined * c;
    for (int64_t at = 0; at < total; at += wide)
        affine_row(activation, ic_smaller(wide, total - at), x + at, factor, offset, y + at);
}

static IC_ALWAYS_INLINE void gradient_loop(ic_activation activation, int64_t first, int64_t last,
                                           const float *x, const float *scale, const float *shift,
                                           const float *mean, const float *d_y, float *d,
                                           float *sum, float *dot)
{
    IC_VECTOR_LOOP
    for (int64_t i = first; i < last; i++) {
        const float value =
            ic_activation_gradient(activation, IC_FMA(x[i], scale[i], shift[i]), d_y[i]);
        sum[i] += value;
        dot[i] = IC_FMA(value, x[i] - mean[i], dot[i]);
        if (activation != IC_ACTIVATION_NONE)
            d[i] = value;
    }
}

static IC_NOINLINE void gradient_row(ic_activation activation, int64_t count, const float *x,
                                     const float *scale, const float *shift, const float *mean,
                                     const float *d_y, float *d, float *sum, float *dot)
{
#define GRADIENT(constant, first, last)                                                            \
    gradient_loop(constant, first, last, x, scale, shift, mean, d_y, d, sum, dot)
    IC_FOR_ACTIVATIONS(IC_NORM_ACTIVATIONS, activation, count, GRADIENT);
#undef GRADIENT
}

/* Rows that lie side by side are joined; others are taken one by one. */
void IC_AT_LEVEL(ic_norm_gradient)(int64_t rows, int32_t c, int64_t ld, const float *x,
                                   const float *scale, const float *shift, const float *mean,
                                   ic_activation activation, const float *d_y, float *d, float *sum,
                                   float *dot)
{
    float scale_room[IC_WIDE_ROW], shift_room[IC_WIDE_ROW], mean_room[IC_WIDE_ROW];
    float sum_room[IC_WIDE_ROW], dot_room[IC_WIDE_ROW];
    const int32_t joined = ld == c ? ic_rows_joined(rows, c) : 1;
    const float *factor = ic_repeat(scale, c, joined, scale_room);
    const float *offset = ic_repeat(shift, c, joined, shift_room);
    const float *centre = ic_repeat(mean, c, joined, mean_room);
    float *s = joined == 1 ? sum : sum_room, *q = joined == 1 ? dot : dot_room;
    for (int64_t i = 0; joined > 1 && i < (int64_t)joined * c; i++) {
        s[i] = i < c ? sum[i] : 0.0f;
        q[i] = i < c ? dot[i] : 0.0f;
    }
    for (int64_t row = 0; row < rows; row += joined) {
        const int64_t at = row * ld;
        gradient_row(activation, ic_smaller(joined, rows - row) * c, x + at, factor, offset, centre,
                     d_y + at, d + at, s, q);
    }
    ic_fold_rows(s, c, joined, sum);
    ic_fold_rows(q, c, joined, dot);
}

void IC_AT_LEVEL(ic_norm_backward)(int64_t rows, int32_t c, const float *x, const float *d_y,
                                   const float *a, const float *b, const float *e, float *d_x)
{
    float a_room[IC_WIDE_ROW], b_room[IC_WIDE_ROW], e_room[IC_WIDE_ROW];
    const int32_t joined = ic_rows_joined(rows, c);
    const float *wide_a = ic_repeat(a, c, joined, a_room);
    const float *wide_b = ic_repeat(b, c, joined, b_room);
    const float *wide_e = ic_repeat(e, c, joined, e_room);
    const int64_t total = rows * c, wide = (int64_t)joined * c;
    for (int64_t at = 0; at < total; at += wide) {
        const int64_t count = ic_smaller(wide, total - at);
        const float *from_x = x + at, *from_d = d_y + at;
        float *to = d_x + at;
        IC_VECTOR_LOOP
        for (int64_t i = 0; i < count; i++)
            to[i] = IC_FMA(wide_a[i], from_d[i], IC_FMA(wide_b[i], from_x[i], wide_e[i]));
    }
}

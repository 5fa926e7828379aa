/*
 * kernels/winograd.c: the transforms of tiles, see kernels/winograd.h, with the channels in
 * vectors; compiled once per CPU level. Each is two passes of a one-dimensional one, down the
 * columns and along the rows of a tile. SPDX-License-Identifier: MIT
 */
#include "kernels/winograd.h"
#include "kernels/ref/level.h"
#include "kernels/vector.h"

enum { IN_MAX = IC_WINOGRAD_IN_MAX, OUT_MAX = IC_WINOGRAD_OUT_MAX };

/*
 * Whole tiles in registers, a copy of the code for each way to read or to write them; or, where
 * there are not the registers for it, one copy that looks which way it is.
 */
#if defined(IC_SMALL)
#define TILE_FUNCTION static __attribute__((noinline))
#else
#define TILE_FUNCTION IC_VECTOR_INLINE
#endif

/* ---- Lines of a tile of 4x4 outputs ---- */

#define HALF_ROOT 0.70710678118654752f

/* B^T d: the six values d[0], d[stride], … */
IC_VECTOR_INLINE void input_line_of_4(const ic_vector *d, int stride, ic_vector *out,
                                      int out_stride)
{
    const ic_vector sum = ic_constant(-2.5f), two = ic_constant(-2), half = ic_constant(-0.5f);
    const ic_vector root = ic_constant(IC_WINOGRAD_ROOT), half_root = ic_constant(HALF_ROOT);
    ic_vector d0 = d[0], d1 = d[stride], d2 = d[2 * stride], d3 = d[3 * stride], d4 = d[4 * stride],
              d5 = d[5 * stride];
    ic_vector even = ic_fused(two, d2, d4), odd = ic_fused(two, d1, d3);
    ic_vector far_even = ic_fused(half, d2, d4), far_odd = ic_fused(half, d1, d3);
    out[0] = ic_fused(sum, d2, d0 + d4);
    out[out_stride] = ic_fused(half_root, odd, even);
    out[2 * out_stride] = ic_fused(-half_root, odd, even);
    out[3 * out_stride] = ic_fused(root, far_odd, far_even);
    out[4 * out_stride] = ic_fused(-root, far_odd, far_even);
    out[5 * out_stride] = ic_fused(sum, d3, d1 + d5);
}

/* A^T m: four values out of six. */
IC_VECTOR_INLINE void output_line_of_4(const ic_vector *m, int stride, ic_vector *out,
                                       int out_stride)
{
    const ic_vector half = ic_constant(0.5f), two = ic_constant(2),
                    half_root = ic_constant(HALF_ROOT);
    const ic_vector quarter_root = ic_constant(HALF_ROOT / 2), eight = ic_constant(8);
    ic_vector m0 = m[0], m1 = m[stride], m2 = m[2 * stride], m3 = m[3 * stride], m4 = m[4 * stride],
              m5 = m[5 * stride];
    ic_vector even = m1 + m2, odd = m1 - m2, far_even = m3 + m4, far_odd = m3 - m4;
    out[0] = (m0 + even) + far_even;
    out[out_stride] = half_root * ic_fused(two, far_odd, odd);
    out[2 * out_stride] = ic_fused(two, far_even, half * even);
    out[3 * out_stride] = ic_fused(quarter_root, ic_fused(eight, far_odd, odd), m5);
}

/* A y: six values out of four. */
IC_VECTOR_INLINE void gradient_line_of_4(const ic_vector *y, int stride, ic_vector *out,
                                         int out_stride)
{
    const ic_vector half = ic_constant(0.5f), two = ic_constant(2);
    const ic_vector root = ic_constant(IC_WINOGRAD_ROOT), half_root = ic_constant(HALF_ROOT);
    ic_vector y0 = y[0], y1 = y[stride], y2 = y[2 * stride], y3 = y[3 * stride];
    ic_vector even = ic_fused(half, y2, y0), odd = ic_fused(half, y3, y1);
    ic_vector far_even = ic_fused(two, y2, y0), far_odd = ic_fused(two, y3, y1);
    out[0] = y0;
    out[out_stride] = ic_fused(half_root, odd, even);
    out[2 * out_stride] = ic_fused(-half_root, odd, even);
    out[3 * out_stride] = ic_fused(root, far_odd, far_even);
    out[4 * out_stride] = ic_fused(-root, far_odd, far_even);
    out[5 * out_stride] = y3;
}

/* ---- Lines of a tile of 3x3 outputs ---- */

static const float square_p = IC_WINOGRAD_P * IC_WINOGRAD_P;
static const float square_q = IC_WINOGRAD_Q * IC_WINOGRAD_Q;

/* B^T d: five values. */
IC_VECTOR_INLINE void input_line_of_3(const ic_vector *d, int stride, ic_vector *out,
                                      int out_stride)
{
    const ic_vector p = ic_constant(IC_WINOGRAD_P), q = ic_constant(IC_WINOGRAD_Q);
    const ic_vector minus_pp = ic_constant(-square_p), minus_qq = ic_constant(-square_q);
    const ic_vector sum = ic_constant(-square_p - square_q);
    const ic_vector product = ic_constant(square_p * square_q);
    ic_vector d0 = d[0], d1 = d[stride], d2 = d[2 * stride], d3 = d[3 * stride], d4 = d[4 * stride];
    ic_vector odd = ic_fused(minus_qq, d1, d3), even = p * ic_fused(minus_qq, d0, d2);
    ic_vector far_odd = ic_fused(minus_pp, d1, d3), far_even = q * ic_fused(minus_pp, d0, d2);
    out[0] = odd + even;
    out[out_stride] = odd - even;
    out[2 * out_stride] = far_odd + far_even;
    out[3 * out_stride] = far_odd - far_even;
    out[4 * out_stride] = ic_fused(product, d0, ic_fused(sum, d2, d4));
}

/* A^T m: three values out of five. */
IC_VECTOR_INLINE void output_line_of_3(const ic_vector *m, int stride, ic_vector *out,
                                       int out_stride)
{
    const ic_vector p = ic_constant(IC_WINOGRAD_P), q = ic_constant(IC_WINOGRAD_Q);
    const ic_vector pp = ic_constant(square_p), qq = ic_constant(square_q);
    ic_vector m0 = m[0], m1 = m[stride], m2 = m[2 * stride], m3 = m[3 * stride], m4 = m[4 * stride];
    ic_vector even = m0 + m1, odd = m0 - m1, far_even = m2 + m3, far_odd = m2 - m3;
    out[0] = even + far_even;
    out[out_stride] = ic_fused(q, far_odd, p * odd);
    out[2 * out_stride] = ic_fused(qq, far_even, ic_fused(pp, even, m4));
}

/* A y: five values out of three. */
IC_VECTOR_INLINE void gradient_line_of_3(const ic_vector *y, int stride, ic_vector *out,
                                         int out_stride)
{
    const ic_vector p = ic_constant(IC_WINOGRAD_P), q = ic_constant(IC_WINOGRAD_Q);
    const ic_vector pp = ic_constant(square_p), qq = ic_constant(square_q);
    ic_vector y0 = y[0], y1 = y[stride], y2 = y[2 * stride];
    ic_vector even = ic_fused(pp, y2, y0), far_even = ic_fused(qq, y2, y0);
    ic_vector odd = p * y1, far_odd = q * y1;
    out[0] = even + odd;
    out[out_stride] = even - odd;
    out[2 * out_stride] = far_even + far_odd;
    out[3 * out_stride] = far_even - far_odd;
    out[4 * out_stride] = y2;
}

/* ---- Tiles of either size: `size` outputs on each side ---- */

IC_VECTOR_INLINE void input_line(const int size, const ic_vector *d, int stride, ic_vector *out,
                                 int out_stride)
{
    if (size == 4)
        input_line_of_4(d, stride, out, out_stride);
    else
        input_line_of_3(d, stride, out, out_stride);
}

IC_VECTOR_INLINE void output_line(const int size, const ic_vector *m, int stride, ic_vector *out,
                                  int out_stride)
{
    if (size == 4)
        output_line_of_4(m, stride, out, out_stride);
    else
        output_line_of_3(m, stride, out, out_stride);
}

IC_VECTOR_INLINE void gradient_line(const int size, const ic_vector *y, int stride, ic_vector *out,
                                    int out_stride)
{
    if (size == 4)
        gradient_line_of_4(y, stride, out, out_stride);
    else
        gradient_line_of_3(y, stride, out, out_stride);
}

/*
 * Where reading by a mask costs more than reading all lanes, the last channels of the pixels of a
 * tile are brought to whole vectors first, so that one copy of the transforms does.
 */
typedef struct last_channels {
    float values[IN_MAX * IN_MAX][IC_LANES];
    const float *pixels[IN_MAX * IN_MAX];
} last_channels;

static __attribute__((noinline, unused)) const float *const *copy_last(last_channels *out,
                                                                       int count,
                                                                       const float *const *pixels,
                                                                       int64_t c, ic_mask mask)
{
    for (int i = 0; i < count; ++i) {
        ic_store(out->values[i], ic_load_part(pixels[i] + c, mask));
        out->pixels[i] = out->values[i];
    }
    return out->pixels;
}

IC_VECTOR_INLINE ic_vector load_pixel(const float *x, ic_mask mask)
{
    return IC_MASKS_ARE_FREE ? ic_load_part(x, mask) : ic_load(x);
}

/* One vector of channels of a pixel, through the prologue if `changed`; inside NULL: it is. */
IC_VECTOR_INLINE ic_vector read_pixel(const bool changed, const ic_winograd_input *p,
                                      ic_vector scale, ic_vector shift, const float *x,
                                      ic_mask mask, const float *inside)
{
    ic_vector value = load_pixel(x, mask);
    if (!changed)
        return value;
    value = ic_fused(value, scale, shift);
    value = ic_least(ic_broadcast(&p->high), ic_most(ic_broadcast(&p->low), value));
    if (inside != NULL)
        value *= ic_broadcast(inside);
    return value;
}

/* The vector of channels from c on; those of the pixels lie from `at` on. */
TILE_FUNCTION void input_vector(const int size, const bool changed, const bool border,
                                const ic_winograd_input *p, int64_t c, ic_mask mask,
                                const float *const *pixels, int64_t at, const float *inside,
                                float *v)
{
    const int in = size + 2;
    ic_vector t[IN_MAX * IN_MAX];
    ic_vector scale = ic_zero(), shift = ic_zero();
    if (changed) {
        scale = ic_load_part(p->scale + c, mask);
        shift = ic_load_part(p->shift + c, mask);
    }
    IC_UNROLL
    for (int j = 0; j < in; ++j) {
        ic_vector d[IN_MAX];
        IC_UNROLL
        for (int i = 0; i < in; ++i)
            d[i] = read_pixel(changed, p, scale, shift, pixels[i * in + j] + at, mask,
                              border ? inside + i * in + j : NULL);
        input_line(size, d, 1, t + j, in);
    }
    IC_UNROLL
    for (int i = 0; i < in; ++i) {
        ic_vector out[IN_MAX];
        input_line(size, t + i * in, 1, out, 1);
        IC_UNROLL
        for (int j = 0; j < in; ++j)
            ic_store(v + (i * in + j) * p->tap_stride + c, out[j]);
    }
}

IC_VECTOR_INLINE void input_tile(const int size, const bool changed, const bool border,
                                 const ic_winograd_input *p, const float *const *pixels,
                                 const float *inside, float *v)
{
    last_channels last;
    for (int64_t c = 0, at = 0; c < p->c; c += IC_LANES, at = c) {
        const ic_mask mask = ic_mask_of(p->c - c);
        if (!IC_MASKS_ARE_FREE && c + IC_LANES > p->c) {
            pixels = copy_last(&last, (size + 2) * (size + 2), pixels, c, mask);
            at = 0;
        }
        input_vector(size, changed, border, p, c, mask, pixels, at, inside, v);
    }
}

IC_VECTOR_INLINE void input(const int size, const ic_winograd_input *p, bool whole,
                            const float *const *pixels, const float *inside, float *v)
{
    if (p->scale == NULL)
        input_tile(size, false, false, p, pixels, inside, v);
    else if (whole && size == 4) /* most tiles of 3x3 are at a border: one copy does */
        input_tile(size, true, false, p, pixels, inside, v);
    else
        input_tile(size, true, true, p, pixels, inside, v);
}

TILE_FUNCTION void gradient_vector(const int size, int64_t tap_stride, ic_mask mask,
                                   const float *const *pixels, int64_t at, float *w)
{
    const int in = size + 2;
    ic_vector t[IN_MAX * OUT_MAX];
    IC_UNROLL
    for (int j = 0; j < size; ++j) {
        ic_vector d[OUT_MAX];
        IC_UNROLL
        for (int i = 0; i < size; ++i)
            d[i] = load_pixel(pixels[i * size + j] + at, mask);
        gradient_line(size, d, 1, t + j, size);
    }
    IC_UNROLL
    for (int i = 0; i < in; ++i) {
        ic_vector out[IN_MAX];
        gradient_line(size, t + i * size, 1, out, 1);
        IC_UNROLL
        for (int j = 0; j < in; ++j)
            ic_store(w + (i * in + j) * tap_stride, out[j]);
    }
}

IC_VECTOR_INLINE void gradient(const int size, int64_t tap_stride, const float *const *pixels,
                               int32_t first, int32_t columns, float *w)
{
    last_channels last;
    for (int64_t i = 0, at = first; i < columns; i += IC_LANES, at = first + i) {
        const ic_mask mask = ic_mask_of(columns - i);
        if (!IC_MASKS_ARE_FREE && i + IC_LANES > columns) {
            pixels = copy_last(&last, size * size, pixels, at, mask);
            at = 0;
        }
        gradient_vector(size, tap_stride, mask, pixels, at, w + i);
    }
}

/* What is done to one vector of outputs on its way out. */
IC_VECTOR_INLINE ic_vector finish_vector(const ic_winograd_output *p, ic_vector value,
                                         ic_vector bias, ic_mask mask, const float *residual,
                                         const float *y)
{
    value += bias;
    if (residual != NULL)
        value += ic_load_part(residual, mask);
    if (p->accumulate)
        value += ic_load_part(y, mask);
    return ic_least(ic_broadcast(&p->high), ic_most(ic_broadcast(&p->low), value));
}

TILE_FUNCTION void output_vector(const int size, const bool whole, const bool finished,
                                 const bool summed, const ic_winograd_output *p, int32_t rows,
                                 int32_t columns, int64_t k, ic_mask mask, const float *m,
                                 const float *residual, float *y, float *sums, int64_t sum_stride)
{
    const int in = size + 2;
    ic_vector t[OUT_MAX * IN_MAX];
    ic_vector bias = ic_zero(), sum = ic_zero(), squares = ic_zero();
    if (finished && p->bias != NULL)
        bias = ic_load_part(p->bias + k, mask);
    IC_UNROLL
    for (int j = 0; j < in; ++j) {
        ic_vector d[IN_MAX];
        IC_UNROLL
        for (int i = 0; i < in; ++i)
            d[i] = ic_load(m + (i * in + j) * p->tap_stride + k);
        output_line(size, d, 1, t + j, in);
    }
    IC_UNROLL
    for (int i = 0; i < size; ++i) {
        if (!whole && i >= rows)
            break;
        ic_vector out[OUT_MAX];
        output_line(size, t + i * in, 1, out, 1);
        IC_UNROLL
        for (int j = 0; j < size; ++j) {
            if (!whole && j >= columns)
                break;
            int64_t at = i * p->row + j * p->pixel + k;
            if (finished)
                out[j] = finish_vector(p, out[j], bias, mask,
                                       residual != NULL ? residual + at : NULL, y + at);
            if (summed) {
                sum += out[j];
                squares = ic_fused(out[j], out[j], squares);
            }
            if (whole)
                ic_store(y + at, out[j]);
            else
                ic_store_part(y + at, mask, out[j]);
        }
    }
    if (summed) {
        ic_store_part(sums + k, mask, ic_load_part(sums + k, mask) + sum);
        ic_store_part(sums + sum_stride + k, mask,
                      ic_load_part(sums + sum_stride + k, mask) + squares);
    }
}

IC_VECTOR_INLINE void output(const int size, const ic_winograd_output *p, int32_t rows,
                             int32_t columns, const float *m, const float *residual, float *y,
                             float *sums, int64_t sum_stride)
{
    for (int64_t k = 0; k < p->k; k += IC_LANES) {
        const ic_mask mask = ic_mask_of(p->k - k);
        const bool whole = rows == size && columns == size && k + IC_LANES <= p->k;
        if (whole && !p->finished && sums == NULL)
            output_vector(size, true, false, false, p, size, size, k, mask, m, NULL, y, NULL, 0);
        else if (whole && !p->finished)
            output_vector(size, true, false, true, p, size, size, k, mask, m, NULL, y, sums,
                          sum_stride);
        else if (whole && sums == NULL && size == 4) /* as with the inputs */
            output_vector(size, true, true, false, p, size, size, k, mask, m, residual, y, NULL, 0);
        else
            output_vector(size, false, true, sums != NULL, p, rows, columns, k, mask, m, residual,
                          y, sums, sum_stride);
    }
}

/* ---- The two sizes ---- */

#define SIZE_FUNCTIONS(size)                                                                       \
    static void input_##size(const ic_winograd_input *p, bool whole, const float *const *pixels,   \
                             const float *inside, float *v)                                        \
    {                                                                                              \
        input(size, p, whole, pixels, inside, v);                                                  \
    }                                                                                              \
    static void gradient_##size(int64_t tap_stride, const float *const *pixels, int32_t first,     \
                                int32_t columns, float *w)                                         \
    {                                                                                              \
        gradient(size, tap_stride, pixels, first, columns, w);                                     \
    }                                                                                              \
    static void output_##size(const ic_winograd_output *p, int32_t rows, int32_t columns,          \
                              const float *m, const float *residual, float *y, float *sums,        \
                              int64_t sum_stride)                                                  \
    {                                                                                              \
        output(size, p, rows, columns, m, residual, y, sums, sum_stride);                          \
    }

#define SIZE_KERNELS(size)                                                                         \
    {                                                                                              \
        .out = (size), .in = (size) + 2, .taps = ((size) + 2) * ((size) + 2),                      \
        .input = input_##size, .gradient = gradient_##size, .output = output_##size,               \
    }

SIZE_FUNCTIONS(4)
#if !defined(IC_SMALL)
SIZE_FUNCTIONS(3)
#endif

const ic_winograd_kernels IC_AT_LEVEL(ic_winograd)[IC_WINOGRAD_SIZES] = {
    [IC_WINOGRAD_4] = SIZE_KERNELS(4),
#if !defined(IC_SMALL)
    [IC_WINOGRAD_3] = SIZE_KERNELS(3),
#endif
};

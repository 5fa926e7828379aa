/* kernels/ref/activation.c: activations over arrays. SPDX-License-Identifier: MIT */
#include "kernels/ref/activation.h"
#include "kernels/ref/rows.h"

float IC_AT_LEVEL(ic_activation_any)(ic_activation kind, float x)
{
    return ic_value_of(kind, x);
}

float IC_AT_LEVEL(ic_gradient_any)(ic_activation kind, float x, float d_y)
{
    return ic_gradient_of(kind, x, d_y);
}

static IC_ALWAYS_INLINE void value_loop(ic_activation kind, int64_t first, int64_t last,
                                        const float *x, float *y)
{
    IC_VECTOR_LOOP
    for (int64_t i = first; i < last; i++)
        y[i] = ic_activation_value(kind, x[i]);
}

static IC_ALWAYS_INLINE void gradient_loop(ic_activation kind, int64_t first, int64_t last,
                                           const float *x, const float *d_y, float *d_x)
{
    IC_VECTOR_LOOP
    for (int64_t i = first; i < last; i++)
        d_x[i] = ic_activation_gradient(kind, x[i], d_y[i]);
}

void IC_AT_LEVEL(ic_activate)(ic_activation kind, int64_t count, const float *x, float *y)
{
#define VALUES(constant, first, last) value_loop(constant, first, last, x, y)
    IC_FOR_ACTIVATIONS(IC_ALL_ACTIVATIONS, kind, count, VALUES);
#undef VALUES
}

void IC_AT_LEVEL(ic_activate_backward)(ic_activation kind, int64_t count, const float *x,
                                       const float *d_y, float *d_x)
{
#define GRADIENTS(constant, first, last) gradient_loop(constant, first, last, x, d_y, d_x)
    IC_FOR_ACTIVATIONS(IC_ALL_ACTIVATIONS, kind, count, GRADIENTS);
#undef GRADIENTS
}

static IC_ALWAYS_INLINE void biased_loop(ic_activation kind, int64_t first, int64_t last,
                                         const float *bias, float *y)
{
    if (IC_IS_CLAMP(kind)) {
        for (int64_t i = first; i < last; i += IC_LANES)
            ic_store(y + i, ic_clamp_vector(kind, ic_load(y + i) + ic_load(bias + i)));
        return;
    }
    IC_VECTOR_LOOP
    for (int64_t i = first; i < last; i++)
        y[i] = ic_activation_value(kind, y[i] + bias[i]);
}

static IC_NOINLINE void biased_row(ic_activation kind, int64_t count, const float *bias, float *y)
{
#define ROW(constant, first, last) biased_loop(constant, first, last, bias, y)
    IC_FOR_ACTIVATIONS(IC_NORM_ACTIVATIONS, kind, count, ROW);
#undef ROW
}

/* Rows that lie one behind the other are joined to wide ones. */
void IC_AT_LEVEL(ic_activate_rows)(ic_activation kind, int64_t rows, int32_t c, int64_t ld,
                                   const float *bias, float *y)
{
    float room[IC_WIDE_ROW];
    const int32_t joined = ld == c ? ic_rows_joined(rows, c) : 1;
    const float *offset = ic_repeat(bias, c, joined, room);
    for (int64_t row = 0; row < rows; row += joined)
        biased_row(kind, ic_smaller(joined, rows - row) * c, offset, y + row * ld);
}

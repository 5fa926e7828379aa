/* kernels/ref/activation.c: activations over arrays. SPDX-License-Identifier: MIT */
#include "kernels/ref/activation.h"
#include "kernels/ref/rows.h"

static IC_ALWAYS_INLINE void value_loop(ic_activation kind, int64_t count, const float *x, float *y)
{
    IC_VECTOR_LOOP
    for (int64_t i = 0; i < count; i++)
        y[i] = ic_activation_value(kind, x[i]);
}

static IC_ALWAYS_INLINE void gradient_loop(ic_activation kind, int64_t count, const float *x,
                                           const float *d_y, float *d_x)
{
    IC_VECTOR_LOOP
    for (int64_t i = 0; i < count; i++)
        d_x[i] = ic_activation_gradient(kind, x[i], d_y[i]);
}

void IC_AT_LEVEL(ic_activate)(ic_activation kind, int64_t count, const float *x, float *y)
{
#define VALUES(constant) value_loop(constant, count, x, y)
    IC_FOR_ACTIVATION(kind, VALUES)
#undef VALUES
}

void IC_AT_LEVEL(ic_activate_backward)(ic_activation kind, int64_t count, const float *x,
                                       const float *d_y, float *d_x)
{
#define GRADIENTS(constant) gradient_loop(constant, count, x, d_y, d_x)
    IC_FOR_ACTIVATION(kind, GRADIENTS)
#undef GRADIENTS
}

/* Rows that lie one behind the other are joined to wide ones. */
static IC_ALWAYS_INLINE void biased_rows(ic_activation kind, int64_t rows, int32_t c, int64_t ld,
                                         const float *bias, float *y)
{
    float room[IC_WIDE_ROW];
    const int32_t joined = ld == c ? ic_rows_joined(rows, c) : 1;
    const float *offset = ic_repeat(bias, c, joined, room);
    for (int64_t row = 0; row < rows; row += joined, y += joined * ld) {
        const int64_t count = ic_smaller(joined, rows - row) * c;
        IC_VECTOR_LOOP
        for (int64_t i = 0; i < count; i++)
            y[i] = ic_activation_value(kind, y[i] + offset[i]);
    }
}

void IC_AT_LEVEL(ic_activate_rows)(ic_activation kind, int64_t rows, int32_t c, int64_t ld,
                                   const float *bias, float *y)
{
#define ROWS(constant) biased_rows(constant, rows, c, ld, bias, y)
    IC_FOR_FREQUENT_ACTIVATION(kind, ROWS)
#undef ROWS
}

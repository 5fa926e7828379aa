/*
 * kernels/transpose.h: matrices turned over, four by four floats in vectors of 16 bytes, which
 * x86-64 and arm64 always have. SPDX-License-Identifier: MIT
 */
#ifndef KERNELS_TRANSPOSE_H
#define KERNELS_TRANSPOSE_H

#include <stdint.h>
#include <string.h>

typedef float ic_four __attribute__((vector_size(16)));
typedef int32_t ic_four_places __attribute__((vector_size(16)));

#if defined(__clang__)
#define IC_PICK_FOUR(a, b, i, j, k, l) __builtin_shufflevector(a, b, i, j, k, l)
#else
#define IC_PICK_FOUR(a, b, i, j, k, l) __builtin_shuffle(a, b, (ic_four_places){i, j, k, l})
#endif

/* y[j*ldy + i] = x[i*ldx + j] for i, j < 4. */
static inline void ic_transpose_four(const float *x, int64_t ldx, float *y, int64_t ldy)
{
    ic_four a, b, c, d;
    memcpy(&a, x, sizeof a);
    memcpy(&b, x + ldx, sizeof b);
    memcpy(&c, x + 2 * ldx, sizeof c);
    memcpy(&d, x + 3 * ldx, sizeof d);
    const ic_four ab_low = IC_PICK_FOUR(a, b, 0, 4, 1, 5), ab_high = IC_PICK_FOUR(a, b, 2, 6, 3, 7);
    const ic_four cd_low = IC_PICK_FOUR(c, d, 0, 4, 1, 5), cd_high = IC_PICK_FOUR(c, d, 2, 6, 3, 7);
    a = IC_PICK_FOUR(ab_low, cd_low, 0, 1, 4, 5);
    b = IC_PICK_FOUR(ab_low, cd_low, 2, 3, 6, 7);
    c = IC_PICK_FOUR(ab_high, cd_high, 0, 1, 4, 5);
    d = IC_PICK_FOUR(ab_high, cd_high, 2, 3, 6, 7);
    memcpy(y, &a, sizeof a);
    memcpy(y + ldy, &b, sizeof b);
    memcpy(y + 2 * ldy, &c, sizeof c);
    memcpy(y + 3 * ldy, &d, sizeof d);
}

/*
 * y[j*ldy + i] = x[i*ldx + j] for i < rows, j < columns. The last blocks overlap the ones before
 * them, where they write the same again.
 */
static inline void ic_transpose(int64_t rows, int64_t columns, const float *x, int64_t ldx,
                                float *y, int64_t ldy)
{
    if (rows < 4 || columns < 4) {
        for (int64_t i = 0; i < rows; ++i)
            for (int64_t j = 0; j < columns; ++j)
                y[j * ldy + i] = x[i * ldx + j];
        return;
    }
    for (int64_t j = 0; j < columns; j += 4) {
        const int64_t column = j + 4 <= columns ? j : columns - 4;
        for (int64_t i = 0; i < rows; i += 4) {
            const int64_t row = i + 4 <= rows ? i : rows - 4;
            ic_transpose_four(x + row * ldx + column, ldx, y + column * ldy + row, ldy);
        }
    }
}

#endif

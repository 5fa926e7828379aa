/*
 * kernels/x86/gemm_tiles.h: the micro-kernels of the x86 levels, written once; the including file
 * names its tiles. Accumulators are named, not an array, which compilers would keep on the stack.
 * SPDX-License-Identifier: MIT
 */
#include "kernels/gemm.h"
#include "kernels/vector.h"

/* Rows of a tile; those beyond `rows`, a constant, are dropped by the compiler. */
#define EACH_ROW(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13)

#define DECLARE(i) ic_vector left##i = ic_zero(), right##i = ic_zero();

#define LOAD_ROW(i)                                                                                \
    if (rows > i) {                                                                                \
        left##i = ic_load_part(c + i * ldc, first_mask);                                           \
        if (vectors > 1)                                                                           \
            right##i = ic_load_part(c + i * ldc + IC_LANES, second_mask);                          \
    }

#define STORE_ROW(i)                                                                               \
    if (rows > i) {                                                                                \
        ic_store(c + i * ldc, left##i);                                                            \
        if (vectors > 1)                                                                           \
            ic_store(c + i * ldc + IC_LANES, right##i);                                            \
    }

#define STORE_ROW_PART(i)                                                                          \
    if (rows > i) {                                                                                \
        ic_store_part(c + i * ldc, first_mask, left##i);                                           \
        if (vectors > 1)                                                                           \
            ic_store_part(c + i * ldc + IC_LANES, second_mask, right##i);                          \
    }

#define MULTIPLY(i, address)                                                                       \
    if (rows > i) {                                                                                \
        ic_vector value = ic_broadcast(address);                                                   \
        ic_multiply_add(left##i, value, b_left);                                                   \
        if (vectors > 1)                                                                           \
            ic_multiply_add(right##i, value, b_right);                                             \
    }

#define LOAD_B(p)                                                                                  \
    ic_vector b_left = ic_load(p), b_right = b_left;                                               \
    if (vectors > 1)                                                                               \
        b_right = ic_load((p) + IC_LANES);

/* One step of the rows kernel: rows are reached from five pointers, one for three rows. */
#define ROWS_STEP(k)                                                                               \
    {                                                                                              \
        LOAD_B(b + (k)*width)                                                                      \
        MULTIPLY(0, a0 + (k))                                                                      \
        MULTIPLY(1, a0 + lda + (k))                                                                \
        MULTIPLY(2, a0 + 2 * lda + (k))                                                            \
        MULTIPLY(3, a3 + (k))                                                                      \
        MULTIPLY(4, a3 + lda + (k))                                                                \
        MULTIPLY(5, a3 + 2 * lda + (k))                                                            \
        MULTIPLY(6, a6 + (k))                                                                      \
        MULTIPLY(7, a6 + lda + (k))                                                                \
        MULTIPLY(8, a6 + 2 * lda + (k))                                                            \
        MULTIPLY(9, a9 + (k))                                                                      \
        MULTIPLY(10, a9 + lda + (k))                                                               \
        MULTIPLY(11, a9 + 2 * lda + (k))                                                           \
        MULTIPLY(12, a12 + (k))                                                                    \
        MULTIPLY(13, a12 + lda + (k))                                                              \
    }

#define COLUMNS_MULTIPLY(i) MULTIPLY(i, a + i)

IC_VECTOR_INLINE void rows_tile(const int rows, const int vectors, const ic_gemm_rows *sum,
                                const float *a, const float *b, float *c)
{
    const int width = vectors * IC_LANES;
    const int64_t ldc = sum->ldc, lda = sum->lda, depth = sum->depth;
    const ic_mask first_mask = ic_mask_of(sum->columns),
                  second_mask = ic_mask_of(sum->columns - IC_LANES);
    const float *b_first = b;
    EACH_ROW(DECLARE)
    if (sum->accumulate) {
        EACH_ROW(LOAD_ROW)
    }
    for (int64_t i = sum->segments; i > 0; --i) {
        const float *a0 = a, *a3 = a + 3 * lda, *a6 = a + 6 * lda, *a9 = a + 9 * lda,
                    *a12 = a + 12 * lda;
        b = b_first;
        for (int64_t j = depth >> 1; j > 0; --j) {
            ROWS_STEP(0)
            ROWS_STEP(1)
            a0 += 2, a3 += 2, a6 += 2, a9 += 2, a12 += 2;
            b += 2 * width;
            /* So that these stay five pointers, and do not become fourteen on the stack. */
            __asm__ volatile("" : "+r"(a0), "+r"(a3), "+r"(a6), "+r"(a9), "+r"(a12));
        }
        if (depth & 1)
            ROWS_STEP(0)
        a += sum->a_segment;
        b_first += sum->b_segment;
    }
    if (sum->columns == width) {
        EACH_ROW(STORE_ROW)
    } else {
        EACH_ROW(STORE_ROW_PART)
    }
}

IC_VECTOR_INLINE void columns_tile(const int rows, const int vectors, const ic_gemm_columns *sum,
                                   const float *a_first, const float *b_first, float *c)
{
    const int width = vectors * IC_LANES;
    const int64_t ldc = sum->ldc, lda = sum->lda;
    EACH_ROW(DECLARE)
    if (sum->accumulate) {
        const ic_mask first_mask = ic_mask_of(IC_LANES), second_mask = first_mask;
        EACH_ROW(LOAD_ROW)
    }
    const ic_gemm_run *run = sum->runs;
    for (int64_t i = sum->count; i > 0; --i, ++run) {
        const float *a = a_first + run->a, *b = b_first + run->b;
        for (int64_t j = sum->depth; j > 0; --j) {
            LOAD_B(b)
            EACH_ROW(COLUMNS_MULTIPLY)
            a += lda;
            b += width;
        }
    }
    EACH_ROW(STORE_ROW)
}

#define ROWS_FUNCTION(rows, vectors)                                                               \
    static void rows_##rows##x##vectors(const ic_gemm_rows *sum, const float *a, const float *b,   \
                                        float *c)                                                  \
    {                                                                                              \
        rows_tile(rows, vectors, sum, a, b, c);                                                    \
    }

#define COLUMNS_FUNCTION(rows, vectors)                                                            \
    static void columns_##rows##x##vectors(const ic_gemm_columns *sum, const float *a,             \
                                           const float *b, float *c)                               \
    {                                                                                              \
        columns_tile(rows, vectors, sum, a, b, c);                                                 \
    }

#define TILE_FUNCTIONS(rows, vectors) ROWS_FUNCTION(rows, vectors) COLUMNS_FUNCTION(rows, vectors)

/*
 * kernels/gemm.c: the micro-kernels, compiled once per CPU level. SPDX-License-Identifier: MIT
 *
 * A tile is up to 14 rows of two vectors where there are 32 registers (28 accumulators, two of b,
 * the factor from a), 6 where there are 16; for few columns 8 rows of one. Accumulators are named,
 * not an array, which compilers would keep on the stack.
 */
#include "kernels/gemm.h"
#include "kernels/ref/level.h"
#include "kernels/vector.h"

/* What comes behind the products is done in registers, but where code counts more than time. */
#if defined(IC_SMALL)
enum { CLAMPS = 0 };
#else
enum { CLAMPS = 1 };
#endif

/* Rows of a tile; those beyond `rows`, a constant, are dropped by the compiler. */
#define EACH_ROW(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13)

#define DECLARE(i) ic_vector left##i = ic_zero(), right##i = ic_zero();

/* Row by row from one pointer, which gcc would otherwise turn into one for each row, and spill. */
#define NEXT_ROW(p)                                                                                \
    p += ldc;                                                                                      \
    __asm__("" : "+r"(p));

#define LOAD_ROW(i)                                                                                \
    if (rows > i) {                                                                                \
        left##i = ic_load_part(from, first_mask);                                                  \
        if (vectors > 1)                                                                           \
            right##i = ic_load_part(from + IC_LANES, second_mask);                                 \
        NEXT_ROW(from)                                                                             \
    }

#define CLAMP_ROW(i, side)                                                                         \
    if (rows > i)                                                                                  \
        side##i = ic_least(high, ic_most(low, side##i + bias));
#define CLAMP_LEFT(i)  CLAMP_ROW(i, left)
#define CLAMP_RIGHT(i) CLAMP_ROW(i, right)

#define STORE_ROW(i)                                                                               \
    if (rows > i) {                                                                                \
        ic_store(c, left##i);                                                                      \
        if (vectors > 1)                                                                           \
            ic_store(c + IC_LANES, right##i);                                                      \
        NEXT_ROW(c)                                                                                \
    }

#define STORE_ROW_PART(i)                                                                          \
    if (rows > i) {                                                                                \
        ic_store_part(c, first_mask, left##i);                                                     \
        if (vectors > 1)                                                                           \
            ic_store_part(c + IC_LANES, second_mask, right##i);                                    \
        NEXT_ROW(c)                                                                                \
    }

#define MULTIPLY(i, address)                                                                       \
    if (rows > i) {                                                                                \
        ic_factor value = ic_load_factor(address);                                                 \
        ic_multiply_add_factor(left##i, value, b_left);                                            \
        if (vectors > 1)                                                                           \
            ic_multiply_add_factor(right##i, value, b_right);                                      \
    }

#define LOAD_B(p)                                                                                  \
    ic_vector b_left = ic_load(p), b_right = b_left;                                               \
    if (vectors > 1)                                                                               \
        b_right = ic_load((p) + IC_LANES);

#define COLUMNS_MULTIPLY(i) MULTIPLY(i, a + i)

IC_VECTOR_INLINE void rows_tile(const int rows, const int vectors, const ic_gemm_rows *sum,
                                const float *a, const float *b, float *c)
{
    const int width = vectors * IC_LANES;
    const int64_t ldc = sum->ldc, lda = sum->lda;
    const ic_mask first_mask = ic_mask_of(sum->columns),
                  second_mask = ic_mask_of(sum->columns - IC_LANES);
    const float *b_first = b;
    EACH_ROW(DECLARE)
    if (sum->accumulate) {
        const float *from = c;
        EACH_ROW(LOAD_ROW)
    }
    for (int64_t i = sum->segments; i > 0; --i) {
        const float *a0 = a, *a3 = a + 3 * lda, *a6 = a + 6 * lda, *a9 = a + 9 * lda,
                    *a12 = a + 12 * lda;
        b = b_first;
        for (int64_t j = sum->depth; j > 0; --j) {
            LOAD_B(b)
            MULTIPLY(0, a0)
            MULTIPLY(1, a0 + lda)
            MULTIPLY(2, a0 + 2 * lda)
            MULTIPLY(3, a3)
            MULTIPLY(4, a3 + lda)
            MULTIPLY(5, a3 + 2 * lda)
            MULTIPLY(6, a6)
            MULTIPLY(7, a6 + lda)
            MULTIPLY(8, a6 + 2 * lda)
            MULTIPLY(9, a9)
            MULTIPLY(10, a9 + lda)
            MULTIPLY(11, a9 + 2 * lda)
            MULTIPLY(12, a12)
            MULTIPLY(13, a12 + lda)
            ++a0, ++a3, ++a6, ++a9, ++a12;
            b += width;
            /* So that these stay five pointers, and do not become fourteen on the stack. */
            __asm__ volatile("" : "+r"(a0), "+r"(a3), "+r"(a6), "+r"(a9), "+r"(a12));
        }
        a += sum->a_segment;
        b_first += sum->b_segment;
    }
    if (CLAMPS && sum->clamp.bias != NULL) {
        const ic_vector low = ic_broadcast(&sum->clamp.low), high = ic_broadcast(&sum->clamp.high);
        ic_vector bias = ic_load_part(sum->clamp.bias, first_mask);
        EACH_ROW(CLAMP_LEFT)
        if (vectors > 1) {
            __asm__ volatile("" : : : "memory"); /* sixteen registers hold one side's bias */
            bias = ic_load_part(sum->clamp.bias + IC_LANES, second_mask);
            EACH_ROW(CLAMP_RIGHT)
        }
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
    const int64_t ldc = sum->ldc, lda = sum->lda, ldb = sum->ldb;
    EACH_ROW(DECLARE)
    if (sum->accumulate) {
        const ic_mask first_mask = ic_mask_of(IC_LANES), second_mask = first_mask;
        const float *from = c;
        EACH_ROW(LOAD_ROW)
    }
    const ic_gemm_run *run = sum->runs;
    for (int64_t i = sum->count; i > 0; --i, ++run) {
        const float *a = a_first + run->a, *b = b_first + run->b;
        for (int64_t j = sum->depth; j > 0; --j) {
            LOAD_B(b)
            EACH_ROW(COLUMNS_MULTIPLY)
            a += lda;
            b += ldb;
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

static IC_ALWAYS_INLINE void copy_full(int64_t rows, int32_t width, const float *x, int64_t ldx,
                                       float *out)
{
    for (int64_t i = 0; i < rows; ++i, x += ldx, out += width) {
        IC_VECTOR_LOOP
        for (int32_t n = 0; n < width; ++n)
            out[n] = x[n];
    }
}

static void pack_panel(int64_t rows, int32_t columns, int32_t width, const float *x, int64_t ldx,
                       float *out)
{
    if (columns == 32 && width == 32) {
        copy_full(rows, 32, x, ldx, out);
        return;
    }
    if (columns == 16 && width == 16) {
        copy_full(rows, 16, x, ldx, out);
        return;
    }
    for (int64_t i = 0; i < rows; ++i, x += ldx, out += width) {
        for (int32_t n = 0; n < columns; ++n)
            out[n] = x[n];
        for (int32_t n = columns; n < width; ++n)
            out[n] = 0.0f;
    }
}

static IC_ALWAYS_INLINE void gather_runs(int64_t count, int64_t step, int32_t runs, int32_t run,
                                         const int32_t copied, const float *x, int64_t pitch,
                                         int64_t out_pitch, float *out)
{
    for (int64_t i = 0; i < count; ++i, x += step, out += out_pitch) {
        const float *from = x;
        float *to = out;
        for (int32_t j = 0; j < runs; ++j, from += pitch, to += run)
            memcpy(to, from, (size_t)copied * sizeof(float));
    }
}

static void gather(int64_t count, int64_t step, int32_t runs, int32_t run, const float *x,
                   int64_t pitch, int64_t out_pitch, float *out)
{
    if (run <= 4)
        gather_runs(count, step, runs, run, 4, x, pitch, out_pitch, out);
    else if (run <= 8)
        gather_runs(count, step, runs, run, 8, x, pitch, out_pitch, out);
    else if (run <= 12)
        gather_runs(count, step, runs, run, 12, x, pitch, out_pitch, out);
    else
        gather_runs(count, step, runs, run, 16, x, pitch, out_pitch, out);
}

static IC_ALWAYS_INLINE void finish_rows(int64_t rows, int32_t columns, int64_t ld,
                                         const float *bias, const float *residual, float floor,
                                         float *y)
{
    for (int64_t i = 0; i < rows; ++i) {
        IC_VECTOR_LOOP
        for (int32_t n = 0; n < columns; ++n) {
            float value = y[i * ld + n];
            if (bias != NULL)
                value += bias[n];
            if (residual != NULL)
                value += residual[i * ld + n];
            y[i * ld + n] = value < floor ? floor : value;
        }
    }
}

static void finish(int64_t rows, int32_t columns, int64_t ld, const float *bias,
                   const float *residual, float floor, float *y)
{
    enum { NARROW = 32, REPEATED = 16 };
    if (columns == ld && columns < NARROW && rows >= 2 * REPEATED) {
        float repeated[NARROW * REPEATED]; /* sixteen short rows are one long one */
        int64_t whole = rows / REPEATED, wide = (int64_t)columns * REPEATED;
        for (int64_t i = 0; bias != NULL && i < wide; i += columns)
            memcpy(repeated + i, bias, (size_t)columns * sizeof *bias);
        finish(whole, (int32_t)wide, wide, bias != NULL ? repeated : NULL, residual, floor, y);
        rows -= whole * REPEATED;
        y += whole * wide;
        residual = residual != NULL ? residual + whole * wide : NULL;
    }
    if (residual == NULL && bias == NULL)
        finish_rows(rows, columns, ld, NULL, NULL, floor, y);
    else if (residual == NULL)
        finish_rows(rows, columns, ld, bias, NULL, floor, y);
    else if (bias == NULL)
        finish_rows(rows, columns, ld, NULL, residual, floor, y);
    else
        finish_rows(rows, columns, ld, bias, residual, floor, y);
}

/* Two chains of additions, so that they need not wait for one another. */
static void sum(int64_t rows, int32_t columns, int64_t ld, const float *y, float *sums,
                float *squares)
{
    for (int64_t n = 0; n < columns; n += IC_LANES) {
        const ic_mask mask = ic_mask_of(columns - n);
        ic_vector even = ic_zero(), odd = ic_zero(), even_square = ic_zero(),
                  odd_square = ic_zero();
        const float *from = y + n;
        int64_t i = 0;
        for (; i + 2 <= rows; i += 2, from += 2 * ld) {
            const ic_vector a = ic_load_part(from, mask), b = ic_load_part(from + ld, mask);
            even += a;
            odd += b;
            ic_multiply_add(even_square, a, a);
            ic_multiply_add(odd_square, b, b);
        }
        if (i < rows) {
            const ic_vector a = ic_load_part(from, mask);
            even += a;
            ic_multiply_add(even_square, a, a);
        }
        ic_store_part(sums + n, mask, ic_load_part(sums + n, mask) + (even + odd));
        ic_store_part(squares + n, mask,
                      ic_load_part(squares + n, mask) + (even_square + odd_square));
    }
}

#if defined(__AVX512F__) || defined(IC_NEON)
enum { WIDE_ROWS = 14, NARROW_ROWS = 14, BLOCK_FLOATS = 64 * 1024 };
#define EACH_WIDE(X)                                                                               \
    X(1, 2)                                                                                        \
    X(2, 2)                                                                                        \
    X(3, 2)                                                                                        \
    X(4, 2) X(5, 2) X(6, 2) X(7, 2) X(8, 2) X(9, 2) X(10, 2) X(11, 2) X(12, 2) X(13, 2) X(14, 2)
#define EACH_NARROW(X)                                                                             \
    X(1, 1)                                                                                        \
    X(2, 1)                                                                                        \
    X(3, 1)                                                                                        \
    X(4, 1) X(5, 1) X(6, 1) X(7, 1) X(8, 1) X(9, 1) X(10, 1) X(11, 1) X(12, 1) X(13, 1) X(14, 1)
#else
enum { WIDE_ROWS = 6, NARROW_ROWS = 8, BLOCK_FLOATS = 48 * 1024 };
#define EACH_WIDE(X)   X(1, 2) X(2, 2) X(3, 2) X(4, 2) X(5, 2) X(6, 2)
#define EACH_NARROW(X) X(1, 1) X(2, 1) X(3, 1) X(4, 1) X(5, 1) X(6, 1) X(7, 1) X(8, 1)
#endif

EACH_WIDE(TILE_FUNCTIONS)
EACH_NARROW(TILE_FUNCTIONS)

#define ROWS_NAME(rows, vectors)    rows_##rows##x##vectors,
#define COLUMNS_NAME(rows, vectors) columns_##rows##x##vectors,

static const ic_gemm_rows_fn wide_rows[] = {NULL, EACH_WIDE(ROWS_NAME)};
static const ic_gemm_rows_fn narrow_rows[] = {NULL, EACH_NARROW(ROWS_NAME)};
static const ic_gemm_columns_fn wide_columns[] = {NULL, EACH_WIDE(COLUMNS_NAME)};
static const ic_gemm_columns_fn narrow_columns[] = {NULL, EACH_NARROW(COLUMNS_NAME)};

const ic_gemm_kernels IC_AT_LEVEL(ic_gemm) = {.wide = {.rows = WIDE_ROWS,
                                                       .busy = 4,
                                                       .width = 2 * IC_LANES,
                                                       .rows_fn = wide_rows,
                                                       .columns_fn = wide_columns},
                                              .narrow = {.rows = NARROW_ROWS,
                                                         .busy = 8,
                                                         .width = IC_LANES,
                                                         .rows_fn = narrow_rows,
                                                         .columns_fn = narrow_columns},
                                              .clamps = CLAMPS,
                                              .block_floats = BLOCK_FLOATS,
                                              .pack_panel = pack_panel,
                                              .gather = gather,
                                              .finish = finish,
                                              .sum = sum};

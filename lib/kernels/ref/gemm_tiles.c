/*
 * kernels/ref/gemm_tiles.c: the micro-kernels in portable C: tiles of up to 4x8, small enough for
 * the sixteen four-float registers of SSE2 and NEON. SPDX-License-Identifier: MIT
 */
#include "kernels/gemm.h"
#include "kernels/ref/level.h"

enum { ROWS = 4, WIDE = 8, NARROW = 4 };

static IC_ALWAYS_INLINE void load_tile(int rows, int width, bool accumulate, int32_t columns,
                                       const float *c, int64_t ldc, float tile[ROWS][WIDE])
{
    for (int m = 0; m < rows; ++m)
        for (int n = 0; n < width; ++n)
            tile[m][n] = accumulate && n < columns ? c[m * ldc + n] : 0.0f;
}

static IC_ALWAYS_INLINE void store_tile(int rows, int width, int32_t columns,
                                        float tile[ROWS][WIDE], float *c, int64_t ldc)
{
    for (int m = 0; m < rows; ++m)
        for (int n = 0; n < width; ++n)
            if (n < columns)
                c[m * ldc + n] = tile[m][n];
}

static IC_ALWAYS_INLINE void rows_tile(int rows, int width, const ic_gemm_rows *sum, const float *a,
                                       const float *b, float *c)
{
    float tile[ROWS][WIDE];
    load_tile(rows, width, sum->accumulate, sum->columns, c, sum->ldc, tile);
    for (int64_t i = 0; i < sum->segments; ++i) {
        const float *from = a + i * sum->a_segment;
        const float *with = b + i * sum->b_segment;
        for (int64_t j = 0; j < sum->depth; ++j, with += width)
            for (int m = 0; m < rows; ++m)
                for (int n = 0; n < width; ++n)
                    tile[m][n] += from[m * sum->lda + j] * with[n];
    }
    store_tile(rows, width, sum->columns, tile, c, sum->ldc);
}

static IC_ALWAYS_INLINE void columns_tile(int rows, int width, const ic_gemm_columns *sum,
                                          const float *a, const float *b, float *c)
{
    float tile[ROWS][WIDE];
    load_tile(rows, width, sum->accumulate, width, c, sum->ldc, tile);
    for (int64_t i = 0; i < sum->count; ++i) {
        const float *from = a + sum->runs[i].a;
        const float *with = b + sum->runs[i].b;
        for (int64_t j = 0; j < sum->depth; ++j, from += sum->lda, with += width)
            for (int m = 0; m < rows; ++m)
                for (int n = 0; n < width; ++n)
                    tile[m][n] += from[m] * with[n];
    }
    store_tile(rows, width, width, tile, c, sum->ldc);
}

#define TILE(rows, width)                                                                          \
    static void rows_##rows##x##width(const ic_gemm_rows *sum, const float *a, const float *b,     \
                                      float *c)                                                    \
    {                                                                                              \
        rows_tile(rows, width, sum, a, b, c);                                                      \
    }                                                                                              \
    static void columns_##rows##x##width(const ic_gemm_columns *sum, const float *a,               \
                                         const float *b, float *c)                                 \
    {                                                                                              \
        columns_tile(rows, width, sum, a, b, c);                                                   \
    }

TILE(1, 8)
TILE(2, 8)
TILE(3, 8)
TILE(4, 8)
TILE(1, 4)
TILE(2, 4) TILE(3, 4) TILE(4, 4)

    static const ic_gemm_rows_fn wide_rows[] = {NULL, rows_1x8, rows_2x8, rows_3x8, rows_4x8};
static const ic_gemm_rows_fn narrow_rows[] = {NULL, rows_1x4, rows_2x4, rows_3x4, rows_4x4};
static const ic_gemm_columns_fn wide_columns[] = {NULL, columns_1x8, columns_2x8, columns_3x8,
                                                  columns_4x8};
static const ic_gemm_columns_fn narrow_columns[] = {NULL, columns_1x4, columns_2x4, columns_3x4,
                                                    columns_4x4};

const ic_gemm_kernels ic_gemm_c = {.wide = {.rows = ROWS,
                                            .busy = 2,
                                            .width = WIDE,
                                            .rows_fn = wide_rows,
                                            .columns_fn = wide_columns},
                                   .narrow = {.rows = ROWS,
                                              .busy = 3,
                                              .width = NARROW,
                                              .rows_fn = narrow_rows,
                                              .columns_fn = narrow_columns},
                                   .block_floats = 24 * 1024,
                                   .pack_panel = ic_gemm_pack_panel_c,
                                   .finish = ic_gemm_finish_c};

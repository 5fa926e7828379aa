/*
 * kernels/gemm.h: the micro-kernels that every convolution and linear layer runs on, one set per
 * CPU level. A tile of c stays in registers while packed b streams by and a is broadcast.
 * SPDX-License-Identifier: MIT
 */
#ifndef KERNELS_GEMM_H
#define KERNELS_GEMM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    IC_GEMM_ROWS_MAX = 16,   /* of any tile */
    IC_GEMM_WIDTH_MAX = 32,  /* columns of any tile */
    IC_GEMM_GATHER_MAX = 16, /* floats of a run that is gathered */
    IC_GEMM_GATHER_ROWS = 16 /* runs of a patch */
};

/* Done last where `bias` is not NULL: c = min(max(c + bias[n], low), high), a NaN stays one. */
typedef struct ic_gemm_clamp {
    const float *bias;
    float low, high;
} ic_gemm_clamp;

/* The clamp of the columns from `column` on. */
static inline ic_gemm_clamp ic_gemm_clamp_at(ic_gemm_clamp clamp, int64_t column)
{
    if (clamp.bias != NULL)
        clamp.bias += column;
    return clamp;
}

/*
 * c[m][n] = sum over i < segments, j < depth of a[m*lda + i*a_segment + j] * b[i*b_segment +
 * j*width + n], each element one chain of multiply-adds in the order of (i, j), whatever the tile's
 * rows.
 */
typedef struct ic_gemm_rows {
    int64_t segments, depth;
    int64_t lda, a_segment, b_segment, ldc;
    int32_t columns;     /* that are stored: 1..width */
    bool accumulate;     /* the chain starts from c instead of zero */
    ic_gemm_clamp clamp; /* for kernels that do it */
} ic_gemm_rows;

/* Where a run of `depth` pixels begins in a and in b. */
typedef struct ic_gemm_run {
    int64_t a, b;
} ic_gemm_run;

/* c[m][n] = sum over i < count, j < depth of a[runs[i].a + j*lda + m] * b[runs[i].b + j*ldb + n].
 */
typedef struct ic_gemm_columns {
    const ic_gemm_run *runs;
    int64_t count, depth;
    int64_t lda, ldb, ldc;
    bool accumulate;
} ic_gemm_columns;

typedef void (*ic_gemm_rows_fn)(const ic_gemm_rows *sum, const float *a, const float *b, float *c);
typedef void (*ic_gemm_columns_fn)(const ic_gemm_columns *sum, const float *a, const float *b,
                                   float *c);

/* The kernels of one width of b's panels; rows_fn[m] computes m rows, 1..rows. */
typedef struct ic_gemm_tile {
    int32_t rows;
    int32_t busy; /* rows that keep the multipliers busy; fewer take as long as these */
    int32_t width;
    const ic_gemm_rows_fn *rows_fn;
    const ic_gemm_columns_fn *columns_fn;
} ic_gemm_tile;

typedef struct ic_gemm_kernels {
    ic_gemm_tile wide;
    ic_gemm_tile narrow;  /* for the last panel when half the width is enough */
    bool clamps;          /* see ic_gemm_clamp */
    int32_t block_floats; /* of a that one unit of work may keep: about a third of the L2 cache */

    /* out[row][width] = x[row*ldx + 0..columns), zeros behind. */
    void (*pack_panel)(int64_t rows, int32_t columns, int32_t width, const float *x, int64_t ldx,
                       float *out);
    /*
     * out[i*out_pitch + j*run + 0..run) = x[j*pitch + i*step + 0..run) for i < count, j < runs.
     * Runs are copied as up to IC_GEMM_GATHER_MAX floats: so many may be read and written behind.
     */
    void (*gather)(int64_t count, int64_t step, int32_t runs, int32_t run, const float *x,
                   int64_t pitch, int64_t out_pitch, float *out);
    /*
     * y = max(y + bias[column] + residual, floor), a NaN stays one. Rows are ld apart in y and in
     * residual; bias and residual may be NULL.
     */
    void (*finish)(int64_t rows, int32_t columns, int64_t ld, const float *bias,
                   const float *residual, float floor, float *y);
    /* sums[column] += y, squares[column] += y^2 over the rows, which are ld apart. */
    void (*sum)(int64_t rows, int32_t columns, int64_t ld, const float *y, float *sums,
                float *squares);
} ic_gemm_kernels;

extern const ic_gemm_kernels ic_gemm_c;
extern const ic_gemm_kernels ic_gemm_neon;
extern const ic_gemm_kernels ic_gemm_sse41;
extern const ic_gemm_kernels ic_gemm_avx2;
extern const ic_gemm_kernels ic_gemm_avx512;

#endif

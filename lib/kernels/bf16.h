/*
 * kernels/bf16.h: the micro-kernels of bfloat16: floats cut to 8 bits of mantissa, multiplied in
 * pairs, summed in float32. One set for AVX512_BF16 and one for AMX. SPDX-License-Identifier: MIT
 */
#ifndef KERNELS_BF16_H
#define KERNELS_BF16_H

#include <stdbool.h>
#include <stdint.h>

enum {
    IC_BF16_WIDTH = 32,  /* columns of a panel of b */
    IC_BF16_ROWS = 16,   /* that a tile may read of a, whatever its height */
    IC_BF16_DEPTH = 32,  /* the longest step along the depth */
    IC_BF16_HEIGHTS = 28 /* rows from which on the first tile is a whole one */
};

/*
 * c[m][n] = sum over i < segments, j < depth of a[m*lda + i*a_segment + j] * b[i*b_segment + j/2*64
 * + 2n + j%2]: two neighbours along the depth lie side by side in b. The sum's order is that of
 * (i, j), whatever the tile's height.
 */
typedef struct ic_bf16_sum {
    int64_t segments, depth; /* depth is a multiple of step */
    int32_t step;            /* even, <= IC_BF16_DEPTH */
    int64_t lda, a_segment, b_segment, ldc;
    int32_t columns; /* that are stored: 1..IC_BF16_WIDTH */
    bool accumulate; /* c is added to */

    /* Done last, by kernels that finish: c = min(max(c + bias[n], low), high), a NaN stays one. */
    const float *bias; /* NULL: zeros */
    float low, high;
} ic_bf16_sum;

typedef struct ic_bf16_tile {
    const uint16_t *a;
    float *c;
    int32_t height; /* rows that are stored: 1..rows */
} ic_bf16_tile;

typedef struct ic_bf16_kernels {
    int32_t rows; /* of a tile */
    /* How high the first tile of so many rows is, where few are left; NULL: tiles are equal. */
    const uint8_t *heights; /* IC_BF16_HEIGHTS */
    bool finishes;
    float cost; /* of a product, in those of float32; see conv_grid.h */

    /* Around all products of one step by one thread, and the products of tiles with one panel. */
    void (*begin)(int32_t step);
    void (*multiply)(const ic_bf16_sum *sum, int64_t count, const ic_bf16_tile *tiles,
                     const uint16_t *b);
    void (*end)(void);

    /* Conversions round to nearest even; subnormal numbers become zero. */
    /* y[row][depth] = x[row][c], zeros behind; depth is even. */
    void (*convert)(int64_t rows, int32_t c, int32_t depth, const float *x, uint16_t *y);
    /* y[pair][32][2] = rows[2 pair + 0..1][n], zeros for n >= columns; a row that is NULL is zero.
     */
    void (*pair)(int64_t pairs, int32_t columns, const float *const *rows, int64_t first,
                 uint16_t *y);
    /* y[n*ldy + row] = rows[row][first + n] for n < 16 and 32 rows, zeros for first + n >= c. */
    void (*transpose)(int64_t c, const float *const *rows, int64_t first, uint16_t *y, int64_t ldy);
} ic_bf16_kernels;

extern const ic_bf16_kernels ic_bf16_vectors; /* vdpbf16ps */
extern const ic_bf16_kernels ic_bf16_matrix;  /* tdpbf16ps */

/* The conversions of both. */
void ic_bf16_convert(int64_t rows, int32_t c, int32_t depth, const float *x, uint16_t *y);
void ic_bf16_pair(int64_t pairs, int32_t columns, const float *const *rows, int64_t first,
                  uint16_t *y);
void ic_bf16_transpose(int64_t c, const float *const *rows, int64_t first, uint16_t *y,
                       int64_t ldy);

#endif

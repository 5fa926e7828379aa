/*
 * kernels/winograd.h: the transforms of Winograd's F(4x4, 3x3) and F(3x3, 3x3) (Lavin, Gray 2016),
 * two sets per CPU level. SPDX-License-Identifier: MIT
 *
 * A tile of 4x4 outputs of a 3x3 filter reads 6x6 inputs: y = A^T [(G g G^T) . (B^T d B)] A, 36
 * products in place of 144. The interpolation points are 0, +-1/a, +-a and infinity with a = sqrt
 * 2: what grows at the one pair shrinks at the other, which halves the rounding error of the usual
 * +-1 and +-2. Each of the 36 places is a matrix product over channels, left to kernels/gemm.h.
 * With b = 1/a:
 *
 *   B^T = 1    0 -5/2  0  1  0     G =    1     0    0     A^T = 1  1    1   1   1   0
 *         0  -2b  -2   b  1  0         -2/3 -2b/3 -1/3           0  b   -b   a  -a   0
 *         0   2b  -2  -b  1  0         -2/3  2b/3 -1/3           0 1/2  1/2  2   2   0
 *         0   -b -1/2  a  1  0          1/6   a/6  1/3           0 b/2 -b/2  2a -2a  1
 *         0    b -1/2 -a  1  0          1/6  -a/6  1/3
 *         0    1   0 -5/2 0  1            0     0    1
 *
 * Where tiles of 4x4 hang over far, those of 3x3 outputs waste less: 25 products out of 5x5
 * inputs, in place of 81; a picture of 6x6 takes 100, not 144. Their points are +-p, +-q and
 * infinity with p = 1/2 and q = 5/4, of those tried the ones that round least (less than the
 * tiles of 4x4). With s = 1 / (2p (p^2 - q^2)) and t = 1 / (2q (q^2 - p^2)):
 *
 *   B^T = -p q^2  -q^2    p    1   0     G = s   sp  sp^2     A^T = 1    1    1    1   0
 *          p q^2  -q^2   -p    1   0        -s   sp -sp^2           p   -p    q   -q   0
 *         -q p^2  -p^2    q    1   0         t   tq  tq^2           p^2  p^2  q^2  q^2 1
 *          q p^2  -p^2   -q    1   0        -t   tq -tq^2
 *        p^2 q^2    0  -p^2-q^2 0  1         0    0    1
 *
 * The gradient of the weights is the same sum seen from the other side: d_g = G^T [sum over tiles
 * of (B^T d B) . (A d_y A^T)] G.
 */
#ifndef KERNELS_WINOGRAD_H
#define KERNELS_WINOGRAD_H

#include <stdbool.h>
#include <stdint.h>

/* The sizes of tiles, by the outputs on each side. Levels whose code is kept small have the first
 * alone. */
enum { IC_WINOGRAD_4, IC_WINOGRAD_3, IC_WINOGRAD_SIZES };

enum {
    IC_WINOGRAD_OUT_MAX = 4,   /* outputs of a tile, on each side */
    IC_WINOGRAD_IN_MAX = 6,    /* inputs */
    IC_WINOGRAD_TAPS_MAX = 36, /* products */
    IC_WINOGRAD_FILTER = 9
};

#define IC_WINOGRAD_ROOT 1.41421356237309505f /* a of the points of F(4x4, 3x3) */
#define IC_WINOGRAD_P    0.5f                 /* p and q of those of F(3x3, 3x3) */
#define IC_WINOGRAD_Q    1.25f

/* How inputs are read: clamp(x * scale[c] + shift[c], low, high); scale NULL: as they are. */
typedef struct ic_winograd_input {
    int32_t c;
    int64_t tap_stride; /* floats between the results */
    const float *scale, *shift;
    float low, high;
} ic_winograd_input;

/* How outputs are written: clamp(y + bias[k] + residual, low, high). */
typedef struct ic_winograd_output {
    int32_t k;
    int64_t tap_stride; /* floats between the products */
    int64_t pixel, row; /* floats from an output to the one beside it, and below it */
    bool finished;      /* whether any of what follows is to be done */
    bool accumulate;    /* adds what is there */
    const float *bias;
    float low, high;
} ic_winograd_output;

/* For one size of tiles; all zeros where a level does not have it. */
typedef struct ic_winograd_kernels {
    int32_t out, in, taps; /* outputs and inputs on each side, products */
    /*
     * v[tap][c] = B^T d B of one tile; pixels[taps]: its inputs row by row; inside[taps]: 1, or 0
     * for those outside the picture, which are any c zeros and stay zeros; whole: all are inside.
     * Full vectors are written, beyond c too.
     */
    void (*input)(const ic_winograd_input *p, bool whole, const float *const *pixels,
                  const float *inside, float *v);
    /*
     * w[tap * tap_stride + i] = A d_y A^T of one tile's gradients, for channels first + i, i <
     * columns; zeros up to the next multiple of the lanes. pixels[out * out].
     */
    void (*gradient)(int64_t tap_stride, const float *const *pixels, int32_t first, int32_t columns,
                     float *w);
    /*
     * y = A^T m A for the rows x columns outputs of a tile that are there; residual: like y, or
     * NULL. sums NULL, or [2][sum_stride]: the sums of the outputs and of their squares are added.
     */
    void (*output)(const ic_winograd_output *p, int32_t rows, int32_t columns, const float *m,
                   const float *residual, float *y, float *sums, int64_t sum_stride);
} ic_winograd_kernels;

extern const ic_winograd_kernels ic_winograd_c[IC_WINOGRAD_SIZES];
extern const ic_winograd_kernels ic_winograd_neon[IC_WINOGRAD_SIZES];
extern const ic_winograd_kernels ic_winograd_sse41[IC_WINOGRAD_SIZES];
extern const ic_winograd_kernels ic_winograd_avx2[IC_WINOGRAD_SIZES];
extern const ic_winograd_kernels ic_winograd_avx512[IC_WINOGRAD_SIZES];

/* A row of the 6x6 places: T of its filters times V of few tiles of 4x4. */
typedef struct ic_winograd_row {
    int64_t depth; /* channels in */
    int32_t width; /* channels out, a multiple of the lanes */
    int32_t tiles;
    int64_t v_tap, v_pitch; /* floats between places and between tiles */
    int64_t m_tap, m_pitch;
    bool accumulate;   /* the sums start from m instead of zero */
    const float *next; /* a row of T, as large, that is brought to the cache meanwhile */
} ic_winograd_row;

/* The two halves of U = G g G^T, for filters g[count][9][width], width a multiple of the lanes. */
typedef struct ic_winograd_filters {
    /*
     * T = G g as t[in][width / lanes][depth][3][lanes], of which the channels [first, first +
     * count) are filled, those of g.
     */
    void (*half)(int64_t first, int64_t count, int64_t depth, int32_t width, const float *g,
                 float *t);
    /* A row of U from one of T: u[j * tap_stride + d * width + i], j < in. */
    void (*whole)(int64_t depth, int32_t width, const float *t, int64_t tap_stride, float *u);
    /*
     * The same row of U, which stays in registers: m[j * m_tap + tile * m_pitch + i] = sum over d <
     * depth of U[j][d][i] * v[j * v_tap + tile * v_pitch + d], each one chain of multiply-adds.
     * Tiles of 4x4 alone have it.
     */
    void (*multiply)(const ic_winograd_row *p, const float *t, const float *v, float *m);
    /* d_g[9][count] = G^T u G of u[tap * tap_stride + i], i < count, a multiple of the lanes. */
    void (*gradient)(int32_t count, const float *u, int64_t tap_stride, float *d_g);
} ic_winograd_filters;

extern const ic_winograd_filters ic_winograd_filters_c[IC_WINOGRAD_SIZES];
extern const ic_winograd_filters ic_winograd_filters_neon[IC_WINOGRAD_SIZES];
extern const ic_winograd_filters ic_winograd_filters_sse41[IC_WINOGRAD_SIZES];
extern const ic_winograd_filters ic_winograd_filters_avx2[IC_WINOGRAD_SIZES];
extern const ic_winograd_filters ic_winograd_filters_avx512[IC_WINOGRAD_SIZES];

#endif

/*
 * kernels/planes.h: the inner loop of convolutions with few channels out: vectors hold neighbouring
 * pixels of one channel, and the weights are broadcast. SPDX-License-Identifier: MIT
 */
#ifndef KERNELS_PLANES_H
#define KERNELS_PLANES_H

#include <stdint.h>

enum {
    IC_PLANES_COLUMNS = 6, /* channels out, at most */
    IC_PLANES_VECTORS = 4, /* of pixels in a tile, at most */
    IC_PLANES_SUMS = 12,   /* vectors of sums in a tile, at most */
    IC_PLANES_LANES = 16   /* of a vector, at most */
};

/*
 * y[v][n][lane] = sum over i < steps of x[v][offset[i] + lane] * w[i*w_step + n], each one chain
 * of multiply-adds in the order of i.
 */
typedef void (*ic_planes_fn)(int64_t steps, const int32_t *offset, const float *w, int64_t w_step,
                             const float *const *x, float *y);

typedef struct ic_planes_kernels {
    int32_t lanes;
    int32_t vectors[IC_PLANES_COLUMNS + 1]; /* of a tile with that many columns */
    ic_planes_fn tile[IC_PLANES_COLUMNS + 1];
} ic_planes_kernels;

extern const ic_planes_kernels ic_planes_c;
extern const ic_planes_kernels ic_planes_neon;
extern const ic_planes_kernels ic_planes_sse41;
extern const ic_planes_kernels ic_planes_avx2;
extern const ic_planes_kernels ic_planes_avx512;

#endif

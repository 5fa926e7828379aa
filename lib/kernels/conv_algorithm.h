/*
 * kernels/conv_algorithm.h: what an algorithm of convolution is. A new one is one more file with
 * one more constant, named in conv.c's list. SPDX-License-Identifier: MIT
 */
#ifndef KERNELS_CONV_ALGORITHM_H
#define KERNELS_CONV_ALGORITHM_H

#include "kernels/conv.h"
#include "kernels/gemm.h"

struct ic_conv_algorithm {
    const char *name;
    int32_t tiles; /* Winograd's: their size, IC_WINOGRAD_4 and so on */
    /*
     * Fills the plan, which names the algorithm, and returns the estimated cost in products (see
     * conv_grid.h), or a negative number when the algorithm cannot do this pass of this shape.
     * Shape and level alone decide.
     */
    double (*plan)(const ic_conv *conv, ic_conv_pass pass, ic_conv_plan *plan);
    /* NULL, both: its plans ask for no packed floats. */
    int64_t (*pack_units)(const ic_conv *conv, ic_conv_pass pass);
    void (*pack)(const ic_conv *conv, ic_conv_pass pass, int64_t unit, const float *weights,
                 float *packed);
    int64_t (*units)(const ic_conv *conv, ic_conv_pass pass, int32_t phase);
    void (*run)(const ic_conv *conv, ic_conv_pass pass, int32_t phase, int64_t unit,
                const ic_conv_arguments *arguments, float *scratch);
};

extern const ic_conv_algorithm ic_conv_rows;           /* forward, backward data: no groups */
extern const ic_conv_algorithm ic_conv_small;          /* backward weights: filters of few inputs */
extern const ic_conv_algorithm ic_conv_planes;         /* forward, backward data: few channels */
extern const ic_conv_algorithm ic_conv_patches;        /* forward, backward data: any shape */
extern const ic_conv_algorithm ic_conv_weights;        /* backward weights: any shape */
extern const ic_conv_algorithm ic_conv_depthwise;      /* all passes: groups == c == k */
extern const ic_conv_algorithm ic_conv_winograd;       /* forward, backward data: 3x3 of stride 1 */
extern const ic_conv_algorithm ic_conv_winograd_large; /* the same for many channels: training */
extern const ic_conv_algorithm ic_conv_winograd_half;  /* such: inference */
extern const ic_conv_algorithm ic_conv_winograd_weights; /* backward weights: the same */
extern const ic_conv_algorithm ic_conv_winograd_3;       /* these by tiles of 3x3 outputs */
extern const ic_conv_algorithm ic_conv_winograd_large_3;
extern const ic_conv_algorithm ic_conv_winograd_weights_3;
extern const ic_conv_algorithm ic_conv_depthwise_tiled; /* such, of 3x3 and 5x5 */
extern const ic_conv_algorithm ic_conv_bf16;            /* forward, backward data: no groups */
extern const ic_conv_algorithm ic_conv_bf16_weights;    /* backward weights: no groups */

#endif

/*
 * kernels/conv.h: 2-d convolution, forward and both gradients, cut into units of work. Linear
 * layers are convolutions of 1x1 over w = batch. No allocation, no threads, no errors: the caller
 * gives memory and runs the units. SPDX-License-Identifier: MIT
 */
#ifndef KERNELS_CONV_H
#define KERNELS_CONV_H

#include "kernels/kernels.h"

/*
 * Input n h w c and output n oh ow k are NHWC float32. oh = (h + pads - dilation*(r-1) - 1)/stride
 * + 1; only the leading pads are stored, what lies beyond the input reads as zero. Depthwise:
 * groups == c.
 */
typedef struct ic_conv_shape {
    int32_t n, h, w, c;
    int32_t oh, ow, k;
    int32_t r, s;
    int32_t stride_h, stride_w;
    int32_t pad_h, pad_w;
    int32_t dilation_h, dilation_w;
    int32_t groups;
} ic_conv_shape;

/* Whether what one gives has the shape of what the other takes. */
static inline bool ic_conv_joins(const ic_conv_shape *first, const ic_conv_shape *second)
{
    return second->n == first->n && second->h == first->oh && second->w == first->ow &&
           second->c == first->k;
}

typedef enum ic_conv_pass {
    IC_CONV_FORWARD,         /* y = x * w */
    IC_CONV_BACKWARD_DATA,   /* d_x from d_y and w */
    IC_CONV_BACKWARD_WEIGHTS /* d_w from x and d_y */
} ic_conv_pass;

enum { IC_CONV_PASSES = 3 };

/*
 * The algorithm of one pass. A pass is a sequence of phases; all units of a phase may run at the
 * same time, and a phase begins when the one before it is done.
 */
typedef struct ic_conv_algorithm ic_conv_algorithm;

typedef struct ic_conv_plan {
    const ic_conv_algorithm *algorithm;
    int32_t phases;
    int32_t block[6];      /* the algorithm's own cut: rows per unit and the like */
    size_t packed_floats;  /* of the packed weights that this pass reads; 0: it reads the weights */
    size_t shared_floats;  /* workspace of one run, shared by its units (partial sums) */
    size_t scratch_floats; /* workspace of one worker */
    int32_t sum_blocks;    /* forward, backward data: whose sums a run can give; 0: it cannot */
} ic_conv_plan;

/*
 * Training packs the weights anew for each step, inference once for all. Alone means inference by
 * one thread: full convolutions are cut into fewer, larger units. The cut shows in no bit of the
 * results.
 */
typedef enum ic_conv_use { IC_CONV_TRAINING, IC_CONV_INFERENCE, IC_CONV_ALONE } ic_conv_use;

/* A planned convolution. Plain data: copy it, keep it. Depends on what ic_conv_prepare (and
 * ic_conv_chain) got alone.
 */
typedef struct ic_conv {
    ic_conv_shape shape;
    ic_conv_use use;
    const ic_kernels *kernels;
    ic_conv_plan plans[IC_CONV_PASSES];
} ic_conv;

/* Applied to x as it is loaded: activation(x * scale[c] + shift[c]). scale NULL: activation alone.
 */
typedef struct ic_prologue {
    const float *scale;
    const float *shift;
    int32_t activation;
} ic_prologue;

/* Applied to y before it is stored: activation(y + bias[k] + residual[n][oh][ow][k]). NULL:
 * without. */
typedef struct ic_epilogue {
    const float *bias;
    const float *residual;
    int32_t activation;
} ic_epilogue;

static inline bool ic_epilogue_is_bare(const ic_epilogue *epilogue)
{
    return epilogue->bias == NULL && epilogue->residual == NULL &&
           epilogue->activation == IC_ACTIVATION_NONE;
}

/*
 * A pointwise convolution that a depthwise one takes in (ic_conv_chain): row by row, so that what
 * lies between the two stays in the caches.
 */
typedef struct ic_conv_link {
    const ic_conv *conv; /* of one row: ic_conv_link_prepare */
    const float *packed;
    ic_epilogue epilogue;
} ic_conv_link;

/*
 * Done to d_x as it is stored, where x is the value of a batch norm and its activation: d_x becomes
 * the gradient before the activation, and its sums are taken (ic_kernels.norm_gradient).
 */
typedef struct ic_norm_gradient {
    const float *x; /* the norm's input, of d_x's shape */
    const float *scale, *shift, *mean;
    int32_t activation;
} ic_norm_gradient;

/* What a run reads and writes; a pass uses the members named in its comment. */
typedef struct ic_conv_arguments {
    const float *x;      /* forward, backward weights: [n][h][w][c] */
    const float *d_y;    /* backward data, backward weights: [n][oh][ow][k] */
    const float *packed; /* forward, backward data: what ic_conv_pack made, or the weights */
    float *out;          /* forward: y; backward data: d_x; backward weights: d_w as OIHW */
    bool accumulate;     /* backward data: add to d_x instead of setting it */
    const ic_prologue *prologue;      /* of x, forward and backward weights; NULL: none */
    const ic_epilogue *epilogue;      /* forward; NULL: none */
    float *shared;                    /* plans[pass].shared_floats, 64-byte aligned */
    const ic_norm_gradient *gradient; /* backward data, where sum_blocks > 0; NULL: none */
    /*
     * For each of the pass's sum_blocks: forward [2][k], the sums of y and of y^2, or NULL;
     * backward data [2][c], those of the gradient.
     */
    float *sums;
    /*
     * Forward, of a chain: x is the input of `before`, whose output is convolved, and out that of
     * `after`, whose input is what comes of it. NULL: none.
     */
    const ic_conv_link *before, *after;
} ic_conv_arguments;

/*
 * Chooses the algorithm of each pass by cost from the shape and constants of the level. For
 * inference, whose results must not depend on the batch, it is chosen as if there were always 16
 * pictures: the layout of the packed weights depends on all of the shape but n, so that plans of
 * different batches share them.
 */
void ic_conv_prepare(const ic_kernels *kernels, const ic_conv_shape *shape, ic_conv_use use,
                     ic_conv *out);

/* The chosen algorithm by name, for logs, tests and benchmarks. */
const char *ic_conv_algorithm_name(const ic_conv *conv, ic_conv_pass pass);

/* Plans a pass by the algorithm of that name; false: it cannot do it. For tests and benchmarks. */
bool ic_conv_choose(ic_conv *conv, ic_conv_pass pass, const char *name);

/* Brings weights (OIHW: [k][c/groups][r][s]) into the packed form of a pass; cut into units too. */
int64_t ic_conv_pack_units(const ic_conv *conv, ic_conv_pass pass);
void ic_conv_pack(const ic_conv *conv, ic_conv_pass pass, int64_t unit, const float *weights,
                  float *packed);

/*
 * Inference: plans the forward pass of a depthwise convolution anew so that it takes in the
 * pointwise ones that alone make its input and alone read its output (NULL: none), in up to
 * `pieces` units a picture; their rows are planned in *row_before and *row_after. False: they do
 * not fit together, and nothing has changed. Packed weights and the bits of the results are those
 * of the convolutions one by one.
 */
bool ic_conv_chain(ic_conv *conv, const ic_conv *before, const ic_conv *after, int32_t pieces,
                   ic_conv *row_before, ic_conv *row_after);

/* The units of one phase, and one of them; scratch: plans[pass].scratch_floats of this worker. */
int64_t ic_conv_units(const ic_conv *conv, ic_conv_pass pass, int32_t phase);
void ic_conv_run(const ic_conv *conv, ic_conv_pass pass, int32_t phase, int64_t unit,
                 const ic_conv_arguments *arguments, float *scratch);

#endif

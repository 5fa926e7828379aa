/*
 * kernels/kernels.h: the table of inner loops of one CPU level. Convolution is in kernels/conv.h.
 * SPDX-License-Identifier: MIT
 */
#ifndef KERNELS_KERNELS_H
#define KERNELS_KERNELS_H

#include "base/context.h"

#include <stdbool.h>
#include <stdint.h>

/* Activation functions by number; the same in graphs, prologues and epilogues. */
typedef enum ic_activation {
    IC_ACTIVATION_NONE = 0,
    IC_ACTIVATION_RELU,
    IC_ACTIVATION_RELU6,
    IC_ACTIVATION_SILU, /* x sigmoid(x) */
    IC_ACTIVATION_GELU, /* x Phi(x), the exact form with erf */
    IC_ACTIVATION_SIGMOID,
    IC_ACTIVATION_HARD_SIGMOID, /* clamp(x/6 + 1/2, 0, 1) */
    IC_ACTIVATION_HARD_SWISH,   /* x hard_sigmoid(x) */
    IC_ACTIVATION_COUNT
} ic_activation;

/* A pooling window over one picture [h][w][c] -> [oh][ow][c]; outside the input nothing counts. */
typedef struct ic_window {
    int32_t h, w, c;
    int32_t oh, ow;
    int32_t r, s;
    int32_t stride_h, stride_w;
    int32_t pad_h, pad_w;
    bool count_padding; /* average: divide by r*s, not by the pixels inside (torch's default) */
} ic_window;

/* The arrays of one channel each that the backward pass of squeeze and excite takes. */
typedef struct ic_squeeze_slopes {
    const float *scale, *shift, *factor, *offset, *b, *e;
} ic_squeeze_slopes;

enum { IC_SQUEEZE_SUMS = 5 };

/* What rows of logits should have said. partners NULL: each row has one label. */
typedef struct ic_targets {
    const int32_t *labels;
    const int32_t *partners; /* of pictures that were mixed from two */
    const float *shares;     /* 0..1, of the label; the rest is the partner's */
} ic_targets;

/*
 * Every function works on the piece that it is given; pieces are cut by the caller, by shape alone.
 * Activations are [rows][c], rows = pixels of NHWC. No pointer aliases another unless it says so
 * ("in place" means that y may be x). Sums are in a fixed order within a piece.
 */
typedef struct ic_kernels {
    ic_cpu_level level;
    const char *name; /* as ic_cpu_level_name has it */

    /* The micro-kernels of kernels/conv*.c; private to kernels/. */
    const struct ic_gemm_kernels *gemm;
    const struct ic_depthwise_kernels *depthwise;
    const struct ic_planes_kernels *planes;
    const struct ic_winograd_kernels *winograd; /* both: by the size of tiles */
    const struct ic_winograd_filters *winograd_filters;
    const struct ic_depthwise_tiles *depthwise_tiles;
    const struct ic_bf16_kernels *bf16; /* NULL: this level multiplies in float32 */

    /* Samples of pictures: kernels/picture.h */
    const struct ic_picture_kernels *picture;

    /* activation.c: NaN stays NaN; smooth ones are within 2^-21 of their value (gelu: x^2 2^-24
     * more) */
    void (*activate)(ic_activation kind, int64_t count, const float *x, float *y); /* in place */
    /* d_x = d_y * f'(x), x the input of f; in place for d_x = d_y. */
    void (*activate_backward)(ic_activation kind, int64_t count, const float *x, const float *d_y,
                              float *d_x);

    /* y = f(y + bias[c]), rows ld floats apart: the end of a convolution, in one pass */
    void (*activate_rows)(ic_activation kind, int64_t rows, int32_t c, int64_t ld,
                          const float *bias, float *y);

    /* elementwise.c */
    void (*add)(int64_t count, const float *a, const float *b, float *y);      /* in place */
    void (*multiply)(int64_t count, const float *a, const float *b, float *y); /* in place */
    void (*accumulate)(int64_t count, const float *x, float *y);               /* y += x */
    void (*scale)(int64_t count, float factor, const float *x, float *y);      /* in place */
    /* y[r][c] = x[r][c] * gate[c]: squeeze-and-excite over one picture's rows; in place */
    void (*gate)(int64_t rows, int32_t c, const float *x, const float *gate, float *y);
    /* d_gate[c] = sum over r of x[r][c] * d_y[r][c] */
    void (*gate_backward)(int64_t rows, int32_t c, const float *x, const float *d_y, float *d_gate);

    /* squeeze.c: squeeze and excite over values v = f(z), z = x * scale[c] + shift[c] */
    /* sum[c] of v; scale NULL: z = x */
    void (*value_sum)(int64_t rows, int32_t c, const float *x, const float *scale,
                      const float *shift, ic_activation f, float *sum);
    /* y = v * gate[c] */
    void (*value_gate)(int64_t rows, int32_t c, const float *x, const float *scale,
                       const float *shift, ic_activation f, const float *gate, float *y);
    /* sums[5][c] of d_y v, d_y f'(z), d_y f'(z) (x - mean[c]), f'(z), f'(z) (x - mean[c]) */
    void (*squeeze_sums)(ic_activation f, int64_t rows, int32_t c, const float *x, const float *d_y,
                         const float *scale, const float *shift, const float *mean, float *sums);
    /* d_x = (factor[c] d_y + offset[c]) f'(z) + b[c] x + e[c]; in place for d_x = d_y */
    void (*squeeze_backward)(ic_activation f, int64_t rows, int32_t c, const float *x,
                             const float *d_y, const ic_squeeze_slopes *slopes, float *d_x);

    /* norm.c: batch normalisation over rows */
    /* sum[c], square_sum[c] over the rows of this piece */
    void (*channel_sums)(int64_t rows, int32_t c, const float *x, float *sum, float *square_sum);
    /* sum[c] alone: bias gradients, global average pooling */
    void (*channel_sum)(int64_t rows, int32_t c, const float *x, float *sum);
    /* y = x * scale[c] + shift[c], then the activation; in place */
    void (*affine)(int64_t rows, int32_t c, const float *x, const float *scale, const float *shift,
                   ic_activation activation, float *y);
    /*
     * d = d_y f'(x * scale[c] + shift[c]), f the activation; sum[c] += d; dot[c] += d * (x -
     * mean[c]). Rows are ld floats apart in x, d_y and d; d may be d_y. Without an activation d is
     * not written, as it would be d_y.
     */
    void (*norm_gradient)(int64_t rows, int32_t c, int64_t ld, const float *x, const float *scale,
                          const float *shift, const float *mean, ic_activation activation,
                          const float *d_y, float *d, float *sum, float *dot);
    /* d_x = a[c] * d_y + b[c] * x + e[c]; in place for d_x = d_y */
    void (*norm_backward)(int64_t rows, int32_t c, const float *x, const float *d_y, const float *a,
                          const float *b, const float *e, float *d_x);

    /*
     * pool.c: output rows [first, last) of one picture; x, y and index point at the whole
     * picture's. Every window must hold at least one pixel of the input (pad_h < r and so on), and
     * r*s <= 256.
     */
    /* index[oh][ow][c]: which of the window's r*s places won, the first of equals; NULL: not wanted
     */
    void (*max_pool)(const ic_window *window, int32_t first, int32_t last, const float *x, float *y,
                     uint8_t *index);
    /* sets d_x of the whole picture, or adds to it */
    void (*max_pool_backward)(const ic_window *window, bool accumulate, const float *d_y,
                              const uint8_t *index, float *d_x);
    void (*average_pool)(const ic_window *window, int32_t first, int32_t last, const float *x,
                         float *y);
    /* adds into d_x of the whole picture (zeroed by the caller) */
    void (*average_pool_backward)(const ic_window *window, const float *d_y, float *d_x);

    /* loss.c: NaN or +inf among a row's logits makes its loss NaN */
    void (*softmax)(int64_t rows, int32_t classes, const float *logits, float *probabilities);
    /*
     * For each row: loss[row] = weight[label] * cross-entropy with label smoothing (the target is
     * (1-smoothing) one-hot + smoothing/classes), d_logits = scale * its gradient. Where the row
     * has a partner: share * that of the label + (1-share) * that of the partner. weight NULL: 1.
     * d_logits NULL: not wanted.
     */
    void (*cross_entropy)(int64_t rows, int32_t classes, const float *logits,
                          const ic_targets *targets, float smoothing, const float *weight,
                          float scale, float *loss, float *d_logits);

    /* optimiser.c: one piece of the flat parameters; decay is zero for biases and norms */
    /* v = momentum v + g; p = p (1 - lr decay) - lr (g + momentum v)   (Nesterov, decoupled decay)
     */
    void (*sgd)(int64_t count, float lr, float momentum, float decay, const float *gradient,
                float *velocity, float *parameters);
    /* AdamW (Loshchilov, Hutter 2019); correction1/2 = 1 - beta^step */
    void (*adamw)(int64_t count, float lr, float beta1, float beta2, float epsilon, float decay,
                  float correction1, float correction2, const float *gradient, float *first,
                  float *second, float *parameters);
} ic_kernels;

/* The table of a level; levels that this build does not have give the next lower one. */
const ic_kernels *ic_kernels_at(ic_cpu_level level);

#endif

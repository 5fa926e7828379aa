/*
 * kernels/ref/level.h: what the sources that are compiled once per CPU level share: names, FMA,
 * loop hints. SPDX-License-Identifier: MIT
 */
#ifndef KERNELS_REF_LEVEL_H
#define KERNELS_REF_LEVEL_H

#include "kernels/kernels.h"

/* IC_LEVEL comes from meson.build: c, neon, sse41, avx2... IC_AT_LEVEL(ic_add) is ic_add_avx2 and
 * so on. */
#ifndef IC_LEVEL
#error "IC_LEVEL is not defined: this file is compiled once per CPU level"
#endif
#define IC_AT_LEVEL_JOIN(name, level)   name##_##level
#define IC_AT_LEVEL_EXPAND(name, level) IC_AT_LEVEL_JOIN(name, level)
#define IC_AT_LEVEL(name)               IC_AT_LEVEL_EXPAND(name, IC_LEVEL)

/* a b + c: rounded once where the level has the instruction, twice where it has not. */
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
#define IC_FMA(a, b, c) __builtin_fmaf((a), (b), (c))
#else
#define IC_FMA(a, b, c) ((a) * (b) + (c))
#endif

/*
 * Before a loop whose iterations touch no element of one another. That holds in place too, where
 * the compiler's own overlap check would choose the scalar loop.
 */
#if defined(__clang__)
#define IC_VECTOR_LOOP _Pragma("clang loop vectorize(assume_safety)")
#elif defined(__GNUC__)
#define IC_VECTOR_LOOP _Pragma("GCC ivdep")
#else
#define IC_VECTOR_LOOP
#endif

/* For functions whose switch on a constant argument must fold away inside a loop. */
#if defined(__GNUC__) || defined(__clang__)
#define IC_ALWAYS_INLINE inline __attribute__((always_inline))
#define IC_NOINLINE      __attribute__((noinline))
#else
#define IC_ALWAYS_INLINE inline
#define IC_NOINLINE
#endif

/* The table of this level, and the functions that fill it; each described in kernels/kernels.h. */
extern const ic_kernels IC_AT_LEVEL(ic_kernels);
extern const struct ic_picture_kernels IC_AT_LEVEL(ic_picture);

void IC_AT_LEVEL(ic_activate)(ic_activation kind, int64_t count, const float *x, float *y);
void IC_AT_LEVEL(ic_activate_backward)(ic_activation kind, int64_t count, const float *x,
                                       const float *d_y, float *d_x);
void IC_AT_LEVEL(ic_activate_rows)(ic_activation kind, int64_t rows, int32_t c, int64_t ld,
                                   const float *bias, float *y);

void IC_AT_LEVEL(ic_add)(int64_t count, const float *a, const float *b, float *y);
void IC_AT_LEVEL(ic_multiply)(int64_t count, const float *a, const float *b, float *y);
void IC_AT_LEVEL(ic_accumulate)(int64_t count, const float *x, float *y);
void IC_AT_LEVEL(ic_scale)(int64_t count, float factor, const float *x, float *y);
void IC_AT_LEVEL(ic_gate)(int64_t rows, int32_t c, const float *x, const float *gate, float *y);
void IC_AT_LEVEL(ic_gate_backward)(int64_t rows, int32_t c, const float *x, const float *d_y,
                                   float *d_gate);

void IC_AT_LEVEL(ic_value_sum)(int64_t rows, int32_t c, const float *x, const float *scale,
                               const float *shift, ic_activation f, float *sum);
void IC_AT_LEVEL(ic_value_gate)(int64_t rows, int32_t c, const float *x, const float *scale,
                                const float *shift, ic_activation f, const float *gate, float *y);
void IC_AT_LEVEL(ic_squeeze_sums)(ic_activation f, int64_t rows, int32_t c, const float *x,
                                  const float *d_y, const float *scale, const float *shift,
                                  const float *mean, float *sums);
void IC_AT_LEVEL(ic_squeeze_backward)(ic_activation f, int64_t rows, int32_t c, const float *x,
                                      const float *d_y, const ic_squeeze_slopes *slopes,
                                      float *d_x);

void IC_AT_LEVEL(ic_channel_sums)(int64_t rows, int32_t c, const float *x, float *sum,
                                  float *square_sum);
void IC_AT_LEVEL(ic_channel_sum)(int64_t rows, int32_t c, const float *x, float *sum);
void IC_AT_LEVEL(ic_affine)(int64_t rows, int32_t c, const float *x, const float *scale,
                            const float *shift, ic_activation activation, float *y);
void IC_AT_LEVEL(ic_norm_gradient)(int64_t rows, int32_t c, int64_t ld, const float *x,
                                   const float *scale, const float *shift, const float *mean,
                                   ic_activation activation, const float *d_y, float *d, float *sum,
                                   float *dot);
void IC_AT_LEVEL(ic_norm_backward)(int64_t rows, int32_t c, const float *x, const float *d_y,
                                   const float *a, const float *b, const float *e, float *d_x);

void IC_AT_LEVEL(ic_max_pool)(const ic_window *window, int32_t first, int32_t last, const float *x,
                              float *y, uint8_t *index);
void IC_AT_LEVEL(ic_max_pool_backward)(const ic_window *window, bool accumulate, const float *d_y,
                                       const uint8_t *index, float *d_x);
void IC_AT_LEVEL(ic_average_pool)(const ic_window *window, int32_t first, int32_t last,
                                  const float *x, float *y);
void IC_AT_LEVEL(ic_average_pool_backward)(const ic_window *window, const float *d_y, float *d_x);

void IC_AT_LEVEL(ic_softmax)(int64_t rows, int32_t classes, const float *logits,
                             float *probabilities);
void IC_AT_LEVEL(ic_cross_entropy)(int64_t rows, int32_t classes, const float *logits,
                                   const ic_targets *targets, float smoothing, const float *weight,
                                   float scale, float *loss, float *d_logits);

void IC_AT_LEVEL(ic_sgd)(int64_t count, float lr, float momentum, float decay,
                         const float *gradient, float *velocity, float *parameters);
void IC_AT_LEVEL(ic_adamw)(int64_t count, float lr, float beta1, float beta2, float epsilon,
                           float decay, float correction1, float correction2, const float *gradient,
                           float *first, float *second, float *parameters);

#endif

/* kernels/ref/table.c: the table of one level. SPDX-License-Identifier: MIT */
#include "kernels/bf16.h"
#include "kernels/depthwise.h"
#include "kernels/depthwise_tiles.h"
#include "kernels/gemm.h"
#include "kernels/picture.h"
#include "kernels/planes.h"
#include "kernels/ref/level.h"
#include "kernels/winograd.h"

#include <stddef.h>

/* The levels of bfloat16 are tables of their own over the functions of AVX-512. */
#ifndef IC_TABLE
#define IC_TABLE IC_LEVEL
#endif

#define TEXT_OF(level)           #level
#define TEXT_OF_VALUE(level)     TEXT_OF(level)
#define LEVEL_NUMBER_c           IC_CPU_C
#define LEVEL_NUMBER_neon        IC_CPU_NEON
#define LEVEL_NUMBER_sse41       IC_CPU_SSE41
#define LEVEL_NUMBER_avx2        IC_CPU_AVX2
#define LEVEL_NUMBER_avx512      IC_CPU_AVX512
#define LEVEL_NUMBER_avx512_bf16 IC_CPU_AVX512_BF16
#define LEVEL_NUMBER_amx_bf16    IC_CPU_AMX_BF16
#define BF16_c                   NULL
#define BF16_neon                NULL
#define BF16_sse41               NULL
#define BF16_avx2                NULL
#define BF16_avx512              NULL
#define BF16_avx512_bf16         &ic_bf16_vectors
#define BF16_amx_bf16            &ic_bf16_matrix

extern const ic_kernels IC_AT_LEVEL_EXPAND(ic_kernels, IC_TABLE);

const ic_kernels IC_AT_LEVEL_EXPAND(ic_kernels, IC_TABLE) = {
    .level = IC_AT_LEVEL_EXPAND(LEVEL_NUMBER, IC_TABLE),
    .name = TEXT_OF_VALUE(IC_TABLE),

    .gemm = &IC_AT_LEVEL(ic_gemm),
    .depthwise = &IC_AT_LEVEL(ic_depthwise),
    .planes = &IC_AT_LEVEL(ic_planes),
    .winograd = IC_AT_LEVEL(ic_winograd),
    .winograd_filters = IC_AT_LEVEL(ic_winograd_filters),
    .depthwise_tiles = &IC_AT_LEVEL(ic_depthwise_tiles),
    .bf16 = IC_AT_LEVEL_EXPAND(BF16, IC_TABLE),
    .picture = &IC_AT_LEVEL(ic_picture),

    .activate = IC_AT_LEVEL(ic_activate),
    .activate_backward = IC_AT_LEVEL(ic_activate_backward),
    .activate_rows = IC_AT_LEVEL(ic_activate_rows),

    .add = IC_AT_LEVEL(ic_add),
    .multiply = IC_AT_LEVEL(ic_multiply),
    .accumulate = IC_AT_LEVEL(ic_accumulate),
    .scale = IC_AT_LEVEL(ic_scale),
    .gate = IC_AT_LEVEL(ic_gate),
    .gate_backward = IC_AT_LEVEL(ic_gate_backward),

    .value_sum = IC_AT_LEVEL(ic_value_sum),
    .value_gate = IC_AT_LEVEL(ic_value_gate),
    .squeeze_sums = IC_AT_LEVEL(ic_squeeze_sums),
    .squeeze_backward = IC_AT_LEVEL(ic_squeeze_backward),

    .channel_sums = IC_AT_LEVEL(ic_channel_sums),
    .channel_sum = IC_AT_LEVEL(ic_channel_sum),
    .affine = IC_AT_LEVEL(ic_affine),
    .norm_gradient = IC_AT_LEVEL(ic_norm_gradient),
    .norm_backward = IC_AT_LEVEL(ic_norm_backward),

    .max_pool = IC_AT_LEVEL(ic_max_pool),
    .max_pool_backward = IC_AT_LEVEL(ic_max_pool_backward),
    .average_pool = IC_AT_LEVEL(ic_average_pool),
    .average_pool_backward = IC_AT_LEVEL(ic_average_pool_backward),

    .softmax = IC_AT_LEVEL(ic_softmax),
    .cross_entropy = IC_AT_LEVEL(ic_cross_entropy),

    .sgd = IC_AT_LEVEL(ic_sgd),
    .adamw = IC_AT_LEVEL(ic_adamw),
};

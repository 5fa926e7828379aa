/* kernels/ref/table.c: the table of one level. SPDX-License-Identifier: MIT */
#include "kernels/depthwise.h"
#include "kernels/gemm.h"
#include "kernels/planes.h"
#include "kernels/ref/level.h"
#include "kernels/winograd.h"

#define TEXT_OF(level)       #level
#define TEXT_OF_VALUE(level) TEXT_OF(level)
#define LEVEL_NUMBER_c       IC_CPU_C
#define LEVEL_NUMBER_neon    IC_CPU_NEON
#define LEVEL_NUMBER_sse41   IC_CPU_SSE41
#define LEVEL_NUMBER_avx2    IC_CPU_AVX2
#define LEVEL_NUMBER_avx512  IC_CPU_AVX512

const ic_kernels IC_AT_LEVEL(ic_kernels) = {
    .level = IC_AT_LEVEL(LEVEL_NUMBER),
    .name = TEXT_OF_VALUE(IC_LEVEL),

    .gemm = &IC_AT_LEVEL(ic_gemm),
    .depthwise = &IC_AT_LEVEL(ic_depthwise),
    .planes = &IC_AT_LEVEL(ic_planes),
    .winograd = &IC_AT_LEVEL(ic_winograd),

    .activate = IC_AT_LEVEL(ic_activate),
    .activate_backward = IC_AT_LEVEL(ic_activate_backward),

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

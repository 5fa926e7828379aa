/* kernels/table.c: the tables of the levels that this build has. SPDX-License-Identifier: MIT */
#include "kernels/kernels.h"

extern const ic_kernels ic_kernels_c, ic_kernels_neon, ic_kernels_sse41, ic_kernels_avx2,
    ic_kernels_avx512, ic_kernels_avx512_bf16, ic_kernels_amx_bf16;

static const ic_kernels *const tables[IC_CPU_ALL_LEVELS] = {
    [IC_CPU_C] = &ic_kernels_c,
#if defined(__x86_64__)
    [IC_CPU_SSE41] = &ic_kernels_sse41,
    [IC_CPU_AVX2] = &ic_kernels_avx2,
    [IC_CPU_AVX512] = &ic_kernels_avx512,
#if defined(IC_WITH_BF16)
    [IC_CPU_AVX512_BF16] = &ic_kernels_avx512_bf16,
    [IC_CPU_AMX_BF16] = &ic_kernels_amx_bf16,
#endif
#elif defined(__aarch64__)
    [IC_CPU_NEON] = &ic_kernels_neon,
#endif
};

const ic_kernels *ic_kernels_at(ic_cpu_level level)
{
    int32_t i = level < IC_CPU_ALL_LEVELS ? (int32_t)level : IC_CPU_LEVELS - 1;
    while (tables[i] == NULL)
        i--;
    return tables[i];
}

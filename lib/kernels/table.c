/* kernels/table.c: the tables of the levels that this build has. SPDX-License-Identifier: MIT */
#include "kernels/kernels.h"

extern const ic_kernels ic_kernels_c;
#if defined(__x86_64__)
extern const ic_kernels ic_kernels_avx2, ic_kernels_avx512;
#endif

const ic_kernels *ic_kernels_at(ic_cpu_level level)
{
#if defined(__x86_64__)
    if (level >= IC_CPU_AVX512)
        return &ic_kernels_avx512;
    if (level == IC_CPU_AVX2)
        return &ic_kernels_avx2;
#endif
    (void)level;
    return &ic_kernels_c;
}

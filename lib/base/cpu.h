/* base/cpu.h: what the machine has. SPDX-License-Identifier: MIT */
#ifndef BASE_CPU_H
#define BASE_CPU_H

#include "base/context.h"

#include <stdbool.h>

/* The highest level of float32 that CPU and operating system support (cpuid and xgetbv; NEON is
 * everywhere on AArch64). */
ic_cpu_level ic_cpu_detect(void);

/* The highest level of bfloat16, after asking the system for the registers of AMX; IC_CPU_C: none.
 */
ic_cpu_level ic_cpu_detect_bf16(void);

/* Whether AVX512_BF16 alone is faster than float32: on Intel's CPUs it does half the products. */
bool ic_cpu_bf16_is_fast(void);

/* Whether this CPU has the level. Of one architecture's levels, it has all below its highest. */
bool ic_cpu_has(ic_cpu_level level);

/* "c", "neon", "sse41", "avx2", "avx512": as the option cpu_level calls them; "avx512_bf16",
 * "amx_bf16". */
const char *ic_cpu_level_name(ic_cpu_level level);

/* The cores that this process may use (sched_getaffinity), at least 1. */
int32_t ic_cpu_count(void);

#endif

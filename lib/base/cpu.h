/* base/cpu.h: what the machine has. SPDX-License-Identifier: MIT */
#ifndef BASE_CPU_H
#define BASE_CPU_H

#include "base/context.h"

/* The highest level that CPU and operating system support (cpuid and xgetbv). */
ic_cpu_level ic_cpu_detect(void);

/* The cores that this process may use (sched_getaffinity), at least 1. */
int32_t ic_cpu_count(void);

#endif

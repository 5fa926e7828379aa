/* bench/peak.h: the multiply-add rate of one core, measured. SPDX-License-Identifier: MIT */
#ifndef TESTS_BENCH_PEAK_H
#define TESTS_BENCH_PEAK_H

#include "base/context.h"

/* The time that this thread has had a core for: other programs on the machine count less. */
double thread_seconds(void);

/* Billions of floating-point operations a second of independent multiply-adds, over about a
 * millisecond. */
double peak_gflops(ic_cpu_level level);

#endif

/*
 * bench/peak.c: twelve independent chains of multiply-adds: more than latency times ports of
 * today's CPUs. In assembly, so that no compiler finds a shorter way. SPDX-License-Identifier: MIT
 */
#define _POSIX_C_SOURCE 200809L /* clock_gettime */
#include "peak.h"

#include <time.h>

double thread_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

enum { ROUNDS = 40000, CHAINS = 12 };

#define EACH_CHAIN(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11)
#define DECLARE(i)    c##i = one,

#if defined(__x86_64__)
#include <immintrin.h>

#define FMA_CHAIN(i)     __asm__ volatile("vfmadd231ps %1, %1, %0" : "+v"(c##i) : "v"(one));
#define FMA_CHAIN_256(i) __asm__ volatile("vfmadd231ps %1, %1, %0" : "+x"(c##i) : "x"(one));
#define MULTIPLY_ADD_CHAIN(i)                                                                      \
    __asm__ volatile("movaps %2, %1\n\tmulps %2, %1\n\taddps %1, %0"                               \
                     : "+x"(c##i), "=&x"(product)                                                  \
                     : "x"(one));

__attribute__((target("avx512f"))) static void rounds_avx512(void)
{
    __m512 one = _mm512_set1_ps(1), EACH_CHAIN(DECLARE) last = one;
    (void)last;
    for (int i = 0; i < ROUNDS; ++i) {
        EACH_CHAIN(FMA_CHAIN)
    }
}

__attribute__((target("avx2,fma"))) static void rounds_avx2(void)
{
    __m256 one = _mm256_set1_ps(1), EACH_CHAIN(DECLARE) last = one;
    (void)last;
    for (int i = 0; i < ROUNDS; ++i) {
        EACH_CHAIN(FMA_CHAIN_256)
    }
}

/* A multiplication and an addition each. */
static void rounds_sse(void)
{
    __m128 one = _mm_set1_ps(1), product, EACH_CHAIN(DECLARE) last = one;
    (void)last;
    for (int i = 0; i < ROUNDS; ++i) {
        EACH_CHAIN(MULTIPLY_ADD_CHAIN)
    }
}

double peak_gflops(ic_cpu_level level)
{
    double begin = thread_seconds();
    double flops = 2.0 * ROUNDS * CHAINS;
    if (level >= IC_CPU_AVX512) {
        rounds_avx512();
        flops *= 16;
    } else if (level == IC_CPU_AVX2) {
        rounds_avx2();
        flops *= 8;
    } else {
        rounds_sse();
        flops *= 4;
    }
    return flops / (thread_seconds() - begin) * 1e-9;
}
#elif defined(__aarch64__)
#include <arm_neon.h>

#define FMLA_CHAIN(i) __asm__ volatile("fmla %0.4s, %1.4s, %1.4s" : "+w"(c##i) : "w"(one));

double peak_gflops(ic_cpu_level level)
{
    double begin = thread_seconds();
    float32x4_t one = vdupq_n_f32(1), EACH_CHAIN(DECLARE) last = one;
    (void)last;
    for (int i = 0; i < ROUNDS; ++i) {
        EACH_CHAIN(FMLA_CHAIN)
    }
    return 2.0 * 4 * ROUNDS * CHAINS / (thread_seconds() - begin) * 1e-9;
}
#else
double peak_gflops(ic_cpu_level level)
{
    return 0;
}
#endif

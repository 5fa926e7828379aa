/* base/cpu.c: cpuid and the affinity mask. SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* sched_getaffinity, syscall */
#include "base/cpu.h"

#include <sched.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/syscall.h>
#endif

#if defined(__x86_64__)
#include <cpuid.h>

/* Bits of cpuid leaf 1 ecx, of leaf 7 ebx, and of xgetbv(0). */
#define LEAF1_SSE3     (1u << 0)
#define LEAF1_SSSE3    (1u << 9)
#define LEAF1_FMA      (1u << 12)
#define LEAF1_SSE41    (1u << 19)
#define LEAF1_OSXSAVE  (1u << 27)
#define LEAF1_AVX      (1u << 28)
#define LEAF1_F16C     (1u << 29)
#define LEAF7_BMI1     (1u << 3)
#define LEAF7_AVX2     (1u << 5)
#define LEAF7_BMI2     (1u << 8)
#define LEAF7_AVX512F  (1u << 16)
#define LEAF7_AVX512DQ (1u << 17)
#define LEAF7_AVX512CD (1u << 28)
#define LEAF7_AVX512BW (1u << 30)
#define LEAF7_AVX512VL (1u << 31)
#define LEAF7_AMX_BF16 (1u << 22) /* edx */
#define LEAF7_AMX_TILE (1u << 24) /* edx */
#define SUB1_BF16      (1u << 5)  /* leaf 7, subleaf 1, eax */
#define STATE_AVX      0x06u      /* the system saves xmm and ymm */
#define STATE_AVX512   0xE6u      /* and mask registers and zmm */
#define STATE_AMX      0x60000u

static unsigned saved_state(void)
{
    unsigned low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}

static int has(unsigned word, unsigned bits)
{
    return (word & bits) == bits;
}

ic_cpu_level ic_cpu_detect(void)
{
    unsigned eax, ebx, ecx, edx;
    if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx))
        return IC_CPU_C;
    if (!has(ecx, LEAF1_SSE3 | LEAF1_SSSE3 | LEAF1_SSE41))
        return IC_CPU_C;
    if (!has(ecx, LEAF1_FMA | LEAF1_OSXSAVE | LEAF1_AVX | LEAF1_F16C))
        return IC_CPU_SSE41;
    unsigned state = saved_state();
    if (!has(state, STATE_AVX) || !__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx))
        return IC_CPU_SSE41;
    if (!has(ebx, LEAF7_BMI1 | LEAF7_AVX2 | LEAF7_BMI2))
        return IC_CPU_SSE41;
    if (!has(state, STATE_AVX512) || !has(ebx, LEAF7_AVX512F | LEAF7_AVX512DQ | LEAF7_AVX512CD |
                                                   LEAF7_AVX512BW | LEAF7_AVX512VL))
        return IC_CPU_AVX2;
    return IC_CPU_AVX512;
}

/* Linux gives a process the tile registers when it asks for them. */
static int take_tiles(void)
{
#if defined(__linux__) && defined(__x86_64__)
    enum { ARCH_REQ_XCOMP_PERM = 0x1023, XFEATURE_XTILEDATA = 18 };
    return has(saved_state(), STATE_AMX) &&
           syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) == 0;
#else
    return 0;
#endif
}

ic_cpu_level ic_cpu_detect_bf16(void)
{
#if !defined(IC_WITH_BF16)
    return IC_CPU_C;
#endif
    unsigned eax, ebx, ecx, edx;
    if (ic_cpu_detect() < IC_CPU_AVX512 || !__get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) ||
        !has(eax, SUB1_BF16))
        return IC_CPU_C;
    if (!__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) ||
        !has(edx, LEAF7_AMX_BF16 | LEAF7_AMX_TILE) || !take_tiles())
        return IC_CPU_AVX512_BF16;
    return IC_CPU_AMX_BF16;
}

bool ic_cpu_bf16_is_fast(void)
{
    unsigned eax, ebx, ecx, edx;
    return __get_cpuid(0, &eax, &ebx, &ecx, &edx) && ebx != signature_INTEL_ebx;
}
#else
ic_cpu_level ic_cpu_detect(void)
{
#if defined(__aarch64__)
    return IC_CPU_NEON;
#else
    return IC_CPU_C;
#endif
}

ic_cpu_level ic_cpu_detect_bf16(void)
{
    return IC_CPU_C;
}

bool ic_cpu_bf16_is_fast(void)
{
    return false;
}
#endif

bool ic_cpu_has(ic_cpu_level level)
{
    ic_cpu_level best = level < IC_CPU_LEVELS ? ic_cpu_detect() : ic_cpu_detect_bf16();
    bool other = level == IC_CPU_NEON && best != IC_CPU_NEON; /* of another architecture */
    return level <= best && !other;
}

const char *ic_cpu_level_name(ic_cpu_level level)
{
    static const char *const names[IC_CPU_ALL_LEVELS] = {
        [IC_CPU_C] = "c",
        [IC_CPU_NEON] = "neon",
        [IC_CPU_SSE41] = "sse41",
        [IC_CPU_AVX2] = "avx2",
        [IC_CPU_AVX512] = "avx512",
        [IC_CPU_AVX512_BF16] = "avx512_bf16",
        [IC_CPU_AMX_BF16] = "amx_bf16",
    };
    return names[level];
}

int32_t ic_cpu_count(void)
{
#ifdef __linux__
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed) == 0)
        return (int32_t)CPU_COUNT(&allowed);
#endif
    /* Elsewhere, and on machines with more cores than cpu_set_t has bits. */
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count < 1 ? 1 : count > 1024 ? 1024 : (int32_t)count;
}

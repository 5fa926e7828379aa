/*
 * tests/kernels/kernel_test.h: levels, numbers and guarded arrays for the tests of kernels.
 * SPDX-License-Identifier: MIT
 */
#ifndef TESTS_KERNEL_TEST_H
#define TESTS_KERNEL_TEST_H

#include "base/cpu.h"
#include "kernels/kernels.h"
#include "support/support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* For each level that this machine runs: `kernels` is its table. */
#define FOR_EACH_LEVEL(kernels)                                                                    \
    for (int32_t level_ = 0; level_ < IC_CPU_LEVELS; level_++)                                     \
        for (const ic_kernels *kernels =                                                           \
                 ic_cpu_has((ic_cpu_level)level_) ? ic_kernels_at((ic_cpu_level)level_) : NULL;    \
             kernels != NULL; kernels = NULL)

enum { GUARD = 32 }; /* elements on each side */

/* `count` floats (or bytes) at an address that is not a vector's, with a known pattern around them.
 */
static inline void *guarded(size_t count, size_t size)
{
    const size_t offset = GUARD + 1;
    unsigned char *block = malloc((count + offset + GUARD) * size);
    if (block == NULL)
        abort();
    memset(block, 0xa5, (count + offset + GUARD) * size);
    return block + offset * size;
}

/* Fails when something was written outside; then frees. */
static inline void release(void *items, size_t count, size_t size)
{
    unsigned char *begin = (unsigned char *)items - (GUARD + 1) * size;
    unsigned char *end = (unsigned char *)items + count * size;
    for (size_t i = 0; i < (GUARD + 1) * size; i++)
        assert_int_equal(begin[i], 0xa5);
    for (size_t i = 0; i < GUARD * size; i++)
        assert_int_equal(end[i], 0xa5);
    free(begin);
}

static inline float *floats(size_t count)
{
    return guarded(count, sizeof(float));
}

static inline void release_floats(float *items, size_t count)
{
    release(items, count, sizeof(float));
}

static inline uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

/* Reals in [-range, range). */
static inline void fill_reals(float *items, size_t count, float range, uint32_t seed)
{
    for (size_t i = 0; i < count; i++)
        items[i] = range * ((float)next_random(&seed) / 8388608.0f - 1.0f);
}

/* Multiples of `step` in [-4 step, 4 step]: sums of products are exact in any order. */
static inline void fill_integers(float *items, size_t count, float step, uint32_t seed)
{
    for (size_t i = 0; i < count; i++)
        items[i] = step * (float)((int32_t)(next_random(&seed) % 9u) - 4);
}

static inline void assert_near(double value, double expected, double bound, const char *what,
                               const char *level, int64_t at)
{
    if (fabs(value - expected) <= bound)
        return;
    print_error("%s, level %s, element %lld: %.9g instead of %.9g, bound %.3g\n", what, level,
                (long long)at, value, expected, bound);
    fail();
}

static inline void assert_same_bits(const float *a, const float *b, size_t count)
{
    assert_memory_equal(a, b, count * sizeof(float));
}

#endif

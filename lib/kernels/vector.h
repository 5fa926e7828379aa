/*
 * kernels/vector.h: the vector of floats of the CPU level that is being compiled. Only for sources
 * that are compiled once per level. SPDX-License-Identifier: MIT
 */
#ifndef KERNELS_VECTOR_H
#define KERNELS_VECTOR_H

#ifndef IC_LEVEL
#error "IC_LEVEL is not defined: vectors are for sources that are compiled once per CPU level"
#endif

#include <stdint.h>
#include <string.h>

#define IC_VECTOR_INLINE static inline __attribute__((always_inline, unused))

/*
 * IC_LANES floats make a vector; ic_mask says which lanes are there, the first ones.
 *
 * ic_multiply_add(c, a, b): c += a * b, in one instruction where there is one. In assembly, so that
 * it adds in place: given the freedom, compilers move accumulators from register to register and
 * spill them. ic_fused(a, b, c) is the same as an expression, for transforms. ic_most(limit, v) and
 * ic_least(limit, v) are the larger and the smaller one; a NaN in v stays.
 *
 * ic_factor is one float for all lanes, read by ic_load_factor(p); ic_multiply_add_factor(c, a, b):
 * c += a * b for such an a.
 */
#if defined(__AVX512F__)
#include "kernels/x86/vector_avx512.h"
#elif defined(__AVX2__) && defined(__FMA__)
#include "kernels/x86/vector_avx2.h"
#elif defined(__SSE4_1__)
#include "kernels/x86/vector_sse41.h"
#elif defined(IC_NEON)
#include "kernels/arm/vector_neon.h"
#else
#include "kernels/ref/vector.h"
#endif

IC_VECTOR_INLINE ic_vector ic_constant(float value)
{
    return ic_broadcast(&value);
}

/* Before a loop over what lies in registers: unrolled, where there are enough of them. */
#if defined(IC_SMALL)
#define IC_UNROLL
#else
#define IC_UNROLL _Pragma("GCC unroll 8")
#endif

/* Whether reading by a mask costs what reading all lanes does: then one copy of code does. */
#if defined(__AVX512F__)
enum { IC_MASKS_ARE_FREE = 1 };
#else
enum { IC_MASKS_ARE_FREE = 0 };
#endif

/* Where products have no lane for it, a factor is a vector of its copies. */
#ifndef IC_HAS_FACTOR
typedef ic_vector ic_factor;
#define ic_load_factor         ic_broadcast
#define ic_multiply_add_factor ic_multiply_add
#endif
#endif

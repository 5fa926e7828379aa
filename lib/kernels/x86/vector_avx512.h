/* kernels/x86/vector_avx512.h: sixteen floats, lanes left out by mask; see kernels/vector.h.
 * SPDX-License-Identifier: MIT */
#ifndef KERNELS_X86_VECTOR_AVX512_H
#define KERNELS_X86_VECTOR_AVX512_H

#include <immintrin.h>

enum { IC_LANES = 16 };
typedef __m512 ic_vector;
typedef __mmask16 ic_mask; /* of the lanes that are there */

#define ic_multiply_add(c, a, b) __asm__("vfmadd231ps %2, %1, %0" : "+v"(c) : "v"(a), "v"(b))

IC_VECTOR_INLINE ic_vector ic_zero(void)
{
    return _mm512_setzero_ps();
}

IC_VECTOR_INLINE ic_vector ic_load(const float *p)
{
    return _mm512_loadu_ps(p);
}

IC_VECTOR_INLINE ic_vector ic_broadcast(const float *p)
{
    return _mm512_set1_ps(*p);
}

IC_VECTOR_INLINE void ic_store(float *p, ic_vector v)
{
    _mm512_storeu_ps(p, v);
}

/* The first `count` lanes, 0..IC_LANES when count is beyond. */
IC_VECTOR_INLINE ic_mask ic_mask_of(int64_t count)
{
    return (ic_mask)(count >= 16 ? 0xffff : count <= 0 ? 0 : (1 << count) - 1);
}

IC_VECTOR_INLINE ic_vector ic_load_part(const float *p, ic_mask mask)
{
    return _mm512_maskz_loadu_ps(mask, p);
}

IC_VECTOR_INLINE void ic_store_part(float *p, ic_mask mask, ic_vector v)
{
    _mm512_mask_storeu_ps(p, mask, v);
}

IC_VECTOR_INLINE ic_vector ic_fused(ic_vector a, ic_vector b, ic_vector c)
{
    return _mm512_fmadd_ps(a, b, c);
}

IC_VECTOR_INLINE ic_vector ic_most(ic_vector limit, ic_vector value)
{
    return _mm512_max_ps(limit, value);
}

IC_VECTOR_INLINE ic_vector ic_least(ic_vector limit, ic_vector value)
{
    return _mm512_min_ps(limit, value);
}

#endif

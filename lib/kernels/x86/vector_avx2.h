/* kernels/x86/vector_avx2.h: eight floats, lanes left out by a vector of signs; see
 * kernels/vector.h. SPDX-License-Identifier: MIT */
#ifndef KERNELS_X86_VECTOR_AVX2_H
#define KERNELS_X86_VECTOR_AVX2_H

#include <immintrin.h>

enum { IC_LANES = 8 };
typedef __m256 ic_vector;
typedef __m256i ic_mask;

#define ic_multiply_add(c, a, b) __asm__("vfmadd231ps %2, %1, %0" : "+x"(c) : "x"(a), "x"(b))

IC_VECTOR_INLINE ic_vector ic_zero(void)
{
    return _mm256_setzero_ps();
}

IC_VECTOR_INLINE ic_vector ic_load(const float *p)
{
    return _mm256_loadu_ps(p);
}

IC_VECTOR_INLINE ic_vector ic_broadcast(const float *p)
{
    return _mm256_broadcast_ss(p);
}

IC_VECTOR_INLINE void ic_store(float *p, ic_vector v)
{
    _mm256_storeu_ps(p, v);
}

IC_VECTOR_INLINE ic_mask ic_mask_of(int64_t count)
{
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int32_t)count),
                              _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

IC_VECTOR_INLINE ic_vector ic_load_part(const float *p, ic_mask mask)
{
    return _mm256_maskload_ps(p, mask);
}

IC_VECTOR_INLINE void ic_store_part(float *p, ic_mask mask, ic_vector v)
{
    _mm256_maskstore_ps(p, mask, v);
}

IC_VECTOR_INLINE ic_vector ic_fused(ic_vector a, ic_vector b, ic_vector c)
{
    return _mm256_fmadd_ps(a, b, c);
}

IC_VECTOR_INLINE ic_vector ic_most(ic_vector limit, ic_vector value)
{
    return _mm256_max_ps(limit, value);
}

IC_VECTOR_INLINE ic_vector ic_least(ic_vector limit, ic_vector value)
{
    return _mm256_min_ps(limit, value);
}

#endif

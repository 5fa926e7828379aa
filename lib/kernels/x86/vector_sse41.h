/* kernels/x86/vector_sse41.h: four floats, no FMA; see kernels/vector.h.
 * SPDX-License-Identifier: MIT */
#ifndef KERNELS_X86_VECTOR_SSE41_H
#define KERNELS_X86_VECTOR_SSE41_H

#include <smmintrin.h>

enum { IC_LANES = 4 };
typedef __m128 ic_vector;
typedef int64_t ic_mask; /* how many lanes are there */

#define ic_multiply_add(c, a, b) ((c) = _mm_add_ps(_mm_mul_ps((a), (b)), (c)))

IC_VECTOR_INLINE ic_vector ic_zero(void)
{
    return _mm_setzero_ps();
}

IC_VECTOR_INLINE ic_vector ic_load(const float *p)
{
    return _mm_loadu_ps(p);
}

IC_VECTOR_INLINE ic_vector ic_broadcast(const float *p)
{
    return _mm_set1_ps(*p);
}

IC_VECTOR_INLINE void ic_store(float *p, ic_vector v)
{
    _mm_storeu_ps(p, v);
}

IC_VECTOR_INLINE ic_mask ic_mask_of(int64_t count)
{
    return count < 0 ? 0 : count > IC_LANES ? IC_LANES : count;
}

/* Two lanes at once, then one. Not inlined: they are too long for each row of a tile. */
static __attribute__((noinline, unused)) ic_vector ic_load_part(const float *p, ic_mask mask)
{
    if (mask >= 4)
        return ic_load(p);
    if (mask == 1)
        return _mm_load_ss(p);
    ic_vector v = _mm_setzero_ps();
    if (mask >= 2)
        v = _mm_loadl_pi(v, (const __m64 *)p);
    if (mask == 3)
        v = _mm_insert_ps(v, _mm_load_ss(p + 2), 0x20);
    return v;
}

static __attribute__((noinline, unused)) void ic_store_part(float *p, ic_mask mask, ic_vector v)
{
    if (mask >= 4) {
        ic_store(p, v);
    } else if (mask == 1) {
        _mm_store_ss(p, v);
    } else {
        if (mask >= 2)
            _mm_storel_pi((__m64 *)p, v);
        if (mask == 3)
            _mm_store_ss(p + 2, _mm_movehl_ps(v, v));
    }
}

IC_VECTOR_INLINE ic_vector ic_fused(ic_vector a, ic_vector b, ic_vector c)
{
    return _mm_add_ps(_mm_mul_ps(a, b), c);
}

IC_VECTOR_INLINE ic_vector ic_most(ic_vector limit, ic_vector value)
{
    return _mm_max_ps(limit, value);
}

IC_VECTOR_INLINE ic_vector ic_least(ic_vector limit, ic_vector value)
{
    return _mm_min_ps(limit, value);
}

#endif

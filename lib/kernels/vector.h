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
 * IC_LANES floats make a vector.
 *
 * ic_multiply_add(c, a, b): c += a * b, in one instruction where there is one. In assembly, so that
 * it adds in place: given the freedom, compilers move accumulators from register to register and
 * spill them.
 */
#if defined(__AVX512F__)
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

#elif defined(__AVX2__) && defined(__FMA__)
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

#else

/* Four floats, by the compiler's own vectors: SSE2, NEON, or four of anything. */
enum { IC_LANES = 4 };
typedef float ic_vector __attribute__((vector_size(16)));
typedef int64_t ic_mask;

#define ic_multiply_add(c, a, b) ((c) += (a) * (b))

IC_VECTOR_INLINE ic_vector ic_zero(void)
{
    return (ic_vector){0, 0, 0, 0};
}

IC_VECTOR_INLINE ic_vector ic_load(const float *p)
{
    ic_vector v;
    memcpy(&v, p, sizeof v);
    return v;
}

IC_VECTOR_INLINE ic_vector ic_broadcast(const float *p)
{
    return (ic_vector){*p, *p, *p, *p};
}

IC_VECTOR_INLINE void ic_store(float *p, ic_vector v)
{
    memcpy(p, &v, sizeof v);
}

IC_VECTOR_INLINE ic_mask ic_mask_of(int64_t count)
{
    return count < 0 ? 0 : count > IC_LANES ? IC_LANES : count;
}

static __attribute__((noinline, unused)) ic_vector ic_load_part(const float *p, ic_mask mask)
{
    ic_vector v = ic_zero();
    memcpy(&v, p, (size_t)mask * sizeof(float));
    return v;
}

static __attribute__((noinline, unused)) void ic_store_part(float *p, ic_mask mask, ic_vector v)
{
    memcpy(p, &v, (size_t)mask * sizeof(float));
}

#endif
#endif

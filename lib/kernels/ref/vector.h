/* kernels/ref/vector.h: four floats in what the compiler has for them; see kernels/vector.h.
 * SPDX-License-Identifier: MIT */
#ifndef KERNELS_REF_VECTOR_H
#define KERNELS_REF_VECTOR_H

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

IC_VECTOR_INLINE ic_vector ic_fused(ic_vector a, ic_vector b, ic_vector c)
{
    return a * b + c;
}

IC_VECTOR_INLINE ic_vector ic_most(ic_vector limit, ic_vector value)
{
    for (int i = 0; i < IC_LANES; ++i)
        value[i] = value[i] < limit[i] ? limit[i] : value[i];
    return value;
}

IC_VECTOR_INLINE ic_vector ic_least(ic_vector limit, ic_vector value)
{
    for (int i = 0; i < IC_LANES; ++i)
        value[i] = value[i] > limit[i] ? limit[i] : value[i];
    return value;
}

#endif

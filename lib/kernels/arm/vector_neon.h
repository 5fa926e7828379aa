/* kernels/arm/vector_neon.h: four floats, factors taken from a lane; see kernels/vector.h.
 * SPDX-License-Identifier: MIT */
#ifndef KERNELS_ARM_VECTOR_NEON_H
#define KERNELS_ARM_VECTOR_NEON_H

#include <arm_neon.h>

enum { IC_LANES = 4 };
typedef float32x4_t ic_vector;
typedef int64_t ic_mask; /* how many lanes are there */

#define ic_multiply_add(c, a, b) __asm__("fmla %0.4s, %1.4s, %2.4s" : "+w"(c) : "w"(a), "w"(b))

/* A load to one lane leaves the units that multiply alone, which copying it to all would not. */
#define IC_HAS_FACTOR
typedef float ic_factor;
#define ic_load_factor(p) (*(p))
#define ic_multiply_add_factor(c, a, b)                                                            \
    __asm__("fmla %0.4s, %2.4s, %1.s[0]" : "+w"(c) : "w"(a), "w"(b))

IC_VECTOR_INLINE ic_vector ic_zero(void)
{
    return vdupq_n_f32(0);
}

IC_VECTOR_INLINE ic_vector ic_load(const float *p)
{
    return vld1q_f32(p);
}

IC_VECTOR_INLINE ic_vector ic_broadcast(const float *p)
{
    return vld1q_dup_f32(p);
}

IC_VECTOR_INLINE void ic_store(float *p, ic_vector v)
{
    vst1q_f32(p, v);
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
    ic_vector v = ic_zero();
    if (mask >= 2)
        v = vcombine_f32(vld1_f32(p), vget_high_f32(v));
    if (mask == 1)
        v = vld1q_lane_f32(p, v, 0);
    if (mask == 3)
        v = vld1q_lane_f32(p + 2, v, 2);
    return v;
}

static __attribute__((noinline, unused)) void ic_store_part(float *p, ic_mask mask, ic_vector v)
{
    if (mask >= 4) {
        ic_store(p, v);
        return;
    }
    if (mask >= 2)
        vst1_f32(p, vget_low_f32(v));
    if (mask == 1)
        vst1q_lane_f32(p, v, 0);
    if (mask == 3)
        vst1q_lane_f32(p + 2, v, 2);
}

IC_VECTOR_INLINE ic_vector ic_fused(ic_vector a, ic_vector b, ic_vector c)
{
    return vfmaq_f32(c, a, b);
}

IC_VECTOR_INLINE ic_vector ic_most(ic_vector limit, ic_vector value)
{
    return vbslq_f32(vcltq_f32(value, limit), limit, value);
}

IC_VECTOR_INLINE ic_vector ic_least(ic_vector limit, ic_vector value)
{
    return vbslq_f32(vcgtq_f32(value, limit), limit, value);
}

#endif

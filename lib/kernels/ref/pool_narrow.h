/*
 * kernels/ref/pool_narrow.h: maximum pooling of pictures with few channels, four of them at a time
 * in vectors of 16 bytes, which x86-64 and arm64 always have. SPDX-License-Identifier: MIT
 */
#ifndef KERNELS_REF_POOL_NARROW_H
#define KERNELS_REF_POOL_NARROW_H

#include "kernels/ref/taps.h"

#include <string.h>

/*
 * Where this is faster than the compiler's vectors, from 4 channels on and below these: its vectors
 * hold a byte of index for each lane, and fewer channels than that leave them idle.
 */
#if defined(__AVX512BW__)
enum { NARROW = 64 };
#else
enum { NARROW = 16 };
#endif
enum { NARROW_BACKWARD = 64 };

typedef float four __attribute__((vector_size(16)));
typedef int32_t four_places __attribute__((vector_size(16)));
typedef uint8_t four_bytes __attribute__((vector_size(4)));

static IC_ALWAYS_INLINE four load_four(const float *x)
{
    four v;
    memcpy(&v, x, sizeof(v));
    return v;
}

static IC_ALWAYS_INLINE four_places choose(four_places mask, four_places yes, four_places no)
{
    return (mask & yes) | (~mask & no);
}

/* index NULL, a constant: without places. */
static IC_ALWAYS_INLINE void max_place_four(int32_t count, const taps *inside, const float *x,
                                            float *y, uint8_t *index)
{
    four best = load_four(x + inside->offset[0]);
    four_places place = (four_places){0} + inside->place[0];
    for (int32_t i = 1; i < count; i++) {
        const four value = load_four(x + inside->offset[i]);
        const four_places better = (value > best) | (value != value);
        best = (four)choose(better, (four_places)value, (four_places)best);
        place = choose(better, (four_places){0} + inside->place[i], place);
    }
    memcpy(y, &best, sizeof(best));
    if (index == NULL)
        return;
    const four_bytes bytes = __builtin_convertvector(place, four_bytes);
    memcpy(index, &bytes, sizeof(bytes));
}

/* 4 <= c; the last four overlap the ones before, where they find the same again. */
static IC_ALWAYS_INLINE void max_place_narrow(int32_t count, const taps *inside, int32_t c,
                                              const float *x, float *y, uint8_t *index)
{
    x += inside->corner;
    for (int32_t k = 0; k < c - 4; k += 4)
        max_place_four(count, inside, x + k, y + k, index != NULL ? index + k : NULL);
    max_place_four(count, inside, x + c - 4, y + c - 4, index != NULL ? index + c - 4 : NULL);
}

static IC_ALWAYS_INLINE void spread_four(int32_t count, const taps *inside, four d_y,
                                         const uint8_t *index, float *d_x)
{
    four_bytes bytes;
    memcpy(&bytes, index, sizeof(bytes));
    const four_places won = __builtin_convertvector(bytes, four_places);
    for (int32_t i = 0; i < count; i++) {
        float *to = d_x + inside->offset[i];
        const four_places here = won == inside->place[i];
        const four sum = load_four(to) + (four)(here & (four_places)d_y);
        memcpy(to, &sum, sizeof(sum));
    }
}

/* 4 <= c; of the last four only those count that the ones before have not done. */
static IC_ALWAYS_INLINE void spread_narrow(int32_t count, const taps *inside, int32_t c,
                                           const float *d_y, const uint8_t *index, float *d_x)
{
    const four_places lanes = {0, 1, 2, 3};
    d_x += inside->corner;
    int32_t k = 0;
    for (; k < c - 4; k += 4)
        spread_four(count, inside, load_four(d_y + k), index + k, d_x + k);
    const four_places left = lanes >= k - (c - 4);
    const four last = (four)(left & (four_places)load_four(d_y + c - 4));
    spread_four(count, inside, last, index + c - 4, d_x + c - 4);
}

#endif

/* preprocess/reflect.h: how pictures go on beyond their edges. Inside of this folder only.
 * SPDX-License-Identifier: MIT */
#ifndef PREPROCESS_REFLECT_H
#define PREPROCESS_REFLECT_H

#include <stdint.h>

/* The sample at `at` of a line of n that goes on by reflection about its first and last sample. */
static inline int32_t ic_reflect(int64_t at, int32_t n)
{
    if (at >= 0 && at < n)
        return (int32_t)at;
    int64_t period = n > 1 ? 2 * ((int64_t)n - 1) : 1;
    at = (at < 0 ? -at : at) % period;
    return (int32_t)(at < n ? at : period - at);
}

#endif

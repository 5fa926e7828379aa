/*
 * support/hashed.h: numbers from a hash of a name and a place, as tests/tools/goldens.py makes
 * them. SPDX-License-Identifier: MIT
 */
#ifndef TESTS_SUPPORT_HASHED_H
#define TESTS_SUPPORT_HASHED_H

#include <stdint.h>

/* Of prefix and name, one behind the other. */
static inline uint64_t name_hash(const char *prefix, const char *name)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (; *prefix != '\0'; prefix++)
        hash = (hash ^ (unsigned char)*prefix) * 0x100000001b3u;
    for (; *name != '\0'; name++)
        hash = (hash ^ (unsigned char)*name) * 0x100000001b3u;
    return hash;
}

static inline uint64_t bits_at(uint64_t hash, int64_t index)
{
    uint64_t z = hash + (uint64_t)(index + 1) * 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* In [-1, 1), exact in a float. */
static inline double value_at(uint64_t hash, int64_t index)
{
    return (double)(bits_at(hash, index) >> 40) / 8388608.0 - 1.0;
}

#endif

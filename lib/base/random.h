/*
 * base/random.h: random numbers as a function of where they are used, not of what was drawn before:
 * order and threads cannot change them. SPDX-License-Identifier: MIT
 */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include <stdint.h>

/* What numbers are drawn for; part of the key, so that uses do not share a stream. Append only. */
typedef enum ic_random_use {
    IC_USE_WEIGHTS = 1,
    IC_USE_SHUFFLE = 2,
    IC_USE_AUGMENT = 3,
    IC_USE_DROPOUT = 4,
    IC_USE_SPLIT = 5,
    IC_USE_FLIP = 6,
    IC_USE_MIX = 7,
    IC_USE_RESAMPLE = 8,
    IC_USE_CHANCE = 9
} ic_random_use;

/* A stream: (seed, use, a, b) is the key, draws are counted. a and b: epoch and sample, say. */
typedef struct ic_random {
    uint64_t key[2];
    uint64_t counter;
} ic_random;

ic_random ic_random_at(uint64_t seed, ic_random_use use, uint64_t a, uint64_t b);

uint64_t ic_random_bits(ic_random *random);
/* The value of draw `index` of the stream, without moving it: for work split over threads. */
uint64_t ic_random_bits_at(const ic_random *random, uint64_t index);
double ic_random_unit(ic_random *random);                           /* [0, 1) */
double ic_random_range(ic_random *random, double low, double high); /* [low, high) */
uint64_t ic_random_below(ic_random *random, uint64_t bound);        /* [0, bound), unbiased */
double ic_random_normal(ic_random *random);                         /* mean 0, deviation 1 */

enum { IC_RANDOM_BITS_OF_NORMAL = 2 }; /* values of the stream that a normal one takes */

#endif

/*
 * base/random.c: counter-based random numbers. A stream's value i is mix(mix(key0 + i * golden) ^
 * key1): the inner half is a Weyl sequence through a 64-bit finaliser (the construction of
 * SplitMix64; Steele, Lea, Flood: Fast splittable pseudorandom number generators, OOPSLA 2014), the
 * outer one brings in the second half of the key, so that streams are told apart by 128 bits.
 * Preferred to Philox for its price: four multiplications a value, which drawing a dropout mask
 * feels, and it is as easily written again in another language. SPDX-License-Identifier: MIT
 */
#include "base/random.h"

#include "base/maths.h"

#include <math.h>

#define GOLDEN 0x9E3779B97F4A7C15u /* 2^64 / golden ratio, odd */
#define TAU    6.283185307179586

/* A bijection in which each input bit flips half the output bits (multipliers: Stafford's mix 13).
 */
static uint64_t mix(uint64_t z)
{
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

ic_random ic_random_at(uint64_t seed, ic_random_use use, uint64_t a, uint64_t b)
{
    const uint64_t words[4] = {seed, (uint64_t)use, a, b};
    ic_random random = {{0x243F6A8885A308D3u, 0x13198A2E03707344u}, 0}; /* of pi */
    for (int i = 0; i < 4; i++)
        for (int half = 0; half < 2; half++)
            random.key[half] = mix((random.key[half] ^ words[i]) + GOLDEN);
    return random;
}

uint64_t ic_random_bits_at(const ic_random *random, uint64_t index)
{
    return mix(mix(random->key[0] + index * GOLDEN) ^ random->key[1]);
}

uint64_t ic_random_bits(ic_random *random)
{
    return ic_random_bits_at(random, random->counter++);
}

double ic_random_unit(ic_random *random)
{
    return (double)(ic_random_bits(random) >> 11) * 0x1p-53;
}

double ic_random_range(ic_random *random, double low, double high)
{
    double value = low + (high - low) * ic_random_unit(random);
    return value < high ? value : low; /* rounding can reach high */
}

uint64_t ic_random_below(ic_random *random, uint64_t bound)
{
    if (bound == 0)
        return 0;
    uint64_t skipped = (0 - bound) % bound; /* 2^64 mod bound: the rest divides evenly */
    uint64_t bits;
    do {
        bits = ic_random_bits(random);
    } while (bits < skipped);
    return bits % bound;
}

/* Box and Muller, the cosine half: sqrt(-2 ln u) cos(2 pi v), u in (0, 1]. */
double ic_random_normal(ic_random *random)
{
    double u = 1 - ic_random_unit(random);
    double v = ic_random_unit(random);
    return sqrt(-2 * ic_ln(u)) * ic_cos(TAU * v);
}

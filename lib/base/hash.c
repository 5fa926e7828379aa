/* base/hash.c: SHA-256 (FIPS 180-4, section 6.2). SPDX-License-Identifier: MIT */
#include "base/hash.h"

#include <string.h>

/* The first 32 bits of the fractions of the cube roots of the first 64 primes. */
static const uint32_t round_constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static inline uint32_t rotate(uint32_t x, int bits)
{
    return x >> bits | x << (32 - bits);
}

/* Compilers make one load and one exchange of bytes of this. */
static inline uint32_t big_endian(const unsigned char *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void schedule(const unsigned char *block, uint32_t w[64])
{
    for (int i = 0; i < 16; i++)
        w[i] = big_endian(block + 4 * i);
    for (int i = 16; i < 64; i++) {
        uint32_t s0 = rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ w[i - 15] >> 3;
        uint32_t s1 = rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ w[i - 2] >> 10;
        w[i] = w[i - 16] + s0 + w[i - 7] + s1;
    }
}

/*
 * One round. Instead of moving the eight words along, as the standard writes it, the callers'
 * arguments move: only d and h change. Choose and majority with one operation less.
 */
static inline void round_of(uint32_t a, uint32_t b, uint32_t c, uint32_t *d, uint32_t e, uint32_t f,
                            uint32_t g, uint32_t *h, uint32_t word)
{
    uint32_t choose = g ^ (e & (f ^ g)), majority = (a & b) | (c & (a | b));
    uint32_t t1 = *h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + choose + word;
    *d += t1;
    *h = t1 + (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + majority;
}

static void add_block(uint32_t state[8], const unsigned char *block)
{
    uint32_t w[64];
    schedule(block, w);
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
    uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
    for (int i = 0; i < 64; i += 8) {
        const uint32_t *k = round_constants + i;
        round_of(a, b, c, &d, e, f, g, &h, k[0] + w[i]);
        round_of(h, a, b, &c, d, e, f, &g, k[1] + w[i + 1]);
        round_of(g, h, a, &b, c, d, e, &f, k[2] + w[i + 2]);
        round_of(f, g, h, &a, b, c, d, &e, k[3] + w[i + 3]);
        round_of(e, f, g, &h, a, b, c, &d, k[4] + w[i + 4]);
        round_of(d, e, f, &g, h, a, b, &c, k[5] + w[i + 5]);
        round_of(c, d, e, &f, g, h, a, &b, k[6] + w[i + 6]);
        round_of(b, c, d, &e, f, g, h, &a, k[7] + w[i + 7]);
    }
    state[0] += a, state[1] += b, state[2] += c, state[3] += d;
    state[4] += e, state[5] += f, state[6] += g, state[7] += h;
}

void ic_sha256_begin(ic_sha256 *hash)
{
    static const uint32_t initial[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                        0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    memcpy(hash->state, initial, sizeof initial);
    hash->length = 0;
}

void ic_sha256_add(ic_sha256 *hash, const void *bytes, size_t size)
{
    const unsigned char *at = bytes;
    while (size > 0) {
        size_t used = hash->length % 64;
        size_t part = 64 - used < size ? 64 - used : size;
        if (part == 64) {
            add_block(hash->state, at);
        } else {
            memcpy(hash->block + used, at, part);
            if (used + part == 64)
                add_block(hash->state, hash->block);
        }
        hash->length += part;
        at += part;
        size -= part;
    }
}

void ic_sha256_end(ic_sha256 *hash, unsigned char digest[IC_SHA256_BYTES])
{
    static const unsigned char padding[64] = {0x80};
    unsigned char bits[8];
    for (int i = 0; i < 8; i++)
        bits[i] = (unsigned char)(hash->length * 8 >> (56 - 8 * i));
    size_t used = hash->length % 64;
    ic_sha256_add(hash, padding, used < 56 ? 56 - used : 120 - used);
    ic_sha256_add(hash, bits, sizeof bits);
    for (int i = 0; i < IC_SHA256_BYTES; i++)
        digest[i] = (unsigned char)(hash->state[i / 4] >> (24 - 8 * (i % 4)));
}

void ic_sha256_of(const void *bytes, size_t size, unsigned char digest[IC_SHA256_BYTES])
{
    ic_sha256 hash;
    ic_sha256_begin(&hash);
    ic_sha256_add(&hash, bytes, size);
    ic_sha256_end(&hash, digest);
}

void ic_sha256_text(const unsigned char digest[IC_SHA256_BYTES], char text[IC_SHA256_TEXT])
{
    static const char digits[] = "0123456789abcdef";
    for (int i = 0; i < IC_SHA256_BYTES; i++) {
        text[2 * i] = digits[digest[i] >> 4];
        text[2 * i + 1] = digits[digest[i] & 15];
    }
    text[IC_SHA256_TEXT - 1] = '\0';
}

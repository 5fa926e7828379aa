/* base/hash.h: SHA-256 (FIPS 180-4). SPDX-License-Identifier: MIT */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

enum { IC_SHA256_BYTES = 32, IC_SHA256_TEXT = 65 };

typedef struct ic_sha256 {
    uint32_t state[8];
    uint64_t length;
    unsigned char block[64];
} ic_sha256;

void ic_sha256_begin(ic_sha256 *hash);
void ic_sha256_add(ic_sha256 *hash, const void *bytes, size_t size);
void ic_sha256_end(ic_sha256 *hash, unsigned char digest[IC_SHA256_BYTES]);
void ic_sha256_of(const void *bytes, size_t size, unsigned char digest[IC_SHA256_BYTES]);
void ic_sha256_text(const unsigned char digest[IC_SHA256_BYTES], char text[IC_SHA256_TEXT]);

#endif

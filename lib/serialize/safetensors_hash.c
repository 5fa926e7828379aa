/* serialize/safetensors_hash.c: the hash that a container carries of itself.
 * SPDX-License-Identifier: MIT */
#include "serialize/safetensors.h"

#include <string.h>

enum { DIGITS = IC_SHA256_TEXT - 1 };

static const char key[] = "\"imgcls.sha256\"";

static size_t skip_space(const char *text, size_t size, size_t at)
{
    while (at < size &&
           (text[at] == ' ' || text[at] == '\t' || text[at] == '\n' || text[at] == '\r'))
        at++;
    return at;
}

/* Whether 64 digits in quotes begin at text[at]. */
static bool quoted_digits(const char *text, size_t size, size_t at)
{
    if (size - at < DIGITS + 2 || text[at] != '"' || text[at + 1 + DIGITS] != '"')
        return false;
    for (size_t i = at + 1; i <= at + DIGITS; i++)
        if (!(text[i] >= '0' && text[i] <= '9') && !(text[i] >= 'a' && text[i] <= 'f'))
            return false;
    return true;
}

bool ic_safetensors_find_digits(const char *header, size_t size, size_t *digits)
{
    size_t key_size = sizeof key - 1;
    for (size_t at = 0; at + key_size < size; at++) {
        if (header[at] != '"' || memcmp(header + at, key, key_size) != 0)
            continue;
        size_t value = skip_space(header, size, at + key_size);
        if (value == size || header[value] != ':')
            continue;
        value = skip_space(header, size, value + 1);
        if (!quoted_digits(header, size, value))
            continue;
        *digits = value + 1;
        return true;
    }
    return false;
}

void ic_safetensors_hash(const void *bytes, size_t size, size_t digits, char text[IC_SHA256_TEXT])
{
    static const char zeros[] = "0000000000000000000000000000000000000000000000000000000000000000";
    const unsigned char *p = bytes;
    unsigned char digest[IC_SHA256_BYTES];
    ic_sha256 hash;
    ic_sha256_begin(&hash);
    ic_sha256_add(&hash, p, digits);
    ic_sha256_add(&hash, zeros, DIGITS);
    ic_sha256_add(&hash, p + digits + DIGITS, size - digits - DIGITS);
    ic_sha256_end(&hash, digest);
    ic_sha256_text(digest, text);
}

/* test_hash.c: SHA-256 against published digests, whatever the cuts. SPDX-License-Identifier: MIT
 */
#include "base/hash.h"
#include "support/support.h"

#include <string.h>

static void check(const void *bytes, size_t size, const char *wanted)
{
    unsigned char digest[IC_SHA256_BYTES];
    char text[IC_SHA256_TEXT];
    ic_sha256_of(bytes, size, digest);
    ic_sha256_text(digest, text);
    assert_string_equal(text, wanted);
}

/* The first three are FIPS 180-4's and NIST's examples. */
static void test_known_digests(void **state)
{
    (void)state;
    check("", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    check("abc", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    check("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56,
          "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    static char million[1000000];
    memset(million, 'a', sizeof million);
    check(million, sizeof million,
          "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void test_parts_do_not_matter(void **state)
{
    (void)state;
    unsigned char bytes[300], whole[IC_SHA256_BYTES], parts[IC_SHA256_BYTES];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(i * 31);
    for (size_t size = 0; size <= sizeof bytes; size++) {
        ic_sha256_of(bytes, size, whole);
        for (size_t step = 1; step < 130; step += 21) {
            ic_sha256 hash;
            ic_sha256_begin(&hash);
            for (size_t at = 0; at < size; at += step)
                ic_sha256_add(&hash, bytes + at, size - at < step ? size - at : step);
            ic_sha256_end(&hash, parts);
            assert_memory_equal(whole, parts, sizeof whole);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_digests),
        cmocka_unit_test(test_parts_do_not_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

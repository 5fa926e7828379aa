/* test_status.c: messages, names, versions. SPDX-License-Identifier: MIT */
#include "base/status.h"
#include "support/support.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

static void test_message_is_kept(void **state)
{
    (void)state;
    assert_int_equal(ic_fail(IC_ERROR_IO, "%s: %d of %lld", "cat.jpg", 3, 4LL), IC_ERROR_IO);
    assert_string_equal(ic_last_error(), "cat.jpg: 3 of 4");
    assert_int_equal(ic_fail_prefix(IC_ERROR_FORMAT, "cannot open %s: ", "x"), IC_ERROR_FORMAT);
    assert_string_equal(ic_last_error(), "cannot open x: cat.jpg: 3 of 4");
    ic_fail(IC_ERROR_IO, "again %s", ic_last_error()); /* its own text as an argument */
    assert_string_equal(ic_last_error(), "again cannot open x: cat.jpg: 3 of 4");
}

static void test_long_messages_end_at_a_character(void **state)
{
    (void)state;
    char text[3000] = "";
    for (int i = 0; i < 900; i++)
        strcat(text, "\xC3\xA4"); /* two bytes each */
    ic_fail(IC_ERROR_IO, "%s", text);
    assert_int_equal(strlen(ic_last_error()), 1022);
    ic_fail(IC_ERROR_IO, "x%s", text);
    assert_int_equal(strlen(ic_last_error()), 1023);
    ic_fail_prefix(IC_ERROR_IO, "y");
    assert_int_equal(strlen(ic_last_error()), 1022);
    char small[8];
    ic_error_set(text);
    ic_error_copy(small, sizeof small);
    assert_string_equal(small, "\xC3\xA4\xC3\xA4\xC3\xA4");
}

/* File names may hold any bytes; what hosts get is UTF-8. */
static void test_messages_are_utf8(void **state)
{
    (void)state;
    ic_fail(IC_ERROR_IO, "cannot read caf\xe9/\xc3\xa9\xc3.png: %.2s", "a\xc3\xa9");
    assert_string_equal(ic_last_error(), "cannot read caf?/\xc3\xa9?.png: a?");
    ic_fail_prefix(IC_ERROR_IO, "\xff: ");
    assert_string_equal(ic_last_error(), "?: cannot read caf?/\xc3\xa9?.png: a?");
    ic_error_set("\xed\xa0\x80");
    assert_string_equal(ic_last_error(), "???");
}

static void *fail_elsewhere(void *payload)
{
    (void)payload;
    assert_string_equal(ic_last_error(), "");
    ic_fail(IC_ERROR_IO, "elsewhere");
    return NULL;
}

static void test_each_thread_has_its_own(void **state)
{
    (void)state;
    pthread_t thread;
    ic_fail(IC_ERROR_IO, "here");
    assert_int_equal(pthread_create(&thread, NULL, fail_elsewhere, NULL), 0);
    pthread_join(thread, NULL);
    assert_string_equal(ic_last_error(), "here");
}

static ic_status pass_on(ic_status status)
{
    IC_TRY(status);
    return 77;
}

static void test_try_passes_errors_only(void **state)
{
    (void)state;
    assert_int_equal(pass_on(IC_ERROR_DATA), IC_ERROR_DATA);
    assert_int_equal(pass_on(IC_DONE), 77);
}

static void test_names_and_version(void **state)
{
    (void)state;
    assert_string_equal(ic_status_name(IC_OK), "IC_OK");
    assert_string_equal(ic_status_name(IC_DONE), "IC_DONE");
    assert_string_equal(ic_status_name(-1), "IC_ERROR_ARGUMENT");
    assert_string_equal(ic_status_name(-13), "IC_ERROR_INTERNAL");
    for (ic_status code = -13; code <= 1; code++)
        assert_string_not_equal(ic_status_name(code), "unknown status");
    assert_string_equal(ic_status_name(-14), "unknown status");
    char version[32];
    snprintf(version, sizeof version, "%d.%d.%d", IC_VERSION_MAJOR, IC_VERSION_MINOR,
             IC_VERSION_PATCH);
    assert_string_equal(ic_version(), version);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_message_is_kept),
        cmocka_unit_test(test_long_messages_end_at_a_character),
        cmocka_unit_test(test_messages_are_utf8),
        cmocka_unit_test(test_each_thread_has_its_own),
        cmocka_unit_test(test_try_passes_errors_only),
        cmocka_unit_test(test_names_and_version),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

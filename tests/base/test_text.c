/* test_text.c: numbers as text and back, UTF-8, distances. SPDX-License-Identifier: MIT */
#include "base/random.h"
#include "base/text.h"
#include "support/support.h"

#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void test_float_to_text(void **state)
{
    (void)state;
    static const struct {
        double value;
        int digits;
        const char *text;
    } cases[] = {
        {0.05, 6, "0.05"},
        {12, 6, "12"},
        {0, 3, "0"},
        {-0.0, 3, "0"},
        {-0.0001, 3, "0"},
        {-0.0005, 3, "-0.001"},
        {99.9996, 3, "100"},
        {0.1, 20, "0.10000000000000000555"},
        {2.5, 0, "3"},
        {1e20, 2, "1e20"},
        {9.99e22, 1, "1e23"},
        {-1.2345e100, 3, "-1.235e100"},
        {1.7976931348623157e308, 6, "1.797693e308"},
        {123456789.125, 3, "123456789.125"},
        {5e-324, 3, "0"},
        {NAN, 3, "nan"},
        {INFINITY, 3, "inf"},
        {-INFINITY, 3, "-inf"},
        {1.5, -4, "2"},
        {99999999999999999999.0, 20, "1e20"},
        {-12345678901234567890.0, 20, "-12345678901234567168"},
    };
    char buffer[IC_TEXT_FLOAT_MAX];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_string_equal(ic_text_float(cases[i].value, cases[i].digits, buffer), cases[i].text);
    assert_string_equal(ic_text_int(INT64_MIN, buffer), "-9223372036854775808");
}

static void test_shortest_text_gives_the_number_back(void **state)
{
    (void)state;
    char text[IC_TEXT_FLOAT_MAX];
    assert_true(ic_text_shortest(0.35, text));
    assert_string_equal(text, "0.35");
    assert_true(ic_text_shortest_float(0.35f, text));
    assert_string_equal(text, "0.35");
    assert_true(ic_text_shortest(1.0 / 3, text));
    assert_string_equal(text, "0.3333333333333333");
    assert_true(ic_text_shortest_float(1.0f / 19, text));
    assert_string_equal(text, "0.05263158");
    assert_true(ic_text_shortest_float(1e-8f, text));
    assert_string_equal(text, "0.00000001");
    assert_true(ic_text_shortest(-12, text));
    assert_string_equal(text, "-12");
    assert_false(ic_text_shortest(1e-30, text));
}

/* Against printf in the C locale, ties left out: ours go away from zero, its to even. */
static void test_float_to_text_rounds_as_printf(void **state)
{
    (void)state;
    ic_random random = ic_random_at(1, IC_USE_SPLIT, 0, 0);
    for (int i = 0; i < 100000; i++) {
        double value =
            ldexp(ic_random_range(&random, -1, 1), (int)ic_random_below(&random, 90) - 25);
        int digits = i % 12;
        char wanted[64], got[IC_TEXT_FLOAT_MAX], exact[1200];
        snprintf(exact, sizeof exact, "%.*f", 100, value);
        const char *rest = strchr(exact, '.') + 1 + digits;
        if (rest[0] == '5' && strspn(rest + 1, "0") == strlen(rest + 1))
            continue;
        snprintf(wanted, sizeof wanted, "%.*f", digits, value);
        ic_text_float(value, digits, got);
        assert_true(strtod(wanted, NULL) == strtod(got, NULL));
        assert_true(strlen(got) <= strlen(wanted));
    }
}

static void check_parse(const char *text)
{
    double got = -77, wanted = strtod(text, NULL);
    if (isinf(wanted)) {
        assert_false(ic_parse_float(text, &got));
        return;
    }
    assert_true(ic_parse_float(text, &got));
    if (memcmp(&got, &wanted, sizeof got) != 0)
        fail_msg("%s: %a, not %a", text, got, wanted);
}

static void test_parse_float_rounds_correctly(void **state)
{
    (void)state;
    static const char *const hard[] = {
        "0",
        "-0",
        "1",
        "+1",
        ".5",
        "5.",
        "0.1",
        "1e23",
        "8.5e22",
        "9007199254740993",
        "9007199254740992.99999999999999999999",
        "9007199254740993.00000000000000000001",
        "1.7976931348623157e308",
        "1.7976931348623158e308",
        "1.797693134862315808e308",
        "1e309",
        "4.9e-324",
        "2.4703282292062327e-324",
        "2.4703282292062328e-324",
        "1e-400",
        "2.2250738585072011e-308",
        "2.2250738585072012e-308",
        "123456789012345678901234567890e-30",
        "0.000000000000000000000000000000000000000000000000000000000000000000000000000001e78",
        "1e99999999999999",
        "1e-99999999999999",
        "0e99999999999999",
        "1E+2",
        "00000000000000000001",
        "1.00000000000000011102230246251565404236316680908203125",
        "1.00000000000000011102230246251565404236316680908203124",
        "1.00000000000000011102230246251565404236316680908203126"};
    for (size_t i = 0; i < sizeof hard / sizeof hard[0]; i++)
        check_parse(hard[i]);
    ic_random random = ic_random_at(2, IC_USE_SPLIT, 0, 0);
    for (int i = 0; i < 100000; i++) {
        uint64_t bits = ic_random_bits(&random);
        double value;
        char text[64];
        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value))
            continue;
        snprintf(text, sizeof text, "%.*e", i % 20, value);
        check_parse(text);
    }
}

/* The exact decimal of a midpoint between two subnormals has 751 digits and more. */
static void test_parse_float_long_digits(void **state)
{
    (void)state;
    static char text[3000];
    snprintf(text, sizeof text, "%.1074f", 0x1.0000000000001p-1022);
    check_parse(text);
    memset(text + strlen(text), '0', 900);
    check_parse(text);
    text[strlen(text) - 1] = '1';
    check_parse(text);
    memset(text, '9', 300);
    strcpy(text + 300, ".99999999999999999999");
    check_parse(text);
}

static void test_parse_refuses(void **state)
{
    (void)state;
    static const char *const bad[] = {"",    " 1",   "1 ",  "e5",  ".",   "-",     "+",   "1e",
                                      "1e+", "0x10", "nan", "inf", "1,5", "1.2.3", "--1", "1_000"};
    double real = 7;
    int64_t whole = 7;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(ic_parse_float(bad[i], &real));
        assert_false(ic_parse_int(bad[i], &whole));
    }
    assert_true(real == 7 && whole == 7);
    assert_false(ic_parse_int("9223372036854775808", &whole));
    assert_false(ic_parse_int("-9223372036854775809", &whole));
    assert_false(ic_parse_int("99999999999999999999", &whole));
    assert_false(ic_parse_int("1.0", &whole));
    assert_true(ic_parse_int("9223372036854775807", &whole) && whole == INT64_MAX);
    assert_true(ic_parse_int("-9223372036854775808", &whole) && whole == INT64_MIN);
    assert_true(ic_parse_int("+12", &whole) && whole == 12);
}

static void test_locale_does_not_matter(void **state)
{
    (void)state;
    if (setlocale(LC_ALL, "de_DE.UTF-8") == NULL && setlocale(LC_ALL, "fr_FR.UTF-8") == NULL) {
        print_message("no locale with a decimal comma here: skipping\n");
        return;
    }
    char buffer[IC_TEXT_FLOAT_MAX];
    double value = 0;
    assert_string_equal(ic_text_float(0.25, 3, buffer), "0.25");
    assert_true(ic_parse_float("0.25", &value) && value == 0.25);
    assert_false(ic_parse_float("0,25", &value));
    setlocale(LC_ALL, "C");
}

static void test_utf8(void **state)
{
    (void)state;
    static const char *const good[] = {"",
                                       "plain",
                                       "caf\xC3\xA9",
                                       "\xE2\x82\xAC",
                                       "\xED\x9F\xBF",
                                       "\xEE\x80\x80",
                                       "\xF0\x9F\x90\x88",
                                       "\xF4\x8F\xBF\xBF"};
    static const char *const bad[] = {"\x80",
                                      "\xC3",
                                      "\xC3(",
                                      "\xC0\xAF",
                                      "\xC1\xBF",
                                      "\xE0\x9F\xBF",
                                      "\xE2\x82",
                                      "\xE2\x28\xA1",
                                      "\xED\xA0\x80",
                                      "\xF0\x8F\xBF\xBF",
                                      "\xF4\x90\x80\x80",
                                      "\xF5\x80\x80\x80",
                                      "\xFF",
                                      "\xF0\x9F\x90",
                                      "ok\xE2\x82\xAC\xFE"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(ic_utf8_valid(good[i], strlen(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(ic_utf8_valid(bad[i], strlen(bad[i])));
    assert_true(ic_utf8_valid("a\0b", 3));
    assert_false(ic_utf8_valid("\xE2\x82\xAC", 2));
}

static void test_distance(void **state)
{
    (void)state;
    assert_int_equal(ic_text_distance("", "", 3), 0);
    assert_int_equal(ic_text_distance("", "abc", 3), 3);
    assert_int_equal(ic_text_distance("kitten", "sitting", 5), 3);
    assert_int_equal(ic_text_distance("epohcs", "epochs", 3), 1); /* neighbours swapped */
    assert_int_equal(ic_text_distance("ca", "abc", 5), 3);        /* optimal alignment, not 2 */
    assert_int_equal(ic_text_distance("abcdef", "uvwxyz", 2), 3);
    assert_int_equal(ic_text_distance("a", "abcdefgh", 2), 3);
    char longer[200];
    memset(longer, 'a', 199);
    longer[199] = '\0';
    assert_int_equal(ic_text_distance(longer, longer, 4), 5);
}

static void test_endings(void **state)
{
    (void)state;
    assert_true(ic_text_ends("a.PNG", ".png"));
    assert_true(ic_text_ends(".png", ".PNG"));
    assert_true(ic_text_ends("x", ""));
    assert_false(ic_text_ends("png", ".png"));
    assert_false(ic_text_ends("a.png.gz", ".png"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_float_to_text),
        cmocka_unit_test(test_shortest_text_gives_the_number_back),
        cmocka_unit_test(test_float_to_text_rounds_as_printf),
        cmocka_unit_test(test_parse_float_rounds_correctly),
        cmocka_unit_test(test_parse_float_long_digits),
        cmocka_unit_test(test_parse_refuses),
        cmocka_unit_test(test_locale_does_not_matter),
        cmocka_unit_test(test_utf8),
        cmocka_unit_test(test_distance),
        cmocka_unit_test(test_endings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

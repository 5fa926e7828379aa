/* test_json.c: strict reading, stable writing. SPDX-License-Identifier: MIT */
#include "base/json.h"
#include "base/status.h"
#include "support/support.h"

#include <locale.h>
#include <math.h>
#include <string.h>

static ic_context *context;

static json_t *parse(const char *text)
{
    json_t *value = NULL;
    assert_ok(ic_json_parse(text, strlen(text), "the test", &value));
    return value;
}

static void check_refused(const char *text, const char *words)
{
    json_t *value = NULL;
    assert_fails(IC_ERROR_FORMAT, "m.json is not valid JSON",
                 ic_json_parse(text, strlen(text), "m.json", &value));
    assert_non_null(strstr(ic_last_error(), words));
    assert_null(value);
}

static void test_parse_is_strict(void **state)
{
    (void)state;
    check_refused("", "line 1");
    check_refused("{\"a\":1,\"a\":2}", "duplicate");
    check_refused("{\"a\":1} x", "end of file");
    check_refused("{\"a\":1,}", "line 1");
    check_refused("\n\n{\"a\":NaN}", "line 3");
    check_refused("{\"a\":\"\xC3(\"}", "byte 0xc3");
    check_refused("{\"a\":1e999}", "overflow");
    check_refused("{\"a\":99999999999999999999}", "too big");
    static char deep[20000];
    memset(deep, '[', sizeof deep - 1);
    check_refused(deep, "depth");
    json_decref(parse("{\"a\": [1, 2.5, null, \"x\"]}"));
}

static void test_same_value_same_text(void **state)
{
    (void)state;
    const char *text = "{\"z\":1,\"a\":[0.10000000000000001,1.0000000000000001e300,-5,true,null],"
                       "\"caf\xC3\xA9\":\"\\u0001\"}";
    json_t *value = parse(text);
    ic_buffer buffer = {.context = context};
    assert_ok(ic_buffer_append(&buffer, ">", 1));
    assert_ok(ic_json_print(value, &buffer));
    assert_int_equal(buffer.bytes[0], '>');
    json_t *again = NULL;
    assert_ok(ic_json_parse((char *)buffer.bytes + 1, buffer.size - 1, "text", &again));
    assert_true(json_equal(value, again));
    assert_string_equal((char *)buffer.bytes + 1, text);
    assert_int_equal(buffer.size, strlen(text) + 1);
    json_decref(again);
    json_decref(value);
    ic_buffer_free(&buffer);
}

static void test_members_are_checked(void **state)
{
    (void)state;
    json_t *object = parse("{\"n\":7,\"x\":0.5,\"t\":\"word\",\"l\":[1],\"o\":{}}"), *inner = NULL;
    int64_t whole = -1;
    double real = -1;
    const char *text = NULL;
    assert_ok(ic_json_int(object, "n", 7, 7, "w", &whole));
    assert_int_equal(whole, 7);
    assert_ok(ic_json_float(object, "n", "w", &real));
    assert_true(real == 7);
    assert_ok(ic_json_float(object, "x", "w", &real));
    assert_true(real == 0.5);
    assert_ok(ic_json_text(object, "t", "w", &text));
    assert_string_equal(text, "word");
    assert_ok(ic_json_array(object, "l", "w", &inner));
    assert_int_equal(json_array_size(inner), 1);
    assert_ok(ic_json_object(object, "o", "w", &inner));
    json_t *kept = inner;

    assert_fails(IC_ERROR_FORMAT, "w: \"n\" must be 8..9, not 7",
                 ic_json_int(object, "n", 8, 9, "w", &whole));
    assert_fails(IC_ERROR_FORMAT, "whole number", ic_json_int(object, "x", 0, 9, "w", &whole));
    assert_fails(IC_ERROR_FORMAT, "\"t\" must be a number", ic_json_float(object, "t", "w", &real));
    assert_fails(IC_ERROR_FORMAT, "\"n\" must be a text", ic_json_text(object, "n", "w", &text));
    assert_fails(IC_ERROR_FORMAT, "an array", ic_json_array(object, "o", "w", &inner));
    assert_fails(IC_ERROR_FORMAT, "an object", ic_json_object(object, "l", "w", &inner));
    assert_fails(IC_ERROR_FORMAT, "w: \"none\" is missing",
                 ic_json_text(object, "none", "w", &text));
    assert_fails(IC_ERROR_FORMAT, "is missing", ic_json_int(kept, "n", 0, 9, "w", &whole));
    assert_true(whole == 7 && real == 0.5 && inner == kept);
    json_decref(object);
}

static void test_set_takes_over(void **state)
{
    (void)state;
    json_t *object = json_object(), *array = json_array();
    assert_ok(ic_json_append(array, json_integer(1)));
    assert_ok(ic_json_set(object, "list", array));
    assert_int_equal(array->refcount, 1);
    assert_fails(IC_ERROR_MEMORY, "\"x\"", ic_json_set(object, "x", NULL));
    assert_fails(IC_ERROR_MEMORY, "array", ic_json_append(array, json_real(NAN)));
    json_decref(object);
}

static ic_status print_it(ic_context *failing, void *payload)
{
    ic_buffer buffer = {.context = failing};
    ic_status status = ic_json_print(payload, &buffer);
    ic_buffer_free(&buffer);
    return status;
}

static void test_printing_runs_out_of_memory(void **state)
{
    (void)state;
    json_t *value = json_array();
    for (int i = 0; i < 200; i++)
        assert_ok(ic_json_append(value, json_integer(i)));
    assert_true(test_fail_each_allocation(print_it, value) > 2);
    json_decref(value);
}

static void test_locale_does_not_matter(void **state)
{
    (void)state;
    if (setlocale(LC_ALL, "de_DE.UTF-8") == NULL && setlocale(LC_ALL, "fr_FR.UTF-8") == NULL) {
        print_message("no locale with a decimal comma here: skipping\n");
        return;
    }
    json_t *value = parse("[0.5]");
    ic_buffer buffer = {.context = context};
    assert_true(json_real_value(json_array_get(value, 0)) == 0.5);
    assert_ok(ic_json_print(value, &buffer));
    assert_string_equal((char *)buffer.bytes, "[0.5]");
    setlocale(LC_ALL, "C");
    ic_buffer_free(&buffer);
    json_decref(value);
}

static int set_up(void **state)
{
    (void)state;
    context = test_context(1);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    ic_context_free(context);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse_is_strict),
        cmocka_unit_test(test_same_value_same_text),
        cmocka_unit_test(test_members_are_checked),
        cmocka_unit_test(test_set_takes_over),
        cmocka_unit_test(test_printing_runs_out_of_memory),
        cmocka_unit_test(test_locale_does_not_matter),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}

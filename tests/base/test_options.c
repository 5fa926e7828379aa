/* test_options.c: the table, setting with checks, suggestions, reading. SPDX-License-Identifier:
 * MIT */
#include "base/options.h"
#include "base/text.h"
#include "support/support.h"

#include <math.h>
#include <string.h>

static ic_context *context;

static ic_options *new_options(void)
{
    ic_options *options = NULL;
    assert_ok(ic_options_create(context, &options));
    return options;
}

static int known_owners(const char *owner)
{
    static const char *const owners[] = {"context",     "dataset",          "model",
                                         "trainer",     "evaluation",       "inspection",
                                         "explanation", "cross-validation", "report"};
    while (*owner != '\0') {
        size_t length = strcspn(owner, ","), found = 0;
        for (size_t i = 0; i < sizeof owners / sizeof *owners; i++)
            found += strlen(owners[i]) == length && strncmp(owner, owners[i], length) == 0;
        if (found != 1)
            return 0;
        owner += length + (owner[length] == ',');
    }
    return 1;
}

/* Every row is complete, its default is one of its own values, and it reads as its default. */
static void test_table_is_sound(void **state)
{
    (void)state;
    assert_true(ic_option_count() > 30);
    for (int32_t i = 0; i < ic_option_count(); i++) {
        const char *name, *owner, *type, *default_value, *values, *help;
        assert_ok(ic_option_info(i, &name, &owner, &type, &default_value, &values, &help));
        assert_true(strlen(name) > 2 && strlen(help) > 10 && known_owners(owner));
        assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz_0123456789"), strlen(name));
        assert_int_equal(values[0] == '\0', strcmp(type, "text") == 0);
        assert_string_equal(ic_option_nearest(name), name);
        for (int32_t j = 0; j < i; j++) {
            const char *other;
            assert_ok(ic_option_info(j, &other, NULL, NULL, NULL, NULL, NULL));
            assert_string_not_equal(name, other);
        }
        ic_options *options = new_options();
        assert_false(ic_option_is_set(options, name));
        double before = ic_option_float(options, name);
        assert_ok(ic_options_set_text(options, name, default_value));
        assert_true(ic_option_is_set(options, name));
        assert_true(ic_option_float(options, name) == before);
        assert_string_equal(ic_option_text(options, name), ic_option_text(NULL, name));
        ic_options_free(options);
    }
    assert_fails(IC_ERROR_ARGUMENT, "index",
                 ic_option_info(-1, NULL, NULL, NULL, NULL, NULL, NULL));
    assert_fails(IC_ERROR_ARGUMENT, "index",
                 ic_option_info(ic_option_count(), NULL, NULL, NULL, NULL, NULL, NULL));
    assert_ok(ic_option_info(0, NULL, NULL, NULL, NULL, NULL, NULL));
}

static void test_numbers(void **state)
{
    (void)state;
    ic_options *options = new_options();
    assert_ok(ic_options_set_int(options, "patience", 12));
    assert_int_equal(ic_option_int(options, "patience"), 12);
    assert_true(ic_option_float(options, "patience") == 12);
    assert_ok(ic_options_set_float(options, "patience", 13));
    assert_int_equal(ic_option_int(options, "patience"), 13);
    assert_ok(ic_options_set_int(options, "learning_rate", 2));
    assert_true(ic_option_float(options, "learning_rate") == 2);
    assert_ok(ic_options_set_text(options, "learning-rate", "1e-3"));
    assert_true(ic_option_float(options, "learning_rate") == 1e-3);
    assert_ok(ic_options_set_int(options, "seed", 4294967295));
    assert_true(ic_option_int(options, "seed") == 4294967295);
    assert_ok(ic_options_set_float(options, "weight_decay", -1));

    assert_fails(IC_ERROR_OPTION, "option \"patience\" takes 0..100000, not 100001",
                 ic_options_set_int(options, "patience", 100001));
    assert_fails(IC_ERROR_OPTION, "0..100000, not -9223372036854775808",
                 ic_options_set_int(options, "patience", INT64_MIN));
    assert_fails(IC_ERROR_OPTION, "takes whole numbers 0..100000, not 2.5",
                 ic_options_set_float(options, "patience", 2.5));
    assert_fails(IC_ERROR_OPTION, "not nan", ic_options_set_float(options, "patience", NAN));
    assert_fails(IC_ERROR_OPTION, "not nan", ic_options_set_float(options, "momentum", NAN));
    assert_fails(IC_ERROR_OPTION, "not inf", ic_options_set_float(options, "patience", INFINITY));
    assert_fails(IC_ERROR_OPTION, "not 1e300", ic_options_set_float(options, "momentum", 1e300));
    assert_fails(IC_ERROR_OPTION, "-1..0.9999, not 1", ic_options_set_int(options, "momentum", 1));
    assert_fails(IC_ERROR_OPTION, "takes 0..100, not 1e300",
                 ic_options_set_text(options, "learning_rate", "1e300"));
    assert_fails(IC_ERROR_OPTION, "takes numbers 0..100, not \"0,5\"",
                 ic_options_set_text(options, "learning_rate", "0,5"));
    assert_fails(IC_ERROR_OPTION, "takes whole numbers 0..100000, not \"\"",
                 ic_options_set_text(options, "patience", ""));
    assert_int_equal(ic_option_int(options, "patience"), 13);
    ic_options_free(options);
}

static void test_texts_and_choices(void **state)
{
    (void)state;
    ic_options *options = new_options();
    assert_string_equal(ic_option_text(options, "network"), "auto");
    assert_ok(ic_options_set_text(options, "network", "resnet9"));
    assert_ok(ic_options_set_text(options, "network", "mobilenet-v2"));
    assert_string_equal(ic_option_text(options, "network"), "mobilenet_v2");
    assert_ok(ic_options_set_text(options, "schedule", "one_cycle"));
    assert_string_equal(ic_option_text(options, "schedule"), "one-cycle");
    assert_ok(ic_options_set_text(options, "mean", "0.5,0.5,0.5"));
    assert_string_equal(ic_option_text(options, "mean"), "0.5,0.5,0.5");

    assert_fails(IC_ERROR_OPTION,
                 "|mobilenet_v2|mobilenet_v3_large|efficientnet_b0, not \"resnet99\": did you mean "
                 "\"resnet9\"?",
                 ic_options_set_text(options, "network", "resnet99"));
    assert_fails(IC_ERROR_OPTION, "not \"zebra\"",
                 ic_options_set_text(options, "network", "zebra"));
    assert_null(strstr(ic_last_error(), "did you mean"));
    assert_fails(IC_ERROR_OPTION, "not \"resnet\": did you mean \"resnet9\"?",
                 ic_options_set_text(options, "network", "resnet"));
    assert_fails(IC_ERROR_OPTION, "not \"\"", ic_options_set_text(options, "network", ""));
    assert_fails(IC_ERROR_OPTION, "not \"auto|\"",
                 ic_options_set_text(options, "network", "auto|"));
    assert_fails(IC_ERROR_OPTION, "takes auto|sgd|adamw|muon, not the number 3",
                 ic_options_set_int(options, "optimizer", 3));
    assert_ok(ic_options_set_float(options, "views", 2.0)); /* a choice that is a number */
    assert_string_equal(ic_option_text(options, "views"), "2");
    assert_fails(IC_ERROR_OPTION, "1|2|6", ic_options_set_float(options, "views", 2.5));
    assert_ok(ic_options_set_int(options, "views", 6));
    assert_string_equal(ic_option_text(options, "views"), "6");
    assert_fails(IC_ERROR_OPTION, "takes text, not the number 0.5",
                 ic_options_set_float(options, "mean", 0.5));
    assert_string_equal(ic_option_text(options, "network"), "mobilenet_v2");
    assert_string_equal(ic_option_text(options, "epochs"), "");
    ic_options_free(options);
}

static void test_suggestions(void **state)
{
    (void)state;
    ic_options *options = new_options();
    assert_fails(IC_ERROR_OPTION,
                 "unknown option \"learning_rat\": did you mean \"learning_rate\"?",
                 ic_options_set_int(options, "learning_rat", 1));
    assert_fails(IC_ERROR_OPTION, "unknown option \"zzzzzz\"",
                 ic_options_set_int(options, "zzzzzz", 1));
    assert_null(strstr(ic_last_error(), "did you mean"));
    assert_string_equal(ic_option_nearest("epoch"), "epochs");
    assert_string_equal(ic_option_nearest("epohcs"), "epochs");
    assert_string_equal(ic_option_nearest("batchsize"), "batch_size");
    assert_string_equal(ic_option_nearest("labelsmothing"), "label_smoothing");
    assert_string_equal(ic_option_nearest("weight-decay"), "weight_decay");
    assert_string_equal(ic_option_nearest("optimiser"), "optimizer");
    assert_null(ic_option_nearest(""));
    assert_null(ic_option_nearest(NULL));
    char longer[500];
    memset(longer, 'x', sizeof longer);
    longer[499] = '\0';
    assert_null(ic_option_nearest(longer));
    assert_fails(IC_ERROR_OPTION, "unknown option", ic_options_set_text(options, longer, "1"));
    ic_options_free(options);
}

static void test_arguments(void **state)
{
    (void)state;
    ic_options *options = new_options(), *none = NULL;
    assert_fails(IC_ERROR_ARGUMENT, "context", ic_options_create(NULL, &none));
    assert_fails(IC_ERROR_ARGUMENT, "out", ic_options_create(context, NULL));
    assert_fails(IC_ERROR_ARGUMENT, "options", ic_options_set_int(NULL, "epochs", 1));
    assert_fails(IC_ERROR_ARGUMENT, "name", ic_options_set_float(options, NULL, 1));
    assert_fails(IC_ERROR_ARGUMENT, "\"epochs\"", ic_options_set_text(options, "epochs", NULL));
    ic_options_free(NULL);
    assert_int_equal(ic_option_int(NULL, "no such"), 0);
    assert_string_equal(ic_option_text(options, "no such"), "");
    assert_false(ic_option_is_set(options, "no such"));
    assert_false(ic_option_is_set(NULL, "epochs"));
    ic_options_free(options);
}

static ic_status fill(ic_context *failing, void *payload)
{
    (void)payload;
    ic_options *options = NULL;
    ic_status status = ic_options_create(failing, &options);
    if (status == IC_OK)
        status = ic_options_set_text(options, "mean", "0.5");
    if (status == IC_OK)
        status = ic_options_set_text(options, "network", "resnet9");
    ic_options_free(options);
    return status;
}

static void test_running_out(void **state)
{
    (void)state;
    assert_int_equal(test_fail_each_allocation(fill, NULL), 3);
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
        cmocka_unit_test(test_table_is_sound),    cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_texts_and_choices), cmocka_unit_test(test_suggestions),
        cmocka_unit_test(test_arguments),         cmocka_unit_test(test_running_out),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}

/* dataset/test_split.c: what is held out, and that nothing but content decides.
 * SPDX-License-Identifier: MIT */
#include "dataset/pictures.h"

#include "base/status.h"

#include <stdio.h>
#include <string.h>

/* Adds picture `seed`, as many times as said, to a class. */
static void add(ic_dataset *dataset, const char *class_name, uint32_t seed, int32_t copies)
{
    ic_image *image = make_image(ic_dataset_context(dataset), 4, 4, seed);
    for (int32_t i = 0; i < copies; i++)
        assert_ok(ic_dataset_add_image(dataset, image, class_name));
    ic_image_free(image);
}

static ic_dataset *create(ic_context *context)
{
    ic_dataset *dataset;
    assert_ok(ic_dataset_create(context, NULL, &dataset));
    return dataset;
}

/* Whether a set has a picture with this digest. */
static bool has(const ic_dataset *dataset, const unsigned char *digest)
{
    for (int64_t i = 0; i < ic_dataset_count(dataset); i++)
        if (memcmp(ic_dataset_at(dataset, i)->digest, digest, IC_SHA256_BYTES) == 0)
            return true;
    return false;
}

static void expect_no_overlap(const ic_dataset *train, const ic_dataset *validation)
{
    for (int64_t i = 0; i < ic_dataset_count(validation); i++)
        assert_false(has(train, ic_dataset_at(validation, i)->digest));
}

static void expect_same(const ic_dataset *a, const ic_dataset *b)
{
    assert_int_equal(ic_dataset_count(a), ic_dataset_count(b));
    for (int64_t i = 0; i < ic_dataset_count(a); i++)
        assert_true(has(b, ic_dataset_at(a, i)->digest));
}

static void each_class_gives_its_share(void **state)
{
    (void)state;
    ic_context *context = test_context(1);
    ic_dataset *dataset = create(context), *train, *validation;
    for (uint32_t i = 0; i < 100; i++)
        add(dataset, "many", i, 1);
    for (uint32_t i = 0; i < 10; i++)
        add(dataset, "some", 1000 + i, 1);
    for (uint32_t i = 0; i < 2; i++)
        add(dataset, "two", 2000 + i, 1);
    add(dataset, "one", 3000, 1);
    assert_ok(ic_dataset_split_by(dataset, 7, 0.2, &train, &validation));
    assert_int_equal(count_of(validation, "many"), 20);
    assert_int_equal(count_of(validation, "some"), 2);
    assert_int_equal(count_of(validation, "two"), 1);
    assert_int_equal(count_of(validation, "one"), 0);
    assert_int_equal(ic_dataset_count(train) + ic_dataset_count(validation), 113);
    expect_no_overlap(train, validation);
    for (int64_t i = 0; i < ic_dataset_count(train); i++) { /* keys name the same pictures */
        int64_t key = ic_dataset_key(train, i);
        assert_ptr_equal(ic_dataset_at(train, i), ic_dataset_at(dataset, key));
    }
    ic_dataset_free(train);
    ic_dataset_free(validation);
    assert_ok(ic_dataset_split_by(dataset, 7, 0.9, &train, &validation));
    assert_int_equal(count_of(train, "two"), 1); /* never all of a class */
    ic_dataset_free(train);
    ic_dataset_free(validation);
    ic_dataset_free(dataset);
    ic_context_free(context);
}

static void copies_stay_on_one_side(void **state)
{
    (void)state;
    ic_context *context = test_context(1);
    ic_dataset *dataset = create(context);
    for (uint32_t i = 0; i < 30; i++)
        add(dataset, "a", i, 1 + (int32_t)(i % 5));
    for (uint32_t i = 0; i < 30; i++)
        add(dataset, "b", 100 + i, 3);
    add(dataset, "b", 5, 1); /* the same picture under two classes */
    add(dataset, "giant", 500, 60);
    add(dataset, "giant", 501, 50);
    for (uint64_t seed = 0; seed < 20; seed++) {
        ic_dataset *train, *validation;
        assert_ok(ic_dataset_split_by(dataset, seed, 0.2, &train, &validation));
        expect_no_overlap(train, validation);
        assert_in_range(count_of(validation, "a"), 16, 20); /* of 90: 18 */
        assert_in_range(count_of(validation, "b"), 17, 19); /* of 91: 18 */
        int64_t giant = count_of(validation, "giant");
        assert_true(giant == 50 || giant == 60);
        ic_dataset_free(train);
        ic_dataset_free(validation);
    }
    ic_dataset_free(dataset);
    ic_context_free(context);
}

static void order_does_not_matter_and_seeds_do(void **state)
{
    (void)state;
    ic_context *context = test_context(1);
    ic_dataset *forward = create(context), *backward = create(context);
    for (uint32_t i = 0; i < 60; i++)
        add(forward, i < 30 ? "a" : "b", i, 1);
    for (uint32_t i = 60; i-- > 0;)
        add(backward, i < 30 ? "a" : "b", i, 1);
    ic_dataset *train[3], *validation[3];
    assert_ok(ic_dataset_split_by(forward, 1, 0.25, &train[0], &validation[0]));
    assert_ok(ic_dataset_split_by(backward, 1, 0.25, &train[1], &validation[1]));
    assert_ok(ic_dataset_split_by(forward, 2, 0.25, &train[2], &validation[2]));
    expect_same(validation[0], validation[1]);
    expect_same(train[0], train[1]);
    int32_t shared = 0;
    for (int64_t i = 0; i < ic_dataset_count(validation[2]); i++)
        shared += has(validation[0], ic_dataset_at(validation[2], i)->digest);
    assert_true(shared < 12); /* of 16 */
    for (int32_t i = 0; i < 3; i++) {
        ic_dataset_free(train[i]);
        ic_dataset_free(validation[i]);
    }
    ic_dataset_free(forward);
    ic_dataset_free(backward);
    ic_context_free(context);
}

static void options_say_seed_and_share(void **state)
{
    (void)state;
    ic_context *context = test_context(1);
    ic_dataset *dataset = create(context), *train[2], *validation[2];
    for (uint32_t i = 0; i < 40; i++)
        add(dataset, "a", i, 1);
    ic_options *options;
    assert_ok(ic_options_create(context, &options));
    assert_ok(ic_options_set_int(options, "seed", 9));
    assert_ok(ic_options_set_float(options, "validation_share", 0.5));
    assert_ok(ic_dataset_split(dataset, options, &train[0], &validation[0]));
    assert_ok(ic_dataset_split_by(dataset, 9, 0.5, &train[1], &validation[1]));
    assert_int_equal(ic_dataset_count(validation[0]), 20);
    expect_same(validation[0], validation[1]);
    for (int32_t i = 0; i < 2; i++) {
        ic_dataset_free(train[i]);
        ic_dataset_free(validation[i]);
    }
    ic_options_free(options);
    ic_dataset_free(dataset);
    ic_context_free(context);
}

static void declared_parts_are_kept(void **state)
{
    (void)state;
    const char *root = test_folder();
    for (uint32_t i = 0; i < 12; i++) {
        char name[64];
        snprintf(name, sizeof name, "one/%s/%s/%u.png",
                 i < 6   ? "train"
                 : i < 9 ? "val"
                         : "test",
                 i % 2 ? "a" : "b", i);
        make_picture(root, name, i);
        snprintf(name, sizeof name, "two/%s/%s/%u.png", i < 8 ? "train" : "test", i % 2 ? "a" : "b",
                 i);
        make_picture(root, name, i);
        snprintf(name, sizeof name, "three/test/%s/%u.png", i % 2 ? "a" : "b", i);
        make_picture(root, name, i);
    }
    ic_context *context = test_context(1);
    static const struct {
        const char *name;
        int64_t train, validation;
        ic_part validation_part;
    } cases[] = {{"one", 6, 3, IC_PART_VALIDATION},
                 {"two", 6, 2, IC_PART_TRAIN},
                 {"three", 10, 2, IC_PART_TEST}};
    for (size_t i = 0; i < 3; i++) {
        ic_dataset *dataset, *train, *validation;
        assert_ok(ic_dataset_open(context, test_path(root, cases[i].name), NULL, &dataset));
        assert_ok(ic_dataset_split(dataset, NULL, &train, &validation));
        assert_int_equal(ic_dataset_count(train), cases[i].train);
        assert_int_equal(ic_dataset_count(validation), cases[i].validation);
        for (int64_t k = 0; k < cases[i].validation; k++)
            assert_int_equal(ic_dataset_at(validation, k)->part, cases[i].validation_part);
        ic_dataset_free(train);
        ic_dataset_free(validation);
        ic_dataset_free(dataset);
    }
    ic_context_free(context);
    test_folder_remove(root);
}

static void nothing_to_hold_out_is_an_error(void **state)
{
    (void)state;
    ic_context *context = test_context(1);
    ic_dataset *dataset = create(context), *train = NULL, *validation = NULL;
    assert_fails(IC_ERROR_DATA, "no class has two different",
                 ic_dataset_split(dataset, NULL, &train, &validation));
    add(dataset, "a", 1, 5); /* five copies are one picture */
    add(dataset, "b", 2, 1);
    assert_fails(IC_ERROR_DATA, "no class has two different",
                 ic_dataset_split(dataset, NULL, &train, &validation));
    ic_dataset_free(dataset);
    dataset = create(context); /* five different pictures, each in both classes */
    for (uint32_t i = 0; i < 10; i++)
        add(dataset, i < 5 ? "a" : "b", i % 5, 1);
    add(dataset, "c", 7, 1);
    assert_fails(IC_ERROR_DATA, "10 of 11 pictures lie in two classes: inspect the data",
                 ic_dataset_split(dataset, NULL, &train, &validation));
    assert_null(train);
    assert_null(validation);
    ic_dataset_free(dataset);
    ic_context_free(context);
}

/* Recorded models find their held-out pictures by the seed: the split must never change. */
static void the_split_is_what_it_always_was(void **state)
{
    (void)state;
    ic_context *context = test_context(1);
    ic_dataset *dataset = create(context), *train, *validation;
    for (uint32_t i = 0; i < 200; i++)
        add(dataset, i % 3 == 0 ? "a" : i % 7 == 0 ? "b" : "c", i, 1 + (int32_t)(i % 11 == 0) * 2);
    add(dataset, "b", 9, 1); /* also in a */
    add(dataset, "giant", 500, 40);
    add(dataset, "giant", 501, 30);
    unsigned char digest[IC_SHA256_BYTES];
    char text[IC_SHA256_TEXT];
    assert_ok(ic_dataset_split_by(dataset, 5, 0.15, &train, &validation));
    ic_dataset_digest(validation, digest);
    ic_sha256_text(digest, text);
    assert_string_equal(text, "d6f8dfa46f0f4b57acb566fcf36c2b228fef07eba28e1eb4ddc70ca772bba19f");
    ic_dataset_free(train);
    ic_dataset_free(validation);
    ic_dataset_free(dataset);
    ic_context_free(context);
}

static ic_status split_flow(ic_context *context, void *payload)
{
    (void)payload;
    ic_dataset *dataset, *train, *validation;
    IC_TRY(ic_dataset_create(context, NULL, &dataset));
    ic_status status = IC_OK;
    for (uint8_t i = 0; i < 6 && status >= 0; i++) {
        unsigned char pixels[4] = {i, 1, 2, 3};
        ic_image *image;
        status = ic_image_from_pixels(context, pixels, 2, 2, 0, IC_PIXELS_GREY8, &image);
        if (status < 0)
            break;
        status = ic_dataset_add_image(dataset, image, i % 2 ? "a" : "b");
        ic_image_free(image);
    }
    if (status >= 0)
        status = ic_dataset_split_by(dataset, 1, 0.3, &train, &validation);
    if (status >= 0) {
        ic_dataset_free(train);
        ic_dataset_free(validation);
    }
    ic_dataset_free(dataset);
    return status;
}

static void every_failing_allocation_is_reported(void **state)
{
    (void)state;
    assert_true(test_fail_each_allocation(split_flow, NULL) > 15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_class_gives_its_share),
        cmocka_unit_test(copies_stay_on_one_side),
        cmocka_unit_test(order_does_not_matter_and_seeds_do),
        cmocka_unit_test(options_say_seed_and_share),
        cmocka_unit_test(declared_parts_are_kept),
        cmocka_unit_test(nothing_to_hold_out_is_an_error),
        cmocka_unit_test(the_split_is_what_it_always_was),
        cmocka_unit_test(every_failing_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

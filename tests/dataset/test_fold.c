/* dataset/test_fold.c: k folds and groups: nothing is on two sides, every picture is held out once,
 * classes are spread evenly. SPDX-License-Identifier: MIT */
#include "dataset/pictures.h"

#include "base/random.h"
#include "base/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 120, SETS = 1000 };

static const char *const names[] = {"a", "b", "c", "d"};

/* A random set: classes of several sizes, some pictures in groups, some of them copies. */
typedef struct random_set {
    ic_dataset *dataset;
    int32_t count;
    bool grouped, copied;
} random_set;

static void add_one(ic_dataset *dataset, uint32_t content, const char *class_name)
{
    const unsigned char pixels[4] = {(unsigned char)content, (unsigned char)(content >> 8), 1, 2};
    ic_image *image;
    assert_ok(ic_image_from_pixels(ic_dataset_context(dataset), pixels, 2, 2, 0, IC_PIXELS_GREY8,
                                   &image));
    assert_ok(ic_dataset_add_image(dataset, image, class_name));
    ic_image_free(image);
}

static random_set make_random(ic_context *context, uint64_t seed)
{
    ic_random random = ic_random_at(seed, IC_USE_SHUFFLE, 1, 2);
    random_set set = {.count = 8 + (int32_t)ic_random_below(&random, MOST - 8)};
    const uint64_t classes = 1 + ic_random_below(&random, 4);
    const uint64_t groups = ic_random_below(&random, 3) * (1 + ic_random_below(&random, 40));
    const bool across = ic_random_below(&random, 2) == 1; /* groups reach over classes */
    set.grouped = groups > 0;
    set.copied = ic_random_below(&random, 2) == 1;
    assert_ok(ic_dataset_create(context, NULL, &set.dataset));
    for (int32_t i = 0; i < set.count; i++) {
        const uint64_t class = ic_random_below(&random, 1 + ic_random_below(&random, classes));
        const uint32_t content =
            set.copied && i > 0 && ic_random_below(&random, 5) == 0 ? (uint32_t)i - 1 : (uint32_t)i;
        char group[32];
        add_one(set.dataset, content, names[class]);
        snprintf(group, sizeof group, "%d%s", (int)ic_random_below(&random, groups + 1),
                 across ? "" : names[class]);
        if (groups > 0 && ic_random_below(&random, 4) > 0)
            assert_ok(ic_dataset_set_group(set.dataset, i, group));
    }
    return set;
}

static void expect_apart(const ic_dataset *train, const ic_dataset *validation)
{
    for (int64_t i = 0; i < ic_dataset_count(validation); i++)
        for (int64_t k = 0; k < ic_dataset_count(train); k++) {
            const ic_item *a = ic_dataset_at(validation, i), *b = ic_dataset_at(train, k);
            assert_int_not_equal(memcmp(a->digest, b->digest, IC_SHA256_BYTES), 0);
            assert_true(a->group == 0 || a->group != b->group);
        }
}

/* Each class in each fold: n / folds, rounded down or up. */
static void expect_even(const ic_dataset *all, const ic_dataset *validation, int32_t folds)
{
    for (int32_t c = 0; c < ic_dataset_class_count(all); c++) {
        int64_t whole, part;
        assert_ok(ic_dataset_class(all, c, NULL, &whole));
        assert_ok(ic_dataset_class(validation, c, NULL, &part));
        assert_in_range(part, whole / folds, (whole + folds - 1) / folds);
    }
}

static void check_folds(ic_options *options, const random_set *set, int32_t folds)
{
    int32_t held_out[MOST] = {0};
    for (int32_t fold = 0; fold < folds; fold++) {
        ic_dataset *train = NULL, *validation = NULL;
        ic_status status = ic_dataset_fold(set->dataset, options, folds, fold, &train, &validation);
        if (status == IC_ERROR_DATA) { /* few groups bind all */
            assert_true(set->grouped || set->copied || set->count < folds);
            assert_non_null(strstr(ic_last_error(), "fewer folds"));
            assert_null(train);
            return;
        }
        assert_ok(status);
        assert_int_equal(ic_dataset_count(train) + ic_dataset_count(validation), set->count);
        assert_true(ic_dataset_count(validation) > 0);
        expect_apart(train, validation);
        for (int64_t i = 0; i < ic_dataset_count(validation); i++)
            held_out[ic_dataset_key(validation, i)]++;
        if (!set->grouped && !set->copied)
            expect_even(set->dataset, validation, folds);
        ic_dataset_free(train);
        ic_dataset_free(validation);
    }
    for (int32_t i = 0; i < set->count; i++)
        assert_int_equal(held_out[i], 1);
}

static void random_sets_are_parted_as_promised(void **state)
{
    (void)state;
    ic_context *context = test_context(1);
    int32_t split = 0, refused = 0;
    ic_options *options;
    assert_ok(ic_options_create(context, &options));
    for (uint64_t seed = 0; seed < SETS; seed++) {
        random_set set = make_random(context, seed);
        ic_dataset *train, *validation;
        assert_ok(ic_options_set_int(options, "seed", (int64_t)seed));
        check_folds(options, &set, 2 + (int32_t)(seed % 9));
        for (int32_t index = 0; index < 2; index++) {
            ic_status status = ic_dataset_fold(set.dataset, options, 0, index, &train, &validation);
            if (status == IC_ERROR_DATA) {
                refused++;
                continue;
            }
            assert_ok(status);
            split++;
            expect_apart(train, validation);
            for (int32_t c = 0; c < ic_dataset_class_count(set.dataset); c++) {
                int64_t left;
                assert_ok(ic_dataset_class(train, c, NULL, &left));
                assert_true(left > 0);
            }
            ic_dataset_free(train);
            ic_dataset_free(validation);
        }
        ic_dataset_free(set.dataset);
    }
    assert_true(split > 1500);
    assert_true(refused < 500);
    ic_options_free(options);
    ic_context_free(context);
}

/* Ten patients of each of two classes, of 1 to 10 pictures. */
static ic_dataset *make_patients(ic_context *context)
{
    ic_dataset *dataset;
    uint32_t content = 0;
    assert_ok(ic_dataset_create(context, NULL, &dataset));
    for (int32_t patient = 0; patient < 20; patient++)
        for (int32_t i = 0; i < 1 + patient / 2; i++) {
            char name[16];
            snprintf(name, sizeof name, "p%d", patient);
            add_one(dataset, content++, names[patient % 2]);
            assert_ok(ic_dataset_set_group(dataset, ic_dataset_count(dataset) - 1, name));
        }
    return dataset;
}

static void groups_are_spread_as_evenly_as_they_can_be(void **state)
{
    (void)state;
    ic_context *context = test_context(1);
    ic_dataset *dataset = make_patients(context), *train, *validation;
    for (int32_t fold = 0; fold < 5; fold++) { /* 55 pictures a class: 11 a fold */
        assert_ok(ic_dataset_fold(dataset, NULL, 5, fold, &train, &validation));
        assert_in_range(count_of(validation, "a"), 9, 13);
        assert_in_range(count_of(validation, "b"), 9, 13);
        expect_apart(train, validation);
        ic_dataset_free(train);
        ic_dataset_free(validation);
    }
    assert_ok(ic_dataset_split_by(dataset, 3, 0.2, &train, &validation));
    assert_in_range(count_of(validation, "a"), 8, 14);
    assert_in_range(count_of(validation, "b"), 8, 14);
    ic_dataset_free(train);
    ic_dataset_free(validation);
    ic_dataset_free(dataset);
    ic_context_free(context);
}

/* Group x holds pictures 0 and 1, group y 2 and 3; 4 is a copy of 1 in group y. */
static void copies_and_groups_bind_together(void **state)
{
    (void)state;
    ic_context *context = test_context(1);
    ic_dataset *dataset, *train, *validation;
    assert_ok(ic_dataset_create(context, NULL, &dataset));
    for (uint32_t i = 0; i < 20; i++)
        add_one(dataset, i == 4 ? 1 : i, "a");
    for (int64_t i = 0; i < 5; i++)
        assert_ok(ic_dataset_set_group(dataset, i, i < 2 ? "x" : "y"));
    for (int32_t fold = 0; fold < 4; fold++) {
        int32_t bound = 0;
        assert_ok(ic_dataset_fold(dataset, NULL, 4, fold, &train, &validation));
        for (int64_t i = 0; i < ic_dataset_count(validation); i++)
            bound += ic_dataset_key(validation, i) < 5;
        assert_true(bound == 0 || bound == 5);
        assert_int_equal(ic_dataset_count(validation), 5);
        ic_dataset_free(train);
        ic_dataset_free(validation);
    }
    int64_t number[2];
    assert_ok(ic_dataset_group(dataset, 0, &number[0]));
    assert_ok(ic_dataset_group(dataset, 1, &number[1]));
    assert_true(number[0] > 0 && number[0] == number[1]);
    assert_ok(ic_dataset_group(dataset, 3, &number[1]));
    assert_true(number[1] > 0 && number[0] != number[1]);
    assert_ok(ic_dataset_group(dataset, 5, &number[1]));
    assert_int_equal(number[1], 0);
    ic_dataset_free(dataset);
    ic_context_free(context);
}

static void small_classes_are_spread(void **state)
{
    (void)state;
    ic_context *context = test_context(1);
    ic_dataset *dataset, *train, *validation;
    assert_ok(ic_dataset_create(context, NULL, &dataset));
    for (uint32_t i = 0; i < 43; i++)
        add_one(dataset, i, i < 3 ? "few" : "many");
    int64_t most = 0;
    for (int32_t fold = 0; fold < 10; fold++) {
        assert_ok(ic_dataset_fold(dataset, NULL, 10, fold, &train, &validation));
        most = count_of(validation, "few") > most ? count_of(validation, "few") : most;
        assert_int_equal(count_of(validation, "many"), 4);
        ic_dataset_free(train);
        ic_dataset_free(validation);
    }
    assert_int_equal(most, 1);
    train = validation = NULL;
    assert_fails(IC_ERROR_DATA, "50 folds want 50",
                 ic_dataset_fold(dataset, NULL, 50, 0, &train, &validation));
    assert_fails(IC_ERROR_ARGUMENT, "no fold 5 of 5",
                 ic_dataset_fold(dataset, NULL, 5, 5, &train, &validation));
    assert_fails(IC_ERROR_ARGUMENT, "no fold 0 of 1",
                 ic_dataset_fold(dataset, NULL, 1, 0, &train, &validation));
    assert_null(train);
    ic_dataset_free(dataset);
    ic_context_free(context);
}

static void folds_and_repetitions_follow_the_seed(void **state)
{
    (void)state;
    ic_context *context = test_context(1);
    ic_dataset *dataset = make_patients(context), *train, *sides[6];
    ic_options *options;
    unsigned char digests[6][IC_SHA256_BYTES];
    assert_ok(ic_options_create(context, &options));
    assert_ok(ic_dataset_split(dataset, options, &train, &sides[0]));
    ic_dataset_free(train);
    for (int32_t i = 1; i < 6; i++) { /* hold-out 0 and 1; fold 0 of 5 twice and by another seed */
        assert_ok(ic_options_set_int(options, "seed", i == 5 ? 2 : 1));
        assert_ok(ic_dataset_fold(dataset, options, i < 3 ? 0 : 5, i == 2, &train, &sides[i]));
        ic_dataset_free(train);
    }
    for (int32_t i = 0; i < 6; i++) {
        ic_dataset_digest(sides[i], digests[i]);
        ic_dataset_free(sides[i]);
    }
    assert_memory_equal(digests[0], digests[1], IC_SHA256_BYTES);
    assert_memory_not_equal(digests[1], digests[2], IC_SHA256_BYTES);
    assert_memory_equal(digests[3], digests[4], IC_SHA256_BYTES);
    assert_memory_not_equal(digests[4], digests[5], IC_SHA256_BYTES);
    ic_options_free(options);
    ic_dataset_free(dataset);
    ic_context_free(context);
}

/* Declared validation pictures take part, test pictures do not. */
static void test_parts_stay_out(void **state)
{
    (void)state;
    const char *root = test_folder();
    ic_context *context = test_context(1);
    ic_dataset *dataset, *train, *validation;
    for (uint32_t i = 0; i < 18; i++) {
        static const char *const parts[] = {"train", "val", "test"};
        char name[64];
        snprintf(name, sizeof name, "%s/%s/%u.png", parts[i % 3], i % 2 ? "a" : "b", i);
        make_picture(root, name, i);
    }
    assert_ok(ic_dataset_open(context, root, NULL, &dataset));
    for (int32_t fold = 0; fold < 3; fold++) {
        assert_ok(ic_dataset_fold(dataset, NULL, 3, fold, &train, &validation));
        assert_int_equal(ic_dataset_count(train), 8);
        assert_int_equal(ic_dataset_count(validation), 4);
        for (int64_t i = 0; i < 4; i++)
            assert_int_not_equal(ic_dataset_at(validation, i)->part, IC_PART_TEST);
        ic_dataset_free(train);
        ic_dataset_free(validation);
    }
    ic_dataset_free(dataset);
    ic_context_free(context);
    test_folder_remove(root);
}

static ic_status fold_flow(ic_context *context, void *payload)
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
        if (status >= 0)
            status = ic_dataset_set_group(dataset, i, i < 2 ? "x" : "");
    }
    if (status >= 0)
        status = ic_dataset_fold(dataset, NULL, 3, 1, &train, &validation);
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
    assert_true(test_fail_each_allocation(fold_flow, NULL) > 15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_sets_are_parted_as_promised),
        cmocka_unit_test(groups_are_spread_as_evenly_as_they_can_be),
        cmocka_unit_test(copies_and_groups_bind_together),
        cmocka_unit_test(small_classes_are_spread),
        cmocka_unit_test(folds_and_repetitions_follow_the_seed),
        cmocka_unit_test(test_parts_stay_out),
        cmocka_unit_test(every_failing_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

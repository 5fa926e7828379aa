/* train/test_train_data.c: the two sets of a training, and what the record says of them.
 * SPDX-License-Identifier: MIT */
#include "shapes.h"

#include "train/data.h"

#include <string.h>

typedef struct world {
    ic_context *context;
    ic_options *options;
    ic_dataset *whole;
    ic_model *model;
} world;

static world begin(int64_t each)
{
    static const char *const pairs[] = {"network", "lenet5", "seed", "3", NULL};
    world made = {.context = test_context(1)};
    made.options = shapes_options(made.context, pairs);
    assert_ok(shapes_dataset(made.context, 0, each, &made.whole));
    assert_ok(ic_model_create(made.context, made.whole, made.options, &made.model));
    return made;
}

static void end(world *made)
{
    ic_model_free(made->model);
    ic_dataset_free(made->whole);
    ic_options_free(made->options);
    ic_context_free(made->context);
}

static void assert_digest(const ic_train_data *data, const ic_dataset *dataset)
{
    unsigned char digest[IC_SHA256_BYTES];
    ic_dataset_digest(dataset, digest);
    assert_memory_equal(digest, data->digest, sizeof digest);
}

static void a_set_is_split(void **state)
{
    world made = begin(20);
    ic_train_data data;
    assert_ok(ic_train_data_prepare(made.model, made.whole, NULL, made.options, &data));
    assert_int_equal(data.pictures, 51);
    assert_int_equal(data.validation_pictures, 9);
    assert_false(data.declared);
    assert_digest(&data, made.whole);
    for (int32_t k = 0; k < SHAPE_CLASSES; k++)
        assert_int_equal(data.class_counts[k], 17);
    assert_ok(ic_train_data_cache(&data, (int64_t)1 << 62));
    ic_train_data_free(&data);
    end(&made);
}

/* Some of it is trained on, so that it is no part that was held out. */
static void a_validation_part_alone_is_split(void **state)
{
    world made = begin(20);
    ic_train_data data;
    for (int64_t i = 0; i < ic_dataset_count(made.whole); i++)
        ((ic_item *)ic_dataset_at(made.whole, i))->part = IC_PART_VALIDATION;
    assert_ok(ic_train_data_prepare(made.model, made.whole, NULL, made.options, &data));
    assert_int_equal(data.pictures, 51);
    assert_false(data.declared);
    ic_train_data_free(&data);
    end(&made);
}

/* A caller who splits first leaves the same record as one who lets the trainer do it. */
static void a_callers_split_is_known_again(void **state)
{
    world made = begin(20);
    ic_train_data data;
    ic_dataset *train, *validation;
    assert_ok(ic_dataset_split(made.whole, made.options, &train, &validation));
    assert_ok(ic_train_data_prepare(made.model, train, validation, made.options, &data));
    assert_false(data.declared);
    assert_digest(&data, made.whole);
    ic_train_data_free(&data);
    /* With another seed the record could not give it back. */
    assert_ok(ic_train_data_prepare(made.model, train, validation, NULL, &data));
    assert_true(data.declared);
    ic_train_data_free(&data);
    ic_dataset_free(train);
    ic_dataset_free(validation);
    end(&made);
}

static void two_sets_have_one_digest(void **state)
{
    world made = begin(20);
    ic_train_data data;
    ic_dataset *first, *second;
    assert_ok(shapes_dataset(made.context, 0, 15, &first));
    assert_ok(shapes_dataset(made.context, 15, 5, &second));
    assert_ok(ic_train_data_prepare(made.model, first, second, made.options, &data));
    assert_true(data.declared);
    assert_int_equal(data.pictures, 45);
    assert_int_equal(data.validation_pictures, 15);
    assert_digest(&data, made.whole);
    ic_train_data_free(&data);
    ic_dataset_free(first);
    ic_dataset_free(second);
    end(&made);
}

static int32_t warnings;

static void count_warnings(int32_t level, const char *message, void *payload)
{
    warnings += level == IC_LOG_WARNING && strstr(message, (const char *)payload) != NULL;
}

static void too_few_to_hold_out_is_worth_a_word(void **state)
{
    world made = begin(1);
    ic_train_data data;
    warnings = 0;
    assert_ok(ic_context_set_log(made.context, count_warnings, "nothing can be held out"));
    assert_ok(ic_train_data_prepare(made.model, made.whole, NULL, made.options, &data));
    assert_int_equal(warnings, 1);
    assert_int_equal(data.pictures, 3);
    assert_int_equal(data.validation_pictures, 0);
    assert_ptr_equal(data.train, data.validation);
    assert_digest(&data, made.whole);
    ic_train_data_free(&data);
    end(&made);
}

static void only_one_class_left_is_an_error(void **state)
{
    world made = begin(4);
    ic_train_data data;
    ic_dataset *squares;
    assert_ok(ic_dataset_create(made.context, NULL, &squares));
    for (uint64_t i = 0; i < 4; i++) {
        ic_image *image = shape_image(made.context, 0, i, SHAPE_SIDE);
        assert_ok(ic_dataset_add_image(squares, image, "square"));
        ic_image_free(image);
    }
    warnings = 0;
    assert_ok(ic_context_set_log(made.context, count_warnings, "has no training picture"));
    assert_fails(IC_ERROR_DATA, "1 classes: at least 2",
                 ic_train_data_prepare(made.model, squares, made.whole, made.options, &data));
    assert_int_equal(warnings, 2);
    ic_dataset_free(squares);
    end(&made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_set_is_split),
        cmocka_unit_test(a_validation_part_alone_is_split),
        cmocka_unit_test(a_callers_split_is_known_again),
        cmocka_unit_test(two_sets_have_one_digest),
        cmocka_unit_test(too_few_to_hold_out_is_worth_a_word),
        cmocka_unit_test(only_one_class_left_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* dataset/test_build.c: data sets filled by the host. SPDX-License-Identifier: MIT */
#include "dataset/pictures.h"

#include "base/status.h"

#include <string.h>

static void pictures_from_memory_and_files(void **state)
{
    (void)state;
    const char *root = test_folder();
    make_picture(root, "file.png", 3);
    ic_context *context = test_context(1);
    ic_dataset *dataset;
    assert_ok(ic_dataset_create(context, NULL, &dataset));
    assert_int_equal(ic_dataset_count(dataset), 0);
    ic_image *image = make_image(context, 7, 5, 1), *read;
    assert_ok(ic_dataset_add_image(dataset, image, "zebra"));
    assert_ok(ic_dataset_add_file(dataset, test_path(root, "file.png"), "ant"));
    char before[IC_ERROR_TEXT_MAX];
    strcpy(before, ic_last_error());
    assert_ok(ic_dataset_add_file(dataset, test_path(root, "gone.png"), "new"));
    assert_string_equal(ic_last_error(), before);
    assert_int_equal(ic_dataset_count(dataset), 2);
    assert_int_equal(ic_dataset_class_count(dataset), 2); /* in the order of their coming */
    assert_string_equal(class_of(dataset, 0), "zebra");
    assert_string_equal(origin_of(dataset, 0), "memory#1");
    assert_string_equal(class_of(dataset, 1), "ant");
    assert_string_equal(origin_of(dataset, 1), test_path(root, "file.png"));
    assert_int_equal(ic_dataset_broken_count(dataset), 1);
    const char *path;
    assert_ok(ic_dataset_broken(dataset, 0, &path, NULL));
    assert_string_equal(path, test_path(root, "gone.png"));
    assert_ok(ic_dataset_image(dataset, 0, &read));
    assert_ptr_equal(read, image);
    ic_image_free(read);
    ic_image_free(image);
    ic_dataset_free(dataset);
    ic_context_free(context);
    test_folder_remove(root);
}

static void many_classes_and_pictures(void **state)
{
    (void)state;
    ic_context *context = test_context(1);
    ic_dataset *dataset;
    assert_ok(ic_dataset_create(context, NULL, &dataset));
    ic_image *image = make_image(context, 2, 2, 1);
    for (int32_t i = 0; i < 1000; i++) {
        char name[8] = {(char)('a' + i % 25), (char)('a' + i / 25 % 10), '\0'};
        assert_ok(ic_dataset_add_image(dataset, image, name));
    }
    assert_int_equal(ic_dataset_class_count(dataset), 250);
    for (int32_t i = 0; i < 250; i++) {
        int64_t count;
        assert_ok(ic_dataset_class(dataset, i, NULL, &count));
        assert_int_equal(count, 4);
    }
    for (int64_t i = 0; i < 1000; i++) {
        char name[8] = {(char)('a' + i % 25), (char)('a' + i / 25 % 10), '\0'};
        assert_string_equal(class_of(dataset, i), name);
        assert_int_equal(ic_dataset_key(dataset, i), i);
    }
    ic_image_free(image);
    ic_dataset_free(dataset);
    ic_context_free(context);
}

static void nothing_is_added_under_the_feet_of_others(void **state)
{
    (void)state;
    ic_context *context = test_context(1);
    ic_dataset *dataset, *train, *validation;
    assert_ok(ic_dataset_create(context, NULL, &dataset));
    for (uint32_t i = 0; i < 4; i++) {
        ic_image *image = make_image(context, 2, 2, i);
        assert_ok(ic_dataset_add_image(dataset, image, "a"));
        ic_image_free(image);
    }
    ic_image *image = make_image(context, 2, 2, 9);
    assert_ok(ic_dataset_split(dataset, NULL, &train, &validation));
    assert_fails(IC_ERROR_STATE, "in use", ic_dataset_add_image(dataset, image, "a"));
    ic_dataset_free(train);
    ic_dataset_free(validation);
    assert_ok(ic_dataset_add_image(dataset, image, "a"));
    ic_dataset_retain(dataset);
    assert_fails(IC_ERROR_STATE, "in use", ic_dataset_add_image(dataset, image, "a"));
    ic_dataset_free(dataset);
    assert_fails(IC_ERROR_ARGUMENT, "class name", ic_dataset_add_image(dataset, image, ""));
    assert_fails(IC_ERROR_ARGUMENT, "class name", ic_dataset_add_image(dataset, image, "\xff"));
    assert_fails(IC_ERROR_ARGUMENT, "", ic_dataset_add_image(dataset, NULL, "a"));
    assert_fails(IC_ERROR_ARGUMENT, "", ic_dataset_add_file(NULL, "x", "a"));
    assert_fails(IC_ERROR_ARGUMENT, "", ic_dataset_add_file(dataset, NULL, "a"));
    assert_fails(IC_ERROR_ARGUMENT, "", ic_dataset_create(NULL, NULL, &dataset));
    assert_fails(IC_ERROR_ARGUMENT, "data set and group must",
                 ic_dataset_set_group(dataset, 0, NULL));
    assert_fails(IC_ERROR_ARGUMENT, "data set and group must", ic_dataset_set_group(NULL, 0, "g"));
    ic_image_free(image);
    ic_dataset_free(dataset);
    ic_context_free(context);
}

static ic_status build_flow(ic_context *context, void *payload)
{
    ic_dataset *dataset;
    ic_image *image = NULL;
    IC_TRY(ic_dataset_create(context, NULL, &dataset));
    ic_status status = ic_image_load(context, payload, &image);
    if (status >= 0)
        status = ic_dataset_add_image(dataset, image, "a");
    if (status >= 0)
        status = ic_dataset_add_file(dataset, payload, "b");
    if (status >= 0)
        status = ic_dataset_add_file(dataset, "/nowhere", "b");
    int64_t seen = 0;
    for (int32_t i = 0; i < ic_dataset_class_count(dataset); i++) {
        int64_t count;
        assert_ok(ic_dataset_class(dataset, i, NULL, &count));
        seen += count;
    }
    assert_int_equal(seen, ic_dataset_count(dataset)); /* also after a failure */
    ic_image_free(image);
    ic_dataset_free(dataset);
    return status;
}

static void every_failing_allocation_is_reported(void **state)
{
    (void)state;
    const char *root = test_folder();
    make_picture(root, "file.png", 3);
    assert_true(test_fail_each_allocation(build_flow, (void *)test_path(root, "file.png")) > 10);
    test_folder_remove(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pictures_from_memory_and_files),
        cmocka_unit_test(many_classes_and_pictures),
        cmocka_unit_test(nothing_is_added_under_the_feet_of_others),
        cmocka_unit_test(every_failing_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

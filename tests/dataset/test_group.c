/* dataset/test_group.c: which pictures the option group puts together. SPDX-License-Identifier: MIT
 */
#include "dataset/pictures.h"

#include <imgcls/dataset.h>

#include <stdio.h>
#include <string.h>

static ic_status open_with(ic_context *context, const char *path, const char *group,
                           ic_dataset **out)
{
    ic_options *options;
    assert_ok(ic_options_create(context, &options));
    assert_ok(ic_options_set_text(options, "group", group));
    ic_status status = ic_dataset_open(context, path, options, out);
    ic_options_free(options);
    return status;
}

/* The group of the picture whose path ends so. */
static uint64_t group_of(const ic_dataset *dataset, const char *ending)
{
    for (int64_t i = 0; i < ic_dataset_count(dataset); i++) {
        const ic_item *item = ic_dataset_at(dataset, i);
        size_t length = strlen(item->origin), wanted = strlen(ending);
        if (length >= wanted && strcmp(item->origin + length - wanted, ending) == 0)
            return item->group;
    }
    fail_msg("no picture %s", ending);
    return 0;
}

static void folders_below_classes_are_groups(void **state)
{
    (void)state;
    const char *root = test_folder();
    static const char *const files[] = {"train/a/p1/1.png", "train/a/p1/deep/er/2.png",
                                        "train/a/p2/3.png", "train/a/4.png",
                                        "train/b/p1/5.png", "test/a/p2/6.png"};
    for (uint32_t i = 0; i < 6; i++)
        make_picture(root, files[i], i);
    ic_context *context = test_context(1);
    ic_dataset *dataset;
    assert_ok(open_with(context, root, "folder", &dataset));
    uint64_t one = group_of(dataset, "1.png"), three = group_of(dataset, "3.png");
    assert_true(one != 0 && three != 0 && one != three);
    assert_int_equal(group_of(dataset, "2.png"), one);
    assert_int_equal(group_of(dataset, "4.png"), 0);
    assert_int_equal(group_of(dataset, "5.png"), one);
    assert_int_equal(group_of(dataset, "6.png"), three);
    ic_dataset_free(dataset);
    assert_ok(open_with(context, root, "none", &dataset));
    assert_int_equal(group_of(dataset, "1.png"), 0);
    ic_dataset_free(dataset);
    ic_context_free(context);
    test_folder_remove(root);
}

static void patterns_pick_groups_out_of_names(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *a, *b; /* names */
        int same;                    /* 1: one group; 0: two; -1: a is in none */
    } cases[] = {
        {"name:(person*)_*", "person1_bacteria_2.png", "person1_virus_9.png", 1},
        {"name:(person*)_*", "person1_bacteria_2.png", "person12_virus_9.png", 0},
        {"name:(person*)_*", "IM-0115-0001.png", "person1_virus_9.png", -1},
        {"name:(person*)_*,(IM-*)-*", "IM-0115-0001.png", "IM-0115-0002.png", 1},
        {"name:(person*)_*,(IM-*)-*", "IM-0115-0001.png", "IM-0117-0001.png", 0},
        {"name:*_(\?\?)_*", "x_ab_1.png", "yy_ab_2.png", 1},
        {"name:*_(\?\?)_*", "x_ab_1.png", "yy_ac_2.png", 0},
        {"name:*_(\?\?)_*", "x_abc_1.png", "yy_ac_2.png", -1},
        {"name:*(7)*.png", "1x7x.png", "77.png", 1},
        {"name:*-(*).png", "a-b-c.png", "x-b-c.png", 1},
        {"name:(*)", "a.png", "b.png", 0},
    };
    ic_context *context = test_context(1);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *root = test_folder();
        ic_dataset *dataset;
        char name[64];
        snprintf(name, sizeof name, "k/%s", cases[i].a);
        make_picture(root, name, 1);
        snprintf(name, sizeof name, "k/%s", cases[i].b);
        make_picture(root, name, 2);
        assert_ok(open_with(context, root, cases[i].pattern, &dataset));
        uint64_t a = group_of(dataset, cases[i].a), b = group_of(dataset, cases[i].b);
        assert_true(b != 0);
        assert_int_equal(a == 0 ? -1 : a == b, cases[i].same);
        ic_dataset_free(dataset);
        test_folder_remove(root);
    }
    ic_context_free(context);
}

static void columns_of_manifests_are_groups(void **state)
{
    (void)state;
    const char *root = test_folder();
    ic_context *context = test_context(1);
    ic_dataset *dataset;
    for (uint32_t i = 0; i < 4; i++) {
        char name[32];
        snprintf(name, sizeof name, "f%u/%u.png", i / 2, i);
        make_picture(root, name, i);
    }
    static const char list[] = "patient,path,label\nx,f0/0.png,a\ny,f0/1.png,a\n,f1/2.png,b\n"
                               "x,f1/3.png,b\n";
    const char *path = test_path(root, "list.csv");
    test_write(path, list, sizeof list - 1);
    assert_ok(open_with(context, path, "column:patient", &dataset));
    assert_true(group_of(dataset, "0.png") != 0);
    assert_int_equal(group_of(dataset, "0.png"), group_of(dataset, "3.png"));
    assert_int_not_equal(group_of(dataset, "0.png"), group_of(dataset, "1.png"));
    assert_int_equal(group_of(dataset, "2.png"), 0);
    ic_dataset_free(dataset);
    assert_ok(open_with(context, path, "folder", &dataset));
    assert_int_equal(group_of(dataset, "0.png"), group_of(dataset, "1.png"));
    assert_int_not_equal(group_of(dataset, "1.png"), group_of(dataset, "2.png"));
    ic_dataset_free(dataset);
    dataset = NULL;
    assert_fails(IC_ERROR_DATA, "no column called person",
                 open_with(context, path, "column:person", &dataset));
    assert_null(dataset);
    ic_context_free(context);
    test_folder_remove(root);
}

/* Whether auto, on its own, puts two pictures together among `others` without a number. */
static bool auto_binds(ic_context *context, const char *a, const char *b, int32_t others)
{
    const char *root = test_folder();
    ic_dataset *dataset;
    char name[64];
    make_picture(root, a, 1000);
    make_picture(root, b, 1001);
    for (int32_t i = 0; i < others; i++) {
        snprintf(name, sizeof name, "k/%c%c.png", 'a' + i / 26, 'a' + i % 26);
        make_picture(root, name, (uint32_t)i);
    }
    assert_ok(ic_dataset_open(context, root, NULL, &dataset));
    uint64_t one = group_of(dataset, a), two = group_of(dataset, b);
    assert_int_equal(one == 0, two == 0);
    ic_dataset_free(dataset);
    test_folder_remove(root);
    return one != 0 && one == two;
}

static void series_of_names_are_groups_by_themselves(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        bool together;
    } cases[] = {
        {"k/person23_bacteria_1.png", "k/person23_bacteria_12.png", true},
        {"k/person23_bacteria_1.png", "k/person2_bacteria_1.png", false},
        {"k/IM-0115-0001.png", "j/IM-0115-0002.png", true},
        {"k/7 2.png", "k/7 3.png", true},
        {"k/image_1.png", "k/image_2.png", false}, /* no number is left */
        {"k/p12x1.png", "k/p12x2.png", false},     /* no sign before the number */
        {"k/12_a.png", "k/12_b.png", false},       /* no number at the end */
        {"k/1.1.png", "k/1.2.png", true},
        {"k/-1.png", "k/-2.png", false},
    };
    ic_context *context = test_context(1);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (auto_binds(context, cases[i].a, cases[i].b, 18) != cases[i].together)
            fail_msg("%s and %s", cases[i].a, cases[i].b);
    /* Two of 19 in a class are more than a tenth; two of 21 pictures are less. */
    assert_false(auto_binds(context, "k/1_1.png", "k/1_2.png", 17));
    assert_false(auto_binds(context, "k/1_1.png", "k/1_2.png", 19));
    ic_context_free(context);
}

static void wrong_wishes_are_refused(void **state)
{
    (void)state;
    const char *root = test_folder();
    ic_context *context = test_context(1);
    ic_dataset *dataset = NULL;
    make_classes(root, 2, 2);
    static const char *const bad[] = {"patient",    "name:",     "name:person*",
                                      "name:(a",    "name:a)b(", "name:(a)(b)",
                                      "name:(a),b", "column:",   "Folder"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_fails(IC_ERROR_OPTION, "none of: auto, none, folder",
                     open_with(context, root, bad[i], &dataset));
    static const char *const fruitless[] = {"folder", "name:(person*)_*", "column:patient"};
    for (size_t i = 0; i < 3; i++)
        assert_fails(IC_ERROR_DATA, "puts no picture into a group",
                     open_with(context, root, fruitless[i], &dataset));
    assert_null(dataset);
    ic_context_free(context);
    test_folder_remove(root);
}

/* Files that are added one by one go by the same option; and what is given by hand. */
static void sets_that_are_built_have_groups_too(void **state)
{
    (void)state;
    const char *root = test_folder();
    ic_context *context = test_context(1);
    ic_dataset *dataset, *train, *validation;
    ic_options *options;
    make_picture(root, "x_1.png", 1);
    make_picture(root, "x_2.png", 2);
    assert_ok(ic_options_create(context, &options));
    assert_ok(ic_options_set_text(options, "group", "name:(*)_*"));
    assert_ok(ic_dataset_create(context, options, &dataset));
    assert_ok(ic_dataset_add_file(dataset, test_path(root, "x_1.png"), "a"));
    assert_ok(ic_dataset_add_file(dataset, test_path(root, "x_2.png"), "a"));
    assert_true(group_of(dataset, "x_1.png") != 0);
    assert_int_equal(group_of(dataset, "x_1.png"), group_of(dataset, "x_2.png"));
    train = validation = NULL;
    assert_fails(IC_ERROR_DATA, "of different groups",
                 ic_dataset_split(dataset, NULL, &train, &validation));
    assert_ok(ic_dataset_set_group(dataset, 1, ""));
    assert_int_equal(group_of(dataset, "x_2.png"), 0);
    assert_ok(ic_dataset_split(dataset, NULL, &train, &validation));
    assert_fails(IC_ERROR_STATE, "in use", ic_dataset_set_group(dataset, 1, "z"));
    ic_dataset_free(train);
    ic_dataset_free(validation);
    assert_fails(IC_ERROR_ARGUMENT, "no picture 2", ic_dataset_set_group(dataset, 2, "z"));
    ic_options_free(options);
    ic_dataset_free(dataset);
    ic_context_free(context);
    test_folder_remove(root);
}

static ic_status open_flow(ic_context *context, void *payload)
{
    ic_options *options;
    ic_dataset *dataset = NULL;
    ic_status status = ic_options_create(context, &options);
    if (status < 0)
        return status;
    status = ic_options_set_text(options, "group", "name:(*).png");
    if (status >= 0)
        status = ic_dataset_open(context, payload, options, &dataset);
    ic_dataset_free(dataset);
    ic_options_free(options);
    return status;
}

static void every_failing_allocation_is_reported(void **state)
{
    (void)state;
    const char *root = test_folder();
    make_classes(root, 2, 1);
    assert_true(test_fail_each_allocation(open_flow, (void *)root) > 15);
    test_folder_remove(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folders_below_classes_are_groups),
        cmocka_unit_test(patterns_pick_groups_out_of_names),
        cmocka_unit_test(columns_of_manifests_are_groups),
        cmocka_unit_test(series_of_names_are_groups_by_themselves),
        cmocka_unit_test(wrong_wishes_are_refused),
        cmocka_unit_test(sets_that_are_built_have_groups_too),
        cmocka_unit_test(every_failing_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

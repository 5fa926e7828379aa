/* dataset/test_folder.c: folders of class folders and of parts. SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "dataset/pictures.h"

#include "base/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int set_up(void **state)
{
    *state = (void *)test_folder();
    return 0;
}

static int tear_down(void **state)
{
    test_folder_remove(*state);
    return 0;
}

/* The last message of the log that holds the words looked for. */
typedef struct log_watch {
    const char *words;
    int seen;
} log_watch;

static void watch(int32_t level, const char *message, void *payload)
{
    (void)level;
    log_watch *log = payload;
    log->seen += strstr(message, log->words) != NULL;
}

static ic_dataset *open_folder(ic_context *context, const char *path)
{
    ic_dataset *dataset;
    assert_ok(ic_dataset_open(context, path, NULL, &dataset));
    return dataset;
}

static void class_folders_become_classes_in_order_of_name(void **state)
{
    const char *root = *state;
    make_picture(root, "dogs/1.png", 1);
    make_picture(root, "cats/2.png", 2);
    make_picture(root, "cats/more/deep/3.png", 3);
    make_picture(root, "cats/.hidden.png", 4);
    ic_context *context = test_context(2);
    ic_dataset *dataset = open_folder(context, test_path(root, ""));
    assert_int_equal(ic_dataset_count(dataset), 3);
    assert_int_equal(ic_dataset_class_count(dataset), 2);
    assert_string_equal(class_of(dataset, 0), "cats");
    assert_string_equal(class_of(dataset, 2), "dogs");
    assert_string_equal(origin_of(dataset, 1), test_path(root, "cats/more/deep/3.png"));
    assert_int_equal(count_of(dataset, "cats"), 2);
    const ic_item *item = ic_dataset_at(dataset, 0);
    assert_int_equal(item->width, 8);
    assert_int_equal(item->height, 6);
    assert_int_equal(item->channels, 3);
    assert_int_equal(item->depth, 8);
    assert_int_equal(item->part, IC_PART_NONE);
    ic_image *image;
    assert_ok(ic_dataset_image(dataset, 1, &image));
    ic_image *expected = make_image(context, 8, 6, 3);
    for (int32_t y = 0; y < 6; y++)
        assert_memory_equal(ic_image_row(image, y), ic_image_row(expected, y), 24);
    ic_image_free(expected);
    ic_image_free(image);
    ic_dataset_free(dataset);
    ic_context_free(context);
}

static void broken_files_are_set_aside_with_reasons(void **state)
{
    const char *root = *state;
    make_picture(root, "a/1.png", 1);
    make_picture(root, "b/1.png", 2);
    make_folder(root, "c");
    test_write(test_path(root, "a/notes.txt"), "hello", 5);
    test_write(test_path(root, "b/empty.jpg"), "", 0);
    test_write(test_path(root, "beside.txt"), "x", 1);
    size_t size;
    unsigned char *bytes = test_read_file(test_path(root, "a/1.png"), &size);
    test_write(test_path(root, "b/cut.png"), bytes, size - 20);
    free(bytes);
    test_write(test_path(root, "c/only.webp"), "RIFF\x10\0\0\0WEBPVP8 ", 16);

    ic_context *context = test_context(2);
    log_watch log = {.words = "class c is passed over"};
    assert_ok(ic_context_set_log(context, watch, &log));
    assert_fails(IC_ERROR_ARGUMENT, "", ic_dataset_open(context, NULL, NULL, NULL));
    char before[IC_ERROR_TEXT_MAX];
    strcpy(before, ic_last_error());
    ic_dataset *dataset = open_folder(context, root);
    assert_string_equal(ic_last_error(), before); /* what is set aside is no error */
    assert_int_equal(log.seen, 1);
    assert_int_equal(ic_dataset_count(dataset), 2);
    assert_int_equal(ic_dataset_class_count(dataset), 2);
    assert_int_equal(ic_dataset_broken_count(dataset), 4);
    static const char *const paths[] = {"a/notes.txt", "b/cut.png", "b/empty.jpg", "c/only.webp"};
    for (int32_t i = 0; i < 4; i++) {
        const char *path, *reason;
        assert_ok(ic_dataset_broken(dataset, i, &path, &reason));
        assert_string_equal(path, test_path(root, paths[i]));
        assert_true(strlen(reason) > 5);
        if (i == 3)
            assert_non_null(strstr(reason, "WebP"));
    }
    assert_fails(IC_ERROR_ARGUMENT, "4 were set aside", ic_dataset_broken(dataset, 4, NULL, NULL));
    ic_dataset_free(dataset);
    ic_context_free(context);
}

static void verify_header_looks_at_headers_alone(void **state)
{
    const char *root = *state;
    make_picture(root, "a/1.png", 1);
    make_picture(root, "b/1.png", 2);
    size_t size;
    unsigned char *bytes = test_read_file(test_path(root, "a/1.png"), &size);
    test_write(test_path(root, "b/cut.png"), bytes, size - 20);
    free(bytes);
    ic_context *context = test_context(1);
    ic_options *options;
    assert_ok(ic_options_create(context, &options));
    assert_ok(ic_options_set_text(options, "verify", "header"));
    ic_dataset *dataset;
    assert_ok(ic_dataset_open(context, root, options, &dataset));
    assert_int_equal(ic_dataset_count(dataset), 3);
    assert_int_equal(ic_dataset_broken_count(dataset), 0);
    ic_image *image;
    assert_fails(IC_ERROR_FORMAT, "b/cut.png", ic_dataset_image(dataset, 2, &image));
    ic_dataset_free(dataset);
    ic_options_free(options);
    ic_context_free(context);
}

/* What lies too deep is found before anything is read, but stays in its part. */
static void folders_too_deep_are_broken_in_their_part(void **state)
{
    const char *root = *state;
    make_picture(root, "train/x/1.png", 1);
    make_picture(root, "train/y/2.png", 2);
    make_picture(root, "test/x/3.png", 3);
    make_picture(root, "test/x/1/2/3/4/5/6/7/8/9/too_deep.png", 4);
    make_picture(root, "test/x/1/2/3/4/5/6/7/8/deep.png", 5);
    test_write(test_path(root, "train/y/broken.png"), "?", 1);
    test_write(test_path(root, "test/x/broken.png"), "?", 1);
    ic_context *context = test_context(2);
    ic_dataset *dataset = open_folder(context, root), *test, *train, *both;
    const char *path, *reason;
    assert_int_equal(ic_dataset_count(dataset), 4);
    assert_int_equal(ic_dataset_broken_count(dataset), 3);
    assert_ok(ic_dataset_part(dataset, "train", &train));
    assert_int_equal(ic_dataset_broken_count(train), 1);
    assert_ok(ic_dataset_part(dataset, "test", &test));
    assert_int_equal(ic_dataset_broken_count(test), 2);
    assert_ok(ic_dataset_broken(test, 0, &path, &reason));
    assert_string_equal(path, test_path(root, "test/x/1/2/3/4/5/6/7/8/9"));
    assert_string_equal(reason, "folders lie too deep in one another");
    for (int32_t i = 0; i < 2; i++) {
        assert_ok(ic_dataset_join(i ? train : test, i ? test : train, &both));
        assert_int_equal(ic_dataset_count(both), 4);
        assert_int_equal(ic_dataset_broken_count(both), 3);
        ic_dataset_free(both);
    }
    ic_dataset_free(train);
    ic_dataset_free(test);
    ic_dataset_free(dataset);
    ic_context_free(context);
}

static void part_folders_declare_parts(void **state)
{
    const char *root = *state;
    make_picture(root, "train/x/1.png", 1);
    make_picture(root, "train/y/2.png", 2);
    make_picture(root, "test/y/3.png", 3);
    make_picture(root, "test/z/4.png", 4);
    make_picture(root, "val/x/5.png", 5);
    make_picture(root, "valid/x/6.png", 6);
    make_picture(root, "validation/y/7.png", 7);
    make_picture(root, "extra/y/8.png", 8);
    test_write(test_path(root, "test/z/broken.png"), "?", 1);
    ic_context *context = test_context(1);
    log_watch log = {.words = "extra is passed over"};
    assert_ok(ic_context_set_log(context, watch, &log));
    ic_dataset *dataset = open_folder(context, root), *part;
    assert_int_equal(log.seen, 1);
    assert_int_equal(ic_dataset_count(dataset), 7);
    assert_int_equal(ic_dataset_class_count(dataset), 3);
    assert_int_equal(ic_dataset_broken_count(dataset), 1);

    assert_ok(ic_dataset_part(dataset, "validation", &part));
    assert_int_equal(ic_dataset_count(part), 3);
    assert_int_equal(ic_dataset_class_count(part), 3); /* classes are those of the whole */
    assert_int_equal(count_of(part, "x"), 2);
    assert_int_equal(count_of(part, "z"), 0);
    assert_int_equal(ic_dataset_broken_count(part), 0);
    ic_dataset_free(part);
    assert_ok(ic_dataset_part(dataset, "test", &part));
    ic_dataset_free(dataset); /* a part holds what it needs */
    assert_int_equal(ic_dataset_count(part), 2);
    assert_string_equal(class_of(part, 1), "z");
    assert_int_equal(ic_dataset_broken_count(part), 1);
    const char *path;
    assert_ok(ic_dataset_broken(part, 0, &path, NULL));
    assert_string_equal(path, test_path(root, "test/z/broken.png"));
    ic_dataset *none;
    assert_fails(IC_ERROR_NOT_FOUND, "declares no train", ic_dataset_part(part, "train", &none));
    assert_fails(IC_ERROR_NOT_FOUND, "called \"rest\"", ic_dataset_part(part, "rest", &none));
    ic_dataset_free(part);
    ic_context_free(context);
}

static void parts_are_known_by_all_their_usual_names(void **state)
{
    const char *root = *state;
    static const char *const names[][3] = {{"Training", "Valid", "Testing"},
                                           {"training", "validation", "testing"},
                                           {"TRAIN", "Dev", "eval"},
                                           {"Train", "VAL", "Test"},
                                           {"train", "Validation", "TESTING"}};
    ic_context *context = test_context(1);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char name[64];
        for (uint32_t k = 0; k < 6; k++) { /* 3 + 2 + 1 pictures */
            const char *part = names[i][k < 3 ? 0 : k < 5 ? 1 : 2];
            snprintf(name, sizeof name, "set%zu/%s/%s/%u.png", i, part, k % 2 ? "x" : "y", k);
            make_picture(root, name, k);
        }
        snprintf(name, sizeof name, "set%zu", i);
        ic_dataset *dataset = open_folder(context, test_path(root, name));
        assert_int_equal(ic_dataset_class_count(dataset), 2);
        assert_int_equal(count_in_part(dataset, "train"), 3);
        assert_int_equal(count_in_part(dataset, "validation"), 2);
        assert_int_equal(count_in_part(dataset, "test"), 1);
        ic_dataset_free(dataset);
    }
    ic_context_free(context);
}

/* Two names of training beside other classes are no parts: nothing is there to measure with. */
static void training_needs_another_part_beside_it(void **state)
{
    const char *root = *state;
    make_picture(root, "train/1.png", 1);
    make_picture(root, "Training/2.png", 2);
    make_picture(root, "plane/3.png", 3);
    ic_context *context = test_context(1);
    ic_dataset *dataset = open_folder(context, root);
    assert_int_equal(ic_dataset_class_count(dataset), 3);
    ic_dataset_free(dataset);
    ic_context_free(context);
}

static void a_test_folder_alone_is_enough(void **state)
{
    const char *root = *state;
    make_picture(root, "test/x/1.png", 1);
    make_picture(root, "test/y/2.png", 2);
    ic_context *context = test_context(1);
    ic_dataset *dataset = open_folder(context, root), *part;
    assert_int_equal(ic_dataset_count(dataset), 2);
    assert_ok(ic_dataset_part(dataset, "test", &part));
    ic_dataset_free(part);
    ic_dataset_free(dataset);
    ic_context_free(context);
}

static void unlabelled_test_pictures_are_passed_over(void **state)
{
    const char *root = *state;
    make_picture(root, "train/x/1.png", 1);
    make_picture(root, "train/y/2.png", 2);
    make_picture(root, "test/3.png", 3);
    ic_context *context = test_context(1);
    log_watch log = {.words = "test is passed over"};
    assert_ok(ic_context_set_log(context, watch, &log));
    ic_dataset *dataset = open_folder(context, root);
    assert_int_equal(ic_dataset_count(dataset), 2);
    assert_int_equal(log.seen, 1);
    ic_dataset_free(dataset);
    ic_context_free(context);
}

static void a_class_may_be_called_train(void **state)
{
    const char *root = *state;
    make_picture(root, "train/1.png", 1);
    make_picture(root, "plane/2.png", 2);
    ic_context *context = test_context(1);
    ic_dataset *dataset = open_folder(context, root);
    assert_int_equal(count_of(dataset, "train"), 1);
    assert_int_equal(count_of(dataset, "plane"), 1);
    ic_dataset_free(dataset);
    ic_context_free(context);
}

/* Classes that lie deeper are pointed at; one class alone, nested or not, is none of that. */
static void folders_around_the_classes_are_told(void **state)
{
    const char *root = *state;
    static const struct {
        const char *file, *below;
    } steps[] = {{"zip/data/images/a/1.png", "lie below"},
                 {"zip/data/images/b/2.png", "zip lie below @zip/data/images:"},
                 {"zip/.hidden/c/3.png", "or train and test, give that"},
                 {"zip/data/readme.txt", "zip lie below @zip/data/images:"}};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        ic_context *context = test_context(1);
        char words[4096];
        const char *at = strchr(steps[i].below, '@');
        snprintf(words, sizeof words, "%.*s%s", (int)strcspn(steps[i].below, "@"), steps[i].below,
                 at != NULL ? test_path(root, at + 1) : "");
        log_watch log = {.words = words};
        make_picture(root, steps[i].file, (int32_t)i);
        assert_ok(ic_context_set_log(context, watch, &log));
        ic_dataset *dataset = open_folder(context, test_path(root, "zip"));
        assert_int_equal(log.seen, i == 1 || i == 2);
        ic_dataset_free(dataset);
        ic_context_free(context);
    }
}

/* Links are followed, but not back to where they lie: nothing comes twice, or under another name.
 */
static void links_in_circles_are_passed_over(void **state)
{
    const char *root = *state;
    make_picture(root, "train/a/1.png", 1);
    make_picture(root, "train/b/deep/2.png", 2);
    make_picture(root, "test/a/3.png", 3);
    make_picture(root, "elsewhere.png", 4);
    assert_int_equal(symlink(".", test_path(root, "train/a/again")), 0);
    assert_int_equal(symlink("..", test_path(root, "train/b/up")), 0);
    assert_int_equal(symlink("../../..", test_path(root, "train/b/deep/top")), 0);
    assert_int_equal(symlink(test_path(root, "test"), test_path(root, "test/loop")), 0);
    assert_int_equal(symlink(test_path(root, "train/b/deep"), test_path(root, "train/c")), 0);
    static const char *const words[] = {"train/a/again is passed over", "train/b/up is passed over",
                                        "train/b/deep/top is passed over",
                                        "test/loop is passed over", "it is a link back to"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        ic_context *context = test_context(1);
        log_watch log = {.words = words[i]};
        assert_ok(ic_context_set_log(context, watch, &log));
        ic_dataset *dataset = open_folder(context, root);
        assert_int_equal(log.seen, i < 4 ? 1 : 5); /* train/c has the link to the top, too */
        assert_int_equal(ic_dataset_broken_count(dataset), 0);
        assert_int_equal(count_of(dataset, "a"), 2);
        assert_int_equal(count_of(dataset, "b"), 1);
        assert_int_equal(count_of(dataset, "c"), 1);
        assert_int_equal(ic_dataset_class_count(dataset), 3);
        ic_dataset_free(dataset);
        ic_context_free(context);
    }
}

static void errors_say_what_to_do(void **state)
{
    const char *root = *state;
    ic_context *context = test_context(1);
    ic_dataset *dataset = NULL;
    assert_fails(IC_ERROR_NOT_FOUND, "there is no file or folder",
                 ic_dataset_open(context, test_path(root, "none"), NULL, &dataset));
    assert_fails(IC_ERROR_DATA, "it is empty; put one folder",
                 ic_dataset_open(context, root, NULL, &dataset));
    assert_fails(IC_ERROR_ARGUMENT, "empty", ic_dataset_open(context, "", NULL, &dataset));

    assert_fails(IC_ERROR_IO, "it is a device or pipe; give a folder",
                 ic_dataset_open(context, "/dev/null", NULL, &dataset));

    make_picture(root, "flat/1.png", 1);
    const char *flat = test_path(root, "flat");
    assert_fails(IC_ERROR_DATA, "holds pictures but no class folders",
                 ic_dataset_open(context, flat, NULL, &dataset));
    assert_fails(IC_ERROR_DATA, "is one picture",
                 ic_dataset_open(context, test_path(root, "flat/1.png"), NULL, &dataset));

    make_folder(root, "hollow/a");
    make_folder(root, "hollow/b");
    const char *hollow = test_path(root, "hollow");
    assert_fails(IC_ERROR_DATA, "class folders are empty",
                 ic_dataset_open(context, hollow, NULL, &dataset));
    test_write(test_path(root, "hollow/a/1.jpg"), "not a picture", 13);
    assert_fails(IC_ERROR_DATA,
                 "hollow/a/1.jpg: ", ic_dataset_open(context, hollow, NULL, &dataset));

    make_picture(root, "parts/train/1.png", 1);
    make_picture(root, "parts/test/2.png", 2);
    assert_fails(IC_ERROR_DATA, "no class folders in its train",
                 ic_dataset_open(context, test_path(root, "parts"), NULL, &dataset));
    make_picture(root, "latin/\xe9t\xe9/1.png", 1);
    assert_fails(IC_ERROR_DATA, "not UTF-8",
                 ic_dataset_open(context, test_path(root, "latin"), NULL, &dataset));
    assert_null(dataset);
    ic_context_free(context);
}

static void nonsense_arguments_are_errors(void **state)
{
    const char *root = *state;
    make_picture(root, "a/1.png", 1);
    ic_context *context = test_context(1);
    ic_dataset *dataset = open_folder(context, root), *other;
    size_t size;
    ic_image *image;
    assert_fails(IC_ERROR_ARGUMENT, "", ic_dataset_open(NULL, root, NULL, &other));
    assert_fails(IC_ERROR_ARGUMENT, "", ic_dataset_part(NULL, "test", &other));
    assert_fails(IC_ERROR_ARGUMENT, "", ic_dataset_split(dataset, NULL, NULL, &other));
    assert_fails(IC_ERROR_ARGUMENT, "has 1", ic_dataset_class(dataset, 1, NULL, NULL));
    assert_fails(IC_ERROR_ARGUMENT, "", ic_dataset_class(NULL, 0, NULL, NULL));
    assert_fails(IC_ERROR_ARGUMENT, "has 1", ic_dataset_item(dataset, -1, NULL, NULL));
    assert_fails(IC_ERROR_ARGUMENT, "", ic_dataset_item(NULL, 0, NULL, NULL));
    assert_fails(IC_ERROR_ARGUMENT, "", ic_dataset_image(dataset, 1, &image));
    assert_fails(IC_ERROR_ARGUMENT, "", ic_dataset_image(dataset, 0, NULL));
    assert_fails(IC_ERROR_ARGUMENT, "", ic_dataset_broken(NULL, 0, NULL, NULL));
    assert_fails(IC_ERROR_ARGUMENT, "", ic_dataset_json(NULL, NULL, 0, &size));
    assert_fails(IC_ERROR_ARGUMENT, "", ic_dataset_json(dataset, NULL, 0, NULL));
    assert_int_equal(ic_dataset_count(NULL), 0);
    assert_int_equal(ic_dataset_class_count(NULL), 0);
    assert_int_equal(ic_dataset_broken_count(NULL), 0);
    ic_dataset_free(NULL);
    ic_dataset_free(dataset);
    ic_context_free(context);
}

static int32_t cancel(const ic_progress *progress, void *payload)
{
    int *calls = payload;
    assert_string_equal(ic_progress_phase(progress), "scan");
    return ++*calls;
}

static void opening_can_be_cancelled(void **state)
{
    const char *root = *state;
    make_classes(root, 2, 3);
    ic_context *context = test_context(2);
    int calls = 0;
    assert_ok(ic_context_set_progress(context, cancel, &calls));
    ic_dataset *dataset = NULL;
    assert_fails(IC_ERROR_CANCELLED, "", ic_dataset_open(context, root, NULL, &dataset));
    assert_null(dataset);
    assert_int_equal(calls, 1);
    ic_context_free(context);
}

static void the_summary_is_json(void **state)
{
    const char *root = *state;
    make_picture(root, "train/a/1.png", 1);
    make_picture(root, "test/b/2.png", 2);
    test_write(test_path(root, "test/b/\xff.png"), "?", 1);
    ic_context *context = test_context(1);
    ic_dataset *dataset = open_folder(context, root);
    char text[2048];
    size_t size, needed;
    assert_ok(ic_dataset_json(dataset, NULL, 0, &needed));
    assert_fails(IC_ERROR_LIMIT, "", ic_dataset_json(dataset, text, needed - 1, &size));
    assert_ok(ic_dataset_json(dataset, text, sizeof text, &size));
    assert_int_equal(size, needed);
    assert_int_equal(strlen(text) + 1, size);
    assert_non_null(strstr(text, "\"classes\":[{\"class\":\"a\",\"count\":1},"));
    assert_non_null(strstr(text, "\"count\":2,\"broken\":[{\"file\":\""));
    assert_non_null(strstr(text, "/test/b/?.png\",\"reason\":\""));
    assert_non_null(strstr(text, "\"parts\":{\"train\":1,\"test\":1}"));
    assert_non_null(strstr(text, "\"sizes\":{\"min_width\":8,\"max_width\":8,"));
    ic_dataset_free(dataset);
    ic_context_free(context);
}

/* The same pictures in the same classes, elsewhere and under other names. */
static void the_digest_knows_content_and_classes_only(void **state)
{
    const char *root = *state;
    make_picture(root, "one/a/1.png", 1);
    make_picture(root, "one/a/2.png", 2);
    make_picture(root, "one/b/3.png", 3);
    make_picture(root, "two/b/x.png", 3);
    make_picture(root, "two/a/y.png", 2);
    make_picture(root, "two/a/z.png", 1);
    make_picture(root, "three/a/1.png", 1);
    make_picture(root, "three/b/2.png", 2);
    make_picture(root, "three/b/3.png", 3);
    ic_context *context = test_context(1);
    unsigned char digests[3][IC_SHA256_BYTES];
    static const char *const names[] = {"one", "two", "three"};
    for (int32_t i = 0; i < 3; i++) {
        ic_dataset *dataset = open_folder(context, test_path(root, names[i]));
        ic_dataset_digest(dataset, digests[i]);
        ic_dataset_free(dataset);
    }
    assert_memory_equal(digests[0], digests[1], IC_SHA256_BYTES);
    assert_memory_not_equal(digests[0], digests[2], IC_SHA256_BYTES);
    ic_context_free(context);
}

static ic_status open_and_split(ic_context *context, void *payload)
{
    ic_dataset *dataset, *train, *validation, *part;
    ic_image *image;
    size_t size;
    IC_TRY(ic_dataset_open(context, payload, NULL, &dataset));
    ic_status status = ic_dataset_part(dataset, "train", &part);
    if (status >= 0) {
        status = ic_dataset_split(part, NULL, &train, &validation);
        if (status >= 0) {
            ic_dataset_free(train);
            ic_dataset_free(validation);
            status = ic_dataset_image(part, 0, &image);
            if (status >= 0)
                ic_image_free(image);
        }
        ic_dataset_free(part);
    }
    if (status >= 0)
        status = ic_dataset_json(dataset, NULL, 0, &size);
    ic_dataset_free(dataset);
    return status;
}

static void every_failing_allocation_is_reported(void **state)
{
    const char *root = *state;
    make_picture(root, "train/a/1.png", 1);
    make_picture(root, "train/a/2.png", 2);
    make_picture(root, "test/b/3.png", 3);
    test_write(test_path(root, "test/b/4.png"), "?", 1);
    assert_true(test_fail_each_allocation(open_and_split, (void *)root) > 20);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(class_folders_become_classes_in_order_of_name),
        TEST(broken_files_are_set_aside_with_reasons),
        TEST(verify_header_looks_at_headers_alone),
        TEST(folders_too_deep_are_broken_in_their_part),
        TEST(part_folders_declare_parts),
        TEST(parts_are_known_by_all_their_usual_names),
        TEST(training_needs_another_part_beside_it),
        TEST(a_test_folder_alone_is_enough),
        TEST(unlabelled_test_pictures_are_passed_over),
        TEST(a_class_may_be_called_train),
        TEST(folders_around_the_classes_are_told),
        TEST(links_in_circles_are_passed_over),
        TEST(errors_say_what_to_do),
        TEST(nonsense_arguments_are_errors),
        TEST(opening_can_be_cancelled),
        TEST(the_summary_is_json),
        TEST(the_digest_knows_content_and_classes_only),
        TEST(every_failing_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

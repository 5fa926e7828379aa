/* dataset/test_inspection.c: copies are found whatever was done to them, other pictures are not
 * taken for copies, and what is found is said. SPDX-License-Identifier: MIT */
#include "dataset/pictures.h"

#include "base/random.h"
#include "base/status.h"
#include "dataset/duplicates.h"
#include "dataset/leaks.h"
#include "dataset/similar.h"

#include <imgcls/imgcls.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH = 160, HEIGHT = 120 };

/* A scene of a hundred discs; `like` > 0: that share of them is as in scene 0. */
static ic_image *make_scene(ic_context *context, uint64_t seed, int32_t alike)
{
    static unsigned char pixels[HEIGHT][WIDTH][3];
    ic_image *image;
    memset(pixels, 90, sizeof pixels);
    for (int32_t disc = 0; disc < 100; disc++) {
        ic_random random = ic_random_at(disc < alike ? 0 : seed, IC_USE_AUGMENT, 7, (uint64_t)disc);
        int32_t x = (int32_t)ic_random_below(&random, WIDTH);
        int32_t y = (int32_t)ic_random_below(&random, HEIGHT);
        int32_t r = 2 + (int32_t)ic_random_below(&random, disc < 20 ? 40 : 10);
        unsigned char colour[3];
        for (int32_t c = 0; c < 3; c++)
            colour[c] = (unsigned char)ic_random_below(&random, 256);
        for (int32_t i = 0; i < WIDTH * HEIGHT; i++) {
            int32_t dx = i % WIDTH - x, dy = i / WIDTH - y;
            if (dx * dx + dy * dy < r * r)
                memcpy(pixels[i / WIDTH][i % WIDTH], colour, 3);
        }
    }
    assert_ok(ic_image_from_pixels(context, pixels, WIDTH, HEIGHT, 0, IC_PIXELS_RGB8, &image));
    return image;
}

/* What people do to a picture. Frees it. */
static ic_image *change(ic_image *image, int32_t kind, ic_random *random)
{
    ic_image *out, *turned;
    const double cut = kind == 1 || kind == 3 ? 0.07 : 0;
    const double left = ic_random_range(random, 0, cut + 1e-9);
    const double top = ic_random_range(random, 0, cut + 1e-9);
    const double right = ic_random_range(random, 0, cut + 1e-9);
    const double bottom = ic_random_range(random, 0, cut + 1e-9);
    const ic_box box = {left * WIDTH, top * HEIGHT, (1 - left - right) * WIDTH,
                        (1 - top - bottom) * HEIGHT};
    const double scale = kind == 0 ? ic_random_range(random, 0.6, 1.5) : 1;
    assert_ok(ic_image_resize_box(image, &box, (int32_t)(box.width * scale),
                                  (int32_t)(box.height * scale), IC_FILTER_BICUBIC, &out));
    ic_image_free(image);
    if (kind < 2)
        return out;
    assert_ok(ic_image_create(out->context, out->width, out->height, 3, 8, &turned));
    for (int32_t y = 0; y < out->height; y++)
        for (int32_t x = 0; x < out->width; x++)
            memcpy(ic_image_row(turned, y) + 3 * x, ic_image_row(out, y) + 3 * (out->width - 1 - x),
                   3);
    ic_image_free(out);
    return turned;
}

/* `scenes` scenes, and a changed copy of each of the first `copies`. */
static ic_dataset *make_set(ic_context *context, int32_t scenes, int32_t copies)
{
    ic_dataset *dataset;
    assert_ok(ic_dataset_create(context, NULL, &dataset));
    for (int32_t i = 0; i < scenes + copies; i++) {
        ic_random random = ic_random_at(3, IC_USE_AUGMENT, 8, (uint64_t)i);
        ic_image *image = make_scene(context, (uint64_t)(i % scenes), 0);
        if (i >= scenes)
            image = change(image, i % 4, &random);
        assert_ok(ic_dataset_add_image(dataset, image, i % 2 ? "a" : "b"));
        ic_image_free(image);
    }
    return dataset;
}

static void copies_are_found_and_nothing_else(void **state)
{
    (void)state;
    enum { SCENES = 300, COPIES = 100 };
    ic_context *context = test_context(0);
    ic_dataset *dataset = make_set(context, SCENES, COPIES);
    ic_inspection *inspection;
    int32_t found = 0;
    assert_ok(ic_dataset_inspect(dataset, NULL, &inspection));
    for (int64_t i = 0; i < ic_inspection_pair_count(inspection); i++) {
        int64_t first, second;
        int32_t bits;
        double score;
        assert_ok(ic_inspection_pair(inspection, i, &first, &second, &bits, &score));
        assert_int_equal(second, first + SCENES);
        assert_int_equal(bits & IC_PAIR_NEAR, IC_PAIR_NEAR);
        assert_int_equal((bits & IC_PAIR_MIRRORED) != 0, second % 4 >= 2);
        assert_true(score > 0.9 && score < 1.000001);
        found++;
    }
    assert_in_range(found, 97, COPIES);
    ic_inspection_free(inspection);
    ic_dataset_free(dataset);
    ic_context_free(context);
}

/* Four fifths of the discs are the same: alike, but other pictures. */
static void what_is_only_alike_is_no_duplicate(void **state)
{
    (void)state;
    ic_context *context = test_context(0);
    ic_dataset *dataset;
    ic_inspection *inspection;
    assert_ok(ic_dataset_create(context, NULL, &dataset));
    for (uint64_t i = 0; i < 60; i++) {
        ic_image *image = make_scene(context, 1 + i, 50);
        assert_ok(ic_dataset_add_image(dataset, image, "a"));
        ic_image_free(image);
    }
    assert_ok(ic_dataset_inspect(dataset, NULL, &inspection));
    assert_int_equal(ic_inspection_pair_count(inspection), 0);
    ic_inspection_free(inspection);
    ic_dataset_free(dataset);
    ic_context_free(context);
}

static void threads_change_nothing(void **state)
{
    (void)state;
    char *texts[2];
    for (int32_t i = 0; i < 2; i++) {
        ic_context *context = test_context(i == 0 ? 1 : 4);
        ic_dataset *dataset = make_set(context, 40, 20);
        ic_inspection *inspection;
        size_t size;
        assert_ok(ic_dataset_inspect(dataset, NULL, &inspection));
        assert_ok(ic_inspection_json(inspection, NULL, 0, &size));
        texts[i] = malloc(size);
        assert_ok(ic_inspection_json(inspection, texts[i], size, &size));
        ic_inspection_free(inspection);
        ic_dataset_free(dataset);
        ic_context_free(context);
    }
    assert_string_equal(texts[0], texts[1]);
    free(texts[0]);
    free(texts[1]);
}

static void save_scene(ic_context *context, const char *root, const char *name, uint64_t seed,
                       const char *spare)
{
    make_picture(root, name, 1); /* makes the folders */
    const char *path = test_path(root, name);
    ic_image *image = make_scene(context, seed, 0);
    size_t size;
    assert_ok(ic_image_save_png(image, path));
    ic_image_free(image);
    unsigned char *bytes = test_read_file(path, &size);
    unsigned char *longer = malloc(size + strlen(spare));
    memcpy(longer, bytes, size);
    memcpy(longer + size, spare, strlen(spare));
    test_write(path, longer, size + strlen(spare));
    free(longer);
    free(bytes);
}

/* The text of the finding of a kind; NULL: there is none. */
static const char *finding_of(const ic_inspection *inspection, const char *kind,
                              const char **examples)
{
    for (int32_t i = 0; i < ic_inspection_finding_count(inspection); i++) {
        const char *found, *text, *advice;
        assert_ok(ic_inspection_finding(inspection, i, &found, &text, &advice, examples));
        assert_true(strlen(advice) > 20);
        if (strcmp(found, kind) == 0)
            return text;
    }
    return NULL;
}

static char log_text[4096];

static void keep_log(int32_t level, const char *message, void *payload)
{
    (void)payload;
    if (level == IC_LOG_WARNING)
        strncat(log_text, message, sizeof log_text - strlen(log_text) - 1);
}

/* train: 0, 1, 2, 3 (0 again with bytes behind it); test: 0, 1 with bytes behind it, 9; group of
 * names' first letter. */
static void make_leaky(ic_context *context, const char *root)
{
    save_scene(context, root, "train/a/k0.png", 0, "");
    save_scene(context, root, "train/a/k1.png", 1, "");
    save_scene(context, root, "train/b/l2.png", 2, "");
    save_scene(context, root, "train/b/m3.png", 0, "x");
    save_scene(context, root, "test/a/n0.png", 0, "");
    save_scene(context, root, "test/a/o1.png", 1, "y");
    save_scene(context, root, "test/b/k9.png", 9, "");
    test_write(test_path(root, "train/b/bad.png"), "no", 2);
}

static void leaks_and_other_findings_are_told(void **state)
{
    (void)state;
    const char *root = test_folder(), *examples = "";
    ic_context *context = test_context(2);
    ic_dataset *dataset, *train, *validation;
    ic_inspection *inspection;
    ic_options *options;
    make_leaky(context, root);
    assert_ok(ic_options_create(context, &options));
    assert_ok(ic_options_set_text(options, "group", "name:(?)*"));
    assert_ok(ic_dataset_open(context, root, options, &dataset));
    assert_ok(ic_dataset_inspect(dataset, options, &inspection));
    assert_string_equal(finding_of(inspection, "leak", &examples),
                        "in the training part, too: 2 of 3 test pictures (2 the same, 0 in "
                        "another form)");
    assert_non_null(strstr(examples, "k0.png = "));
    assert_non_null(strstr(examples, "\n"));
    assert_non_null(strstr(finding_of(inspection, "group", &examples), "the test part: 1"));
    assert_non_null(finding_of(inspection, "contradiction", &examples));
    assert_non_null(strstr(finding_of(inspection, "broken", &examples), "1 of 8 files"));
    assert_non_null(strstr(examples, "bad.png: "));
    assert_non_null(finding_of(inspection, "tiny", &examples));
    assert_string_equal(examples, "a\nb");
    assert_null(finding_of(inspection, "imbalance", &examples));
    assert_null(finding_of(inspection, "size", &examples));
    ic_inspection_free(inspection);

    assert_ok(ic_options_set_text(options, "duplicates", "exact")); /* o1 is in other bytes */
    assert_ok(ic_dataset_inspect(dataset, options, &inspection));
    assert_int_equal(ic_inspection_pair_count(inspection), 1);
    ic_inspection_free(inspection);
    assert_ok(ic_options_set_text(options, "duplicates", "off"));
    assert_ok(ic_dataset_inspect(dataset, options, &inspection));
    assert_int_equal(ic_inspection_pair_count(inspection), 0);
    assert_fails(IC_ERROR_ARGUMENT, "no pair 0",
                 ic_inspection_pair(inspection, 0, NULL, NULL, NULL, NULL));
    assert_fails(IC_ERROR_ARGUMENT, "no finding 99",
                 ic_inspection_finding(inspection, 99, NULL, NULL, NULL, NULL));
    ic_inspection_free(inspection);

    ic_context_set_log(context, keep_log, NULL);
    assert_ok(ic_dataset_split(dataset, NULL, &train, &validation));
    log_text[0] = '\0';
    assert_ok(ic_leaks_warn(train, validation, false));
    assert_non_null(strstr(log_text, "1 of 3 test pictures are in the training part"));
    assert_non_null(strstr(log_text, "1 groups have pictures in the training and in the test"));
    log_text[0] = '\0';
    assert_ok(ic_leaks_warn(train, validation, true));
    assert_non_null(strstr(log_text, "2 of 3 test pictures are in the training part"));
    ic_dataset_free(train);
    ic_dataset_free(validation);
    ic_options_free(options);
    ic_dataset_free(dataset);
    ic_context_free(context);
    test_folder_remove(root);
}

/* Leaks into two parts, and pairs of each kind within one. */
/* A manifest of one picture to train on, a near copy of it in the test part, and a number of others
 * there. */
static const char *list_leaky(ic_context *context, const char *root, int32_t others)
{
    save_scene(context, root, "0.png", 0, "");
    save_scene(context, root, "again.png", 0, "x");
    make_picture(root, "1.png", 1);
    const char *path = test_path(root, "list.csv");
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("path,label,split\n0.png,a,train\nagain.png,a,test\n", file);
    for (int32_t i = 0; i < others; i++)
        fputs("1.png,b,test\n", file);
    fclose(file);
    return path;
}

/* What is sketched counts, not only what is trained on. */
static void near_leaks_are_looked_for_among_few_pictures(void **state)
{
    (void)state;
    const char *root = test_folder();
    ic_context *context = test_context(0);
    ic_options *options;
    ic_context_set_log(context, keep_log, NULL);
    assert_ok(ic_options_create(context, &options));
    assert_ok(ic_options_set_text(options, "verify", "header"));
    for (int32_t more = 0; more < 2; more++) {
        ic_dataset *dataset, *train;
        const char *list = list_leaky(context, root, IC_LEAKS_NEAR_MOST - 2 + more);
        assert_ok(ic_dataset_open(context, list, options, &dataset));
        assert_int_equal(ic_dataset_count(dataset), IC_LEAKS_NEAR_MOST + more);
        assert_ok(ic_dataset_part(dataset, "train", &train));
        log_text[0] = '\0';
        assert_ok(ic_leaks_warn(train, NULL, true));
        assert_int_equal(strstr(log_text, "test pictures are in the training") != NULL, more == 0);
        ic_dataset_free(train);
        ic_dataset_free(dataset);
    }
    ic_options_free(options);
    ic_context_free(context);
    test_folder_remove(root);
}

static void count_leaks_told(int32_t level, const char *message, void *payload)
{
    *(int32_t *)payload += level == IC_LOG_WARNING && strstr(message, "training part, too") != NULL;
}

static void cross_validation_warns_of_leaks_once(void **state)
{
    (void)state;
    static const char *const settings[] = {"network", "plain", "epochs",     "1",
                                           "folds",   "2",     "input_size", "16"};
    const char *root = test_folder();
    ic_context *context = test_context(1);
    ic_options *options;
    ic_dataset *dataset;
    int32_t told = 0;
    for (uint32_t i = 0; i < 24; i++) {
        char name[32];
        snprintf(name, sizeof name, "train/%c/%u.png", i % 2 ? 'a' : 'b', i);
        make_picture(root, name, i);
    }
    for (uint32_t i = 0; i < 12; i++) {
        char name[32];
        snprintf(name, sizeof name, "test/%c/%u.png", i % 2 ? 'a' : 'b', i);
        make_picture(root, name, i);
    }
    ic_context_set_log(context, count_leaks_told, &told);
    assert_ok(ic_dataset_open(context, root, NULL, &dataset));
    assert_ok(ic_options_create(context, &options));
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i += 2)
        assert_ok(ic_options_set_text(options, settings[i], settings[i + 1]));
    for (int32_t off = 0; off < 2; off++) {
        ic_report *report;
        assert_ok(ic_cross_validate(dataset, options, &report));
        assert_int_equal(told, 1);
        ic_report_free(report);
        assert_ok(ic_options_set_text(options, "leaks", "off"));
    }
    ic_options_free(options);
    ic_dataset_free(dataset);
    ic_context_free(context);
    test_folder_remove(root);
}

static void pairs_stand_where_they_belong(void **state)
{
    (void)state;
    const char *root = test_folder(), *examples = "";
    ic_context *context = test_context(1);
    ic_dataset *dataset;
    ic_inspection *inspection;
    static const struct {
        const char *name;
        uint32_t seed;
    } files[] = {
        {"train/a/1.png", 1},  {"train/a/2.png", 2}, {"train/a/3.png", 3}, {"train/b/4.png", 4},
        {"train/b/5.png", 5},  {"train/b/6.png", 3}, {"train/b/7.png", 3}, {"train/b/8.png", 4},
        {"val/a/v1.png", 1},   {"val/b/v4.png", 20}, {"test/a/t1.png", 2}, {"test/b/t2.png", 5},
        {"test/b/t3.png", 20},
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        make_picture(root, files[i].name, files[i].seed);
    ic_options *options;
    assert_ok(ic_options_create(context, &options));
    assert_ok(ic_options_set_text(options, "duplicates", "exact"));
    assert_ok(ic_dataset_open(context, root, NULL, &dataset));
    assert_ok(ic_dataset_inspect(dataset, options, &inspection));

    int32_t leaks = 0;
    for (int32_t i = 0; i < ic_inspection_finding_count(inspection); i++) {
        const char *kind, *text;
        assert_ok(ic_inspection_finding(inspection, i, &kind, &text, NULL, &examples));
        if (strcmp(kind, "leak") != 0)
            continue;
        const bool test = strstr(text, " test pictures") != NULL;
        assert_int_equal(strstr(examples, "v1.png") != NULL, !test);
        assert_int_equal(strstr(examples, "t1.png") != NULL, test);
        assert_int_equal(strstr(examples, "t2.png") != NULL, test);
        leaks++;
    }
    assert_int_equal(leaks, 2);
    assert_string_equal(finding_of(inspection, "contradiction", &examples),
                        "filed under two classes: 1 pictures");
    assert_non_null(strstr(examples, "3.png = "));
    assert_string_equal(finding_of(inspection, "duplicate", &examples),
                        "twice within a part: 1 pairs of pictures (1 the same, 0 in another "
                        "form)");
    assert_non_null(strstr(examples, "4.png = "));
    assert_null(strstr(examples, "3.png"));
    ic_inspection_free(inspection);
    ic_options_free(options);
    ic_dataset_free(dataset);
    ic_context_free(context);
    test_folder_remove(root);
}

static void uneven_classes_and_odd_pictures_are_told(void **state)
{
    (void)state;
    ic_context *context = test_context(1);
    ic_dataset *dataset;
    ic_inspection *inspection;
    const char *examples = "";
    static const unsigned char grey[400];
    assert_ok(ic_dataset_create(context, NULL, &dataset));
    for (uint32_t i = 0; i < 150; i++) {
        ic_image *image = i % 10 != 9 ? make_image(context, 20, 20, i) : NULL;
        if (image == NULL)
            assert_ok(ic_image_from_pixels(context, grey, 20 - (int32_t)i / 10, 20, 0,
                                           IC_PIXELS_GREY8, &image));
        assert_ok(ic_dataset_add_image(dataset, image, i % 10 == 9 ? "grey" : "colour"));
        ic_image_free(image);
    }
    ic_image *large = make_image(context, 20, 100, 1);
    assert_ok(ic_dataset_add_image(dataset, large, "colour"));
    ic_image_free(large);
    assert_ok(ic_dataset_inspect(dataset, NULL, &inspection));
    assert_non_null(strstr(finding_of(inspection, "imbalance", &examples), "(grey) 15"));
    assert_non_null(finding_of(inspection, "mixed", &examples));
    assert_string_equal(examples, "grey");
    assert_non_null(strstr(finding_of(inspection, "size", &examples), "usual: 1 pictures"));
    assert_string_equal(examples, "memory#151");
    ic_inspection_free(inspection);
    ic_dataset_free(dataset);
    ic_context_free(context);
}

static void what_cannot_be_trained_on_is_told(void **state)
{
    (void)state;
    const char *root = test_folder(), *examples = "";
    ic_context *context = test_context(1);
    ic_dataset *dataset;
    ic_inspection *inspection;
    for (uint32_t i = 0; i < 24; i++) {
        char name[32];
        snprintf(name, sizeof name, "cats/%u.png", i);
        make_picture(root, name, i);
    }
    make_folder(root, "dogs");
    make_picture(root, "birds/1.png", 1);
    test_write(test_path(root, "birds/1.png"), "no", 2);
    assert_ok(ic_dataset_open(context, root, NULL, &dataset));
    assert_ok(ic_dataset_inspect(dataset, NULL, &inspection));
    assert_string_equal(finding_of(inspection, "single", &examples), "classes with pictures: 1");
    assert_string_equal(examples, "cats");
    assert_string_equal(finding_of(inspection, "empty", &examples),
                        "classes without a readable picture: 2");
    assert_string_equal(examples, "birds\ndogs");
    char text[8192];
    size_t size;
    assert_ok(ic_inspection_json(inspection, text, sizeof text, &size));
    assert_non_null(strstr(text, "{\"kind\":\"single\",\"text\":\"classes with pictures: 1\""));
    assert_non_null(strstr(text, "{\"kind\":\"empty\","));
    assert_non_null(strstr(text, "\"examples\":[\"birds\",\"dogs\"]"));
    ic_inspection_free(inspection);
    ic_dataset_free(dataset);

    make_picture(root, "dogs/1.png", 100);
    assert_ok(ic_dataset_open(context, root, NULL, &dataset));
    assert_ok(ic_dataset_inspect(dataset, NULL, &inspection));
    assert_null(finding_of(inspection, "single", &examples));
    assert_string_equal(finding_of(inspection, "empty", &examples),
                        "classes without a readable picture: 1");
    ic_inspection_free(inspection);
    ic_dataset_free(dataset);
    ic_context_free(context);
    test_folder_remove(root);
}

/* Many sketches of one kind must not make it slow, nor one of nothing fail. */
static void near_sketches_are_found_among_many(void **state)
{
    (void)state;
    enum { COUNT = 20000 };
    ic_context *context = test_context(0);
    ic_sketch *sketches = calloc(COUNT, sizeof *sketches);
    ic_similar *found = calloc(COUNT * IC_SIMILAR_MOST, sizeof *found);
    int32_t hits = 0;
    for (int32_t i = 0; i < COUNT; i++) {
        ic_random random = ic_random_at(1, IC_USE_AUGMENT, 0, (uint64_t)(i % (COUNT / 2)));
        unsigned char coarse[25];
        for (int32_t k = 0; k < 25; k++)
            coarse[k] = (unsigned char)(64 + ic_random_below(&random, 128));
        for (int32_t k = 0; k < 256; k++) /* the second half: a few levels off */
            sketches[i].grey[k / 16][k % 16] =
                (uint8_t)(coarse[k / 16 * 5 / 16 * 5 + k % 16 * 5 / 16] +
                          (i >= COUNT / 2 ? k * 7 % 9 : 0));
    }
    assert_ok(ic_similar_find(context, sketches, COUNT, found));
    for (int32_t i = 0; i < COUNT / 2; i++)
        hits += found[i * IC_SIMILAR_MOST].other == i + COUNT / 2;
    assert_true(hits > COUNT / 2 * 98 / 100);
    assert_ok(ic_similar_find(context, sketches, 0, found));
    assert_ok(ic_similar_find(context, sketches, 1, found));
    assert_int_equal(found[0].other, -1);
    free(found);
    free(sketches);
    ic_context_free(context);
}

static int32_t stop(const ic_progress *progress, void *payload)
{
    return strcmp(ic_progress_phase(progress), payload) == 0;
}

static void it_can_be_cancelled(void **state)
{
    (void)state;
    static const char *const phases[] = {"duplicates", "search", "compare"};
    for (int32_t i = 0; i < 3; i++) {
        ic_context *context = test_context(1);
        ic_dataset *dataset = make_set(context, 8, 4);
        ic_inspection *inspection = NULL;
        ic_context_set_progress(context, stop, (void *)phases[i]);
        assert_int_equal(ic_dataset_inspect(dataset, NULL, &inspection), IC_ERROR_CANCELLED);
        assert_null(inspection);
        ic_dataset_free(dataset);
        ic_context_free(context);
    }
}

typedef struct flow_data {
    const char *root;
} flow_data;

static ic_status inspect_flow(ic_context *context, void *payload)
{
    const flow_data *data = payload;
    ic_dataset *dataset;
    ic_inspection *inspection;
    size_t size;
    IC_TRY(ic_dataset_open(context, data->root, NULL, &dataset));
    ic_status status = ic_dataset_inspect(dataset, NULL, &inspection);
    if (status >= 0) {
        status = ic_inspection_json(inspection, NULL, 0, &size);
        ic_inspection_free(inspection);
    }
    if (status >= 0)
        status = ic_leaks_warn(dataset, NULL, true);
    ic_dataset_free(dataset);
    return status;
}

static void every_failing_allocation_is_reported(void **state)
{
    (void)state;
    const char *root = test_folder();
    ic_context *context = test_context(1);
    save_scene(context, root, "train/a/0.png", 0, "");
    save_scene(context, root, "train/b/1.png", 1, "");
    save_scene(context, root, "test/a/2.png", 0, "z");
    test_write(test_path(root, "train/b/bad.png"), "no", 2);
    make_folder(root, "train/c");
    ic_context_free(context);
    flow_data data = {root};
    assert_true(test_fail_each_allocation(inspect_flow, &data) > 50);
    test_folder_remove(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copies_are_found_and_nothing_else),
        cmocka_unit_test(what_is_only_alike_is_no_duplicate),
        cmocka_unit_test(threads_change_nothing),
        cmocka_unit_test(leaks_and_other_findings_are_told),
        cmocka_unit_test(near_leaks_are_looked_for_among_few_pictures),
        cmocka_unit_test(cross_validation_warns_of_leaks_once),
        cmocka_unit_test(pairs_stand_where_they_belong),
        cmocka_unit_test(uneven_classes_and_odd_pictures_are_told),
        cmocka_unit_test(what_cannot_be_trained_on_is_told),
        cmocka_unit_test(near_sketches_are_found_among_many),
        cmocka_unit_test(it_can_be_cancelled),
        cmocka_unit_test(every_failing_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

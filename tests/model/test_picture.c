/* model/test_picture.c: a picture that is loaded for a model is the one that training reads.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "image/pictures.h"
#include "support/support.h"

#include "base/file.h"
#include "model/model.h"

#include <imgcls/imgcls.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PICTURES = 6, CLASSES = 2, WIDTH = 250, HEIGHT = 190 };

static char folder[512];
static ic_context *context;

/* JPEGs so large that they can be shrunk, one turned, and a PNG, which is never. */
static void write_picture(int32_t index, const char *path)
{
    unsigned char app1[6 + EXIF_BYTES] = "Exif\0";
    png_plan png = {.width = WIDTH, .height = HEIGHT, .type = 2, .bits = 8};
    jpeg_plan jpeg = {.width = WIDTH + 10 * index,
                      .height = HEIGHT,
                      .components = index == 1 ? 1 : 3,
                      .progressive = index == 2,
                      .subsampled = index == 3};
    if (index == 4) {
        jpeg.app1 = app1;
        jpeg.app1_size = 6 + make_exif(app1 + 6, true, 6);
    }
    made_file file = index == 0 ? make_png(&png) : make_jpeg(&jpeg);
    test_write(path, file.bytes, file.size);
    free(file.bytes);
}

static int set_up(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "%s", test_folder());
    context = test_context(2);
    mkdir(test_path(folder, "a"), 0755);
    mkdir(test_path(folder, "b"), 0755);
    for (int32_t i = 0; i < PICTURES; i++) {
        char name[64];
        snprintf(name, sizeof name, "%c/%d.%s", 'a' + i % CLASSES, (int)i, i ? "jpg" : "png");
        write_picture(i, test_path(folder, name));
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    ic_context_free(context);
    test_folder_remove(folder);
    return 0;
}

static ic_model *make_resizing(const ic_dataset *data, const char *decode, const char *resize)
{
    ic_options *options;
    ic_model *model;
    assert_ok(ic_options_create(context, &options));
    assert_ok(ic_options_set_text(options, "network", "lenet5"));
    assert_ok(ic_options_set_int(options, "input_size", 32));
    assert_ok(ic_options_set_text(options, "decode", decode));
    assert_ok(ic_options_set_text(options, "resize", resize));
    assert_ok(ic_model_create(context, data, options, &model));
    ic_options_free(options);
    return model;
}

static ic_model *make_model(const ic_dataset *data, const char *decode)
{
    return make_resizing(data, decode, "crop");
}

static ic_dataset *open_data(void)
{
    ic_dataset *data;
    assert_ok(ic_dataset_open(context, folder, NULL, &data));
    assert_int_equal(ic_dataset_count(data), PICTURES);
    return data;
}

static ic_report *measure(const ic_model *model, const ic_dataset *data)
{
    ic_options *options;
    ic_report *report;
    assert_ok(ic_options_create(context, &options));
    assert_ok(ic_options_set_text(options, "split", "all"));
    assert_ok(ic_evaluate(model, data, options, &report));
    ic_options_free(options);
    return report;
}

/* Whether the model says of the picture what it says of it in the data. Takes the picture. */
static bool is_as_measured(const ic_model *model, ic_image *image, const ic_report *report,
                           int64_t index)
{
    const float *measured, *predicted;
    ic_prediction *prediction;
    assert_ok(ic_prediction_create(context, &prediction));
    assert_ok(ic_predict(model, image, prediction));
    assert_ok(ic_prediction_probabilities(prediction, 0, &predicted, NULL));
    assert_ok(ic_report_probabilities(report, index, &measured, NULL));
    bool same = memcmp(measured, predicted, CLASSES * sizeof *measured) == 0;
    ic_prediction_free(prediction);
    ic_image_free(image);
    return same;
}

static ic_image *from_memory(const ic_model *model, const char *path)
{
    ic_buffer bytes = {.context = context};
    ic_image *image;
    assert_ok(ic_file_read(context, path, INT64_MAX, &bytes));
    assert_ok(ic_model_decode_image(model, bytes.bytes, bytes.size, &image));
    ic_buffer_free(&bytes);
    return image;
}

static void expect_height(const ic_image *image, int32_t height)
{
    int32_t found;
    assert_ok(ic_image_info(image, NULL, &found, NULL, NULL));
    assert_int_equal(found, height);
}

/* All ways to a picture, for all kinds of files: the very numbers of the evaluation. */
static void no_way_to_a_picture_drifts(void **state)
{
    (void)state;
    ic_dataset *data = open_data();
    for (int32_t kind = 0; kind < 4; kind++) {
        const bool shrink = kind % 2;
        ic_model *model =
            make_resizing(data, shrink ? "shrink" : "full", kind / 2 ? "crop" : "stretch");
        ic_report *report = measure(model, data);
        int32_t differ = 0;
        for (int64_t i = 0; i < PICTURES; i++) {
            const char *path;
            ic_image *image;
            assert_ok(ic_report_picture(report, i, &path, NULL, NULL, NULL));
            assert_ok(ic_model_load_image(model, path, &image));
            assert_true(is_as_measured(model, image, report, i));
            assert_ok(ic_model_read_image(model, data, i, &image));
            assert_true(is_as_measured(model, image, report, i));
            assert_true(is_as_measured(model, from_memory(model, path), report, i));
            assert_ok(ic_image_load(context, path, &image));
            differ += !is_as_measured(model, image, report, i);
        }
        if (shrink) /* all but the PNG */
            assert_int_equal(differ, PICTURES - 1);
        else
            assert_int_equal(differ, 0);
        ic_report_free(report);
        ic_model_free(model);
    }
    ic_dataset_free(data);
}

/* A saved model decodes as it did. */
static void the_file_says_how_to_decode(void **state)
{
    (void)state;
    ic_dataset *data = open_data();
    ic_model *model = make_model(data, "shrink"), *loaded;
    const char *file = test_path(folder, "shrinks.model"), *path = test_path(folder, "b/1.jpg");
    ic_image *small, *full;
    assert_ok(ic_model_save(model, file));
    assert_ok(ic_model_load(context, file, &loaded));
    assert_ok(ic_model_load_image(loaded, path, &small));
    assert_ok(ic_image_load(context, path, &full));
    expect_height(small, (HEIGHT + 3) / 4);
    expect_height(full, HEIGHT);
    ic_image_free(full);
    ic_image_free(small);
    ic_model_free(loaded);
    ic_model_free(model);
    ic_dataset_free(data);
}

static void what_is_wrong_is_named(void **state)
{
    (void)state;
    ic_dataset *data = open_data();
    ic_model *model = make_model(data, "shrink");
    ic_image *image = NULL;
    assert_fails(IC_ERROR_ARGUMENT, "ic_model_load_image", ic_model_load_image(NULL, "x", &image));
    assert_fails(IC_ERROR_ARGUMENT, "ic_model_load_image",
                 ic_model_load_image(model, NULL, &image));
    assert_fails(IC_ERROR_ARGUMENT, "ic_model_load_image", ic_model_load_image(model, "x", NULL));
    assert_fails(IC_ERROR_ARGUMENT, "ic_model_decode_image",
                 ic_model_decode_image(model, NULL, 1, &image));
    assert_fails(IC_ERROR_ARGUMENT, "ic_model_read_image",
                 ic_model_read_image(model, NULL, 0, &image));
    assert_fails(IC_ERROR_ARGUMENT, "no picture 6",
                 ic_model_read_image(model, data, PICTURES, &image));
    assert_fails(IC_ERROR_NOT_FOUND, "nowhere.jpg",
                 ic_model_load_image(model, test_path(folder, "nowhere.jpg"), &image));
    assert_fails(IC_ERROR_UNSUPPORTED, "", ic_model_decode_image(model, "GIF89a", 6, &image));
    assert_null(image);
    ic_model_free(model);
    ic_dataset_free(data);
}

/* Of fine-tuning: it comes with the earlier model, which must not be asked to change it. */
static void fine_tuning_keeps_it(void **state)
{
    (void)state;
    ic_dataset *data = open_data();
    ic_model *model = make_model(data, "shrink"), *tuned = NULL;
    ic_options *options;
    assert_ok(ic_options_create(context, &options));
    assert_ok(ic_model_create_from(model, data, options, &tuned));
    assert_int_equal(tuned->pipeline.decode, IC_DECODE_SHRINK);
    ic_model_free(tuned);
    assert_ok(ic_options_set_text(options, "decode", "full"));
    assert_fails(IC_ERROR_OPTION, "\"decode\"", ic_model_create_from(model, data, options, &tuned));
    ic_options_free(options);
    ic_model_free(model);
    ic_dataset_free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_way_to_a_picture_drifts), cmocka_unit_test(the_file_says_how_to_decode),
        cmocka_unit_test(what_is_wrong_is_named), cmocka_unit_test(fine_tuning_keeps_it)};

    return cmocka_run_group_tests(tests, set_up, tear_down);
}

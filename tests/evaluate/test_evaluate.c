/* evaluate/test_evaluate.c: models measured on data sets. SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "model/fixture.h"

#include "base/maths.h"
#include "base/status.h"
#include "dataset/dataset.h"
#include "evaluate/evaluation.h"

#include <imgcls/options.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { CLASSES = 3, PICTURES = 29 };

/* ---- Data ---- */

/* Noise pictures in memory, picture i of class i % classes. */
static ic_dataset *make_dataset(ic_context *context, const char *const *names, int32_t classes,
                                int32_t count)
{
    ic_dataset *dataset;
    assert_ok(ic_dataset_create(context, NULL, &dataset));
    for (int32_t i = 0; i < count; i++) {
        ic_image *image = fixture_image(context, 10 + i, 40 - i, (uint64_t)i);
        assert_ok(ic_dataset_add_image(dataset, image, names[i % classes]));
        ic_image_free(image);
    }
    return dataset;
}

static const char *const names[] = {"class 0", "class 1", "class 2", "stranger"};

/* Writes count PNG files, picture i to folder/class i % 2/i.png. */
static void write_folder(ic_context *context, const char *folder, int32_t first, int32_t count)
{
    mkdir(folder, 0755);
    for (int32_t i = first; i < first + count; i++) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s", folder, names[i % 2]);
        mkdir(path, 0755);
        snprintf(path, sizeof path, "%s/%s/%d.png", folder, names[i % 2], (int)i);
        ic_image *image = fixture_image(context, 12, 9, (uint64_t)i);
        assert_ok(ic_image_save_png(image, path));
        ic_image_free(image);
    }
}

static json_t *report_json(const ic_report *report)
{
    size_t size;
    json_error_t error;
    assert_ok(ic_report_json(report, NULL, 0, &size));
    char *text = malloc(size);
    assert_fails(IC_ERROR_LIMIT, "too small", ic_report_json(report, text, size - 1, &size));
    assert_ok(ic_report_json(report, text, size, &size));
    assert_int_equal(strlen(text) + 1, size);
    json_t *json = json_loads(text, 0, &error);
    assert_non_null(json);
    free(text);
    return json;
}

static double value_of(const ic_report *report, const char *name)
{
    double value;
    assert_ok(ic_report_value(report, name, &value));
    return value;
}

static ic_options *options_with(ic_context *context, const char *name, const char *value)
{
    ic_options *options;
    assert_ok(ic_options_create(context, &options));
    assert_ok(ic_options_set_text(options, name, value));
    return options;
}

/* ---- Figures ---- */

/* A model whose record says that its training mirrored pictures, or not. */
static ic_model *make_model(ic_context *context, const char *flip)
{
    ic_model *model = fixture_make(context, "lenet5", 28, 3, CLASSES, 5);
    ic_model_publish(model, ic_model_weights(model),
                     json_pack("{s:{s:s}}", "options", "flip", flip));
    return model;
}

/* Every figure against what ic_predict says of each picture. */
static void agrees_with_predictions(const char *views, const char *flip)
{
    ic_context *context = test_context(2);
    ic_model *model = make_model(context, flip);
    ic_dataset *dataset = make_dataset(context, names, CLASSES, PICTURES);
    ic_options *options = options_with(context, "views", views);
    ic_prediction *prediction;
    ic_report *report;
    int64_t confusion[CLASSES][CLASSES] = {{0}}, right = 0;
    double loss = 0;
    assert_ok(ic_prediction_create(context, &prediction));
    assert_ok(ic_prediction_set_views(prediction, views[0] - '0'));
    for (int64_t i = 0; i < PICTURES; i++) {
        ic_image *image;
        int32_t label, predicted;
        const float *probabilities;
        assert_ok(ic_dataset_image(dataset, i, &image));
        assert_ok(ic_dataset_item(dataset, i, NULL, &label));
        assert_ok(ic_predict(model, image, prediction));
        assert_ok(ic_prediction_class(prediction, 0, &predicted, NULL));
        assert_ok(ic_prediction_probabilities(prediction, 0, &probabilities, NULL));
        confusion[label][predicted]++;
        right += label == predicted;
        loss -= ic_ln((double)probabilities[label]) / PICTURES;
        ic_image_free(image);
    }
    assert_ok(ic_evaluate(model, dataset, options, &report));
    for (int32_t a = 0; a < CLASSES; a++)
        for (int32_t p = 0; p < CLASSES; p++) {
            int64_t count;
            assert_ok(ic_report_confusion(report, a, p, &count));
            assert_int_equal(count, confusion[a][p]);
        }
    assert_true(value_of(report, "count") == PICTURES);
    assert_true(value_of(report, "accuracy") == (double)right / PICTURES);
    assert_true(value_of(report, "top5_accuracy") == 1);
    assert_true(fabs(value_of(report, "loss") - loss) < 1e-5);
    assert_string_equal(ic_report_split(report), "all");
    ic_report_free(report);
    ic_prediction_free(prediction);
    ic_options_free(options);
    ic_dataset_free(dataset);
    ic_model_free(model);
    ic_context_free(context);
}

static void test_agrees_with_predictions(void **state)
{
    agrees_with_predictions("1", "on");
}

static void test_views_agree_with_predictions(void **state)
{
    agrees_with_predictions("2", "on");
    agrees_with_predictions("6", "on");
    agrees_with_predictions("6", "off");
}

static void keep_views(int32_t level, const char *message, void *payload)
{
    if (level == IC_LOG_INFO && strstr(message, "views") != NULL)
        snprintf(payload, 300, "%s", message);
}

/* How many views are left where none may be mirrored; other numbers are no choice. */
static void test_views_are_told_and_checked(void **state)
{
    static const struct {
        const char *views, *flip, *told;
    } cases[] = {
        {"1", "off", ""},
        {"2", "on", ""},
        {"6", "alternating", ""},
        {"2", "off", "1 of 2 views"},
        {"6", "off", "3 of 6 views"},
    };
    ic_context *context = test_context(1);
    ic_dataset *dataset = make_dataset(context, names, CLASSES, 6);
    ic_options *options;
    char told[300];
    assert_ok(ic_context_set_log(context, keep_views, told));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ic_model *model = make_model(context, cases[i].flip);
        ic_report *report;
        options = options_with(context, "views", cases[i].views);
        told[0] = '\0';
        assert_ok(ic_evaluate(model, dataset, options, &report));
        assert_int_equal(told[0] == '\0', cases[i].told[0] == '\0');
        assert_non_null(strstr(told, cases[i].told));
        ic_report_free(report);
        ic_options_free(options);
        ic_model_free(model);
    }
    options = options_with(context, "views", "2");
    assert_ok(ic_options_set_int(options, "views", 6));
    assert_fails(IC_ERROR_OPTION, "option \"views\" takes 1|2|6, not the number 3",
                 ic_options_set_int(options, "views", 3));
    assert_fails(IC_ERROR_OPTION, "option \"views\" takes 1|2|6, not \"0\"",
                 ic_options_set_text(options, "views", "0"));
    ic_options_free(options);
    ic_dataset_free(dataset);
    ic_context_free(context);
}

static void batches_and_threads_do_not_show(const char *views)
{
    static const char *const batches[] = {"1", "7", "64"};
    json_t *first = NULL;
    for (int32_t threads = 1; threads <= 3; threads++)
        for (int b = 0; b < 3; b++) {
            ic_context *context = test_context(threads);
            ic_model *model = make_model(context, "on");
            ic_dataset *dataset = make_dataset(context, names, CLASSES, PICTURES);
            ic_options *options = options_with(context, "evaluation_batch", batches[b]);
            ic_report *report;
            assert_ok(ic_options_set_text(options, "views", views));
            assert_ok(ic_evaluate(model, dataset, options, &report));
            json_t *json = report_json(report);
            if (first == NULL)
                first = json_incref(json);
            assert_true(json_equal(first, json));
            json_decref(json);
            ic_report_free(report);
            ic_options_free(options);
            ic_dataset_free(dataset);
            ic_model_free(model);
            ic_context_free(context);
        }
    json_decref(first);
}

static void test_batches_and_threads_do_not_show(void **state)
{
    batches_and_threads_do_not_show("1");
    batches_and_threads_do_not_show("6");
}

static void test_json_has_what_scripts_read(void **state)
{
    ic_context *context = test_context(1);
    ic_model *model = fixture_make(context, "lenet5", 28, 3, CLASSES, 5);
    ic_dataset *dataset = make_dataset(context, names, 2, 6); /* class 2 has no pictures */
    ic_report *report;
    double value;
    assert_ok(ic_evaluate(model, dataset, NULL, &report));
    json_t *json = report_json(report);
    static const char *const numbers[] = {"accuracy",
                                          "top5_accuracy",
                                          "loss",
                                          "auc",
                                          "count",
                                          "precision",
                                          "recall",
                                          "f1",
                                          "weighted_precision",
                                          "weighted_recall",
                                          "weighted_f1"};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        assert_true(json_number_value(json_object_get(json, numbers[i])) ==
                    value_of(report, numbers[i]));
    assert_string_equal(json_string_value(json_object_get(json, "split")), "all");
    assert_int_equal(json_array_size(json_object_get(json, "classes")), CLASSES);
    json_t *rows = json_object_get(json, "confusion");
    assert_int_equal(json_array_size(rows), CLASSES);
    assert_int_equal(json_array_size(json_array_get(rows, 2)), CLASSES);
    json_t *third = json_array_get(json_object_get(json, "per_class"), 2);
    assert_string_equal(json_string_value(json_object_get(third, "class")), "class 2");
    assert_int_equal(json_integer_value(json_object_get(third, "support")), 0);
    assert_true(json_is_null(json_object_get(third, "auc")));
    assert_int_equal(json_array_size(json_object_get(json, "skipped")), 0);
    assert_fails(IC_ERROR_NOT_FOUND, "not defined",
                 ic_report_class_value(report, 2, "auc", &value));
    assert_ok(ic_report_class_value(report, 1, "support", &value));
    assert_true(value == 3);
    json_decref(json);
    ic_report_free(report);
    ic_dataset_free(dataset);
    ic_model_free(model);
    ic_context_free(context);
}

/* ---- Pictures that cannot be measured ---- */

static void keep_warning(int32_t level, const char *message, void *payload)
{
    if (level == IC_LOG_WARNING)
        snprintf(payload, 300, "%s", message);
}

static void test_unknown_classes_are_skipped(void **state)
{
    char warning[300] = "";
    static const char *const mixed[] = {"stranger", "class 2", "class 0"};
    ic_context *context = test_context(1);
    ic_model *model = fixture_make(context, "lenet5", 28, 3, CLASSES, 5);
    ic_dataset *dataset = make_dataset(context, mixed, 3, 9);
    ic_report *report;
    double support;
    assert_ok(ic_context_set_log(context, keep_warning, warning));
    assert_ok(ic_evaluate(model, dataset, NULL, &report));
    assert_non_null(strstr(warning, "3 of 9 pictures were left out"));
    assert_non_null(strstr(warning, "does not know its class"));
    assert_true(value_of(report, "count") == 6);
    for (int32_t c = 0; c < CLASSES; c++) { /* matched by name, whatever the order */
        assert_ok(ic_report_class_value(report, c, "support", &support));
        assert_true(support == (c == 1 ? 0 : 3));
    }
    json_t *json = report_json(report);
    json_t *skipped = json_object_get(json, "skipped");
    assert_int_equal(json_array_size(skipped), 3);
    const char *reason = json_string_value(json_object_get(json_array_get(skipped, 0), "reason"));
    assert_non_null(strstr(reason, "does not know its class"));
    json_decref(json);
    ic_report_free(report);
    ic_dataset_free(dataset);
    dataset = make_dataset(context, mixed, 1, 4);
    report = NULL;
    assert_fails(IC_ERROR_DATA, "none of the 4 pictures is of a class that the model knows",
                 ic_evaluate(model, dataset, NULL, &report));
    assert_null(report);
    ic_dataset_free(dataset);
    assert_ok(ic_dataset_create(context, NULL, &dataset));
    assert_fails(IC_ERROR_DATA, "no picture", ic_evaluate(model, dataset, NULL, &report));
    ic_dataset_free(dataset);
    ic_model_free(model);
    ic_context_free(context);
}

/* Files that are damaged, or go, between the opening and the evaluation. */
static void test_unreadable_pictures_are_skipped(void **state)
{
    ic_context *context = test_context(2);
    ic_model *model = fixture_make(context, "tiny", 0, 0, 0, 5);
    const char *folder = test_folder();
    ic_dataset *dataset;
    ic_report *report = NULL;
    write_folder(context, test_path(folder, "data"), 0, 8);
    test_write(test_path(folder, "data/class 0/broken.png"), "no picture", 10);
    assert_ok(ic_dataset_open(context, test_path(folder, "data"), NULL, &dataset));
    test_write(test_path(folder, "data/class 0/2.png"), "\x89PNG\r\n\x1a\n", 8);
    assert_int_equal(remove(test_path(folder, "data/class 1/5.png")), 0);
    assert_ok(ic_evaluate(model, dataset, NULL, &report));
    assert_true(value_of(report, "count") == 6);
    json_t *json = report_json(report);
    json_t *skipped = json_object_get(json, "skipped");
    static const char *const files[] = {"broken.png", "2.png", "5.png"};
    assert_int_equal(json_array_size(skipped), 3);
    for (size_t i = 0; i < 3; i++) {
        json_t *entry = json_array_get(skipped, i);
        assert_non_null(strstr(json_string_value(json_object_get(entry, "file")), files[i]));
        const char *reason = json_string_value(json_object_get(entry, "reason"));
        assert_true(strlen(reason) > 5);
        if (i < 2) /* damaged, not gone: the file is named beside it */
            assert_null(strstr(reason, files[i]));
    }
    json_decref(json);
    ic_report_free(report);
    for (int32_t i = 0; i < 8; i++) {
        char name[64];
        snprintf(name, sizeof name, "data/%s/%d.png", names[i % 2], (int)i);
        remove(test_path(folder, name));
    }
    report = NULL;
    assert_fails(IC_ERROR_DATA, "none of the 8 pictures could be read",
                 ic_evaluate(model, dataset, NULL, &report));
    assert_null(report);
    ic_dataset_free(dataset);
    test_folder_remove(folder);
    ic_model_free(model);
    ic_context_free(context);
}

static void test_useless_weights(void **state)
{
    ic_context *context = test_context(1);
    ic_model *model = fixture_make(context, "tiny", 0, 0, 0, 5);
    ic_dataset *dataset = make_dataset(context, names, 2, 4);
    size_t total = (size_t)ic_graph_parameter_sizes(model->graph).total;
    float *huge = malloc(total * sizeof *huge);
    ic_weights *weights;
    ic_report *report;
    for (size_t i = 0; i < total; i++)
        huge[i] = 3e38f;
    assert_ok(ic_weights_create(context, model->graph, huge, &weights));
    ic_model_publish(model, weights, json_object());
    assert_fails(IC_ERROR_DIVERGED, "not a finite number",
                 ic_evaluate(model, dataset, NULL, &report));
    free(huge);
    ic_dataset_free(dataset);
    ic_model_free(model);
    ic_context_free(context);
}

/* ---- Parts ---- */

static void check_part(const ic_model *model, const ic_dataset *dataset, const char *wanted,
                       const char *split, int32_t count)
{
    ic_options *options = options_with(model->context, "split", wanted);
    ic_report *report;
    assert_ok(ic_evaluate(model, dataset, options, &report));
    assert_string_equal(ic_report_split(report), split);
    assert_int_equal((int32_t)value_of(report, "count"), count);
    ic_report_free(report);
    ic_options_free(options);
}

/* What is known of a part, at its end. */
static void check_meaning(const ic_model *model, const ic_dataset *dataset, const char *wanted,
                          const char *meaning)
{
    ic_options *options = options_with(model->context, "split", wanted);
    ic_report *report;
    assert_ok(ic_evaluate(model, dataset, options, &report));
    const char *text = ic_report_split_meaning(report);
    assert_true(strlen(text) >= strlen(meaning));
    assert_string_equal(text + strlen(text) - strlen(meaning), meaning);
    ic_report_free(report);
    ic_options_free(options);
}

static void check_no_part(const ic_model *model, const ic_dataset *dataset, const char *wanted)
{
    ic_options *options = options_with(model->context, "split", wanted);
    ic_report *report = NULL;
    assert_fails(IC_ERROR_NOT_FOUND, wanted, ic_evaluate(model, dataset, options, &report));
    assert_null(report);
    ic_options_free(options);
}

static void publish_record(ic_model *model, const ic_dataset *trained, const char *split)
{
    unsigned char digest[IC_SHA256_BYTES];
    char text[IC_SHA256_TEXT];
    ic_dataset_digest(trained, digest);
    ic_sha256_text(digest, text);
    json_t *record = json_pack("{s:{s:s, s:s, s:i, s:f}}", "data", "digest", text, "split", split,
                               "seed", 3, "share", 0.25);
    ic_model_publish(model, ic_model_weights(model), record);
}

static void test_parts_of_plain_data(void **state)
{
    ic_context *context = test_context(1);
    ic_model *model = fixture_make(context, "tiny", 0, 0, 0, 5);
    ic_dataset *dataset = make_dataset(context, names, 2, 24), *train, *held_out;
    check_part(model, dataset, "auto", "all", 24);
    check_part(model, dataset, "all", "all", 24);
    check_no_part(model, dataset, "train");
    check_no_part(model, dataset, "validation");
    check_no_part(model, dataset, "test");

    publish_record(model, dataset, "seed");
    assert_ok(ic_dataset_split_by(dataset, 3, 0.25, &train, &held_out));
    int32_t kept = (int32_t)ic_dataset_count(train), out = (int32_t)ic_dataset_count(held_out);
    assert_true(out > 0 && kept + out == 24);
    check_part(model, dataset, "auto", "validation", out);
    check_part(model, dataset, "validation", "validation", out);
    check_part(model, dataset, "train", "train", kept);
    check_part(model, dataset, "all", "all", 24);
    check_no_part(model, dataset, "test");
    check_part(model, held_out, "auto", "all", out); /* other data than the model was trained on */

    publish_record(model, dataset, "declared"); /* but this data declares nothing any more */
    check_part(model, dataset, "auto", "all", 24);
    ic_dataset_free(train);
    ic_dataset_free(held_out);
    ic_dataset_free(dataset);
    ic_model_free(model);
    ic_context_free(context);
}

/* A training that could hold nothing out has recorded a split that cannot be made again. */
static void test_parts_of_data_too_small_to_split(void **state)
{
    ic_context *context = test_context(1);
    ic_model *model = fixture_make(context, "tiny", 0, 0, 0, 5);
    ic_dataset *dataset = make_dataset(context, names, 2, 2);
    publish_record(model, dataset, "seed");
    check_part(model, dataset, "auto", "all", 2);
    check_part(model, dataset, "train", "train", 2);
    check_no_part(model, dataset, "validation");
    ic_dataset_free(dataset);
    ic_model_free(model);
    ic_context_free(context);
}

static void test_parts_that_data_declares(void **state)
{
    ic_context *context = test_context(1);
    ic_model *model = fixture_make(context, "tiny", 0, 0, 0, 5);
    const char *folder = test_folder();
    ic_dataset *dataset, *trained, *held_out;
    write_folder(context, test_path(folder, "train"), 0, 12);
    write_folder(context, test_path(folder, "test"), 12, 6);
    assert_ok(ic_dataset_open(context, folder, NULL, &dataset));
    check_part(model, dataset, "auto", "test", 6);
    check_part(model, dataset, "test", "test", 6);
    check_part(model, dataset, "train", "train", 12);
    check_part(model, dataset, "all", "all", 18);
    check_no_part(model, dataset, "validation");

    assert_ok(ic_dataset_part(dataset, "train", &trained));
    publish_record(model, trained, "seed");
    ic_dataset_free(trained);
    assert_ok(ic_dataset_part(dataset, "train", &trained));
    ic_dataset *kept;
    assert_ok(ic_dataset_split_by(trained, 3, 0.25, &kept, &held_out));
    check_part(model, dataset, "validation", "validation", (int32_t)ic_dataset_count(held_out));
    check_part(model, dataset, "train", "train", (int32_t)ic_dataset_count(kept));
    check_part(model, dataset, "auto", "test", 6);
    check_part(model, trained, "auto", "validation", (int32_t)ic_dataset_count(held_out));
    check_meaning(model, trained, "auto", "held out from training");
    check_meaning(model, dataset, "test", "not trained on");
    check_meaning(model, dataset, "train", "the model was trained on these");
    ic_dataset_free(kept);
    ic_dataset_free(held_out);
    ic_dataset_free(trained);
    ic_dataset_free(dataset);

    write_folder(context, test_path(folder, "val"), 18, 6); /* it goes before what was held out */
    assert_ok(ic_dataset_open(context, folder, NULL, &dataset));
    check_part(model, dataset, "validation", "validation", 6);
    check_meaning(model, dataset, "validation", "the data's own validation part");
    ic_model_publish(model, ic_model_weights(model), json_object());
    check_part(model, dataset, "train", "train", 12);
    check_meaning(model, dataset, "train", "the data's own training part");
    check_meaning(model, dataset, "test", "the data's own test part");
    publish_record(model, dataset, "declared"); /* test is there too: not what was trained on */
    check_part(model, dataset, "auto", "test", 6);
    ic_dataset_free(dataset);
    test_folder_remove(folder);
    ic_model_free(model);
    ic_context_free(context);
}

/* ---- Progress, errors, memory ---- */

typedef struct watch {
    int calls, cancel_at;
    double done, total;
} watch;

static int32_t on_progress(const ic_progress *progress, void *payload)
{
    watch *seen = payload;
    assert_string_equal(ic_progress_phase(progress), "evaluate");
    assert_ok(ic_progress_value(progress, "done", &seen->done));
    assert_ok(ic_progress_value(progress, "total", &seen->total));
    return ++seen->calls == seen->cancel_at;
}

static void test_progress_and_cancel(void **state)
{
    ic_context *context = test_context(1);
    ic_model *model = fixture_make(context, "tiny", 0, 0, 0, 5);
    ic_dataset *dataset = make_dataset(context, names, 2, 10);
    ic_report *report = NULL;
    watch seen = {0};
    assert_ok(ic_context_set_progress(context, on_progress, &seen));
    assert_ok(ic_evaluate(model, dataset, NULL, &report));
    assert_true(seen.calls >= 1 && seen.done == 10 && seen.total == 10);
    ic_report_free(report);
    report = NULL;
    seen = (watch){.cancel_at = 1};
    assert_fails(IC_ERROR_CANCELLED, "", ic_evaluate(model, dataset, NULL, &report));
    assert_null(report);
    ic_dataset_free(dataset);
    ic_model_free(model);
    ic_context_free(context);
}

static void test_bad_arguments(void **state)
{
    ic_context *context = test_context(1);
    ic_model *model = fixture_make(context, "tiny", 0, 0, 0, 5);
    ic_dataset *dataset = make_dataset(context, names, 2, 4);
    ic_report *report;
    double value = 7;
    int64_t count = 7;
    size_t size;
    assert_fails(IC_ERROR_ARGUMENT, "model is NULL", ic_evaluate(NULL, dataset, NULL, &report));
    assert_fails(IC_ERROR_ARGUMENT, "dataset is NULL", ic_evaluate(model, NULL, NULL, &report));
    assert_fails(IC_ERROR_ARGUMENT, "out is NULL", ic_evaluate(model, dataset, NULL, NULL));
    assert_ok(ic_evaluate(model, dataset, NULL, &report));
    assert_fails(IC_ERROR_NOT_FOUND, "\"beauty\"", ic_report_value(report, "beauty", &value));
    assert_fails(IC_ERROR_ARGUMENT, "name is NULL", ic_report_value(report, NULL, &value));
    assert_fails(IC_ERROR_ARGUMENT, "report is NULL", ic_report_value(NULL, "f1", &value));
    assert_fails(IC_ERROR_ARGUMENT, "out is NULL", ic_report_value(report, "f1", NULL));
    assert_fails(IC_ERROR_ARGUMENT, "class 2, but the classes are 0..1",
                 ic_report_class_value(report, 2, "f1", &value));
    assert_fails(IC_ERROR_ARGUMENT, "class -1", ic_report_confusion(report, -1, 0, &count));
    assert_fails(IC_ERROR_ARGUMENT, "class 2", ic_report_confusion(report, 0, 2, &count));
    assert_fails(IC_ERROR_ARGUMENT, "report is NULL", ic_report_confusion(NULL, 0, 0, &count));
    assert_fails(IC_ERROR_ARGUMENT, "report is NULL", ic_report_json(NULL, NULL, 0, &size));
    assert_true(value == 7 && count == 7);
    assert_string_equal(ic_report_split(NULL), "");
    ic_report_free(NULL);
    ic_report_free(report);
    ic_dataset_free(dataset);
    ic_model_free(model);
    ic_context_free(context);
}

static ic_status evaluate_flow(ic_context *context, void *payload)
{
    ic_model *model = NULL;
    ic_dataset *dataset = NULL;
    ic_report *report = NULL;
    size_t size;
    ic_status status;
    IC_TRY_CLEAN(fixture_model(context, "tiny", 0, 0, 0, 5, &model));
    IC_TRY_CLEAN(ic_dataset_open(context, payload, NULL, &dataset));
    IC_TRY_CLEAN(ic_evaluate(model, dataset, NULL, &report));
    status = ic_report_json(report, NULL, 0, &size);
cleanup:
    ic_report_free(report);
    ic_dataset_free(dataset);
    ic_model_free(model);
    return status;
}

static void test_out_of_memory(void **state)
{
    ic_context *context = test_context(1);
    const char *folder = test_folder();
    write_folder(context, folder, 0, 4);
    test_write(test_path(folder, "class 0/broken.png"), "no picture", 10);
    assert_true(test_fail_each_allocation(evaluate_flow, (void *)folder) > 20);
    test_folder_remove(folder);
    ic_context_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_agrees_with_predictions),
        cmocka_unit_test(test_views_agree_with_predictions),
        cmocka_unit_test(test_views_are_told_and_checked),
        cmocka_unit_test(test_batches_and_threads_do_not_show),
        cmocka_unit_test(test_json_has_what_scripts_read),
        cmocka_unit_test(test_unknown_classes_are_skipped),
        cmocka_unit_test(test_unreadable_pictures_are_skipped),
        cmocka_unit_test(test_useless_weights),
        cmocka_unit_test(test_parts_of_plain_data),
        cmocka_unit_test(test_parts_of_data_too_small_to_split),
        cmocka_unit_test(test_parts_that_data_declares),
        cmocka_unit_test(test_progress_and_cancel),
        cmocka_unit_test(test_bad_arguments),
        cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* report/test_plot.c: the texts of plots, and plots of odd reports and records.
 * SPDX-License-Identifier: MIT */
#include "../model/fixture.h"

#include "base/json.h"
#include "evaluate/evaluation.h"
#include "report/plot.h"

#include <imgcls/report.h>

#include <stdlib.h>
#include <string.h>

static ic_context *context;
static const char *folder;

static bool same_width(const char *a, const char *b)
{
    return ic_plot_text_width(10, a) == ic_plot_text_width(10, b);
}

static void accented_letters_are_as_wide_as_their_base_letters(void **state)
{
    (void)state;
    assert_true(same_width("señor Łódź", "senor Lodz"));
    assert_true(same_width("e\xCC\x81t\xC3\xA9", "ete")); /* a combining mark, and none */
    assert_true(same_width("中", "文"));
    assert_true(ic_plot_text_width(10, "\xFF\xC3") > 0); /* no UTF-8: drawn as boxes */
    assert_true(ic_plot_text_width(10, "") == 0);
}

static void text_is_cut_between_characters(void **state)
{
    (void)state;
    static const char text[] = "äöü";
    assert_int_equal(ic_plot_text_fit(10, text, 1000), strlen(text));
    assert_int_equal(ic_plot_text_fit(10, text, 0), 0);
    size_t two = ic_plot_text_fit(10, text, ic_plot_text_width(10, "aon") - 0.1);
    assert_int_equal(two, strlen("äö"));
}

/* The text of a file, to be freed. */
static char *read_plot(const char *path)
{
    size_t size;
    char *text = test_read_file(path, &size);
    assert_non_null(text);
    return text;
}

static void svg_texts_are_escaped(void **state)
{
    (void)state;
    ic_plot *plot;
    const char *path = test_path(folder, "text.svg");
    assert_ok(ic_plot_create(context, 50, 40, &plot));
    assert_ok(ic_plot_text(plot, 1, 2, 10, IC_ANCHOR_START, false, 0, "<a & \"b\"\x1b\n>é"));
    assert_ok(ic_plot_save(plot, path));
    assert_fails(IC_ERROR_ARGUMENT, "text.gif", ic_plot_save(plot, test_path(folder, "text.gif")));
    ic_plot_free(plot);
    char *text = read_plot(path);
    assert_non_null(strstr(text, ">&lt;a &amp; \"b\"&gt;é</text>"));
    free(text);
}

/* ---- Learning curves ---- */

/* Draws the curves of a record in JSON; its epochs and best_epoch are given. */
static ic_status draw_history(const char *record, const char *name)
{
    ic_model *model = fixture_make(context, "tiny", 0, 0, 0, 1);
    json_t *json;
    assert_ok(ic_json_parse(record, strlen(record), "the record", &json));
    ic_model_publish(model, ic_model_weights(model), json);
    ic_status status = ic_model_plot_history(model, test_path(folder, name));
    ic_model_free(model);
    return status;
}

static void histories_of_any_record(void **state)
{
    (void)state;
    static const char *const records[] = {
        "{\"epochs\":[{\"train_loss\":1}],\"best_epoch\":1}",
        "{\"epochs\":[{\"train_loss\":1e17},{\"train_loss\":1e17}],\"best_epoch\":-3}",
        "{\"epochs\":[{\"train_loss\":-1e308,\"validation_loss\":1e308}],\"best_epoch\":99}",
        "{\"epochs\":[{\"train_loss\":999999999,\"train_accuracy\":\"high\"},7,{}]}",
        "{\"epochs\":[{\"train_loss\":1e-30,\"validation_loss\":2e-30}],\"best_epoch\":0}",
    };
    for (size_t i = 0; i < sizeof records / sizeof records[0]; i++) {
        assert_ok(draw_history(records[i], "history.svg"));
        char *text = read_plot(test_path(folder, "history.svg"));
        assert_null(strstr(text, "nan"));
        assert_null(strstr(text, "inf"));
        free(text);
        assert_ok(draw_history(records[i], "history.png"));
    }
    assert_fails(IC_ERROR_STATE, "train it first", draw_history("{}", "history.png"));
}

static void close_values_have_different_ticks(void **state)
{
    (void)state;
    assert_ok(draw_history("{\"epochs\":[{\"train_loss\":0.6656,\"validation_loss\":0.668}]}",
                           "ticks.svg"));
    char *text = read_plot(test_path(folder, "ticks.svg"));
    assert_non_null(strstr(text, ">0.6665<"));
    assert_non_null(strstr(text, ">0.666<"));
    free(text);
}

/* ---- Confusion ---- */

/* A report on `classes` pictures, one of each class, all called class 0. */
static ic_report *make_report(int32_t classes)
{
    ic_model *model = fixture_make(context, "lenet5", 32, 1, classes, 1);
    ic_report *report;
    assert_ok(ic_report_create(model, &report));
    ic_model_free(model);
    int32_t *labels = calloc((size_t)classes, sizeof *labels);
    float *losses = calloc((size_t)classes, sizeof *losses);
    float *probabilities = calloc((size_t)classes * (size_t)classes, sizeof *probabilities);
    for (int32_t i = 0; i < classes; i++) {
        labels[i] = i;
        probabilities[(size_t)i * (size_t)classes] = 1;
    }
    ic_scores scores = {classes, classes, labels, probabilities, losses};
    assert_ok(ic_metrics_measure(context, &scores, &report->metrics));
    report->split = "all";
    free(labels);
    free(losses);
    free(probabilities);
    return report;
}

static void rename_class(ic_report *report, int32_t index, const char *name)
{
    ic_free(context, report->model->classes[index]);
    assert_ok(ic_copy_text(context, name, &report->model->classes[index]));
}

/* Width and height from the header of a PNG file. */
static void png_size(const char *path, unsigned *width, unsigned *height)
{
    size_t size;
    unsigned char *bytes = test_read_file(path, &size);
    assert_non_null(bytes);
    assert_true(size > 24);
    *width = (unsigned)bytes[18] << 8 | bytes[19];
    *height = (unsigned)bytes[22] << 8 | bytes[23];
    free(bytes);
}

static void confusion_of_any_number_of_classes(void **state)
{
    (void)state;
    static const int32_t counts[] = {2, 7, 13, 40, 200};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        unsigned width, height;
        ic_report *report = make_report(counts[i]);
        assert_ok(ic_report_plot_confusion(report, test_path(folder, "confusion.png")));
        png_size(test_path(folder, "confusion.png"), &width, &height);
        assert_in_range(width, 400, 1600);
        assert_in_range(height, 300, 1600);
        ic_report_free(report);
    }
}

static void long_names_end_in_dots(void **state)
{
    (void)state;
    char name[401];
    unsigned width, height;
    ic_report *report = make_report(2);
    memset(name, 'w', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    rename_class(report, 0, name);
    rename_class(report, 1, "short");
    assert_ok(ic_report_plot_confusion(report, test_path(folder, "long.png")));
    png_size(test_path(folder, "long.png"), &width, &height);
    assert_in_range(width, 400, 700);
    assert_ok(ic_report_plot_confusion(report, test_path(folder, "long.svg")));
    char *text = read_plot(test_path(folder, "long.svg"));
    assert_non_null(strstr(text, "www...</text>"));
    assert_non_null(strstr(text, ">short</text>"));
    assert_null(strstr(text, name));
    free(text);
    ic_report_free(report);
}

static int begin(void **state)
{
    (void)state;
    context = test_context(1);
    folder = test_folder();
    return 0;
}

static int end(void **state)
{
    (void)state;
    test_folder_remove(folder);
    ic_context_free(context);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accented_letters_are_as_wide_as_their_base_letters),
        cmocka_unit_test(text_is_cut_between_characters),
        cmocka_unit_test(svg_texts_are_escaped),
        cmocka_unit_test(histories_of_any_record),
        cmocka_unit_test(close_values_have_different_ticks),
        cmocka_unit_test(confusion_of_any_number_of_classes),
        cmocka_unit_test(long_names_end_in_dots),
    };
    return cmocka_run_group_tests(tests, begin, end);
}

/*
 * test_arguments.c: every public function given NULL or nonsense returns a status with a text, and
 * leaves its outputs alone; every _free takes NULL. SPDX-License-Identifier: MIT
 */
#include "support/support.h"

#include <imgcls/imgcls.h>

#include <string.h>

/* An output that must come back as it went in. */
static int untouched;
#define OUT(type) ((type **)&out)

#define REFUSES(call)                                                                              \
    do {                                                                                           \
        void *out = &untouched;                                                                    \
        (void)out;                                                                                 \
        assert_int_equal((call), IC_ERROR_ARGUMENT);                                               \
        assert_ptr_equal(out, &untouched);                                                         \
        assert_true(strlen(ic_last_error()) > 10);                                                 \
    } while (0)

static ic_context *context;

static int set_up(void **state)
{
    (void)state;
    return ic_context_create(&context) < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
    (void)state;
    ic_context_free(context);
    return 0;
}

static void contexts_and_options(void **state)
{
    (void)state;
    ic_options *options = NULL;
    double number = 0;
    REFUSES(ic_context_create(NULL));
    REFUSES(ic_context_create_with_allocator(NULL, NULL, OUT(ic_context)));
    REFUSES(ic_context_configure(NULL, NULL));
    REFUSES(ic_context_set_log(NULL, NULL, NULL));
    REFUSES(ic_context_set_progress(NULL, NULL, NULL));
    REFUSES(ic_progress_value(NULL, "done", &number));
    REFUSES(ic_options_create(NULL, OUT(ic_options)));
    REFUSES(ic_options_create(context, NULL));
    assert_ok(ic_options_create(context, &options));
    REFUSES(ic_options_set_int(NULL, "epochs", 1));
    REFUSES(ic_options_set_int(options, NULL, 1));
    REFUSES(ic_options_set_float(NULL, "epochs", 1));
    REFUSES(ic_options_set_text(options, "epochs", NULL));
    REFUSES(ic_option_info(-1, NULL, NULL, NULL, NULL, NULL, NULL));
    REFUSES(ic_option_info(ic_option_count(), NULL, NULL, NULL, NULL, NULL, NULL));
    ic_options_free(options);
    ic_options_free(NULL);
    ic_context_free(NULL);
    assert_non_null(ic_progress_phase(NULL));
    assert_string_equal(ic_status_name(12345), "unknown status");
}

static void images(void **state)
{
    (void)state;
    const unsigned char pixel[4] = {1, 2, 3, 4};
    ic_image *image = NULL;
    size_t size = 0;
    REFUSES(ic_image_load(NULL, "x.png", OUT(ic_image)));
    REFUSES(ic_image_load(context, NULL, OUT(ic_image)));
    REFUSES(ic_image_load(context, "x.png", NULL));
    REFUSES(ic_image_decode(context, NULL, 10, OUT(ic_image)));
    REFUSES(ic_image_from_pixels(context, NULL, 1, 1, 0, IC_PIXELS_RGB8, OUT(ic_image)));
    REFUSES(ic_image_from_pixels(context, pixel, 0, 1, 0, IC_PIXELS_RGB8, OUT(ic_image)));
    REFUSES(ic_image_from_pixels(context, pixel, 1, -1, 0, IC_PIXELS_RGB8, OUT(ic_image)));
    REFUSES(ic_image_from_pixels(context, pixel, 1, 1, 0, 99, OUT(ic_image)));
    REFUSES(ic_image_from_pixels(context, pixel, 1, 1, 2, IC_PIXELS_RGB8, OUT(ic_image)));
    assert_ok(ic_image_from_pixels(context, pixel, 1, 1, 0, IC_PIXELS_RGBA8, &image));
    REFUSES(ic_image_info(NULL, NULL, NULL, NULL, NULL));
    REFUSES(ic_image_pixels(NULL, NULL, NULL));
    REFUSES(ic_image_resize(image, 0, 5, IC_FILTER_BILINEAR, OUT(ic_image)));
    REFUSES(ic_image_resize(image, 5, 5, 77, OUT(ic_image)));
    REFUSES(ic_image_resize(NULL, 5, 5, IC_FILTER_BILINEAR, OUT(ic_image)));
    REFUSES(ic_image_save_png(image, NULL));
    REFUSES(ic_image_save_png(NULL, "x.png"));
    REFUSES(ic_image_encode_png(image, NULL, 0, NULL));
    REFUSES(ic_image_encode_png(NULL, NULL, 0, &size));
    ic_image_free(image);
    ic_image_free(NULL);
}

/* Of a set without pictures. */
static void inspections(const ic_dataset *dataset)
{
    size_t size;
    ic_inspection *inspection;
    assert_ok(ic_dataset_inspect(dataset, NULL, &inspection));
    REFUSES(ic_inspection_pair(inspection, 0, NULL, NULL, NULL, NULL));
    REFUSES(ic_inspection_pair(NULL, 0, NULL, NULL, NULL, NULL));
    REFUSES(ic_inspection_finding(inspection, 9, NULL, NULL, NULL, NULL));
    REFUSES(ic_inspection_json(NULL, NULL, 0, &size));
    REFUSES(ic_inspection_json(inspection, NULL, 0, NULL));
    REFUSES(ic_inspection_plot(NULL, NULL, "classes", "x.png"));
    REFUSES(ic_inspection_plot(inspection, NULL, NULL, "x.png"));
    REFUSES(ic_inspection_plot(inspection, NULL, "classes", NULL));
    REFUSES(ic_inspection_plot(inspection, NULL, "words", "x.png"));
    assert_int_equal(ic_inspection_plot(inspection, NULL, "duplicates", "x.png"), IC_ERROR_DATA);
    assert_int_equal(ic_inspection_pair_count(inspection), 0);
    assert_int_equal(ic_inspection_pair_count(NULL), 0);
    assert_int_equal(ic_inspection_finding_count(NULL), 0);
    ic_inspection_free(inspection);
    ic_inspection_free(NULL);
}

static void datasets(void **state)
{
    (void)state;
    ic_dataset *dataset = NULL;
    size_t size = 0;
    REFUSES(ic_dataset_open(NULL, "x", NULL, OUT(ic_dataset)));
    REFUSES(ic_dataset_open(context, NULL, NULL, OUT(ic_dataset)));
    REFUSES(ic_dataset_open(context, "x", NULL, NULL));
    REFUSES(ic_dataset_create(NULL, NULL, OUT(ic_dataset)));
    assert_ok(ic_dataset_create(context, NULL, &dataset));
    REFUSES(ic_dataset_add_image(dataset, NULL, "a"));
    REFUSES(ic_dataset_add_image(NULL, NULL, "a"));
    REFUSES(ic_dataset_add_file(dataset, NULL, "a"));
    REFUSES(ic_dataset_add_file(dataset, "x.png", NULL));
    REFUSES(ic_dataset_part(NULL, "train", OUT(ic_dataset)));
    REFUSES(ic_dataset_split(NULL, NULL, OUT(ic_dataset), OUT(ic_dataset)));
    REFUSES(ic_dataset_split(dataset, NULL, OUT(ic_dataset), NULL));
    REFUSES(ic_dataset_fold(NULL, NULL, 5, 0, OUT(ic_dataset), OUT(ic_dataset)));
    REFUSES(ic_dataset_fold(dataset, NULL, 5, 0, NULL, OUT(ic_dataset)));
    REFUSES(ic_dataset_fold(dataset, NULL, 5, 5, OUT(ic_dataset), OUT(ic_dataset)));
    REFUSES(ic_dataset_fold(dataset, NULL, 1, 0, OUT(ic_dataset), OUT(ic_dataset)));
    REFUSES(ic_dataset_set_group(NULL, 0, "x"));
    REFUSES(ic_dataset_set_group(dataset, 0, NULL));
    REFUSES(ic_dataset_set_group(dataset, 0, "x"));
    REFUSES(ic_dataset_group(dataset, 0, (int64_t[]){0}));
    REFUSES(ic_dataset_group(dataset, 0, NULL));
    REFUSES(ic_dataset_class(dataset, 0, NULL, NULL));
    REFUSES(ic_dataset_item(dataset, 0, NULL, NULL));
    REFUSES(ic_dataset_item(NULL, 0, NULL, NULL));
    REFUSES(ic_dataset_image(dataset, -1, OUT(ic_image)));
    REFUSES(ic_dataset_broken(dataset, 0, NULL, NULL));
    REFUSES(ic_dataset_json(NULL, NULL, 0, &size));
    REFUSES(ic_dataset_json(dataset, NULL, 0, NULL));
    REFUSES(ic_dataset_inspect(NULL, NULL, OUT(ic_inspection)));
    REFUSES(ic_dataset_inspect(dataset, NULL, NULL));
    assert_int_equal(ic_dataset_count(NULL), 0);
    assert_int_equal(ic_dataset_class_count(NULL), 0);
    assert_int_equal(ic_dataset_broken_count(NULL), 0);
    inspections(dataset);
    ic_dataset_free(dataset);
    ic_dataset_free(NULL);
}

static void models_and_predictions(void **state)
{
    (void)state;
    ic_prediction *prediction = NULL;
    size_t size = 0;
    REFUSES(ic_model_create(context, NULL, NULL, OUT(ic_model)));
    REFUSES(ic_model_create(NULL, NULL, NULL, OUT(ic_model)));
    REFUSES(ic_model_load(context, NULL, OUT(ic_model)));
    REFUSES(ic_model_load(NULL, "x", OUT(ic_model)));
    REFUSES(ic_model_load_memory(context, NULL, 4, OUT(ic_model)));
    REFUSES(ic_model_save(NULL, "x"));
    REFUSES(ic_model_save_memory(NULL, NULL, 0, &size));
    REFUSES(ic_model_input(NULL, NULL, NULL, NULL));
    REFUSES(ic_model_load_image(NULL, "a.jpg", OUT(ic_image)));
    REFUSES(ic_model_decode_image(NULL, "a", 1, OUT(ic_image)));
    REFUSES(ic_model_read_image(NULL, NULL, 0, OUT(ic_image)));
    REFUSES(ic_model_json(NULL, NULL, 0, &size));
    REFUSES(ic_model_plot_history(NULL, "x.png"));
    assert_int_equal(ic_model_class_count(NULL), 0);
    assert_null(ic_model_class_name(NULL, 0));
    ic_model_free(NULL);
    REFUSES(ic_prediction_create(NULL, OUT(ic_prediction)));
    REFUSES(ic_prediction_create(context, NULL));
    assert_ok(ic_prediction_create(context, &prediction));
    REFUSES(ic_prediction_set_views(NULL, 2));
    REFUSES(ic_prediction_set_views(prediction, 3));
    REFUSES(ic_predict(NULL, NULL, prediction));
    REFUSES(ic_predict_batch(NULL, NULL, 1, prediction));
    assert_int_equal(ic_prediction_class(prediction, 0, NULL, NULL), IC_ERROR_STATE);
    REFUSES(ic_prediction_batch_class(NULL, 0, 0, NULL, NULL));
    assert_int_equal(ic_prediction_probabilities(prediction, 0, NULL, NULL), IC_ERROR_STATE);
    assert_int_equal(ic_prediction_count(NULL), 0);
    assert_int_equal(ic_prediction_count(prediction), 0);
    ic_prediction_free(prediction);
    ic_prediction_free(NULL);
}

static void trainers_and_reports(void **state)
{
    (void)state;
    double number = 0;
    int64_t count = 0;
    size_t size = 0;
    REFUSES(ic_trainer_create(NULL, NULL, NULL, NULL, OUT(ic_trainer)));
    REFUSES(ic_train_step(NULL));
    REFUSES(ic_trainer_run(NULL));
    REFUSES(ic_trainer_value(NULL, "loss", &number));
    ic_trainer_free(NULL);
    REFUSES(ic_explain(NULL, NULL, NULL, OUT(ic_explanation)));
    REFUSES(ic_explanation_class(NULL, NULL, NULL));
    REFUSES(ic_explanation_map(NULL, NULL, NULL, NULL));
    REFUSES(ic_explanation_tensor_map(NULL, NULL, NULL, NULL));
    REFUSES(ic_explanation_image(NULL, OUT(ic_image)));
    assert_string_equal(ic_explanation_method(NULL), "");
    ic_explanation_free(NULL);
    REFUSES(ic_evaluate(NULL, NULL, NULL, OUT(ic_report)));
    REFUSES(ic_report_value(NULL, "accuracy", &number));
    REFUSES(ic_report_class_value(NULL, 0, "recall", &number));
    REFUSES(ic_report_confusion(NULL, 0, 0, &count));
    REFUSES(ic_report_interval(NULL, "auc", &number, &number));
    REFUSES(ic_report_class_interval(NULL, 0, "auc", &number, &number));
    REFUSES(ic_report_picture(NULL, 0, NULL, NULL, NULL, NULL));
    REFUSES(ic_report_probabilities(NULL, 0, NULL, NULL));
    REFUSES(ic_report_curve(NULL, "roc", 0, NULL, NULL, NULL, &count));
    REFUSES(ic_report_operating_point(NULL, 0, "precision", 0.5, &number, NULL, NULL));
    REFUSES(ic_report_compare(NULL, NULL, OUT(ic_comparison)));
    REFUSES(ic_comparison_value(NULL, "count", &number));
    REFUSES(ic_comparison_change(NULL, "gains", 0, NULL, NULL, NULL, NULL, NULL, NULL));
    REFUSES(ic_comparison_json(NULL, NULL, 0, &size));
    ic_comparison_free(NULL);
    REFUSES(ic_report_json(NULL, NULL, 0, &size));
    REFUSES(ic_report_plot_confusion(NULL, "x.png"));
    REFUSES(ic_report_save_html(NULL, NULL, "x.html"));
    REFUSES(ic_dataset_plot_augmentation(NULL, NULL, "x.png"));
    assert_string_equal(ic_report_split(NULL), "");
    ic_report_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(contexts_and_options),
        cmocka_unit_test(images),
        cmocka_unit_test(datasets),
        cmocka_unit_test(models_and_predictions),
        cmocka_unit_test(trainers_and_reports),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}

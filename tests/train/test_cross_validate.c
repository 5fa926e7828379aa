/* train/test_cross_validate.c: each picture by a model that has not seen it; doubtful labels.
 * SPDX-License-Identifier: MIT */
#include "shapes.h"

#include "base/memory.h"
#include "evaluate/evaluation.h"

#include <math.h>
#include <string.h>

static const char *const names[SHAPE_CLASSES] = {"square", "cross", "stripes"};

static const char *const quick[] = {"network", "plain", "epochs", "6",  "batch_size",
                                    "8",       "folds", "3",      NULL, NULL};

/* `each` pictures a class, of which the first `wrong` squares are filed under cross. */
static ic_dataset *make_data(ic_context *context, int64_t each, int64_t wrong)
{
    ic_dataset *dataset;
    assert_ok(ic_dataset_create(context, NULL, &dataset));
    for (int64_t i = 0; i < each * SHAPE_CLASSES; i++) {
        int32_t shape = (int32_t)(i % SHAPE_CLASSES);
        bool turned = shape == 0 && i / SHAPE_CLASSES < wrong;
        ic_image *image = shape_image(context, shape, (uint64_t)(i / SHAPE_CLASSES), SHAPE_SIDE);
        assert_ok(ic_dataset_add_image(dataset, image, names[turned ? 1 : shape]));
        ic_image_free(image);
    }
    return dataset;
}

static ic_report *validate(ic_context *context, const ic_dataset *dataset, const char *const *pairs)
{
    ic_options *options = shapes_options(context, pairs);
    ic_report *report = NULL;
    assert_ok(ic_cross_validate(dataset, options, &report));
    ic_options_free(options);
    return report;
}

static double value_of(const ic_report *report, const char *name)
{
    double value = -1;
    assert_ok(ic_report_value(report, name, &value));
    return value;
}

/* ---- Folds ---- */

static void check_rows(const ic_report *report, const ic_dataset *dataset, int64_t times)
{
    assert_int_equal((int64_t)value_of(report, "count"), times * ic_dataset_count(dataset));
    for (int64_t i = 0; i < times * ic_dataset_count(dataset); i++) {
        const char *measured, *wanted;
        int32_t actual, filed;
        assert_ok(ic_report_picture(report, i, &measured, &actual, NULL, NULL));
        assert_ok(ic_dataset_item(dataset, i / times, &wanted, &filed));
        assert_string_equal(measured, wanted);
        assert_string_equal(ic_report_class_name(report, actual), names[filed]);
    }
}

static void every_picture_is_judged_once(void **state)
{
    ic_context *context = test_context(2);
    ic_dataset *dataset = make_data(context, 24, 0);
    ic_report *report = validate(context, dataset, quick);
    double right = 0, squares = 0, count, accuracy;
    check_rows(report, dataset, 1);
    assert_string_equal(ic_report_split(report), "folds");
    assert_int_equal(ic_report_class_count(report), SHAPE_CLASSES);
    assert_int_equal(ic_report_fold_count(report), 3);
    for (int32_t i = 0; i < 3; i++) {
        assert_ok(ic_report_fold_value(report, i, "count", &count));
        assert_ok(ic_report_fold_value(report, i, "accuracy", &accuracy));
        assert_true(count == 24);
        right += count * accuracy;
        squares += accuracy * accuracy;
    }
    assert_true(fabs(right / 72 - value_of(report, "fold_accuracy_mean")) < 1e-12);
    double variance = (squares - right * right / (72 * 24)) / 2;
    assert_true(fabs(sqrt(fmax(variance, 0)) - value_of(report, "fold_accuracy_deviation")) < 1e-7);
    assert_true(fabs(right / 72 - value_of(report, "accuracy")) < 1e-12);
    assert_true(value_of(report, "accuracy") > 0.8);
    assert_fails(IC_ERROR_ARGUMENT, "fold 3", ic_report_fold_value(report, 3, "count", &count));
    assert_fails(IC_ERROR_NOT_FOUND, "speed", ic_report_fold_value(report, 0, "speed", &count));
    ic_report_free(report);
    ic_dataset_free(dataset);
    ic_context_free(context);
}

static void folds_are_repeated_and_held_out(void **state)
{
    static const char *const twice[] = {"network", "plain", "epochs",  "1", "batch_size", "8",
                                        "folds",   "2",     "repeats", "2", NULL,         NULL};
    static const char *const drawn[] = {
        "network", "plain", "epochs",           "1",    "batch_size", "8", "folds", "0",
        "repeats", "3",     "validation_share", "0.25", NULL,         NULL};
    ic_context *context = test_context(1);
    ic_dataset *dataset = make_data(context, 12, 0);
    ic_report *report = validate(context, dataset, twice);
    check_rows(report, dataset, 2);
    assert_int_equal(ic_report_fold_count(report), 4);
    ic_report_free(report);
    report = validate(context, dataset, drawn);
    assert_int_equal(ic_report_fold_count(report), 3);
    assert_int_equal((int64_t)value_of(report, "count"), 3 * 9);
    ic_report_free(report);
    ic_dataset_free(dataset);
    ic_context_free(context);
}

static void any_number_of_threads_gives_the_same(void **state)
{
    ic_report *reports[2];
    for (int32_t i = 0; i < 2; i++) {
        ic_context *context = test_context(1 + 2 * i);
        ic_dataset *dataset = make_data(context, 8, 0);
        reports[i] = validate(context, dataset, quick);
        ic_dataset_free(dataset);
        ic_context_free(context);
    }
    const ic_scores *a = &reports[0]->scores, *b = &reports[1]->scores;
    assert_int_equal(a->count, b->count);
    assert_memory_equal(a->probabilities, b->probabilities,
                        (size_t)(a->count * a->classes) * sizeof(float));
    ic_report_free(reports[0]);
    ic_report_free(reports[1]);
}

/* ---- Labels ---- */

static void wrong_labels_are_found(void **state)
{
    enum { WRONG = 5 };
    ic_context *context = test_context(2);
    ic_dataset *dataset = make_data(context, 40, WRONG);
    ic_report *report = validate(context, dataset, quick);
    int64_t count, found = 0;
    double last = 1;
    assert_ok(ic_report_label_error_count(report, &count));
    for (int64_t i = 0; i < count; i++) {
        const char *origin;
        int32_t label, suggested;
        double margin;
        assert_ok(ic_report_label_error(report, i, &origin, &label, &suggested, &margin));
        assert_true(margin <= last);
        last = margin;
        for (int64_t k = 0; k < WRONG; k++) { /* every third picture is a square */
            const char *wanted;
            assert_ok(ic_dataset_item(dataset, k * SHAPE_CLASSES, &wanted, NULL));
            if (strcmp(origin, wanted) == 0) {
                assert_string_equal(ic_report_class_name(report, label), "cross");
                found += strcmp(ic_report_class_name(report, suggested), "square") == 0;
            }
        }
    }
    assert_true(found >= WRONG - 1);
    assert_true(count <= WRONG + 3);
    assert_fails(IC_ERROR_ARGUMENT, "doubtful",
                 ic_report_label_error(report, count, NULL, NULL, NULL, NULL));
    ic_report_free(report);
    ic_dataset_free(dataset);
    ic_context_free(context);
}

/* By hand: thresholds 0.5 and 0.65; with its two rows the second picture's means are 0.3, 0.7. */
static void confident_learning_is_as_written(void **state)
{
    int32_t labels[] = {0, 0, 0, 1, 1};
    float probabilities[] = {0.9F, 0.1F, 0.4F, 0.6F, 0.2F, 0.8F, 0.45F, 0.55F, 0.25F, 0.75F};
    int64_t items[] = {0, 1, 1, 2, 3}, count;
    ic_context *context = test_context(1);
    ic_report report = {
        .context = context, .items = items, .scores = {2, 5, labels, probabilities, NULL}};
    assert_ok(ic_report_label_error_count(&report, &count));
    assert_int_equal(count, 1);
    assert_int_equal(report.doubts[0].row, 1);
    assert_int_equal(report.doubts[0].suggested, 1);
    assert_true(fabs(report.doubts[0].margin - 0.4) < 1e-6);
    ic_free(context, report.doubts);
    ic_context_free(context);
}

/*
 * By hand: thresholds 0.586 and 0.8. The third picture is counted to the other class, one of three
 * that are counted; the two that are not make that 1.67 of 5, so that one of them is doubted, too.
 */
static void those_below_all_thresholds_are_doubted_as_often(void **state)
{
    int32_t labels[] = {0, 0, 0, 0, 0, 1, 1};
    float probabilities[] = {0.9F,  0.1F,  0.9F,  0.1F, 0.2F, 0.8F, 0.48F,
                             0.52F, 0.45F, 0.55F, 0.1F, 0.9F, 0.3F, 0.7F};
    int64_t items[] = {0, 1, 2, 3, 4, 5, 6}, count;
    ic_context *context = test_context(1);
    ic_report report = {
        .context = context, .items = items, .scores = {2, 7, labels, probabilities, NULL}};
    assert_ok(ic_report_label_error_count(&report, &count));
    assert_int_equal(count, 2);
    assert_true(report.doubts[0].row == 2 && report.doubts[0].sure);
    assert_true(report.doubts[1].row == 4 && !report.doubts[1].sure);
    assert_true(fabs(report.doubts[1].margin - 0.1) < 1e-6);
    ic_free(context, report.doubts);
    ic_context_free(context);
}

/* ---- What cannot be ---- */

static void refused(const ic_dataset *dataset, ic_context *context, const char *folds,
                    ic_status status, const char *words)
{
    const char *pairs[] = {"network", "plain", "epochs", "1",  "batch_size",
                           "8",       "folds", folds,    NULL, NULL};
    ic_options *options = shapes_options(context, pairs);
    ic_report *report = NULL;
    assert_fails(status, words, ic_cross_validate(dataset, options, &report));
    assert_null(report);
    ic_options_free(options);
}

static void impossible_folds_are_refused(void **state)
{
    ic_context *context = test_context(1);
    ic_dataset *dataset = make_data(context, 4, 0);
    ic_report *report;
    refused(dataset, context, "1", IC_ERROR_OPTION, "folds is 1");
    refused(dataset, context, "100", IC_ERROR_DATA, "100");
    assert_fails(IC_ERROR_ARGUMENT, "dataset", ic_cross_validate(NULL, NULL, &report));
    assert_fails(IC_ERROR_ARGUMENT, "out", ic_cross_validate(dataset, NULL, NULL));
    ic_dataset_free(dataset);
    ic_context_free(context);
}

static void hear(int32_t level, const char *message, void *payload)
{
    int *heard = payload;
    *heard += level == IC_LOG_WARNING && strstr(message, "lonely has one picture") != NULL;
}

static void lonely_classes_are_told(void **state)
{
    ic_context *context = test_context(1);
    ic_dataset *dataset = make_data(context, 6, 0);
    ic_image *image = shape_image(context, 0, 99, SHAPE_SIDE);
    int heard = 0;
    assert_ok(ic_dataset_add_image(dataset, image, "lonely"));
    assert_ok(ic_context_set_log(context, hear, &heard));
    ic_report *report = validate(context, dataset, quick);
    assert_int_equal(heard, 1);
    assert_int_equal((int64_t)value_of(report, "count"), 19);
    ic_report_free(report);
    ic_image_free(image);
    ic_dataset_free(dataset);
    ic_context_free(context);
}

/* Too few pictures to hold some out of a fold's training: all are trained on. */
static void tiny_data_are_validated(void **state)
{
    static const char *const two[] = {"network", "plain", "epochs", "1",  "batch_size",
                                      "4",       "folds", "2",      NULL, NULL};
    ic_context *context = test_context(1);
    ic_dataset *dataset = make_data(context, 2, 0);
    ic_report *report = validate(context, dataset, two);
    check_rows(report, dataset, 1);
    ic_report_free(report);
    ic_dataset_free(dataset);
    ic_context_free(context);
}

static int32_t cancel(const ic_progress *progress, void *payload)
{
    int *events = payload;
    return ++*events > 3;
}

static void it_can_be_cancelled(void **state)
{
    ic_context *context = test_context(1);
    ic_dataset *dataset = make_data(context, 24, 0);
    int events = 0;
    assert_ok(ic_context_set_progress(context, cancel, &events));
    refused(dataset, context, "3", IC_ERROR_CANCELLED, "");
    ic_dataset_free(dataset);
    ic_context_free(context);
}

/* Every so many allocations of a whole cross-validation. */
static void no_allocation_is_missed(void **state)
{
    static const char *const short_ones[] = {"network", "lenet5", "epochs", "1",
                                             "folds",   "2",      NULL,     NULL};
    ic_status status = IC_ERROR_MEMORY;
    for (int64_t fail = 1; status == IC_ERROR_MEMORY; fail += 1 + fail / 12) {
        test_allocator allocator = {0};
        ic_context *context = test_context_with(&allocator, 1);
        ic_dataset *dataset = make_data(context, 6, 0);
        ic_options *options = shapes_options(context, short_ones);
        ic_report *report = NULL;
        int64_t count;
        allocator.fail_at = allocator.calls + fail;
        status = ic_cross_validate(dataset, options, &report);
        if (status >= 0)
            status = ic_report_label_error_count(report, &count);
        assert_true(status == IC_OK || status == IC_ERROR_MEMORY);
        allocator.fail_at = 0;
        ic_report_free(report);
        ic_options_free(options);
        ic_dataset_free(dataset);
        ic_context_free(context);
        assert_int_equal(allocator.live, 0);
    }
    assert_int_equal(status, IC_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_picture_is_judged_once),
        cmocka_unit_test(folds_are_repeated_and_held_out),
        cmocka_unit_test(any_number_of_threads_gives_the_same),
        cmocka_unit_test(wrong_labels_are_found),
        cmocka_unit_test(confident_learning_is_as_written),
        cmocka_unit_test(those_below_all_thresholds_are_doubted_as_often),
        cmocka_unit_test(impossible_folds_are_refused),
        cmocka_unit_test(lonely_classes_are_told),
        cmocka_unit_test(tiny_data_are_validated),
        cmocka_unit_test(it_can_be_cancelled),
        cmocka_unit_test(no_allocation_is_missed),
    };
    return cmocka_run_group_tests_name("train/cross_validate", tests, NULL, NULL);
}

/* model/test_views.c: predictions averaged over views, against averages made by hand.
 * SPDX-License-Identifier: MIT */
#include "model/fixture.h"

#include "base/maths.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CLASSES = 10, SIDE = 24, PICTURES = 19 };

/* A model of SIDE x SIDE colour pictures whose record says "flip": flip; NULL: it has no record. */
static ic_model *make_model(ic_context *context, const char *flip)
{
    ic_model *model = fixture_make(context, "resnet9", SIDE, 3, CLASSES, 3);
    json_t *record = flip != NULL ? json_pack("{s:{s:s}}", "options", "flip", flip) : json_object();
    ic_model_publish(model, ic_model_weights(model), record);
    return model;
}

static void predict(const ic_model *model, const ic_image *image, int32_t views, float *out)
{
    ic_prediction *prediction;
    const float *probabilities;
    assert_ok(ic_prediction_create(model->context, &prediction));
    assert_ok(ic_prediction_set_views(prediction, views));
    assert_ok(ic_predict(model, image, prediction));
    assert_ok(ic_prediction_probabilities(prediction, 0, &probabilities, NULL));
    memcpy(out, probabilities, CLASSES * sizeof *out);
    ic_prediction_free(prediction);
}

/* ---- Views made by hand, of pictures instead of tensors ---- */

static int32_t within(int32_t at)
{
    return at < 0 ? -at : at >= SIDE ? 2 * (SIDE - 1) - at : at;
}

/* Another picture, which shows at (x, y) what was at (x + shift, y + shift), mirrored then. */
static ic_image *view_by_hand(ic_context *context, const ic_image *image, bool mirrored,
                              int32_t shift)
{
    unsigned char pixels[SIDE][SIDE][3];
    ic_image *out;
    for (int32_t y = 0; y < SIDE; y++)
        for (int32_t x = 0; x < SIDE; x++) {
            const unsigned char *row = ic_image_row(image, within(y + shift));
            memcpy(pixels[y][mirrored ? SIDE - 1 - x : x], row + 3 * within(x + shift), 3);
        }
    assert_ok(ic_image_from_pixels(context, pixels, SIDE, SIDE, 0, IC_PIXELS_RGB8, &out));
    return out;
}

/* Adds weight times the logits of a view, which are the logarithms of its probabilities but for
 * a number that is the same for all classes. */
static void add_by_hand(const ic_model *model, const ic_image *image, bool mirrored, int32_t shift,
                        double weight, double *logits)
{
    float probabilities[CLASSES];
    ic_image *view = view_by_hand(model->context, image, mirrored, shift);
    predict(model, view, 1, probabilities);
    for (int i = 0; i < CLASSES; i++)
        logits[i] += weight * ic_ln((double)probabilities[i]);
    ic_image_free(view);
}

static void average_by_hand(const ic_model *model, const ic_image *image, int32_t views,
                            bool mirrored, double *probabilities)
{
    double logits[CLASSES] = {0}, sum = 0;
    for (int side = 0; side <= mirrored; side++) {
        const double share = mirrored ? 0.5 : 1;
        add_by_hand(model, image, side, 0, views == 6 ? share * 0.5 : share, logits);
        if (views == 6) {
            add_by_hand(model, image, side, -1, share * 0.25, logits);
            add_by_hand(model, image, side, 1, share * 0.25, logits);
        }
    }
    for (int i = 0; i < CLASSES; i++)
        sum += ic_exp(logits[i]);
    for (int i = 0; i < CLASSES; i++)
        probabilities[i] = ic_exp(logits[i]) / sum;
}

static void expect_average(const char *flip, bool mirrored)
{
    ic_context *context = test_context(2);
    ic_model *model = make_model(context, flip);
    ic_image *image = fixture_image(context, SIDE, SIDE, 5);
    float plain[CLASSES], averaged[CLASSES];
    double by_hand[CLASSES];
    predict(model, image, 1, plain);
    for (int32_t views = 2; views <= 6; views += 4) {
        double largest = 0;
        predict(model, image, views, averaged);
        average_by_hand(model, image, views, mirrored, by_hand);
        for (int i = 0; i < CLASSES; i++) {
            assert_true(fabs((double)averaged[i] - by_hand[i]) < 1e-6);
            largest = fmax(largest, fabs((double)(averaged[i] - plain[i])));
        }
        if (views == 2 && !mirrored)
            assert_memory_equal(averaged, plain, sizeof plain);
        else
            assert_true(largest > 1e-5); /* else there is nothing to see here */
    }
    ic_image_free(image);
    ic_model_free(model);
    ic_context_free(context);
}

static void test_averages_made_by_hand(void **state)
{
    (void)state;
    expect_average("on", true);
    expect_average("alternating", true);
}

/* A model that has never seen a mirrored picture is shown none. */
static void test_no_mirrored_views_without_mirrored_training(void **state)
{
    (void)state;
    expect_average("off", false);
    expect_average(NULL, false);
}

/* ---- The same bits ---- */

static void test_batches_and_threads_do_not_show(void **state)
{
    float first[PICTURES][CLASSES];
    (void)state;
    for (int32_t threads = 1; threads <= 3; threads++) {
        ic_context *context = test_context(threads);
        ic_model *model = make_model(context, "on");
        const ic_image *images[PICTURES];
        float single[PICTURES][CLASSES];
        ic_prediction *prediction;
        assert_ok(ic_prediction_create(context, &prediction));
        assert_ok(ic_prediction_set_views(prediction, 6));
        for (int32_t i = 0; i < PICTURES; i++) {
            images[i] = fixture_image(context, 20 + i, 50 - i, (uint64_t)i);
            predict(model, images[i], 6, single[i]);
        }
        assert_ok(ic_predict_batch(model, images, PICTURES, prediction));
        for (int32_t i = 0; i < PICTURES; i++) {
            const float *batched;
            assert_ok(ic_prediction_probabilities(prediction, i, &batched, NULL));
            assert_memory_equal(batched, single[i], sizeof single[i]);
            ic_image_free((ic_image *)images[i]);
        }
        if (threads == 1)
            memcpy(first, single, sizeof first);
        assert_memory_equal(first, single, sizeof first);
        ic_prediction_free(prediction);
        ic_model_free(model);
        ic_context_free(context);
    }
}

static void test_a_steady_loop_allocates_nothing(void **state)
{
    test_allocator allocator = {0};
    ic_context *context = test_context_with(&allocator, 1);
    ic_model *model = make_model(context, "on");
    const ic_image *images[PICTURES];
    ic_prediction *prediction;
    int64_t calls = 0;
    (void)state;
    assert_ok(ic_prediction_create(context, &prediction));
    for (int32_t i = 0; i < PICTURES; i++)
        images[i] = fixture_image(context, 40, 30, (uint64_t)i);
    for (int round = 0; round < 6; round++) {
        if (round == 2)
            calls = allocator.calls;
        assert_ok(ic_prediction_set_views(prediction, round % 2 ? 6 : 2));
        assert_ok(ic_predict(model, images[round], prediction));
        assert_ok(ic_predict_batch(model, images, PICTURES, prediction));
    }
    assert_int_equal(allocator.calls, calls);
    for (int32_t i = 0; i < PICTURES; i++)
        ic_image_free((ic_image *)images[i]);
    ic_prediction_free(prediction);
    ic_model_free(model);
    ic_context_free(context);
    assert_int_equal(allocator.live, 0);
}

/* ---- Errors ---- */

static ic_status views_flow(ic_context *context, void *payload)
{
    ic_prediction *prediction = NULL;
    ic_model *model = NULL;
    ic_image *image = payload;
    ic_status status = fixture_model(context, "tiny", 0, 0, 0, 1, &model);
    if (status >= 0)
        status = ic_prediction_create(context, &prediction);
    if (status >= 0)
        status = ic_prediction_set_views(prediction, 6);
    if (status >= 0)
        status = ic_predict(model, image, prediction);
    ic_prediction_free(prediction);
    ic_model_free(model);
    return status;
}

static void test_out_of_memory(void **state)
{
    ic_context *context = test_context(1);
    ic_image *image = fixture_image(context, 5, 4, 1);
    (void)state;
    assert_true(test_fail_each_allocation(views_flow, image) > 10);
    ic_image_free(image);
    ic_context_free(context);
}

/* What was chosen before stands. */
static void test_wrong_numbers(void **state)
{
    static const int32_t wrong[] = {0, -1, 3, 4, 5, 7, INT32_MAX, INT32_MIN};
    ic_context *context = test_context(1);
    ic_model *model = make_model(context, "on");
    ic_image *image = fixture_image(context, 30, 30, 2);
    ic_prediction *prediction;
    const float *probabilities;
    float wanted[CLASSES];
    (void)state;
    predict(model, image, 2, wanted);
    assert_ok(ic_prediction_create(context, &prediction));
    assert_ok(ic_prediction_set_views(prediction, 2));
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_fails(IC_ERROR_ARGUMENT, "views: there are 1",
                     ic_prediction_set_views(prediction, wrong[i]));
    assert_fails(IC_ERROR_ARGUMENT, "prediction is NULL", ic_prediction_set_views(NULL, 2));
    assert_ok(ic_predict(model, image, prediction));
    assert_ok(ic_prediction_probabilities(prediction, 0, &probabilities, NULL));
    assert_memory_equal(probabilities, wanted, sizeof wanted);
    ic_prediction_free(prediction);
    ic_image_free(image);
    ic_model_free(model);
    ic_context_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_averages_made_by_hand),
        cmocka_unit_test(test_no_mirrored_views_without_mirrored_training),
        cmocka_unit_test(test_batches_and_threads_do_not_show),
        cmocka_unit_test(test_a_steady_loop_allocates_nothing),
        cmocka_unit_test(test_out_of_memory),
        cmocka_unit_test(test_wrong_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

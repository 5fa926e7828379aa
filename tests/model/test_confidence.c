/*
 * model/test_confidence.c: temperatures, calibration errors, textures and scores for unknown
 * pictures, against NumPy and SciPy (tests/tools/confidence_scipy.py), in files and predictions.
 * SPDX-License-Identifier: MIT
 */
#include "model/calibrate.h"
#include "model/confidence_golden.h"
#include "model/file.h"
#include "model/fixture.h"
#include "support/hashed.h"

#include "base/maths.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- The temperature ---- */

/* Look `look` of the script's `looks_at` at picture i. */
static void look_again(const float *logits, int32_t i, int32_t look, float *out)
{
    const double weaker = (1 + value_at(name_hash("", "looks"), i)) / 2;
    double factor = 1;
    for (int32_t k = 0; k < look; k++)
        factor *= weaker;
    for (int32_t k = 0; k < GOLDEN_CLASSES; k++)
        out[k] = (float)((double)logits[k] * factor);
}

/* As the script's `judged`, and behind it the further looks; free both arrays. */
static ic_judged judge(double sharpness, int32_t looks)
{
    const int32_t all = looks * GOLDEN_PICTURES;
    float *logits = malloc(sizeof *logits * (size_t)(all * GOLDEN_CLASSES));
    int32_t *labels = malloc(sizeof *labels * (size_t)all);
    for (int32_t i = 0; i < GOLDEN_PICTURES * GOLDEN_CLASSES; i++)
        logits[i] = (float)sharpness * (float)value_at(name_hash("", "logits"), i);
    for (int32_t i = 0; i < GOLDEN_PICTURES; i++) {
        int32_t best = 0;
        for (int32_t k = 1; k < GOLDEN_CLASSES; k++)
            if (logits[i * GOLDEN_CLASSES + k] > logits[i * GOLDEN_CLASSES + best])
                best = k;
        labels[i] = i % 4 == 3 ? (best + 1) % GOLDEN_CLASSES : best;
    }
    for (int32_t i = GOLDEN_PICTURES; i < all; i++) {
        const int32_t picture = i % GOLDEN_PICTURES;
        look_again(logits + picture * GOLDEN_CLASSES, picture, i / GOLDEN_PICTURES,
                   logits + i * GOLDEN_CLASSES);
        labels[i] = labels[picture];
    }
    return (ic_judged){logits, labels, GOLDEN_PICTURES, GOLDEN_CLASSES};
}

static void unjudge(ic_judged *judged)
{
    free((void *)judged->logits);
    free((void *)judged->labels);
}

static void temperatures_and_errors_are_scipys(void **state)
{
    ic_context *context = test_context(1);
    for (size_t i = 0; i < sizeof golden_temperatures / sizeof *golden_temperatures; i++) {
        const int32_t looks = golden_temperatures[i].looks;
        ic_judged judged = judge(golden_temperatures[i].sharpness, looks), all = judged;
        all.count *= looks;
        double temperature = ic_temperature_fit(&all, looks), before, after;
        assert_ok(ic_calibration_error(context, &judged, 1, &before));
        assert_ok(ic_calibration_error(context, &judged, temperature, &after));
        assert_true(fabs(temperature / golden_temperatures[i].temperature - 1) < 1e-9);
        assert_true(fabs(before - golden_temperatures[i].before) < 1e-9);
        assert_true(fabs(after - golden_temperatures[i].after) < 1e-9);
        unjudge(&judged);
    }
    ic_context_free(context);
}

/* `right` of 50 pictures are, each with the one logit 3 above the other. */
static double fitted(int32_t right)
{
    float logits[50 * 2];
    int32_t labels[50];
    for (int32_t i = 0; i < 50; i++) {
        logits[2 * i] = 3;
        logits[2 * i + 1] = 0;
        labels[i] = i >= right;
    }
    return ic_temperature_fit(&(ic_judged){logits, labels, 50, 2}, 1);
}

/* Of 50 pictures that are all right by so much. Smoothed, a 102th of the labels is elsewhere. */
static double all_right(double gap)
{
    return 50 * (ic_ln(1 + ic_exp(-gap)) + gap / 102);
}

/* What too few pictures prove gives no nonsense. */
static void temperatures_are_as_sure_as_is_proven(void **state)
{
    const double gap = 3 / fitted(50), likeliest = ic_ln(101);
    assert_true(gap < likeliest);
    assert_true(fabs(all_right(gap) - all_right(likeliest) - 1.353) < 1e-9);
    assert_true(fitted(50) < fitted(45) && fitted(45) < fitted(35));
    assert_true(fabs(fitted(29) - IC_TEMPERATURE_MAX) < 1e-9); /* may be luck */
    assert_true(fabs(fitted(5) - IC_TEMPERATURE_MAX) < 1e-9);
    static const float none[6] = {0};
    static const int32_t labels[] = {0, 1, 0};
    const double found = ic_temperature_fit(&(ic_judged){none, labels, 3, 2}, 1);
    assert_true(found >= IC_TEMPERATURE_MIN && found <= IC_TEMPERATURE_MAX);
}

/* ---- Textures and signs ---- */

static const ic_pipeline golden_pipeline = {.width = GOLDEN_SIDE,
                                            .height = GOLDEN_SIDE,
                                            .channels = 3,
                                            .mean = {0.25f, 0.5f, 0.125f},
                                            .deviation = {0.5f, 0.25f, 0.125f}};

/* Picture `index` of the script, normalised. */
static void golden_tensor(int32_t index, float *tensor)
{
    const int32_t size = GOLDEN_SIDE * GOLDEN_SIDE * 3;
    double contrast = (value_at(name_hash("", "contrast"), index) + 1) / 2;
    for (int32_t i = 0; i < size; i++) {
        double sample = (value_at(name_hash("", "pixels"), (int64_t)index * size + i) + 1) / 2;
        tensor[i] = (float)((sample * contrast - (double)golden_pipeline.mean[i % 3]) /
                            (double)golden_pipeline.deviation[i % 3]);
    }
}

static void textures_and_signs_are_numpys(void **state)
{
    static float tensor[GOLDEN_SIDE * GOLDEN_SIDE * 3], scratch[GOLDEN_SIDE * GOLDEN_SIDE];
    static double textures[(GOLDEN_TRAINING + 1) * IC_TEXTURE_MAX];
    static ic_unknown unknown;
    const ic_taps taps = {.count = 3, .channels = {4, 7, 3}};
    float outputs[GOLDEN_CLASSES + 14];
    double signs[IC_SIGNS];
    int32_t count = ic_texture_count(&golden_pipeline);
    assert_int_equal(count, sizeof golden_texture / sizeof *golden_texture);
    for (int32_t i = 0; i <= GOLDEN_TRAINING; i++) {
        golden_tensor(i, tensor);
        ic_texture_measure(&golden_pipeline, tensor, scratch, textures + (size_t)(i * count));
    }
    const double *last = textures + (size_t)(GOLDEN_TRAINING * count);
    for (int32_t i = 0; i < count; i++)
        assert_true(fabs(last[i] - golden_texture[i]) < 1e-4);
    unknown.count = count;
    ic_unknown_fit(&unknown, textures, GOLDEN_TRAINING);
    for (int32_t i = 0; i < GOLDEN_CLASSES + 14; i++)
        outputs[i] = 3 * (float)value_at(name_hash("", "outputs"), i);
    ic_unknown_signs(&unknown, last, outputs, GOLDEN_CLASSES, &taps, signs);
    assert_true(fabs(signs[0] - golden_signs[0]) < 1e-6);
    assert_true(fabs(signs[1] - golden_signs[1]) < 1e-3); /* of float samples, rounded */
    assert_true(fabs(signs[2] - golden_signs[2]) < 1e-6);
}

/* By hand: one sign is enough, and no sign makes up for another. */
static void scores_add_what_is_odd(void **state)
{
    static ic_unknown unknown = {.centre = {1, 2, 3}, .spread = {1, 2, 4}};
    assert_true(ic_unknown_score(&unknown, (double[]){1, 2, 3}) == 0);
    assert_true(ic_unknown_score(&unknown, (double[]){3, 2, 3}) == 2);
    assert_true(ic_unknown_score(&unknown, (double[]){3, 10, 11}) == 2 + 2 + 1);
    assert_true(ic_unknown_score(&unknown, (double[]){3, -100, -100}) == 2 - 0.5 - 0.5);
}

static void thresholds_are_quantiles(void **state)
{
    static ic_unknown unknown;
    double signs[101][IC_SIGNS], scores[101];
    for (int32_t i = 0; i < 101; i++)
        for (int32_t k = 0; k < IC_SIGNS; k++)
            signs[i][k] = (i * 37 % 101) * (k + 1);
    for (int32_t percent = 0; percent <= 50; percent += 5) {
        int32_t above = 0;
        ic_unknown_calibrate(&unknown, (const double(*)[IC_SIGNS])signs, 101, percent / 100.0,
                             scores);
        for (int32_t i = 0; i < 101; i++)
            above += ic_unknown_score(&unknown, signs[i]) > unknown.threshold + 1e-9;
        assert_int_equal(above, percent);
    }
    assert_true(fabs(unknown.centre[1] - 100) < 1e-9);
    ic_unknown_calibrate(&unknown, (const double(*)[IC_SIGNS])signs, 1, 0.05, scores);
    assert_true(unknown.threshold == 0); /* one picture is its own centre */
}

/* ---- Predictions ---- */

enum { CLASSES = 6, SIDE = 24, PICTURES = 19 };

static ic_model *trusted(ic_context *context, int32_t batch)
{
    ic_model *model = fixture_make(context, "resnet9", SIDE, 3, CLASSES, 3);
    fixture_trust(model, batch);
    return model;
}

typedef struct answer {
    float probabilities[CLASSES], score, threshold, spread;
} answer;

static answer answer_of(const ic_prediction *prediction, int32_t picture)
{
    answer out = {0};
    const float *probabilities;
    assert_ok(ic_prediction_probabilities(prediction, picture, &probabilities, NULL));
    memcpy(out.probabilities, probabilities, sizeof out.probabilities);
    assert_ok(ic_prediction_unknown(prediction, picture, &out.score, &out.threshold));
    assert_ok(ic_prediction_spread(prediction, picture, &out.spread));
    return out;
}

static answer ask(const ic_model *model, const ic_image *image)
{
    ic_prediction *prediction;
    assert_ok(ic_prediction_create(model->context, &prediction));
    assert_ok(ic_predict(model, image, prediction));
    answer out = answer_of(prediction, 0);
    ic_prediction_free(prediction);
    return out;
}

/* softmax(z / T) from softmax(z). */
static void the_temperature_is_applied(void **state)
{
    ic_context *context = test_context(2);
    ic_model *plain = fixture_make(context, "resnet9", SIDE, 3, CLASSES, 3);
    ic_model *model = trusted(context, 16);
    ic_image *image = fixture_image(context, 33, 21, 9);
    ic_prediction *prediction;
    const float *before;
    double t = model->confidence->temperature, sum = 0, wanted[CLASSES];
    answer after = ask(model, image);
    assert_ok(ic_prediction_create(context, &prediction));
    assert_ok(ic_predict(plain, image, prediction));
    assert_ok(ic_prediction_probabilities(prediction, 0, &before, NULL));
    for (int32_t k = 0; k < CLASSES; k++)
        sum += wanted[k] = ic_pow((double)before[k], 1 / t);
    assert_true(fabs(t - 1) > 0.01); /* else there is nothing to see here */
    for (int32_t k = 0; k < CLASSES; k++)
        assert_true(fabs(wanted[k] / sum - (double)after.probabilities[k]) < 1e-5);
    assert_fails(IC_ERROR_STATE, "unknown=off", ic_prediction_unknown(prediction, 0, NULL, NULL));
    ic_prediction_free(prediction);
    ic_image_free(image);
    ic_model_free(plain);
    ic_model_free(model);
    ic_context_free(context);
}

static void batches_and_threads_do_not_show(void **state)
{
    answer first[PICTURES];
    for (int32_t threads = 1; threads <= 3; threads++) {
        ic_context *context = test_context(threads);
        ic_model *model = trusted(context, 7 * threads); /* nor does the batch of the fit */
        const ic_image *images[PICTURES];
        ic_prediction *prediction;
        assert_ok(ic_prediction_create(context, &prediction));
        for (int32_t i = 0; i < PICTURES; i++)
            images[i] = fixture_image(context, 20 + i, 50 - i, (uint64_t)i);
        assert_ok(ic_predict_batch(model, images, PICTURES, prediction));
        for (int32_t i = 0; i < PICTURES; i++) {
            answer single = ask(model, images[i]), batched = answer_of(prediction, i);
            assert_memory_equal(&single, &batched, sizeof single);
            if (threads == 1)
                first[i] = single;
            assert_memory_equal(&single, &first[i], sizeof single);
            ic_image_free((ic_image *)images[i]);
        }
        ic_prediction_free(prediction);
        ic_model_free(model);
        ic_context_free(context);
    }
}

/* Noise is what it was fitted on; a white picture is not. */
static void strangers_score_higher(void **state)
{
    static unsigned char white[SIDE * SIDE * 3];
    ic_context *context = test_context(1);
    ic_model *model = trusted(context, 16);
    ic_image *image;
    int32_t refused = 0;
    memset(white, 255, sizeof white);
    assert_ok(ic_image_from_pixels(context, white, SIDE, SIDE, 0, IC_PIXELS_RGB8, &image));
    answer stranger = ask(model, image);
    assert_true(stranger.score > stranger.threshold + 5);
    ic_image_free(image);
    for (int32_t i = 0; i < 40; i++) {
        image = fixture_image(context, 30, 40, 1000 + (uint64_t)i);
        answer known = ask(model, image);
        refused += known.score > known.threshold;
        ic_image_free(image);
    }
    assert_true(refused <= 8);
    ic_model_free(model);
    ic_context_free(context);
}

static void allocates_nothing_after_the_first_call(void **state)
{
    test_allocator allocator = {0};
    ic_context *context = test_context_with(&allocator, 2);
    ic_model *model = trusted(context, 16);
    ic_image *image = fixture_image(context, 33, 21, 9);
    ic_prediction *prediction;
    assert_ok(ic_prediction_create(context, &prediction));
    assert_ok(ic_prediction_set_views(prediction, 6));
    assert_ok(ic_predict(model, image, prediction));
    assert_ok(ic_predict(model, image, prediction));
    int64_t calls = allocator.calls;
    for (int32_t i = 0; i < 5; i++)
        assert_ok(ic_predict(model, image, prediction));
    assert_int_equal(allocator.calls, calls);
    ic_prediction_free(prediction);
    ic_image_free(image);
    ic_model_free(model);
    ic_context_free(context);
    assert_int_equal(allocator.live, 0);
}

/* ---- Files ---- */

static void comes_back_from_a_file(void **state)
{
    static const char *const networks[] = {"tiny", "small", "lenet5"};
    for (size_t n = 0; n < sizeof networks / sizeof *networks; n++) {
        ic_context *context = test_context(2);
        ic_model *model = fixture_make(context, networks[n], 28, n == 2 ? 1 : 3, CLASSES, 4), *back;
        ic_image *image = fixture_image(context, 30, 41, 7);
        ic_prediction *prediction;
        fixture_trust(model, 16);
        ic_buffer bytes = fixture_bytes(model);
        assert_ok(ic_model_load_memory(context, bytes.bytes, bytes.size, &back));
        ic_buffer again = fixture_bytes(back);
        assert_int_equal(bytes.size, again.size);
        assert_memory_equal(bytes.bytes, again.bytes, bytes.size);
        assert_ok(ic_prediction_create(context, &prediction));
        float scores[2], probabilities[2];
        const ic_model *const both[] = {model, back};
        for (int32_t i = 0; i < 2; i++) {
            assert_ok(ic_predict(both[i], image, prediction));
            assert_ok(ic_prediction_unknown(prediction, 0, &scores[i], NULL));
            assert_ok(ic_prediction_class(prediction, 0, NULL, &probabilities[i]));
        }
        assert_memory_equal(&scores[0], &scores[1], sizeof scores[0]);
        assert_memory_equal(&probabilities[0], &probabilities[1], sizeof probabilities[0]);
        ic_prediction_free(prediction);
        ic_image_free(image);
        ic_buffer_free(&bytes);
        ic_buffer_free(&again);
        ic_model_free(model);
        ic_model_free(back);
        ic_context_free(context);
    }
}

/* It adds no tensor, so that torch and older readers see the model that they know. */
static void is_no_tensor_and_small(void **state)
{
    ic_context *context = test_context(1);
    ic_model *model = fixture_make(context, "resnet9", SIDE, 3, CLASSES, 3);
    ic_buffer before = fixture_bytes(model);
    fixture_trust(model, 16);
    ic_buffer after = fixture_bytes(model);
    ic_safetensors *old, *new;
    assert_ok(ic_safetensors_open(context, before.bytes, before.size, &old));
    assert_ok(ic_safetensors_open(context, after.bytes, after.size, &new));
    assert_int_equal(ic_safetensors_count(old), ic_safetensors_count(new));
    assert_string_equal(ic_safetensors_metadata(new, IC_KEY_REQUIRES), "[]");
    assert_true(after.size - before.size < 16384);
    ic_safetensors_free(old);
    ic_safetensors_free(new);
    ic_buffer_free(&before);
    ic_buffer_free(&after);
    ic_model_free(model);
    ic_context_free(context);
}

/* New weights are not those that were calibrated. */
static void goes_with_the_weights(void **state)
{
    ic_context *context = test_context(1);
    ic_model *model = trusted(context, 16);
    assert_non_null(model->confidence);
    ic_model_publish(model, ic_model_weights(model), json_object());
    assert_null(model->confidence);
    ic_model_free(model);
    ic_context_free(context);
}

static void is_told_by_info(void **state)
{
    char text[16384];
    size_t size;
    ic_context *context = test_context(1);
    ic_model *model = trusted(context, 16);
    assert_ok(ic_model_json(model, text, sizeof text, &size));
    json_t *json = json_loads(text, 0, NULL), *told = json_object_get(json, "confidence");
    assert_int_equal(json_integer_value(json_object_get(told, "pictures")), FIXTURE_VALIDATION);
    assert_true(json_real_value(json_object_get(told, "temperature")) ==
                model->confidence->temperature);
    assert_true(json_real_value(json_object_get(told, "calibration_error")) ==
                model->confidence->error_after);
    assert_true(json_real_value(json_object_get(json_object_get(told, "unknown"), "threshold")) ==
                model->confidence->unknown.threshold);
    assert_null(json_object_get(json_object_get(told, "unknown"), "factor"));
    json_decref(json);
    ic_model_free(model);
    ic_context_free(context);
}

/* ---- Files that lie ---- */

/* What reading says of the confidence of a model with one member changed; value NULL: taken away.
 */
static void altered_fails(const ic_model *model, const char *outer, const char *key, json_t *value,
                          const char *words)
{
    json_t *json;
    ic_confidence *out = NULL;
    assert_ok(ic_confidence_to_json(model->confidence, &json));
    json_t *object = outer ? json_object_get(json, outer) : json;
    if (value)
        json_object_set_new(object, key, value);
    else
        json_object_del(object, key);
    assert_fails(
        IC_ERROR_FORMAT, words,
        ic_confidence_from_json(json, model->graph, &model->pipeline, model->context, &out));
    assert_null(out);
    json_decref(json);
}

/* One number of an array of `unknown` replaced. */
static void number_fails(const ic_model *model, const char *key, size_t index, json_t *value)
{
    json_t *json, *copy;
    assert_ok(ic_confidence_to_json(model->confidence, &json));
    copy = json_deep_copy(json_object_get(json_object_get(json, "unknown"), key));
    json_array_set_new(copy, index, value);
    altered_fails(model, "unknown", key, copy, index == 0 && *key == 'f' ? "" : key);
    json_decref(json);
}

static void lies_are_refused(void **state)
{
    ic_context *context = test_context(1);
    ic_model *model = trusted(context, 16);
    static const char *const arrays[] = {"mean",   "deviation", "factor",   "centre",
                                         "spread", "share",     "threshold"};
    altered_fails(model, NULL, "pictures", NULL, "pictures");
    altered_fails(model, NULL, "pictures", json_integer(0), "pictures");
    altered_fails(model, NULL, "temperature", json_real(0), "temperature");
    altered_fails(model, NULL, "temperature", json_real(1e9), "temperature");
    altered_fails(model, NULL, "temperature", json_real(-1), "temperature");
    altered_fails(model, NULL, "temperature", json_string("1"), "temperature");
    altered_fails(model, NULL, "calibration_error", NULL, "calibration_error");
    altered_fails(model, NULL, "unknown", json_array(), "unknown");
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) {
        altered_fails(model, "unknown", arrays[i], NULL, arrays[i]);
        altered_fails(model, "unknown", arrays[i], json_array(), arrays[i]);
        altered_fails(model, "unknown", arrays[i], json_integer(3), arrays[i]);
        number_fails(model, arrays[i], 0, json_string("0"));
        number_fails(model, arrays[i], 0, json_real(1e300));
    }
    number_fails(model, "mean", 3, json_real(0.5));
    number_fails(model, "deviation", 3, json_integer(0));
    number_fails(model, "deviation", 3, json_integer(-7));
    number_fails(model, "spread", 1, json_real(0));
    number_fails(model, "factor", 0, json_integer(0));
    number_fails(model, "factor", 0, json_integer(-5));
    ic_model_free(model);
    ic_context_free(context);
}

/* The energy of logits is as large as they are. */
static void large_logits_can_be_read_again(void **state)
{
    ic_context *context = test_context(1);
    ic_model *model = trusted(context, 16);
    ic_confidence changed = *model->confidence, *out = NULL;
    json_t *json;
    changed.unknown.centre[2] = -3e37;
    changed.unknown.spread[2] = 2e37;
    assert_ok(ic_confidence_to_json(&changed, &json));
    assert_ok(ic_confidence_from_json(json, model->graph, &model->pipeline, context, &out));
    assert_true(out->unknown.centre[2] == -3e37 && out->unknown.spread[2] == 2e37);
    ic_confidence_free(out);
    json_decref(json);
    ic_model_free(model);
    ic_context_free(context);
}

/* Of another network: with no linear layer at the end there are no features to be tapped. */
static void networks_that_cannot_have_it_are_refused(void **state)
{
    ic_context *context = test_context(1);
    ic_model *model = trusted(context, 16);
    ic_pipeline small = model->pipeline;
    ic_confidence *out = NULL;
    json_t *json;
    small.width = 2;
    assert_ok(ic_confidence_to_json(model->confidence, &json));
    assert_fails(IC_ERROR_FORMAT, "cannot be told",
                 ic_confidence_from_json(json, model->graph, &small, context, &out));
    small.width = 8;
    assert_fails(IC_ERROR_FORMAT, "mean",
                 ic_confidence_from_json(json, model->graph, &small, context, &out));
    json_decref(json);
    ic_model_free(model);
    ic_context_free(context);
}

/* ---- Memory ---- */

static ic_status load_and_ask(ic_context *context, void *payload)
{
    const ic_buffer *bytes = payload;
    static const unsigned char pixels[3 * 5 * 3] = {1, 200, 30, 4, 99};
    ic_model *model = NULL;
    ic_image *image = NULL;
    ic_prediction *prediction = NULL;
    ic_status status = ic_model_load_memory(context, bytes->bytes, bytes->size, &model);
    if (status >= 0)
        status = ic_image_from_pixels(context, pixels, 3, 5, 0, IC_PIXELS_RGB8, &image);
    if (status >= 0)
        status = ic_prediction_create(context, &prediction);
    if (status >= 0)
        status = ic_prediction_set_views(prediction, 6);
    if (status >= 0)
        status = ic_predict(model, image, prediction);
    if (status >= 0)
        status = ic_predict_ensemble((const ic_model *[]){model, model}, 2,
                                     (const ic_image *[]){image, image}, 2, prediction);
    ic_prediction_free(prediction);
    ic_image_free(image);
    ic_model_free(model);
    return status;
}

static void each_allocation_may_fail(void **state)
{
    ic_context *context = test_context(1);
    ic_model *model = fixture_make(context, "tiny", 0, 0, 0, 1);
    fixture_trust(model, 16);
    ic_buffer bytes = fixture_bytes(model);
    assert_true(test_fail_each_allocation(load_and_ask, &bytes) > 50);
    ic_buffer_free(&bytes);
    ic_model_free(model);
    ic_context_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(temperatures_and_errors_are_scipys),
        cmocka_unit_test(temperatures_are_as_sure_as_is_proven),
        cmocka_unit_test(textures_and_signs_are_numpys),
        cmocka_unit_test(scores_add_what_is_odd),
        cmocka_unit_test(thresholds_are_quantiles),
        cmocka_unit_test(the_temperature_is_applied),
        cmocka_unit_test(batches_and_threads_do_not_show),
        cmocka_unit_test(strangers_score_higher),
        cmocka_unit_test(allocates_nothing_after_the_first_call),
        cmocka_unit_test(comes_back_from_a_file),
        cmocka_unit_test(is_no_tensor_and_small),
        cmocka_unit_test(goes_with_the_weights),
        cmocka_unit_test(is_told_by_info),
        cmocka_unit_test(lies_are_refused),
        cmocka_unit_test(large_logits_can_be_read_again),
        cmocka_unit_test(networks_that_cannot_have_it_are_refused),
        cmocka_unit_test(each_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* model/test_ensemble.c: several models asked together, and the spread of opinions.
 * SPDX-License-Identifier: MIT */
#include "model/fixture.h"

#include <math.h>
#include <string.h>

enum { CLASSES = 4, SIDE = 24, PICTURES = 18, MEMBERS = 3 };

typedef struct ensemble {
    ic_context *context;
    const ic_model *models[MEMBERS];
    const ic_image *images[PICTURES];
    ic_prediction *prediction;
} ensemble;

static ensemble make(bool trusted)
{
    ensemble e = {.context = test_context(2)};
    for (int32_t i = 0; i < MEMBERS; i++) {
        ic_model *model = fixture_make(e.context, i == 1 ? "plain" : "resnet9", SIDE, 3, CLASSES,
                                       (uint64_t)(3 + i));
        if (trusted)
            fixture_trust(model, 16);
        e.models[i] = model;
    }
    for (int32_t i = 0; i < PICTURES; i++)
        e.images[i] = fixture_image(e.context, 25, 40, (uint64_t)i);
    assert_ok(ic_prediction_create(e.context, &e.prediction));
    return e;
}

static void unmake(ensemble *e)
{
    for (int32_t i = 0; i < MEMBERS; i++)
        ic_model_free((ic_model *)e->models[i]);
    for (int32_t i = 0; i < PICTURES; i++)
        ic_image_free((ic_image *)e->images[i]);
    ic_prediction_free(e->prediction);
    ic_context_free(e->context);
}

static const float *row(const ic_prediction *prediction, int32_t picture)
{
    const float *probabilities;
    int32_t count;
    assert_ok(ic_prediction_probabilities(prediction, picture, &probabilities, &count));
    assert_int_equal(count, CLASSES);
    return probabilities;
}

static void probabilities_are_means_and_spreads_deviations(void **state)
{
    ensemble e = make(true);
    static float members[MEMBERS][PICTURES][CLASSES], scores[MEMBERS][PICTURES];
    float thresholds = 0;
    for (int32_t m = 0; m < MEMBERS; m++) {
        float threshold;
        assert_ok(ic_predict_batch(e.models[m], e.images, PICTURES, e.prediction));
        for (int32_t i = 0; i < PICTURES; i++) {
            memcpy(members[m][i], row(e.prediction, i), sizeof members[m][i]);
            assert_ok(ic_prediction_unknown(e.prediction, i, &scores[m][i], &threshold));
        }
        thresholds += threshold / MEMBERS;
    }
    assert_ok(ic_predict_ensemble(e.models, MEMBERS, e.images, PICTURES, e.prediction));
    assert_int_equal(ic_prediction_count(e.prediction), PICTURES);
    for (int32_t i = 0; i < PICTURES; i++) {
        double mean[CLASSES] = {0}, square = 0, score = 0;
        int32_t top;
        float probability, spread, told, threshold;
        for (int32_t m = 0; m < MEMBERS; m++) {
            score += (double)scores[m][i] / MEMBERS;
            for (int32_t k = 0; k < CLASSES; k++)
                mean[k] += (double)members[m][i][k] / MEMBERS;
        }
        assert_ok(ic_prediction_batch_class(e.prediction, i, 0, &top, &probability));
        for (int32_t k = 0; k < CLASSES; k++) {
            assert_true(fabs(mean[k] - (double)row(e.prediction, i)[k]) < 1e-6);
            assert_true(mean[k] <= (double)probability + 1e-6);
        }
        for (int32_t m = 0; m < MEMBERS; m++)
            square += pow((double)members[m][i][top] - mean[top], 2) / MEMBERS;
        assert_ok(ic_prediction_spread(e.prediction, i, &spread));
        assert_true(fabs(sqrt(square) - (double)spread) < 1e-6 && spread > 1e-4f);
        assert_ok(ic_prediction_unknown(e.prediction, i, &told, &threshold));
        assert_true(fabs(score - (double)told) < 1e-4 && fabsf(threshold - thresholds) < 1e-4f);
    }
    unmake(&e);
}

static void one_alone_says_what_it_says(void **state)
{
    ensemble e = make(true);
    float alone[CLASSES], spread = 1;
    assert_ok(ic_predict(e.models[0], e.images[0], e.prediction));
    memcpy(alone, row(e.prediction, 0), sizeof alone);
    assert_ok(ic_predict_ensemble(e.models, 1, e.images, 1, e.prediction));
    assert_memory_equal(alone, row(e.prediction, 0), sizeof alone);
    assert_ok(ic_prediction_spread(e.prediction, 0, &spread));
    assert_true(spread == 0);
    unmake(&e);
}

/* Classes are told apart by name: the same model with its classes in another order. */
static void classes_are_matched_by_name(void **state)
{
    ensemble e = make(false);
    float alone[CLASSES], spread;
    ic_model *turned = fixture_make(e.context, "resnet9", SIDE, 3, CLASSES, 3);
    char *first = turned->classes[0];
    memmove(turned->classes, turned->classes + 1, (CLASSES - 1) * sizeof *turned->classes);
    turned->classes[CLASSES - 1] = first;
    assert_ok(ic_predict(e.models[0], e.images[0], e.prediction));
    memcpy(alone, row(e.prediction, 0), sizeof alone);
    assert_ok(ic_predict_ensemble((const ic_model *[]){e.models[0], turned}, 2, e.images, 1,
                                  e.prediction));
    for (int32_t k = 0; k < CLASSES; k++) /* class k of the first is class k - 1 of the other */
        assert_true(fabsf((alone[k] + alone[(k + CLASSES - 1) % CLASSES]) / 2 -
                          row(e.prediction, 0)[k]) < 1e-6f);
    assert_ok(ic_prediction_spread(e.prediction, 0, &spread));
    assert_fails(IC_ERROR_STATE, "unknown", ic_prediction_unknown(e.prediction, 0, NULL, NULL));
    ic_model_free(turned);
    unmake(&e);
}

static void other_classes_are_an_error(void **state)
{
    ensemble e = make(false);
    ic_model *more = fixture_make(e.context, "plain", SIDE, 3, CLASSES + 1, 3);
    ic_model *other = fixture_make(e.context, "plain", SIDE, 3, CLASSES, 3);
    float before[CLASSES];
    other->classes[2][0] = 'k';
    assert_ok(ic_predict(e.models[0], e.images[0], e.prediction));
    memcpy(before, row(e.prediction, 0), sizeof before);
    assert_fails(
        IC_ERROR_ARGUMENT, "model 2 has 5",
        ic_predict_ensemble((const ic_model *[]){e.models[0], more}, 2, e.images, 1, e.prediction));
    assert_fails(IC_ERROR_ARGUMENT, "\"klass 2\" of model 3",
                 ic_predict_ensemble((const ic_model *[]){e.models[0], e.models[1], other}, 3,
                                     e.images, 1, e.prediction));
    assert_memory_equal(before, row(e.prediction, 0), sizeof before);
    assert_int_equal(ic_prediction_count(e.prediction), 1);
    assert_fails(IC_ERROR_ARGUMENT, "models is NULL",
                 ic_predict_ensemble(NULL, 1, e.images, 1, e.prediction));
    assert_fails(IC_ERROR_ARGUMENT, "0 models",
                 ic_predict_ensemble(e.models, 0, e.images, 1, e.prediction));
    assert_fails(
        IC_ERROR_ARGUMENT, "model 1 is NULL",
        ic_predict_ensemble((const ic_model *[]){e.models[0], NULL}, 2, e.images, 1, e.prediction));
    assert_fails(IC_ERROR_ARGUMENT, "0 pictures",
                 ic_predict_ensemble(e.models, 1, e.images, 0, e.prediction));
    ic_model_free(more);
    ic_model_free(other);
    unmake(&e);
}

/* Two views weigh the same: the deviation is half of what lies between them. */
static void views_spread(void **state)
{
    ensemble e = make(false);
    ic_model *model = (ic_model *)e.models[0];
    unsigned char turned[SIDE][SIDE][3];
    ic_image *image = fixture_image(e.context, SIDE, SIDE, 5), *mirrored;
    int32_t top;
    float two[2], spread;
    for (int32_t y = 0; y < SIDE; y++)
        for (int32_t x = 0; x < SIDE; x++)
            memcpy(turned[y][SIDE - 1 - x],
                   (const unsigned char *)ic_image_row(image, y) + (ptrdiff_t)3 * x, 3);
    assert_ok(ic_image_from_pixels(e.context, turned, SIDE, SIDE, 0, IC_PIXELS_RGB8, &mirrored));
    ic_model_publish(model, ic_model_weights(model),
                     json_pack("{s:{s:s}}", "options", "flip", "on"));
    assert_ok(ic_prediction_set_views(e.prediction, 2));
    assert_ok(ic_predict(model, image, e.prediction));
    assert_ok(ic_prediction_class(e.prediction, 0, &top, NULL));
    assert_ok(ic_prediction_spread(e.prediction, 0, &spread));
    assert_ok(ic_prediction_set_views(e.prediction, 1));
    assert_ok(ic_predict(model, image, e.prediction));
    two[0] = row(e.prediction, 0)[top];
    assert_ok(ic_predict(model, mirrored, e.prediction));
    two[1] = row(e.prediction, 0)[top];
    assert_true(fabsf(two[0] - two[1]) > 1e-4f);
    assert_true(fabsf(fabsf(two[0] - two[1]) / 2 - spread) < 1e-6f);
    assert_ok(ic_prediction_spread(e.prediction, 0, &spread));
    assert_true(spread == 0);
    ic_image_free(image);
    ic_image_free(mirrored);
    unmake(&e);
}

static void asks_for_a_prediction_first(void **state)
{
    ensemble e = make(false);
    float number = 7;
    assert_fails(IC_ERROR_STATE, "nothing has been predicted",
                 ic_prediction_unknown(e.prediction, 0, &number, &number));
    assert_fails(IC_ERROR_STATE, "nothing has been predicted",
                 ic_prediction_spread(e.prediction, 0, &number));
    assert_fails(IC_ERROR_ARGUMENT, "NULL", ic_prediction_spread(NULL, 0, &number));
    assert_ok(ic_predict(e.models[0], e.images[0], e.prediction));
    assert_fails(IC_ERROR_ARGUMENT, "picture 1 of 1",
                 ic_prediction_spread(e.prediction, 1, &number));
    assert_ok(ic_prediction_spread(e.prediction, 0, NULL));
    assert_true(number == 7);
    unmake(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(probabilities_are_means_and_spreads_deviations),
        cmocka_unit_test(one_alone_says_what_it_says),
        cmocka_unit_test(classes_are_matched_by_name),
        cmocka_unit_test(other_classes_are_an_error),
        cmocka_unit_test(views_spread),
        cmocka_unit_test(asks_for_a_prediction_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

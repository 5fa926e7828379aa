/*
 * train/test_trust.c: what is fitted behind the last epoch: the temperature, and what unknown
 * pictures are. SPDX-License-Identifier: MIT
 */
#include "shapes.h"

#include "base/random.h"
#include "model/model.h"
#include "train/trainer.h"

#include <imgcls/prediction.h>
#include <string.h>

#define SETTINGS                                                                                   \
    "network", "small", "epochs", "3", "batch_size", "32", "seed", "5", "validation_share", "0.3"

static const char *const usual[] = {SETTINGS, NULL};

/* What the log said of it. */
typedef struct messages {
    bool temperature, strangers, none;
} messages;

static void listen(int32_t level, const char *text, void *payload)
{
    messages *heard = payload;
    (void)level;
    heard->temperature = heard->temperature || strstr(text, "a temperature of");
    heard->strangers = heard->strangers || strstr(text, "unknown pictures: learnt from");
    heard->none = heard->none || strstr(text, "no temperature and no score");
}

/* 70 of each class: 63 held out. */
static training begin(int32_t threads, int64_t each, const char *const *pairs)
{
    training made;
    assert_ok(training_try(test_context(threads), each, pairs, &made));
    return made;
}

/* The share of `count` pictures that the model takes for unknown ones. */
static double refused(const training *t, ic_image *(*make)(ic_context *, uint64_t), int32_t count)
{
    ic_prediction *prediction;
    int32_t unknown = 0;
    assert_ok(ic_prediction_create(t->context, &prediction));
    for (int32_t i = 0; i < count; i++) {
        float score, threshold;
        ic_image *image = make(t->context, (uint64_t)i);
        assert_ok(ic_predict(t->model, image, prediction));
        assert_ok(ic_prediction_unknown(prediction, 0, &score, &threshold));
        unknown += score > threshold;
        ic_image_free(image);
    }
    ic_prediction_free(prediction);
    return (double)unknown / count;
}

static ic_image *another_shape(ic_context *context, uint64_t index)
{
    return shape_image(context, (int32_t)(index % SHAPE_CLASSES), 500 + index, SHAPE_SIDE);
}

/* Soft waves of one colour. */
static ic_image *wave(ic_context *context, uint64_t index)
{
    unsigned char pixels[SHAPE_SIDE * SHAPE_SIDE * 3];
    ic_image *image;
    int32_t step = 2 + (int32_t)(index % 5);
    for (int32_t i = 0; i < SHAPE_SIDE * SHAPE_SIDE; i++) {
        pixels[3 * i] = (unsigned char)(50 + (i % SHAPE_SIDE) * step);
        pixels[3 * i + 1] = (unsigned char)(200 - (i / SHAPE_SIDE) * step);
        pixels[3 * i + 2] = 90;
    }
    assert_ok(
        ic_image_from_pixels(context, pixels, SHAPE_SIDE, SHAPE_SIDE, 0, IC_PIXELS_RGB8, &image));
    return image;
}

static ic_image *noise(ic_context *context, uint64_t index)
{
    unsigned char pixels[SHAPE_SIDE * SHAPE_SIDE * 3];
    ic_random random = ic_random_at(77, IC_USE_SHUFFLE, index, 0);
    ic_image *image;
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (unsigned char)ic_random_bits(&random);
    assert_ok(
        ic_image_from_pixels(context, pixels, SHAPE_SIDE, SHAPE_SIDE, 0, IC_PIXELS_RGB8, &image));
    return image;
}

static void strangers_are_refused(void **state)
{
    training t = begin(2, 70, usual);
    messages heard = {0};
    assert_ok(ic_context_set_log(t.context, listen, &heard));
    assert_ok(ic_trainer_run(t.trainer));
    const ic_confidence *c = t.model->confidence;
    assert_non_null(c);
    assert_int_equal(c->pictures, 63);
    assert_true(c->temperature > 0.05 && c->temperature < 20 && c->temperature != 1);
    assert_true(heard.temperature && heard.strangers && !heard.none);
    assert_true(refused(&t, another_shape, 60) <= 0.15);
    assert_true(refused(&t, wave, 40) >= 0.95);
    assert_true(refused(&t, noise, 40) >= 0.95);
    training_end(&t);
}

static void threads_do_not_show(void **state)
{
    training one = begin(1, 70, usual), three = begin(3, 70, usual);
    assert_ok(ic_trainer_run(one.trainer));
    assert_ok(ic_trainer_run(three.trainer));
    assert_non_null(one.model->confidence);
    assert_same_model(one.model, three.model);
    training_end(&one);
    training_end(&three);
}

/* Until the end, a model with other weights has neither. */
static void comes_behind_the_last_epoch(void **state)
{
    training t = begin(2, 70, usual);
    int32_t steps = 0;
    ic_status status;
    while ((status = ic_train_step(t.trainer)) == IC_OK) {
        assert_null(t.model->confidence);
        steps += t.trainer->state.phase == IC_PHASE_TRUST;
    }
    assert_int_equal(status, IC_DONE);
    assert_int_equal(steps, 5 + 2 + 2); /* 147 and 63 pictures in batches of 32, the latter twice */
    assert_non_null(t.model->confidence);
    assert_int_equal(ic_train_step(t.trainer), IC_DONE);
    training_end(&t);
}

static void can_be_left_out(void **state)
{
    static const char *const neither[] = {SETTINGS, "calibrate", "off", "unknown", "off", NULL};
    static const char *const calibrated[] = {SETTINGS, "unknown", "off", NULL};
    static const char *const unknown[] = {SETTINGS,        "calibrate", "off",
                                          "unknown_share", "0.25",      NULL};
    training a = begin(2, 70, neither), b = begin(2, 70, calibrated), c = begin(2, 70, unknown);
    messages heard = {0};
    assert_ok(ic_context_set_log(a.context, listen, &heard));
    assert_ok(ic_trainer_run(a.trainer));
    assert_ok(ic_trainer_run(b.trainer));
    assert_ok(ic_trainer_run(c.trainer));
    assert_null(a.model->confidence);
    assert_true(!heard.temperature && !heard.strangers && !heard.none);
    assert_true(b.model->confidence->calibrated && b.model->confidence->tapped == NULL);
    assert_false(c.model->confidence->calibrated);
    assert_true(c.model->confidence->temperature == 1);
    assert_true(c.model->confidence->unknown.share == 0.25);
    assert_true(refused(&c, another_shape, 60) > 0.1);
    training_end(&a);
    training_end(&b);
    training_end(&c);
}

/* By the validation pictures as they are, and for further looks reframed by these changes. */
static double temperature_of(const training *t, int32_t further_looks, const ic_augment *view)
{
    const ic_trainer *trainer = t->trainer;
    const ic_training_recipe *recipe = &trainer->recipe;
    const ic_fitting_options options = {.calibrate = true,
                                        .validation = trainer->data.validation_pictures,
                                        .further_looks = further_looks,
                                        .batch = recipe->batch};
    ic_fitting *fitting;
    ic_confidence *made;
    assert_ok(ic_fitting_create(t->context, t->model->graph, &t->model->pipeline, trainer->best,
                                &options, &fitting));
    for (int32_t look = 0; look <= further_looks; look++) {
        const ic_loader_options way = {.pipeline = t->model->pipeline,
                                       .augment = *view,
                                       .augmented = look > 0,
                                       .batch = recipe->batch,
                                       .seed = recipe->seed,
                                       .class_map = trainer->data.validation_map};
        ic_loader *loader;
        assert_ok(ic_loader_create(t->context, trainer->data.validation, &way, &loader));
        for (int64_t i = 0; i < ic_loader_batches(loader); i++) {
            ic_batch batch;
            assert_ok(ic_loader_next(loader, &batch));
            assert_ok(ic_fitting_validate(fitting, &batch));
        }
        ic_loader_free(loader);
    }
    assert_ok(ic_fitting_finish(fitting, &made));
    const double temperature = made->temperature;
    ic_confidence_free(made);
    ic_fitting_free(fitting);
    return temperature;
}

/* Framed and lit as in training, but without what keeps a network from learning by heart. */
static void pictures_are_reframed_for_the_temperature(void **state)
{
    static const char *const all[] = {SETTINGS,  "crop_scale", "0.2",  "policy", "trivial",
                                      "erasing", "0.9",        "blur", "2",      "noise",
                                      "0.5",     "brightness", "0.3",  NULL};
    training t = begin(2, 70, all);
    assert_ok(ic_trainer_run(t.trainer));
    const ic_augment *used = &t.trainer->recipe.augment;
    const ic_augment view = {.flip = used->flip,
                             .crop_scale = used->crop_scale,
                             .crop_aspect = used->crop_aspect,
                             .brightness = used->brightness};
    assert_true(used->erasing > 0 && used->blur > 0 && used->noise > 0 && used->brightness > 0);
    assert_true(used->policy == IC_POLICY_TRIVIAL && used->flip != IC_FLIP_OFF);
    assert_true(t.model->confidence->temperature == temperature_of(&t, 1, &view));
    assert_true(t.model->confidence->temperature != temperature_of(&t, 0, &view));
    assert_true(t.model->confidence->temperature != temperature_of(&t, 1, used));
    training_end(&t);
}

/* Where training shows pictures as they are, one look is all. */
static void plain_pictures_are_looked_at_once(void **state)
{
    static const char *const plain[] = {SETTINGS, "flip", "off", "erasing", "0.5", NULL};
    training t = begin(2, 70, plain);
    assert_ok(ic_trainer_run(t.trainer));
    assert_int_equal(t.trainer->trust.batches, 5 + 2);
    assert_true(t.model->confidence->temperature ==
                temperature_of(&t, 0, &t.trainer->recipe.augment));
    training_end(&t);
}

static void too_few_pictures_give_neither(void **state)
{
    training t = begin(2, 40, usual);
    messages heard = {0};
    assert_ok(ic_context_set_log(t.context, listen, &heard));
    assert_ok(ic_trainer_run(t.trainer));
    assert_null(t.model->confidence);
    assert_true(heard.none && !heard.temperature);
    training_end(&t);
}

/* ---- Interruptions ---- */

static int32_t cancel_calibration(const ic_progress *progress, void *payload)
{
    return strcmp(ic_progress_phase(progress), "calibrate") == 0 && ++*(int32_t *)payload == 1;
}

static void can_be_cancelled_and_go_on(void **state)
{
    training plain = begin(2, 70, usual), t = begin(2, 70, usual);
    int32_t calls = 0;
    assert_ok(ic_trainer_run(plain.trainer));
    assert_ok(ic_context_set_progress(t.context, cancel_calibration, &calls));
    ic_status status;
    do
        status = ic_trainer_run(t.trainer);
    while (status == IC_ERROR_CANCELLED);
    assert_ok(status);
    assert_true(calls >= 1);
    assert_same_model(plain.model, t.model);
    training_end(&plain);
    training_end(&t);
}

/* Whatever allocation fails, the next steps come to the same end. */
static void each_allocation_may_fail(void **state)
{
    training plain = begin(1, 70, usual);
    assert_ok(ic_trainer_run(plain.trainer));
    bool failed = true;
    for (int64_t fail = 1; failed; fail += fail < 40 ? 1 : 13) {
        test_allocator allocator = {.once = 1};
        training t;
        assert_ok(training_try(test_context_with(&allocator, 1), 70, usual, &t));
        while (t.trainer->state.phase != IC_PHASE_TRUST)
            assert_ok(ic_train_step(t.trainer));
        allocator.fail_at = allocator.calls + fail;
        ic_status status = ic_trainer_run(t.trainer);
        failed = allocator.failed > 0;
        if (failed) {
            assert_int_equal(status, IC_ERROR_MEMORY);
            assert_ok(ic_trainer_run(t.trainer));
        } else {
            assert_ok(status);
        }
        allocator.fail_at = 0;
        assert_same_model(plain.model, t.model);
        training_end(&t);
        assert_int_equal(allocator.live, 0);
    }
    training_end(&plain);
}

/* A model that begins with another's weights learns anew what is unlike its pictures. */
static void fine_tuning_fits_anew(void **state)
{
    training t = begin(2, 70, usual);
    ic_model *tuned;
    ic_trainer *trainer;
    static const char *const short_one[] = {"epochs", "1", "validation_share", "0.3", NULL};
    ic_options *options = shapes_options(t.context, short_one);
    assert_ok(ic_trainer_run(t.trainer));
    assert_ok(ic_model_create_from(t.model, t.data, options, &tuned));
    assert_null(tuned->confidence);
    assert_ok(ic_trainer_create(tuned, t.data, NULL, options, &trainer));
    assert_ok(ic_trainer_run(trainer));
    assert_non_null(tuned->confidence);
    assert_true(tuned->confidence->temperature != t.model->confidence->temperature);
    ic_options_free(options);
    ic_trainer_free(trainer);
    ic_model_free(tuned);
    training_end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strangers_are_refused),
        cmocka_unit_test(threads_do_not_show),
        cmocka_unit_test(comes_behind_the_last_epoch),
        cmocka_unit_test(can_be_left_out),
        cmocka_unit_test(pictures_are_reframed_for_the_temperature),
        cmocka_unit_test(plain_pictures_are_looked_at_once),
        cmocka_unit_test(too_few_pictures_give_neither),
        cmocka_unit_test(can_be_cancelled_and_go_on),
        cmocka_unit_test(each_allocation_may_fail),
        cmocka_unit_test(fine_tuning_fits_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

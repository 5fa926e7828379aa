/*
 * test_threads.c: training while eight threads predict on the same model and on another one. Its
 * worth is under ThreadSanitizer (tests/tools/sanitizers.sh tsan). SPDX-License-Identifier: MIT
 */
#include "path.h"

#include "support/support.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

enum { PREDICTING = 8, PREDICTIONS_MIN = 20 };

typedef struct shared {
    ic_context *context;
    ic_model *training, *other;
    float wanted[2]; /* what the other model says of the picture */
    atomic_int stop, failed;
    atomic_int predictions;
} shared;

static ic_status predict_on(shared *s, const ic_model *model, const ic_image *image,
                            ic_prediction *prediction, float sum[2])
{
    const float *probabilities;
    int32_t count = 0;
    ic_status status = ic_predict(model, image, prediction);
    if (status >= 0)
        status = ic_prediction_probabilities(prediction, 0, &probabilities, &count);
    if (status >= 0)
        memcpy(sum, probabilities, 2 * sizeof *sum);
    atomic_fetch_add(&s->predictions, 1);
    return status;
}

static void *predict_until_stopped(void *payload)
{
    shared *s = payload;
    ic_image *image = NULL;
    ic_prediction *prediction = NULL;
    ic_status status = path_picture(s->context, 1, 7, &image);
    if (status >= 0)
        status = ic_prediction_create(s->context, &prediction);
    for (int32_t i = 0; status >= 0 && (i < PREDICTIONS_MIN || !atomic_load(&s->stop)); i++) {
        float said[2] = {0, 0};
        status = predict_on(s, s->training, image, prediction, said);
        if (status >= 0 && !(said[0] + said[1] > 0.999f && said[0] + said[1] < 1.001f))
            status = IC_ERROR_INTERNAL; /* torn weights would show here */
        if (status >= 0)
            status = predict_on(s, s->other, image, prediction, said);
        if (status >= 0 && memcmp(said, s->wanted, sizeof said) != 0)
            status = IC_ERROR_INTERNAL;
    }
    if (status < 0)
        atomic_fetch_add(&s->failed, 1);
    ic_prediction_free(prediction);
    ic_image_free(image);
    return NULL;
}

static void train_on(shared *s, const char *folder)
{
    ic_options *options = NULL;
    ic_dataset *all = NULL;
    ic_trainer *trainer = NULL;
    assert_ok(ic_options_create(s->context, &options));
    assert_ok(ic_options_set_int(options, "epochs", 4));
    assert_ok(ic_options_set_int(options, "batch_size", 4));
    assert_ok(ic_dataset_open(s->context, folder, options, &all));
    assert_ok(ic_trainer_create(s->training, all, NULL, options, &trainer));
    assert_ok(ic_trainer_run(trainer));
    ic_trainer_free(trainer);
    ic_dataset_free(all);
    ic_options_free(options);
}

static void eight_predict_while_one_trains(void **state)
{
    (void)state;
    const char *folder = test_folder();
    pthread_t threads[PREDICTING];
    shared s = {.context = test_context(2)};
    path_write_pictures(folder, 24);
    assert_ok(path_train(s.context, folder, &s.training));
    assert_ok(path_train(s.context, folder, &s.other));
    ic_image *image = NULL;
    ic_prediction *prediction = NULL;
    assert_ok(path_picture(s.context, 1, 7, &image));
    assert_ok(ic_prediction_create(s.context, &prediction));
    assert_ok(predict_on(&s, s.other, image, prediction, s.wanted));

    for (int32_t i = 0; i < PREDICTING; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, predict_until_stopped, &s), 0);
    train_on(&s, folder);
    atomic_store(&s.stop, 1);
    for (int32_t i = 0; i < PREDICTING; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(atomic_load(&s.failed), 0);
    assert_true(atomic_load(&s.predictions) >= 2 * PREDICTING * PREDICTIONS_MIN);

    ic_prediction_free(prediction);
    ic_image_free(image);
    ic_model_free(s.training);
    ic_model_free(s.other);
    ic_context_free(s.context);
    test_folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(eight_predict_while_one_trains)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

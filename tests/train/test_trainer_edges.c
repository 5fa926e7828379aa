/* train/test_trainer_edges.c: awkward data, no memory, many threads. SPDX-License-Identifier: MIT
 */
#define _XOPEN_SOURCE 700
#include "shapes.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

static const char *const tiny_training[] = {"network",    "lenet5", "epochs", "2",
                                            "batch_size", "8",      NULL,     NULL};

static void one_picture_a_class_trains(void **state)
{
    ic_context *context = test_context(1);
    ic_options *options = shapes_options(context, tiny_training);
    ic_dataset *data;
    ic_model *model;
    ic_trainer *trainer;
    double accuracy = -1;
    assert_ok(shapes_dataset(context, 0, 1, &data));
    assert_ok(ic_model_create(context, data, options, &model));
    assert_ok(ic_trainer_create(model, data, NULL, options, &trainer));
    assert_ok(ic_trainer_run(trainer));
    assert_ok(ic_trainer_value(trainer, "validation_accuracy", &accuracy));
    assert_true(accuracy >= 0 && accuracy <= 1);
    ic_trainer_free(trainer);
    ic_model_free(model);
    ic_dataset_free(data);
    ic_options_free(options);
    ic_context_free(context);
}

static void a_batch_is_never_more_than_all(void **state)
{
    static const char *const pairs[] = {"network",    "plain", "epochs", "1",
                                        "batch_size", "1024",  NULL,     NULL};
    static const char *const all[] = {"network",    "plain", "epochs", "1",
                                      "batch_size", "102",   NULL,     NULL};
    training large = training_begin(1, pairs), right = training_begin(1, all);
    assert_ok(ic_trainer_run(large.trainer));
    assert_ok(ic_trainer_run(right.trainer));
    assert_same_model(large.model, right.model); /* its learning rate is that of 102, too */
    training_end(&large);
    training_end(&right);
}

static void plans_of_another_training_are_refused(void **state)
{
    static const char *const late[] = {"network", "lenet5", "epochs", "1",  "batch_size",
                                       "32",      "replan", "30:450", NULL, NULL};
    static const char *const short_one[] = {"network", "lenet5", "epochs", "1e-11", NULL, NULL};
    ic_context *context = test_context(1);
    training made;
    assert_fails(IC_ERROR_OPTION, "begins at step 30 of a training of 3 steps",
                 training_try(context, 40, late, &made));
    ic_context_free(context);
    made = training_begin(1, short_one);
    assert_ok(ic_trainer_run(made.trainer));
    training_end(&made);
}

static void what_does_not_fit_is_named(void **state)
{
    ic_context *context = test_context(1);
    ic_options *options = shapes_options(context, tiny_training);
    ic_dataset *data, *empty, *other;
    ic_model *model;
    ic_trainer *trainer = NULL;
    double number = 0;
    assert_ok(shapes_dataset(context, 0, 4, &data));
    assert_ok(ic_dataset_create(context, NULL, &empty));
    assert_ok(ic_dataset_create(context, NULL, &other));
    ic_image *image = shape_image(context, 0, 77, SHAPE_SIDE);
    assert_ok(ic_dataset_add_image(other, image, "zebra"));
    ic_image_free(image);
    assert_ok(ic_model_create(context, data, options, &model));

    assert_fails(IC_ERROR_ARGUMENT, "NULL", ic_trainer_create(NULL, data, NULL, NULL, &trainer));
    assert_fails(IC_ERROR_ARGUMENT, "NULL", ic_trainer_create(model, NULL, NULL, NULL, &trainer));
    assert_fails(IC_ERROR_ARGUMENT, "NULL", ic_trainer_create(model, data, NULL, NULL, NULL));
    assert_fails(IC_ERROR_ARGUMENT, "NULL", ic_train_step(NULL));
    assert_fails(IC_ERROR_ARGUMENT, "NULL", ic_trainer_run(NULL));
    assert_fails(IC_ERROR_ARGUMENT, "NULL", ic_trainer_value(NULL, "loss", &number));
    assert_fails(IC_ERROR_DATA, "no readable picture",
                 ic_trainer_create(model, empty, NULL, options, &trainer));
    assert_fails(IC_ERROR_DATA, "validation set has no readable picture",
                 ic_trainer_create(model, data, empty, options, &trainer));
    assert_fails(IC_ERROR_DATA, "\"zebra\"",
                 ic_trainer_create(model, data, other, options, &trainer));
    assert_null(trainer);

    assert_ok(ic_trainer_create(model, data, data, options, &trainer));
    assert_fails(IC_ERROR_NOT_FOUND, "", ic_trainer_value(trainer, "lss", &number));
    assert_fails(IC_ERROR_NOT_FOUND, "", ic_trainer_value(trainer, "loss", &number));
    ic_trainer_free(trainer);
    ic_trainer_free(NULL);
    ic_model_free(model);
    ic_dataset_free(other);
    ic_dataset_free(empty);
    ic_dataset_free(data);
    ic_options_free(options);
    ic_context_free(context);
}

/* Objects may be freed in any order: each keeps what it needs. */
static void a_trainer_outlives_what_it_came_from(void **state)
{
    ic_context *context = test_context(1);
    ic_options *options = shapes_options(context, tiny_training);
    ic_dataset *data;
    ic_model *model;
    ic_trainer *trainer;
    assert_ok(shapes_dataset(context, 0, 4, &data));
    assert_ok(ic_model_create(context, data, options, &model));
    assert_ok(ic_trainer_create(model, data, NULL, options, &trainer));
    ic_options_free(options);
    ic_model_free(model);
    ic_dataset_free(data);
    ic_context_free(context);
    assert_ok(ic_trainer_run(trainer));
    ic_trainer_free(trainer);
}

static ic_status whole_training(ic_context *context, void *payload)
{
    ic_status status;
    ic_options *options = NULL;
    ic_dataset *data = NULL;
    ic_model *model = NULL;
    ic_trainer *trainer = NULL;
    status = ic_options_create(context, &options);
    for (const char *const *pair = tiny_training; *pair && status == IC_OK; pair += 2)
        status = ic_options_set_text(options, pair[0], pair[1]);
    if (status == IC_OK)
        status = ic_dataset_create(context, NULL, &data);
    for (int32_t i = 0; i < 12 && status == IC_OK; i++) {
        ic_image *image = NULL;
        unsigned char pixels[12 * 12];
        memset(pixels, 20 * i, sizeof pixels);
        status = ic_image_from_pixels(context, pixels, 12, 12, 0, IC_PIXELS_GREY8, &image);
        if (status != IC_OK)
            break;
        status = ic_dataset_add_image(data, image, i % 2 ? "odd" : "even");
        ic_image_free(image);
    }
    if (status == IC_OK)
        status = ic_model_create(context, data, options, &model);
    if (status == IC_OK)
        status = ic_trainer_create(model, data, NULL, options, &trainer);
    if (status == IC_OK)
        status = ic_trainer_run(trainer);
    ic_trainer_free(trainer);
    ic_model_free(model);
    ic_dataset_free(data);
    ic_options_free(options);
    return status;
}

static void survives_no_memory(void **state)
{
    assert_true(test_fail_each_allocation(whole_training, NULL) > 50);
}

static ic_trainer *new_trainer(ic_context *context, const char *const *pairs, ic_model **model)
{
    ic_options *options = shapes_options(context, pairs);
    ic_dataset *data;
    ic_trainer *trainer;
    assert_ok(shapes_dataset(context, 0, 8, &data));
    assert_ok(ic_model_create(context, data, options, model));
    assert_ok(ic_trainer_create(*model, data, NULL, options, &trainer));
    ic_dataset_free(data);
    ic_options_free(options);
    return trainer;
}

/* Whatever allocation of a training fails, the call can be made again and nothing has changed. */
static void a_step_without_memory_can_be_made_again(void **state)
{
    ic_context *plain_context = test_context(1);
    ic_model *expected, *model;
    ic_trainer *trainer = new_trainer(plain_context, tiny_training, &expected);
    assert_ok(ic_trainer_run(trainer));
    ic_trainer_free(trainer);
    for (int64_t fail = 1;; fail++) {
        test_allocator allocator = {.once = 1};
        ic_context *context = test_context_with(&allocator, 1);
        trainer = new_trainer(context, tiny_training, &model);
        allocator.fail_at = allocator.calls + fail;
        ic_status status = ic_trainer_run(trainer);
        bool failed = allocator.failed > 0;
        allocator.fail_at = 0;
        assert_int_equal(status, failed ? IC_ERROR_MEMORY : IC_OK);
        assert_ok(ic_trainer_run(trainer));
        assert_same_model(expected, model);
        ic_trainer_free(trainer);
        ic_model_free(model);
        ic_context_free(context);
        assert_int_equal(allocator.live, 0);
        if (!failed)
            break;
        assert_true(fail < 1000);
    }
    ic_model_free(expected);
    ic_context_free(plain_context);
}

static void steady_steps_allocate_nothing(void **state)
{
    test_allocator allocator = {0};
    ic_context *context = test_context_with(&allocator, 2);
    const char *const pairs[] = {"network", "plain", "epochs", "2", "batch_size", "8", NULL, NULL};
    ic_options *options = shapes_options(context, pairs);
    ic_dataset *data;
    ic_model *model;
    ic_trainer *trainer;
    assert_ok(shapes_dataset(context, 0, 60, &data));
    assert_ok(ic_model_create(context, data, options, &model));
    assert_ok(ic_trainer_create(model, data, NULL, options, &trainer));
    /* 153 pictures to train on: 19 steps, then 4 of validation. In the second epoch all are in the
     * cache. */
    for (int32_t i = 0; i < 19 + 4 + 4; i++)
        assert_ok(ic_train_step(trainer));
    int64_t before = allocator.calls;
    for (int32_t i = 0; i < 12; i++)
        assert_ok(ic_train_step(trainer));
    assert_int_equal(allocator.calls, before);
    ic_trainer_free(trainer);
    ic_model_free(model);
    ic_dataset_free(data);
    ic_options_free(options);
    ic_context_free(context);
    assert_int_equal(allocator.live, 0);
}

typedef struct predictor {
    ic_context *context;
    const ic_model *model;
    atomic_bool *stop;
    int64_t count;
    bool sound;
} predictor;

static void *predict_until_stopped(void *payload)
{
    predictor *self = payload;
    ic_prediction *prediction = NULL;
    ic_image *image = shape_image(self->context, 1, 5, SHAPE_SIDE);
    self->sound = ic_prediction_create(self->context, &prediction) == IC_OK;
    do {
        const float *probabilities = NULL;
        int32_t count = 0;
        float sum = 0;
        self->sound = self->sound && ic_predict(self->model, image, prediction) == IC_OK &&
                      ic_prediction_probabilities(prediction, 0, &probabilities, &count) == IC_OK;
        for (int32_t i = 0; self->sound && i < count; i++)
            sum += probabilities[i];
        self->sound = self->sound && sum > 0.999F && sum < 1.001F;
        self->count++;
    } while (!atomic_load(self->stop));
    ic_image_free(image);
    ic_prediction_free(prediction);
    return NULL;
}

/* Eight threads predict, half on the model in training, half on another one. */
static void predicting_while_training(void **state)
{
    enum { THREADS = 8 };
    ic_context *context = test_context(2);
    ic_options *options = shapes_options(context, tiny_training);
    ic_dataset *data;
    ic_model *model, *other;
    ic_trainer *trainer;
    atomic_bool stop = false;
    pthread_t threads[THREADS];
    predictor predictors[THREADS];
    assert_ok(shapes_dataset(context, 0, 30, &data));
    assert_ok(ic_model_create(context, data, options, &model));
    assert_ok(ic_model_create(context, data, options, &other));
    assert_ok(ic_trainer_create(model, data, NULL, options, &trainer));
    for (int32_t i = 0; i < THREADS; i++) {
        predictors[i] = (predictor){context, i % 2 ? model : other, &stop, 0, false};
        assert_int_equal(pthread_create(&threads[i], NULL, predict_until_stopped, &predictors[i]),
                         0);
    }
    assert_ok(ic_trainer_run(trainer));
    atomic_store(&stop, true);
    for (int32_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_true(predictors[i].sound && predictors[i].count > 0);
    }
    ic_trainer_free(trainer);
    ic_model_free(other);
    ic_model_free(model);
    ic_dataset_free(data);
    ic_options_free(options);
    ic_context_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_picture_a_class_trains),
        cmocka_unit_test(a_batch_is_never_more_than_all),
        cmocka_unit_test(plans_of_another_training_are_refused),
        cmocka_unit_test(what_does_not_fit_is_named),
        cmocka_unit_test(a_trainer_outlives_what_it_came_from),
        cmocka_unit_test(survives_no_memory),
        cmocka_unit_test(a_step_without_memory_can_be_made_again),
        cmocka_unit_test(steady_steps_allocate_nothing),
        cmocka_unit_test(predicting_while_training),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

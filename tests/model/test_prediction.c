/* model/test_prediction.c: one picture, many pictures, many threads, other weights meanwhile.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "model/fixture.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { CLASSES = 10, PICTURES = 37 };

static void copy_probabilities(const ic_prediction *prediction, int32_t picture, float *out)
{
    const float *probabilities;
    int32_t count;
    assert_ok(ic_prediction_probabilities(prediction, picture, &probabilities, &count));
    assert_int_equal(count, CLASSES);
    memcpy(out, probabilities, CLASSES * sizeof *out);
}

static void predict_one(const ic_model *model, const ic_image *image, float *out)
{
    ic_prediction *prediction;
    assert_ok(ic_prediction_create(model->context, &prediction));
    assert_ok(ic_predict(model, image, prediction));
    copy_probabilities(prediction, 0, out);
    ic_prediction_free(prediction);
}

/* ---- What a result is ---- */

static void test_probabilities_and_ranks(void **state)
{
    ic_context *context = test_context(1);
    ic_model *model = fixture_make(context, "lenet5", 28, 1, CLASSES, 1);
    ic_image *image = fixture_image(context, 31, 17, 5);
    ic_prediction *prediction;
    assert_ok(ic_prediction_create(context, &prediction));
    assert_int_equal(ic_prediction_count(prediction), 0);
    assert_ok(ic_predict(model, image, prediction));
    assert_int_equal(ic_prediction_count(prediction), 1);
    double sum = 0;
    float above = 2;
    int seen[CLASSES] = {0};
    for (int32_t rank = 0; rank < CLASSES; rank++) {
        int32_t index;
        float probability;
        const float *all;
        assert_ok(ic_prediction_class(prediction, rank, &index, &probability));
        assert_ok(ic_prediction_probabilities(prediction, 0, &all, NULL));
        assert_true(probability == all[index] && probability <= above && probability >= 0);
        above = probability;
        sum += probability;
        seen[index]++;
    }
    for (int i = 0; i < CLASSES; i++)
        assert_int_equal(seen[i], 1);
    assert_true(sum > 0.99999 && sum < 1.00001);
    ic_prediction_free(prediction);
    ic_image_free(image);
    ic_model_free(model);
    ic_context_free(context);
}

/* Weights of zero: every class is as probable; ranks are in the order of classes. */
static void test_ties_rank_by_class(void **state)
{
    ic_context *context = test_context(1);
    ic_model *model = fixture_make(context, "lenet5", 28, 1, CLASSES, 1);
    size_t total = (size_t)ic_graph_parameter_sizes(model->graph).total;
    float *zeros = calloc(total, sizeof *zeros);
    ic_weights *weights;
    assert_ok(ic_weights_create(context, model->graph, zeros, &weights));
    ic_model_publish(model, weights, json_object());
    ic_image *image = fixture_image(context, 28, 28, 5);
    ic_prediction *prediction;
    assert_ok(ic_prediction_create(context, &prediction));
    assert_ok(ic_predict(model, image, prediction));
    for (int32_t rank = 0; rank < CLASSES; rank++) {
        int32_t index;
        assert_ok(ic_prediction_class(prediction, rank, &index, NULL));
        assert_int_equal(index, rank);
    }
    free(zeros);
    ic_prediction_free(prediction);
    ic_image_free(image);
    ic_model_free(model);
    ic_context_free(context);
}

/* ---- The same bits ---- */

static void test_batch_equals_single(void **state)
{
    for (int32_t threads = 1; threads <= 2; threads++) {
        ic_context *context = test_context(threads);
        ic_model *model = fixture_make(context, "lenet5", 28, 3, CLASSES, 1);
        ic_image *images[PICTURES];
        float single[PICTURES][CLASSES], batched[CLASSES];
        ic_prediction *prediction;
        assert_ok(ic_prediction_create(context, &prediction));
        for (int32_t i = 0; i < PICTURES; i++) {
            images[i] = fixture_image(context, 20 + i, 50 - i, (uint64_t)i);
            predict_one(model, images[i], single[i]);
        }
        const int32_t counts[] = {PICTURES, 1, 2, 15, 16, 17, 32, 33};
        for (int c = 0; c < 8; c++) {
            assert_ok(
                ic_predict_batch(model, (const ic_image *const *)images, counts[c], prediction));
            assert_int_equal(ic_prediction_count(prediction), counts[c]);
            for (int32_t i = 0; i < counts[c]; i++) {
                copy_probabilities(prediction, i, batched);
                assert_memory_equal(batched, single[i], sizeof batched);
            }
        }
        for (int32_t i = 0; i < PICTURES; i++)
            ic_image_free(images[i]);
        ic_prediction_free(prediction);
        ic_model_free(model);
        ic_context_free(context);
    }
}

static void test_threads_do_not_show(void **state)
{
    float results[3][CLASSES];
    for (int32_t threads = 1; threads <= 3; threads++) {
        ic_context *context = test_context(threads);
        ic_model *model = fixture_make(context, "lenet5", 32, 3, CLASSES, 7);
        ic_image *image = fixture_image(context, 40, 33, 9);
        predict_one(model, image, results[threads - 1]);
        ic_image_free(image);
        ic_model_free(model);
        ic_context_free(context);
    }
    assert_memory_equal(results[0], results[1], sizeof results[0]);
    assert_memory_equal(results[0], results[2], sizeof results[0]);
}

/* ---- Memory that is kept ---- */

static void test_a_steady_loop_allocates_nothing(void **state)
{
    test_allocator allocator = {0};
    /* One thread: which of two has made its workspace by when would be a matter of luck. */
    ic_context *context = test_context_with(&allocator, 1);
    ic_model *models[2] = {fixture_make(context, "lenet5", 28, 1, CLASSES, 1),
                           fixture_make(context, "lenet5", 32, 3, CLASSES, 2)};
    const ic_image *images[20];
    ic_prediction *prediction;
    assert_ok(ic_prediction_create(context, &prediction));
    for (int32_t i = 0; i < 20; i++)
        images[i] = fixture_image(context, 40, 30, (uint64_t)i);
    int64_t calls = 0;
    for (int round = 0; round < 12; round++) {
        if (round == 4)
            calls = allocator.calls;
        for (int m = 0; m < 2; m++) { /* two models and two sizes: four executors, all kept */
            assert_ok(ic_predict(models[m], images[round], prediction));
            assert_ok(ic_predict_batch(models[m], images, 20, prediction));
        }
    }
    print_message("%lld allocations in the steady loop\n", (long long)(allocator.calls - calls));
    assert_true(allocator.calls - calls <= 0);
    for (int32_t i = 0; i < 20; i++)
        ic_image_free((ic_image *)images[i]);
    ic_prediction_free(prediction);
    ic_model_free(models[0]);
    ic_model_free(models[1]);
    ic_context_free(context);
    assert_int_equal(allocator.live, 0);
}

static void test_many_models_in_turn(void **state)
{
    enum { MODELS = 6 };
    ic_context *context = test_context(1);
    ic_prediction *prediction;
    ic_model *models[MODELS];
    float alone[MODELS][CLASSES], mixed[CLASSES];
    ic_image *image = fixture_image(context, 30, 30, 1);
    assert_ok(ic_prediction_create(context, &prediction));
    for (int m = 0; m < MODELS; m++) {
        models[m] = fixture_make(context, "lenet5", 28 + m, 1 + m % 2 * 2, CLASSES, (uint64_t)m);
        predict_one(models[m], image, alone[m]);
    }
    for (int round = 0; round < 3; round++)
        for (int m = 0; m < MODELS; m++) {
            assert_ok(ic_predict(models[m], image, prediction));
            copy_probabilities(prediction, 0, mixed);
            assert_memory_equal(mixed, alone[m], sizeof mixed);
        }
    for (int m = 0; m < MODELS; m++)
        ic_model_free(models[m]); /* before the prediction, which still holds executors */
    ic_prediction_free(prediction);
    ic_image_free(image);
    ic_context_free(context);
}

/* ---- Errors ---- */

static void test_bad_arguments(void **state)
{
    ic_context *context = test_context(1), *other = test_context(1);
    ic_model *model = fixture_make(context, "tiny", 0, 0, 0, 1);
    ic_image *image = fixture_image(context, 9, 9, 1);
    const ic_image *images[2] = {image, NULL};
    ic_prediction *prediction, *stranger;
    assert_fails(IC_ERROR_ARGUMENT, "context is NULL", ic_prediction_create(NULL, &prediction));
    assert_fails(IC_ERROR_ARGUMENT, "out is NULL", ic_prediction_create(context, NULL));
    assert_ok(ic_prediction_create(context, &prediction));
    assert_ok(ic_prediction_create(other, &stranger));
    assert_fails(IC_ERROR_ARGUMENT, "model is NULL", ic_predict(NULL, image, prediction));
    assert_fails(IC_ERROR_ARGUMENT, "image is NULL", ic_predict(model, NULL, prediction));
    assert_fails(IC_ERROR_ARGUMENT, "prediction is NULL", ic_predict(model, image, NULL));
    assert_fails(IC_ERROR_ARGUMENT, "different contexts", ic_predict(model, image, stranger));
    assert_fails(IC_ERROR_ARGUMENT, "images is NULL", ic_predict_batch(model, NULL, 1, prediction));
    assert_fails(IC_ERROR_ARGUMENT, "0 pictures", ic_predict_batch(model, images, 0, prediction));
    assert_fails(IC_ERROR_ARGUMENT, "picture 1 is NULL",
                 ic_predict_batch(model, images, 2, prediction));
    assert_fails(IC_ERROR_STATE, "nothing has been predicted",
                 ic_prediction_class(prediction, 0, NULL, NULL));
    assert_ok(ic_predict(model, image, prediction));
    int32_t index = 77;
    assert_fails(IC_ERROR_ARGUMENT, "rank 2, but the ranks are 0..1",
                 ic_prediction_class(prediction, 2, &index, NULL));
    assert_fails(IC_ERROR_ARGUMENT, "rank -1", ic_prediction_class(prediction, -1, &index, NULL));
    assert_fails(IC_ERROR_ARGUMENT, "picture 1 of 1",
                 ic_prediction_batch_class(prediction, 1, 0, &index, NULL));
    assert_fails(IC_ERROR_ARGUMENT, "picture -1 of 1",
                 ic_prediction_probabilities(prediction, -1, NULL, NULL));
    assert_fails(IC_ERROR_ARGUMENT, "prediction is NULL",
                 ic_prediction_class(NULL, 0, &index, NULL));
    assert_int_equal(index, 77);
    assert_int_equal(ic_prediction_count(NULL), 0);
    ic_prediction_free(NULL);
    ic_prediction_free(prediction);
    ic_prediction_free(stranger);
    ic_image_free(image);
    ic_model_free(model);
    ic_context_free(context);
    ic_context_free(other);
}

/* Finite weights whose products are not: an error, and the result from before stands. */
static void test_overflow_is_an_error(void **state)
{
    ic_context *context = test_context(1);
    ic_model *model = fixture_make(context, "lenet5", 28, 1, CLASSES, 1);
    ic_image *image = fixture_image(context, 28, 28, 5);
    ic_prediction *prediction;
    float before[CLASSES], after[CLASSES];
    assert_ok(ic_prediction_create(context, &prediction));
    assert_ok(ic_predict(model, image, prediction));
    copy_probabilities(prediction, 0, before);
    size_t total = (size_t)ic_graph_parameter_sizes(model->graph).total;
    float *huge = malloc(total * sizeof *huge);
    for (size_t i = 0; i < total; i++)
        huge[i] = i % 2 ? 3e38f : 2e38f;
    ic_weights *weights;
    assert_ok(ic_weights_create(context, model->graph, huge, &weights));
    ic_model_publish(model, weights, json_object());
    assert_fails(IC_ERROR_DIVERGED, "not a finite number", ic_predict(model, image, prediction));
    copy_probabilities(prediction, 0, after);
    assert_memory_equal(before, after, sizeof before);
    free(huge);
    ic_prediction_free(prediction);
    ic_image_free(image);
    ic_model_free(model);
    ic_context_free(context);
}

/* ---- Threads ---- */

typedef struct shared {
    ic_model *model;
    const ic_image *image;
    float results[2][CLASSES]; /* with either weights */
    atomic_int stop, mixtures, predictions;
} shared;

static void *predict_until_stopped(void *payload)
{
    shared *s = payload;
    ic_prediction *prediction;
    const float *probabilities;
    if (ic_prediction_create(s->model->context, &prediction) < 0) {
        s->mixtures++;
        return NULL;
    }
    while (!s->stop) {
        if (ic_predict(s->model, s->image, prediction) < 0 ||
            ic_prediction_probabilities(prediction, 0, &probabilities, NULL) < 0) {
            s->mixtures++;
            break;
        }
        s->mixtures += memcmp(probabilities, s->results[0], sizeof s->results[0]) != 0 &&
                       memcmp(probabilities, s->results[1], sizeof s->results[1]) != 0;
        s->predictions++;
    }
    ic_prediction_free(prediction);
    return NULL;
}

static void test_eight_threads_while_weights_change(void **state)
{
    enum { THREADS = 8, ROUNDS = 100 };
    const struct timespec pause = {0, 1000000};
    ic_context *context = test_context(2);
    shared s = {.model = fixture_make(context, "lenet5", 28, 1, CLASSES, 1),
                .image = fixture_image(context, 28, 28, 5)};
    ic_model *second = fixture_make(context, "lenet5", 28, 1, CLASSES, 2);
    ic_weights *weights[2] = {ic_model_weights(s.model), NULL};
    assert_ok(ic_weights_create(context, s.model->graph, ic_weights_parameters(second->weights),
                                &weights[1]));
    pthread_t threads[THREADS];
    predict_one(s.model, s.image, s.results[0]);
    predict_one(second, s.image, s.results[1]);
    assert_memory_not_equal(s.results[0], s.results[1], sizeof s.results[0]);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, predict_until_stopped, &s), 0);
    for (int round = 0; round < ROUNDS || s.predictions < ROUNDS; round++) {
        json_t *record = json_pack("{s:i}", "steps", round);
        ic_model_publish(s.model, ic_weights_retain(weights[round % 2]), record);
        if (round % 20 == 0) { /* saving meanwhile is fine as well */
            ic_buffer bytes = fixture_bytes(s.model);
            ic_buffer_free(&bytes);
        }
        if (s.mixtures > 0)
            break;
        nanosleep(&pause, NULL);
    }
    s.stop = 1;
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(s.mixtures, 0);
    ic_weights_free(weights[0]);
    ic_weights_free(weights[1]);
    ic_image_free((ic_image *)s.image);
    ic_model_free(second);
    ic_model_free(s.model);
    ic_context_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_probabilities_and_ranks),
        cmocka_unit_test(test_ties_rank_by_class),
        cmocka_unit_test(test_batch_equals_single),
        cmocka_unit_test(test_threads_do_not_show),
        cmocka_unit_test(test_a_steady_loop_allocates_nothing),
        cmocka_unit_test(test_many_models_in_turn),
        cmocka_unit_test(test_bad_arguments),
        cmocka_unit_test(test_overflow_is_an_error),
        cmocka_unit_test(test_eight_threads_while_weights_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

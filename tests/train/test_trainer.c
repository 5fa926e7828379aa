/* train/test_trainer.c: whole trainings on made-up pictures. SPDX-License-Identifier: MIT */
#include "shapes.h"

#include "base/context.h"
#include "model/model.h"
#include "train/trainer.h"

#include <imgcls/report.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static training begin_in(ic_context *context, const char *const *pairs)
{
    training made;
    assert_ok(training_try(context, 80, pairs, &made));
    return made;
}

static training begin(int32_t threads, const char *const *pairs)
{
    return begin_in(test_context(threads), pairs);
}

static const char *const quick[] = {"network", "plain", "epochs", "6",  "batch_size",
                                    "16",      "seed",  "5",      NULL, NULL};

static double value(const training *made, const char *name)
{
    double out = 0;
    assert_ok(ic_trainer_value(made->trainer, name, &out));
    return out;
}

static double accuracy_on_new(const training *made)
{
    enum { EACH = 40 };
    ic_prediction *prediction;
    int32_t correct = 0;
    assert_ok(ic_prediction_create(made->context, &prediction));
    for (int32_t i = 0; i < EACH * SHAPE_CLASSES; i++) {
        int32_t shape = i % SHAPE_CLASSES, found = -1;
        ic_image *image = shape_image(made->context, shape, 1000 + (uint64_t)i, SHAPE_SIDE);
        assert_ok(ic_predict(made->model, image, prediction));
        assert_ok(ic_prediction_class(prediction, 0, &found, NULL));
        static const char *const names[] = {"square", "cross", "stripes"};
        correct += strcmp(ic_model_class_name(made->model, found), names[shape]) == 0;
        ic_image_free(image);
    }
    ic_prediction_free(prediction);
    return (double)correct / (EACH * SHAPE_CLASSES);
}

static void learns(void **state)
{
    training made = begin(2, quick);
    assert_ok(ic_trainer_run(made.trainer));
    assert_true(value(&made, "validation_accuracy") > 0.95);
    assert_true(accuracy_on_new(&made) > 0.95);
    assert_true(value(&made, "epoch") == 6 && value(&made, "seconds_left") == 0);
    training_end(&made);
}

/* IC_DONE comes with the last piece of work and then for good; running is stepping. */
static void steps_equal_a_run(void **state)
{
    training run = begin(1, quick), step = begin(1, quick);
    ic_status status;
    int64_t calls = 0;
    assert_ok(ic_trainer_run(run.trainer));
    while ((status = ic_train_step(step.trainer)) == IC_OK)
        calls++;
    assert_int_equal(status, IC_DONE);
    assert_int_equal(ic_train_step(step.trainer), IC_DONE);
    assert_ok(ic_trainer_run(step.trainer));
    /* 204 pictures in steps of 16, 36 for validation in batches of 16. */
    assert_int_equal(calls + 1, 6 * (12 + 3));
    assert_same_model(run.model, step.model);
    training_end(&run);
    training_end(&step);
}

static void same_bytes_with_more_threads_and_again(void **state)
{
    training one = begin(1, quick), two = begin(2, quick), again = begin(2, quick);
    assert_ok(ic_trainer_run(one.trainer));
    assert_ok(ic_trainer_run(two.trainer));
    assert_ok(ic_trainer_run(again.trainer));
    assert_same_model(one.model, two.model);
    assert_same_model(one.model, again.model);
    training_end(&one);
    training_end(&two);
    training_end(&again);
}

/* Everything that is drawn at random, and still the same bytes; and it learns. */
static void all_augmentation_is_repeatable(void **state)
{
    static const char *const pairs[] = {"network", "plain",   "epochs",   "8",        "batch_size",
                                        "16",      "seed",    "5",        "flip",     "alternating",
                                        "policy",  "trivial", "noise",    "0.1",      "blur",
                                        "1",       "erasing", "0.2",      "mixup",    "0.3",
                                        "cutmix",  "1",       "sampling", "balanced", NULL};
    static const int32_t threads[] = {2, 3, 7};
    training one = begin(1, pairs);
    assert_ok(ic_trainer_run(one.trainer));
    assert_true(value(&one, "validation_accuracy") > 0.8);
    for (int32_t i = 0; i < 3; i++) {
        training more = begin(threads[i], pairs);
        assert_ok(ic_trainer_run(more.trainer));
        assert_same_model(one.model, more.model);
        training_end(&more);
    }
    training_end(&one);
}

static int32_t cancel_now_and_then(const ic_progress *progress, void *payload)
{
    int *events = payload;
    return ++*events % 3 == 0;
}

static void a_cancelled_training_goes_on(void **state)
{
    training whole = begin(1, quick), cancelled = begin(1, quick);
    int events = 0, cancels = 0;
    ic_status status;
    assert_ok(ic_trainer_run(whole.trainer));
    assert_ok(ic_context_set_progress(cancelled.context, cancel_now_and_then, &events));
    while ((status = ic_trainer_run(cancelled.trainer)) == IC_ERROR_CANCELLED)
        cancels++;
    assert_ok(status);
    assert_true(cancels >= 1);
    assert_same_model(whole.model, cancelled.model);
    training_end(&whole);
    training_end(&cancelled);
}

typedef struct watch {
    int epochs, events;
    double last_done;
} watch;

static int32_t watch_progress(const ic_progress *progress, void *payload)
{
    watch *seen = payload;
    double done = -1, total = -1, flag = 0, got = 0;
    static const char *const always[] = {"seconds", "epoch", "epochs",
                                         "step",    "steps", "learning_rate"};
    static const char *const at_end[] = {"loss",
                                         "accuracy",
                                         "validation_loss",
                                         "validation_accuracy",
                                         "best_epoch",
                                         "pictures_per_second",
                                         "waiting",
                                         "seconds_left"};
    assert_ok(ic_progress_value(progress, "done", &done));
    assert_ok(ic_progress_value(progress, "total", &total));
    assert_true(done >= seen->last_done && done <= total && total == 72);
    for (size_t i = 0; i < sizeof always / sizeof always[0]; i++)
        assert_ok(ic_progress_value(progress, always[i], &got));
    if (ic_progress_value(progress, "epoch_done", &flag) == IC_OK) {
        seen->epochs++;
        for (size_t i = 0; i < sizeof at_end / sizeof at_end[0]; i++)
            assert_ok(ic_progress_value(progress, at_end[i], &got));
        assert_ok(ic_progress_value(progress, "epoch", &got));
        assert_true((int)got == seen->epochs);
        assert_string_equal(ic_progress_phase(progress), "validate");
    }
    seen->events++;
    seen->last_done = done;
    return 0;
}

static void progress_tells_every_epoch(void **state)
{
    training made = begin(1, quick);
    watch seen = {0};
    assert_ok(ic_context_set_progress(made.context, watch_progress, &seen));
    assert_ok(ic_trainer_run(made.trainer));
    assert_int_equal(seen.epochs, 6);
    assert_true(seen.events >= 7 && seen.last_done == 72);
    training_end(&made);
}

/* ---- Time left, and curves while the training runs ---- */

static void the_pace_is_of_recent_batches(void **state)
{
    ic_pace pace = {0};
    ic_pace_add(&pace, 9);
    assert_true(pace.seconds == 9);
    ic_pace_add(&pace, 1);
    assert_true(pace.seconds == 1); /* the first one was no measure */
    ic_pace_add(&pace, 2);
    assert_true(pace.seconds == 1.5);
    for (int i = 0; i < 1000; i++)
        ic_pace_add(&pace, 4);
    assert_true(pace.seconds > 3.99 && pace.seconds <= 4);
}

static void assert_close(double a, double b)
{
    assert_true(fabs(a - b) < 1e-9 * fabs(b));
}

/* From the second batch on, and less and less: validation counts from the start. */
static void time_left_is_known_early(void **state)
{
    training made = begin(1, quick);
    double left = 0;
    assert_fails(IC_ERROR_NOT_FOUND, "seconds_left",
                 ic_trainer_value(made.trainer, "seconds_left", &left));
    for (int i = 0; i < 2; i++)
        assert_int_equal(ic_train_step(made.trainer), IC_OK);
    const ic_train_clock *clock = &made.trainer->clock;
    double step = clock->training.seconds, update = clock->update.seconds;
    assert_true(step > 0 && clock->training.count == 2 && clock->validation.count == 0);
    assert_close(value(&made, "seconds_left"), 70 * (step + update) + step * (6 * 3 / 3.0));
    for (int i = 2; i < 12 + 3; i++)
        assert_int_equal(ic_train_step(made.trainer), IC_OK);
    assert_int_equal(clock->validation.count, 3);
    assert_close(value(&made, "seconds_left"),
                 60 * (clock->training.seconds + clock->update.seconds) +
                     15 * clock->validation.seconds);
    training_end(&made);
}

typedef struct drawing {
    const ic_trainer *trainer;
    const char *path;
    int epochs;
} drawing;

/* A plot's points: one an epoch on each of four curves, and the best of both panels and legend. */
static int points_of(const char *svg)
{
    int points = 0;
    while ((svg = strstr(svg, "<circle")) != NULL) {
        points++;
        svg++;
    }
    return points;
}

static int32_t draw_every_epoch(const ic_progress *progress, void *payload)
{
    drawing *d = payload;
    double flag;
    if (ic_progress_value(progress, "epoch_done", &flag) < 0)
        return 0;
    size_t size;
    assert_ok(ic_trainer_plot(d->trainer, d->path));
    char *text = (char *)test_read_file(d->path, &size);
    assert_non_null(text);
    assert_memory_equal(text + size - 7, "</svg>\n", 7);
    assert_int_equal(points_of(text), 4 * ++d->epochs + 3);
    free(text);
    return 0;
}

static void assert_same_file(const char *a, const char *b)
{
    size_t size_a, size_b;
    unsigned char *bytes_a = test_read_file(a, &size_a), *bytes_b = test_read_file(b, &size_b);
    assert_true(bytes_a != NULL && bytes_b != NULL && size_a == size_b);
    assert_memory_equal(bytes_a, bytes_b, size_a);
    free(bytes_a);
    free(bytes_b);
}

static void curves_while_it_trains(void **state)
{
    static const char *const names[][2] = {{"a.svg", "b.svg"}, {"a.png", "b.png"}};
    const char *folder = test_folder();
    training made = begin(1, quick);
    drawing d = {.trainer = made.trainer, .path = test_path(folder, "live.svg")};
    assert_fails(IC_ERROR_STATE, "first epoch", ic_trainer_plot(made.trainer, d.path));
    assert_fails(IC_ERROR_ARGUMENT, "trainer", ic_trainer_plot(NULL, d.path));
    assert_fails(IC_ERROR_ARGUMENT, "path", ic_trainer_plot(made.trainer, NULL));
    assert_ok(ic_context_set_progress(made.context, draw_every_epoch, &d));
    assert_ok(ic_trainer_run(made.trainer));
    assert_int_equal(d.epochs, 6);
    assert_fails(IC_ERROR_ARGUMENT, ".gif",
                 ic_trainer_plot(made.trainer, test_path(folder, "a.gif")));
    for (size_t i = 0; i < 2; i++) {
        const char *ours = test_path(folder, names[i][0]), *whole = test_path(folder, names[i][1]);
        assert_ok(ic_trainer_plot(made.trainer, ours));
        assert_ok(ic_model_plot_history(made.model, whole));
        assert_same_file(ours, whole);
    }
    training_end(&made);
    test_folder_remove(folder);
}

/* Each step multiplies the weights by -999; the model keeps those that it had before. */
static void divergence_is_an_error_for_good(void **state)
{
    const char *const wild[] = {"network",
                                "plain",
                                "epochs",
                                "9",
                                "schedule",
                                "constant",
                                "warmup_epochs",
                                "0",
                                "learning_rate",
                                "100",
                                "weight_decay",
                                "10",
                                NULL,
                                NULL};
    training made = begin(1, wild);
    size_t size_before, size_after;
    unsigned char *before = saved_model(made.model, &size_before);
    ic_status status;
    while ((status = ic_train_step(made.trainer)) == IC_OK) {
    }
    assert_fails(IC_ERROR_DIVERGED, "set learning_rate lower, say 10", status);
    assert_fails(IC_ERROR_DIVERGED, "no longer a finite number", ic_train_step(made.trainer));
    assert_fails(IC_ERROR_DIVERGED, "no longer a finite number", ic_trainer_run(made.trainer));
    unsigned char *after = saved_model(made.model, &size_after);
    assert_int_equal(size_before, size_after);
    assert_memory_equal(before, after, size_before);
    free(before);
    free(after);
    training_end(&made);
}

/* A learning rate that moves nothing: no epoch is better than the first. */
static void stops_early(void **state)
{
    const char *const still[] = {"network",       "lenet5", "epochs",       "50",
                                 "learning_rate", "1e-30",  "weight_decay", "0",
                                 "patience",      "3",      NULL,           NULL};
    training made = begin(1, still);
    json_t *record = NULL;
    assert_ok(ic_trainer_run(made.trainer));
    assert_true(value(&made, "epoch") == 4 && value(&made, "best_epoch") == 1);
    assert_ok(ic_model_record(made.model, &record));
    assert_int_equal(json_array_size(json_object_get(record, "epochs")), 4);
    assert_int_equal(json_integer_value(json_object_get(record, "best_epoch")), 1);
    json_decref(record);
    training_end(&made);
}

/* The least that memory_limit takes is told by the error; with it, the same file. */
static void a_memory_limit_leaves_the_same_model(void **state)
{
    const char *pairs[] = {"network", "plain", "epochs", "2",  "batch_size", "64",
                           "seed",    "5",     NULL,     NULL, NULL,         NULL};
    char least[32];
    training whole = begin(2, pairs);
    ic_trainer *trainer = NULL;
    size_t before = ic_executor_memory(whole.trainer->executor);
    assert_ok(ic_trainer_run(whole.trainer));

    pairs[8] = "memory_limit";
    pairs[9] = "1";
    ic_options *options = shapes_options(whole.context, pairs);
    assert_fails(IC_ERROR_LIMIT, "memory_limit is 1 MiB, but",
                 ic_trainer_create(whole.model, whole.data, NULL, options, &trainer));
    ic_options_free(options);
    const char *text = strstr(ic_last_error(), "at least ");
    assert_non_null(text);
    assert_int_equal(sscanf(text, "at least %31[0-9] MiB: raise memory_limit", least), 1);
    pairs[9] = least;
    training limited = begin(2, pairs);
    size_t after = ic_executor_memory(limited.trainer->executor);
    assert_true(after < before && after <= (size_t)atoi(least) << 20);
    assert_ok(ic_trainer_run(limited.trainer));
    assert_same_model(whole.model, limited.model);
    training_end(&whole);
    training_end(&limited);
}

static void the_record_repeats_the_training(void **state)
{
    training made = begin(1, quick);
    json_t *record = NULL;
    assert_ok(ic_trainer_run(made.trainer));
    assert_ok(ic_model_record(made.model, &record));
    json_t *options = json_object_get(record, "options");
    assert_int_equal(json_integer_value(json_object_get(options, "epochs")), 6);
    assert_int_equal(json_integer_value(json_object_get(options, "batch_size")), 16);
    assert_int_equal(json_integer_value(json_object_get(options, "seed")), 5);
    assert_string_equal(json_string_value(json_object_get(options, "optimizer")), "sgd");
    assert_null(json_object_get(options, "cache_mb"));
    assert_int_equal(json_integer_value(json_object_get(record, "pictures")), 204);
    assert_int_equal(json_integer_value(json_object_get(record, "validation_pictures")), 36);
    json_t *data = json_object_get(record, "data");
    assert_string_equal(json_string_value(json_object_get(data, "split")), "seed");
    assert_int_equal(strlen(json_string_value(json_object_get(data, "digest"))), 64);
    int64_t best = json_integer_value(json_object_get(record, "best_epoch"));
    assert_true(best >= 1 && best <= 6);
    assert_int_equal(json_integer_value(json_object_get(record, "steps")), best * 12);
    assert_int_equal(json_array_size(json_object_get(record, "epochs")), 6);
    json_decref(record);
    training_end(&made);
}

static double member(const json_t *epoch, const char *name)
{
    return json_number_value(json_object_get(epoch, name));
}

/*
 * The kept epoch by the written rule, from the record of a training whose accuracy goes up and
 * down: more right than ever, or within a standard error of that at a lower loss than the one kept.
 */
static void keeps_a_later_epoch_among_equals(void **state)
{
    static const char *const restless[] = {
        "network",  "plain",    "epochs",        "8",    "batch_size", "16", "seed", "5",
        "schedule", "constant", "learning_rate", "0.02", NULL,         NULL};
    training made = begin(2, restless);
    json_t *record = NULL;
    double most = 0, loss = 0;
    int64_t kept = 0, most_at = 0;
    assert_ok(ic_trainer_run(made.trainer));
    assert_ok(ic_model_record(made.model, &record));
    const json_t *epochs = json_object_get(record, "epochs");
    double pictures = (double)json_integer_value(json_object_get(record, "validation_pictures"));
    for (size_t i = 0; i < json_array_size(epochs); i++) {
        const json_t *epoch = json_array_get(epochs, i);
        double right = member(epoch, "validation_accuracy");
        double its = member(epoch, "validation_loss"), error = sqrt(most * (1 - most) / pictures);
        bool better = i == 0 || right > most || (right == most && its < loss);
        if (better || (right >= most - error && its < loss)) {
            kept = (int64_t)i + 1;
            loss = its;
        }
        if (right > most) {
            most = right;
            most_at = (int64_t)i + 1;
        }
    }
    assert_int_equal(json_integer_value(json_object_get(record, "best_epoch")), kept);
    assert_true(kept > most_at); /* else this shows nothing: take another seed */
    json_decref(record);
    training_end(&made);
}

static ic_context *bfloat16_context(int32_t threads)
{
    ic_context *context = test_context(threads);
    ic_options *options;
    assert_ok(ic_options_create(context, &options));
    assert_ok(ic_options_set_int(options, "threads", threads));
    assert_ok(ic_options_set_text(options, "precision", "bfloat16"));
    assert_ok(ic_context_configure(context, options));
    ic_options_free(options);
    return context;
}

/* On CPUs without it the training is that of float32, and so is the record. */
static void bfloat16_learns_and_the_record_names_it(void **state)
{
    training one = begin_in(bfloat16_context(1), quick), two = begin_in(bfloat16_context(2), quick);
    json_t *record = NULL;
    assert_ok(ic_trainer_run(one.trainer));
    assert_ok(ic_trainer_run(two.trainer));
    assert_same_model(one.model, two.model);
    assert_true(accuracy_on_new(&one) > 0.95);
    assert_ok(ic_model_record(one.model, &record));
    json_t *precision = json_object_get(json_object_get(record, "options"), "precision");
    if (one.context->cpu_level >= IC_CPU_AVX512_BF16)
        assert_string_equal(json_string_value(precision), "bfloat16");
    else
        assert_null(precision);
    json_decref(record);
    training_end(&one);
    training_end(&two);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(learns),
        cmocka_unit_test(steps_equal_a_run),
        cmocka_unit_test(same_bytes_with_more_threads_and_again),
        cmocka_unit_test(all_augmentation_is_repeatable),
        cmocka_unit_test(a_cancelled_training_goes_on),
        cmocka_unit_test(progress_tells_every_epoch),
        cmocka_unit_test(the_pace_is_of_recent_batches),
        cmocka_unit_test(time_left_is_known_early),
        cmocka_unit_test(curves_while_it_trains),
        cmocka_unit_test(divergence_is_an_error_for_good),
        cmocka_unit_test(stops_early),
        cmocka_unit_test(a_memory_limit_leaves_the_same_model),
        cmocka_unit_test(the_record_repeats_the_training),
        cmocka_unit_test(keeps_a_later_epoch_among_equals),
        cmocka_unit_test(bfloat16_learns_and_the_record_names_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

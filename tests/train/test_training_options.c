/*
 * train/test_training_options.c: whole trainings with optimisers, schedules, averages, accumulated
 * gradients and rates of their own. SPDX-License-Identifier: MIT
 */
#include "shapes.h"

#include "base/json.h"
#include "model/model.h"
#include "train/trainer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* 102 pictures: 6 steps an epoch, 3 of two batches or more. */
#define COMMON "network", "plain", "epochs", "5", "batch_size", "16", "seed", "5"

static const char *const settings[][20] = {
    {COMMON, "optimizer", "muon", NULL},
    {COMMON, "optimizer", "muon", "schedule", "triangle", "average", "lookahead", NULL},
    {COMMON, "schedule", "step", "clip_norm", "1", "average", "ema", "ema_decay", "0.9", NULL},
    {COMMON, "optimizer", "adamw", "accumulate", "4", "learning_rate", "0.01", NULL},
    {COMMON, "rates", "fc.*=3,*.norm.bias=2@3", "freeze", "blocks.0.conv.weight", NULL},
};
enum { SETTINGS = sizeof settings / sizeof settings[0] };

/* Options of a record, as text, back into options: the training can be had again. */
static void repeat(const training *first)
{
    const char *pairs[2 * 64 + 1] = {"network", "plain"};
    char texts[64][80];
    int32_t count = 1;
    json_t *record = NULL, *item;
    const char *key;
    assert_ok(ic_model_record(first->model, &record));
    json_object_foreach(json_object_get(record, "options"), key, item)
    {
        char *text = texts[count];
        if (json_is_string(item))
            snprintf(text, sizeof texts[0], "%s", json_string_value(item));
        else if (json_is_integer(item))
            snprintf(text, sizeof texts[0], "%lld", (long long)json_integer_value(item));
        else
            snprintf(text, sizeof texts[0], "%.17g", json_real_value(item));
        pairs[2 * count] = key;
        pairs[2 * count++ + 1] = text;
    }
    training again = training_begin(1, pairs);
    assert_ok(ic_trainer_run(again.trainer));
    assert_same_model(first->model, again.model);
    training_end(&again);
    json_decref(record);
}

static void learns_alike_on_any_threads_and_again(void **state)
{
    for (int32_t i = 0; i < SETTINGS; i++) {
        training one = training_begin(1, settings[i]), three = training_begin(3, settings[i]);
        double accuracy = 0;
        assert_ok(ic_trainer_run(one.trainer));
        assert_ok(ic_trainer_run(three.trainer));
        assert_same_model(one.model, three.model);
        assert_ok(ic_trainer_value(one.trainer, "validation_accuracy", &accuracy));
        print_message("%d: accuracy %.2f\n", (int)i, accuracy);
        assert_true(accuracy > 0.8);
        repeat(&one);
        training_end(&one);
        training_end(&three);
    }
}

static double value(const training *made, const char *name)
{
    double out = 0;
    assert_ok(ic_trainer_value(made->trainer, name, &out));
    return out;
}

/* Six batches make two steps, of four batches and of two. */
static void an_epochs_rest_is_a_step(void **state)
{
    training made = training_begin(1, settings[3]);
    json_t *record = NULL;
    assert_true(value(&made, "total") == 10);
    const double done[] = {0, 0, 0, 1, 1, 2};
    for (size_t i = 0; i < 6; i++) {
        assert_ok(ic_train_step(made.trainer));
        assert_true(value(&made, "done") == done[i]);
    }
    assert_ok(ic_trainer_run(made.trainer));
    assert_true(value(&made, "done") == 10);
    assert_ok(ic_model_record(made.model, &record));
    assert_int_equal(json_integer_value(json_object_get(record, "steps")),
                     2 * json_integer_value(json_object_get(record, "best_epoch")));
    json_decref(record);
    training_end(&made);
}

/* What is published is the average, statistics and all; what trains is something else. */
static void the_moving_average_is_published(void **state)
{
    training made = training_begin(1, settings[2]);
    ic_optimiser *optimiser = made.trainer->optimiser;
    size_t bytes = (size_t)optimiser->sizes.total * sizeof(float);
    do
        assert_ok(ic_train_step(made.trainer));
    while (made.trainer->state.epoch == 0);
    assert_int_equal(made.trainer->state.best_epoch, 0);
    const float *best = ic_weights_parameters(made.trainer->best);
    assert_memory_equal(best, optimiser->average, bytes);
    assert_memory_not_equal(best, optimiser->parameters, bytes);
    int64_t statistic = optimiser->sizes.trained;
    assert_true(best[statistic] != optimiser->parameters[statistic]);
    training_end(&made);
}

/* The end of a training with lookahead is the average. */
static void lookahead_ends_at_its_average(void **state)
{
    training made = training_begin(1, settings[1]);
    ic_optimiser *optimiser = made.trainer->optimiser;
    size_t bytes = (size_t)optimiser->sizes.total * sizeof(float);
    for (int i = 0; i < 4; i++)
        assert_ok(ic_train_step(made.trainer));
    assert_memory_not_equal(optimiser->average, optimiser->parameters, bytes);
    assert_ok(ic_train_step(made.trainer)); /* the fifth */
    assert_memory_equal(optimiser->average, optimiser->parameters, bytes);
    assert_ok(ic_trainer_run(made.trainer));
    assert_memory_equal(optimiser->average, optimiser->parameters, bytes);
    training_end(&made);
}

/* Through the whole of a training, by options. */
static void frozen_layers_stay(void **state)
{
    const char *const pairs[] = {COMMON, "freeze", "blocks.*,fc.bias", NULL};
    training made = training_begin(2, pairs);
    const ic_graph *graph = made.model->graph;
    ic_optimiser *optimiser = made.trainer->optimiser;
    size_t floats = (size_t)optimiser->sizes.total;
    float *before = malloc(floats * sizeof *before);
    assert_non_null(before);
    memcpy(before, optimiser->parameters, floats * sizeof *before);
    assert_ok(ic_trainer_run(made.trainer));
    for (int32_t i = 0; i < ic_graph_parameter_count(graph); i++) {
        const ic_parameter *p = ic_graph_parameter(graph, i);
        bool moved = memcmp(before + p->offset, optimiser->parameters + p->offset,
                            (size_t)p->count * sizeof *before) != 0;
        assert_int_equal(moved, p->role == IC_ROLE_STATISTIC || strcmp(p->name, "fc.weight") == 0);
    }
    free(before);
    training_end(&made);
}

static void wrong_rates_are_told_by_the_trainer(void **state)
{
    static const char *const wrong[][2] = {{"rates", "head.*=3"}, {"freeze", "head.*"}};
    static const char *const plain[] = {COMMON, NULL};
    training made = training_begin(1, plain);
    for (size_t i = 0; i < 2; i++) {
        const char *const pairs[] = {COMMON, wrong[i][0], wrong[i][1], NULL};
        ic_options *options = shapes_options(made.context, pairs);
        ic_trainer *trainer = NULL;
        assert_fails(IC_ERROR_OPTION, "\"head.*\" in \"rates\" or \"freeze\" fits no parameter",
                     ic_trainer_create(made.model, made.data, NULL, options, &trainer));
        ic_options_free(options);
    }
    char text[1100];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    const char *const pairs[] = {COMMON, "freeze", text, NULL};
    ic_options *options = shapes_options(made.context, pairs);
    ic_trainer *trainer = NULL;
    assert_fails(IC_ERROR_OPTION, "at most 1023 bytes together, not 1101",
                 ic_trainer_create(made.model, made.data, NULL, options, &trainer));
    ic_options_free(options);
    training_end(&made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(learns_alike_on_any_threads_and_again),
        cmocka_unit_test(an_epochs_rest_is_a_step),
        cmocka_unit_test(the_moving_average_is_published),
        cmocka_unit_test(lookahead_ends_at_its_average),
        cmocka_unit_test(frozen_layers_stay),
        cmocka_unit_test(wrong_rates_are_told_by_the_trainer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

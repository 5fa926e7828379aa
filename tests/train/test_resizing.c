/* train/test_resizing.c: trainings whose pictures grow. SPDX-License-Identifier: MIT */
#include "shapes.h"

#include "base/json.h"
#include "train/trainer.h"
#include "zoo/zoo.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- The plan ---- */

static void check_plan(int32_t side, double from, double to, const int32_t sides[IC_STAGES])
{
    ic_context *context = test_context(1);
    ic_graph *graph;
    ic_resizing plan = {0};
    const ic_training_recipe recipe = {.resize_from = from, .resize_to = to};
    assert_ok(ic_zoo_build(context, "plain", (ic_shape){side, side, 3}, 2, &graph));
    const ic_model model = {.graph = graph,
                            .class_count = 2,
                            .pipeline = {.width = side, .height = side, .channels = 3}};
    assert_ok(ic_resizing_plan(&model, &recipe, &plan));
    for (int32_t i = 0; i < IC_STAGES; i++) {
        const ic_stage *stage = &plan.stages[i];
        assert_int_equal(stage->width, sides[i]);
        assert_int_equal(stage->height, sides[i]);
        assert_int_equal(ic_graph_input_shape(stage->graph).h, sides[i]);
        assert_true((stage->graph == graph) == (sides[i] == side));
        assert_true(i == 0 || (stage->graph == stage[-1].graph) == (sides[i] == sides[i - 1]));
        assert_true(fabs(stage->work - (double)sides[i] * sides[i] / side / side) < 1e-12);
    }
    ic_resizing_free(&plan);
    ic_graph_free(graph);
    ic_context_free(context);
}

static void sides_grow_to_the_full_one(void **state)
{
    check_plan(128, 1, 1, (const int32_t[]){128, 128, 128, 128});
    check_plan(128, 0.5, 1, (const int32_t[]){64, 80, 112, 128});
    check_plan(96, 0.5, 1, (const int32_t[]){48, 64, 80, 96});
    check_plan(224, 0.1, 1, (const int32_t[]){16, 96, 160, 224});
    check_plan(100, 0.9, 1, (const int32_t[]){96, 96, 96, 100});
    check_plan(32, 0.5, 1, (const int32_t[]){16, 20, 28, 32});
    check_plan(28, 0.5, 1, (const int32_t[]){16, 20, 24, 28});
    check_plan(128, 0.5, 0.875, (const int32_t[]){64, 80, 96, 112});
    check_plan(96, 0.5, 0.875, (const int32_t[]){48, 64, 80, 80});
    check_plan(128, 1, 0.75, (const int32_t[]){96, 96, 96, 96});
    check_plan(20, 0.95, 1, (const int32_t[]){20, 20, 20, 20});
}

static void stages_follow_the_share_that_is_done(void **state)
{
    ic_resizing plan = {.stages = {{.until = 0.2, .work = 0.25},
                                   {.until = 0.5, .work = 0.5},
                                   {.until = 0.7, .work = 0.75},
                                   {.until = 1, .work = 1}}};
    static const double shares[] = {0, 0.19, 0.2, 0.49, 0.5, 0.69, 0.7, 0.99, 1};
    static const int32_t stages[] = {0, 0, 1, 1, 2, 2, 3, 3, 3};
    for (size_t i = 0; i < sizeof stages / sizeof stages[0]; i++)
        assert_ptr_equal(ic_resizing_stage(&plan, shares[i]), &plan.stages[stages[i]]);
    assert_true(fabs(ic_resizing_work(&plan, 0) - (0.05 + 0.15 + 0.15 + 0.3)) < 1e-12);
    assert_true(fabs(ic_resizing_work(&plan, 0.6) - (0.075 + 0.3) / 0.4) < 1e-12);
    assert_true(fabs(ic_resizing_work(&plan, 0.8) - 1) < 1e-12);
    assert_true(ic_resizing_work(&plan, 1) == 1);
    plan.stages[IC_STAGES - 1].work = 0.75;
    assert_true(ic_resizing_work(&plan, 1) == 0.75);
}

static void refused(const char *network, const char *from, const char *words)
{
    const char *const pairs[] = {"network", network, "resize_from", from, NULL, NULL};
    training made;
    assert_int_equal(training_try(test_context(1), 40, pairs, &made), IC_ERROR_OPTION);
    assert_non_null(strstr(ic_last_error(), words));
    assert_non_null(strstr(ic_last_error(), network));
    assert_null(made.trainer);
    training_end(&made);
}

static void networks_of_one_size_are_refused(void **state)
{
    refused("lenet5", "0.5", "fc1.weight");
    refused("small", "0.5", "leave them at 1");
    refused("airbench94", "0.1", "set resize_from higher");
}

/* ---- Whole trainings ---- */

static const char *const growing[] = {"network",     "plain", "epochs", "5",   "batch_size", "16",
                                      "resize_from", "0.5",   "mixup",  "0.3", "shift",      "2",
                                      "erasing",     "0.3",   NULL,     NULL};

/* Shares 0, 0.2, 0.4, 0.6 and 0.8 of the training. */
static void pictures_grow_and_validation_sees_all(void **state)
{
    static const int32_t sides[] = {12, 12, 12, 16, 20};
    training t = training_begin(2, growing);
    for (int64_t epoch = 0; epoch < 5; epoch++)
        while (t.trainer->state.epoch == epoch && t.trainer->state.phase != IC_PHASE_DONE) {
            bool trains = t.trainer->state.phase == IC_PHASE_TRAIN;
            assert_true(ic_train_step(t.trainer) >= 0);
            const ic_graph *graph = ic_executor_graph(t.trainer->executor);
            assert_true(!trains || ic_graph_input_shape(graph).w == sides[epoch]);
            assert_int_equal(t.trainer->mixer->height, ic_graph_input_shape(graph).h);
            assert_ptr_equal(ic_executor_graph(t.trainer->validation_executor), t.model->graph);
        }
    assert_int_equal(t.trainer->state.phase, IC_PHASE_DONE);
    assert_true(t.trainer->state.best_accuracy > 0.5);
    training_end(&t);
}

static void any_number_of_threads_gives_the_same_file(void **state)
{
    training one = training_begin(1, growing), three = training_begin(3, growing);
    double rate;
    size_t size_one, size_three;
    for (int i = 0; i < 20; i++) {
        assert_ok(ic_train_step(one.trainer));
        assert_ok(ic_train_step(three.trainer));
    }
    assert_ok(ic_trainer_find_rate(one.trainer, &rate)); /* which leaves no trace */
    assert_ok(ic_trainer_run(one.trainer));
    assert_ok(ic_trainer_run(three.trainer));
    unsigned char *a = saved_model(one.model, &size_one),
                  *b = saved_model(three.model, &size_three);
    assert_int_equal(size_one, size_three);
    assert_memory_equal(a, b, size_one);
    free(a);
    free(b);
    training_end(&one);
    training_end(&three);
}

/* Later steps cost more, and what is left of the time knows it. */
static void time_left_counts_the_area(void **state)
{
    training t = training_begin(1, growing);
    for (int i = 0; i < 3; i++)
        assert_ok(ic_train_step(t.trainer));
    const ic_train_clock *clock = &t.trainer->clock;
    double left = 0, step = clock->training.seconds, steps = (double)t.trainer->schedule.steps;
    double validation = step / 3 * 5 * (double)t.trainer->validation_batches;
    double work = 0.7 * (2 * 144 + 256) / 3 / 400 + 0.3 - 3 / steps * 144 / 400;
    assert_ok(ic_trainer_value(t.trainer, "seconds_left", &left));
    double updates = clock->update.seconds * (steps - 3);
    assert_true(clock->update.seconds > 0);
    assert_true(fabs(left - (step * steps * work + updates + validation)) < 1e-9 * left);
    training_end(&t);
}

/* What fits at the first size, but not at the last one, is refused at the start. */
static void memory_is_checked_at_the_full_size(void **state)
{
    const char *pairs[] = {"network",      "plain", "batch_size", "64",
                           "memory_limit", "6",     "input_size", "8",
                           NULL,           NULL,    NULL};
    training t = training_begin(1, pairs);
    training_end(&t);
    pairs[6] = "resize_from";
    pairs[7] = "0.4";
    assert_int_equal(training_try(test_context(1), 40, pairs, &t), IC_ERROR_LIMIT);
    training_end(&t);
}

static void the_record_keeps_it(void **state)
{
    training t = training_begin(1, growing);
    json_t *json = NULL;
    assert_ok(ic_training_recipe_to_json(&t.trainer->recipe, &json));
    assert_true(json_number_value(json_object_get(json, "resize_from")) == 0.5);
    assert_true(json_number_value(json_object_get(json, "resize_to")) == 1);
    json_decref(json);
    training_end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sides_grow_to_the_full_one),
        cmocka_unit_test(stages_follow_the_share_that_is_done),
        cmocka_unit_test(networks_of_one_size_are_refused),
        cmocka_unit_test(pictures_grow_and_validation_sees_all),
        cmocka_unit_test(any_number_of_threads_gives_the_same_file),
        cmocka_unit_test(time_left_counts_the_area),
        cmocka_unit_test(memory_is_checked_at_the_full_size),
        cmocka_unit_test(the_record_keeps_it),
    };
    return cmocka_run_group_tests_name("train/resizing", tests, NULL, NULL);
}

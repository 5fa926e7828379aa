/* train/test_find_rate.c: the search for a learning rate. SPDX-License-Identifier: MIT */
#include "shapes.h"

#include "train/trainer.h"

#include <stdlib.h>
#include <string.h>

static int32_t cancel_soon(const ic_progress *progress, void *payload)
{
    double done;
    assert_string_equal(ic_progress_phase(progress), "rate");
    assert_ok(ic_progress_value(progress, "done", &done));
    *(double *)payload = done;
    return 1;
}

/* Asked before, in the middle of an epoch and in vain: the training leaves the same file. */
static void check_no_trace(const char *const *pairs)
{
    training plain = training_begin(1, pairs), asked = training_begin(2, pairs);
    double rate = -1, again = -1, done = 0;
    assert_ok(ic_trainer_run(plain.trainer));

    assert_ok(ic_trainer_find_rate(asked.trainer, &rate));
    assert_true(rate > 1e-5 && rate <= 1);
    assert_ok(ic_trainer_find_rate(asked.trainer, &again));
    assert_true(rate == again);
    for (int i = 0; i < 9; i++) /* 6 steps an epoch, 2 batches of validation */
        assert_ok(ic_train_step(asked.trainer));
    assert_ok(ic_trainer_find_rate(asked.trainer, &again));
    assert_true(again > 1e-5 && again <= 1);
    assert_ok(ic_context_set_progress(asked.context, cancel_soon, &done));
    again = -1;
    ic_status status = ic_trainer_find_rate(asked.trainer, &again);
    if (done > 0) /* fast machines are done before the first word */
        assert_int_equal(status, IC_ERROR_CANCELLED);
    assert_true((status == IC_OK) == (again != -1));
    assert_ok(ic_context_set_progress(asked.context, NULL, NULL));
    assert_ok(ic_trainer_run(asked.trainer));
    assert_same_model(plain.model, asked.model);
    training_end(&plain);
    training_end(&asked);
}

static void leaves_no_trace(void **state)
{
    static const char *const simple[] = {"network",    "plain", "epochs", "3",
                                         "batch_size", "16",    NULL};
    static const char *const rich[] = {
        "network", "plain",     "epochs",     "3", "batch_size", "16", "optimizer", "muon",
        "average", "lookahead", "accumulate", "4", "clip_norm",  "1",  NULL};
    static const char *const moving[] = {"network",    "lenet5", "epochs",    "2",
                                         "batch_size", "16",     "optimizer", "adamw",
                                         "average",    "ema",    NULL};
    check_no_trace(simple);
    check_no_trace(rich);
    check_no_trace(moving);
}

typedef struct visitor {
    ic_trainer *trainer;
    int calls;
} visitor;

static int32_t call_the_trainer(const ic_progress *progress, void *payload)
{
    visitor *from = payload;
    double rate;
    from->calls++;
    assert_fails(IC_ERROR_STATE, "looking for a learning rate", ic_train_step(from->trainer));
    assert_fails(IC_ERROR_STATE, "looking for a learning rate",
                 ic_trainer_save(from->trainer, "nowhere/at/all"));
    assert_fails(IC_ERROR_STATE, "looking for a learning rate",
                 ic_trainer_find_rate(from->trainer, &rate));
    return 0;
}

/* While it goes on, the weights are not the training's; and its waiting is not the epoch's. */
static void nothing_else_goes_on_meanwhile(void **state)
{
    static const char *const pairs[] = {"network",    "plain", "epochs", "2",
                                        "batch_size", "16",    NULL,     NULL};
    training made = training_begin(2, pairs);
    visitor from = {made.trainer, 0};
    double rate, waiting;
    assert_ok(ic_context_set_progress(made.context, call_the_trainer, &from));
    assert_ok(ic_trainer_find_rate(made.trainer, &rate));
    assert_ok(ic_context_set_progress(made.context, NULL, NULL));
    assert_true(from.calls > 0);
    assert_ok(ic_train_step(made.trainer));
    assert_ok(ic_trainer_value(made.trainer, "waiting", &waiting));
    assert_true(waiting >= 0 && waiting <= 1);
    training_end(&made);
}

/* The rate is one to train with, for each optimiser. */
static void finds_one_that_learns(void **state)
{
    static const char *const kinds[] = {"sgd", "adamw", "muon"};
    for (size_t i = 0; i < 3; i++) {
        const char *pairs[] = {"network",   "plain",  "epochs", "6",  "batch_size", "16",
                               "optimizer", kinds[i], NULL,     NULL, NULL};
        char text[40];
        double rate = 0, accuracy = 0;
        training asked = training_begin(2, pairs);
        assert_ok(ic_trainer_find_rate(asked.trainer, &rate));
        training_end(&asked);
        snprintf(text, sizeof text, "%.9f", rate);
        pairs[8] = "learning_rate";
        pairs[9] = text;
        training made = training_begin(2, pairs);
        assert_ok(ic_trainer_run(made.trainer));
        assert_ok(ic_trainer_value(made.trainer, "validation_accuracy", &accuracy));
        print_message("%s: rate %s, accuracy %.2f\n", kinds[i], text, accuracy);
        assert_true(accuracy > 0.8);
        training_end(&made);
    }
}

static void only_between_training_steps(void **state)
{
    static const char *const pairs[] = {"network",    "lenet5", "epochs", "1",
                                        "batch_size", "16",     NULL};
    training made = training_begin(1, pairs);
    double rate = 7;
    for (int i = 0; i < 6; i++)
        assert_ok(ic_train_step(made.trainer));
    assert_fails(IC_ERROR_STATE, "between training steps",
                 ic_trainer_find_rate(made.trainer, &rate));
    assert_ok(ic_trainer_run(made.trainer));
    assert_fails(IC_ERROR_STATE, "between training steps",
                 ic_trainer_find_rate(made.trainer, &rate));
    assert_fails(IC_ERROR_ARGUMENT, "is NULL", ic_trainer_find_rate(made.trainer, NULL));
    assert_fails(IC_ERROR_ARGUMENT, "is NULL", ic_trainer_find_rate(NULL, &rate));
    assert_true(rate == 7);
    training_end(&made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leaves_no_trace),
        cmocka_unit_test(nothing_else_goes_on_meanwhile),
        cmocka_unit_test(finds_one_that_learns),
        cmocka_unit_test(only_between_training_steps),
    };
    return cmocka_run_group_tests_name("train/find_rate", tests, NULL, NULL);
}

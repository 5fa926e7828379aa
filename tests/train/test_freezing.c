/*
 * train/test_freezing.c: a training makes no gradients of what does not train, and is the same in
 * every bit. SPDX-License-Identifier: MIT
 */
#include "shapes.h"

#include "graph/executor_state.h"
#include "train/trainer.h"

#include <stdlib.h>
#include <string.h>

/* From here on all gradients are made, in every epoch. */
static void make_all_gradients(ic_trainer *trainer)
{
    if (trainer->executor_epoch != trainer->state.epoch || trainer->state.step == 0) {
        ic_executor_free(trainer->validation_executor);
        ic_executor_free(trainer->executor);
        assert_ok(ic_executor_create(trainer->context, trainer->model->graph, trainer->recipe.batch,
                                     IC_TRAINING, &trainer->executor));
        assert_ok(ic_executor_create_beside(trainer->executor, trainer->model->graph, IC_INFERENCE,
                                            &trainer->validation_executor));
        trainer->executor_epoch = trainer->state.epoch;
    }
}

static size_t backward_steps(const ic_trainer *trainer)
{
    const ic_program *p = trainer->executor->program;
    return p->step_count - p->forward_count;
}

/* Side by side with a training that makes all gradients. */
static void check(const char *const *pairs, int64_t epochs)
{
    training some = training_begin(2, pairs), all = training_begin(1, pairs);
    ic_trainer *a = some.trainer, *b = all.trainer;
    size_t total = (size_t)ic_graph_parameter_sizes(some.model->graph).total, steps[8] = {0};
    ic_status status = IC_OK;
    while (status == IC_OK) {
        make_all_gradients(b);
        status = ic_train_step(b);
        assert_int_equal(ic_train_step(a), status);
        assert_memory_equal(a->optimiser->parameters, b->optimiser->parameters,
                            total * sizeof(float));
        if (a->state.phase == IC_PHASE_TRAIN && a->state.batch > 0)
            steps[a->state.epoch] = backward_steps(a);
    }
    assert_int_equal(status, IC_DONE);
    assert_int_equal(a->state.epoch, epochs);
    assert_true(steps[0] <= backward_steps(b));
    for (int64_t i = 1; i < epochs; i++)
        assert_true(steps[i] < steps[i - 1]);
    size_t size_a, size_b;
    unsigned char *file_a = saved_model(some.model, &size_a),
                  *file_b = saved_model(all.model, &size_b);
    assert_int_equal(size_a, size_b);
    assert_memory_equal(file_a, file_b, size_a);
    free(file_a);
    free(file_b);
    training_end(&some);
    training_end(&all);
}

static void less_work_and_the_same_file(void **state)
{
    static const char *const sgd[] = {
        "network",   "plain",      "epochs",
        "3",         "batch_size", "16",
        "clip_norm", "1",          "accumulate",
        "2",         "rates",      "fc.*=2,blocks.0.*=1@1,blocks.1.conv.*=1@2,blocks.1.*=0",
        NULL,        NULL};
    static const char *const averaged[] = {
        "network", "small",      "epochs",    "2",          "batch_size", "16",
        "average", "ema",        "optimizer", "adamw",      "mixup",      "0.5",
        "freeze",  "blocks.0.*", "rates",     "*.bias=1@1", NULL,         NULL};
    static const char *const muon[] = {"network",    "plain",
                                       "epochs",     "3",
                                       "batch_size", "32",
                                       "average",    "lookahead",
                                       "optimizer",  "muon",
                                       "freeze",     "blocks.0.*",
                                       "rates",      "blocks.1.*=1@1,blocks.2.*=1@2",
                                       NULL,         NULL};
    check(sgd, 3);
    check(averaged, 2);
    check(muon, 3);
}

/* Down to the last layer alone, and to nothing. */
static void in_the_end_nothing_trains(void **state)
{
    static const char *const pairs[] = {"network", "plain", "epochs",         "3",  "batch_size",
                                        "32",      "rates", "fc.*=1@2,*=1@1", NULL, NULL};
    check(pairs, 3);
    training t = training_begin(1, pairs);
    assert_true(backward_steps(t.trainer) > 10);
    assert_ok(ic_trainer_run(t.trainer));
    assert_int_equal(backward_steps(t.trainer), 0);
    training_end(&t);
}

static ic_status flow(ic_context *context, void *payload)
{
    static const char *const pairs[] = {"network", "lenet5", "epochs", "2",  "batch_size",
                                        "32",      "rates",  "*=1@1",  NULL, NULL};
    ic_dataset *data = NULL;
    ic_model *model = NULL;
    ic_trainer *trainer = NULL;
    ic_options *options = NULL;
    ic_status status = ic_options_create(context, &options);
    for (int i = 0; pairs[i] && status >= 0; i += 2)
        status = ic_options_set_text(options, pairs[i], pairs[i + 1]);
    if (status >= 0)
        status = shapes_dataset(context, 0, 12, &data);
    if (status >= 0)
        status = ic_model_create(context, data, options, &model);
    if (status >= 0)
        status = ic_trainer_create(model, data, NULL, options, &trainer);
    if (status >= 0)
        status = ic_trainer_run(trainer);
    ic_trainer_free(trainer);
    ic_model_free(model);
    ic_dataset_free(data);
    ic_options_free(options);
    return status;
}

static void survives_lack_of_memory(void **state)
{
    assert_true(test_fail_each_allocation(flow, NULL) > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(less_work_and_the_same_file),
        cmocka_unit_test(in_the_end_nothing_trains),
        cmocka_unit_test(survives_lack_of_memory),
    };
    return cmocka_run_group_tests_name("train/freezing", tests, NULL, NULL);
}

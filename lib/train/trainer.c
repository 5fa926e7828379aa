/* train/trainer.c: making a trainer, running it, one training step. SPDX-License-Identifier: MIT */
#include "train/checkpoint.h"

#include "base/memory.h"
#include "base/options.h"
#include "base/text.h"

#include <math.h>
#include <string.h>

/* Of the minutes: the rest is for what comes behind a training, saving above all. */
static const double budget_share = 0.98;

static ic_status create_loaders(ic_trainer *trainer)
{
    const ic_training_recipe *recipe = &trainer->recipe;
    ic_train_data *data = &trainer->data;
    ic_loader_options options = {
        .pipeline = trainer->model->pipeline,
        .batch = recipe->batch,
        .cache = data->validation_cache,
        .class_map = data->validation_map,
    };
    IC_TRY(ic_engine_resize(trainer, &trainer->resizing.stages[0]));
    IC_TRY(ic_loader_create(trainer->context, data->validation, &options,
                            &trainer->validation_loader));
    trainer->batches = ic_loader_batches(trainer->loader);
    trainer->validation_batches = ic_loader_batches(trainer->validation_loader);
    return IC_OK;
}

/* Executors, optimiser and loss for the batch size of the recipe. */
static ic_status create_engine(ic_trainer *trainer)
{
    const ic_training_recipe *recipe = &trainer->recipe;
    const ic_graph *graph = trainer->model->graph;
    ic_context *context = trainer->context;
    const int64_t *counts = recipe->balanced_weights ? trainer->data.class_counts : NULL;

    IC_TRY(ic_loss_create(context, trainer->model->class_count, recipe->batch,
                          recipe->label_smoothing, counts, &trainer->loss));
    ic_weights *start = ic_model_weights(trainer->model);
    ic_status status = ic_optimiser_create(context, recipe, graph, ic_weights_parameters(start),
                                           &trainer->optimiser);
    ic_weights_free(start);
    IC_TRY(status);
    return ic_engine_begin(trainer);
}

static ic_status prepare(ic_trainer *trainer, const ic_dataset *train, const ic_dataset *validation,
                         const ic_options *options)
{
    ic_model *model = trainer->model;
    ic_data_facts facts;
    IC_TRY(ic_train_data_prepare(model, train, validation, options, &trainer->data));
    IC_TRY(ic_recipe_look(trainer->context, trainer->data.train, &facts));
    facts.pretrained = model->pretrained;
    IC_TRY(ic_recipe_training(trainer->context, &facts, model->network, &model->pipeline, options,
                              &trainer->recipe));
    IC_TRY(ic_train_data_cache(&trainer->data, trainer->recipe.cache_bytes));
    IC_TRY(ic_resizing_plan(model, &trainer->recipe, &trainer->resizing));
    IC_TRY(create_loaders(trainer));
    /* What is left of an epoch's batches makes a step of its own. */
    trainer->epoch_steps =
        (trainer->batches + trainer->recipe.accumulate - 1) / trainer->recipe.accumulate;
    trainer->clock.budget = 60 * trainer->recipe.minutes * budget_share;
    if (trainer->clock.budget > 0)
        trainer->clock.deadline = trainer->clock.began + trainer->clock.budget;
    trainer->schedule = ic_schedule_make(&trainer->recipe, trainer->epoch_steps);
    IC_TRY(ic_schedule_check(&trainer->schedule));
    ic_trust_plan(trainer);
    IC_TRY(create_engine(trainer));
    ic_log(trainer->context, IC_LOG_INFO,
           "training on %lld pictures, %lld held out for validation; %lld steps an epoch",
           (long long)trainer->data.pictures, (long long)trainer->data.validation_pictures,
           (long long)trainer->epoch_steps);
    return IC_OK;
}

static ic_status plan_checkpoints(ic_trainer *trainer, const ic_options *options)
{
    const char *path = ic_option_text(options, "checkpoint");
    trainer->checkpoint_seconds = 60 * ic_option_float(options, "checkpoint_minutes");
    trainer->clock.last_checkpoint = ic_clock_seconds();
    return *path ? ic_copy_text(trainer->context, path, &trainer->checkpoint) : IC_OK;
}

ic_status ic_trainer_create(ic_model *model, const ic_dataset *train, const ic_dataset *validation,
                            const ic_options *options, ic_trainer **out)
{
    ic_status status = IC_OK;
    ic_trainer *made = NULL;
    if (!model || !train || !out)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_trainer_create: model, train or out is NULL");
    IC_TRY_CLEAN(ic_allocate_zero(model->context, sizeof *made, &made));
    made->context = ic_context_retain(model->context);
    made->model = ic_model_retain(model);
    made->data.context = made->context;
    made->state.best_epoch = -1;
    made->clock.began = ic_clock_seconds();
    IC_TRY_CLEAN(plan_checkpoints(made, options));
    IC_TRY_CLEAN(prepare(made, train, validation, options));
    *out = made;
    made = NULL;
cleanup:
    ic_trainer_free(made);
    return status;
}

void ic_trainer_free(ic_trainer *trainer)
{
    if (!trainer)
        return;
    ic_context *context = trainer->context;
    ic_trust_free(trainer); /* works in the memory of an executor */
    ic_engine_free(trainer);
    ic_loader_free(trainer->validation_loader);
    ic_optimiser_free(trainer->optimiser);
    ic_loss_free(trainer->loss);
    ic_weights_free(trainer->snapshot);
    ic_weights_free(trainer->best);
    ic_train_data_free(&trainer->data);
    ic_free(context, trainer->epochs);
    ic_free(context, trainer->checkpoint);
    ic_model_free(trainer->model);
    ic_free(context, trainer);
    ic_context_free(context);
}

ic_status ic_training_diverged(ic_trainer *trainer, const char *what)
{
    const ic_train_state *state = &trainer->state;
    char rate[IC_TEXT_FLOAT_MAX], advice[IC_TEXT_FLOAT_MAX];
    double peak = trainer->recipe.learning_rate;
    trainer->failed = ic_fail(
        IC_ERROR_DIVERGED,
        "the %s is no longer a finite number in epoch %lld, after step %lld, with learning_rate "
        "%s: set learning_rate lower, say %s; the model keeps the %s",
        what, (long long)state->epoch + 1, (long long)state->step, ic_text_float(peak, 6, rate),
        ic_text_float(peak / 10, 7, advice),
        trainer->best ? "best weights so far" : "weights that it had before");
    ic_error_copy(trainer->failure, sizeof trainer->failure);
    return trainer->failed;
}

ic_status ic_training_batch(ic_trainer *trainer, uint64_t draw, float *gradients, int32_t *count,
                            ic_loss_sums *sums)
{
    float *parameters = trainer->optimiser->parameters;
    ic_executor *executor = trainer->executor;
    int64_t each = trainer->batches;
    ic_batch batch;
    ic_targets targets;
    double began = ic_clock_seconds();
    IC_TRY(ic_loader_next(trainer->loader, &batch));
    trainer->clock.epoch_waited += ic_clock_seconds() - began;
    IC_TRY(ic_mixer_apply(trainer->mixer, &batch, (int64_t)draw / each, (int64_t)draw % each,
                          ic_executor_input(executor), &targets));
    IC_TRY(ic_executor_forward(executor, parameters, trainer->recipe.seed, draw));
    IC_TRY(ic_loss_train(trainer->loss, batch.count, ic_executor_logits(executor), &targets,
                         ic_executor_logit_gradients(executor), sums));
    *count = batch.count;
    if (!isfinite(sums->loss))
        return IC_OK;
    return ic_executor_backward(executor, parameters, gradients);
}

/* Takes the gradients of batch `nth` of a step in, and steps if it is the last of them. */
static ic_status use_gradients(ic_trainer *trainer, int32_t nth, bool last)
{
    const ic_train_state *state = &trainer->state;
    ic_update update = {
        .rate = ic_schedule_rate(&trainer->schedule, state->step),
        .step = state->step,
        .share = state->step + 1 < trainer->schedule.steps
                     ? ic_schedule_share(&trainer->schedule, state->step + 1)
                     : 1,
        .epoch = state->epoch,
        .batches = nth + 1,
    };
    double began = ic_clock_seconds();
    if (nth > 0)
        IC_TRY(ic_optimiser_accumulate(trainer->optimiser, state->epoch));
    if (last)
        IC_TRY(ic_optimiser_step(trainer->optimiser, &update));
    trainer->clock.last_update = ic_clock_seconds() - began;
    ic_pace_add(&trainer->clock.update, trainer->clock.last_update);
    return IC_OK;
}

/*
 * Fetch, mix, forward, loss, backward, update. The state moves at the very end: after an error in
 * between, the next call does the same batch again.
 */
static ic_status training_step(ic_trainer *trainer)
{
    ic_train_state *state = &trainer->state;
    int32_t each = trainer->recipe.accumulate, nth = (int32_t)(state->batch % each), count;
    bool last = nth + 1 == each || state->batch + 1 == trainer->batches;
    uint64_t draw = (uint64_t)(state->epoch * trainer->batches + state->batch);
    ic_loss_sums sums;

    IC_TRY(ic_engine_ready(trainer));
    if (!trainer->placed)
        IC_TRY(ic_loader_seek(trainer->loader, state->epoch, state->batch));
    trainer->placed = false;
    IC_TRY(ic_training_batch(trainer, draw, ic_optimiser_target(trainer->optimiser, nth), &count,
                             &sums));
    if (!isfinite(sums.loss))
        return ic_training_diverged(trainer, "training loss");
    IC_TRY(use_gradients(trainer, nth, last));

    trainer->placed = true;
    state->loss_sum += sums.loss;
    state->correct += (double)sums.correct;
    state->seen += count;
    state->step += last;
    if (++state->batch == trainer->batches || state->step == trainer->schedule.steps) {
        state->phase = IC_PHASE_VALIDATE;
        state->batch = 0;
    }
    return IC_OK;
}

/* A training step with the clock running. */
static ic_status timed_training_step(ic_trainer *trainer, double began)
{
    double seen = trainer->state.seen;
    IC_TRY(training_step(trainer));
    double took = ic_clock_seconds() - began;
    ic_pace_add(&trainer->clock.training,
                (took - trainer->clock.last_update) / trainer->stage->work);
    ic_training_fit(trainer);
    trainer->clock.epoch_busy += took;
    trainer->clock.epoch_seen += trainer->state.seen - seen;
    return IC_OK;
}

ic_status ic_training_check(const ic_trainer *trainer)
{
    if (trainer->failed)
        ic_error_set(trainer->failure);
    if (trainer->searching)
        return ic_fail(IC_ERROR_STATE, "the trainer is looking for a learning rate: call it again "
                                       "when ic_trainer_find_rate has returned");
    return trainer->failed;
}

ic_status ic_train_step(ic_trainer *trainer)
{
    if (!trainer)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_train_step: trainer is NULL");
    IC_TRY(ic_training_check(trainer));
    if (trainer->state.phase == IC_PHASE_DONE)
        return IC_DONE;

    int64_t epoch = trainer->state.epoch, phase = trainer->state.phase;
    double began = ic_clock_seconds();
    ic_status status = phase == IC_PHASE_TRAIN      ? timed_training_step(trainer, began)
                       : phase == IC_PHASE_VALIDATE ? ic_validation_step(trainer)
                                                    : ic_trust_step(trainer);
    trainer->clock.busy += ic_clock_seconds() - began;
    IC_TRY(status);
    ic_checkpoint_when_due(trainer);
    if (phase != IC_PHASE_TRUST)
        IC_TRY(ic_training_report(trainer, trainer->state.epoch != epoch));
    return trainer->state.phase == IC_PHASE_DONE ? IC_DONE : IC_OK;
}

ic_status ic_trainer_run(ic_trainer *trainer)
{
    ic_status status;
    do
        status = ic_train_step(trainer);
    while (status == IC_OK);
    return status == IC_DONE ? IC_OK : status;
}

/* train/validation.c: the validation after an epoch, the best weights, the end.
 * SPDX-License-Identifier: MIT */
#include "train/trainer.h"

#include "base/memory.h"

#include <math.h>
#include <string.h>

/* The weights of this epoch's end, fixed while they are validated. */
static ic_status begin(ic_trainer *trainer)
{
    if (!trainer->snapshot)
        IC_TRY(ic_weights_create(trainer->context, trainer->model->graph,
                                 ic_optimiser_result(trainer->optimiser), &trainer->snapshot));
    if (!trainer->validation_placed)
        IC_TRY(
            ic_loader_seek(trainer->validation_loader, trainer->state.epoch, trainer->state.batch));
    return IC_OK;
}

static ic_status validate_batch(ic_trainer *trainer)
{
    ic_train_state *state = &trainer->state;
    ic_executor *executor = trainer->validation_executor;
    ic_batch batch;
    ic_loss_sums sums;

    IC_TRY(begin(trainer));
    trainer->validation_placed = false;
    IC_TRY(ic_loader_next(trainer->validation_loader, &batch));
    ic_shape shape = ic_graph_input_shape(trainer->model->graph);
    size_t floats = (size_t)batch.count * ic_shape_floats(shape);
    memcpy(ic_executor_input(executor), batch.tensors, floats * sizeof(float));
    IC_TRY(ic_executor_infer(executor, trainer->snapshot, batch.count));
    IC_TRY(ic_loss_measure(trainer->loss, batch.count, ic_executor_logits(executor), batch.labels,
                           &sums));
    trainer->validation_placed = true;
    state->validation_loss_sum += sums.loss;
    state->validation_correct += (double)sums.correct;
    state->validation_seen += batch.count;
    state->batch++;
    return IC_OK;
}

/* More validation pictures right than ever; with as many right, the lower loss. */
static bool is_better(const ic_train_state *state, const ic_epoch *epoch)
{
    if (state->best_epoch < 0 || epoch->validation_accuracy > state->best_accuracy)
        return true;
    return epoch->validation_accuracy == state->best_accuracy &&
           epoch->validation_loss < state->best_loss;
}

/*
 * Worth keeping: better, or as good as so few pictures can tell (within a standard error of the
 * best accuracy so far) with a lower loss than what is kept. Else luck with some pictures of an
 * early epoch would win over the end of the schedule.
 */
static bool is_kept(const ic_train_state *state, const ic_epoch *epoch)
{
    double best = state->best_accuracy;
    double error = sqrt(best * (1 - best) / state->validation_seen);
    return is_better(state, epoch) || (epoch->validation_accuracy >= best - error &&
                                       epoch->validation_loss < state->best_loss);
}

static ic_epoch results(const ic_trainer *trainer)
{
    const ic_train_state *state = &trainer->state;
    return (ic_epoch){
        .train_loss = state->loss_sum / state->seen,
        .train_accuracy = state->correct / state->seen,
        .validation_loss = state->validation_loss_sum / state->validation_seen,
        .validation_accuracy = state->validation_correct / state->validation_seen,
        .learning_rate = ic_schedule_rate(&trainer->schedule, state->step - 1),
    };
}

ic_status ic_training_record(const ic_trainer *trainer, int64_t epochs, int64_t best_epoch,
                             json_t **out)
{
    int64_t steps = (best_epoch + 1) * trainer->epoch_steps;
    const ic_record record = {
        .recipe = &trainer->recipe,
        .data = &trainer->data,
        .epochs = trainer->epochs,
        .epoch_count = epochs,
        .best_epoch = best_epoch,
        .steps = steps < trainer->schedule.steps ? steps : trainer->schedule.steps,
        .bf16 = trainer->context->cpu_level >= IC_CPU_AVX512_BF16,
    };
    return ic_record_to_json(&record, out);
}

/* Gives the model `weights` with the record of all epochs up to this one. */
static ic_status publish(ic_trainer *trainer, ic_weights *weights, int64_t best_epoch)
{
    json_t *json = NULL;
    IC_TRY(ic_training_record(trainer, trainer->state.epoch + 1, best_epoch, &json));
    ic_model_publish(trainer->model, ic_weights_retain(weights), json);
    return IC_OK;
}

static void keep(ic_trainer *trainer, const ic_epoch *epoch)
{
    ic_train_state *state = &trainer->state;
    ic_weights_free(trainer->best);
    trainer->best = trainer->snapshot;
    trainer->snapshot = NULL;
    state->best_epoch = state->epoch;
    state->best_loss = epoch->validation_loss;
    if (epoch->validation_accuracy > state->best_accuracy)
        state->best_accuracy = epoch->validation_accuracy;
}

/* On to the next epoch, or to the end. */
static void advance(ic_trainer *trainer, bool done)
{
    ic_train_state *state = &trainer->state;
    ic_train_clock *clock = &trainer->clock;
    ic_weights_free(trainer->snapshot);
    trainer->snapshot = NULL;
    clock->speed = clock->epoch_busy > 0 ? clock->epoch_seen / clock->epoch_busy : 0;
    clock->waiting = clock->epoch_busy > 0 ? clock->epoch_waited / clock->epoch_busy : 0;
    clock->epoch_busy = clock->epoch_seen = clock->epoch_waited = 0;
    state->epoch++;
    state->batch = 0;
    state->loss_sum = state->correct = state->seen = 0;
    state->validation_loss_sum = state->validation_correct = state->validation_seen = 0;
    state->phase = !done                        ? IC_PHASE_TRAIN
                   : trainer->trust.batches > 0 ? IC_PHASE_TRUST
                                                : IC_PHASE_DONE;
}

/*
 * What can fail comes first, so that after an error the next call finishes the epoch again. The
 * model gets the best weights so far, and at the end of the training the record of the epochs after
 * them too.
 */
static ic_status finish_epoch(ic_trainer *trainer)
{
    ic_train_state *state = &trainer->state;
    const ic_training_recipe *recipe = &trainer->recipe;
    ic_epoch epoch = results(trainer);

    if (!isfinite(epoch.validation_loss))
        return ic_training_diverged(trainer, "validation loss");
    bool better = is_better(state, &epoch), kept = is_kept(state, &epoch);
    bool last = state->step == trainer->schedule.steps;
    bool tired =
        !better && recipe->patience > 0 && state->epochs_since_best + 1 >= recipe->patience;
    IC_TRY(ic_grow(trainer->context, &trainer->epochs, &trainer->epoch_capacity,
                   (size_t)state->epoch + 1, sizeof epoch));
    trainer->epochs[state->epoch] = epoch;
    if (kept)
        IC_TRY(publish(trainer, trainer->snapshot, state->epoch));
    else if (last || tired)
        IC_TRY(publish(trainer, trainer->best, state->best_epoch));

    state->epochs_since_best = better ? 0 : state->epochs_since_best + 1;
    if (kept)
        keep(trainer, &epoch);
    advance(trainer, last || tired);
    if (tired && !last)
        ic_log(trainer->context, IC_LOG_INFO,
               "stopped early after epoch %lld: no better validation for %d epochs",
               (long long)state->epoch, (int)recipe->patience);
    if (last || tired)
        ic_trust_explain(trainer);
    return IC_OK;
}

ic_status ic_validation_step(ic_trainer *trainer)
{
    if (trainer->state.batch < trainer->validation_batches) {
        double began = ic_clock_seconds();
        IC_TRY(validate_batch(trainer));
        ic_pace_add(&trainer->clock.validation, ic_clock_seconds() - began);
    }
    if (trainer->state.batch == trainer->validation_batches)
        return finish_epoch(trainer);
    return IC_OK;
}

/* train/progress.c: how far a training is, for callbacks and ic_trainer_value.
 * SPDX-License-Identifier: MIT */
#include "train/trainer.h"

static const double report_interval = 0.1; /* seconds between events within an epoch */

/* The very first batch starts threads and touches memory, so the second replaces it. */
void ic_pace_add(ic_pace *pace, double seconds)
{
    int64_t among = pace->count > 100 ? 100 : pace->count < 2 ? 1 : pace->count;
    pace->seconds += (seconds - pace->seconds) / (double)among;
    pace->count++;
}

int64_t ic_training_epochs(const ic_trainer *trainer)
{
    return (trainer->schedule.steps + trainer->epoch_steps - 1) / trainer->epoch_steps;
}

/* Before the first validation a batch of it is guessed to take a third of a training step, which
 * goes backward too. */
double ic_training_seconds_left(const ic_trainer *trainer)
{
    const ic_train_clock *clock = &trainer->clock;
    const ic_train_state *state = &trainer->state;
    if (state->phase == IC_PHASE_DONE)
        return 0;
    double validation =
        clock->validation.count > 0 ? clock->validation.seconds : clock->training.seconds / 3;
    if (state->phase == IC_PHASE_TRUST) /* of a resumed training nothing is known of its pace */
        return validation > 0 ? validation * (double)(trainer->trust.batches - state->batch) : -1;
    if (clock->training.count == 0)
        return -1;
    double steps = (double)(trainer->schedule.steps - state->step);
    steps *= (double)trainer->batches / (double)trainer->epoch_steps;
    double work =
        ic_resizing_work(&trainer->resizing, ic_schedule_share(&trainer->schedule, state->step));
    int64_t batches = (ic_training_epochs(trainer) - state->epoch) * trainer->validation_batches -
                      (state->phase == IC_PHASE_VALIDATE ? state->batch : 0) +
                      trainer->trust.batches;
    return (clock->training.seconds * work + clock->update.seconds) * steps +
           validation * (double)batches;
}

/* Where the training stands; at an epoch's end, that epoch. */
static void set_position(const ic_trainer *trainer, bool at_end, ic_progress *progress)
{
    const ic_train_state *state = &trainer->state;
    bool training = state->phase == IC_PHASE_TRAIN && !at_end;
    int64_t rate_step =
        state->step < trainer->schedule.steps && training ? state->step : state->step - 1;
    ic_progress_set(progress, "done", (double)state->step);
    ic_progress_set(progress, "total", (double)trainer->schedule.steps);
    ic_progress_set(progress, "seconds", trainer->clock.busy);
    ic_progress_set(progress, "epoch", (double)(at_end ? state->epoch : state->epoch + 1));
    ic_progress_set(progress, "epochs", (double)ic_training_epochs(trainer));
    ic_progress_set(progress, "step", (double)(training ? state->batch : trainer->batches));
    ic_progress_set(progress, "steps", (double)trainer->batches);
    ic_progress_set(progress, "learning_rate", ic_schedule_rate(&trainer->schedule, rate_step));
    double left = ic_training_seconds_left(trainer);
    if (left >= 0)
        ic_progress_set(progress, "seconds_left", left);
}

/* Loss, accuracy and speed of the epoch under way; before its first step, of the last one. */
static void set_results(const ic_trainer *trainer, bool at_end, ic_progress *progress)
{
    const ic_train_state *state = &trainer->state;
    const ic_train_clock *clock = &trainer->clock;
    const ic_epoch *last = state->epoch > 0 ? &trainer->epochs[state->epoch - 1] : NULL;
    if (state->seen > 0) {
        ic_progress_set(progress, "loss", state->loss_sum / state->seen);
        ic_progress_set(progress, "accuracy", state->correct / state->seen);
    } else if (last) {
        ic_progress_set(progress, "loss", last->train_loss);
        ic_progress_set(progress, "accuracy", last->train_accuracy);
    }
    double speed = clock->epoch_busy > 0 ? clock->epoch_seen / clock->epoch_busy : clock->speed;
    if (speed > 0)
        ic_progress_set(progress, "pictures_per_second", speed);
    double waiting =
        clock->epoch_busy > 0 ? clock->epoch_waited / clock->epoch_busy : clock->waiting;
    ic_progress_set(progress, "waiting", waiting);
    if (last) {
        ic_progress_set(progress, "validation_loss", last->validation_loss);
        ic_progress_set(progress, "validation_accuracy", last->validation_accuracy);
        ic_progress_set(progress, "best_epoch", (double)(state->best_epoch + 1));
    }
    if (at_end)
        ic_progress_set(progress, "epoch_done", 1);
}

/* Between two calls the training stands at an epoch's end when nothing of the next one was done. */
static void describe(const ic_trainer *trainer, ic_progress *progress)
{
    const ic_train_state *state = &trainer->state;
    bool validating = state->phase == IC_PHASE_VALIDATE;
    bool at_end = state->epoch > 0 && state->seen <= 0;
    ic_progress_begin(progress, validating || at_end ? "validate" : "train");
    set_position(trainer, at_end, progress);
    set_results(trainer, at_end, progress);
}

ic_status ic_training_report(ic_trainer *trainer, bool always)
{
    double now = ic_clock_seconds();
    if (!always && now - trainer->clock.last_report < report_interval)
        return IC_OK;
    trainer->clock.last_report = now;
    ic_progress progress;
    describe(trainer, &progress);
    return ic_progress_send(trainer->context, &progress);
}

ic_status ic_trainer_value(const ic_trainer *trainer, const char *name, double *out)
{
    if (!trainer || !name || !out)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_trainer_value: trainer, name or out is NULL");
    ic_progress progress;
    describe(trainer, &progress);
    ic_status status = ic_progress_value(&progress, name, out);
    if (status == IC_ERROR_NOT_FOUND)
        return ic_fail(status,
                       "the training has no value \"%.80s\" (yet): losses and accuracies come with "
                       "its steps and epochs",
                       name);
    return status;
}

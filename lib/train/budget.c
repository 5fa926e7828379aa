/* train/budget.c: keeps a training within its minutes. SPDX-License-Identifier: MIT */
#include "train/trainer.h"

#include <math.h>

/*
 * Steps before the pace is believed; how far off the end may be before the plan is changed, and how
 * long a plan stands, of the whole time.
 */
enum { FIRST_LOOK = 8, SPARE_CHANGES = 4 /* for the first looks and the last */ };
static const double tolerance = 0.015, standing = 1.0 / (IC_CHANGES_MAX - SPARE_CHANGES);

/* Only between two optimiser steps, and with a place kept for the last change of all. */
static bool is_due(const ic_trainer *trainer, double now)
{
    const ic_train_state *state = &trainer->state;
    const ic_train_clock *clock = &trainer->clock;
    int32_t changes = trainer->recipe.change_count;
    if (clock->deadline <= 0 || state->phase != IC_PHASE_TRAIN || state->step == 0 ||
        state->batch % trainer->recipe.accumulate != 0 || changes == IC_CHANGES_MAX)
        return false;
    if (now >= clock->deadline)
        return true;
    return changes < IC_CHANGES_MAX - 1 && clock->training.count >= FIRST_LOOK &&
           now - clock->last_change >= standing * clock->budget;
}

void ic_training_fit(ic_trainer *trainer)
{
    ic_training_recipe *recipe = &trainer->recipe;
    ic_schedule *schedule = &trainer->schedule;
    double now = ic_clock_seconds();
    if (!is_due(trainer, now))
        return;
    double left = ic_training_seconds_left(trainer);
    double time = trainer->clock.deadline - now;
    if (fabs(left - time) < tolerance * trainer->clock.budget)
        return;
    int64_t step = trainer->state.step;
    double rest = (double)(schedule->steps - step) * (time > 0 ? time / left : 0);
    double most = recipe->most_epochs * (double)trainer->epoch_steps;
    int64_t steps = step + (int64_t)rest;
    steps = steps > (int64_t)most ? (int64_t)most : steps;
    steps = steps > step ? steps : step + 1;
    if (steps == schedule->steps)
        return;
    recipe->changes[recipe->change_count++] = (ic_change){step, steps};
    ic_schedule_update(schedule);
    trainer->clock.last_change = now;
    ic_log(trainer->context, IC_LOG_DEBUG, "%lld s left: the training will end after %lld steps",
           (long long)time, (long long)steps);
}

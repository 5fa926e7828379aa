/* train/budget.c: keeps a training within its minutes. SPDX-License-Identifier: MIT */
#include "train/trainer.h"

#include <math.h>

/*
 * Steps before the pace is believed, and between two looks; how far off the end may be, of the whole
 * time, before the plan is changed.
 */
enum { FIRST_LOOK = 8 };
static const double tolerance = 0.015;

/* Whether it is time to look: often at first, then every hundredth of the training. */
static bool is_due(const ic_trainer *trainer)
{
    const ic_train_state *state = &trainer->state;
    int64_t every = trainer->schedule.steps / 100 + 1;
    return trainer->clock.deadline > 0 && state->phase == IC_PHASE_TRAIN &&
           trainer->recipe.change_count < IC_CHANGES_MAX &&
           trainer->clock.training.count >= FIRST_LOOK && state->step % every == 0 &&
           state->batch % trainer->recipe.accumulate == 0 && state->step > 0;
}

void ic_training_fit(ic_trainer *trainer)
{
    ic_training_recipe *recipe = &trainer->recipe;
    ic_schedule *schedule = &trainer->schedule;
    if (!is_due(trainer))
        return;
    double left = ic_training_seconds_left(trainer);
    double time = trainer->clock.deadline - ic_clock_seconds();
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
    ic_log(trainer->context, IC_LOG_DEBUG, "%.0f s left: the training will end after %lld steps",
           time, (long long)steps);
}

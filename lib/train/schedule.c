/* train/schedule.c: one-cycle, cosine and constant learning rates. SPDX-License-Identifier: MIT */
#include "train/schedule.h"

#include "base/maths.h"

/* One-cycle as torch's OneCycleLR has it: from peak / 25 up to the peak in 30 % of the steps, then
 * down to a millionth. */
static const double cycle_share = 0.3, cycle_start = 25, cycle_end = 1e4;
static const double pi = 3.14159265358979323846;

/* From `from` (at = 0) to `to` (at = 1) along half a period of a cosine. */
static double anneal(double from, double to, double at)
{
    return to + (from - to) / 2 * (1 + ic_cos(pi * at));
}

ic_schedule ic_schedule_make(const ic_training_recipe *recipe, int64_t batches)
{
    ic_schedule schedule = {
        .kind = recipe->schedule,
        .peak = recipe->learning_rate,
        .steps = batches * recipe->epochs,
    };
    if (schedule.kind == IC_SCHEDULE_ONE_CYCLE) {
        schedule.rise = cycle_share * (double)schedule.steps - 1;
    } else {
        double most = (double)schedule.steps / 2;
        schedule.rise = recipe->warmup_epochs * (double)batches;
        if (schedule.rise > most)
            schedule.rise = most;
    }
    return schedule;
}

/*
 * Smith, Topin (2018), "Super-Convergence": up to the peak, then down to almost nothing, both along
 * cosines. The peak is the step `rise`, the end the last step.
 */
static double one_cycle(const ic_schedule *schedule, int64_t step)
{
    double start = schedule->peak / cycle_start;
    double last = (double)(schedule->steps - 1);
    if ((double)step < schedule->rise)
        return anneal(start, schedule->peak, (double)step / schedule->rise);
    double rise = schedule->rise > 0 ? schedule->rise : 0;
    double at = last > rise ? ((double)step - rise) / (last - rise) : 1;
    return anneal(schedule->peak, start / cycle_end, at);
}

double ic_schedule_rate(const ic_schedule *schedule, int64_t step)
{
    if (schedule->kind == IC_SCHEDULE_ONE_CYCLE)
        return one_cycle(schedule, step);
    if ((double)step < schedule->rise)
        return schedule->peak * (double)(step + 1) / (schedule->rise + 1);
    if (schedule->kind == IC_SCHEDULE_CONSTANT)
        return schedule->peak;
    double span = (double)schedule->steps - schedule->rise;
    return anneal(schedule->peak, 0, ((double)step - schedule->rise) / span);
}

/* train/schedule.c: the rates of the schedules, step by step. SPDX-License-Identifier: MIT */
#include "train/schedule.h"

#include "base/maths.h"
#include "base/status.h"

#include <math.h>

/* One-cycle as torch's OneCycleLR has it: from peak / 25 up to the peak in 30 % of the steps, then
 * down to a millionth. */
static const double cycle_share = 0.3, cycle_start = 25, cycle_end = 1e4;
/*
 * A triangle as airbench94 has it (Jordan 2024, "94% on CIFAR-10 in 3.29 Seconds",
 * arXiv:2404.00498): from a fifth of the peak up to it in 23 % of the steps, down to 7 % of it at
 * their end.
 */
static const double triangle_start = 0.2, triangle_share = 0.23, triangle_end = 0.07;
static const double pi = 3.14159265358979323846;

/* From `from` (at = 0) to `to` (at = 1) along half a period of a cosine. */
static double anneal(double from, double to, double at)
{
    return to + (from - to) / 2 * (1 + ic_cos(pi * at));
}

ic_schedule ic_schedule_make(const ic_training_recipe *recipe, int64_t each)
{
    ic_schedule schedule = {
        .kind = recipe->schedule,
        .peak = recipe->learning_rate,
        .planned = fmax(1, ceil((double)each * recipe->epochs - 1e-9)),
        .recipe = recipe,
        .every = recipe->step_epochs > 0 ? fmax(1, recipe->step_epochs * (double)each) : 0,
        .factor = recipe->step_factor,
    };
    if (schedule.kind == IC_SCHEDULE_ONE_CYCLE) {
        schedule.rise = cycle_share * schedule.planned - 1;
    } else if (schedule.kind == IC_SCHEDULE_TRIANGLE) {
        schedule.rise = (double)(int64_t)(triangle_share * schedule.planned);
    } else {
        double most = schedule.planned / 2;
        schedule.rise = recipe->warmup_epochs * (double)each;
        if (schedule.rise > most)
            schedule.rise = most;
    }
    ic_schedule_update(&schedule);
    return schedule;
}

ic_status ic_schedule_check(const ic_schedule *schedule)
{
    const ic_training_recipe *recipe = schedule->recipe;
    if (recipe->change_count == 0 || (double)recipe->changes[0].at < schedule->planned)
        return IC_OK;
    return ic_fail(IC_ERROR_OPTION,
                   "option \"replan\" begins at step %lld of a training of %lld steps: give the "
                   "epochs and batch_size of the training that it repeats",
                   (long long)recipe->changes[0].at, (long long)schedule->planned);
}

/*
 * Smith, Topin (2018), "Super-Convergence": up to the peak, then down to almost nothing, both along
 * cosines. The peak is the step `rise`, the end the last step.
 */
static double one_cycle(const ic_schedule *schedule, double step)
{
    double start = schedule->peak / cycle_start, last = schedule->planned - 1;
    if (step < schedule->rise)
        return anneal(start, schedule->peak, step / schedule->rise);
    double rise = schedule->rise > 0 ? schedule->rise : 0;
    double at = last > rise ? (step - rise) / (last - rise) : 1;
    return anneal(schedule->peak, start / cycle_end, at < 1 ? at : 1);
}

static double triangle(const ic_schedule *schedule, double at)
{
    double rise = schedule->rise, fall = schedule->planned - rise;
    return schedule->peak * (at < rise ? triangle_start + (1 - triangle_start) * at / rise
                                       : 1 + (triangle_end - 1) * (at - rise) / fall);
}

/* As torch's StepLR; drops are counted from the first step, warm-up or not. */
static double staircase(const ic_schedule *schedule, double step)
{
    double rate = schedule->peak;
    if (schedule->every > 0)
        for (double drop = schedule->every; drop <= step; drop += schedule->every)
            rate *= schedule->factor;
    return rate;
}

/* The step of the shape as it was made. */
static double place(const ic_schedule *schedule, int64_t step)
{
    const ic_training_recipe *recipe = schedule->recipe;
    double at = 0, from = 0, steps = schedule->planned;
    for (int32_t i = 0; i < recipe->change_count && recipe->changes[i].at <= step; i++) {
        const ic_change *change = &recipe->changes[i];
        at += ((double)change->at - from) * (schedule->planned - at) / (steps - from);
        from = (double)change->at;
        steps = (double)change->steps;
    }
    return at + ((double)step - from) * (schedule->planned - at) / (steps - from);
}

void ic_schedule_update(ic_schedule *schedule)
{
    int32_t changes = schedule->recipe->change_count;
    schedule->steps =
        changes > 0 ? schedule->recipe->changes[changes - 1].steps : (int64_t)schedule->planned;
}

double ic_schedule_share(const ic_schedule *schedule, int64_t step)
{
    return place(schedule, step) / schedule->planned;
}

double ic_schedule_rate(const ic_schedule *schedule, int64_t number)
{
    double step = place(schedule, number);
    if (schedule->kind == IC_SCHEDULE_ONE_CYCLE)
        return one_cycle(schedule, step);
    if (schedule->kind == IC_SCHEDULE_TRIANGLE)
        return triangle(schedule, step);
    if (step < schedule->rise)
        return schedule->peak * (step + 1) / (schedule->rise + 1);
    if (schedule->kind == IC_SCHEDULE_CONSTANT)
        return schedule->peak;
    if (schedule->kind == IC_SCHEDULE_STEP)
        return staircase(schedule, step);
    double span = schedule->planned - schedule->rise;
    return anneal(schedule->peak, 0, (step - schedule->rise) / span);
}

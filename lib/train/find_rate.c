/* train/find_rate.c: a learning rate by trying: the range test. SPDX-License-Identifier: MIT */
#include "train/trainer.h"

#include "base/maths.h"
#include "base/memory.h"

#include <math.h>
#include <string.h>

enum { TRIALS = 100 };

static const double lowest = 1e-5, highest = 10; /* rates */
static const double memory = 0.9;                /* of the smoothed loss */
static const double explosion = 4;               /* of the smoothed loss, times the best */

/* What was tried, trial by trial. */
typedef struct trials {
    int32_t count;
    double loss[TRIALS]; /* smoothed */
} trials;

static double rate_of(int32_t trial)
{
    return lowest * ic_pow(highest / lowest, (double)trial / (TRIALS - 1));
}

/* All arrays of the optimiser into `kept`, or back. */
static void move_arrays(const ic_optimiser *optimiser, float *kept, bool back)
{
    ic_optimiser_array arrays[IC_OPTIMISER_ARRAYS_MAX];
    int32_t count = ic_optimiser_arrays(optimiser, arrays);
    for (int32_t i = 0; i < count; kept += arrays[i++].count)
        memcpy(back ? arrays[i].data : kept, back ? kept : arrays[i].data,
               (size_t)arrays[i].count * sizeof(float));
}

static ic_status keep_arrays(const ic_trainer *trainer, float **out)
{
    ic_optimiser_array arrays[IC_OPTIMISER_ARRAYS_MAX];
    int32_t count = ic_optimiser_arrays(trainer->optimiser, arrays);
    size_t floats = 0;
    for (int32_t i = 0; i < count; i++)
        floats += (size_t)arrays[i].count;
    IC_TRY(ic_allocate_array(trainer->context, floats, sizeof(float), out));
    move_arrays(trainer->optimiser, *out, false);
    return IC_OK;
}

/* One step at the rate of a trial, of one batch and without averages; sets its loss. */
static ic_status try_rate(ic_trainer *trainer, int32_t trial, double *loss)
{
    const ic_train_state *state = &trainer->state;
    ic_optimiser *optimiser = trainer->optimiser;
    ic_loss_sums sums;
    int32_t count;
    int64_t draw = state->epoch * trainer->batches + state->batch + trial;
    ic_update update = {
        .rate = rate_of(trial), .step = state->step + trial, .epoch = state->epoch, .batches = 1};
    IC_TRY(ic_training_batch(trainer, (uint64_t)draw, ic_optimiser_target(optimiser, 0), &count,
                             &sums));
    *loss = sums.loss / count;
    return isfinite(sums.loss) ? ic_optimiser_step(optimiser, &update) : IC_OK;
}

/* Goes on until the loss explodes. */
static ic_status try_rates(ic_trainer *trainer, trials *out)
{
    const ic_train_state *state = &trainer->state;
    double started = ic_clock_seconds(), last = 0, sum = 0, weight = 0, least = INFINITY;
    IC_TRY(ic_engine_ready(trainer));
    IC_TRY(ic_loader_seek(trainer->loader, state->epoch, state->batch));
    for (int32_t i = 0; i < TRIALS; i++) {
        double loss;
        IC_TRY(try_rate(trainer, i, &loss));
        sum = memory * sum + (1 - memory) * loss;
        weight = memory * weight + (1 - memory);
        loss = sum / weight;
        if (!(loss <= explosion * least))
            return IC_OK;
        least = loss < least ? loss : least;
        out->loss[out->count++] = loss;
        IC_TRY(ic_progress_step(trainer->context, "rate", i + 1, TRIALS, started, &last));
    }
    return IC_OK;
}

/* Over equal ratios of rates, where the loss falls most between the trial before and the next. */
static double choose(const trials *tried)
{
    double steepest = 0, best = rate_of(tried->count) / 10;
    for (int32_t i = 1; i + 1 < tried->count && rate_of(i) <= rate_of(tried->count) / 10; i++) {
        double slope = tried->loss[i + 1] - tried->loss[i - 1];
        if (slope < steepest) {
            steepest = slope;
            best = rate_of(i);
        }
    }
    return best;
}

ic_status ic_trainer_find_rate(ic_trainer *trainer, double *out)
{
    trials tried = {0};
    float *kept = NULL;
    if (!trainer || !out)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_trainer_find_rate: trainer or out is NULL");
    IC_TRY(ic_training_check(trainer));
    if (trainer->state.phase != IC_PHASE_TRAIN)
        return ic_fail(IC_ERROR_STATE, "a learning rate is looked for between training steps, not "
                                       "in a validation and not when the training is done");
    IC_TRY(keep_arrays(trainer, &kept));
    double waited = trainer->clock.epoch_waited;
    trainer->placed = false;
    trainer->searching = true;
    ic_status status = try_rates(trainer, &tried);
    trainer->searching = false;
    trainer->clock.epoch_waited = waited;
    move_arrays(trainer->optimiser, kept, true);
    ic_free(trainer->context, kept);
    if (status == IC_OK)
        *out = choose(&tried);
    return status;
}

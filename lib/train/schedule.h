/* train/schedule.h: the learning rate of every step. SPDX-License-Identifier: MIT */
#ifndef TRAIN_SCHEDULE_H
#define TRAIN_SCHEDULE_H

#include "recipe/recipe.h"

typedef struct ic_schedule {
    ic_schedule_kind kind;
    double peak;    /* the highest rate */
    double rise;    /* steps up to the peak: the first part of one-cycle, or the warm-up */
    double every;   /* steps between the drops of `step`, */
    double factor;  /* by which the rate is multiplied */
    double planned; /* steps that this shape was made for */
    int64_t steps;  /* of the whole training, as it was planned last */
    const ic_training_recipe *recipe; /* whose changes of the plan count */
} ic_schedule;

/*
 * Keeps the recipe, which must not move, and follows its changes of plan: what is left of the shape
 * is stretched over the steps that are left.
 *
 * For a training of `each` optimiser steps an epoch; a step is one, whether it takes the gradients
 * of one batch or averages those of several. A warm-up takes at most half of the steps.
 */
ic_schedule ic_schedule_make(const ic_training_recipe *recipe, int64_t each);

/* IC_ERROR_OPTION: the changes of plan are those of another training. */
ic_status ic_schedule_check(const ic_schedule *schedule);

/* The rate of a step, 0 <= step < steps. */
double ic_schedule_rate(const ic_schedule *schedule, int64_t step);

/* Where in the shape a step stands: 0..1 of the whole. */
double ic_schedule_share(const ic_schedule *schedule, int64_t step);

/* Takes over a change that was added to the recipe. */
void ic_schedule_update(ic_schedule *schedule);

#endif

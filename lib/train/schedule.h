/* train/schedule.h: the learning rate of every step. SPDX-License-Identifier: MIT */
#ifndef TRAIN_SCHEDULE_H
#define TRAIN_SCHEDULE_H

#include "recipe/recipe.h"

typedef struct ic_schedule {
    ic_schedule_kind kind;
    double peak;   /* the highest rate */
    double rise;   /* steps up to the peak: the first part of one-cycle, or the warm-up */
    double every;  /* steps between the drops of `step`, */
    double factor; /* by which the rate is multiplied */
    int64_t steps; /* of the whole training */
} ic_schedule;

/*
 * For a training of `each` optimiser steps an epoch; a step is one, whether it takes the gradients
 * of one batch or averages those of several. A warm-up takes at most half of the steps.
 */
ic_schedule ic_schedule_make(const ic_training_recipe *recipe, int64_t each);

/* The rate of a step, 0 <= step < steps. */
double ic_schedule_rate(const ic_schedule *schedule, int64_t step);

#endif

/* train/trainer.h: the inside of a training: state that can be written down apart from machinery that is made anew. SPDX-License-Identifier: MIT */
#ifndef TRAIN_TRAINER_H
#define TRAIN_TRAINER_H

#include "dataset/loader.h"
#include "graph/executor.h"
#include "model/model.h"
#include "recipe/recipe.h"

#include <imgcls/trainer.h>

/* What the next call of ic_train_step does. */
typedef enum ic_train_phase { IC_PHASE_TRAIN, IC_PHASE_VALIDATE, IC_PHASE_DONE } ic_train_phase;

/*
 * Everything that a training is, besides its arrays (parameters, optimiser moments, best parameters) and its settings: numbers only,
 * so that a checkpoint is this struct and those arrays.
 */
typedef struct ic_train_state {
    int32_t phase; /* ic_train_phase */
    int64_t epoch; /* from 0 */
    int64_t batch; /* the next one in the phase, from 0 */
    int64_t step;  /* optimiser steps done */
    double loss_sum, correct, seen;                                  /* of this epoch's training */
    double validation_loss_sum, validation_correct, validation_seen; /* of this validation */
    int64_t best_epoch;  /* -1: none yet */
    double best_accuracy, best_loss;
    int64_t epochs_since_best;
} ic_train_state;

#endif

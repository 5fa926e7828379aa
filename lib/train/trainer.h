/*
 * train/trainer.h: the inside of a training: state that can be written down apart from machinery
 * that is made anew. SPDX-License-Identifier: MIT
 */
#ifndef TRAIN_TRAINER_H
#define TRAIN_TRAINER_H

#include "base/status.h"
#include "graph/executor.h"
#include "train/data.h"
#include "train/loss.h"
#include "train/mix.h"
#include "train/optimiser.h"
#include "train/record.h"
#include "train/schedule.h"

#include <imgcls/trainer.h>

/* What the next call of ic_train_step does. */
typedef enum ic_train_phase { IC_PHASE_TRAIN, IC_PHASE_VALIDATE, IC_PHASE_DONE } ic_train_phase;

/*
 * Everything that a training is, besides its arrays (parameters, optimiser moments, best
 * parameters, results of the epochs) and its settings: numbers only, so that a checkpoint is this
 * struct and those arrays.
 */
typedef struct ic_train_state {
    int32_t phase;                  /* ic_train_phase */
    int64_t epoch;                  /* from 0; the number of epochs when done */
    int64_t batch;                  /* the next one in the phase, from 0 */
    int64_t step;                   /* optimiser steps done */
    double loss_sum, correct, seen; /* of this epoch's training */
    double validation_loss_sum, validation_correct, validation_seen; /* of this validation */
    int64_t best_epoch;                                              /* -1: none yet */
    double best_accuracy, best_loss;
    int64_t epochs_since_best;
} ic_train_state;

/* Seconds spent inside ic_train_step, for progress alone: never in a result or a file. */
typedef struct ic_train_clock {
    double busy;        /* in all */
    double epoch_busy;  /* in this epoch's training steps */
    double epoch_seen;  /* pictures in that time */
    int64_t first_step; /* the step at which this clock began */
    double last_report;
    double speed; /* pictures per second of the last whole epoch */
} ic_train_clock;

struct ic_trainer {
    /* What it is. */
    ic_context *context;
    ic_model *model;
    ic_training_recipe recipe;
    ic_train_state state;
    ic_train_data data;
    ic_optimiser *optimiser; /* parameters, gradients, moments */
    ic_epoch *epochs;        /* results, state.epoch of them */
    size_t epoch_capacity;
    ic_weights *best; /* the same that the model was given; NULL before the first epoch's end */

    /* Machinery. */
    ic_schedule schedule;
    int64_t batches, validation_batches; /* an epoch */
    ic_loader *loader, *validation_loader;
    bool placed, validation_placed; /* the loader stands at state.batch */
    ic_executor *executor, *validation_executor;
    ic_weights *snapshot; /* the weights that are being validated */
    ic_mixer *mixer;
    ic_loss *loss;
    ic_train_clock clock;

    /* Once the training is beyond help, every call says so. */
    ic_status failed;
    char failure[IC_ERROR_TEXT_MAX];
};

/* validation.c: one batch of the validation after an epoch, and at its end what follows from it. */
ic_status ic_validation_step(ic_trainer *trainer);

/* progress.c: tells the host how far the training is: `always`, or when the last time is a while
 * ago. */
ic_status ic_training_report(ic_trainer *trainer, bool always);

/* trainer.c: the loss is no longer a finite number; returns IC_ERROR_DIVERGED for good. */
ic_status ic_training_diverged(ic_trainer *trainer, const char *what);

#endif

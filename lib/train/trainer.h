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
#include "train/resizing.h"
#include "train/schedule.h"

#include <imgcls/trainer.h>

/* What the next call of ic_train_step does. */
typedef enum ic_train_phase {
    IC_PHASE_TRAIN,
    IC_PHASE_VALIDATE,
    IC_PHASE_DONE,
    IC_PHASE_TRUST /* between the last validation and the end */
} ic_train_phase;

/*
 * Everything that a training is, besides its arrays (parameters, optimiser moments, best
 * parameters, results of the epochs) and its settings: numbers only, so that a checkpoint is this
 * struct and those arrays.
 */
typedef struct ic_train_state {
    int64_t phase;                  /* ic_train_phase */
    int64_t epoch;                  /* from 0; the number of epochs when done */
    int64_t batch;                  /* the next one in the phase, from 0 */
    int64_t step;                   /* optimiser steps done */
    double loss_sum, correct, seen; /* of this epoch's training */
    double validation_loss_sum, validation_correct, validation_seen; /* of this validation */
    int64_t best_epoch;                                              /* -1: none yet */
    double best_accuracy, best_loss;
    int64_t epochs_since_best;
} ic_train_state;

/* Mean seconds of one kind of work: of all of it at first, of about the last hundred times later.
 */
typedef struct ic_pace {
    double seconds;
    int64_t count;
} ic_pace;

/* Seconds spent inside ic_train_step, for progress alone: never in a result or a file. */
typedef struct ic_train_clock {
    double busy;                  /* in all */
    double epoch_busy;            /* in this epoch's training steps */
    double epoch_waited;          /* of that time, for the loader */
    double waiting;               /* the share of the last whole epoch */
    double epoch_seen;            /* pictures in that time */
    ic_pace training, validation; /* of a batch, at the full size of pictures */
    ic_pace update;               /* of taking a batch's gradients in, at any size */
    double last_update;           /* seconds of the last time */
    double last_report;
    double speed; /* pictures per second of the last whole epoch */
    double last_checkpoint;
    double began;       /* when the trainer was made */
    double deadline;    /* 0: none */
    double budget;      /* seconds from the start up to it */
    double last_change; /* of the plan */
} ic_train_clock;

/* What is fitted behind the last epoch, from the best weights: trust.c. */
typedef struct ic_trust {
    ic_fitting_options options;
    int64_t training_batches,
        batches;         /* of training pictures, and with all looks at the validation's; 0: none */
    ic_augment view;     /* how the validation pictures are reframed */
    ic_dataset *part;    /* some training pictures */
    ic_loader *loader;   /* of them */
    ic_loader *reframed; /* of the validation pictures */
    ic_fitting *fitting; /* NULL: it is still to begin */
    double began;
} ic_trust;

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
    int64_t epoch_steps;                 /* of the optimiser, each of recipe.accumulate batches */
    ic_loader *loader, *validation_loader;
    bool placed, validation_placed; /* the loader stands at state.batch */
    ic_resizing resizing;
    const ic_stage *stage;                       /* that loader and mixer are for */
    ic_executor *executor, *validation_executor; /* for the parameters that */
    bool *trained;                               /* train in */
    int64_t executor_epoch;
    ic_weights *snapshot; /* the weights that are being validated */
    ic_mixer *mixer;
    ic_loss *loss;
    ic_trust trust;
    ic_train_clock clock;
    char *checkpoint;          /* the file; NULL: none is kept */
    double checkpoint_seconds; /* from one to the next */

    bool searching; /* ic_trainer_find_rate is at work: the state is not the training's */

    /* Once the training is beyond help, every call says so. */
    ic_status failed;
    char failure[IC_ERROR_TEXT_MAX];
};

/*
 * trainer.c: fetches the loader's next batch, mixes, and goes forward and back with it; `draw`
 * numbers what dropout and mixing draw: it counts batches from the first epoch on. Without the way
 * back where the loss is no finite number.
 */
ic_status ic_training_batch(ic_trainer *trainer, uint64_t draw, float *gradients, int32_t *count,
                            ic_loss_sums *sums);

/* engine.c: a loader and a mixer for pictures of the size of a stage. */
ic_status ic_engine_resize(ic_trainer *trainer, const ic_stage *stage);

/*
 * engine.c: executors for the first epoch; what does not fit the memory at the full size is refused
 * here, not in the middle of the training.
 */
ic_status ic_engine_begin(ic_trainer *trainer);

/*
 * engine.c: loader, mixer and executors for the present epoch: those that are there, or where other
 * parameters train than before, or pictures are of another size, new ones in their place.
 */
ic_status ic_engine_ready(ic_trainer *trainer);
void ic_engine_free(ic_trainer *trainer);

/* trainer.c: IC_OK, or why this training is beyond help, or cannot go on just now. */
ic_status ic_training_check(const ic_trainer *trainer);

/* validation.c: one batch of the validation after an epoch, and at its end what follows from it. */
ic_status ic_validation_step(ic_trainer *trainer);

/* validation.c: the record of the first epochs, of which best_epoch (from 0) is the best so far. */
ic_status ic_training_record(const ic_trainer *trainer, int64_t epochs, int64_t best_epoch,
                             json_t **out);

/*
 * trust.c: what of an augmentation pictures to come may be like: framed and lit otherwise. The rest
 * keeps a network from learning by heart; nobody takes such pictures.
 */
ic_augment ic_trust_view(const ic_augment *augment);

/* trust.c: what will be fitted, once the recipe is known. */
void ic_trust_plan(ic_trainer *trainer);

/* trust.c: says in the log what will not be, and why. */
void ic_trust_explain(const ic_trainer *trainer);

/* trust.c: one batch; after the last one the model has it, and the training is done. */
ic_status ic_trust_step(ic_trainer *trainer);
void ic_trust_free(ic_trainer *trainer);

/* progress.c: the epochs of the whole training, the last one maybe not a full one. */
int64_t ic_training_epochs(const ic_trainer *trainer);

/* progress.c: seconds to go at the present pace; -1: not known yet. */
double ic_training_seconds_left(const ic_trainer *trainer);

/*
 * budget.c: after a training step: where there is a deadline that the present pace would miss, or
 * leave time before, the rest of the plan is shortened or stretched.
 */
void ic_training_fit(ic_trainer *trainer);

/* progress.c: tells the host how far the training is: `always`, or when the last time is a while
 * ago. */
ic_status ic_training_report(ic_trainer *trainer, bool always);

/* progress.c: one more batch took so long. */
void ic_pace_add(ic_pace *pace, double seconds);

/* trainer.c: the loss is no longer a finite number; returns IC_ERROR_DIVERGED for good. */
ic_status ic_training_diverged(ic_trainer *trainer, const char *what);

#endif

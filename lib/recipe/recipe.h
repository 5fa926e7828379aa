/*
 * recipe/recipe.h: `auto`: from the data and the options to network, input, pipeline and training
 * settings, with the reasons. SPDX-License-Identifier: MIT
 */
#ifndef RECIPE_RECIPE_H
#define RECIPE_RECIPE_H

#include "dataset/dataset.h"
#include "preprocess/pipeline.h"

#include <imgcls/options.h>

/* What the recipe looks at. A function of the pictures alone (of at most a few hundred, evenly
 * chosen). */
typedef struct ic_data_facts {
    int64_t pictures;
    int32_t median_width, median_height;
    bool grey;       /* every looked-at picture has equal channels */
    bool same_size;  /* all have one size */
    bool jpegs;      /* most of those looked at are JPEG files */
    bool decoded;    /* some of those looked at are no files, but samples in memory */
    bool pretrained; /* the model to be trained has learnt something before; not seen by looking */
    double slowness; /* seconds here for a second of the reference machine: 1 unless measured */
} ic_data_facts;

ic_status ic_recipe_look(ic_context *context, const ic_dataset *dataset, ic_data_facts *out);

/* Measures facts->slowness by a few steps of training: for a training that is to fit its minutes.
 */
ic_status ic_recipe_probe(ic_context *context, double *slowness);

/* What ic_model_create builds; mean and deviation of the pipeline are still to be measured or are
 * given. */
typedef struct ic_model_recipe {
    const char *network; /* static, or the options' own text */
    ic_pipeline pipeline;
    bool measure; /* mean and deviation are to be measured on the training pictures */
} ic_model_recipe;

/* Options set by the caller win; the log gets one line per choice and its reason. */
ic_status ic_recipe_model(ic_context *context, const ic_data_facts *facts,
                          const ic_options *options, ic_model_recipe *out);

typedef enum ic_optimizer_kind {
    IC_OPTIMIZER_SGD,
    IC_OPTIMIZER_ADAMW,
    IC_OPTIMIZER_MUON
} ic_optimizer_kind;
typedef enum ic_schedule_kind {
    IC_SCHEDULE_ONE_CYCLE,
    IC_SCHEDULE_COSINE,
    IC_SCHEDULE_CONSTANT,
    IC_SCHEDULE_STEP,
    IC_SCHEDULE_TRIANGLE
} ic_schedule_kind;
typedef enum ic_average_kind {
    IC_AVERAGE_NONE,
    IC_AVERAGE_EMA,
    IC_AVERAGE_LOOKAHEAD
} ic_average_kind;

/* Their names as options have them, by number; closed by NULL. */
extern const char *const ic_optimizer_names[],
    *const ic_schedule_names[], *const ic_average_names[], *const ic_turns_names[];

/* bytes of the text of rates; how often a plan may change */
enum { IC_RATES_MAX = 1024, IC_CHANGES_MAX = 32 };

/* From optimiser step `at` on the training is to end after `steps` steps in all. */
typedef struct ic_change {
    int64_t at, steps;
} ic_change;

/* All settings of a training, none on auto any more. Plain data; goes into the model's record and
 * into checkpoints. */
typedef struct ic_training_recipe {
    double epochs;
    double most_epochs;                /* of those that `minutes` may leave time for; not kept */
    double minutes;                    /* to train in; 0: as long as it takes; not kept */
    ic_change changes[IC_CHANGES_MAX]; /* of the plan, as it was fitted to the minutes */
    int32_t change_count;
    int32_t batch;
    ic_optimizer_kind optimizer;
    double learning_rate; /* peak */
    double sgd_rate;      /* the same, for what muon leaves to sgd */
    double momentum;
    double weight_decay;
    ic_schedule_kind schedule;
    double warmup_epochs;
    double step_epochs, step_factor; /* of the step schedule */
    double clip_norm;                /* 0: none */
    int32_t accumulate;              /* batches a step */
    ic_average_kind average;
    double ema_decay;
    char rates[IC_RATES_MAX]; /* "pattern=factor@epochs,...", the frozen ones first; "" for none */
    double label_smoothing;
    bool balanced_weights;
    bool balanced_sampling;
    int32_t patience;
    ic_augment augment;
    double resize_from;     /* share of the input's sides that the training begins at; 1: all */
    double resize_to;       /* the same for its end */
    double mixup, cutmix;   /* of their Beta distributions; 0: off */
    double mix_probability; /* of a batch */
    uint64_t seed;
    double validation_share;
    bool calibrate, unknown; /* behind the training: the temperature, and what strangers are */
    double unknown_share;    /* of the validation pictures that are taken for strangers */
    int64_t cache_bytes;
    int64_t memory_limit; /* bytes of a training step; 0: none */
} ic_training_recipe;

/* For a network (by the name in the model, "" if unknown) seeing width x height x channels. */
ic_status ic_recipe_training(ic_context *context, const ic_data_facts *facts, const char *network,
                             const ic_pipeline *pipeline, const ic_options *options,
                             ic_training_recipe *out);

/* As JSON for the model's record: every setting but those of memory, which leave no trace in files.
 */
ic_status ic_training_recipe_to_json(const ic_training_recipe *recipe, json_t **out);

/* Options that repeat a training with these settings: its recipe is the same in every bit. */
ic_status ic_training_recipe_options(ic_context *context, const json_t *json, ic_options **out);

#endif

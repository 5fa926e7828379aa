/* train/record.h: what a training leaves in the model file. SPDX-License-Identifier: MIT */
#ifndef TRAIN_RECORD_H
#define TRAIN_RECORD_H

#include "base/json.h"
#include "recipe/recipe.h"
#include "train/data.h"

/* What came out of one epoch. Plain data, for checkpoints too. */
typedef struct ic_epoch {
    double train_loss, train_accuracy; /* the objective and the hits while the weights moved */
    double validation_loss, validation_accuracy;
    double learning_rate; /* of the last step */
} ic_epoch;

typedef struct ic_record {
    const ic_training_recipe *recipe;
    const ic_train_data *data;
    const ic_epoch *epochs;
    int64_t epoch_count;
    int64_t best_epoch; /* from 0 */
    int64_t steps;      /* of the optimiser, up to its end */
    bool bf16;          /* convolutions multiplied in bfloat16 */
} ic_record;

/*
 * The record that model/model.h describes. It holds nothing of the machine or the moment, so that
 * the same training leaves the same bytes.
 */
ic_status ic_record_to_json(const ic_record *record, json_t **out);

/* The results of epochs as the record holds them, set as a member "epochs"; and back from there:
 * exactly `count` of them. */
ic_status ic_epochs_set(json_t *object, const ic_epoch *epochs, int64_t count);
ic_status ic_epochs_get(const json_t *object, ic_epoch *epochs, int64_t count);

#endif

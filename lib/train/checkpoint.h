/*
 * train/checkpoint.h: a training on disk: a model file that can be used as it is, with the state of
 * the training beside. SPDX-License-Identifier: MIT
 */
#ifndef TRAIN_CHECKPOINT_H
#define TRAIN_CHECKPOINT_H

#include "train/trainer.h"

/*
 * The trainer's JSON in the file (IC_KEY_TRAINER):
 *
 *   "options": as of ic_training_recipe_to_json
 *   "data": hex of ic_checkpoint_data
 *   "cpu_level": n, an ic_cpu_level
 *   "state": the members of ic_train_state by their names
 *   "epochs": as in the record of model/model.h, all of them
 *
 * and its tensors are the arrays of ic_optimiser_arrays. The best weights so far are the model's.
 */

/* The state as JSON, and back: IC_ERROR_FORMAT for members that are missing or out of range. */
ic_status ic_train_state_to_json(const ic_train_state *state, json_t **out);
ic_status ic_train_state_from_json(const json_t *json, ic_train_state *out);

/* A hash of the pictures of both sets and their labels, in their order: what a training depends on.
 */
void ic_checkpoint_data(const ic_train_data *data, char text[IC_SHA256_TEXT]);

/* The name of an optimiser's array in the file. */
enum { IC_CHECKPOINT_NAME_MAX = 48 };
void ic_checkpoint_name(const char *array, char name[IC_CHECKPOINT_NAME_MAX]);

/* Writes the checkpoint that the options ask for when its time has come. A checkpoint that cannot
 * be written is a warning: the training goes on. */
void ic_checkpoint_when_due(ic_trainer *trainer);

#endif

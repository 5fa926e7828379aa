/* model/model.h: the inside of a model. SPDX-License-Identifier: MIT */
#ifndef MODEL_MODEL_H
#define MODEL_MODEL_H

#include "base/pool.h"
#include "graph/executor.h"
#include "model/confidence.h"
#include "preprocess/pipeline.h"
#include "serialize/safetensors.h"

#include <imgcls/model.h>

struct ic_model {
    atomic_int references;
    ic_context *context;
    ic_graph *graph;
    ic_pipeline pipeline;
    char *network; /* name in the zoo, or "" */
    char **classes;
    int32_t class_count;
    bool pretrained;           /* its weights have learnt something before */
    ic_lock *lock;             /* guards the rest */
    ic_weights *weights;       /* the published ones: immutable, counted */
    ic_confidence *confidence; /* of these weights; NULL: none yet */
    json_t *record; /* an object, never changed: replaced as a whole when weights are published */
    double *costs;  /* of mistakes (decision.h); NULL: all cost the same */
};

/* The longest model file that is read, bytes. */
#define IC_MODEL_FILE_MAX ((int64_t)4 << 30)

ic_model *ic_model_retain(ic_model *model);

/* The published weights, one reference more: a predicting thread keeps them as long as it computes.
 */
ic_weights *ic_model_weights(const ic_model *model);

/* What a model answers with; ic_published_free gives the references back. */
typedef struct ic_published {
    ic_weights *weights;
    ic_confidence *confidence; /* NULL: none */
    bool mirrored;             /* the training mirrored pictures */
} ic_published;

ic_published ic_model_published(const ic_model *model);
void ic_published_free(ic_published *published);

/* The graph that answers: tapped where strangers can be told. */
static inline ic_graph *ic_published_graph(const ic_model *model, const ic_published *published)
{
    const ic_confidence *confidence = published->confidence;
    return confidence != NULL && confidence->tapped != NULL ? confidence->tapped : model->graph;
}

/* What logits are multiplied by: one over the temperature. */
static inline float ic_published_scale(const ic_published *published)
{
    return published->confidence != NULL ? (float)(1 / published->confidence->temperature) : 1;
}

/* What ic_model_json prints, and "flags" (of ic_model_flags) behind a training; json_decref it. */
ic_status ic_model_describe(const ic_model *model, json_t **out);

/* A copy of the record (json_decref it). */
ic_status ic_model_record(const ic_model *model, json_t **out);

/* Puts new weights and a new record in place at once; takes over both references. What was known
 * of the answers of the old weights is gone. */
void ic_model_publish(ic_model *model, ic_weights *weights, json_t *record);

/* Adds what is known of the answers of the published weights; takes over the reference. */
void ic_model_trust(ic_model *model, ic_confidence *confidence);

/*
 * Labels of a data set in a model's order: map[class of the set] = class of the model, or -1 for a
 * class that the model does not know. The array has ic_dataset_class_count entries, from
 * ic_allocate.
 */
ic_status ic_model_class_map(const ic_model *model, const ic_dataset *dataset, int32_t **out);

/*
 * What a model file may hold besides the model: a checkpoint keeps the state of its training here.
 * Names of tensors begin with IC_EXTRA_PREFIX.
 */
typedef struct ic_model_extra {
    const json_t *json; /* under the key IC_KEY_TRAINER */
    const ic_tensor_entry *tensors;
    int32_t count;
} ic_model_extra;

/* The weights as they are published, with the record, as the bytes of a model file; extra may be
 * NULL. */
ic_status ic_model_write(const ic_model *model, const ic_model_extra *extra, ic_buffer *out);

/* The model in an opened file; what is extra in it is passed over. */
ic_status ic_model_read(ic_context *context, const ic_safetensors *file, ic_model **out);

/*
 * An empty model (no graph, no classes, no weights, an empty record) for model.c and read.c to
 * fill; ic_model_free takes it at any stage.
 */
ic_status ic_model_begin(ic_context *context, ic_model **out);

/* Whether a data set has two classes to tell apart; else an error that says what to do. */
ic_status ic_model_check_classes(const ic_dataset *train);

/* Finite weights can still overflow on the way: no probability is made from that. */
ic_status ic_model_check_logits(const float *logits, int32_t count, int32_t classes);

/* The index of a class by its name, or -1. */
int32_t ic_model_find_class(const ic_model *model, const char *name);

/* The names of the classes for an error: "a, b, c", or the first ones "and 17 more". */
enum { IC_CLASS_LIST_MAX = 400 };
const char *ic_model_list_classes(const ic_model *model, char buffer[IC_CLASS_LIST_MAX]);

/* Names the network, and the classes by those of a data set. */
ic_status ic_model_name_by(ic_model *model, const char *network, const ic_dataset *train);

/* Copies the name of the network and count class names: valid UTF-8, none empty, none twice. */
ic_status ic_model_name(ic_model *model, const char *network, const char *const *classes,
                        int32_t count);

/*
 * The record that training leaves (all keys present once trained; {} before):
 *
 *   "options": as of ic_training_recipe_to_json, "precision": "bfloat16" if that was in effect
 *   "pictures": n
 *   "validation_pictures": n
 *   "data": {"digest": hex of ic_dataset_digest of the whole set before the split (train and
 *            validation together), "split": "declared" | "seed", "seed": n, "share": x}
 *   "epochs": [{"epoch", "train_loss", "train_accuracy", "validation_loss",
 *               "validation_accuracy", "learning_rate"}…]
 *   "best_epoch": n
 *   "steps": optimiser steps of the weights
 */

#endif

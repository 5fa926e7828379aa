/* train/data.h: the pictures of a training: its two sets, matched to the model's classes.
 * SPDX-License-Identifier: MIT */
#ifndef TRAIN_DATA_H
#define TRAIN_DATA_H

#include "dataset/loader.h"
#include "model/model.h"
#include "recipe/recipe.h"

typedef struct ic_train_data {
    ic_context *context;
    ic_dataset *train, *validation;        /* the same set where nothing could be held out */
    int64_t pictures, validation_pictures; /* held out: 0 where nothing could be */
    bool declared;                         /* not split by us */
    unsigned char digest[IC_SHA256_BYTES]; /* of both together */
    int32_t *train_map, *validation_map;   /* class of the set -> class of the model */
    int64_t *class_counts;                 /* training pictures, [classes of the model] */
    ic_cache *train_cache, *validation_cache;
} ic_train_data;

/*
 * Splits if validation is NULL, and checks that the sets can train this model. Caches come with
 * ic_train_data_cache, once the recipe says how large they may be.
 */
ic_status ic_train_data_prepare(const ic_model *model, const ic_dataset *train,
                                const ic_dataset *validation, const ic_options *options,
                                ic_train_data *out);

/* Decoded pictures in `bytes` of memory, shared out by the number of pictures. */
ic_status ic_train_data_cache(ic_train_data *data, int64_t bytes);

void ic_train_data_free(ic_train_data *data);

#endif

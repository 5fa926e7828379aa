/*
 * train/mix.h: two pictures of a batch in one: blended (mixup: Zhang et al. 2018) or one with a
 * rectangle of the other (cutmix: Yun et al. 2019). SPDX-License-Identifier: MIT
 */
#ifndef TRAIN_MIX_H
#define TRAIN_MIX_H

#include "base/pool.h"
#include "dataset/loader.h"
#include "kernels/kernels.h"
#include "recipe/recipe.h"

typedef struct ic_mixer {
    ic_context *context;
    ic_pool *pool;
    double mixup, cutmix, probability; /* the recipe's */
    uint64_t seed;
    int32_t width, height, channels; /* of a tensor */
    int32_t *partners;               /* [batch] */
    float *shares;                   /* [batch] */
} ic_mixer;

/* For batches as the recipe has them of tensors as the pipeline makes them. */
ic_status ic_mixer_create(ic_context *context, const ic_training_recipe *recipe,
                          const ic_pipeline *pipeline, ic_mixer **out);
void ic_mixer_free(ic_mixer *mixer);

/*
 * Copies the batch's tensors, mixed or not, to `tensors`; what is done is a function of (seed,
 * epoch, number of the batch). targets borrow from the batch, and from the mixer until its next
 * batch.
 */
ic_status ic_mixer_apply(ic_mixer *mixer, const ic_batch *batch, int64_t epoch, int64_t number,
                         float *tensors, ic_targets *targets);

#endif

/*
 * train/resizing.h: progressive resizing: small pictures first, which cost less, and the full size
 * in the end. SPDX-License-Identifier: MIT
 */
#ifndef TRAIN_RESIZING_H
#define TRAIN_RESIZING_H

#include "model/model.h"
#include "recipe/recipe.h"

typedef struct ic_stage {
    double until;          /* the share of the training that is done when the next one begins */
    int32_t width, height; /* of the pictures */
    double work;           /* of a step, by the area: 1 at the full size */
    ic_graph *graph; /* the model's network for such pictures; the same where they are equal */
} ic_stage;

enum { IC_STAGES = 4 };

/*
 * The sides grow by equal steps from recipe.resize_from of the full ones, as in EfficientNetV2's
 * progressive learning (Tan, Le 2021, arXiv:2104.00298), which has four stages of equal length too;
 * but all is at the full size for the last 30 %, as the fast trainings of DAWNBench end (Howard
 * 2018, "Training Imagenet in 3 hours for $25"): weights, and the statistics of norms above all,
 * have to settle on pictures as prediction sees them (Touvron et al. 2019, arXiv:1906.06423). Sides
 * are multiples of 16, of 4 for small pictures, or the full ones.
 */
typedef struct ic_resizing {
    ic_stage stages[IC_STAGES];
} ic_resizing;

/*
 * IC_ERROR_OPTION: the network cannot work at the smaller sizes, or has other parameters there.
 * Free it after an error too.
 */
ic_status ic_resizing_plan(const ic_model *model, const ic_training_recipe *recipe,
                           ic_resizing *out);
void ic_resizing_free(ic_resizing *resizing);

/* The stage of an epoch that begins when `share` of the training is done. */
const ic_stage *ic_resizing_stage(const ic_resizing *resizing, double share);

/* The mean work of a step, from `share` of the training on. */
double ic_resizing_work(const ic_resizing *resizing, double share);

#endif

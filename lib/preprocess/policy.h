/*
 * preprocess/policy.h: one of TrivialAugment's changes. Inside of this folder only.
 * SPDX-License-Identifier: MIT
 */
#ifndef PREPROCESS_POLICY_H
#define PREPROCESS_POLICY_H

#include "preprocess/effects.h"
#include "preprocess/pipeline.h"
#include "preprocess/sample.h"

#define IC_RADIANS (3.14159265358979323846 / 180) /* in a degree */

/* kind IC_POLICY_NONE: no change. */
typedef struct ic_policy_change {
    ic_policy kind;    /* IC_POLICY_NONE or one of IC_POLICY_ONLY_... */
    double level;      /* 0..1 */
    double either_way; /* the same, or its negative */
} ic_policy_change;

/* Draws nothing for IC_POLICY_NONE. */
ic_policy_change ic_policy_draw(ic_policy policy, ic_random *random);

/* Of geometry: what a tensor of this size samples is sheared, moved or turned about its middle. */
void ic_policy_bend(const ic_policy_change *change, int32_t width, int32_t height, ic_affine *map);

/* Of colours. */
void ic_policy_colour(const ic_policy_change *change, const ic_samples *samples);

#endif

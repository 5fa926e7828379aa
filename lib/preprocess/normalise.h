/* preprocess/normalise.h: from samples to what the network takes. Inside of this folder only.
 * SPDX-License-Identifier: MIT */
#ifndef PREPROCESS_NORMALISE_H
#define PREPROCESS_NORMALISE_H

#include "preprocess/pipeline.h"

/* The factors of 12 samples in a row: the same vectors whether a pixel has one channel or three. */
enum { IC_LANES = 12 };

/* (sample / most - mean) / deviation as sample * scale + shift. */
typedef struct ic_normaliser {
    float scale[IC_LANES], shift[IC_LANES];
} ic_normaliser;

void ic_normaliser_init(ic_normaliser *normaliser, const ic_pipeline *pipeline, int32_t depth);

/* One row of `count` samples, which begins at a whole pixel. */
void ic_normalise_8(const ic_normaliser *normaliser, const uint8_t *samples, size_t count,
                    float *out);
void ic_normalise_16(const ic_normaliser *normaliser, const uint16_t *samples, size_t count,
                     float *out);
void ic_normalise_float(const ic_normaliser *normaliser, float *samples, size_t count);

/* The whole tensor, once normalised, by its own mean and deviation, all channels together. */
void ic_standardise(float *tensor, size_t count);

#endif

/*
 * model/texture.h: what a picture is like before anybody looks at what it shows: how much detail it
 * has of each size, direction and colour. SPDX-License-Identifier: MIT
 */
#ifndef MODEL_TEXTURE_H
#define MODEL_TEXTURE_H

#include "preprocess/pipeline.h"

enum { IC_TEXTURE_SCALES = 5, IC_TEXTURE_MAX = 3 * (3 * IC_TEXTURE_SCALES + 1) };

/* How many numbers it takes for the pictures of a pipeline; 0: they are too small. */
int32_t ic_texture_count(const ic_pipeline *pipeline);

/* The floats of scratch memory that measuring takes. */
size_t ic_texture_scratch(const ic_pipeline *pipeline);

/*
 * The logarithms of the energies of the Haar wavelets of a tensor, its samples brought back to 0..1
 * by the training pictures' mean and deviation, by colour
 * (brightness, red against green, yellow against blue), scale (2, 4, ... 32 pixels) and direction
 * (across, down, diagonal), and for each colour of what is left: 48 numbers of a colour picture of
 * 64 pixels and more.
 */
void ic_texture_measure(const ic_pipeline *pipeline, const float *tensor, float *scratch,
                        double out[IC_TEXTURE_MAX]);

#endif

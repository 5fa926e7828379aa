/* preprocess/noise.h: pictures to work on, and their damage. SPDX-License-Identifier: MIT */
#ifndef PREPROCESS_NOISE_H
#define PREPROCESS_NOISE_H

#include "support/support.h"

#include "base/random.h"
#include "image/image.h"

/* A smooth scene with edges: gradients, a disc and stripes, each channel its own. depth 8 or 16. */
ic_image *draw_scene(ic_context *context, int32_t width, int32_t height, int32_t channels,
                     int32_t depth);

/* Every sample independent of its neighbours. */
ic_image *draw_static(ic_context *context, int32_t width, int32_t height, int32_t channels,
                      int32_t depth, uint64_t seed);

/* A copy with normal noise; deviation as a share of the full range. */
ic_image *add_noise(const ic_image *image, double deviation, uint64_t seed);

/* A copy of which a share of the pixels became black or white. */
ic_image *add_salt_and_pepper(const ic_image *image, double share, uint64_t seed);

/* Peak signal-to-noise ratio of b as a copy of a, in decibels. */
double decibels(const ic_image *a, const ic_image *b);

uint32_t get_sample(const ic_image *image, int32_t x, int32_t y, int32_t channel);
void put_sample(ic_image *image, int32_t x, int32_t y, int32_t channel, uint32_t value);

#endif

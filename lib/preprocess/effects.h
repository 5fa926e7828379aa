/*
 * preprocess/effects.h: changes of a picture's samples, in place. Inside of this folder only.
 * SPDX-License-Identifier: MIT
 */
#ifndef PREPROCESS_EFFECTS_H
#define PREPROCESS_EFFECTS_H

#include "base/random.h"

#include <stddef.h>
#include <stdint.h>

/* [height][width][channels], each in 0..most; sides of at most IC_PIPELINE_SIDE_MAX. */
typedef struct ic_samples {
    float *at;
    int32_t width, height, channels;
    float most;
} ic_samples;

static inline size_t ic_samples_row(const ic_samples *s)
{
    return (size_t)s->width * (size_t)s->channels;
}

static inline size_t ic_samples_count(const ic_samples *s)
{
    return ic_samples_row(s) * (size_t)s->height;
}

/* Keeps a sample in 0..most. */
static inline float ic_clamp(float value, float most)
{
    value = value < 0 ? 0 : value;
    return value > most ? most : value;
}

/* colours.c: by the definitions of torchvision and Pillow. Factor 1 changes nothing. */
float ic_brighten(const ic_samples *s, float factor); /* returns the mean luma of the result */
void ic_change_contrast(const ic_samples *s, float factor, float mean);
void ic_change_saturation(const ic_samples *s, float factor); /* grey stays as it is */
void ic_sharpen(const ic_samples *s, float factor);           /* below 1: blurs */
void ic_posterise(const ic_samples *s, int32_t bits);         /* what 8 bits say in fewer */
void ic_solarise(const ic_samples *s, float threshold);       /* inverts what is not below it */
void ic_autocontrast(const ic_samples *s); /* each channel stretched to 0..most */
void ic_equalise(const ic_samples *s);     /* each channel's 256 levels made equally frequent */

/* degrade.c */
enum { IC_WINDOW_MOST = 30 };

/* Half a Gaussian window: weights[0] in the middle; returns the radius. */
int32_t ic_gaussian_window(double sigma, float weights[IC_WINDOW_MOST + 1]);

/* out[i] = sum over k of weights[|k|] from[i + k step] */
void ic_blur_samples(const float *from, ptrdiff_t step, ptrdiff_t count, const float *weights,
                     int32_t radius, float *out);

/* By a Gaussian of this deviation in pixels, edges continued by reflection. */
void ic_blur(const ic_samples *s, double sigma);

/* Normal noise of this deviation, a share of `most`. */
void ic_add_noise(const ic_samples *s, double deviation, ic_random *random);

#endif

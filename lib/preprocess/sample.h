/*
 * preprocess/sample.h: pixels of a canvas through an affine map. Inside of this folder only.
 * SPDX-License-Identifier: MIT
 */
#ifndef PREPROCESS_SAMPLE_H
#define PREPROCESS_SAMPLE_H

#include "image/image.h"

/*
 * Where pixel (x, y) of the target lies on the canvas: (ux x + uy y + u0, vx x + vy y + v0), whole
 * numbers being the centres of the canvas's pixels.
 */
typedef struct ic_affine {
    double ux, uy, u0, vx, vy, v0;
} ic_affine;

/*
 * target[height][width][channels of the canvas], samples in the canvas's units: bilinear, the
 * canvas continued by reflection about its outermost pixels. Where the map shrinks by more
 * than 1.5, several samples a pixel are averaged. A map of whole numbers copies exactly.
 */
void ic_sample_affine(const ic_image *canvas, const ic_affine *map, int32_t width, int32_t height,
                      float *target);

#endif

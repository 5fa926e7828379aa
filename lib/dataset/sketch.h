/*
 * dataset/sketch.h: pictures in a few hundred bytes, to find those that may be the same picture
 * re-encoded, resized, slightly cropped or mirrored; and the proof on pixels. Inside of this folder
 * only. SPDX-License-Identifier: MIT
 */
#ifndef DATASET_SKETCH_H
#define DATASET_SKETCH_H

#include "base/context.h"
#include "image/image.h"

enum {
    IC_SKETCH_SIDE = 16,
    IC_SKETCH_NUMBERS = 35, /* coefficients, the lowest frequencies first */
    IC_SKETCH_CROPS = 16,   /* each side as it is, or cut off at one end or both */
    IC_SKETCH_VIEWS = 2 * IC_SKETCH_CROPS,
    IC_PROOF_SIDE = 64
};

/* Grey, of mean 128 and deviation 32: light and contrast do not matter. */
typedef struct ic_sketch {
    uint8_t grey[IC_SKETCH_SIDE][IC_SKETCH_SIDE];
} ic_sketch;

/* The light of a picture before it is evened out, 0..255. Of deviation 0: of one colour. */
typedef struct ic_tone {
    double mean, deviation;
} ic_tone;

/* The picture as grey floats [side][side] of mean 0 and deviation 1; all 0 if it is of one colour.
 */
ic_status ic_thumbnail(const ic_image *image, int32_t side, float *out, ic_tone *tone);

void ic_sketch_of(const float *thumbnail, ic_sketch *out);

/* The tables that views of sketches are taken with: made once. */
typedef struct ic_sketch_basis {
    float waves[4][6][IC_SKETCH_SIDE]; /* of a side in four crops: six waves over its pixels */
    uint8_t order[IC_SKETCH_NUMBERS];  /* frequency down * 6 + across, of each number */
} ic_sketch_basis;
void ic_sketch_basis_init(ic_sketch_basis *basis);

/* The coefficients of each view (mirror of crop k: IC_SKETCH_CROPS + k), of length 1; of the first
 * `crops` crops: the first is the whole picture. */
void ic_sketch_views(const ic_sketch_basis *basis, const ic_sketch *sketch, int32_t crops,
                     float views[IC_SKETCH_VIEWS][IC_SKETCH_NUMBERS]);

/* Which part of the first picture the second one shows, sides as shares. */
typedef struct ic_warp {
    double x, y, width, height;
    bool mirrored; /* the second one left to right */
} ic_warp;
ic_warp ic_sketch_warp(int32_t view);

/* Whether it is worth looking at the pixels: fits the warp as far as sketches allow. */
bool ic_sketches_agree(const ic_sketch *first, const ic_sketch *second, ic_warp *warp);

/*
 * How well the second picture is a part of the first, 0..1: fits the warp, which is near already,
 * and compares the detail of both, place by place. Thumbnails of IC_PROOF_SIDE.
 */
double ic_prove(const float *first, const float *second, ic_warp *warp);

#endif

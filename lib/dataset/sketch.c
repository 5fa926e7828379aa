/*
 * dataset/sketch.c: what is kept of a picture to find it again: a small grey thumbnail, and the low
 * frequencies of its cosine transform as it is, cropped and mirrored. SPDX-License-Identifier: MIT
 */
#include "dataset/sketch.h"

#include "base/maths.h"
#include "base/status.h"

#include <math.h>
#include <string.h>

/* What a crop takes off a side that it cuts: the middle of what is to be found. */
#define CUT 0.06
#define PI  3.14159265358979323846

enum { SIDE = IC_SKETCH_SIDE, WAVES = 6 };

static ic_status grey_thumbnail(const ic_image *image, int32_t side, ic_image **out)
{
    ic_image *small;
    IC_TRY(ic_image_resize(image, side, side, IC_FILTER_BILINEAR, &small));
    ic_status status = ic_image_convert(small, 1, out);
    ic_image_free(small);
    return status;
}

ic_status ic_thumbnail(const ic_image *image, int32_t side, float *out, ic_tone *tone)
{
    ic_image *grey;
    const int32_t pixels = side * side;
    double sum = 0, squares = 0;
    IC_TRY(grey_thumbnail(image, side, &grey));
    const double unit = grey->depth == 8 ? 1 : 1.0 / 257;
    for (int32_t i = 0; i < pixels; i++) {
        const void *row = ic_image_row(grey, i / side);
        double value = unit * (grey->depth == 8 ? ((const uint8_t *)row)[i % side]
                                                : ((const uint16_t *)row)[i % side]);
        out[i] = (float)value;
        sum += value;
        squares += value * value;
    }
    ic_image_free(grey);
    const double mean = sum / pixels, variance = squares / pixels - mean * mean;
    *tone = (ic_tone){mean, variance < 0.25 ? 0 : sqrt(variance)};
    const double scale = tone->deviation > 0 ? 1 / tone->deviation : 0;
    for (int32_t i = 0; i < pixels; i++)
        out[i] = (float)((out[i] - mean) * scale);
    return IC_OK;
}

void ic_sketch_of(const float *thumbnail, ic_sketch *out)
{
    for (int32_t i = 0; i < SIDE * SIDE; i++) {
        float value = 128.5F + 32 * thumbnail[i];
        out->grey[i / SIDE][i % SIDE] = (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
    }
}

/* The part of a side that crop k of four shows. */
static void crop_of(int32_t k, double *from, double *to)
{
    *from = (k & 1) != 0 ? CUT : 0;
    *to = (k & 2) != 0 ? 1 - CUT : 1;
}

/* The mean over each pixel of cos(pi f t), t going from 0 to 1 over the crop; 0 outside of it. */
static void make_wave(int32_t crop, int32_t frequency, float wave[SIDE])
{
    double from, to;
    crop_of(crop, &from, &to);
    for (int32_t i = 0; i < SIDE; i++) {
        double a = ((double)i / SIDE - from) / (to - from);
        double b = ((double)(i + 1) / SIDE - from) / (to - from);
        a = a < 0 ? 0 : a > 1 ? 1 : a;
        b = b < 0 ? 0 : b > 1 ? 1 : b;
        wave[i] =
            (float)(frequency == 0 ? b - a
                                   : (ic_sin(PI * frequency * b) - ic_sin(PI * frequency * a)) /
                                         (PI * frequency));
    }
}

void ic_sketch_basis_init(ic_sketch_basis *basis)
{
    int32_t count = 0;
    for (int32_t k = 0; k < 4 * WAVES; k++)
        make_wave(k / WAVES, k % WAVES, basis->waves[k / WAVES][k % WAVES]);
    for (int32_t square = 1; square <= 2 * (WAVES - 1) * (WAVES - 1); square++)
        for (int32_t at = 0; at < WAVES * WAVES; at++)
            if ((at / WAVES) * (at / WAVES) + (at % WAVES) * (at % WAVES) == square)
                basis->order[count++] = (uint8_t)at;
}

/* Frequencies 0 … 5 across of each row of the sketch. */
static void transform_rows(const ic_sketch *sketch, const float waves[WAVES][SIDE],
                           float rows[WAVES][SIDE])
{
    for (int32_t f = 0; f < WAVES; f++)
        for (int32_t y = 0; y < SIDE; y++) {
            float sum = 0;
            for (int32_t x = 0; x < SIDE; x++)
                sum += waves[f][x] * ((float)sketch->grey[y][x] - 128);
            rows[f][y] = sum;
        }
}

/* Mirroring changes the sign of odd frequencies across. */
static void transform(const ic_sketch_basis *basis, int32_t crop, const float rows[WAVES][SIDE],
                      float *plain, float *mirrored)
{
    double squares = 1e-12;
    for (int32_t i = 0; i < IC_SKETCH_NUMBERS; i++) {
        const float *wave = basis->waves[crop][basis->order[i] / WAVES];
        const float *row = rows[basis->order[i] % WAVES];
        float sum = 0;
        for (int32_t y = 0; y < SIDE; y++)
            sum += wave[y] * row[y];
        plain[i] = sum;
        squares += (double)sum * sum;
    }
    const float scale = (float)(1 / sqrt(squares));
    for (int32_t i = 0; i < IC_SKETCH_NUMBERS; i++) {
        plain[i] *= scale;
        mirrored[i] = basis->order[i] % WAVES % 2 == 1 ? -plain[i] : plain[i];
    }
}

void ic_sketch_views(const ic_sketch_basis *basis, const ic_sketch *sketch, int32_t crops,
                     float views[IC_SKETCH_VIEWS][IC_SKETCH_NUMBERS])
{
    float rows[WAVES][SIDE];
    for (int32_t k = 0; k < crops; k++) {
        if (k % 4 == 0)
            transform_rows(sketch, basis->waves[k / 4], rows);
        transform(basis, k % 4, rows, views[k], views[IC_SKETCH_CROPS + k]);
    }
}

ic_warp ic_sketch_warp(int32_t view)
{
    const int32_t crop = view % IC_SKETCH_CROPS;
    double x[2], y[2];
    crop_of(crop / 4, &x[0], &x[1]);
    crop_of(crop % 4, &y[0], &y[1]);
    return (ic_warp){x[0], y[0], x[1] - x[0], y[1] - y[0], view >= IC_SKETCH_CROPS};
}

/* preprocess/degrade.c: blur and noise. SPDX-License-Identifier: MIT */
#include "base/maths.h"
#include "preprocess/effects.h"
#include "preprocess/pipeline.h"
#include "preprocess/reflect.h"

#include <math.h>
#include <string.h>

int32_t ic_gaussian_window(double sigma, float weights[IC_WINDOW_MOST + 1])
{
    int32_t radius = (int32_t)ceil(3 * sigma);
    radius = radius > IC_WINDOW_MOST ? IC_WINDOW_MOST : radius;
    double values[IC_WINDOW_MOST + 1], sum = 0;
    for (int32_t i = 0; i <= radius; i++) {
        values[i] = ic_exp(-(double)i * i / (2 * sigma * sigma));
        sum += i == 0 ? values[i] : 2 * values[i];
    }
    for (int32_t i = 0; i <= radius; i++)
        weights[i] = (float)(values[i] / sum);
    return radius;
}

void ic_blur_samples(const float *restrict from, ptrdiff_t step, ptrdiff_t count,
                     const float *weights, int32_t radius, float *restrict out)
{
    for (ptrdiff_t i = 0; i < count; i++)
        out[i] = from[i] * weights[0];
    for (int32_t k = 1; k <= radius; k++)
        for (ptrdiff_t i = 0; i < count; i++)
            out[i] += (from[i - k * step] + from[i + k * step]) * weights[k];
}

/* Columns that are blurred together: as many samples as fit a vector. */
enum { LANES = 4, LINE_MOST = (IC_PIPELINE_SIDE_MAX + 2 * IC_WINDOW_MOST) * LANES };

/* `count` groups of `lanes` samples, which are `apart` from one to the next, side by side. */
static void gather(const float *restrict from, size_t apart, size_t count, size_t lanes,
                   float *restrict to)
{
    if (apart == lanes) {
        memcpy(to, from, count * lanes * sizeof *to);
        return;
    }
    for (size_t i = 0; i < count; i++, from += apart, to += lanes)
        for (size_t k = 0; k < lanes; k++)
            to[k] = from[k];
}

/* A row of pixels, or a few columns, as groups of samples with what lies beyond the edges. */
static void pad_line(const float *from, size_t apart, int32_t count, size_t lanes, int32_t radius,
                     float *to)
{
    gather(from, apart, (size_t)count, lanes, to + (size_t)radius * lanes);
    for (int32_t i = 1; i <= radius; i++) {
        const size_t before = (size_t)ic_reflect(-i, count);
        const size_t behind = (size_t)ic_reflect((int64_t)count - 1 + i, count);
        gather(from + before * apart, apart, 1, lanes, to + (size_t)(radius - i) * lanes);
        gather(from + behind * apart, apart, 1, lanes,
               to + (size_t)(radius + count - 1 + i) * lanes);
    }
}

static void blur_columns(const ic_samples *s, size_t x, const float *weights, int32_t radius,
                         float *line)
{
    const size_t row = ic_samples_row(s), lanes = row - x < LANES ? row - x : LANES;
    float blurred[IC_PIPELINE_SIDE_MAX * LANES];
    pad_line(s->at + x, row, s->height, lanes, radius, line);
    ic_blur_samples(line + (size_t)radius * lanes, (ptrdiff_t)lanes, (ptrdiff_t)lanes * s->height,
                    weights, radius, blurred);
    for (size_t y = 0; y < (size_t)s->height; y++)
        gather(blurred + y * lanes, lanes, 1, lanes, s->at + y * row + x);
}

void ic_blur(const ic_samples *s, double sigma)
{
    float weights[IC_WINDOW_MOST + 1], line[LINE_MOST];
    const int32_t radius = ic_gaussian_window(sigma, weights);
    const size_t row = ic_samples_row(s), channels = (size_t)s->channels;
    for (int32_t y = 0; y < s->height; y++) {
        float *at = s->at + (size_t)y * row;
        pad_line(at, channels, s->width, channels, radius, line);
        ic_blur_samples(line + (size_t)radius * channels, (ptrdiff_t)channels, (ptrdiff_t)row,
                        weights, radius, at);
    }
    for (size_t x = 0; x < row; x += LANES)
        blur_columns(s, x, weights, radius, line);
}

/*
 * A normal number costs as much as the rest of a pixel, so eight at a time are made of eight random
 * bytes: by the additions of Walsh and Hadamard's transform, each is a sum of all eight with signs
 * of its own. They are uncorrelated, as the transform is orthogonal, and close to normal, as sums
 * of eight numbers are (kurtosis 2.85, at most 4.9 deviations).
 */
enum { BYTES = 8, WORDS = 8, BLOCK = BYTES * WORDS };

/* sqrt(8 (256^2 - 1) / 3): of 8 odd numbers in -255..255 */
#define BLOCK_DEVIATION 418.0454520157

static void draw_block(ic_random *random, int16_t z[BLOCK])
{
    uint8_t bytes[BLOCK];
    for (int32_t i = 0; i < BLOCK; i += BYTES) {
        uint64_t bits = ic_random_bits(random); /* machines are little-endian: serialize/dtype.c */
        memcpy(bytes + i, &bits, BYTES);
    }
    for (int32_t i = 0; i < BLOCK; i++)
        z[i] = (int16_t)(2 * bytes[i] - 255);
    for (int32_t apart = BYTES; apart < BLOCK; apart *= 2)
        for (int32_t first = 0; first < BLOCK; first += 2 * apart)
            for (int32_t i = first; i < first + apart; i++) {
                int16_t a = z[i], b = z[i + apart];
                z[i] = (int16_t)(a + b);
                z[i + apart] = (int16_t)(a - b);
            }
}

void ic_add_noise(const ic_samples *s, double deviation, ic_random *random)
{
    const size_t count = ic_samples_count(s);
    const float factor = (float)(deviation * s->most / BLOCK_DEVIATION), most = s->most;
    for (size_t first = 0; first < count; first += BLOCK) {
        int16_t z[BLOCK];
        float *restrict x = s->at + first;
        draw_block(random, z);
        size_t size = count - first < BLOCK ? count - first : BLOCK;
        for (size_t i = 0; i < size; i++)
            x[i] = ic_clamp(x[i] + (float)z[i] * factor, most);
    }
}

/* model/texture.c: the detail in a picture, by size, direction and colour. SPDX-License-Identifier:
 * MIT */
#include "model/texture.h"

#include "base/maths.h"

enum { LEAST_SIDE = 4 };

/* A thousandth of the range of samples: less than that is none. */
static const double floor_energy = 1e-6;

static int32_t count_scales(const ic_pipeline *pipeline)
{
    int32_t w = pipeline->width, h = pipeline->height, scales = 0;
    for (; w >= LEAST_SIDE && h >= LEAST_SIDE && scales < IC_TEXTURE_SCALES; scales++) {
        w /= 2;
        h /= 2;
    }
    return scales;
}

int32_t ic_texture_count(const ic_pipeline *pipeline)
{
    int32_t scales = count_scales(pipeline);
    return scales > 0 ? pipeline->channels * (3 * scales + 1) : 0;
}

size_t ic_texture_scratch(const ic_pipeline *pipeline)
{
    return (size_t)pipeline->width * (size_t)pipeline->height;
}

/* One colour of the picture, [h][w]: grey, or as texture.h says. */
static void take_colour(const ic_pipeline *p, const float *tensor, int32_t colour, float *plane)
{
    static const float mixes[3][3] = {{1.0f / 3, 1.0f / 3, 1.0f / 3}, {1, -1, 0}, {0.5f, 0.5f, -1}};
    float weights[3] = {1}, shift = 0;
    for (int32_t c = 0; c < p->channels; c++) {
        float weight = p->channels == 1 ? 1 : mixes[colour][c];
        weights[c] = weight * p->deviation[c];
        shift += weight * p->mean[c];
    }
    int64_t pixels = (int64_t)p->width * p->height;
    for (int64_t i = 0; i < pixels; i++) {
        float sum = shift;
        for (int32_t c = 0; c < p->channels; c++)
            sum += weights[c] * tensor[i * p->channels + c];
        plane[i] = sum;
    }
}

/*
 * One scale of the transform: the energies of three directions, and the means of 2x2 pixels in
 * place, where they never overtake what is still to be read. A last odd row or column is left out.
 */
static void split(float *plane, int32_t stride, int32_t w, int32_t h, double energies[3])
{
    double across = 0, down = 0, diagonal = 0;
    for (int32_t y = 0; y < h; y++)
        for (int32_t x = 0; x < w; x++) {
            const float *at = plane + 2 * ((int64_t)y * stride + x);
            float a = at[0], b = at[1], c = at[stride], d = at[stride + 1];
            float left = a - b + c - d, top = a + b - c - d, cross = a - b - c + d;
            across += (double)(left * left);
            down += (double)(top * top);
            diagonal += (double)(cross * cross);
            plane[(int64_t)y * w + x] = (a + b + c + d) / 4;
        }
    energies[0] = across;
    energies[1] = down;
    energies[2] = diagonal;
}

static double variance(const float *x, int64_t count)
{
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < count; i++)
        sum += (double)x[i];
    for (int64_t i = 0; i < count; i++)
        squares += ((double)x[i] - sum / (double)count) * ((double)x[i] - sum / (double)count);
    return squares / (double)count;
}

void ic_texture_measure(const ic_pipeline *pipeline, const float *tensor, float *scratch,
                        double out[IC_TEXTURE_MAX])
{
    int32_t scales = count_scales(pipeline);
    for (int32_t colour = 0; colour < pipeline->channels; colour++) {
        int32_t w = pipeline->width, h = pipeline->height;
        take_colour(pipeline, tensor, colour, scratch);
        for (int32_t scale = 0; scale < scales; scale++) {
            double energies[3];
            split(scratch, w, w / 2, h / 2, energies);
            w /= 2;
            h /= 2;
            for (int32_t i = 0; i < 3; i++)
                *out++ = ic_ln(energies[i] / (16.0 * w * h) + floor_energy);
        }
        *out++ = ic_ln(variance(scratch, (int64_t)w * h) + floor_energy);
    }
}

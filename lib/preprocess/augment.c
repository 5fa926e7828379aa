/*
 * preprocess/augment.c: random changes of training pictures. Each kind draws its numbers only when
 * it is switched on, in the order of this file. SPDX-License-Identifier: MIT
 */
#include "base/maths.h"
#include "preprocess/normalise.h"
#include "preprocess/sample.h"

#include <math.h>
#include <string.h>

#define RADIANS (3.14159265358979323846 / 180)

/* A rectangle of the canvas. */
typedef struct rectangle {
    int32_t x, y, width, height;
} rectangle;

static double log_uniform(ic_random *random, double low, double high)
{
    return ic_exp(ic_random_range(random, ic_ln(low), ic_ln(high)));
}

/*
 * A rectangle of a random share and aspect of a picture, by ten tries (as torchvision's
 * RandomResizedCrop and RandomErasing); false when none fits.
 */
static bool draw_rectangle(ic_random *random, int32_t width, int32_t height, const double share[2],
                           const double aspect[2], rectangle *out)
{
    for (int32_t attempt = 0; attempt < 10; attempt++) {
        double area = ic_random_range(random, share[0], share[1]) * width * height;
        double ratio = log_uniform(random, aspect[0], aspect[1]);
        int32_t w = (int32_t)(sqrt(area * ratio) + 0.5), h = (int32_t)(sqrt(area / ratio) + 0.5);
        if (w < 1 || h < 1 || w > width || h > height)
            continue;
        out->width = w;
        out->height = h;
        out->x = (int32_t)ic_random_below(random, (uint64_t)(width - w) + 1);
        out->y = (int32_t)ic_random_below(random, (uint64_t)(height - h) + 1);
        return true;
    }
    return false;
}

/* The part of the canvas that is looked at: random, or the centre as in prediction. */
static rectangle draw_crop(const ic_pipeline *pipeline, const ic_augment *augment,
                           const ic_image *canvas, ic_random *random)
{
    rectangle crop = {(canvas->width - pipeline->width) / 2,
                      (canvas->height - pipeline->height) / 2, pipeline->width, pipeline->height};
    if (augment->crop_scale > 0 && augment->crop_scale < 1) {
        const double share[2] = {augment->crop_scale, 1}, aspect[2] = {3.0 / 4, 4.0 / 3};
        if (!draw_rectangle(random, canvas->width, canvas->height, share, aspect, &crop))
            crop = (rectangle){0, 0, canvas->width, canvas->height};
    }
    return crop;
}

/* All geometry as one map: from pixels of the tensor to places on the canvas. */
static ic_affine draw_map(const ic_pipeline *pipeline, const ic_augment *augment,
                          const ic_image *canvas, ic_random *random)
{
    bool flip = augment->flip && (ic_random_bits(random) >> 63) != 0;
    rectangle crop = draw_crop(pipeline, augment, canvas, random);
    if (augment->shift > 0) {
        uint64_t range = 2 * (uint64_t)augment->shift + 1;
        crop.x += (int32_t)ic_random_below(random, range) - augment->shift;
        crop.y += (int32_t)ic_random_below(random, range) - augment->shift;
    }
    double angle = 0;
    if (augment->rotation > 0)
        angle = ic_random_range(random, -augment->rotation, augment->rotation) * RADIANS;
    const double c = angle == 0 ? 1 : ic_cos(angle), s = angle == 0 ? 0 : ic_sin(angle);

    /* Pixel centres, relative to the middle of the tensor, scaled, turned, put into the crop. */
    const double across = (double)crop.width / pipeline->width * (flip ? -1 : 1);
    const double down = (double)crop.height / pipeline->height;
    const double x0 = (1 - pipeline->width) / 2.0, y0 = (1 - pipeline->height) / 2.0;
    ic_affine map = {.ux = c * across, .uy = -s * down, .vx = s * across, .vy = c * down};
    map.u0 = map.ux * x0 + map.uy * y0 + crop.x + (crop.width - 1) / 2.0;
    map.v0 = map.vx * x0 + map.vy * y0 + crop.y + (crop.height - 1) / 2.0;
    return map;
}

/* A factor in 1-x..1+x, never below 0; 1 when the change is off. */
static float draw_factor(ic_random *random, float change)
{
    if (!(change > 0))
        return 1;
    return (float)ic_random_range(random, change < 1 ? 1 - change : 0, 1 + change);
}

static inline float clamp(float value, float most)
{
    value = value < 0 ? 0 : value;
    return value > most ? most : value;
}

/* Luma by ITU-R 601, of one pixel or of sums. */
static inline float luma(float red, float green, float blue)
{
    return 0.299f * red + 0.587f * green + 0.114f * blue;
}

/* x = clamp(x factor); returns the mean luma of the result, summed lane by lane, row by row. */
static float brighten(float *restrict x, size_t rows, size_t row, int32_t channels, float factor,
                      float most)
{
    double sums[IC_LANES] = {0};
    for (size_t y = 0; y < rows; y++, x += row) {
        float lanes[IC_LANES] = {0};
        size_t i = 0;
        for (; i + IC_LANES <= row; i += IC_LANES)
            for (size_t k = 0; k < IC_LANES; k++) {
                x[i + k] = clamp(x[i + k] * factor, most);
                lanes[k] += x[i + k];
            }
        for (size_t k = 0; i + k < row; k++) {
            x[i + k] = clamp(x[i + k] * factor, most);
            lanes[k] += x[i + k];
        }
        for (size_t k = 0; k < IC_LANES; k++)
            sums[k] += lanes[k];
    }
    double totals[3] = {0};
    for (size_t k = 0; k < IC_LANES; k++)
        totals[k % (size_t)channels] += sums[k];
    double pixels = (double)rows * (double)row / channels;
    if (channels == 1)
        return (float)(totals[0] / pixels);
    return luma((float)(totals[0] / pixels), (float)(totals[1] / pixels),
                (float)(totals[2] / pixels));
}

/* x = clamp(mean + (x - mean) factor) */
static void change_contrast(float *restrict x, size_t count, float factor, float mean, float most)
{
    const float rest = (1 - factor) * mean;
    for (size_t i = 0; i < count; i++)
        x[i] = clamp(x[i] * factor + rest, most);
}

/* x = clamp(grey + (x - grey) factor), grey being the pixel's own luma; a few pixels, by lanes. */
static inline void saturate(float *restrict x, const int32_t pixels, float factor, float most)
{
    float rest[IC_LANES];
    for (int32_t i = 0; i < pixels; i++) {
        float grey = (1 - factor) * luma(x[3 * i], x[3 * i + 1], x[3 * i + 2]);
        rest[3 * i] = rest[3 * i + 1] = rest[3 * i + 2] = grey;
    }
    for (int32_t k = 0; k < 3 * pixels; k++)
        x[k] = clamp(x[k] * factor + rest[k], most);
}

static void change_saturation(float *restrict x, size_t pixels, float factor, float most)
{
    size_t i = 0;
    for (; i + IC_LANES / 3 <= pixels; i += IC_LANES / 3)
        saturate(x + 3 * i, IC_LANES / 3, factor, most);
    for (; i < pixels; i++)
        saturate(x + 3 * i, 1, factor, most);
}

/* Brightness, contrast, saturation by torchvision's definitions, in this order. */
static void change_colours(const ic_pipeline *pipeline, const ic_augment *augment,
                           ic_random *random, float most, float *tensor)
{
    const size_t row = (size_t)pipeline->width * (size_t)pipeline->channels;
    const size_t pixels = (size_t)pipeline->height * (size_t)pipeline->width;
    float brightness = draw_factor(random, augment->brightness);
    float contrast = draw_factor(random, augment->contrast);
    float saturation = draw_factor(random, augment->saturation);
    if (augment->brightness > 0 || augment->contrast > 0) {
        float mean =
            brighten(tensor, (size_t)pipeline->height, row, pipeline->channels, brightness, most);
        change_contrast(tensor, pixels * (size_t)pipeline->channels, contrast, mean, most);
    }
    if (augment->saturation > 0 && pipeline->channels == 3)
        change_saturation(tensor, pixels, saturation, most);
}

/* Blanks a rectangle with 0, which is the mean once normalised (Zhong et al. 2017). */
static void erase(const ic_pipeline *pipeline, ic_random *random, float probability, float *tensor)
{
    const double share[2] = {0.02, 0.33}, aspect[2] = {0.3, 1 / 0.3};
    rectangle blank;
    if (!(ic_random_unit(random) < probability) ||
        !draw_rectangle(random, pipeline->width, pipeline->height, share, aspect, &blank))
        return;
    const size_t channels = (size_t)pipeline->channels;
    for (int32_t y = blank.y; y < blank.y + blank.height; y++)
        memset(tensor + ((size_t)y * (size_t)pipeline->width + (size_t)blank.x) * channels, 0,
               (size_t)blank.width * channels * sizeof *tensor);
}

void ic_pipeline_augment(const ic_pipeline *pipeline, const ic_augment *augment,
                         const ic_image *canvas, ic_random *random, float *tensor)
{
    ic_normaliser normaliser;
    const size_t row = (size_t)pipeline->width * (size_t)pipeline->channels;
    ic_affine map = draw_map(pipeline, augment, canvas, random);
    ic_sample_affine(canvas, &map, pipeline->width, pipeline->height, tensor);
    change_colours(pipeline, augment, random, canvas->depth == 8 ? 255.0f : 65535.0f, tensor);
    ic_normaliser_init(&normaliser, pipeline, canvas->depth);
    for (int32_t y = 0; y < pipeline->height; y++)
        ic_normalise_float(&normaliser, tensor + (size_t)y * row, row);
    if (augment->erasing > 0)
        erase(pipeline, random, augment->erasing, tensor);
}

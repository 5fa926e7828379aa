/*
 * preprocess/augment.c: random changes of training pictures. Each kind draws its numbers only when
 * it is switched on, in the order of this file. SPDX-License-Identifier: MIT
 */
#include "base/maths.h"
#include "preprocess/effects.h"
#include "preprocess/normalise.h"
#include "preprocess/policy.h"

#include <math.h>
#include <string.h>

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
        const double wide = augment->crop_aspect > 1 ? augment->crop_aspect : 1;
        const double share[2] = {augment->crop_scale, 1}, aspect[2] = {1 / wide, wide};
        if (!draw_rectangle(random, canvas->width, canvas->height, share, aspect, &crop))
            crop = (rectangle){0, 0, canvas->width, canvas->height};
    }
    return crop;
}

/* Alternating: a picture's first side is drawn once for all epochs. */
static bool draw_flip(ic_flip flip, const ic_augment_key *key, ic_random *random)
{
    if (flip == IC_FLIP_OFF)
        return false;
    if (flip == IC_FLIP_ON)
        return ic_random_bits(random) >> 63 != 0;
    ic_random first = ic_random_at(key->seed, IC_USE_FLIP, 0, key->picture);
    return ((ic_random_bits(&first) >> 63) + key->epoch + key->repeat) % 2 != 0;
}

/* Quarters of a circle. */
static int32_t draw_turn(ic_turns turns, ic_random *random)
{
    if (turns == IC_TURNS_NONE)
        return 0;
    return turns == IC_TURNS_HALF ? 2 * (int32_t)ic_random_below(random, 2)
                                  : (int32_t)ic_random_below(random, 4);
}

/* All geometry but the policy's as one map: from pixels of the tensor to places on the canvas. */
static ic_affine draw_map(const ic_pipeline *pipeline, const ic_augment *augment,
                          const ic_image *canvas, bool flip, ic_random *random)
{
    rectangle crop = draw_crop(pipeline, augment, canvas, random);
    if (augment->shift > 0) {
        uint64_t range = 2 * (uint64_t)augment->shift + 1;
        crop.x += (int32_t)ic_random_below(random, range) - augment->shift;
        crop.y += (int32_t)ic_random_below(random, range) - augment->shift;
    }
    double angle = 0;
    if (augment->rotation > 0)
        angle = ic_random_range(random, -augment->rotation, augment->rotation) * IC_RADIANS;
    const double cosine = angle == 0 ? 1 : ic_cos(angle), sine = angle == 0 ? 0 : ic_sin(angle);
    const int32_t turn = draw_turn(augment->turns, random);
    const double c = turn == 0 ? cosine : turn == 1 ? -sine : turn == 2 ? -cosine : sine;
    const double s = turn == 0 ? sine : turn == 1 ? cosine : turn == 2 ? -sine : -cosine;

    /* Pixel centres, relative to the middle of the tensor, scaled, turned, put into the crop. */
    const double across = (double)crop.width / pipeline->width * (flip ? -1 : 1);
    const double down = (double)crop.height / pipeline->height;
    const double x0 = (1 - pipeline->width) / 2.0, y0 = (1 - pipeline->height) / 2.0;
    ic_affine map = {.ux = c * across, .uy = -s * down, .vx = s * across, .vy = c * down};
    map.u0 = map.ux * x0 + map.uy * y0 + crop.x + (crop.width - 1) / 2.0;
    map.v0 = map.vx * x0 + map.vy * y0 + crop.y + (crop.height - 1) / 2.0;
    return map;
}

/* From the pixels of a smaller tensor, width x height, that shows the same. */
static void shrink(const ic_pipeline *pipeline, int32_t width, int32_t height, ic_affine *map)
{
    const double across = (double)pipeline->width / width, x = (across - 1) / 2;
    const double down = (double)pipeline->height / height, y = (down - 1) / 2;
    map->u0 += map->ux * x + map->uy * y;
    map->v0 += map->vx * x + map->vy * y;
    map->ux *= across;
    map->vx *= across;
    map->uy *= down;
    map->vy *= down;
}

/* A factor in 1-x..1+x, never below 0; 1 when the change is off. */
static float draw_factor(ic_random *random, float change)
{
    if (!(change > 0))
        return 1;
    return (float)ic_random_range(random, change < 1 ? 1 - change : 0, 1 + change);
}

/* Brightness, contrast, saturation in this order. */
static void change_colours(const ic_augment *augment, ic_random *random, const ic_samples *samples)
{
    float brightness = draw_factor(random, augment->brightness);
    float contrast = draw_factor(random, augment->contrast);
    float saturation = draw_factor(random, augment->saturation);
    if (augment->brightness > 0 || augment->contrast > 0) {
        float mean = ic_brighten(samples, brightness);
        ic_change_contrast(samples, contrast, mean);
    }
    if (augment->saturation > 0)
        ic_change_saturation(samples, saturation);
}

/* Strengths from just above nothing to the most that was asked for; size: of the tensor's pixels,
 * beside those of the pipeline's. */
static void degrade(const ic_augment *augment, ic_random *random, double size,
                    const ic_samples *samples)
{
    if (augment->blur > 0 && ic_random_unit(random) < 0.5)
        ic_blur(samples, size * augment->blur * (1 - ic_random_unit(random)));
    if (augment->noise > 0)
        ic_add_noise(samples, augment->noise * ic_random_unit(random), random);
}

/* Blanks a rectangle with 0, which is the mean once normalised (Zhong et al. 2017). */
static void erase(const ic_samples *s, ic_random *random, float probability)
{
    const double share[2] = {0.02, 0.33}, aspect[2] = {0.3, 1 / 0.3};
    rectangle blank;
    if (!(ic_random_unit(random) < probability) ||
        !draw_rectangle(random, s->width, s->height, share, aspect, &blank))
        return;
    const size_t channels = (size_t)s->channels;
    for (int32_t y = blank.y; y < blank.y + blank.height; y++)
        memset(s->at + (size_t)y * ic_samples_row(s) + (size_t)blank.x * channels, 0,
               (size_t)blank.width * channels * sizeof *s->at);
}

void ic_pipeline_augment(const ic_pipeline *pipeline, const ic_augment *augment,
                         const ic_image *canvas, const ic_augment_key *key, float *tensor)
{
    ic_normaliser normaliser;
    ic_random random =
        ic_random_at(key->seed, IC_USE_AUGMENT, key->epoch, key->picture + (key->repeat << 40));
    const int32_t width = augment->width > 0 ? augment->width : pipeline->width;
    const int32_t height = augment->height > 0 ? augment->height : pipeline->height;
    const ic_samples samples = {tensor, width, height, pipeline->channels,
                                canvas->depth == 8 ? 255.0f : 65535.0f};
    const size_t row = ic_samples_row(&samples);
    bool flip = draw_flip(augment->flip, key, &random);
    ic_affine map = draw_map(pipeline, augment, canvas, flip, &random);
    ic_policy_change change = ic_policy_draw(augment->policy, &random);
    ic_policy_bend(&change, pipeline->width, pipeline->height, &map);
    shrink(pipeline, width, height, &map);
    ic_sample_affine(canvas, &map, width, height, tensor);
    ic_policy_colour(&change, &samples);
    change_colours(augment, &random, &samples);
    degrade(augment, &random, (double)width / pipeline->width, &samples);
    ic_normaliser_init(&normaliser, pipeline, canvas->depth);
    for (int32_t y = 0; y < height; y++)
        ic_normalise_float(&normaliser, tensor + (size_t)y * row, row);
    if (pipeline->normalise == IC_NORMALISE_PICTURE)
        ic_standardise(tensor, ic_samples_count(&samples));
    if (augment->erasing > 0)
        erase(&samples, &random, augment->erasing);
}

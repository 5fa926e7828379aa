/* preprocess/noise.c: pictures to work on, and their damage. SPDX-License-Identifier: MIT */
#include "preprocess/noise.h"

#include <math.h>
#include <string.h>

uint32_t get_sample(const ic_image *image, int32_t x, int32_t y, int32_t channel)
{
    const void *row = ic_image_row(image, y);
    int32_t at = x * image->channels + channel;
    return image->depth == 8 ? ((const uint8_t *)row)[at] : ((const uint16_t *)row)[at];
}

void put_sample(ic_image *image, int32_t x, int32_t y, int32_t channel, uint32_t value)
{
    void *row = ic_image_row(image, y);
    int32_t at = x * image->channels + channel;
    if (image->depth == 8)
        ((uint8_t *)row)[at] = (uint8_t)value;
    else
        ((uint16_t *)row)[at] = (uint16_t)value;
}

static double most_of(const ic_image *image)
{
    return image->depth == 8 ? 255 : 65535;
}

static void put_share(ic_image *image, int32_t x, int32_t y, int32_t channel, double share)
{
    share = share < 0 ? 0 : share > 1 ? 1 : share;
    put_sample(image, x, y, channel, (uint32_t)(share * most_of(image) + 0.5));
}

ic_image *draw_scene(ic_context *context, int32_t width, int32_t height, int32_t channels,
                     int32_t depth)
{
    ic_image *image;
    assert_ok(ic_image_create(context, width, height, channels, depth, &image));
    for (int32_t y = 0; y < height; y++)
        for (int32_t x = 0; x < width; x++)
            for (int32_t c = 0; c < channels; c++) {
                double dx = x - width * 0.6, dy = y - height * 0.4;
                double value = 0.2 + 0.5 * x / width + 0.1 * c * y / height;
                if (dx * dx + dy * dy < width * height * 0.06)
                    value = 0.85 - 0.2 * c;
                if (y > height * 0.75 && x / 12 % 2 == 0)
                    value = 0.15 + 0.1 * c;
                put_share(image, x, y, c, value);
            }
    return image;
}

ic_image *draw_static(ic_context *context, int32_t width, int32_t height, int32_t channels,
                      int32_t depth, uint64_t seed)
{
    ic_image *image;
    ic_random random = ic_random_at(seed, IC_USE_WEIGHTS, 0, 0);
    assert_ok(ic_image_create(context, width, height, channels, depth, &image));
    for (int32_t y = 0; y < height; y++)
        for (int32_t x = 0; x < width * channels; x++)
            put_sample(image, x / channels, y, x % channels,
                       (uint32_t)(ic_random_bits(&random) >> (64 - depth)));
    return image;
}

static ic_image *copy_image(const ic_image *image)
{
    ic_image *copy;
    assert_ok(ic_image_create(image->context, image->width, image->height, image->channels,
                              image->depth, &copy));
    for (int32_t y = 0; y < image->height; y++)
        memcpy(ic_image_row(copy, y), ic_image_row(image, y),
               (size_t)(image->width * image->channels * image->depth / 8));
    return copy;
}

ic_image *add_noise(const ic_image *image, double deviation, uint64_t seed)
{
    ic_image *copy = copy_image(image);
    ic_random random = ic_random_at(seed, IC_USE_WEIGHTS, 1, 0);
    for (int32_t y = 0; y < image->height; y++)
        for (int32_t x = 0; x < image->width; x++)
            for (int32_t c = 0; c < image->channels; c++)
                put_share(copy, x, y, c,
                          get_sample(image, x, y, c) / most_of(image) +
                              deviation * ic_random_normal(&random));
    return copy;
}

ic_image *add_salt_and_pepper(const ic_image *image, double share, uint64_t seed)
{
    ic_image *copy = copy_image(image);
    ic_random random = ic_random_at(seed, IC_USE_WEIGHTS, 2, 0);
    for (int32_t y = 0; y < image->height; y++)
        for (int32_t x = 0; x < image->width; x++) {
            if (ic_random_unit(&random) >= share)
                continue;
            uint64_t white = ic_random_below(&random, 2);
            for (int32_t c = 0; c < image->channels; c++)
                put_share(copy, x, y, c, (double)white);
        }
    return copy;
}

double decibels(const ic_image *a, const ic_image *b)
{
    double sum = 0;
    for (int32_t y = 0; y < a->height; y++)
        for (int32_t x = 0; x < a->width; x++)
            for (int32_t c = 0; c < a->channels; c++) {
                double d = (double)get_sample(a, x, y, c) - get_sample(b, x, y, c);
                sum += d * d / (most_of(a) * most_of(a));
            }
    return -10 * log10(sum / ((double)a->width * a->height * a->channels));
}

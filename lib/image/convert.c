/* image/convert.c: pictures with another number of channels. SPDX-License-Identifier: MIT */
#include "base/status.h"
#include "image/image.h"

/*
 * ITU-R 601-2 luma in 16-bit fixed point, rounded, as libjpeg and Pillow: 0.299 R + 0.587 G + 0.114
 * B. The weights add up to 65536, so grey stays as it is; 16-bit samples just fit.
 */
static inline uint32_t luma(uint32_t red, uint32_t green, uint32_t blue)
{
    return (red * 19595u + green * 38470u + blue * 7471u + 32768u) >> 16;
}

/* A sample of opacity alpha laid over white; `most` is 255 or 65535. */
static inline uint32_t over_white(uint32_t sample, uint32_t alpha, uint32_t most)
{
    uint64_t sum = (uint64_t)sample * alpha + (uint64_t)most * (most - alpha);

    return (uint32_t)((sum + most / 2) / most);
}

static inline uint32_t get_sample(const void *row, size_t index, int32_t depth)
{
    return depth == 8 ? ((const uint8_t *)row)[index] : ((const uint16_t *)row)[index];
}

static inline void put_sample(void *row, size_t index, int32_t depth, uint32_t value)
{
    if (depth == 8)
        ((uint8_t *)row)[index] = (uint8_t)value;
    else
        ((uint16_t *)row)[index] = (uint16_t)value;
}

/* Inlined with constants, so that each case becomes a plain loop. */
static inline void convert_row(const void *from, int32_t from_channels, void *to,
                               int32_t to_channels, int32_t width, int32_t depth)
{
    const bool alpha = from_channels == 2 || from_channels == 4;
    const int32_t colours = from_channels <= 2 ? 1 : 3;
    const uint32_t most = depth == 8 ? 255 : 65535;

    for (int32_t x = 0; x < width; x++) {
        size_t at = (size_t)x * (size_t)from_channels;
        size_t target = (size_t)x * (size_t)to_channels;
        uint32_t sample[3];

        for (int32_t c = 0; c < colours; c++) {
            sample[c] = get_sample(from, at + (size_t)c, depth);
            if (alpha)
                sample[c] =
                    over_white(sample[c], get_sample(from, at + (size_t)colours, depth), most);
        }
        if (to_channels == 1) {
            put_sample(to, target, depth,
                       colours == 1 ? sample[0] : luma(sample[0], sample[1], sample[2]));
        } else {
            for (int32_t c = 0; c < 3; c++)
                put_sample(to, target + (size_t)c, depth, sample[colours == 1 ? 0 : c]);
        }
    }
}

static void convert_depth(const void *from, int32_t from_channels, void *to, int32_t to_channels,
                          int32_t width, int32_t depth)
{
    switch (from_channels * 4 + to_channels) {
    case 1 * 4 + 3:
        convert_row(from, 1, to, 3, width, depth);
        break;
    case 2 * 4 + 1:
        convert_row(from, 2, to, 1, width, depth);
        break;
    case 2 * 4 + 3:
        convert_row(from, 2, to, 3, width, depth);
        break;
    case 3 * 4 + 1:
        convert_row(from, 3, to, 1, width, depth);
        break;
    case 4 * 4 + 1:
        convert_row(from, 4, to, 1, width, depth);
        break;
    default:
        convert_row(from, 4, to, 3, width, depth);
    }
}

ic_status ic_image_convert(ic_image *image, int32_t channels, ic_image **out)
{
    ic_image *converted;

    if (channels != 1 && channels != 3)
        return ic_fail(IC_ERROR_ARGUMENT, "pictures are converted to 1 or 3 channels, not %d",
                       channels);
    if (image->channels == channels) {
        *out = ic_image_retain(image);
        return IC_OK;
    }
    IC_TRY(ic_image_create(image->context, image->width, image->height, channels, image->depth,
                           &converted));
    for (int32_t y = 0; y < image->height; y++) {
        const unsigned char *from = ic_image_row(image, y);
        unsigned char *to = ic_image_row(converted, y);

        if (image->depth == 8)
            convert_depth(from, image->channels, to, channels, image->width, 8);
        else
            convert_depth(from, image->channels, to, channels, image->width, 16);
    }
    *out = converted;
    return IC_OK;
}

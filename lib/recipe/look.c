/* recipe/look.c: what kind of pictures a data set holds. SPDX-License-Identifier: MIT */
#include "recipe/recipe.h"

#include "base/memory.h"
#include "base/status.h"
#include "image/image.h"

#include <stdlib.h>

enum {
    LOOKED_AT = 64,       /* pictures, evenly chosen */
    GREY_TOLERANCE = 6,   /* of 255: what JPEG leaves between the channels of a grey picture */
    COLOURED_PER_MIL = 10 /* of the pixels may differ more in a picture that still counts as grey */
};

typedef struct sizes {
    int32_t widths[LOOKED_AT], heights[LOOKED_AT];
    int32_t count;
} sizes;

static int32_t distance(int32_t a, int32_t b)
{
    return a > b ? a - b : b - a;
}

static bool pixel_is_grey(const ic_image *image, const unsigned char *row, int32_t x)
{
    int32_t r, g, b;
    if (image->depth == 16) {
        const uint16_t *samples = (const uint16_t *)(const void *)row + (size_t)x * image->channels;
        r = samples[0] >> 8, g = samples[1] >> 8, b = samples[2] >> 8;
    } else {
        const unsigned char *samples = row + (size_t)x * image->channels;
        r = samples[0], g = samples[1], b = samples[2];
    }
    return distance(r, g) <= GREY_TOLERANCE && distance(g, b) <= GREY_TOLERANCE &&
           distance(r, b) <= GREY_TOLERANCE;
}

static bool image_is_grey(const ic_image *image)
{
    if (image->channels < 3)
        return true;
    int64_t allowed = (int64_t)image->width * image->height * COLOURED_PER_MIL / 1000;
    for (int32_t y = 0; y < image->height; y++) {
        const unsigned char *row = ic_image_row(image, y);
        for (int32_t x = 0; x < image->width; x++)
            if (!pixel_is_grey(image, row, x) && allowed-- <= 0)
                return false;
    }
    return true;
}

static int compare(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

static void set_sizes(sizes *seen, ic_data_facts *facts)
{
    facts->same_size = true;
    for (int32_t i = 1; i < seen->count; i++)
        facts->same_size = facts->same_size && seen->widths[i] == seen->widths[0] &&
                           seen->heights[i] == seen->heights[0];
    qsort(seen->widths, (size_t)seen->count, sizeof seen->widths[0], compare);
    qsort(seen->heights, (size_t)seen->count, sizeof seen->heights[0], compare);
    facts->median_width = seen->widths[seen->count / 2];
    facts->median_height = seen->heights[seen->count / 2];
}

ic_status ic_recipe_look(ic_context *context, const ic_dataset *dataset, ic_data_facts *out)
{
    ic_data_facts facts = {.pictures = ic_dataset_count(dataset), .grey = true, .slowness = 1};
    sizes seen = {.count = 0};
    int32_t jpegs = 0;
    if (facts.pictures == 0)
        return ic_fail(IC_ERROR_DATA, "the data set has no readable picture");
    seen.count = facts.pictures < LOOKED_AT ? (int32_t)facts.pictures : LOOKED_AT;
    for (int32_t i = 0; i < seen.count; i++) {
        const int64_t index = facts.pictures * i / seen.count;
        const ic_format format = ic_dataset_at(dataset, index)->format;
        ic_image *image = NULL;
        IC_TRY(ic_dataset_image(dataset, index, &image));
        jpegs += format == IC_FORMAT_JPEG;
        facts.decoded = facts.decoded || format == IC_FORMAT_UNKNOWN;
        seen.widths[i] = image->width;
        seen.heights[i] = image->height;
        facts.grey = facts.grey && image_is_grey(image);
        ic_image_free(image);
    }
    set_sizes(&seen, &facts);
    facts.jpegs = jpegs > seen.count / 2;
    *out = facts;
    return IC_OK;
}

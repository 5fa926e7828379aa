/* train/shapes.c: small made-up pictures that a network learns in a second.
 * SPDX-License-Identifier: MIT */
#include "shapes.h"

#include "base/random.h"

#include <stdbool.h>
#include <string.h>

static const char *const shape_names[SHAPE_CLASSES] = {"square", "cross", "stripes"};

static bool inside_shape(int32_t shape, int32_t x, int32_t y, int32_t size)
{
    if (x < 0 || y < 0 || x >= size || y >= size)
        return false;
    switch (shape) {
    case 0:
        return true;
    case 1:
        return (x >= size / 3 && x < size - size / 3) || (y >= size / 3 && y < size - size / 3);
    default:
        return y % 4 < 2;
    }
}

static ic_status draw(ic_context *context, int32_t shape, uint64_t index, int32_t side,
                      ic_image **out)
{
    unsigned char pixels[64 * 64 * 3];
    ic_random random = ic_random_at(11, IC_USE_SHUFFLE, (uint64_t)shape, index);
    int32_t size = side / 2 + (int32_t)ic_random_below(&random, (uint64_t)side / 4);
    int32_t left = (int32_t)ic_random_below(&random, (uint64_t)(side - size));
    int32_t top = (int32_t)ic_random_below(&random, (uint64_t)(side - size));
    uint64_t colour[3];
    for (int32_t c = 0; c < 3; c++)
        colour[c] = 120 + ic_random_below(&random, 100);
    assert_true(side <= 64);
    for (int32_t y = 0; y < side; y++)
        for (int32_t x = 0; x < side; x++)
            for (int32_t c = 0; c < 3; c++) {
                uint64_t light = inside_shape(shape, x - left, y - top, size) ? colour[c] : 40;
                pixels[(y * side + x) * 3 + c] =
                    (unsigned char)(light + ic_random_below(&random, 36));
            }
    return ic_image_from_pixels(context, pixels, side, side, 0, IC_PIXELS_RGB8, out);
}

ic_image *shape_image(ic_context *context, int32_t shape, uint64_t index, int32_t side)
{
    ic_image *image = NULL;
    assert_ok(draw(context, shape, index, side, &image));
    return image;
}

ic_status shapes_dataset(ic_context *context, int64_t first, int64_t each, ic_dataset **out)
{
    ic_dataset *dataset = NULL;
    ic_status status = ic_dataset_create(context, NULL, &dataset);
    for (int64_t i = 0; i < each * SHAPE_CLASSES && status == IC_OK; i++) {
        int32_t shape = (int32_t)(i % SHAPE_CLASSES);
        uint64_t index = (uint64_t)(first + i / SHAPE_CLASSES);
        ic_image *image = NULL;
        status = draw(context, shape, index, SHAPE_SIDE, &image);
        if (status == IC_OK)
            status = ic_dataset_add_image(dataset, image, shape_names[shape]);
        ic_image_free(image);
    }
    if (status == IC_OK)
        *out = dataset;
    else
        ic_dataset_free(dataset);
    return status;
}

ic_options *shapes_options(ic_context *context, const char *const *pairs)
{
    ic_options *options;
    assert_ok(ic_options_create(context, &options));
    for (; *pairs; pairs += 2)
        assert_ok(ic_options_set_text(options, pairs[0], pairs[1]));
    return options;
}

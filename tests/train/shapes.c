/* train/shapes.c: small made-up pictures that a network learns in a second.
 * SPDX-License-Identifier: MIT */
#include "shapes.h"

#include "base/random.h"

#include <stdbool.h>
#include <stdlib.h>
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

ic_status training_try(ic_context *context, int64_t each, const char *const *pairs, training *out)
{
    *out = (training){.context = context};
    ic_options *options = shapes_options(context, pairs);
    assert_ok(shapes_dataset(context, 0, each, &out->data));
    assert_ok(ic_model_create(context, out->data, options, &out->model));
    ic_status status = ic_trainer_create(out->model, out->data, NULL, options, &out->trainer);
    ic_options_free(options);
    return status;
}

training training_begin(int32_t threads, const char *const *pairs)
{
    training made;
    assert_ok(training_try(test_context(threads), 40, pairs, &made));
    return made;
}

void training_end(training *made)
{
    ic_trainer_free(made->trainer);
    ic_model_free(made->model);
    ic_dataset_free(made->data);
    ic_context_free(made->context);
}

unsigned char *saved_model(const ic_model *model, size_t *size)
{
    assert_ok(ic_model_save_memory(model, NULL, 0, size));
    unsigned char *bytes = malloc(*size);
    assert_non_null(bytes);
    assert_ok(ic_model_save_memory(model, bytes, *size, size));
    return bytes;
}

void assert_same_model(const ic_model *a, const ic_model *b)
{
    size_t size_a, size_b;
    unsigned char *bytes_a = saved_model(a, &size_a), *bytes_b = saved_model(b, &size_b);
    assert_int_equal(size_a, size_b);
    assert_memory_equal(bytes_a, bytes_b, size_a);
    free(bytes_a);
    free(bytes_b);
}

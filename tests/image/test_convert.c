/* image/test_convert.c: grey, colour and alpha, into one another. SPDX-License-Identifier: MIT */
#include "image/image.h"
#include "support/support.h"

#include <stdlib.h>

static ic_context *context;

static ic_image *make(int32_t order, const void *pixels, int32_t width)
{
    ic_image *image = NULL;

    assert_ok(ic_image_from_pixels(context, pixels, width, 1, 0, order, &image));
    return image;
}

/* `wanted` is what the samples must be; frees the picture. */
static void check_8(ic_image *image, int32_t channels, const unsigned char *wanted)
{
    ic_image *converted = NULL;

    assert_ok(ic_image_convert(image, channels, &converted));
    assert_int_equal(converted->channels, channels);
    assert_int_equal(converted->depth, 8);
    assert_memory_equal(converted->pixels, wanted, (size_t)(converted->width * channels));
    ic_image_free(converted);
    ic_image_free(image);
}

static void check_16(ic_image *image, int32_t channels, const uint16_t *wanted)
{
    ic_image *converted = NULL;

    assert_ok(ic_image_convert(image, channels, &converted));
    assert_int_equal(converted->channels, channels);
    assert_int_equal(converted->depth, 16);
    assert_memory_equal(converted->pixels, wanted, (size_t)(converted->width * channels) * 2);
    ic_image_free(converted);
    ic_image_free(image);
}

#define BYTES(...) ((const unsigned char[]){__VA_ARGS__})
#define WORDS(...) ((const uint16_t[]){__VA_ARGS__})

static void test_to_grey(void **state)
{
    (void)state;
    /* Pillow: Image.new("RGB", (1, 1), colour).convert("L"). */
    check_8(make(IC_PIXELS_RGB8, BYTES(255, 0, 0, 0, 255, 0, 0, 0, 255, 10, 200, 30), 4), 1,
            BYTES(76, 150, 29, 124));
    check_8(make(IC_PIXELS_GREY_ALPHA8, BYTES(100, 255, 100, 0, 100, 51), 3), 1,
            BYTES(100, 255, 224));
    check_8(make(IC_PIXELS_RGBA8, BYTES(255, 0, 0, 255, 1, 2, 3, 0, 0, 0, 0, 128), 3), 1,
            BYTES(76, 255, 127));
    check_16(make(IC_PIXELS_RGB16, WORDS(65535, 65535, 65535, 65535, 0, 0, 0, 0, 1), 3), 1,
             WORDS(65535, 19595, 0));
    check_16(make(IC_PIXELS_GREY_ALPHA16, WORDS(1000, 65535, 1000, 0), 2), 1, WORDS(1000, 65535));
    check_16(make(IC_PIXELS_RGBA16, WORDS(65535, 0, 0, 65535, 9, 9, 9, 0), 2), 1,
             WORDS(19595, 65535));
}

static void test_to_colour(void **state)
{
    (void)state;
    check_8(make(IC_PIXELS_GREY8, BYTES(0, 77, 255), 3), 3,
            BYTES(0, 0, 0, 77, 77, 77, 255, 255, 255));
    check_8(make(IC_PIXELS_GREY_ALPHA8, BYTES(0, 255, 0, 0, 0, 51), 3), 3,
            BYTES(0, 0, 0, 255, 255, 255, 204, 204, 204));
    check_8(make(IC_PIXELS_RGBA8, BYTES(1, 2, 3, 255, 1, 2, 3, 0, 100, 200, 0, 51), 3), 3,
            BYTES(1, 2, 3, 255, 255, 255, 224, 244, 204));
    check_16(make(IC_PIXELS_GREY16, WORDS(0, 40000), 2), 3, WORDS(0, 0, 0, 40000, 40000, 40000));
    check_16(make(IC_PIXELS_GREY_ALPHA16, WORDS(0, 13107), 1), 3, WORDS(52428, 52428, 52428));
    check_16(make(IC_PIXELS_RGBA16, WORDS(1, 2, 65535, 65535), 1), 3, WORDS(1, 2, 65535));
}

/* Grey made colourful and back is the same grey, for every value. */
static void test_there_and_back(void **state)
{
    ic_image *grey = NULL, *colour = NULL, *back = NULL;

    (void)state;
    assert_ok(ic_image_create(context, 256, 257, 1, 16, &grey));
    for (int i = 0; i < 256 * 257; i++)
        ((uint16_t *)(void *)grey->pixels)[i] = (uint16_t)i;
    assert_ok(ic_image_convert(grey, 3, &colour));
    assert_ok(ic_image_convert(colour, 1, &back));
    assert_memory_equal(grey->pixels, back->pixels, grey->stride * 257);
    ic_image_free(grey);
    ic_image_free(colour);
    ic_image_free(back);
}

static void test_nothing_to_do(void **state)
{
    ic_image *image = make(IC_PIXELS_RGB8, BYTES(1, 2, 3), 1), *same = NULL;

    (void)state;
    assert_ok(ic_image_convert(image, 3, &same));
    assert_ptr_equal(image, same);
    ic_image_free(image);
    assert_int_equal(same->pixels[2], 3);
    assert_fails(IC_ERROR_ARGUMENT, "not 4", ic_image_convert(same, 4, &image));
    assert_fails(IC_ERROR_ARGUMENT, "not 2", ic_image_convert(same, 2, &image));
    ic_image_free(same);
}

static int set_up(void **state)
{
    (void)state;
    context = test_context(1);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    ic_context_free(context);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_to_grey),
        cmocka_unit_test(test_to_colour),
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_nothing_to_do),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}

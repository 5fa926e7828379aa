/* image/test_image.c: the public face of pictures: arguments, raw pixels, files, limits.
 * SPDX-License-Identifier: MIT */
#include "base/context.h"
#include "image/pictures.h"
#include "support/support.h"

#include <stdlib.h>
#include <string.h>

static ic_context *context;

static void test_raw_orders(void **state)
{
    static const struct {
        int32_t order, channels, depth;
        int from[4]; /* sample c of the picture is sample from[c] of the raw pixel */
    } orders[] = {
        {IC_PIXELS_GREY8, 1, 8, {0}},        {IC_PIXELS_GREY_ALPHA8, 2, 8, {0, 1}},
        {IC_PIXELS_RGB8, 3, 8, {0, 1, 2}},   {IC_PIXELS_RGBA8, 4, 8, {0, 1, 2, 3}},
        {IC_PIXELS_BGR8, 3, 8, {2, 1, 0}},   {IC_PIXELS_BGRA8, 4, 8, {2, 1, 0, 3}},
        {IC_PIXELS_GREY16, 1, 16, {0}},      {IC_PIXELS_GREY_ALPHA16, 2, 16, {0, 1}},
        {IC_PIXELS_RGB16, 3, 16, {0, 1, 2}}, {IC_PIXELS_RGBA16, 4, 16, {0, 1, 2, 3}},
    };
    unsigned char raw[16 * 8 * 8];

    (void)state;
    for (size_t i = 0; i < sizeof(raw); i++)
        raw[i] = (unsigned char)(i * 37 + i / 11);
    for (size_t k = 0; k < sizeof(orders) / sizeof(orders[0]); k++) {
        const int bytes = orders[k].depth / 8, pixel = orders[k].channels * bytes;
        const void *pixels;
        size_t stride;
        int32_t width, height, channels, depth;
        ic_image *image = NULL;

        assert_ok(ic_image_from_pixels(context, raw, 5, 7, 0, orders[k].order, &image));
        assert_ok(ic_image_info(image, &width, &height, &channels, &depth));
        assert_ok(ic_image_pixels(image, &pixels, &stride));
        assert_int_equal(width, 5);
        assert_int_equal(height, 7);
        assert_int_equal(channels, orders[k].channels);
        assert_int_equal(depth, orders[k].depth);
        for (int i = 0; i < 5 * 7; i++)
            for (int c = 0; c < channels; c++)
                assert_memory_equal((const char *)pixels + (size_t)(i / 5) * stride +
                                        (size_t)(i % 5 * pixel + c * bytes),
                                    raw + i * pixel + orders[k].from[c] * bytes, (size_t)bytes);
        ic_image_free(image);
    }
}

static void test_raw_strides(void **state)
{
    /* Three rows of two pixels, four bytes apart. */
    static const unsigned char raw[] = {1, 2, 0, 0, 3, 4, 0, 0, 5, 6};
    ic_image *image = NULL;

    (void)state;
    assert_ok(ic_image_from_pixels(context, raw, 2, 3, 4, IC_PIXELS_GREY8, &image));
    assert_memory_equal(image->pixels, "\1\2\3\4\5\6", 6);
    ic_image_free(image);
    assert_ok(ic_image_from_pixels(context, raw + 8, 2, 3, -4, IC_PIXELS_GREY8, &image));
    assert_memory_equal(image->pixels, "\5\6\3\4\1\2", 6);
    ic_image_free(image);
    assert_ok(ic_image_from_pixels(context, raw, 2, 1, -2, IC_PIXELS_GREY8, &image));
    ic_image_free(image);
}

static void test_raw_errors(void **state)
{
    static const unsigned char raw[64];
    ic_image *out = NULL;

    (void)state;
    assert_fails(IC_ERROR_ARGUMENT, "NULL",
                 ic_image_from_pixels(NULL, raw, 1, 1, 0, IC_PIXELS_RGB8, &out));
    assert_fails(IC_ERROR_ARGUMENT, "NULL",
                 ic_image_from_pixels(context, NULL, 1, 1, 0, IC_PIXELS_RGB8, &out));
    assert_fails(IC_ERROR_ARGUMENT, "NULL",
                 ic_image_from_pixels(context, raw, 1, 1, 0, IC_PIXELS_RGB8, NULL));
    assert_fails(IC_ERROR_ARGUMENT, "11 is no order of pixels",
                 ic_image_from_pixels(context, raw, 1, 1, 0, 11, &out));
    assert_fails(IC_ERROR_ARGUMENT, "0 is no order of pixels",
                 ic_image_from_pixels(context, raw, 1, 1, 0, 0, &out));
    assert_fails(IC_ERROR_ARGUMENT, "0 x 1",
                 ic_image_from_pixels(context, raw, 0, 1, 0, IC_PIXELS_RGB8, &out));
    assert_fails(IC_ERROR_ARGUMENT, "1 x -7",
                 ic_image_from_pixels(context, raw, 1, -7, 0, IC_PIXELS_RGB8, &out));
    assert_fails(IC_ERROR_ARGUMENT, "a stride of 5 bytes is shorter than a row of 6",
                 ic_image_from_pixels(context, raw, 2, 2, 5, IC_PIXELS_RGB8, &out));
    assert_fails(IC_ERROR_ARGUMENT, "a stride of -5 bytes is shorter",
                 ic_image_from_pixels(context, raw, 2, 2, -5, IC_PIXELS_RGB8, &out));
    assert_fails(IC_ERROR_ARGUMENT, "too long",
                 ic_image_from_pixels(context, raw, 2, 2, PTRDIFF_MAX, IC_PIXELS_RGB8, &out));
    assert_fails(IC_ERROR_ARGUMENT, "too long",
                 ic_image_from_pixels(context, raw, 2, 2, PTRDIFF_MIN, IC_PIXELS_RGB8, &out));
    assert_fails(IC_ERROR_LIMIT, "max_side",
                 ic_image_from_pixels(context, raw, 32769, 1, 0, IC_PIXELS_RGB8, &out));
    assert_fails(IC_ERROR_LIMIT, "max_megapixels",
                 ic_image_from_pixels(context, raw, 32768, 32768, 0, IC_PIXELS_RGB8, &out));
    assert_null(out);
}

static void test_null_arguments(void **state)
{
    const void *pixels = NULL;
    size_t size = 77;
    ic_image *image = NULL, *out = NULL;

    (void)state;
    assert_ok(ic_image_from_pixels(context, "abc", 1, 1, 0, IC_PIXELS_RGB8, &image));
    assert_fails(IC_ERROR_ARGUMENT, "NULL", ic_image_load(NULL, "x", &out));
    assert_fails(IC_ERROR_ARGUMENT, "NULL", ic_image_load(context, NULL, &out));
    assert_fails(IC_ERROR_ARGUMENT, "NULL", ic_image_load(context, "x", NULL));
    assert_fails(IC_ERROR_ARGUMENT, "NULL", ic_image_decode(NULL, "x", 1, &out));
    assert_fails(IC_ERROR_ARGUMENT, "NULL", ic_image_decode(context, NULL, 1, &out));
    assert_fails(IC_ERROR_ARGUMENT, "NULL", ic_image_decode(context, "x", 1, NULL));
    assert_fails(IC_ERROR_ARGUMENT, "NULL", ic_image_info(NULL, NULL, NULL, NULL, NULL));
    assert_fails(IC_ERROR_ARGUMENT, "NULL", ic_image_pixels(NULL, &pixels, &size));
    assert_fails(IC_ERROR_ARGUMENT, "NULL", ic_image_pixels(image, NULL, &size));
    assert_fails(IC_ERROR_ARGUMENT, "NULL", ic_image_save_png(NULL, "x"));
    assert_fails(IC_ERROR_ARGUMENT, "NULL", ic_image_save_png(image, NULL));
    assert_fails(IC_ERROR_ARGUMENT, "NULL", ic_image_encode_png(NULL, NULL, 0, &size));
    assert_fails(IC_ERROR_ARGUMENT, "NULL", ic_image_encode_png(image, NULL, 0, NULL));
    assert_int_equal(size, 77);
    assert_null(out);
    assert_null(pixels);
    assert_ok(ic_image_info(image, NULL, NULL, NULL, NULL));
    assert_ok(ic_image_pixels(image, &pixels, NULL));
    assert_memory_equal(pixels, "abc", 3);
    ic_image_free(image);
    ic_image_free(NULL);
}

/* Internal makers refuse what no public function lets through. */
static void test_create(void **state)
{
    ic_image *image = NULL;

    (void)state;
    assert_fails(IC_ERROR_ARGUMENT, "not 0", ic_image_create(context, 1, 1, 0, 8, &image));
    assert_fails(IC_ERROR_ARGUMENT, "not 5", ic_image_create(context, 1, 1, 5, 8, &image));
    assert_fails(IC_ERROR_ARGUMENT, "not 12", ic_image_create(context, 1, 1, 1, 12, &image));
    assert_ok(ic_image_create(context, 3, 2, 4, 16, &image));
    assert_int_equal(image->stride, 24);
    assert_int_equal((uintptr_t)image->pixels % 64, 0);
    assert_ptr_equal(ic_image_retain(image), image);
    ic_image_free(image);
    ic_image_free(image);
}

/* A picture keeps its context alive. */
static void test_outlives_context(void **state)
{
    test_allocator allocator = {0};
    ic_context *own = test_context_with(&allocator, 1);
    ic_image *image = NULL, *other = NULL;

    (void)state;
    assert_ok(ic_image_from_pixels(own, "abc", 1, 1, 0, IC_PIXELS_RGB8, &image));
    ic_context_free(own);
    assert_ok(ic_image_resize(image, 4, 4, IC_FILTER_BILINEAR, &other));
    ic_image_free(image);
    assert_int_equal(other->pixels[0], 'a');
    ic_image_free(other);
    assert_int_equal(allocator.live, 0);
}

static void test_files(void **state)
{
    const char *folder = test_folder();
    const char *path = test_path(folder, "picture.jpg"); /* the name lies: content decides */
    const char *broken = test_path(folder, "broken.png");
    ic_image *image = NULL, *back = NULL;

    (void)state;
    assert_ok(ic_image_from_pixels(context, "abcdef", 1, 2, 0, IC_PIXELS_RGB8, &image));
    assert_ok(ic_image_save_png(image, path));
    assert_ok(ic_image_load(context, path, &back));
    assert_int_equal(back->height, 2);
    assert_memory_equal(back->pixels, "abcdef", 6);
    ic_image_free(back);

    test_write(broken, "\x89PNG\r\n\x1a\n", 8);
    assert_fails(IC_ERROR_FORMAT, "broken.png: the PNG is cut short",
                 ic_image_load(context, broken, &back));
    test_write(broken, "", 0);
    assert_fails(IC_ERROR_FORMAT, "broken.png: the picture is empty",
                 ic_image_load(context, broken, &back));
    test_write(broken, "RIFF\1\2\3\4WEBPVP8 ", 16);
    assert_fails(IC_ERROR_UNSUPPORTED, "broken.png: this is WebP",
                 ic_image_load(context, broken, &back));
    assert_true(ic_image_load(context, test_path(folder, "none.png"), &back) < 0);
    assert_non_null(strstr(ic_last_error(), "none.png"));
    assert_true(ic_image_load(context, folder, &back) < 0);
    assert_true(ic_image_save_png(image, test_path(folder, "none/x.png")) < 0);
    ic_image_free(image);
    test_folder_remove(folder);
}

static void test_encode_to_buffer(void **state)
{
    unsigned char buffer[4096];
    size_t size = 0, again = 0;
    ic_image *image = NULL, *back = NULL;

    (void)state;
    assert_ok(ic_image_from_pixels(context, "abcdef", 2, 1, 0, IC_PIXELS_BGR8, &image));
    assert_ok(ic_image_encode_png(image, NULL, 0, &size));
    assert_in_range(size, 50, sizeof(buffer));
    assert_fails(IC_ERROR_LIMIT, "", ic_image_encode_png(image, buffer, size - 1, &again));
    assert_int_equal(again, size);
    assert_ok(ic_image_encode_png(image, buffer, size, &again));
    assert_ok(ic_image_decode(context, buffer, again, &back));
    assert_memory_equal(back->pixels, "cbafed", 6);
    ic_image_free(image);
    ic_image_free(back);
}

static void check_refused(const char *bytes, size_t size, ic_status code, const char *words)
{
    ic_image *image = NULL;

    assert_fails(code, words, ic_image_decode(context, bytes, size, &image));
    assert_null(image);
}

static void test_names_other_formats(void **state)
{
    static const struct {
        const char *name, *bytes;
        size_t size;
    } files[] = {
        {"this is GIF", "GIF89a....", 10},
        {"this is WebP", "RIFF....WEBP", 12},
        {"this is TIFF", "II*\0....", 8},
        {"this is TIFF", "MM\0*....", 8},
        {"this is BMP", "BM\x36\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0", 18},
        {"this is HEIC",
         "\0\0\0\x18"
         "ftypheic",
         12},
        {"this is AVIF",
         "\0\0\0\x18"
         "ftypavif",
         12},
        {"this is a video",
         "\0\0\0\x18"
         "ftypisom",
         12},
        {"this is JPEG XL", "\xff\x0a..", 4},
        {"this is JPEG 2000", "\0\0\0\x0cjP  \r\n", 10},
        {"this is a PDF document", "%PDF-1.7", 8},
        {"this is PNM", "P6\n1 1 255\n", 11},
        {"this is an HTML page", "<!DOCTYPE html><p>", 18},
        {"this is a ZIP archive", "PK\3\4....", 8},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        check_refused(files[i].bytes, files[i].size, IC_ERROR_UNSUPPORTED, files[i].name);
    check_refused("BMxxxxxxxxxxxxxxxxxx", 20, IC_ERROR_FORMAT, "neither JPEG nor PNG");
    check_refused("P6x", 3, IC_ERROR_FORMAT, "begins with the bytes 50 36");
    check_refused("x", 1, IC_ERROR_FORMAT, "neither JPEG nor PNG");
    check_refused("", 0, IC_ERROR_FORMAT, "no bytes at all");
    check_refused("\x09PNG\r\n\x1a\n", 8, IC_ERROR_FORMAT, "text mode");
    check_refused("\x89PNG\n\x1a\n", 7, IC_ERROR_FORMAT, "text mode");
}

/* No signature is looked for past the end. */
static void test_sniffs_short_files(void **state)
{
    unsigned char dicom[132] = {0};

    (void)state;
    for (size_t size = 0; size < sizeof(dicom); size++) {
        unsigned char *part = calloc(size > 0 ? size : 1, 1);

        assert_int_equal(ic_image_sniff(part, size), IC_FORMAT_UNKNOWN);
        assert_null(ic_image_format_name(part, size));
        free(part);
    }
    memcpy(dicom + 128, "DICM", 4);
    assert_string_equal(ic_image_format_name(dicom, sizeof(dicom)), "DICOM");
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
        cmocka_unit_test(test_raw_orders),
        cmocka_unit_test(test_raw_strides),
        cmocka_unit_test(test_raw_errors),
        cmocka_unit_test(test_null_arguments),
        cmocka_unit_test(test_create),
        cmocka_unit_test(test_outlives_context),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_encode_to_buffer),
        cmocka_unit_test(test_names_other_formats),
        cmocka_unit_test(test_sniffs_short_files),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}

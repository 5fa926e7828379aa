/* image/test_exif.c: orientation, from the EXIF block to upright pixels. SPDX-License-Identifier:
 * MIT */
#include "image/codec.h"
#include "image/pictures.h"
#include "support/support.h"

#include <stdlib.h>
#include <string.h>

static ic_context *context;

static void test_parses_both_orders(void **state)
{
    unsigned char exif[EXIF_BYTES];

    (void)state;
    for (int big = 0; big < 2; big++)
        for (unsigned int orientation = 0; orientation <= 300; orientation++) {
            size_t size = make_exif(exif, big, orientation);
            int32_t wanted = orientation >= 1 && orientation <= 8 ? (int32_t)orientation : 1;

            assert_int_equal(ic_exif_orientation(exif, size), wanted);
        }
}

/* A copy of exactly that size, so that a sanitizer sees reads past it. */
static int32_t parse_part(const unsigned char *exif, size_t size)
{
    unsigned char *part = malloc(size > 0 ? size : 1);
    int32_t orientation;

    memcpy(part, exif, size);
    orientation = ic_exif_orientation(part, size);
    free(part);
    return orientation;
}

static void test_cut_at_every_length(void **state)
{
    unsigned char exif[EXIF_BYTES];

    (void)state;
    for (int big = 0; big < 2; big++) {
        size_t size = make_exif(exif, big, 6);

        for (size_t part = 0; part <= size; part++)
            assert_int_equal(parse_part(exif, part), part >= 34 ? 6 : 1);
    }
}

static void test_every_byte_changed(void **state)
{
    unsigned char exif[EXIF_BYTES];

    (void)state;
    for (int big = 0; big < 2; big++) {
        size_t size = make_exif(exif, big, 6);

        for (size_t i = 0; i < size; i++)
            for (int value = 0; value < 256; value++) {
                unsigned char kept = exif[i];

                exif[i] = (unsigned char)value;
                assert_in_range(parse_part(exif, size), 1, 8);
                exif[i] = kept;
            }
    }
}

static void test_nonsense(void **state)
{
    unsigned char exif[EXIF_BYTES];
    size_t size = make_exif(exif, true, 6);

    (void)state;
    memcpy(exif + 4, "\xff\xff\xff\xff", 4); /* the directory lies outside */
    assert_int_equal(parse_part(exif, size), 1);
    make_exif(exif, true, 6);
    memcpy(exif + 4, "\0\0\0\x24", 4); /* or at the very end */
    assert_int_equal(parse_part(exif, size), 1);
    make_exif(exif, true, 6);
    memcpy(exif + 8, "\xff\xff", 2); /* more entries than there is room for */
    assert_int_equal(parse_part(exif, size), 6);
    exif[25] = 2; /* the type is text */
    assert_int_equal(parse_part(exif, size), 1);
    make_exif(exif, true, 6);
    exif[29] = 2; /* two values */
    assert_int_equal(parse_part(exif, size), 1);
    make_exif(exif, true, 6);
    exif[25] = 4; /* a long number: its bytes say 6 << 16 */
    assert_int_equal(parse_part(exif, size), 1);
    memcpy(exif + 30, "\0\0\0\5", 4);
    assert_int_equal(parse_part(exif, size), 5);
    assert_int_equal(parse_part((const unsigned char *)"IM*\0\10\0\0\0\0\0", 10), 1);
    assert_int_equal(parse_part((const unsigned char *)"II+\0\10\0\0\0\0\0", 10), 1);
}

/*
 * EXIF's definition, in words: which sides of what is seen row 0 and column 0 of the file are.
 * Where source pixel (x, y) of a w x h picture must appear.
 */
static void place(int32_t orientation, int32_t w, int32_t h, int32_t x, int32_t y, int32_t *to_x,
                  int32_t *to_y)
{
    /* Row 0 is the top or the bottom (1-4), the left or the right (5-8); likewise column 0. */
    static const char row_0[] = "?ttbblrrl", column_0[] = "?lrrlttbb";

    switch (row_0[orientation]) {
    case 't':
        *to_y = y;
        break;
    case 'b':
        *to_y = h - 1 - y;
        break;
    case 'l':
        *to_x = y;
        break;
    default:
        *to_x = h - 1 - y;
    }
    switch (column_0[orientation]) {
    case 'l':
        *to_x = x;
        break;
    case 'r':
        *to_x = w - 1 - x;
        break;
    case 't':
        *to_y = x;
        break;
    default:
        *to_y = w - 1 - x;
    }
}

static void check_upright(const ic_image *source, const ic_image *upright, int32_t orientation)
{
    size_t pixel = (size_t)(source->channels * source->depth / 8);

    assert_int_equal(upright->width, orientation >= 5 ? source->height : source->width);
    assert_int_equal(upright->height, orientation >= 5 ? source->width : source->height);
    for (int32_t y = 0; y < source->height; y++)
        for (int32_t x = 0; x < source->width; x++) {
            int32_t to_x = -1, to_y = -1;

            place(orientation, source->width, source->height, x, y, &to_x, &to_y);
            assert_memory_equal(ic_image_row(source, y) + (size_t)x * pixel,
                                ic_image_row(upright, to_y) + (size_t)to_x * pixel, pixel);
        }
}

static void test_orients(void **state)
{
    static const int32_t sizes[][2] = {{1, 1}, {3, 2}, {70, 33}, {32, 64}};

    (void)state;
    for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++)
        for (int32_t kind = 0; kind < 8; kind++)
            for (int32_t orientation = 1; orientation <= 8; orientation++) {
                ic_image *image = NULL, *upright = NULL;

                assert_ok(ic_image_create(context, sizes[s][0], sizes[s][1], 1 + kind % 4,
                                          kind < 4 ? 8 : 16, &image));
                for (size_t i = 0; i < image->stride * (size_t)image->height; i++)
                    image->pixels[i] = (unsigned char)(i * 2654435761u >> 11);
                assert_ok(ic_image_orient(image, orientation, &upright));
                check_upright(image, upright, orientation);
                assert_int_equal(upright == image, orientation == 1);
                ic_image_free(image);
                ic_image_free(upright);
            }
}

/* All files with an orientation show what the file without one shows, turned. */
static void check_file(made_file plain, made_file turned, int32_t orientation)
{
    ic_image *image = NULL, *upright = NULL;
    ic_image_facts facts;

    assert_ok(ic_image_decode(context, plain.bytes, plain.size, &image));
    assert_ok(ic_image_decode_with(context, turned.bytes, turned.size, NULL, &facts, &upright));
    check_upright(image, upright, orientation);
    assert_int_equal(facts.width, upright->width);
    assert_int_equal(facts.height, upright->height);
    ic_image_free(image);
    ic_image_free(upright);
    free(plain.bytes);
    free(turned.bytes);
}

static void test_files(void **state)
{
    (void)state;
    for (unsigned int orientation = 1; orientation <= 8; orientation++)
        for (int big = 0; big < 2; big++) {
            unsigned char app1[6 + EXIF_BYTES] = "Exif\0";
            size_t size = make_exif(app1 + 6, big, orientation);
            jpeg_plan jpeg = {.width = 21, .height = 10, .components = 3};
            jpeg_plan turned = jpeg;
            png_plan png = {21, 10, 2, 8};
            png_plan first = png;

            turned.app1 = app1;
            turned.app1_size = 6 + size;
            check_file(make_jpeg(&jpeg), make_jpeg(&turned), (int32_t)orientation);
            first.exif = app1 + 6;
            first.exif_size = size;
            check_file(make_png(&png), make_png(&first), (int32_t)orientation);
            first.exif_last = true;
            check_file(make_png(&png), make_png(&first), (int32_t)orientation);
        }
}

/* Other APP1 markers (XMP) and empty ones are passed over. */
static void test_other_app1(void **state)
{
    jpeg_plan plain = {.width = 5, .height = 4, .components = 1};
    jpeg_plan other = plain;

    (void)state;
    other.app1 = "http://ns.adobe.com/xap/1.0/\0<x/>";
    other.app1_size = 33;
    check_file(make_jpeg(&plain), make_jpeg(&other), 1);
    other.app1_size = 0;
    check_file(make_jpeg(&plain), make_jpeg(&other), 1);
    other.app1 = "Exif\0\0MM";
    other.app1_size = 8;
    check_file(make_jpeg(&plain), make_jpeg(&other), 1);
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
        cmocka_unit_test(test_parses_both_orders),
        cmocka_unit_test(test_cut_at_every_length),
        cmocka_unit_test(test_every_byte_changed),
        cmocka_unit_test(test_nonsense),
        cmocka_unit_test(test_orients),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_other_app1),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}

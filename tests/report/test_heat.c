/* report/test_heat.c: heat maps over pictures. SPDX-License-Identifier: MIT */
#include "model/fixture.h"

#include "model/explain.h"

#include <math.h>
#include <stdlib.h>

enum { WIDE = 101, HIGH = 5 };

/* An explanation whose heat rises from left to right over the columns from `first` on. */
static void draw_ramp(ic_context *context, ic_image *picture, int32_t first, ic_image **out)
{
    static float values[WIDE];
    ic_explanation e = {.context = context,
                        .image = picture,
                        .seen = {first, 0, picture->width - first, picture->height},
                        .tensor = {values, WIDE, 1}};
    for (int32_t i = 0; i < WIDE; i++)
        values[i] = (float)i / (WIDE - 1);
    assert_ok(ic_explanation_image(&e, out));
}

static ic_image *flat(ic_context *context, int32_t order, int depth, unsigned int value)
{
    static uint16_t deep[WIDE * HIGH * 4];
    unsigned char *shallow = (unsigned char *)deep;
    ic_image *image;
    for (int i = 0; i < WIDE * HIGH * 4; i++) {
        if (depth == 16)
            deep[i] = (uint16_t)(value * 257);
        else
            shallow[i] = (unsigned char)value;
    }
    assert_ok(ic_image_from_pixels(context, deep, WIDE, HIGH, 0, order, &image));
    return image;
}

/* The lightness L* of CIELAB of an sRGB colour. */
static double lightness(const unsigned char *rgb)
{
    static const double weights[3] = {0.2126, 0.7152, 0.0722};
    double y = 0;
    for (int c = 0; c < 3; c++) {
        const double v = rgb[c] / 255.0;
        y += weights[c] * (v <= 0.04045 ? v / 12.92 : pow((v + 0.055) / 1.055, 2.4));
    }
    return y > 216.0 / 24389 ? 116 * cbrt(y) - 16 : y * 24389 / 27;
}

/* On every even ground the heat can be read from the lightness alone, from where it covers the
 * ground on. */
static void test_lightness_rises_with_heat(void **state)
{
    ic_context *context = test_context(1);
    (void)state;
    for (unsigned int ground = 0; ground <= 255; ground += 51) {
        ic_image *picture = flat(context, IC_PIXELS_GREY8, 8, ground), *drawn;
        draw_ramp(context, picture, 0, &drawn);
        assert_int_equal(drawn->width, WIDE);
        assert_int_equal(drawn->height, HIGH);
        assert_int_equal(drawn->channels, 3);
        for (int32_t x = WIDE / 2; x + 10 < WIDE; x++)
            assert_true(lightness(ic_image_row(drawn, 2) + 3 * (x + 10)) >
                        lightness(ic_image_row(drawn, 2) + 3 * x) + 2);
        ic_image_free(drawn);
        ic_image_free(picture);
    }
    ic_context_free(context);
}

/* The ground is grey where it is cold, and darker where the network has seen nothing. */
static void test_cold_and_unseen(void **state)
{
    ic_context *context = test_context(1);
    ic_image *picture = flat(context, IC_PIXELS_RGB8, 8, 200), *drawn;
    (void)state;
    draw_ramp(context, picture, 40, &drawn);
    const unsigned char *row = ic_image_row(drawn, 2);
    assert_int_equal(row[3 * 39], 50);
    assert_int_equal(row[3 * 39 + 2], 50);
    assert_true(abs(row[3 * 40] - 120) < 3 && abs(row[3 * 40 + 1] - 120) < 3);
    assert_true(row[3 * 100] > row[3 * 100 + 2] + 30); /* yellow */
    ic_image_free(drawn);
    ic_image_free(picture);
    ic_context_free(context);
}

/* Whatever the kind of picture: the same drawing. */
static void test_all_kinds_of_pictures(void **state)
{
    static const struct {
        int32_t order;
        int depth;
    } kinds[] = {{IC_PIXELS_RGB8, 8}, {IC_PIXELS_GREY16, 16}, {IC_PIXELS_RGB16, 16}};
    ic_context *context = test_context(1);
    ic_image *grey = flat(context, IC_PIXELS_GREY8, 8, 120), *wanted;
    (void)state;
    draw_ramp(context, grey, 10, &wanted);
    for (int i = 0; i < 3; i++) {
        ic_image *picture = flat(context, kinds[i].order, kinds[i].depth, 120), *drawn;
        draw_ramp(context, picture, 10, &drawn);
        for (int32_t y = 0; y < HIGH; y++)
            assert_memory_equal(ic_image_row(drawn, y), ic_image_row(wanted, y), 3 * WIDE);
        ic_image_free(drawn);
        ic_image_free(picture);
    }
    ic_image_free(wanted);
    ic_image_free(grey);
    ic_context_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lightness_rises_with_heat),
        cmocka_unit_test(test_cold_and_unseen),
        cmocka_unit_test(test_all_kinds_of_pictures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

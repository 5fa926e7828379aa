/* image/test_resize.c: resampling against Pillow's, and what must hold for any resampling.
 * SPDX-License-Identifier: MIT */
#include "base/status.h"
#include "image/image.h"
#include "support/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct golden_case {
    int32_t width, height, channels, depth;
    ic_box box;
    int32_t new_width, new_height, filter;
    const uint16_t *samples;
} golden_case;

#include "image/resize_golden.h"

static ic_context *context;

/* The noise of tests/tools/resize_pillow.py. */
static ic_image *make_noise(int32_t width, int32_t height, int32_t channels, int32_t depth)
{
    ic_image *image = NULL;
    uint32_t noise = 12345;

    assert_ok(ic_image_create(context, width, height, channels, depth, &image));
    for (int32_t i = 0; i < width * height * channels; i++) {
        if (i % 3 == 0)
            noise = (noise * 1103515245u + 12345u) & 0x7fffffffu;
        if (depth == 8)
            image->pixels[i] = (unsigned char)(noise >> 8);
        else
            ((uint16_t *)(void *)image->pixels)[i] = (uint16_t)(noise >> 8);
    }
    return image;
}

static int sample_of(const ic_image *image, size_t index)
{
    return image->depth == 8 ? image->pixels[index]
                             : ((const uint16_t *)(const void *)image->pixels)[index];
}

static void test_as_pillow(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(goldens) / sizeof(goldens[0]); i++) {
        const golden_case *g = &goldens[i];
        ic_image *image = make_noise(g->width, g->height, g->channels, g->depth), *small = NULL;
        int32_t count = g->new_width * g->new_height * g->channels;

        assert_ok(
            ic_image_resize_box(image, &g->box, g->new_width, g->new_height, g->filter, &small));
        assert_int_equal(small->width, g->new_width);
        assert_int_equal(small->height, g->new_height);
        assert_int_equal(small->channels, g->channels);
        assert_int_equal(small->depth, g->depth);
        for (int32_t k = 0; k < count; k++)
            if (abs(sample_of(small, (size_t)k) - g->samples[k]) > 1)
                fail_msg("case %zu, sample %d: %d, Pillow has %d", i, k,
                         sample_of(small, (size_t)k), g->samples[k]);
        ic_image_free(image);
        ic_image_free(small);
    }
}

static void check_same(const ic_image *a, const ic_image *b)
{
    assert_int_equal(a->stride, b->stride);
    assert_int_equal(a->height, b->height);
    assert_memory_equal(a->pixels, b->pixels, a->stride * (size_t)a->height);
}

static void test_same_size_is_a_copy(void **state)
{
    (void)state;
    for (int32_t filter = IC_FILTER_BILINEAR; filter <= IC_FILTER_BICUBIC; filter++)
        for (int32_t depth = 8; depth <= 16; depth += 8)
            for (int32_t channels = 1; channels <= 3; channels += 2) {
                ic_image *image = make_noise(31, 17, channels, depth), *same = NULL;

                assert_ok(ic_image_resize(image, 31, 17, filter, &same));
                check_same(image, same);
                ic_image_free(image);
                ic_image_free(same);
            }
}

/* Weights add up to one: what is flat stays flat, at any size, to the last bit. */
static void test_flat_stays_flat(void **state)
{
    static const int32_t sizes[][2] = {{1, 1}, {7, 90}, {100, 3}, {64, 64}, {333, 1}};

    (void)state;
    for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++)
        for (int32_t kind = 0; kind < 16; kind++) {
            int32_t depth = kind & 1 ? 16 : 8, channels = 1 + kind / 4;
            ic_image *image = NULL, *other = NULL;

            assert_ok(ic_image_create(context, 90, 61, channels, depth, &image));
            memset(image->pixels, 0xc3, image->stride * 61);
            assert_ok(ic_image_resize(image, sizes[s][0], sizes[s][1],
                                      kind & 2 ? IC_FILTER_BICUBIC : IC_FILTER_BILINEAR, &other));
            for (int32_t k = 0; k < other->width * other->height * channels; k++)
                assert_int_equal(sample_of(other, (size_t)k), depth == 8 ? 0xc3 : 0xc3c3);
            ic_image_free(image);
            ic_image_free(other);
        }
}

/* Mirrored in, mirrored out: no half-pixel shift. */
static void test_symmetric(void **state)
{
    (void)state;
    for (int32_t filter = IC_FILTER_BILINEAR; filter <= IC_FILTER_BICUBIC; filter++)
        for (int32_t width = 1; width <= 80; width += 13) {
            ic_image *image = make_noise(37, 1, 1, 8), *mirror = make_noise(37, 1, 1, 8);
            ic_image *a = NULL, *b = NULL;

            for (int32_t x = 0; x < 37; x++)
                mirror->pixels[36 - x] = image->pixels[x];
            assert_ok(ic_image_resize(image, width, 1, filter, &a));
            assert_ok(ic_image_resize(mirror, width, 1, filter, &b));
            for (int32_t x = 0; x < width; x++)
                assert_true(abs(a->pixels[x] - b->pixels[width - 1 - x]) <= 1);
            ic_image_free(image);
            ic_image_free(mirror);
            ic_image_free(a);
            ic_image_free(b);
        }
}

/* Halving with the triangle averages with weights 1 3 3 1, over 8, within the picture. */
static void test_halving(void **state)
{
    ic_image *image = NULL, *half = NULL;

    (void)state;
    assert_ok(ic_image_create(context, 8, 1, 1, 8, &image));
    memcpy(image->pixels, "\0\10\20\30\50\0\100\200", 8);
    assert_ok(ic_image_resize(image, 4, 1, IC_FILTER_BILINEAR, &half));
    assert_int_equal(half->pixels[1], (1 * 8 + 3 * 16 + 3 * 24 + 1 * 40 + 4) / 8);
    assert_int_equal(half->pixels[2], (1 * 24 + 3 * 40 + 3 * 0 + 1 * 64 + 4) / 8);
    ic_image_free(image);
    ic_image_free(half);
}

/* What lies outside the box by more than the filter's reach has no say. */
static void test_box_is_a_cutting(void **state)
{
    ic_image *image = make_noise(60, 50, 3, 8), *cut = NULL, *a = NULL, *b = NULL;
    ic_box box = {10, 20, 30, 25}, all = {0, 0, 30, 25};

    (void)state;
    assert_ok(ic_image_create(context, 30, 25, 3, 8, &cut));
    for (int32_t y = 0; y < 25; y++)
        memcpy(ic_image_row(cut, y), ic_image_row(image, 20 + y) + 30, 90);
    assert_ok(ic_image_resize_box(image, &box, 30, 25, IC_FILTER_BILINEAR, &a));
    check_same(a, cut);
    ic_image_free(a);
    assert_ok(ic_image_resize_box(image, &box, 10, 9, IC_FILTER_BICUBIC, &a));
    assert_ok(ic_image_resize_box(cut, &all, 10, 9, IC_FILTER_BICUBIC, &b));
    for (int32_t y = 2; y < 7; y++)
        assert_memory_equal(ic_image_row(a, y) + 6, ic_image_row(b, y) + 6, 18);
    ic_image_free(image);
    ic_image_free(cut);
    ic_image_free(a);
    ic_image_free(b);
}

/* A transparent pixel's colour must not show. */
static void test_alpha(void **state)
{
    static const unsigned char pixels[] = {200, 100, 50, 255, 0, 255, 0, 0};
    ic_image *image = NULL, *one = NULL, *many = NULL;

    (void)state;
    assert_ok(ic_image_from_pixels(context, pixels, 2, 1, 0, IC_PIXELS_RGBA8, &image));
    for (int32_t filter = IC_FILTER_BILINEAR; filter <= IC_FILTER_BICUBIC; filter++) {
        assert_ok(ic_image_resize(image, 1, 1, filter, &one));
        assert_memory_equal(one->pixels, ((unsigned char[]){200, 100, 50, 128}), 4);
        ic_image_free(one);
        assert_ok(ic_image_resize(image, 9, 3, filter, &many));
        for (int32_t x = 0; x < 9; x++) {
            const unsigned char *p = ic_image_row(many, 1) + 4 * x;

            assert_true(p[3] == 0 || (abs(p[0] - 200) <= 1 && abs(p[1] - 100) <= 1));
        }
        ic_image_free(many);
    }
    ic_image_free(image);
}

static void test_extreme_shapes(void **state)
{
    ic_image *image = make_noise(20000, 1, 1, 8), *other = NULL;

    (void)state;
    assert_ok(ic_image_resize(image, 1, 1, IC_FILTER_BICUBIC, &other));
    ic_image_free(other);
    assert_ok(ic_image_resize(image, 1, 20000, IC_FILTER_BILINEAR, &other));
    ic_image_free(other);
    assert_ok(ic_image_resize(image, 32768, 2, IC_FILTER_BICUBIC, &other));
    ic_image_free(other);
    ic_image_free(image);
}

static void test_errors(void **state)
{
    ic_image *image = make_noise(4, 3, 3, 8), *out = NULL;
    static const ic_box bad[] = {{-1, 0, 2, 2},  {0, -0.5, 2, 2}, {0, 0, 0, 2},   {0, 0, 2, -1},
                                 {3, 0, 1.5, 1}, {0, 2, 4, 2},    {NAN, 0, 1, 1}, {0, 0, NAN, 1}};

    (void)state;
    assert_fails(IC_ERROR_ARGUMENT, "NULL", ic_image_resize(NULL, 1, 1, 1, &out));
    assert_fails(IC_ERROR_ARGUMENT, "NULL", ic_image_resize(image, 1, 1, 1, NULL));
    assert_fails(IC_ERROR_ARGUMENT, "0 x 1", ic_image_resize(image, 0, 1, 1, &out));
    assert_fails(IC_ERROR_ARGUMENT, "1 x -1", ic_image_resize(image, 1, -1, 1, &out));
    assert_fails(IC_ERROR_ARGUMENT, "3 is no filter", ic_image_resize(image, 1, 1, 3, &out));
    assert_fails(IC_ERROR_ARGUMENT, "0 is no filter", ic_image_resize(image, 1, 1, 0, &out));
    assert_fails(IC_ERROR_LIMIT, "max_side", ic_image_resize(image, 40000, 1, 1, &out));
    assert_fails(IC_ERROR_LIMIT, "max_megapixels", ic_image_resize(image, 32768, 32768, 1, &out));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_fails(IC_ERROR_ARGUMENT, "outside its 4 x 3 picture",
                     ic_image_resize_box(image, &bad[i], 1, 1, 1, &out));
    assert_null(out);
    ic_image_free(image);
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
        cmocka_unit_test(test_as_pillow),       cmocka_unit_test(test_same_size_is_a_copy),
        cmocka_unit_test(test_flat_stays_flat), cmocka_unit_test(test_symmetric),
        cmocka_unit_test(test_halving),         cmocka_unit_test(test_box_is_a_cutting),
        cmocka_unit_test(test_alpha),           cmocka_unit_test(test_extreme_shapes),
        cmocka_unit_test(test_errors),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}

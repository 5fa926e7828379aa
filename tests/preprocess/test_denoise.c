/* preprocess/test_denoise.c: the decibels that each denoiser wins, and its exact values where they
 * are known. SPDX-License-Identifier: MIT */
#include "preprocess/noise.h"

#include "dataset/dataset.h"
#include "preprocess/pipeline.h"

#include <math.h>
#include <stdlib.h>

typedef struct contest {
    const char *name;
    ic_denoise kind;
    float strength;
    double salt_and_pepper, noise; /* the damage: share of pixels, or deviation */
} contest;

static const contest contests[] = {
    {"median 3x3 on 5 % salt and pepper", IC_DENOISE_MEDIAN, 1, 0.05, 0},
    {"median 5x5 on 25 % salt and pepper", IC_DENOISE_MEDIAN, 2, 0.25, 0},
    {"gaussian on noise of 0.1", IC_DENOISE_GAUSSIAN, 1, 0, 0.1},
    {"bilateral on noise of 0.05", IC_DENOISE_BILATERAL, 1, 0, 0.05},
    {"bilateral of strength 2 on noise of 0.1", IC_DENOISE_BILATERAL, 2, 0, 0.1},
};
enum { CONTESTS = sizeof contests / sizeof *contests };

/* The decibels won on one picture. */
static double win(const ic_image *image, const contest *c, uint64_t seed)
{
    ic_image *noised = c->noise > 0 ? add_noise(image, c->noise, seed)
                                    : add_salt_and_pepper(image, c->salt_and_pepper, seed);
    ic_image *cleaned;
    assert_ok(ic_image_denoise(noised, c->kind, c->strength, &cleaned));
    assert_int_equal(cleaned->depth, image->depth);
    double won = decibels(image, cleaned) - decibels(image, noised);
    ic_image_free(cleaned);
    ic_image_free(noised);
    return won;
}

static void each_wins_on_a_drawn_scene(void **state)
{
    (void)state;
    ic_context *context = test_context(1);
    for (int32_t depth = 8; depth <= 16; depth += 8)
        for (int32_t channels = 1; channels <= 3; channels += 2) {
            ic_image *scene = draw_scene(context, 97, 83, channels, depth);
            for (int32_t i = 0; i < CONTESTS; i++) {
                double won = win(scene, &contests[i], 1);
                if (won <= 2)
                    fail_msg("%s, %d bits, %d channels: only %d/100 dB", contests[i].name, depth,
                             channels, (int)(100 * won));
            }
            ic_image_free(scene);
        }
    ic_context_free(context);
}

static void each_wins_on_real_pictures(void **state)
{
    (void)state;
    const char *flowers = test_data("flowers");
    if (flowers == NULL)
        return;
    ic_context *context = test_context(1);
    ic_dataset *dataset;
    assert_ok(ic_dataset_open(context, test_path(flowers, "test"), NULL, &dataset));
    double won[CONTESTS] = {0};
    enum { PICTURES = 10 };
    for (int32_t k = 0; k < PICTURES; k++) {
        ic_image *image, *small;
        assert_ok(ic_dataset_image(dataset, k * ic_dataset_count(dataset) / PICTURES, &image));
        assert_ok(ic_image_resize(image, 160, 160, IC_FILTER_BILINEAR, &small));
        for (int32_t i = 0; i < CONTESTS; i++)
            won[i] += win(small, &contests[i], (uint64_t)k) / PICTURES;
        ic_image_free(small);
        ic_image_free(image);
    }
    for (int32_t i = 0; i < CONTESTS; i++) {
        print_message("%s: %d.%02d dB won\n", contests[i].name, (int)won[i],
                      (int)(100 * won[i]) % 100);
        assert_true(won[i] > 2);
    }
    ic_dataset_free(dataset);
    ic_context_free(context);
}

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static int32_t reflected(int32_t at, int32_t n)
{
    while (n > 1 && (at < 0 || at >= n))
        at = at < 0 ? -at : 2 * (n - 1) - at;
    return n > 1 ? at : 0;
}

static void the_median_is_the_middle_of_its_window(void **state)
{
    (void)state;
    static const int32_t sizes[][2] = {{1, 1}, {2, 3}, {1, 40}, {33, 1}, {35, 5}, {11, 12}};
    ic_context *context = test_context(1);
    for (size_t i = 0; i < 24; i++) {
        int32_t depth = i % 2 ? 16 : 8, channels = i / 2 % 2 ? 3 : 1;
        int32_t width = sizes[i / 4][0], height = sizes[i / 4][1];
        ic_image *image = draw_static(context, width, height, channels, depth, i), *out;
        for (int32_t radius = 1; radius <= 2; radius++) {
            assert_ok(ic_image_denoise(image, IC_DENOISE_MEDIAN, (float)radius, &out));
            for (int32_t at = 0; at < width * height * channels; at++) {
                int32_t c = at % channels, x = at / channels % width, y = at / channels / width;
                uint32_t window[25];
                int32_t count = 0;
                for (int32_t dy = -radius; dy <= radius; dy++)
                    for (int32_t dx = -radius; dx <= radius; dx++)
                        window[count++] = get_sample(image, reflected(x + dx, width),
                                                     reflected(y + dy, height), c);
                qsort(window, (size_t)count, sizeof *window, compare);
                assert_int_equal(get_sample(out, x, y, c), window[count / 2]);
            }
            ic_image_free(out);
        }
        ic_image_free(image);
    }
    ic_context_free(context);
}

static void the_gaussian_is_a_weighted_mean(void **state)
{
    (void)state;
    ic_context *context = test_context(1);
    ic_image *image = draw_static(context, 7, 5, 3, 8, 1), *out;
    assert_ok(ic_image_denoise(image, IC_DENOISE_GAUSSIAN, 0.8f, &out));
    for (int32_t y = 0; y < 5; y++)
        for (int32_t x = 0; x < 7; x++)
            for (int32_t c = 0; c < 3; c++) {
                double sum = 0, total = 0;
                for (int32_t dy = -3; dy <= 3; dy++)
                    for (int32_t dx = -3; dx <= 3; dx++) {
                        double weight = exp(-(dx * dx + dy * dy) / (2 * 0.64));
                        sum += weight *
                               get_sample(image, reflected(x + dx, 7), reflected(y + dy, 5), c);
                        total += weight;
                    }
                assert_true(fabs(get_sample(out, x, y, c) - sum / total) < 0.501);
            }
    ic_image_free(out);
    ic_image_free(image);
    ic_context_free(context);
}

/* A clean step is left as it is by the bilateral filter, and not by the Gaussian. */
static void the_bilateral_keeps_edges(void **state)
{
    (void)state;
    ic_context *context = test_context(1);
    ic_image *image, *bilateral, *gaussian;
    assert_ok(ic_image_create(context, 16, 9, 1, 16, &image));
    for (int32_t i = 0; i < 16 * 9; i++)
        put_sample(image, i % 16, i / 16, 0, i % 16 < 8 ? 10000 : 50000);
    assert_ok(ic_image_denoise(image, IC_DENOISE_BILATERAL, 1, &bilateral));
    assert_ok(ic_image_denoise(image, IC_DENOISE_GAUSSIAN, 1, &gaussian));
    for (int32_t i = 0; i < 16 * 9; i++)
        assert_int_equal(get_sample(bilateral, i % 16, i / 16, 0),
                         get_sample(image, i % 16, i / 16, 0));
    assert_true(get_sample(gaussian, 7, 4, 0) > 20000);
    ic_image_free(gaussian);
    ic_image_free(bilateral);
    ic_image_free(image);
    ic_context_free(context);
}

/* Flat pictures stay flat at both ends of the range, whatever the strength. */
static void flat_pictures_stay(void **state)
{
    (void)state;
    static const float strengths[] = {0.1f, 1, 2.5f, 10};
    ic_context *context = test_context(1);
    for (int32_t i = 0; i < 3 * 4 * 4; i++) {
        ic_denoise kind = (ic_denoise)(IC_DENOISE_MEDIAN + i % 3);
        int32_t depth = i / 3 % 2 ? 8 : 16;
        uint32_t value = i / 6 % 2 ? 0 : depth == 8 ? 255 : 65535;
        ic_image *image, *out;
        assert_ok(ic_image_create(context, 5, 4, 3, depth, &image));
        for (int32_t at = 0; at < 60; at++)
            put_sample(image, at / 3 % 5, at / 15, at % 3, value);
        assert_ok(ic_image_denoise(image, kind, strengths[i / 12], &out));
        for (int32_t at = 0; at < 60; at++)
            assert_int_equal(get_sample(out, at / 3 % 5, at / 15, at % 3), value);
        ic_image_free(out);
        ic_image_free(image);
    }
    ic_context_free(context);
}

static void nonsense_is_an_error(void **state)
{
    (void)state;
    ic_context *context = test_context(1);
    ic_image *grey = draw_static(context, 3, 3, 1, 8, 1),
             *alpha = draw_static(context, 3, 3, 4, 8, 1);
    ic_image *out = NULL;
    assert_fails(IC_ERROR_ARGUMENT, "1 or 3 channels, not 4",
                 ic_image_denoise(alpha, IC_DENOISE_MEDIAN, 1, &out));
    assert_fails(IC_ERROR_ARGUMENT, "above 0", ic_image_denoise(grey, IC_DENOISE_MEDIAN, 0, &out));
    assert_fails(IC_ERROR_ARGUMENT, "above 0",
                 ic_image_denoise(grey, IC_DENOISE_GAUSSIAN, NAN, &out));
    assert_fails(IC_ERROR_ARGUMENT, "no kind", ic_image_denoise(grey, IC_DENOISE_NONE, 1, &out));
    assert_fails(IC_ERROR_ARGUMENT, "no kind", ic_image_denoise(grey, (ic_denoise)9, 1, &out));
    assert_null(out);
    ic_image_free(grey);
    ic_image_free(alpha);
    ic_context_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_wins_on_a_drawn_scene),
        cmocka_unit_test(each_wins_on_real_pictures),
        cmocka_unit_test(the_median_is_the_middle_of_its_window),
        cmocka_unit_test(the_gaussian_is_a_weighted_mean),
        cmocka_unit_test(the_bilateral_keeps_edges),
        cmocka_unit_test(flat_pictures_stay),
        cmocka_unit_test(nonsense_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

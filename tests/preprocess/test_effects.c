/* preprocess/test_effects.c: changes of samples against Pillow's and plain references.
 * SPDX-License-Identifier: MIT */
#include "preprocess/noise.h"

#include "preprocess/effects.h"
#include "preprocess/effects_golden.h"
#include "preprocess/pipeline.h"
#include "preprocess/policy.h"
#include "preprocess/reflect.h"

#include <math.h>
#include <string.h>

enum { WIDTH = 20, HEIGHT = 16, SAMPLES = WIDTH * HEIGHT };

/* The picture of tests/tools/effects_pillow.py, times `unit`. */
static ic_samples golden_picture(float *at, float unit)
{
    for (int32_t i = 0; i < SAMPLES; i++) {
        int32_t x = i % WIDTH, y = i / WIDTH;
        at[i] = (float)(30 + (x * x * 7 + y * 13 + x * y * 3) % 150) * unit;
    }
    return (ic_samples){at, WIDTH, HEIGHT, 1, 255 * unit};
}

static void posterise(const ic_samples *s)
{
    ic_posterise(s, 3);
}

static void solarise(const ic_samples *s)
{
    ic_solarise(s, 100 * s->most / 255);
}

static void sharpen(const ic_samples *s)
{
    ic_sharpen(s, 1.9f);
}

static void smooth(const ic_samples *s)
{
    ic_sharpen(s, 0.1f);
}

static void contrast(const ic_samples *s)
{
    ic_change_contrast(s, 1.6f, ic_brighten(s, 1));
}

static void brighten(const ic_samples *s)
{
    ic_brighten(s, 1.8f);
}

/*
 * Pillow cuts its results down to whole numbers, and rounds what it mixes; so ours lie at most one
 * above, and half of a step of what is rounded below. With 16 bits the same, but for posterise,
 * which keeps the leading bits of those.
 */
static void effects_are_pillows(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        void (*change)(const ic_samples *s);
        const uint8_t *golden;
        double below, above;
    } cases[] = {
        {"posterise", posterise, posterized, 0, 0},
        {"solarise", solarise, solarized, 0, 0},
        {"autocontrast", ic_autocontrast, autocontrasted, 1e-4, 1},
        {"equalise", ic_equalise, equalized, 0, 0},
        {"sharpen", sharpen, sharpened, 0.6, 1.6},
        {"smooth", smooth, smoothed, 0.6, 1.6},
        {"contrast", contrast, contrasted, 0.4, 1.4},
        {"brighten", brighten, brightened, 1e-4, 1},
    };
    for (size_t i = 0; i < 2 * sizeof cases / sizeof *cases; i++) {
        const float unit = i % 2 ? 257 : 1;
        float at[SAMPLES + 1];
        ic_samples s = golden_picture(at, unit);
        at[SAMPLES] = 1e30f;
        cases[i / 2].change(&s);
        assert_true(at[SAMPLES] == 1e30f);
        for (int32_t k = 0; k < SAMPLES; k++) {
            double value = (double)at[k] / (cases[i / 2].change == posterise && i % 2 ? 256 : unit);
            double off = value - cases[i / 2].golden[k];
            double fine = cases[i / 2].above == 0 ? 1e-4 : 0;
            if (off < -cases[i / 2].below - fine || off > cases[i / 2].above + fine)
                fail_msg("%s: sample %d is %f, Pillow has %d", cases[i / 2].name, (int)k, value,
                         (int)cases[i / 2].golden[k]);
        }
    }
}

/* Each channel by itself; one that has only one value stays. */
static void channels_are_stretched_apart(void **state)
{
    (void)state;
    float at[4 * 3] = {10, 50, 7, 20, 60, 7, 30, 100, 7, 20, 75, 7};
    const float stretched[4 * 3] = {0, 0, 7, 127.5f, 51, 7, 255, 255, 7, 127.5f, 127.5f, 7};
    ic_autocontrast(&(ic_samples){at, 2, 2, 3, 255});
    for (int32_t i = 0; i < 12; i++)
        assert_true(fabsf(at[i] - stretched[i]) < 1e-4f);
    for (int32_t i = 0; i < 12; i++) /* too few pixels for 255 steps: as Pillow, no change */
        at[i] = (float)i;
    ic_equalise(&(ic_samples){at, 2, 2, 3, 255});
    for (int32_t i = 0; i < 12; i++)
        assert_true(at[i] == (float)i);
}

/* ---- Blur ---- */

enum { BLUR_WIDTH = 23, BLUR_HEIGHT = 17, BLUR_SAMPLES = BLUR_WIDTH * BLUR_HEIGHT * 3 };

static double weight_of(double sigma, int32_t radius, int32_t at)
{
    double sum = 0;
    for (int32_t i = -radius; i <= radius; i++)
        sum += exp(-i * i / (2 * sigma * sigma));
    return exp(-at * at / (2 * sigma * sigma)) / sum;
}

static double plain_blur(const float *samples, int32_t width, int32_t height, int32_t channels,
                         int32_t at, double sigma)
{
    int32_t radius = (int32_t)ceil(3 * sigma), x = at / channels % width, y = at / channels / width;
    double sum = 0;
    for (int32_t dy = -radius; dy <= radius; dy++)
        for (int32_t dx = -radius; dx <= radius; dx++) {
            int32_t from = ic_reflect(y + dy, height) * width + ic_reflect(x + dx, width);
            sum += weight_of(sigma, radius, dx) * weight_of(sigma, radius, dy) *
                   samples[from * channels + at % channels];
        }
    return sum;
}

static void blur_is_gaussian(void **state)
{
    (void)state;
    static const double sigmas[] = {1e-6, 0.3, 0.8, 2.1};
    for (int32_t i = 0; i < 8; i++) {
        const int32_t channels = i % 2 ? 3 : 1, width = BLUR_WIDTH - i, height = BLUR_HEIGHT - i;
        const int32_t count = width * height * channels;
        float before[BLUR_SAMPLES], after[BLUR_SAMPLES];
        ic_random random = ic_random_at(1, IC_USE_WEIGHTS, 0, (uint64_t)i);
        for (int32_t k = 0; k < count; k++)
            before[k] = after[k] = (float)ic_random_range(&random, 0, 255);
        ic_blur(&(ic_samples){after, width, height, channels, 255}, sigmas[i / 2]);
        for (int32_t k = 0; k < count; k++)
            assert_true(fabs((double)after[k] -
                             plain_blur(before, width, height, channels, k, sigmas[i / 2])) < 1e-3);
    }
}

/* What stays away from the edges keeps its sum. */
static void blur_conserves_the_mean(void **state)
{
    (void)state;
    enum { SIDE = 40 };
    static float at[SIDE * SIDE];
    double before = 0, after = 0, most = 0;
    ic_random random = ic_random_at(2, IC_USE_WEIGHTS, 0, 0);
    for (int32_t i = 0; i < SIDE * SIDE; i++) {
        bool inside = i % SIDE >= 10 && i % SIDE < 30 && i / SIDE >= 10 && i / SIDE < 30;
        at[i] = inside ? (float)ic_random_range(&random, 0, 255) : 0;
        before += at[i];
    }
    ic_blur(&(ic_samples){at, SIDE, SIDE, 1, 255}, 3);
    for (int32_t i = 0; i < SIDE * SIDE; i++) {
        after += at[i];
        most = at[i] > most ? at[i] : most;
    }
    assert_true(fabs(after - before) < 1e-4 * before);
    assert_true(most < 160); /* of noise around 127 */
}

/* ---- Noise ---- */

/* Mean, deviation and tails as a normal distribution has them; neighbours know nothing of each
 * other. */
static void noise_is_normal_and_white(void **state)
{
    (void)state;
    enum { SIDE = 512, COUNT = SIDE * SIDE };
    static float at[COUNT];
    const double deviation = 0.05 * 255;
    ic_random random = ic_random_at(3, IC_USE_AUGMENT, 0, 0);
    for (int32_t i = 0; i < COUNT; i++)
        at[i] = 127.5f;
    ic_add_noise(&(ic_samples){at, SIDE, SIDE, 1, 255}, 0.05, &random);
    double sum = 0, squares = 0, fourth = 0, beyond = 0;
    for (int32_t i = 0; i < COUNT; i++) {
        double z = (at[i] - 127.5) / deviation;
        sum += z;
        squares += z * z;
        fourth += z * z * z * z;
        beyond += fabs(z) > 2;
    }
    assert_true(fabs(sum / COUNT) < 0.008); /* 4 deviations of the mean */
    assert_true(fabs(sqrt(squares / COUNT) - 1) < 0.006);
    assert_true(fabs(fourth / COUNT - 2.85) < 0.05);
    assert_true(fabs(beyond / COUNT - 0.0455) < 0.003);
    for (int32_t apart = 1; apart <= 600; apart++) {
        double product = 0;
        for (int32_t i = apart; i < COUNT; i++)
            product += (at[i] - 127.5) * (at[i - apart] - 127.5);
        assert_true(fabs(product / COUNT) < 0.011 * deviation * deviation);
    }
}

static void noise_stays_in_range(void **state)
{
    (void)state;
    float at[101];
    ic_random random = ic_random_at(4, IC_USE_AUGMENT, 0, 0);
    for (int32_t i = 0; i < 101; i++)
        at[i] = i % 2 ? 65535 : 0;
    at[100] = 1e30f;
    ic_add_noise(&(ic_samples){at, 10, 10, 1, 65535}, 1, &random);
    for (int32_t i = 0; i < 100; i++)
        assert_true(at[i] >= 0 && at[i] <= 65535);
    assert_true(at[100] == 1e30f);
}

/* ---- The policy ---- */

/* All kinds come equally often, at strengths from nothing to all, either way. */
static void policies_draw_fairly(void **state)
{
    (void)state;
    enum { RUNS = 14000 };
    int32_t kinds[IC_POLICY_END] = {0}, levels[31] = {0}, negative = 0;
    for (uint64_t run = 0; run < RUNS; run++) {
        ic_random random = ic_random_at(5, IC_USE_AUGMENT, 0, run);
        ic_policy_change change = ic_policy_draw(IC_POLICY_TRIVIAL, &random);
        kinds[change.kind]++;
        levels[(int32_t)(change.level * 30 + 0.5)]++;
        negative += change.either_way < 0;
        assert_true(fabs(change.either_way) == change.level);
    }
    for (int32_t k = 0; k < IC_POLICY_END; k++)
        if (k != IC_POLICY_TRIVIAL)
            assert_in_range(kinds[k], 870, 1130); /* 1000 expected, deviation 30 */
    for (int32_t k = 0; k < 31; k++)
        assert_in_range(levels[k], 365, 540); /* 452, deviation 21 */
    assert_in_range(negative, 6500, 7050);    /* 6774, those without strength are neither */
}

/* Where a pixel of the tensor comes from, by the ranges of torchvision; the middle stays. */
static void policies_bend_the_map(void **state)
{
    (void)state;
    static const struct {
        ic_policy kind;
        double level, x, y; /* that pixel (14, 10) of 21 x 21 is taken from */
    } cases[] = {
        {IC_POLICY_ONLY_SHEAR_X, 1, 14, 10},       {IC_POLICY_ONLY_SHEAR_Y, 1, 14, 13.96},
        {IC_POLICY_ONLY_SHEAR_Y, -0.5, 14, 8.02},  {IC_POLICY_ONLY_TRANSLATE_X, 1, 46, 10},
        {IC_POLICY_ONLY_TRANSLATE_Y, -1, 14, -22}, {IC_POLICY_ONLY_ROTATE, 2.0 / 3, 10, 14},
        {IC_POLICY_ONLY_CONTRAST, 1, 14, 10},      {IC_POLICY_NONE, 0, 14, 10},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ic_policy_change change = {cases[i].kind, fabs(cases[i].level), cases[i].level};
        ic_affine map = {.ux = -2, .u0 = 5, .vy = 3, .v0 = 7}; /* of other geometry behind it */
        ic_policy_bend(&change, 21, 21, &map);
        double u = map.ux * 14 + map.uy * 10 + map.u0, v = map.vx * 14 + map.vy * 10 + map.v0;
        assert_true(fabs(u - (5 - 2 * cases[i].x)) < 1e-9);
        assert_true(fabs(v - (7 + 3 * cases[i].y)) < 1e-9);
    }
}

/* Strengths 0 and 1 of what has no direction, and factors of what has. */
static void policies_change_colours(void **state)
{
    (void)state;
    static const struct {
        ic_policy kind;
        double level;
        float before, after;
    } cases[] = {
        {IC_POLICY_ONLY_BRIGHTNESS, -1, 100, 1},    {IC_POLICY_ONLY_BRIGHTNESS, 0.5, 100, 149.5f},
        {IC_POLICY_ONLY_POSTERIZE, 0, 201, 201},    {IC_POLICY_ONLY_POSTERIZE, 1, 201, 192},
        {IC_POLICY_ONLY_POSTERIZE, 0.5, 201, 200},  {IC_POLICY_ONLY_SOLARIZE, 0, 254, 254},
        {IC_POLICY_ONLY_SOLARIZE, 1, 201, 54},      {IC_POLICY_ONLY_COLOUR, 1, 201, 201},
        {IC_POLICY_ONLY_AUTOCONTRAST, 1, 201, 201},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        float at[4] = {cases[i].before, cases[i].before, cases[i].before, cases[i].before};
        ic_policy_change change = {cases[i].kind, fabs(cases[i].level), cases[i].level};
        ic_policy_colour(&change, &(ic_samples){at, 2, 2, 1, 255});
        for (int32_t k = 0; k < 4; k++)
            assert_true(fabsf(at[k] - cases[i].after) < 1e-3f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(effects_are_pillows),       cmocka_unit_test(channels_are_stretched_apart),
        cmocka_unit_test(blur_is_gaussian),          cmocka_unit_test(blur_conserves_the_mean),
        cmocka_unit_test(noise_is_normal_and_white), cmocka_unit_test(noise_stays_in_range),
        cmocka_unit_test(policies_draw_fairly),      cmocka_unit_test(policies_bend_the_map),
        cmocka_unit_test(policies_change_colours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

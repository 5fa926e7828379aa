/* preprocess/test_augment.c: random changes: exact where they can be, fair, and repeatable.
 * SPDX-License-Identifier: MIT */
#include "preprocess/noise.h"

#include "preprocess/pipeline.h"
#include "preprocess/sample.h"

#include <math.h>
#include <string.h>

enum { SIDE = 24, SAMPLES = SIDE * SIDE * 3 };

static ic_pipeline square(int32_t canvas)
{
    return (ic_pipeline){.width = SIDE,
                         .height = SIDE,
                         .channels = 3,
                         .canvas_width = canvas,
                         .canvas_height = canvas,
                         .resize = IC_RESIZE_STRETCH,
                         .filter = IC_FILTER_BILINEAR,
                         .denoise = IC_DENOISE_NONE,
                         .denoise_strength = 1,
                         .mean = {0.45f, 0.5f, 0.55f},
                         .deviation = {0.2f, 0.25f, 0.3f}};
}

static void augment(const ic_pipeline *pipeline, const ic_augment *how, const ic_image *canvas,
                    uint64_t picture, float *tensor)
{
    const ic_augment_key key = {.seed = 5, .picture = picture};
    ic_pipeline_augment(pipeline, how, canvas, &key, tensor);
}

static int32_t reflected(int32_t at, int32_t n)
{
    while (n > 1 && (at < 0 || at >= n))
        at = at < 0 ? -at : 2 * (n - 1) - at;
    return n > 1 ? at : 0;
}

/* The samples of the canvas behind a tensor: undoes the normalisation. */
static double sample_of(const ic_pipeline *pipeline, const float *tensor, int32_t at)
{
    return tensor[at] * (double)pipeline->deviation[at % 3] + pipeline->mean[at % 3];
}

static void no_augmentation_is_the_tensor(void **state)
{
    (void)state;
    ic_context *context = test_context(1);
    static const ic_augment none, ones = {.crop_scale = 1};
    for (int32_t i = 0; i < 8; i++) {
        ic_pipeline pipeline = square(SIDE + i / 2);
        pipeline.normalise = i / 4 != i % 2 ? IC_NORMALISE_PICTURE : IC_NORMALISE_DATASET;
        pipeline.width -= i % 3;
        pipeline.channels = i % 2 ? 3 : 1;
        float tensors[2][SAMPLES] = {{0}};
        ic_image *canvas = draw_static(context, pipeline.canvas_width, pipeline.canvas_height,
                                       pipeline.channels, i < 4 ? 8 : 16, 1);
        ic_pipeline_tensor(&pipeline, canvas, tensors[0]);
        augment(&pipeline, i % 2 ? &none : &ones, canvas, 1, tensors[1]);
        assert_memory_equal(tensors[0], tensors[1], sizeof tensors[0]);
        ic_image_free(canvas);
    }
    ic_context_free(context);
}

/* Each result must be one of the exact flips and shifts, bit for bit; all of them come about
 * equally often. */
static void flips_and_shifts_are_exact_and_fair(void **state)
{
    (void)state;
    enum { RUNS = 900, SHIFT = 1 };
    ic_context *context = test_context(1);
    ic_pipeline pipeline = square(SIDE);
    const ic_augment how = {.flip = IC_FLIP_ON, .shift = SHIFT};
    ic_image *canvas = draw_static(context, SIDE, SIDE, 3, 8, 1);
    float whole[SAMPLES], tensor[SAMPLES];
    int32_t counts[2 * 9] = {0};
    ic_pipeline_tensor(&pipeline, canvas, whole);
    for (uint64_t run = 0; run < RUNS; run++) {
        int32_t found = -1;
        augment(&pipeline, &how, canvas, run, tensor);
        for (int32_t k = 0; k < 18 && found < 0; k++) {
            int32_t dx = k / 2 % 3 - 1, dy = k / 6 - 1, same = 1;
            for (int32_t at = 0; at < SAMPLES && same; at++) {
                int32_t x = at / 3 % SIDE, y = at / 3 / SIDE;
                x = reflected((k % 2 ? SIDE - 1 - x : x) + dx, SIDE);
                y = reflected(y + dy, SIDE);
                same = memcmp(&tensor[at], &whole[(y * SIDE + x) * 3 + at % 3], sizeof(float)) == 0;
            }
            if (same)
                found = k;
        }
        assert_true(found >= 0);
        counts[found]++;
    }
    int32_t flipped = 0;
    for (int32_t k = 0; k < 18; k++) {
        assert_in_range(counts[k], 25, 80); /* 50 expected, deviation 7 */
        flipped += k % 2 ? counts[k] : 0;
    }
    assert_in_range(flipped, RUNS / 2 - 60, RUNS / 2 + 60);
    ic_image_free(canvas);
    ic_context_free(context);
}

/* On a slope, where what lies between pixels is known: each is the mean of four of the full size.
 */
static void fewer_pixels_show_the_same(void **state)
{
    (void)state;
    enum { CANVAS = 40, HALF = SIDE / 2 };
    ic_context *context = test_context(1);
    ic_pipeline pipeline = square(CANVAS);
    const ic_augment full = {
        .crop_scale = 0.3f, .crop_aspect = 4.0f / 3, .flip = IC_FLIP_ON, .brightness = 0.2f};
    ic_augment small = full;
    unsigned char pixels[CANVAS * CANVAS * 3];
    float whole[SAMPLES], half[SAMPLES / 4];
    ic_image *canvas;
    small.width = small.height = HALF;
    for (int32_t i = 0; i < CANVAS * CANVAS * 3; i++)
        pixels[i] = (unsigned char)(20 + 2 * (i / 3 % CANVAS) + i / 3 / CANVAS + i % 3);
    assert_ok(ic_image_from_pixels(context, pixels, CANVAS, CANVAS, 0, IC_PIXELS_RGB8, &canvas));
    for (uint64_t picture = 0; picture < 50; picture++) {
        augment(&pipeline, &full, canvas, picture, whole);
        augment(&pipeline, &small, canvas, picture, half);
        for (int32_t i = 0; i < SAMPLES / 4; i++) {
            int32_t x = i / 3 % HALF * 2, y = i / 3 / HALF * 2;
            if (x == 0 || y == 0 || x + 2 == SIDE || y + 2 == SIDE)
                continue; /* may look over the edge */
            const float *four = whole + (y * SIDE + x) * 3 + i % 3;
            float mean = (four[0] + four[3] + four[3 * SIDE] + four[3 * SIDE + 3]) / 4;
            assert_true(fabsf(half[i] - mean) < 1e-4f);
        }
    }
    ic_image_free(canvas);
    ic_context_free(context);
}

/* What one epoch mirrors the next one does not; about half of the pictures begin mirrored. */
static void alternating_halves_swap(void **state)
{
    (void)state;
    enum { PICTURES = 300 };
    ic_context *context = test_context(1);
    ic_pipeline pipeline = square(SIDE);
    const ic_augment how = {.flip = IC_FLIP_ALTERNATING};
    ic_image *canvas = draw_static(context, SIDE, SIDE, 3, 8, 1);
    float whole[SAMPLES], tensor[SAMPLES];
    int32_t mirrored = 0;
    bool first = false;
    ic_pipeline_tensor(&pipeline, canvas, whole);
    for (uint64_t i = 0; i < 5 * PICTURES; i++) {
        const ic_augment_key key = {
            .seed = 5, .epoch = i % 5, .picture = i / 5, .repeat = i % 5 == 4};
        bool upright = true, flipped = true;
        ic_pipeline_augment(&pipeline, &how, canvas, &key, tensor);
        for (int32_t at = 0; at < SAMPLES; at++) {
            int32_t x = at / 3 % SIDE, other = at + 3 * (SIDE - 1 - 2 * x);
            upright = upright && tensor[at] == whole[at];
            flipped = flipped && tensor[at] == whole[other];
        }
        assert_true(upright != flipped);
        if (i % 5 == 0)
            first = flipped;
        mirrored += i % 5 == 0 && flipped;
        assert_true(flipped == ((i % 5 == 1 || i % 5 == 3 || i % 5 == 4) != first));
    }
    assert_in_range(mirrored, PICTURES / 2 - 40, PICTURES / 2 + 40);
    ic_image_free(canvas);
    ic_context_free(context);
}

/* Bilinear in double, the picture continued by reflection. */
static double plain_sample(const ic_image *canvas, double u, double v, int32_t c)
{
    int32_t x = (int32_t)floor(u), y = (int32_t)floor(v);
    double sum = 0;
    for (int32_t i = 0; i < 4; i++) {
        double weight = (i % 2 ? u - x : 1 - (u - x)) * (i / 2 ? v - y : 1 - (v - y));
        sum += weight * get_sample(canvas, reflected(x + i % 2, canvas->width),
                                   reflected(y + i / 2, canvas->height), c);
    }
    return sum;
}

static void maps_are_sampled_bilinearly(void **state)
{
    (void)state;
    static const ic_affine maps[] = {
        {1, 0, 0, 0, 1, 0},
        {1, 0, -7.25, 0, 1, 3.5},
        {-0.7, 0, 30.1, 0, 1.3, -40},
        {0.9, 0.3, 1, -0.3, 0.9, 5},
        {0.2, -0.9, 25, 0.9, 0.2, -3},
        {-1, 0.01, 60, -0.02, 1.4, -90},
        {1.5, 0, -100, 0, 0.01, 100},
    };
    ic_context *context = test_context(1);
    for (size_t i = 0; i < 7 * 6; i++) {
        const ic_affine *map = &maps[i / 6];
        const int32_t channels = i % 2 ? 3 : 1, depth = i / 2 % 3 == 0 ? 16 : 8;
        const double most = depth == 8 ? 255 : 65535;
        ic_image *canvas = draw_static(context, i / 2 % 3 == 1 ? 1 : 29, 23, channels, depth, i);
        float target[17 * 13 * 3 + 1];
        target[17 * 13 * channels] = 1e30f;
        ic_sample_affine(canvas, map, 17, 13, target);
        for (int32_t at = 0; at < 17 * 13 * channels; at++) {
            int32_t x = at / channels % 17, y = at / channels / 17;
            double u = map->ux * x + map->uy * y + map->u0, v = map->vx * x + map->vy * y + map->v0;
            double expected = plain_sample(canvas, u, v, at % channels);
            assert_true(fabs(target[at] - expected) < 2e-5 * most);
        }
        assert_true(target[17 * 13 * channels] == 1e30f);
        ic_image_free(canvas);
    }
    ic_context_free(context);
}

/* Static shrunk to a quarter must come out nearly even: every part of the canvas counts. */
static void shrinking_averages(void **state)
{
    (void)state;
    ic_context *context = test_context(1);
    ic_image *canvas = draw_static(context, 96, 96, 3, 8, 1);
    static const ic_affine maps[] = {{4, 0, 1.5, 0, 4, 1.5}, {3.9, 0.3, 1, -0.3, 3.9, 6}};
    for (int32_t i = 0; i < 2; i++) {
        float target[SAMPLES];
        double sum = 0, squares = 0;
        ic_sample_affine(canvas, &maps[i], SIDE, SIDE, target);
        for (int32_t at = 0; at < SAMPLES; at++) {
            sum += target[at];
            squares += (double)target[at] * target[at];
        }
        double mean = sum / SAMPLES, deviation = sqrt(squares / SAMPLES - mean * mean);
        assert_true(fabs(mean - 127.5) < 5);
        assert_true(deviation < 74.0 / 3); /* of single samples: 74 */
    }
    ic_image_free(canvas);
    ic_context_free(context);
}

static void the_stream_alone_decides(void **state)
{
    (void)state;
    ic_context *context = test_context(1);
    ic_pipeline pipeline = square(28);
    const ic_augment all = {.flip = IC_FLIP_ON,
                            .turns = IC_TURNS_QUARTER,
                            .shift = 3,
                            .crop_scale = 0.4f,
                            .crop_aspect = 2,
                            .rotation = 20,
                            .brightness = 0.3f,
                            .contrast = 0.3f,
                            .saturation = 0.3f,
                            .erasing = 0.5f,
                            .policy = IC_POLICY_TRIVIAL,
                            .blur = 1,
                            .noise = 0.1f};
    ic_image *canvas = draw_scene(context, 28, 28, 3, 8);
    float tensors[3][SAMPLES];
    augment(&pipeline, &all, canvas, 1, tensors[0]);
    augment(&pipeline, &all, canvas, 2, tensors[1]);
    augment(&pipeline, &all, canvas, 1, tensors[2]);
    assert_memory_equal(tensors[0], tensors[2], sizeof tensors[0]);
    assert_memory_not_equal(tensors[0], tensors[1], sizeof tensors[0]);
    ic_image_free(canvas);
    ic_context_free(context);
}

/* What part of a canvas was cut out: of a ramp the slope is the scale. */
typedef struct crop_sizes {
    double least, most, mean; /* shares of the area */
    double narrowest, widest; /* width over height */
} crop_sizes;

static crop_sizes measure_crops(const ic_augment *how)
{
    enum { CANVAS = 64, RUNS = 400 };
    ic_context *context = test_context(1);
    ic_pipeline pipeline = square(CANVAS);
    crop_sizes sizes = {.least = 1, .narrowest = 1, .widest = 1};
    ic_image *canvas;
    assert_ok(ic_image_create(context, CANVAS, CANVAS, 3, 16, &canvas));
    for (int32_t at = 0; at < CANVAS * CANVAS; at++) {
        put_sample(canvas, at % CANVAS, at / CANVAS, 0, (uint32_t)(1000 * (at % CANVAS)));
        put_sample(canvas, at % CANVAS, at / CANVAS, 1, (uint32_t)(1000 * (at / CANVAS)));
        put_sample(canvas, at % CANVAS, at / CANVAS, 2, 0);
    }
    for (uint64_t run = 0; run < RUNS; run++) {
        float tensor[SAMPLES];
        augment(&pipeline, how, canvas, run, tensor);
        int32_t first = (SIDE * 4 + 4) * 3, across = (SIDE * 4 + 19) * 3,
                down = (SIDE * 19 + 4) * 3;
        double scale = 65535 / 1000.0 / 15; /* pixels of the canvas a pixel, 15 apart */
        double wide = (sample_of(&pipeline, tensor, across) - sample_of(&pipeline, tensor, first)) *
                      scale * SIDE;
        double high =
            (sample_of(&pipeline, tensor, down + 1) - sample_of(&pipeline, tensor, first + 1)) *
            scale * SIDE;
        double share = wide * high / (CANVAS * CANVAS);
        sizes.least = fmin(sizes.least, share);
        sizes.most = fmax(sizes.most, share);
        sizes.mean += share / RUNS;
        sizes.narrowest = fmin(sizes.narrowest, wide / high);
        sizes.widest = fmax(sizes.widest, wide / high);
    }
    ic_image_free(canvas);
    ic_context_free(context);
    return sizes;
}

static void crops_have_the_asked_for_sizes(void **state)
{
    (void)state;
    const ic_augment how = {.crop_scale = 0.25f, .crop_aspect = 4.0f / 3};
    const crop_sizes sizes = measure_crops(&how);
    assert_true(sizes.narrowest > 0.72 && sizes.widest < 1.39); /* whole pixels: a little off */
    assert_true(sizes.least > 0.23 && sizes.least < 0.3);
    assert_true(sizes.most > 0.9 && sizes.most < 1.01);
    assert_true(fabs(sizes.mean - 0.6) < 0.06);
}

static void crops_have_the_asked_for_shapes(void **state)
{
    (void)state;
    const ic_augment wide = {.crop_scale = 0.25f, .crop_aspect = 3};
    crop_sizes sizes = measure_crops(&wide);
    assert_true(sizes.narrowest > 0.31 && sizes.narrowest < 0.4);
    assert_true(sizes.widest > 2.5 && sizes.widest < 3.2);
    const ic_augment squares = {.crop_scale = 0.25f, .crop_aspect = 1};
    sizes = measure_crops(&squares);
    assert_true(sizes.narrowest > 0.95 && sizes.widest < 1.05);
}

/* Each side is up as often as it should be, and every pixel is one of the canvas's. */
static void turns_are_exact(void **state)
{
    (void)state;
    enum { RUNS = 400, LAST = SIDE - 1 };
    static const ic_turns kinds[] = {IC_TURNS_HALF, IC_TURNS_QUARTER};
    ic_context *context = test_context(1);
    ic_pipeline pipeline = square(SIDE);
    ic_image *canvas;
    assert_ok(ic_image_create(context, SIDE, SIDE, 3, 16, &canvas));
    for (int32_t at = 0; at < SAMPLES; at++)
        put_sample(canvas, at / 3 % SIDE, at / 3 / SIDE, at % 3, (uint32_t)(20 * at));
    for (int32_t kind = 0; kind < 2; kind++) {
        const ic_augment how = {.turns = kinds[kind]};
        int32_t counts[4] = {0};
        for (uint64_t run = 0; run < RUNS; run++) {
            float tensor[SAMPLES], whole[SAMPLES];
            int32_t side = -1;
            const ic_augment none = {0};
            augment(&pipeline, &how, canvas, run, tensor);
            augment(&pipeline, &none, canvas, run, whole);
            for (int32_t turn = 0; turn < 4; turn++) {
                bool same = true;
                for (int32_t y = 0; y < SIDE; y++)
                    for (int32_t x = 0; x < SIDE; x++) {
                        const int32_t from[4] = {y * SIDE + x, x * SIDE + LAST - y,
                                                 (LAST - y) * SIDE + LAST - x,
                                                 (LAST - x) * SIDE + y};
                        for (int32_t c = 0; c < 3; c++)
                            same = same && fabsf(tensor[3 * (y * SIDE + x) + c] -
                                                 whole[3 * from[turn] + c]) < 1e-5F;
                    }
                side = same ? turn : side;
            }
            assert_true(side >= 0);
            counts[side]++;
        }
        for (int32_t turn = 0; turn < 4; turn++) {
            double share = kind == 1 ? 0.25 : turn % 2 == 0 ? 0.5 : 0;
            assert_true(fabs((double)counts[turn] / RUNS - share) < (share > 0 ? 0.1 : 1e-9));
        }
    }
    ic_image_free(canvas);
    ic_context_free(context);
}

/* The middle stays, and a ramp to the right turns by the angle. */
static void rotation_turns_about_the_middle(void **state)
{
    (void)state;
    enum { RUNS = 300 };
    ic_context *context = test_context(1);
    ic_pipeline pipeline = square(SIDE);
    const ic_augment how = {.rotation = 30};
    ic_image *canvas;
    assert_ok(ic_image_create(context, SIDE, SIDE, 3, 16, &canvas));
    for (int32_t at = 0; at < SAMPLES; at++)
        put_sample(canvas, at / 3 % SIDE, at / 3 / SIDE, at % 3,
                   (uint32_t)(2000 * (at / 3 % SIDE)));
    double least = 90, most = -90;
    for (uint64_t run = 0; run < RUNS; run++) {
        float tensor[SAMPLES];
        double corner[4];
        augment(&pipeline, &how, canvas, run, tensor);
        for (int32_t i = 0; i < 4; i++)
            corner[i] = sample_of(&pipeline, tensor,
                                  3 * ((SIDE / 2 - 1 + i / 2) * SIDE + SIDE / 2 - 1 + i % 2)) *
                        65535 / 2000;
        double middle = (corner[0] + corner[1] + corner[2] + corner[3]) / 4;
        assert_true(fabs(middle - (SIDE - 1) / 2.0) < 0.01);
        double across = corner[1] - corner[0], down = corner[2] - corner[0];
        assert_true(fabs(across * across + down * down - 1) < 0.01);
        double angle = atan2(-down, across) * 180 / 3.14159265358979;
        least = angle < least ? angle : least;
        most = angle > most ? angle : most;
    }
    assert_true(least > -30.1 && least < -28);
    assert_true(most < 30.1 && most > 28);
    ic_image_free(canvas);
    ic_context_free(context);
}

static double clamp(double x)
{
    return x < 0 ? 0 : x > 1 ? 1 : x;
}

static double luma(const double *pixel)
{
    return 0.299 * pixel[0] + 0.587 * pixel[1] + 0.114 * pixel[2];
}

/* Brightness, contrast and saturation as torchvision defines them, with the factors drawn anew. */
static void colours_follow_their_definitions(void **state)
{
    (void)state;
    ic_context *context = test_context(1);
    ic_pipeline pipeline = square(SIDE);
    ic_image *canvas = draw_scene(context, SIDE, SIDE, 3, 8);
    static const ic_augment kinds[] = {{.brightness = 0.4f},
                                       {.contrast = 0.5f},
                                       {.saturation = 0.9f},
                                       {.brightness = 0.4f, .contrast = 1, .saturation = 0.9f}};
    for (uint64_t run = 0; run < 40; run++) {
        const ic_augment *how = &kinds[run % 4];
        float tensor[SAMPLES];
        double samples[SAMPLES], factors[3] = {1, 1, 1}, mean = 0;
        const float changes[3] = {how->brightness, how->contrast, how->saturation};
        ic_random random = ic_random_at(5, IC_USE_AUGMENT, 0, run);
        for (int32_t i = 0; i < 3; i++)
            if (changes[i] > 0)
                factors[i] = ic_random_range(&random, 1 - changes[i], 1 + changes[i]);
        augment(&pipeline, how, canvas, run, tensor);
        for (int32_t at = 0; at < SAMPLES; at++)
            samples[at] = clamp(factors[0] *
                                get_sample(canvas, at / 3 % SIDE, at / 3 / SIDE, at % 3) / 255.0);
        for (int32_t at = 0; at < SAMPLES; at += 3)
            mean += luma(samples + at) / (SIDE * SIDE);
        for (int32_t at = 0; at < SAMPLES; at++)
            samples[at] = clamp(factors[1] * samples[at] + (1 - factors[1]) * mean);
        for (int32_t at = 0; at < SAMPLES; at += 3) {
            double grey = luma(samples + at);
            for (int32_t c = 0; c < 3; c++) {
                double expected = clamp(factors[2] * samples[at + c] + (1 - factors[2]) * grey);
                assert_true(fabs(sample_of(&pipeline, tensor, at + c) - expected) < 1e-5);
            }
        }
    }
    ic_image_free(canvas);
    ic_context_free(context);
}

static void erasing_blanks_rectangles(void **state)
{
    (void)state;
    enum { RUNS = 400 };
    ic_context *context = test_context(1);
    ic_pipeline pipeline = square(SIDE);
    const ic_augment how = {.erasing = 0.5f};
    ic_image *canvas;
    assert_ok(ic_image_create(context, SIDE, SIDE, 3, 8, &canvas));
    for (int32_t y = 0; y < SIDE; y++)
        memset(ic_image_row(canvas, y), 255, 3 * SIDE);
    int32_t erased = 0;
    for (uint64_t run = 0; run < RUNS; run++) {
        float tensor[SAMPLES];
        int32_t left = SIDE, right = -1, top = SIDE, bottom = -1, blank = 0;
        augment(&pipeline, &how, canvas, run, tensor);
        for (int32_t at = 0; at < SAMPLES; at += 3) {
            int32_t x = at / 3 % SIDE, y = at / 3 / SIDE;
            bool zero = tensor[at] == 0 && tensor[at + 1] == 0 && tensor[at + 2] == 0;
            if (!zero)
                continue;
            blank++;
            left = x < left ? x : left;
            right = x > right ? x : right;
            top = y < top ? y : top;
            bottom = y > bottom ? y : bottom;
        }
        if (blank == 0)
            continue;
        erased++;
        assert_int_equal(blank, (right - left + 1) * (bottom - top + 1));
        assert_in_range(blank, (int)(0.01 * SIDE * SIDE), (int)(0.37 * SIDE * SIDE));
    }
    assert_in_range(erased, RUNS / 2 - 45, RUNS / 2 + 45);
    ic_image_free(canvas);
    ic_context_free(context);
}

/* Extreme settings, sizes of one pixel: finite numbers, nothing written beyond the tensor. */
static void extremes_stay_within_bounds(void **state)
{
    (void)state;
    ic_context *context = test_context(1);
    static const int32_t sizes[][4] = {{1, 1, 1, 1}, {1, 1, 9, 9}, {3, 2, 3, 70}, {24, 1, 24, 1}};
    static const ic_augment all = {.flip = IC_FLIP_ON,
                                   .turns = IC_TURNS_QUARTER,
                                   .shift = 256,
                                   .crop_scale = 0.01f,
                                   .crop_aspect = 4,
                                   .rotation = 180,
                                   .brightness = 1,
                                   .contrast = 1,
                                   .saturation = 1,
                                   .erasing = 1,
                                   .policy = IC_POLICY_TRIVIAL,
                                   .blur = 10,
                                   .noise = 1};
    for (uint64_t run = 0; run < 400; run++) {
        const int32_t *size = sizes[run % 4];
        ic_pipeline pipeline = square(1);
        pipeline.width = size[0];
        pipeline.height = size[1];
        pipeline.canvas_width = size[2];
        pipeline.canvas_height = size[3];
        pipeline.channels = run / 4 % 2 ? 3 : 1;
        pipeline.normalise = run / 16 % 2 ? IC_NORMALISE_PICTURE : IC_NORMALISE_DATASET;
        ic_image *canvas =
            draw_static(context, size[2], size[3], pipeline.channels, run / 8 % 2 ? 8 : 16, run);
        float tensor[SAMPLES];
        int32_t count = size[0] * size[1] * pipeline.channels;
        tensor[count] = 1e30f;
        augment(&pipeline, &all, canvas, run, tensor);
        for (int32_t at = 0; at < count; at++)
            assert_true(fabsf(tensor[at]) < 10);
        assert_true(tensor[count] == 1e30f);
        ic_image_free(canvas);
    }
    ic_context_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_augmentation_is_the_tensor),
        cmocka_unit_test(flips_and_shifts_are_exact_and_fair),
        cmocka_unit_test(fewer_pixels_show_the_same),
        cmocka_unit_test(alternating_halves_swap),
        cmocka_unit_test(maps_are_sampled_bilinearly),
        cmocka_unit_test(shrinking_averages),
        cmocka_unit_test(the_stream_alone_decides),
        cmocka_unit_test(crops_have_the_asked_for_sizes),
        cmocka_unit_test(crops_have_the_asked_for_shapes),
        cmocka_unit_test(turns_are_exact),
        cmocka_unit_test(rotation_turns_about_the_middle),
        cmocka_unit_test(colours_follow_their_definitions),
        cmocka_unit_test(erasing_blanks_rectangles),
        cmocka_unit_test(extremes_stay_within_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* preprocess/test_pipeline.c: canvas, tensor and the workspace. SPDX-License-Identifier: MIT */
#include "image/pictures.h"
#include "preprocess/noise.h"

#include "base/status.h"
#include "preprocess/pipeline.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static ic_pipeline usual(int32_t channels)
{
    return (ic_pipeline){.width = 12,
                         .height = 9,
                         .channels = channels,
                         .canvas_width = 14,
                         .canvas_height = 12,
                         .resize = IC_RESIZE_STRETCH,
                         .filter = IC_FILTER_BILINEAR,
                         .denoise = IC_DENOISE_NONE,
                         .denoise_strength = 1,
                         .mean = {0.4f, 0.5f, 0.6f},
                         .deviation = {0.2f, 0.25f, 0.3f}};
}

static void expect_equal_pictures(const ic_image *a, const ic_image *b)
{
    assert_int_equal(a->width, b->width);
    assert_int_equal(a->height, b->height);
    assert_int_equal(a->channels, b->channels);
    assert_int_equal(a->depth, b->depth);
    for (int32_t y = 0; y < a->height; y++)
        assert_memory_equal(ic_image_row(a, y), ic_image_row(b, y),
                            (size_t)(a->width * a->channels * a->depth / 8));
}

/* The canvas is what convert, resize and denoise give one after another. */
static void the_canvas_is_its_steps(void **state)
{
    (void)state;
    ic_context *context = test_context(1);
    for (int32_t i = 0; i < 16; i++) {
        ic_pipeline pipeline = usual(i % 2 ? 3 : 1);
        pipeline.filter = i / 2 % 2 ? IC_FILTER_BICUBIC : IC_FILTER_BILINEAR;
        pipeline.denoise = i / 4 % 2 ? IC_DENOISE_MEDIAN : IC_DENOISE_NONE;
        ic_image *image = draw_static(context, 31, 17, i % 4 + 1, i / 8 ? 16 : 8, 1);
        ic_image *canvas, *converted, *resized, *expected;
        assert_ok(ic_pipeline_canvas(&pipeline, image, &canvas));
        assert_ok(ic_image_convert(image, pipeline.channels, &converted));
        assert_ok(ic_image_resize(converted, 14, 12, pipeline.filter, &resized));
        if (pipeline.denoise == IC_DENOISE_NONE)
            expected = ic_image_retain(resized);
        else
            assert_ok(ic_image_denoise(resized, IC_DENOISE_MEDIAN, 1, &expected));
        expect_equal_pictures(canvas, expected);
        ic_image_free(expected);
        ic_image_free(resized);
        ic_image_free(converted);
        ic_image_free(canvas);
        ic_image_free(image);
    }
    ic_context_free(context);
}

static void crop_keeps_the_shape(void **state)
{
    (void)state;
    static const struct {
        int32_t width, height;
        ic_box box;
    } cases[] = {
        {56, 24, {14, 0, 28, 24}}, /* canvas 14 x 12 */
        {28, 60, {0, 18, 28, 24}},
        {28, 24, {0, 0, 28, 24}},
        {13, 12, {0, 3.0 / 7, 13, 12 - 6.0 / 7}},
    };
    ic_context *context = test_context(1);
    ic_pipeline pipeline = usual(3);
    pipeline.resize = IC_RESIZE_CROP;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ic_image *image = draw_static(context, cases[i].width, cases[i].height, 3, 8, i);
        ic_image *canvas, *expected;
        assert_ok(ic_pipeline_canvas(&pipeline, image, &canvas));
        assert_ok(ic_image_resize_box(image, &cases[i].box, 14, 12, IC_FILTER_BILINEAR, &expected));
        assert_true(decibels(canvas, expected) > 50); /* the box may round differently */
        ic_image_free(expected);
        ic_image_free(canvas);
        ic_image_free(image);
    }
    ic_context_free(context);
}

static void a_picture_that_fits_is_its_own_canvas(void **state)
{
    (void)state;
    ic_context *context = test_context(1);
    ic_pipeline pipeline = usual(3);
    ic_image *image = draw_static(context, 14, 12, 3, 8, 1), *canvas;
    assert_ok(ic_pipeline_canvas(&pipeline, image, &canvas));
    assert_ptr_equal(canvas, image);
    ic_image_free(canvas);
    ic_image_free(image);
    ic_context_free(context);
}

static void the_tensor_is_the_normalised_centre(void **state)
{
    (void)state;
    ic_context *context = test_context(1);
    for (int32_t i = 0; i < 4; i++) {
        ic_pipeline pipeline = usual(i % 2 ? 3 : 1);
        int32_t depth = i / 2 ? 16 : 8;
        double most = depth == 8 ? 255 : 65535;
        ic_image *canvas = draw_static(context, 14, 12, pipeline.channels, depth, 5);
        float tensor[12 * 9 * 3 + 1];
        tensor[12 * 9 * pipeline.channels] = 1e30f;
        ic_pipeline_tensor(&pipeline, canvas, tensor);
        for (int32_t at = 0; at < 12 * 9 * pipeline.channels; at++) {
            int32_t c = at % pipeline.channels, x = at / pipeline.channels % 12;
            int32_t y = at / pipeline.channels / 12;
            double sample = get_sample(canvas, x + 1, y + 1, c) / most;
            double expected = (sample - pipeline.mean[c]) / pipeline.deviation[c];
            assert_true(fabs(tensor[at] - expected) < 1e-5);
        }
        assert_true(tensor[12 * 9 * pipeline.channels] == 1e30f);
        ic_image_free(canvas);
    }
    ic_context_free(context);
}

/* Whether a tensor is the other one, by its own mean and deviation. */
static void expect_standardised(const float *tensor, const float *before, int32_t count)
{
    double sum = 0, squares = 0;
    for (int32_t at = 0; at < count; at++) {
        sum += before[at];
        squares += (double)before[at] * before[at];
    }
    const double mean = sum / count, deviation = sqrt(squares / count - mean * mean);
    for (int32_t at = 0; at < count; at++)
        assert_true(fabs(tensor[at] - (before[at] - mean) / deviation) < 1e-5);
}

static void pictures_are_normalised_by_themselves(void **state)
{
    (void)state;
    ic_context *context = test_context(1);
    for (int32_t i = 0; i < 4; i++) {
        ic_pipeline by_dataset = usual(i % 2 ? 3 : 1), by_picture = by_dataset;
        const int32_t count = (12 - i) * 9 * by_dataset.channels;
        float before[12 * 9 * 3], tensor[12 * 9 * 3 + 1];
        by_dataset.width = by_picture.width = 12 - i; /* not of whole vectors */
        by_picture.normalise = IC_NORMALISE_PICTURE;
        tensor[count] = 1e30f;
        ic_image *canvas = draw_static(context, 14, 12, by_dataset.channels, i / 2 ? 16 : 8, 5);
        ic_pipeline_tensor(&by_dataset, canvas, before);
        ic_pipeline_tensor(&by_picture, canvas, tensor);
        expect_standardised(tensor, before, count);
        assert_true(tensor[count] == 1e30f);
        ic_image_free(canvas);
    }
    ic_context_free(context);
}

/* What the light does to a grey picture: half as bright, of a quarter of the contrast. */
static void exposure_tells_nothing(void **state)
{
    (void)state;
    ic_context *context = test_context(1);
    ic_pipeline pipeline = usual(1);
    float tensors[3][12 * 9];
    for (int32_t i = 0; i < 3; i++) {
        ic_image *canvas = draw_static(context, 14, 12, 1, 16, 5);
        for (int32_t at = 0; at < 14 * 12; at++) {
            uint32_t sample = (uint32_t)get_sample(canvas, at % 14, at / 14, 0) / 8 * 8;
            sample = i == 0 ? sample : i == 1 ? sample / 2 : sample / 4 + 30000;
            put_sample(canvas, at % 14, at / 14, 0, sample);
        }
        pipeline.normalise = IC_NORMALISE_PICTURE;
        ic_pipeline_tensor(&pipeline, canvas, tensors[i]);
        ic_image_free(canvas);
    }
    for (int32_t at = 0; at < 12 * 9; at++) {
        assert_true(fabsf(tensors[1][at] - tensors[0][at]) < 1e-5f);
        assert_true(fabsf(tensors[2][at] - tensors[0][at]) < 1e-5f);
    }
    ic_context_free(context);
}

/* Nothing is divided by nothing, and the last bit of a flat picture does not become its content. */
static void flat_pictures_stay_flat(void **state)
{
    (void)state;
    ic_context *context = test_context(1);
    ic_pipeline pipeline = usual(1);
    float tensor[12 * 9];
    ic_image *canvas;
    pipeline.normalise = IC_NORMALISE_PICTURE;
    assert_ok(ic_image_create(context, 14, 12, 1, 8, &canvas));
    for (int32_t noise = 0; noise < 2; noise++) {
        for (int32_t at = 0; at < 14 * 12; at++)
            put_sample(canvas, at % 14, at / 14, 0, (uint32_t)(200 + (at % 3 == 0 ? noise : 0)));
        ic_pipeline_tensor(&pipeline, canvas, tensor);
        for (int32_t at = 0; at < 12 * 9; at++)
            assert_true(fabsf(tensor[at]) < (noise ? 0.5f : 1e-4f));
    }
    ic_image_free(canvas);
    ic_context_free(context);
}

/* Two 16-bit pictures that are the same in 8 bits give different tensors. */
static void depth_lives_until_the_tensor(void **state)
{
    (void)state;
    ic_context *context = test_context(1);
    ic_pipeline pipeline = usual(1);
    float tensors[2][12 * 9];
    for (int32_t i = 0; i < 2; i++) {
        ic_image *image, *canvas;
        assert_ok(ic_image_create(context, 28, 24, 1, 16, &image));
        for (int32_t at = 0; at < 28 * 24; at++)
            put_sample(image, at % 28, at / 28, 0, 30000 + (uint32_t)(i * 20));
        assert_ok(ic_pipeline_canvas(&pipeline, image, &canvas));
        assert_int_equal(canvas->depth, 16);
        ic_pipeline_tensor(&pipeline, canvas, tensors[i]);
        ic_image_free(canvas);
        ic_image_free(image);
    }
    for (int32_t at = 0; at < 12 * 9; at++)
        assert_float_equal(tensors[1][at] - tensors[0][at], 20 / 65535.0 / 0.2f, 1e-6);
    ic_context_free(context);
}

static double mean_difference(const ic_image *a, const ic_image *b)
{
    const int32_t samples = a->width * a->channels;
    double sum = 0;
    assert_int_equal(a->width, b->width);
    assert_int_equal(a->height, b->height);
    for (int32_t y = 0; y < a->height; y++)
        for (int32_t x = 0; x < samples; x++)
            sum += abs(ic_image_row(a, y)[x] - ic_image_row(b, y)[x]);
    return sum / (a->height * samples);
}

/* Turned or not, stretched or cropped: no smaller than the canvas, and what the full one shows. */
static void jpegs_shrink_as_far_as_the_canvas_allows(void **state)
{
    (void)state;
    static const int32_t canvas_sides[] = {14, 62, 63, 125, 126};
    static const int32_t high[] = {32, 63, 63, 125, 250}; /* 250 / 8, 4, 4, 2, 1 */
    ic_context *context = test_context(1);
    unsigned char app1[6 + EXIF_BYTES] = "Exif\0";
    size_t exif = make_exif(app1 + 6, false, 6);
    for (int32_t i = 0; i < 20; i++) {
        jpeg_plan plan = {.width = 331, .height = 250, .components = 3, .subsampled = i % 2 == 0};
        const bool turned = i / 2 % 2;
        if (turned) {
            plan.app1 = app1;
            plan.app1_size = 6 + exif;
        }
        made_file file = make_jpeg(&plan);
        ic_pipeline pipeline = usual(3);
        pipeline.resize = i % 2 ? IC_RESIZE_CROP : IC_RESIZE_STRETCH;
        pipeline.canvas_width = pipeline.canvas_height = canvas_sides[i / 4];
        pipeline.decode = IC_DECODE_SHRINK;
        const ic_decode_options options = ic_pipeline_decoding(&pipeline);
        ic_image *full, *small, *canvas, *expected;
        assert_ok(ic_image_decode(context, file.bytes, file.size, &full));
        assert_ok(ic_image_decode_with(context, file.bytes, file.size, &options, NULL, &small));
        assert_int_equal(turned ? small->width : small->height, high[i / 4]);
        assert_ok(ic_pipeline_canvas(&pipeline, small, &canvas));
        assert_ok(ic_pipeline_canvas(&pipeline, full, &expected));
        assert_true(mean_difference(canvas, expected) < 3);
        ic_image_free(expected);
        ic_image_free(canvas);
        ic_image_free(small);
        ic_image_free(full);
        free(file.bytes);
    }
    ic_context_free(context);
}

/* A canvas that is cropped has the same bits where the decoder knows it. */
static void what_nobody_sees_need_not_be_decoded(void **state)
{
    (void)state;
    static const int sizes[][2] = {{331, 90}, {200, 199}, {90, 331}, {640, 100}, {161, 64}};
    static const int32_t canvases[][2] = {{14, 12}, {64, 64}, {9, 31}, {100, 100}, {40, 12}};
    enum { SIZES = 5, CANVASES = 5, KINDS = 32 };
    ic_context *context = test_context(1);
    unsigned char app1[6 + EXIF_BYTES] = "Exif\0";
    for (int32_t i = 0; i < SIZES * CANVASES * KINDS; i++) {
        const int *size = sizes[i % SIZES];
        const int32_t *canvas = canvases[i / SIZES % CANVASES], kind = i / (SIZES * CANVASES);
        jpeg_plan plan = {.width = size[0],
                          .height = size[1],
                          .components = kind & 1 ? 3 : 1,
                          .subsampled = kind & 2,
                          .progressive = kind & 4 && kind & 8,
                          .app1 = app1};
        plan.app1_size = 6 + make_exif(app1 + 6, false, (unsigned int)(1 + i % 8));
        made_file file = make_jpeg(&plan);
        ic_pipeline pipeline = usual(3);
        pipeline.resize = IC_RESIZE_CROP;
        pipeline.canvas_width = canvas[0];
        pipeline.canvas_height = canvas[1];
        pipeline.filter = kind & 8 ? IC_FILTER_BICUBIC : IC_FILTER_BILINEAR;
        pipeline.decode = kind & 16 ? IC_DECODE_SHRINK : IC_DECODE_FULL;
        ic_image *seen, *expected;
        assert_ok(decode_canvas(context, &pipeline, file.bytes, file.size, true, &seen));
        assert_ok(decode_canvas(context, &pipeline, file.bytes, file.size, false, &expected));
        expect_equal_pictures(seen, expected);
        ic_image_free(expected);
        ic_image_free(seen);
        free(file.bytes);
    }
    ic_context_free(context);
}

/* No model that was made without the option sees other pixels than ic_image_load gives. */
static void decoding_is_in_full_unless_asked(void **state)
{
    (void)state;
    const ic_pipeline pipeline = usual(3);
    const ic_decode_options options = ic_pipeline_decoding(&pipeline);
    assert_false(options.shrink);
    assert_false(options.centre);
}

static void the_workspace_gives_the_same_bits(void **state)
{
    (void)state;
    ic_context *context = test_context(1);
    ic_pipeline_workspace *workspace;
    assert_ok(ic_pipeline_workspace_create(context, &workspace));
    for (int32_t i = 0; i < 64; i++) {
        ic_pipeline pipeline = usual(i % 2 ? 3 : 1);
        pipeline.resize = i / 2 % 2 ? IC_RESIZE_CROP : IC_RESIZE_STRETCH;
        pipeline.denoise = (ic_denoise)(i / 4 % 4);
        int32_t width = i % 5 == 0 ? 14 : 20 + i, height = i % 5 == 0 ? 12 : 70 - i;
        ic_image *image = draw_static(context, width, height, i % 4 + 1, i / 16 % 2 ? 16 : 8, 2);
        ic_image *canvas;
        float tensors[2][12 * 9 * 3] = {{0}};
        assert_ok(ic_pipeline_apply(&pipeline, image, workspace, tensors[0]));
        assert_ok(ic_pipeline_canvas(&pipeline, image, &canvas));
        ic_pipeline_tensor(&pipeline, canvas, tensors[1]);
        assert_memory_equal(tensors[0], tensors[1], sizeof tensors[0]);
        ic_image_free(canvas);
        ic_image_free(image);
    }
    ic_pipeline_workspace_free(workspace);
    ic_pipeline_workspace_free(NULL);
    ic_context_free(context);
}

static void a_steady_loop_allocates_nothing(void **state)
{
    (void)state;
    test_allocator allocator = {0};
    ic_context *context = test_context_with(&allocator, 1);
    ic_pipeline_workspace *workspace;
    float tensor[12 * 9 * 3];
    ic_image *images[3];
    assert_ok(ic_pipeline_workspace_create(context, &workspace));
    for (int32_t i = 0; i < 3; i++)
        images[i] = draw_static(context, 20 + 9 * i, 50 - 8 * i, i + 2, i == 1 ? 16 : 8, 1);
    int64_t before = 0;
    for (int32_t i = 0; i < 200; i++) {
        ic_pipeline pipeline = usual(3);
        pipeline.denoise = (ic_denoise)(i % 4);
        if (i == 100)
            before = allocator.calls;
        assert_ok(ic_pipeline_apply(&pipeline, images[i % 3], workspace, tensor));
    }
    assert_int_equal(allocator.calls, before);
    for (int32_t i = 0; i < 3; i++)
        ic_image_free(images[i]);
    ic_pipeline_workspace_free(workspace);
    ic_context_free(context);
    assert_int_equal(allocator.live, 0);
}

static ic_status apply_flow(ic_context *context, void *payload)
{
    (void)payload;
    ic_pipeline_workspace *workspace = NULL;
    ic_image *image;
    static const unsigned char pixels[16 * 16 * 4];
    IC_TRY(ic_image_from_pixels(context, pixels, 16, 16, 0, IC_PIXELS_RGBA8, &image));
    ic_status status = ic_pipeline_workspace_create(context, &workspace);
    for (int32_t i = 0; i < 4 && status >= 0; i++) {
        ic_pipeline pipeline = usual(3);
        float tensor[12 * 9 * 3];
        pipeline.denoise = (ic_denoise)i;
        status = ic_pipeline_apply(&pipeline, image, workspace, tensor);
    }
    ic_pipeline_workspace_free(workspace);
    ic_image_free(image);
    return status;
}

static void every_failing_allocation_is_reported(void **state)
{
    (void)state;
    assert_true(test_fail_each_allocation(apply_flow, NULL) > 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_canvas_is_its_steps),
        cmocka_unit_test(crop_keeps_the_shape),
        cmocka_unit_test(a_picture_that_fits_is_its_own_canvas),
        cmocka_unit_test(the_tensor_is_the_normalised_centre),
        cmocka_unit_test(pictures_are_normalised_by_themselves),
        cmocka_unit_test(exposure_tells_nothing),
        cmocka_unit_test(flat_pictures_stay_flat),
        cmocka_unit_test(depth_lives_until_the_tensor),
        cmocka_unit_test(jpegs_shrink_as_far_as_the_canvas_allows),
        cmocka_unit_test(what_nobody_sees_need_not_be_decoded),
        cmocka_unit_test(decoding_is_in_full_unless_asked),
        cmocka_unit_test(the_workspace_gives_the_same_bits),
        cmocka_unit_test(a_steady_loop_allocates_nothing),
        cmocka_unit_test(every_failing_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

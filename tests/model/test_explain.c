/*
 * model/test_explain.c: Grad-CAM against PyTorch, and a model made by hand whose reasons are known:
 * where its square is, and nowhere else. SPDX-License-Identifier: MIT
 */
#include "image/pictures.h"
#include "model/fixture.h"
#include "support/hashed_parameters.h"

#include "model/explain.h"
#include "zoo/zoo.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gradcam_golden.h"

static const char *const methods[] = {"gradcam", "occlusion"};
enum { METHODS = 2 };

static ic_options *make_options(ic_context *context, const char *method, const char *class_name)
{
    ic_options *options;
    assert_ok(ic_options_create(context, &options));
    assert_ok(ic_options_set_text(options, "method", method));
    assert_ok(ic_options_set_text(options, "class", class_name));
    return options;
}

static ic_explanation *explain(const ic_model *model, const ic_image *image, const char *method,
                               const char *class_name)
{
    ic_options *options = make_options(model->context, method, class_name);
    ic_explanation *explanation = NULL;
    assert_ok(ic_explain(model, image, options, &explanation));
    ic_options_free(options);
    return explanation;
}

/* ---- Against PyTorch ---- */

/* A network of goldens.py with its weights and its picture, gone through. */
static ic_explaining open_golden(ic_context *context, size_t index, ic_graph **graph)
{
    const int32_t side = goldens[index].side, channels = goldens[index].channels;
    ic_explaining e = {.context = context,
                       .shape = {side, side, channels},
                       .class_index = goldens[index].class_index};
    float *parameters;
    assert_ok(ic_zoo_build(context, goldens[index].network, e.shape, 10, graph));
    e.graph = *graph;
    e.map = ic_graph_last_map(e.graph);
    size_t total = (size_t)ic_graph_parameter_sizes(e.graph).total;
    assert_ok(ic_allocate_zero(context, total * sizeof *parameters, &parameters));
    hashed_parameters(e.graph, parameters);
    assert_ok(ic_weights_create(context, e.graph, parameters, &e.weights));
    ic_free(context, parameters);
    assert_ok(ic_executor_create_tapped(context, e.graph, 1, e.map, &e.executor));
    for (int64_t i = 0, hash = (int64_t)name_hash("", "input"); i < side * side * channels; i++)
        ic_executor_input(e.executor)[i] = (float)value_at((uint64_t)hash, i);
    assert_ok(ic_executor_infer(e.executor, e.weights, 1));
    return e;
}

static void close_golden(ic_explaining *e, ic_graph *graph)
{
    ic_executor_free(e->executor);
    ic_weights_free(e->weights);
    ic_graph_free(graph);
}

static void test_gradcam_is_pytorchs(void **state)
{
    ic_context *context = test_context(2);
    (void)state;
    for (size_t i = 0; i < sizeof goldens / sizeof *goldens; i++) {
        ic_graph *graph = NULL;
        ic_explaining e = open_golden(context, i, &graph);
        const int32_t side = goldens[i].side;
        const uint64_t hash = name_hash("sample:", goldens[i].network);
        ic_heat cam;
        double most = 0, error = 0;
        float *large = malloc((size_t)side * (size_t)side * sizeof *large);
        assert_ok(ic_explain_gradcam(&e, &cam));
        assert_int_equal(cam.width, goldens[i].width);
        assert_int_equal(cam.height, goldens[i].height);
        for (int32_t k = 0; k < cam.width * cam.height; k++) {
            most = fmax(most, goldens[i].map[k]);
            error = fmax(error, fabs((double)cam.values[k] - goldens[i].map[k]));
        }
        ic_heat_enlarge(&cam, side, side, large);
        for (int32_t k = 0; k < 8; k++) {
            const uint64_t place = bits_at(hash, k) % (uint64_t)(side * side);
            error = fmax(error, fabs((double)large[place] - goldens[i].samples[k]));
        }
        if (!(most > 0 && error <= 1e-3 * most))
            fail_msg("%s at %d pixels: an error of %.2e of %.2e", goldens[i].network, (int)side,
                     error, most);
        free(large);
        ic_free(context, cam.values);
        close_golden(&e, graph);
    }
    ic_context_free(context);
}

/* ---- A model with reasons: class "red" or "blue" by the squares that are in the picture ---- */

enum { SIDE = 32 };

static void set_parameters(const ic_graph *graph, float *parameters)
{
    static const float eye[2][3] = {{1, -1, -1}, {-1, -1, 1}}, head[2][2] = {{40, -40}, {-40, 40}};
    for (int32_t i = 0; i < ic_graph_parameter_count(graph); i++) {
        const ic_parameter *p = ic_graph_parameter(graph, i);
        const bool first = strcmp(p->name, "eye.weight") == 0;
        memcpy(parameters + p->offset, first ? eye[0] : head[0], (size_t)p->count * sizeof(float));
    }
}

static ic_status build_reasons(ic_context *context, ic_graph **out)
{
    ic_graph *graph;
    IC_TRY(ic_graph_create(context, (ic_shape){SIDE, SIDE, 3}, &graph));
    ic_conv_options conv = {.k = 2, .size = 1};
    ic_node x = ic_graph_conv(graph, "eye", ic_graph_input(graph), &conv);
    x = ic_graph_activation(graph, x, IC_ACTIVATION_RELU);
    x = ic_graph_global_pool(graph, x);
    x = ic_graph_linear(graph, "head", x, 2, false);
    ic_status status = ic_graph_finish(graph, x);
    if (status < 0)
        ic_graph_free(graph);
    else
        *out = graph;
    return status;
}

static ic_status fill_reasons(ic_model *model, ic_resize_mode resize, float scale)
{
    static const char *const names[] = {"red", "blue"};
    float parameters[64] = {0};
    model->pipeline = (ic_pipeline){.width = SIDE,
                                    .height = SIDE,
                                    .channels = 3,
                                    .canvas_width = SIDE + 4,
                                    .canvas_height = SIDE + 4,
                                    .resize = resize,
                                    .filter = IC_FILTER_BILINEAR,
                                    .deviation = {1, 1, 1}};
    IC_TRY(build_reasons(model->context, &model->graph));
    IC_TRY(ic_model_name(model, "", names, 2));
    set_parameters(model->graph, parameters);
    for (int i = 0; i < 64; i++)
        parameters[i] *= scale;
    return ic_weights_create(model->context, model->graph, parameters, &model->weights);
}

static ic_status begin_reasons(ic_context *context, ic_resize_mode resize, float scale,
                               ic_model **out)
{
    ic_model *model;
    IC_TRY(ic_model_begin(context, &model));
    ic_status status = fill_reasons(model, resize, scale);
    if (status < 0)
        ic_model_free(model);
    else
        *out = model;
    return status;
}

static ic_model *make_reasons(ic_context *context, ic_resize_mode resize)
{
    ic_model *model = NULL;
    assert_ok(begin_reasons(context, resize, 1, &model));
    return model;
}

typedef struct square {
    int32_t x, y, side;
    unsigned char rgb[3];
} square;

/* A grey picture with squares. */
static ic_image *draw(ic_context *context, int32_t width, int32_t height, const square *squares,
                      int32_t count)
{
    unsigned char *pixels = malloc((size_t)width * (size_t)height * 3);
    ic_image *image;
    memset(pixels, 90, (size_t)width * (size_t)height * 3);
    for (int32_t i = 0; i < count; i++)
        for (int32_t y = squares[i].y; y < squares[i].y + squares[i].side; y++)
            for (int32_t x = squares[i].x; x < squares[i].x + squares[i].side; x++)
                memcpy(pixels + 3 * (y * width + x), squares[i].rgb, 3);
    assert_ok(ic_image_from_pixels(context, pixels, width, height, 0, IC_PIXELS_RGB8, &image));
    free(pixels);
    return image;
}

#define RED                                                                                        \
    {                                                                                              \
        230, 20, 20                                                                                \
    }
#define BLUE                                                                                       \
    {                                                                                              \
        20, 20, 230                                                                                \
    }

/* The hottest pixel of the picture lies in the square, and what is `far` from it is cold. */
static void expect_heat_in(ic_explanation *explanation, const square *s, int32_t far,
                           const char *what)
{
    const float *values;
    int32_t width, height, hottest = 0;
    float cold = 0;
    assert_ok(ic_explanation_map(explanation, &values, &width, &height));
    for (int32_t i = 0; i < width * height; i++) {
        const int32_t x = i % width, y = i / width;
        assert_true(values[i] >= 0 && values[i] <= 1);
        hottest = values[i] > values[hottest] ? i : hottest;
        if (x < s->x - far || x >= s->x + s->side + far || y < s->y - far ||
            y >= s->y + s->side + far)
            cold = fmaxf(cold, values[i]);
    }
    const int32_t x = hottest % width, y = hottest / width;
    if (!(x >= s->x && x < s->x + s->side && y >= s->y && y < s->y + s->side && cold < 0.05f &&
          values[hottest] > 0.9f))
        fail_msg("%s: hottest (%.3f) at %d,%d; %.3f outside of the square at %d,%d", what,
                 (double)values[hottest], (int)x, (int)y, (double)cold, (int)s->x, (int)s->y);
}

static void test_the_square_is_found(void **state)
{
    ic_context *context = test_context(2);
    ic_model *model = make_reasons(context, IC_RESIZE_STRETCH);
    (void)state;
    for (int32_t place = 0; place < 9; place++) {
        const square squares[] = {
            {12 + 40 * (place % 3), 12 + 40 * (place / 3), 32, RED},
            {12 + 40 * (2 - place % 3), 12 + 40 * ((place / 3 + 1) % 3), 28, BLUE}};
        ic_image *image = draw(context, 144, 144, squares, 2);
        for (int i = 0; i < METHODS; i++) {
            ic_explanation *red = explain(model, image, methods[i], "red");
            ic_explanation *blue = explain(model, image, methods[i], "blue");
            expect_heat_in(red, &squares[0], 32, methods[i]);
            expect_heat_in(blue, &squares[1], 32, methods[i]);
            assert_string_equal(ic_explanation_method(red), methods[i]);
            ic_explanation_free(red);
            ic_explanation_free(blue);
        }
        ic_image_free(image);
    }
    ic_model_free(model);
    ic_context_free(context);
}

/* Nothing in it speaks for a class that is not there. */
static void test_no_heat_without_a_reason(void **state)
{
    ic_context *context = test_context(1);
    ic_model *model = make_reasons(context, IC_RESIZE_STRETCH);
    ic_image *image = draw(context, 50, 40, NULL, 0);
    (void)state;
    for (int i = 0; i < METHODS; i++) {
        ic_explanation *explanation = explain(model, image, methods[i], "blue");
        const float *values;
        int32_t width, height;
        assert_ok(ic_explanation_map(explanation, &values, &width, &height));
        assert_int_equal(width, 50);
        assert_int_equal(height, 40);
        for (int32_t k = 0; k < width * height; k++)
            assert_true(values[k] == 0);
        ic_explanation_free(explanation);
    }
    ic_image_free(image);
    ic_model_free(model);
    ic_context_free(context);
}

/* ---- Where the map lies on the picture ---- */

static void expect_geometry(ic_resize_mode resize, int32_t width, int32_t height,
                            const ic_box *seen)
{
    ic_context *context = test_context(1);
    ic_model *model = make_reasons(context, resize);
    const square s = {(int32_t)(seen->x + seen->width * 0.6),
                      (int32_t)(seen->y + seen->height * 0.2),
                      (int32_t)(fmin(seen->width, seen->height) / 3), RED};
    ic_image *image = draw(context, width, height, &s, 1);
    for (int i = 0; i < METHODS; i++) {
        ic_explanation *explanation = explain(model, image, methods[i], "");
        const float *values;
        int32_t w, h, index;
        expect_heat_in(explanation, &s, s.side, methods[i]);
        assert_ok(ic_explanation_class(explanation, &index, NULL));
        assert_int_equal(index, 0);
        assert_ok(ic_explanation_map(explanation, &values, &w, &h));
        assert_int_equal(w, width);
        assert_int_equal(h, height);
        assert_ok(ic_explanation_tensor_map(explanation, NULL, &w, &h));
        assert_int_equal(w, SIDE);
        assert_int_equal(h, SIDE);
        assert_true(fabs(explanation->seen.x - seen->x) < 1e-9 &&
                    fabs(explanation->seen.y - seen->y) < 1e-9);
        assert_true(fabs(explanation->seen.width - seen->width) < 1e-9 &&
                    fabs(explanation->seen.height - seen->height) < 1e-9);
        ic_explanation_free(explanation);
    }
    ic_image_free(image);
    ic_model_free(model);
    ic_context_free(context);
}

static void test_wide_and_high_pictures(void **state)
{
    const double rim = 2.0 / (SIDE + 4); /* of the canvas, on each side */
    (void)state;
    /* stretched: all but the rim; cropped: the same of the square in the middle */
    expect_geometry(IC_RESIZE_STRETCH, 240, 144,
                    &(ic_box){240 * rim, 144 * rim, 240 * (1 - 2 * rim), 144 * (1 - 2 * rim)});
    expect_geometry(
        IC_RESIZE_CROP, 360, 144,
        &(ic_box){108 + 144 * rim, 144 * rim, 144 * (1 - 2 * rim), 144 * (1 - 2 * rim)});
    expect_geometry(
        IC_RESIZE_CROP, 180, 400,
        &(ic_box){180 * rim, 110 + 180 * rim, 180 * (1 - 2 * rim), 180 * (1 - 2 * rim)});
}

/* What was cut off has not been looked at: 0, though the value beside it is not. */
static void test_what_is_cut_off_is_cold(void **state)
{
    ic_context *context = test_context(1);
    ic_model *model = make_reasons(context, IC_RESIZE_CROP);
    const square s = {108, 50, 40, RED}; /* half of its neighbour is beyond the left border */
    const square wide[] = {{60, 50, 48, RED}, s};
    ic_image *image = draw(context, 360, 144, wide, 2);
    ic_explanation *explanation = explain(model, image, "gradcam", "red");
    const float *values;
    (void)state;
    assert_ok(ic_explanation_map(explanation, &values, NULL, NULL));
    for (int32_t x = 60; x < 148; x++) {
        const float value = values[70 * 360 + x];
        if (x + 0.5 < 108 + 8)
            assert_true(value == 0);
        else
            assert_true(x > 140 || value > 0.9f);
    }
    ic_explanation_free(explanation);
    ic_image_free(image);
    ic_model_free(model);
    ic_context_free(context);
}

/* A picture that lies on its side in its file is explained upright. */
static void test_turned_pictures(void **state)
{
    ic_context *context = test_context(1);
    ic_model *model = make_reasons(context, IC_RESIZE_STRETCH);
    const square lying = {20, 100, 36, RED};
    ic_image *image = draw(context, 216, 144, &lying, 1), *upright;
    made_file file = {0};
    unsigned char exif[EXIF_BYTES];
    unsigned char *png;
    size_t size;
    (void)state;
    assert_ok(ic_image_encode_png(image, NULL, 0, &size));
    png = malloc(size);
    assert_ok(ic_image_encode_png(image, png, size, &size));
    add_bytes(&file, png, 8 + 25);                             /* the signature and the header */
    add_chunk(&file, "eXIf", exif, make_exif(exif, false, 6)); /* to be turned clockwise */
    add_bytes(&file, png + 8 + 25, size - 8 - 25);
    assert_ok(ic_image_decode(context, file.bytes, file.size, &upright));
    for (int i = 0; i < METHODS; i++) {
        ic_explanation *explanation = explain(model, upright, methods[i], "red");
        const square s = {144 - 100 - 36, 20, 36, RED};
        int32_t width;
        expect_heat_in(explanation, &s, 36, methods[i]);
        assert_ok(ic_explanation_map(explanation, NULL, &width, NULL));
        assert_int_equal(width, 144);
        ic_explanation_free(explanation);
    }
    free(png);
    free(file.bytes);
    ic_image_free(upright);
    ic_image_free(image);
    ic_model_free(model);
    ic_context_free(context);
}

/* ---- The same bits ---- */

/* As predicted, before and after; and whatever the number of threads. */
static void test_predictions_and_threads(void **state)
{
    enum { CLASSES = 5, PIXELS = 40 * 40 };
    static float first[METHODS][PIXELS];
    (void)state;
    for (int32_t threads = 1; threads <= 3; threads++) {
        ic_context *context = test_context(threads);
        ic_model *model = fixture_make(context, "resnet18", 40, 3, CLASSES, 3);
        ic_image *image = fixture_image(context, 61, 47, 5);
        ic_prediction *prediction;
        int32_t predicted, index;
        float wanted, probability;
        fixture_trust(model, 8); /* a temperature */
        assert_ok(ic_prediction_create(context, &prediction));
        assert_ok(ic_predict(model, image, prediction));
        assert_ok(ic_prediction_class(prediction, 0, &predicted, &wanted));
        for (int i = 0; i < METHODS; i++) {
            ic_explanation *explanation = explain(model, image, methods[i], "");
            const float *values;
            assert_ok(ic_explanation_class(explanation, &index, &probability));
            assert_int_equal(index, predicted);
            assert_memory_equal(&probability, &wanted, sizeof wanted);
            assert_ok(ic_explanation_tensor_map(explanation, &values, NULL, NULL));
            if (threads == 1)
                memcpy(first[i], values, sizeof first[i]);
            assert_memory_equal(first[i], values, sizeof first[i]);
            ic_explanation_free(explanation);
        }
        assert_ok(ic_predict(model, image, prediction));
        assert_ok(ic_prediction_class(prediction, 0, &index, &probability));
        assert_memory_equal(&probability, &wanted, sizeof wanted);
        ic_prediction_free(prediction);
        ic_image_free(image);
        ic_model_free(model);
        ic_context_free(context);
    }
}

/* An explanation outlives what it was made of. */
static void test_lives_alone(void **state)
{
    ic_context *context = test_context(1);
    ic_model *model = make_reasons(context, IC_RESIZE_CROP);
    const square s = {60, 50, 40, RED};
    ic_image *image = draw(context, 144, 144, &s, 1);
    ic_explanation *explanation = explain(model, image, "auto", "");
    const float *values;
    (void)state;
    ic_image_free(image);
    ic_model_free(model);
    ic_context_free(context);
    assert_ok(ic_explanation_map(explanation, &values, NULL, NULL));
    assert_true(values[70 * 144 + 80] > 0.2f);
    ic_explanation_free(explanation);
}

/* ---- Errors ---- */

static ic_status explain_flow(ic_context *context, void *payload)
{
    ic_model *model = NULL;
    ic_options *options = NULL;
    ic_explanation *explanation = NULL;
    ic_image *drawn = NULL;
    const float *values;
    ic_status status = begin_reasons(context, IC_RESIZE_CROP, 1, &model);
    if (status >= 0)
        status = ic_options_create(context, &options);
    if (status >= 0)
        status = ic_options_set_text(options, "method", payload);
    ic_image *image = NULL;
    const unsigned char pixels[3 * 6 * 5] = {0};
    if (status >= 0)
        status = ic_image_from_pixels(context, pixels, 6, 5, 0, IC_PIXELS_RGB8, &image);
    if (status >= 0)
        status = ic_explain(model, image, options, &explanation);
    if (status >= 0)
        status = ic_explanation_map(explanation, &values, NULL, NULL);
    if (status >= 0)
        status = ic_explanation_image(explanation, &drawn);
    ic_image_free(drawn);
    ic_explanation_free(explanation);
    ic_image_free(image);
    ic_options_free(options);
    ic_model_free(model);
    return status;
}

static void test_out_of_memory(void **state)
{
    (void)state;
    assert_true(test_fail_each_allocation(explain_flow, "gradcam") > 30);
    assert_true(test_fail_each_allocation(explain_flow, "occlusion") > 30);
}

static void test_wrong_arguments(void **state)
{
    ic_context *context = test_context(1);
    ic_model *model = make_reasons(context, IC_RESIZE_CROP), *endless = NULL;
    ic_image *image = draw(context, 40, 40, &(square){8, 8, 20, RED}, 1);
    ic_options *options = make_options(context, "gradcam", "green");
    ic_explanation *explanation = (ic_explanation *)1;
    (void)state;
    assert_fails(IC_ERROR_ARGUMENT, "model is NULL", ic_explain(NULL, image, NULL, &explanation));
    assert_fails(IC_ERROR_ARGUMENT, "image is NULL", ic_explain(model, NULL, NULL, &explanation));
    assert_fails(IC_ERROR_ARGUMENT, "out is NULL", ic_explain(model, image, NULL, NULL));
    assert_fails(IC_ERROR_NOT_FOUND, "no class green: its classes are red, blue",
                 ic_explain(model, image, options, &explanation));
    assert_ok(begin_reasons(context, IC_RESIZE_CROP, 1e30f, &endless));
    assert_fails(IC_ERROR_DIVERGED, "not a finite number",
                 ic_explain(endless, image, NULL, &explanation));
    assert_ptr_equal(explanation, (void *)1);
    assert_fails(IC_ERROR_ARGUMENT, "is NULL", ic_explanation_class(NULL, NULL, NULL));
    assert_fails(IC_ERROR_ARGUMENT, "is NULL", ic_explanation_map(NULL, NULL, NULL, NULL));
    assert_fails(IC_ERROR_ARGUMENT, "is NULL", ic_explanation_tensor_map(NULL, NULL, NULL, NULL));
    assert_fails(IC_ERROR_ARGUMENT, "explanation is NULL", ic_explanation_image(NULL, &image));
    assert_string_equal(ic_explanation_method(NULL), "");
    ic_explanation_free(NULL);
    ic_model_free(endless);
    ic_options_free(options);
    ic_image_free(image);
    ic_model_free(model);
    ic_context_free(context);
}

static int32_t cancel(const ic_progress *progress, void *payload)
{
    double total;
    assert_string_equal(ic_progress_phase(progress), "explain");
    assert_ok(ic_progress_value(progress, "total", &total));
    ++*(int *)payload;
    return 1;
}

static void test_cancelled(void **state)
{
    ic_context *context = test_context(1);
    ic_model *model = make_reasons(context, IC_RESIZE_CROP);
    ic_image *image = draw(context, 40, 40, NULL, 0);
    ic_options *options = make_options(context, "occlusion", "");
    ic_explanation *explanation = NULL;
    int calls = 0;
    (void)state;
    assert_ok(ic_context_set_progress(context, cancel, &calls));
    assert_fails(IC_ERROR_CANCELLED, "", ic_explain(model, image, options, &explanation));
    assert_int_equal(calls, 1);
    assert_null(explanation);
    ic_options_free(options);
    ic_image_free(image);
    ic_model_free(model);
    ic_context_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gradcam_is_pytorchs),
        cmocka_unit_test(test_the_square_is_found),
        cmocka_unit_test(test_no_heat_without_a_reason),
        cmocka_unit_test(test_wide_and_high_pictures),
        cmocka_unit_test(test_what_is_cut_off_is_cold),
        cmocka_unit_test(test_turned_pictures),
        cmocka_unit_test(test_predictions_and_threads),
        cmocka_unit_test(test_lives_alone),
        cmocka_unit_test(test_out_of_memory),
        cmocka_unit_test(test_wrong_arguments),
        cmocka_unit_test(test_cancelled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

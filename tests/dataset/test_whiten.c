/* dataset/test_whiten.c: whitening filters on made-up pictures. SPDX-License-Identifier: MIT */
#include "support/support.h"

#include "base/random.h"
#include "dataset/loader.h"

#include <math.h>

enum { SIDE = 12, PICTURES = 40, PATCH = 12, FILTERS = 2 * PATCH };

/* Noise that neighbours and channels share in part, so that patches are far from white. */
static ic_dataset *pictures(ic_context *context)
{
    ic_dataset *data;
    assert_ok(ic_dataset_create(context, NULL, &data));
    for (uint64_t i = 0; i < PICTURES; i++) {
        ic_random random = ic_random_at(3, IC_USE_SHUFFLE, i, 0);
        unsigned char pixels[SIDE * SIDE * 3];
        double last = 0;
        for (int32_t at = 0; at < SIDE * SIDE; at++) {
            last = 0.8 * last + ic_random_range(&random, -40, 40);
            for (int32_t c = 0; c < 3; c++)
                pixels[3 * at + c] =
                    (unsigned char)(128 + 0.5 * last + 10 * c + ic_random_range(&random, -20, 20));
        }
        ic_image *image;
        assert_ok(ic_image_from_pixels(context, pixels, SIDE, SIDE, 0, IC_PIXELS_RGB8, &image));
        assert_ok(ic_dataset_add_image(data, image, i % 2 ? "a" : "b"));
        ic_image_free(image);
    }
    return data;
}

/* Mean products of the filters' outputs over all patches of all pictures. */
static void multiply_outputs(const ic_dataset *data, const ic_pipeline *pipeline,
                             const float *filters, double products[PATCH][PATCH])
{
    double patches = 0;
    for (int64_t i = 0; i < PICTURES; i++) {
        ic_image *canvas;
        float tensor[SIDE * SIDE * 3];
        assert_ok(ic_dataset_canvas(data, i, pipeline, &canvas));
        ic_pipeline_tensor(pipeline, canvas, tensor);
        ic_image_free(canvas);
        for (int32_t at = 0; at < (SIDE - 1) * (SIDE - 1); at++, patches++) {
            int32_t y = at / (SIDE - 1), x = at % (SIDE - 1);
            double out[PATCH] = {0};
            for (int32_t k = 0; k < PATCH; k++)
                for (int32_t tap = 0; tap < PATCH; tap++) {
                    int32_t c = tap / 4, dy = tap / 2 % 2, dx = tap % 2;
                    out[k] += (double)filters[k * PATCH + tap] *
                              (double)tensor[((y + dy) * SIDE + x + dx) * 3 + c];
                }
            for (int32_t k = 0; k < PATCH; k++)
                for (int32_t l = 0; l < PATCH; l++)
                    products[k][l] += out[k] * out[l];
        }
    }
    for (int32_t k = 0; k < PATCH; k++)
        for (int32_t l = 0; l < PATCH; l++)
            products[k][l] /= patches;
}

/* Outputs of different filters have nothing in common; each has a mean square of v / (v + 5e-4),
 * which falls with the variance v of its direction. */
static void outputs_are_white(void **state)
{
    ic_context *context = test_context(2);
    ic_dataset *data = pictures(context);
    ic_pipeline pipeline = {
        .width = SIDE, .height = SIDE, .channels = 3, .canvas_width = SIDE, .canvas_height = SIDE};
    float filters[FILTERS * PATCH];
    double products[PATCH][PATCH] = {{0}};
    assert_ok(ic_loader_measure(context, data, PICTURES, NULL, &pipeline));
    assert_ok(ic_loader_whiten(context, data, PICTURES, &pipeline, 2, filters));
    multiply_outputs(data, &pipeline, filters, products);
    for (int32_t k = 0; k < PATCH; k++) {
        assert_true(products[k][k] > 0.9 && products[k][k] < 1.0001);
        assert_true(k == 0 || products[k][k] < products[k - 1][k - 1] + 1e-5);
        for (int32_t l = 0; l < k; l++)
            assert_true(fabs(products[k][l]) < 1e-4);
        for (int32_t tap = 0; tap < PATCH; tap++)
            assert_true(filters[k * PATCH + tap] == -filters[(PATCH + k) * PATCH + tap]);
    }
    ic_dataset_free(data);
    ic_context_free(context);
}

static ic_status whiten_flow(ic_context *context, void *payload)
{
    float filters[8 * 4];
    ic_pipeline pipeline = {.width = 4,
                            .height = 4,
                            .channels = 1,
                            .canvas_width = 4,
                            .canvas_height = 4,
                            .deviation = {1, 1, 1}};
    ic_dataset *data = NULL;
    ic_status status = ic_dataset_create(context, NULL, &data);
    for (int32_t i = 0; i < 3 && status == IC_OK; i++) {
        unsigned char pixels[16] = {0, 50, 100, 150, 200, 250, 7, 90};
        ic_image *image = NULL;
        status = ic_image_from_pixels(context, pixels, 4, 4, 0, IC_PIXELS_GREY8, &image);
        if (status == IC_OK)
            status = ic_dataset_add_image(data, image, "a");
        ic_image_free(image);
    }
    if (status == IC_OK)
        status = ic_loader_whiten(context, data, 3, &pipeline, 2, filters);
    ic_dataset_free(data);
    return status;
}

static void survives_lack_of_memory(void **state)
{
    assert_true(test_fail_each_allocation(whiten_flow, NULL) > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outputs_are_white),
        cmocka_unit_test(survives_lack_of_memory),
    };
    return cmocka_run_group_tests_name("dataset/whiten", tests, NULL, NULL);
}

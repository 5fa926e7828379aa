/* model/test_model_create.c: models made for a data set. SPDX-License-Identifier: MIT */
#include "model/fixture.h"

#include "base/status.h"

#include <math.h>
#include <string.h>

/* count pictures of each class, all pixels of a class of one level: 40, 50, 60 … */
static ic_status fill(ic_dataset *dataset, ic_context *context, const char *const *names,
                      int32_t classes, int32_t count)
{
    unsigned char pixels[16 * 16 * 3];
    for (int32_t i = 0; i < classes * count; i++) {
        ic_image *image;
        memset(pixels, 40 + 10 * (i % classes), sizeof pixels);
        pixels[0] = (unsigned char)i; /* no two alike, and coloured */
        IC_TRY(ic_image_from_pixels(context, pixels, 16, 16, 0, IC_PIXELS_RGB8, &image));
        ic_status status = ic_dataset_add_image(dataset, image, names[i % classes]);
        ic_image_free(image);
        IC_TRY(status);
    }
    return IC_OK;
}

static ic_dataset *make_dataset(ic_context *context, const char *const *names, int32_t classes,
                                int32_t count)
{
    ic_dataset *dataset;
    assert_ok(ic_dataset_create(context, NULL, &dataset));
    assert_ok(fill(dataset, context, names, classes, count));
    return dataset;
}

static const char *const names[] = {"ant", "bee", "caf\xc3\xa9"};

static ic_options *make_options(ic_context *context, const char *network, int64_t seed)
{
    ic_options *options;
    assert_ok(ic_options_create(context, &options));
    assert_ok(ic_options_set_text(options, "network", network));
    assert_ok(ic_options_set_int(options, "input_size", 32));
    assert_ok(ic_options_set_int(options, "seed", seed));
    return options;
}

static void test_created_from_data(void **state)
{
    ic_context *context = test_context(1);
    ic_dataset *dataset = make_dataset(context, names, 3, 4);
    ic_options *options = make_options(context, "lenet5", 1);
    ic_model *model;
    int32_t width, height, channels;
    assert_ok(ic_options_set_text(options, "channels", "colour"));
    assert_ok(ic_model_create(context, dataset, options, &model));
    assert_int_equal(ic_model_class_count(model), 3);
    for (int32_t i = 0; i < 3; i++)
        assert_string_equal(ic_model_class_name(model, i), names[i]);
    assert_ok(ic_model_input(model, &width, &height, &channels));
    assert_true(width == 32 && height == 32 && channels == 3);
    assert_string_equal(model->network, "lenet5");
    /* levels 40, 50 and 60 of 255 as often; the one odd pixel hardly shows */
    for (int c = 0; c < 3; c++)
        assert_true(fabs(model->pipeline.mean[c] - 50.0 / 255) < 1e-2);
    ic_options_free(options);
    ic_dataset_free(dataset);
    ic_model_free(model);
    ic_context_free(context);
}

static void test_all_on_auto(void **state)
{
    ic_context *context = test_context(1);
    ic_dataset *dataset = make_dataset(context, names, 2, 4);
    ic_model *model;
    ic_image *image = fixture_image(context, 20, 20, 1);
    ic_prediction *prediction;
    assert_ok(ic_model_create(context, dataset, NULL, &model));
    assert_ok(ic_prediction_create(context, &prediction));
    assert_ok(ic_predict(model, image, prediction));
    ic_prediction_free(prediction);
    ic_image_free(image);
    ic_model_free(model);
    ic_dataset_free(dataset);
    ic_context_free(context);
}

static ic_buffer bytes_for(int32_t threads, int64_t seed)
{
    ic_context *context = test_context(threads);
    ic_dataset *dataset = make_dataset(context, names, 3, 4);
    ic_options *options = make_options(context, "resnet9", seed);
    ic_model *model;
    assert_ok(ic_model_create(context, dataset, options, &model));
    ic_buffer bytes = fixture_bytes(model);
    ic_options_free(options);
    ic_dataset_free(dataset);
    ic_model_free(model);
    return bytes; /* which still needs the context */
}

static void drop(ic_buffer *bytes)
{
    ic_context *context = bytes->context;
    ic_buffer_free(bytes);
    ic_context_free(context);
}

static void test_same_seed_same_bytes(void **state)
{
    ic_buffer one = bytes_for(1, 7), two = bytes_for(2, 7), other = bytes_for(1, 8);
    assert_int_equal(one.size, two.size);
    assert_memory_equal(one.bytes, two.bytes, one.size);
    assert_true(one.size == other.size && memcmp(one.bytes, other.bytes, one.size) != 0);
    drop(&one);
    drop(&two);
    drop(&other);
}

static void test_data_that_cannot_be_trained_on(void **state)
{
    ic_context *context = test_context(1);
    ic_dataset *dataset = make_dataset(context, names, 1, 3);
    ic_model *model = NULL;
    assert_fails(IC_ERROR_DATA, "all 3 pictures are of one class, ant",
                 ic_model_create(context, dataset, NULL, &model));
    ic_dataset_free(dataset);
    dataset = make_dataset(context, names, 0, 0);
    assert_fails(IC_ERROR_DATA, "has no pictures", ic_model_create(context, dataset, NULL, &model));
    ic_dataset_free(dataset);
    assert_null(model);
    ic_context_free(context);
}

static void test_bad_arguments(void **state)
{
    ic_context *context = test_context(1);
    ic_dataset *dataset = make_dataset(context, names, 2, 2);
    ic_options *options = make_options(context, "resnet18", 1);
    ic_model *model = NULL;
    assert_fails(IC_ERROR_ARGUMENT, "context is NULL",
                 ic_model_create(NULL, dataset, NULL, &model));
    assert_fails(IC_ERROR_ARGUMENT, "train is NULL", ic_model_create(context, NULL, NULL, &model));
    assert_fails(IC_ERROR_ARGUMENT, "out is NULL", ic_model_create(context, dataset, NULL, NULL));
    assert_null(model);
    ic_options_free(options);
    ic_dataset_free(dataset);
    ic_context_free(context);
}

static void test_class_map(void **state)
{
    static const char *const others[] = {"bee", "dog", "ant"};
    ic_context *context = test_context(1);
    ic_dataset *dataset = make_dataset(context, names, 3, 2);
    ic_dataset *other = make_dataset(context, others, 3, 1);
    ic_options *options = make_options(context, "lenet5", 1);
    ic_model *model;
    int32_t *map;
    assert_ok(ic_model_create(context, dataset, options, &model));
    assert_ok(ic_model_class_map(model, other, &map));
    for (int32_t i = 0; i < 3; i++) {
        const char *name;
        assert_ok(ic_dataset_class(other, i, &name, NULL));
        assert_int_equal(map[i], strcmp(name, "ant") == 0 ? 0 : strcmp(name, "bee") == 0 ? 1 : -1);
    }
    ic_free(context, map);
    ic_options_free(options);
    ic_dataset_free(other);
    ic_dataset_free(dataset);
    ic_model_free(model);
    ic_context_free(context);
}

static ic_status create_flow(ic_context *context, void *payload)
{
    ic_dataset *dataset = NULL;
    ic_options *options = NULL;
    ic_model *model = NULL;
    ic_status status;
    IC_TRY_CLEAN(ic_dataset_create(context, NULL, &dataset));
    IC_TRY_CLEAN(fill(dataset, context, names, 3, 2));
    IC_TRY_CLEAN(ic_options_create(context, &options));
    IC_TRY_CLEAN(ic_options_set_text(options, "network", "lenet5"));
    status = ic_model_create(context, dataset, options, &model);
cleanup:
    ic_model_free(model);
    ic_options_free(options);
    ic_dataset_free(dataset);
    return status;
}

static void test_out_of_memory(void **state)
{
    assert_true(test_fail_each_allocation(create_flow, NULL) > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_created_from_data),
        cmocka_unit_test(test_all_on_auto),
        cmocka_unit_test(test_same_seed_same_bytes),
        cmocka_unit_test(test_data_that_cannot_be_trained_on),
        cmocka_unit_test(test_bad_arguments),
        cmocka_unit_test(test_class_map),
        cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

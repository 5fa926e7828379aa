/* model/test_neighbours.c: pictures that a network sees alike. SPDX-License-Identifier: MIT */
#include "fixture.h"

#include <imgcls/neighbours.h>
#include <math.h>

enum { PICTURES = 21, SIDE = 32 };

static ic_status fill(ic_context *context, ic_dataset **out)
{
    ic_dataset *dataset = NULL;
    ic_status status = ic_dataset_create(context, NULL, &dataset);
    for (int32_t i = 0; i < PICTURES && status >= 0; i++) {
        ic_image *image = fixture_image(context, SIDE, SIDE, (uint64_t)i);
        status = ic_dataset_add_image(dataset, image, i % 2 ? "odd" : "even");
        ic_image_free(image);
    }
    if (status < 0)
        ic_dataset_free(dataset);
    else
        *out = dataset;
    return status;
}

static ic_neighbours *look(ic_context *context, const ic_model *model)
{
    ic_dataset *dataset;
    ic_neighbours *made = NULL;
    assert_ok(fill(context, &dataset));
    assert_ok(ic_neighbours_create(model, dataset, &made));
    ic_dataset_free(dataset);
    return made;
}

static void a_picture_is_nearest_to_itself(void **state)
{
    ic_context *context = test_context(2);
    ic_model *model = fixture_make(context, "resnet9", SIDE, 3, 4, 3);
    ic_neighbours *neighbours = look(context, model);
    for (int32_t i = 0; i < PICTURES; i += 4) {
        int64_t indices[PICTURES + 5];
        float similarities[PICTURES + 5];
        bool seen[PICTURES] = {false};
        int32_t found;
        ic_image *image = fixture_image(context, SIDE, SIDE, (uint64_t)i);
        assert_ok(
            ic_neighbours_find(neighbours, image, PICTURES + 5, indices, similarities, &found));
        assert_int_equal(found, PICTURES);
        assert_int_equal(indices[0], i);
        assert_true(fabsf(similarities[0] - 1) < 1e-6F);
        for (int32_t k = 0; k < found; k++) {
            assert_true(k == 0 || similarities[k] <= similarities[k - 1]);
            assert_true(similarities[k] >= -1.000001F && similarities[k] <= 1.000001F);
            assert_false(seen[indices[k]]);
            seen[indices[k]] = true;
        }
        int64_t few[3];
        assert_ok(ic_neighbours_find(neighbours, image, 3, few, NULL, &found));
        assert_int_equal(found, 3);
        assert_memory_equal(few, indices, sizeof few);
        assert_ok(ic_neighbours_find(neighbours, image, 1, NULL, NULL, NULL));
        ic_image_free(image);
    }
    ic_neighbours_free(neighbours);
    ic_model_free(model);
    ic_context_free(context);
}

static void any_number_of_threads_gives_the_same(void **state)
{
    float similarities[2][PICTURES];
    int64_t indices[2][PICTURES];
    for (int32_t i = 0; i < 2; i++) {
        ic_context *context = test_context(1 + 2 * i);
        ic_model *model = fixture_make(context, "plain", SIDE, 3, 2, 3);
        ic_neighbours *neighbours = look(context, model);
        ic_image *image = fixture_image(context, 50, 40, 77);
        assert_ok(
            ic_neighbours_find(neighbours, image, PICTURES, indices[i], similarities[i], NULL));
        ic_image_free(image);
        ic_neighbours_free(neighbours);
        ic_model_free(model);
        ic_context_free(context);
    }
    assert_memory_equal(similarities[0], similarities[1], sizeof similarities[0]);
    assert_memory_equal(indices[0], indices[1], sizeof indices[0]);
}

static int32_t cancel(const ic_progress *progress, void *payload)
{
    return 1;
}

static void what_cannot_be_is_refused(void **state)
{
    ic_context *context = test_context(1);
    ic_model *model = fixture_make(context, "lenet5", 28, 1, 2, 1);
    ic_image *image = fixture_image(context, 28, 28, 1);
    ic_dataset *dataset, *empty;
    ic_neighbours *neighbours = NULL;
    assert_ok(fill(context, &dataset));
    assert_ok(ic_dataset_create(context, NULL, &empty));
    assert_fails(IC_ERROR_DATA, "neighbour", ic_neighbours_create(model, empty, &neighbours));
    assert_fails(IC_ERROR_ARGUMENT, "model", ic_neighbours_create(NULL, dataset, &neighbours));
    assert_fails(IC_ERROR_ARGUMENT, "dataset", ic_neighbours_create(model, NULL, &neighbours));
    assert_fails(IC_ERROR_ARGUMENT, "out", ic_neighbours_create(model, dataset, NULL));
    assert_fails(IC_ERROR_ARGUMENT, "neighbours",
                 ic_neighbours_find(NULL, image, 1, NULL, NULL, NULL));
    assert_ok(ic_context_set_progress(context, cancel, NULL));
    assert_fails(IC_ERROR_CANCELLED, "", ic_neighbours_create(model, dataset, &neighbours));
    assert_ok(ic_context_set_progress(context, NULL, NULL));
    assert_null(neighbours);
    assert_ok(ic_neighbours_create(model, dataset, &neighbours));
    assert_fails(IC_ERROR_ARGUMENT, "image",
                 ic_neighbours_find(neighbours, NULL, 1, NULL, NULL, NULL));
    assert_fails(IC_ERROR_ARGUMENT, "most",
                 ic_neighbours_find(neighbours, image, 0, NULL, NULL, NULL));
    ic_neighbours_free(neighbours);
    ic_neighbours_free(NULL);
    ic_dataset_free(empty);
    ic_dataset_free(dataset);
    ic_image_free(image);
    ic_model_free(model);
    ic_context_free(context);
}

static ic_status look_and_find(ic_context *context, void *payload)
{
    unsigned char grey[28 * 28] = {1, 200, 3};
    ic_model *model = NULL;
    ic_image *image = NULL;
    ic_dataset *dataset = NULL;
    ic_neighbours *neighbours = NULL;
    int64_t index;
    ic_status status = fixture_model(context, "lenet5", 28, 1, 2, 1, &model);
    if (status >= 0)
        status = ic_image_from_pixels(context, grey, 28, 28, 0, IC_PIXELS_GREY8, &image);
    if (status >= 0)
        status = ic_dataset_create(context, NULL, &dataset);
    if (status >= 0)
        status = ic_dataset_add_image(dataset, image, "one");
    if (status >= 0)
        status = ic_neighbours_create(model, dataset, &neighbours);
    if (status >= 0)
        status = ic_neighbours_find(neighbours, image, 1, &index, NULL, NULL);
    ic_neighbours_free(neighbours);
    ic_dataset_free(dataset);
    ic_image_free(image);
    ic_model_free(model);
    return status;
}

static void no_allocation_is_missed(void **state)
{
    assert_true(test_fail_each_allocation(look_and_find, NULL) > 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_picture_is_nearest_to_itself),
        cmocka_unit_test(any_number_of_threads_gives_the_same),
        cmocka_unit_test(what_cannot_be_is_refused),
        cmocka_unit_test(no_allocation_is_missed),
    };
    return cmocka_run_group_tests_name("model/neighbours", tests, NULL, NULL);
}

/* report/test_gallery.c: the drawings of an inspection. SPDX-License-Identifier: MIT */
#include "support/support.h"

#include "base/status.h"

#include <imgcls/inspection.h>

#include <stdlib.h>
#include <string.h>

static const char *folder;

/* Grey and colour, 8 and 16 bits, small and large; the first picture of class a also in class b. */
static ic_status make_set(ic_context *context, ic_dataset **out)
{
    static const int32_t orders[] = {IC_PIXELS_RGB8, IC_PIXELS_GREY8, IC_PIXELS_RGBA16};
    static unsigned char pixels[8 * 200 * 90 + 7];
    ic_dataset *dataset = NULL;
    ic_status status = ic_dataset_create(context, NULL, &dataset);
    for (size_t k = 0; k < sizeof pixels; k++)
        pixels[k] = (unsigned char)(k * k / 7 % 251);
    for (int32_t i = 0; i < 8 && status == IC_OK; i++) {
        ic_image *image = NULL;
        status = ic_image_from_pixels(context, pixels + i % 7, i % 2 ? 200 : 30, i % 2 ? 90 : 30, 0,
                                      orders[i % 7 % 3], &image);
        if (status == IC_OK)
            status = ic_dataset_add_image(dataset, image, i > 3 ? "b" : "a");
        if (status == IC_OK && i == 0)
            status = ic_dataset_add_image(dataset, image, "b");
        ic_image_free(image);
    }
    if (status == IC_OK)
        *out = dataset;
    else
        ic_dataset_free(dataset);
    return status;
}

static ic_status draw_flow(ic_context *context, void *payload)
{
    ic_dataset *dataset;
    ic_inspection *inspection;
    ic_options *options = NULL;
    IC_TRY(make_set(context, &dataset));
    ic_status status = ic_options_create(context, &options);
    if (status >= 0)
        status = ic_options_set_text(options, "duplicates", "exact");
    if (status >= 0)
        status = ic_dataset_inspect(dataset, options, &inspection);
    ic_options_free(options);
    ic_dataset_free(dataset);
    if (status < 0)
        return status;
    status = ic_inspection_plot(inspection, NULL, "classes", payload);
    if (status >= 0)
        status = ic_inspection_plot(inspection, NULL, "duplicates", payload);
    ic_inspection_free(inspection);
    return status;
}

static int32_t count_words(const char *path, const char *words)
{
    char *text = test_read_file(path, &(size_t){0});
    int32_t count = 0;
    for (const char *at = text; (at = strstr(at, words)) != NULL; at += strlen(words))
        count++;
    free(text);
    return count;
}

static void classes_and_duplicates_are_drawn(void **state)
{
    (void)state;
    ic_context *context = test_context(1);
    const char *path = test_path(folder, "sheet.svg");
    ic_dataset *dataset;
    ic_inspection *inspection;
    assert_ok(make_set(context, &dataset));
    assert_ok(ic_dataset_inspect(dataset, NULL, &inspection));
    assert_ok(ic_inspection_plot(inspection, NULL, "classes", path));
    assert_int_equal(count_words(path, "<image"), 2 + 4 + 5); /* means and pictures */
    assert_int_equal(count_words(path, ">a</text>"), 1);
    assert_int_equal(count_words(path, ">5</text>"), 1);
    assert_ok(ic_inspection_plot(inspection, NULL, "duplicates", path));
    assert_true(count_words(path, "<image") >= 2);
    assert_true(count_words(path, ">two classes</text>") >= 1);
    assert_true(count_words(path, ">memory#1</text>") >= 1);
    assert_fails(IC_ERROR_ARGUMENT, "classes or duplicates",
                 ic_inspection_plot(inspection, NULL, "all", path));
    assert_fails(IC_ERROR_ARGUMENT, ".png",
                 ic_inspection_plot(inspection, NULL, "classes", test_path(folder, "sheet.gif")));
    ic_inspection_free(inspection);
    ic_dataset_free(dataset);
    ic_context_free(context);
}

static void every_failing_allocation_is_reported(void **state)
{
    (void)state;
    char path[512];
    strcpy(path, test_path(folder, "fail.svg"));
    assert_true(test_fail_each_allocation(draw_flow, path) > 50);
}

static int set_up(void **state)
{
    (void)state;
    folder = test_folder();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    test_folder_remove(folder);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classes_and_duplicates_are_drawn),
        cmocka_unit_test(every_failing_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}

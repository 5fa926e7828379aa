/* report/test_augmentation.c: pictures in plots, and the sheet of augmentations.
 * SPDX-License-Identifier: MIT */
#include "../model/fixture.h"

#include "report/plot.h"

#include <imgcls/report.h>

#include <stdlib.h>
#include <string.h>

static const char *folder;

/* A set of `each` pictures in each of two classes. */
static ic_status make_set(ic_context *context, int32_t each, bool grey, int32_t side,
                          ic_dataset **out)
{
    ic_dataset *dataset = NULL;
    ic_status status = ic_dataset_create(context, NULL, &dataset);
    for (int32_t i = 0; i < 2 * each && status == IC_OK; i++) {
        unsigned char pixels[3 * 64 * 64];
        ic_image *image = NULL;
        for (int32_t k = 0; k < 3 * side * side; k++)
            pixels[k] = (unsigned char)((k / 3 * (7 + i) + (grey ? 0 : k % 3 * 90)) % 251);
        status = ic_image_from_pixels(context, pixels, side, side, 0, IC_PIXELS_RGB8, &image);
        if (status == IC_OK)
            status = ic_dataset_add_image(dataset, image, i % 2 ? "a" : "b");
        ic_image_free(image);
    }
    if (status == IC_OK)
        *out = dataset;
    else
        ic_dataset_free(dataset);
    return status;
}

static int32_t count_words(const char *text, const char *words)
{
    int32_t count = 0;
    for (; (text = strstr(text, words)) != NULL; text += strlen(words))
        count++;
    return count;
}

/* The pixels of a PNG are whole squares; the SVG holds the picture as a PNG of its own. */
static void pictures_are_enlarged_by_whole_factors(void **state)
{
    (void)state;
    static const unsigned char pixels[3 * 6] = {255, 0, 0,   0, 255, 0,  0,  0,  255,
                                                9,   9, 200, 1, 2,   30, 40, 50, 60};
    ic_context *context = test_context(1);
    ic_image *image, *drawn;
    ic_plot *plot;
    ic_buffer svg = {.context = context}, png = {.context = context};
    assert_ok(ic_image_from_pixels(context, pixels, 3, 2, 0, IC_PIXELS_RGB8, &image));
    assert_ok(ic_plot_create(context, 20, 12, &plot));
    assert_ok(ic_plot_picture(plot, 5, 1, 4, image));
    assert_ok(ic_plot_png(plot, &png));
    assert_ok(ic_plot_svg(plot, &svg));
    ic_image_free(image); /* the plot has its own reference */
    assert_ok(ic_image_decode(context, png.bytes, png.size, &drawn));
    for (int32_t y = 0; y < 12; y++)
        for (int32_t x = 0; x < 20; x++) {
            bool inside = x >= 5 && x < 17 && y >= 1 && y < 9;
            for (int32_t c = 0; c < 3; c++)
                assert_int_equal(ic_image_row(drawn, y)[3 * x + c],
                                 inside ? pixels[3 * ((y - 1) / 4 * 3 + (x - 5) / 4) + c] : 255);
        }
    ic_image_free(drawn);
    assert_ok(ic_buffer_append(&svg, "", 1));
    const char *text =
        strstr((const char *)svg.bytes, "base64,iVBORw0KGgo"); /* "\x89PNG\r\n\x1a\n" */
    assert_non_null(text);
    assert_non_null(strstr((const char *)svg.bytes, "x=\"5\" y=\"1\" width=\"12\" height=\"8\""));
    assert_non_null(strstr(text, "SUVORK5CYII=\"/>")); /* the end of an IEND chunk */
    ic_plot_free(plot);
    ic_buffer_free(&svg);
    ic_buffer_free(&png);
    ic_context_free(context);
}

/* Draws the sheet of a set as SVG; the text is to be freed. */
static char *draw(int32_t each, bool grey, int32_t side, const char *const *pairs, int32_t threads)
{
    ic_context *context = test_context(threads);
    ic_options *options;
    ic_dataset *dataset;
    const char *path = test_path(folder, "sheet.svg");
    size_t size;
    assert_ok(ic_options_create(context, &options));
    for (; pairs != NULL && *pairs != NULL; pairs += 2)
        assert_ok(ic_options_set_text(options, pairs[0], pairs[1]));
    assert_ok(make_set(context, each, grey, side, &dataset));
    assert_ok(ic_dataset_plot_augmentation(dataset, options, path));
    ic_dataset_free(dataset);
    ic_options_free(options);
    ic_context_free(context);
    char *text = test_read_file(path, &size);
    assert_non_null(text);
    return text;
}

enum { COLOUR_ROWS = 27, GREY_ROWS = 25, ROW = 8 /* cells */ };

/* Grey letters: off. A few pictures, many and large ones do. */
static void sheets_show_every_kind(void **state)
{
    (void)state;
    static const char *const pairs[] = {"rotation", "33",          "mixup", "0.25",
                                        "flip",     "alternating", NULL};
    char *text = draw(9, false, 12, pairs, 2);
    assert_int_equal(count_words(text, "<image"), COLOUR_ROWS * ROW);
    assert_non_null(strstr(text, "fill=\"#222222\">rotation 33</text>"));
    assert_non_null(strstr(text, "fill=\"#222222\">mixup 0.25</text>"));
    assert_non_null(strstr(text, "fill=\"#222222\">flip alternating</text>"));
    assert_non_null(strstr(text, "fill=\"#999999\">cutmix 1</text>"));
    assert_non_null(strstr(text, "fill=\"#999999\">trivial: equalize</text>"));
    assert_non_null(strstr(text, ">all that is on</text>"));
    free(text);
    text = draw(1, true, 64, NULL, 1);
    assert_int_equal(count_words(text, "<image"), GREY_ROWS * ROW);
    assert_null(strstr(text, "saturation"));
    assert_null(strstr(text, "colour"));
    free(text);
    static const char *const large[] = {"input_size", "300", NULL}; /* shrunk to be looked at */
    text = draw(1, true, 16, large, 1);
    assert_int_equal(count_words(text, "width=\"160\" height=\"160\""), GREY_ROWS * ROW);
    free(text);
}

/* What pictures are normalised by is not to be seen. */
static void normalising_does_not_show(void **state)
{
    (void)state;
    static const char *const dataset[] = {"normalise", "dataset", NULL};
    static const char *const picture[] = {"normalise", "picture", NULL};
    char *one = draw(3, true, 64, dataset, 1), *other = draw(3, true, 64, picture, 1);
    assert_string_equal(one, other);
    free(one);
    free(other);
}

static void threads_do_not_show(void **state)
{
    (void)state;
    static const char *const pairs[] = {"cutmix", "1", "policy", "trivial", NULL};
    char *one = draw(6, false, 20, pairs, 1), *more = draw(6, false, 20, pairs, 3);
    assert_string_equal(one, more);
    free(one);
    free(more);
}

static void what_cannot_be_drawn_is_an_error(void **state)
{
    (void)state;
    ic_context *context = test_context(1);
    ic_dataset *dataset;
    assert_ok(ic_dataset_create(context, NULL, &dataset));
    assert_fails(IC_ERROR_DATA, "no readable picture",
                 ic_dataset_plot_augmentation(dataset, NULL, test_path(folder, "none.png")));
    ic_dataset_free(dataset);
    assert_ok(make_set(context, 2, false, 8, &dataset));
    assert_fails(IC_ERROR_ARGUMENT, ".png or .svg",
                 ic_dataset_plot_augmentation(dataset, NULL, test_path(folder, "sheet.gif")));
    assert_fails(IC_ERROR_ARGUMENT, "wants a data set",
                 ic_dataset_plot_augmentation(NULL, NULL, "sheet.png"));
    ic_dataset_free(dataset);
    ic_context_free(context);
}

static ic_status draw_small(ic_context *context, void *payload)
{
    (void)payload;
    ic_dataset *dataset = NULL;
    ic_status status = make_set(context, 1, true, 8, &dataset);
    if (status == IC_OK)
        status = ic_dataset_plot_augmentation(dataset, NULL, test_path(folder, "memory.svg"));
    ic_dataset_free(dataset);
    return status;
}

static void out_of_memory_leaves_nothing(void **state)
{
    (void)state;
    assert_true(test_fail_each_allocation(draw_small, NULL) > 100);
}

static int begin(void **state)
{
    (void)state;
    folder = test_folder();
    return 0;
}

static int end(void **state)
{
    (void)state;
    test_folder_remove(folder);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pictures_are_enlarged_by_whole_factors),
        cmocka_unit_test(sheets_show_every_kind),
        cmocka_unit_test(normalising_does_not_show),
        cmocka_unit_test(threads_do_not_show),
        cmocka_unit_test(what_cannot_be_drawn_is_an_error),
        cmocka_unit_test(out_of_memory_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, begin, end);
}

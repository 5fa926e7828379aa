/*
 * image/test_robust.c: the robust pack: real files, sound, odd and broken. Pixels are compared by
 * tests/tools/robust.py; here the library must take them all, so that sanitizers can watch it.
 * SPDX-License-Identifier: MIT
 */
#include "image/pictures.h"
#include "support/support.h"

#include "base/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMN_PATH = 0, COLUMN_WIDTH = 8, COLUMN_HEIGHT = 9, LINE = 4096 };

typedef struct tally {
    int pictures, decoded, refused;
} tally;

/* The column of a CSV line as text; no quotes come before the columns that are read. */
static void get_column(const char *line, int column, char *out, size_t capacity)
{
    size_t length;

    for (; column > 0; column--)
        line = strchr(line, ',') + 1;
    length = strcspn(line, ",\r\n");
    assert_true(length < capacity);
    memcpy(out, line, length);
    out[length] = 0;
}

static long number_at(const char *line, int column)
{
    char text[64];

    get_column(line, column, text, sizeof(text));
    return strtol(text, NULL, 10);
}

/* Leaving out what a canvas does not show changes no sample of it. */
static void check_centre(const ic_buffer *bytes, ic_decode how)
{
    static const int32_t sides[][2] = {{64, 64}, {9, 31}, {31, 9}};
    for (int32_t i = 0; i < 3; i++) {
        const ic_pipeline pipeline = {.decode = how,
                                      .channels = 3,
                                      .canvas_width = sides[i][0],
                                      .canvas_height = sides[i][1],
                                      .resize = IC_RESIZE_CROP,
                                      .filter = IC_FILTER_BICUBIC};
        ic_image *seen, *whole;
        assert_ok(decode_canvas(bytes->context, &pipeline, bytes->bytes, bytes->size, true, &seen));
        assert_ok(
            decode_canvas(bytes->context, &pipeline, bytes->bytes, bytes->size, false, &whole));
        for (int32_t y = 0; y < whole->height; y++)
            assert_memory_equal(ic_image_row(seen, y), ic_image_row(whole, y),
                                (size_t)whole->width * 3 * (size_t)(whole->depth / 8));
        ic_image_free(whole);
        ic_image_free(seen);
    }
}

/* All ways to decode agree on whether the file is sound. */
static ic_status decode_all_ways(ic_context *context, const ic_buffer *bytes, ic_image **image)
{
    static const ic_decode_options header_only = {.header_only = true},
                                   check_only = {.check_only = true},
                                   shrink = {.canvas_width = 8, .canvas_height = 8, .shrink = true};
    ic_image_facts header = {0}, facts = {0};
    ic_image *small = NULL;
    ic_status status, checked, shrunken, looked;

    status = ic_image_decode_with(context, bytes->bytes, bytes->size, NULL, &facts, image);
    checked = ic_image_decode_with(context, bytes->bytes, bytes->size, &check_only, NULL, NULL);
    shrunken = ic_image_decode_with(context, bytes->bytes, bytes->size, &shrink, NULL, &small);
    looked = ic_image_decode_with(context, bytes->bytes, bytes->size, &header_only, &header, NULL);
    ic_image_free(small);
    assert_int_equal(checked, status);
    assert_int_equal(shrunken, status);
    if (status == IC_OK) {
        assert_int_equal(looked, IC_OK);
        assert_memory_equal(&header, &facts, sizeof(facts));
        check_centre(bytes, IC_DECODE_FULL);
        check_centre(bytes, IC_DECODE_SHRINK);
    }
    return status;
}

static void check_picture(ic_context *context, const char *pack, const char *line, tally *sum)
{
    char name[LINE], path[2 * LINE];
    ic_buffer bytes = {.context = context};
    ic_image *image = NULL;
    ic_status status;

    get_column(line, COLUMN_PATH, name, sizeof(name));
    snprintf(path, sizeof(path), "%s/%s", pack, name);
    assert_ok(ic_file_read(context, path, INT64_MAX, &bytes));
    status = decode_all_ways(context, &bytes, &image);
    if (strncmp(name, "valid_", 6) == 0 && status < 0)
        fail_msg("%s: %s", name, ic_last_error());
    if (status == IC_OK && strncmp(name, "valid_", 6) == 0) {
        long width = number_at(line, COLUMN_WIDTH), height = number_at(line, COLUMN_HEIGHT);

        assert_true((image->width == width && image->height == height) ||
                    (image->width == height && image->height == width));
    }
    sum->pictures++;
    sum->decoded += status == IC_OK;
    sum->refused += status < 0;
    ic_image_free(image);
    ic_buffer_free(&bytes);
}

static void test_pack(void **state)
{
    const char *pack = test_data("robust");
    ic_context *context;
    char line[LINE], path[LINE];
    tally sum = {0};
    FILE *manifest;

    (void)state;
    if (!pack)
        return;
    context = test_context(1);
    snprintf(path, sizeof(path), "%s/manifest.csv", pack);
    manifest = fopen(path, "r");
    assert_non_null(manifest);
    assert_non_null(fgets(line, sizeof(line), manifest)); /* the names of the columns */
    while (fgets(line, sizeof(line), manifest))
        check_picture(context, pack, line, &sum);
    fclose(manifest);
    print_message("%d pictures: %d decoded, %d refused\n", sum.pictures, sum.decoded, sum.refused);
    assert_true(sum.pictures > 700 && sum.refused > 200);
    ic_context_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_pack)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}

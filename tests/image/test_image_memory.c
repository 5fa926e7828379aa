/* image/test_image_memory.c: every allocation failing in turn, through all that a picture goes
 * through. SPDX-License-Identifier: MIT */
#include "base/status.h"
#include "image/pictures.h"
#include "support/support.h"

#include <stdlib.h>

/* A file, and how to decode it. */
typedef struct flow {
    made_file file;
    ic_decode_options options;
} flow;

static ic_status decode(ic_context *context, void *payload)
{
    const flow *f = payload;
    ic_image *image = NULL;
    ic_status status =
        ic_image_decode_with(context, f->file.bytes, f->file.size, &f->options, NULL, &image);

    if (status < 0)
        assert_null(image);
    ic_image_free(image);
    return status;
}

/* Decode, to grey, resize, encode, decode again. */
static ic_status whole_way(ic_context *context, void *payload)
{
    const flow *f = payload;
    ic_image *image = NULL, *grey = NULL, *small = NULL, *back = NULL;
    ic_buffer bytes = {.context = context};
    ic_status status;

    IC_TRY_CLEAN(ic_image_decode(context, f->file.bytes, f->file.size, &image));
    IC_TRY_CLEAN(ic_image_convert(image, image->channels == 4 ? 3 : 1, &grey));
    IC_TRY_CLEAN(ic_image_resize(image, 9, 5, IC_FILTER_BICUBIC, &small));
    IC_TRY_CLEAN(ic_png_encode(small, &bytes));
    IC_TRY_CLEAN(ic_image_decode(context, bytes.bytes, bytes.size, &back));

cleanup:
    ic_image_free(image);
    ic_image_free(grey);
    ic_image_free(small);
    ic_image_free(back);
    ic_buffer_free(&bytes);
    return status;
}

static void check_all(made_file file)
{
    flow f = {.file = file};

    assert_true(test_fail_each_allocation(decode, &f) >= 2);
    assert_true(test_fail_each_allocation(whole_way, &f) >= 10);
    f.options.header_only = true;
    assert_true(test_fail_each_allocation(decode, &f) >= 1);
    f.options = (ic_decode_options){.check_only = true};
    assert_true(test_fail_each_allocation(decode, &f) >= 1);
    free(file.bytes);
}

static void test_png(void **state)
{
    unsigned char exif[EXIF_BYTES];
    png_plan plan = {.width = 33, .height = 20, .type = 6, .bits = 16};
    png_plan palette = {.width = 33, .height = 20, .type = 3, .bits = 4, .interlaced = true};

    (void)state;
    plan.exif = exif;
    plan.exif_size = make_exif(exif, false, 6);
    palette.transparency = "\1\2";
    palette.transparency_size = 2;
    check_all(make_png(&plan));
    check_all(make_png(&palette));
}

static void test_jpeg(void **state)
{
    unsigned char app1[6 + EXIF_BYTES] = "Exif\0";
    jpeg_plan plan = {.width = 33, .height = 20, .components = 3, .subsampled = true};
    jpeg_plan inks = {.width = 33, .height = 20, .components = 4, .progressive = true};

    (void)state;
    plan.app1 = app1;
    plan.app1_size = 6 + make_exif(app1 + 6, true, 3);
    check_all(make_jpeg(&plan));
    check_all(make_jpeg(&inks));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_png),
        cmocka_unit_test(test_jpeg),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

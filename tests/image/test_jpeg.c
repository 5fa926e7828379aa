/* image/test_jpeg.c: every kind of JPEG, and every kind of damage to one. SPDX-License-Identifier:
 * MIT */
#include "base/context.h"
#include "image/pictures.h"
#include "support/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static ic_context *context;

static int wanted_sample(const jpeg_plan *plan, int x, int y, int c)
{
    int sample = jpeg_sample(plan, x, y, c);

    return plan->components == 4 ? sample * jpeg_sample(plan, x, y, 3) / 255 : sample;
}

/* The encoder rounds: a smooth picture comes back within a few steps. */
static void check_pixels(const ic_image *image, const jpeg_plan *plan)
{
    for (int y = 0; y < plan->height; y++)
        for (int x = 0; x < plan->width; x++)
            for (int c = 0; c < image->channels; c++) {
                int got = ic_image_row(image, y)[x * image->channels + c];

                assert_true(abs(got - wanted_sample(plan, x, y, c)) <= (plan->subsampled ? 14 : 8));
            }
}

static void decode_plan(const jpeg_plan *plan)
{
    made_file file = make_jpeg(plan);
    ic_decode_options header_only = {.header_only = true}, check_only = {.check_only = true};
    ic_image_facts facts = {0}, header = {0};
    ic_image *image = NULL;

    assert_ok(ic_image_decode_with(context, file.bytes, file.size, &header_only, &header, NULL));
    assert_ok(ic_image_decode_with(context, file.bytes, file.size, &check_only, NULL, NULL));
    assert_ok(ic_image_decode_with(context, file.bytes, file.size, NULL, &facts, &image));
    assert_memory_equal(&facts, &header, sizeof(facts));
    assert_int_equal(facts.format, IC_FORMAT_JPEG);
    assert_int_equal(facts.width, plan->width);
    assert_int_equal(facts.height, plan->height);
    assert_int_equal(image->width, plan->width);
    assert_int_equal(image->height, plan->height);
    assert_int_equal(image->channels, plan->components == 1 ? 1 : 3);
    assert_int_equal(facts.channels, image->channels);
    assert_int_equal(image->depth, 8);
    check_pixels(image, plan);
    ic_image_free(image);
    free(file.bytes);
}

static void test_all_kinds(void **state)
{
    static const int sizes[][2] = {{1, 1}, {8, 8}, {17, 31}, {64, 3}, {100, 75}};

    (void)state;
    for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++)
        for (int kind = 0; kind < 8; kind++)
            for (int components = 1; components <= 4; components += components == 1 ? 2 : 1) {
                jpeg_plan plan = {.width = sizes[s][0],
                                  .height = sizes[s][1],
                                  .components = components,
                                  .plain = kind & 1,
                                  .progressive = kind & 2,
                                  .subsampled = kind & 4,
                                  .restart = kind == 4};
                decode_plan(&plan);
            }
}

static const jpeg_plan small = {.width = 40, .height = 25, .components = 3, .subsampled = true};

static void cut_at_every_length(const jpeg_plan *plan)
{
    made_file file = make_jpeg(plan);
    ic_decode_options check_only = {.check_only = true};

    for (size_t size = 0; size < file.size; size++) {
        unsigned char *part = malloc(size > 0 ? size : 1); /* so that a sanitizer sees the end */
        ic_image *image = NULL;

        memcpy(part, file.bytes, size);
        assert_fails(IC_ERROR_FORMAT, "", ic_image_decode(context, part, size, &image));
        assert_null(image);
        assert_fails(IC_ERROR_FORMAT, "",
                     ic_image_decode_with(context, part, size, &check_only, NULL, NULL));
        free(part);
    }
    free(file.bytes);
}

static void test_cut_at_every_length(void **state)
{
    jpeg_plan plan = small;

    (void)state;
    cut_at_every_length(&plan);
    plan.progressive = true;
    cut_at_every_length(&plan);
    plan.components = 4;
    plan.restart = 1;
    cut_at_every_length(&plan);
}

static void test_cut_says_so(void **state)
{
    made_file file = make_jpeg(&small);
    ic_image *image = NULL;

    (void)state;
    assert_fails(IC_ERROR_FORMAT, "the JPEG is cut short",
                 ic_image_decode(context, file.bytes, file.size - 2, &image));
    assert_fails(IC_ERROR_FORMAT, "cut short", ic_image_decode(context, file.bytes, 2, &image));
    free(file.bytes);
}

/* Few bytes of a JPEG are guarded: what counts is that nothing worse than an error happens. */
static void test_every_byte_changed(void **state)
{
    jpeg_plan plan = small;
    made_file file;
    int errors = 0;

    (void)state;
    plan.progressive = true;
    file = make_jpeg(&plan);
    for (size_t i = 0; i < file.size; i++)
        for (int bit = 0; bit < 8; bit += 7) {
            ic_image *image = NULL;

            file.bytes[i] ^= (unsigned char)(1 << bit);
            errors += ic_image_decode(context, file.bytes, file.size, &image) < 0;
            file.bytes[i] ^= (unsigned char)(1 << bit);
            ic_image_free(image);
        }
    assert_true(errors > 100);
    free(file.bytes);
}

/* The place of the first marker of that kind, or the size. */
static size_t find_marker(const made_file *file, unsigned char marker)
{
    for (size_t i = 2; i + 1 < file->size; i++)
        if (file->bytes[i] == 0xff && file->bytes[i + 1] == marker)
            return i;
    return file->size;
}

/* `extra` bytes put in at a place. */
static made_file with_bytes_at(const made_file *file, size_t at, const void *bytes, size_t extra)
{
    made_file longer = {0};

    add_bytes(&longer, file->bytes, at);
    add_bytes(&longer, bytes, extra);
    add_bytes(&longer, file->bytes + at, file->size - at);
    return longer;
}

static ic_status decode_with_bytes_at(const made_file *file, size_t at, const void *bytes,
                                      size_t extra)
{
    made_file longer = with_bytes_at(file, at, bytes, extra);
    ic_image *image = NULL;
    ic_status status = ic_image_decode(context, longer.bytes, longer.size, &image);

    ic_image_free(image);
    free(longer.bytes);
    return status;
}

static void test_unused_bytes(void **state)
{
    jpeg_plan plan = small;
    made_file file;

    (void)state;
    plan.restart = 1;
    file = make_jpeg(&plan);
    /* Whole pictures: filler between the headers, before the end and behind it. */
    assert_ok(decode_with_bytes_at(&file, 2, "\0\0\0", 3));
    assert_ok(decode_with_bytes_at(&file, find_marker(&file, 0xd9), "\0\0\0\0\0\0\0\0", 8));
    assert_ok(decode_with_bytes_at(&file, file.size, "trailer", 7));
    /* Filler among the samples means that some of them are not what they were. */
    assert_fails(IC_ERROR_FORMAT, "damaged",
                 decode_with_bytes_at(&file, find_marker(&file, 0xd0), "\0\0\0\0\0\0\0\0", 8));
    free(file.bytes);
}

static void test_lost_restart_interval(void **state)
{
    jpeg_plan plan = small;
    made_file file;
    size_t first, second;
    ic_image *image = NULL;

    (void)state;
    plan.restart = 1;
    file = make_jpeg(&plan);
    first = find_marker(&file, 0xd0);
    second = find_marker(&file, 0xd9);
    memmove(file.bytes + first, file.bytes + second, file.size - second);
    file.size -= second - first;
    assert_fails(IC_ERROR_FORMAT, "damaged",
                 ic_image_decode(context, file.bytes, file.size, &image));
    free(file.bytes);
}

static void test_odd_version(void **state)
{
    made_file file = make_jpeg(&small);
    ic_image *image = NULL;

    (void)state;
    file.bytes[find_marker(&file, 0xe0) + 9] = 148; /* JFIF 148.1: libjpeg warns */
    assert_ok(ic_image_decode(context, file.bytes, file.size, &image));
    ic_image_free(image);
    free(file.bytes);
}

/* Changes the frame header's field at `offset` from the marker, and decodes. */
static ic_status decode_with_frame(size_t offset, unsigned char value)
{
    made_file file = make_jpeg(&small);
    ic_image *image = NULL;
    ic_status status;

    file.bytes[find_marker(&file, 0xc0) + offset] = value;
    status = ic_image_decode(context, file.bytes, file.size, &image);
    ic_image_free(image);
    free(file.bytes);
    return status;
}

static void test_frame_header(void **state)
{
    (void)state;
    assert_fails(IC_ERROR_UNSUPPORTED, "convert it", decode_with_frame(1, 0xc3)); /* lossless */
    assert_fails(IC_ERROR_UNSUPPORTED, "precision", decode_with_frame(4, 12));
    assert_fails(IC_ERROR_FORMAT, "damaged", decode_with_frame(6, 0));     /* height 0 */
    assert_fails(IC_ERROR_FORMAT, "damaged", decode_with_frame(8, 0));     /* width 0 */
    assert_fails(IC_ERROR_FORMAT, "damaged", decode_with_frame(11, 0xff)); /* sampling 15 x 15 */
    assert_fails(IC_ERROR_LIMIT, "max_side", decode_with_frame(5, 0xff));  /* height 65305 */
}

static void test_two_components(void **state)
{
    jpeg_plan plan = small;
    made_file file, cut = {0};
    ic_image *image = NULL;
    size_t frame, scan;

    (void)state;
    plan.subsampled = false;
    file = make_jpeg(&plan);
    frame = find_marker(&file, 0xc0);
    scan = find_marker(&file, 0xda);
    file.bytes[frame + 3] -= 3;
    file.bytes[frame + 9] = 2;
    file.bytes[scan + 3] -= 2;
    file.bytes[scan + 4] = 2;
    add_bytes(&cut, file.bytes, frame + 16);
    add_bytes(&cut, file.bytes + frame + 19, scan + 9 - (frame + 19));
    add_bytes(&cut, file.bytes + scan + 11, file.size - (scan + 11));
    assert_fails(IC_ERROR_UNSUPPORTED, "a JPEG with 2 components",
                 ic_image_decode(context, cut.bytes, cut.size, &image));
    free(cut.bytes);
    free(file.bytes);
}

static void test_many_scans(void **state)
{
    jpeg_plan plan = {.width = 16, .height = 16, .components = 1, .many_scans = true};
    made_file file = make_jpeg(&plan);
    ic_image *image = NULL;

    (void)state;
    assert_fails(IC_ERROR_LIMIT, "more than 100 scans",
                 ic_image_decode(context, file.bytes, file.size, &image));
    free(file.bytes);
}

static void check_shrink(int width, int height, unsigned int orientation, int canvas_width,
                         int canvas_height, int wanted_width, int wanted_height)
{
    unsigned char app1[6 + EXIF_BYTES] = "Exif\0";
    size_t exif = make_exif(app1 + 6, true, orientation);
    jpeg_plan plan = {
        .width = width, .height = height, .components = 3, .app1 = app1, .app1_size = 6 + exif};
    made_file file = make_jpeg(&plan);
    ic_decode_options options = {
        .canvas_width = canvas_width, .canvas_height = canvas_height, .shrink = true};
    ic_image_facts facts;
    ic_image *image = NULL;

    assert_ok(ic_image_decode_with(context, file.bytes, file.size, &options, &facts, &image));
    assert_int_equal(image->width, wanted_width);
    assert_int_equal(image->height, wanted_height);
    assert_int_equal(facts.width, orientation >= 5 ? height : width);
    assert_int_equal(facts.height, orientation >= 5 ? width : height);
    ic_image_free(image);
    free(file.bytes);
}

static void test_shrinks_on_load(void **state)
{
    (void)state;
    check_shrink(640, 480, 1, 0, 0, 640, 480);
    check_shrink(640, 480, 1, 100, 0, 640, 480);
    check_shrink(640, 480, 1, 320, 240, 320, 240);
    check_shrink(640, 480, 1, 321, 240, 640, 480);
    check_shrink(640, 480, 1, 200, 200, 320, 240);
    check_shrink(640, 480, 1, 120, 120, 160, 120);
    check_shrink(640, 480, 1, 20, 20, 80, 60);
    check_shrink(333, 251, 1, 40, 20, 42, 32);
    check_shrink(640, 480, 6, 20, 640, 480, 640);
    check_shrink(640, 480, 6, 240, 320, 240, 320);
}

/* What the shrunken picture shows is the full one, averaged. */
static void test_shrunken_pixels(void **state)
{
    jpeg_plan plan = {.width = 128, .height = 96, .components = 3, .subsampled = true};
    made_file file = make_jpeg(&plan);
    ic_decode_options options = {.canvas_width = 32, .canvas_height = 24, .shrink = true};
    ic_image *image = NULL;

    (void)state;
    assert_ok(ic_image_decode_with(context, file.bytes, file.size, &options, NULL, &image));
    assert_int_equal(image->width, 32);
    for (int y = 0; y < image->height; y++)
        for (int x = 0; x < image->width; x++)
            for (int c = 0; c < 3; c++)
                assert_true(abs(ic_image_row(image, y)[3 * x + c] -
                                jpeg_sample(&plan, 4 * x + 2, 4 * y + 2, c)) <= 12);
    ic_image_free(image);
    free(file.bytes);
}

static bool is_black(const ic_image *image, int x)
{
    for (int y = 0; y < image->height; y++)
        for (int c = 0; c < image->channels; c++)
            if (ic_image_row(image, y)[x * image->channels + c] != 0)
                return false;
    return true;
}

/* The columns that a resize of the centre to a square of `side` reaches are those of the full
 * picture; the outermost ones are not decoded, where libjpeg can leave out columns. */
static void check_centre(const jpeg_plan *plan, int side, bool shrink, bool spared)
{
    made_file file = make_jpeg(plan);
    ic_decode_options options = {.canvas_width = side, .canvas_height = side, .shrink = shrink};
    ic_image *whole = NULL, *centre = NULL;

    assert_ok(ic_image_decode_with(context, file.bytes, file.size, &options, NULL, &whole));
    options.centre = true;
    assert_ok(ic_image_decode_with(context, file.bytes, file.size, &options, NULL, &centre));
    assert_int_equal(centre->width, whole->width);
    const int reach = (int)ceil(2.0 * whole->height / side) + 1;
    const int first = (whole->width - whole->height) / 2 - reach;
    const size_t channels = (size_t)whole->channels;
    for (int y = 0; y < whole->height; y++)
        assert_memory_equal(ic_image_row(centre, y) + (size_t)first * channels,
                            ic_image_row(whole, y) + (size_t)first * channels,
                            (size_t)(whole->width - 2 * first) * channels);
    assert_false(is_black(whole, 0));
    assert_false(is_black(whole, whole->width - 1));
    assert_int_equal(is_black(centre, 0), spared);
    assert_int_equal(is_black(centre, whole->width - 1), spared);
    ic_image_free(centre);
    ic_image_free(whole);
    free(file.bytes);
}

static void test_spares_the_sides(void **state)
{
    static const int factors[][2] = {{1, 1}, {2, 1}, {1, 2}, {2, 2},
                                     {4, 1}, {1, 4}, {4, 2}, {2, 4}};

    (void)state;
    for (int i = 0; i < 8 * 2 * 3; i++) {
        const int across = factors[i % 8][0], down = factors[i % 8][1];
        jpeg_plan plan = {.width = 803,
                          .height = 301,
                          .components = i / 16 == 1 ? 1 : 3,
                          .subsampled = true,
                          .across = across,
                          .down = down,
                          .restart = i / 16 == 2 ? 3 : 0};
        check_centre(&plan, 20, i / 8 % 2, across <= 2 && down <= 2);
        check_centre(&plan, 150, i / 8 % 2, across <= 2 && down <= 2);
        plan.progressive = true;
        check_centre(&plan, 20, i / 8 % 2, false);
    }
}

static void test_limits(void **state)
{
    made_file file = make_jpeg(&small);
    ic_context *narrow = test_context(1);
    ic_image *image = NULL;

    (void)state;
    narrow->limits.side = 39;
    assert_fails(IC_ERROR_LIMIT, "40 x 25 pixels, the limit is 39 a side",
                 ic_image_decode(narrow, file.bytes, file.size, &image));
    narrow->limits.side = 40;
    narrow->limits.pixels = 999;
    assert_fails(IC_ERROR_LIMIT, "the limit is 999 in all",
                 ic_image_decode(narrow, file.bytes, file.size, &image));
    narrow->limits.pixels = 1000;
    assert_ok(ic_image_decode(narrow, file.bytes, file.size, &image));
    ic_image_free(image);
    ic_context_free(narrow);
    free(file.bytes);
}

/* What is encoded is decoded again, nearly; larger than one chunk of the writer, and as small as
 * can be. */
static void test_encodes(void **state)
{
    static const int32_t sides[][2] = {{1, 1}, {17, 5}, {300, 200}};
    (void)state;
    for (int32_t i = 0; i < 6; i++) {
        const jpeg_plan plan = {
            .width = sides[i / 2][0], .height = sides[i / 2][1], .components = i % 2 ? 3 : 1};
        ic_buffer bytes = {.context = context}, again = {.context = context};
        ic_image *made, *read;
        assert_ok(ic_image_create(context, plan.width, plan.height, plan.components, 8, &made));
        for (int32_t y = 0; y < plan.height; y++)
            for (int32_t x = 0; x < plan.width * plan.components; x++)
                ic_image_row(made, y)[x] =
                    jpeg_sample(&plan, x / plan.components, y, x % plan.components);
        assert_ok(ic_jpeg_encode(made, 95, &bytes));
        assert_ok(ic_jpeg_encode(made, 95, &again));
        assert_int_equal(bytes.size, again.size);
        assert_memory_equal(bytes.bytes, again.bytes, bytes.size);
        assert_ok(ic_image_decode(context, bytes.bytes, bytes.size, &read));
        assert_int_equal(read->channels, plan.components);
        for (int32_t y = 0; y < plan.height; y++)
            for (int32_t x = 0; x < plan.width * plan.components; x++)
                assert_true(abs(ic_image_row(read, y)[x] - ic_image_row(made, y)[x]) <= 16);
        ic_image_free(read);
        ic_image_free(made);
        ic_buffer_free(&again);
        ic_buffer_free(&bytes);
    }
}

static int set_up(void **state)
{
    (void)state;
    context = test_context(1);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    ic_context_free(context);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_kinds),        cmocka_unit_test(test_cut_at_every_length),
        cmocka_unit_test(test_cut_says_so),      cmocka_unit_test(test_every_byte_changed),
        cmocka_unit_test(test_unused_bytes),     cmocka_unit_test(test_lost_restart_interval),
        cmocka_unit_test(test_odd_version),      cmocka_unit_test(test_frame_header),
        cmocka_unit_test(test_two_components),   cmocka_unit_test(test_many_scans),
        cmocka_unit_test(test_shrinks_on_load),  cmocka_unit_test(test_shrunken_pixels),
        cmocka_unit_test(test_spares_the_sides), cmocka_unit_test(test_limits),
        cmocka_unit_test(test_encodes),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}

/* image/test_png.c: every kind of PNG, and every kind of damage to one. SPDX-License-Identifier:
 * MIT */
#include "base/context.h"
#include "image/pictures.h"
#include "support/support.h"

#include <stdlib.h>
#include <string.h>

static ic_context *context;

/* What sample c of the decoded pixel must be, by the specification. */
static uint32_t wanted_sample(const png_plan *plan, uint32_t x, uint32_t y, uint32_t c)
{
    uint32_t sample = png_sample(plan, x, y, plan->type == 3 ? 0 : c);

    if (plan->type == 3)
        return png_palette(sample, c);
    return plan->bits >= 8 ? sample : sample * (255u / ((1u << plan->bits) - 1));
}

static uint32_t sample_of(const ic_image *image, uint32_t x, uint32_t y, uint32_t c)
{
    size_t index = (size_t)x * (size_t)image->channels + c;
    const unsigned char *row = ic_image_row(image, (int32_t)y);

    return image->depth == 8 ? row[index] : ((const uint16_t *)(const void *)row)[index];
}

static void check_pixels(const ic_image *image, const png_plan *plan, uint32_t channels)
{
    for (uint32_t y = 0; y < plan->height; y++)
        for (uint32_t x = 0; x < plan->width; x++)
            for (uint32_t c = 0; c < channels; c++)
                assert_int_equal(sample_of(image, x, y, c), wanted_sample(plan, x, y, c));
}

static void decode_plan(const png_plan *plan)
{
    static const int channels[] = {1, 0, 3, 3, 2, 0, 4};
    made_file file = make_png(plan);
    ic_image_facts facts = {0}, header = {0};
    ic_decode_options header_only = {.header_only = true}, check_only = {.check_only = true};
    ic_image *image = NULL;

    assert_ok(ic_image_decode_with(context, file.bytes, file.size, &header_only, &header, NULL));
    assert_ok(ic_image_decode_with(context, file.bytes, file.size, &check_only, NULL, NULL));
    assert_ok(ic_image_decode_with(context, file.bytes, file.size, NULL, &facts, &image));
    assert_memory_equal(&facts, &header, sizeof(facts));
    assert_int_equal(facts.format, IC_FORMAT_PNG);
    assert_int_equal(image->width, plan->width);
    assert_int_equal(image->height, plan->height);
    assert_int_equal(facts.width, plan->width);
    assert_int_equal(facts.height, plan->height);
    assert_int_equal(image->channels, channels[plan->type]);
    assert_int_equal(facts.channels, image->channels);
    assert_int_equal(image->depth, plan->bits == 16 ? 16 : 8);
    check_pixels(image, plan, (uint32_t)image->channels);
    ic_image_free(image);
    free(file.bytes);
}

static void test_all_kinds(void **state)
{
    static const struct {
        int type, bits;
    } kinds[] = {{0, 1}, {0, 2}, {0, 4}, {0, 8}, {0, 16}, {2, 8}, {2, 16}, {3, 1},
                 {3, 2}, {3, 4}, {3, 8}, {4, 8}, {4, 16}, {6, 8}, {6, 16}};
    static const uint32_t sizes[][2] = {{1, 1}, {3, 2}, {7, 9}, {16, 16}, {33, 5}};

    (void)state;
    for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
        for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++)
            for (int interlaced = 0; interlaced < 2; interlaced++) {
                png_plan plan = {.width = sizes[s][0],
                                 .height = sizes[s][1],
                                 .type = kinds[k].type,
                                 .bits = kinds[k].bits,
                                 .interlaced = interlaced};
                decode_plan(&plan);
            }
}

static ic_image *decode_file(made_file *file)
{
    ic_image *image = NULL;

    assert_ok(ic_image_decode(context, file->bytes, file->size, &image));
    free(file->bytes);
    return image;
}

static void test_transparent_palette(void **state)
{
    static const unsigned char alphas[3] = {0, 128, 200};
    png_plan plan = {9, 7, 3, 4, .transparency = alphas, .transparency_size = 3};
    made_file file = make_png(&plan);
    ic_image *image = decode_file(&file);

    (void)state;
    assert_int_equal(image->channels, 4);
    check_pixels(image, &plan, 3);
    for (uint32_t y = 0; y < plan.height; y++)
        for (uint32_t x = 0; x < plan.width; x++) {
            uint32_t index = png_sample(&plan, x, y, 0);

            assert_int_equal(sample_of(image, x, y, 3), index < 3 ? alphas[index] : 255);
        }
    ic_image_free(image);
}

/* tRNS of grey and colour names one value that is transparent, others are opaque. */
static void check_key(int type, int bits)
{
    uint32_t channels = type == 0 ? 1 : 3, most = bits == 16 ? 65535 : 255;
    unsigned char key[6];
    png_plan plan = {5, 4, type, bits, .transparency = key, .transparency_size = channels * 2};
    made_file file;
    ic_image *image;

    for (uint32_t c = 0; c < channels; c++) {
        key[2 * c] = (unsigned char)(png_sample(&plan, 2, 1, c) >> 8);
        key[2 * c + 1] = (unsigned char)png_sample(&plan, 2, 1, c);
    }
    file = make_png(&plan);
    image = decode_file(&file);
    assert_int_equal(image->channels, channels + 1);
    check_pixels(image, &plan, channels);
    for (uint32_t y = 0; y < plan.height; y++)
        for (uint32_t x = 0; x < plan.width; x++) {
            bool same = true;

            for (uint32_t c = 0; c < channels; c++)
                same = same && png_sample(&plan, x, y, c) == png_sample(&plan, 2, 1, c);
            assert_int_equal(sample_of(image, x, y, channels), same ? 0 : most);
        }
    ic_image_free(image);
}

static void test_transparent_value(void **state)
{
    (void)state;
    check_key(0, 1);
    check_key(0, 4);
    check_key(0, 8);
    check_key(0, 16);
    check_key(2, 8);
    check_key(2, 16);
}

static const png_plan small = {11, 6, 6, 8};

static void test_cut_at_every_length(void **state)
{
    ic_decode_options check_only = {.check_only = true};

    (void)state;
    for (int interlaced = 0; interlaced < 2; interlaced++) {
        png_plan plan = small;
        made_file file;

        plan.interlaced = interlaced;
        file = make_png(&plan);
        for (size_t size = 0; size < file.size; size++) {
            unsigned char *part = malloc(size + 1); /* so that a sanitizer sees the end */
            ic_image *image = NULL;

            memcpy(part, file.bytes, size);
            part = realloc(part, size > 0 ? size : 1);
            assert_fails(IC_ERROR_FORMAT, "", ic_image_decode(context, part, size, &image));
            assert_null(image);
            assert_fails(IC_ERROR_FORMAT, "",
                         ic_image_decode_with(context, part, size, &check_only, NULL, NULL));
            free(part);
        }
        free(file.bytes);
    }
}

static void test_cut_says_so(void **state)
{
    made_file file = make_png(&small);
    ic_image *image = NULL;

    (void)state;
    assert_fails(IC_ERROR_FORMAT, "cut short",
                 ic_image_decode(context, file.bytes, file.size - 1, &image));
    assert_fails(IC_ERROR_FORMAT, "cut short", ic_image_decode(context, file.bytes, 60, &image));
    assert_fails(IC_ERROR_FORMAT, "20 bytes do not hold its header",
                 ic_image_decode(context, file.bytes, 20, &image));
    free(file.bytes);
}

/* Each byte is under a check sum, or is a length, a name or the signature. */
static void test_every_byte_changed(void **state)
{
    made_file file = make_png(&small);

    (void)state;
    for (size_t i = 0; i < file.size; i++) {
        ic_image *image = NULL;
        ic_status status;

        file.bytes[i] ^= 0x41;
        status = ic_image_decode(context, file.bytes, file.size, &image);
        file.bytes[i] ^= 0x41;
        assert_in_range(-status, -IC_ERROR_FORMAT, -IC_ERROR_LIMIT);
    }
    free(file.bytes);
}

static void test_check_sums(void **state)
{
    static const char *names[] = {"IHDR", "tEXt", "IDAT", "IEND"};

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        made_file file = make_png(&small);
        size_t at = find_chunk(&file, names[i]);
        ic_image *image = NULL;

        at += 8 + ((size_t)file.bytes[at + 2] << 8 | file.bytes[at + 3]);
        file.bytes[at] ^= 1;
        assert_fails(IC_ERROR_FORMAT, "the PNG is damaged",
                     ic_image_decode(context, file.bytes, file.size, &image));
        free(file.bytes);
    }
}

static void test_bytes_behind_the_end(void **state)
{
    made_file file = make_png(&small);
    ic_image *image;

    (void)state;
    add_bytes(&file, "anything", 8);
    image = decode_file(&file);
    check_pixels(image, &small, 4);
    ic_image_free(image);
}

/* A header of any size; the rest is that of a small picture. */
static made_file with_size(uint32_t width, uint32_t height)
{
    png_plan plan = {1, 1, 6, 16};
    made_file sound = make_png(&plan), file = {0};
    unsigned char header[13];

    memcpy(header, sound.bytes + 16, 13);
    for (int i = 0; i < 4; i++) {
        header[i] = (unsigned char)(width >> (24 - 8 * i));
        header[4 + i] = (unsigned char)(height >> (24 - 8 * i));
    }
    add_bytes(&file, sound.bytes, 8);
    add_chunk(&file, "IHDR", header, 13);
    add_bytes(&file, sound.bytes + 33, sound.size - 33);
    free(sound.bytes);
    return file;
}

static void check_size(uint32_t width, uint32_t height, ic_status code, const char *words)
{
    made_file file = with_size(width, height);
    ic_image *image = NULL;

    assert_fails(code, words, ic_image_decode(context, file.bytes, file.size, &image));
    free(file.bytes);
}

static void test_sizes(void **state)
{
    (void)state;
    check_size(0, 5, IC_ERROR_FORMAT, "empty: 0 x 5");
    check_size(5, 0, IC_ERROR_FORMAT, "empty: 5 x 0");
    check_size(32769, 1, IC_ERROR_LIMIT, "32769 x 1 pixels, the limit is 32768 a side");
    check_size(1, 40000, IC_ERROR_LIMIT, "max_side");
    check_size(4294967295u, 4294967295u, IC_ERROR_LIMIT, "4294967295");
    check_size(32768, 32768, IC_ERROR_LIMIT, "max_megapixels");
    check_size(8000, 8000, IC_ERROR_FORMAT, "cannot hold 8000 x 8000 pixels");
    check_size(20, 20, IC_ERROR_FORMAT, "damaged");
}

/* A few bytes that unpack to a large picture are held to the limits of the context. */
static void test_bomb(void **state)
{
    png_plan plan = {1200, 1000, 0, 1};
    made_file file = make_png(&plan);
    test_allocator allocator = {0};
    ic_context *narrow = test_context_with(&allocator, 1);
    ic_image *image = NULL;

    (void)state;
    narrow->limits.pixels = 1000000;
    assert_fails(IC_ERROR_LIMIT, "1200 x 1000",
                 ic_image_decode(narrow, file.bytes, file.size, &image));
    narrow->limits.file_bytes = 10;
    assert_fails(IC_ERROR_LIMIT, "max_file_mb",
                 ic_image_decode(narrow, file.bytes, file.size, &image));
    ic_context_free(narrow);
    assert_int_equal(allocator.live, 0);
    free(file.bytes);
}

static void test_apple(void **state)
{
    made_file sound = make_png(&small), file = {0};
    ic_image *image = NULL;

    (void)state;
    add_bytes(&file, sound.bytes, 8);
    add_chunk(&file, "CgBI", "\x50\0\x20\6", 4);
    add_bytes(&file, sound.bytes + 8, sound.size - 8);
    assert_fails(IC_ERROR_UNSUPPORTED, "CgBI",
                 ic_image_decode(context, file.bytes, file.size, &image));
    free(file.bytes);
    free(sound.bytes);
}

static void test_missing_parts(void **state)
{
    png_plan plan = {4, 4, 3, 8};
    static const char *names[] = {"IHDR", "PLTE", "IDAT", "IEND"};

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        made_file file = make_png(&plan);
        ic_image *image = NULL;

        memcpy(file.bytes + find_chunk(&file, names[i]) + 4, "zzZz", 4); /* and its sum is wrong */
        assert_fails(IC_ERROR_FORMAT, "", ic_image_decode(context, file.bytes, file.size, &image));
        free(file.bytes);
    }
}

static void round_trip(int32_t channels, int32_t depth, int32_t width, int32_t height)
{
    ic_image *image = NULL, *back = NULL;
    ic_buffer bytes = {.context = context};

    assert_ok(ic_image_create(context, width, height, channels, depth, &image));
    for (size_t i = 0; i < image->stride * (size_t)height; i++)
        image->pixels[i] = (unsigned char)(i * 2654435761u >> 13);
    assert_ok(ic_png_encode(image, &bytes));
    assert_ok(ic_image_decode(context, bytes.bytes, bytes.size, &back));
    assert_int_equal(back->channels, channels);
    assert_int_equal(back->depth, depth);
    assert_int_equal(back->stride, image->stride);
    assert_memory_equal(back->pixels, image->pixels, image->stride * (size_t)height);
    ic_image_free(image);
    ic_image_free(back);
    ic_buffer_free(&bytes);
}

static void test_encode(void **state)
{
    (void)state;
    for (int32_t channels = 1; channels <= 4; channels++)
        for (int32_t depth = 8; depth <= 16; depth += 8) {
            round_trip(channels, depth, 1, 1);
            round_trip(channels, depth, 37, 19);
        }
    round_trip(3, 8, 1, 5000);
    round_trip(1, 8, 32768, 1);
}

/* A picture of the largest side is no special case for libpng's own limits. */
static void test_raised_limits(void **state)
{
    png_plan plan = {40000, 1, 0, 8};
    made_file file = make_png(&plan);
    ic_context *wide = test_context(1);
    ic_image *image = NULL;

    (void)state;
    wide->limits.side = 65500;
    assert_ok(ic_image_decode(wide, file.bytes, file.size, &image));
    check_pixels(image, &plan, 1);
    ic_image_free(image);
    ic_context_free(wide);
    free(file.bytes);
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
        cmocka_unit_test(test_all_kinds),
        cmocka_unit_test(test_transparent_palette),
        cmocka_unit_test(test_transparent_value),
        cmocka_unit_test(test_cut_at_every_length),
        cmocka_unit_test(test_cut_says_so),
        cmocka_unit_test(test_every_byte_changed),
        cmocka_unit_test(test_check_sums),
        cmocka_unit_test(test_bytes_behind_the_end),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_bomb),
        cmocka_unit_test(test_apple),
        cmocka_unit_test(test_missing_parts),
        cmocka_unit_test(test_encode),
        cmocka_unit_test(test_raised_limits),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}

/* dataset/test_idx.c: IDX files, sound and hostile. SPDX-License-Identifier: MIT */
#include "dataset/pictures.h"

#include "base/status.h"
#include "dataset/source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

static const char *root;

static int set_up(void **state)
{
    (void)state;
    root = test_folder();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    test_folder_remove(root);
    return 0;
}

static size_t put_header(unsigned char *out, uint32_t dimensions, const uint32_t *sizes)
{
    const unsigned char magic[4] = {0, 0, 8, (unsigned char)dimensions};
    memcpy(out, magic, 4);
    for (uint32_t i = 0; i < dimensions; i++)
        for (uint32_t k = 0; k < 4; k++)
            out[4 + 4 * i + k] = (unsigned char)(sizes[i] >> (24 - 8 * k));
    return 4 + 4 * (size_t)dimensions;
}

static void write_packed(const char *path, const void *bytes, size_t size)
{
    gzFile file = gzopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(gzwrite(file, bytes, (unsigned)size), (int)size);
    gzclose(file);
}

/* `count` pictures of 5 x 3 whose samples are their number + 16 * place; labels are number % 3 + 4.
 */
static void write_pair(const char *pictures, const char *labels, uint32_t count)
{
    unsigned char bytes[4096];
    size_t size = put_header(bytes, 3, (uint32_t[]){count, 3, 5});
    for (uint32_t i = 0; i < count * 15; i++)
        bytes[size++] = (unsigned char)(i / 15 + 16 * (i % 15));
    const char *path = test_path(root, pictures);
    strstr(path, ".gz") != NULL ? write_packed(path, bytes, size) : test_write(path, bytes, size);
    size = put_header(bytes, 1, &count);
    for (uint32_t i = 0; i < count; i++)
        bytes[size++] = (unsigned char)(i % 3 + 4);
    path = test_path(root, labels);
    strstr(path, ".gz") != NULL ? write_packed(path, bytes, size) : test_write(path, bytes, size);
}

static void expect_pair(const char *path, int64_t count)
{
    ic_context *context = test_context(2);
    ic_dataset *dataset;
    assert_ok(ic_dataset_open(context, test_path(root, path), NULL, &dataset));
    assert_int_equal(ic_dataset_count(dataset), count);
    assert_int_equal(ic_dataset_class_count(dataset), 3);
    assert_string_equal(class_of(dataset, 0), "4");
    assert_string_equal(class_of(dataset, 5), "6");
    char origin[1024];
    snprintf(origin, sizeof origin, "%s#4", test_path(root, path));
    assert_string_equal(origin_of(dataset, 3), origin);
    ic_image *image;
    assert_ok(ic_dataset_image(dataset, 3, &image));
    assert_int_equal(image->width, 5);
    assert_int_equal(image->height, 3);
    assert_int_equal(image->channels, 1);
    assert_int_equal(ic_image_row(image, 2)[4], 3 + 16 * 14);
    unsigned char digest[IC_SHA256_BYTES];
    ic_digest_samples(image, digest);
    assert_memory_equal(digest, ic_dataset_at(dataset, 3)->digest, IC_SHA256_BYTES);
    ic_image_free(image);
    ic_dataset_free(dataset);
    ic_context_free(context);
}

static void a_file_is_read_with_the_labels_beside_it(void **state)
{
    (void)state;
    write_pair("some-images-idx3-ubyte", "some-labels-idx1-ubyte", 7);
    expect_pair("some-images-idx3-ubyte", 7);
    write_pair("packed-images-idx3-ubyte.gz", "packed-labels-idx1-ubyte.gz", 8);
    expect_pair("packed-images-idx3-ubyte.gz", 8);
    write_pair("mixed-images.idx3-ubyte", "mixed-labels.idx1-ubyte.gz", 9);
    expect_pair("mixed-images.idx3-ubyte", 9);
    write_pair("other-images-idx3-ubyte.gz", "other-labels-idx1-ubyte", 6);
    expect_pair("other-images-idx3-ubyte.gz", 6);
}

static void the_usual_four_files_declare_parts(void **state)
{
    (void)state;
    write_pair("train-images-idx3-ubyte", "train-labels-idx1-ubyte", 12);
    write_pair("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz", 12); /* once is enough */
    write_pair("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz", 6);
    ic_context *context = test_context(1);
    ic_dataset *dataset;
    assert_ok(ic_dataset_open(context, root, NULL, &dataset));
    assert_int_equal(ic_dataset_count(dataset), 18);
    assert_int_equal(count_in_part(dataset, "train"), 12);
    assert_int_equal(count_in_part(dataset, "test"), 6);
    ic_dataset_free(dataset);
    ic_context_free(context);
}

/* Not letters within others. */
static void words_of_names_declare_parts(void **state)
{
    (void)state;
    write_pair("letters.Test-images-idx3-ubyte", "letters.Test-labels-idx1-ubyte", 3);
    write_pair("latest-images-idx3-ubyte", "latest-labels-idx1-ubyte", 4);
    write_pair("interval-images-idx3-ubyte", "interval-labels-idx1-ubyte", 5);
    write_pair("a_validation2-images-idx3-ubyte", "a_validation2-labels-idx1-ubyte", 6);
    ic_context *context = test_context(1);
    ic_dataset *dataset, *part;
    assert_ok(ic_dataset_open(context, root, NULL, &dataset));
    assert_int_equal(ic_dataset_count(dataset), 18);
    assert_int_equal(count_in_part(dataset, "test"), 3);
    assert_int_equal(count_in_part(dataset, "validation"), 6);
    assert_fails(IC_ERROR_NOT_FOUND, "train", ic_dataset_part(dataset, "train", &part));
    ic_dataset_free(dataset);
    ic_context_free(context);
}

static void part_folders_may_hold_idx_files(void **state)
{
    (void)state;
    make_folder(root, "train");
    make_folder(root, "test");
    write_pair("train/x-images-idx3-ubyte", "train/x-labels-idx1-ubyte", 9);
    write_pair("test/x-images-idx3-ubyte", "test/x-labels-idx1-ubyte", 3);
    ic_context *context = test_context(1);
    ic_dataset *dataset;
    assert_ok(ic_dataset_open(context, root, NULL, &dataset));
    assert_int_equal(ic_dataset_count(dataset), 12);
    assert_int_equal(count_in_part(dataset, "test"), 3);
    ic_dataset_free(dataset);
    ic_context_free(context);
}

static void classes_txt_names_the_labels(void **state)
{
    (void)state;
    write_pair("train-images-idx3-ubyte", "train-labels-idx1-ubyte", 6);
    static const char names[] = "zero\none\ntwo\nthree\n  vier \r\nfive";
    test_write(test_path(root, "classes.txt"), names, sizeof names - 1);
    ic_context *context = test_context(1);
    ic_dataset *dataset;
    assert_ok(ic_dataset_open(context, root, NULL, &dataset));
    assert_int_equal(ic_dataset_class_count(dataset), 3);
    static const char *const expected[] = {"vier", "five", "6"}; /* line 7 is missing */
    for (int32_t i = 0; i < 3; i++)
        assert_string_equal(class_of(dataset, i), expected[i]);
    ic_dataset_free(dataset);
    static const char blank[] =
        "\n\n\n\n \r\nfive\n\n"; /* labels without a name keep their number */
    test_write(test_path(root, "classes.txt"), blank, sizeof blank - 1);
    assert_ok(ic_dataset_open(context, root, NULL, &dataset));
    assert_int_equal(ic_dataset_class_count(dataset), 3);
    assert_string_equal(class_of(dataset, 0), "4");
    assert_string_equal(class_of(dataset, 1), "five");
    assert_string_equal(class_of(dataset, 2), "6");
    ic_dataset_free(dataset);
    test_write(test_path(root, "classes.txt"), "\xff\xfe", 2);
    assert_fails(IC_ERROR_FORMAT, "classes.txt is not UTF-8",
                 ic_dataset_open(context, root, NULL, &dataset));
    ic_context_free(context);
}

/* Ten and more labels keep the order of numbers, which that of names is not. */
static void labels_are_in_order_of_number(void **state)
{
    (void)state;
    unsigned char bytes[64];
    size_t size = put_header(bytes, 3, (uint32_t[]){12, 1, 1});
    for (uint32_t i = 0; i < 12; i++)
        bytes[size++] = (unsigned char)i;
    test_write(test_path(root, "a-images-idx3"), bytes, size);
    size = put_header(bytes, 1, &(uint32_t){12});
    for (uint32_t i = 0; i < 12; i++)
        bytes[size++] = (unsigned char)(11 - i);
    test_write(test_path(root, "a-labels-idx1"), bytes, size);
    ic_context *context = test_context(1);
    ic_dataset *dataset;
    assert_ok(ic_dataset_open(context, test_path(root, "a-images-idx3"), NULL, &dataset));
    for (int32_t i = 0; i < 12; i++) {
        char digits[12];
        const char *name;
        snprintf(digits, sizeof digits, "%d", i);
        assert_ok(ic_dataset_class(dataset, i, &name, NULL));
        assert_string_equal(name, digits);
    }
    ic_dataset_free(dataset);
    ic_context_free(context);
}

static void hostile_headers_are_refused(void **state)
{
    (void)state;
    ic_idx idx;
    unsigned char bytes[64] = {0};
    size_t header = put_header(bytes, 3, (uint32_t[]){2, 3, 4});
    assert_ok(ic_idx_parse(bytes, header + 24, 3, "x", &idx));
    assert_int_equal(idx.count, 2);
    assert_int_equal(idx.height, 3);
    assert_int_equal(idx.width, 4);
    assert_ptr_equal(idx.samples, bytes + header);
    for (size_t size = 0; size < 64; size++)
        if (size != header + 24)
            assert_true(ic_idx_parse(bytes, size, 3, "x", &idx) == IC_ERROR_FORMAT);
    static const uint32_t hostile[][3] = {
        {0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF},
        {0x80000000, 0x80000000, 4},
        {2, 0, 12},
        {24, 0, 0},
        {0x10000, 0x10000, 0x10000},
        {0, 3, 4},
    };
    for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
        put_header(bytes, 3, hostile[i]);
        assert_true(ic_idx_parse(bytes, header + 24, 3, "x", &idx) == IC_ERROR_FORMAT);
    }
    put_header(bytes, 3, (uint32_t[]){2, 3, 4});
    assert_fails(IC_ERROR_FORMAT, "have 1", ic_idx_parse(bytes, header + 24, 1, "x", &idx));
    bytes[2] = 0x0D;
    assert_fails(IC_ERROR_UNSUPPORTED, "type 0x0d", ic_idx_parse(bytes, 40, 3, "x", &idx));
    bytes[0] = 1;
    assert_fails(IC_ERROR_FORMAT, "not an IDX file", ic_idx_parse(bytes, 40, 3, "x", &idx));
}

static void files_that_do_not_fit_are_errors(void **state)
{
    (void)state;
    ic_context *context = test_context(1);
    ic_dataset *dataset = NULL;
    write_pair("a-images-idx3", "a-labels-idx1", 7);
    write_pair("b-images-idx3", "b-labels-idx1", 8);
    size_t size;
    char *bytes = test_read_file(test_path(root, "b-labels-idx1"), &size);
    test_write(test_path(root, "a-labels-idx1"), bytes, size);
    free(bytes);
    assert_fails(IC_ERROR_FORMAT, "has 7 pictures",
                 ic_dataset_open(context, test_path(root, "a-images-idx3"), NULL, &dataset));
    remove(test_path(root, "a-labels-idx1"));
    assert_fails(IC_ERROR_NOT_FOUND, "its labels a-labels-idx1",
                 ic_dataset_open(context, test_path(root, "a-images-idx3"), NULL, &dataset));
    write_pair("plain", "labels", 7);
    assert_fails(IC_ERROR_DATA, "usual names",
                 ic_dataset_open(context, test_path(root, "plain"), NULL, &dataset));
    write_pair("c-images-idx3.gz", "c-labels-idx1.gz", 7);
    bytes = test_read_file(test_path(root, "c-images-idx3.gz"), &size);
    test_write(test_path(root, "c-images-idx3.gz"), bytes, size - 9);
    free(bytes);
    assert_fails(IC_ERROR_FORMAT, "c-images-idx3.gz",
                 ic_dataset_open(context, test_path(root, "c-images-idx3.gz"), NULL, &dataset));
    ic_options *options;
    assert_ok(ic_options_create(context, &options));
    ic_options_free(options);
    assert_null(dataset);
    ic_context_free(context);
}

static void limits_of_pictures_hold(void **state)
{
    (void)state;
    write_pair("a-images-idx3", "a-labels-idx1", 7);
    ic_context *context;
    ic_options *options;
    ic_dataset *dataset;
    assert_ok(ic_context_create(&context));
    assert_ok(ic_options_create(context, &options));
    assert_ok(ic_options_set_int(options, "max_side", 4));
    assert_ok(ic_context_configure(context, options));
    assert_fails(IC_ERROR_LIMIT, "max_side",
                 ic_dataset_open(context, test_path(root, "a-images-idx3"), NULL, &dataset));
    ic_options_free(options);
    ic_context_free(context);
}

static ic_status open_idx(ic_context *context, void *payload)
{
    ic_dataset *dataset;
    IC_TRY(ic_dataset_open(context, payload, NULL, &dataset));
    ic_image *image;
    ic_status status = ic_dataset_image(dataset, 1, &image);
    if (status >= 0)
        ic_image_free(image);
    ic_dataset_free(dataset);
    return status;
}

static void every_failing_allocation_is_reported(void **state)
{
    (void)state;
    write_pair("train-images-idx3-ubyte", "train-labels-idx1-ubyte", 7);
    test_write(test_path(root, "classes.txt"), "a\nb\n", 4);
    assert_true(test_fail_each_allocation(open_idx, (void *)root) > 10);
}

static void fashion_mnist_is_read(void **state)
{
    (void)state;
    const char *path = "/usr/share/datasets/fashion-mnist";
    ic_context *context = test_context(0);
    ic_dataset *dataset, *part;
    ic_status status = ic_dataset_open(context, path, NULL, &dataset);
    if (status == IC_ERROR_NOT_FOUND) {
        print_message("%s is missing: skipping what needs it\n", path);
        ic_context_free(context);
        return;
    }
    assert_ok(status);
    assert_int_equal(ic_dataset_count(dataset), 70000);
    assert_int_equal(ic_dataset_class_count(dataset), 10);
    assert_ok(ic_dataset_part(dataset, "test", &part));
    assert_int_equal(ic_dataset_count(part), 10000);
    assert_int_equal(count_of(part, "3"), 1000);
    ic_dataset_free(part);
    ic_dataset_free(dataset);
    ic_context_free(context);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_is_read_with_the_labels_beside_it),
        TEST(the_usual_four_files_declare_parts),
        TEST(words_of_names_declare_parts),
        TEST(part_folders_may_hold_idx_files),
        TEST(classes_txt_names_the_labels),
        TEST(labels_are_in_order_of_number),
        TEST(hostile_headers_are_refused),
        TEST(files_that_do_not_fit_are_errors),
        TEST(limits_of_pictures_hold),
        TEST(every_failing_allocation_is_reported),
        TEST(fashion_mnist_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

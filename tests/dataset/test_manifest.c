/* dataset/test_manifest.c: CSV manifests, tidy and odd. SPDX-License-Identifier: MIT */
#include "dataset/pictures.h"

#include "base/status.h"

#include <stdio.h>
#include <string.h>

/* A folder with a few pictures to name. */
static const char *root;

static int set_up(void **state)
{
    (void)state;
    root = test_folder();
    make_picture(root, "a.png", 1);
    make_picture(root, "b, \"c\".png", 2);
    make_picture(root, "sub/d.png", 3);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    test_folder_remove(root);
    return 0;
}

static const char *write_manifest(const char *text)
{
    const char *path = test_path(root, "list.csv");
    test_write(path, text, strlen(text));
    return path;
}

/* Opens a manifest whose pictures must be a.png of class x and, if two, sub/d.png of class y. */
static void expect_pictures(const char *text, int64_t count)
{
    ic_context *context = test_context(1);
    ic_dataset *dataset;
    assert_ok(ic_dataset_open(context, write_manifest(text), NULL, &dataset));
    assert_int_equal(ic_dataset_count(dataset), count);
    assert_int_equal(ic_dataset_broken_count(dataset), 0);
    assert_string_equal(origin_of(dataset, 0), test_path(root, "a.png"));
    assert_string_equal(class_of(dataset, 0), "x");
    if (count > 1) {
        assert_string_equal(origin_of(dataset, 1), test_path(root, "sub/d.png"));
        assert_string_equal(class_of(dataset, 1), "y");
    }
    ic_dataset_free(dataset);
    ic_context_free(context);
}

static void usual_forms_are_read(void **state)
{
    (void)state;
    expect_pictures("a.png,x\nsub/d.png,y\n", 2);
    expect_pictures("path,label\na.png,x\nsub/d.png,y", 2);
    expect_pictures("\xEF\xBB\xBFpath,label\r\na.png,x\r\nsub/d.png,y\r\n", 2);
    expect_pictures("\xEF\xBB\xBF"
                    "a.png,x",
                    1);
    expect_pictures("a.png,x\rsub/d.png,y\r", 2);
    expect_pictures("\n\na.png,x\n\n\r\nsub/d.png,y\n\n", 2);
    expect_pictures("a.png;x\nsub/d.png;y\n", 2);
    expect_pictures("a.png\tx\nsub/d.png\ty\n", 2);
    expect_pictures("\"a.png\",\"x\"\n\"sub/d.png\",y\n", 2);
    expect_pictures("a.png,x,rest,\nsub/d.png,y,\n", 2);
}

static void a_header_names_the_columns(void **state)
{
    (void)state;
    expect_pictures("id,Class,split,File\n7,x,train,a.png\n8,y,test,sub/d.png\n", 2);
    expect_pictures("label,filename\nx,a.png\ny,sub/d.png\n", 2);
}

static void quotes_hold_separators_and_lines(void **state)
{
    (void)state;
    ic_context *context = test_context(1);
    ic_dataset *dataset;
    assert_ok(ic_dataset_open(
        context, write_manifest("\"b, \"\"c\"\".png\",\"two\nlines, \"\"quoted\"\"\"\r\n"), NULL,
        &dataset));
    assert_string_equal(origin_of(dataset, 0), test_path(root, "b, \"c\".png"));
    assert_string_equal(class_of(dataset, 0), "two\nlines, \"quoted\"");
    ic_dataset_free(dataset);
    ic_context_free(context);
}

static void absolute_paths_stay(void **state)
{
    (void)state;
    char text[1024];
    strcpy(text, test_path(root, "a.png"));
    strcat(text, ",x\n");
    expect_pictures(text, 1);
}

static void columns_are_known_by_all_their_usual_names(void **state)
{
    (void)state;
    static const char *const paths[] = {"filepath", "file_path", "IMAGE_PATH",
                                        "image_id", "file_name", "FileName",
                                        "file",     "image",     "img"};
    static const char *const labels[] = {"category", "Target", "class", "class_name"};
    char text[128];
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        snprintf(text, sizeof text, "%s,%s\na.png,x\nsub/d.png,y\n", paths[i], labels[i % 4]);
        expect_pictures(text, 2);
    }
    expect_pictures("image_id,path,target,label\n7,a.png,0,x\n8,sub/d.png,1,y\n", 2);
}

static int64_t count_part(const ic_dataset *dataset, const char *name, int64_t *broken)
{
    ic_dataset *part;
    assert_ok(ic_dataset_part(dataset, name, &part));
    const int64_t count = ic_dataset_count(part);
    *broken = ic_dataset_broken_count(part);
    ic_dataset_free(part);
    return count;
}

/* Rows of the parts among one another, as a shuffled list has them. */
static void a_column_declares_parts(void **state)
{
    (void)state;
    static const char *const names[] = {"split", "Part", "set", "SUBSET"};
    ic_context *context = test_context(1);
    for (int32_t i = 0; i < 4; i++) {
        char text[512];
        ic_dataset *dataset;
        int64_t broken;
        snprintf(text, sizeof text,
                 "path,%s,label\na.png,Test,x\nlost1.png,dev,y\nsub/d.png,training,y\n"
                 "lost2.png,test,y\n\"b, \"\"c\"\".png\",VAL,x\nlost3.png,eval,x\na.png,,x\n",
                 names[i]);
        assert_ok(ic_dataset_open(context, write_manifest(text), NULL, &dataset));
        assert_int_equal(ic_dataset_count(dataset), 4);
        assert_int_equal(ic_dataset_at(dataset, 3)->part, IC_PART_NONE);
        assert_string_equal(origin_of(dataset, 1), test_path(root, "sub/d.png"));
        assert_int_equal(count_part(dataset, "train", &broken), 1);
        assert_int_equal(broken, 0);
        assert_int_equal(count_part(dataset, "validation", &broken), 1);
        assert_int_equal(broken, 1);
        assert_int_equal(count_part(dataset, "test", &broken), 1);
        assert_int_equal(broken, 2);
        ic_dataset_free(dataset);
    }
    ic_context_free(context);
}

/* A column that is asked for as the group says nothing about parts. */
static void a_group_is_no_part(void **state)
{
    (void)state;
    ic_context *context = test_context(1);
    ic_options *options;
    ic_dataset *dataset;
    assert_ok(ic_options_create(context, &options));
    assert_ok(ic_options_set_text(options, "group", "column:set"));
    assert_ok(
        ic_dataset_open(context, write_manifest("path,label,set\na.png,x,7\n"), options, &dataset));
    assert_int_equal(ic_dataset_at(dataset, 0)->part, IC_PART_NONE);
    ic_dataset_free(dataset);
    ic_options_free(options);
    ic_context_free(context);
}

static char log_text[1024];

static void keep_unused(int32_t level, const char *message, void *payload)
{
    int32_t *lines = payload;
    if (level == IC_LOG_INFO && strstr(message, "not used") != NULL) {
        snprintf(log_text, sizeof log_text, "%s", message);
        ++*lines;
    }
}

static void columns_without_use_are_named_once(void **state)
{
    (void)state;
    ic_context *context = test_context(1);
    ic_dataset *dataset;
    int32_t lines = 0;
    assert_ok(ic_context_set_log(context, keep_unused, &lines));
    assert_ok(ic_dataset_open(context,
                              write_manifest("id,path,label,split,eye\n1,a.png,x,train,left\n"),
                              NULL, &dataset));
    assert_int_equal(lines, 1);
    assert_non_null(strstr(log_text, "list.csv: columns that are not used: id, eye"));
    ic_dataset_free(dataset);
    assert_ok(ic_dataset_open(context, write_manifest("path,label,split\na.png,x,train\n"), NULL,
                              &dataset));
    assert_int_equal(lines, 1);
    ic_dataset_free(dataset);
    ic_context_free(context);
}

static void missing_files_are_set_aside(void **state)
{
    (void)state;
    ic_context *context = test_context(1);
    ic_dataset *dataset;
    assert_ok(ic_dataset_open(context, write_manifest("a.png,x\ngone.png,y\n"), NULL, &dataset));
    assert_int_equal(ic_dataset_count(dataset), 1);
    assert_int_equal(ic_dataset_class_count(dataset), 1);
    const char *path, *reason;
    assert_ok(ic_dataset_broken(dataset, 0, &path, &reason));
    assert_string_equal(path, test_path(root, "gone.png"));
    assert_non_null(strstr(reason, "No such file"));
    ic_dataset_free(dataset);
    /* The first line, too: it names a picture, not a column. */
    assert_ok(ic_dataset_open(context, write_manifest("gone.png,y\na.png,x\n"), NULL, &dataset));
    assert_int_equal(ic_dataset_broken_count(dataset), 1);
    ic_dataset_free(dataset);
    ic_context_free(context);
}

static void errors_name_the_line(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        ic_status status;
        const char *words;
    } cases[] = {
        {"a.png,x\n\na.png\n", IC_ERROR_FORMAT, "line 3: the columns path,label are wanted"},
        {"a.png,x\r\n\"a.png,x\r\n", IC_ERROR_FORMAT, "line 2: a quote is opened"},
        {"a.png,x\n\"a\n\n.png\",y\na.png,\n", IC_ERROR_FORMAT, "line 5: the label is empty"},
        {",x\n", IC_ERROR_FORMAT, "line 1: the path is empty"},
        {"label,path\nx\n", IC_ERROR_FORMAT, "line 2: "},
        {"", IC_ERROR_DATA, "lists no pictures"},
        {"path,label\n", IC_ERROR_DATA, "lists no pictures"},
        {"\xEF\xBB\xBF", IC_ERROR_DATA, "lists no pictures"},
        {"a.png,\xff\n", IC_ERROR_FORMAT, "neither UTF-8 text"},
        {"gone.png,x\nsub,y\n", IC_ERROR_DATA, "none of the 2 files"},
        {"gone.png,x\nlost/a.png,y\n", IC_ERROR_DATA, "none of the 2 pictures that "},
        {"gone.png,x\n", IC_ERROR_DATA, "/gone.png; write paths as they go on from the folder of"},
        {"path,label,split\na.png,x,train\nsub/d.png,y,rest\n", IC_ERROR_FORMAT,
         "line 3: \"rest\" is no part of the data: write train, training, val, "},
        {"path,label,split\na.png,x\n", IC_ERROR_FORMAT, "line 2: the columns path,label are"},
        {"photo,kind\na.png,x\n", IC_ERROR_FORMAT,
         "its first line, with photo and kind, looks like a header: call the columns path and"},
    };
    ic_context *context = test_context(1);
    ic_dataset *dataset = NULL;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_fails(cases[i].status, cases[i].words,
                     ic_dataset_open(context, write_manifest(cases[i].text), NULL, &dataset));
    const char *path = test_path(root, "zero.csv");
    test_write(path, "a.png,x\0y\n", 10);
    assert_fails(IC_ERROR_FORMAT, "neither UTF-8 text",
                 ic_dataset_open(context, path, NULL, &dataset));
    char wide[1024];
    memset(wide, ',', sizeof wide - 1);
    wide[sizeof wide - 1] = '\0';
    assert_fails(IC_ERROR_FORMAT, "more than 256 columns",
                 ic_dataset_open(context, write_manifest(wide), NULL, &dataset));
    assert_null(dataset);
    ic_context_free(context);
}

static ic_status open_list(ic_context *context, void *payload)
{
    ic_dataset *dataset;
    IC_TRY(ic_dataset_open(context, payload, NULL, &dataset));
    ic_dataset_free(dataset);
    return IC_OK;
}

static void every_failing_allocation_is_reported(void **state)
{
    (void)state;
    char path[1024];
    strcpy(path, write_manifest("path,label,split,id\na.png,x,train,1\nsub/d.png,y,test,2\n"
                                "gone.png,z,,3\n"));
    assert_true(test_fail_each_allocation(open_list, path) > 10);
}

/* Manifests cut at every byte, and with every byte changed: any status, no crash. */
static void damaged_text_does_no_harm(void **state)
{
    (void)state;
    static const char text[] = "\xEF\xBB\xBFpath,label\r\n\"a.png\",\"x\"\"y\"\r\nsub/d.png,z\n";
    ic_context *context = test_context(1);
    char changed[sizeof text];
    const char *path = test_path(root, "damaged.csv");
    for (size_t i = 0; i < 2 * (sizeof text - 1); i++) {
        ic_dataset *dataset;
        memcpy(changed, text, sizeof text);
        size_t size = i < sizeof text - 1 ? i : sizeof text - 1;
        if (i >= sizeof text - 1)
            changed[i - (sizeof text - 1)] = "\"\n,\r;x"[i % 6];
        test_write(path, changed, size);
        if (ic_dataset_open(context, path, NULL, &dataset) == IC_OK)
            ic_dataset_free(dataset);
    }
    ic_context_free(context);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(usual_forms_are_read),
        TEST(a_header_names_the_columns),
        TEST(quotes_hold_separators_and_lines),
        TEST(absolute_paths_stay),
        TEST(columns_are_known_by_all_their_usual_names),
        TEST(a_column_declares_parts),
        TEST(a_group_is_no_part),
        TEST(columns_without_use_are_named_once),
        TEST(missing_files_are_set_aside),
        TEST(errors_name_the_line),
        TEST(every_failing_allocation_is_reported),
        TEST(damaged_text_does_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* dataset/test_loader.c: batches: their order, their content, what is kept.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "dataset/pictures.h"

#include "base/pool.h"
#include "base/status.h"
#include "dataset/cache.h"

#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 6, PICTURES = 37, BATCH = 8 };

static const char *root;

static int set_up(void **state)
{
    (void)state;
    root = test_folder();
    for (uint32_t i = 0; i < PICTURES; i++) {
        char name[32];
        snprintf(name, sizeof name, "%c/%02u.png", "abc"[i % 3], i);
        make_picture(root, name, i);
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    test_folder_remove(root);
    return 0;
}

static ic_dataset *open_all(ic_context *context)
{
    ic_dataset *dataset;
    assert_ok(ic_dataset_open(context, root, NULL, &dataset));
    return dataset;
}

/* Training with a little of everything. */
static ic_loader_options usual_options(bool training)
{
    return (ic_loader_options){
        .pipeline = {.width = SIDE,
                     .height = SIDE,
                     .channels = 3,
                     .canvas_width = SIDE + 1,
                     .canvas_height = SIDE + 1,
                     .resize = IC_RESIZE_STRETCH,
                     .filter = IC_FILTER_BILINEAR,
                     .denoise = IC_DENOISE_NONE,
                     .denoise_strength = 1,
                     .mean = {0.5f, 0.5f, 0.5f},
                     .deviation = {0.25f, 0.25f, 0.25f}},
        .augment = {.flip = true, .shift = 1, .rotation = 10, .brightness = 0.2f, .erasing = 0.3f},
        .training = training,
        .batch = BATCH,
        .seed = 3,
    };
}

/* A few epochs in one block: tensors, labels and indices of every batch. */
typedef struct record {
    float tensors[3 * PICTURES][SIDE * SIDE * 3];
    int64_t indices[3 * PICTURES];
    int32_t labels[3 * PICTURES];
    int32_t count, batches;
} record;

static void run(ic_loader *loader, int32_t batches, record *out)
{
    for (int32_t b = 0; b < batches; b++) {
        ic_batch batch;
        assert_ok(ic_loader_next(loader, &batch));
        assert_true(out->count + batch.count <= 3 * PICTURES);
        memcpy(out->tensors[out->count], batch.tensors,
               (size_t)batch.count * sizeof out->tensors[0]);
        memcpy(out->indices + out->count, batch.indices,
               (size_t)batch.count * sizeof *batch.indices);
        memcpy(out->labels + out->count, batch.labels, (size_t)batch.count * sizeof *batch.labels);
        out->count += batch.count;
        out->batches++;
    }
}

static record *run_with(int32_t threads, const ic_loader_options *options, int64_t cache_bytes,
                        int32_t batches)
{
    record *out = calloc(1, sizeof *out);
    ic_context *context = test_context(threads);
    ic_dataset *dataset = open_all(context);
    ic_loader_options with_cache = *options;
    ic_loader *loader;
    if (cache_bytes > 0)
        assert_ok(ic_cache_create(context, cache_bytes, &with_cache.cache));
    assert_ok(ic_loader_create(context, dataset, &with_cache, &loader));
    ic_dataset_free(dataset);
    run(loader, batches, out);
    ic_loader_free(loader);
    ic_cache_free(with_cache.cache);
    ic_context_free(context);
    return out;
}

static void expect_equal(record *a, record *b)
{
    assert_int_equal(a->count, b->count);
    assert_memory_equal(a->indices, b->indices, sizeof a->indices);
    assert_memory_equal(a->labels, b->labels, sizeof a->labels);
    assert_memory_equal(a->tensors, b->tensors, sizeof a->tensors);
    free(b);
}

static void threads_and_caches_do_not_show(void **state)
{
    (void)state;
    ic_loader_options options = usual_options(true);
    record *one = run_with(1, &options, 0, 10);
    assert_int_equal(one->count, 80);
    expect_equal(one, run_with(2, &options, 0, 10));
    expect_equal(one, run_with(5, &options, 1 << 20, 10));
    expect_equal(one, run_with(2, &options, 2000, 10)); /* room for 13 canvases */
    free(one);
    options = usual_options(false);
    one = run_with(1, &options, 0, 10);
    expect_equal(one, run_with(5, &options, 1 << 20, 10));
    free(one);
}

static void training_shuffles_and_drops_the_rest(void **state)
{
    (void)state;
    ic_loader_options options = usual_options(true);
    record *two = run_with(2, &options, 0, 8);
    bool seen[2][PICTURES] = {{false}};
    int32_t moved = 0;
    for (int32_t i = 0; i < 64; i++) {
        assert_in_range(two->indices[i], 0, PICTURES - 1);
        assert_false(seen[i / 32][two->indices[i]]); /* once an epoch */
        seen[i / 32][two->indices[i]] = true;
        moved += two->indices[i] != i % 32;
    }
    assert_true(moved > 50);
    assert_memory_not_equal(two->indices, two->indices + 32, 32 * sizeof *two->indices);
    free(two);
}

/* Of each class about as many; each picture of a class as often as the others, up to one. */
static void check_balance(const record *epochs, int32_t first, int32_t count,
                          const int32_t sizes[3])
{
    int32_t shown[3] = {0}, times[PICTURES] = {0};
    for (int32_t i = first; i < first + count; i++) {
        shown[epochs->labels[i]]++;
        times[epochs->indices[i]]++;
    }
    for (int32_t k = 0, at = 0; k < 3; at += sizes[k++]) {
        /* The places of an epoch's last batch, which may be dropped, are anybody's. */
        assert_in_range(shown[k], count / 3 - BATCH / 2, count / 3 + BATCH / 2);
        for (int32_t i = at; i < at + sizes[k]; i++)
            assert_in_range(times[i], 0, (PICTURES / 3 + sizes[k]) / sizes[k] + 1);
    }
}

/* Classes of 2, 7 and 28 pictures; repeated ones are augmented anew each time. */
static void balanced_epochs_show_classes_equally_often(void **state)
{
    (void)state;
    static const int32_t sizes[3] = {2, 7, 28};
    const char *folder = test_folder();
    for (uint32_t i = 0; i < PICTURES; i++) {
        char name[32];
        snprintf(name, sizeof name, "%c/%02u.png", i < 2 ? 'a' : i < 9 ? 'b' : 'c', i);
        make_picture(folder, name, i);
    }
    const char *usual = root;
    root = folder;
    ic_loader_options options = usual_options(true);
    options.balanced = true;
    record *two = run_with(1, &options, 0, 8);
    check_balance(two, 0, 32, sizes);
    check_balance(two, 32, 32, sizes);
    assert_memory_not_equal(two->indices, two->indices + 32, 32 * sizeof *two->indices);
    for (int32_t i = 0; i < 32; i++)
        for (int32_t k = 0; k < i; k++)
            if (two->indices[i] == two->indices[k])
                assert_memory_not_equal(two->tensors[i], two->tensors[k], sizeof *two->tensors);
    for (int32_t threads = 2; threads <= 7; threads += threads < 3 ? 1 : 4)
        expect_equal(two, run_with(threads, &options, 1 << 20, 8));
    free(two);
    options.training = false; /* evaluation shows each picture once */
    record *all = run_with(2, &options, 0, 5);
    assert_int_equal(all->count, PICTURES);
    for (int32_t i = 0; i < PICTURES; i++)
        assert_int_equal(all->indices[i], i);
    free(all);
    root = usual;
    test_folder_remove(folder);
}

static void evaluation_is_in_order_and_whole(void **state)
{
    (void)state;
    ic_loader_options options = usual_options(false);
    const int32_t map[3] = {7, -1, 5};
    options.class_map = map;
    ic_context *context = test_context(2);
    ic_dataset *dataset = open_all(context);
    ic_loader *loader;
    record *out = calloc(1, sizeof *out);
    assert_ok(ic_loader_create(context, dataset, &options, &loader));
    assert_int_equal(ic_loader_batches(loader), 5);
    run(loader, 5, out);
    assert_int_equal(out->count, PICTURES);
    for (int32_t i = 0; i < PICTURES; i++) {
        float tensor[SIDE * SIDE * 3];
        ic_image *image, *canvas;
        assert_int_equal(out->indices[i], i);
        assert_int_equal(out->labels[i], map[ic_dataset_at(dataset, i)->class_index]);
        assert_ok(ic_dataset_image(dataset, i, &image));
        assert_ok(ic_pipeline_canvas(&options.pipeline, image, &canvas));
        ic_pipeline_tensor(&options.pipeline, canvas, tensor);
        assert_memory_equal(tensor, out->tensors[i], sizeof tensor);
        ic_image_free(canvas);
        ic_image_free(image);
    }
    ic_batch batch;
    assert_ok(ic_loader_next(loader, &batch)); /* and from the beginning */
    assert_int_equal(batch.indices[0], 0);
    free(out);
    ic_loader_free(loader);
    ic_dataset_free(dataset);
    ic_context_free(context);
}

/* In order, all of them, as the first epoch of a training shows them; the next time, too. */
static void evaluation_may_be_augmented(void **state)
{
    ic_loader_options options = usual_options(true);
    record *training = run_with(2, &options, 0, 4);
    options.training = false;
    options.augmented = true;
    record *twice = run_with(2, &options, 0, 10);
    assert_int_equal(training->count, 4 * BATCH);
    assert_int_equal(twice->count, 2 * PICTURES);
    for (int32_t i = 0; i < PICTURES; i++)
        assert_int_equal(twice->indices[i], i);
    for (int32_t i = 0; i < training->count; i++)
        assert_memory_equal(training->tensors[i], twice->tensors[training->indices[i]],
                            sizeof *training->tensors);
    assert_memory_equal(twice->tensors[0], twice->tensors[PICTURES],
                        PICTURES * sizeof *twice->tensors);
    free(training);
    free(twice);
}

static void any_place_can_be_gone_to(void **state)
{
    (void)state;
    ic_loader_options options = usual_options(true);
    record *all = run_with(2, &options, 0, 12);
    ic_context *context = test_context(2);
    ic_dataset *dataset = open_all(context);
    ic_loader *loader;
    assert_ok(ic_loader_create(context, dataset, &options, &loader));
    static const int32_t places[] = {0, 7, 7, 11, 8, 3, 4, 4, 0, 9};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        ic_batch batch;
        int32_t at = places[i];
        assert_ok(ic_loader_seek(loader, at / 4, at % 4));
        assert_ok(ic_loader_next(loader, &batch));
        assert_memory_equal(batch.indices, all->indices + at * BATCH,
                            sizeof *batch.indices * BATCH);
        assert_memory_equal(batch.tensors, all->tensors[at * BATCH], sizeof *all->tensors * BATCH);
    }
    assert_fails(IC_ERROR_ARGUMENT, "an epoch has 4", ic_loader_seek(loader, 0, 4));
    assert_fails(IC_ERROR_ARGUMENT, "", ic_loader_seek(loader, -1, 0));
    ic_loader_free(loader);
    ic_dataset_free(dataset);
    ic_context_free(context);
    free(all);
}

static void a_steady_loop_allocates_nothing(void **state)
{
    (void)state;
    test_allocator allocator = {0};
    ic_context *context = test_context_with(&allocator, 2);
    ic_dataset *dataset = open_all(context);
    ic_loader_options options = usual_options(true);
    ic_loader *loader;
    ic_batch batch;
    assert_ok(ic_cache_create(context, 1 << 20, &options.cache));
    assert_ok(ic_loader_measure(context, dataset, PICTURES, options.cache, &options.pipeline));
    assert_ok(ic_loader_create(context, dataset, &options, &loader));
    assert_ok(ic_loader_next(loader, &batch));
    int64_t calls = allocator.calls;
    for (int32_t i = 0; i < 20; i++)
        assert_ok(ic_loader_next(loader, &batch));
    assert_int_equal(allocator.calls, calls);
    ic_loader_free(loader);
    ic_cache_free(options.cache);
    ic_dataset_free(dataset);
    ic_context_free(context);
    assert_int_equal(allocator.live, 0);
}

enum { TAKERS = 4 };

/* Lets others run whenever memory is asked for: that is while a picture is being made. */
static void *allocate_slowly(void *block, size_t size, void *payload)
{
    sched_yield();
    return test_allocate(block, size, payload);
}

/* As many threads take one picture after another, at the same time as far as that can be had. */
typedef struct take_work {
    const ic_dataset *dataset;
    const ic_pipeline *pipeline;
    ic_cache_table *table;
    _Atomic int32_t arrived[PICTURES];
} take_work;

static ic_status take_one(void *arguments, int64_t unit, int32_t worker)
{
    (void)worker;
    take_work *work = arguments;
    const int64_t index = unit % PICTURES;
    ic_canvas canvas;
    work->arrived[index]++;
    for (int32_t wait = 0; wait < 1000 && work->arrived[index] < TAKERS; wait++)
        sched_yield();
    IC_TRY(ic_canvas_take(work->dataset, index, work->pipeline, work->table, &canvas));
    ic_canvas_release(&canvas);
    return IC_OK;
}

/* Room for each picture is enough, however many ask for it at a time. */
static void a_picture_is_kept_once(void **state)
{
    (void)state;
    test_allocator allocator = {0};
    ic_context *context;
    ic_options *options;
    ic_pool *pool;
    assert_ok(ic_context_create_with_allocator(allocate_slowly, &allocator, &context));
    assert_ok(ic_options_create(context, &options));
    assert_ok(ic_options_set_int(options, "threads", TAKERS));
    assert_ok(ic_context_configure(context, options));
    ic_options_free(options);
    ic_dataset *dataset = open_all(context);
    assert_ok(ic_context_pool(context, &pool));
    const ic_pipeline pipeline = usual_options(true).pipeline;
    const int64_t canvas_bytes = (SIDE + 1) * (SIDE + 1) * 3 + 3; /* with its depth, made even */
    for (int32_t round = 0; round < 10; round++) {
        take_work work = {dataset, &pipeline, NULL, {0}};
        ic_cache *cache;
        assert_ok(ic_cache_create(context, PICTURES * canvas_bytes, &cache));
        assert_ok(ic_cache_attach(cache, dataset, &pipeline, &work.table));
        assert_ok(ic_pool_run(pool, TAKERS * PICTURES, take_one, &work));
        for (int64_t i = 0; i < PICTURES; i++) {
            ic_canvas canvas;
            assert_ok(ic_canvas_take(dataset, i, &pipeline, work.table, &canvas));
            assert_null(canvas.own); /* the cache holds it */
            assert_int_equal(canvas.view.depth, 8);
        }
        ic_cache_free(cache);
    }
    ic_dataset_free(dataset);
    ic_context_free(context);
}

/* Refuses blocks as large as a slab. */
static void *allocate_small(void *block, size_t size, void *payload)
{
    return size >= 1 << 20 ? NULL : test_allocate(block, size, payload);
}

static void count_no_memory(int32_t level, const char *message, void *payload)
{
    *(int32_t *)payload += level == IC_LOG_INFO && strstr(message, "no memory is left") != NULL;
}

static void memory_may_end_before_the_cache_is_full(void **state)
{
    (void)state;
    ic_loader_options options = usual_options(true);
    record *usual = run_with(1, &options, 0, 10), *short_of = calloc(1, sizeof *short_of);
    test_allocator allocator = {0};
    ic_context *context;
    ic_loader *loader;
    int32_t told = 0;
    char before[IC_ERROR_TEXT_MAX];
    assert_ok(ic_context_create_with_allocator(allocate_small, &allocator, &context));
    assert_ok(ic_context_set_log(context, count_no_memory, &told));
    ic_dataset *dataset = open_all(context);
    assert_ok(ic_cache_create(context, 1 << 21, &options.cache));
    assert_ok(ic_loader_create(context, dataset, &options, &loader));
    assert_fails(IC_ERROR_ARGUMENT, "", ic_loader_seek(loader, -1, 0));
    snprintf(before, sizeof before, "%s", ic_last_error());
    run(loader, 10, short_of);
    assert_string_equal(ic_last_error(), before);
    assert_int_equal(told, 1);
    expect_equal(usual, short_of);
    free(usual);
    ic_loader_free(loader);
    ic_cache_free(options.cache);
    ic_dataset_free(dataset);
    ic_context_free(context);
    assert_int_equal(allocator.live, 0);
}

static void two_sets_share_a_cache_without_mixing(void **state)
{
    (void)state;
    const char *second = test_folder();
    make_classes(second, 2, 4);
    ic_context *context = test_context(1);
    ic_dataset *datasets[2] = {open_all(context), NULL};
    assert_ok(ic_dataset_open(context, second, NULL, &datasets[1]));
    ic_cache *cache;
    assert_ok(ic_cache_create(context, 1 << 20, &cache));
    for (int32_t round = 0; round < 2; round++)
        for (int32_t i = 0; i < 4; i++) {
            ic_loader_options options = usual_options(false);
            ic_loader *loaders[2];
            ic_batch batches[2];
            if (i / 2 == 1) /* another canvas of the same picture */
                options.pipeline.canvas_width = 9;
            assert_ok(ic_loader_create(context, datasets[i % 2], &options, &loaders[0]));
            options.cache = cache;
            assert_ok(ic_loader_create(context, datasets[i % 2], &options, &loaders[1]));
            for (int32_t k = 0; k < 2; k++)
                assert_ok(ic_loader_next(loaders[k], &batches[k]));
            assert_memory_equal(batches[0].tensors, batches[1].tensors,
                                BATCH * SIDE * SIDE * 3 * sizeof(float));
            ic_loader_free(loaders[0]);
            ic_loader_free(loaders[1]);
        }
    ic_dataset_free(datasets[0]);
    ic_dataset_free(datasets[1]);
    ic_cache_free(cache);
    ic_context_free(context);
    test_folder_remove(second);
}

static void a_lost_picture_is_named(void **state)
{
    (void)state;
    size_t size;
    char *bytes = test_read_file(test_path(root, "a/12.png"), &size);
    for (int32_t threads = 1; threads <= 3; threads += 2) {
        ic_context *context = test_context(threads);
        ic_dataset *dataset = open_all(context);
        ic_loader_options options = usual_options(false);
        ic_loader *loader;
        ic_batch batch;
        remove(test_path(root, "a/12.png")); /* the fifth */
        assert_ok(ic_loader_create(context, dataset, &options, &loader));
        assert_fails(IC_ERROR_NOT_FOUND, "a/12.png cannot be read any more",
                     ic_loader_next(loader, &batch));
        test_write(test_path(root, "a/12.png"), bytes, size);
        assert_ok(ic_loader_next(loader, &batch)); /* back again */
        assert_int_equal(batch.indices[0], 0);
        ic_loader_free(loader);
        ic_dataset_free(dataset);
        ic_context_free(context);
    }
    free(bytes);
}

static void nonsense_is_an_error(void **state)
{
    (void)state;
    ic_context *context = test_context(1);
    ic_dataset *dataset = open_all(context), *empty;
    ic_loader_options options = usual_options(true);
    ic_loader *loader;
    options.batch = PICTURES + 1;
    assert_fails(IC_ERROR_ARGUMENT, "only 37",
                 ic_loader_create(context, dataset, &options, &loader));
    options.batch = 0;
    assert_fails(IC_ERROR_ARGUMENT, "", ic_loader_create(context, dataset, &options, &loader));
    assert_ok(ic_dataset_create(context, NULL, &empty));
    options.batch = 1;
    assert_fails(IC_ERROR_DATA, "no pictures", ic_loader_create(context, empty, &options, &loader));
    assert_fails(IC_ERROR_DATA, "no pictures",
                 ic_loader_measure(context, empty, 9, NULL, &options.pipeline));
    ic_loader_free(NULL);
    ic_cache_free(NULL);
    ic_dataset_free(empty);
    ic_dataset_free(dataset);
    ic_context_free(context);
}

static void measuring_agrees_with_plain_sums(void **state)
{
    (void)state;
    ic_context *context = test_context(3);
    ic_dataset *dataset = open_all(context);
    ic_pipeline pipeline = usual_options(true).pipeline;
    double sum[3] = {0}, squares[3] = {0}, pixels = 0;
    for (int32_t i = 0; i < 10; i++) { /* evenly chosen */
        ic_image *image, *canvas;
        assert_ok(ic_dataset_image(dataset, i * PICTURES / 10, &image));
        assert_ok(ic_pipeline_canvas(&pipeline, image, &canvas));
        for (int32_t k = 0; k < 49 * 3; k++) {
            double sample = ic_image_row(canvas, k / 21)[k % 21] / 255.0;
            sum[k % 3] += sample;
            squares[k % 3] += sample * sample;
        }
        pixels += 49;
        ic_image_free(canvas);
        ic_image_free(image);
    }
    assert_ok(ic_loader_measure(context, dataset, 10, NULL, &pipeline));
    for (int32_t c = 0; c < 3; c++) {
        double mean = sum[c] / pixels;
        assert_float_equal(pipeline.mean[c], mean, 1e-6);
        assert_float_equal(pipeline.deviation[c], sqrt(squares[c] / pixels - mean * mean), 1e-6);
    }
    ic_dataset_free(dataset);
    assert_ok(ic_dataset_create(context, NULL, &dataset));
    unsigned char flat[4] = {51, 51, 51, 51};
    ic_image *image;
    assert_ok(ic_image_from_pixels(context, flat, 2, 2, 0, IC_PIXELS_GREY8, &image));
    assert_ok(ic_dataset_add_image(dataset, image, "x"));
    ic_image_free(image);
    assert_ok(ic_loader_measure(context, dataset, 10, NULL, &pipeline));
    assert_float_equal(pipeline.mean[2], 0.2, 1e-6);
    assert_float_equal(pipeline.deviation[2], 1.0 / 255, 1e-9); /* the least there is */
    ic_dataset_free(dataset);
    ic_context_free(context);
}

static int32_t cancel(const ic_progress *progress, void *payload)
{
    (void)payload;
    return strcmp(ic_progress_phase(progress), "prepare") == 0;
}

static void measuring_can_be_cancelled(void **state)
{
    (void)state;
    ic_context *context = test_context(1);
    ic_dataset *dataset = open_all(context);
    ic_pipeline pipeline = usual_options(true).pipeline;
    assert_ok(ic_context_set_progress(context, cancel, NULL));
    assert_fails(IC_ERROR_CANCELLED, "", ic_loader_measure(context, dataset, 10, NULL, &pipeline));
    ic_dataset_free(dataset);
    ic_context_free(context);
}

static ic_status load_flow(ic_context *context, void *payload)
{
    ic_dataset *dataset;
    ic_loader_options options = usual_options(true);
    ic_loader *loader = NULL;
    ic_status status;
    options.pipeline.denoise = IC_DENOISE_MEDIAN;
    options.batch = 3;
    IC_TRY(ic_dataset_open(context, payload, NULL, &dataset));
    status = ic_cache_create(context, 0, &options.cache); /* with room, memory may end: above */
    if (status >= 0)
        status = ic_loader_measure(context, dataset, 2, options.cache, &options.pipeline);
    if (status >= 0)
        status = ic_loader_create(context, dataset, &options, &loader);
    for (int32_t i = 0; i < 3 && status >= 0; i++) {
        ic_batch batch;
        status = ic_loader_next(loader, &batch);
    }
    ic_loader_free(loader);
    ic_cache_free(options.cache);
    ic_dataset_free(dataset);
    return status;
}

static void every_failing_allocation_is_reported(void **state)
{
    (void)state;
    const char *small = test_folder();
    make_classes(small, 2, 2);
    assert_true(test_fail_each_allocation(load_flow, (void *)small) > 40);
    test_folder_remove(small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_and_caches_do_not_show),
        cmocka_unit_test(training_shuffles_and_drops_the_rest),
        cmocka_unit_test(balanced_epochs_show_classes_equally_often),
        cmocka_unit_test(evaluation_is_in_order_and_whole),
        cmocka_unit_test(evaluation_may_be_augmented),
        cmocka_unit_test(any_place_can_be_gone_to),
        cmocka_unit_test(a_steady_loop_allocates_nothing),
        cmocka_unit_test(a_picture_is_kept_once),
        cmocka_unit_test(memory_may_end_before_the_cache_is_full),
        cmocka_unit_test(two_sets_share_a_cache_without_mixing),
        cmocka_unit_test(a_lost_picture_is_named),
        cmocka_unit_test(nonsense_is_an_error),
        cmocka_unit_test(measuring_agrees_with_plain_sums),
        cmocka_unit_test(measuring_can_be_cancelled),
        cmocka_unit_test(every_failing_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}

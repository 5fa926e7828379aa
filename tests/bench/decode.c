/*
 * bench/decode.c: pictures a second of what stands between files and the network, on one thread.
 *
 *     bench_decode FOLDER [--size N] [--most N] [--seconds S] [--stage NAME] [--json]
 *
 * Reads up to `most` JPEG and PNG files below FOLDER into memory and times, in turns, or one of
 * them by its name: verifying, decoding, resizing to a canvas of 8/7 N, both as the pipeline does
 * them, in full and shrunk on load, augmentation with normalisation as usual and with everything
 * on, and normalisation alone. SPDX-License-Identifier: MIT
 */
#include "base/file.h"
#include "peak.h"
#include "preprocess/pipeline.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS_MAX = 1000 };

typedef struct bench {
    const char *folder;
    const char *stage; /* alone; NULL: all */
    int32_t size, most;
    double seconds;
    bool json;
    ic_context *context;
    ic_pipeline pipeline;
    ic_augment augment;
    ic_buffer *files;
    ic_image **images, **canvases;
    int32_t count;
    float *tensor;
} bench;

static void check(ic_status status)
{
    if (status >= 0)
        return;
    fprintf(stderr, "bench_decode: %s: %s\n", ic_status_name(status), ic_last_error());
    exit(1);
}

static bool read_arguments(int argc, char **argv, bench *b)
{
    if (argc < 2)
        return false;
    b->folder = argv[1];
    b->size = 96;
    b->most = 400;
    b->seconds = 3;
    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], "--size") == 0 && i + 1 < argc)
            b->size = atoi(argv[++i]);
        else if (strcmp(argv[i], "--most") == 0 && i + 1 < argc)
            b->most = atoi(argv[++i]);
        else if (strcmp(argv[i], "--seconds") == 0 && i + 1 < argc)
            b->seconds = atof(argv[++i]);
        else if (strcmp(argv[i], "--stage") == 0 && i + 1 < argc)
            b->stage = argv[++i];
        else if (strcmp(argv[i], "--json") == 0)
            b->json = true;
        else
            return false;
    }
    return b->size > 0 && b->size <= 1024 && b->most > 0;
}

static void read_file(bench *b, const char *path)
{
    ic_buffer *bytes = &b->files[b->count];
    bytes->context = b->context;
    check(ic_file_read(b->context, path, b->context->limits.file_bytes, bytes));
    if (ic_image_sniff(bytes->bytes, bytes->size) == IC_FORMAT_UNKNOWN)
        ic_buffer_free(bytes);
    else
        b->count++;
}

static void read_folder(bench *b, const char *folder)
{
    ic_listing listing;
    check(ic_folder_list(b->context, folder, &listing));
    for (size_t i = 0; i < listing.count && b->count < b->most; i++) {
        char *path;
        check(ic_path_join(b->context, folder, listing.names[i], &path));
        if (ic_path_kind_of(path) == IC_PATH_FOLDER)
            read_folder(b, path);
        else
            read_file(b, path);
        ic_free(b->context, path);
    }
    ic_listing_free(&listing);
}

static void *zeroed(size_t count, size_t size)
{
    void *block = calloc(count, size);
    if (block == NULL)
        exit(1);
    return block;
}

static void prepare(bench *b)
{
    check(ic_context_create(&b->context));
    b->files = zeroed((size_t)b->most, sizeof *b->files);
    b->images = zeroed((size_t)b->most, sizeof *b->images);
    b->canvases = zeroed((size_t)b->most, sizeof *b->canvases);
    b->tensor = zeroed((size_t)b->size * (size_t)b->size * 3, sizeof *b->tensor);
    b->pipeline = (ic_pipeline){.width = b->size,
                                .height = b->size,
                                .channels = 3,
                                .canvas_width = (b->size * 8 + 3) / 7,
                                .canvas_height = (b->size * 8 + 3) / 7,
                                .resize = IC_RESIZE_CROP,
                                .filter = IC_FILTER_BILINEAR,
                                .mean = {0.5f, 0.5f, 0.5f},
                                .deviation = {0.25f, 0.25f, 0.25f}};
    b->augment = (ic_augment){.flip = IC_FLIP_ON,
                              .crop_scale = 0.5f,
                              .crop_aspect = 4.0f / 3,
                              .brightness = 0.2f,
                              .contrast = 0.2f,
                              .saturation = 0.2f};
    read_folder(b, b->folder);
    for (int32_t i = 0; i < b->count; i++) {
        check(ic_image_decode_with(b->context, b->files[i].bytes, b->files[i].size, NULL, NULL,
                                   &b->images[i]));
        check(ic_pipeline_canvas(&b->pipeline, b->images[i], &b->canvases[i]));
    }
}

/* ---- What is timed: one picture each ---- */

static void canvas_of(bench *b, int32_t i, ic_decode how)
{
    ic_pipeline pipeline = b->pipeline;
    ic_image *image, *canvas;
    pipeline.decode = how;
    ic_decode_options options = ic_pipeline_decoding(&pipeline);
    options.centre = true; /* as a data set reads for a pipeline that crops */
    check(ic_image_decode_with(b->context, b->files[i].bytes, b->files[i].size, &options, NULL,
                               &image));
    check(ic_pipeline_canvas(&pipeline, image, &canvas));
    ic_image_free(canvas);
    ic_image_free(image);
}

/* As data sets are verified: the codes, an eighth of the samples, no colours. */
static void verify(bench *b, int32_t i)
{
    static const ic_decode_options options = {.check_only = true};
    check(ic_image_decode_with(b->context, b->files[i].bytes, b->files[i].size, &options, NULL,
                               NULL));
}

static void decode(bench *b, int32_t i)
{
    ic_image *image;
    check(
        ic_image_decode_with(b->context, b->files[i].bytes, b->files[i].size, NULL, NULL, &image));
    ic_image_free(image);
}

static void resize(bench *b, int32_t i)
{
    ic_image *canvas;
    check(ic_pipeline_canvas(&b->pipeline, b->images[i], &canvas));
    ic_image_free(canvas);
}

static void both(bench *b, int32_t i)
{
    canvas_of(b, i, IC_DECODE_FULL);
}

/* With the option decode = shrink. */
static void both_shrunk(bench *b, int32_t i)
{
    canvas_of(b, i, IC_DECODE_SHRINK);
}

static void augment(bench *b, int32_t i)
{
    const ic_augment_key key = {.seed = 1, .picture = (uint64_t)i};
    ic_pipeline_augment(&b->pipeline, &b->augment, b->canvases[i], &key, b->tensor);
}

/* With everything that the recipe leaves off. */
static void augment_all(bench *b, int32_t i)
{
    const ic_augment_key key = {.seed = 1, .picture = (uint64_t)i};
    ic_augment all = b->augment;
    all.policy = IC_POLICY_TRIVIAL;
    all.rotation = 15;
    all.erasing = 0.25f;
    all.blur = 1;
    all.noise = 0.1f;
    ic_pipeline_augment(&b->pipeline, &all, b->canvases[i], &key, b->tensor);
}

static void normalise(bench *b, int32_t i)
{
    ic_pipeline_tensor(&b->pipeline, b->canvases[i], b->tensor);
}

typedef struct stage {
    const char *name;
    void (*run)(bench *b, int32_t i);
    double best; /* seconds of all pictures; 0: not run */
} stage;

static void run_stage(bench *b, stage *s)
{
    if (b->stage != NULL && strcmp(b->stage, s->name) != 0)
        return;
    double begin = thread_seconds();
    for (int32_t i = 0; i < b->count; i++)
        s->run(b, i);
    double spent = thread_seconds() - begin;
    if (s->best == 0 || spent < s->best)
        s->best = spent;
}

static bool knows_stage(const bench *b, const stage *stages, int32_t count)
{
    for (int32_t i = 0; i < count && b->stage != NULL; i++)
        if (strcmp(b->stage, stages[i].name) == 0)
            return true;
    return b->stage == NULL;
}

static void print_stages(const bench *b, const stage *stages, int32_t count)
{
    const char *before = "{";
    for (const stage *s = stages; s < stages + count; s++) {
        if (s->best == 0)
            continue;
        if (b->json)
            printf("%s\"%s\": %.1f", before, s->name, b->count / s->best);
        else
            printf("%-14s %8.0f pictures/s\n", s->name, b->count / s->best);
        before = ", ";
    }
    if (b->json)
        printf("}\n");
}

int main(int argc, char **argv)
{
    bench b = {0};
    stage stages[] = {{"verify", verify, 0},
                      {"decode", decode, 0},
                      {"resize", resize, 0},
                      {"decode+resize", both, 0},
                      {"shrink+resize", both_shrunk, 0},
                      {"augment", augment, 0},
                      {"augment, all", augment_all, 0},
                      {"normalise", normalise, 0}};
    enum { STAGES = sizeof stages / sizeof stages[0] };
    if (!read_arguments(argc, argv, &b)) {
        fprintf(stderr,
                "usage: bench_decode FOLDER [--size N] [--most N] [--seconds S] [--stage NAME] "
                "[--json]\n");
        return 2;
    }
    prepare(&b);
    if (b.count == 0) {
        fprintf(stderr, "bench_decode: no pictures below %s\n", b.folder);
        return 1;
    }
    if (!knows_stage(&b, stages, STAGES)) {
        fprintf(stderr, "bench_decode: there is no stage %s\n", b.stage);
        return 2;
    }
    double end = thread_seconds() + b.seconds;
    for (int round = 0; round < 2 || (thread_seconds() < end && round < ROUNDS_MAX); round++)
        for (int s = 0; s < STAGES; s++)
            run_stage(&b, &stages[s]);
    print_stages(&b, stages, STAGES);
    return 0;
}

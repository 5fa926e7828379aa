/*
 * fuzz/fuzz_dataset.c: any bytes as IDX pictures, IDX labels, a CSV manifest and a pipeline. Built
 * with -fsanitize=fuzzer -DIC_LIBFUZZER it is a libFuzzer target; otherwise it replays the files
 * named on the command line or, without any, thousands of damaged copies of sound ones.
 * SPDX-License-Identifier: MIT
 */
#include "base/status.h"
#include "dataset/source.h"
#include "preprocess/pipeline.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void demand(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "fuzz_dataset: %s (last error: %s)\n", what, ic_last_error());
        abort();
    }
}

/* What is parsed lies within the bytes, all of it. */
static void parse_idx(const uint8_t *bytes, size_t size, int32_t dimensions)
{
    ic_idx idx;
    if (ic_idx_parse(bytes, size, dimensions, "fuzzed", &idx) < 0)
        return;
    size_t picture = (size_t)idx.height * idx.width;
    demand(idx.height > 0 && idx.width > 0, "no empty pictures");
    demand(idx.samples >= bytes && idx.samples + picture * idx.count == bytes + size,
           "the samples end where the file does");
}

/* Each row that is read names a file and a class. */
static void parse_manifest(ic_context *context, const uint8_t *bytes, size_t size)
{
    ic_scan scan = {0};
    ic_buffer text = {.context = context};
    demand(ic_source_create(context, false, &scan.source) == IC_OK, "memory");
    demand(ic_buffer_append(&text, bytes, size) == IC_OK, "memory");
    ic_status status = ic_scan_manifest(&scan, "folder/list.csv", &text);
    demand(status < 0 || scan.count > 0, "an empty manifest is an error");
    for (size_t i = 0; i < scan.count; i++) {
        const ic_candidate *found = &scan.candidates[i];
        demand(found->class_index >= 0 && (size_t)found->class_index < scan.source->class_count,
               "the class is there");
        demand(strlen(scan.source->classes[found->class_index].name) > 0, "the class has a name");
        demand(found->path[0] == '/' || strncmp(found->path, "folder/", 7) == 0,
               "the path begins at the manifest");
    }
    ic_free(context, scan.candidates);
    ic_source_release(scan.source);
    ic_buffer_free(&text);
}

/* A pipeline that is accepted is written and read to the same. */
static void parse_pipeline(const uint8_t *bytes, size_t size)
{
    json_t *json, *written;
    ic_pipeline pipeline, again;
    if (ic_json_parse((const char *)bytes, size, "fuzzed", &json) < 0)
        return;
    if (ic_pipeline_from_json(json, &pipeline) == IC_OK) {
        demand(ic_pipeline_to_json(&pipeline, &written) == IC_OK, "is written");
        demand(ic_pipeline_from_json(written, &again) == IC_OK, "is read again");
        demand(memcmp(&pipeline, &again, sizeof pipeline) == 0, "is the same");
        json_decref(written);
    }
    json_decref(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    ic_context *context;
    if (ic_context_create(&context) < 0)
        return 0;
    parse_idx(bytes, size, 3);
    parse_idx(bytes, size, 1);
    parse_manifest(context, bytes, size);
    parse_pipeline(bytes, size);
    ic_context_free(context);
    return 0;
}

#ifndef IC_LIBFUZZER

static void replay(const char *path)
{
    static uint8_t bytes[1 << 20];
    FILE *file = fopen(path, "rb");
    demand(file != NULL, path);
    size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    LLVMFuzzerTestOneInput(bytes, size);
}

static uint32_t draw(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* Damages copies of a sound input: bytes changed, copied elsewhere, cut off. */
static void damage(const char *sound, size_t size, int32_t times)
{
    uint32_t state = (uint32_t)size * 2654435761u + 1;
    LLVMFuzzerTestOneInput((const uint8_t *)sound, size);
    for (int32_t i = 0; i < times; i++) {
        uint8_t *copy = malloc(size); /* of its own, so that sanitizers see its end */
        size_t cut = draw(&state) % 4 == 0 ? draw(&state) % size + 1 : size;
        demand(copy != NULL, "memory");
        memcpy(copy, sound, size);
        for (uint32_t places = draw(&state) % 4; places > 0; places--) {
            size_t at = draw(&state) % size;
            if (draw(&state) % 2)
                copy[at] = (uint8_t)("\",\n\r;\0\xff[{9"[draw(&state) % 10]);
            else
                memmove(copy + at, copy + draw(&state) % (at + 1), size - at);
        }
        uint8_t *exact = malloc(cut);
        demand(exact != NULL, "memory");
        memcpy(exact, copy, cut);
        LLVMFuzzerTestOneInput(exact, cut);
        free(exact);
        free(copy);
    }
}

int main(int count, char **names)
{
    static const char idx[] = "\0\0\x08\x03\0\0\0\x02\0\0\0\x02\0\0\0\x03"
                              "abcdefghijkl";
    static const char labels[] = "\0\0\x08\x01\0\0\0\x05"
                                 "abcde";
    static const char csv[] =
        "\xEF\xBB\xBFpath,label\r\n\"a \"\"b\"\".png\",x\r\n/c.png,\"y\nz\"\n";
    static const char pipeline[] =
        "{\"decode\":\"full\",\"width\":12,\"height\":9,\"channels\":3,\"canvas_width\":14,"
        "\"canvas_height\":12,"
        "\"resize\":\"crop\",\"filter\":\"bicubic\",\"denoise\":\"median\","
        "\"denoise_strength\":2.0,\"normalise\":\"dataset\",\"mean\":[0.5,0.25,0.125],"
        "\"deviation\":[0.25,0.5,1]}";
    for (int i = 1; i < count; i++)
        replay(names[i]);
    if (count > 1)
        return 0;
    damage(idx, sizeof idx - 1, 5000);
    damage(labels, sizeof labels - 1, 5000);
    damage(csv, sizeof csv - 1, 20000);
    damage(pipeline, sizeof pipeline - 1, 20000);
    return 0;
}

#endif

/*
 * fuzz/fuzz_image.c: any bytes through decoding, resizing, converting and encoding. Built with
 * -fsanitize=fuzzer -DIC_LIBFUZZER it is a libFuzzer target; otherwise it replays the files named
 * on the command line or, without any, made-up pictures and thousands of damaged copies of them.
 * SPDX-License-Identifier: MIT
 */
#include "base/context.h"
#include "base/memory.h"
#include "image/image.h"
#include "image/pictures.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void demand(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "fuzz_image: %s (last error: %s)\n", what, ic_last_error());
        abort();
    }
}

/* What was decoded must survive all else; PNG keeps every sample. */
static void use(ic_image *image)
{
    ic_image *small = NULL, *colour = NULL, *back = NULL;
    ic_buffer png = {.context = image->context};

    demand(ic_image_resize(image, 5, 7, IC_FILTER_BICUBIC, &small) == IC_OK, "resizes");
    demand(ic_image_convert(small, 3, &colour) == IC_OK, "converts");
    demand(ic_png_encode(image, &png) == IC_OK, "encodes");
    demand(ic_image_decode(image->context, png.bytes, png.size, &back) == IC_OK, "decodes again");
    demand(back->stride == image->stride && back->height == image->height &&
               memcmp(back->pixels, image->pixels, image->stride * (size_t)image->height) == 0,
           "keeps the samples");
    ic_image_free(small);
    ic_image_free(colour);
    ic_image_free(back);
    ic_buffer_free(&png);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const ic_decode_options check_only = {.check_only = true},
                                   shrink = {.canvas_width = 3, .canvas_height = 3, .shrink = true},
                                   both = {.canvas_width = 2,
                                           .canvas_height = 5,
                                           .shrink = true,
                                           .centre = true};
    ic_image *image = NULL, *small = NULL, *middle = NULL;
    ic_context *context = NULL;
    ic_status status, checked;

    if (ic_context_create(&context) < 0)
        return 0;
    context->limits.pixels = 1 << 20; /* more would only be slower */
    checked = ic_image_decode_with(context, bytes, size, &check_only, NULL, NULL);
    status = ic_image_decode_with(context, bytes, size, NULL, NULL, &image);
    demand(checked == status, "full decoding agrees with the cheap check");
    if (status == IC_OK)
        use(image);
    if (ic_image_decode_with(context, bytes, size, &shrink, NULL, &small) == IC_OK)
        ic_image_free(small);
    demand(ic_image_decode_with(context, bytes, size, &both, NULL, &middle) == status,
           "the centre is as sound as all of it");
    ic_image_free(middle);
    ic_image_free(image);
    ic_context_free(context);
    return 0;
}

#ifndef IC_LIBFUZZER

static void replay(const char *path)
{
    FILE *file = fopen(path, "rb");
    made_file content = {0};
    char part[4096];
    size_t count;

    demand(file != NULL, path);
    while ((count = fread(part, 1, sizeof(part), file)) > 0)
        add_bytes(&content, part, count);
    fclose(file);
    LLVMFuzzerTestOneInput(content.bytes, content.size);
    free(content.bytes);
}

static uint32_t draw(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* Damages a copy of a sound file in a few places, in a few ways, again and again; frees it. */
static void damage(made_file file, int times)
{
    uint32_t state = (uint32_t)file.size * 2654435761u + 1;
    unsigned char *copy = malloc(file.size);

    LLVMFuzzerTestOneInput(file.bytes, file.size);
    for (int i = 0; i < times; i++) {
        size_t size = file.size;

        memcpy(copy, file.bytes, size);
        for (uint32_t places = 1 + draw(&state) % 4; places > 0; places--) {
            size_t at = draw(&state) % size;

            switch (draw(&state) % 4) {
            case 0:
                copy[at] = (unsigned char)draw(&state);
                break;
            case 1:
                copy[at] ^= (unsigned char)(1u << draw(&state) % 8);
                break;
            case 2:
                copy[at] = draw(&state) & 1 ? 0xff : 0;
                break;
            default:
                memmove(copy + at, copy + draw(&state) % (at + 1), size - at);
            }
        }
        LLVMFuzzerTestOneInput(copy, draw(&state) % 8 ? size : 1 + draw(&state) % size);
    }
    free(copy);
    free(file.bytes);
}

static void make_up(void)
{
    static const unsigned char app1[] =
        "Exif\0\0MM\0*\0\0\0\10\0\1\1\22\0\3\0\0\0\1\0\6\0\0\0\0\0\0";

    for (int kind = 0; kind < 16; kind++) {
        jpeg_plan jpeg = {.width = 30,
                          .height = 21,
                          .components = kind & 8   ? 4
                                        : kind & 4 ? 1
                                                   : 3,
                          .progressive = kind & 1,
                          .subsampled = kind & 2,
                          .restart = kind == 3,
                          .app1 = kind == 5 ? app1 : NULL,
                          .app1_size = sizeof(app1)};
        static const int types[] = {0, 2, 3, 4, 6};
        png_plan png = {.width = 13, .height = 9, .type = types[kind % 5], .bits = 8};

        png.interlaced = kind & 1;
        damage(make_jpeg(&jpeg), 2000);
        damage(make_png(&png), 500);
    }
}

int main(int count, char **paths)
{
    for (int i = 1; i < count; i++)
        replay(paths[i]);
    if (count == 1)
        make_up();
    return 0;
}

#endif

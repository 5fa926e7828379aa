/*
 * image/decode_dump.c: for tests/tools/robust.py: decodes each file named on the command line and
 * prints one line for it: "ok WIDTH HEIGHT CHANNELS DEPTH SHA256-OF-THE-SAMPLES" (16-bit samples
 * big-endian) or "STATUS message". SPDX-License-Identifier: MIT
 */
#include "base/hash.h"

#include <imgcls/imgcls.h>

#include <stdio.h>

static void print_digest(const ic_image *image)
{
    int32_t width, height, channels, depth;
    unsigned char digest[IC_SHA256_BYTES];
    char text[IC_SHA256_TEXT];
    const void *pixels;
    ic_sha256 hash;
    size_t stride;

    ic_image_info(image, &width, &height, &channels, &depth);
    ic_image_pixels(image, &pixels, &stride);
    ic_sha256_begin(&hash);
    for (int32_t y = 0; y < height; y++) {
        const char *row = (const char *)pixels + (size_t)y * stride;

        for (size_t i = 0; depth == 16 && i < (size_t)width * (size_t)channels; i++) {
            uint16_t sample = ((const uint16_t *)(const void *)row)[i];
            unsigned char big[2] = {(unsigned char)(sample >> 8), (unsigned char)sample};

            ic_sha256_add(&hash, big, 2);
        }
        if (depth == 8)
            ic_sha256_add(&hash, row, (size_t)width * (size_t)channels);
    }
    ic_sha256_end(&hash, digest);
    ic_sha256_text(digest, text);
    printf("ok %d %d %d %d %s\n", width, height, channels, depth, text);
}

int main(int count, char **paths)
{
    ic_context *context = NULL;

    if (ic_context_create(&context) < 0)
        return 1;
    for (int i = 1; i < count; i++) {
        ic_image *image = NULL;
        ic_status status = ic_image_load(context, paths[i], &image);

        if (status < 0)
            printf("%s %s\n", ic_status_name(status), ic_last_error());
        else
            print_digest(image);
        ic_image_free(image);
    }
    ic_context_free(context);
    return 0;
}

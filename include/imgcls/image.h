/* imgcls/image.h: pictures from files, memory and raw pixels. SPDX-License-Identifier: MIT */
#ifndef IMGCLS_IMAGE_H
#define IMGCLS_IMAGE_H

#include <imgcls/context.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A picture: rows from the top, samples interleaved, 8 or 16 bits each, EXIF orientation already
 * applied. Immutable once made, so that threads may share it. Every function with an `out` makes a
 * picture of the caller's own, to be released with ic_image_free.
 */
typedef struct ic_image ic_image;

/* The order and depth of raw pixels. 16-bit samples are in the byte order of the machine. */
enum {
    IC_PIXELS_GREY8 = 1,
    IC_PIXELS_GREY_ALPHA8 = 2,
    IC_PIXELS_RGB8 = 3,
    IC_PIXELS_RGBA8 = 4,
    IC_PIXELS_BGR8 = 5,
    IC_PIXELS_BGRA8 = 6,
    IC_PIXELS_GREY16 = 7,
    IC_PIXELS_GREY_ALPHA16 = 8,
    IC_PIXELS_RGB16 = 9,
    IC_PIXELS_RGBA16 = 10
};

/* How ic_image_resize weighs pixels; both antialias when shrinking. */
enum { IC_FILTER_BILINEAR = 1, IC_FILTER_BICUBIC = 2 };

/*
 * Reads a JPEG or PNG file (told apart by content). CMYK becomes RGB, a palette its
 * colours, transparency an alpha channel; 1, 2 and 4 bits become 8, 16 stay. IC_ERROR_NOT_FOUND or
 * IC_ERROR_IO: the file cannot be read; IC_ERROR_UNSUPPORTED names other formats ("this is WebP");
 * IC_ERROR_FORMAT: damaged or cut short; IC_ERROR_LIMIT: over the limits of the context. For
 * pictures to predict on there is ic_model_load_image.
 */
IC_API ic_status ic_image_load(ic_context *context, const char *path, ic_image **out);

/* The same from the bytes of such a file in memory; they are not kept. */
IC_API ic_status ic_image_decode(ic_context *context, const void *bytes, size_t size,
                                 ic_image **out);

/*
 * Copies raw pixels: rows of width pixels in the given order (IC_PIXELS_…), stride bytes from
 * one row to the next (0: no gap; negative: rows from the bottom, pixels pointing at the top row).
 * IC_ERROR_ARGUMENT: no such order, no pixels at all, or a stride shorter than a row;
 * IC_ERROR_LIMIT: over the limits of the context.
 */
IC_API ic_status ic_image_from_pixels(ic_context *context, const void *pixels, int32_t width,
                                      int32_t height, ptrdiff_t stride, int32_t order,
                                      ic_image **out);

/* Gives up the reference; NULL does nothing. */
IC_API void ic_image_free(ic_image *image);

/* Any output may be NULL. channels: 1 grey, 2 grey + alpha, 3 RGB, 4 RGBA. depth: 8 or 16 bits. */
IC_API ic_status ic_image_info(const ic_image *image, int32_t *width, int32_t *height,
                               int32_t *channels, int32_t *depth);

/*
 * Borrows the samples, for as long as the picture lives: row y begins at (const char *)*pixels + y
 * * *stride (in bytes; stride may be NULL).
 */
IC_API ic_status ic_image_pixels(const ic_image *image, const void **pixels, size_t *stride);

/*
 * A new picture of width x height, the shape given up; filter: IC_FILTER_…. Keeps channels and
 * depth. IC_ERROR_ARGUMENT: no such filter, or a side below 1; IC_ERROR_LIMIT: over the limits of
 * the context.
 */
IC_API ic_status ic_image_resize(const ic_image *image, int32_t width, int32_t height,
                                 int32_t filter, ic_image **out);

/* Writes a PNG file: all or nothing (a temporary beside it, then a rename). IC_ERROR_NOT_FOUND: no
 * such folder; IC_ERROR_IO: it cannot be written. */
IC_API ic_status ic_image_save_png(const ic_image *image, const char *path);

/*
 * Encodes as PNG into the caller's buffer. *size receives the bytes needed, also where the buffer
 * is NULL (IC_OK) or too small (IC_ERROR_LIMIT; it is left alone). The same picture gives the same
 * bytes.
 */
IC_API ic_status ic_image_encode_png(const ic_image *image, void *buffer, size_t capacity,
                                     size_t *size);

#ifdef __cplusplus
}
#endif

#endif

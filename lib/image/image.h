/* image/image.h: the inside of a picture; decoding, resizing, encoding. SPDX-License-Identifier:
 * MIT */
#ifndef IMAGE_IMAGE_H
#define IMAGE_IMAGE_H

#include "base/memory.h"

#include <imgcls/image.h>

struct ic_image {
    atomic_int references;
    ic_context *context;
    int32_t width, height;
    int32_t channels; /* 1 grey, 2 grey + alpha, 3 RGB, 4 RGBA */
    int32_t depth;    /* 8: uint8_t, 16: uint16_t samples in the machine's order */
    size_t stride;    /* bytes from row to row */
    unsigned char *pixels;
};

/* A new picture with unset pixels; limits of the context are checked before anything is allocated.
 */
ic_status ic_image_create(ic_context *context, int32_t width, int32_t height, int32_t channels,
                          int32_t depth, ic_image **out);
ic_image *ic_image_retain(ic_image *image);

static inline unsigned char *ic_image_row(const ic_image *image, int32_t y)
{
    return image->pixels + (size_t)y * image->stride;
}

/* What the first bytes say. */
typedef enum ic_format { IC_FORMAT_UNKNOWN, IC_FORMAT_JPEG, IC_FORMAT_PNG } ic_format;
ic_format ic_image_sniff(const void *bytes, size_t size);

/* "WebP", "GIF", "a PDF document" and so on, of what we do not read; NULL: no idea. */
const char *ic_image_format_name(const void *bytes, size_t size);

typedef struct ic_decode_options {
    /*
     * What is to be made of the picture, 0: nothing is known. shrink: the decoder may return a
     * smaller one (JPEG: 1/2, 1/4, 1/8 in the DCT domain) as long as no side is shorter than the
     * canvas's. centre: only the centre of the canvas's shape is resized to it; pixels beyond those
     * that ic_image_resize_box then looks at may be 0, the others are as ever.
     */
    int32_t canvas_width, canvas_height;
    bool shrink, centre;
    bool header_only; /* width and height alone; no picture comes out */
    bool check_only;  /* decode all, as cheaply as can be, only to see whether it is sound */
} ic_decode_options;

/* For a thumbnail: two pixels or more a side are averaged for each of its. 0: in full. */
static inline ic_decode_options ic_decode_for_thumbnail(int32_t side)
{
    return (ic_decode_options){.canvas_width = 2 * side, .canvas_height = 2 * side, .shrink = true};
}

typedef struct ic_image_facts {
    ic_format format;
    int32_t width, height; /* after EXIF orientation, before any shrinking */
    int32_t channels, depth;
} ic_image_facts;

/*
 * Decodes. `out` NULL with header_only or check_only; options NULL: full size; `facts` may be NULL.
 * Pictures that are cut short or damaged are IC_ERROR_FORMAT, also where libjpeg would only warn;
 * bytes behind the end, or unused ones between a JPEG's headers or before its end, do no harm. CMYK
 * becomes RGB, a palette colours, tRNS an alpha channel; 1, 2 and 4 bits become 8, 16 bits stay.
 */
ic_status ic_image_decode_with(ic_context *context, const void *bytes, size_t size,
                               const ic_decode_options *options, ic_image_facts *facts,
                               ic_image **out);

/* The same of a file, which errors name. */
ic_status ic_image_read(ic_context *context, const char *path, const ic_decode_options *options,
                        ic_image **out);

/*
 * Samples a rectangle of `source` (x, y, w, h in source pixels, fractions allowed) to width x
 * height: separable, with a triangle (bilinear) or Catmull-Rom-like (bicubic, a = -0.5) filter that
 * widens when shrinking, as Pillow's. With alpha, colours are weighed by their opacity.
 */
typedef struct ic_box {
    double x, y, width, height;
} ic_box;

ic_status ic_image_resize_box(const ic_image *source, const ic_box *box, int32_t width,
                              int32_t height, int32_t filter, ic_image **out);

/* How far from where an output sample lies a filter looks, in source pixels; step: how many of
 * these an output sample stands for. */
double ic_filter_reach(int32_t filter, double step);

/*
 * Another number of channels: grey from colour by ITU-R 601 (as libjpeg and Pillow), alpha is laid
 * over white. channels 1 or 3; returns the same picture (one more reference) when nothing is to be
 * done.
 */
ic_status ic_image_convert(ic_image *image, int32_t channels, ic_image **out);

/* Encodes as PNG, behind what `out` holds. The same picture gives the same bytes. */
ic_status ic_png_encode(const ic_image *image, ic_buffer *out);

/* The same as JPEG, of 8-bit grey or RGB; quality 1..100 as libjpeg has it. */
ic_status ic_jpeg_encode(const ic_image *image, int32_t quality, ic_buffer *out);

#endif

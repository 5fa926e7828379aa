/* image/image.c: the picture object and what the public sees of it. SPDX-License-Identifier: MIT */
#include "image/image.h"

#include "base/file.h"
#include "base/status.h"
#include "image/codec.h"

#include <string.h>

/* Pixels follow the object in one block, aligned as vectors like it. */
enum { PIXELS_OFFSET = (sizeof(ic_image) + 63) / 64 * 64 };

ic_status ic_image_check_size(ic_context *context, int64_t width, int64_t height)
{
    const ic_limits *limits = &context->limits;

    if (width < 1 || height < 1)
        return ic_fail(IC_ERROR_FORMAT, "the picture is empty: %lld x %lld pixels",
                       (long long)width, (long long)height);
    if (width > limits->side || height > limits->side)
        return ic_fail(IC_ERROR_LIMIT,
                       "the picture has %lld x %lld pixels, the limit is %lld a side (option "
                       "max_side)",
                       (long long)width, (long long)height, (long long)limits->side);
    if (width > limits->pixels / height)
        return ic_fail(IC_ERROR_LIMIT,
                       "the picture has %lld x %lld pixels, the limit is %lld in all (option "
                       "max_megapixels)",
                       (long long)width, (long long)height, (long long)limits->pixels);
    return IC_OK;
}

ic_status ic_image_create(ic_context *context, int32_t width, int32_t height, int32_t channels,
                          int32_t depth, ic_image **out)
{
    ic_image *image;
    size_t stride, size;

    if (width < 1 || height < 1)
        return ic_fail(IC_ERROR_ARGUMENT, "a picture cannot have %d x %d pixels", width, height);
    if (channels < 1 || channels > 4)
        return ic_fail(IC_ERROR_ARGUMENT, "a picture has 1 to 4 channels, not %d", channels);
    if (depth != 8 && depth != 16)
        return ic_fail(IC_ERROR_ARGUMENT, "a picture has 8 or 16 bits a sample, not %d", depth);
    IC_TRY(ic_image_check_size(context, width, height));
    if (!ic_multiply_size((size_t)width, (size_t)(channels * depth / 8), &stride) ||
        !ic_multiply_size(stride, (size_t)height, &size) ||
        !ic_add_size(size, PIXELS_OFFSET, &size))
        return ic_fail(IC_ERROR_LIMIT, "a picture of %d x %d pixels does not fit into memory",
                       width, height);
    IC_TRY(ic_allocate(context, size, &image));

    atomic_init(&image->references, 1);
    image->context = ic_context_retain(context);
    image->width = width;
    image->height = height;
    image->channels = channels;
    image->depth = depth;
    image->stride = stride;
    image->pixels = (unsigned char *)image + PIXELS_OFFSET;
    *out = image;
    return IC_OK;
}

ic_image *ic_image_retain(ic_image *image)
{
    atomic_fetch_add_explicit(&image->references, 1, memory_order_relaxed);
    return image;
}

void ic_image_free(ic_image *image)
{
    ic_context *context;

    if (!image || atomic_fetch_sub_explicit(&image->references, 1, memory_order_acq_rel) != 1)
        return;
    context = image->context;
    ic_free(context, image);
    ic_context_free(context);
}

ic_status ic_image_read(ic_context *context, const char *path, const ic_decode_options *options,
                        ic_image **out)
{
    ic_buffer bytes = {.context = context};
    IC_TRY(ic_file_read(context, path, context->limits.file_bytes, &bytes));
    ic_status status = ic_image_decode_with(context, bytes.bytes, bytes.size, options, NULL, out);
    ic_buffer_free(&bytes);
    return status < 0 ? ic_fail_prefix(status, "%s: ", path) : status;
}

ic_status ic_image_load(ic_context *context, const char *path, ic_image **out)
{
    if (!context || !path || !out)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_image_load: context, path and out must not be NULL");
    return ic_image_read(context, path, NULL, out);
}

ic_status ic_image_decode(ic_context *context, const void *bytes, size_t size, ic_image **out)
{
    if (!context || !bytes || !out)
        return ic_fail(IC_ERROR_ARGUMENT,
                       "ic_image_decode: context, bytes and out must not be NULL");
    return ic_image_decode_with(context, bytes, size, NULL, NULL, out);
}

/* What an IC_PIXELS_… value means. */
typedef struct pixel_order {
    int32_t channels, depth;
    bool blue_first;
} pixel_order;

static const pixel_order pixel_orders[] = {
    [IC_PIXELS_GREY8] = {1, 8},      [IC_PIXELS_GREY_ALPHA8] = {2, 8},
    [IC_PIXELS_RGB8] = {3, 8},       [IC_PIXELS_RGBA8] = {4, 8},
    [IC_PIXELS_BGR8] = {3, 8, true}, [IC_PIXELS_BGRA8] = {4, 8, true},
    [IC_PIXELS_GREY16] = {1, 16},    [IC_PIXELS_GREY_ALPHA16] = {2, 16},
    [IC_PIXELS_RGB16] = {3, 16},     [IC_PIXELS_RGBA16] = {4, 16},
};

static void exchange_red_and_blue(unsigned char *row, int32_t width, int32_t channels)
{
    for (int32_t x = 0; x < width; x++, row += channels) {
        unsigned char blue = row[0];

        row[0] = row[2];
        row[2] = blue;
    }
}

/* Rows may lie further apart than they are long, never closer; the whole must be addressable. */
static ic_status check_stride(ptrdiff_t stride, size_t row_bytes, int32_t height)
{
    ptrdiff_t furthest = PTRDIFF_MAX / height;

    if (stride < -furthest || stride > furthest)
        return ic_fail(IC_ERROR_ARGUMENT,
                       "ic_image_from_pixels: a stride of %lld bytes is too long",
                       (long long)stride);
    if ((size_t)(stride < 0 ? -stride : stride) < row_bytes)
        return ic_fail(IC_ERROR_ARGUMENT,
                       "ic_image_from_pixels: a stride of %lld bytes is shorter than a row of %zu",
                       (long long)stride, row_bytes);
    return IC_OK;
}

ic_status ic_image_from_pixels(ic_context *context, const void *pixels, int32_t width,
                               int32_t height, ptrdiff_t stride, int32_t order, ic_image **out)
{
    const pixel_order *layout;
    ic_image *image;
    ic_status status;

    if (!context || !pixels || !out)
        return ic_fail(IC_ERROR_ARGUMENT,
                       "ic_image_from_pixels: context, pixels and out must not be NULL");
    if (order < IC_PIXELS_GREY8 || order > IC_PIXELS_RGBA16)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_image_from_pixels: %d is no order of pixels", order);
    layout = &pixel_orders[order];
    IC_TRY(ic_image_create(context, width, height, layout->channels, layout->depth, &image));
    if (stride == 0)
        stride = (ptrdiff_t)image->stride;
    status = check_stride(stride, image->stride, height);
    if (status < 0) {
        ic_image_free(image);
        return status;
    }

    for (int32_t y = 0; y < height; y++) {
        memcpy(ic_image_row(image, y), (const char *)pixels + y * stride, image->stride);
        if (layout->blue_first)
            exchange_red_and_blue(ic_image_row(image, y), width, layout->channels);
    }
    *out = image;
    return IC_OK;
}

ic_status ic_image_info(const ic_image *image, int32_t *width, int32_t *height, int32_t *channels,
                        int32_t *depth)
{
    if (!image)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_image_info: image must not be NULL");
    if (width)
        *width = image->width;
    if (height)
        *height = image->height;
    if (channels)
        *channels = image->channels;
    if (depth)
        *depth = image->depth;
    return IC_OK;
}

ic_status ic_image_pixels(const ic_image *image, const void **pixels, size_t *stride)
{
    if (!image || !pixels)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_image_pixels: image and pixels must not be NULL");
    *pixels = image->pixels;
    if (stride)
        *stride = image->stride;
    return IC_OK;
}

ic_status ic_image_resize(const ic_image *image, int32_t width, int32_t height, int32_t filter,
                          ic_image **out)
{
    ic_box all;

    if (!image || !out)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_image_resize: image and out must not be NULL");
    all = (ic_box){0, 0, image->width, image->height};
    return ic_image_resize_box(image, &all, width, height, filter, out);
}

ic_status ic_image_save_png(const ic_image *image, const char *path)
{
    ic_buffer bytes = {0};
    ic_status status;

    if (!image || !path)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_image_save_png: image and path must not be NULL");
    bytes.context = image->context;
    IC_TRY_CLEAN(ic_png_encode(image, &bytes));
    IC_TRY_CLEAN(ic_file_save(image->context, path, bytes.bytes, bytes.size));

cleanup:
    ic_buffer_free(&bytes);
    return status;
}

ic_status ic_image_encode_png(const ic_image *image, void *buffer, size_t capacity, size_t *size)
{
    ic_buffer bytes = {0};
    ic_status status;

    if (!image || !size)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_image_encode_png: image and size must not be NULL");
    bytes.context = image->context;
    IC_TRY_CLEAN(ic_png_encode(image, &bytes));
    IC_TRY_CLEAN(ic_give_bytes(bytes.bytes, bytes.size, buffer, capacity, size));

cleanup:
    ic_buffer_free(&bytes);
    return status;
}

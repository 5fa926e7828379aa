/* report/thumbnail.c: small pictures of pictures. SPDX-License-Identifier: MIT */
#include "report/thumbnail.h"

#include "base/memory.h"
#include "base/status.h"

/* A row of RGB at 8 bits. */
static void copy_row(const ic_image *from, int32_t y, unsigned char *to)
{
    const void *row = ic_image_row(from, y);
    for (int32_t i = 0; i < 3 * from->width; i++)
        to[i] = from->depth == 8 ? ((const uint8_t *)row)[i]
                                 : (unsigned char)(((const uint16_t *)row)[i] >> 8);
}

ic_status ic_image_thumbnail(ic_image *image, int32_t side, ic_image **out)
{
    const int32_t longest = image->width > image->height ? image->width : image->height;
    const int64_t most = longest < side ? longest : side;
    const int64_t width = image->width * most / longest, height = image->height * most / longest;
    ic_image *small = NULL, *colour = NULL, *made;
    ic_status status;
    IC_TRY_CLEAN(ic_image_resize(image, width > 0 ? (int32_t)width : 1,
                                 height > 0 ? (int32_t)height : 1, IC_FILTER_BILINEAR, &small));
    IC_TRY_CLEAN(ic_image_convert(small, 3, &colour));
    IC_TRY_CLEAN(ic_image_create(image->context, colour->width, colour->height, 3, 8, &made));
    for (int32_t y = 0; y < made->height; y++)
        copy_row(colour, y, ic_image_row(made, y));
    *out = made;
cleanup:
    ic_image_free(colour);
    ic_image_free(small);
    return status;
}

ic_status ic_dataset_thumbnail(const ic_dataset *dataset, int64_t index, int32_t side,
                               ic_image **out)
{
    const ic_decode_options options = ic_decode_for_thumbnail(side);
    ic_image *image;
    IC_TRY(ic_dataset_decode(dataset, index, &options, &image));
    ic_status status = ic_image_thumbnail(image, side, out);
    ic_image_free(image);
    return status;
}

ic_status ic_tensor_thumbnail(ic_context *context, const ic_pipeline *pipeline, const float *tensor,
                              int32_t side, ic_image **out)
{
    const ic_pipeline *p = pipeline;
    ic_image *image;
    IC_TRY(ic_image_create(context, p->width, p->height, 3, 8, &image));
    for (int32_t y = 0; y < p->height; y++)
        for (int32_t i = 0; i < 3 * p->width; i++) {
            int32_t c = i % 3 % p->channels, at = (y * p->width + i / 3) * p->channels + c;
            float value = (tensor[at] * p->deviation[c] + p->mean[c]) * 255 + 0.5F;
            ic_image_row(image, y)[i] = (unsigned char)(value < 0 ? 0 : value > 255 ? 255 : value);
        }
    if (p->width <= side && p->height <= side) {
        *out = image;
        return IC_OK;
    }
    ic_status status = ic_image_resize(image, side, side, IC_FILTER_BILINEAR, out);
    ic_image_free(image);
    return status;
}

/* preprocess/pipeline.c: the fixed ways: picture to canvas, canvas to tensor.
 * SPDX-License-Identifier: MIT */
#include "preprocess/pipeline.h"

#include "base/status.h"
#include "preprocess/normalise.h"

ic_decode_options ic_pipeline_decoding(const ic_pipeline *pipeline)
{
    return (ic_decode_options){.canvas_width = pipeline->canvas_width,
                               .canvas_height = pipeline->canvas_height,
                               .shrink = pipeline->decode == IC_DECODE_SHRINK};
}

/* The part of a picture that goes onto the canvas: all of it, or the centre in the canvas's shape.
 */
static ic_box box_for(const ic_pipeline *pipeline, int32_t width, int32_t height)
{
    ic_box box = {0, 0, width, height};
    if (pipeline->resize == IC_RESIZE_STRETCH)
        return box;
    int64_t wide = (int64_t)width * pipeline->canvas_height;
    int64_t high = (int64_t)height * pipeline->canvas_width;
    if (wide > high) {
        box.width = (double)high / pipeline->canvas_height;
        box.x = (width - box.width) / 2;
    } else if (high > wide) {
        box.height = (double)wide / pipeline->canvas_width;
        box.y = (height - box.height) / 2;
    }
    return box;
}

ic_box ic_pipeline_seen(const ic_pipeline *pipeline, int32_t width, int32_t height)
{
    const ic_pipeline *p = pipeline;
    const ic_box box = box_for(p, width, height);
    const double across = box.width / p->canvas_width, down = box.height / p->canvas_height;
    const int32_t left = (p->canvas_width - p->width) / 2, top = (p->canvas_height - p->height) / 2;
    return (ic_box){box.x + left * across, box.y + top * down, p->width * across, p->height * down};
}

static ic_status resize(const ic_pipeline *pipeline, ic_image *image, ic_image **out)
{
    if (image->width == pipeline->canvas_width && image->height == pipeline->canvas_height) {
        *out = ic_image_retain(image);
        return IC_OK;
    }
    ic_box box = box_for(pipeline, image->width, image->height);
    return ic_image_resize_box(image, &box, pipeline->canvas_width, pipeline->canvas_height,
                               pipeline->filter, out);
}

ic_status ic_pipeline_canvas(const ic_pipeline *pipeline, const ic_image *image, ic_image **canvas)
{
    ic_image *converted = NULL, *resized = NULL;
    ic_status status = IC_OK;
    /* A picture is immutable; what changes under the cast is its count of references. */
    IC_TRY_CLEAN(ic_image_convert((ic_image *)image, pipeline->channels, &converted));
    IC_TRY_CLEAN(resize(pipeline, converted, &resized));
    if (pipeline->denoise == IC_DENOISE_NONE)
        *canvas = ic_image_retain(resized);
    else
        status = ic_image_denoise(resized, pipeline->denoise, pipeline->denoise_strength, canvas);
cleanup:
    ic_image_free(resized);
    ic_image_free(converted);
    return status;
}

void ic_pipeline_tensor(const ic_pipeline *pipeline, const ic_image *canvas, float *tensor)
{
    ic_normaliser normaliser;
    ic_normaliser_init(&normaliser, pipeline, canvas->depth);
    int32_t top = (canvas->height - pipeline->height) / 2;
    size_t left = (size_t)((canvas->width - pipeline->width) / 2) * (size_t)canvas->channels;
    size_t count = (size_t)pipeline->width * (size_t)pipeline->channels;
    for (int32_t y = 0; y < pipeline->height; y++) {
        const void *row = ic_image_row(canvas, top + y);
        float *to = tensor + (size_t)y * count;
        if (canvas->depth == 8)
            ic_normalise_8(&normaliser, (const uint8_t *)row + left, count, to);
        else
            ic_normalise_16(&normaliser, (const uint16_t *)row + left, count, to);
    }
    if (pipeline->normalise == IC_NORMALISE_PICTURE)
        ic_standardise(tensor, ic_pipeline_floats(pipeline));
}

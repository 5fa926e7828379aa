/*
 * preprocess/denoise.c: noise removal. All three look at a window around each pixel; beyond the
 * edges the picture goes on by reflection, in a padded copy made once, so that the inner loops have
 * no cases. SPDX-License-Identifier: MIT
 */
#include "base/maths.h"
#include "base/status.h"
#include "preprocess/effects.h"
#include "preprocess/pipeline.h"
#include "preprocess/reflect.h"

#include <math.h>
#include <string.h>

/* A copy with a margin on all sides; samples interleaved as in the picture, 16 bits each. */
typedef struct padded {
    uint16_t *samples; /* of the pixel (0, 0), inside the margin */
    uint16_t *block;
    size_t stride; /* in samples */
} padded;

static void pad_row(const ic_image *image, int32_t y, int32_t margin, uint16_t *out)
{
    const int32_t channels = image->channels, width = image->width;
    const unsigned char *row = ic_image_row(image, y);
    for (int32_t x = 0; x < width * channels; x++)
        out[x] = image->depth == 8 ? row[x] : ((const uint16_t *)(const void *)row)[x];
    for (int32_t x = -margin; x < width + margin; x++)
        if (x < 0 || x >= width)
            memcpy(out + (ptrdiff_t)x * channels, out + (ptrdiff_t)ic_reflect(x, width) * channels,
                   (size_t)channels * sizeof *out);
}

static ic_status pad(const ic_image *image, int32_t margin, padded *out)
{
    size_t width = (size_t)image->width + 2 * (size_t)margin;
    size_t stride = width * (size_t)image->channels;
    uint16_t *block;
    IC_TRY(ic_allocate_array(image->context, (size_t)image->height + 2 * (size_t)margin,
                             stride * sizeof *block, &block));
    out->block = block;
    out->stride = stride;
    out->samples = block + (size_t)margin * stride + (size_t)margin * (size_t)image->channels;
    for (int32_t y = -margin; y < image->height + margin; y++)
        pad_row(image, ic_reflect(y, image->height), margin,
                out->samples + (ptrdiff_t)y * (ptrdiff_t)stride);
    return IC_OK;
}

static void put_row(ic_image *image, int32_t y, size_t at, const uint16_t *values, size_t count)
{
    unsigned char *row = ic_image_row(image, y);
    for (size_t i = 0; i < count; i++)
        if (image->depth == 8)
            row[at + i] = (unsigned char)values[i];
        else
            ((uint16_t *)(void *)row)[at + i] = values[i];
}

/* Samples that the median works on at a time: one vector operation for all of them. */
enum { MEDIAN_LANES = 32, MEDIAN_MOST = 25 };

typedef uint16_t median_lanes[MEDIAN_LANES];

static inline void order_lanes(uint16_t *restrict low, uint16_t *restrict high)
{
    for (int32_t i = 0; i < MEDIAN_LANES; i++) {
        uint16_t a = low[i], b = high[i];
        low[i] = a < b ? a : b;
        high[i] = a < b ? b : a;
    }
}

/*
 * The median of `count` (odd) by forgetting: of any count / 2 + 2 values the least and the greatest
 * cannot be it; they go, the next value comes in, until three are left. The result is in values[0].
 */
static void median_of(median_lanes *values, int32_t count)
{
    int32_t next = count / 2 + 2;
    for (int32_t held = next; held >= 3; held--) {
        for (int32_t i = 1; i < held; i++) /* the least to the front */
            order_lanes(values[0], values[i]);
        for (int32_t i = 1; i + 1 < held; i++) /* the greatest to the end */
            order_lanes(values[i], values[held - 1]);
        if (held == 3)
            break;
        /* The front is replaced by a new value, the end by nothing: one fewer each time. */
        memcpy(values[0], values[next++], sizeof values[0]);
    }
    memcpy(values[0], values[1], sizeof values[0]);
}

static ic_status median(const ic_image *image, float strength, ic_image *target)
{
    const int32_t radius = strength < 1.5f ? 1 : 2, side = 2 * radius + 1;
    const size_t count = (size_t)image->width * (size_t)image->channels;
    padded source;
    IC_TRY(pad(image, radius, &source));
    median_lanes values[MEDIAN_MOST] = {{0}};
    for (int32_t y = 0; y < image->height; y++)
        for (size_t at = 0; at < count; at += MEDIAN_LANES) {
            size_t lanes = count - at < MEDIAN_LANES ? count - at : MEDIAN_LANES;
            for (int32_t i = 0; i < side * side; i++) {
                ptrdiff_t row = y + i / side - radius, column = i % side - radius;
                memcpy(values[i],
                       source.samples + row * (ptrdiff_t)source.stride + column * image->channels +
                           (ptrdiff_t)at,
                       lanes * sizeof values[0][0]);
            }
            median_of(values, side * side);
            put_row(target, y, at, values[0], lanes);
        }
    ic_free(image->context, source.block);
    return IC_OK;
}

/* Down first, into one row of floats with its margins, then across. */
static ic_status gaussian(const ic_image *image, float strength, ic_image *target)
{
    float weights[IC_WINDOW_MOST + 1];
    const int32_t radius = ic_gaussian_window(strength, weights);
    const ptrdiff_t margin = (ptrdiff_t)radius * image->channels;
    const ptrdiff_t count = (ptrdiff_t)image->width * image->channels;
    padded source = {0};
    float *rows = NULL; /* the row mixed downwards, and the result */
    uint16_t *values = NULL;
    ic_status status = IC_OK;
    IC_TRY_CLEAN(pad(image, radius, &source));
    IC_TRY_CLEAN(
        ic_allocate_array(image->context, (size_t)(2 * (count + 2 * margin)), sizeof *rows, &rows));
    IC_TRY_CLEAN(ic_allocate_array(image->context, (size_t)count, sizeof *values, &values));
    float *mixed = rows + margin, *result = rows + count + 2 * margin;
    for (int32_t y = 0; y < image->height; y++) {
        const uint16_t *middle = source.samples + (ptrdiff_t)y * (ptrdiff_t)source.stride;
        for (ptrdiff_t i = -margin; i < count + margin; i++)
            mixed[i] = (float)middle[i] * weights[0];
        for (int32_t k = 1; k <= radius; k++) {
            const uint16_t *above = middle - k * (ptrdiff_t)source.stride;
            const uint16_t *below = middle + k * (ptrdiff_t)source.stride;
            for (ptrdiff_t i = -margin; i < count + margin; i++)
                mixed[i] += (float)((int32_t)above[i] + below[i]) * weights[k];
        }
        ic_blur_samples(mixed, image->channels, count, weights, radius, result);
        for (ptrdiff_t i = 0; i < count; i++)
            values[i] = (uint16_t)(result[i] + 0.5f);
        put_row(target, y, 0, values, (size_t)count);
    }
cleanup:
    ic_free(image->context, values);
    ic_free(image->context, rows);
    ic_free(image->context, source.block);
    return status;
}

/* The bilateral filter (Tomasi and Manduchi 1998): neighbours count by nearness and by likeness. */
enum { BILATERAL_RADIUS = 2, LIKENESS_STEPS = 1024 };
#define BILATERAL_SIGMA 1.5 /* pixels */
#define LIKENESS_SIGMA  0.1 /* of the full range, at strength 1 */
#define LIKENESS_REACH  8.0 /* where exp(-t) is taken as 0 */

typedef struct bilateral_filter {
    float nearness[BILATERAL_RADIUS + 1][BILATERAL_RADIUS + 1];
    float likeness[LIKENESS_STEPS + 1]; /* exp(-t), t in steps up to LIKENESS_REACH; then 0 */
    float scale;                        /* squared difference of samples, summed -> step */
} bilateral_filter;

static void bilateral_prepare(bilateral_filter *filter, const ic_image *image, float strength)
{
    for (int32_t y = 0; y <= BILATERAL_RADIUS; y++)
        for (int32_t x = 0; x <= BILATERAL_RADIUS; x++)
            filter->nearness[y][x] =
                (float)ic_exp(-(x * x + y * y) / (2 * BILATERAL_SIGMA * BILATERAL_SIGMA));
    for (int32_t i = 0; i < LIKENESS_STEPS; i++)
        filter->likeness[i] = (float)ic_exp(-(i + 0.5) * LIKENESS_REACH / LIKENESS_STEPS);
    filter->likeness[LIKENESS_STEPS] = 0;
    double sigma = LIKENESS_SIGMA * strength * (image->depth == 8 ? 255 : 65535);
    filter->scale =
        (float)(LIKENESS_STEPS / LIKENESS_REACH / (2 * sigma * sigma * image->channels));
}

/* One pixel; inlined with a constant number of channels. */
static inline void bilateral_pixel(const bilateral_filter *filter, const uint16_t *at,
                                   ptrdiff_t stride, const int32_t channels, uint16_t *out)
{
    float sums[3] = {0}, total = 0;
    for (int32_t y = -BILATERAL_RADIUS; y <= BILATERAL_RADIUS; y++)
        for (int32_t x = -BILATERAL_RADIUS; x <= BILATERAL_RADIUS; x++) {
            const uint16_t *other = at + y * stride + x * channels;
            float difference = 0;
            for (int32_t c = 0; c < channels; c++) {
                float d = (float)(other[c] - at[c]);
                difference += d * d;
            }
            float step = difference * filter->scale;
            int32_t index = step < LIKENESS_STEPS ? (int32_t)step : LIKENESS_STEPS;
            float weight =
                filter->likeness[index] * filter->nearness[y < 0 ? -y : y][x < 0 ? -x : x];
            total += weight;
            for (int32_t c = 0; c < channels; c++)
                sums[c] += weight * other[c];
        }
    for (int32_t c = 0; c < channels; c++)
        out[c] = (uint16_t)(sums[c] / total + 0.5f);
}

static ic_status bilateral(const ic_image *image, float strength, ic_image *target)
{
    bilateral_filter filter;
    padded source;
    bilateral_prepare(&filter, image, strength);
    IC_TRY(pad(image, BILATERAL_RADIUS, &source));
    const ptrdiff_t stride = (ptrdiff_t)source.stride;
    for (int32_t y = 0; y < image->height; y++)
        for (int32_t x = 0; x < image->width; x++) {
            const uint16_t *at = source.samples + y * stride + (ptrdiff_t)x * image->channels;
            uint16_t values[3];
            if (image->channels == 3)
                bilateral_pixel(&filter, at, stride, 3, values);
            else
                bilateral_pixel(&filter, at, stride, 1, values);
            put_row(target, y, (size_t)x * (size_t)image->channels, values,
                    (size_t)image->channels);
        }
    ic_free(image->context, source.block);
    return IC_OK;
}

ic_status ic_image_denoise(const ic_image *image, ic_denoise kind, float strength, ic_image **out)
{
    if (image->channels != 1 && image->channels != 3)
        return ic_fail(IC_ERROR_ARGUMENT,
                       "noise is removed from pictures of 1 or 3 channels, not %d",
                       image->channels);
    if (!(strength > 0))
        return ic_fail(IC_ERROR_ARGUMENT, "the strength of noise removal must be above 0");
    ic_image *target;
    IC_TRY(ic_image_create(image->context, image->width, image->height, image->channels,
                           image->depth, &target));
    ic_status status;
    switch (kind) {
    case IC_DENOISE_MEDIAN:
        status = median(image, strength, target);
        break;
    case IC_DENOISE_GAUSSIAN:
        status = gaussian(image, strength, target);
        break;
    case IC_DENOISE_BILATERAL:
        status = bilateral(image, strength, target);
        break;
    default:
        status = ic_fail(IC_ERROR_ARGUMENT, "%d is no kind of noise removal", (int)kind);
    }
    if (status < 0)
        ic_image_free(target);
    else
        *out = target;
    return status;
}

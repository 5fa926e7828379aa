/*
 * image/resize.c: separable resampling. Output sample i of a side looks at the source around (i +
 * 1/2) s, where s is source length / output length, through a filter that is max(s, 1) times as
 * wide as its definition, so that shrinking averages all it leaves out (as Pillow does; Turkowski,
 * "Filters for Common Resampling Tasks", 1990).
 *
 * Rows are summed first, straight from the source into one row of floats, which vectorises whatever
 * the number of channels; then that row is resampled sideways. Only one such row is ever held.
 * SPDX-License-Identifier: MIT
 */
#include "base/status.h"
#include "image/image.h"

#include <math.h>
#include <string.h>

static double triangle(double x)
{
    x = fabs(x);
    return x < 1 ? 1 - x : 0;
}

/* Keys' cubic convolution with a = -1/2: third-order exact (Keys 1981). */
static double cubic(double x)
{
    const double a = -0.5;

    x = fabs(x);
    if (x < 1)
        return ((a + 2) * x - (a + 3)) * x * x + 1;
    return x < 2 ? a * (((x - 5) * x + 8) * x - 4) : 0;
}

/* For each output sample along one side: the first source sample, how many, and their weights. */
typedef struct taps {
    int32_t length; /* output samples */
    int32_t most;   /* weights kept for each */
    int32_t *first, *count;
    float *weights;
} taps;

/* The weights of one output sample, normalised; returns how many are not zero at the end. */
static int32_t weigh(double (*filter)(double), double centre, double scale, int32_t first,
                     int32_t count, float *weights)
{
    double sum = 0;

    for (int32_t k = 0; k < count; k++)
        sum += filter((first + k + 0.5 - centre) / scale);
    for (int32_t k = 0; k < count; k++)
        weights[k] = (float)(filter((first + k + 0.5 - centre) / scale) / sum);
    while (count > 1 && weights[count - 1] == 0)
        count--;
    return count;
}

static ic_status taps_create(ic_context *context, int32_t filter, int32_t source, double offset,
                             double extent, int32_t length, taps *out)
{
    double (*shape)(double) = filter == IC_FILTER_BICUBIC ? cubic : triangle;
    double step = extent / length;
    double scale = step > 1 ? step : 1;
    double reach = (filter == IC_FILTER_BICUBIC ? 2 : 1) * scale;

    out->length = length;
    out->most = 2 * (int32_t)ceil(reach) + 1;
    IC_TRY(ic_allocate_array(context, (size_t)length, 2 * sizeof(int32_t), &out->first));
    out->count = out->first + length;
    IC_TRY(ic_allocate_array(context, (size_t)length, (size_t)out->most * sizeof(float),
                             &out->weights));
    for (int32_t i = 0; i < length; i++) {
        double centre = offset + (i + 0.5) * step;
        double low = floor(centre - reach + 0.5), high = floor(centre + reach + 0.5);
        int32_t first = low > 0 ? (int32_t)low : 0;
        int32_t end = high < source ? (int32_t)high : source;

        out->first[i] = first;
        out->count[i] = weigh(shape, centre, scale, first, end - first,
                              out->weights + (size_t)i * (size_t)out->most);
    }
    return IC_OK;
}

static void taps_free(ic_context *context, taps *t)
{
    ic_free(context, t->first);
    ic_free(context, t->weights);
}

typedef struct resizer {
    const ic_image *source;
    ic_image *target;
    taps across, down;
    int32_t left, columns; /* of the source that matter */
    float *sum;            /* [columns][channels]: rows weighed and added */
    float *straight;       /* the same size: one row times its alpha; NULL without alpha */
} resizer;

/* sum += weight * row, for each kind of sample. */
static void add_row_8(float *restrict sum, const uint8_t *restrict row, float weight, size_t count)
{
    for (size_t i = 0; i < count; i++)
        sum[i] += weight * (float)row[i];
}

static void add_row_16(float *restrict sum, const uint16_t *restrict row, float weight,
                       size_t count)
{
    for (size_t i = 0; i < count; i++)
        sum[i] += weight * (float)row[i];
}

static void add_row_float(float *restrict sum, const float *restrict row, float weight,
                          size_t count)
{
    for (size_t i = 0; i < count; i++)
        sum[i] += weight * row[i];
}

static float sample_at(const void *row, size_t index, int32_t depth)
{
    return depth == 8 ? (float)((const uint8_t *)row)[index]
                      : (float)((const uint16_t *)row)[index];
}

/* Colours count by their opacity, or transparent pixels would bleed into their neighbours. */
static void multiply_alpha(const ic_image *image, const void *row, size_t pixels, float *out)
{
    const size_t channels = (size_t)image->channels;
    const float most = image->depth == 8 ? 255 : 65535;

    for (size_t x = 0; x < pixels; x++, out += channels) {
        float alpha = sample_at(row, (x + 1) * channels - 1, image->depth);

        for (size_t c = 0; c + 1 < channels; c++)
            out[c] = sample_at(row, x * channels + c, image->depth) * (alpha / most);
        out[channels - 1] = alpha;
    }
}

static void add_row(const resizer *r, int32_t y, float weight)
{
    const ic_image *image = r->source;
    size_t pixel = (size_t)(image->channels * image->depth / 8);
    const unsigned char *row = ic_image_row(image, y) + (size_t)r->left * pixel;
    size_t count = (size_t)r->columns * (size_t)image->channels;

    if (r->straight) {
        multiply_alpha(image, row, (size_t)r->columns, r->straight);
        add_row_float(r->sum, r->straight, weight, count);
    } else if (image->depth == 8) {
        add_row_8(r->sum, row, weight, count);
    } else {
        add_row_16(r->sum, (const uint16_t *)(const void *)row, weight, count);
    }
}

static float clamp(float value, float most)
{
    return value < 0 ? 0 : value > most ? most : value;
}

static void put_sample(void *row, size_t index, int32_t depth, float value)
{
    if (depth == 8)
        ((uint8_t *)row)[index] = (uint8_t)(clamp(value, 255) + 0.5f);
    else
        ((uint16_t *)row)[index] = (uint16_t)(clamp(value, 65535) + 0.5f);
}

/* Undoes multiply_alpha. */
static void divide_alpha(float *pixel, int32_t channels, float most)
{
    float alpha = clamp(pixel[channels - 1], most);

    for (int32_t c = 0; c + 1 < channels; c++)
        pixel[c] = alpha > 0 ? pixel[c] * (most / alpha) : 0;
}

/* Inlined with constants: the sums stay in registers. */
static inline void resample_row(const resizer *r, int32_t y, const int32_t channels,
                                const int32_t depth)
{
    unsigned char *row = ic_image_row(r->target, y);
    const taps *t = &r->across;

    for (int32_t x = 0; x < t->length; x++) {
        const float *weights = t->weights + (size_t)x * (size_t)t->most;
        const float *from = r->sum + (size_t)(t->first[x] - r->left) * (size_t)channels;
        float pixel[4] = {0};

        for (int32_t k = 0; k < t->count[x]; k++, from += channels)
            for (int32_t c = 0; c < channels; c++)
                pixel[c] += weights[k] * from[c];
        if (channels == 2 || channels == 4)
            divide_alpha(pixel, channels, depth == 8 ? 255 : 65535);
        for (int32_t c = 0; c < channels; c++)
            put_sample(row, (size_t)x * (size_t)channels + (size_t)c, depth, pixel[c]);
    }
}

static void resample(const resizer *r, int32_t y)
{
    switch (r->source->channels + r->source->depth) {
    case 1 + 8:
        resample_row(r, y, 1, 8);
        break;
    case 2 + 8:
        resample_row(r, y, 2, 8);
        break;
    case 3 + 8:
        resample_row(r, y, 3, 8);
        break;
    case 4 + 8:
        resample_row(r, y, 4, 8);
        break;
    default:
        resample_row(r, y, r->source->channels, 16);
    }
}

static ic_status prepare(resizer *r, const ic_box *box, int32_t filter)
{
    const ic_image *source = r->source, *target = r->target;
    ic_context *context = source->context;
    size_t pixel = (size_t)source->channels * sizeof(float);
    int32_t end = 0;

    IC_TRY(
        taps_create(context, filter, source->width, box->x, box->width, target->width, &r->across));
    IC_TRY(taps_create(context, filter, source->height, box->y, box->height, target->height,
                       &r->down));
    for (int32_t x = 0; x < target->width; x++)
        if (r->across.first[x] + r->across.count[x] > end)
            end = r->across.first[x] + r->across.count[x];
    r->left = r->across.first[0];
    r->columns = end - r->left;
    IC_TRY(ic_allocate_array(context, (size_t)r->columns, pixel, &r->sum));
    if (source->channels == 2 || source->channels == 4)
        IC_TRY(ic_allocate_array(context, (size_t)r->columns, pixel, &r->straight));
    return IC_OK;
}

static void run(const resizer *r)
{
    const taps *t = &r->down;

    for (int32_t y = 0; y < t->length; y++) {
        const float *weights = t->weights + (size_t)y * (size_t)t->most;

        memset(r->sum, 0, (size_t)r->columns * (size_t)r->source->channels * sizeof(float));
        for (int32_t k = 0; k < t->count[y]; k++)
            add_row(r, t->first[y] + k, weights[k]);
        resample(r, y);
    }
}

/* Written so that NaN is refused as well. */
static bool lies_within(const ic_box *box, const ic_image *image)
{
    return box->x >= 0 && box->y >= 0 && box->width > 0 && box->height > 0 &&
           box->x + box->width <= image->width && box->y + box->height <= image->height;
}

ic_status ic_image_resize_box(const ic_image *source, const ic_box *box, int32_t width,
                              int32_t height, int32_t filter, ic_image **out)
{
    resizer r = {.source = source};
    ic_status status;

    if (filter != IC_FILTER_BILINEAR && filter != IC_FILTER_BICUBIC)
        return ic_fail(IC_ERROR_ARGUMENT, "%d is no filter for resizing", filter);
    if (!lies_within(box, source))
        return ic_fail(IC_ERROR_ARGUMENT, "the box to resize lies outside its %d x %d picture",
                       source->width, source->height);
    IC_TRY_CLEAN(ic_image_create(source->context, width, height, source->channels, source->depth,
                                 &r.target));
    IC_TRY_CLEAN(prepare(&r, box, filter));
    run(&r);
    *out = ic_image_retain(r.target);

cleanup:
    ic_image_free(r.target);
    taps_free(source->context, &r.across);
    taps_free(source->context, &r.down);
    ic_free(source->context, r.sum);
    ic_free(source->context, r.straight);
    return status;
}

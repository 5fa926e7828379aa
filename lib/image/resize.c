/*
 * image/resize.c: separable resampling. Output sample i of a side looks at the source around (i +
 * 1/2) s, where s is source length / output length, through a filter that is max(s, 1) times as
 * wide as its definition, so that shrinking averages all it leaves out (as Pillow does; Turkowski,
 * "Filters for Common Resampling Tasks", 1990).
 *
 * Two orders of the same sums. Rows first: rows are added straight from the source into one row of
 * floats, which is then resampled across; fast, as most of the work vectorises. Across first: for
 * the bicubic filter, whose overshoots are cut off between the passes, so that the order shows
 * (goes_across_first). SPDX-License-Identifier: MIT
 */
#include "base/status.h"
#include "image/image.h"
#include "kernels/kernels.h"
#include "kernels/picture.h"

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

/* The weights of one output sample, normalised; returns how many are not zero at the end. */
static int32_t weigh(int32_t filter, double centre, double scale, int32_t first, int32_t count,
                     double *shape, float *weights)
{
    double sum = 0;

    for (int32_t k = 0; k < count; k++) {
        double x = (first + k + 0.5 - centre) / scale;

        shape[k] = filter == IC_FILTER_BICUBIC ? cubic(x) : triangle(x);
        sum += shape[k];
    }
    for (int32_t k = 0; k < count; k++)
        weights[k] = (float)(shape[k] / sum);
    while (count > 1 && weights[count - 1] == 0)
        count--;
    return count;
}

double ic_filter_reach(int32_t filter, double step)
{
    double scale = step > 1 ? step : 1;
    return filter == IC_FILTER_BICUBIC ? 2 * scale : scale;
}

static ic_status taps_create(ic_context *context, int32_t filter, int32_t source, double offset,
                             double extent, int32_t length, ic_picture_taps *out)
{
    double step = extent / length;
    double scale = step > 1 ? step : 1;
    double reach = ic_filter_reach(filter, step);
    double *shape;

    out->length = length;
    out->most = 2 * (int32_t)ceil(reach) + 1;
    IC_TRY(ic_allocate_array(context, (size_t)length, 2 * sizeof(int32_t), &out->first));
    out->count = out->first + length;
    IC_TRY(ic_allocate_array(context, (size_t)length, (size_t)out->most * sizeof(float),
                             &out->weights));
    IC_TRY(ic_allocate_array(context, (size_t)out->most, sizeof *shape, &shape));
    for (int32_t i = 0; i < length; i++) {
        double centre = offset + (i + 0.5) * step;
        double low = floor(centre - reach + 0.5), high = floor(centre + reach + 0.5);
        int32_t first = low > 0 ? (int32_t)low : 0;
        int32_t end = high < source ? (int32_t)high : source;

        out->first[i] = first;
        out->count[i] = weigh(filter, centre, scale, first, end - first, shape,
                              out->weights + (size_t)i * (size_t)out->most);
    }
    ic_free(context, shape);
    return IC_OK;
}

static void taps_free(ic_context *context, ic_picture_taps *t)
{
    ic_free(context, t->first);
    ic_free(context, t->weights);
}

typedef struct resizer {
    const ic_picture_kernels *kernels;
    const ic_image *source;
    ic_image *target;
    size_t channels;
    float most; /* the largest sample */
    /*
     * Where overshoots end between the passes: at most, but nowhere with alpha: colour and alpha
     * must keep their proportion.
     */
    float cut;
    bool alpha;
    ic_picture_taps across, down;
    int32_t left, columns; /* of the source that matter */
    int32_t top, rows;
    /* One float stands behind each of these, as vectors of four go over pixels of three. */
    float *wide;   /* [columns][channels]: a row, or rows weighed and added */
    float *opaque; /* the same size: one row times its alpha; NULL without alpha */
    float *narrow; /* [target width][channels]: the same for what was resampled across */
    /* [rows][target width][channels]: all rows resampled across; NULL: rows first */
    float *middle;
} resizer;

/* sum += weight * row, for the kinds of sample that are rare. */
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
static void multiply_alpha(const resizer *r, const void *row)
{
    const size_t channels = r->channels;
    const int32_t depth = r->source->depth;
    float *out = r->opaque;

    for (int32_t x = 0; x < r->columns; x++, out += channels) {
        size_t at = (size_t)x * channels;
        float alpha = sample_at(row, at + channels - 1, depth);

        for (size_t c = 0; c + 1 < channels; c++)
            out[c] = sample_at(row, at + c, depth) * (alpha / r->most);
        out[channels - 1] = alpha;
    }
}

static inline float clamp(float value, float most)
{
    return value < 0 ? 0 : value > most ? most : value;
}

/* wide = the rows of the source from y on, weighed and added, within 0..cut. */
static void mix_source_rows(const resizer *r, int32_t taps, const float *weights, int32_t y)
{
    const ic_image *image = r->source;
    const unsigned char *rows =
        ic_image_row(image, y) + (size_t)r->left * r->channels * (size_t)(image->depth / 8);
    const size_t count = (size_t)r->columns * r->channels;

    if (image->depth == 8 && !r->alpha) {
        r->kernels->mix_rows_8(taps, weights, rows, image->stride, count, r->cut, r->wide);
        return;
    }
    memset(r->wide, 0, count * sizeof(float));
    for (int32_t k = 0; k < taps; k++, rows += image->stride) {
        if (r->alpha) {
            multiply_alpha(r, rows);
            add_row_float(r->wide, r->opaque, weights[k], count);
        } else {
            add_row_16(r->wide, (const uint16_t *)(const void *)rows, weights[k], count);
        }
    }
    for (size_t i = 0; i < count; i++)
        r->wide[i] = clamp(r->wide[i], r->cut);
}

/* wide to `to`, inlined with a constant number of channels: the sums stay in registers. */
static inline void resample_across(const resizer *r, float *restrict to, const size_t channels)
{
    const ic_picture_taps *t = &r->across;

    for (int32_t x = 0; x < t->length; x++, to += channels) {
        const float *weights = t->weights + (size_t)x * (size_t)t->most;
        const float *from = r->wide + (size_t)(t->first[x] - r->left) * channels;
        float sums[4] = {0};

        for (int32_t k = 0; k < t->count[x]; k++, from += channels)
            for (size_t c = 0; c < channels; c++)
                sums[c] += weights[k] * from[c];
        for (size_t c = 0; c < channels; c++)
            to[c] = clamp(sums[c], r->cut);
    }
}

static void across(const resizer *r, float *to)
{
    switch (r->channels) {
    case 1:
        resample_across(r, to, 1);
        break;
    case 2:
        resample_across(r, to, 2);
        break;
    case 3:
        r->kernels->mix_columns_3(&r->across, r->left, r->wide, r->cut, to);
        break;
    default:
        resample_across(r, to, 4);
    }
}

/* Undoes multiply_alpha for the row in narrow, and cuts off what overshoots. */
static void divide_alpha(const resizer *r)
{
    float *pixel = r->narrow;

    for (int32_t x = 0; x < r->target->width; x++, pixel += r->channels) {
        float alpha = pixel[r->channels - 1];

        for (size_t c = 0; c + 1 < r->channels; c++)
            pixel[c] = alpha > 0 ? clamp(pixel[c] * (r->most / alpha), r->most) : 0;
        pixel[r->channels - 1] = clamp(alpha, r->most);
    }
}

/* narrow to row y of the target. */
static void put_row(const resizer *r, int32_t y)
{
    unsigned char *row = ic_image_row(r->target, y);
    size_t count = (size_t)r->target->width * r->channels;
    const float *restrict from = r->narrow;

    if (r->alpha)
        divide_alpha(r);
    if (r->target->depth == 8) {
        r->kernels->round_8(count, from, row);
    } else {
        uint16_t *samples = (uint16_t *)(void *)row;

        for (size_t i = 0; i < count; i++)
            samples[i] = (uint16_t)(int32_t)(from[i] + 0.5f);
    }
}

static void run_rows_first(const resizer *r)
{
    const ic_picture_taps *t = &r->down;

    for (int32_t y = 0; y < t->length; y++) {
        mix_source_rows(r, t->count[y], t->weights + (size_t)y * (size_t)t->most, t->first[y]);
        across(r, r->narrow);
        put_row(r, y);
    }
}

static void run_across_first(const resizer *r)
{
    static const float whole = 1;
    const ic_picture_taps *t = &r->down;
    size_t count = (size_t)r->target->width * r->channels;

    for (int32_t y = 0; y < r->rows; y++) {
        mix_source_rows(r, 1, &whole, r->top + y);
        across(r, r->middle + (size_t)y * count);
    }
    for (int32_t y = 0; y < t->length; y++) {
        r->kernels->mix_rows_float(t->count[y], t->weights + (size_t)y * (size_t)t->most,
                                   r->middle + (size_t)(t->first[y] - r->top) * count, count, count,
                                   r->cut, r->narrow);
        put_row(r, y);
    }
}

/* The source samples that taps reach: the first, and how many. */
static void find_reach(const ic_picture_taps *t, int32_t *first, int32_t *count)
{
    int32_t end = 0;

    for (int32_t i = 0; i < t->length; i++)
        if (t->first[i] + t->count[i] > end)
            end = t->first[i] + t->count[i];
    *first = t->first[0];
    *count = end - *first;
}

/* Pillow's order: across first, but for pictures that become wider and lower at once. */
static bool goes_across_first(int32_t filter, const ic_box *box, const ic_image *target)
{
    return filter == IC_FILTER_BICUBIC &&
           !(target->width > box->width && target->height < box->height);
}

static ic_status prepare(resizer *r, const ic_box *box, int32_t filter)
{
    const ic_image *source = r->source, *target = r->target;
    ic_context *context = source->context;
    size_t pixel = r->channels * sizeof(float);
    size_t row = (size_t)target->width * pixel, more = sizeof(float);

    IC_TRY(
        taps_create(context, filter, source->width, box->x, box->width, target->width, &r->across));
    IC_TRY(taps_create(context, filter, source->height, box->y, box->height, target->height,
                       &r->down));
    find_reach(&r->across, &r->left, &r->columns);
    find_reach(&r->down, &r->top, &r->rows);
    IC_TRY(ic_allocate(context, (size_t)r->columns * pixel + more, &r->wide));
    IC_TRY(ic_allocate(context, row + more, &r->narrow));
    if (r->alpha)
        IC_TRY(ic_allocate_array(context, (size_t)r->columns, pixel, &r->opaque));
    if (goes_across_first(filter, box, target))
        IC_TRY(ic_allocate_array(context, (size_t)r->rows, row + more, &r->middle));
    return IC_OK;
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
    resizer r = {.kernels = ic_kernels_at(source->context->cpu_level)->picture,
                 .source = source,
                 .channels = (size_t)source->channels,
                 .most = source->depth == 8 ? 255 : 65535,
                 .alpha = source->channels == 2 || source->channels == 4};
    ic_status status;

    r.cut = r.alpha ? INFINITY : r.most;
    if (filter != IC_FILTER_BILINEAR && filter != IC_FILTER_BICUBIC)
        return ic_fail(IC_ERROR_ARGUMENT, "%d is no filter for resizing", filter);
    if (!lies_within(box, source))
        return ic_fail(IC_ERROR_ARGUMENT, "the box to resize lies outside its %d x %d picture",
                       source->width, source->height);
    IC_TRY_CLEAN(ic_image_create(source->context, width, height, source->channels, source->depth,
                                 &r.target));
    IC_TRY_CLEAN(prepare(&r, box, filter));
    if (r.middle)
        run_across_first(&r);
    else
        run_rows_first(&r);
    *out = ic_image_retain(r.target);

cleanup:
    ic_image_free(r.target);
    taps_free(source->context, &r.across);
    taps_free(source->context, &r.down);
    ic_free(source->context, r.wide);
    ic_free(source->context, r.opaque);
    ic_free(source->context, r.narrow);
    ic_free(source->context, r.middle);
    return status;
}

/* preprocess/sample.c: pixels of a canvas through an affine map. SPDX-License-Identifier: MIT */
#include "preprocess/sample.h"

#include "preprocess/pipeline.h"
#include "preprocess/reflect.h"

#include <math.h>

/* Samples a pixel along each side at most, when shrinking. */
enum { MOST_SAMPLES = 4 };

/* The two neighbours of a place and the weight of the second. */
typedef struct between {
    int32_t first, second;
    float weight;
} between;

static between place_between(double at, int32_t n)
{
    double whole = floor(at);
    return (between){ic_reflect((int64_t)whole, n), ic_reflect((int64_t)whole + 1, n),
                     (float)(at - whole)};
}

/* What of the canvas one pass over the target reads: columns in samples, rows in rows. */
typedef struct grid_columns {
    int32_t first[IC_PIPELINE_SIDE_MAX], second[IC_PIPELINE_SIDE_MAX];
    float weight[IC_PIPELINE_SIDE_MAX];
    size_t low, high; /* the range of samples that is read */
} grid_columns;

static void find_columns(grid_columns *columns, const ic_image *canvas, double step, double start,
                         int32_t width)
{
    const int32_t channels = canvas->channels;
    int32_t low = INT32_MAX, high = 0;
    for (int32_t x = 0; x < width; x++) {
        between place = place_between(step * x + start, canvas->width);
        columns->first[x] = place.first * channels;
        columns->second[x] = place.second * channels;
        columns->weight[x] = place.weight;
        int32_t least = place.first < place.second ? place.first : place.second;
        int32_t most = place.first > place.second ? place.first : place.second;
        low = least < low ? least : low;
        high = most > high ? most : high;
    }
    columns->low = (size_t)low * (size_t)channels;
    columns->high = (size_t)(high + 1) * (size_t)channels;
}

/* out = a + weight (b - a), and exactly a where the weight is 0. */
static void mix_rows_8(const uint8_t *restrict a, const uint8_t *restrict b, float weight,
                       size_t low, size_t high, float *restrict out)
{
    for (size_t i = low; i < high; i++)
        out[i] = (float)a[i] + ((float)b[i] - (float)a[i]) * weight;
}

static void mix_rows_16(const uint16_t *restrict a, const uint16_t *restrict b, float weight,
                        size_t low, size_t high, float *restrict out)
{
    for (size_t i = low; i < high; i++)
        out[i] = (float)a[i] + ((float)b[i] - (float)a[i]) * weight;
}

static void mix_columns(const grid_columns *restrict columns, const float *restrict row,
                        int32_t width, const int32_t channels, float share, bool add,
                        float *restrict out)
{
    for (int32_t x = 0; x < width; x++) {
        const float *a = row + columns->first[x], *b = row + columns->second[x];
        const float weight = columns->weight[x];
        for (int32_t c = 0; c < channels; c++) {
            float value = (a[c] + (b[c] - a[c]) * weight) * share;
            out[x * channels + c] = add ? out[x * channels + c] + value : value;
        }
    }
}

/* One pass of a map without rotation: rows are mixed first, then columns. */
static void sample_grid(const ic_image *canvas, const ic_affine *map, int32_t width, int32_t height,
                        float share, bool add, float *target)
{
    grid_columns columns;
    float row[IC_PIPELINE_SIDE_MAX * 3];
    find_columns(&columns, canvas, map->ux, map->u0, width);
    for (int32_t y = 0; y < height; y++, target += (size_t)width * (size_t)canvas->channels) {
        between place = place_between(map->vy * y + map->v0, canvas->height);
        const void *a = ic_image_row(canvas, place.first);
        const void *b = ic_image_row(canvas, place.second);
        if (canvas->depth == 8)
            mix_rows_8(a, b, place.weight, columns.low, columns.high, row);
        else
            mix_rows_16(a, b, place.weight, columns.low, columns.high, row);
        if (canvas->channels == 3)
            mix_columns(&columns, row, width, 3, share, add, target);
        else
            mix_columns(&columns, row, width, 1, share, add, target);
    }
}

/*
 * Places in a turned row are counted in units of 2^-32 pixels: whole part and weight by shifts,
 * which keep the sign with every compiler that there is.
 */
static int64_t fixed_point(double value)
{
    return (int64_t)floor(value * 4294967296.0 + 0.5);
}

static inline int32_t whole_part(int64_t place)
{
    return (int32_t)(place >> 32);
}

static inline float weight_part(int64_t place)
{
    return (float)(int32_t)((place >> 8) & 0xFFFFFF) * (1.0f / 16777216);
}

/*
 * The samples of the four pixels around a place, mixed. `lanes` samples are made of each pixel: 4
 * where the memory behind it may be read, as that is one vector. Inlined with constants.
 */
static inline void mix_four(const void *const corners[4], float across, float down,
                            const int32_t lanes, const int32_t depth, float *value)
{
    for (int32_t c = 0; c < lanes; c++) {
        float corner[4];
        for (int32_t i = 0; i < 4; i++)
            corner[i] = depth == 8 ? (float)((const uint8_t *)corners[i])[c]
                                   : (float)((const uint16_t *)corners[i])[c];
        float upper = corner[0] + (corner[1] - corner[0]) * across;
        float lower = corner[2] + (corner[3] - corner[2]) * across;
        value[c] = upper + (lower - upper) * down;
    }
}

/* One row of a map with rotation. Inlined with constants. */
static inline void sample_turned_row(const ic_image *canvas, const ic_affine *map, int32_t y,
                                     int32_t width, float share, bool add, float *target,
                                     const int32_t channels, const int32_t depth)
{
    const size_t pixel = (size_t)(channels * depth / 8);
    const int64_t u_step = fixed_point(map->ux), v_step = fixed_point(map->vx);
    int64_t u = fixed_point(map->uy * y + map->u0), v = fixed_point(map->vy * y + map->v0);
    for (int32_t x = 0; x < width; x++, u += u_step, v += v_step, target += channels) {
        const int32_t left = whole_part(u), top = whole_part(v);
        const float across = weight_part(u), down = weight_part(v);
        float value[4];
        if (left >= 0 && left + 2 < canvas->width && top >= 0 && top + 1 < canvas->height) {
            const unsigned char *first = ic_image_row(canvas, top) + (size_t)left * pixel;
            const void *const corners[4] = {first, first + pixel, first + canvas->stride,
                                            first + canvas->stride + pixel};
            mix_four(corners, across, down, channels == 3 ? 4 : 1, depth, value);
        } else {
            const size_t columns[2] = {(size_t)ic_reflect(left, canvas->width) * pixel,
                                       (size_t)ic_reflect(left + 1, canvas->width) * pixel};
            const unsigned char *upper = ic_image_row(canvas, ic_reflect(top, canvas->height));
            const unsigned char *lower = ic_image_row(canvas, ic_reflect(top + 1, canvas->height));
            const void *const corners[4] = {upper + columns[0], upper + columns[1],
                                            lower + columns[0], lower + columns[1]};
            mix_four(corners, across, down, channels, depth, value);
        }
        for (int32_t c = 0; c < channels; c++)
            target[c] = add ? target[c] + value[c] * share : value[c] * share;
    }
}

static void sample_turned(const ic_image *canvas, const ic_affine *map, int32_t width,
                          int32_t height, float share, bool add, float *target)
{
    const int32_t channels = canvas->channels;
    for (int32_t y = 0; y < height; y++, target += (size_t)width * (size_t)channels) {
        if (canvas->depth == 8 && channels == 3)
            sample_turned_row(canvas, map, y, width, share, add, target, 3, 8);
        else if (canvas->depth == 8)
            sample_turned_row(canvas, map, y, width, share, add, target, 1, 8);
        else if (channels == 3)
            sample_turned_row(canvas, map, y, width, share, add, target, 3, 16);
        else
            sample_turned_row(canvas, map, y, width, share, add, target, 1, 16);
    }
}

/* Samples a pixel along a side whose step on the canvas is (du, dv). */
static int32_t samples_for(double du, double dv)
{
    double step = sqrt(du * du + dv * dv);
    if (step <= 1.5)
        return 1;
    return step >= MOST_SAMPLES ? MOST_SAMPLES : (int32_t)ceil(step);
}

void ic_sample_affine(const ic_image *canvas, const ic_affine *map, int32_t width, int32_t height,
                      float *target)
{
    const int32_t across = samples_for(map->ux, map->vx), down = samples_for(map->uy, map->vy);
    const float share = (float)(1.0 / (across * down));
    const bool turned = map->uy != 0 || map->vx != 0;
    for (int32_t i = 0; i < across * down; i++) {
        double dx = (i % across + 0.5) / across - 0.5, dy = (i / across + 0.5) / down - 0.5;
        ic_affine moved = *map;
        moved.u0 += map->ux * dx + map->uy * dy;
        moved.v0 += map->vx * dx + map->vy * dy;
        if (turned)
            sample_turned(canvas, &moved, width, height, share, i > 0, target);
        else
            sample_grid(canvas, &moved, width, height, share, i > 0, target);
    }
}

/* preprocess/sample.c: pixels of a canvas through an affine map. SPDX-License-Identifier: MIT */
#include "preprocess/sample.h"

#include "preprocess/pipeline.h"
#include "preprocess/reflect.h"

#include <math.h>
#include <string.h>

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
 * Pixels of a turned row that are worked on together: what is fetched from here and there lies side
 * by side then, and vectors do the rest. A pixel of three channels takes four places, because four
 * are fetched as quickly.
 */
enum { RUN = 64, PLACES = 4, FETCH = 8 /* bytes */ };

typedef struct turned_run {
    size_t corners[4][RUN]; /* where the four pixels around a place begin, in bytes */
    float across[RUN * PLACES], down[RUN * PLACES];
    uint16_t samples[4][RUN * PLACES + FETCH]; /* or uint8_t, as the canvas */
    float mixed[RUN * PLACES];
} turned_run;

static void find_corners(turned_run *run, const ic_image *canvas, const int64_t from[2],
                         const int64_t step[2], int32_t count, int32_t places)
{
    const size_t pixel = (size_t)(canvas->channels * canvas->depth / 8);
    int64_t u = from[0], v = from[1];
    for (int32_t x = 0; x < count; x++, u += step[0], v += step[1]) {
        const int32_t column = whole_part(u), row = whole_part(v);
        const float across = weight_part(u), down = weight_part(v);
        const size_t left = (size_t)ic_reflect(column, canvas->width) * pixel;
        const size_t right = (size_t)ic_reflect((int64_t)column + 1, canvas->width) * pixel;
        const size_t above = (size_t)ic_reflect(row, canvas->height) * canvas->stride;
        const size_t below = (size_t)ic_reflect((int64_t)row + 1, canvas->height) * canvas->stride;
        run->corners[0][x] = above + left;
        run->corners[1][x] = above + right;
        run->corners[2][x] = below + left;
        run->corners[3][x] = below + right;
        for (int32_t i = x * places; i < (x + 1) * places; i++) {
            run->across[i] = across;
            run->down[i] = down;
        }
    }
}

/* Always FETCH bytes a pixel, of which the next one overwrites what is too many. */
static void fetch_corners(turned_run *run, const ic_image *canvas, int32_t count, int32_t places)
{
    const size_t kept = (size_t)(places * canvas->depth / 8);
    const size_t pixel = (size_t)(canvas->channels * canvas->depth / 8);
    const size_t end =
        canvas->stride * (size_t)(canvas->height - 1) + pixel * (size_t)canvas->width;
    for (int32_t i = 0; i < 4; i++) {
        unsigned char *to = (unsigned char *)run->samples[i];
        for (int32_t x = 0; x < count; x++, to += kept) {
            const size_t at = run->corners[i][x];
            if (at + FETCH <= end)
                memcpy(to, canvas->pixels + at, FETCH);
            else
                memcpy(to, canvas->pixels + at, pixel);
        }
    }
}

/* The same loop for each kind of sample. */
#define MIX_CORNERS(type)                                                                          \
    do {                                                                                           \
        const type *a = (const type *)run->samples[0], *b = (const type *)run->samples[1];         \
        const type *c = (const type *)run->samples[2], *d = (const type *)run->samples[3];         \
        for (int32_t i = 0; i < count; i++) {                                                      \
            float upper = (float)a[i] + ((float)b[i] - (float)a[i]) * run->across[i];              \
            float lower = (float)c[i] + ((float)d[i] - (float)c[i]) * run->across[i];              \
            run->mixed[i] = upper + (lower - upper) * run->down[i];                                \
        }                                                                                          \
    } while (0)

static void mix_corners(turned_run *restrict run, int32_t depth, int32_t count)
{
    if (depth == 8)
        MIX_CORNERS(uint8_t);
    else
        MIX_CORNERS(uint16_t);
}

/* One pass of any map. */
static void sample_turned(const ic_image *canvas, const ic_affine *map, int32_t width,
                          int32_t height, float share, bool add, float *target)
{
    const int32_t channels = canvas->channels, places = channels == 3 ? PLACES : 1;
    const int64_t step[2] = {fixed_point(map->ux), fixed_point(map->vx)};
    turned_run run;
    for (int32_t at = 0, count; at < width * height; at += count, target += count * channels) {
        const int32_t y = at / width, x = at % width;
        const int64_t from[2] = {fixed_point(map->uy * y + map->u0) + step[0] * x,
                                 fixed_point(map->vy * y + map->v0) + step[1] * x};
        count = width - x < RUN ? width - x : RUN;
        find_corners(&run, canvas, from, step, count, places);
        fetch_corners(&run, canvas, count, places);
        mix_corners(&run, canvas->depth, count * places);
        for (int32_t i = 0; i < count; i++)
            for (int32_t c = 0; c < channels; c++) {
                float value = run.mixed[i * places + c] * share, *to = target + i * channels + c;
                *to = add ? *to + value : value;
            }
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

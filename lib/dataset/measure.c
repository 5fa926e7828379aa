/*
 * dataset/measure.c: mean and deviation of the training pictures. Sums of a picture are whole
 * numbers, so they are exact; pictures are added up in their order. SPDX-License-Identifier: MIT
 */
#include "base/pool.h"
#include "base/status.h"
#include "dataset/cache.h"

#include <math.h>

/* Pictures between two looks at the host's wish to cancel. */
enum { CHUNK = 64 };

/* Of one picture, by channel, in 16-bit units. */
typedef struct picture_sums {
    uint64_t pixels, sum[3], squares[3];
} picture_sums;

typedef struct measure_work {
    const ic_dataset *dataset;
    const ic_pipeline *pipeline;
    ic_cache_table *table;
    int64_t first, most;
    picture_sums sums[CHUNK];
} measure_work;

static void add_up(const ic_image *canvas, picture_sums *out)
{
    *out = (picture_sums){.pixels = (uint64_t)canvas->width * (uint64_t)canvas->height};
    const uint64_t unit = canvas->depth == 8 ? 257 : 1; /* 255 * 257 = 65535 */
    for (int32_t y = 0; y < canvas->height; y++) {
        const void *row = ic_image_row(canvas, y);
        for (int32_t x = 0; x < canvas->width; x++)
            for (int32_t c = 0; c < canvas->channels; c++) {
                int32_t at = x * canvas->channels + c;
                uint64_t sample =
                    canvas->depth == 8 ? ((const uint8_t *)row)[at] : ((const uint16_t *)row)[at];
                out->sum[c] += sample * unit;
                out->squares[c] += sample * sample * unit * unit;
            }
    }
}

static ic_status measure_unit(void *arguments, int64_t unit, int32_t worker)
{
    (void)worker;
    measure_work *work = arguments;
    int64_t index = (work->first + unit) * ic_dataset_count(work->dataset) / work->most;
    ic_canvas canvas;
    IC_TRY(ic_canvas_take(work->dataset, index, work->pipeline, work->table, &canvas));
    add_up(ic_canvas_image(&canvas), &work->sums[unit]);
    ic_canvas_release(&canvas);
    return IC_OK;
}

typedef struct totals {
    double pixels, sum[3], squares[3];
} totals;

static ic_status measure_all(ic_context *context, measure_work *work, totals *out)
{
    ic_pool *pool;
    double started = ic_clock_seconds(), last = started;
    IC_TRY(ic_context_pool(context, &pool));
    for (; work->first < work->most; work->first += CHUNK) {
        int64_t count = work->most - work->first < CHUNK ? work->most - work->first : CHUNK;
        IC_TRY(ic_pool_run(pool, count, measure_unit, work));
        for (int64_t i = 0; i < count; i++) {
            out->pixels += (double)work->sums[i].pixels;
            for (int32_t c = 0; c < 3; c++) {
                out->sum[c] += (double)work->sums[i].sum[c];
                out->squares[c] += (double)work->sums[i].squares[c];
            }
        }
        IC_TRY(
            ic_progress_step(context, "prepare", work->first + count, work->most, started, &last));
    }
    return IC_OK;
}

ic_status ic_loader_measure(ic_context *context, const ic_dataset *dataset, int64_t most,
                            ic_cache *cache, ic_pipeline *pipeline)
{
    int64_t count = ic_dataset_count(dataset);
    if (count == 0 || most < 1)
        return ic_fail(IC_ERROR_DATA, "mean and deviation of no pictures cannot be measured");
    measure_work work = {
        .dataset = dataset, .pipeline = pipeline, .most = most < count ? most : count};
    totals all = {0};
    if (cache != NULL)
        IC_TRY(ic_cache_attach(cache, dataset, pipeline, &work.table));
    IC_TRY(measure_all(context, &work, &all));
    ic_cache_tell(cache);
    for (int32_t c = 0; c < pipeline->channels; c++) {
        double mean = all.sum[c] / all.pixels;
        double variance = all.squares[c] / all.pixels - mean * mean;
        double deviation = variance > 0 ? sqrt(variance) / 65535 : 0;
        pipeline->mean[c] = (float)(mean / 65535);
        pipeline->deviation[c] = (float)(deviation > 1.0 / 255 ? deviation : 1.0 / 255);
    }
    return IC_OK;
}

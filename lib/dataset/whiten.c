/*
 * dataset/whiten.c: filters that make the patches of training pictures white: of mean square 1 in
 * every direction, as far as that does not blow up noise. SPDX-License-Identifier: MIT
 */
#include "base/memory.h"
#include "base/pool.h"
#include "base/status.h"
#include "dataset/cache.h"

#include <math.h>
#include <string.h>

/* The longest patch; pictures between two looks at the host's wish to cancel; what is added to the
 * variance in each direction (arXiv:2404.00498). */
enum { PATCH = IC_WHITEN_PATCH_MAX, CHUNK = 64 };
static const double least_variance = 5e-4;

typedef struct products {
    double patches;
    double sum[PATCH * PATCH]; /* of x y over patches; row by row, [patch][patch] of it in use */
} products;

typedef struct whiten_work {
    const ic_dataset *dataset;
    const ic_pipeline *pipeline;
    int32_t size, patch;
    int64_t first, most;
    products *products; /* [CHUNK] */
} whiten_work;

/* One patch in the order of a filter's taps: channel, row, column. */
static void take_patch(const whiten_work *work, const float *tensor, int32_t y, int32_t x,
                       float *patch)
{
    const int32_t width = work->pipeline->width, channels = work->pipeline->channels;
    for (int32_t c = 0; c < channels; c++)
        for (int32_t dy = 0; dy < work->size; dy++)
            for (int32_t dx = 0; dx < work->size; dx++)
                *patch++ = tensor[((y + dy) * width + x + dx) * channels + c];
}

static void add_products(const whiten_work *work, const float *tensor, products *out)
{
    const int32_t n = work->patch, size = work->size;
    float patch[PATCH];
    *out = (products){0};
    for (int32_t y = 0; y + size <= work->pipeline->height; y++)
        for (int32_t x = 0; x + size <= work->pipeline->width; x++) {
            take_patch(work, tensor, y, x, patch);
            for (int32_t i = 0; i < n; i++)
                for (int32_t j = 0; j <= i; j++)
                    out->sum[i * n + j] += (double)patch[i] * patch[j];
            out->patches++;
        }
}

static ic_status whiten_unit(void *arguments, int64_t unit, int32_t worker)
{
    whiten_work *work = arguments;
    const ic_pipeline *pipeline = work->pipeline;
    ic_context *context = ic_dataset_context(work->dataset);
    int64_t index = (work->first + unit) * ic_dataset_count(work->dataset) / work->most;
    size_t floats = ic_pipeline_floats(pipeline);
    ic_image *canvas = NULL;
    float *tensor = NULL;
    ic_status status;
    (void)worker;
    IC_TRY_CLEAN(ic_dataset_canvas(work->dataset, index, pipeline, &canvas));
    IC_TRY_CLEAN(ic_allocate_array(context, floats, sizeof *tensor, &tensor));
    ic_pipeline_tensor(pipeline, canvas, tensor);
    add_products(work, tensor, &work->products[unit]);
cleanup:
    ic_free(context, tensor);
    ic_image_free(canvas);
    return status;
}

static ic_status sum_up(ic_context *context, whiten_work *work, products *out)
{
    ic_pool *pool;
    double started = ic_clock_seconds(), last = started;
    IC_TRY(ic_context_pool(context, &pool));
    for (; work->first < work->most; work->first += CHUNK) {
        int64_t count = work->most - work->first < CHUNK ? work->most - work->first : CHUNK;
        IC_TRY(ic_pool_run(pool, count, whiten_unit, work));
        for (int64_t i = 0; i < count; i++) {
            out->patches += work->products[i].patches;
            for (int32_t at = 0; at < work->patch * work->patch; at++)
                out->sum[at] += work->products[i].sum[at];
        }
        IC_TRY(
            ic_progress_step(context, "prepare", work->first + count, work->most, started, &last));
    }
    return IC_OK;
}

/* Turns rows and columns p and q of a symmetric matrix so that a[p][q] becomes 0; the rows of v
 * take part. */
static void rotate(double *a, double *v, int32_t n, int32_t p, int32_t q)
{
    double theta = (a[q * n + q] - a[p * n + p]) / (2 * a[p * n + q]);
    double t = (theta >= 0 ? 1 : -1) / (fabs(theta) + sqrt(theta * theta + 1));
    double c = 1 / sqrt(t * t + 1), s = t * c;
    for (int32_t i = 0; i < n; i++) {
        double x = a[i * n + p], y = a[i * n + q];
        a[i * n + p] = c * x - s * y;
        a[i * n + q] = s * x + c * y;
    }
    for (int32_t i = 0; i < n; i++) {
        double x = a[p * n + i], y = a[q * n + i];
        a[p * n + i] = c * x - s * y;
        a[q * n + i] = s * x + c * y;
        x = v[p * n + i], y = v[q * n + i];
        v[p * n + i] = c * x - s * y;
        v[q * n + i] = s * x + c * y;
    }
}

/* Jacobi's method: the diagonal of a becomes its eigenvalues, the rows of v their vectors. */
static void find_eigenvectors(double *a, double *v, int32_t n)
{
    enum { SWEEPS = 30 };
    for (int32_t i = 0; i < n * n; i++)
        v[i] = i % (n + 1) == 0;
    for (int32_t sweep = 0; sweep < SWEEPS; sweep++)
        for (int32_t p = 0; p < n; p++)
            for (int32_t q = p + 1; q < n; q++)
                if (a[p * n + q] * a[p * n + q] > 1e-30 * fabs(a[p * n + p] * a[q * n + q]))
                    rotate(a, v, n, p, q);
}

/* Filters by falling variance, then the same with the other sign. */
static void set_filters(const double *a, const double *v, int32_t n, float *filters)
{
    bool taken[PATCH] = {false};
    for (int32_t rank = 0; rank < n; rank++) {
        int32_t best = -1;
        for (int32_t i = 0; i < n; i++)
            if (!taken[i] && (best < 0 || a[i * n + i] > a[best * n + best]))
                best = i;
        taken[best] = true;
        double variance = a[best * n + best] > 0 ? a[best * n + best] : 0;
        double scale = 1 / sqrt(variance + least_variance);
        for (int32_t i = 0; i < n; i++) {
            filters[rank * n + i] = (float)(v[best * n + i] * scale);
            filters[(n + rank) * n + i] = -filters[rank * n + i];
        }
    }
}

ic_status ic_loader_whiten(ic_context *context, const ic_dataset *dataset, int64_t most,
                           const ic_pipeline *pipeline, int32_t size, float *filters)
{
    int64_t count = ic_dataset_count(dataset);
    int32_t n = size * size * pipeline->channels;
    whiten_work work = {.dataset = dataset,
                        .pipeline = pipeline,
                        .size = size,
                        .patch = n,
                        .most = most < count ? most : count};
    products all = {0};
    double vectors[PATCH * PATCH];
    IC_TRY(ic_allocate_array(context, CHUNK, sizeof *work.products, &work.products));
    ic_status status = sum_up(context, &work, &all);
    ic_free(context, work.products);
    IC_TRY(status);
    for (int32_t i = 0; i < n; i++)
        for (int32_t j = 0; j <= i; j++)
            all.sum[i * n + j] = all.sum[j * n + i] = all.sum[i * n + j] / all.patches;
    find_eigenvectors(all.sum, vectors, n);
    set_filters(all.sum, vectors, n, filters);
    return IC_OK;
}

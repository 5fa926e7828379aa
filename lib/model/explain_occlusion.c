/*
 * model/explain_occlusion.c: what the odds of a class lose when a part of the picture is hidden
 * (after Zeiler, Fergus 2013, arXiv:1311.2901). SPDX-License-Identifier: MIT
 *
 * Over the picture lies a grid of points, the corners and the centres of its cells, those on the
 * borders included. Around each a square of twice a cell's side is blurred; the loss of
 * ln(p / (1 - p)) is the value of the point. The heat is bilinear between the corners, and between
 * the centres, and the sum of both: one alone is at the mercy of what a square's edge just happens
 * to cut.
 */
#include "base/maths.h"
#include "base/status.h"
#include "model/explain.h"

#include <math.h>
#include <string.h>

enum {
    CELLS = IC_OCCLUSION_CELLS,
    SIDE = CELLS + 1,
    CORNERS = SIDE * SIDE,
    POINTS = IC_OCCLUSION_POINTS
};
enum { BATCH = 16 };

typedef struct occlusion {
    const ic_explaining *e;
    ic_pool *pool;
    ic_executor *executor; /* of BATCH pictures */
    float *blurred;        /* the tensor */
    int32_t first;         /* the point of the first picture of the batch */
} occlusion;

/* ---- What is shown in place of the picture ---- */

/* The mean of a cell, channel k. An input of few pixels has cells that share some. */
static float mean_of(const ic_explaining *e, int32_t row, int32_t column, size_t k)
{
    const int32_t h = e->shape.h, w = e->shape.w;
    const int32_t top = row * h / CELLS, bottom = ((row + 1) * h + CELLS - 1) / CELLS;
    const int32_t left = column * w / CELLS, right = ((column + 1) * w + CELLS - 1) / CELLS;
    double sum = 0;
    for (int32_t y = top; y < bottom; y++)
        for (int32_t x = left; x < right; x++)
            sum += e->tensor[((size_t)y * (size_t)w + (size_t)x) * (size_t)e->shape.c + k];
    return (float)(sum / ((double)(bottom - top) * (right - left)));
}

/* The means of the cells, and smooth passages between them. */
static void blur(const ic_explaining *e, float *blurred)
{
    const int32_t h = e->shape.h, w = e->shape.w;
    const size_t c = (size_t)e->shape.c;
    for (size_t k = 0; k < c; k++) {
        float means[CELLS * CELLS];
        const ic_heat cells = {means, CELLS, CELLS};
        for (int32_t i = 0; i < CELLS * CELLS; i++)
            means[i] = mean_of(e, i / CELLS, i % CELLS, k);
        for (int32_t y = 0; y < h; y++)
            for (int32_t x = 0; x < w; x++)
                blurred[((size_t)y * (size_t)w + (size_t)x) * c + k] =
                    ic_heat_at(&cells, (x + 0.5) * CELLS / w, (y + 0.5) * CELLS / h);
    }
}

/* ---- Hiding ---- */

/* Row or column of a point, in half cells. */
static int32_t half_cells(int32_t point, bool row)
{
    const bool corner = point < CORNERS;
    const int32_t side = corner ? SIDE : CELLS, index = corner ? point : point - CORNERS;
    return 2 * (row ? index / side : index % side) + !corner;
}

/* A place in half cells as pixels of a side. */
static int32_t pixel_at(int32_t at, int32_t side)
{
    return (at < 0 ? 0 : at > 2 * CELLS ? 2 * CELLS : at) * side / (2 * CELLS);
}

/* Picture `unit` of the batch: the tensor with the square around a point blurred. */
static ic_status hide(void *arguments, int64_t unit, int32_t worker)
{
    const occlusion *o = arguments;
    const ic_shape shape = o->e->shape;
    const int32_t point = o->first + (int32_t)unit;
    const int32_t row = half_cells(point, true), column = half_cells(point, false);
    const int32_t left = pixel_at(column - 2, shape.w), right = pixel_at(column + 2, shape.w);
    const size_t pixel = (size_t)shape.c, line = (size_t)shape.w * pixel;
    float *out = ic_executor_input(o->executor) + (size_t)unit * ic_shape_floats(o->e->shape);
    (void)worker;
    memcpy(out, o->e->tensor, ic_shape_floats(o->e->shape) * sizeof *out);
    for (int32_t y = pixel_at(row - 2, shape.h); y < pixel_at(row + 2, shape.h); y++) {
        const size_t at = (size_t)y * line + (size_t)left * pixel;
        memcpy(out + at, o->blurred + at, (size_t)(right - left) * pixel * sizeof *out);
    }
    return IC_OK;
}

/* ln(p / (1 - p)) of the class. */
static double log_odds(const ic_explaining *e, const float *logits)
{
    const int32_t classes = ic_graph_classes(e->graph);
    double most = -INFINITY, sum = 0;
    for (int32_t i = 0; i < classes; i++)
        most = i != e->class_index && logits[i] > most ? logits[i] : most;
    for (int32_t i = 0; i < classes; i++)
        sum += i != e->class_index ? ic_exp(logits[i] - most) : 0;
    return logits[e->class_index] - most - ic_ln(sum);
}

/* The value of each point. */
static ic_status measure(occlusion *o, float *losses)
{
    const ic_explaining *e = o->e;
    const int32_t classes = ic_graph_classes(e->graph);
    const double whole = log_odds(e, ic_executor_logits(e->executor));
    double started = ic_clock_seconds(), last = started;
    for (o->first = 0; o->first < POINTS; o->first += BATCH) {
        const int32_t count = POINTS - o->first < BATCH ? POINTS - o->first : BATCH;
        IC_TRY(ic_pool_run(o->pool, count, hide, o));
        IC_TRY(ic_executor_infer(o->executor, e->weights, count));
        const float *logits = ic_executor_logits(o->executor);
        IC_TRY(ic_model_check_logits(logits, count, classes));
        for (int32_t i = 0; i < count; i++, logits += classes)
            losses[o->first + i] = (float)(whole - log_odds(e, logits));
        IC_TRY(ic_progress_step(e->context, "explain", o->first + count, POINTS, started, &last));
    }
    return IC_OK;
}

/* The heat of each pixel from the values of the points. */
static void interpolate(float *losses, ic_shape shape, float *heat)
{
    const ic_heat corners = {losses, SIDE, SIDE}, centres = {losses + CORNERS, CELLS, CELLS};
    for (int32_t i = 0; i < shape.h * shape.w; i++) {
        const double x = (i % shape.w + 0.5) * CELLS / shape.w;
        const double y = (i / shape.w + 0.5) * CELLS / shape.h;
        heat[i] = ic_heat_at(&corners, x + 0.5, y + 0.5) + ic_heat_at(&centres, x, y);
    }
}

ic_status ic_explain_by_occlusion(const ic_explaining *e, float *heat)
{
    occlusion o = {.e = e};
    float losses[POINTS];
    ic_status status;
    IC_TRY_CLEAN(ic_context_pool(e->context, &o.pool));
    IC_TRY_CLEAN(ic_executor_create(e->context, e->graph, BATCH, IC_INFERENCE, &o.executor));
    IC_TRY_CLEAN(
        ic_allocate_array(e->context, ic_shape_floats(e->shape), sizeof *o.blurred, &o.blurred));
    blur(e, o.blurred);
    IC_TRY_CLEAN(measure(&o, losses));
    interpolate(losses, e->shape, heat);
cleanup:
    ic_free(e->context, o.blurred);
    ic_executor_free(o.executor);
    return status;
}

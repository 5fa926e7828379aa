/*
 * model/explain_occlusion.c: what the odds of a class lose when a part of the picture is hidden
 * (after Zeiler, Fergus 2013, arXiv:1311.2901). SPDX-License-Identifier: MIT
 *
 * The picture is cut into a grid. Around each cell a square of twice its side is replaced by a
 * blurred picture, and the loss of ln(p / (1 - p)) is the value of the cell.
 */
#include "base/maths.h"
#include "base/status.h"
#include "model/explain.h"

#include <math.h>
#include <string.h>

enum { BATCH = 16, GRID = 8 };

typedef struct occlusion {
    const ic_explaining *e;
    ic_pool *pool;
    ic_executor *executor; /* of BATCH pictures */
    float *blank;          /* the tensor, blurred */
    int32_t grid, first;   /* cells along a side; the cell of the first picture of the batch */
} occlusion;

/* ---- What is shown in place of the picture ---- */

/* Means of the cells of a grid, and smooth passages between them. */
static ic_status blur(const ic_explaining *e, int32_t grid, float *blank)
{
    const int32_t h = e->shape.h, w = e->shape.w, c = e->shape.c;
    float *means;
    IC_TRY(ic_allocate_array(e->context, (size_t)(grid * grid), sizeof *means, &means));
    for (int32_t k = 0; k < c; k++) {
        for (int32_t i = 0; i < grid * grid; i++) {
            const int32_t top = i / grid * h / grid, left = i % grid * w / grid;
            int32_t bottom = (i / grid + 1) * h / grid, right = (i % grid + 1) * w / grid;
            bottom += bottom == top; /* in pictures smaller than the grid */
            right += right == left;
            double sum = 0;
            for (int32_t y = top; y < bottom; y++)
                for (int32_t x = left; x < right; x++)
                    sum += e->tensor[((size_t)y * (size_t)w + (size_t)x) * (size_t)c + (size_t)k];
            means[i] = (float)(sum / ((double)(bottom - top) * (right - left)));
        }
        const ic_heat heat = {means, grid, grid};
        for (int32_t y = 0; y < h; y++)
            for (int32_t x = 0; x < w; x++)
                blank[((size_t)y * (size_t)w + (size_t)x) * (size_t)c + (size_t)k] =
                    ic_heat_at(&heat, (x + 0.5) * grid / w, (y + 0.5) * grid / h);
    }
    ic_free(e->context, means);
    return IC_OK;
}

/* ---- Hiding ---- */

static int32_t within(int32_t at, int32_t size)
{
    return at < 0 ? 0 : at > size ? size : at;
}

/* The tensor with the surroundings of a cell hidden. */
static ic_status hide(void *arguments, int64_t unit, int32_t worker)
{
    const occlusion *o = arguments;
    const int32_t h = o->e->shape.h, w = o->e->shape.w, twice = 2 * o->grid;
    const int32_t cell = o->first + (int32_t)unit, row = 2 * (cell / o->grid),
                  column = 2 * (cell % o->grid);
    const int32_t top = within((row - 1) * h / twice, h), bottom = within((row + 3) * h / twice, h);
    const int32_t left = within((column - 1) * w / twice, w),
                  right = within((column + 3) * w / twice, w);
    const size_t pixel = (size_t)o->e->shape.c, line = (size_t)w * pixel, size = (size_t)h * line;
    float *out = ic_executor_input(o->executor) + (size_t)unit * size;
    (void)worker;
    memcpy(out, o->e->tensor, size * sizeof *out);
    for (int32_t y = top; y < bottom; y++) {
        const size_t at = (size_t)y * line + (size_t)left * pixel;
        memcpy(out + at, o->blank + at, (size_t)(right - left) * pixel * sizeof *out);
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

/* The loss of each cell of the grid. */
static ic_status measure(occlusion *o, float *losses)
{
    const ic_explaining *e = o->e;
    const int32_t cells = o->grid * o->grid, classes = ic_graph_classes(e->graph);
    const double whole = log_odds(e, ic_executor_logits(e->executor));
    double started = ic_clock_seconds(), last = started;
    for (o->first = 0; o->first < cells; o->first += BATCH) {
        const int32_t count = cells - o->first < BATCH ? cells - o->first : BATCH;
        IC_TRY(ic_pool_run(o->pool, count, hide, o));
        IC_TRY(ic_executor_infer(o->executor, e->weights, count));
        const float *logits = ic_executor_logits(o->executor);
        IC_TRY(ic_model_check_logits(logits, count, classes));
        for (int32_t i = 0; i < count; i++)
            losses[o->first + i] =
                (float)(whole - log_odds(e, logits + (size_t)i * (size_t)classes));
        IC_TRY(ic_progress_step(e->context, "explain", o->first + count, cells, started, &last));
    }
    return IC_OK;
}

ic_status ic_explain_by_occlusion(const ic_explaining *e, float *heat)
{
    occlusion o = {.e = e, .grid = GRID};
    float losses[GRID * GRID];
    ic_status status;
    IC_TRY(ic_context_pool(e->context, &o.pool));
    IC_TRY_CLEAN(ic_executor_create(e->context, e->graph, BATCH, IC_INFERENCE, &o.executor));
    IC_TRY_CLEAN(ic_allocate_array(e->context, (size_t)e->shape.h * (size_t)e->shape.w,
                                   (size_t)e->shape.c * sizeof *o.blank, &o.blank));
    IC_TRY_CLEAN(blur(e, GRID, o.blank));
    IC_TRY_CLEAN(measure(&o, losses));
    ic_heat_enlarge(&(ic_heat){losses, GRID, GRID}, e->shape.w, e->shape.h, heat);
cleanup:
    ic_free(e->context, o.blank);
    ic_executor_free(o.executor);
    return status;
}

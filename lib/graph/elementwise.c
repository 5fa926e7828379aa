/* graph/elementwise.c: steps that work value by value. SPDX-License-Identifier: MIT */
#include "graph/elementwise.h"

#include <string.h>

/* ---- Pieces ---- */

enum { UNIT_FLOATS = 32768 }; /* some 20 us of work, and half an L2 cache with its output */

void ic_step_cut(ic_step *step, int64_t rows, int32_t c)
{
    step->rows = rows;
    step->c = c;
    step->piece = c < UNIT_FLOATS ? UNIT_FLOATS / c : 1;
    if (step->piece > rows)
        step->piece = rows;
}

ic_piece ic_step_piece(const ic_step *step, int64_t unit)
{
    int64_t first = unit * step->piece;
    int64_t left = step->rows - first;
    return (ic_piece){.first = first, .rows = left < step->piece ? left : step->piece};
}

int64_t ic_step_pieces(const ic_step *step)
{
    return (step->rows + step->piece - 1) / step->piece;
}

int64_t ic_piece_units(const ic_run *run, const ic_step *step, int32_t phase)
{
    return ic_step_pieces(step);
}

void ic_step_cut_pictures(ic_step *step, int32_t pictures, int64_t pixels, int32_t c)
{
    int64_t pieces = pixels * c / UNIT_FLOATS;
    pieces = pieces < 1 ? 1 : pieces < pixels ? pieces : pixels;
    step->rows = pixels;
    step->c = c;
    step->count = pictures;
    step->piece = (pixels + pieces - 1) / pieces;
}

ic_picture_piece ic_step_picture_piece(const ic_step *step, int64_t unit)
{
    int64_t pieces = ic_step_pieces(step), picture = unit / pieces;
    ic_piece piece = ic_step_piece(step, unit % pieces);
    return (ic_picture_piece){
        .picture = picture, .first = picture * step->rows + piece.first, .rows = piece.rows};
}

int64_t ic_picture_units(const ic_run *run, const ic_step *step, int32_t phase)
{
    return ic_step_pieces(step) * step->count;
}

enum { CHANNELS = 256 }; /* of a unit that adds pieces */

void ic_sum_pieces(const float *partial, int64_t pieces, int64_t stride, int32_t count,
                   double *totals)
{
    for (int32_t i = 0; i < count; i++)
        totals[i] = 0;
    for (int64_t piece = 0; piece < pieces; piece++, partial += stride)
        for (int32_t i = 0; i < count; i++)
            totals[i] += (double)partial[i];
}

void ic_add_pieces(const float *partial, int64_t pieces, int64_t stride, int64_t count,
                   double divisor, float *sums)
{
    double totals[CHANNELS];
    for (int64_t first = 0; first < count; first += CHANNELS) {
        int32_t some = count - first < CHANNELS ? (int32_t)(count - first) : CHANNELS;
        ic_sum_pieces(partial + first, pieces, stride, some, totals);
        for (int32_t i = 0; i < some; i++)
            sums[first + i] = (float)(totals[i] / divisor);
    }
}

/* ---- Values ---- */

void ic_value_apply(const ic_run *run, ic_value value, ic_piece piece, int32_t c, float *y)
{
    const ic_kernels *kernels = run->program->kernels;
    const float *x = ic_at(run, value.tensor) + piece.first * c;
    int64_t count = piece.rows * c;
    if (value.scale >= 0)
        kernels->affine(piece.rows, c, x, ic_at(run, value.scale), ic_at(run, value.shift),
                        value.activation, y);
    else if (value.activation != IC_ACTIVATION_NONE)
        kernels->activate(value.activation, count, x, y);
    else if (x != y)
        memcpy(y, x, (size_t)count * sizeof *y);
}

static void run_apply(const ic_run *run, const ic_step *step, int32_t phase, int64_t unit,
                      float *scratch)
{
    ic_piece piece = ic_step_piece(step, unit);
    ic_value_apply(run, step->x[0], piece, step->c,
                   ic_at(run, step->writes[0]) + piece.first * step->c);
}

const ic_step_kind ic_step_apply = {"apply", ic_piece_units, run_apply};

/* ---- Sums of two values ---- */

enum { CHUNK_FLOATS = 2048 };

size_t ic_step_add_scratch(int32_t c)
{
    return (size_t)(c > CHUNK_FLOATS ? c : CHUNK_FLOATS) * sizeof(float);
}

/* A few rows at a time, so that the passes of a sum that is not plain stay in the L1 cache. */
static void add_rows(const ic_run *run, const ic_step *step, ic_piece piece, float *scratch)
{
    const ic_kernels *kernels = run->program->kernels;
    int64_t start = piece.first * step->c, count = piece.rows * step->c;
    float *y = ic_at(run, step->writes[0]) + start;
    const float *b = ic_at(run, step->x[1].tensor) + start;
    bool a_is_plain = step->x[0].scale < 0 && step->x[0].activation == IC_ACTIVATION_NONE;
    bool b_is_plain = step->x[1].scale < 0 && step->x[1].activation == IC_ACTIVATION_NONE;
    if (!b_is_plain) {
        ic_value_apply(run, step->x[1], piece, step->c, scratch);
        b = scratch;
    }
    if (a_is_plain) {
        kernels->add(count, ic_at(run, step->x[0].tensor) + start, b, y);
    } else {
        ic_value_apply(run, step->x[0], piece, step->c, y);
        kernels->accumulate(count, b, y);
    }
    if (step->activation != IC_ACTIVATION_NONE)
        kernels->activate(step->activation, count, y, y);
}

static void run_add(const ic_run *run, const ic_step *step, int32_t phase, int64_t unit,
                    float *scratch)
{
    ic_piece piece = ic_step_piece(step, unit);
    int64_t chunk = step->c < CHUNK_FLOATS ? CHUNK_FLOATS / step->c : 1;
    for (int64_t done = 0; done < piece.rows; done += chunk) {
        int64_t left = piece.rows - done;
        ic_piece part = {.first = piece.first + done, .rows = left < chunk ? left : chunk};
        add_rows(run, step, part, scratch);
    }
}

const ic_step_kind ic_step_add = {"add", ic_piece_units, run_add};

/* ---- Gradients of activations ---- */

static void run_activation_backward(const ic_run *run, const ic_step *step, int32_t phase,
                                    int64_t unit, float *scratch)
{
    ic_piece piece = ic_step_piece(step, unit);
    int64_t start = piece.first * step->c;
    run->program->kernels->activate_backward(
        step->activation, piece.rows * step->c, ic_at(run, step->x[0].tensor) + start,
        ic_at(run, step->reads[0]) + start, ic_at(run, step->writes[0]) + start);
}

const ic_step_kind ic_step_activation_backward = {"activation backward", ic_piece_units,
                                                  run_activation_backward};

/* ---- Gradients of biases ---- */

void ic_step_cut_bias_gradient(ic_step *step, int64_t rows, int32_t c)
{
    ic_step_cut(step, rows, c);
    step->phases = 2;
    step->shared_bytes = (size_t)ic_step_pieces(step) * (size_t)c * sizeof(float);
}

static int64_t bias_gradient_units(const ic_run *run, const ic_step *step, int32_t phase)
{
    return phase == 0 ? ic_step_pieces(step) : (step->c + CHANNELS - 1) / CHANNELS;
}

static void run_bias_gradient(const ic_run *run, const ic_step *step, int32_t phase, int64_t unit,
                              float *scratch)
{
    const ic_kernels *kernels = run->program->kernels;
    int32_t c = step->c;
    if (phase == 1) {
        float *gradient = ic_at(run, step->writes[1]) + unit * CHANNELS;
        int32_t left = c - (int32_t)unit * CHANNELS, count = left < CHANNELS ? left : CHANNELS;
        double totals[CHANNELS];
        ic_sum_pieces(run->shared + unit * CHANNELS, ic_step_pieces(step), c, count, totals);
        for (int32_t i = 0; i < count; i++)
            gradient[i] = (float)totals[i];
        return;
    }
    ic_piece piece = ic_step_piece(step, unit);
    int64_t start = piece.first * c;
    const float *d_y = ic_at(run, step->reads[0]) + start;
    if (step->activation != IC_ACTIVATION_NONE) {
        float *d_z = ic_at(run, step->writes[0]) + start;
        kernels->activate_backward(step->activation, piece.rows * c,
                                   ic_at(run, step->x[0].tensor) + start, d_y, d_z);
        d_y = d_z;
    }
    kernels->channel_sum(piece.rows, c, d_y, run->shared + unit * c);
}

const ic_step_kind ic_step_bias_gradient = {"bias gradient", bias_gradient_units,
                                            run_bias_gradient};

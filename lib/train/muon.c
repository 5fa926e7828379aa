/* train/muon.c: Nesterov momentum, made orthogonal. SPDX-License-Identifier: MIT */
#include "train/muon.h"

#include "base/memory.h"
#include "kernels/conv.h"
#include "kernels/transpose.h"
#include "train/loops.h"

#include <math.h>
#include <string.h>

enum {
    ALIGN_FLOATS = 16, /* 64 bytes */
    STRIPS = 4,        /* of a symmetric product, at most, */
    STRIP_LEAST = 64   /* each so wide at least, in columns */
};

/*
 * X <- a X + b (X X') X + c (X X')^2 X drives every singular value s in (0, 1] to within about 0.3
 * of 1 by s <- a s + b s^3 + c s^5; Jordan's numbers, chosen for speed near 0.
 *
 * Filter matrices are several times as wide as high, so the steps are not taken on X but on the
 * small G = X X': with P = a + b G + c G^2 a step is X <- P X, G <- P G P, and the product Q of the
 * P's is applied to the first X at the end. P, G and Q are symmetric and commute. G has squared the
 * singular values, of which small ones get lost in rounding; so X is made, and G made anew, after
 * three of the five steps, which is as exact as without G, and takes a 512 x 4608 matrix half of
 * the operations.
 */
static const float a = 3.4445F, b = -4.7750F, c = 2.0315F;
static const int32_t parts[] = {3, 2}; /* of the steps, with a G of their own */
static const double epsilon = 1e-7;    /* beside the norm */

struct ic_muon {
    ic_context *context;
    ic_pool *pool;
    const ic_kernels *kernels;
    float *block;                       /* that all the others lie in */
    float *x, *y;                       /* the matrix, wider than high, and the next one */
    float *gram, *step, *total, *spare; /* G, P, Q and room for one more */
    float *strips;                      /* of a symmetric product */
    float *packed, *shared;             /* of a product */
    float *scratch;                     /* of the workers */
    size_t scratch_floats;
};

/* The longest that each of the blocks has to be. */
typedef struct sizes {
    size_t matrix, gram, packed, shared, scratch;
} sizes;

static void widen(size_t *most, size_t floats)
{
    floats = (floats + ALIGN_FLOATS - 1) / ALIGN_FLOATS * ALIGN_FLOATS;
    if (floats > *most)
        *most = floats;
}

static int32_t height(const ic_parameter_run *run)
{
    return run->rows < run->columns ? run->rows : run->columns;
}

static int32_t width(const ic_parameter_run *run)
{
    return run->rows < run->columns ? run->columns : run->rows;
}

/* A linear layer of `rows` pictures and `columns` outputs: x w', and d_y w backward. */
static ic_conv product(const ic_kernels *kernels, int32_t rows, int32_t depth, int32_t columns)
{
    ic_conv conv;
    ic_conv_shape shape = {1, 1, rows, depth, 1, rows, columns, 1, 1, 1, 1, 0, 0, 1, 1, 1};
    ic_conv_prepare(kernels, &shape, IC_CONV_TRAINING, &conv);
    return conv;
}

/* One of the block columns that a symmetric product is computed by, down to the diagonal. */
typedef struct strip {
    int32_t first, columns, rows;
} strip;

static int32_t strip_width(int32_t low)
{
    int32_t width = (low / STRIPS + ALIGN_FLOATS - 1) / ALIGN_FLOATS * ALIGN_FLOATS;
    return width > STRIP_LEAST ? width : STRIP_LEAST;
}

static strip strip_at(int32_t low, int32_t first)
{
    int32_t left = low - first, columns = strip_width(low);
    columns = left < columns ? left : columns;
    return (strip){first, columns, first + columns};
}

static void measure(const ic_conv *conv, ic_conv_pass pass, sizes *most)
{
    const ic_conv_plan *plan = &conv->plans[pass];
    widen(&most->packed, plan->packed_floats);
    widen(&most->shared, plan->shared_floats);
    widen(&most->scratch, plan->scratch_floats);
}

static void measure_symmetric(const ic_kernels *kernels, int32_t low, int32_t depth, sizes *most)
{
    for (int32_t first = 0; first < low; first += strip_width(low)) {
        strip s = strip_at(low, first);
        ic_conv conv = product(kernels, s.rows, depth, s.columns);
        measure(&conv, IC_CONV_FORWARD, most);
    }
}

static sizes measure_all(const ic_kernels *kernels, const ic_parameter_run *runs, int32_t count)
{
    sizes most = {0};
    for (int32_t i = 0; i < count; i++) {
        int32_t low = height(&runs[i]);
        if (low == 0)
            continue;
        ic_conv applied = product(kernels, low, width(&runs[i]), low);
        measure(&applied, IC_CONV_BACKWARD_DATA, &most);
        measure_symmetric(kernels, low, width(&runs[i]), &most);
        measure_symmetric(kernels, low, low, &most);
        widen(&most.matrix, (size_t)runs[i].count);
        widen(&most.gram, (size_t)low * (size_t)low);
    }
    return most;
}

static float *take(float **at, size_t floats)
{
    float *taken = *at;
    *at += floats;
    return taken;
}

ic_status ic_muon_create(ic_context *context, const ic_parameter_run *runs, int32_t count,
                         ic_muon **out)
{
    ic_status status = IC_OK;
    ic_muon *made = NULL;
    float *at;
    IC_TRY_CLEAN(ic_allocate_zero(context, sizeof *made, &made));
    made->context = context;
    made->kernels = ic_kernels_at(context->cpu_level);
    IC_TRY_CLEAN(ic_context_pool(context, &made->pool));
    sizes most = measure_all(made->kernels, runs, count);
    made->scratch_floats = most.scratch;
    IC_TRY_CLEAN(ic_allocate_array(context,
                                   2 * most.matrix + 5 * most.gram + most.packed + most.shared +
                                       most.scratch * (size_t)ic_pool_threads(made->pool),
                                   sizeof(float), &made->block));
    at = made->block;
    made->x = take(&at, most.matrix);
    made->y = take(&at, most.matrix);
    made->gram = take(&at, most.gram);
    made->step = take(&at, most.gram);
    made->total = take(&at, most.gram);
    made->spare = take(&at, most.gram);
    made->strips = take(&at, most.gram);
    made->packed = take(&at, most.packed);
    made->shared = take(&at, most.shared);
    made->scratch = at;
    *out = made;
    made = NULL;
cleanup:
    ic_muon_free(made);
    return status;
}

void ic_muon_free(ic_muon *muon)
{
    if (!muon)
        return;
    ic_free(muon->context, muon->block);
    ic_free(muon->context, muon);
}

/* ---- Products ---- */

typedef struct pass_plan {
    const ic_muon *muon;
    const ic_conv *conv;
    ic_conv_pass pass;
    int32_t phase; /* -1: packing */
    const float *weights;
    ic_conv_arguments arguments;
} pass_plan;

static ic_status pass_unit(void *arguments, int64_t unit, int32_t worker)
{
    const pass_plan *plan = arguments;
    const ic_muon *muon = plan->muon;
    if (plan->phase < 0)
        ic_conv_pack(plan->conv, plan->pass, unit, plan->weights, muon->packed);
    else
        ic_conv_run(plan->conv, plan->pass, plan->phase, unit, &plan->arguments,
                    muon->scratch + (size_t)worker * muon->scratch_floats);
    return IC_OK;
}

static ic_status run_pass(const ic_muon *muon, const ic_conv *conv, ic_conv_pass pass,
                          const float *weights, ic_conv_arguments arguments)
{
    const ic_conv_plan *p = &conv->plans[pass];
    pass_plan plan = {muon, conv, pass, -1, weights, arguments};
    plan.arguments.packed = p->packed_floats > 0 ? muon->packed : weights;
    plan.arguments.shared = muon->shared;
    IC_TRY(ic_pool_run(muon->pool, ic_conv_pack_units(conv, pass), pass_unit, &plan));
    for (plan.phase = 0; plan.phase < p->phases; plan.phase++)
        IC_TRY(ic_pool_run(muon->pool, ic_conv_units(conv, pass, plan.phase), pass_unit, &plan));
    return IC_OK;
}

/* ---- The iteration ---- */

/* y = factor x; turned: of the transpose of x, which is rows x columns. */
static void scale_matrix(const ic_kernels *kernels, bool turned, int32_t rows, int32_t columns,
                         float factor, const float *x, float *y)
{
    if (!turned) {
        kernels->scale((int64_t)rows * columns, factor, x, y);
        return;
    }
    for (int64_t j = 0; j < columns; j++)
        for (int64_t i = 0; i < rows; i++)
            *y++ = factor * x[i * columns + j];
}

static void swap(float **x, float **y)
{
    float *held = *x;
    *x = *y;
    *y = held;
}

typedef struct mirror_plan {
    int32_t low;
    const float *strips;
    float *out;
} mirror_plan;

/* Puts a strip in its place, and what is above its diagonal block over to the other side. */
static ic_status mirror_strip(void *arguments, int64_t unit, int32_t worker)
{
    const mirror_plan *plan = arguments;
    const int64_t low = plan->low;
    (void)worker;
    strip s = strip_at(plan->low, (int32_t)unit * strip_width(plan->low));
    const float *from = plan->strips + s.first * low;
    for (int64_t i = 0; i < s.rows; i++)
        memcpy(plan->out + i * low + s.first, from + i * s.columns,
               (size_t)s.columns * sizeof(float));
    ic_transpose(s.first, s.columns, from, s.columns, plan->out + s.first * low, low);
    return IC_OK;
}

/* out = x y', low x low, which is symmetric, so that a half need not be computed; not x or y. */
static ic_status multiply(const ic_muon *muon, int32_t low, int32_t depth, const float *x,
                          const float *y, float *out)
{
    mirror_plan plan = {low, muon->strips, out};
    int64_t count = 0;
    for (int32_t first = 0; first < low; first += strip_width(low), count++) {
        strip s = strip_at(low, first);
        ic_conv conv = product(muon->kernels, s.rows, depth, s.columns);
        IC_TRY(run_pass(muon, &conv, IC_CONV_FORWARD, y + (int64_t)first * depth,
                        (ic_conv_arguments){.x = x, .out = muon->strips + (int64_t)first * low}));
    }
    return ic_pool_run(muon->pool, count, mirror_strip, &plan);
}

static void add_to_diagonal(int32_t low, float value, float *matrix)
{
    for (int64_t i = 0; i < low; i++)
        matrix[i * low + i] += value;
}

/* P of G, which is low x low: a + G (b + c G). */
static ic_status make_step(ic_muon *muon, int32_t low)
{
    muon->kernels->scale((int64_t)low * low, c, muon->gram, muon->spare);
    add_to_diagonal(low, b, muon->spare);
    IC_TRY(multiply(muon, low, low, muon->gram, muon->spare, muon->step));
    add_to_diagonal(low, a, muon->step);
    return IC_OK;
}

/* Q, the product of the P's of so many steps. */
static ic_status make_total(ic_muon *muon, int32_t low, int32_t steps)
{
    IC_TRY(make_step(muon, low));
    swap(&muon->total, &muon->step);
    const float *last = muon->total;
    for (int32_t i = 1; i < steps; i++) {
        IC_TRY(multiply(muon, low, low, muon->gram, last, muon->spare));
        IC_TRY(multiply(muon, low, low, muon->spare, last, muon->gram));
        IC_TRY(make_step(muon, low));
        last = muon->step;
        IC_TRY(multiply(muon, low, low, muon->total, last, muon->spare));
        swap(&muon->total, &muon->spare);
    }
    return IC_OK;
}

/* So many steps on x, `low` x `wide`; the result is in x again. */
static ic_status iterate(ic_muon *muon, int32_t low, int32_t wide, int32_t steps)
{
    ic_conv applied = product(muon->kernels, low, wide, low);
    IC_TRY(multiply(muon, low, wide, muon->x, muon->x, muon->gram));
    IC_TRY(make_total(muon, low, steps));
    IC_TRY(run_pass(muon, &applied, IC_CONV_BACKWARD_DATA, muon->x,
                    (ic_conv_arguments){.d_y = muon->total, .out = muon->y}));
    swap(&muon->x, &muon->y);
    return IC_OK;
}

ic_status ic_muon_turn(ic_muon *muon, const ic_parameter_run *run, float momentum, float *velocity,
                       float *gradient)
{
    const ic_kernels *kernels = muon->kernels;
    int32_t low = height(run), wide = width(run);
    bool turned = run->rows > run->columns;
    /* The rule of sgd with a rate of -1 from nothing is the direction of its step. */
    memset(muon->y, 0, (size_t)run->count * sizeof(float));
    kernels->sgd(run->count, -1, momentum, 0, gradient, velocity, muon->y);
    double norm = sqrt(ic_square_sum(run->count, muon->y));
    scale_matrix(kernels, turned, run->rows, run->columns, (float)(1 / (norm + epsilon)), muon->y,
                 muon->x);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        IC_TRY(iterate(muon, low, wide, parts[i]));
    double size = turned ? sqrt((double)run->rows / run->columns) : 1;
    scale_matrix(kernels, turned, low, wide, (float)size, muon->x, gradient);
    return IC_OK;
}

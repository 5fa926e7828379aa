/*
 * kernels/test_conv.c: every level's convolution against the definition, on shapes that leave rests
 * everywhere. SPDX-License-Identifier: MIT
 */
#include "conv_harness.h"

#include "base/cpu.h"
#include "base/random.h"
#include "kernels/ref/conv_ref.h"

#include <math.h>
#include <stdio.h>

/* n h w c k, filter h w, stride h w, pad h w, dilation h w, groups, rows and columns beyond
 * symmetric padding */
static const int32_t cases[][16] = {
    {1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 1, 1, 1, 0, 0},
    {2, 5, 7, 3, 5, 3, 3, 1, 1, 1, 1, 1, 1, 1, 0, 0},
    {1, 28, 28, 1, 6, 5, 5, 1, 1, 2, 2, 1, 1, 1, 0, 0},
    {3, 14, 14, 6, 16, 5, 5, 1, 1, 0, 0, 1, 1, 1, 0, 0},
    {1, 1, 64, 400, 120, 1, 1, 1, 1, 0, 0, 1, 1, 1, 0, 0},
    {1, 1, 1, 84, 10, 1, 1, 1, 1, 0, 0, 1, 1, 1, 0, 0},
    {1, 1, 29, 120, 84, 1, 1, 1, 1, 0, 0, 1, 1, 1, 0, 0},
    {2, 16, 16, 3, 64, 3, 3, 1, 1, 1, 1, 1, 1, 1, 0, 0},
    {1, 31, 31, 8, 33, 3, 3, 1, 1, 1, 1, 1, 1, 1, 0, 0},
    {2, 9, 11, 17, 40, 3, 3, 2, 2, 1, 1, 1, 1, 1, 0, 0},
    {1, 23, 23, 3, 32, 7, 7, 2, 2, 3, 3, 1, 1, 1, 0, 0},
    {2, 8, 8, 32, 64, 1, 1, 2, 2, 0, 0, 1, 1, 1, 0, 0},
    {2, 13, 9, 24, 20, 1, 1, 1, 1, 0, 0, 1, 1, 1, 0, 0},
    {1, 12, 12, 5, 7, 3, 3, 1, 1, 2, 2, 2, 2, 1, 0, 0},
    {1, 15, 10, 4, 6, 3, 3, 2, 2, 2, 2, 2, 2, 1, 0, 0},
    {2, 11, 11, 6, 9, 3, 3, 3, 3, 0, 0, 1, 1, 3, 0, 0},
    {1, 10, 10, 12, 24, 3, 3, 1, 1, 1, 1, 1, 1, 4, 0, 0},
    {1, 9, 9, 8, 8, 1, 1, 1, 1, 0, 0, 1, 1, 2, 0, 0},
    {17, 4, 4, 33, 47, 3, 3, 1, 1, 1, 1, 1, 1, 1, 0, 0},
    {31, 2, 2, 20, 35, 3, 3, 1, 1, 1, 1, 1, 1, 1, 0, 0},
    {5, 7, 7, 64, 65, 3, 3, 1, 1, 1, 1, 1, 1, 1, 0, 0},
    {2, 6, 6, 7, 3, 4, 4, 2, 2, 1, 1, 1, 1, 1, 0, 0},
    {1, 7, 40, 16, 16, 1, 5, 1, 1, 2, 2, 1, 1, 1, 0, 0},
    {3, 5, 5, 2, 2, 5, 5, 1, 1, 4, 4, 1, 1, 1, 0, 0},
    {1, 10, 10, 2, 3, 2, 2, 3, 3, 0, 0, 1, 1, 1, 0, 0},
    {2, 6, 6, 3, 6, 3, 3, 1, 1, 1, 1, 1, 1, 3, 0, 0},
    {1, 14, 14, 16, 16, 3, 3, 1, 1, 1, 1, 1, 1, 16, 0, 0},
    {2, 15, 13, 37, 37, 3, 3, 2, 2, 1, 1, 1, 1, 37, 0, 0},
    {1, 12, 12, 24, 24, 5, 5, 1, 1, 2, 2, 1, 1, 24, 0, 0},
    {1, 13, 13, 40, 40, 5, 5, 2, 2, 2, 2, 1, 1, 40, 0, 0},
    {1, 9, 9, 5, 5, 3, 3, 1, 1, 2, 2, 2, 2, 5, 0, 0},
    {2, 7, 7, 19, 19, 7, 7, 1, 1, 3, 3, 1, 1, 19, 0, 0},
    {1, 4, 4, 600, 40, 3, 3, 1, 1, 1, 1, 1, 1, 1, 0, 0},
    {1, 18, 70, 20, 24, 3, 3, 1, 1, 1, 1, 1, 1, 1, 0, 0},
    {1, 3, 3, 4, 4, 5, 5, 1, 1, 2, 2, 1, 1, 1, 0, 0},
    {1, 3, 130, 2, 18, 3, 3, 2, 2, 1, 1, 1, 1, 1, 0, 0},
    {15, 3, 2, 18, 34, 3, 3, 2, 2, 1, 1, 1, 1, 1, 0, 0},
    {40, 1, 1, 9, 12, 3, 3, 1, 1, 1, 1, 1, 1, 1, 0, 0},
    {2, 5, 1, 4, 6, 3, 3, 2, 2, 1, 1, 1, 1, 1, 0, 0},
    {1, 2, 2, 5, 9, 1, 1, 3, 3, 0, 0, 1, 1, 1, 0, 0},
    {1, 1, 1, 3, 4, 1, 1, 2, 2, 1, 1, 1, 1, 1, 0, 0},
    {2, 9, 8, 6, 18, 3, 2, 2, 1, 0, 2, 1, 2, 1, 0, 0},
    {1, 8, 9, 7, 33, 2, 5, 1, 3, 3, 0, 2, 1, 1, 0, 0},
    {2, 8, 8, 5, 20, 3, 3, 2, 2, 0, 0, 1, 1, 1, 1, 1},
    {1, 7, 7, 12, 10, 3, 3, 1, 1, 0, 0, 1, 1, 1, 2, 2},
    {2, 8, 8, 18, 18, 3, 3, 2, 2, 0, 0, 1, 1, 18, 1, 1},
    {1, 6, 9, 20, 20, 2, 4, 1, 2, 1, 2, 2, 1, 20, 0, 0},
    {2, 5, 6, 8, 12, 3, 2, 2, 1, 1, 0, 1, 2, 4, 0, 0},
    {16, 14, 14, 6, 16, 5, 5, 1, 1, 0, 0, 1, 1, 1, 0, 0},
    {1, 5, 300, 3, 5, 3, 3, 1, 1, 1, 1, 1, 1, 1, 0, 0},
    {1, 1, 600, 20, 40, 1, 1, 1, 1, 0, 0, 1, 1, 1, 0, 0},
    {1, 20, 12, 4, 16, 7, 7, 2, 2, 3, 3, 1, 1, 1, 0, 0},
    {1, 3, 3, 2, 4, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0},
    {3, 1, 2, 33, 33, 3, 3, 2, 2, 1, 1, 1, 1, 33, 0, 0},
    {2, 7, 7, 48, 48, 5, 5, 1, 1, 2, 2, 1, 1, 48, 0, 0},
    {1, 9, 21, 33, 33, 5, 5, 2, 2, 2, 2, 1, 1, 33, 0, 0},
    {2, 16, 9, 20, 20, 5, 5, 2, 2, 2, 2, 1, 1, 20, 0, 0},
    {1, 30, 31, 17, 17, 3, 3, 2, 2, 1, 1, 1, 1, 17, 0, 0},
    {3, 8, 8, 16, 16, 3, 3, 2, 2, 1, 1, 1, 1, 16, 0, 0},
    {2, 5, 4, 50, 50, 3, 3, 1, 1, 1, 1, 1, 1, 50, 0, 0},
    {1, 4, 6, 31, 31, 3, 3, 1, 1, 0, 0, 1, 1, 31, 0, 0},
    {2, 6, 19, 18, 18, 3, 3, 2, 2, 0, 0, 1, 1, 18, 1, 1},
    {1, 3, 70, 24, 24, 5, 5, 1, 1, 2, 2, 1, 1, 24, 0, 0},
    {40, 6, 6, 16, 16, 3, 3, 1, 1, 1, 1, 1, 1, 16, 0, 0},
    {1, 40, 5, 130, 130, 3, 3, 1, 1, 1, 1, 1, 1, 130, 0, 0},
};

enum { CASES = sizeof cases / sizeof *cases };

static int32_t output_size(int32_t in, int32_t taps, int32_t stride, int32_t pad, int32_t dilation)
{
    return (in + 2 * pad - dilation * (taps - 1) - 1) / stride + 1;
}

static ic_conv_shape shape_of(const int32_t *v)
{
    return (ic_conv_shape){.n = v[0],
                           .h = v[1],
                           .w = v[2],
                           .c = v[3],
                           .oh = output_size(v[1], v[5], v[7], v[9], v[11]) + v[14],
                           .ow = output_size(v[2], v[6], v[8], v[10], v[12]) + v[15],
                           .k = v[4],
                           .r = v[5],
                           .s = v[6],
                           .stride_h = v[7],
                           .stride_w = v[8],
                           .pad_h = v[9],
                           .pad_w = v[10],
                           .dilation_h = v[11],
                           .dilation_w = v[12],
                           .groups = v[13]};
}

static void name_case(const ic_conv *conv, ic_conv_pass pass)
{
    const ic_conv_shape *p = &conv->shape;
    print_message(
        "    at %s, pass %d by %s: n%d %dx%d c%d -> %dx%d k%d, filter %dx%d, stride %dx%d, "
        "pad %dx%d, dilation %dx%d, groups %d\n",
        conv->kernels->name, (int)pass, ic_conv_algorithm_name(conv, pass), p->n, p->h, p->w, p->c,
        p->oh, p->ow, p->k, p->r, p->s, p->stride_h, p->stride_w, p->pad_h, p->pad_w, p->dilation_h,
        p->dilation_w, p->groups);
}

static guarded integers(size_t count, uint64_t seed, int32_t range)
{
    guarded g = guarded_create(count);
    ic_random random = ic_random_at(seed, IC_USE_WEIGHTS, 0, 0);
    for (size_t i = 0; i < count; ++i)
        g.floats[i] = (float)ic_random_below(&random, (uint64_t)(2 * range + 1)) - (float)range;
    return g;
}

static guarded reals(size_t count, uint64_t seed)
{
    guarded g = guarded_create(count);
    ic_random random = ic_random_at(seed, IC_USE_WEIGHTS, 0, 0);
    for (size_t i = 0; i < count; ++i)
        g.floats[i] = (float)ic_random_range(&random, -1, 1);
    return g;
}

typedef struct tensors {
    guarded x, d_y, w;
} tensors;

static tensors make_tensors(const ic_conv_shape *p, bool integral)
{
    tensors t;
    t.x = integral ? integers(x_floats(p), 1, 4) : reals(x_floats(p), 1);
    t.d_y = integral ? integers(y_floats(p), 2, 4) : reals(y_floats(p), 2);
    t.w = integral ? integers(w_floats(p), 3, 4) : reals(w_floats(p), 3);
    return t;
}

/* To the nearest bfloat16, to even between two. */
static void round_floats(guarded *g)
{
    for (size_t i = 0; i < g->count; ++i) {
        uint32_t bits;
        memcpy(&bits, &g->floats[i], sizeof bits);
        bits = (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000u;
        memcpy(&g->floats[i], &bits, sizeof bits);
    }
}

static void free_tensors(tensors *t)
{
    guarded_free(&t->x);
    guarded_free(&t->d_y);
    guarded_free(&t->w);
}

static void reference(const ic_conv_shape *p, ic_conv_pass pass, const tensors *t, float *out)
{
    if (pass == IC_CONV_FORWARD)
        ic_conv_reference_forward(p, t->x.floats, t->w.floats, out);
    else if (pass == IC_CONV_BACKWARD_DATA)
        ic_conv_reference_backward_data(p, t->d_y.floats, t->w.floats, out);
    else
        ic_conv_reference_backward_weights(p, t->x.floats, t->d_y.floats, out);
}

static ic_conv_arguments arguments_of(const tensors *t, guarded *out)
{
    return (ic_conv_arguments){.x = t->x.floats, .d_y = t->d_y.floats, .out = out->floats};
}

typedef void (*check_fn)(const ic_conv *conv, ic_conv_pass pass);

/* Winograd's sums are not exact; test_conv_winograd.c is about them. */
static void take_exact(ic_conv *conv, ic_conv_pass pass)
{
    if (strncmp(ic_conv_algorithm_name(conv, pass), "winograd", 8) == 0)
        assert_true(ic_conv_choose(conv, pass, "rows") || ic_conv_choose(conv, pass, "runs"));
}

/* Calls check for every level of this machine, every case and every pass. */
static void for_each(check_fn check)
{
    for (int32_t level = IC_CPU_C; level < IC_CPU_ALL_LEVELS; ++level)
        for (int32_t i = 0; i < CASES && ic_cpu_has((ic_cpu_level)level); ++i) {
            ic_conv_shape shape = shape_of(cases[i]);
            ic_conv conv;
            ic_conv_prepare(ic_kernels_at((ic_cpu_level)level), &shape, IC_CONV_TRAINING, &conv);
            for (int32_t pass = 0; pass < IC_CONV_PASSES; ++pass) {
                take_exact(&conv, (ic_conv_pass)pass);
                check(&conv, (ic_conv_pass)pass);
            }
        }
}

static void check_equal(const ic_conv *conv, ic_conv_pass pass, const float *got,
                        const float *wanted)
{
    size_t count = out_floats(&conv->shape, pass);
    for (size_t i = 0; i < count; ++i)
        if (!(got[i] == wanted[i])) {
            name_case(conv, pass);
            fail_msg("element %zu is %g, not %g", i, (double)got[i], (double)wanted[i]);
        }
}

static void check_integers(const ic_conv *conv, ic_conv_pass pass)
{
    size_t count = out_floats(&conv->shape, pass);
    tensors t = make_tensors(&conv->shape, true);
    guarded wanted = guarded_create(count), out = guarded_create(count);
    reference(&conv->shape, pass, &t, wanted.floats);
    run_conv(conv, pass, t.w.floats, arguments_of(&t, &out), false);
    check_equal(conv, pass, out.floats, wanted.floats);
    guarded_free(&wanted);
    guarded_free(&out);
    free_tensors(&t);
}

static void every_level_is_exact_on_integers(void **state)
{
    for_each(check_integers);
}

static bool in_bf16(const ic_conv *conv, ic_conv_pass pass)
{
    return strncmp(ic_conv_algorithm_name(conv, pass), "bf16", 4) == 0;
}

/* What bfloat16 multiplies is rounded, products are exact and sums are those of float32. */
static guarded wanted_reals(const ic_conv *conv, ic_conv_pass pass, tensors *t)
{
    guarded wanted = guarded_create(out_floats(&conv->shape, pass));
    tensors rounded = *t;
    if (in_bf16(conv, pass)) {
        rounded = make_tensors(&conv->shape, false);
        round_floats(&rounded.x);
        round_floats(&rounded.d_y);
        round_floats(&rounded.w);
    }
    reference(&conv->shape, pass, &rounded, wanted.floats);
    if (in_bf16(conv, pass))
        free_tensors(&rounded);
    return wanted;
}

/* A chain of t roundings of terms of at most 1 errs by at most t^2 u to first order; rests are
 * added alike. */
static double bound(const ic_conv_shape *p, ic_conv_pass pass)
{
    double terms = pass == IC_CONV_FORWARD         ? (double)p->r * p->s * p->c / p->groups
                   : pass == IC_CONV_BACKWARD_DATA ? (double)p->r * p->s * p->k / p->groups
                                                   : (double)p->n * p->oh * p->ow;
    return 1.01 * (terms + 2) * (terms + 2) * 0x1p-24;
}

static void check_reals(const ic_conv *conv, ic_conv_pass pass)
{
    size_t count = out_floats(&conv->shape, pass);
    tensors t = make_tensors(&conv->shape, false);
    guarded wanted = wanted_reals(conv, pass, &t), out = guarded_create(count),
            again = guarded_create(count);
    run_conv(conv, pass, t.w.floats, arguments_of(&t, &out), false);
    run_conv(conv, pass, t.w.floats, arguments_of(&t, &again), true);
    double limit = bound(&conv->shape, pass);
    for (size_t i = 0; i < count; ++i)
        if (!(fabs((double)out.floats[i] - wanted.floats[i]) <= limit)) {
            name_case(conv, pass);
            fail_msg("element %zu is %g, not %g", i, (double)out.floats[i],
                     (double)wanted.floats[i]);
        }
    if (memcmp(out.floats, again.floats, count * sizeof(float)) != 0) {
        name_case(conv, pass);
        fail_msg("the order of units shows in the result");
    }
    guarded_free(&wanted);
    guarded_free(&out);
    guarded_free(&again);
    free_tensors(&t);
}

static void reals_are_within_the_bound_in_any_order_of_units(void **state)
{
    for_each(check_reals);
}

static double dot(const float *a, const float *b, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; ++i)
        sum += (double)a[i] * b[i];
    return sum;
}

/* <d_y, conv(x, w)> = <d_x, x> = <d_w, w>, exactly on integers. */
static void check_adjoint(const ic_conv *conv, ic_conv_pass pass)
{
    if (pass == IC_CONV_FORWARD)
        return;
    const ic_conv_shape *p = &conv->shape;
    tensors t = make_tensors(p, true);
    guarded y = guarded_create(y_floats(p)), out = guarded_create(out_floats(p, pass));
    run_conv(conv, IC_CONV_FORWARD, t.w.floats, arguments_of(&t, &y), false);
    run_conv(conv, pass, t.w.floats, arguments_of(&t, &out), false);
    double forward = dot(t.d_y.floats, y.floats, y.count);
    double backward =
        dot(pass == IC_CONV_BACKWARD_DATA ? t.x.floats : t.w.floats, out.floats, out.count);
    if (!(forward == backward))
        name_case(conv, pass);
    assert_true(forward == backward);
    guarded_free(&y);
    guarded_free(&out);
    free_tensors(&t);
}

static void gradients_are_the_adjoint(void **state)
{
    for_each(check_adjoint);
}

static void check_accumulate(const ic_conv *conv, ic_conv_pass pass)
{
    if (pass != IC_CONV_BACKWARD_DATA)
        return;
    size_t count = x_floats(&conv->shape);
    tensors t = make_tensors(&conv->shape, true);
    guarded wanted = guarded_create(count), out = integers(count, 4, 9);
    reference(&conv->shape, pass, &t, wanted.floats);
    for (size_t i = 0; i < count; ++i)
        wanted.floats[i] += out.floats[i];
    ic_conv_arguments arguments = arguments_of(&t, &out);
    arguments.accumulate = true;
    run_conv(conv, pass, t.w.floats, arguments, false);
    check_equal(conv, pass, out.floats, wanted.floats);
    guarded_free(&wanted);
    guarded_free(&out);
    free_tensors(&t);
}

static void backward_data_adds_when_asked(void **state)
{
    for_each(check_accumulate);
}

/* Depthwise, by vectors of channels and their rests. */
static void every_count_of_channels_is_exact(void **state)
{
    for (int32_t level = IC_CPU_C; level < IC_CPU_LEVELS; ++level)
        for (int32_t c = 1; c <= 70 && ic_cpu_has((ic_cpu_level)level); ++c)
            for (int32_t stride = 1; stride <= 2; ++stride)
                for (int32_t filter = 3; filter <= 5; filter += 2) {
                    const int32_t values[16] = {1,          5,      8,      c,      c,
                                                filter,     filter, stride, stride, filter / 2,
                                                filter / 2, 1,      1,      c};
                    ic_conv_shape shape = shape_of(values);
                    ic_conv conv;
                    ic_conv_prepare(ic_kernels_at((ic_cpu_level)level), &shape, IC_CONV_TRAINING,
                                    &conv);
                    for (int32_t pass = 0; pass < IC_CONV_PASSES; ++pass) {
                        check_integers(&conv, (ic_conv_pass)pass);
                        check_accumulate(&conv, (ic_conv_pass)pass);
                    }
                }
}

/* With x' = max(x * scale + shift, 0) made beforehand. */
static void check_prologue(const ic_conv *conv, ic_conv_pass pass)
{
    if (pass == IC_CONV_BACKWARD_DATA)
        return;
    const ic_conv_shape *p = &conv->shape;
    tensors t = make_tensors(p, true);
    guarded scale = integers((size_t)p->c, 5, 2), shift = integers((size_t)p->c, 6, 3);
    guarded x = guarded_create(x_floats(p)), plain = t.x;
    size_t count = out_floats(p, pass);
    guarded wanted = guarded_create(count), out = guarded_create(count);
    for (int32_t with_scale = 0; with_scale < 2; ++with_scale) {
        for (size_t i = 0; i < x.count; ++i) {
            float value = plain.floats[i];
            if (with_scale)
                value = value * scale.floats[i % p->c] + shift.floats[i % p->c];
            x.floats[i] = value > 0 ? value : 0;
        }
        t.x = x;
        reference(p, pass, &t, wanted.floats);
        t.x = plain;
        ic_prologue prologue = {.scale = with_scale ? scale.floats : NULL,
                                .shift = with_scale ? shift.floats : NULL,
                                .activation = IC_ACTIVATION_RELU};
        ic_conv_arguments arguments = arguments_of(&t, &out);
        arguments.prologue = &prologue;
        run_conv(conv, pass, t.w.floats, arguments, false);
        check_equal(conv, pass, out.floats, wanted.floats);
    }
    guarded_free(&scale);
    guarded_free(&shift);
    guarded_free(&x);
    guarded_free(&wanted);
    guarded_free(&out);
    free_tensors(&t);
}

/* Depthwise, over many rows: as if every row had gone through the prologue once, beforehand. */
static void check_any_prologue(const ic_conv *conv, ic_conv_pass pass, ic_activation activation)
{
    const ic_conv_shape *p = &conv->shape;
    tensors t = make_tensors(p, false);
    guarded scale = reals((size_t)p->c, 5), shift = reals((size_t)p->c, 6);
    guarded x = guarded_create(x_floats(p)), plain = t.x;
    size_t count = out_floats(p, pass);
    guarded wanted = guarded_create(count), out = guarded_create(count);
    ic_prologue prologue = {
        .scale = scale.floats, .shift = shift.floats, .activation = (int32_t)activation};
    conv->kernels->affine((int64_t)p->n * p->h * p->w, p->c, plain.floats, scale.floats,
                          shift.floats, activation, x.floats);
    t.x = x;
    run_conv(conv, pass, t.w.floats, arguments_of(&t, &wanted), false);
    t.x = plain;
    ic_conv_arguments arguments = arguments_of(&t, &out);
    arguments.prologue = &prologue;
    run_conv(conv, pass, t.w.floats, arguments, false);
    check_equal(conv, pass, out.floats, wanted.floats);
    guarded_free(&scale);
    guarded_free(&shift);
    guarded_free(&x);
    guarded_free(&wanted);
    guarded_free(&out);
    free_tensors(&t);
}

static void every_activation_may_come_before(void **state)
{
    for (int32_t level = IC_CPU_C; level < IC_CPU_LEVELS; ++level)
        for (int32_t activation = 0; activation < IC_ACTIVATION_COUNT; ++activation)
            for (int32_t i = 0; i < 4 && ic_cpu_has((ic_cpu_level)level); ++i) {
                int32_t filter = i & 1 ? 5 : 3, stride = i & 2 ? 2 : 1;
                const int32_t values[16] = {2,          21,     11,     19,     19,
                                            filter,     filter, stride, stride, filter / 2,
                                            filter / 2, 1,      1,      19};
                ic_conv_shape shape = shape_of(values);
                ic_conv conv;
                ic_conv_prepare(ic_kernels_at((ic_cpu_level)level), &shape, IC_CONV_TRAINING,
                                &conv);
                check_any_prologue(&conv, IC_CONV_FORWARD, (ic_activation)activation);
                check_any_prologue(&conv, IC_CONV_BACKWARD_WEIGHTS, (ic_activation)activation);
            }
}

static void prologue_is_applied_to_inputs_but_not_to_padding(void **state)
{
    for_each(check_prologue);
}

static void check_epilogue(const ic_conv *conv, ic_conv_pass pass)
{
    if (pass != IC_CONV_FORWARD)
        return;
    const ic_conv_shape *p = &conv->shape;
    size_t count = y_floats(p);
    tensors t = make_tensors(p, true);
    guarded bias = integers((size_t)p->k, 7, 5), residual = integers(count, 8, 5);
    guarded plain = guarded_create(count), wanted = guarded_create(count),
            out = guarded_create(count);
    reference(p, pass, &t, plain.floats);
    static const ic_activation activations[] = {IC_ACTIVATION_NONE, IC_ACTIVATION_RELU,
                                                IC_ACTIVATION_RELU6};
    for (int32_t i = 0; i < 12; ++i) {
        bool with_bias = i & 1, with_residual = i & 2;
        ic_activation activation = activations[i / 4];
        for (size_t j = 0; j < count; ++j) {
            float v = plain.floats[j] + (with_bias ? bias.floats[j % p->k] : 0) +
                      (with_residual ? residual.floats[j] : 0);
            if (activation != IC_ACTIVATION_NONE)
                v = v < 0 ? 0 : v;
            wanted.floats[j] = activation == IC_ACTIVATION_RELU6 && v > 6 ? 6 : v;
        }
        ic_epilogue epilogue = {.bias = with_bias ? bias.floats : NULL,
                                .residual = with_residual ? residual.floats : NULL,
                                .activation = activation};
        ic_conv_arguments arguments = arguments_of(&t, &out);
        arguments.epilogue = &epilogue;
        run_conv(conv, pass, t.w.floats, arguments, false);
        check_equal(conv, pass, out.floats, wanted.floats);
    }
    guarded_free(&bias);
    guarded_free(&residual);
    guarded_free(&plain);
    guarded_free(&wanted);
    guarded_free(&out);
    free_tensors(&t);
}

static void epilogue_is_applied_once(void **state)
{
    for_each(check_epilogue);
}

/* The first picture alone gives the bits that it has within a batch. */
static void check_batch(const ic_conv *conv, ic_conv_pass pass)
{
    if (pass != IC_CONV_FORWARD || conv->shape.n == 1)
        return;
    ic_conv_shape one = conv->shape;
    one.n = 1;
    ic_conv alone;
    ic_conv_prepare(conv->kernels, &one, conv->use, &alone);
    take_exact(&alone, pass);
    tensors t = make_tensors(&conv->shape, false);
    guarded out = guarded_create(y_floats(&conv->shape)), first = guarded_create(y_floats(&one));
    run_conv(conv, pass, t.w.floats, arguments_of(&t, &out), false);
    run_conv(&alone, pass, t.w.floats, arguments_of(&t, &first), false);
    if (memcmp(out.floats, first.floats, first.count * sizeof(float)) != 0) {
        name_case(conv, pass);
        fail_msg("a picture's result depends on the batch");
    }
    guarded_free(&out);
    guarded_free(&first);
    free_tensors(&t);
}

static void forward_does_not_depend_on_the_batch(void **state)
{
    for_each(check_batch);
}

/* The two sums of each channel over all blocks. */
static void add_blocks(const float *sums, int32_t blocks, int32_t channels, double *first,
                       double *second)
{
    for (int32_t k = 0; k < channels; ++k)
        first[k] = second[k] = 0;
    for (int32_t i = 0; i < blocks; ++i, sums += 2 * channels)
        for (int32_t k = 0; k < channels; ++k) {
            first[k] += (double)sums[k];
            second[k] += (double)sums[channels + k];
        }
}

/* Sums of whole numbers are exact, those of their squares nearly. */
static void check_sums(const ic_conv *conv, ic_conv_pass pass)
{
    const ic_conv_plan *plan = &conv->plans[pass];
    const ic_conv_shape *p = &conv->shape;
    if (pass != IC_CONV_FORWARD)
        return;
    assert_true(plan->sum_blocks > 0);
    tensors t = make_tensors(p, true);
    guarded out = guarded_create(y_floats(p)),
            sums = guarded_create(2 * (size_t)plan->sum_blocks * (size_t)p->k);
    ic_conv_arguments arguments = arguments_of(&t, &out);
    arguments.sums = sums.floats;
    run_conv(conv, pass, t.w.floats, arguments, false);
    double *first = calloc((size_t)p->k, sizeof *first),
           *second = calloc((size_t)p->k, sizeof *second);
    add_blocks(sums.floats, plan->sum_blocks, p->k, first, second);
    double squares = 0;
    for (size_t i = 0; i < out.count; ++i) {
        double square = (double)out.floats[i] * out.floats[i];
        first[i % (size_t)p->k] -= (double)out.floats[i];
        second[i % (size_t)p->k] -= square;
        squares += square;
    }
    for (int32_t k = 0; k < p->k; ++k) {
        if (first[k] != 0 || fabs(second[k]) > 1e-6 * squares)
            name_case(conv, pass);
        assert_true(first[k] == 0);
        assert_true(fabs(second[k]) <= 1e-6 * squares);
    }
    free(first);
    free(second);
    guarded_free(&sums);
    guarded_free(&out);
    free_tensors(&t);
}

static void forward_sums_its_outputs(void **state)
{
    for_each(check_sums);
}

/* As the plain gradient that goes through norm_gradient afterwards. */
static void check_norm_gradient(const ic_conv *conv, ic_conv_pass pass)
{
    const ic_conv_plan *plan = &conv->plans[pass];
    const ic_conv_shape *p = &conv->shape;
    if (pass != IC_CONV_BACKWARD_DATA || plan->sum_blocks == 0)
        return;
    size_t channels = (size_t)p->c, count = x_floats(p);
    tensors t = make_tensors(p, true);
    guarded scale = integers(channels, 5, 2), shift = integers(channels, 6, 3),
            mean = integers(channels, 9, 2), wanted = guarded_create(count),
            out = guarded_create(count),
            sums = guarded_create(2 * (size_t)plan->sum_blocks * channels);
    reference(p, pass, &t, wanted.floats);
    float *whole = calloc(2 * channels, sizeof *whole);
    conv->kernels->norm_gradient((int64_t)(count / channels), p->c, p->c, t.x.floats, scale.floats,
                                 shift.floats, mean.floats, IC_ACTIVATION_RELU, wanted.floats,
                                 wanted.floats, whole, whole + channels);
    ic_norm_gradient gradient = {.x = t.x.floats,
                                 .scale = scale.floats,
                                 .shift = shift.floats,
                                 .mean = mean.floats,
                                 .activation = IC_ACTIVATION_RELU};
    ic_conv_arguments arguments = arguments_of(&t, &out);
    arguments.gradient = &gradient;
    arguments.sums = sums.floats;
    run_conv(conv, pass, t.w.floats, arguments, false);
    check_equal(conv, pass, out.floats, wanted.floats);
    double *first = calloc(channels, sizeof *first), *second = calloc(channels, sizeof *second);
    add_blocks(sums.floats, plan->sum_blocks, p->c, first, second);
    for (size_t k = 0; k < channels; ++k) {
        assert_true(first[k] == (double)whole[k]);
        assert_true(second[k] == (double)whole[channels + k]);
    }
    free(first);
    free(second);
    free(whole);
    guarded_free(&scale);
    guarded_free(&shift);
    guarded_free(&mean);
    guarded_free(&wanted);
    guarded_free(&out);
    guarded_free(&sums);
    free_tensors(&t);
}

static void backward_data_begins_the_gradient_of_a_norm(void **state)
{
    for_each(check_norm_gradient);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_level_is_exact_on_integers),
        cmocka_unit_test(reals_are_within_the_bound_in_any_order_of_units),
        cmocka_unit_test(gradients_are_the_adjoint),
        cmocka_unit_test(backward_data_adds_when_asked),
        cmocka_unit_test(prologue_is_applied_to_inputs_but_not_to_padding),
        cmocka_unit_test(every_count_of_channels_is_exact),
        cmocka_unit_test(every_activation_may_come_before),
        cmocka_unit_test(epilogue_is_applied_once),
        cmocka_unit_test(forward_does_not_depend_on_the_batch),
        cmocka_unit_test(forward_sums_its_outputs),
        cmocka_unit_test(backward_data_begins_the_gradient_of_a_norm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

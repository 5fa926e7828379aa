/*
 * kernels/test_conv.c: every level's convolution against the definition, on shapes that leave rests
 * everywhere. SPDX-License-Identifier: MIT
 */
#include "conv_cases.h"

#include "base/cpu.h"

#include <math.h>
#include <stdio.h>

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

/* Every algorithm that can, not only the cheapest. */
static void check_algorithms(const ic_conv *conv, ic_conv_pass pass)
{
    static const char *const names[] = {"rows", "planes",    "small",     "patches",
                                        "runs", "depthwise", "bf16 rows", "bf16 runs"};
    for (size_t i = 0; i < sizeof names / sizeof *names; ++i) {
        ic_conv other = *conv;
        if (strcmp(names[i], ic_conv_algorithm_name(conv, pass)) == 0 ||
            !ic_conv_choose(&other, pass, names[i]))
            continue;
        check_integers(&other, pass);
    }
}

static void what_is_not_chosen_is_exact_too(void **state)
{
    for_each(check_algorithms);
}

/* What one thread runs alone is cut otherwise; of three pictures too, which units may share. */
static void check_alone(const ic_conv *conv, ic_conv_pass pass)
{
    if (pass != IC_CONV_FORWARD)
        return;
    for (int32_t n = conv->shape.n; n <= 3 * conv->shape.n; n += 2 * conv->shape.n) {
        ic_conv_shape shape = conv->shape;
        ic_conv many, alone;
        shape.n = n;
        ic_conv_prepare(conv->kernels, &shape, IC_CONV_INFERENCE, &many);
        ic_conv_prepare(conv->kernels, &shape, IC_CONV_ALONE, &alone);
        assert_string_equal(ic_conv_algorithm_name(&many, pass),
                            ic_conv_algorithm_name(&alone, pass));
        tensors t = make_tensors(&shape, false);
        guarded wanted = guarded_create(y_floats(&shape)), out = guarded_create(y_floats(&shape));
        run_conv(&many, pass, t.w.floats, arguments_of(&t, &wanted), false);
        run_conv(&alone, pass, t.w.floats, arguments_of(&t, &out), true);
        check_equal(&alone, pass, out.floats, wanted.floats);
        guarded_free(&wanted);
        guarded_free(&out);
        free_tensors(&t);
    }
}

static void the_cut_for_one_thread_does_not_show(void **state)
{
    for_each(check_alone);
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
int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_level_is_exact_on_integers),
        cmocka_unit_test(what_is_not_chosen_is_exact_too),
        cmocka_unit_test(the_cut_for_one_thread_does_not_show),
        cmocka_unit_test(reals_are_within_the_bound_in_any_order_of_units),
        cmocka_unit_test(gradients_are_the_adjoint),
        cmocka_unit_test(backward_data_adds_when_asked),
        cmocka_unit_test(every_count_of_channels_is_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * kernels/test_conv_fused.c: what a convolution does to its inputs and outputs on the way:
 * prologues, epilogues, sums, gradients of norms. SPDX-License-Identifier: MIT
 */
#include "conv_cases.h"

#include "base/cpu.h"

#include <math.h>
#include <stdio.h>

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

/* Where bfloat16 would not be chosen: narrow layers, whose rows it copies. */
static void check_prologue_in_bf16(const ic_conv *conv, ic_conv_pass pass)
{
    ic_conv other = *conv;
    if (ic_conv_choose(&other, pass, "bf16 runs"))
        check_prologue(&other, pass);
}

static void prologue_is_applied_to_inputs_but_not_to_padding(void **state)
{
    for_each(check_prologue);
    for_each(check_prologue_in_bf16);
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
        cmocka_unit_test(prologue_is_applied_to_inputs_but_not_to_padding),
        cmocka_unit_test(every_activation_may_come_before),
        cmocka_unit_test(epilogue_is_applied_once),
        cmocka_unit_test(forward_does_not_depend_on_the_batch),
        cmocka_unit_test(forward_sums_its_outputs),
        cmocka_unit_test(backward_data_begins_the_gradient_of_a_norm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

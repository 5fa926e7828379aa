/*
 * kernels/test_conv_chain.c: depthwise convolutions that take in the pointwise ones before and
 * behind them: the bits of one after the other. SPDX-License-Identifier: MIT
 */
#include "conv_cases.h"

#include "base/cpu.h"

/* A convolution of an inference, its packed weights, and what it does behind the products. */
typedef struct layer {
    ic_conv conv;
    tensors t;
    guarded packed, bias, residual;
    ic_epilogue epilogue;
} layer;

static layer make_layer(const ic_kernels *kernels, const int32_t *values, ic_activation activation,
                        bool with_residual)
{
    layer l;
    ic_conv_shape shape = shape_of(values);
    ic_conv_prepare(kernels, &shape, IC_CONV_INFERENCE, &l.conv);
    l.t = make_tensors(&shape, false);
    l.bias = reals((size_t)shape.k, 11);
    l.residual = reals(y_floats(&shape), 12);
    l.epilogue = (ic_epilogue){.bias = l.bias.floats,
                               .residual = with_residual ? l.residual.floats : NULL,
                               .activation = (int32_t)activation};
    l.packed = guarded_create(l.conv.plans[IC_CONV_FORWARD].packed_floats);
    for (int64_t i = 0; i < ic_conv_pack_units(&l.conv, IC_CONV_FORWARD); ++i)
        ic_conv_pack(&l.conv, IC_CONV_FORWARD, i, l.t.w.floats, l.packed.floats);
    return l;
}

static void free_layer(layer *l)
{
    guarded_free(&l->packed);
    guarded_free(&l->bias);
    guarded_free(&l->residual);
    free_tensors(&l->t);
}

static guarded run_layer(const layer *l, const guarded *x)
{
    guarded y = guarded_create(y_floats(&l->conv.shape));
    ic_conv_arguments arguments = {.x = x->floats, .out = y.floats, .epilogue = &l->epilogue};
    run_conv(&l->conv, IC_CONV_FORWARD, l->t.w.floats, arguments, false);
    return y;
}

enum { BEFORE = 1, AFTER = 2 };

/* [0]: before, [1]: depthwise, [2]: after; `ends` says which of them there are. */
static guarded run_chain(const layer *l, int32_t ends, int32_t pieces, const guarded *x)
{
    ic_conv conv = l[1].conv, row_before, row_after;
    assert_true(ic_conv_chain(&conv, ends & BEFORE ? &l[0].conv : NULL,
                              ends & AFTER ? &l[2].conv : NULL, pieces, &row_before, &row_after));
    int64_t units = ic_conv_units(&conv, IC_CONV_FORWARD, 0);
    assert_true(pieces == 1 ? units == conv.shape.n : units > conv.shape.n);
    ic_conv_link before = {
        .conv = &row_before, .packed = l[0].packed.floats, .epilogue = l[0].epilogue};
    ic_conv_link after = {
        .conv = &row_after, .packed = l[2].packed.floats, .epilogue = l[2].epilogue};
    guarded y = guarded_create(y_floats(ends & AFTER ? &l[2].conv.shape : &conv.shape));
    ic_conv_arguments arguments = {.x = x->floats,
                                   .out = y.floats,
                                   .epilogue = &l[1].epilogue,
                                   .before = ends & BEFORE ? &before : NULL,
                                   .after = ends & AFTER ? &after : NULL};
    run_conv(&conv, IC_CONV_FORWARD, l[1].t.w.floats, arguments, pieces > 1);
    return y;
}

/* The picture's sides, the channels before, between and behind, the filter, the stride. */
typedef struct chain_case {
    int32_t n, h, w, c, wide, k, filter, stride;
    ic_activation activation;
} chain_case;

static const chain_case cases[] = {
    {2, 17, 23, 8, 48, 24, 3, 1, IC_ACTIVATION_RELU6},
    {1, 18, 16, 5, 19, 7, 3, 2, IC_ACTIVATION_RELU},
    {2, 9, 31, 24, 72, 40, 5, 2, IC_ACTIVATION_HARD_SWISH},
    {1, 21, 20, 16, 33, 33, 5, 1, IC_ACTIVATION_SILU},
    {3, 5, 40, 33, 16, 3, 3, 1, IC_ACTIVATION_NONE},
    {1, 30, 260, 4, 130, 9, 3, 2, IC_ACTIVATION_RELU6}, /* rows too long for the tallest tile */
};

static void check_case(const ic_kernels *kernels, const chain_case *t, bool with_residual)
{
    int32_t f = t->filter, s = t->stride, pad = f / 2;
    int32_t oh = (t->h + 2 * pad - f) / s + 1, ow = (t->w + 2 * pad - f) / s + 1;
    const int32_t before[16] = {t->n, t->h, t->w, t->c, t->wide, 1, 1, 1, 1, 0, 0, 1, 1, 1};
    const int32_t wide[16] = {t->n, t->h, t->w, t->wide, t->wide, f, f,
                              s,    s,    pad,  pad,     1,       1, t->wide};
    const int32_t after[16] = {t->n, oh, ow, t->wide, t->k, 1, 1, 1, 1, 0, 0, 1, 1, 1};
    layer l[3] = {make_layer(kernels, before, t->activation, false),
                  make_layer(kernels, wide, t->activation, with_residual),
                  make_layer(kernels, after, IC_ACTIVATION_NONE, with_residual)};
    for (int32_t ends = BEFORE; ends <= (BEFORE | AFTER); ++ends) {
        if (ends & AFTER)
            l[1].epilogue.residual = NULL; /* it would have to be read row by row */
        const guarded *x = ends & BEFORE ? &l[0].t.x : &l[1].t.x;
        guarded first = ends & BEFORE ? run_layer(&l[0], x) : *x;
        guarded second = run_layer(&l[1], &first);
        guarded third = ends & AFTER ? run_layer(&l[2], &second) : second;
        for (int32_t pieces = 1; pieces <= 5; pieces += 2) {
            guarded y = run_chain(l, ends, pieces, x);
            assert_int_equal(y.count, third.count);
            assert_memory_equal(y.floats, third.floats, y.count * sizeof(float));
            guarded_free(&y);
        }
        if (ends & BEFORE)
            guarded_free(&first);
        if (ends & AFTER)
            guarded_free(&third);
        guarded_free(&second);
    }
    for (int32_t i = 0; i < 3; ++i)
        free_layer(&l[i]);
}

static void chains_keep_the_bits(void **state)
{
    for (int32_t level = IC_CPU_C; level < IC_CPU_ALL_LEVELS; ++level)
        for (size_t i = 0; i < sizeof cases / sizeof *cases && ic_cpu_has((ic_cpu_level)level);
             ++i) {
            const ic_kernels *kernels = ic_kernels_at((ic_cpu_level)level);
            check_case(kernels, &cases[i], false);
            check_case(kernels, &cases[i], true);
        }
}

static void only_neighbours_can_be_taken_in(void **state)
{
    const ic_kernels *kernels = ic_kernels_at(IC_CPU_C);
    const int32_t wide[16] = {1, 8, 8, 32, 32, 3, 3, 1, 1, 1, 1, 1, 1, 32};
    const int32_t filter[16] = {1, 8, 8, 32, 32, 3, 3, 1, 1, 1, 1, 1, 1, 1};
    const int32_t narrow[16] = {1, 8, 3, 32, 32, 3, 3, 1, 1, 1, 1, 1, 1, 32};
    const int32_t linear[16] = {1, 1, 2, 8 * 8 * 32, 10, 1, 1, 1, 1, 0, 0, 1, 1, 1};
    const int32_t taller[16] = {1, 9, 8, 32, 32, 1, 1, 1, 1, 0, 0, 1, 1, 1};
    ic_conv conv, other, before, after;
    ic_conv_shape shape = shape_of(wide);
    ic_conv_prepare(kernels, &shape, IC_CONV_INFERENCE, &conv);
    shape = shape_of(filter);
    ic_conv_prepare(kernels, &shape, IC_CONV_INFERENCE, &other);
    ic_conv as_it_was = conv;
    assert_false(ic_conv_chain(&conv, &other, NULL, 1, &before, &after));
    assert_false(ic_conv_chain(&conv, NULL, &other, 1, &before, &after));
    shape = shape_of(linear); /* of two pictures */
    ic_conv_prepare(kernels, &shape, IC_CONV_INFERENCE, &other);
    assert_false(ic_conv_chain(&conv, NULL, &other, 1, &before, &after));
    shape = shape_of(taller);
    ic_conv_prepare(kernels, &shape, IC_CONV_INFERENCE, &other);
    assert_false(ic_conv_chain(&conv, &other, NULL, 1, &before, &after));
    assert_false(ic_conv_chain(&conv, NULL, &other, 1, &before, &after));
    assert_memory_equal(&conv, &as_it_was, sizeof conv);
    shape = shape_of(narrow); /* for the tiles of a depthwise convolution */
    ic_conv_prepare(kernels, &shape, IC_CONV_INFERENCE, &conv);
    assert_false(ic_conv_chain(&conv, NULL, NULL, 1, &before, &after));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chains_keep_the_bits),
        cmocka_unit_test(only_neighbours_can_be_taken_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

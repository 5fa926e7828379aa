/*
 * kernels/test_conv_winograd.c: Winograd's convolution at every level against the definition:
 * within 1e-5 of the largest value, with pictures that no tile divides. SPDX-License-Identifier:
 * MIT
 */
#include "conv_harness.h"
#include "conv_reference.h"

#include "base/cpu.h"
#include "base/random.h"
#include "kernels/winograd.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* n h w c k, padding */
static const int32_t cases[][6] = {
    {1, 4, 4, 16, 16, 1},   {2, 7, 7, 33, 47, 1},  {1, 1, 1, 3, 5, 1},     {3, 5, 9, 17, 16, 1},
    {1, 30, 31, 16, 40, 1}, {2, 14, 14, 64, 1, 1}, {1, 9, 9, 20, 36, 0},   {1, 6, 8, 8, 24, 2},
    {40, 4, 4, 16, 32, 1},  {1, 57, 40, 4, 8, 1},  {9, 28, 27, 12, 20, 1}, {2, 10, 10, 1, 1, 1},
    {3, 6, 6, 40, 36, 1},   {5, 3, 3, 33, 64, 1},  {1, 9, 10, 24, 17, 1},  {2, 6, 5, 200, 150, 1},
    {1, 2, 2, 330, 290, 1},
};

/* For those that transform the filters of large layers as they go: one block of tiles, two. */
static const int32_t deep_cases[][6] = {
    {1, 2, 2, 660, 290, 1},
    {2, 4, 5, 260, 180, 1},
    {65, 1, 1, 230, 190, 1},
};

/* For the one that keeps half of the transform of large layers: few tiles, many, several blocks. */
static const int32_t large_cases[][6] = {
    {1, 3, 3, 384, 310, 1},
    {2, 2, 5, 500, 260, 1},
    {9, 1, 1, 290, 405, 1},
    {66, 1, 1, 1100, 110, 1},
};

enum {
    CASES = sizeof cases / sizeof *cases,
    DEEP_CASES = sizeof deep_cases / sizeof *deep_cases,
    LARGE_CASES = sizeof large_cases / sizeof *large_cases
};

static const double TOLERANCE = 1e-5;

static ic_conv_shape shape_of(const int32_t *v)
{
    return (ic_conv_shape){.n = v[0],
                           .h = v[1],
                           .w = v[2],
                           .c = v[3],
                           .oh = v[1] + 2 * v[5] - 2,
                           .ow = v[2] + 2 * v[5] - 2,
                           .k = v[4],
                           .r = 3,
                           .s = 3,
                           .stride_h = 1,
                           .stride_w = 1,
                           .pad_h = v[5],
                           .pad_w = v[5],
                           .dilation_h = 1,
                           .dilation_w = 1,
                           .groups = 1};
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
    guarded x, d_y, w, scale, shift, bias, residual;
} tensors;

static tensors make_tensors(const ic_conv_shape *p)
{
    return (tensors){.x = reals(x_floats(p), 1),
                     .d_y = reals(y_floats(p), 2),
                     .w = reals(w_floats(p), 3),
                     .scale = reals((size_t)p->c, 4),
                     .shift = reals((size_t)p->c, 5),
                     .bias = reals((size_t)p->k, 6),
                     .residual = reals(y_floats(p), 7)};
}

static void free_tensors(tensors *t)
{
    guarded_free(&t->x);
    guarded_free(&t->d_y);
    guarded_free(&t->w);
    guarded_free(&t->scale);
    guarded_free(&t->shift);
    guarded_free(&t->bias);
    guarded_free(&t->residual);
}

static void reference(const ic_conv_shape *p, ic_conv_pass pass, const float *x, const tensors *t,
                      float *out)
{
    if (pass == IC_CONV_FORWARD)
        conv_reference_forward(p, x, t->w.floats, out);
    else if (pass == IC_CONV_BACKWARD_DATA)
        conv_reference_backward_data(p, t->d_y.floats, t->w.floats, out);
    else
        conv_reference_backward_weights(p, x, t->d_y.floats, out);
}

/* scaled_by: the values whose largest one the tolerance is a share of. */
static void check_close(const ic_conv *conv, ic_conv_pass pass, const float *got,
                        const float *wanted, const float *scaled_by)
{
    size_t count = out_floats(&conv->shape, pass);
    double largest = 0;
    for (size_t i = 0; i < count; ++i)
        largest = fmax(largest, fabs((double)scaled_by[i]));
    for (size_t i = 0; i < count; ++i)
        if (!(fabs((double)got[i] - wanted[i]) <= TOLERANCE * largest)) {
            const ic_conv_shape *p = &conv->shape;
            fail_msg("%s, pass %d, n%d %dx%d c%d k%d: element %zu is %g, not %g of at most %g",
                     conv->kernels->name, (int)pass, p->n, p->h, p->w, p->c, p->k, i,
                     (double)got[i], (double)wanted[i], largest);
        }
}

typedef void (*check_fn)(const ic_conv *conv, ic_conv_pass pass);

/* Checks an algorithm, which has to be one of those that can do it, or must not. */
static void check_named(check_fn check, ic_conv *conv, ic_conv_pass pass, const char *name,
                        bool can)
{
    assert_int_equal(ic_conv_choose(conv, pass, name), can);
    if (can)
        check(conv, pass);
}

typedef struct case_list {
    const int32_t (*cases)[6];
    int32_t count;
    int32_t passes;             /* that are checked, from the forward one on */
    const char *fours, *threes; /* the algorithms, by the size of their tiles */
} case_list;

static void for_each_of(const case_list *list, check_fn check, const ic_kernels *kernels)
{
    bool has_threes = kernels->winograd[IC_WINOGRAD_3].out == 3;
    for (int32_t i = 0; i < list->count; ++i) {
        ic_conv_shape shape = shape_of(list->cases[i]);
        ic_conv conv;
        ic_conv_prepare(kernels, &shape, IC_CONV_TRAINING, &conv);
        for (int32_t pass = 0; pass < list->passes; ++pass) {
            check_named(check, &conv, (ic_conv_pass)pass, list->fours, true);
            check_named(check, &conv, (ic_conv_pass)pass, list->threes, has_threes);
        }
    }
}

static const case_list lists[] = {
    {cases, CASES, IC_CONV_PASSES, "winograd", "winograd_3"},
    {deep_cases, DEEP_CASES, IC_CONV_BACKWARD_WEIGHTS, "winograd_large", "winograd_large_3"},
};

static void for_each_large_case(check_fn check, const ic_kernels *kernels)
{
    for (int32_t i = 0; i < LARGE_CASES; ++i) {
        ic_conv_shape shape = shape_of(large_cases[i]);
        ic_conv conv;
        ic_conv_prepare(kernels, &shape, IC_CONV_INFERENCE, &conv);
        assert_true(ic_conv_choose(&conv, IC_CONV_FORWARD, "winograd_half"));
        check(&conv, IC_CONV_FORWARD);
    }
}

static void for_each(check_fn check)
{
    for (int32_t level = IC_CPU_C; level < IC_CPU_LEVELS; ++level)
        if (ic_cpu_has((ic_cpu_level)level)) {
            for (size_t i = 0; i < sizeof lists / sizeof *lists; ++i)
                for_each_of(&lists[i], check, ic_kernels_at((ic_cpu_level)level));
            for_each_large_case(check, ic_kernels_at((ic_cpu_level)level));
        }
}

static void check_plain(const ic_conv *conv, ic_conv_pass pass)
{
    size_t count = out_floats(&conv->shape, pass);
    tensors t = make_tensors(&conv->shape);
    guarded wanted = guarded_create(count), out = guarded_create(count),
            again = guarded_create(count);
    reference(&conv->shape, pass, t.x.floats, &t, wanted.floats);
    ic_conv_arguments arguments = {.x = t.x.floats, .d_y = t.d_y.floats, .out = out.floats};
    run_conv(conv, pass, t.w.floats, arguments, false);
    check_close(conv, pass, out.floats, wanted.floats, wanted.floats);
    arguments.out = again.floats;
    run_conv(conv, pass, t.w.floats, arguments, true);
    assert_memory_equal(out.floats, again.floats, count * sizeof(float));
    guarded_free(&wanted);
    guarded_free(&out);
    guarded_free(&again);
    free_tensors(&t);
}

static void every_level_is_close_to_the_definition_in_any_order_of_units(void **state)
{
    for_each(check_plain);
}

static void check_prologue(const ic_conv *conv, ic_conv_pass pass)
{
    static const ic_activation activations[] = {IC_ACTIVATION_NONE, IC_ACTIVATION_RELU,
                                                IC_ACTIVATION_RELU6, IC_ACTIVATION_SILU};
    if (pass == IC_CONV_BACKWARD_DATA)
        return;
    const ic_conv_shape *p = &conv->shape;
    size_t count = out_floats(p, pass);
    tensors t = make_tensors(p);
    guarded wanted = guarded_create(count), out = guarded_create(count),
            x = guarded_create(x_floats(p));
    for (int32_t i = 0; i < 8; ++i) {
        ic_prologue prologue = {.scale = i & 1 ? t.scale.floats : NULL,
                                .shift = i & 1 ? t.shift.floats : NULL,
                                .activation = (int32_t)activations[i / 2]};
        if (prologue.scale != NULL)
            conv->kernels->affine((int64_t)p->n * p->h * p->w, p->c, t.x.floats, prologue.scale,
                                  prologue.shift, activations[i / 2], x.floats);
        else
            conv->kernels->activate(activations[i / 2], (int64_t)x.count, t.x.floats, x.floats);
        reference(p, pass, x.floats, &t, wanted.floats);
        ic_conv_arguments arguments = {
            .x = t.x.floats, .d_y = t.d_y.floats, .out = out.floats, .prologue = &prologue};
        run_conv(conv, pass, t.w.floats, arguments, false);
        check_close(conv, pass, out.floats, wanted.floats, wanted.floats);
    }
    guarded_free(&wanted);
    guarded_free(&out);
    guarded_free(&x);
    free_tensors(&t);
}

static void prologues_are_applied_to_inputs_but_not_to_padding(void **state)
{
    for_each(check_prologue);
}

static void check_epilogue(const ic_conv *conv, ic_conv_pass pass)
{
    static const ic_activation activations[] = {IC_ACTIVATION_NONE, IC_ACTIVATION_RELU,
                                                IC_ACTIVATION_RELU6, IC_ACTIVATION_HARD_SWISH};
    if (pass != IC_CONV_FORWARD)
        return;
    const ic_conv_shape *p = &conv->shape;
    size_t count = y_floats(p);
    tensors t = make_tensors(p);
    guarded plain = guarded_create(count), wanted = guarded_create(count),
            out = guarded_create(count);
    reference(p, pass, t.x.floats, &t, plain.floats);
    for (int32_t i = 0; i < 16; ++i) {
        ic_epilogue epilogue = {.bias = i & 1 ? t.bias.floats : NULL,
                                .residual = i & 2 ? t.residual.floats : NULL,
                                .activation = (int32_t)activations[i / 4]};
        for (size_t j = 0; j < count; ++j)
            wanted.floats[j] = plain.floats[j] +
                               (epilogue.bias != NULL ? epilogue.bias[j % (size_t)p->k] : 0) +
                               (epilogue.residual != NULL ? epilogue.residual[j] : 0);
        conv->kernels->activate(activations[i / 4], (int64_t)count, wanted.floats, wanted.floats);
        ic_conv_arguments arguments = {.x = t.x.floats, .out = out.floats, .epilogue = &epilogue};
        run_conv(conv, pass, t.w.floats, arguments, false);
        check_close(conv, pass, out.floats, wanted.floats, plain.floats);
    }
    guarded_free(&plain);
    guarded_free(&wanted);
    guarded_free(&out);
    free_tensors(&t);
}

static void epilogues_are_applied_once(void **state)
{
    for_each(check_epilogue);
}

static void check_accumulate(const ic_conv *conv, ic_conv_pass pass)
{
    if (pass != IC_CONV_BACKWARD_DATA)
        return;
    size_t count = x_floats(&conv->shape);
    tensors t = make_tensors(&conv->shape);
    guarded wanted = guarded_create(count), out = guarded_create(count);
    reference(&conv->shape, pass, t.x.floats, &t, wanted.floats);
    for (size_t i = 0; i < count; ++i) {
        out.floats[i] = t.x.floats[i];
        wanted.floats[i] += t.x.floats[i];
    }
    ic_conv_arguments arguments = {.d_y = t.d_y.floats, .out = out.floats, .accumulate = true};
    run_conv(conv, pass, t.w.floats, arguments, false);
    check_close(conv, pass, out.floats, wanted.floats, wanted.floats);
    guarded_free(&wanted);
    guarded_free(&out);
    free_tensors(&t);
}

static void backward_data_adds_when_asked(void **state)
{
    for_each(check_accumulate);
}

/* The first picture alone gives the bits that it has within a batch, in blocks or in phases. */
static void check_batch(const ic_conv *conv, ic_conv_pass pass)
{
    if (pass != IC_CONV_FORWARD || conv->shape.n == 1)
        return;
    ic_conv_shape one = conv->shape;
    one.n = 1;
    ic_conv alone;
    ic_conv_prepare(conv->kernels, &one, conv->use, &alone);
    assert_true(ic_conv_choose(&alone, pass, ic_conv_algorithm_name(conv, pass)));
    tensors t = make_tensors(&conv->shape);
    guarded out = guarded_create(y_floats(&conv->shape)), first = guarded_create(y_floats(&one));
    ic_conv_arguments arguments = {.x = t.x.floats, .out = out.floats};
    run_conv(conv, pass, t.w.floats, arguments, false);
    arguments.out = first.floats;
    run_conv(&alone, pass, t.w.floats, arguments, false);
    assert_memory_equal(out.floats, first.floats, first.count * sizeof(float));
    guarded_free(&out);
    guarded_free(&first);
    free_tensors(&t);
}

static void forward_does_not_depend_on_the_batch(void **state)
{
    for_each(check_batch);
}

/* Weights whose transform is finished on the way give the bits of those that were transformed. */
static void check_halves(const ic_conv *conv, ic_conv_pass pass)
{
    ic_conv whole = *conv;
    if (pass != IC_CONV_FORWARD || conv->use != IC_CONV_INFERENCE)
        return;
    assert_true(ic_conv_choose(&whole, pass, "winograd"));
    tensors t = make_tensors(&conv->shape);
    guarded out = guarded_create(y_floats(&conv->shape)),
            wanted = guarded_create(y_floats(&conv->shape));
    ic_conv_arguments arguments = {.x = t.x.floats, .out = wanted.floats};
    run_conv(&whole, pass, t.w.floats, arguments, false);
    arguments.out = out.floats;
    run_conv(conv, pass, t.w.floats, arguments, true);
    assert_memory_equal(out.floats, wanted.floats, out.count * sizeof(float));
    guarded_free(&out);
    guarded_free(&wanted);
    free_tensors(&t);
}

static void half_transforms_give_the_bits_of_whole_ones(void **state)
{
    for_each(check_halves);
}

/* The sums are those of the outputs, and the norm's gradient is the one made afterwards. */
static void check_sums(const ic_conv *conv, ic_conv_pass pass)
{
    if (pass == IC_CONV_BACKWARD_WEIGHTS)
        return;
    const ic_conv_shape *p = &conv->shape;
    bool forward = pass == IC_CONV_FORWARD;
    size_t count = out_floats(p, pass), channels = (size_t)(forward ? p->k : p->c);
    int32_t blocks = conv->plans[pass].sum_blocks;
    assert_true(blocks > 0);
    tensors t = make_tensors(p);
    guarded plain = guarded_create(count), out = guarded_create(count),
            sums = guarded_create(2 * (size_t)blocks * channels);
    float *whole = calloc(2 * channels, sizeof *whole);
    ic_conv_arguments arguments = {.x = t.x.floats, .d_y = t.d_y.floats, .out = plain.floats};
    run_conv(conv, pass, t.w.floats, arguments, false);
    if (forward)
        conv->kernels->channel_sums((int64_t)(count / channels), p->k, plain.floats, whole,
                                    whole + channels);
    else
        conv->kernels->norm_gradient((int64_t)(count / channels), p->c, p->c, t.x.floats,
                                     t.scale.floats, t.shift.floats, t.shift.floats,
                                     IC_ACTIVATION_RELU6, plain.floats, plain.floats, whole,
                                     whole + channels);
    ic_norm_gradient gradient = {.x = t.x.floats,
                                 .scale = t.scale.floats,
                                 .shift = t.shift.floats,
                                 .mean = t.shift.floats,
                                 .activation = IC_ACTIVATION_RELU6};
    arguments.out = out.floats;
    arguments.sums = sums.floats;
    arguments.gradient = forward ? NULL : &gradient;
    run_conv(conv, pass, t.w.floats, arguments, false);
    assert_memory_equal(out.floats, plain.floats, count * sizeof(float));
    for (size_t k = 0; k < 2 * channels; ++k) {
        double sum = 0;
        for (int32_t i = 0; i < blocks; ++i)
            sum += (double)sums.floats[(size_t)i * 2 * channels + k];
        assert_true(fabs(sum - (double)whole[k]) <= 1e-4 * sqrt((double)count) + 1e-5 * fabs(sum));
    }
    free(whole);
    guarded_free(&plain);
    guarded_free(&out);
    guarded_free(&sums);
    free_tensors(&t);
}

static void sums_are_taken_on_the_way(void **state)
{
    for_each(check_sums);
}

static bool is_of_threes(const ic_kernels *kernels, int32_t side, ic_conv_pass pass)
{
    const int32_t square[] = {32, side, side, 128, 128, 1};
    ic_conv_shape shape = shape_of(square);
    ic_conv conv;
    ic_conv_prepare(kernels, &shape, IC_CONV_TRAINING, &conv);
    const char *name = ic_conv_algorithm_name(&conv, pass);
    return strcmp(name + strlen(name) - 2, "_3") == 0;
}

/* Of few pictures the weights count too, of which there are fewer in tiles of 3x3. */
static void sizes_of_tiles_are_those_that_waste_less(void **state)
{
    static const int32_t threes[] = {3, 5, 6, 9}, fours[] = {4, 7, 8, 10, 12, 16};
    for (int32_t level = IC_CPU_C; level <= IC_CPU_AVX512; ++level) {
        const ic_kernels *kernels = ic_kernels_at((ic_cpu_level)level);
        bool has = kernels->winograd[IC_WINOGRAD_3].out == 3;
        for (int32_t pass = 0; pass < IC_CONV_PASSES; ++pass) {
            for (size_t i = 0; i < sizeof threes / sizeof *threes; ++i)
                assert_int_equal(is_of_threes(kernels, threes[i], (ic_conv_pass)pass), has);
            for (size_t i = 0; i < sizeof fours / sizeof *fours; ++i)
                assert_false(is_of_threes(kernels, fours[i], (ic_conv_pass)pass));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_level_is_close_to_the_definition_in_any_order_of_units),
        cmocka_unit_test(prologues_are_applied_to_inputs_but_not_to_padding),
        cmocka_unit_test(epilogues_are_applied_once),
        cmocka_unit_test(backward_data_adds_when_asked),
        cmocka_unit_test(forward_does_not_depend_on_the_batch),
        cmocka_unit_test(half_transforms_give_the_bits_of_whole_ones),
        cmocka_unit_test(sums_are_taken_on_the_way),
        cmocka_unit_test(sizes_of_tiles_are_those_that_waste_less),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

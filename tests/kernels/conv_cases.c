/* kernels/conv_cases.c: see conv_cases.h; the shapes leave rests everywhere.
 * SPDX-License-Identifier: MIT */
#include "conv_cases.h"
#include "conv_reference.h"

#include "base/cpu.h"
#include "base/random.h"

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
    {2, 7, 7, 512, 9, 3, 3, 2, 2, 1, 1, 1, 1, 1, 0, 0}, /* patches of multiples of 1 KB */
    {2, 7, 7, 128, 9, 3, 3, 2, 2, 1, 1, 1, 1, 1, 0, 0},
    {1, 6, 6, 128, 8, 2, 2, 1, 1, 0, 0, 1, 1, 2, 0, 0},
    {1, 5, 5, 256, 9, 1, 1, 1, 1, 0, 0, 1, 1, 1, 0, 0},
};

enum { CASES = sizeof cases / sizeof *cases };

static int32_t output_size(int32_t in, int32_t taps, int32_t stride, int32_t pad, int32_t dilation)
{
    return (in + 2 * pad - dilation * (taps - 1) - 1) / stride + 1;
}

ic_conv_shape shape_of(const int32_t *v)
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

void name_case(const ic_conv *conv, ic_conv_pass pass)
{
    const ic_conv_shape *p = &conv->shape;
    print_message(
        "    at %s, pass %d by %s: n%d %dx%d c%d -> %dx%d k%d, filter %dx%d, stride %dx%d, "
        "pad %dx%d, dilation %dx%d, groups %d\n",
        conv->kernels->name, (int)pass, ic_conv_algorithm_name(conv, pass), p->n, p->h, p->w, p->c,
        p->oh, p->ow, p->k, p->r, p->s, p->stride_h, p->stride_w, p->pad_h, p->pad_w, p->dilation_h,
        p->dilation_w, p->groups);
}

guarded integers(size_t count, uint64_t seed, int32_t range)
{
    guarded g = guarded_create(count);
    ic_random random = ic_random_at(seed, IC_USE_WEIGHTS, 0, 0);
    for (size_t i = 0; i < count; ++i)
        g.floats[i] = (float)ic_random_below(&random, (uint64_t)(2 * range + 1)) - (float)range;
    return g;
}

guarded reals(size_t count, uint64_t seed)
{
    guarded g = guarded_create(count);
    ic_random random = ic_random_at(seed, IC_USE_WEIGHTS, 0, 0);
    for (size_t i = 0; i < count; ++i)
        g.floats[i] = (float)ic_random_range(&random, -1, 1);
    return g;
}

tensors make_tensors(const ic_conv_shape *p, bool integral)
{
    tensors t;
    t.x = integral ? integers(x_floats(p), 1, 4) : reals(x_floats(p), 1);
    t.d_y = integral ? integers(y_floats(p), 2, 4) : reals(y_floats(p), 2);
    t.w = integral ? integers(w_floats(p), 3, 4) : reals(w_floats(p), 3);
    return t;
}

void free_tensors(tensors *t)
{
    guarded_free(&t->x);
    guarded_free(&t->d_y);
    guarded_free(&t->w);
}

void reference(const ic_conv_shape *p, ic_conv_pass pass, const tensors *t, float *out)
{
    if (pass == IC_CONV_FORWARD)
        conv_reference_forward(p, t->x.floats, t->w.floats, out);
    else if (pass == IC_CONV_BACKWARD_DATA)
        conv_reference_backward_data(p, t->d_y.floats, t->w.floats, out);
    else
        conv_reference_backward_weights(p, t->x.floats, t->d_y.floats, out);
}

ic_conv_arguments arguments_of(const tensors *t, guarded *out)
{
    return (ic_conv_arguments){.x = t->x.floats, .d_y = t->d_y.floats, .out = out->floats};
}

void take_exact(ic_conv *conv, ic_conv_pass pass)
{
    if (strncmp(ic_conv_algorithm_name(conv, pass), "winograd", 8) == 0)
        assert_true(ic_conv_choose(conv, pass, "rows") || ic_conv_choose(conv, pass, "runs"));
}

void for_each(check_fn check)
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

void check_equal(const ic_conv *conv, ic_conv_pass pass, const float *got, const float *wanted)
{
    size_t count = out_floats(&conv->shape, pass);
    for (size_t i = 0; i < count; ++i)
        if (!(got[i] == wanted[i])) {
            name_case(conv, pass);
            fail_msg("element %zu is %g, not %g", i, (double)got[i], (double)wanted[i]);
        }
}

/* tests/kernels/test_pool.c: maximum and average pooling. SPDX-License-Identifier: MIT */
#include "kernels/kernel_test.h"

/* h w c, r s, stride, pad, count_padding; the output's size is derived. */
static const int32_t shapes[][10] = {
    {4, 4, 6, 2, 2, 2, 2, 0, 0, 0},     {28, 28, 1, 2, 2, 2, 2, 0, 0, 0},
    {7, 9, 17, 3, 3, 2, 2, 1, 1, 0},    {7, 9, 64, 3, 3, 2, 2, 1, 1, 1},
    {13, 5, 130, 3, 3, 1, 1, 1, 1, 1},  {9, 8, 16, 3, 2, 2, 1, 0, 1, 0},
    {5, 5, 3, 5, 5, 1, 1, 0, 0, 0},     {20, 17, 4, 16, 16, 1, 1, 0, 0, 1},
    {1, 1, 40, 1, 1, 1, 1, 0, 0, 0},    {6, 6, 96, 2, 2, 1, 1, 1, 1, 1},
    {10, 11, 257, 2, 2, 2, 2, 0, 0, 0}, {8, 8, 24, 2, 2, 2, 2, 0, 0, 1},
    {7, 6, 32, 3, 3, 2, 2, 1, 1, 1},    {6, 6, 48, 2, 2, 2, 2, 0, 0, 0},
    {5, 8, 3, 2, 2, 2, 2, 0, 0, 0},     {4, 7, 200, 2, 2, 2, 2, 0, 0, 0},
};
enum { SHAPES = sizeof(shapes) / sizeof(shapes[0]) };

static ic_window window_of(const int32_t *s)
{
    ic_window w = {.h = s[0], .w = s[1], .c = s[2], .r = s[3], .s = s[4]};
    w.stride_h = s[5];
    w.stride_w = s[6];
    w.pad_h = s[7];
    w.pad_w = s[8];
    w.count_padding = s[9] != 0;
    w.oh = (w.h + 2 * w.pad_h - w.r) / w.stride_h + 1;
    w.ow = (w.w + 2 * w.pad_w - w.s) / w.stride_w + 1;
    return w;
}

static size_t input_count(const ic_window *w)
{
    return (size_t)w->h * (size_t)w->w * (size_t)w->c;
}

static size_t output_count(const ic_window *w)
{
    return (size_t)w->oh * (size_t)w->ow * (size_t)w->c;
}

/* The element of x under place (row, column) of the window of output element `at`; -1: outside. */
static int64_t under(const ic_window *w, size_t at, int32_t row, int32_t column)
{
    const int32_t k = (int32_t)(at % (size_t)w->c);
    const size_t pixel = at / (size_t)w->c;
    const int32_t oh = (int32_t)(pixel / (size_t)w->ow), ow = (int32_t)(pixel % (size_t)w->ow);
    const int32_t h = oh * w->stride_h - w->pad_h + row;
    const int32_t x = ow * w->stride_w - w->pad_w + column;
    if (h < 0 || h >= w->h || x < 0 || x >= w->w)
        return -1;
    return ((int64_t)h * w->w + x) * w->c + k;
}

/* The maximum and the first place that has it, one element at a time; ties are many on integers. */
static void check_max(const ic_kernels *kernels, const ic_window *w)
{
    const size_t in = input_count(w), out = output_count(w);
    float *x = floats(in), *y = floats(out), *alone = floats(out);
    uint8_t *index = guarded(out, 1);
    fill_integers(x, in, 1.0f, 1);
    const int32_t cut = w->oh / 2; /* in two pieces */
    kernels->max_pool(w, cut, w->oh, x, y, index);
    kernels->max_pool(w, 0, cut, x, y, index);
    kernels->max_pool(w, 0, w->oh, x, alone, NULL);
    for (size_t at = 0; at < out; at++) {
        float best = -INFINITY;
        int32_t place = -1;
        for (int32_t row = 0; row < w->r; row++) {
            for (int32_t column = 0; column < w->s; column++) {
                const int64_t from = under(w, at, row, column);
                if (from >= 0 && x[from] > best) {
                    best = x[from];
                    place = row * w->s + column;
                }
            }
        }
        assert_true(y[at] == best && alone[at] == best);
        assert_int_equal(index[at], place);
        assert_true(x[under(w, at, index[at] / w->s, index[at] % w->s)] == y[at]);
    }
    release_floats(x, in);
    release_floats(y, out);
    release_floats(alone, out);
    release(index, out, 1);
}

static void test_max(void **state)
{
    (void)state;
    FOR_EACH_LEVEL(kernels)
    for (int32_t i = 0; i < SHAPES; i++) {
        const ic_window window = window_of(shapes[i]);
        check_max(kernels, &window);
    }
}

/* A NaN anywhere in a window is the window's maximum, and no other window's. */
static void test_nan_is_the_maximum(void **state)
{
    (void)state;
    FOR_EACH_LEVEL(kernels)
    for (int32_t i = 0; i < SHAPES; i++) {
        const ic_window w = window_of(shapes[i]);
        const size_t in = input_count(&w), out = output_count(&w);
        float *x = floats(in), *y = floats(out), *alone = floats(out);
        uint8_t *index = guarded(out, 1);
        fill_reals(x, in, 1.0f, 2);
        for (size_t k = 3; k < in; k += 29)
            x[k] = NAN;
        kernels->max_pool(&w, 0, w.oh, x, y, index);
        kernels->max_pool(&w, 0, w.oh, x, alone, NULL);
        for (size_t at = 0; at < out; at++) {
            bool inside = false;
            for (int32_t place = 0; place < w.r * w.s; place++) {
                const int64_t from = under(&w, at, place / w.s, place % w.s);
                inside = inside || (from >= 0 && isnan(x[from]));
            }
            assert_int_equal(isnan(y[at]) != 0, inside);
            assert_int_equal(isnan(alone[at]) != 0, inside);
            const int64_t won = under(&w, at, index[at] / w.s, index[at] % w.s);
            assert_true(won >= 0 && (isnan(x[won]) != 0) == inside);
        }
        release_floats(x, in);
        release_floats(y, out);
        release_floats(alone, out);
        release(index, out, 1);
    }
}

/*
 * With the winners fixed, max pooling picks elements: <d_y, pick(v)> = <spread(d_y), v> exactly on
 * integers, for any v; and what was in d_x before stays in the sum, or does not.
 */
static void check_max_adjoint(const ic_kernels *kernels, const ic_window *w, bool accumulate)
{
    const size_t in = input_count(w), out = output_count(w);
    float *x = floats(in), *y = floats(out), *d_y = floats(out), *d_x = floats(in);
    float *v = floats(in);
    uint8_t *index = guarded(out, 1);
    fill_reals(x, in, 1.0f, 3);
    fill_integers(d_y, out, 1.0f, 4);
    fill_integers(v, in, 1.0f, 5);
    fill_integers(d_x, in, 1.0f, 6);
    double before = 0.0, through_x = 0.0, through_y = 0.0;
    for (size_t i = 0; accumulate && i < in; i++)
        before += (double)d_x[i] * (double)v[i];
    kernels->max_pool(w, 0, w->oh, x, y, index);
    kernels->max_pool_backward(w, accumulate, d_y, index, d_x);
    for (size_t i = 0; i < in; i++)
        through_x += (double)d_x[i] * (double)v[i];
    for (size_t at = 0; at < out; at++) {
        const int64_t won = under(w, at, index[at] / w->s, index[at] % w->s);
        through_y += (double)d_y[at] * (double)v[won];
    }
    assert_true(through_x - before == through_y);
    release_floats(x, in);
    release_floats(y, out);
    release_floats(d_y, out);
    release_floats(d_x, in);
    release_floats(v, in);
    release(index, out, 1);
}

static void test_max_adjoint(void **state)
{
    (void)state;
    FOR_EACH_LEVEL(kernels)
    for (int32_t i = 0; i < SHAPES; i++) {
        const ic_window window = window_of(shapes[i]);
        check_max_adjoint(kernels, &window, true);
        check_max_adjoint(kernels, &window, false);
    }
}

static void check_average(const ic_kernels *kernels, const ic_window *w)
{
    const size_t in = input_count(w), out = output_count(w);
    float *x = floats(in), *y = floats(out);
    fill_reals(x, in, 2.0f, 7);
    const int32_t cut = w->oh / 2;
    kernels->average_pool(w, cut, w->oh, x, y);
    kernels->average_pool(w, 0, cut, x, y);
    for (size_t at = 0; at < out; at++) {
        double sum = 0.0, size = 0.0;
        int32_t taps = 0;
        for (int32_t place = 0; place < w->r * w->s; place++) {
            const int64_t from = under(w, at, place / w->s, place % w->s);
            if (from < 0)
                continue;
            sum += (double)x[from];
            size += fabs((double)x[from]);
            taps++;
        }
        const double divisor = w->count_padding ? w->r * w->s : taps;
        assert_near(y[at], sum / divisor, ldexp((taps + 1) * size / divisor, -24), "average_pool",
                    kernels->name, (int64_t)at);
    }
    release_floats(x, in);
    release_floats(y, out);
}

static void test_average(void **state)
{
    (void)state;
    FOR_EACH_LEVEL(kernels)
    for (int32_t i = 0; i < SHAPES; i++) {
        const ic_window window = window_of(shapes[i]);
        check_average(kernels, &window);
    }
}

/* Multiples of 3600 divide by every count of taps here (1 to 6, 8, 9, 25, 256 but for 225): exact.
 */
static void check_average_adjoint(const ic_kernels *kernels, const ic_window *w)
{
    const size_t in = input_count(w), out = output_count(w);
    float *x = floats(in), *y = floats(out), *d_y = floats(out), *d_x = floats(in);
    fill_integers(x, in, 3600.0f, 8);
    fill_integers(d_y, out, 3600.0f, 9);
    memset(d_x, 0, in * sizeof(float));
    kernels->average_pool(w, 0, w->oh, x, y);
    kernels->average_pool_backward(w, d_y, d_x);
    double through_y = 0.0, through_x = 0.0;
    for (size_t at = 0; at < out; at++)
        through_y += (double)y[at] * (double)d_y[at];
    for (size_t i = 0; i < in; i++)
        through_x += (double)x[i] * (double)d_x[i];
    assert_true(through_y == through_x);
    release_floats(x, in);
    release_floats(y, out);
    release_floats(d_y, out);
    release_floats(d_x, in);
}

static void test_average_adjoint(void **state)
{
    (void)state;
    FOR_EACH_LEVEL(kernels)
    for (int32_t i = 0; i < SHAPES; i++) {
        const ic_window window = window_of(shapes[i]);
        check_average_adjoint(kernels, &window);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_max),
        cmocka_unit_test(test_nan_is_the_maximum),
        cmocka_unit_test(test_max_adjoint),
        cmocka_unit_test(test_average),
        cmocka_unit_test(test_average_adjoint),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* tests/kernels/test_norm.c: channel sums, affine maps and batch normalisation.
 * SPDX-License-Identifier: MIT */
#include "kernels/kernel_test.h"

static const int32_t channel_counts[] = {1, 3, 6, 16, 17, 24, 64, 100, 257, 512, 513, 1280};
static const int64_t row_counts[] = {1, 3, 4, 49, 130, 1001};

typedef void (*rows_test)(const ic_kernels *kernels, int64_t rows, int32_t c);

static void over_shapes(rows_test test)
{
    FOR_EACH_LEVEL(kernels)
    for (size_t i = 0; i < sizeof(channel_counts) / sizeof(channel_counts[0]); i++)
        for (size_t j = 0; j < sizeof(row_counts) / sizeof(row_counts[0]); j++)
            if (channel_counts[i] * row_counts[j] <= 100000)
                test(kernels, row_counts[j], channel_counts[i]);
}

/* Any order of n additions is within n 2^-24 of the sum of sizes, and exact on small integers. */
static void check_sums(const ic_kernels *kernels, int64_t rows, int32_t c)
{
    const size_t count = (size_t)(rows * c), channels = (size_t)c;
    float *x = floats(count);
    float *sum = floats(channels), *square = floats(channels), *alone = floats(channels);
    for (int32_t pass = 0; pass < 2; pass++) {
        const double unit = pass == 0 ? ldexp((double)rows, -24) : 0.0;
        if (pass == 0)
            fill_reals(x, count, 2.0f, 1);
        else
            fill_integers(x, count, 1.0f, 2);
        kernels->channel_sums(rows, c, x, sum, square);
        kernels->channel_sum(rows, c, x, alone);
        for (size_t k = 0; k < channels; k++) {
            double s = 0.0, size = 0.0, q = 0.0;
            for (size_t i = k; i < count; i += channels) {
                s += (double)x[i];
                size += fabs((double)x[i]);
                q += (double)x[i] * (double)x[i];
            }
            assert_near(sum[k], s, unit * size, "channel_sums", kernels->name, (int64_t)k);
            assert_near(alone[k], s, unit * size, "channel_sum", kernels->name, (int64_t)k);
            assert_near(square[k], q, unit * q, "square sum", kernels->name, (int64_t)k);
        }
        assert_same_bits(sum, alone, channels);
    }
    release_floats(x, count);
    release_floats(sum, channels);
    release_floats(square, channels);
    release_floats(alone, channels);
}

static void test_sums(void **state)
{
    (void)state;
    over_shapes(check_sums);
}

/* Summing over rows is the adjoint of adding one value to all rows: exact on integers. */
static void check_sum_adjoint(const ic_kernels *kernels, int64_t rows, int32_t c)
{
    const size_t count = (size_t)(rows * c), channels = (size_t)c;
    float *d_y = floats(count), *y = floats(count), *zero = floats(count);
    float *bias = floats(channels), *one = floats(channels), *d_bias = floats(channels);
    fill_integers(d_y, count, 1.0f, 3);
    fill_integers(bias, channels, 1.0f, 4);
    memset(zero, 0, count * sizeof(float));
    for (size_t k = 0; k < channels; k++)
        one[k] = 1.0f;
    kernels->affine(rows, c, zero, one, bias, IC_ACTIVATION_NONE, y);
    kernels->channel_sum(rows, c, d_y, d_bias);
    double through_y = 0.0, through_bias = 0.0;
    for (size_t i = 0; i < count; i++)
        through_y += (double)y[i] * (double)d_y[i];
    for (size_t k = 0; k < channels; k++)
        through_bias += (double)bias[k] * (double)d_bias[k];
    assert_true(through_y == through_bias);
    release_floats(d_y, count);
    release_floats(y, count);
    release_floats(zero, count);
    release_floats(bias, channels);
    release_floats(one, channels);
    release_floats(d_bias, channels);
}

static void test_sum_adjoint(void **state)
{
    (void)state;
    over_shapes(check_sum_adjoint);
}

/* affine then activation has the bits of affine and activate, one after the other; in place too. */
static void check_affine(const ic_kernels *kernels, int64_t rows, int32_t c)
{
    const size_t count = (size_t)(rows * c), channels = (size_t)c;
    float *x = floats(count), *y = floats(count), *expected = floats(count);
    float *scale = floats(channels), *shift = floats(channels);
    fill_reals(x, count, 3.0f, 5);
    fill_reals(scale, channels, 2.0f, 6);
    fill_reals(shift, channels, 4.0f, 7);
    kernels->affine(rows, c, x, scale, shift, IC_ACTIVATION_NONE, y);
    for (size_t i = 0; i < count; i++) {
        const double product = (double)x[i] * (double)scale[i % channels];
        const double offset = (double)shift[i % channels];
        assert_near(y[i], product + offset, ldexp(fabs(product) + fabs(product + offset), -24),
                    "affine", kernels->name, (int64_t)i);
    }
    for (int32_t kind = 0; kind < IC_ACTIVATION_COUNT; kind++) {
        kernels->affine(rows, c, x, scale, shift, IC_ACTIVATION_NONE, expected);
        kernels->activate((ic_activation)kind, (int64_t)count, expected, expected);
        kernels->affine(rows, c, x, scale, shift, (ic_activation)kind, y);
        assert_same_bits(y, expected, count);
    }
    kernels->affine(rows, c, x, scale, shift, IC_ACTIVATION_HARD_SWISH, x);
    assert_same_bits(x, y, count);
    release_floats(x, count);
    release_floats(y, count);
    release_floats(expected, count);
    release_floats(scale, channels);
    release_floats(shift, channels);
}

static void test_affine(void **state)
{
    (void)state;
    over_shapes(check_affine);
}

static void test_nan_goes_through(void **state)
{
    (void)state;
    const float one[3] = {1.0f, 1.0f, 1.0f};
    float x[12], y[12], sum[3], square[3];
    FOR_EACH_LEVEL(kernels)
    {
        fill_reals(x, 12, 1.0f, 8);
        x[7] = NAN;
        kernels->affine(4, 3, x, one, one, IC_ACTIVATION_RELU, y);
        kernels->channel_sums(4, 3, x, sum, square);
        for (int32_t i = 0; i < 12; i++)
            assert_int_equal(isnan(y[i]) != 0, i == 7);
        for (int32_t k = 0; k < 3; k++)
            assert_true((isnan(sum[k]) != 0) == (k == 1) && (isnan(square[k]) != 0) == (k == 1));
    }
}

static void check_backward_sums(const ic_kernels *kernels, int64_t rows, int32_t c)
{
    const size_t count = (size_t)(rows * c), channels = (size_t)c;
    float *x = floats(count), *d_y = floats(count);
    float *mean = floats(channels), *sum = floats(channels), *dot = floats(channels);
    for (int32_t pass = 0; pass < 2; pass++) {
        const double unit = pass == 0 ? ldexp((double)rows + 1.0, -24) : 0.0;
        if (pass == 0) {
            fill_reals(x, count, 3.0f, 9);
            fill_reals(d_y, count, 1.0f, 10);
            fill_reals(mean, channels, 1.0f, 11);
        } else {
            fill_integers(x, count, 1.0f, 9);
            fill_integers(d_y, count, 1.0f, 10);
            fill_integers(mean, channels, 1.0f, 11);
        }
        memset(sum, 0, channels * sizeof *sum);
        memset(dot, 0, channels * sizeof *dot);
        kernels->norm_gradient(rows, c, c, x, mean, mean, mean, IC_ACTIVATION_NONE, d_y, NULL, sum,
                               dot);
        for (size_t k = 0; k < channels; k++) {
            double s = 0.0, s_size = 0.0, d = 0.0, d_size = 0.0;
            for (size_t i = k; i < count; i += channels) {
                const double product = (double)d_y[i] * ((double)x[i] - (double)mean[k]);
                s += (double)d_y[i];
                s_size += fabs((double)d_y[i]);
                d += product;
                d_size += fabs(product);
            }
            assert_near(sum[k], s, unit * s_size, "sum", kernels->name, (int64_t)k);
            assert_near(dot[k], d, unit * d_size, "dot", kernels->name, (int64_t)k);
        }
    }
    release_floats(x, count);
    release_floats(d_y, count);
    release_floats(mean, channels);
    release_floats(sum, channels);
    release_floats(dot, channels);
}

static void test_backward_sums(void **state)
{
    (void)state;
    over_shapes(check_backward_sums);
}

/* With an activation, and rows of c + 3 floats of which c are worked on. */
static void check_gradient(const ic_kernels *kernels, int64_t rows, int32_t c)
{
    static const ic_activation activations[] = {IC_ACTIVATION_RELU, IC_ACTIVATION_RELU6,
                                                IC_ACTIVATION_SILU, IC_ACTIVATION_HARD_SWISH};
    const size_t ld = (size_t)c + 3, count = (size_t)rows * ld, channels = (size_t)c;
    float *x = floats(count), *d_y = floats(count), *d = floats(count), *value = floats(count);
    float *scale = floats(channels), *shift = floats(channels), *mean = floats(channels);
    float *sum = floats(channels), *dot = floats(channels);
    fill_reals(x, count, 3.0f, 21);
    fill_reals(d_y, count, 1.0f, 22);
    fill_reals(scale, channels, 2.0f, 23);
    fill_reals(shift, channels, 1.0f, 24);
    fill_reals(mean, channels, 1.0f, 25);
    for (size_t a = 0; a < sizeof activations / sizeof *activations; a++) {
        for (size_t k = 0; k < channels; k++)
            sum[k] = dot[k] = 1.0f;
        memcpy(d, d_y, count * sizeof *d);
        kernels->norm_gradient(rows, c, (int64_t)ld, x, scale, shift, mean, activations[a], d, d,
                               sum, dot);
        for (size_t i = 0; i < count; i++)
            value[i] = i % ld < channels
                           ? (float)fma((double)x[i], (double)scale[i % ld], (double)shift[i % ld])
                           : 0.0f;
        kernels->activate_backward(activations[a], (int64_t)count, value, d_y, value);
        for (size_t k = 0; k < channels; k++) {
            double s = 1.0, q = 1.0;
            for (size_t i = k; i < count; i += ld) {
                assert_near(d[i], (double)value[i], 1e-5, "gradient", kernels->name, (int64_t)i);
                s += (double)value[i];
                q += (double)value[i] * ((double)x[i] - (double)mean[k]);
            }
            assert_near(sum[k], s, 1e-5 * (double)(rows + 1), "sum", kernels->name, (int64_t)k);
            assert_near(dot[k], q, 1e-4 * (double)(rows + 1), "dot", kernels->name, (int64_t)k);
        }
        for (size_t i = 0; i < count; i++)
            if (i % ld >= channels)
                assert_true(d[i] == d_y[i]);
    }
    release_floats(x, count);
    release_floats(d_y, count);
    release_floats(d, count);
    release_floats(value, count);
    release_floats(scale, channels);
    release_floats(shift, channels);
    release_floats(mean, channels);
    release_floats(sum, channels);
    release_floats(dot, channels);
}

static void test_gradient(void **state)
{
    (void)state;
    over_shapes(check_gradient);
}

static void check_backward(const ic_kernels *kernels, int64_t rows, int32_t c)
{
    const size_t count = (size_t)(rows * c), channels = (size_t)c;
    float *x = floats(count), *d_y = floats(count), *d_x = floats(count);
    float *a = floats(channels), *b = floats(channels), *e = floats(channels);
    fill_reals(x, count, 3.0f, 12);
    fill_reals(d_y, count, 1.0f, 13);
    fill_reals(a, channels, 2.0f, 14);
    fill_reals(b, channels, 0.5f, 15);
    fill_reals(e, channels, 0.5f, 16);
    kernels->norm_backward(rows, c, x, d_y, a, b, e, d_x);
    for (size_t i = 0; i < count; i++) {
        const size_t k = i % channels;
        const double p = (double)a[k] * (double)d_y[i], q = (double)b[k] * (double)x[i];
        const double bound = ldexp(2.0 * (fabs(p) + fabs(q) + fabs((double)e[k])), -23);
        assert_near(d_x[i], p + q + (double)e[k], bound, "norm_backward", kernels->name,
                    (int64_t)i);
    }
    kernels->norm_backward(rows, c, x, d_y, a, b, e, d_y);
    assert_same_bits(d_y, d_x, count);
    release_floats(x, count);
    release_floats(d_y, count);
    release_floats(d_x, count);
    release_floats(a, channels);
    release_floats(b, channels);
    release_floats(e, channels);
}

static void test_backward(void **state)
{
    (void)state;
    over_shapes(check_backward);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sums),          cmocka_unit_test(test_sum_adjoint),
        cmocka_unit_test(test_affine),        cmocka_unit_test(test_nan_goes_through),
        cmocka_unit_test(test_backward_sums), cmocka_unit_test(test_gradient),
        cmocka_unit_test(test_backward),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* tests/kernels/test_activation.c: activations and their gradients. SPDX-License-Identifier: MIT */
#include "kernels/kernel_test.h"

static const char *const names[IC_ACTIVATION_COUNT] = {
    "none", "relu", "relu6", "silu", "gelu", "sigmoid", "hard_sigmoid", "hard_swish"};

static double clamp(double x, double low, double high)
{
    return x < low ? low : x > high ? high : x;
}

static double sigmoid(double x)
{
    return 1.0 / (1.0 + exp(-x));
}

static double normal(double x)
{
    return 0.5 * erfc(-x / sqrt(2.0));
}

static double value_of(ic_activation kind, double x)
{
    switch (kind) {
    case IC_ACTIVATION_RELU:
        return x > 0.0 ? x : 0.0;
    case IC_ACTIVATION_RELU6:
        return clamp(x, 0.0, 6.0);
    case IC_ACTIVATION_SILU:
        return x * sigmoid(x);
    case IC_ACTIVATION_GELU:
        return x * normal(x);
    case IC_ACTIVATION_SIGMOID:
        return sigmoid(x);
    case IC_ACTIVATION_HARD_SIGMOID:
        return clamp(x / 6.0 + 0.5, 0.0, 1.0);
    case IC_ACTIVATION_HARD_SWISH:
        return x * clamp(x / 6.0 + 0.5, 0.0, 1.0);
    default:
        return x;
    }
}

/*
 * Errors in units of 2^-24 of the value, which is half an ulp or less: 8 for sigmoid (2 ulp of exp,
 * an addition, a division, a product). Phi has the rounding of x^2/2 in its exponent besides. e^x
 * is 0 below 1.2e-38.
 */
static double value_bound(ic_activation kind, double x)
{
    const double unit = ldexp(1.0, -24), value = fabs(value_of(kind, x));
    switch (kind) {
    case IC_ACTIVATION_SILU:
    case IC_ACTIVATION_SIGMOID:
        return 8.0 * unit * value + 1.2e-38 * (1.0 + fabs(x));
    case IC_ACTIVATION_GELU:
        return (8.0 + x * x) * unit * value + 1.2e-38 * fabs(x);
    case IC_ACTIVATION_HARD_SIGMOID:
        return 2.0 * unit;
    case IC_ACTIVATION_HARD_SWISH:
        return 3.0 * unit * fabs(x);
    default:
        return 0.0;
    }
}

static void test_values(void **state)
{
    (void)state;
    enum { COUNT = 20011 };
    float *x = floats(COUNT), *y = floats(COUNT);
    for (int32_t i = 0; i < COUNT; i++)
        x[i] = -100.0f + 0.01f * (float)i;
    FOR_EACH_LEVEL(kernels)
    {
        for (int32_t kind = 0; kind < IC_ACTIVATION_COUNT; kind++) {
            kernels->activate((ic_activation)kind, COUNT, x, y);
            for (int32_t i = 0; i < COUNT; i++)
                assert_near(y[i], value_of((ic_activation)kind, x[i]),
                            value_bound((ic_activation)kind, x[i]), names[kind], kernels->name, i);
        }
    }
    release_floats(x, COUNT);
    release_floats(y, COUNT);
}

/* Phi(x) = gelu(x) / x: erf(x) = 2 Phi(x sqrt 2) - 1 must be within 2e-7, so Phi within 1e-7. */
static void test_erf_within_2e7(void **state)
{
    (void)state;
    enum { COUNT = 8191 };
    float *x = floats(COUNT), *y = floats(COUNT);
    for (int32_t i = 0; i < COUNT; i++)
        x[i] = 0.0015f * (float)(i - COUNT / 2) + 0.0001f;
    FOR_EACH_LEVEL(kernels)
    {
        kernels->activate(IC_ACTIVATION_GELU, COUNT, x, y);
        for (int32_t i = 0; i < COUNT; i++)
            assert_near((double)y[i] / (double)x[i], normal(x[i]),
                        1e-7 + ldexp(1.0, -24) * normal(x[i]), "Phi", kernels->name, i);
    }
    release_floats(x, COUNT);
    release_floats(y, COUNT);
}

/*
 * The slope by the 4-point stencil (f(x-2h) - 8 f(x-h) + 8 f(x+h) - f(x+2h)) / 12h of the double
 * reference; h = 2^-6 leaves h^4/30 of the fifth derivative (below 20): 4e-8. Silu multiplies the
 * error of its sigmoid by x. Corners are left out.
 */
static void test_gradients(void **state)
{
    (void)state;
    enum { COUNT = 1999 };
    const double h = ldexp(1.0, -6);
    float *x = floats(COUNT), *d_y = floats(COUNT), *d_x = floats(COUNT);
    fill_reals(x, COUNT, 9.0f, 1);
    fill_reals(d_y, COUNT, 2.0f, 2);
    FOR_EACH_LEVEL(kernels)
    {
        for (int32_t k = 0; k < IC_ACTIVATION_COUNT; k++) {
            const ic_activation kind = (ic_activation)k;
            kernels->activate_backward(kind, COUNT, x, d_y, d_x);
            for (int32_t i = 0; i < COUNT; i++) {
                const double at = x[i];
                const bool smooth = kind == IC_ACTIVATION_SILU || kind == IC_ACTIVATION_GELU ||
                                    kind == IC_ACTIVATION_SIGMOID;
                const double corner = fmin(fmin(fabs(at), fabs(at - 6.0)), fabs(fabs(at) - 3.0));
                if (!smooth && corner <= 2.0 * h)
                    continue;
                const double slope = (value_of(kind, at - 2 * h) - 8 * value_of(kind, at - h) +
                                      8 * value_of(kind, at + h) - value_of(kind, at + 2 * h)) /
                                     (12 * h);
                const double bound = ldexp(8.0 + 4.0 * fabs(at), -24) * fabs(d_y[i]) + 1e-7;
                assert_near(d_x[i], slope * (double)d_y[i], bound, names[k], kernels->name, i);
            }
        }
    }
    release_floats(x, COUNT);
    release_floats(d_y, COUNT);
    release_floats(d_x, COUNT);
}

/* A corner has the slope of its flat side, hard-swish at 3 that of its straight one. */
static void test_corners(void **state)
{
    (void)state;
    const float x[4] = {0.0f, 6.0f, -3.0f, 3.0f};
    const float d_y[4] = {1.0f, 1.0f, 1.0f, 1.0f};
    float d_x[4];
    FOR_EACH_LEVEL(kernels)
    {
        kernels->activate_backward(IC_ACTIVATION_RELU, 4, x, d_y, d_x);
        assert_true(d_x[0] == 0.0f && d_x[1] == 1.0f);
        kernels->activate_backward(IC_ACTIVATION_RELU6, 4, x, d_y, d_x);
        assert_true(d_x[0] == 0.0f && d_x[1] == 0.0f && d_x[3] == 1.0f);
        kernels->activate_backward(IC_ACTIVATION_HARD_SIGMOID, 4, x, d_y, d_x);
        assert_true(d_x[2] == 0.0f && d_x[3] == 0.0f);
        kernels->activate_backward(IC_ACTIVATION_HARD_SWISH, 4, x, d_y, d_x);
        assert_true(d_x[2] == 0.0f && d_x[3] == 1.0f);
    }
}

/* The trainer's divergence check relies on it. */
static void test_nan_stays_nan(void **state)
{
    (void)state;
    enum { COUNT = 37 };
    float *x = floats(COUNT), *y = floats(COUNT);
    FOR_EACH_LEVEL(kernels)
    {
        for (int32_t kind = 0; kind < IC_ACTIVATION_COUNT; kind++) {
            for (int32_t at = 0; at < COUNT; at++) {
                fill_reals(x, COUNT, 5.0f, 3);
                x[at] = (at & 1) != 0 ? NAN : -NAN;
                kernels->activate((ic_activation)kind, COUNT, x, y);
                for (int32_t i = 0; i < COUNT; i++)
                    assert_int_equal(isnan(y[i]) != 0, i == at);
                fill_reals(y, COUNT, 1.0f, 4);
                y[at] = NAN; /* a NaN from above, at a place that is on */
                x[at] = 2.0f;
                kernels->activate_backward((ic_activation)kind, COUNT, x, y, y);
                for (int32_t i = 0; i < COUNT; i++)
                    assert_int_equal(isnan(y[i]) != 0, i == at);
            }
        }
    }
    release_floats(x, COUNT);
    release_floats(y, COUNT);
}

static void test_extremes(void **state)
{
    (void)state;
    const float x[6] = {1e4f, -1e4f, 3e38f, -3e38f, 0.0f, 1e-40f};
    float y[6];
    FOR_EACH_LEVEL(kernels)
    {
        kernels->activate(IC_ACTIVATION_SIGMOID, 6, x, y);
        assert_true(y[0] == 1.0f && y[1] == 0.0f && y[2] == 1.0f && y[3] == 0.0f);
        assert_true(y[4] == 0.5f && y[5] == 0.5f);
        kernels->activate(IC_ACTIVATION_SILU, 6, x, y);
        assert_true(y[0] == 1e4f && y[1] == 0.0f && y[2] == 3e38f && y[3] == 0.0f && y[4] == 0.0f);
        kernels->activate(IC_ACTIVATION_GELU, 6, x, y);
        assert_true(y[0] == 1e4f && y[1] == 0.0f && y[2] == 3e38f && y[3] == 0.0f && y[4] == 0.0f);
        kernels->activate(IC_ACTIVATION_HARD_SWISH, 6, x, y);
        assert_true(y[0] == 1e4f && y[1] == 0.0f && y[2] == 3e38f && y[3] == 0.0f && y[4] == 0.0f);
    }
}

/* In place, and any count: the same bits as out of place in one piece. */
static void test_in_place_at_any_count(void **state)
{
    (void)state;
    enum { MOST = 131 };
    float *x = floats(MOST), *whole = floats(MOST), *d_y = floats(MOST);
    fill_reals(x, MOST, 8.0f, 5);
    fill_reals(d_y, MOST, 1.0f, 6);
    FOR_EACH_LEVEL(kernels)
    {
        for (int32_t k = 0; k < IC_ACTIVATION_COUNT; k++) {
            const ic_activation kind = (ic_activation)k;
            for (int32_t count = 0; count <= MOST; count++) {
                float *y = floats((size_t)count);
                memcpy(y, x, (size_t)count * sizeof(float));
                kernels->activate(kind, MOST, x, whole);
                kernels->activate(kind, count, y, y);
                assert_same_bits(y, whole, (size_t)count);
                memcpy(y, d_y, (size_t)count * sizeof(float));
                kernels->activate_backward(kind, MOST, x, d_y, whole);
                kernels->activate_backward(kind, count, x, y, y);
                assert_same_bits(y, whole, (size_t)count);
                release_floats(y, (size_t)count);
            }
        }
    }
    release_floats(x, MOST);
    release_floats(whole, MOST);
    release_floats(d_y, MOST);
}

/* The bits of the sum, then the activation; rows that are joined and rows that are apart. */
static void test_rows(void **state)
{
    (void)state;
    enum { ROWS = 13, LD = 50, COUNT = ROWS * LD };
    static const int32_t columns[] = {1, 3, 16, 17, 37, LD};
    FOR_EACH_LEVEL(kernels)
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        for (int32_t kind = 0; kind < IC_ACTIVATION_COUNT; kind++)
            for (int32_t apart = 0; apart < 2; apart++) {
                const int32_t c = columns[i], ld = apart ? LD : c;
                float *y = floats(COUNT), *expected = floats(COUNT), *bias = floats((size_t)c);
                fill_reals(y, COUNT, 4.0f, 21);
                fill_reals(bias, (size_t)c, 2.0f, 22);
                memcpy(expected, y, COUNT * sizeof *y);
                for (int32_t row = 0; row < ROWS; row++) {
                    float *at = expected + row * ld;
                    kernels->add(c, at, bias, at);
                    kernels->activate((ic_activation)kind, c, at, at);
                }
                kernels->activate_rows((ic_activation)kind, ROWS, c, ld, bias, y);
                assert_same_bits(y, expected, COUNT);
                release_floats(y, COUNT);
                release_floats(expected, COUNT);
                release_floats(bias, (size_t)c);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_erf_within_2e7),
        cmocka_unit_test(test_gradients),
        cmocka_unit_test(test_corners),
        cmocka_unit_test(test_nan_stays_nan),
        cmocka_unit_test(test_extremes),
        cmocka_unit_test(test_in_place_at_any_count),
        cmocka_unit_test(test_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

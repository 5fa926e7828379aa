/* tests/kernels/test_elementwise.c: sums, products and gates. SPDX-License-Identifier: MIT */
#include "kernels/kernel_test.h"

enum { MOST = 150 };

/* One rounding each: the bits of the plain expression, at every count, out of place and in place.
 */
static void test_maps_at_any_count(void **state)
{
    (void)state;
    float a[MOST], b[MOST];
    fill_reals(a, MOST, 3.0f, 1);
    fill_reals(b, MOST, 5.0f, 2);
    FOR_EACH_LEVEL(kernels)
    {
        for (int32_t count = 0; count <= MOST; count++) {
            float *y = floats((size_t)count);
            kernels->add(count, a, b, y);
            for (int32_t i = 0; i < count; i++)
                assert_true(y[i] == a[i] + b[i]);
            kernels->multiply(count, a, b, y);
            for (int32_t i = 0; i < count; i++)
                assert_true(y[i] == a[i] * b[i]);
            kernels->scale(count, 0.3f, a, y);
            for (int32_t i = 0; i < count; i++)
                assert_true(y[i] == 0.3f * a[i]);
            kernels->accumulate(count, b, y);
            for (int32_t i = 0; i < count; i++)
                assert_true(y[i] == 0.3f * a[i] + b[i]);
            memcpy(y, a, (size_t)count * sizeof(float));
            kernels->add(count, y, b, y);
            kernels->multiply(count, b, y, y);
            kernels->scale(count, -2.0f, y, y);
            for (int32_t i = 0; i < count; i++)
                assert_true(y[i] == -2.0f * (b[i] * (a[i] + b[i])));
            release_floats(y, (size_t)count);
        }
    }
}

static const int32_t channel_counts[] = {1, 3, 6, 16, 17, 64, 96, 255, 257, 512, 513, 1280};
static const int64_t row_counts[] = {1, 2, 5, 49, 131};

typedef void (*rows_test)(const ic_kernels *kernels, int64_t rows, int32_t c);

static void over_shapes(rows_test test)
{
    FOR_EACH_LEVEL(kernels)
    for (size_t i = 0; i < sizeof(channel_counts) / sizeof(channel_counts[0]); i++)
        for (size_t j = 0; j < sizeof(row_counts) / sizeof(row_counts[0]); j++)
            test(kernels, row_counts[j], channel_counts[i]);
}

static void check_gate(const ic_kernels *kernels, int64_t rows, int32_t c)
{
    const size_t count = (size_t)(rows * c);
    float *x = floats(count), *y = floats(count), *gate = floats((size_t)c);
    fill_reals(x, count, 2.0f, 3);
    fill_reals(gate, (size_t)c, 1.0f, 4);
    kernels->gate(rows, c, x, gate, y);
    for (size_t i = 0; i < count; i++)
        assert_true(y[i] == x[i] * gate[i % (size_t)c]);
    kernels->gate(rows, c, x, gate, x);
    assert_same_bits(x, y, count);
    release_floats(x, count);
    release_floats(y, count);
    release_floats(gate, (size_t)c);
}

static void test_gate(void **state)
{
    (void)state;
    over_shapes(check_gate);
}

/* n products summed in any order: n 2^-24 of the sum of their sizes; on integers exact. */
static void check_gate_backward(const ic_kernels *kernels, int64_t rows, int32_t c)
{
    const size_t count = (size_t)(rows * c);
    float *x = floats(count), *d_y = floats(count), *d_gate = floats((size_t)c);
    fill_reals(x, count, 2.0f, 5);
    fill_reals(d_y, count, 1.0f, 6);
    for (int32_t pass = 0; pass < 2; pass++) {
        kernels->gate_backward(rows, c, x, d_y, d_gate);
        for (int32_t k = 0; k < c; k++) {
            double sum = 0.0, size = 0.0;
            for (size_t i = (size_t)k; i < count; i += (size_t)c) {
                sum += (double)x[i] * (double)d_y[i];
                size += fabs((double)x[i] * (double)d_y[i]);
            }
            const double bound = pass == 0 ? ldexp((double)rows, -24) * size : 0.0;
            assert_near(d_gate[k], sum, bound, "gate_backward", kernels->name, k);
        }
        fill_integers(x, count, 1.0f, 7);
        fill_integers(d_y, count, 0.5f, 8);
    }
    release_floats(x, count);
    release_floats(d_y, count);
    release_floats(d_gate, (size_t)c);
}

static void test_gate_backward(void **state)
{
    (void)state;
    over_shapes(check_gate_backward);
}

/*
 * y = x g is linear in each argument: <d_y, x g> = <x, d_y g> = <d_gate, g> exactly, when all are
 * small integers.
 */
static void check_gate_adjoint(const ic_kernels *kernels, int64_t rows, int32_t c)
{
    const size_t count = (size_t)(rows * c);
    float *x = floats(count), *y = floats(count), *d_y = floats(count), *d_x = floats(count);
    float *gate = floats((size_t)c), *d_gate = floats((size_t)c);
    fill_integers(x, count, 1.0f, 9);
    fill_integers(d_y, count, 1.0f, 10);
    fill_integers(gate, (size_t)c, 1.0f, 11);
    kernels->gate(rows, c, x, gate, y);
    kernels->gate(rows, c, d_y, gate, d_x);
    kernels->gate_backward(rows, c, x, d_y, d_gate);
    double through_y = 0.0, through_x = 0.0, through_gate = 0.0;
    for (size_t i = 0; i < count; i++) {
        through_y += (double)y[i] * (double)d_y[i];
        through_x += (double)x[i] * (double)d_x[i];
    }
    for (int32_t k = 0; k < c; k++)
        through_gate += (double)gate[k] * (double)d_gate[k];
    assert_true(through_y == through_x && through_y == through_gate);
    release_floats(x, count);
    release_floats(y, count);
    release_floats(d_y, count);
    release_floats(d_x, count);
    release_floats(gate, (size_t)c);
    release_floats(d_gate, (size_t)c);
}

static void test_gate_adjoint(void **state)
{
    (void)state;
    over_shapes(check_gate_adjoint);
}

/* Every level of this CPU is there, named and complete; others give the next lower one. */
static void test_table(void **state)
{
    (void)state;
    FOR_EACH_LEVEL(kernels)
    {
        assert_int_equal(kernels->level, level_);
        assert_string_equal(kernels->name, ic_cpu_level_name((ic_cpu_level)level_));
        assert_non_null(kernels->activate);
        assert_non_null(kernels->adamw);
    }
    assert_ptr_equal(ic_kernels_at((ic_cpu_level)99), ic_kernels_at(IC_CPU_LEVELS - 1));
#if defined(__x86_64__)
    assert_int_equal(ic_kernels_at(IC_CPU_NEON)->level, IC_CPU_C);
    assert_int_equal(ic_kernels_at((ic_cpu_level)99)->level, IC_CPU_LEVELS - 1);
#elif defined(__aarch64__)
    assert_int_equal(ic_kernels_at(IC_CPU_AVX2)->level, IC_CPU_NEON);
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_maps_at_any_count),
        cmocka_unit_test(test_gate),
        cmocka_unit_test(test_gate_backward),
        cmocka_unit_test(test_gate_adjoint),
        cmocka_unit_test(test_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* tests/kernels/test_optimiser.c: steps of the optimisers. SPDX-License-Identifier: MIT */
#include "kernels/kernel_test.h"

enum { COUNT = 203, STEPS = 20 };

/*
 * The gradient of step t at p: pulls towards 0.3 with noise, computed in double from the
 * reference's p and handed to both, so that only the step itself differs.
 */
static void next_gradient(const double *p, int32_t step, double *gradient, float *rounded)
{
    fill_reals(rounded, COUNT, 1.0f, (uint32_t)step + 100u);
    for (int32_t i = 0; i < COUNT; i++) {
        rounded[i] = (float)(p[i] - 0.3 + (double)rounded[i]);
        gradient[i] = (double)rounded[i];
    }
}

/*
 * Each step rounds p once to 2^-24 |p| (|p| < 2: 6e-8 at most) and the velocity, of size up to 10,
 * as often: with lr 0.1 the sum over 20 steps stays below 20 (1.2e-7 + 0.1 * 20 * 6e-7 / 2).
 */
static void test_sgd(void **state)
{
    (void)state;
    const float lr = 0.1f, momentum = 0.9f, decay = 5e-4f;
    FOR_EACH_LEVEL(kernels)
    {
        float *p = floats(COUNT), *v = floats(COUNT), *g = floats(COUNT);
        double wide_p[COUNT], wide_v[COUNT] = {0.0}, wide_g[COUNT];
        fill_reals(p, COUNT, 1.0f, 1);
        memset(v, 0, COUNT * sizeof(float));
        for (int32_t i = 0; i < COUNT; i++)
            wide_p[i] = (double)p[i];
        for (int32_t step = 1; step <= STEPS; step++) {
            next_gradient(wide_p, step, wide_g, g);
            kernels->sgd(COUNT, lr, momentum, decay, g, v, p);
            for (int32_t i = 0; i < COUNT; i++) {
                wide_v[i] = (double)momentum * wide_v[i] + wide_g[i];
                wide_p[i] = wide_p[i] * (1.0 - (double)lr * (double)decay) -
                            (double)lr * (wide_g[i] + (double)momentum * wide_v[i]);
                assert_near(p[i], wide_p[i], 1.5e-5, "sgd", kernels->name, i);
                assert_near(v[i], wide_v[i], 1e-5, "velocity", kernels->name, i);
            }
        }
        release_floats(p, COUNT);
        release_floats(v, COUNT);
        release_floats(g, COUNT);
    }
}

/* A decay of 5e-6 a step must arrive: the factor 1 - 5e-6 as a float would be 1 % off, 1 - 5e-7 10
 * %. */
static void test_small_decay_is_not_lost(void **state)
{
    (void)state;
    FOR_EACH_LEVEL(kernels)
    {
        float p[3] = {1.0f, -2.0f, 1024.0f}, v[3] = {0.0f}, second[3] = {0.0f};
        const float g[3] = {0.0f};
        for (int32_t step = 0; step < 1000; step++)
            kernels->sgd(3, 1e-2f, 0.9f, 5e-4f, g, v, p);
        const double left = pow(1.0 - 5e-6, 1000.0);
        assert_near(p[0], left, 4e-5, "decayed", kernels->name, 0);
        assert_near(p[1], -2.0 * left, 8e-5, "decayed", kernels->name, 1);
        assert_near(p[2], 1024.0 * left, 4e-2, "decayed", kernels->name, 2);
        p[0] = 1.0f;
        kernels->adamw(3, 1e-2f, 0.9f, 0.999f, 1e-8f, 0.05f, 0.1f, 0.001f, g, v, second, p);
        assert_near(p[0], 1.0 - 5e-4, 6e-8, "decayed", kernels->name, 0);
    }
}

/*
 * m / c1 / (sqrt(v / c2) + eps) is at most about 3 here with a relative error of a few 2^-24, each
 * moment's own errors included: lr * 3 * 1e-6 and the rounding of p in each of 20 steps. The
 * constants 1 - beta are those of the float betas.
 */
static void test_adamw(void **state)
{
    (void)state;
    const float lr = 0.01f, beta1 = 0.9f, beta2 = 0.999f, epsilon = 1e-8f, decay = 0.05f;
    FOR_EACH_LEVEL(kernels)
    {
        float *p = floats(COUNT), *m = floats(COUNT), *v = floats(COUNT), *g = floats(COUNT);
        double wide_p[COUNT], wide_m[COUNT] = {0.0}, wide_v[COUNT] = {0.0}, wide_g[COUNT];
        fill_reals(p, COUNT, 1.0f, 2);
        memset(m, 0, COUNT * sizeof(float));
        memset(v, 0, COUNT * sizeof(float));
        for (int32_t i = 0; i < COUNT; i++)
            wide_p[i] = (double)p[i];
        for (int32_t step = 1; step <= STEPS; step++) {
            const double c1 = 1.0 - pow((double)beta1, step), c2 = 1.0 - pow((double)beta2, step);
            next_gradient(wide_p, step, wide_g, g);
            kernels->adamw(COUNT, lr, beta1, beta2, epsilon, decay, (float)c1, (float)c2, g, m, v,
                           p);
            for (int32_t i = 0; i < COUNT; i++) {
                wide_m[i] = (double)beta1 * wide_m[i] + (1.0 - (double)beta1) * wide_g[i];
                wide_v[i] =
                    (double)beta2 * wide_v[i] + (1.0 - (double)beta2) * wide_g[i] * wide_g[i];
                const double step_size = wide_m[i] / c1 / (sqrt(wide_v[i] / c2) + (double)epsilon);
                wide_p[i] -= (double)lr * ((double)decay * wide_p[i] + step_size);
                assert_near(p[i], wide_p[i], 2e-6, "adamw", kernels->name, i);
                assert_near(m[i], wide_m[i], 1e-6, "first moment", kernels->name, i);
                assert_near(v[i], wide_v[i], 1e-7, "second moment", kernels->name, i);
            }
        }
        release_floats(p, COUNT);
        release_floats(m, COUNT);
        release_floats(v, COUNT);
        release_floats(g, COUNT);
    }
}

/* A piece is cut anywhere without changing a bit. */
static void test_pieces(void **state)
{
    (void)state;
    float g[COUNT], p[2][COUNT], v[2][COUNT], second[2][COUNT];
    FOR_EACH_LEVEL(kernels)
    for (int32_t cut = 0; cut <= COUNT; cut += 7) {
        fill_reals(g, COUNT, 1.0f, 3);
        for (int32_t i = 0; i < 2; i++) {
            fill_reals(p[i], COUNT, 1.0f, 4);
            fill_reals(v[i], COUNT, 1.0f, 5);
            memset(second[i], 0, sizeof(second[i]));
        }
        kernels->sgd(COUNT, 0.1f, 0.9f, 1e-3f, g, v[0], p[0]);
        kernels->sgd(cut, 0.1f, 0.9f, 1e-3f, g, v[1], p[1]);
        kernels->sgd(COUNT - cut, 0.1f, 0.9f, 1e-3f, g + cut, v[1] + cut, p[1] + cut);
        assert_same_bits(p[0], p[1], COUNT);
        kernels->adamw(COUNT, 0.1f, 0.9f, 0.99f, 1e-8f, 0.1f, 0.1f, 0.01f, g, v[0], second[0],
                       p[0]);
        kernels->adamw(cut, 0.1f, 0.9f, 0.99f, 1e-8f, 0.1f, 0.1f, 0.01f, g, v[1], second[1], p[1]);
        kernels->adamw(COUNT - cut, 0.1f, 0.9f, 0.99f, 1e-8f, 0.1f, 0.1f, 0.01f, g + cut,
                       v[1] + cut, second[1] + cut, p[1] + cut);
        assert_same_bits(p[0], p[1], COUNT);
        assert_same_bits(v[0], v[1], COUNT);
        assert_same_bits(second[0], second[1], COUNT);
    }
}

static void test_nan_goes_through(void **state)
{
    (void)state;
    FOR_EACH_LEVEL(kernels)
    {
        float p[2] = {1.0f, 1.0f}, v[2] = {0.0f}, second[2] = {0.0f};
        const float g[2] = {NAN, 1.0f};
        kernels->sgd(2, 0.1f, 0.9f, 0.0f, g, v, p);
        assert_true(isnan(p[0]) && !isnan(p[1]));
        p[0] = 1.0f;
        v[0] = 0.0f;
        kernels->adamw(2, 0.1f, 0.9f, 0.99f, 1e-8f, 0.0f, 0.1f, 0.01f, g, v, second, p);
        assert_true(isnan(p[0]) && !isnan(p[1]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sgd),
        cmocka_unit_test(test_small_decay_is_not_lost),
        cmocka_unit_test(test_adamw),
        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_nan_goes_through),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

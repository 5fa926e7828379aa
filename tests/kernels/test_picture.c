/* kernels/test_picture.c: the loops of resampling. SPDX-License-Identifier: MIT */
#include "kernels/picture.h"

#include "kernels/kernel_test.h"

static float within(float value, float most)
{
    return value < 0 ? 0 : value > most ? most : value;
}

/* The bits of the plain sums, in the order of the taps, at every count. */
static void test_rows(void **state)
{
    enum { MOST = 150, TAPS = 5, STRIDE = 160 };
    static uint8_t bytes[TAPS * STRIDE];
    static float reals[TAPS * STRIDE];
    const float weights[TAPS] = {0.11f, -0.07f, 0.53f, 0.4f, 0.03f};
    uint32_t random = 1;
    (void)state;
    for (int32_t i = 0; i < TAPS * STRIDE; i++)
        bytes[i] = (uint8_t)(next_random(&random) >> 24);
    fill_reals(reals, TAPS * STRIDE, 300.0f, 2);
    FOR_EACH_LEVEL(kernels)
    for (int32_t taps = 1; taps <= TAPS; taps++)
        for (size_t count = 1; count <= MOST; count++) {
            float *y = floats(count), *z = floats(count);
            kernels->picture->mix_rows_8(taps, weights, bytes, STRIDE, count, 100.0f, y);
            kernels->picture->mix_rows_float(taps, weights, reals, STRIDE, count, 100.0f, z);
            for (size_t i = 0; i < count; i++) {
                float sum = weights[0] * (float)bytes[i], other = weights[0] * reals[i];
                for (int32_t k = 1; k < taps; k++) {
                    sum += weights[k] * (float)bytes[k * STRIDE + (int32_t)i];
                    other += weights[k] * reals[k * STRIDE + (int32_t)i];
                }
                assert_true(y[i] == within(sum, 100.0f));
                assert_true(z[i] == within(other, 100.0f));
            }
            release_floats(y, count);
            release_floats(z, count);
        }
}

static void test_columns(void **state)
{
    enum { LENGTH = 7, MOST = 4, LEFT = 2, COLUMNS = 20 };
    int32_t first[LENGTH] = {2, 3, 5, 9, 12, 17, 18}, count[LENGTH] = {1, 4, 3, 2, 4, 4, 4};
    float weights[LENGTH * MOST], row[3 * COLUMNS + 1];
    const ic_picture_taps taps = {LENGTH, MOST, first, count, weights};
    (void)state;
    fill_reals(weights, LENGTH * MOST, 1.0f, 3);
    fill_reals(row, 3 * COLUMNS + 1, 255.0f, 4);
    FOR_EACH_LEVEL(kernels)
    {
        float *y = floats(3 * LENGTH + 1);
        kernels->picture->mix_columns_3(&taps, LEFT, row, 200.0f, y);
        for (int32_t x = 0; x < LENGTH; x++)
            for (int32_t c = 0; c < 3; c++) {
                float sum = 0;
                for (int32_t k = 0; k < count[x]; k++)
                    sum += weights[x * MOST + k] * row[3 * (first[x] - LEFT + k) + c];
                assert_true(y[3 * x + c] == within(sum, 200.0f));
            }
        release_floats(y, 3 * LENGTH + 1);
    }
}

static void test_rounding(void **state)
{
    float x[70];
    (void)state;
    for (int32_t i = 0; i < 70; i++)
        x[i] = (float)i * 3.5f;
    FOR_EACH_LEVEL(kernels)
    for (size_t count = 0; count <= 70; count++) {
        uint8_t *y = guarded(count, 1);
        kernels->picture->round_8(count, x, y);
        for (size_t i = 0; i < count; i++)
            assert_int_equal(y[i], (int32_t)(x[i] + 0.5f));
        release(y, count, 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_columns),
        cmocka_unit_test(test_rounding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

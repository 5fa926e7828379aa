/* test_random.c: the streams' bits, spread and independence. SPDX-License-Identifier: MIT */
#include "base/random.h"
#include "support/support.h"

#include <math.h>

/* Checked with a second implementation in Python: changing them changes every trained model. */
static void test_pinned_values(void **state)
{
    (void)state;
    static const uint64_t first[] = {0x77c9b8eb14fb8b45, 0x5823c8caf6d16a15, 0xcf63be013e9f4fd3,
                                     0x4efab5d4653ecffb};
    ic_random random = ic_random_at(1, IC_USE_WEIGHTS, 0, 0);
    for (int i = 0; i < 4; i++)
        assert_true(ic_random_bits(&random) == first[i]);
    random = ic_random_at(42, IC_USE_AUGMENT, 3, 12345);
    assert_true(ic_random_bits(&random) == 0xfc43f37121073322);
    assert_true(ic_random_bits(&random) == 0x0921fd07238031ee);
    assert_true(ic_random_unit(&random) == 0x1.2ce6bdcf58ap-6);
    assert_true(ic_random_below(&random, 1000) == 729);
    assert_true(ic_random_range(&random, -2, 5) == 0x1.20c09eb88de1fp+2);
    assert_true(ic_random_normal(&random) == 0x1.915d8d3d3b4b6p-3);
}

static void test_any_draw_without_the_others(void **state)
{
    (void)state;
    ic_random random = ic_random_at(7, IC_USE_DROPOUT, 1, 2);
    const ic_random still = random;
    for (uint64_t i = 0; i < 1000; i++)
        assert_true(ic_random_bits_at(&still, i) == ic_random_bits(&random));
    assert_int_equal(still.counter, 0);
}

/* Chi-squared of counts that should be equal, as a deviation from its mean in standard deviations.
 */
static double chi_squared_sigmas(const int64_t *counts, int cells, int64_t total)
{
    double expected = (double)total / cells, sum = 0;
    for (int i = 0; i < cells; i++)
        sum += (counts[i] - expected) * (counts[i] - expected) / expected;
    return (sum - (cells - 1)) / sqrt(2.0 * (cells - 1));
}

static void test_bytes_are_uniform(void **state)
{
    (void)state;
    ic_random random = ic_random_at(0, IC_USE_WEIGHTS, 0, 0);
    static int64_t counts[8][256];
    for (int i = 0; i < 200000; i++) {
        uint64_t bits = ic_random_bits(&random);
        for (int k = 0; k < 8; k++)
            counts[k][bits >> 8 * k & 255]++;
    }
    for (int k = 0; k < 8; k++)
        assert_true(fabs(chi_squared_sigmas(counts[k], 256, 200000)) < 5);
}

static uint64_t first_of(int part, uint64_t i)
{
    ic_random random =
        ic_random_at(part == 0 ? i : 1, IC_USE_SPLIT, part == 1 ? i : 0, part == 2 ? i : 0);
    return ic_random_bits(&random);
}

/* Streams whose seed, a or b differ by one: every bit is as often one as zero, and differs as often
 * as not. */
static void test_neighbouring_streams_are_independent(void **state)
{
    (void)state;
    enum { STREAMS = 20000 };
    for (int part = 0; part < 3; part++) {
        int64_t ones[64] = {0}, changes[64] = {0};
        for (uint64_t i = 0; i < STREAMS; i++) {
            uint64_t now = first_of(part, i), change = now ^ first_of(part, i + 1);
            for (int k = 0; k < 64; k++) {
                ones[k] += now >> k & 1;
                changes[k] += change >> k & 1;
            }
        }
        double sigma = sqrt(STREAMS / 4.0);
        for (int k = 0; k < 64; k++) {
            assert_true(fabs((double)ones[k] - STREAMS / 2.0) < 5 * sigma);
            assert_true(fabs((double)changes[k] - STREAMS / 2.0) < 5 * sigma);
        }
    }
    assert_true(first_of(0, 5) != first_of(1, 5) && first_of(1, 5) != first_of(2, 5));
}

static void test_below_is_fair(void **state)
{
    (void)state;
    ic_random random = ic_random_at(3, IC_USE_SHUFFLE, 0, 0);
    static const int bounds[] = {1, 2, 3, 7, 10, 1000};
    for (int b = 0; b < 6; b++) {
        int64_t counts[1000] = {0};
        for (int i = 0; i < 100000; i++) {
            uint64_t value = ic_random_below(&random, (uint64_t)bounds[b]);
            assert_true(value < (uint64_t)bounds[b]);
            counts[value]++;
        }
        if (bounds[b] > 1)
            assert_true(fabs(chi_squared_sigmas(counts, bounds[b], 100000)) < 5);
    }
    assert_int_equal(ic_random_below(&random, 0), 0);
    /* Three quarters of all 64-bit values: a plain remainder would give the lower third twice as
     * often. */
    uint64_t bound = (uint64_t)3 << 62;
    int64_t thirds[3] = {0};
    for (int i = 0; i < 30000; i++)
        thirds[ic_random_below(&random, bound) >> 62]++;
    assert_true(fabs(chi_squared_sigmas(thirds, 3, 30000)) < 5);
}

static void test_ranges(void **state)
{
    (void)state;
    ic_random random = ic_random_at(4, IC_USE_AUGMENT, 0, 0);
    double sum = 0, low = 2, high = -1;
    for (int i = 0; i < 100000; i++) {
        double unit = ic_random_unit(&random);
        assert_true(unit >= 0 && unit < 1);
        double value = ic_random_range(&random, -0.25, 0.75);
        assert_true(value >= -0.25 && value < 0.75);
        sum += value;
        low = value < low ? value : low;
        high = value > high ? value : high;
        double tight = ic_random_range(&random, 1, 1 + 0x1p-52);
        assert_true(tight == 1);
    }
    assert_true(fabs(sum / 100000 - 0.25) < 5 * sqrt(1 / 12.0 / 100000));
    assert_true(low < -0.2499 && high > 0.7499);
}

static void test_normal_moments(void **state)
{
    (void)state;
    enum { DRAWS = 400000 };
    ic_random random = ic_random_at(5, IC_USE_WEIGHTS, 0, 0);
    double sum = 0, squares = 0, fourths = 0, beyond = 0, last = 0, pairs = 0;
    for (int i = 0; i < DRAWS; i++) {
        double x = ic_random_normal(&random);
        sum += x;
        squares += x * x;
        fourths += x * x * x * x;
        beyond += fabs(x) > 1.959963984540054;
        pairs += x * last;
        last = x;
    }
    double sigma = 1 / sqrt(DRAWS);
    assert_true(fabs(sum / DRAWS) < 5 * sigma);
    assert_true(fabs(squares / DRAWS - 1) < 5 * sqrt(2) * sigma);
    assert_true(fabs(fourths / DRAWS - 3) < 5 * sqrt(96) * sigma);
    assert_true(fabs(beyond / DRAWS - 0.05) < 5 * sqrt(0.05 * 0.95) * sigma);
    assert_true(fabs(pairs / DRAWS) < 5 * sigma);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pinned_values),
        cmocka_unit_test(test_any_draw_without_the_others),
        cmocka_unit_test(test_bytes_are_uniform),
        cmocka_unit_test(test_neighbouring_streams_are_independent),
        cmocka_unit_test(test_below_is_fair),
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_normal_moments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

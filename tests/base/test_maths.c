/* test_maths.c: the elementary functions against libm in long double. SPDX-License-Identifier: MIT
 */
#include "base/maths.h"
#include "base/random.h"
#include "support/support.h"

#include <math.h>

enum { SAMPLES = 200000 };

/* Under valgrind long double has the bits of double, and its functions are off by dozens of ulps.
 */
static int no_reference(void)
{
    volatile long double one = 1, next = one + 0x1p-60L;
    if (next != one)
        return 0;
    print_message("long double is no wider than double here: skipping the comparison with it\n");
    return 1;
}

/* How many units in the last place of a double lie between got and the true value. */
static double error_in_ulps(double got, long double truth)
{
    if (!isfinite(got))
        return (double)truth == got ? 0 : INFINITY;
    int exponent;
    frexpl(truth, &exponent);
    int lowest = exponent - 53 > -1074 ? exponent - 53 : -1074;
    return (double)(fabsl(got - truth) / ldexpl(1, lowest));
}

static void check(const char *name, double x, double got, long double truth)
{
    double error = error_in_ulps(got, truth);
    if (!(error < 1.0))
        fail_msg("%s(%a) is %a, wrong by %.2f ulp", name, x, got, error);
}

static void test_exp(void **state)
{
    (void)state;
    int samples = no_reference() ? 0 : SAMPLES;
    ic_random random = ic_random_at(1, IC_USE_SPLIT, 1, 0);
    for (int i = 0; i < samples; i++) {
        double wide = ic_random_range(&random, -745, 709.7);
        double near = ldexp(ic_random_range(&random, -1, 1), -(int)ic_random_below(&random, 60));
        check("exp", wide, ic_exp(wide), expl(wide));
        check("exp", near, ic_exp(near), expl(near));
    }
    assert_true(ic_exp(0) == 1 && ic_exp(-INFINITY) == 0 && ic_exp(INFINITY) == INFINITY);
    assert_true(ic_exp(709.79) == INFINITY && ic_exp(-745.14) == 0 && ic_exp(1e308) == INFINITY);
    assert_true(isnan(ic_exp(NAN)));
}

static void test_ln(void **state)
{
    (void)state;
    int samples = no_reference() ? 0 : SAMPLES;
    ic_random random = ic_random_at(1, IC_USE_SPLIT, 2, 0);
    for (int i = 0; i < samples; i++) {
        double wide =
            ldexp(1 + ic_random_unit(&random), (int)ic_random_below(&random, 2098) - 1074);
        double near =
            1 + ldexp(ic_random_range(&random, -1, 1), -(int)ic_random_below(&random, 52));
        check("ln", wide, ic_ln(wide), logl(wide));
        if (near > 0)
            check("ln", near, ic_ln(near), logl(near));
    }
    assert_true(ic_ln(1) == 0 && ic_ln(0) == -INFINITY && ic_ln(INFINITY) == INFINITY);
    assert_true(isnan(ic_ln(-1)) && isnan(ic_ln(NAN)));
}

static void test_sin_cos(void **state)
{
    (void)state;
    int samples = no_reference() ? 0 : SAMPLES;
    ic_random random = ic_random_at(1, IC_USE_SPLIT, 3, 0);
    for (int i = 0; i < samples; i++) {
        double wide = ic_random_range(&random, -1e6, 1e6), near = ic_random_range(&random, -7, 7);
        /* The doubles nearest to multiples of pi/2, where nearly all digits cancel. */
        double zero = (double)(acosl(0) * (long double)ic_random_below(&random, 636619));
        double all[] = {wide, near, zero};
        for (int k = 0; k < 3; k++) {
            check("sin", all[k], ic_sin(all[k]), sinl(all[k]));
            check("cos", all[k], ic_cos(all[k]), cosl(all[k]));
        }
    }
    assert_true(ic_sin(0) == 0 && ic_cos(0) == 1);
    assert_true(isnan(ic_sin(INFINITY)) && isnan(ic_cos(NAN)));
}

static void test_pow(void **state)
{
    (void)state;
    int samples = no_reference() ? 0 : SAMPLES;
    ic_random random = ic_random_at(1, IC_USE_SPLIT, 4, 0);
    for (int i = 0; i < samples; i++) {
        double x = ldexp(1 + ic_random_unit(&random), (int)ic_random_below(&random, 40) - 20);
        double y = ic_random_range(&random, -35, 35);
        check("pow", x, ic_pow(x, y), powl(x, y));
        double near = 1 + ldexp(ic_random_range(&random, -1, 1), -20);
        double large = ic_random_range(&random, -3e8, 3e8);
        check("pow", near, ic_pow(near, large), powl(near, large));
    }
    assert_true(ic_pow(2, 10) == 1024 && ic_pow(0.5, 1074) == 0x1p-1074 && ic_pow(9, 0.5) == 3);
    assert_true(ic_pow(3, 0) == 1 && ic_pow(1, NAN) == 1 && ic_pow(NAN, 0) == 1);
    assert_true(ic_pow(0, 2) == 0 && ic_pow(0, -2) == INFINITY);
    assert_true(ic_pow(2, INFINITY) == INFINITY && ic_pow(2, -INFINITY) == 0);
    assert_true(ic_pow(0.5, INFINITY) == 0 && ic_pow(INFINITY, -1) == 0);
    assert_true(ic_pow(2, 1e300) == INFINITY && ic_pow(0.5, 1e300) == 0);
    assert_true(isnan(ic_pow(-2, 2)) && isnan(ic_pow(2, NAN)));
}

/* The bits themselves: the same on every machine, or trained models are not. */
static void test_pinned_bits(void **state)
{
    (void)state;
    const double got[] = {ic_exp(0.7), ic_exp(-300.3),   ic_ln(0.3),         ic_ln(1e100),
                          ic_sin(1.1), ic_cos(123456.7), ic_pow(0.97, 33.3), ic_pow(10, -4.5)};
    const double wanted[] = {0x1.01c2a61268987p+1, 0x1.b1230ad551394p-434, -0x1.34378fcbda721p+0,
                             0x1.cc845b54b54f2p+7, 0x1.c84c54c2d6338p-1,   -0x1.3186f285e765p-5,
                             0x1.735cf1d68ae67p-2, 0x1.09456549be1bdp-15};
    assert_memory_equal(got, wanted, sizeof got);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exp),         cmocka_unit_test(test_ln),
        cmocka_unit_test(test_sin_cos),     cmocka_unit_test(test_pow),
        cmocka_unit_test(test_pinned_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

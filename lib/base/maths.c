/*
 * base/maths.c: elementary functions from additions, multiplications and divisions in a written
 * order. Reduce the argument exactly, then a Taylor series: short code over the last half ulp.
 * Where rounding would show, a value is carried as an unevaluated sum of two doubles (Dekker: A
 * floating-point technique for extending the available precision, 1971). SPDX-License-Identifier:
 * MIT
 */
#include "base/maths.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

/* ln 2 and pi/2 in pieces whose products with a small whole number are exact. */
#define LN2_HIGH    0x1.62e42fefa38p-1
#define LN2_LOW     0x1.ef35793c7673p-45
#define INVERSE_LN2 1.4426950408889634

typedef struct two {
    double high, low;
} two;

/* a + b exactly (Knuth). */
static two add_exactly(double a, double b)
{
    double sum = a + b, b_part = sum - a;
    return (two){sum, (a - (sum - b_part)) + (b - b_part)};
}

/* a * b exactly (Dekker, by halves of 26 bits). */
static two multiply_exactly(double a, double b)
{
    double a_split = a * 134217729.0, b_split = b * 134217729.0;
    double a_high = a_split - (a_split - a), a_low = a - a_high;
    double b_high = b_split - (b_split - b), b_low = b - b_high;
    double product = a * b;
    double rest = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low;
    return (two){product, rest};
}

static two two_multiply(two a, two b)
{
    two product = multiply_exactly(a.high, b.high);
    return add_exactly(product.high, product.low + (a.high * b.low + a.low * b.high));
}

static two two_add(two a, two b)
{
    two sum = add_exactly(a.high, b.high);
    return add_exactly(sum.high, sum.low + (a.low + b.low));
}

/* c[0] + c[1] x + … + c[count-1] x^(count-1) */
static double polynomial(double x, const double *c, int count)
{
    double sum = c[count - 1];
    for (int i = count - 2; i >= 0; i--)
        sum = sum * x + c[i];
    return sum;
}

/* e^(x + small): x = k ln 2 + r, |r| <= 0.35; e^r = 1 + r + r^2 (1/2! + r/3! + … + r^11/13!). */
static double exp_two(double x, double small)
{
    static const double c[] = {1 / 2.0,       1 / 6.0,        1 / 24.0,        1 / 120.0,
                               1 / 720.0,     1 / 5040.0,     1 / 40320.0,     1 / 362880.0,
                               1 / 3628800.0, 1 / 39916800.0, 1 / 479001600.0, 1 / 6227020800.0};
    if (x > 710)
        return INFINITY;
    if (x < -746)
        return 0;
    double k = floor(x * INVERSE_LN2 + 0.5);
    two r = add_exactly(x - k * LN2_HIGH, small - k * LN2_LOW);
    double tail = r.low + r.high * r.high * polynomial(r.high, c, 12);
    return ldexp(1 + (r.high + tail), (int)k);
}

double ic_exp(double x)
{
    return isnan(x) ? x : exp_two(x, 0);
}

/* x = 2^k m with m in [sqrt(1/2), sqrt(2)). */
static double split_power(double x, int *k)
{
    double m = frexp(x, k);
    if (m < 0.7071067811865476) {
        m *= 2;
        (*k)--;
    }
    return m;
}

/* 2/(2n+1) from n = 1: ln((1+s)/(1-s)) = 2s + s (2/3 s^2 + 2/5 s^4 + …), |s| <= 0.172. */
static const double atanh_series[] = {2 / 3.0,  2 / 5.0,  2 / 7.0,  2 / 9.0,  2 / 11.0, 2 / 13.0,
                                      2 / 15.0, 2 / 17.0, 2 / 19.0, 2 / 21.0, 2 / 23.0};

/*
 * ln x = k ln 2 + ln(1 + f) and, with s = f / (2 + f), 2s = f - f^2/2 + s f^2/2: all of f is kept,
 * and only the smaller terms are rounded.
 */
double ic_ln(double x)
{
    if (isnan(x) || x < 0)
        return NAN;
    if (x == 0)
        return -INFINITY;
    if (isinf(x))
        return x;
    int k;
    double f = split_power(x, &k) - 1;
    double s = f / (2 + f), z = s * s, half = 0.5 * f * f;
    double rest = s * (half + z * polynomial(z, atanh_series, 11));
    if (k == 0)
        return f - (half - rest);
    return k * LN2_HIGH - ((half - (rest + k * LN2_LOW)) - f);
}

/* ln x to about 2^-65 of itself: as above, 2s and 2/3 s^3 as sums of two doubles. */
static two log_two(double x)
{
    static const two two_thirds = {0x1.5555555555555p-1, 0x1.5555555555555p-55};
    int k;
    double f = split_power(x, &k) - 1;
    two below = add_exactly(2, f);
    double s_high = f / below.high;
    two back = multiply_exactly(s_high, below.high);
    double s_low = (((f - back.high) - back.low) - s_high * below.low) / below.high;
    two s = add_exactly(s_high, s_low);
    two z = two_multiply(s, s);
    two cubic = two_multiply(two_multiply(s, z), two_thirds);
    double rest = s.high * z.high * z.high * polynomial(z.high, atanh_series + 1, 10);
    two sum = two_add((two){2 * s.high, 2 * s.low}, cubic);
    sum = two_add(sum, (two){rest, 0});
    return two_add((two){k * LN2_HIGH, k * LN2_LOW}, sum);
}

double ic_pow(double x, double y)
{
    if (y == 0 || x == 1)
        return 1;
    if (isnan(x) || isnan(y) || x < 0)
        return NAN;
    if (x == 0)
        return y > 0 ? 0 : INFINITY;
    if (isinf(x) || isinf(y))
        return (x > 1) == (y > 0) ? INFINITY : 0;
    if (fabs(y) > 0x1p64) /* x is at least 2^-53 away from 1 */
        return (x > 1) == (y > 0) ? INFINITY : 0;
    two logarithm = log_two(x);
    two product = multiply_exactly(y, logarithm.high);
    two exponent = add_exactly(product.high, product.low + y * logarithm.low);
    return exp_two(exponent.high, exponent.low);
}

/* x = k pi/2 + r, |r| <= pi/4: pi/2 in four pieces, three of 33 bits, so that k times each is
 * exact. */
static two reduce_angle(double x, int64_t *quadrant)
{
    static const double pieces[] = {0x1.921fb544p+0, 0x1.0b4611a6p-34, 0x1.3198a2ep-69,
                                    0x1.b839a252049c1p-104};
    double k = floor(x * 0.6366197723675814 + 0.5);
    two r = {x - k * pieces[0], 0};
    for (int i = 1; i < 4; i++) {
        two next = add_exactly(r.high, -k * pieces[i]);
        r = add_exactly(next.high, next.low + r.low);
    }
    *quadrant = (int64_t)k;
    return r;
}

/* sin r = r - r^3/3! + … - r^19/19! */
static double sin_series(two r)
{
    static const double c[] = {
        -1 / 6.0,        1 / 120.0,        -1 / 5040.0,          1 / 362880.0,
        -1 / 39916800.0, 1 / 6227020800.0, -1 / 1307674368000.0, 1 / 355687428096000.0};
    double z = r.high * r.high;
    return r.high + (r.high * z * polynomial(z, c, 8) + r.low * (1 - 0.5 * z));
}

/* cos r = 1 - r^2/2 + r^4/4! - … + r^16/16!, with the rounding error of 1 - r^2/2 put back. */
static double cos_series(two r)
{
    static const double c[] = {
        1 / 24.0,        -1 / 720.0,         1 / 40320.0,         -1 / 3628800.0,
        1 / 479001600.0, -1 / 87178291200.0, 1 / 20922789888000.0};
    double z = r.high * r.high, half = 0.5 * z, high = 1 - half;
    return high + (((1 - high) - half) + (z * z * polynomial(z, c, 7) - r.high * r.low));
}

static double circular(double x, int turn)
{
    if (!(fabs(x) < 1e15))
        return NAN;
    int64_t quadrant;
    two r = reduce_angle(x, &quadrant);
    quadrant += turn;
    double value = quadrant & 1 ? cos_series(r) : sin_series(r);
    return quadrant & 2 ? -value : value;
}

double ic_sin(double x)
{
    return circular(x, 0);
}

double ic_cos(double x)
{
    return circular(x, 1);
}

double ic_normal_density(double z)
{
    return 0.3989422804014327 * ic_exp(-0.5 * z * z);
}

/*
 * Near the middle 1/2 - density * (z + z^3/3 + z^5/(3*5) + ...); further out, where that would
 * cancel, density / (z + 1/(z + 2/(z + 3/...))) (Laplace).
 */
double ic_normal_above(double z)
{
    double density = ic_normal_density(z), sum = z, term = z;
    if (z > 3) {
        for (int k = 100; k > 0; k--)
            sum = z + k / sum;
        return density / sum;
    }
    for (int k = 3; k < 100; k += 2) {
        term *= z * z / k;
        sum += term;
    }
    return 0.5 - density * sum;
}

int32_t ic_largest(const float *values, int32_t count)
{
    int32_t best = 0;
    for (int32_t i = 1; i < count; i++)
        if (values[i] > values[best])
            best = i;
    return best;
}

double ic_quantile(const double *sorted, int64_t count, double q)
{
    double place = q * (double)(count - 1);
    int64_t below = (int64_t)place;
    int64_t above = below + 1 < count ? below + 1 : below;
    return sorted[below] + (sorted[above] - sorted[below]) * (place - (double)below);
}

int ic_compare_doubles(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

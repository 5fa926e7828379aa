/*
 * base/maths.h: exp, ln, cos, sin, pow in plain double arithmetic: the same bits with every C
 * library, which libm does not promise. For schedules, initialisation, metrics. Within 2 ulp.
 * SPDX-License-Identifier: MIT
 */
#ifndef BASE_MATHS_H
#define BASE_MATHS_H

#include <stdint.h>

double ic_exp(double x);
double ic_ln(double x);  /* natural logarithm; -inf at 0, NaN below */
double ic_cos(double x); /* |x| <= 1e6 */
double ic_sin(double x);
double ic_pow(double x, double y); /* x > 0 */

/* Where the largest of `count` (at least 1) numbers stands; of equal ones the first. */
int32_t ic_largest(const float *values, int32_t count);

/* The quantile q, 0..1, of sorted values, between two of them by a straight line. */
double ic_quantile(const double *sorted, int64_t count, double q);

/* For qsort: doubles, ascending; there may be no NaN. */
int ic_compare_doubles(const void *left, const void *right);

/* The standard normal density, and the probability of a value above z >= 0; within 1e-15. */
double ic_normal_density(double z);
double ic_normal_above(double z);

#endif

/*
 * kernels/ref/activation.h: one activation of one number, for the inside of loops. No branches, no
 * libm: a loop over these is vectorised, and the bits do not depend on the C library.
 * SPDX-License-Identifier: MIT
 */
#ifndef KERNELS_REF_ACTIVATION_H
#define KERNELS_REF_ACTIVATION_H

#include "kernels/ref/level.h"
#include "kernels/vector.h"

/*
 * e^x for x <= 0, within 1.5 ulp; 0 below -87.3 (where e^x leaves the normal numbers), NaN for NaN.
 * x = n ln 2 + r with |r| <= ln 2 / 2, ln 2 in two parts (Cody, Waite: Software Manual for the
 * Elementary Functions, 1980); e^r = 1 + r + r^2 p(r), p of degree 4 with a weighted minimax error
 * of 3.1e-9 (tests/tools/fit_kernels.py); 2^n by building the exponent.
 */
static IC_ALWAYS_INLINE float ic_exp_nonpositive(float x)
{
    const float round = 12583039.0f; /* 1.5 * 2^23 + 127: adding it rounds to an integer */
    union {
        float value;
        uint32_t bits;
    } shifted, power;
    shifted.value = IC_FMA(x, 1.44269504f, round);
    const float n = shifted.value - round;
    float r = IC_FMA(n, -0.693359375f, x);
    r = IC_FMA(n, 2.12194440e-4f, r);
    float q = 0.00138146011f;
    q = IC_FMA(q, r, 0.00836871564f);
    q = IC_FMA(q, r, 0.041668389f);
    q = IC_FMA(q, r, 0.166665211f);
    q = IC_FMA(q, r, 0.49999994f);
    q = IC_FMA(q, r, 1.0f);
    q = IC_FMA(q, r, 1.0f);
    power.bits = shifted.bits << 23; /* the low bits of `shifted` hold n + 127 */
    return x < -87.33654f ? 0.0f : q * power.value;
}

static IC_ALWAYS_INLINE float ic_sigmoid(float x)
{
    const float e = ic_exp_nonpositive(-__builtin_fabsf(x));
    return (x < 0.0f ? e : 1.0f) / (1.0f + e);
}

/* Comparisons are written so that a NaN falls through to the arm that keeps it. */
static IC_ALWAYS_INLINE float ic_clamp(float x, float low, float high)
{
    const float above = x < low ? low : x;
    return above > high ? high : above;
}

/*
 * Phi(x), the normal distribution function; *bell = exp(-x^2/2) for the density. For a = |x|,
 * Phi(-a) = exp(-a^2/2) N(a) / D(a): the second factor is Mills' ratio over sqrt(2 pi), smooth,
 * here as a rational function of degrees 4 and 5 with a minimax relative error of 5e-9 for a
 * <= 13.25, where the first factor ends (tests/tools/fit_kernels.py). Every coefficient is positive
 * and the left tail subtracts nothing: the error is 1e-7 of the value plus that of rounding x^2/2,
 * and erf(x) = 2 Phi(x sqrt 2) - 1 is within 2e-7.
 */
static IC_ALWAYS_INLINE float ic_normal(float x, float *bell)
{
    const float a = ic_clamp(x < 0.0f ? -x : x, 0.0f, 14.0f);
    float n = 0.00401592348f;
    n = IC_FMA(n, a, 0.0399552397f);
    n = IC_FMA(n, a, 0.181220591f);
    n = IC_FMA(n, a, 0.435569376f);
    n = IC_FMA(n, a, 0.5f);
    float d = 0.0100662829f;
    d = IC_FMA(d, a, 0.10016036f);
    d = IC_FMA(d, a, 0.464152902f);
    d = IC_FMA(d, a, 1.19412529f);
    d = IC_FMA(d, a, 1.66902363f);
    d = IC_FMA(d, a, 1.0f);
    const float e = ic_exp_nonpositive(-0.5f * x * x);
    const float tail = e * (n / d);
    *bell = e;
    return x < 0.0f ? tail : 1.0f - tail;
}

/* f(x) */
static IC_ALWAYS_INLINE float ic_value_of(ic_activation kind, float x)
{
    float bell;
    switch (kind) {
    case IC_ACTIVATION_RELU:
        return x < 0.0f ? 0.0f : x;
    case IC_ACTIVATION_RELU6:
        return ic_clamp(x, 0.0f, 6.0f);
    case IC_ACTIVATION_SILU:
        return x * ic_sigmoid(x);
    case IC_ACTIVATION_GELU:
        return x * ic_normal(x, &bell);
    case IC_ACTIVATION_SIGMOID:
        return ic_sigmoid(x);
    case IC_ACTIVATION_HARD_SIGMOID:
        return ic_clamp(IC_FMA(x, 1.0f / 6.0f, 0.5f), 0.0f, 1.0f);
    case IC_ACTIVATION_HARD_SWISH:
        return x * ic_clamp(IC_FMA(x, 1.0f / 6.0f, 0.5f), 0.0f, 1.0f);
    default:
        return x;
    }
}

/*
 * The clamps among them, of a vector: compilers make them of comparisons and blends, which take
 * twice as many instructions.
 */
#if defined(IC_SMALL) /* whose ic_fused may round twice where IC_FMA rounds once */
#define IC_IS_CLAMP(kind) false
#else
#define IC_IS_CLAMP(kind)                                                                          \
    (__builtin_constant_p(kind) &&                                                                 \
     ((kind) == IC_ACTIVATION_RELU6 || (kind) == IC_ACTIVATION_HARD_SWISH))
#endif
static IC_ALWAYS_INLINE ic_vector ic_clamp_vector(ic_activation kind, ic_vector x)
{
    if (kind == IC_ACTIVATION_RELU6)
        return ic_least(ic_constant(6.0f), ic_most(ic_zero(), x));
    const ic_vector gate = ic_fused(x, ic_constant(1.0f / 6.0f), ic_constant(0.5f));
    return x * ic_least(ic_constant(1.0f), ic_most(ic_zero(), gate));
}

/*
 * d_y f'(x). At a corner the slope is the one of the flat side.
 *   silu' = s (1 + x (1 - s)), s = sigmoid(x)      gelu' = Phi(x) + x exp(-x^2/2) / sqrt(2 pi)
 */
static IC_ALWAYS_INLINE float ic_gradient_of(ic_activation kind, float x, float d_y)
{
    float s, bell;
    switch (kind) {
    case IC_ACTIVATION_RELU:
        return x <= 0.0f ? 0.0f : d_y;
    case IC_ACTIVATION_RELU6:
        s = x <= 0.0f ? 0.0f : d_y;
        return x >= 6.0f ? 0.0f : s;
    case IC_ACTIVATION_SILU:
        s = ic_sigmoid(x);
        return d_y * (s * IC_FMA(x, 1.0f - s, 1.0f));
    case IC_ACTIVATION_GELU:
        s = ic_normal(x, &bell);
        return d_y * IC_FMA(x * 0.398942280f, bell, s);
    case IC_ACTIVATION_SIGMOID:
        s = ic_sigmoid(x);
        return d_y * (s * (1.0f - s));
    case IC_ACTIVATION_HARD_SIGMOID:
        s = x <= -3.0f ? 0.0f : d_y * (1.0f / 6.0f);
        return x >= 3.0f ? 0.0f : s;
    case IC_ACTIVATION_HARD_SWISH:
        s = x <= -3.0f ? 0.0f : d_y * IC_FMA(x, 1.0f / 3.0f, 0.5f);
        return x >= 3.0f ? d_y : s;
    default:
        return d_y;
    }
}

/* The same for loops: inlined where the kind is a constant, else a call. */
float IC_AT_LEVEL(ic_activation_any)(ic_activation kind, float x);
float IC_AT_LEVEL(ic_gradient_any)(ic_activation kind, float x, float d_y);

static IC_ALWAYS_INLINE float ic_activation_value(ic_activation kind, float x)
{
    return __builtin_constant_p(kind) ? ic_value_of(kind, x)
                                      : IC_AT_LEVEL(ic_activation_any)(kind, x);
}

static IC_ALWAYS_INLINE float ic_activation_gradient(ic_activation kind, float x, float d_y)
{
    return __builtin_constant_p(kind) ? ic_gradient_of(kind, x, d_y)
                                      : IC_AT_LEVEL(ic_gradient_any)(kind, x, d_y);
}

/*
 * LOOP(constant, 0, whole) with the activation that the variable `kind` holds and the largest
 * multiple of a vector, so that the compiler adds no loop for what is left: LOOP(kind, whole,
 * count) does that, and all of an activation that is not in the list, by a call for each number.
 * There the compiler must not know the kind from the case that it comes from: loops over whole
 * vectors would run beyond the end.
 */
#define IC_FOR_ACTIVATIONS(LIST, kind, count, LOOP)                                                \
    int64_t whole = (count) & ~(int64_t)(IC_WHOLE - 1);                                            \
    switch (kind) {                                                                                \
        LIST(IC_ACTIVATION_CASE, LOOP)                                                             \
    default:                                                                                       \
        whole = 0;                                                                                 \
        break;                                                                                     \
    }                                                                                              \
    __asm__("" : "+r"(kind));                                                                      \
    LOOP(kind, whole, count)
#define IC_ACTIVATION_CASE(name, LOOP)                                                             \
    case IC_ACTIVATION_##name:                                                                     \
        LOOP(IC_ACTIVATION_##name, 0, whole);                                                      \
        break;

enum { IC_WHOLE = 16 }; /* floats: the widest vector of all levels */

/* What stands before squeeze and excite, and behind norms, in the networks that people use. */
#define IC_SQUEEZED_ACTIVATIONS(X, LOOP)                                                           \
    X(NONE, LOOP) X(RELU, LOOP) X(RELU6, LOOP) X(SILU, LOOP) X(HARD_SWISH, LOOP)
#define IC_NORM_ACTIVATIONS(X, LOOP) IC_SQUEEZED_ACTIVATIONS(X, LOOP) X(GELU, LOOP)
#define IC_ALL_ACTIVATIONS(X, LOOP)                                                                \
    IC_NORM_ACTIVATIONS(X, LOOP) X(SIGMOID, LOOP) X(HARD_SIGMOID, LOOP)

#endif

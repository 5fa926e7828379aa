#!/usr/bin/env python3
"""Fits the coefficients of lib/kernels/ref/activation.h and prints them with their errors.

Needs numpy and mpmath. Both fits minimise the greatest relative error by Lawson's iteration: weighted
least squares whose weights grow where the error is great. The rational one is made linear by the
denominator of the round before (Sanathanan, Koerner 1963). SPDX-License-Identifier: MIT
"""

import mpmath
import numpy


def chebyshev_points(low, high, count):
    angles = (numpy.arange(count) + 0.5) * numpy.pi / count
    return low + (high - low) * (1.0 - numpy.cos(angles)) / 2.0


def least_squares(columns, target):
    size = numpy.abs(columns).max(axis=0)
    return numpy.linalg.lstsq(columns / size, target, rcond=1e-17)[0] / size


def fit_exp():
    """q of degree 4 in e^r = 1 + r + r^2 q(r), |r| <= ln 2 / 2."""
    r = chebyshev_points(-0.3466, 0.3466, 400)
    q = numpy.array([float((mpmath.expm1(x) - x) / mpmath.mpf(x) ** 2) for x in r])
    relative = r * r / numpy.exp(r)
    weight, best = numpy.ones(len(r)), (1.0, None)
    for _ in range(600):
        scale = numpy.sqrt(weight) * relative
        c = least_squares(numpy.vander(r, 5, increasing=True) * scale[:, None], q * scale)
        error = numpy.abs(numpy.polyval(c[::-1], r) - q) * relative
        best = min(best, (error.max(), tuple(c)))
        weight = weight * error / (weight * error).sum()
    return best


def fit_normal_tail():
    """N of degree 4 and D of degree 5 in Phi(-a) exp(a^2/2) = N(a) / D(a), 0 <= a <= 13.25."""
    a = numpy.sort(numpy.concatenate([chebyshev_points(0.0, 13.25, 600), numpy.linspace(0, 3, 200)]))
    f = numpy.array([float(mpmath.ncdf(-x) * mpmath.e ** (mpmath.mpf(x) ** 2 / 2)) for x in a])
    weight, below, best = numpy.ones(len(a)), numpy.ones(len(a)), (1.0, None)
    for _ in range(3000):
        scale = numpy.sqrt(weight) / (f * below)
        columns = numpy.hstack([numpy.vander(a, 5, increasing=True),
                                -f[:, None] * numpy.vander(a, 6, increasing=True)[:, 1:]])
        c = least_squares(columns * scale[:, None], f * scale)
        below = 1.0 + a * numpy.polyval(c[:4:-1], a)
        error = numpy.abs(numpy.polyval(c[4::-1], a) / below / f - 1.0)
        if below.min() > 0.0:
            best = min(best, (error.max(), tuple(c)))
        weight = weight * numpy.sqrt(error) / (weight * numpy.sqrt(error)).sum()
    return best


def show(name, fit):
    error, coefficients = fit
    print(f"{name}: relative error {error:.2g}; lowest power first")
    print("  " + " ".join(f"{numpy.float32(c):.9g}f" for c in coefficients))


if __name__ == "__main__":
    mpmath.mp.dps = 30
    show("exp", fit_exp())
    show("normal tail, 5 of N and 5 of D after its 1", fit_normal_tail())

#!/usr/bin/env python3
"""Writes tests/model/confidence_golden.h: temperatures, calibration errors and scores for unknown pictures as NumPy and
SciPy compute them.

    python3 tests/tools/confidence_scipy.py        (needs numpy and scipy; run by hand)

Logits, textures and outputs are not stored: both sides make them from a hash of name and place (tests/support/hashed.h).
SPDX-License-Identifier: MIT
"""
import pathlib

import numpy as np
import scipy.linalg
import scipy.optimize
import scipy.special

MASK = (1 << 64) - 1
PICTURES, CLASSES = 77, 5
TRAINING, SIDE = 60, 16
SHRINKAGE, LEAST, UNIT = 0.1, 0.1, 1e-5


def name_hash(name):
    h = 0xCBF29CE484222325
    for byte in name.encode():
        h = (h ^ byte) * 0x100000001B3 & MASK
    return h


def value(name, *shape):
    """Uniform in [-1, 1), multiples of 2^-23: exact in float32."""
    z = np.arange(1, int(np.prod(shape)) + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(name_hash(name))
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z ^= z >> np.uint64(31)
    return ((z >> np.uint64(40)).astype(np.float64) / 8388608.0 - 1.0).reshape(shape)


def judged(sharpness):
    """Logits whose largest is the label's three times in four; the sharper, the surer."""
    logits = (np.float32(sharpness) * value("logits", PICTURES, CLASSES).astype(np.float32)).astype(np.float64)
    labels = logits.argmax(1)
    labels = np.where(np.arange(PICTURES) % 4 == 3, (labels + 1) % CLASSES, labels)
    return logits, labels


def looks_at(logits, count):
    """The logits of `count` looks, one behind the other; from look to look some get weaker."""
    weaker = (1 + value("looks", PICTURES, 1)) / 2
    return np.concatenate([np.float32(logits * weaker**look) for look in range(count)]).astype(np.float64)


def temperature(logits, labels, looks):
    smoothing = 1 / (PICTURES + 1)
    labels = np.tile(labels, looks)
    logits = looks_at(logits, looks)
    targets = (1 - smoothing) * np.eye(CLASSES)[labels] + smoothing / CLASSES

    def slope(b):
        return ((scipy.special.softmax(b * logits, axis=1) - targets) * logits).sum() / looks

    def above(b):
        return entropy(b) - entropy(least) - 1.353

    def entropy(b):
        return -(targets * scipy.special.log_softmax(b * logits, axis=1)).sum() / looks

    least = scipy.optimize.brentq(slope, 1 / 20, 20, xtol=1e-15, rtol=1e-14)
    return 1 / scipy.optimize.brentq(above, 1 / 20, least, xtol=1e-15, rtol=1e-14)


def calibration_error(logits, labels, t):
    p = scipy.special.softmax(logits / t, axis=1)
    order = np.argsort(p.max(1), kind="stable")
    gaps = (p.max(1) - (p.argmax(1) == labels))[order]
    return sum(abs(part.sum()) for part in np.array_split(gaps, 15)) / PICTURES


def texture(pixels):
    """Of [h][w][3] samples in 0..1."""
    out = []
    for mix in ([1 / 3, 1 / 3, 1 / 3], [1, -1, 0], [0.5, 0.5, -1]):
        plane = pixels @ np.array(mix)
        while min(plane.shape) >= 4:
            a, b, c, d = plane[::2, ::2], plane[::2, 1::2], plane[1::2, ::2], plane[1::2, 1::2]
            for detail in ((a - b + c - d) / 4, (a + b - c - d) / 4, (a - b - c + d) / 4):
                out.append(np.log((detail**2).mean() + 1e-6))
            plane = (a + b + c + d) / 4
        out.append(np.log(plane.var() + 1e-6))
    return np.array(out)


def rounded(x):
    return np.floor(x / UNIT + 0.5) * UNIT


def distance(train, one):
    """The squared Mahalanobis distance, with the rounding that files have."""
    mean = rounded(train.mean(0))
    deviation = np.maximum(rounded(np.sqrt(((train - mean)**2).mean(0))), LEAST)
    z = (train - mean) / deviation
    correlations = (1 - SHRINKAGE) * z.T @ z / len(z) + SHRINKAGE * np.eye(z.shape[1])
    factor = rounded(np.linalg.cholesky(correlations))
    return (scipy.linalg.solve_triangular(factor, (one - mean) / deviation, lower=True)**2).sum()


def signs(train, one, outputs, channels):
    taps, sum_of_logs = outputs[CLASSES:], 0
    for c in channels:
        sum_of_logs += np.log(np.maximum(taps[:c], 0).mean() + 1e-6)
        taps = taps[c:]
    return [-sum_of_logs / len(channels), np.log(distance(train, one) + 1e-9), -scipy.special.logsumexp(outputs[:CLASSES])]


def main():
    lines = ["/* model/confidence_golden.h: made by tests/tools/confidence_scipy.py. SPDX-License-Identifier: MIT */",
             f"enum {{ GOLDEN_PICTURES = {PICTURES}, GOLDEN_CLASSES = {CLASSES}, GOLDEN_TRAINING = {TRAINING}, "
             f"GOLDEN_SIDE = {SIDE} }};", "",
             "static const struct {", "    double sharpness;", "    int looks;", "    double temperature, before, after;", "} golden_temperatures[] = {"]
    for sharpness, looks in (0.5, 1), (2, 1), (12, 1), (2, 2), (12, 3):
        logits, labels = judged(sharpness)
        t = temperature(logits, labels, looks)
        errors = [float(calibration_error(logits, labels, at)) for at in (1, t)]
        lines.append(f"    {{{sharpness}, {looks}, {t!r}, {errors[0]!r}, {errors[1]!r}}},")
    pictures = (value("pixels", TRAINING + 1, SIDE, SIDE, 3) + 1) / 2
    pictures *= ((value("contrast", TRAINING + 1) + 1) / 2)[:, None, None, None]  # else all are alike
    textures = np.stack([texture(p) for p in pictures])
    channels = [4, 7, 3]
    outputs = 3 * value("outputs", CLASSES + sum(channels))
    found = signs(textures[:TRAINING], textures[TRAINING], outputs, channels)
    lines += ["};", "", "/* Of the last picture, behind those of the training. */",
              "static const double golden_texture[] = {"]
    lines += [f"    {float(x)!r}," for x in textures[TRAINING]]
    lines += ["};", "static const double golden_signs[] = {" + ", ".join(repr(float(x)) for x in found) + "};", ""]
    path = pathlib.Path(__file__).parent.parent / "model" / "confidence_golden.h"
    path.write_text("\n".join(lines))


main()

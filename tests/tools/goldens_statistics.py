#!/usr/bin/env python3
"""Writes tests/evaluate/goldens_statistics.h: figures, intervals, curves and tests as scikit-learn, SciPy and statsmodels
compute them.

    python3 tests/tools/goldens_statistics.py        (needs those three; run by hand)

Probabilities are whole numbers of units, so that floats hold them exactly and sums are 1. SPDX-License-Identifier: MIT
"""
import pathlib
import warnings

import numpy as np
from scipy import stats
from sklearn import metrics as m
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.proportion import proportion_confint

RESAMPLES, LEVEL, BINS = 25, 0.9, 15
FIGURES = ["accuracy", "top5_accuracy", "loss", "auc", "average_precision", "precision", "recall", "f1",
           "weighted_precision", "weighted_recall", "weighted_f1", "balanced_accuracy", "mcc", "kappa", "ece", "brier"]
CLASS_FIGURES = ["precision", "recall", "f1", "auc", "average_precision", "specificity"]
# name: classes, pictures, units, shares of the classes
CASES = {"four": (4, 90, 4096, [0.4, 0.3, 0.2, 0.1]), "ties": (2, 70, 32, [0.6, 0.4]),
         "absent": (3, 40, 512, [0.5, 0.5, 0.0]), "seven": (7, 50, 65536, [1 / 7] * 7)}


def make(name):
    classes, count, units, shares = CASES[name]
    random = np.random.default_rng(sum(map(ord, name)))
    labels = random.choice(classes, count, p=shares)
    logits = random.normal(size=(count, classes)) + 1.2 * np.eye(classes)[labels]
    p = np.exp(1.5 * logits)
    p = np.floor(p / p.sum(1, keepdims=True) * (units - classes)).astype(int) + 1
    p[np.arange(count), random.integers(0, classes, count)] += units - p.sum(1)
    return labels, p


def ece_bins(labels, p):
    confidence, right = p.max(1), p.argmax(1) == labels
    order = np.argsort(confidence, kind="stable")
    return [(confidence[b], right[b]) for b in np.array_split(order, BINS) if len(b)]


def per_class(labels, p):
    """One row a class; p.argmax takes the lower of equal ones, as the library does."""
    predicted, rows = p.argmax(1), []
    for c in range(p.shape[1]):
        y, q = labels == c, predicted == c
        both = 0 < y.sum() < len(y)
        rows.append([m.precision_score(y, q, zero_division=0), m.recall_score(y, q, zero_division=0),
                     m.f1_score(y, q, zero_division=0), m.roc_auc_score(y, p[:, c]) if both else np.nan,
                     m.average_precision_score(y, p[:, c]) if y.any() else np.nan,
                     m.recall_score(~y, ~q, zero_division=0)])
    return np.array(rows)


def figures(labels, p):
    classes, predicted, rows = p.shape[1], p.argmax(1), per_class(labels, p)
    present, every = np.unique(labels), np.arange(classes)
    headline = rows[1] if classes == 2 else np.nanmean(rows, 0)
    kinds = (m.precision_score, m.recall_score, m.f1_score)
    macro, weighted = ([f(labels, predicted, labels=present, average=a, zero_division=0) for f in kinds]
                       for a in ("macro", "weighted"))
    order = np.argsort(-p, axis=1, kind="stable")[:, :5]
    ece = sum(abs(c.mean() - r.mean()) * len(c) for c, r in ece_bins(labels, p)) / len(labels)
    one_hot = np.eye(classes)[labels]
    brier = (m.brier_score_loss(labels == 1, p[:, 1]) if classes == 2 else
             m.brier_score_loss(one_hot, p) if len(present) == classes else ((p - one_hot) ** 2).sum(1).mean())
    return [m.accuracy_score(labels, predicted), (order == labels[:, None]).any(1).mean(),
            m.log_loss(labels, p, labels=every), headline[3], headline[4], *macro, *weighted,
            m.balanced_accuracy_score(labels, predicted), m.matthews_corrcoef(labels, predicted),
            m.cohen_kappa_score(labels, predicted), ece, brier]


def draws(count):
    """The same numbers as the test's own generator."""
    state, rows = 1, []
    for _ in range(RESAMPLES * count):
        state = (state * 1664525 + 1013904223) % 2 ** 32
        rows.append((state >> 16) % count)
    return np.array(rows).reshape(RESAMPLES, count)


def quantiles(values):
    values = values[~np.isnan(values)]
    tail = (1 - LEVEL) / 2
    return np.quantile(values, [tail, 1 - tail]) if len(values) else [np.nan, np.nan]


def wilson(hits, n):
    return proportion_confint(hits, n, 1 - LEVEL, method="wilson") if n else (np.nan, np.nan)


def intervals(labels, p):
    """[figures][2] and [classes][class figures][2]."""
    predicted, n = p.argmax(1), len(labels)
    all_figures, all_classes = [], []
    for drawn in draws(n):
        drawn = np.sort(drawn)
        all_figures.append(figures(labels[drawn], p[drawn]))
        all_classes.append(per_class(labels[drawn], p[drawn]))
    all_figures, all_classes = np.array(all_figures), np.array(all_classes)
    whole = [quantiles(all_figures[:, i]) for i in range(len(FIGURES))]
    right, near = figures(labels, p)[:2]
    whole[0], whole[1] = wilson(round(right * n), n), wilson(round(near * n), n)
    classes = []
    for c in range(p.shape[1]):
        rows = [quantiles(all_classes[:, c, i]) for i in range(len(CLASS_FIGURES))]
        y, q = labels == c, predicted == c
        rows[0], rows[1] = wilson((y & q).sum(), q.sum()), wilson((y & q).sum(), y.sum())
        rows[5] = wilson((~y & ~q).sum(), (~y).sum())
        classes.append(rows)
    return whole, classes


def curves(labels, p, c):
    """x, y, third: of class c, scikit-learn's own; calibration."""
    fpr, tpr, at = m.roc_curve(labels == c, p[:, c], drop_intermediate=True)
    precision, recall, above = m.precision_recall_curve(labels == c, p[:, c], drop_intermediate=True)
    bins = np.array([(q.mean(), r.mean(), len(q) / len(labels)) for q, r in ece_bins(labels, p)]).T
    return {"roc": (fpr, tpr, at), "precision_recall": (recall, precision, np.append(above, np.inf)), "calibration": bins}


# ---- Writing ----


def number(x):
    return "NAN" if np.isnan(x) else "INFINITY" if np.isinf(x) else repr(float(x))


def array(kind, name, values, form=number):
    text, line = "", "   "
    for value in np.asarray(values).reshape(-1):
        word = " " + form(value) + ","
        if len(line) + len(word) > 100:
            text, line = text + line + "\n", "   "
        line += word
    return f"static const {kind} {name}[] = {{\n{text}{line}\n}};\n"


def write_case(name):
    labels, units = make(name)
    scale = CASES[name][2]
    p = (units / scale).astype(np.float32).astype(float)
    whole, classes = intervals(labels, p)
    text = f"\n/* ---- {name} ---- */\n\n"
    text += array("int32_t", f"{name}_labels", labels, str) + array("int32_t", f"{name}_units", units, str)
    text += array("double", f"{name}_figures", figures(labels, p)) + array("double", f"{name}_intervals", whole)
    text += array("double", f"{name}_classes", per_class(labels, p))
    text += array("double", f"{name}_class_intervals", classes)
    sizes = []
    for kind, values in curves(labels, p, 1).items():
        text += array("double", f"{name}_{kind}", np.array(values))
        sizes.append(len(values[0]))
    fields = ("labels", "units", "figures", "intervals", "classes", "class_intervals")
    row = ", ".join([f'"{name}"', str(p.shape[1]), str(len(labels)), str(scale)] + [f"{name}_{f}" for f in fields])
    row += ",\n     {" + ", ".join(f"{name}_{k}" for k in ("roc", "precision_recall", "calibration"))
    return text, f"    {{{row}}}, {{{', '.join(map(str, sizes))}}}}},\n"


HEAD = """/* evaluate/goldens_statistics.h: written by tests/tools/goldens_statistics.py. SPDX-License-Identifier: MIT
 */
/* clang-format off */
#include <math.h>
#include <stdint.h>

enum { GOLDEN_RESAMPLES = %d };
#define GOLDEN_LEVEL %s
"""

TABLE = """
typedef struct golden {
    const char *name;
    int32_t classes;
    int64_t count;
    int32_t scale; /* units a probability of 1 */
    const int32_t *labels, *units;
    const double *figures, *intervals, *classes_figures, *class_intervals;
    const double *curves[3]; /* [3][sizes]: x, y, third; of class 1 */
    int64_t sizes[3];
} golden;

static const golden goldens[] = {
%s};
"""


def tests():
    """{b, c, exact p, chi-square, its p}; {z, above}; {level, z}; {hits, n, level, low, high}."""
    pairs = [(0, 1), (5, 0), (3, 9), (10, 10), (120, 90), (1000, 1100), (3, 400), (20000, 20400)]
    rows = []
    for b, c in pairs:
        exact, chi = (mcnemar([[0, b], [c, 0]], exact=e, correction=True) for e in (True, False))
        rows.append([b, c, exact.pvalue, chi.statistic, chi.pvalue])
    text = "\n/* b, c, exact p, chi-square, its p */\n" + array("double", "golden_mcnemar", rows)
    text += "/* z, probability above it */\n"
    text += array("double", "golden_above", [[z, stats.norm.sf(z)] for z in (0, 0.1, 1, 2.9, 3.1, 5, 8, 30)])
    text += "/* level, z */\n"
    text += array("double", "golden_z", [[l, stats.norm.ppf((1 + l) / 2)] for l in (0.5, 0.9, 0.95, 0.99, 0.999)])
    text += "/* hits, n, level, low, high */\n"
    text += array("double", "golden_wilson", [[h, n, l, *proportion_confint(h, n, 1 - l, method="wilson")]
                                             for h, n, l in ((0, 1, .95), (1, 1, .95), (7, 10, .5), (250, 1000, .99),
                                                             (0, 40, .95), (40, 40, .9), (9999, 10000, .95))])
    return text


def main():
    warnings.simplefilter("ignore")
    texts, rows = zip(*map(write_case, CASES))
    path = pathlib.Path(__file__).resolve().parent.parent / "evaluate" / "goldens_statistics.h"
    path.write_text(HEAD % (RESAMPLES, LEVEL) + tests() + "".join(texts) + TABLE % "".join(rows))
    print(path, path.stat().st_size, "bytes")


if __name__ == "__main__":
    main()

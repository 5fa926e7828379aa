/* model/calibrate.c: temperature scaling. SPDX-License-Identifier: MIT */
#include "model/calibrate.h"

#include "base/maths.h"
#include "base/memory.h"
#include "base/status.h"

#include <math.h>
#include <stdlib.h>

enum { BINS = 15, STEPS_MAX = 100 };

/* ---- The temperature ---- */

/* How far the cross-entropy, which is -ln(likelihood), may be above its least: 1.645^2 / 2, beyond
 * which 95 % of samples tell that the answers are not sure enough. */
static const double margin = 1.353;

typedef struct entropy {
    double value, slope, curvature;
} entropy;

/*
 * One picture's cross-entropy by b = 1/T, with p = softmax(b z) and targets t; its slopes are
 * E_p[z] - E_t[z], and the variance of z under p. So the sum is convex in b.
 */
static entropy picture_entropy(const ic_judged *j, int64_t picture, double b, double smoothing)
{
    const float *z = j->logits + picture * j->classes;
    double most = (double)z[ic_largest(z, j->classes)];
    double sum = 0, mean = 0, squares = 0, even = 0;
    for (int32_t i = 0; i < j->classes; i++) {
        double x = (double)z[i] - most, e = ic_exp(b * x);
        sum += e;
        mean += e * x;
        squares += e * x * x;
        even += x;
    }
    mean /= sum;
    double target =
        (1 - smoothing) * ((double)z[j->labels[picture]] - most) + smoothing * even / j->classes;
    return (entropy){ic_ln(sum) - b * target, mean - target, squares / sum - mean * mean};
}

/* Of all pictures, each by the mean of its looks. */
static entropy entropy_at(const ic_judged *j, int32_t looks, double b)
{
    const double share = 1.0 / looks;
    entropy all = {0, 0, 0};
    for (int64_t i = 0; i < j->count; i++) {
        entropy one = picture_entropy(j, i, b, 1 / (share * (double)j->count + 1));
        all.value += share * one.value;
        all.slope += share * one.slope;
        all.curvature += share * one.curvature;
    }
    return all;
}

/* Newton's method, and halving where it would leave the bracket. */
static double find_least(const ic_judged *pictures, int32_t looks)
{
    double low = 1 / IC_TEMPERATURE_MAX, high = 1 / IC_TEMPERATURE_MIN, b = 1;
    for (int32_t step = 0; step < STEPS_MAX && high - low > 1e-12 * low; step++) {
        entropy at = entropy_at(pictures, looks, b);
        if (at.slope < 0)
            low = b;
        else
            high = b;
        double next = b - at.slope / at.curvature;
        next = next > low && next < high ? next : (low + high) / 2;
        if (fabs(next - b) < 1e-14 * b)
            break;
        b = next;
    }
    return b;
}

/*
 * The lesser b, whose cross-entropy is by the margin above the least. It falls there and is convex:
 * a step of Newton's method may come out below, and from then on they rise and never overtake it.
 */
static double find_margin(const ic_judged *pictures, int32_t looks, double least)
{
    const entropy bottom = entropy_at(pictures, looks, least);
    const double low = 1 / IC_TEMPERATURE_MAX;
    double b = fmax(low, least - sqrt(2 * margin / bottom.curvature));
    for (int32_t step = 0; step < STEPS_MAX; step++) {
        entropy at = entropy_at(pictures, looks, b);
        if (!(at.slope < 0)) /* nothing tells */
            break;
        double next = fmax(low, b - (at.value - bottom.value - margin) / at.slope);
        if (!(fabs(next - b) > 1e-14 * b))
            break;
        b = next;
    }
    return b;
}

double ic_temperature_fit(const ic_judged *pictures, int32_t looks)
{
    return 1 / find_margin(pictures, looks, find_least(pictures, looks));
}

/* ---- The error ---- */

typedef struct answer {
    double probability;
    int64_t picture;
    bool right;
} answer;

static int by_probability(const void *left, const void *right)
{
    const answer *a = left, *b = right;
    if (a->probability != b->probability)
        return a->probability < b->probability ? -1 : 1;
    return (a->picture > b->picture) - (a->picture < b->picture);
}

static answer answer_to(const ic_judged *j, int64_t picture, double temperature)
{
    const float *z = j->logits + picture * j->classes;
    int32_t best = ic_largest(z, j->classes);
    double sum = 0;
    for (int32_t i = 0; i < j->classes; i++)
        sum += ic_exp(((double)z[i] - (double)z[best]) / temperature);
    return (answer){1 / sum, picture, best == j->labels[picture]};
}

ic_status ic_calibration_error(ic_context *context, const ic_judged *pictures, double temperature,
                               double *out)
{
    int64_t count = pictures->count;
    double error = 0;
    answer *answers;
    IC_TRY(ic_allocate_array(context, (size_t)count, sizeof *answers, &answers));
    for (int64_t i = 0; i < count; i++)
        answers[i] = answer_to(pictures, i, temperature);
    qsort(answers, (size_t)count, sizeof *answers, by_probability);
    for (int64_t bin = 0, i = 0, end = 0; bin < BINS; bin++) { /* as numpy.array_split cuts */
        double gap = 0;
        end += count / BINS + (bin < count % BINS);
        for (; i < end; i++)
            gap += answers[i].probability - answers[i].right;
        error += fabs(gap);
    }
    ic_free(context, answers);
    *out = error / (double)count;
    return IC_OK;
}

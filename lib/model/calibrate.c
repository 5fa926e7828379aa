/* model/calibrate.c: temperature scaling. SPDX-License-Identifier: MIT */
#include "model/calibrate.h"

#include "base/maths.h"
#include "base/memory.h"
#include "base/status.h"

#include <math.h>
#include <stdlib.h>

enum { BINS = 15, STEPS_MAX = 100 };

/* ---- The temperature ---- */

typedef struct slopes {
    double first, second;
} slopes;

/*
 * Of one picture's cross-entropy by b = 1/T, with p = softmax(b z) and targets t: E_p[z] - E_t[z],
 * and the variance of z under p. So the sum is convex in b.
 */
static slopes picture_slopes(const ic_judged *j, int64_t picture, double b, double smoothing)
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
    return (slopes){mean - target, squares / sum - mean * mean};
}

static slopes all_slopes(const ic_judged *j, double b)
{
    slopes all = {0, 0};
    for (int64_t i = 0; i < j->count; i++) {
        slopes one = picture_slopes(j, i, b, 1 / ((double)j->count + 1));
        all.first += one.first;
        all.second += one.second;
    }
    return all;
}

/* Newton's method, and halving where it would leave the bracket. */
double ic_temperature_fit(const ic_judged *pictures)
{
    double low = 1 / IC_TEMPERATURE_MAX, high = 1 / IC_TEMPERATURE_MIN, b = 1;
    for (int32_t step = 0; step < STEPS_MAX && high - low > 1e-12 * low; step++) {
        slopes at = all_slopes(pictures, b);
        if (at.first < 0)
            low = b;
        else
            high = b;
        double next = b - at.first / at.second;
        next = next > low && next < high ? next : (low + high) / 2;
        if (fabs(next - b) < 1e-14 * b)
            break;
        b = next;
    }
    return 1 / b;
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

/*
 * kernels/ref/loss.c: softmax and cross-entropy. SPDX-License-Identifier: MIT
 *
 * With z = x - max x (so that nothing overflows), s = sum exp z: p = exp z / s, log p = z - log s.
 * Target t = (1-a) onehot + a/n of smoothing a over n classes (Szegedy et al. 2016):
 *   loss = w (log s - sum t z),   d loss / d x = w (p - t).
 * A mixed picture has two such losses, with weights w share and w' (1 - share).
 */
#include "base/maths.h"
#include "kernels/ref/activation.h"

enum {
    LANES = 16
}; /* partial sums of a row: class k goes to lane k mod 16, lanes are added in order */

static float maximum(int32_t count, const float *x)
{
    float best[LANES];
    for (int32_t lane = 0; lane < LANES; lane++)
        best[lane] = x[0];
    int32_t i = 0;
    for (; i + LANES <= count; i += LANES)
        for (int32_t lane = 0; lane < LANES; lane++)
            best[lane] = x[i + lane] > best[lane] ? x[i + lane] : best[lane];
    for (; i < count; i++)
        best[0] = x[i] > best[0] ? x[i] : best[0];
    for (int32_t lane = 1; lane < LANES; lane++)
        best[0] = best[lane] > best[0] ? best[lane] : best[0];
    return best[0];
}

static double sum_lanes(const double *lanes)
{
    double sum = lanes[0];
    for (int32_t lane = 1; lane < LANES; lane++)
        sum += lanes[lane];
    return sum;
}

/*
 * The row's s and sum z. NaN among the logits gives NaN, because what is not the maximum still goes
 * through exp; +inf too (inf - inf), while -inf is a class that cannot be.
 */
static void row_sums(int32_t classes, const float *x, float max, double *exp_sum, double *sum)
{
    double exps[LANES] = {0.0}, sums[LANES] = {0.0};
    int32_t i = 0;
    for (; i + LANES <= classes; i += LANES) {
        for (int32_t lane = 0; lane < LANES; lane++) {
            const float z = x[i + lane] - max;
            exps[lane] += (double)ic_exp_nonpositive(z);
            sums[lane] += (double)z;
        }
    }
    for (int32_t lane = 0; i < classes; i++, lane++) {
        const float z = x[i] - max;
        exps[lane] += (double)ic_exp_nonpositive(z);
        sums[lane] += (double)z;
    }
    *exp_sum = sum_lanes(exps);
    *sum = sum_lanes(sums);
}

void IC_AT_LEVEL(ic_softmax)(int64_t rows, int32_t classes, const float *logits,
                             float *probabilities)
{
    for (int64_t row = 0; row < rows; row++) {
        const float *x = logits + row * classes;
        float *p = probabilities + row * classes;
        const float max = maximum(classes, x);
        double exp_sum, sum;
        row_sums(classes, x, max, &exp_sum, &sum);
        const float inverse = (float)(1.0 / exp_sum);
        IC_VECTOR_LOOP
        for (int32_t i = 0; i < classes; i++)
            p[i] = ic_exp_nonpositive(x[i] - max) * inverse;
    }
}

void IC_AT_LEVEL(ic_cross_entropy)(int64_t rows, int32_t classes, const float *logits,
                                   const ic_targets *targets, float smoothing, const float *weight,
                                   float scale, float *loss, float *d_logits)
{
    const float off_target = smoothing / (float)classes;
    for (int64_t row = 0; row < rows; row++) {
        const float *x = logits + row * classes;
        const int32_t label = targets->labels[row];
        const int32_t partner = targets->partners != NULL ? targets->partners[row] : label;
        const float share = targets->partners != NULL ? targets->shares[row] : 1.0f;
        const float own = share * (weight != NULL ? weight[label] : 1.0f);
        const float other = (1.0f - share) * (weight != NULL ? weight[partner] : 1.0f);
        const float row_weight = own + other;
        const float max = maximum(classes, x);
        double exp_sum, sum;
        row_sums(classes, x, max, &exp_sum, &sum);
        double on_labels = (double)own * (double)(x[label] - max);
        if (other > 0.0f) /* -inf may stand there otherwise */
            on_labels += (double)other * (double)(x[partner] - max);
        on_labels *= 1.0 - (double)smoothing;
        const double spread = smoothing > 0.0f ? (double)smoothing / classes * sum : 0.0;
        loss[row] = (float)((double)row_weight * (ic_ln(exp_sum) - spread) - on_labels);
        if (d_logits == NULL)
            continue;
        float *d = d_logits + row * classes;
        const float factor = scale * row_weight;
        const float inverse = (float)(1.0 / exp_sum);
        IC_VECTOR_LOOP
        for (int32_t i = 0; i < classes; i++)
            d[i] = factor * (ic_exp_nonpositive(x[i] - max) * inverse - off_target);
        d[label] -= scale * own * (1.0f - smoothing);
        d[partner] -= scale * other * (1.0f - smoothing);
    }
}

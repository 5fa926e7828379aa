/* evaluate/metrics.h: figures of merit, from labels and scores alone. SPDX-License-Identifier: MIT
 */
#ifndef EVALUATE_METRICS_H
#define EVALUATE_METRICS_H

#include "base/context.h"

/* What a classifier said about pictures whose classes are known. */
typedef struct ic_scores {
    int32_t classes;
    int64_t count;              /* at least 1 */
    const int32_t *labels;      /* [count], 0..classes-1 */
    const float *probabilities; /* [count][classes] */
    const float *losses;        /* [count]: cross-entropy, nats */
} ic_scores;

/*
 * With tp, fp, fn the true positives, false positives and false negatives of a class: precision tp
 * / (tp + fp), recall tp / (tp + fn), f1 2 tp / (2 tp + fp + fn); 0 where the divisor is 0.
 */
typedef struct ic_class_metrics {
    int64_t support; /* pictures of the class */
    double precision, recall, f1;
    double auc; /* of this class against the rest; NaN: undefined, as one of the two is empty */
} ic_class_metrics;

typedef struct ic_averages {
    double precision, recall, f1;
} ic_averages;

typedef struct ic_metrics {
    int32_t classes;
    int64_t count;
    double accuracy;      /* the first of the ranks is the label; ties go to the lower class */
    double top5_accuracy; /* the label is among the first min(5, classes) */
    double loss;
    double auc; /* two classes: that of class 1; else the mean of the defined ones; NaN: none is */
    ic_averages macro;    /* means over the classes with pictures */
    ic_averages weighted; /* the same, weighted by support */
    int64_t *confusion;   /* [actual][predicted] */
    ic_class_metrics *per_class;
} ic_metrics;

/* Measures; free what it allocated with ic_metrics_free. */
ic_status ic_metrics_measure(ic_context *context, const ic_scores *scores, ic_metrics *out);
void ic_metrics_free(ic_context *context, ic_metrics *metrics);

/*
 * The area under the ROC curve of a class against the rest, by the rank-sum identity (Mann, Whitney
 * 1947): with P positives, N negatives and R the sum of the positives' ranks by score, ties sharing
 * their mean rank, AUC = (R - P (P + 1) / 2) / (P N). NaN when P or N is 0.
 */
ic_status ic_metrics_auc(ic_context *context, const ic_scores *scores, int32_t class_index,
                         double *out);

#endif

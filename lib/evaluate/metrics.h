/* evaluate/metrics.h: figures of merit, from labels and scores alone. SPDX-License-Identifier: MIT
 */
#ifndef EVALUATE_METRICS_H
#define EVALUATE_METRICS_H

#include "base/context.h"

/* What a classifier said about pictures whose classes are known. */
typedef struct ic_scores {
    int32_t classes;
    int64_t count;              /* 1..2^30 */
    const int32_t *labels;      /* [count], 0..classes-1 */
    const float *probabilities; /* [count][classes], 0..1 */
    const float *losses;        /* [count]: cross-entropy, nats */
} ic_scores;

/* The first of the ranks: the most probable class; of equal ones the lower. */
int32_t ic_scores_predicted(const ic_scores *scores, int64_t index);

/*
 * Figures of all pictures; their names, in this order, are ic_figure_names. With C the confusion
 * matrix, n its sum, t and p its sums by actual and predicted class, and c its diagonal's sum:
 */
typedef enum ic_figure {
    IC_ACCURACY, /* c / n */
    IC_TOP5,     /* the label is among the first min(5, classes) */
    IC_LOSS,
    IC_AUC,               /* two classes: that of class 1; else the mean of the defined ones */
    IC_AVERAGE_PRECISION, /* the same */
    IC_PRECISION,         /* means over the classes with pictures */
    IC_RECALL,
    IC_F1,
    IC_WEIGHTED_PRECISION, /* the same, weighted by the pictures of the class */
    IC_WEIGHTED_RECALL,
    IC_WEIGHTED_F1,
    IC_BALANCED_ACCURACY, /* the mean recall */
    IC_MCC,               /* (c n - t.p) / sqrt((n^2 - p.p) (n^2 - t.t)) (Gorodkin 2004); or 0 */
    IC_KAPPA,             /* (c n - t.p) / (n^2 - t.p) (Cohen 1960) */
    IC_ECE,               /* reliability.h */
    IC_BRIER,             /* mean of sum_k (p_k - [k is the label])^2; two classes: k is 1 alone */
    IC_FIGURES
} ic_figure;

/*
 * Figures of one class against the rest, by tp, fp, tn, fn, its true and false positives and
 * negatives; 0 where a divisor is 0. Names: ic_class_figure_names.
 */
typedef enum ic_class_figure {
    IC_CLASS_PRECISION,         /* tp / (tp + fp) */
    IC_CLASS_RECALL,            /* tp / (tp + fn) */
    IC_CLASS_F1,                /* 2 tp / (2 tp + fp + fn) */
    IC_CLASS_AUC,               /* ranking.h; NaN: undefined */
    IC_CLASS_AVERAGE_PRECISION, /* ranking.h; NaN: undefined */
    IC_CLASS_SPECIFICITY,       /* tn / (tn + fp) */
    IC_CLASS_FIGURES
} ic_class_figure;

extern const char ic_figure_names[IC_FIGURES][20];
extern const char ic_class_figure_names[IC_CLASS_FIGURES][20];

typedef struct ic_class_metrics {
    int64_t support;   /* pictures of the class */
    int64_t predicted; /* pictures that were taken for it */
    int64_t hits;      /* pictures that are both */
    double figures[IC_CLASS_FIGURES];
} ic_class_metrics;

typedef struct ic_metrics {
    int32_t classes;
    int64_t count;
    double figures[IC_FIGURES]; /* NaN: undefined */
    int64_t *confusion;         /* [actual][predicted]; NULL: not wanted */
    ic_class_metrics *per_class;
} ic_metrics;

/* Measures; free what it allocated with ic_metrics_free. */
ic_status ic_metrics_measure(ic_context *context, const ic_scores *scores, ic_metrics *out);
void ic_metrics_free(ic_context *context, ic_metrics *metrics);

/* ---- The same again and again, of samples of the pictures ---- */

/* Scores made ready: all that does not depend on how often a picture is in a sample. */
typedef struct ic_tally {
    const ic_scores *scores;
    int32_t *predicted;
    bool *near; /* the label is among the first five */
    double *brier;
    float *confidence;       /* of the predicted class */
    uint32_t *by_confidence; /* the pictures, the least sure first */
    uint32_t *ranked;        /* [classes][count], as ranking.h has it; NULL: not wanted */
    uint32_t *once;          /* ones: the sample that is the pictures themselves */
} ic_tally;

/* ranked: whether areas will be wanted. */
ic_status ic_tally_create(ic_context *context, const ic_scores *scores, bool ranked, ic_tally *out);
void ic_tally_free(ic_context *context, ic_tally *tally);

/* Empty metrics with room for so many classes, without a confusion matrix. */
ic_status ic_metrics_create(ic_context *context, int32_t classes, ic_metrics *out);

/* Measures a sample that holds picture i weights[i] times, at least one picture in all. */
void ic_tally_measure(const ic_tally *tally, const uint32_t *weights, ic_metrics *metrics);

#endif

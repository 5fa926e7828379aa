/* evaluate/ranking.h: one class against the rest, by its probability. SPDX-License-Identifier: MIT
 */
#ifndef EVALUATE_RANKING_H
#define EVALUATE_RANKING_H

#include "evaluate/metrics.h"

/* A ranking lists the pictures from the most probable down; ties in the order of the pictures. */
enum {
    IC_RANKED_LAST = 1,     /* the last of those of one probability */
    IC_RANKED_POSITIVE = 2, /* a picture of the class */
    IC_RANKED_SHIFT = 2     /* above these: the index of the picture */
};

/* Ranks by the probability of a class; keys is scratch. Both have an entry for each picture. */
void ic_rank(const ic_scores *scores, int32_t class_index, uint64_t *keys, uint32_t *ranked);

/* Keys that ic_ranking_sort puts in the order of their values, 0 or above, ties by index; the index
 * is their lower half. */
uint64_t ic_ranking_key(float value, int64_t index);
void ic_ranking_sort(uint64_t *keys, int64_t count);

/*
 * Of a sample that has picture i weights[i] times, with P positives and N negatives:
 * the area under the ROC curve, the share of pairs whose positive ranks above the negative, ties a
 * half (Mann, Whitney 1947); NaN when P or N is 0;
 * average precision: the sum over the thresholds of (recall - recall before) * precision; NaN when
 * P is 0.
 */
void ic_ranking_areas(const uint32_t *ranked, int64_t count, const uint32_t *weights, double *auc,
                      double *average_precision);

/* ---- Curves ---- */

/* What calling every picture positive from a threshold on does. */
typedef struct ic_cut {
    double threshold;
    int64_t true_positives, false_positives;
} ic_cut;

/*
 * All cuts of a class, from the highest threshold, infinity, down; free them with ic_free. The last
 * one calls everything positive.
 */
ic_status ic_cuts_create(ic_context *context, const ic_scores *scores, int32_t class_index,
                         ic_cut **cuts, int64_t *count);

#endif

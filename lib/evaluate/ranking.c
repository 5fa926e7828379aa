/* evaluate/ranking.c: one class against the rest, by its probability. SPDX-License-Identifier: MIT
 */
#include "evaluate/ranking.h"

#include "base/memory.h"
#include "base/status.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- Ranking ---- */

static int compare_keys(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

/* The bits of floats that are not negative have the order of their values. */
uint64_t ic_ranking_key(float value, int64_t index)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return (uint64_t)bits << 32 | (uint64_t)index;
}

void ic_ranking_sort(uint64_t *keys, int64_t count)
{
    qsort(keys, (size_t)count, sizeof *keys, compare_keys);
}

void ic_rank(const ic_scores *scores, int32_t class_index, uint64_t *keys, uint32_t *ranked)
{
    const uint64_t descending = (uint64_t)UINT32_MAX << 32;
    for (int64_t i = 0; i < scores->count; i++)
        keys[i] = ic_ranking_key(scores->probabilities[i * scores->classes + class_index], i) ^
                  descending;
    ic_ranking_sort(keys, scores->count);
    for (int64_t i = 0; i < scores->count; i++) {
        uint32_t index = (uint32_t)keys[i];
        bool last = i + 1 == scores->count || keys[i] >> 32 != keys[i + 1] >> 32;
        bool positive = scores->labels[index] == class_index;
        ranked[i] = index << IC_RANKED_SHIFT | (positive ? IC_RANKED_POSITIVE : 0) |
                    (last ? IC_RANKED_LAST : 0);
    }
}

/* ---- Areas ---- */

/* Pairs are counted twice, so that half of a pair stays whole. */
void ic_ranking_areas(const uint32_t *ranked, int64_t count, const uint32_t *weights, double *auc,
                      double *average_precision)
{
    uint64_t positives = 0, negatives = 0, tied_positives = 0, tied_negatives = 0;
    uint64_t doubled_pairs = 0;
    double precision_sum = 0;
    for (int64_t i = 0; i < count; i++) {
        uint32_t entry = ranked[i], weight = weights[entry >> IC_RANKED_SHIFT];
        uint32_t hits = entry & IC_RANKED_POSITIVE ? weight : 0;
        tied_positives += hits;
        tied_negatives += weight - hits;
        if (!(entry & IC_RANKED_LAST))
            continue;
        doubled_pairs += tied_negatives * (2 * positives + tied_positives);
        positives += tied_positives;
        negatives += tied_negatives;
        if (tied_positives > 0)
            precision_sum +=
                (double)tied_positives * ((double)positives / (double)(positives + negatives));
        tied_positives = tied_negatives = 0;
    }
    *auc = positives > 0 && negatives > 0
               ? (double)doubled_pairs / (2 * (double)positives * (double)negatives)
               : (double)NAN;
    *average_precision = positives > 0 ? precision_sum / (double)positives : (double)NAN;
}

/* ---- Cuts ---- */

static int64_t find_cuts(const ic_scores *scores, int32_t class_index, const uint32_t *ranked,
                         ic_cut *cuts)
{
    ic_cut cut = {INFINITY, 0, 0};
    int64_t count = 0;
    cuts[count++] = cut;
    for (int64_t i = 0; i < scores->count; i++) {
        int64_t index = ranked[i] >> IC_RANKED_SHIFT;
        if (ranked[i] & IC_RANKED_POSITIVE)
            cut.true_positives++;
        else
            cut.false_positives++;
        cut.threshold = (double)scores->probabilities[index * scores->classes + class_index];
        if (ranked[i] & IC_RANKED_LAST)
            cuts[count++] = cut;
    }
    return count;
}

ic_status ic_cuts_create(ic_context *context, const ic_scores *scores, int32_t class_index,
                         ic_cut **cuts, int64_t *count)
{
    size_t pictures = (size_t)scores->count;
    uint64_t *keys = NULL;
    uint32_t *ranked = NULL;
    ic_cut *made = NULL;
    ic_status status;
    IC_TRY_CLEAN(ic_allocate_array(context, pictures, sizeof *keys, &keys));
    IC_TRY_CLEAN(ic_allocate_array(context, pictures, sizeof *ranked, &ranked));
    IC_TRY_CLEAN(ic_allocate_array(context, pictures + 1, sizeof *made, &made));
    ic_rank(scores, class_index, keys, ranked);
    *count = find_cuts(scores, class_index, ranked, made);
    *cuts = made;
cleanup:
    ic_free(context, keys);
    ic_free(context, ranked);
    return status;
}

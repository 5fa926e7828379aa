/* report/album.c: who was taken for whom. SPDX-License-Identifier: MIT */
#include "base/memory.h"
#include "base/status.h"
#include "report/html.h"

#include <stdlib.h>

/* A mistake with what it is sorted by. */
typedef struct mistake {
    int64_t row, pair; /* actual * classes + predicted */
    float probability;
} mistake;

static int compare_mistakes(const void *a, const void *b)
{
    const mistake *x = a, *y = b;
    if (x->pair != y->pair)
        return x->pair < y->pair ? -1 : 1;
    if (x->probability != y->probability)
        return x->probability > y->probability ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

static int compare_pairs(const void *a, const void *b)
{
    const ic_confused *x = a, *y = b;
    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    return (x->first > y->first) - (x->first < y->first);
}

static int64_t list_mistakes(const ic_scores *scores, mistake *out)
{
    int64_t count = 0;
    for (int64_t i = 0; i < scores->count; i++) {
        const int32_t predicted = ic_scores_predicted(scores, i);
        if (predicted != scores->labels[i])
            out[count++] = (mistake){i, (int64_t)scores->labels[i] * scores->classes + predicted,
                                     scores->probabilities[i * scores->classes + predicted]};
    }
    qsort(out, (size_t)count, sizeof *out, compare_mistakes);
    return count;
}

static ic_status fill(ic_context *context, const mistake *sorted, int32_t classes, ic_album *album)
{
    const int64_t count = album->mistake_count;
    IC_TRY(ic_allocate_array(context, (size_t)count, sizeof *album->mistakes, &album->mistakes));
    for (int64_t i = 0; i < count; i++) {
        album->mistakes[i] = sorted[i].row;
        if (i == 0 || sorted[i].pair != sorted[i - 1].pair) {
            IC_TRY(ic_grow(context, &album->pairs, &album->pair_capacity, album->pair_count + 1,
                           sizeof *album->pairs));
            album->pairs[album->pair_count++] = (ic_confused){
                (int32_t)(sorted[i].pair / classes), (int32_t)(sorted[i].pair % classes), i, 0};
        }
        album->pairs[album->pair_count - 1].count++;
    }
    if (album->pair_count > 0)
        qsort(album->pairs, album->pair_count, sizeof *album->pairs, compare_pairs);
    return IC_OK;
}

ic_status ic_album_create(ic_context *context, const ic_report *report, ic_album *out)
{
    const ic_scores *scores = &report->scores;
    ic_album album = {0};
    mistake *sorted;
    IC_TRY(ic_allocate_array(context, (size_t)scores->count, sizeof *sorted, &sorted));
    album.mistake_count = list_mistakes(scores, sorted);
    ic_status status = fill(context, sorted, scores->classes, &album);
    album.linked = album.pair_count;
    if (scores->classes > IC_MATRIX_MOST && album.linked > IC_MATRIX_MOST)
        album.linked = IC_MATRIX_MOST;
    *out = album;
    ic_free(context, sorted);
    return status;
}

void ic_album_free(ic_context *context, ic_album *album)
{
    ic_free(context, album->mistakes);
    ic_free(context, album->pairs);
}

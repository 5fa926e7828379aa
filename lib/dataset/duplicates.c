/*
 * dataset/duplicates.c: finds pictures that are there twice: by digest; then by sketches of all,
 * near ones among them, and a look at the pixels of those. SPDX-License-Identifier: MIT
 */
#include "dataset/duplicates.h"

#include "base/pool.h"
#include "base/status.h"
#include "dataset/similar.h"

#include <stdlib.h>
#include <string.h>

enum { SIDE = IC_PROOF_SIDE, CHUNK = 64 /* pictures between two looks at the clock */ };

/* Least agreement in detail. Copies have 0.95 and more, two photographs of one leaf 0.75 at most.
 */
#define PROVEN 0.9
/* Silhouettes of a few grey pixels (digits, clothes) have no details to differ in: of
 * Fashion-MNIST's 70,000 pictures 2,693 pairs agree by 0.9, most of which are only alike, and 116
 * by this. */
#define PROVEN_TINY_GREY 0.97
enum { TINY_SIDE = 48 };
/* Levels of 255 that the mean light of copies may be apart. */
#define LIGHT_APART 80
/* From here on all pixels are compared. */
#define ALL_BUT_SAME 0.97

int64_t ic_pictures_count(const ic_pictures *pictures)
{
    int64_t count = 0;
    for (int32_t i = 0; i < IC_PICTURES_SETS; i++)
        count += ic_dataset_count(pictures->sets[i]);
    return count;
}

const ic_dataset *ic_pictures_find(const ic_pictures *pictures, int64_t *index)
{
    int32_t set = 0;
    for (; *index >= ic_dataset_count(pictures->sets[set]); set++)
        *index -= ic_dataset_count(pictures->sets[set]);
    return pictures->sets[set];
}

const ic_item *ic_pictures_at(const ic_pictures *pictures, int64_t index)
{
    const ic_dataset *set = ic_pictures_find(pictures, &index);
    return ic_dataset_at(set, index);
}

static ic_status add_pair(ic_duplicates *out, const ic_duplicate *pair)
{
    IC_TRY(ic_grow(out->context, &out->pairs, &out->capacity, out->count + 1, sizeof *out->pairs));
    out->pairs[out->count++] = *pair;
    return IC_OK;
}

static int compare_pairs(const void *a, const void *b)
{
    const ic_duplicate *x = a, *y = b;
    if (x->first != y->first)
        return x->first < y->first ? -1 : 1;
    return (x->second > y->second) - (x->second < y->second);
}

void ic_duplicates_sort(ic_duplicates *duplicates)
{
    if (duplicates->count > 0)
        qsort(duplicates->pairs, duplicates->count, sizeof *duplicates->pairs, compare_pairs);
}

void ic_duplicates_free(ic_duplicates *duplicates)
{
    ic_free(duplicates->context, duplicates->pairs);
    *duplicates = (ic_duplicates){.context = duplicates->context};
}

/* ---- The same bytes ---- */

typedef struct content {
    const ic_item *item;
    int64_t index;
} content;

static int compare_contents(const void *a, const void *b)
{
    const content *x = a, *y = b;
    int order = memcmp(x->item->digest, y->item->digest, IC_SHA256_BYTES);
    return order != 0 ? order : (x->index > y->index) - (x->index < y->index);
}

/* All pictures by content; those of the same stand in a row, the first in front. */
static ic_status sort_contents(const ic_pictures *pictures, ic_context *context, content **out)
{
    content *contents;
    const int64_t count = ic_pictures_count(pictures);
    IC_TRY(ic_allocate_array(context, (size_t)count, sizeof *contents, &contents));
    for (int64_t i = 0; i < count; i++)
        contents[i] = (content){ic_pictures_at(pictures, i), i};
    if (count > 0)
        qsort(contents, (size_t)count, sizeof *contents, compare_contents);
    *out = contents;
    return IC_OK;
}

static bool repeats(const content *contents, int64_t i)
{
    return i > 0 &&
           memcmp(contents[i - 1].item->digest, contents[i].item->digest, IC_SHA256_BYTES) == 0;
}

ic_status ic_duplicates_exact(const ic_pictures *pictures, ic_duplicates *out)
{
    content *contents = NULL;
    ic_status status = IC_OK;
    const int64_t count = ic_pictures_count(pictures);
    int64_t first = 0;
    IC_TRY_CLEAN(sort_contents(pictures, out->context, &contents));
    for (int64_t i = 0; i < count; i++) {
        if (!repeats(contents, i)) {
            first = contents[i].index;
            continue;
        }
        const ic_duplicate pair = {.first = first, .second = contents[i].index, .score = 1};
        IC_TRY_CLEAN(add_pair(out, &pair));
    }
cleanup:
    ic_free(out->context, contents);
    return status;
}

/* ---- The same picture in other bytes ---- */

/* Decoded in full, or as small as a thumbnail of `side` can do with. */
static ic_status read_picture(const ic_pictures *pictures, int64_t index, int32_t side,
                              ic_image **out)
{
    const ic_dataset *set = ic_pictures_find(pictures, &index);
    const ic_decode_options options = ic_decode_for_thumbnail(side);
    return ic_dataset_decode(set, index, &options, out);
}

/* A tone without deviation: it has nothing to be known by, or cannot be read any more. */
static ic_status take_thumbnail(const ic_pictures *pictures, int64_t index, int32_t side,
                                float *out, ic_tone *tone)
{
    ic_image *image;
    *tone = (ic_tone){0, 0};
    ic_status status = read_picture(pictures, index, side, &image);
    if (status >= 0) {
        status = ic_thumbnail(image, side, out, tone);
        ic_image_free(image);
    }
    return status == IC_ERROR_MEMORY || status == IC_ERROR_INTERNAL ? status : IC_OK;
}

typedef struct candidate {
    int32_t first, second; /* entries of the search */
    int32_t distance, view;
    bool turned; /* the view is one of the second */
    bool proven;
    ic_duplicate result;
} candidate;

typedef struct search {
    ic_context *context;
    const ic_pictures *pictures;
    int64_t *who; /* the picture of each entry: one of each content, and not of one colour */
    ic_sketch *sketches;
    int32_t count;
    ic_similar *found;
    candidate *candidates;
    size_t candidate_count, candidate_capacity;
    int64_t first; /* unit of this chunk */
} search;

static ic_status sketch_unit(void *arguments, int64_t unit, int32_t worker)
{
    (void)worker;
    const search *s = arguments;
    float thumbnail[IC_SKETCH_SIDE * IC_SKETCH_SIDE];
    ic_tone tone;
    int64_t at = s->first + unit;
    IC_TRY(take_thumbnail(s->pictures, s->who[at], IC_SKETCH_SIDE, thumbnail, &tone));
    if (tone.deviation > 0)
        ic_sketch_of(thumbnail, &s->sketches[at]);
    else
        s->who[at] = -1;
    return IC_OK;
}

/* Runs units 0 … count - 1 in chunks, with progress. */
static ic_status run_chunks(search *s, const char *phase, int64_t count, ic_unit_fn unit)
{
    ic_pool *pool;
    double started = ic_clock_seconds(), last = started;
    IC_TRY(ic_context_pool(s->context, &pool));
    for (s->first = 0; s->first < count; s->first += CHUNK) {
        int64_t some = count - s->first < CHUNK ? count - s->first : CHUNK;
        IC_TRY(ic_pool_run(pool, some, unit, s));
        IC_TRY(ic_progress_step(s->context, phase, s->first + some, count, started, &last));
    }
    return IC_OK;
}

/* One picture of each content, in order. */
static ic_status list_entries(search *s)
{
    content *contents;
    const int64_t count = ic_pictures_count(s->pictures);
    int64_t kept = 0;
    if (count > INT32_MAX)
        return ic_fail(IC_ERROR_LIMIT, "near duplicates are looked for among %d pictures at most",
                       INT32_MAX);
    IC_TRY(ic_allocate_array(s->context, (size_t)count, sizeof *s->who, &s->who));
    IC_TRY(sort_contents(s->pictures, s->context, &contents));
    for (int64_t i = 0; i < count; i++)
        s->who[contents[i].index] = repeats(contents, i) ? -1 : 0;
    for (int64_t i = 0; i < count; i++)
        if (s->who[i] == 0)
            s->who[kept++] = i;
    ic_free(s->context, contents);
    s->count = (int32_t)kept;
    return IC_OK;
}

static ic_status make_sketches(search *s)
{
    int32_t kept = 0;
    IC_TRY(list_entries(s));
    IC_TRY(ic_allocate_array(s->context, (size_t)s->count, sizeof *s->sketches, &s->sketches));
    IC_TRY(run_chunks(s, "duplicates", s->count, sketch_unit));
    for (int32_t i = 0; i < s->count; i++)
        if (s->who[i] >= 0) {
            s->who[kept] = s->who[i];
            s->sketches[kept++] = s->sketches[i];
        }
    s->count = kept;
    return IC_OK;
}

static int compare_candidates(const void *a, const void *b)
{
    const candidate *x = a, *y = b;
    if (x->first != y->first)
        return x->first < y->first ? -1 : 1;
    if (x->second != y->second)
        return x->second < y->second ? -1 : 1;
    if (x->distance != y->distance)
        return x->distance < y->distance ? -1 : 1;
    return (int)x->turned - (int)y->turned;
}

/* Each pair once, by the nearer of its two finds. */
static ic_status list_candidates(search *s)
{
    size_t kept = 0;
    for (int32_t i = 0; i < s->count; i++)
        for (int32_t k = 0; k < IC_SIMILAR_MOST; k++) {
            const ic_similar *one = &s->found[(size_t)i * IC_SIMILAR_MOST + (size_t)k];
            if (one->other < 0)
                break;
            bool turned = one->other < i;
            IC_TRY(ic_grow(s->context, &s->candidates, &s->candidate_capacity,
                           s->candidate_count + 1, sizeof *s->candidates));
            s->candidates[s->candidate_count++] = (candidate){.first = turned ? one->other : i,
                                                              .second = turned ? i : one->other,
                                                              .distance = one->distance,
                                                              .view = one->view,
                                                              .turned = turned};
        }
    if (s->candidate_count > 0)
        qsort(s->candidates, s->candidate_count, sizeof *s->candidates, compare_candidates);
    for (size_t i = 0; i < s->candidate_count; i++) {
        const candidate *c = &s->candidates[i], *last = &s->candidates[kept - (kept > 0)];
        if (kept == 0 || c->first != last->first || c->second != last->second)
            s->candidates[kept++] = *c;
    }
    s->candidate_count = kept;
    return IC_OK;
}

static bool same_pixels(const ic_image *a, const ic_image *b)
{
    if (a->width != b->width || a->height != b->height || a->channels != b->channels ||
        a->depth != b->depth)
        return false;
    const size_t row = (size_t)a->width * (size_t)a->channels * (size_t)(a->depth / 8);
    for (int32_t y = 0; y < a->height; y++)
        if (memcmp(ic_image_row(a, y), ic_image_row(b, y), row) != 0)
            return false;
    return true;
}

static ic_status compare_pixels(const search *s, int64_t a, int64_t b, bool *out)
{
    ic_image *images[2] = {NULL, NULL};
    ic_status status = IC_OK;
    IC_TRY_CLEAN(read_picture(s->pictures, a, 0, &images[0]));
    IC_TRY_CLEAN(read_picture(s->pictures, b, 0, &images[1]));
    *out = same_pixels(images[0], images[1]);
cleanup:
    ic_image_free(images[0]);
    ic_image_free(images[1]);
    return status;
}

/* Copies keep their light, or nearly: a bright and a dark picture of one shape are two. */
static bool of_one_light(const ic_tone *a, const ic_tone *b)
{
    const double apart = a->mean - b->mean;
    return apart < LIGHT_APART && apart > -LIGHT_APART && a->deviation > 0 &&
           a->deviation < 2 * b->deviation && b->deviation < 2 * a->deviation;
}

static double least_agreement(const search *s, const ic_duplicate *pair)
{
    const ic_item *a = ic_pictures_at(s->pictures, pair->first);
    const ic_item *b = ic_pictures_at(s->pictures, pair->second);
    bool tiny = a->width < TINY_SIDE && a->height < TINY_SIDE && b->width < TINY_SIDE &&
                b->height < TINY_SIDE;
    return tiny && a->channels <= 2 && b->channels <= 2 ? PROVEN_TINY_GREY : PROVEN;
}

static ic_status prove_unit(void *arguments, int64_t unit, int32_t worker)
{
    (void)worker;
    const search *s = arguments;
    candidate *c = &s->candidates[s->first + unit];
    ic_duplicate *r = &c->result;
    float first[SIDE * SIDE], second[SIDE * SIDE];
    ic_tone tones[2];
    bool same = false;
    ic_warp warp = ic_sketch_warp(c->view);
    *r = (ic_duplicate){.first = s->who[c->first],
                        .second = s->who[c->second],
                        .near = true,
                        .mirrored = warp.mirrored};
    if (!ic_sketches_agree(&s->sketches[c->turned ? c->second : c->first],
                           &s->sketches[c->turned ? c->first : c->second], &warp))
        return IC_OK;
    IC_TRY(take_thumbnail(s->pictures, r->first, SIDE, first, &tones[0]));
    IC_TRY(take_thumbnail(s->pictures, r->second, SIDE, second, &tones[1]));
    if (!of_one_light(&tones[0], &tones[1]))
        return IC_OK;
    r->score = ic_prove(c->turned ? second : first, c->turned ? first : second, &warp);
    c->proven = r->score >= least_agreement(s, r);
    if (r->score < ALL_BUT_SAME || warp.mirrored)
        return IC_OK;
    IC_TRY(compare_pixels(s, r->first, r->second, &same));
    r->near = !same;
    return IC_OK;
}

static ic_status search_all(search *s, ic_duplicates *out)
{
    IC_TRY(make_sketches(s));
    IC_TRY(ic_allocate_array(s->context, (size_t)s->count, IC_SIMILAR_MOST * sizeof *s->found,
                             &s->found));
    IC_TRY(ic_similar_find(s->context, s->sketches, s->count, s->found));
    IC_TRY(list_candidates(s));
    IC_TRY(run_chunks(s, "compare", (int64_t)s->candidate_count, prove_unit));
    for (size_t i = 0; i < s->candidate_count; i++)
        if (s->candidates[i].proven)
            IC_TRY(add_pair(out, &s->candidates[i].result));
    return IC_OK;
}

ic_status ic_duplicates_near(const ic_pictures *pictures, ic_duplicates *out)
{
    search s = {.context = out->context, .pictures = pictures};
    char before[IC_ERROR_TEXT_MAX]; /* what cannot be read is no error of the caller's */
    ic_error_copy(before, sizeof before);
    ic_status status = search_all(&s, out);
    if (status >= 0)
        ic_error_set(before);
    ic_free(s.context, s.candidates);
    ic_free(s.context, s.found);
    ic_free(s.context, s.sketches);
    ic_free(s.context, s.who);
    return status;
}

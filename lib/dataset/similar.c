/*
 * dataset/similar.c: near sketches by hashing. The coefficients of a sketch, standardised over all
 * sketches, give it keys: the signs of some of them, other ones for each of several tables. Near
 * sketches share a key in some table, if that of one view of the one is tried with its least
 * certain signs both ways (Lv et al. 2007, "Multi-probe LSH"). Whoever shares a key is compared in
 * full. SPDX-License-Identifier: MIT
 */
#include "dataset/similar.h"

#include "base/pool.h"
#include "base/random.h"
#include "base/status.h"

#include <math.h>
#include <string.h>

enum {
    NUMBERS = IC_SKETCH_NUMBERS,
    TABLES = 6,
    KEYED = 24, /* numbers that keys are made of, the lowest frequencies */
    BITS_LEAST = 6,
    BITS_MOST = 20,
    UNSURE = 2,     /* signs of a key that are tried both ways */
    CROWD = 16,     /* members of one key that are looked at, the nearest by rank */
    STEP = 32,      /* of a deviation, in a code */
    SAMPLED = 4096, /* sketches that the standard is made from */
    UNIT = 16,
    CHUNK = 64 /* units between two looks at the host's wish to cancel */
};

/* Squared distance of codes beyond which two sketches are not near: unrelated ones are 1 apart. */
#define NEAR_SHARE 0.22

typedef struct code {
    int8_t numbers[NUMBERS];
} code;

typedef struct finder {
    ic_context *context;
    ic_sketch_basis basis;
    const ic_sketch *sketches;
    int32_t count, bits;
    float mean[NUMBERS], scale[NUMBERS];
    uint8_t chosen[TABLES][BITS_MOST + 1]; /* of the key, and the rank */
    code *codes;
    uint32_t *starts[TABLES]; /* of each key's members, [2^bits + 1] */
    int32_t *members[TABLES]; /* sketches by key */
    ic_similar *found;
    int32_t first; /* unit of this chunk */
} finder;

static void encode(const finder *f, const float *view, code *out)
{
    for (int32_t i = 0; i < NUMBERS; i++) {
        float value = (view[i] - f->mean[i]) * f->scale[i] * STEP;
        value = value > 127 ? 127 : value < -127 ? -127 : value;
        out->numbers[i] = (int8_t)(value < 0 ? value - 0.5F : value + 0.5F);
    }
}

static uint32_t key_of(const finder *f, int32_t table, const code *c)
{
    uint32_t key = 0;
    for (int32_t i = 0; i < f->bits; i++)
        key = key << 1 | (c->numbers[f->chosen[table][i]] > 0);
    return key;
}

/* Mean and deviation of each number. */
static void standardise(finder *f)
{
    double sum[NUMBERS] = {0}, squares[NUMBERS] = {0};
    float views[IC_SKETCH_VIEWS][NUMBERS];
    const int32_t sampled = f->count < SAMPLED ? f->count : SAMPLED;
    for (int32_t k = 0; k < sampled; k++) {
        ic_sketch_views(&f->basis, &f->sketches[(int64_t)k * f->count / sampled], 1, views);
        for (int32_t i = 0; i < NUMBERS; i++) {
            sum[i] += (double)views[0][i];
            squares[i] += (double)views[0][i] * (double)views[0][i];
        }
    }
    for (int32_t i = 0; i < NUMBERS; i++) {
        double mean = sum[i] / sampled, variance = squares[i] / sampled - mean * mean;
        f->mean[i] = (float)mean;
        f->scale[i] = (float)(1 / sqrt(variance > 1e-6 ? variance : 1e-6));
    }
}

/* Which numbers each table's keys are made of: the first ones of a shuffled row. */
static void choose_numbers(finder *f)
{
    f->bits = BITS_LEAST;
    while (f->bits < BITS_MOST && 1 << f->bits < f->count)
        f->bits++;
    for (int32_t t = 0; t < TABLES; t++) {
        uint8_t row[KEYED];
        ic_random random = ic_random_at(0, IC_USE_SHUFFLE, (uint64_t)t, KEYED);
        for (int32_t i = 0; i < KEYED; i++) {
            int32_t at = (int32_t)ic_random_below(&random, (uint64_t)i + 1);
            row[i] = row[at];
            row[at] = (uint8_t)i;
        }
        memcpy(f->chosen[t], row, (size_t)f->bits + 1);
    }
}

/* The number that the members of one key are sorted by: one that the key does not have. */
static int32_t rank_of(const finder *f, int32_t table, int32_t member)
{
    return f->codes[member].numbers[f->chosen[table][f->bits]];
}

/* The sketches by rank, by counting. */
static void sort_by_rank(const finder *f, int32_t table, int32_t *sorted)
{
    int32_t starts[257] = {0};
    for (int32_t i = 0; i < f->count; i++)
        starts[rank_of(f, table, i) + 129]++;
    for (int32_t k = 1; k < 257; k++)
        starts[k] += starts[k - 1];
    for (int32_t i = 0; i < f->count; i++)
        sorted[starts[rank_of(f, table, i) + 128]++] = i;
}

/* The sketches by their key in one table, those of one key by rank. */
static ic_status fill_table(finder *f, int32_t table, int32_t *sorted)
{
    const size_t keys = (size_t)1 << f->bits;
    IC_TRY(ic_allocate_zero(f->context, (keys + 2) * sizeof(uint32_t), &f->starts[table]));
    IC_TRY(ic_allocate_array(f->context, (size_t)f->count, sizeof(int32_t), &f->members[table]));
    uint32_t *starts = f->starts[table];
    sort_by_rank(f, table, sorted);
    for (int32_t i = 0; i < f->count; i++)
        starts[key_of(f, table, &f->codes[i]) + 2]++;
    for (size_t k = 2; k < keys + 2; k++)
        starts[k] += starts[k - 1];
    for (int32_t i = 0; i < f->count; i++)
        f->members[table][starts[key_of(f, table, &f->codes[sorted[i]]) + 1]++] = sorted[i];
    return IC_OK;
}

static int32_t distance(const code *a, const code *b)
{
    int32_t sum = 0;
    for (int32_t i = 0; i < NUMBERS; i++) {
        int32_t d = a->numbers[i] - b->numbers[i];
        sum += d * d;
    }
    return sum;
}

/* Keeps the nearest, each sketch once; of equally near ones the first. */
static void keep(ic_similar *best, const ic_similar *one)
{
    int32_t at = IC_SIMILAR_MOST, last = IC_SIMILAR_MOST - 1;
    for (int32_t i = IC_SIMILAR_MOST; i-- > 0;) {
        bool nearer = best[i].other < 0 || one->distance < best[i].distance ||
                      (one->distance == best[i].distance && one->other < best[i].other);
        at = nearer ? i : at;
        if (best[i].other == one->other) {
            if (!nearer)
                return;
            last = i;
        }
    }
    if (at > last)
        return;
    memmove(best + at + 1, best + at, (size_t)(last - at) * sizeof *best);
    best[at] = *one;
}

/* Compares one view with all that share the key. */
static void look_up(const finder *f, int32_t self, int32_t view, const code *c, int32_t table,
                    uint32_t key, ic_similar *best)
{
    const int32_t limit = (int32_t)(NEAR_SHARE * 2 * NUMBERS * STEP * STEP);
    uint32_t from = f->starts[table][key], to = f->starts[table][key + 1];
    if (to - from > CROWD) {
        uint32_t low = from, high = to;
        while (low < high) {
            uint32_t middle = low + (high - low) / 2;
            if (rank_of(f, table, f->members[table][middle]) <
                c->numbers[f->chosen[table][f->bits]])
                low = middle + 1;
            else
                high = middle;
        }
        from = low - from > CROWD / 2 ? low - CROWD / 2 : from;
        from = to - from < CROWD ? to - CROWD : from;
        to = from + CROWD;
    }
    for (; from < to; from++) {
        int32_t other = f->members[table][from];
        if (other == self)
            continue;
        ic_similar one = {other, distance(c, &f->codes[other]), view};
        if (one.distance < limit)
            keep(best, &one);
    }
}

/* The places of the key's least certain signs, as masks. */
static void find_unsure(const finder *f, int32_t table, const code *c, uint32_t masks[UNSURE])
{
    int32_t sizes[UNSURE];
    for (int32_t k = 0; k < UNSURE; k++) {
        sizes[k] = INT32_MAX;
        masks[k] = 0;
    }
    for (int32_t i = 0; i < f->bits; i++) {
        int32_t size = c->numbers[f->chosen[table][i]], k = UNSURE;
        size = size < 0 ? -size : size;
        while (k > 0 && size < sizes[k - 1])
            k--;
        if (k == UNSURE)
            continue;
        for (int32_t m = UNSURE - 1; m > k; m--) {
            sizes[m] = sizes[m - 1];
            masks[m] = masks[m - 1];
        }
        sizes[k] = size;
        masks[k] = (uint32_t)1 << (f->bits - 1 - i);
    }
}

static void find_one(const finder *f, int32_t self)
{
    ic_similar *best = f->found + (size_t)self * IC_SIMILAR_MOST;
    float views[IC_SKETCH_VIEWS][NUMBERS];
    for (int32_t k = 0; k < IC_SIMILAR_MOST; k++)
        best[k].other = -1;
    ic_sketch_views(&f->basis, &f->sketches[self], IC_SKETCH_CROPS, views);
    for (int32_t view = 0; view < IC_SKETCH_VIEWS; view++) {
        code c;
        encode(f, views[view], &c);
        for (int32_t t = 0; t < TABLES; t++) {
            uint32_t masks[UNSURE], key = key_of(f, t, &c);
            find_unsure(f, t, &c, masks);
            for (uint32_t turned = 0; turned < 1U << UNSURE; turned++) {
                uint32_t probe = key;
                for (int32_t k = 0; k < UNSURE; k++)
                    probe ^= (turned >> k & 1) != 0 ? masks[k] : 0;
                look_up(f, self, view, &c, t, probe, best);
            }
        }
    }
}

static ic_status find_unit(void *arguments, int64_t unit, int32_t worker)
{
    (void)worker;
    const finder *f = arguments;
    int64_t first = (f->first + unit) * UNIT;
    for (int64_t i = first; i < first + UNIT && i < f->count; i++)
        find_one(f, (int32_t)i);
    return IC_OK;
}

static ic_status fill_tables(finder *f)
{
    int32_t *sorted;
    ic_status status = IC_OK;
    IC_TRY(ic_allocate_array(f->context, (size_t)f->count, sizeof *sorted, &sorted));
    for (int32_t t = 0; t < TABLES && status >= 0; t++)
        status = fill_table(f, t, sorted);
    ic_free(f->context, sorted);
    return status;
}

static ic_status find_all(finder *f)
{
    ic_pool *pool;
    IC_TRY(ic_context_pool(f->context, &pool));
    const int32_t units = (f->count + UNIT - 1) / UNIT;
    double started = ic_clock_seconds(), last = started;
    for (; f->first < units; f->first += CHUNK) {
        int32_t some = units - f->first < CHUNK ? units - f->first : CHUNK;
        int64_t done = (int64_t)(f->first + some) * UNIT;
        IC_TRY(ic_pool_run(pool, some, find_unit, f));
        IC_TRY(ic_progress_step(f->context, "search", done < f->count ? done : f->count, f->count,
                                started, &last));
    }
    return IC_OK;
}

ic_status ic_similar_find(ic_context *context, const ic_sketch *sketches, int32_t count,
                          ic_similar *found)
{
    finder f = {.context = context, .sketches = sketches, .count = count, .found = found};
    float views[IC_SKETCH_VIEWS][NUMBERS];
    ic_status status = IC_OK;
    if (count == 0)
        return IC_OK;
    ic_sketch_basis_init(&f.basis);
    standardise(&f);
    choose_numbers(&f);
    IC_TRY_CLEAN(ic_allocate_array(context, (size_t)count, sizeof *f.codes, &f.codes));
    for (int32_t i = 0; i < count; i++) {
        ic_sketch_views(&f.basis, &sketches[i], 1, views);
        encode(&f, views[0], &f.codes[i]);
    }
    IC_TRY_CLEAN(fill_tables(&f));
    IC_TRY_CLEAN(find_all(&f));
cleanup:
    for (int32_t t = 0; t < TABLES; t++) {
        ic_free(context, f.members[t]);
        ic_free(context, f.starts[t]);
    }
    ic_free(context, f.codes);
    return status;
}

/* dataset/leaks.c: pictures of the training among those that are to measure it.
 * SPDX-License-Identifier: MIT */
#include "dataset/leaks.h"

#include "base/status.h"
#include "dataset/source.h"
#include "dataset/units.h"

#include <stdlib.h>
#include <string.h>

typedef struct leak_search {
    ic_context *context;
    const ic_pictures *pictures;
    ic_part_fn part;
    int64_t count;
    int64_t *parents; /* of pictures that are the same: towards the first of them */
    int64_t *trained; /* of such a first one: a picture of them that is trained on; -1: none is */
    ic_leak *leaks;
} leak_search;

static bool is_trained_on(const leak_search *s, int64_t index)
{
    return s->part(s->pictures, index) <= IC_PART_TRAIN;
}

static void join(leak_search *s, const ic_duplicates *duplicates, bool near)
{
    for (size_t i = 0; i < duplicates->count; i++) {
        const ic_duplicate *pair = &duplicates->pairs[i];
        if (pair->near == near)
            ic_join_roots(s->parents, pair->first, pair->second);
    }
    for (int64_t i = s->count; i-- > 0;)
        if (is_trained_on(s, i))
            s->trained[ic_root_of(s->parents, i)] = i;
}

/* Counts the leaks; with near only those that were none before. */
static void count_leaks(leak_search *s, bool near, bool *leaking)
{
    for (int64_t i = 0; i < s->count; i++) {
        ic_part part = s->part(s->pictures, i);
        ic_leak *leak = &s->leaks[part];
        leak->pictures += !near;
        if (part <= IC_PART_TRAIN || leaking[i])
            continue;
        int64_t trained = s->trained[ic_root_of(s->parents, i)];
        if (trained < 0)
            continue;
        leaking[i] = true;
        *(near ? &leak->near : &leak->exact) += 1;
        if (leak->here < 0) {
            leak->here = i;
            leak->trained = trained;
        }
    }
}

typedef struct grouped {
    uint64_t group;
    ic_part part;
} grouped;

static int compare_grouped(const void *a, const void *b)
{
    const grouped *x = a, *y = b;
    return (x->group > y->group) - (x->group < y->group);
}

/* Groups that have pictures in training and in a part that measures. */
static ic_status count_groups(leak_search *s)
{
    grouped *list;
    size_t count = 0;
    IC_TRY(ic_allocate_array(s->context, (size_t)s->count, sizeof *list, &list));
    for (int64_t i = 0; i < s->count; i++) {
        uint64_t group = ic_pictures_at(s->pictures, i)->group;
        if (group != 0)
            list[count++] = (grouped){group, s->part(s->pictures, i)};
    }
    if (count > 0)
        qsort(list, count, sizeof *list, compare_grouped);
    for (size_t i = 0, end; i < count; i = end) {
        uint32_t parts = 0;
        for (end = i; end < count && list[end].group == list[i].group; end++)
            parts |= 1U << list[end].part;
        bool trained = (parts & (1U << IC_PART_NONE | 1U << IC_PART_TRAIN)) != 0;
        for (int32_t p = IC_PART_VALIDATION; p <= IC_PART_TEST; p++)
            s->leaks[p].groups += trained && (parts >> p & 1) != 0;
    }
    ic_free(s->context, list);
    return IC_OK;
}

ic_status ic_leaks_find(const ic_pictures *pictures, ic_part_fn part,
                        const ic_duplicates *duplicates, ic_leak leaks[IC_PART_TEST + 1])
{
    leak_search s = {.context = duplicates->context,
                     .pictures = pictures,
                     .part = part,
                     .count = ic_pictures_count(pictures),
                     .leaks = leaks};
    bool *leaking = NULL;
    ic_status status = IC_OK;
    for (int32_t p = 0; p <= IC_PART_TEST; p++)
        leaks[p] = (ic_leak){.here = -1, .trained = -1};
    IC_TRY_CLEAN(ic_allocate_array(s.context, (size_t)s.count, sizeof *s.parents, &s.parents));
    IC_TRY_CLEAN(ic_allocate_array(s.context, (size_t)s.count, sizeof *s.trained, &s.trained));
    IC_TRY_CLEAN(ic_allocate_zero(s.context, (size_t)s.count * sizeof *leaking, &leaking));
    for (int64_t i = 0; i < s.count; i++) {
        s.parents[i] = i;
        s.trained[i] = -1;
    }
    for (int32_t near = 0; near < 2; near++) {
        join(&s, duplicates, near);
        count_leaks(&s, near, leaking);
    }
    IC_TRY_CLEAN(count_groups(&s));
cleanup:
    ic_free(s.context, leaking);
    ic_free(s.context, s.trained);
    ic_free(s.context, s.parents);
    return status;
}

/* ---- Before a training ---- */

/* Of the sets of a training: its own, the one that validates, the test part. */
static ic_part part_of_set(const ic_pictures *pictures, int64_t index)
{
    const ic_dataset *set = ic_pictures_find(pictures, &index);
    return set == pictures->sets[0]   ? IC_PART_TRAIN
           : set == pictures->sets[1] ? IC_PART_VALIDATION
                                      : IC_PART_TEST;
}

static void warn(ic_context *context, const ic_pictures *pictures, ic_part part,
                 const ic_leak *leak)
{
    const char *name = ic_part_names[part];
    if (leak->exact + leak->near > 0)
        ic_log(context, IC_LOG_WARNING,
               "%lld of %lld %s pictures are in the training part, too (%lld the same, %lld in "
               "another form; %s is %s): right answers on them prove nothing; remove them from one "
               "of the two, an inspection of the data lists them",
               (long long)(leak->exact + leak->near), (long long)leak->pictures, name,
               (long long)leak->exact, (long long)leak->near,
               ic_pictures_at(pictures, leak->here)->origin,
               ic_pictures_at(pictures, leak->trained)->origin);
    if (leak->groups > 0)
        ic_log(context, IC_LOG_WARNING,
               "%lld groups have pictures in the training and in the %s part: results on them "
               "promise too much for new groups; move each to one part",
               (long long)leak->groups, name);
}

static bool is_test(void *payload, int64_t index)
{
    return ic_dataset_at(payload, index)->part == IC_PART_TEST;
}

/* The test pictures of the data that `train` is of; *out stays NULL when train has some of them. */
static ic_status find_test(const ic_dataset *train, ic_dataset **out)
{
    ic_dataset *whole;
    for (int64_t i = 0; i < ic_dataset_count(train); i++)
        if (is_test((void *)train, i))
            return IC_OK;
    atomic_fetch_add(&train->source->references, 1);
    IC_TRY(ic_dataset_of_source(train->source, &whole));
    ic_status status = ic_dataset_select(whole, is_test, whole, out);
    ic_dataset_free(whole);
    return status;
}

ic_status ic_leaks_warn(const ic_dataset *train, const ic_dataset *validation, bool near)
{
    ic_context *context = ic_dataset_context(train);
    ic_pictures pictures = {{train, validation, NULL}};
    ic_duplicates duplicates = {.context = context};
    ic_leak leaks[IC_PART_TEST + 1];
    ic_dataset *test = NULL;
    ic_status status = IC_OK;
    IC_TRY_CLEAN(find_test(train, &test));
    pictures.sets[2] = test;
    if (ic_dataset_count(pictures.sets[1]) + ic_dataset_count(test) == 0)
        goto cleanup;
    IC_TRY_CLEAN(ic_duplicates_exact(&pictures, &duplicates));
    if (near && ic_pictures_count(&pictures) <= IC_LEAKS_NEAR_MOST)
        IC_TRY_CLEAN(ic_duplicates_near(&pictures, &duplicates));
    IC_TRY_CLEAN(ic_leaks_find(&pictures, part_of_set, &duplicates, leaks));
    for (int32_t p = IC_PART_VALIDATION; p <= IC_PART_TEST; p++)
        warn(context, &pictures, (ic_part)p, &leaks[p]);
cleanup:
    ic_duplicates_free(&duplicates);
    ic_dataset_free(test);
    return status;
}

/*
 * dataset/split.c: holding pictures out, by class and by unit (units.h). Which ones depends on
 * digests, classes, groups, seed and share alone: not on names, order, or where the files lie.
 * SPDX-License-Identifier: MIT
 */
#include "base/options.h"
#include "base/random.h"
#include "base/status.h"
#include "dataset/source.h"
#include "dataset/units.h"

#include <stdlib.h>
#include <string.h>

typedef struct split_class {
    int64_t wanted, taken;        /* pictures to hold out, and those that are */
    int64_t units_left, units_in; /* units with pictures of it: still in training; in all */
    int64_t here;                 /* pictures in the unit that is looked at */
} split_class;

typedef struct splitter {
    ic_units units;
    split_class *classes;
} splitter;

static split_class *class_of(const splitter *split, size_t entry)
{
    return &split->classes[split->units.entries[entry].item->class_index];
}

/* Calls visit once for each class of the unit, whose pictures are counted; then they are not. */
static void each_class(const splitter *split, size_t first, size_t end,
                       void (*visit)(split_class *class, void *payload), void *payload)
{
    for (size_t i = first; i < end; i++)
        class_of(split, i)->here++;
    for (size_t i = first; i < end; i++) {
        split_class *class = class_of(split, i);
        if (class->here > 0)
            visit(class, payload);
        class->here = 0;
    }
}

/* One content filed under two classes: it can prove nothing and stays in training. */
static bool contradicts_itself(const splitter *split, size_t first, size_t end)
{
    for (size_t i = first + 1; i < end; i++) {
        const ic_unit_entry *a = &split->units.entries[i - 1], *b = &split->units.entries[i];
        if (a->item->class_index != b->item->class_index && ic_same_content(a, b))
            return true;
    }
    return false;
}

/* Pictures whose content is filed under two classes. */
static int64_t count_contradictions(const splitter *split)
{
    const ic_unit_entry *entries = split->units.entries;
    int64_t count = 0;
    for (size_t first = 0, end; first < split->units.count; first = end) {
        bool classes_differ = false;
        for (end = first + 1;
             end < split->units.count && ic_same_content(&entries[first], &entries[end]); end++)
            classes_differ |= entries[end].item->class_index != entries[first].item->class_index;
        count += classes_differ ? (int64_t)(end - first) : 0;
    }
    return count;
}

static ic_status fail_nothing(const splitter *split, const ic_dataset *dataset)
{
    const int64_t contradictions = count_contradictions(split);
    if (contradictions > 0)
        return ic_fail(IC_ERROR_DATA,
                       "nothing can be held out for validation: %lld of %lld pictures lie in two "
                       "classes: inspect the data",
                       (long long)contradictions, (long long)ic_dataset_count(dataset));
    return ic_fail(IC_ERROR_DATA,
                   "nothing can be held out for validation: no class has two different "
                   "pictures%s; add pictures",
                   ic_dataset_grouping(dataset) == NULL ? "" : " of different groups");
}

static void count_in(split_class *class, void *payload)
{
    (void)payload;
    class->units_in++;
    class->wanted += class->here;
}

static void count_units(splitter *split, int32_t classes, double share)
{
    for (size_t first = 0, end; first < split->units.count; first = end) {
        end = ic_unit_end(&split->units, first);
        each_class(split, first, end, count_in, NULL);
    }
    for (int32_t i = 0; i < classes; i++) {
        split_class *class = &split->classes[i];
        class->units_left = class->units_in;
        class->wanted = (int64_t)((double)class->wanted * share + 0.5);
        if (class->wanted == 0 && class->units_in >= 2)
            class->wanted = 1;
    }
}

/* What holding a unit out would mean. */
typedef struct unit_effect {
    int64_t nearer; /* pictures by which the classes together come nearer to their shares */
    bool empties;   /* a class would be gone from training */
    bool first;     /* a class of which some are wanted has none held out so far */
} unit_effect;

static int64_t distance(int64_t a, int64_t b)
{
    return a < b ? b - a : a - b;
}

static void judge(split_class *class, void *payload)
{
    unit_effect *effect = payload;
    effect->nearer +=
        distance(class->taken, class->wanted) - distance(class->taken + class->here, class->wanted);
    effect->empties |= class->units_left < 2;
    effect->first |= class->taken == 0 && class->wanted > 0;
}

static void take(split_class *class, void *payload)
{
    (void)payload;
    class->taken += class->here;
    class->units_left--;
}

/*
 * Goes over all units and holds out those that bring their classes nearer to their shares without
 * emptying one. at_any_size: for classes whose units are all too large to fit the share.
 */
static void hold_out(splitter *split, bool at_any_size)
{
    for (size_t first = 0, end; first < split->units.count; first = end) {
        unit_effect effect = {0, false, false};
        end = ic_unit_end(&split->units, first);
        if (split->units.entries[first].side != 0 || contradicts_itself(split, first, end))
            continue;
        each_class(split, first, end, judge, &effect);
        if (effect.empties || !(at_any_size ? effect.first : effect.nearer > 0))
            continue;
        each_class(split, first, end, take, NULL);
        for (size_t i = first; i < end; i++)
            split->units.entries[i].side = 1;
    }
}

/*
 * What is held out where nobody says how much: 15 %, but of many pictures no more than tell half a
 * per cent apart, and 3 % at least.
 */
static double share_of(double asked, size_t pictures)
{
    const double usual = 0.15, least = 0.03, enough = 1500;
    double share = enough / (double)pictures;
    if (asked > 0)
        return asked;
    return share > usual ? usual : share < least ? least : share;
}

ic_status ic_dataset_split_by(const ic_dataset *dataset, uint64_t seed, double validation_share,
                              ic_dataset **train, ic_dataset **validation)
{
    ic_context *context = ic_dataset_context(dataset);
    splitter split = {.units = {.context = context}};
    const int32_t classes = ic_dataset_class_count(dataset);
    ic_status status = IC_OK;
    size_t held_out = 0;
    IC_TRY_CLEAN(
        ic_allocate_zero(context, (size_t)classes * sizeof *split.classes, &split.classes));
    IC_TRY_CLEAN(ic_units_create(dataset, seed, &split.units));
    count_units(&split, classes, share_of(validation_share, split.units.count));
    hold_out(&split, false);
    hold_out(&split, true);
    for (size_t i = 0; i < split.units.count; i++)
        held_out += (size_t)split.units.entries[i].side;
    if (held_out == 0)
        IC_TRY_CLEAN(fail_nothing(&split, dataset));
    status = ic_units_part(dataset, &split.units, 1, train, validation);
cleanup:
    ic_units_free(&split.units);
    ic_free(context, split.classes);
    return status;
}

typedef struct parts_filter {
    const ic_dataset *dataset;
    uint32_t parts; /* bit i: part i */
} parts_filter;

static bool in_parts(void *payload, int64_t index)
{
    const parts_filter *filter = payload;
    return (filter->parts >> ic_dataset_at(filter->dataset, index)->part & 1) != 0;
}

static const uint32_t training_parts = 1u << IC_PART_NONE | 1u << IC_PART_TRAIN;

/* Training and validation as the data declares them. */
static ic_status split_declared(const ic_dataset *dataset, ic_dataset **train,
                                ic_dataset **validation)
{
    ic_dataset *first, *second;
    IC_TRY(ic_dataset_select(dataset, in_parts, &(parts_filter){dataset, training_parts}, &first));
    ic_status status = ic_dataset_select(
        dataset, in_parts, &(parts_filter){dataset, 1u << IC_PART_VALIDATION}, &second);
    if (status < 0) {
        ic_dataset_free(first);
        return status;
    }
    *train = first;
    *validation = second;
    return IC_OK;
}

/* What a split or folds are made of: without a training part, the next best one has to serve. */
static ic_status take_pool(const ic_dataset *dataset, uint32_t parts, ic_dataset **out)
{
    int64_t counts[IC_PART_TEST + 1], trainable = 0;
    ic_dataset_count_parts(dataset, counts);
    for (int32_t i = 0; i <= IC_PART_TEST; i++)
        trainable += (parts >> i & 1) != 0 ? counts[i] : 0;
    parts_filter pool = {dataset, parts};
    if (trainable == 0)
        pool.parts = 1u << (counts[IC_PART_VALIDATION] > 0 ? IC_PART_VALIDATION : IC_PART_TEST);
    return ic_dataset_select(dataset, in_parts, &pool, out);
}

ic_status ic_dataset_split(const ic_dataset *dataset, const ic_options *options, ic_dataset **train,
                           ic_dataset **validation)
{
    if (dataset == NULL || train == NULL || validation == NULL)
        return ic_fail(IC_ERROR_ARGUMENT,
                       "ic_dataset_split: data set, train and validation must be given");
    int64_t counts[IC_PART_TEST + 1];
    ic_dataset_count_parts(dataset, counts);
    if (counts[IC_PART_NONE] + counts[IC_PART_TRAIN] > 0 && counts[IC_PART_VALIDATION] > 0)
        return split_declared(dataset, train, validation);
    ic_dataset *pool;
    IC_TRY(take_pool(dataset, training_parts, &pool));
    ic_status status =
        ic_dataset_split_by(pool, (uint64_t)ic_option_int(options, "seed"),
                            ic_option_float(options, "validation_share"), train, validation);
    ic_dataset_free(pool);
    return status;
}

/* ---- Folds ---- */

typedef struct fold_unit {
    size_t first, end; /* among the entries */
} fold_unit;

typedef struct folder {
    ic_units units;
    fold_unit *list;
    size_t count;
    int32_t folds, classes;
    int64_t *totals; /* pictures of each fold */
    int64_t *had;    /* of each class in it, [folds][classes] */
} folder;

/* Binary digits of a unit's size. */
static int32_t magnitude(const fold_unit *unit)
{
    int32_t digits = 0;
    for (size_t size = unit->end - unit->first; size > 0; size /= 2)
        digits++;
    return digits;
}

/* Large ones first, as later ones have to fill the gaps; those of about one size in random order.
 */
static int compare_fold_units(const void *a, const void *b)
{
    const fold_unit *x = a, *y = b;
    int32_t sizes[2] = {magnitude(x), magnitude(y)};
    if (sizes[0] != sizes[1])
        return sizes[1] - sizes[0];
    return x->first < y->first ? -1 : 1;
}

/* Pictures that the fold has of the unit's classes, counted once for each picture of the unit. */
static int64_t crowd(const folder *f, const fold_unit *unit, int32_t fold)
{
    int64_t sum = 0;
    for (size_t i = unit->first; i < unit->end; i++)
        sum += f->had[(size_t)fold * (size_t)f->classes +
                      (size_t)f->units.entries[i].item->class_index];
    return sum;
}

/* Each unit goes to the fold with the fewest pictures of its classes, then of all. */
static void deal(folder *f)
{
    for (size_t u = 0; u < f->count; u++) {
        const fold_unit *unit = &f->list[u];
        int32_t best = 0;
        int64_t least = INT64_MAX;
        for (int32_t fold = 0; fold < f->folds; fold++) {
            int64_t here = crowd(f, unit, fold);
            if (here < least || (here == least && f->totals[fold] < f->totals[best])) {
                least = here;
                best = fold;
            }
        }
        for (size_t i = unit->first; i < unit->end; i++) {
            f->units.entries[i].side = best;
            f->had[(size_t)best * (size_t)f->classes +
                   (size_t)f->units.entries[i].item->class_index]++;
        }
        f->totals[best] += (int64_t)(unit->end - unit->first);
    }
}

static ic_status make_folds(folder *f, const ic_dataset *dataset, uint64_t seed)
{
    ic_context *context = f->units.context;
    IC_TRY(ic_units_create(dataset, seed, &f->units));
    IC_TRY(ic_allocate_array(context, f->units.count, sizeof *f->list, &f->list));
    for (size_t first = 0; first < f->units.count; first = f->list[f->count++].end)
        f->list[f->count] = (fold_unit){first, ic_unit_end(&f->units, first)};
    if (f->count < (size_t)f->folds)
        return ic_fail(IC_ERROR_DATA,
                       "%d folds want %d different pictures%s at least: there are %zu; ask for "
                       "fewer folds",
                       f->folds, f->folds, ic_dataset_grouping(dataset) == NULL ? "" : " or groups",
                       f->count);
    qsort(f->list, f->count, sizeof *f->list, compare_fold_units);
    const size_t row = (1 + (size_t)f->classes) * sizeof *f->totals;
    IC_TRY(ic_allocate_array(context, (size_t)f->folds, row, &f->totals));
    memset(f->totals, 0, (size_t)f->folds * row);
    f->had = f->totals + f->folds;
    deal(f);
    return IC_OK;
}

static ic_status take_fold(const ic_dataset *pool, uint64_t seed, int32_t folds, int32_t index,
                           ic_dataset **train, ic_dataset **validation)
{
    ic_context *context = ic_dataset_context(pool);
    folder f = {
        .units = {.context = context}, .folds = folds, .classes = ic_dataset_class_count(pool)};
    ic_status status = make_folds(&f, pool, seed);
    if (status >= 0)
        status = ic_units_part(pool, &f.units, index, train, validation);
    ic_free(context, f.totals);
    ic_free(context, f.list);
    ic_units_free(&f.units);
    return status;
}

ic_status ic_dataset_fold(const ic_dataset *dataset, const ic_options *options, int32_t folds,
                          int32_t index, ic_dataset **train, ic_dataset **validation)
{
    if (dataset == NULL || train == NULL || validation == NULL)
        return ic_fail(IC_ERROR_ARGUMENT,
                       "ic_dataset_fold: data set, train and validation must be given");
    if (folds == 1 || folds < 0 || index < 0 || (folds > 0 && index >= folds))
        return ic_fail(
            IC_ERROR_ARGUMENT,
            "ic_dataset_fold: there is no fold %d of %d: folds is 2 or more (0: repeated "
            "hold-out), and index begins at 0",
            index, folds);
    const uint64_t seed = (uint64_t)ic_option_int(options, "seed");
    ic_dataset *pool;
    IC_TRY(take_pool(dataset, training_parts | 1u << IC_PART_VALIDATION, &pool));
    ic_random draws = ic_random_at(seed, IC_USE_SPLIT, (uint64_t)index, UINT64_MAX);
    ic_status status =
        folds > 0
            ? take_fold(pool, seed, folds, index, train, validation)
            : ic_dataset_split_by(pool, index == 0 ? seed : ic_random_bits(&draws),
                                  ic_option_float(options, "validation_share"), train, validation);
    ic_dataset_free(pool);
    return status;
}

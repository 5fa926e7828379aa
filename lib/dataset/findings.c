/*
 * dataset/findings.c: what an inspection says to people: a sentence, what to do, the first files.
 * SPDX-License-Identifier: MIT
 */
#include "dataset/inspection.h"

#include "base/status.h"
#include "base/text.h"
#include "dataset/source.h"
#include "dataset/units.h"

#include <stdlib.h>
#include <string.h>

enum {
    EXAMPLES = 5,
    TINY = 20,      /* pictures of a class to learn from, below which it is a finding */
    UNEVEN = 5,     /* times that the largest class is larger than the smallest */
    FAR_OFF = 4,    /* times that a side is longer or shorter than usual */
    TEXT_MOST = 512 /* bytes of a sentence */
};

/* ---- Texts ---- */

/* Begins a finding; its examples follow, one by one, up to the next. */
#if defined(__GNUC__) || defined(__clang__)
__attribute__((format(printf, 4, 5)))
#endif
static ic_status
add_finding(ic_inspection *inspection, const char *kind, const char *advice, const char *format,
            ...)
{
    char text[TEXT_MOST];
    va_list arguments;
    IC_TRY(ic_grow(inspection->context, &inspection->findings, &inspection->finding_capacity,
                   inspection->finding_count + 1, sizeof *inspection->findings));
    va_start(arguments, format);
    ic_text_format(text, sizeof text, format, arguments);
    va_end(arguments);
    ic_finding *found = &inspection->findings[inspection->finding_count];
    *found = (ic_finding){.kind = kind, .advice = advice, .text = inspection->texts.size};
    IC_TRY(ic_buffer_append(&inspection->texts, text, strlen(text) + 1));
    found->examples = inspection->texts.size;
    IC_TRY(ic_buffer_append(&inspection->texts, "", 1));
    inspection->finding_count++;
    return IC_OK;
}

/* A line more for the last finding; `b` and what stands between may be empty. */
static ic_status add_example(ic_inspection *inspection, const char *a, const char *between,
                             const char *b)
{
    ic_buffer *texts = &inspection->texts;
    const ic_finding *found = &inspection->findings[inspection->finding_count - 1];
    const char *const pieces[] = {texts->size > found->examples + 1 ? "\n" : "", a, between, b};
    texts->size--;
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        size_t at = texts->size, length = strlen(pieces[i]);
        IC_TRY(ic_buffer_append(texts, pieces[i], length + 1));
        ic_text_copy((char *)texts->bytes + at, length + 1, pieces[i]);
        texts->size = at + strlen((char *)texts->bytes + at);
    }
    texts->size++;
    return IC_OK;
}

static const char *origin_of(const ic_inspection *inspection, int64_t index)
{
    return ic_dataset_at(inspection->dataset, index)->origin;
}

/* ---- Duplicates ---- */

/* Which pairs a finding is about. */
typedef struct pair_filter {
    int32_t with, without; /* bits that a pair has, and that it has not */
    ic_part part; /* IC_PART_NONE: any; else one of the two is in it, the other in one before it */
} pair_filter;

static bool is_meant(const ic_inspection *inspection, const ic_duplicate *pair, pair_filter filter)
{
    const int32_t bits = ic_inspection_bits(inspection, pair);
    const ic_part a = ic_dataset_at(inspection->dataset, pair->first)->part;
    const ic_part b = ic_dataset_at(inspection->dataset, pair->second)->part;
    const bool here = filter.part == IC_PART_NONE || (a != b && (a > b ? a : b) == filter.part);
    return here && (bits & filter.with) == filter.with && (bits & filter.without) == 0;
}

/* The first few as examples. */
static ic_status add_pairs(ic_inspection *inspection, pair_filter filter)
{
    int32_t added = 0;
    for (size_t i = 0; i < inspection->duplicates.count && added < EXAMPLES; i++) {
        const ic_duplicate *pair = &inspection->duplicates.pairs[i];
        if (!is_meant(inspection, pair, filter))
            continue;
        IC_TRY(add_example(inspection, origin_of(inspection, pair->first),
                           !pair->near      ? " = "
                           : pair->mirrored ? " ~ mirrored "
                                            : " ~ ",
                           origin_of(inspection, pair->second)));
        added++;
    }
    return IC_OK;
}

static int64_t count_pairs(const ic_inspection *inspection, pair_filter filter)
{
    int64_t count = 0;
    for (size_t i = 0; i < inspection->duplicates.count; i++)
        count += is_meant(inspection, &inspection->duplicates.pairs[i], filter);
    return count;
}

/* Pictures of such pairs, each once in however many files and forms it is there. */
static ic_status count_pictures(const ic_inspection *inspection, pair_filter filter, int64_t *out)
{
    const int64_t all = ic_dataset_count(inspection->dataset);
    int64_t *parents, count = 0;
    IC_TRY(ic_allocate_array(inspection->context, (size_t)all, sizeof *parents, &parents));
    for (int64_t i = 0; i < all; i++)
        parents[i] = -1; /* not met so far */
    for (size_t i = 0; i < inspection->duplicates.count; i++) {
        const ic_duplicate *pair = &inspection->duplicates.pairs[i];
        const int64_t both[2] = {pair->first, pair->second};
        if (!is_meant(inspection, pair, filter))
            continue;
        for (int32_t k = 0; k < 2; k++)
            if (parents[both[k]] < 0) {
                parents[both[k]] = both[k];
                count++;
            }
        count -= ic_root_of(parents, both[0]) != ic_root_of(parents, both[1]);
        ic_join_roots(parents, both[0], both[1]);
    }
    ic_free(inspection->context, parents);
    *out = count;
    return IC_OK;
}

static ic_status find_leaks(ic_inspection *inspection)
{
    for (int32_t p = IC_PART_VALIDATION; p <= IC_PART_TEST; p++) {
        const ic_leak *leak = &inspection->leaks[p];
        if (leak->exact + leak->near > 0) {
            IC_TRY(add_finding(inspection, "leak",
                               "remove them from one of the two parts: a right answer on a picture "
                               "that was trained on proves nothing",
                               "in the training part, too: %lld of %lld %s pictures (%lld the "
                               "same, %lld in another form)",
                               (long long)(leak->exact + leak->near), (long long)leak->pictures,
                               ic_part_names[p], (long long)leak->exact, (long long)leak->near));
            IC_TRY(add_pairs(inspection, (pair_filter){.part = (ic_part)p}));
        }
        if (leak->groups > 0)
            IC_TRY(add_finding(inspection, "group",
                               "move each group to one part: results on groups that were trained "
                               "on promise too much for new ones",
                               "groups with pictures in the training and in the %s part: %lld",
                               ic_part_names[p], (long long)leak->groups));
    }
    return IC_OK;
}

static ic_status find_contradictions(ic_inspection *inspection)
{
    const pair_filter filter = {.with = IC_PAIR_CLASSES};
    int64_t count = 0;
    IC_TRY(count_pictures(inspection, filter, &count));
    if (count == 0)
        return IC_OK;
    IC_TRY(add_finding(inspection, "contradiction",
                       "decide for one class and delete the other file; one of the two labels is "
                       "wrong, or the classes overlap",
                       "filed under two classes: %lld pictures", (long long)count));
    return add_pairs(inspection, filter);
}

/* Within a part and a class: what is said of the others is another matter. */
static ic_status find_duplicates(ic_inspection *inspection)
{
    const pair_filter any = {.without = IC_PAIR_PARTS | IC_PAIR_CLASSES};
    const pair_filter changed = {.with = IC_PAIR_NEAR, .without = any.without};
    const int64_t all = count_pairs(inspection, any), near = count_pairs(inspection, changed);
    if (all == 0)
        return IC_OK;
    IC_TRY(add_finding(inspection, "duplicate",
                       near == 0 ? "delete the spare ones; splits keep the same bytes together, so "
                                   "they do little harm"
                                 : "delete the spare ones: a split may put the two forms of a "
                                   "picture on both sides",
                       "twice within a part: %lld pairs of pictures (%lld the same, %lld in "
                       "another form)",
                       (long long)all, (long long)(all - near), (long long)near));
    return add_pairs(inspection, any);
}

/* ---- Files ---- */

static ic_status find_broken(ic_inspection *inspection)
{
    const ic_dataset *dataset = inspection->dataset;
    const int64_t broken = ic_dataset_broken_count(dataset);
    if (broken == 0)
        return IC_OK;
    IC_TRY(add_finding(inspection, "broken",
                       "get them anew, or delete them; they take no part in anything",
                       "not readable: %lld of %lld files", (long long)broken,
                       (long long)(broken + ic_dataset_count(dataset))));
    for (int64_t i = 0; i < broken && i < EXAMPLES; i++) {
        const char *path = "", *reason = "";
        IC_TRY(ic_dataset_broken(dataset, i, &path, &reason));
        IC_TRY(add_example(inspection, path, ": ", reason));
    }
    return broken > EXAMPLES ? add_example(inspection, "and more", "", "") : IC_OK;
}

static int compare_sides(const void *a, const void *b)
{
    const int32_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* The side in the middle when all are sorted, of widths or heights. */
static ic_status find_usual(const ic_inspection *inspection, bool height, int32_t *out)
{
    const size_t count = (size_t)ic_dataset_count(inspection->dataset);
    int32_t *sides;
    IC_TRY(ic_allocate_array(inspection->context, count, sizeof *sides, &sides));
    for (size_t i = 0; i < count; i++) {
        const ic_item *item = ic_dataset_at(inspection->dataset, (int64_t)i);
        sides[i] = height ? item->height : item->width;
    }
    qsort(sides, count, sizeof *sides, compare_sides);
    *out = sides[count / 2];
    ic_free(inspection->context, sides);
    return IC_OK;
}

static bool is_far_off(int32_t side, int32_t usual)
{
    return (int64_t)side * FAR_OFF < usual || side > (int64_t)usual * FAR_OFF;
}

static ic_status find_sizes(ic_inspection *inspection)
{
    const int64_t count = ic_dataset_count(inspection->dataset);
    int32_t width, height, added = 0;
    int64_t far_off = 0;
    if (count == 0)
        return IC_OK;
    IC_TRY(find_usual(inspection, false, &width));
    IC_TRY(find_usual(inspection, true, &height));
    for (int32_t pass = 0; pass < 2; pass++) {
        for (int64_t i = 0; i < count; i++) {
            const ic_item *item = ic_dataset_at(inspection->dataset, i);
            if (!is_far_off(item->width, width) && !is_far_off(item->height, height))
                continue;
            if (pass == 0)
                far_off++;
            else if (added++ < EXAMPLES)
                IC_TRY(add_example(inspection, item->origin, "", ""));
        }
        if (far_off == 0)
            return IC_OK;
        if (pass == 0)
            IC_TRY(add_finding(inspection, "size",
                               "look at them: they may be thumbnails, banners or scans of whole "
                               "pages",
                               "much larger or smaller than is usual: %lld pictures (%d times "
                               "%d x %d)",
                               (long long)far_off, FAR_OFF, width, height));
    }
    return IC_OK;
}

/* A class whose pictures are grey where those of others have colours: the network would see that.
 */
static ic_status find_mixed(ic_inspection *inspection)
{
    const ic_dataset *dataset = inspection->dataset;
    const int32_t classes = ic_dataset_class_count(dataset);
    int64_t *grey, all = 0;
    bool found = false;
    ic_status status = IC_OK;
    IC_TRY(ic_allocate_zero(inspection->context, (size_t)classes * sizeof *grey, &grey));
    for (int64_t i = 0; i < ic_dataset_count(dataset); i++) {
        const ic_item *item = ic_dataset_at(dataset, i);
        grey[item->class_index] += item->channels <= 2;
        all += item->channels <= 2;
    }
    const bool mostly_grey = 2 * all > ic_dataset_count(dataset);
    for (int32_t c = 0; c < classes; c++) {
        int64_t count = dataset->class_counts[c], odd = mostly_grey ? count - grey[c] : grey[c];
        if (count == 0 || 2 * odd < count)
            continue;
        if (!found)
            IC_TRY_CLEAN(add_finding(inspection, "mixed",
                                     "set channels=grey: else the colours alone may give the class "
                                     "away, and the network learns nothing else",
                                     "most pictures of these classes are %s, those of the others "
                                     "are not",
                                     mostly_grey ? "in colour" : "grey"));
        found = true;
        IC_TRY_CLEAN(add_example(inspection, dataset->source->classes[c].name, "", ""));
    }
cleanup:
    ic_free(inspection->context, grey);
    return status;
}

/* ---- Classes ---- */

/* Pictures of each class in each part, [class][part]. */
static ic_status count_classes(const ic_inspection *inspection, int64_t (**out)[IC_PART_TEST + 1])
{
    const ic_dataset *dataset = inspection->dataset;
    int64_t(*counts)[IC_PART_TEST + 1];
    IC_TRY(ic_allocate_zero(inspection->context,
                            (size_t)ic_dataset_class_count(dataset) * sizeof *counts, &counts));
    for (int64_t i = 0; i < ic_dataset_count(dataset); i++) {
        const ic_item *item = ic_dataset_at(dataset, i);
        counts[item->class_index][item->part]++;
    }
    *out = counts;
    return IC_OK;
}

/* What no training can begin with. */
static ic_status find_single(ic_inspection *inspection)
{
    const ic_dataset *dataset = inspection->dataset;
    int32_t present = 0, last = 0;
    for (int32_t c = 0; c < ic_dataset_class_count(dataset); c++)
        if (dataset->class_counts[c] > 0) {
            present++;
            last = c;
        }
    if (present >= 2)
        return IC_OK;
    IC_TRY(add_finding(inspection, "single",
                       "add pictures of a second class at least, each class in a folder of its own "
                       "beside the others: a training needs something to tell apart",
                       "classes with pictures: %d", present));
    return present == 0 ? IC_OK
                        : add_example(inspection, dataset->source->classes[last].name, "", "");
}

/* Classes that were asked for, as it seems, and are not there. */
static ic_status find_empty(ic_inspection *inspection)
{
    const ic_source *source = inspection->dataset->source;
    if (source->empty_count == 0)
        return IC_OK;
    IC_TRY(add_finding(inspection, "empty",
                       "put pictures into them, or remove them: they are passed over, and no "
                       "training will know them",
                       "classes without a readable picture: %zu", source->empty_count));
    for (size_t i = 0; i < source->empty_count && i < EXAMPLES; i++)
        IC_TRY(add_example(inspection, source->empty_classes[i], "", ""));
    return IC_OK;
}

/* Classes that a declared part lacks. */
static ic_status find_missing(ic_inspection *inspection, const int64_t (*counts)[IC_PART_TEST + 1])
{
    const ic_dataset *dataset = inspection->dataset;
    int64_t parts[IC_PART_TEST + 1];
    bool found = false;
    ic_dataset_count_parts(dataset, parts);
    for (int32_t p = IC_PART_TRAIN; p <= IC_PART_TEST; p++)
        for (int32_t c = 0; c < ic_dataset_class_count(dataset); c++) {
            if (parts[p] == 0 || counts[c][p] > 0 ||
                (p == IC_PART_TRAIN && counts[c][IC_PART_NONE] > 0))
                continue;
            if (!found)
                IC_TRY(add_finding(inspection, "missing",
                                   "add pictures, or check how the folders are spelt: such a class "
                                   "is not learnt, or not measured",
                                   "classes that a part has no picture of"));
            found = true;
            IC_TRY(add_example(inspection, dataset->source->classes[c].name, ": none in ",
                               ic_part_names[p]));
        }
    return IC_OK;
}

static ic_status find_uneven(ic_inspection *inspection, const int64_t (*counts)[IC_PART_TEST + 1])
{
    const ic_dataset *dataset = inspection->dataset;
    int64_t least = INT64_MAX, most = 0;
    int32_t tiny = 0, classes = ic_dataset_class_count(dataset), smallest = 0, largest = 0;
    for (int32_t c = 0; c < classes; c++) {
        int64_t count = counts[c][IC_PART_NONE] + counts[c][IC_PART_TRAIN];
        smallest = count < least ? c : smallest;
        largest = count > most ? c : largest;
        least = count < least ? count : least;
        most = count > most ? count : most;
        if (count == 0 || count >= TINY)
            continue;
        if (tiny++ == 0)
            IC_TRY(add_finding(inspection, "tiny",
                               "collect more pictures of them, a hundred say, or join them with "
                               "classes that are alike",
                               "classes with fewer than %d pictures to learn from", TINY));
        if (tiny <= EXAMPLES)
            IC_TRY(add_example(inspection, dataset->source->classes[c].name, "", ""));
    }
    if (classes < 2 || least == 0 || most < UNEVEN * least)
        return IC_OK;
    return add_finding(inspection, "imbalance",
                       "set sampling=balanced (or class_weights=balanced), and look at the recall "
                       "of each class rather than at the accuracy",
                       "the largest class (%s) has %lld pictures to learn from, the smallest (%s) "
                       "%lld",
                       dataset->source->classes[largest].name, (long long)most,
                       dataset->source->classes[smallest].name, (long long)least);
}

static ic_status find_classes(ic_inspection *inspection)
{
    int64_t(*counts)[IC_PART_TEST + 1];
    IC_TRY(count_classes(inspection, &counts));
    ic_status status = find_missing(inspection, counts);
    if (status >= 0)
        status = find_uneven(inspection, counts);
    ic_free(inspection->context, counts);
    return status;
}

ic_status ic_inspection_conclude(ic_inspection *inspection)
{
    IC_TRY(find_leaks(inspection));
    IC_TRY(find_contradictions(inspection));
    IC_TRY(find_broken(inspection));
    IC_TRY(find_empty(inspection));
    IC_TRY(find_duplicates(inspection));
    IC_TRY(find_single(inspection));
    IC_TRY(find_classes(inspection));
    IC_TRY(find_sizes(inspection));
    return find_mixed(inspection);
}

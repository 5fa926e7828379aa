/* evaluate/join.c: one report of several, each over another part of one data set.
 * SPDX-License-Identifier: MIT */
#include "base/memory.h"
#include "base/status.h"
#include "dataset/dataset.h"
#include "evaluate/evaluation.h"

#include <stdlib.h>
#include <string.h>

/* A measured picture: by its index in the whole set, then by its part. */
typedef struct row {
    int64_t item;
    int32_t part;
    int64_t index; /* in that part's report */
} row;

static int compare_rows(const void *a, const void *b)
{
    const row *x = a, *y = b;
    if (x->item != y->item)
        return x->item < y->item ? -1 : 1;
    return (x->part > y->part) - (x->part < y->part);
}

/* A key and the index of its picture in the whole set. */
typedef struct place {
    int64_t key, index;
} place;

static int compare_places(const void *a, const void *b)
{
    const place *x = a, *y = b;
    return (x->key > y->key) - (x->key < y->key);
}

static ic_status list_places(const ic_dataset *dataset, place **out)
{
    int64_t count = ic_dataset_count(dataset);
    IC_TRY(
        ic_allocate_array(ic_dataset_context(dataset), (size_t)count, sizeof(place), (void *)out));
    for (int64_t i = 0; i < count; i++)
        (*out)[i] = (place){ic_dataset_key(dataset, i), i};
    qsort(*out, (size_t)count, sizeof **out, compare_places);
    return IC_OK;
}

static ic_status list_rows(const ic_dataset *dataset, ic_report *const *parts, int32_t count,
                           row *rows)
{
    place *places = NULL;
    size_t among = (size_t)ic_dataset_count(dataset);
    IC_TRY(list_places(dataset, &places));
    for (int32_t p = 0; p < count; p++)
        for (int64_t i = 0; i < parts[p]->scores.count; i++) {
            place wanted = {ic_dataset_key(parts[p]->dataset, parts[p]->items[i]), 0};
            const place *found = bsearch(&wanted, places, among, sizeof *places, compare_places);
            *rows++ = (row){found->index, p, i};
        }
    ic_free(ic_dataset_context(dataset), places);
    return IC_OK;
}

/* Copies what was measured, in the order of the rows. */
static ic_status copy_scores(ic_report *const *parts, const row *rows, int64_t count,
                             ic_report *report)
{
    ic_context *context = report->context;
    ic_scores *scores = &report->scores;
    const size_t classes = (size_t)scores->classes, rows_count = (size_t)count;
    int32_t *labels;
    float *probabilities, *losses;
    IC_TRY(ic_allocate_array(context, rows_count, sizeof *report->items, &report->items));
    IC_TRY(ic_allocate_array(context, rows_count, sizeof *labels, &labels));
    scores->labels = labels;
    IC_TRY(ic_allocate_array(context, rows_count, classes * sizeof *probabilities, &probabilities));
    scores->probabilities = probabilities;
    IC_TRY(ic_allocate_array(context, rows_count, sizeof *losses, &losses));
    scores->losses = losses;
    for (int64_t i = 0; i < count; i++) {
        const ic_scores *from = &parts[rows[i].part]->scores;
        report->items[i] = rows[i].item;
        labels[i] = from->labels[rows[i].index];
        losses[i] = from->losses[rows[i].index];
        memcpy(probabilities + (size_t)i * classes,
               from->probabilities + (size_t)rows[i].index * classes,
               classes * sizeof *probabilities);
    }
    scores->count = count;
    return IC_OK;
}

/* Every part lists the files that the whole set has put aside, first of all: once is enough. */
static ic_status copy_skipped(const ic_report *from, bool first, ic_report *report)
{
    size_t i = first ? 0 : (size_t)ic_dataset_broken_count(from->dataset);
    for (; i < from->skipped_count; i++)
        IC_TRY(ic_report_skip(report, from->skipped[i].file, from->skipped[i].reason));
    return IC_OK;
}

/* The figures of each part, for those who want to know how far they lie apart. */
static ic_status copy_folds(ic_report *const *parts, int32_t count, ic_report *report)
{
    IC_TRY(
        ic_allocate_array(report->context, (size_t)count, sizeof *report->folds, &report->folds));
    for (int32_t p = 0; p < count; p++) {
        report->folds[p].count = parts[p]->metrics.count;
        memcpy(report->folds[p].figures, parts[p]->metrics.figures,
               sizeof report->folds[p].figures);
    }
    report->fold_count = count;
    return IC_OK;
}

ic_status ic_report_join(const ic_dataset *dataset, ic_report *const *parts, int32_t count,
                         ic_report **out)
{
    ic_context *context = ic_dataset_context(dataset);
    ic_report *report = NULL;
    row *rows = NULL;
    int64_t total = 0;
    ic_status status;
    for (int32_t p = 0; p < count; p++)
        total += parts[p]->scores.count;
    IC_TRY_CLEAN(ic_report_create(parts[0]->model, &report));
    IC_TRY_CLEAN(ic_allocate_array(context, (size_t)total, sizeof *rows, &rows));
    IC_TRY_CLEAN(list_rows(dataset, parts, count, rows));
    qsort(rows, (size_t)total, sizeof *rows, compare_rows);
    report->split = "folds";
    report->dataset = ic_dataset_retain((ic_dataset *)dataset);
    report->resampling = parts[0]->resampling;
    if (parts[0]->command != NULL)
        IC_TRY_CLEAN(ic_copy_text(context, parts[0]->command, &report->command));
    report->scores.classes = parts[0]->scores.classes;
    IC_TRY_CLEAN(copy_scores(parts, rows, total, report));
    IC_TRY_CLEAN(copy_folds(parts, count, report));
    for (int32_t p = 0; p < count; p++)
        IC_TRY_CLEAN(copy_skipped(parts[p], p == 0, report));
    IC_TRY_CLEAN(ic_report_conclude(report));
    *out = report;
    report = NULL;
cleanup:
    ic_free(context, rows);
    ic_report_free(report);
    return status;
}

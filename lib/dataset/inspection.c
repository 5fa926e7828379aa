/* dataset/inspection.c: what is wrong with a data set, as an object to ask.
 * SPDX-License-Identifier: MIT */
#include "dataset/inspection.h"

#include "base/options.h"
#include "base/status.h"

#include <stdlib.h>
#include <string.h>

static ic_part part_of_item(const ic_pictures *pictures, int64_t index)
{
    return ic_pictures_at(pictures, index)->part;
}

static ic_status look(ic_inspection *inspection, const ic_options *options)
{
    const ic_pictures pictures = {{inspection->dataset}};
    ic_duplicates *duplicates = &inspection->duplicates;
    if (!ic_option_is(options, "duplicates", "off"))
        IC_TRY(ic_duplicates_exact(&pictures, duplicates));
    if (ic_option_is(options, "duplicates", "near"))
        IC_TRY(ic_duplicates_near(&pictures, duplicates));
    ic_duplicates_sort(duplicates);
    IC_TRY(ic_leaks_find(&pictures, part_of_item, duplicates, inspection->leaks));
    return ic_inspection_conclude(inspection);
}

ic_status ic_dataset_inspect(const ic_dataset *dataset, const ic_options *options,
                             ic_inspection **out)
{
    if (dataset == NULL || out == NULL)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_dataset_inspect: data set and out must be given");
    ic_context *context = ic_dataset_context(dataset);
    ic_inspection *inspection;
    IC_TRY(ic_allocate_zero(context, sizeof *inspection, &inspection));
    inspection->context = ic_context_retain(context);
    inspection->dataset = ic_dataset_retain((ic_dataset *)dataset);
    inspection->duplicates.context = inspection->texts.context = context;
    ic_status status = look(inspection, options);
    if (status < 0)
        ic_inspection_free(inspection);
    else
        *out = inspection;
    return status;
}

void ic_inspection_free(ic_inspection *inspection)
{
    if (inspection == NULL)
        return;
    ic_context *context = inspection->context;
    ic_duplicates_free(&inspection->duplicates);
    ic_free(context, inspection->findings);
    ic_buffer_free(&inspection->texts);
    ic_dataset_free(inspection->dataset);
    ic_free(context, inspection);
    ic_context_free(context);
}

int64_t ic_inspection_pair_count(const ic_inspection *inspection)
{
    return inspection == NULL ? 0 : (int64_t)inspection->duplicates.count;
}

int32_t ic_inspection_bits(const ic_inspection *inspection, const ic_duplicate *pair)
{
    const ic_item *a = ic_dataset_at(inspection->dataset, pair->first);
    const ic_item *b = ic_dataset_at(inspection->dataset, pair->second);
    return (pair->near ? IC_PAIR_NEAR : 0) | (pair->mirrored ? IC_PAIR_MIRRORED : 0) |
           (a->part != b->part ? IC_PAIR_PARTS : 0) |
           (a->class_index != b->class_index ? IC_PAIR_CLASSES : 0);
}

ic_status ic_inspection_pair(const ic_inspection *inspection, int64_t index, int64_t *first,
                             int64_t *second, int32_t *bits, double *score)
{
    if (index < 0 || index >= ic_inspection_pair_count(inspection))
        return ic_fail(IC_ERROR_ARGUMENT, "there is no pair %lld: the inspection has %lld",
                       (long long)index, (long long)ic_inspection_pair_count(inspection));
    const ic_duplicate *pair = &inspection->duplicates.pairs[index];
    if (first != NULL)
        *first = pair->first;
    if (second != NULL)
        *second = pair->second;
    if (bits != NULL)
        *bits = ic_inspection_bits(inspection, pair);
    if (score != NULL)
        *score = pair->score;
    return IC_OK;
}

int32_t ic_inspection_finding_count(const ic_inspection *inspection)
{
    return inspection == NULL ? 0 : (int32_t)inspection->finding_count;
}

ic_status ic_inspection_finding(const ic_inspection *inspection, int32_t index, const char **kind,
                                const char **text, const char **advice, const char **examples)
{
    if (index < 0 || index >= ic_inspection_finding_count(inspection))
        return ic_fail(IC_ERROR_ARGUMENT, "there is no finding %d: the inspection has %d", index,
                       ic_inspection_finding_count(inspection));
    const ic_finding *found = &inspection->findings[index];
    const char *texts = (const char *)inspection->texts.bytes;
    if (kind != NULL)
        *kind = found->kind;
    if (text != NULL)
        *text = texts + found->text;
    if (advice != NULL)
        *advice = found->advice;
    if (examples != NULL)
        *examples = texts + found->examples;
    return IC_OK;
}

/* ---- JSON ---- */

static int compare_numbers(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static ic_status set_groups(const ic_inspection *inspection, json_t *root)
{
    const size_t count = (size_t)ic_dataset_count(inspection->dataset);
    uint64_t *groups;
    int64_t found = 0;
    IC_TRY(ic_allocate_array(inspection->context, count, sizeof *groups, &groups));
    for (size_t i = 0; i < count; i++)
        groups[i] = ic_dataset_at(inspection->dataset, (int64_t)i)->group;
    if (count > 0)
        qsort(groups, count, sizeof *groups, compare_numbers);
    for (size_t i = 0; i < count; i++)
        found += groups[i] != 0 && (i == 0 || groups[i] != groups[i - 1]);
    ic_free(inspection->context, groups);
    return ic_json_set(root, "groups", json_integer(found));
}

static ic_status set_formats(const ic_inspection *inspection, json_t *root)
{
    static const char *const names[] = {"raw", "jpeg", "png"};
    int64_t counts[3] = {0};
    json_t *formats = json_object();
    IC_TRY(ic_json_set(root, "formats", formats));
    for (int64_t i = 0; i < ic_dataset_count(inspection->dataset); i++)
        counts[ic_dataset_at(inspection->dataset, i)->format]++;
    for (int32_t k = 0; k < 3; k++)
        IC_TRY(ic_json_set(formats, names[k], json_integer(counts[k])));
    return IC_OK;
}

static ic_status set_pairs(const ic_inspection *inspection, json_t *root)
{
    json_t *list = json_array();
    IC_TRY(ic_json_set(root, "pairs", list));
    for (size_t i = 0; i < inspection->duplicates.count; i++) {
        const ic_duplicate *pair = &inspection->duplicates.pairs[i];
        const int32_t bits = ic_inspection_bits(inspection, pair);
        json_t *entry = json_object();
        IC_TRY(ic_json_append(list, entry));
        IC_TRY(ic_json_set_path(inspection->context, entry, "first",
                                ic_dataset_at(inspection->dataset, pair->first)->origin));
        IC_TRY(ic_json_set_path(inspection->context, entry, "second",
                                ic_dataset_at(inspection->dataset, pair->second)->origin));
        IC_TRY(ic_json_set(entry, "kind", json_string(pair->near ? "near" : "exact")));
        IC_TRY(ic_json_set(entry, "mirrored", json_boolean(pair->mirrored)));
        IC_TRY(ic_json_set(entry, "across_parts", json_boolean((bits & IC_PAIR_PARTS) != 0)));
        IC_TRY(ic_json_set(entry, "across_classes", json_boolean((bits & IC_PAIR_CLASSES) != 0)));
        IC_TRY(ic_json_set(entry, "score", json_real(pair->score)));
    }
    return IC_OK;
}

/* The lines of a text as an array. */
static ic_status set_lines(json_t *object, const char *key, const char *text)
{
    json_t *list = json_array();
    IC_TRY(ic_json_set(object, key, list));
    for (size_t length; *text != '\0'; text += length + (text[length] == '\n')) {
        length = strcspn(text, "\n");
        IC_TRY(ic_json_append(list, json_stringn(text, length)));
    }
    return IC_OK;
}

static ic_status set_findings(const ic_inspection *inspection, json_t *root)
{
    json_t *list = json_array();
    IC_TRY(ic_json_set(root, "findings", list));
    for (int32_t i = 0; i < ic_inspection_finding_count(inspection); i++) {
        const char *kind = "", *text = "", *advice = "", *examples = "";
        json_t *entry = json_object();
        IC_TRY(ic_json_append(list, entry));
        IC_TRY(ic_inspection_finding(inspection, i, &kind, &text, &advice, &examples));
        IC_TRY(ic_json_set(entry, "kind", json_string(kind)));
        IC_TRY(ic_json_set(entry, "text", json_string(text)));
        IC_TRY(ic_json_set(entry, "advice", json_string(advice)));
        IC_TRY(set_lines(entry, "examples", examples));
    }
    return IC_OK;
}

ic_status ic_inspection_json(const ic_inspection *inspection, char *buffer, size_t capacity,
                             size_t *size)
{
    if (inspection == NULL || size == NULL)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_inspection_json: inspection and size must be given");
    ic_status status = IC_OK;
    json_t *root = json_object();
    if (root == NULL)
        return ic_fail(IC_ERROR_MEMORY, "out of memory for the JSON of an inspection");
    IC_TRY_CLEAN(ic_dataset_describe(inspection->dataset, root));
    IC_TRY_CLEAN(set_groups(inspection, root));
    IC_TRY_CLEAN(set_formats(inspection, root));
    IC_TRY_CLEAN(set_pairs(inspection, root));
    IC_TRY_CLEAN(set_findings(inspection, root));
    status = ic_json_give(inspection->context, root, buffer, capacity, size);
cleanup:
    json_decref(root);
    return status;
}

/* evaluate/compare.c: two models on the same pictures. SPDX-License-Identifier: MIT */
#include "base/status.h"
#include "evaluate/evaluation.h"

#include <stdlib.h>
#include <string.h>

struct ic_comparison {
    ic_context *context;
    json_t *content; /* all of it: the getters read what ic_comparison_json writes */
};

/* ---- Pairing ---- */

typedef struct place {
    const char *origin;
    int64_t index; /* in the report */
} place;

/* A picture that one of the models alone has right. */
typedef struct change {
    bool lost;
    float sure;       /* the second model, of what it says */
    int64_t index[2]; /* in the reports */
} change;

/* Both sides of a comparison: 0 before, 1 after. */
typedef struct pairing {
    const ic_report *reports[2];
    place *places[2]; /* of each report's pictures, by origin */
    int64_t paired, relabelled;
    int64_t outcomes[2][2]; /* [before is right][after is right] */
    change *changes;
    int64_t change_count;
} pairing;

static int compare_places(const void *left, const void *right)
{
    const place *a = left, *b = right;
    int order = strcmp(a->origin, b->origin);
    return order != 0 ? order : (a->index > b->index) - (a->index < b->index);
}

static ic_status list_places(const ic_report *report, place **out)
{
    int64_t count = report->scores.count;
    place *places;
    IC_TRY(ic_allocate_array(report->context, (size_t)count, sizeof *places, &places));
    for (int64_t i = 0; i < count; i++)
        places[i] = (place){ic_report_origin(report, i), i};
    qsort(places, (size_t)count, sizeof *places, compare_places);
    *out = places;
    return IC_OK;
}

static ic_status add_pair(pairing *p, const place *before, const place *after)
{
    change one = {.index = {before->index, after->index}};
    bool right[2];
    if (strcmp(ic_report_label(p->reports[0], before->index),
               ic_report_label(p->reports[1], after->index)) != 0) {
        p->relabelled++;
        return IC_OK;
    }
    for (int side = 0; side < 2; side++) {
        int32_t actual, predicted;
        IC_TRY(ic_report_picture(p->reports[side], one.index[side], NULL, &actual, &predicted,
                                 &one.sure));
        right[side] = actual == predicted;
    }
    p->paired++;
    p->outcomes[right[0]][right[1]]++;
    one.lost = right[0];
    if (right[0] != right[1])
        p->changes[p->change_count++] = one;
    return IC_OK;
}

/* A picture that is in a data set several times is paired as often as both have it. */
static ic_status pair_pictures(pairing *p)
{
    int64_t at[2] = {0, 0};
    while (at[0] < p->reports[0]->scores.count && at[1] < p->reports[1]->scores.count) {
        const place *before = &p->places[0][at[0]], *after = &p->places[1][at[1]];
        int order = strcmp(before->origin, after->origin);
        if (order == 0)
            IC_TRY(add_pair(p, before, after));
        at[0] += order <= 0;
        at[1] += order >= 0;
    }
    if (p->paired == 0)
        return ic_fail(IC_ERROR_DATA,
                       "the two reports have no picture in common: one has %s, the other %s, of "
                       "class %s and %s; measure both models on one data set",
                       p->places[0][0].origin, p->places[1][0].origin,
                       ic_report_label(p->reports[0], p->places[0][0].index),
                       ic_report_label(p->reports[1], p->places[1][0].index));
    return IC_OK;
}

/* ---- Telling ---- */

/* What the second model is surest of comes first. */
static int compare_changes(const void *left, const void *right)
{
    const change *a = left, *b = right;
    int order = (a->sure < b->sure) - (a->sure > b->sure);
    return order != 0 ? order : (a->index[0] > b->index[0]) - (a->index[0] < b->index[0]);
}

static ic_status add_change(json_t *list, const pairing *p, const change *one)
{
    static const char *const keys[2][2] = {{"before", "before_probability"},
                                           {"after", "after_probability"}};
    json_t *entry = json_object();
    const char *file = ic_report_origin(p->reports[0], one->index[0]);
    IC_TRY(ic_json_append(list, entry));
    IC_TRY(ic_json_set(entry, "file", ic_report_file(file)));
    IC_TRY(ic_json_set(entry, "class", json_string(ic_report_label(p->reports[0], one->index[0]))));
    for (int side = 0; side < 2; side++) {
        const ic_report *report = p->reports[side];
        int32_t predicted;
        float probability;
        IC_TRY(ic_report_picture(report, one->index[side], NULL, NULL, &predicted, &probability));
        IC_TRY(ic_json_set(entry, keys[side][0],
                           json_string(ic_model_class_name(report->model, predicted))));
        IC_TRY(ic_json_set(entry, keys[side][1], ic_report_number((double)probability)));
    }
    return IC_OK;
}

static ic_status add_changes(json_t *content, const pairing *p, const char *name, bool lost)
{
    json_t *list = json_array();
    IC_TRY(ic_json_set(content, name, list));
    for (int64_t i = 0; i < p->change_count; i++)
        if (p->changes[i].lost == lost)
            IC_TRY(add_change(list, p, &p->changes[i]));
    return IC_OK;
}

/* Whole numbers first. */
enum { COUNTS = 8, VALUES = 13 };
static const char value_names[VALUES][20] = {"count",
                                             "both_right",
                                             "only_before_right",
                                             "only_after_right",
                                             "both_wrong",
                                             "unmatched_before",
                                             "unmatched_after",
                                             "relabelled",
                                             "accuracy_before",
                                             "accuracy_after",
                                             "p_value",
                                             "chi_square",
                                             "chi_square_p_value"};

static ic_status describe(const pairing *p, json_t *content)
{
    int64_t only_before = p->outcomes[1][0], only_after = p->outcomes[0][1];
    int64_t both = p->outcomes[1][1], matched = p->paired + p->relabelled;
    double n = (double)p->paired, chi_square_p;
    double chi_square = ic_mcnemar_chi_square(only_before, only_after, &chi_square_p);
    const double values[VALUES] = {n,
                                   (double)both,
                                   (double)only_before,
                                   (double)only_after,
                                   (double)p->outcomes[0][0],
                                   (double)(p->reports[0]->scores.count - matched),
                                   (double)(p->reports[1]->scores.count - matched),
                                   (double)p->relabelled,
                                   (double)(both + only_before) / n,
                                   (double)(both + only_after) / n,
                                   ic_mcnemar_exact(only_before, only_after),
                                   chi_square,
                                   chi_square_p};
    for (int i = 0; i < VALUES; i++)
        IC_TRY(
            ic_json_set(content, value_names[i],
                        i < COUNTS ? json_integer((json_int_t)values[i]) : json_real(values[i])));
    IC_TRY(add_changes(content, p, "regressions", true));
    return add_changes(content, p, "gains", false);
}

static void tell_differences(const pairing *p)
{
    long long before = p->reports[0]->scores.count, after = p->reports[1]->scores.count;
    long long paired = p->paired, relabelled = p->relabelled;
    if (before == paired && after == paired)
        return;
    ic_log(p->reports[0]->context, IC_LOG_WARNING,
           "%lld pictures are compared, of %lld measured before and %lld after: the others are in "
           "one of the reports only (before %lld, after %lld), or have another class there (%lld)",
           paired, before, after, before - paired - relabelled, after - paired - relabelled,
           relabelled);
}

static ic_status compare(pairing *p, json_t *content)
{
    ic_context *context = p->reports[0]->context;
    IC_TRY(ic_allocate_array(context, (size_t)p->reports[0]->scores.count, sizeof *p->changes,
                             &p->changes));
    for (int side = 0; side < 2; side++)
        IC_TRY(list_places(p->reports[side], &p->places[side]));
    IC_TRY(pair_pictures(p));
    qsort(p->changes, (size_t)p->change_count, sizeof *p->changes, compare_changes);
    IC_TRY(describe(p, content));
    tell_differences(p);
    return IC_OK;
}

/* ---- The interface ---- */

ic_status ic_report_compare(const ic_report *before, const ic_report *after, ic_comparison **out)
{
    if (before == NULL || after == NULL || out == NULL)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_report_compare: %s is NULL",
                       before == NULL  ? "before"
                       : after == NULL ? "after"
                                       : "out");
    pairing p = {.reports = {before, after}};
    ic_comparison *made;
    IC_TRY(ic_allocate(before->context, sizeof *made, &made));
    *made = (ic_comparison){ic_context_retain(before->context), json_object()};
    ic_status status = compare(&p, made->content);
    for (int side = 0; side < 2; side++)
        ic_free(p.reports[side]->context, p.places[side]);
    ic_free(before->context, p.changes);
    if (status < 0)
        ic_comparison_free(made);
    else
        *out = made;
    return status;
}

void ic_comparison_free(ic_comparison *comparison)
{
    if (comparison == NULL)
        return;
    ic_context *context = comparison->context;
    json_decref(comparison->content);
    ic_free(context, comparison);
    ic_context_free(context);
}

ic_status ic_comparison_value(const ic_comparison *comparison, const char *name, double *out)
{
    if (comparison == NULL || name == NULL || out == NULL)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_comparison_value: %s is NULL",
                       comparison == NULL ? "comparison"
                       : name == NULL     ? "name"
                                          : "out");
    const json_t *value = json_object_get(comparison->content, name);
    if (!json_is_number(value))
        return ic_fail(IC_ERROR_NOT_FOUND, "a comparison has no value named \"%s\"", name);
    *out = json_number_value(value);
    return IC_OK;
}

ic_status ic_comparison_change(const ic_comparison *comparison, const char *list, int64_t index,
                               const char **file, const char **actual, const char **before,
                               double *before_probability, const char **after,
                               double *after_probability)
{
    if (comparison == NULL || list == NULL)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_comparison_change: %s is NULL",
                       comparison == NULL ? "comparison" : "list");
    const json_t *entries = json_object_get(comparison->content, list);
    if (!json_is_array(entries))
        return ic_fail(IC_ERROR_NOT_FOUND,
                       "a comparison has no list named \"%s\": there are regressions and gains",
                       list);
    const json_t *entry = index >= 0 ? json_array_get(entries, (size_t)index) : NULL;
    if (entry == NULL)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_comparison_change: %s has %zu entries, no %lld", list,
                       json_array_size(entries), (long long)index);
    static const char keys[4][8] = {"file", "class", "before", "after"};
    const char **const texts[] = {file, actual, before, after};
    for (int i = 0; i < 4; i++)
        if (texts[i] != NULL)
            *texts[i] = json_string_value(json_object_get(entry, keys[i]));
    if (before_probability != NULL)
        *before_probability = json_number_value(json_object_get(entry, "before_probability"));
    if (after_probability != NULL)
        *after_probability = json_number_value(json_object_get(entry, "after_probability"));
    return IC_OK;
}

ic_status ic_comparison_json(const ic_comparison *comparison, char *buffer, size_t capacity,
                             size_t *size)
{
    if (comparison == NULL || size == NULL)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_comparison_json: %s is NULL",
                       comparison == NULL ? "comparison" : "size");
    return ic_json_give(comparison->context, comparison->content, buffer, capacity, size);
}

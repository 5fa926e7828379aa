/*
 * dataset/group.c: which pictures belong together (of one patient, plant or film), by what the
 * option group says. A group is known by a number made from its name. SPDX-License-Identifier: MIT
 */
#include "base/file.h"
#include "base/options.h"
#include "base/status.h"
#include "base/text.h"
#include "dataset/source.h"

#include <stdlib.h>
#include <string.h>

uint64_t ic_group_number(const char *name, size_t length)
{
    unsigned char digest[IC_SHA256_BYTES];
    uint64_t number = 0;
    if (length == 0)
        return 0;
    ic_sha256_of(name, length, digest);
    for (int32_t i = 0; i < 8; i++)
        number = number << 8 | digest[i];
    return number | 1; /* 0: none */
}

/* The text behind a word and a colon, "name:" say; NULL: it does not begin so. */
static const char *behind(const char *text, const char *word)
{
    size_t length = strlen(word);
    return strncmp(text, word, length) == 0 ? text + length : NULL;
}

/* Each pattern of a list has one part in parentheses. */
static bool has_parts(const char *patterns)
{
    int32_t opened = 0, closed = 0;
    for (const char *c = patterns;; c++) {
        opened += *c == '(';
        closed += *c == ')';
        if (closed > opened || opened > 1)
            return false;
        if (*c == ',' || *c == '\0') {
            if (closed != 1)
                return false;
            opened = closed = 0;
        }
        if (*c == '\0')
            return true;
    }
}

ic_status ic_grouping_set(ic_source *source, const ic_options *options)
{
    const char *text = ic_option_text(options, "group"), *rest = NULL;
    ic_grouping how = {.kind = IC_GROUP_NONE};
    const bool utf8 = ic_utf8_valid(text, strlen(text)); /* it goes into the model's record */
    if (strcmp(text, "auto") == 0) {
        how.kind = IC_GROUP_AUTO;
    } else if (strcmp(text, "folder") == 0) {
        how.kind = IC_GROUP_FOLDER;
    } else if (utf8 && (rest = behind(text, "name:")) != NULL && has_parts(rest)) {
        how.kind = IC_GROUP_NAME;
    } else if (utf8 && (rest = behind(text, "column:")) != NULL && *rest != '\0') {
        how.kind = IC_GROUP_COLUMN;
    } else if (strcmp(text, "none") != 0) {
        return ic_fail(
            IC_ERROR_OPTION,
            "group: \"%s\" is none of: auto, none, folder, name:PATTERN with the group in "
            "parentheses, as name:(person*)_*, and column:NAME of a CSV manifest",
            text);
    }
    if (how.kind > IC_GROUP_AUTO) { /* which has no text before it is settled */
        IC_TRY(ic_source_text(source, text, strlen(text), &how.text));
        how.rest = how.text + (rest == NULL ? 0 : rest - text);
    }
    source->grouping = how;
    return IC_OK;
}

/*
 * Whether the whole name fits one pattern, which ends at a comma: * stands for any text, the
 * shortest that will do, and ? for any character. *from and *to are the part in parentheses. When
 * a later star is reached, an earlier one never has to be tried again.
 */
static bool fits(const char *pattern, const char *name, const char **from, const char **to)
{
    const char *star = NULL, *again = NULL;
    for (;;) {
        bool end = *pattern == '\0' || *pattern == ',';
        if (*pattern == '(') {
            *from = name;
            pattern++;
        } else if (*pattern == ')') {
            *to = name;
            pattern++;
        } else if (*pattern == '*') {
            star = ++pattern;
            again = name;
        } else if (end && *name == '\0') {
            return true;
        } else if (!end && *name != '\0' && (*pattern == '?' || *pattern == *name)) {
            pattern++;
            name++;
        } else if (star != NULL && *again != '\0') {
            pattern = star;
            name = ++again;
        } else {
            return false;
        }
    }
}

/* By the first pattern that the name fits. */
static uint64_t group_by_name(const char *patterns, const char *name)
{
    for (const char *pattern = patterns;; pattern++) {
        const char *from = name, *to = name;
        if (fits(pattern, name, &from, &to))
            return ic_group_number(from, (size_t)(to - from));
        pattern = strchr(pattern, ',');
        if (pattern == NULL)
            return 0;
    }
}

uint64_t ic_group_of_file(const ic_source *source, const char *path)
{
    const char *name = ic_path_name(path);
    if (source->grouping.kind == IC_GROUP_NAME)
        return group_by_name(source->grouping.rest, name);
    if (source->grouping.kind == IC_GROUP_FOLDER)
        return ic_group_number(path, (size_t)(name - path));
    return 0;
}

/* ---- auto ---- */

/* A class where one series is more than a tenth is numbered by something else than by patients. */
#define LARGEST_SHARE 10
/* Fewer than a tenth of all pictures in series are an accident of some names. */
#define LEAST_SHARE 10

typedef struct numbered {
    uint64_t series;
    size_t record;
    int32_t class_index;
} numbered;

static int compare_numbered(const void *a, const void *b)
{
    const numbered *x = a, *y = b;
    if (x->series != y->series)
        return x->series < y->series ? -1 : 1;
    if (x->class_index != y->class_index)
        return x->class_index < y->class_index ? -1 : 1;
    return (x->record > y->record) - (x->record < y->record);
}

/*
 * How much of a file's name stands before the number that ends it, where a sign parts the two and
 * a number is left, which may be that of a patient: "person23_bacteria_" of
 * person23_bacteria_101.jpeg. 0: the name is not of this form.
 */
static size_t series_of(const char *name)
{
    static const char digits[] = "0123456789";
    const char *dot = strrchr(name, '.');
    size_t length = dot == NULL ? strlen(name) : (size_t)(dot - name), end = length;
    while (end > 0 && strchr(digits, name[end - 1]) != NULL)
        end--;
    if (end == length || end == 0 || strchr("_-. ", name[end - 1]) == NULL)
        return 0;
    return strcspn(name, digits) < end ? end : 0;
}

/* The pictures of files that belong to a series, in its order. */
static size_t list_series(const ic_source *source, numbered *list)
{
    size_t count = 0;
    for (size_t i = 0; i < source->count; i++) {
        const ic_record *record = &source->records[i];
        const char *name = ic_path_name(record->item.origin);
        const size_t length = record->samples == NULL ? series_of(name) : 0;
        if (length > 0)
            list[count++] = (numbered){ic_group_number(name, length), i, record->item.class_index};
    }
    if (count > 0)
        qsort(list, count, sizeof *list, compare_numbered);
    return count;
}

/* Where the run of one series ends that begins at first. */
static size_t series_end(const numbered *list, size_t count, size_t first)
{
    size_t end = first + 1;
    while (end < count && list[end].series == list[first].series)
        end++;
    return end;
}

/* Whether the series are what auto takes for groups: enough pictures, none with much of a class. */
static bool looks_like_groups(const ic_source *source, const numbered *list, size_t count,
                              const int64_t *totals)
{
    size_t grouped = 0;
    for (size_t i = 0, end; i < count; i = end) {
        end = series_end(list, count, i);
        grouped += end - i > 1 ? end - i : 0;
        int64_t here = 0;
        for (size_t k = i; k < end; k++) {
            here = k > i && list[k].class_index == list[k - 1].class_index ? here + 1 : 1;
            if (here > 1 && here * LARGEST_SHARE > totals[list[k].class_index])
                return false;
        }
    }
    return grouped * LEAST_SHARE >= source->count && grouped > 0;
}

static void take_groups(ic_source *source, const numbered *list, size_t count)
{
    long long groups = 0;
    const numbered *example = list;
    for (size_t i = 0, end; i < count; i = end) {
        end = series_end(list, count, i);
        if (end - i < 2)
            continue;
        example = groups++ == 0 ? &list[i] : example;
        for (size_t k = i; k < end; k++)
            source->records[list[k].record].item.group = list[k].series;
    }
    source->grouping.text = "auto";
    const char *name = ic_path_name(source->records[example->record].item.origin);
    ic_log(source->context, IC_LOG_INFO,
           "group auto: pictures whose names differ only in their last number stay on one side of "
           "splits: %lld groups, as %.*s*; with group none they do not",
           groups, (int)series_of(name), name);
}

static ic_status find_series(ic_source *source)
{
    numbered *list = NULL;
    int64_t *totals = NULL;
    ic_status status = IC_OK;
    IC_TRY_CLEAN(ic_allocate_array(source->context, source->count, sizeof *list, &list));
    IC_TRY_CLEAN(ic_allocate_zero(source->context, source->class_count * sizeof *totals, &totals));
    for (size_t i = 0; i < source->count; i++)
        totals[source->records[i].item.class_index]++;
    size_t count = list_series(source, list);
    if (looks_like_groups(source, list, count, totals))
        take_groups(source, list, count);
    else
        source->grouping.kind = IC_GROUP_NONE;
cleanup:
    ic_free(source->context, totals);
    ic_free(source->context, list);
    return status;
}

ic_status ic_grouping_settle(ic_source *source)
{
    if (source->grouping.kind == IC_GROUP_NONE)
        return IC_OK;
    if (source->grouping.kind == IC_GROUP_AUTO)
        return find_series(source);
    for (size_t i = 0; i < source->count; i++)
        if (source->records[i].item.group != 0)
            return IC_OK;
    return ic_fail(IC_ERROR_DATA,
                   "group = %s puts no picture into a group: the first is %s; set the option group "
                   "to what its name or folder looks like, or to none",
                   source->grouping.text, source->records[0].item.origin);
}

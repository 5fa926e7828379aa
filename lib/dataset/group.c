/*
 * dataset/group.c: which pictures belong together (of one patient, plant or film), by what the
 * option group says. A group is known by a number made from its name. SPDX-License-Identifier: MIT
 */
#include "base/file.h"
#include "base/options.h"
#include "base/status.h"
#include "base/text.h"
#include "dataset/source.h"

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
    if (strcmp(text, "folder") == 0) {
        how.kind = IC_GROUP_FOLDER;
    } else if (utf8 && (rest = behind(text, "name:")) != NULL && has_parts(rest)) {
        how.kind = IC_GROUP_NAME;
    } else if (utf8 && (rest = behind(text, "column:")) != NULL && *rest != '\0') {
        how.kind = IC_GROUP_COLUMN;
    } else if (strcmp(text, "none") != 0) {
        return ic_fail(IC_ERROR_OPTION,
                       "group: \"%s\" is none of: none, folder, name:PATTERN with the group in "
                       "parentheses, as name:(person*)_*, and column:NAME of a CSV manifest",
                       text);
    }
    if (how.kind != IC_GROUP_NONE) {
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

ic_status ic_grouping_check(const ic_source *source)
{
    if (source->grouping.kind == IC_GROUP_NONE)
        return IC_OK;
    for (size_t i = 0; i < source->count; i++)
        if (source->records[i].item.group != 0)
            return IC_OK;
    return ic_fail(IC_ERROR_DATA,
                   "group = %s puts no picture into a group: the first is %s; set the option group "
                   "to what its name or folder looks like, or to none",
                   source->grouping.text, source->records[0].item.origin);
}

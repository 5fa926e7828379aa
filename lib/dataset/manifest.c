/*
 * dataset/manifest.c: CSV files that list pictures and their classes, by RFC 4180: quotes, doubled
 * quotes in them, line ends of any system, a byte-order mark. SPDX-License-Identifier: MIT
 */
#include "base/file.h"
#include "base/status.h"
#include "base/text.h"
#include "dataset/source.h"

#include <string.h>

enum { MOST_COLUMNS = 256 };

/* Reads rows off a text. The fields of a row lie in `row`, each with a zero behind it. */
typedef struct csv_reader {
    const char *name; /* of the file, for messages */
    const char *at, *end;
    char separator;
    int64_t line; /* on which the row began */
    int64_t next_line;
    ic_buffer row;
    size_t starts[MOST_COLUMNS];
    int32_t columns;
} csv_reader;

static ic_status end_field(csv_reader *csv, size_t start)
{
    if (csv->columns == MOST_COLUMNS)
        return ic_fail(IC_ERROR_FORMAT, "%s, line %lld: more than %d columns", csv->name,
                       (long long)csv->line, MOST_COLUMNS);
    csv->starts[csv->columns++] = start;
    return ic_buffer_append(&csv->row, "", 1);
}

/* The part of a field in quotes; at stands behind the opening one. */
static ic_status read_quoted(csv_reader *csv)
{
    for (;;) {
        const char *quote = memchr(csv->at, '"', (size_t)(csv->end - csv->at));
        if (quote == NULL)
            return ic_fail(IC_ERROR_FORMAT, "%s, line %lld: a quote is opened and never closed",
                           csv->name, (long long)csv->line);
        for (const char *c = csv->at; c < quote; c++)
            csv->next_line += *c == '\n';
        bool doubled = quote + 1 < csv->end && quote[1] == '"';
        IC_TRY(ic_buffer_append(&csv->row, csv->at, (size_t)(quote - csv->at) + doubled));
        csv->at = quote + 1 + doubled;
        if (!doubled)
            return IC_OK;
    }
}

/* One field, up to the separator or the end of the line, which stay. */
static ic_status read_field(csv_reader *csv)
{
    size_t start = csv->row.size;
    if (csv->at < csv->end && *csv->at == '"') {
        csv->at++;
        IC_TRY(read_quoted(csv));
    }
    const char *c = csv->at;
    while (c < csv->end && *c != csv->separator && *c != '\n' && *c != '\r')
        c++;
    IC_TRY(ic_buffer_append(&csv->row, csv->at, (size_t)(c - csv->at)));
    csv->at = c;
    return end_field(csv, start);
}

/* The next row that is not blank; columns 0: there is none. */
static ic_status read_row(csv_reader *csv)
{
    csv->columns = 0;
    csv->row.size = 0;
    while (csv->at < csv->end && (*csv->at == '\n' || *csv->at == '\r'))
        csv->next_line += *csv->at++ == '\n';
    csv->line = csv->next_line;
    while (csv->at < csv->end) {
        IC_TRY(read_field(csv));
        if (csv->at == csv->end || *csv->at != csv->separator)
            break;
        csv->at++;
        if (csv->at == csv->end)
            IC_TRY(read_field(csv));
    }
    return IC_OK;
}

static const char *field(const csv_reader *csv, int32_t column)
{
    return (const char *)csv->row.bytes + csv->starts[column];
}

/* Comma, unless the first line has none and another usual separator instead. */
static char find_separator(const char *at, const char *end)
{
    static const char usual[] = {',', ';', '\t'};
    const char *line_end = memchr(at, '\n', (size_t)(end - at));
    size_t length = (size_t)((line_end == NULL ? end : line_end) - at);
    for (size_t i = 0; i < sizeof usual; i++)
        if (memchr(at, usual[i], length) != NULL)
            return usual[i];
    return ',';
}

static ic_status begin(csv_reader *csv, const char *name, const ic_buffer *bytes)
{
    static const unsigned char mark[3] = {0xEF, 0xBB, 0xBF};
    const char *text = (const char *)bytes->bytes;
    size_t size = bytes->size;
    if (size >= sizeof mark && memcmp(text, mark, sizeof mark) == 0) {
        text += sizeof mark;
        size -= sizeof mark;
    }
    if (!ic_utf8_valid(text, size) || (size > 0 && memchr(text, 0, size) != NULL))
        return ic_fail(
            IC_ERROR_FORMAT,
            "%s is neither UTF-8 text (a CSV manifest with the columns path,label) nor an "
            "IDX file",
            name);
    csv->name = name;
    csv->at = text;
    csv->end = text + size;
    csv->next_line = 1;
    csv->separator = size == 0 ? ',' : find_separator(csv->at, csv->end);
    return IC_OK;
}

/* Where the columns are; -1: there is none, or none is wanted. */
typedef struct csv_header {
    int32_t path, label, part, group;
} csv_header;

/* What the columns may be called; the first of a list that is there counts. */
static const char *const path_names[] = {"path", "filepath", "file_path", "image_path",
                                         "file", "filename", "file_name", "image",
                                         "img",  "image_id", NULL};
static const char *const label_names[] = {"label",    "class",  "class_name",
                                          "category", "target", NULL};
static const char *const part_names[] = {"split", "part", "set", "subset", NULL};

static int32_t find_column(const csv_reader *csv, const char *const *names)
{
    for (; *names != NULL; names++)
        for (int32_t i = 0; i < csv->columns; i++)
            if (ic_name_is(field(csv, i), *names))
                return i;
    return -1;
}

/* Tells once which columns are not used, in case one of them was meant to be. */
static ic_status log_unused(ic_context *context, const csv_reader *csv, const csv_header *header)
{
    ic_buffer names = {.context = context};
    ic_status status = IC_OK;
    for (int32_t i = 0; i < csv->columns; i++)
        if (i != header->path && i != header->label && i != header->part && i != header->group)
            IC_TRY_CLEAN(
                ic_buffer_print(&names, "%s%s", names.size > 0 ? ", " : "", field(csv, i)));
    if (names.size > 0)
        ic_log(context, IC_LOG_INFO, "%s: columns that are not used: %s", csv->name,
               (const char *)names.bytes);
cleanup:
    ic_buffer_free(&names);
    return status;
}

/* Reads the first row as a header if it names both columns; *is_header false: it is a picture
 * already. */
static ic_status read_header(const csv_reader *csv, const ic_source *source, csv_header *out,
                             bool *is_header)
{
    const ic_grouping *grouping = &source->grouping;
    const bool wanted = grouping->kind == IC_GROUP_COLUMN;
    const char *const group_names[] = {wanted ? grouping->rest : NULL, NULL};
    const csv_header found = {find_column(csv, path_names), find_column(csv, label_names),
                              find_column(csv, part_names), find_column(csv, group_names)};
    *is_header = found.path >= 0 && found.label >= 0;
    if (wanted && (!*is_header || found.group < 0))
        return ic_fail(IC_ERROR_DATA,
                       "%s has no column called %s: its first line must name it beside path and "
                       "label, or set the option group otherwise",
                       csv->name, grouping->rest);
    if (!*is_header)
        return IC_OK;
    *out = found;
    if (found.part == found.group)
        out->part = -1; /* a set that is a group is no part */
    return log_unused(source->context, csv, out);
}

/* The part that the row declares. */
static ic_status read_part(const csv_reader *csv, const csv_header *header, ic_part *out)
{
    const char *word = header->part < 0 ? "" : field(csv, header->part);
    const ic_part part = ic_part_of_name(word);
    if (part == IC_PART_NONE && *word != '\0')
        return ic_fail(IC_ERROR_FORMAT,
                       "%s, line %lld: \"%s\" is no part of the data: write " IC_PART_WORDS
                       ", nothing for none, or call the column otherwise",
                       csv->name, (long long)csv->line, word);
    *out = part;
    return IC_OK;
}

static ic_status check_row(const csv_reader *csv, const csv_header *header)
{
    const int32_t columns[] = {header->path, header->label, header->part, header->group};
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++)
        if (csv->columns <= columns[i])
            return ic_fail(IC_ERROR_FORMAT,
                           "%s, line %lld: the columns path,label are wanted%s, but it has %d",
                           csv->name, (long long)csv->line,
                           header->part < 0 && header->group < 0
                               ? ""
                               : " and those of part and group, as the first line names them",
                           csv->columns);
    for (size_t i = 0; i < 2; i++)
        if (*field(csv, columns[i]) == '\0')
            return ic_fail(IC_ERROR_FORMAT, "%s, line %lld: the %s is empty", csv->name,
                           (long long)csv->line, i == 0 ? "path" : "label");
    return IC_OK;
}

/* A picture file and its class; a relative path begins at the manifest. */
static ic_status add_row(ic_scan *scan, const csv_reader *csv, const csv_header *header,
                         const char *folder)
{
    ic_candidate candidate = {.part = IC_PART_NONE};
    IC_TRY(check_row(csv, header));
    IC_TRY(read_part(csv, header, &candidate.part));
    const char *path = field(csv, header->path);
    IC_TRY(ic_source_class(scan->source, field(csv, header->label), 0, &candidate.class_index));
    IC_TRY(
        ic_source_text_join(scan->source, *path == '/' ? "" : folder, "", path, &candidate.path));
    const char *group = header->group < 0 ? "" : field(csv, header->group);
    candidate.group = header->group < 0 ? ic_group_of_file(scan->source, candidate.path)
                                        : ic_group_number(group, strlen(group));
    IC_TRY(ic_scan_add(scan, &candidate));
    return ic_scan_progress(scan, scan->count, 0);
}

/*
 * A first line that names no known columns is read as a picture, which then is missing. Where the
 * second line's is there, the first names columns after all; unless it has a dot, as a file has.
 */
static ic_status check_first_line(const ic_scan *scan, const char *path)
{
    const ic_candidate *first = scan->candidates;
    if (scan->count < 2 || strchr(ic_path_name(first->path), '.') != NULL ||
        ic_path_kind_of(first->path) != IC_PATH_NONE ||
        ic_path_kind_of(scan->candidates[1].path) != IC_PATH_FILE)
        return IC_OK;
    return ic_fail(IC_ERROR_FORMAT,
                   "%s: its first line, with %s and %s, looks like a header: call the columns "
                   "path and label",
                   path, ic_path_name(first->path), scan->source->classes[first->class_index].name);
}

ic_status ic_scan_manifest(ic_scan *scan, const char *path, const ic_buffer *bytes)
{
    ic_context *context = scan->source->context;
    csv_reader csv = {.row = {.context = context}};
    csv_header header = {.path = 0, .label = 1, .part = -1, .group = -1};
    bool is_header = false;
    const char *folder;
    ic_status status = IC_OK;
    IC_TRY(ic_source_text(scan->source, path, (size_t)(ic_path_name(path) - path), &folder));
    IC_TRY_CLEAN(begin(&csv, path, bytes));
    IC_TRY_CLEAN(read_row(&csv));
    if (csv.columns > 0)
        IC_TRY_CLEAN(read_header(&csv, scan->source, &header, &is_header));
    if (is_header)
        IC_TRY_CLEAN(read_row(&csv));
    while (csv.columns > 0) {
        IC_TRY_CLEAN(add_row(scan, &csv, &header, folder));
        IC_TRY_CLEAN(read_row(&csv));
    }
    if (!is_header)
        IC_TRY_CLEAN(check_first_line(scan, path));
    if (scan->count == 0)
        status = ic_fail(IC_ERROR_DATA, "%s lists no pictures; write one line path,label for each",
                         path);
cleanup:
    ic_buffer_free(&csv.row);
    return status;
}

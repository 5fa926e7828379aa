/* cli/set_aside.c: why files of a data set were set aside, in a few lines. SPDX-License-Identifier:
 * MIT */
#define _POSIX_C_SOURCE 200809L
#include "output.h"
#include "summary.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { KINDS_MOST = 8, KIND_BYTES = 128 };

/* Reasons that are alike. */
typedef struct kind {
    char text[KIND_BYTES];
    int64_t count;
} kind;

typedef struct kinds {
    kind list[KINDS_MOST];
    int count;
    int64_t others; /* files whose reason found no room */
} kinds;

/*
 * What the reasons of many files have in common: without the file's own path and numbers, and
 * without the details behind a colon ("the PNG is cut short: its 100 bytes end too early") or the
 * advice behind a semicolon.
 */
static void find_kind(const char *path, const char *reason, char out[KIND_BYTES])
{
    const char *own = *path != '\0' ? strstr(reason, path) : NULL;
    const char *end = reason + strcspn(reason, own != NULL ? ";(" : ";(:");
    size_t length = 0;
    for (const char *p = reason; p < end && length + 1 < KIND_BYTES; p++) {
        int starts = p > reason && p[-1] == ' ';
        if (p == own && end >= own + strlen(path)) {
            p += strlen(path) - 1;
            length -= length > 0; /* the space before it */
        } else if (starts && isdigit((unsigned char)*p)) {
            p += strspn(p, "0123456789") - 1;
            out[length++] = 'N';
        } else {
            out[length++] = *p;
        }
    }
    while (length > 0 && out[length - 1] == ' ')
        length--;
    out[length] = '\0';
}

static void count_kind(kinds *found, const char *text)
{
    int i = 0;
    while (i < found->count && strcmp(found->list[i].text, text) != 0)
        i++;
    if (i == KINDS_MOST) {
        found->others++;
        return;
    }
    if (i == found->count) {
        snprintf(found->list[i].text, KIND_BYTES, "%s", text);
        found->list[found->count++].count = 0;
    }
    found->list[i].count++;
}

/* The commonest first. */
static int by_count(const void *a, const void *b)
{
    const kind *x = a, *y = b;
    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    return strcmp(x->text, y->text);
}

static void print_kinds(FILE *file, const kinds *found)
{
    for (int i = 0; i < found->count; i++) {
        fprintf(file, "%7lld  ", (long long)found->list[i].count);
        cli_print_text(file, found->list[i].text, 0);
        fputc('\n', file);
    }
    if (found->others > 0)
        fprintf(file, "%7lld  for other reasons\n", (long long)found->others);
}

char *cli_set_aside(const ic_dataset *dataset, const char *name)
{
    char *text = NULL;
    size_t size;
    kinds found = {.count = 0};
    const int64_t broken = ic_dataset_broken_count(dataset);
    FILE *file = broken > 0 ? open_memstream(&text, &size) : NULL;
    if (file == NULL)
        return NULL;
    for (int64_t i = 0; i < broken; i++) {
        char kind_text[KIND_BYTES];
        const char *path = "", *reason = "";
        ic_dataset_broken(dataset, i, &path, &reason);
        find_kind(path, reason, kind_text);
        count_kind(&found, kind_text);
    }
    qsort(found.list, (size_t)found.count, sizeof found.list[0], by_count);
    fprintf(file, "%lld of %lld files of ", (long long)broken,
            (long long)(broken + ic_dataset_count(dataset)));
    cli_print_text(file, name, 0);
    fputs(" were set aside; inspect --json lists them\n", file);
    print_kinds(file, &found);
    fclose(file);
    return text;
}

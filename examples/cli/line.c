/* cli/line.c: the one live line of a terminal. SPDX-License-Identifier: MIT */
#define _DEFAULT_SOURCE /* ioctl's TIOCGWINSZ */
#define _DARWIN_C_SOURCE
#include "output.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { PARTS = 6, PART_BYTES = 96, LINE_COLUMNS = 79, BAR_MIN = 4, BAR_MAX = 12, BAR_ALONE = 24 };

static int line_open; /* it stands on the terminal without a newline */

/* What the line is made of, from left to right. */
typedef struct part {
    char text[PART_BYTES];
    int rank; /* those of the highest rank give way first */
} part;

typedef struct line {
    part parts[PARTS];
    int count;
    int bar;      /* place of the bar, whose text comes last; -1: there is none */
    double share; /* of the bar that is full */
} line;

int cli_utf8(void)
{
    const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = getenv(names[i]);
        if (value == NULL || *value == '\0')
            continue;
        const char *charset = strchr(value, '.');
        return charset != NULL &&
               (strncasecmp(charset, ".utf-8", 6) == 0 || strncasecmp(charset, ".utf8", 5) == 0);
    }
    return 0;
}

int cli_columns(void)
{
    const char *terminal = getenv("TERM");
    struct winsize size;
    if (!isatty(STDERR_FILENO) || terminal == NULL || strcmp(terminal, "dumb") == 0)
        return 0;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return LINE_COLUMNS;
    return size.ws_col > LINE_COLUMNS ? LINE_COLUMNS : size.ws_col - 1; /* the last one may wrap */
}

void cli_clear_line(void)
{
    if (line_open)
        fputs("\r\033[K", stderr);
    line_open = 0;
}

static int columns_of(const char *text)
{
    int columns = 0;
    for (; *text != '\0'; text++)
        columns += ((unsigned char)*text & 0xC0) != 0x80;
    return columns;
}

static void add(line *l, int rank, const char *format, ...)
{
    part *p = &l->parts[l->count++];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(p->text, sizeof p->text, format, arguments);
    va_end(arguments);
    p->rank = rank;
}

static void add_bar(line *l, int rank, double share)
{
    l->bar = l->count;
    l->share = share < 0 ? 0 : share > 1 ? 1 : share;
    add(l, rank, "[%*s]", BAR_MIN, "");
}

static void add_time(line *l, int rank, double seconds)
{
    long s = (long)(seconds + 0.5);
    if (s >= 3600)
        add(l, rank, "%ld:%02ld:%02ld left", s / 3600, s / 60 % 60, s % 60);
    else
        add(l, rank, "%ld:%02ld left", s / 60, s % 60);
}

/* Steps of a whole character, or of an eighth where there are characters for it. */
static void draw_bar(char *text, double share, int width)
{
    static const char *const eighths[] = {" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"};
    int utf8 = cli_utf8(), full = (int)(share * width * 8 + 0.5);
    *text++ = '[';
    for (int i = 0; i < width; i++, full -= 8) {
        const char *cell = utf8        ? eighths[full >= 8  ? 8
                                                 : full > 0 ? full
                                                            : 0]
                           : full >= 4 ? "#"
                                       : ".";
        size_t length = strlen(cell);
        memcpy(text, cell, length);
        text += length;
    }
    memcpy(text, "]", 2);
}

/* Drops what does not fit; the bar takes what is left over. */
static void fit(line *l, int columns)
{
    int used = -1, limit = l->count > 2 ? BAR_MAX : BAR_ALONE;
    for (int i = 0; i < l->count; i++)
        used += 1 + columns_of(l->parts[i].text);
    while (used > columns) {
        int last = 0;
        for (int i = 1; i < l->count; i++)
            last = l->parts[i].rank > l->parts[last].rank ? i : last;
        if (l->parts[last].rank == 0)
            break;
        used -= 1 + columns_of(l->parts[last].text);
        memmove(&l->parts[last], &l->parts[last + 1],
                (size_t)(--l->count - last) * sizeof l->parts[0]);
        l->bar = l->bar == last ? -1 : l->bar - (l->bar > last);
    }
    int width = BAR_MIN + columns - used;
    if (l->bar >= 0)
        draw_bar(l->parts[l->bar].text, l->share, width > limit ? limit : width);
}

static void describe_training(line *l, const ic_progress *progress)
{
    double epochs = cli_value(progress, "epochs", 0),
           left = cli_value(progress, "seconds_left", -1);
    int digits = epochs >= 1000 ? 4 : epochs >= 100 ? 3 : epochs >= 10 ? 2 : 1;
    int validating = strcmp(ic_progress_phase(progress), "validate") == 0;
    add(l, 0, "epoch %*.0f/%.0f", digits, cli_value(progress, "epoch", 0), epochs);
    add_bar(l, 4, cli_value(progress, "done", 0) / cli_value(progress, "total", 1));
    if (cli_value(progress, "loss", -1) >= 0) {
        add(l, 2, "loss %.3f", cli_value(progress, "loss", 0));
        add(l, 3, "%5.1f %% right", 100 * cli_value(progress, "accuracy", 0));
    }
    if (validating)
        add(l, 5, "%-16s", "      validating");
    else
        add(l, 5, "%5.0f pictures/s", cli_value(progress, "pictures_per_second", 0));
    if (left >= 0)
        add_time(l, 1, left);
}

static void describe_work(line *l, const ic_progress *progress)
{
    double done = cli_value(progress, "done", 0), total = cli_value(progress, "total", 0);
    double seconds = cli_value(progress, "seconds", 0);
    add(l, 0, "%s", ic_progress_phase(progress));
    if (total > 0)
        add_bar(l, 2, done / total);
    else
        add(l, 2, "%.0f", done);
    if (total > 0 && done > 0 && seconds > 1)
        add_time(l, 1, seconds / done * (total - done));
}

/* Put together first and written at once over the old line, so that it does not flicker. */
static void show(line *l, int columns)
{
    char text[PARTS * PART_BYTES + 8] = "\r";
    fit(l, columns);
    for (int i = 0; i < l->count; i++) {
        strcat(text, i > 0 ? " " : "");
        strcat(text, l->parts[i].text);
    }
    if (l->count == 1 && columns_of(text + 1) > columns)
        text[1 + columns] = '\0'; /* the first part is plain ASCII */
    strcat(text, "\033[K");
    fputs(text, stderr);
    line_open = 1;
}

int32_t cli_progress(const ic_progress *progress, void *payload)
{
    int columns = cli_columns(), training = cli_value(progress, "epoch", 0) > 0;
    (void)payload;
    if (columns <= 0)
        return cli_interrupted();
    line l = {.count = 0, .bar = -1};
    if (training)
        describe_training(&l, progress);
    else
        describe_work(&l, progress);
    show(&l, columns);
    if (!training && cli_value(progress, "done", 0) == cli_value(progress, "total", 0))
        cli_clear_line();
    return cli_interrupted();
}

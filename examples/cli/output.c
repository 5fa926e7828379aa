/* cli/output.c: messages and the progress bar, texts and the places where files go.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "output.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static volatile sig_atomic_t interrupted;
static int line_open; /* a progress line without its newline stands on the terminal */

static void on_interrupt(int signal_number)
{
    (void)signal_number;
    interrupted = 1;
}

void cli_catch_interrupt(void)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_interrupt;
    action.sa_flags = (int)SA_RESETHAND; /* a second ^C ends the program at once */
    sigaction(SIGINT, &action, NULL);
}

int cli_interrupted(void)
{
    return interrupted != 0;
}

void cli_clear_line(void)
{
    if (line_open)
        fputs("\r\033[K", stderr);
    line_open = 0;
}

void cli_log(int32_t level, const char *message, void *payload)
{
    (void)payload;
    if (level > IC_LOG_INFO)
        return;
    cli_clear_line();
    fputs(level == IC_LOG_WARNING ? "warning: " : "", stderr);
    cli_print_text(stderr, message, 0);
    fputc('\n', stderr);
}

int cli_failed(void)
{
    cli_clear_line();
    fputs("imgcls: ", stderr);
    cli_print_text(stderr, ic_last_error(), 0);
    fputc('\n', stderr);
    return EXIT_FAILED;
}

double cli_value(const ic_progress *progress, const char *name, double fallback)
{
    double value = fallback;
    return ic_progress_value(progress, name, &value) < 0 ? fallback : value;
}

/* The progress line is put together first and written at once, so that it does not flicker. */
typedef struct line {
    char text[80]; /* 79 columns: one more and a terminal of 80 would break it */
    size_t length;
} line;

static void add(line *l, const char *format, ...)
{
    size_t room = sizeof l->text - l->length;
    va_list arguments;
    va_start(arguments, format);
    int wanted = vsnprintf(l->text + l->length, room, format, arguments);
    va_end(arguments);
    if (wanted > 0)
        l->length += (size_t)wanted < room ? (size_t)wanted : room - 1;
}

static void add_time(line *l, double seconds)
{
    long s = (long)(seconds + 0.5);
    if (s >= 3600)
        add(l, " %ld:%02ld:%02ld left", s / 3600, s / 60 % 60, s % 60);
    else
        add(l, " %ld:%02ld left", s / 60, s % 60);
}

static void add_bar(line *l, double share, int width)
{
    int full = (int)(share * width + 0.5);
    add(l, "[");
    for (int i = 0; i < width; i++)
        add(l, i < full ? "#" : ".");
    add(l, "]");
}

static void add_progress(line *l, const ic_progress *progress)
{
    double done = cli_value(progress, "done", 0), total = cli_value(progress, "total", 0);
    double epoch = cli_value(progress, "epoch", 0), left = cli_value(progress, "seconds_left", -1);
    int training = strcmp(ic_progress_phase(progress), "train") == 0;
    if (epoch > 0)
        add(l, "epoch %.0f/%.0f ", epoch, cli_value(progress, "epochs", 0));
    if (!training)
        add(l, "%s ", ic_progress_phase(progress));
    if (total > 0)
        add_bar(l, done / total, epoch > 0 ? 12 : 24);
    else
        add(l, "%.0f", done);
    if (epoch > 0)
        add(l, " loss %.3f %.1f %%", cli_value(progress, "loss", 0),
            100 * cli_value(progress, "accuracy", 0));
    if (training)
        add(l, " %.0f pictures/s", cli_value(progress, "pictures_per_second", 0));
    if (left >= 0)
        add_time(l, left);
}

int32_t cli_progress(const ic_progress *progress, void *payload)
{
    (void)payload;
    if (isatty(STDERR_FILENO)) {
        line l = {"", 0};
        add_progress(&l, progress);
        fprintf(stderr, "\r%s\033[K", l.text);
        line_open = 1;
        if (cli_value(progress, "done", 0) == cli_value(progress, "total", 0))
            cli_clear_line();
    }
    return interrupted;
}

/* The bytes of the UTF-8 character at p, 1..4; 0 when there is none. (Overlong forms and
 * surrogates pass: they harm nobody here.) */
static int character(const unsigned char *p)
{
    int bytes = p[0] < 0x80 ? 1 : p[0] < 0xC2 ? 0 : p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : 4;
    if (p[0] > 0xF4)
        return 0;
    for (int i = 1; i < bytes; i++)
        if ((p[i] & 0xC0) != 0x80)
            return 0;
    return bytes;
}

void cli_json_text(FILE *file, const char *text)
{
    fputc('"', file);
    for (const unsigned char *p = (const unsigned char *)text; *p != '\0'; p++) {
        int bytes = character(p);
        if (*p == '"' || *p == '\\')
            fprintf(file, "\\%c", *p);
        else if (*p < 0x20)
            fprintf(file, "\\u%04x", *p);
        else if (bytes == 0)
            fputs("\\ufffd", file);
        else
            fwrite(p, 1, (size_t)bytes, file);
        p += bytes > 1 ? bytes - 1 : 0;
    }
    fputc('"', file);
}

void cli_print_text(FILE *file, const char *text, int width)
{
    int columns = 0;
    for (const unsigned char *p = (const unsigned char *)text; *p != '\0'; columns++) {
        int bytes = character(p);
        if (bytes == 0 || *p < 0x20 || *p == 0x7F)
            fputc('?', file);
        else
            fwrite(p, 1, (size_t)bytes, file);
        p += bytes > 0 ? bytes : 1;
    }
    for (; columns < width; columns++)
        fputc(' ', file);
}

/* "imgcls: cannot write PATH: why; choose another place with --flag" */
static int cannot_write(const char *path, const char *why, const char *flag)
{
    fputs("imgcls: cannot write ", stderr);
    cli_print_text(stderr, path, 0);
    fprintf(stderr, ": %s; choose another place with --%s\n", why, flag);
    return 0;
}

int cli_can_write(const char *path, const char *flag)
{
    struct stat there;
    const char *slash = strrchr(path, '/');
    char folder[4096] = ".";
    if (*path == '\0')
        return cannot_write(path, "the name is empty", flag);
    if (stat(path, &there) == 0 && !S_ISREG(there.st_mode))
        return cannot_write(path, S_ISDIR(there.st_mode) ? "it is a folder" : "it is not a file",
                            flag);
    if (slash != NULL && (size_t)(slash + 1 - path) < sizeof folder)
        snprintf(folder, sizeof folder, "%.*s", (int)(slash + 1 - path), path);
    if (access(folder, W_OK | X_OK) != 0)
        return cannot_write(path, strerror(errno), flag);
    return 1;
}

static int ends(const char *text, const char *end)
{
    size_t length = strlen(text), wanted = strlen(end);
    return length >= wanted && strcmp(text + length - wanted, end) == 0;
}

int cli_can_plot(const char *path)
{
    if (path == NULL)
        return 1;
    if (ends(path, ".png") || ends(path, ".svg"))
        return cli_can_write(path, "plot");
    return cannot_write(path, "a plot is a .png or an .svg", "plot");
}

char *cli_text_of(ic_status (*give)(const void *object, char *buffer, size_t capacity,
                                    size_t *size),
                  const void *object)
{
    size_t size = 0;
    if (give(object, NULL, 0, &size) < 0)
        return NULL;
    char *text = malloc(size);
    if (text == NULL || give(object, text, size, &size) < 0) {
        free(text);
        return NULL;
    }
    return text;
}

/* cli/output.c: messages and the progress bar on stderr, JSON on stdout. SPDX-License-Identifier:
 * MIT */
#define _POSIX_C_SOURCE 200809L
#include "output.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
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
    fprintf(stderr, "%s%s\n", level == IC_LOG_WARNING ? "warning: " : "", message);
}

int cli_failed(void)
{
    cli_clear_line();
    fprintf(stderr, "imgcls: %s\n", ic_last_error());
    return EXIT_FAILED;
}

double cli_value(const ic_progress *progress, const char *name, double fallback)
{
    double value = fallback;
    return ic_progress_value(progress, name, &value) < 0 ? fallback : value;
}

static void print_time(double seconds)
{
    long s = (long)(seconds + 0.5);
    if (s >= 3600)
        fprintf(stderr, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
    else
        fprintf(stderr, "%ld:%02ld", s / 60, s % 60);
}

static void print_bar(double share)
{
    enum { WIDTH = 24 };
    int full = (int)(share * WIDTH + 0.5);
    fputc('[', stderr);
    for (int i = 0; i < WIDTH; i++)
        fputc(i < full ? '#' : '.', stderr);
    fputc(']', stderr);
}

int32_t cli_progress(const ic_progress *progress, void *payload)
{
    (void)payload;
    if (isatty(STDERR_FILENO)) {
        double done = cli_value(progress, "done", 0), total = cli_value(progress, "total", 0);
        double epoch = cli_value(progress, "epoch", 0);
        cli_clear_line();
        line_open = 1;
        if (epoch > 0)
            fprintf(stderr, "epoch %.0f/%.0f ", epoch, cli_value(progress, "epochs", 0));
        fprintf(stderr, "%s ", ic_progress_phase(progress));
        if (total > 0)
            print_bar(done / total);
        else
            fprintf(stderr, "%.0f", done);
        if (epoch > 0)
            fprintf(stderr, " loss %.3f accuracy %.1f %% %.0f pictures/s",
                    cli_value(progress, "loss", 0), 100 * cli_value(progress, "accuracy", 0),
                    cli_value(progress, "pictures_per_second", 0));
        double left = cli_value(progress, "seconds_left", -1);
        if (left >= 0) {
            fputc(' ', stderr);
            print_time(left);
            fputs(" left", stderr);
        }
        fflush(stderr);
        if (done == total)
            cli_clear_line();
    }
    return interrupted;
}

void cli_json_text(FILE *file, const char *text)
{
    fputc('"', file);
    for (const unsigned char *p = (const unsigned char *)text; *p != '\0'; p++) {
        if (*p == '"' || *p == '\\')
            fprintf(file, "\\%c", *p);
        else if (*p < 0x20)
            fprintf(file, "\\u%04x", *p);
        else
            fputc(*p, file);
    }
    fputc('"', file);
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

/* ---- JSON of the library for people. Each function prints what begins at p and returns what
 * follows it. ---- */

static const char *outline_value(const char *p, int depth, int in_line);

/* A string without quotes and escapes; a number with six digits; a word as it is. */
static const char *outline_scalar(const char *p)
{
    if (*p == '-' || (*p >= '0' && *p <= '9')) {
        char *end;
        printf("%.6g", strtod(p, &end));
        return end;
    }
    if (*p != '"') {
        while (*p != '\0' && strchr(",]}", *p) == NULL)
            putchar(*p++);
        return p;
    }
    for (p++; *p != '"' && *p != '\0'; p++) {
        if (*p == '\\' && p[1] != '\0')
            p++;
        putchar(*p);
    }
    return *p == '"' ? p + 1 : p;
}

/* "key: value" for each member, on a line of its own or all on one. */
static const char *outline_object(const char *p, int depth, int in_line)
{
    for (int first = 1; *p != '\0' && *p != '}'; first = 0) {
        if (*p == '{' || *p == ',')
            p++;
        if (*p == '}')
            break;
        if (in_line)
            fputs(first ? "" : ", ", stdout);
        else if (depth > 0 || !first)
            printf("\n%*s", 2 * depth, "");
        p = outline_scalar(p);
        fputs(": ", stdout);
        p = outline_value(*p == ':' ? p + 1 : p, depth + 1, in_line);
    }
    return *p == '}' ? p + 1 : p;
}

/* Objects on a line each, anything else on one line. */
static const char *outline_array(const char *p, int depth, int in_line)
{
    int rows = p[1] == '{' && !in_line;
    if (p[1] == ']')
        fputs("none", stdout);
    for (int first = 1; *p != '\0' && *p != ']'; first = 0) {
        if (*p == '[' || *p == ',')
            p++;
        if (*p == ']')
            break;
        if (rows)
            printf("\n%*s", 2 * depth, "");
        else if (!first)
            fputs(", ", stdout);
        p = outline_value(p, depth + 1, 1);
    }
    return *p == ']' ? p + 1 : p;
}

static const char *outline_value(const char *p, int depth, int in_line)
{
    if (*p == '{')
        return outline_object(p, depth, in_line);
    return *p == '[' ? outline_array(p, depth, in_line) : outline_scalar(p);
}

void cli_outline(const char *json)
{
    outline_value(json, 0, 0);
    putchar('\n');
}

/* cli/output.c: messages, texts and the places where files go.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "output.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

static volatile sig_atomic_t interrupted;

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

int cli_complain(const char *text, const char *what)
{
    cli_clear_line();
    fputs("imgcls: ", stderr);
    cli_print_text(stderr, text, 0);
    cli_print_text(stderr, what, 0);
    fputc('\n', stderr);
    return EXIT_FAILED;
}

int cli_failed(void)
{
    return cli_complain("", ic_last_error());
}

double cli_value(const ic_progress *progress, const char *name, double fallback)
{
    double value = fallback;
    return ic_progress_value(progress, name, &value) < 0 ? fallback : value;
}

/* The bytes of the UTF-8 character at p, 1..4; 0: there is none. Unicode, table 3-7: the second
 * byte's bounds keep out overlong forms, surrogates and what lies beyond U+10FFFF. */
static int character(const unsigned char *p)
{
    int bytes = p[0] < 0x80 ? 1 : p[0] < 0xC2 ? 0 : p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : 4;
    int low = p[0] == 0xE0 ? 0xA0 : p[0] == 0xF0 ? 0x90 : 0x80;
    int high = p[0] == 0xED ? 0x9F : p[0] == 0xF4 ? 0x8F : 0xBF;
    if (p[0] > 0xF4 || (bytes > 1 && (p[1] < low || p[1] > high)))
        return 0;
    for (int i = 2; i < bytes; i++)
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

void cli_json_error(const char *file)
{
    fputs("{\"file\":", stdout);
    cli_json_text(stdout, file);
    fputs(",\"error\":", stdout);
    cli_json_text(stdout, ic_last_error());
    puts("}");
}

/* Terminals obey U+0080 to U+009F (C1) as they do what is below U+0020. */
static int is_control(const unsigned char *p)
{
    return *p < 0x20 || *p == 0x7F || (*p == 0xC2 && p[1] < 0xA0);
}

/* Prints the character at p, made harmless, and returns what follows it. */
static const char *print_character(FILE *file, const char *p)
{
    const unsigned char *u = (const unsigned char *)p;
    int bytes = character(u);
    if (bytes == 0 || is_control(u))
        fputc('?', file);
    else
        fwrite(p, 1, (size_t)bytes, file);
    return p + (bytes > 0 ? bytes : 1);
}

int cli_print_part(FILE *file, const char *text, size_t length)
{
    int columns = 0;
    for (const char *end = text + length; text < end; columns++)
        text = print_character(file, text);
    return columns;
}

void cli_print_text(FILE *file, const char *text, int width)
{
    for (int columns = cli_print_part(file, text, strlen(text)); columns < width; columns++)
        fputc(' ', file);
}

void cli_csv_text(FILE *file, const char *text)
{
    int quoted = text[strcspn(text, ",\"")] != '\0';
    fputs(quoted ? "\"" : "", file);
    while (*text != '\0') {
        fputs(*text == '"' ? "\"" : "", file);
        text = print_character(file, text);
    }
    fputs(quoted ? "\"" : "", file);
}

void cli_print_path(FILE *file, const char *path)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_./+-";
    int quoted = *path == '\0' || path[strspn(path, plain)] != '\0';
    fputs(quoted ? "'" : "", file);
    while (*path != '\0') {
        if (*path == '\'')
            fputs("'\\'", file); /* out of the quotes and in again around it */
        path = print_character(file, path);
    }
    fputs(quoted ? "'" : "", file);
}

/* The command as a shell takes it, to be freed; NULL: no memory. */
static char *command_line(const cli_command *command, int count, char **arguments)
{
    char *text = NULL;
    size_t size;
    FILE *file = open_memstream(&text, &size);
    if (file == NULL)
        return NULL;
    fprintf(file, "imgcls %s", command->name);
    for (int i = 0; i < count; i++) {
        fputc(' ', file);
        cli_print_path(file, arguments[i]);
    }
    fclose(file);
    return text;
}

int cli_parse_told(ic_context *context, const cli_command *command, const cli_flag *flags,
                   int count, char **arguments, const char *const *page, ic_options **options,
                   int *code)
{
    char *line = command_line(command, count, arguments); /* before its arguments are moved */
    int rest = cli_parse(context, command, flags, count, arguments, options, code);
    if (rest >= 0 && *page != NULL && line != NULL)
        ic_options_set_text(*options, "command", line);
    free(line);
    return rest;
}

int cli_save_page(const ic_report *report, const ic_options *options, const char *path)
{
    if (path == NULL || ic_report_save_html(report, options, path) >= 0)
        return EXIT_DONE;
    return cli_failed();
}

/* "imgcls: cannot write PATH: why; choose another place with --flag" */
static int cannot_write(const char *path, const char *why, const char *flag)
{
    fputs("imgcls: cannot write ", stderr);
    cli_print_text(stderr, path, 0);
    fprintf(stderr, ": %s; choose another place with --%s\n", why, flag);
    return 0;
}

static const char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

enum { FOLDER = 4096 };

static void folder_of(const char *path, char folder[FOLDER])
{
    int length = (int)(name_of(path) - path);
    snprintf(folder, FOLDER, "%.*s", length > 0 ? length : 1, length > 0 ? path : ".");
}

/* What the system knows of the folder that a file is in; false: it is not there. */
static int find_folder(const char *path, struct stat *facts)
{
    char folder[FOLDER];
    folder_of(path, folder);
    return stat(folder, facts) == 0;
}

int cli_same_file(const char *a, const char *b)
{
    struct stat one, other;
    int known = stat(a, &one) == 0 && stat(b, &other) == 0;
    if (!known) /* not both are there yet: one name in one folder */
        known =
            strcmp(name_of(a), name_of(b)) == 0 && find_folder(a, &one) && find_folder(b, &other);
    return known && one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

int cli_is_folder(const char *path)
{
    struct stat there;
    return stat(path, &there) == 0 && S_ISDIR(there.st_mode);
}

int cli_can_write(const char *path, const char *flag)
{
    struct stat there;
    char folder[FOLDER];
    if (*path == '\0')
        return cannot_write(path, "the name is empty", flag);
    if (stat(path, &there) == 0 && !S_ISREG(there.st_mode))
        return cannot_write(path, S_ISDIR(there.st_mode) ? "it is a folder" : "it is not a file",
                            flag);
    folder_of(path, folder);
    if (access(folder, W_OK | X_OK) != 0)
        return cannot_write(path, strerror(errno), flag);
    return 1;
}

int cli_ends(const char *text, const char *end)
{
    size_t length = strlen(text), wanted = strlen(end);
    return length >= wanted && strcasecmp(text + length - wanted, end) == 0;
}

int cli_can_plot(const char *path, const char *flag)
{
    if (path == NULL)
        return 1;
    if (cli_ends(path, ".png") || cli_ends(path, ".svg"))
        return cli_can_write(path, flag);
    return cannot_write(path, "a plot is a .png or an .svg", flag);
}

int cli_can_report(const char *path, const char *flag)
{
    if (path == NULL)
        return 1;
    if (cli_ends(path, ".html") || cli_ends(path, ".htm"))
        return cli_can_write(path, flag);
    return cannot_write(path, "a report is a page, .html or .htm", flag);
}

int cli_can_draw(const char *path, const char *flag)
{
    if (cli_ends(path, ".png"))
        return cli_can_write(path, flag);
    return cannot_write(path, "a heat map is a .png", flag);
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

int cli_print_json(ic_status (*give)(const void *object, char *buffer, size_t capacity,
                                     size_t *size),
                   const void *object)
{
    char *text = cli_text_of(give, object);
    if (text == NULL)
        return cli_failed();
    puts(text);
    free(text);
    return EXIT_DONE;
}

void cli_print_unknown(const ic_prediction *prediction)
{
    float score = 0, threshold = 0;
    if (ic_prediction_unknown(prediction, 0, &score, &threshold) >= 0 && score > threshold)
        printf("unknown (looks like none of the training pictures: score %.1f, beyond %.1f); else ",
               (double)score, (double)threshold);
}

void cli_json_unknown(const ic_prediction *prediction)
{
    float score = 0, threshold = 0;
    if (ic_prediction_unknown(prediction, 0, &score, &threshold) < 0)
        printf("\"unknown\":null,\"score\":null,\"threshold\":null");
    else
        printf("\"unknown\":%s,\"score\":%.9g,\"threshold\":%.9g",
               score > threshold ? "true" : "false", (double)score, (double)threshold);
}

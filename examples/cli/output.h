/* cli/output.h: what people and scripts get to see. SPDX-License-Identifier: MIT */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include "arguments.h"

#include <stdio.h>

/* Messages of the library on stderr, as ic_log_fn. Debug ones are left out. */
void cli_log(int32_t level, const char *message, void *payload);

/* A live line on stderr when that is a terminal, as wide as it or less, as ic_progress_fn; SIGINT
 * cancels. The line of a training stays until it is cleared. */
int32_t cli_progress(const ic_progress *progress, void *payload);

/* Clears the live line before something else is printed. */
void cli_clear_line(void);

/* Columns that a line on stderr may take, 79 at most; 0: it is not a terminal on which a line can
 * be written over. */
int cli_columns(void);

/* Whether the locale's characters are UTF-8. */
int cli_utf8(void);

/* SIGINT from now on asks long work to stop; and whether it came. */
void cli_catch_interrupt(void);
int cli_interrupted(void);

/* "imgcls: <last error>"; returns EXIT_FAILED. */
int cli_failed(void);

/* "imgcls: <text><what>", both as cli_print_text; returns EXIT_FAILED. */
int cli_complain(const char *text, const char *what);

/* Text as a JSON string, quotes included; bytes that are not UTF-8 become U+FFFD. */
void cli_json_text(FILE *file, const char *text);

/* The line of JSON for a picture that came to nothing: its file, and the library's last error. */
void cli_json_error(const char *file);

/* Text as a field of a CSV file (RFC 4180), whose rows are a line each: as cli_print_text. */
void cli_csv_text(FILE *file, const char *text);

/* A path as a shell takes it, in quotes where it must be; for people, as cli_print_text. */
void cli_print_path(FILE *file, const char *path);

/* Text for people: control characters and what is not UTF-8 become question marks; filled up with
 * spaces to width characters. */
void cli_print_text(FILE *file, const char *text, int width);

/* The same for its first bytes, which end with a character; returns how many characters. */
int cli_print_part(FILE *file, const char *text, size_t length);

/* As cli_parse; where a flag has set *page, the report will say that this command made it. */
int cli_parse_told(ic_context *context, const cli_command *command, const cli_flag *flags,
                   int count, char **arguments, const char *const *page, ic_options **options,
                   int *code);

/* Writes a report as a page (path NULL: not); returns the exit code. */
int cli_save_page(const ic_report *report, const ic_options *options, const char *path);

/* Whether the path, or what it links to, is a folder. */
int cli_is_folder(const char *path);

/* Whether a file (a plot or a report, NULL is fine; a heat map) can be written there, found out
 * before long work; says why not, and which flag to change. */
int cli_can_write(const char *path, const char *flag);
int cli_can_plot(const char *path, const char *flag);
int cli_can_report(const char *path, const char *flag);
int cli_can_draw(const char *path, const char *flag);

/* Whether it ends so, in capitals or not. */
int cli_ends(const char *text, const char *end);

/* Whether two paths lead to one file, which need not be there yet. */
int cli_same_file(const char *a, const char *b);

/* One number of an event, or fallback. */
double cli_value(const ic_progress *progress, const char *name, double fallback);

/* The text that a function of the form f(object, buffer, capacity, &size) gives; free() it. NULL:
 * it failed. */
char *cli_text_of(ic_status (*give)(const void *object, char *buffer, size_t capacity,
                                    size_t *size),
                  const void *object);

/* Prints what such a function gives; returns the exit code. */
int cli_print_json(ic_status (*give)(const void *object, char *buffer, size_t capacity,
                                     size_t *size),
                   const void *object);

/* The same for a report, and what commands show people of one. */
ic_status cli_give_report(const void *report, char *buffer, size_t capacity, size_t *size);
void cli_print_report(const ic_report *report);

/* Of the first picture of a prediction: "unknown (...); else " where it is; and as members of JSON.
 */
void cli_print_unknown(const ic_prediction *prediction);
void cli_json_unknown(const ic_prediction *prediction);

/* What a model's costs make of the pictures of a report; nothing where it has none. */
void cli_print_decisions(const ic_report *report);

/* Cross-validates, or says why not; the log has the plan of the first model, and of the others what
 * differs. SIGINT stops it. Returns the exit code. */
int cli_run_folds(ic_context *context, const ic_dataset *dataset, const ic_options *options,
                  ic_report **report);

/* Labels of a report that are likely wrong, or that it cannot tell. */
void cli_print_doubts(const ic_report *report);

/* Lists them for a data set, by a model (a path) or by models that are trained for it (NULL);
 * returns the exit code. */
int cli_judge_labels(ic_context *context, const ic_dataset *dataset, const ic_options *options,
                     const char *model, int json);

/* JSON as indented "key: value" lines for people. */
void cli_outline(const char *json);

#endif

/* cli/cross_validate.c: imgcls cross-validate. SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "commands.h"
#include "output.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How far the models lie apart, each on the pictures that were held out from it. They share most of
 * the pictures that they were trained on: it does not say what others might have given. */
static void print_folds(const ic_report *report)
{
    double mean = 0, deviation = 0;
    int32_t folds = ic_report_fold_count(report);
    printf("\n%-8s %9s %10s\n", "model", "pictures", "accuracy");
    for (int32_t i = 0; i < folds; i++) {
        double count = 0, accuracy = 0;
        ic_report_fold_value(report, i, "count", &count);
        ic_report_fold_value(report, i, "accuracy", &accuracy);
        printf("%-8d %9.0f %8.2f %%\n", (int)i + 1, count, 100 * accuracy);
    }
    ic_report_value(report, "fold_accuracy_mean", &mean);
    ic_report_value(report, "fold_accuracy_deviation", &deviation);
    printf("mean %.2f %%, standard deviation between models %.2f %%\n", 100 * mean,
           100 * deviation);
}

/* ---- The models, one after the other ---- */

/* Lines of the log that were shown. */
typedef struct shown {
    char **lines;
    size_t count;
} shown;

static int was_shown(const shown *before, const char *line)
{
    for (size_t i = 0; i < before->count; i++)
        if (strcmp(before->lines[i], line) == 0)
            return 1;
    return 0;
}

/* Each model is planned as the first one was: of the others only what differs is news. Without
 * memory lines come again. */
static void log_news(int32_t level, const char *message, void *payload)
{
    shown *before = payload;
    if (was_shown(before, message))
        return;
    cli_log(level, message, NULL);
    char **lines = realloc(before->lines, (before->count + 1) * sizeof *lines);
    if (lines == NULL)
        return;
    before->lines = lines;
    lines[before->count] = strdup(message);
    before->count += lines[before->count] != NULL;
}

int cli_run_folds(ic_context *context, const ic_dataset *dataset, const ic_options *options,
                  ic_report **report)
{
    shown before = {NULL, 0};
    ic_context_set_log(context, log_news, &before);
    cli_catch_interrupt();
    ic_status status = ic_cross_validate(dataset, options, report);
    ic_context_set_log(context, cli_log, NULL);
    for (size_t i = 0; i < before.count; i++)
        free(before.lines[i]);
    free(before.lines);
    cli_clear_line();
    if (status >= 0)
        return EXIT_DONE;
    if (status != IC_ERROR_CANCELLED)
        return cli_failed();
    return cli_complain("stopped; models that were finished are not kept: the next run trains all "
                        "of them again. Less --minutes or --epochs for each, or fewer --folds, "
                        "take less time",
                        "");
}

static int cross_validate(ic_context *context, const char *data, const ic_options *options,
                          const char *page, int json)
{
    ic_dataset *dataset = NULL;
    ic_report *report = NULL;
    int code = EXIT_DONE;
    if (!cli_can_report(page, "report"))
        return EXIT_FAILED;
    if (ic_dataset_open(context, data, options, &dataset) < 0)
        code = cli_failed();
    else
        code = cli_run_folds(context, dataset, options, &report);
    if (code == EXIT_DONE && json) {
        code = cli_print_json(cli_give_report, report);
    } else if (code == EXIT_DONE) {
        cli_print_report(report);
        print_folds(report);
        cli_print_doubts(report);
    }
    if (code == EXIT_DONE)
        code = cli_save_page(report, options, page);
    ic_report_free(report);
    ic_dataset_free(dataset);
    return code;
}

int cli_cross_validate(ic_context *context, const cli_command *command, int count, char **arguments)
{
    const char *page = NULL;
    int json = 0;
    const cli_flag flags[] = {{"report", &page, NULL}, {"json", NULL, &json}, {NULL, NULL, NULL}};
    ic_options *options = NULL;
    int code;
    int rest = cli_parse_told(context, command, flags, count, arguments, &page, &options, &code);
    if (rest < 0)
        return code;
    code = rest == 1 ? cross_validate(context, arguments[0], options, page, json)
                     : cli_usage(command, "cross-validate wants one data set");
    ic_options_free(options);
    return code;
}

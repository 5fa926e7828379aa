/* cli/cross_validate.c: imgcls cross-validate. SPDX-License-Identifier: MIT */
#include "commands.h"
#include "output.h"

#include <math.h>
#include <stdio.h>

enum { DOUBTS_SHOWN = 20 };

/* How far the models lie apart, each on the pictures that were held out from it. They share most of
 * the pictures that they were trained on: it does not say what others might have given. */
static void print_folds(const ic_report *report)
{
    double sum = 0, squares = 0;
    int32_t folds = ic_report_fold_count(report);
    printf("\n%-8s %9s %10s\n", "model", "pictures", "accuracy");
    for (int32_t i = 0; i < folds; i++) {
        double count = 0, accuracy = 0;
        ic_report_fold_value(report, i, "count", &count);
        ic_report_fold_value(report, i, "accuracy", &accuracy);
        printf("%-8d %9.0f %8.2f %%\n", (int)i + 1, count, 100 * accuracy);
        sum += accuracy;
        squares += accuracy * accuracy;
    }
    double mean = sum / folds, spread = (squares - sum * mean) / (folds > 1 ? folds - 1 : 1);
    printf("mean %.2f %%, standard deviation between models %.2f %%\n", 100 * mean,
           100 * sqrt(spread > 0 ? spread : 0));
}

void cli_print_doubts(const ic_report *report)
{
    int64_t count = 0;
    if (ic_report_label_error_count(report, &count) < 0)
        return;
    if (count == 0) {
        puts("\nno label is in doubt");
        return;
    }
    printf("\n%lld labels are likely wrong; the surest first:\n", (long long)count);
    for (int64_t i = 0; i < count && i < DOUBTS_SHOWN; i++) {
        const char *origin = "";
        int32_t label = 0, suggested = 0;
        double margin = 0;
        ic_report_label_error(report, i, &origin, &label, &suggested, &margin);
        fputs("  ", stdout);
        cli_print_path(stdout, origin);
        fputs("\n      filed under ", stdout);
        cli_print_text(stdout, ic_report_class_name(report, label), 0);
        fputs(", looks like ", stdout);
        cli_print_text(stdout, ic_report_class_name(report, suggested), 0);
        printf(" (by %.0f %%)\n", 100 * margin);
    }
    if (count > DOUBTS_SHOWN)
        printf("  and %lld more: --json lists all of them\n", (long long)(count - DOUBTS_SHOWN));
    puts("  -> look at them; move those that are wrong to their class, and train again");
}

static int cross_validate(ic_context *context, const char *data, const ic_options *options,
                          const char *page, int json)
{
    ic_dataset *dataset = NULL;
    ic_report *report = NULL;
    int code = EXIT_DONE;
    if (!cli_can_report(page, "report"))
        return EXIT_FAILED;
    cli_catch_interrupt();
    if (ic_dataset_open(context, data, options, &dataset) < 0 ||
        ic_cross_validate(dataset, options, &report) < 0) {
        code = cli_failed();
    } else if (json) {
        code = cli_print_json(cli_give_report, report);
    } else {
        cli_clear_line();
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

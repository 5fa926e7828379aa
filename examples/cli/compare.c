/* cli/compare.c: imgcls compare. SPDX-License-Identifier: MIT */
#include "commands.h"
#include "model.h"
#include "output.h"

#include <stdlib.h>
#include <string.h>

enum { SHOWN = 10 }; /* pictures of each list; --json has them all */

static ic_status give_comparison(const void *comparison, char *buffer, size_t capacity,
                                 size_t *size)
{
    return ic_comparison_json(comparison, buffer, capacity, size);
}

static double number(const ic_comparison *comparison, const char *name)
{
    double value = 0;
    ic_comparison_value(comparison, name, &value);
    return value;
}

static void print_list(const ic_comparison *comparison, const char *list, double count,
                       const char *heading)
{
    if (count > 0)
        printf("\n%s (%.0f)\n", heading, count);
    for (int64_t i = 0; i < SHOWN && (double)i < count; i++) {
        const char *file = "", *actual = "", *before = "", *after = "";
        double sure_before = 0, sure_after = 0;
        ic_comparison_change(comparison, list, i, &file, &actual, &before, &sure_before, &after,
                             &sure_after);
        fputs("  ", stdout);
        cli_print_text(stdout, file, 0);
        fputs(": ", stdout);
        cli_print_text(stdout, before, 0);
        printf(" %.1f %% -> ", 100 * sure_before);
        cli_print_text(stdout, after, 0);
        printf(" %.1f %%\n", 100 * sure_after);
    }
    if (count > SHOWN)
        printf("  and %.0f more: --json lists them\n", count - SHOWN);
}

/* p in words: at 5 % most people call a difference one. */
static const char *judge(const ic_comparison *comparison)
{
    double lost = number(comparison, "only_before_right");
    double gained = number(comparison, "only_after_right");
    if (number(comparison, "p_value") >= 0.05)
        return "the difference may well be chance";
    return gained > lost ? "the second model is better" : "the second model is worse";
}

static void print_comparison(const ic_comparison *comparison)
{
    double lost = number(comparison, "only_before_right");
    double gained = number(comparison, "only_after_right");
    printf("accuracy   before %.2f %%   after %.2f %%\n\n",
           100 * number(comparison, "accuracy_before"), 100 * number(comparison, "accuracy_after"));
    printf("%-14s %12s %12s\n", "", "right after", "wrong after");
    printf("%-14s %12.0f %12.0f\n", "right before", number(comparison, "both_right"), lost);
    printf("%-14s %12.0f %12.0f\n\n", "wrong before", gained, number(comparison, "both_wrong"));
    double p = number(comparison, "p_value");
    printf("McNemar's test: p %s %.4f: %s\n", p < 0.0001 ? "<" : "=", p < 0.0001 ? 0.0001 : p,
           judge(comparison));
    print_list(comparison, "regressions", lost, "right before, wrong after");
    print_list(comparison, "gains", gained, "wrong before, right after");
}

/* One model at a time is in memory. The data set is opened behind the first one: a model that is
 * none is told of before. */
static int measure(ic_context *context, const char *path, const char *data, ic_dataset **dataset,
                   const ic_options *options, ic_report **out)
{
    ic_model *model = NULL;
    int code = cli_load_model(context, path, data, &model);
    if (code == EXIT_DONE &&
        ((*dataset == NULL && ic_dataset_open(context, data, options, dataset) < 0) ||
         ic_evaluate(model, *dataset, options, out) < 0))
        code = cli_failed();
    ic_model_free(model);
    return code;
}

/* What is compared; where the models were trained on different parts, that is told. */
static void print_parts(const ic_report *before, const ic_report *after,
                        const ic_comparison *comparison)
{
    const char *first = ic_report_split(before), *second = ic_report_split(after);
    printf("%.0f pictures (%s: %s", number(comparison, "count"), first,
           ic_report_split_meaning(before));
    if (strcmp(first, second) != 0)
        printf("; for the second model %s: %s", second, ic_report_split_meaning(after));
    puts(")\n");
}

static int print_all(const ic_report *before, const ic_report *after,
                     const ic_comparison *comparison, int json)
{
    if (json)
        return cli_print_json(give_comparison, comparison);
    print_parts(before, after, comparison);
    print_comparison(comparison);
    return EXIT_DONE;
}

static int compare(ic_context *context, char **arguments, const ic_options *options, int json)
{
    ic_dataset *dataset = NULL;
    ic_report *before = NULL, *after = NULL;
    ic_comparison *comparison = NULL;
    int code = measure(context, arguments[0], arguments[2], &dataset, options, &before);
    if (code == EXIT_DONE)
        code = measure(context, arguments[1], arguments[2], &dataset, options, &after);
    if (code == EXIT_DONE && ic_report_compare(before, after, &comparison) < 0)
        code = cli_failed();
    if (code == EXIT_DONE)
        code = print_all(before, after, comparison, json);
    ic_comparison_free(comparison);
    ic_report_free(after);
    ic_report_free(before);
    ic_dataset_free(dataset);
    return code;
}

int cli_compare(ic_context *context, const cli_command *command, int count, char **arguments)
{
    int json = 0;
    const cli_flag flags[] = {{"json", NULL, &json}, {NULL, NULL, NULL}};
    ic_options *options = NULL;
    int code;
    int rest = cli_parse(context, command, flags, count, arguments, &options, &code);
    if (rest < 0)
        return code;
    code = rest == 3 ? compare(context, arguments, options, json)
                     : cli_usage(command, "compare wants two models and a data set");
    ic_options_free(options);
    return code;
}

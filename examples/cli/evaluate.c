/* cli/evaluate.c: imgcls evaluate. SPDX-License-Identifier: MIT */
#include "commands.h"
#include "model.h"
#include "output.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

ic_status cli_give_report(const void *report, char *buffer, size_t capacity, size_t *size)
{
    return ic_report_json(report, buffer, capacity, size);
}

/* What is told first; shares as %. */
typedef struct figure {
    const char *name, *label;
    int is_share;
} figure;

static const figure figures[] = {{"accuracy", "accuracy", 1},
                                 {"top5_accuracy", "top-5 accuracy", 1},
                                 {"balanced_accuracy", "balanced accuracy", 1},
                                 {"f1", "mean F1", 1},
                                 {"auc", "ROC AUC", 0},
                                 {"average_precision", "average precision", 0},
                                 {"mcc", "Matthews", 0},
                                 {"kappa", "Cohen's kappa", 0},
                                 {"loss", "loss", 0},
                                 {"brier", "Brier score", 0}};

/* "92.15 %   89.78 .. 94.01 %": a figure and its interval. */
static void print_figure(const ic_report *report, const figure *f)
{
    double value, low, high;
    const double times = f->is_share ? 100 : 1;
    const char *unit = f->is_share ? " %" : "";
    const int digits = f->is_share ? 2 : 4;
    if (ic_report_value(report, f->name, &value) < 0)
        return;
    printf("%-20s %7.*f%-2s", f->label, digits, value * times, unit);
    if (ic_report_interval(report, f->name, &low, &high) >= 0)
        printf("   %7.*f .. %.*f%s", digits, low * times, digits, high * times, unit);
    putchar('\n');
}

/* The calibration error means something only beside what chance gives; its interval, to which
 * resampling adds, would only mislead. */
static void print_calibration(const ic_report *report)
{
    double error, limit;
    if (ic_report_value(report, "ece", &error) >= 0 &&
        ic_report_value(report, "ece_limit", &limit) >= 0)
        printf("%-20s %7.2f %%   up to %.2f %% would be chance\n", "calibration error", 100 * error,
               100 * limit);
}

/* "95 % interval" */
static const char *interval_heading(const ic_report *report, char *buffer, size_t size)
{
    double level = 0;
    ic_report_value(report, "interval", &level);
    snprintf(buffer, size, "%.4g %% interval", 100 * level);
    return buffer;
}

/* A share, or "-" for one of nothing. */
static void print_share(double share, int known)
{
    if (known)
        printf(" %7.1f %%", 100 * share);
    else
        printf(" %9s", "-");
}

static void print_class(const ic_report *report, int32_t c)
{
    double precision = 0, recall = 0, low, high, f1 = 0, auc, support = 0;
    ic_report_class_value(report, c, "precision", &precision);
    ic_report_class_value(report, c, "recall", &recall);
    ic_report_class_value(report, c, "f1", &f1);
    ic_report_class_value(report, c, "support", &support);
    cli_print_text(stdout, ic_report_class_name(report, c), 24);
    /* Where no picture was called so, precision has no interval. */
    print_share(precision, ic_report_class_interval(report, c, "precision", &low, &high) >= 0);
    print_share(recall, support > 0);
    if (ic_report_class_interval(report, c, "recall", &low, &high) >= 0)
        printf(" %5.1f .. %5.1f %%", 100 * low, 100 * high);
    else
        printf(" %16s", "");
    print_share(f1, support > 0);
    if (ic_report_class_value(report, c, "auc", &auc) >= 0)
        printf(" %7.4f", auc);
    else
        printf(" %7s", "");
    printf(" %9.0f\n", support);
}

static void print_classes(const ic_report *report)
{
    char heading[40];
    printf("\n%-24s %9s %9s %16s %9s %7s %9s\n", "class", "precision", "recall",
           interval_heading(report, heading, sizeof heading), "F1", "AUC", "pictures");
    for (int32_t c = 0; c < ic_report_class_count(report); c++)
        print_class(report, c);
}

/* The three commonest mistakes: where to look first. */
static void print_mistakes(const ic_report *report)
{
    int32_t classes = ic_report_class_count(report);
    int64_t bound = INT64_MAX;
    int32_t bound_at = -1;
    for (int shown = 0; shown < 3; shown++) {
        int64_t most = 0;
        int32_t at = -1;
        for (int32_t i = 0; i < classes * classes; i++) {
            int64_t n = 0;
            ic_report_confusion(report, i / classes, i % classes, &n);
            int later = n < bound || (n == bound && i > bound_at);
            if (i / classes != i % classes && later && n > most) {
                most = n;
                at = i;
            }
        }
        if (at < 0)
            return;
        if (shown == 0)
            printf("\nmost often mistaken\n");
        printf("%6lld  ", (long long)most);
        cli_print_text(stdout, ic_report_class_name(report, at / classes), 0);
        fputs(" taken for ", stdout);
        cli_print_text(stdout, ic_report_class_name(report, at % classes), 0);
        putchar('\n');
        bound = most;
        bound_at = at;
    }
}

void cli_print_report(const ic_report *report)
{
    double count = 0;
    char heading[40];
    ic_report_value(report, "count", &count);
    const char *split = ic_report_split(report);
    printf("%.0f pictures (%s: %s)\n\n", count, split, ic_report_split_meaning(report));
    printf("%-33s %s\n", "", interval_heading(report, heading, sizeof heading));
    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++)
        if (strcmp(figures[i].name, "top5_accuracy") != 0 || ic_report_class_count(report) > 5)
            print_figure(report, &figures[i]);
    print_calibration(report);
    print_classes(report);
    print_mistakes(report);
}

static int evaluate(ic_context *context, const char *model_path, const char *data,
                    const ic_options *options, const char *plot, const char *page, int json)
{
    ic_model *model = NULL;
    ic_dataset *dataset = NULL;
    ic_report *report = NULL;
    int code = EXIT_DONE;
    if (!cli_can_plot(plot, "plot") || !cli_can_report(page, "report"))
        return EXIT_FAILED;
    if (cli_load_model(context, model_path, data, &model) != EXIT_DONE) {
        code = EXIT_FAILED;
    } else if (ic_dataset_open(context, data, options, &dataset) < 0 ||
               ic_evaluate(model, dataset, options, &report) < 0) {
        code = cli_failed();
    } else if (json) {
        code = cli_print_json(cli_give_report, report);
    } else {
        cli_print_report(report);
        cli_print_decisions(report);
    }
    if (code == EXIT_DONE && plot != NULL && ic_report_plot_confusion(report, plot) < 0)
        code = cli_failed();
    if (code == EXIT_DONE)
        code = cli_save_page(report, options, page);
    ic_report_free(report);
    ic_dataset_free(dataset);
    ic_model_free(model);
    return code;
}

int cli_evaluate(ic_context *context, const cli_command *command, int count, char **arguments)
{
    const char *plot = NULL, *page = NULL;
    int json = 0;
    const cli_flag flags[] = {
        {"plot", &plot, NULL}, {"report", &page, NULL}, {"json", NULL, &json}, {NULL, NULL, NULL}};
    ic_options *options = NULL;
    int code;
    int rest = cli_parse_told(context, command, flags, count, arguments, &page, &options, &code);
    if (rest < 0)
        return code;
    code = rest == 2 ? evaluate(context, arguments[0], arguments[1], options, plot, page, json)
                     : cli_usage(command, "evaluate wants a model and a data set");
    ic_options_free(options);
    return code;
}

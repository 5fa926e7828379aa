/* cli/evaluate.c: imgcls evaluate. SPDX-License-Identifier: MIT */
#include "commands.h"
#include "output.h"

#include <stdlib.h>
#include <string.h>

static ic_status give_report(const void *report, char *buffer, size_t capacity, size_t *size)
{
    return ic_report_json(report, buffer, capacity, size);
}

static void print_number(const ic_report *report, const char *name, const char *label, double times,
                         const char *unit)
{
    double value;
    if (ic_report_value(report, name, &value) >= 0)
        printf("%-16s %.*f%s\n", label, times == 1 ? 4 : 2, value * times, unit);
}

static void print_classes(const ic_model *model, const ic_report *report)
{
    printf("\n%-24s %9s %9s %9s %9s\n", "class", "precision", "recall", "F1", "pictures");
    for (int32_t c = 0; c < ic_model_class_count(model); c++) {
        double precision = 0, recall = 0, f1 = 0, support = 0;
        ic_report_class_value(report, c, "precision", &precision);
        ic_report_class_value(report, c, "recall", &recall);
        ic_report_class_value(report, c, "f1", &f1);
        ic_report_class_value(report, c, "support", &support);
        cli_print_text(stdout, ic_model_class_name(model, c), 24);
        printf(" %7.1f %% %7.1f %% %7.1f %% %9.0f\n", 100 * precision, 100 * recall, 100 * f1,
               support);
    }
}

/* The three commonest mistakes: where to look first. */
static void print_mistakes(const ic_model *model, const ic_report *report)
{
    int32_t classes = ic_model_class_count(model);
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
        cli_print_text(stdout, ic_model_class_name(model, at / classes), 0);
        fputs(" taken for ", stdout);
        cli_print_text(stdout, ic_model_class_name(model, at % classes), 0);
        putchar('\n');
        bound = most;
        bound_at = at;
    }
}

/* What a part means, so that nobody takes pictures of the training for a test. */
static const char *explain_split(const char *split)
{
    static const char *const texts[][2] = {
        {"test", "the data's own test part"},
        {"validation", "held out from training"},
        {"train", "the model was trained on these"},
        {"all", "every picture of the data, also those that the model may have been trained on"},
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (strcmp(texts[i][0], split) == 0)
            return texts[i][1];
    return "";
}

static void print_report(const ic_model *model, const ic_report *report)
{
    double count = 0;
    ic_report_value(report, "count", &count);
    const char *split = ic_report_split(report);
    printf("%.0f pictures (%s: %s)\n\n", count, split, explain_split(split));
    print_number(report, "accuracy", "accuracy", 100, " %");
    print_number(report, "top5_accuracy", "top-5 accuracy", 100, " %");
    print_number(report, "loss", "loss", 1, "");
    print_number(report, "auc", "ROC AUC", 1, "");
    print_number(report, "f1", "mean F1", 100, " %");
    print_classes(model, report);
    print_mistakes(model, report);
}

static int evaluate(ic_context *context, const char *model_path, const char *data,
                    const ic_options *options, const char *plot, int json)
{
    ic_model *model = NULL;
    ic_dataset *dataset = NULL;
    ic_report *report = NULL;
    char *text = NULL;
    int code = EXIT_DONE;
    if (!cli_can_plot(plot, "plot"))
        return EXIT_FAILED;
    if (ic_model_load(context, model_path, &model) < 0 ||
        ic_dataset_open(context, data, options, &dataset) < 0 ||
        ic_evaluate(model, dataset, options, &report) < 0) {
        code = cli_failed();
    } else if (json) {
        text = cli_text_of(give_report, report);
        if (text == NULL)
            code = cli_failed();
        else
            puts(text);
    } else {
        print_report(model, report);
    }
    if (code == EXIT_DONE && plot != NULL && ic_report_plot_confusion(report, plot) < 0)
        code = cli_failed();
    free(text);
    ic_report_free(report);
    ic_dataset_free(dataset);
    ic_model_free(model);
    return code;
}

int cli_evaluate(ic_context *context, const cli_command *command, int count, char **arguments)
{
    const char *plot = NULL;
    int json = 0;
    const cli_flag flags[] = {{"plot", &plot, NULL}, {"json", NULL, &json}, {NULL, NULL, NULL}};
    ic_options *options = NULL;
    int code;
    int rest = cli_parse(context, command, flags, count, arguments, &options, &code);
    if (rest < 0)
        return code;
    code = rest == 2 ? evaluate(context, arguments[0], arguments[1], options, plot, json)
                     : cli_usage(command, "evaluate wants a model and a data set");
    ic_options_free(options);
    return code;
}

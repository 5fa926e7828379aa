/* cli/labels.c: imgcls inspect --labels: which pictures may lie in the wrong class.
 * SPDX-License-Identifier: MIT */
#include "commands.h"
#include "model.h"
#include "output.h"

#include <stdio.h>
#include <string.h>

enum { DOUBTS_SHOWN = 20 };

/* Of repeated trainings a picture has a row each, one below the other. */
static int64_t count_pictures(const ic_report *report)
{
    double rows = 0;
    int64_t pictures = 0;
    const char *last = NULL, *origin = "";
    ic_report_value(report, "count", &rows);
    for (int64_t i = 0; i < (int64_t)rows; i++, last = origin) {
        ic_report_picture(report, i, &origin, NULL, NULL, NULL);
        pictures += last == NULL || strcmp(last, origin) != 0;
    }
    return pictures;
}

/* Nobody files a third of his pictures wrongly: real collections have a few wrong labels in a
 * hundred, some ten at most. Where so many look wrong, it is the models that are. */
static int are_too_many(const ic_report *report, int64_t doubts)
{
    return 3 * doubts > count_pictures(report);
}

static void print_weakness(FILE *file, const ic_report *report, int64_t doubts)
{
    double accuracy = 0;
    ic_report_value(report, "accuracy", &accuracy);
    fprintf(
        file,
        "\nwhat was trained is too weak to judge labels: it is right on %.0f %% of the pictures "
        "that it had\nnot seen, and %lld of %lld labels look wrong to it, more than a third, as "
        "in no real collection;\nfirst train better, on more pictures or for longer (--minutes, "
        "--epochs)\n",
        100 * accuracy, (long long)doubts, (long long)count_pictures(report));
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
    int weak = are_too_many(report, count);
    if (weak)
        print_weakness(stdout, report, count);
    printf("\n%lld label%s wrong; the surest first:\n", (long long)count,
           weak         ? "s look"
           : count == 1 ? " is likely"
                        : "s are likely");
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
    if (!weak)
        puts("  -> look at them; move those that are wrong to their class, and train again");
}

/* A model is no witness for pictures that it was trained on: it has learnt their labels. */
static int ask_model(ic_context *context, const char *path, const ic_dataset *dataset,
                     const ic_options *options, ic_report **report)
{
    ic_model *model = NULL;
    double count = 0;
    int code = cli_load_model(context, path, NULL, &model);
    if (code == EXIT_DONE && ic_evaluate(model, dataset, options, report) < 0)
        code = cli_failed();
    ic_model_free(model);
    if (code != EXIT_DONE)
        return code;
    ic_report_value(*report, "count", &count);
    fprintf(stderr,
            "labels of %.0f pictures were judged (%s: %s); of what it was trained on, the "
            "model is no witness: without --model, others are trained that are\n",
            count, ic_report_split(*report), ic_report_split_meaning(*report));
    return EXIT_DONE;
}

int cli_judge_labels(ic_context *context, const ic_dataset *dataset, const ic_options *options,
                     const char *model, int json)
{
    ic_report *report = NULL;
    int64_t doubts = 0;
    int code = model != NULL ? ask_model(context, model, dataset, options, &report)
                             : cli_run_folds(context, dataset, options, &report);
    if (code == EXIT_DONE && json) {
        code = cli_print_json(cli_give_report, report);
        if (ic_report_label_error_count(report, &doubts) >= 0 && are_too_many(report, doubts))
            print_weakness(stderr, report, doubts);
    } else if (code == EXIT_DONE) {
        cli_print_doubts(report);
    }
    ic_report_free(report);
    return code;
}

/* cli/labels.c: imgcls inspect --labels: which pictures may lie in the wrong class.
 * SPDX-License-Identifier: MIT */
#include "commands.h"
#include "model.h"
#include "output.h"

#include <stdio.h>

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
            count, ic_report_split(*report), cli_explain_split(ic_report_split(*report)));
    return EXIT_DONE;
}

int cli_judge_labels(ic_context *context, const ic_dataset *dataset, const ic_options *options,
                     const char *model, int json)
{
    ic_report *report = NULL;
    int code = EXIT_DONE;
    cli_catch_interrupt();
    if (model != NULL)
        code = ask_model(context, model, dataset, options, &report);
    else if (ic_cross_validate(dataset, options, &report) < 0)
        code = cli_failed();
    if (code == EXIT_DONE && json) {
        code = cli_print_json(cli_give_report, report);
    } else if (code == EXIT_DONE) {
        cli_clear_line();
        cli_print_doubts(report);
    }
    ic_report_free(report);
    return code;
}

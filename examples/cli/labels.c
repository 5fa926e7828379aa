/* cli/labels.c: imgcls inspect --labels: which pictures may lie in the wrong class.
 * SPDX-License-Identifier: MIT */
#include "commands.h"
#include "output.h"

#include <stdio.h>

/* A model is no witness for pictures that it was trained on: it has learnt their labels. */
static ic_status ask_model(ic_context *context, const char *path, const ic_dataset *dataset,
                           const ic_options *options, ic_report **report)
{
    ic_model *model = NULL;
    double count = 0;
    ic_status status = ic_model_load(context, path, &model);
    if (status >= 0)
        status = ic_evaluate(model, dataset, options, report);
    ic_model_free(model);
    if (status < 0)
        return status;
    ic_report_value(*report, "count", &count);
    fprintf(stderr,
            "labels of %.0f pictures were judged (%s: %s); of what it was trained on, the "
            "model is no witness: without --model, others are trained that are\n",
            count, ic_report_split(*report), cli_explain_split(ic_report_split(*report)));
    return status;
}

int cli_judge_labels(ic_context *context, const ic_dataset *dataset, const ic_options *options,
                     const char *model, int json)
{
    ic_report *report = NULL;
    int code = EXIT_DONE;
    cli_catch_interrupt();
    ic_status status = model != NULL ? ask_model(context, model, dataset, options, &report)
                                     : ic_cross_validate(dataset, options, &report);
    if (status < 0) {
        code = cli_failed();
    } else if (json) {
        code = cli_print_json(cli_give_report, report);
    } else {
        cli_clear_line();
        cli_print_doubts(report);
    }
    ic_report_free(report);
    return code;
}

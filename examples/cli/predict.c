/* cli/predict.c: imgcls predict. SPDX-License-Identifier: MIT */
#include "commands.h"
#include "output.h"

#include <stdlib.h>

static void print_json(const ic_model *model, const ic_prediction *prediction, const char *file,
                       int32_t top)
{
    printf("{\"file\":");
    cli_json_text(stdout, file);
    printf(",\"predictions\":[");
    for (int32_t rank = 0; rank < top; rank++) {
        int32_t index = 0;
        float probability = 0;
        ic_prediction_class(prediction, rank, &index, &probability);
        printf("%s{\"class\":", rank > 0 ? "," : "");
        cli_json_text(stdout, ic_model_class_name(model, index));
        printf(",\"probability\":%.9g}", (double)probability);
    }
    printf("]}\n");
}

static void print_text(const ic_model *model, const ic_prediction *prediction, const char *file,
                       int32_t top)
{
    cli_print_text(stdout, file, 0);
    putchar(':');
    for (int32_t rank = 0; rank < top; rank++) {
        int32_t index = 0;
        float probability = 0;
        ic_prediction_class(prediction, rank, &index, &probability);
        fputs(rank > 0 ? ", " : " ", stdout);
        cli_print_text(stdout, ic_model_class_name(model, index), 0);
        printf(" %.1f %%", 100 * (double)probability);
    }
    putchar('\n');
}

/* One file; a failure is told and the next ones still come. */
static int predict_file(ic_context *context, const ic_model *model, ic_prediction *prediction,
                        const char *file, int32_t top, int json)
{
    ic_image *image = NULL;
    ic_status status = ic_image_load(context, file, &image);
    if (status >= 0)
        status = ic_predict(model, image, prediction);
    ic_image_free(image);
    if (status < 0) {
        if (json) {
            printf("{\"file\":");
            cli_json_text(stdout, file);
            printf(",\"error\":");
            cli_json_text(stdout, ic_last_error());
            printf("}\n");
        }
        return cli_failed();
    }
    (json ? print_json : print_text)(model, prediction, file, top);
    return EXIT_DONE;
}

/* A number from 1; 0: none. */
static long number(const char *text)
{
    char *end;
    long value = strtol(text, &end, 10);
    return *end == '\0' && value >= 1 && value <= INT32_MAX ? value : 0;
}

int cli_predict(ic_context *context, const cli_command *command, int count, char **arguments)
{
    const char *top_text = "5", *views_text = "1";
    int json = 0;
    const cli_flag flags[] = {{"top", &top_text, NULL},
                              {"views", &views_text, NULL},
                              {"json", NULL, &json},
                              {NULL, NULL, NULL}};
    ic_options *options = NULL;
    int code;
    int rest = cli_parse(context, command, flags, count, arguments, &options, &code);
    if (rest < 0)
        return code;
    ic_options_free(options);
    long top = number(top_text), views = number(views_text);
    if (top == 0)
        return cli_usage(command, "--top takes a number from 1");
    if (views != 1 && views != 2 && views != 6)
        return cli_usage(command, "--views takes 1|2|6");
    if (rest < 2)
        return cli_usage(command, "predict wants a model and pictures");

    ic_model *model = NULL;
    ic_prediction *prediction = NULL;
    code = EXIT_DONE;
    if (ic_model_load(context, arguments[0], &model) < 0 ||
        ic_prediction_create(context, &prediction) < 0 ||
        ic_prediction_set_views(prediction, (int32_t)views) < 0) {
        code = cli_failed();
        rest = 0;
    }
    if (model != NULL && top > ic_model_class_count(model))
        top = ic_model_class_count(model);
    for (int i = 1; i < rest; i++)
        if (predict_file(context, model, prediction, arguments[i], (int32_t)top, json) != EXIT_DONE)
            code = EXIT_FAILED;
    ic_prediction_free(prediction);
    ic_model_free(model);
    return code;
}

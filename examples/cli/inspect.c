/* cli/inspect.c: imgcls inspect, info and options: what data, models and settings are.
 * SPDX-License-Identifier: MIT */
#include "commands.h"
#include "output.h"

#include <stdlib.h>

static ic_status give_dataset(const void *dataset, char *buffer, size_t capacity, size_t *size)
{
    return ic_dataset_json(dataset, buffer, capacity, size);
}

static ic_status give_model(const void *model, char *buffer, size_t capacity, size_t *size)
{
    return ic_model_json(model, buffer, capacity, size);
}

/* Prints what a ..._json function gives: as it is for scripts, as an outline for people. */
static int print_description(ic_status (*give)(const void *, char *, size_t, size_t *),
                             const void *object, int json)
{
    char *text = cli_text_of(give, object);
    if (text == NULL)
        return cli_failed();
    if (json)
        puts(text);
    else
        cli_outline(text);
    free(text);
    return EXIT_DONE;
}

static int inspect(ic_context *context, const char *data, const ic_options *options,
                   const char *plot, int json)
{
    ic_dataset *dataset = NULL;
    int code;
    if (!cli_can_plot(plot))
        return EXIT_FAILED;
    if (ic_dataset_open(context, data, options, &dataset) < 0)
        code = cli_failed();
    else
        code = print_description(give_dataset, dataset, json);
    if (code == EXIT_DONE && plot != NULL &&
        ic_dataset_plot_augmentation(dataset, options, plot) < 0)
        code = cli_failed();
    ic_dataset_free(dataset);
    return code;
}

int cli_inspect(ic_context *context, const cli_command *command, int count, char **arguments)
{
    const char *plot = NULL;
    int json = 0;
    const cli_flag flags[] = {{"plot", &plot, NULL}, {"json", NULL, &json}, {NULL, NULL, NULL}};
    ic_options *options = NULL;
    int code;
    int rest = cli_parse(context, command, flags, count, arguments, &options, &code);
    if (rest < 0)
        return code;
    code = rest == 1 ? inspect(context, arguments[0], options, plot, json)
                     : cli_usage(command, "inspect wants one data set");
    ic_options_free(options);
    return code;
}

int cli_info(ic_context *context, const cli_command *command, int count, char **arguments)
{
    int json = 0;
    const cli_flag flags[] = {{"json", NULL, &json}, {NULL, NULL, NULL}};
    ic_options *options = NULL;
    ic_model *model = NULL;
    int code;
    int rest = cli_parse(context, command, flags, count, arguments, &options, &code);
    if (rest < 0)
        return code;
    if (rest != 1)
        code = cli_usage(command, "info wants one model");
    else if (ic_model_load(context, arguments[0], &model) < 0)
        code = cli_failed();
    else
        code = print_description(give_model, model, json);
    ic_model_free(model);
    ic_options_free(options);
    return code;
}

int cli_options(ic_context *context, const cli_command *command, int count, char **arguments)
{
    const cli_flag flags[] = {{NULL, NULL, NULL}};
    ic_options *options = NULL;
    int code;
    int rest = cli_parse(context, command, flags, count, arguments, &options, &code);
    if (rest > 0)
        code = cli_usage(command, "options takes nothing");
    if (rest == 0) {
        cli_print_options(NULL);
        code = EXIT_DONE;
    }
    ic_options_free(options);
    return code;
}

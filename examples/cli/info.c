/* cli/info.c: imgcls info and options: what models and settings are.
 * SPDX-License-Identifier: MIT */
#include "commands.h"
#include "model.h"
#include "output.h"

#include <stdlib.h>

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
    else
        code = cli_load_model(context, arguments[0], NULL, &model);
    if (model != NULL)
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

/* cli/model.c: models and classes that the command line names. SPDX-License-Identifier: MIT */
#include "model.h"
#include "output.h"
#include "words.h"

#include <string.h>

enum { CLASSES_LISTED = 20 };

static int is_model(ic_context *context, const char *path)
{
    ic_model *model = NULL;
    int loads = ic_model_load(context, path, &model) >= 0;
    ic_model_free(model);
    return loads;
}

int cli_load_model(ic_context *context, const char *path, const char *other, ic_model **model)
{
    ic_status status = ic_model_load(context, path, model);
    if (status >= 0)
        return EXIT_DONE;
    char why[1024];
    snprintf(why, sizeof why, "%s", ic_last_error()); /* trying the other one may change it */
    int no_model =
        status == IC_ERROR_FORMAT || status == IC_ERROR_IO || status == IC_ERROR_NOT_FOUND;
    if (!no_model)
        return cli_complain("", why);
    if (status != IC_ERROR_NOT_FOUND && other != NULL && is_model(context, other)) {
        fputs("imgcls: MODEL comes first: ", stderr);
        cli_print_text(stderr, other, 0);
        fputs(" is one, and ", stderr);
        cli_print_text(stderr, path, 0);
        fputs(" is none: they are the wrong way round\n", stderr);
        return EXIT_FAILED;
    }
    fputs("imgcls: ", stderr);
    cli_print_text(stderr, why, 0);
    fputs("; MODEL is the file that imgcls train --out wrote\n", stderr);
    return EXIT_FAILED;
}

int32_t cli_find_class(const ic_model *model, const char *name)
{
    for (int32_t i = 0; i < ic_model_class_count(model); i++)
        if (strcmp(ic_model_class_name(model, i), name) == 0)
            return i;
    return -1;
}

static void list_classes(const ic_model *model)
{
    int32_t count = ic_model_class_count(model);
    fputs(": its classes are ", stderr);
    for (int32_t i = 0; i < count && i < CLASSES_LISTED; i++) {
        fputs(i > 0 ? ", " : "", stderr);
        cli_print_text(stderr, ic_model_class_name(model, i), 0);
    }
    if (count > CLASSES_LISTED)
        fprintf(stderr, " and %d more; imgcls info MODEL lists them", (int)count - CLASSES_LISTED);
    fputc('\n', stderr);
}

int cli_no_class(const char *start, const ic_model *model, const char *name)
{
    cli_nearest best = cli_nearest_to(name);
    for (int32_t i = 0; i < ic_model_class_count(model); i++)
        cli_nearest_offer(&best, ic_model_class_name(model, i));
    fputs("imgcls: ", stderr);
    cli_print_text(stderr, start, 0);
    fputs("the model has no class ", stderr);
    cli_print_text(stderr, name, 0);
    if (best.word == NULL) {
        list_classes(model);
        return EXIT_FAILED;
    }
    fputs("; did you mean ", stderr);
    cli_print_text(stderr, best.word, 0);
    fputs("?\n", stderr);
    return EXIT_FAILED;
}

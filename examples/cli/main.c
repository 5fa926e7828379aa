/* cli/main.c: the imgcls command, on the library's public API alone. SPDX-License-Identifier: MIT
 */
#include "commands.h"
#include "output.h"

#include <string.h>

const cli_command cli_commands[] = {
    {"train",
     "DATA --out MODEL [--from MODEL] [--resume CHECKPOINT] [--validation DATA]\n"
     "    [--plot FILE.png] [--json] [--OPTION VALUE]...\n"
     "       imgcls train DATA --find-rate [--validation DATA] [--json] [--OPTION VALUE]...",
     "Trains a classifier on labelled pictures; picks what is not given. --find-rate only tries "
     "learning\n      rates, and prints one that suits.",
     "context,dataset,model,trainer", cli_train},
    {"evaluate",
     "MODEL DATA [--split train|validation|test|all] [--views 1|2|6] [--plot FILE.png]\n"
     "    [--json]",
     "Measures a model on pictures that it has not seen.", "context,dataset,evaluation",
     cli_evaluate},
    {"predict", "MODEL[,MODEL...] FILE... [--top K] [--views 1|2|6] [--json]",
     "Says what is in pictures, or that they are unlike those of the training. --views averages\n"
     "over mirrored and shifted views of each; several models are asked together.",
     "context", cli_predict},
    {"inspect", "DATA [--plot FILE.png] [--json] [--OPTION VALUE]...",
     "Counts classes, sizes and broken pictures; draws what augmentation does to them.",
     "context,dataset,model,trainer", cli_inspect},
    {"info", "MODEL [--json]", "Says what a model is and how it was made.", "context", cli_info},
    {"options", "", "Lists every option.", "", cli_options},
    {NULL, NULL, NULL, NULL, NULL},
};

static int print_help(FILE *file, int code)
{
    fputs("imgcls: train, check and run image classifiers\n\n", file);
    for (const cli_command *c = cli_commands; c->name != NULL; c++)
        fprintf(file, "  imgcls %s%s%s\n      %s\n", c->name, *c->usage != '\0' ? " " : "",
                c->usage, c->help);
    fputs("\nDATA is a folder with a folder of pictures per class, a folder holding train/ and "
          "test/,\n"
          "a CSV file of path,label, or IDX files. imgcls COMMAND --help lists what else can be "
          "set.\n",
          file);
    return code;
}

static const cli_command *find_command(const char *name)
{
    for (const cli_command *c = cli_commands; c->name != NULL; c++)
        if (strcmp(c->name, name) == 0)
            return c;
    return NULL;
}

int main(int count, char **arguments)
{
    if (count < 2)
        return print_help(stderr, EXIT_USAGE);
    if (strcmp(arguments[1], "--version") == 0) {
        printf("imgcls %s\n", ic_version());
        return EXIT_DONE;
    }
    if (strcmp(arguments[1], "--help") == 0 || strcmp(arguments[1], "-h") == 0 ||
        strcmp(arguments[1], "help") == 0)
        return print_help(stdout, EXIT_DONE);

    const cli_command *command = find_command(arguments[1]);
    if (command == NULL) {
        const char *nearest = cli_nearest_command(arguments[1]);
        fprintf(stderr, "imgcls: unknown command %s", arguments[1]);
        if (nearest != NULL)
            fprintf(stderr, ": did you mean %s?\n", nearest);
        else
            fputs("; imgcls --help lists them\n", stderr);
        return EXIT_USAGE;
    }
    ic_context *context = NULL;
    if (ic_context_create(&context) < 0)
        return cli_failed();
    ic_context_set_log(context, cli_log, NULL);
    ic_context_set_progress(context, cli_progress, NULL);
    int code = command->run(context, command, count - 2, arguments + 2);
    ic_context_free(context);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fputs("imgcls: cannot write the output\n", stderr);
        return EXIT_FAILED;
    }
    return code;
}

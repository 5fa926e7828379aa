/* cli/main.c: the imgcls command, on the library's public API alone. SPDX-License-Identifier: MIT
 */
#include "commands.h"
#include "output.h"
#include "words.h"

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
     "MODEL DATA [--report FILE.html] [--split train|validation|test|all] [--views 1|2|6]\n"
     "    [--plot FILE.png] [--json] [--OPTION VALUE]...",
     "Measures a model on pictures that it has not seen; says how sure each figure is. --report "
     "writes a\n      page with figures, curves and the mistakes to look at.",
     "context,dataset,evaluation", cli_evaluate},
    {"compare",
     "MODEL_BEFORE MODEL_AFTER DATA [--split train|validation|test|all] [--json]\n"
     "    [--OPTION VALUE]...",
     "Measures two models on the same pictures: what has got worse, what better, and whether that "
     "may be\n      chance.",
     "context,dataset,evaluation", cli_compare},
    {"cross-validate",
     "DATA [--folds K] [--repeats N] [--minutes M] [--report FILE.html] [--json]\n"
     "    [--OPTION VALUE]...",
     "Trains K models, each measured on the pictures that it has not seen: an honest figure for "
     "all "
     "of\n      the data, and labels that are likely wrong. --minutes is for each of them.",
     "context,dataset,model,trainer,evaluation,cross-validation", cli_cross_validate},
    {"decide",
     "MODEL DATA (--class NAME (--sensitivity S | --specificity S | --precision P | --threshold "
     "T)\n"
     "    | --costs FILE.csv) [--split validation|test|all] [--out MODEL]",
     "Keeps in the model which mistakes are worse: a class is called at the threshold that has "
     "the\n"
     "      sensitivity that is wanted, or by costs (lines of actual,called,cost; 1 where none is "
     "given).",
     "context,dataset,evaluation", cli_decide},
    {"predict", "MODEL[,MODEL...] FILE... [--top K] [--views 1|2|6] [--json]",
     "Says what is in pictures, or that they are unlike those of the training. --views averages\n"
     "      over mirrored and shifted views of each; several models are asked together.",
     "context", cli_predict},
    {"explain",
     "MODEL FILE... [--out FILE.png|FOLDER] [--class NAME] [--method METHOD]\n"
     "    [--nearest DATA] [--json]",
     "Shows what in pictures speaks for their class, or for another one, as a heat map; --nearest "
     "lists\n      the training pictures that the network sees most alike.",
     "context,dataset,explanation", cli_explain},
    {"inspect",
     "DATA [--duplicates off|exact|near] [--classes FILE.png] [--pairs FILE.png]\n"
     "    [--plot FILE.png] [--labels [--model MODEL]] [--json] [--OPTION VALUE]...",
     "Says what is wrong with pictures: broken files, duplicates, leaks between parts, small\n"
     "      classes. --classes draws the classes, --pairs the duplicates, --plot what augmentation "
     "does.\n      --labels lists labels that are likely wrong, by models that have not seen the "
     "pictures (as\n      cross-validate trains them: --minutes 2 for a first look).",
     "context,dataset,model,trainer,inspection,evaluation,cross-validation", cli_inspect},
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

static int unknown_command(const char *name)
{
    cli_nearest best = cli_nearest_to(name);
    for (const cli_command *c = cli_commands; c->name != NULL; c++)
        cli_nearest_offer(&best, c->name);
    fputs("imgcls: unknown command ", stderr);
    cli_print_text(stderr, name, 0);
    if (best.word != NULL)
        fprintf(stderr, ": did you mean %s?\n", best.word);
    else
        fputs("; imgcls --help lists them\n", stderr);
    return EXIT_USAGE;
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
    if (command == NULL)
        return unknown_command(arguments[1]);
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

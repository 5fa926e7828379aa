/* cli/main.c: the imgcls command, on the library's public API alone. SPDX-License-Identifier: MIT
 */
#include "commands.h"
#include "output.h"
#include "words.h"

#include <string.h>

#define PICTURES                                                                                   \
    "PICTURES are files, folders (for the .jpg, .jpeg, .jpe, .jfif and .png files in and below\n"  \
    "them), or - for the files that standard input lists, one a line."

static const char train_more[] =
    "What is mostly used:\n"
    "  --minutes M         to train in; network, size of pictures and epochs are chosen to fit\n"
    "  --epochs E          passes over the pictures, in place of what is chosen\n"
    "  --network NAME      see below; --input-size N, the side of what it sees, in pixels\n"
    "  --validation DATA   pictures to measure on after each epoch; else a part is held out\n"
    "  --group HOW         keeps pictures of one patient, plant or film on one side of splits\n"
    "  --seed N            the same seed gives the same model\n"
    "  --from MODEL        begins with what a model has learnt; classes may be others\n"
    "  --resume CHECKPOINT goes on after ^C or a crash; a checkpoint is MODEL.checkpoint, or\n"
    "                      what --checkpoint says\n"
    "  --plot FILE.png     curves of the training, drawn as it goes\n\n"
    "--json prints a line of JSON for each epoch: epoch, train_loss, train_accuracy,\n"
    "validation_loss and validation_accuracy (null: nothing was validated), seconds (of the\n"
    "epoch), pictures_per_second, waiting (the share of the time in which pictures were not\n"
    "ready). The last line is of the whole: model (the file), seconds, epochs (done),\n"
    "best_epoch. With --find-rate there is one line: learning_rate.";

static const char predict_more[] = PICTURES
    "\n\n--json prints a line of JSON for each picture, with these keys:\n"
    "  file         as it was given or found\n"
    "  predictions  a list of class and probability, the most probable first; --top of them\n"
    "  spread       how far several models or views disagree about the first one; else 0\n"
    "  decision     the class to act on by the costs of imgcls decide; null: there are none\n"
    "  unknown      true: the picture is like none of the training, its score is above\n"
    "  score          the threshold; all three are null where the model cannot tell\n"
    "  threshold\n"
    "  error        why there is no prediction; only file is there besides\n"
    "--csv prints a table of path,class,probability,unknown,decision, with the most probable\n"
    "class; what is null in JSON is empty, and so are all fields but path after an error.";

static const char explain_more[] = PICTURES
    "\nHeat maps of several pictures go into the folder --out, which is made, as\n"
    "NAME.heat.png.\n\n"
    "--json prints a line of JSON for each picture: file, class, probability, unknown, score and\n"
    "threshold (as imgcls predict does), method, width and height (of the picture as the model\n"
    "loads it), hottest (x and y in it; null: nothing speaks for the class), with --out out, with\n"
    "--nearest nearest (a list of file, class, similarity); or, where it cannot be explained, "
    "file\n"
    "and error.";

const cli_command cli_commands[] = {
    {"train",
     "DATA --out MODEL [--from MODEL] [--resume CHECKPOINT] [--validation DATA]\n"
     "    [--plot FILE.png] [--json] [--OPTION VALUE]...\n"
     "       imgcls train DATA --find-rate [--validation DATA] [--json] [--OPTION VALUE]...",
     "Trains a classifier on labelled pictures; picks what is not given. --find-rate only tries "
     "learning\n      rates, and prints one that suits.",
     "trainer,model,dataset,context", train_more, cli_train},
    {"evaluate",
     "MODEL DATA [--report FILE.html] [--split train|validation|test|all] [--views 1|2|6]\n"
     "    [--plot FILE.png] [--json] [--OPTION VALUE]...",
     "Measures a model on pictures that it has not seen; says how sure each figure is. --report "
     "writes a\n      page with figures, curves and the mistakes to look at.",
     "evaluation,dataset,context", NULL, cli_evaluate},
    {"compare",
     "MODEL_BEFORE MODEL_AFTER DATA [--split train|validation|test|all] [--json]\n"
     "    [--OPTION VALUE]...",
     "Measures two models on the same pictures: what has got worse, what better, and whether that "
     "may be\n      chance.",
     "evaluation,dataset,context", NULL, cli_compare},
    {"cross-validate",
     "DATA [--folds K] [--repeats N] [--minutes M] [--report FILE.html] [--json]\n"
     "    [--OPTION VALUE]...",
     "Trains K models, each measured on the pictures that it has not seen: an honest figure for "
     "all "
     "of\n      the data, and labels that are likely wrong. --minutes is for each of them.",
     "cross-validation,trainer,model,evaluation,dataset,context", NULL, cli_cross_validate},
    {"decide",
     "MODEL DATA (--class NAME (--sensitivity S | --specificity S | --precision P | --threshold "
     "T)\n"
     "    | --costs FILE.csv) [--split validation|test|all] [--out MODEL]\n"
     "       imgcls decide MODEL --none [--out MODEL]",
     "Keeps in the model which mistakes are worse: a class is called at the threshold that has "
     "the\n"
     "      sensitivity that is wanted, or by costs (lines of actual,called,cost; 1 where none is "
     "given).\n      --none takes that away again. The model file is written anew, or --out beside "
     "it.",
     "evaluation,dataset,context", NULL, cli_decide},
    {"predict", "MODEL[,MODEL...] PICTURES... [--top K] [--views 1|2|6] [--json|--csv]",
     "Says what is in pictures, or that they are unlike those of the training. --views averages\n"
     "      over mirrored and shifted views of each; several models are asked together.",
     "context", predict_more, cli_predict},
    {"explain",
     "MODEL PICTURES... [--out FILE.png|FOLDER] [--class NAME] [--method METHOD]\n"
     "    [--nearest DATA] [--json]",
     "Shows what in pictures speaks for their class, or for another one, as a heat map; --nearest "
     "lists\n      the training pictures that the network sees most alike.",
     "explanation,dataset,context", explain_more, cli_explain},
    {"inspect",
     "DATA [--duplicates off|exact|near] [--classes FILE.png] [--pairs FILE.png]\n"
     "    [--plot FILE.png] [--labels [--model MODEL]] [--json] [--OPTION VALUE]...",
     "Says what is wrong with pictures: broken files, duplicates, leaks between parts, small\n"
     "      classes. --classes draws the classes, --pairs the duplicates, --plot what augmentation "
     "does.\n      --labels lists labels that are likely wrong, by models that have not seen the "
     "pictures (as\n      cross-validate trains them: --minutes 2 for a first look).",
     "inspection,cross-validation,trainer,model,evaluation,dataset,context", NULL, cli_inspect},
    {"info", "MODEL [--json]", "Says what a model is and how it was made.", "context", NULL,
     cli_info},
    {"options", "", "Lists every option.", "", NULL, cli_options},
    {NULL, NULL, NULL, NULL, NULL, NULL},
};

static int print_help(FILE *file, int code)
{
    fputs("imgcls: train, check and run image classifiers\n\n", file);
    for (const cli_command *c = cli_commands; c->name != NULL; c++)
        fprintf(file, "  imgcls %s%s%s\n      %s\n", c->name, *c->usage != '\0' ? " " : "",
                c->usage, c->help);
    fputs(
        "\nDATA is a folder with a folder of pictures per class, a folder holding train/ and "
        "test/,\n"
        "a CSV file of path,label, or IDX files. PICTURES are files, folders, or - for a list on\n"
        "standard input. imgcls help COMMAND says more, and lists what else can be set.\n",
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

/* Whether an argument asks for this, as a word or as a flag. */
static int asks_for(const char *argument, const char *word)
{
    return strcmp(argument, word) == 0 ||
           (strncmp(argument, "--", 2) == 0 && strcmp(argument + 2, word) == 0);
}

/* imgcls help [COMMAND] */
static int help(int count, char **arguments)
{
    if (count == 0)
        return print_help(stdout, EXIT_DONE);
    const cli_command *command = find_command(arguments[0]);
    if (command == NULL)
        return unknown_command(arguments[0]);
    cli_print_help(command);
    return EXIT_DONE;
}

int main(int count, char **arguments)
{
    if (count < 2)
        return print_help(stderr, EXIT_USAGE);
    if (asks_for(arguments[1], "version")) {
        printf("imgcls %s\n", ic_version());
        return EXIT_DONE;
    }
    if (asks_for(arguments[1], "help") || strcmp(arguments[1], "-h") == 0)
        return help(count - 2, arguments + 2);

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

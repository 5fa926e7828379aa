/* cli/inspect.c: imgcls inspect: what is there, what is wrong with it, what to do.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "commands.h"
#include "output.h"

#include <stdlib.h>
#include <string.h>

enum { CLASSES_SHOWN = 30, WIDTH = 76 };

typedef struct inspect_flags {
    const char *plot, *classes, *pairs, *model;
    int json, labels;
} inspect_flags;

static ic_status give_inspection(const void *inspection, char *buffer, size_t capacity,
                                 size_t *size)
{
    return ic_inspection_json(inspection, buffer, capacity, size);
}

/* Pictures of each class in the whole and in the declared parts. */
static void print_classes(const ic_dataset *dataset)
{
    static const char *const names[] = {"train", "validation", "test"};
    ic_dataset *parts[3] = {NULL, NULL, NULL};
    const int32_t classes = ic_dataset_class_count(dataset);
    printf("%-32s %10s", "class", "pictures");
    for (int p = 0; p < 3; p++)
        if (ic_dataset_part(dataset, names[p], &parts[p]) >= 0)
            printf(" %10s", names[p]);
    putchar('\n');
    for (int32_t c = 0; c < classes && c < CLASSES_SHOWN; c++) {
        const char *name = "";
        int64_t count = 0;
        ic_dataset_class(dataset, c, &name, &count);
        cli_print_text(stdout, name, 32);
        printf(" %10lld", (long long)count);
        for (int p = 0; p < 3; p++)
            if (parts[p] != NULL) {
                ic_dataset_class(parts[p], c, NULL, &count);
                printf(" %10lld", (long long)count);
            }
        putchar('\n');
    }
    if (classes > CLASSES_SHOWN)
        printf("and %d classes more\n", classes - CLASSES_SHOWN);
    for (int p = 0; p < 3; p++)
        ic_dataset_free(parts[p]);
}

static void print_line(const char *indent, const char *text, size_t length)
{
    fputs(indent, stdout);
    cli_print_part(stdout, text, length);
    putchar('\n');
}

/* A text in lines of WIDTH columns, each with an indent; the first one may have another. */
static void print_wrapped(const char *text, const char *first, const char *indent)
{
    for (const char *before = first; *text != '\0'; before = indent) {
        size_t length = strlen(text), room = WIDTH - strlen(before);
        if (length > room)
            for (length = room; length > 0 && text[length] != ' ';)
                length--;
        length = length > 0 ? length : strcspn(text, " ");
        print_line(before, text, length);
        text += length + strspn(text + length, " ");
    }
}

static void print_advice(const char *advice)
{
    char *text = NULL;
    size_t size;
    FILE *file = open_memstream(&text, &size);
    if (file != NULL) {
        cli_print_with_flags(file, advice);
        fclose(file);
    }
    print_wrapped(text != NULL ? text : advice, "  -> ", "     ");
    free(text);
}

static void print_finding(const ic_inspection *inspection, int32_t index)
{
    const char *text = "", *advice = "", *examples = "";
    ic_inspection_finding(inspection, index, NULL, &text, &advice, &examples);
    putchar('\n');
    print_wrapped(text, "! ", "! ");
    while (*examples != '\0') {
        size_t length = strcspn(examples, "\n");
        print_line("      ", examples, length);
        examples += length + (examples[length] == '\n');
    }
    print_advice(advice);
}

static int print_inspection(const ic_dataset *dataset, const ic_inspection *inspection,
                            const inspect_flags *flags)
{
    if (flags->json)
        return cli_print_json(give_inspection, inspection);
    printf("%lld pictures in %d classes\n\n", (long long)ic_dataset_count(dataset),
           ic_dataset_class_count(dataset));
    print_classes(dataset);
    const int32_t findings = ic_inspection_finding_count(inspection);
    for (int32_t i = 0; i < findings; i++)
        print_finding(inspection, i);
    if (findings == 0)
        printf("\n%snothing is wrong, as far as can be seen\n",
               flags->labels ? "labels apart, " : "");
    return EXIT_DONE;
}

static int draw(const ic_dataset *dataset, const ic_inspection *inspection,
                const ic_options *options, const inspect_flags *flags)
{
    if (flags->plot != NULL && ic_dataset_plot_augmentation(dataset, options, flags->plot) < 0)
        return cli_failed();
    if (flags->classes != NULL &&
        ic_inspection_plot(inspection, options, "classes", flags->classes) < 0)
        return cli_failed();
    if (flags->pairs == NULL)
        return EXIT_DONE;
    if (ic_inspection_pair_count(inspection) == 0)
        fputs("no duplicates were found: there is nothing to draw\n", stderr);
    else if (ic_inspection_plot(inspection, options, "duplicates", flags->pairs) < 0)
        return cli_failed();
    return EXIT_DONE;
}

static int inspect(ic_context *context, const char *data, const ic_options *options,
                   const inspect_flags *flags)
{
    ic_dataset *dataset = NULL;
    ic_inspection *inspection = NULL;
    int code;
    if (!cli_can_plot(flags->plot, "plot") || !cli_can_plot(flags->classes, "classes") ||
        !cli_can_plot(flags->pairs, "pairs"))
        return EXIT_FAILED;
    if (ic_dataset_open(context, data, options, &dataset) < 0 ||
        ic_dataset_inspect(dataset, options, &inspection) < 0) {
        code = cli_failed();
    } else {
        cli_clear_line();
        code = print_inspection(dataset, inspection, flags);
    }
    if (code == EXIT_DONE)
        code = draw(dataset, inspection, options, flags);
    if (code == EXIT_DONE && flags->labels)
        code = cli_judge_labels(context, dataset, options, flags->model, flags->json);
    ic_inspection_free(inspection);
    ic_dataset_free(dataset);
    return code;
}

int cli_inspect(ic_context *context, const cli_command *command, int count, char **arguments)
{
    inspect_flags given = {NULL, NULL, NULL, NULL, 0, 0};
    const cli_flag flags[] = {{"plot", &given.plot, NULL},
                              {"classes", &given.classes, NULL},
                              {"pairs", &given.pairs, NULL},
                              {"labels", NULL, &given.labels},
                              {"model", &given.model, NULL},
                              {"json", NULL, &given.json},
                              {NULL, NULL, NULL}};
    ic_options *options = NULL;
    int code;
    int rest = cli_parse(context, command, flags, count, arguments, &options, &code);
    if (rest < 0)
        return code;
    code = rest == 1 ? inspect(context, arguments[0], options, &given)
                     : cli_usage(command, "inspect wants one data set");
    ic_options_free(options);
    return code;
}

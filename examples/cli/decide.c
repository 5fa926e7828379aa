/* cli/decide.c: imgcls decide: which mistakes are worse, kept in the model.
 * SPDX-License-Identifier: MIT */
#include "commands.h"
#include "model.h"
#include "output.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { LINE = 4096, CLASSES_SHOWN = 20 };

/* What was asked for; NULL: not given. */
typedef struct decide_flags {
    const char *class_name, *sensitivity, *specificity, *precision, *threshold, *costs, *split,
        *out;
    int none;
} decide_flags;

/* A share between 0 and 1, or per cent with the sign. */
static int read_share(const char *text, double *out)
{
    char *end;
    *out = strtod(text, &end);
    if (strcmp(end, "%") == 0)
        *out /= 100;
    else if (*end != '\0')
        *out = -1;
    return *out > 0 && *out <= 1
               ? EXIT_DONE
               : cli_complain("a share lies between 0 and 1 (0.95, or 95%), not ", text);
}

/* ---- Costs from a file ---- */

/* A file of costs, and how far it is read. */
typedef struct cost_file {
    const char *path;
    int line;
} cost_file;

/* "imgcls: line 3 of FILE: <text><what>" */
static int complain_of(const cost_file *file, const char *text, const char *what)
{
    char start[LINE];
    snprintf(start, sizeof start, "line %d of %s: %s", file->line, file->path, text);
    return cli_complain(start, what);
}

static int no_class(const cost_file *file, const ic_model *model, const char *name)
{
    char start[LINE];
    snprintf(start, sizeof start, "line %d of %s: ", file->line, file->path);
    return cli_no_class(start, model, name);
}

/* One line "actual,called,cost" into the matrix. */
static int read_cost(const cost_file *file, const ic_model *model, char *line, double *costs)
{
    int32_t classes = ic_model_class_count(model);
    char *called = strchr(line, ','), *cost = called != NULL ? strchr(called + 1, ',') : NULL, *end;
    if (cost == NULL)
        return complain_of(file, "costs are actual,called,cost, not ", line);
    *called++ = '\0';
    *cost++ = '\0';
    int32_t i = cli_find_class(model, line), j = cli_find_class(model, called);
    if (i < 0 || j < 0)
        return no_class(file, model, i < 0 ? line : called);
    costs[i * classes + j] = strtod(cost, &end);
    return *end == '\0' && end != cost ? EXIT_DONE
                                       : complain_of(file, "this is not a number: ", cost);
}

/* What is in a line of the file: without its end, and without the mark that some programs begin
 * UTF-8 with; empty where nothing has to be read. */
static char *content_of(const cost_file *file, char *line)
{
    static const char mark[] = "\xEF\xBB\xBF", heading[] = "actual,called,cost";
    line[strcspn(line, "\r\n")] = '\0';
    if (file->line == 1 && strncmp(line, mark, strlen(mark)) == 0)
        line += strlen(mark);
    int passed_over = *line == '#' || strcasecmp(line, heading) == 0;
    return line + (passed_over ? strlen(line) : 0);
}

static int read_costs(const char *path, const ic_model *model, double *costs)
{
    char room[LINE];
    int code = EXIT_DONE;
    int32_t classes = ic_model_class_count(model);
    cost_file place = {path, 0};
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return cli_complain("cannot read ", path);
    for (int32_t i = 0; i < classes * classes; i++)
        costs[i] = i / classes != i % classes;
    while (code == EXIT_DONE && fgets(room, sizeof room, file) != NULL) {
        place.line++;
        if (strchr(room, '\n') == NULL && !feof(file))
            code = complain_of(&place, "the line is too long", "");
        char *line = content_of(&place, room);
        if (code == EXIT_DONE && *line != '\0')
            code = read_cost(&place, model, line, costs);
    }
    if (code == EXIT_DONE && ferror(file))
        code = cli_complain("cannot read ", path);
    fclose(file);
    return code;
}

static int use_costs(const char *path, ic_model *model)
{
    size_t classes = (size_t)ic_model_class_count(model);
    double *costs = malloc(classes * classes * sizeof *costs);
    int code = costs != NULL ? read_costs(path, model, costs) : cli_complain("out of memory", "");
    if (code == EXIT_DONE && ic_model_set_costs(model, costs) < 0)
        code = cli_failed();
    free(costs);
    return code;
}

/* ---- A threshold ---- */

static int find_threshold(const ic_report *report, const decide_flags *flags, int32_t index,
                          double *threshold)
{
    const char *kind = flags->sensitivity   ? "sensitivity"
                       : flags->specificity ? "specificity"
                                            : "precision";
    const char *text = flags->sensitivity   ? flags->sensitivity
                       : flags->specificity ? flags->specificity
                                            : flags->precision;
    double wanted;
    if (flags->threshold != NULL)
        return read_share(flags->threshold, threshold);
    if (read_share(text, &wanted) != EXIT_DONE)
        return EXIT_FAILED;
    if (ic_report_operating_point(report, index, kind, wanted, threshold, NULL, NULL) < 0)
        return cli_failed();
    if (!(*threshold > 0 && *threshold < 1))
        return cli_complain("no threshold between 0 and 1 has as much as is wanted of ", kind);
    return EXIT_DONE;
}

static int use_threshold(const ic_report *report, const decide_flags *flags, ic_model *model)
{
    int32_t index = cli_find_class(model, flags->class_name);
    double threshold = 0;
    if (find_threshold(report, flags, index, &threshold) != EXIT_DONE)
        return EXIT_FAILED;
    if (ic_model_set_threshold(model, index, threshold) < 0)
        return cli_failed();
    cli_print_text(stdout, flags->class_name, 0);
    printf(" is called from a probability of %.4g %% on\n", 100 * threshold);
    return EXIT_DONE;
}

/* ---- What the decisions do ---- */

/* The share of the pictures of a class that is called so; "-" without any. */
static void print_found(const ic_report *report, int32_t actual)
{
    int64_t found = 0;
    double all = 0;
    ic_report_decision(report, actual, actual, &found);
    ic_report_class_value(report, actual, "support", &all);
    cli_print_text(stdout, ic_report_class_name(report, actual), 0);
    if (all > 0)
        printf(" %.1f %%", 100 * (double)found / all);
    else
        fputs(" -", stdout);
}

void cli_print_decisions(const ic_report *report)
{
    double accuracy, cost;
    if (ic_report_value(report, "decision_accuracy", &accuracy) < 0 ||
        ic_report_value(report, "decision_cost", &cost) < 0)
        return;
    printf("\nby the costs in the model: %.2f %% right, mean cost %.4g; found of each class:",
           100 * accuracy, cost);
    int32_t classes = ic_report_class_count(report);
    for (int32_t c = 0; c < classes && c < CLASSES_SHOWN; c++) {
        fputs(c > 0 ? ", " : " ", stdout);
        print_found(report, c);
    }
    if (classes > CLASSES_SHOWN)
        printf(" and %d more", (int)classes - CLASSES_SHOWN);
    putchar('\n');
}

/* Classes and costs that are not right are told of before the pictures are measured. */
static int use_names(const decide_flags *flags, ic_model *model)
{
    if (flags->costs != NULL)
        return use_costs(flags->costs, model);
    return cli_find_class(model, flags->class_name) >= 0
               ? EXIT_DONE
               : cli_no_class("", model, flags->class_name);
}

/* What the costs in the model make of the pictures that were measured. */
static int tell(ic_report *report)
{
    double count = 0, accuracy = 0;
    ic_report_value(report, "count", &count);
    ic_report_value(report, "accuracy", &accuracy);
    printf("measured on %.0f pictures (%s: %s)\n"
           "by the most probable class: %.2f %% right",
           count, ic_report_split(report), ic_report_split_meaning(report), 100 * accuracy);
    if (ic_report_decide(report) < 0)
        return cli_failed();
    cli_print_decisions(report);
    return EXIT_DONE;
}

static int save(const ic_model *model, const char *out)
{
    if (ic_model_save(model, out) < 0)
        return cli_failed();
    fputs("saved ", stdout);
    cli_print_path(stdout, out);
    putchar('\n');
    return EXIT_DONE;
}

/* No mistake is worse than another any more. */
static int forget(ic_context *context, const char *path, const decide_flags *flags)
{
    ic_model *model = NULL;
    int code = cli_load_model(context, path, NULL, &model);
    if (code == EXIT_DONE && ic_model_set_costs(model, NULL) < 0)
        code = cli_failed();
    if (code == EXIT_DONE)
        code = save(model, flags->out != NULL ? flags->out : path);
    ic_model_free(model);
    return code;
}

static int decide(ic_context *context, char **arguments, ic_options *options,
                  const decide_flags *flags)
{
    ic_model *model = NULL;
    ic_dataset *dataset = NULL;
    ic_report *report = NULL;
    int code = cli_load_model(context, arguments[0], arguments[1], &model);
    if (code == EXIT_DONE)
        code = use_names(flags, model);
    if (code == EXIT_DONE && (ic_options_set_text(options, "split", flags->split) < 0 ||
                              ic_dataset_open(context, arguments[1], options, &dataset) < 0 ||
                              ic_evaluate(model, dataset, options, &report) < 0))
        code = cli_failed();
    if (code == EXIT_DONE && flags->costs == NULL)
        code = use_threshold(report, flags, model);
    if (code == EXIT_DONE)
        code = tell(report);
    if (code == EXIT_DONE)
        code = save(model, flags->out != NULL ? flags->out : arguments[0]);
    ic_report_free(report);
    ic_dataset_free(dataset);
    ic_model_free(model);
    return code;
}

/* What is wrong with what was asked for; NULL: nothing. */
static const char *find_fault(const decide_flags *flags, int arguments)
{
    const char *const goals[] = {flags->costs, flags->threshold, flags->sensitivity,
                                 flags->specificity, flags->precision};
    int wanted = flags->none, by_class = flags->costs == NULL && !flags->none;
    for (size_t i = 0; i < sizeof goals / sizeof *goals; i++)
        wanted += goals[i] != NULL;
    if (wanted != 1 || by_class != (flags->class_name != NULL))
        return "decide wants --costs, --none, or --class and one of --sensitivity, --specificity, "
               "--precision and --threshold";
    if (arguments != (flags->none ? 1 : 2))
        return flags->none ? "decide --none wants a model" : "decide wants a model and a data set";
    return NULL;
}

int cli_decide(ic_context *context, const cli_command *command, int count, char **arguments)
{
    decide_flags given = {.split = "validation"};
    const cli_flag flags[] = {{"class", &given.class_name, NULL},
                              {"sensitivity", &given.sensitivity, NULL},
                              {"specificity", &given.specificity, NULL},
                              {"precision", &given.precision, NULL},
                              {"threshold", &given.threshold, NULL},
                              {"costs", &given.costs, NULL},
                              {"split", &given.split, NULL},
                              {"out", &given.out, NULL},
                              {"none", NULL, &given.none},
                              {NULL, NULL, NULL}};
    ic_options *options = NULL;
    int code;
    int rest = cli_parse(context, command, flags, count, arguments, &options, &code);
    if (rest < 0)
        return code;
    const char *fault = find_fault(&given, rest);
    if (fault != NULL)
        code = cli_usage(command, fault);
    else if (given.none)
        code = forget(context, arguments[0], &given);
    else
        code = decide(context, arguments, options, &given);
    ic_options_free(options);
    return code;
}

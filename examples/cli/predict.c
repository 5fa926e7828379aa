/* cli/predict.c: imgcls predict. SPDX-License-Identifier: MIT */
#include "commands.h"
#include "model.h"
#include "output.h"
#include "pictures.h"

#include <stdlib.h>
#include <string.h>

enum { MODELS_MAX = 16, TOP = 5 };

/* The models that are asked together; of one they are the whole ensemble. */
typedef struct ensemble {
    ic_model *models[MODELS_MAX];
    int32_t count;
} ensemble;

/* The class to act on by the costs in the model; NULL: it has none. */
static const char *decide(const ic_model *model, const ic_prediction *prediction)
{
    const float *probabilities;
    int32_t index;
    if (ic_prediction_probabilities(prediction, 0, &probabilities, NULL) < 0 ||
        ic_model_decide(model, probabilities, &index) < 0)
        return NULL;
    return ic_model_class_name(model, index);
}

static void print_json(const ic_model *model, const ic_prediction *prediction, const char *file,
                       int32_t top)
{
    float spread = 0;
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
    ic_prediction_spread(prediction, 0, &spread);
    printf("],\"spread\":%.9g", (double)spread);
    const char *decision = decide(model, prediction);
    printf(",\"decision\":");
    if (decision != NULL)
        cli_json_text(stdout, decision);
    else
        printf("null");
    putchar(',');
    cli_json_unknown(prediction);
    puts("}");
}

static void print_text(const ic_model *model, const ic_prediction *prediction, const char *file,
                       int32_t top)
{
    float spread = 0;
    cli_print_text(stdout, file, 0);
    fputs(": ", stdout);
    cli_print_unknown(prediction);
    ic_prediction_spread(prediction, 0, &spread);
    for (int32_t rank = 0; rank < top; rank++) {
        int32_t index = 0;
        float probability = 0;
        ic_prediction_class(prediction, rank, &index, &probability);
        fputs(rank > 0 ? ", " : "", stdout);
        cli_print_text(stdout, ic_model_class_name(model, index), 0);
        printf(" %.1f", 100 * (double)probability);
        if (rank == 0 && spread > 0)
            printf(" +- %.1f", 100 * (double)spread);
        fputs(" %", stdout);
    }
    const char *decision = decide(model, prediction);
    if (decision != NULL) {
        fputs("; to act on: ", stdout);
        cli_print_text(stdout, decision, 0);
    }
    putchar('\n');
}

/* The most probable class alone; what is not known is empty. */
static void print_csv(const ic_model *model, const ic_prediction *prediction, const char *file,
                      int32_t top)
{
    float score = 0, threshold = 0, probability = 0;
    int32_t index = 0;
    const char *decision = decide(model, prediction);
    (void)top;
    ic_prediction_class(prediction, 0, &index, &probability);
    cli_csv_text(stdout, file);
    putchar(',');
    cli_csv_text(stdout, ic_model_class_name(model, index));
    printf(",%.9g,", (double)probability);
    if (ic_prediction_unknown(prediction, 0, &score, &threshold) >= 0)
        fputs(score > threshold ? "true" : "false", stdout);
    putchar(',');
    cli_csv_text(stdout, decision != NULL ? decision : "");
    putchar('\n');
}

/* Such a picture keeps its row. */
static void print_csv_error(const char *file)
{
    cli_csv_text(stdout, file);
    puts(",,,,");
}

static void print_no_error(const char *file)
{
    (void)file; /* standard error has it */
}

/* How predictions are written. */
typedef struct form {
    const char *heading;
    void (*found)(const ic_model *model, const ic_prediction *prediction, const char *file,
                  int32_t top);
    void (*failed)(const char *file); /* ic_last_error() says why */
} form;

static const form text_form = {"", print_text, print_no_error};
static const form json_form = {"", print_json, cli_json_error};
static const form csv_form = {"path,class,probability,unknown,decision\n", print_csv,
                              print_csv_error};

/* One file; a failure is told and the next ones still come. */
static int predict_file(ic_context *context, const ensemble *asked, ic_prediction *prediction,
                        const char *file, int32_t top, const form *as)
{
    ic_image *image = NULL;
    ic_status status = asked->count == 1 ? ic_model_load_image(asked->models[0], file, &image)
                                         : ic_image_load(context, file, &image);
    if (status >= 0)
        status = ic_predict_ensemble((const ic_model *const *)asked->models, asked->count,
                                     (const ic_image *const *)&image, 1, prediction);
    ic_image_free(image);
    if (status < 0) {
        as->failed(file);
        return cli_failed();
    }
    as->found(asked->models[0], prediction, file, top);
    return EXIT_DONE;
}

static int is_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file != NULL)
        fclose(file);
    return file != NULL;
}

/* Where the first file of a list ends: at a comma, or NULL at its end. Commas may be part of a
 * file's name. Writes over the text. */
static char *end_of_first(char *paths)
{
    char *first = strchr(paths, ',');
    for (char *comma = first; comma != NULL; comma = strchr(comma + 1, ',')) {
        *comma = '\0';
        if (is_file(paths))
            return comma;
        *comma = ',';
    }
    return is_file(paths) ? NULL : first;
}

/* MODEL[,MODEL...], and the argument behind */
static int load_models(ic_context *context, const cli_command *command, char *paths,
                       const char *other, ensemble *asked)
{
    while (paths != NULL) {
        char *comma = end_of_first(paths);
        if (comma != NULL)
            *comma++ = '\0';
        if (asked->count == MODELS_MAX)
            return cli_usage(command, "predict takes up to 16 models");
        if (cli_load_model(context, paths, other, &asked->models[asked->count]) != EXIT_DONE)
            return EXIT_FAILED;
        asked->count++;
        paths = comma;
    }
    return EXIT_DONE;
}

/* A number from 1; 0: none. */
static long number(const char *text)
{
    char *end;
    long value = strtol(text, &end, 10);
    return *end == '\0' && value >= 1 && value <= INT32_MAX ? value : 0;
}

typedef struct predict_flags {
    const char *top, *views; /* top NULL: not given */
    int json, csv;
} predict_flags;

static int predict_all(ic_context *context, const ensemble *asked, const predict_flags *given,
                       const cli_pictures *pictures)
{
    const form *as = given->json ? &json_form : given->csv ? &csv_form : &text_form;
    long top = given->top != NULL ? number(given->top) : TOP;
    int32_t classes = ic_model_class_count(asked->models[0]);
    ic_prediction *prediction = NULL;
    int code = EXIT_DONE;
    if (ic_prediction_create(context, &prediction) < 0 ||
        ic_prediction_set_views(prediction, (int32_t)number(given->views)) < 0) {
        ic_prediction_free(prediction);
        return cli_failed();
    }
    fputs(as->heading, stdout);
    for (size_t i = 0; i < pictures->count; i++)
        if (predict_file(context, asked, prediction, pictures->list[i].path,
                         top < classes ? (int32_t)top : classes, as) != EXIT_DONE)
            code = EXIT_FAILED;
    ic_prediction_free(prediction);
    return code;
}

/* What is wrong with what was asked for; NULL: nothing. */
static const char *find_fault(const predict_flags *given, int arguments)
{
    long views = number(given->views);
    if (given->top != NULL && number(given->top) == 0)
        return "--top takes a number from 1";
    if (views != 1 && views != 2 && views != 6)
        return "--views takes 1|2|6";
    if (given->csv && given->json)
        return "--json and --csv are two forms: take one of them";
    if (given->csv && given->top != NULL)
        return "--csv has the most probable class alone: --top is for the other forms";
    return arguments < 2 ? "predict wants a model and pictures" : NULL;
}

int cli_predict(ic_context *context, const cli_command *command, int count, char **arguments)
{
    predict_flags given = {NULL, "1", 0, 0};
    const cli_flag flags[] = {{"top", &given.top, NULL},
                              {"views", &given.views, NULL},
                              {"json", NULL, &given.json},
                              {"csv", NULL, &given.csv},
                              {NULL, NULL, NULL}};
    ic_options *options = NULL;
    int code;
    int rest = cli_parse(context, command, flags, count, arguments, &options, &code);
    if (rest < 0)
        return code;
    ic_options_free(options);
    const char *fault = find_fault(&given, rest);
    if (fault != NULL)
        return cli_usage(command, fault);

    ensemble asked = {.count = 0};
    cli_pictures pictures = {.count = 0};
    int gathered = cli_pictures_gather(arguments + 1, rest - 1, &pictures);
    code = load_models(context, command, arguments[0], arguments[1], &asked);
    if (code == EXIT_DONE)
        code = predict_all(context, &asked, &given, &pictures);
    for (int32_t i = 0; i < asked.count; i++)
        ic_model_free(asked.models[i]);
    cli_pictures_free(&pictures);
    return code != EXIT_DONE ? code : gathered;
}

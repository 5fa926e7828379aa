/* cli/predict.c: imgcls predict. SPDX-License-Identifier: MIT */
#include "commands.h"
#include "model.h"
#include "output.h"

#include <stdlib.h>
#include <string.h>

enum { MODELS_MAX = 16 };

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
    float score = 0, threshold = 0, spread = 0;
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
    if (decision != NULL) {
        printf(",\"decision\":");
        cli_json_text(stdout, decision);
    }
    if (ic_prediction_unknown(prediction, 0, &score, &threshold) < 0)
        printf(",\"unknown\":null,\"score\":null,\"threshold\":null}\n");
    else
        printf(",\"unknown\":%s,\"score\":%.9g,\"threshold\":%.9g}\n",
               score > threshold ? "true" : "false", (double)score, (double)threshold);
}

static void print_text(const ic_model *model, const ic_prediction *prediction, const char *file,
                       int32_t top)
{
    float score = 0, threshold = 0, spread = 0;
    cli_print_text(stdout, file, 0);
    putchar(':');
    if (ic_prediction_unknown(prediction, 0, &score, &threshold) >= 0 && score > threshold)
        printf(" unknown (looks like none of the training pictures: score %.1f, beyond %.1f); else",
               (double)score, (double)threshold);
    ic_prediction_spread(prediction, 0, &spread);
    for (int32_t rank = 0; rank < top; rank++) {
        int32_t index = 0;
        float probability = 0;
        ic_prediction_class(prediction, rank, &index, &probability);
        fputs(rank > 0 ? ", " : " ", stdout);
        cli_print_text(stdout, ic_model_class_name(model, index), 0);
        printf(" %.1f", 100 * (double)probability);
        if (rank == 0 && spread > 0)
            printf(" +- %.1f", 100 * (double)spread);
        fputs(" %", stdout);
    }
    const char *decision = decide(model, prediction);
    if (decision != NULL) {
        fputs("; by its costs: ", stdout);
        cli_print_text(stdout, decision, 0);
    }
    putchar('\n');
}

/* One file; a failure is told and the next ones still come. */
static int predict_file(ic_context *context, const ensemble *asked, ic_prediction *prediction,
                        const char *file, int32_t top, int json)
{
    ic_image *image = NULL;
    ic_status status = ic_image_load(context, file, &image);
    if (status >= 0)
        status = ic_predict_ensemble((const ic_model *const *)asked->models, asked->count,
                                     (const ic_image *const *)&image, 1, prediction);
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
    (json ? print_json : print_text)(asked->models[0], prediction, file, top);
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

    ensemble asked = {.count = 0};
    ic_prediction *prediction = NULL;
    code = load_models(context, command, arguments[0], arguments[1], &asked);
    if (code == EXIT_DONE && (ic_prediction_create(context, &prediction) < 0 ||
                              ic_prediction_set_views(prediction, (int32_t)views) < 0))
        code = cli_failed();
    if (code != EXIT_DONE)
        rest = 0;
    else if (top > ic_model_class_count(asked.models[0]))
        top = ic_model_class_count(asked.models[0]);
    for (int i = 1; i < rest; i++)
        if (predict_file(context, &asked, prediction, arguments[i], (int32_t)top, json) !=
            EXIT_DONE)
            code = EXIT_FAILED;
    ic_prediction_free(prediction);
    for (int32_t i = 0; i < asked.count; i++)
        ic_model_free(asked.models[i]);
    return code;
}

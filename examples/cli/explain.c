/* cli/explain.c: imgcls explain. SPDX-License-Identifier: MIT */
#include "commands.h"
#include "heat_maps.h"
#include "model.h"
#include "output.h"
#include "pictures.h"

#include <stdlib.h>
#include <string.h>

enum { NEAREST = 5 };

/* What all pictures are explained with. */
typedef struct explaining {
    ic_context *context;
    const ic_options *options;
    ic_model *model;
    ic_prediction *prediction;
    ic_dataset *dataset; /* of --nearest; NULL: not wanted */
    ic_neighbours *neighbours;
    int json;
} explaining;

/* What is told of one picture. */
typedef struct finding {
    const char *file, *out; /* out NULL: no heat map was wanted */
    const char *class_name, *method;
    double probability;
    int32_t x, y;          /* of the hottest pixel; -1: nothing speaks for the class */
    int32_t width, height; /* of the picture as the model loads it */
    int32_t nearest_count;
    int64_t nearest[NEAREST];
    float similarity[NEAREST];
} finding;

/* One picture of --nearest: its file and class. */
static const char *nearest_file(const explaining *e, const finding *f, int32_t rank,
                                const char **class_name)
{
    const char *origin = "";
    int32_t index = 0;
    ic_dataset_item(e->dataset, f->nearest[rank], &origin, &index);
    ic_dataset_class(e->dataset, index, class_name, NULL);
    return origin;
}

static void print_nearest(const explaining *e, const finding *f)
{
    for (int32_t i = 0; i < f->nearest_count; i++) {
        const char *class_name = "", *file = nearest_file(e, f, i, &class_name);
        printf("    like %.3f  ", (double)f->similarity[i]);
        cli_print_text(stdout, class_name, 16);
        putchar(' ');
        cli_print_path(stdout, file);
        putchar('\n');
    }
}

static void print_nearest_json(const explaining *e, const finding *f)
{
    printf(",\"nearest\":[");
    for (int32_t i = 0; i < f->nearest_count; i++) {
        const char *class_name = "", *file = nearest_file(e, f, i, &class_name);
        printf("%s{\"file\":", i > 0 ? "," : "");
        cli_json_text(stdout, file);
        printf(",\"class\":");
        cli_json_text(stdout, class_name);
        printf(",\"similarity\":%.9g}", (double)f->similarity[i]);
    }
    putchar(']');
}

static void print_json(const explaining *e, const finding *f)
{
    printf("{\"file\":");
    cli_json_text(stdout, f->file);
    printf(",\"class\":");
    cli_json_text(stdout, f->class_name);
    printf(",\"probability\":%.9g,", f->probability);
    cli_json_unknown(e->prediction);
    printf(",\"method\":\"%s\",\"width\":%d,\"height\":%d,\"hottest\":", f->method, (int)f->width,
           (int)f->height);
    if (f->x >= 0)
        printf("{\"x\":%d,\"y\":%d}", (int)f->x, (int)f->y);
    else
        printf("null");
    if (f->out != NULL) {
        printf(",\"out\":");
        cli_json_text(stdout, f->out);
    }
    if (e->neighbours != NULL)
        print_nearest_json(e, f);
    printf("}\n");
}

static void print_text(const explaining *e, const finding *f)
{
    cli_print_text(stdout, f->file, 0);
    fputs(": ", stdout);
    cli_print_unknown(e->prediction);
    cli_print_text(stdout, f->class_name, 0);
    printf(" %.1f %%, ", 100 * f->probability);
    if (f->x >= 0)
        printf("mostly by what is around %d,%d of %dx%d", (int)f->x, (int)f->y, (int)f->width,
               (int)f->height);
    else
        printf("but nothing in it speaks for that");
    printf(" (%s)", f->method);
    if (f->out != NULL) {
        fputs(": ", stdout);
        cli_print_path(stdout, f->out);
    }
    putchar('\n');
    print_nearest(e, f);
}

static void find_hottest(ic_explanation *explanation, finding *f)
{
    const float *values;
    float most = 0;
    f->x = f->y = -1;
    if (ic_explanation_map(explanation, &values, &f->width, &f->height) < 0)
        return;
    for (int32_t y = 0; y < f->height; y++)
        for (int32_t x = 0; x < f->width; x++, values++)
            if (*values > most) {
                most = *values;
                f->x = x;
                f->y = y;
            }
}

static ic_status draw(const ic_explanation *explanation, const char *out)
{
    ic_image *image = NULL;
    ic_status status = ic_explanation_image(explanation, &image);
    if (status >= 0)
        status = ic_image_save_png(image, out);
    ic_image_free(image);
    return status;
}

/* One file; a failure is told and the next ones still come. */
static int explain_file(const explaining *e, const char *file, const char *out)
{
    finding f = {.file = file, .out = out};
    float probability = 0;
    int32_t index = 0;
    ic_image *image = NULL;
    ic_explanation *explanation = NULL;
    ic_status status = ic_model_load_image(e->model, file, &image);
    if (status >= 0)
        status = ic_predict(e->model, image, e->prediction);
    if (status >= 0)
        status = ic_explain(e->model, image, e->options, &explanation);
    if (status >= 0 && e->neighbours != NULL)
        status = ic_neighbours_find(e->neighbours, image, NEAREST, f.nearest, f.similarity,
                                    &f.nearest_count);
    if (status >= 0 && out != NULL)
        status = draw(explanation, out);
    cli_clear_line();
    if (status >= 0) {
        ic_explanation_class(explanation, &index, &probability);
        f.class_name = ic_model_class_name(e->model, index);
        f.method = ic_explanation_method(explanation);
        f.probability = (double)probability;
        find_hottest(explanation, &f);
        (e->json ? print_json : print_text)(e, &f);
    }
    ic_explanation_free(explanation);
    ic_image_free(image);
    if (status < 0 && e->json)
        cli_json_error(file);
    return status < 0 ? cli_failed() : EXIT_DONE;
}

/* The pictures to look for the like of others among: of training, where parts are declared. */
static ic_status open_nearest(explaining *e, const char *nearest)
{
    ic_dataset *all = NULL;
    ic_status status = ic_dataset_open(e->context, nearest, e->options, &all);
    if (status >= 0)
        status = ic_dataset_part(all, "train", &e->dataset);
    if (status == IC_ERROR_NOT_FOUND && all != NULL) {
        e->dataset = all;
        all = NULL;
        status = IC_OK;
    }
    if (status >= 0)
        status = ic_neighbours_create(e->model, e->dataset, &e->neighbours);
    ic_dataset_free(all);
    return status;
}

/* The model, and the class to explain ("": of each picture its own); returns the exit code. */
static int load(explaining *e, char **arguments, const char *class_name)
{
    int code = cli_load_model(e->context, arguments[0], arguments[1], &e->model);
    if (code == EXIT_DONE && *class_name != '\0' && cli_find_class(e->model, class_name) < 0)
        return cli_no_class("", e->model, class_name);
    return code;
}

static void end(explaining *e)
{
    ic_neighbours_free(e->neighbours);
    ic_prediction_free(e->prediction);
    ic_dataset_free(e->dataset);
    ic_model_free(e->model);
}

static int explain_all(const explaining *e, const cli_pictures *pictures, const char *out)
{
    int code = EXIT_DONE;
    for (size_t i = 0; i < pictures->count; i++) {
        const cli_picture *picture = &pictures->list[i];
        if (cli_interrupted())
            return cli_complain("stopped before ", picture->path);
        char *place = out != NULL ? cli_heat_map_path(out, picture) : NULL;
        if ((out != NULL && place == NULL) || explain_file(e, picture->path, place) != EXIT_DONE)
            code = EXIT_FAILED;
        free(place);
    }
    return code;
}

typedef struct explain_flags {
    const char *out, *nearest, *class_name;
} explain_flags;

static int explain(explaining *e, const cli_command *command, int count, char **arguments,
                   const explain_flags *flags)
{
    cli_pictures pictures = {.count = 0};
    int gathered = cli_pictures_gather(arguments + 1, count - 1, &pictures);
    int code = load(e, arguments, flags->class_name);
    if (code == EXIT_DONE)
        code = cli_heat_maps_begin(command, flags->out, &pictures);
    cli_catch_interrupt();
    if (code == EXIT_DONE && flags->nearest != NULL && open_nearest(e, flags->nearest) < 0)
        code = cli_failed();
    if (code == EXIT_DONE && ic_prediction_create(e->context, &e->prediction) < 0)
        code = cli_failed();
    if (code == EXIT_DONE)
        code = explain_all(e, &pictures, flags->out);
    if (code == EXIT_DONE && flags->out == NULL && !e->json)
        fputs("--out FILE.png draws what speaks for the class\n", stderr);
    cli_pictures_free(&pictures);
    return code != EXIT_DONE ? code : gathered;
}

int cli_explain(ic_context *context, const cli_command *command, int count, char **arguments)
{
    explain_flags given = {NULL, NULL, ""};
    explaining e = {.context = context};
    const cli_flag flags[] = {{"out", &given.out, NULL},
                              {"class", &given.class_name, NULL},
                              {"nearest", &given.nearest, NULL},
                              {"json", NULL, &e.json},
                              {NULL, NULL, NULL}};
    ic_options *options = NULL;
    int code;
    int rest = cli_parse(context, command, flags, count, arguments, &options, &code);
    if (rest < 0)
        return code;
    e.options = options;
    if (rest < 2)
        code = cli_usage(command, "explain wants a model and pictures");
    else if (ic_options_set_text(options, "class", given.class_name) < 0)
        code = cli_failed();
    else
        code = explain(&e, command, rest, arguments, &given);
    end(&e);
    ic_options_free(options);
    return code;
}

/* cli/explain.c: imgcls explain. SPDX-License-Identifier: MIT */
#include "commands.h"
#include "model.h"
#include "output.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { NEAREST = 5 };

/* What all pictures are explained with. */
typedef struct explaining {
    ic_context *context;
    const ic_options *options;
    ic_model *model;
    ic_dataset *dataset; /* of --nearest; NULL: not wanted */
    ic_neighbours *neighbours;
    int json;
} explaining;

/* What is told of one picture. */
typedef struct finding {
    const char *file, *out; /* out NULL: no heat map was wanted */
    const char *class_name, *method;
    double probability;
    int32_t x, y; /* of the hottest pixel; -1: nothing speaks for the class */
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
    printf(",\"probability\":%.9g,\"method\":\"%s\",\"hottest\":", f->probability, f->method);
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

static void print_json_error(const char *file)
{
    printf("{\"file\":");
    cli_json_text(stdout, file);
    printf(",\"error\":");
    cli_json_text(stdout, ic_last_error());
    printf("}\n");
}

static void print_text(const explaining *e, const finding *f)
{
    cli_print_text(stdout, f->file, 0);
    fputs(": ", stdout);
    cli_print_text(stdout, f->class_name, 0);
    printf(" %.1f %%, ", 100 * f->probability);
    if (f->x >= 0)
        printf("mostly by what is around %d,%d", (int)f->x, (int)f->y);
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
    int32_t width, height;
    float most = 0;
    f->x = f->y = -1;
    if (ic_explanation_map(explanation, &values, &width, &height) < 0)
        return;
    for (int32_t y = 0; y < height; y++)
        for (int32_t x = 0; x < width; x++, values++)
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
    ic_status status = ic_image_load(e->context, file, &image);
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
        print_json_error(file);
    return status < 0 ? cli_failed() : EXIT_DONE;
}

/* ---- Where heat maps go ---- */

static int is_folder(const char *path)
{
    struct stat facts;
    return stat(path, &facts) == 0 && S_ISDIR(facts.st_mode);
}

/* The name of a file without folder and ending, and its length. */
static const char *stem_of(const char *file, int *length)
{
    const char *slash = strrchr(file, '/');
    const char *name = slash != NULL ? slash + 1 : file, *dot = strrchr(name, '.');
    *length = dot != NULL && dot > name ? (int)(dot - name) : (int)strlen(name);
    return name;
}

/* folder/stem.heat.png, to be freed; NULL: no memory. */
static char *path_in(const char *folder, const char *file)
{
    static const char ending[] = ".heat.png";
    int length;
    const char *stem = stem_of(file, &length);
    size_t size = strlen(folder) + 1 + (size_t)length + sizeof ending;
    char *path = malloc(size);
    if (path != NULL)
        snprintf(path, size, "%s/%.*s%s", folder, length, stem, ending);
    return path;
}

/* Two files whose heat maps would have one name; 0: there are none. */
static int names_meet(char **files, int count)
{
    for (int i = 0; i < count; i++)
        for (int k = 0; k < i; k++) {
            int a, b;
            const char *one = stem_of(files[i], &a), *other = stem_of(files[k], &b);
            if (a == b && strncmp(one, other, (size_t)a) == 0)
                return 1;
        }
    return 0;
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

/* The model, its class ("": of each picture its own) and --nearest; returns the exit code. */
static int begin(explaining *e, char **arguments, const char *class_name, const char *nearest)
{
    int code = cli_load_model(e->context, arguments[0], arguments[1], &e->model);
    if (code == EXIT_DONE && *class_name != '\0' && cli_find_class(e->model, class_name) < 0)
        return cli_no_class("", e->model, class_name);
    if (code == EXIT_DONE && nearest != NULL && open_nearest(e, nearest) < 0)
        return cli_failed();
    return code;
}

static void end(explaining *e)
{
    ic_neighbours_free(e->neighbours);
    ic_dataset_free(e->dataset);
    ic_model_free(e->model);
}

static int explain_all(const explaining *e, char **files, int count, const char *out)
{
    int code = EXIT_DONE, folder = out != NULL && is_folder(out);
    for (int i = 0; i < count; i++) {
        if (cli_interrupted())
            return cli_complain("stopped before ", files[i]);
        char *made = folder ? path_in(out, files[i]) : NULL;
        if (explain_file(e, files[i], folder ? made : out) != EXIT_DONE)
            code = EXIT_FAILED;
        free(made);
    }
    return code;
}

int cli_explain(ic_context *context, const cli_command *command, int count, char **arguments)
{
    const char *out = NULL, *nearest = NULL, *class_name = "";
    explaining e = {.context = context};
    const cli_flag flags[] = {{"out", &out, NULL},
                              {"class", &class_name, NULL},
                              {"nearest", &nearest, NULL},
                              {"json", NULL, &e.json},
                              {NULL, NULL, NULL}};
    ic_options *options = NULL;
    int code;
    int rest = cli_parse(context, command, flags, count, arguments, &options, &code);
    if (rest < 0)
        return code;
    if (rest < 2)
        code = cli_usage(command, "explain wants a model and pictures");
    else if (out != NULL && rest > 2 && !is_folder(out))
        code = cli_usage(command, "--out of several pictures is a folder that is there");
    else if (out != NULL && is_folder(out) && names_meet(arguments + 1, rest - 1))
        code = cli_usage(command, "two of the pictures have one name, and so would their heat "
                                  "maps: explain them one by one");
    else if (ic_options_set_text(options, "class", class_name) < 0)
        code = cli_failed();
    else {
        e.options = options;
        cli_catch_interrupt();
        code = begin(&e, arguments, class_name, nearest);
        if (code == EXIT_DONE)
            code = explain_all(&e, arguments + 1, rest - 1, out);
        end(&e);
    }
    ic_options_free(options);
    return code;
}

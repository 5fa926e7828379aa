/* cli/explain.c: imgcls explain. SPDX-License-Identifier: MIT */
#include "commands.h"
#include "output.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* What is told of one picture. */
typedef struct finding {
    const char *file, *out; /* out NULL: no heat map was wanted */
    const char *class_name, *method;
    double probability;
    int32_t x, y; /* of the hottest pixel; -1: nothing speaks for the class */
} finding;

static void print_json(const finding *f)
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

static void print_text(const finding *f)
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
static int explain_file(ic_context *context, const ic_model *model, const ic_options *options,
                        const char *file, const char *out, int json)
{
    finding f = {.file = file, .out = out};
    float probability = 0;
    int32_t index = 0;
    ic_image *image = NULL;
    ic_explanation *explanation = NULL;
    ic_status status = ic_image_load(context, file, &image);
    if (status >= 0)
        status = ic_explain(model, image, options, &explanation);
    if (status >= 0 && out != NULL)
        status = draw(explanation, out);
    cli_clear_line();
    if (status >= 0) {
        ic_explanation_class(explanation, &index, &probability);
        f.class_name = ic_model_class_name(model, index);
        f.method = ic_explanation_method(explanation);
        f.probability = (double)probability;
        find_hottest(explanation, &f);
        (json ? print_json : print_text)(&f);
    }
    ic_explanation_free(explanation);
    ic_image_free(image);
    if (status < 0 && json)
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

static int explain_all(ic_context *context, const ic_options *options, const char *model_path,
                       char **files, int count, const char *out, int json)
{
    ic_model *model = NULL;
    int code = EXIT_DONE, folder = out != NULL && is_folder(out);
    if (ic_model_load(context, model_path, &model) < 0)
        return cli_failed();
    cli_catch_interrupt();
    for (int i = 0; i < count && !cli_interrupted(); i++) {
        char *made = folder ? path_in(out, files[i]) : NULL;
        if (explain_file(context, model, options, files[i], folder ? made : out, json) != EXIT_DONE)
            code = EXIT_FAILED;
        free(made);
    }
    ic_model_free(model);
    return code;
}

int cli_explain(ic_context *context, const cli_command *command, int count, char **arguments)
{
    const char *out = NULL;
    int json = 0;
    const cli_flag flags[] = {{"out", &out, NULL}, {"json", NULL, &json}, {NULL, NULL, NULL}};
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
    else
        code = explain_all(context, options, arguments[0], arguments + 1, rest - 1, out, json);
    ic_options_free(options);
    return code;
}

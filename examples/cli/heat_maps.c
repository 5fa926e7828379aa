/* cli/heat_maps.c: where imgcls explain draws. SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "heat_maps.h"
#include "output.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Where a picture lies below what was given, without its ending, and the length of that. */
static const char *stem_of(const cli_picture *picture, size_t *length)
{
    const char *below = picture->path + picture->below, *slash = strrchr(below, '/');
    const char *name = slash != NULL ? slash + 1 : below, *dot = strrchr(name, '.');
    *length = dot != NULL && dot > name ? (size_t)(dot - below) : strlen(below);
    return below;
}

/* ---- Two pictures of one name ---- */

static int by_stem(const void *a, const void *b)
{
    const cli_picture *const *x = a, *const *y = b;
    size_t one, other;
    const char *first = stem_of(*x, &one), *second = stem_of(*y, &other);
    int order = memcmp(first, second, one < other ? one : other);
    return order != 0 ? order : (one > other) - (one < other);
}

static int tell_meeting(const cli_picture *one, const cli_picture *other)
{
    fputs("imgcls: ", stderr);
    cli_print_text(stderr, one->path, 0);
    fputs(" and ", stderr);
    cli_print_text(stderr, other->path, 0);
    fputs(" have one name, and so would their heat maps: explain them one by one\n", stderr);
    return EXIT_USAGE;
}

/* Heat maps must not be written over one another. */
static int check_names(const cli_pictures *pictures)
{
    int code = EXIT_DONE;
    const cli_picture **sorted = malloc((pictures->count + 1) * sizeof(const cli_picture *));
    if (sorted == NULL)
        return cli_complain("out of memory", "");
    for (size_t i = 0; i < pictures->count; i++)
        sorted[i] = &pictures->list[i];
    qsort(sorted, pictures->count, sizeof(const cli_picture *), by_stem);
    for (size_t i = 1; i < pictures->count && code == EXIT_DONE; i++)
        if (by_stem(&sorted[i - 1], &sorted[i]) == 0)
            code = tell_meeting(sorted[i - 1], sorted[i]);
    free(sorted);
    return code;
}

/* ---- Folders ---- */

static int make_folder(const char *path)
{
    if (mkdir(path, 0777) == 0 || (errno == EEXIST && cli_is_folder(path)))
        return EXIT_DONE;
    int why = errno;
    fputs("imgcls: cannot make the folder ", stderr);
    cli_print_text(stderr, path, 0);
    fprintf(stderr, ": %s; choose another place with --out\n", strerror(why));
    return EXIT_FAILED;
}

int cli_heat_maps_begin(const cli_command *command, const char *out, const cli_pictures *pictures)
{
    struct stat facts;
    if (out == NULL || pictures->count == 0)
        return EXIT_DONE;
    if (pictures->one_file && !cli_is_folder(out))
        return cli_can_draw(out, "out") ? EXIT_DONE : EXIT_FAILED;
    if (!cli_is_folder(out) && (stat(out, &facts) == 0 || cli_ends(out, ".png")))
        return cli_usage(command, "--out of several pictures is a folder");
    int code = check_names(pictures);
    return code == EXIT_DONE ? make_folder(out) : code;
}

/* The folders between out, which is there, and a file below it. */
static int make_folders(char *path, size_t out)
{
    int code = EXIT_DONE;
    for (char *slash = strchr(path + out + 1, '/'); slash != NULL && code == EXIT_DONE;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        code = make_folder(path);
        *slash = '/';
    }
    return code;
}

char *cli_heat_map_path(const char *out, const cli_picture *picture)
{
    static const char ending[] = ".heat.png";
    size_t length = strlen(out), stem_length;
    const char *stem = stem_of(picture, &stem_length);
    size_t size = length + 1 + stem_length + sizeof ending;
    char *path = malloc(size);
    if (path == NULL) {
        cli_complain("out of memory", "");
    } else if (!cli_is_folder(out)) {
        memcpy(path, out, length + 1);
    } else {
        snprintf(path, size, "%s%s%.*s%s", out, out[length - 1] == '/' ? "" : "/", (int)stem_length,
                 stem, ending);
        if (make_folders(path, length) != EXIT_DONE) {
            free(path);
            path = NULL;
        }
    }
    return path;
}

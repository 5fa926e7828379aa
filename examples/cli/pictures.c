/* cli/pictures.c: the pictures that a command line names: files, folders, a list on standard input.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "pictures.h"
#include "output.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A folder on the way down to another. */
typedef struct level {
    dev_t device;
    ino_t file;
    const struct level *above;
} level;

/* Takes the path; returns the exit code. */
static int add(cli_pictures *pictures, char *path, size_t below)
{
    if (path != NULL && pictures->count == pictures->capacity) {
        size_t capacity = 2 * pictures->capacity + 64;
        cli_picture *list = realloc(pictures->list, capacity * sizeof *list);
        if (list != NULL) {
            pictures->list = list;
            pictures->capacity = capacity;
        }
    }
    if (path == NULL || pictures->count == pictures->capacity) {
        free(path);
        return cli_complain("out of memory", "");
    }
    pictures->list[pictures->count++] = (cli_picture){path, below};
    return EXIT_DONE;
}

static int add_file(cli_pictures *pictures, const char *path)
{
    const char *slash = strrchr(path, '/');
    return add(pictures, strdup(path), slash != NULL ? (size_t)(slash + 1 - path) : 0);
}

/* ---- Folders ---- */

static int cannot_read(const char *folder)
{
    int why = errno;
    fputs("imgcls: cannot read the folder ", stderr);
    cli_print_text(stderr, folder, 0);
    fprintf(stderr, ": %s\n", strerror(why));
    return EXIT_FAILED;
}

static int is_shown(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int ends_with_one(const char *name, const char *const *ends)
{
    while (*ends != NULL && !cli_ends(name, *ends))
        ends++;
    return *ends != NULL;
}

static int is_picture(const char *name)
{
    static const char *const ends[] = {".jpg", ".jpeg", ".jpe", ".jfif", ".png", NULL};
    return ends_with_one(name, ends);
}

static int is_of_another_kind(const char *name)
{
    static const char *const ends[] = {".webp", ".bmp",  ".gif",  ".tif",
                                       ".tiff", ".heic", ".avif", NULL};
    return ends_with_one(name, ends);
}

static char *join(const char *folder, const char *name)
{
    size_t length = strlen(folder), size = length + strlen(name) + 2;
    char *path = malloc(size);
    if (path != NULL)
        snprintf(path, size, "%s%s%s", folder, folder[length - 1] == '/' ? "" : "/", name);
    return path;
}

static int walk(cli_pictures *pictures, const char *folder, size_t below, const level *above);

static int take_entry(cli_pictures *pictures, const char *folder, size_t below, const char *name,
                      const level *here)
{
    char *path = join(folder, name);
    if (path != NULL && cli_is_folder(path)) {
        int code = walk(pictures, path, below, here);
        free(path);
        return code;
    }
    if (path == NULL || is_picture(name))
        return add(pictures, path, below);
    if (is_of_another_kind(name) && pictures->passed_over++ == 0)
        snprintf(pictures->example, sizeof pictures->example, "%s", path);
    free(path);
    return EXIT_DONE;
}

/* The pictures in a folder and below; a link back to a folder that is walked already is left out.
 */
static int walk(cli_pictures *pictures, const char *folder, size_t below, const level *above)
{
    struct stat facts;
    struct dirent **entries;
    if (stat(folder, &facts) != 0)
        return cannot_read(folder);
    for (const level *l = above; l != NULL; l = l->above)
        if (l->device == facts.st_dev && l->file == facts.st_ino)
            return EXIT_DONE;
    const level here = {facts.st_dev, facts.st_ino, above};
    int code = EXIT_DONE, count = scandir(folder, &entries, is_shown, by_name);
    if (count < 0)
        return cannot_read(folder);
    for (int i = 0; i < count; i++) {
        if (take_entry(pictures, folder, below, entries[i]->d_name, &here) != EXIT_DONE)
            code = EXIT_FAILED;
        free(entries[i]);
    }
    free(entries);
    return code;
}

static void tell_passed_over(const cli_pictures *pictures, const char *folder)
{
    cli_print_path(stderr, folder);
    fprintf(stderr, ": %lld picture%s of other formats, such as ", (long long)pictures->passed_over,
            pictures->passed_over == 1 ? "" : "s");
    cli_print_path(stderr, pictures->example);
    fputs(", passed over: make JPEG or PNG of them\n", stderr);
}

static int add_folder(cli_pictures *pictures, const char *folder)
{
    size_t before = pictures->count, length = strlen(folder);
    pictures->passed_over = 0;
    int code = walk(pictures, folder, length + (folder[length - 1] != '/'), NULL);
    if (pictures->passed_over > 0)
        tell_passed_over(pictures, folder);
    if (code == EXIT_DONE && pictures->count == before)
        code = cli_complain("there is no .jpg, .jpeg or .png in or below ", folder);
    return code;
}

/* ---- A list ---- */

static int add_listed(cli_pictures *pictures)
{
    size_t before = pictures->count, size = 0;
    char *line = NULL;
    int code = EXIT_DONE;
    while (getline(&line, &size, stdin) >= 0) {
        size_t length = strcspn(line, "\n");
        length -= length > 0 && line[length - 1] == '\r';
        line[length] = '\0';
        if (*line != '\0' && add_file(pictures, line) != EXIT_DONE)
            code = EXIT_FAILED;
    }
    free(line);
    if (code == EXIT_DONE && pictures->count == before)
        code = cli_complain("standard input names no pictures", "");
    return code;
}

int cli_pictures_gather(char **arguments, int count, cli_pictures *out)
{
    int code = EXIT_DONE;
    for (int i = 0; i < count; i++) {
        int list = strcmp(arguments[i], "-") == 0;
        int folder = !list && cli_is_folder(arguments[i]);
        int done = list     ? add_listed(out)
                   : folder ? add_folder(out, arguments[i])
                            : add_file(out, arguments[i]);
        if (done != EXIT_DONE)
            code = EXIT_FAILED;
        out->one_file = count == 1 && !list && !folder;
    }
    return code;
}

void cli_pictures_free(cli_pictures *pictures)
{
    for (size_t i = 0; i < pictures->count; i++)
        free(pictures->list[i].path);
    free(pictures->list);
}

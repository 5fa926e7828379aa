/* cli/pictures.h: the pictures that a command line names. SPDX-License-Identifier: MIT */
#ifndef CLI_PICTURES_H
#define CLI_PICTURES_H

#include <stddef.h>

typedef struct cli_picture {
    char *path;
    size_t below; /* where what lies below the folder that was given begins; of a file its name */
} cli_picture;

typedef struct cli_pictures {
    cli_picture *list;
    size_t count, capacity;
    int one_file;       /* given by itself, not by a folder or a list */
    size_t passed_over; /* pictures of other formats in the last folder */
    char example[1024]; /* the first of these */
} cli_pictures;

/*
 * Gathers pictures. A file stands for itself, readable or not; a folder for the .jpg, .jpeg, .jpe,
 * .jfif and .png files in it and below, in the order of their names, without hidden ones; "-" for
 * the files that standard input lists, one a line. Links are followed, but not round in circles.
 * What cannot be gathered is told, pictures of other formats in folders, too, and the rest still
 * comes. Returns the exit code.
 */
int cli_pictures_gather(char **arguments, int count, cli_pictures *out);

void cli_pictures_free(cli_pictures *pictures);

#endif

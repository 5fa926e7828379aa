/* cli/train_checkpoint.c: the file from which an interrupted training goes on.
 * SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "training.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { KEPT_MOST = 100 }; /* files that were moved aside */

int cli_checkpoint_choose(cli_training *t, ic_options *options, char *room, size_t size)
{
    if (t->checkpoint == NULL) {
        snprintf(room, size, "%s.checkpoint", t->out);
        t->checkpoint = room;
    }
    if (ic_options_set_text(options, "checkpoint", t->checkpoint) < 0) {
        cli_failed();
        return 0;
    }
    return *t->checkpoint == '\0' || cli_can_write(t->checkpoint, "checkpoint");
}

/* Renames it to PATH.old, .old2, .old3 ..., the first that is free; 0, and errno says why not. */
static int move_aside(const char *path, char *aside, size_t size)
{
    for (int i = 1; i <= KEPT_MOST; i++) {
        char number[12] = "";
        if (i > 1)
            snprintf(number, sizeof number, "%d", i);
        if ((size_t)snprintf(aside, size, "%s.old%s", path, number) >= size)
            errno = ENAMETOOLONG;
        else if (access(aside, F_OK) == 0)
            errno = EEXIST;
        else
            return rename(path, aside) == 0;
    }
    return 0;
}

int cli_checkpoint_make_room(const cli_training *t)
{
    char aside[4096];
    int ours = t->resume != NULL && cli_same_file(t->resume, t->checkpoint);
    if (ours || access(t->checkpoint, F_OK) != 0)
        return 1;
    if (!move_aside(t->checkpoint, aside, sizeof aside)) {
        fprintf(stderr, "imgcls: no room for the checkpoint: %s; move ", strerror(errno));
        cli_print_path(stderr, t->checkpoint);
        fputs(" away, or choose another place with --checkpoint\n", stderr);
        return 0;
    }
    cli_print_path(stderr, t->checkpoint);
    fputs(" was there already and is kept as ", stderr);
    cli_print_path(stderr, aside);
    fputs(": if it is of a training that did not end, --resume goes on with that\n", stderr);
    return 1;
}

void cli_checkpoint_keep(const cli_training *t)
{
    if (ic_trainer_save(t->trainer, t->checkpoint) < 0) {
        cli_failed();
        return;
    }
    fputs("stopped; to go on: imgcls train ", stderr);
    cli_print_path(stderr, t->data);
    fputs(" --out ", stderr);
    cli_print_path(stderr, t->out);
    if (t->validation != NULL) {
        fputs(" --validation ", stderr);
        cli_print_path(stderr, t->validation);
    }
    fputs(" --resume ", stderr);
    cli_print_path(stderr, t->checkpoint);
    fputc('\n', stderr);
}

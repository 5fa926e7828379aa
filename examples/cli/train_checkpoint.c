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
    t->own_checkpoint = t->checkpoint != NULL;
    if (!t->own_checkpoint) {
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

/* What a checkpoint does not say: how to compute, how to open the pictures, how much memory there
 * is. (The split's options are the trainer's, too.) */
static int is_not_kept(const char *name, const char *owner, const void *payload)
{
    static const char *const free_ones[] = {"cache_mb", "memory_limit", "checkpoint_minutes"};
    (void)payload;
    for (size_t i = 0; i < sizeof free_ones / sizeof free_ones[0]; i++)
        if (strcmp(name, free_ones[i]) == 0)
            return 1;
    return strcmp(owner, "context") == 0 || strcmp(owner, "dataset") == 0;
}

int cli_checkpoint_keep(const cli_training *t)
{
    if (ic_trainer_save(t->trainer, t->checkpoint) < 0) {
        cli_failed();
        return 0;
    }
    fputs("stopped; to go on: imgcls train ", stderr);
    cli_print_path(stderr, t->data);
    cli_print_flag(stderr, "out", t->out);
    cli_print_flag(stderr, "validation", t->validation);
    cli_print_flag(stderr, "resume", t->checkpoint);
    cli_print_flag(stderr, "checkpoint", t->own_checkpoint ? t->checkpoint : NULL);
    cli_print_given(stderr, is_not_kept, NULL);
    fputc('\n', stderr);
    return 1;
}

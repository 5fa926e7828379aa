/* cli/train_checkpoint.c: the file from which an interrupted training goes on.
 * SPDX-License-Identifier: MIT */
#include "training.h"

ic_status cli_checkpoint_choose(cli_training *t, ic_options *options, char *room, size_t size)
{
    if (t->checkpoint == NULL) {
        snprintf(room, size, "%s.checkpoint", t->out);
        t->checkpoint = room;
    }
    return ic_options_set_text(options, "checkpoint", t->checkpoint);
}

int cli_checkpoint_make_room(const cli_training *t)
{
    char aside[4096];
    FILE *earlier = t->resume == NULL ? fopen(t->checkpoint, "rb") : NULL;
    if (earlier == NULL)
        return 1;
    fclose(earlier);
    snprintf(aside, sizeof aside, "%s.old", t->checkpoint);
    if (rename(t->checkpoint, aside) != 0)
        return cli_can_write(aside, "checkpoint");
    fputs("an earlier training that did not end is kept: --resume ", stderr);
    cli_print_path(stderr, aside);
    fputs(" would go on with it\n", stderr);
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

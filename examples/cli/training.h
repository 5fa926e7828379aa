/* cli/training.h: what the parts of imgcls train share. SPDX-License-Identifier: MIT */
#ifndef CLI_TRAINING_H
#define CLI_TRAINING_H

#include "output.h"
#include "summary.h"

#include <time.h>

typedef struct cli_training {
    const char *data;
    const char *out;
    const char *validation;
    const char *plot;
    const char *from;       /* the model whose weights are the start, or NULL */
    const char *resume;     /* the checkpoint to go on from, or NULL */
    const char *checkpoint; /* the one that is kept */
    int own_checkpoint;     /* it was asked for by name */
    int replaces;           /* out was there before */
    int stopped;            /* by ^C, before its end */
    int kept;               /* the checkpoint has what it came to */
    const char *minutes;    /* to train in, or NULL */
    struct timespec began;
    int json;
    char *set_aside[2]; /* files of data and of validation that were, or NULL */
    ic_trainer *trainer;
    double last_seconds; /* when the last epoch ended */
    double seconds;
    double plotted;     /* at this second; below 0: never */
    cli_epoch *results; /* of `epochs` */
    int epochs;         /* done */
    int best;           /* from 1 */
    int heading;        /* of the table of epochs: printed */
} cli_training;

/* As ic_progress_fn, payload a cli_training: a line for each epoch, for scripts on stdout, for
 * people on stderr; the live line; the plot now and then. */
int32_t cli_training_progress(const ic_progress *progress, void *payload);

/* The checkpoint's name, OUT.checkpoint unless asked otherwise, into room and into the options.
 * False: no file can be there. */
int cli_checkpoint_choose(cli_training *t, ic_options *options, char *room, size_t size);

/* A file that has the checkpoint's name, of an earlier training mostly, is moved aside, not lost.
 * False: it cannot be. */
int cli_checkpoint_make_room(const cli_training *t);

/* After ^C: writes the training down, and says how it goes on. False: it cannot be. */
int cli_checkpoint_keep(const cli_training *t);

#endif

/* cli/summary.h: what a training came to, in a few lines. SPDX-License-Identifier: MIT */
#ifndef CLI_SUMMARY_H
#define CLI_SUMMARY_H

#include <imgcls/imgcls.h>

#include <stdio.h>

/* Shares of pictures that were classified right, 0..1; below 0: not known. */
typedef struct cli_epoch {
    double training, unseen;
} cli_epoch;

typedef struct cli_summary {
    const cli_epoch *epochs;
    int count, best; /* best: from 1 */
    double seconds;
    const char *model, *data; /* as they were given on the command line */
    const char *picture;      /* one to try the model on */
    char *const *set_aside;   /* texts of cli_set_aside, two */
} cli_summary;

/* The curve, the best epoch, and what to do next. */
void cli_summarise(FILE *file, const cli_summary *summary);

/* How many files of a data set, which has this name, were set aside, and why: lines, to be freed.
 * NULL: none was. */
char *cli_set_aside(const ic_dataset *dataset, const char *name);

/* Both accuracies over the epochs, in 60 columns and 8 rows at most; nothing for a single epoch. */
void cli_curve(FILE *file, const cli_epoch *epochs, int count, int best);

#endif

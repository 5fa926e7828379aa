/* cli/summary.c: what a training came to, and what to do next. SPDX-License-Identifier: MIT */
#include "summary.h"
#include "output.h"

#include <string.h>

static void print_result(FILE *file, const cli_summary *s)
{
    const cli_epoch *best = &s->epochs[s->best - 1];
    fprintf(file, "best: epoch %d of %d", s->best, s->count);
    if (best->unseen >= 0)
        fprintf(file, ", %.1f %% of unseen pictures right", 100 * best->unseen);
    if (best->training >= 0)
        fprintf(file, ", %.1f %% in training", 100 * best->training);
    fprintf(file, "; %.0f s\n", s->seconds);
}

/* The pictures are found again if they are opened as the training opened them. */
static int opens_pictures(const char *name, const char *owner, const void *payload)
{
    (void)name;
    (void)payload;
    return strcmp(owner, "dataset") == 0;
}

void cli_summarise(FILE *file, const cli_summary *s)
{
    cli_curve(file, s->epochs, s->count, s->best);
    if (s->best >= 1 && s->best <= s->count)
        print_result(file, s);
    for (int i = 0; i < 2; i++)
        fputs(s->set_aside[i] != NULL ? s->set_aside[i] : "", file);
    fputs("saved ", file);
    cli_print_text(file, s->model, 0);
    fputs("\nnext: imgcls evaluate ", file);
    cli_print_path(file, s->model);
    fputc(' ', file);
    cli_print_path(file, s->data);
    cli_print_given(file, opens_pictures, NULL);
    fputs("\n      imgcls predict ", file);
    cli_print_path(file, s->model);
    fputc(' ', file);
    cli_print_path(file, s->picture);
    fputc('\n', file);
}

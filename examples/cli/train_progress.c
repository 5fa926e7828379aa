/* cli/train_progress.c: what imgcls train shows while it runs. SPDX-License-Identifier: MIT */
#include "training.h"

#include <stdlib.h>

static void print_epoch_json(const cli_training *t, const ic_progress *p)
{
    double validation_loss = cli_value(p, "validation_loss", -1);
    double validation_accuracy = cli_value(p, "validation_accuracy", -1);
    printf("{\"epoch\":%.0f,\"train_loss\":%.9g,\"train_accuracy\":%.9g,", cli_value(p, "epoch", 0),
           cli_value(p, "loss", 0), cli_value(p, "accuracy", 0));
    if (validation_accuracy < 0)
        printf("\"validation_loss\":null,\"validation_accuracy\":null,");
    else
        printf("\"validation_loss\":%.9g,\"validation_accuracy\":%.9g,", validation_loss,
               validation_accuracy);
    printf("\"seconds\":%.3f,\"pictures_per_second\":%.1f,\"waiting\":%.4f}\n",
           t->seconds - t->last_seconds, cli_value(p, "pictures_per_second", 0),
           cli_value(p, "waiting", 0));
    fflush(stdout);
}

static void print_epoch(cli_training *t, const ic_progress *p)
{
    char unseen[64] = "";
    double epoch = cli_value(p, "epoch", 0), accuracy = cli_value(p, "validation_accuracy", -1);
    if (accuracy >= 0)
        snprintf(unseen, sizeof unseen, "      %8.3f  %6.1f %%", cli_value(p, "validation_loss", 0),
                 100 * accuracy);
    cli_clear_line();
    if (!t->heading)
        fputs("epoch         loss  accuracy  unseen: loss  accuracy      time  pictures/s\n",
              stderr);
    t->heading = 1;
    fprintf(stderr, "%3.0f/%-5.0f %8.3f  %6.1f %%%-24s  %6.1f s  %10.0f%s\n", epoch,
            cli_value(p, "epochs", 0), cli_value(p, "loss", 0), 100 * cli_value(p, "accuracy", 0),
            unseen, t->seconds - t->last_seconds, cli_value(p, "pictures_per_second", 0),
            t->best == (int)epoch ? " best" : "");
}

/* Keeps what the summary shows. Epochs that no event told of are not known. */
static void note_epoch(cli_training *t, const ic_progress *p)
{
    int epoch = (int)cli_value(p, "epoch", 0);
    t->seconds = cli_value(p, "seconds", 0);
    t->best = (int)cli_value(p, "best_epoch", 0);
    if (epoch < 1)
        return;
    cli_epoch *results = realloc(t->results, (size_t)epoch * sizeof *results);
    if (results == NULL)
        return;
    t->results = results;
    for (; t->epochs < epoch; t->epochs++)
        results[t->epochs].training = results[t->epochs].unseen = -1;
    results[epoch - 1].training = cli_value(p, "accuracy", -1);
    results[epoch - 1].unseen = cli_value(p, "validation_accuracy", -1);
}

/* While the training runs, about once a second; a plot that fails then is tried again later. */
static void plot_now_and_then(cli_training *t)
{
    if (t->plot == NULL || (t->plotted >= 0 && t->seconds - t->plotted < 1))
        return;
    ic_trainer_plot(t->trainer, t->plot);
    t->plotted = t->seconds;
}

int32_t cli_training_progress(const ic_progress *progress, void *payload)
{
    cli_training *t = payload;
    if (cli_value(progress, "epoch_done", 0) == 0)
        return cli_progress(progress, NULL);
    note_epoch(t, progress);
    if (t->json)
        print_epoch_json(t, progress);
    print_epoch(t, progress);
    t->last_seconds = t->seconds;
    plot_now_and_then(t);
    return cli_progress(progress, NULL); /* there is no moment without the line */
}

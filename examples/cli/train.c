/* cli/train.c: imgcls train. SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "commands.h"
#include "output.h"
#include "summary.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

typedef struct training {
    const char *data;
    const char *out;
    const char *validation;
    const char *plot;
    const char *from;       /* the model whose weights are the start, or NULL */
    const char *resume;     /* the checkpoint to go on from, or NULL */
    const char *checkpoint; /* the one that is kept */
    const char *minutes;    /* to train in, or NULL */
    struct timespec began;
    int json;
    ic_trainer *trainer;
    double last_seconds; /* when the last epoch ended */
    double seconds;
    double plotted;     /* at this second; below 0: never */
    cli_epoch *results; /* of `epochs` */
    int epochs;         /* done */
    int best;           /* from 1 */
    int heading;        /* of the table of epochs: printed */
} training;

static void print_epoch_json(const training *t, const ic_progress *p)
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
    printf("\"seconds\":%.3f,\"pictures_per_second\":%.1f}\n", t->seconds - t->last_seconds,
           cli_value(p, "pictures_per_second", 0));
    fflush(stdout);
}

static void print_epoch(training *t, const ic_progress *p)
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
static void note_epoch(training *t, const ic_progress *p)
{
    int epoch = (int)cli_value(p, "epoch", 0);
    cli_epoch *results = realloc(t->results, ((size_t)epoch + 1) * sizeof *results);
    t->seconds = cli_value(p, "seconds", 0);
    t->best = (int)cli_value(p, "best_epoch", 0);
    if (results == NULL || epoch < 1)
        return;
    for (; t->epochs < epoch; t->epochs++)
        results[t->epochs].training = results[t->epochs].unseen = -1;
    results[epoch - 1].training = cli_value(p, "accuracy", -1);
    results[epoch - 1].unseen = cli_value(p, "validation_accuracy", -1);
    t->results = results;
}

/* While the training runs, about once a second; a plot that fails then is tried again later. */
static void plot_now_and_then(training *t)
{
    if (t->plot == NULL || (t->plotted >= 0 && t->seconds - t->plotted < 1))
        return;
    ic_trainer_plot(t->trainer, t->plot);
    t->plotted = t->seconds;
}

/* A line for each epoch: for scripts on stdout, for people on stderr. */
static int32_t on_progress(const ic_progress *progress, void *payload)
{
    training *t = payload;
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

/* The two sets; *validation stays NULL where the trainer is to split them as a checkpoint says. */
static ic_status open_data(ic_context *context, const training *t, const ic_options *options,
                           ic_dataset **train, ic_dataset **validation)
{
    ic_dataset *all = NULL;
    ic_status status = ic_dataset_open(context, t->data, options, &all);
    if (status < 0)
        return status;
    if (t->validation == NULL && t->resume == NULL) {
        status = ic_dataset_split(all, options, train, validation);
    } else {
        status = t->resume != NULL && t->validation == NULL ? IC_ERROR_NOT_FOUND
                                                            : ic_dataset_part(all, "train", train);
        if (status == IC_ERROR_NOT_FOUND) {
            *train = all;
            all = NULL;
            status = IC_OK;
        }
        if (status >= 0 && t->validation != NULL)
            status = ic_dataset_open(context, t->validation, options, validation);
    }
    ic_dataset_free(all);
    return status;
}

/* Opening the data and making the model take of the minutes, too. */
static ic_status set_minutes(const training *t, ic_options *options)
{
    struct timespec now;
    if (t->minutes == NULL)
        return IC_OK;
    ic_status status = ic_options_set_text(options, "minutes", t->minutes);
    double minutes = strtod(t->minutes, NULL);
    if (status < 0 || minutes <= 0)
        return status;
    clock_gettime(CLOCK_MONOTONIC, &now);
    double gone = (double)(now.tv_sec - t->began.tv_sec) / 60 +
                  (double)(now.tv_nsec - t->began.tv_nsec) / 60e9;
    return ic_options_set_float(options, "minutes", minutes - gone > 0.01 ? minutes - gone : 0.01);
}

static ic_status create(ic_context *context, const training *t, const ic_dataset *train,
                        const ic_dataset *validation, ic_options *options, ic_model **model,
                        ic_trainer **trainer)
{
    if (t->resume != NULL)
        return ic_trainer_resume(context, t->resume, train, validation, options, model, trainer);
    ic_model *earlier = NULL;
    ic_status status = IC_OK;
    if (t->from != NULL)
        status = ic_model_load(context, t->from, &earlier);
    if (status >= 0)
        status = set_minutes(t, options);
    if (status >= 0)
        status = earlier != NULL ? ic_model_create_from(earlier, train, options, model)
                                 : ic_model_create(context, train, options, model);
    ic_model_free(earlier);
    if (status >= 0)
        status = set_minutes(t, options);
    return status < 0 ? status : ic_trainer_create(*model, train, validation, options, trainer);
}

/* After ^C: the training is written down, and how it goes on is said. */
static void keep(const training *t)
{
    if (ic_trainer_save(t->trainer, t->checkpoint) < 0) {
        cli_failed();
        return;
    }
    fputs("stopped; to go on: imgcls train ", stderr);
    cli_print_text(stderr, t->data, 0);
    fputs(" --out ", stderr);
    cli_print_text(stderr, t->out, 0);
    if (t->validation != NULL) {
        fputs(" --validation ", stderr);
        cli_print_text(stderr, t->validation, 0);
    }
    fputs(" --resume ", stderr);
    cli_print_text(stderr, t->checkpoint, 0);
    fputc('\n', stderr);
}

/* Trains; on ^C the best epoch so far still counts. */
static ic_status run(ic_context *context, training *t)
{
    ic_context_set_progress(context, on_progress, t);
    cli_catch_interrupt();
    ic_status status = ic_trainer_run(t->trainer);
    ic_context_set_progress(context, cli_progress, NULL);
    cli_clear_line();
    if (status == IC_ERROR_CANCELLED) {
        keep(t);
        status = t->best > 0 ? IC_OK : status;
    }
    return status;
}

static int failed(void)
{
    if (!cli_interrupted())
        return cli_failed();
    fputs("imgcls: stopped before the first epoch was over: there is no model yet\n", stderr);
    return EXIT_FAILED;
}

/* The checkpoint of an earlier training that did not end is moved aside, not lost. */
static int make_room(const training *t)
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
    cli_print_text(stderr, aside, 0);
    fputs(" would go on with it\n", stderr);
    return 1;
}

/* The first held-out picture that is a file of its own: one to try the model on. */
static const char *example_of(const ic_dataset *dataset)
{
    for (int64_t i = 0; i < ic_dataset_count(dataset) && i < 10; i++) {
        const char *origin = NULL;
        if (ic_dataset_item(dataset, i, &origin, NULL) >= 0 && access(origin, R_OK) == 0)
            return origin;
    }
    return "PICTURE.jpg";
}

static ic_status give_flags(const void *model, char *buffer, size_t capacity, size_t *size)
{
    return ic_model_flags(model, buffer, capacity, size);
}

/* What was fitted to the time, so that it can be had again without a clock. */
static void print_repeat(const ic_model *model, const training *t)
{
    char *flags = cli_text_of(give_flags, model);
    if (flags == NULL)
        return;
    fputs("the same again, exactly: imgcls train ", stderr);
    cli_print_path(stderr, t->data);
    fputs(" --out ", stderr);
    cli_print_path(stderr, t->out);
    fprintf(stderr, " %s\n", flags);
    free(flags);
}

static int save(const ic_model *model, const training *t, const ic_dataset *validation)
{
    if (ic_model_save(model, t->out) < 0)
        return cli_failed();
    if (t->plot != NULL && ic_trainer_plot(t->trainer, t->plot) < 0)
        return cli_failed();
    if (t->json) {
        printf("{\"model\":");
        cli_json_text(stdout, t->out);
        printf(",\"seconds\":%.3f,\"epochs\":%d,\"best_epoch\":%d}\n", t->seconds, t->epochs,
               t->best);
    }
    const cli_summary summary = {.epochs = t->results,
                                 .count = t->epochs,
                                 .best = t->best,
                                 .seconds = t->seconds,
                                 .model = t->out,
                                 .data = t->validation != NULL ? t->validation : t->data,
                                 .picture = example_of(validation)};
    cli_summarise(stderr, &summary);
    if (t->minutes != NULL)
        print_repeat(model, t);
    if (cli_interrupted())
        return EXIT_FAILED;
    remove(t->checkpoint); /* there is nothing left to go on with */
    return EXIT_DONE;
}

/* OUT.checkpoint, unless asked otherwise. */
static ic_status choose_checkpoint(training *t, ic_options *options, char *room, size_t size)
{
    if (t->checkpoint == NULL) {
        snprintf(room, size, "%s.checkpoint", t->out);
        t->checkpoint = room;
    }
    return ic_options_set_text(options, "checkpoint", t->checkpoint);
}

static int train(ic_context *context, training *t, ic_options *options)
{
    ic_dataset *pictures = NULL, *validation = NULL;
    ic_model *model = NULL;
    int code;
    char checkpoint[4096];
    if (!cli_can_write(t->out, "out") || !cli_can_plot(t->plot) ||
        choose_checkpoint(t, options, checkpoint, sizeof checkpoint) < 0 || !make_room(t))
        code = EXIT_FAILED;
    else if (open_data(context, t, options, &pictures, &validation) < 0 ||
             create(context, t, pictures, validation, options, &model, &t->trainer) < 0 ||
             run(context, t) < 0)
        code = failed();
    else
        code = save(model, t, validation);
    ic_trainer_free(t->trainer);
    free(t->results);
    ic_model_free(model);
    ic_dataset_free(validation);
    ic_dataset_free(pictures);
    return code;
}

/* Prints a learning rate that suits; trains nothing, and writes no file. */
static int find_rate(ic_context *context, training *t, ic_options *options)
{
    ic_dataset *pictures = NULL, *validation = NULL;
    ic_model *model = NULL;
    double rate = 0;
    int code = EXIT_DONE;
    cli_catch_interrupt();
    if (open_data(context, t, options, &pictures, &validation) < 0 ||
        create(context, t, pictures, validation, options, &model, &t->trainer) < 0 ||
        ic_trainer_find_rate(t->trainer, &rate) < 0) {
        code = cli_failed();
    } else {
        cli_clear_line();
        printf(t->json ? "{\"learning_rate\":%.3g}\n" : "%.3g\n", rate);
    }
    ic_trainer_free(t->trainer);
    ic_model_free(model);
    ic_dataset_free(validation);
    ic_dataset_free(pictures);
    return code;
}

int cli_train(ic_context *context, const cli_command *command, int count, char **arguments)
{
    training t = {.plotted = -1};
    clock_gettime(CLOCK_MONOTONIC, &t.began);
    int only_rate = 0;
    const cli_flag flags[] = {{"out", &t.out, NULL},
                              {"find-rate", NULL, &only_rate},
                              {"validation", &t.validation, NULL},
                              {"plot", &t.plot, NULL},
                              {"from", &t.from, NULL},
                              {"resume", &t.resume, NULL},
                              {"checkpoint", &t.checkpoint, NULL},
                              {"minutes", &t.minutes, NULL},
                              {"json", NULL, &t.json},
                              {NULL, NULL, NULL}};
    ic_options *options = NULL;
    int code;
    int rest = cli_parse(context, command, flags, count, arguments, &options, &code);
    if (rest < 0)
        return code;
    if (rest != 1)
        code = cli_usage(command, rest == 0 ? "train wants the pictures to train on"
                                            : "train takes one data set");
    else if (t.out == NULL && !only_rate)
        code = cli_usage(command, "train wants --out MODEL, the file to write");
    else {
        t.data = arguments[0];
        code = only_rate ? find_rate(context, &t, options) : train(context, &t, options);
    }
    ic_options_free(options);
    return code;
}

/* cli/train.c: imgcls train. SPDX-License-Identifier: MIT */
#include "commands.h"
#include "output.h"
#include "summary.h"

#include <stdlib.h>
#include <unistd.h>

typedef struct training {
    const char *out;
    const char *plot;
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

static ic_status open_data(ic_context *context, const char *data, const char *validation_data,
                           const ic_options *options, ic_dataset **train, ic_dataset **validation)
{
    ic_dataset *all = NULL;
    ic_status status = ic_dataset_open(context, data, options, &all);
    if (status < 0)
        return status;
    if (validation_data == NULL) {
        status = ic_dataset_split(all, options, train, validation);
    } else {
        status = ic_dataset_part(all, "train", train);
        if (status == IC_ERROR_NOT_FOUND) {
            *train = all;
            all = NULL;
            status = IC_OK;
        }
        if (status >= 0)
            status = ic_dataset_open(context, validation_data, options, validation);
    }
    ic_dataset_free(all);
    return status;
}

/* Trains; on ^C the best epoch so far still counts. */
static ic_status run(ic_context *context, ic_model *model, const ic_dataset *train,
                     const ic_dataset *validation, const ic_options *options, training *t)
{
    ic_status status = ic_trainer_create(model, train, validation, options, &t->trainer);
    if (status < 0)
        return status;
    ic_context_set_progress(context, on_progress, t);
    cli_catch_interrupt();
    status = ic_trainer_run(t->trainer);
    ic_context_set_progress(context, cli_progress, NULL);
    cli_clear_line();
    if (status == IC_ERROR_CANCELLED && t->epochs > 0) {
        fprintf(stderr, "stopped: the best of %d epochs is kept\n", t->epochs);
        status = IC_OK;
    }
    return status;
}

static int failed(const training *t)
{
    if (!cli_interrupted() || t->epochs > 0)
        return cli_failed();
    fputs("imgcls: stopped before the first epoch was over: nothing is saved\n", stderr);
    return EXIT_FAILED;
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

static int save(const ic_model *model, const training *t, const char *data,
                const ic_dataset *validation)
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
                                 .data = data,
                                 .picture = example_of(validation)};
    cli_summarise(stderr, &summary);
    return cli_interrupted() ? EXIT_FAILED : EXIT_DONE;
}

int cli_train(ic_context *context, const cli_command *command, int count, char **arguments)
{
    training t = {.plotted = -1};
    const char *validation_data = NULL;
    const cli_flag flags[] = {{"out", &t.out, NULL},
                              {"validation", &validation_data, NULL},
                              {"plot", &t.plot, NULL},
                              {"json", NULL, &t.json},
                              {NULL, NULL, NULL}};
    ic_options *options = NULL;
    int code;
    int rest = cli_parse(context, command, flags, count, arguments, &options, &code);
    if (rest < 0)
        return code;

    ic_dataset *train = NULL, *validation = NULL;
    ic_model *model = NULL;
    if (rest != 1)
        code = cli_usage(command, rest == 0 ? "train wants the pictures to train on"
                                            : "train takes one data set");
    else if (t.out == NULL)
        code = cli_usage(command, "train wants --out MODEL, the file to write");
    else if (!cli_can_write(t.out, "out") || !cli_can_plot(t.plot))
        code = EXIT_FAILED;
    else if (open_data(context, arguments[0], validation_data, options, &train, &validation) < 0 ||
             ic_model_create(context, train, options, &model) < 0 ||
             run(context, model, train, validation, options, &t) < 0)
        code = failed(&t);
    else
        code =
            save(model, &t, validation_data != NULL ? validation_data : arguments[0], validation);

    ic_trainer_free(t.trainer);
    free(t.results);
    ic_model_free(model);
    ic_dataset_free(validation);
    ic_dataset_free(train);
    ic_options_free(options);
    return code;
}

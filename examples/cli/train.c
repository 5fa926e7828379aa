/* cli/train.c: imgcls train. SPDX-License-Identifier: MIT */
#include "commands.h"
#include "output.h"

typedef struct training {
    const char *out;
    const char *plot;
    int json;
    double last_seconds; /* when the last epoch ended */
    double seconds;
    int epochs;  /* done */
    int heading; /* of the table of epochs: printed */
} training;

/* A line for each epoch: for scripts on stdout, for people on stderr. */
static void print_epoch(training *t, const ic_progress *p)
{
    double epoch = cli_value(p, "epoch", 0), took = t->seconds - t->last_seconds;
    double loss = cli_value(p, "loss", 0), accuracy = cli_value(p, "accuracy", 0);
    double validation_loss = cli_value(p, "validation_loss", -1);
    double validation_accuracy = cli_value(p, "validation_accuracy", -1);
    double speed = cli_value(p, "pictures_per_second", 0);
    if (t->json) {
        printf("{\"epoch\":%.0f,\"train_loss\":%.9g,\"train_accuracy\":%.9g,", epoch, loss,
               accuracy);
        if (validation_accuracy < 0)
            printf("\"validation_loss\":null,\"validation_accuracy\":null,");
        else
            printf("\"validation_loss\":%.9g,\"validation_accuracy\":%.9g,", validation_loss,
                   validation_accuracy);
        printf("\"seconds\":%.3f,\"pictures_per_second\":%.1f}\n", took, speed);
        fflush(stdout);
    }
    cli_clear_line();
    if (!t->heading)
        fputs("epoch         loss  accuracy  unseen: loss  accuracy      time  pictures/s\n",
              stderr);
    t->heading = 1;
    fprintf(stderr, "%3.0f/%-5.0f %8.3f  %6.1f %%", epoch, cli_value(p, "epochs", 0), loss,
            100 * accuracy);
    if (validation_accuracy >= 0)
        fprintf(stderr, "      %8.3f  %6.1f %%", validation_loss, 100 * validation_accuracy);
    else
        fprintf(stderr, "%24s", "");
    fprintf(stderr, "  %6.1f s  %10.0f%s\n", took, speed,
            cli_value(p, "best_epoch", 0) == epoch ? " best" : "");
}

static int32_t on_progress(const ic_progress *progress, void *payload)
{
    training *t = payload;
    if (cli_value(progress, "epoch_done", 0) == 0)
        return cli_progress(progress, NULL);
    t->seconds = cli_value(progress, "seconds", 0);
    t->epochs = (int)cli_value(progress, "epoch", 0);
    print_epoch(t, progress);
    t->last_seconds = t->seconds;
    return cli_interrupted();
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
                     const ic_dataset *validation, const ic_options *options, training *t,
                     double *best_epoch)
{
    ic_trainer *trainer = NULL;
    ic_status status = ic_trainer_create(model, train, validation, options, &trainer);
    if (status < 0)
        return status;
    ic_context_set_progress(context, on_progress, t);
    cli_catch_interrupt();
    status = ic_trainer_run(trainer);
    ic_context_set_progress(context, cli_progress, NULL);
    if (status == IC_ERROR_CANCELLED && t->epochs > 0) {
        cli_clear_line();
        fprintf(stderr, "stopped: the best of %d epochs is kept\n", t->epochs);
        status = IC_OK;
    }
    if (status >= 0)
        ic_trainer_value(trainer, "best_epoch", best_epoch);
    ic_trainer_free(trainer);
    return status;
}

/* Prints a learning rate that suits, and trains nothing. */
static ic_status find_rate(ic_model *model, const ic_dataset *train, const ic_dataset *validation,
                           const ic_options *options, const training *t)
{
    ic_trainer *trainer = NULL;
    double rate = 0;
    ic_status status = ic_trainer_create(model, train, validation, options, &trainer);
    if (status < 0)
        return status;
    cli_catch_interrupt();
    status = ic_trainer_find_rate(trainer, &rate);
    ic_trainer_free(trainer);
    if (status < 0)
        return status;
    cli_clear_line();
    printf(t->json ? "{\"learning_rate\":%.3g}\n" : "%.3g\n", rate);
    return IC_OK;
}

static int failed(const training *t)
{
    if (!cli_interrupted() || t->epochs > 0)
        return cli_failed();
    cli_clear_line();
    fputs("imgcls: stopped before the first epoch was over: nothing is saved\n", stderr);
    return EXIT_FAILED;
}

static int save(const ic_model *model, const training *t, double best_epoch)
{
    if (ic_model_save(model, t->out) < 0)
        return cli_failed();
    if (t->plot != NULL && ic_model_plot_history(model, t->plot) < 0)
        return cli_failed();
    if (t->json) {
        printf("{\"model\":");
        cli_json_text(stdout, t->out);
        printf(",\"seconds\":%.3f,\"epochs\":%d,\"best_epoch\":%.0f}\n", t->seconds, t->epochs,
               best_epoch);
    }
    fprintf(stderr, "saved %s (epoch %.0f of %d) after %.0f s\n", t->out, best_epoch, t->epochs,
            t->seconds);
    return cli_interrupted() ? EXIT_FAILED : EXIT_DONE;
}

int cli_train(ic_context *context, const cli_command *command, int count, char **arguments)
{
    training t = {0};
    const char *validation_data = NULL;
    int only_rate = 0;
    const cli_flag flags[] = {{"out", &t.out, NULL},
                              {"find-rate", NULL, &only_rate},
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
    double best_epoch = 0;
    if (rest != 1)
        code = cli_usage(command, rest == 0 ? "train wants the pictures to train on"
                                            : "train takes one data set");
    else if (t.out == NULL && !only_rate)
        code = cli_usage(command, "train wants --out MODEL, the file to write");
    else if ((t.out != NULL && !cli_can_write(t.out, "out")) || !cli_can_plot(t.plot))
        code = EXIT_FAILED;
    else if (open_data(context, arguments[0], validation_data, options, &train, &validation) < 0 ||
             ic_model_create(context, train, options, &model) < 0 ||
             (only_rate ? find_rate(model, train, validation, options, &t)
                        : run(context, model, train, validation, options, &t, &best_epoch)) < 0)
        code = failed(&t);
    else if (only_rate)
        code = EXIT_DONE;
    else
        code = save(model, &t, best_epoch);

    ic_model_free(model);
    ic_dataset_free(validation);
    ic_dataset_free(train);
    ic_options_free(options);
    return code;
}

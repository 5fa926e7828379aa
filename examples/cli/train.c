/* cli/train.c: imgcls train. SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "commands.h"
#include "model.h"
#include "training.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The two sets; *validation stays NULL where the trainer is to split them as a checkpoint says. */
static ic_status open_data(ic_context *context, cli_training *t, const ic_options *options,
                           ic_dataset **train, ic_dataset **validation)
{
    ic_dataset *all = NULL;
    ic_status status = ic_dataset_open(context, t->data, options, &all);
    if (status < 0)
        return status;
    t->set_aside[0] = cli_set_aside(all, t->data);
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
        if (status >= 0 && t->validation != NULL)
            t->set_aside[1] = cli_set_aside(*validation, t->validation);
    }
    ic_dataset_free(all);
    return status;
}

/* Opening the data and making the model take of the minutes, too. */
static ic_status set_minutes(const cli_training *t, ic_options *options)
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

static ic_status create(ic_context *context, const cli_training *t, const ic_dataset *train,
                        const ic_dataset *validation, const ic_model *earlier, ic_options *options,
                        ic_model **model, ic_trainer **trainer)
{
    if (t->resume != NULL)
        return ic_trainer_resume(context, t->resume, train, validation, options, model, trainer);
    ic_status status = set_minutes(t, options);
    if (status >= 0)
        status = earlier != NULL ? ic_model_create_from(earlier, train, options, model)
                                 : ic_model_create(context, train, options, model);
    if (status >= 0)
        status = set_minutes(t, options);
    return status < 0 ? status : ic_trainer_create(*model, train, validation, options, trainer);
}

/* Opens the data, and makes the model and its trainer; returns the exit code. */
static int prepare(ic_context *context, cli_training *t, ic_options *options, ic_dataset **train,
                   ic_dataset **validation, ic_model **model)
{
    ic_model *earlier = NULL;
    int code = t->from != NULL ? cli_load_model(context, t->from, t->data, &earlier) : EXIT_DONE;
    if (code == EXIT_DONE &&
        (open_data(context, t, options, train, validation) < 0 ||
         create(context, t, *train, *validation, earlier, options, model, &t->trainer) < 0))
        code = cli_failed();
    ic_model_free(earlier);
    return code;
}

/* Trains; on ^C the best epoch so far still counts. */
static ic_status run(ic_context *context, cli_training *t)
{
    ic_context_set_progress(context, cli_training_progress, t);
    cli_catch_interrupt();
    ic_status status = ic_trainer_run(t->trainer);
    ic_context_set_progress(context, cli_progress, NULL);
    cli_clear_line();
    if (status == IC_ERROR_CANCELLED) {
        t->stopped = 1;
        t->kept = cli_checkpoint_keep(t);
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

/* "--learning-rate ", as flags begin with it. */
static const char *flag_of(const char *name, char *flag, size_t size)
{
    snprintf(flag, size, "--%s ", name);
    for (char *c = flag; *c != '\0'; c++)
        *c = *c == '_' ? '-' : *c;
    return flag;
}

/* Whether the first flag is an option of models alone, as network, input and pixels are. */
static int begins_with_model(const char *flags)
{
    char flag[80];
    for (int32_t i = 0; i < ic_option_count(); i++) {
        const char *name = NULL, *owner = NULL;
        ic_option_info(i, &name, &owner, NULL, NULL, NULL, NULL);
        flag_of(name, flag, sizeof flag);
        if (strncmp(flags, flag, strlen(flag)) == 0)
            return strcmp(owner, "model") == 0;
    }
    return 0;
}

/* Flags, which begin with those of the model, without what an earlier model brings: --from refuses
 * it. */
static const char *without_model(const char *flags)
{
    while (begins_with_model(flags)) {
        const char *next = strstr(flags, " --");
        flags = next != NULL ? next + 1 : "";
    }
    return flags;
}

/* Whether an option is not among flags. */
static int is_missing(const char *name, const char *owner, const void *flags)
{
    char flag[80];
    (void)owner;
    return strstr(flags, flag_of(name, flag, sizeof flag)) == NULL;
}

/* What was fitted to the time, so that it can be had again without a clock. */
static void print_repeat(const ic_model *model, const cli_training *t)
{
    char *text = cli_text_of(give_flags, model);
    if (text == NULL)
        return;
    const char *flags = t->from != NULL ? without_model(text) : text;
    fputs("the same again, exactly: imgcls train ", stderr);
    cli_print_path(stderr, t->data);
    cli_print_flag(stderr, "out", t->out);
    cli_print_flag(stderr, "from", t->from);
    cli_print_flag(stderr, "validation", t->validation);
    cli_print_given(stderr, is_missing, flags);
    fputc(' ', stderr);
    cli_print_text(stderr, flags, 0);
    fputc('\n', stderr);
    free(text);
}

/* A model that was there stays: the checkpoint, which is a model file, too, has what there is. */
static int keeps_the_old(const cli_training *t)
{
    return t->stopped && t->replaces && t->kept;
}

/* What the model of a stopped training lacks, and where it is. */
static void tell_stopped(const cli_training *t)
{
    if (keeps_the_old(t)) {
        cli_print_path(stderr, t->out);
        fputs(" was there before, and is kept; the best epoch so far is in the checkpoint\n",
              stderr);
    }
    fputs("it lacks what comes behind the last epoch, such as calibrated probabilities and a score "
          "for unknown pictures\n",
          stderr);
}

static int save(const ic_model *model, const cli_training *t, const ic_dataset *validation)
{
    const char *place = keeps_the_old(t) ? t->checkpoint : t->out;
    if (place == t->out && ic_model_save(model, t->out) < 0)
        return cli_failed();
    if (t->plot != NULL && ic_trainer_plot(t->trainer, t->plot) < 0)
        return cli_failed();
    if (t->json) {
        printf("{\"model\":");
        cli_json_text(stdout, place);
        printf(",\"seconds\":%.3f,\"epochs\":%d,\"best_epoch\":%d}\n", t->seconds, t->epochs,
               t->best);
    }
    const cli_summary summary = {.epochs = t->results,
                                 .count = t->epochs,
                                 .best = t->best,
                                 .seconds = t->seconds,
                                 .model = place,
                                 .data = t->validation != NULL ? t->validation : t->data,
                                 .picture = example_of(validation),
                                 .set_aside = t->set_aside};
    if (t->stopped)
        tell_stopped(t);
    cli_summarise(stderr, &summary);
    if (t->stopped)
        return EXIT_FAILED;
    if (t->minutes != NULL)
        print_repeat(model, t);
    remove(t->checkpoint); /* there is nothing left to go on with */
    return EXIT_DONE;
}

/* A name promises nothing that is not written. */
static void warn_of_ending(const char *out)
{
    static const char *const others[] = {".onnx",  ".pt",     ".pth", ".h5",
                                         ".keras", ".tflite", ".pkl"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (cli_ends(out, others[i]))
            fprintf(stderr,
                    "the model will be a .safetensors file, whatever its name: no %s is written\n",
                    others[i]);
}

static int train(ic_context *context, cli_training *t, ic_options *options)
{
    ic_dataset *pictures = NULL, *validation = NULL;
    ic_model *model = NULL;
    int code;
    char checkpoint[4096];
    t->replaces = access(t->out, F_OK) == 0;
    warn_of_ending(t->out);
    if (!cli_can_write(t->out, "out") || !cli_can_plot(t->plot, "plot") ||
        !cli_checkpoint_choose(t, options, checkpoint, sizeof checkpoint) ||
        !cli_checkpoint_make_room(t))
        code = EXIT_FAILED;
    else
        code = prepare(context, t, options, &pictures, &validation, &model);
    if (code == EXIT_DONE)
        code = run(context, t) < 0 ? failed() : save(model, t, validation);
    ic_trainer_free(t->trainer);
    free(t->results);
    ic_model_free(model);
    ic_dataset_free(validation);
    ic_dataset_free(pictures);
    return code;
}

/* Prints a learning rate that suits; trains nothing, and writes no file. */
static int find_rate(ic_context *context, cli_training *t, ic_options *options)
{
    ic_dataset *pictures = NULL, *validation = NULL;
    ic_model *model = NULL;
    double rate = 0;
    int code = prepare(context, t, options, &pictures, &validation, &model);
    cli_catch_interrupt();
    if (code == EXIT_DONE && ic_trainer_find_rate(t->trainer, &rate) < 0)
        code = cli_failed();
    if (code == EXIT_DONE) {
        cli_clear_line();
        printf(t->json ? "{\"learning_rate\":%.3g}\n" : "%.3g\n", rate);
    }
    ic_trainer_free(t->trainer);
    ic_model_free(model);
    ic_dataset_free(validation);
    ic_dataset_free(pictures);
    return code;
}

/* What is wrong with what was asked for; NULL: nothing. */
static const char *find_fault(const cli_training *t, int data_sets, int only_rate)
{
    if (data_sets != 1)
        return data_sets == 0 ? "train wants the pictures to train on" : "train takes one data set";
    if (t->resume != NULL && t->minutes != NULL)
        return "--resume goes on with the steps that the checkpoint has planned: --minutes cannot "
               "change them";
    if (t->resume != NULL && t->from != NULL)
        return "--resume goes on with the weights of the checkpoint: --from has no say in them";
    if (t->out == NULL && !only_rate)
        return "train wants --out MODEL, the file to write";
    if (!only_rate && t->checkpoint != NULL && cli_same_file(t->checkpoint, t->out))
        return "--checkpoint and --out name one file: the checkpoint, which is removed in the end, "
               "would take the model with it";
    return NULL;
}

int cli_train(ic_context *context, const cli_command *command, int count, char **arguments)
{
    cli_training t = {.plotted = -1};
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
    t.data = arguments[0];
    const char *fault = find_fault(&t, rest, only_rate);
    if (fault != NULL)
        code = cli_usage(command, fault);
    else
        code = only_rate ? find_rate(context, &t, options) : train(context, &t, options);
    ic_options_free(options);
    free(t.set_aside[0]);
    free(t.set_aside[1]);
    return code;
}

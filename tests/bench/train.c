/*
 * bench/train.c: trains on real pictures and measures on those set aside for testing.
 *
 *     bench_train DATA [--validate] [OPTION=VALUE]...
 *
 * Says what auto chose and a line an epoch, then one line for the tables of lib/recipe/README.md.
 * --validate measures on the held-out part of the training pictures alone, as all choices of the
 * recipe must. SPDX-License-Identifier: MIT
 */
#include <imgcls/imgcls.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void check(ic_status status)
{
    if (status >= 0)
        return;
    fprintf(stderr, "bench_train: %s: %s\n", ic_status_name(status), ic_last_error());
    exit(1);
}

static double seconds_now(void)
{
    struct timespec now;
    timespec_get(&now, TIME_UTC);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void show_log(int32_t level, const char *message, void *payload)
{
    if (level <= IC_LOG_INFO)
        fprintf(stderr, "%s%s\n", level == IC_LOG_WARNING ? "warning: " : "", message);
}

static double value(const ic_progress *progress, const char *name)
{
    double out = 0;
    return ic_progress_value(progress, name, &out) == IC_OK ? out : 0;
}

static int32_t show_epoch(const ic_progress *progress, void *payload)
{
    if (value(progress, "epoch_done") > 0)
        fprintf(stderr,
                "epoch %2.0f  loss %.4f  accuracy %.4f  validation %.4f %.4f  %.0f/s  %.0f s\n",
                value(progress, "epoch"), value(progress, "loss"), value(progress, "accuracy"),
                value(progress, "validation_loss"), value(progress, "validation_accuracy"),
                value(progress, "pictures_per_second"), value(progress, "seconds"));
    return 0;
}

static void set_options(ic_options *options, char **pairs, int count)
{
    for (int i = 0; i < count; i++) {
        char name[64];
        const char *equals = strchr(pairs[i], '=');
        if (!equals || (size_t)(equals - pairs[i]) >= sizeof name) {
            fprintf(stderr, "bench_train: %s is not OPTION=VALUE\n", pairs[i]);
            exit(2);
        }
        memcpy(name, pairs[i], (size_t)(equals - pairs[i]));
        name[equals - pairs[i]] = '\0';
        check(ic_options_set_text(options, name, equals + 1));
    }
}

/* The declared training part, or all: its own reference. */
static ic_dataset *training_part(ic_context *context, const char *path, const ic_options *options,
                                 ic_dataset *all)
{
    ic_dataset *train = NULL;
    if (ic_dataset_part(all, "train", &train) != IC_OK)
        check(ic_dataset_open(context, path, options, &train));
    return train;
}

static void report(const ic_model *model, const ic_dataset *data, const char *name, double seconds)
{
    ic_report *result;
    double accuracy = 0, auc = 0, count = 0;
    check(ic_evaluate(model, data, NULL, &result));
    check(ic_report_value(result, "accuracy", &accuracy));
    check(ic_report_value(result, "count", &count));
    if (ic_report_value(result, "auc", &auc) != IC_OK)
        auc = 0;
    printf("%s | %s part, %.0f pictures | accuracy %.4f | AUC %.4f | %.1f s\n", name,
           ic_report_split(result), count, accuracy, auc, seconds);
    ic_report_free(result);
}

int main(int argc, char **argv)
{
    ic_context *context;
    ic_options *options;
    ic_dataset *all;
    ic_model *model;
    ic_trainer *trainer;
    int first = argc > 2 && strcmp(argv[2], "--validate") == 0 ? 3 : 2;
    if (argc < 2) {
        fprintf(stderr, "usage: bench_train DATA [--validate] [OPTION=VALUE]...\n");
        return 2;
    }
    check(ic_context_create(&context));
    check(ic_options_create(context, &options));
    set_options(options, argv + first, argc - first);
    check(ic_context_set_log(context, show_log, NULL));
    check(ic_context_set_progress(context, show_epoch, NULL));
    check(ic_context_configure(context, options));

    double begun = seconds_now();
    check(ic_dataset_open(context, argv[1], options, &all));
    ic_dataset *train = training_part(context, argv[1], options, all);
    fprintf(stderr, "opened in %.1f s\n", seconds_now() - begun);
    begun = seconds_now();
    check(ic_model_create(context, train, options, &model));
    check(ic_trainer_create(model, train, NULL, options, &trainer));
    check(ic_trainer_run(trainer));
    report(model, first == 3 ? train : all, argv[1], seconds_now() - begun);

    ic_trainer_free(trainer);
    ic_model_free(model);
    ic_dataset_free(train);
    ic_dataset_free(all);
    ic_options_free(options);
    ic_context_free(context);
    return 0;
}

/* train/cross_validate.c: models that are each measured on pictures that they have not seen.
 * SPDX-License-Identifier: MIT */
#include "base/memory.h"
#include "base/options.h"
#include "base/status.h"
#include "base/text.h"
#include "dataset/leaks.h"
#include "evaluate/evaluation.h"
#include "train/trainer.h"

#include <string.h>

typedef struct folds_work {
    ic_context *context;
    const ic_dataset *dataset;
    ic_options *options; /* of one training and its measurement */
    int32_t folds;       /* of a round; 0: each is a hold-out */
    int64_t seed;        /* of the first round */
    ic_report **reports;
    int32_t done, total;
} folds_work;

/* Models have all classes of the data; one that lies in one fold alone is unknown to its judge. */
static void tell_lonely_classes(const folds_work *work, const ic_dataset *pool)
{
    for (int32_t c = 0; c < ic_dataset_class_count(pool); c++) {
        const char *name = "";
        int64_t count = 0;
        ic_dataset_class(pool, c, &name, &count);
        if (count == 1)
            ic_log(work->context, IC_LOG_WARNING,
                   "class %s has one picture, and will be judged by a model that has not seen the "
                   "class: add pictures or leave it out",
                   name);
    }
}

/* All trainings have the same test part beside them: once for all of them is enough. */
static ic_status warn(folds_work *work)
{
    ic_dataset *pool;
    ic_status status;
    bool leaks = !ic_option_is(work->options, "leaks", "off");
    IC_TRY(ic_dataset_without(work->dataset, IC_PART_TEST, &pool));
    tell_lonely_classes(work, pool);
    if (leaks && ic_dataset_count(pool) > 0)
        IC_TRY_CLEAN(ic_leaks_warn(pool, NULL, true));
    status = ic_options_set_text(work->options, "leaks", "off");
cleanup:
    ic_dataset_free(pool);
    return status;
}

/* Where nothing can be held out, all are trained on, as by a training of its own. */
static ic_status train_model(const folds_work *work, const ic_dataset *train, ic_model **out)
{
    ic_dataset *kept = NULL, *validation = NULL;
    ic_trainer *trainer = NULL;
    ic_model *model = NULL;
    ic_status status =
        ic_dataset_split_by(train, (uint64_t)ic_option_int(work->options, "seed"),
                            ic_option_float(work->options, "validation_share"), &kept, &validation);
    if (status != IC_ERROR_DATA)
        IC_TRY_CLEAN(status);
    const ic_dataset *pictures = kept != NULL ? kept : train;
    IC_TRY_CLEAN(ic_model_create(work->context, pictures, work->options, &model));
    IC_TRY_CLEAN(ic_trainer_create(model, pictures, validation, work->options, &trainer));
    IC_TRY_CLEAN(ic_trainer_run(trainer));
    *out = model;
    model = NULL;
cleanup:
    ic_trainer_free(trainer);
    ic_model_free(model);
    ic_dataset_free(kept);
    ic_dataset_free(validation);
    return status;
}

static void tell(const folds_work *work)
{
    const ic_metrics *metrics = &work->reports[work->done]->metrics;
    char share[IC_TEXT_FLOAT_MAX];
    ic_log(work->context, IC_LOG_INFO, "model %d of %d: %s %% of its %lld pictures right",
           (int)work->done + 1, (int)work->total,
           ic_text_float(100 * metrics->figures[IC_ACCURACY], 2, share), (long long)metrics->count);
}

/* Rounds of folds each have a seed of their own, as have hold-outs by their number. */
static ic_status run_fold(folds_work *work)
{
    int32_t round = work->folds > 0 ? work->done / work->folds : 0;
    int32_t index = work->folds > 0 ? work->done % work->folds : work->done;
    ic_dataset *train = NULL, *held_out = NULL;
    ic_model *model = NULL;
    ic_status status;
    IC_TRY_CLEAN(ic_options_set_int(work->options, "seed", (work->seed + round) & UINT32_MAX));
    IC_TRY_CLEAN(
        ic_dataset_fold(work->dataset, work->options, work->folds, index, &train, &held_out));
    IC_TRY_CLEAN(train_model(work, train, &model));
    IC_TRY_CLEAN(ic_evaluate(model, held_out, work->options, &work->reports[work->done]));
    /* Of all models the names of the classes alone are needed, and those are the same. */
    ic_report_share_model(work->reports[work->done], work->reports[0]);
    tell(work);
    work->done++;
cleanup:
    ic_model_free(model);
    ic_dataset_free(train);
    ic_dataset_free(held_out);
    return status;
}

static ic_status prepare(folds_work *work, const ic_options *options)
{
    int32_t repeats = (int32_t)ic_option_int(options, "repeats");
    work->folds = (int32_t)ic_option_int(options, "folds");
    if (work->folds == 1)
        return ic_fail(IC_ERROR_OPTION, "option folds is 1, which leaves nothing to train on: take "
                                        "2 or more, or 0 to hold pictures out at random");
    work->total = repeats * (work->folds > 0 ? work->folds : 1);
    work->seed = ic_option_int(options, "seed");
    IC_TRY(ic_options_copy(work->context, options, &work->options));
    IC_TRY(ic_options_set_text(work->options, "split", "all"));
    IC_TRY(ic_options_set_text(work->options, "checkpoint", ""));
    return ic_allocate_zero(work->context, (size_t)work->total * sizeof(ic_report *),
                            (void *)&work->reports);
}

ic_status ic_cross_validate(const ic_dataset *dataset, const ic_options *options, ic_report **out)
{
    if (dataset == NULL || out == NULL)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_cross_validate: %s is NULL",
                       dataset == NULL ? "dataset" : "out");
    folds_work work = {.context = ic_dataset_context(dataset), .dataset = dataset};
    ic_status status;
    IC_TRY_CLEAN(prepare(&work, options));
    IC_TRY_CLEAN(warn(&work));
    while (work.done < work.total)
        IC_TRY_CLEAN(run_fold(&work));
    IC_TRY_CLEAN(ic_report_join(dataset, work.reports, work.total, out));
cleanup:
    for (int32_t i = 0; i < work.total && work.reports != NULL; i++)
        ic_report_free(work.reports[i]);
    ic_free(work.context, work.reports);
    ic_options_free(work.options);
    return status;
}

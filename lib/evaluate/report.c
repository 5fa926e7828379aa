/* evaluate/report.c: the result of an evaluation, and its getters. SPDX-License-Identifier: MIT */
#include "evaluate/report.h"

#include "base/memory.h"
#include "base/status.h"
#include "dataset/dataset.h"
#include "evaluate/evaluation.h"
#include "evaluate/reliability.h"

#include <math.h>
#include <string.h>

/* ---- Life ---- */

ic_status ic_report_create(ic_model *model, ic_report **out)
{
    ic_report *report;
    IC_TRY(ic_allocate_zero(model->context, sizeof *report, &report));
    report->context = ic_context_retain(model->context);
    report->model = ic_model_retain(model);
    report->split = "";
    report->ece_limit = NAN;
    *out = report;
    return IC_OK;
}

void ic_report_free(ic_report *report)
{
    if (report == NULL)
        return;
    ic_context *context = report->context;
    for (size_t i = 0; i < report->skipped_count; i++) {
        ic_free(context, report->skipped[i].file);
        ic_free(context, report->skipped[i].reason);
    }
    ic_free(context, report->skipped);
    ic_free(context, report->doubts);
    ic_free(context, report->decisions.counts);
    ic_free(context, report->folds);
    ic_free(context, report->items);
    ic_free(context, report->command);
    ic_free(context, report->unknown);
    ic_free(context, (void *)report->scores.labels);
    ic_free(context, (void *)report->scores.probabilities);
    ic_free(context, (void *)report->scores.losses);
    ic_metrics_free(context, &report->metrics);
    ic_intervals_free(context, &report->intervals);
    for (ic_curve *curve = report->curves, *next; curve != NULL; curve = next) {
        next = curve->next;
        ic_free(context, curve);
    }
    ic_dataset_free(report->dataset);
    ic_model_free(report->model);
    ic_free(context, report);
    ic_context_free(context);
}

void ic_report_share_model(ic_report *report, const ic_report *other)
{
    ic_model *own = report->model;
    report->model = ic_model_retain(other->model);
    ic_model_free(own);
}

ic_status ic_report_conclude(ic_report *report)
{
    IC_TRY(ic_metrics_measure(report->context, &report->scores, &report->metrics));
    IC_TRY(ic_intervals_create(report->context, &report->metrics, report->resampling.level,
                               &report->intervals));
    return ic_report_decide(report);
}

ic_status ic_report_skip(ic_report *report, const char *file, const char *reason)
{
    ic_skipped skipped = {NULL, NULL};
    ic_status status;
    IC_TRY_CLEAN(ic_grow(report->context, &report->skipped, &report->skipped_capacity,
                         report->skipped_count + 1, sizeof skipped));
    IC_TRY_CLEAN(ic_copy_text(report->context, file, &skipped.file));
    IC_TRY_CLEAN(ic_copy_text(report->context, reason, &skipped.reason));
    report->skipped[report->skipped_count++] = skipped;
    return IC_OK;
cleanup:
    ic_free(report->context, skipped.file);
    return status;
}

/* ---- For the plots and lists ---- */

ic_context *ic_report_context(const ic_report *report)
{
    return report->context;
}

int32_t ic_report_class_count(const ic_report *report)
{
    return report != NULL ? report->metrics.classes : 0;
}

const char *ic_report_class_name(const ic_report *report, int32_t index)
{
    return report != NULL ? ic_model_class_name(report->model, index) : NULL;
}

const char *ic_report_origin(const ic_report *report, int64_t index)
{
    return ic_dataset_at(report->dataset, report->items[index])->origin;
}

const char *ic_report_label(const ic_report *report, int64_t index)
{
    return ic_model_class_name(report->model, report->scores.labels[index]);
}

int64_t ic_report_refused(const ic_report *report)
{
    int64_t refused = 0;
    for (int64_t i = 0; i < report->scores.count; i++)
        refused += report->unknown != NULL && (double)report->unknown[i] > report->threshold;
    return refused;
}

/* ---- What is made when first asked for ---- */

/*
 * To a caller a report does not change, and it belongs to one thread at a time: so the getters take
 * a const one and these two see through it.
 */
ic_status ic_report_resample(const ic_report *report)
{
    ic_report *kept = (ic_report *)report;
    if (!report->resampled)
        IC_TRY(ic_intervals_resample(report->context, &report->scores, &report->resampling,
                                     &kept->intervals));
    kept->resampled = true;
    return IC_OK;
}

ic_status ic_report_find_ece_limit(const ic_report *report, double *out)
{
    ic_report *kept = (ic_report *)report;
    if (isnan(report->ece_limit))
        IC_TRY(ic_calibration_limit(report->context, &report->scores, report->resampling.seed,
                                    &kept->ece_limit));
    *out = report->ece_limit;
    return IC_OK;
}

/* ---- Figures ---- */

static ic_status check_arguments(const char *caller, const void *report, const void *name,
                                 const void *out)
{
    if (report == NULL || name == NULL || out == NULL)
        return ic_fail(IC_ERROR_ARGUMENT, "%s: %s is NULL", caller,
                       report == NULL ? "report"
                       : name == NULL ? "name"
                                      : "out");
    return IC_OK;
}

ic_status ic_report_check_class(const ic_report *report, int32_t index, const char *caller)
{
    if (index < 0 || index >= report->metrics.classes)
        return ic_fail(IC_ERROR_ARGUMENT, "%s: class %d, but the classes are 0..%d", caller,
                       (int)index, (int)report->metrics.classes - 1);
    return IC_OK;
}

int32_t ic_report_find_name(const char (*names)[20], int32_t count, const char *name)
{
    for (int32_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return i;
    return -1;
}

static ic_status fail_name(const char *name)
{
    return ic_fail(IC_ERROR_NOT_FOUND, "a report has no value named \"%s\"", name);
}

static ic_status give_value(const char *name, double value, double *out)
{
    if (isnan(value))
        return ic_fail(IC_ERROR_NOT_FOUND,
                       "%s is not defined here: it takes pictures of the class and of others",
                       name);
    *out = value;
    return IC_OK;
}

static ic_status give_decision(const ic_report *report, const char *name, double *out)
{
    const bool cost = strcmp(name, "decision_cost") == 0;
    if (!cost && strcmp(name, "decision_accuracy") != 0)
        return fail_name(name);
    IC_TRY(ic_report_check_decisions(report));
    *out = cost ? report->decisions.cost : report->decisions.accuracy;
    return IC_OK;
}

/* Of the accuracies of a joined report's models. */
static ic_status give_fold_figure(const ic_report *report, const char *name, double *out)
{
    const bool mean = strcmp(name, "fold_accuracy_mean") == 0;
    double sum = 0, squares = 0, count = report->fold_count;
    if (!mean && strcmp(name, "fold_accuracy_deviation") != 0)
        return fail_name(name);
    if (report->fold_count == 0)
        return ic_fail(IC_ERROR_NOT_FOUND, "%s: the report is of one model, not of several", name);
    for (int32_t i = 0; i < report->fold_count; i++)
        sum += report->folds[i].figures[IC_ACCURACY];
    for (int32_t i = 0; i < report->fold_count; i++) {
        double apart = report->folds[i].figures[IC_ACCURACY] - sum / count;
        squares += apart * apart;
    }
    *out = mean ? sum / count : sqrt(squares / fmax(count - 1, 1));
    return IC_OK;
}

ic_status ic_report_value(const ic_report *report, const char *name, double *out)
{
    IC_TRY(check_arguments("ic_report_value", report, name, out));
    int32_t figure = ic_report_find_name(ic_figure_names, IC_FIGURES, name);
    if (figure >= 0)
        return give_value(name, report->metrics.figures[figure], out);
    if (strcmp(name, "ece_limit") == 0)
        return ic_report_find_ece_limit(report, out);
    if (strncmp(name, "decision_", strlen("decision_")) == 0)
        return give_decision(report, name, out);
    if (strncmp(name, "fold_", strlen("fold_")) == 0)
        return give_fold_figure(report, name, out);
    if (strcmp(name, "count") == 0)
        *out = (double)report->metrics.count;
    else if (strcmp(name, "interval") == 0)
        *out = report->resampling.level;
    else
        return fail_name(name);
    return IC_OK;
}

ic_status ic_report_class_value(const ic_report *report, int32_t class_index, const char *name,
                                double *out)
{
    IC_TRY(check_arguments("ic_report_class_value", report, name, out));
    IC_TRY(ic_report_check_class(report, class_index, "ic_report_class_value"));
    const ic_class_metrics *m = &report->metrics.per_class[class_index];
    int32_t figure = ic_report_find_name(ic_class_figure_names, IC_CLASS_FIGURES, name);
    if (figure >= 0)
        return give_value(name, m->figures[figure], out);
    if (strcmp(name, "support") != 0)
        return fail_name(name);
    *out = (double)m->support;
    return IC_OK;
}

int32_t ic_report_fold_count(const ic_report *report)
{
    return report != NULL ? report->fold_count : 0;
}

ic_status ic_report_fold_value(const ic_report *report, int32_t fold, const char *name, double *out)
{
    IC_TRY(check_arguments("ic_report_fold_value", report, name, out));
    if (fold < 0 || fold >= report->fold_count)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_report_fold_value: fold %d, but there are %d",
                       (int)fold, (int)report->fold_count);
    int32_t figure = ic_report_find_name(ic_figure_names, IC_FIGURES, name);
    if (figure >= 0)
        return give_value(name, report->folds[fold].figures[figure], out);
    if (strcmp(name, "count") != 0)
        return fail_name(name);
    *out = (double)report->folds[fold].count;
    return IC_OK;
}

/* ---- Intervals ---- */

/* Shares have theirs from the start; the others want resamples, once. */
static ic_status give_interval(const ic_report *report, const char *name,
                               const ic_interval *interval, double *low, double *high)
{
    if (isnan(interval->low))
        IC_TRY(ic_report_resample(report));
    if (isnan(interval->low))
        return ic_fail(IC_ERROR_NOT_FOUND, "%s has no interval here: %s", name,
                       report->resampling.resamples == 0
                           ? "it takes resamples, and the option resamples is 0"
                           : "it is not defined, as pictures of a class are missing");
    *low = interval->low;
    *high = interval->high;
    return IC_OK;
}

ic_status ic_report_interval(const ic_report *report, const char *name, double *low, double *high)
{
    IC_TRY(check_arguments("ic_report_interval", report, name, low != NULL ? high : NULL));
    int32_t figure = ic_report_find_name(ic_figure_names, IC_FIGURES, name);
    if (figure < 0)
        return ic_fail(IC_ERROR_NOT_FOUND, "a report has no interval of \"%s\"", name);
    return give_interval(report, name, &report->intervals.figures[figure], low, high);
}

ic_status ic_report_class_interval(const ic_report *report, int32_t class_index, const char *name,
                                   double *low, double *high)
{
    IC_TRY(check_arguments("ic_report_class_interval", report, name, low != NULL ? high : NULL));
    IC_TRY(ic_report_check_class(report, class_index, "ic_report_class_interval"));
    int32_t figure = ic_report_find_name(ic_class_figure_names, IC_CLASS_FIGURES, name);
    if (figure < 0)
        return ic_fail(IC_ERROR_NOT_FOUND, "a report has no interval of a class's \"%s\"", name);
    return give_interval(report, name, &report->intervals.per_class[class_index][figure], low,
                         high);
}

/* ---- Counts and pictures ---- */

ic_status ic_report_confusion(const ic_report *report, int32_t actual, int32_t predicted,
                              int64_t *out)
{
    IC_TRY(check_arguments("ic_report_confusion", report, "", out));
    IC_TRY(ic_report_check_class(report, actual, "ic_report_confusion"));
    IC_TRY(ic_report_check_class(report, predicted, "ic_report_confusion"));
    *out = report->metrics.confusion[(int64_t)actual * report->metrics.classes + predicted];
    return IC_OK;
}

static ic_status check_picture(const ic_report *report, int64_t index, const char *caller)
{
    if (report == NULL)
        return ic_fail(IC_ERROR_ARGUMENT, "%s: report is NULL", caller);
    if (index < 0 || index >= report->scores.count)
        return ic_fail(IC_ERROR_ARGUMENT, "%s: picture %lld, but the pictures are 0..%lld", caller,
                       (long long)index, (long long)report->scores.count - 1);
    return IC_OK;
}

ic_status ic_report_picture(const ic_report *report, int64_t index, const char **origin,
                            int32_t *actual, int32_t *predicted, float *probability)
{
    IC_TRY(check_picture(report, index, "ic_report_picture"));
    const ic_scores *scores = &report->scores;
    int32_t best = ic_scores_predicted(scores, index);
    if (origin != NULL)
        *origin = ic_report_origin(report, index);
    if (actual != NULL)
        *actual = scores->labels[index];
    if (predicted != NULL)
        *predicted = best;
    if (probability != NULL)
        *probability = scores->probabilities[index * scores->classes + best];
    return IC_OK;
}

ic_status ic_report_probabilities(const ic_report *report, int64_t index,
                                  const float **probabilities, int32_t *count)
{
    IC_TRY(check_picture(report, index, "ic_report_probabilities"));
    if (probabilities != NULL)
        *probabilities = report->scores.probabilities + index * report->scores.classes;
    if (count != NULL)
        *count = report->scores.classes;
    return IC_OK;
}

const char *ic_report_split(const ic_report *report)
{
    return report != NULL ? report->split : "";
}

const char *ic_report_split_meaning(const ic_report *report)
{
    static const char *const meanings[][3] = {
        {"test", "the data's own test part", "the data's own test part, not trained on"},
        {"validation", "the data's own validation part", "held out from training"},
        {"train", "the data's own training part", "the model was trained on these"},
        {"folds", "each picture by a model that had not seen it", ""},
        {"all", "every picture of the data, also those that the model may have been trained on",
         ""},
    };
    for (size_t i = 0; report != NULL && i < sizeof meanings / sizeof *meanings; i++)
        if (strcmp(meanings[i][0], report->split) == 0)
            return meanings[i][report->split_known ? 2 : 1];
    return "";
}

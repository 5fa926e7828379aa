/* evaluate/report.c: the result of an evaluation, and its getters. SPDX-License-Identifier: MIT */
#include "evaluate/report.h"

#include "base/memory.h"
#include "base/status.h"
#include "evaluate/evaluation.h"

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
    ic_metrics_free(context, &report->metrics);
    ic_model_free(report->model);
    ic_free(context, report);
    ic_context_free(context);
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

/* ---- For the plots ---- */

ic_context *ic_report_context(const ic_report *report)
{
    return report->context;
}

int32_t ic_report_class_count(const ic_report *report)
{
    return report->metrics.classes;
}

const char *ic_report_class_name(const ic_report *report, int32_t index)
{
    return ic_model_class_name(report->model, index);
}

/* ---- Getters ---- */

typedef struct named_value {
    const char *name;
    double value;
} named_value;

static ic_status find_value(const named_value *values, size_t count, const char *name, double *out)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(values[i].name, name) != 0)
            continue;
        if (isnan(values[i].value))
            return ic_fail(IC_ERROR_NOT_FOUND,
                           "%s is not defined here: it takes pictures of the class and of others",
                           name);
        *out = values[i].value;
        return IC_OK;
    }
    return ic_fail(IC_ERROR_NOT_FOUND, "a report has no value named \"%s\"", name);
}

ic_status ic_report_value(const ic_report *report, const char *name, double *out)
{
    if (report == NULL || name == NULL || out == NULL)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_report_value: %s is NULL",
                       report == NULL ? "report"
                       : name == NULL ? "name"
                                      : "out");
    const ic_metrics *m = &report->metrics;
    const named_value values[] = {
        {"accuracy", m->accuracy},
        {"top5_accuracy", m->top5_accuracy},
        {"loss", m->loss},
        {"auc", m->auc},
        {"count", (double)m->count},
        {"precision", m->macro.precision},
        {"recall", m->macro.recall},
        {"f1", m->macro.f1},
        {"weighted_precision", m->weighted.precision},
        {"weighted_recall", m->weighted.recall},
        {"weighted_f1", m->weighted.f1},
    };
    return find_value(values, sizeof values / sizeof *values, name, out);
}

static ic_status check_class(const ic_report *report, int32_t index, const char *caller)
{
    if (index < 0 || index >= report->metrics.classes)
        return ic_fail(IC_ERROR_ARGUMENT, "%s: class %d, but the classes are 0..%d", caller,
                       (int)index, (int)report->metrics.classes - 1);
    return IC_OK;
}

ic_status ic_report_class_value(const ic_report *report, int32_t class_index, const char *name,
                                double *out)
{
    if (report == NULL || name == NULL || out == NULL)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_report_class_value: %s is NULL",
                       report == NULL ? "report"
                       : name == NULL ? "name"
                                      : "out");
    IC_TRY(check_class(report, class_index, "ic_report_class_value"));
    const ic_class_metrics *m = &report->metrics.per_class[class_index];
    const named_value values[] = {
        {"precision", m->precision},     {"recall", m->recall}, {"f1", m->f1}, {"auc", m->auc},
        {"support", (double)m->support},
    };
    return find_value(values, sizeof values / sizeof *values, name, out);
}

ic_status ic_report_confusion(const ic_report *report, int32_t actual, int32_t predicted,
                              int64_t *out)
{
    if (report == NULL || out == NULL)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_report_confusion: %s is NULL",
                       report == NULL ? "report" : "out");
    IC_TRY(check_class(report, actual, "ic_report_confusion"));
    IC_TRY(check_class(report, predicted, "ic_report_confusion"));
    *out = report->metrics.confusion[(int64_t)actual * report->metrics.classes + predicted];
    return IC_OK;
}

const char *ic_report_split(const ic_report *report)
{
    return report != NULL ? report->split : "";
}

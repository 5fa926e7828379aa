/* evaluate/report_json.c: the result of an evaluation as JSON. SPDX-License-Identifier: MIT */
#include "base/json.h"
#include "base/status.h"
#include "base/text.h"
#include "evaluate/evaluation.h"

#include <math.h>
#include <string.h>

/* Undefined figures are null: JSON has no NaN. */
static json_t *number(double value)
{
    return isnan(value) ? json_null() : json_real(value);
}

/*
 * File names need not be UTF-8, but JSON is: what is not becomes one question mark a byte.
 */
static json_t *file_text(const char *name)
{
    if (ic_utf8_valid(name, strlen(name)))
        return json_string(name);
    char plain[4096];
    size_t length = 0;
    for (; name[length] != '\0' && length < sizeof plain - 1; length++)
        plain[length] = (unsigned char)name[length] < 128 ? name[length] : '?';
    return json_stringn(plain, length);
}

static ic_status add_averages(json_t *object, const ic_averages *macro, const ic_averages *weighted)
{
    IC_TRY(ic_json_set(object, "precision", number(macro->precision)));
    IC_TRY(ic_json_set(object, "recall", number(macro->recall)));
    IC_TRY(ic_json_set(object, "f1", number(macro->f1)));
    IC_TRY(ic_json_set(object, "weighted_precision", number(weighted->precision)));
    IC_TRY(ic_json_set(object, "weighted_recall", number(weighted->recall)));
    return ic_json_set(object, "weighted_f1", number(weighted->f1));
}

static ic_status add_figures(json_t *object, const ic_report *report)
{
    const ic_metrics *metrics = &report->metrics;
    IC_TRY(ic_json_set(object, "accuracy", number(metrics->accuracy)));
    IC_TRY(ic_json_set(object, "top5_accuracy", number(metrics->top5_accuracy)));
    IC_TRY(ic_json_set(object, "loss", number(metrics->loss)));
    IC_TRY(ic_json_set(object, "auc", number(metrics->auc)));
    IC_TRY(ic_json_set(object, "count", json_integer(metrics->count)));
    IC_TRY(ic_json_set(object, "split", json_string(report->split)));
    return add_averages(object, &metrics->macro, &metrics->weighted);
}

static ic_status add_classes(json_t *object, const ic_report *report)
{
    json_t *classes = json_array();
    IC_TRY(ic_json_set(object, "classes", classes));
    for (int32_t c = 0; c < report->metrics.classes; c++)
        IC_TRY(ic_json_append(classes, json_string(ic_model_class_name(report->model, c))));
    return IC_OK;
}

static ic_status add_confusion(json_t *object, const ic_metrics *metrics)
{
    json_t *rows = json_array();
    IC_TRY(ic_json_set(object, "confusion", rows));
    for (int32_t actual = 0; actual < metrics->classes; actual++) {
        const int64_t *counts = metrics->confusion + (int64_t)actual * metrics->classes;
        json_t *row = json_array();
        IC_TRY(ic_json_append(rows, row));
        for (int32_t predicted = 0; predicted < metrics->classes; predicted++)
            IC_TRY(ic_json_append(row, json_integer(counts[predicted])));
    }
    return IC_OK;
}

static ic_status add_per_class(json_t *object, const ic_report *report)
{
    json_t *list = json_array();
    IC_TRY(ic_json_set(object, "per_class", list));
    for (int32_t c = 0; c < report->metrics.classes; c++) {
        const ic_class_metrics *figures = &report->metrics.per_class[c];
        json_t *entry = json_object();
        IC_TRY(ic_json_append(list, entry));
        IC_TRY(ic_json_set(entry, "class", json_string(ic_model_class_name(report->model, c))));
        IC_TRY(ic_json_set(entry, "precision", number(figures->precision)));
        IC_TRY(ic_json_set(entry, "recall", number(figures->recall)));
        IC_TRY(ic_json_set(entry, "f1", number(figures->f1)));
        IC_TRY(ic_json_set(entry, "auc", number(figures->auc)));
        IC_TRY(ic_json_set(entry, "support", json_integer(figures->support)));
    }
    return IC_OK;
}

static ic_status add_skipped(json_t *object, const ic_report *report)
{
    json_t *list = json_array();
    IC_TRY(ic_json_set(object, "skipped", list));
    for (size_t i = 0; i < report->skipped_count; i++) {
        json_t *entry = json_object();
        IC_TRY(ic_json_append(list, entry));
        IC_TRY(ic_json_set(entry, "file", file_text(report->skipped[i].file)));
        IC_TRY(ic_json_set(entry, "reason", file_text(report->skipped[i].reason)));
    }
    return IC_OK;
}

static ic_status fill(json_t *object, const ic_report *report)
{
    IC_TRY(add_figures(object, report));
    IC_TRY(add_classes(object, report));
    IC_TRY(add_confusion(object, &report->metrics));
    IC_TRY(add_per_class(object, report));
    return add_skipped(object, report);
}

ic_status ic_report_json(const ic_report *report, char *buffer, size_t capacity, size_t *size)
{
    if (report == NULL || size == NULL)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_report_json: %s is NULL",
                       report == NULL ? "report" : "size");
    json_t *object = json_object();
    ic_status status;
    IC_TRY_CLEAN(fill(object, report));
    status = ic_json_give(report->context, object, buffer, capacity, size);
cleanup:
    json_decref(object);
    return status;
}

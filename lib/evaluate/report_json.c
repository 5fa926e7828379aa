/* evaluate/report_json.c: the result of an evaluation as JSON. SPDX-License-Identifier: MIT */
#include "base/json.h"
#include "base/status.h"
#include "base/text.h"
#include "dataset/inspection.h"
#include "evaluate/evaluation.h"

#include <math.h>
#include <string.h>

enum { CURVE_POINTS = 200 };

json_t *ic_report_number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

json_t *ic_report_file(const char *name)
{
    char plain[4096]; /* the longest path of Linux */
    if (ic_utf8_valid(name, strlen(name)))
        return json_string(name);
    ic_text_copy(plain, sizeof plain, name);
    return json_string(plain);
}

/* ---- Figures and their intervals ---- */

static ic_status add_interval(json_t *intervals, const char *name, const ic_interval *interval)
{
    json_t *pair = json_array();
    IC_TRY(ic_json_set(intervals, name, pair));
    IC_TRY(ic_json_append(pair, ic_report_number(interval->low)));
    return ic_json_append(pair, ic_report_number(interval->high));
}

/* Figures under their names, and below "intervals" those that have one. */
static ic_status add_values(json_t *object, const char (*names)[20], int32_t count,
                            const double *figures, const ic_interval *intervals)
{
    json_t *list = json_object();
    for (int32_t f = 0; f < count; f++)
        IC_TRY(ic_json_set(object, names[f], ic_report_number(figures[f])));
    IC_TRY(ic_json_set(object, "intervals", list));
    for (int32_t f = 0; f < count; f++)
        if (!isnan(intervals[f].low))
            IC_TRY(add_interval(list, names[f], &intervals[f]));
    return IC_OK;
}

static ic_status add_figures(json_t *object, const ic_report *report)
{
    double limit;
    const ic_resampling *resampling = &report->resampling;
    IC_TRY(ic_report_resample(report));
    IC_TRY(ic_report_find_ece_limit(report, &limit));
    IC_TRY(ic_json_set(object, "count", json_integer(report->metrics.count)));
    IC_TRY(ic_json_set(object, "split", json_string(report->split)));
    IC_TRY(add_values(object, ic_figure_names, IC_FIGURES, report->metrics.figures,
                      report->intervals.figures));
    IC_TRY(ic_json_set(object, "ece_limit", ic_report_number(limit)));
    IC_TRY(ic_json_set(object, "interval", json_real(resampling->level)));
    IC_TRY(ic_json_set(object, "resamples", json_integer(resampling->resamples)));
    return ic_json_set(object, "seed", json_integer((json_int_t)resampling->seed));
}

/* ---- Curves ---- */

/* At most CURVE_POINTS of the values, evenly by index, the first and the last among them. */
static ic_status add_points(json_t *object, const char *name, const double *values, int64_t count)
{
    json_t *list = json_array();
    int64_t shown = count < CURVE_POINTS ? count : CURVE_POINTS;
    IC_TRY(ic_json_set(object, name, list));
    for (int64_t i = 0; i < shown; i++) {
        int64_t at = shown > 1 ? i * (count - 1) / (shown - 1) : 0;
        IC_TRY(ic_json_append(list, ic_report_number(values[at])));
    }
    return IC_OK;
}

/* An undefined curve is null. */
static ic_status add_curve(json_t *object, const ic_report *report, const char *kind,
                           int32_t class_index, const char *const names[3])
{
    const double *values[3];
    int64_t count;
    ic_status status =
        ic_report_curve(report, kind, class_index, &values[0], &values[1], &values[2], &count);
    if (status == IC_ERROR_NOT_FOUND)
        return ic_json_set(object, kind, json_null());
    IC_TRY(status);
    json_t *curve = json_object();
    IC_TRY(ic_json_set(object, kind, curve));
    for (int i = 0; i < 3; i++)
        IC_TRY(add_points(curve, names[i], values[i], count));
    return IC_OK;
}

static ic_status add_calibration(json_t *object, const ic_report *report)
{
    static const char *const names[] = {"confidence", "accuracy", "share"};
    return add_curve(object, report, "calibration", 0, names);
}

static ic_status add_class_curves(json_t *entry, const ic_report *report, int32_t index)
{
    static const char *const roc[] = {"false_positive_rate", "true_positive_rate", "threshold"};
    static const char *const precision[] = {"recall", "precision", "threshold"};
    IC_TRY(add_curve(entry, report, "roc", index, roc));
    return add_curve(entry, report, "precision_recall", index, precision);
}

/* ---- Classes and pictures ---- */

static ic_status add_classes(json_t *object, const ic_report *report)
{
    json_t *classes = json_array();
    IC_TRY(ic_json_set(object, "classes", classes));
    for (int32_t c = 0; c < report->metrics.classes; c++)
        IC_TRY(ic_json_append(classes, json_string(ic_model_class_name(report->model, c))));
    return IC_OK;
}

/* counts[actual][called]. */
static ic_status add_confusion(json_t *object, const int64_t *counts, int32_t classes)
{
    json_t *rows = json_array();
    IC_TRY(ic_json_set(object, "confusion", rows));
    for (int32_t actual = 0; actual < classes; actual++) {
        json_t *row = json_array();
        IC_TRY(ic_json_append(rows, row));
        for (int32_t called = 0; called < classes; called++)
            IC_TRY(ic_json_append(row, json_integer(counts[(int64_t)actual * classes + called])));
    }
    return IC_OK;
}

static ic_status add_decisions(json_t *object, const ic_report *report)
{
    const ic_decisions *decisions = &report->decisions;
    if (decisions->counts == NULL)
        return ic_json_set(object, "decisions", json_null());
    json_t *entry = json_object();
    IC_TRY(ic_json_set(object, "decisions", entry));
    IC_TRY(ic_json_set(entry, "accuracy", json_real(decisions->accuracy)));
    IC_TRY(ic_json_set(entry, "cost", json_real(decisions->cost)));
    return add_confusion(entry, decisions->counts, report->scores.classes);
}

static ic_status add_per_class(json_t *object, const ic_report *report)
{
    json_t *list = json_array();
    IC_TRY(ic_json_set(object, "per_class", list));
    for (int32_t c = 0; c < report->metrics.classes; c++) {
        const ic_class_metrics *one = &report->metrics.per_class[c];
        json_t *entry = json_object();
        IC_TRY(ic_json_append(list, entry));
        IC_TRY(ic_json_set(entry, "class", json_string(ic_model_class_name(report->model, c))));
        IC_TRY(ic_json_set(entry, "support", json_integer(one->support)));
        IC_TRY(add_values(entry, ic_class_figure_names, IC_CLASS_FIGURES, one->figures,
                          report->intervals.per_class[c]));
        IC_TRY(add_class_curves(entry, report, c));
    }
    return IC_OK;
}

static ic_status add_pictures(json_t *object, const ic_report *report)
{
    json_t *list = json_array();
    IC_TRY(ic_json_set(object, "pictures", list));
    for (int64_t i = 0; i < report->scores.count; i++) {
        const char *origin;
        int32_t actual, predicted;
        float probability;
        json_t *entry = json_object();
        IC_TRY(ic_report_picture(report, i, &origin, &actual, &predicted, &probability));
        IC_TRY(ic_json_append(list, entry));
        IC_TRY(ic_json_set(entry, "file", ic_report_file(origin)));
        IC_TRY(ic_json_set(entry, "actual", json_integer(actual)));
        IC_TRY(ic_json_set(entry, "predicted", json_integer(predicted)));
        IC_TRY(ic_json_set(entry, "probability", ic_report_number((double)probability)));
        IC_TRY(ic_json_set(entry, "loss", ic_report_number((double)report->scores.losses[i])));
        if (report->unknown != NULL)
            IC_TRY(ic_json_set(entry, "unknown", ic_report_number((double)report->unknown[i])));
    }
    return IC_OK;
}

/* What only a cross-validation has: how far its models lie apart, and labels that they doubt. */
static ic_status add_folds(json_t *object, const ic_report *report)
{
    json_t *list = json_array();
    IC_TRY(ic_json_set(object, "folds", list));
    for (int32_t i = 0; i < report->fold_count; i++) {
        json_t *entry = json_object();
        IC_TRY(ic_json_append(list, entry));
        IC_TRY(ic_json_set(entry, "count", json_integer(report->folds[i].count)));
        for (int32_t f = 0; f < IC_FIGURES; f++)
            IC_TRY(ic_json_set(entry, ic_figure_names[f],
                               ic_report_number(report->folds[i].figures[f])));
    }
    return IC_OK;
}

static ic_status add_label_errors(json_t *object, const ic_report *report)
{
    json_t *list = json_array();
    int64_t count;
    IC_TRY(ic_json_set(object, "label_errors", list));
    IC_TRY(ic_report_label_error_count(report, &count));
    for (int64_t i = 0; i < count; i++) {
        const char *origin;
        int32_t label, suggested;
        double margin;
        json_t *entry = json_object();
        IC_TRY(ic_report_label_error(report, i, &origin, &label, &suggested, &margin));
        IC_TRY(ic_json_append(list, entry));
        IC_TRY(ic_json_set(entry, "file", ic_report_file(origin)));
        IC_TRY(ic_json_set(entry, "label", json_integer(label)));
        IC_TRY(ic_json_set(entry, "suggested", json_integer(suggested)));
        IC_TRY(ic_json_set(entry, "margin", json_real(margin)));
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
        IC_TRY(ic_json_set(entry, "file", ic_report_file(report->skipped[i].file)));
        IC_TRY(ic_json_set(entry, "reason", ic_report_file(report->skipped[i].reason)));
    }
    return IC_OK;
}

/* What was measured on, and with what; so that the figures can be had again. */
static ic_status add_origins(json_t *object, const ic_report *report)
{
    json_t *data = json_object(), *model;
    IC_TRY(ic_json_set(object, "version", json_string(ic_version())));
    if (report->command != NULL)
        IC_TRY(ic_json_set(object, "command", ic_report_file(report->command)));
    IC_TRY(ic_json_set(object, "data", data));
    IC_TRY(ic_dataset_describe(report->dataset, data));
    IC_TRY(ic_model_describe(report->model, &model));
    return ic_json_set(object, "model", model);
}

static ic_status add_unknown(json_t *object, const ic_report *report)
{
    if (report->unknown == NULL)
        return ic_json_set(object, "unknown", json_null());
    return ic_json_set(object, "unknown",
                       json_pack("{s:f, s:f, s:I}", "threshold", report->threshold, "share",
                                 report->share, "refused", (json_int_t)ic_report_refused(report)));
}

static ic_status fill(json_t *object, const ic_report *report)
{
    IC_TRY(add_figures(object, report));
    IC_TRY(add_origins(object, report));
    IC_TRY(add_unknown(object, report));
    IC_TRY(add_calibration(object, report));
    IC_TRY(add_classes(object, report));
    IC_TRY(add_confusion(object, report->metrics.confusion, report->metrics.classes));
    IC_TRY(add_decisions(object, report));
    IC_TRY(add_per_class(object, report));
    if (report->fold_count > 0) {
        IC_TRY(add_folds(object, report));
        IC_TRY(add_label_errors(object, report));
    }
    IC_TRY(add_pictures(object, report));
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

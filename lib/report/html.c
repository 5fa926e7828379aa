/* report/html.c: the report as a page: what it begins with, and the order of its parts.
 * SPDX-License-Identifier: MIT */
#include "report/html.h"

#include "base/file.h"
#include "base/options.h"
#include "base/status.h"

#include <math.h>
#include <string.h>

/* ---- What was measured ---- */

/* What follows for pictures to come. */
static const char *split_advice(const ic_report *report)
{
    if (strcmp(report->split, "all") == 0)
        return " If it was trained on some of these, the figures flatter it.";
    if (report->split_known && strcmp(report->split, "validation") == 0)
        return " The training chose its best epoch by them, so new pictures may fare a little "
               "worse.";
    if (report->split_known && strcmp(report->split, "train") == 0)
        return " That says little about new ones.";
    return "";
}

static void put_lead(ic_page *page)
{
    const ic_report *report = page->report;
    const json_t *input = json_object_get(page->model, "input");
    const int32_t classes = report->metrics.classes;
    const char *network = json_string_value(json_object_get(page->model, "network"));
    ic_page_put(
        page,
        "<p class=\"lead\"><strong>%p&nbsp;%%</strong> of %l pictures were put into the right one "
        "of %d classes.</p>\n<p>Measured on: %s (%s).%s</p>\n<p class=\"dim\">Classes: ",
        report->metrics.figures[IC_ACCURACY], report->metrics.count, (int)classes, report->split,
        ic_report_split_meaning(report), split_advice(report));
    for (int32_t c = 0; c < classes && c < IC_MATRIX_MOST / 2; c++)
        ic_page_put(page, "%r%n", c > 0 ? ", " : "", ic_page_class(page, c));
    ic_page_put(
        page, "%r. Network: %s, %c million parameters, sees %l &times; %l pixels in %r.</p>\n",
        classes > IC_MATRIX_MOST / 2 ? " and so on" : "",
        network != NULL && *network != '\0' ? network : "of its own",
        1e-6 * (double)ic_page_whole(page->model, "parameters"), ic_page_whole(input, "width"),
        ic_page_whole(input, "height"), ic_page_whole(input, "channels") == 1 ? "grey" : "colour");
}

/* ---- Figures ---- */

static void put_card(ic_page *page, const char *name, ic_figure figure, bool share,
                     const char *meaning)
{
    const ic_interval *interval = &page->report->intervals.figures[figure];
    const double value = page->report->metrics.figures[figure];
    ic_page_put(page, share ? "<div><dt>%r</dt><dd><b>%p %%</b>" : "<div><dt>%r</dt><dd><b>%f</b>",
                name, value);
    if (!isnan(interval->low))
        ic_page_put(page, share ? "<small>%p to %p %%</small>" : "<small>%f to %f</small>",
                    interval->low, interval->high);
    ic_page_put(page, "<small class=\"dim\">%r</small></dd></div>\n", meaning);
}

static void put_calibration(ic_page *page, double limit)
{
    const double error = page->report->metrics.figures[IC_ECE];
    const json_t *confidence = json_object_get(page->model, "confidence");
    const json_t *before = json_object_get(confidence, "calibration_error_before");
    ic_page_put(page,
                "<div><dt>Calibration error</dt><dd><b>%p %%</b><small>up to %p %% would be "
                "chance</small><small class=\"dim\">How far the stated probabilities are from the "
                "truth: %r",
                error, limit, error > limit ? "more than chance explains" : "no more than chance");
    if (before != NULL)
        ic_page_put(page, ". At the end of the training %p %%, after its temperature %p %%",
                    json_number_value(before),
                    json_number_value(json_object_get(confidence, "calibration_error")));
    ic_page_put(page, "</small></dd></div>\n");
}

static void put_figures(ic_page *page, double limit)
{
    const bool many = page->report->metrics.classes > 5;
    ic_page_section(page, "figures", "Figures");
    ic_page_put(page,
                "<p>Below each figure stands its %c %% confidence interval: what other pictures of "
                "the same kind might have given.</p>\n<dl class=\"cards\">\n",
                100 * page->report->resampling.level);
    put_card(page, "Accuracy", IC_ACCURACY, true, "Pictures that were right");
    if (many)
        put_card(page, "Top-5 accuracy", IC_TOP5, true, "The class is among the first five");
    put_card(page, "Balanced accuracy", IC_BALANCED_ACCURACY, true,
             "The same with all classes counting alike");
    put_card(page, "ROC AUC", IC_AUC, false,
             "How well classes are told apart at any threshold; 1 is "
             "best, 0.5 a coin");
    put_card(page, "Average precision", IC_AVERAGE_PRECISION, false,
             "Area under the precision-recall curve; 1 is best");
    put_card(page, "Mean F1", IC_F1, true, "Precision and recall in one, mean of the classes");
    put_card(page, "Matthews", IC_MCC, false, "Correlation of class and answer; 0 is chance");
    put_card(page, "Loss", IC_LOSS, false, "Mean surprise at the truth, nats; 0 is best");
    put_calibration(page, limit);
    ic_page_put(page, "</dl></section>\n");
}

/* ---- The page ---- */

/* Bytes up to the last slash that all origins have in common. */
static size_t common_folder(const ic_report *report)
{
    const char *first = ic_report_origin(report, 0);
    size_t same = strlen(first);
    for (int64_t i = 0; i < report->scores.count; i++) {
        const char *origin = ic_report_origin(report, i);
        size_t at = 0;
        while (at < same && origin[at] == first[at])
            at++;
        same = at;
    }
    while (same > 0 && first[same - 1] != '/')
        same--;
    return same;
}

static ic_status write_parts(ic_page *page)
{
    double limit;
    IC_TRY(ic_report_resample(page->report));
    IC_TRY(ic_report_find_ece_limit(page->report, &limit));
    put_lead(page);
    put_figures(page, limit);
    ic_page_confusion(page);
    ic_page_classes(page);
    ic_page_decisions(page);
    IC_TRY(ic_page_curves(page));
    ic_page_unknown(page);
    ic_page_folds(page);
    IC_TRY(ic_page_pictures(page));
    IC_TRY(ic_page_data(page));
    ic_page_training(page);
    return page->status;
}

static ic_status write_page(ic_page *page, ic_buffer *out)
{
    char title[96];
    const bool folds = page->report->fold_count > 0;
    IC_TRY(ic_model_describe(page->report->model, &page->model));
    IC_TRY(ic_album_create(page->context, page->report, &page->album));
    IC_TRY(write_parts(page));
    snprintf(title, sizeof title, "How good %s: a report on %lld pictures",
             folds ? "such classifiers are" : "this classifier is",
             (long long)page->report->metrics.count);
    return ic_page_finish(page, title, out);
}

ic_status ic_report_save_html(const ic_report *report, const ic_options *options, const char *path)
{
    if (report == NULL || path == NULL)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_report_save_html: %s is NULL",
                       report == NULL ? "report" : "path");
    ic_context *context = report->context;
    ic_page page = {.context = context,
                    .report = report,
                    .folder = common_folder(report),
                    .method = ic_option_text(options, "method"),
                    .out = {.context = context},
                    .contents = {.context = context},
                    .started = ic_clock_seconds()};
    ic_buffer whole_page = {.context = context};
    ic_status status;
    IC_TRY_CLEAN(write_page(&page, &whole_page));
    status = ic_file_save(context, path, whole_page.bytes, whole_page.size);
cleanup:
    ic_buffer_free(&whole_page);
    ic_buffer_free(&page.out);
    ic_buffer_free(&page.contents);
    ic_album_free(context, &page.album);
    json_decref(page.model);
    return status;
}

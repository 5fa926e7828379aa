/* report/html_tables.c: the tables of the page. SPDX-License-Identifier: MIT */
#include "base/memory.h"
#include "base/status.h"
#include "base/text.h"
#include "dataset/inspection.h"
#include "report/html.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SKIPPED_MOST = 50 };

/* Ink on the fullest shade still has a contrast of 4.5; mistakes have it from this share on, and
 * grow visible early. */
static const double full_shade = 0.45, full_mistake = 0.3;

/* A wide table scrolls in a box of its own, which the keyboard reaches. Heads are parted by '|', or
 * NULL. */
static void open_table(ic_page *page, const char *class_name, const char *caption,
                       const char *heads)
{
    ic_page_put(page,
                "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"%r\">"
                "<table class=\"%r\"><caption>%r</caption>\n<thead><tr>",
                caption, class_name, caption);
    while (heads != NULL) {
        char head[32];
        const size_t length = strcspn(heads, "|");
        snprintf(head, sizeof head, "%.*s", (int)length, heads);
        ic_page_put(page, "<th scope=\"col\">%r</th>", head);
        heads = heads[length] == '|' ? heads + length + 1 : NULL;
    }
}

static void open_body(ic_page *page)
{
    ic_page_put(page, "</tr></thead><tbody>\n");
}

static void close_table(ic_page *page)
{
    ic_page_put(page, "</tbody></table></div>\n");
}

/* ---- Who was taken for whom ---- */

/* Shares in hundredths, which are whole numbers and so short. */
static int shade(double share)
{
    return (int)(100 * share * full_shade + 0.5);
}

static void put_cell(ic_page *page, int32_t actual, int32_t predicted, int64_t count,
                     int64_t support)
{
    const double share = (double)count / (double)support;
    if (count == 0)
        ic_page_put(page, "<td>0</td>");
    else if (actual == predicted)
        ic_page_put(page, "<td style=\"--s:%d%%\">%l</td>", shade(share), count);
    else
        ic_page_put(page,
                    "<td class=\"x\" style=\"--s:%d%%\"><a href=\"#c%d-%d\" aria-label=\"%l: %s "
                    "taken for %s\">%l</a></td>",
                    shade(sqrt(fmin(1, share / full_mistake))), (int)actual, (int)predicted, count,
                    ic_page_class(page, actual), ic_page_class(page, predicted), count);
}

static void put_matrix(ic_page *page)
{
    const ic_metrics *metrics = &page->report->metrics;
    const int32_t classes = metrics->classes;
    ic_page_put(page,
                "<p>A row for each class, a column for each answer: blue ones are right, red ones "
                "are mistakes. A number there leads to its pictures.</p>\n");
    open_table(page, "m", "Confusion matrix: pictures by class (rows) and answer (columns)", NULL);
    ic_page_put(page, "<td></td>");
    for (int32_t c = 0; c < classes; c++)
        ic_page_put(page, "<th scope=\"col\"><span>%n</span></th>", ic_page_class(page, c));
    open_body(page);
    for (int32_t a = 0; a < classes; a++) {
        ic_page_put(page, "<tr><th scope=\"row\">%n</th>", ic_page_class(page, a));
        for (int32_t p = 0; p < classes; p++)
            put_cell(page, a, p, metrics->confusion[(int64_t)a * classes + p],
                     metrics->per_class[a].support);
        ic_page_put(page, "</tr>\n");
    }
    close_table(page);
}

static void put_pairs(ic_page *page)
{
    ic_page_put(page, "<p>The commonest mistakes. A number leads to its pictures.</p>\n");
    open_table(page, "", "Classes that were taken for others",
               "Class|Taken for|Pictures|Of the class, %");
    open_body(page);
    for (size_t i = 0; i < page->album.linked; i++) {
        const ic_confused *pair = &page->album.pairs[i];
        const char *actual = ic_page_class(page, pair->actual);
        const char *predicted = ic_page_class(page, pair->predicted);
        ic_page_put(page,
                    "<tr><th scope=\"row\">%n</th><td>%n</td><td><a href=\"#c%d-%d\" "
                    "aria-label=\"%l: %s taken for %s\">%l</a></td><td>%p</td></tr>\n",
                    actual, predicted, (int)pair->actual, (int)pair->predicted, pair->count, actual,
                    predicted, pair->count,
                    (double)pair->count /
                        (double)page->report->metrics.per_class[pair->actual].support);
    }
    close_table(page);
    if (page->album.pair_count > page->album.linked)
        ic_page_put(page, "<p class=\"dim\">Other pairs of classes: %l.</p>\n",
                    (int64_t)(page->album.pair_count - page->album.linked));
}

void ic_page_confusion(ic_page *page)
{
    ic_page_section(page, "confusion", "What is taken for what");
    if (page->report->metrics.classes <= IC_MATRIX_MOST)
        put_matrix(page);
    else if (page->album.pair_count > 0)
        put_pairs(page);
    if (page->album.pair_count == 0)
        ic_page_put(page, "<p>There is no mistake.</p>\n");
    ic_page_put(page, "</section>\n");
}

/* ---- Classes ---- */

static void put_class_figure(ic_page *page, int32_t index, ic_class_figure figure)
{
    const ic_interval *interval = &page->report->intervals.per_class[index][figure];
    const bool share = figure != IC_CLASS_AUC && figure != IC_CLASS_AVERAGE_PRECISION;
    ic_page_put(page, share ? "<td>%p" : "<td>%f",
                page->report->metrics.per_class[index].figures[figure]);
    if (!isnan(interval->low))
        ic_page_put(page,
                    share ? "<small class=\"dim\">%p to %p</small>"
                          : "<small class=\"dim\">%f to %f</small>",
                    interval->low, interval->high);
    ic_page_put(page, "</td>");
}

void ic_page_classes(ic_page *page)
{
    static const ic_class_figure shown[] = {IC_CLASS_PRECISION,   IC_CLASS_RECALL,
                                            IC_CLASS_SPECIFICITY, IC_CLASS_F1,
                                            IC_CLASS_AUC,         IC_CLASS_AVERAGE_PRECISION};
    ic_page_section(page, "classes", "Class by class");
    ic_page_put(page,
                "<p>Precision: how many of the answers for a class are right. Recall "
                "(sensitivity): how many of its pictures are found. Specificity: how many of the "
                "others are kept out.</p>\n");
    open_table(page, "", "Figures of each class, shares in %, with intervals",
               "Class|Pictures|Precision|Recall|Specificity|F1|AUC|Average precision");
    open_body(page);
    for (int32_t c = 0; c < page->report->metrics.classes; c++) {
        ic_page_put(page, "<tr><th scope=\"row\">%n</th><td>%l</td>", ic_page_class(page, c),
                    page->report->metrics.per_class[c].support);
        for (size_t i = 0; i < sizeof shown / sizeof *shown; i++)
            put_class_figure(page, c, shown[i]);
        ic_page_put(page, "</tr>\n");
    }
    close_table(page);
    ic_page_put(page, "</section>\n");
}

/* ---- Decisions ---- */

static void put_decided_class(ic_page *page, int32_t index)
{
    const ic_report *report = page->report;
    const int64_t *counts = report->decisions.counts, classes = report->scores.classes;
    const int64_t right = counts[index * classes + index];
    const int64_t pictures = report->metrics.per_class[index].support;
    int64_t called = 0;
    for (int64_t i = 0; i < classes; i++)
        called += counts[i * classes + index];
    const int64_t others = report->scores.count - pictures;
    ic_page_put(page,
                "<tr><th scope=\"row\">%n</th><td>%l</td><td>%l</td><td>%p</td><td>%p</td>"
                "<td>%p</td></tr>\n",
                ic_page_class(page, index), pictures, called, (double)right / (double)pictures,
                (double)right / (double)called,
                (double)(others - (called - right)) / (double)others);
}

void ic_page_decisions(ic_page *page)
{
    const ic_decisions *decisions = &page->report->decisions;
    if (decisions->counts == NULL)
        return;
    ic_page_section(page, "decisions", "As the model decides");
    ic_page_put(page,
                "<p>This model keeps what its mistakes cost, and calls a picture what is expected "
                "to cost least, which need not be the most probable class. So %p %% of the "
                "pictures are right, and a picture costs %f in the mean.</p>\n",
                decisions->accuracy, decisions->cost);
    open_table(page, "", "Each class by the costs of mistakes, shares in %",
               "Class|Pictures|Called so|Recall|Precision|Specificity");
    open_body(page);
    for (int32_t c = 0; c < page->report->metrics.classes; c++)
        put_decided_class(page, c);
    close_table(page);
    ic_page_put(page, "</section>\n");
}

/* ---- Folds ---- */

void ic_page_folds(ic_page *page)
{
    static const ic_figure shown[] = {IC_ACCURACY, IC_BALANCED_ACCURACY, IC_F1, IC_ECE};
    const ic_report *report = page->report;
    double mean = 0, deviation = 0;
    if (report->fold_count == 0)
        return;
    ic_page_section(page, "folds", "Model by model");
    open_table(page, "", "Each model on the pictures that it has not seen, in %",
               "Model|Pictures|Accuracy|Balanced accuracy|Mean F1|Calibration error");
    open_body(page);
    for (int32_t i = 0; i < report->fold_count; i++) {
        const double *figures = report->folds[i].figures;
        ic_page_put(page, "<tr><th scope=\"row\">%d</th><td>%l</td>", (int)i + 1,
                    report->folds[i].count);
        for (size_t k = 0; k < sizeof shown / sizeof *shown; k++)
            ic_page_put(page, "<td>%p</td>", figures[shown[k]]);
        ic_page_put(page, "</tr>\n");
    }
    close_table(page);
    ic_report_value(report, "fold_accuracy_mean", &mean);
    ic_report_value(report, "fold_accuracy_deviation", &deviation);
    ic_page_put(page,
                "<p>Mean accuracy %p %%, standard deviation between the models %p %%.</p>"
                "</section>\n",
                mean, deviation);
}

/* ---- Data ---- */

static void put_skipped(ic_page *page)
{
    const ic_report *report = page->report;
    const size_t count = report->skipped_count;
    if (count == 0) {
        ic_page_put(page, "<p>No picture had to be left out.</p>\n");
        return;
    }
    ic_page_put(page, "<h3>Left out</h3><p>Pictures that could not be measured: %l.</p>\n",
                (int64_t)count);
    open_table(page, "t", "Files that were left out, and why", "File|Reason");
    open_body(page);
    for (size_t i = 0; i < count && i < SKIPPED_MOST; i++)
        ic_page_put(page, "<tr><th scope=\"row\">%n</th><td>%s</td></tr>\n",
                    report->skipped[i].file, report->skipped[i].reason);
    close_table(page);
    if (count > SKIPPED_MOST)
        ic_page_put(page, "<p class=\"dim\">And %l more; the JSON lists all.</p>\n",
                    (int64_t)(count - SKIPPED_MOST));
}

ic_status ic_page_data(ic_page *page)
{
    const ic_report *report = page->report;
    const char *origin = ic_report_origin(report, 0);
    char *folder = NULL;
    json_t *data = json_object();
    ic_status status;
    IC_TRY_CLEAN(ic_dataset_describe(report->dataset, data));
    IC_TRY_CLEAN(ic_copy_text_part(page->context, origin, page->folder, &folder));
    const json_t *sizes = json_object_get(data, "sizes");
    const int64_t low_width = ic_page_whole(sizes, "min_width"),
                  high_width = ic_page_whole(sizes, "max_width");
    const int64_t low_height = ic_page_whole(sizes, "min_height"),
                  high_height = ic_page_whole(sizes, "max_height");
    ic_page_section(page, "data", "The pictures");
    ic_page_put(page, "<p>%l pictures of %l to %l &times; %l to %l pixels.",
                ic_page_whole(data, "count"), low_width, high_width, low_height, high_height);
    if (ic_page_whole(sizes, "grey") > 0)
        ic_page_put(page, " Grey: %l.", ic_page_whole(sizes, "grey"));
    if (ic_page_whole(sizes, "sixteen_bit") > 0)
        ic_page_put(page, " With 16 bits: %l.", ic_page_whole(sizes, "sixteen_bit"));
    if (*folder != '\0')
        ic_page_put(page, " Files are called by what follows <code>%s</code>.", folder);
    ic_page_put(page, "</p>\n");
    put_skipped(page);
    ic_page_put(page, "</section>\n");
    status = page->status;
cleanup:
    ic_free(page->context, folder);
    json_decref(data);
    return status;
}

/* ---- The training ---- */

static void put_value(ic_page *page, const json_t *value)
{
    char text[IC_TEXT_FLOAT_MAX];
    ic_page_put(page, "%s",
                json_is_string(value) ? json_string_value(value)
                                      : ic_text_float(json_number_value(value), 6, text));
}

static void put_options(ic_page *page, const json_t *options)
{
    const char *name;
    json_t *value;
    ic_page_put(page, "<details><summary>All settings</summary>\n");
    open_table(page, "t", "Settings of the training", "Option|Value");
    open_body(page);
    json_object_foreach((json_t *)options, name, value)
    {
        ic_page_put(page, "<tr><th scope=\"row\">%s</th><td>", name);
        put_value(page, value);
        ic_page_put(page, "</td></tr>\n");
    }
    close_table(page);
    ic_page_put(page, "</details>\n");
}

void ic_page_training(ic_page *page)
{
    const json_t *training = json_object_get(page->model, "training");
    const json_t *options = json_object_get(training, "options");
    const char *flags = json_string_value(json_object_get(page->model, "flags"));
    ic_page_section(page, "training", "The training, and how to repeat it");
    if (page->report->fold_count > 0)
        ic_page_put(page, "<p>This is of the first of the models.</p>\n");
    if (json_is_object(options))
        ic_page_put(page,
                    "<p>Trained on %l pictures, with %l held out; %l epochs; the weights "
                    "are those of epoch %l.</p>\n",
                    ic_page_whole(training, "pictures"),
                    ic_page_whole(training, "validation_pictures"),
                    (int64_t)json_array_size(json_object_get(training, "epochs")),
                    ic_page_whole(training, "best_epoch"));
    else
        ic_page_put(page, "<p>The model has not been trained.</p>\n");
    ic_page_history(page);
    if (flags != NULL)
        ic_page_put(page,
                    "<h3>To train it again</h3><pre class=\"box\">imgcls train DATA --out MODEL "
                    "%s</pre>\n",
                    flags);
    if (json_is_object(options))
        put_options(page, options);
    if (page->report->command != NULL)
        ic_page_put(page, "<h3>To make this report again</h3><pre class=\"box\">%s</pre>\n",
                    page->report->command);
    ic_page_put(page, "<p>By imgcls %r.</p></section>\n", ic_version());
}

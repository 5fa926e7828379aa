/* report/html_charts.c: the drawings of the page, as SVG within it. SPDX-License-Identifier: MIT */
#include "base/memory.h"
#include "base/status.h"
#include "base/text.h"
#include "report/drawing.h"
#include "report/html.h"

#include <math.h>
#include <string.h>

enum {
    CURVES_MOST = 10,
    CURVES_SHOWN = 6 /* of more classes */,
    DASHED = 5 /* curves from there on */
};
enum { LEFT = 46, TOP = 8, WIDTH = 298, HEIGHT = 230 };

typedef struct axis {
    double low, high, step;
    double times; /* what numbers are shown times: 100 for percent */
    const char *name;
} axis;

typedef struct chart {
    ic_page *page;
    const axis *x, *y;
} chart;

static axis around(double low, double high, double times, const char *name)
{
    const double step = ic_plot_range(&low, &high);
    return (axis){low, high, step, times, name};
}

static double across(const chart *c, double x)
{
    return LEFT + WIDTH * (x - c->x->low) / (c->x->high - c->x->low);
}

static double down(const chart *c, double y)
{
    return TOP + HEIGHT * (c->y->high - y) / (c->y->high - c->y->low);
}

static const char *tick(const axis *a, int32_t index, char text[IC_TEXT_FLOAT_MAX])
{
    return ic_text_float((a->low + index * a->step) * a->times, 4, text);
}

static int32_t ticks(const axis *a)
{
    return (int32_t)((a->high - a->low) / a->step + 1.5);
}

/* The frame of a drawing; what it shows in words is its title and description. */
static chart open_chart(ic_page *page, const char *title, const char *description, const axis *x,
                        const axis *y)
{
    const chart c = {page, x, y};
    char text[IC_TEXT_FLOAT_MAX];
    const int id = page->titles++;
    ic_page_put(page,
                "<figure><h3>%r</h3><svg viewBox=\"0 0 360 %d\" role=\"img\" aria-labelledby=\"t%d "
                "d%d\"><title id=\"t%d\">%r</title><desc id=\"d%d\">%r</desc>\n",
                title, TOP + HEIGHT + 44, id, id, id, title, id, description);
    for (int32_t i = 0; i < ticks(y); i++) {
        const double at = down(&c, y->low + i * y->step);
        ic_page_put(page,
                    "<path class=\"g\" d=\"M%d %ch%d\"/><text x=\"%d\" y=\"%c\" "
                    "text-anchor=\"end\">%r</text>",
                    LEFT, at, WIDTH, LEFT - 6, at + 4, tick(y, i, text));
    }
    for (int32_t i = 0; i < ticks(x); i++)
        ic_page_put(page, "<text x=\"%c\" y=\"%d\" text-anchor=\"middle\">%r</text>",
                    across(&c, x->low + i * x->step), TOP + HEIGHT + 17, tick(x, i, text));
    ic_page_put(
        page,
        "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">%r</text>"
        "<text transform=\"translate(11 %d)rotate(-90)\" text-anchor=\"middle\">%r</text>\n",
        LEFT + WIDTH / 2, TOP + HEIGHT + 36, x->name, TOP + HEIGHT / 2, y->name);
    return c;
}

static void close_chart(const chart *c)
{
    ic_page_put(c->page, "</figure>\n");
}

/* A line through points; those closer than a pixel to the last one are left out, and undefined
 * ones interrupt it. */
static void put_line(const chart *c, const double *xs, const double *ys, int64_t count)
{
    double last_x = -9, last_y = -9;
    bool begun = false;
    for (int64_t i = 0; i < count; i++) {
        const double x = across(c, xs[i]), y = down(c, ys[i]);
        if (!isfinite(y)) {
            begun = false;
            continue;
        }
        if (begun && i < count - 1 && fabs(x - last_x) < 1 && fabs(y - last_y) < 1)
            continue;
        ic_page_put(c->page, "%r%c %c", begun ? "L" : "M", x, y);
        begun = true;
        last_x = x;
        last_y = y;
    }
}

static void put_curve(const chart *c, int32_t index, const double *xs, const double *ys,
                      int64_t count)
{
    ic_page_put(c->page, "<path class=\"k%r\" style=\"--i:%d\" d=\"", index >= DASHED ? " d" : "",
                (int)index);
    put_line(c, xs, ys, count);
    ic_page_put(c->page, "\"/>\n");
}

static void put_key(ic_page *page, int32_t index, const char *name)
{
    ic_page_put(page, "<li class=\"k%r\" style=\"--i:%d\">%n", index >= DASHED ? " d" : "",
                (int)index, name);
}

/* ---- Curves of the classes ---- */

/* Whether both kinds of curves are defined. */
static bool has_curves(const ic_page *page, int32_t index)
{
    return !isnan(page->report->metrics.per_class[index].figures[IC_CLASS_AUC]);
}

/* All classes, or of many the ones of the least AUC; returns how many. */
static int32_t choose_classes(const ic_page *page, int32_t chosen[CURVES_MOST])
{
    const ic_metrics *metrics = &page->report->metrics;
    const int32_t most = metrics->classes > CURVES_MOST ? CURVES_SHOWN : CURVES_MOST;
    int32_t count = 0;
    for (int32_t c = 0; c < metrics->classes; c++) {
        if (!has_curves(page, c))
            continue;
        const double area = metrics->per_class[c].figures[IC_CLASS_AUC];
        int32_t at = count < most ? count++ : most;
        while (metrics->classes > CURVES_MOST && at > 0 &&
               metrics->per_class[chosen[at - 1]].figures[IC_CLASS_AUC] > area) {
            if (at < most)
                chosen[at] = chosen[at - 1];
            at--;
        }
        if (at < most)
            chosen[at] = c;
    }
    return count;
}

static ic_status put_class_curves(ic_page *page, const char *kind, ic_class_figure area,
                                  const chart *c, const int32_t *classes, int32_t count)
{
    for (int32_t i = 0; i < count; i++) {
        const double *x, *y;
        int64_t points;
        IC_TRY(ic_report_curve(page->report, kind, classes[i], &x, &y, NULL, &points));
        put_curve(c, i, x, y, points);
    }
    ic_page_put(page, "</svg><ul class=\"key\">");
    for (int32_t i = 0; i < count; i++) {
        put_key(page, i, ic_page_class(page, classes[i]));
        ic_page_put(page, " %f</li>", page->report->metrics.per_class[classes[i]].figures[area]);
    }
    ic_page_put(page, "</ul>");
    close_chart(c);
    return page->status;
}

static ic_status put_calibration(ic_page *page)
{
    const double *x, *y, *mass;
    int64_t count;
    IC_TRY(ic_report_curve(page->report, "calibration", 0, &x, &y, &mass, &count));
    static const axis stated = {0, 1, 0.2, 100, "stated probability, %"};
    static const axis right = {0, 1, 0.2, 100, "right, %"};
    const chart c =
        open_chart(page, "Calibration", "How often answers of a stated probability were right",
                   &stated, &right);
    ic_page_put(page, "<path class=\"q\" d=\"M%d %dL%d %d\"/>", LEFT, TOP + HEIGHT, LEFT + WIDTH,
                TOP);
    put_curve(&c, 0, x, y, count);
    for (int64_t i = 0; i < count; i++)
        ic_page_put(page, "<circle class=\"k o\" style=\"--i:0\" cx=\"%c\" cy=\"%c\" r=\"3\"/>",
                    across(&c, x[i]), down(&c, y[i]));
    ic_page_put(page,
                "</svg><p class=\"dim\">Each dot is one of %l groups of pictures. On the "
                "dashed line answers are as often right as they say; below it the model is too "
                "sure of itself.</p>",
                count);
    close_chart(&c);
    return page->status;
}

ic_status ic_page_curves(ic_page *page)
{
    static const axis axes[] = {{0, 1, 0.2, 100, "false positive rate, %"},
                                {0, 1, 0.2, 100, "true positive rate, %"},
                                {0, 1, 0.2, 100, "recall, %"},
                                {0, 1, 0.2, 100, "precision, %"}};
    int32_t chosen[CURVES_MOST];
    const int32_t count = choose_classes(page, chosen);
    ic_page_section(page, "curves", "Curves");
    if (page->report->metrics.classes > CURVES_MOST)
        ic_page_put(page,
                    "<p>Of the classes, the %d that are told from the others least well.</p>\n",
                    (int)count);
    ic_page_put(page, "<div class=\"charts\">\n");
    if (count > 0) {
        chart c = open_chart(page, "ROC curves and their AUC",
                             "A curve for each class; the list below has their areas", &axes[0],
                             &axes[1]);
        IC_TRY(put_class_curves(page, "roc", IC_CLASS_AUC, &c, chosen, count));
        c = open_chart(page, "Precision and recall",
                       "A curve for each class; the list below has their average precision",
                       &axes[2], &axes[3]);
        IC_TRY(put_class_curves(page, "precision_recall", IC_CLASS_AVERAGE_PRECISION, &c, chosen,
                                count));
    }
    IC_TRY(put_calibration(page));
    ic_page_put(page, "</div></section>\n");
    return page->status;
}

/* ---- Unknown pictures ---- */

enum { BARS = 32 };

typedef struct histogram {
    double low, width;       /* of the first bar, and of each */
    int64_t counts[BARS][2]; /* right, wrong */
    int64_t most;
    int64_t refused_wrong;
} histogram;

/* The threshold in the middle; what lies beyond twice its distance from the least score is in the
 * last bar. */
static void count_scores(const ic_report *report, histogram *h)
{
    const float *scores = report->unknown;
    double low = INFINITY, high = -INFINITY;
    for (int64_t i = 0; i < report->scores.count; i++) {
        low = fmin(low, (double)scores[i]);
        high = fmax(high, (double)scores[i]);
    }
    low = fmin(low, report->threshold - 1);
    high = fmax(fmin(high, low + 2 * (report->threshold - low)), report->threshold + 1);
    h->low = low;
    h->width = (high - low) / BARS;
    for (int64_t i = 0; i < report->scores.count; i++) {
        const double at = ((double)scores[i] - low) / h->width;
        const int32_t bar = at < BARS - 1 ? (int32_t)at : BARS - 1;
        const bool wrong = ic_scores_predicted(&report->scores, i) != report->scores.labels[i];
        int64_t *counts = h->counts[bar];
        counts[wrong]++;
        h->most = counts[0] + counts[1] > h->most ? counts[0] + counts[1] : h->most;
        h->refused_wrong += wrong && (double)scores[i] > report->threshold;
    }
}

static void put_bars(const chart *c, const histogram *h)
{
    for (int32_t i = 0; i < BARS; i++)
        for (int32_t wrong = 0; wrong < 2; wrong++) {
            const double base = wrong ? (double)h->counts[i][0] : 0;
            const double left = across(c, h->low + i * h->width), bottom = down(c, base);
            const double top = down(c, base + (double)h->counts[i][wrong]);
            if (h->counts[i][wrong] > 0)
                ic_page_put(c->page, "<path fill=\"rgb(var(--%r))\" d=\"M%c %cV%ch%cV%cz\"/>",
                            wrong ? "b" : "a", left, bottom, top,
                            WIDTH * h->width / (c->x->high - c->x->low) - 1, bottom);
        }
}

void ic_page_unknown(ic_page *page)
{
    const ic_report *report = page->report;
    histogram h = {0};
    if (report->unknown == NULL)
        return;
    const int64_t refused = ic_report_refused(report), count = report->scores.count;
    count_scores(report, &h);
    ic_page_section(page, "unknown", "Would it notice something else?");
    ic_page_put(
        page,
        "<p>The model scores how unlike its training pictures a picture is. Above %f it calls a "
        "picture unknown: so set that it does so for %p&nbsp;%% of the validation pictures. "
        "<strong>Of these %l pictures it refuses %l (%p&nbsp;%%)</strong>; its answers for %l of "
        "them are wrong.</p>\n<div class=\"charts\">\n",
        report->threshold, report->share, count, refused, (double)refused / (double)count,
        h.refused_wrong);
    const double high = h.low + BARS * h.width;
    const axis x = around(h.low, high, 1, "score"), y = around(0, (double)h.most, 1, "pictures");
    const chart c = open_chart(page, "Scores", "How many pictures have which score", &x, &y);
    put_bars(&c, &h);
    ic_page_put(
        page,
        "<path class=\"q\" d=\"M%c %dv%d\"/><text x=\"%c\" y=\"%d\">refused &#8594;</text></svg>"
        "<ul class=\"key\"><li><span style=\"color:rgb(var(--a))\">&#9632;</span> right</li>"
        "<li><span style=\"color:rgb(var(--b))\">&#9632;</span> wrong</li></ul>",
        across(&c, report->threshold), TOP, HEIGHT, across(&c, report->threshold) + 5, TOP + 12);
    close_chart(&c);
    ic_page_put(page, "</div></section>\n");
}

/* ---- The training ---- */

enum { TRAINING = DASHED + 1 /* number of the curve of training pictures */ };

/* xs: epochs; ys[0]: of the training pictures, ys[1]: of the unseen ones. */
static void put_history(ic_page *page, const char *title, double times, const double *xs,
                        const double *const ys[2], int64_t count, int64_t best)
{
    double low = INFINITY, high = -INFINITY;
    for (int64_t i = 0; i < 2 * count; i++) {
        low = fmin(low, ys[i / count][i % count]);
        high = fmax(high, ys[i / count][i % count]);
    }
    axis x = around(1, (double)count, 1, "epoch");
    x.low = x.step > 1 ? 0 : 1;
    x.step = fmax(1, x.step);
    const axis y = around(low, high, times, times > 1 ? "right, %" : "loss");
    const chart c =
        open_chart(page, title, "By epoch, for training pictures and unseen ones", &x, &y);
    for (int32_t k = 0; k < 2; k++)
        put_curve(&c, k == 0 ? TRAINING : 0, xs, ys[k], count);
    if (best > 0 && best <= count && isfinite(ys[1][best - 1]))
        ic_page_put(page, "<circle class=\"k o\" style=\"--i:0\" cx=\"%c\" cy=\"%c\" r=\"5\"/>",
                    across(&c, (double)best), down(&c, ys[1][best - 1]));
    ic_page_put(page, "</svg>");
    close_chart(&c);
}

/* One column of the epochs. */
static void read_column(const json_t *epochs, const char *key, double *out)
{
    for (size_t i = 0; i < json_array_size(epochs); i++)
        out[i] = ic_plot_epoch_value(epochs, i, key);
}

void ic_page_history(ic_page *page)
{
    static const char *const keys[] = {"train_loss", "validation_loss", "train_accuracy",
                                       "validation_accuracy"};
    const json_t *training = json_object_get(page->model, "training");
    const json_t *epochs = json_object_get(training, "epochs");
    const size_t count = json_array_size(epochs);
    const int64_t best = json_integer_value(json_object_get(training, "best_epoch"));
    double *columns = NULL;
    if (count == 0)
        return;
    if (page->status >= 0)
        page->status = ic_allocate_array(page->context, count, 5 * sizeof *columns, &columns);
    if (page->status < 0)
        return;
    for (size_t i = 0; i < count; i++)
        columns[i] = (double)(i + 1);
    for (size_t k = 0; k < 4; k++)
        read_column(epochs, keys[k], columns + (k + 1) * count);
    ic_page_put(page, "<div class=\"charts\">\n");
    const double *const losses[] = {columns + count, columns + 2 * count};
    const double *const accuracies[] = {columns + 3 * count, columns + 4 * count};
    put_history(page, "Loss", 1, columns, losses, (int64_t)count, best);
    put_history(page, "Accuracy", 100, columns, accuracies, (int64_t)count, best);
    ic_page_put(page, "</div><ul class=\"key\">");
    put_key(page, TRAINING, "training pictures");
    ic_page_put(page, "</li>");
    put_key(page, 0, "unseen pictures; the dot is the epoch that was kept");
    ic_page_put(page, "</li></ul>\n");
    ic_free(page->context, columns);
}

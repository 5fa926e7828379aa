/* report/confusion.c: the confusion matrix as a picture. SPDX-License-Identifier: MIT */
#include "base/status.h"
#include "base/text.h"
#include "evaluate/report.h"
#include "report/plot.h"

#include <imgcls/report.h>

#include <string.h>

enum { INK = 0x222222, FAINT = 0x777777, GRID = 0xdddddd };

enum { NAME_MAX = 280, HEADING = 20, SUBHEADING = 13, MARGIN = 24 }; /* pixels */

static const char what_shades_mean[] = "each row is one class; the darker, the larger its share";

/* Where things stand, in pixels. */
typedef struct layout {
    int32_t classes;
    double cell; /* side of a cell, the line between it and the next included */
    double gap;  /* width of that line */
    double font; /* of names and counts; 0: too many classes for either */
    double left, top;
    int32_t width, height;
} layout;

static double larger(double a, double b)
{
    return a > b ? a : b;
}

static layout lay_out(const ic_report *report, const char *heading)
{
    layout l = {.classes = ic_report_class_count(report)};
    l.cell = l.classes <= 6 ? 72 : l.classes <= 12 ? 52 : l.classes <= 30 ? 26 : 900.0 / l.classes;
    l.cell = larger(l.cell, 1);
    l.gap = l.cell >= 8 ? 1 : 0;
    l.font = l.cell >= 50 ? 14 : l.cell >= 20 ? 10 : 0;
    double names = 0;
    for (int32_t c = 0; c < l.classes && l.font > 0; c++) {
        double width = ic_plot_text_width(l.font, ic_report_class_name(report, c));
        names = larger(names, width < NAME_MAX ? width : NAME_MAX);
    }
    l.left = names + 60;
    l.top = 84;
    double side = l.cell * l.classes;
    double text = larger(ic_plot_text_width(HEADING, heading),
                         ic_plot_text_width(SUBHEADING, what_shades_mean));
    l.width = (int32_t)larger(l.left + side + 30, text + 2 * MARGIN);
    l.height = (int32_t)(l.top + side + names + 60);
    return l;
}

/* From white to blue by the share of the row. */
static uint32_t shade(double share)
{
    const int32_t dark[3] = {0x0b, 0x4f, 0x9c};
    uint32_t colour = 0;
    for (int32_t i = 0; i < 3; i++)
        colour = colour << 8 | (uint32_t)(255 + (dark[i] - 255) * share + 0.5);
    return colour;
}

static int64_t cell_of(const ic_report *report, int32_t actual, int32_t predicted)
{
    int64_t n = 0;
    return ic_report_confusion(report, actual, predicted, &n) < 0 ? 0 : n;
}

/* A count in the middle of its cell, smaller where it would not fit. */
static ic_status draw_count(const layout *l, double x, double y, int64_t n, uint32_t colour,
                            ic_plot *plot)
{
    char text[IC_TEXT_FLOAT_MAX];
    ic_text_float((double)n, 0, text);
    double room = l->cell - 4, width = ic_plot_text_width(l->font, text);
    double font = width > room ? l->font * room / width : l->font;
    return ic_plot_text(plot, x + l->cell / 2, y + l->cell / 2 + 0.36 * font, font,
                        IC_ANCHOR_MIDDLE, false, colour, text);
}

static ic_status draw_row(const ic_report *report, const layout *l, int32_t actual, ic_plot *plot)
{
    int64_t total = 0;
    for (int32_t c = 0; c < l->classes; c++)
        total += cell_of(report, actual, c);
    for (int32_t c = 0; c < l->classes; c++) {
        int64_t n = cell_of(report, actual, c);
        double share = total > 0 ? (double)n / (double)total : 0;
        double x = l->left + c * l->cell, y = l->top + actual * l->cell;
        if (n == 0 && l->gap == 0) /* no grid: a white cell shows nothing */
            continue;
        IC_TRY(ic_plot_rectangle(plot, x, y, l->cell - l->gap, l->cell - l->gap, shade(share)));
        if (n > 0 && l->font > 0)
            IC_TRY(draw_count(l, x, y, n, share > 0.5 ? 0xffffff : INK, plot));
    }
    return IC_OK;
}

static ic_status draw_matrix(const ic_report *report, const layout *l, ic_plot *plot)
{
    double side = l->cell * l->classes;
    IC_TRY(ic_plot_rectangle(plot, l->left - 1, l->top - 1, side + 2 - l->gap, side + 2 - l->gap,
                             GRID));
    if (l->gap == 0)
        IC_TRY(ic_plot_rectangle(plot, l->left, l->top, side, side, 0xffffff));
    for (int32_t c = 0; c < l->classes; c++)
        IC_TRY(draw_row(report, l, c, plot));
    return IC_OK;
}

/* A name that ends at x y; long ones end in dots. */
static ic_status draw_name(const ic_report *report, const layout *l, double x, double y,
                           bool turned, const char *name, ic_plot *plot)
{
    static const char dots[] = "...";
    ic_buffer text = {.context = ic_report_context(report)};
    size_t length = strlen(name);
    ic_status status;
    bool cut = ic_plot_text_width(l->font, name) > NAME_MAX;
    if (cut)
        length = ic_plot_text_fit(l->font, name, NAME_MAX - ic_plot_text_width(l->font, dots));
    IC_TRY_CLEAN(ic_buffer_append(&text, name, length));
    IC_TRY_CLEAN(ic_buffer_append(&text, cut ? dots : "", cut ? sizeof dots : 1));
    status = ic_plot_text(plot, x, y, l->font, IC_ANCHOR_END, turned, INK, (char *)text.bytes);
cleanup:
    ic_buffer_free(&text);
    return status;
}

static ic_status draw_names(const ic_report *report, const layout *l, ic_plot *plot)
{
    double side = l->cell * l->classes;
    for (int32_t c = 0; c < l->classes && l->font > 0; c++) {
        double middle = (c + 0.5) * l->cell + 0.36 * l->font;
        const char *name = ic_report_class_name(report, c);
        IC_TRY(draw_name(report, l, l->left - 8, l->top + middle, false, name, plot));
        IC_TRY(draw_name(report, l, l->left + middle, l->top + side + 8, true, name, plot));
    }
    IC_TRY(ic_plot_text(plot, MARGIN, l->top + side / 2, 14, IC_ANCHOR_MIDDLE, true, FAINT,
                        "what it is"));
    return ic_plot_text(plot, l->left + side / 2, l->height - 14, 14, IC_ANCHOR_MIDDLE, false,
                        FAINT, "what the model says");
}

static ic_status write_heading(const ic_report *report, ic_buffer *text)
{
    double accuracy = 0, count = 0;
    char share[IC_TEXT_FLOAT_MAX], pictures[IC_TEXT_FLOAT_MAX];
    IC_TRY(ic_report_value(report, "accuracy", &accuracy));
    IC_TRY(ic_report_value(report, "count", &count));
    IC_TRY(ic_buffer_print(text, "%s %% of %s pictures right (%s)",
                           ic_text_float(100 * accuracy, 2, share),
                           ic_text_float(count, 0, pictures), ic_report_split(report)));
    return ic_buffer_append(text, "", 1);
}

ic_status ic_report_plot_confusion(const ic_report *report, const char *path)
{
    if (report == NULL || path == NULL)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_report_plot_confusion wants a report and a path");
    ic_buffer heading = {.context = ic_report_context(report)};
    ic_plot *plot = NULL;
    ic_status status;
    IC_TRY_CLEAN(write_heading(report, &heading));
    const char *title = (const char *)heading.bytes;
    layout l = lay_out(report, title);
    IC_TRY_CLEAN(ic_plot_create(ic_report_context(report), l.width, l.height, &plot));
    IC_TRY_CLEAN(ic_plot_text(plot, MARGIN, 34, HEADING, IC_ANCHOR_START, false, INK, title));
    IC_TRY_CLEAN(ic_plot_text(plot, MARGIN, 58, SUBHEADING, IC_ANCHOR_START, false, FAINT,
                              what_shades_mean));
    IC_TRY_CLEAN(draw_matrix(report, &l, plot));
    IC_TRY_CLEAN(draw_names(report, &l, plot));
    IC_TRY_CLEAN(ic_plot_save(plot, path));
cleanup:
    ic_plot_free(plot);
    ic_buffer_free(&heading);
    return status;
}

/* report/confusion.c: the confusion matrix as a picture. SPDX-License-Identifier: MIT */
#include "base/status.h"
#include "base/text.h"
#include "evaluate/report.h"
#include "report/plot.h"

#include <imgcls/report.h>

enum { INK = 0x222222, FAINT = 0x777777, GRID = 0xdddddd };

/* Where things stand, in pixels. */
typedef struct layout {
    int32_t classes;
    double cell; /* side of a cell */
    double font; /* of names and counts; 0: too many classes for either */
    double left, top;
    int32_t width, height;
} layout;

static layout lay_out(const ic_report *report)
{
    layout l = {.classes = ic_report_class_count(report)};
    l.cell = l.classes <= 6 ? 72 : l.classes <= 12 ? 52 : l.classes <= 30 ? 26 : 900.0 / l.classes;
    if (l.cell < 2)
        l.cell = 2;
    l.font = l.cell >= 50 ? 14 : l.cell >= 20 ? 10 : 0;
    double names = 0;
    for (int32_t c = 0; c < l.classes && l.font > 0; c++) {
        double width = ic_plot_text_width(l.font, ic_report_class_name(report, c));
        names = width > names ? width : names;
    }
    l.left = names + 60;
    l.top = 84;
    double side = l.cell * l.classes;
    double title = 460; /* the least width that the heading wants */
    l.width = (int32_t)(l.left + side + 30);
    if (l.width < title)
        l.width = (int32_t)title;
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

static ic_status draw_row(const ic_report *report, const layout *l, int32_t actual, ic_plot *plot)
{
    int64_t total = 0;
    for (int32_t c = 0; c < l->classes; c++)
        total += cell_of(report, actual, c);
    for (int32_t c = 0; c < l->classes; c++) {
        int64_t n = cell_of(report, actual, c);
        double share = total > 0 ? (double)n / (double)total : 0;
        double x = l->left + c * l->cell, y = l->top + actual * l->cell;
        double gap = l->cell >= 8 ? 1 : 0;
        IC_TRY(ic_plot_rectangle(plot, x, y, l->cell - gap, l->cell - gap, shade(share)));
        if (l->font == 0 || n == 0)
            continue;
        char text[IC_TEXT_FLOAT_MAX];
        IC_TRY(ic_plot_text(plot, x + l->cell / 2, y + l->cell / 2 + 0.36 * l->font, l->font,
                            IC_ANCHOR_MIDDLE, false, share > 0.5 ? 0xffffff : INK,
                            ic_text_float((double)n, 0, text)));
    }
    return IC_OK;
}

static ic_status draw_names(const ic_report *report, const layout *l, ic_plot *plot)
{
    double side = l->cell * l->classes;
    for (int32_t c = 0; c < l->classes && l->font > 0; c++) {
        double middle = (c + 0.5) * l->cell;
        const char *name = ic_report_class_name(report, c);
        IC_TRY(ic_plot_text(plot, l->left - 8, l->top + middle + 0.36 * l->font, l->font,
                            IC_ANCHOR_END, false, INK, name));
        IC_TRY(ic_plot_text(plot, l->left + middle + 0.36 * l->font, l->top + side + 8, l->font,
                            IC_ANCHOR_END, true, INK, name));
    }
    IC_TRY(
        ic_plot_text(plot, 24, l->top + side / 2, 14, IC_ANCHOR_MIDDLE, true, FAINT, "what it is"));
    return ic_plot_text(plot, l->left + side / 2, l->height - 14, 14, IC_ANCHOR_MIDDLE, false,
                        FAINT, "what the model says");
}

static ic_status draw_heading(const ic_report *report, ic_plot *plot)
{
    double accuracy = 0, count = 0;
    IC_TRY(ic_report_value(report, "accuracy", &accuracy));
    IC_TRY(ic_report_value(report, "count", &count));
    ic_buffer text = {.context = ic_report_context(report)};
    char share[IC_TEXT_FLOAT_MAX], pictures[IC_TEXT_FLOAT_MAX];
    ic_status status;
    IC_TRY_CLEAN(ic_buffer_print(&text, "%s %% of %s pictures right (%s)",
                                 ic_text_float(100 * accuracy, 2, share),
                                 ic_text_float(count, 0, pictures), ic_report_split(report)));
    IC_TRY_CLEAN(ic_buffer_append(&text, "", 1));
    IC_TRY_CLEAN(
        ic_plot_text(plot, 24, 34, 20, IC_ANCHOR_START, false, INK, (const char *)text.bytes));
    IC_TRY_CLEAN(ic_plot_text(plot, 24, 58, 13, IC_ANCHOR_START, false, FAINT,
                              "each row is one class; the darker, the larger its share"));
cleanup:
    ic_buffer_free(&text);
    return status;
}

ic_status ic_report_plot_confusion(const ic_report *report, const char *path)
{
    if (report == NULL || path == NULL)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_report_plot_confusion wants a report and a path");
    layout l = lay_out(report);
    ic_plot *plot = NULL;
    IC_TRY(ic_plot_create(ic_report_context(report), l.width, l.height, &plot));
    ic_status status;
    IC_TRY_CLEAN(draw_heading(report, plot));
    double side = l.cell * l.classes;
    IC_TRY_CLEAN(ic_plot_rectangle(plot, l.left - 1, l.top - 1, side + 1, side + 1, GRID));
    for (int32_t c = 0; c < l.classes; c++)
        IC_TRY_CLEAN(draw_row(report, &l, c, plot));
    IC_TRY_CLEAN(draw_names(report, &l, plot));
    IC_TRY_CLEAN(ic_plot_save(plot, path));
cleanup:
    ic_plot_free(plot);
    return status;
}

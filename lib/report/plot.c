/* report/plot.c: the list of what a plot shows. SPDX-License-Identifier: MIT */
#include "report/drawing.h"

#include "base/file.h"
#include "base/status.h"
#include "base/text.h"
#include "report/font.h"

#include <string.h>

ic_status ic_plot_create(ic_context *context, int32_t width, int32_t height, ic_plot **out)
{
    ic_plot *plot;
    IC_TRY(ic_allocate_zero(context, sizeof *plot, &plot));
    plot->context = ic_context_retain(context);
    plot->width = width;
    plot->height = height;
    plot->texts.context = context;
    *out = plot;
    return IC_OK;
}

void ic_plot_free(ic_plot *plot)
{
    if (plot == NULL)
        return;
    ic_context *context = plot->context;
    for (size_t i = 0; i < plot->count; i++)
        ic_image_free(plot->shapes[i].image);
    ic_buffer_free(&plot->texts);
    ic_free(context, plot->shapes);
    ic_free(context, plot);
    ic_context_free(context);
}

static ic_status add_shape(ic_plot *plot, const ic_plot_shape *shape)
{
    IC_TRY(ic_grow(plot->context, &plot->shapes, &plot->capacity, plot->count + 1,
                   sizeof *plot->shapes));
    plot->shapes[plot->count++] = *shape;
    return IC_OK;
}

ic_status ic_plot_rectangle(ic_plot *plot, double x, double y, double width, double height,
                            uint32_t colour)
{
    const ic_plot_shape shape = {
        .kind = IC_SHAPE_RECTANGLE, .x = x, .y = y, .u = width, .v = height, .colour = colour};
    return add_shape(plot, &shape);
}

ic_status ic_plot_line(ic_plot *plot, double x0, double y0, double x1, double y1, double width,
                       uint32_t colour)
{
    const ic_plot_shape shape = {
        .kind = IC_SHAPE_LINE, .x = x0, .y = y0, .u = x1, .v = y1, .size = width, .colour = colour};
    return add_shape(plot, &shape);
}

ic_status ic_plot_circle(ic_plot *plot, double x, double y, double radius, uint32_t colour)
{
    const ic_plot_shape shape = {
        .kind = IC_SHAPE_CIRCLE, .x = x, .y = y, .size = radius, .colour = colour};
    return add_shape(plot, &shape);
}

ic_status ic_plot_text(ic_plot *plot, double x, double y, double size, ic_anchor anchor,
                       bool turned, uint32_t colour, const char *text)
{
    const ic_plot_shape shape = {.kind = IC_SHAPE_TEXT,
                                 .x = x,
                                 .y = y,
                                 .size = size,
                                 .anchor = anchor,
                                 .turned = turned,
                                 .colour = colour,
                                 .text = plot->texts.size};
    IC_TRY(ic_buffer_append(&plot->texts, text, strlen(text) + 1));
    return add_shape(plot, &shape);
}

ic_status ic_plot_picture(ic_plot *plot, int32_t x, int32_t y, int32_t factor, ic_image *image)
{
    const ic_plot_shape shape = {.kind = IC_SHAPE_PICTURE,
                                 .x = x,
                                 .y = y,
                                 .u = image->width * factor,
                                 .v = image->height * factor,
                                 .image = image};
    IC_TRY(add_shape(plot, &shape));
    ic_image_retain(image);
    return IC_OK;
}

double ic_plot_text_width(double size, const char *text)
{
    int32_t units = 0;
    while (*text != '\0')
        units += ic_font_next(&text)->width + IC_FONT_GAP;
    return units > 0 ? (units - IC_FONT_GAP) * ic_plot_text_unit(size) : 0;
}

size_t ic_plot_text_fit(double size, const char *text, double width)
{
    const char *end = text;
    double used = 0;
    while (*end != '\0') {
        const char *next = end;
        used += (ic_font_next(&next)->width + IC_FONT_GAP) * ic_plot_text_unit(size);
        if (used > width)
            break;
        end = next;
    }
    return (size_t)(end - text);
}

ic_status ic_plot_save(const ic_plot *plot, const char *path)
{
    ic_buffer bytes = {.context = plot->context};
    ic_status status;
    if (ic_text_ends(path, ".png"))
        status = ic_plot_png(plot, &bytes);
    else if (ic_text_ends(path, ".svg"))
        status = ic_plot_svg(plot, &bytes);
    else
        status = ic_fail(IC_ERROR_ARGUMENT, "a plot is written as .png or .svg, not as %s", path);
    if (status >= 0)
        status = ic_file_save(plot->context, path, bytes.bytes, bytes.size);
    ic_buffer_free(&bytes);
    return status;
}

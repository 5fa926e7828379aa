/*
 * report/plot.h: one description of a plot, drawn as PNG or as SVG: lines, rectangles, text in a
 * plain list, so both look the same. SPDX-License-Identifier: MIT
 */
#ifndef REPORT_PLOT_H
#define REPORT_PLOT_H

#include "image/image.h"

typedef struct ic_plot ic_plot;

/* Sizes and positions in pixels from the top left; colours 0xRRGGBB. */
ic_status ic_plot_create(ic_context *context, int32_t width, int32_t height, ic_plot **out);
void ic_plot_free(ic_plot *plot);

typedef enum ic_anchor { IC_ANCHOR_START, IC_ANCHOR_MIDDLE, IC_ANCHOR_END } ic_anchor;

ic_status ic_plot_rectangle(ic_plot *plot, double x, double y, double width, double height,
                            uint32_t colour);
ic_status ic_plot_line(ic_plot *plot, double x0, double y0, double x1, double y1, double width,
                       uint32_t colour);
ic_status ic_plot_circle(ic_plot *plot, double x, double y, double radius, uint32_t colour);
/* UTF-8; in PNG accented Latin letters lose their accents and other scripts are boxes
 * (report/font.h). turned: reads upwards. */
ic_status ic_plot_text(ic_plot *plot, double x, double y, double size, ic_anchor anchor,
                       bool turned, uint32_t colour, const char *text);
/* A picture of 8-bit RGB, each pixel a square of `factor` pixels; a reference is kept. x and y are
 * whole numbers, and all of it lies within the plot. */
ic_status ic_plot_picture(ic_plot *plot, int32_t x, int32_t y, int32_t factor, ic_image *image);
double ic_plot_text_width(double size, const char *text);
/* How many bytes of text, in whole characters, fit into a width. */
size_t ic_plot_text_fit(double size, const char *text, double width);

ic_status ic_plot_svg(const ic_plot *plot, ic_buffer *out);
ic_status ic_plot_png(const ic_plot *plot, ic_buffer *out);

/* By the ending of path: .png or .svg; anything else is IC_ERROR_ARGUMENT. */
ic_status ic_plot_save(const ic_plot *plot, const char *path);

#endif

/* report/drawing.h: the inside of a plot, for the files that draw it. SPDX-License-Identifier: MIT
 */
#ifndef REPORT_DRAWING_H
#define REPORT_DRAWING_H

#include "base/json.h"
#include "report/plot.h"

typedef enum ic_shape_kind {
    IC_SHAPE_RECTANGLE, /* x y, size u v */
    IC_SHAPE_LINE,      /* x y to u v, size wide */
    IC_SHAPE_CIRCLE,    /* around x y, radius size */
    IC_SHAPE_TEXT,      /* baseline at x y */
    IC_SHAPE_PICTURE    /* x y, size u v */
} ic_shape_kind;

typedef struct ic_plot_shape {
    ic_shape_kind kind;
    double x, y, u, v, size;
    uint32_t colour;
    ic_anchor anchor;
    bool turned;
    size_t text; /* offset in the plot's texts */
    ic_image *image;
} ic_plot_shape;

struct ic_plot {
    ic_context *context;
    int32_t width, height;
    ic_plot_shape *shapes; /* in the order of drawing, on white */
    size_t count, capacity;
    ic_buffer texts;
};

/* Behind what `out` holds. */
ic_status ic_base64(ic_buffer *out, const unsigned char *bytes, size_t size);

/* 1, 2 or 5 times a power of ten, so that about `wanted` steps fit into range. */
double ic_plot_step(double range, int32_t wanted);

/* Widens what is to be drawn to whole steps, about five of them, and returns the step; low > high:
 * there is nothing. */
double ic_plot_range(double *low, double *high);

/*
 * A number of an epoch ("train_loss" …) as the record of a training has it, which is from a file:
 * NaN where there is none, or none that a scale can show.
 */
double ic_plot_epoch_value(const json_t *epochs, size_t index, const char *key);

/* A font size in pixels to the grid unit of report/font.h: capitals are 0.72 of the size, as in
 * common fonts. */
static inline double ic_plot_text_unit(double size)
{
    return 0.72 * size / 7;
}

#endif

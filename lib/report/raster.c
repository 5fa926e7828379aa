/*
 * report/raster.c: a plot as PNG. Each shape gives every pixel a coverage in 0..1 from the distance
 * of the pixel's centre to the shape, and its colour is blended in by that.
 * SPDX-License-Identifier: MIT
 */
#include "report/drawing.h"

#include "base/status.h"
#include "image/image.h"
#include "report/font.h"

#include <math.h>
#include <string.h>

static double clamp(double x, double low, double high)
{
    return x < low ? low : x > high ? high : x;
}

static void blend(ic_image *image, int32_t x, int32_t y, uint32_t colour, double coverage)
{
    unsigned char *p = ic_image_row(image, y) + 3 * (size_t)x;
    for (int32_t c = 0; c < 3; c++) {
        double to = (double)(colour >> (16 - 8 * c) & 255);
        p[c] = (unsigned char)(p[c] + (to - p[c]) * coverage + 0.5);
    }
}

/* The pixels that a shape between these coordinates can touch. */
typedef struct span {
    int32_t x0, y0, x1, y1;
} span;

static span span_of(const ic_image *image, double left, double top, double right, double bottom)
{
    return (span){(int32_t)clamp(floor(left), 0, image->width),
                  (int32_t)clamp(floor(top), 0, image->height),
                  (int32_t)clamp(ceil(right), 0, image->width),
                  (int32_t)clamp(ceil(bottom), 0, image->height)};
}

/* How much of [at, at+1) lies in [low, high). */
static double overlap(int32_t at, double low, double high)
{
    return clamp(fmin(at + 1, high) - fmax(at, low), 0, 1);
}

static void fill_rectangle(ic_image *image, const ic_plot_shape *s)
{
    span p = span_of(image, s->x, s->y, s->x + s->u, s->y + s->v);
    for (int32_t y = p.y0; y < p.y1; y++)
        for (int32_t x = p.x0; x < p.x1; x++)
            blend(image, x, y, s->colour,
                  overlap(x, s->x, s->x + s->u) * overlap(y, s->y, s->y + s->v));
}

/* A stroke with round ends; a circle is one without length. */
static void stroke(ic_image *image, double x0, double y0, double x1, double y1, double radius,
                   uint32_t colour)
{
    double dx = x1 - x0, dy = y1 - y0, length = dx * dx + dy * dy;
    span p = span_of(image, fmin(x0, x1) - radius - 1, fmin(y0, y1) - radius - 1,
                     fmax(x0, x1) + radius + 1, fmax(y0, y1) + radius + 1);
    for (int32_t y = p.y0; y < p.y1; y++)
        for (int32_t x = p.x0; x < p.x1; x++) {
            double px = x + 0.5 - x0, py = y + 0.5 - y0;
            double t = length > 0 ? clamp((px * dx + py * dy) / length, 0, 1) : 0;
            double ex = px - t * dx, ey = py - t * dy;
            double coverage = clamp(radius + 0.5 - sqrt(ex * ex + ey * ey), 0, 1);
            if (coverage > 0)
                blend(image, x, y, colour, coverage);
        }
}

/* One glyph with its origin (top of capitals) at ox oy; turned: reading upwards. */
static void draw_glyph(ic_image *image, const ic_glyph *glyph, double ox, double oy, double unit,
                       const ic_plot_shape *s)
{
    double radius = clamp(0.055 * s->size, 0.5, 4);
    double lx = 0, ly = 0;
    bool pen_down = false;
    for (const char *p = glyph->strokes; *p != '\0';) {
        if (*p == ' ') {
            pen_down = false;
            p++;
            continue;
        }
        double gx = (p[0] - '0') * unit, gy = (p[1] - '0') * unit;
        double x = s->turned ? ox + gy : ox + gx, y = s->turned ? oy - gx : oy + gy;
        if (pen_down)
            stroke(image, lx, ly, x, y, radius, s->colour);
        lx = x;
        ly = y;
        pen_down = true;
        p += 2;
    }
}

static void draw_text(ic_image *image, const ic_plot_shape *s, const char *text)
{
    double unit = ic_plot_text_unit(s->size), width = ic_plot_text_width(s->size, text);
    double back = s->anchor == IC_ANCHOR_MIDDLE ? width / 2
                  : s->anchor == IC_ANCHOR_END  ? width
                                                : 0;
    double rise = IC_FONT_CAPITAL * unit;
    double x = s->turned ? s->x - rise : s->x - back, y = s->turned ? s->y + back : s->y - rise;
    while (*text != '\0') {
        const ic_glyph *glyph = ic_font_next(&text);
        draw_glyph(image, glyph, x, y, unit, s);
        double step = (glyph->width + IC_FONT_GAP) * unit;
        if (s->turned)
            y -= step;
        else
            x += step;
    }
}

static void draw_picture(ic_image *image, const ic_plot_shape *s)
{
    const int32_t factor = (int32_t)s->u / s->image->width;
    for (int32_t y = 0; y < (int32_t)s->v; y++) {
        const unsigned char *from = ic_image_row(s->image, y / factor);
        unsigned char *to = ic_image_row(image, (int32_t)s->y + y) + 3 * (size_t)s->x;
        for (int32_t x = 0; x < (int32_t)s->u; x++)
            memcpy(to + 3 * x, from + 3 * (x / factor), 3);
    }
}

ic_status ic_plot_png(const ic_plot *plot, ic_buffer *out)
{
    ic_image *image;
    IC_TRY(ic_image_create(plot->context, plot->width, plot->height, 3, 8, &image));
    for (int32_t y = 0; y < image->height; y++)
        for (size_t i = 0; i < 3 * (size_t)image->width; i++)
            ic_image_row(image, y)[i] = 255;
    for (size_t i = 0; i < plot->count; i++) {
        const ic_plot_shape *s = &plot->shapes[i];
        switch (s->kind) {
        case IC_SHAPE_RECTANGLE:
            fill_rectangle(image, s);
            break;
        case IC_SHAPE_LINE:
            stroke(image, s->x, s->y, s->u, s->v, s->size / 2, s->colour);
            break;
        case IC_SHAPE_CIRCLE:
            stroke(image, s->x, s->y, s->x, s->y, s->size, s->colour);
            break;
        case IC_SHAPE_TEXT:
            draw_text(image, s, (const char *)plot->texts.bytes + s->text);
            break;
        case IC_SHAPE_PICTURE:
            draw_picture(image, s);
            break;
        }
    }
    ic_status status = ic_png_encode(image, out);
    ic_image_free(image);
    return status;
}

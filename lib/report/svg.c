/* report/svg.c: a plot as SVG 1.1. SPDX-License-Identifier: MIT */
#include "report/drawing.h"

#include "base/status.h"
#include "base/text.h"

#include <string.h>

/* A number for an attribute. */
typedef struct number {
    char text[IC_TEXT_FLOAT_MAX];
} number;

static const char *put(double value, number *n)
{
    return ic_text_float(value, 2, n->text);
}

static ic_status escape(ic_buffer *out, const char *text)
{
    for (; *text != '\0'; text++) {
        const char *entity = *text == '<'   ? "&lt;"
                             : *text == '>' ? "&gt;"
                             : *text == '&' ? "&amp;"
                                            : NULL;
        unsigned char c = (unsigned char)*text;
        if (entity != NULL)
            IC_TRY(ic_buffer_append(out, entity, strlen(entity)));
        else if (c >= 0x20)
            IC_TRY(ic_buffer_append(out, text, 1));
    }
    return IC_OK;
}

static ic_status text_element(const ic_plot *plot, const ic_plot_shape *s, ic_buffer *out)
{
    static const char *const anchors[] = {"start", "middle", "end"};
    number x, y, size;
    put(s->x, &x);
    put(s->y, &y);
    IC_TRY(ic_buffer_print(out,
                           "<text x=\"%s\" y=\"%s\" font-size=\"%s\" text-anchor=\"%s\" "
                           "fill=\"#%06x\"",
                           x.text, y.text, put(s->size, &size), anchors[s->anchor],
                           (unsigned)s->colour));
    if (s->turned)
        IC_TRY(ic_buffer_print(out, " transform=\"rotate(-90 %s %s)\"", x.text, y.text));
    IC_TRY(ic_buffer_print(out, ">"));
    IC_TRY(escape(out, (const char *)plot->texts.bytes + s->text));
    return ic_buffer_print(out, "</text>\n");
}

ic_status ic_base64(ic_buffer *out, const unsigned char *bytes, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < size; i += 3) {
        size_t left = size - i;
        uint32_t bits = (uint32_t)bytes[i] << 16 | (left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0) |
                        (left > 2 ? bytes[i + 2] : 0);
        char four[4] = {digits[bits >> 18], digits[bits >> 12 & 63],
                        left > 1 ? digits[bits >> 6 & 63] : '=',
                        left > 2 ? digits[bits & 63] : '='};
        IC_TRY(ic_buffer_append(out, four, sizeof four));
    }
    return IC_OK;
}

/* As a PNG of its own, in the file. */
static ic_status image_element(const ic_plot_shape *s, ic_buffer *out)
{
    ic_buffer png = {.context = s->image->context};
    ic_status status;
    IC_TRY_CLEAN(ic_png_encode(s->image, &png));
    IC_TRY_CLEAN(ic_buffer_print(out,
                                 "<image xmlns:xlink=\"http://www.w3.org/1999/xlink\" x=\"%d\" "
                                 "y=\"%d\" width=\"%d\" height=\"%d\" "
                                 "style=\"image-rendering:pixelated\" "
                                 "xlink:href=\"data:image/png;base64,",
                                 (int)s->x, (int)s->y, (int)s->u, (int)s->v));
    IC_TRY_CLEAN(ic_base64(out, png.bytes, png.size));
    IC_TRY_CLEAN(ic_buffer_print(out, "\"/>\n"));
cleanup:
    ic_buffer_free(&png);
    return status;
}

static ic_status element(const ic_plot *plot, const ic_plot_shape *s, ic_buffer *out)
{
    number x, y, u, v, size;
    put(s->x, &x);
    put(s->y, &y);
    put(s->u, &u);
    put(s->v, &v);
    put(s->size, &size);
    switch (s->kind) {
    case IC_SHAPE_RECTANGLE:
        return ic_buffer_print(
            out, "<rect x=\"%s\" y=\"%s\" width=\"%s\" height=\"%s\" fill=\"#%06x\"/>\n", x.text,
            y.text, u.text, v.text, (unsigned)s->colour);
    case IC_SHAPE_LINE:
        return ic_buffer_print(out,
                               "<line x1=\"%s\" y1=\"%s\" x2=\"%s\" y2=\"%s\" stroke=\"#%06x\" "
                               "stroke-width=\"%s\" stroke-linecap=\"round\"/>\n",
                               x.text, y.text, u.text, v.text, (unsigned)s->colour, size.text);
    case IC_SHAPE_CIRCLE:
        return ic_buffer_print(out, "<circle cx=\"%s\" cy=\"%s\" r=\"%s\" fill=\"#%06x\"/>\n",
                               x.text, y.text, size.text, (unsigned)s->colour);
    case IC_SHAPE_PICTURE:
        return image_element(s, out);
    case IC_SHAPE_TEXT:
        break;
    }
    return text_element(plot, s, out);
}

ic_status ic_plot_svg(const ic_plot *plot, ic_buffer *out)
{
    IC_TRY(ic_buffer_print(out,
                           "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
                           "viewBox=\"0 0 %d %d\" font-family=\"system-ui, sans-serif\">\n"
                           "<rect width=\"100%%\" height=\"100%%\" fill=\"#ffffff\"/>\n",
                           (int)plot->width, (int)plot->height, (int)plot->width,
                           (int)plot->height));
    for (size_t i = 0; i < plot->count; i++)
        IC_TRY(element(plot, &plot->shapes[i], out));
    return ic_buffer_print(out, "</svg>\n");
}

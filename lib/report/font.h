/* report/font.h: the strokes of letters for PNG plots. SPDX-License-Identifier: MIT */
#ifndef REPORT_FONT_H
#define REPORT_FONT_H

#include <stdint.h>

/*
 * A glyph is polylines on a grid: x from 0, y from 0 (top of capitals) over 7 (baseline) to 9
 * (descenders). strokes: points of two digits "xy", polylines apart by a space.
 */
typedef struct ic_glyph {
    int32_t width; /* of the drawn part, grid units */
    const char *strokes;
} ic_glyph;

enum { IC_FONT_CAPITAL = 7, IC_FONT_GAP = 2 };

/* The glyph of the next character of UTF-8 text, which moves on: printable ASCII, the base letters
 * of accented Latin ones ("e" for "é"), a box for all others. */
const ic_glyph *ic_font_next(const char **text);

#endif

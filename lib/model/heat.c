/* model/heat.c: values over a rectangle, seen in other pixels. SPDX-License-Identifier: MIT */
#include "model/explain.h"

/* Pixels to both sides of a point, and the share of the second one. */
typedef struct between {
    int32_t first, second;
    double share;
} between;

static between find(double at, int32_t count)
{
    at -= 0.5;
    if (at <= 0)
        return (between){0, 0, 0};
    const int32_t first = (int32_t)at;
    if (first >= count - 1)
        return (between){count - 1, count - 1, 0};
    return (between){first, first + 1, at - first};
}

float ic_heat_at(const ic_heat *heat, double x, double y)
{
    const between column = find(x, heat->width), row = find(y, heat->height);
    const float *upper = heat->values + (size_t)row.first * (size_t)heat->width;
    const float *lower = heat->values + (size_t)row.second * (size_t)heat->width;
    const double a =
        upper[column.first] + column.share * (upper[column.second] - upper[column.first]);
    const double b =
        lower[column.first] + column.share * (lower[column.second] - lower[column.first]);
    return (float)(a + row.share * (b - a));
}

void ic_heat_enlarge(const ic_heat *heat, int32_t width, int32_t height, float *out)
{
    const double across = (double)heat->width / width, down = (double)heat->height / height;
    for (int32_t y = 0; y < height; y++)
        for (int32_t x = 0; x < width; x++)
            *out++ = ic_heat_at(heat, (x + 0.5) * across, (y + 0.5) * down);
}

bool ic_explanation_row(const ic_explanation *explanation, int32_t y, float *row)
{
    const ic_explanation *e = explanation;
    const ic_box *seen = &e->seen;
    const double down = (y + 0.5 - seen->y) / seen->height;
    const bool inside = down >= 0 && down <= 1;
    for (int32_t x = 0; x < e->image->width; x++) {
        const double across = (x + 0.5 - seen->x) / seen->width;
        row[x] = inside && across >= 0 && across <= 1
                     ? ic_heat_at(&e->tensor, across * e->tensor.width, down * e->tensor.height)
                     : 0;
    }
    return inside;
}

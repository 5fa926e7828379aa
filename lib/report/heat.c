/* report/heat.c: the map of an explanation over its picture. SPDX-License-Identifier: MIT */
#include "base/status.h"
#include "model/explain.h"

/*
 * The colours of heat 0, 1/4 ... 1: each clearly lighter than the one before, so that the order is
 * seen without hue; and no green beside red.
 */
static const uint32_t scale[] = {0x2a0a5e, 0x8c1d6e, 0xdc4a32, 0xf9a01e, 0xfdf4b0};
enum { STEPS = sizeof scale / sizeof *scale - 1 };

static const double unseen_light = 0.25, seen_light = 0.6; /* of the grey picture */
static const double cover_most = 0.7;                      /* of the picture, by the colours */
static const double cover_full = 0.5;                      /* the heat from where on they do */

/* Blends the colour of a heat over a grey. */
static void paint(double heat, double grey, unsigned char *rgb)
{
    const int32_t step = heat * STEPS < STEPS - 1 ? (int32_t)(heat * STEPS) : STEPS - 1;
    const double share = heat * STEPS - step;
    const double cover = cover_most * (heat < cover_full ? heat / cover_full : 1);
    for (int32_t c = 0; c < 3; c++) {
        const double low = scale[step] >> (16 - 8 * c) & 255;
        const double high = scale[step + 1] >> (16 - 8 * c) & 255;
        rgb[c] = (unsigned char)(grey + (low + share * (high - low) - grey) * cover + 0.5);
    }
}

/* The part of a row that the network has seen begins at the first pixel whose centre is in it. */
static bool is_seen(const ic_explanation *e, int32_t x)
{
    return x + 0.5 >= e->seen.x && x + 0.5 <= e->seen.x + e->seen.width;
}

static void paint_row(const ic_explanation *e, const ic_image *grey, int32_t y, float *heat,
                      ic_image *out)
{
    const bool inside = ic_explanation_row(e, y, heat);
    const unsigned char *from = ic_image_row(grey, y);
    unsigned char *to = ic_image_row(out, y);
    for (int32_t x = 0; x < out->width; x++, to += 3) {
        const double light = inside && is_seen(e, x) ? seen_light : unseen_light;
        const double value =
            grey->depth == 8 ? from[x] : ((const uint16_t *)(const void *)from)[x] / 257.0;
        paint((double)heat[x], value * light, to);
    }
}

ic_status ic_explanation_image(const ic_explanation *explanation, ic_image **out)
{
    if (explanation == NULL || out == NULL)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_explanation_image: %s is NULL",
                       explanation == NULL ? "explanation" : "out");
    ic_context *context = explanation->context;
    const ic_image *image = explanation->image;
    ic_image *grey = NULL, *made = NULL;
    float *row = NULL;
    ic_status status;
    IC_TRY_CLEAN(ic_image_convert(explanation->image, 1, &grey));
    IC_TRY_CLEAN(ic_image_create(context, image->width, image->height, 3, 8, &made));
    IC_TRY_CLEAN(ic_allocate_array(context, (size_t)image->width, sizeof *row, &row));
    for (int32_t y = 0; y < image->height; y++)
        paint_row(explanation, grey, y, row, made);
    *out = made;
    made = NULL;
cleanup:
    ic_free(context, row);
    ic_image_free(made);
    ic_image_free(grey);
    return status;
}

/* image/orient.c: turning and mirroring pictures upright as EXIF says. SPDX-License-Identifier: MIT
 */
#include "base/status.h"
#include "image/codec.h"

#include <string.h>

/* Where output pixel (0, 0) comes from, and how far its right and its lower neighbour's lie. */
typedef struct walk {
    const unsigned char *origin;
    ptrdiff_t step_x, step_y;
} walk;

/*
 * EXIF's eight orientations are the symmetries of a rectangle: mirror left to right, mirror top to
 * bottom, then perhaps exchange the axes.
 */
static walk walk_of(const ic_image *image, int32_t orientation, ptrdiff_t pixel)
{
    bool mirror_x = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
    bool mirror_y = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
    ptrdiff_t step_x = mirror_x ? -pixel : pixel;
    ptrdiff_t step_y = mirror_y ? -(ptrdiff_t)image->stride : (ptrdiff_t)image->stride;
    walk w = {image->pixels, step_x, step_y};

    if (mirror_x)
        w.origin += (image->width - 1) * pixel;
    if (mirror_y)
        w.origin += (size_t)(image->height - 1) * image->stride;
    if (ic_exif_turns(orientation)) {
        w.step_x = step_y;
        w.step_y = step_x;
    }
    return w;
}

/* In square tiles, so that both pictures stay in the cache while one is read along its columns. */
enum { TILE = 32 };

static inline void copy_tile(ic_image *target, const walk *w, int32_t left, int32_t top,
                             size_t pixel)
{
    int32_t right = left + TILE < target->width ? left + TILE : target->width;
    int32_t bottom = top + TILE < target->height ? top + TILE : target->height;

    for (int32_t y = top; y < bottom; y++) {
        const unsigned char *from = w->origin + y * w->step_y + left * w->step_x;
        unsigned char *to = ic_image_row(target, y) + (size_t)left * pixel;

        for (int32_t x = left; x < right; x++, from += w->step_x, to += pixel)
            memcpy(to, from, pixel);
    }
}

/* `pixel` is a constant where this is inlined, so that memcpy becomes a move or two. */
static inline void copy_all(ic_image *target, const walk *w, size_t pixel)
{
    for (int32_t y = 0; y < target->height; y += TILE)
        for (int32_t x = 0; x < target->width; x += TILE)
            copy_tile(target, w, x, y, pixel);
}

ic_status ic_image_orient(ic_image *image, int32_t orientation, ic_image **out)
{
    bool turn = ic_exif_turns(orientation);
    int32_t width = turn ? image->height : image->width;
    int32_t height = turn ? image->width : image->height;
    size_t pixel = (size_t)(image->channels * image->depth / 8);
    ic_image *upright;
    walk w;

    if (orientation == 1) {
        *out = ic_image_retain(image);
        return IC_OK;
    }
    IC_TRY(ic_image_create(image->context, width, height, image->channels, image->depth, &upright));
    w = walk_of(image, orientation, (ptrdiff_t)pixel);
    switch (pixel) {
    case 1:
        copy_all(upright, &w, 1);
        break;
    case 3:
        copy_all(upright, &w, 3);
        break;
    case 4:
        copy_all(upright, &w, 4);
        break;
    default:
        copy_all(upright, &w, pixel);
    }
    *out = upright;
    return IC_OK;
}

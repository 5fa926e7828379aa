/*
 * dataset/prove.c: whether one picture is a part of another. The second is laid over the first by
 * Gauss-Newton steps on the part's corner and sides (Lucas and Kanade 1981, with light and contrast
 * fitted as well); then small blocks are correlated one by one. Pictures that are only alike agree
 * in their large shapes; the same picture agrees in its detail, nearly everywhere.
 * SPDX-License-Identifier: MIT
 */
#include "base/status.h"
#include "dataset/sketch.h"

#include <math.h>
#include <string.h>

enum { FULL = IC_PROOF_SIDE, SMALL = IC_SKETCH_SIDE, BLOCK = 8, UNKNOWNS = 6, STEPS = 5 };

/*
 * Agreement of the sketches, and of the pictures at half the size, below which it is not worth
 * going on: copies have 0.92 and 0.9 at least, X-rays of two people often 0.8.
 */
#define ALIKE   0.9
#define HOPEFUL 0.86
/* The same of sketches before they are fitted. */
#define ROUGH 0.5

/* Deviation below which a block of either picture has no detail, of 1 in the whole picture. */
#define PLAIN 0.04F

/* The picture at x, y, pixel centres at halves; edges go on. */
static float sample(const float *picture, int32_t side, float x, float y)
{
    x = x - 0.5F < 0 ? 0 : x - 0.5F > (float)(side - 1) ? (float)(side - 1) : x - 0.5F;
    y = y - 0.5F < 0 ? 0 : y - 0.5F > (float)(side - 1) ? (float)(side - 1) : y - 0.5F;
    int32_t x0 = (int32_t)x, y0 = (int32_t)y;
    int32_t x1 = x0 + (x0 < side - 1), y1 = y0 + (y0 < side - 1);
    float u = x - (float)x0, v = y - (float)y0;
    const float *a = picture + y0 * side, *b = picture + y1 * side;
    return (a[x0] * (1 - u) + a[x1] * u) * (1 - v) + (b[x0] * (1 - u) + b[x1] * u) * v;
}

/* Half the side, each pixel the mean of four. */
static void halve(const float *picture, int32_t side, float *out)
{
    const int32_t half = side / 2;
    for (int32_t i = 0; i < half * half; i++) {
        const float *p = picture + (i / half) * 2 * side + i % half * 2;
        out[i] = (p[0] + p[1] + p[side] + p[side + 1]) / 4;
    }
}

/* Solves matrix * x = right in place, by elimination with pivots; false: it is singular. */
static bool solve(double matrix[UNKNOWNS][UNKNOWNS + 1])
{
    for (int32_t k = 0; k < UNKNOWNS; k++) {
        int32_t pivot = k;
        for (int32_t i = k + 1; i < UNKNOWNS; i++)
            pivot = fabs(matrix[i][k]) > fabs(matrix[pivot][k]) ? i : pivot;
        if (fabs(matrix[pivot][k]) < 1e-9)
            return false;
        for (int32_t j = 0; j <= UNKNOWNS; j++) {
            double swapped = matrix[k][j];
            matrix[k][j] = matrix[pivot][j];
            matrix[pivot][j] = swapped;
        }
        for (int32_t i = 0; i < UNKNOWNS; i++) {
            double factor = i == k ? 0 : matrix[i][k] / matrix[k][k];
            for (int32_t j = k; j <= UNKNOWNS; j++)
                matrix[i][j] -= factor * matrix[k][j];
        }
    }
    for (int32_t k = 0; k < UNKNOWNS; k++)
        matrix[k][UNKNOWNS] /= matrix[k][k];
    return true;
}

/*
 * One step: second(u, v) = a first(x, y) + b + a (first_x (dx + u dw) + first_y (dy + v dh)) in the
 * sense of least squares, where x = side (warp.x + u warp.width). False: nothing to hold on to.
 */
static bool step(const float *first, const float *second, int32_t side, ic_warp *warp)
{
    double m[UNKNOWNS][UNKNOWNS + 1];
    memset(m, 0, sizeof m);
    for (int32_t i = 0; i < side * side; i++) {
        double u = (i % side + 0.5) / side, v = (i / side + 0.5) / side;
        double at_x = warp->x + u * warp->width, at_y = warp->y + v * warp->height;
        if (at_x < 0 || at_x > 1 || at_y < 0 || at_y > 1)
            continue;
        float x = (float)(at_x * side), y = (float)(at_y * side);
        double gx = sample(first, side, x + 0.5F, y) - sample(first, side, x - 0.5F, y);
        double gy = sample(first, side, x, y + 0.5F) - sample(first, side, x, y - 0.5F);
        const double row[UNKNOWNS + 1] = {
            sample(first, side, x, y), 1, gx, gx * u, gy, gy * v, second[i]};
        for (int32_t j = 0; j < UNKNOWNS; j++)
            for (int32_t k = 0; k <= UNKNOWNS; k++)
                m[j][k] += row[j] * row[k];
    }
    if (!solve(m) || m[0][UNKNOWNS] < 0.1)
        return false;
    const double unit = 1 / (m[0][UNKNOWNS] * side);
    warp->x += m[2][UNKNOWNS] * unit;
    warp->width += m[3][UNKNOWNS] * unit;
    warp->y += m[4][UNKNOWNS] * unit;
    warp->height += m[5][UNKNOWNS] * unit;
    return true;
}

/* Whether it is still a slight crop, of either picture. */
static bool is_slight(const ic_warp *warp)
{
    const double least = 0.85, off = 0.09;
    return warp->width > least && warp->width < 1 / least && warp->height > least &&
           warp->height < 1 / least && fabs(warp->x) < off && fabs(warp->y) < off;
}

/* Sums over a block of the two pictures' samples and of the place in it, x and y about its middle.
 */
typedef struct block_sums {
    double count, a, b, aa, bb, ab, ax, ay, bx, by, xx;
} block_sums;

static void add_pixel(block_sums *s, double a, double b, double x, double y)
{
    s->count++;
    s->a += a;
    s->b += b;
    s->aa += a * a;
    s->bb += b * b;
    s->ab += a * b;
    s->ax += a * x;
    s->ay += a * y;
    s->bx += b * x;
    s->by += b * y;
    s->xx += x * x;
}

/*
 * The correlation of a block without mean and slope, which are shading and no detail; false: it
 * lies outside of the first picture, or both are plain.
 */
static bool correlate(const block_sums *s, int32_t pixels, double *out)
{
    if (s->count < pixels)
        return false;
    double aa = s->aa - s->a * s->a / s->count - (s->ax * s->ax + s->ay * s->ay) / s->xx;
    double bb = s->bb - s->b * s->b / s->count - (s->bx * s->bx + s->by * s->by) / s->xx;
    double ab = s->ab - s->a * s->b / s->count - (s->ax * s->bx + s->ay * s->by) / s->xx;
    const double least = s->count * (double)PLAIN * (double)PLAIN;
    if (aa < least && bb < least)
        return false;
    *out = aa <= 0 || bb <= 0 ? 0 : ab / sqrt(aa * bb);
    return true;
}

/* The mean correlation of the blocks that have detail; 0 where few have. */
static double compare_blocks(const float *first, const float *second, int32_t side, int32_t block,
                             const ic_warp *warp)
{
    block_sums sums[FULL / BLOCK * FULL / BLOCK];
    const int32_t across = side / block;
    double total = 0, one;
    int32_t counted = 0;
    memset(sums, 0, sizeof sums);
    for (int32_t i = 0; i < side * side; i++) {
        float x = (float)(side * (warp->x + (i % side + 0.5) / side * warp->width));
        float y = (float)(side * (warp->y + (i / side + 0.5) / side * warp->height));
        if (x >= 0 && x <= (float)side && y >= 0 && y <= (float)side)
            add_pixel(&sums[i / side / block * across + i % side / block],
                      (double)sample(first, side, x, y), (double)second[i],
                      i % side % block + 0.5 - block / 2, i / side % block + 0.5 - block / 2);
    }
    for (int32_t k = 0; k < across * across; k++)
        if (correlate(&sums[k], block * block, &one)) {
            total += one;
            counted++;
        }
    return counted < across ? 0 : total / counted;
}

/* Fits the warp at this size and compares blocks; 0: it does not fit. */
static double agree(const float *first, const float *second, int32_t side, int32_t block,
                    ic_warp *warp)
{
    for (int32_t i = 0; i < STEPS; i++)
        if (!step(first, second, side, warp) || !is_slight(warp))
            return 0;
    return compare_blocks(first, second, side, block, warp);
}

static void mirror(const float *picture, int32_t side, bool mirrored, float *out)
{
    for (int32_t i = 0; i < side * side; i++)
        out[i] = picture[mirrored ? i - i % side + side - 1 - i % side : i];
}

static void unpack(const ic_sketch *sketch, float *out)
{
    for (int32_t i = 0; i < SMALL * SMALL; i++)
        out[i] = ((float)sketch->grey[i / SMALL][i % SMALL] - 128) / 32;
}

bool ic_sketches_agree(const ic_sketch *first, const ic_sketch *second, ic_warp *warp)
{
    float a[SMALL * SMALL], b[SMALL * SMALL], turned[SMALL * SMALL];
    unpack(first, a);
    unpack(second, b);
    mirror(b, SMALL, warp->mirrored, turned);
    return compare_blocks(a, turned, SMALL, BLOCK, warp) >= ROUGH &&
           agree(a, turned, SMALL, BLOCK, warp) >= ALIKE;
}

double ic_prove(const float *first, const float *second, ic_warp *warp)
{
    float turned[FULL * FULL], small_first[FULL * FULL / 4], small_second[FULL * FULL / 4];
    mirror(second, FULL, warp->mirrored, turned);
    halve(first, FULL, small_first);
    halve(turned, FULL, small_second);
    if (agree(small_first, small_second, FULL / 2, BLOCK, warp) < HOPEFUL)
        return 0;
    return agree(first, turned, FULL, BLOCK, warp);
}

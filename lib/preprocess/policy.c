/*
 * preprocess/policy.c: TrivialAugment Wide (Müller and Hutter 2021, arXiv:2103.10158) with the
 * ranges of torchvision: one change a picture, all equally likely, at one of 31 strengths. What
 * moves the picture goes into the one sampling that all geometry shares; so it is turned and
 * sheared about its middle, and its edges go on by reflection. SPDX-License-Identifier: MIT
 */
#include "preprocess/policy.h"

#include "base/maths.h"

enum { STRENGTHS = 31, KINDS = IC_POLICY_END - IC_POLICY_TRIVIAL }; /* no change is one of them */

#define MOST_SHEAR     0.99
#define MOST_TRANSLATE 32 /* pixels */
#define MOST_ROTATION  135
#define MOST_FACTOR    0.99 /* more or less */
#define MOST_BITS_LOST 6

ic_policy_change ic_policy_draw(ic_policy policy, ic_random *random)
{
    ic_policy_change change = {.kind = policy};
    if (policy == IC_POLICY_NONE)
        return change;
    if (policy == IC_POLICY_TRIVIAL) {
        uint64_t kind = ic_random_below(random, KINDS);
        change.kind = kind == 0 ? IC_POLICY_NONE : (ic_policy)(IC_POLICY_TRIVIAL + kind);
    }
    change.level = (double)ic_random_below(random, STRENGTHS) / (STRENGTHS - 1);
    change.either_way = ic_random_bits(random) >> 63 != 0 ? -change.level : change.level;
    return change;
}

/* map = map after (x, y) -> (a x + b y + u, c x + d y + v), relative to the middle (x0, y0). */
static void put_before(ic_affine *map, double a, double b, double u, double c, double d, double v,
                       double x0, double y0)
{
    const ic_affine m = *map;
    u += x0 - a * x0 - b * y0;
    v += y0 - c * x0 - d * y0;
    *map = (ic_affine){.ux = m.ux * a + m.uy * c,
                       .uy = m.ux * b + m.uy * d,
                       .u0 = m.u0 + m.ux * u + m.uy * v,
                       .vx = m.vx * a + m.vy * c,
                       .vy = m.vx * b + m.vy * d,
                       .v0 = m.v0 + m.vx * u + m.vy * v};
}

void ic_policy_bend(const ic_policy_change *change, int32_t width, int32_t height, ic_affine *map)
{
    const double x0 = (width - 1) / 2.0, y0 = (height - 1) / 2.0, by = change->either_way;
    double angle = by * MOST_ROTATION * IC_RADIANS;
    switch (change->kind) {
    case IC_POLICY_ONLY_SHEAR_X:
        put_before(map, 1, by * MOST_SHEAR, 0, 0, 1, 0, x0, y0);
        break;
    case IC_POLICY_ONLY_SHEAR_Y:
        put_before(map, 1, 0, 0, by * MOST_SHEAR, 1, 0, x0, y0);
        break;
    case IC_POLICY_ONLY_TRANSLATE_X:
        put_before(map, 1, 0, by * MOST_TRANSLATE, 0, 1, 0, x0, y0);
        break;
    case IC_POLICY_ONLY_TRANSLATE_Y:
        put_before(map, 1, 0, 0, 0, 1, by * MOST_TRANSLATE, x0, y0);
        break;
    case IC_POLICY_ONLY_ROTATE:
        put_before(map, ic_cos(angle), -ic_sin(angle), 0, ic_sin(angle), ic_cos(angle), 0, x0, y0);
        break;
    default:
        break;
    }
}

void ic_policy_colour(const ic_policy_change *change, const ic_samples *samples)
{
    const float factor = (float)(1 + change->either_way * MOST_FACTOR);
    switch (change->kind) {
    case IC_POLICY_ONLY_BRIGHTNESS:
        ic_brighten(samples, factor);
        break;
    case IC_POLICY_ONLY_COLOUR:
        ic_change_saturation(samples, factor);
        break;
    case IC_POLICY_ONLY_CONTRAST:
        ic_change_contrast(samples, factor, ic_brighten(samples, 1));
        break;
    case IC_POLICY_ONLY_SHARPNESS:
        ic_sharpen(samples, factor);
        break;
    case IC_POLICY_ONLY_POSTERIZE:
        ic_posterise(samples, 8 - (int32_t)(change->level * MOST_BITS_LOST + 0.5));
        break;
    case IC_POLICY_ONLY_SOLARIZE:
        ic_solarise(samples, (float)(1 - change->level) * samples->most);
        break;
    case IC_POLICY_ONLY_AUTOCONTRAST:
        ic_autocontrast(samples);
        break;
    case IC_POLICY_ONLY_EQUALIZE:
        ic_equalise(samples);
        break;
    default:
        break;
    }
}

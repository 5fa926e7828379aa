/* train/mix.c: mixup and cutmix. SPDX-License-Identifier: MIT */
#include "train/mix.h"

#include "base/maths.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/status.h"

#include <math.h>
#include <string.h>

enum { PIECE_FLOATS = 1 << 16 }; /* of one unit, about */

/* How a batch is mixed. Picture i's partner is picture (i + step) mod count; 0: it is not. */
typedef struct mixing {
    const ic_mixer *mixer;
    const ic_batch *batch;
    float *tensors;
    int32_t step;
    bool cut;
    double share; /* of the picture itself; the rest is its partner's */
    int32_t left, top, right, bottom;
    int32_t piece; /* pictures of a unit */
} mixing;

ic_status ic_mixer_create(ic_context *context, const ic_training_recipe *recipe,
                          const ic_pipeline *pipeline, ic_mixer **out)
{
    ic_status status = IC_OK;
    ic_mixer *made = NULL;
    IC_TRY_CLEAN(ic_allocate_zero(context, sizeof *made, &made));
    *made = (ic_mixer){.context = context,
                       .mixup = recipe->mixup,
                       .cutmix = recipe->cutmix,
                       .probability = recipe->mix_probability,
                       .seed = recipe->seed,
                       .width = pipeline->width,
                       .height = pipeline->height,
                       .channels = pipeline->channels};
    size_t batch = (size_t)recipe->batch;
    IC_TRY_CLEAN(ic_context_pool(context, &made->pool));
    IC_TRY_CLEAN(ic_allocate_array(context, batch, sizeof *made->partners, &made->partners));
    IC_TRY_CLEAN(ic_allocate_array(context, batch, sizeof *made->shares, &made->shares));
    *out = made;
    made = NULL;
cleanup:
    ic_mixer_free(made);
    return status;
}

void ic_mixer_free(ic_mixer *mixer)
{
    if (!mixer)
        return;
    ic_free(mixer->context, mixer->partners);
    ic_free(mixer->context, mixer->shares);
    ic_free(mixer->context, mixer);
}

/*
 * Beta(a, a). Below 1 by Jöhnk's method, else by rejection under the density's peak in the middle.
 * Both take few tries for the usual values.
 */
static double draw_beta(ic_random *random, double a)
{
    for (;;) {
        double u = ic_random_unit(random), v = ic_random_unit(random);
        if (a >= 1) {
            if (u > 0 && v < ic_pow(4 * u * (1 - u), a - 1))
                return u;
        } else if (u > 0 && v > 0) {
            double x = ic_pow(u, 1 / a), y = ic_pow(v, 1 / a);
            if (x + y <= 1 && x + y > 0)
                return x / (x + y);
        }
    }
}

/* The share is that of the pixels that are left once the picture's edges have cut the rectangle. */
static void draw_cut(mixing *m, ic_random *random)
{
    const int32_t width = m->mixer->width, height = m->mixer->height;
    double side = sqrt(1 - m->share);
    int32_t half_width = (int32_t)(side * width + 0.5) / 2;
    int32_t half_height = (int32_t)(side * height + 0.5) / 2;
    int32_t x = (int32_t)ic_random_below(random, (uint64_t)width);
    int32_t y = (int32_t)ic_random_below(random, (uint64_t)height);
    m->left = x > half_width ? x - half_width : 0;
    m->top = y > half_height ? y - half_height : 0;
    m->right = width - x > half_width ? x + half_width : width;
    m->bottom = height - y > half_height ? y + half_height : height;
    double area = (double)(m->right - m->left) * (m->bottom - m->top);
    m->share = 1 - area / ((double)width * height);
}

static void draw_mixing(mixing *m, ic_random *random)
{
    const ic_mixer *mixer = m->mixer;
    bool both = mixer->mixup > 0 && mixer->cutmix > 0;
    if ((mixer->mixup <= 0 && mixer->cutmix <= 0) || m->batch->count < 2 ||
        ic_random_unit(random) >= mixer->probability)
        return;
    m->cut = both ? ic_random_bits(random) >> 63 != 0 : mixer->cutmix > 0;
    m->step = 1 + (int32_t)ic_random_below(random, (uint64_t)m->batch->count - 1);
    m->share = draw_beta(random, m->cut ? mixer->cutmix : mixer->mixup);
    if (m->cut)
        draw_cut(m, random);
}

static void blend(const float *restrict own, const float *restrict other, size_t count, float share,
                  float *restrict to)
{
    const float rest = 1 - share;
    for (size_t i = 0; i < count; i++)
        to[i] = own[i] * share + other[i] * rest;
}

static void paste(const mixing *m, const float *other, float *to)
{
    const size_t channels = (size_t)m->mixer->channels;
    for (int32_t y = m->top; y < m->bottom; y++) {
        size_t at = ((size_t)y * (size_t)m->mixer->width + (size_t)m->left) * channels;
        memcpy(to + at, other + at, (size_t)(m->right - m->left) * channels * sizeof *to);
    }
}

static size_t tensor_floats(const ic_mixer *mixer)
{
    return (size_t)mixer->width * (size_t)mixer->height * (size_t)mixer->channels;
}

static ic_status mix_piece(void *arguments, int64_t unit, int32_t worker)
{
    const mixing *m = arguments;
    const size_t floats = tensor_floats(m->mixer);
    const int32_t count = m->batch->count, first = (int32_t)unit * m->piece;
    for (int32_t i = first; i < count && i < first + m->piece; i++) {
        const float *own = m->batch->tensors + (size_t)i * floats;
        const float *other = m->batch->tensors + (size_t)((i + m->step) % count) * floats;
        float *to = m->tensors + (size_t)i * floats;
        if (m->step > 0 && !m->cut) {
            blend(own, other, floats, (float)m->share, to);
            continue;
        }
        memcpy(to, own, floats * sizeof *to);
        if (m->step > 0)
            paste(m, other, to);
    }
    return IC_OK;
}

ic_status ic_mixer_apply(ic_mixer *mixer, const ic_batch *batch, int64_t epoch, int64_t number,
                         float *tensors, ic_targets *targets)
{
    size_t piece = PIECE_FLOATS / tensor_floats(mixer);
    mixing m = {.mixer = mixer,
                .batch = batch,
                .tensors = tensors,
                .share = 1,
                .piece = piece > 1 ? (int32_t)piece : 1};
    ic_random random = ic_random_at(mixer->seed, IC_USE_MIX, (uint64_t)epoch, (uint64_t)number);
    draw_mixing(&m, &random);
    IC_TRY(ic_pool_run(mixer->pool, (batch->count + m.piece - 1) / m.piece, mix_piece, &m));
    *targets = (ic_targets){.labels = batch->labels};
    if (m.step == 0)
        return IC_OK;
    for (int32_t i = 0; i < batch->count; i++) {
        mixer->partners[i] = batch->labels[(i + m.step) % batch->count];
        mixer->shares[i] = (float)m.share;
    }
    targets->partners = mixer->partners;
    targets->shares = mixer->shares;
    return IC_OK;
}

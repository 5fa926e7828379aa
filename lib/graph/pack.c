/* graph/pack.c: bringing weights into the form that the kernels read. SPDX-License-Identifier: MIT
 */
#include "graph/pack.h"

#include "graph/elementwise.h"

void ic_permute_weights(int64_t k, ic_shape shape, const float *x, float *y)
{
    int64_t pixels = (int64_t)shape.h * shape.w, c = shape.c;
    for (int64_t i = 0; i < k; i++, x += pixels * c, y += pixels * c)
        for (int64_t pixel = 0; pixel < pixels; pixel++)
            for (int64_t j = 0; j < c; j++)
                y[pixel * c + j] = x[j * pixels + pixel];
}

static void unpermute_weights(int64_t k, ic_shape shape, const float *x, float *y)
{
    int64_t pixels = (int64_t)shape.h * shape.w, c = shape.c;
    for (int64_t i = 0; i < k; i++, x += pixels * c, y += pixels * c)
        for (int64_t j = 0; j < c; j++)
            for (int64_t pixel = 0; pixel < pixels; pixel++)
                y[j * pixels + pixel] = x[pixel * c + j];
}

/* ---- Packing a whole pass: first the copies that must be permuted, one unit each, then all ----
 */

static int64_t pack_units(const ic_run *run, const ic_step *step, int32_t phase)
{
    if (phase == 1)
        return step->rows;
    for (int32_t i = 0; i < step->count; i++)
        if (run->program->packs[step->first + i].permuted.h > 0)
            return step->count;
    return 0;
}

static void permute(const ic_run *run, const ic_pack *pack)
{
    if (pack->permuted.h > 0)
        ic_permute_weights(pack->conv->shape.k, pack->permuted, ic_at(run, pack->source),
                           ic_at(run, pack->weights));
}

static void run_pack(const ic_run *run, const ic_step *step, int32_t phase, int64_t unit,
                     float *scratch)
{
    const ic_pack *packs = run->program->packs + step->first;
    if (phase == 0) {
        permute(run, &packs[unit]);
        return;
    }
    int32_t low = 0, high = step->count - 1; /* the last one that begins at or before unit */
    while (low < high) {
        int32_t middle = (low + high + 1) / 2;
        if (packs[middle].first_unit <= unit)
            low = middle;
        else
            high = middle - 1;
    }
    const ic_pack *pack = &packs[low];
    ic_conv_pack(pack->conv, pack->pass, unit - pack->first_unit, ic_at(run, pack->weights),
                 ic_at(run, pack->packed));
}

const ic_step_kind ic_step_pack = {"pack", pack_units, run_pack};

/* ---- The gradient of permuted weights ---- */

static void run_unpermute(const ic_run *run, const ic_step *step, int32_t phase, int64_t unit,
                          float *scratch)
{
    ic_piece piece = ic_step_piece(step, unit);
    ic_shape shape = {.h = step->window.h, .w = step->window.w, .c = step->window.c};
    int64_t start = piece.first * step->c;
    unpermute_weights(piece.rows, shape, ic_at(run, step->reads[0]) + start,
                      ic_at(run, step->writes[0]) + start);
}

const ic_step_kind ic_step_unpermute = {"unpermute", ic_piece_units, run_unpermute};

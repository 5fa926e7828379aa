/* evaluate/reliability.c: whether 90 % sure means 90 % right. SPDX-License-Identifier: MIT */
#include "evaluate/reliability.h"

#include "base/maths.h"
#include "base/memory.h"
#include "base/pool.h"
#include "base/random.h"
#include "base/status.h"

#include <math.h>
#include <stdlib.h>

/* A picture that is in the sample several times may lie in several bins. */
void ic_bins_fill(const ic_tally *tally, const uint32_t *weights, ic_bin bins[IC_BINS])
{
    int64_t pictures = tally->scores->count, total = 0, room = 0;
    int bin = -1;
    for (int64_t i = 0; i < pictures; i++)
        total += weights[i];
    for (int b = 0; b < IC_BINS; b++)
        bins[b] = (ic_bin){0, 0, 0};
    for (int64_t i = 0; i < pictures; i++) {
        int64_t index = tally->by_confidence[i];
        double right = tally->predicted[index] == tally->scores->labels[index];
        for (int64_t left = weights[index], taken; left > 0; left -= taken) {
            if (room == 0) {
                bin++;
                room = total / IC_BINS + (bin < total % IC_BINS);
            }
            taken = left < room ? left : room;
            room -= taken;
            bins[bin].count += (double)taken;
            bins[bin].confidence += (double)taken * (double)tally->confidence[index];
            bins[bin].right += (double)taken * right;
        }
    }
}

double ic_bins_error(const ic_bin bins[IC_BINS])
{
    double error = 0, count = 0;
    for (int b = 0; b < IC_BINS; b++) {
        error += fabs(bins[b].confidence - bins[b].right);
        count += bins[b].count;
    }
    return error / count;
}

/* ---- What chance gives ---- */

typedef struct chance_work {
    const ic_tally *tally;
    uint64_t seed;
    const ic_bin *bins;
    double *errors; /* of the draws */
} chance_work;

static ic_status draw_labels(void *arguments, int64_t unit, int32_t worker)
{
    const chance_work *work = arguments;
    const ic_tally *tally = work->tally;
    ic_random random = ic_random_at(work->seed, IC_USE_CHANCE, (uint64_t)unit, 0);
    ic_bin drawn[IC_BINS];
    int64_t at = 0;
    for (int b = 0; b < IC_BINS; b++) {
        drawn[b] = work->bins[b];
        drawn[b].right = 0;
        for (int64_t end = at + (int64_t)drawn[b].count; at < end; at++)
            drawn[b].right +=
                ic_random_unit(&random) < (double)tally->confidence[tally->by_confidence[at]];
    }
    work->errors[unit] = ic_bins_error(drawn);
    return IC_OK;
}

ic_status ic_calibration_limit(ic_context *context, const ic_scores *scores, uint64_t seed,
                               double *out)
{
    ic_bin bins[IC_BINS];
    ic_tally tally = {0};
    chance_work work = {&tally, seed, bins, NULL};
    ic_pool *pool;
    ic_status status;
    IC_TRY(ic_context_pool(context, &pool));
    IC_TRY_CLEAN(ic_allocate_array(context, IC_CHANCE_DRAWS, sizeof *work.errors, &work.errors));
    IC_TRY_CLEAN(ic_tally_create(context, scores, false, &tally));
    ic_bins_fill(&tally, tally.once, bins);
    IC_TRY_CLEAN(ic_pool_run(pool, IC_CHANCE_DRAWS, draw_labels, &work));
    qsort(work.errors, IC_CHANCE_DRAWS, sizeof *work.errors, ic_compare_doubles);
    *out = ic_quantile(work.errors, IC_CHANCE_DRAWS, 0.95);
cleanup:
    ic_tally_free(context, &tally);
    ic_free(context, work.errors);
    return status;
}

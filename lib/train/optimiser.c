/* train/optimiser.c: SGD with Nesterov momentum and AdamW over flat parameters.
 * SPDX-License-Identifier: MIT */
#include "train/optimiser.h"

#include "base/maths.h"
#include "base/memory.h"
#include "base/status.h"

#include <string.h>

enum {
    PIECE_FLOATS = 16384, /* a unit of work: its three or four arrays fit the second cache level */
    ALIGN_FLOATS = 16     /* 64 bytes */
};

static const double beta2 = 0.999, epsilon = 1e-8;

/* One step's numbers, shared by its units. */
typedef struct step_plan {
    ic_optimiser *optimiser;
    int64_t decayed_pieces;
    float rate, momentum, decay;
    float correction1, correction2;
} step_plan;

static size_t aligned(int64_t floats)
{
    return ((size_t)floats + ALIGN_FLOATS - 1) / ALIGN_FLOATS * ALIGN_FLOATS;
}

ic_status ic_optimiser_create(ic_context *context, ic_optimizer_kind kind, ic_parameter_sizes sizes,
                              const float *parameters, ic_optimiser **out)
{
    ic_status status = IC_OK;
    ic_optimiser *made = NULL;
    size_t total = aligned(sizes.total), trained = aligned(sizes.trained);
    size_t moments = kind == IC_OPTIMIZER_ADAMW ? 2 : 1;

    IC_TRY_CLEAN(ic_allocate_zero(context, sizeof *made, &made));
    made->context = context;
    made->kernels = ic_kernels_at(context->cpu_level);
    made->kind = kind;
    made->sizes = sizes;
    IC_TRY_CLEAN(ic_context_pool(context, &made->pool));
    IC_TRY_CLEAN(ic_allocate_zero(context, (total + trained * (1 + moments)) * sizeof(float),
                                  &made->parameters));
    memcpy(made->parameters, parameters, (size_t)sizes.total * sizeof(float));
    made->gradients = made->parameters + total;
    made->first = made->gradients + trained;
    made->second = moments == 2 ? made->first + trained : NULL;
    *out = made;
    made = NULL;
cleanup:
    ic_optimiser_free(made);
    return status;
}

void ic_optimiser_free(ic_optimiser *optimiser)
{
    if (!optimiser)
        return;
    ic_free(optimiser->context, optimiser->parameters);
    ic_free(optimiser->context, optimiser);
}

static int64_t pieces_of(int64_t count)
{
    return (count + PIECE_FLOATS - 1) / PIECE_FLOATS;
}

/* Pieces of [0, decayed) come first, then those of [decayed, trained): none holds both kinds. */
static ic_status step_piece(void *arguments, int64_t unit, int32_t worker)
{
    const step_plan *plan = arguments;
    ic_optimiser *optimiser = plan->optimiser;
    bool decays = unit < plan->decayed_pieces;
    int64_t begin = decays ? 0 : optimiser->sizes.decayed;
    int64_t end = decays ? optimiser->sizes.decayed : optimiser->sizes.trained;
    int64_t at = begin + (decays ? unit : unit - plan->decayed_pieces) * PIECE_FLOATS;
    int64_t count = end - at < PIECE_FLOATS ? end - at : PIECE_FLOATS;
    float decay = decays ? plan->decay : 0.0F;

    if (optimiser->kind == IC_OPTIMIZER_SGD)
        optimiser->kernels->sgd(count, plan->rate, plan->momentum, decay, optimiser->gradients + at,
                                optimiser->first + at, optimiser->parameters + at);
    else
        optimiser->kernels->adamw(count, plan->rate, plan->momentum, (float)beta2, (float)epsilon,
                                  decay, plan->correction1, plan->correction2,
                                  optimiser->gradients + at, optimiser->first + at,
                                  optimiser->second + at, optimiser->parameters + at);
    return IC_OK;
}

/* 1 - beta^steps, the share of a moment that has been filled. */
static float correction(double beta, int64_t steps)
{
    return beta > 0 ? (float)(1 - ic_pow(beta, (double)steps)) : 1.0F;
}

ic_status ic_optimiser_step(ic_optimiser *optimiser, double rate, double momentum, double decay,
                            int64_t step)
{
    const ic_parameter_sizes *sizes = &optimiser->sizes;
    step_plan plan = {
        .optimiser = optimiser,
        .decayed_pieces = pieces_of(sizes->decayed),
        .rate = (float)rate,
        .momentum = (float)momentum,
        .decay = (float)decay,
        .correction1 = correction(momentum, step + 1),
        .correction2 = correction(beta2, step + 1),
    };
    int64_t pieces = plan.decayed_pieces + pieces_of(sizes->trained - sizes->decayed);
    return ic_pool_run(optimiser->pool, pieces, step_piece, &plan);
}

int32_t ic_optimiser_arrays(const ic_optimiser *optimiser,
                            ic_optimiser_array out[IC_OPTIMISER_ARRAYS_MAX])
{
    const ic_parameter_sizes *sizes = &optimiser->sizes;
    const ic_optimiser_array all[] = {
        {"parameters", optimiser->parameters, sizes->total},
        {"first", optimiser->first, sizes->trained},
        {"second", optimiser->second, sizes->trained},
    };
    int32_t count = 0;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (all[i].data)
            out[count++] = all[i];
    return count;
}

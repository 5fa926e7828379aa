/*
 * train/optimiser.c: one step of all parameters: SGD with Nesterov momentum, AdamW, Muon; clipping
 * and averages on the way. SPDX-License-Identifier: MIT
 */
#include "train/optimiser.h"

#include "base/maths.h"
#include "base/memory.h"
#include "base/status.h"
#include "train/loops.h"

#include <math.h>
#include <string.h>

enum {
    PIECE_FLOATS = 16384, /* a unit of work: its three or four arrays fit the second cache level */
    ALIGN_FLOATS = 16,    /* 64 bytes */
    LOOKAHEAD_STEPS = 5
};

static const double beta2 = 0.999, epsilon = 1e-8;
static const double clip_epsilon = 1e-6; /* torch's, beside the norm */

/* One step's numbers, shared by its units. */
typedef struct step_plan {
    ic_optimiser *optimiser;
    int64_t epoch;
    double rate, sgd_rate;
    float correction1, correction2;
    const float *source; /* the gradients, which become `scale` times as large */
    float scale;
    float share; /* of the way that averages go to the parameters */
    bool back;   /* parameters become their averages */
} step_plan;

/* A piece of work: `count` parameters of one run from `at` on. */
typedef struct piece {
    const ic_parameter_run *run;
    int64_t at, count;
} piece;

static int64_t pieces_of(const ic_parameter_run *run)
{
    return (run->count + PIECE_FLOATS - 1) / PIECE_FLOATS;
}

static int64_t count_pieces(const ic_parameter_run *runs, int32_t count)
{
    int64_t pieces = 0;
    for (int32_t i = 0; i < count; i++)
        pieces += pieces_of(&runs[i]);
    return pieces;
}

static piece find_piece(const ic_parameter_run *run, int64_t unit)
{
    for (; unit >= pieces_of(run); run++)
        unit -= pieces_of(run);
    int64_t left = run->count - unit * PIECE_FLOATS;
    return (piece){run, run->offset + unit * PIECE_FLOATS,
                   left < PIECE_FLOATS ? left : PIECE_FLOATS};
}

/* ---- Making ---- */

static size_t aligned(int64_t floats)
{
    return ((size_t)floats + ALIGN_FLOATS - 1) / ALIGN_FLOATS * ALIGN_FLOATS;
}

static ic_status create_arrays(ic_optimiser *made, const float *parameters)
{
    const ic_training_recipe *recipe = made->recipe;
    size_t total = aligned(made->sizes.total), trained = aligned(made->sizes.trained);
    bool adamw = recipe->optimizer == IC_OPTIMIZER_ADAMW, sums = recipe->accumulate > 1;
    bool averages = recipe->average != IC_AVERAGE_NONE;
    size_t floats = total * (1 + averages) + trained * (2 + adamw + sums);
    IC_TRY(ic_allocate_zero(made->context, floats * sizeof(float), &made->parameters));
    float *at = made->parameters + total;
    made->gradients = at;
    made->first = at += trained;
    if (adamw)
        made->second = at += trained;
    if (sums)
        made->accumulated = at += trained;
    memcpy(made->parameters, parameters, (size_t)made->sizes.total * sizeof(float));
    if (averages) {
        made->average = at + trained;
        memcpy(made->average, parameters, (size_t)made->sizes.total * sizeof(float));
    }
    return IC_OK;
}

ic_status ic_optimiser_create(ic_context *context, const ic_training_recipe *recipe,
                              const ic_graph *graph, const float *parameters, ic_optimiser **out)
{
    ic_status status = IC_OK;
    ic_optimiser *made = NULL;
    IC_TRY_CLEAN(ic_allocate_zero(context, sizeof *made, &made));
    made->context = context;
    made->kernels = ic_kernels_at(context->cpu_level);
    made->recipe = recipe;
    made->sizes = ic_graph_parameter_sizes(graph);
    IC_TRY_CLEAN(ic_context_pool(context, &made->pool));
    IC_TRY_CLEAN(create_arrays(made, parameters));
    IC_TRY_CLEAN(ic_rates_resolve(context, graph, recipe, &made->runs, &made->run_count));
    if (recipe->optimizer == IC_OPTIMIZER_MUON)
        IC_TRY_CLEAN(ic_muon_create(context, made->runs, made->run_count, &made->muon));
    if (recipe->clip_norm > 0)
        IC_TRY_CLEAN(ic_allocate_array(context, (size_t)count_pieces(made->runs, made->run_count),
                                       sizeof(double), &made->squares));
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
    ic_muon_free(optimiser->muon);
    ic_free(optimiser->context, optimiser->squares);
    ic_free(optimiser->context, optimiser->runs);
    ic_free(optimiser->context, optimiser->parameters);
    ic_free(optimiser->context, optimiser);
}

/* ---- Gradients: their sum over batches, their norm ---- */

float *ic_optimiser_target(const ic_optimiser *optimiser, int32_t nth)
{
    return optimiser->accumulated && nth == 0 ? optimiser->accumulated : optimiser->gradients;
}

/* Gradients of what is frozen are not made, so what lies there is old. */
static ic_status accumulate_piece(void *arguments, int64_t unit, int32_t worker)
{
    const step_plan *plan = arguments;
    const ic_optimiser *optimiser = plan->optimiser;
    piece p = find_piece(optimiser->runs, unit);
    if (ic_run_trains(p.run, plan->epoch))
        optimiser->kernels->accumulate(p.count, optimiser->gradients + p.at,
                                       optimiser->accumulated + p.at);
    return IC_OK;
}

ic_status ic_optimiser_accumulate(ic_optimiser *optimiser, int64_t epoch)
{
    step_plan plan = {.optimiser = optimiser, .epoch = epoch};
    return ic_pool_run(optimiser->pool, count_pieces(optimiser->runs, optimiser->run_count),
                       accumulate_piece, &plan);
}

static ic_status square_piece(void *arguments, int64_t unit, int32_t worker)
{
    const step_plan *plan = arguments;
    piece p = find_piece(plan->optimiser->runs, unit);
    plan->optimiser->squares[unit] =
        ic_run_trains(p.run, plan->epoch) ? ic_square_sum(p.count, plan->source + p.at) : 0;
    return IC_OK;
}

/* Sets where the gradients are, and by what they are multiplied. */
static ic_status plan_gradients(step_plan *plan, int32_t batches)
{
    const ic_optimiser *optimiser = plan->optimiser;
    double scale = 1.0 / batches, sum = 0;
    plan->source = ic_optimiser_target(optimiser, 0);
    if (optimiser->squares) {
        int64_t pieces = count_pieces(optimiser->runs, optimiser->run_count);
        IC_TRY(ic_pool_run(optimiser->pool, pieces, square_piece, plan));
        for (int64_t i = 0; i < pieces; i++)
            sum += optimiser->squares[i];
        double most = optimiser->recipe->clip_norm / (sqrt(sum) * scale + clip_epsilon);
        scale *= most < 1 ? most : 1;
    }
    plan->scale = (float)scale;
    return IC_OK;
}

static void bring_gradients(const step_plan *plan, int64_t at, int64_t count)
{
    ic_optimiser *optimiser = plan->optimiser;
    if (plan->source != optimiser->gradients || plan->scale != 1)
        optimiser->kernels->scale(count, plan->scale, plan->source + at, optimiser->gradients + at);
}

/* ---- The step ---- */

/* The directions of muon's matrices, in place of their gradients. */
static ic_status turn_matrices(const step_plan *plan)
{
    ic_optimiser *optimiser = plan->optimiser;
    for (int32_t i = 0; i < optimiser->run_count; i++) {
        const ic_parameter_run *run = &optimiser->runs[i];
        if (run->rows == 0 || !ic_run_trains(run, plan->epoch))
            continue;
        bring_gradients(plan, run->offset, run->count);
        IC_TRY(ic_muon_turn(optimiser->muon, run, (float)optimiser->recipe->momentum,
                            optimiser->first + run->offset, optimiser->gradients + run->offset));
    }
    return IC_OK;
}

static void move_piece(const step_plan *plan, const piece *p)
{
    ic_optimiser *o = plan->optimiser;
    const ic_training_recipe *recipe = o->recipe;
    float *parameters = o->parameters + p->at, *gradients = o->gradients + p->at;
    float *first = o->first + p->at;
    float decay = p->run->decays ? (float)recipe->weight_decay : 0;
    float momentum = (float)recipe->momentum;
    float rate = (float)(plan->rate * p->run->factor);
    if (p->run->rows > 0) {
        ic_descend(p->count, rate, decay, gradients, parameters);
        return;
    }
    bring_gradients(plan, p->at, p->count);
    if (recipe->optimizer == IC_OPTIMIZER_ADAMW)
        o->kernels->adamw(p->count, rate, momentum, (float)beta2, (float)epsilon, decay,
                          plan->correction1, plan->correction2, gradients, first, o->second + p->at,
                          parameters);
    else
        o->kernels->sgd(p->count, (float)(plan->sgd_rate * p->run->factor), momentum, decay,
                        gradients, first, parameters);
}

static void average_piece(const step_plan *plan, int64_t at, int64_t count)
{
    float *parameters = plan->optimiser->parameters, *average = plan->optimiser->average;
    if (plan->share > 0)
        ic_lerp(count, plan->share, parameters + at, average + at);
    if (plan->back)
        memcpy(parameters + at, average + at, (size_t)count * sizeof(float));
}

static ic_status step_piece(void *arguments, int64_t unit, int32_t worker)
{
    const step_plan *plan = arguments;
    piece p = find_piece(plan->optimiser->runs, unit);
    if (ic_run_trains(p.run, plan->epoch))
        move_piece(plan, &p);
    if (plan->share > 0 || plan->back)
        average_piece(plan, p.at, p.count);
    return IC_OK;
}

/* 1 - beta^steps, the share of a moment that has been filled. */
static float correction(double beta, int64_t steps)
{
    return beta > 0 ? (float)(1 - ic_pow(beta, (double)steps)) : 1.0F;
}

/*
 * The moving average takes its first steps faster, as it begins at weights that are nothing yet.
 * Lookahead (Zhang et al. 2019) as airbench94 has it: averages are slow at first and slower in the
 * end, and the training goes on from them.
 */
static void plan_average(step_plan *plan, const ic_update *update)
{
    const ic_training_recipe *recipe = plan->optimiser->recipe;
    double done = (double)update->step + 1;
    if (!plan->optimiser->average || update->share <= 0)
        return;
    if (recipe->average == IC_AVERAGE_EMA) {
        double early = (1 + done) / (10 + done);
        plan->share = (float)(1 - (early < recipe->ema_decay ? early : recipe->ema_decay));
        return;
    }
    plan->back = update->share >= 1;
    if ((update->step + 1) % LOOKAHEAD_STEPS == 0) {
        double at = update->share;
        plan->share = (float)(1 - ic_pow(0.95, LOOKAHEAD_STEPS) * at * at * at);
        plan->back = true;
    }
}

ic_status ic_optimiser_step(ic_optimiser *optimiser, const ic_update *update)
{
    const ic_training_recipe *recipe = optimiser->recipe;
    bool muon = recipe->optimizer == IC_OPTIMIZER_MUON;
    step_plan plan = {
        .optimiser = optimiser,
        .epoch = update->epoch,
        .rate = update->rate,
        .sgd_rate = muon ? update->rate * recipe->sgd_rate / recipe->learning_rate : update->rate,
        .correction1 = correction(recipe->momentum, update->step + 1),
        .correction2 = correction(beta2, update->step + 1),
    };
    IC_TRY(plan_gradients(&plan, update->batches));
    plan_average(&plan, update);
    if (muon)
        IC_TRY(turn_matrices(&plan));
    /* Statistics only have averages; their run stands behind those that are counted. */
    bool averages = plan.share > 0 || plan.back;
    int64_t pieces = count_pieces(optimiser->runs, optimiser->run_count + averages);
    return ic_pool_run(optimiser->pool, pieces, step_piece, &plan);
}

const float *ic_optimiser_result(const ic_optimiser *optimiser)
{
    return optimiser->recipe->average == IC_AVERAGE_EMA ? optimiser->average
                                                        : optimiser->parameters;
}

int32_t ic_optimiser_arrays(const ic_optimiser *optimiser,
                            ic_optimiser_array out[IC_OPTIMISER_ARRAYS_MAX])
{
    const ic_parameter_sizes *sizes = &optimiser->sizes;
    const ic_optimiser_array all[] = {
        {"parameters", optimiser->parameters, sizes->total},
        {"first", optimiser->first, sizes->trained},
        {"second", optimiser->second, sizes->trained},
        {"accumulated", optimiser->accumulated, sizes->trained},
        {"average", optimiser->average, sizes->total},
    };
    int32_t count = 0;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (all[i].data)
            out[count++] = all[i];
    return count;
}

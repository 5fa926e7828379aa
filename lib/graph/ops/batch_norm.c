/*
 * graph/ops/batch_norm.c: batch normalisation (Ioffe, Szegedy 2015). SPDX-License-Identifier: MIT
 *
 * y = x * scale + shift per channel, scale = gamma / sqrt(var + eps), shift = beta - mean * scale.
 * Training takes mean and (biased) variance of the batch's N values a channel and moves the running
 * ones by a share `momentum` of the way, the variance by its unbiased form; inference takes the
 * running ones.
 * Backward, with d the gradient of y and i = 1/sqrt(var + eps): d_beta = sum d,  d_gamma = i * sum
 * d (x - mean), d_x = gamma i (d - d_beta / N - (x - mean) i d_gamma / N) = a d + b x + e. y is not
 * stored for this: an activation behind the norm is undone from x, scale and shift.
 */
#include "graph/elementwise.h"
#include "graph/lowering.h"
#include "graph/ops/squeeze.h"

#include <math.h>
#include <string.h>

enum { GAMMA, BETA, RUNNING_MEAN, RUNNING_VAR, PARAMETERS };                 /* parameters */
enum { SAVED_SCALE, SAVED_SHIFT, SAVED_MEAN = IC_NORM_MEAN, SAVED_INVERSE }; /* tensors of [c] */

static ic_status infer(const ic_graph *graph, ic_graph_node *node)
{
    node->shape = ic_graph_input_of(graph, node, 0);
    return IC_OK;
}

static ic_status declare(ic_graph *graph, const ic_graph_node *node)
{
    int64_t shape[4] = {node->shape.c};
    IC_TRY(ic_graph_declare(graph, node, "weight", IC_ROLE_BIAS, 1, shape));
    IC_TRY(ic_graph_declare(graph, node, "bias", IC_ROLE_BIAS, 1, shape));
    IC_TRY(ic_graph_declare(graph, node, "running_mean", IC_ROLE_STATISTIC, 1, shape));
    return ic_graph_declare(graph, node, "running_var", IC_ROLE_STATISTIC, 1, shape);
}

/*
 * ---- Both passes begin with two sums per channel: of pieces, then of all of these. A convolution
 * may have made the sums of pieces on its way: then they are in x[1], of `count` blocks, and the
 * first phase falls away ----
 */

enum { CHANNELS = 256 }; /* of a unit that adds pieces */

static bool has_sums(const ic_step *step)
{
    return step->x[1].tensor >= 0;
}

static int64_t channel_units(const ic_step *step)
{
    return (step->c + CHANNELS - 1) / CHANNELS;
}

static int32_t last_channel(const ic_step *step, int64_t unit)
{
    int64_t last = (unit + 1) * CHANNELS;
    return last < step->c ? (int32_t)last : step->c;
}

/* ---- Statistics ---- */

static int64_t statistics_units(const ic_run *run, const ic_step *step, int32_t phase)
{
    if (phase == 0 && !has_sums(step))
        return ic_step_pieces(step);
    return channel_units(step);
}

/* Both sums of the channels [first, last) over all pieces or blocks. */
static void sum_channels(const ic_run *run, const ic_step *step, int32_t first, int32_t last,
                         double *first_sums, double *second_sums)
{
    const float *sums = has_sums(step) ? ic_at(run, step->x[1].tensor) : run->shared;
    int64_t pieces = has_sums(step) ? step->count : ic_step_pieces(step);
    int64_t stride = 2 * (int64_t)step->c;
    ic_sum_pieces(sums + first, pieces, stride, last - first, first_sums);
    ic_sum_pieces(sums + step->c + first, pieces, stride, last - first, second_sums);
}

static void combine_statistics(const ic_run *run, const ic_step *step, int32_t first, int32_t last)
{
    const float *gamma = ic_at(run, step->reads[GAMMA]), *beta = ic_at(run, step->reads[BETA]);
    float *running_mean = ic_at(run, step->reads[RUNNING_MEAN]);
    float *running_var = ic_at(run, step->reads[RUNNING_VAR]);
    float *scale = ic_at(run, step->writes[SAVED_SCALE]);
    float *shift = ic_at(run, step->writes[SAVED_SHIFT]);
    float *saved_mean = ic_at(run, step->writes[SAVED_MEAN]);
    float *inverse = ic_at(run, step->writes[SAVED_INVERSE]);
    double sums[CHANNELS], squares[CHANNELS], n = (double)step->rows;
    const ic_attributes *norm = &run->program->graph->nodes[step->node].attributes;
    double moved = norm->momentum;
    sum_channels(run, step, first, last, sums, squares);
    for (int32_t i = first; i < last; i++) {
        double mean = sums[i - first] / n, square = squares[i - first] / n;
        double var = square > mean * mean ? square - mean * mean : 0;
        double unbiased = n > 1 ? var * n / (n - 1) : var;
        double invert = 1 / sqrt(var + norm->epsilon);
        saved_mean[i] = (float)mean;
        inverse[i] = (float)invert;
        scale[i] = (float)(gamma[i] * invert);
        shift[i] = (float)(beta[i] - mean * gamma[i] * invert);
        running_mean[i] = (float)((1 - moved) * running_mean[i] + moved * mean);
        running_var[i] = (float)((1 - moved) * running_var[i] + moved * unbiased);
    }
}

static void run_statistics(const ic_run *run, const ic_step *step, int32_t phase, int64_t unit,
                           float *scratch)
{
    if (phase == 1 || has_sums(step)) {
        combine_statistics(run, step, (int32_t)unit * CHANNELS, last_channel(step, unit));
        return;
    }
    ic_piece piece = ic_step_piece(step, unit);
    float *sums = run->shared + unit * 2 * step->c;
    run->program->kernels->channel_sums(piece.rows, step->c,
                                        ic_at(run, step->x[0].tensor) + piece.first * step->c, sums,
                                        sums + step->c);
}

static const ic_step_kind step_statistics = {"batch norm statistics", statistics_units,
                                             run_statistics};

/* ---- Backward: reduce, combine, apply ---- */

enum { READ_D_Y, READ_MEAN, READ_INVERSE, READ_GAMMA };
enum { WRITE_D_X, WRITE_D_GAMMA, WRITE_D_BETA };

enum { REDUCE, COMBINE, APPLY };

static int32_t backward_phase(const ic_step *step, int32_t phase)
{
    return has_sums(step) ? phase + COMBINE : phase;
}

static int64_t backward_units(const ic_run *run, const ic_step *step, int32_t phase)
{
    return backward_phase(step, phase) == COMBINE ? channel_units(step) : ic_step_pieces(step);
}

/* The sums of one piece; where there is an activation, d_x holds the gradient before it from here
 * on. */
static void reduce_piece(const ic_run *run, const ic_step *step, int64_t unit)
{
    int32_t c = step->c;
    ic_piece piece = ic_step_piece(step, unit);
    const float *x = ic_at(run, step->x[0].tensor) + piece.first * c;
    const float *d_y = ic_at(run, step->reads[READ_D_Y]) + piece.first * c;
    float *d_x = ic_at(run, step->writes[WRITE_D_X]) + piece.first * c;
    float *sums = run->shared + unit * 2 * c;
    memset(sums, 0, 2 * (size_t)c * sizeof(float));
    run->program->kernels->norm_gradient(
        piece.rows, c, c, x, ic_at(run, step->x[0].scale), ic_at(run, step->x[0].shift),
        ic_at(run, step->reads[READ_MEAN]), step->activation, d_y, d_x, sums, sums + c);
}

/* The coefficients a, b, e of d_x = a d + b x + e, behind the sums of the pieces. */
static float *coefficients(const ic_run *run, const ic_step *step)
{
    return run->shared + (has_sums(step) ? 0 : ic_step_pieces(step) * 2 * step->c);
}

static void combine_backward(const ic_run *run, const ic_step *step, int32_t first, int32_t last)
{
    const float *gamma = ic_at(run, step->reads[READ_GAMMA]);
    const float *mean = ic_at(run, step->reads[READ_MEAN]);
    const float *inverse = ic_at(run, step->reads[READ_INVERSE]);
    float *d_gamma = ic_at(run, step->writes[WRITE_D_GAMMA]);
    float *d_beta = ic_at(run, step->writes[WRITE_D_BETA]);
    float *a = coefficients(run, step), *b = a + step->c, *e = b + step->c;
    double sums[CHANNELS], dots[CHANNELS], n = (double)step->rows;
    sum_channels(run, step, first, last, sums, dots);
    for (int32_t i = first; i < last; i++) {
        double sum = sums[i - first], dot = dots[i - first] * inverse[i];
        double scale = (double)gamma[i] * inverse[i];
        double slope = -scale * inverse[i] * dot / n;
        if (d_beta != NULL)
            d_beta[i] = (float)sum;
        if (d_gamma != NULL)
            d_gamma[i] = (float)dot;
        a[i] = (float)scale;
        b[i] = (float)slope;
        e[i] = (float)(-scale * sum / n - slope * mean[i]);
    }
}

static void apply_piece(const ic_run *run, const ic_step *step, int64_t unit)
{
    int64_t c = step->c;
    ic_piece piece = ic_step_piece(step, unit);
    const float *a = coefficients(run, step);
    float *d_x = ic_at(run, step->writes[WRITE_D_X]) + piece.first * c;
    const float *d = step->activation != IC_ACTIVATION_NONE
                         ? d_x
                         : ic_at(run, step->reads[READ_D_Y]) + piece.first * c;
    run->program->kernels->norm_backward(piece.rows, step->c,
                                         ic_at(run, step->x[0].tensor) + piece.first * c, d, a,
                                         a + c, a + 2 * c, d_x);
}

static void run_backward(const ic_run *run, const ic_step *step, int32_t phase, int64_t unit,
                         float *scratch)
{
    phase = backward_phase(step, phase);
    if (phase == REDUCE)
        reduce_piece(run, step, unit);
    else if (phase == COMBINE)
        combine_backward(run, step, (int32_t)unit * CHANNELS, last_channel(step, unit));
    else if (step->writes[WRITE_D_X] >= 0)
        apply_piece(run, step, unit);
}

static const ic_step_kind step_backward = {"batch norm backward", backward_units, run_backward};

/* ---- Lowering ---- */

static ic_status lower_statistics(ic_lowering *l, int32_t node, int32_t x)
{
    ic_lowered_node *n = &l->nodes[node];
    const ic_lowered_node *input = &l->nodes[ic_lower_node(l, node)->inputs[0]];
    ic_shape shape = ic_lower_node(l, node)->shape;
    ic_step step = ic_step_of(&step_statistics, node);
    ic_step_cut(&step, ic_lower_rows(l, shape), shape.c);
    step.once = true; /* it moves the running statistics */
    step.phases = input->sums >= 0 ? 1 : 2;
    step.count = input->sum_blocks;
    step.x[0] = ic_value_of(x);
    step.x[1] = ic_value_of(input->sums);
    if (input->sums < 0)
        step.shared_bytes = (size_t)ic_step_pieces(&step) * 2 * (size_t)shape.c * sizeof(float);
    for (int32_t i = 0; i < PARAMETERS; i++)
        IC_TRY(ic_lower_parameter(l, node, i, IC_BASE_PARAMETERS, &step.reads[i]));
    for (int32_t i = 0; i < IC_LOWERED_SAVED; i++) {
        IC_TRY(ic_lower_floats(l, (size_t)shape.c, &n->saved[i]));
        step.writes[i] = n->saved[i];
    }
    return ic_lower_step(l, &step);
}

static ic_status lower_fold(ic_lowering *l, int32_t node)
{
    ic_program *p = l->program;
    ic_lowered_node *n = &l->nodes[node];
    size_t c = (size_t)ic_lower_node(l, node)->shape.c;
    IC_TRY(ic_lower_constant(l, c, &n->saved[SAVED_SCALE]));
    IC_TRY(ic_lower_constant(l, c, &n->saved[SAVED_SHIFT]));
    ic_fold fold = {.node = node, .scale = n->saved[SAVED_SCALE], .shift = n->saved[SAVED_SHIFT]};
    IC_TRY(ic_grow(p->context, &p->folds, &p->fold_capacity, p->fold_count + 1, sizeof fold));
    p->folds[p->fold_count++] = fold;
    return IC_OK;
}

static ic_status forward(ic_lowering *l, int32_t node)
{
    int32_t x = IC_NO_TENSOR;
    IC_TRY(ic_lower_plain(l, ic_lower_node(l, node)->inputs[0], &x));
    if (ic_lower_trains(l))
        IC_TRY(lower_statistics(l, node, x));
    else
        IC_TRY(lower_fold(l, node));
    ic_lowered_node *n = &l->nodes[node];
    n->saved_value =
        (ic_value){.tensor = x,
                   .scale = n->saved[SAVED_SCALE],
                   .shift = n->saved[SAVED_SHIFT],
                   .activation = ic_lower_absorb_activation(l, node, ic_activation_any)};
    l->nodes[n->tail].value = n->saved_value;
    l->nodes[n->tail].norm = node;
    return IC_OK;
}

static ic_status backward(ic_lowering *l, int32_t node)
{
    int32_t input = ic_lower_node(l, node)->inputs[0];
    const ic_lowered_node *n = &l->nodes[node];
    if (l->nodes[n->tail].squeezed.gate >= 0)
        return ic_lower_squeezed_norm_backward(l, node);
    ic_shape shape = ic_lower_node(l, node)->shape;
    ic_step step = ic_step_of(&step_backward, node);
    ic_step_cut(&step, ic_lower_rows(l, shape), shape.c);
    int32_t d_y = ic_lower_take_gradient(l, node);
    const ic_lowered_node *tail = &l->nodes[n->tail];
    step.x[0] = n->saved_value;
    step.x[1] = ic_value_of(tail->gradient_sums);
    step.count = tail->gradient_blocks;
    if (tail->gradient_sums < 0) /* else d_y has been through the activation */
        step.activation = n->saved_value.activation;
    step.reads[READ_D_Y] = step.in_place = d_y;
    step.reads[READ_MEAN] = n->saved[SAVED_MEAN];
    step.reads[READ_INVERSE] = n->saved[SAVED_INVERSE];
    IC_TRY(ic_lower_parameter(l, node, GAMMA, IC_BASE_PARAMETERS, &step.reads[READ_GAMMA]));
    IC_TRY(ic_lower_tensor(l, shape, &step.writes[WRITE_D_X]));
    IC_TRY(ic_lower_parameter(l, node, GAMMA, IC_BASE_GRADIENTS, &step.writes[WRITE_D_GAMMA]));
    IC_TRY(ic_lower_parameter(l, node, BETA, IC_BASE_GRADIENTS, &step.writes[WRITE_D_BETA]));
    int64_t pieces = tail->gradient_sums < 0 ? ic_step_pieces(&step) : 0;
    step.phases = l->nodes[input].wants_gradient ? APPLY + 1 : APPLY;
    if (tail->gradient_sums >= 0)
        step.phases -= COMBINE;
    step.shared_bytes = (size_t)(pieces * 2 + 3) * (size_t)shape.c * sizeof(float);
    IC_TRY(ic_lower_step(l, &step));
    return ic_lower_give_gradient(l, input, step.writes[WRITE_D_X]);
}

const ic_operator ic_operator_batch_norm = {
    .name = "batch_norm",
    .inputs = 1,
    .named = true,
    .attributes = IC_HAS_ZERO | IC_HAS_NORM,
    .infer = infer,
    .declare = declare,
    .forward = forward,
    .backward = backward,
};

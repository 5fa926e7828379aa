/*
 * graph/ops/squeeze.c: squeeze and excite behind a batch norm. SPDX-License-Identifier: MIT
 *
 * The value v = f(z), z = x scale + shift, of a norm goes into y = v g, g one gate a picture and
 * channel, and into the means m = (1/P) sum v of a picture's P pixels, from which g is made. v is
 * never stored: who reads it makes it from x.
 *
 * Backward, with d the gradient of y and q = d_m / P: d_g = sum d v, and the gradient of z is
 * d_z = (d g + q) f'(z). Of d_z the norm needs the sums over all pictures of d_z and d_z (x -
 * mean); g and q are the same all over a picture, so one pass over x and d, before q is known,
 * gives everything: each picture's sums of d v, d f', d f' (x - mean), f' and f' (x - mean).
 * Another pass over both makes d_x = a d_z + b x + e, as batch_norm.c has it.
 */
#include "graph/ops/squeeze.h"

#include "graph/elementwise.h"

enum { GAMMA, BETA }; /* a norm's parameters */

/* The sums of a picture: of d v, and the four that the norm needs. */
enum { SUMS = IC_SQUEEZE_SUMS, NORM_SUMS = SUMS - 1 };

int32_t ic_squeezed_norm(const ic_lowering *l, int32_t product)
{
    const ic_graph_node *n = ic_lower_node(l, product);
    int32_t value = n->inputs[0], readers = 0;
    ic_shape gate = ic_graph_input_of(l->graph, n, 1);
    if (!ic_lower_trains(l) || gate.h * gate.w != 1 || l->nodes[value].uses != 2)
        return -1;
    for (int32_t i = value + 1; i < product; i++)
        readers += ic_lower_node(l, i)->op == &ic_operator_global_pool &&
                   ic_lower_node(l, i)->inputs[0] == value;
    return readers == 1 ? l->nodes[value].norm : -1;
}

/* ---- Steps, all of pieces of pictures ---- */

enum { READ_GATE = 0 };

static void run_product(const ic_run *run, const ic_step *step, int32_t phase, int64_t unit,
                        float *scratch)
{
    ic_picture_piece piece = ic_step_picture_piece(step, unit);
    int64_t c = step->c;
    ic_value value = step->x[0];
    run->program->kernels->value_gate(
        piece.rows, step->c, ic_at(run, value.tensor) + piece.first * c, ic_at(run, value.scale),
        ic_at(run, value.shift), value.activation,
        ic_at(run, step->reads[READ_GATE]) + piece.picture * c,
        ic_at(run, step->writes[0]) + piece.first * c);
}

enum { READ_D_Y = 0, READ_MEAN, READ_INVERSE, READ_GAMMA, READ_GATES, READ_SHARE, READ_SUMS };
enum { WRITE_D_GATE = 0, WRITE_SUMS };

static int64_t sums_units(const ic_run *run, const ic_step *step, int32_t phase)
{
    return phase == 0 ? ic_picture_units(run, step, phase) : step->count;
}

/* Adds up the pieces of one picture. */
static void combine_picture(const ic_run *run, const ic_step *step, int64_t picture)
{
    int64_t c = step->c, pieces = ic_step_pieces(step);
    const float *partial = run->shared + picture * pieces * SUMS * c;
    float *d_gate = ic_at(run, step->writes[WRITE_D_GATE]) + picture * c;
    float *sums = ic_at(run, step->writes[WRITE_SUMS]) + picture * NORM_SUMS * c;
    ic_add_pieces(partial, pieces, SUMS * c, c, 1, d_gate);
    ic_add_pieces(partial + c, pieces, SUMS * c, NORM_SUMS * c, 1, sums);
}

static void run_sums(const ic_run *run, const ic_step *step, int32_t phase, int64_t unit,
                     float *scratch)
{
    if (phase == 1) {
        combine_picture(run, step, unit);
        return;
    }
    ic_picture_piece piece = ic_step_picture_piece(step, unit);
    int64_t start = piece.first * step->c;
    ic_value value = step->x[0];
    run->program->kernels->squeeze_sums(
        value.activation, piece.rows, step->c, ic_at(run, value.tensor) + start,
        ic_at(run, step->reads[READ_D_Y]) + start, ic_at(run, value.scale), ic_at(run, value.shift),
        ic_at(run, step->reads[READ_MEAN]), run->shared + unit * SUMS * step->c);
}

enum { WRITE_D_X = 0, WRITE_D_GAMMA, WRITE_D_BETA, CHANNELS = 64 };

static int64_t backward_units(const ic_run *run, const ic_step *step, int32_t phase)
{
    return phase == 0 ? (step->c + CHANNELS - 1) / CHANNELS : ic_picture_units(run, step, phase);
}

/* The sums of d_z and d_z (x - mean) of channel i over all pictures. */
static void sum_pictures(const ic_run *run, const ic_step *step, int64_t i, double *sum,
                         double *dot)
{
    int64_t c = step->c;
    const float *gate = ic_at(run, step->reads[READ_GATES]) + i;
    const float *share = ic_at(run, step->reads[READ_SHARE]) + i;
    const float *s = ic_at(run, step->reads[READ_SUMS]) + i;
    *sum = *dot = 0;
    for (int32_t n = 0; n < step->count; n++, gate += c, share += c, s += NORM_SUMS * c) {
        double g = (double)*gate, q = (double)*share / (double)step->rows;
        *sum += g * (double)s[0] + q * (double)s[2 * c];
        *dot += g * (double)s[c] + q * (double)s[3 * c];
    }
}

/* a, b, e of channels [first, last), and the gradients of the norm's parameters. */
static void combine_channels(const ic_run *run, const ic_step *step, int64_t first, int64_t last)
{
    const float *gamma = ic_at(run, step->reads[READ_GAMMA]);
    const float *mean = ic_at(run, step->reads[READ_MEAN]);
    const float *inverse = ic_at(run, step->reads[READ_INVERSE]);
    float *d_gamma = ic_at(run, step->writes[WRITE_D_GAMMA]);
    float *d_beta = ic_at(run, step->writes[WRITE_D_BETA]);
    float *a = run->shared, *b = a + step->c, *e = b + step->c;
    double n = (double)step->rows * step->count;
    for (int64_t i = first; i < last; i++) {
        double sum, dot;
        sum_pictures(run, step, i, &sum, &dot);
        dot *= (double)inverse[i];
        double scale = (double)gamma[i] * (double)inverse[i];
        double slope = -scale * (double)inverse[i] * dot / n;
        if (d_beta != NULL)
            d_beta[i] = (float)sum;
        if (d_gamma != NULL)
            d_gamma[i] = (float)dot;
        a[i] = (float)scale;
        b[i] = (float)slope;
        e[i] = (float)(-scale * sum / n - slope * (double)mean[i]);
    }
}

/* d_x = (a g d + a q) f'(z) + b x + e */
static void apply_piece(const ic_run *run, const ic_step *step, int64_t unit, float *scratch)
{
    ic_picture_piece piece = ic_step_picture_piece(step, unit);
    int64_t c = step->c, start = piece.first * c;
    const float *gate = ic_at(run, step->reads[READ_GATES]) + piece.picture * c;
    const float *share = ic_at(run, step->reads[READ_SHARE]) + piece.picture * c;
    const float *a = run->shared;
    float *factor = scratch, *offset = scratch + c;
    for (int64_t i = 0; i < c; i++) {
        factor[i] = a[i] * gate[i];
        offset[i] = a[i] * share[i] / (float)step->rows;
    }
    ic_value value = step->x[0];
    ic_squeeze_slopes slopes = {.scale = ic_at(run, value.scale),
                                .shift = ic_at(run, value.shift),
                                .factor = factor,
                                .offset = offset,
                                .b = a + c,
                                .e = a + 2 * c};
    run->program->kernels->squeeze_backward(value.activation, piece.rows, step->c,
                                            ic_at(run, value.tensor) + start,
                                            ic_at(run, step->reads[READ_D_Y]) + start, &slopes,
                                            ic_at(run, step->writes[WRITE_D_X]) + start);
}

static void run_backward(const ic_run *run, const ic_step *step, int32_t phase, int64_t unit,
                         float *scratch)
{
    int64_t first = unit * CHANNELS;
    if (phase == 0)
        combine_channels(run, step, first, first + CHANNELS < step->c ? first + CHANNELS : step->c);
    else
        apply_piece(run, step, unit, scratch);
}

static const ic_step_kind step_product = {"squeezed product", ic_picture_units, run_product};
static const ic_step_kind step_sums = {"squeezed product backward", sums_units, run_sums};
static const ic_step_kind step_backward = {"squeezed norm backward", backward_units, run_backward};

/* ---- Lowering ---- */

static ic_step squeeze_step(const ic_lowering *l, const ic_step_kind *kind, int32_t node,
                            ic_value value)
{
    ic_shape shape = ic_lower_node(l, node)->shape;
    ic_step step = ic_step_of(kind, node);
    ic_step_cut_pictures(&step, l->program->batch, (int64_t)shape.h * shape.w, shape.c);
    step.x[0] = value;
    return step;
}

ic_status ic_lower_squeezed_product(ic_lowering *l, int32_t product)
{
    const ic_graph_node *n = ic_lower_node(l, product);
    ic_step step = squeeze_step(l, &step_product, product, l->nodes[n->inputs[0]].value);
    IC_TRY(ic_lower_plain(l, n->inputs[1], &step.reads[READ_GATE]));
    IC_TRY(ic_lower_tensor(l, n->shape, &step.writes[0]));
    l->nodes[product].saved[0] = step.reads[READ_GATE];
    ic_lower_set(l, product, step.writes[0]);
    return ic_lower_step(l, &step);
}

ic_status ic_lower_squeezed_product_backward(ic_lowering *l, int32_t product, int32_t norm)
{
    const ic_graph_node *n = ic_lower_node(l, product);
    ic_lowered_node *value = &l->nodes[n->inputs[0]];
    size_t floats = (size_t)l->program->batch * NORM_SUMS * (size_t)n->shape.c;
    ic_step step = squeeze_step(l, &step_sums, product, l->nodes[norm].saved_value);
    step.phases = 2;
    step.shared_bytes =
        (size_t)(step.count * ic_step_pieces(&step)) * SUMS * (size_t)step.c * sizeof(float);
    step.reads[READ_D_Y] = value->gradient = ic_lower_take_gradient(l, product);
    step.reads[READ_MEAN] = l->nodes[norm].saved[IC_NORM_MEAN];
    IC_TRY(ic_lower_tensor(l, ic_graph_input_of(l->graph, n, 1), &step.writes[WRITE_D_GATE]));
    IC_TRY(ic_lower_floats(l, floats, &step.writes[WRITE_SUMS]));
    value->squeezed = (ic_squeezed){
        .gate = l->nodes[product].saved[0], .share = IC_NO_TENSOR, .sums = step.writes[WRITE_SUMS]};
    IC_TRY(ic_lower_step(l, &step));
    return ic_lower_give_gradient(l, n->inputs[1], step.writes[WRITE_D_GATE]);
}

ic_status ic_lower_squeezed_norm_backward(ic_lowering *l, int32_t norm)
{
    const ic_graph_node *n = ic_lower_node(l, norm);
    const ic_lowered_node *state = &l->nodes[norm];
    const ic_squeezed *squeezed = &l->nodes[state->tail].squeezed;
    ic_step step = squeeze_step(l, &step_backward, norm, state->saved_value);
    step.phases = 2;
    step.shared_bytes = 3 * (size_t)step.c * sizeof(float);
    step.scratch_bytes = 2 * (size_t)step.c * sizeof(float);
    step.reads[READ_D_Y] = step.in_place = ic_lower_take_gradient(l, norm);
    step.reads[READ_MEAN] = state->saved[IC_NORM_MEAN];
    step.reads[READ_INVERSE] = state->saved[IC_NORM_INVERSE];
    step.reads[READ_GATES] = squeezed->gate;
    step.reads[READ_SHARE] = squeezed->share;
    step.reads[READ_SUMS] = squeezed->sums;
    IC_TRY(ic_lower_parameter(l, norm, GAMMA, IC_BASE_PARAMETERS, &step.reads[READ_GAMMA]));
    IC_TRY(ic_lower_tensor(l, n->shape, &step.writes[WRITE_D_X]));
    IC_TRY(ic_lower_parameter(l, norm, GAMMA, IC_BASE_GRADIENTS, &step.writes[WRITE_D_GAMMA]));
    IC_TRY(ic_lower_parameter(l, norm, BETA, IC_BASE_GRADIENTS, &step.writes[WRITE_D_BETA]));
    IC_TRY(ic_lower_step(l, &step));
    return ic_lower_give_gradient(l, n->inputs[0], step.writes[WRITE_D_X]);
}

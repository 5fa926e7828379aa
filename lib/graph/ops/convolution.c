/* graph/ops/convolution.c: the steps that convolutions and linear layers share.
 * SPDX-License-Identifier: MIT */
#include "graph/ops/convolution.h"

#include "graph/elementwise.h"
#include "graph/pack.h"

/* ---- Steps: thin shells around kernels/conv.h ---- */

enum { WRITE_Y = 0, WRITE_D_X = 0, WRITE_SUMS = 1 };
enum { READ_D_Y = 0, READ_PACKED_BACK = 1 }; /* backward */

static int64_t forward_units(const ic_run *run, const ic_step *step, int32_t phase)
{
    return ic_conv_units(step->conv, IC_CONV_FORWARD, phase);
}

static int64_t data_units(const ic_run *run, const ic_step *step, int32_t phase)
{
    return ic_conv_units(step->conv, IC_CONV_BACKWARD_DATA, phase);
}

static int64_t weights_units(const ic_run *run, const ic_step *step, int32_t phase)
{
    return ic_conv_units(step->conv, IC_CONV_BACKWARD_WEIGHTS, phase);
}

static const ic_prologue *prologue_of(const ic_run *run, ic_value value, ic_prologue *prologue)
{
    *prologue = (ic_prologue){.scale = ic_at(run, value.scale),
                              .shift = ic_at(run, value.shift),
                              .activation = (int32_t)value.activation};
    return ic_value_is_plain(value) ? NULL : prologue;
}

ic_epilogue ic_step_epilogue(const ic_run *run, const ic_step *step)
{
    return (ic_epilogue){.bias = ic_at(run, step->reads[IC_READ_BIAS]),
                         .residual = ic_at(run, step->x[1].tensor),
                         .activation = (int32_t)step->activation};
}

static void run_forward(const ic_run *run, const ic_step *step, int32_t phase, int64_t unit,
                        float *scratch)
{
    ic_prologue prologue;
    ic_epilogue epilogue = ic_step_epilogue(run, step);
    ic_conv_arguments arguments = {.x = ic_at(run, step->x[0].tensor),
                                   .packed = ic_at(run, step->reads[IC_READ_PACKED]),
                                   .out = ic_at(run, step->writes[0]),
                                   .prologue = prologue_of(run, step->x[0], &prologue),
                                   .epilogue = ic_epilogue_is_bare(&epilogue) ? NULL : &epilogue,
                                   .shared = run->shared,
                                   .sums = ic_at(run, step->writes[WRITE_SUMS])};
    ic_conv_run(step->conv, IC_CONV_FORWARD, phase, unit, &arguments, scratch);
}

static void run_data(const ic_run *run, const ic_step *step, int32_t phase, int64_t unit,
                     float *scratch)
{
    ic_norm_gradient gradient = ic_step_norm_gradient(run, step);
    ic_conv_arguments arguments = {.d_y = ic_at(run, step->reads[READ_D_Y]),
                                   .packed = ic_at(run, step->reads[READ_PACKED_BACK]),
                                   .out = ic_at(run, step->writes[WRITE_D_X]),
                                   .accumulate = step->accumulate,
                                   .gradient = gradient.x != NULL ? &gradient : NULL,
                                   .shared = run->shared,
                                   .sums = ic_at(run, step->writes[IC_WRITE_GRADIENT_SUMS])};
    ic_conv_run(step->conv, IC_CONV_BACKWARD_DATA, phase, unit, &arguments, scratch);
}

static void run_weights(const ic_run *run, const ic_step *step, int32_t phase, int64_t unit,
                        float *scratch)
{
    ic_prologue prologue;
    ic_conv_arguments arguments = {.x = ic_at(run, step->x[0].tensor),
                                   .d_y = ic_at(run, step->reads[READ_D_Y]),
                                   .out = ic_at(run, step->writes[0]),
                                   .prologue = prologue_of(run, step->x[0], &prologue),
                                   .shared = run->shared};
    ic_conv_run(step->conv, IC_CONV_BACKWARD_WEIGHTS, phase, unit, &arguments, scratch);
}

const ic_step_kind ic_step_convolution = {"convolution", forward_units, run_forward};
static const ic_step_kind step_data = {"convolution, data gradient", data_units, run_data};
static const ic_step_kind step_weights = {"convolution, weight gradient", weights_units,
                                          run_weights};

static ic_step conv_step(const ic_lowering *l, const ic_step_kind *kind, int32_t node,
                         ic_conv_pass pass)
{
    ic_step step = ic_step_of(kind, node);
    step.conv = &l->program->convs[node];
    const ic_conv_plan *plan = &step.conv->plans[pass];
    step.phases = plan->phases;
    step.shared_bytes = plan->shared_floats * sizeof(float);
    step.scratch_bytes = plan->scratch_floats * sizeof(float);
    return step;
}

/* ---- Forward ---- */

/* What a convolution computes besides itself. */
typedef struct fused {
    int32_t norm;     /* inference: the batch norm that is folded into weights and bias; -1: none */
    int32_t residual; /* inference: the node that is added; -1: none */
    ic_activation activation;
} fused;

static void absorb_norm(ic_lowering *l, int32_t node, fused *f)
{
    int32_t next = ic_lower_only_consumer(l, l->nodes[node].tail);
    if (next < 0 || ic_lower_node(l, next)->op != &ic_operator_batch_norm)
        return;
    ic_lower_absorb(l, node, next);
    f->norm = next;
}

/* What only training does is nothing in inference. */
static void absorb_nothing(ic_lowering *l, int32_t node)
{
    int32_t next = ic_lower_only_consumer(l, l->nodes[node].tail);
    if (next >= 0 && ic_lower_node(l, next)->op == &ic_operator_stochastic_depth)
        ic_lower_absorb(l, node, next);
}

/* An addition can be absorbed when its other operand is there already. */
static void absorb_residual(ic_lowering *l, int32_t node, fused *f)
{
    int32_t tail = l->nodes[node].tail;
    int32_t next = ic_lower_only_consumer(l, tail);
    if (next < 0 || ic_lower_node(l, next)->op != &ic_operator_add)
        return;
    const int32_t *inputs = ic_lower_node(l, next)->inputs;
    int32_t other = inputs[0] == tail ? inputs[1] : inputs[0];
    if (l->nodes[other].value.tensor < 0)
        return;
    ic_lower_absorb(l, node, next);
    f->residual = other;
}

static fused absorb(ic_lowering *l, int32_t node)
{
    fused f = {.norm = -1, .residual = -1};
    if (ic_lower_trains(l)) {
        f.activation = ic_lower_absorb_activation(l, node, ic_activation_from_output);
        return f;
    }
    absorb_norm(l, node, &f);
    absorb_nothing(l, node);
    absorb_residual(l, node, &f);
    f.activation = ic_lower_absorb_activation(l, node, ic_activation_any);
    return f;
}

static ic_status lower_pack(ic_lowering *l, int32_t node, ic_conv_pass pass, ic_shape permuted,
                            const fused *f, int32_t bias, int32_t *packed)
{
    ic_pack pack = {.node = node,
                    .norm = f != NULL ? f->norm : -1,
                    .conv = &l->program->convs[node],
                    .pass = pass,
                    .bias = f != NULL && f->norm >= 0 ? bias : IC_NO_TENSOR,
                    .permuted = permuted};
    return ic_lower_pack(l, &pack, packed);
}

/* The bias as a parameter, or where a norm is folded in, as a constant. */
static ic_status lower_bias(ic_lowering *l, int32_t node, const fused *f, int32_t *bias)
{
    *bias = IC_NO_TENSOR;
    if (f->norm >= 0)
        return ic_lower_constant(l, (size_t)ic_lower_node(l, node)->shape.c, bias);
    if (ic_lower_node(l, node)->attributes.bias)
        return ic_lower_parameter(l, node, 1, IC_BASE_PARAMETERS, bias);
    return IC_OK;
}

/*
 * A value whose scale, shift and activation wait is taken as it is, where nobody has made it plain:
 * that saves a pass over it, and the memory of the plain value. Not by a linear layer that takes a
 * whole picture as its channels, and not where it would be GELU, computed for every tap: that made
 * steps of airbench94 three times as long.
 */
static ic_status lower_input(ic_lowering *l, int32_t source, int32_t channels, ic_value *x)
{
    int32_t plain = l->nodes[source].plain;
    bool dear = l->nodes[source].value.activation == IC_ACTIVATION_GELU;
    if (plain < 0 && !dear && channels == ic_lower_node(l, source)->shape.c) {
        *x = l->nodes[source].value;
        return IC_OK;
    }
    IC_TRY(ic_lower_plain(l, source, &plain));
    *x = ic_value_of(plain);
    return IC_OK;
}

/* In training a batch norm wants the sums of its input: they cost a pass over memory elsewhere. */
static bool norm_follows(const ic_lowering *l, int32_t node)
{
    int32_t next = ic_lower_only_consumer(l, l->nodes[node].tail);
    return ic_lower_trains(l) && next >= 0 && ic_lower_node(l, next)->op == &ic_operator_batch_norm;
}

static ic_status lower_sums(ic_lowering *l, int32_t node, int32_t *sums)
{
    const ic_conv *conv = &l->program->convs[node];
    ic_lowered_node *tail = &l->nodes[l->nodes[node].tail];
    tail->sum_blocks = conv->plans[IC_CONV_FORWARD].sum_blocks;
    IC_TRY(ic_lower_floats(l, 2 * (size_t)tail->sum_blocks * (size_t)conv->shape.k, &tail->sums));
    *sums = tail->sums;
    return IC_OK;
}

ic_status ic_lower_convolution(ic_lowering *l, int32_t node, int32_t source,
                               const ic_conv_shape *shape, ic_shape permuted)
{
    ic_conv_use infers = l->program->threads > 1 ? IC_CONV_INFERENCE : IC_CONV_ALONE;
    ic_conv_prepare(l->program->kernels, shape, ic_lower_trains(l) ? IC_CONV_TRAINING : infers,
                    &l->program->convs[node]);
    fused f = absorb(l, node);
    int32_t packed = IC_NO_TENSOR, bias = IC_NO_TENSOR, y = IC_NO_TENSOR;
    ic_step step = conv_step(l, &ic_step_convolution, node, IC_CONV_FORWARD);
    IC_TRY(lower_input(l, source, shape->c, &step.x[0]));
    if (f.residual >= 0)
        IC_TRY(ic_lower_plain(l, f.residual, &step.x[1].tensor));
    IC_TRY(lower_bias(l, node, &f, &bias));
    IC_TRY(lower_pack(l, node, IC_CONV_FORWARD, permuted, &f, bias, &packed));
    IC_TRY(ic_lower_tensor(l, ic_lower_node(l, node)->shape, &y));
    step.reads[IC_READ_PACKED] = packed;
    step.reads[IC_READ_BIAS] = bias;
    step.writes[WRITE_Y] = y;
    step.activation = f.activation;
    if (norm_follows(l, node))
        IC_TRY(lower_sums(l, node, &step.writes[WRITE_SUMS]));
    IC_TRY(ic_lower_step(l, &step));

    ic_lowered_node *n = &l->nodes[node];
    n->saved_value = step.x[0];
    n->saved[0] = y;
    ic_lower_set(l, n->tail, y);
    return IC_OK;
}

/* ---- Backward ---- */

/* Through the activation that was absorbed, and the bias; *d_y becomes the gradient before both. */
static ic_status lower_epilogue_backward(ic_lowering *l, int32_t node, int32_t *d_y)
{
    const ic_lowered_node *n = &l->nodes[node];
    ic_shape shape = ic_lower_node(l, node)->shape;
    int32_t d_bias = IC_NO_TENSOR;
    bool activation = n->tail != node;
    if (ic_lower_node(l, node)->attributes.bias)
        IC_TRY(ic_lower_parameter(l, node, 1, IC_BASE_GRADIENTS, &d_bias));
    bool bias = d_bias >= 0;
    if (!bias && !activation)
        return IC_OK;
    ic_step step = ic_step_of(bias ? &ic_step_bias_gradient : &ic_step_activation_backward, node);
    step.reads[0] = *d_y;
    if (activation) {
        step.x[0] = ic_value_of(n->saved[0]);
        step.activation = ic_lower_node(l, n->tail)->attributes.function;
        step.in_place = *d_y;
        IC_TRY(ic_lower_tensor(l, shape, &step.writes[0]));
        *d_y = step.writes[0];
    }
    if (bias) {
        step.writes[1] = d_bias;
        ic_step_cut_bias_gradient(&step, ic_lower_rows(l, shape), shape.c);
    } else {
        ic_step_cut(&step, ic_lower_rows(l, shape), shape.c);
    }
    return ic_lower_step(l, &step);
}

static ic_status lower_weight_gradient(ic_lowering *l, int32_t node, int32_t d_y, ic_shape permuted)
{
    int32_t gradient = IC_NO_TENSOR;
    IC_TRY(ic_lower_parameter(l, node, 0, IC_BASE_GRADIENTS, &gradient));
    if (gradient < 0)
        return IC_OK;
    ic_step step = conv_step(l, &step_weights, node, IC_CONV_BACKWARD_WEIGHTS);
    step.x[0] = l->nodes[node].saved_value;
    step.reads[READ_D_Y] = d_y;
    step.writes[0] = gradient;
    if (permuted.h == 0)
        return ic_lower_step(l, &step);
    IC_TRY(ic_lower_bytes(l, l->program->tensors[gradient].bytes, &step.writes[0]));
    IC_TRY(ic_lower_step(l, &step));
    ic_step back = ic_step_of(&ic_step_unpermute, node);
    back.reads[0] = step.writes[0];
    back.writes[0] = gradient;
    back.window = (ic_window){.h = permuted.h, .w = permuted.w, .c = permuted.c};
    ic_step_cut(&back, step.conv->shape.k, permuted.h * permuted.w * permuted.c);
    return ic_lower_step(l, &back);
}

ic_status ic_lower_convolution_backward(ic_lowering *l, int32_t node, int32_t source,
                                        ic_shape permuted)
{
    int32_t d_y = ic_lower_take_gradient(l, node);
    IC_TRY(lower_epilogue_backward(l, node, &d_y));
    IC_TRY(lower_weight_gradient(l, node, d_y, permuted));
    if (!l->nodes[source].wants_gradient)
        return IC_OK;
    ic_step step = conv_step(l, &step_data, node, IC_CONV_BACKWARD_DATA);
    step.reads[READ_D_Y] = d_y;
    IC_TRY(lower_pack(l, node, IC_CONV_BACKWARD_DATA, permuted, NULL, IC_NO_TENSOR,
                      &step.reads[READ_PACKED_BACK]));
    IC_TRY(ic_lower_gradient_target(l, source, &step.writes[WRITE_D_X], &step.accumulate));
    if (step.conv->shape.c == ic_lower_node(l, source)->shape.c)
        IC_TRY(ic_lower_norm_gradient(l, source, step.conv->plans[IC_CONV_BACKWARD_DATA].sum_blocks,
                                      &step));
    return ic_lower_step(l, &step);
}

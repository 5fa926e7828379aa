/*
 * graph/ops/global_pool.c: the mean of each channel over a picture. SPDX-License-Identifier: MIT
 *
 * A scale, a shift and an activation that wait are applied on the way. Large pictures are summed in
 * pieces. Backward: every pixel gets d_y / pixels.
 */
#include "graph/elementwise.h"
#include "graph/lowering.h"

#include <string.h>

static ic_status infer(const ic_graph *graph, ic_graph_node *node)
{
    ic_shape x = ic_graph_input_of(graph, node, 0);
    node->shape = (ic_shape){.h = 1, .w = 1, .c = x.c};
    return IC_OK;
}

/* ---- Steps, of pieces of pictures ---- */

static int64_t forward_units(const ic_run *run, const ic_step *step, int32_t phase)
{
    return phase == 0 ? ic_picture_units(run, step, phase) : step->count;
}

static void run_forward(const ic_run *run, const ic_step *step, int32_t phase, int64_t unit,
                        float *scratch)
{
    int64_t pieces = ic_step_pieces(step), c = step->c;
    if (phase == 1) {
        ic_add_pieces(run->shared + unit * pieces * c, pieces, c, c, (double)step->rows,
                      ic_at(run, step->writes[0]) + unit * c);
        return;
    }
    ic_picture_piece piece = ic_step_picture_piece(step, unit);
    ic_value value = step->x[0];
    run->program->kernels->value_sum(
        piece.rows, step->c, ic_at(run, value.tensor) + piece.first * c, ic_at(run, value.scale),
        ic_at(run, value.shift), value.activation, run->shared + unit * c);
}

static int64_t backward_units(const ic_run *run, const ic_step *step, int32_t phase)
{
    return step->count;
}

static void run_backward(const ic_run *run, const ic_step *step, int32_t phase, int64_t unit,
                         float *scratch)
{
    const ic_kernels *kernels = run->program->kernels;
    int64_t c = step->c;
    float *share = scratch, *one = scratch + c;
    float *d_x = ic_at(run, step->writes[0]) + unit * step->rows * c;
    kernels->scale(c, 1.0f / (float)step->rows, ic_at(run, step->reads[0]) + unit * c, share);
    if (step->accumulate) {
        for (int64_t k = 0; k < c; k++)
            one[k] = 1.0f;
        kernels->affine(step->rows, step->c, d_x, one, share, IC_ACTIVATION_NONE, d_x);
        return;
    }
    for (int64_t row = 0; row < step->rows; row++)
        memcpy(d_x + row * c, share, (size_t)c * sizeof *d_x);
}

static const ic_step_kind step_forward = {"global pool", forward_units, run_forward};
static const ic_step_kind step_backward = {"global pool backward", backward_units, run_backward};

/* ---- Lowering ---- */

static ic_step pool_step(const ic_lowering *l, const ic_step_kind *kind, int32_t node)
{
    ic_shape x = ic_graph_input_of(l->graph, ic_lower_node(l, node), 0);
    ic_step step = ic_step_of(kind, node);
    ic_step_cut_pictures(&step, l->program->batch, (int64_t)x.h * x.w, x.c);
    return step;
}

static ic_status forward(ic_lowering *l, int32_t node)
{
    const ic_graph_node *n = ic_lower_node(l, node);
    ic_step step = pool_step(l, &step_forward, node);
    step.phases = 2;
    step.shared_bytes =
        (size_t)(ic_step_pieces(&step) * step.count) * (size_t)step.c * sizeof(float);
    step.x[0] = ic_lower_value(l, n->inputs[0]);
    IC_TRY(ic_lower_tensor(l, n->shape, &step.writes[0]));
    ic_lower_set(l, node, step.writes[0]);
    return ic_lower_step(l, &step);
}

static ic_status backward(ic_lowering *l, int32_t node)
{
    ic_squeezed *squeezed = &l->nodes[ic_lower_node(l, node)->inputs[0]].squeezed;
    if (squeezed->gate >= 0) { /* the norm behind takes it in */
        squeezed->share = ic_lower_take_gradient(l, node);
        return IC_OK;
    }
    ic_step step = pool_step(l, &step_backward, node);
    step.reads[0] = ic_lower_take_gradient(l, node);
    step.scratch_bytes = 2 * (size_t)step.c * sizeof(float);
    IC_TRY(ic_lower_gradient_target(l, ic_lower_node(l, node)->inputs[0], &step.writes[0],
                                    &step.accumulate));
    return ic_lower_step(l, &step);
}

const ic_operator ic_operator_global_pool = {
    .name = "global_pool",
    .inputs = 1,
    .infer = infer,
    .forward = forward,
    .backward = backward,
};

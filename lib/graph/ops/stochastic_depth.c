/*
 * graph/ops/stochastic_depth.c: training leaves out a residual branch of some pictures (Huang et
 * al. 2016, "row" mode). SPDX-License-Identifier: MIT
 *
 * Training: a picture's y = x / (1 - p) where its random number reaches p, else 0. The numbers are
 * a function of seed, step, node and picture, so the backward pass draws them again. Inference:
 * y = x.
 */
#include "base/random.h"
#include "graph/elementwise.h"
#include "graph/lowering.h"

#include <string.h>

static ic_status infer(const ic_graph *graph, ic_graph_node *node)
{
    node->shape = ic_graph_input_of(graph, node, 0);
    return IC_OK;
}

/* What picture i is multiplied by. */
static float factor_of(const ic_run *run, const ic_step *step, int64_t picture)
{
    ic_random random = ic_random_at(run->seed, IC_USE_DROPOUT, run->step, (uint64_t)step->node);
    uint64_t bound = (uint64_t)(step->factor * 9007199254740992.0); /* of 2^53 */
    bool left_out = ic_random_bits_at(&random, (uint64_t)picture) >> 11 < bound;
    return left_out ? 0.0f : (float)(1 / (1 - step->factor));
}

/* rows: pixels of all pictures, of which window.h are one picture; a unit may span several. */
static void run_drop(const ic_run *run, const ic_step *step, int32_t phase, int64_t unit,
                     float *scratch)
{
    ic_piece piece = ic_step_piece(step, unit);
    int64_t end = piece.first + piece.rows, size = step->window.h, c = step->c;
    for (int64_t row = piece.first, next; row < end; row = next) {
        next = (row / size + 1) * size;
        next = next < end ? next : end;
        ic_piece part = {.first = row, .rows = next - row};
        float *y = ic_at(run, step->writes[0]) + row * c;
        float factor = factor_of(run, step, row / size);
        if (factor == 0) {
            memset(y, 0, (size_t)(part.rows * c) * sizeof *y);
            continue;
        }
        ic_value_apply(run, step->x[0], part, step->c, y);
        run->program->kernels->scale(part.rows * c, factor, y, y);
    }
}

static const ic_step_kind step_drop = {"stochastic depth", ic_piece_units, run_drop};

static bool drops(const ic_lowering *l, int32_t node)
{
    return ic_lower_trains(l) && ic_lower_node(l, node)->attributes.probability > 0;
}

static ic_status lower_drop(ic_lowering *l, int32_t node, ic_value x, int32_t *y)
{
    const ic_graph_node *n = ic_lower_node(l, node);
    ic_step step = ic_step_of(&step_drop, node);
    ic_step_cut(&step, ic_lower_rows(l, n->shape), n->shape.c);
    step.window.h = n->shape.h * n->shape.w;
    step.factor = n->attributes.probability;
    step.x[0] = x;
    step.in_place = x.tensor;
    IC_TRY(ic_lower_tensor(l, n->shape, &step.writes[0]));
    *y = step.writes[0];
    return ic_lower_step(l, &step);
}

static ic_status forward(ic_lowering *l, int32_t node)
{
    int32_t input = ic_lower_node(l, node)->inputs[0], y = IC_NO_TENSOR;
    if (!drops(l, node)) {
        l->nodes[node].value = l->nodes[input].value;
        l->nodes[node].plain = l->nodes[input].plain;
        return IC_OK;
    }
    IC_TRY(lower_drop(l, node, ic_lower_value(l, input), &y));
    ic_lower_set(l, node, y);
    return IC_OK;
}

static ic_status backward(ic_lowering *l, int32_t node)
{
    int32_t gradient = ic_lower_take_gradient(l, node);
    if (drops(l, node))
        IC_TRY(lower_drop(l, node, ic_value_of(gradient), &gradient));
    return ic_lower_give_gradient(l, ic_lower_node(l, node)->inputs[0], gradient);
}

const ic_operator ic_operator_stochastic_depth = {
    .name = "stochastic_depth",
    .inputs = 1,
    .attributes = IC_HAS_PROBABILITY,
    .infer = infer,
    .forward = forward,
    .backward = backward,
};

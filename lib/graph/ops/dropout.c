/*
 * graph/ops/dropout.c: dropout (Srivastava et al. 2014). SPDX-License-Identifier: MIT
 *
 * Training: y = x / (1 - p) where a random number reaches p, else 0. The numbers are a function of
 * seed, step, node and place, so the backward pass draws them again instead of keeping a mask. One
 * draw of 64 bits serves four places: p is taken to 16 bits.
 * Inference: y = x.
 */
#include "base/random.h"
#include "graph/elementwise.h"
#include "graph/lowering.h"

static ic_status infer(const ic_graph *graph, ic_graph_node *node)
{
    node->shape = ic_graph_input_of(graph, node, 0);
    return IC_OK;
}

static void run_dropout(const ic_run *run, const ic_step *step, int32_t phase, int64_t unit,
                        float *scratch)
{
    ic_random random = ic_random_at(run->seed, IC_USE_DROPOUT, run->step, (uint64_t)step->node);
    ic_piece piece = ic_step_piece(step, unit);
    const float *x = ic_at(run, step->reads[0]);
    float *y = ic_at(run, step->writes[0]);
    float scale = (float)(1 / (1 - step->factor));
    const uint32_t bound = (uint32_t)(step->factor * 65536 + 0.5);
    const int64_t end = (piece.first + piece.rows) * step->c;
    for (int64_t i = piece.first * step->c; i < end;) {
        const uint64_t bits = ic_random_bits_at(&random, (uint64_t)i / 4);
        const int64_t last = i / 4 * 4 + 4 < end ? i / 4 * 4 + 4 : end;
        for (; i < last; i++)
            y[i] = (bits >> 16 * (i % 4) & 0xffff) < bound ? 0.0f : x[i] * scale;
    }
}

static const ic_step_kind step_dropout = {"dropout", ic_piece_units, run_dropout};

static bool drops(const ic_lowering *l, int32_t node)
{
    return ic_lower_trains(l) && ic_lower_node(l, node)->attributes.probability > 0;
}

static ic_status lower_dropout(ic_lowering *l, int32_t node, int32_t x, int32_t *y)
{
    const ic_graph_node *n = ic_lower_node(l, node);
    ic_step step = ic_step_of(&step_dropout, node);
    ic_step_cut(&step, ic_lower_rows(l, n->shape), n->shape.c);
    step.factor = n->attributes.probability;
    step.reads[0] = step.in_place = x;
    IC_TRY(ic_lower_tensor(l, n->shape, &step.writes[0]));
    *y = step.writes[0];
    return ic_lower_step(l, &step);
}

static ic_status forward(ic_lowering *l, int32_t node)
{
    int32_t x = IC_NO_TENSOR;
    IC_TRY(ic_lower_plain(l, ic_lower_node(l, node)->inputs[0], &x));
    if (drops(l, node))
        IC_TRY(lower_dropout(l, node, x, &x));
    ic_lower_set(l, node, x);
    return IC_OK;
}

static ic_status backward(ic_lowering *l, int32_t node)
{
    int32_t gradient = ic_lower_take_gradient(l, node);
    if (drops(l, node))
        IC_TRY(lower_dropout(l, node, gradient, &gradient));
    return ic_lower_give_gradient(l, ic_lower_node(l, node)->inputs[0], gradient);
}

const ic_operator ic_operator_dropout = {
    .name = "dropout",
    .inputs = 1,
    .attributes = IC_HAS_PROBABILITY,
    .infer = infer,
    .forward = forward,
    .backward = backward,
};

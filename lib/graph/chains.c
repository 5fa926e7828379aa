/*
 * graph/chains.c: chains of convolutions. SPDX-License-Identifier: MIT
 *
 * A bottleneck widens its input by a pointwise convolution, filters it by a depthwise one and
 * narrows it by another pointwise one. What is wide is large, and step by step goes to memory and
 * back; in a chain a few of its rows at a time are made, filtered and used up in the second cache.
 */
#include "graph/chains.h"

#include "graph/lowering.h"
#include "graph/ops/convolution.h"

struct ic_chain {
    ic_step before, after; /* as they were lowered; of kind NULL: there is none */
    ic_conv row_before, row_after;
};

/* ---- The step ---- */

static int64_t chain_units(const ic_run *run, const ic_step *step, int32_t phase)
{
    return ic_conv_units(step->conv, IC_CONV_FORWARD, phase);
}

static ic_conv_link link_of(const ic_run *run, const ic_step *step, const ic_conv *row)
{
    return (ic_conv_link){.conv = row,
                          .packed = ic_at(run, step->reads[IC_READ_PACKED]),
                          .epilogue = ic_step_epilogue(run, step)};
}

static void run_chain(const ic_run *run, const ic_step *step, int32_t phase, int64_t unit,
                      float *scratch)
{
    const ic_chain *chain = step->chain;
    bool starts = chain->before.kind != NULL, ends = chain->after.kind != NULL;
    ic_conv_link before = {0}, after = {0};
    if (starts)
        before = link_of(run, &chain->before, &chain->row_before);
    if (ends)
        after = link_of(run, &chain->after, &chain->row_after);
    ic_epilogue epilogue = ic_step_epilogue(run, step);
    if (ends)
        epilogue.residual = NULL; /* x[1] is what comes behind adds */
    ic_conv_arguments arguments = {.x = ic_at(run, step->x[0].tensor),
                                   .packed = ic_at(run, step->reads[IC_READ_PACKED]),
                                   .out = ic_at(run, step->writes[0]),
                                   .epilogue = ic_epilogue_is_bare(&epilogue) ? NULL : &epilogue,
                                   .before = starts ? &before : NULL,
                                   .after = ends ? &after : NULL};
    ic_conv_run(step->conv, IC_CONV_FORWARD, phase, unit, &arguments, scratch);
}

static const ic_step_kind step_chain = {"chained convolutions", chain_units, run_chain};

/* ---- Finding chains ---- */

enum {
    WIDE_BYTES = 768 * 1024, /* of a picture's wide value: less stays in the caches anyway */
    WIDTH_MIN = 16           /* pixels of a row: shorter ones leave the pointwise kernels idle */
};

/* Whether nobody but one step reads a tensor. */
static bool is_read_once(ic_program *p, int32_t tensor)
{
    int32_t readers = 0;
    for (size_t i = 0; i < p->step_count; i++) {
        int32_t *inputs[IC_STEP_INPUTS];
        ic_step_inputs(&p->steps[i], inputs);
        for (int32_t k = 0; k < IC_STEP_INPUTS; k++)
            readers += *inputs[k] == tensor;
    }
    return readers == 1 && !p->tensors[tensor].permanent;
}

static bool is_pointwise(const ic_step *step)
{
    if (step->kind != &ic_step_convolution)
        return false;
    const ic_conv_shape *s = &step->conv->shape;
    return s->r == 1 && s->s == 1 && s->stride_h == 1 && s->stride_w == 1 && s->pad_h == 0 &&
           s->pad_w == 0 && s->groups == 1;
}

/* Whether `second` does nothing but go on with what `first` makes, without adding to it. */
static bool follows(ic_program *p, const ic_step *first, const ic_step *second)
{
    return second->x[0].tensor == first->writes[0] && first->x[1].tensor < 0 &&
           ic_value_is_plain(first->x[0]) && ic_value_is_plain(second->x[0]) &&
           ic_conv_joins(&first->conv->shape, &second->conv->shape) &&
           is_read_once(p, first->writes[0]);
}

static bool is_wide(const ic_step *step)
{
    if (step->kind != &ic_step_convolution)
        return false;
    const ic_conv_shape *s = &step->conv->shape;
    return s->groups > 1 && s->w >= WIDTH_MIN &&
           (size_t)s->h * (size_t)s->w * (size_t)s->c * sizeof(float) >= WIDE_BYTES;
}

/* Takes the steps before and behind, or one of them, into `step`. False: they cannot be chained. */
static bool make_chain(ic_program *p, ic_step *step, const ic_step *before, const ic_step *after,
                       int32_t pieces)
{
    ic_chain *chain = &p->chains[p->chain_count];
    ic_conv *conv = &p->convs[step->node];
    if (!ic_conv_chain(conv, before != NULL ? before->conv : NULL,
                       after != NULL ? after->conv : NULL, pieces, &chain->row_before,
                       &chain->row_after))
        return false;
    p->chain_count++;
    step->kind = &step_chain;
    step->chain = chain;
    step->scratch_bytes = conv->plans[IC_CONV_FORWARD].scratch_floats * sizeof(float);
    if (step->scratch_bytes > p->scratch_bytes)
        p->scratch_bytes = step->scratch_bytes;
    chain->before.kind = chain->after.kind = NULL;
    if (before != NULL) {
        chain->before = *before;
        step->x[0] = before->x[0];
    }
    if (after != NULL) {
        chain->after = *after;
        step->x[1] = after->x[1];
        step->writes[0] = after->writes[0];
    }
    return true;
}

/* Chains step `index` with the pointwise ones beside it, and leaves nothing in their places. */
static void chain_at(ic_program *p, size_t index, int32_t pieces)
{
    const ic_step nothing = ic_step_of(NULL, 0);
    ic_step *step = &p->steps[index];
    ic_step *before = index > 0 ? step - 1 : NULL;
    ic_step *after = index + 1 < p->step_count ? step + 1 : NULL;
    if (before != NULL && (!is_pointwise(before) || !follows(p, before, step)))
        before = NULL;
    if (after != NULL && (!is_pointwise(after) || !follows(p, step, after)))
        after = NULL;
    if ((before == NULL && after == NULL) || !make_chain(p, step, before, after, pieces))
        return;
    if (before != NULL)
        *before = nothing;
    if (after != NULL)
        *after = nothing;
}

ic_status ic_program_chain(ic_program *p)
{
    /* A unit for each thread: more would make the rows at their edges once more. */
    int32_t pieces = (p->threads + p->batch - 1) / p->batch;
    size_t wide = 0, kept = 0;
    for (size_t i = 0; i < p->step_count; i++)
        wide += is_wide(&p->steps[i]);
    if (wide == 0)
        return IC_OK;
    IC_TRY(ic_allocate_array(p->context, wide, sizeof *p->chains, &p->chains));
    for (size_t i = 0; i < p->step_count; i++)
        if (is_wide(&p->steps[i]))
            chain_at(p, i, pieces);
    for (size_t i = 0; i < p->step_count; i++)
        if (p->steps[i].kind != NULL)
            p->steps[kept++] = p->steps[i];
    p->step_count = p->forward_count = kept;
    return IC_OK;
}

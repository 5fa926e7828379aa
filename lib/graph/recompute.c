/*
 * graph/recompute.c: a program whose backward pass computes activations again. SPDX-License-
 * Identifier: MIT
 *
 * The forward steps are cut into segments (Chen et al. 2016, Training deep nets with sublinear
 * memory cost). A tensor that only one segment touches is dropped behind it; just before the
 * backward pass first reads one, the steps that lead to it from what was kept are repeated, into
 * tensors of their own. A repeated step reads what it read the first time, so its bits are the
 * same. What a step does beyond writing tensors (it moves running statistics) it must not do twice:
 * such a step is never repeated, and what it writes is kept.
 */
#include "graph/recompute.h"

#include "graph/lowering.h"
#include "graph/pack.h"

#include <string.h>

typedef struct rebuild {
    const ic_program *base;
    const ic_segments *segments;
    const ic_forward_tensor *tensors;
    ic_program *program;
    int32_t *segment_of; /* by forward step */
    int32_t *now;        /* by tensor of base: the one that stands for it; -1: dropped */
    bool *needed;        /* by tensor of base */
    bool *repeated;      /* by forward step */
} rebuild;

/* ---- What the forward pass leaves ---- */

static void touch(ic_forward_tensor *tensors, int32_t tensor, size_t step)
{
    if (tensor < 0)
        return;
    ic_forward_tensor *t = &tensors[tensor];
    if ((int32_t)step < t->first)
        t->first = (int32_t)step;
    if ((int32_t)step > t->last)
        t->last = (int32_t)step;
}

static void look_at_step(const ic_program *p, size_t index, ic_forward_tensor *tensors)
{
    ic_step step = p->steps[index];
    int32_t *inputs[IC_STEP_INPUTS];
    ic_step_inputs(&step, inputs);
    for (int32_t i = 0; i < IC_STEP_INPUTS; i++) {
        if (*inputs[i] >= 0 && index >= p->forward_count)
            tensors[*inputs[i]].saved = true;
        else
            touch(tensors, *inputs[i], index);
    }
    for (int32_t i = 0; i < IC_STEP_TENSORS && index < p->forward_count; i++) {
        touch(tensors, step.writes[i], index);
        if (step.writes[i] >= 0 && step.once)
            tensors[step.writes[i]].fixed = true;
    }
}

void ic_forward_tensors(const ic_program *program, ic_forward_tensor *tensors)
{
    for (size_t i = 0; i < program->tensor_count; i++)
        tensors[i] = (ic_forward_tensor){.first = INT32_MAX,
                                         .last = -1,
                                         .pack = -1,
                                         .fixed = program->tensors[i].base != IC_BASE_ARENA ||
                                                  program->tensors[i].permanent};
    for (size_t i = 0; i < program->step_count; i++)
        look_at_step(program, i, tensors);
    for (size_t i = 0; i < program->pack_count; i++)
        tensors[program->packs[i].packed].pack = (int32_t)i;
}

static bool is_dropped(const rebuild *r, int32_t tensor)
{
    const ic_forward_tensor *t = &r->tensors[tensor];
    if (t->fixed || t->pack >= 0 || t->first > t->last)
        return false;
    int32_t segment = r->segment_of[t->first];
    return r->segments->again[segment] && segment == r->segment_of[t->last];
}

/* ---- Adding to the program ---- */

static ic_status add_step(rebuild *r, const ic_step *step)
{
    ic_program *p = r->program;
    IC_TRY(ic_grow(p->context, &p->steps, &p->step_capacity, p->step_count + 1, sizeof *step));
    p->steps[p->step_count++] = *step;
    return IC_OK;
}

/* Another tensor of the size of one of base. */
static ic_status add_tensor(rebuild *r, int32_t like, int32_t *out)
{
    ic_program *p = r->program;
    ic_tensor tensor = {.base = IC_BASE_ARENA, .bytes = r->base->tensors[like].bytes};
    IC_TRY(
        ic_grow(p->context, &p->tensors, &p->tensor_capacity, p->tensor_count + 1, sizeof tensor));
    *out = (int32_t)p->tensor_count;
    p->tensors[p->tensor_count++] = tensor;
    return IC_OK;
}

/* The packed weights of the forward pass are made again too: they would take place all along. */
static ic_status pack_again(rebuild *r, int32_t index, int32_t *packed)
{
    ic_program *p = r->program;
    ic_pack pack = r->base->packs[index];
    ic_step step = ic_step_of(&ic_step_pack, pack.node);
    step.phases = 2;
    step.again = true;
    step.first = (int32_t)p->pack_count;
    step.count = 1;
    step.rows = ic_conv_pack_units(pack.conv, pack.pass);
    IC_TRY(add_tensor(r, pack.packed, &pack.packed));
    if (pack.permuted.h > 0)
        IC_TRY(add_tensor(r, pack.weights, &pack.weights));
    pack.first_unit = 0;
    IC_TRY(ic_grow(p->context, &p->packs, &p->pack_capacity, p->pack_count + 1, sizeof pack));
    p->packs[p->pack_count++] = pack;
    *packed = pack.packed;
    return add_step(r, &step);
}

/* A step reads what stands for its tensors now. */
static ic_status rename_inputs(rebuild *r, ic_step *step)
{
    int32_t *inputs[IC_STEP_INPUTS];
    ic_step_inputs(step, inputs);
    for (int32_t i = 0; i < IC_STEP_INPUTS; i++) {
        if (*inputs[i] >= 0 && step->again && r->tensors[*inputs[i]].pack >= 0)
            IC_TRY(pack_again(r, r->tensors[*inputs[i]].pack, inputs[i]));
        else if (*inputs[i] >= 0)
            *inputs[i] = r->now[*inputs[i]];
    }
    return IC_OK;
}

static ic_status repeat_step(rebuild *r, const ic_step *first_time)
{
    ic_step step = *first_time;
    step.again = true;
    IC_TRY(rename_inputs(r, &step));
    for (int32_t i = 0; i < IC_STEP_TENSORS; i++) {
        int32_t was = step.writes[i];
        if (was < 0)
            continue;
        if (!is_dropped(r, was)) { /* it is still there, and stays what is read */
            IC_TRY(add_tensor(r, was, &step.writes[i]));
            continue;
        }
        if (r->now[was] < 0)
            IC_TRY(add_tensor(r, was, &r->now[was]));
        step.writes[i] = r->now[was];
    }
    if (step.shared >= 0)
        IC_TRY(add_tensor(r, step.shared, &step.shared));
    return add_step(r, &step);
}

/* ---- Segments ---- */

/* Marks the steps that lead to what the backward pass reads of a segment. */
static void mark_repeated(rebuild *r, int32_t segment)
{
    const ic_program *p = r->base;
    for (size_t i = 0; i < p->tensor_count; i++)
        r->needed[i] = r->tensors[i].saved && is_dropped(r, (int32_t)i) &&
                       r->segment_of[r->tensors[i].first] == segment;
    for (int32_t i = r->segments->start[segment + 1] - 1; i >= r->segments->start[segment]; i--) {
        ic_step step = p->steps[i];
        int32_t *inputs[IC_STEP_INPUTS];
        r->repeated[i] = false;
        for (int32_t k = 0; k < IC_STEP_TENSORS; k++)
            r->repeated[i] = r->repeated[i] || (step.writes[k] >= 0 && r->needed[step.writes[k]]);
        ic_step_inputs(&step, inputs);
        for (int32_t k = 0; k < IC_STEP_INPUTS && r->repeated[i]; k++)
            if (*inputs[k] >= 0 && is_dropped(r, *inputs[k]))
                r->needed[*inputs[k]] = true;
    }
}

static ic_status repeat_segment(rebuild *r, int32_t segment)
{
    mark_repeated(r, segment);
    for (int32_t i = r->segments->start[segment]; i < r->segments->start[segment + 1]; i++)
        if (r->repeated[i])
            IC_TRY(repeat_step(r, &r->base->steps[i]));
    return IC_OK;
}

static ic_status rebuild_steps(rebuild *r)
{
    const ic_program *p = r->base;
    for (size_t i = 0; i < p->tensor_count; i++)
        r->now[i] = is_dropped(r, (int32_t)i) ? -1 : (int32_t)i;
    for (size_t i = 0; i < p->forward_count; i++)
        IC_TRY(add_step(r, &p->steps[i]));
    for (size_t i = p->forward_count; i < p->step_count; i++) {
        ic_step step = p->steps[i];
        int32_t *inputs[IC_STEP_INPUTS];
        ic_step_inputs(&step, inputs);
        for (int32_t k = 0; k < IC_STEP_INPUTS; k++)
            if (*inputs[k] >= 0 && r->now[*inputs[k]] < 0)
                IC_TRY(repeat_segment(r, r->segment_of[r->tensors[*inputs[k]].first]));
        IC_TRY(rename_inputs(r, &step));
        IC_TRY(add_step(r, &step));
    }
    return IC_OK;
}

/* ---- Life ---- */

static ic_status copy_array(ic_context *context, const void *items, size_t count, size_t size,
                            size_t *capacity, void *out)
{
    IC_TRY(ic_grow(context, out, capacity, count, size));
    if (count > 0)
        memcpy(*(void **)out, items, count * size);
    return IC_OK;
}

static ic_status begin_program(rebuild *r)
{
    const ic_program *from = r->base;
    ic_program *p = r->program;
    *p = *from;
    p->convs = NULL; /* they stay base's; a training has no chains */
    p->folds = NULL;
    p->steps = NULL;
    p->tensors = NULL;
    p->packs = NULL;
    p->fold_count = p->fold_capacity = p->step_count = p->step_capacity = 0;
    p->tensor_capacity = p->pack_capacity = 0;
    IC_TRY(copy_array(p->context, from->tensors, from->tensor_count, sizeof *p->tensors,
                      &p->tensor_capacity, &p->tensors));
    return copy_array(p->context, from->packs, from->pack_count, sizeof *p->packs,
                      &p->pack_capacity, &p->packs);
}

ic_status ic_recompute(const ic_program *base, const ic_forward_tensor *tensors,
                       const ic_segments *segments, ic_program **out)
{
    ic_context *context = base->context;
    rebuild r = {.base = base, .segments = segments, .tensors = tensors};
    ic_status status = IC_OK;
    size_t steps = base->forward_count;
    IC_TRY_CLEAN(ic_allocate_zero(context, sizeof *r.program, &r.program));
    r.program->context = context;
    IC_TRY_CLEAN(begin_program(&r));
    IC_TRY_CLEAN(ic_allocate_array(context, steps, sizeof *r.segment_of, &r.segment_of));
    IC_TRY_CLEAN(ic_allocate_array(context, steps, sizeof *r.repeated, &r.repeated));
    IC_TRY_CLEAN(ic_allocate_array(context, base->tensor_count, sizeof *r.now, &r.now));
    IC_TRY_CLEAN(ic_allocate_array(context, base->tensor_count, sizeof *r.needed, &r.needed));
    for (int32_t i = 0; i < segments->count; i++)
        for (int32_t k = segments->start[i]; k < segments->start[i + 1]; k++)
            r.segment_of[k] = i;
    IC_TRY_CLEAN(rebuild_steps(&r));
    *out = r.program;
    r.program = NULL;
cleanup:
    ic_program_free(r.program);
    ic_free(context, r.segment_of);
    ic_free(context, r.repeated);
    ic_free(context, r.now);
    ic_free(context, r.needed);
    return status;
}

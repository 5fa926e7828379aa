/*
 * graph/planner.c: places for tensors in one arena, by lifetimes. SPDX-License-Identifier: MIT
 *
 * Greedy: block after block, each into the smallest gap that is left between the blocks placed so
 * far whose lifetimes meet its own. Of several orders (the largest first, and others) the one that
 * gives the smallest arena is taken.
 */
#include "graph/planner.h"

#include "graph/pack.h"

/* One or more tensors that share their place: in-place steps have handed it on. */
typedef struct block {
    int32_t first, last;
    int32_t tensor; /* the first of them */
    size_t bytes, offset;
} block;

static const size_t ALIGNMENT = 64;

typedef struct layout {
    ic_program *program;
    int32_t *root; /* by tensor: the tensor whose place it takes */
    block *blocks;
    size_t count;
    size_t *placed; /* blocks that have their offset, in the order of offsets */
    size_t placed_count;
} layout;

/* ---- Lifetimes ---- */

static void touch(ic_program *p, int32_t tensor, size_t step)
{
    if (tensor < 0)
        return;
    ic_tensor *t = &p->tensors[tensor];
    if ((int32_t)step < t->first)
        t->first = (int32_t)step;
    if ((int32_t)step > t->last)
        t->last = (int32_t)step;
}

static void touch_packs(ic_program *p, size_t index)
{
    const ic_step *step = &p->steps[index];
    for (int32_t i = step->first; i < step->first + step->count; i++) {
        touch(p, p->packs[i].weights, index);
        touch(p, p->packs[i].packed, index);
    }
}

static void find_lifetimes(ic_program *p)
{
    for (size_t i = 0; i < p->tensor_count; i++) {
        p->tensors[i].first = INT32_MAX;
        p->tensors[i].last = -1;
    }
    for (size_t i = 0; i < p->step_count; i++) {
        ic_step *step = &p->steps[i];
        int32_t *inputs[IC_STEP_INPUTS];
        ic_step_inputs(step, inputs);
        for (int32_t k = 0; k < IC_STEP_INPUTS; k++)
            touch(p, *inputs[k], i);
        for (int32_t k = 0; k < IC_STEP_TENSORS; k++)
            touch(p, step->writes[k], i);
        touch(p, step->shared, i);
        if (step->kind == &ic_step_pack)
            touch_packs(p, i);
    }
}

static bool is_planned(const ic_tensor *t)
{
    return t->base == IC_BASE_ARENA && (t->last >= 0 || t->permanent);
}

/* Lets outputs of in-place steps take over the place of an input that ends there. */
static void merge_in_place(layout *plan)
{
    ic_program *p = plan->program;
    for (size_t i = 0; i < p->tensor_count; i++)
        plan->root[i] = (int32_t)i;
    for (size_t i = 0; i < p->step_count; i++) {
        int32_t x = p->steps[i].in_place, y = p->steps[i].writes[0];
        if (x < 0 || y < 0 || x == y || plan->root[y] != y)
            continue;
        int32_t root = plan->root[x];
        ic_tensor *from = &p->tensors[x], *to = &p->tensors[y], *base = &p->tensors[root];
        bool planned = is_planned(base) && is_planned(to);
        bool can = planned && !base->permanent && !to->permanent && from->last == (int32_t)i &&
                   base->last == (int32_t)i && to->first == (int32_t)i && to->bytes == base->bytes;
        if (!can)
            continue;
        plan->root[y] = root;
        base->last = to->last;
    }
}

/*
 * The orders that are tried; among equals the earlier tensor first: total orders, so that every
 * machine plans alike.
 */
typedef bool block_order(const block *a, const block *b);

static bool larger(const block *a, const block *b)
{
    return a->bytes != b->bytes ? a->bytes > b->bytes : a->tensor < b->tensor;
}

static bool longer(const block *a, const block *b)
{
    int32_t x = a->last - a->first, y = b->last - b->first;
    return x != y ? x > y : larger(a, b);
}

/* Bytes times steps: both count. */
static bool heavier(const block *a, const block *b)
{
    double x = (double)a->bytes * (1.0 + a->last - a->first);
    double y = (double)b->bytes * (1.0 + b->last - b->first);
    return x != y ? x > y : larger(a, b);
}

static bool earlier(const block *a, const block *b)
{
    return a->first != b->first ? a->first < b->first : larger(a, b);
}

static block_order *const orders[] = {larger, heavier, longer, earlier};

static void sift_down(block *blocks, size_t root, size_t count, block_order *goes_before)
{
    for (;;) {
        size_t child = 2 * root + 1;
        if (child >= count)
            return;
        if (child + 1 < count && goes_before(&blocks[child], &blocks[child + 1]))
            child++;
        if (!goes_before(&blocks[root], &blocks[child]))
            return;
        block swap = blocks[root];
        blocks[root] = blocks[child];
        blocks[child] = swap;
        root = child;
    }
}

static void sort_blocks(block *blocks, size_t count, block_order *goes_before)
{
    for (size_t i = count / 2; i-- > 0;)
        sift_down(blocks, i, count, goes_before);
    for (size_t end = count; end-- > 1;) {
        block swap = blocks[0];
        blocks[0] = blocks[end];
        blocks[end] = swap;
        sift_down(blocks, 0, end, goes_before);
    }
}

static ic_status collect_blocks(layout *plan)
{
    const ic_program *p = plan->program;
    for (size_t i = 0; i < p->tensor_count; i++) {
        const ic_tensor *t = &p->tensors[i];
        if (!is_planned(t) || plan->root[i] != (int32_t)i)
            continue;
        size_t bytes = 0;
        if (!ic_add_size(t->bytes, ALIGNMENT - 1, &bytes))
            return ic_fail(IC_ERROR_LIMIT, "a tensor of the network is too large for this machine");
        plan->blocks[plan->count++] = (block){.first = t->permanent ? 0 : t->first,
                                              .last = t->permanent ? INT32_MAX : t->last,
                                              .tensor = (int32_t)i,
                                              .bytes = bytes / ALIGNMENT * ALIGNMENT};
    }
    return IC_OK;
}

/* The offset for a block: the smallest gap that holds it, else behind everything it meets. */
static size_t find_offset(const layout *plan, const block *b)
{
    size_t end = 0, best = SIZE_MAX, best_gap = SIZE_MAX;
    for (size_t i = 0; i < plan->placed_count; i++) {
        const block *other = &plan->blocks[plan->placed[i]];
        if (other->last < b->first || b->last < other->first)
            continue;
        size_t gap = other->offset > end ? other->offset - end : 0;
        if (gap >= b->bytes && gap < best_gap) {
            best = end;
            best_gap = gap;
        }
        if (other->offset + other->bytes > end)
            end = other->offset + other->bytes;
    }
    return best != SIZE_MAX ? best : end;
}

/* Places all blocks in this order; keeps it if it is the best so far. */
static ic_status place_blocks(layout *plan, block_order *goes_before)
{
    ic_program *p = plan->program;
    size_t arena = 0;
    sort_blocks(plan->blocks, plan->count, goes_before);
    plan->placed_count = 0;
    for (size_t i = 0; i < plan->count; i++) {
        block *b = &plan->blocks[i];
        b->offset = find_offset(plan, b);
        size_t end = 0;
        if (!ic_add_size(b->offset, b->bytes, &end))
            return ic_fail(IC_ERROR_LIMIT, "the network is too large for this machine");
        if (end > arena)
            arena = end;
        size_t at = plan->placed_count++;
        for (; at > 0 && plan->blocks[plan->placed[at - 1]].offset > b->offset; at--)
            plan->placed[at] = plan->placed[at - 1];
        plan->placed[at] = i;
    }
    if (arena >= p->arena_bytes)
        return IC_OK;
    p->arena_bytes = arena;
    for (size_t i = 0; i < plan->count; i++)
        p->tensors[plan->blocks[i].tensor].offset = plan->blocks[i].offset;
    return IC_OK;
}

static ic_status place_best(layout *plan)
{
    ic_program *p = plan->program;
    p->arena_bytes = plan->count > 0 ? SIZE_MAX : 0;
    for (size_t i = 0; i < sizeof orders / sizeof *orders && p->arena_bytes > p->live_bytes; i++)
        IC_TRY(place_blocks(plan, orders[i]));
    return IC_OK;
}

/* The most bytes of blocks that live at one time. */
static ic_status measure_live(layout *plan)
{
    ic_program *p = plan->program;
    size_t *change = NULL, live = 0;
    IC_TRY(ic_allocate_zero(p->context, (p->step_count + 1) * sizeof *change, &change));
    for (size_t i = 0; i < plan->count; i++) { /* modulo 2^64, so that it may go below zero */
        const block *b = &plan->blocks[i];
        change[b->first] += b->bytes;
        if ((size_t)b->last < p->step_count)
            change[b->last + 1] -= b->bytes;
    }
    for (size_t i = 0; i <= p->step_count; i++) {
        live += change[i];
        if (live > p->live_bytes)
            p->live_bytes = live;
    }
    ic_free(p->context, change);
    return IC_OK;
}

ic_status ic_plan_memory(ic_program *program)
{
    ic_context *context = program->context;
    layout plan = {.program = program};
    ic_status status = IC_OK;
    size_t count = program->tensor_count;
    IC_TRY_CLEAN(ic_allocate_array(context, count, sizeof *plan.root, &plan.root));
    IC_TRY_CLEAN(ic_allocate_array(context, count, sizeof *plan.blocks, &plan.blocks));
    IC_TRY_CLEAN(ic_allocate_array(context, count, sizeof *plan.placed, &plan.placed));
    program->live_bytes = 0;
    find_lifetimes(program);
    merge_in_place(&plan);
    IC_TRY_CLEAN(collect_blocks(&plan));
    IC_TRY_CLEAN(measure_live(&plan));
    IC_TRY_CLEAN(place_best(&plan));
    for (size_t i = 0; i < count; i++)
        if (program->tensors[i].base == IC_BASE_ARENA)
            program->tensors[i].offset = program->tensors[plan.root[i]].offset;
cleanup:
    ic_free(context, plan.root);
    ic_free(context, plan.blocks);
    ic_free(context, plan.placed);
    return status;
}

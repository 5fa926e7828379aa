/*
 * graph/segments.c: which activations to compute again, so that a program fits a limit.
 * SPDX-License-Identifier: MIT
 *
 * For a bound on what one segment saves, the cut of the forward steps that keeps the fewest bytes
 * across its borders follows by dynamic programming: kept(j) = min over i of kept(i) + crossing(j),
 * where the steps [i, j) save no more than the bound. Of its segments, those that win most bytes
 * for their work are computed again first; how many suffices is found by bisection, with the arena
 * planned in earnest each time. Several bounds are tried, and the least work wins. All of it
 * follows from the shapes alone.
 */
#include "graph/recompute.h"

#include "graph/pack.h"
#include "graph/planner.h"

#include <string.h>

typedef struct search {
    ic_program *base;
    size_t limit;
    ic_forward_tensor *tensors;
    ic_segments segments;
    size_t *saved;    /* by forward step, and one behind: bytes that the steps before it save */
    size_t *crossing; /* bytes that the steps before it leave to it and those behind it */
    size_t *kept;     /* the least bytes across borders, if one is here */
    int32_t *before;  /* the border before it that gives so few */
    double *worth;    /* by segment: bytes it saves for each unit of its work */
    int32_t *order;   /* segments, those worth most first */
    ic_program *best; /* that fits */
    double best_work;
    size_t least;
} search;

/* ---- What steps cost, in multiply-adds ---- */

static double step_work(const ic_program *p, const ic_step *step)
{
    const double for_each_byte = 16; /* moving it takes about as long */
    double work = 0;
    if (step->conv != NULL) {
        const ic_conv_shape *s = &step->conv->shape;
        work = (double)s->n * s->oh * s->ow * s->k * (s->c / s->groups) * s->r * s->s;
    }
    for (int32_t i = 0; i < IC_STEP_TENSORS; i++)
        if (step->writes[i] >= 0)
            work += for_each_byte * (double)p->tensors[step->writes[i]].bytes;
    for (int32_t i = 0; step->kind == &ic_step_pack && i < step->count; i++)
        work += for_each_byte * (double)p->tensors[p->packs[step->first + i].packed].bytes;
    return work;
}

static double repeated_work(const ic_program *p)
{
    double work = 0;
    for (size_t i = p->forward_count; i < p->step_count; i++)
        if (p->steps[i].again)
            work += step_work(p, &p->steps[i]);
    return work;
}

/* ---- Where the borders are ---- */

static void measure_steps(search *s)
{
    const ic_program *p = s->base;
    size_t steps = p->forward_count;
    memset(s->saved, 0, (steps + 1) * sizeof *s->saved);
    memset(s->crossing, 0, (steps + 1) * sizeof *s->crossing);
    for (size_t i = 0; i < p->tensor_count; i++) {
        const ic_forward_tensor *t = &s->tensors[i];
        if (t->fixed || t->pack >= 0 || t->first > t->last)
            continue;
        if (t->saved)
            s->saved[t->first + 1] += p->tensors[i].bytes;
        for (int32_t k = t->first + 1; k <= t->last; k++)
            s->crossing[k] += p->tensors[i].bytes;
    }
    for (size_t i = 0; i < steps; i++)
        s->saved[i + 1] += s->saved[i];
}

static void cut_segments(search *s, size_t bound)
{
    int32_t steps = (int32_t)s->base->forward_count, count = 0;
    s->kept[0] = 0;
    for (int32_t j = 1; j <= steps; j++) {
        s->kept[j] = SIZE_MAX;
        for (int32_t i = j - 1; i >= 0; i--) {
            if (i < j - 1 && s->saved[j] - s->saved[i] > bound)
                break;
            if (s->kept[i] < s->kept[j]) {
                s->kept[j] = s->kept[i];
                s->before[j] = i;
            }
        }
        s->kept[j] += j < steps ? s->crossing[j] : 0;
    }
    for (int32_t j = steps; j > 0; j = s->before[j])
        count++;
    s->segments.count = count;
    for (int32_t j = steps; j > 0; j = s->before[j])
        s->segments.start[count--] = j;
    s->segments.start[0] = 0;
}

/* ---- Which segments ---- */

static void order_segments(search *s)
{
    const ic_program *p = s->base;
    for (int32_t i = 0; i < s->segments.count; i++) {
        int32_t first = s->segments.start[i], last = s->segments.start[i + 1], at = i;
        double work = 1;
        for (int32_t k = first; k < last; k++)
            work += step_work(p, &p->steps[k]);
        s->worth[i] = (double)(s->saved[last] - s->saved[first]) / work;
        for (; at > 0 && s->worth[s->order[at - 1]] < s->worth[i]; at--)
            s->order[at] = s->order[at - 1];
        s->order[at] = i;
    }
}

/* Computes the first `count` segments of the order again, but for the last one of the forward
 * pass, which the backward pass needs at once. */
static ic_status try_count(search *s, int32_t count, bool *fits)
{
    ic_program *made = NULL;
    ic_status status = IC_OK;
    for (int32_t i = 0; i < s->segments.count; i++)
        s->segments.again[s->order[i]] = i < count && s->order[i] < s->segments.count - 1;
    IC_TRY_CLEAN(ic_recompute(s->base, s->tensors, &s->segments, &made));
    IC_TRY_CLEAN(ic_plan_memory(made));
    if (made->arena_bytes < s->least)
        s->least = made->arena_bytes;
    *fits = made->arena_bytes <= s->limit;
    double work = repeated_work(made);
    if (*fits && (s->best == NULL || work < s->best_work)) {
        ic_program_free(s->best);
        s->best = made;
        s->best_work = work;
        made = NULL;
    }
cleanup:
    ic_program_free(made);
    return status;
}

static ic_status try_bound(search *s, size_t bound)
{
    cut_segments(s, bound);
    order_segments(s);
    bool fits = false;
    int32_t low = 0, high = s->segments.count; /* low does not fit, high does */
    IC_TRY(try_count(s, high, &fits));
    while (fits && high - low > 1) {
        int32_t middle = (low + high) / 2;
        bool enough = false;
        IC_TRY(try_count(s, middle, &enough));
        if (enough)
            high = middle;
        else
            low = middle;
    }
    return IC_OK;
}

static ic_status try_bounds(search *s)
{
    static const size_t parts[] = {2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 48, 64};
    size_t all = s->saved[s->base->forward_count];
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        IC_TRY(try_bound(s, all / parts[i]));
    return IC_OK;
}

/* The program becomes the one that was found, whose place it keeps. */
static void take_over(ic_program *program, ic_program *found)
{
    ic_program old = *program;
    *program = *found;
    program->convs = old.convs;
    program->folds = old.folds;
    program->fold_count = old.fold_count;
    program->fold_capacity = old.fold_capacity;
    found->steps = old.steps;
    found->tensors = old.tensors;
    found->packs = old.packs;
}

ic_status ic_program_limit(ic_program *program, size_t limit, size_t *least)
{
    ic_context *context = program->context;
    search s = {.base = program, .limit = limit, .least = program->arena_bytes};
    ic_status status = IC_OK;
    size_t places = program->forward_count + 1;
    *least = program->arena_bytes;
    if (program->arena_bytes <= limit)
        return IC_OK;
    IC_TRY_CLEAN(ic_allocate_array(context, program->tensor_count, sizeof *s.tensors, &s.tensors));
    IC_TRY_CLEAN(ic_allocate_array(context, places, sizeof *s.saved, &s.saved));
    IC_TRY_CLEAN(ic_allocate_array(context, places, sizeof *s.crossing, &s.crossing));
    IC_TRY_CLEAN(ic_allocate_array(context, places, sizeof *s.kept, &s.kept));
    IC_TRY_CLEAN(ic_allocate_array(context, places, sizeof *s.before, &s.before));
    IC_TRY_CLEAN(ic_allocate_array(context, places, sizeof *s.worth, &s.worth));
    IC_TRY_CLEAN(ic_allocate_array(context, places, sizeof *s.order, &s.order));
    IC_TRY_CLEAN(ic_allocate_array(context, places, sizeof(int32_t), &s.segments.start));
    IC_TRY_CLEAN(ic_allocate_array(context, places, sizeof(bool), &s.segments.again));
    ic_forward_tensors(program, s.tensors);
    measure_steps(&s);
    IC_TRY_CLEAN(try_bounds(&s));
    *least = s.least;
    if (s.best == NULL)
        status = ic_fail(IC_ERROR_LIMIT, "the network does not fit %zu bytes of memory", limit);
    else
        take_over(program, s.best);
cleanup:
    ic_program_free(s.best);
    ic_free(context, s.tensors);
    ic_free(context, s.saved);
    ic_free(context, s.crossing);
    ic_free(context, s.kept);
    ic_free(context, s.before);
    ic_free(context, s.worth);
    ic_free(context, s.order);
    ic_free(context, s.segments.start);
    ic_free(context, s.segments.again);
    return status;
}

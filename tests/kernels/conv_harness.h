/*
 * kernels/conv_harness.h: runs a pass of a convolution with guarded memory, its units in any order.
 * SPDX-License-Identifier: MIT
 */
#ifndef TESTS_KERNELS_CONV_HARNESS_H
#define TESTS_KERNELS_CONV_HARNESS_H

#include "kernels/conv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/*
 * Floats between two stretches of a pattern that no kernel may touch. They begin as the pattern
 * too, and as floats it is NaN: what is read before it was written, or beside it, shows in the
 * result.
 */
typedef struct guarded {
    float *floats; /* 64-byte aligned */
    size_t count;
    unsigned char *block;
} guarded;

enum { GUARD_BYTES = 256, GUARD_PATTERN = 0xff };

static inline guarded guarded_create(size_t count)
{
    size_t bytes = (count * sizeof(float) + 63) / 64 * 64;
    guarded g = {.count = count, .block = aligned_alloc(64, bytes + 2 * GUARD_BYTES)};
    assert_non_null(g.block);
    memset(g.block, GUARD_PATTERN, bytes + 2 * GUARD_BYTES);
    g.floats = (float *)(void *)(g.block + GUARD_BYTES);
    return g;
}

static inline void guarded_free(guarded *g)
{
    size_t bytes = (g->count * sizeof(float) + 63) / 64 * 64;
    for (size_t i = 0; i < GUARD_BYTES; ++i)
        assert_int_equal(g->block[i], GUARD_PATTERN);
    for (size_t i = GUARD_BYTES + g->count * sizeof(float); i < bytes + 2 * GUARD_BYTES; ++i)
        assert_int_equal(g->block[i], GUARD_PATTERN);
    free(g->block);
    g->block = NULL;
}

static inline size_t x_floats(const ic_conv_shape *p)
{
    return (size_t)p->n * p->h * p->w * p->c;
}

static inline size_t y_floats(const ic_conv_shape *p)
{
    return (size_t)p->n * p->oh * p->ow * p->k;
}

static inline size_t w_floats(const ic_conv_shape *p)
{
    return (size_t)p->k * (p->c / p->groups) * p->r * p->s;
}

static inline size_t out_floats(const ic_conv_shape *p, ic_conv_pass pass)
{
    return pass == IC_CONV_FORWARD         ? y_floats(p)
           : pass == IC_CONV_BACKWARD_DATA ? x_floats(p)
                                           : w_floats(p);
}

/* Packs what the pass reads, and runs its units, first to last or last to first. */
static inline void run_conv(const ic_conv *conv, ic_conv_pass pass, const float *weights,
                            ic_conv_arguments arguments, bool backwards)
{
    const ic_conv_plan *plan = &conv->plans[pass];
    guarded packed = guarded_create(plan->packed_floats);
    guarded shared = guarded_create(plan->shared_floats);
    guarded scratch = guarded_create(plan->scratch_floats);
    int64_t pack_units = ic_conv_pack_units(conv, pass);
    for (int64_t i = 0; i < pack_units; ++i)
        ic_conv_pack(conv, pass, backwards ? pack_units - 1 - i : i, weights, packed.floats);
    arguments.packed = plan->packed_floats > 0 ? packed.floats : weights;
    arguments.shared = shared.floats;
    for (int32_t phase = 0; phase < plan->phases; ++phase) {
        int64_t units = ic_conv_units(conv, pass, phase);
        for (int64_t i = 0; i < units; ++i)
            ic_conv_run(conv, pass, phase, backwards ? units - 1 - i : i, &arguments,
                        scratch.floats);
    }
    guarded_free(&packed);
    guarded_free(&shared);
    guarded_free(&scratch);
}

#endif

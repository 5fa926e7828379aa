/* kernels/conv.c: the choice of algorithms, and the way to the chosen one. SPDX-License-Identifier:
 * MIT */
#include "kernels/conv_algorithm.h"

#include <string.h>

/* Of equal cost the first one wins. */
static const ic_conv_algorithm *const algorithms[] = {
    &ic_conv_bf16,
    &ic_conv_bf16_weights,
    &ic_conv_depthwise_tiled,
    &ic_conv_depthwise,
    &ic_conv_rows,
    &ic_conv_planes,
    &ic_conv_small,
    &ic_conv_patches,
    &ic_conv_weights,
    &ic_conv_winograd,
    &ic_conv_winograd_half,
    &ic_conv_winograd_large,
    &ic_conv_winograd_weights,
    &ic_conv_winograd_3,
    &ic_conv_winograd_large_3,
    &ic_conv_winograd_weights_3,
};

enum { INFERENCE_PICTURES = 16 }; /* that its algorithms are chosen for */

/* The cheapest algorithm of a pass for the shape of `conv`. */
static const ic_conv_algorithm *cheapest(const ic_conv *conv, ic_conv_pass pass)
{
    const ic_conv_algorithm *best = NULL;
    double least = 0;
    for (size_t i = 0; i < sizeof algorithms / sizeof *algorithms; ++i) {
        ic_conv_plan plan = {.algorithm = algorithms[i]};
        double cost = algorithms[i]->plan(conv, pass, &plan);
        if (cost < 0 || (best != NULL && cost >= least))
            continue;
        best = algorithms[i];
        least = cost;
    }
    return best;
}

void ic_conv_prepare(const ic_kernels *kernels, const ic_conv_shape *shape, ic_conv_use use,
                     ic_conv *out)
{
    *out = (ic_conv){.shape = *shape, .use = use, .kernels = kernels};
    ic_conv expected = *out;
    if (use != IC_CONV_TRAINING)
        expected.shape.n = INFERENCE_PICTURES;
    for (int32_t pass = 0; pass < IC_CONV_PASSES; ++pass) {
        ic_conv_plan *plan = &out->plans[pass];
        plan->algorithm = cheapest(&expected, (ic_conv_pass)pass);
        plan->algorithm->plan(out, (ic_conv_pass)pass, plan);
    }
}

bool ic_conv_choose(ic_conv *conv, ic_conv_pass pass, const char *name)
{
    for (size_t i = 0; i < sizeof algorithms / sizeof *algorithms; ++i) {
        ic_conv_plan plan = {.algorithm = algorithms[i]};
        if (strcmp(algorithms[i]->name, name) == 0 && algorithms[i]->plan(conv, pass, &plan) >= 0) {
            conv->plans[pass] = plan;
            return true;
        }
    }
    return false;
}

const char *ic_conv_algorithm_name(const ic_conv *conv, ic_conv_pass pass)
{
    return conv->plans[pass].algorithm->name;
}

int64_t ic_conv_pack_units(const ic_conv *conv, ic_conv_pass pass)
{
    const ic_conv_plan *plan = &conv->plans[pass];
    return plan->packed_floats > 0 ? plan->algorithm->pack_units(conv, pass) : 0;
}

void ic_conv_pack(const ic_conv *conv, ic_conv_pass pass, int64_t unit, const float *weights,
                  float *packed)
{
    conv->plans[pass].algorithm->pack(conv, pass, unit, weights, packed);
}

int64_t ic_conv_units(const ic_conv *conv, ic_conv_pass pass, int32_t phase)
{
    return conv->plans[pass].algorithm->units(conv, pass, phase);
}

void ic_conv_run(const ic_conv *conv, ic_conv_pass pass, int32_t phase, int64_t unit,
                 const ic_conv_arguments *arguments, float *scratch)
{
    conv->plans[pass].algorithm->run(conv, pass, phase, unit, arguments, scratch);
}

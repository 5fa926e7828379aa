/* kernels/conv_chain.c: the pointwise convolutions at the ends of a depthwise one.
 * SPDX-License-Identifier: MIT */
#include "kernels/conv_chain.h"

bool ic_conv_link_prepare(const ic_conv *conv, ic_conv *row, size_t *scratch_floats)
{
    if (conv == NULL)
        return true;
    const ic_conv_shape *s = &conv->shape;
    ic_conv_grid grid;
    ic_conv_grid_at(conv, IC_CONV_FORWARD, 0, &grid);
    *row = *conv;
    row->use = IC_CONV_ALONE;
    row->shape.n = row->shape.h = row->shape.oh = 1;
    if (s->groups != 1 || !ic_conv_is_pointwise(&grid) ||
        !ic_conv_choose(row, IC_CONV_FORWARD, ic_conv_algorithm_name(conv, IC_CONV_FORWARD)))
        return false;
    const ic_conv_plan *plan = &row->plans[IC_CONV_FORWARD];
    if (plan->scratch_floats > *scratch_floats)
        *scratch_floats = plan->scratch_floats;
    return plan->phases == 1 && plan->shared_floats == 0;
}

void ic_conv_link_run(const ic_conv_link *link, int64_t index, const float *x, float *out,
                      float *scratch)
{
    const ic_conv *row = link->conv;
    ic_epilogue epilogue = link->epilogue;
    if (epilogue.residual != NULL)
        epilogue.residual += index * row->shape.w * row->shape.k;
    ic_conv_arguments arguments = {.x = x,
                                   .packed = link->packed,
                                   .out = out,
                                   .epilogue = ic_epilogue_is_bare(&epilogue) ? NULL : &epilogue};
    int64_t units = ic_conv_units(row, IC_CONV_FORWARD, 0);
    for (int64_t unit = 0; unit < units; ++unit)
        ic_conv_run(row, IC_CONV_FORWARD, 0, unit, &arguments, scratch);
}

/*
 * kernels/conv_chain.h: the pointwise convolutions at the ends of a depthwise one, row by row.
 * SPDX-License-Identifier: MIT
 */
#ifndef KERNELS_CONV_CHAIN_H
#define KERNELS_CONV_CHAIN_H

#include "kernels/conv_grid.h"

/*
 * Plans one row of a pointwise convolution by its own algorithm. Raises *scratch_floats to what a
 * run takes. False: it is no pointwise one, or its algorithm does not run in one phase. conv NULL:
 * there is nothing to plan.
 */
bool ic_conv_link_prepare(const ic_conv *conv, ic_conv *row, size_t *scratch_floats);

/* out = the row of the link's output that comes of the row x; index: of the row, over all
 * pictures. */
void ic_conv_link_run(const ic_conv_link *link, int64_t index, const float *x, float *out,
                      float *scratch);

#endif

/* graph/ops/convolution.h: the steps that convolutions and linear layers share.
 * SPDX-License-Identifier: MIT */
#ifndef GRAPH_OPS_CONVOLUTION_H
#define GRAPH_OPS_CONVOLUTION_H

#include "graph/lowering.h"

/* The forward step, what it reads, and what it does behind the products. */
enum { IC_READ_PACKED = 0, IC_READ_BIAS = 1 };
extern const ic_step_kind ic_step_convolution;
ic_epilogue ic_step_epilogue(const ic_run *run, const ic_step *step);

/*
 * Appends the forward steps of a convolution of `source` with this shape; its weights are parameter
 * 0, its bias parameter 1. permuted.h > 0: the weights' [c][h][w] is to be brought to the order of
 * NHWC.
 */
ic_status ic_lower_convolution(ic_lowering *l, int32_t node, int32_t source,
                               const ic_conv_shape *shape, ic_shape permuted);
ic_status ic_lower_convolution_backward(ic_lowering *l, int32_t node, int32_t source,
                                        ic_shape permuted);

#endif

/*
 * kernels/ref/conv_ref.h: convolution written as its definition, in double: what tests compare
 * with. SPDX-License-Identifier: MIT
 */
#ifndef KERNELS_REF_CONV_REF_H
#define KERNELS_REF_CONV_REF_H

#include "kernels/conv.h"

/* x [n][h][w][c], weights [k][c/groups][r][s], y and d_y [n][oh][ow][k]. */
void ic_conv_reference_forward(const ic_conv_shape *shape, const float *x, const float *weights,
                               float *y);
void ic_conv_reference_backward_data(const ic_conv_shape *shape, const float *d_y,
                                     const float *weights, float *d_x);
void ic_conv_reference_backward_weights(const ic_conv_shape *shape, const float *x,
                                        const float *d_y, float *d_w);

#endif

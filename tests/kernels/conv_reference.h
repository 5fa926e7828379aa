/*
 * kernels/conv_reference.h: convolution written as its definition, in double: what tests compare
 * with. SPDX-License-Identifier: MIT
 */
#ifndef CONV_REFERENCE_H
#define CONV_REFERENCE_H

#include "kernels/conv.h"

/* x [n][h][w][c], weights [k][c/groups][r][s], y and d_y [n][oh][ow][k]. */
void conv_reference_forward(const ic_conv_shape *shape, const float *x, const float *weights,
                            float *y);
void conv_reference_backward_data(const ic_conv_shape *shape, const float *d_y,
                                  const float *weights, float *d_x);
void conv_reference_backward_weights(const ic_conv_shape *shape, const float *x, const float *d_y,
                                     float *d_w);

#endif

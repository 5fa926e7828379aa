/*
 * kernels/conv_depthwise.h: what the two algorithms of depthwise convolution share.
 * SPDX-License-Identifier: MIT
 */
#ifndef KERNELS_CONV_DEPTHWISE_H
#define KERNELS_CONV_DEPTHWISE_H

#include "kernels/conv_grid.h"

/* Packed weights are [tap][c] for both, so that plans of different picture sizes share them. */
int64_t ic_conv_depthwise_pack_units(const ic_conv *conv, ic_conv_pass pass);
void ic_conv_depthwise_pack(const ic_conv *conv, ic_conv_pass pass, int64_t unit,
                            const float *weights, float *packed);

#endif

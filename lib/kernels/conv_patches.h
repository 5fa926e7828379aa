/*
 * kernels/conv_patches.h: the inputs of output pixels laid side by side. SPDX-License-Identifier:
 * MIT
 */
#ifndef KERNELS_CONV_PATCHES_H
#define KERNELS_CONV_PATCHES_H

#include "kernels/conv_grid.h"

/* Whether outputs and inputs are the same pixels in the same order. */
bool ic_conv_is_pointwise(const ic_conv_grid *grid);

/*
 * out[pixel][tap][channel of the group] for the pixels [first, first + count) of the grid, counted
 * over pictures, rows and columns, and the taps [first_tap, last_tap).
 */
void ic_conv_make_patches(const ic_kernels *kernels, const ic_conv_grid *grid,
                          const ic_prologue *prologue, int32_t group, const float *in,
                          int64_t first, int64_t count, int32_t first_tap, int32_t last_tap,
                          float *out);

#endif

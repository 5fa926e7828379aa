/* kernels/conv_bf16.h: what the passes in bfloat16 share. SPDX-License-Identifier: MIT */
#ifndef KERNELS_CONV_BF16_H
#define KERNELS_CONV_BF16_H

#include "kernels/bf16.h"
#include "kernels/conv_grid.h"

/* Channels of a pixel with the zeros that make them few equal steps, each even. */
int32_t ic_conv_bf16_depth(int32_t channels);

/* The step that goes into an even depth, not above IC_BF16_DEPTH. */
int32_t ic_conv_bf16_step(int64_t depth);

/* The height of the first tile of `left` rows. */
static inline int64_t ic_conv_bf16_height(const ic_bf16_kernels *kernels, int64_t left)
{
    if (kernels->heights == NULL)
        return ic_conv_divide_up(left, ic_conv_divide_up(left, kernels->rows));
    return left < IC_BF16_HEIGHTS ? kernels->heights[left] : kernels->rows;
}

/* Where the packed weights of grid `index` begin; for the count of grids: how many they are. */
int64_t ic_conv_bf16_packed_before(const ic_conv *conv, ic_conv_pass pass, int32_t index);
int64_t ic_conv_bf16_pack_units(const ic_conv *conv, ic_conv_pass pass);
void ic_conv_bf16_pack(const ic_conv *conv, ic_conv_pass pass, int64_t unit, const float *weights,
                       float *packed);

/* What any pass costs: only Winograd's algorithm, with fewer products in float32, is ever cheaper.
 */
double ic_conv_bf16_cost(const ic_conv *conv);

#endif

/*
 * graph/ops/squeeze.h: squeeze and excite behind a batch norm, in as few passes over the pixels as
 * can be. SPDX-License-Identifier: MIT
 */
#ifndef GRAPH_OPS_SQUEEZE_H
#define GRAPH_OPS_SQUEEZE_H

#include "graph/lowering.h"

/*
 * Training: the batch norm of which a product takes the value (behind its activation) times a gate,
 * where only a global pool before it reads that value besides. -1: it is another kind of product.
 */
int32_t ic_squeezed_norm(const ic_lowering *l, int32_t product);

/* The passes of such a product, and the backward pass of its norm. */
ic_status ic_lower_squeezed_product(ic_lowering *l, int32_t product);
ic_status ic_lower_squeezed_product_backward(ic_lowering *l, int32_t product, int32_t norm);
ic_status ic_lower_squeezed_norm_backward(ic_lowering *l, int32_t norm);

#endif

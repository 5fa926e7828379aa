/* graph/pack.h: bringing weights into the form that the kernels read. SPDX-License-Identifier: MIT
 */
#ifndef GRAPH_PACK_H
#define GRAPH_PACK_H

#include "graph/program.h"

/* Packs weights [step->first, + step->count) of the program's list; step->rows units in all. */
extern const ic_step_kind ic_step_pack;

/* [k][c][h*w] to [k][h*w][c]: from the order of a linear layer's weights in torch to that of NHWC.
 */
void ic_permute_weights(int64_t k, ic_shape shape, const float *x, float *y);

/* writes[0] = reads[0] the other way round, for gradients; step->rows: k, window h, w, c: the
 * shape. */
extern const ic_step_kind ic_step_unpermute;

#endif

/*
 * train/muon.h: steps of equal size in all directions of a filter matrix. SPDX-License-Identifier:
 * MIT
 */
#ifndef TRAIN_MUON_H
#define TRAIN_MUON_H

#include "base/pool.h"
#include "train/rates.h"

/*
 * Muon (Jordan 2024, "Muon: An optimizer for hidden layers in neural networks"): the momentum of a
 * matrix is replaced by about the nearest matrix whose singular values are all 1, found with five
 * steps of a Newton-Schulz iteration, which wants nothing but products. They run on the kernels of
 * linear layers, in the precision of the context.
 */
typedef struct ic_muon ic_muon;

/* Memory for the largest of the runs that are matrices. */
ic_status ic_muon_create(ic_context *context, const ic_parameter_run *runs, int32_t count,
                         ic_muon **out);
void ic_muon_free(ic_muon *muon);

/*
 * Moves the velocity of one matrix, and turns its gradient into the direction to go: of Nesterov's
 * momentum, times sqrt(rows / columns) where there are more rows than columns.
 */
ic_status ic_muon_turn(ic_muon *muon, const ic_parameter_run *run, float momentum, float *velocity,
                       float *gradient);

#endif

/* train/loss.h: cross-entropy of a batch, its gradient, and how many were right.
 * SPDX-License-Identifier: MIT */
#ifndef TRAIN_LOSS_H
#define TRAIN_LOSS_H

#include "base/pool.h"
#include "kernels/kernels.h"

typedef struct ic_loss {
    ic_context *context;
    ic_pool *pool;
    const ic_kernels *kernels;
    int32_t classes;
    float smoothing;
    float *weights; /* [classes]; NULL: all 1 */
    float *rows;    /* [batch]: the loss of each picture */
} ic_loss;

/*
 * For batches of at most `batch` pictures. counts NULL: every picture weighs the same; else
 * [classes] pictures of each class in the data: class k weighs N / (K n_k), K the number of classes
 * that have pictures, so that all classes weigh the same together and the mean weight over the data
 * is 1.
 */
ic_status ic_loss_create(ic_context *context, int32_t classes, int32_t batch, double smoothing,
                         const int64_t *counts, ic_loss **out);
void ic_loss_free(ic_loss *loss);

typedef struct ic_loss_sums {
    double loss;     /* summed over the pictures */
    int64_t correct; /* pictures whose highest logit is the label's; of two, the larger share's */
} ic_loss_sums;

/* Objective of training: smoothed and weighted; sets gradients [count][classes] of its mean over
 * the batch. */
ic_status ic_loss_train(ic_loss *loss, int32_t count, const float *logits,
                        const ic_targets *targets, float *gradients, ic_loss_sums *out);

/* Plain cross-entropy, as an evaluation reports it. */
ic_status ic_loss_measure(ic_loss *loss, int32_t count, const float *logits, const int32_t *labels,
                          ic_loss_sums *out);

#endif

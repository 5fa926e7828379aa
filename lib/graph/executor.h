/*
 * graph/executor.h: running a graph, forward and backward, in memory that is planned once.
 * SPDX-License-Identifier: MIT
 */
#ifndef GRAPH_EXECUTOR_H
#define GRAPH_EXECUTOR_H

#include "graph/graph.h"

/*
 * Immutable weights ready for inference: the flat parameters and their packed forms, shared by
 * count between threads and executors of any batch size.
 */
typedef struct ic_weights ic_weights;

/* Copies and packs `parameters` (ic_graph_parameter_sizes(graph).total floats). */
ic_status ic_weights_create(ic_context *context, const ic_graph *graph, const float *parameters,
                            ic_weights **out);
ic_weights *ic_weights_retain(ic_weights *weights);
void ic_weights_free(ic_weights *weights);
const float *ic_weights_parameters(const ic_weights *weights);

/*
 * A graph lowered to a list of steps for one batch size, with its arena. Used by one thread at a
 * time (it spreads its work over the pool by itself); nothing is allocated after its creation.
 */
typedef struct ic_executor ic_executor;

/* IC_TRAINING_TO_INPUT: backward goes on to the gradient of the input (explanations, checks). */
typedef enum ic_executor_mode { IC_INFERENCE, IC_TRAINING, IC_TRAINING_TO_INPUT } ic_executor_mode;

ic_status ic_executor_create(ic_context *context, const ic_graph *graph, int32_t batch,
                             ic_executor_mode mode, ic_executor **out);

/*
 * The same for IC_INFERENCE, which also keeps the value of a node inside the network for
 * ic_executor_tap: one that no batch norm follows directly.
 */
ic_status ic_executor_create_tapped(ic_context *context, const ic_graph *graph, int32_t batch,
                                    ic_node tap, ic_executor **out);

/*
 * The same for IC_TRAINING, of some parameters: trained[i] says whether the gradient of parameter i
 * is wanted (NULL: of all). The backward pass then leaves out what only the others need, and their
 * gradients as they are; the wanted ones stay the same bits.
 *
 * With at most `limit` bytes of ic_executor_memory (0: no limit): where that is too little for all
 * activations, some are computed again in the backward pass: slower, and the same bits.
 * IC_ERROR_LIMIT: it cannot be done; the message says what can.
 */
ic_status ic_executor_create_training(ic_context *context, const ic_graph *graph, int32_t batch,
                                      const bool *trained, size_t limit, ic_executor **out);

/*
 * One for the same batch that works in the memory of another one, if it is enough: only one of them
 * is at work at a time, finds its input filled just before, and leaves nothing to the other. Free
 * it before its host.
 */
ic_status ic_executor_create_beside(ic_executor *host, const ic_graph *graph, ic_executor_mode mode,
                                    ic_executor **out);
void ic_executor_free(ic_executor *executor);

int32_t ic_executor_batch(const ic_executor *executor);
const ic_graph *ic_executor_graph(const ic_executor *executor);

/* The bytes of its arena, and of the scratch of the threads. */
size_t ic_executor_memory(const ic_executor *executor);

/* [batch][h][w][c], for the caller to fill before a forward run. */
float *ic_executor_input(ic_executor *executor);

/* [batch][classes] after a forward run. */
const float *ic_executor_logits(const ic_executor *executor);

/* [batch][h][w][c] of the node that ic_executor_create_tapped was told of, after a run. */
const float *ic_executor_tap(const ic_executor *executor);

/* [batch][classes], for the caller to fill before a backward run (IC_TRAINING). */
float *ic_executor_logit_gradients(ic_executor *executor);

/* [batch][h][w][c] after a backward run (IC_TRAINING_TO_INPUT). */
const float *ic_executor_input_gradients(const ic_executor *executor);

/*
 * Inference: the logits of the first `count` pictures of the input. Each picture's logits are the
 * same bits whatever the batch size and its place in the batch.
 */
ic_status ic_executor_infer(ic_executor *executor, const ic_weights *weights, int32_t count);

/*
 * Training forward: batch statistics in norms (running ones in `parameters` move), dropout by
 * (seed, step).
 */
ic_status ic_executor_forward(ic_executor *executor, float *parameters, uint64_t seed,
                              uint64_t step);

/* Backward of the last forward; sets the gradients of the trained parameters, [sizes.trained]. */
ic_status ic_executor_backward(ic_executor *executor, const float *parameters, float *gradients);

#endif

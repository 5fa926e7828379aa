/*
 * graph/lowering.h: how operators append steps to a program. SPDX-License-Identifier: MIT
 *
 * Forward, each node ends with a value (nodes[].value) that its consumers read. Backward, in
 * reverse order, each node takes the gradient of its value and gives gradients to its inputs. A
 * node may absorb the nodes behind it (a convolution its activation, say): it then computes the
 * last of them, its tail, and they append nothing.
 */
#ifndef GRAPH_LOWERING_H
#define GRAPH_LOWERING_H

#include "graph/program.h"

enum { IC_LOWERED_SAVED = 4 };

/* Where a batch norm saves what it took, for those who work on its gradient. */
enum { IC_NORM_MEAN = 2, IC_NORM_INVERSE };

/*
 * A gradient that waits (graph/ops/squeeze.c): gradient * gate[n][c] + share[n][c] / pixels, and
 * the sums that belong to it. gate -1: the gradient is as it is.
 */
typedef struct ic_squeezed {
    int32_t gate, share, sums;
} ic_squeezed;

typedef struct ic_lowered_node {
    ic_value value;
    int32_t sums; /* of the value: [sum_blocks][2][c], its sums and those of squares; or -1 */
    int32_t sum_blocks;
    int32_t norm;  /* the batch norm whose value this is, alone or with its activation; or -1 */
    int32_t given; /* how many of its uses have given their gradients */
    int32_t gradient_sums; /* made with the gradient: as sums, see ic_conv_arguments; or -1 */
    int32_t gradient_blocks;
    int32_t plain;    /* the tensor with scale, shift and activation applied; -1: not made (yet) */
    int32_t gradient; /* the tensor of the gradient so far; -1: none yet */
    bool wants_gradient;
    bool absorbed;
    int32_t uses;
    int32_t consumer;                /* the last one */
    int32_t tail;                    /* the last node that was absorbed, or the node itself */
    int32_t saved[IC_LOWERED_SAVED]; /* tensors that the operator keeps for its backward pass */
    ic_value saved_value;
    ic_squeezed squeezed;
} ic_lowered_node;

struct ic_lowering {
    ic_program *program;
    const ic_graph *graph;
    ic_lowered_node *nodes;
    const bool *trained; /* by parameter; NULL: all */
    int32_t taken;       /* the gradient that the node in hand has taken */
    int32_t pack_step;   /* the step that packs for the layers in hand; -1: none yet */
    size_t pack_bytes;   /* that it packs so far */
};

static inline bool ic_lower_trains(const ic_lowering *l)
{
    return l->program->mode != IC_INFERENCE;
}

static inline const ic_graph_node *ic_lower_node(const ic_lowering *l, int32_t node)
{
    return &l->graph->nodes[node];
}

static inline int64_t ic_lower_rows(const ic_lowering *l, ic_shape shape)
{
    return (int64_t)l->program->batch * shape.h * shape.w;
}

static inline bool ic_value_is_plain(ic_value value)
{
    return value.scale < 0 && value.activation == IC_ACTIVATION_NONE;
}

static inline ic_value ic_value_of(int32_t tensor)
{
    return (ic_value){.tensor = tensor, .scale = IC_NO_TENSOR, .shift = IC_NO_TENSOR};
}

/* A new tensor in the arena: of bytes, of a value of this shape for the whole batch, of floats. */
ic_status ic_lower_bytes(ic_lowering *l, size_t bytes, int32_t *out);
ic_status ic_lower_tensor(ic_lowering *l, ic_shape shape, int32_t *out);
ic_status ic_lower_floats(ic_lowering *l, size_t floats, int32_t *out);

/* A new tensor among the constants of inference. */
ic_status ic_lower_constant(ic_lowering *l, size_t floats, int32_t *out);

/*
 * The tensor that stands for a node's parameter (0: the first one declared), or its gradient: the
 * latter is IC_NO_TENSOR where it is not trained.
 */
ic_status ic_lower_parameter(ic_lowering *l, int32_t node, int32_t index, ic_base base,
                             int32_t *out);

/* A step with all tensors absent, to be filled in, and the adding of it. */
ic_step ic_step_of(const ic_step_kind *kind, int32_t node);
ic_status ic_lower_step(ic_lowering *l, const ic_step *step);

/* Registers weights for packing; *packed is the tensor that convolution steps read. */
ic_status ic_lower_pack(ic_lowering *l, const ic_pack *pack, int32_t *packed);

/* The value of a node as a tensor of its own, appending the step that makes it if need be. */
ic_status ic_lower_plain(ic_lowering *l, int32_t node, int32_t *out);

/* The value of a node for steps that apply it as they read: plain if it has been made so. */
ic_value ic_lower_value(const ic_lowering *l, int32_t node);

/* Sets a node's value to a plain tensor. */
void ic_lower_set(ic_lowering *l, int32_t node, int32_t tensor);

/* The operator's consumer if it is the only one, else -1. */
int32_t ic_lower_only_consumer(const ic_lowering *l, int32_t node);

/* Marks next, the only consumer of node's tail, as computed by node. */
void ic_lower_absorb(ic_lowering *l, int32_t node, int32_t next);

/* Absorbs an activation behind the tail if there is one that `can` allows; returns it or NONE. */
ic_activation ic_lower_absorb_activation(ic_lowering *l, int32_t node, bool (*can)(ic_activation));

/* Whether the derivative follows from the function's result as well as from its argument. */
bool ic_activation_from_output(ic_activation function);
bool ic_activation_any(ic_activation function);

/* ---- Backward ---- */

/* Takes the gradient of the node's tail. */
int32_t ic_lower_take_gradient(ic_lowering *l, int32_t node);

/* Gives a finished gradient to a node: its first, or added to what it has. */
ic_status ic_lower_give_gradient(ic_lowering *l, int32_t node, int32_t tensor);

/*
 * The tensor into which a step may write a node's gradient itself; *accumulate says whether to add
 * to what is there.
 */
ic_status ic_lower_gradient_target(ic_lowering *l, int32_t node, int32_t *out, bool *accumulate);

/*
 * Where `node` is the value of a batch norm and no other gradient of it is to come, lets the step
 * that writes its gradient take that on through the activation and sum it, in `blocks` blocks,
 * which saves the norm a pass over memory. The step has then what ic_step_norm_gradient reads.
 */
ic_status ic_lower_norm_gradient(ic_lowering *l, int32_t node, int32_t blocks, ic_step *step);

#endif

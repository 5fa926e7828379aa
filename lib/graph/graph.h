/*
 * graph/graph.h: a network as data: nodes, shapes, parameters; built by zoo/, read from model
 * files. SPDX-License-Identifier: MIT
 */
#ifndef GRAPH_GRAPH_H
#define GRAPH_GRAPH_H

#include "base/json.h"
#include "kernels/kernels.h"

/* The shape of one picture's tensor; every tensor is [batch][h][w][c] float32. */
typedef struct ic_shape {
    int32_t h, w, c;
} ic_shape;

static inline size_t ic_shape_floats(ic_shape shape)
{
    return (size_t)shape.h * (size_t)shape.w * (size_t)shape.c;
}

/*
 * A network: immutable once finished, shared by count. Nodes are in order of computation; a node's
 * name is the torch module path that its parameters have ("layer1.0.conv1").
 */
typedef struct ic_graph ic_graph;

/* ---- Building. A builder call returns the node's number, or an error (negative). ---- */

typedef int32_t ic_node;
enum { IC_NO_TAP = -1 }; /* where a node may be named whose value is kept */

ic_status ic_graph_create(ic_context *context, ic_shape input, ic_graph **out);
ic_graph *ic_graph_retain(ic_graph *graph);
void ic_graph_free(ic_graph *graph);

typedef struct ic_conv_options {
    int32_t k;        /* output channels */
    int32_t size;     /* square kernel */
    int32_t stride;   /* 0: 1 */
    int32_t padding;  /* on each side */
    int32_t dilation; /* 0: 1 */
    int32_t groups;   /* 0: 1 */
    bool bias;
} ic_conv_options;

ic_node ic_graph_input(ic_graph *graph); /* node 0 */
ic_node ic_graph_conv(ic_graph *graph, const char *name, ic_node x, const ic_conv_options *options);
/* What batch norms add to the variance, and how far their running values move: torch's defaults. */
#define IC_NORM_EPSILON  1e-5
#define IC_NORM_MOMENTUM 0.1
ic_node ic_graph_batch_norm(ic_graph *graph, const char *name, ic_node x);
ic_node ic_graph_batch_norm_tuned(ic_graph *graph, const char *name, ic_node x, double epsilon,
                                  double momentum);
/* The same with a scale that starts at 0: at the end of a residual branch, which so starts silent.
 */
ic_node ic_graph_batch_norm_zero(ic_graph *graph, const char *name, ic_node x);
ic_node ic_graph_activation(ic_graph *graph, ic_node x, ic_activation kind);
ic_node ic_graph_max_pool(ic_graph *graph, ic_node x, int32_t size, int32_t stride,
                          int32_t padding);
ic_node ic_graph_average_pool(ic_graph *graph, ic_node x, int32_t size, int32_t stride,
                              int32_t padding);
ic_node ic_graph_global_pool(ic_graph *graph, ic_node x); /* average over h and w */
ic_node ic_graph_global_max_pool(ic_graph *graph, ic_node x);
ic_node ic_graph_add(ic_graph *graph, ic_node a, ic_node b);
ic_node ic_graph_multiply(ic_graph *graph, ic_node a, ic_node b); /* b may be 1x1xc: broadcast */
ic_node ic_graph_concat(ic_graph *graph, const ic_node *inputs, int32_t count); /* channels */
ic_node ic_graph_flatten(ic_graph *graph, ic_node x); /* in torch's order: c, h, w */
ic_node ic_graph_dropout(ic_graph *graph, ic_node x, float probability);
/* Training: leaves x out (0), a picture at a time; what stays is divided by 1 - probability. */
ic_node ic_graph_stochastic_depth(ic_graph *graph, ic_node x, double probability);
ic_node ic_graph_scale(ic_graph *graph, ic_node x, double factor);
ic_node ic_graph_linear(ic_graph *graph, const char *name, ic_node x, int32_t k, bool bias);

/* The last node gives the logits, 1x1xclasses. Lays out the parameters; no building after it. */
ic_status ic_graph_finish(ic_graph *graph, ic_node logits);

/* ---- Reading a finished graph ---- */

ic_shape ic_graph_input_shape(const ic_graph *graph);
int32_t ic_graph_classes(const ic_graph *graph);

/* The name of the last, linear layer, of which each row of the weight is a class; NULL: the last
 * node is another. */
const char *ic_graph_classifier(const ic_graph *graph);

/*
 * The same network for another input or number of classes: the same nodes and names of parameters.
 * IC_ERROR_UNSUPPORTED: other classes, but no linear layer at the end.
 */
ic_status ic_graph_remake(const ic_graph *graph, ic_shape input, int32_t classes, ic_graph **out);

/*
 * The last picture in the network: the node of more than one pixel behind which all is made of it
 * alone; 0 where only the input is such.
 */
ic_node ic_graph_last_map(const ic_graph *graph);

/*
 * What the network makes of a node's value, as a network whose input is that value: as inference
 * computes it, so that the gradient of the input is that of inference. (Norms with their running
 * values are convolutions of one pixel and channel; what only training does is left out.) All
 * behind the node must be made of it alone. *tail_parameters: the flat array that belongs to it,
 * made of the network's; from ic_allocate.
 */
ic_status ic_graph_tail(const ic_graph *graph, ic_node node, const float *parameters,
                        ic_graph **out, float **tail_parameters);

/* What a tapped network tells behind its logits: channels of so many maps, each as its mean. */
enum { IC_TAPS_MAX = 16 };
typedef struct ic_taps {
    int32_t count, channels[IC_TAPS_MAX];
} ic_taps;

/*
 * The same network with more to tell: its last node has the logits, in the same bits, and behind
 * them the means over the pixels of the last activation of each size, and at last of what the
 * linear layer at the end weighs: its features. Executors of it take the weights of `graph`.
 * IC_ERROR_UNSUPPORTED: there is no linear layer at the end.
 */
ic_status ic_graph_tap(const ic_graph *graph, ic_taps *taps, ic_graph **out);

/* How many of the last node's channels are logits: of a tapped graph the first ones, else all. */
int32_t ic_graph_logits(const ic_graph *graph);

/* As JSON for the model file, and back with every number checked (hostile files). */
ic_status ic_graph_to_json(const ic_graph *graph, json_t **out);
ic_status ic_graph_from_json(ic_context *context, const json_t *json, ic_graph **out);

typedef enum ic_parameter_role {
    IC_ROLE_WEIGHT,   /* decays */
    IC_ROLE_BIAS,     /* biases, and the scales and shifts of norms: no decay */
    IC_ROLE_STATISTIC /* running mean and variance: not trained by gradients */
} ic_parameter_role;

/* One tensor of the flat parameter array, in torch's name and layout. */
typedef struct ic_parameter {
    const char *name; /* "layer1.0.conv1.weight" */
    ic_parameter_role role;
    int32_t rank;
    int64_t shape[4]; /* [k][c/groups][r][s], [k][c] or [c] */
    int64_t offset;   /* floats from the start of the flat array; a multiple of 16 */
    int64_t count;
} ic_parameter;

int32_t ic_graph_parameter_count(const ic_graph *graph);
const ic_parameter *ic_graph_parameter(const ic_graph *graph, int32_t index);

/*
 * The length of the flat array in floats: [0, trained) is trained by gradients (weights first, then
 * biases: two runs for the optimiser, [0, decayed) decays), [trained, total) are statistics. Gaps
 * are zero and stay so.
 */
typedef struct ic_parameter_sizes {
    int64_t decayed, trained, total;
} ic_parameter_sizes;
ic_parameter_sizes ic_graph_parameter_sizes(const ic_graph *graph);

/*
 * Fresh weights: convolutions He-normal by fan-out, linear layers uniform by fan-in as torch does,
 * norms 1 and 0. A function of seed and names only; pool NULL: drawn by the caller alone.
 */
void ic_graph_initialise(ic_pool *pool, const ic_graph *graph, uint64_t seed, float *parameters);

#endif

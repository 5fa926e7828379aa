/* graph/node.h: the inside of a graph: nodes, operators, parameters. SPDX-License-Identifier: MIT
 */
#ifndef GRAPH_NODE_H
#define GRAPH_NODE_H

#include "base/status.h"
#include "graph/graph.h"

#include <stdatomic.h>

typedef struct ic_lowering ic_lowering;
typedef struct ic_graph_node ic_graph_node;

/* What is adjustable in operators; each uses some of it, and the rest is zero. */
typedef struct ic_attributes {
    int32_t channels; /* of the output */
    int32_t size;     /* of the square window or kernel */
    int32_t stride;
    int32_t padding;
    int32_t dilation;
    int32_t groups;
    int32_t bias; /* 0 or 1 */
    int32_t zero; /* 1: the scale of a norm starts at 0, so that a residual branch starts silent */
    ic_activation function;
    double probability;
    double factor;
    double epsilon, momentum; /* of a norm */
} ic_attributes;

/* The attributes that an operator uses, as a set of bits: what its JSON has. */
enum {
    IC_HAS_CHANNELS = 1 << 0,
    IC_HAS_SIZE = 1 << 1,
    IC_HAS_STRIDE = 1 << 2,
    IC_HAS_PADDING = 1 << 3,
    IC_HAS_DILATION = 1 << 4,
    IC_HAS_GROUPS = 1 << 5,
    IC_HAS_BIAS = 1 << 6,
    IC_HAS_ZERO = 1 << 7,
    IC_HAS_FUNCTION = 1 << 8,
    IC_HAS_PROBABILITY = 1 << 9,
    IC_HAS_NORM = 1 << 10, /* epsilon and momentum */
    IC_HAS_FACTOR = 1 << 11
};

/*
 * A kind of node. An operator says what it makes and needs, and how it becomes steps; the steps
 * are what is executed (graph/program.h).
 */
typedef struct ic_operator {
    const char *name; /* in JSON and in messages */
    int32_t inputs;   /* how many; 0: any number */
    bool named;       /* has parameters, and with them a name */
    unsigned attributes;
    /* Checks inputs and attributes; sets node->shape. */
    ic_status (*infer)(const ic_graph *graph, ic_graph_node *node);
    /* Declares the parameters with ic_graph_declare; NULL: there are none. */
    ic_status (*declare)(ic_graph *graph, const ic_graph_node *node);
    /* Appends the steps of one pass. */
    ic_status (*forward)(ic_lowering *lowering, int32_t node);
    ic_status (*backward)(ic_lowering *lowering, int32_t node);
} ic_operator;

extern const ic_operator ic_operator_input;
extern const ic_operator ic_operator_conv;
extern const ic_operator ic_operator_linear;
extern const ic_operator ic_operator_batch_norm;
extern const ic_operator ic_operator_activation;
extern const ic_operator ic_operator_max_pool;
extern const ic_operator ic_operator_average_pool;
extern const ic_operator ic_operator_global_pool;
extern const ic_operator ic_operator_global_max_pool;
extern const ic_operator ic_operator_add;
extern const ic_operator ic_operator_multiply;
extern const ic_operator ic_operator_concat;
extern const ic_operator ic_operator_flatten;
extern const ic_operator ic_operator_dropout;
extern const ic_operator ic_operator_stochastic_depth;
extern const ic_operator ic_operator_scale;

/* The operator of that name; NULL: there is none. */
const ic_operator *ic_operator_named(const char *name);

/* "relu", "hard_swish", …; NULL past the last one. */
const char *ic_activation_name(ic_activation function);

struct ic_graph_node {
    const ic_operator *op;
    char *name; /* NULL: none */
    int32_t *inputs;
    int32_t input_count;
    ic_attributes attributes;
    ic_shape shape;
    int32_t first_parameter; /* of the graph's list */
};

struct ic_graph {
    atomic_int references;
    ic_context *context;
    ic_graph_node *nodes;
    size_t node_count, node_capacity;
    ic_parameter *parameters;
    size_t parameter_count, parameter_capacity;
    ic_parameter_sizes sizes;
    bool finished;
    ic_graph *origin; /* whose weights it takes: see ic_graph_tap; NULL: its own */
};

/* Limits that keep hostile files, and mistakes, from asking for the impossible. */
enum {
    IC_GRAPH_NODES_MAX = 4096,
    IC_GRAPH_INPUTS_MAX = 256,
    IC_GRAPH_SIDE_MAX = 32768,
    IC_GRAPH_CHANNELS_MAX = 65536,
    IC_GRAPH_WINDOW_MAX = 255,
    IC_GRAPH_NAME_MAX = 200,
    IC_GRAPH_PICTURE_FLOATS_MAX = 1 << 28,
    IC_GRAPH_PARAMETER_FLOATS_MAX = 1 << 30
};

/* Appends a node; checks everything. Returns its number, or an error. */
ic_node ic_graph_append(ic_graph *graph, const ic_operator *op, const char *name,
                        const ic_node *inputs, int32_t input_count,
                        const ic_attributes *attributes);

/* The shape of a node's input. */
ic_shape ic_graph_input_of(const ic_graph *graph, const ic_graph_node *node, int32_t index);

/* Output size of a window along one side; an error names the node. */
ic_status ic_graph_window_size(const ic_graph_node *node, int32_t input, int32_t *out);

/* Adds a parameter "name.suffix" to the graph's list. */
ic_status ic_graph_declare(ic_graph *graph, const ic_graph_node *node, const char *suffix,
                           ic_parameter_role role, int32_t rank, const int64_t shape[4]);

/* Gives every parameter its place in the flat array. */
ic_status ic_graph_lay_out(ic_graph *graph);

/* What messages call a node: its operator, and its name if it has one; into buffer. */
enum { IC_NODE_LABEL_MAX = 256 };
const char *ic_graph_label(const ic_graph_node *node, char buffer[IC_NODE_LABEL_MAX]);

#endif

/*
 * graph/program.h: what is executed: a list of steps over tensors whose places are planned once.
 * SPDX-License-Identifier: MIT
 */
#ifndef GRAPH_PROGRAM_H
#define GRAPH_PROGRAM_H

#include "graph/executor.h"
#include "graph/node.h"
#include "kernels/conv.h"

/* Where a tensor lies: an offset from one of these. All but the arena are given for each run. */
typedef enum ic_base {
    IC_BASE_ARENA,      /* planned by lifetimes */
    IC_BASE_PARAMETERS, /* the flat parameters */
    IC_BASE_GRADIENTS,  /* of the flat parameters */
    IC_BASE_CONSTANTS,  /* of ic_weights: packed and folded for inference */
    IC_BASE_COUNT
} ic_base;

/* A block of memory with a lifetime: the steps [first, last] that touch it. */
typedef struct ic_tensor {
    ic_base base;
    size_t bytes;
    size_t offset;       /* bytes from the base */
    int32_t first, last; /* none: first > last */
    bool permanent;      /* the caller reads or fills it: lives throughout, shares with nothing */
} ic_tensor;

enum { IC_NO_TENSOR = -1 };

/*
 * How the value of a node is read: activation(tensor * scale[c] + shift[c]). A plain value has
 * neither. Steps that can apply this as they load do so; for the others it is made plain once.
 */
typedef struct ic_value {
    int32_t tensor;
    int32_t scale, shift; /* tensors of [c], both or neither */
    ic_activation activation;
} ic_value;

typedef struct ic_step ic_step;
typedef struct ic_chain ic_chain; /* graph/chains.c */
typedef struct ic_program ic_program;

/* The state of one run that steps see. */
typedef struct ic_run {
    const ic_program *program;
    unsigned char *bases[IC_BASE_COUNT];
    float *shared;       /* the workspace of the step that runs */
    uint64_t seed, step; /* of dropout */
} ic_run;

/* How a step runs: phases one after the other; the units of one phase in any order, at once. */
typedef struct ic_step_kind {
    const char *name;
    int64_t (*units)(const ic_run *run, const ic_step *step, int32_t phase);
    void (*run)(const ic_run *run, const ic_step *step, int32_t phase, int64_t unit,
                float *scratch);
} ic_step_kind;

enum { IC_STEP_VALUES = 2, IC_STEP_TENSORS = 7 };

/*
 * One step. Which member means what is told by its kind; -1 marks tensors that are not used.
 * The prologue is in x (values with scale, shift and activation), the epilogue in bias (among
 * reads), residual (x[1]) and activation.
 */
struct ic_step {
    const ic_step_kind *kind;
    int32_t node; /* that it is done for */
    int32_t phases;
    ic_value x[IC_STEP_VALUES];
    int32_t reads[IC_STEP_TENSORS];
    int32_t writes[IC_STEP_TENSORS];
    int32_t in_place; /* the tensor whose memory writes[0] may take over if this is its last use */
    ic_activation activation;
    bool accumulate; /* add to writes[0] instead of setting it */
    bool once;       /* does more than write its tensors: must not run twice in a training step */
    bool again;      /* repeats a forward step for the backward pass */
    const ic_conv *conv;
    const ic_chain *chain; /* the convolutions that `conv` takes in; NULL: none */
    ic_window window;
    int64_t rows;         /* pixels of all pictures */
    int32_t c;            /* channels of a row */
    int64_t piece;        /* rows a unit */
    int32_t first, count; /* a range: channels in a concatenation, packs */
    double factor;
    size_t shared_bytes;  /* workspace of the step */
    int32_t shared;       /* the tensor that is this workspace */
    size_t scratch_bytes; /* workspace of each worker */
};

/* What a step has that also begins the gradient of a batch norm (ic_lower_norm_gradient): x[0] is
 * the norm's value, x[0].tensor -1 where it does not. */
enum { IC_READ_NORM_MEAN = 2, IC_WRITE_GRADIENT_SUMS = 1 };

/* Weights to be packed, at the start of a pass (training) or once (inference). */
typedef struct ic_pack {
    int32_t node;
    int32_t norm; /* inference: the batch norm that is folded in; -1: none */
    const ic_conv *conv;
    ic_conv_pass pass;
    int32_t weights;   /* tensor: the parameter, or its permuted copy */
    int32_t source;    /* tensor: the parameter */
    int32_t packed;    /* tensor */
    int32_t bias;      /* inference: the tensor of the folded bias; -1: none */
    ic_shape permuted; /* h > 0: [k][c][h][w] becomes [k][h][w][c] first */
    int64_t first_unit;
} ic_pack;

/* A batch norm that inference keeps as a scale and a shift. */
typedef struct ic_fold {
    int32_t node;
    int32_t scale, shift; /* tensors */
} ic_fold;

/* A graph lowered for one batch size and mode. */
struct ic_program {
    ic_context *context;
    const ic_graph *graph;
    const ic_kernels *kernels;
    int32_t batch;
    int32_t threads; /* that run it: in inference steps are cut for so many */
    ic_executor_mode mode;
    ic_step *steps;
    size_t step_count, step_capacity;
    size_t forward_count; /* the backward steps begin here */
    ic_tensor *tensors;
    size_t tensor_count, tensor_capacity;
    ic_conv *convs; /* by node */
    ic_chain *chains;
    size_t chain_count;
    ic_pack *packs;
    size_t pack_count, pack_capacity;
    ic_fold *folds;
    size_t fold_count, fold_capacity;
    int32_t input, logits, logit_gradients, input_gradients; /* tensors */
    int32_t tap; /* the tensor of the value that is kept; IC_NO_TENSOR: none */
    size_t arena_bytes, constant_bytes, scratch_bytes;
    size_t live_bytes; /* the most that live at one step: no plan of the arena can do with less */
};

/* All that a step reads, as places in it: what is there may be IC_NO_TENSOR, and one twice. */
enum { IC_STEP_INPUTS = 3 * IC_STEP_VALUES + IC_STEP_TENSORS + 1 };
static inline void ic_step_inputs(ic_step *step, int32_t *inputs[IC_STEP_INPUTS])
{
    for (int32_t i = 0; i < IC_STEP_VALUES; i++) {
        *inputs++ = &step->x[i].tensor;
        *inputs++ = &step->x[i].scale;
        *inputs++ = &step->x[i].shift;
    }
    for (int32_t i = 0; i < IC_STEP_TENSORS; i++)
        *inputs++ = &step->reads[i];
    *inputs = &step->in_place;
}

/*
 * Lowers a graph and plans its memory. Holds no reference on the graph. trained: by parameter, see
 * ic_executor_create_training; NULL: all are. tap: the node whose value is kept, see
 * ic_executor_create_tapped; IC_NO_TAP: none.
 */
ic_status ic_program_create(ic_context *context, const ic_graph *graph, int32_t batch,
                            ic_executor_mode mode, const bool *trained, ic_node tap,
                            ic_program **out);
/* The same of inference that one thread alone will run, whatever the context has. */
ic_status ic_program_create_alone(ic_context *context, const ic_graph *graph, int32_t batch,
                                  ic_node tap, ic_program **out);
void ic_program_free(ic_program *program);

/* The address of a tensor in a run; NULL for IC_NO_TENSOR. */
static inline float *ic_at(const ic_run *run, int32_t tensor)
{
    if (tensor < 0)
        return NULL;
    const ic_tensor *t = &run->program->tensors[tensor];
    return (float *)(void *)(run->bases[t->base] + t->offset);
}

/* The batch norm's part of such a step; x NULL: there is none. */
static inline ic_norm_gradient ic_step_norm_gradient(const ic_run *run, const ic_step *step)
{
    return (ic_norm_gradient){.x = ic_at(run, step->x[0].tensor),
                              .scale = ic_at(run, step->x[0].scale),
                              .shift = ic_at(run, step->x[0].shift),
                              .mean = ic_at(run, step->reads[IC_READ_NORM_MEAN]),
                              .activation = (int32_t)step->x[0].activation};
}

#endif

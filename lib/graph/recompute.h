/*
 * graph/recompute.h: less memory for more work: activations that the backward pass computes again.
 * SPDX-License-Identifier: MIT
 */
#ifndef GRAPH_RECOMPUTE_H
#define GRAPH_RECOMPUTE_H

#include "graph/program.h"

/*
 * Makes a planned training program do with `limit` bytes of arena, with the least work that was
 * found to be enough; its results stay the same bits. IC_ERROR_LIMIT: it cannot; *least is then the
 * smallest arena that was found, and the program as it was.
 */
ic_status ic_program_limit(ic_program *program, size_t limit, size_t *least);

/* ---- Inside: recompute.c rewrites a program, segments.c searches ---- */

/* The forward steps [start[i], start[i + 1]) are segment i of count. */
typedef struct ic_segments {
    int32_t count;
    int32_t *start;
    bool *again; /* by segment: what the backward pass needs of it is computed again there */
} ic_segments;

/* What is to be known of a tensor to tell whether it must outlive the forward pass. */
typedef struct ic_forward_tensor {
    int32_t first, last; /* the forward steps that touch it; none: first > last */
    int32_t pack;        /* packed weights: which; -1: it is something else */
    bool saved;          /* the backward pass reads it */
    bool fixed;          /* cannot be made again: the caller's, or of a step that runs but once */
} ic_forward_tensor;

/* For each of the program's tensors. */
void ic_forward_tensors(const ic_program *program, ic_forward_tensor *tensors);

/*
 * A new program that computes segments again. What crosses from one segment to another is kept.
 * Its convolutions stay base's.
 */
ic_status ic_recompute(const ic_program *base, const ic_forward_tensor *tensors,
                       const ic_segments *segments, ic_program **out);

#endif

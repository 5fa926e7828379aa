/* graph/elementwise.h: steps that work value by value, used by several operators.
 * SPDX-License-Identifier: MIT */
#ifndef GRAPH_ELEMENTWISE_H
#define GRAPH_ELEMENTWISE_H

#include "graph/program.h"

/* Cuts rows of c channels into units of some 20 us of elementwise work. */
void ic_step_cut(ic_step *step, int64_t rows, int32_t c);

/* Bytes of scratch that ic_step_add needs when x[1] is not plain. */
size_t ic_step_add_scratch(int32_t c);

/* writes[0] = x[0], with its scale, shift and activation applied. */
extern const ic_step_kind ic_step_apply;

/* writes[0] = activation(x[0] + x[1]). */
extern const ic_step_kind ic_step_add;

/*
 * writes[0] = reads[0] * f'(x[0]), f the step's activation: its gradient. x[0] is the argument of
 * f, or for functions of which ic_activation_from_output is true, their result.
 */
extern const ic_step_kind ic_step_activation_backward;

/*
 * The gradient of a bias: writes[1] = the sum of reads[0] over all rows. With an activation,
 * reads[0] first goes through its derivative (x[0]: the result of the activation) into writes[0].
 */
extern const ic_step_kind ic_step_bias_gradient;
void ic_step_cut_bias_gradient(ic_step *step, int64_t rows, int32_t c);

/* The rows [first, first + rows) of a piece-wise step's unit. */
typedef struct ic_piece {
    int64_t first, rows;
} ic_piece;
ic_piece ic_step_piece(const ic_step *step, int64_t unit);
int64_t ic_step_pieces(const ic_step *step);
int64_t ic_piece_units(const ic_run *run, const ic_step *step, int32_t phase);

/* One piece of a value, applied, into y (which may be the value's own place). */
void ic_value_apply(const ic_run *run, ic_value value, ic_piece piece, int32_t c, float *y);

/*
 * Pictures of `pixels` rows, cut one by one into pieces of nearly equal height: rows is one
 * picture's, count is how many there are. A piece's first row is counted from the first picture.
 */
typedef struct ic_picture_piece {
    int64_t picture, first, rows;
} ic_picture_piece;
void ic_step_cut_pictures(ic_step *step, int32_t pictures, int64_t pixels, int32_t c);
ic_picture_piece ic_step_picture_piece(const ic_step *step, int64_t unit);
int64_t ic_picture_units(const ic_run *run, const ic_step *step, int32_t phase);

/*
 * totals[c] = the sum over pieces of partial[piece * stride + c] for c < count, in double and in
 * the order of the pieces.
 */
void ic_sum_pieces(const float *partial, int64_t pieces, int64_t stride, int32_t count,
                   double *totals);

/* The same for any count, divided and rounded to float. */
void ic_add_pieces(const float *partial, int64_t pieces, int64_t stride, int64_t count,
                   double divisor, float *sums);

#endif

/*
 * kernels/ref/rows.h: how loops over [rows][c] stay long when c is small. SPDX-License-Identifier:
 * MIT
 *
 * Neighbouring narrow rows are joined to one wide row; what belongs to a channel is repeated along
 * it. A wide row of j rows holds channel k at k, c + k, 2 c + k...; what is left at the end is the
 * head of a wide row, so that no loop needs a case for it.
 */
#ifndef KERNELS_REF_ROWS_H
#define KERNELS_REF_ROWS_H

#include <stdint.h>

enum { IC_WIDE_ROW = 512 }; /* floats; also the room that joined rows need on the stack */

/* How many rows make a wide one: a power of two, so that vectors divide it as often as can be. */
int32_t ic_rows_joined(int64_t rows, int32_t c);

/* values[c] along a wide row: in `room`, or themselves when nothing is joined. */
const float *ic_repeat(const float *values, int32_t c, int32_t joined, float *room);

/* sum[k] = the sum of `wide` over its joined rows, in order; not joined, `wide` is `sum`. */
void ic_fold_rows(const float *wide, int32_t c, int32_t joined, float *sum);

static inline int64_t ic_smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

#endif

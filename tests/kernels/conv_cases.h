/*
 * kernels/conv_cases.h: the shapes that convolutions are tested on, tensors for them, and the loop
 * over all levels. SPDX-License-Identifier: MIT
 */
#ifndef TESTS_KERNELS_CONV_CASES_H
#define TESTS_KERNELS_CONV_CASES_H

#include "conv_harness.h"

typedef struct tensors {
    guarded x, d_y, w;
} tensors;

/* Of sixteen numbers, as conv_cases.c names them. */
ic_conv_shape shape_of(const int32_t *v);

/* Random numbers in -range..range, or between -1 and 1; free with guarded_free. */
guarded integers(size_t count, uint64_t seed, int32_t range);
guarded reals(size_t count, uint64_t seed);

tensors make_tensors(const ic_conv_shape *p, bool integral);
void free_tensors(tensors *t);
ic_conv_arguments arguments_of(const tensors *t, guarded *out);

/* What the definition gives. */
void reference(const ic_conv_shape *p, ic_conv_pass pass, const tensors *t, float *out);

/* Winograd's sums are not exact; test_conv_winograd.c is about them. */
void take_exact(ic_conv *conv, ic_conv_pass pass);

/* Calls check for every level of this machine, every case and every pass. */
typedef void (*check_fn)(const ic_conv *conv, ic_conv_pass pass);
void for_each(check_fn check);

/* Says which case it is that fails. */
void name_case(const ic_conv *conv, ic_conv_pass pass);
void check_equal(const ic_conv *conv, ic_conv_pass pass, const float *got, const float *wanted);

#endif

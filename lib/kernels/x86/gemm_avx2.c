/*
 * kernels/x86/gemm_avx2.c: tiles of 6x16 and 12x8: 12 accumulators of the 16 registers.
 * SPDX-License-Identifier: MIT
 */
#include "kernels/x86/gemm_tiles.h"

#define EACH_WIDE(X) X(1, 2) X(2, 2) X(3, 2) X(4, 2) X(5, 2) X(6, 2)
#define EACH_NARROW(X)                                                                             \
    X(1, 1)                                                                                        \
    X(2, 1) X(3, 1) X(4, 1) X(5, 1) X(6, 1) X(7, 1) X(8, 1) X(9, 1) X(10, 1) X(11, 1) X(12, 1)

EACH_WIDE(TILE_FUNCTIONS)
EACH_NARROW(TILE_FUNCTIONS)

#define ROWS_NAME(rows, vectors)    rows_##rows##x##vectors,
#define COLUMNS_NAME(rows, vectors) columns_##rows##x##vectors,

static const ic_gemm_rows_fn wide_rows[] = {NULL, EACH_WIDE(ROWS_NAME)};
static const ic_gemm_rows_fn narrow_rows[] = {NULL, EACH_NARROW(ROWS_NAME)};
static const ic_gemm_columns_fn wide_columns[] = {NULL, EACH_WIDE(COLUMNS_NAME)};
static const ic_gemm_columns_fn narrow_columns[] = {NULL, EACH_NARROW(COLUMNS_NAME)};

const ic_gemm_kernels ic_gemm_avx2 = {
    .wide = {.rows = 6, .busy = 4, .width = 16, .rows_fn = wide_rows, .columns_fn = wide_columns},
    .narrow =
        {.rows = 12, .busy = 8, .width = 8, .rows_fn = narrow_rows, .columns_fn = narrow_columns},
    .block_floats = 48 * 1024,
    .pack_panel = ic_gemm_pack_panel_avx2,
    .finish = ic_gemm_finish_avx2};

/*
 * kernels/x86/gemm_avx512.c: tiles of 14x32 and 14x16: 28 accumulators, two of b, and a broadcast
 * inside the multiply-add fill the 32 registers. SPDX-License-Identifier: MIT
 */
#include "kernels/x86/gemm_tiles.h"

#define EACH_TILE(X, vectors)                                                                      \
    X(1, vectors)                                                                                  \
    X(2, vectors)                                                                                  \
    X(3, vectors)                                                                                  \
    X(4, vectors)                                                                                  \
    X(5, vectors)                                                                                  \
    X(6, vectors) X(7, vectors) X(8, vectors) X(9, vectors) X(10, vectors) X(11, vectors)          \
        X(12, vectors) X(13, vectors) X(14, vectors)

EACH_TILE(TILE_FUNCTIONS, 1)
EACH_TILE(TILE_FUNCTIONS, 2)

#define ROWS_NAME(rows, vectors)    rows_##rows##x##vectors,
#define COLUMNS_NAME(rows, vectors) columns_##rows##x##vectors,

static const ic_gemm_rows_fn wide_rows[] = {NULL, EACH_TILE(ROWS_NAME, 2)};
static const ic_gemm_rows_fn narrow_rows[] = {NULL, EACH_TILE(ROWS_NAME, 1)};
static const ic_gemm_columns_fn wide_columns[] = {NULL, EACH_TILE(COLUMNS_NAME, 2)};
static const ic_gemm_columns_fn narrow_columns[] = {NULL, EACH_TILE(COLUMNS_NAME, 1)};

const ic_gemm_kernels ic_gemm_avx512 = {
    .wide = {.rows = 14, .busy = 4, .width = 32, .rows_fn = wide_rows, .columns_fn = wide_columns},
    .narrow =
        {.rows = 14, .busy = 8, .width = 16, .rows_fn = narrow_rows, .columns_fn = narrow_columns},
    .block_floats = 64 * 1024,
    .pack_panel = ic_gemm_pack_panel_avx512,
    .finish = ic_gemm_finish_avx512};

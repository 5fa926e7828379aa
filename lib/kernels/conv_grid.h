/*
 * kernels/conv_grid.h: forward and backward data as one kind of sum, its packed weights, and what
 * all direct algorithms share. SPDX-License-Identifier: MIT
 */
#ifndef KERNELS_CONV_GRID_H
#define KERNELS_CONV_GRID_H

#include "kernels/conv_algorithm.h"

/*
 * Output i < count of an axis lies at first + i*stride and sums, over tap j < taps, the inputs at
 * origin + i*step + j*spread (outside 0..in: zero) times the filter's tap tap_first + j*tap_stride.
 *
 * Forward is one such grid. In backward data with stride t, d_x[i] collects d_y[(i + pad -
 * r*dilation) / t] for the r that divide evenly, the same r for all i of one remainder modulo t: t
 * grids an axis, each a convolution of stride 1 with the taps flipped.
 */
typedef struct ic_conv_axis {
    int32_t in, out;
    int32_t count, first, stride;
    int32_t taps, origin, step, spread;
    int32_t tap_first, tap_stride;
} ic_conv_axis;

typedef struct ic_conv_grid {
    ic_conv_axis h, w;
    int32_t n, groups;
    int32_t depth;   /* channels in, of one group */
    int32_t columns; /* channels out, of one group */
    size_t packed;   /* where this grid's packed weights begin */
} ic_conv_grid;

int32_t ic_conv_grid_count(const ic_conv_shape *shape, ic_conv_pass pass);
void ic_conv_grid_at(const ic_conv *conv, ic_conv_pass pass, int32_t index, ic_conv_grid *out);

/*
 * Units are counted grid after grid: the sum over the grids, and the way from a unit of the pass to
 * its grid and the unit within it.
 */
typedef int64_t (*ic_conv_grid_units_fn)(const ic_conv_plan *plan, const ic_conv_grid *grid);
int64_t ic_conv_count_units(const ic_conv *conv, ic_conv_pass pass, ic_conv_grid_units_fn units);
int64_t ic_conv_find_grid(const ic_conv *conv, ic_conv_pass pass, ic_conv_grid_units_fn units,
                          int64_t unit, ic_conv_grid *grid);

/* The taps j in [*begin, *end) of output i that read inside the input. */
void ic_conv_axis_inside(const ic_conv_axis *axis, int32_t i, int32_t *begin, int32_t *end);

/* Whether outputs and inputs are the same pixels in the same order. */
bool ic_conv_is_pointwise(const ic_conv_grid *grid);

/*
 * Packed weights: [grid][group][panel][tap h][tap w][channel in][width], zeros beyond the last
 * channel out. All panels are wide but the last, which is narrow if that is enough.
 */
typedef struct ic_conv_panel {
    const ic_gemm_tile *tile;
    int32_t first;   /* its first channel out within the group */
    int32_t columns; /* its channels out */
    int32_t offset;  /* first, counted in padded columns */
} ic_conv_panel;

int32_t ic_conv_panel_count(const ic_gemm_kernels *gemm, int32_t columns);
ic_conv_panel ic_conv_panel_at(const ic_gemm_kernels *gemm, int32_t columns, int32_t index);
int32_t ic_conv_padded_columns(const ic_gemm_kernels *gemm, int32_t columns);

size_t ic_conv_packed_floats(const ic_conv *conv, ic_conv_pass pass);
int64_t ic_conv_grid_pack_units(const ic_conv *conv, ic_conv_pass pass);
void ic_conv_grid_pack(const ic_conv *conv, ic_conv_pass pass, int64_t unit, const float *weights,
                       float *packed);

/* Piece `index` of `total` items cut into `pieces` nearly equal ones. */
static inline int64_t ic_conv_cut(int64_t total, int64_t pieces, int64_t index)
{
    return total / pieces * index + (index < total % pieces ? index : total % pieces);
}

static inline int64_t ic_conv_divide_up(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

/* The units that a pass is to have at least, where `many` of them keep many threads busy. */
static inline int32_t ic_conv_wanted_units(const ic_conv *conv, int32_t many)
{
    return conv->use == IC_CONV_ALONE ? 1 : many;
}

/*
 * Costs are counted in products, of which a tile's registers do `width` for each row and step. A
 * copied float costs as much as this many of them, a copied run of floats as much as that many; a
 * tile must be begun and stored, and low tiles wait for b from the second cache. Fitted to
 * measurements; equal shares at every level.
 */
enum { IC_CONV_COPY_COST = 12, IC_CONV_RUN_COST = 600, IC_CONV_TILE_STEPS = 40 };

/* Of a line of the caches: the step of what asks for memory ahead. */
enum { IC_CONV_LINE_FLOATS = 16 };

/* What a column of tiles over `rows` rows costs, in steps of one row each, for `reads` steps a row.
 */
double ic_conv_tile_cost(const ic_gemm_tile *tile, int64_t rows, double reads);

/* Rows are cut into tiles of nearly equal height, as 31 = 11 + 10 + 10. */
void ic_conv_tiles(const ic_gemm_tile *tile, const ic_gemm_rows *sum, int64_t rows, const float *a,
                   const float *b, float *c);
void ic_conv_column_tiles(const ic_gemm_tile *tile, const ic_gemm_columns *sum, int64_t rows,
                          const float *a, const float *b, float *c);

/* y = prologue(x) over [rows][c]; channel: where the c channels begin in scale and shift. */
void ic_conv_load(const ic_kernels *kernels, const ic_prologue *prologue, int32_t channel,
                  int64_t rows, int32_t c, const float *x, float *y);

/* The rows of input from the first to the last that `rows` rows of outputs read. */
static inline int64_t ic_conv_rows_read(const ic_conv_grid *grid, int64_t rows)
{
    return (rows - 1) * grid->h.step + (int64_t)(grid->h.taps - 1) * grid->h.spread + 1;
}

/* The columns of input that a row of outputs reads, from column w.origin on; for a spread of 1. */
static inline int64_t ic_conv_padded_pixels(const ic_conv_grid *grid)
{
    return (int64_t)(grid->w.count - 1) * grid->w.step + grid->w.taps;
}

/* out = those columns of one row, the prologue applied; zeros where there is no input. No groups.
 */
void ic_conv_load_row(const ic_kernels *kernels, const ic_conv_grid *grid,
                      const ic_prologue *prologue, const float *row, float *out);

/*
 * The weights' gradient, last phase: adds the parts [part][group][panel][tap][channel][width] of
 * one panel of `shared` (a unit), and writes them in the order of the weights.
 */
void ic_conv_add_parts(const ic_conv *conv, int32_t parts, int64_t unit,
                       const ic_conv_arguments *arguments);

/*
 * Ends pixels [first, first + rows) and channels [channel, channel + columns) of the output while
 * they are in the cache: forward by the epilogue and the sums, backward data by the norm's
 * gradient. Sums are added to those of block `block`, which ic_conv_clear_sums clears
 * first.
 */
void ic_conv_finish(const ic_conv *conv, ic_conv_pass pass, const ic_conv_arguments *arguments,
                    int64_t block, int64_t first, int64_t rows, int32_t channel, int32_t columns);
void ic_conv_clear_sums(const ic_conv *conv, ic_conv_pass pass, const ic_conv_arguments *arguments,
                        int64_t block, int32_t channel, int32_t columns);

/* Whether an activation is min(max(y, low), high), and its limits: infinite where there is none. */
bool ic_conv_limits(int32_t activation, float *low, float *high);

/*
 * Forward, where a bias and limits are all that comes behind the products: these, so that tiles end
 * the outputs as they store them, and nothing calls ic_conv_finish. bias NULL: the tiles have
 * nothing to do.
 */
ic_gemm_clamp ic_conv_clamp(const ic_conv *conv, const ic_conv_arguments *arguments);

#endif

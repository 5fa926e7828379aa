/*
 * kernels/conv_winograd.h: what the passes of Winograd convolution share: tiles of a grid, and
 * reading them. SPDX-License-Identifier: MIT
 */
#ifndef KERNELS_CONV_WINOGRAD_H
#define KERNELS_CONV_WINOGRAD_H

#include "kernels/conv_grid.h"
#include "kernels/winograd.h"

/*
 * Costs in products (see conv_grid.h): of the transforms, for each channel of a tile; of a float
 * that comes from, or goes to, memory beyond the second cache. Fitted to measurements.
 */
enum { IC_WINOGRAD_INPUT_COST = 200, IC_WINOGRAD_OUTPUT_COST = 180, IC_WINOGRAD_MEMORY_COST = 32 };

/* What tiles take of such a cost, which is of those of 4x4. */
static inline double ic_winograd_cost(const ic_winograd_kernels *kernels, double cost)
{
    return cost * kernels->taps / IC_WINOGRAD_TAPS_MAX;
}

/* Floats added to rows and planes, so that neighbours do not fall into the same cache set. */
enum { IC_WINOGRAD_SKEW = 16 };

/*
 * The tiles of a picture's outputs, of one size; all tiles are counted over pictures, rows and
 * columns.
 */
typedef struct ic_winograd_tiles {
    const ic_winograd_kernels *kernels;
    const ic_winograd_filters *filters;
    int32_t down, across;
    int64_t count; /* of all pictures */
} ic_winograd_tiles;

/* Where a tile lies. */
typedef struct ic_winograd_place {
    int32_t image;
    int32_t row, column; /* of its first output */
} ic_winograd_place;

/* The tiles of a pass's grid, of the size that the plan's algorithm has. */
ic_winograd_tiles ic_winograd_tiles_of(const ic_kernels *kernels, const ic_conv_plan *plan,
                                       const ic_conv_grid *grid);

/*
 * Whether the plan's algorithm can compute a pass: 3x3, stride 1, no dilation, no groups, and a
 * level that has such tiles. Fills in grid and tiles.
 */
bool ic_winograd_can(const ic_conv *conv, ic_conv_pass pass, const ic_conv_plan *plan,
                     ic_conv_grid *grid, ic_winograd_tiles *tiles);

/* The transformed weights of forward or backward data, in floats. */
int64_t ic_winograd_weights(const ic_conv *conv, const ic_conv_grid *grid,
                            const ic_winograd_tiles *tiles);

ic_winograd_place ic_winograd_place_of(const ic_winograd_tiles *tiles, int64_t tile);

/* A row of `channels` floats in whole vectors and the skew. */
static inline int64_t ic_winograd_pitch(int64_t channels)
{
    return (channels + 15) / 16 * 16 + IC_WINOGRAD_SKEW;
}

/* Values of pictures, [n][h][w][channels], and which of their channels are meant. */
typedef struct ic_winograd_plane {
    const float *values;
    int32_t h, w, channels;
    int32_t first, count;
} ic_winograd_plane;

/* How a pass reads pixels: prologue and place for tiles whose values must be made aside. */
typedef struct ic_winograd_reader {
    const ic_kernels *kernels;
    const ic_prologue *prologue; /* NULL: as they are */
    ic_winograd_plane plane;
    int32_t side;          /* of a tile: its inputs or its gradients */
    bool aside;            /* not affine, then a clamp: make the values in `made` first */
    const float *zeros;    /* plane.count of them */
    float *made;           /* [side * side][plane.count] when aside */
    ic_winograd_input how; /* for the transforms */
} ic_winograd_reader;

/* Floats that a reader of c channels needs for zeros and values made aside. */
size_t ic_winograd_reader_floats(int32_t side, int32_t c);
ic_winograd_reader ic_winograd_reader_of(const ic_kernels *kernels, const ic_prologue *prologue,
                                         const ic_winograd_plane *plane, int32_t side,
                                         int64_t tap_stride, float *room);

/*
 * The pixels of the tile whose first one is (row, column), either negative or beyond the picture
 * where it hangs over. Fills pixels and inside [side * side]; returns whether all are inside.
 */
bool ic_winograd_pixels(const ic_winograd_reader *reader, int32_t image, int32_t row,
                        int32_t column, const float **pixels, float *inside);

/*
 * Asks for what lies under the outputs of the tiles [first, last), one part of `parts` at a time,
 * so that it is in the second cache when it is read or written: between products, during which
 * memory has nothing to do.
 */
void ic_winograd_ask(const ic_winograd_tiles *tiles, const ic_winograd_plane *plane, int64_t first,
                     int64_t last, int64_t part, int64_t parts);

/*
 * filters[d][9][width] of the channels first + d in, d < count, and of a panel out, in the order of
 * the pass's taps; zeros beyond the panel's columns. weights: OIHW.
 */
void ic_winograd_gather(const ic_conv *conv, ic_conv_pass pass, const ic_conv_panel *panel,
                        int64_t first, int64_t count, const float *weights, float *filters);

/* U of `count` such filters: u[tap * tap_stride + d * width + i]. */
void ic_winograd_transform(const ic_winograd_tiles *tiles, int64_t count, int32_t width,
                           const float *filters, int64_t tap_stride, float *u);

enum { IC_WINOGRAD_BLOCK_TILES }; /* the member of a plan's cut that is the tiles of a block */

/* A block of tiles of forward or backward data; where V and M lie is up to the algorithm. */
typedef struct ic_winograd_block {
    const ic_conv *conv;
    ic_conv_pass pass;
    const ic_conv_arguments *arguments;
    ic_conv_grid grid;
    ic_winograd_tiles tiles;
    int64_t first, count;   /* of all tiles */
    int64_t v_pitch, v_tap; /* floats between tiles and between taps */
    int64_t m_pitch, m_tap;
    float *v, *m;
} ic_winograd_block;

ic_winograd_block ic_winograd_block_of(const ic_conv *conv, ic_conv_pass pass,
                                       const ic_conv_arguments *arguments, int64_t index);

/* The inputs, or the outputs, of a block's pass. */
ic_winograd_plane ic_winograd_inputs(const ic_winograd_block *b, int32_t first, int32_t count);
ic_winograd_plane ic_winograd_outputs(const ic_winograd_block *b, int64_t first_panel,
                                      int64_t last_panel);

/* V of some channels of the tiles [first, last); room: ic_winograd_reader_floats. */
void ic_winograd_load(const ic_winograd_block *b, int64_t first, int64_t last, int32_t channel,
                      int32_t channels, float *room);

/*
 * The outputs of the tiles [first, last) in the panels [first_panel, last_panel), whose products M
 * holds; index: of these tiles among those whose sums may be wanted.
 */
void ic_winograd_store(const ic_winograd_block *b, int64_t index, int64_t first, int64_t last,
                       int64_t first_panel, int64_t last_panel);

#endif

/*
 * kernels/conv_weights.c: the weights' gradient of any shape, d_w[k][tap][c] = sum over pixels of
 * patch[tap][c] * d_y[k]. The pixels are cut into parts by shape; each part has its own sum, and a
 * second phase adds the parts in order. SPDX-License-Identifier: MIT
 */
#include "kernels/conv_patches.h"

/* The plan's cut. */
enum {
    PIXELS, /* of a block */
    PARTS,  /* of all blocks; one sum each */
    SPLITS  /* of the panels of a group */
};

enum { WANTED_UNITS = 16, SUM_FLOATS_MAX = 1 << 22 };

static int64_t patch_floats(const ic_conv_grid *grid)
{
    return (int64_t)grid->h.taps * grid->w.taps * grid->depth;
}

static int64_t block_count(const ic_conv_grid *grid, const ic_conv_plan *plan)
{
    return ic_conv_divide_up((int64_t)grid->n * grid->h.count * grid->w.count, plan->block[PIXELS]);
}

static double plan_weights(const ic_conv *conv, ic_conv_pass pass, ic_conv_plan *plan)
{
    if (pass != IC_CONV_BACKWARD_WEIGHTS)
        return -1;
    const ic_gemm_kernels *gemm = conv->kernels->gemm;
    ic_conv_grid grid;
    ic_conv_grid_at(conv, pass, 0, &grid);
    int64_t pixels = (int64_t)grid.n * grid.h.count * grid.w.count;
    int64_t patch = patch_floats(&grid);
    int64_t padded = ic_conv_padded_columns(gemm, grid.columns);
    int64_t sum = patch * padded * grid.groups;
    int64_t block = gemm->block_floats / patch;
    block = block < 32 ? 32 : block > 256 ? 256 : block;
    block = block > pixels ? pixels : block;
    int64_t parts = ic_conv_divide_up(pixels, block);
    parts = parts > WANTED_UNITS ? WANTED_UNITS : parts;
    while (parts > 1 && parts * sum > SUM_FLOATS_MAX)
        --parts;
    int32_t panels = ic_conv_panel_count(gemm, grid.columns);
    int32_t splits = 1;
    while (splits < panels && parts * grid.groups * splits < WANTED_UNITS)
        ++splits;
    plan->phases = 2;
    plan->block[PIXELS] = (int32_t)block;
    plan->block[PARTS] = (int32_t)parts;
    plan->block[SPLITS] = splits;
    plan->packed_floats = 0;
    plan->shared_floats = (size_t)(parts * sum);
    plan->scratch_floats = (size_t)(block * (gemm->wide.width + patch));
    return (double)pixels * (double)patch * grid.groups * (double)(padded + 4);
}

static int64_t count_units(const ic_conv *conv, ic_conv_pass pass, int32_t phase)
{
    const ic_conv_plan *plan = &conv->plans[pass];
    ic_conv_grid grid;
    ic_conv_grid_at(conv, pass, 0, &grid);
    if (phase == 0)
        return (int64_t)plan->block[PARTS] * grid.groups * plan->block[SPLITS];
    return (int64_t)grid.groups * ic_conv_panel_count(conv->kernels->gemm, grid.columns);
}

/* Adds one block of pixels to the sums of the panels [first, last) of a group. */
static void add_block(const ic_conv *conv, const ic_conv_grid *grid,
                      const ic_conv_arguments *arguments, int32_t group, int32_t first_panel,
                      int32_t last_panel, int64_t pixel, int64_t pixels, bool accumulate,
                      float *sums, float *scratch)
{
    const ic_gemm_kernels *gemm = conv->kernels->gemm;
    int64_t patch = patch_floats(grid);
    int64_t channels_in = (int64_t)grid->depth * grid->groups;
    int64_t channels_out = (int64_t)grid->columns * grid->groups;
    float *panel_floats = scratch;
    const float *a = arguments->x + pixel * channels_in + (int64_t)group * grid->depth;
    int64_t lda = channels_in;
    if (!ic_conv_is_pointwise(grid) || arguments->prologue != NULL) {
        float *patches = scratch + pixels * gemm->wide.width;
        ic_conv_make_patches(conv->kernels, grid, arguments->prologue, group, arguments->x, pixel,
                             pixels, 0, grid->h.taps * grid->w.taps, patches);
        a = patches;
        lda = patch;
    }
    for (int32_t i = first_panel; i < last_panel; ++i) {
        ic_conv_panel panel = ic_conv_panel_at(gemm, grid->columns, i);
        gemm->pack_panel(pixels, panel.columns, panel.tile->width,
                         arguments->d_y + pixel * channels_out + (int64_t)group * grid->columns +
                             panel.first,
                         channels_out, panel_floats);
        ic_gemm_run run = {0, 0};
        ic_gemm_columns sum = {.runs = &run,
                               .count = 1,
                               .depth = pixels,
                               .lda = lda,
                               .ldc = panel.tile->width,
                               .accumulate = accumulate};
        ic_conv_column_tiles(panel.tile, &sum, patch, a, panel_floats, sums + panel.offset * patch);
    }
}

static void sum_part(const ic_conv *conv, int64_t unit, const ic_conv_arguments *arguments,
                     float *scratch)
{
    const ic_conv_plan *plan = &conv->plans[IC_CONV_BACKWARD_WEIGHTS];
    ic_conv_grid grid;
    ic_conv_grid_at(conv, IC_CONV_BACKWARD_WEIGHTS, 0, &grid);
    int32_t splits = plan->block[SPLITS];
    int64_t split = unit % splits;
    int64_t group = unit / splits % grid.groups;
    int64_t part = unit / splits / grid.groups;
    int32_t panels = ic_conv_panel_count(conv->kernels->gemm, grid.columns);
    int64_t padded = ic_conv_padded_columns(conv->kernels->gemm, grid.columns);
    float *sums = arguments->shared + (part * grid.groups + group) * padded * patch_floats(&grid);
    int64_t blocks = block_count(&grid, plan);
    int64_t begin = ic_conv_cut(blocks, plan->block[PARTS], part);
    int64_t end = ic_conv_cut(blocks, plan->block[PARTS], part + 1);
    int64_t pixels = (int64_t)grid.n * grid.h.count * grid.w.count;
    for (int64_t i = begin; i < end; ++i) {
        int64_t pixel = i * plan->block[PIXELS];
        int64_t left = pixels - pixel;
        add_block(
            conv, &grid, arguments, (int32_t)group, (int32_t)ic_conv_cut(panels, splits, split),
            (int32_t)ic_conv_cut(panels, splits, split + 1), pixel,
            left < plan->block[PIXELS] ? left : plan->block[PIXELS], i > begin, sums, scratch);
    }
}

/* Adds the parts of one panel, and writes them in the order of the weights. */
static void add_parts(const ic_conv *conv, int64_t unit, const ic_conv_arguments *arguments)
{
    const ic_conv_plan *plan = &conv->plans[IC_CONV_BACKWARD_WEIGHTS];
    const ic_gemm_kernels *gemm = conv->kernels->gemm;
    ic_conv_grid grid;
    ic_conv_grid_at(conv, IC_CONV_BACKWARD_WEIGHTS, 0, &grid);
    int32_t panels = ic_conv_panel_count(gemm, grid.columns);
    int64_t group = unit / panels;
    ic_conv_panel panel = ic_conv_panel_at(gemm, grid.columns, (int32_t)(unit % panels));
    int64_t patch = patch_floats(&grid);
    int64_t part_floats = patch * ic_conv_padded_columns(gemm, grid.columns) * grid.groups;
    int64_t taps = (int64_t)grid.h.taps * grid.w.taps;
    const float *sums = arguments->shared +
                        group * ic_conv_padded_columns(gemm, grid.columns) * patch +
                        panel.offset * patch;
    float *out = arguments->out + (group * grid.columns + panel.first) * patch;
    for (int64_t tap = 0; tap < taps; ++tap) {
        for (int64_t c = 0; c < grid.depth; ++c) {
            const float *from = sums + (tap * grid.depth + c) * panel.tile->width;
            float total[IC_GEMM_WIDTH_MAX];
            for (int32_t n = 0; n < panel.columns; ++n)
                total[n] = from[n];
            for (int32_t part = 1; part < plan->block[PARTS]; ++part)
                for (int32_t n = 0; n < panel.columns; ++n)
                    total[n] += from[part * part_floats + n];
            for (int32_t n = 0; n < panel.columns; ++n)
                out[n * patch + c * taps + tap] = total[n];
        }
    }
}

static void run_unit(const ic_conv *conv, ic_conv_pass pass, int32_t phase, int64_t unit,
                     const ic_conv_arguments *arguments, float *scratch)
{
    if (phase == 0)
        sum_part(conv, unit, arguments, scratch);
    else
        add_parts(conv, unit, arguments);
}

static int64_t no_units(const ic_conv *conv, ic_conv_pass pass)
{
    return 0;
}

static void pack_nothing(const ic_conv *conv, ic_conv_pass pass, int64_t unit, const float *weights,
                         float *packed)
{
}

const ic_conv_algorithm ic_conv_patches_weights = {.name = "patches",
                                                   .plan = plan_weights,
                                                   .pack_units = no_units,
                                                   .pack = pack_nothing,
                                                   .units = count_units,
                                                   .run = run_unit};

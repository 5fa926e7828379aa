/*
 * kernels/conv_bf16_weights.c: the weights' gradient in bfloat16, d_w[tap][c][k] = sum over outputs
 * p of x[p's input at tap][c] * d_y[p][k]. SPDX-License-Identifier: MIT
 *
 * Places count the outputs of all pictures in one line, each row and each picture followed by the
 * zeros that its padding needs (of stride 1, the right padding of a row is the left one of the
 * next). x is turned so that the places of a channel are contiguous: what a tap reads lies at a
 * constant distance then. Of strides t there are t planes an axis, one for each remainder modulo t.
 * A block of places is turned once, and multiplied with d_y panel by panel. Blocks are cut into
 * parts that are added in a last phase, as in conv_weights.c.
 *
 * Few channels would leave tiles nearly empty. In such narrow layers what a filter row reads of a
 * padded row, all its taps and channels, counts as the channels of one tap ("merged").
 */
#include "kernels/conv_bf16.h"

#include <math.h>

/* The plan's cut. */
enum {
    PLACES,  /* of a block, a multiple of IC_BF16_DEPTH */
    PARTS,   /* of all blocks; one sum each */
    SPLITS,  /* of the panels */
    PITCH,   /* of a channel's places in the copy */
    CHANNELS /* of x that are turned at a time, a multiple of two tiles */
};

enum {
    BLOCK_VALUES = 192 * 1024, /* of the copy of x: what stays in the second cache */
    PLACES_WANTED = 1024,
    PLACES_MAX = 2048,
    PIECE = 256,      /* places whose products stay in the first cache, for all taps of two tiles */
    WANTED_UNITS = 8, /* few: each turns all of its places of x */
    UNIT_SUM_FLOATS = 512 * 1024,     /* of one unit */
    SUM_FLOATS_MAX = 4 * 1024 * 1024, /* of all units */
    BUSY_ROWS = 7,                    /* channels whose products keep the multipliers busy */
    MERGED_DEPTH = 8,                 /* channels of narrow layers, at most */
    TILES = 64                        /* that are listed at a time */
};

/* One axis of the places. */
typedef struct place_axis {
    const ic_conv_axis *axis;
    int32_t places; /* outputs and the zeros behind them */
    int32_t planes;
    int32_t reach; /* places that the last tap is ahead */
} place_axis;

typedef struct place_grid {
    ic_conv_grid grid;
    ic_conv_grid rows; /* merged: as it was */
    bool merged;
    int64_t pixel; /* floats from one input of a row to the next */
    place_axis h, w;
    int64_t places;
} place_grid;

static place_axis place_axis_of(const ic_conv_axis *axis)
{
    int32_t span = (axis->taps - 1) * axis->spread;
    place_axis out = {.axis = axis,
                      .planes = span + 1 < axis->step ? span + 1 : axis->step,
                      .reach = span / axis->step};
    out.places = axis->count + out.reach;
    if (axis->step > 1)
        return out;
    int32_t left = -axis->origin, right = out.places - left - axis->in;
    int32_t shared = left < right ? left : right;
    out.places -= shared > 0 ? shared : 0;
    return out;
}

static void find_places(const ic_conv *conv, place_grid *out)
{
    ic_conv_grid *grid = &out->grid;
    ic_conv_grid_at(conv, IC_CONV_BACKWARD_WEIGHTS, 0, grid);
    if (ic_conv_is_pointwise(grid)) {
        grid->w.count = grid->w.in = grid->n * grid->h.count * grid->w.count;
        grid->n = grid->h.count = grid->h.in = 1;
    }
    out->rows = *grid;
    out->merged = grid->w.taps > 1 && grid->w.spread == 1 && grid->depth <= MERGED_DEPTH;
    out->pixel = grid->depth;
    if (out->merged) {
        ic_conv_axis *w = &grid->w;
        out->pixel *= w->step;
        grid->depth *= w->taps;
        w->in = w->count;
        w->taps = w->step = 1;
        w->origin = 0;
    }
    out->h = place_axis_of(&grid->h);
    out->w = place_axis_of(&grid->w);
    out->places = (int64_t)grid->n * out->h.places * out->w.places;
}

/* How many places the last tap is ahead of the first. */
static int64_t reach(const place_grid *places)
{
    return (int64_t)places->h.reach * places->w.places + places->w.reach;
}

static int64_t copy_values(const ic_conv_plan *plan, const place_grid *places)
{
    return (int64_t)plan->block[CHANNELS] * places->h.planes * places->w.planes *
           plan->block[PITCH];
}

static int64_t patch_floats(const ic_conv_grid *grid)
{
    return (int64_t)grid->h.taps * grid->w.taps * grid->depth;
}

/* Floats of inputs with the prologue applied: 32 pixels, or merged, the rows of a plane. */
static int64_t aside_floats(const ic_conv_plan *plan, const place_grid *places)
{
    if (!places->merged)
        return IC_BF16_DEPTH * (int64_t)places->grid.depth;
    int64_t rows = plan->block[PITCH] / places->w.places + 2;
    return rows * ic_conv_padded_pixels(&places->rows) * places->rows.depth;
}

/* Chooses how many places a block has, and the pitch: an odd multiple of a cache line. */
static void plan_places(const place_grid *places, ic_conv_plan *plan)
{
    int64_t planes = places->h.planes * places->w.planes, both = 2 * IC_BF16_ROWS;
    int64_t channels = BLOCK_VALUES / (planes * PLACES_WANTED) / both * both;
    int64_t all = ic_conv_divide_up(places->grid.depth, IC_BF16_ROWS) * IC_BF16_ROWS;
    channels = channels < both ? both : channels;
    channels = channels > all ? all : channels;
    plan->block[CHANNELS] = (int32_t)channels;
    int64_t count = BLOCK_VALUES / (planes * channels);
    count = count < PLACES_WANTED ? PLACES_WANTED : count > PLACES_MAX ? PLACES_MAX : count;
    count = ic_conv_divide_up(places->places, ic_conv_divide_up(places->places, count));
    count = ic_conv_divide_up(count, IC_BF16_DEPTH) * IC_BF16_DEPTH;
    int64_t pitch = ic_conv_divide_up(count + reach(places), IC_BF16_DEPTH) | 1;
    plan->block[PLACES] = (int32_t)count;
    plan->block[PITCH] = (int32_t)pitch * IC_BF16_DEPTH;
}

/* Narrow layers: turning x and pairing d_y is what counts. */
static double merged_cost(const place_grid *places)
{
    const ic_conv_grid *grid = &places->grid;
    if (!places->merged)
        return 0;
    int64_t channels = ic_conv_divide_up(grid->depth, IC_BF16_ROWS) * IC_BF16_ROWS;
    double values = (double)(channels * places->h.planes + grid->columns);
    return 2.0 * IC_CONV_COPY_COST * values * (double)places->places;
}

static double plan_weights(const ic_conv *conv, ic_conv_pass pass, ic_conv_plan *plan)
{
    if (conv->kernels->bf16 == NULL || pass != IC_CONV_BACKWARD_WEIGHTS || conv->shape.groups != 1)
        return -1;
    const ic_gemm_kernels *gemm = conv->kernels->gemm;
    place_grid places;
    find_places(conv, &places);
    plan_places(&places, plan);
    int32_t columns = places.grid.columns;
    int64_t sum = patch_floats(&places.grid) * ic_conv_padded_columns(gemm, columns);
    int64_t panels = ic_conv_panel_count(gemm, columns);
    int64_t splits = ic_conv_divide_up(sum, UNIT_SUM_FLOATS);
    splits = splits > panels ? panels : splits;
    int64_t blocks = ic_conv_divide_up(places.places, plan->block[PLACES]);
    int64_t parts = ic_conv_divide_up(WANTED_UNITS, splits);
    parts = parts > blocks ? blocks : parts;
    while (parts > 1 && parts * sum > SUM_FLOATS_MAX)
        --parts;
    while (splits < panels && parts * splits < WANTED_UNITS)
        ++splits;
    plan->phases = 2;
    plan->block[PARTS] = (int32_t)parts;
    plan->block[SPLITS] = (int32_t)splits;
    plan->packed_floats = 0;
    plan->shared_floats = (size_t)(parts * sum);
    /* The copy, a panel of d_y, pointers to both, and what lies aside. */
    int64_t values = copy_values(plan, &places) + plan->block[PLACES] * IC_BF16_WIDTH;
    size_t pointers = (size_t)(plan->block[PITCH] + plan->block[PLACES]) * sizeof(float *);
    plan->scratch_floats =
        (size_t)values / 2 + pointers / sizeof(float) + (size_t)aside_floats(plan, &places);
    int32_t rows = places.grid.depth;
    double idle = rows < BUSY_ROWS ? (double)BUSY_ROWS / rows : 1;
    return idle * ic_conv_bf16_cost(conv) + merged_cost(&places);
}

static int64_t count_units(const ic_conv *conv, ic_conv_pass pass, int32_t phase)
{
    const ic_conv_plan *plan = &conv->plans[pass];
    if (phase == 0)
        return (int64_t)plan->block[PARTS] * plan->block[SPLITS];
    return ic_conv_panel_count(conv->kernels->gemm, conv->shape.k);
}

/* A block of places in hand, and a worker's memory for it. */
typedef struct place_block {
    const ic_conv *conv;
    const ic_conv_plan *plan;
    const ic_conv_arguments *arguments;
    place_grid places;
    int64_t first;      /* place */
    uint16_t *x;        /* [plane][channel][pitch] */
    uint16_t *d_y;      /* of one panel, in pairs */
    const float **from; /* pixels of x in one plane */
    const float **outputs;
    float *aside;
} place_block;

/* Row y, counted over all images, of d_y or of x; merged, a padded copy of the latter at *aside. */
static const float *row_at(const place_block *block, bool outputs, int64_t y, float **aside)
{
    const place_grid *places = &block->places;
    const ic_conv_grid *rows = &places->rows;
    if (outputs)
        return block->arguments->d_y + y * rows->w.count * rows->columns;
    const float *row = block->arguments->x + y * rows->w.in * rows->depth;
    if (!places->merged)
        return row;
    float *copy = *aside;
    ic_conv_load_row(block->conv->kernels, rows, block->arguments->prologue, row, copy);
    *aside += ic_conv_padded_pixels(rows) * rows->depth;
    return copy;
}

/* pixels[i] = where in d_y, or in a plane of x, place first + i lies; NULL: zeros. */
static void list_pixels(const place_block *block, bool outputs, int32_t plane_h, int32_t plane_w,
                        int64_t count, const float **pixels)
{
    const place_grid *places = &block->places;
    const ic_conv_axis *h = &places->grid.h, *w = &places->grid.w;
    int64_t line = block->first / places->w.places;
    int32_t column = (int32_t)(block->first % places->w.places);
    int32_t height = outputs ? h->count : h->in, width = outputs ? w->count : w->in;
    int64_t pixel = outputs ? places->grid.columns : places->pixel;
    float *aside = block->aside;
    for (int64_t i = 0; i < count; ++line, column = 0) {
        int64_t image = line / places->h.places;
        int32_t row = (int32_t)(line % places->h.places);
        int32_t y = outputs ? row : row * h->step + plane_h + h->origin;
        const float *from = NULL;
        if (image < places->grid.n && y >= 0 && y < height)
            from = row_at(block, outputs, image * height + y, &aside);
        for (; column < places->w.places && i < count; ++column, ++i) {
            int32_t x = outputs ? column : column * w->step + plane_w + w->origin;
            pixels[i] = from != NULL && x >= 0 && x < width ? from + x * pixel : NULL;
        }
    }
}

/* Makes 32 pixels with the prologue applied; neighbours at once. */
static void apply_prologue(const place_block *block, const float **rows)
{
    int32_t c = block->places.grid.depth;
    float *to = block->aside;
    for (int32_t i = 0; i < IC_BF16_DEPTH;) {
        int32_t last = i + 1;
        while (rows[i] != NULL && last < IC_BF16_DEPTH && rows[last] == rows[last - 1] + c)
            ++last;
        if (rows[i] != NULL)
            ic_conv_load(block->conv->kernels, block->arguments->prologue, 0, last - i, c, rows[i],
                         to);
        for (; i < last; ++i, to += c)
            rows[i] = rows[i] != NULL ? to : NULL;
    }
}

/* Turns what the block and its taps read of the channels from `first` on. */
static void load_x(const place_block *block, int64_t first)
{
    const place_grid *places = &block->places;
    int64_t pitch = block->plan->block[PITCH], channels = block->plan->block[CHANNELS];
    int64_t there = places->grid.depth - first < channels ? places->grid.depth - first : channels;
    uint16_t *x = block->x;
    for (int32_t plane = 0; plane < places->h.planes * places->w.planes; ++plane) {
        list_pixels(block, false, plane / places->w.planes, plane % places->w.planes, pitch,
                    block->from);
        for (int64_t i = 0; i < pitch; i += IC_BF16_DEPTH) {
            if (block->arguments->prologue != NULL && !places->merged)
                apply_prologue(block, block->from + i);
            for (int64_t c = 0; c < there; c += 16)
                block->conv->kernels->bf16->transpose(places->grid.depth, block->from + i,
                                                      first + c, x + c * pitch + i, pitch);
        }
        x += channels * pitch;
    }
}

/* The products of some tiles of x with a piece of d_y. */
typedef struct tile_list {
    const ic_bf16_kernels *kernels;
    ic_bf16_sum sum;
    const uint16_t *d_y;
    int32_t count;
    ic_bf16_tile tiles[TILES];
} tile_list;

static void multiply_list(tile_list *list)
{
    list->kernels->multiply(&list->sum, list->count, list->tiles, list->d_y);
    list->count = 0;
}

/* Two tiles of channels, [c, end), at all taps. */
static void add_channels(const place_block *block, const uint16_t *x, int64_t c, int64_t end,
                         float *sums, tile_list *list)
{
    const ic_conv_grid *grid = &block->places.grid;
    int64_t pitch = block->plan->block[PITCH], plane = block->plan->block[CHANNELS] * pitch;
    for (int32_t i = 0; i < grid->h.taps; ++i)
        for (int32_t j = 0; j < grid->w.taps; ++j, sums += grid->depth * list->sum.ldc) {
            int32_t ahead_h = i * grid->h.spread, ahead_w = j * grid->w.spread;
            int32_t plane_at =
                ahead_h % grid->h.step * block->places.w.planes + ahead_w % grid->w.step;
            const uint16_t *a = x + plane_at * plane +
                                (int64_t)(ahead_h / grid->h.step) * block->places.w.places +
                                ahead_w / grid->w.step;
            for (int64_t first = c, height; first < end; first += height) {
                height = ic_conv_bf16_height(list->kernels, end - first);
                list->tiles[list->count++] = (ic_bf16_tile){.a = a + first * pitch,
                                                            .c = sums + first * list->sum.ldc,
                                                            .height = (int32_t)height};
                if (list->count == TILES)
                    multiply_list(list);
            }
        }
}

/* Adds the block's channels from `first` on to the sums of one panel, or sets them. */
static void add_panel(const place_block *block, const ic_conv_panel *panel, int64_t first,
                      bool accumulate, float *sums)
{
    const ic_conv_plan *plan = block->plan;
    int64_t left = block->places.grid.depth - first, places = plan->block[PLACES];
    left = left < plan->block[CHANNELS] ? left : plan->block[CHANNELS];
    tile_list list = {.kernels = block->conv->kernels->bf16};
    int64_t rows = list.kernels->rows;
    list.sum = (ic_bf16_sum){.segments = 1,
                             .step = IC_BF16_DEPTH,
                             .lda = plan->block[PITCH],
                             .ldc = panel->tile->width,
                             .columns = panel->tile->width,
                             .low = -INFINITY,
                             .high = INFINITY};
    list.kernels->pair(places / 2, panel->columns, block->outputs, panel->first, block->d_y);
    for (int64_t piece = 0; piece < places; piece += PIECE) {
        list.sum.depth = places - piece < PIECE ? places - piece : PIECE;
        list.sum.accumulate = accumulate || piece > 0;
        list.d_y = block->d_y + piece * IC_BF16_WIDTH;
        for (int64_t c = 0; c < left; c += 2 * rows)
            add_channels(block, block->x + piece, c, c + 2 * rows < left ? c + 2 * rows : left,
                         sums + first * list.sum.ldc, &list);
        multiply_list(&list);
    }
}

static void sum_part(const ic_conv *conv, int64_t unit, const ic_conv_arguments *arguments,
                     float *scratch)
{
    const ic_conv_plan *plan = &conv->plans[IC_CONV_BACKWARD_WEIGHTS];
    const ic_gemm_kernels *gemm = conv->kernels->gemm;
    place_block block = {.conv = conv, .plan = plan, .arguments = arguments};
    find_places(conv, &block.places);
    const ic_conv_grid *grid = &block.places.grid;
    block.from = (const float **)(void *)scratch;
    block.outputs = block.from + plan->block[PITCH];
    block.d_y = (uint16_t *)(void *)(block.outputs + plan->block[PLACES]);
    block.x = block.d_y + plan->block[PLACES] * IC_BF16_WIDTH;
    block.aside = (float *)(void *)(block.x + copy_values(plan, &block.places));
    int64_t splits = plan->block[SPLITS], parts = plan->block[PARTS];
    int64_t split = unit % splits, part = unit / splits;
    int64_t patch = patch_floats(grid), panels = ic_conv_panel_count(gemm, grid->columns);
    int64_t blocks = ic_conv_divide_up(block.places.places, plan->block[PLACES]);
    int64_t begin = ic_conv_cut(blocks, parts, part), end = ic_conv_cut(blocks, parts, part + 1);
    float *sums = arguments->shared + part * patch * ic_conv_padded_columns(gemm, grid->columns);
    conv->kernels->bf16->begin(IC_BF16_DEPTH);
    for (int64_t i = begin; i < end; ++i) {
        block.first = i * plan->block[PLACES];
        list_pixels(&block, true, 0, 0, plan->block[PLACES], block.outputs);
        for (int32_t c = 0; c < grid->depth; c += plan->block[CHANNELS]) {
            load_x(&block, c);
            for (int64_t p = ic_conv_cut(panels, splits, split);
                 p < ic_conv_cut(panels, splits, split + 1); ++p) {
                ic_conv_panel panel = ic_conv_panel_at(gemm, grid->columns, (int32_t)p);
                add_panel(&block, &panel, c, i > begin, sums + panel.offset * patch);
            }
        }
    }
    conv->kernels->bf16->end();
}

static void run_unit(const ic_conv *conv, ic_conv_pass pass, int32_t phase, int64_t unit,
                     const ic_conv_arguments *arguments, float *scratch)
{
    if (phase == 0)
        sum_part(conv, unit, arguments, scratch);
    else
        ic_conv_add_parts(conv, conv->plans[pass].block[PARTS], unit, arguments);
}

const ic_conv_algorithm ic_conv_bf16_weights = {
    .name = "bf16 runs", .plan = plan_weights, .units = count_units, .run = run_unit};

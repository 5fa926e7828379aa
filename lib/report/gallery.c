/* report/gallery.c: pictures of a data set to look at: classes, and duplicates side by side.
 * SPDX-License-Identifier: MIT */
#include "base/options.h"
#include "base/status.h"
#include "base/text.h"
#include "dataset/inspection.h"
#include "dataset/loader.h"
#include "recipe/recipe.h"
#include "report/plot.h"
#include "report/thumbnail.h"

#include <string.h>

enum { INK = 0x222222, FAINT = 0x999999 };
enum { CELL = 112, GAP = 6, LEFT = 20, TOP = 84, FONT = 13, LINE = 18 }; /* pixels */
enum { ROWS_MOST = 40, SHOWN = 8 /* pictures of a class */, AVERAGED = 256 /* at most */ };
enum { PAIRS_ACROSS = 3 };

typedef struct gallery {
    const ic_inspection *inspection;
    ic_context *context;
    const ic_dataset *dataset;
    ic_pipeline pipeline;
    ic_plot *plot;
} gallery;

static ic_status text(const gallery *g, double x, double y, uint32_t colour, const char *words,
                      double width)
{
    char cut[IC_ERROR_TEXT_MAX];
    ic_text_copy(cut, sizeof cut, words);
    cut[ic_plot_text_fit(FONT, cut, width)] = '\0';
    return ic_plot_text(g->plot, x, y, FONT, IC_ANCHOR_START, false, colour, cut);
}

static ic_status begin(gallery *g, int32_t width, int32_t height, const char *title,
                       const char *below)
{
    IC_TRY(ic_plot_create(g->context, width, height, &g->plot));
    IC_TRY(ic_plot_text(g->plot, LEFT, 30, 18, IC_ANCHOR_START, false, INK, title));
    return text(g, LEFT, 52, FAINT, below, width - 2 * LEFT);
}

/* Draws an 8-bit RGB picture into a cell, small ones enlarged by a whole factor; frees it. */
static ic_status draw(const gallery *g, int32_t x, int32_t y, ic_image *image)
{
    const int32_t side = image->width > image->height ? image->width : image->height;
    const int32_t factor = side < CELL ? CELL / side : 1;
    ic_status status = ic_plot_picture(g->plot, x + (CELL - image->width * factor) / 2,
                                       y + (CELL - image->height * factor) / 2, factor, image);
    ic_image_free(image);
    return status;
}

/* ---- Classes ---- */

/* Sums of samples in 0..1, or one picture's. */
static ic_status draw_tensor(const gallery *g, int32_t column, int32_t row, const float *tensor,
                             float scale)
{
    ic_pipeline scaled = g->pipeline;
    ic_image *image;
    for (int32_t c = 0; c < 3; c++) {
        scaled.mean[c] = 0;
        scaled.deviation[c] = scale;
    }
    IC_TRY(ic_tensor_thumbnail(g->context, &scaled, tensor, CELL, &image));
    return draw(g, LEFT + column * (CELL + GAP) + (column > 0) * 2 * GAP,
                TOP + row * (CELL + GAP + LINE) + LINE, image);
}

/* The mean of (at most AVERAGED, evenly chosen) pictures of a class, and some of them beside. */
static ic_status draw_class(const gallery *g, int32_t class_index, int32_t row, float *mean,
                            float *tensor)
{
    const size_t floats =
        (size_t)(g->pipeline.width * g->pipeline.height) * (size_t)g->pipeline.channels;
    const char *name = "";
    int64_t count = 0, seen = 0, averaged = 0, shown = 0;
    IC_TRY(ic_dataset_class(g->dataset, class_index, &name, &count));
    memset(mean, 0, floats * sizeof *mean);
    for (int64_t i = 0; i < ic_dataset_count(g->dataset); i++) {
        if (ic_dataset_at(g->dataset, i)->class_index != class_index)
            continue;
        int64_t at = seen++;
        if (at * AVERAGED / count < averaged && at * SHOWN / count < shown)
            continue;
        ic_image *canvas;
        IC_TRY(ic_dataset_canvas(g->dataset, i, &g->pipeline, &canvas));
        ic_pipeline_tensor(&g->pipeline, canvas, tensor);
        ic_image_free(canvas);
        for (size_t k = 0; k < floats; k++)
            mean[k] += tensor[k];
        averaged++;
        if (at * SHOWN / count >= shown)
            IC_TRY(draw_tensor(g, (int32_t)++shown, row, tensor, 1));
    }
    if (averaged > 0)
        IC_TRY(draw_tensor(g, 0, row, mean, 1 / (float)averaged));
    char number[IC_TEXT_FLOAT_MAX];
    const double y = TOP + row * (CELL + GAP + LINE) + FONT;
    const double wide = ic_plot_text_width(FONT, name), after = wide < 3 * CELL ? wide : 3 * CELL;
    IC_TRY(text(g, LEFT, y, INK, name, 3 * CELL));
    return text(g, LEFT + after + 2 * GAP, y, FAINT, ic_text_int(count, number), CELL);
}

static ic_status draw_classes(gallery *g, const ic_options *options)
{
    ic_data_facts facts;
    ic_model_recipe model;
    float *mean = NULL, *tensor = NULL;
    ic_status status = IC_OK;
    const int32_t classes = ic_dataset_class_count(g->dataset);
    const int32_t rows = classes < ROWS_MOST ? classes : ROWS_MOST;
    IC_TRY(ic_recipe_look(g->context, g->dataset, &facts));
    IC_TRY(ic_recipe_model(g->context, &facts, options, &model));
    g->pipeline = model.pipeline;
    g->pipeline.normalise = IC_NORMALISE_DATASET;
    for (int32_t c = 0; c < 3; c++) { /* samples as they are */
        g->pipeline.mean[c] = 0;
        g->pipeline.deviation[c] = 1;
    }
    IC_TRY(
        begin(g, 2 * LEFT + 2 * GAP + (1 + SHOWN) * (CELL + GAP),
              TOP + rows * (CELL + GAP + LINE) + LEFT, "classes",
              "left: the mean of the pictures; beside it some of them, as the network sees them"));
    const size_t floats = (size_t)(g->pipeline.width * g->pipeline.height);
    IC_TRY_CLEAN(ic_allocate_array(g->context, floats, 3 * sizeof *mean, &mean));
    IC_TRY_CLEAN(ic_allocate_array(g->context, floats, 3 * sizeof *tensor, &tensor));
    for (int32_t c = 0; c < rows; c++)
        IC_TRY_CLEAN(draw_class(g, c, c, mean, tensor));
cleanup:
    ic_free(g->context, tensor);
    ic_free(g->context, mean);
    return status;
}

/* ---- Duplicates ---- */

/* The picture as it is, within a cell. */
static ic_status draw_item(const gallery *g, int64_t index, int32_t x, int32_t y)
{
    ic_image *small;
    IC_TRY(ic_dataset_thumbnail(g->dataset, index, CELL, &small));
    return draw(g, x, y, small);
}

/* "test/roses" of "photos/test/roses/1.jpg": the end of the folder. */
static const char *place_of(const char *origin)
{
    const char *end = strrchr(origin, '/'), *start = end;
    for (int32_t slashes = 0; start != NULL && start > origin; start--)
        if (start[-1] == '/' && ++slashes == 2)
            break;
    return start == NULL ? origin : start;
}

static ic_status draw_pair(const gallery *g, const ic_duplicate *pair, int32_t place)
{
    const int32_t bits = ic_inspection_bits(g->inspection, pair);
    const int32_t x = LEFT + place % PAIRS_ACROSS * (2 * CELL + 5 * GAP);
    const int32_t y = TOP + place / PAIRS_ACROSS * (CELL + 4 * LINE);
    const char *what = (bits & IC_PAIR_NEAR) == 0       ? "the same"
                       : (bits & IC_PAIR_MIRRORED) != 0 ? "mirrored"
                                                        : "another form";
    IC_TRY(text(g, x, y - 4, bits >= IC_PAIR_PARTS ? 0xB00020 : INK,
                (bits & IC_PAIR_CLASSES) != 0 ? "two classes"
                : (bits & IC_PAIR_PARTS) != 0 ? "in two parts"
                                              : what,
                2 * CELL));
    IC_TRY(draw_item(g, pair->first, x, y));
    IC_TRY(draw_item(g, pair->second, x + CELL + GAP, y));
    const double below = y + CELL + LINE;
    IC_TRY(text(g, x, below, FAINT, place_of(ic_dataset_at(g->dataset, pair->first)->origin),
                2 * CELL + GAP));
    return text(g, x, below + LINE, FAINT,
                place_of(ic_dataset_at(g->dataset, pair->second)->origin), 2 * CELL + GAP);
}

/* Those across parts or classes first. */
static ic_status draw_duplicates(gallery *g)
{
    const ic_duplicates *all = &g->inspection->duplicates;
    const int32_t shown = all->count < ROWS_MOST ? (int32_t)all->count : ROWS_MOST;
    int32_t place = 0;
    if (shown == 0)
        return ic_fail(IC_ERROR_DATA, "there are no duplicates to draw");
    const int32_t rows = (shown + PAIRS_ACROSS - 1) / PAIRS_ACROSS;
    IC_TRY(begin(g, 2 * LEFT + PAIRS_ACROSS * (2 * CELL + 5 * GAP),
                 TOP + rows * (CELL + 4 * LINE) + LEFT, "duplicates",
                 "red: in two parts of the data, or under two classes"));
    for (int32_t pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < all->count && place < shown; i++)
            if ((ic_inspection_bits(g->inspection, &all->pairs[i]) >= IC_PAIR_PARTS) == (pass == 0))
                IC_TRY(draw_pair(g, &all->pairs[i], place++));
    return IC_OK;
}

ic_status ic_inspection_plot(const ic_inspection *inspection, const ic_options *options,
                             const char *what, const char *path)
{
    if (inspection == NULL || what == NULL || path == NULL)
        return ic_fail(IC_ERROR_ARGUMENT,
                       "ic_inspection_plot: inspection, what and path must be given");
    gallery g = {inspection, inspection->context, inspection->dataset, {0}, NULL};
    ic_status status;
    if (strcmp(what, "classes") == 0)
        status = draw_classes(&g, options);
    else if (strcmp(what, "duplicates") == 0)
        status = draw_duplicates(&g);
    else
        status = ic_fail(IC_ERROR_ARGUMENT,
                         "there is no drawing called \"%s\": it is classes or duplicates", what);
    if (status >= 0)
        status = ic_plot_save(g.plot, path);
    ic_plot_free(g.plot);
    return status;
}

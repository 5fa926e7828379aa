/* report/augmentation.c: what augmentation makes of pictures, to be looked at.
 * SPDX-License-Identifier: MIT */
#include "base/status.h"
#include "base/text.h"
#include "dataset/loader.h"
#include "report/plot.h"
#include "report/thumbnail.h"
#include "train/mix.h"

#include <imgcls/report.h>

#include <stddef.h>
#include <string.h>

enum { INK = 0x222222, FAINT = 0x999999 };
enum { DRAWS = 7, BATCH = 8 /* pictures to mix */, MEASURED = 256 /* for the mean */ };
enum { CELL = 96, CELL_MOST = 160, GAP = 4, LEFT = 176, TOP = 88, FONT = 13 }; /* pixels */
enum { TITLE_MAX = IC_TEXT_FLOAT_MAX + 32 };

/* Numbers of ic_augment: off, and where a look is telling. */
static const struct {
    const char *name;
    size_t at;
    float off, usual;
} numbers[] = {
    {"crop_scale", offsetof(ic_augment, crop_scale), 1, 0.5F},
    {"rotation", offsetof(ic_augment, rotation), 0, 15},
    {"brightness", offsetof(ic_augment, brightness), 0, 0.3F},
    {"contrast", offsetof(ic_augment, contrast), 0, 0.3F},
    {"saturation", offsetof(ic_augment, saturation), 0, 0.3F},
    {"erasing", offsetof(ic_augment, erasing), 0, 0.5F},
    {"blur", offsetof(ic_augment, blur), 0, 1},
    {"noise", offsetof(ic_augment, noise), 0, 0.1F},
};
static const char *const trivial[] = {
    "shear x",  "shear y",   "translate x", "translate y", "rotate",       "brightness", "colour",
    "contrast", "sharpness", "posterize",   "solarize",    "autocontrast", "equalize"};

/* The rows, in their order. */
enum {
    ROW_FLIP,
    ROW_TURNS,
    ROW_SHIFT,
    ROW_NUMBERS,
    ROW_SATURATION = ROW_NUMBERS + 4,
    ROW_TRIVIAL = ROW_NUMBERS + sizeof numbers / sizeof *numbers,
    ROW_COLOUR = ROW_TRIVIAL + IC_POLICY_ONLY_COLOUR - IC_POLICY_ONLY_SHEAR_X,
    ROW_MIXUP = ROW_TRIVIAL + sizeof trivial / sizeof *trivial,
    ROW_CUTMIX,
    ROW_RECIPE,
    ROWS
};

typedef struct sheet {
    ic_context *context;
    const ic_dataset *dataset;
    ic_pipeline pipeline;
    ic_training_recipe recipe; /* of a training with the options */
    int32_t factor, cell;
    int32_t drawn; /* rows */
    ic_plot *plot;
    float *tensors, *mixed; /* of a batch each */
} sheet;

static void name_value(char title[TITLE_MAX], const char *name, double value)
{
    char text[IC_TEXT_FLOAT_MAX];
    size_t length = strlen(name);
    ic_text_copy(title, TITLE_MAX, name);
    title[length] = ' ';
    ic_text_copy(title + length + 1, TITLE_MAX - length - 1, ic_text_float(value, 2, text));
}

/* The row's own change, nothing else. False: a training with the options leaves it off. */
static bool choose_number(const ic_augment *asked, int32_t row, ic_augment *alone,
                          char title[TITLE_MAX])
{
    const size_t i = (size_t)(row - ROW_NUMBERS), at = numbers[i].at;
    float value;
    memcpy(&value, (const char *)asked + at, sizeof value);
    bool on = value != numbers[i].off;
    value = on ? value : numbers[i].usual;
    memcpy((char *)alone + at, &value, sizeof value);
    name_value(title, numbers[i].name, (double)value);
    return on;
}

static bool choose_mix(double asked, const char *name, double *alone, char title[TITLE_MAX])
{
    *alone = asked > 0 ? asked : 1;
    name_value(title, name, *alone);
    return asked > 0;
}

/* Grey pictures have no colours to change. */
static bool is_shown(const sheet *s, int32_t row)
{
    return s->pipeline.channels == 3 || (row != ROW_SATURATION && row != ROW_COLOUR);
}

static bool choose_row(const sheet *s, int32_t row, ic_training_recipe *alone,
                       char title[TITLE_MAX])
{
    const ic_augment *asked = &s->recipe.augment;
    ic_augment *augment = &alone->augment;
    if (row == ROW_RECIPE) {
        ic_text_copy(title, TITLE_MAX, "all that is on");
        return true;
    }
    *augment = (ic_augment){.crop_scale = 1, .crop_aspect = asked->crop_aspect};
    alone->mixup = alone->cutmix = 0;
    alone->mix_probability = 1;
    if (row == ROW_FLIP) {
        augment->flip = asked->flip != IC_FLIP_OFF ? asked->flip : IC_FLIP_ON;
        ic_text_copy(title, TITLE_MAX, augment->flip == IC_FLIP_ON ? "flip" : "flip alternating");
        return asked->flip != IC_FLIP_OFF;
    }
    if (row == ROW_TURNS) {
        augment->turns = asked->turns != IC_TURNS_NONE ? asked->turns : IC_TURNS_QUARTER;
        ic_text_copy(title, TITLE_MAX,
                     augment->turns == IC_TURNS_HALF ? "turns half" : "turns quarter");
        return asked->turns != IC_TURNS_NONE;
    }
    if (row == ROW_SHIFT) {
        augment->shift = asked->shift > 0 ? asked->shift : s->pipeline.width / 8;
        name_value(title, "shift", augment->shift);
        return asked->shift > 0;
    }
    if (row < ROW_TRIVIAL)
        return choose_number(asked, row, augment, title);
    if (row < ROW_MIXUP) {
        const char *name = trivial[row - ROW_TRIVIAL];
        augment->policy = (ic_policy)(IC_POLICY_TRIVIAL + 1 + row - ROW_TRIVIAL);
        ic_text_copy(title, TITLE_MAX, "trivial: ");
        ic_text_copy(title + strlen(title), TITLE_MAX - strlen(title), name);
        return asked->policy == IC_POLICY_TRIVIAL;
    }
    if (row == ROW_MIXUP)
        return choose_mix(s->recipe.mixup, "mixup", &alone->mixup, title);
    return choose_mix(s->recipe.cutmix, "cutmix", &alone->cutmix, title);
}

static ic_status draw_cell(const sheet *s, int32_t column, const float *tensor)
{
    ic_image *image = NULL;
    IC_TRY(ic_tensor_thumbnail(s->context, &s->pipeline, tensor, CELL_MOST, &image));
    ic_status status = ic_plot_picture(s->plot, LEFT + column * (s->cell + GAP),
                                       TOP + s->drawn * (s->cell + GAP), s->factor, image);
    ic_image_free(image);
    return status;
}

/* Draw `draw` of the row is what epoch `draw` would see. */
static ic_status draw_draws(const sheet *s, int32_t row, const ic_training_recipe *how,
                            const int64_t *indices, ic_image *const *canvases, int32_t count)
{
    const int32_t labels[BATCH] = {0};
    const ic_batch batch = {.tensors = s->tensors, .labels = labels, .count = count};
    const size_t floats =
        (size_t)s->pipeline.width * (size_t)s->pipeline.height * (size_t)s->pipeline.channels;
    ic_mixer *mixer;
    IC_TRY(ic_mixer_create(s->context, how, &s->pipeline, &mixer));
    ic_status status = IC_OK;
    for (int32_t draw = 0; draw < DRAWS && status == IC_OK; draw++) {
        ic_targets targets;
        for (int32_t i = 0; i < count; i++) {
            const ic_augment_key key = {.seed = how->seed,
                                        .epoch = (uint64_t)draw,
                                        .picture =
                                            (uint64_t)ic_dataset_key(s->dataset, indices[i])};
            ic_pipeline_augment(&s->pipeline, &how->augment, canvases[i], &key,
                                s->tensors + (size_t)i * floats);
        }
        status = ic_mixer_apply(mixer, &batch, draw, row, s->mixed, &targets);
        if (status == IC_OK)
            status = draw_cell(s, 1 + draw, s->mixed);
    }
    ic_mixer_free(mixer);
    return status;
}

/* Each row has a picture of its own, and some from all over the set to mix it with. */
static ic_status draw_row(const sheet *s, int32_t row)
{
    char title[TITLE_MAX];
    ic_training_recipe how = s->recipe;
    ic_image *canvases[BATCH] = {NULL};
    int64_t indices[BATCH], pictures = ic_dataset_count(s->dataset);
    ic_status status = IC_OK;
    bool on = choose_row(s, row, &how, title);
    int32_t count = how.mixup > 0 || how.cutmix > 0 ? BATCH : 1;
    count = pictures < count ? (int32_t)pictures : count;
    how.batch = BATCH;
    for (int32_t i = 0; i < count; i++) {
        indices[i] = (pictures * row / ROWS + pictures * i / BATCH) % pictures;
        IC_TRY_CLEAN(ic_dataset_canvas(s->dataset, indices[i], &s->pipeline, &canvases[i]));
    }
    int32_t middle = TOP + s->drawn * (s->cell + GAP) + s->cell / 2 + FONT / 2;
    IC_TRY_CLEAN(ic_plot_text(s->plot, LEFT - 10, middle, FONT, IC_ANCHOR_END, false,
                              on ? INK : FAINT, title));
    ic_pipeline_tensor(&s->pipeline, canvases[0], s->mixed);
    IC_TRY_CLEAN(draw_cell(s, 0, s->mixed));
    IC_TRY_CLEAN(draw_draws(s, row, &how, indices, canvases, count));
cleanup:
    for (int32_t i = 0; i < count; i++)
        ic_image_free(canvases[i]);
    return status;
}

/* Network, pipeline and settings as a training would have them. */
static ic_status choose_recipe(sheet *s, const ic_options *options)
{
    ic_data_facts facts;
    ic_model_recipe model;
    IC_TRY(ic_recipe_look(s->context, s->dataset, &facts));
    IC_TRY(ic_recipe_model(s->context, &facts, options, &model));
    s->pipeline = model.pipeline;
    s->pipeline.normalise = IC_NORMALISE_DATASET; /* which can be undone */
    if (model.measure)
        IC_TRY(ic_loader_measure(s->context, s->dataset, MEASURED, NULL, &s->pipeline));
    IC_TRY(
        ic_recipe_training(s->context, &facts, model.network, &s->pipeline, options, &s->recipe));
    const int32_t side = s->pipeline.width;
    s->factor = side < CELL ? CELL / side : 1;
    s->cell = side > CELL_MOST ? CELL_MOST : side * s->factor;
    return IC_OK;
}

static ic_status draw_sheet(sheet *s, const ic_options *options, const char *path)
{
    IC_TRY(choose_recipe(s, options));
    const int32_t apart = s->cell + GAP;
    int32_t rows = 0;
    for (int32_t row = 0; row < ROWS; row++)
        rows += is_shown(s, row);
    const size_t batch = (size_t)BATCH * (size_t)s->pipeline.channels;
    const size_t pixels = (size_t)s->pipeline.width * (size_t)s->pipeline.height;
    IC_TRY(ic_allocate_array(s->context, pixels, batch * sizeof(float), &s->tensors));
    IC_TRY(ic_allocate_array(s->context, pixels, batch * sizeof(float), &s->mixed));
    IC_TRY(ic_plot_create(s->context, LEFT + (1 + DRAWS) * apart + 20, TOP + rows * apart + 20,
                          &s->plot));
    IC_TRY(ic_plot_text(s->plot, 20, 30, 18, IC_ANCHOR_START, false, INK, "augmentation"));
    IC_TRY(ic_plot_text(s->plot, 20, 52, FONT, IC_ANCHOR_START, false, FAINT,
                        "black: on in a training with these options; grey: off, shown at a usual "
                        "strength"));
    IC_TRY(ic_plot_text(s->plot, LEFT, TOP - 10, FONT, IC_ANCHOR_START, false, INK, "as it is"));
    IC_TRY(ic_plot_text(s->plot, LEFT + apart, TOP - 10, FONT, IC_ANCHOR_START, false, INK,
                        "in seven epochs"));
    for (int32_t row = 0; row < ROWS; row++)
        if (is_shown(s, row)) {
            IC_TRY(draw_row(s, row));
            s->drawn++;
        }
    return ic_plot_save(s->plot, path);
}

ic_status ic_dataset_plot_augmentation(const ic_dataset *dataset, const ic_options *options,
                                       const char *path)
{
    if (dataset == NULL || path == NULL)
        return ic_fail(IC_ERROR_ARGUMENT,
                       "ic_dataset_plot_augmentation wants a data set and a path");
    sheet s = {.context = ic_dataset_context(dataset)};
    ic_dataset *train = NULL, *validation = NULL;
    ic_status status = ic_dataset_split(dataset, options, &train, &validation);
    if (status == IC_OK || status == IC_ERROR_DATA) { /* nothing can be held out */
        s.dataset = train != NULL ? train : dataset;
        status = draw_sheet(&s, options, path);
    }
    ic_plot_free(s.plot);
    ic_free(s.context, s.tensors);
    ic_free(s.context, s.mixed);
    ic_dataset_free(train);
    ic_dataset_free(validation);
    return status;
}

/* recipe/model.c: network, input size and pixel pipeline for a data set. SPDX-License-Identifier:
 * MIT */
#include "recipe/cost.h"

#include "base/options.h"
#include "base/status.h"
#include "base/text.h"

#include <string.h>

/* What photographs are tried at, the best first: the first that the budget allows is taken. */
static const int32_t photograph_sides[] = {128, 96, 64};
enum {
    SIDES = sizeof photograph_sides / sizeof photograph_sides[0],
    ENOUGH_EPOCHS = 4, /* of a large network, to be better than more of a fast one */
    LARGE = 4          /* times as long as the canvas: sides that decoding could shorten a lot */
};

/* Photographs seen in all that a training at a size should have; more at a smaller one is worth
 * less. */
static const double enough_views = 40e3;

static bool fits_budget(const ic_data_facts *facts, const char *network, int32_t side,
                        const ic_options *options)
{
    double epochs = ic_recipe_affordable(facts, network, side, side, options);
    return epochs >= ENOUGH_EPOCHS && (epochs * (double)facts->pictures >= enough_views ||
                                       epochs >= ic_recipe_wanted_epochs(facts, options));
}

/*
 * Networks for small pictures, the most accurate first: the first of which so many epochs fit the
 * budget is taken. Measured on the test, Fashion-MNIST in four minutes: 2.6 epochs of airbench94
 * 92.6 %, 9 of plain 93.6 %, 19 of small 93.1 %; CIFAR-10 in five: 3 epochs of airbench94 84.6 %,
 * 13 of plain 83.0 %, 19 of small 82.3 %.
 */
static const struct {
    const char *network;
    double grey, colour; /* epochs */
    const char *why;
} small_networks[] = {
    {"airbench94", 4, 2.5, "it learns small pictures in few epochs"},
    {"plain", 8, 8, "what fits the time for so many small pictures"},
    {"small", 0, 0, "a fast network for many small pictures"},
};

static const char *choose_network(ic_context *context, const ic_data_facts *facts,
                                  const ic_options *options)
{
    const char *asked = ic_option_text(options, "network");
    if (strcmp(asked, "auto") != 0)
        return asked;
    const char *chosen = "resnet18", *why = "a residual network for photographs";
    if (ic_facts_tiny(facts)) {
        int32_t i = 0, side = ic_facts_side(facts);
        while (ic_recipe_affordable(facts, small_networks[i].network, side, side, options) <
               (facts->grey ? small_networks[i].grey : small_networks[i].colour))
            i++;
        chosen = small_networks[i].network;
        why = small_networks[i].why;
    }
    ic_log(context, IC_LOG_INFO, "network %s: %s (%lld pictures, typically %dx%d)", chosen, why,
           (long long)facts->pictures, (int)facts->median_width, (int)facts->median_height);
    return chosen;
}

/* Never larger than the pictures are, so that nothing is spent on made-up detail. */
static int32_t choose_side(ic_context *context, const ic_data_facts *facts, const char *network,
                           const ic_options *options)
{
    int32_t asked = (int32_t)ic_option_int(options, "input_size");
    int32_t side = ic_facts_side(facts);
    if (asked > 0)
        return asked;
    if (ic_facts_tiny(facts)) {
        ic_log(context, IC_LOG_INFO, "input size %d: the pictures are small, their own size", side);
        return side;
    }
    int32_t chosen = side < photograph_sides[SIDES - 1] ? side : photograph_sides[SIDES - 1];
    const char *why = "as large as the pictures are";
    for (int32_t i = 0; i < SIDES && side >= photograph_sides[SIDES - 1]; i++) {
        if (photograph_sides[i] > side)
            continue;
        why = i == 0 ? "enough to tell things apart" : "larger would take too long";
        if (!fits_budget(facts, network, photograph_sides[i], options))
            continue;
        chosen = photograph_sides[i];
        break;
    }
    ic_log(context, IC_LOG_INFO, "input size %d: %s", (int)chosen, why);
    return chosen;
}

static int32_t choose_channels(ic_context *context, const ic_data_facts *facts,
                               const ic_options *options)
{
    const char *asked = ic_option_text(options, "channels");
    if (strcmp(asked, "auto") != 0)
        return strcmp(asked, "grey") == 0 ? 1 : 3;
    ic_log(context, IC_LOG_INFO,
           facts->grey ? "channels grey: no picture that was looked at has colour"
                       : "channels colour: the pictures have colour");
    return facts->grey ? 1 : 3;
}

static ic_decode choose_decode(ic_context *context, const ic_data_facts *facts,
                               const ic_options *options, int32_t canvas)
{
    if (ic_option_is(options, "decode", "shrink")) {
        if (facts->decoded)
            ic_log(context, IC_LOG_WARNING,
                   "decode shrink: pictures that were added in memory stay as they are, so that "
                   "files will look a little softer to the model than these");
        return IC_DECODE_SHRINK;
    }
    if (!ic_option_is_set(options, "decode") && facts->jpegs &&
        ic_facts_side(facts) >= LARGE * canvas)
        ic_log(context, IC_LOG_INFO,
               "decode full: with shrink, JPEGs of this size would be read in two thirds of the "
               "time or less");
    return IC_DECODE_FULL;
}

static ic_resize_mode choose_resize(ic_context *context, const ic_data_facts *facts,
                                    const ic_options *options)
{
    const char *asked = ic_option_text(options, "resize");
    if (strcmp(asked, "auto") != 0)
        return strcmp(asked, "stretch") == 0 ? IC_RESIZE_STRETCH : IC_RESIZE_CROP;
    ic_log(context, IC_LOG_INFO,
           facts->same_size ? "resize stretch: all pictures have one size, so nothing is cut off"
                            : "resize crop: sizes differ, so shapes are kept and centres cut out");
    return facts->same_size ? IC_RESIZE_STRETCH : IC_RESIZE_CROP;
}

/* How an X-ray was exposed, and by which machine, must not tell what it shows. Who gives a mean
 * means it to be the only one. */
static ic_normalise choose_normalise(ic_context *context, const ic_data_facts *facts,
                                     const ic_options *options)
{
    if (ic_option_is(options, "normalise", "auto")) {
        if (!ic_facts_grey_photographs(facts) || !ic_option_is(options, "mean", "auto"))
            return IC_NORMALISE_DATASET;
        ic_log(context, IC_LOG_INFO,
               "normalise picture: how grey photographs were exposed must not tell their class");
        return IC_NORMALISE_PICTURE;
    }
    return ic_option_is(options, "normalise", "picture") ? IC_NORMALISE_PICTURE
                                                         : IC_NORMALISE_DATASET;
}

static ic_denoise denoise_kind(const ic_options *options)
{
    static const char *const names[] = {"none", "median", "gaussian", "bilateral"};
    static const ic_denoise kinds[] = {IC_DENOISE_NONE, IC_DENOISE_MEDIAN, IC_DENOISE_GAUSSIAN,
                                       IC_DENOISE_BILATERAL};
    const char *asked = ic_option_text(options, "denoise");
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(asked, names[i]) == 0)
            return kinds[i];
    return IC_DENOISE_NONE;
}

/* "0.485,0.456,0.406": one number a channel, each in low..1. */
static ic_status parse_numbers(const char *name, const char *text, int32_t channels, double low,
                               float numbers[3])
{
    char part[IC_TEXT_FLOAT_MAX];
    const char *at = text;
    for (int32_t c = 0; c < channels; c++) {
        size_t length = strcspn(at, ",");
        double value = 0;
        bool last = at[length] == '\0';
        if (length >= sizeof part || last != (c == channels - 1))
            return ic_fail(IC_ERROR_OPTION, "%s \"%s\" must be %d numbers, one a channel", name,
                           text, (int)channels);
        memcpy(part, at, length);
        part[length] = '\0';
        if (!ic_parse_float(part, &value) || !(value >= low && value <= 1))
            return ic_fail(IC_ERROR_OPTION, "%s \"%s\": \"%s\" is not a number in %s..1", name,
                           text, part, low > 0 ? "0.001" : "0");
        numbers[c] = (float)value;
        at += length + 1;
    }
    return IC_OK;
}

static ic_status set_normalisation(const ic_options *options, ic_model_recipe *recipe)
{
    const char *mean = ic_option_text(options, "mean");
    const char *deviation = ic_option_text(options, "deviation");
    bool measure_mean = strcmp(mean, "auto") == 0;
    ic_pipeline *pipeline = &recipe->pipeline;

    recipe->measure = measure_mean;
    if (measure_mean != (strcmp(deviation, "auto") == 0))
        return ic_fail(IC_ERROR_OPTION, "give both mean and deviation, or leave both on auto");
    if (measure_mean)
        return IC_OK;
    IC_TRY(parse_numbers("mean", mean, pipeline->channels, 0, pipeline->mean));
    return parse_numbers("deviation", deviation, pipeline->channels, 0.001, pipeline->deviation);
}

ic_status ic_recipe_model(ic_context *context, const ic_data_facts *facts,
                          const ic_options *options, ic_model_recipe *out)
{
    ic_model_recipe recipe = {.network = choose_network(context, facts, options)};
    int32_t side = choose_side(context, facts, recipe.network, options);
    /* Photographs leave a margin around what the network sees, for random crops in training. */
    int32_t canvas = side <= IC_TINY_SIDE ? side : (side * 8 + 3) / 7;
    const char *filter = ic_option_text(options, "filter");

    recipe.pipeline = (ic_pipeline){
        .decode = choose_decode(context, facts, options, canvas),
        .width = side,
        .height = side,
        .channels = choose_channels(context, facts, options),
        .canvas_width = canvas,
        .canvas_height = canvas,
        .resize = choose_resize(context, facts, options),
        .filter = strcmp(filter, "bicubic") == 0 ? IC_FILTER_BICUBIC : IC_FILTER_BILINEAR,
        .denoise = denoise_kind(options),
        .denoise_strength = (float)ic_option_float(options, "denoise_strength"),
        .normalise = choose_normalise(context, facts, options),
        .mean = {0, 0, 0},
        .deviation = {1, 1, 1},
    };
    IC_TRY(set_normalisation(options, &recipe));
    *out = recipe;
    return IC_OK;
}

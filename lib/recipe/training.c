/* recipe/training.c: how a network is trained on a data set. SPDX-License-Identifier: MIT */
#include "recipe/presets.h"

#include "base/status.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    PHOTOGRAPH_BATCH = 32,
    LARGE_BATCH = 64, /* muon's, whose step costs the same for any number of pictures; X-rays' */
    TINY_BATCH = 128,
    AIRBENCH_BATCH = 1024,
    LEAST_BATCH = 8,      /* batch norm needs a few */
    TUNING_SHARE = 2,     /* weights that have learnt before need this part of the epochs */
    LEAST_STEPS_EPOCH = 8 /* small data takes smaller batches before it takes fewer steps */
};

/* Of the usual rate, for weights that have learnt before: what they know is not to be thrown over.
 */
static const double tuning_rate = 0.2;

/* The moving average looks back over this part of a training. */
static const double ema_share = 0.04;
static const double most_decay = 0.999999; /* that the option ema_decay takes */

/* An option's number, or the recipe's where it is left on the value that stands for auto. */
static double wish(const ic_options *options, const char *name, double automatic, double chosen)
{
    double asked = ic_option_float(options, name);
    return asked == automatic ? chosen : asked;
}

static int32_t choose_batch(ic_context *context, const ic_data_facts *facts, const char *network,
                            const ic_options *options)
{
    int64_t asked = ic_option_int(options, "batch_size");
    bool large = ic_option_is(options, "optimizer", "muon") || ic_facts_grey_photographs(facts);
    int32_t batch = strcmp(network, "airbench94") == 0 ? AIRBENCH_BATCH
                    : ic_facts_tiny(facts)             ? TINY_BATCH
                    : large                            ? LARGE_BATCH
                                                       : PHOTOGRAPH_BATCH;
    while (batch > LEAST_BATCH && facts->pictures / batch < LEAST_STEPS_EPOCH)
        batch /= 2;
    if (asked > facts->pictures)
        ic_log(context, IC_LOG_INFO, "batches of %lld pictures, which are all, in place of %lld",
               (long long)facts->pictures, (long long)asked);
    int64_t wanted = asked > 0 ? asked : batch;
    return (int32_t)(wanted < facts->pictures ? wanted : facts->pictures);
}

/* The place of an option's value among names, which begin with what auto stands for. */
static int32_t choice(const ic_options *options, const char *name, const char *const *names)
{
    int32_t i = 0;
    while (names[i] && !ic_option_is(options, name, names[i]))
        i++;
    return names[i] ? i : 0;
}

/*
 * The peak that works for the batch of its network; it follows the batch (Goyal et al. 2017). Grey
 * photographs take half: what is learnt more slowly stands a change of framing better.
 */
static double rate_for(const char *network, const ic_data_facts *facts, ic_optimizer_kind optimizer,
                       int32_t batch)
{
    if (optimizer == IC_OPTIMIZER_ADAMW)
        return 1e-3 * (batch < 64 ? 1 : 2);
    if (optimizer == IC_OPTIMIZER_MUON) /* every step has this size, whatever the gradient's */
        return 0.02 * sqrt(batch / 32.0);
    if (strcmp(network, "lenet5") == 0) /* no norms: only small steps are safe */
        return 0.02 * batch / 64;
    if (strcmp(network, "airbench94") == 0) /* 11.5 of arXiv:2404.00498, for a mean of losses */
        return 1.5 * batch / 1024;
    bool for_photographs = strcmp(network, "resnet18") == 0 ||
                           strncmp(network, "mobilenet", strlen("mobilenet")) == 0 ||
                           strncmp(network, "efficientnet", strlen("efficientnet")) == 0;
    double peak = ic_facts_grey_photographs(facts) ? 0.05 : 0.1;
    return for_photographs ? peak * batch / 64 : 0.2 * batch / 128;
}

static void choose_optimiser(ic_context *context, const char *network, const ic_data_facts *facts,
                             const ic_options *options, ic_training_recipe *recipe)
{
    char peak[IC_TEXT_FLOAT_MAX], decay[IC_TEXT_FLOAT_MAX];
    int32_t batch = recipe->batch * recipe->accumulate;
    int32_t kind = choice(options, "optimizer", ic_optimizer_names);
    double tuning = facts->pretrained ? tuning_rate : 1;
    recipe->optimizer = (ic_optimizer_kind)kind;
    double rate = tuning * rate_for(network, facts, recipe->optimizer, batch);
    double sgd_rate = tuning * rate_for(network, facts, IC_OPTIMIZER_SGD, batch);
    recipe->learning_rate = wish(options, "learning_rate", 0, rate);
    recipe->sgd_rate = wish(options, "sgd_rate", 0, sgd_rate);
    recipe->momentum = ic_option_float(options, "momentum");
    recipe->weight_decay = ic_option_float(options, "weight_decay");
    recipe->clip_norm = ic_option_float(options, "clip_norm");
    ic_log(context, IC_LOG_INFO, "%s with learning rate %s at its peak, weight decay %s, batch %d",
           ic_optimizer_names[kind], ic_text_float(recipe->learning_rate, 6, peak),
           ic_text_float(recipe->weight_decay, 6, decay), (int)batch);
}

static void choose_schedule(const ic_options *options, ic_training_recipe *recipe)
{
    recipe->schedule = (ic_schedule_kind)choice(options, "schedule", ic_schedule_names);
    recipe->warmup_epochs = ic_option_float(options, "warmup_epochs");
    recipe->step_epochs = wish(options, "step_epochs", 0, recipe->epochs / 3.0);
    recipe->step_factor = ic_option_float(options, "step_factor");
}

/*
 * Copies items of a comma list behind the text of rates, each with `end`. What does not fit is cut,
 * and found out by the length that comes back.
 */
static size_t append_rates(const char *list, const char *end, char *rates, size_t length)
{
    if (strcmp(list, "none") == 0)
        return length;
    for (; *list != '\0'; list += *list == ',') {
        size_t item = strcspn(list, ",");
        if (item == 0)
            continue;
        if (length < IC_RATES_MAX)
            snprintf(rates + length, IC_RATES_MAX - length, "%s%.*s%s", length > 0 ? "," : "",
                     (int)item, list, end);
        length += (length > 0) + item + strlen(end);
        list += item;
    }
    return length;
}

/* Frozen parameters are those of rate 0; they come first, where no other pattern can win. */
static ic_status choose_rates(const ic_options *options, ic_training_recipe *recipe)
{
    size_t length = append_rates(ic_option_text(options, "freeze"), "=0", recipe->rates, 0);
    length = append_rates(ic_option_text(options, "rates"), "", recipe->rates, length);
    if (length >= IC_RATES_MAX)
        return ic_fail(IC_ERROR_OPTION,
                       "options \"freeze\" and \"rates\" take at most %d bytes together, not "
                       "%lld: let patterns with * stand for several parameters",
                       IC_RATES_MAX - 1, (long long)length);
    return IC_OK;
}

static void choose_epochs(ic_context *context, const ic_data_facts *facts, const char *network,
                          const ic_pipeline *pipeline, const ic_options *options,
                          ic_training_recipe *recipe)
{
    double asked = ic_option_float(options, "epochs");
    double wanted = ic_recipe_wanted_epochs(facts, options);
    double epochs = ic_recipe_epochs(facts, network, pipeline->width, pipeline->height, options);
    bool enough = epochs >= wanted;
    if (facts->pretrained)
        epochs = epochs > 2 * TUNING_SHARE ? floor(epochs / TUNING_SHARE) : epochs;
    recipe->epochs = asked > 0 ? asked : epochs;
    recipe->most_epochs = asked > 0 ? asked : wanted;
    recipe->minutes = ic_option_float(options, "minutes");
    if (asked > 0)
        return;
    char text[IC_TEXT_FLOAT_MAX];
    ic_log(context, IC_LOG_INFO, "%s epochs: %s", ic_text_float(epochs, 3, text),
           facts->pretrained     ? "the weights have learnt before"
           : enough              ? "more would bring little"
           : recipe->minutes > 0 ? "what fits the minutes, and will be fitted again as it goes"
                                 : "what fits ten minutes on two cores");
}

static ic_augment read_augment(const ic_options *options)
{
    return (ic_augment){
        .flip = ic_option_is(options, "flip", "on")            ? IC_FLIP_ON
                : ic_option_is(options, "flip", "alternating") ? IC_FLIP_ALTERNATING
                                                               : IC_FLIP_OFF,
        .turns = (ic_turns)choice(options, "turns", ic_turns_names),
        .shift = (int32_t)ic_option_int(options, "shift"),
        .crop_scale = (float)ic_option_float(options, "crop_scale"),
        .crop_aspect = (float)ic_option_float(options, "crop_aspect"),
        .rotation = (float)ic_option_float(options, "rotation"),
        .brightness = (float)ic_option_float(options, "brightness"),
        .contrast = (float)ic_option_float(options, "contrast"),
        .saturation = (float)ic_option_float(options, "saturation"),
        .erasing = (float)ic_option_float(options, "erasing"),
        .policy = ic_option_is(options, "policy", "trivial") ? IC_POLICY_TRIVIAL : IC_POLICY_NONE,
        .blur = (float)ic_option_float(options, "blur"),
        .noise = (float)ic_option_float(options, "noise"),
    };
}

/* Reads the pair that *at begins with, and moves on to the next one. */
static bool read_change(const char **at, ic_change *out)
{
    char pair[48];
    size_t length = strcspn(*at, ",");
    if (length >= sizeof pair)
        return false;
    memcpy(pair, *at, length);
    pair[length] = '\0';
    *at += length + ((*at)[length] == ',');
    char *colon = strchr(pair, ':');
    if (colon == NULL)
        return false;
    *colon = '\0';
    return ic_parse_int(pair, &out->at) && ic_parse_int(colon + 1, &out->steps);
}

/* "30:450,200:430": from an optimiser step on, so many steps in all. */
static ic_status read_changes(const ic_options *options, ic_training_recipe *recipe)
{
    const char *text = ic_option_text(options, "replan"), *at = text;
    ic_change last = {-1, INT64_MAX};
    if (strcmp(text, "none") == 0)
        return IC_OK;
    while (*at) {
        ic_change change;
        if (!read_change(&at, &change) || change.at <= last.at || change.at >= last.steps ||
            change.steps <= change.at || recipe->change_count == IC_CHANGES_MAX)
            return ic_fail(IC_ERROR_OPTION,
                           "option \"replan\" takes up to %d pairs STEP:STEPS, as 30:450,200:430, "
                           "not \"%.80s\"",
                           IC_CHANGES_MAX, text);
        recipe->changes[recipe->change_count++] = last = change;
    }
    return IC_OK;
}

static void choose_averaging(const ic_data_facts *facts, const ic_options *options,
                             ic_training_recipe *recipe)
{
    double steps =
        recipe->epochs * (double)facts->pictures / ((double)recipe->batch * recipe->accumulate);
    double decay = fmin(1 - 1 / (1 + ema_share * steps), most_decay);
    recipe->average = (ic_average_kind)choice(options, "average", ic_average_names);
    recipe->ema_decay = wish(options, "ema_decay", -1, decay);
}

static ic_status choose(ic_context *context, const ic_data_facts *facts, const char *network,
                        const ic_pipeline *pipeline, const ic_options *options,
                        ic_training_recipe *out)
{
    ic_training_recipe recipe = {
        .batch = choose_batch(context, facts, network, options),
        .label_smoothing = ic_option_float(options, "label_smoothing"),
        .balanced_weights = ic_option_is(options, "class_weights", "balanced"),
        .accumulate = (int32_t)ic_option_int(options, "accumulate"),
        .balanced_sampling = ic_option_is(options, "sampling", "balanced"),
        .mixup = ic_option_float(options, "mixup"),
        .cutmix = ic_option_float(options, "cutmix"),
        .mix_probability = ic_option_float(options, "mix_probability"),
        .patience = (int32_t)ic_option_int(options, "patience"),
        .augment = read_augment(options),
        .resize_from = ic_recipe_resize_from(facts, network, pipeline->width, options),
        .seed = (uint64_t)ic_option_int(options, "seed"),
        .validation_share = ic_option_float(options, "validation_share"),
        .calibrate = ic_option_is(options, "calibrate", "on"),
        .unknown = ic_option_is(options, "unknown", "on"),
        .unknown_share = ic_option_float(options, "unknown_share"),
        .cache_bytes = ic_option_int(options, "cache_mb") * 1024 * 1024,
        .memory_limit = ic_option_int(options, "memory_limit") * 1024 * 1024,
    };
    recipe.resize_to = ic_recipe_resize_to(facts, recipe.resize_from, options);
    IC_TRY(choose_rates(options, &recipe));
    IC_TRY(read_changes(options, &recipe));
    choose_epochs(context, facts, network, pipeline, options, &recipe);
    choose_optimiser(context, network, facts, options, &recipe);
    choose_averaging(facts, options, &recipe);
    choose_schedule(options, &recipe);
    *out = recipe;
    return IC_OK;
}

ic_status ic_recipe_training(ic_context *context, const ic_data_facts *facts, const char *network,
                             const ic_pipeline *pipeline, const ic_options *options,
                             ic_training_recipe *out)
{
    ic_options *chosen = NULL;
    IC_TRY(ic_options_copy(context, options, &chosen));
    double epochs = ic_option_float(options, "epochs");
    if (epochs <= 0)
        epochs = ic_recipe_epochs(facts, network, pipeline->width, pipeline->height, options);
    ic_status status = ic_presets_apply(context, facts, network, epochs, chosen);
    if (status >= 0)
        status = choose(context, facts, network, pipeline, chosen, out);
    ic_options_free(chosen);
    return status;
}

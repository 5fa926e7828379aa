/* recipe/training.c: how a network is trained on a data set. SPDX-License-Identifier: MIT */
#include "recipe/cost.h"

#include "base/options.h"
#include "base/status.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

enum {
    PHOTOGRAPH_BATCH = 32,
    TINY_BATCH = 128,
    LEAST_BATCH = 8, /* batch norm needs a few */
    MANY_EPOCHS = 15,
    TUNING_SHARE = 2,     /* weights that have learnt before need this part of the epochs */
    LEAST_STEPS_EPOCH = 8 /* small data takes smaller batches before it takes fewer steps */
};

/* Of the usual rate, for weights that have learnt before: what they know is not to be thrown over. */
static const double tuning_rate = 0.2;

static bool is(const ic_options *options, const char *name, const char *value)
{
    return strcmp(ic_option_text(options, name), value) == 0;
}

/* An option's number, or the recipe's where it is left on the value that stands for auto. */
static double wish(const ic_options *options, const char *name, double automatic, double chosen)
{
    double asked = ic_option_float(options, name);
    return asked == automatic ? chosen : asked;
}

static int32_t choose_batch(const ic_data_facts *facts, const ic_options *options)
{
    int32_t batch = ic_facts_tiny(facts) ? TINY_BATCH : PHOTOGRAPH_BATCH;
    while (batch > LEAST_BATCH && facts->pictures / batch < LEAST_STEPS_EPOCH)
        batch /= 2;
    int64_t asked = ic_option_int(options, "batch_size");
    return asked > 0 ? (int32_t)asked : batch;
}

/* The place of an option's value among names, which begin with what auto stands for. */
static int32_t choice(const ic_options *options, const char *name, const char *const *names)
{
    int32_t i = 0;
    while (names[i] && !is(options, name, names[i]))
        i++;
    return names[i] ? i : 0;
}

/* The peak that works for the batch of its network; it follows the batch (Goyal et al. 2017). */
static double rate_for(const char *network, ic_optimizer_kind optimizer, int32_t batch)
{
    if (optimizer == IC_OPTIMIZER_ADAMW)
        return 1e-3 * (batch < 64 ? 1 : 2);
    if (optimizer == IC_OPTIMIZER_MUON) /* every step has this size, whatever the gradient's */
        return 0.02 * (batch < 64 ? 1 : 2);
    if (strcmp(network, "lenet5") == 0) /* no norms: only small steps are safe */
        return 0.02 * batch / 64;
    bool for_photographs = strcmp(network, "resnet18") == 0 ||
                           strncmp(network, "mobilenet", strlen("mobilenet")) == 0 ||
                           strncmp(network, "efficientnet", strlen("efficientnet")) == 0;
    return for_photographs ? 0.05 * batch / 32 : 0.2 * batch / 128;
}

static void choose_optimiser(ic_context *context, const char *network, bool pretrained,
                             const ic_options *options, ic_training_recipe *recipe)
{
    static const double decays[] = {0.005, 0.05, 0.01};
    char rate[IC_TEXT_FLOAT_MAX], decay[IC_TEXT_FLOAT_MAX];
    int32_t batch = recipe->batch * recipe->accumulate;
    int32_t kind = choice(options, "optimizer", ic_optimizer_names);
    double tuning = pretrained ? tuning_rate : 1;
    recipe->optimizer = (ic_optimizer_kind)kind;
    recipe->learning_rate = wish(options, "learning_rate", 0,
                                 tuning * rate_for(network, recipe->optimizer, batch));
    recipe->sgd_rate =
        wish(options, "sgd_rate", 0, tuning * rate_for(network, IC_OPTIMIZER_SGD, batch));
    recipe->momentum = ic_option_float(options, "momentum");
    recipe->weight_decay = wish(options, "weight_decay", -1, decays[kind]);
    recipe->clip_norm = ic_option_float(options, "clip_norm");
    recipe->average = (ic_average_kind)choice(options, "average", ic_average_names);
    recipe->ema_decay = ic_option_float(options, "ema_decay");
    ic_log(context, IC_LOG_INFO, "%s with learning rate %s at its peak, weight decay %s, batch %d",
           ic_optimizer_names[kind], ic_text_float(recipe->learning_rate, 6, rate),
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

static int32_t choose_epochs(ic_context *context, const ic_data_facts *facts, const char *network,
                             const ic_pipeline *pipeline, const ic_options *options)
{
    int64_t asked = ic_option_int(options, "epochs");
    if (asked > 0)
        return (int32_t)asked;
    int32_t epochs = ic_recipe_epochs(facts, network, pipeline->width, pipeline->height);
    if (facts->pretrained) {
        epochs = epochs > 2 * TUNING_SHARE ? epochs / TUNING_SHARE : epochs;
        ic_log(context, IC_LOG_INFO, "%d epochs: the weights have learnt before", (int)epochs);
        return epochs;
    }
    bool enough = epochs >= ic_recipe_wanted_epochs(facts);
    ic_log(context, IC_LOG_INFO, "%d epochs: %s", (int)epochs,
           enough ? "more would bring little" : "what fits a few minutes on two cores");
    return epochs;
}

/*
 * The written rule for mirroring: colour photographs of things look as natural mirrored; digits,
 * letters, X-rays (the heart is on the left) and small grey pictures need not, so they stay as they
 * are.
 */
static ic_flip choose_flip(ic_context *context, const ic_data_facts *facts,
                           const ic_options *options)
{
    if (!is(options, "flip", "auto"))
        return is(options, "flip", "on")            ? IC_FLIP_ON
               : is(options, "flip", "alternating") ? IC_FLIP_ALTERNATING
                                                    : IC_FLIP_OFF;
    ic_log(context, IC_LOG_INFO,
           facts->grey ? "flip off: grey pictures (digits, X-rays) may not look natural mirrored"
                       : "flip on: colour pictures look as natural mirrored");
    return facts->grey ? IC_FLIP_OFF : IC_FLIP_ON;
}

static void log_augment(ic_context *context, const ic_augment *augment, bool tiny)
{
    if (!tiny)
        ic_log(context, IC_LOG_INFO, "augmentation: random crops of at least %d %% of the area, %s",
               (int)(augment->crop_scale * 100 + 0.5F),
               augment->policy == IC_POLICY_TRIVIAL ? "one trivial change"
                                                    : "brightness, contrast");
    else if (augment->shift > 0)
        ic_log(context, IC_LOG_INFO,
               "augmentation: shifts of up to %d pixels: the pictures are small",
               (int)augment->shift);
    else
        ic_log(context, IC_LOG_INFO, "augmentation off: so few epochs learn nothing by heart");
}

/*
 * Small pictures are shifted a little; photographs are seen in random crops, in changing light. A
 * policy changes the light, too, and the papers have it alone.
 */
static ic_augment choose_augment(ic_context *context, const ic_data_facts *facts,
                                 const ic_pipeline *pipeline, int32_t epochs,
                                 const ic_options *options)
{
    bool tiny = ic_facts_tiny(facts), photograph = !tiny && !facts->grey;
    double grey_shift = epochs >= MANY_EPOCHS ? 2 : 0;
    double shift = !tiny ? 0 : facts->grey ? grey_shift : pipeline->width / 8;
    double crop = tiny ? 1 : photograph ? 0.5 : 0.6;
    bool trivial = is(options, "policy", "trivial");
    double light = tiny || trivial ? 0 : photograph ? 0.3 : 0.2;
    ic_augment augment = {
        .flip = choose_flip(context, facts, options),
        .shift = (int32_t)wish(options, "shift", -1, shift),
        .crop_scale = (float)wish(options, "crop_scale", 0, crop),
        .rotation = (float)wish(options, "rotation", -1, 0),
        .brightness = (float)wish(options, "brightness", -1, light),
        .contrast = (float)wish(options, "contrast", -1, light),
        .saturation = (float)wish(options, "saturation", -1, photograph ? light : 0),
        .erasing = (float)wish(options, "erasing", -1, 0),
        .policy = trivial ? IC_POLICY_TRIVIAL : IC_POLICY_NONE,
        .blur = (float)wish(options, "blur", -1, 0),
        .noise = (float)wish(options, "noise", -1, 0),
    };
    log_augment(context, &augment, tiny);
    return augment;
}

ic_status ic_recipe_training(ic_context *context, const ic_data_facts *facts, const char *network,
                             const ic_pipeline *pipeline, const ic_options *options,
                             ic_training_recipe *out)
{
    int32_t epochs = choose_epochs(context, facts, network, pipeline, options);
    ic_training_recipe recipe = {
        .batch = choose_batch(facts, options),
        .epochs = epochs,
        .label_smoothing = ic_option_float(options, "label_smoothing"),
        .balanced_weights = is(options, "class_weights", "balanced"),
        .accumulate = (int32_t)ic_option_int(options, "accumulate"),
        .balanced_sampling = is(options, "sampling", "balanced"),
        .mixup = wish(options, "mixup", -1, 0),
        .cutmix = wish(options, "cutmix", -1, 0),
        .mix_probability = ic_option_float(options, "mix_probability"),
        .patience = (int32_t)ic_option_int(options, "patience"),
        .augment = choose_augment(context, facts, pipeline, epochs, options),
        .seed = (uint64_t)ic_option_int(options, "seed"),
        .validation_share = ic_option_float(options, "validation_share"),
        .cache_bytes = ic_option_int(options, "cache_mb") * 1024 * 1024,
        .memory_limit = ic_option_int(options, "memory_limit") * 1024 * 1024,
    };
    IC_TRY(choose_rates(options, &recipe));
    choose_optimiser(context, network, facts->pretrained, options, &recipe);
    choose_schedule(options, &recipe);
    *out = recipe;
    return IC_OK;
}

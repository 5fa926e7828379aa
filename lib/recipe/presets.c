/*
 * recipe/presets.c: the settings of each kind of training; README.md of this folder has what they
 * were measured with. SPDX-License-Identifier: MIT
 */
#include "recipe/presets.h"

#include "base/status.h"

#include <string.h>

typedef struct setting {
    const char *name, *value; /* closed by a name of NULL */
} setting;

/* Jordan 2024, arXiv:2404.00498; its decay of 0.0153 is coupled, and for a sum of losses. */
static const setting for_airbench94[] = {
    {"momentum", "0.85"},
    {"weight_decay", "0.0089"},
    {"schedule", "triangle"},
    {"average", "lookahead"},
    {"label_smoothing", "0.2"},
    {"rates", "whiten.weight=0,whiten.bias=1@3,*.norm?.weight=0,*.norm?.bias=64"},
    {"shift", "2"},
    {NULL, NULL},
};

static const setting for_adamw[] = {{"weight_decay", "0.05"}, {NULL, NULL}};
static const setting for_muon[] = {{"optimizer", "muon"}, {"weight_decay", "0.01"}, {NULL, NULL}};
static const setting for_muon_of_photographs[] = {{"average", "ema"}, {NULL, NULL}};

/* Small pictures are learnt by heart once they have been seen so often. */
static const double many_epochs = 10;
static const setting for_small_pictures[] = {{"shift", "2"}, {NULL, NULL}};

/* Photographs of things: the same thing from near and far, in another light. */
static const setting for_photographs[] = {
    {"crop_scale", "0.25"}, {"brightness", "0.3"}, {"contrast", "0.3"},
    {"saturation", "0.3"},  {NULL, NULL},
};

/* A policy changes the light itself. */
static const setting beside_a_policy[] = {
    {"brightness", "0"}, {"contrast", "0"}, {"saturation", "0"}, {NULL, NULL}};

/* X-rays and the like: nothing is turned, but how near they were taken, and how they were stretched
 * to one size, must not tell the class. */
static const setting for_grey_photographs[] = {
    {"crop_scale", "0.3"}, {"crop_aspect", "2"}, {"brightness", "0.2"},
    {"contrast", "0.2"},   {NULL, NULL},
};

/* Decay is decoupled here: 0.005 is torch's 0.0005 at this momentum. */
static const setting for_all[] = {
    {"optimizer", "sgd"},
    {"momentum", "0.9"},
    {"weight_decay", "0.005"},
    {"schedule", "one-cycle"},
    {"average", "none"},
    {"label_smoothing", "0.1"},
    {"rates", "none"},
    {"crop_scale", "1"},
    {"crop_aspect", "1.3333"},
    {"shift", "0"},
    {"rotation", "0"},
    {"brightness", "0"},
    {"contrast", "0"},
    {"saturation", "0"},
    {"erasing", "0"},
    {"policy", "none"},
    {"blur", "0"},
    {"noise", "0"},
    {"mixup", "0"},
    {"cutmix", "0"},
    {NULL, NULL},
};

static ic_status suggest(ic_options *options, const setting *settings)
{
    for (; settings->name; settings++)
        IC_TRY(ic_option_suggest(options, settings->name, settings->value));
    return IC_OK;
}

/*
 * The written rule for mirroring: colour photographs of things look as natural mirrored; digits,
 * letters, X-rays (the heart is on the left) and other grey pictures need not, so they stay as they
 * are.
 */
static ic_status suggest_flip(ic_context *context, const ic_data_facts *facts, ic_options *options)
{
    if (!ic_option_is(options, "flip", "auto"))
        return IC_OK;
    ic_log(context, IC_LOG_INFO,
           facts->grey ? "flip off: grey pictures (digits, X-rays) may not look natural mirrored"
                       : "flip on: colour pictures look as natural mirrored");
    if (facts->grey)
        return ic_option_suggest(options, "flip", "off");
    return ic_option_suggest(options, "flip", ic_facts_tiny(facts) ? "alternating" : "on");
}

static ic_status suggest_by_kind(ic_context *context, const ic_data_facts *facts, double epochs,
                                 ic_options *options)
{
    bool open = ic_option_float(options, "crop_scale") == 0;
    if (ic_facts_tiny(facts))
        return epochs >= many_epochs ? suggest(options, for_small_pictures) : IC_OK;
    if (ic_option_is(options, "policy", "trivial"))
        IC_TRY(suggest(options, beside_a_policy));
    if (open)
        ic_log(context, IC_LOG_INFO,
               facts->grey ? "augmentation: random crops of at least 30 %% of the area and "
                             "of other shapes, in other light: grey photographs"
                           : "augmentation: random crops of at least 25 %% of the area, in "
                             "other light: photographs of things");
    return suggest(options, facts->grey ? for_grey_photographs : for_photographs);
}

ic_status ic_presets_apply(ic_context *context, const ic_data_facts *facts, const char *network,
                           double epochs, ic_options *options)
{
    if (strcmp(network, "airbench94") == 0)
        IC_TRY(suggest(options, for_airbench94));
    if (ic_option_is(options, "optimizer", "adamw"))
        IC_TRY(suggest(options, for_adamw));
    if (ic_recipe_uses_muon(facts, network, options)) {
        IC_TRY(suggest(options, for_muon));
        if (!ic_facts_tiny(facts))
            IC_TRY(suggest(options, for_muon_of_photographs));
    }
    IC_TRY(suggest_flip(context, facts, options));
    IC_TRY(suggest_by_kind(context, facts, epochs, options));
    return suggest(options, for_all);
}

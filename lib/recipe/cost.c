/* recipe/cost.c: estimates of work. SPDX-License-Identifier: MIT */
#include "recipe/cost.h"

#include <math.h>
#include <string.h>

/*
 * Floating-point operations forward per pixel of the input (all these networks are convolutions, so
 * the work grows with the area), and how many a second two cores of the reference machine do in
 * training with that network.
 */
typedef struct network_cost {
    const char *network;
    double per_pixel;
    double rate;
    double muon; /* seconds that it adds to a step */
} network_cost;

static const network_cost costs[] = {
    {"lenet5", 1.1e3, 125e9, 0.001},
    {"small", 19e3, 370e9, 0.003},
    {"plain", 56e3, 355e9, 0.004},
    {"airbench94", 230e3, 380e9, 0.03},
    {"resnet9", 742e3, 455e9, 0.2},
    {"mobilenet_v2", 12e3, 97e9, 0.06},
    {"mobilenet_v3_large", 8.6e3, 100e9, 0.06},
    {"efficientnet_b0", 15.4e3, 96e9, 0.06},
    {"resnet18", 72.5e3, 300e9, 0.25},
};

enum { COSTS = sizeof costs / sizeof costs[0], LEAST_EPOCHS = 4, LEAST_RESIZED = 96 };

static const double default_budget = 600;

/* Of the work of a training on growing pictures, whatever they begin and end at. */
static const double resized_work = 0.6;

/* Of photographs, for muon: it takes as long for few pictures a step as for many. */
static const double muon_batch = 64;

/* Of the minutes: the rest is for validation, and for what comes before and behind. */
static const double time_share = 0.9;

static const network_cost *cost_of(const char *network)
{
    const network_cost *cost = &costs[COSTS - 1];
    for (int32_t i = 0; i < COSTS; i++)
        if (strcmp(costs[i].network, network) == 0)
            cost = &costs[i];
    return cost;
}

double ic_recipe_seconds(const char *network, int32_t width, int32_t height)
{
    const network_cost *cost = cost_of(network);
    /* The backward pass computes two products of the forward one's size. */
    return 3 * cost->per_pixel * width * height / cost->rate;
}

double ic_recipe_resize_from(const ic_data_facts *facts, const char *network, int32_t width,
                             const ic_options *options)
{
    double asked = ic_option_float(options, "resize_from");
    bool pools = strcmp(network, "resnet18") == 0 || strncmp(network, "mobilenet", 9) == 0 ||
                 strncmp(network, "efficientnet", 12) == 0;
    if (asked > 0)
        return asked;
    return pools && !ic_facts_tiny(facts) && width >= LEAST_RESIZED ? 0.5 : 1;
}

double ic_recipe_resize_to(const ic_data_facts *facts, double from, const ic_options *options)
{
    double asked = ic_option_float(options, "resize_to");
    return asked > 0 ? asked : from < 1 && !ic_facts_tiny(facts) ? 0.875 : 1;
}

bool ic_recipe_uses_muon(const ic_data_facts *facts, const char *network, const ic_options *options)
{
    if (!ic_option_is(options, "optimizer", "auto"))
        return ic_option_is(options, "optimizer", "muon");
    return strcmp(network, "resnet18") == 0 && !ic_facts_tiny(facts) && !facts->grey &&
           !facts->pretrained;
}

double ic_recipe_budget(const ic_data_facts *facts, const ic_options *options)
{
    double minutes = ic_option_float(options, "minutes");
    if (minutes > 0)
        return 60 * minutes * time_share / facts->slowness;
    return default_budget;
}

double ic_recipe_wanted_epochs(const ic_data_facts *facts, const ic_options *options)
{
    bool tiny = ic_facts_tiny(facts);
    double views = tiny ? 420e3 : 90e3; /* pictures seen in all */
    double least = 10, most = 120;
    double epochs = floor(views / (double)facts->pictures);
    epochs = epochs < least ? least : epochs > most ? most : epochs;
    return ic_option_float(options, "minutes") > 0 ? 2 * epochs : epochs;
}

double ic_recipe_affordable(const ic_data_facts *facts, const char *network, int32_t width,
                            int32_t height, const ic_options *options)
{
    double picture = ic_recipe_seconds(network, width, height);
    if (ic_recipe_resize_from(facts, network, width, options) < 1)
        picture *= resized_work;
    if (ic_recipe_uses_muon(facts, network, options))
        picture += cost_of(network)->muon / muon_batch;
    return ic_recipe_budget(facts, options) / (picture * (double)facts->pictures);
}

double ic_recipe_epochs(const ic_data_facts *facts, const char *network, int32_t width,
                        int32_t height, const ic_options *options)
{
    double affordable = ic_recipe_affordable(facts, network, width, height, options);
    double wanted = ic_recipe_wanted_epochs(facts, options);
    if (affordable >= wanted)
        return wanted;
    if (affordable >= LEAST_EPOCHS)
        return floor(affordable);
    /* Rather a part of an epoch than far too long. */
    return ic_option_float(options, "minutes") > 0 ? affordable : LEAST_EPOCHS;
}

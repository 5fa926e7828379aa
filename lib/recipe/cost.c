/* recipe/cost.c: estimates of work. SPDX-License-Identifier: MIT */
#include "recipe/cost.h"

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
} network_cost;

static const network_cost costs[] = {
    {"airbench94", 230e3, 250e9},
    {"lenet5", 1.1e3, 60e9},
    {"small", 19e3, 330e9},
    {"plain", 56e3, 190e9},
    {"resnet9", 742e3, 250e9},
    {"mobilenet_v2", 12e3, 60e9},
    {"mobilenet_v3_large", 8.6e3, 55e9},
    {"efficientnet_b0", 15.4e3, 55e9},
    {"resnet18", 72.5e3, 250e9},
};

enum { COSTS = sizeof costs / sizeof costs[0], LEAST_EPOCHS = 4 };

double ic_recipe_seconds(const char *network, int32_t width, int32_t height)
{
    const network_cost *cost = &costs[COSTS - 1];
    for (int32_t i = 0; i < COSTS; i++)
        if (strcmp(costs[i].network, network) == 0)
            cost = &costs[i];
    /* The backward pass computes two products of the forward one's size. */
    return 3 * cost->per_pixel * width * height / cost->rate;
}

double ic_recipe_budget(const ic_data_facts *facts)
{
    return ic_facts_tiny(facts) && facts->grey ? 70 : 240;
}

int32_t ic_recipe_wanted_epochs(const ic_data_facts *facts)
{
    bool tiny = ic_facts_tiny(facts);
    double views = tiny ? 420e3 : 30e3; /* pictures seen in all */
    double least = 6, most = tiny ? 100 : 60;
    double epochs = views / (double)facts->pictures;
    return (int32_t)(epochs < least ? least : epochs > most ? most : epochs);
}

int32_t ic_recipe_epochs(const ic_data_facts *facts, const char *network, int32_t width,
                         int32_t height)
{
    double epoch = ic_recipe_seconds(network, width, height) * (double)facts->pictures;
    double affordable = ic_recipe_budget(facts) / epoch;
    int32_t wanted = ic_recipe_wanted_epochs(facts);
    if (affordable >= wanted)
        return wanted;
    return affordable > LEAST_EPOCHS ? (int32_t)affordable : LEAST_EPOCHS;
}

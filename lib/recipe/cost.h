/* recipe/cost.h: how much work a training is, and how much is wanted. SPDX-License-Identifier: MIT
 */
#ifndef RECIPE_COST_H
#define RECIPE_COST_H

#include "base/options.h"
#include "recipe/recipe.h"

/* Pictures up to this side (MNIST, CIFAR) are learnt at their own size; larger ones count as
 * photographs. */
enum { IC_TINY_SIDE = 36 };

static inline int32_t ic_facts_side(const ic_data_facts *facts)
{
    return facts->median_width < facts->median_height ? facts->median_width : facts->median_height;
}

static inline bool ic_facts_tiny(const ic_data_facts *facts)
{
    return ic_facts_side(facts) <= IC_TINY_SIDE;
}

/* X-rays and the like. */
static inline bool ic_facts_grey_photographs(const ic_data_facts *facts)
{
    return facts->grey && !ic_facts_tiny(facts);
}

/*
 * Estimated seconds of training on one picture, forward, backward and update, on two cores of the
 * reference machine of lib/recipe/README.md. An unknown network counts as a resnet18. A function of
 * its arguments alone: the same data gives the same recipe on every machine.
 */
double ic_recipe_seconds(const char *network, int32_t width, int32_t height);

/*
 * The share of the input's sides that a training begins at: what the option says, or half of them
 * for photographs, where the network can; 1: all.
 */
double ic_recipe_resize_from(const ic_data_facts *facts, const char *network, int32_t width,
                             const ic_options *options);

/* The share that it ends at, when it began at `from`: 7/8 for photographs that grow. */
double ic_recipe_resize_to(const ic_data_facts *facts, double from, const ic_options *options);

/* Whether muon trains: as the option says, or where it pays for its time: on colour photographs. */
bool ic_recipe_uses_muon(const ic_data_facts *facts, const char *network,
                         const ic_options *options);

/* Seconds of the reference machine that a training may take: those of the option "minutes", or
 * without it a few minutes. */
double ic_recipe_budget(const ic_data_facts *facts, const ic_options *options);

/* Epochs after which more of them bring little; longer minutes want more. */
double ic_recipe_wanted_epochs(const ic_data_facts *facts, const ic_options *options);

/* Epochs that the budget pays for. */
double ic_recipe_affordable(const ic_data_facts *facts, const char *network, int32_t width,
                            int32_t height, const ic_options *options);

/* As many of the wanted epochs as fit the budget, but a few in any case. */
double ic_recipe_epochs(const ic_data_facts *facts, const char *network, int32_t width,
                        int32_t height, const ic_options *options);

#endif

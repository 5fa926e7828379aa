/* recipe/presets.h: settings that go together, by the names of their options. Inside of this folder
 * only. SPDX-License-Identifier: MIT */
#ifndef RECIPE_PRESETS_H
#define RECIPE_PRESETS_H

#include "recipe/cost.h"

#include "base/options.h"

/*
 * Fills what the caller left open: first by the network, then by the kind of pictures, then what is
 * good for all. Settings that follow from numbers (epochs, batch, learning rate) are training.c's.
 */
ic_status ic_presets_apply(ic_context *context, const ic_data_facts *facts, const char *network,
                           double epochs, ic_options *options);

#endif

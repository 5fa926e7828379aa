/* cli/model.h: models and classes that the command line names. SPDX-License-Identifier: MIT */
#ifndef CLI_MODEL_H
#define CLI_MODEL_H

#include "arguments.h"

/*
 * Loads a model, or says what is wrong and what a model is. `other` (NULL: none) is an argument
 * that should not be a model: where it is one and path is not, the two are the wrong way round.
 * Returns the exit code.
 */
int cli_load_model(ic_context *context, const char *path, const char *other, ic_model **model);

/* The class of this name, or -1. */
int32_t cli_find_class(const ic_model *model, const char *name);

/* "the model has no class Daisy; did you mean daisy?", or else which it has, after what begins the
 * message; returns EXIT_FAILED. */
int cli_no_class(const char *start, const ic_model *model, const char *name);

#endif

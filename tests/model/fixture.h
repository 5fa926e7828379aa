/* model/fixture.h: small models and pictures for the tests of this room. SPDX-License-Identifier:
 * MIT */
#ifndef TESTS_MODEL_FIXTURE_H
#define TESTS_MODEL_FIXTURE_H

#include "support/support.h"

#include "model/model.h"

#include <imgcls/prediction.h>

/*
 * A model with fresh weights, without a data set: one of the zoo by name, or "tiny": 5x4x1 pixels,
 * a convolution, a norm, two classes; a file of 4 KB. The classes are "class 0" and so on.
 */
ic_status fixture_model(ic_context *context, const char *network, int32_t side, int32_t channels,
                        int32_t classes, uint64_t seed, ic_model **out);

/* The same, failing the test when it cannot be made. */
ic_model *fixture_make(ic_context *context, const char *network, int32_t side, int32_t channels,
                       int32_t classes, uint64_t seed);

/* A picture of coloured noise. */
ic_image *fixture_image(ic_context *context, int32_t width, int32_t height, uint64_t seed);

/*
 * Gives a model a temperature and a score for unknown pictures, fitted on FIXTURE_TRAINING and
 * FIXTURE_VALIDATION pictures of noise, in batches of so many.
 */
enum { FIXTURE_TRAINING = 40, FIXTURE_VALIDATION = 60 };
void fixture_trust(ic_model *model, int32_t batch);

/* The file's bytes, to be freed by ic_buffer_free. */
ic_buffer fixture_bytes(const ic_model *model);

#endif

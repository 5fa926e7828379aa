/* train/shapes.h: small made-up pictures that a network learns in a second.
 * SPDX-License-Identifier: MIT */
#ifndef TESTS_TRAIN_SHAPES_H
#define TESTS_TRAIN_SHAPES_H

#include "support/support.h"

#include <imgcls/imgcls.h>

enum { SHAPE_SIDE = 20, SHAPE_CLASSES = 3 };

/* A noisy square, cross or set of stripes (class 0, 1, 2), number `index` of its kind. */
ic_image *shape_image(ic_context *context, int32_t shape, uint64_t index, int32_t side);

/* `each` pictures of each class, from number `first` on; status as a data set gives it. */
ic_status shapes_dataset(ic_context *context, int64_t first, int64_t each, ic_dataset **out);

/* Options from pairs of name and value, ended by NULL. */
ic_options *shapes_options(ic_context *context, const char *const *pairs);

/* A whole training on shapes. */
typedef struct training {
    ic_context *context;
    ic_dataset *data;
    ic_model *model;
    ic_trainer *trainer;
} training;

/* In a context, with `each` pictures of each class: what ic_trainer_create says. */
ic_status training_try(ic_context *context, int64_t each, const char *const *pairs, training *out);

/* With 40 of each, in a context of its own. */
training training_begin(int32_t threads, const char *const *pairs);
void training_end(training *made);

/* The bytes of the model file (to be freed). */
unsigned char *saved_model(const ic_model *model, size_t *size);
void assert_same_model(const ic_model *a, const ic_model *b);

#endif

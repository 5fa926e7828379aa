/* dataset/dataset.h: the inside of a data set, for loader, recipe, training and evaluation.
 * SPDX-License-Identifier: MIT */
#ifndef DATASET_DATASET_H
#define DATASET_DATASET_H

#include "base/hash.h"
#include "image/image.h"

#include <imgcls/dataset.h>

/* Which part of the data a picture was declared to belong to. */
typedef enum ic_part { IC_PART_NONE, IC_PART_TRAIN, IC_PART_VALIDATION, IC_PART_TEST } ic_part;

/* One sound picture. */
typedef struct ic_item {
    const char *origin; /* as ic_dataset_item gives it */
    int32_t class_index;
    ic_part part;
    int32_t width, height, channels, depth; /* of the decoded picture, upright */
    ic_format format;                       /* of the file; unknown: raw samples */
    uint64_t group; /* pictures of one number stay on one side of a split; 0: in none */
    unsigned char digest[IC_SHA256_BYTES]; /* of the encoded file, or of raw samples */
} ic_item;

const ic_item *ic_dataset_at(const ic_dataset *dataset, int64_t index);

/* A number of the picture that parts of a set share and that stays the same for the set's life: a
 * key for caches. */
int64_t ic_dataset_key(const ic_dataset *dataset, int64_t index);

ic_dataset *ic_dataset_retain(ic_dataset *dataset);
ic_context *ic_dataset_context(const ic_dataset *dataset);

/*
 * A picture, decoded as the options say (NULL: in full; those that the source holds as raw samples
 * are as they are). Thread-safe; release it with ic_image_free.
 */
ic_status ic_dataset_decode(const ic_dataset *dataset, int64_t index,
                            const ic_decode_options *options, ic_image **out);

/* The same for a function of the API: arguments are checked, and errors name the picture. */
ic_status ic_dataset_give(const ic_dataset *dataset, int64_t index,
                          const ic_decode_options *options, const char *function, ic_image **out);

/* A set of the pictures for which keep(payload, index) is true, sharing everything with its parent.
 */
ic_status ic_dataset_select(const ic_dataset *dataset, bool (*keep)(void *payload, int64_t index),
                            void *payload, ic_dataset **out);

/* The same of all pictures that are not of a part. */
ic_status ic_dataset_without(const ic_dataset *dataset, ic_part part, ic_dataset **out);

/* Whether any picture is of a part. */
bool ic_dataset_declares(const ic_dataset *dataset, ic_part part);

/* Whether both are parts of one data set, so that keys and indices of classes mean the same in
 * both. */
bool ic_dataset_is_kin(const ic_dataset *a, const ic_dataset *b);

/*
 * The pictures of two parts of one data set, each once, and what was set aside in either.
 * IC_ERROR_ARGUMENT: they are not kin.
 */
ic_status ic_dataset_join(const ic_dataset *a, const ic_dataset *b, ic_dataset **out);

/*
 * A hash of the (class name, picture digest) pairs in no order: the same pictures in the same
 * classes give the same, wherever they lie.
 */
void ic_dataset_digest(const ic_dataset *dataset, unsigned char digest[IC_SHA256_BYTES]);

/* The digest that a set of the pictures of both would have; for sets that need not be kin. */
void ic_dataset_digest_both(const ic_dataset *a, const ic_dataset *b,
                            unsigned char digest[IC_SHA256_BYTES]);

/* How pictures were put into groups, the option group as it was set; "given": by
 * ic_dataset_set_group; NULL: not at all. */
const char *ic_dataset_grouping(const ic_dataset *dataset);

/*
 * The side of a picture in a split, a function of (digest, class, seed) alone as in
 * ic_dataset_split; so a held-out part can be found again from the data set, the seed and the
 * share (0: what suits the number of pictures). Returns the two parts of exactly `dataset`
 * (declared parts are not looked at).
 */
ic_status ic_dataset_split_by(const ic_dataset *dataset, uint64_t seed, double validation_share,
                              ic_dataset **train, ic_dataset **validation);

#endif

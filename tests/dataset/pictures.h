/* dataset/pictures.h: small data sets made by tests. SPDX-License-Identifier: MIT */
#ifndef DATASET_PICTURES_H
#define DATASET_PICTURES_H

#include "support/support.h"

#include "dataset/dataset.h"

/* Makes a folder, and those above it, in a folder of the test; returns its path as test_path does.
 */
const char *make_folder(const char *root, const char *name);

/* A colour picture of noise that depends on seed alone; equal seeds, equal bytes. */
ic_image *make_image(ic_context *context, int32_t width, int32_t height, uint32_t seed);

/* Saves such a picture as PNG, 8 x 6 pixels; the folder it lies in is made. */
void make_picture(const char *root, const char *name, uint32_t seed);

/* Folders class0 … of `count` pictures each. */
void make_classes(const char *root, int32_t classes, int32_t count);

/* The origin of a picture, and the name of its class; fails the test when there is no such picture.
 */
const char *origin_of(const ic_dataset *dataset, int64_t index);
const char *class_of(const ic_dataset *dataset, int64_t index);

/* Pictures of a class by its name; -1 when there is no such class. */
int64_t count_of(const ic_dataset *dataset, const char *class_name);

/* Pictures of a part; 0 when there is no such part. */
int64_t count_in_part(const ic_dataset *dataset, const char *name);

#endif

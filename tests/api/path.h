/*
 * api/path.h: a small data set on the disk and the way from there to a prediction, through the
 * public API alone. SPDX-License-Identifier: MIT
 */
#ifndef API_PATH_H
#define API_PATH_H

#include <imgcls/imgcls.h>

/* Writes `count` PNG pictures, alternately of class "dark" and "light", under folder; the first is
 * broken. */
void path_write_pictures(const char *folder, int32_t count);

/* A 28x28 picture of a class: no two seeds give the same. */
ic_status path_picture(ic_context *context, int32_t light, uint32_t seed, ic_image **out);

/* Opens, splits, creates a lenet5, trains one epoch; any output may be NULL. */
ic_status path_train(ic_context *context, const char *folder, ic_model **out);

/* All of it: train, evaluate, save, load, predict, plot; files go to folder. */
ic_status path_whole(ic_context *context, const char *folder);

#endif

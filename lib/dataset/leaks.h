/*
 * dataset/leaks.h: pictures of the training among those that are to measure it.
 * SPDX-License-Identifier: MIT
 */
#ifndef DATASET_LEAKS_H
#define DATASET_LEAKS_H

#include "dataset/duplicates.h"

/* What was found about the pictures of one part that measures. */
typedef struct ic_leak {
    int64_t pictures;      /* of the part */
    int64_t exact, near;   /* of these: the same bytes or pixels, or another form, is trained on */
    int64_t groups;        /* groups with pictures here and in training */
    int64_t here, trained; /* the first such picture, and one that it was found by; -1: none */
} ic_leak;

/* The part of each picture: of unsplit data all is for training. */
typedef ic_part (*ic_part_fn)(const ic_pictures *pictures, int64_t index);

/* Leaks of the parts IC_PART_VALIDATION and IC_PART_TEST, leaks[part]; duplicates as found. */
ic_status ic_leaks_find(const ic_pictures *pictures, ic_part_fn part,
                        const ic_duplicates *duplicates, ic_leak leaks[IC_PART_TEST + 1]);

/*
 * Warns in the log where a training and those that measure it share pictures or groups: training
 * set, validation set (may be NULL), and the test part that the data of the
 * training set declares. near: also looks for near duplicates, unless the three together have more
 * than IC_LEAKS_NEAR_MOST pictures: up to there it takes a few per cent of a short training.
 */
enum { IC_LEAKS_NEAR_MOST = 10000 };
ic_status ic_leaks_warn(const ic_dataset *train, const ic_dataset *validation, bool near);

#endif

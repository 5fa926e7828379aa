/*
 * dataset/loader.h: batches of tensors in a fixed order, decoded and augmented ahead on the pool.
 * SPDX-License-Identifier: MIT
 */
#ifndef DATASET_LOADER_H
#define DATASET_LOADER_H

#include "dataset/dataset.h"
#include "preprocess/pipeline.h"

/* The canvas of one picture, made anew; release it with ic_image_free. Thread-safe. */
ic_status ic_dataset_canvas(const ic_dataset *dataset, int64_t index, const ic_pipeline *pipeline,
                            ic_image **out);

/*
 * Canvases in memory up to a limit, by picture key; shared by the loaders of one training.
 * Thread-safe. Those that come first stay (no eviction: an epoch touches each once, so evicting
 * would always throw out the next one needed). Where memory ends before the limit, it is the limit.
 */
typedef struct ic_cache ic_cache;
ic_status ic_cache_create(ic_context *context, int64_t bytes, ic_cache **out);
void ic_cache_free(ic_cache *cache);

typedef struct ic_loader_options {
    ic_pipeline pipeline;
    ic_augment augment;
    bool training;  /* shuffled and augmented, last short batch dropped; else in order, all of it */
    bool augmented; /* evaluation, but augmented, too: in one way for all epochs */
    bool balanced;  /* training: an epoch shows all classes equally often, and is as long as ever */
    int32_t batch;  /* training: at most the number of pictures */
    uint64_t seed;
    ic_cache *cache;          /* NULL: none */
    const int32_t *class_map; /* class of the set -> label; NULL: the same; kept by the caller */
} ic_loader_options;

typedef struct ic_loader ic_loader;

typedef struct ic_batch {
    const float *tensors;   /* [count][h][w][c], of the pipeline's size or where they are augmented
                               of the augmentation's; valid until the next call */
    const int32_t *labels;  /* [count] */
    const int64_t *indices; /* [count] into the data set */
    int32_t count;
} ic_batch;

ic_status ic_loader_create(ic_context *context, const ic_dataset *dataset,
                           const ic_loader_options *options, ic_loader **out);
void ic_loader_free(ic_loader *loader);

/* Batches an epoch. */
int64_t ic_loader_batches(const ic_loader *loader);

/*
 * Goes to batch `batch` of epoch `epoch` (both from 0): order, augmentation and dropout of pictures
 * are functions of (seed, epoch), so any place can be gone to, for resuming. Prefetch starts over
 * from there.
 */
ic_status ic_loader_seek(ic_loader *loader, int64_t epoch, int64_t batch);

/*
 * The next batch; after the last of an epoch comes the first of the next. Prefetches the following
 * one(s) on the pool. A picture that cannot be read any more is an error that names it.
 */
ic_status ic_loader_next(ic_loader *loader, ic_batch *out);

/*
 * Mean and deviation of samples in 0..1 per channel over the canvases of (at most `most`, evenly
 * chosen) pictures, in parallel on the pool with a fixed order of sums; fills pipeline->mean and
 * deviation (deviation at least 1/255).
 */
ic_status ic_loader_measure(ic_context *context, const ic_dataset *dataset, int64_t most,
                            ic_cache *cache, ic_pipeline *pipeline);

/*
 * The filters of a whitening layer, [2 patch][channels][size][size] with patch = channels size size
 * of at most IC_WHITEN_PATCH_MAX: the eigenvectors of the products of the patches of the (at most
 * `most`) pictures as the network sees them, each over its root mean square, and their negatives
 * (Jordan 2024, arXiv:2404.00498).
 */
enum { IC_WHITEN_PATCH_MAX = 12 };
ic_status ic_loader_whiten(ic_context *context, const ic_dataset *dataset, int64_t most,
                           const ic_pipeline *pipeline, int32_t size, float *filters);

#endif

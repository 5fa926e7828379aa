/* imgcls/neighbours.h: pictures that a network sees alike. SPDX-License-Identifier: MIT */
#ifndef IMGCLS_NEIGHBOURS_H
#define IMGCLS_NEIGHBOURS_H

#include <imgcls/dataset.h>
#include <imgcls/model.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The pictures of a data set by what a model finds in them. Belongs to one thread at a time. */
typedef struct ic_neighbours ic_neighbours;

/*
 * Looks at every picture of a data set (the training part, to see what a model may have learnt a
 * decision from) and keeps its features: what the last layer of the network weighs, at length 1;
 * four bytes for each feature of each picture. Pictures that cannot be read are left out. Reports
 * progress ("neighbours") and can be cancelled; the same bits for any number of threads. Keeps the
 * data set, and the weights that the model has now; release it with ic_neighbours_free.
 * IC_ERROR_UNSUPPORTED: the network does not end with a linear layer; IC_ERROR_DATA: no picture can
 * be read.
 */
IC_API ic_status ic_neighbours_create(const ic_model *model, const ic_dataset *dataset,
                                      ic_neighbours **out);

/* Frees it; NULL does nothing. */
IC_API void ic_neighbours_free(ic_neighbours *neighbours);

/*
 * The pictures most alike, the first one first: at most `most` indices into the data set, and the
 * cosine of the angle between their features and the picture's (1: the same); *found says how many
 * there are. Both arrays and found may be NULL. Files: ic_model_load_image. IC_ERROR_ARGUMENT: most
 * is less than 1; IC_ERROR_DIVERGED: the network's output is not finite.
 */
IC_API ic_status ic_neighbours_find(ic_neighbours *neighbours, const ic_image *image, int32_t most,
                                    int64_t *indices, float *similarities, int32_t *found);

#ifdef __cplusplus
}
#endif

#endif

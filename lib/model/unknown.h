/*
 * model/unknown.h: how unlike the training pictures a picture is. SPDX-License-Identifier: MIT
 *
 * Three signs, each in deviations from what it is on validation pictures:
 *
 *   the network hardly responds: minus the mean, over the taps of ic_graph_tap, of the logarithm of
 *     the mean response (strangers have little of what the network has learnt to look for)
 *   the detail is odd: the logarithm of the squared Mahalanobis distance (Mahalanobis 1936) of the
 *     texture (texture.h) from the textures of the training pictures; it counts half
 *   no class is near: minus the logarithm of the sum of the exponentials of the logits, the energy
 *     of Liu et al. 2020 (arXiv:2010.03759); it counts half, too
 *
 * The score is their sum, where none counts less than -1, so that no sign can make up for another.
 * tests/bench/README.md has the others that were tried: distances in the space of the features do
 * not tell strangers apart where the training pictures differ much among themselves.
 */
#ifndef MODEL_UNKNOWN_H
#define MODEL_UNKNOWN_H

#include "base/json.h"
#include "graph/graph.h"
#include "model/texture.h"

enum { IC_SIGNS = 3, IC_UNKNOWN_FACTORS = IC_TEXTURE_MAX * (IC_TEXTURE_MAX + 1) / 2 };

/* Plain data. */
typedef struct ic_unknown {
    int32_t count; /* numbers of a texture */
    double mean[IC_TEXTURE_MAX], deviation[IC_TEXTURE_MAX];
    double factor[IC_UNKNOWN_FACTORS]; /* Cholesky's of their correlations, row by row */
    double centre[IC_SIGNS], spread[IC_SIGNS];
    double share, threshold; /* of the validation pictures, this share scores higher than that */
} ic_unknown;

/* The means and correlations of `pictures` (at least 1) textures, [pictures][out->count]; the
 * numbers are whole hundred-thousandths, as files have them. */
void ic_unknown_fit(ic_unknown *out, const double *textures, int64_t pictures);

/* The signs as they are, of a picture by its texture and the outputs of a tapped graph. */
void ic_unknown_signs(const ic_unknown *unknown, const double *texture, const float *outputs,
                      int32_t classes, const ic_taps *taps, double signs[IC_SIGNS]);

/* Sets what signs usually are, and the threshold; `scores` is scratch for `pictures` (at least 1)
 * numbers. */
void ic_unknown_calibrate(ic_unknown *unknown, const double (*signs)[IC_SIGNS], int64_t pictures,
                          double share, double *scores);

double ic_unknown_score(const ic_unknown *unknown, const double signs[IC_SIGNS]);

/* For the model file, and back from there for textures of `count` numbers, with all checks. */
ic_status ic_unknown_to_json(const ic_unknown *unknown, json_t **out);
ic_status ic_unknown_from_json(const json_t *json, int32_t count, ic_unknown *out);

#endif

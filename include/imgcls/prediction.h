/* imgcls/prediction.h: what a model says about pictures. SPDX-License-Identifier: MIT */
#ifndef IMGCLS_PREDICTION_H
#define IMGCLS_PREDICTION_H

#include <imgcls/image.h>
#include <imgcls/model.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The workspace and the results of one predicting thread, to be used again and again: after the
 * first call with a model (and batch size) a prediction of pictures that are no larger allocates
 * nothing.
 */
typedef struct ic_prediction ic_prediction;

/* Makes one; release it with ic_prediction_free. */
IC_API ic_status ic_prediction_create(ic_context *context, ic_prediction **out);

/* Frees it; NULL does nothing. */
IC_API void ic_prediction_free(ic_prediction *prediction);

/*
 * How many views of each picture are averaged from now on (their logits); more of them err a little
 * less, and take as many times as long. 1, at first: the picture as it is; 2: and its mirror image;
 * 6: these two, and both shifted by a pixel, up and left, and down and right, which count half as
 * much. Mirror images are left out where the training of the model mirrored no pictures.
 * IC_ERROR_ARGUMENT: another number.
 */
IC_API ic_status ic_prediction_set_views(ic_prediction *prediction, int32_t views);

/*
 * Classifies one picture, of any size and source (files: ic_model_load_image). Many threads may do
 * so with one model, each with its own prediction; model and prediction must be of one context. On
 * an error the result from before stands. IC_ERROR_DIVERGED: the network's output is not finite, so
 * there are no probabilities. These are calibrated where the training could do so (the option
 * "calibrate").
 */
IC_API ic_status ic_predict(const ic_model *model, const ic_image *image,
                            ic_prediction *prediction);

/* Classifies count (at least 1) pictures; each gets the very bits that ic_predict gives it. */
IC_API ic_status ic_predict_batch(const ic_model *model, const ic_image *const *images,
                                  int32_t count, ic_prediction *prediction);

/*
 * Classifies pictures with several models (at least 1) of the same classes together, an ensemble:
 * probabilities are the means over the models, classes, matched by name, in the order of the first
 * one. So are the scores for unknown pictures and their thresholds, where all models have them.
 * IC_ERROR_ARGUMENT: a model with other classes.
 */
IC_API ic_status ic_predict_ensemble(const ic_model *const *models, int32_t model_count,
                                     const ic_image *const *images, int32_t count,
                                     ic_prediction *prediction);

/* The number of pictures in the last result; 0 before the first. */
IC_API int32_t ic_prediction_count(const ic_prediction *prediction);

/*
 * The class at a rank (0: the most probable) of the first picture, and its probability (0..1).
 * Any output may be NULL. IC_ERROR_STATE: nothing has been predicted yet; IC_ERROR_ARGUMENT: no
 * such rank.
 */
IC_API ic_status ic_prediction_class(const ic_prediction *prediction, int32_t rank,
                                     int32_t *class_index, float *probability);

/* The same for one picture (from 0) of a batch. */
IC_API ic_status ic_prediction_batch_class(const ic_prediction *prediction, int32_t picture,
                                           int32_t rank, int32_t *class_index,
                                           float *probability);

/*
 * Borrows the probabilities of one picture in the order of the classes, until the next predict. Any
 * output may be NULL.
 */
IC_API ic_status ic_prediction_probabilities(const ic_prediction *prediction, int32_t picture,
                                             const float **probabilities, int32_t *count);

/*
 * How unlike the pictures that the model was trained on one picture is: a number without unit,
 * mostly about -1 to 3 for pictures of their kind. With a score above the threshold it is most
 * likely of none of the classes, whatever the probabilities say: of the training's validation
 * pictures the share "unknown_share" (an option) has such scores. Looked at is the picture as it
 * is, not its other views. Any output may be NULL. IC_ERROR_STATE: the model knows no threshold
 * (trained with "unknown" off, with too few validation pictures, or not to the end).
 */
IC_API ic_status ic_prediction_unknown(const ic_prediction *prediction, int32_t picture,
                                       float *score, float *threshold);

/*
 * How far opinions about one picture are apart, as an uncertainty: the standard deviation of the
 * probability of its first class over the models of an ensemble, or of a single model over the
 * views of the picture, each weighted as it counts; 0 with one model and one view.
 */
IC_API ic_status ic_prediction_spread(const ic_prediction *prediction, int32_t picture,
                                      float *spread);

#ifdef __cplusplus
}
#endif

#endif

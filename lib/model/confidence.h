/*
 * model/confidence.h: what a model knows about its own answers: how sure to be, and which pictures
 * are none of its business. SPDX-License-Identifier: MIT
 */
#ifndef MODEL_CONFIDENCE_H
#define MODEL_CONFIDENCE_H

#include "dataset/loader.h"
#include "graph/executor.h"
#include "model/unknown.h"

#include <stdatomic.h>

/* Immutable, counted: it belongs to the weights that it was fitted for. */
typedef struct ic_confidence {
    atomic_int references;
    ic_context *context;
    int64_t pictures;                 /* of the validation, that it was fitted on */
    double temperature;               /* logits are divided by it */
    bool calibrated;                  /* else the temperature is 1 */
    double error_before, error_after; /* expected calibration error of the validation, with it */
    ic_graph *tapped;                 /* the model's; NULL: nothing is known about strangers */
    ic_taps taps;
    ic_unknown unknown;
} ic_confidence;

ic_confidence *ic_confidence_retain(ic_confidence *confidence); /* NULL too, as below */
void ic_confidence_free(ic_confidence *confidence);

/* For the model file; and back from there for the model that the file holds, with all checks. */
ic_status ic_confidence_to_json(const ic_confidence *confidence, json_t **out);
ic_status ic_confidence_from_json(const json_t *json, const ic_graph *graph,
                                  const ic_pipeline *pipeline, ic_context *context,
                                  ic_confidence **out);

/* The same without the numbers that only machines read, set in an object under "confidence". */
ic_status ic_confidence_describe(const ic_confidence *confidence, json_t *object);

/* ---- Fitting ---- */

/* With fewer validation pictures there is nothing to be fitted: a twentieth of them is not three.
 */
enum { IC_FITTING_LEAST = 50 };

typedef struct ic_fitting_options {
    bool calibrate, unknown;
    double share;                 /* of the validation pictures to take for strangers */
    int64_t training, validation; /* how many pictures will be shown; training: if `unknown` */
    int32_t further_looks;        /* how often the validation pictures come again, reframed */
    int32_t batch;                /* at most at once */
    ic_executor *host;            /* one of that batch, whose memory may be used; NULL: none */
} ic_fitting_options;

typedef struct ic_fitting ic_fitting;

/* Keeps references on the graph and the weights. IC_ERROR_UNSUPPORTED: the network or its pictures
 * have not what `unknown` needs (see ic_fitting_can). */
ic_status ic_fitting_create(ic_context *context, const ic_graph *graph, const ic_pipeline *pipeline,
                            ic_weights *weights, const ic_fitting_options *options,
                            ic_fitting **out);
void ic_fitting_free(ic_fitting *fitting);

/* Whether strangers can be told for a network: it ends with a linear layer, and its pictures are
 * large enough to have a texture. */
bool ic_fitting_can(const ic_graph *graph, const ic_pipeline *pipeline);

/*
 * All training pictures, as a prediction sees them; then all validation pictures, seen so, too;
 * then these in the same order again for every further look, which is for the temperature:
 * reframed, that is as a training crops, turns and lights its pictures.
 */
ic_status ic_fitting_train(ic_fitting *fitting, const ic_batch *batch);
ic_status ic_fitting_validate(ic_fitting *fitting, const ic_batch *batch);

/* What came out of it; says so in the log. */
ic_status ic_fitting_finish(ic_fitting *fitting, ic_confidence **out);

#endif

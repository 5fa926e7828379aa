/*
 * model/prediction.h: what lies behind an ic_prediction: the memory that classifying pictures
 * takes, and its results. Inside of this folder only. SPDX-License-Identifier: MIT
 */
#ifndef MODEL_PREDICTION_H
#define MODEL_PREDICTION_H

#include "model/model.h"
#include "model/views.h"

#include <imgcls/prediction.h>

/*
 * Executors are made for one picture or for IC_PREDICTION_BATCH; larger batches go through in
 * parts, so that memory stays bounded. IC_PREDICTION_EXECUTORS of them are kept, so that a few
 * models can be used in turn.
 */
enum { IC_PREDICTION_BATCH = 16, IC_PREDICTION_EXECUTORS = 4 };

typedef struct ic_kept_executor {
    ic_executor *executor; /* NULL: free */
    ic_graph *graph;
    uint64_t used; /* when, by the prediction's clock */
} ic_kept_executor;

/* What is said of a picture beside its classes. */
typedef struct ic_note {
    float score; /* how unlike the training pictures it is */
    float spread;
} ic_note;

typedef struct ic_result {
    int32_t count, classes;
    float *probabilities; /* [count][classes] */
    int32_t *ranking;     /* [count][classes]: classes by falling probability */
    ic_note *notes;       /* [count] */
    bool scored;          /* the notes have scores, */
    float threshold;      /* beyond which pictures are unknown */
    size_t probability_capacity, ranking_capacity, note_capacity;
} ic_result;

/* Sums over the members of an ensemble, for each class of each picture. */
typedef struct ic_member_sums {
    double probability, square;
} ic_member_sums;

struct ic_prediction {
    ic_context *context;
    ic_pool *pool;
    ic_pipeline_workspace **workspaces; /* one for each worker of the pool */
    int32_t worker_count;
    ic_kept_executor kept[IC_PREDICTION_EXECUTORS];
    uint64_t clock;
    int32_t view_count; /* as asked for */
    ic_views views;
    double textures[IC_PREDICTION_BATCH][IC_TEXTURE_MAX]; /* of the part in hand */
    float *scratch; /* of each worker, for textures; and for the probabilities of a view */
    size_t scratch_capacity;
    ic_result results[2]; /* the last good one, and the one that is being made */
    int32_t current;
    ic_result member; /* of an ensemble */
    ic_member_sums *sums;
    int32_t *map; /* class of the member -> of the first one */
    size_t sum_capacity, map_capacity;
};

/* predict.c: frees an executor that is kept. */
void ic_prediction_drop(ic_kept_executor *kept);

/* Room for the answers to so many pictures; and its end. */
ic_status ic_result_make_room(ic_context *context, int32_t count, int32_t classes, ic_result *made);

/* The same for later: what it holds stays. */
ic_status ic_result_reserve(ic_context *context, int32_t count, int32_t classes, ic_result *made);
void ic_result_free(ic_context *context, const ic_result *made);

/* Refuses a call without a picture, or with one that is NULL. */
ic_status ic_check_images(const ic_image *const *images, int32_t count, const char *caller);

/* All that one model says of the pictures, but for the ranking. */
ic_status ic_prediction_run(const ic_model *model, const ic_image *const *images, int32_t count,
                            ic_prediction *prediction, ic_result *made);

/* Ranks the classes, and makes the result the last good one. */
void ic_prediction_finish(ic_prediction *prediction, ic_result *made);

#endif

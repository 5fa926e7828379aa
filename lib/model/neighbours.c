/* model/neighbours.c: pictures by the angle between their features. SPDX-License-Identifier: MIT */
#include "base/memory.h"
#include "base/status.h"
#include "dataset/loader.h"
#include "model/model.h"

#include <imgcls/neighbours.h>
#include <math.h>
#include <string.h>

enum { BATCH = 16 };

struct ic_neighbours {
    ic_context *context;
    ic_pool *pool;
    ic_dataset *dataset;
    ic_pipeline pipeline;
    ic_weights *weights;
    ic_graph *tapped;
    ic_executor *executor;
    int32_t outputs, width; /* of a picture: all that is told, and the features at its end */
    int64_t first;          /* of the batch in hand */
    bool sound[BATCH];
    int64_t count;
    int64_t *pictures; /* [count]: indices into the data set */
    float *features;   /* [count][width], of length 1 */
    float *wanted;     /* [width]: of the picture that is asked about */
};

void ic_neighbours_free(ic_neighbours *neighbours)
{
    if (neighbours == NULL)
        return;
    ic_context *context = neighbours->context;
    ic_executor_free(neighbours->executor);
    ic_graph_free(neighbours->tapped);
    ic_weights_free(neighbours->weights);
    ic_dataset_free(neighbours->dataset);
    ic_free(context, neighbours->pictures);
    ic_free(context, neighbours->features);
    ic_free(context, neighbours->wanted);
    ic_free(context, neighbours);
    ic_context_free(context);
}

static ic_status prepare(ic_neighbours *n, const ic_model *model, const ic_dataset *dataset)
{
    ic_taps taps;
    size_t pictures = (size_t)ic_dataset_count(dataset);
    n->dataset = ic_dataset_retain((ic_dataset *)dataset);
    n->pipeline = model->pipeline;
    n->weights = ic_model_weights(model);
    IC_TRY(ic_context_pool(n->context, &n->pool));
    IC_TRY(ic_graph_tap(model->graph, &taps, &n->tapped));
    IC_TRY(ic_executor_create(n->context, n->tapped, BATCH, IC_INFERENCE, &n->executor));
    n->outputs = ic_graph_classes(n->tapped);
    n->width = taps.channels[taps.count - 1];
    IC_TRY(ic_allocate_array(n->context, pictures, sizeof *n->pictures, &n->pictures));
    IC_TRY(ic_allocate_array(n->context, (size_t)n->width, sizeof *n->wanted, &n->wanted));
    return ic_allocate_array(n->context, pictures, (size_t)n->width * sizeof *n->features,
                             &n->features);
}

/* The features of a picture of the batch that was inferred, at length 1; all 0 stay so. */
static ic_status take_features(const ic_neighbours *n, int32_t place, float *out)
{
    const float *from =
        ic_executor_logits(n->executor) + (size_t)(place + 1) * (size_t)n->outputs - n->width;
    double squares = 0;
    for (int32_t i = 0; i < n->width; i++)
        squares += (double)from[i] * (double)from[i];
    if (!isfinite(squares))
        return ic_fail(IC_ERROR_DIVERGED,
                       "the network's output is not a finite number: its weights are unusable");
    double scale = squares > 0 ? 1 / sqrt(squares) : 0;
    for (int32_t i = 0; i < n->width; i++)
        out[i] = (float)(scale * (double)from[i]);
    return IC_OK;
}

/* ---- The data set ---- */

static ic_status read_picture(void *arguments, int64_t unit, int32_t worker)
{
    ic_neighbours *n = arguments;
    float *tensor =
        ic_executor_input(n->executor) + (size_t)unit * ic_pipeline_floats(&n->pipeline);
    ic_image *canvas = NULL;
    ic_status status = ic_dataset_canvas(n->dataset, n->first + unit, &n->pipeline, &canvas);
    n->sound[unit] = status >= 0;
    if (status >= 0)
        ic_pipeline_tensor(&n->pipeline, canvas, tensor);
    else
        memset(tensor, 0, ic_pipeline_floats(&n->pipeline) * sizeof *tensor);
    ic_image_free(canvas);
    return status == IC_ERROR_MEMORY ? status : IC_OK;
}

static ic_status look_at_batch(ic_neighbours *n, int32_t count)
{
    IC_TRY(ic_pool_run(n->pool, count, read_picture, n));
    IC_TRY(ic_executor_infer(n->executor, n->weights, count));
    for (int32_t i = 0; i < count; i++) {
        if (!n->sound[i])
            continue;
        IC_TRY(take_features(n, i, n->features + n->count * n->width));
        n->pictures[n->count++] = n->first + i;
    }
    return IC_OK;
}

static ic_status look_at_all(ic_neighbours *n)
{
    double started = ic_clock_seconds(), last = started;
    int64_t count = ic_dataset_count(n->dataset);
    for (; n->first < count; n->first += BATCH) {
        int64_t left = count - n->first, some = left < BATCH ? left : BATCH;
        IC_TRY(look_at_batch(n, (int32_t)some));
        IC_TRY(ic_progress_step(n->context, "neighbours", n->first + some, count, started, &last));
    }
    return n->count > 0
               ? IC_OK
               : ic_fail(IC_ERROR_DATA,
                         "none of the %lld pictures can be a neighbour: none could be read",
                         (long long)count);
}

ic_status ic_neighbours_create(const ic_model *model, const ic_dataset *dataset,
                               ic_neighbours **out)
{
    if (model == NULL || dataset == NULL || out == NULL)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_neighbours_create: %s is NULL",
                       model == NULL     ? "model"
                       : dataset == NULL ? "dataset"
                                         : "out");
    ic_neighbours *made;
    ic_status status;
    IC_TRY(ic_allocate_zero(model->context, sizeof *made, &made));
    made->context = ic_context_retain(model->context);
    IC_TRY_CLEAN(prepare(made, model, dataset));
    IC_TRY_CLEAN(look_at_all(made));
    *out = made;
    made = NULL;
cleanup:
    ic_neighbours_free(made);
    return status;
}

/* ---- Asking ---- */

/* Puts a picture among the nearest so far, which are in order; equal ones stand in theirs. */
static void insert(int64_t index, float similarity, int32_t most, int64_t *indices,
                   float *similarities, int32_t *found)
{
    int32_t at = *found < most ? (*found)++ : most - 1;
    for (; at > 0 && similarities[at - 1] < similarity; at--) {
        similarities[at] = similarities[at - 1];
        indices[at] = indices[at - 1];
    }
    similarities[at] = similarity;
    indices[at] = index;
}

static int32_t search(const ic_neighbours *n, int32_t most, int64_t *indices, float *similarities)
{
    int32_t found = 0;
    for (int64_t p = 0; p < n->count; p++) {
        const float *features = n->features + p * n->width;
        double sum = 0;
        for (int32_t i = 0; i < n->width; i++)
            sum += (double)features[i] * (double)n->wanted[i];
        if (found < most || (float)sum > similarities[most - 1])
            insert(n->pictures[p], (float)sum, most, indices, similarities, &found);
    }
    return found;
}

static ic_status look_at(ic_neighbours *n, const ic_image *image)
{
    ic_image *canvas = NULL;
    IC_TRY(ic_pipeline_canvas(&n->pipeline, image, &canvas));
    ic_pipeline_tensor(&n->pipeline, canvas, ic_executor_input(n->executor));
    ic_image_free(canvas);
    IC_TRY(ic_executor_infer(n->executor, n->weights, 1));
    return take_features(n, 0, n->wanted);
}

ic_status ic_neighbours_find(ic_neighbours *neighbours, const ic_image *image, int32_t most,
                             int64_t *indices, float *similarities, int32_t *found)
{
    if (neighbours == NULL || image == NULL || most < 1)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_neighbours_find: %s",
                       neighbours == NULL ? "neighbours is NULL"
                       : image == NULL    ? "image is NULL"
                                          : "most is less than 1");
    ic_neighbours *n = neighbours;
    int64_t *places = NULL;
    float *angles = NULL;
    ic_status status;
    most = most < n->count ? most : (int32_t)n->count;
    IC_TRY_CLEAN(ic_allocate_array(n->context, (size_t)most, sizeof *places, &places));
    IC_TRY_CLEAN(ic_allocate_array(n->context, (size_t)most, sizeof *angles, &angles));
    IC_TRY_CLEAN(look_at(n, image));
    int32_t count = search(n, most, places, angles);
    if (indices != NULL)
        memcpy(indices, places, (size_t)count * sizeof *indices);
    if (similarities != NULL)
        memcpy(similarities, angles, (size_t)count * sizeof *similarities);
    if (found != NULL)
        *found = count;
cleanup:
    ic_free(n->context, places);
    ic_free(n->context, angles);
    return status;
}

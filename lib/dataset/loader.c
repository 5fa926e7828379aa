/*
 * dataset/loader.c: two batches in turn: while the caller works on one, jobs on the pool prepare
 * the next. What is in a batch follows from (seed, epoch, place) alone. SPDX-License-Identifier:
 * MIT
 */
#include "dataset/loader.h"

#include "base/pool.h"
#include "base/random.h"
#include "base/status.h"
#include "dataset/cache.h"
#include "dataset/order.h"
#include "dataset/source.h"

#include <string.h>

/*
 * Tensor elements that one job makes, about: small enough that a helper is soon back for the
 * network's own work, large enough that small pictures share the cost of a job. And pictures, at
 * most.
 */
enum { JOB_ELEMENTS = 1 << 17, JOB_PICTURES = 64 };

typedef struct loader_slot loader_slot;

typedef struct loader_job {
    ic_job job;
    ic_loader *loader;
    loader_slot *slot;
    int32_t first, count; /* of the batch */
} loader_job;

/* A batch, being prepared or prepared. */
struct loader_slot {
    bool begun;
    int64_t epoch, batch;
    int32_t count, job_count;
    float *tensors;
    int32_t *labels;
    int64_t *indices;
    int32_t *repeats; /* ic_augment_key's */
    loader_job *jobs;
};

struct ic_loader {
    ic_context *context;
    ic_pool *pool;
    ic_dataset *dataset;
    ic_loader_options options;
    ic_cache_table *table;
    int64_t count, batches;
    size_t tensor; /* elements of one */
    int32_t pictures_per_job;
    int64_t epoch, batch; /* of the next ic_loader_next */
    ic_order order;
    loader_slot slots[2];
    int32_t turn; /* the slot that ic_loader_next gives next */
};

static bool augments(const ic_loader_options *options)
{
    return options->training || options->augmented;
}

/* Evaluation does not depend on the epoch. */
static int64_t epoch_shown(const ic_loader *loader, int64_t epoch)
{
    return loader->options.training ? epoch : 0;
}

static ic_status prepare_picture(const ic_loader *loader, const loader_slot *slot, int32_t place)
{
    const ic_loader_options *options = &loader->options;
    int64_t index = slot->indices[place];
    float *tensor = slot->tensors + (size_t)place * loader->tensor;
    ic_canvas canvas;
    IC_TRY(ic_canvas_take(loader->dataset, index, &options->pipeline, loader->table, &canvas));
    if (augments(options)) {
        const ic_augment_key key = {.seed = options->seed,
                                    .epoch = (uint64_t)slot->epoch,
                                    .picture = (uint64_t)ic_dataset_key(loader->dataset, index),
                                    .repeat = (uint64_t)slot->repeats[place]};
        ic_pipeline_augment(&options->pipeline, &options->augment, ic_canvas_image(&canvas), &key,
                            tensor);
    } else {
        ic_pipeline_tensor(&options->pipeline, ic_canvas_image(&canvas), tensor);
    }
    ic_canvas_release(&canvas);
    return IC_OK;
}

static ic_status run_job(void *arguments)
{
    const loader_job *job = arguments;
    for (int32_t i = 0; i < job->count; i++)
        IC_TRY(prepare_picture(job->loader, job->slot, job->first + i));
    return IC_OK;
}

/* Posts the jobs of a batch. */
static void begin_slot(ic_loader *loader, loader_slot *slot, int64_t epoch, int64_t batch)
{
    const ic_loader_options *options = &loader->options;
    int64_t first = batch * options->batch;
    int64_t left = loader->count - first;
    slot->begun = true;
    slot->epoch = epoch_shown(loader, epoch);
    slot->batch = batch;
    slot->count = left < options->batch ? (int32_t)left : options->batch;
    ic_order_set(&loader->order, slot->epoch);
    for (int32_t i = 0; i < slot->count; i++) {
        int64_t index = ic_order_picture(&loader->order, first + i);
        int32_t class_index = ic_dataset_at(loader->dataset, index)->class_index;
        slot->indices[i] = index;
        slot->repeats[i] = ic_order_repeat(&loader->order, first + i);
        slot->labels[i] =
            options->class_map == NULL ? class_index : options->class_map[class_index];
    }
    slot->job_count = 0;
    for (int32_t at = 0; at < slot->count; at += loader->pictures_per_job) {
        loader_job *job = &slot->jobs[slot->job_count++];
        job->first = at;
        job->count = slot->count - at < loader->pictures_per_job ? slot->count - at
                                                                 : loader->pictures_per_job;
        ic_pool_post(loader->pool, &job->job);
    }
}

/*
 * Waits for a batch. Helpers take its jobs from the front; this thread does those that nobody has
 * begun from the back, until they meet. The error of the lowest job wins, whoever met it.
 */
static ic_status finish_slot(ic_loader *loader, loader_slot *slot)
{
    ic_status status = IC_OK;
    char text[IC_ERROR_TEXT_MAX];
    for (int32_t i = slot->job_count - 1; i >= 0; i--) {
        ic_status done = ic_pool_wait(loader->pool, &slot->jobs[i].job);
        if (done < 0) {
            status = done;
            ic_error_copy(text, sizeof text);
        }
    }
    slot->begun = status >= 0;
    if (status < 0)
        ic_error_set(text);
    return status;
}

/* Takes back what is still to be done. */
static void drop_slot(ic_loader *loader, loader_slot *slot)
{
    for (int32_t i = slot->job_count - 1; i >= 0 && slot->begun; i--)
        ic_pool_withdraw(loader->pool, &slot->jobs[i].job);
    slot->begun = false;
}

static ic_status create_slot(ic_loader *loader, loader_slot *slot)
{
    ic_context *context = loader->context;
    size_t batch = (size_t)loader->options.batch, tensors;
    size_t jobs = (batch + (size_t)loader->pictures_per_job - 1) / (size_t)loader->pictures_per_job;
    if (!ic_multiply_size(batch, loader->tensor, &tensors))
        return ic_fail(IC_ERROR_MEMORY, "a batch of %zu pictures does not fit into memory", batch);
    IC_TRY(ic_allocate_array(context, tensors, sizeof *slot->tensors, &slot->tensors));
    IC_TRY(ic_allocate_array(context, batch, sizeof *slot->labels, &slot->labels));
    IC_TRY(ic_allocate_array(context, batch, sizeof *slot->indices, &slot->indices));
    IC_TRY(ic_allocate_array(context, batch, sizeof *slot->repeats, &slot->repeats));
    IC_TRY(ic_allocate_zero(context, jobs * sizeof *slot->jobs, &slot->jobs));
    for (size_t i = 0; i < jobs; i++) {
        loader_job *job = &slot->jobs[i];
        job->loader = loader;
        job->slot = slot;
        job->job.run = run_job;
        job->job.arguments = job;
    }
    return IC_OK;
}

static ic_status check_options(const ic_dataset *dataset, const ic_loader_options *options)
{
    int64_t count = ic_dataset_count(dataset);
    if (count == 0)
        return ic_fail(IC_ERROR_DATA, "the data set has no pictures");
    if (options->batch < 1)
        return ic_fail(IC_ERROR_ARGUMENT, "a batch has at least one picture, not %d",
                       options->batch);
    if (options->training && options->batch > count)
        return ic_fail(IC_ERROR_ARGUMENT, "batches of %d pictures from a data set of only %lld",
                       options->batch, (long long)count);
    return IC_OK;
}

static ic_status init_loader(ic_loader *loader)
{
    const ic_loader_options *options = &loader->options;
    const ic_pipeline *pipeline = &options->pipeline;
    int64_t batch = options->batch, rest = options->training ? 0 : batch - 1;
    loader->count = ic_dataset_count(loader->dataset);
    loader->batches = (loader->count + rest) / batch;
    bool own = augments(options) && options->augment.width > 0;
    int32_t width = own ? options->augment.width : pipeline->width;
    int32_t height = own ? options->augment.height : pipeline->height;
    loader->tensor = (size_t)height * (size_t)width * (size_t)pipeline->channels;
    size_t pictures = JOB_ELEMENTS / loader->tensor;
    loader->pictures_per_job = pictures < 1              ? 1
                               : pictures > JOB_PICTURES ? JOB_PICTURES
                                                         : (int32_t)pictures;
    IC_TRY(ic_context_pool(loader->context, &loader->pool));
    IC_TRY(ic_order_init(&loader->order, loader->context, loader->dataset, options));
    if (options->cache != NULL)
        IC_TRY(ic_cache_attach(options->cache, loader->dataset, pipeline, &loader->table));
    for (int32_t i = 0; i < 2; i++)
        IC_TRY(create_slot(loader, &loader->slots[i]));
    return IC_OK;
}

ic_status ic_loader_create(ic_context *context, const ic_dataset *dataset,
                           const ic_loader_options *options, ic_loader **out)
{
    ic_loader *loader;
    IC_TRY(check_options(dataset, options));
    IC_TRY(ic_allocate_zero(context, sizeof *loader, &loader));
    loader->context = ic_context_retain(context);
    /* A set is immutable to its readers; what changes under the cast is its count of references. */
    loader->dataset = ic_dataset_retain((ic_dataset *)dataset);
    loader->options = *options;
    ic_status status = init_loader(loader);
    if (status < 0)
        ic_loader_free(loader);
    else
        *out = loader;
    return status;
}

void ic_loader_free(ic_loader *loader)
{
    if (loader == NULL)
        return;
    ic_context *context = loader->context;
    for (int32_t i = 0; i < 2; i++) {
        loader_slot *slot = &loader->slots[i];
        drop_slot(loader, slot);
        ic_free(context, slot->jobs);
        ic_free(context, slot->repeats);
        ic_free(context, slot->indices);
        ic_free(context, slot->labels);
        ic_free(context, slot->tensors);
    }
    ic_order_free(&loader->order, context);
    ic_dataset_free(loader->dataset);
    ic_free(context, loader);
    ic_context_free(context);
}

int64_t ic_loader_batches(const ic_loader *loader)
{
    return loader->batches;
}

/* Whether the slot holds this batch, or one with the very same content. */
static bool holds(const ic_loader *loader, const loader_slot *slot, int64_t epoch, int64_t batch)
{
    return slot->begun && slot->batch == batch && slot->epoch == epoch_shown(loader, epoch);
}

ic_status ic_loader_seek(ic_loader *loader, int64_t epoch, int64_t batch)
{
    if (epoch < 0 || batch < 0 || batch >= loader->batches)
        return ic_fail(IC_ERROR_ARGUMENT, "there is no batch %lld in epoch %lld: an epoch has %lld",
                       (long long)batch, (long long)epoch, (long long)loader->batches);
    if (!holds(loader, &loader->slots[loader->turn], epoch, batch))
        for (int32_t i = 0; i < 2; i++)
            drop_slot(loader, &loader->slots[i]);
    loader->epoch = epoch;
    loader->batch = batch;
    return IC_OK;
}

ic_status ic_loader_next(ic_loader *loader, ic_batch *out)
{
    loader_slot *slot = &loader->slots[loader->turn];
    loader_slot *next = &loader->slots[1 - loader->turn];
    if (!holds(loader, slot, loader->epoch, loader->batch))
        begin_slot(loader, slot, loader->epoch, loader->batch);
    IC_TRY(finish_slot(loader, slot));
    ic_cache_tell(loader->options.cache);
    slot->begun = false; /* the caller's, until the next call */
    loader->turn = 1 - loader->turn;
    if (++loader->batch == loader->batches) {
        loader->batch = 0;
        loader->epoch++;
    }
    begin_slot(loader, next, loader->epoch, loader->batch);
    *out = (ic_batch){slot->tensors, slot->labels, slot->indices, slot->count};
    return IC_OK;
}

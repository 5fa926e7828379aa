/* train/engine.c: what the steps of an epoch are computed with. SPDX-License-Identifier: MIT */
#include "train/trainer.h"

#include "base/memory.h"

/* ---- Pictures of a size ---- */

ic_status ic_engine_resize(ic_trainer *trainer, const ic_stage *stage)
{
    const ic_training_recipe *recipe = &trainer->recipe;
    ic_pipeline seen = trainer->model->pipeline;
    ic_loader_options options = {
        .pipeline = seen,
        .augment = recipe->augment,
        .training = true,
        .balanced = recipe->balanced_sampling,
        .batch = recipe->batch,
        .seed = recipe->seed,
        .cache = trainer->data.train_cache,
        .class_map = trainer->data.train_map,
    };
    options.augment.width = seen.width = stage->width;
    options.augment.height = seen.height = stage->height;
    ic_loader_free(trainer->loader);
    ic_mixer_free(trainer->mixer);
    trainer->loader = NULL;
    trainer->mixer = NULL;
    trainer->stage = NULL;
    trainer->placed = false;
    IC_TRY(ic_loader_create(trainer->context, trainer->data.train, &options, &trainer->loader));
    IC_TRY(ic_mixer_create(trainer->context, recipe, &seen, &trainer->mixer));
    trainer->stage = stage;
    return IC_OK;
}

/* ---- Executors ---- */

static void free_executors(ic_trainer *trainer)
{
    ic_executor_free(trainer->validation_executor); /* which works in the memory of the other */
    ic_executor_free(trainer->executor);
    trainer->validation_executor = trainer->executor = NULL;
}

static ic_status make_executors(ic_trainer *trainer, const ic_graph *graph)
{
    const ic_training_recipe *recipe = &trainer->recipe;
    free_executors(trainer);
    IC_TRY(ic_executor_create_training(trainer->context, graph, recipe->batch, trainer->trained,
                                       (size_t)recipe->memory_limit, &trainer->executor));
    ic_status status = ic_executor_create_beside(trainer->executor, trainer->model->graph,
                                                 IC_INFERENCE, &trainer->validation_executor);
    if (status < 0)
        free_executors(trainer); /* the next call tries again */
    return status;
}

ic_status ic_engine_ready(ic_trainer *trainer)
{
    const ic_graph *graph = trainer->model->graph;
    int64_t epoch = trainer->state.epoch;
    if (trainer->executor && trainer->executor_epoch == epoch)
        return IC_OK;
    double share = ic_schedule_share(&trainer->schedule, epoch * trainer->epoch_steps);
    const ic_stage *stage = ic_resizing_stage(&trainer->resizing, share);
    bool other = ic_rates_trained(trainer->optimiser->runs, graph, epoch, trainer->trained);
    if (!trainer->stage || trainer->stage->graph != stage->graph) {
        ic_log(trainer->context, IC_LOG_INFO, "from epoch %lld on with pictures of %d x %d",
               (long long)epoch + 1, (int)stage->width, (int)stage->height);
        IC_TRY(ic_engine_resize(trainer, stage));
    }
    if (other || !trainer->executor || ic_executor_graph(trainer->executor) != stage->graph)
        IC_TRY(make_executors(trainer, stage->graph));
    trainer->executor_epoch = epoch;
    return IC_OK;
}

ic_status ic_engine_begin(ic_trainer *trainer)
{
    const ic_graph *graph = trainer->model->graph;
    IC_TRY(ic_allocate_zero(trainer->context, (size_t)ic_graph_parameter_count(graph),
                            &trainer->trained));
    ic_rates_trained(trainer->optimiser->runs, graph, 0, trainer->trained);
    IC_TRY(make_executors(trainer, graph));
    trainer->executor_epoch = -1;
    return ic_engine_ready(trainer);
}

void ic_engine_free(ic_trainer *trainer)
{
    ic_loader_free(trainer->loader); /* before the caches and sets that it reads */
    ic_mixer_free(trainer->mixer);
    free_executors(trainer);
    ic_free(trainer->context, trainer->trained);
    ic_resizing_free(&trainer->resizing);
}

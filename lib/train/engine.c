/* train/engine.c: what the steps of an epoch are computed with. SPDX-License-Identifier: MIT */
#include "train/trainer.h"

#include "base/memory.h"

static void free_executors(ic_trainer *trainer)
{
    ic_executor_free(trainer->validation_executor); /* which works in the memory of the other */
    ic_executor_free(trainer->executor);
    trainer->validation_executor = trainer->executor = NULL;
}

static ic_status make_executors(ic_trainer *trainer)
{
    const ic_training_recipe *recipe = &trainer->recipe;
    free_executors(trainer);
    IC_TRY(ic_executor_create_training(trainer->context, trainer->model->graph, recipe->batch,
                                       trainer->trained, (size_t)recipe->memory_limit,
                                       &trainer->executor));
    ic_status status =
        ic_executor_create_beside(trainer->executor, IC_INFERENCE, &trainer->validation_executor);
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
    if (!trainer->trained)
        IC_TRY(ic_allocate_zero(trainer->context, (size_t)ic_graph_parameter_count(graph),
                                &trainer->trained));
    bool changed = ic_rates_trained(trainer->optimiser->runs, graph, epoch, trainer->trained);
    if (changed || !trainer->executor)
        IC_TRY(make_executors(trainer));
    trainer->executor_epoch = epoch;
    return IC_OK;
}

void ic_engine_free(ic_trainer *trainer)
{
    free_executors(trainer);
    ic_free(trainer->context, trainer->trained);
}

/*
 * train/trust.c: behind the last epoch, what the best weights know of their own answers: one pass
 * over some training pictures, not augmented, and the validation pictures, and for the temperature
 * one more over these, reframed. SPDX-License-Identifier: MIT
 */
#include "train/trainer.h"

#include "base/memory.h"

/* Their detail is measured, which takes hundreds for 48 numbers and their correlations. */
enum { TRAINING_MOST = 2000 };

ic_augment ic_trust_view(const ic_augment *augment)
{
    ic_augment view = *augment;
    view.policy = IC_POLICY_NONE;
    view.erasing = view.blur = view.noise = 0;
    return view;
}

static bool is_another(const ic_augment *view)
{
    return view->flip != IC_FLIP_OFF || view->turns != IC_TURNS_NONE || view->shift > 0 ||
           view->crop_scale < 1 || view->rotation > 0 || view->brightness > 0 ||
           view->contrast > 0 || view->saturation > 0;
}

void ic_trust_plan(ic_trainer *trainer)
{
    const ic_training_recipe *recipe = &trainer->recipe;
    ic_trust *trust = &trainer->trust;
    int64_t pictures = trainer->data.pictures, batch = recipe->batch;
    trust->view = ic_trust_view(&recipe->augment);
    trust->options = (ic_fitting_options){
        .calibrate = recipe->calibrate,
        .unknown =
            recipe->unknown && ic_fitting_can(trainer->model->graph, &trainer->model->pipeline),
        .share = recipe->unknown_share,
        .validation = trainer->data.validation_pictures,
        .further_looks = recipe->calibrate && is_another(&trust->view),
        .batch = recipe->batch,
    };
    trust->batches = 0;
    if (trust->options.validation < IC_FITTING_LEAST ||
        !(trust->options.calibrate || trust->options.unknown))
        return;
    if (trust->options.unknown)
        trust->options.training = pictures < TRAINING_MOST ? pictures : TRAINING_MOST;
    trust->training_batches = (trust->options.training + batch - 1) / batch;
    trust->batches =
        trust->training_batches + (1 + trust->options.further_looks) * trainer->validation_batches;
}

void ic_trust_explain(const ic_trainer *trainer)
{
    const ic_training_recipe *recipe = &trainer->recipe;
    int64_t pictures = trainer->data.validation_pictures;
    if (!recipe->calibrate && !recipe->unknown)
        return;
    if (pictures < IC_FITTING_LEAST)
        ic_log(trainer->context, IC_LOG_INFO,
               "no temperature and no score for unknown pictures: both are learnt from at least %d "
               "pictures held out for validation, and there are %lld",
               IC_FITTING_LEAST, (long long)pictures);
    else if (recipe->unknown && !trainer->trust.options.unknown)
        ic_log(trainer->context, IC_LOG_INFO,
               "no score for unknown pictures: it takes a network with a linear layer at its end");
}

static void free_training(ic_trust *trust)
{
    ic_loader_free(trust->loader);
    ic_dataset_free(trust->part);
    trust->loader = NULL;
    trust->part = NULL;
}

void ic_trust_free(ic_trainer *trainer)
{
    ic_trust *trust = &trainer->trust;
    free_training(trust);
    ic_loader_free(trust->reframed);
    ic_fitting_free(trust->fitting);
    trust->reframed = NULL;
    trust->fitting = NULL;
    trainer->validation_placed = false;
}

/* Evenly chosen: `training` of all pictures. */
static bool is_chosen(void *payload, int64_t index)
{
    const ic_trainer *trainer = payload;
    int64_t most = trainer->trust.options.training, all = trainer->data.pictures;
    return index * most / all != (index + 1) * most / all;
}

static ic_status load_training(ic_trainer *trainer)
{
    ic_trust *trust = &trainer->trust;
    const ic_loader_options options = {
        .pipeline = trainer->model->pipeline,
        .batch = trainer->recipe.batch,
        .cache = trainer->data.train_cache,
        .class_map = trainer->data.train_map,
    };
    IC_TRY(ic_dataset_select(trainer->data.train, is_chosen, trainer, &trust->part));
    IC_TRY(ic_loader_create(trainer->context, trust->part, &options, &trust->loader));
    return ic_loader_seek(trust->loader, 0, 0);
}

static ic_status load_reframed(ic_trainer *trainer)
{
    ic_trust *trust = &trainer->trust;
    const ic_loader_options options = {
        .pipeline = trainer->model->pipeline,
        .augment = trust->view,
        .augmented = true,
        .batch = trainer->recipe.batch,
        .seed = trainer->recipe.seed,
        .cache = trainer->data.validation_cache,
        .class_map = trainer->data.validation_map,
    };
    IC_TRY(
        ic_loader_create(trainer->context, trainer->data.validation, &options, &trust->reframed));
    return ic_loader_seek(trust->reframed, 0, 0);
}

static ic_status begin(ic_trainer *trainer)
{
    ic_trust *trust = &trainer->trust;
    trust->began = ic_clock_seconds();
    trust->options.host = trainer->executor;
    IC_TRY(ic_fitting_create(trainer->context, trainer->model->graph, &trainer->model->pipeline,
                             trainer->best, &trust->options, &trust->fitting));
    if (trust->options.unknown)
        IC_TRY(load_training(trainer));
    return ic_loader_seek(trainer->validation_loader, 0, 0);
}

static ic_status do_batch(ic_trainer *trainer)
{
    ic_trust *trust = &trainer->trust;
    int64_t validated = trainer->state.batch - trust->training_batches;
    bool again = validated >= trainer->validation_batches;
    ic_batch batch;
    if (validated < 0) {
        IC_TRY(ic_loader_next(trust->loader, &batch));
        return ic_fitting_train(trust->fitting, &batch);
    }
    free_training(trust);
    if (again && trust->reframed == NULL)
        IC_TRY(load_reframed(trainer));
    IC_TRY(ic_loader_next(again ? trust->reframed : trainer->validation_loader, &batch));
    return ic_fitting_validate(trust->fitting, &batch);
}

static ic_status step(ic_trainer *trainer)
{
    ic_confidence *made;
    if (trainer->trust.fitting == NULL)
        IC_TRY(begin(trainer));
    IC_TRY(do_batch(trainer));
    if (++trainer->state.batch < trainer->trust.batches)
        return IC_OK;
    IC_TRY(ic_fitting_finish(trainer->trust.fitting, &made));
    ic_model_trust(trainer->model, made);
    trainer->state.phase = IC_PHASE_DONE;
    return IC_OK;
}

/* What is half fitted is nowhere kept: after an error, as in a resumed training, it begins anew. */
ic_status ic_trust_step(ic_trainer *trainer)
{
    ic_trust *trust = &trainer->trust;
    ic_status status = step(trainer);
    if (status < 0 || trainer->state.phase == IC_PHASE_DONE)
        ic_trust_free(trainer);
    if (status < 0) {
        trainer->state.batch = 0;
        return status;
    }
    return ic_progress_step(trainer->context, "calibrate", trainer->state.batch, trust->batches,
                            trust->began, &trainer->clock.last_report);
}

/* bindings/lua/trainer.c: trainings under way. SPDX-License-Identifier: MIT */
#include "module.h"

static const ic_dataset *validation_at(lua_State *L, int index)
{
    return lua_isnoneornil(L, index) ? NULL : check_handle(L, index, &dataset_type);
}

/* imgcls.trainer(model, train, validation or nil, options) */
int trainer_create(lua_State *L)
{
    ic_model *model = check_handle(L, 1, &model_type);
    const ic_dataset *train = check_handle(L, 2, &dataset_type);
    const ic_dataset *validation = validation_at(L, 3);
    lua_settop(L, 4);
    const ic_options *options = push_options(L, 4);
    object *o = push_object(L, &trainer_type);
    return give(L, ic_trainer_create(model, train, validation, options, (ic_trainer **)&o->handle));
}

/* imgcls.resume(path, train, validation or nil, options) -> model, trainer: as trainer:save, or the
 * option checkpoint, left them */
int trainer_resume(lua_State *L)
{
    const char *path = check_text(L, 1);
    const ic_dataset *train = check_handle(L, 2, &dataset_type);
    const ic_dataset *validation = validation_at(L, 3);
    lua_settop(L, 4);
    const ic_options *options = push_options(L, 4);
    object *model = push_object(L, &model_type), *trainer = push_object(L, &trainer_type);
    ic_status status =
        ic_trainer_resume(begin(L), path, train, validation, options, (ic_model **)&model->handle,
                          (ic_trainer **)&trainer->handle);
    return give_many(L, status, 2);
}

/* trainer:save(path): a checkpoint */
static int trainer_save(lua_State *L)
{
    return give_true(L, ic_trainer_save(check_handle(L, 1, &trainer_type), check_text(L, 2)));
}

/* trainer:step() -> true while there is more to do */
static int trainer_step(lua_State *L)
{
    ic_status status = ic_train_step(check_handle(L, 1, &trainer_type));
    lua_pushboolean(L, status != IC_DONE);
    return give(L, status);
}

/* trainer:run(progress, plot) -> true; plot: a .png or .svg, drawn after the epochs */
static int trainer_run(lua_State *L)
{
    ic_trainer *trainer = check_handle(L, 1, &trainer_type);
    const char *plot = opt_text(L, 3, NULL);
    lua_settop(L, 3);
    progress_call call;
    begin_plotted(L, 2, lua_touserdata(L, 1), plot, &call);
    ic_status status = ic_trainer_run(trainer);
    if (status >= 0 && plot != NULL)
        status = ic_trainer_plot(trainer, plot);
    end_progress(&call);
    return give_true(L, status);
}

/* trainer:find_rate(progress) -> a learning rate that suits */
static int trainer_find_rate(lua_State *L)
{
    ic_trainer *trainer = check_handle(L, 1, &trainer_type);
    lua_settop(L, 2);
    double rate = 0;
    progress_call call;
    begin_progress(L, 2, lua_touserdata(L, 1), &call);
    ic_status status = ic_trainer_find_rate(trainer, &rate);
    end_progress(&call);
    return give_numbers(L, status, &rate, 1);
}

/* trainer:plot(path): the learning curves so far */
static int trainer_plot(lua_State *L)
{
    return give_true(L, ic_trainer_plot(check_handle(L, 1, &trainer_type), check_text(L, 2)));
}

static int trainer_value(lua_State *L)
{
    double value = 0;
    const ic_trainer *trainer = check_handle(L, 1, &trainer_type);
    ic_status status = ic_trainer_value(trainer, check_text(L, 2), &value);
    return give_numbers(L, status, &value, 1);
}

static const luaL_Reg methods[] = {{"step", trainer_step},
                                   {"run", trainer_run},
                                   {"find_rate", trainer_find_rate},
                                   {"save", trainer_save},
                                   {"value", trainer_value},
                                   {"plot", trainer_plot},
                                   {NULL, NULL}};

static void free_trainer(void *handle)
{
    ic_trainer_free(handle);
}

const object_type trainer_type = {"imgcls.trainer", free_trainer, methods, NULL};

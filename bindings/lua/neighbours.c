/* bindings/lua/neighbours.c: pictures that a network sees alike. SPDX-License-Identifier: MIT */
#include "module.h"

/* The models of neighbours, by these: a table in the registry whose keys are weak. */
static const char THE_MODELS[] = "imgcls.models_of_neighbours";

static void push_models(lua_State *L)
{
    if (luaL_newmetatable(L, THE_MODELS)) {
        lua_pushliteral(L, "k");
        lua_setfield(L, -2, "__mode");
        lua_pushvalue(L, -1);
        lua_setmetatable(L, -2);
    }
}

/* Of the neighbours at 1: what their pictures were read for; NULL: it was closed. */
static const ic_model *model_of(lua_State *L)
{
    push_models(L);
    lua_pushvalue(L, 1);
    lua_rawget(L, -2);
    const object *o = lua_touserdata(L, -1);
    lua_pop(L, 2);
    return o->handle;
}

/* model:neighbours(dataset, progress) -> the pictures by what the model finds in them */
int model_neighbours(lua_State *L)
{
    lua_settop(L, 3);
    const ic_model *model = check_handle(L, 1, &model_type);
    const ic_dataset *dataset = check_handle(L, 2, &dataset_type);
    push_models(L);
    object *o = push_object(L, &neighbours_type);
    lua_pushvalue(L, -1);
    lua_pushvalue(L, 1);
    lua_rawset(L, -4);
    lua_remove(L, -2);
    progress_call call;
    begin_progress(L, 3, lua_touserdata(L, 1), &call);
    ic_status status = ic_neighbours_create(model, dataset, (ic_neighbours **)&o->handle);
    end_progress(&call);
    return give(L, status);
}

/* neighbours:find(image or path, count) -> {index, ...}, {similarity, ...}; indices from 1 */
static int neighbours_find(lua_State *L)
{
    int pushed = 0;
    ic_neighbours *neighbours = check_handle(L, 1, &neighbours_type);
    int32_t most = opt_int32(L, 3, 5), found = 0;
    luaL_argcheck(L, most >= 1 && most <= 1000000, 3, "a count from 1");
    const ic_image *image = image_at(L, 2, model_of(L), &pushed);
    if (image == NULL)
        return pushed;
    int64_t *indices = lua_newuserdata(L, (size_t)most * sizeof *indices);
    float *similarities = lua_newuserdata(L, (size_t)most * sizeof *similarities);
    ic_status status = ic_neighbours_find(neighbours, image, most, indices, similarities, &found);
    if (status < 0)
        return push_failure(L, status);
    lua_createtable(L, found, 0);
    for (int32_t i = 0; i < found; i++) {
        lua_pushinteger(L, (lua_Integer)indices[i] + 1);
        lua_rawseti(L, -2, i + 1);
    }
    push_floats(L, similarities, found);
    return 2;
}

static const luaL_Reg methods[] = {{"find", neighbours_find}, {NULL, NULL}};

static void free_neighbours(void *handle)
{
    ic_neighbours_free(handle);
}

const object_type neighbours_type = {"imgcls.neighbours", free_neighbours, methods, NULL};

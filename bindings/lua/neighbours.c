/* bindings/lua/neighbours.c: pictures that a network sees alike. SPDX-License-Identifier: MIT */
#include "module.h"

/* model:neighbours(dataset, progress) -> the pictures by what the model finds in them */
int model_neighbours(lua_State *L)
{
    lua_settop(L, 3);
    const ic_model *model = check_handle(L, 1, &model_type);
    const ic_dataset *dataset = check_handle(L, 2, &dataset_type);
    object *o = push_object(L, &neighbours_type);
    progress_call call;
    begin_progress(L, 3, lua_touserdata(L, 1), &call);
    ic_status status = ic_neighbours_create(model, dataset, (ic_neighbours **)&o->handle);
    end_progress(&call);
    return give(L, status);
}

/* neighbours:find(image or path, count) -> {index, ...}, {similarity, ...}; indices from 1. A path
 * is loaded in full. */
static int neighbours_find(lua_State *L)
{
    int pushed = 0;
    ic_neighbours *neighbours = check_handle(L, 1, &neighbours_type);
    int32_t most = opt_int32(L, 3, 5), found = 0;
    luaL_argcheck(L, most >= 1 && most <= 1000000, 3, "a count from 1");
    const ic_image *image = image_at(L, 2, NULL, &pushed);
    if (image == NULL)
        return pushed;
    int64_t *indices = lua_newuserdata(L, (size_t)most * sizeof *indices);
    float *similarities = lua_newuserdata(L, (size_t)most * sizeof *similarities);
    ic_status status =
        ic_neighbours_find(neighbours, image, most, indices, similarities, &found);
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

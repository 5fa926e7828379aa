/* bindings/lua/dataset.c: labelled pictures. SPDX-License-Identifier: MIT */
#include "module.h"

/* imgcls.dataset(path, options, progress), or imgcls.dataset(nil, options) for an empty one */
int dataset_open(lua_State *L)
{
    const char *path = opt_text(L, 1, NULL);
    lua_settop(L, 3);
    const ic_options *options = push_options(L, 2);
    object *o = push_object(L, &dataset_type);
    ic_dataset **out = (ic_dataset **)&o->handle;
    if (path == NULL)
        return give(L, ic_dataset_create(begin(L), options, out));
    progress_call call;
    begin_progress(L, 3, NULL, &call);
    ic_status status = ic_dataset_open(begin(L), path, options, out);
    end_progress(&call);
    return give(L, status);
}

/* dataset:add(image or path, class, group): files that cannot be read are set aside */
static int dataset_add(lua_State *L)
{
    ic_dataset *dataset = check_handle(L, 1, &dataset_type);
    const char *name = check_text(L, 3), *group = opt_text(L, 4, "");
    const int64_t before = ic_dataset_count(dataset);
    ic_status status;
    if (lua_type(L, 2) == LUA_TSTRING)
        status = ic_dataset_add_file(dataset, check_text(L, 2), name);
    else
        status = ic_dataset_add_image(dataset, check_handle(L, 2, &image_type), name);
    if (status >= 0 && *group != '\0' && ic_dataset_count(dataset) > before)
        status = ic_dataset_set_group(dataset, before, group);
    return give_true(L, status);
}

/* dataset:group(index from 1) -> a number, 0: none */
static int dataset_group(lua_State *L)
{
    int64_t group = 0;
    const ic_dataset *dataset = check_handle(L, 1, &dataset_type);
    ic_status status = ic_dataset_group(dataset, check_index(L, 2), &group);
    lua_pushnumber(L, (lua_Number)group); /* 63 bits: equal ones stay equal */
    return give(L, status);
}

static int dataset_part(lua_State *L)
{
    const ic_dataset *dataset = check_handle(L, 1, &dataset_type);
    const char *part = check_text(L, 2);
    object *o = push_object(L, &dataset_type);
    return give(L, ic_dataset_part(dataset, part, (ic_dataset **)&o->handle));
}

/* dataset:split(options) -> train, validation */
static int dataset_split(lua_State *L)
{
    const ic_dataset *dataset = check_handle(L, 1, &dataset_type);
    lua_settop(L, 2);
    const ic_options *options = push_options(L, 2);
    object *train = push_object(L, &dataset_type), *validation = push_object(L, &dataset_type);
    ic_status status = ic_dataset_split(dataset, options, (ic_dataset **)&train->handle,
                                        (ic_dataset **)&validation->handle);
    return give_many(L, status, 2);
}

/* dataset:fold(folds, index from 1, options) -> train, validation; folds 0: repeated hold-out */
static int dataset_fold(lua_State *L)
{
    const ic_dataset *dataset = check_handle(L, 1, &dataset_type);
    int32_t folds = check_int32(L, 2), index = check_index(L, 3);
    lua_settop(L, 4);
    const ic_options *options = push_options(L, 4);
    object *train = push_object(L, &dataset_type), *validation = push_object(L, &dataset_type);
    ic_status status =
        ic_dataset_fold(dataset, options, folds, index, (ic_dataset **)&train->handle,
                        (ic_dataset **)&validation->handle);
    return give_many(L, status, 2);
}

static int dataset_count(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)ic_dataset_count(check_handle(L, 1, &dataset_type)));
    return 1;
}

/* dataset:classes() -> {{class = name, count = n}, ...} */
static int dataset_classes(lua_State *L)
{
    const ic_dataset *dataset = check_handle(L, 1, &dataset_type);
    lua_newtable(L);
    for (int32_t i = 0; i < ic_dataset_class_count(dataset); i++) {
        const char *name = "";
        int64_t count = 0;
        ic_dataset_class(dataset, i, &name, &count);
        lua_newtable(L);
        set_text(L, "class", name);
        set_integer(L, "count", count);
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

/* dataset:broken() -> {{file = path, reason = text}, ...} */
static int dataset_broken(lua_State *L)
{
    const ic_dataset *dataset = check_handle(L, 1, &dataset_type);
    lua_newtable(L);
    for (int64_t i = 0; i < ic_dataset_broken_count(dataset); i++) {
        const char *path = "", *reason = "";
        ic_dataset_broken(dataset, i, &path, &reason);
        lua_newtable(L);
        set_text(L, "file", path);
        set_text(L, "reason", reason);
        lua_rawseti(L, -2, (int)i + 1);
    }
    return 1;
}

/* dataset:plot_augmentation(path, options) */
static int dataset_plot_augmentation(lua_State *L)
{
    const ic_dataset *dataset = check_handle(L, 1, &dataset_type);
    const char *path = check_text(L, 2);
    lua_settop(L, 3);
    const ic_options *options = push_options(L, 3);
    return give_true(L, ic_dataset_plot_augmentation(dataset, options, path));
}

static ic_status json(const void *handle, char *buffer, size_t capacity, size_t *size)
{
    return ic_dataset_json(handle, buffer, capacity, size);
}

/* dataset:item(index) -> file, class */
static int dataset_item(lua_State *L)
{
    const ic_dataset *dataset = check_handle(L, 1, &dataset_type);
    const char *origin, *name;
    int32_t index;
    ic_status status = ic_dataset_item(dataset, check_index(L, 2), &origin, &index);
    if (status >= 0)
        status = ic_dataset_class(dataset, index, &name, NULL);
    if (status < 0)
        return push_failure(L, status);
    lua_pushstring(L, origin);
    lua_pushstring(L, name);
    return 2;
}

static const luaL_Reg methods[] = {{"add", dataset_add},
                                   {"part", dataset_part},
                                   {"split", dataset_split},
                                   {"fold", dataset_fold},
                                   {"group", dataset_group},
                                   {"inspect", dataset_inspect},
                                   {"cross_validate", dataset_cross_validate},
                                   {"count", dataset_count},
                                   {"__len", dataset_count},
                                   {"classes", dataset_classes},
                                   {"item", dataset_item},
                                   {"broken", dataset_broken},
                                   {"plot_augmentation", dataset_plot_augmentation},
                                   {NULL, NULL}};

static const text_method texts[] = {{"json", json, 1}, {NULL, NULL, 0}};

static void free_dataset(void *handle)
{
    ic_dataset_free(handle);
}

const object_type dataset_type = {"imgcls.dataset", free_dataset, methods, texts};

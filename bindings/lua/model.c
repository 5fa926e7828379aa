/* bindings/lua/model.c: models and their files. SPDX-License-Identifier: MIT */
#include "module.h"

/* imgcls.model(train, options) */
int model_create(lua_State *L)
{
    const ic_dataset *train = check_handle(L, 1, &dataset_type);
    lua_settop(L, 2);
    const ic_options *options = push_options(L, 2);
    object *o = push_object(L, &model_type);
    return give(L, ic_model_create(begin(L), train, options, (ic_model **)&o->handle));
}

/* imgcls.model_from(earlier, train, options): begins with what the earlier model has learnt */
int model_create_from(lua_State *L)
{
    const ic_model *earlier = check_handle(L, 1, &model_type);
    const ic_dataset *train = check_handle(L, 2, &dataset_type);
    lua_settop(L, 3);
    const ic_options *options = push_options(L, 3);
    object *o = push_object(L, &model_type);
    return give(L, ic_model_create_from(earlier, train, options, (ic_model **)&o->handle));
}

/* imgcls.load(path) */
int model_load(lua_State *L)
{
    const char *path = check_text(L, 1);
    object *o = push_object(L, &model_type);
    return give(L, ic_model_load(begin(L), path, (ic_model **)&o->handle));
}

/* imgcls.load_bytes(string) */
int model_load_bytes(lua_State *L)
{
    size_t size;
    const char *bytes = luaL_checklstring(L, 1, &size);
    object *o = push_object(L, &model_type);
    return give(L, ic_model_load_memory(begin(L), bytes, size, (ic_model **)&o->handle));
}

static int model_save(lua_State *L)
{
    return give_true(L, ic_model_save(check_handle(L, 1, &model_type), check_text(L, 2)));
}

static int model_classes(lua_State *L)
{
    const ic_model *model = check_handle(L, 1, &model_type);
    lua_newtable(L);
    for (int32_t i = 0; i < ic_model_class_count(model); i++) {
        lua_pushstring(L, ic_model_class_name(model, i));
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

/* model:input() -> width, height, channels */
static int model_input(lua_State *L)
{
    int32_t values[3];
    ic_model_input(check_handle(L, 1, &model_type), &values[0], &values[1], &values[2]);
    for (int i = 0; i < 3; i++)
        lua_pushinteger(L, values[i]);
    return 3;
}

static int model_plot_history(lua_State *L)
{
    const ic_model *model = check_handle(L, 1, &model_type);
    return give_true(L, ic_model_plot_history(model, check_text(L, 2)));
}

/* Rows by the actual class, of numbers by the called one; nil: none. */
static int model_costs(lua_State *L)
{
    const ic_model *model = check_handle(L, 1, &model_type);
    const int32_t classes = ic_model_class_count(model);
    double *costs = lua_newuserdata(L, (size_t)classes * (size_t)classes * sizeof *costs);
    if (ic_model_costs(model, costs) < 0)
        return 0;
    lua_newtable(L);
    for (int32_t i = 0; i < classes; i++) {
        push_doubles(L, costs + (size_t)i * (size_t)classes, classes);
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

static int model_set_costs(lua_State *L)
{
    ic_model *model = check_handle(L, 1, &model_type);
    const int32_t classes = ic_model_class_count(model);
    if (lua_isnoneornil(L, 2))
        return give_true(L, ic_model_set_costs(model, NULL));
    luaL_checktype(L, 2, LUA_TTABLE);
    double *costs = lua_newuserdata(L, (size_t)classes * (size_t)classes * sizeof *costs);
    for (int32_t i = 0; i < classes * classes; i++) {
        lua_rawgeti(L, 2, i / classes + 1);
        luaL_argcheck(L, lua_istable(L, -1), 2, "a row for each class");
        lua_rawgeti(L, -1, i % classes + 1);
        luaL_argcheck(L, lua_isnumber(L, -1), 2, "a number for each class");
        costs[i] = (double)lua_tonumber(L, -1);
        lua_pop(L, 2);
    }
    return give_true(L, ic_model_set_costs(model, costs));
}

/* The class by its number, from 1, and the threshold. */
static int model_set_threshold(lua_State *L)
{
    ic_model *model = check_handle(L, 1, &model_type);
    return give_true(L, ic_model_set_threshold(model, check_index(L, 2), luaL_checknumber(L, 3)));
}

/* Of a table of probabilities: the number of the class, and its name. */
static int model_decide(lua_State *L)
{
    const ic_model *model = check_handle(L, 1, &model_type);
    const int32_t classes = ic_model_class_count(model);
    int32_t index;
    luaL_checktype(L, 2, LUA_TTABLE);
    float *probabilities = lua_newuserdata(L, (size_t)classes * sizeof *probabilities);
    for (int32_t i = 0; i < classes; i++) {
        lua_rawgeti(L, 2, i + 1);
        luaL_argcheck(L, lua_isnumber(L, -1), 2, "a probability for each class");
        probabilities[i] = (float)lua_tonumber(L, -1);
        lua_pop(L, 1);
    }
    ic_status status = ic_model_decide(model, probabilities, &index);
    if (status < 0)
        return push_failure(L, status);
    lua_pushinteger(L, index + 1);
    lua_pushstring(L, ic_model_class_name(model, index));
    return 2;
}

static ic_status bytes(const void *handle, char *buffer, size_t capacity, size_t *size)
{
    return ic_model_save_memory(handle, buffer, capacity, size);
}

static ic_status json(const void *handle, char *buffer, size_t capacity, size_t *size)
{
    return ic_model_json(handle, buffer, capacity, size);
}

/* The options that repeat the training, as flags of the imgcls command. */
static ic_status flags(const void *handle, char *buffer, size_t capacity, size_t *size)
{
    return ic_model_flags(handle, buffer, capacity, size);
}

static const luaL_Reg methods[] = {{"save", model_save},
                                   {"classes", model_classes},
                                   {"input", model_input},
                                   {"image", model_load_image},
                                   {"decode", model_decode_image},
                                   {"plot_history", model_plot_history},
                                   {"predict", model_predict},
                                   {"predict_all", model_predict_all},
                                   {"explain", model_explain},
                                   {"neighbours", model_neighbours},
                                   {"evaluate", model_evaluate},
                                   {"costs", model_costs},
                                   {"set_costs", model_set_costs},
                                   {"set_threshold", model_set_threshold},
                                   {"decide", model_decide},
                                   {NULL, NULL}};

static const text_method texts[] = {
    {"bytes", bytes, 0}, {"json", json, 1}, {"flags", flags, 1}, {NULL, NULL, 0}};

static void free_model(void *handle)
{
    ic_model_free(handle);
}

const object_type model_type = {"imgcls.model", free_model, methods, texts};

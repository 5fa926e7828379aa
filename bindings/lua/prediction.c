/* bindings/lua/prediction.c: what models say of pictures. SPDX-License-Identifier: MIT */
#include "module.h"

static const char THE_PREDICTION[] = "imgcls.the_prediction";

static void free_prediction(void *handle)
{
    ic_prediction_free(handle);
}

const object_type prediction_type = {"imgcls.prediction", free_prediction, NULL, NULL};

void add_prediction(lua_State *L)
{
    push_object(L, &prediction_type);
    lua_setfield(L, LUA_REGISTRYINDEX, THE_PREDICTION);
}

/* The state's prediction, so that a steady loop allocates nothing in the library. It is made when
 * it is first wanted, as a context with a prediction can no longer be configured. At views_index
 * is how many views it averages, or nothing for one. */
static ic_status prediction_of(lua_State *L, int views_index, ic_prediction **out)
{
    int32_t views = opt_int32(L, views_index, 1);
    luaL_argcheck(L, views == 1 || views == 2 || views == 6, views_index, "views are 1, 2 or 6");
    ic_status status = IC_OK;
    lua_getfield(L, LUA_REGISTRYINDEX, THE_PREDICTION);
    object *o = lua_touserdata(L, -1);
    lua_pop(L, 1);
    ic_context *context = begin(L);
    if (o->handle == NULL)
        status = ic_prediction_create(context, (ic_prediction **)&o->handle);
    *out = o->handle;
    return status < 0 ? status : ic_prediction_set_views(o->handle, views);
}

/* What is said of a picture besides its classes, as fields of the table on top of the stack. */
static void add_notes(lua_State *L, const ic_prediction *prediction, int32_t picture)
{
    float score = 0, threshold = 0, spread = 0;
    ic_prediction_spread(prediction, picture, &spread);
    set_number(L, "spread", (double)spread);
    if (ic_prediction_unknown(prediction, picture, &score, &threshold) < 0)
        return;
    set_flag(L, "unknown", score > threshold);
    set_number(L, "score", (double)score);
    set_number(L, "threshold", (double)threshold);
}

/* {{class = name, probability = p}, ..., spread = s, unknown = true or false, score = s,
 * threshold = t}, the most probable first; the last three where the model can tell */
static void push_ranking(lua_State *L, const ic_model *model, const ic_prediction *prediction,
                         int32_t picture)
{
    lua_newtable(L);
    for (int32_t rank = 0; rank < ic_model_class_count(model); rank++) {
        int32_t index = 0;
        float probability = 0;
        ic_prediction_batch_class(prediction, picture, rank, &index, &probability);
        lua_newtable(L);
        set_text(L, "class", ic_model_class_name(model, index));
        set_number(L, "probability", (double)probability);
        lua_rawseti(L, -2, rank + 1);
    }
    add_notes(L, prediction, picture);
}

/* model:predict(image or path, views) -> class, probability, ranking */
int model_predict(lua_State *L)
{
    int pushed = 0;
    lua_settop(L, 3);
    const ic_model *model = check_handle(L, 1, &model_type);
    const ic_image *image = image_at(L, 2, model, &pushed);
    if (image == NULL)
        return pushed;
    ic_prediction *prediction;
    ic_status status = prediction_of(L, 3, &prediction);
    if (status >= 0)
        status = ic_predict(model, image, prediction);
    if (status < 0)
        return push_failure(L, status);
    int32_t index = 0;
    float probability = 0;
    ic_prediction_class(prediction, 0, &index, &probability);
    lua_pushstring(L, ic_model_class_name(model, index));
    lua_pushnumber(L, (lua_Number)probability);
    push_ranking(L, model, prediction, 0);
    return 3;
}

/* The pictures of the table at index 2, kept alive in a table that is left on the stack; NULL:
 * failure pushed, *pushed values of it. */
static const ic_image **images_at(lua_State *L, const ic_model *model, int *count, int *pushed)
{
    luaL_checktype(L, 2, LUA_TTABLE);
    *count = (int)lua_rawlen(L, 2);
    luaL_checkstack(L, 8, NULL);
    const ic_image **images = lua_newuserdata(L, (size_t)(*count + 1) * sizeof *images);
    lua_newtable(L);
    int keep = lua_gettop(L);
    for (int i = 0; i < *count; i++) {
        lua_rawgeti(L, 2, i + 1);
        images[i] = image_at(L, lua_gettop(L), model, pushed);
        if (images[i] == NULL)
            return NULL;
        lua_rawseti(L, keep, i + 1);
        lua_settop(L, keep);
    }
    return images;
}

/* {ranking, ...} of models that are asked together */
static int predict_with(lua_State *L, const ic_model *const *models, int members)
{
    int pushed = 0, count;
    const ic_image **images = images_at(L, members == 1 ? models[0] : NULL, &count, &pushed);
    if (images == NULL)
        return pushed;
    ic_prediction *prediction;
    ic_status status = prediction_of(L, 3, &prediction);
    if (status >= 0)
        status = members == 1 ? ic_predict_batch(models[0], images, count, prediction)
                              : ic_predict_ensemble(models, members, images, count, prediction);
    if (status < 0)
        return push_failure(L, status);
    lua_newtable(L);
    for (int i = 0; i < count; i++) {
        push_ranking(L, models[0], prediction, i);
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

/* model:predict_all({images or paths}, views) -> {ranking, ...} */
int model_predict_all(lua_State *L)
{
    lua_settop(L, 3);
    const ic_model *model = check_handle(L, 1, &model_type);
    return predict_with(L, &model, 1);
}

/* imgcls.predict_ensemble({models}, {images or paths}, views) -> {ranking, ...} */
int predict_ensemble(lua_State *L)
{
    lua_settop(L, 3);
    luaL_checktype(L, 1, LUA_TTABLE);
    int count = (int)lua_rawlen(L, 1);
    const ic_model **models = lua_newuserdata(L, (size_t)(count + 1) * sizeof *models);
    for (int i = 0; i < count; i++) {
        lua_rawgeti(L, 1, i + 1);
        models[i] = check_handle(L, lua_gettop(L), &model_type);
        lua_pop(L, 1); /* the table at 1 keeps it */
    }
    return predict_with(L, models, count);
}

/* bindings/lua/explanation.c: where in a picture a class was found. SPDX-License-Identifier: MIT */
#include "module.h"

/* model:explain(image or path, options, progress) -> explanation, class, probability; options:
 * method, class */
int model_explain(lua_State *L)
{
    int pushed = 0;
    lua_settop(L, 4);
    const ic_model *model = check_handle(L, 1, &model_type);
    const ic_image *image = image_at(L, 2, model, &pushed);
    if (image == NULL)
        return pushed;
    const ic_options *options = push_options(L, 3);
    object *o = push_object(L, &explanation_type);
    progress_call call;
    begin_progress(L, 4, lua_touserdata(L, 1), &call);
    ic_status status = ic_explain(model, image, options, (ic_explanation **)&o->handle);
    end_progress(&call);
    if (status < 0)
        return push_failure(L, status);
    int32_t index = 0;
    float probability = 0;
    ic_explanation_class(o->handle, &index, &probability);
    lua_pushstring(L, ic_model_class_name(model, index));
    lua_pushnumber(L, (lua_Number)probability);
    return 3;
}

/* explanation:method() -> how it was found: "gradcam" or "occlusion" */
static int explanation_method(lua_State *L)
{
    lua_pushstring(L, ic_explanation_method(check_handle(L, 1, &explanation_type)));
    return 1;
}

/* {row, ...} from the top, each a table of values in 0..1 */
static int give_map(lua_State *L, ic_status status, const float *values, int32_t width,
                    int32_t height)
{
    if (status < 0)
        return push_failure(L, status);
    lua_createtable(L, height, 0);
    for (int32_t y = 0; y < height; y++) {
        push_floats(L, values + (size_t)y * (size_t)width, width);
        lua_rawseti(L, -2, y + 1);
    }
    return 1;
}

/* explanation:map() -> that of the picture */
static int explanation_map(lua_State *L)
{
    ic_explanation *explanation = check_handle(L, 1, &explanation_type);
    const float *values = NULL;
    int32_t width = 0, height = 0;
    ic_status status = ic_explanation_map(explanation, &values, &width, &height);
    return give_map(L, status, values, width, height);
}

/* explanation:tensor_map() -> that of what the network sees */
static int explanation_tensor_map(lua_State *L)
{
    const ic_explanation *explanation = check_handle(L, 1, &explanation_type);
    const float *values = NULL;
    int32_t width = 0, height = 0;
    ic_status status = ic_explanation_tensor_map(explanation, &values, &width, &height);
    return give_map(L, status, values, width, height);
}

/* explanation:image() -> the map as colours over the picture in grey */
static int explanation_image(lua_State *L)
{
    const ic_explanation *explanation = check_handle(L, 1, &explanation_type);
    object *o = push_object(L, &image_type);
    return give(L, ic_explanation_image(explanation, (ic_image **)&o->handle));
}

static const luaL_Reg methods[] = {{"method", explanation_method},
                                   {"map", explanation_map},
                                   {"tensor_map", explanation_tensor_map},
                                   {"image", explanation_image},
                                   {NULL, NULL}};

static void free_explanation(void *handle)
{
    ic_explanation_free(handle);
}

const object_type explanation_type = {"imgcls.explanation", free_explanation, methods, NULL};

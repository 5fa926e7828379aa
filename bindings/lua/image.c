/* bindings/lua/image.c: pictures. SPDX-License-Identifier: MIT */
#include "module.h"

/* imgcls.image(path) */
int image_load(lua_State *L)
{
    const char *path = check_text(L, 1);
    object *o = push_object(L, &image_type);
    return give(L, ic_image_load(begin(L), path, (ic_image **)&o->handle));
}

/* imgcls.decode(bytes): of a JPEG or PNG file */
int image_decode(lua_State *L)
{
    size_t size;
    const char *bytes = luaL_checklstring(L, 1, &size);
    object *o = push_object(L, &image_type);
    return give(L, ic_image_decode(begin(L), bytes, size, (ic_image **)&o->handle));
}

/* imgcls.pixels(bytes, width, height, order): order "rgba8", "bgra8", "grey16"... */
int image_pixels(lua_State *L)
{
    static const char *const orders[] = {"grey8", "grey_alpha8", "rgb8",   "rgba8",
                                         "bgr8",  "bgra8",       "grey16", "grey_alpha16",
                                         "rgb16", "rgba16",      NULL};
    static const unsigned char bytes_each[] = {1, 2, 3, 4, 3, 4, 2, 4, 6, 8};
    size_t size;
    const char *bytes = luaL_checklstring(L, 1, &size);
    int32_t width = check_int32(L, 2), height = check_int32(L, 3);
    int order = luaL_checkoption(L, 4, "rgb8", orders);
    if (width < 1 || height < 1 || width > 65535 || height > 65535 ||
        size != (size_t)width * (size_t)height * bytes_each[order])
        return luaL_error(L, "pixels: the string must hold width x height pixels of %s",
                          orders[order]);
    object *o = push_object(L, &image_type);
    return give(L, ic_image_from_pixels(begin(L), bytes, width, height, 0, order + 1,
                                        (ic_image **)&o->handle));
}

/* model:image(path): as data sets are read for it */
int model_load_image(lua_State *L)
{
    const ic_model *model = check_handle(L, 1, &model_type);
    const char *path = check_text(L, 2);
    object *o = push_object(L, &image_type);
    return give(L, ic_model_load_image(model, path, (ic_image **)&o->handle));
}

/* model:decode(bytes): the same of a JPEG or PNG file in memory */
int model_decode_image(lua_State *L)
{
    size_t size;
    const ic_model *model = check_handle(L, 1, &model_type);
    const char *bytes = luaL_checklstring(L, 2, &size);
    object *o = push_object(L, &image_type);
    return give(L, ic_model_decode_image(model, bytes, size, (ic_image **)&o->handle));
}

const ic_image *image_at(lua_State *L, int index, const ic_model *model, int *pushed)
{
    if (lua_type(L, index) != LUA_TSTRING)
        return check_handle(L, index, &image_type);
    const char *path = check_text(L, index);
    object *o = push_object(L, &image_type);
    ic_image **out = (ic_image **)&o->handle;
    ic_status status =
        model != NULL ? ic_model_load_image(model, path, out) : ic_image_load(begin(L), path, out);
    if (status < 0)
        *pushed = push_failure(L, status);
    return o->handle;
}

/* image:info() -> width, height, channels, depth */
static int image_info(lua_State *L)
{
    int32_t values[4];
    ic_image_info(check_handle(L, 1, &image_type), &values[0], &values[1], &values[2], &values[3]);
    for (int i = 0; i < 4; i++)
        lua_pushinteger(L, values[i]);
    return 4;
}

static int image_save_png(lua_State *L)
{
    return give_true(L, ic_image_save_png(check_handle(L, 1, &image_type), check_text(L, 2)));
}

static const luaL_Reg methods[] = {
    {"info", image_info}, {"save_png", image_save_png}, {NULL, NULL}};

static void free_image(void *handle)
{
    ic_image_free(handle);
}

const object_type image_type = {"imgcls.image", free_image, methods, NULL};

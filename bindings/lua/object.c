/* bindings/lua/object.c: objects of the library in Lua, and results. SPDX-License-Identifier: MIT
 */
#include "module.h"

#include <string.h>

/* ---- Objects ---- */

object *push_object(lua_State *L, const object_type *type)
{
    object *o = lua_newuserdata(L, sizeof *o);
    o->handle = NULL;
    o->busy = 0;
    luaL_getmetatable(L, type->name);
    lua_setmetatable(L, -2);
    return o;
}

void *check_handle(lua_State *L, int index, const object_type *type)
{
    object *o = luaL_checkudata(L, index, type->name);
    if (o->handle == NULL)
        luaL_argerror(L, index, "this object is closed");
    if (o->busy)
        luaL_argerror(L, index, "this object is at work: wait until the call returns");
    begin(L);
    return o->handle;
}

/* The type is upvalue 1 as light userdata: __gc, __close and close share this. */
static int close_object(lua_State *L)
{
    const object_type *type = lua_touserdata(L, lua_upvalueindex(1));
    object *o = luaL_checkudata(L, 1, type->name);
    void *handle = o->handle;
    if (o->busy)
        luaL_argerror(L, 1, "this object is at work: return true to stop it");
    o->handle = NULL;
    if (handle != NULL)
        type->free(handle);
    return 0;
}

/* Upvalues: the type and the text_method. */
static int give_text(lua_State *L)
{
    const object_type *type = lua_touserdata(L, lua_upvalueindex(1));
    const text_method *text = lua_touserdata(L, lua_upvalueindex(2));
    const void *handle = check_handle(L, 1, type);
    size_t size = 0;
    ic_status status = text->get(handle, NULL, 0, &size);
    if (status < 0)
        return push_failure(L, status);
    char *buffer = lua_newuserdata(L, size); /* collected with the stack */
    status = text->get(handle, buffer, size, &size);
    if (status >= 0)
        lua_pushlstring(L, buffer, size - text->spare);
    return give(L, status);
}

void add_functions(lua_State *L, const luaL_Reg *list)
{
    for (; list != NULL && list->name != NULL; list++) {
        lua_pushcfunction(L, list->func);
        lua_setfield(L, -2, list->name);
    }
}

void add_type(lua_State *L, const object_type *type)
{
    static const char *const closers[] = {"__gc", "__close", "close"};
    luaL_newmetatable(L, type->name);
    add_functions(L, type->methods);
    for (const text_method *text = type->texts; text != NULL && text->name != NULL; text++) {
        lua_pushlightuserdata(L, (void *)type);
        lua_pushlightuserdata(L, (void *)text);
        lua_pushcclosure(L, give_text, 2);
        lua_setfield(L, -2, text->name);
    }
    for (int i = 0; i < 3; i++) {
        lua_pushlightuserdata(L, (void *)type);
        lua_pushcclosure(L, close_object, 1);
        lua_setfield(L, -2, closers[i]);
    }
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
}

/* ---- Results ---- */

int push_failure(lua_State *L, ic_status status)
{
    lua_pushnil(L);
    lua_pushstring(L, ic_last_error());
    lua_pushinteger(L, status);
    return 3;
}

int give_many(lua_State *L, ic_status status, int count)
{
    return status < 0 ? push_failure(L, status) : count;
}

int give(lua_State *L, ic_status status)
{
    return give_many(L, status, 1);
}

int give_true(lua_State *L, ic_status status)
{
    lua_pushboolean(L, 1);
    return give(L, status);
}

int give_numbers(lua_State *L, ic_status status, const double *values, int count)
{
    for (int i = 0; i < count && status >= 0; i++)
        lua_pushnumber(L, values[i]);
    return give_many(L, status, count);
}

void set_text(lua_State *L, const char *key, const char *text)
{
    lua_pushstring(L, text);
    lua_setfield(L, -2, key);
}

void set_texts(lua_State *L, const char *const *keys, const char *const *texts, int count)
{
    for (int i = 0; i < count; i++)
        set_text(L, keys[i], texts[i]);
}

void set_number(lua_State *L, const char *key, double value)
{
    lua_pushnumber(L, value);
    lua_setfield(L, -2, key);
}

void set_integer(lua_State *L, const char *key, int64_t value)
{
    lua_pushinteger(L, (lua_Integer)value);
    lua_setfield(L, -2, key);
}

void set_flag(lua_State *L, const char *key, int value)
{
    lua_pushboolean(L, value);
    lua_setfield(L, -2, key);
}

void push_floats(lua_State *L, const float *values, int count)
{
    lua_createtable(L, count, 0);
    for (int i = 0; i < count; i++) {
        lua_pushnumber(L, (lua_Number)values[i]);
        lua_rawseti(L, -2, i + 1);
    }
}

void push_doubles(lua_State *L, const double *values, int64_t count)
{
    lua_newtable(L);
    for (int64_t i = 0; i < count; i++) {
        lua_pushnumber(L, values[i]);
        lua_rawseti(L, -2, (int)i + 1);
    }
}

const char *check_text(lua_State *L, int index)
{
    size_t size;
    const char *text = luaL_checklstring(L, index, &size);
    luaL_argcheck(L, strlen(text) == size, index, "a text with a zero byte in it");
    return text;
}

const char *opt_text(lua_State *L, int index, const char *otherwise)
{
    return lua_isnoneornil(L, index) ? otherwise : check_text(L, index);
}

/* Looked at as a float first: Lua 5.1 makes any number whatever an integer. */
int32_t check_int32(lua_State *L, int index)
{
    lua_Number value = luaL_checknumber(L, index);
    luaL_argcheck(L, value >= -INT32_MAX && value <= INT32_MAX, index, "a number beyond 32 bits");
    return (int32_t)luaL_checkinteger(L, index);
}

int32_t opt_int32(lua_State *L, int index, int32_t otherwise)
{
    return lua_isnoneornil(L, index) ? otherwise : check_int32(L, index);
}

int32_t check_index(lua_State *L, int index)
{
    return check_int32(L, index) - 1;
}

/*
 * bindings/lua/module.h: what the files of the Lua module share. One source for 5.1 to 5.4 and
 * LuaJIT. What can be expected to fail returns nil, message, code; misuse (a wrong type) raises.
 * SPDX-License-Identifier: MIT
 */
#ifndef IMGCLS_LUA_MODULE_H
#define IMGCLS_LUA_MODULE_H

#include <imgcls/imgcls.h>

#include <lauxlib.h>
#include <lua.h>

#if LUA_VERSION_NUM < 502
#define lua_rawlen lua_objlen
#endif

/* Only luaopen_imgcls is seen outside; no host's function of the same name comes in between. */
#if defined(__GNUC__)
#pragma GCC visibility push(hidden)
#endif

/* ---- object.c: objects. A userdata holds one handle of the library; freeing twice does nothing. */

typedef struct object {
    void *handle;
    int busy; /* a call is under way that calls back into Lua: hands off until it returns */
} object;

/* A method that gives a text, or bytes, which the library writes into a buffer. */
typedef struct text_method {
    const char *name;
    ic_status (*get)(const void *handle, char *buffer, size_t capacity, size_t *size);
    size_t spare; /* bytes at the end that are not of the string: the final zero of a text */
} text_method;

/* Both lists end with a name that is NULL, and may be NULL. */
typedef struct object_type {
    const char *name;
    void (*free)(void *handle);
    const luaL_Reg *methods;
    const text_method *texts;
} object_type;

extern const object_type context_type, options_type, image_type, dataset_type, inspection_type,
    model_type, prediction_type, explanation_type, neighbours_type, trainer_type, report_type, comparison_type;

void add_type(lua_State *L, const object_type *type);
void add_functions(lua_State *L, const luaL_Reg *list);

/* Pushes an empty object, to be filled by the call that makes the handle: so no handle is ever
 * without an owner. */
object *push_object(lua_State *L, const object_type *type);

/* The handle of an object that is ready for a call; it begins one. */
void *check_handle(lua_State *L, int index, const object_type *type);

/* ---- object.c: results ---- */

/* nil, message, code */
int push_failure(lua_State *L, ic_status status);

/* What lies on top of the stack (that many values), or the failure. */
int give_many(lua_State *L, ic_status status, int count);
int give(lua_State *L, ic_status status);
int give_true(lua_State *L, ic_status status);
int give_numbers(lua_State *L, ic_status status, const double *values, int count);

/* Into the table on top of the stack. */
void set_text(lua_State *L, const char *key, const char *text);
void set_texts(lua_State *L, const char *const *keys, const char *const *texts, int count);
void set_number(lua_State *L, const char *key, double value);
void set_integer(lua_State *L, const char *key, int64_t value);
void set_flag(lua_State *L, const char *key, int value);

/* A table of numbers, {1 = values[0], ...}. */
void push_floats(lua_State *L, const float *values, int count);
void push_doubles(lua_State *L, const double *values, int64_t count);

/* ---- object.c: arguments. Numbers are within -INT32_MAX..INT32_MAX, others raise. */

int32_t check_int32(lua_State *L, int index);
int32_t opt_int32(lua_State *L, int index, int32_t otherwise);

/* A text without zero bytes in it, which would end it for the library; others raise. */
const char *check_text(lua_State *L, int index);
const char *opt_text(lua_State *L, int index, const char *otherwise);

/* An index, which counts from 1 in Lua and from 0 in C. */
int32_t check_index(lua_State *L, int index);

/* ---- context.c ---- */

/* Makes the state's context, which lives in the registry as long as the state. */
void add_context(lua_State *L);

/* The context, before a call: messages come to the coroutine that makes it. What takes an object has
 * begun with check_handle. */
ic_context *begin(lua_State *L);

/* Leaves an options object on the stack, of the table (or nothing) at the index, and returns it; a
 * wrong name or value is misuse and raises. */
ic_options *push_options(lua_State *L, int index);

/* Progress: a function(event) that may return true to cancel; its error is raised afterwards. */
typedef struct progress_call {
    lua_State *L;
    int function; /* stack index, 0: none */
    int failed;   /* its error lies on top of the stack */
    object *busy; /* what must not be touched meanwhile, NULL: nothing */
    const ic_trainer *trainer;
    const char *plot; /* of the trainer, NULL: none */
    double plotted;   /* when, seconds of training */
} progress_call;

void begin_progress(lua_State *L, int index, object *busy, progress_call *call);
/* In place of begin_progress: the trainer (at 1) also draws its curves there now and then. */
void begin_plotted(lua_State *L, int index, object *trainer, const char *plot,
                   progress_call *call);
void end_progress(progress_call *call);

int set_log(lua_State *L);
int configure(lua_State *L);
int list_options(lua_State *L);

/* ---- image.c ---- */

/* An image, or a path that is loaded (and left on the stack to be collected), as the model wants it
 * if there is one. NULL: failure pushed, *pushed values of it. */
const ic_image *image_at(lua_State *L, int index, const ic_model *model, int *pushed);

int image_load(lua_State *L);
int image_decode(lua_State *L);
int image_pixels(lua_State *L);
int model_load_image(lua_State *L);
int model_decode_image(lua_State *L);

/* ---- The others: functions of the module, and methods that make an object of another file ---- */

int dataset_open(lua_State *L);
int dataset_inspect(lua_State *L);
int dataset_cross_validate(lua_State *L);

int model_create(lua_State *L);
int model_create_from(lua_State *L);
int model_load(lua_State *L);
int model_load_bytes(lua_State *L);
int model_predict(lua_State *L);
int model_predict_all(lua_State *L);
int model_explain(lua_State *L);
int model_neighbours(lua_State *L);
int model_evaluate(lua_State *L);

/* Makes the place of the state's prediction in the registry. */
void add_prediction(lua_State *L);
int predict_ensemble(lua_State *L);

int trainer_create(lua_State *L);
int trainer_resume(lua_State *L);

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif

#endif

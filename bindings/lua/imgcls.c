/*
 * bindings/lua/imgcls.c: the Lua module, one source for 5.1 to 5.4 and LuaJIT. What can be expected
 * to fail returns nil, message, code; misuse (a wrong type) raises. SPDX-License-Identifier: MIT
 */
#include <imgcls/imgcls.h>

#include <lauxlib.h>
#include <lua.h>
#include <stdlib.h>
#include <string.h>

#if LUA_VERSION_NUM < 502
#define lua_rawlen lua_objlen
#endif

/* ---- Objects: a userdata holds one handle of the library; freeing twice does nothing. ---- */

typedef struct object {
    void *handle;
    int busy; /* a call is under way that calls back into Lua: hands off until it returns */
} object;

static const char CONTEXT[] = "imgcls.context", OPTIONS[] = "imgcls.options",
                  IMAGE[] = "imgcls.image", DATASET[] = "imgcls.dataset", MODEL[] = "imgcls.model",
                  PREDICTION[] = "imgcls.prediction", TRAINER[] = "imgcls.trainer",
                  REPORT[] = "imgcls.report", COMPARISON[] = "imgcls.comparison",
                  INSPECTION[] = "imgcls.inspection", EXPLANATION[] = "imgcls.explanation";

static void free_handle(const char *type, void *handle)
{
    if (type == CONTEXT)
        ic_context_free(handle);
    else if (type == OPTIONS)
        ic_options_free(handle);
    else if (type == IMAGE)
        ic_image_free(handle);
    else if (type == DATASET)
        ic_dataset_free(handle);
    else if (type == MODEL)
        ic_model_free(handle);
    else if (type == PREDICTION)
        ic_prediction_free(handle);
    else if (type == TRAINER)
        ic_trainer_free(handle);
    else if (type == COMPARISON)
        ic_comparison_free(handle);
    else if (type == INSPECTION)
        ic_inspection_free(handle);
    else if (type == EXPLANATION)
        ic_explanation_free(handle);
    else
        ic_report_free(handle);
}

/* Pushes an empty object, to be filled by the call that makes the handle: so no handle is ever
 * without an owner. */
static object *push_object(lua_State *L, const char *type)
{
    object *o = lua_newuserdata(L, sizeof *o);
    o->handle = NULL;
    o->busy = 0;
    luaL_getmetatable(L, type);
    lua_setmetatable(L, -2);
    return o;
}

static void *check_handle(lua_State *L, int index, const char *type)
{
    object *o = luaL_checkudata(L, index, type);
    if (o->handle == NULL)
        luaL_argerror(L, index, "this object is closed");
    if (o->busy)
        luaL_argerror(L, index, "this object is at work: wait until the call returns");
    return o->handle;
}

/* nil, message, code */
static int push_failure(lua_State *L, ic_status status)
{
    lua_pushnil(L);
    lua_pushstring(L, ic_last_error());
    lua_pushinteger(L, status);
    return 3;
}

/* The object on top of the stack, or the failure in its place. */
static int give(lua_State *L, ic_status status)
{
    return status < 0 ? push_failure(L, status) : 1;
}

static int give_true(lua_State *L, ic_status status)
{
    lua_pushboolean(L, 1);
    return give(L, status);
}

/* The type's name is upvalue 1 as light userdata: __gc, __close and close share this. */
static int close_object(lua_State *L)
{
    const char *type = lua_touserdata(L, lua_upvalueindex(1));
    object *o = luaL_checkudata(L, 1, type);
    void *handle = o->handle;
    if (o->busy)
        luaL_argerror(L, 1, "this object is at work: return true to stop it");
    o->handle = NULL;
    if (handle != NULL)
        free_handle(type, handle);
    return 0;
}

/* ---- The one context of a Lua state, and its prediction, in the registry beside the types. ----
 */

static const char THE_CONTEXT[] = "imgcls.the_context", THE_PREDICTION[] = "imgcls.the_prediction";

static void on_log(int32_t level, const char *message, void *payload)
{
    lua_State *L = payload;
    lua_getfield(L, LUA_REGISTRYINDEX, "imgcls.log");
    if (lua_isfunction(L, -1)) {
        lua_pushinteger(L, level);
        lua_pushstring(L, message);
        if (lua_pcall(L, 2, 0, 0) != 0)
            lua_pop(L, 1); /* a broken log function must not break the work */
    } else {
        lua_pop(L, 1);
    }
}

static ic_context *context_of(lua_State *L)
{
    lua_getfield(L, LUA_REGISTRYINDEX, THE_CONTEXT);
    object *o = lua_touserdata(L, -1);
    lua_pop(L, 1);
    return o->handle;
}

/* Log messages come to the coroutine that makes the call. */
static ic_context *begin(lua_State *L)
{
    ic_context *context = context_of(L);
    ic_context_set_log(context, on_log, L);
    return context;
}

/* imgcls.log(function(level, message) ... end), or nil for silence */
static int set_log(lua_State *L)
{
    if (!lua_isnoneornil(L, 1))
        luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_settop(L, 1);
    lua_setfield(L, LUA_REGISTRYINDEX, "imgcls.log");
    return 0;
}

/* ---- Options from a table ---- */

static ic_status set_option(lua_State *L, ic_options *options, const char *name)
{
    if (lua_type(L, -1) == LUA_TNUMBER) {
        lua_Number value = lua_tonumber(L, -1);
        if (value >= -9e15 && value <= 9e15 && value == (lua_Number)(int64_t)value)
            return ic_options_set_int(options, name, (int64_t)value);
        return ic_options_set_float(options, name, value);
    }
    if (lua_isboolean(L, -1))
        return ic_options_set_text(options, name, lua_toboolean(L, -1) ? "on" : "off");
    return ic_options_set_text(options, name, lua_tostring(L, -1));
}

/* Leaves an options object on the stack and returns it; a wrong name or value is misuse and raises.
 */
static ic_options *push_options(lua_State *L, int index)
{
    object *o = push_object(L, OPTIONS);
    if (ic_options_create(context_of(L), (ic_options **)&o->handle) < 0)
        luaL_error(L, "%s", ic_last_error());
    if (lua_isnoneornil(L, index))
        return o->handle;
    luaL_checktype(L, index, LUA_TTABLE);
    lua_pushnil(L);
    while (lua_next(L, index) != 0) {
        if (lua_type(L, -2) != LUA_TSTRING)
            luaL_error(L, "options are written as name = value");
        if (set_option(L, o->handle, lua_tostring(L, -2)) < 0)
            luaL_error(L, "%s", ic_last_error());
        lua_pop(L, 1);
    }
    return o->handle;
}

/* imgcls.configure{threads = 2}: before the first other call */
static int configure(lua_State *L)
{
    return give_true(L, ic_context_configure(begin(L), push_options(L, 1)));
}

/* imgcls.options(): every option as {name, owner, type, default, values, help} */
static int list_options(lua_State *L)
{
    static const char *const keys[] = {"name", "owner", "type", "default", "values", "help"};
    lua_newtable(L);
    for (int32_t i = 0; i < ic_option_count(); i++) {
        const char *texts[6];
        ic_option_info(i, &texts[0], &texts[1], &texts[2], &texts[3], &texts[4], &texts[5]);
        lua_newtable(L);
        for (int k = 0; k < 6; k++) {
            lua_pushstring(L, texts[k]);
            lua_setfield(L, -2, keys[k]);
        }
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

/* ---- Progress: a function(event) that may return true to cancel; its error is raised after the
 * call ---- */

typedef struct progress_call {
    lua_State *L;
    int function; /* stack index, 0: none */
    int failed;   /* its error lies on top of the stack */
    const ic_trainer *trainer;
    const char *plot; /* of the trainer, NULL: none */
    double plotted;   /* when, seconds of training */
} progress_call;

/* After an epoch, about once a second: one that fails then is tried again. */
static void plot_now_and_then(progress_call *call, const ic_progress *progress)
{
    double seconds;
    if (call->plot == NULL || ic_progress_value(progress, "epoch_done", &seconds) < 0 ||
        ic_progress_value(progress, "seconds", &seconds) < 0 || seconds - call->plotted < 1)
        return;
    ic_trainer_plot(call->trainer, call->plot);
    call->plotted = seconds;
}

static int32_t on_progress(const ic_progress *progress, void *payload)
{
    static const char *const names[] = {"done",
                                        "total",
                                        "seconds",
                                        "epoch",
                                        "epochs",
                                        "step",
                                        "steps",
                                        "loss",
                                        "accuracy",
                                        "learning_rate",
                                        "pictures_per_second",
                                        "seconds_left",
                                        "epoch_done",
                                        "validation_loss",
                                        "validation_accuracy",
                                        "best_epoch"};
    progress_call *call = payload;
    lua_State *L = call->L;
    plot_now_and_then(call, progress);
    if (call->function == 0)
        return 0;
    lua_pushvalue(L, call->function);
    lua_newtable(L);
    lua_pushstring(L, ic_progress_phase(progress));
    lua_setfield(L, -2, "phase");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        double value;
        if (ic_progress_value(progress, names[i], &value) >= 0) {
            lua_pushnumber(L, value);
            lua_setfield(L, -2, names[i]);
        }
    }
    if (lua_pcall(L, 1, 1, 0) != 0) {
        call->failed = 1;
        return 1;
    }
    int cancel = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return cancel;
}

static void begin_progress(lua_State *L, int index, progress_call *call)
{
    call->L = L;
    call->failed = 0;
    call->plot = NULL;
    call->function = lua_isnoneornil(L, index) ? 0 : index;
    if (call->function != 0)
        luaL_checktype(L, index, LUA_TFUNCTION);
    luaL_checkstack(L, 8, NULL);
    ic_context_set_progress(begin(L), call->function != 0 ? on_progress : NULL, call);
}

static void end_progress(progress_call *call)
{
    ic_context_set_progress(context_of(call->L), NULL, NULL);
    if (call->failed)
        lua_error(call->L);
}

/* ---- Texts that the library writes into a buffer ---- */

typedef ic_status (*text_fn)(const void *handle, char *buffer, size_t capacity, size_t *size);

static ic_status dataset_text(const void *handle, char *buffer, size_t capacity, size_t *size)
{
    return ic_dataset_json(handle, buffer, capacity, size);
}

static ic_status inspection_text(const void *handle, char *buffer, size_t capacity, size_t *size)
{
    return ic_inspection_json(handle, buffer, capacity, size);
}

static ic_status model_text(const void *handle, char *buffer, size_t capacity, size_t *size)
{
    return ic_model_json(handle, buffer, capacity, size);
}

static ic_status model_flags_text(const void *handle, char *buffer, size_t capacity, size_t *size)
{
    return ic_model_flags(handle, buffer, capacity, size);
}

static ic_status report_text(const void *handle, char *buffer, size_t capacity, size_t *size)
{
    return ic_report_json(handle, buffer, capacity, size);
}

static ic_status model_bytes(const void *handle, char *buffer, size_t capacity, size_t *size)
{
    return ic_model_save_memory(handle, buffer, capacity, size);
}

/* spare: bytes at the end that are not part of the string (the final zero of a text) */
static int push_text(lua_State *L, text_fn text, const void *handle, size_t spare)
{
    size_t size = 0;
    ic_status status = text(handle, NULL, 0, &size);
    if (status < 0)
        return push_failure(L, status);
    char *buffer = lua_newuserdata(L, size); /* collected with the stack */
    status = text(handle, buffer, size, &size);
    if (status >= 0)
        lua_pushlstring(L, buffer, size - spare);
    return give(L, status);
}

/* ---- Pictures ---- */

/* imgcls.image(path) */
static int image_load(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    object *o = push_object(L, IMAGE);
    return give(L, ic_image_load(begin(L), path, (ic_image **)&o->handle));
}

/* imgcls.decode(bytes): of a JPEG or PNG file */
static int image_decode(lua_State *L)
{
    size_t size;
    const char *bytes = luaL_checklstring(L, 1, &size);
    object *o = push_object(L, IMAGE);
    return give(L, ic_image_decode(begin(L), bytes, size, (ic_image **)&o->handle));
}

/* imgcls.pixels(bytes, width, height, order): order "rgba8", "bgra8", "grey16"... */
static int image_pixels(lua_State *L)
{
    static const char *const orders[] = {"grey8", "grey_alpha8", "rgb8",   "rgba8",
                                         "bgr8",  "bgra8",       "grey16", "grey_alpha16",
                                         "rgb16", "rgba16",      NULL};
    static const unsigned char bytes_each[] = {1, 2, 3, 4, 3, 4, 2, 4, 6, 8};
    size_t size;
    const char *bytes = luaL_checklstring(L, 1, &size);
    lua_Integer width = luaL_checkinteger(L, 2), height = luaL_checkinteger(L, 3);
    int order = luaL_checkoption(L, 4, "rgb8", orders);
    if (width < 1 || height < 1 || width > 65535 || height > 65535 ||
        size != (size_t)width * (size_t)height * bytes_each[order])
        return luaL_error(L, "pixels: the string must hold width x height pixels of %s",
                          orders[order]);
    object *o = push_object(L, IMAGE);
    return give(L, ic_image_from_pixels(begin(L), bytes, (int32_t)width, (int32_t)height, 0,
                                        order + 1, (ic_image **)&o->handle));
}

/* image:info() -> width, height, channels, depth */
static int image_info(lua_State *L)
{
    int32_t values[4];
    ic_image_info(check_handle(L, 1, IMAGE), &values[0], &values[1], &values[2], &values[3]);
    for (int i = 0; i < 4; i++)
        lua_pushinteger(L, values[i]);
    return 4;
}

static int image_save_png(lua_State *L)
{
    return give_true(L, ic_image_save_png(check_handle(L, 1, IMAGE), luaL_checkstring(L, 2)));
}

/* An image, or a path that is loaded (and left on the stack to be collected). NULL: failure pushed,
 * *pushed values of it. */
static const ic_image *image_at(lua_State *L, int index, int *pushed)
{
    if (lua_type(L, index) != LUA_TSTRING)
        return check_handle(L, index, IMAGE);
    object *o = push_object(L, IMAGE);
    ic_status status = ic_image_load(begin(L), lua_tostring(L, index), (ic_image **)&o->handle);
    if (status < 0)
        *pushed = push_failure(L, status);
    return o->handle;
}

/* ---- Data sets ---- */

/* imgcls.dataset(path, options, progress), or imgcls.dataset(nil, options) for an empty one */
static int dataset_open(lua_State *L)
{
    const char *path = luaL_optstring(L, 1, NULL);
    lua_settop(L, 3);
    const ic_options *options = push_options(L, 2);
    object *o = push_object(L, DATASET);
    ic_dataset **out = (ic_dataset **)&o->handle;
    if (path == NULL)
        return give(L, ic_dataset_create(begin(L), options, out));
    progress_call call;
    begin_progress(L, 3, &call);
    ic_status status = ic_dataset_open(context_of(L), path, options, out);
    end_progress(&call);
    return give(L, status);
}

/* dataset:add(image or path, class, group) */
static int dataset_add(lua_State *L)
{
    int pushed = 0;
    ic_dataset *dataset = check_handle(L, 1, DATASET);
    const char *name = luaL_checkstring(L, 3);
    const ic_image *image = image_at(L, 2, &pushed);
    if (image == NULL)
        return pushed;
    ic_status status = ic_dataset_add_image(dataset, image, name);
    if (status >= 0 && *luaL_optstring(L, 4, "") != '\0')
        status = ic_dataset_set_group(dataset, ic_dataset_count(dataset) - 1, lua_tostring(L, 4));
    return give_true(L, status);
}

/* dataset:group(index from 1) -> a number, 0: none */
static int dataset_group(lua_State *L)
{
    int64_t group = 0;
    ic_status status = ic_dataset_group(check_handle(L, 1, DATASET),
                                        (int64_t)luaL_checkinteger(L, 2) - 1, &group);
    lua_pushnumber(L, (lua_Number)group); /* 63 bits: equal ones stay equal */
    return give(L, status);
}

static int dataset_part(lua_State *L)
{
    const ic_dataset *dataset = check_handle(L, 1, DATASET);
    const char *part = luaL_checkstring(L, 2);
    object *o = push_object(L, DATASET);
    return give(L, ic_dataset_part(dataset, part, (ic_dataset **)&o->handle));
}

/* dataset:split(options) -> train, validation */
static int dataset_split(lua_State *L)
{
    const ic_dataset *dataset = check_handle(L, 1, DATASET);
    lua_settop(L, 2);
    const ic_options *options = push_options(L, 2);
    object *train = push_object(L, DATASET), *validation = push_object(L, DATASET);
    ic_status status = ic_dataset_split(dataset, options, (ic_dataset **)&train->handle,
                                        (ic_dataset **)&validation->handle);
    return status < 0 ? push_failure(L, status) : 2;
}

/* dataset:fold(folds, index from 1, options) -> train, validation; folds 0: repeated hold-out */
static int dataset_fold(lua_State *L)
{
    const ic_dataset *dataset = check_handle(L, 1, DATASET);
    int32_t folds = (int32_t)luaL_checkinteger(L, 2), index = (int32_t)luaL_checkinteger(L, 3);
    lua_settop(L, 4);
    const ic_options *options = push_options(L, 4);
    object *train = push_object(L, DATASET), *validation = push_object(L, DATASET);
    ic_status status =
        ic_dataset_fold(dataset, options, folds, index - 1, (ic_dataset **)&train->handle,
                        (ic_dataset **)&validation->handle);
    return status < 0 ? push_failure(L, status) : 2;
}

/* dataset:inspect(options, progress) */
static int dataset_inspect(lua_State *L)
{
    const ic_dataset *dataset = check_handle(L, 1, DATASET);
    lua_settop(L, 3);
    const ic_options *options = push_options(L, 2);
    object *o = push_object(L, INSPECTION);
    progress_call call;
    begin_progress(L, 3, &call);
    ic_status status = ic_dataset_inspect(dataset, options, (ic_inspection **)&o->handle);
    end_progress(&call);
    return give(L, status);
}

/* inspection:findings() -> {{kind = , text = , advice = , examples = (lines)}, ...} */
static int inspection_findings(lua_State *L)
{
    static const char *const keys[] = {"kind", "text", "advice", "examples"};
    const ic_inspection *inspection = check_handle(L, 1, INSPECTION);
    lua_newtable(L);
    for (int32_t i = 0; i < ic_inspection_finding_count(inspection); i++) {
        const char *texts[4] = {"", "", "", ""};
        ic_inspection_finding(inspection, i, &texts[0], &texts[1], &texts[2], &texts[3]);
        lua_newtable(L);
        for (int k = 0; k < 4; k++) {
            lua_pushstring(L, texts[k]);
            lua_setfield(L, -2, keys[k]);
        }
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

static void set_flag(lua_State *L, const char *key, int value)
{
    lua_pushboolean(L, value);
    lua_setfield(L, -2, key);
}

/* inspection:pairs() -> {{first = , second = (indices from 1), score = , near = , mirrored = ,
 * across_parts = , across_classes = }, ...} */
static int inspection_pairs(lua_State *L)
{
    const ic_inspection *inspection = check_handle(L, 1, INSPECTION);
    lua_newtable(L);
    for (int64_t i = 0; i < ic_inspection_pair_count(inspection); i++) {
        int64_t first = 0, second = 0;
        int32_t bits = 0;
        double score = 0;
        ic_inspection_pair(inspection, i, &first, &second, &bits, &score);
        lua_newtable(L);
        lua_pushinteger(L, (lua_Integer)first + 1);
        lua_setfield(L, -2, "first");
        lua_pushinteger(L, (lua_Integer)second + 1);
        lua_setfield(L, -2, "second");
        lua_pushnumber(L, score);
        lua_setfield(L, -2, "score");
        set_flag(L, "near", (bits & IC_PAIR_NEAR) != 0);
        set_flag(L, "mirrored", (bits & IC_PAIR_MIRRORED) != 0);
        set_flag(L, "across_parts", (bits & IC_PAIR_PARTS) != 0);
        set_flag(L, "across_classes", (bits & IC_PAIR_CLASSES) != 0);
        lua_rawseti(L, -2, (int)i + 1);
    }
    return 1;
}

static int inspection_json(lua_State *L)
{
    return push_text(L, inspection_text, check_handle(L, 1, INSPECTION), 1);
}

/* inspection:plot("classes" or "duplicates", path, options) */
static int inspection_plot(lua_State *L)
{
    const ic_inspection *inspection = check_handle(L, 1, INSPECTION);
    const char *what = luaL_checkstring(L, 2), *path = luaL_checkstring(L, 3);
    lua_settop(L, 4);
    return give_true(L, ic_inspection_plot(inspection, push_options(L, 4), what, path));
}

static int dataset_count(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)ic_dataset_count(check_handle(L, 1, DATASET)));
    return 1;
}

/* dataset:classes() -> {{class = name, count = n}, ...} */
static int dataset_classes(lua_State *L)
{
    const ic_dataset *dataset = check_handle(L, 1, DATASET);
    lua_newtable(L);
    for (int32_t i = 0; i < ic_dataset_class_count(dataset); i++) {
        const char *name = "";
        int64_t count = 0;
        ic_dataset_class(dataset, i, &name, &count);
        lua_newtable(L);
        lua_pushstring(L, name);
        lua_setfield(L, -2, "class");
        lua_pushinteger(L, (lua_Integer)count);
        lua_setfield(L, -2, "count");
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

/* dataset:broken() -> {{file = path, reason = text}, ...} */
static int dataset_broken(lua_State *L)
{
    const ic_dataset *dataset = check_handle(L, 1, DATASET);
    lua_newtable(L);
    for (int64_t i = 0; i < ic_dataset_broken_count(dataset); i++) {
        const char *path = "", *reason = "";
        ic_dataset_broken(dataset, i, &path, &reason);
        lua_newtable(L);
        lua_pushstring(L, path);
        lua_setfield(L, -2, "file");
        lua_pushstring(L, reason);
        lua_setfield(L, -2, "reason");
        lua_rawseti(L, -2, (int)i + 1);
    }
    return 1;
}

static int dataset_json(lua_State *L)
{
    return push_text(L, dataset_text, check_handle(L, 1, DATASET), 1);
}

/* dataset:plot_augmentation(path, options) */
static int dataset_plot_augmentation(lua_State *L)
{
    const ic_dataset *dataset = check_handle(L, 1, DATASET);
    const char *path = luaL_checkstring(L, 2);
    lua_settop(L, 3);
    const ic_options *options = push_options(L, 3);
    return give_true(L, ic_dataset_plot_augmentation(dataset, options, path));
}

/* ---- Models ---- */

/* imgcls.model(train, options) */
static int model_create(lua_State *L)
{
    const ic_dataset *train = check_handle(L, 1, DATASET);
    lua_settop(L, 2);
    const ic_options *options = push_options(L, 2);
    object *o = push_object(L, MODEL);
    return give(L, ic_model_create(begin(L), train, options, (ic_model **)&o->handle));
}

/* imgcls.model_from(earlier, train, options): begins with what the earlier model has learnt */
static int model_create_from(lua_State *L)
{
    const ic_model *earlier = check_handle(L, 1, MODEL);
    const ic_dataset *train = check_handle(L, 2, DATASET);
    lua_settop(L, 3);
    const ic_options *options = push_options(L, 3);
    object *o = push_object(L, MODEL);
    begin(L);
    return give(L, ic_model_create_from(earlier, train, options, (ic_model **)&o->handle));
}

/* imgcls.load(path) */
static int model_load(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    object *o = push_object(L, MODEL);
    return give(L, ic_model_load(begin(L), path, (ic_model **)&o->handle));
}

/* imgcls.load_bytes(string) */
static int model_load_bytes(lua_State *L)
{
    size_t size;
    const char *bytes = luaL_checklstring(L, 1, &size);
    object *o = push_object(L, MODEL);
    return give(L, ic_model_load_memory(begin(L), bytes, size, (ic_model **)&o->handle));
}

static int model_save(lua_State *L)
{
    return give_true(L, ic_model_save(check_handle(L, 1, MODEL), luaL_checkstring(L, 2)));
}

static int model_to_bytes(lua_State *L)
{
    return push_text(L, model_bytes, check_handle(L, 1, MODEL), 0);
}

static int model_json(lua_State *L)
{
    return push_text(L, model_text, check_handle(L, 1, MODEL), 1);
}

/* model:flags() -> the options that repeat the training, as flags of the imgcls command */
static int model_flags(lua_State *L)
{
    return push_text(L, model_flags_text, check_handle(L, 1, MODEL), 1);
}

static int model_classes(lua_State *L)
{
    const ic_model *model = check_handle(L, 1, MODEL);
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
    ic_model_input(check_handle(L, 1, MODEL), &values[0], &values[1], &values[2]);
    for (int i = 0; i < 3; i++)
        lua_pushinteger(L, values[i]);
    return 3;
}

static int model_plot_history(lua_State *L)
{
    return give_true(L, ic_model_plot_history(check_handle(L, 1, MODEL), luaL_checkstring(L, 2)));
}

/* What is said of a picture besides its classes, as fields of the table on top of the stack. */
static void add_notes(lua_State *L, const ic_prediction *prediction, int32_t picture)
{
    float score = 0, threshold = 0, spread = 0;
    ic_prediction_spread(prediction, picture, &spread);
    lua_pushnumber(L, (lua_Number)spread);
    lua_setfield(L, -2, "spread");
    if (ic_prediction_unknown(prediction, picture, &score, &threshold) < 0)
        return;
    lua_pushboolean(L, score > threshold);
    lua_setfield(L, -2, "unknown");
    lua_pushnumber(L, (lua_Number)score);
    lua_setfield(L, -2, "score");
    lua_pushnumber(L, (lua_Number)threshold);
    lua_setfield(L, -2, "threshold");
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
        lua_pushstring(L, ic_model_class_name(model, index));
        lua_setfield(L, -2, "class");
        lua_pushnumber(L, (lua_Number)probability);
        lua_setfield(L, -2, "probability");
        lua_rawseti(L, -2, rank + 1);
    }
    add_notes(L, prediction, picture);
}

/* The state's prediction, so that a steady loop allocates nothing in the library. It is made when
 * it is first wanted, as a context with a prediction can no longer be configured. At views_index
 * is how many views it averages, or nothing for one. */
static ic_status prediction_of(lua_State *L, int views_index, ic_prediction **out)
{
    lua_Integer views = luaL_optinteger(L, views_index, 1);
    luaL_argcheck(L, views == 1 || views == 2 || views == 6, views_index, "views are 1, 2 or 6");
    ic_status status = IC_OK;
    lua_getfield(L, LUA_REGISTRYINDEX, THE_PREDICTION);
    object *o = lua_touserdata(L, -1);
    lua_pop(L, 1);
    if (o->handle == NULL)
        status = ic_prediction_create(begin(L), (ic_prediction **)&o->handle);
    *out = o->handle;
    return status < 0 ? status : ic_prediction_set_views(o->handle, (int32_t)views);
}

/* model:predict(image or path, views) -> class, probability, ranking */
static int model_predict(lua_State *L)
{
    int pushed = 0;
    lua_settop(L, 3);
    const ic_model *model = check_handle(L, 1, MODEL);
    const ic_image *image = image_at(L, 2, &pushed);
    if (image == NULL)
        return pushed;
    begin(L);
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
static const ic_image **images_at(lua_State *L, int *count, int *pushed)
{
    luaL_checktype(L, 2, LUA_TTABLE);
    *count = (int)lua_rawlen(L, 2);
    luaL_checkstack(L, 8, NULL);
    const ic_image **images = lua_newuserdata(L, (size_t)(*count + 1) * sizeof *images);
    lua_newtable(L);
    int keep = lua_gettop(L);
    for (int i = 0; i < *count; i++) {
        lua_rawgeti(L, 2, i + 1);
        images[i] = image_at(L, lua_gettop(L), pushed);
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
    const ic_image **images = images_at(L, &count, &pushed);
    if (images == NULL)
        return pushed;
    begin(L);
    ic_prediction *prediction;
    ic_status status = prediction_of(L, 3, &prediction);
    if (status >= 0)
        status = members == 1
                     ? ic_predict_batch(models[0], images, count, prediction)
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
static int model_predict_all(lua_State *L)
{
    lua_settop(L, 3);
    const ic_model *model = check_handle(L, 1, MODEL);
    return predict_with(L, &model, 1);
}

/* imgcls.predict_ensemble({models}, {images or paths}, views) -> {ranking, ...} */
static int predict_ensemble(lua_State *L)
{
    lua_settop(L, 3);
    luaL_checktype(L, 1, LUA_TTABLE);
    int count = (int)lua_rawlen(L, 1);
    const ic_model **models = lua_newuserdata(L, (size_t)(count + 1) * sizeof *models);
    for (int i = 0; i < count; i++) {
        lua_rawgeti(L, 1, i + 1);
        models[i] = check_handle(L, lua_gettop(L), MODEL);
        lua_pop(L, 1); /* the table at 1 keeps it */
    }
    return predict_with(L, models, count);
}

/* model:evaluate(dataset, options, progress) -> report */
static int model_evaluate(lua_State *L)
{
    const ic_model *model = check_handle(L, 1, MODEL);
    const ic_dataset *dataset = check_handle(L, 2, DATASET);
    lua_settop(L, 4);
    const ic_options *options = push_options(L, 3);
    object *o = push_object(L, REPORT);
    progress_call call;
    begin_progress(L, 4, &call);
    ic_status status = ic_evaluate(model, dataset, options, (ic_report **)&o->handle);
    end_progress(&call);
    return give(L, status);
}

/* ---- Explanations ---- */

/* model:explain(image or path, options, progress) -> explanation, class, probability; options:
 * method, class */
static int model_explain(lua_State *L)
{
    int pushed = 0;
    lua_settop(L, 4);
    const ic_model *model = check_handle(L, 1, MODEL);
    const ic_image *image = image_at(L, 2, &pushed);
    if (image == NULL)
        return pushed;
    const ic_options *options = push_options(L, 3);
    object *o = push_object(L, EXPLANATION);
    progress_call call;
    begin_progress(L, 4, &call);
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
    lua_pushstring(L, ic_explanation_method(check_handle(L, 1, EXPLANATION)));
    return 1;
}

static int push_map(lua_State *L, ic_status status, const float *values, int32_t width,
                    int32_t height)
{
    if (status < 0)
        return push_failure(L, status);
    lua_createtable(L, height, 0);
    for (int32_t y = 0; y < height; y++) {
        lua_createtable(L, width, 0);
        for (int32_t x = 0; x < width; x++) {
            lua_pushnumber(L, (lua_Number)*values++);
            lua_rawseti(L, -2, x + 1);
        }
        lua_rawseti(L, -2, y + 1);
    }
    return 1;
}

/* explanation:map() -> {row, ...} of the picture, from the top, each a table of values in 0..1 */
static int explanation_map(lua_State *L)
{
    const float *values = NULL;
    int32_t width = 0, height = 0;
    ic_status status =
        ic_explanation_map(check_handle(L, 1, EXPLANATION), &values, &width, &height);
    return push_map(L, status, values, width, height);
}

/* explanation:tensor_map() -> the same of what the network sees */
static int explanation_tensor_map(lua_State *L)
{
    const float *values = NULL;
    int32_t width = 0, height = 0;
    ic_status status =
        ic_explanation_tensor_map(check_handle(L, 1, EXPLANATION), &values, &width, &height);
    return push_map(L, status, values, width, height);
}

/* explanation:image() -> the map as colours over the picture in grey */
static int explanation_image(lua_State *L)
{
    const ic_explanation *explanation = check_handle(L, 1, EXPLANATION);
    object *o = push_object(L, IMAGE);
    return give(L, ic_explanation_image(explanation, (ic_image **)&o->handle));
}

/* ---- Training ---- */

/* imgcls.trainer(model, train, validation or nil, options) */
static int trainer_create(lua_State *L)
{
    ic_model *model = check_handle(L, 1, MODEL);
    const ic_dataset *train = check_handle(L, 2, DATASET);
    const ic_dataset *validation = lua_isnoneornil(L, 3) ? NULL : check_handle(L, 3, DATASET);
    lua_settop(L, 4);
    const ic_options *options = push_options(L, 4);
    object *o = push_object(L, TRAINER);
    begin(L);
    return give(L, ic_trainer_create(model, train, validation, options, (ic_trainer **)&o->handle));
}

/* imgcls.resume(path, train, validation or nil, options) -> model, trainer: as trainer:save, or the
 * option checkpoint, left them */
static int trainer_resume(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    const ic_dataset *train = check_handle(L, 2, DATASET);
    const ic_dataset *validation = lua_isnoneornil(L, 3) ? NULL : check_handle(L, 3, DATASET);
    lua_settop(L, 4);
    const ic_options *options = push_options(L, 4);
    object *model = push_object(L, MODEL), *trainer = push_object(L, TRAINER);
    ic_status status =
        ic_trainer_resume(begin(L), path, train, validation, options, (ic_model **)&model->handle,
                          (ic_trainer **)&trainer->handle);
    return status < 0 ? push_failure(L, status) : 2;
}

/* trainer:save(path): a checkpoint */
static int trainer_save(lua_State *L)
{
    return give_true(L, ic_trainer_save(check_handle(L, 1, TRAINER), luaL_checkstring(L, 2)));
}

/* trainer:step() -> true while there is more to do */
static int trainer_step(lua_State *L)
{
    begin(L);
    ic_status status = ic_train_step(check_handle(L, 1, TRAINER));
    lua_pushboolean(L, status != IC_DONE);
    return give(L, status);
}

/* trainer:run(progress, plot) -> true; plot: a .png or .svg, drawn after the epochs */
static int trainer_run(lua_State *L)
{
    ic_trainer *trainer = check_handle(L, 1, TRAINER);
    const char *plot = luaL_optstring(L, 3, NULL);
    lua_settop(L, 3);
    object *o = lua_touserdata(L, 1);
    progress_call call;
    begin_progress(L, 2, &call);
    call.trainer = trainer;
    call.plot = plot;
    call.plotted = -1;
    if (plot != NULL)
        ic_context_set_progress(context_of(L), on_progress, &call);
    o->busy = 1;
    ic_status status = ic_trainer_run(trainer);
    if (status >= 0 && plot != NULL)
        status = ic_trainer_plot(trainer, plot);
    o->busy = 0;
    end_progress(&call);
    return give_true(L, status);
}

/* trainer:find_rate(progress) -> a learning rate that suits */
static int trainer_find_rate(lua_State *L)
{
    ic_trainer *trainer = check_handle(L, 1, TRAINER);
    lua_settop(L, 2);
    object *o = lua_touserdata(L, 1);
    double rate = 0;
    progress_call call;
    begin_progress(L, 2, &call);
    o->busy = 1;
    ic_status status = ic_trainer_find_rate(trainer, &rate);
    o->busy = 0;
    end_progress(&call);
    lua_pushnumber(L, rate);
    return give(L, status);
}

/* trainer:plot(path): the learning curves so far */
static int trainer_plot(lua_State *L)
{
    return give_true(L, ic_trainer_plot(check_handle(L, 1, TRAINER), luaL_checkstring(L, 2)));
}

static int trainer_value(lua_State *L)
{
    double value = 0;
    ic_status status =
        ic_trainer_value(check_handle(L, 1, TRAINER), luaL_checkstring(L, 2), &value);
    lua_pushnumber(L, value);
    return give(L, status);
}

/* ---- Reports ---- */

static int report_value(lua_State *L)
{
    double value = 0;
    ic_status status = ic_report_value(check_handle(L, 1, REPORT), luaL_checkstring(L, 2), &value);
    lua_pushnumber(L, value);
    return give(L, status);
}

/* report:class_value(class, name): classes count from 1, as all indices in Lua */
static int report_class_value(lua_State *L)
{
    double value = 0;
    ic_status status =
        ic_report_class_value(check_handle(L, 1, REPORT), (int32_t)luaL_checkinteger(L, 2) - 1,
                              luaL_checkstring(L, 3), &value);
    lua_pushnumber(L, value);
    return give(L, status);
}

/* report:confusion(actual, predicted) -> count */
static int report_confusion(lua_State *L)
{
    int64_t count = 0;
    ic_status status =
        ic_report_confusion(check_handle(L, 1, REPORT), (int32_t)luaL_checkinteger(L, 2) - 1,
                            (int32_t)luaL_checkinteger(L, 3) - 1, &count);
    lua_pushinteger(L, (lua_Integer)count);
    return give(L, status);
}

/* low, high, or the failure */
static int give_interval(lua_State *L, ic_status status, double low, double high)
{
    if (status < 0)
        return push_failure(L, status);
    lua_pushnumber(L, low);
    lua_pushnumber(L, high);
    return 2;
}

/* report:interval(name) -> low, high */
static int report_interval(lua_State *L)
{
    double low = 0, high = 0;
    const ic_report *report = check_handle(L, 1, REPORT);
    ic_status status = ic_report_interval(report, luaL_checkstring(L, 2), &low, &high);
    return give_interval(L, status, low, high);
}

/* report:class_interval(class, name) -> low, high */
static int report_class_interval(lua_State *L)
{
    double low = 0, high = 0;
    const ic_report *report = check_handle(L, 1, REPORT);
    ic_status status = ic_report_class_interval(report, (int32_t)luaL_checkinteger(L, 2) - 1,
                                                luaL_checkstring(L, 3), &low, &high);
    return give_interval(L, status, low, high);
}

static void push_numbers(lua_State *L, const double *values, int64_t count)
{
    lua_newtable(L);
    for (int64_t i = 0; i < count; i++) {
        lua_pushnumber(L, values[i]);
        lua_rawseti(L, -2, (int)i + 1);
    }
}

/* report:curve("roc" or "precision_recall", class), or report:curve("calibration") -> x, y, third
 */
static int report_curve(lua_State *L)
{
    const double *values[3];
    int64_t count;
    const ic_report *report = check_handle(L, 1, REPORT);
    ic_status status =
        ic_report_curve(report, luaL_checkstring(L, 2), (int32_t)luaL_optinteger(L, 3, 1) - 1,
                        &values[0], &values[1], &values[2], &count);
    if (status < 0)
        return push_failure(L, status);
    for (int i = 0; i < 3; i++)
        push_numbers(L, values[i], count);
    return 3;
}

/* report:operating_point(class, "sensitivity", "specificity" or "precision", wanted) -> threshold,
 * sensitivity, specificity */
static int report_operating_point(lua_State *L)
{
    double values[3];
    const ic_report *report = check_handle(L, 1, REPORT);
    ic_status status = ic_report_operating_point(
        report, (int32_t)luaL_checkinteger(L, 2) - 1, luaL_checkstring(L, 3),
        luaL_checknumber(L, 4), &values[0], &values[1], &values[2]);
    if (status < 0)
        return push_failure(L, status);
    for (int i = 0; i < 3; i++)
        lua_pushnumber(L, values[i]);
    return 3;
}

static void set_text(lua_State *L, const char *key, const char *text)
{
    lua_pushstring(L, text);
    lua_setfield(L, -2, key);
}

static void set_number(lua_State *L, const char *key, double value)
{
    lua_pushnumber(L, value);
    lua_setfield(L, -2, key);
}

/* report:pictures() -> {{file, actual, predicted, probability, probabilities}, ...}: classes count
 * from 1 */
static int report_pictures(lua_State *L)
{
    const ic_report *report = check_handle(L, 1, REPORT);
    const char *origin;
    int32_t actual, predicted, classes;
    float probability;
    const float *row;
    lua_newtable(L);
    for (int64_t i = 0;
         ic_report_picture(report, i, &origin, &actual, &predicted, &probability) >= 0 &&
         ic_report_probabilities(report, i, &row, &classes) >= 0;
         i++) {
        lua_newtable(L);
        set_text(L, "file", origin);
        set_number(L, "actual", actual + 1);
        set_number(L, "predicted", predicted + 1);
        set_number(L, "probability", (double)probability);
        lua_newtable(L);
        for (int32_t c = 0; c < classes; c++) {
            lua_pushnumber(L, (lua_Number)row[c]);
            lua_rawseti(L, -2, c + 1);
        }
        lua_setfield(L, -2, "probabilities");
        lua_rawseti(L, -2, (int)i + 1);
    }
    return 1;
}

/* One list of a comparison into the table on top of the stack. */
static void set_changes(lua_State *L, const ic_comparison *comparison, const char *list)
{
    const char *file, *actual, *before, *after;
    double sure_before, sure_after;
    lua_newtable(L);
    for (int i = 0; ic_comparison_change(comparison, list, i, &file, &actual, &before, &sure_before,
                                         &after, &sure_after) >= 0;
         i++) {
        lua_newtable(L);
        set_text(L, "file", file);
        set_text(L, "class", actual);
        set_text(L, "before", before);
        set_number(L, "before_probability", sure_before);
        set_text(L, "after", after);
        set_number(L, "after_probability", sure_after);
        lua_rawseti(L, -2, i + 1);
    }
    lua_setfield(L, -2, list);
}

/* report:compare(report of a later model) -> the numbers by name, and the lists regressions and
 * gains */
static int report_compare(lua_State *L)
{
    static const char *const names[] = {
        "count",          "both_right",      "only_before_right", "only_after_right",
        "both_wrong",     "accuracy_before", "accuracy_after",    "p_value",
        "chi_square",     "relabelled",      "unmatched_before",  "unmatched_after",
        "chi_square_p_value"};
    const ic_report *before = check_handle(L, 1, REPORT), *after = check_handle(L, 2, REPORT);
    object *o = push_object(L, COMPARISON);
    begin(L);
    ic_status status = ic_report_compare(before, after, (ic_comparison **)&o->handle);
    if (status < 0)
        return push_failure(L, status);
    lua_newtable(L);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        double value = 0;
        ic_comparison_value(o->handle, names[i], &value);
        set_number(L, names[i], value);
    }
    set_changes(L, o->handle, "regressions");
    set_changes(L, o->handle, "gains");
    return 1;
}

static int report_split(lua_State *L)
{
    lua_pushstring(L, ic_report_split(check_handle(L, 1, REPORT)));
    return 1;
}

static int report_json(lua_State *L)
{
    return push_text(L, report_text, check_handle(L, 1, REPORT), 1);
}

static int report_plot_confusion(lua_State *L)
{
    return give_true(L,
                     ic_report_plot_confusion(check_handle(L, 1, REPORT), luaL_checkstring(L, 2)));
}

/* report:save_html(path, options, progress); options: method */
static int report_save_html(lua_State *L)
{
    const ic_report *report = check_handle(L, 1, REPORT);
    const char *path = luaL_checkstring(L, 2);
    lua_settop(L, 4);
    const ic_options *options = push_options(L, 3);
    progress_call call;
    begin_progress(L, 4, &call);
    ic_status status = ic_report_save_html(report, options, path);
    end_progress(&call);
    return give_true(L, status);
}

static int version(lua_State *L)
{
    lua_pushstring(L, ic_version());
    return 1;
}

/* ---- The module ---- */

static const luaL_Reg image_methods[] = {
    {"info", image_info}, {"save_png", image_save_png}, {NULL, NULL}};

static const luaL_Reg dataset_methods[] = {
    {"add", dataset_add},       {"part", dataset_part},   {"split", dataset_split},
    {"fold", dataset_fold},     {"group", dataset_group}, {"inspect", dataset_inspect},
    {"count", dataset_count},   {"__len", dataset_count}, {"classes", dataset_classes},
    {"broken", dataset_broken}, {"json", dataset_json},
    {"plot_augmentation", dataset_plot_augmentation},     {NULL, NULL}};

static const luaL_Reg model_methods[] = {{"save", model_save},
                                         {"bytes", model_to_bytes},
                                         {"json", model_json},
                                         {"flags", model_flags},
                                         {"classes", model_classes},
                                         {"input", model_input},
                                         {"plot_history", model_plot_history},
                                         {"predict", model_predict},
                                         {"evaluate", model_evaluate},
                                         {"explain", model_explain},
                                         {"predict_all", model_predict_all},
                                         {NULL, NULL}};

static const luaL_Reg trainer_methods[] = {{"step", trainer_step},
                                           {"run", trainer_run},
                                           {"find_rate", trainer_find_rate},
                                           {"save", trainer_save},
                                           {"value", trainer_value},
                                           {"plot", trainer_plot},
                                           {NULL, NULL}};

static const luaL_Reg inspection_methods[] = {{"findings", inspection_findings},
                                              {"pairs", inspection_pairs},
                                              {"json", inspection_json},
                                              {"plot", inspection_plot},
                                              {NULL, NULL}};
static const luaL_Reg report_methods[] = {{"value", report_value},
                                          {"class_value", report_class_value},
                                          {"interval", report_interval},
                                          {"class_interval", report_class_interval},
                                          {"confusion", report_confusion},
                                          {"curve", report_curve},
                                          {"operating_point", report_operating_point},
                                          {"pictures", report_pictures},
                                          {"compare", report_compare},
                                          {"split", report_split},
                                          {"json", report_json},
                                          {"plot_confusion", report_plot_confusion},
                                          {"save_html", report_save_html},
                                          {NULL, NULL}};

static const luaL_Reg explanation_methods[] = {{"method", explanation_method},
                                               {"map", explanation_map},
                                               {"tensor_map", explanation_tensor_map},
                                               {"image", explanation_image},
                                               {NULL, NULL}};

static const luaL_Reg no_methods[] = {{NULL, NULL}};

static const luaL_Reg functions[] = {{"version", version},
                                     {"options", list_options},
                                     {"configure", configure},
                                     {"log", set_log},
                                     {"image", image_load},
                                     {"decode", image_decode},
                                     {"pixels", image_pixels},
                                     {"dataset", dataset_open},
                                     {"model", model_create},
                                     {"model_from", model_create_from},
                                     {"load", model_load},
                                     {"predict_ensemble", predict_ensemble},
                                     {"load_bytes", model_load_bytes},
                                     {"trainer", trainer_create},
                                     {"resume", trainer_resume},
                                     {NULL, NULL}};

static void add_functions(lua_State *L, const luaL_Reg *list)
{
    for (; list->name != NULL; list++) {
        lua_pushcfunction(L, list->func);
        lua_setfield(L, -2, list->name);
    }
}

static void add_type(lua_State *L, const char *type, const luaL_Reg *methods)
{
    static const char *const closers[] = {"__gc", "__close", "close"};
    luaL_newmetatable(L, type);
    add_functions(L, methods);
    for (int i = 0; i < 3; i++) {
        lua_pushlightuserdata(L, (void *)type);
        lua_pushcclosure(L, close_object, 1);
        lua_setfield(L, -2, closers[i]);
    }
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
}

/* Makes the state's context and a place for its prediction; both live in the registry as long as
 * the state. */
static void add_context(lua_State *L)
{
    object *context = push_object(L, CONTEXT);
    if (ic_context_create((ic_context **)&context->handle) < 0)
        luaL_error(L, "%s", ic_last_error());
    lua_setfield(L, LUA_REGISTRYINDEX, THE_CONTEXT);
    push_object(L, PREDICTION);
    lua_setfield(L, LUA_REGISTRYINDEX, THE_PREDICTION);
}

#if defined(__GNUC__)
__attribute__((visibility("default")))
#endif
int luaopen_imgcls(lua_State *L)
{
    add_type(L, CONTEXT, no_methods);
    add_type(L, OPTIONS, no_methods);
    add_type(L, IMAGE, image_methods);
    add_type(L, DATASET, dataset_methods);
    add_type(L, MODEL, model_methods);
    add_type(L, PREDICTION, no_methods);
    add_type(L, TRAINER, trainer_methods);
    add_type(L, REPORT, report_methods);
    add_type(L, COMPARISON, no_methods);
    add_type(L, INSPECTION, inspection_methods);
    add_type(L, EXPLANATION, explanation_methods);
    add_context(L);
    lua_newtable(L);
    add_functions(L, functions);
    return 1;
}

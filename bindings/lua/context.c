/*
 * bindings/lua/context.c: the one context of a Lua state, its log, options from tables, and
 * progress. SPDX-License-Identifier: MIT
 */
#include "module.h"

#include <string.h>

/* ---- The context, in the registry beside the types ---- */

static const char THE_CONTEXT[] = "imgcls.the_context", THE_CALLER[] = "imgcls.the_caller",
                  THE_LOG[] = "imgcls.log";

/* Who has called the library: what its callbacks go by. Lives as long as the state. */
typedef struct caller {
    ic_context *context;
    lua_State *L;        /* the coroutine; it may be gone when the call is over */
    progress_call *call; /* the work that tells of its progress, NULL: none */
} caller;

static void free_context(void *handle)
{
    ic_context_free(handle);
}

const object_type context_type = {"imgcls.context", free_context, NULL, NULL};

static caller *caller_of(lua_State *L)
{
    lua_getfield(L, LUA_REGISTRYINDEX, THE_CALLER);
    caller *c = lua_touserdata(L, -1);
    lua_pop(L, 1);
    return c;
}

ic_context *begin(lua_State *L)
{
    caller *c = caller_of(L);
    c->L = L;
    return c->context;
}

/*
 * Callbacks put the caller back when they are done: their functions may call the library, from
 * other coroutines, too. Such a call has a progress function of its own, or none.
 */
static void on_log(int32_t level, const char *message, void *payload)
{
    caller *c = payload;
    const caller outer = *c;
    lua_State *L = outer.L;
    c->call = NULL;
    lua_getfield(L, LUA_REGISTRYINDEX, THE_LOG);
    if (lua_isfunction(L, -1)) {
        lua_pushinteger(L, level);
        lua_pushstring(L, message);
        if (lua_pcall(L, 2, 0, 0) != 0)
            lua_pop(L, 1); /* a broken log function must not break the work */
    } else {
        lua_pop(L, 1);
    }
    *c = outer;
}

/* imgcls.log(function(level, message) ... end), or nil for silence */
int set_log(lua_State *L)
{
    if (!lua_isnoneornil(L, 1))
        luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_settop(L, 1);
    lua_setfield(L, LUA_REGISTRYINDEX, THE_LOG);
    return 0;
}

/* ---- Options from a table ---- */

static void free_options(void *handle)
{
    ic_options_free(handle);
}

const object_type options_type = {"imgcls.options", free_options, NULL, NULL};

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
    size_t size;
    const char *text = lua_tolstring(L, -1, &size);
    if (text == NULL || strlen(text) != size)
        luaL_error(L, "%s takes a number, a boolean or a text without zero bytes", name);
    return ic_options_set_text(options, name, text);
}

ic_options *push_options(lua_State *L, int index)
{
    object *o = push_object(L, &options_type);
    if (ic_options_create(begin(L), (ic_options **)&o->handle) < 0)
        luaL_error(L, "%s", ic_last_error());
    if (lua_isnoneornil(L, index))
        return o->handle;
    luaL_checktype(L, index, LUA_TTABLE);
    lua_pushnil(L);
    while (lua_next(L, index) != 0) {
        if (lua_type(L, -2) != LUA_TSTRING)
            luaL_error(L, "options are written as name = value");
        const char *name = lua_tostring(L, -2);
        if (strlen(name) != lua_rawlen(L, -2))
            luaL_error(L, "the name of an option has a zero byte in it");
        if (set_option(L, o->handle, name) < 0)
            luaL_error(L, "%s", ic_last_error());
        lua_pop(L, 1);
    }
    return o->handle;
}

/* imgcls.configure{threads = 2}: before the first other call */
int configure(lua_State *L)
{
    return give_true(L, ic_context_configure(begin(L), push_options(L, 1)));
}

/* imgcls.options(): every option as {name, owner, type, default, values, help} */
int list_options(lua_State *L)
{
    static const char *const keys[] = {"name", "owner", "type", "default", "values", "help"};
    lua_newtable(L);
    for (int32_t i = 0; i < ic_option_count(); i++) {
        const char *texts[6];
        ic_option_info(i, &texts[0], &texts[1], &texts[2], &texts[3], &texts[4], &texts[5]);
        lua_newtable(L);
        set_texts(L, keys, texts, 6);
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

/* ---- Progress ---- */

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

static void push_event(lua_State *L, const ic_progress *progress)
{
    static const char *const names[] = {
        "done",         "total",         "seconds",             "epoch",
        "epochs",       "step",          "steps",               "loss",
        "accuracy",     "learning_rate", "pictures_per_second", "waiting",
        "seconds_left", "epoch_done",    "validation_loss",     "validation_accuracy",
        "best_epoch"};
    lua_newtable(L);
    set_text(L, "phase", ic_progress_phase(progress));
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        double value;
        if (ic_progress_value(progress, names[i], &value) >= 0)
            set_number(L, names[i], value);
    }
}

/* Non-zero: to be stopped. */
static int32_t tell(progress_call *call, const ic_progress *progress)
{
    lua_State *L = call->L;
    plot_now_and_then(call, progress);
    if (call->function == 0)
        return 0;
    lua_pushvalue(L, call->function);
    push_event(L, progress);
    if (lua_pcall(L, 1, 1, 0) != 0) {
        call->failed = 1;
        return 1;
    }
    int cancel = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return cancel;
}

static int32_t on_progress(const ic_progress *progress, void *payload)
{
    caller *c = payload;
    const caller outer = *c;
    if (outer.call == NULL)
        return 0;
    c->call = NULL;
    int32_t cancel = tell(outer.call, progress);
    *c = outer;
    return cancel;
}

void begin_plotted(lua_State *L, int index, object *trainer, const char *plot,
                   progress_call *call)
{
    call->L = L;
    call->failed = 0;
    call->busy = trainer;
    call->trainer = plot != NULL ? trainer->handle : NULL;
    call->plot = plot;
    call->plotted = -1;
    call->function = lua_isnoneornil(L, index) ? 0 : index;
    if (call->function != 0)
        luaL_checktype(L, index, LUA_TFUNCTION);
    luaL_checkstack(L, 8, NULL);
    caller_of(L)->call = call;
    if (call->busy != NULL)
        call->busy->busy = 1;
}

void begin_progress(lua_State *L, int index, object *busy, progress_call *call)
{
    begin_plotted(L, index, busy, NULL, call);
}

void end_progress(progress_call *call)
{
    caller_of(call->L)->call = NULL; /* within a progress function, it puts its own call back */
    if (call->busy != NULL)
        call->busy->busy = 0;
    if (call->failed)
        lua_error(call->L);
}

/* ---- The context is made ---- */

void add_context(lua_State *L)
{
    if (caller_of(L) != NULL)
        return; /* the module is loaded anew: older objects have this context */
    object *context = push_object(L, &context_type);
    if (ic_context_create((ic_context **)&context->handle) < 0)
        luaL_error(L, "%s", ic_last_error());
    lua_setfield(L, LUA_REGISTRYINDEX, THE_CONTEXT);
    caller *c = lua_newuserdata(L, sizeof *c);
    *c = (caller){context->handle, L, NULL};
    lua_setfield(L, LUA_REGISTRYINDEX, THE_CALLER);
    ic_context_set_log(c->context, on_log, c);
    ic_context_set_progress(c->context, on_progress, c);
}

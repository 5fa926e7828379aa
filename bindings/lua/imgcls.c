/* bindings/lua/imgcls.c: the Lua module: its types and functions. SPDX-License-Identifier: MIT */
#include "module.h"

static int version(lua_State *L)
{
    lua_pushstring(L, ic_version());
    return 1;
}

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
                                     {"load_bytes", model_load_bytes},
                                     {"predict_ensemble", predict_ensemble},
                                     {"trainer", trainer_create},
                                     {"resume", trainer_resume},
                                     {NULL, NULL}};

#if defined(__GNUC__)
__attribute__((visibility("default")))
#endif
int luaopen_imgcls(lua_State *L)
{
    static const object_type *const types[] = {
        &context_type,    &options_type, &image_type,      &dataset_type,
        &inspection_type, &model_type,   &prediction_type, &explanation_type,
        &neighbours_type, &trainer_type, &report_type,     &comparison_type};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        add_type(L, types[i]);
    add_context(L);
    add_prediction(L);
    lua_newtable(L);
    add_functions(L, functions);
    return 1;
}

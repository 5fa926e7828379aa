/* bindings/lua/inspection.c: what is wrong with a data set. SPDX-License-Identifier: MIT */
#include "module.h"

/* dataset:inspect(options, progress) */
int dataset_inspect(lua_State *L)
{
    const ic_dataset *dataset = check_handle(L, 1, &dataset_type);
    lua_settop(L, 3);
    const ic_options *options = push_options(L, 2);
    object *o = push_object(L, &inspection_type);
    progress_call call;
    begin_progress(L, 3, NULL, &call);
    ic_status status = ic_dataset_inspect(dataset, options, (ic_inspection **)&o->handle);
    end_progress(&call);
    return give(L, status);
}

/* inspection:findings() -> {{kind = , text = , advice = , examples = (lines)}, ...} */
static int inspection_findings(lua_State *L)
{
    static const char *const keys[] = {"kind", "text", "advice", "examples"};
    const ic_inspection *inspection = check_handle(L, 1, &inspection_type);
    lua_newtable(L);
    for (int32_t i = 0; i < ic_inspection_finding_count(inspection); i++) {
        const char *texts[4] = {"", "", "", ""};
        ic_inspection_finding(inspection, i, &texts[0], &texts[1], &texts[2], &texts[3]);
        lua_newtable(L);
        set_texts(L, keys, texts, 4);
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

/* inspection:pairs() -> {{first = , second = (indices from 1), score = , near = , mirrored = ,
 * across_parts = , across_classes = }, ...} */
static int inspection_pairs(lua_State *L)
{
    const ic_inspection *inspection = check_handle(L, 1, &inspection_type);
    lua_newtable(L);
    for (int64_t i = 0; i < ic_inspection_pair_count(inspection); i++) {
        int64_t first = 0, second = 0;
        int32_t bits = 0;
        double score = 0;
        ic_inspection_pair(inspection, i, &first, &second, &bits, &score);
        lua_newtable(L);
        set_integer(L, "first", first + 1);
        set_integer(L, "second", second + 1);
        set_number(L, "score", score);
        set_flag(L, "near", (bits & IC_PAIR_NEAR) != 0);
        set_flag(L, "mirrored", (bits & IC_PAIR_MIRRORED) != 0);
        set_flag(L, "across_parts", (bits & IC_PAIR_PARTS) != 0);
        set_flag(L, "across_classes", (bits & IC_PAIR_CLASSES) != 0);
        lua_rawseti(L, -2, (int)i + 1);
    }
    return 1;
}

/* inspection:plot("classes" or "duplicates", path, options) */
static int inspection_plot(lua_State *L)
{
    const ic_inspection *inspection = check_handle(L, 1, &inspection_type);
    const char *what = check_text(L, 2), *path = check_text(L, 3);
    lua_settop(L, 4);
    return give_true(L, ic_inspection_plot(inspection, push_options(L, 4), what, path));
}

static ic_status json(const void *handle, char *buffer, size_t capacity, size_t *size)
{
    return ic_inspection_json(handle, buffer, capacity, size);
}

static const luaL_Reg methods[] = {{"findings", inspection_findings},
                                   {"pairs", inspection_pairs},
                                   {"plot", inspection_plot},
                                   {NULL, NULL}};

static const text_method texts[] = {{"json", json, 1}, {NULL, NULL, 0}};

static void free_inspection(void *handle)
{
    ic_inspection_free(handle);
}

const object_type inspection_type = {"imgcls.inspection", free_inspection, methods, texts};

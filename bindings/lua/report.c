/*
 * bindings/lua/report.c: how good a model is. Classes, folds and pictures count from 1, as all
 * indices in Lua. SPDX-License-Identifier: MIT
 */
#include "module.h"

/* ---- What makes a report ---- */

/* model:evaluate(dataset, options, progress) -> report */
int model_evaluate(lua_State *L)
{
    const ic_model *model = check_handle(L, 1, &model_type);
    const ic_dataset *dataset = check_handle(L, 2, &dataset_type);
    lua_settop(L, 4);
    const ic_options *options = push_options(L, 3);
    object *o = push_object(L, &report_type);
    progress_call call;
    begin_progress(L, 4, NULL, &call);
    ic_status status = ic_evaluate(model, dataset, options, (ic_report **)&o->handle);
    end_progress(&call);
    return give(L, status);
}

/* dataset:cross_validate(options, progress) -> report, over models that are trained in turn */
int dataset_cross_validate(lua_State *L)
{
    const ic_dataset *dataset = check_handle(L, 1, &dataset_type);
    lua_settop(L, 3);
    const ic_options *options = push_options(L, 2);
    object *o = push_object(L, &report_type);
    progress_call call;
    begin_progress(L, 3, lua_touserdata(L, 1), &call);
    ic_status status = ic_cross_validate(dataset, options, (ic_report **)&o->handle);
    end_progress(&call);
    return give(L, status);
}

/* ---- Numbers ---- */

static int report_value(lua_State *L)
{
    double value = 0;
    const ic_report *report = check_handle(L, 1, &report_type);
    ic_status status = ic_report_value(report, check_text(L, 2), &value);
    return give_numbers(L, status, &value, 1);
}

/* report:class_value(class, name) */
static int report_class_value(lua_State *L)
{
    double value = 0;
    const ic_report *report = check_handle(L, 1, &report_type);
    ic_status status =
        ic_report_class_value(report, check_index(L, 2), check_text(L, 3), &value);
    return give_numbers(L, status, &value, 1);
}

/* report:interval(name) -> low, high */
static int report_interval(lua_State *L)
{
    double values[2];
    const ic_report *report = check_handle(L, 1, &report_type);
    ic_status status =
        ic_report_interval(report, check_text(L, 2), &values[0], &values[1]);
    return give_numbers(L, status, values, 2);
}

/* report:class_interval(class, name) -> low, high */
static int report_class_interval(lua_State *L)
{
    double values[2];
    const ic_report *report = check_handle(L, 1, &report_type);
    ic_status status = ic_report_class_interval(report, check_index(L, 2), check_text(L, 3),
                                                &values[0], &values[1]);
    return give_numbers(L, status, values, 2);
}

typedef ic_status (*cell_fn)(const ic_report *report, int32_t actual, int32_t called,
                             int64_t *out);

static int give_cell(lua_State *L, cell_fn cell)
{
    int64_t count = 0;
    const ic_report *report = check_handle(L, 1, &report_type);
    ic_status status = cell(report, check_index(L, 2), check_index(L, 3), &count);
    lua_pushinteger(L, (lua_Integer)count);
    return give(L, status);
}

/* report:confusion(actual, predicted) -> count */
static int report_confusion(lua_State *L)
{
    return give_cell(L, ic_report_confusion);
}

/* report:decision(actual, called) -> count: by the costs of mistakes that the model keeps */
static int report_decision(lua_State *L)
{
    return give_cell(L, ic_report_decision);
}

/* report:decide(): anew, by the costs of now */
static int report_decide(lua_State *L)
{
    return give_true(L, ic_report_decide(check_handle(L, 1, &report_type)));
}

/* report:curve("roc" or "precision_recall", class), or report:curve("calibration") -> x, y, third
 */
static int report_curve(lua_State *L)
{
    const double *values[3];
    int64_t count;
    const ic_report *report = check_handle(L, 1, &report_type);
    ic_status status =
        ic_report_curve(report, check_text(L, 2), opt_int32(L, 3, 1) - 1, &values[0],
                        &values[1], &values[2], &count);
    for (int i = 0; i < 3 && status >= 0; i++)
        push_doubles(L, values[i], count);
    return give_many(L, status, 3);
}

/* report:operating_point(class, "sensitivity", "specificity" or "precision", wanted) -> threshold,
 * sensitivity, specificity */
static int report_operating_point(lua_State *L)
{
    double values[3];
    const ic_report *report = check_handle(L, 1, &report_type);
    ic_status status =
        ic_report_operating_point(report, check_index(L, 2), check_text(L, 3),
                                  luaL_checknumber(L, 4), &values[0], &values[1], &values[2]);
    return give_numbers(L, status, values, 3);
}

/* ---- Folds of a cross-validation ---- */

/* report:fold_value(fold, name) */
static int report_fold_value(lua_State *L)
{
    double value = 0;
    const ic_report *report = check_handle(L, 1, &report_type);
    ic_status status =
        ic_report_fold_value(report, check_index(L, 2), check_text(L, 3), &value);
    return give_numbers(L, status, &value, 1);
}

/* report:fold_count() -> 0, where this is no cross-validation */
static int report_fold_count(lua_State *L)
{
    lua_pushinteger(L, ic_report_fold_count(check_handle(L, 1, &report_type)));
    return 1;
}

/* ---- Classes, pictures and labels ---- */

/* report:classes() -> {name, ...} */
static int report_classes(lua_State *L)
{
    const ic_report *report = check_handle(L, 1, &report_type);
    lua_newtable(L);
    for (int32_t i = 0; i < ic_report_class_count(report); i++) {
        lua_pushstring(L, ic_report_class_name(report, i));
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

/* report:pictures() -> {{file, actual, predicted, probability, probabilities}, ...} */
static int report_pictures(lua_State *L)
{
    const ic_report *report = check_handle(L, 1, &report_type);
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
        set_integer(L, "actual", actual + 1);
        set_integer(L, "predicted", predicted + 1);
        set_number(L, "probability", (double)probability);
        push_floats(L, row, classes);
        lua_setfield(L, -2, "probabilities");
        lua_rawseti(L, -2, (int)i + 1);
    }
    return 1;
}

/* report:label_errors() -> {{file, label, suggested (names of classes), margin}, ...}, the surest
 * first */
static int report_label_errors(lua_State *L)
{
    const ic_report *report = check_handle(L, 1, &report_type);
    int64_t count = 0;
    ic_status status = ic_report_label_error_count(report, &count);
    if (status < 0)
        return push_failure(L, status);
    lua_newtable(L);
    for (int64_t i = 0; i < count; i++) {
        const char *origin = "";
        int32_t label = 0, suggested = 0;
        double margin = 0;
        ic_report_label_error(report, i, &origin, &label, &suggested, &margin);
        lua_newtable(L);
        set_text(L, "file", origin);
        set_text(L, "label", ic_report_class_name(report, label));
        set_text(L, "suggested", ic_report_class_name(report, suggested));
        set_number(L, "margin", margin);
        lua_rawseti(L, -2, (int)i + 1);
    }
    return 1;
}

/* ---- Comparisons, which Lua has as tables ---- */

static void free_comparison(void *handle)
{
    ic_comparison_free(handle);
}

const object_type comparison_type = {"imgcls.comparison", free_comparison, NULL, NULL};

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
    const ic_report *before = check_handle(L, 1, &report_type);
    const ic_report *after = check_handle(L, 2, &report_type);
    object *o = push_object(L, &comparison_type);
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

/* ---- The type ---- */

static int report_split(lua_State *L)
{
    lua_pushstring(L, ic_report_split(check_handle(L, 1, &report_type)));
    return 1;
}

static int report_split_meaning(lua_State *L)
{
    lua_pushstring(L, ic_report_split_meaning(check_handle(L, 1, &report_type)));
    return 1;
}

/* report:save_html(path, options, progress); options: method */
static int report_save_html(lua_State *L)
{
    lua_settop(L, 4);
    const ic_report *report = check_handle(L, 1, &report_type);
    const char *path = check_text(L, 2);
    const ic_options *options = push_options(L, 3);
    progress_call call;
    begin_progress(L, 4, lua_touserdata(L, 1), &call);
    ic_status status = ic_report_save_html(report, options, path);
    end_progress(&call);
    return give_true(L, status);
}

static int report_plot_confusion(lua_State *L)
{
    const ic_report *report = check_handle(L, 1, &report_type);
    return give_true(L, ic_report_plot_confusion(report, check_text(L, 2)));
}

static ic_status json(const void *handle, char *buffer, size_t capacity, size_t *size)
{
    return ic_report_json(handle, buffer, capacity, size);
}

static const luaL_Reg methods[] = {{"value", report_value},
                                   {"class_value", report_class_value},
                                   {"interval", report_interval},
                                   {"class_interval", report_class_interval},
                                   {"confusion", report_confusion},
                                   {"decision", report_decision},
                                   {"decide", report_decide},
                                   {"curve", report_curve},
                                   {"operating_point", report_operating_point},
                                   {"fold_count", report_fold_count},
                                   {"fold_value", report_fold_value},
                                   {"classes", report_classes},
                                   {"pictures", report_pictures},
                                   {"label_errors", report_label_errors},
                                   {"compare", report_compare},
                                   {"split", report_split},
                                   {"split_meaning", report_split_meaning},
                                   {"plot_confusion", report_plot_confusion},
                                   {"save_html", report_save_html},
                                   {NULL, NULL}};

static const text_method texts[] = {{"json", json, 1}, {NULL, NULL, 0}};

static void free_report(void *handle)
{
    ic_report_free(handle);
}

const object_type report_type = {"imgcls.report", free_report, methods, texts};

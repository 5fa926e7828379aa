/* model/model.c: making a model for a data set, and sharing it between threads.
 * SPDX-License-Identifier: MIT */
#include "model/model.h"

#include "base/options.h"
#include "base/status.h"
#include "base/text.h"
#include "dataset/loader.h"
#include "recipe/recipe.h"
#include "zoo/zoo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Mean and deviation are measured on this many pictures at most: enough for three good digits. */
enum { MEASURED_PICTURES = 2000, WHITENED_PICTURES = 5000 };

/* ---- Life ---- */

ic_status ic_model_begin(ic_context *context, ic_model **out)
{
    ic_model *model;
    ic_status status;
    IC_TRY(ic_allocate_zero(context, sizeof *model, &model));
    atomic_init(&model->references, 1);
    model->context = ic_context_retain(context);
    model->record = json_object();
    if (model->record == NULL)
        IC_TRY_CLEAN(ic_fail(IC_ERROR_MEMORY, "out of memory for the record of a model"));
    IC_TRY_CLEAN(ic_lock_create(context, &model->lock));
    *out = model;
    return IC_OK;
cleanup:
    ic_model_free(model);
    return status;
}

ic_model *ic_model_retain(ic_model *model)
{
    atomic_fetch_add_explicit(&model->references, 1, memory_order_relaxed);
    return model;
}

void ic_model_free(ic_model *model)
{
    if (model == NULL ||
        atomic_fetch_sub_explicit(&model->references, 1, memory_order_acq_rel) != 1)
        return;
    ic_context *context = model->context;
    for (int32_t i = 0; i < model->class_count; i++)
        ic_free(context, model->classes[i]);
    ic_free(context, model->classes);
    ic_free(context, model->network);
    json_decref(model->record);
    ic_free(context, model->costs);
    ic_weights_free(model->weights);
    ic_confidence_free(model->confidence);
    ic_graph_free(model->graph);
    ic_lock_free(context, model->lock);
    ic_free(context, model);
    ic_context_free(context);
}

/* ---- Names ---- */

static ic_status check_class_name(const char *const *classes, int32_t index)
{
    const char *name = classes[index];
    if (name[0] == '\0')
        return ic_fail(IC_ERROR_DATA, "class %d has no name", (int)index);
    if (!ic_utf8_valid(name, strlen(name)))
        return ic_fail(IC_ERROR_DATA, "the name of class %d is not valid UTF-8: rename it",
                       (int)index);
    return IC_OK;
}

/* Names in order, to find one among many thousands. */
typedef struct class_name {
    const char *name;
    int32_t index;
} class_name;

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const class_name *)a)->name, ((const class_name *)b)->name);
}

static ic_status sort_names(const ic_model *model, class_name **out)
{
    size_t count = (size_t)model->class_count;
    IC_TRY(ic_allocate_array(model->context, count, sizeof **out, out));
    for (int32_t i = 0; i < model->class_count; i++)
        (*out)[i] = (class_name){model->classes[i], i};
    qsort(*out, count, sizeof **out, compare_names);
    return IC_OK;
}

static ic_status check_once(const ic_model *model)
{
    class_name *sorted;
    ic_status status = IC_OK;
    IC_TRY(sort_names(model, &sorted));
    for (int32_t i = 1; i < model->class_count && status >= 0; i++)
        if (compare_names(&sorted[i - 1], &sorted[i]) == 0)
            status = ic_fail(IC_ERROR_DATA, "class %s is there twice", sorted[i].name);
    ic_free(model->context, sorted);
    return status;
}

ic_status ic_model_name(ic_model *model, const char *network, const char *const *classes,
                        int32_t count)
{
    IC_TRY(ic_copy_text(model->context, network, &model->network));
    IC_TRY(
        ic_allocate_array(model->context, (size_t)count, sizeof *model->classes, &model->classes));
    for (int32_t i = 0; i < count; i++) {
        IC_TRY(check_class_name(classes, i));
        IC_TRY(ic_copy_text(model->context, classes[i], &model->classes[i]));
        model->class_count = i + 1;
    }
    return check_once(model);
}

int32_t ic_model_class_count(const ic_model *model)
{
    return model != NULL ? model->class_count : 0;
}

const char *ic_model_class_name(const ic_model *model, int32_t index)
{
    if (model == NULL || index < 0 || index >= model->class_count)
        return NULL;
    return model->classes[index];
}

int32_t ic_model_find_class(const ic_model *model, const char *name)
{
    for (int32_t i = 0; i < model->class_count; i++)
        if (strcmp(model->classes[i], name) == 0)
            return i;
    return -1;
}

const char *ic_model_list_classes(const ic_model *model, char buffer[IC_CLASS_LIST_MAX])
{
    enum { LAST = 24 }; /* " and 2147483647 more" */
    size_t length = 0;
    for (int32_t i = 0; i < model->class_count; i++) {
        const char *name = model->classes[i];
        if (length + strlen(name) + LAST > IC_CLASS_LIST_MAX) {
            snprintf(buffer + length, IC_CLASS_LIST_MAX - length, " and %d more",
                     (int)(model->class_count - i));
            break;
        }
        length += (size_t)snprintf(buffer + length, IC_CLASS_LIST_MAX - length, "%s%s",
                                   i > 0 ? ", " : "", name);
    }
    return buffer;
}

ic_status ic_model_class_map(const ic_model *model, const ic_dataset *dataset, int32_t **out)
{
    int32_t count = ic_dataset_class_count(dataset);
    int32_t *map = NULL;
    class_name *sorted = NULL;
    ic_status status;
    IC_TRY_CLEAN(ic_allocate_array(model->context, (size_t)count, sizeof *map, &map));
    IC_TRY_CLEAN(sort_names(model, &sorted));
    for (int32_t i = 0; i < count; i++) {
        class_name wanted = {NULL, -1};
        IC_TRY_CLEAN(ic_dataset_class(dataset, i, &wanted.name, NULL));
        const class_name *found =
            bsearch(&wanted, sorted, (size_t)model->class_count, sizeof *sorted, compare_names);
        map[i] = found != NULL ? found->index : -1;
    }
    *out = map;
    map = NULL;
cleanup:
    ic_free(model->context, sorted);
    ic_free(model->context, map);
    return status;
}

/* ---- Publishing ---- */

ic_published ic_model_published(const ic_model *model)
{
    ic_published out;
    ic_lock_take(model->lock);
    out.weights = ic_weights_retain(model->weights);
    out.confidence = ic_confidence_retain(model->confidence);
    const json_t *options = json_object_get(model->record, "options");
    const char *flip = json_string_value(json_object_get(options, "flip"));
    out.mirrored = flip != NULL && strcmp(flip, "off") != 0;
    ic_lock_give(model->lock);
    return out;
}

void ic_published_free(ic_published *published)
{
    ic_weights_free(published->weights);
    ic_confidence_free(published->confidence);
}

ic_weights *ic_model_weights(const ic_model *model)
{
    ic_lock_take(model->lock);
    ic_weights *weights = ic_weights_retain(model->weights);
    ic_lock_give(model->lock);
    return weights;
}

ic_status ic_model_record(const ic_model *model, json_t **out)
{
    ic_lock_take(model->lock);
    json_t *copy = json_deep_copy(model->record);
    ic_lock_give(model->lock);
    if (copy == NULL)
        return ic_fail(IC_ERROR_MEMORY, "out of memory for a copy of the training record");
    *out = copy;
    return IC_OK;
}

void ic_model_publish(ic_model *model, ic_weights *weights, json_t *record)
{
    ic_lock_take(model->lock);
    ic_weights *old_weights = model->weights;
    ic_confidence *old_confidence = model->confidence;
    json_t *old_record = model->record;
    model->weights = weights;
    model->confidence = NULL;
    model->record = record;
    ic_lock_give(model->lock);
    ic_weights_free(old_weights);
    ic_confidence_free(old_confidence);
    json_decref(old_record);
}

void ic_model_trust(ic_model *model, ic_confidence *confidence)
{
    ic_lock_take(model->lock);
    ic_confidence *old = model->confidence;
    model->confidence = confidence;
    ic_lock_give(model->lock);
    ic_confidence_free(old);
}

/* ---- Creating ---- */

ic_status ic_model_check_classes(const ic_dataset *train)
{
    int32_t classes = ic_dataset_class_count(train);
    int32_t filled = 0;
    const char *some = "";
    for (int32_t i = 0; i < classes; i++) {
        const char *name;
        int64_t count;
        IC_TRY(ic_dataset_class(train, i, &name, &count));
        filled += count > 0;
        some = count > 0 ? name : some;
    }
    if (filled >= 2)
        return IC_OK;
    if (filled == 1)
        return ic_fail(
            IC_ERROR_DATA,
            "all %lld pictures are of one class, %s: a classifier needs at least two "
            "classes; put the pictures of each into a folder of its own, and give the folder that "
            "holds these",
            (long long)ic_dataset_count(train), some);
    if (ic_dataset_broken_count(train) > 0)
        return ic_fail(
            IC_ERROR_DATA,
            "none of the %lld pictures can be read: inspect the data set for the reasons",
            (long long)ic_dataset_broken_count(train));
    return ic_fail(IC_ERROR_DATA, "the data set has no pictures: put JPEG or PNG files into one "
                                  "folder for each class");
}

ic_status ic_model_name_by(ic_model *model, const char *network, const ic_dataset *train)
{
    int32_t count = ic_dataset_class_count(train);
    const char **names;
    ic_status status;
    IC_TRY(ic_allocate_array(model->context, (size_t)count, sizeof *names, &names));
    for (int32_t i = 0; i < count; i++)
        IC_TRY_CLEAN(ic_dataset_class(train, i, &names[i], NULL));
    status = ic_model_name(model, network, names, count);
cleanup:
    ic_free(model->context, names);
    return status;
}

/* A network that begins with a whitening layer takes it from the training pictures. */
static ic_status whiten(ic_model *model, const ic_dataset *train, float *parameters)
{
    const ic_parameter *filters = ic_zoo_whitening(model->graph);
    if (filters == NULL)
        return IC_OK;
    return ic_loader_whiten(model->context, train, WHITENED_PICTURES, &model->pipeline,
                            (int32_t)filters->shape[2], parameters + filters->offset);
}

static ic_status initialise(ic_model *model, const ic_dataset *train, uint64_t seed)
{
    size_t total = (size_t)ic_graph_parameter_sizes(model->graph).total;
    ic_pool *pool = NULL;
    float *parameters = NULL;
    ic_status status;
    IC_TRY(ic_context_pool(model->context, &pool));
    IC_TRY(ic_allocate_array(model->context, total, sizeof *parameters, &parameters));
    ic_zoo_initialise(pool, model->network, model->graph, seed, parameters);
    status = whiten(model, train, parameters);
    if (status >= 0)
        status = ic_weights_create(model->context, model->graph, parameters, &model->weights);
    ic_free(model->context, parameters);
    return status;
}

/* What can be chosen within given minutes depends on the machine. */
static ic_status measure_speed(ic_context *context, const ic_options *options, ic_data_facts *facts)
{
    char minutes[IC_TEXT_FLOAT_MAX];
    if (ic_option_float(options, "minutes") <= 0)
        return IC_OK;
    IC_TRY(ic_recipe_probe(context, &facts->slowness));
    ic_log(context, IC_LOG_INFO,
           "%s minutes at %d %% of the speed of the machine that the recipes were measured on",
           ic_text_float(ic_option_float(options, "minutes"), 3, minutes),
           (int)(100 / facts->slowness + 0.5));
    return IC_OK;
}

static ic_status fill_from_data(ic_model *model, const ic_dataset *train, const ic_options *options)
{
    ic_context *context = model->context;
    ic_data_facts facts;
    ic_model_recipe recipe;
    IC_TRY(ic_recipe_look(context, train, &facts));
    IC_TRY(measure_speed(context, options, &facts));
    IC_TRY(ic_recipe_model(context, &facts, options, &recipe));
    model->pipeline = recipe.pipeline;
    if (recipe.measure)
        IC_TRY(ic_loader_measure(context, train, MEASURED_PICTURES, NULL, &model->pipeline));
    IC_TRY(ic_model_name_by(model, recipe.network, train));
    ic_shape input = {model->pipeline.height, model->pipeline.width, model->pipeline.channels};
    IC_TRY(ic_zoo_build(context, recipe.network, input, model->class_count, &model->graph));
    return initialise(model, train, (uint64_t)ic_option_int(options, "seed"));
}

ic_status ic_model_create(ic_context *context, const ic_dataset *train, const ic_options *options,
                          ic_model **out)
{
    if (context == NULL || train == NULL || out == NULL)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_model_create: %s is NULL",
                       context == NULL ? "context"
                       : train == NULL ? "train"
                                       : "out");
    IC_TRY(ic_model_check_classes(train));
    ic_model *model;
    IC_TRY(ic_model_begin(context, &model));
    ic_status status = fill_from_data(model, train, options);
    if (status < 0) {
        ic_model_free(model);
        return status;
    }
    *out = model;
    return IC_OK;
}

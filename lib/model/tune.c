/* model/tune.c: a model that begins with what an earlier one has learnt. SPDX-License-Identifier:
 * MIT */
#include "base/options.h"
#include "base/status.h"
#include "model/model.h"

#include <string.h>

/* Whether an option asks for what the earlier model has, or leaves it open. */
static bool is_kept(const ic_model *earlier, const ic_options *options, const char *name,
                    const json_t *pipeline)
{
    const json_t *has = json_object_get(pipeline, name);
    if (!ic_option_is_set(options, name) || ic_option_is(options, name, "auto"))
        return true;
    if (strcmp(name, "network") == 0)
        return ic_option_is(options, name, earlier->network);
    if (strcmp(name, "input_size") == 0) {
        int64_t side = ic_option_int(options, name);
        return side == 0 || (side == earlier->pipeline.width && side == earlier->pipeline.height);
    }
    if (strcmp(name, "channels") == 0)
        return ic_option_is(options, name, earlier->pipeline.channels == 1 ? "grey" : "colour");
    if (json_is_string(has))
        return ic_option_is(options, name, json_string_value(has));
    return json_is_number(has) &&
           (float)ic_option_float(options, name) == (float)json_number_value(has);
}

/* What comes with the earlier model cannot be chosen again. */
static ic_status check_options(const ic_model *earlier, const ic_options *options)
{
    static const char *const fixed[] = {"network",   "input_size", "channels", "decode",
                                        "resize",    "filter",     "denoise",  "denoise_strength",
                                        "normalise", "mean",       "deviation"};
    ic_status status = IC_OK;
    json_t *pipeline;
    IC_TRY(ic_pipeline_to_json(&earlier->pipeline, &pipeline));
    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0] && status == IC_OK; i++)
        if (!is_kept(earlier, options, fixed[i], pipeline))
            status = ic_fail(IC_ERROR_OPTION,
                             "option \"%s\" cannot be chosen anew: it comes with the earlier model",
                             fixed[i]);
    json_decref(pipeline);
    return status;
}

/* The rows of the classes that both models have; the others stay as they are. */
static void copy_rows(const ic_model *earlier, const ic_model *made, const ic_parameter *from,
                      const ic_parameter *to, const float *old, float *fresh)
{
    int64_t row = to->count / to->shape[0];
    for (int32_t i = 0; i < made->class_count; i++) {
        int32_t known = ic_model_find_class(earlier, made->classes[i]);
        if (known >= 0)
            memcpy(fresh + to->offset + i * row, old + from->offset + known * row,
                   (size_t)row * sizeof(float));
    }
}

/* Parameters are the same, in the same order, but for the last, linear layer, of which a row is a
 * class. */
static void copy_weights(const ic_model *earlier, const ic_model *made, const float *old,
                         float *fresh)
{
    int32_t count = ic_graph_parameter_count(made->graph);
    const char *last = ic_graph_classifier(made->graph);
    for (int32_t i = 0; i < count; i++) {
        const ic_parameter *to = ic_graph_parameter(made->graph, i);
        const ic_parameter *from = ic_graph_parameter(earlier->graph, i);
        bool classifier =
            last && strncmp(to->name, last, strlen(last)) == 0 && to->name[strlen(last)] == '.';
        if (classifier)
            copy_rows(earlier, made, from, to, old, fresh);
        else
            memcpy(fresh + to->offset, old + from->offset, (size_t)to->count * sizeof(float));
    }
}

static ic_status take_weights(const ic_model *earlier, ic_model *made, uint64_t seed)
{
    size_t total = (size_t)ic_graph_parameter_sizes(made->graph).total;
    ic_pool *pool = NULL;
    float *parameters = NULL;
    IC_TRY(ic_context_pool(made->context, &pool));
    IC_TRY(ic_allocate_array(made->context, total, sizeof *parameters, &parameters));
    ic_weights *old = ic_model_weights(earlier);
    ic_graph_initialise(pool, made->graph, seed, parameters);
    copy_weights(earlier, made, ic_weights_parameters(old), parameters);
    ic_weights_free(old);
    ic_status status = ic_weights_create(made->context, made->graph, parameters, &made->weights);
    ic_free(made->context, parameters);
    return status;
}

/* Which classes are kept, new and gone, for the log. */
static void log_classes(const ic_model *earlier, const ic_model *made)
{
    int32_t kept = 0;
    for (int32_t i = 0; i < made->class_count; i++)
        kept += ic_model_find_class(earlier, made->classes[i]) >= 0;
    ic_log(made->context, IC_LOG_INFO,
           "%s with the weights of an earlier training: %d of its %d classes are kept, %d are new",
           *made->network ? made->network : "a network", (int)kept, (int)earlier->class_count,
           (int)(made->class_count - kept));
}

/* Without a linear layer at the end, classes have no rows that could be put in another order. */
static ic_status check_order(const ic_model *earlier, const ic_model *made)
{
    bool same = made->class_count == earlier->class_count;
    for (int32_t i = 0; same && i < made->class_count; i++)
        same = strcmp(made->classes[i], earlier->classes[i]) == 0;
    if (same || ic_graph_classifier(earlier->graph))
        return IC_OK;
    return ic_fail(IC_ERROR_UNSUPPORTED,
                   "the network does not end with a linear layer, so that its "
                   "classes cannot change");
}

static ic_status fill(const ic_model *earlier, const ic_dataset *train, const ic_options *options,
                      ic_model *made)
{
    made->pipeline = earlier->pipeline;
    made->pretrained = true;
    IC_TRY(ic_model_name_by(made, earlier->network, train));
    IC_TRY(check_order(earlier, made));
    IC_TRY(ic_graph_remake(earlier->graph, ic_graph_input_shape(earlier->graph), made->class_count,
                           &made->graph));
    IC_TRY(take_weights(earlier, made, (uint64_t)ic_option_int(options, "seed")));
    log_classes(earlier, made);
    return IC_OK;
}

ic_status ic_model_create_from(const ic_model *earlier, const ic_dataset *train,
                               const ic_options *options, ic_model **out)
{
    ic_model *made = NULL;
    if (earlier == NULL || train == NULL || out == NULL)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_model_create_from: %s is NULL",
                       earlier == NULL ? "earlier"
                       : train == NULL ? "train"
                                       : "out");
    IC_TRY(check_options(earlier, options));
    IC_TRY(ic_model_check_classes(train));
    IC_TRY(ic_model_begin(earlier->context, &made));
    ic_status status = fill(earlier, train, options, made);
    if (status < 0)
        ic_model_free(made);
    else
        *out = made;
    return status;
}

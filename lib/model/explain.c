/* model/explain.c: explaining a decision, and what is told of it. SPDX-License-Identifier: MIT */
#include "model/explain.h"

#include "base/maths.h"
#include "base/options.h"
#include "base/status.h"

#include <math.h>
#include <string.h>

/* ---- The picture through the network ---- */

static ic_status see(const ic_model *model, const ic_image *image, ic_explaining *e, float *tensor)
{
    const ic_pipeline *pipeline = &model->pipeline;
    ic_image *canvas;
    IC_TRY(ic_pipeline_canvas(pipeline, image, &canvas));
    ic_pipeline_tensor(pipeline, canvas, tensor);
    ic_image_free(canvas);
    e->tensor = tensor;
    IC_TRY(ic_executor_create_tapped(e->context, e->graph, 1, e->map, &e->executor));
    memcpy(ic_executor_input(e->executor), tensor, ic_shape_floats(e->shape) * sizeof *tensor);
    IC_TRY(ic_executor_infer(e->executor, e->weights, 1));
    return ic_model_check_logits(ic_executor_logits(e->executor), 1, model->class_count);
}

/* The class to explain, index -1: the most probable one, and its probability. */
static ic_status choose_class(const ic_explaining *e, float scale, int32_t index,
                              ic_explanation *made)
{
    const int32_t classes = ic_graph_classes(e->graph);
    const ic_kernels *kernels = ic_kernels_at(e->context->cpu_level);
    float *probabilities;
    IC_TRY(
        ic_allocate_array(e->context, 2 * (size_t)classes, sizeof *probabilities, &probabilities));
    float *logits = probabilities + classes;
    for (int32_t i = 0; i < classes; i++)
        logits[i] = scale * ic_executor_logits(e->executor)[i];
    kernels->softmax(1, classes, logits, probabilities);
    made->class_index = index < 0 ? ic_largest(probabilities, classes) : index;
    made->probability = probabilities[made->class_index];
    ic_free(e->context, probabilities);
    return IC_OK;
}

/* To [0, 1]. Numbers within the network may overflow where its logits do not. */
static ic_status normalise(float *heat, size_t count)
{
    float most = 0;
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(heat[i]))
            return ic_fail(IC_ERROR_DIVERGED,
                           "what the network does is not finite numbers: its weights are unusable");
        most = heat[i] > most ? heat[i] : most;
    }
    for (size_t i = 0; i < count; i++)
        heat[i] = heat[i] > 0 ? heat[i] / most : 0;
    return IC_OK;
}

static ic_status explain(const ic_model *model, const ic_image *image, int32_t class_index,
                         ic_explanation *made)
{
    ic_published published = ic_model_published(model);
    ic_explaining e = {.context = model->context,
                       .graph = model->graph,
                       .weights = published.weights,
                       .map = ic_graph_last_map(model->graph),
                       .shape = ic_graph_input_shape(model->graph)};
    const size_t pixels = (size_t)e.shape.h * (size_t)e.shape.w;
    const bool by_gradient = strcmp(made->method, "gradcam") == 0;
    float *tensor = NULL;
    ic_status status;
    IC_TRY_CLEAN(ic_allocate_array(e.context, pixels, (size_t)e.shape.c * sizeof *tensor, &tensor));
    IC_TRY_CLEAN(see(model, image, &e, tensor));
    IC_TRY_CLEAN(choose_class(&e, ic_published_scale(&published), class_index, made));
    e.class_index = made->class_index;
    made->tensor = (ic_heat){.width = e.shape.w, .height = e.shape.h};
    IC_TRY_CLEAN(ic_allocate_array(e.context, pixels, sizeof(float), &made->tensor.values));
    IC_TRY_CLEAN(
        (by_gradient ? ic_explain_by_gradient : ic_explain_by_occlusion)(&e, made->tensor.values));
    IC_TRY_CLEAN(normalise(made->tensor.values, pixels));
cleanup:
    ic_free(e.context, tensor);
    ic_executor_free(e.executor);
    ic_published_free(&published);
    return status;
}

/* ---- The interface ---- */

ic_status ic_explain(const ic_model *model, const ic_image *image, const ic_options *options,
                     ic_explanation **out)
{
    if (model == NULL || image == NULL || out == NULL)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_explain: %s is NULL",
                       model == NULL   ? "model"
                       : image == NULL ? "image"
                                       : "out");
    char classes[IC_CLASS_LIST_MAX];
    const char *name = ic_option_text(options, "class");
    const int32_t class_index = *name == '\0' ? -1 : ic_model_find_class(model, name);
    if (*name != '\0' && class_index < 0)
        return ic_fail(IC_ERROR_NOT_FOUND, "the model has no class %s: its classes are %s", name,
                       ic_model_list_classes(model, classes));
    ic_explanation *made;
    IC_TRY(ic_allocate_zero(model->context, sizeof *made, &made));
    made->context = ic_context_retain(model->context);
    made->method = ic_option_is(options, "method", "gradcam") ? "gradcam" : "occlusion";
    made->image =
        ic_image_retain((ic_image *)image); /* all that changes is its count of references */
    made->seen = ic_pipeline_seen(&model->pipeline, image->width, image->height);
    ic_status status = explain(model, image, class_index, made);
    if (status < 0) {
        ic_explanation_free(made);
        return status;
    }
    *out = made;
    return IC_OK;
}

void ic_explanation_free(ic_explanation *explanation)
{
    if (explanation == NULL)
        return;
    ic_context *context = explanation->context;
    ic_image_free(explanation->image);
    ic_free(context, explanation->tensor.values);
    ic_free(context, explanation->map);
    ic_free(context, explanation);
    ic_context_free(context);
}

static ic_status check(const ic_explanation *explanation, const char *caller)
{
    return explanation != NULL ? IC_OK
                               : ic_fail(IC_ERROR_ARGUMENT, "%s: explanation is NULL", caller);
}

ic_status ic_explanation_class(const ic_explanation *explanation, int32_t *class_index,
                               float *probability)
{
    IC_TRY(check(explanation, "ic_explanation_class"));
    if (class_index != NULL)
        *class_index = explanation->class_index;
    if (probability != NULL)
        *probability = explanation->probability;
    return IC_OK;
}

const char *ic_explanation_method(const ic_explanation *explanation)
{
    return explanation != NULL ? explanation->method : "";
}

static ic_status give(const ic_heat *heat, const float **values, int32_t *width, int32_t *height)
{
    if (values != NULL)
        *values = heat->values;
    if (width != NULL)
        *width = heat->width;
    if (height != NULL)
        *height = heat->height;
    return IC_OK;
}

ic_status ic_explanation_map(ic_explanation *explanation, const float **values, int32_t *width,
                             int32_t *height)
{
    IC_TRY(check(explanation, "ic_explanation_map"));
    const ic_image *image = explanation->image;
    const size_t row = (size_t)image->width;
    if (explanation->map == NULL && values != NULL) {
        IC_TRY(ic_allocate_array(explanation->context, row * (size_t)image->height, sizeof(float),
                                 &explanation->map));
        for (int32_t y = 0; y < image->height; y++)
            ic_explanation_row(explanation, y, explanation->map + (size_t)y * row);
    }
    return give(&(ic_heat){explanation->map, image->width, image->height}, values, width, height);
}

ic_status ic_explanation_tensor_map(const ic_explanation *explanation, const float **values,
                                    int32_t *width, int32_t *height)
{
    IC_TRY(check(explanation, "ic_explanation_tensor_map"));
    return give(&explanation->tensor, values, width, height);
}

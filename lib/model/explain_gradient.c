/*
 * model/explain_gradient.c: Grad-CAM (Selvaraju et al. 2017, arXiv:1610.02391).
 * SPDX-License-Identifier: MIT
 *
 * With a[i][k] the last map of the network (pixel i, channel k) and y the logit of the class:
 * heat[i] = relu(sum over k of w[k] a[i][k]), w[k] = mean over i of dy / da[i][k].
 */
#include "base/status.h"
#include "model/explain.h"

#include <string.h>

/* The gradient of the class's logit at the map; the caller frees the executor that has it. */
static ic_status differentiate(const ic_explaining *e, const ic_graph *tail, float *parameters,
                               ic_executor **out)
{
    ic_executor *executor = NULL;
    float *gradients = NULL;
    ic_status status;
    const ic_shape map = ic_graph_input_shape(tail);
    IC_TRY_CLEAN(ic_executor_create(e->context, tail, 1, IC_TRAINING_TO_INPUT, &executor));
    IC_TRY_CLEAN(ic_allocate_array(e->context, (size_t)ic_graph_parameter_sizes(tail).trained,
                                   sizeof *gradients, &gradients));
    memcpy(ic_executor_input(executor), ic_executor_tap(e->executor),
           ic_shape_floats(map) * sizeof(float));
    IC_TRY_CLEAN(ic_executor_forward(executor, parameters, 0, 0));
    float *d_logits = ic_executor_logit_gradients(executor);
    for (int32_t i = 0; i < ic_graph_classes(tail); i++)
        d_logits[i] = i == e->class_index;
    IC_TRY_CLEAN(ic_executor_backward(executor, parameters, gradients));
    *out = executor;
    executor = NULL;
cleanup:
    ic_free(e->context, gradients);
    ic_executor_free(executor);
    return status;
}

/* cam[i], from the map a[i][k] and its gradient. */
static void weigh(const float *a, const float *d_a, ic_shape map, float *cam)
{
    const int32_t pixels = map.h * map.w;
    for (int32_t i = 0; i < pixels; i++)
        cam[i] = 0;
    for (int32_t k = 0; k < map.c; k++) {
        double weight = 0;
        for (int32_t i = 0; i < pixels; i++)
            weight += d_a[(size_t)i * (size_t)map.c + (size_t)k];
        for (int32_t i = 0; i < pixels; i++)
            cam[i] += (float)(weight / pixels) * a[(size_t)i * (size_t)map.c + (size_t)k];
    }
    for (int32_t i = 0; i < pixels; i++)
        cam[i] = cam[i] > 0 ? cam[i] : 0;
}

ic_status ic_explain_gradcam(const ic_explaining *e, ic_heat *cam)
{
    ic_graph *tail = NULL;
    ic_executor *executor = NULL;
    float *parameters = NULL;
    ic_status status;
    IC_TRY_CLEAN(
        ic_graph_tail(e->graph, e->map, ic_weights_parameters(e->weights), &tail, &parameters));
    const ic_shape map = ic_graph_input_shape(tail);
    *cam = (ic_heat){.width = map.w, .height = map.h};
    IC_TRY_CLEAN(differentiate(e, tail, parameters, &executor));
    IC_TRY_CLEAN(
        ic_allocate_array(e->context, (size_t)map.h * (size_t)map.w, sizeof(float), &cam->values));
    weigh(ic_executor_tap(e->executor), ic_executor_input_gradients(executor), map, cam->values);
cleanup:
    ic_free(e->context, parameters);
    ic_executor_free(executor);
    ic_graph_free(tail);
    return status;
}

ic_status ic_explain_by_gradient(const ic_explaining *e, float *heat)
{
    ic_heat cam;
    IC_TRY(ic_explain_gradcam(e, &cam));
    ic_heat_enlarge(&cam, e->shape.w, e->shape.h, heat);
    ic_free(e->context, cam.values);
    return IC_OK;
}

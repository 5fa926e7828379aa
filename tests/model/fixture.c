/* model/fixture.c: small models and pictures for the tests of this room. SPDX-License-Identifier:
 * MIT */
#include "model/fixture.h"

#include "base/random.h"
#include "base/status.h"
#include "zoo/zoo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static ic_status build_tiny(ic_context *context, ic_graph **out)
{
    ic_graph *graph;
    IC_TRY(ic_graph_create(context, (ic_shape){4, 5, 1}, &graph));
    ic_conv_options conv = {.k = 2, .size = 3, .padding = 1};
    ic_node x = ic_graph_conv(graph, "conv1", ic_graph_input(graph), &conv);
    x = ic_graph_batch_norm(graph, "bn1", x);
    x = ic_graph_activation(graph, x, IC_ACTIVATION_RELU);
    x = ic_graph_linear(graph, "fc", ic_graph_flatten(graph, x), 2, true);
    ic_status status = x < 0 ? x : ic_graph_finish(graph, x);
    if (status < 0)
        ic_graph_free(graph);
    else
        *out = graph;
    return status;
}

static ic_status name_classes(ic_model *model, const char *network, int32_t count)
{
    char texts[256][32];
    const char *names[256];
    for (int32_t i = 0; i < count; i++) {
        snprintf(texts[i], sizeof texts[i], "class %d", (int)i);
        names[i] = texts[i];
    }
    return ic_model_name(model, network, names, count);
}

static ic_status initialise(ic_model *model, uint64_t seed)
{
    int64_t total = ic_graph_parameter_sizes(model->graph).total;
    float *parameters;
    IC_TRY(ic_allocate_zero(model->context, (size_t)total * sizeof *parameters, &parameters));
    ic_graph_initialise(NULL, model->graph, seed, parameters);
    ic_status status = ic_weights_create(model->context, model->graph, parameters, &model->weights);
    ic_free(model->context, parameters);
    return status;
}

static ic_status fill(ic_model *model, const char *network, int32_t side, int32_t channels,
                      int32_t classes, uint64_t seed)
{
    bool tiny = strcmp(network, "tiny") == 0;
    int32_t width = tiny ? 5 : side, height = tiny ? 4 : side;
    model->pipeline = (ic_pipeline){
        .width = width,
        .height = height,
        .channels = tiny ? 1 : channels,
        .canvas_width = width,
        .canvas_height = height,
        .resize = IC_RESIZE_STRETCH,
        .filter = IC_FILTER_BILINEAR,
        .denoise_strength = 1,
        .mean = {0.5f, 0.4f, 0.3f},
        .deviation = {0.25f, 0.3f, 0.2f},
    };
    if (tiny)
        IC_TRY(build_tiny(model->context, &model->graph));
    else
        IC_TRY(ic_zoo_build(model->context, network, (ic_shape){height, width, channels}, classes,
                            &model->graph));
    IC_TRY(name_classes(model, tiny ? "" : network, tiny ? 2 : classes));
    return initialise(model, seed);
}

ic_status fixture_model(ic_context *context, const char *network, int32_t side, int32_t channels,
                        int32_t classes, uint64_t seed, ic_model **out)
{
    ic_model *model;
    IC_TRY(ic_model_begin(context, &model));
    ic_status status = fill(model, network, side, channels, classes, seed);
    if (status < 0)
        ic_model_free(model);
    else
        *out = model;
    return status;
}

ic_model *fixture_make(ic_context *context, const char *network, int32_t side, int32_t channels,
                       int32_t classes, uint64_t seed)
{
    ic_model *model = NULL;
    assert_ok(fixture_model(context, network, side, channels, classes, seed, &model));
    return model;
}

ic_image *fixture_image(ic_context *context, int32_t width, int32_t height, uint64_t seed)
{
    size_t size = (size_t)width * (size_t)height * 3;
    unsigned char *pixels = malloc(size);
    ic_random random = ic_random_at(seed, IC_USE_SHUFFLE, 1, 2);
    ic_image *image;
    for (size_t i = 0; i < size; i++)
        pixels[i] = (unsigned char)ic_random_bits(&random);
    assert_ok(ic_image_from_pixels(context, pixels, width, height, 0, IC_PIXELS_RGB8, &image));
    free(pixels);
    return image;
}

/* Shows `count` pictures of noise from number `first` on, in batches. */
static void show(const ic_model *model, int32_t first, int32_t count, int32_t most,
                 ic_fitting *fitting, ic_status (*take)(ic_fitting *, const ic_batch *))
{
    const ic_pipeline *p = &model->pipeline;
    size_t size = (size_t)p->width * (size_t)p->height * (size_t)p->channels;
    float *tensors = malloc((size_t)most * size * sizeof *tensors);
    int32_t *labels = malloc((size_t)most * sizeof *labels);
    ic_pipeline_workspace *workspace;
    assert_ok(ic_pipeline_workspace_create(model->context, &workspace));
    for (int32_t done = 0; done < count;) {
        ic_batch batch = {.tensors = tensors, .labels = labels};
        for (; batch.count < most && done < count; batch.count++, done++) {
            ic_image *image = fixture_image(model->context, 30, 40, (uint64_t)(first + done));
            assert_ok(ic_pipeline_apply(p, image, workspace, tensors + (size_t)batch.count * size));
            labels[batch.count] = (first + done) % model->class_count;
            ic_image_free(image);
        }
        assert_ok(take(fitting, &batch));
    }
    ic_pipeline_workspace_free(workspace);
    free(tensors);
    free(labels);
}

void fixture_trust(ic_model *model, int32_t batch)
{
    ic_fitting *fitting;
    ic_confidence *made;
    const ic_fitting_options options = {.calibrate = true,
                                        .unknown = true,
                                        .share = 0.05,
                                        .training = FIXTURE_TRAINING,
                                        .validation = FIXTURE_VALIDATION,
                                        .batch = batch};
    assert_ok(ic_fitting_create(model->context, model->graph, &model->pipeline, model->weights,
                                &options, &fitting));
    show(model, 0, FIXTURE_TRAINING, batch, fitting, ic_fitting_train);
    show(model, FIXTURE_TRAINING, FIXTURE_VALIDATION, batch, fitting, ic_fitting_validate);
    assert_ok(ic_fitting_finish(fitting, &made));
    ic_fitting_free(fitting);
    ic_model_trust(model, made);
}

ic_buffer fixture_bytes(const ic_model *model)
{
    ic_buffer bytes = {.context = model->context};
    assert_ok(ic_model_write(model, NULL, &bytes));
    return bytes;
}

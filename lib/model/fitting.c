/* model/fitting.c: learns from validation pictures how sure a model may be, and with training
 * pictures, what is unlike them. SPDX-License-Identifier: MIT */
#include "base/memory.h"
#include "base/pool.h"
#include "base/status.h"
#include "base/text.h"
#include "model/calibrate.h"
#include "model/confidence.h"
#include "model/model.h"

#include <string.h>

struct ic_fitting {
    ic_context *context;
    ic_pool *pool;
    ic_pipeline pipeline;
    ic_weights *weights;
    ic_executor *executor;
    ic_fitting_options options;
    ic_confidence *made;
    float *scratch;            /* of each worker */
    double *textures;          /* [training + batch]; behind those of the training, a batch's */
    int32_t looks;             /* at each validation picture */
    float *logits;             /* [looks][most][classes] */
    int32_t *labels;           /* [looks][most] */
    double (*signs)[IC_SIGNS]; /* [most], of the first look, as below */
    double *scores;            /* [most] */
    int64_t trained, seen;     /* pictures so far, of the training and of the validation's looks */
    int64_t most;              /* validation pictures that are kept, evenly chosen */
    int64_t kept;              /* so far, of all looks */
    int32_t classes;
};

/*
 * Logits of validation pictures that are kept, in floats (256 MB): 67,000 pictures of 1,000 classes
 * in one look, more than a temperature needs.
 */
enum { LOGITS_MOST = 64 * 1024 * 1024 };

bool ic_fitting_can(const ic_graph *graph, const ic_pipeline *pipeline)
{
    return ic_graph_classifier(graph) != NULL && ic_texture_count(pipeline) > 0;
}

/* ---- Life ---- */

/* What `unknown` alone takes. */
static ic_status prepare_unknown(ic_fitting *f, const ic_graph *graph)
{
    ic_context *context = f->context;
    const ic_fitting_options *options = &f->options;
    int32_t count = ic_texture_count(&f->pipeline);
    size_t scratch = ic_texture_scratch(&f->pipeline) * (size_t)ic_pool_threads(f->pool);
    size_t pictures = (size_t)f->most;
    if (!ic_fitting_can(graph, &f->pipeline) || options->training < 1)
        return ic_fail(IC_ERROR_UNSUPPORTED, "strangers cannot be told by this network");
    f->made->unknown.count = count;
    IC_TRY(ic_graph_tap(graph, &f->made->taps, &f->made->tapped));
    IC_TRY(ic_allocate_array(context, scratch, sizeof *f->scratch, &f->scratch));
    IC_TRY(ic_allocate_array(context, (size_t)(options->training + options->batch),
                             (size_t)count * sizeof *f->textures, &f->textures));
    IC_TRY(ic_allocate_array(context, pictures, sizeof *f->signs, &f->signs));
    return ic_allocate_array(context, pictures, sizeof *f->scores, &f->scores);
}

static ic_status prepare(ic_fitting *f, const ic_graph *graph)
{
    ic_context *context = f->context;
    const ic_fitting_options *options = &f->options;
    int64_t fitting = LOGITS_MOST / f->classes / f->looks;
    f->most = options->validation < fitting ? options->validation : fitting;
    size_t pictures = (size_t)(f->most * f->looks), classes = (size_t)f->classes;
    IC_TRY(ic_context_pool(context, &f->pool));
    IC_TRY(ic_allocate_zero(context, sizeof *f->made, &f->made));
    atomic_init(&f->made->references, 1);
    f->made->context = ic_context_retain(context);
    f->made->temperature = 1;
    if (options->unknown) {
        IC_TRY(prepare_unknown(f, graph));
        graph = f->made->tapped;
    }
    IC_TRY(ic_allocate_array(context, pictures, classes * sizeof *f->logits, &f->logits));
    IC_TRY(ic_allocate_array(context, pictures, sizeof *f->labels, &f->labels));
    if (options->host != NULL)
        return ic_executor_create_beside(options->host, graph, IC_INFERENCE, &f->executor);
    return ic_executor_create(context, graph, options->batch, IC_INFERENCE, &f->executor);
}

ic_status ic_fitting_create(ic_context *context, const ic_graph *graph, const ic_pipeline *pipeline,
                            ic_weights *weights, const ic_fitting_options *options,
                            ic_fitting **out)
{
    ic_fitting *made;
    IC_TRY(ic_allocate_zero(context, sizeof *made, &made));
    made->context = ic_context_retain(context);
    made->pipeline = *pipeline;
    made->weights = ic_weights_retain(weights);
    made->options = *options;
    made->classes = ic_graph_classes(graph);
    made->looks = 1 + options->further_looks;
    ic_status status = prepare(made, graph);
    if (status < 0)
        ic_fitting_free(made);
    else
        *out = made;
    return status;
}

void ic_fitting_free(ic_fitting *fitting)
{
    if (fitting == NULL)
        return;
    ic_context *context = fitting->context;
    ic_executor_free(fitting->executor);
    ic_weights_free(fitting->weights);
    ic_confidence_free(fitting->made);
    ic_free(context, fitting->scratch);
    ic_free(context, fitting->textures);
    ic_free(context, fitting->logits);
    ic_free(context, fitting->labels);
    ic_free(context, fitting->signs);
    ic_free(context, fitting->scores);
    ic_free(context, fitting);
    ic_context_free(context);
}

/* ---- Textures, a picture a unit ---- */

typedef struct measuring {
    const ic_fitting *fitting;
    const float *tensors;
    double *out; /* [pictures][count] */
} measuring;

static ic_status measure_picture(void *arguments, int64_t unit, int32_t worker)
{
    const measuring *work = arguments;
    const ic_pipeline *p = &work->fitting->pipeline;
    size_t size = ic_texture_scratch(p);
    ic_texture_measure(p, work->tensors + (size_t)unit * size * (size_t)p->channels,
                       work->fitting->scratch + (size_t)worker * size,
                       work->out + unit * work->fitting->made->unknown.count);
    return IC_OK;
}

static ic_status measure(ic_fitting *f, const ic_batch *batch, int64_t at)
{
    measuring work = {f, batch->tensors, f->textures + at * f->made->unknown.count};
    return ic_pool_run(f->pool, batch->count, measure_picture, &work);
}

ic_status ic_fitting_train(ic_fitting *fitting, const ic_batch *batch)
{
    IC_TRY(measure(fitting, batch, fitting->trained));
    fitting->trained += batch->count;
    return IC_OK;
}

/* ---- The validation pictures ---- */

static void keep(ic_fitting *f, const ic_batch *batch)
{
    const float *outputs = ic_executor_logits(f->executor);
    int32_t width = ic_graph_classes(ic_executor_graph(f->executor));
    const ic_unknown *unknown = &f->made->unknown;
    const double *textures = f->textures + f->trained * unknown->count;
    const bool first = f->options.unknown && f->seen < f->options.validation;
    for (int32_t i = 0; i < batch->count; i++, outputs += width) {
        int64_t all = f->options.validation, at = f->seen++ % all;
        if (at * f->most / all == (at + 1) * f->most / all)
            continue;
        f->labels[f->kept] = batch->labels[i];
        memcpy(f->logits + f->kept * f->classes, outputs, (size_t)f->classes * sizeof *f->logits);
        if (first)
            ic_unknown_signs(unknown, textures + i * unknown->count, outputs, f->classes,
                             &f->made->taps, f->signs[f->kept]);
        f->kept++;
    }
}

ic_status ic_fitting_validate(ic_fitting *fitting, const ic_batch *batch)
{
    ic_fitting *f = fitting;
    size_t floats = ic_pipeline_floats(&f->pipeline);
    if (f->options.unknown && f->seen < f->options.validation) {
        if (f->seen == 0)
            ic_unknown_fit(&f->made->unknown, f->textures, f->trained);
        IC_TRY(measure(f, batch, f->trained));
    }
    memcpy(ic_executor_input(f->executor), batch->tensors,
           (size_t)batch->count * floats * sizeof *batch->tensors);
    IC_TRY(ic_executor_infer(f->executor, f->weights, batch->count));
    keep(f, batch);
    return IC_OK;
}

/* ---- The end ---- */

static ic_status calibrate(ic_fitting *f)
{
    ic_confidence *made = f->made;
    const ic_judged all = {f->logits, f->labels, f->kept, f->classes};
    const ic_judged first = {f->logits, f->labels, f->most, f->classes};
    char temperature[IC_TEXT_FLOAT_MAX], before[IC_TEXT_FLOAT_MAX], after[IC_TEXT_FLOAT_MAX];
    made->temperature = ic_temperature_fit(&all, f->looks);
    made->calibrated = true;
    IC_TRY(ic_calibration_error(f->context, &first, 1, &made->error_before));
    IC_TRY(ic_calibration_error(f->context, &first, made->temperature, &made->error_after));
    ic_log(f->context, IC_LOG_INFO,
           "probabilities: a temperature of %s, by the %lld validation pictures%s; expected "
           "calibration error as they are: %s %% without it, %s %% with it",
           ic_text_float(made->temperature, 3, temperature), (long long)f->most,
           f->looks > 1 ? " as they are, and reframed as in training" : "",
           ic_text_float(100 * made->error_before, 3, before),
           ic_text_float(100 * made->error_after, 3, after));
    return IC_OK;
}

static void tell_strangers(ic_fitting *f)
{
    char share[IC_TEXT_FLOAT_MAX];
    ic_unknown_calibrate(&f->made->unknown, (const double(*)[IC_SIGNS])f->signs, f->most,
                         f->options.share, f->scores);
    ic_log(
        f->context, IC_LOG_INFO,
        "unknown pictures: learnt from %lld training pictures, with a threshold beyond which are "
        "%s %% of the %lld validation pictures",
        (long long)f->trained, ic_text_float(100 * f->options.share, 3, share), (long long)f->most);
}

ic_status ic_fitting_finish(ic_fitting *fitting, ic_confidence **out)
{
    ic_fitting *f = fitting;
    if (f->seen != f->looks * f->options.validation)
        return ic_fail(IC_ERROR_STATE, "%lld of %lld looks at validation pictures were taken",
                       (long long)f->seen, (long long)(f->looks * f->options.validation));
    IC_TRY(ic_model_check_logits(f->logits, (int32_t)f->kept, f->classes));
    f->made->pictures = f->most;
    if (f->options.calibrate)
        IC_TRY(calibrate(f));
    if (f->options.unknown)
        tell_strangers(f);
    *out = f->made;
    f->made = NULL;
    return IC_OK;
}

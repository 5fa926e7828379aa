/*
 * graph/weights.c: weights ready for inference: batch norms folded into the convolutions before
 * them, and everything packed. SPDX-License-Identifier: MIT
 */
#include "graph/weights.h"

#include "base/pool.h"
#include "graph/pack.h"

#include <math.h>
#include <string.h>

void ic_norm_channel(const ic_graph *graph, const float *parameters, int32_t norm, int64_t i,
                     double *scale, double *shift)
{
    const ic_graph_node *node = &graph->nodes[norm];
    const ic_parameter *p = &graph->parameters[node->first_parameter];
    double gamma = parameters[p[0].offset + i], beta = parameters[p[1].offset + i];
    double mean = parameters[p[2].offset + i], var = parameters[p[3].offset + i];
    *scale = gamma / sqrt(var + node->attributes.epsilon);
    *shift = beta - mean * *scale;
}

/* A batch norm that stands alone. */
static void fold_alone(const ic_run *run, const ic_fold *fold, const float *parameters)
{
    const ic_graph *graph = run->program->graph;
    const ic_graph_node *node = &graph->nodes[fold->node];
    float *scales = ic_at(run, fold->scale), *shifts = ic_at(run, fold->shift);
    for (int32_t i = 0; i < node->shape.c; i++) {
        double scale, shift;
        ic_norm_channel(graph, parameters, fold->node, i, &scale, &shift);
        scales[i] = (float)scale;
        shifts[i] = (float)shift;
    }
}

/* w'[k] = w[k] * scale[k]; bias'[k] = bias[k] * scale[k] + shift[k] */
static void fold_into_conv(const ic_run *run, const ic_pack *pack, float *weights)
{
    const ic_graph *graph = run->program->graph;
    const ic_graph_node *node = &graph->nodes[pack->node];
    const ic_parameter *p = &graph->parameters[node->first_parameter];
    const float *parameters = (const float *)run->bases[IC_BASE_PARAMETERS];
    const float *bias = node->attributes.bias ? parameters + p[1].offset : NULL;
    float *folded = ic_at(run, pack->bias);
    int64_t each = p->count / p->shape[0];
    for (int64_t k = 0; k < p->shape[0]; k++, weights += each) {
        double scale, shift;
        ic_norm_channel(graph, parameters, pack->norm, k, &scale, &shift);
        folded[k] = (float)((bias != NULL ? bias[k] * scale : 0) + shift);
        for (int64_t i = 0; i < each; i++)
            weights[i] = (float)(weights[i] * scale);
    }
}

typedef struct pack_job {
    const ic_pack *pack;
    const float *weights;
    float *packed;
} pack_job;

static ic_status pack_unit(void *arguments, int64_t unit, int32_t worker)
{
    const pack_job *job = arguments;
    ic_conv_pack(job->pack->conv, job->pack->pass, unit, job->weights, job->packed);
    return IC_OK;
}

/* spare: two blocks of the size of the largest weights. */
static ic_status prepare_conv(const ic_run *run, const ic_pack *pack, float *spare, float *permuted)
{
    const ic_program *p = run->program;
    const float *weights = ic_at(run, pack->source);
    ic_pool *pool = NULL;
    IC_TRY(ic_context_pool(p->context, &pool));
    if (pack->norm >= 0) {
        memcpy(spare, weights, p->tensors[pack->source].bytes);
        fold_into_conv(run, pack, spare);
        weights = spare;
    }
    if (pack->permuted.h > 0) {
        ic_permute_weights(pack->conv->shape.k, pack->permuted, weights, permuted);
        weights = permuted;
    }
    pack_job job = {.pack = pack, .weights = weights, .packed = ic_at(run, pack->packed)};
    return ic_pool_run(pool, ic_conv_pack_units(pack->conv, pack->pass), pack_unit, &job);
}

static ic_status prepare(ic_weights *weights, const ic_program *p)
{
    ic_run run = {.program = p};
    run.bases[IC_BASE_PARAMETERS] = (unsigned char *)weights->parameters;
    run.bases[IC_BASE_CONSTANTS] = weights->constants;
    float *spare = NULL, *permuted = NULL;
    size_t largest = 0;
    for (size_t i = 0; i < p->pack_count; i++)
        if (p->tensors[p->packs[i].source].bytes > largest)
            largest = p->tensors[p->packs[i].source].bytes;
    ic_status status = IC_OK;
    IC_TRY_CLEAN(ic_allocate(weights->context, largest, &spare));
    IC_TRY_CLEAN(ic_allocate(weights->context, largest, &permuted));
    for (size_t i = 0; i < p->fold_count; i++)
        fold_alone(&run, &p->folds[i], weights->parameters);
    for (size_t i = 0; i < p->pack_count; i++)
        IC_TRY_CLEAN(prepare_conv(&run, &p->packs[i], spare, permuted));
cleanup:
    ic_free(weights->context, spare);
    ic_free(weights->context, permuted);
    return status;
}

ic_status ic_weights_create(ic_context *context, const ic_graph *graph, const float *parameters,
                            ic_weights **out)
{
    if (context == NULL || graph == NULL || parameters == NULL || out == NULL)
        return ic_fail(IC_ERROR_ARGUMENT, "ic_weights_create: no argument may be NULL");
    ic_weights *weights = NULL;
    ic_program *program = NULL;
    ic_status status = IC_OK;
    size_t floats = (size_t)ic_graph_parameter_sizes(graph).total;
    IC_TRY_CLEAN(ic_program_create(context, graph, 1, IC_INFERENCE, NULL, IC_NO_TAP, &program));
    IC_TRY_CLEAN(ic_allocate_zero(context, sizeof *weights, &weights));
    atomic_init(&weights->references, 1);
    weights->context = ic_context_retain(context);
    weights->graph = ic_graph_retain((ic_graph *)graph);
    weights->constant_bytes = program->constant_bytes;
    IC_TRY_CLEAN(ic_allocate_array(context, floats, sizeof(float), &weights->parameters));
    memcpy(weights->parameters, parameters, floats * sizeof(float));
    IC_TRY_CLEAN(ic_allocate_zero(context, weights->constant_bytes, &weights->constants));
    IC_TRY_CLEAN(prepare(weights, program));
    *out = weights;
    weights = NULL;
cleanup:
    ic_program_free(program);
    ic_weights_free(weights);
    return status;
}

ic_weights *ic_weights_retain(ic_weights *weights)
{
    atomic_fetch_add(&weights->references, 1);
    return weights;
}

void ic_weights_free(ic_weights *weights)
{
    if (weights == NULL || atomic_fetch_sub(&weights->references, 1) != 1)
        return;
    ic_context *context = weights->context;
    ic_free(context, weights->parameters);
    ic_free(context, weights->constants);
    ic_graph_free(weights->graph);
    ic_free(context, weights);
    ic_context_free(context);
}

const float *ic_weights_parameters(const ic_weights *weights)
{
    return weights->parameters;
}

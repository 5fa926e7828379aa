/* graph/lowering.c: from nodes to steps. SPDX-License-Identifier: MIT */
#include "graph/lowering.h"

#include "graph/chains.h"
#include "graph/elementwise.h"
#include "graph/pack.h"
#include "graph/planner.h"

#include <string.h>

/* ---- Tensors ---- */

static ic_status add_tensor(ic_lowering *l, const ic_tensor *tensor, int32_t *out)
{
    ic_program *p = l->program;
    if (p->tensor_count >= INT32_MAX / 2)
        return ic_fail(IC_ERROR_LIMIT, "the network needs too many tensors");
    IC_TRY(
        ic_grow(p->context, &p->tensors, &p->tensor_capacity, p->tensor_count + 1, sizeof *tensor));
    *out = (int32_t)p->tensor_count;
    p->tensors[p->tensor_count++] = *tensor;
    return IC_OK;
}

ic_status ic_lower_bytes(ic_lowering *l, size_t bytes, int32_t *out)
{
    ic_tensor tensor = {.base = IC_BASE_ARENA, .bytes = bytes, .first = INT32_MAX, .last = -1};
    return add_tensor(l, &tensor, out);
}

ic_status ic_lower_floats(ic_lowering *l, size_t floats, int32_t *out)
{
    size_t bytes = 0;
    if (!ic_multiply_size(floats, sizeof(float), &bytes))
        return ic_fail(IC_ERROR_LIMIT, "a tensor of the network is too large for this machine");
    return ic_lower_bytes(l, bytes, out);
}

ic_status ic_lower_tensor(ic_lowering *l, ic_shape shape, int32_t *out)
{
    size_t floats = 0;
    if (!ic_multiply_size((size_t)ic_lower_rows(l, shape), (size_t)shape.c, &floats))
        return ic_fail(IC_ERROR_LIMIT, "a tensor of the network is too large for this machine");
    return ic_lower_floats(l, floats, out);
}

ic_status ic_lower_constant(ic_lowering *l, size_t floats, int32_t *out)
{
    size_t bytes = 0, end = 0;
    ic_program *p = l->program;
    if (!ic_multiply_size(floats, sizeof(float), &bytes) || !ic_add_size(bytes, 63, &bytes) ||
        !ic_add_size(p->constant_bytes, bytes / 64 * 64, &end))
        return ic_fail(IC_ERROR_LIMIT, "the packed weights are too large for this machine");
    ic_tensor tensor = {
        .base = IC_BASE_CONSTANTS, .bytes = bytes / 64 * 64, .offset = p->constant_bytes};
    IC_TRY(add_tensor(l, &tensor, out));
    p->constant_bytes = end;
    return IC_OK;
}

ic_status ic_lower_parameter(ic_lowering *l, int32_t node, int32_t index, ic_base base,
                             int32_t *out)
{
    int32_t number = ic_lower_node(l, node)->first_parameter + index;
    const ic_parameter *p = ic_graph_parameter(l->graph, number);
    if (base == IC_BASE_GRADIENTS && l->trained != NULL && !l->trained[number]) {
        *out = IC_NO_TENSOR;
        return IC_OK;
    }
    ic_tensor tensor = {.base = base,
                        .bytes = (size_t)p->count * sizeof(float),
                        .offset = (size_t)p->offset * sizeof(float)};
    return add_tensor(l, &tensor, out);
}

/* ---- Steps ---- */

ic_step ic_step_of(const ic_step_kind *kind, int32_t node)
{
    ic_step step = {
        .kind = kind, .node = node, .phases = 1, .in_place = IC_NO_TENSOR, .shared = IC_NO_TENSOR};
    for (int32_t i = 0; i < IC_STEP_VALUES; i++)
        step.x[i] = ic_value_of(IC_NO_TENSOR);
    for (int32_t i = 0; i < IC_STEP_TENSORS; i++)
        step.reads[i] = step.writes[i] = IC_NO_TENSOR;
    return step;
}

ic_status ic_lower_step(ic_lowering *l, const ic_step *step)
{
    ic_program *p = l->program;
    IC_TRY(ic_grow(p->context, &p->steps, &p->step_capacity, p->step_count + 1, sizeof *step));
    ic_step *added = &p->steps[p->step_count++];
    *added = *step;
    if (step->shared_bytes > 0)
        IC_TRY(ic_lower_bytes(l, step->shared_bytes, &added->shared));
    if (step->scratch_bytes > p->scratch_bytes)
        p->scratch_bytes = step->scratch_bytes;
    return IC_OK;
}

/*
 * ---- Packed weights: of some layers at a time, just before the first of them needs its own, so
 * that few of them take place in the arena, and small networks have few such steps ----
 */

enum { PACK_STEP_BYTES = 2 << 20 };

static ic_status ready_pack_step(ic_lowering *l, size_t bytes)
{
    if (l->pack_step >= 0 && l->pack_bytes + bytes <= PACK_STEP_BYTES)
        return IC_OK;
    ic_step step = ic_step_of(&ic_step_pack, 0);
    step.phases = 2;
    step.first = (int32_t)l->program->pack_count;
    l->pack_step = (int32_t)l->program->step_count;
    l->pack_bytes = 0;
    return ic_lower_step(l, &step);
}

static ic_status add_to_pack_step(ic_lowering *l, ic_pack *pack, size_t floats)
{
    ic_program *p = l->program;
    IC_TRY(ready_pack_step(l, floats * sizeof(float)));
    IC_TRY(ic_lower_floats(l, floats, &pack->packed));
    if (pack->permuted.h > 0)
        IC_TRY(ic_lower_bytes(l, p->tensors[pack->source].bytes, &pack->weights));
    ic_step *step = &p->steps[l->pack_step];
    step->node = step->count == 0 ? pack->node : step->node;
    pack->first_unit = step->rows;
    step->rows += ic_conv_pack_units(pack->conv, pack->pass);
    step->count++;
    l->pack_bytes += floats * sizeof(float);
    return IC_OK;
}

ic_status ic_lower_pack(ic_lowering *l, const ic_pack *pack, int32_t *packed)
{
    ic_program *p = l->program;
    ic_pack entry = *pack;
    size_t floats = entry.conv->plans[entry.pass].packed_floats;
    if (floats == 0)
        return ic_lower_parameter(l, entry.node, 0, IC_BASE_PARAMETERS, packed);
    IC_TRY(ic_grow(p->context, &p->packs, &p->pack_capacity, p->pack_count + 1, sizeof entry));
    IC_TRY(ic_lower_parameter(l, entry.node, 0, IC_BASE_PARAMETERS, &entry.source));
    entry.weights = entry.source;
    if (ic_lower_trains(l))
        IC_TRY(add_to_pack_step(l, &entry, floats));
    else
        IC_TRY(ic_lower_constant(l, floats, &entry.packed));
    p->packs[p->pack_count++] = entry;
    *packed = entry.packed;
    return IC_OK;
}

/* ---- Values ---- */

void ic_lower_set(ic_lowering *l, int32_t node, int32_t tensor)
{
    l->nodes[node].value = ic_value_of(tensor);
    l->nodes[node].plain = tensor;
}

ic_status ic_lower_plain(ic_lowering *l, int32_t node, int32_t *out)
{
    ic_lowered_node *n = &l->nodes[node];
    if (n->plain < 0 && ic_value_is_plain(n->value))
        n->plain = n->value.tensor;
    if (n->plain < 0) {
        int32_t made = IC_NO_TENSOR;
        ic_shape shape = ic_lower_node(l, node)->shape;
        IC_TRY(ic_lower_tensor(l, shape, &made));
        ic_step step = ic_step_of(&ic_step_apply, node);
        ic_step_cut(&step, ic_lower_rows(l, shape), shape.c);
        step.x[0] = n->value;
        step.writes[0] = made;
        step.in_place = n->value.tensor;
        IC_TRY(ic_lower_step(l, &step));
        n->plain = made;
    }
    *out = n->plain;
    return IC_OK;
}

ic_value ic_lower_value(const ic_lowering *l, int32_t node)
{
    const ic_lowered_node *n = &l->nodes[node];
    return n->plain >= 0 ? ic_value_of(n->plain) : n->value;
}

/* ---- Absorbing ---- */

int32_t ic_lower_only_consumer(const ic_lowering *l, int32_t node)
{
    return l->nodes[node].uses == 1 ? l->nodes[node].consumer : -1;
}

void ic_lower_absorb(ic_lowering *l, int32_t node, int32_t next)
{
    l->nodes[next].absorbed = true;
    l->nodes[node].tail = next;
}

bool ic_activation_any(ic_activation function)
{
    return function != IC_ACTIVATION_NONE;
}

bool ic_activation_from_output(ic_activation function)
{
    return function == IC_ACTIVATION_RELU || function == IC_ACTIVATION_RELU6;
}

ic_activation ic_lower_absorb_activation(ic_lowering *l, int32_t node, bool (*can)(ic_activation))
{
    int32_t next = ic_lower_only_consumer(l, l->nodes[node].tail);
    if (next < 0 || ic_lower_node(l, next)->op != &ic_operator_activation)
        return IC_ACTIVATION_NONE;
    ic_activation function = ic_lower_node(l, next)->attributes.function;
    if (!can(function))
        return IC_ACTIVATION_NONE;
    ic_lower_absorb(l, node, next);
    return function;
}

/* ---- Gradients ---- */

int32_t ic_lower_take_gradient(ic_lowering *l, int32_t node)
{
    int32_t tail = l->nodes[node].tail;
    l->taken = l->nodes[tail].gradient;
    l->nodes[tail].gradient = IC_NO_TENSOR;
    return l->taken;
}

static ic_status add_gradients(ic_lowering *l, int32_t node, int32_t a, int32_t b, int32_t *out)
{
    ic_shape shape = ic_lower_node(l, node)->shape;
    IC_TRY(ic_lower_tensor(l, shape, out));
    ic_step step = ic_step_of(&ic_step_add, node);
    ic_step_cut(&step, ic_lower_rows(l, shape), shape.c);
    step.x[0] = ic_value_of(a);
    step.x[1] = ic_value_of(b);
    step.writes[0] = *out;
    step.in_place = a != b ? a : IC_NO_TENSOR;
    return ic_lower_step(l, &step);
}

ic_status ic_lower_give_gradient(ic_lowering *l, int32_t node, int32_t tensor)
{
    ic_lowered_node *n = &l->nodes[node];
    if (!n->wants_gradient)
        return IC_OK;
    n->given++;
    if (n->gradient < 0) {
        n->gradient = tensor;
        return IC_OK;
    }
    return add_gradients(l, node, n->gradient, tensor, &n->gradient);
}

/* Whether another node, or the one in hand, still reads this gradient. */
static bool gradient_is_shared(const ic_lowering *l, int32_t node)
{
    int32_t tensor = l->nodes[node].gradient;
    if (tensor == l->taken)
        return true;
    for (size_t i = 0; i < l->graph->node_count; i++)
        if ((int32_t)i != node && l->nodes[i].gradient == tensor)
            return true;
    return false;
}

ic_status ic_lower_gradient_target(ic_lowering *l, int32_t node, int32_t *out, bool *accumulate)
{
    ic_lowered_node *n = &l->nodes[node];
    ic_shape shape = ic_lower_node(l, node)->shape;
    n->given++;
    *accumulate = n->gradient >= 0;
    if (*accumulate && gradient_is_shared(l, node)) {
        int32_t copy = IC_NO_TENSOR;
        IC_TRY(ic_lower_tensor(l, shape, &copy));
        ic_step step = ic_step_of(&ic_step_apply, node);
        ic_step_cut(&step, ic_lower_rows(l, shape), shape.c);
        step.x[0] = ic_value_of(n->gradient);
        step.writes[0] = copy;
        IC_TRY(ic_lower_step(l, &step));
        n->gradient = copy;
    } else if (!*accumulate) {
        IC_TRY(ic_lower_tensor(l, shape, &n->gradient));
    }
    *out = n->gradient;
    return IC_OK;
}

ic_status ic_lower_norm_gradient(ic_lowering *l, int32_t node, int32_t blocks, ic_step *step)
{
    ic_lowered_node *n = &l->nodes[node];
    if (n->norm < 0 || n->given < n->uses || blocks == 0)
        return IC_OK;
    const ic_lowered_node *norm = &l->nodes[n->norm];
    size_t floats = 2 * (size_t)blocks * (size_t)ic_lower_node(l, node)->shape.c;
    IC_TRY(ic_lower_floats(l, floats, &n->gradient_sums));
    n->gradient_blocks = blocks;
    step->x[0] = norm->saved_value;
    step->reads[IC_READ_NORM_MEAN] = norm->saved[IC_NORM_MEAN];
    step->writes[IC_WRITE_GRADIENT_SUMS] = n->gradient_sums;
    return IC_OK;
}

/* ---- The whole graph ---- */

/* Whether a node has a parameter that trains. */
static bool trains(const ic_lowering *l, size_t node)
{
    const ic_graph *graph = l->graph;
    int32_t first = graph->nodes[node].first_parameter;
    int32_t end = node + 1 < graph->node_count ? graph->nodes[node + 1].first_parameter
                                               : (int32_t)graph->parameter_count;
    bool any = false;
    for (int32_t i = first; i < end && !any; i++)
        any =
            graph->parameters[i].role != IC_ROLE_STATISTIC && (l->trained == NULL || l->trained[i]);
    return any;
}

static void begin_nodes(ic_lowering *l)
{
    for (size_t i = 0; i < l->graph->node_count; i++) {
        const ic_graph_node *node = ic_lower_node(l, (int32_t)i);
        ic_lowered_node *n = &l->nodes[i];
        n->value = ic_value_of(IC_NO_TENSOR);
        n->saved_value = n->value;
        n->plain = n->gradient = n->consumer = n->sums = IC_NO_TENSOR;
        n->norm = n->gradient_sums = IC_NO_TENSOR;
        n->tail = (int32_t)i;
        n->squeezed = (ic_squeezed){IC_NO_TENSOR, IC_NO_TENSOR, IC_NO_TENSOR};
        for (int32_t k = 0; k < IC_LOWERED_SAVED; k++)
            n->saved[k] = IC_NO_TENSOR;
        n->wants_gradient = trains(l, i) || (i == 0 && l->program->mode == IC_TRAINING_TO_INPUT);
        for (int32_t k = 0; k < node->input_count; k++) {
            ic_lowered_node *input = &l->nodes[node->inputs[k]];
            input->uses++;
            input->consumer = (int32_t)i;
            n->wants_gradient = n->wants_gradient || input->wants_gradient;
        }
    }
}

static ic_status lower_forward(ic_lowering *l, ic_node tap)
{
    ic_program *p = l->program;
    int32_t last = (int32_t)l->graph->node_count - 1;
    if (tap != IC_NO_TAP)
        l->nodes[tap].uses++; /* so that nothing behind it is absorbed */
    l->pack_step = -1;
    IC_TRY(ic_lower_tensor(l, ic_graph_input_shape(l->graph), &p->input));
    ic_lower_set(l, 0, p->input);
    for (int32_t i = 1; i <= last; i++)
        if (!l->nodes[i].absorbed)
            IC_TRY(ic_lower_node(l, i)->op->forward(l, i));
    IC_TRY(ic_lower_plain(l, last, &p->logits));
    p->tensors[p->input].permanent = true;
    p->tensors[p->logits].permanent = true;
    if (tap != IC_NO_TAP) {
        IC_TRY(ic_lower_plain(l, tap, &p->tap));
        p->tensors[p->tap].permanent = true;
    }
    p->forward_count = p->step_count;
    return IC_OK;
}

static ic_status lower_backward(ic_lowering *l)
{
    ic_program *p = l->program;
    int32_t last = (int32_t)l->graph->node_count - 1;
    l->pack_step = -1;
    IC_TRY(ic_lower_tensor(l, ic_lower_node(l, last)->shape, &p->logit_gradients));
    p->tensors[p->logit_gradients].permanent = true;
    IC_TRY(ic_lower_give_gradient(l, last, p->logit_gradients));
    for (int32_t i = last; i >= 1; i--)
        if (!l->nodes[i].absorbed && l->nodes[i].wants_gradient)
            IC_TRY(ic_lower_node(l, i)->op->backward(l, i));
    p->input_gradients = l->nodes[0].gradient;
    if (p->input_gradients >= 0)
        p->tensors[p->input_gradients].permanent = true;
    return IC_OK;
}

void ic_program_free(ic_program *program)
{
    if (program == NULL)
        return;
    ic_context *context = program->context;
    ic_free(context, program->steps);
    ic_free(context, program->tensors);
    ic_free(context, program->convs);
    ic_free(context, program->chains);
    ic_free(context, program->packs);
    ic_free(context, program->folds);
    ic_free(context, program);
}

static ic_status create(ic_context *context, const ic_graph *graph, int32_t batch, int32_t threads,
                        ic_executor_mode mode, const bool *trained, ic_node tap, ic_program **out)
{
    ic_program *p = NULL;
    ic_lowered_node *nodes = NULL;
    ic_status status = IC_OK;
    IC_TRY(ic_allocate_zero(context, sizeof *p, &p));
    *p = (ic_program){.context = context,
                      .graph = graph,
                      .kernels = ic_kernels_at(context->cpu_level),
                      .batch = batch,
                      .threads = threads,
                      .mode = mode,
                      .logit_gradients = IC_NO_TENSOR,
                      .input_gradients = IC_NO_TENSOR,
                      .tap = IC_NO_TENSOR};
    ic_lowering l = {.program = p, .graph = graph, .trained = trained, .taken = IC_NO_TENSOR};
    IC_TRY_CLEAN(ic_allocate_zero(context, graph->node_count * sizeof *p->convs, &p->convs));
    IC_TRY_CLEAN(ic_allocate_zero(context, graph->node_count * sizeof *nodes, &nodes));
    l.nodes = nodes;
    begin_nodes(&l);
    IC_TRY_CLEAN(lower_forward(&l, tap));
    IC_TRY_CLEAN(mode == IC_INFERENCE ? ic_program_chain(p) : lower_backward(&l));
    IC_TRY_CLEAN(ic_plan_memory(p));
    *out = p;
    p = NULL;
cleanup:
    ic_free(context, nodes);
    ic_program_free(p);
    return status;
}

ic_status ic_program_create(ic_context *context, const ic_graph *graph, int32_t batch,
                            ic_executor_mode mode, const bool *trained, ic_node tap,
                            ic_program **out)
{
    return create(context, graph, batch, context->threads, mode, trained, tap, out);
}

ic_status ic_program_create_alone(ic_context *context, const ic_graph *graph, int32_t batch,
                                  ic_node tap, ic_program **out)
{
    return create(context, graph, batch, 1, IC_INFERENCE, NULL, tap, out);
}
